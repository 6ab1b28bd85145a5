"""The search for a static stack: Newton's iteration for D and band of a column at frozen vacancies.

Weights that follow the band are held during a step and computed anew after it. The unknowns D_0, U_0, D_1, ..., D_N in this
order then make one tridiagonal matrix whose diagonal is nowhere positive and whose neighbours are -1 and 1: elimination
keeps every pivot negative. The iteration needs no damping, where one for the potential alone oscillates with the saturating
D(E) of SrTiO3. With the weights as unknowns (`stack.Linear`) it converges quadratically from near the solution.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined, spliced
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.density import BY_BAND, BY_WEIGHT, OF_LEFT, OF_RIGHT
from otjdd.mechanisms.electrons.stack import (
    BAND,
    BEFORE,
    DIAGONAL,
    FIRST_D,
    LOWER,
    MOVES,
    REST,
    STILL,
    UPPER,
    Stack,
    column,
    column_of,
    displacement_changes,
    elastance,
    electrode_charge,
    factor_still,
    fill_answer_to_voltage,
    fill_bands,
    fill_ends,
    fill_residuals,
    linearise,
    missing_charge,
    missing_step,
    own_linear,
    solve_still,
)
from otjdd.physics.junction import Junction, charge_range, new_state
from otjdd.physics.numerics import add_up, copy, factor_tridiagonal, solve_tridiagonal
from otjdd.physics.state import COSH, State

FOLLOWED = 20  # iterations in which the weights just follow the band; 99 of 100 random devices need fewer
MOST_STEPS = 40  # of Newton's iteration with the derivative of the weights
ROUND_OFF = 1e-13  # eV, of the last step of the bands: sums of some hundred terms of order 1 eV carry a few 1e-15
SHORT, MOST_SHORT = 3.0, 1000  # kT, longest of the moves that are kept short, and their number
SHORTEST = 1e-6  # of the voltage, step of the way up from 0 V, below which V_j cannot lead any further
MOST_ON_CURVE = 6000  # iterations on that way
ON_CURVE = 1e-8  # eV, of the last step of a stack on the way, from which only the next one starts
READY, EASY = 7, 5  # most iterations of one step on the way, and those from which the next one is longer
STRAIGHT = 0.9  # least cosine between the directions at both ends of a step: a longer one may reach another branch
TANGENT, ANSWER, LAST_TANGENT = LOWER, UPPER, REST  # rows of State.lines, free while the weights are unknowns
FEW = 1e-3  # share of a move of the band that may be left as an error where the weights just follow
NEAR_STEPS = 12  # iterations from a near guess before the search begins anew
TABLE = 1e-4  # relative error of a step by the interpolation in the table of F


class Rows(NamedTuple):
    """Tridiagonal system of equations of a stack whose weights follow the band, 2N+1 unknowns: diagonals (2N+1,)."""

    lower: np.ndarray
    diagonal: np.ndarray
    upper: np.ndarray
    rest: np.ndarray  # the right-hand side, after the solve the solution


@inlined
def rows_of_stack(state: State) -> Rows:
    """Work space of a state for the rows of a stack."""
    lines = state.lines
    return Rows(lines[LOWER], lines[DIAGONAL], lines[UPPER], lines[REST])


@bare
def farther(longest: float, move: float):
    """The longer of a length and a move; inf when the move is not a number."""
    return max(longest, abs(move)) if abs(move) < math.inf else math.inf


@bare
def within(range_of_charge: tuple, charge: float, move: float):
    """The move of a charge, or half of the way to an end of its range that the move would pass."""
    if charge + move > range_of_charge[1]:
        return 0.5 * (range_of_charge[1] - charge)
    if charge + move < range_of_charge[0]:
        return 0.5 * (range_of_charge[0] - charge)
    return move


@bare
def kept_in_tables(junction: Junction, k: int, stack: Stack, left: float, right: float):
    """Moves of D(0) and D(L) that stay within the tables of the electrodes."""
    N = stack.D.size - 1
    left = within(charge_range(junction.left[k]), electrode_charge(stack, 0), left)
    return left, -within(charge_range(junction.right[k]), -electrode_charge(stack, N), -right)


@detached
def static_rows(junction: Junction, state: State, k: int, response: np.ndarray, rows: Rows):
    """Fill the rows of the static Newton: matrix, and minus the residuals.

    response : (N,) d(z c)/dU of vacancies that follow the band [1/(m3 eV)]
    """
    stack, c, (lower, diagonal, upper, rest) = column(state, k), state.c[k], rows
    N = c.size
    lower[:], upper[:] = -1.0, 1.0
    for f in range(N + 1):
        diagonal[2 * f] = -elastance(junction, k, stack, f)
        rest[2 * f] = -missing_step(junction, k, stack, f)
    for i in range(N):
        slope = stack.electrons[BY_BAND, i] - response[i]
        diagonal[2 * i + 1] = ELEMENTARY_CHARGE * junction.columns.width[k, i] * slope
        rest[2 * i + 1] = -missing_charge(junction, k, c, stack, i)


@detached
def following_step(junction: Junction, state: State, k: int) -> float:
    """One step of D and U, the weights held. Returns the largest move of U [eV]; inf where it fails."""
    stack, rows, N = column(state, k), rows_of_stack(state), state.c.shape[1]
    static_rows(junction, state, k, state.lines[STILL], rows)
    x, longest = rows.rest, 0.0
    if not factor_tridiagonal(rows.lower, rows.diagonal, rows.upper, x.size):
        return math.inf
    solve_tridiagonal(rows.lower, rows.diagonal, rows.upper, x, x.size)
    x[0], x[2 * N] = kept_in_tables(junction, k, stack, x[0], x[2 * N])
    for f in range(N + 1):
        stack.D[f] += x[2 * f]
    for i in range(N):
        stack.U[i + 1] += x[2 * i + 1]
        longest = farther(longest, x[2 * i + 1])
    return longest


@detached
def exact_step(junction: Junction, state: State, k: int) -> float:
    """One step of D and U, the weights being unknowns. Returns the largest move of U [eV]; inf where it fails."""
    stack, linear, moves = column(state, k), own_linear(state), state.lines[MOVES]
    N, longest = state.c.shape[1], 0.0
    linearise(junction, k, stack, linear)
    fill_residuals(junction, k, state.c[k], stack, linear)
    if not factor_still(linear):
        return math.inf
    solve_still(linear, linear.x)
    displacement_changes(linear, linear.x, 0.0, 1.0, moves)
    moves[0], moves[N] = kept_in_tables(junction, k, stack, moves[0], moves[N])
    for f in range(N + 1):
        stack.D[f] += moves[f]
    for i in range(N):
        stack.U[i + 1] += linear.x[i, BAND]
        longest = farther(longest, linear.x[i, BAND])
    return longest


@spliced
def close_near(junction: Junction, state: State, k: int, V: float, tolerance: float) -> bool:
    """Newton's iteration for the stack of column k from near its solution, to a tolerance [eV] of the band.

    Where few electrons change sides the weights follow after each step; what they change is part of the next residual.
    """
    fill_bands(junction, k, V, column(state, k), True)
    over = left_over(junction, k, column(state, k))
    for _ in range(NEAR_STEPS):
        longest = following_step(junction, state, k) if over <= FEW else exact_step(junction, state, k)
        if not longest < math.inf:
            return False
        fill_bands(junction, k, V, column(state, k), True)
        if longest * max(TABLE, longest / state.kT[k], over if over <= FEW else 0.0) <= tolerance:
            return True
    return False


@inlined
def left_over(junction: Junction, k: int, stack: Stack) -> float:
    """Upper bound of the share of a move of the band that is left as an error where the weights just follow it.

    w/(1 - w) is a ratio of integrals of exp(U/kT), so moves of U by up to dU change w by up to 2 w (1 - w) dU/kT.
    """
    n, width, changed, elastances = stack.electrons, junction.columns.width[k], 0.0, 0.0
    for i in range(width.size):
        changed += abs(n[BY_WEIGHT, i]) * n[OF_RIGHT, i] * n[OF_LEFT, i] * width[i]
    for f in range(stack.D.size):
        elastances += elastance(junction, k, stack, f)
    return 2.0 * ELEMENTARY_CHARGE * changed * elastances / stack.kT[0]


@detached
def converge(junction: Junction, state: State, k: int, V: float, following: int) -> int:
    """Newton's iteration for a static stack from where it is; the weights follow, or are unknowns.

    following : most iterations in which they follow; 0 for none. Returns the number of iterations, 0 when not converged.
    """
    for step in range(following if following else MOST_STEPS):
        fill_bands(junction, k, V, column(state, k), True)
        longest = following_step(junction, state, k) if following else exact_step(junction, state, k)
        if not longest < math.inf:
            return 0
        if longest <= ROUND_OFF:
            fill_bands(junction, k, V, column(state, k), True)
            return step + 1
    return 0


@detached
def approach(junction: Junction, state: State, k: int) -> int:
    """The static stack at 0 V from a straight band by short moves. Returns iterations, 0 when not found.

    Vacancies fill up with electrons within some kT. Newton's iteration goes around in circles across such a step; at 0 V,
    where the weights do not matter, its moves lead downhill, so shorter ones arrive.
    """
    straight_band(junction, state, k, 0.0)
    for step in range(MOST_SHORT):
        fill_bands(junction, k, 0.0, column(state, k), True)
        remember(state, k)
        longest = following_step(junction, state, k)
        if not longest < math.inf:
            return 0
        if longest <= ROUND_OFF:
            fill_bands(junction, k, 0.0, column(state, k), True)
            return step + 1
        shorten(state, k, min(1.0, SHORT * state.kT[k] / longest))
    return 0


@detached
def direction(junction: Junction, state: State, k: int, ahead: float):
    """Direction of the curve of stacks at a solution, of unit length: of U into the work space, of V_j returned.

    ahead : part of V_j in the direction before, whose other parts the work space holds
    Returns the cosine between the two as well; 0 where the stack is singular.
    """
    stack, linear, tangent = column(state, k), own_linear(state), state.lines[TANGENT]
    N, x, size, same = state.c.shape[1], linear.x, 1.0, ahead
    linearise(junction, k, stack, linear)
    if not factor_still(linear):
        return ahead, 0.0
    fill_answer_to_voltage(junction, k, stack, linear, x)
    solve_still(linear, x)
    for i in range(N):
        size += x[i, BAND] * x[i, BAND] / N
        same += x[i, BAND] * tangent[i]
    by_V = math.copysign(1.0 / math.sqrt(size), same)
    for i in range(N):
        tangent[i] = by_V * x[i, BAND] / N
    return by_V, by_V * same


@detached
def fill_displacements_by_voltage(junction: Junction, state: State, k: int, out: np.ndarray):
    """Fill dD/dV_j (N+1,) [F/m2] of a settled stack whose vacancies stand still; nan where the stack is singular."""
    linear = own_linear(state)
    linear.missing[:] = 0.0  # may be nan behind a stack that did not close, and a share of 0 of nan is nan
    linearise(junction, k, column(state, k), linear)
    if not factor_still(linear):
        out[:] = math.nan
        return
    fill_answer_to_voltage(junction, k, column(state, k), linear, linear.x)
    solve_still(linear, linear.x)
    displacement_changes(linear, linear.x, 1.0, 0.0, out)


@detached
def curve_step(junction: Junction, state: State, k: int, dV: float, ahead: float, length: float):
    """One step of D, U and V_j to the curve of stacks, a length [eV] ahead of where it was left.

    dV : V_j from there. Returns the largest move [eV], inf where it fails, and the move of V_j.
    """
    stack, linear, lines, N = column(state, k), own_linear(state), state.lines, state.c.shape[1]
    x, answer, moves, longest = linear.x, lines[ANSWER], lines[MOVES], 0.0
    linearise(junction, k, stack, linear)
    if not factor_still(linear):
        return math.inf, 0.0
    fill_answer_to_voltage(junction, k, stack, linear, x)
    solve_still(linear, x)
    for i in range(N):
        answer[i] = x[i, BAND]
    fill_residuals(junction, k, state.c[k], stack, linear)
    solve_still(linear, x)
    missing, slope = length - ahead * dV, ahead
    for i in range(N):
        missing -= lines[TANGENT, i] * (stack.U[i + 1] - lines[BEFORE + 1, i + 1] + x[i, BAND])
        slope += lines[TANGENT, i] * answer[i]
    move = missing / slope
    for i in range(N):
        x[i, BAND] += move * answer[i]
        longest = farther(longest, x[i, BAND])
    displacement_changes(linear, x, move, 1.0, moves)
    moves[0], moves[N] = kept_in_tables(junction, k, stack, moves[0], moves[N])
    for f in range(N + 1):
        stack.D[f] += moves[f]
    for i in range(N):
        stack.U[i + 1] += x[i, BAND]
    return farther(longest, move), move


@detached
def onto_curve(junction: Junction, state: State, k: int, V: float, ahead: float, length: float):
    """The stack on the curve a length ahead of the one at V_j. Returns the number of iterations, 0 for none, and V_j."""
    dV = 0.0
    for step in range(READY):
        fill_bands(junction, k, V + dV, column(state, k), True)
        longest, move = curve_step(junction, state, k, dV, ahead, length)
        if not longest < math.inf:
            return 0, V
        dV += move
        if longest <= ON_CURVE:
            fill_bands(junction, k, V + dV, column(state, k), True)
            return step + 1, V + dV
    return 0, V


@detached
def follow_arc(junction: Junction, state: State, k: int, V: float) -> int:
    """The stack at V, along the curve of stacks from that at 0 V, which the state holds. Returns iterations; 0: not found.

    The curve may turn back in V_j: where the top of the band comes to an electrode, electrons change sides, and lift or
    lower it further. So its length is the parameter, and V_j an unknown (Keller, in Applications of Bifurcation Theory,
    1977). As the stack at 0 V is the only one there, the curve that begins with it comes to any V.
    """
    tangent, last_tangent = state.lines[TANGENT], state.lines[LAST_TANGENT]
    tangent[:] = 0.0
    reached, length, total = 0.0, abs(V), 0
    ahead, _ = direction(junction, state, k, math.copysign(1.0, V))
    while total < MOST_ON_CURVE and length > SHORTEST * abs(V):
        remember(state, k)
        copy(tangent, last_tangent)
        iterations, next_reached = onto_curve(junction, state, k, reached, ahead, length)
        total += iterations if iterations else READY
        if iterations:
            turned, cosine = direction(junction, state, k, ahead)
            iterations = iterations if cosine > STRAIGHT else 0
        if iterations and next_reached * V < V * V:
            reached, ahead, length = next_reached, turned, length * (2.0 if iterations <= EASY else 1.0)
            continue
        iterations = converge(junction, state, k, V, 0) if iterations else 0
        if iterations:
            return total + iterations
        go_back(state, k)
        copy(last_tangent, tangent)
        length *= 0.25
    return 0


@detached
def at_zero(junction: Junction, state: State, k: int) -> int:
    """The static stack at 0 V, where the weights do not matter. Returns iterations, 0 when not found."""
    straight_band(junction, state, k, 0.0)
    total = converge(junction, state, k, 0.0, MOST_STEPS)
    return total if total else approach(junction, state, k)


@deferred_detached
def up_from_zero(junction: Junction, state: State, k: int, V: float) -> int:
    """The static stack followed from 0 V to V. Returns iterations, 0 when not found."""
    total = at_zero(junction, state, k)
    if total == 0:
        return 0
    reached, step = 0.0, V
    while reached != V and abs(step) >= SHORTEST * abs(V):
        remember(state, k)
        to = V if abs(step) >= abs(V - reached) else reached + step
        iterations = converge(junction, state, k, to, 0)
        total += iterations
        if iterations > 0:
            reached, step = to, 2.0 * step
        else:
            go_back(state, k)
            step *= 0.25
    if reached != V:
        again = at_zero(junction, state, k)
        iterations = follow_arc(junction, state, k, V) if again else 0
        return total + again + iterations if iterations else 0
    return total


@inlined
def remember(state: State, k: int):
    """Save D and band of a column."""
    copy(state.D[k], state.lines[BEFORE])
    copy(state.band[k], state.lines[BEFORE + 1])


@inlined
def go_back(state: State, k: int):
    """Restore D and band of a column as `remember` saved them."""
    for f in range(state.D.shape[1]):
        state.D[k, f] = state.lines[BEFORE, f]
    for i in range(state.band.shape[1]):
        state.band[k, i] = state.lines[BEFORE + 1, i]


@inlined
def shorten(state: State, k: int, share: float):
    """Shorten the move of D and band of a column since `remember` to a share of it."""
    for f in range(state.D.shape[1]):
        state.D[k, f] = state.lines[BEFORE, f] + share * (state.D[k, f] - state.lines[BEFORE, f])
    for i in range(state.band.shape[1]):
        state.band[k, i] = state.lines[BEFORE + 1, i] + share * (state.band[k, i] - state.lines[BEFORE + 1, i])


@detached
def straight_band(junction: Junction, state: State, k: int, V: float):
    """First guess of a stack: D everywhere alike, the band straight between its ends but for its steps at interfaces."""
    stack, distance, rise = column(state, k), junction.columns.distance[k], junction.columns.rise[k]
    N = stack.D.size - 1
    stack.D[:] = FIRST_D
    stack.guess[:, :] = 0.0
    stack.guess[COSH, :] = 1.0
    fill_ends(junction, k, V, stack)
    x, L, risen = 0.0, add_up(distance), 0.0
    span = stack.U[N + 1] - stack.U[0] - junction.columns.offset[k]
    for i in range(N):
        x, risen = x + distance[i], risen + rise[i]
        stack.U[i + 1] = stack.U[0] + span * x / L + risen


@detached
def solve_stack(junction: Junction, state: State, k: int, V: float) -> int:
    """Static stack of column k with the vacancies of a state at junction voltage V [V], from a straight band.

    Newton's iteration, the weights following the band; where both go around in circles, up from 0 V with the weights as
    unknowns. Returns the number of iterations, or 0 when none was found.
    """
    straight_band(junction, state, k, V)
    iterations = converge(junction, state, k, V, FOLLOWED)
    return iterations if iterations else up_from_zero(junction, state, k, V)


def static_stack(junction: Junction, k: int, c: np.ndarray, V: float, P: float = 0.0):
    """Static stack of column k with vacancies c (N,) [1/m3] at junction voltage V, and its iterations; 0: none found.

    P : polarisation [C/m2]
    """
    state = new_state(junction)
    state.c[k], state.P[k] = c, P
    return column_of(state, k), solve_stack(junction, state, k, V)
