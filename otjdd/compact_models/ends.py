"""Columns at rest: the ends of the range of their state, their settling time at 0 V, the filling of the way between wells.

The way is the film between the wells at the two interfaces, see `extraction`.
"""

import numpy as np
from scipy.integrate import trapezoid  # numpy has it from 2.0 on

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.bench import Bench
from otjdd.compact_models.branches import FIRST, LAG, Ends, state_of
from otjdd.compact_models.limits import Range
from otjdd.compact_models.tables import Tables

SETTLED = 5.0  # settling time over the time constant in which the way empties
STILL = 1.5e-3  # of the thickness per decade of time: slower vacancies are at rest
PROBES = 3  # voltages at which the filling of the way is measured, for each initial state
LOST = 0.1  # of the thickness: displacement after which the way is full
UNMOVED = 1e-3  # share of displaced ions below which a film counts as uniform


def extremes(bench: Bench, limits: Range) -> tuple[np.ndarray, np.ndarray]:
    """Concentrations (1, N) [1/m3] after the longest time at the lowest and at the highest voltage, from three runs."""
    high = on_bench.concentrations_after(bench, uniform(bench), limits.high, limits.longest)
    low = on_bench.concentrations_after(bench, high, limits.low, limits.longest)
    return low, on_bench.concentrations_after(bench, low, limits.high, limits.longest)


def ends_of(bench: Bench, low: np.ndarray, high: np.ndarray, limits: Range) -> tuple[Ends, int]:
    """Ends with the settling time, and number of runs. low, high : of `extremes`"""
    settling, runs = settling_time(bench, low, high, limits)
    return Ends(low, high, settling), runs


def uniform(bench: Bench) -> np.ndarray:
    """Concentrations (1, N) [1/m3] of a uniform film; 0 in layers without sites."""
    return np.where(bench.junction.columns.sites > 0.0, bench.density, 0.0)


def is_uniform(bench: Bench, c: np.ndarray) -> bool:
    """True if c (1, N) [1/m3] is a uniform film but for the displacement of a share of the ions below UNMOVED."""
    width = bench.junction.columns.width[0]
    even = uniform(bench)[0] * width
    share, even = c[0] * width / (c[0] * width).sum(), even / even.sum()
    return bool(0.5 * np.abs(share - even).sum() < UNMOVED)


def settling_time(bench: Bench, low: np.ndarray, high: np.ndarray, limits: Range) -> tuple[float, int]:
    """Time [s] at 0 V in which vacancies come to rest after pulses of both signs, and the number of runs.

    For vacancies that never come to rest it is the time at which they move least.
    """
    decades = np.log10(20.0 * limits.longest / limits.shortest)
    times = np.geomspace(limits.shortest / 20.0, limits.longest, 1 + 2 * round(decades))
    slopes, runs = np.zeros(len(times) - 1), 0
    for c, voltage in ((low, limits.high), (high, limits.low)):
        for part in (0.3, 0.5, 0.8):
            left = on_bench.concentrations_after(bench, c, part * voltage, halfway(bench, c, part * voltage, limits))
            places = [on_bench.position(bench, c_then) for c_then in on_bench.stations(bench, left, 0.0, times)]
            runs += 3
            slopes = np.maximum(slopes, np.abs(np.diff(places) / np.diff(np.log10(times))))
    moving = np.flatnonzero(slopes > STILL)
    still = np.flatnonzero((slopes <= STILL) & (np.arange(slopes.size) > moving.min(initial=slopes.size)))
    if not moving.size:
        return float(times[0]), runs
    last = still[0] if still.size else moving[0] + np.argmin(slopes[moving[0] :])
    return float(times[1 + last]), runs


def halfway(bench: Bench, c: np.ndarray, voltage: float, limits: Range) -> float:
    """Time [s] after which a voltage [V] has moved the vacancies about halfway; the longest if it hardly moves them."""
    start = on_bench.position(bench, c)
    times = np.geomspace(FIRST, limits.longest, 60)
    places = np.array([on_bench.position(bench, c_) for c_ in on_bench.stations(bench, c, voltage, times)])
    moved = np.abs(places - start)
    return float(times[np.searchsorted(moved >= 0.5 * moved.max(), True)]) if moved.max() > 0.1 else limits.longest


def ways(bench: Bench, ends: Ends, tables: Tables, shortest: float) -> tuple[np.ndarray, int]:
    """Shares (2,) of the vacancies that fill the way, for states that rise and that fall, and the number of runs.

    A run from rest stays at a voltage for the time in which the tables predict a displacement by LOST. The part of this
    displacement that is missing at its end is the share. Only voltages at which this time lies between `shortest` [s] and
    the settling time count. The result is the median over initial states and voltages, or 0 if the median is below LAG.
    """
    lost: tuple[list[float], list[float]] = ([], [])
    columns = beginnings(bench, ends)
    for c in columns:
        q = state_of(bench, c, ends.settling)
        for fall, direction in enumerate((1.0, -1.0)):
            times = np.array([time_between(tables, i, q, q + direction * LOST) for i in range(tables.voltage.size)])
            for i in spread_out(np.flatnonzero((shortest <= times) & (times <= ends.settling))):
                moved = on_bench.concentrations_after(bench, c, float(tables.voltage[i]), float(times[i]))
                lost[fall].append(LOST - direction * (state_of(bench, moved, ends.settling) - q))
    shares = np.array([np.median(of_way) if of_way else 0.0 for of_way in lost])
    return np.where(shares > LAG, shares, 0.0), len(columns) + sum(map(len, lost))


def spread_out(numbers: np.ndarray) -> np.ndarray:
    """At most PROBES of these numbers, evenly spaced among them."""
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, PROBES).round().astype(int))] if len(numbers) else numbers


def beginnings(bench: Bench, ends: Ends) -> list[np.ndarray]:
    """Concentrations (1, N) of columns at rest: both ends of the range, and three states between them."""
    at_rest = [ends.low, ends.high]
    for share in (0.3, 0.5, 0.7):
        mixed = (1.0 - share) * ends.low + share * ends.high
        at_rest.append(on_bench.concentrations_after(bench, mixed, 0.0, 10.0 * ends.settling))
    return at_rest


def time_between(tables: Tables, i: int, start: float, end: float) -> float:
    """Time [s] from one state to another at voltage i of the tables; infinite if that voltage does not lead there."""
    if not tables.state[0] <= end <= tables.state[-1] or (tables.rest[i] - end) * (end - start) <= 0.0:
        return np.inf
    q = np.linspace(start, end, 41)
    rate = 10.0 ** np.interp(q, tables.state, tables.log_rate[i])
    return float(trapezoid(1.0 / np.abs(rate * (tables.rest[i] - q)), np.abs(q - start)))
