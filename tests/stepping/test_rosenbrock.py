"""One time step: the order of its error, of its error estimate, and what it does along a ramp."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, lumpy
from one_step import SMOOTH, assert_orders, methods, step

from otjdd.solver import initial, model
from otjdd.stepping.rosenbrock import RODAS


@pytest.fixture(scope="module")
def run():
    """Two columns of a film on the way, at 0.2 V."""
    film = case(BETWEEN_METALS, **SMOOTH)
    return begin(film, lumpy(model.junction(film), np.random.default_rng(4), 0.3), voltage=0.2)


@methods
@pytest.mark.parametrize("ramp", [0.0, 2e7])
def test_a_step_is_of_the_order_of_its_method_and_its_error_estimate_one_lower(run, ramp, method):
    longest = 8e-10 if method is RODAS else 1.6e-9  # the shortest of RODAS5P would be off by round-off alone
    assert_orders(run, method, ramp, longest, most=2e-8, within=0.6)


@methods
def test_times_and_sums_of_the_stages_follow_from_the_transformed_tables(method):
    """alpha and gamma_sum are row sums of the tables before the transformation (IV.7.25) of Hairer & Wanner."""
    stages = method.alpha.size
    A = np.zeros((stages, stages))
    rows = method.A.shape[0]
    A[:rows, : rows - 1] = method.A
    for i in range(rows, stages):
        A[i, : i - 1], A[i, i - 1] = A[i - 1, : i - 1], 1.0
    inverse = np.eye(stages) / method.gamma
    inverse[:, :-1] -= method.C
    gammas = np.linalg.inv(inverse)
    np.testing.assert_allclose(gammas.sum(axis=1), method.gamma_sum, atol=1e-12)
    np.testing.assert_allclose((A @ gammas).sum(axis=1), method.alpha, atol=1e-12)


def test_steps_are_of_order_5_below_a_tolerance_of_a_hundredth():
    film = case(BETWEEN_METALS, **SMOOTH)
    assert film.numerics.rtol == 7e-3
    orders = [begin(film, rtol=rtol).trial.method.order for rtol in (1e-1, 1e-2, 9.9e-3, 1e-10)]
    assert orders == [4, 4, 5, 5]


def test_what_is_much_faster_than_a_step_is_gone_after_it():
    film = case(BETWEEN_METALS, **SMOOTH)
    flat = begin(film)
    still = initial.relax(flat.junction, flat.state.c)
    away = begin(film, still * np.exp(1e-6 * np.random.default_rng(4).standard_normal(still.shape)))
    total = (still * flat.junction.columns.width).sum(axis=1) / (away.state.c * flat.junction.columns.width).sum(axis=1)
    away = begin(film, away.state.c * total[:, None])
    before, after = (np.abs(c - still).max() for c in (away.state.c, step(away, 1e3).state.c))
    assert after < 1e-4 * before
