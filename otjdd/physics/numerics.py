"""Small numerical kernels: Bernoulli function, tridiagonal solver, cubic Hermite table."""

import math

from numba import njit

# Below SERIES the Taylor polynomial of B and its derivative is exact to round-off (next term x^8/1 209 600);
# above it x/expm1(x) is accurate, but its derivative loses digits like eps/x^2, which SERIES bounds near 1e-14.
SERIES = 0.1
# exp(OVERFLOW) is the last decade before the largest double; B there is zero to round-off.
OVERFLOW = 700.0


@njit(cache=True)
def bernoulli(x):
    """Bernoulli function B(x) = x/(e^x - 1) and its derivative [1], for any real x.

    B(-x) = B(x) + x, so a flux that needs both calls this once.
    Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969), doi:10.1109/T-ED.1969.16566.
    """
    if abs(x) < SERIES:
        q = x * x
        value = 1.0 - 0.5 * x + q * (1.0 / 12.0 - q * (1.0 / 720.0 - q * (1.0 / 30240.0 - q / 1209600.0)))
        slope = -0.5 + x * (1.0 / 6.0 - q * (1.0 / 180.0 - q * (1.0 / 5040.0 - q / 151200.0)))
        return value, slope
    if x > OVERFLOW:
        return 0.0, 0.0
    if x < -OVERFLOW:
        return -x, -1.0
    e = math.expm1(x)
    value = x / e
    return value, (1.0 - value * (1.0 + e)) / e


@njit(cache=True)
def factor_tridiagonal(lower, diagonal, upper, n):
    """LU factors of a tridiagonal matrix in place; rows 0..n-1, no pivoting.

    lower[i] multiplies x[i-1], upper[i] multiplies x[i+1]. On return `diagonal` holds the inverse pivots and
    `lower` the multipliers. Without pivoting this is backward stable for the diagonally dominant matrices of
    implicit diffusion (Higham, Accuracy and Stability of Numerical Algorithms, section 9.5).
    Returns False when a pivot is zero or not finite.
    """
    pivot = diagonal[0]
    if not (abs(pivot) > 0.0 and abs(pivot) < math.inf):
        return False
    diagonal[0] = 1.0 / pivot
    for i in range(1, n):
        multiplier = lower[i] * diagonal[i - 1]
        lower[i] = multiplier
        pivot = diagonal[i] - multiplier * upper[i - 1]
        if not (abs(pivot) > 0.0 and abs(pivot) < math.inf):
            return False
        diagonal[i] = 1.0 / pivot
    return True


@njit(cache=True)
def solve_tridiagonal(lower, inverse, upper, x, n):
    """Solve in place with the factors of `factor_tridiagonal`; x holds the right-hand side, then the solution."""
    for i in range(1, n):
        x[i] -= lower[i] * x[i - 1]
    x[n - 1] *= inverse[n - 1]
    for i in range(n - 2, -1, -1):
        x[i] = (x[i] - upper[i] * x[i + 1]) * inverse[i]


@njit(cache=True)
def hermite(values, slopes, start, step, x):
    """Cubic Hermite interpolation in a uniform table: value and derivative at x; nan outside the table.

    values, slopes : (M,) function and derivative at start + step * arange(M)
    """
    position = (x - start) / step
    i = int(math.floor(position))
    if position == values.size - 1:
        i = values.size - 2
    if not (position >= 0.0) or i > values.size - 2:
        return math.nan, math.nan
    s = position - i
    f0, f1 = values[i], values[i + 1]
    g0, g1 = slopes[i] * step, slopes[i + 1] * step
    a = g0 + g1 - 2.0 * (f1 - f0)
    b = (f1 - f0) - g0 - a
    value = f0 + s * (g0 + s * (b + s * a))
    return value, (g0 + s * (2.0 * b + 3.0 * s * a)) / step
