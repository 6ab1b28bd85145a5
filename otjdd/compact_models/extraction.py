"""Tables of a kind of column from runs of the solver at constant voltage.

The state q of a column is the mean position of its vacancies after `settling` seconds at 0 V, the place where they come to
rest. The mean position itself also depends on the present voltage: vacancies move within the wells at the two interfaces,
and some are on the way between them (5 % at 2.2 V). The mean position jumps back as the voltage is removed, q does not.
With rate and current as functions of q and V_j alone, reads after pulses of 50 ns are predicted within 0.03 decades; as
functions of the mean position, within 0.08.

Vacancies that no well holds come to rest at 0 V in the same place from any start. The state is then the mean position after
the shortest time of the range, and relaxes at 0 V as at any other voltage.

The way is the film between the two wells. When a voltage is applied it is empty, and has to fill before vacancies arrive
as fast as they leave. A second state, the filling of the way, delays the flow by the share that `ends.ways` measures.

Columns that differ in their activation energy only have the same states of rest and the same conductance. In weak field
their rates are those of the hops, which are proportional to each other by the speed s. In strong field the rate is limited
by the attempt frequency, which is the same for all. In between 1/r^2 = 1/(s r_slow)^2 + 1/r_fast^2, as in the velocity of
the Mott-Gurney law. Runs of a column far slower than all others give r_slow, runs of a far faster column give r_fast. On
the reference device this formula gives the rates of columns between the two within 0.01 decades rms, below 1/(20 ns).

Columns whose ions do not move within the longest time have one state, that of a uniform film, which is at rest at every
voltage. Their tables describe the current and the charge only.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.bench import Bench
from otjdd.compact_models.branches import (
    SAME,
    Branch,
    Ends,
    branches_at,
    log_rates,
    rest_of,
    rows_of,
    state_of,
)
from otjdd.compact_models.ends import SETTLED, ends_of, extremes, is_uniform, uniform, ways
from otjdd.compact_models.limits import Range
from otjdd.compact_models.tables import (
    UNLIMITED,
    Tables,
    Use,
    begun_at_rest,
    check_tables,
    common_knots,
    in_decades,
    limited_rates,
    spline,
)
from otjdd.errors import NotAsExpected, SolverError
from otjdd.system.pool import Spread
from otjdd.system.steps import Progress

STATES = 49  # knots of the state
FIRST_KNOTS = 17  # voltages to start with
EXTREME_RUNS = 3  # of `extremes`
MOST_RUNS = 150  # most runs for one kind of column
MOST_VOLTAGES = 150  # most voltages at which conductance and charge are read
NARROWEST = 0.02  # V, smallest distance of two knots
TOLERANCE = 0.01  # decades: allowed difference of the conductance at a new voltage from its interpolation
RATE_TOLERANCE = 0.06  # decades: the same for the rate
FEWEST_MOVES = 100.0  # in SAME: a smaller range of the state counts as no range
BESIDE = 30.0  # rates matter from 1/30 of the inverse of the longest time to 30 times that of the shortest


@contextmanager
def reachable(limits: Range) -> Iterator[None]:
    """Turn failures of the solver into NotAsExpected for a range of voltages."""
    try:
        yield
    except SolverError as error:
        raise NotAsExpected(
            "a range of voltages that the solver reaches (--voltage=LOW:HIGH)",
            f"{limits.low:g} V to {limits.high:g} V ({error})",
        ) from error


class KindOfColumn(NamedTuple):
    """The columns that represent a kind during an extraction."""

    bench: Bench  # the column whose rates are tabulated
    speeds: tuple[float, float]  # smallest and largest ratio of the rates of the columns to those of `bench`
    fast: Bench | None = None  # a column limited by the attempt frequency alone; None if that limit does not matter
    fast_speed: float = 1.0  # ratio of the hops of `fast` to those of `bench`


class Knot(NamedTuple):
    """Results of the runs at one voltage."""

    rest: float
    log_rate: np.ndarray  # (Q,), see `Tables`
    log_limit: np.ndarray | None  # (Q,); None where the limit does not matter
    branches: list[Branch]


def extract(
    kind: KindOfColumn, limits: Range, spread: Spread, progress: Progress = None
) -> tuple[Tables, dict[str, float]]:
    """Tables of a kind of column, and statistics: number of runs, settling time [s], last deviations [decades].

    spread : (function, jobs) -> iterator of (number, result), see `otjdd.system.pool.team`
    Each run has a constant voltage; the state of a sample is its mean position after a rest at 0 V. Voltages are added in
    intervals whose interpolation is beyond its tolerance, up to MOST_RUNS runs. A column whose vacancies do not move gets
    tables of one state.
    Raises NotAsExpected for a range that the solver cannot reach, and for a column whose vacancies move, but do not stay
    where the voltage moves them.
    """
    use = use_of(kind.speeds, limits)
    own = widened(limits, kind.speeds)
    with reachable(limits):
        first, last = extremes(kind.bench, own)
        if is_uniform(kind.bench, first) and is_uniform(kind.bench, last):
            return unmoved(kind, limits, spread)
        ends, more = ends_of(kind.bench, first, last, own)
    low, high = (state_of(kind.bench, c, ends.settling) for c in (ends.low, ends.high))
    if high - low < FEWEST_MOVES * SAME:  # no well holds the vacancies at 0 V: take their early position
        ends = ends._replace(settling=own.shortest)
        low, high = (state_of(kind.bench, c, ends.settling) for c in (ends.low, ends.high))
    if high - low < FEWEST_MOVES * SAME:
        moved = max(high - low, 0.0)
        raise NotAsExpected(
            f"ions that are still where the voltage moved them after {ends.settling:.2g} s at 0 V, the shortest time "
            "(wells at the electrodes, ions.well_left and ions.well_right, hold them there)",
            f"a state that moves by {moved:.2g} of the thickness",
        )
    states = low + (high - low) * even_and_ends(STATES)
    with reachable(limits):
        knots, runs, off_rate = knots_at(kind, ends, states, limits, use, spread, progress)
        at, log_conductance, charge, ratio, off = read_tables(kind.bench, knots, states, spread)
    V = sorted(knots)
    rest = np.array([knots[v].rest for v in V])
    rates = np.array([knots[v].log_rate for v in V])
    tables = Tables(
        np.array(V), states, np.clip(rest, low, high), rates, limits_at(knots, V), at, log_conductance, np.zeros(2),
        ends.settling / SETTLED, ratio, charge, **begun_at_rest(len(V)),
    )  # fmt: skip
    check_tables(tables)
    way, late = ways(kind.bench, ends, tables, own.shortest)
    (tables,) = common_knots([tables._replace(way=way)], use, RATE_TOLERANCE / 2.0, TOLERANCE / 2.0)
    return tables, {
        "runs": EXTREME_RUNS + more + runs + late,
        "settling": ends.settling,
        "rate": off_rate,
        "conductance": off,
    }


def unmoved(kind: KindOfColumn, limits: Range, spread: Spread) -> tuple[Tables, dict[str, float]]:
    """As `extract`, for a column whose vacancies do not move: tables of the one state of a uniform film."""
    use, c = use_of(kind.speeds, limits), uniform(kind.bench)
    states = np.array([on_bench.position(kind.bench, c)])
    sample = Branch(np.zeros(1), states, c)
    rate, none = np.full(1, np.log10(use.floor)), np.full(1, UNLIMITED)
    knots = {float(V): Knot(float(states[0]), rate, none, [sample]) for V in first_voltages(limits)}
    at, log_conductance, charge, ratio, off = read_tables(kind.bench, knots, states, spread)
    V, settling = np.array(sorted(knots)), limits.shortest
    tables = Tables(
        V, states, np.full(V.size, states[0]), np.tile(rate, (V.size, 1)), np.tile(none, (V.size, 1)), at,
        log_conductance, np.zeros(2), settling / SETTLED, ratio, charge, **begun_at_rest(V.size),
    )  # fmt: skip
    check_tables(tables)
    (tables,) = common_knots([tables], use, RATE_TOLERANCE / 2.0, TOLERANCE / 2.0)
    return tables, {"runs": EXTREME_RUNS, "settling": settling, "rate": 0.0, "conductance": off}


def widened(limits: Range, speeds: tuple[float, float]) -> Range:
    """The range of times of a column of speed 1 that stands for columns from the slowest to the fastest."""
    return limits._replace(shortest=limits.shortest * speeds[0], longest=limits.longest * speeds[1])


def use_of(speeds: tuple[float, float], limits: Range) -> Use:
    """The rates of a kind of column that matter in a range. speeds : smallest and largest of its columns"""
    return Use(*speeds, 1.0 / (BESIDE * limits.longest), BESIDE / limits.shortest)


def knots_at(
    kind: KindOfColumn, ends: Ends, states: np.ndarray, limits: Range, use: Use, spread: Spread, progress: Progress
) -> tuple[dict[float, Knot], int, float]:
    """Voltage -> Knot, the number of runs, and the largest deviation [decades] of the rates in the last round."""
    knots: dict[float, Knot] = {}
    next_knots, runs, off = dict.fromkeys(first_voltages(limits), kind.fast is not None), 0, 0.0
    while next_knots:
        voltages = list(next_knots)
        jobs = [(kind, ends, states, V, np.log10(use.ceiling), next_knots[V]) for V in voltages]
        for number, (knot, spent) in spread(knot_at, jobs):
            knots[voltages[number]] = knot
            runs += spent
            if progress:
                progress(min(0.9, runs / MOST_RUNS))
        next_knots, off = asked_for(knots, voltages, use)
        room = max(0, (MOST_RUNS - runs) // (2 if kind.fast is None else 4))
        next_knots = dict(list(next_knots.items())[:room])
    return knots, runs, off


def knot_at(
    kind: KindOfColumn, ends: Ends, states: np.ndarray, voltage: float, fastest: float, both: bool
) -> tuple[Knot, int]:
    """Knot of a kind of column at a voltage [V], and the number of runs.

    fastest : log10 of the rate of a run at rest before its first sample   both : also run the fast column, for the limit
    """
    slow = branches_at(kind.bench, ends, voltage)
    log_limit, runs = None, len(slow)
    if both and kind.fast is not None:
        fast = branches_at(kind.fast, ends._replace(settling=ends.settling / kind.fast_speed), voltage)
        log_limit, runs = log_rates(fast, states, fastest), runs + len(fast)
    return Knot(rest_of(slow), log_rates(slow, states, fastest), log_limit, slow), runs


def limits_at(knots: dict[float, Knot], voltages: Sequence[float]) -> np.ndarray:
    """log10 of the limits of the rates (P, Q) at voltages (P,), interpolated between the knots with a limit."""
    some = sorted(V for V, knot in knots.items() if knot.log_limit is not None)
    if not some:
        return np.full((len(voltages), STATES), UNLIMITED)
    return spline(np.array(some), np.array([knots[V].log_limit for V in some]))(np.array(voltages))


def asked_for(knots: dict[float, Knot], new: list[float], use: Use) -> tuple[dict[float, bool], float]:
    """Voltage of each knot to add -> True if its limit is needed; and the largest deviation [decades] of the new knots.

    A new knot is compared with the interpolation of the older ones. If it deviates by more than RATE_TOLERANCE, knots are
    added in the middle of the intervals beside it.
    """
    older = {V: knot for V, knot in knots.items() if V not in new}
    if not older:
        return dict.fromkeys(middles(sorted(knots), set(knots)), knots[new[0]].log_limit is not None), 0.0
    at = sorted(older)
    rate = spline(np.array(at), np.array([older[V].log_rate for V in at]))(np.array(new))
    limit = limits_at(older, new)
    log_rate, log_limit = np.array([knots[V].log_rate for V in new]), limits_at(knots, new)
    by_limit = np.abs(limited_rates(log_rate, limit, use) - limited_rates(log_rate, log_limit, use)).max(axis=(0, 2))
    off = np.abs(limited_rates(rate, limit, use) - limited_rates(log_rate, log_limit, use)).max(axis=(0, 2))
    wrong = {V for V, deviation in zip(new, off, strict=True) if deviation > RATE_TOLERANCE}
    limited = {V for V, deviation in zip(new, by_limit, strict=True) if deviation > RATE_TOLERANCE}
    both = set(middles(sorted(knots), limited))
    return {V: V in both for V in middles(sorted(knots), wrong)}, float(off.max())


def read_tables(
    bench: Bench, knots: dict[float, Knot], states: np.ndarray, spread: Spread
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Voltages (R,), log10 of the conductance (R, Q), charge (R, Q), largest film_electron_ratio (R,), and the largest
    deviation [decades] in the last round.

    Voltages between those of runs need no runs: the profiles of the runs at the two nearest voltages give the conductance
    within 0.006 decades.
    """
    rows: dict[float, np.ndarray] = {}
    ratio: dict[float, float] = {}
    next_voltages, off = sorted(knots), 0.0
    while next_voltages:
        jobs = [(bench, runs_beside(knots, V), states, V) for V in next_voltages]
        new = {}
        for number, (row, most) in spread(readings_at, jobs):
            new[next_voltages[number]], ratio[next_voltages[number]] = row, most
        if rows:
            at = sorted(rows)
            expected = spline(np.array(at), np.array([rows[V] for V in at]))(np.array(next_voltages))
            actual = np.array([new[V] for V in next_voltages])
            span = np.ptp([row[1] for row in (*rows.values(), *new.values())])
            deviations = np.abs(in_decades(actual, span) - in_decades(expected, span)).max(axis=(1, 2))
            wrong, off = (
                {V for V, far in zip(next_voltages, deviations, strict=True) if far > TOLERANCE},
                float(deviations.max()),
            )
        else:
            wrong = set(new)
        rows |= new
        next_voltages = middles(sorted(rows), wrong)[: MOST_VOLTAGES - len(rows)]
    at = sorted(rows)
    log_conductance, charge = np.moveaxis(np.array([rows[V] for V in at]), 1, 0)
    return np.array(at), log_conductance, charge, np.array([ratio[V] for V in at]), off


def runs_beside(knots: dict[float, Knot], voltage: float) -> list[tuple[float, list[Branch]]]:
    """(share, runs) at the nearest voltages below and above a voltage, for a linear interpolation."""
    V = np.array(sorted(knots))
    i = int(np.clip(np.searchsorted(V, voltage, side="right"), 1, V.size - 1))
    share = (voltage - V[i - 1]) / (V[i] - V[i - 1])
    return [(a, knots[float(v)].branches) for a, v in ((1.0 - share, V[i - 1]), (share, V[i])) if a > 0.0]


def readings_at(
    bench: Bench, runs: list[tuple[float, list[Branch]]], states: np.ndarray, voltage: float
) -> tuple[np.ndarray, float]:
    """log10 of the conductance, and the charge (2, Q), at a voltage, from profiles of runs with their shares; and the
    largest electron ratio.
    """
    of_runs = [rows_of(bench, branches, states, voltage) for _, branches in runs]
    rows = sum((share * row for (share, _), (row, _) in zip(runs, of_runs, strict=True)), np.zeros((2, states.size)))
    return rows, max(most for _, most in of_runs)


def middles(voltages: list[float], wrong: set[float]) -> list[float]:
    """Middles of the intervals beside the voltages `wrong`, the widest interval first. Narrow intervals are left out."""
    wide = [(a, b) for a, b in pairwise(voltages) if (a in wrong or b in wrong) and b - a >= 2.0 * NARROWEST]
    return [0.5 * (a + b) for a, b in sorted(wide, key=lambda pair: pair[0] - pair[1])]


def first_voltages(limits: Range) -> np.ndarray:
    """Voltages to start with, 0 V among them."""
    return np.unique(np.append(np.linspace(limits.low, limits.high, FIRST_KNOTS), 0.0))


def even_and_ends(count: int) -> np.ndarray:
    """Numbers (count,) from 0 to 1, denser towards both ends."""
    even = np.linspace(0.0, 1.0, count)
    return 0.5 * even + 0.5 * (0.5 - 0.5 * np.cos(np.pi * even))
