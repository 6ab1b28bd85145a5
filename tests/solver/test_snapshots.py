"""Snapshots: the voltage at which their current spectrum is taken."""

import numpy as np
import pytest
from devices import BARE, SMALL, case
from scipy.integrate import trapezoid

from otjdd.solver.simulate import simulate
from otjdd.solver.snapshots import PROBE


def spectrum(voltage: str):
    """Current density by energy of the first snapshot of a source that is held at a voltage."""
    drive = f'drive = {{ kind = "hold", voltage = "{voltage}", duration = "1 ps" }}\n'
    ds = simulate(case(drive + BARE, **SMALL))
    return ds.spectrum_energy.values[-1], ds.spectrum_density.values[-1]


@pytest.mark.parametrize("voltage", ["0 V", "1e-16 V", "-1e-16 V", "20 mV"])
def test_a_source_that_is_off_is_probed_whatever_the_rounding_of_its_voltage(voltage):
    for off, probed in zip(spectrum(voltage), spectrum(f"{PROBE} V"), strict=True):
        np.testing.assert_allclose(off, probed, rtol=1e-2)


def test_a_source_that_is_on_is_taken_at_its_own_voltage():
    assert trapezoid(*spectrum("-0.1 V")[::-1]) < 0 < trapezoid(*spectrum("0.1 V")[::-1])
