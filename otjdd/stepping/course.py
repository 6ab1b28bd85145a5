"""The course of the ions along many straight pieces of the source voltage, with tasks at the ends of the pieces."""

import math

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.errors import Status
from otjdd.mechanisms.heat import heated, warming
from otjdd.physics.channels.kinetic_traps import have_memory
from otjdd.physics.charging import capacitance, charge_between, conduction
from otjdd.physics.circuit import coupled, drop, source_current
from otjdd.physics.junction import Junction
from otjdd.physics.quasistatic import Accuracy, jump, stay
from otjdd.physics.state import Memory, State, Tangent, copy_state
from otjdd.stepping.drawn_hops import is_noisy
from otjdd.stepping.error_norm import Control, drift, voltage_slack
from otjdd.stepping.extremes import look
from otjdd.stepping.hop_noise import hide_ions, show_ions
from otjdd.stepping.pieces import FROM, UNTIL, V_FROM, V_UNTIL, Course
from otjdd.stepping.rosenbrock import Trial
from otjdd.stepping.run_log import READS, STATES, Log, full_of_rows, write_read, write_row, write_state
from otjdd.stepping.step_length import first_step
from otjdd.stepping.stepper import cross_piece

# Tasks of a piece, bits. EDGE: at its start the step is chosen anew. The others are done at its end: OBSERVE writes a row,
# READ takes a read, KEEP keeps the state settled with its current, COPY keeps it as it is, which leaves all bits of the run
EDGE, OBSERVE, READ, KEEP, COPY = 1, 2, 4, 8, 16
AT_JUMP = 0.1  # error of V_j allowed at the start of a piece over that within: the largest values of a run occur there
# A jump charges the junction at once where the piece is LONG against the time that this takes, LIMITED where the source may
# limit its current, and neither the piece before nor that behind feels it, see `feels`.
LONG, LIMITED, UNFELT = 30.0, 1e3, 0.3
READ_ERROR = 1e-5  # error of V_j allowed at a read, over the read voltage; the current of a read is evaluated
CHARGED = (
    1e-3  # of a read voltage: by which V_j may miss that of the settled junction in a read of the junction as it is
)


@bare
def duration_of(pieces: np.ndarray, i: int) -> float:
    """Duration [s] of a piece."""
    return pieces[i, UNTIL] - pieces[i, FROM]


@bare
def feels(rate: float, time: float, duration: float, rtol: float) -> bool:
    """True where a piece of a duration [s], which changes a norm at a rate [1/s], feels a delay [s].

    A delay shifts what is slow by its part of the duration, which counts from rtol on, if more than that part of what one
    step may err changes within it: the errors of the pulses of a train add up.
    """
    return time > rtol * duration and time * rate > rtol * UNFELT


@detached
def jump_at_once(
    junction: Junction, control: Control, state: State, tangent: Tangent, memory: Memory, trial: Trial,
    course: Course, accuracy: Accuracy,
):  # fmt: skip
    """As `change_voltage` if charging is over so soon that nothing else changes meanwhile.

    Returns a status: STEP_REJECTED for a state that is left as it was.
    """
    i, lasted, V, rtol = course.place.piece[0], state.lasted[0], state.V[0], control.rtol
    duration, least = duration_of(course.pieces, i), LIMITED if junction.compliance < math.inf else LONG
    before = drift(junction, control, state, trial.work, True)
    copy_state(state, trial.state)
    status = jump(junction, state, tangent, memory, course.pieces[i, V_FROM], accuracy)
    if status == Status.DONE:
        change = abs(state.V[0] - V)
        came = max(abs(charge_between(junction, trial.state, state)), capacitance(junction, state) * change)
        time = came / junction.compliance + (junction.resistance * came / change if change > 0.0 else 0.0)
        behind = drift(junction, control, state, trial.work, True)
        felt = least * time > duration or feels(before, time, lasted, rtol) or feels(behind, time, duration, rtol)
        if heated(junction):
            felt = felt or warming(junction, state, time, rtol) > UNFELT
        if accuracy.recorded:  # the first row behind shows what charged the junction, on average over the first step
            felt = felt or LONG * time > first_step(junction, control, state, trial.work, duration, True)
        if not felt:
            return status
    copy_state(trial.state, state)
    return Status.STEP_REJECTED


@detached
def change_voltage(
    junction: Junction, control: Control, state: State, tangent: Tangent, memory: Memory, trial: Trial,
    course: Course, accuracy: Accuracy,
):  # fmt: skip
    """Let the voltage of the source jump to that at the start of the piece of the course. Returns a status.

    Behind something in series the junction stays at its voltage, and is charged from there on.
    """
    i = course.place.piece[0]
    V_source, duration = course.pieces[i, V_FROM], duration_of(course.pieces, i)
    if not coupled(junction):
        return jump(junction, state, tangent, memory, V_source, accuracy)
    state.beside[0] = min(state.lasted[0], duration)
    if not state.eps[0, 0] > 0.0:  # before anything was settled
        status = stay(junction, state, tangent, accuracy)
        if status != Status.DONE:
            return status
    if LONG * junction.resistance * capacitance(junction, state) <= duration:
        status = jump_at_once(junction, control, state, tangent, memory, trial, course, accuracy)
        if status != Status.STEP_REJECTED:
            return status
    status = stay(junction, state, tangent, accuracy)
    state.charging[0] = source_current(junction, V_source - state.V[0]) - conduction(state)
    return status


@detached
def settle_task(
    junction: Junction, state: State, tangent: Tangent, memory: Memory, V_source: float, accuracy: Accuracy
):  # fmt: skip
    """Settle the state at a voltage of the source, or at its own where something is in series. Returns a status."""
    if coupled(junction):
        return stay(junction, state, tangent, accuracy)
    return jump(junction, state, tangent, memory, V_source, accuracy)


@detached
def take_read(
    junction: Junction, state: State, tangent: Tangent, memory: Memory, trial: Trial, course: Course, log: Log
):  # fmt: skip
    """Write the read at the end of a piece. Returns a status.

    A junction that something in series has not charged by then is read as if it were settled at the voltage of the source,
    and goes on from the voltage that it has reached. Its traps whose filling takes time have that of the end of the step.
    """
    i = course.place.piece[0]
    V_source, time, status = course.pieces[i, V_UNTIL], course.pieces[i, UNTIL], Status.DONE
    accuracy = Accuracy(READ_ERROR * abs(V_source), have_memory(state))
    if coupled(junction):
        status = stay(junction, state, tangent, accuracy)
        missing = V_source - drop(junction, conduction(state))[0] - state.V[0]
        if status == Status.DONE and abs(missing) <= CHARGED * abs(V_source):
            return write_read(junction, state, tangent, time, V_source, log)
        copy_state(state, trial.state)
    if status == Status.DONE:
        status = jump(junction, state, tangent, memory, V_source, accuracy)
    if status == Status.DONE:
        status = write_read(junction, state, tangent, time, V_source, log)
    if coupled(junction):
        copy_state(trial.state, state)
    return status


@detached
def perform(
    junction: Junction, state: State, tangent: Tangent, memory: Memory, trial: Trial, course: Course, log: Log
):  # fmt: skip
    """Record what a task asks for at the end of a piece. Returns a status."""
    i = course.place.piece[0]
    status, task = Status.DONE, course.tasks[i]
    V_source, time = course.pieces[i, V_UNTIL], course.pieces[i, UNTIL]
    if task & READ:
        status = take_read(junction, state, tangent, memory, trial, course, log)
    if status == Status.DONE and task & (OBSERVE | KEEP):  # after a read its current is known
        accuracy = Accuracy(READ_ERROR * abs(V_source), True)
        status = settle_task(junction, state, tangent, memory, V_source, accuracy)
    if status == Status.DONE and task & OBSERVE:
        status = write_row(junction, state, tangent, time, 0.0, V_source, log)
    if status == Status.DONE and task & (KEEP | COPY):
        write_state(state, time, V_source, log)
    return status


@detached
def full(task: int, log: Log):
    """True when the log has no room for the record of a task."""
    return (
        (task & OBSERVE and full_of_rows(log))
        or (task & READ and log.used[READS] == log.reads.shape[0])
        or (task & (KEEP | COPY) and log.used[STATES] == log.kept_instants.shape[0])
    )


@bare
def turns(pieces: np.ndarray, i: int) -> bool:
    """True where the voltage of piece i rises or falls, and that of the piece before it did not in the same way."""
    change = pieces[i, V_UNTIL] - pieces[i, V_FROM]
    before = pieces[i - 1, V_UNTIL] - pieces[i - 1, V_FROM] if i > 0 else 0.0
    return change != 0.0 and change * before <= 0.0


@detached
def run_course(
    junction: Junction, control: Control, state: State, tangent: Tangent, memory: Memory, trial: Trial,
    course: Course, log: Log,
):  # fmt: skip
    """Take the ions along a course, on from its place; the state is settled in the end. Returns a status, last error norm.

    tangent, memory : kept between calls   trial : work space
    PAUSED: the log is full or max_steps steps were tried; empty the log, set the counts to 0 and call again.
    """
    place, norm = course.place, 0.0
    accuracy = Accuracy(AT_JUMP * voltage_slack(control), log.every_step)
    while place.piece[0] < course.pieces.shape[0]:
        i = place.piece[0]
        task, V_start, V_end = course.tasks[i], course.pieces[i, V_FROM], course.pieces[i, V_UNTIL]
        jumps = place.elapsed[0] == 0.0 and place.settled_at[0] != V_start
        if jumps or (place.elapsed[0] == 0.0 and turns(course.pieces, i)):
            place.leaps[0] = 0
        if full(task, log) or (jumps and log.every_step and full_of_rows(log)):
            return Status.PAUSED, norm
        if jumps:
            all_ions = log.every_step and is_noisy(trial.noise)
            if all_ions:
                show_ions(junction, state, trial.noise)
            status = change_voltage(junction, control, state, tangent, memory, trial, course, accuracy)
            if status == Status.DONE and log.every_step:
                status = write_row(junction, state, tangent, course.pieces[i, FROM], 0.0, V_start, log)
            if status == Status.DONE and all_ions:
                hide_ions(state, trial.noise)
                status = settle_task(junction, state, tangent, memory, V_start, accuracy)
            if status != Status.DONE:
                return status, norm
            state.lasted[0] = 0.0
            if not log.every_step:
                look(junction, state, log.watch, course.pieces[i, FROM], 0.0, False)
            place.settled_at[0] = V_start
        if place.elapsed[0] == 0.0 and place.rejected[0] == 0 and task & EDGE:
            place.step[0], place.last_norm[0] = 0.0, 0.0
        observed = log.every_step or task & (OBSERVE | READ | KEEP) != 0
        status, norm = cross_piece(junction, control, state, tangent, trial, course, log, observed)
        if status == Status.DONE:
            place.settled_at[0] = V_end
            state.lasted[0] += duration_of(course.pieces, i)
            all_ions = is_noisy(trial.noise) and task & (OBSERVE | READ | KEEP) != 0
            if all_ions:
                show_ions(junction, state, trial.noise)
            status = perform(junction, state, tangent, memory, trial, course, log)
            if status == Status.DONE and all_ions:
                hide_ions(state, trial.noise)
                status = settle_task(junction, state, tangent, memory, V_end, accuracy)
        if status != Status.DONE:
            return status, norm
        place.piece[0], place.elapsed[0] = i + 1, 0.0
    if coupled(junction):  # settled by its last step
        return Status.DONE, norm
    return jump(junction, state, tangent, memory, place.settled_at[0], accuracy), norm
