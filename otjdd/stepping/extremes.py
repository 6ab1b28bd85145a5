"""Largest values of a run that have a limit: electrons in the film, current, rise of the temperature, leaps of the stack.

They are noted after every accepted step, whatever is recorded. It costs some 1 us a step with five columns of
100 cells: electrons are looked for only where the lowest place of the conduction band would allow more than ever before. In
a film without electrons they are those that the contacts would put there along its band.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, summed
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.density import LEFT, RIGHT, contact_weights
from otjdd.mechanisms.heat import heated, hottest
from otjdd.physics.charging import conduction
from otjdd.physics.electrostatics import edge
from otjdd.physics.fermi_dirac import fermi_dirac_half
from otjdd.physics.junction import Junction, band_of_fields, coupled, hold_electrons
from otjdd.physics.state import State

# rows of the largest values and their columns
EXTREMES = 4
ELECTRONS, AMPERES, KELVIN, LEAPS = range(EXTREMES)
VALUE, WHEN = range(2)
ROOM = 6  # lines of work space: a band, its pieces, two weights, two more
# rows of the thermal response
RATE, WEIGHT, WARMTH = range(3)


@by_pointer
class Watch(NamedTuple):
    """Quantities that are watched, and their largest values so far."""

    density_of_states: float  # of the film [1/m3]
    heat: np.ndarray  # (3, P) exponentials of the thermal response: RATE [1/s], WEIGHT [K/W] and WARMTH [W]; updated
    largest: np.ndarray  # (EXTREMES, 2) VALUE and WHEN [s]: ratio, A, K, see `note_largest`, leaps; updated
    room: np.ndarray  # (ROOM, N+2) work space


@bare
def lowest_band(junction: Junction, state: State, k: int) -> float:
    """Lowest conduction band [eV] at the cell centres of column k, above the Fermi level of the right electrode."""
    band = edge(junction.right[k], -state.D_right[k])[0]
    lowest, last = math.inf, state.c.shape[1]
    for f in range(last, 0, -1):
        band -= junction.columns.distance[k, f] * state.E[k, f] + junction.columns.rise[k, f]
        lowest = min(lowest, band)
    return lowest


@detached
def would_be_electrons(junction: Junction, state: State, k: int, watch: Watch, most: float) -> float:
    """Largest density [1/m3] of the electrons that the contacts would put into column k, if above `most`, else that.

    Each contact fills the band on its side of the top, with the weights of `electrons.density`.
    """
    distance, U, weight = junction.columns.distance[k], watch.room[0], watch.room[2:4]
    N, V, kT, N_c = state.c.shape[1], state.V[0], state.kT[k], watch.density_of_states
    band_of_fields(junction, state, k, U)
    contact_weights(distance, kT, U, watch.room[1], weight, watch.room[4])
    lowest = U[1]
    for i in range(1, N):
        lowest = min(lowest, U[i + 1])
    right, left = fermi_dirac_half(-lowest / kT), fermi_dirac_half((-V - lowest) / kT)
    for i in range(N):
        if N_c * (weight[0, i] * right + weight[1, i] * left) > most:
            n = weight[0, i] * fermi_dirac_half(-U[i + 1] / kT)
            most = max(most, N_c * (n + weight[1, i] * fermi_dirac_half((-V - U[i + 1]) / kT)))
    return most


@summed
def bending_density(junction: Junction, state: State, k: int) -> float:
    """Density [1/m3] of electrons which, all over the film of column k, bend its band by kT between fixed ends.

    In a film of one permittivity 8 eps kT/(e L^2).
    """
    thickness, elastance = 0.0, 0.0
    for i in range(state.c.shape[1]):
        thickness += junction.columns.width[k, i]
    for f in range(state.c.shape[1] + 1):
        elastance += junction.columns.distance[k, f] / state.eps[k, f]
    return 8.0 * state.kT[k] / (ELEMENTARY_CHARGE * thickness * elastance)


@detached
def film_electron_ratio(junction: Junction, state: State, k: int, watch: Watch, most: float) -> float:
    """Largest density of electrons in column k over `bending_density`, if above `most`, else that."""
    enough = bending_density(junction, state, k)
    if hold_electrons(junction):
        for i in range(state.c.shape[1]):
            most = max(most, (state.electrons[k, RIGHT, i] + state.electrons[k, LEFT, i]) / enough)
        return most
    highest = max(0.0, -state.V[0]) - lowest_band(junction, state, k)
    if not watch.density_of_states * fermi_dirac_half(highest / state.kT[k]) > most * enough:
        return most
    return would_be_electrons(junction, state, k, watch, most * enough) / enough


@detached
def ratio_of_columns(junction: Junction, state: State, watch: Watch) -> float:
    """Largest `film_electron_ratio` of all columns at a settled state."""
    most = 0.0
    for k in range(state.c.shape[0]):
        most = film_electron_ratio(junction, state, k, watch, most)
    return most


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
def note_largest(
    junction: Junction, state: State, watch: Watch, time: float, step: float, current_is_new: bool
) -> None:
    """Note the largest values at a settled state, at a time [s] and the end of a step [s].

    KELVIN is the estimated rise of the temperature; in a junction that its current warms, the highest temperature itself.
    current_is_new : the current of the state was just evaluated. Without a circuit that depends on it nobody follows the
        current from step to step; then it is not looked at, and the rise of the temperature is nan from there on.
    """
    if watch.density_of_states > 0.0:
        for k in range(state.c.shape[0]):
            most = watch.largest[ELECTRONS, VALUE]
            note(watch, ELECTRONS, film_electron_ratio(junction, state, k, watch, most), time)
    evaluated = current_is_new or coupled(junction)
    current = conduction(state) if evaluated else math.nan
    power = current * state.V[0]
    for p in range(watch.heat.shape[1]):
        decay = math.exp(-watch.heat[RATE, p] * step)
        watch.heat[WARMTH, p] = watch.heat[WARMTH, p] * decay + power * (1.0 - decay)
    note(watch, AMPERES, abs(current), time)
    note(watch, KELVIN, hottest(state) if heated(junction) else temperature_rise(watch), time)
