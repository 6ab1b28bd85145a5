"""Newton's method for the filling of traps that are not at rest, in ln of their odds y, as the band rises under them.

    0 = R(y) - M dy + A du        R: what flows into a group, M = -dR/dy, A = dR/dE_t at constant y

The rates change with the levels E_t; the paths of tunnelling stay, which the next step takes into account.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart
from otjdd.physics.supply import fermi
from otjdd.physics.traps.capture import LEFT, RIGHT, Capture
from otjdd.physics.traps.chain import chain_balance, factor, hop_rates, solve
from otjdd.physics.traps.charge import Moves
from otjdd.physics.traps.sites import DEGENERACY, HOPS, Sites
from otjdd.physics.traps.steady import log_emissions


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
        full, free, most = fermi(-y[j]), fermi(y[j]), -math.inf
        for side in range(2):
            most = max(most, max(capture.log_rate[side, j], emitted[side, j]))
        into, by_odds, by_level = 0.0, 0.0, 0.0
        for side in range(2):
            forth = math.exp(capture.log_rate[side, j] - most) * free
            back = math.exp(emitted[side, j] - most) * full
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
    factor(matrix)
    solve(matrix, into)
    for i in range(N):
        solve(matrix, answers[i])
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
