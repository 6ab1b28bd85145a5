"""Current of a settled junction: the spectrum of each column, its derivatives, and the tangent of ln G.

G = I/V_j is the chord conductance. ln G is close to linear in the state, so the expensive integral over energy is
evaluated only where ln G has moved far along its tangent.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.bands import profile_slopes
from otjdd.physics.closing import hold_electrons, voltage_response
from otjdd.physics.current import (
    LEAST_LEFT_OUT,
    Spectrum,
    converged_spectrum,
    energy_panels,
    graded_to_top,
    thinned,
    upper_end,
)
from otjdd.physics.film_electrons import LEFT, RIGHT
from otjdd.physics.image_force import slopes_of_bands, tunnelling_profile
from otjdd.physics.junction import Junction, closure_slope
from otjdd.physics.numerics import add_up, copy
from otjdd.physics.resonances import balanced
from otjdd.physics.state import State, Tangent
from otjdd.physics.supply import log_supply_slope
from otjdd.physics.tunnelling import TRANSFER_MATRIX, Profile
from otjdd.physics.tunnelling_slopes import sensitivity

NEGLIGIBLE = 1e-7  # share of the current of one energy that its derivatives may leave out
MOST_KEPT = 16  # edges of panels that are used again; more were made for a resonance that may have moved
MORE_KEPT = 2  # edges that panels may gain by halving, beyond those that fresh ones ended with
FARTHEST_CHANGE = 50.0  # of ln G, where a tangent is refused before its exponential overflows
SAME_TEMPERATURE = 2e-6  # relative, of kT over which a tangent is followed: ln G has changed by 6e-5 then
# The same at narrow levels, whose slopes have both signs and are up to 1e9 times as steep as their sum: with 1e-7 a sum was
# 217/V in place of -41/V.
NEGLIGIBLE_AT_LEVELS = 1e-11
SHARE_KNOWN = 0.5  # largest change of ln G after which the share of a column in the current is known along its tangent


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
        fresh = panels[-1] < upper_end(profile, V, junction.kT[k], tolerance, LEAST_LEFT_OUT)
    kinked = (
        junction.transmission != TRANSFER_MATRIX
    )  # T of an approximation, whose kink at the top moves with the state
    if fresh or kinked or panels.size > MOST_KEPT:
        panels = energy_panels(profile, V, junction.kT[k], tolerance, kinked or at_top)
        panels = graded_to_top(profile, junction.kT[k], panels) if at_top else panels
    result, panels = converged_spectrum(junction.transmission, profile, V, junction.kT[k], panels, tolerance)
    return result, profile, panels


@bare
def converged(junction: Junction, spectrum: Spectrum) -> bool:
    """True when the error of a spectrum is within the tolerance of the junction, or its current is zero."""
    return spectrum.error <= junction.energy_tolerance * spectrum.chord or spectrum.chord == 0.0


@bare
def conductance(junction: Junction, k: int, spectrum: Spectrum) -> float:
    """Chord conductance I/V_j [S] that column k adds to the junction."""
    return junction.columns.weight[k] * junction.columns.supply[k] * spectrum.chord


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
    V, kT = state.V[0], junction.kT[k]
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
def conduct_column(junction: Junction, state: State, tangent: Tangent, k: int, lay: bool) -> bool:
    """Evaluate the chord conductance of column k at the present fields; with lay, its slopes too. Returns convergence.

    Starts from the energy panels of the last call, which the tangent holds, and updates them. Panels are only ever halved,
    so their number grows: with MORE_KEPT more than fresh panels needed, fresh ones are made.
    """
    panels, n = tangent.panels[k], 0
    tangent.evaluated[0] += 1
    while n < panels.size and not math.isnan(panels[n]):
        n += 1
    if n > tangent.needed[k] + MORE_KEPT:
        n = 0
    result, profile, used = column_spectrum(junction, state, k, panels[:n], False)
    if not converged(junction, result):
        return False
    if n == 0:
        tangent.needed[k] = used.size
    n = used.size if used.size <= panels.size else 0
    for p in range(panels.size):
        panels[p] = used[p] if p < n else math.nan
    state.G[k] = conductance(junction, k, result)
    if lay:
        tangent.by_V[k], tangent.by_D[k], tangent.by_P[k] = 0.0, 0.0, 0.0
        tangent.by_S[k, :] = 0.0
        if result.chord > 0.0:
            few = used.size <= MOST_KEPT
            tangent.by_V[k], tangent.by_D[k], tangent.by_P[k] = log_conductance_slopes(
                junction, state, k, profile, thinned(result) if few else result, used[: 0 if few else used.size],
                tangent.by_S[k],
            )  # fmt: skip
    return True


@apart
def conduct(junction: Junction, state: State, tangent: Tangent, lay: bool) -> bool:
    """Evaluate the chord conductance of every column at the present fields; with lay, lay the tangent here.

    Returns convergence.
    """
    for k in range(state.c.shape[0]):
        if not conduct_column(junction, state, tangent, k, lay):
            return False
        if lay:
            put_tangent(junction, state, tangent, k, 0.0)
    return True


@apart
def conduct_anew(junction: Junction, state: State, tangent: Tangent, negligible: float, slopes_held: float) -> bool:
    """Evaluate the conductances whose tangents err too much, and start these tangents here. Returns convergence.

    negligible : error of ln I that a column may make along its tangent   slopes_held : change of ln G over which slopes
    are kept; below 0 for none. After `along_tangent` at the same state
    """
    total = add_up(state.G)
    for k in range(state.c.shape[0]):
        if column_error(state, tangent, k, total) <= negligible:
            continue
        stale = tangent.stale[k] + tangent.change[k]
        lay = not stale <= slopes_held
        if not conduct_column(junction, state, tangent, k, lay):
            return False
        put_tangent(junction, state, tangent, k, 0.0 if lay else stale)
    return True


@inlined
def charged(junction: Junction, state: State, k: int, i: int) -> float:
    """Vacancies less those whose charge the electrons of a cell take away [1/m3]."""
    return state.c[k, i] - (state.electrons[k, RIGHT, i] + state.electrons[k, LEFT, i]) / junction.ions[k].z


@inlined
def along_charges(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """Change of ln G by the charges of column k, whose film holds electrons. Their number changes, so face 0 counts."""
    S, by_S = 0.0, 0.0
    for f in range(state.c.shape[1] - 1, -1, -1):
        S += (charged(junction, state, k, f) - tangent.c[k, f]) * junction.columns.width[k, f]
        by_S += tangent.by_S[k, f] * S
    return by_S


@detached
def put_tangent(junction: Junction, state: State, tangent: Tangent, k: int, stale: float):
    """Start the tangent of column k at a state whose conductance was evaluated, with the slopes that it has.

    stale : change of ln G since the slopes were taken
    """
    tangent.V[k], tangent.D[k], tangent.G[k] = state.V[0], state.D_right[k], state.G[k]
    tangent.P[k] = state.P[k]
    tangent.stale[k], tangent.change[k], tangent.kT[k] = stale, 0.0, junction.kT[k]
    copy(state.c[k], tangent.c[k])
    if hold_electrons(junction):
        for i in range(state.c.shape[1]):
            tangent.c[k, i] = charged(junction, state, k, i)


@bare
def column_error(state: State, tangent: Tangent, k: int, total: float) -> float:
    """Error of ln I caused by the tangent of column k; total is the conductance of all columns [S].

    Half the square of the change of ln G where the slopes are fresh. Slopes that were taken a change s earlier are wrong by
    about s: then change (s + change/2). The error is weighted by the share of the column in the current, as far as that is
    known.
    """
    change = tangent.change[k]
    share = state.G[k] / total if change <= SHARE_KNOWN and total > 0.0 else 1.0
    return share * change * (tangent.stale[k] + 0.5 * change)


@bare
def tangent_error(state: State, tangent: Tangent) -> float:
    """Error of ln I along the tangents of all columns, after `along_tangent` at the same state."""
    total, error = add_up(state.G), 0.0
    for k in range(state.c.shape[0]):
        error += column_error(state, tangent, k, total)
    return error


@detached
def along_tangent(junction: Junction, state: State, tangent: Tangent) -> float:
    """Set the conductances of a state from the tangent. Returns the largest |change of ln G| since it was laid.

    The changes by V, D(L), the ions and P are added without sign: where they cancel, their curvatures need not. A column
    that has gone too far, or is of another temperature, keeps its conductance.
    """
    largest = 0.0
    for k in range(state.c.shape[0]):
        by_V, by_D = tangent.by_V[k] * (state.V[0] - tangent.V[k]), tangent.by_D[k] * (state.D_right[k] - tangent.D[k])
        S, by_S = 0.0, 0.0
        for f in range(state.c.shape[1] - 1, 0, -1):
            S += (state.c[k, f] - tangent.c[k, f]) * junction.columns.width[k, f]
            by_S += tangent.by_S[k, f] * S
        if hold_electrons(junction):
            by_S = along_charges(junction, state, tangent, k)
        by_P = tangent.by_P[k] * (state.P[k] - tangent.P[k])
        change = abs(by_V) + abs(by_D) + abs(by_S) + abs(by_P)
        near = change < FARTHEST_CHANGE  # False for nan, before the first evaluation
        near = near and abs(junction.kT[k] - tangent.kT[k]) <= SAME_TEMPERATURE * junction.kT[k]
        tangent.change[k] = change if near else math.inf
        if near:
            state.G[k] = tangent.G[k] * math.exp(by_V + by_D + by_S + by_P)
        largest = max(largest, tangent.change[k])
    return largest


@detached
def conductance_slope(junction: Junction, state: State, tangent: Tangent) -> float:
    """d ln(G)/dV [1/V] of the junction at frozen ions, D following the closure."""
    total, change = 0.0, 0.0
    for k in range(state.c.shape[0]):
        total += state.G[k]
        if hold_electrons(junction):
            change += state.G[k] * voltage_response(junction, state, tangent, k)
        else:
            slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
            change += state.G[k] * (tangent.by_V[k] + tangent.by_D[k] / slope)
    return change / total if total > 0.0 else 0.0
