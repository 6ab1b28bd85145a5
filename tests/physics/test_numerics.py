"""Small numerical kernels against extended precision, dense algebra and polynomials."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otjdd.physics.numerics import (
    LONGEST_MOVE,
    OVERFLOW,
    SERIES,
    ascending,
    before,
    bernoulli_given,
    exponential,
    factor_threes,
    factor_tridiagonal,
    factor_twos,
    hermite,
    sinh_cosh,
    sinh_cosh_moved,
    solve_threes,
    solve_tridiagonal,
    solve_twos,
)

ARGUMENTS = (1e-300, 1e-9, 1e-3, 0.03, 0.0999, 0.11, math.nextafter(SERIES, 0.0), SERIES, 0.7, 3.0, 20.0, 100.0, 600.0)


def bernoulli(x):
    return bernoulli_given(x, math.exp(min(max(x, -OVERFLOW), OVERFLOW)))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("x", ARGUMENTS)
def test_bernoulli_and_its_slope_agree_with_extended_precision(x, sign):
    with mpmath.workdps(700):  # 1e-300 cancels 600 digits of the plain slope
        y = sign * mpmath.mpf(x)
        e = mpmath.expm1(y)
        value, slope = float(y / e), float(1 / e - y * (1 + e) / e**2)
    assert bernoulli(sign * x)[0] == pytest.approx(value, rel=4e-15)
    assert bernoulli(sign * x)[1] == pytest.approx(slope, rel=1e-13)


def test_bernoulli_is_one_at_zero_and_plain_beyond_overflow():
    assert bernoulli(0.0) == (1.0, -0.5)
    assert bernoulli(math.nextafter(OVERFLOW, math.inf)) == pytest.approx((0.0, 0.0), abs=1e-300)
    assert bernoulli(1e6) == pytest.approx((0.0, 0.0), abs=1e-290)
    assert bernoulli(-2.0 * OVERFLOW) == (2.0 * OVERFLOW, -1.0)


@given(n=st.integers(1, 40), seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=50)
def test_tridiagonal_solution_agrees_with_a_dense_solver(n, seed):
    rng = np.random.default_rng(seed)
    lower, upper, x = rng.standard_normal((3, n))
    diagonal = 2.5 + np.abs(lower) + np.abs(upper)
    dense = np.diag(diagonal) + np.diag(lower[1:], -1) + np.diag(upper[:-1], 1)
    expected = np.linalg.solve(dense, x)
    assert factor_tridiagonal(lower, diagonal, upper, n)
    solve_tridiagonal(lower, diagonal, upper, x, n)
    np.testing.assert_allclose(x, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("pivot", [0.0, math.nan, math.inf])
@pytest.mark.parametrize("row", [0, 2])
def test_a_pivot_that_cannot_be_divided_by_is_told(pivot, row):
    diagonal = np.full(4, 3.0)
    diagonal[row] = pivot
    with np.errstate(divide="ignore", invalid="ignore"):  # interpreted kernels would warn
        assert not factor_tridiagonal(np.zeros(4), diagonal, np.zeros(4), 4)


def cubic(x):
    return 2.0 - x + 0.5 * x**2 + 3.0 * x**3, -1.0 + x + 9.0 * x**2


def test_entries_before_a_value_are_those_below_it():
    x = np.array([-1.0, 0.0, 0.0, 0.5, 2.0])
    for value in (-2.0, -1.0, -0.5, 0.0, 0.3, 0.5, 2.0, 3.0):
        assert before(x, value) == np.searchsorted(x, value)
    assert before(x[:0], 1.0) == 0


def test_hermite_is_exact_for_cubics_from_the_first_node_to_the_last():
    start, step = -1.0, 0.25
    values, slopes = cubic(start + step * np.arange(9))
    for x in np.linspace(-1.0, 1.0, 33):
        assert hermite(values, slopes, start, step, x) == pytest.approx(cubic(x), rel=1e-13, abs=1e-13)


def test_hermite_is_nan_outside_its_table():
    values, slopes = cubic(np.arange(3.0))
    for x in (-1e-9, 2.0 + 1e-9, -100.0, 1e15):
        assert np.isnan(hermite(values, slopes, 0.0, 1.0, x)).all()


def test_exponential_is_that_of_numpy():
    x = np.concatenate((np.linspace(-OVERFLOW, OVERFLOW, 10001), np.geomspace(1e-300, 1.0, 300), [0.0, -0.0]))
    np.testing.assert_allclose([exponential(value) for value in x], np.exp(x), rtol=5e-16)
    ends = [exponential(value) for value in (-1e300, 1e4, -1e4)]
    np.testing.assert_allclose(ends, np.exp([-OVERFLOW, OVERFLOW, -OVERFLOW]), rtol=5e-16)


def test_hyperbolic_sine_and_cosine_are_those_of_numpy():
    x = np.concatenate((np.linspace(-OVERFLOW, OVERFLOW, 10001), np.geomspace(1e-300, 1.0, 300), [0.0]))
    sinh, cosh = np.array([sinh_cosh(value) for value in x]).T
    np.testing.assert_allclose(sinh, np.sinh(x), rtol=8e-16)
    np.testing.assert_allclose(cosh, np.cosh(x), rtol=8e-16)


def test_hyperbolic_sine_and_cosine_move_along_by_the_addition_theorems():
    with mpmath.workdps(40):
        for y in (-30.0, -1.0, 0.0, 1e-3, 0.5, 12.0):
            at = float(mpmath.sinh(y)), float(mpmath.cosh(y))
            for move in (*np.linspace(-LONGEST_MOVE, LONGEST_MOVE, 101).tolist(), 1e-12):
                found, there = sinh_cosh_moved(*at, move), mpmath.mpf(y) + mpmath.mpf(move)
                off = max(abs(found[0] - mpmath.sinh(there)), abs(found[1] - mpmath.cosh(there)))
                assert off < (4e-15 if abs(move) > 0.06 else 4e-16) * mpmath.cosh(there)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 14, 500])
def test_values_are_brought_into_ascending_order(n):
    values = np.random.default_rng(n).integers(0, 40, n) / 8.0  # some of them equal
    order = ascending(values)
    np.testing.assert_array_equal(values[order], np.sort(values))
    np.testing.assert_array_equal(np.sort(order), np.arange(n))


# block tridiagonal systems against dense ones


SOLVERS = {2: (factor_twos, solve_twos), 3: (factor_threes, solve_threes)}


def dense(lower, diagonal, upper):
    N, B, _ = diagonal.shape
    out = np.zeros((N, B, N, B))
    for i in range(N):
        out[i, :, i] = diagonal[i]
        if i > 0:
            out[i, :, i - 1] = lower[i]
        if i < N - 1:
            out[i, :, i + 1] = upper[i]
    return out.reshape(N * B, N * B)


@pytest.mark.parametrize("B", [2, 3])
@pytest.mark.parametrize("N", [1, 2, 3, 8, 9])
def test_solution_is_that_of_the_dense_matrix(B, N):
    rng, (factor, solve) = np.random.default_rng(N), SOLVERS[B]
    parts = rng.standard_normal((3, N, B, B))
    parts[1] += 8.0 * np.eye(B)
    scale = 10.0 ** rng.uniform(-8, 8, (N, B))  # of the rows, which does not matter
    b = rng.standard_normal((N, B)) * scale
    parts *= scale[:, :, None]
    expected = np.linalg.solve(dense(*parts) / scale.reshape(-1, 1), (b / scale).ravel())
    assert factor(*parts)
    solve(*parts, b)
    np.testing.assert_allclose(b.ravel(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("B", [2, 3])
@pytest.mark.parametrize("where", [0, 2, 4])
def test_a_singular_block_is_told(B, where):
    parts = np.zeros((3, 5, B, B))
    parts[1] = np.eye(B)
    parts[1, where, 0, 0] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        assert not SOLVERS[B][0](*parts)
