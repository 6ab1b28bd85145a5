"""A compact model under a long train, whose times come in blocks that end a last digit apart."""

import made_model
import numpy as np
import pytest

from otjdd.case.case import load_case
from otjdd.waveform import waveform

TRAIN = {"kind": "train", "voltage": "1.2 V", "width": "50 ns", "count": 300, "period": "20 us", "read_each": True}


def test_currents_that_charge_the_junction_are_those_of_one_block(monkeypatch):
    model = made_model.made_model()
    whole = model.predicted(load_case("li2019", {"drive": TRAIN}).drive)
    monkeypatch.setattr(waveform, "MOST_IN_MEMORY", 100)
    monkeypatch.setattr(waveform, "BLOCK", 60)
    parted = model.predicted(load_case("li2019", {"drive": TRAIN}).drive)
    scale = float(np.abs(whole.displacement_current).max())
    assert scale > 0.0
    assert parted.displacement_current.values == pytest.approx(whole.displacement_current.values, abs=1e-6 * scale)
    assert np.diff(parted.time.values).min() == 0.0
