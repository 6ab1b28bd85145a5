"""The course of the ions along many straight pieces of the source voltage, with tasks at the ends of the pieces."""

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.errors import Status
from otjdd.physics.channels.kinetic_traps import have_memory
from otjdd.physics.junction import Junction
from otjdd.physics.quasistatic import Accuracy, jump
from otjdd.physics.state import Memory, State, Tangent
from otjdd.stepping.drawn_hops import is_noisy
from otjdd.stepping.error_norm import Control, voltage_slack
from otjdd.stepping.extremes import look
from otjdd.stepping.hop_noise import hide_ions, show_ions
from otjdd.stepping.pieces import FROM, UNTIL, V_FROM, V_UNTIL, Course
from otjdd.stepping.rosenbrock import Trial
from otjdd.stepping.run_log import READS, STATES, Log, full_of_rows, write_read, write_row, write_state
from otjdd.stepping.stepper import cross_piece

# Tasks of a piece, bits. EDGE: at its start the step is chosen anew. The others are done at its end: OBSERVE writes a row,
# READ takes a read, KEEP keeps the state settled with its current, COPY keeps it as it is, which leaves all bits of the run
EDGE, OBSERVE, READ, KEEP, COPY = 1, 2, 4, 8, 16
AT_JUMP = 0.1  # error of V_j allowed at the start of a piece over that within: the largest values of a run occur there
READ_ERROR = 1e-5  # error of V_j allowed at a read, over the read voltage; the current of a read is evaluated


@detached
def perform(
    junction: Junction,
    state: State,
    tangent: Tangent,
    memory: Memory,
    task: int,
    time: float,
    V_source: float,
    log: Log,
):
    """Record what a task asks for at the end of a piece. Returns a status.

    Traps whose filling takes time have that of the end of the step: what an error moves V_j, fast ones answer by a current.
    """
    status, allowed = Status.DONE, READ_ERROR * abs(V_source)
    if task & READ:
        status = jump(junction, state, tangent, memory, V_source, Accuracy(allowed, have_memory(state)))
        if status == Status.DONE:
            status = write_read(junction, state, tangent, time, V_source, log)
    if status == Status.DONE and task & (OBSERVE | KEEP):  # after a read its current is known
        status = jump(junction, state, tangent, memory, V_source, Accuracy(allowed, True))
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
            status = jump(junction, state, tangent, memory, V_start, accuracy)
            if status == Status.DONE and log.every_step:
                status = write_row(junction, state, tangent, course.pieces[i, FROM], 0.0, V_start, log)
            if status == Status.DONE and all_ions:
                hide_ions(state, trial.noise)
                status = jump(junction, state, tangent, memory, V_start, accuracy)
            if status != Status.DONE:
                return status, norm
            if not log.every_step:
                look(junction, state, log.watch, course.pieces[i, FROM], 0.0, False)
            place.settled_at[0] = V_start
        if place.elapsed[0] == 0.0 and place.rejected[0] == 0 and task & EDGE:
            place.step[0], place.last_norm[0] = 0.0, 0.0
        observed = log.every_step or task & (OBSERVE | READ | KEEP) != 0
        status, norm = cross_piece(junction, control, state, tangent, trial, course, log, observed)
        if status == Status.DONE:
            place.settled_at[0] = V_end
            all_ions = is_noisy(trial.noise) and task & (OBSERVE | READ | KEEP) != 0
            if all_ions:
                show_ions(junction, state, trial.noise)
            status = perform(junction, state, tangent, memory, task, course.pieces[i, UNTIL], V_end, log)
            if status == Status.DONE and all_ions:
                hide_ions(state, trial.noise)
                status = jump(junction, state, tangent, memory, V_end, accuracy)
        if status != Status.DONE:
            return status, norm
        place.piece[0], place.elapsed[0] = i + 1, 0.0
    return jump(junction, state, tangent, memory, place.settled_at[0], accuracy), norm
