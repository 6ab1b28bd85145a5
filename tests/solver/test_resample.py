"""The time series at even times: charges kept, currents between two points as the junction has them, their error stated."""

import numpy as np
import pytest

from otjdd.analysis.sweeps import between
from otjdd.case.device import Circuit
from otjdd.results import outputs
from otjdd.solver import time_series as module
from otjdd.solver.time_series import read_out, resample

T = np.array([0.0, 1.0, 1.5, 4.0])


def series():
    return outputs.dataset(
        {
            "voltage": [0.0, 1.0, 1.0, 3.0],
            "mean_displacement_current": [0.0, 2.0, 4.0, -1.0],
            "read_time": [1.0, 4.0],
        },
        {"time": T},
        {"title": "a"},
    )


def test_straight_pieces_stay_straight_at_even_times():
    even = resample(series(), "500 ms")
    np.testing.assert_allclose(even.time, np.arange(9) * 0.5)
    np.testing.assert_allclose(even.voltage, [0, 0.5, 1, 1, 1.4, 1.8, 2.2, 2.6, 3])
    assert even.voltage.attrs["units"] == "V"
    assert even.sizes["read"] == 2
    assert even.attrs["title"] == "a"


@pytest.mark.parametrize("step", [0.5, 0.4, 0.025])
def test_the_displacement_current_keeps_its_charge(step):
    even = resample(series(), step)
    charge = float(even.mean_displacement_current[1:].sum()) * step
    assert even.time.values[-1] == pytest.approx(4.0)
    assert charge == pytest.approx(2.0 * 1.0 + 4.0 * 0.5 - 1.0 * 2.5)


def test_the_displacement_current_at_even_times_has_both_sides_of_a_corner():
    both = {"displacement_current": [1.0, 1.0, 1.0, -2.0], "displacement_current_after": [1.0, 1.0, -2.0, -2.0]}
    even = resample(series().assign({name: ("time", values) for name, values in both.items()}), "500 ms")
    assert even.displacement_current.values.tolist() == [1.0, 1.0, 1.0, 1.0, -2.0, -2.0, -2.0, -2.0, -2.0]


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, 1e-9, "1 V"])
def test_steps_that_make_no_series_are_refused(step):
    with pytest.raises(ValueError, match="expected"):
        resample(series(), step)
    with pytest.raises(ValueError, match="no time series"):
        resample(outputs.dataset({"read_time": [1.0]}), 1.0)


def junction(V):
    """Current whose conductance grows by a factor of 55 a volt, and bends."""
    return 1e-9 * V * np.exp(4 * V + V**2)


def test_currents_on_a_ramp_are_those_of_the_junction_within_the_error_that_is_stated():
    t = np.array([0, 1e-6, 0.05, 0.06, 0.4, 0.8, 1.2, 1.7, 2.2])
    V = np.where(t < 1.2, t, 2.4 - t)
    even = np.linspace(0.06, 2.2, 300)
    exact = junction(np.where(even < 1.2, even, 2.4 - even))
    found = between(t, V, junction(V), even)
    wrong = np.abs(found.current / exact - 1)
    assert wrong.max() < 0.15 < np.abs(np.interp(even, t, junction(V)) / exact - 1).max() / 3
    assert (wrong <= found.error + 1e-3).all()


def test_at_recorded_times_and_at_jumps_currents_are_those_recorded():
    t, V = np.array([0.0, 1, 1, 2, 3, 3.5, 4]), np.array([0.1, 0.1, 2, 2, 2, 0.3, -1.4])
    current = 1e-6 * V * np.exp([0, 1, 0, 0.5, 0.6, 0.7, 0.3])
    found = between(t, V, current, t)
    np.testing.assert_allclose(found.current, current[[0, 2, 2, 3, 4, 5, 6]], rtol=1e-12)
    assert not found.error.any()
    noise = between([0.0, 1.0, 2.0], [0.0, 0.1, 0.2], [1e-12, -1e-12, 3e-12], [0.5, 1.5])
    np.testing.assert_allclose(noise.current, [0, 1e-12], atol=1e-27)


@pytest.mark.parametrize("circuit", [Circuit(), Circuit(time_constant=0.3)])
def test_the_current_is_what_the_instrument_of_the_case_shows(circuit, monkeypatch):
    monkeypatch.setattr(module, "circuit_of", lambda ds: circuit)
    t = np.array([0.0, 0.25, 1.0, 1.0, 1.5, 4.0])
    conduction, displacement = np.array([1.0, 1, 1, 5, 5, 5]), np.array([0.0, 0, 2, 0, 4, 0])
    ds = outputs.dataset(
        {"voltage": [1.0, 1, 1, 2, 2, 2], "conduction_current": conduction, "mean_displacement_current": displacement,
         "current": read_out(t, conduction, displacement, circuit)}, {"time": t},
    )  # fmt: skip
    even = resample(ds, 0.25)
    np.testing.assert_allclose(even.current[[1, 6, 16]], ds.current[[1, 4, 5]])
    assert even.conduction_current_error.attrs["units"] == "1"
