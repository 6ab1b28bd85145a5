"""Columns at rest: the ends of their range, the time that they take to settle at 0 V, the way between their wells."""

import numpy as np
from scipy.integrate import trapezoid  # numpy has it from 2.0 on

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.bench import Bench
from otjdd.compact_models.branches import FIRST, LAG, Ends, state_of, stations
from otjdd.compact_models.limits import Range
from otjdd.compact_models.tables import Tables

SETTLED = 5.0  # time constants of the way that the settling time is taken to be
STILL = 1.5e-3  # of the thickness, a decade in time: slower is at rest
PROBES = 3  # voltages at which each beginning is watched while its way fills
LOST = 0.1  # of the thickness, a displacement after which the way is full


def ends_of(bench: Bench, limits: Range) -> tuple[Ends, int]:
    """States that the voltages at both ends of the range leave after the longest time, and the number of runs."""
    c = np.full((1, bench.x.size), bench.density)
    high = on_bench.concentrations_after(bench, c, limits.high, limits.longest)
    low = on_bench.concentrations_after(bench, high, limits.low, limits.longest)
    high = on_bench.concentrations_after(bench, low, limits.high, limits.longest)
    settling, runs = settling_time(bench, low, high, limits)
    return Ends(low, high, settling), 3 + runs


def settling_time(bench: Bench, low: np.ndarray, high: np.ndarray, limits: Range) -> tuple[float, int]:
    """Time [s] at 0 V in which the vacancies first move and then come to rest, by what pulses of both signs leave; runs.

    Where they never do, the time at which they move least.
    """
    decades = np.log10(20.0 * limits.longest / limits.shortest)
    times = np.geomspace(limits.shortest / 20.0, limits.longest, 1 + 2 * round(decades))
    slopes, runs = np.zeros(len(times) - 1), 0
    for c, voltage in ((low, limits.high), (high, limits.low)):
        for part in (0.3, 0.5, 0.8):
            left = on_bench.concentrations_after(bench, c, part * voltage, halfway(bench, c, part * voltage, limits))
            places = [on_bench.position(bench, each) for each in stations(bench, left, 0.0, times)]
            runs += 3
            slopes = np.maximum(slopes, np.abs(np.diff(places) / np.diff(np.log10(times))))
    moving = np.flatnonzero(slopes > STILL)
    still = np.flatnonzero((slopes <= STILL) & (np.arange(slopes.size) > moving.min(initial=slopes.size)))
    if not moving.size:
        return float(times[0]), runs
    last = still[0] if still.size else moving[0] + np.argmin(slopes[moving[0] :])
    return float(times[1 + last]), runs


def halfway(bench: Bench, c: np.ndarray, voltage: float, limits: Range) -> float:
    """A time [s] after which a voltage has moved the vacancies about halfway, the longest when it does not."""
    start = on_bench.position(bench, c)
    times = np.geomspace(FIRST, limits.longest, 60)
    places = np.array([on_bench.position(bench, c_) for c_ in stations(bench, c, voltage, times)])
    moved = np.abs(places - start)
    return float(times[np.searchsorted(moved >= 0.5 * moved.max(), True)]) if moved.max() > 0.1 else limits.longest


def ways(bench: Bench, ends: Ends, tables: Tables, shortest: float) -> tuple[np.ndarray, int]:
    """Shares (2,) of the vacancies that fill the way, for states that rise and that fall, and the number of runs.

    Measured where a displacement by LOST takes longer than the shortest time and less than the settling: what is missing
    of it when it begins from rest, median over beginnings and voltages; 0 where less than LAG is.
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
    shares = np.array([np.median(each) if each else 0.0 for each in lost])
    return np.where(shares > LAG, shares, 0.0), len(columns) + sum(map(len, lost))


def spread_out(numbers: np.ndarray) -> np.ndarray:
    """Some of ascending numbers, PROBES at most, evenly along them."""
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, PROBES).round().astype(int))] if len(numbers) else numbers


def beginnings(bench: Bench, ends: Ends) -> list[np.ndarray]:
    """Columns at rest (1, N): both ends of the range, and three states in between."""
    found = [ends.low, ends.high]
    for share in (0.3, 0.5, 0.7):
        mixed = (1.0 - share) * ends.low + share * ends.high
        found.append(on_bench.concentrations_after(bench, mixed, 0.0, 10.0 * ends.settling))
    return found


def time_between(tables: Tables, i: int, start: float, end: float) -> float:
    """Time [s] between two states at the voltage with the number i, by the tables; infinite if it leads elsewhere."""
    if not tables.state[0] <= end <= tables.state[-1] or (tables.rest[i] - end) * (end - start) <= 0.0:
        return np.inf
    q = np.linspace(start, end, 41)
    rate = 10.0 ** np.interp(q, tables.state, tables.log_rate[i])
    return float(trapezoid(1.0 / np.abs(rate * (tables.rest[i] - q)), np.abs(q - start)))
