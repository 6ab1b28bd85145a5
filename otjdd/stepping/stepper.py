"""Time steps of the ions along one straight piece of the source voltage: trial steps, error control, step length.

After each step D(L) and V_j are solved anew (`settle`), with a fresh tangent of the current where ln I has changed much,
and the distance of V_j from its prediction is part of the error control. So the equations hold to round-off at recorded
times and to `voltage_slack` at others. The current is evaluated at most once or twice a step, not six times, and not at
all while nothing moves.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, summed
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.physics.bound_electrons import fluxes_of
from otjdd.physics.boundary import exchanges
from otjdd.physics.circuit import coupled, drop
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction, closure_slope
from otjdd.physics.numerics import add_up, copy, dot
from otjdd.physics.quasistatic import VOLTAGE_TOLERANCE, Accuracy, blur, settle
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State, Tangent, copy_state
from otjdd.stepping.drawn_hops import Noise, is_noisy
from otjdd.stepping.electron_step import film_step
from otjdd.stepping.extremes import LEAPS, look, note
from otjdd.stepping.heat_step import AGREED
from otjdd.stepping.hop_noise import add_hop_noise, hide_ions, show_ions
from otjdd.stepping.largest_leap import leap_size
from otjdd.stepping.rosenbrock import Ramp, Trial, Work
from otjdd.stepping.rosenbrock_methods import Method
from otjdd.stepping.run_log import Log, full_of_rows, write_row
from otjdd.stepping.variables import (
    after_leap,
    agree,
    begin_piece,
    begin_step,
    bounds,
    correct,
    end_error,
    end_step,
    follow_end,
    may_leap,
    predict,
    speed,
    step_error,
    step_limit,
    use_end,
    use_mean,
)

GROWTH, SHRINK, SAFETY = 100.0, 0.2, 0.9  # bounds of the growth of a step; safety where the error of V_j sets it
MOST_TREND = 10.0  # largest factor of `foreseen` beyond the growth that the error of one step allows
LEAST_SHRINK, UNPHYSICAL_SHRINK = 0.9, 0.5  # of the step after a rejection, and after one for a concentration
UNSOLVED_SHRINK = 0.01  # after a search for V_j in vain, which may have taken seconds through narrow levels
FIRST_CHANGE = 10.0  # norm of the error control of what the first step changes, and the bounds of it per unit rtol
LEAST_FIRST, MOST_FIRST = 3e-3, 0.1
SUDDEN = 1e-6  # error norm of a step in which nothing but V_j can have moved
OUTSIDE = 1e-2  # per unit rtol: share of the ions that concentrations beyond their bounds may stand for
VOLTAGE_ERROR = 0.1  # V per unit rtol: the drift velocity changes by some 7/V, half of it within a step
ALLOWED = 0.03  # V per unit rtol: error of V_j between two steps whose current is not recorded
NEGLIGIBLE_DROP = 1e-3  # V per unit rtol: a voltage drop too small to be followed within a step
NEGLIGIBLE_BENDING = 1e-6  # V per unit rtol: of the band by electrons too few to be followed within a step
LEAP, AFTER_LEAP = 0.1, 2.0  # norm of what ions move in a leap at most, and growth of the next step
APART = 1.0  # kT, distance of a stack from its prediction beyond which it is another one: a step errs by some rtol kT
SHORTEST = 1e-22  # s
MOST_TURNS = 8  # of the search for what follows from the end of a step

# counts of a call: steps accepted, rejected, rejected for a concentration outside its bounds, tried; and the cell with the
# largest error in the last rejected step
COUNTS = 5
ACCEPTED, REJECTED, UNPHYSICAL, TRIED, WORST_CELL = range(COUNTS)
# columns of a piece: start and end [s], source voltage at the start and at the end [V]
FROM, UNTIL, V_FROM, V_UNTIL = range(4)


@by_pointer
class Control(NamedTuple):
    """Error control of the time steps, see `norm_of`."""

    rtol: float
    atol: float  # 1/m3
    max_steps: int  # of one call
    outside: float  # share of the ions that concentrations beyond their bounds may stand for
    most: float = 1.0  # error norm up to which a step is accepted


@by_pointer
class Place(NamedTuple):
    """Place of the ions on a course; arrays (1,), updated."""

    piece: np.ndarray  # number of the piece
    elapsed: np.ndarray  # s, in the piece
    step: np.ndarray  # s, of the next step; 0 where it is chosen anew
    settled_at: np.ndarray  # V, of the source where the state is settled; nan where it is not
    last_norm: np.ndarray  # error norm of the last step since an edge, 0 before the first
    last_step: np.ndarray  # s, its length
    leaps: np.ndarray  # of the stack since the voltage jumped or turned


@by_pointer
class Course(NamedTuple):
    """Straight pieces of the source voltage, the place of the ions on them, and the trial steps between.

    The trial steps of a call are written into `trials`, or, where they are `given`, taken from it: those of another run,
    also the rejected ones, after which the current is known elsewhere. A step is negative where it was rejected, infinite
    to the end of its piece, and nan where it was a leap, which has its time from one run alone.
    """

    pieces: np.ndarray  # (P, 4) FROM, UNTIL, V_FROM, V_UNTIL
    tasks: np.ndarray  # (P,) bits of `course`: EDGE at the start; OBSERVE, READ, KEEP at the end
    place: Place
    counts: np.ndarray  # (COUNTS,) ACCEPTED, REJECTED, UNPHYSICAL, TRIED, WORST_CELL; updated
    trials: np.ndarray  # (max_steps,) s, of this call; (0,) for none
    given: bool  # a step that was accepted in the other run and is rejected in this one ends the call
    lenient: Control  # of steps that were accepted in the other run


class Instant(NamedTuple):
    """The end of a step."""

    time: float  # s
    step: float  # s
    voltage: float  # V, of the source


class Outcome(NamedTuple):
    """Outcome of a trial step."""

    status: Status  # DONE: accepted; STEP_REJECTED: rejected by the error control; else the failure
    norm: float  # error norm, 1 is the limit
    growth: float  # factor on the length of the next step
    unphysical: bool  # rejected because a concentration left its bounds
    leapt: bool  # to another stack


@summed
def weighted_square(control: Control, old: np.ndarray, new: np.ndarray, error: np.ndarray) -> float:
    """Sum of the squares of error/(atol + rtol |c|) over the cells of a column."""
    total = 0.0
    for i in range(old.size):
        total += (error[i] / (control.atol + control.rtol * max(abs(old[i]), abs(new[i])))) ** 2
    return total


@bare
def error_norm(control: Control, old: np.ndarray, new: np.ndarray, error: np.ndarray) -> float:
    """Largest over the columns of the root mean square of error/(atol + rtol |c|)."""
    worst = 0.0
    for k in range(old.shape[0]):
        worst = max(worst, math.sqrt(weighted_square(control, old[k], new[k], error[k]) / old.shape[1]))
    return worst


@bare
def worst_cell(control: Control, old: np.ndarray, new: np.ndarray, error: np.ndarray) -> int:
    """Cell with the largest |error|/(atol + rtol |c|), counted through all columns."""
    worst, place = 0.0, 0
    for k in range(old.shape[0]):
        for i in range(old.shape[1]):
            size = abs(error[k, i]) / (control.atol + control.rtol * max(abs(old[k, i]), abs(new[k, i])))
            if not size <= worst:
                worst, place = size, k * old.shape[1] + i
    return place


@summed
def missing_voltage(charge: float, distance: np.ndarray, eps: np.ndarray, dS: np.ndarray) -> float:
    """Voltage [V] that ions dS (N+1,) [1/m2] which passed the faces take from the film, at a constant terminal charge."""
    missing = 0.0
    for f in range(eps.size):
        missing += charge * dS[f] * distance[f] / eps[f]
    return missing


@bare
def shift(junction: Junction, state: State, k: int, dS: np.ndarray):
    """Largest rise of the band edge in the film of column k [eV], and most ions that passed a face [1/m2].

    dS : (N+1,) ions that passed the faces [1/m2], the terminal charge following so that the closure holds
    Both are what one reads: charges, the mean position and the current follow from them.
    """
    charge, distance, eps = junction.ions[k].z * ELEMENTARY_CHARGE, junction.columns.distance[k], state.eps[k]
    most, last = 0.0, dS.size - 1
    for f in range(dS.size):
        most = max(most, abs(dS[f]))
    slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], eps)
    right, missing = edge(junction.right[k], -state.D_right[k])[1], missing_voltage(charge, distance, eps, dS)
    if exchanges(junction):
        missing += charge * (edge(junction.left[k], state.D_left[k])[1] * dS[0] + right * dS[last])
    dD = missing / slope
    U = right * (dD - charge * dS[last])
    highest = abs(U)
    for f in range(eps.size - 1, -1, -1):
        U += distance[f] * (dD - charge * dS[f]) / eps[f]
        highest = max(highest, abs(U))
    return highest, most


@bare
def fewest_ions(junction: Junction, control: Control, k: int) -> float:
    """Fewest ions of column k [1/m2] by which errors are measured: atol in each cell of a film that may empty."""
    return control.atol * add_up(junction.columns.width[k]) if exchanges(junction) else 0.0


@detached
def norm_of(junction: Junction, control: Control, state: State, new: np.ndarray, error: np.ndarray, dS: np.ndarray):
    """Norm of an error of the concentrations, error (K, N) [1/m3], and of the ions that passed a face, dS (K, N+1) [1/m2].

    1 is the limit. The largest over the columns of three: the error of the band edge over rtol kT, that of the share of the
    ions to the right of a face over rtol, and the root mean square of that of a concentration over atol + rtol |c|. Most
    cells hold too little to be seen in a charge or a current: their relative errors count where atol is made small.
    """
    worst = error_norm(control, state.c, new, error)
    for k in range(state.c.shape[0]):
        rise, passed = shift(junction, state, k, dS[k])
        share = passed / max(dot(state.c[k], junction.columns.width[k]), fewest_ions(junction, control, k))
        worst = max(worst, max(rise / junction.kT[k], share) / control.rtol)
    return worst


@bare
def outside(junction: Junction, control: Control, c: np.ndarray) -> float:
    """Largest share over the columns of ions that concentrations (K, N) below zero or above the site density stand for.

    Steps leave some 1e-6 of the ions there and take them back: what is below zero makes a flux below zero. Clipping them to
    the bounds instead carried 3e-2 of the ions to the wrong side of a film in 2000 pulses, 1e-5 with each.
    """
    worst = 0.0
    for k in range(c.shape[0]):
        beyond, inside = 0.0, 0.0
        for i in range(c.shape[1]):
            within = min(max(c[k, i], 0.0), junction.columns.sites[k, i])
            beyond += abs(c[k, i] - within) * junction.columns.width[k, i]
            inside += within * junction.columns.width[k, i]
        worst = max(worst, beyond / max(inside, fewest_ions(junction, control, k)))
    return worst


@detached
def drift(junction: Junction, control: Control, state: State, work: Work) -> float:
    """Norm of what the fluxes change in a second; fill work.error with dc/dt (K, N) and work.J with the fluxes."""
    rate = work.error
    for k in range(rate.shape[0]):
        J = work.J[k]
        fluxes_of(junction, state, k, work.factors, J)
        for i in range(rate.shape[1]):
            rate[k, i] = (J[i] - J[i + 1]) * junction.columns.dilution[k, i]
    return max(norm_of(junction, control, state, state.c, rate, work.J), speed(junction, state, control.rtol))


@detached
def first_step(junction: Junction, control: Control, state: State, work: Work, horizon: float) -> float:
    """Step [s] after an edge, at most the horizon [s], by the norm of what the fluxes change in it.

    The error estimate is blind to a boundary layer that a first step crosses whole: strict tolerances begin with small
    steps, which grow by GROWTH where they may.
    """
    begin_step(junction, state)
    rate = drift(junction, control, state, work)
    change = min(max(FIRST_CHANGE, LEAST_FIRST / control.rtol), MOST_FIRST / control.rtol)
    return horizon if rate * horizon <= change else change / rate


@bare
def voltage_slack(control: Control) -> float:
    """Error [V] that V_j may have between two steps."""
    return max(ALLOWED * control.rtol, VOLTAGE_TOLERANCE)


@bare
def allowed_growth(method: Method, norm: float) -> float:
    """Growth of the step [1] after which the error of a step would be just allowed, but for the safety of the method."""
    return method.safety * norm ** (-1.0 / method.order)


@bare
def foreseen(method: Method, growth: float, norm: float, step: float, place: Place) -> float:
    """Growth of the step [1], larger where the error of the last two steps fell while they grew.

    After an edge the ions slow down by decades: the error that a step makes says what the last instant allowed, its trend
    what the next one will (Gustafsson, ACM Trans. Math. Softw. 20, 496 (1994)). A growth cut by the error of V_j stays.
    """
    if not (norm > 0.0 and place.last_norm[0] > 0.0) or growth < allowed_growth(method, norm):
        return growth
    trend = step / place.last_step[0] * (place.last_norm[0] / norm) ** (1.0 / method.order)
    return min(GROWTH, growth * min(max(trend, 1.0), MOST_TREND))


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
            apart = apart or abs(state.band[k, i + 1] - band[k, i]) > APART * junction.kT[k]
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
    norm = step * drift(junction, control, state, work) if still else math.inf
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
    if outside(junction, control, new.c) > control.outside:
        return Outcome(Status.STEP_REJECTED, norm, SHRINK, False, False)
    accuracy = Accuracy(voltage_slack(control), recorded)
    status = settle(junction, new, tangent, source.voltage + source.slope * step, new.V[0], accuracy)
    if status == Status.DONE:
        begin_step(junction, new)
        norm = max(norm, step * drift(junction, control, new, work))
        status = Status.DONE if norm <= LEAP else Status.STEP_REJECTED
    leapt = is_apart(junction, new, trial.film.U[0])
    return Outcome(status, norm, AFTER_LEAP if status == Status.DONE else SHRINK, False, leapt)


@bare
def next_step(
    method: Method, growth: float, norm: float, step: float, place: Place, after_rejection: bool, recorded: bool
) -> float:
    """Length [s] of the step after an accepted one, whose norm and length are noted in its place.

    Recorded steps do not follow the trend: curves are drawn through them, and then have some two points to a decade of time
    instead of one.
    """
    if after_rejection:
        growth = min(growth, 1.0)
    elif not recorded:
        growth = foreseen(method, growth, norm, step, place)
    place.last_norm[0], place.last_step[0] = norm, step
    return step * growth


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
    use_mean(junction, new)
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
    if outside(junction, control, new.c) > control.outside:
        return Outcome(Status.STEP_REJECTED, norm, UNPHYSICAL_SHRINK, True, False)
    passed, limit = step_limit(junction, state, trial, step, control.rtol, recorded)
    growth = min(growth, max(limit, SHRINK))
    if not passed:
        return Outcome(Status.STEP_REJECTED, norm, growth, False, False)
    predicted, band = new.V[0], trial.film.U[0]
    copy_band(new, band)
    use_end(junction, new)
    accuracy = Accuracy(voltage_slack(control), recorded)
    status = settle(junction, new, tangent, source.voltage + source.slope * step, predicted, accuracy)
    if status != Status.DONE:
        return Outcome(status, norm, UNSOLVED_SHRINK, False, False)
    if is_apart(junction, new, band):
        return Outcome(Status.STEP_REJECTED, norm, SHRINK, False, False)
    if coupled(junction):
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
        status, off = correct(junction, state, new, tangent, step)
        if status != Status.DONE:
            return Outcome(status, outcome.norm, UNSOLVED_SHRINK, False, False)
        if off <= AGREED or off == math.inf:
            break
    if not agree(junction, new, off):
        return Outcome(Status.STEP_REJECTED, off, SHRINK, False, False)
    end_step(junction, new)
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
        use_end(junction, state)
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


@detached
def settle_again(junction: Junction, control: Control, state: State, tangent: Tangent, voltage: float):
    """Settle the state at the start of a step that was rejected. Returns a status.

    The tangent may be a new one: V_j of the old is not that of the new, however small the step.
    """
    use_end(junction, state)
    return settle(junction, state, tangent, voltage, state.V[0], Accuracy(voltage_slack(control), False))


@detached
def note_step(
    junction: Junction, control: Control, state: State, tangent: Tangent, noise: Noise, end: Instant, log: Log
):  # fmt: skip
    """Record a step, or look at its largest values. Returns a status."""
    status, all_ions = Status.DONE, log.every_step and is_noisy(noise)
    if all_ions:
        show_ions(junction, state, noise)
        status = settle(junction, state, tangent, end.voltage, state.V[0], Accuracy(voltage_slack(control), True))
    if status == Status.DONE and log.every_step:
        status = write_row(junction, state, tangent, end.time, end.step, end.voltage, log)
    elif status == Status.DONE:
        look(junction, state, log.watch, end.time, end.step, follow_end(junction))
    if status == Status.DONE and all_ions:
        hide_ions(state, noise)
        status = settle_again(junction, control, state, tangent, end.voltage)
    return bounds(state) if status == Status.DONE else status


@bare
def next_trial(course: Course, dt: float, remaining: float):
    """The next trial step [s], whether it ends the piece, and whether it was accepted in another run that gave it.

    dt : step that the error control allows [s]   remaining : of the piece [s]
    """
    if course.given:
        step = course.trials[course.counts[TRIED] - 1]
        last = abs(step) == math.inf
        return remaining if last else abs(step), last, not step < 0.0
    last = dt >= 0.99 * remaining
    return remaining if last else min(dt, 0.5 * remaining), last, False


@bare
def note_trial(course: Course, step: float, accepted: bool, last: bool, leapt: bool):
    """Note the trial step [s] that was made last, for other runs. last : it ends the piece"""
    if course.given or course.trials.size == 0:
        return
    if leapt:
        step = math.nan
    elif last:
        step = math.inf
    course.trials[course.counts[TRIED] - 1] = step if accepted else -step


@detached
def cross_piece(
    junction: Junction, control: Control, state: State, tangent: Tangent, trial: Trial, course: Course, log: Log
):
    """Integrate the ions to the end of the piece of the course on which they stand. Returns a status, last error norm.

    state : settled; changed in place   PAUSED: the log is full or max_steps steps were tried; call again
    """
    place, counts, i = course.place, course.counts, course.place.piece[0]
    start, V_start = course.pieces[i, FROM], course.pieces[i, V_FROM]
    duration = course.pieces[i, UNTIL] - start
    slope = (course.pieces[i, V_UNTIL] - V_start) / duration
    after_rejection, failure, norm = False, Status.STEP_TOO_SMALL, 0.0
    tau, dt = place.elapsed[0], place.step[0]
    status = begin_piece(junction, state, tangent) if tau == 0.0 else Status.DONE
    if status != Status.DONE:
        return status, norm
    if dt <= 0.0 and not course.given:
        dt = first_step(junction, control, state, trial.work, duration - tau)
    while tau < duration:
        place.elapsed[0], place.step[0] = tau, dt
        if counts[TRIED] >= control.max_steps or (log.every_step and full_of_rows(log)):
            return Status.PAUSED, norm
        counts[TRIED] += 1
        remaining = duration - tau
        step, last, accepted = next_trial(course, dt, remaining)
        if not step >= SHORTEST or tau + step == tau:
            return failure, norm
        source = Ramp(V_start + slope * tau, slope)
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
            dt, after_rejection = step * growth, True
            status = settle_again(junction, control, state, tangent, source.voltage)
            if status != Status.DONE:
                return status, norm
            continue
        counts[ACCEPTED] += 1
        tau = duration if last else tau + step
        if leapt:
            place.leaps[0] += 1
            note(log.watch, LEAPS, float(place.leaps[0]), start + tau)
        copy_state(trial.state, state)
        dt = next_step(trial.method, growth, norm, step, place, after_rejection, log.every_step)
        after_rejection, failure = False, Status.STEP_TOO_SMALL
        instant = Instant(start + tau if tau < duration else course.pieces[i, UNTIL], step, V_start + slope * tau)
        status = note_step(junction, control, state, tangent, trial.noise, instant, log)
        if status != Status.DONE:
            break
    place.elapsed[0], place.step[0] = tau, dt
    return status, norm
