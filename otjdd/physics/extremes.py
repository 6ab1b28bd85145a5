"""Largest values of a run that have a limit: electrons in the film, current, and rise of the temperature.

They are looked at after every accepted step, whatever is recorded. It costs 1.1 us a step with one column of 100 cells and
3.3 us with five: only the lowest place of the conduction band is worth a Fermi-Dirac integral.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.physics.circuit import coupled
from otjdd.physics.electrostatics import edge
from otjdd.physics.fermi_dirac import fermi_dirac_half
from otjdd.physics.jit import bare, detached
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import add_up
from otjdd.physics.state import State

# rows of the largest values and their columns
EXTREMES = 3
ELECTRONS, AMPERES, KELVIN = range(EXTREMES)
VALUE, WHEN = range(2)
# rows of the thermal response
RATE, WEIGHT, WARMTH = range(3)


class Watch(NamedTuple):
    """Quantities that are watched, and their largest values so far."""

    density_of_states: float  # of the film [1/m3]
    heat: (
        np.ndarray
    )  # (3, P): RATE [1/s], WEIGHT [K/W] and WARMTH [W] of the exponentials of the thermal response; updated
    largest: np.ndarray  # (EXTREMES, 2) VALUE and WHEN [s]: ratio, A, K; updated


@bare
def lowest_band(junction: Junction, state: State, k: int) -> float:
    """Lowest conduction band [eV] at the cell centres of column k, above the Fermi level of the right electrode."""
    band = edge(junction.right, -state.D_right[k])[0]
    lowest, last = math.inf, state.c.shape[1]
    for f in range(last, 0, -1):
        band -= junction.columns.distance[k, f] * state.E[k, f]
        lowest = min(lowest, band)
    return lowest


@bare
def note(watch: Watch, which: int, value: float, time: float) -> None:
    """Keep a value and its time [s] if it is the largest so far."""
    if value > watch.largest[which, VALUE]:
        watch.largest[which, VALUE], watch.largest[which, WHEN] = value, time


@bare
def temperature_rise(watch: Watch) -> float:
    """Estimated rise of the temperature of the junction [K] above its surroundings."""
    rise = 0.0
    for p in range(watch.heat.shape[1]):
        rise += watch.heat[WEIGHT, p] * watch.heat[WARMTH, p]
    return rise


@detached
def look(junction: Junction, state: State, watch: Watch, time: float, step: float, known: bool) -> None:
    """Look at a settled state at a time [s], at the end of a step [s].

    known : the current of the state was just evaluated. Without a circuit that depends on it nobody follows the current
    from step to step; then it is not looked at, and the rise of the temperature is nan from there on.
    """
    for k in range(state.c.shape[0]):
        electrons = watch.density_of_states * fermi_dirac_half(-lowest_band(junction, state, k) / junction.kT)
        mean = add_up(state.c[k]) / state.c.shape[1]
        note(watch, ELECTRONS, electrons / (junction.ions.z * mean), time)
    current = state.V[0] * add_up(state.G) if known or coupled(junction) else math.nan
    power = current * state.V[0]
    for p in range(watch.heat.shape[1]):
        kept = math.exp(-watch.heat[RATE, p] * step)
        watch.heat[WARMTH, p] = watch.heat[WARMTH, p] * kept + power * (1.0 - kept)
    note(watch, AMPERES, abs(current), time)
    note(watch, KELVIN, temperature_rise(watch), time)
