"""Block tridiagonal systems against dense ones."""

import numpy as np
import pytest

from otjdd.physics.numerics import factor_threes, factor_twos, solve_threes, solve_twos

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
