"""A trial step of the ions: accepted or rejected by the error control, and the growth of the step that the errors allow.

At the end of a step D(L) and V_j are solved anew (`settle`), with a fresh tangent of the current where ln I has changed
much, and the distance of V_j from its prediction is part of the error control. So the equations hold to round-off at
recorded times and to `voltage_slack` at others. The current is evaluated at most once or twice a step, not six times, and
not at all while nothing moves.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.errors import Status
from otjdd.mechanisms.heat import AGREED
from otjdd.physics.channels.kinetic_traps import have_memory
from otjdd.physics.circuit import coupled, drop
from otjdd.physics.closing import hold_traps
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import add_up, copy
from otjdd.physics.quasistatic import VOLTAGE_TOLERANCE, Accuracy, blur, settle
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State, Tangent, copy_state
from otjdd.stepping.drawn_hops import is_noisy
from otjdd.stepping.electron_step import film_step
from otjdd.stepping.error_norm import Control, drift, error_by_charge, norm_of, outside, voltage_slack
from otjdd.stepping.hooks import (
    after_leap,
    agree,
    begin_step,
    correct_all,
    end_error,
    end_step,
    follow_end,
    may_leap,
    predict,
    settled_limit,
    start_end,
    step_error,
    step_limit,
    use_end,
    use_mean,
)
from otjdd.stepping.hop_noise import add_hop_noise
from otjdd.stepping.largest_leap import leap_size
from otjdd.stepping.rosenbrock import Ramp, Trial
from otjdd.stepping.step_length import GROWTH, SAFETY, SHRINK, allowed_growth

LEAST_SHRINK, UNPHYSICAL_SHRINK = 0.9, 0.5  # of the step after a rejection, and after one for a concentration
UNSOLVED_SHRINK = 0.01  # after a search for V_j in vain, which may have taken seconds through narrow levels
SUDDEN = 1e-6  # error norm of a step in which nothing but V_j can have moved
VOLTAGE_ERROR = 0.1  # V per unit rtol: the drift velocity changes by some 7/V, half of it within a step
NEGLIGIBLE_DROP = 1e-3  # V per unit rtol: a voltage drop too small to be followed within a step
NEGLIGIBLE_BENDING = 1e-6  # V per unit rtol: of the band by electrons too few to be followed within a step
LEAP, AFTER_LEAP = 0.1, 2.0  # norm of what ions move in a leap at most, and growth of the next step
APART = 1.0  # kT, distance of a stack from its prediction beyond which it is another one: a step errs by some rtol kT
MOST_TURNS = 8  # of the search for what follows from the end of a step


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


@detached
def leap(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, source: Ramp, step: float,
    recorded: bool,
):  # fmt: skip
    """A trial step [s] so short that ions hardly move in it, by their fluxes: to beyond a fold of the stack.

    Where electrons change sides by themselves, the stack near the old one ends, and fields and V_j jump to another. The
    equations of `attempt` are singular there. Returns an Outcome; STEP_REJECTED where the step is too long.
    """
    work, new, still = trial.work, trial.state, abs(source.slope) * step <= voltage_slack(control)
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
    accuracy = Accuracy(voltage_slack(control), recorded or (source.observed and have_memory(new)))
    start_end(state, new, step)
    status = settle(junction, new, tangent, source.voltage + source.slope * step, new.V[0], accuracy)
    if status == Status.DONE:
        begin_step(junction, new)
        norm = max(norm, step * drift(junction, control, new, work, False))
        status = Status.DONE if norm <= LEAP else Status.STEP_REJECTED
    leapt = is_apart(junction, new, trial.film.U[0])
    return Outcome(status, norm, AFTER_LEAP if status == Status.DONE else SHRINK, False, leapt)


@detached
def attempt(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, source: Ramp, step: float,
    recorded: bool,
):  # fmt: skip
    """One trial step [s] from `state` to trial.state, its current recorded or not. Returns an Outcome."""
    work, new = trial.work, trial.state
    lost = drop(junction, state.V[0] * add_up(state.G))[0]
    with_current = coupled(junction) and state.V[0] != 0.0 and abs(lost) > NEGLIGIBLE_DROP * control.rtol
    copy(state.G, new.G)
    use_mean(junction, state, new)
    begin_step(junction, state)
    if not film_step(junction, state, tangent, trial, source, step, with_current, NEGLIGIBLE_BENDING * control.rtol):
        return Outcome(Status.STEP_REJECTED, math.inf, SHRINK, False, False)
    norm = norm_of(junction, control, state, new.c, work.error, work.US[trial.method.alpha.size - 1])
    norm = max(norm, step_error(junction, state, trial, control.rtol))
    if not norm < math.inf:
        return Outcome(Status.NOT_FINITE, norm, SHRINK, False, False)
    growth = min(GROWTH, max(SHRINK, allowed_growth(trial.method, norm))) if norm > 0.0 else GROWTH
    if norm > control.most:
        return Outcome(Status.STEP_REJECTED, norm, min(growth, LEAST_SHRINK), False, False)
    if outside(junction, control, new) > control.outside:
        return Outcome(Status.STEP_REJECTED, norm, UNPHYSICAL_SHRINK, True, False)
    passed, limit = step_limit(junction, state, trial, step, control.rtol, recorded)
    growth = min(growth, max(limit, SHRINK))
    if not passed:
        return Outcome(Status.STEP_REJECTED, norm, growth, False, False)
    predicted, band = new.V[0], trial.film.U[0]
    copy_band(new, band)
    use_end(junction, state, new)
    accuracy = Accuracy(voltage_slack(control), recorded or (source.observed and have_memory(new)))
    start_end(state, new, step)
    status = settle(junction, new, tangent, source.voltage + source.slope * step, predicted, accuracy)
    if status != Status.DONE:
        return Outcome(status, norm, UNSOLVED_SHRINK, False, False)
    if is_apart(junction, new, band):
        return Outcome(Status.STEP_REJECTED, norm, SHRINK, False, False)
    error = error_by_charge(junction, control, state, new, work, abs(new.V[0] - predicted))
    passed, limit = settled_limit(junction, state, new, tangent, error, control, source.observed, recorded)
    growth = min(growth, max(limit, SHRINK))
    if not passed:
        return Outcome(Status.STEP_REJECTED, norm, growth, False, False)
    if coupled(junction) and not hold_traps(new):  # what the charge of traps does to V_j counts with it
        allowed = VOLTAGE_ERROR * control.rtol
        negligible = (allowed - 10.0 * VOLTAGE_TOLERANCE) / 3.1
        uncertain = 10.0 * VOLTAGE_TOLERANCE + 3.0 * blur(junction, new, tangent, negligible)
        off = abs(new.V[0] - predicted) / max(allowed, uncertain)
        # then V_j can only have jumped to another solution
        sudden = norm <= SUDDEN and abs(source.slope) * step <= voltage_slack(control)
        if off > 0.0 and not sudden:
            growth = min(growth, max(SHRINK, SAFETY * off**-0.5))
        if off > control.most and not sudden:
            return Outcome(Status.STEP_REJECTED, norm, min(growth, LEAST_SHRINK), False, False)
    return Outcome(Status.DONE, norm, growth, False, False)


@detached
def agreeing_attempt(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, source: Ramp, step: float,
    recorded: bool,
):  # fmt: skip
    """As `attempt`, repeated until what follows from the end of the step agrees with it."""
    if not follow_end(junction):
        return attempt(junction, control, state, tangent, trial, source, step, recorded)
    new, work, off = trial.state, trial.work, math.inf
    predict(junction, state, new, step)
    outcome = Outcome(Status.STEP_REJECTED, math.inf, SHRINK, False, False)
    for _ in range(MOST_TURNS):
        outcome = attempt(junction, control, state, tangent, trial, source, step, True)
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
    for k in range(new.c.shape[0]):
        for i in range(new.c.shape[1]):
            work.error[k, i] = new.c[k, i] - state.c[k, i]
    motion = norm_of(junction, control, state, new.c, work.error, work.dS)
    error = end_error(junction, state, new, step, motion, control.rtol)
    growth = min(outcome.growth, max(SHRINK, SAFETY * error**-0.5)) if error > 0.0 else outcome.growth
    if error > control.most:
        return Outcome(Status.STEP_REJECTED, error, min(growth, LEAST_SHRINK), False, False)
    return Outcome(Status.DONE, outcome.norm, growth, False, False)


@detached
def smooth_step(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, source: Ramp, step: float,
    recorded: bool,
):  # fmt: skip
    """As `agreeing_attempt`; where the stack may leap, a step that was rejected may be a leap."""
    outcome = agreeing_attempt(junction, control, state, tangent, trial, source, step, recorded)
    if outcome.status != Status.DONE and may_leap(junction):
        use_end(junction, state, state)
        leapt = leap(junction, control, state, tangent, trial, source, step, recorded)
        if leapt.status == Status.DONE:
            status = after_leap(junction, state, trial.state, tangent, step)
            leapt = Outcome(status, leapt.norm, leapt.growth, False, leapt.leapt)
        if leapt.status != Status.STEP_REJECTED:
            return leapt
    return outcome


@detached
def step_or_leap(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, source: Ramp, step: float,
    recorded: bool,
):  # fmt: skip
    """As `smooth_step`, with the random hops of the step, if there are any, and no more of them than a leap may have."""
    if not is_noisy(trial.noise):
        return smooth_step(junction, control, state, tangent, trial, source, step, recorded)
    outcome = smooth_step(junction, control, state, tangent, trial, source, step, False)
    if outcome.status != Status.DONE:
        return outcome
    size = leap_size(junction, state, trial)
    allowed = min(GROWTH, max(SHRINK, SAFETY / size)) if size > 0.0 else GROWTH
    if size > 1.0 or allowed < outcome.growth:
        trial.noise.limited[0] += 1
    if size > 1.0:
        return Outcome(Status.STEP_REJECTED, outcome.norm, allowed, False, False)
    end, accuracy = source.voltage + source.slope * step, Accuracy(voltage_slack(control), False)
    status = add_hop_noise(junction, state, tangent, trial, end, step, accuracy)
    growth = min(allowed, outcome.growth) if status == Status.DONE else SHRINK
    return Outcome(status, outcome.norm, growth, outcome.unphysical, outcome.leapt)
