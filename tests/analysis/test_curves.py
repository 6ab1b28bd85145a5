"""Fits of plasticity against curves whose parameters are known."""

import math

import numpy as np
import pytest

from otjdd.analysis import fits


def test_an_exponential_gives_back_its_parameters():
    x = np.arange(1.0, 11.0)
    fit = fits.exponential(x, 96.3 * np.exp(-x / 4.4) - 2.5)
    assert (fit.amplitude, fit.scale, fit.offset) == pytest.approx((96.3, 4.4, -2.5), rel=1e-5)
    assert fit.scatter < 1e-4


def test_a_gaussian_gives_back_its_parameters():
    x = np.arange(-10.0, 11.0)
    fit = fits.gaussian(x, 88.0 * np.exp(-((x / 3.3) ** 2)) - 16)
    assert (fit.amplitude, fit.scale, fit.offset) == pytest.approx((88.0, 3.3, -16), rel=1e-5)


def test_an_offset_that_is_known_is_held():
    x = np.linspace(0, 5e-6, 20)
    fit = fits.exponential(x, 3e-9 * np.exp(-x / 1e-6) + 2e-10, offset=2e-10)
    assert (fit.amplitude, fit.scale) == pytest.approx((3e-9, 1e-6), rel=1e-5)
    assert (fit.offset, fit.offset_error) == (2e-10, 0)


def test_errors_are_those_of_repeated_measurements():
    x, draw = np.arange(1.0, 11.0), np.random.default_rng(3)
    drawn = [fits.exponential(x, 50 * np.exp(-x / 4) + draw.normal(0, 0.5, x.size)) for _ in range(300)]
    for name in ("amplitude", "scale", "offset"):
        values = np.array([getattr(fit, name) for fit in drawn])
        told = np.median([getattr(fit, f"{name}_error") for fit in drawn])
        spread = np.diff(np.percentile(values, [16, 84]))[0] / 2
        assert told == pytest.approx(spread, rel=0.25), name


def test_without_a_point_to_spare_there_is_no_error():
    assert math.isnan(fits.exponential([0.0, 1.0, 2.0], [3.0, 2.0, 1.5]).scale_error)


def test_what_is_no_exponential_has_a_misfit():
    x = np.arange(1.0, 11.0)
    assert fits.exponential(x, np.exp(-x)).misfit < 1e-6
    assert fits.exponential(x, np.exp(-x) * (1 + 0.5 * np.sin(3 * x)) + 0.1 * np.cos(x)).misfit > 0.05


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1.0, 2.0], [2.0, 1.0], "3 parameters"),
        ([1.0, 2.0, math.nan], [2.0, 1.0, 0.0], "finite"),
        ([1.0, 1.0, 1.0], [2.0, 1.0, 0.0], "one place"),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], "no scale"),
    ],
)
def test_points_that_tell_no_scale_are_refused(x, y, words):
    with pytest.raises(ValueError, match=words):
        fits.exponential(x, y)
