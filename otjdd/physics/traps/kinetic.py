"""Filling of traps in time, and the electrons that it takes from both electrodes: single traps, without hops between them.

    df/dt = (c_L + c_R)(1 - f) - (e_L + e_R) f = -r a        a = f - s(y),  r = c_L + c_R + e_L + e_R
    s(y) = 1/(1 + e^-y),  y = ln[(c_L + c_R)/(e_L + e_R)]

s is the filling of rest at the rates of the moment, a how far the filling is away from it. The rates are exponentials in
time within a step, and s a straight line, so that

    a_end = a e^-z - (s_end - s)(1 - e^-z)/z        z = int r dt

which is exact at constant rates, for any step, and follows rates that move slowly beside r. The unknown is a, not f, since
the flow to an electrode is a small difference of two large ones where a trap is close to rest:

    c_L (1 - f) - e_L f = (c_L e_R - e_L c_R)/r - (c_L + e_L) a
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare
from otjdd.physics.supply import fermi
from otjdd.physics.traps.steady import log_of_sum

RATES = 4  # rows of the logarithms of the rates [1/s] of a trap: captures from both electrodes, emissions to both
FROM_LEFT, FROM_RIGHT, TO_LEFT, TO_RIGHT = range(RATES)
SAME = 1e-3  # change of the logarithm of a rate below which its mean is a series
LEAST_SHARE = 0.01  # of the traps of a group, by which errors of its filled or empty share are measured at least


@bare
def log_odds(rate: np.ndarray) -> float:
    """ln of filled over empty at rest with rates (RATES,)."""
    return log_of_sum(rate[FROM_LEFT], rate[FROM_RIGHT]) - log_of_sum(rate[TO_LEFT], rate[TO_RIGHT])


@bare
def log_rate_of_side(rate: np.ndarray, side: int) -> float:
    """ln of capture and emission together with the left (0) or the right (1) electrode."""
    return log_of_sum(rate[FROM_LEFT + side], rate[TO_LEFT + side])


@bare
def share_at(y: float) -> float:
    """Filled share at ln odds y."""
    return fermi(-y)


@bare
def share_change(y: float, end: float) -> float:
    """Change of the filled share between two ln odds, without cancellation."""
    if end >= y:
        return fermi(-end) * fermi(y) * -math.expm1(y - end)
    return fermi(-y) * fermi(end) * math.expm1(end - y)


@bare
def mean_rate(log_start: float, log_end: float) -> float:
    """Mean over a step of a rate whose logarithm is a straight line."""
    d = log_end - log_start
    if abs(d) < SAME:
        return math.exp(0.5 * (log_start + log_end)) * (1.0 + d * d / 24.0)
    return (math.exp(log_end) - math.exp(log_start)) / d


@bare
def through(rate: np.ndarray) -> float:
    """Electrons that a trap at rest takes from the left electrode and gives to the right one [1/s]."""
    forth, back = rate[FROM_LEFT] + rate[TO_RIGHT], rate[TO_LEFT] + rate[FROM_RIGHT]
    whole = log_of_sum(log_rate_of_side(rate, 0), log_rate_of_side(rate, 1))
    size = math.exp(max(forth, back) - whole) * -math.expm1(-abs(forth - back))
    return size if forth >= back else -size


@bare
def mean_flow(start: float, end: float) -> float:
    """Mean over a step of a flow: of one sign as an exponential, else as a straight line."""
    if start * end > 0.0:
        return math.copysign(mean_rate(math.log(abs(start)), math.log(abs(end))), start)
    return 0.5 * (start + end)


@bare
def relaxation(rate: np.ndarray, end_rate: np.ndarray, step: float):
    """z of a step [s] between two sets of rates (RATES,), and the share of the left electrode in it."""
    left = mean_rate(log_rate_of_side(rate, 0), log_rate_of_side(end_rate, 0))
    right = mean_rate(log_rate_of_side(rate, 1), log_rate_of_side(end_rate, 1))
    whole = left + right
    return whole * step, left / whole if whole > 0.0 else 0.5


@bare
def lag(z: float) -> float:
    """(1 - e^-z)/z: share of the last change of rest by which a filling is behind it."""
    return -math.expm1(-z) / z if z > 0.0 else 1.0


@bare
def away_at_end(rate: np.ndarray, end_rate: np.ndarray, away: float, step: float):
    """Distance of the filling from rest at the end of a step [s], and the electrons taken from the left and the right.

    rate, end_rate : (RATES,)   away : distance at the start
    """
    y, end = log_odds(rate), log_odds(end_rate)
    moved, (z, left) = share_change(y, end), relaxation(rate, end_rate, step)
    behind = away * math.exp(-z) - moved * lag(z)
    taken, passed = moved + behind - away, mean_flow(through(rate), through(end_rate)) * step
    return behind, passed + left * taken, (1.0 - left) * taken - passed


@bare
def error_by_bend(rate: np.ndarray, end_rate: np.ndarray, slope: np.ndarray, filling: float, step: float) -> float:
    """Error of a filling in a step [s] where the logarithms of the rates (RATES,) are no straight lines.

    slope : (RATES,) 1/s, of the rates before the step   A parabola is off the straight line by a sixth of its bend in the
    mean. Each rate counts by what it moves in the step; a trap that is fast in it forgets how it came.
    """
    z, off = relaxation(rate, end_rate, step)[0], 0.0
    for row in range(RATES):
        bend = abs(end_rate[row] - rate[row] - slope[row] * step)
        part = 1.0 - filling if row < TO_LEFT else filling
        off += bend / 6.0 * mean_rate(rate[row], end_rate[row]) * step * part
    return off * min(1.0, 1.0 / (z * z)) if z > 0.0 else 0.0


@bare
def relaxing(rate: np.ndarray, away: float):
    """Electrons that a trap takes from the left and from the right electrode [1/s] beside those that pass it at rest."""
    return -math.exp(log_rate_of_side(rate, 0)) * away, -math.exp(log_rate_of_side(rate, 1)) * away


@bare
def error_of_filling(difference: float, filling: float) -> float:
    """Error of a filling over the smaller of the filled and the empty share, which counts as LEAST_SHARE at least."""
    return abs(difference) / (LEAST_SHARE + max(min(filling, 1.0 - filling), 0.0))
