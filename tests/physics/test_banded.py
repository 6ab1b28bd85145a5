"""Banded systems without pivoting against dense ones."""

import numpy as np
import pytest

from otjdd.physics.banded import factor_banded, solve_banded


@pytest.mark.parametrize(("lower", "upper"), [(1, 1), (2, 2), (4, 3), (0, 2)])
@pytest.mark.parametrize("n", [1, 3, 40])
def test_solution_is_that_of_the_dense_matrix(n, lower, upper):
    rng = np.random.default_rng(n)
    A = rng.standard_normal((n, lower + 1 + upper))
    A[:, lower] = 1.0 + np.abs(A).sum(axis=1)
    dense = np.zeros((n, n))
    for i in range(n):
        for j in range(max(0, i - lower), min(n, i + upper + 1)):
            dense[i, j] = A[i, lower + j - i]
    x = b = rng.standard_normal(n)
    x = x.copy()
    assert factor_banded(A, lower, upper)
    solve_banded(A, lower, upper, x)
    np.testing.assert_allclose(dense @ x, b, atol=1e-14)


def test_a_singular_matrix_is_told():
    A = np.array([[0.0, 1.0, 2.0], [2.0, 4.0, 0.0]])  # of rank 1
    with np.errstate(divide="ignore", invalid="ignore"):  # which the interpreted kernel would warn of
        assert not factor_banded(A, 1, 1)
