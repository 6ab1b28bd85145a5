"""Charged traps of a column at frozen ions: fields and filling that agree with each other.

The charge of the traps sets the fields, these the rates of capture, and these the filling. A turn closes the stack with the
present charge, computes the rates, and moves filling and band: far from the solution with the Fermi level of each group
constant, near it and where that does not lead on by Newton's method for both (`traps.charge`).
"""

import numpy as np

from otjdd.compiler.decorators import apart, bare, deferred
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.physics.channels.kinetic_traps import fill_groups
from otjdd.physics.channels.traps import FilledTraps, filled_traps
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction, close
from otjdd.physics.numerics import copy
from otjdd.physics.state import State
from otjdd.physics.traps.charge import (
    ChargedTraps,
    Moves,
    bend,
    fill_charge,
    joint_rise,
    largest,
    moves_of_traps,
    shares_in_cells,
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
    return converged and bend(traps, stiffness_of(junction, state, k), state.kT[k], state.trapped[k], u, q)


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
