"""Block tridiagonal linear systems with small blocks, without pivoting between the blocks.

Eliminated from both ends towards the middle, as by `numerics.factor_tridiagonal`: a block waits for the one before it, but
the two halves run side by side. Blocks are inverted by their adjugates: the scaling of rows and columns does not matter.
"""

import math

import numpy as np

from otjdd.compiler.decorators import fused


@fused
def inverse_of_two(A: np.ndarray):
    """Invert a 2 x 2 block in place. Returns its determinant."""
    a, b, c, d = A[0, 0], A[0, 1], A[1, 0], A[1, 1]
    det = a * d - b * c
    per = 1.0 / det
    A[0, 0], A[0, 1] = d * per, -b * per
    A[1, 0], A[1, 1] = -c * per, a * per
    return det


@fused
def inverse_of_three(A: np.ndarray):
    """Invert a 3 x 3 block in place. Returns its determinant."""
    a, b, c, d, e, f, g, h, i = A[0, 0], A[0, 1], A[0, 2], A[1, 0], A[1, 1], A[1, 2], A[2, 0], A[2, 1], A[2, 2]
    first, second, third = e * i - f * h, f * g - d * i, d * h - e * g
    det = a * first + b * second + c * third
    per = 1.0 / det
    A[0, 0], A[0, 1], A[0, 2] = first * per, (c * h - b * i) * per, (b * f - c * e) * per
    A[1, 0], A[1, 1], A[1, 2] = second * per, (a * i - c * g) * per, (c * d - a * f) * per
    A[2, 0], A[2, 1], A[2, 2] = third * per, (b * g - a * h) * per, (a * e - b * d) * per
    return det


def named(function, B: int):
    """The compiled function, under a name that tells the sizes of blocks apart in the cache of kernels."""
    function.__qualname__ = f"{function.__name__}_{B}"
    return fused(function)


def products(B: int):
    """Kernels `times`, `before_times`, `less` and `take` for blocks of B x B, B known to the compiler."""

    def times(A, G):  # A G into A
        for r in range(B):
            row = A[r, 0], A[r, 1], A[r, B - 1]
            for c in range(B):
                value = row[0] * G[0, c] + row[1] * G[1, c]
                A[r, c] = value + row[2] * G[2, c] if B == 3 else value

    def before_times(G, A):  # G A into A
        for c in range(B):
            column = A[0, c], A[1, c], A[B - 1, c]
            for r in range(B):
                value = G[r, 0] * column[0] + G[r, 1] * column[1]
                A[r, c] = value + G[r, 2] * column[2] if B == 3 else value

    def less(D, M, A):  # D - M A into D
        for r in range(B):
            for c in range(B):
                value = M[r, 0] * A[0, c] + M[r, 1] * A[1, c]
                D[r, c] -= value + M[r, 2] * A[2, c] if B == 3 else value

    def take(x, M, y):  # x - M y into x
        for r in range(B):
            value = M[r, 0] * y[0] + M[r, 1] * y[1]
            x[r] -= value + M[r, 2] * y[2] if B == 3 else value

    return tuple(named(function, B) for function in (times, before_times, less, take))


def factoring(B: int, invert, times, before_times, less):
    """Kernel `factor` for blocks of B x B, from their inverse and products."""

    def factor(lower, diagonal, upper):
        """Factors of a block tridiagonal matrix in place, each (N, B, B). Returns False when a block is singular.

        lower[i] multiplies x[i-1], upper[i] multiplies x[i+1]. On return `diagonal` holds the inverse blocks, `lower` and
        `upper` the multipliers of both passes.
        """
        N, bad = diagonal.shape[0], 0
        m = N // 2
        for step in range(m):
            for i, towards in ((step, 1), (N - 1 - step, -1)):
                if i == m:
                    continue
                bad += not 0.0 < abs(invert(diagonal[i])) < math.inf
                near, far = (upper, lower) if towards > 0 else (lower, upper)
                times(far[i + towards], diagonal[i])  # multiplier of the pass towards the middle
                less(diagonal[i + towards], far[i + towards], near[i])
                before_times(diagonal[i], near[i])  # multiplier of the way back
        bad += not 0.0 < abs(invert(diagonal[m])) < math.inf
        return bad == 0

    return named(factor, B)


def solving(B: int, take):
    """Kernel `solve` for blocks of B x B, from their product with a vector."""

    def solve(lower, inverse, upper, x):
        """Solve in place with the factors of `factor`; x (N, B) holds the right-hand side, then the solution."""
        N = x.shape[0]
        m = N // 2
        for step in range(1, m):
            take(x[step], lower[step], x[step - 1])
            if N - 1 - step > m:
                take(x[N - 1 - step], upper[N - 1 - step], x[N - step])
        if m > 0:
            take(x[m], lower[m], x[m - 1])
        if m < N - 1:
            take(x[m], upper[m], x[m + 1])
        for i in range(N):
            a, b, c = x[i, 0], x[i, 1], x[i, B - 1]
            for r in range(B):
                value = inverse[i, r, 0] * a + inverse[i, r, 1] * b
                x[i, r] = value + inverse[i, r, 2] * c if B == 3 else value
        for step in range(1, m + 1):
            take(x[m - step], upper[m - step], x[m - step + 1])
            if m + step < N:
                take(x[m + step], lower[m + step], x[m + step - 1])

    return named(solve, B)


def sized(B: int, invert):
    """Kernels `factor` and `solve` for blocks of B x B, B known to the compiler."""
    times, before_times, less, take = products(B)
    return factoring(B, invert, times, before_times, less), solving(B, take)


factor_twos, solve_twos = sized(2, inverse_of_two)
factor_threes, solve_threes = sized(3, inverse_of_three)
