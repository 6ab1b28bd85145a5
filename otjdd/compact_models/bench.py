"""One column of a device on a bench: no circuit, voltages are those of the junction. Runs of an extraction start here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.errors import SolverError
from otjdd.physics.junction import Junction
from otjdd.solver import integrate, model, model_limits
from otjdd.solver.integrate import Run
from otjdd.solver.model import Member
from otjdd.stepping.course import COPY
from otjdd.stepping.extremes import ELECTRONS, VALUE, Watch
from otjdd.stepping.run_log import CURRENT, TERMINAL_LEFT

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


def bench(case: Case, member: Member) -> Bench:
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


def at_rest(bench: Bench, c: np.ndarray, watch: Watch | None = None) -> Run:
    """A run that starts at 0 V from concentrations c (1, N) [1/m3]. watch : see `integrate.begin`"""
    return integrate.begin(bench.junction, c, rtol=bench.rtol, atol=bench.atol, max_steps=bench.max_steps, watch=watch)


def runs_from(bench: Bench, profiles: np.ndarray, watch: Watch | None = None) -> Iterator[Run]:
    """A run as of `at_rest` from each of the profiles (n, N) [1/m3]. A run is valid until the next one begins.

    The runs share their arrays, whose allocation takes a third of the time of a reading.
    """
    run = at_rest(bench, profiles[:1], watch)
    start = [(array, array.copy()) for array in integrate.arrays_of(run)]
    for c in profiles:
        integrate.begin_again(run, start, c[None], bench.atol)
        yield run


def hold(run: Run, voltage: float, times: Sequence[float] | np.ndarray) -> None:
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
    run, failure = at_rest(bench, c), None
    try:
        hold(run, voltage, times)
    except SolverError as error:
        failure = error
    for state in run.kept_states:
        yield state.c
    if failure:
        raise failure


def concentrations_after(bench: Bench, c: np.ndarray, voltage: float, duration: float) -> np.ndarray:
    """Concentrations (1, N) [1/m3] after a voltage [V] is held for a duration [s]. Raises SolverError."""
    return next(stations(bench, c, voltage, [duration]))


def profiles_after(bench: Bench, profiles: np.ndarray, voltage: float, duration: float) -> np.ndarray:
    """As `concentrations_after`, for n profiles of vacancies: (n, N) of (n, N) [1/m3]."""
    ends = []
    for run in runs_from(bench, profiles):
        hold(run, voltage, [duration])
        ends.append(run.kept_states[0].c)
    return np.concatenate(ends)


def position(bench: Bench, c: np.ndarray) -> float:
    """Mean position of the vacancies, as a fraction of the thickness."""
    share = c[0] * bench.junction.columns.width[0]
    return float((share * bench.x).sum() / share.sum())


def readings(bench: Bench, profiles: np.ndarray, voltage: float) -> Readings:
    """Conductance and charge at a voltage [V], with vacancies frozen at each of the profiles (n, N) [1/m3].

    Near 0 V, where I/V is undefined, the conductance is that at PROBE. Raises SolverError.
    """
    probed, watch = voltage if abs(voltage) > PROBE else PROBE, model_limits.new_watch(bench.states, 1.0, bench.x.size)
    conductance, charge = np.zeros((2, len(profiles)))
    for i, run in enumerate(runs_from(bench, profiles, watch)):
        integrate.record_row(run, probed)
        conductance[i] = run.rows[-1][-1][CURRENT] / probed
        if probed != voltage:
            integrate.record_row(run, voltage)
        charge[i] = run.rows[-1][-1][TERMINAL_LEFT]
    return Readings(conductance, charge, float(watch.largest[ELECTRONS, VALUE]))
