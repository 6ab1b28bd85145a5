"""Fronts between aims: what no point beats, and which aims exclude each other."""

import numpy as np
import pytest

from otjdd.analysis import goal


def test_a_front_is_what_no_point_beats_in_both():
    x = np.array([0.0, 1.0, 2.0, 1.0, 3.0, np.nan, 2.0])
    y = np.array([4.0, 2.0, 1.0, 3.0, 2.0, 0.0, 1.0])
    assert [(x[i], y[i]) for i in goal.pareto_front(x, y)] == [(0, 4), (1, 2), (2, 1)]
    random = np.random.default_rng(1).random((200, 2))
    front = goal.pareto_front(*random.T)
    beaten = [(random < point).all(axis=1).any() for point in random]
    assert sorted(front) == list(np.flatnonzero(~np.array(beaten)))


def test_no_points_have_no_front():
    assert goal.pareto_front(np.array([np.nan]), np.array([1.0])).size == 0
    assert goal.nearest(np.array([np.nan]), np.array([1.0])) == np.inf


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
