"""Joule heat: the temperature of a junction or of each of its columns, and what follows it.

    C dT/dt = P - (T - T0)/R        P = I V_j, tau = R C

In a step P is linear in time; for such a P the temperature is exact, whatever the step. One far longer than tau ends at
T0 + R P. Diffusivity, occupation and supply of the current follow the temperature. Electrodes, permittivities and the image
force are those at T0.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.physics.boundary import exchanges, left_inflow, right_inflow
from otjdd.physics.channels.kinetic_traps import trap_current, trap_current_of_column
from otjdd.physics.exchange import passes
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import add_up
from otjdd.physics.state import State

NEAR = 1e-3  # step over tau, below which differences of exponentials are replaced by their series


@inlined
def heated(junction: Junction) -> bool:
    """True where the current warms the junction."""
    return junction.heat.resistance.size > 0


@detached
def warm(junction: Junction, temperature: np.ndarray):
    """Set what follows the temperature (K,) [K] of the columns of a junction, whose current warms it."""
    heat, columns = junction.heat, junction.columns
    cold = BOLTZMANN_EV * heat.surroundings
    for k in range(temperature.size):
        kT = BOLTZMANN_EV * temperature[k]
        junction.kT[k] = kT
        per_kT = 1.0 / cold - 1.0 / kT
        for f in range(columns.barrier.shape[1]):
            columns.diffusivity[k, f] = heat.diffusivity[k, f] * math.exp(columns.barrier[k, f] * per_kT)
        columns.supply[k] = heat.supply[k] * (temperature[k] / heat.surroundings)


@bare
def ionic_current(junction: Junction, state: State, k: int) -> float:
    """Current [A] of the vacancies that pass the ends of column k: the mean of both, on which the field works."""
    J = left_inflow(junction, state, k).J if passes(junction.left_wall[k]) else 0.0
    J -= right_inflow(junction, state, k).J if passes(junction.right_wall[k]) else 0.0
    return 0.5 * junction.ions[k].z * ELEMENTARY_CHARGE * J * junction.channels.area[k]


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
    if z < NEAR:
        return z / 2.0 * (1.0 - z / 3.0 * (1.0 - z / 4.0))
    return 1.0 + math.expm1(-z) / z


@bare
def rises(start: float, steady: float, steady_end: float, z: float):
    """Rise of the temperature [K] at the end of a step z tau, and its mean over the step.

    start : rise at the start   steady, steady_end : R P there and at the end, P linear in between
    """
    last, decay = weight_of_end(z), math.exp(-z)
    end = start * decay + steady * (1.0 - decay - last) + steady_end * last
    if z < NEAR:  # the trapezium with its correction by the slopes at both ends
        return end, 0.5 * (start + end) + z / 12.0 * ((steady - start) - (steady_end - end))
    return end, 0.5 * (steady + steady_end) - (end - start) / z


@bare
def hottest(state: State) -> float:
    """Highest temperature of the columns [K]."""
    most = 0.0
    for k in range(state.heat.temperature.size):
        most = max(most, state.heat.temperature[k])
    return most
