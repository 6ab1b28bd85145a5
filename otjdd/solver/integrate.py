"""Integration of the ions along a waveform: kernels called piece by piece; reads, snapshots and signals between calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple, NoReturn

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.errors import SolverError, Status
from otjdd.mechanisms.single_ions import step as single_ions
from otjdd.mechanisms.single_ions.walk import NOW, Noise, whole_ions
from otjdd.mechanisms.traps.charge import rise_of_band
from otjdd.physics import quasistatic
from otjdd.physics import state as states
from otjdd.physics.charging import conduction
from otjdd.physics.junction import Junction, coupled, new_state
from otjdd.physics.state import Memory, State, Tangent
from otjdd.solver.start import LENIENT, TOGETHER, KeptState, Start, Trail
from otjdd.stepping import course as kernels
from otjdd.stepping import rosenbrock, run_log, step_control
from otjdd.stepping.course import COPY, EDGE, KEEP, OBSERVE, READ
from otjdd.stepping.hooks import begin_run
from otjdd.stepping.rosenbrock import Trial
from otjdd.stepping.run_log import READING, Log, Watch
from otjdd.stepping.step_control import (
    ACCEPTED,
    COUNTS,
    REJECTED,
    TRIED,
    UNPHYSICAL,
    WORST_CELL,
    Control,
    Course,
    Place,
)
from otjdd.system.limits import heed_pending
from otjdd.system.remember import remembered_by_record
from otjdd.variables import RECORD, memory_of
from otjdd.waveform.waveform import Block, Chain, Waveform

CHUNK, FIRST_CHUNK = 512, 16  # steps between two checks of signals and progress: at most, and at first in a run
BETWEEN = 0.25  # s between two such checks, as far as single steps allow
STILL = 10_000  # steps in which a run gets on, see `Stall`
LEAST_PROGRESS = 1e-6  # of a piece
ROWS, STATES = 4096, 64  # recorded steps and kept states that a log holds between two returns to Python

UNSEEN = 0.1  # error of a step over the random part of what it is an error of, where single ions hop
WRONG = 1.0  # ions that a smooth step may leave beyond the bounds of a cell
ALIKE = 1e-9  # relative to a piece of the waveform: closer times count as equal


class Counts(NamedTuple):
    """Solver statistics."""

    accepted: int = 0
    rejected: int = 0
    unphysical: int = 0  # of the rejected, those with a concentration below zero or above the site density
    currents: int = 0  # of channels of columns, evaluated


@dataclass
class Run:
    """State of a junction during its run, as the kernels use it. `state` and the work arrays change in place."""

    junction: Junction
    control: Control
    state: State
    total: np.ndarray  # (K,) vacancies per area before any passed an electrode [1/m2]
    trial: Trial  # work space of a step, and the state at its end
    tangent: Tangent  # of the current
    memory: Memory  # voltages at which it was settled
    max_steps: int
    watch: Watch  # largest values of quantities that have a limit
    time: float = 0.0
    step: float = 0.0  # s, next time step; 0 after an edge of the waveform, where the kernel chooses
    counts: Counts = field(default_factory=Counts)
    apart: bool = False  # currents and positions of each column are recorded
    rows: list[np.ndarray] = field(default_factory=list)  # recorded blocks (n, widths()[0])
    reads: list[np.ndarray] = field(default_factory=list)  # (n, widths()[1])
    kept_states: list[KeptState] = field(default_factory=list)
    place: Place = field(default_factory=lambda: place_at_start(0.0))  # on its course
    block: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))  # number of the block of its waveform
    together: int = FIRST_CHUNK  # steps of the next call of the kernels
    trail: Trail | None = None  # of its steps; None where nobody asks for them


def begin(
    junction: Junction,
    start: Start | np.ndarray,
    *,
    rtol: float,
    atol: float,
    max_steps: int = 10**9,
    watch: Watch | None = None,
    apart: bool = False,
    noise: Noise | None = None,
) -> Run:
    """A run from concentrations (K, N) [1/m3]; atol in units of their mean, in an empty film of that at first.

    start : these, or the memory of a state by name. What is absent there: polarisations of 0, the temperature of the
        surroundings, electrodes that nothing passed, and, as nan, traps at rest where the run is settled first
    watch : `run_log.Watch` of quantities that have a limit; None for no watch   apart : record each column as well
    noise : of random hops; None for a continuous density. Then c is that of the ions, around `smooth`
    """
    noisy = noise is not None and noise.area.size > 0
    start = start if isinstance(start, dict) else {"c": start}
    state, c = new_state(junction, noisy), start["c"]
    put_memory(junction, state, start)
    total, width = (c * junction.columns.width).sum(axis=1) - net_passed(state.passed), junction.columns.width
    smooth = start.get("smooth", c) if noisy else c
    mean = smooth.mean() or float((total / width.sum(axis=1)).mean())
    control = control_of(junction, state, smooth, float(rtol), float(atol * mean), min(CHUNK, max_steps), noise)
    method = rosenbrock.method_for(rtol)
    trial = rosenbrock.new_trial(junction, method, noise)
    tangent = states.new_tangent(len(c), c.shape[1], len(junction.channels.code))
    watch = run_log.no_watch() if watch is None else watch
    if noisy:
        put_ions(junction, state, trial.noise, start)
        area = trial.noise.area
        total = trial.noise.ions.sum(axis=1) / area - net_passed(trial.noise.passed[NOW] / area[:, None])
    memory = states.new_memory(tangent)
    return Run(junction, control, state, total, trial, tangent, memory, max_steps, watch, apart=apart)


def net_passed(passed: np.ndarray) -> np.ndarray:
    """Vacancies (K,) [1/m2] that came into the columns, from those (K, 2) that passed their ends to the right."""
    into: np.ndarray = passed[:, 0] - passed[:, 1]
    return into


def put_memory(junction: Junction, state: State, start: Start) -> None:
    """Put a state where a run starts."""
    parts = memory_of(state)
    for name, value in start.items():
        parts[name][...] = value
    begin_run(junction, state, start)


def put_ions(junction: Junction, state: State, noise: Noise, start: Start) -> None:
    """Let the concentrations of a state and what passed its ends be those of single ions, around the smooth ones."""
    noise.ions[:] = whole_ions(start["c"], junction.columns.width, noise.area)
    noise.passed[NOW] = np.rint(state.passed * noise.area[:, None])
    state.c[:] = start.get("smooth", state.c)
    state.passed[:] = start.get("smooth_passed", state.passed)
    noise.steps[:] = start.get("draws", noise.steps).astype(np.int64)


def arrays_of(run: Run) -> Iterator[np.ndarray]:
    """Arrays that change along a run without random hops."""
    records: list[Any] = [run.state, run.tangent, run.memory[:-1], run.trial.work, run.trial.state, run.trial.film]
    while records:
        part = records.pop()
        if not isinstance(part, np.ndarray):
            records += part
        elif part.base is None:  # and no part of another one
            yield part


def begin_again(run: Run, start: Sequence[tuple[np.ndarray, np.ndarray]], c: np.ndarray, atol: float) -> None:
    """Put a run back to its beginning, with concentrations c (K, N) [1/m3]. It loses its records.

    start : each of `arrays_of` the run, and a copy of what it held when the run began   atol : as of `begin`
    """
    for array, at_start in start:
        array[...] = at_start
    run.state.c[:] = c
    run.control = run.control._replace(atol=float(atol * c.mean()))
    run.total[:] = (c * run.junction.columns.width).sum(axis=1)
    run.time, run.step, run.counts = 0.0, 0.0, Counts()
    run.rows, run.reads, run.kept_states = [], [], []


def control_of(
    junction: Junction, state: State, c: np.ndarray, rtol: float, atol: float, max_steps: int, noise: Noise | None
) -> Control:
    """Error control of a run from concentrations c (K, N) [1/m3].

    Errors may be UNSEEN of what is random: the number of ions, the band at rest (its variance e kT/C), a cell.
    """
    if noise is None or not len(noise.area):
        return step_control.Control(rtol, atol, max_steps, step_control.OUTSIDE * rtol)
    ions = (c * junction.columns.width).sum(axis=1) * noise.area
    cells, relative = c.shape[1], [film.eps_r + film.b / film.sqrt_a for film in junction.film]  # at no field
    eps = VACUUM_PERMITTIVITY * np.array(relative).reshape(len(c), -1)  # (K, M) of the layers
    thickness = np.add.reduceat(junction.columns.width, junction.layers.first[:-1], axis=1)
    each = ELEMENTARY_CHARGE * thickness / (eps * noise.area[:, None] * state.kT[:, None])
    band = np.sqrt(each.sum(axis=1))  # over kT
    rtol += UNSEEN * float(max((ions**-0.5).max(), band.max()))
    atol += UNSEEN * float(c.mean() * np.sqrt(cells / ions.mean()))
    return step_control.Control(rtol, atol, max_steps, step_control.OUTSIDE * rtol + WRONG / float(ions.min()))


def row_widths(run: Run) -> tuple[int, int]:
    """Length of a recorded row and of a read, see `stepping.run_log`."""
    columns = len(run.total) if run.apart else 0
    return RECORD + 2 * columns + run.state.heat.temperature.size, READING + len(run.junction.channels.code) + columns


def jump(run: Run, voltage: float) -> None:
    """Settle fields and circuit at a source voltage with the ions fixed. Raises SolverError."""
    accuracy = quasistatic.Accuracy(step_control.voltage_slack(run.control), True)
    status = quasistatic.jump_to(run.junction, run.state, run.tangent, run.memory, run.trial.between, voltage, accuracy)
    check_status(run, status, run.time, voltage, 0.0, 0.0)
    run.step = 0.0


def follow_piece(run: Run, duration: float, start: float, end: float, record: bool = False) -> None:
    """Integrate over a straight piece of the source voltage; the state is settled at its start. Raises SolverError."""
    piece = np.array([[run.time, run.time + duration, start, end]])
    follow_pieces(run, piece, np.zeros(1, np.int64), place_at_start(run.step, start), record)


class Stall:
    """The trial steps in which a run has not got on: by LEAST_PROGRESS of its piece, or to twice the time since its start.

    What relaxes over decades of time is slow at first by the first of these, and never by the second.
    """

    def __init__(self) -> None:
        self.piece, self.elapsed, self.steps = -1, 0.0, 0

    def count(self, piece: int, elapsed: float, duration: float, steps: int) -> None:
        """Count steps that ended on a piece [s] after its start."""
        on = elapsed - self.elapsed > LEAST_PROGRESS * duration or elapsed > 2.0 * self.elapsed
        if piece != self.piece or on:
            self.piece, self.elapsed, self.steps = piece, elapsed, 0
        else:
            self.steps += steps


def place_at_start(step: float, settled_at: float = np.nan) -> Place:
    """Place at the start of a course. step : the next one [s]   settled_at : source voltage [V], nan for none"""
    piece, leaps, rejected = np.zeros((3, 1), np.int64)
    elapsed, last_norm, last_step = np.zeros((3, 1))
    return Place(piece, elapsed, np.full(1, step), np.full(1, settled_at), last_norm, last_step, leaps, rejected)


def course_along(run: Run, control: Control, pieces: np.ndarray, tasks: np.ndarray, place: Place) -> Course:
    """Course of a run along pieces (P, 4) with tasks (P,), on from a place. control : of its calls"""
    trials, given = np.zeros(control.max_steps if run.trail else 0), bool(run.trail and run.trail.given is not None)
    lenient = control._replace(most=LENIENT, outside=LENIENT * control.outside)
    return Course(pieces, tasks, place, np.zeros(COUNTS, np.int64), trials, given, control, lenient)


def follow_pieces(
    run: Run,
    pieces: np.ndarray,
    tasks: np.ndarray,
    place: Place,
    record: bool,
    progress: Callable[[float], object] | None = None,
) -> None:
    """Integrate along pieces (P, 4) of the source voltage with tasks (P,), on from a place: see `step_control.Course`.

    progress(fraction) is called whenever the run holds a consistent state. Raises SolverError.
    """
    run.place, control, stall = place, run.control, Stall()
    if run.trail:
        control = control._replace(max_steps=min(TOGETHER, control.max_steps))
    course = course_along(run, control, pieces, tasks, place)
    counts, log, status = course.counts, new_log(run, tasks, record), int(Status.PAUSED)
    while status == Status.PAUSED:
        if not run.trail:  # whose steps together are those of another run
            left = run.max_steps - run.counts.accepted - run.counts.rejected
            steps = min(run.together, run.control.max_steps, max(left, 1))
            course = course._replace(control=control._replace(max_steps=steps))
        status, norm = advance(run, course, log)
        heed_pending()
        i, tau, step = (array.item() for array in (place.piece, place.elapsed, place.step))
        start, end, V_start, V_end = pieces[min(i, len(pieces) - 1)]
        done = i == len(pieces)
        run.time, run.step = end if done else start + tau, step
        voltage = V_start + (V_end - V_start) * (1.0 if done or end == start else tau / (end - start))
        check_status(run, status, run.time, voltage, step, norm, int(counts[WORST_CELL]))
        if status == Status.PAUSED and run.counts.accepted + run.counts.rejected >= run.max_steps:
            fail(run, "TOO_MANY_STEPS", run.time, voltage, step, norm)
        stall.count(i, tau, end - start, int(counts[TRIED]))
        if status == Status.PAUSED and stall.steps >= STILL:
            fail(run, "STANDS_STILL", run.time, voltage, step, norm, int(counts[WORST_CELL]))
        if progress:
            progress(i / len(pieces))


def advance(run: Run, course: Course, log: Log) -> tuple[int, float]:
    """Take a run on along its course, by one call of the kernels. Returns a status and the last error norm."""
    counts, evaluated, began = course.counts, int(run.tangent.evaluated[0]), perf_counter()
    counts[:] = 0
    if run.trail:
        run.trail.fill(course.trials)
    status, norm = kernels.run_course(run.junction, run.state, run.tangent, run.memory, run.trial, course, log)
    currents = int(run.tangent.evaluated[0]) - evaluated
    run.counts = counted(run.counts, counts.tolist(), currents)
    empty(run, log)
    if run.trail:
        run.trail.note(course.trials[: counts[TRIED]], currents)
    took = perf_counter() - began
    run.together = max(1, min(CHUNK, int(BETWEEN / took * max(counts[TRIED], 1))))
    return status, norm


def counted(before: Counts, counts: list[int], currents: int) -> Counts:
    """Statistics with the counts of one more call, see `step_control.Course`, and the currents evaluated in it."""
    return Counts(
        before.accepted + counts[ACCEPTED],
        before.rejected + counts[REJECTED],
        before.unphysical + counts[UNPHYSICAL],
        before.currents + currents,
    )


def new_log(run: Run, tasks: np.ndarray, record: bool) -> Log:
    """An empty log with room for the records of the tasks, or for a part of them."""
    K = len(run.total)
    observed, read, copied = (int(np.count_nonzero(tasks & bit)) for bit in (OBSERVE, READ, KEEP | COPY))
    rows, reads, states = ROWS if record else min(observed, ROWS), min(read, ROWS), min(copied, STATES)
    (row, reading), of_stack = row_widths(run), sum(array.shape[1] for array in stack_arrays(run.state))
    return run_log.Log(
        record, run.total, np.zeros(3, np.int64), np.empty((rows, row)), np.empty((reads, reading)),
        np.empty((states, run_log.KEPT)), np.empty((states, 2, K)), np.empty((states, run.state.memory.size)),
        np.empty((states, K, of_stack)), run.watch,
    )  # fmt: skip


def empty(run: Run, log: Log) -> None:
    """Move the contents of a log to the run."""
    rows, reads, states = log.used.tolist()
    if rows:
        run.rows.append(log.rows[:rows].copy())
    if reads:
        run.reads.append(log.reads[:reads].copy())
    if states:
        rows_of = (array[:states].copy() for array in (log.kept_D, log.kept_stack, log.kept_memory))
        for at, D, stack, memory in zip(log.kept_instants[:states].tolist(), *rows_of, strict=True):
            run.kept_states.append(KeptState._make((*at, *D, stack, remembered(run, memory))))
    log.used[:] = 0


def remembered(run: Run, memory: np.ndarray | None = None) -> Start:
    """What a run starts from that goes on from the state of a run, or from a copy of its memory (M,)."""
    parts = memory_of(run.state, run.state.memory.copy() if memory is None else memory)
    return {name: part for name, part in parts.items() if part.size}


def check_status(run: Run, status: int, time: float, voltage: float, step: float, norm: float, cell: int = 0) -> None:
    """Raise SolverError for a status of the kernels that is a failure."""
    if status not in (Status.DONE, Status.PAUSED):
        fail(run, Status(status).name, time, voltage, step, norm, cell)


def fail(run: Run, reason: str, time: float, voltage: float, step: float, norm: float, cell: int = 0) -> NoReturn:
    """Raise SolverError; the place is that of the largest error of a step, that where the charge of traps is wrong by most,
    else the strongest field in any column.

    cell : with the largest error, counted through all columns
    """
    width = run.junction.columns.width
    if reason in ("STEP_TOO_SMALL", "STANDS_STILL"):
        k, i = np.unravel_index(cell, width.shape)
        place = width[k, :i].sum() + 0.5 * width[k, i]
    elif reason == "TRAPS_NOT_FILLED":
        k, i = np.unravel_index(np.argmax(np.abs(rises_by_traps(run))), width.shape)
        place = width[k, :i].sum() + 0.5 * width[k, i]
    else:
        E = np.abs(run.state.E)
        k, f = np.unravel_index(np.argmax(np.where(np.isfinite(E), E, np.inf)), E.shape)
        place = width[k, :f].sum()
    hottest = float(run.state.heat.temperature.max()) if run.state.heat.temperature.size else None
    raise SolverError(reason, time, voltage, step, norm, float(place), hottest)


def rises_by_traps(run: Run) -> np.ndarray:
    """Rise (K, N) [eV] of the band of each column to which its charged traps lead."""
    u: np.ndarray = np.zeros_like(run.state.trapped)
    for k, own in enumerate(u):
        rise_of_band(run.junction, run.state, k, own, np.empty_like(own))
    return np.nan_to_num(u, nan=np.inf)


def show_ions(run: Run) -> None:
    """Let the state hold all ions, where they hop at random, instead of their smooth density; to be settled."""
    if run.trial.noise.area.size:  # a call compiles kernels
        single_ions.show_random(run.junction, run.state, run.trial)


def settle_in_place(run: Run, voltage: float) -> None:
    """As `jump`, with the junction voltage as it is where something is in series. Raises SolverError."""
    if not coupled(run.junction):
        jump(run, voltage)
        return
    accuracy = quasistatic.Accuracy(step_control.voltage_slack(run.control), True)
    status = quasistatic.stay(run.junction, run.state, run.tangent, accuracy)
    check_status(run, status, run.time, voltage, 0.0, 0.0)


@contextmanager
def with_all_ions(run: Run, voltage: float) -> Iterator[None]:
    """Settle the state at a source voltage, with all ions instead of their smooth density. Raises SolverError."""
    show_ions(run)
    settle_in_place(run, voltage)
    yield
    if run.trial.noise.area.size:
        single_ions.hide_random(run.junction, run.state, run.trial)
        settle_in_place(run, voltage)


def record_row(run: Run, voltage: float) -> None:
    """Record the state with its current evaluated in full, not extrapolated from the previous step. Raises SolverError."""
    with with_all_ions(run, voltage):
        if coupled(run.junction) and not run.rows:  # no step said yet what the source gives beyond what is conducted
            lost = voltage - run.state.V[0]
            run.state.charging[0] = quasistatic.source_current(run.junction, lost) - conduction(run.state)
        log = new_log(run, np.array([OBSERVE]), False)
        status = run_log.write_row(run.junction, run.state, run.tangent, run.time, 0.0, voltage, log)
        check_status(run, status, run.time, voltage, 0.0, 0.0)
        empty(run, log)


def keep_state(run: Run, voltage: float) -> None:
    """Keep the state, settled at a source voltage. Raises SolverError."""
    with with_all_ions(run, voltage):
        V, D = float(run.state.V[0]), (run.state.D_left.copy(), run.state.D_right.copy())
        stack = np.hstack(stack_arrays(run.state))
        run.kept_states.append(KeptState(run.time, voltage, V, *D, stack, remembered(run)))


def stack_arrays(state: State) -> list[np.ndarray]:
    """Fields, band and charges of a state, each (K, n) and a view of it, in the order of `run_log.write_stack`."""
    K = len(state.c)
    rows = (state.D, state.E, state.eps, state.band, state.electrons, state.sides, state.trapped)
    return [array.reshape(K, -1) for array in rows]


def restore_state(run: Run, kept: KeptState) -> None:
    """Put a run into a state that was kept: its fields, electrons and V_j are those, and not solved anew.

    A stack solved anew may be another one, where electrons can be in balance in two ways. Traps whose filling takes time
    have currents that follow from the stack: beside them it is settled. Raises SolverError.
    """
    state, at = run.state, 0
    run.time, state.V[0] = kept.time, kept.junction_voltage
    state.D_right[:], state.D_left[:] = kept.D_right, kept.D_left
    for array in stack_arrays(state):
        array[:] = kept.stack[:, at : at + array.shape[1]]
        at += array.shape[1]
    put_memory(run.junction, state, kept.start)
    if "filling" in kept.start:
        settle_in_place(run, kept.voltage)


def follow_waveform(
    run: Run,
    waveform: Waveform | Chain,
    *,
    every: str = "none",
    windows: Sequence[tuple[float, float]] = (),
    stops: Sequence[float] = (),
    copies: Sequence[float] = (),
    keep_reads: bool = False,
    progress: Callable[[float], object] | None = None,
    place: Place | None = None,
) -> None:
    """Take a run along a waveform.

    every : "all" records each time step, "reads" each read   windows : (from, until) [s] in which each time step is
    recorded   stops : times [s] at which the state is kept; with keep_reads at reads as well   copies : breakpoints [s] at
    which the state is kept as it is. progress(fraction) is called at intervals. Fills run.rows, run.reads, run.kept_states.
    Raises SolverError.
    place : on the waveform, to go on from, in block run.block; None to begin. Raises Misplaced
    """
    at_read = READ | (OBSERVE if every == "reads" else 0) | (KEEP if keep_reads else 0)
    marks = [(time, KEEP) for time in stops] + [(time, COPY) for time in copies]
    for start, end in windows:  # a row where a window begins, and a cut where it ends
        marks += [(start, OBSERVE)] * (start > 0.0) + [(end, 0)]
    began, first = run.time, 0 if place is None else int(run.block[0])
    if not 0 <= first < waveform.block_count:
        raise Misplaced(f"in block {first} of {waveform.block_count}")
    for number, block in enumerate(waveform.blocks(first), first):
        run.block[0] = number
        done = of_part(progress, number, waveform.block_count)
        follow_block(run, block, began + block.start, block_marks(block, marks, at_read), every, windows, done, place)
        place = None


def of_part(progress: Callable[[float], object] | None, before: int, parts: float) -> Callable[[float], object] | None:
    """Progress within one of `parts` equal parts of a work, after the parts before; None without progress."""
    return None if progress is None else lambda fraction: progress((before + fraction) / parts)


def block_marks(block: Block, marks: list[tuple[float, int]], at_read: int) -> list[tuple[float, int]]:
    """Marks (time [s] from the start of a block, task bits) in a block: its own reads, and marks of the drive within it.

    A mark where one block ends and the next begins belongs to the first: at a jump the voltage is the one before.
    """
    end = block.start + block.waveform.duration
    there = [(time - block.start, task) for time, task in marks if block.start < time <= end]
    return there + [(time, at_read) for time in block.waveform.read_times]


def follow_block(
    run: Run,
    block: Block,
    began: float,
    marks: list[tuple[float, int]],
    every: str,
    windows: Sequence[tuple[float, float]],
    progress: Callable[[float], object] | None,
    place: Place | None,
) -> None:
    """Take a run along a block that began at a time [s] of the run, with the marks of the block. Raises SolverError."""
    pieces, tasks = (array.copy() for array in pieces_between(block.waveform, tuple(marks)))
    if not len(pieces):
        return
    recorded = np.full(len(pieces), every == "all")
    if windows:
        recorded |= in_windows(pieces[:, :2].mean(axis=1), np.subtract(windows, block.start))
    pieces[:, :2] += began
    # a junction behind something in series goes on from where the block before left it
    settled_at = float(run.place.settled_at[0]) if coupled(run.junction) else np.nan
    run.place = place_at_start(run.step, settled_at) if place is None else place
    if place is not None:
        check_place(place, pieces)
    for end in [*(np.flatnonzero(np.diff(recorded)) + 1 if windows else ()), len(pieces)]:
        if run.place.piece[0] < end:
            part = of_part(progress, 0, len(pieces) / end)
            follow_pieces(run, pieces[:end], tasks[:end], run.place, bool(recorded[end - 1]), part)


class Misplaced(ValueError):
    """The place to continue from is not on the waveform."""


def check_place(place: Place, pieces: np.ndarray) -> None:
    """Raise Misplaced unless a place is on pieces (P, 4)."""
    piece, tau, step, voltage = (array.item() for array in place[:4])
    length = pieces[piece, 1] - pieces[piece, 0] if 0 <= piece < len(pieces) else np.inf
    on_pieces = 0 <= piece <= len(pieces) and 0.0 <= tau <= length * (1 + ALIKE)
    if not (on_pieces and 0.0 <= step < np.inf and not np.isinf(voltage)):
        raise Misplaced(f"in piece {piece} of {len(pieces)}, {tau:g} s after its start, with a step of {step:g} s")


def in_windows(times: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """True for each time (n,) that lies in any of the windows (W, 2), of which there is one or more."""
    return np.asarray(np.any([(start <= times) & (times <= end) for start, end in windows], axis=0))


@remembered_by_record(most=2)
def pieces_between(waveform: Waveform, marks: tuple[tuple[float, int], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Straight pieces (P, 4) of a waveform, cut at marks (time [s], task bits), and their tasks (P,).

    A mark belongs to the end of the piece before it: at a jump the voltage is the one before. A mark at 0 s belongs to a
    piece of no length.
    """
    pieces: list[tuple[float, float, float, float]] = []
    tasks: list[int] = []
    ahead = sorted(marks, reverse=True)  # the next mark is the last
    while ahead and ahead[-1][0] <= 0.0:
        first = float(waveform.voltages[0])
        pieces, tasks = [(0.0, 0.0, first, first)], [ahead.pop()[1] | sum(tasks)]
    for start, end, V_start, V_end in zip(*(column.tolist() for column in waveform.segments()), strict=True):
        near, slope = ALIKE * (end - start), (V_end - V_start) / (end - start)
        since, V, due = start, V_start, EDGE
        while ahead and ahead[-1][0] < end - near:
            time, task = ahead.pop()
            if time > start + near and time > since:
                V_then = V_start + slope * (time - start)
                pieces.append((since, time, V, V_then))
                tasks.append(due | task)
                since, V, due = time, V_then, 0
            elif tasks:  # where the piece before ended
                tasks[-1] |= task
        pieces.append((since, end, V, V_end))
        tasks.append(due)
        while ahead and ahead[-1][0] <= end:
            tasks[-1] |= ahead.pop()[1]
    for _, task in ahead if tasks else ():  # beyond the end by round-off
        tasks[-1] |= task
    return np.array(pieces).reshape(-1, 4), np.array(tasks, np.int64)
