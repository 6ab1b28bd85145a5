"""Banded linear systems without pivoting, for matrices that elimination in their order leaves stable.

Storage: row i of the matrix in row i of A (n, lower + 1 + upper), the diagonal at A[i, lower]; what lies outside of the
matrix in the first and last rows is 0.
"""

import math

from otjdd.physics.jit import fused


@fused
def factor_banded(A, lower, upper):
    """Factors of a banded matrix in place: multipliers below the diagonal, inverse pivots on it.

    Returns False when a pivot is zero or not finite.
    """
    n, bad = A.shape[0], 0
    for k in range(n):
        inverse = 1.0 / A[k, lower]
        bad += not 0.0 < abs(inverse) < math.inf
        A[k, lower] = inverse
        for i in range(k + 1, min(k + lower + 1, n)):
            at = lower + k - i
            factor = A[i, at] * inverse
            A[i, at] = factor
            for j in range(1, upper + 1):
                A[i, at + j] -= factor * A[k, lower + j]
    return bad == 0


@fused
def solve_banded(A, lower, upper, x):
    """Solve in place with the factors of `factor_banded`; x (n,) holds the right-hand side, then the solution."""
    n = A.shape[0]
    for i in range(n):
        value = x[i]
        for j in range(max(0, lower - i), lower):
            value -= A[i, j] * x[i + j - lower]
        x[i] = value
    for i in range(n - 1, -1, -1):
        value = x[i]
        for j in range(1, min(upper, n - 1 - i) + 1):
            value -= A[i, lower + j] * x[i + j]
        x[i] = value * A[i, lower]
