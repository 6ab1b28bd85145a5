"""Joule heat: the temperature of a junction or of each of its columns, and what follows it.

    C dT/dt = P - (T - T0)/R        P = I V_j, tau = R C

In a step P is linear in time; for such a P the temperature is exact, whatever the step. One far longer than tau ends at
T0 + R P. Diffusivity, occupation and supply of the current follow the temperature. Electrodes, permittivities and the image
force are those at T0.

The hops of a step are those at its mean temperature, the stack and the current at its end those at the temperature there.
Both follow from the power at the end of the step, and this from them: `correct` is called until they agree.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined
from otjdd.constants import BOLTZMANN_EV
from otjdd.errors import Status
from otjdd.mechanisms.exchange import exchanges, ionic_current
from otjdd.mechanisms.polarisation import TWO_LEVEL, polarisation_change
from otjdd.mechanisms.traps.kinetic import trap_current, trap_current_of_column
from otjdd.physics.columns import ensure_current
from otjdd.physics.junction import Junction, polarised
from otjdd.physics.numerics import add_up, copy
from otjdd.physics.state import State, Tangent

ANSWERED_BY = "none: `case.rules` refuses small signals of junctions that their current warms"
SHORT = 1e-3  # step over tau, below which differences of exponentials are replaced by their series
AGREED = 1e-6  # relative, of temperatures that agree: the current then differs by 3e-5
STEEPEST = 0.9  # rise of R P per kelvin with which a step may end: with more the junction runs away, in steps below tau
LEAST_GAIN = -100.0  # the same where a series resistance or a compliance takes the voltage as the film warms
FARTHEST = 2.0  # factor on the power of a prediction
COLDEST = 0.5  # of the surroundings: temperature of a search
HOTTEST = 3000.0  # K, where a run ends


@inlined
def heated(junction: Junction) -> bool:
    """True where the current warms the junction."""
    return junction.heat.resistance.size > 0


@detached
def warm(junction: Junction, state: State, temperature: np.ndarray):
    """Set what follows the temperature (K,) [K] of the columns of a state, where the current warms the junction."""
    heat, columns = junction.heat, junction.columns
    cold = BOLTZMANN_EV * heat.surroundings
    for k in range(temperature.size):
        kT = BOLTZMANN_EV * temperature[k]
        state.kT[k] = kT
        per_kT = 1.0 / cold - 1.0 / kT
        for f in range(columns.barrier.shape[1]):
            state.diffusivity[k, f] = columns.diffusivity[k, f] * math.exp(columns.barrier[k, f] * per_kT)
        state.supply[k] = columns.supply[k] * (temperature[k] / heat.surroundings)


def begin_run(junction: Junction, state: State, start: dict[str, np.ndarray]) -> None:
    """As `warm`, at the temperature where a run begins."""
    if state.heat.temperature.size:  # a call compiles a kernel
        warm(junction, state, state.heat.temperature)


def at_temperature(before: Junction, after: Junction, memory: dict[str, np.ndarray]) -> None:
    """The junction is as warm as its surroundings."""
    memory.pop("temperature", None)


@bare
def fill_power(junction: Junction, state: State, power: np.ndarray):
    """Fill power (K,) [W] of a settled state whose current is known: that of the junction, or of each column."""
    for k in range(power.size):
        shared = junction.heat.shared
        G = add_up(state.G) if shared else state.G[k]
        of_traps = trap_current(state) if shared else trap_current_of_column(state, k)
        power[k] = state.V[0] * state.V[0] * G + state.V[0] * of_traps
    if exchanges(junction):
        for k in range(state.G.size):
            of_ions = state.V[0] * ionic_current(junction, state, k)
            if junction.heat.shared:
                for j in range(power.size):
                    power[j] += of_ions
            else:
                power[k] += of_ions


@bare
def weight_of_end(z: float) -> float:
    """1 - (1 - exp(-z))/z: weight in the temperature at the end of a step z tau of a power that rises from 0 to 1 in it."""
    if z < SHORT:
        return z / 2.0 * (1.0 - z / 3.0 * (1.0 - z / 4.0))
    return 1.0 + math.expm1(-z) / z


@bare
def rises(start: float, steady: float, steady_end: float, z: float):
    """Rise of the temperature [K] at the end of a step z tau, and its mean over the step.

    start : rise at the start   steady, steady_end : R P there and at the end, P linear in between
    """
    last, decay = weight_of_end(z), math.exp(-z)
    end = start * decay + steady * (1.0 - decay - last) + steady_end * last
    if z < SHORT:  # the trapezium with its correction by the slopes at both ends
        return end, 0.5 * (start + end) + z / 12.0 * ((steady - start) - (steady_end - end))
    return end, 0.5 * (steady + steady_end) - (end - start) / z


@bare
def hottest(state: State) -> float:
    """Highest temperature of the columns [K]."""
    largest = 0.0
    for k in range(state.heat.temperature.size):
        largest = max(largest, state.heat.temperature[k])
    return largest


@bare
def bounds(state: State):
    """TOO_HOT where a column is beyond HOTTEST."""
    return Status.TOO_HOT if hottest(state) > HOTTEST else Status.DONE


@deferred_detached
def power_anew(junction: Junction, state: State, tangent: Tangent) -> Status:
    """Record the power of a settled state. Returns a status."""
    status = ensure_current(junction, state, tangent)
    fill_power(junction, state, state.heat.power)
    return status


@deferred_detached
def begin_heat(junction: Junction, state: State, tangent: Tangent) -> Status:
    """Record the power of a settled state; its slope in time is unknown from here on. Returns a status."""
    status = power_anew(junction, state, tangent)
    for k in range(state.heat.temperature.size):
        state.heat.slope[k] = 0.0
    return status


@inlined
def settled_anew(junction: Junction, new: State, tangent: Tangent):
    """As `power_anew` where the current warms the junction."""
    return power_anew(junction, new, tangent) if heated(junction) else Status.DONE


@inlined
def begin_piece(junction: Junction, state: State, tangent: Tangent):
    """As `begin_heat` where the current warms the junction."""
    return begin_heat(junction, state, tangent) if heated(junction) else Status.DONE


@inlined
def follow_end(junction: Junction) -> bool:
    """The temperature follows from the end of a step, and acts on it."""
    return heated(junction)


@deferred_detached
def predict(junction: Junction, state: State, new: State, step: float):
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
def correct(junction: Junction, state: State, new: State, step: float) -> float:
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
    warm(junction, new, new.heat.temperature)
    return status


@inlined
def after_leap(junction: Junction, state: State, new: State, tangent: Tangent, step: float):
    """As `heat_after_leap` where the current warms the junction."""
    return heat_after_leap(junction, state, new, tangent, step) if heated(junction) else Status.DONE


@bare
def uncertain(junction: Junction, new: State) -> float:
    """Relative distance between temperatures that the tolerance of the current may leave."""
    largest = 0.0
    for k in range(new.heat.temperature.size):
        T = new.heat.temperature[k]
        largest = max(largest, junction.energy_tolerance * abs(T - junction.heat.surroundings) / T)
    return largest


@bare
def use_mean(junction: Junction, state: State, new: State):
    """Let both states of a step be as warm as it is on average."""
    warm(junction, state, new.heat.mean)
    warm(junction, new, new.heat.mean)


@bare
def use_end(junction: Junction, state: State, new: State):
    """Let both states of a step be as warm as it is at the end."""
    warm(junction, state, new.heat.temperature)
    warm(junction, new, new.heat.temperature)


@bare
def end_step(junction: Junction, state: State, new: State):
    """Set a new state to the temperatures that follow from the power at the end of the step."""
    for k in range(new.heat.temperature.size):
        new.heat.temperature[k] = new.heat.last[k] + new.heat.off[k]
    use_end(junction, state, new)


@bare
def log_rate(barrier: float, before: float, after: float) -> float:
    """|Change of the logarithm of a rate| over a barrier [eV] between two temperatures [K]."""
    return barrier / BOLTZMANN_EV * abs(1.0 / before - 1.0 / after)


@bare
def switches_by_heat(junction: Junction) -> bool:
    """True where films are polarised by a law whose rates follow the temperature."""
    return polarised(junction) and junction.polarisation.law == TWO_LEVEL


@deferred_detached
def warming(junction: Junction, state: State, time: float, rtol: float) -> float:
    """Norm of what the power of a settled state changes in a time [s] by its warmth: of the rates of hops, over rtol."""
    heat, worst = junction.heat, 0.0
    fill_power(junction, state, state.heat.power)
    for k in range(state.heat.temperature.size):
        T, barriers = state.heat.temperature[k], junction.columns.barrier[k]
        steady = heat.surroundings + heat.resistance[k] * state.heat.power[k]
        end = T - (steady - T) * math.expm1(-time / heat.time_constant)
        worst = max(worst, log_rate(max(barriers[0], barriers[barriers.size - 1]), T, end) / rtol)
    return worst


@deferred_detached
def end_error(junction: Junction, state: State, new: State, step: float, motion: float, rtol: float) -> float:
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
        barriers, moved = junction.columns.barrier[k], motion
        barrier = max(barriers[0], barriers[barriers.size - 1])
        if switches_by_heat(junction):
            barrier = max(barrier, junction.polarisation.barrier[k])
            moved = max(motion, polarisation_change(junction, new, k, new.P[k] - state.P[k]) / rtol)
        change = log_rate(barrier, T, end)
        mean = new.heat.mean[k]
        wrong = change * change / 12.0 + log_rate(barrier, mean, mean + within)
        worst = max(worst, max(moved * wrong, log_rate(barrier, end, end + at_end) / rtol))
    return worst


@bare
def fill_row(junction: Junction, state: State, row: np.ndarray):
    """End a row with the temperatures of the columns."""
    copy(state.heat.temperature, row[row.size - state.heat.temperature.size :])
