"""State of rest and relaxation rate of a column, from runs at constant voltage.

A run starts at one end of the range of the state and ends at the state of rest of its voltage. If the state of rest is not
the other end, a second run starts from that other end. The rate between two samples is that of an exponential approach to
the state of rest, which is exact for a constant rate.
"""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.bench import Bench
from otjdd.errors import SolverError

FIRST, ENDLESS = 1e-13, 1e18  # s: first sample of a run, and its end
PER_DECADE = 3  # samples per decade of time, more where the vacancies move
MOVE = 0.025  # of the thickness: largest move between two samples
LAG = 0.003  # of the thickness: first move of a run, which fills the way between the wells and does not count for the rate
SAME = 2e-5  # of the thickness: closer states count as equal
STILL = 3 * PER_DECADE  # last samples of a failed run that decide whether it was at rest
SWING = 2e-3  # of the thickness: largest range of these samples at rest
REACHED = 2e-4  # of the thickness: a run that ends this close to an end has reached it


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
    return float(states_of(bench, c, settling)[0])


def states_of(bench: Bench, profiles: np.ndarray, settling: float) -> np.ndarray:
    """States (n,) of columns with concentrations (n, N)."""
    at_rest = on_bench.profiles_after(bench, profiles, 0.0, settling)
    return np.array([on_bench.position(bench, c[None]) for c in at_rest])


def branches_at(bench: Bench, ends: Ends, voltage: float) -> list[Branch]:
    """Runs at a voltage, one or two. Raises SolverError."""
    near, far = (ends.low, ends.high) if voltage > 0.0 else (ends.high, ends.low)
    runs = [branch(bench, near, voltage, ends.settling)]
    if abs(runs[0].state[-1] - state_of(bench, far, ends.settling)) > REACHED:
        runs.append(branch(bench, far, voltage, ends.settling))
    return runs


def rest_of(branches: list[Branch]) -> float:
    """State of rest at the voltage of these runs: the mean of their last states."""
    return float(np.mean([run.state[-1] for run in branches]))


def log_rates(branches: list[Branch], states: np.ndarray, fastest: float) -> np.ndarray:
    """log10 of the relaxation rate (Q,) in 1/s at states (Q,); `fastest` if no sample gives a rate."""
    rates = np.concatenate([rates_of(run, rest_of(branches)) for run in branches])
    return along(ordered(rates) if len(rates) else np.array([[states[0], fastest]]), states)


def rows_of(bench: Bench, branches: list[Branch], states: np.ndarray, voltage: float) -> tuple[np.ndarray, float]:
    """log10 of the conductance [S] and the charge [C/m2] (2, Q) at a voltage [V] and states (Q,); largest electron ratio.

    branches : runs at or near that voltage, whose profiles are read
    """
    moved = [moving(run) for run in branches]
    profiles = np.concatenate([run.c[rows] for run, rows in zip(branches, moved, strict=True)])
    state = np.concatenate([run.state[rows] for run, rows in zip(branches, moved, strict=True)])
    read = on_bench.readings(bench, profiles, voltage)
    by_state = ordered(np.column_stack((state, np.log10(read.conductance), read.charge)))
    return np.array([along(by_state[:, [0, column]], states) for column in (1, 2)]), read.electron_ratio


def branch(bench: Bench, c: np.ndarray, voltage: float, settling: float) -> Branch:
    """Samples of a run from concentrations c (1, N) at a voltage [V], until it has come to rest."""
    decades = np.log10(ENDLESS / FIRST)
    times = np.geomspace(FIRST, ENDLESS, 1 + round(PER_DECADE * decades))
    stations = until_rest(bench, c, voltage, times)
    places, times = [on_bench.position(bench, c_then) for c_then in stations], times[: len(stations)]
    samples = [(times[0], stations[0])]
    for i in range(1, len(times)):
        between = int(abs(places[i] - places[i - 1]) / MOVE)
        if between:
            inner = np.linspace(times[i - 1], times[i], between + 2)[1:-1]
            samples += zip(inner, on_bench.stations(bench, stations[i - 1], voltage, inner - times[i - 1]), strict=True)
        if between or abs(places[i] - on_bench.position(bench, samples[-1][1])) > SAME or i == len(times) - 1:
            samples.append((times[i], stations[i]))
    profiles = np.concatenate([c_then for _, c_then in samples])
    return Branch(np.array([time for time, _ in samples]), states_of(bench, profiles, settling), profiles)


def until_rest(bench: Bench, c: np.ndarray, voltage: float, times: np.ndarray) -> list[np.ndarray]:
    """Concentrations (1, N) at the ascending times (n,) [s] of a run at a voltage [V]; fewer if a run fails at rest.

    Electrons of a film may leap to and fro between two stacks about a state of rest, until the solver gives up. A failed
    run whose last STILL positions stay within SWING ends where it has come to stay there, within SAME of their median.
    Raises SolverError for other failures.
    """
    stations: list[np.ndarray] = []
    try:
        for c_then in on_bench.stations(bench, c, voltage, times):
            stations.append(c_then)
    except SolverError:
        places = np.array([on_bench.position(bench, c_then) for c_then in stations])
        if places.size < STILL or np.ptp(places[-STILL:]) > SWING:
            raise
        off = np.abs(places - np.median(places[-STILL:]))
        begun = np.flatnonzero(np.append(np.inf, off) > SWING)[-1]
        del stations[begun + np.argmin(off[begun:] > SAME) + 1 :]
    return stations


def rates_of(branch: Branch, rest: float) -> np.ndarray:
    """States and log10 of the relaxation rate (n, 2) between the samples of a branch. rest : state of rest"""
    q, away = branch.state, np.abs(rest - branch.state)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.log(away[:-1] / away[1:]) / np.diff(branch.time)
    lagging = (np.abs(q[:-1] - q[0]) < LAG) & (away[0] > 3.0 * LAG)
    good = (away[1:] > 0.5 * SAME) & (rate > 0.0) & (np.abs(np.diff(q)) > 0.5 * SAME) & ~lagging
    return np.column_stack((0.5 * (q[1:] + q[:-1])[good], np.log10(rate[good])))


def moving(branch: Branch) -> np.ndarray:
    """True (n,) for samples whose state has moved since the sample before, and for the last sample."""
    moved = np.abs(np.diff(branch.state, prepend=branch.state[0])) > 1e-4
    moved[-1] = True
    return moved


def ordered(samples: np.ndarray) -> np.ndarray:
    """Samples (n, ...) in ascending order of the state, one for each state."""
    samples = samples[np.argsort(samples[:, 0])]
    return samples[np.unique(np.round(samples[:, 0] / (5 * SAME)), return_index=True)[1]]


def along(samples: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Values at states (Q,), interpolated monotonically between samples (n, 2) and constant beyond them."""
    if len(samples) == 1:
        return np.full(states.size, samples[0, 1])
    return PchipInterpolator(*samples.T)(np.clip(states, samples[0, 0], samples[-1, 0]))
