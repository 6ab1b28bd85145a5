"""Charge of traps in the cells of a film, and the band that it bends.

    q_i = sum_j share_ji (bare_j - e N_j f_j)        bare_j = 0 of acceptors, e N_j of donors
    f_j = stays_j + follows_j/[1 + exp(-y_j + u_j/kT)]        u_j = sum_i share_ji u_i

y is ln of the odds to which the filling tends at the present band, u the rise of the band from there with the Fermi level
of each group constant (Gummel, IEEE Trans. Electron Devices 11, 455 (1964)). Traps that are filled steadily have stays =
0 and follows = 1; those that need time have a part that stays. Gauss's law, linear in D around the present one, is

    s_i+1 (u_i+1 - u_i) - s_i (u_i - u_i-1) = q_i(u) - q_i        s_f = 1/(elastance of face f)

Where the filling follows the band far more than at a constant Fermi level, as that of a chain which a small flow from one
electrode fills, y and u are unknowns of one Newton's method (`joint_rise`, with `moves_of_traps`): for the filling of
traps that are not at rest, as the band rises under them,

    0 = R(y) - M dy + A du        R: what flows into a group, M = -dR/dy, A = dR/dE_t at constant y

The rates change with the levels E_t; the paths of tunnelling stay, which the next step takes into account.

The charge of traps sets the fields, these the rates of capture, and these the filling. A turn closes the stack with the
present charge, computes the rates, and moves filling and band: far from the solution with the Fermi level of each group
constant, near it and where that does not lead on by Newton's method for both (`joint_rise`).
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, deferred
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.mechanisms.traps.capture import LEFT, RIGHT, Capture
from otjdd.mechanisms.traps.kinetic import fill_groups, share_at
from otjdd.mechanisms.traps.sites import ACCEPTOR, CHARGE, DEGENERACY, DONOR, HOPS, Sites, shares_in_cells
from otjdd.mechanisms.traps.steady import (
    FilledTraps,
    chain_balance,
    filled_traps,
    hop_rates,
    limited_step,
    log_emissions,
)
from otjdd.physics.electrostatics import edge
from otjdd.physics.fermi_dirac import fermi
from otjdd.physics.junction import Junction, close
from otjdd.physics.numerics import copy, factor_dense, factor_tridiagonal, solve_dense, solve_tridiagonal
from otjdd.physics.state import State

MOST_TURNS = 200  # of Newton's method for u, and of the search for filling and fields
LONGEST_RISE = 3.0  # kT, by which a turn of it may move the band
FINE = 1e-4  # last turn, as a share of the largest u
SMALLEST = 1e-14  # eV, the same where u is round-off


class ChargedTraps(NamedTuple):
    """n groups of charged traps of a column."""

    share: np.ndarray  # (n, N) of a group that lies in each cell
    amount: np.ndarray  # (n,) C/m2, e N
    bare: np.ndarray  # (n,) C/m2, charge of empty traps
    log_odds: np.ndarray  # (n,) y
    follows: np.ndarray  # (n,) part of the filling that follows the band
    stays: np.ndarray  # (n,) filling that does not


@bare
def fill_charge(traps: ChargedTraps, u: np.ndarray, kT: float, q: np.ndarray, slope: np.ndarray):
    """Fill the charge q (N,) [C/m2] of the cells and its slope by u (N,) [C/(m2 eV)], at a rise u [eV] of the band.

    A slope is that of a band that rises alike in all cells of a group.
    """
    q[:] = 0.0
    slope[:] = 0.0
    for j in range(traps.amount.size):
        own, rise = traps.share[j], 0.0
        for i in range(u.size):
            rise += own[i] * u[i]
        y = traps.log_odds[j] - rise / kT
        full = fermi(-y)
        of_group = traps.bare[j] - traps.amount[j] * (traps.stays[j] + traps.follows[j] * full)
        by_rise = traps.amount[j] * traps.follows[j] * full * fermi(y) / kT
        for i in range(u.size):
            q[i] += own[i] * of_group
            slope[i] += own[i] * by_rise


@apart
def solve_rise(
    traps: ChargedTraps, stiffness: np.ndarray, kT: float, trapped: np.ndarray, u: np.ndarray, q: np.ndarray
):
    """Fill the rise u (N,) [eV] of the band with which the charge q (N,) [C/m2] of the traps obeys Gauss's law, and q.

    stiffness : (N+1,) of the faces [C/(m2 eV)]   trapped : (N,) charge of the present fields. Returns convergence.
    """
    N = u.size
    lower, diagonal, upper = np.empty(N), np.empty(N), np.empty(N)
    slope, step = np.empty(N), np.empty(N)
    u[:] = 0.0
    for _ in range(MOST_TURNS):
        fill_charge(traps, u, kT, q, slope)
        for i in range(N):
            lower[i], upper[i] = stiffness[i], stiffness[i + 1]
            diagonal[i] = -(stiffness[i] + stiffness[i + 1]) - slope[i]
            to_left = u[i] - u[i - 1] if i > 0 else u[i]
            to_right = u[i + 1] - u[i] if i < N - 1 else -u[i]
            step[i] = q[i] - trapped[i] - stiffness[i + 1] * to_right + stiffness[i] * to_left
        if not factor_tridiagonal(lower, diagonal, upper, N):
            return False
        solve_tridiagonal(lower, diagonal, upper, step, N)
        longest = largest(step)
        if not longest < math.inf:
            return False
        cut = min(1.0, LONGEST_RISE * kT / longest) if longest > 0.0 else 1.0
        for i in range(N):
            u[i] += cut * step[i]
        if cut == 1.0 and longest <= max(FINE * largest(u), SMALLEST):
            fill_charge(traps, u, kT, q, slope)
            return True
    return False


@bare
def largest(x: np.ndarray) -> float:
    """Largest absolute value; inf where one is not a number."""
    top = 0.0
    for i in range(x.size):
        top = max(top, abs(x[i])) if abs(x[i]) < math.inf else math.inf
    return top


class Moves(NamedTuple):
    """Newton's change of ln odds y of n groups: at_once + by_rise u, with the rise u (N,) [eV] of the band."""

    at_once: np.ndarray  # (n,)
    by_rise: np.ndarray  # (n, N) 1/eV


@apart
def joint_rise(traps: ChargedTraps, moves: Moves, stiffness: np.ndarray, kT: float, trapped: np.ndarray, u: np.ndarray):
    """Fill the rise u (N,) [eV] of the band in one step of Newton's method for filling and band. Returns success.

    stiffness, trapped : as of `solve_rise`. The ln odds that the groups have are those of the step before.
    """
    N, n = u.size, traps.amount.size
    q, slope, matrix = np.empty(N), np.empty(N), np.zeros((N, N))
    u[:] = 0.0
    fill_charge(traps, u, kT, q, slope)
    for i in range(N):
        u[i] = q[i] - trapped[i]
        matrix[i, i] = -(stiffness[i] + stiffness[i + 1])
        if i > 0:
            matrix[i, i - 1] = stiffness[i]
        if i < N - 1:
            matrix[i, i + 1] = stiffness[i + 1]
    for j in range(n):
        own, y = traps.share[j], traps.log_odds[j]
        by_odds = traps.amount[j] * traps.follows[j] * fermi(y) * fermi(-y)
        for i in range(N):
            if own[i] > 0.0 and by_odds > 0.0:
                u[i] -= own[i] * by_odds * moves.at_once[j]
                for m in range(N):
                    matrix[i, m] += own[i] * by_odds * moves.by_rise[j, m]
    if not factor_dense(matrix):
        return False
    solve_dense(matrix, u)
    return True


@apart
def moves_of_traps(
    numbers: np.ndarray, sites: Sites, mass: np.ndarray, capture: Capture, amount: np.ndarray, share: np.ndarray,
    y: np.ndarray, bias: tuple[float, float],
) -> Moves:  # fmt: skip
    """Moves of traps (n,) from ln odds y (n,). share : (n, N) of them in each cell   bias : V_j [V], kT [eV]"""
    if numbers[HOPS] > 0.0:
        return moves_of_chain(numbers, sites, mass, capture, amount, share, y, bias)
    return moves_of_single_traps(numbers, capture, share, y, bias)


@apart
def moves_of_single_traps(
    numbers: np.ndarray, capture: Capture, share: np.ndarray, y: np.ndarray, bias: tuple[float, float]
) -> Moves:
    """As `moves_of_traps`, without hops. Rates are over the largest one of each trap."""
    V, kT = bias
    moves, emitted = Moves(np.empty(y.size), np.empty(share.shape)), log_emissions(capture, numbers[DEGENERACY], V, kT)
    for j in range(y.size):
        full, free, top = fermi(-y[j]), fermi(y[j]), -math.inf
        for side in range(2):
            top = max(top, max(capture.log_rate[side, j], emitted[side, j]))
        into, by_odds, by_level = 0.0, 0.0, 0.0
        for side in range(2):
            forth = math.exp(capture.log_rate[side, j] - top) * free
            back = math.exp(emitted[side, j] - top) * full
            into += forth - back
            by_odds += forth * full + back * free
            by_level += capture.by_level[side, j] * (forth - back) - back / kT
        moves.at_once[j] = into / by_odds if by_odds > 0.0 else 0.0
        for i in range(share.shape[1]):
            moves.by_rise[j, i] = by_level / by_odds * share[j, i] if by_odds > 0.0 else 0.0
    return moves


@apart
def moves_of_chain(
    numbers: np.ndarray, sites: Sites, mass: np.ndarray, capture: Capture, amount: np.ndarray, share: np.ndarray,
    y: np.ndarray, bias: tuple[float, float],
) -> Moves:  # fmt: skip
    """As `moves_of_traps`, with hops between all of them."""
    (V, kT), g, n, N = bias, numbers[DEGENERACY], y.size, share.shape[1]
    emissions, taken, emitted = log_emissions(capture, g, V, kT), np.empty((2, n)), np.empty((2, n))
    for j in range(n):
        for side in range(2):
            taken[side, j] = amount[j] * math.exp(capture.log_rate[side, j])
            emitted[side, j] = amount[j] * math.exp(emissions[side, j])
    hops, slope = hop_rates(numbers, sites, mass, capture.level, amount, kT)
    levels, matrix, into = math.log(g) - capture.level / kT, np.empty((n, n)), np.empty(n)
    chain_balance(taken, emitted, hops, y - levels, levels, np.array([-V / kT, 0.0]), matrix, into)
    by_level, answers = slopes_by_level(capture, taken, emitted, hops, slope, y, kT), np.zeros((N, n))
    for i in range(N):
        for j in range(n):
            for m in range(n):
                answers[i, j] += by_level[j, m] * share[m, i]
    factor_dense(matrix)
    solve_dense(matrix, into)
    for i in range(N):
        solve_dense(matrix, answers[i])
    return Moves(into, answers.T.copy())


@apart
def slopes_by_level(
    capture: Capture, taken: np.ndarray, emitted: np.ndarray, hops: np.ndarray, slope: np.ndarray, y: np.ndarray,
    kT: float,
) -> np.ndarray:  # fmt: skip
    """Derivatives (n, n) [1/(m2 s eV)] of what flows into each group by the level of each, at constant filling.

    taken, emitted, hops : as of `chain_balance`   slope : of ln hops, of `hop_rates`
    """
    n = y.size
    out, full, free = np.zeros((n, n)), np.empty(n), np.empty(n)
    for j in range(n):
        full[j], free[j] = fermi(-y[j]), fermi(y[j])
        for side in (LEFT, RIGHT):
            forth, back = taken[side, j] * free[j], emitted[side, j] * full[j]
            out[j, j] += capture.by_level[side, j] * (forth - back) - back / kT
    for j in range(n):
        for k in range(j):
            forth, back = hops[j, k] * full[j] * free[k], hops[k, j] * full[k] * free[j]
            moved = forth * slope[j, k] + back * slope[k, j]  # of the net hops from j to k, by E_k and by -E_j
            out[j, k] -= moved
            out[j, j] += moved
            out[k, k] += moved
            out[k, j] -= moved
    return out


AGREED = 1e-11  # eV: the current follows the band with some 1e2 per eV, and V_j is solved to 1e-9 V
ROUND = (
    40  # turns of Newton's method, after which its steps are half as long: paths move with the band, and it may cycle
)
NEWTON_FROM = 0.02  # eV, rise of the band from which Newton's method goes on
FALLING = 0.7  # of the least rise so far, to which a turn should come; else Newton's method goes on
LONGEST = 10.0  # kT, by which one step of Newton's method may move the band


@bare
def carries_charge(junction: Junction, channel: int) -> bool:
    """True where a channel is that of traps with a charge."""
    kind = junction.channels.numbers[channel, CHARGE]
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
            y[j] += limited_step(cut * move, y[j])
        copy(y, traps.log_odds)
        fill_charge(traps, still, state.kT[k], state.trapped[k], slope)
        if not close(junction, state, k, V, tolerance):
            return Status.NOT_CLOSED
    return Status.TRAPS_NOT_FILLED
