"""Time steps of the ions along one straight piece of the source voltage."""

from typing import NamedTuple

from otjdd.compiler.decorators import detached
from otjdd.errors import Status
from otjdd.physics.circuit import coupled
from otjdd.physics.junction import Junction
from otjdd.physics.quasistatic import Accuracy
from otjdd.physics.quasistatic import settle_again as settle_at
from otjdd.physics.state import State, Tangent, WayBetween
from otjdd.stepping.drawn_hops import is_noisy
from otjdd.stepping.error_norm import Control, voltage_slack, worst_cell
from otjdd.stepping.extremes import LEAPS, look, note
from otjdd.stepping.hooks import accept, begin_piece, bounds, follow_end, use_end
from otjdd.stepping.hop_noise import hide_ions, show_ions
from otjdd.stepping.pieces import (
    ACCEPTED,
    FROM,
    REJECTED,
    TRIED,
    UNPHYSICAL,
    UNTIL,
    V_FROM,
    V_UNTIL,
    WORST_CELL,
    Course,
    next_trial,
    note_trial,
)
from otjdd.stepping.rosenbrock import Ramp, Trial, Work
from otjdd.stepping.run_log import Log, full_of_rows, write_row
from otjdd.stepping.step_length import first_step, next_step, time_of_charging
from otjdd.stepping.trial_step import VOLTAGE_ERROR, allowed_of_charging, step_or_leap

SHORTEST = 1e-22  # s
FIRST_OF_CHARGING = 0.1  # first step behind a jump of the source, in times in which it charges the junction


class Instant(NamedTuple):
    """The end of a step, or the start of the first one, with its longest."""

    time: float  # s
    step: float  # s
    voltage: float  # V, of the source


@detached
def settle_again(
    junction: Junction, control: Control, state: State, tangent: Tangent, between: WayBetween, voltage: float
):  # fmt: skip
    """Settle the state at the start of a step that was rejected. Returns a status.

    The tangent may be a new one: V_j of the old is not that of the new, however small the step.
    """
    use_end(junction, state, state)
    return settle_at(junction, state, tangent, between, voltage, Accuracy(voltage_slack(control), False))


@detached
def first_behind(junction: Junction, control: Control, state: State, work: Work, at: Instant, recorded: bool) -> float:
    """Step [s] after an edge, recorded or not: that of `first_step`, or a part of the time in which a jump charges."""
    dt = first_step(junction, control, state, work, at.step, recorded)
    if coupled(junction):
        strict = VOLTAGE_ERROR * control.rtol
        time = time_of_charging(junction, state, at.voltage, strict)
        allowed = allowed_of_charging(state, time, control.rtol, recorded)
        dt = min(dt, FIRST_OF_CHARGING * time * (allowed / strict) ** 0.25)
    return dt


@detached
def note_step(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, end: Instant, log: Log
):  # fmt: skip
    """Record a step, or look at its largest values. Returns a status."""
    noise, between = trial.noise, trial.between
    status, all_ions = Status.DONE, log.every_step and is_noisy(noise)
    if all_ions:
        show_ions(junction, state, noise)
        accuracy = Accuracy(voltage_slack(control), True)
        status = settle_at(junction, state, tangent, between, end.voltage, accuracy)
    if status == Status.DONE and log.every_step:
        status = write_row(junction, state, tangent, end.time, end.step, end.voltage, log)
    elif status == Status.DONE:
        look(junction, state, log.watch, end.time, end.step, follow_end(junction))
    if status == Status.DONE and all_ions:
        hide_ions(state, noise)
        status = settle_again(junction, control, state, tangent, between, end.voltage)
    return bounds(state) if status == Status.DONE else status


@detached
def cross_piece(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, course: Course, log: Log,
    observed: bool,
):  # fmt: skip
    """Integrate the ions to the end of the piece of the course on which they stand. Returns a status, last error norm.

    state : settled; changed in place   observed : a current is recorded in the piece or at its end
    PAUSED: the log is full or max_steps steps were tried; call again
    """
    place, counts, i = course.place, course.counts, course.place.piece[0]
    start, V_start = course.pieces[i, FROM], course.pieces[i, V_FROM]
    duration = course.pieces[i, UNTIL] - start
    slope = (course.pieces[i, V_UNTIL] - V_start) / duration
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
        status, norm, growth, outside, leapt = step_or_leap(
            junction, course.lenient if accepted else control, state, tangent, trial, source, step, log.every_step
        )
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
            status = settle_again(junction, control, state, tangent, trial.between, source.voltage)
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
