"""Sweeps of a voltage or another quantity, from their values alone: pieces, repeats, noise, currents between the points.

A sweep has monotonic pieces, may repeat, and its time may start again. Second differences of a smooth curve keep their sign
over many points. Second differences of white noise change their sign from point to point in arccos(-2/3)/pi = 73 % of all
cases: so the noise floor of a current is found.

The current of a junction grows exponentially with its voltage: a straight line between two points 0.4 V apart may be
ten times too high. So the logarithm of the conductance I/V is interpolated: along a ramp of the voltage by a cubic that
does not overshoot (Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984)), elsewhere linearly.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

JITTER = 1e-3  # of the range: smaller changes of a source that is read back are noise
FINE = 0.01  # V between the points of a refined curve
APART = 0.4  # of the median step: largest difference of the values at one place of repeated sweeps


def piece_numbers(values: np.ndarray) -> np.ndarray:
    """Number (point,) of the monotonic piece that each point lies on, from 0. The turning point ends its piece."""
    least, marks, last = JITTER * max(np.ptp(values), np.finfo(float).tiny), [0], float(values[0])
    for i, value in enumerate(values.tolist()):  # a move is any number of steps that together are no noise
        if abs(value - last) >= least:
            marks.append(i)
            last = value
    signs, turns = np.sign(np.diff(values[marks])), []
    for k in np.flatnonzero(np.diff(signs)) + 1:
        near = signs[k - 1] * values[marks[k] : marks[k + 1]]
        end = int(np.argmax(near))
        # only a sweep of fine steps goes on to its turning point; a plateau there belongs to the piece after it
        fine = marks[k] - marks[k - 1] > 1 and near[end] - near[0] > 0.5 * np.abs(np.diff(near[: end + 1])).sum()
        turns.append(marks[k] + end * fine)
    return np.searchsorted(turns, np.arange(len(values)))


def monotonic_slices(values: np.ndarray) -> list[slice]:
    """Slices of the monotonic pieces of values (point,), each from the turning point before it to its own."""
    ends = [*np.flatnonzero(np.diff(piece_numbers(values))), len(values) - 1]
    return [slice(start, end + 1) for start, end in zip([0, *ends], ends, strict=False)]


def period(values: np.ndarray) -> int:
    """Number of points after which the values repeat; the number of all points if they do not.

    A constant does not repeat, since it shows no sweep.
    """
    count, steps = len(values), np.abs(np.diff(values))
    if count < 4 or not np.ptp(values) > 0:
        return count
    moved = steps[steps > JITTER * np.ptp(values)]
    apart = APART * np.median(moved if moved.size else steps)  # each step of a slow sweep is that small
    for length in range(2, count // 2 + 1):
        if count % length == 0 and np.all(np.abs(values[length:] - values[:-length]) <= apart):
            return length
    return count


def same_sweep(values: np.ndarray, others: np.ndarray) -> bool:
    """True if two records have the same values of a swept quantity, within the accuracy of a source or a clock."""
    steps = np.abs(np.diff(values))
    moved = steps[steps > JITTER * max(np.ptp(values), np.finfo(float).tiny)]
    apart = APART * np.median(moved) if moved.size else JITTER * float(np.abs(values).max())
    return bool(np.all(np.abs(values - others) <= apart))


def restarts(time: np.ndarray) -> np.ndarray:
    """Number (point,) of the record of each point. A record begins where the time returns to its first value.

    Raises ValueError, with the index of the point, if the time runs back to another value.
    """
    back = np.flatnonzero(np.diff(time) < 0) + 1
    near = time[0] + 0.5 * max(time[1] - time[0], 0.0) if len(time) > 1 else time[0]
    for point in back:
        if time[point] > near:
            raise ValueError(int(point))
    return np.searchsorted(back, np.arange(len(time)), side="right")


ALTERNATE = 0.55  # share of changes of sign above which scatter is noise
FEWEST = 8  # least number of second differences for an estimate
LOST = 3.0  # currents below this multiple of the noise are lost in it
EVEN = 0.5  # noise of the smaller half over the whole noise, below which the scatter grows with the current and is no floor
SIGMA = 1.4826  # standard deviation over median absolute deviation, of a normal distribution
SECOND = np.sqrt(6.0)  # standard deviation of second differences over the one of the noise


def noise_floor(current: np.ndarray) -> float:
    """Standard deviation [A] of the noise in which the smallest currents are lost; nan if none is lost.

    current : (n,) in the order of the measurement [A]
    """
    bends = np.diff(current, 2)
    sizes = np.abs(current)
    inside = np.maximum.reduce([sizes[:-2], sizes[1:-1], sizes[2:]])
    floor = np.nan
    for level in np.unique(np.quantile(sizes, np.linspace(0.1, 1.0, 19))) if len(sizes) > FEWEST else ():
        small = inside <= level
        pairs = small[1:] & small[:-1]
        if small.sum() < FEWEST or pairs.sum() < FEWEST // 2:
            continue
        sigma = deviation(bends[small])
        smaller = deviation(bends[small & (inside <= np.median(inside[small]))])
        turning = np.mean(np.sign(bends[1:][pairs]) != np.sign(bends[:-1][pairs]))
        lost = np.median(sizes[sizes <= level]) < LOST * sigma
        if turning >= ALTERNATE and lost and smaller > EVEN * sigma:
            floor = sigma
    return float(floor)


def deviation(bends: np.ndarray) -> float:
    """Standard deviation of white noise from its second differences (n,), robust against outliers."""
    return float(SIGMA * np.median(np.abs(bends)) / SECOND)


WIDE = 5e-3  # V: nearer points are joined by lines, and give no slope, which would be a slope of their noise
DOUBT = 2.0  # error of a cubic over its largest distance from the line: covers 98 % of the errors of a simulated loop
KINK = 1e-6  # of the fastest ramp: change of the slope of the voltage that ends a ramp


class Between(NamedTuple):
    """Currents (n,) [A] at some times, and their estimated relative errors (n,), 0 where they are known."""

    current: np.ndarray
    error: np.ndarray


def between(times: ArrayLike, voltage: ArrayLike, current: ArrayLike, at: ArrayLike) -> Between:
    """Currents at the times `at` (n,) [s], from those at `times` (m,) [s], non-decreasing; equal times are a jump.

    voltage : (m,) [V] of the source, linear in between   current : (m,) [A]

    The current at a jump is that after it. Towards 0 V at the end of a ramp the conductance is constant, and the error
    grows with the distance. Where current and voltage differ in sign, as in the noise of a measurement, the current is
    linear.
    """
    t, V, given = (np.asarray(values, dtype=float) for values in (times, voltage, current))
    at = np.asarray(at, dtype=float)
    interpolated, error = np.interp(at, t, given), np.zeros(at.shape)
    for start, end in ramps(t, V):
        inside = (at >= t[start]) & (at <= t[end])
        piece = slice(start, end + 1)
        if inside.any() and t[end] > t[start]:
            interpolated[inside], error[inside] = on_ramp(t[piece], V[piece], given[piece], at[inside])
    return Between(interpolated, error)


def refined(times: ArrayLike, voltage: ArrayLike) -> np.ndarray:
    """Times (n,) [s]: `times` (m,) and more between them, so that the voltage (m,) changes by at most FINE [V] each."""
    t, V = np.asarray(times, dtype=float), np.asarray(voltage, dtype=float)
    counts = np.maximum(np.ceil(np.abs(np.diff(V)) / FINE), 1).astype(int)
    counts[np.diff(t) == 0] = 1
    inner = [np.linspace(a, b, n, endpoint=False) for a, b, n in zip(t[:-1], t[1:], counts, strict=True)]
    return np.concatenate([*inner, t[-1:]])


def ramps(t: np.ndarray, V: np.ndarray) -> list[tuple[int, int]]:
    """(first, last) index of each stretch of points (m,) over which the voltage has one slope and does not jump."""
    if len(t) < 2:
        return []
    took = np.diff(t)
    slope = np.divide(np.diff(V), took, out=np.full(len(took), np.inf), where=took > 0)
    fastest = np.max(np.abs(slope), initial=0.0, where=np.isfinite(slope))
    noise = 8 * np.divide(np.spacing(np.abs(V).max()), took, out=np.zeros(len(took)), where=took > 0)
    with np.errstate(invalid="ignore"):
        turns = ~(np.abs(np.diff(slope)) <= KINK * fastest + noise[1:] + noise[:-1])
    edges = np.concatenate(([0], np.flatnonzero(turns) + 1, [len(t) - 1]))
    return [(int(a), int(b)) for a, b in pairwise(edges) if took[a] > 0]


def on_ramp(t: np.ndarray, V: np.ndarray, current: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Currents (n,) [A] and relative errors (n,) at times within one ramp with points (m,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        G = current / V
    positive = np.isfinite(G) & (G > 0) & (np.abs(V) > 1e-9)
    if not positive.any() or (~positive & (np.abs(V) > 1e-9)).any():
        return np.interp(at, t, current), np.zeros(len(at))
    tk, Vk, g = t[positive], V[positive], np.log(G[positive])
    straight = np.interp(at, tk, g)
    bent, error = straight.copy(), np.zeros(len(at))
    for i in np.flatnonzero(np.abs(np.diff(Vk)) > WIDE).tolist():
        inside = (at > tk[i]) & (at < tk[i + 1])
        if inside.any():
            t_ends, g_ends, slope = tk[i : i + 2], g[i : i + 2], slopes(tk, Vk, g, i)
            bent[inside] = cubic_between(t_ends, g_ends, slope, at[inside])
            share = (at[inside] - tk[i]) / (tk[i + 1] - tk[i])
            fine = np.linspace(t_ends[0], t_ends[1], 33)
            largest = np.abs(cubic_between(t_ends, g_ends, slope, fine) - np.interp(fine, t_ends, g_ends)).max()
            error[inside] = DOUBT * largest * 4 * share * (1 - share)
    voltage = np.interp(at, t, V)
    for end, nearest in ((at < tk[0], 0), (at > tk[-1], -1)):
        if end.any():
            apart = np.abs(np.diff(Vk)) > WIDE
            steepest = np.abs(np.diff(g)[apart] / np.diff(Vk)[apart])
            error[end] = (steepest[nearest] if steepest.size else 0.0) * np.abs(voltage[end] - Vk[nearest])
    return voltage * np.exp(bent), np.expm1(error)


def slopes(t: np.ndarray, V: np.ndarray, g: np.ndarray, i: int) -> tuple[float, float]:
    """Slopes of g at both ends of the gap i between points, from the gap and from the next points on either side."""
    own, h = (g[i + 1] - g[i]) / (t[i + 1] - t[i]), t[i + 1] - t[i]
    left = right = own
    if (before := np.flatnonzero(np.abs(V[:i] - V[i]) > WIDE)).size:
        j = before[-1]
        left = mean_slope(own, (g[i] - g[j]) / (t[i] - t[j]), h, t[i] - t[j])
    if (after := np.flatnonzero(np.abs(V[i + 2 :] - V[i + 1]) > WIDE)).size:
        k = i + 2 + after[0]
        right = mean_slope(own, (g[k] - g[i + 1]) / (t[k] - t[i + 1]), h, t[k] - t[i + 1])
    return left, right


def mean_slope(slope: float, other_slope: float, width: float, other_width: float) -> float:
    """Slope between two stretches of these slopes and widths, with which no cubic overshoots; 0 if they differ in sign."""
    if slope * other_slope <= 0:
        return 0.0
    a, b = width + 2 * other_width, other_width + 2 * width
    return (a + b) / (a / slope + b / other_slope)


def cubic_between(t: np.ndarray, g: np.ndarray, slope: tuple[float, float], at: np.ndarray) -> np.ndarray:
    """Cubic (n,) at times `at` through two points (t, g), with a slope at each."""
    h = t[1] - t[0]
    s = (at - t[0]) / h
    return (
        g[0] * (1 + 2 * s) * (1 - s) ** 2 + g[1] * s**2 * (3 - 2 * s)
        + h * slope[0] * s * (1 - s) ** 2 - h * slope[1] * s**2 * (1 - s)
    )  # fmt: skip
