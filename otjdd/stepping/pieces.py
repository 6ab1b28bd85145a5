"""Straight pieces of the source voltage, the place of the ions on them, and the trial steps of this or of another run.

The length of the first step after an edge, and of each that follows by the error of the step before it, is chosen here.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.physics.charging import capacitance, conduction
from otjdd.physics.junction import Junction
from otjdd.physics.quasistatic import drop, source_current
from otjdd.physics.state import State
from otjdd.stepping.error_norm import Control, drift
from otjdd.stepping.hooks import begin_step
from otjdd.stepping.rosenbrock import Method, Work

# counts of a call: steps accepted, rejected, rejected for a concentration outside its bounds, tried; and the cell with the
# largest error in the last rejected step
COUNTS = 5
ACCEPTED, REJECTED, UNPHYSICAL, TRIED, WORST_CELL = range(COUNTS)
# columns of a piece: start and end [s], source voltage at the start and at the end [V]
FROM, UNTIL, V_FROM, V_UNTIL = range(4)


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


GROWTH, SHRINK, SAFETY = 100.0, 0.2, 0.9  # bounds of the growth of a step; safety where the error of V_j sets it
MOST_TREND = 10.0  # largest factor of `foreseen` beyond the growth that the error of one step allows
FIRST_CHANGE = 10.0  # norm of the error control of what the first step changes, and the bounds of it per unit rtol
LEAST_FIRST, MOST_FIRST = 3e-3, 0.1


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
