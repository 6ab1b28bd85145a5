"""Control of the time steps: norms of the error of a step, the course on which steps are made, and the length of the next.

A norm of 1 is just allowed: of concentrations, charges and the band edge. The norms also measure what the fluxes change in
a second (`drift`), which chooses the first step after an edge and limits a leap. `outside` is the share of the ions that
concentrations beyond their bounds stand for.

A course has straight pieces of the source voltage, the place of the ions on them, and the trial steps of this or of another
run.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, summed
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.exchange import end_of, exchanges, filling_at
from otjdd.physics.charging import capacitance, conduction
from otjdd.physics.electrostatics import edge
from otjdd.physics.ion_fluxes import fluxes_of
from otjdd.physics.junction import Junction, closure_slope
from otjdd.physics.numerics import add_up, dot
from otjdd.physics.quasistatic import VOLTAGE_TOLERANCE, drop, source_current
from otjdd.physics.state import State
from otjdd.stepping.hooks import Control, begin_step, speed
from otjdd.stepping.rosenbrock import Method, Work

OUTSIDE = 1e-2  # per unit rtol: share of the ions that concentrations beyond their bounds may stand for
ALLOWED = 0.03  # V per unit rtol: error of V_j between two steps whose current is not recorded
GROWTH, SHRINK, SAFETY = 100.0, 0.2, 0.9  # bounds of the growth of a step; safety where the error of V_j sets it
MOST_TREND = 10.0  # largest factor of `foreseen` beyond the growth that the error of one step allows
FIRST_CHANGE = 10.0  # norm of the error control of what the first step changes, and the bounds of it per unit rtol
LEAST_FIRST, MOST_FIRST = 3e-3, 0.1
# counts of a call: steps accepted, rejected, rejected for a concentration outside its bounds, tried; and the cell with the
# largest error in the last rejected step
COUNTS = 5
ACCEPTED, REJECTED, UNPHYSICAL, TRIED, WORST_CELL = range(COUNTS)
# columns of a piece: start and end [s], source voltage at the start and at the end [V]
FROM, UNTIL, V_FROM, V_UNTIL = range(4)


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


@bare
def reservoir_norm(junction: Junction, control: Control, state: State, k: int, dS: np.ndarray) -> float:
    """Norm of an error of what passed the ends of column k, of ions and free sites of its reservoirs as of a cell."""
    worst, least = 0.0, fewest_ions(junction, control, k)
    for at_right in (False, True):
        end = end_of(junction, k, at_right)
        if end.wall.capacity < math.inf:
            y = filling_at(end, state, k)
            size = least + control.rtol * max(min(y, 1.0 - y), 0.0) * end.wall.capacity
            error = abs(dS[end.face]) / size
            worst = max(worst, error) if error < math.inf else math.inf
    return worst


@bare
def beyond_bounds(share: float) -> float:
    """What is beyond 0 or 1 of a share."""
    return max(-share, share - 1.0, 0.0)


@detached
def norm_of(junction: Junction, control: Control, state: State, new: np.ndarray, error: np.ndarray, dS: np.ndarray):
    """Norm of an error of the concentrations, error (K, N) [1/m3], and of the ions that passed a face, dS (K, N+1) [1/m2].

    1 is the limit. The largest over the columns of three: the error of the band edge over rtol kT, that of the share of the
    ions to the right of a face over rtol, and the root mean square of that of a concentration over atol + rtol |c|; the
    oxygen of a reservoir and its free sites count as a cell each. Most cells hold too little to be seen in a charge or a
    current: their relative errors count where atol is made small.
    """
    worst = error_norm(control, state.c, new, error)
    for k in range(state.c.shape[0]):
        rise, most = shift(junction, state, k, dS[k])
        share = most / max(dot(state.c[k], junction.columns.width[k]), fewest_ions(junction, control, k))
        worst = max(worst, max(rise / state.kT[k], share) / control.rtol)
        if exchanges(junction):
            worst = max(worst, reservoir_norm(junction, control, state, k, dS[k]))
    return worst


@detached
def motion(junction: Junction, control: Control, state: State, new: State, work: Work) -> float:
    """Norm of what ions move in a step from a state to a new one, work.dS through the faces. Fills work.error with it."""
    for k in range(new.c.shape[0]):
        for i in range(new.c.shape[1]):
            work.error[k, i] = new.c[k, i] - state.c[k, i]
    return norm_of(junction, control, state, new.c, work.error, work.dS)


@detached
def error_by_charge(junction: Junction, control: Control, state: State, new: State, work: Work, off: float) -> float:
    """Norm of the error that ions make in a step within which traps have the charge of its start; 0 without charge.

    off : [V] of V_j from what was foreseen without them, at the end of the step
    Half of what the charge bends the band by in the step, and of `off`, over kT, is the share by which fluxes are wrong in
    the mean. Fills work.error and work.dS.
    """
    if state.trapped.shape[1] == 0:
        return 0.0
    moved, worst = motion(junction, control, state, new, work), 0.0
    for k in range(state.trapped.shape[0]):
        behind, per_ion, N = 0.0, junction.ions[k].z * ELEMENTARY_CHARGE, state.trapped.shape[1]
        work.dS[k, N] = 0.0
        for i in range(N - 1, -1, -1):
            behind += (new.trapped[k, i] - state.trapped[k, i]) / per_ion
            work.dS[k, i] = behind
        worst = max(worst, 0.5 * (shift(junction, new, k, work.dS[k])[0] + off) / state.kT[k])
    return worst * moved


@bare
def beyond_reservoirs(junction: Junction, state: State, k: int, ions: float) -> float:
    """Share of the ions [1/m2] of column k, or of a reservoir's sites if fewer, by which a filling is beyond 0 or 1."""
    worst = 0.0
    for at_right in (False, True):
        end = end_of(junction, k, at_right)
        beyond = beyond_bounds(filling_at(end, state, k))
        if beyond > 0.0:
            worst = max(worst, max(beyond, beyond * end.wall.capacity / ions))
    return worst


@bare
def outside(junction: Junction, control: Control, state: State) -> float:
    """Largest share over the columns of ions that concentrations below zero or above the site density stand for.

    A reservoir of oxygen counts as a cell. Beyond its bounds its flux leads back, as that of a cell does.

    Steps leave some 1e-6 of the ions there and take them back: what is below zero makes a flux below zero. Clipping them to
    the bounds instead carried 3e-2 of the ions to the wrong side of a film in 2000 pulses, 1e-5 with each.
    """
    worst, c = 0.0, state.c
    for k in range(c.shape[0]):
        beyond, inside = 0.0, 0.0
        for i in range(c.shape[1]):
            within = min(max(c[k, i], 0.0), junction.columns.sites[k, i])
            beyond += abs(c[k, i] - within) * junction.columns.width[k, i]
            inside += within * junction.columns.width[k, i]
        ions = max(inside, fewest_ions(junction, control, k))
        worst = max(worst, beyond / ions)
        if exchanges(junction):
            worst = max(worst, beyond_reservoirs(junction, state, k, ions))
    return worst


@detached
def drift(junction: Junction, control: Control, state: State, work: Work, recorded: bool) -> float:
    """Norm of what changes in a second; fill work.error with dc/dt (K, N) and work.J with the fluxes.

    recorded : curves are drawn through the steps
    """
    rate = work.error
    for k in range(rate.shape[0]):
        J = work.J[k]
        fluxes_of(junction, state, k, work.factors, J)
        for i in range(rate.shape[1]):
            rate[k, i] = (J[i] - J[i + 1]) * junction.columns.dilution[k, i]
    return max(norm_of(junction, control, state, state.c, rate, work.J), speed(junction, state, control.rtol, recorded))


@bare
def voltage_slack(control: Control) -> float:
    """Error [V] that V_j may have between two steps."""
    return max(ALLOWED * control.rtol, VOLTAGE_TOLERANCE)


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
    rejected: np.ndarray  # 1 where the last trial step was rejected, else 0


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
    control: Control
    lenient: Control  # of steps that were accepted in the other run


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
def first_step(junction: Junction, control: Control, state: State, work: Work, horizon: float, recorded: bool) -> float:
    """Step [s] after an edge, recorded or not, at most the horizon [s], by the norm of what changes in it.

    The error estimate is blind to a boundary layer that a first step crosses whole: strict tolerances begin with small
    steps, which grow by GROWTH where they may.
    """
    begin_step(junction, state)
    rate = drift(junction, control, state, work, recorded)
    change = min(max(FIRST_CHANGE, LEAST_FIRST / control.rtol), MOST_FIRST / control.rtol)
    return horizon if rate * horizon <= change else change / rate


@detached
def time_of_charging(junction: Junction, state: State, V_source: float, allowed: float) -> float:
    """Time [s] in which the source charges a junction, by more than an allowed error of V_j [V], else inf."""
    lost = V_source - state.V[0]
    missing = lost - drop(junction, conduction(state))[0]
    if abs(missing) <= allowed:
        return math.inf
    current = source_current(junction, lost) - conduction(state)
    return abs(capacitance(junction, state) * missing / current)


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
def next_step(method: Method, growth: float, norm: float, step: float, place: Place, recorded: bool) -> float:
    """Length [s] of the step after an accepted one, whose norm and length are noted in its place.

    Recorded steps do not follow the trend: curves are drawn through them, and then have some two points to a decade of time
    instead of one.
    """
    if place.rejected[0] != 0:
        growth = min(growth, 1.0)
    elif not recorded:
        growth = foreseen(method, growth, norm, step, place)
    place.last_norm[0], place.last_step[0], place.rejected[0] = norm, step, 0
    return step * growth
