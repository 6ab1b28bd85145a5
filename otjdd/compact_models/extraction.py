"""Tables of a column from runs of the solver at constant voltage.

The state q of a column is the place at which its vacancies come to rest when the voltage is taken away: their mean
position after `settling` seconds at 0 V. The mean position itself also moves with the voltage, within the wells at the
two interfaces and by what is on its way between them (5 % of all vacancies at 2.2 V), and jumps back when the voltage
does; q does not. As functions of q and V_j alone, rate and current predict reads after pulses of 50 ns to 0.03 decades,
as functions of the mean position to 0.08.

When a voltage comes on, the way between the wells is empty, and has to fill before vacancies arrive as fast as they
leave: a second state, the filling, delays the flow by what `ways` measures.

At each voltage one run starts from either end of the range, and ends where the voltage leads to. Between two samples
the rate is that of an exponential approach to that end, which is exact where the rate does not change.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.bench import Bench
from otjdd.compact_models.tables import Tables, check, spline, thinned
from otjdd.errors import NotAsExpected, SolverError

FIRST, ENDLESS = 1e-13, 1e18  # s: first sample of a run, and its end
PER_DECADE = 3  # samples, more where the vacancies move
MOVE = 0.025  # of the thickness, between two samples
STATES = 49  # knots of the state
FIRST_KNOTS = 17  # voltages to begin with
MOST_VOLTAGES = 99
NARROWEST = 0.02  # V between two knots
TOLERANCE = 0.02  # decades of the conductance that a new voltage may differ from what was expected there
RATE_TOLERANCE = 0.06  # decades of the rate
LAG = 0.003  # of the thickness: what a run takes to fill the way between the wells, left out of its rate
SETTLED = 5.0  # time constants of the way that the settling time is taken to be
STILL = 1.5e-3  # of the thickness, a decade in time: slower is at rest
LOST = 0.1  # of the thickness, a displacement after which the way is full
SAME = 2e-5  # of the thickness: states that are not told apart
BESIDE = 200.0  # times the shortest time's rate, where all is over within it; the longest time's likewise


class Range(NamedTuple):
    """Where a model is to hold."""

    low: float = -4.5  # V
    high: float = 4.5
    shortest: float = 20e-9  # s
    longest: float = 1e4


class Ends(NamedTuple):
    """The range of the state, and how long a column takes to show it."""

    low: np.ndarray  # (1, N) 1/m3
    high: np.ndarray
    settling: float  # s at 0 V


class Branch(NamedTuple):
    """Samples of a run at constant voltage."""

    time: np.ndarray  # (n,) s
    state: np.ndarray  # (n,)
    conductance: np.ndarray  # (n,) S


def extract(bench: Bench, limits: Range, speeds, spread: Callable, progress=None) -> tuple[Tables, dict]:
    """Tables of the column on a bench, and how they came about (runs, settling time, last deviation found).

    speeds : smallest and largest factor of the rates that the tables will be used with
    spread : (function, jobs) -> iterator of (number, result), see `otjdd.system.pool.team`
    Voltages are added where tables without them would have been wrong there, until none is. Raises NotAsExpected for
    a range that the solver cannot reach or a column whose state is no function of its history.
    """
    ends = ends_of(bench, limits)
    low, high = (state_of(bench, c, ends.settling) for c in (ends.low, ends.high))
    if high - low < 100.0 * SAME:
        moved = max(high - low, 0.0)
        raise NotAsExpected("ions that the voltage moves", f"a state that moves by {moved:.2g} of the thickness")
    states = low + (high - low) * even_and_ends(STATES)
    rows, wanted = {}, list(first_voltages(limits))
    while wanted:
        jobs = [(bench, ends, voltage) for voltage in wanted]
        for number, branches in spread(branches_at, jobs):
            rows[wanted[number]] = row_of(branches, states, limits, speeds)
            if progress:
                progress(min(0.95, len(rows) / MOST_VOLTAGES))
        wanted, deviation = asked_for(rows, wanted, len(rows) == len(wanted))
        wanted = wanted[: MOST_VOLTAGES - len(rows)]
    voltage = np.array(sorted(rows))
    rest, log_rate, log_conductance = (np.array(part) for part in zip(*(rows[V] for V in sorted(rows)), strict=True))
    rest = np.maximum.accumulate(rest) if np.diff(rest).min() > -1e-3 else rest
    emptying = ends.settling / SETTLED
    tables = Tables(voltage, states, np.clip(rest, low, high), log_rate, log_conductance, np.zeros(2), emptying)
    check(tables)
    tables = tables._replace(way=ways(bench, ends, tables, limits.shortest * speeds[0]))
    tables = thinned(tables, RATE_TOLERANCE / 2.0, TOLERANCE / 2.0)
    done = {"runs": 2 * len(rows), "settling": ends.settling, "unexpected": float(deviation.max())}
    return tables, done


def ways(bench: Bench, ends: Ends, tables: Tables, shortest: float) -> np.ndarray:
    """Shares (2,) of the vacancies that fill the way, for states that rise and that fall.

    Measured where a displacement by LOST takes longer than the shortest time and less than the settling: what is missing
    of it when it begins from rest, median over voltages and beginnings; 0 where less than LAG is.
    """
    lost: tuple[list, list] = ([], [])
    for c in beginnings(bench, ends):
        q = state_of(bench, c, ends.settling)
        for i, voltage in enumerate(tables.voltage):
            direction = 1.0 if tables.rest[i] > q else -1.0
            duration = time_between(tables, i, q, q + direction * LOST)
            if shortest <= duration <= ends.settling:
                found = state_of(bench, on_bench.held(bench, c, float(voltage), duration), ends.settling)
                lost[int(direction < 0.0)].append(LOST - direction * (found - q))
    shares = np.array([np.median(each) if each else 0.0 for each in lost])
    return np.where(shares > LAG, shares, 0.0)


def beginnings(bench: Bench, ends: Ends) -> list[np.ndarray]:
    """Columns at rest (1, N): both ends of the range, and some of what lies between."""
    found = [ends.low, ends.high]
    for share in (0.3, 0.5, 0.7):
        mixed = (1.0 - share) * ends.low + share * ends.high
        found.append(on_bench.held(bench, mixed, 0.0, 10.0 * ends.settling))
    return found


def time_between(tables: Tables, i: int, start: float, end: float) -> float:
    """Time [s] between two states at the voltage with the number i, by the tables; infinite if it leads elsewhere."""
    if not tables.state[0] <= end <= tables.state[-1] or (tables.rest[i] - end) * (end - start) <= 0.0:
        return np.inf
    q = np.linspace(start, end, 41)
    rate = 10.0 ** np.interp(q, tables.state, tables.log_rate[i])
    return float(np.trapezoid(1.0 / np.abs(rate * (tables.rest[i] - q)), np.abs(q - start)))


def even_and_ends(count: int) -> np.ndarray:
    """Numbers (count,) from 0 to 1, denser towards both ends."""
    even = np.linspace(0.0, 1.0, count)
    return 0.5 * even + 0.5 * (0.5 - 0.5 * np.cos(np.pi * even))


def first_voltages(limits: Range) -> np.ndarray:
    """Voltages to begin with, 0 V among them."""
    return np.unique(np.append(np.linspace(limits.low, limits.high, FIRST_KNOTS), 0.0))


def state_of(bench: Bench, c: np.ndarray, settling: float) -> float:
    """State of a column with concentrations c (1, N)."""
    return on_bench.position(bench, on_bench.held(bench, c, 0.0, settling))


def ends_of(bench: Bench, limits: Range) -> Ends:
    """States that the voltages at both ends of the range leave after the longest time."""
    c = np.full((1, bench.x.size), bench.density)
    try:
        high = on_bench.held(bench, c, limits.high, limits.longest)
        low = on_bench.held(bench, high, limits.low, limits.longest)
        high = on_bench.held(bench, low, limits.high, limits.longest)
        settling = settling_time(bench, low, high, limits)
    except SolverError as error:
        raise NotAsExpected(
            "a range of voltages that the solver reaches", f"{limits.low:g} V to {limits.high:g} V ({error})"
        ) from error
    return Ends(low, high, settling)


def settling_time(bench: Bench, low: np.ndarray, high: np.ndarray, limits: Range) -> float:
    """Time [s] at 0 V in which the vacancies first move and then come to rest, by what pulses of both signs leave.

    Where they never do, the time at which they move least.
    """
    decades = np.log10(20.0 * limits.longest / limits.shortest)
    times = np.geomspace(limits.shortest / 20.0, limits.longest, 1 + 2 * round(decades))
    slopes = np.zeros(len(times) - 1)
    for c, voltage in ((low, limits.high), (high, limits.low)):
        for part in (0.3, 0.5, 0.8):
            left = on_bench.held(bench, c, part * voltage, halfway(bench, c, part * voltage, limits))
            places = [on_bench.position(bench, on_bench.held(bench, left, 0.0, t)) for t in times]
            slopes = np.maximum(slopes, np.abs(np.diff(places) / np.diff(np.log10(times))))
    moving = np.flatnonzero(slopes > STILL)
    still = np.flatnonzero((slopes <= STILL) & (np.arange(slopes.size) > moving.min(initial=slopes.size)))
    if not moving.size:
        return float(times[0])
    return float(times[1 + (still[0] if still.size else moving[0] + np.argmin(slopes[moving[0] :]))])


def halfway(bench: Bench, c: np.ndarray, voltage: float, limits: Range) -> float:
    """A time [s] after which a voltage has moved the vacancies about halfway, the longest when it does not."""
    start = on_bench.position(bench, c)
    times = np.geomspace(FIRST, limits.longest, 60)
    places = np.array([on_bench.position(bench, c_) for c_ in stations(bench, c, voltage, times)])
    moved = np.abs(places - start)
    return float(times[np.searchsorted(moved >= 0.5 * moved.max(), True)]) if moved.max() > 0.1 else limits.longest


def stations(bench: Bench, c: np.ndarray, voltage: float, times: np.ndarray) -> list[np.ndarray]:
    """Concentrations (1, N) at times (n,) [s] of a constant voltage."""
    found, now = [], 0.0
    for time in times:
        c = on_bench.held(bench, c, voltage, time - now)
        found.append(c)
        now = time
    return found


def branches_at(bench: Bench, ends: Ends, voltage: float) -> tuple[Branch, Branch]:
    """Runs at a voltage from both ends of the range."""
    return branch(bench, ends.low, voltage, ends.settling), branch(bench, ends.high, voltage, ends.settling)


def branch(bench: Bench, c: np.ndarray, voltage: float, settling: float) -> Branch:
    """Samples of a run from c at a voltage, until nothing moves any more."""
    decades = np.log10(ENDLESS / FIRST)
    times = np.geomspace(FIRST, ENDLESS, 1 + round(PER_DECADE * decades))
    found = stations(bench, c, voltage, times)
    places = [on_bench.position(bench, each) for each in found]
    samples = [(times[0], found[0])]
    for i in range(1, len(times)):
        between = int(abs(places[i] - places[i - 1]) / MOVE)
        if between:
            inner = np.linspace(times[i - 1], times[i], between + 2)[1:-1]
            samples += zip(inner, stations(bench, found[i - 1], voltage, inner - times[i - 1]), strict=True)
        if between or abs(places[i] - on_bench.position(bench, samples[-1][1])) > SAME or i == len(times) - 1:
            samples.append((times[i], found[i]))
    state = np.array([state_of(bench, each, settling) for _, each in samples])
    G = np.array([on_bench.conductance(bench, each, voltage) for _, each in samples])
    return Branch(np.array([time for time, _ in samples]), state, G)


def row_of(branches, states: np.ndarray, limits: Range, speeds) -> tuple[float, np.ndarray, np.ndarray]:
    """State of rest, log10 of rates (Q,) and of conductances (Q,) at the voltage of two branches.

    Rates are held within what matters between the shortest and the longest time.
    """
    rest = 0.5 * (branches[0].state[-1] + branches[1].state[-1])
    slowest = -np.log10(BESIDE * limits.longest * speeds[1])
    fastest = np.log10(BESIDE / (limits.shortest * speeds[0]))
    rates = np.concatenate([rates_of(each, rest) for each in branches])
    rates = ordered(rates) if len(rates) else np.array([[states[0], fastest]])
    rate = np.clip(along(rates, states), slowest, fastest)
    G = ordered(np.concatenate([np.column_stack((b.state, np.log10(b.conductance)))[settled(b)] for b in branches]))
    return rest, rate, along(G, states)


def rates_of(branch: Branch, rest: float) -> np.ndarray:
    """States and log10 of the relaxation rate (n, 2) between the samples of a branch."""
    q, away = branch.state, np.abs(rest - branch.state)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.log(away[:-1] / away[1:]) / np.diff(branch.time)
    lagging = (np.abs(q[:-1] - q[0]) < LAG) & (away[0] > 3.0 * LAG)
    good = (away[1:] > 0.5 * SAME) & (rate > 0.0) & (np.abs(np.diff(q)) > 0.5 * SAME) & ~lagging
    return np.column_stack((0.5 * (q[1:] + q[:-1])[good], np.log10(rate[good])))


def settled(branch: Branch) -> np.ndarray:
    """Which samples are no mere wait in one state: those that moved on, and the last."""
    moved = np.abs(np.diff(branch.state, prepend=branch.state[0])) > 1e-4
    moved[-1] = True
    return moved


def ordered(samples: np.ndarray) -> np.ndarray:
    """Samples (n, 2) by ascending state, one for each state."""
    samples = samples[np.argsort(samples[:, 0])]
    return samples[np.unique(np.round(samples[:, 0] / (5 * SAME)), return_index=True)[1]]


def along(samples: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Values at states (Q,), monotone between samples (n, 2) and held beyond them."""
    if len(samples) == 1:
        return np.full(states.size, samples[0, 1])
    return PchipInterpolator(*samples.T)(np.clip(states, samples[0, 0], samples[-1, 0]))


def asked_for(rows: dict, new: list[float], first: bool) -> tuple[list[float], np.ndarray]:
    """Voltages in the middle of intervals that need them, and by how much the new rows were not as expected.

    An interval is in order when the row in its middle was as expected from all others before.
    """
    known = sorted(set(rows) - set(new))
    if first:
        return middles(sorted(rows), set(rows)), np.zeros(2)
    tables = [np.array([rows[V][part] for V in known]) for part in (1, 2)]
    expected = [spline(np.array(known), table)(np.array(new)) for table in tables]
    found = [np.array([rows[V][part] for V in new]) for part in (1, 2)]
    there = found[0] < found[0].max() - 1.0  # no column is long where it leaves faster than the shortest time
    off = [np.where(there, np.abs(a - b), 0.0).max(axis=1) for a, b in zip(expected, found, strict=True)]
    wrong = {V for V, rate, G in zip(new, *off, strict=True) if rate > RATE_TOLERANCE or G > TOLERANCE}
    return middles(sorted(rows), wrong), np.array([off[1].max(), off[0].max() * TOLERANCE / RATE_TOLERANCE])


def middles(voltages: list[float], wrong: set[float]) -> list[float]:
    """Middles of the intervals beside the voltages that were wrong, where those are wide enough; the widest first."""
    wide = [(a, b) for a, b in pairwise(voltages) if (a in wrong or b in wrong) and b - a >= 2.0 * NARROWEST]
    return [0.5 * (a + b) for a, b in sorted(wide, key=lambda pair: pair[0] - pair[1])]
