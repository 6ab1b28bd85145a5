"""I-V curves at frozen ions tell what a run tells of the same state."""

import numpy as np
import pytest
from devices import BARE

from otjdd.case.case import parse_case
from otjdd.runs.run import run

IV = 'drive = { kind = "iv", voltages = ["-0.5 V", "0.3 V"] }\n'
HOLD = 'drive = { kind = "hold", voltage = "0.3 V", duration = "1 fs" }\n'


def test_charges_and_bending_are_those_of_a_run():
    curves, held = run(parse_case(IV + BARE)).isel(state=0, temperature=0), run(parse_case(HOLD + BARE))
    at = curves.sel(bias=0.3)
    for name in ("band_bending", "electrode_charge", "right_electrode_charge", "junction_voltage"):
        assert float(at[f"bias_{name}"]) == pytest.approx(float(held[name][-1]), rel=1e-6)
    assert np.all(np.diff(curves.bias_electrode_charge.values) > 0)
