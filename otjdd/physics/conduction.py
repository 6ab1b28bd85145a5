"""Conductance of a settled junction, and its tangent: ln G of each column, linear around the state of its last evaluation.

G = I/V_j is the chord conductance by all `channels`. ln G is close to linear in the state, so the expensive channels are
evaluated only where ln G has moved far along its tangent.
"""

import math

from otjdd.compiler.decorators import apart, bare, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.boundary import exchanges
from otjdd.physics.channels.conductance import FEW_ENERGIES, NO_SLOPES
from otjdd.physics.channels.table import conductance_of_column
from otjdd.physics.closing import hold_electrons, hold_traps, response_of_traps, voltage_response
from otjdd.physics.film_electrons import LEFT, RIGHT
from otjdd.physics.junction import Junction, closure_slope
from otjdd.physics.numerics import add_up, copy
from otjdd.physics.state import State, Tangent

FARTHEST_CHANGE = 50.0  # of ln G, where a tangent is refused before its exponential overflows
SAME_TEMPERATURE = 2e-6  # relative, of kT over which a tangent is followed: ln G has changed by 6e-5 then
SHARE_CERTAIN = (
    0.5  # largest change of ln G after which the share of a column in the current is certain along its tangent
)


@apart
def conduct_column(junction: Junction, state: State, tangent: Tangent, k: int, slopes: int) -> bool:
    """Set the chord conductance of column k at the present fields and, with slopes, those of its tangent.

    Returns convergence.
    """
    tangent.evaluated[0] += 1
    total = conductance_of_column(junction, state, k, tangent.panels[k], tangent.needed[k : k + 1], slopes)
    if not total.converged:
        return False
    state.G[k] = total.chord
    if slopes != NO_SLOPES:
        tangent.by_V[k], tangent.by_D[k], tangent.by_P[k] = total.by_V, total.by_D, total.by_P
        copy(total.by_S, tangent.by_S[k])
    return True


@apart
def conduct(junction: Junction, state: State, tangent: Tangent, with_slopes: bool) -> bool:
    """Set the chord conductance of every column at the present fields and, with slopes, start its tangent there.

    Returns convergence.
    """
    for k in range(state.c.shape[0]):
        if not conduct_column(junction, state, tangent, k, FEW_ENERGIES if with_slopes else NO_SLOPES):
            return False
        if with_slopes:
            put_tangent(junction, state, tangent, k, 0.0)
    return True


@apart
def conduct_anew(junction: Junction, state: State, tangent: Tangent, negligible: float, slopes_kept: float) -> bool:
    """Set the conductances whose tangents err too much, and start these tangents at the present state. Returns convergence.

    negligible : error of ln I that a column may make along its tangent   slopes_kept : change of ln G over which slopes
    are kept; below 0 for none. After `along_tangent` at the same state
    """
    total = add_up(state.G)
    for k in range(state.c.shape[0]):
        if column_error(state, tangent, k, total) <= negligible:
            continue
        stale = tangent.stale[k] + tangent.change[k]
        fresh = not stale <= slopes_kept
        if not conduct_column(junction, state, tangent, k, FEW_ENERGIES if fresh else NO_SLOPES):
            return False
        put_tangent(junction, state, tangent, k, 0.0 if fresh else stale)
    return True


@inlined
def charged(junction: Junction, state: State, k: int, i: int) -> float:
    """Vacancies less those whose charge the electrons of a cell, or in its traps, take away [1/m3]."""
    if hold_traps(state):
        per_ion = junction.ions[k].z * ELEMENTARY_CHARGE * junction.columns.width[k, i]
        return state.c[k, i] + state.trapped[k, i] / per_ion
    return state.c[k, i] - (state.electrons[k, RIGHT, i] + state.electrons[k, LEFT, i]) / junction.ions[k].z


@inlined
def along_charges(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """Change of ln G by the charges of column k, whose film or traps hold electrons.

    The number of electrons changes, so face 0 counts.
    """
    S, by_S = 0.0, 0.0
    for f in range(state.c.shape[1] - 1, -1, -1):
        S += (charged(junction, state, k, f) - tangent.c[k, f]) * junction.columns.width[k, f]
        by_S += tangent.by_S[k, f] * S
    return by_S


@detached
def put_tangent(junction: Junction, state: State, tangent: Tangent, k: int, stale: float):
    """Start the tangent of column k at a state whose conductance was evaluated, with the slopes that it has.

    stale : change of ln G since the slopes were taken
    """
    tangent.V[k], tangent.D[k], tangent.G[k] = state.V[0], state.D_right[k], state.G[k]
    tangent.P[k] = state.P[k]
    tangent.stale[k], tangent.change[k], tangent.kT[k] = stale, 0.0, junction.kT[k]
    copy(state.c[k], tangent.c[k])
    if hold_electrons(junction) or hold_traps(state):
        for i in range(state.c.shape[1]):
            tangent.c[k, i] = charged(junction, state, k, i)


@bare
def column_error(state: State, tangent: Tangent, k: int, total: float) -> float:
    """Error of ln I caused by the tangent of column k; total is the conductance of all columns [S].

    Half the square of the change of ln G where the slopes are fresh. Slopes that were taken a change s earlier are wrong by
    about s: then change (s + change/2). The error is weighted by the share of the column in the current, as far as that is
    certain.
    """
    change = tangent.change[k]
    share = state.G[k] / total if change <= SHARE_CERTAIN and total > 0.0 else 1.0
    return share * change * (tangent.stale[k] + 0.5 * change)


@bare
def tangent_error(state: State, tangent: Tangent) -> float:
    """Error of ln I along the tangents of all columns, after `along_tangent` at the same state."""
    total, error = add_up(state.G), 0.0
    for k in range(state.c.shape[0]):
        error += column_error(state, tangent, k, total)
    return error


@detached
def along_tangent(junction: Junction, state: State, tangent: Tangent) -> float:
    """Set the conductances of a state from the tangent. Returns the largest |change of ln G| since it was started.

    The changes by V, D(L), the ions and P are added without sign: where they cancel, their curvatures need not. A column
    that has gone too far, or is of another temperature, keeps its conductance.
    """
    largest = 0.0
    for k in range(state.c.shape[0]):
        by_V, by_D = tangent.by_V[k] * (state.V[0] - tangent.V[k]), tangent.by_D[k] * (state.D_right[k] - tangent.D[k])
        S, by_S = 0.0, 0.0
        for f in range(state.c.shape[1] - 1, -1 if exchanges(junction) else 0, -1):
            S += (state.c[k, f] - tangent.c[k, f]) * junction.columns.width[k, f]
            by_S += tangent.by_S[k, f] * S
        if hold_electrons(junction) or hold_traps(state):
            by_S = along_charges(junction, state, tangent, k)
        by_P = tangent.by_P[k] * (state.P[k] - tangent.P[k])
        change = abs(by_V) + abs(by_D) + abs(by_S) + abs(by_P)
        near = change < FARTHEST_CHANGE  # False for nan, before the first evaluation
        near = near and abs(junction.kT[k] - tangent.kT[k]) <= SAME_TEMPERATURE * junction.kT[k]
        tangent.change[k] = change if near else math.inf
        if near:
            state.G[k] = tangent.G[k] * math.exp(by_V + by_D + by_S + by_P)
        largest = max(largest, tangent.change[k])
    return largest


@detached
def conductance_slope(junction: Junction, state: State, tangent: Tangent) -> float:
    """d ln(G)/dV [1/V] of the junction at frozen ions, D following the closure."""
    total, change = 0.0, 0.0
    for k in range(state.c.shape[0]):
        total += state.G[k]
        if hold_traps(state):
            change += state.G[k] * response_of_traps(junction, state, tangent, k)
        elif hold_electrons(junction):
            change += state.G[k] * voltage_response(junction, state, tangent, k)
        else:
            slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
            change += state.G[k] * (tangent.by_V[k] + tangent.by_D[k] / slope)
    return change / total if total > 0.0 else 0.0
