"""Lengths of time steps: of the first after an edge, and of each that follows, by the error of the step before it."""

import math

from otjdd.compiler.decorators import bare, detached
from otjdd.physics.charging import capacitance, conduction
from otjdd.physics.circuit import drop, source_current
from otjdd.physics.junction import Junction
from otjdd.physics.state import State
from otjdd.stepping.error_norm import Control, drift
from otjdd.stepping.hooks import begin_step
from otjdd.stepping.pieces import Place
from otjdd.stepping.rosenbrock import Work
from otjdd.stepping.rosenbrock_methods import Method

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
