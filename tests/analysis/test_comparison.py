"""Metrics of several runs: trends with the thickness of the film, of thin films and of all."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_results import reads

from otjdd.analysis import comparison, synapse

WRITES = [0.5, 1.0, 1.5, 0.0, -1.0, -2.0, 0.0]


def film(name, thickness, low, time=1e-3):
    """A trial whose loop sets to `low` [ohm], or one that is in the low state from `time` [s] on."""
    case = SimpleNamespace(device=SimpleNamespace(film=SimpleNamespace(thickness=thickness)))
    if name == "loop":
        return SimpleNamespace(name=name, case=case, ds=reads(WRITES, [1e8, 1e8, low, low, low, 1e8, 1e8]))
    return SimpleNamespace(name=name, case=case, ds=time)


def films(low, times):
    thickness = [2e-9, 3e-9, 4e-9, 5e-9]
    loops = [film("loop", d, R) for d, R in zip(thickness, low, strict=True)]
    return loops + [film("set", d, None, t) for d, t in zip(thickness, times, strict=True)]


@pytest.fixture(autouse=True)
def _known_switches(monkeypatch):
    """One switch is given as its time, and spends 1 nJ for each second."""
    monkeypatch.setattr(synapse, "switching_time", lambda ds, target: ds)
    monkeypatch.setattr(synapse, "switching_energy", lambda ds, time: 1e-9 * time)


def test_trends_are_those_of_thin_films_and_with_another_name_those_of_all():
    found = comparison.thickness(films([1e4, 1e5, 1e6, 1e6], [1e-3, 2e-3, 3e-3, 1e-3]), thin=4e-9)
    assert found["log_low_slope"] == pytest.approx(np.log(10) / 1e-9)
    assert found["log_low_correlation"] == pytest.approx(1)
    assert found["time_rises"] == found["energy_rises"] == 1
    assert found["wide_time_rises"] == found["wide_energy_rises"] == pytest.approx(2 / 3)
    assert found["wide_log_low_correlation"] < 0.96
    assert found["decay_constant"] == pytest.approx(found["log_low_slope"] / 2)


def test_a_switch_goes_with_the_loop_of_its_thickness_whatever_their_order():
    trials = films([1e4, 1e5, 1e6, 1e6], [1e-3, 2e-3, 3e-3, 4e-3])
    assert comparison.thickness(trials[::-1], thin=4e-9)["time_rises"] == 0  # from the thickest to the thinnest
    mixed = trials[:4] + trials[:3:-1]
    assert comparison.thickness(mixed, thin=4e-9) == comparison.thickness(trials, thin=4e-9)
