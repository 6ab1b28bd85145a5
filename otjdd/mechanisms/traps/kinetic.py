"""Filling of traps in time, and the electrons that it takes from both electrodes: single traps, without hops between them.

    df/dt = (c_L + c_R)(1 - f) - (e_L + e_R) f = -r a        a = f - s(y),  r = c_L + c_R + e_L + e_R
    s(y) = 1/(1 + e^-y),  y = ln[(c_L + c_R)/(e_L + e_R)]

s is the filling of rest at the rates of the moment, a how far the filling is away from it. The rates are exponentials in
time within a step, and s a straight line, so that

    a_end = a e^-z - (s_end - s)(1 - e^-z)/z        z = int r dt

which is exact at constant rates, for any step, and follows rates that move slowly beside r. The unknown is a, not f, since
the flow to an electrode is a small difference of two large ones where a trap is close to rest:

    c_L (1 - f) - e_L f = j - (c_L + e_L) a        j = (c_L e_R - e_L c_R)/r

What the left electrode gives in a step is int j dt + int w df, with w = (c_L + e_L)/r a straight line too. The ratio of
both products in j is e^(V_j/kT): at 0 V j is zero, and not the round-off of two flows.

The current, in the second half. At constant voltage an electron that goes from the left electrode to a trap at x moves
the share w(x) of its charge through the terminals, w being the voltage of a small signal between the left electrode
and x over the whole (Ramo). The electrons of the film screen the signal, and its ions stand still:

    J = e sum N [-w j_L + (1 - w) j_R]        j_i electrons that a trap takes from electrode i in a second

So one current passes both terminals, and what the electrodes give differs by what the traps take. With j_L = j - r_L a and
j_R = -j - r_R a the part of j, -e sum N j, is that of a steady filling, a chord conductance (`steady`).
The rest, by which traps relax, is filled here. It is not zero at 0 V, and passes the series resistance as other charge that
the junction takes up does. Of charged traps it is part of the change of D(0) already: 1 - w of each electron.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, deferred, fused, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.search import fill_displacements_by_voltage
from otjdd.mechanisms.traps.capture import LEFT, RIGHT, Capture, captures
from otjdd.mechanisms.traps.sites import CHARGE, DEGENERACY, FROM_LEFT, FROM_RIGHT, RATES, TO_LEFT, TO_RIGHT
from otjdd.mechanisms.traps.steady import log_emissions, placed_traps
from otjdd.physics.bands import straight_parts
from otjdd.physics.electrostatics import edge
from otjdd.physics.fermi_dirac import fermi
from otjdd.physics.ions import layer_count
from otjdd.physics.junction import Junction, hold_electrons
from otjdd.physics.numerics import OVERFLOW, copy, exponential
from otjdd.physics.state import State, TrapState

SERIES_BELOW = (
    4e-3  # square of (b - a)/(b + a) up to which the mean of an exponential from a to b is a series, to 3e-16
)
SLOW = 1e-2  # rates times the step, below which a filling moves as a straight line
SLOWEST = -600.0  # ln of a rate [1/s] that moves no electron, see `fill_trap_rates`
NO_RATE = 1e-260  # 1/s, a little more than that: rates up to it count as none
LEAST_SHARE = 0.01  # of the traps of a group, by which errors of its filled or empty share are measured at least


class Moment(NamedTuple):
    """What the rates of a moment do with a trap."""

    left: float  # 1/s, capture and emission together with the left electrode
    right: float  # 1/s
    filled: float  # share at rest
    empty: float  # share at rest
    passing: float  # 1/s, electrons that it takes from the left electrode and gives to the right one at rest


@bare
def moment_of_rates(rate: np.ndarray, bias: float) -> Moment:
    """The moment of rates (RATES,) [1/s] at bias = V_j/kT; half filled where all of them are zero."""
    left, right = rate[FROM_LEFT] + rate[TO_LEFT], rate[FROM_RIGHT] + rate[TO_RIGHT]
    whole = left + right
    if whole == 0.0:
        return Moment(left, right, 0.5, 0.5, 0.0)
    filled, empty = (rate[FROM_LEFT] + rate[FROM_RIGHT]) / whole, (rate[TO_LEFT] + rate[TO_RIGHT]) / whole
    if bias > 0.0:
        passing = rate[TO_LEFT] * (rate[FROM_RIGHT] / whole) * math.expm1(-bias)
    else:
        passing = -rate[FROM_LEFT] * (rate[TO_RIGHT] / whole) * math.expm1(bias)
    return Moment(left, right, filled, empty, passing)


@bare
def left_share(one: Moment, other: Moment) -> float:
    """Share of the left electrode in what a trap at rest exchanges at a moment, where that is nothing at another one."""
    if one.left + one.right > 0.0:
        return one.left / (one.left + one.right)
    return other.left / (other.left + other.right) if other.left + other.right > 0.0 else 0.5


@bare
def share_at(y: float) -> float:
    """Filled share at ln odds y."""
    return fermi(-y)


@bare
def mean_trap_rate(start: float, end: float) -> float:
    """Mean over a step of a rate whose logarithm is a straight line."""
    if start <= NO_RATE or end <= NO_RATE:
        return 0.0
    u = (end - start) / (end + start)
    q = u * u
    if q < SERIES_BELOW:
        slow = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0)))))
        return 0.5 * (start + end) / slow
    return (end - start) / math.log(end / start)


@bare
def mean_flow(start: float, end: float) -> float:
    """Mean over a step of a flow: of one sign as an exponential, else as a straight line."""
    if start * end > 0.0:
        return math.copysign(mean_trap_rate(abs(start), abs(end)), start)
    return 0.5 * (start + end)


@bare
def lag(z: float) -> float:
    """(1 - e^-z)/z: share of the last change of rest by which a filling is behind it."""
    return -math.expm1(-z) / z if z > 0.0 else 1.0


class Move(NamedTuple):
    """What becomes of a trap within a step."""

    away: float  # distance of the filling from rest at the end
    from_left: float  # electrons taken
    from_right: float
    through: float  # of these, electrons that the trap hands on, from the left to the right
    z: float  # rates times the step, in the mean


@bare
def move(start: Moment, end: Moment, away: float, step: float) -> Move:
    """Move of a trap within a step [s] between two moments. away : distance of its filling from rest at the start"""
    moved = end.filled * start.empty - start.filled * end.empty  # of rest, without cancellation
    left, right = mean_trap_rate(start.left, end.left), mean_trap_rate(start.right, end.right)
    z = (left + right) * step
    behind = away * math.exp(-z) - moved * lag(z)
    taken, through = moved + behind - away, mean_flow(start.passing, end.passing) * step
    late = 0.5 * moved + behind + taken / z if z > SLOW else 0.5 * taken  # int t df over the step
    first, last = left_share(start, end), left_share(end, start)
    from_left = through + first * taken + (last - first) * late
    return Move(behind, from_left, taken - from_left, through, z)


@bare
def error_by_curvature(
    rate: np.ndarray, end_rate: np.ndarray, curvature: np.ndarray, filling: float, step: float, z: float
) -> float:
    """Error of a filling in a step [s] where the logarithms of the rates (RATES,) [1/s] are no straight lines.

    curvature : (RATES,) their changes beyond those that the step before leads to   z : rates times the step
    A parabola is off the straight line by a sixth of its curvature in the mean. Each rate counts by what it moves in the
    step; a trap that is fast in it forgets how it came.
    """
    off = 0.0
    for row in range(RATES):
        part = 1.0 - filling if row < TO_LEFT else filling
        off += abs(curvature[row]) / 6.0 * mean_trap_rate(rate[row], end_rate[row]) * step * part
    return off * min(1.0, 1.0 / (z * z)) if z > 0.0 else 0.0


@bare
def error_of_count(rate: np.ndarray, curvature: np.ndarray, bias: float, whole: Move) -> float:
    """Error of the electrons that a trap took from an electrode in a step, by rates (RATES,) [1/s] that curve.

    rate, bias : at the end of the step, as of `moment_of_rates`   curvature : as of `error_by_curvature`
    """
    through, back = (FROM_RIGHT, TO_LEFT) if bias > 0.0 else (FROM_LEFT, TO_RIGHT)
    total, by_share = 0.0, 0.0
    for row in range(RATES):
        total += rate[row]
        by_share += rate[row] * abs(curvature[row])
    off = abs(curvature[through]) + abs(curvature[back]) + (by_share / total if total > 0.0 else 0.0)
    return off / 6.0 * (abs(whole.through) + 0.25 * abs(whole.from_left + whole.from_right))


@bare
def error_of_away(
    rate: np.ndarray, curvature: np.ndarray, start: Moment, end: Moment, whole: Move, charged: bool
) -> float:
    """Error of the distance from rest at the end of a step, whose filling of rest is no straight line of time.

    rate, curvature : as of `error_of_count`   charged : the filling of rest follows the filling by the charge of the traps
    A trap that is fast in the step is behind rest by its rate at the end, not by the mean one. Where rest follows, what the
    filling is off by moves rest the other way, as much as it did in the step.
    """
    moved, total, off = end.filled * start.empty - start.filled * end.empty, 0.0, 0.0
    for row in range(RATES):
        total += rate[row]
        off += rate[row] * curvature[row] * (end.empty if row < TO_LEFT else -end.filled)
    if total == 0.0:
        return 0.0
    taken, z = whole.from_left + whole.from_right, whole.z
    follow = 1.0 + abs(moved / taken) if charged and taken != 0.0 else 1.0
    limit = abs(moved) + abs(whole.away)
    return min(min(abs(off) / total, abs(moved)) * z / (6.0 + z * z) * follow, limit)


@bare
def error_of_filling(difference: float, filling: float) -> float:
    """Error of a filling over the smaller of the filled and the empty share, which counts as LEAST_SHARE at least."""
    return abs(difference) / (LEAST_SHARE + max(min(filling, 1.0 - filling), 0.0))


@apart
def voltage_shares(junction: Junction, state: State, k: int, x: np.ndarray) -> np.ndarray:
    """Share (n,) of a small voltage between the left electrode and places x (n,) [m], in order, at frozen ions.

    nan where the stack is singular, so that the current of the traps has no value and a step that ends there is refused.
    """
    length, _, eps = straight_parts(junction, state, k)
    D = displacements_of_parts(junction, state, k, length.size)
    share, at, behind, p = np.empty(x.size), 0.0, D[0] * edge(junction.left[k], state.D_left[k])[1], 0
    for j in range(x.size):
        while p < length.size - 1 and x[j] > at + length[p]:
            at, behind, p = at + length[p], behind + D[p] * length[p] / eps[p], p + 1
        share[j] = behind + D[p] * (x[j] - at) / eps[p]
    whole = behind + D[D.size - 1] * edge(junction.right[k], -state.D_right[k])[1]
    for q in range(p, length.size):
        whole += D[q] * length[q] / eps[q]
    for j in range(x.size):
        share[j] /= whole
    return share


@apart
def displacements_of_parts(junction: Junction, state: State, k: int, parts: int) -> np.ndarray:
    """By how much the displacement on the straight parts of the band (parts,) moves with V_j, over any unit.

    All of it moves alike where no electrons of the film follow.
    """
    D, first, j = np.ones(parts), junction.layers.first, 0
    if hold_electrons(junction):
        faces = np.empty(state.D.shape[1])
        fill_displacements_by_voltage(junction, state, k, faces)
        for p in range(parts):
            D[p] = faces[p - j]
            if p - j == first[j + 1] and j < layer_count(junction.layers) - 1:  # the face has a part on either side
                j += 1
    return D


@fused
def fill_trap_rates(log_rate: np.ndarray, rate: np.ndarray) -> None:
    """Fill rates (n, RATES) [1/s] from their logarithms.

    Where all of a trap are below e^SLOWEST, the largest counts as that, and the others in proportion: they move no
    electron, but tell to which filling the trap tends.
    """
    for j in range(rate.shape[0]):
        fastest = max(max(log_rate[j, 0], log_rate[j, 1]), max(log_rate[j, 2], log_rate[j, 3]))
        lift = max(SLOWEST - fastest, 0.0)
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
