"""The coherent channel: electrons that tunnel through the band or pass above it, by the Tsu-Esaki spectrum of `current`.

The integral over energy is adaptive. It starts from the panels of its last evaluation, so that a conductance moves smoothly
with the state.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.physics.bands import profile_slopes
from otjdd.physics.channels.conductance import FEW_ENERGIES, NO_SLOPES, Conductance
from otjdd.physics.current import (
    LEAST_LEFT_OUT,
    Spectrum,
    converged_spectrum,
    energy_panels,
    graded_to_top,
    thinned,
    upper_end,
)
from otjdd.physics.image_force import slopes_of_bands, tunnelling_profile
from otjdd.physics.junction import Junction
from otjdd.physics.resonances import balanced
from otjdd.physics.state import State
from otjdd.physics.supply import log_supply_slope, supplies
from otjdd.physics.tunnelling import TRANSFER_MATRIX, Profile, sensitivity, transmission

NEGLIGIBLE = 1e-7  # share of the current of one energy that its derivatives may leave out
MOST_KEPT = 16  # edges of panels that are used again; more were made for a resonance that may have moved
MORE_KEPT = 2  # edges that panels may gain by halving, beyond those that fresh ones ended with
# The same at narrow levels, whose slopes have both signs and are up to 1e9 times as steep as their sum: with 1e-7 a sum was
# 217/V in place of -41/V.
NEGLIGIBLE_AT_LEVELS = 1e-11


@apart
def column_spectrum(junction: Junction, state: State, k: int, panels: np.ndarray, at_top: bool):
    """Tsu-Esaki spectrum of column k on the given energy panels, halved where needed; the profile and the panels used.

    panels : edges [eV], of size 0 for fresh ones   at_top : cut finely by the top of the barrier
    """
    V, profile = state.V[0], tunnelling_profile(junction, state, k)
    low = max(profile.bottom_left, profile.bottom_right)
    tolerance = junction.energy_tolerance
    fresh = panels.size == 0 or panels[0] != low
    if not fresh:
        fresh = panels[-1] < upper_end(profile, V, state.kT[k], tolerance, LEAST_LEFT_OUT)
    kinked = (
        junction.transmission != TRANSFER_MATRIX
    )  # T of an approximation, whose kink at the top moves with the state
    if fresh or kinked or panels.size > MOST_KEPT:
        panels = energy_panels(profile, V, state.kT[k], tolerance, kinked or at_top)
        panels = graded_to_top(profile, state.kT[k], panels) if at_top else panels
    result, panels = converged_spectrum(junction.transmission, profile, V, state.kT[k], panels, tolerance)
    return result, profile, panels


@bare
def converged(junction: Junction, spectrum: Spectrum) -> bool:
    """True when the error of a spectrum is within the tolerance of the junction, or its current is zero."""
    return spectrum.error <= junction.energy_tolerance * spectrum.chord or spectrum.chord == 0.0


@bare
def conductance(junction: Junction, state: State, k: int, spectrum: Spectrum) -> float:
    """Chord conductance I/V_j [S] that column k adds to the junction."""
    return junction.columns.weight[k] * state.supply[k] * spectrum.chord


@apart
def energies_for_slopes(
    junction: Junction, profile: Profile, V: float, kT: float, spectrum: Spectrum, edges: np.ndarray
):
    """Energies and weights of a spectrum for derivatives of its current.

    edges : (P+1,) eV, of the panels of a spectrum through narrow levels, else of size 0
    """
    if edges.size > 0 and junction.transmission == TRANSFER_MATRIX:
        return balanced(profile, spectrum, edges, V, kT, NEGLIGIBLE_AT_LEVELS * spectrum.chord)
    least, n = NEGLIGIBLE * spectrum.chord, 0
    energy, weight = np.empty(spectrum.energy.size), np.empty(spectrum.energy.size)
    for i in range(energy.size):
        if spectrum.weight[i] > least:
            energy[n], weight[n] = spectrum.energy[i], spectrum.weight[i]
            n += 1
    return energy[:n], weight[:n]


@apart
def log_conductance_slopes(
    junction: Junction, state: State, k: int, profile: Profile, spectrum: Spectrum, edges: np.ndarray, by_S: np.ndarray
):
    """Derivatives of ln(I/V) of column k: by V [1/V], D(L) and P [m2/C]; by S_f [m2] into by_S (N+1,).

    The energies of the quadrature move with the bottom of the higher lead, their lower end. So this is the exact derivative
    of the computed spectrum, except where edges are given, see `energies_for_slopes`.
    """
    V, kT = state.V[0], state.kT[k]
    energy, weight = energies_for_slopes(junction, profile, V, kT, spectrum, edges)
    by_segment, by_lead = sensitivity(junction.transmission, profile, energy, weight, spectrum.low, spectrum.high)
    by_segment = slopes_of_bands(junction, state, k, by_segment)
    V_slope, D_slope, P_slope = profile_slopes(junction, state, k, profile, by_segment, by_lead, by_S)
    for f in range(by_S.size):
        by_S[f] *= -junction.ions[k].z * ELEMENTARY_CHARGE / spectrum.chord
    with_left, chord_by_V = profile.bottom_left > profile.bottom_right, 0.0
    for i in range(spectrum.energy.size):
        E_i, V_i, sign = (spectrum.energy[i] + V, -V, -1.0) if with_left else (spectrum.energy[i], V, 1.0)
        chord_by_V += sign * spectrum.weight[i] * log_supply_slope(E_i, V_i, kT)
    return (V_slope + chord_by_V) / spectrum.chord, D_slope / spectrum.chord, P_slope / spectrum.chord


@apart
def coherent_conductance(
    junction: Junction, state: State, k: int, panels: np.ndarray, needed: np.ndarray, slopes: int
) -> Conductance:
    """Chord conductance of column k by the coherent channel.

    panels : (PANELS,) edges [eV] of the energy panels of the last evaluation, nan behind the last; are updated. Panels are
        only ever halved, so their number grows: with MORE_KEPT more than fresh panels needed, fresh ones are made
    needed : (1,) edges of the panels when fresh ones were made last; is updated
    slopes : NO_SLOPES; FEW_ENERGIES, from half of the energies where no level is narrow; ALL_ENERGIES, exact ones
    """
    n, by_V, by_D, by_P, by_S = 0, 0.0, 0.0, 0.0, np.zeros(state.c.shape[1] + 1)
    while n < panels.size and not math.isnan(panels[n]):
        n += 1
    if n > needed[0] + MORE_KEPT:
        n = 0
    result, profile, used = column_spectrum(junction, state, k, panels[:n], False)
    if not converged(junction, result):
        return Conductance(False, math.nan, by_V, by_D, by_P, by_S)
    if n == 0:
        needed[0] = used.size
    n = used.size if used.size <= panels.size else 0
    for p in range(panels.size):
        panels[p] = used[p] if p < n else math.nan
    if slopes != NO_SLOPES and result.chord > 0.0:
        smooth = used.size <= MOST_KEPT
        by_V, by_D, by_P = log_conductance_slopes(
            junction, state, k, profile, thinned(result) if smooth and slopes == FEW_ENERGIES else result,
            used[: 0 if smooth else used.size], by_S,
        )  # fmt: skip
    return Conductance(True, conductance(junction, state, k, result), by_V, by_D, by_P, by_S)


def current_by_energy(junction: Junction, state: State, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Energies (n,) [eV] and current per energy of column k, in units of its `supply` at the surroundings' temperature.

    For pictures: the energies are evenly spaced, from the bottom of the higher lead to 0.5 eV above the top of the barrier.
    """
    profile, V = tunnelling_profile(junction, state, k), float(state.V[0])
    low, high = max(profile.bottom_left, profile.bottom_right), max(profile.left.max(), 0.0, -V) + 0.5
    energy = np.linspace(low, high, 401)[1:]
    T, _ = transmission(junction.transmission, profile, energy, energy[0], energy[-1])
    warm = state.kT[k] / (BOLTZMANN_EV * junction.heat.surroundings)  # the supply is proportional to the temperature
    return energy, T * supplies(energy, V, state.kT[k]) * V * warm
