"""The noise floor is found where there is one, and nowhere else; sweeps that repeat."""

import numpy as np
import pytest

from otjdd.analysis.sweeps import noise_floor, period, restarts

V = np.linspace(-2, 2, 161)


@pytest.mark.parametrize(
    "smooth",
    [1e-6 * np.sinh(3 * V), 1e-6 * V, 1e-9 * (np.exp(V / 0.03) - 1), 1e-6 * V**3, np.full(161, 1e-6), np.zeros(161)],
)
def test_smooth_curves_have_none(smooth):
    assert np.isnan(noise_floor(smooth))


def test_scatter_in_proportion_to_the_current_is_none():
    rng = np.random.default_rng(2)
    assert np.isnan(noise_floor(1e-6 * np.sinh(3 * V) * np.exp(0.03 * rng.standard_normal(len(V)))))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("magnitude", [False, True])
def test_additive_noise_is_found_within_half(seed, magnitude):
    rng = np.random.default_rng(seed)
    current = 1e-9 * np.sinh(5 * V) + 1e-9 * rng.standard_normal(len(V))
    floor = noise_floor(np.abs(current) if magnitude else current)
    assert 0.5e-9 < floor < 1.6e-9


def test_a_record_begins_where_the_time_returns_to_its_first_value_or_nearly():
    assert restarts(np.array([0.0, 1.0, 2.0, 0.4, 1.0, 2.0])).tolist() == [0, 0, 0, 1, 1, 1]
    with pytest.raises(ValueError, match="3"):
        restarts(np.array([0.0, 1.0, 2.0, 0.6, 1.0, 2.0]))


def test_sweeps_repeat_after_a_part_of_all_points():
    assert period(np.array([0.0, 1.0, 2.0, 1.0] * 2)) == 4
    assert period(np.array([0.0, 1.0, 2.0, 1.0] * 2 + [0.0, 1.0])) == 10
