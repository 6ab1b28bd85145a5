"""The electrostatics of all columns at frozen ions and a junction voltage, with and without electrons and charged traps.

Without electrons D(L) is the one unknown of a column (`junction.close`). With them D and band are those of its stack
(`electron_stack`): Newton's iteration from the present ones, with the derivative of the weights where it matters.

The charge of traps sets the fields, these the rates of capture, and these the filling. A turn closes the stack with the
present charge, computes the rates, and moves filling and band: far from the solution with the Fermi level of each group
constant, near it and where that does not lead on by Newton's method for both (`traps.charge`).
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, deferred, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.physics.channels.kinetic_traps import fill_groups, fill_traps, have_memory
from otjdd.physics.channels.traps import FilledTraps, filled_traps
from otjdd.physics.electron_stack import (
    MOVES,
    column,
    displacement_changes,
    fill_answer_to_voltage,
    linearise,
    own_linear,
)
from otjdd.physics.electrostatics import edge
from otjdd.physics.film_electrons import LEFT, RIGHT
from otjdd.physics.junction import CLOSURE_TOLERANCE, Junction, close, closure_slope
from otjdd.physics.numerics import copy, factor_twos, solve_twos
from otjdd.physics.stack_newton import close_near, solve_stack
from otjdd.physics.state import State, Tangent
from otjdd.physics.traps.charge import (
    ChargedTraps,
    Moves,
    fill_charge,
    joint_rise,
    largest,
    moves_of_traps,
    shares_in_cells,
    solve_rise,
)
from otjdd.physics.traps.kinetic import share_at
from otjdd.physics.traps.sites import ACCEPTOR, CHARGE, DONOR
from otjdd.physics.traps.steady import limited

AGREED = 1e-11  # eV: the current follows the band with some 1e2 per eV, and V_j is solved to 1e-9 V
MOST_TURNS = 200
ROUND = (
    40  # turns of Newton's method, after which its steps are half as long: paths move with the band, and it may cycle
)
NEWTON_FROM = 0.02  # eV, rise of the band from which Newton's method goes on
FALLING = 0.7  # of the least rise so far, to which a turn should come; else Newton's method goes on
LONGEST = 10.0  # kT, by which one step of Newton's method may move the band


@bare
def carries_charge(junction: Junction, channel: int) -> bool:
    """True where a channel is that of traps with a charge."""
    kind = junction.channels.numbers[channel, CHARGE] if junction.channels.numbers.shape[1] > CHARGE else 0.0
    return kind in (ACCEPTOR, DONOR)


@apart
def charged_traps(junction: Junction, state: State, k: int, y: np.ndarray) -> tuple[ChargedTraps, Moves, bool]:
    """All charged traps of column k at the present fields; their moves; and convergence of the filling.

    y : (n,) ln odds that they have, and from which they move; of size 0 for those at rest, which do not move
    """
    V, kT, width, converged, n = state.V[0], state.kT[k], junction.columns.width[k], True, 0
    share, amount, empty, log_odds = np.zeros((0, width.size)), np.zeros(0), np.zeros(0), np.zeros(0)
    at_once, by_rise, follows, stays = np.zeros(0), np.zeros((0, width.size)), np.zeros(0), np.zeros(0)
    for channel in range(1, junction.channels.code.size):
        if carries_charge(junction, channel):
            traps, numbers = filled_traps(junction, state, k, channel), junction.channels.numbers[channel]
            converged = converged and traps.steady.converged
            e_N, own = ELEMENTARY_CHARGE * traps.amount, shares_in_cells(traps.sites, width)
            odds = traps.steady.log_odds
            if y.size > 0:
                odds = y[n : n + odds.size]
                moves = moves_of_traps(
                    numbers, traps.sites, traps.band.mass, traps.capture, traps.amount, own, odds, (V, kT)
                )
                at_once, by_rise = np.concatenate((at_once, moves.at_once)), np.concatenate((by_rise, moves.by_rise))
            share, amount = np.concatenate((share, own)), np.concatenate((amount, e_N))
            empty = np.concatenate((empty, e_N if numbers[CHARGE] == DONOR else np.zeros(e_N.size)))
            moving, lasting = parts_of_filling(junction, state, k, channel, traps)
            follows, stays = np.concatenate((follows, moving)), np.concatenate((stays, lasting))
            log_odds, n = np.concatenate((log_odds, odds)), n + odds.size
    traps_of_column = ChargedTraps(share, amount, empty, log_odds, follows, stays)
    return traps_of_column, Moves(at_once, by_rise), converged


@apart
def parts_of_filling(junction: Junction, state: State, k: int, channel: int, traps: FilledTraps):
    """Part of the filling (n,) of the traps of a channel that is that of rest, and the filling (n,) that stays.

    1 and 0 where traps are always at rest; else by what the step of the state leaves of the filling at its start.
    """
    n, first = traps.amount.size, junction.channels.first[channel]
    follows, stays = np.ones(n), np.zeros(n)
    if junction.channels.first[channel + 1] > first:
        fill_groups(junction, state, k, channel, traps.sites.x, traps.amount, traps.capture)
        for j in range(n):
            follows[j] = state.traps.follows[k, first + j]
            stays[j] = state.traps.filling[k, first + j] - follows[j] * share_at(traps.steady.log_odds[j])
    return follows, stays


@apart
def stiffness_of(junction: Junction, state: State, k: int) -> np.ndarray:
    """dD_f (N+1,) [C/(m2 eV)] of column k by the step of the band over face f, at the ends with that of the electrode."""
    N = state.c.shape[1]
    elastance = junction.columns.distance[k] / state.eps[k]
    elastance[0] += edge(junction.left[k], state.D_left[k])[1]
    elastance[N] += edge(junction.right[k], -state.D_right[k])[1]
    return 1.0 / elastance


@apart
def rise_of_band(junction: Junction, state: State, k: int, u: np.ndarray, q: np.ndarray) -> bool:
    """Fill the rise u (N,) [eV] of the band of column k to which its traps lead, and their charge q (N,) with it.

    The Fermi level of each group is constant. Returns convergence.
    """
    traps, _, converged = charged_traps(junction, state, k, np.zeros(0))
    return converged and solve_rise(traps, stiffness_of(junction, state, k), state.kT[k], state.trapped[k], u, q)


@deferred
def close_with_traps(junction: Junction, state: State, k: int, V: float, tolerance: float) -> Status:
    """As `junction.close`, for a film with charged traps; starts from the charge of the state. Returns a status.

    Fields that do not answer a charge below the tolerance of the closure would let the search go round for ever.
    """
    N, least, tolerance = state.c.shape[1], np.inf, min(tolerance, AGREED)
    u, q = np.empty(N), np.empty(N)
    for _ in range(MOST_TURNS):
        if not close(junction, state, k, V, tolerance):
            return Status.NOT_CLOSED
        if not rise_of_band(junction, state, k, u, q):
            return Status.TRAPS_NOT_FILLED
        rise = largest(u)
        if rise <= AGREED:
            return Status.DONE
        if rise <= NEWTON_FROM or rise > FALLING * least:
            return close_jointly(junction, state, k, V, tolerance)
        least = rise
        copy(q, state.trapped[k])
    return Status.TRAPS_NOT_FILLED


@apart
def close_jointly(junction: Junction, state: State, k: int, V: float, tolerance: float) -> Status:
    """As `close_with_traps`, by Newton's method for filling and band from near the solution."""
    traps, _, _ = charged_traps(junction, state, k, np.zeros(0))
    y, u, still, slope = (
        traps.log_odds,
        np.empty(state.c.shape[1]),
        np.zeros(state.c.shape[1]),
        np.empty(state.c.shape[1]),
    )
    for turn in range(MOST_TURNS):
        traps, moves, _ = charged_traps(junction, state, k, y)
        if not joint_rise(traps, moves, stiffness_of(junction, state, k), state.kT[k], state.trapped[k], u):
            return Status.TRAPS_NOT_FILLED
        rise = largest(u)
        if rise <= AGREED:
            return Status.DONE
        cut = min(0.5 ** (turn // ROUND), LONGEST * state.kT[k] / rise)
        for j in range(y.size):
            move = moves.at_once[j]
            for i in range(u.size):
                move += moves.by_rise[j, i] * u[i]
            y[j] += limited(cut * move, y[j])
        copy(y, traps.log_odds)
        fill_charge(traps, still, state.kT[k], state.trapped[k], slope)
        if not close(junction, state, k, V, tolerance):
            return Status.NOT_CLOSED
    return Status.TRAPS_NOT_FILLED


STEP = 1e-3  # V, of the difference quotient in `response_of_traps`


@inlined
def hold_electrons(junction: Junction) -> bool:
    """True where the film of a junction holds electrons: that of all columns, or of none."""
    return junction.electrons[0].density_of_states > 0.0


@inlined
def hold_traps(state: State) -> bool:
    """True where traps of a junction carry charge."""
    return state.trapped.shape[1] > 0


@detached
def bending(junction: Junction, state: State, k: int) -> float:
    """Upper bound of the bending of the band of column k by its electrons [eV].

    With the closure, a charge in the film changes D by at most itself at any place, and so the band by at most the charge
    times the elastance of the whole stack.
    """
    sheet, n = 0.0, state.electrons[k]
    for i in range(state.c.shape[1]):
        sheet += (n[RIGHT, i] + n[LEFT, i]) * junction.columns.width[k, i]
    P, last = state.P[k], state.c.shape[1]
    slope = closure_slope(junction, k, state.D[k, 0] + P, state.D[k, last] + P, state.eps[k])
    return ELEMENTARY_CHARGE * sheet * slope


@detached
def close_with_electrons(junction: Junction, state: State, k: int, V: float, tolerance: float) -> bool:
    """As `junction.close`, for a film that holds electrons; starts from D and band of the state."""
    has_stack = state.eps[k, 0] > 0.0
    closed = has_stack and close_near(junction, state, k, V, tolerance)
    if not closed:
        closed = solve_stack(junction, state, k, V) > 0
    if closed:
        P = state.P[k]
        state.D_left[k], state.D_right[k] = state.D[k, 0] + P, state.D[k, state.c.shape[1]] + P
    return closed


@detached
def close_all(junction: Junction, state: State, V: float, tolerance: float):
    """Solve the electrostatics of every column at junction voltage V [V], to a tolerance [eV]. Returns a status."""
    state.V[0] = V
    for k in range(state.c.shape[0]):
        if hold_traps(state):
            status = close_with_traps(junction, state, k, V, tolerance)
            if status != Status.DONE:
                return status
        elif hold_electrons(junction):
            if not close_with_electrons(junction, state, k, V, tolerance):
                return Status.NOT_CLOSED
        elif not close(junction, state, k, V, tolerance):
            return Status.NOT_CLOSED
    return Status.DONE


@inlined
def log_change(junction: Junction, tangent: Tangent, k: int, dD: np.ndarray) -> float:
    """Change of ln G of column k along its tangent with the displacements dD (N+1,) at its faces."""
    N = tangent.c.shape[1]
    along = 0.0
    for f in range(N):
        along += tangent.by_S[k, f] * (dD[N] - dD[f])
    return tangent.by_D[k] * dD[N] + along / (junction.ions[k].z * ELEMENTARY_CHARGE)


@detached
def voltage_response(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """d ln(G)/dV [1/V] of column k at frozen ions, the electrons of its film following; nan where the stack is singular."""
    stack, linear, dD = column(state, k), own_linear(state), state.lines[MOVES]
    linear.missing[:] = 0.0  # may be nan behind a stack that did not close, and a share of 0 of nan is nan
    linearise(junction, k, stack, linear)
    fill_answer_to_voltage(junction, k, stack, linear, linear.x)
    if not factor_twos(linear.lower, linear.diagonal, linear.upper):
        return math.nan
    solve_twos(linear.lower, linear.diagonal, linear.upper, linear.x)
    displacement_changes(linear, linear.x, 1.0, 0.0, dD)
    return tangent.by_V[k] + log_change(junction, tangent, k, dD[: state.c.shape[1] + 1])


@deferred
def response_of_traps(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """d ln(G)/dV [1/V] of column k at frozen ions, the charge of its traps following, as a difference over STEP.

    nan where the stack at V_j + STEP does not close. The state is left as it was, to round-off, filling included.
    """
    V, D, trapped, D_right = state.V[0], state.D[k].copy(), state.trapped[k].copy(), state.D_right[k]
    state.V[0] = V + STEP
    closed = close_with_traps(junction, state, k, V + STEP, CLOSURE_TOLERANCE) == Status.DONE
    dD = (state.D[k] - D) / STEP
    state.V[0], state.D_right[k], state.trapped[k] = V, D_right, trapped
    closed = close(junction, state, k, V, CLOSURE_TOLERANCE) and closed
    if have_memory(state):
        fill_traps(junction, state)
    return tangent.by_V[k] + log_change(junction, tangent, k, dD) if closed else math.nan
