"""Scales of comparison, and where the uncertainty of data comes from."""

import numpy as np
import pytest

from otjdd.fitting.scales import Scale, scale_of
from otjdd.fitting.uncertainty import points_of
from otjdd.measurements.read import read_data

V = np.round(np.concatenate([np.arange(1, 21), np.arange(19, -1, -1)]) * 0.05, 3)


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


def test_a_column_says_the_uncertainty():
    found = points_of(read_data({"V": V, "I": 1 + V, "sigma_I": 0.1 * (1 + V)}), "current")
    assert found.source == "column"
    np.testing.assert_allclose(found.sigma, 0.1)


def test_repeats_say_the_uncertainty_of_their_mean():
    rng = np.random.default_rng(4)
    y = np.exp(3 * np.tile(V, 5) + 0.06 * rng.standard_normal(200))
    found = points_of(read_data({"V": np.tile(V, 5), "R": y}), "resistance")
    assert found.source == "repeats"
    np.testing.assert_allclose(found.sigma, 0.06 / np.sqrt(5), rtol=0.2)
    np.testing.assert_allclose(np.log(found.y), 3 * V, atol=0.1)


def test_scatter_is_estimated_and_smooth_data_have_a_percent():
    rng = np.random.default_rng(5)
    for noise, expected in ((0.08, 0.08), (0.0, 0.01)):
        y = np.exp(3 * V + noise * rng.standard_normal(40))
        found = points_of(read_data({"V": V, "R": y}), "resistance")
        assert found.source == "estimated"
        assert expected / 1.7 < found.sigma[0] < expected * 1.7


def test_zeros_and_negative_resistances_are_left_out():
    found = points_of(read_data({"V": V[:6], "R": np.array([1, 2, 0, -3, 5, 6.0])}), "resistance")
    np.testing.assert_array_equal(found.at, [0, 1, 4, 5])
