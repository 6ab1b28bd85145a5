"""Metrics of several runs: trends with the thickness of the film, of thin films and of all."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_results import reads

from otjdd.analysis import synapse
from otjdd.claims import papers
from otjdd.claims.claim import ClaimTrial
from otjdd.results import outputs

switching = papers.module(papers.shipped_claims() / "li-2019" / "switching.py")

WRITES = [0.5, 1.0, 1.5, 0.0, -1.0, -2.0, 0.0]


def film(name, thickness, low, time):
    """A trial: a loop that sets from 1e8 ohm to `low` [ohm], or a switch half-way there at a time [s], with 1 nA at 1 V."""
    case = SimpleNamespace(device=SimpleNamespace(film=SimpleNamespace(thickness=thickness)))
    if name == "loop":
        return SimpleNamespace(name=name, case=case, ds=reads(WRITES, [1e8, 1e8, low, low, low, 1e8, 1e8]))
    half = np.sqrt(1e8 * low)
    ds = reads([np.nan] * 3, [1e8, 10 * half, half / 10], [0.0, time / 10, time * 10])
    t = np.array([0.0, time * (1 - 1e-9), time * 20])
    ds = ds.assign(voltage=("t", np.ones(3)), conduction_current=("t", np.full(3, 1e-9))).assign_coords(time=("t", t))
    return SimpleNamespace(name=name, case=case, ds=ds)


def films(low, times):
    thickness = [2e-9, 3e-9, 4e-9, 5e-9]
    return [film(name, *row) for name in ("loop", "set") for row in zip(thickness, low, times, strict=True)]


def test_each_film_has_the_numbers_of_its_loop_and_of_its_switch():
    found = switching.films_of(films([1e4, 1e5, 1e6, 1e6], [1e-3, 2e-3, 3e-3, 1e-3]))
    assert [film["low"] for film in found.values()] == [1e4, 1e5, 1e6, 1e6]
    assert [film["time"] for film in found.values()] == pytest.approx([1e-3, 2e-3, 3e-3, 1e-3])
    assert [film["energy"] for film in found.values()] == pytest.approx([1e-12, 2e-12, 3e-12, 1e-12])


def test_trends_are_those_of_thin_films_and_with_another_name_those_of_all():
    found = switching.thickness(films([1e4, 1e5, 1e6, 1e6], [1e-3, 2e-3, 3e-3, 1e-3]), thin=4e-9)
    assert found["log_low_slope"] == pytest.approx(np.log(10) / 1e-9)
    assert found["log_low_correlation"] == pytest.approx(1)
    assert found["time_rises"] == found["energy_rises"] == 1
    assert found["wide_time_rises"] == found["wide_energy_rises"] == pytest.approx(2 / 3)
    assert found["wide_log_low_correlation"] < 0.96
    assert found["decay_constant"] == pytest.approx(found["log_low_slope"] / 2)


def test_a_switch_goes_with_the_loop_of_its_thickness_whatever_their_order():
    trials = films([1e4, 1e5, 1e6, 1e6], [1e-3, 2e-3, 3e-3, 4e-3])
    assert switching.thickness(trials[::-1], thin=4e-9) == switching.thickness(trials, thin=4e-9)
    mixed = trials[:4] + trials[:3:-1]
    assert switching.thickness(mixed, thin=4e-9) == switching.thickness(trials, thin=4e-9)


def test_switching_times_of_both_signs_and_the_fold_of_the_threshold():
    """log t = 2 - V/0.1 from both states; thresholds of 1.8 V at 20 ns and 1.4 V at 1 us."""
    t = np.geomspace(1e-8, 1e2, 201)

    def held(name, V):
        after = np.exp(2 - abs(V) / 0.1)
        start, end = (1e8, 1e4) if name == "set" else (1e4, 1e8)
        R = np.exp(np.interp(np.log(t / after), [-1, 1], np.log([start, end])))
        ds = outputs.dataset({"read_time": np.append(1, 1 + t), "read_resistance": np.append(start, R)})
        return ClaimTrial(name, V, None, ds)

    def pulsed(name, V, at):
        change = synapse.LASTING * np.exp((V - at) / 0.05)
        ds = outputs.dataset({"read_time": [1.0, 2.0], "read_resistance": [1 + change, 1.0]})
        return ClaimTrial(name, V, None, ds)

    volts = np.array([1.0, 1.2, 1.4, 1.6])
    trials = [held("set", V) for V in volts] + [held("reset", -V) for V in volts]
    trials += [pulsed("short", V, 1.8) for V in (1.0, 2.0)] + [pulsed("long", V, 1.4) for V in (1.0, 2.0)]
    found = switching.switching(trials)
    assert (found["set_slope"], found["reset_slope"]) == pytest.approx((0.1, 0.1), rel=1e-3)
    assert found["set_correlation"] == pytest.approx(-1, abs=1e-6)
    assert found["set_points"] == 4
    assert found["fold"] == pytest.approx(0.4 / np.log(50))
