"""Small numerical kernels: exponentials for loops, Bernoulli function, tridiagonal solvers, cubic Hermite table.

Block tridiagonal systems have small blocks and no pivoting between them. They are eliminated from both ends towards the
middle, as by `factor_tridiagonal`: a block waits for the one before it, but the two halves run side by side. Blocks are
inverted by their adjugates: the scaling of rows and columns does not matter.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, detached, fused, kernel, summed

# Below SERIES the Taylor polynomial of B and its derivative is exact to round-off (next term x^10/4.8e7); above it
# x/(e^x - 1) loses eps/x and its derivative eps/x^2, which SERIES bounds near 1e-15 and 1e-14.
SERIES = 0.15
# e^OVERFLOW is near the largest double, e^-OVERFLOW near the smallest; B is x e^-x or -x there to round-off.
OVERFLOW = 700.0
LOG2_E = 1.4426950408889634
ROUND = 6755399441055744.0  # 1.5 * 2^52: doubles near it are the integers, so adding it rounds to an integer
LONGEST_MOVE = 0.1  # largest move of `sinh_cosh_moved`
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # ln 2 in two parts, the first with few bits


@bare
def power_of_two(shifted: float):
    """2^k from k + ROUND, whose last bits are those of the integer k: they become the exponent of a double."""
    return np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@fused
def reduced(x: float):
    """k + ROUND, and r with |r| < 0.35, of x = k ln 2 + r; k is an integer, found by rounding to doubles near ROUND.

    Beyond |x| = OVERFLOW those of +-OVERFLOW.
    """
    value = min(max(x, -OVERFLOW), OVERFLOW)
    shifted = value * LOG2_E + ROUND
    k = shifted - ROUND
    return shifted, (value - k * LN2_HIGH) - k * LN2_LOW


@fused
def exponential(x: float):
    """e^x to 4e-16 relative, for loops over arrays: ten times faster than calls of the C library, as it is vectorised.

    A Taylor polynomial of e^r to r^12 (next term 2e-16), times 2^k. Beyond |x| = OVERFLOW the result is e^+-OVERFLOW.
    Callers divide by it or add to it; they must not multiply it by a number as large.
    """
    shifted, r = reduced(x)
    high = 1.0 / 5040.0 + r * (
        1.0 / 40320.0 + r * (1.0 / 362880.0 + r * (1.0 / 3628800.0 + r * (1.0 / 39916800.0 + r * (1.0 / 479001600.0))))
    )
    low = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * high)))
    return (1.0 + r * (1.0 + r * (0.5 + r * low))) * power_of_two(shifted)


@fused
def sinh_cosh(y: float):
    """sinh(y) and cosh(y), to 7e-16 and 4e-16 relative also for small y, for loops as `exponential`.

    Taylor polynomials of sinh(r) to r^13 and cosh(r) to r^12 (next terms below 1e-16), put together with 2^k and 2^-k.
    """
    shifted, r = reduced(y)
    up, down = power_of_two(shifted), power_of_two(ROUND - (shifted - ROUND))
    q = r * r
    odd = 1.0 / 5040.0 + q * (1.0 / 362880.0 + q * (1.0 / 39916800.0 + q * (1.0 / 6227020800.0)))
    odd = r * (1.0 + q * (1.0 / 6.0 + q * (1.0 / 120.0 + q * odd)))
    even = 1.0 / 720.0 + q * (1.0 / 40320.0 + q * (1.0 / 3628800.0 + q * (1.0 / 479001600.0)))
    even = 1.0 + q * (0.5 + q * (1.0 / 24.0 + q * even))
    rise, mean = 0.5 * (up - down), 0.5 * (up + down)
    return rise * even + mean * odd, mean * even + rise * odd


@fused
def sinh_cosh_moved(s: float, c: float, d: float):
    """sinh(y + d) and cosh(y + d) from s = sinh(y) and c = cosh(y), to 4e-15 of cosh(y + d) for |d| < LONGEST_MOVE.

    By the addition theorems, with Taylor polynomials of sinh(d) to d^7 and of cosh(d) to d^8 (next terms 3e-15 and 3e-17).
    """
    q = d * d
    odd = d * (1.0 + q * (1.0 / 6.0 + q * (1.0 / 120.0 + q * (1.0 / 5040.0))))
    even = q * (0.5 + q * (1.0 / 24.0 + q * (1.0 / 720.0 + q * (1.0 / 40320.0))))
    return s + (s * even + c * odd), c + (c * even + s * odd)


@fused
def bernoulli_given(x: float, e: float):
    """Bernoulli function B(x) = x/(e^x - 1) and its derivative [1], from x and e = e^x.

    B(-x) = B(x) + x, so a flux that needs both calls this once.
    Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969), doi:10.1109/T-ED.1969.16566.
    """
    q = x * x
    near = 1.0 - 0.5 * x + q * (1.0 / 12.0 - q * (1.0 / 720.0 - q * (1.0 / 30240.0 - q * (1.0 / 1209600.0))))
    near_slope = -0.5 + x * (1.0 / 6.0 - q * (1.0 / 180.0 - q * (1.0 / 5040.0 - q * (1.0 / 151200.0))))
    inverse = 1.0 / (e - 1.0) if e != 1.0 else 0.0
    far = x * inverse
    far_slope = inverse - far * (1.0 + inverse)
    small = abs(x) < SERIES
    return (near if small else far), (near_slope if small else far_slope)


@fused
def factor_tridiagonal(lower: np.ndarray, diagonal: np.ndarray, upper: np.ndarray, n: int):
    """Factors of a tridiagonal matrix in place; rows 0..n-1, no pivoting, eliminated from both ends towards the middle.

    lower[i] multiplies x[i-1], upper[i] multiplies x[i+1]. On return `diagonal` holds the inverse pivots, `lower` and
    `upper` the multipliers of both passes, scaled so that a row costs one fused multiplication and addition. A row waits
    for the row before it, but the two halves run side by side. Without pivoting this is backward stable for the diagonally
    dominant matrices of implicit diffusion (Higham, Accuracy and Stability of Numerical Algorithms, section 9.5).
    Returns False when a pivot is zero or not finite.
    """
    m = n // 2
    tail = n - 1 - m  # rows of the second half: m or m - 1
    a, b = diagonal[0], diagonal[n - 1]  # the pivots before, in registers
    for i in range(1, tail):
        j = np.uintp(n - 1 - i)
        a = diagonal[i] - lower[i] * upper[i - 1] / a
        b = diagonal[j] - upper[j] * lower[np.uintp(n - i)] / b
        diagonal[i], diagonal[j] = a, b
    if 0 < tail < m:
        a = diagonal[m - 1] - lower[m - 1] * upper[m - 2] / a
        diagonal[m - 1] = a
    if m > 0:
        diagonal[m] -= lower[m] * upper[m - 1] / a
    if tail > 0:
        diagonal[m] -= upper[m] * lower[m + 1] / b
    bad = 0
    for i in range(n):
        diagonal[i] = 1.0 / diagonal[i]
        bad += not 0.0 < abs(diagonal[i]) < math.inf
    for i in range(m, 0, -1):
        lower[i] *= diagonal[i - 1]
    for i in range(m):
        upper[i] *= diagonal[i]
    for i in range(m, n - 1):
        upper[i] *= diagonal[i + 1]
    for i in range(m + 1, n):
        lower[i] *= diagonal[i]
    return bad == 0


@fused
def solve_tridiagonal(lower: np.ndarray, inverse: np.ndarray, upper: np.ndarray, x: np.ndarray, n: int):
    """Solve in place with the factors of `factor_tridiagonal`; x holds the right-hand side, then the solution.

    Falling indices are unsigned: at each access by a signed one numba checks whether it is negative, as in Python.
    """
    m = n // 2
    tail = n - 1 - m  # rows of the second half: m or m - 1
    a, b = x[0], x[n - 1]  # the rows before, in registers
    for i in range(1, tail):
        j = np.uintp(n - 1 - i)
        a = x[i] - lower[i] * a
        b = x[j] - upper[j] * b
        x[i], x[j] = a, b
    if 0 < tail < m:
        a = x[m - 1] - lower[m - 1] * a
        x[m - 1] = a
    if m > 0:
        x[m] -= lower[m] * a
    if tail > 0:
        x[m] -= upper[m] * b
    for i in range(n):
        x[i] *= inverse[i]
    a, b = x[m], x[m]
    for i in range(1, tail + 1):
        left, right = np.uintp(m - i), np.uintp(m + i)
        a = x[left] - upper[left] * a
        b = x[right] - lower[right] * b
        x[left], x[right] = a, b
    if tail < m:
        x[0] -= upper[0] * x[1]


@summed
def dot(a: np.ndarray, b: np.ndarray):
    """Scalar product of short vectors; the order of summation is the compiler's."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@bare
def add_up(x: np.ndarray):
    """Sum of a short vector, in its order."""
    amount = 0.0
    for i in range(x.size):
        amount += x[i]
    return amount


@bare
def copy(x: np.ndarray, out: np.ndarray):
    """Copy a vector."""
    for i in range(x.size):
        out[i] = x[i]


@fused
def add_scaled(factor: float, x: np.ndarray, y: np.ndarray):
    """y += factor x for vectors, in place."""
    for i in range(x.size):
        y[i] += factor * x[i]


@detached
def factor_dense(matrix: np.ndarray) -> bool:
    """LU factors of a matrix (n, n), in place. Returns False when a pivot is zero or not finite.

    Without pivoting this is stable for matrices of one sign off their diagonal, or dominated by it, or symmetric and
    definite but for the scale of rows (Higham, Accuracy and Stability of Numerical Algorithms, sections 9.3 and 10.1).
    """
    n, bad = matrix.shape[0], 0
    for p in range(n):
        bad += not 0.0 < abs(matrix[p, p]) < math.inf
        for i in range(p + 1, n):
            if matrix[i, p] != 0.0:
                matrix[i, p] /= matrix[p, p]
                add_scaled(-matrix[i, p], matrix[p, p + 1 :], matrix[i, p + 1 :])
    return bad == 0


@detached
def solve_dense(factors: np.ndarray, x: np.ndarray):
    """Solve in place with the factors of `factor_dense`; x (n,) holds the right-hand side, then the solution."""
    n = x.size
    for i in range(n):
        for j in range(i):
            x[i] -= factors[i, j] * x[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= factors[i, j] * x[j]
        x[i] /= factors[i, i]


@detached
def solve_dense_transposed(factors: np.ndarray, x: np.ndarray):
    """As `solve_dense` with the transposed matrix."""
    n = x.size
    for i in range(n):
        for j in range(i):
            x[i] -= factors[j, i] * x[j]
        x[i] /= factors[i, i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= factors[j, i] * x[j]


@kernel
def ascending(values: np.ndarray) -> np.ndarray:
    """Places (n,) of the values (n,) in ascending order, by Shell's method: numpy's sort takes two seconds to compile."""
    order, gap = np.empty(values.size, np.int64), 1
    for i in range(order.size):
        order[i] = i
    while gap < values.size // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, order.size):
            own, j = order[i], i
            while j >= gap and values[order[j - gap]] > values[own]:
                order[j] = order[j - gap]
                j -= gap
            order[j] = own
        gap //= 3
    return order


@bare
def before(x: np.ndarray, value: float):
    """Number of entries of an ascending vector below a value."""
    low, high = 0, x.size
    while low < high:
        middle = (low + high) // 2
        if x[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@bare
def hermite(values: np.ndarray, slopes: np.ndarray, start: float, step: float, x: float):
    """Cubic Hermite interpolation in a uniform table: value and derivative at x; nan outside the table.

    values, slopes : (M,) function and derivative at start + step * arange(M)
    """
    position = (x - start) / step
    if not 0.0 <= position <= values.size - 1:
        return math.nan, math.nan
    i = min(int(position), values.size - 2)
    s = position - i
    f0, f1 = values[i], values[i + 1]
    g0, g1 = slopes[i] * step, slopes[i + 1] * step
    a = g0 + g1 - 2.0 * (f1 - f0)
    b = (f1 - f0) - g0 - a
    value = f0 + s * (g0 + s * (b + s * a))
    return value, (g0 + s * (2.0 * b + 3.0 * s * a)) / step


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
