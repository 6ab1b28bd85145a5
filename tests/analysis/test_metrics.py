"""The table of metrics against the functions in it: the numbers that it lists are those that the functions give."""

import numpy as np
import pytest
from made_results import DEPLETION, SPECTRUM

from otjdd.analysis import goal
from otjdd.analysis.metrics import METRICS
from otjdd.results import outputs

R = np.tile(1e8 / np.concatenate([np.arange(1.0, 21.0), np.arange(20.0, 0.0, -1.0)]), 12)
RUNS = {
    "loop": {"read_resistance": [1e8, 1e4, 1e8], "write_voltage": [0.0, 2.0, -2.0]},
    "change": {"read_resistance": [2.0, 1.0]},
    "retention": {"read_time": [0.0, 1.0, 10.0, 100.0] * 2, "read_resistance": [1e8] * 4 + [1e4] * 4},
    "endurance": {"read_resistance": [1e8, 1e4] * 3},
    "potentiation": {"read_resistance": R},
    "drift": {"time": [0.0, 1.0], "vacancy_mean_position": [1.0, 1.1], "cell_width": [1.0, 1.0]},
    "train_slopes": {"read_current": np.ones(51)},
    "pulses": {"read_current": np.ones(201)},
    "hysteresis": {
        "polarisation": [-0.2, -0.2, 0.2, 0.2, 0.2, -0.2, -0.2], "film_field": [0, 1e8, 3e8, 0, -1e8, -3e8, 0],
        "junction_voltage": [-0.1, 1.0, 3.0, 0.1, -1.0, -3.0, 0.1],
    },
    "pund": {
        "voltage": [0, -1, 0, 1, 0, 1, 0, -1, 0, -1, 0], "electrode_charge": [0, -3, -2, 3, 2, 3, 2, -3, -2, -3, -2],
    },
    "self_limit": {"read_voltage": [0.0, 1.0, 2.0, 3.0, 1.0], "read_current": [0.0, 1.0, 9.0, 10.0, 2.0]},
    "uptake": {
        "read_time": np.arange(10.0), "read_resistance": [1e8, 1e4] * 5,
        "time": np.arange(10.0), "vacancies": np.linspace(2e18, 1e18, 10),
    },
    "reversal": {"polarisation": [-0.2, 0.1]},
    "fast_and_kept": {"read_resistance": [1e8, 1e8, 1e4, 1e5]},
    "ter": {"bias_current": np.array([[[-3.0, 2.0]], [[-1.0, 1.0]]]), "bias": [-0.2, 0.1]},
}  # fmt: skip
SIGNALS = {"mott_schottky": DEPLETION, "impedance": SPECTRUM}


@pytest.mark.parametrize("name", METRICS)
def test_the_table_lists_the_numbers_that_a_run_gives(name):
    ds = SIGNALS[name] if name in SIGNALS else outputs.dataset(RUNS[name])
    assert set(METRICS[name].of(ds)) == set(METRICS[name].numbers)


def test_a_metric_that_names_its_outputs_needs_no_others():
    assert {name: set(METRICS[name].outputs) for name in RUNS} == {name: set(arrays) for name, arrays in RUNS.items()}
    assert not any(metric.outputs for name, metric in METRICS.items() if name not in RUNS)


# fronts between aims: what no point beats, and which aims exclude each other


def test_a_front_is_what_no_point_beats_in_both():
    x = np.array([0.0, 1.0, 2.0, 1.0, 3.0, np.nan, 2.0])
    y = np.array([4.0, 2.0, 1.0, 3.0, 2.0, 0.0, 1.0])
    assert [(x[i], y[i]) for i in goal.pareto_front(x, y)] == [(0, 4), (1, 2), (2, 1)]
    random = np.random.default_rng(1).random((200, 2))
    front = goal.pareto_front(*random.T)
    beaten = [(random < point).all(axis=1).any() for point in random]
    assert sorted(front) == list(np.flatnonzero(~np.array(beaten)))


def test_aims_exclude_each_other_where_each_is_met_and_never_both():
    distances = np.array([[0.2, 3.0, 0.5, 9.0], [2.0, 0.9, 0.5, 9.0], [1.4, 1.2, 1.5, np.nan]])
    aims = goal.of_aims(distances, ["one", "two", "three", "never"])
    assert goal.never_met(aims) == ["never"]
    assert goal.exclusive_pairs(aims) == [("one", "two", pytest.approx(1.4))]


def test_an_aim_is_as_far_as_the_farthest_of_its_targets():
    found = goal.of_aims(np.array([[0.2, 3.0, 0.5], [0.1, np.nan, 0.4]]), ["claim", "claim", "other"])
    np.testing.assert_array_equal(found["claim"], [3.0, np.inf])
    np.testing.assert_array_equal(found["other"], [0.5, 0.4])


def test_the_targets_of_an_aim_that_is_never_met_stand_in_its_place():
    found = goal.within_reach(np.array([[0.2, 3.0, 0.5]]), ["claim", "claim", "other"], ["a", "b", "c"])
    assert list(found) == ["a", "b", "other"]
