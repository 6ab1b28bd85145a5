"""Tables of a kind of column from runs of the solver at constant voltage.

The state q of a column is the place at which its vacancies come to rest when the voltage is taken away: their mean
position after `settling` seconds at 0 V. The mean position itself also moves with the voltage, within the wells at the
two interfaces and by what is on its way between them (5 % of all vacancies at 2.2 V), and jumps back when the voltage
does; q does not. As functions of q and V_j alone, rate and current predict reads after pulses of 50 ns to 0.03 decades,
as functions of the mean position to 0.08.

When a voltage comes on, the way between the wells is empty, and has to fill before vacancies arrive as fast as they
leave: a second state, the filling, delays the flow by what `ways` measures.

Columns that differ in their activation energy only have the same states of rest and the same conductance. Of their rates
the weak field knows the hops, which are in proportion, and the strong field the attempt frequency, which is the same
for all: 1/r^2 = 1/(s r_slow)^2 + 1/r_fast^2, as the velocity of the Mott-Gurney law has it. A column far slower
than all of them and one far faster give the two. On the reference device, rates of columns between them are met to
0.01 decades rms wherever they are below the inverse of 20 ns.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from otjdd.compact_models.bench import Bench
from otjdd.compact_models.branches import (
    SAME,
    Branch,
    Ends,
    branches_at,
    log_rates,
    readings,
    rest_of,
    state_of,
)
from otjdd.compact_models.ends import SETTLED, ends_of, ways
from otjdd.compact_models.limits import Range
from otjdd.compact_models.tables import UNLIMITED, Tables, Use, check_tables, common_knots, in_decades, seen, spline
from otjdd.errors import NotAsExpected, SolverError
from otjdd.system.pool import Spread
from otjdd.system.steps import Progress

STATES = 49  # knots of the state
FIRST_KNOTS = 17  # voltages to begin with
MOST_RUNS = 150  # of one kind of column, at the voltages of its tables
MOST_VOLTAGES = 150  # at which conductance and charge are read
NARROWEST = 0.02  # V between two knots
TOLERANCE = 0.01  # decades of the conductance that a new voltage may differ from what was expected there
RATE_TOLERANCE = 0.06  # decades of the rate
BESIDE = 30.0  # times the shortest time's rate, where all is over within it; the longest time's likewise


@contextmanager
def reachable(limits: Range) -> Iterator[None]:
    """Turn failures of the solver into NotAsExpected for a range of voltages."""
    try:
        yield
    except SolverError as error:
        raise NotAsExpected(
            "a range of voltages that the solver reaches", f"{limits.low:g} V to {limits.high:g} V ({error})"
        ) from error


class KindOfColumn(NamedTuple):
    """Representative of the columns of one kind during an extraction."""

    bench: Bench  # the one whose rates the tables have
    speeds: tuple[float, float]  # smallest and largest factor between the rates of the columns and those of `bench`
    fast: Bench | None = None  # one that the attempt frequency alone holds back; None where that limit does not count
    fast_speed: float = 1.0  # factor between the hops of `fast` and those of `bench`


class Knot(NamedTuple):
    """Results of the runs at one voltage."""

    rest: float
    log_rate: np.ndarray  # (Q,), see `Tables`
    log_limit: np.ndarray | None  # (Q,); None where the limit does not matter
    branches: list[Branch]


def extract(
    kind: KindOfColumn, limits: Range, spread: Spread, progress: Progress = None
) -> tuple[Tables, dict[str, float]]:
    """Tables of a kind of column, and how they came about (runs, settling time, last deviation found).

    spread : (function, jobs) -> iterator of (number, result), see `otjdd.system.pool.team`
    A run is one at constant voltage; its samples are read after a rest at 0 V. Voltages are added where tables without
    them would have been wrong there, until none is. Raises NotAsExpected for a range that the solver cannot reach or a
    column whose state is no function of its history.
    """
    use = use_of(kind.speeds, limits)
    own = limits._replace(shortest=limits.shortest * kind.speeds[0], longest=limits.longest * kind.speeds[1])
    with reachable(limits):
        ends, more = ends_of(kind.bench, own)
    low, high = (state_of(kind.bench, c, ends.settling) for c in (ends.low, ends.high))
    if high - low < 100.0 * SAME:
        moved = max(high - low, 0.0)
        raise NotAsExpected(
            "ions that stay where the voltage moves them", f"a state that moves by {moved:.2g} of the thickness"
        )
    states = low + (high - low) * even_and_ends(STATES)
    with reachable(limits):
        knots, runs, off_rate = knots_at(kind, ends, states, limits, use, spread, progress)
        at, log_conductance, charge, ratio, off = read_tables(kind.bench, knots, states, spread)
    V = sorted(knots)
    rest = np.array([knots[v].rest for v in V])
    rest = np.maximum.accumulate(rest) if np.diff(rest).min() > -1e-3 else rest
    rates = np.array([knots[v].log_rate for v in V])
    tables = Tables(
        np.array(V), states, np.clip(rest, low, high), rates, limits_at(knots, V), at, log_conductance, np.zeros(2),
        ends.settling / SETTLED, ratio, charge,
    )  # fmt: skip
    check_tables(tables)
    way, last = ways(kind.bench, ends, tables, own.shortest)
    (tables,) = common_knots([tables._replace(way=way)], use, RATE_TOLERANCE / 2.0, TOLERANCE / 2.0)
    return tables, {"runs": more + runs + last, "settling": ends.settling, "rate": off_rate, "conductance": off}


def use_of(speeds: tuple[float, float], limits: Range) -> Use:
    """Which rates of a kind of column matter within a range; speeds : smallest and largest factor of its columns."""
    return Use(*speeds, 1.0 / (BESIDE * limits.longest), BESIDE / limits.shortest)


def knots_at(
    kind: KindOfColumn, ends: Ends, states: np.ndarray, limits: Range, use: Use, spread: Spread, progress: Progress
) -> tuple[dict[float, Knot], int, float]:
    """Voltage -> Knot, the number of runs, and the largest deviation [decades] of a rate that was found last."""
    knots: dict[float, Knot] = {}
    wanted, runs, off = dict.fromkeys(first_voltages(limits), kind.fast is not None), 0, 0.0
    while wanted:
        voltages = list(wanted)
        jobs = [(kind, ends, states, V, np.log10(use.ceiling), wanted[V]) for V in voltages]
        for number, (knot, spent) in spread(knot_at, jobs):
            knots[voltages[number]] = knot
            runs += spent
            if progress:
                progress(min(0.9, runs / MOST_RUNS))
        wanted, off = asked_for(knots, voltages, use)
        room = max(0, (MOST_RUNS - runs) // (2 if kind.fast is None else 4))
        wanted = dict(list(wanted.items())[:room])
    return knots, runs, off


def knot_at(
    kind: KindOfColumn, ends: Ends, states: np.ndarray, voltage: float, fastest: float, both: bool
) -> tuple[Knot, int]:
    """Rates of the columns of a kind at a voltage, with their limit or without, and the number of runs."""
    slow = branches_at(kind.bench, ends, voltage)
    log_limit, runs = None, len(slow)
    if both and kind.fast is not None:
        fast = branches_at(kind.fast, ends._replace(settling=ends.settling / kind.fast_speed), voltage)
        log_limit, runs = log_rates(fast, states, fastest), runs + len(fast)
    return Knot(rest_of(slow), log_rates(slow, states, fastest), log_limit, slow), runs


def limits_at(knots: dict[float, Knot], voltages: Sequence[float]) -> np.ndarray:
    """log10 of the limits of the rates (P, Q) at voltages (P,), from the knots that have one."""
    some = sorted(V for V, knot in knots.items() if knot.log_limit is not None)
    if not some:
        return np.full((len(voltages), STATES), UNLIMITED)
    found: np.ndarray = spline(np.array(some), np.array([knots[V].log_limit for V in some]))(np.array(voltages))
    return found


def asked_for(knots: dict[float, Knot], new: list[float], use: Use) -> tuple[dict[float, bool], float]:
    """Voltages in the middle of intervals that need a knot -> with its limit or without; and by how much the new knots
    were not as expected [decades].

    An interval is in order when the knot in its middle was as expected from all others before.
    """
    known = {V: knot for V, knot in knots.items() if V not in new}
    if not known:
        return dict.fromkeys(middles(sorted(knots), set(knots)), knots[new[0]].log_limit is not None), 0.0
    at = sorted(known)
    rate = spline(np.array(at), np.array([known[V].log_rate for V in at]))(np.array(new))
    limit = limits_at(known, new)
    found, found_limit = np.array([knots[V].log_rate for V in new]), limits_at(knots, new)
    by_limit = np.abs(seen(found, limit, use) - seen(found, found_limit, use)).max(axis=(0, 2))
    off = np.abs(seen(rate, limit, use) - seen(found, found_limit, use)).max(axis=(0, 2))
    wrong = {V for V, each in zip(new, off, strict=True) if each > RATE_TOLERANCE}
    both = set(middles(sorted(knots), {V for V, each in zip(new, by_limit, strict=True) if each > RATE_TOLERANCE}))
    return {V: V in both for V in middles(sorted(knots), wrong)}, float(off.max())


def read_tables(
    bench: Bench, knots: dict[float, Knot], states: np.ndarray, spread: Spread
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Voltages (R,) with log10 of the conductance (R, Q), the charge (R, Q) and the largest film_electron_ratio (R,) there,
    and the deviation that was found last [decades].

    Between the voltages of runs no run is needed: profiles of the runs at the two nearest voltages give the conductance
    within 0.006 decades.
    """
    rows: dict[float, np.ndarray] = {}
    ratio: dict[float, float] = {}
    wanted, off = sorted(knots), 0.0
    while wanted:
        jobs = [(bench, runs_beside(knots, V), states, V) for V in wanted]
        new = {}
        for number, (row, most) in spread(readings_at, jobs):
            new[wanted[number]], ratio[wanted[number]] = row, most
        if rows:
            at = sorted(rows)
            expected = spline(np.array(at), np.array([rows[V] for V in at]))(np.array(wanted))
            found = np.array([new[V] for V in wanted])
            span = np.ptp([row[1] for row in (*rows.values(), *new.values())])
            each = np.abs(in_decades(found, span) - in_decades(expected, span)).max(axis=(1, 2))
            wrong, off = {V for V, far in zip(wanted, each, strict=True) if far > TOLERANCE}, float(each.max())
        else:
            wrong = set(new)
        rows |= new
        wanted = middles(sorted(rows), wrong)[: MOST_VOLTAGES - len(rows)]
    at = sorted(rows)
    log_conductance, charge = np.moveaxis(np.array([rows[V] for V in at]), 1, 0)
    return np.array(at), log_conductance, charge, np.array([ratio[V] for V in at]), off


def runs_beside(knots: dict[float, Knot], voltage: float) -> list[tuple[float, list[Branch]]]:
    """Runs at the nearest voltages below and above, each with its share."""
    V = np.array(sorted(knots))
    i = int(np.clip(np.searchsorted(V, voltage, side="right"), 1, V.size - 1))
    share = (voltage - V[i - 1]) / (V[i] - V[i - 1])
    return [(a, knots[float(v)].branches) for a, v in ((1.0 - share, V[i - 1]), (share, V[i])) if a > 0.0]


def readings_at(
    bench: Bench, runs: list[tuple[float, list[Branch]]], states: np.ndarray, voltage: float
) -> tuple[np.ndarray, float]:
    """log10 of the conductance and the charge (2, Q) at a voltage, of profiles of runs with their shares; the largest
    electron ratio."""
    found = [(share, readings(bench, branches, states, voltage)) for share, branches in runs]
    rows = sum((share * np.array(each[:2]) for share, each in found), np.zeros((2, states.size)))
    return rows, max(each.electron_ratio for _, each in found)


def middles(voltages: list[float], wrong: set[float]) -> list[float]:
    """Middles of the intervals next to voltages that were wrong, of intervals that are wide enough; the widest first."""
    wide = [(a, b) for a, b in pairwise(voltages) if (a in wrong or b in wrong) and b - a >= 2.0 * NARROWEST]
    return [0.5 * (a + b) for a, b in sorted(wide, key=lambda pair: pair[0] - pair[1])]


def first_voltages(limits: Range) -> np.ndarray:
    """Voltages to begin with, 0 V among them."""
    return np.unique(np.append(np.linspace(limits.low, limits.high, FIRST_KNOTS), 0.0))


def even_and_ends(count: int) -> np.ndarray:
    """Numbers (count,) from 0 to 1, denser towards both ends."""
    even = np.linspace(0.0, 1.0, count)
    return 0.5 * even + 0.5 * (0.5 - 0.5 * np.cos(np.pi * even))
