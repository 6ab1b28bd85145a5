"""Bands from derivatives, on outputs whose answers are known, in place of the solver."""

import numpy as np
import pytest
import xarray as xr

from otjdd.fitting.gradients import FIRST_ALONG
from otjdd.fitting.prediction import CHECKED, along_slopes, farthest_and_first, near_enough

X = np.linspace(0.0, 1.0, 7)
RNG = np.random.default_rng(4)
MOVES = 0.1 * RNG.standard_normal((50, 2))


def outputs(x, bend=0.0):
    """A run: resistances by a power of the first parameter, and a charge of either sign by the second one."""
    R = 1e5 * np.exp(x[0] * (1.0 + X) + bend * x[0] ** 2)
    variables = {
        "read_resistance": ("read", R, {"units": "ohm"}),
        "charge": ("read", X - 0.5 + x[1] * X, {"units": "C"}),
    }
    return xr.Dataset(variables)


def rows_of(bend=0.0):
    near = [outputs(FIRST_ALONG * row, bend) for row in np.eye(2)]
    return along_slopes(outputs(np.zeros(2), bend), near, MOVES / FIRST_ALONG)


def test_draws_along_derivatives_are_exact_where_logarithms_or_numbers_are_linear():
    for name, values in rows_of().items():
        np.testing.assert_allclose(values, [outputs(x)[name].values for x in MOVES], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("bend", "enough"), [(0.0, True), (0.1, True), (5.0, False)])
def test_draws_that_are_simulated_show_whether_derivatives_are_enough(bend, enough):
    checked = farthest_and_first(np.abs(MOVES))
    runs = [outputs(MOVES[number], bend) for number in checked]
    assert near_enough(outputs(np.zeros(2), bend), rows_of(bend), checked, runs, (2.5, 97.5)) == enough
    assert not near_enough(outputs(np.zeros(2), bend), rows_of(bend), checked, [*runs[:-1], None], (2.5, 97.5))


def test_a_run_that_fails_leaves_no_derivatives():
    assert along_slopes(outputs(np.zeros(2)), [outputs(np.zeros(2)), None], MOVES) is None


def test_the_farthest_draws_are_simulated_and_the_first():
    distance = np.zeros((20, 2))
    distance[7, 1], distance[13, 0], distance[2, 1] = 3.0, 2.0, np.nan
    chosen = farthest_and_first(distance)
    assert chosen == [7, 13, 0, 1]
    assert len(chosen) == CHECKED
