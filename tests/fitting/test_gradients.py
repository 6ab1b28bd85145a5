"""Derivatives along the time steps of one run, of numbers that are known in closed form."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from otjdd.fitting.least_squares import gradient

EXACT = np.array([[2.0, -0.5], [1.0, 0.1]])  # (point, parameter)
AT = np.array([0.1, -0.2])


class Numbers:
    """Evaluator of a quadratic function, which jumps along the time steps of another run where one parameter moves far.

    alike : whether all of its runs evaluate as many currents
    """

    def __init__(self, jump: float = 0.0, parameter: int = 0, bend: float = 0.0, alike: bool = False):
        self.jump, self.parameter, self.bend, self.alike = jump, parameter, bend, alike
        self.along = self.alone = 0
        names = [SimpleNamespace(name=name) for name in ("first", "second")]
        self.task = SimpleNamespace(
            follows=True, noise_along=2e-9, ends=(np.full(2, -9.0), np.full(2, 9.0)), parameters=names,
            rough=False,
        )  # fmt: skip

    def __call__(self, points, near=None):
        self.along += len(points) if near is not None else 0
        self.alone += len(points) if near is None else 0
        return np.array([self.numbers(np.asarray(x), near is not None) for x in points])

    def all_alike(self, points, near):
        return self.alike

    def numbers(self, x, along):
        far = along and abs(x - AT)[self.parameter] > 2e-5
        return EXACT @ x + self.bend * (x @ x) + self.jump * far * np.array([1.0, 0.0])


def slopes_of(numbers):
    return gradient(numbers, AT, numbers([AT])[0], 1e-7, None)


@pytest.mark.parametrize("alike", [True, False])
def test_smooth_numbers_take_one_run_more_than_parameters_where_counts_of_currents_differ(alike):
    numbers = Numbers(bend=0.3, alike=alike)
    slopes = slopes_of(numbers)
    assert slopes.slopes == pytest.approx(EXACT + 0.6 * AT, abs=1e-4)
    assert not slopes.independent.any()
    assert (numbers.along, numbers.alone) == (2 if alike else 3, 1)


@pytest.mark.parametrize("parameter", [0, 1])
@pytest.mark.parametrize("jump", [1e-4, 3e-6, 8e-7])
def test_a_parameter_whose_numbers_jump_along_the_steps_has_independent_runs(parameter, jump):
    slopes = slopes_of(Numbers(jump, parameter))
    assert slopes.slopes == pytest.approx(EXACT, abs=1e-6)
    assert slopes.independent.tolist() == [parameter == 0, parameter == 1]


def test_a_number_that_jumps_beside_steeper_ones_has_independent_runs():
    class Beside(Numbers):
        def numbers(self, x, along):
            return np.append(super().numbers(x, along), 1e3 * x[0])

    slopes = slopes_of(Beside(5e-4))
    assert slopes.slopes[:2] == pytest.approx(EXACT, abs=1e-6)
    assert slopes.independent.tolist() == [True, False]


def test_a_jump_of_all_at_once_leaves_the_differences_of_one_parameter():
    class Together(Numbers):
        def numbers(self, x, along):
            return EXACT @ x + 1e-4 * (along and (x != AT).all())

    slopes = slopes_of(Together())
    assert slopes.slopes == pytest.approx(EXACT, abs=1e-9)
    assert not slopes.independent.any()


class Steps(NamedTuple):
    """Evaluator of three numbers: a smooth one, a count, and one that fails."""

    task: SimpleNamespace
    chosen: np.ndarray = np.ones(3, bool)

    def __call__(self, points, near=None):
        rows = np.array([[x[0] + 2 * x[1], np.floor(10 * x[0]), np.nan] for x in points])
        return rows[:, self.chosen]

    def all_alike(self, points, near):
        return True


def test_a_number_that_takes_few_values_has_a_secant_and_one_that_fails_no_slope():
    ends = np.full(2, -9.0), np.full(2, 9.0)
    evaluate = Steps(SimpleNamespace(follows=True, noise_along=2e-9, ends=ends, rough=True))
    found = gradient(evaluate, AT, evaluate([AT])[0], np.nan, None)
    assert found.slopes == pytest.approx(np.array([[1.0, 2.0], [2 / 0.216, 0.0], [0.0, 0.0]]), abs=1e-6)
    assert np.isfinite(found.error).all()
