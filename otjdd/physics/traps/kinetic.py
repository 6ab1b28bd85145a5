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
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare
from otjdd.physics.fermi_dirac import fermi

RATES = 4  # rows of the rates [1/s] of a trap: captures from both electrodes, emissions to both
FROM_LEFT, FROM_RIGHT, TO_LEFT, TO_RIGHT = range(RATES)
SERIES_BELOW = (
    4e-3  # square of (b - a)/(b + a) up to which the mean of an exponential from a to b is a series, to 3e-16
)
SLOW = 1e-2  # rates times the step, below which a filling moves as a straight line
SLOWEST = -600.0  # ln of a rate [1/s] that moves no electron, see `kinetic_traps.fill_rates`
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
    passed: float  # of these, electrons that only passed, from the left to the right
    z: float  # rates times the step, in the mean


@bare
def move(start: Moment, end: Moment, away: float, step: float) -> Move:
    """Move of a trap within a step [s] between two moments. away : distance of its filling from rest at the start"""
    moved = end.filled * start.empty - start.filled * end.empty  # of rest, without cancellation
    left, right = mean_trap_rate(start.left, end.left), mean_trap_rate(start.right, end.right)
    z = (left + right) * step
    behind = away * math.exp(-z) - moved * lag(z)
    taken, passed = moved + behind - away, mean_flow(start.passing, end.passing) * step
    late = 0.5 * moved + behind + taken / z if z > SLOW else 0.5 * taken  # int t df over the step
    first, last = left_share(start, end), left_share(end, start)
    from_left = passed + first * taken + (last - first) * late
    return Move(behind, from_left, taken - from_left, passed, z)


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
    return off / 6.0 * (abs(whole.passed) + 0.25 * abs(whole.from_left + whole.from_right))


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
    most = abs(moved) + abs(whole.away)
    return min(min(abs(off) / total, abs(moved)) * z / (6.0 + z * z) * follow, most)


@bare
def error_of_filling(difference: float, filling: float) -> float:
    """Error of a filling over the smaller of the filled and the empty share, which counts as LEAST_SHARE at least."""
    return abs(difference) / (LEAST_SHARE + max(min(filling, 1.0 - filling), 0.0))
