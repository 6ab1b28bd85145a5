"""One column of a device on a bench: runs at constant voltages of the junction, without a circuit, and what they give.

A run starts at one end of the range of the state and ends at the state of rest of its voltage. If the state of rest is not
the other end, a second run starts from that other end. The rate between two samples is that of an exponential approach to
the state of rest, which is exact for a constant rate. Columns at rest give the ends of that range, their settling time at
0 V, and the filling of the way between wells, which is the film between the wells at the two interfaces, see `extraction`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.integrate import trapezoid
from scipy.interpolate import PchipInterpolator

from otjdd.case.case import Case
from otjdd.compact_models.tables import Range, Tables
from otjdd.errors import SolverError
from otjdd.physics.junction import Junction
from otjdd.solver import integrate, model, model_limits
from otjdd.solver.integrate import Run
from otjdd.solver.model import Member
from otjdd.stepping.course import COPY
from otjdd.stepping.run_log import ELECTRONS, VALUE, Watch, new_watch, no_watch
from otjdd.variables import CURRENT, TERMINAL_LEFT

PROBE = 1e-3  # V: the chord conductance at this voltage stands for that at 0 V
MOST_RTOL = 1e-2  # of runs until rest; with a larger one, runs of nb-sto-trains end before they are at rest


class Bench(NamedTuple):
    """A column that fills the whole junction, and the accuracy of its integration."""

    junction: Junction  # arguments of the kernels
    x: np.ndarray  # (N,) centres of the cells, from 0 to 1 of the thickness
    density: float  # 1/m3, mean concentration
    rtol: float
    atol: float
    max_steps: int
    states: float  # 1/m3, density of states of the film for electrons


def bench_of(case: Case, member: Member) -> Bench:
    """Bench of one column of a case."""
    alone = case.circuit.model_copy(update={"series_resistance": 0.0, "compliance": None})
    bare = case.model_copy(update={"circuit": alone})
    junction = model.junction(bare, parts=[member._replace(weight=1.0)])
    width, numerics = junction.columns.width[0], case.numerics
    x = (np.cumsum(width) - 0.5 * width) / width.sum()
    states = float(case.device.film_states(case.temperature))
    return Bench(junction, x, member.density, min(numerics.rtol, MOST_RTOL), numerics.atol, numerics.max_steps, states)


class Readings(NamedTuple):
    """Observables of a column at a voltage, with vacancies frozen at n profiles."""

    conductance: np.ndarray  # (n,) S, I/V
    charge: np.ndarray  # (n,) C/m2, of the left terminal
    electron_ratio: float  # the largest of the output film_electron_ratio


def run_from(bench: Bench, c: np.ndarray) -> Run:
    """A run that starts at 0 V from concentrations c (1, N) [1/m3]."""
    return integrate.begin(bench.junction, c, rtol=bench.rtol, atol=bench.atol, max_steps=bench.max_steps)


READY: list[tuple[Bench, Run, list[tuple[np.ndarray, np.ndarray]]]] = []  # the last bench, its run, how that began


def run_again(bench: Bench, c: np.ndarray, watch: Watch | None = None) -> Run:
    """As `run_from`, by a run that is valid until the next one begins. watch : see `integrate.begin`

    All runs of a bench share their arrays, whose allocation takes a third of the time of a reading.
    """
    if not READY or READY[0][0] is not bench:
        run = run_from(bench, c)
        READY[:] = [(bench, run, [(array, array.copy()) for array in integrate.arrays_of(run)])]
    _, run, start = READY[0]
    integrate.begin_again(run, start, c, bench.atol)
    run.watch = no_watch() if watch is None else watch
    return run


def hold_run(run: Run, voltage: float, times: Sequence[float] | np.ndarray) -> None:
    """Hold a run at a voltage [V] and keep its state at each of the ascending times (n,) [s]. Raises SolverError."""
    integrate.jump(run, voltage)
    ends = np.asarray(times, float)
    volts = np.full(ends.size, voltage)
    pieces = np.column_stack((np.append(0.0, ends[:-1]), ends, volts, volts))
    place = integrate.place_at_start(run.step, voltage)
    integrate.follow_pieces(run, pieces, np.full(ends.size, COPY), place, False)


def stations(bench: Bench, c: np.ndarray, voltage: float, times: Sequence[float] | np.ndarray) -> Iterator[np.ndarray]:
    """Yield concentrations (1, N) [1/m3] at each of the ascending times (n,) [s] of one run at a constant voltage [V].

    Raises SolverError, after the concentrations before the failure.
    """
    run, failure = run_again(bench, c), None
    try:
        hold_run(run, voltage, times)
    except SolverError as error:
        failure = error
    for state in run.kept_states:
        yield state.c
    if failure:
        raise failure


def concentrations_after(bench: Bench, c: np.ndarray, voltage: float, duration: float) -> np.ndarray:
    """Concentrations (1, N) [1/m3] after a voltage [V] is held for a duration [s]. Raises SolverError."""
    return next(stations(bench, c, voltage, [duration]))


def position(bench: Bench, c: np.ndarray) -> float:
    """Mean position of the vacancies, as a fraction of the thickness."""
    share = c[0] * bench.junction.columns.width[0]
    return float((share * bench.x).sum() / share.sum())


def readings_of_profiles(bench: Bench, profiles: np.ndarray, voltage: float) -> Readings:
    """Conductance and charge at a voltage [V], with vacancies frozen at each of the profiles (n, N) [1/m3].

    Near 0 V, where I/V is undefined, the conductance is that at PROBE. Raises SolverError.
    """
    probed = voltage if abs(voltage) > PROBE else PROBE
    watch = new_watch(bench.states, model_limits.unheated(1.0), bench.x.size)
    conductance, charge = np.zeros((2, len(profiles)))
    for i, c in enumerate(profiles):
        run = run_again(bench, c[None], watch)
        integrate.record_row(run, probed)
        conductance[i] = run.rows[-1][-1][CURRENT] / probed
        if probed != voltage:
            integrate.record_row(run, voltage)
        charge[i] = run.rows[-1][-1][TERMINAL_LEFT]
    return Readings(conductance, charge, float(watch.largest[ELECTRONS, VALUE]))


FIRST, ENDLESS = 1e-13, 1e18  # s: first sample of a run, and its end
PER_DECADE = 3  # samples per decade of time, more where the vacancies move
LAG = 0.003  # of the thickness: first move of a run, which fills the way between the wells and does not count for the rate
SAME = 2e-5  # of the thickness: closer states count as equal
READ_APART = 0.03  # of the thickness: nearer samples of a run are not read
RESTING = 3 * PER_DECADE  # last samples of a failed run that decide whether it was at rest
SWING = 2e-3  # of the thickness: largest range of these samples at rest
REACHED = 2e-4  # of the thickness: a run that ends this close to an end has reached it


class Spacing(NamedTuple):
    """Smallest and largest move between two samples of a run, of the thickness."""

    least: float
    most: float


FINE, COARSE = Spacing(SAME, 0.025), Spacing(0.005, 0.04)  # for the noise of hops, and for tables, in half of the time


class Ends(NamedTuple):
    """Concentrations at both ends of the range of the state, and the time in which a column comes to rest at 0 V."""

    low: np.ndarray  # (1, N) 1/m3
    high: np.ndarray  # (1, N) 1/m3
    settling: float  # s


class Branch(NamedTuple):
    """Samples of a run at constant voltage."""

    time: np.ndarray  # (n,) s
    state: np.ndarray  # (n,)
    c: np.ndarray  # (n, N) 1/m3


def state_of(bench: Bench, c: np.ndarray, settling: float) -> float:
    """State of a column with concentrations c (1, N): its mean position after `settling` seconds at 0 V."""
    return float(column_states(bench, c, settling)[0])


def column_states(bench: Bench, profiles: np.ndarray, settling: float) -> np.ndarray:
    """States (n,) of columns with concentrations (n, N)."""
    at_rest = (concentrations_after(bench, c[None], 0.0, settling) for c in profiles)
    return np.array([position(bench, c) for c in at_rest])


def branches_at(bench: Bench, ends: Ends, voltage: float, spacing: Spacing) -> list[Branch]:
    """Runs at a voltage, one or two. Raises SolverError."""
    near, far = (ends.low, ends.high) if voltage > 0.0 else (ends.high, ends.low)
    runs = [branch(bench, near, voltage, ends.settling, spacing)]
    if abs(runs[0].state[-1] - state_of(bench, far, ends.settling)) > REACHED:
        runs.append(branch(bench, far, voltage, ends.settling, spacing))
    return runs


def rest_of(branches: list[Branch]) -> float:
    """State of rest at the voltage of these runs: the mean of their last states."""
    return float(np.mean([run.state[-1] for run in branches]))


def log_rates(branches: list[Branch], states: np.ndarray, fastest: float) -> np.ndarray:
    """log10 of the relaxation rate (Q,) in 1/s at states (Q,); `fastest` if no sample gives a rate."""
    rest, parts = rest_of(branches), []
    for run in branches:  # rates between its samples
        q, away = run.state, np.abs(rest - run.state)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.log(away[:-1] / away[1:]) / np.diff(run.time)
        lagging = (np.abs(q[:-1] - q[0]) < LAG) & (away[0] > 3.0 * LAG)
        good = (away[1:] > 0.5 * SAME) & (rate > 0.0) & (np.abs(np.diff(q)) > 0.5 * SAME) & ~lagging
        parts.append(np.column_stack((0.5 * (q[1:] + q[:-1])[good], np.log10(rate[good]))))
    rates = np.concatenate(parts)
    return at_states(ordered(rates) if len(rates) else np.array([[states[0], fastest]]), states)


def branch(bench: Bench, c: np.ndarray, voltage: float, settling: float, spacing: Spacing) -> Branch:
    """Samples of a run from concentrations c (1, N) at a voltage [V], until it has come to rest."""
    decades = np.log10(ENDLESS / FIRST)
    times = np.geomspace(FIRST, ENDLESS, 1 + round(PER_DECADE * decades))
    profiles = until_rest(bench, c, voltage, times)
    places, times = [position(bench, c_then) for c_then in profiles], times[: len(profiles)]
    samples = [(times[0], profiles[0])]
    for i in range(1, len(times)):
        between = int(abs(places[i] - places[i - 1]) / spacing.most)
        if between:
            inner = np.linspace(times[i - 1], times[i], between + 2)[1:-1]
            samples += zip(inner, stations(bench, profiles[i - 1], voltage, inner - times[i - 1]), strict=True)
        if between or abs(places[i] - position(bench, samples[-1][1])) > spacing.least or i == len(times) - 1:
            samples.append((times[i], profiles[i]))
    sampled = np.concatenate([c_then for _, c_then in samples])
    return Branch(np.array([time for time, _ in samples]), column_states(bench, sampled, settling), sampled)


def until_rest(bench: Bench, c: np.ndarray, voltage: float, times: np.ndarray) -> list[np.ndarray]:
    """Concentrations (1, N) at the ascending times (n,) [s] of a run at a voltage [V]; fewer if a run fails at rest.

    Electrons of a film may leap to and fro between two stacks about a state of rest, until the solver gives up. A failed
    run whose last RESTING positions stay within SWING ends where it has come to stay there, within SAME of their median.
    Raises SolverError for other failures.
    """
    profiles: list[np.ndarray] = []
    try:
        for c_then in stations(bench, c, voltage, times):
            profiles.append(c_then)
    except SolverError:
        places = np.array([position(bench, c_then) for c_then in profiles])
        if places.size < RESTING or np.ptp(places[-RESTING:]) > SWING:
            raise
        off = np.abs(places - np.median(places[-RESTING:]))
        begun = np.flatnonzero(np.append(np.inf, off) > SWING)[-1]
        del profiles[begun + np.argmin(off[begun:] > SAME) + 1 :]
    return profiles


def moving(branch: Branch) -> np.ndarray:
    """Indices of samples READ_APART from each other in the state: the first, and the last."""
    chosen = [0]
    for i, q in enumerate(branch.state[1:-1], 1):
        if abs(q - branch.state[chosen[-1]]) > READ_APART:
            chosen.append(i)
    return np.array([*chosen, branch.state.size - 1])


def ordered(samples: np.ndarray) -> np.ndarray:
    """Samples (n, ...) in ascending order of the state, one for each state."""
    samples = samples[np.argsort(samples[:, 0])]
    return samples[np.unique(np.round(samples[:, 0] / (5 * SAME)), return_index=True)[1]]


def at_states(samples: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Values at states (Q,), interpolated monotonically between samples (n, 2) and constant beyond them."""
    if len(samples) == 1:
        return np.full(states.size, samples[0, 1])
    return PchipInterpolator(*samples.T)(np.clip(states, samples[0, 0], samples[-1, 0]))


SETTLED = 5.0  # settling time over the time constant in which the way empties
STILL = 1.5e-3  # of the thickness per decade of time: slower vacancies are at rest
PROBES = 3  # voltages at which the filling of the way is measured, for each initial state
LOST = 0.1  # of the thickness: displacement after which the way is full
UNMOVED = 1e-3  # share of displaced ions below which a film counts as uniform


def extreme_profiles(bench: Bench, limits: Range) -> tuple[np.ndarray, np.ndarray]:
    """Concentrations (1, N) [1/m3] after the longest time at the lowest and at the highest voltage, from three runs."""
    high = concentrations_after(bench, uniform_film(bench), limits.high, limits.longest)
    low = concentrations_after(bench, high, limits.low, limits.longest)
    return low, concentrations_after(bench, low, limits.high, limits.longest)


def uniform_film(bench: Bench) -> np.ndarray:
    """Concentrations (1, N) [1/m3] of a uniform film; 0 in layers without sites."""
    return np.where(bench.junction.columns.sites > 0.0, bench.density, 0.0)


def is_uniform(bench: Bench, c: np.ndarray) -> bool:
    """True if c (1, N) [1/m3] is a uniform film but for the displacement of a share of the ions below UNMOVED."""
    width = bench.junction.columns.width[0]
    even = uniform_film(bench)[0] * width
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
            left = concentrations_after(bench, c, part * voltage, halfway(bench, c, part * voltage, limits))
            places = [position(bench, c_then) for c_then in stations(bench, left, 0.0, times)]
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
    start = position(bench, c)
    times = np.geomspace(FIRST, limits.longest, 60)
    places = np.array([position(bench, c_) for c_ in stations(bench, c, voltage, times)])
    moved = np.abs(places - start)
    return float(times[np.searchsorted(moved >= 0.5 * moved.max(), True)]) if moved.max() > 0.1 else limits.longest


def ways(bench: Bench, ends: Ends, tables: Tables, shortest: float) -> tuple[np.ndarray, int]:
    """Shares (2,) of the vacancies that fill the way, for states that rise and that fall, and the number of runs.

    A run from rest stays at a voltage for the time in which the tables predict a displacement by LOST. The part of this
    displacement that is missing at its end is the share. Only voltages at which this time lies between `shortest` [s] and
    the settling time count. The result is the median over initial states and voltages, or 0 if the median is below LAG.
    """
    lost: tuple[list[float], list[float]] = ([], [])
    at_rest = [ends.low, ends.high]  # columns to start from: both ends of the range, and three states between them
    for share in (0.3, 0.5, 0.7):
        mixed = (1.0 - share) * ends.low + share * ends.high
        at_rest.append(concentrations_after(bench, mixed, 0.0, 10.0 * ends.settling))
    for c in at_rest:
        q = state_of(bench, c, ends.settling)
        for fall, direction in enumerate((1.0, -1.0)):
            times = np.array([time_between(tables, i, q, q + direction * LOST) for i in range(tables.voltage.size)])
            within = np.flatnonzero((shortest <= times) & (times <= ends.settling))
            for i in within[
                np.unique(np.linspace(0, max(within.size - 1, 0), PROBES).round().astype(int))[: within.size]
            ]:
                moved = concentrations_after(bench, c, float(tables.voltage[i]), float(times[i]))
                lost[fall].append(LOST - direction * (state_of(bench, moved, ends.settling) - q))
    shares = np.array([np.median(of_way) if of_way else 0.0 for of_way in lost])
    return np.where(shares > LAG, shares, 0.0), len(at_rest) + sum(map(len, lost))


def time_between(tables: Tables, i: int, start: float, end: float) -> float:
    """Time [s] from one state to another at voltage i of the tables; infinite if that voltage does not lead there."""
    if not tables.state[0] <= end <= tables.state[-1] or (tables.rest[i] - end) * (end - start) <= 0.0:
        return np.inf
    q = np.linspace(start, end, 41)
    rate = 10.0 ** np.interp(q, tables.state, tables.log_rate[i])
    return float(trapezoid(1.0 / np.abs(rate * (tables.rest[i] - q)), np.abs(q - start)))
