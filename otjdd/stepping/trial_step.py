"""A trial step of the ions: accepted or rejected by the error control, and the growth of the step that the errors allow.

At the end of a step D(L) and V_j are solved anew (`settle`, `settle_charging`), with a fresh tangent of the current
where ln I has changed much, and the distance of V_j from its prediction is part of the error control. So the equations
hold to round-off at recorded times and to `voltage_slack` at others. The current is evaluated at most once or twice a
step, not six times, and not at all while nothing moves.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached
from otjdd.errors import Status
from otjdd.mechanisms.heat import AGREED
from otjdd.physics.charging import Charging, capacitance, charge_between, conduction, settle_charging
from otjdd.physics.columns import close_all, follow_tangent
from otjdd.physics.junction import CLOSURE_TOLERANCE, Junction, coupled, hold_traps
from otjdd.physics.numerics import OVERFLOW, add_up, copy
from otjdd.physics.quasistatic import (
    VOLTAGE_TOLERANCE,
    Accuracy,
    at_compliance,
    blur,
    drop,
    idle,
    relaxes,
    resistance,
    settle,
    source_current,
)
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State, Tangent, copy_state
from otjdd.stepping.film_step import film_step
from otjdd.stepping.hooks import (
    after_leap,
    agree,
    begin_step,
    correct_all,
    end_error,
    end_step,
    follow_end,
    is_random,
    may_leap,
    move_at_random,
    predict,
    random_limit,
    settled_anew,
    settled_limit,
    start_end,
    step_error,
    step_limit,
    use_end,
    use_mean,
)
from otjdd.stepping.rosenbrock import CAME, CAPACITANCE, Ramp, Trial
from otjdd.stepping.step_control import (
    GROWTH,
    SAFETY,
    SHRINK,
    Control,
    allowed_growth,
    drift,
    error_by_charge,
    motion,
    norm_of,
    outside,
    voltage_slack,
)

LEAST_SHRINK, UNPHYSICAL_SHRINK = 0.9, 0.5  # of the step after a rejection, and after one for a concentration
UNSOLVED_SHRINK = 0.01  # after a search for V_j in vain, which may have taken seconds through narrow levels
SLOW = 30.0  # steps in times of charging from which on V_j is at rest at the end of a step but for what moves slowly
WITHIN = 3.0  # current at the end of a step that has grown by the square of the time, over its mean
JUST_BEYOND = 1.001  # of the way to where the source begins or ceases to limit its current
CORNER = 0.1  # of the compliance, most that a straight line between two recorded currents is off there along a ramp
VOLTAGE_ERROR = 0.1  # V per unit rtol: the drift velocity changes by some 7/V, half of it within a step
UNRECORDED_ERROR = 0.01  # V, error of V_j at most where no current is recorded
# Norm that an error of V_j may add to what ions move, and d ln(rate)/dV [1/V]. With 0.1 for 1 `rv-loop` is within 2.8e-3 of
# a run at rtol 1e-5 and not 5.7e-3, and evaluates a ninth more currents; trains of 50 ns gain nothing.
ADDED, PER_VOLT = 1.0, 7.0
FARTHEST = 0.5  # V, change of V_j in a step at most where ions move: its error estimate is blind to what turns round
NEGLIGIBLE_DROP = 1e-3  # V per unit rtol: a voltage drop too small to be followed within a step
NEGLIGIBLE_BENDING = 1e-6  # V per unit rtol: of the band by electrons too few to be followed within a step
LEAP, AFTER_LEAP = 0.1, 2.0  # norm of what ions move in a leap at most, and growth of the next step
APART = 1.0  # kT, distance of a stack from its prediction beyond which it is another one: a step errs by some rtol kT
MOST_TURNS = 8  # of the search for what follows from the end of a step


class StepTask(NamedTuple):
    """A trial step from a settled state: what is asked of it."""

    control: Control
    source: Ramp
    step: float  # s
    recorded: bool  # its current is


class Outcome(NamedTuple):
    """Outcome of a trial step."""

    status: Status  # DONE: accepted; STEP_REJECTED: rejected by the error control; else the failure
    norm: float  # error norm, 1 is the limit
    growth: float  # factor on the length of the next step
    unphysical: bool  # rejected because a concentration left its bounds
    leapt: bool  # to another stack


@bare
def copy_band(state: State, out: np.ndarray):
    """Copy the band in the film to `out` (K, N)."""
    for k in range(out.shape[0]):
        copy(state.band[k, 1:-1], out[k])


@bare
def is_apart(junction: Junction, state: State, band: np.ndarray) -> bool:
    """True where the band in the film of any column is further than APART from another one (K, N) [eV]."""
    apart = False
    for k in range(band.shape[0]):
        for i in range(band.shape[1]):
            apart = apart or abs(state.band[k, i + 1] - band[k, i]) > APART * state.kT[k]
    return apart


class Source(NamedTuple):
    """The source in a trial step of a junction with something in series."""

    voltage: float  # V, at the end
    time: float  # s, in which the junction is charged
    slow: bool  # that is a small part of the step
    turns: bool  # the source begins or ceases to limit its current within it
    felt: bool  # the current acted on V_j in the stages
    share: float  # of the step, to where it does
    corner: float  # of the step, as `way_to_corner`


@bare
def way_to_corner(junction: Junction, before: float, after: float) -> float:
    """Share of a step along a ramp to the first corner of its current that a straight line misses; 1 for none.

    Corners are where the source ceases or begins to limit its current.   before, after : V, lost in series at both ends
    """
    first, last = source_current(junction, before), source_current(junction, after)
    limit, whole = resistance(junction) * junction.compliance, abs(after - before)
    change = abs(last - first) / junction.compliance
    if at_compliance(junction, first):
        leaves = (abs(before) - limit) / whole
        if leaves * change > CORNER:
            return leaves
    if at_compliance(junction, last):
        enters = (limit - math.copysign(before, before * after)) / whole
        if (1.0 - enters) * change > CORNER:
            return enters
    return 1.0


@detached
def source_of_step(junction: Junction, state: State, new: State, source: Ramp, step: float, felt: bool) -> Source:
    """The source in a step [s] from a settled state to a new one, whose V_j is a prediction. felt : as of Source"""
    V, before = source.voltage + source.slope * step, source.voltage - state.V[0]
    after = V - new.V[0]
    first, last = source_current(junction, before), source_current(junction, after)
    G = add_up(state.G) if state.V[0] != 0.0 else 0.0
    time = capacitance(junction, state) / (1.0 / drop(junction, first)[1] + G)
    turns = at_compliance(junction, first) != at_compliance(junction, last)
    turns, share = turns or (at_compliance(junction, last) and first * last < 0.0), 1.0
    if turns:
        limit = resistance(junction) * junction.compliance
        off = abs(before) - limit
        share = off / (off - (math.copysign(after, after * before) - limit))
    corner = way_to_corner(junction, before, after) if turns and source.slope != 0.0 else 1.0
    return Source(V, time, step > SLOW * time, turns, felt, share, corner)


@bare
def allowed_of_charging(moves: float, rtol: float, recorded: bool) -> float:
    """Error of V_j [V] that a step may make, in the time of which the norm of what the ions move is `moves` [1].

    Where no current is recorded it counts by what it adds to that norm.
    """
    if recorded:
        return VOLTAGE_ERROR * rtol
    return max(VOLTAGE_ERROR * rtol, min(UNRECORDED_ERROR, ADDED / max(PER_VOLT * moves, ADDED)))


@detached
def charged_in(junction: Junction, state: State, V_source: float, step: float) -> float:
    """Voltage [V] by which a settled state is charged in a step [s] at a source voltage [V]."""
    current, G = source_current(junction, V_source - state.V[0]), add_up(state.G)
    per_current = min(step / capacitance(junction, state), 1.0 / (1.0 / drop(junction, current)[1] + G))
    return abs(current - conduction(state)) * per_current


@detached
def charge_end(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, end: Source, step: float, accuracy: Accuracy
):  # fmt: skip
    """Settle trial.state, to which a step [s] leads from a settled state, behind what is in series. Returns a status.

    A slow step, and one in which the source turns, charges the junction by an implicit Euler step. In any other one the
    stages do so, and what the current at the end differs by from that of the stages has grown by the square of the time.
    """
    new, C = trial.state, capacitance(junction, state)
    if end.slow or end.turns:
        charging, V = Charging(0.0, 0.0, 1.0 / step, C), state.V[0]
        beyond = abs(end.voltage) + abs(V)
        guess = new.V[0] if abs(new.V[0] - V) <= beyond else V  # of stages that may have led anywhere
        return settle_charging(junction, state, new, tangent, end.voltage, guess, charging, accuracy)
    status = close_all(junction, new, new.V[0], max(CLOSURE_TOLERANCE, 1e-3 * accuracy.allowed))
    if status != Status.DONE:
        return status
    current = conduction(state)
    if end.felt:
        follow_tangent(junction, new, tangent)
        current = conduction(new)
    current = source_current(junction, end.voltage - new.V[0]) - current
    charging = Charging(current, trial.work.source[CAME], WITHIN / step, C)
    return settle_charging(junction, state, new, tangent, end.voltage, new.V[0], charging, accuracy)


@detached
def settle_end(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, end: Source, step: float, accuracy: Accuracy
):  # fmt: skip
    """Settle trial.state, to which a step [s] leads from a settled state. Returns a status."""
    if not coupled(junction):
        return settle(junction, trial.state, tangent, end.voltage, trial.state.V[0], accuracy)
    status = charge_end(junction, state, tangent, trial, end, step, accuracy)
    return Status.STEP_REJECTED if status == Status.CIRCUIT_NOT_SOLVED else status


@detached
def leap(junction: Junction, state: State, tangent: Tangent, trial: Trial, task: StepTask):
    """A trial step [s] so short that ions hardly move in it, by their fluxes: to beyond a fold of the stack.

    Where electrons change sides by themselves, the stack near the old one ends, and fields and V_j jump to another. The
    equations of `attempt` are singular there. Returns an Outcome; STEP_REJECTED where the step is too long.
    """
    control, source, step, recorded = task.control, task.source, task.step, task.recorded
    work, new, still = trial.work, trial.state, abs(source.slope) * step <= voltage_slack(control)
    if coupled(junction):
        still = still and charged_in(junction, state, source.voltage, step) <= VOLTAGE_ERROR * control.rtol
    norm = step * drift(junction, control, state, work, False) if still else math.inf
    if not norm <= LEAP:
        return Outcome(Status.STEP_REJECTED, norm, SHRINK, False, False)
    copy_state(state, new)
    for k in range(new.c.shape[0]):
        new.passed[k, AT_LEFT] += step * work.J[k, 0]
        new.passed[k, AT_RIGHT] += step * work.J[k, new.c.shape[1]]
    copy_band(state, trial.film.U[0])
    for k in range(new.c.shape[0]):
        for i in range(new.c.shape[1]):
            new.c[k, i] += step * work.error[k, i]
    if outside(junction, control, new) > control.outside:
        return Outcome(Status.STEP_REJECTED, norm, SHRINK, False, False)
    accuracy = Accuracy(voltage_slack(control), recorded or (source.observed and relaxes(new)))
    start_end(state, new, step)
    end = Source(source.voltage + source.slope * step, 0.0, True, False, False, 1.0, 1.0)
    status = settle_end(junction, state, tangent, trial, end, step, accuracy)
    if status == Status.DONE:
        begin_step(junction, new)
        norm = max(norm, step * drift(junction, control, new, work, False))
        status = Status.DONE if norm <= LEAP else Status.STEP_REJECTED
    leapt = is_apart(junction, new, trial.film.U[0])
    return Outcome(status, norm, AFTER_LEAP if status == Status.DONE else SHRINK, False, leapt)


@bare
def is_felt(junction: Junction, state: State, V_source: float, V_end: float, rtol: float) -> bool:
    """True where the current acts on V_j in a step between two voltages of the source."""
    r = drop(junction, source_current(junction, V_source - state.V[0]))[1]
    return r * add_up(state.G) * max(abs(state.V[0]), abs(V_end)) > NEGLIGIBLE_DROP * rtol


@bare
def copy_circuit(state: State, new: State):
    """Copy what the circuit knows of a settled state to one that a step leads to."""
    copy(state.G, new.G)
    copy(state.charging, new.charging)
    copy(state.lasted, new.lasted)


@bare
def error_of_voltage(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, predicted: float, allowed: float
) -> float:
    """Distance of V_j at the end of a step from its prediction [V], over what is allowed and what the current leaves open.

    Of a junction that its current warms V_j at the end is that of the temperature there, the stages have that of the mean:
    it counts by what the ions move. What the charge of traps does to V_j counts with that charge.
    """
    new = trial.state
    if not coupled(junction) or hold_traps(new):
        return 0.0
    if follow_end(junction):
        moved = motion(junction, control, state, new, trial.work)
        allowed = max(allowed, allowed_of_charging(moved, control.rtol, False))
    negligible = (allowed - 10.0 * VOLTAGE_TOLERANCE) / 3.1
    uncertain = 10.0 * VOLTAGE_TOLERANCE + 3.0 * blur(junction, new, tangent, negligible)
    return abs(new.V[0] - predicted) / max(allowed, uncertain)


@bare
def limited_growth(junction: Junction, state: State, trial: Trial, task: StepTask, growth: float):
    """Whether a step is short enough for what its error estimate does not see, and its growth so limited."""
    control, new = task.control, trial.state
    within, limit = step_limit(junction, state, trial, task.step, control.rtol, task.recorded)
    growth, change = min(growth, max(limit, SHRINK)), abs(new.V[0] - state.V[0])
    if within and growth * change > FARTHEST and motion(junction, control, state, new, trial.work) > control.most:
        growth = max(SHRINK, FARTHEST / change)
        within = growth >= LEAST_SHRINK
    return within, growth


@detached
def attempt(junction: Junction, state: State, tangent: Tangent, trial: Trial, task: StepTask):
    """One trial step [s] from `state` to trial.state, its current recorded or not. Returns an Outcome."""
    control, source, step, work, new = task.control, task.source, task.step, trial.work, trial.state
    end = Source(source.voltage + source.slope * step, 0.0, True, False, False, 1.0, 1.0)
    if coupled(junction) and idle(state.V[0], 0.0, Accuracy(voltage_slack(control), False)):  # no current was looked at
        follow_tangent(junction, state, tangent)
    with_current = coupled(junction) and is_felt(junction, state, source.voltage, end.voltage, control.rtol)
    copy_circuit(state, new)
    use_mean(junction, state, new)
    begin_step(junction, state)
    rate = drift(junction, control, state, work, False) if coupled(junction) else 0.0
    if not film_step(junction, state, tangent, trial, source, step, with_current, NEGLIGIBLE_BENDING * control.rtol):
        falls = not work.source[CAPACITANCE] > 0.0
        return Outcome(Status.CHARGE_FALLS if falls else Status.STEP_REJECTED, math.inf, SHRINK, False, False)
    norm = norm_of(junction, control, state, new.c, work.error, work.US[trial.method.alpha.size - 1])
    norm = max(norm, step_error(junction, state, trial, control.rtol))
    allowed = VOLTAGE_ERROR * control.rtol
    if coupled(junction):
        end = source_of_step(junction, state, new, source, step, with_current)
        if task.recorded and end.corner < 1.0:
            growth = min(JUST_BEYOND * max(end.corner, CORNER * CORNER), LEAST_SHRINK)
            return Outcome(Status.STEP_REJECTED, norm, growth, False, False)
        if not (end.slow or end.turns):
            rises = math.exp(min(PER_VOLT * max(abs(new.V[0]) - abs(state.V[0]), 0.0), OVERFLOW))
            allowed = allowed_of_charging(rate * rises * (end.time + step), control.rtol, task.recorded)
            norm = max(norm, abs(work.UV[trial.method.alpha.size - 1]) / allowed)
    if not norm < math.inf:
        return Outcome(Status.NOT_FINITE, norm, SHRINK, False, False)
    growth = min(GROWTH, max(SHRINK, allowed_growth(trial.method, norm))) if norm > 0.0 else GROWTH
    if norm > control.most:
        return Outcome(Status.STEP_REJECTED, norm, min(growth, LEAST_SHRINK), False, False)
    if outside(junction, control, new) > control.outside:
        return Outcome(Status.STEP_REJECTED, norm, UNPHYSICAL_SHRINK, True, False)
    within, growth = limited_growth(junction, state, trial, task, growth)
    if not within:
        return Outcome(Status.STEP_REJECTED, norm, growth, False, False)
    predicted, band = new.V[0], trial.film.U[0]
    copy_band(new, band)
    use_end(junction, state, new)
    slack = voltage_slack(control) * (allowed / (VOLTAGE_ERROR * control.rtol))
    accuracy = Accuracy(slack, task.recorded or (source.observed and relaxes(new)))
    start_end(state, new, step)
    status = settle_end(junction, state, tangent, trial, end, step, accuracy)
    if status != Status.DONE:
        return Outcome(status, norm, SHRINK if status == Status.STEP_REJECTED else UNSOLVED_SHRINK, False, False)
    if is_apart(junction, new, band):
        return Outcome(Status.STEP_REJECTED, norm, SHRINK, False, False)
    error = error_by_charge(junction, control, state, new, work, abs(new.V[0] - predicted))
    within, limit = settled_limit(junction, state, new, tangent, error, control, source.observed, task.recorded)
    growth = min(growth, max(limit, SHRINK))
    if not within:
        return Outcome(Status.STEP_REJECTED, norm, growth, False, False)
    off = error_of_voltage(junction, control, state, tangent, trial, predicted, allowed)
    if off > 0.0:
        growth = min(growth, max(SHRINK, SAFETY * off**-0.5))
    if off > control.most * control.most:  # V_j differs from its prediction by the square of the step
        growth = max(SHRINK, JUST_BEYOND * end.share) if end.turns else growth
        return Outcome(Status.STEP_REJECTED, norm, min(growth, LEAST_SHRINK), False, False)
    return Outcome(Status.DONE, norm, growth, False, False)


@detached
def agreeing_attempt(junction: Junction, state: State, tangent: Tangent, trial: Trial, task: StepTask):
    """As `attempt`, repeated until what follows from the end of the step agrees with it."""
    control, source, step = task.control, task.source, task.step
    if not follow_end(junction):
        return attempt(junction, state, tangent, trial, task)
    new, work, off = trial.state, trial.work, math.inf
    predict(junction, state, new, step)
    outcome = Outcome(Status.STEP_REJECTED, math.inf, SHRINK, False, False)
    for _ in range(MOST_TURNS):
        outcome = attempt(junction, state, tangent, trial, StepTask(control, source, step, True))
        if outcome.status != Status.DONE:
            return outcome
        status, off = correct_all(junction, state, new, tangent, step)
        if status != Status.DONE:
            return Outcome(status, outcome.norm, UNSOLVED_SHRINK, False, False)
        if off <= AGREED or off == math.inf:
            break
    if not agree(junction, new, off):
        return Outcome(Status.STEP_REJECTED, off, SHRINK, False, False)
    end_step(junction, state, new)
    moved = motion(junction, control, state, new, work)
    error = end_error(junction, state, new, step, moved, control.rtol)
    growth = min(outcome.growth, max(SHRINK, SAFETY * error**-0.5)) if error > 0.0 else outcome.growth
    if error > control.most:
        return Outcome(Status.STEP_REJECTED, error, min(growth, LEAST_SHRINK), False, False)
    return Outcome(Status.DONE, outcome.norm, growth, False, False)


@detached
def smooth_step(junction: Junction, state: State, tangent: Tangent, trial: Trial, task: StepTask):
    """As `agreeing_attempt`; where the stack may leap, a step that was rejected may be a leap."""
    step = task.step
    outcome = agreeing_attempt(junction, state, tangent, trial, task)
    if outcome.status != Status.DONE and may_leap(junction):
        use_end(junction, state, state)
        leapt = leap(junction, state, tangent, trial, task)
        if leapt.status == Status.DONE:
            status = after_leap(junction, state, trial.state, tangent, step)
            leapt = Outcome(status, leapt.norm, leapt.growth, False, leapt.leapt)
        if leapt.status != Status.STEP_REJECTED:
            return leapt
    return outcome


@deferred_detached
def end_at_random(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, voltage: float, step: float, accuracy: Accuracy
) -> Status:
    """Move what is random in trial.state, to which a step [s] leads, and settle it at a source voltage [V] anew.

    Returns a status.
    """
    new = trial.state
    charging = Charging(new.charging[0], charge_between(junction, state, new), 1.0 / step, capacitance(junction, new))
    status = move_at_random(junction, state, trial, step)
    if status != Status.DONE:
        return status
    if coupled(junction):  # the charge of what has moved passes as well
        status = settle_charging(junction, state, new, tangent, voltage, new.V[0], charging, accuracy)
    else:
        status = settle(junction, new, tangent, voltage, new.V[0], accuracy)
    return settled_anew(junction, new, tangent) if status == Status.DONE else status


@detached
def step_or_leap(junction: Junction, state: State, tangent: Tangent, trial: Trial, task: StepTask):
    """As `smooth_step`, with what moves at random in the step, and no more of it than a leap may have."""
    control, source, step = task.control, task.source, task.step
    if not is_random(trial):
        return smooth_step(junction, state, tangent, trial, task)
    outcome = smooth_step(junction, state, tangent, trial, StepTask(control, source, step, False))
    if outcome.status != Status.DONE:
        return outcome
    within, limit = random_limit(junction, state, trial, outcome.growth)
    allowed = min(GROWTH, max(SHRINK, limit))
    if not within:
        return Outcome(Status.STEP_REJECTED, outcome.norm, allowed, False, False)
    end, accuracy = source.voltage + source.slope * step, Accuracy(voltage_slack(control), False)
    status = end_at_random(junction, state, tangent, trial, end, step, accuracy)
    growth = min(allowed, outcome.growth) if status == Status.DONE else SHRINK
    return Outcome(status, outcome.norm, growth, outcome.unphysical, outcome.leapt)
