"""Metrics of polarised films on loops and pulses with known numbers."""

import numpy as np
import pytest

from otjdd.analysis.small_signal import electroresistance, hysteresis, pund, reversal
from otjdd.results import outputs


def test_coercive_voltages_and_remanent_polarisations_are_those_of_the_last_loop():
    angle = np.linspace(0.0, 4 * np.pi, 801)
    V = 3.0 * np.sin(angle)
    P = 0.2 * np.tanh(5.0 * (np.sin(angle) - 0.1 - 0.4 * np.sign(np.cos(angle))))
    ds = outputs.dataset({"polarisation": P, "junction_voltage": V, "film_field": V / 1e-8})
    found = hysteresis(ds)
    assert (found["coercive_up"], found["coercive_down"]) == pytest.approx((1.5, -0.9), abs=2e-3)
    assert (found["coercive_voltage"], found["imprint"]) == pytest.approx((1.2, 0.3), abs=2e-3)
    assert found["coercive_field"] == pytest.approx(1.2e8, rel=2e-3)
    assert found["remanent_up"] == pytest.approx(0.2 * np.tanh(1.5), rel=1e-2)
    with pytest.raises(ValueError, match="pass zero both ways"):
        hysteresis(ds.isel(time=slice(0, 50)))


def test_pulses_tell_what_switched():
    V = [0, -1, 0, 0, 1, 0, 0, 1, 0, 0, -1, 0, 0, -1, 0]
    Q = [0.1, -0.3, -0.2, -0.2, 0.3, 0.2, 0.2, 0.32, 0.21, 0.21, -0.3, -0.2, -0.2, -0.3, -0.2]
    found = pund(outputs.dataset({"voltage": V, "electrode_charge": Q}))
    assert found["switched_up"] == pytest.approx(0.39)
    assert found["switched_down"] == pytest.approx(-0.41)
    assert found["remanent"] == pytest.approx(0.2)
    with pytest.raises(ValueError, match="2 pulses, not the 5"):
        pund(outputs.dataset({"voltage": V[:6], "electrode_charge": Q[:6]}))


def test_a_reversal_and_a_ratio_of_resistances():
    assert reversal(outputs.dataset({"polarisation": [-0.2, 0.1]})) == pytest.approx({"share": 0.75, "kept": -0.5})
    current = np.array([[[-3.0, 0.0, 2.0]], [[-1.0, 0.0, 8.0]]])
    found = electroresistance(outputs.dataset({"bias_current": current}, {"bias": [-0.2, 0.0, 0.3]}))
    assert found == pytest.approx({"ratio": 3.0, "most": 4.0, "most_voltage": 0.3})
