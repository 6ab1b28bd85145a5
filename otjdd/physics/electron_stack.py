"""The static stack of a film that holds electrons: bands and charges of one column at frozen vacancies.

    dD/dx = e (z c - n + f)      dE_C/dx = E(D)      n(E_C, w, V) of `film_electrons`

               face 0      cell 0      face 1      cell 1    ...    cell N-1     face N
    unknown     D_0       U_0, w_0      D_1       U_1, w_1         U_N-1, w_N-1    D_N
    equation    face: U_f - U_f-1 = d_f E(D_f)      cell: D_i+1 - D_i = e h_i (z c_i + f - n_i)

U is E_C at the centres of the cells, and at both ends what the electrodes ask for. The unknowns D_0, U_0, D_1, ..., D_N in
this order make one tridiagonal matrix whose diagonal is nowhere positive and whose neighbours are -1 and 1: elimination
keeps every pivot negative. Newton's iteration in them needs no damping, where one in the potential alone oscillates with
the saturating D(E) of SrTiO3.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.banded import factor_banded, solve_banded
from otjdd.physics.electrostatics import edge, fields
from otjdd.physics.film_electrons import (
    BY_BAND,
    BY_WEIGHT,
    LEFT,
    OF_LEFT,
    OF_RIGHT,
    RIGHT,
    contact_weights,
    densities,
)
from otjdd.physics.jit import bare, detached
from otjdd.physics.junction import charge_range
from otjdd.physics.numerics import add_up, bernoulli_given, copy, factor_tridiagonal, solve_tridiagonal
from otjdd.physics.state import State, new_state

STEEPEST = 700.0  # kT between neighbours, from where Bernoulli functions would underflow

FOLLOWED = 20  # iterations in which the weights just follow the band; 99 of 100 random devices need fewer
MOST_STEPS = 40  # of Newton's iteration with the derivative of the weights
FIRST_D = 1e-4  # C/m2, of the first guess
ROUND_OFF = 1e-13  # eV, of the last step of the bands: sums of some hundred terms of order 1 eV carry a few 1e-15
SHORTEST = 1e-6  # of the voltage, step of the way up from 0 V, below which the search is given up
FEW = (
    2e-5  # of the vacancies: electrons that may change sides with the band before the derivative of w is worth its work
)

LOWER, UPPER = 4, 3  # bands of the matrices in which the weights are unknowns
TO_RIGHT, ON_RIGHT, ON_LEFT = range(3)  # rows of Stack.slopes
# rows of State.lines
PIECES, ROOM, LOW, DIAGONAL, UP, REST, SOLUTION, SLOPES, STILL, BEFORE = 0, 1, 3, 4, 5, 6, 7, 8, 11, 12


class Stack(NamedTuple):
    """Bands and charges of one column with electrons, and work space; arrays changed in place."""

    D: np.ndarray  # (N+1,) C/m2
    E: np.ndarray  # (N+1,) V/m
    eps: np.ndarray  # (N+1,) dD/dE, F/m
    guess: np.ndarray  # (2, N+1) of `electrostatics.fields`
    U: np.ndarray  # (N+2,) E_C at the left end, the N centres and the right end, eV
    electrons: (
        np.ndarray
    )  # (ELECTRONS, N) density in equilibrium with the RIGHT and with the LEFT contact [1/m3]; their sum
    # differentiated BY_BAND [1/(m3 eV)] and BY_VOLTAGE [1/(m3 V)] at constant w, and BY_WEIGHT [1/m3]; w and 1 - w
    weight: np.ndarray  # (2, N) the last two of these
    pieces: np.ndarray  # (N+1,) share of every piece of the band in w
    room: np.ndarray  # (2, 3N+1)
    slopes: np.ndarray  # (3, 3N+1), N used: of the weights, see `weight_slopes`
    lower: np.ndarray  # (2N+1,) tridiagonal matrix, its right-hand side and then its solution
    diagonal: np.ndarray
    upper: np.ndarray
    rest: np.ndarray
    matrix: np.ndarray  # (3N+1, BAND)
    solution: np.ndarray  # (3N+1,)
    still: np.ndarray  # (N,) zeros: vacancies that do not follow the band
    before: np.ndarray  # (2, 3N+1) D and U to go back to


def column_of(state: State, k: int) -> Stack:
    """Column k of a state as a stack, views of its arrays; the work space is that of all columns."""
    N, lines = state.c.shape[1], state.lines
    rows = 2 * N + 1
    return Stack(
        state.D[k], state.E[k], state.eps[k], state.guess[k], state.band[k], state.electrons[k],
        state.electrons[k, OF_RIGHT : OF_LEFT + 1], lines[PIECES, : N + 1], lines[ROOM : ROOM + 2],
        lines[SLOPES : SLOPES + 3], lines[LOW, :rows], lines[DIAGONAL, :rows], lines[UP, :rows], lines[REST, :rows],
        state.matrix, lines[SOLUTION], lines[STILL, :N], lines[BEFORE : BEFORE + 2],
    )  # fmt: skip


column = bare(column_of)  # within kernels; the views that it returned to Python would not hold their arrays


def new_stack(N: int) -> Stack:
    """A stack of N cells from which Newton's iteration starts: D everywhere alike."""
    stack = column_of(new_state(1, N, True), 0)
    stack.D[:] = FIRST_D
    return stack


@bare
def ends(junction, k, V, stack):
    """Set the band at both ends from the charges of the electrodes."""
    stack.U[0] = edge(junction.left, stack.D[0])[0] + junction.columns.left_edge[k] - V
    stack.U[stack.U.size - 1] = edge(junction.right, -stack.D[stack.D.size - 1])[0]


@bare
def lay_bands(junction, k, V, stack):
    """Set fields, ends of the band, weights and electrons of a stack from its D, its U at the centres and V."""
    ends(junction, k, V, stack)
    fields(stack.D, junction.film, stack.E, stack.eps, stack.guess)
    contact_weights(junction.columns.distance[k], junction.kT, stack.U, stack.pieces, stack.weight, stack.room)
    densities(junction.electrons, junction.kT, V, stack.U, stack.electrons)


@bare
def missing_step(junction, k, stack, f):
    """Residual at face f: step of the band minus d E(D) [eV]."""
    return stack.U[f + 1] - stack.U[f] - junction.columns.distance[k, f] * stack.E[f]


@bare
def missing_charge(junction, k, c, stack, i):
    """Residual of cell i: rise of D minus the charge in the cell [C/m2]."""
    columns, h = junction.columns, junction.columns.width[k, i]
    n = stack.electrons[RIGHT, i] + stack.electrons[LEFT, i]
    fixed = columns.fixed[k, i] - columns.fixed[k, i + 1]
    return stack.D[i + 1] - stack.D[i] - ELEMENTARY_CHARGE * h * (junction.ions.z * c[i] - n) - fixed


@bare
def elastance(junction, k, stack, f):
    """d(what U rises by at face f)/dD [V m2/C], the electrode's own at the ends included."""
    N = stack.D.size - 1
    slope = junction.columns.distance[k, f] / stack.eps[f]
    if f == 0:
        slope += edge(junction.left, stack.D[0])[1]
    if f == N:
        slope += edge(junction.right, -stack.D[N])[1]
    return slope


@bare
def farther(longest, move):
    """The longer of a length and a move; inf when the move is not a number."""
    return max(longest, abs(move)) if abs(move) < math.inf else math.inf


@bare
def within(range_of_charge, here, move):
    """The move of a charge from here, or half of the way to an end of its range that the move would pass."""
    if here + move > range_of_charge[1]:
        return 0.5 * (range_of_charge[1] - here)
    if here + move < range_of_charge[0]:
        return 0.5 * (range_of_charge[0] - here)
    return move


@bare
def kept_in_tables(junction, stack, left, right):
    """Moves of D(0) and D(L) that stay within the tables of the electrodes."""
    N = stack.D.size - 1
    left = within(charge_range(junction.left), stack.D[0], left)
    return left, -within(charge_range(junction.right), -stack.D[N], -right)


@bare
def static_rows(junction, k, c, response, stack):
    """Fill the rows of the static Newton: matrix, and minus the residuals.

    c : (N,) vacancies [1/m3]   response : (N,) d(z c)/dU of vacancies that follow the band [1/(m3 eV)]
    """
    lower, diagonal, upper, rest = stack.lower, stack.diagonal, stack.upper, stack.rest
    N = c.size
    lower[:], upper[:] = -1.0, 1.0
    for f in range(N + 1):
        diagonal[2 * f] = -elastance(junction, k, stack, f)
        rest[2 * f] = -missing_step(junction, k, stack, f)
    for i in range(N):
        slope = stack.electrons[BY_BAND, i] - response[i]
        diagonal[2 * i + 1] = ELEMENTARY_CHARGE * junction.columns.width[k, i] * slope
        rest[2 * i + 1] = -missing_charge(junction, k, c, stack, i)


@bare
def static_step(junction, stack):
    """Solve the rows of a stack and move D and U by the step. Returns the largest move of U [eV]; inf where it fails."""
    lower, diagonal, upper, rest = stack.lower, stack.diagonal, stack.upper, stack.rest
    n, longest = rest.size, 0.0
    if not factor_tridiagonal(lower, diagonal, upper, n):
        return math.inf
    solve_tridiagonal(lower, diagonal, upper, rest, n)
    rest[0], rest[n - 1] = kept_in_tables(junction, stack, rest[0], rest[n - 1])
    for j in range(0, n, 2):
        stack.D[j // 2] += rest[j]
    for j in range(1, n, 2):
        stack.U[j // 2 + 1] += rest[j]
        longest = farther(longest, rest[j])
    return longest


@bare
def weight_slopes(distance, kT, stack):
    """Fill the slopes of a stack: how w at a centre hangs on w and U at the points beside it.

    The current that w belongs to is the same left and right of a cell, in Scharfetter and Gummel's form
        (w_i+1 - w_i) B(d_i+1)/h_i+1 = (w_i - w_i-1) B(-d_i)/h_i,     d_f = (U_f - U_f-1)/kT over face f,
    so  dw_i = TO_RIGHT dw_i+1 + (1 - TO_RIGHT) dw_i-1 + ON_RIGHT (dU_i+1 - dU_i) + ON_LEFT (dU_i - dU_i-1).
    The pieces are made anew: those that are there may be of another column.
    """
    U, pieces, slopes = stack.U, stack.pieces, stack.slopes
    contact_weights(distance, kT, U, pieces, stack.weight, stack.room)
    for i in range(pieces.size - 1):
        right = min(max((U[i + 2] - U[i + 1]) / kT, -STEEPEST), STEEPEST)
        left = min(max((U[i] - U[i + 1]) / kT, -STEEPEST), STEEPEST)
        B_right, slope_right = bernoulli_given(right, math.exp(right))
        B_left, slope_left = bernoulli_given(left, math.exp(left))
        B_right, B_left = B_right / distance[i + 1], B_left / distance[i]
        both = B_right + B_left
        slopes[TO_RIGHT, i] = B_right / both
        slopes[ON_RIGHT, i] = pieces[i + 1] * slope_right / (distance[i + 1] * kT * both)
        slopes[ON_LEFT, i] = pieces[i] * slope_left / (distance[i] * kT * both)


@bare
def exact_matrix(junction, k, stack):
    """Fill the matrix of the static Newton with the weights as unknowns: order D_0, U_0, w_0, D_1, ..., D_N."""
    A, slopes, N = stack.matrix, stack.slopes, stack.D.size - 1
    weight_slopes(junction.columns.distance[k], junction.kT, stack)
    A[:] = 0.0
    for f in range(N + 1):
        A[3 * f, LOWER] = -elastance(junction, k, stack, f)
        if f < N:
            A[3 * f, LOWER + 1] = 1.0
        if f > 0:
            A[3 * f, LOWER - 2] = -1.0
    at_left, at_right = edge(junction.left, stack.D[0])[1], -edge(junction.right, -stack.D[N])[1]
    for i in range(N):
        j, charge = 3 * i + 1, ELEMENTARY_CHARGE * junction.columns.width[k, i]
        A[j, LOWER - 1], A[j, LOWER + 2] = -1.0, 1.0
        A[j, LOWER] = charge * stack.electrons[BY_BAND, i]
        A[j, LOWER + 1] = charge * stack.electrons[BY_WEIGHT, i]
        j, share = 3 * i + 2, slopes[TO_RIGHT, i]
        A[j, LOWER] = -1.0
        A[j, LOWER - 1] = slopes[ON_LEFT, i] - slopes[ON_RIGHT, i]
        if i > 0:
            A[j, LOWER - 3], A[j, LOWER - 4] = 1.0 - share, -slopes[ON_LEFT, i]
        else:
            A[j, LOWER - 2] = -slopes[ON_LEFT, i] * at_left
        if i < N - 1:
            A[j, LOWER + 3], A[j, LOWER + 2] = share, slopes[ON_RIGHT, i]
        else:
            A[j, LOWER + 1] = slopes[ON_RIGHT, i] * at_right


@bare
def exact_step(junction, k, c, stack):
    """As `static_rows` and `static_step`, the weights being unknowns."""
    x, N = stack.solution, c.size
    exact_matrix(junction, k, stack)
    for f in range(N + 1):
        x[3 * f] = -missing_step(junction, k, stack, f)
    for i in range(N):
        x[3 * i + 1], x[3 * i + 2] = -missing_charge(junction, k, c, stack, i), 0.0
    if not factor_banded(stack.matrix, LOWER, UPPER):
        return math.inf
    solve_banded(stack.matrix, LOWER, UPPER, x)
    x[0], x[3 * N] = kept_in_tables(junction, stack, x[0], x[3 * N])
    longest = 0.0
    for f in range(N + 1):
        stack.D[f] += x[3 * f]
    for i in range(N):
        stack.U[i + 1] += x[3 * i + 1]
        longest = farther(longest, x[3 * i + 1])
    return longest


@bare
def weights_count(junction, k, c, stack):
    """True where the derivative of the weights is worth its work: FEW electrons or more change sides with the band."""
    moving, vacancies = 0.0, 0.0
    for i in range(c.size):
        h = junction.columns.width[k, i]
        moving += h * abs(stack.electrons[BY_WEIGHT, i]) * stack.weight[0, i] * stack.weight[1, i]
        vacancies += h * c[i]
    return moving > FEW * vacancies


@bare
def converge(junction, k, c, V, stack, following):
    """Newton's iteration for the static stack from where `stack` is; the weights follow, or are unknowns.

    following : most iterations in which they follow; 0 for none. Returns the number of iterations, 0 when not converged.
    """
    for step in range(following if following else MOST_STEPS):
        lay_bands(junction, k, V, stack)
        if following:
            static_rows(junction, k, c, stack.still, stack)
            longest = static_step(junction, stack)
        else:
            longest = exact_step(junction, k, c, stack)
        if not longest < math.inf:
            return 0
        if longest <= ROUND_OFF:
            lay_bands(junction, k, V, stack)
            return step + 1
    return 0


@bare
def up_from_zero(junction, k, c, V, stack):
    """The static stack followed from 0 V, where the weights do not matter, to V. Returns iterations, 0 when not found."""
    straight_band(junction, k, 0.0, stack)
    total = converge(junction, k, c, 0.0, stack, MOST_STEPS)
    if total == 0:
        return 0
    here, step = 0.0, V
    while here != V:
        remember(stack)
        to = V if abs(step) >= abs(V - here) else here + step
        found = converge(junction, k, c, to, stack, 0)
        total += found
        if found > 0:
            here, step = to, 2.0 * step
        else:
            go_back(stack)
            step *= 0.25
            if abs(step) < SHORTEST * abs(V):
                return 0
    return total


@bare
def remember(stack):
    """Put D and U of a stack away."""
    copy(stack.D, stack.before[0])
    copy(stack.U, stack.before[1])


@bare
def go_back(stack):
    """D and U of a stack as they were put away."""
    for f in range(stack.D.size):
        stack.D[f] = stack.before[0, f]
    for i in range(stack.U.size):
        stack.U[i] = stack.before[1, i]


@detached
def solve_stack(junction, k, c, V, stack):
    """Static stack of column k with its vacancies c (N,) [1/m3] at junction voltage V, from where `stack` is.

    Newton's iteration, the weights following the band; where both go around in circles, up from 0 V with the weights as
    unknowns. Returns the number of iterations, or 0 when none was found.
    """
    found = converge(junction, k, c, V, stack, FOLLOWED)
    return found if found else up_from_zero(junction, k, c, V, stack)


@bare
def straight_band(junction, k, V, stack):
    """First guess of a stack: D everywhere alike, the band straight between its ends."""
    N, distance = stack.D.size - 1, junction.columns.distance[k]
    stack.D[:] = FIRST_D
    ends(junction, k, V, stack)
    x, L = 0.0, add_up(distance)
    for i in range(N):
        x += distance[i]
        stack.U[i + 1] = stack.U[0] + (stack.U[N + 1] - stack.U[0]) * x / L


def static_stack(junction, k, c, V):
    """Static stack of column k with vacancies c (N,) [1/m3] at junction voltage V, and its iterations; 0: none found."""
    stack = new_stack(c.size)
    straight_band(junction, k, V, stack)
    return stack, solve_stack(junction, k, c, V, stack)
