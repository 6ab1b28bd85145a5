"""Scales of comparison, and where the uncertainty of data comes from."""

import numpy as np
import pytest

from otjdd.fitting.curves import InstrumentNoise, Scale, folded_mean, points_of, scale_of
from otjdd.measurements.datasets import applied_rows
from otjdd.measurements.read import read_data

V = np.round(np.concatenate([np.arange(1, 21), np.arange(19, -1, -1)]) * 0.05, 3)


def found_of(ds, quantity, noise=np.nan):
    return points_of(ds, applied_rows(ds), quantity, InstrumentNoise(noise))


@pytest.mark.parametrize("scale", [Scale("log"), Scale("asinh", 1e-9), Scale("linear", 2.0)])
def test_scales_lead_there_and_back_with_their_slope(scale):
    y = np.array([1e-10, 3e-9, 2e-6, 1.0])
    np.testing.assert_allclose(scale.inverse(scale.apply(y)), y, rtol=1e-9)
    step = 1e-6 * y
    np.testing.assert_allclose(scale.slope(y), (scale.apply(y + step) - scale.apply(y - step)) / (2 * step), rtol=1e-5)


def test_the_scale_follows_the_quantity_and_the_noise():
    y = np.ones(3)
    assert scale_of("resistance", y, np.nan).kind == "log"
    assert scale_of("current", y, 1e-9) == Scale("asinh", 1e-9)
    assert scale_of("capacitance", 2 * y, np.nan) == Scale("linear", 2.0)


def test_scatter_is_estimated_and_smooth_data_have_a_percent():
    rng = np.random.default_rng(5)
    for noise, expected in ((0.08, 0.08), (0.0, 0.01)):
        y = np.exp(3 * V + noise * rng.standard_normal(40))
        found = found_of(read_data({"V": V, "R": y}), "resistance")
        assert found.source == "estimated"
        assert expected / 1.7 < found.sigma[0] < expected * 1.7


def test_zeros_and_negative_resistances_are_left_out():
    found = found_of(read_data({"V": V[:6], "R": np.array([1, 2, 0, -3, 5, 6.0])}), "resistance")
    np.testing.assert_array_equal(found.at, [0, 1, 4, 5])


def test_records_are_repeats_only_where_the_same_was_applied():
    t, y = np.arange(40) * 0.1, np.exp(3 * V)
    once = read_data({"t": np.tile(t, 2), "V": np.concatenate([V, 2 * V]), "I": np.concatenate([y, 10 * y])})
    found = found_of(once, "current")
    assert (found.source, len(found.y)) == ("estimated", 80)
    np.testing.assert_array_equal(found.y, np.concatenate([y, 10 * y]))
    twice = read_data({"t": np.tile(t, 2), "V": np.tile(V, 2), "I": np.concatenate([y, y])})
    assert (found_of(twice, "current").source, len(found_of(twice, "current").y)) == ("repeats", 40)


def test_a_repeat_without_a_number_leaves_the_others_in_their_place():
    y = np.tile(np.exp(3 * V), 3)
    y[45] = np.nan
    found = found_of(read_data({"V": np.tile(V, 3), "R": y}), "resistance")
    assert found.source == "repeats"
    np.testing.assert_allclose(found.y, np.delete(np.exp(3 * V), 5))


@pytest.mark.parametrize("column", [{}, {"sigma_I": 0.02 * V}])
def test_a_stated_noise_adds_to_the_relative_uncertainty(column):
    found = found_of(read_data({"V": V, "I": V} | column), "current", 0.1)
    assert found.scale == Scale("asinh", 0.1)
    relative = 0.02 if column else 0.01
    np.testing.assert_allclose(found.sigma, np.hypot(relative * V, 0.1) * found.scale.slope(V))


def test_noise_of_repeats_is_that_of_each_point():
    rng = np.random.default_rng(4)
    current = 1e-14 * np.exp(14 * V)
    y = np.tile(current, 8) * (1 + 0.05 * rng.standard_normal(320)) + 1e-12 * rng.standard_normal(320)
    found = found_of(read_data({"V": np.tile(V, 8), "I": y}), "current", 1e-12)
    expected = np.hypot(0.05 * current, 1e-12) * found.scale.slope(current) / np.sqrt(8)
    np.testing.assert_allclose(found.sigma, expected, rtol=0.3)
    z = (found.scale.apply(found.y) - found.scale.apply(current)) / expected
    assert 0.6 < np.std(z) < 1.4
    assert abs(np.mean(z)) < 0.5


def test_a_magnitude_in_noise_is_compared_with_that_of_the_noise():
    rng, scale = np.random.default_rng(5), Scale("asinh", 1e-12)
    for current in (0.0, 5e-13, 3e-12, -1e-10):
        shown = np.abs(current + 1e-12 * rng.standard_normal(40000)).mean()
        assert folded_mean(np.array([current]), scale)[0] == pytest.approx(shown, rel=0.02)
    assert folded_mean(np.array([-2.0]), Scale("log"))[0] == 2.0
