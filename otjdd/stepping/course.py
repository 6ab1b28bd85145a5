"""The course of the ions along straight pieces of the source voltage, in time steps, with tasks at their ends."""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.errors import Status
from otjdd.mechanisms.heat import heated, warming
from otjdd.physics.charging import capacitance, charge_between, conduction
from otjdd.physics.junction import Junction, coupled
from otjdd.physics.quasistatic import Accuracy, drop, jump_to, relaxes, resettle, source_current, stay
from otjdd.physics.state import Memory, State, Tangent, WayBetween, copy_state
from otjdd.stepping.hooks import accept, begin_piece, bounds, follow_end, hide_random, is_random, show_random, use_end
from otjdd.stepping.rosenbrock import Ramp, Trial, Work
from otjdd.stepping.run_log import (
    LEAPS,
    READS,
    STATES,
    Log,
    full_of_rows,
    note,
    note_largest,
    write_read,
    write_row,
    write_state,
)
from otjdd.stepping.step_control import (
    ACCEPTED,
    FROM,
    REJECTED,
    TRIED,
    UNPHYSICAL,
    UNTIL,
    V_FROM,
    V_UNTIL,
    WORST_CELL,
    Control,
    Course,
    drift,
    first_step,
    next_step,
    next_trial,
    note_trial,
    time_of_charging,
    voltage_slack,
    worst_cell,
)
from otjdd.stepping.trial_step import VOLTAGE_ERROR, StepTask, allowed_of_charging, step_or_leap

SHORTEST = 1e-22  # s
FIRST_OF_CHARGING = 0.1  # first step behind a jump of the source, in times in which it charges the junction


class Instant(NamedTuple):
    """The end of a step, or the start of the first one, with its longest."""

    time: float  # s
    step: float  # s
    voltage: float  # V, of the source


@detached
def settle_start(
    junction: Junction, control: Control, state: State, tangent: Tangent, between: WayBetween, voltage: float
):  # fmt: skip
    """Settle the state at the start of a step that was rejected. Returns a status.

    The tangent may be a new one: V_j of the old is not that of the new, however small the step.
    """
    use_end(junction, state, state)
    return resettle(junction, state, tangent, between, voltage, Accuracy(voltage_slack(control), False))


@detached
def first_behind(junction: Junction, control: Control, state: State, work: Work, at: Instant, recorded: bool) -> float:
    """Step [s] after an edge, recorded or not: that of `first_step`, or a part of the time in which a jump charges."""
    dt = first_step(junction, control, state, work, at.step, recorded)
    if coupled(junction):
        strict = VOLTAGE_ERROR * control.rtol
        time = time_of_charging(junction, state, at.voltage, strict)
        rate = drift(junction, control, state, work, recorded)
        allowed = allowed_of_charging(rate * time, control.rtol, recorded)
        dt = min(dt, FIRST_OF_CHARGING * time * (allowed / strict) ** 0.25)
    return dt


@detached
def note_step(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, end: Instant, log: Log
):  # fmt: skip
    """Record a step, or note its largest values. Returns a status."""
    status, all_random, between = Status.DONE, log.every_step and is_random(trial), trial.between
    if all_random:
        show_random(junction, state, trial)
        accuracy = Accuracy(voltage_slack(control), True)
        status = resettle(junction, state, tangent, between, end.voltage, accuracy)
    if status == Status.DONE and log.every_step:
        status = write_row(junction, state, tangent, end.time, end.step, end.voltage, log)
    elif status == Status.DONE:
        note_largest(junction, state, log.watch, end.time, end.step, follow_end(junction))
    if status == Status.DONE and all_random:
        hide_random(junction, state, trial)
        status = settle_start(junction, control, state, tangent, between, end.voltage)
    return bounds(state) if status == Status.DONE else status


@detached
def cross_piece(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, course: Course, log: Log,
    observed: bool,
):  # fmt: skip
    """Integrate the ions to the end of the piece of the course on which they stand. Returns a status, last error norm.

    state : settled; changed in place   observed : a current is recorded in the piece or at its end
    PAUSED: the log is full or max_steps steps were tried; call again
    """
    control, place, counts, i = course.control, course.place, course.counts, course.place.piece[0]
    start, V_start = course.pieces[i, FROM], course.pieces[i, V_FROM]
    duration = course.pieces[i, UNTIL] - start
    slope = (course.pieces[i, V_UNTIL] - V_start) / duration if duration > 0.0 else 0.0
    failure, norm, tau, dt = Status.STEP_TOO_SMALL, 0.0, place.elapsed[0], place.step[0]
    status = begin_piece(junction, state, tangent) if tau == 0.0 and place.rejected[0] == 0 else Status.DONE
    if status != Status.DONE:
        return status, norm
    if dt <= 0.0 and not course.given:
        at = Instant(start + tau, duration - tau, V_start + slope * tau)
        dt = first_behind(junction, control, state, trial.work, at, log.every_step)
    while tau < duration:
        place.elapsed[0], place.step[0] = tau, dt
        if counts[TRIED] >= control.max_steps or (log.every_step and full_of_rows(log)):
            return Status.PAUSED, norm
        counts[TRIED] += 1
        step, last, accepted = next_trial(course, dt, duration - tau)
        if not step >= SHORTEST or tau + step == tau:
            return failure, norm
        source = Ramp(V_start + slope * tau, slope, observed)
        task = StepTask(course.lenient if accepted else control, source, step, log.every_step)
        status, norm, growth, outside, leapt = step_or_leap(junction, state, tangent, trial, task)
        counts[UNPHYSICAL] += outside
        if course.given and status == Status.DONE and not accepted:
            status = Status.STEP_REJECTED
        note_trial(course, step, status == Status.DONE, last, leapt)
        if status != Status.DONE:
            counts[REJECTED] += 1
            counts[WORST_CELL] = worst_cell(control, state.c, trial.state.c, trial.work.error)
            failure = Status.STEP_TOO_SMALL if status == Status.STEP_REJECTED else status
            if accepted:
                return failure, norm
            dt, place.rejected[0] = step * growth, 1
            status = settle_start(junction, control, state, tangent, trial.between, source.voltage)
            if status != Status.DONE:
                return status, norm
            continue
        counts[ACCEPTED] += 1
        tau = duration if last else tau + step
        if leapt:
            place.leaps[0] += 1
            note(log.watch, LEAPS, float(place.leaps[0]), start + tau)
        accept(junction, trial, state)
        dt, failure = next_step(trial.method, growth, norm, step, place, log.every_step), Status.STEP_TOO_SMALL
        instant = Instant(start + tau if tau < duration else course.pieces[i, UNTIL], step, V_start + slope * tau)
        status = note_step(junction, control, state, tangent, trial, instant, log)
        if status != Status.DONE:
            break
    place.elapsed[0], place.step[0] = tau, dt
    return status, norm


# Tasks of a piece, bits. EDGE: at its start the step is chosen anew. The others are done at its end: OBSERVE writes a row,
# READ takes a read, KEEP keeps the state settled with its current, COPY keeps it as it is, which leaves all bits of the run
EDGE, OBSERVE, READ, KEEP, COPY = 1, 2, 4, 8, 16
AT_JUMP = 0.1  # error of V_j allowed at the start of a piece over that within: the largest values of a run occur there
# A jump charges the junction at once where the piece is LONG against the time that this takes, LIMITED where the source may
# limit its current, and neither the piece before nor that behind feels it, see `feels`.
LONG, LIMITED, UNFELT = 30.0, 1e3, 0.3
READ_ERROR = 1e-5  # error of V_j allowed at a read, over the read voltage; the current of a read is evaluated
CHARGED = 1e-3  # of a read voltage, by which V_j may miss that of the junction at rest where a read is of it as it is


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
    junction: Junction, state: State, tangent: Tangent, memory: Memory, trial: Trial,
    course: Course, accuracy: Accuracy,
):  # fmt: skip
    """As `change_voltage` if charging is over so soon that nothing else changes meanwhile.

    Returns a status: STEP_REJECTED for a state that is left as it was.
    """
    control = course.control
    i, lasted, V, rtol = course.place.piece[0], state.lasted[0], state.V[0], control.rtol
    duration, least = duration_of(course.pieces, i), LIMITED if junction.compliance < math.inf else LONG
    before = drift(junction, control, state, trial.work, True)
    copy_state(state, trial.state)
    status = jump_to(junction, state, tangent, memory, trial.between, course.pieces[i, V_FROM], accuracy)
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
    junction: Junction, state: State, tangent: Tangent, memory: Memory, trial: Trial,
    course: Course, accuracy: Accuracy,
):  # fmt: skip
    """Let the voltage of the source jump to that at the start of the piece of the course. Returns a status.

    Behind something in series the junction stays at its voltage, and is charged from there on.
    """
    i = course.place.piece[0]
    V_source, duration = course.pieces[i, V_FROM], duration_of(course.pieces, i)
    if not coupled(junction):
        return jump_to(junction, state, tangent, memory, trial.between, V_source, accuracy)
    if not state.eps[0, 0] > 0.0:  # before anything was settled
        status = stay(junction, state, tangent, accuracy)
        if status != Status.DONE:
            return status
    if LONG * junction.resistance * capacitance(junction, state) <= duration:
        status = jump_at_once(junction, state, tangent, memory, trial, course, accuracy)
        if status != Status.STEP_REJECTED:
            return status
    status = stay(junction, state, tangent, accuracy)
    state.charging[0] = source_current(junction, V_source - state.V[0]) - conduction(state)
    return status


@detached
def settle_task(
    junction: Junction, state: State, tangent: Tangent, memory: Memory, trial: Trial, V_source: float,
    accuracy: Accuracy,
):  # fmt: skip
    """Settle the state at a voltage of the source, or at its own where something is in series. Returns a status."""
    if coupled(junction):
        return stay(junction, state, tangent, accuracy)
    return jump_to(junction, state, tangent, memory, trial.between, V_source, accuracy)


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
    strict = relaxes(state) or not coupled(junction)  # as a row of the same instant, which then has this current
    accuracy = Accuracy(READ_ERROR * abs(V_source), strict)
    if coupled(junction):
        status = stay(junction, state, tangent, accuracy)
        missing = V_source - drop(junction, conduction(state))[0] - state.V[0]
        if status == Status.DONE and abs(missing) <= CHARGED * abs(V_source):
            return write_read(junction, state, tangent, time, V_source, log)
        copy_state(state, trial.state)
    if status == Status.DONE:
        status = jump_to(junction, state, tangent, memory, trial.between, V_source, accuracy)
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
    status, task, settled = Status.DONE, course.tasks[i], False
    V_source, time = course.pieces[i, V_UNTIL], course.pieces[i, UNTIL]
    if task & READ:
        status, settled = take_read(junction, state, tangent, memory, trial, course, log), not coupled(junction)
    if status == Status.DONE and task & (OBSERVE | KEEP) and not settled:  # a read left it settled, its current known
        accuracy = Accuracy(READ_ERROR * abs(V_source), True)
        status = settle_task(junction, state, tangent, memory, trial, V_source, accuracy)
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
    junction: Junction, state: State, tangent: Tangent, memory: Memory, trial: Trial,
    course: Course, log: Log,
):  # fmt: skip
    """Take the ions along a course, on from its place; the state is settled in the end. Returns a status, last error norm.

    tangent, memory : kept between calls   trial : work space
    PAUSED: the log is full or max_steps steps were tried; empty the log, set the counts to 0 and call again.
    """
    control = course.control
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
            all_random = log.every_step and is_random(trial)
            if all_random:
                show_random(junction, state, trial)
            status = change_voltage(junction, state, tangent, memory, trial, course, accuracy)
            if status == Status.DONE and log.every_step:
                status = write_row(junction, state, tangent, course.pieces[i, FROM], 0.0, V_start, log)
            if status == Status.DONE and all_random:
                hide_random(junction, state, trial)
                status = settle_task(junction, state, tangent, memory, trial, V_start, accuracy)
            if status != Status.DONE:
                return status, norm
            state.lasted[0] = 0.0
            if not log.every_step:
                note_largest(junction, state, log.watch, course.pieces[i, FROM], 0.0, False)
            place.settled_at[0] = V_start
        if place.elapsed[0] == 0.0 and place.rejected[0] == 0 and task & EDGE:
            place.step[0], place.last_norm[0] = 0.0, 0.0
        observed = log.every_step or task & (OBSERVE | READ | KEEP) != 0
        status, norm = cross_piece(junction, state, tangent, trial, course, log, observed)
        if status == Status.DONE:
            place.settled_at[0] = V_end
            state.lasted[0] += duration_of(course.pieces, i)
            all_random = is_random(trial) and task & (OBSERVE | READ | KEEP) != 0
            if all_random:
                show_random(junction, state, trial)
            status = perform(junction, state, tangent, memory, trial, course, log)
            if status == Status.DONE and all_random:
                hide_random(junction, state, trial)
                status = settle_task(junction, state, tangent, memory, trial, V_end, accuracy)
        if status != Status.DONE:
            return status, norm
        place.piece[0], place.elapsed[0] = i + 1, 0.0
    if coupled(junction):  # settled by its last step
        return Status.DONE, norm
    return jump_to(junction, state, tangent, memory, trial.between, place.settled_at[0], accuracy), norm
