"""The temperature in a time step: its prediction, its correction by the power at the end, and its error.

The hops of a step are those at its mean temperature, the stack and the current at its end those at the temperature there.
Both follow from the power at the end of the step, and this from them: `correct_heat` is called until they agree.
"""

import math

from otjdd.compiler.decorators import bare, deferred_detached
from otjdd.constants import BOLTZMANN_EV
from otjdd.errors import Status
from otjdd.physics.heat import fill_power, rises, warm
from otjdd.physics.junction import Junction, polarised
from otjdd.physics.polarisation import TWO_LEVEL
from otjdd.physics.quasistatic import ensure_current
from otjdd.physics.state import State, Tangent
from otjdd.stepping.polarisation_step import polarisation_change

AGREED = 1e-6  # relative, of temperatures that agree: the current then differs by 3e-5
STEEPEST = 0.9  # rise of R P per kelvin with which a step may end: with more the junction runs away, in steps below tau
LEAST_GAIN = -100.0  # the same where a series resistance or a compliance takes the voltage as the film warms
FARTHEST = 2.0  # factor on the power of a prediction
COLDEST = 0.5  # of the surroundings: temperature of a search


@deferred_detached
def begin_heat(junction: Junction, state: State, tangent: Tangent) -> Status:
    """Record the power of a settled state; its slope in time is unknown from here on. Returns a status."""
    status = ensure_current(junction, state, tangent)
    fill_power(junction, state, state.heat.power)
    for k in range(state.heat.temperature.size):
        state.heat.slope[k] = 0.0
    return status


@deferred_detached
def predict_heat(junction: Junction, state: State, new: State, step: float):
    """Predict the temperatures of a step [s] into a new state; the power follows its last slope, within FARTHEST."""
    heat = junction.heat
    for k in range(state.heat.temperature.size):
        before, ahead = state.heat.power[k], state.heat.power[k] + step * state.heat.slope[k]
        ahead = min(max(ahead, before / FARTHEST), before * FARTHEST)
        start = state.heat.temperature[k] - heat.surroundings
        end, mean = rises(start, heat.resistance[k] * before, heat.resistance[k] * ahead, step / heat.time_constant)
        new.heat.temperature[k], new.heat.mean[k] = heat.surroundings + end, heat.surroundings + mean
        new.heat.last[k], new.heat.off[k] = math.nan, math.nan


@deferred_detached
def correct_heat(junction: Junction, state: State, new: State, step: float) -> float:
    """Correct the temperatures of a new state, settled with those that it holds, by its power.

    Returns the largest relative distance between both; inf where the power rises so steeply with the temperature that no
    step of this length has an end. The distance of the next temperature is that of the secant through the last two.
    """
    heat, farthest = junction.heat, 0.0
    fill_power(junction, new, new.heat.power)
    for k in range(state.heat.temperature.size):
        start, steady = state.heat.temperature[k] - heat.surroundings, heat.resistance[k] * state.heat.power[k]
        end, mean = rises(start, steady, heat.resistance[k] * new.heat.power[k], step / heat.time_constant)
        used = new.heat.temperature[k]
        off = heat.surroundings + end - used
        farthest = max(farthest, max(abs(off), abs(heat.surroundings + mean - new.heat.mean[k])) / used)
        gain = 0.0
        if abs(used - new.heat.last[k]) > AGREED * used:
            gain = 1.0 + (off - new.heat.off[k]) / (used - new.heat.last[k])
        if not gain < STEEPEST:
            return math.inf
        new.heat.last[k], new.heat.off[k] = used, off
        move = off / (1.0 - max(gain, LEAST_GAIN))
        new.heat.temperature[k] = max(used + move, COLDEST * heat.surroundings)
        new.heat.mean[k] = heat.surroundings + mean
        new.heat.slope[k] = (new.heat.power[k] - state.heat.power[k]) / step
    return farthest


@deferred_detached
def heat_after_leap(junction: Junction, state: State, new: State, tangent: Tangent, step: float) -> Status:
    """Put the temperatures after a leap of a step [s] into a new state, settled at those before it. Returns a status."""
    heat, status = junction.heat, begin_heat(junction, new, tangent)
    for k in range(state.heat.temperature.size):
        start, steady = state.heat.temperature[k] - heat.surroundings, heat.resistance[k] * state.heat.power[k]
        end, mean = rises(start, steady, heat.resistance[k] * new.heat.power[k], step / heat.time_constant)
        new.heat.temperature[k], new.heat.mean[k] = heat.surroundings + end, heat.surroundings + mean
    warm(junction, new.heat.temperature)
    return status


@bare
def uncertain_heat(junction: Junction, new: State) -> float:
    """Relative distance between temperatures that the tolerance of the current may leave."""
    most = 0.0
    for k in range(new.heat.temperature.size):
        T = new.heat.temperature[k]
        most = max(most, junction.energy_tolerance * abs(T - junction.heat.surroundings) / T)
    return most


@bare
def end_heat(junction: Junction, new: State):
    """Set a new state and the junction to the temperatures that follow from the power at the end of the step."""
    for k in range(new.heat.temperature.size):
        new.heat.temperature[k] = new.heat.last[k] + new.heat.off[k]
    warm(junction, new.heat.temperature)


@bare
def log_rate(barrier: float, before: float, after: float) -> float:
    """|Change of the logarithm of a rate| over a barrier [eV] between two temperatures [K]."""
    return barrier / BOLTZMANN_EV * abs(1.0 / before - 1.0 / after)


@bare
def switches_by_heat(junction: Junction) -> bool:
    """True where films are polarised by a law whose rates follow the temperature."""
    return polarised(junction) and junction.polarisation.law == TWO_LEVEL


@deferred_detached
def heat_error(junction: Junction, state: State, new: State, step: float, motion: float, rtol: float) -> float:
    """Norm of the error that a step makes by its temperature; 1 is the limit.

    motion : norm of what the ions have moved in the step
    The change of the hop rate is the measure: of the temperature at the end, over rtol; of that within the step, by the
    ions that it moves. The rate of two levels of a polarisation counts likewise. The power is taken as linear in time; its
    slope of the step before tells how wrong that is.
    """
    heat, z, worst = junction.heat, step / junction.heat.time_constant, 0.0
    for k in range(state.heat.temperature.size):
        T, end = state.heat.temperature[k], new.heat.temperature[k]
        bent = heat.resistance[k] * abs(new.heat.power[k] - state.heat.power[k] - step * state.heat.slope[k])
        at_end, within = bent * min(z / 6.0, 1.0 / z), bent * min(z, 2.0) / 12.0
        along, moved = junction.columns.barrier[k], motion
        barrier = max(along[0], along[along.size - 1])
        if switches_by_heat(junction):
            barrier = max(barrier, junction.polarisation.barrier[k])
            moved = max(motion, polarisation_change(junction, new, k, new.P[k] - state.P[k]) / rtol)
        change = log_rate(barrier, T, end)
        mean = new.heat.mean[k]
        wrong = change * change / 12.0 + log_rate(barrier, mean, mean + within)
        worst = max(worst, max(moved * wrong, log_rate(barrier, end, end + at_end) / rtol))
    return worst
