"""Tables of a kind of column from runs of the solver at constant voltage.

The state q of a column is the mean position of its vacancies after `settling` seconds at 0 V, the place where they come to
rest. The mean position itself also depends on the present voltage: vacancies move within the wells at the two interfaces,
and some are on the way between them (5 % at 2.2 V). The mean position jumps back as the voltage is removed, q does not.
With rate and current as functions of q and V_j alone, reads after pulses of 50 ns are predicted within 0.03 decades; as
functions of the mean position, within 0.08.

Vacancies that no well holds come to rest at 0 V in the same place from any start. The state is then the mean position after
the shortest time of the range, and relaxes at 0 V as at any other voltage.

The way is the film between the two wells. When a voltage is applied it is empty, and has to fill before vacancies arrive
as fast as they leave. A second state, the filling of the way, delays the flow by the share that `bench.ways` measures.

Columns that differ in their activation energy only have the same states of rest and the same conductance. In weak field
their rates are those of the hops, which are proportional to each other by the speed s. In strong field the rate is limited
by the attempt frequency, which is the same for all. In between 1/r^2 = 1/(s r_slow)^2 + 1/r_fast^2, as in the velocity of
the Mott-Gurney law. Runs of a column far slower than all others give r_slow, runs of a far faster column give r_fast. On
the reference device this formula gives the rates of columns between the two within 0.01 decades rms, below 1/(20 ns).

Columns whose ions do not move within the longest time have one state, that of a uniform film, which is at rest at every
voltage. Their tables describe the current and the charge only.

In a film that was never written most vacancies are on the way between the two wells. They settle in the wells, at 0 V
within the settling time. Until then the state q does not describe them. A further state does: the unsettled share w of
these vacancies, 1 in a uniform film and 0 at rest:

    dw/dt = -l(V_j, w) w        dq/dt = ... + m(V_j, w) l w        ln G = ... + w e(V_j, w)

A run from the uniform film at each voltage gives the rate l, the move m of the state q by a share that settles, and the
excess e. The rate l is proportional to the speed of a column: the limit by the attempt frequency matters only
at times shorter than those of the range. The charge of the junction is that of a film at rest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from otjdd.compact_models.bench import (
    COARSE,
    SAME,
    SETTLED,
    Bench,
    Branch,
    Ends,
    at_states,
    branches_at,
    column_states,
    concentrations_after,
    extreme_profiles,
    is_uniform,
    log_rates,
    moving,
    ordered,
    position,
    readings_of_profiles,
    rest_of,
    settling_time,
    state_of,
    stations,
    uniform_film,
    ways,
)
from otjdd.compact_models.tables import (
    UNLIMITED,
    Range,
    Tables,
    Use,
    begun_at_rest,
    check_tables,
    common_knots,
    evaluated,
    in_decades,
    limited_rates,
    monotone,
    spline,
)
from otjdd.errors import NotAsExpected, SolverError
from otjdd.solver.integrate import of_part
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
BEYOND = 5e-3  # of the thickness: largest distance of a state of rest from the states of the tables
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


class Extraction(NamedTuple):
    """What an extraction is for, and who does it."""

    limits: Range  # that the tables shall hold for
    spread: Spread  # (function, jobs) -> iterator of (number, result), see `otjdd.system.pool.team`
    progress: Progress = None  # called with the fraction done

    def part(self, number: int, parts: int) -> "Extraction":
        """The same for one of several equal parts of the work, counted from 0."""
        return self._replace(progress=of_part(self.progress, number, parts))


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


def extract(kind: KindOfColumn, order: Extraction) -> tuple[Tables, dict[str, float]]:
    """Tables of a kind of column, and statistics: number of runs, settling time [s], last deviations [decades].

    Each run has a constant voltage; the state of a sample is its mean position after a rest at 0 V. Voltages are added in
    intervals whose interpolation is beyond its tolerance, up to MOST_RUNS runs. A column whose vacancies do not move gets
    tables of one state.
    Raises NotAsExpected for a range that the solver cannot reach, and for a column whose vacancies move, but do not stay
    where the voltage moves them.
    """
    limits, own = order.limits, widened(order.limits, kind.speeds)
    with reachable(limits):
        first, last = extreme_profiles(kind.bench, own)
        if is_uniform(kind.bench, first) and is_uniform(kind.bench, last):
            return unmoved(kind, order)
        settling, more = settling_time(kind.bench, first, last, own)
    ends = Ends(first, last, settling)
    if np.diff(span_of(kind.bench, ends))[0] < FEWEST_MOVES * SAME:
        ends = ends._replace(settling=own.shortest)  # no well holds the vacancies at 0 V: take their early position
    low, high = span_of(kind.bench, ends)
    if high - low < FEWEST_MOVES * SAME:
        moved = max(high - low, 0.0)
        raise NotAsExpected(
            f"ions that are still where the voltage moved them after {ends.settling:.2g} s at 0 V, the shortest time "
            "(wells at the electrodes, ions.well_left and ions.well_right, hold them there)",
            f"a state that moves by {moved:.2g} of the thickness",
        )
    with reachable(limits):
        ends, states, knots, runs, off_rate = ends_and_knots(kind, ends, order)
        tables, off = tables_of_knots(kind.bench, knots, states, ends.settling, order.spread)
    way, late = ways(kind.bench, ends, tables, own.shortest)
    use = use_of(kind.speeds, limits)
    (tables,) = common_knots([tables._replace(way=way)], use, RATE_TOLERANCE / 2.0, TOLERANCE / 2.0)
    return tables, {
        "runs": EXTREME_RUNS + more + runs + late,
        "settling": ends.settling,
        "rate": off_rate,
        "conductance": off,
    }


def unmoved(kind: KindOfColumn, order: Extraction) -> tuple[Tables, dict[str, float]]:
    """As `extract`, for a column whose vacancies do not move: tables of the one state of a uniform film."""
    limits, use, c = order.limits, use_of(kind.speeds, order.limits), uniform_film(kind.bench)
    states = np.array([position(kind.bench, c)])
    sample = Branch(np.zeros(1), states, c)
    rate, none = np.full(1, np.log10(use.floor)), np.full(1, UNLIMITED)
    knots = {float(V): Knot(float(states[0]), rate, none, [sample]) for V in first_voltages(limits)}
    tables, off = tables_of_knots(kind.bench, knots, states, limits.shortest, order.spread)
    (tables,) = common_knots([tables], use, RATE_TOLERANCE / 2.0, TOLERANCE / 2.0)
    return tables, {"runs": EXTREME_RUNS, "settling": limits.shortest, "rate": 0.0, "conductance": off}


def tables_of_knots(
    bench: Bench, knots: dict[float, Knot], states: np.ndarray, settling: float, spread: Spread
) -> tuple[Tables, float]:
    """Tables without a way, at the voltages of the knots, and the last deviation [decades] of the conductance."""
    at, log_conductance, charge, ratio, off = read_tables(bench, knots, states, spread)
    V = sorted(knots)
    rest, rates = np.array([knots[v].rest for v in V]), np.array([knots[v].log_rate for v in V])
    tables = Tables(
        np.array(V), states, np.clip(rest, states[0], states[-1]), rates, limits_at(knots, V), at, log_conductance,
        np.zeros(2), settling / SETTLED, ratio, charge, **begun_at_rest(len(V)),
    )  # fmt: skip
    check_tables(tables)
    return tables, off


def widened(limits: Range, speeds: tuple[float, float]) -> Range:
    """The range of times of a column of speed 1 that stands for columns from the slowest to the fastest."""
    return limits._replace(shortest=limits.shortest * speeds[0], longest=limits.longest * speeds[1])


def use_of(speeds: tuple[float, float], limits: Range) -> Use:
    """The rates of a kind of column that matter in a range. speeds : smallest and largest of its columns"""
    return Use(*speeds, 1.0 / (BESIDE * limits.longest), BESIDE / limits.shortest)


def span_of(bench: Bench, ends: Ends) -> tuple[float, float]:
    """States at both ends."""
    return state_of(bench, ends.low, ends.settling), state_of(bench, ends.high, ends.settling)


def ends_and_knots(
    kind: KindOfColumn, ends: Ends, order: Extraction
) -> tuple[Ends, np.ndarray, dict[float, Knot], int, float]:
    """Ends, knots of the state (Q,) between them, and the results of `knots_at`.

    A voltage within the range may lead further than the voltage at its end: in 10 nm of vcm-cell the state of rest is 0.58
    at 1.6 V and 0.80 at 1.3 V, as film electrons draw vacancies back. The end is then the state of rest of that voltage.
    """
    runs = 0
    while True:
        low, high = span_of(kind.bench, ends)
        even = np.linspace(0.0, 1.0, STATES)
        states = low + (high - low) * (0.5 * even + 0.25 * (1.0 - np.cos(np.pi * even)))  # denser towards both ends
        knots, more, off = knots_at(kind, ends, states, order)
        runs += more
        least, most = min(knots.values(), key=lambda knot: knot.rest), max(knots.values(), key=lambda knot: knot.rest)
        if not is_beyond(states, [least.rest, most.rest]):
            return ends, states, knots, runs, off
        if most.rest > high:
            ends = ends._replace(high=most.branches[0].c[-1:])
        if least.rest < low:
            ends = ends._replace(low=least.branches[0].c[-1:])


def is_beyond(states: np.ndarray, rests: Sequence[float]) -> bool:
    """True if a state of rest lies beyond the range of the states (Q,) by more than BEYOND."""
    return bool(min(rests) < states[0] - BEYOND or max(rests) > states[-1] + BEYOND)


def knots_at(
    kind: KindOfColumn, ends: Ends, states: np.ndarray, order: Extraction
) -> tuple[dict[float, Knot], int, float]:
    """Voltage -> Knot, the number of runs, and the largest deviation [decades] of the rates in the last round.

    The knots are incomplete if a state of rest is beyond the states.
    """
    knots: dict[float, Knot] = {}
    use = use_of(kind.speeds, order.limits)
    next_knots, runs, off = dict.fromkeys(first_voltages(order.limits), kind.fast is not None), 0, 0.0
    while next_knots:
        voltages = list(next_knots)
        jobs = [(kind, ends, states, V, np.log10(use.ceiling), next_knots[V]) for V in voltages]
        for number, (knot, spent) in order.spread(knot_at, jobs):
            knots[voltages[number]] = knot
            runs += spent
            if order.progress:
                order.progress(min(0.9, runs / MOST_RUNS))
        if is_beyond(states, [knot.rest for knot in knots.values()]):
            break
        next_knots, off = knots_to_add(knots, voltages, use)
        room = max(0, (MOST_RUNS - runs) // (2 if kind.fast is None else 4))
        next_knots = dict(list(next_knots.items())[:room])
    return knots, runs, off


def knot_at(
    kind: KindOfColumn, ends: Ends, states: np.ndarray, voltage: float, fastest: float, both: bool
) -> tuple[Knot, int]:
    """Knot of a kind of column at a voltage [V], and the number of runs.

    fastest : log10 of the rate of a run at rest before its first sample   both : also run the fast column, for the limit
    """
    slow = branches_at(kind.bench, ends, voltage, COARSE)
    log_limit, runs = None, len(slow)
    if both and kind.fast is not None:
        fast = branches_at(kind.fast, ends._replace(settling=ends.settling / kind.fast_speed), voltage, COARSE)
        log_limit, runs = log_rates(fast, states, fastest), runs + len(fast)
    return Knot(rest_of(slow), log_rates(slow, states, fastest), log_limit, slow), runs


def limits_at(knots: dict[float, Knot], voltages: Sequence[float]) -> np.ndarray:
    """log10 of the limits of the rates (P, Q) at voltages (P,), interpolated between the knots with a limit."""
    some = sorted(V for V, knot in knots.items() if knot.log_limit is not None)
    if not some:
        return np.full((len(voltages), STATES), UNLIMITED)
    return spline(np.array(some), np.array([knots[V].log_limit for V in some]))(np.array(voltages))


def knots_to_add(knots: dict[float, Knot], new: list[float], use: Use) -> tuple[dict[float, bool], float]:
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
            wrong = {V for V, far in zip(next_voltages, deviations, strict=True) if far > TOLERANCE}
            off = float(deviations.max())
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
    rows, ratios = np.zeros((2, states.size)), []
    for share, branches in runs:
        profiles, places = (
            np.concatenate([getattr(run, name)[moving(run)] for run in branches]) for name in ("c", "state")
        )
        read = readings_of_profiles(bench, profiles, voltage)
        by_state = ordered(np.column_stack((places, np.log10(read.conductance), read.charge)))
        rows += share * np.array([at_states(by_state[:, [0, column]], states) for column in (1, 2)])
        ratios.append(read.electron_ratio)
    return rows, max(ratios)


def middles(voltages: list[float], wrong: set[float]) -> list[float]:
    """Middles of the intervals beside the voltages `wrong`, the widest interval first. Narrow intervals are left out."""
    wide = [(a, b) for a, b in pairwise(voltages) if (a in wrong or b in wrong) and b - a >= 2.0 * NARROWEST]
    return [0.5 * (a + b) for a, b in sorted(wide, key=lambda pair: pair[0] - pair[1])]


def first_voltages(limits: Range) -> np.ndarray:
    """Voltages to start with, 0 V among them."""
    return np.unique(np.append(np.linspace(limits.low, limits.high, FIRST_KNOTS), 0.0))


SHARE_KNOTS = 9  # of the share
EMPTIED = 0.5  # of the mean concentration: cells with less, once a uniform film is at rest, are on the way
LEAST_SHARE = 0.25  # smaller initial shares count as settled: a set that has just ended leaves 0.12 on the way
SHARES_PER_DECADE = 8  # samples per decade of time
SHARES_APART = 0.02  # smallest difference of the shares of two samples, and smallest share of a sample
NO_SHARE = 1e-9  # least share, and least change of a share, in quotients
FIRST_SHARE = 1e-2  # first sample over the shortest time that matters
RATES_BEYOND = 10.0  # margin of the rates that matter


def unsettled_shares(bench: Bench, settling: float, c: np.ndarray) -> np.ndarray:
    """Unsettled shares (n,) of concentrations (n, N) [1/m3]. settling : time [s] in which vacancies settle at 0 V"""
    film = uniform_film(bench)
    rest = concentrations_after(bench, film, 0.0, settling)
    on_way = np.where(rest[0] < EMPTIED * bench.density, bench.junction.columns.width[0], 0.0)
    start, end = float(film[0] @ on_way), float(rest[0] @ on_way)
    if start - end < EMPTIED * start or start == 0.0:  # a film that stays as it is
        return np.zeros(len(c))
    return np.clip((c @ on_way - end) / (start - end), 0.0, 1.0)


def with_settling(kind: KindOfColumn, tables: Tables, order: Extraction) -> tuple[Tables, int]:
    """Tables with those of the unsettled share, and the number of runs."""
    use, longest, knots = use_of(kind.speeds, order.limits), order.limits.longest, np.linspace(0.0, 1.0, SHARE_KNOTS)
    times = np.geomspace(
        FIRST_SHARE * use.slowest / use.ceiling, longest * use.fastest,
        1 + round(SHARES_PER_DECADE * np.log10(longest * use.fastest * use.ceiling / (FIRST_SHARE * use.slowest))),
    )  # fmt: skip
    rows = np.zeros((tables.voltage.size, 3, SHARE_KNOTS))
    for number, row in order.spread(settling_at, [(kind.bench, tables, use, times, knots, V) for V in tables.voltage]):
        rows[number] = row
    return tables._replace(
        share=knots, log_settling=rows[:, 0], settling_move=rows[:, 1], excess=rows[:, 2]
    ), tables.voltage.size


def settling_at(
    bench: Bench, tables: Tables, use: Use, times: np.ndarray, knots: np.ndarray, voltage: float
) -> np.ndarray:
    """Log10 of the rate, move and excess (3, S) at a voltage [V] and shares (S,), from a run sampled at times (n,) [s]."""
    settling = SETTLED * tables.emptying
    profiles = np.concatenate([uniform_film(bench), *stations(bench, uniform_film(bench), voltage, times)])
    share, time = unsettled_shares(bench, settling, profiles), np.append(0.0, times)
    separate = [0]
    for i in range(1, share.size):
        if share[i] > SHARES_APART and share[separate[-1]] - share[i] > SHARES_APART:
            separate.append(i)
    chosen = np.array(separate if len(separate) > 1 else [0, 1])
    q = np.clip(column_states(bench, profiles[chosen], settling), tables.state[0], tables.state[-1])
    share, time = share[chosen], time[chosen]
    V = np.array([voltage])
    at_rest, rates = (evaluated(tables, name, V, q)[0] for name in ("log_conductance", "log_rate"))
    conductance = readings_of_profiles(bench, profiles[chosen], voltage).conductance
    away = monotone(tables.voltage, tables.rest)(voltage) - q
    lasts, lost, middle = np.diff(time), np.maximum(-np.diff(share), NO_SHARE), 0.5 * (share[1:] + share[:-1])
    slowest = np.log10(use.floor / use.fastest / RATES_BEYOND)
    fastest = np.log10(use.ceiling / use.slowest * RATES_BEYOND)
    rate = np.clip(np.log10(np.log1p(lost / np.maximum(share[1:], NO_SHARE)) / lasts), slowest, fastest)
    drift = -away[:-1] * np.expm1(-(10.0 ** (0.5 * (rates[1:] + rates[:-1]))) * lasts)
    move, some = np.clip((np.diff(q) - drift) / lost, -1.0, 1.0), share > SHARES_APART
    excess = (np.log10(conductance) - at_rest)[some] / share[some]
    samples = (middle, rate), (middle, move), (share[some], excess)
    return np.array([np.interp(knots, at[::-1], values[::-1]) for at, values in samples])
