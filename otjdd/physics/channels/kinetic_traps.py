"""Traps whose filling takes time: rates, filling and current of all columns at the present fields.

At constant voltage an electron that goes from the left electrode to a trap at x moves the share w(x) of its charge through
the terminals, w being the voltage of a small signal between the left electrode and x over the whole (Ramo):

    J = e sum N [-w j_L + (1 - w) j_R]        j_i electrons that a trap takes from electrode i in a second

So one current passes both terminals, and what the electrodes give differs by what the traps take. With j_L = j - r_L a and
j_R = -j - r_R a (`traps.kinetic`) the part of j, -e sum N j, is that of a steady filling, a chord conductance of `traps`.
The rest, by which traps relax, is filled here. It is not zero at 0 V. As other charge that the junction takes up, it has no
drop at the series resistance. Of charged traps it is part of the change of D(0) already: 1 - w of each electron.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, deferred, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.bands import straight_parts
from otjdd.physics.channels.traps import placed_traps
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import copy
from otjdd.physics.state import State, TrapState
from otjdd.physics.traps.capture import LEFT, RIGHT, Capture, captures
from otjdd.physics.traps.kinetic import (
    FROM_LEFT,
    FROM_RIGHT,
    RATES,
    TO_LEFT,
    TO_RIGHT,
    away_at_end,
    error_by_bend,
    error_of_filling,
    lag,
    log_odds,
    relaxation,
    relaxing,
    share_at,
)
from otjdd.physics.traps.sites import CHARGE, DEGENERACY
from otjdd.physics.traps.steady import log_emissions


@apart
def voltage_shares(junction: Junction, state: State, k: int, x: np.ndarray) -> np.ndarray:
    """Share (n,) of a small voltage between the left electrode and places x (n,) [m], in order, at frozen ions."""
    length, _, eps = straight_parts(junction, state, k)
    share, at, behind, p = np.empty(x.size), 0.0, edge(junction.left[k], state.D_left[k])[1], 0
    for j in range(x.size):
        while p < length.size - 1 and x[j] > at + length[p]:
            at, behind, p = at + length[p], behind + length[p] / eps[p], p + 1
        share[j] = behind + (x[j] - at) / eps[p]
    whole = behind + edge(junction.right[k], -state.D_right[k])[1]
    for q in range(p, length.size):
        whole += length[q] / eps[q]
    for j in range(x.size):
        share[j] /= whole
    return share


@bare
def fill_end(traps: TrapState, k: int, j: int, rate: np.ndarray, middle: np.ndarray) -> None:
    """Fill what becomes of group j of column k in the step, with its rates (RATES,) at the end: all but the current.

    middle : (RATES,) work space. The step is taken in two halves; in one it tells the error.
    """
    step, rest = traps.step[0], share_at(log_odds(rate))
    traps.follows[k, j] = 0.0
    if step == math.inf:
        traps.away[k, j], traps.follows[k, j] = 0.0, 1.0
    elif math.isnan(traps.old_rates[k, j, 0]):  # the first rates
        traps.away[k, j] = 0.0 if math.isnan(traps.filling[k, j]) else traps.filling[k, j] - rest
    else:
        old, away = traps.old_rates[k, j], traps.old_away[k, j]
        for row in range(RATES):
            middle[row] = 0.5 * (old[row] + rate[row])
        halfway, left, right = away_at_end(old, middle, away, 0.5 * step)
        end, more_left, more_right = away_at_end(middle, rate, halfway, 0.5 * step)
        off = end - away_at_end(old, rate, away, step)[0]
        traps.away[k, j], traps.follows[k, j] = end, 1.0 - lag(relaxation(middle, rate, 0.5 * step)[0])
        traps.taken[k, LEFT] += traps.amount[k, j] * (left + more_left)
        traps.taken[k, RIGHT] += traps.amount[k, j] * (right + more_right)
        if traps.amount[k, j] > 0.0:
            off = abs(off) + error_by_bend(old, rate, traps.slope[k, j], rest + end, step)
            traps.error[0] = max(traps.error[0], error_of_filling(off, rest + end))
    traps.filling[k, j] = rest + traps.away[k, j]


@apart
def fill_groups(
    junction: Junction, state: State, k: int, channel: int, x: np.ndarray, amount: np.ndarray, capture: Capture
):
    """Fill rates, filling and current of one kind of traps of column k.

    channel : their place in the list of channels   x, amount : (n,) m and 1/m2, of their groups
    """
    V, kT, traps, first = state.V[0], junction.kT[k], state.traps, junction.channels.first[channel]
    numbers, share = junction.channels.numbers[channel], voltage_shares(junction, state, k, x)
    emitted, current, middle = log_emissions(capture, numbers[DEGENERACY], V, kT), 0.0, np.empty(RATES)
    for i in range(amount.size):
        j = first + i
        traps.amount[k, j], rate = amount[i], traps.rates[k, j]
        rate[FROM_LEFT], rate[FROM_RIGHT] = capture.log_rate[LEFT, i], capture.log_rate[RIGHT, i]
        rate[TO_LEFT], rate[TO_RIGHT] = emitted[LEFT, i], emitted[RIGHT, i]
        fill_end(traps, k, j, rate, middle)
        if numbers[CHARGE] != 0.0 and not math.isnan(traps.old_rates[k, j, 0]):
            change = traps.filling[k, j] - share_at(log_odds(traps.old_rates[k, j])) - traps.old_away[k, j]
            traps.to_left[k] += amount[i] * (1.0 - share[i]) * change
        from_left, from_right = relaxing(rate, traps.away[k, j])
        current += amount[i] * ((1.0 - share[i]) * from_right - share[i] * from_left)
    for j in range(first + amount.size, junction.channels.first[channel + 1]):  # a sheet has fewer
        traps.filling[k, j] = 0.0
    traps.current[k, channel] = ELEMENTARY_CHARGE * junction.channels.area[k] * current


@deferred
def fill_traps(junction: Junction, state: State):
    """Fill rates, filling and current of all traps whose filling takes time at the present fields of a settled state."""
    traps, first = state.traps, junction.channels.first
    traps.error[0] = 0.0
    for k in range(traps.filling.shape[0]):
        copy(traps.old_taken[k], traps.taken[k])
        traps.to_left[k] = traps.old_to_left[k]
        for channel in range(junction.channels.code.size):
            if first[channel + 1] > first[channel]:
                placed, numbers = placed_traps(junction, state, k, channel), junction.channels.numbers[channel]
                capture = captures(numbers, placed.sites, placed.lines, placed.band, state.V[0], junction.kT[k])
                fill_groups(junction, state, k, channel, placed.sites.x, placed.amount, capture)


@inlined
def have_memory(state: State) -> bool:
    """True where a junction has traps whose filling takes time."""
    return state.traps.filling.shape[1] > 0


@bare
def trap_current(state: State) -> float:
    """Current [A] of traps that relax, through the terminals of the junction."""
    total = 0.0
    for k in range(state.traps.current.shape[0]):
        total += trap_current_of_column(state, k)
    return total


@bare
def trap_current_of_column(state: State, k: int) -> float:
    """As `trap_current`, of column k alone."""
    total = 0.0
    for channel in range(state.traps.current.shape[1]):
        total += state.traps.current[k, channel]
    return total
