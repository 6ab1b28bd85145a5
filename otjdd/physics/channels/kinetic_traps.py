"""Traps whose filling takes time: rates, filling and current of all columns at the present fields.

At constant voltage an electron that goes from the left electrode to a trap at x moves the share w(x) of its charge through
the terminals, w being the voltage of a small signal between the left electrode and x over the whole (Ramo):

    J = e sum N [-w j_L + (1 - w) j_R]        j_i electrons that a trap takes from electrode i in a second

So one current passes both terminals, and what the electrodes give differs by what the traps take. With j_L = j - r_L a and
j_R = -j - r_R a (`traps.kinetic`) the part of j, -e sum N j, is that of a steady filling, a chord conductance of `traps`.
The rest, by which traps relax, is filled here. It is not zero at 0 V, and passes the series resistance as other charge that
the junction takes up does. Of charged traps it is part of the change of D(0) already: 1 - w of each electron.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, deferred, fused, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.bands import straight_parts
from otjdd.physics.channels.traps import placed_traps
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import OVERFLOW, copy, exponential
from otjdd.physics.state import State, TrapState
from otjdd.physics.traps.capture import LEFT, RIGHT, Capture, captures
from otjdd.physics.traps.kinetic import (
    FROM_LEFT,
    FROM_RIGHT,
    RATES,
    SLOWEST,
    TO_LEFT,
    TO_RIGHT,
    error_by_curvature,
    error_of_away,
    error_of_count,
    error_of_filling,
    lag,
    moment_of_rates,
    move,
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


@fused
def fill_trap_rates(log_rate: np.ndarray, rate: np.ndarray) -> None:
    """Fill rates (n, RATES) [1/s] from their logarithms.

    Where all of a trap are below e^SLOWEST, the largest counts as that, and the others in proportion: they move no
    electron, but tell to which filling the trap tends.
    """
    for j in range(rate.shape[0]):
        most = max(max(log_rate[j, 0], log_rate[j, 1]), max(log_rate[j, 2], log_rate[j, 3]))
        lift = max(SLOWEST - most, 0.0)
        for row in range(RATES):
            above = log_rate[j, row] + lift
            rate[j, row] = exponential(above) if above > -OVERFLOW else 0.0


@bare
def fill_end(traps: TrapState, k: int, j: int, old: np.ndarray, rate: np.ndarray, charged: bool, work: np.ndarray):
    """Fill what becomes of group j of column k in the step: all but the current.

    old, rate : (RATES,) [1/s] at both ends of the step   work : (RATES,) work space
    The step is taken in two halves; one step over both tells the errors. Returns the moment at its end, and the error of
    the distance from rest.
    """
    step, bias, old_bias, amount = traps.step[0], traps.bias[k], traps.old_bias[k], traps.amount[k, j]
    end, off_away = moment_of_rates(rate, bias), 0.0
    traps.follows[k, j] = 0.0
    if step == math.inf:
        traps.away[k, j], traps.follows[k, j] = 0.0, 1.0
    elif math.isnan(traps.old_rates[k, j, 0]):  # the first rates
        traps.away[k, j] = 0.0 if math.isnan(traps.filling[k, j]) else traps.filling[k, j] - end.filled
    else:
        start, away = moment_of_rates(old, old_bias), traps.old_away[k, j]
        if step == 0.0:
            traps.away[k, j] = away - (end.filled * start.empty - start.filled * end.empty)
        else:
            for row in range(RATES):
                work[row] = math.sqrt(old[row]) * math.sqrt(rate[row])
            halfway = moment_of_rates(work, 0.5 * (old_bias + bias))
            first, whole = move(start, halfway, away, 0.5 * step), move(start, end, away, step)
            second = move(halfway, end, first.away, 0.5 * step)
            traps.away[k, j], traps.follows[k, j] = second.away, 1.0 - lag(second.z)
            traps.taken[k, LEFT] += amount * (first.from_left + second.from_left)
            traps.taken[k, RIGHT] += amount * (first.from_right + second.from_right)
            if amount > 0.0:
                for row in range(RATES):
                    work[row] = traps.rates[k, j, row] - traps.old_rates[k, j, row] - traps.slope[k, j, row] * step
                filling, off_away = end.filled + second.away, abs(second.away - whole.away)
                off = off_away + error_by_curvature(old, rate, work, filling, step, whole.z)
                traps.error[0] = max(traps.error[0], error_of_filling(off, filling))
                off = abs(first.from_left + second.from_left - whole.from_left)
                traps.count_error[k] += amount * (off + error_of_count(rate, work, bias, whole))
                off_away += error_of_away(rate, work, start, end, whole, charged)
    traps.filling[k, j] = end.filled + traps.away[k, j]
    return end, off_away


@apart
def fill_groups(
    junction: Junction, state: State, k: int, channel: int, x: np.ndarray, amount: np.ndarray, capture: Capture
):
    """Fill rates, filling and current of one kind of traps of column k.

    channel : their place in the list of channels   x, amount : (n,) m and 1/m2, of their groups
    """
    V, kT, traps, first = state.V[0], state.kT[k], state.traps, junction.channels.first[channel]
    numbers, share, n = junction.channels.numbers[channel], voltage_shares(junction, state, k, x), amount.size
    emitted, current, work = log_emissions(capture, numbers[DEGENERACY], V, kT), 0.0, np.empty(RATES)
    old, rate, charged, off = np.empty((n, RATES)), np.empty((n, RATES)), numbers[CHARGE] != 0.0, 0.0
    traps.bias[k] = V / kT
    for i in range(n):
        log_rate = traps.rates[k, first + i]
        log_rate[FROM_LEFT], log_rate[FROM_RIGHT] = capture.log_rate[LEFT, i], capture.log_rate[RIGHT, i]
        log_rate[TO_LEFT], log_rate[TO_RIGHT] = emitted[LEFT, i], emitted[RIGHT, i]
    fill_trap_rates(traps.old_rates[k, first : first + n], old)
    fill_trap_rates(traps.rates[k, first : first + n], rate)
    for i in range(n):
        j = first + i
        traps.amount[k, j] = amount[i]
        end, off_away = fill_end(traps, k, j, old[i], rate[i], charged, work)
        if charged and not math.isnan(traps.old_rates[k, j, 0]):
            change = traps.filling[k, j] - moment_of_rates(old[i], traps.old_bias[k]).filled - traps.old_away[k, j]
            traps.to_left[k] += amount[i] * (1.0 - share[i]) * change
        per_away = amount[i] * (share[i] * end.left - (1.0 - share[i]) * end.right)
        current, off = current + per_away * traps.away[k, j], off + abs(per_away) * off_away
    for j in range(first + n, junction.channels.first[channel + 1]):  # a sheet has fewer
        traps.filling[k, j] = 0.0
    traps.current[k, channel] = ELEMENTARY_CHARGE * junction.channels.area[k] * current
    traps.current_error[0] += ELEMENTARY_CHARGE * junction.channels.area[k] * off


@deferred
def fill_traps(junction: Junction, state: State):
    """Fill rates, filling and current of all traps whose filling takes time at the present fields of a settled state."""
    traps, first = state.traps, junction.channels.first
    traps.error[0], traps.current_error[0] = 0.0, 0.0
    for k in range(traps.filling.shape[0]):
        traps.count_error[k] = 0.0
        copy(traps.old_taken[k], traps.taken[k])
        traps.to_left[k] = traps.old_to_left[k]
        for channel in range(junction.channels.code.size):
            if first[channel + 1] > first[channel]:
                placed, numbers = placed_traps(junction, state, k, channel), junction.channels.numbers[channel]
                capture = captures(numbers, placed.sites, placed.lines, placed.band, state.V[0], state.kT[k])
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
