"""Columns at frozen ions and a junction voltage: their fields, their conductance, and its tangent.

Without electrons D(L) is the one unknown of a column (`junction.close`). With them D and band are those of its stack
(`electrons.stack`): Newton's iteration from the present ones, with the derivative of the weights where it matters. Charged
traps close the stack with their filling (`mechanisms.traps.charge`).

G = I/V_j is the chord conductance of a channel of `channels` in a column. Its logarithm is close to linear in the state, so
a channel is evaluated only where ln G has moved far along its tangent.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, detached, inlined, spliced
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.mechanisms.electrons.density import LEFT, RIGHT
from otjdd.mechanisms.electrons.search import close_near, solve_stack
from otjdd.mechanisms.electrons.stack import (
    MOVES,
    column,
    displacement_changes,
    factor_still,
    fill_answer_to_voltage,
    linearise,
    own_linear,
    solve_still,
)
from otjdd.mechanisms.exchange import exchanges
from otjdd.mechanisms.traps.charge import close_with_traps
from otjdd.mechanisms.traps.sites import DENSITY, PER_ION
from otjdd.physics.channels import TRAP_CODE, conductance_of_channel
from otjdd.physics.junction import (
    Junction,
    close,
    closure_slope,
    coupled,
    hold_electrons,
    hold_traps,
)
from otjdd.physics.numerics import add_up, copy
from otjdd.physics.state import FEW_ENERGIES, NO_SLOPES, State, Tangent


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
def bend_less(junction: Junction, state: State, negligible: float) -> bool:
    """True where the electrons of every column bend its band by less than a negligible energy [eV]."""
    most = 0.0
    for k in range(state.c.shape[0]):
        most = max(most, bending(junction, state, k))
    return most < negligible


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
    by_ions = 0.0
    for f in range(N):
        by_ions += tangent.by_S[k, f] * (dD[N] - dD[f])
    return tangent.by_D[k] * dD[N] + by_ions / (junction.ions[k].z * ELEMENTARY_CHARGE)


@detached
def voltage_response(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """d ln(G)/dV [1/V] of column k at frozen ions, the electrons of its film following; nan where the stack is singular."""
    stack, linear, dD = column(state, k), own_linear(state), state.lines[MOVES]
    linear.missing[:] = 0.0  # may be nan behind a stack that did not close, and a share of 0 of nan is nan
    linearise(junction, k, stack, linear)
    fill_answer_to_voltage(junction, k, stack, linear, linear.x)
    if not factor_still(linear):
        return math.nan
    solve_still(linear, linear.x)
    displacement_changes(linear, linear.x, 1.0, 0.0, dD)
    return tangent.by_V[k] + log_change(junction, tangent, k, dD[: state.c.shape[1] + 1])


FARTHEST_CHANGE = 50.0  # of ln G, where a tangent is refused before its exponential overflows
FARTHEST_VOLTAGE = 0.5  # V, over which a tangent is followed: a leak that saturates there has no slope
SAME_TEMPERATURE = 2e-6  # relative, of kT over which a tangent is followed: ln G has changed by 6e-5 then
SHARE_CERTAIN = (
    0.5  # largest change of ln G after which the share of a column in the current is certain along its tangent
)


@apart
def conduct_channel(junction: Junction, state: State, tangent: Tangent, r: int, slopes: int) -> bool:
    """Evaluate the chord conductance of a channel, row r of a tangent, at the present fields and, with slopes, those.

    Returns convergence.
    """
    tangent.evaluated[0] += 1
    k, channel = divmod(r, junction.channels.code.size)
    found = conductance_of_channel(junction, state, k, channel, tangent.panels[k], tangent.needed[k : k + 1], slopes)
    if not found.converged:
        return False
    tangent.present[r] = found.chord
    if slopes != NO_SLOPES:
        tangent.own.by_V[r], tangent.own.by_D[r], tangent.own.by_P[r] = found.by_V, found.by_D, found.by_P
        copy(found.by_S, tangent.own.by_S[r])
    return True


@apart
def conduct(junction: Junction, state: State, tangent: Tangent, with_slopes: bool) -> bool:
    """Evaluate the chord conductance of every column at the present fields and, with slopes, start its tangent there.

    Returns convergence.
    """
    for k in range(state.c.shape[0]):
        for r in rows_of_column(junction, k):
            if not conduct_channel(junction, state, tangent, r, FEW_ENERGIES if with_slopes else NO_SLOPES):
                return False
            if with_slopes:
                put_tangent(junction, state, tangent, r, 0.0)
        add_channels(junction, state, tangent, k)
    return True


@apart
def conduct_anew(junction: Junction, state: State, tangent: Tangent, negligible: float, slopes_kept: float) -> bool:
    """Evaluate the conductances whose tangents err too much, and start these tangents at the present state.

    negligible : error of ln I that the channels of all columns may make along their tangents, shared by those that have
        moved   slopes_kept : change of ln G over which slopes are kept; below 0 for none
    After `follow_tangent` at the same state. Returns convergence.
    """
    total, moved = add_up(state.G), 0
    for r in range(tangent.G.size):
        moved += tangent.change[r] != 0.0
    for k in range(state.c.shape[0]):
        for r in rows_of_column(junction, k):
            if moved * channel_error(tangent, r, total) <= negligible:
                continue
            stale = tangent.stale[r] + tangent.change[r]
            fresh = not stale <= slopes_kept
            if not conduct_channel(junction, state, tangent, r, FEW_ENERGIES if fresh else NO_SLOPES):
                return False
            put_tangent(junction, state, tangent, r, 0.0 if fresh else stale)
        add_channels(junction, state, tangent, k)
    return True


@bare
def rows_of_column(junction: Junction, k: int):
    """Rows of a tangent that are the channels of column k."""
    C = junction.channels.code.size
    return range(k * C, (k + 1) * C)


@bare
def add_channels(junction: Junction, state: State, tangent: Tangent, k: int):
    """Set conductance and slopes of column k to those of its channels together, as they are at present."""
    G, own, N = 0.0, tangent.own, state.c.shape[1]
    tangent.by_V[k], tangent.by_D[k], tangent.by_P[k] = 0.0, 0.0, 0.0
    for f in range(N + 1):
        tangent.by_S[k, f] = 0.0
    for r in rows_of_column(junction, k):
        G += tangent.present[r]
    for r in rows_of_column(junction, k):
        share = tangent.present[r] / G if G > 0.0 else 0.0
        tangent.by_V[k] += share * own.by_V[r]
        tangent.by_D[k] += share * own.by_D[r]
        tangent.by_P[k] += share * own.by_P[r]
        for f in range(N + 1):
            tangent.by_S[k, f] += share * own.by_S[r, f]
    state.G[k] = G


@inlined
def charged(junction: Junction, state: State, k: int, i: int) -> float:
    """Vacancies less those whose charge the electrons of a cell, or in its traps, take away [1/m3]."""
    if hold_traps(state):
        per_ion = junction.ions[k].z * ELEMENTARY_CHARGE * junction.columns.width[k, i]
        return state.c[k, i] + state.trapped[k, i] / per_ion
    return state.c[k, i] - (state.electrons[k, RIGHT, i] + state.electrons[k, LEFT, i]) / junction.ions[k].z


@inlined
def present_charge(junction: Junction, state: State, k: int, i: int) -> float:
    """What a tangent follows in a cell of column k [1/m3]: its vacancies, with what takes their charge away."""
    return charged(junction, state, k, i) if hold_electrons(junction) or hold_traps(state) else state.c[k, i]


@bare
def is_absent(junction: Junction, channel: int) -> bool:
    """True for traps of no density."""
    numbers = junction.channels.numbers[channel]
    return junction.channels.code[channel] == TRAP_CODE and numbers[DENSITY] <= 0.0 and numbers[PER_ION] <= 0.0


@detached
def put_tangent(junction: Junction, state: State, tangent: Tangent, r: int, stale: float):
    """Start row r of a tangent at a state at which its present conductance was evaluated, with the slopes that it has.

    stale : change of ln G since the slopes were taken, inf without slopes; the logarithm of no current has none
    """
    k = r // junction.channels.code.size
    tangent.V[r], tangent.D[r], tangent.P[r], tangent.kT[r] = state.V[0], state.D_right[k], state.P[k], state.kT[k]
    tangent.G[r], tangent.change[r] = tangent.present[r], 0.0
    tangent.stale[r] = stale if tangent.present[r] > 0.0 else math.inf
    for i in range(state.c.shape[1]):
        tangent.c[r, i] = present_charge(junction, state, k, i)


@bare
def channel_error(tangent: Tangent, r: int, total: float) -> float:
    """Error of ln I caused by row r of a tangent; total is the conductance of all columns [S].

    Half the square of the change of ln G where the slopes are fresh. Slopes that were taken a change s earlier are wrong by
    about s: then change (s + change/2). The error is weighted by the share of the channel in the current, as far as that is
    certain.
    """
    change = tangent.change[r]
    if change == 0.0:  # without slopes too
        return 0.0
    share = tangent.present[r] / total if change <= SHARE_CERTAIN and total > 0.0 else 1.0
    return share * change * (tangent.stale[r] + 0.5 * change)


@bare
def tangent_error(state: State, tangent: Tangent) -> float:
    """Error of ln I along all rows of a tangent, after `follow_tangent` at the same state."""
    total, error = add_up(state.G), 0.0
    for r in range(tangent.G.size):
        error += channel_error(tangent, r, total)
    return error


@bare
def is_at(junction: Junction, state: State, tangent: Tangent, r: int) -> bool:
    """True where a state is the very one at which row r of a tangent was evaluated."""
    k = r // junction.channels.code.size
    there = state.V[0] == tangent.V[r] and state.D_right[k] == tangent.D[r] and state.P[k] == tangent.P[r]
    there = there and state.kT[k] == tangent.kT[r]
    for i in range(state.c.shape[1]):
        there = there and present_charge(junction, state, k, i) == tangent.c[r, i]
    return there


@bare
def log_changes(junction: Junction, state: State, tangent: Tangent, r: int):
    """Changes of ln G of row r of a tangent by V_j, D(L), the ions and P; nan before the first evaluation.

    Face 0 counts only where the number of charges in the film may change.
    """
    k, own = r // junction.channels.code.size, tangent.own
    S, by_S = 0.0, 0.0
    all_faces = exchanges(junction) or hold_electrons(junction) or hold_traps(state)
    for f in range(state.c.shape[1] - 1, -1 if all_faces else 0, -1):
        S += (present_charge(junction, state, k, f) - tangent.c[r, f]) * junction.columns.width[k, f]
        by_S += own.by_S[r, f] * S
    return (
        own.by_V[r] * (state.V[0] - tangent.V[r]),
        own.by_D[r] * (state.D_right[k] - tangent.D[r]),
        by_S,
        own.by_P[r] * (state.P[k] - tangent.P[r]),
    )


@detached
def follow_tangent(junction: Junction, state: State, tangent: Tangent) -> float:
    """Set the conductances of a state from the tangent. Returns the largest |change of ln G| since it was started.

    The changes by V, D(L), the ions and P are added without sign: where they cancel, their curvatures need not. Without
    slopes a channel knows the state of its evaluation alone. A column of which a channel has gone too far, or is of another
    temperature or of a voltage far from its own, keeps its conductance.
    """
    largest, C = 0.0, junction.channels.code.size
    for k in range(state.c.shape[0]):
        within, G = True, 0.0
        for r in rows_of_column(junction, k):
            if is_absent(junction, r - k * C):  # of whose logarithm nothing is asked
                tangent.present[r], tangent.change[r] = 0.0, 0.0
                continue
            if tangent.stale[r] == math.inf:
                change, log_ratio = 0.0 if is_at(junction, state, tangent, r) else math.inf, 0.0
            else:
                by_V, by_D, by_S, by_P = log_changes(junction, state, tangent, r)
                change, log_ratio = abs(by_V) + abs(by_D) + abs(by_S) + abs(by_P), by_V + by_D + by_S + by_P
            near = change < FARTHEST_CHANGE  # False for nan, before the first evaluation
            near = near and abs(state.kT[k] - tangent.kT[r]) <= SAME_TEMPERATURE * state.kT[k]
            near = near and abs(state.V[0] - tangent.V[r]) <= FARTHEST_VOLTAGE
            tangent.change[r] = change if near else math.inf
            if near:
                tangent.present[r] = tangent.G[r] * math.exp(log_ratio)
            within = within and near
            G += tangent.present[r]
            largest = max(largest, tangent.change[r])
        if within:
            state.G[k] = G
        if within and C > 1:
            add_channels(junction, state, tangent, k)
    return largest


@spliced
def ensure_current(junction: Junction, state: State, tangent: Tangent):
    """Evaluate the chord conductance of a settled state where nothing has done so yet. Returns a status."""
    if coupled(junction):
        return Status.DONE
    if state.V[0] == 0.0:
        for k in range(state.G.size):
            state.G[k] = 0.0
        return Status.DONE
    if follow_tangent(junction, state, tangent) == 0.0:  # nothing that the current follows has moved since a read
        return Status.DONE
    return Status.DONE if conduct(junction, state, tangent, False) else Status.SPECTRUM_NOT_CONVERGED
