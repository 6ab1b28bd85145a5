"""Channels of conduction: each carries a part of the current through a column, and their chord conductances add up.

The coherent channel is electrons that tunnel through the band or pass above it, by the Tsu-Esaki spectrum of `current`;
leaks are closed formulas of the band of the film (`leaks`); traps pass electrons from site to site (`mechanisms.traps`).
Other modules know the sum, `conductance_of_column`, and the share of each channel, but no channel by name. At a settled
state `transport` tells the conductance of each channel, tunnelling share and mean energy of the current.

The integral over energy of the coherent channel is adaptive. It starts from the panels of its last evaluation, so that a
conductance moves smoothly with the state.

Slopes of a current through narrow levels ask for a spectrum of their own. T(E) rises and falls within the width of a
level. Its slopes by the band are as large as one over that width and have both signs, and their sum is far smaller than
the error of a rule that is good enough for the current. In a film of 46 nm the slope of ln G by V came out between
-1000 and 800/V in place of -30/V. A level moves as a whole, dT/d(anything) = -v dT/dE, so a rule that is exact for
dT/dE is good for all of them. With s the supply, its integral over a panel is known:

    int T' s dE = [T s] - int T s' dE

The least change of the weights w_i of a panel that makes its rule give this is, with e_i = d ln T/dE,

    w_i -> w_i (1 - e_i Q/R)        Q = sum w_i (e_i + s'_i/s_i) - [T s]        R = sum w_i e_i^2
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, deferred, kernel
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.mechanisms.traps.steady import trap_conductance
from otjdd.physics.bands import profile_slopes, slopes_of_bands, tunnelling_profile
from otjdd.physics.current import (
    LEAST_LEFT_OUT,
    POINTS,
    Spectrum,
    barrier_top,
    converged_spectrum,
    energy_panels,
    graded_to_top,
    thinned,
    upper_end,
)
from otjdd.physics.fermi_dirac import log_supply_slope, log_supply_slope_by_energy, supply
from otjdd.physics.junction import Junction
from otjdd.physics.leaks import LEAK_CODES, leak_conductance
from otjdd.physics.state import FEW_ENERGIES, NO_SLOPES, Conductance, State, sum_of
from otjdd.physics.tunnelling import (
    K0,
    SCALED_EVERY,
    TRANSFER_MATRIX,
    Profile,
    by_length,
    padded,
    refine,
    scale_down,
    sensitivity,
    step_matrix,
    step_numbers,
    transmission,
    unit_matrix_at,
    velocities,
)


@by_length
def step_back_with_slope(step: np.ndarray, E: np.ndarray, M: np.ndarray, N: np.ndarray, halvings: int, terms: int):
    """As `tunnelling.step_back`, with derivatives by E: M and N are (8, n), the matrix and its derivative."""
    hm, hk, k, curve, U = step_numbers(step)
    for j in range(E.size):
        (a11, a12, a21, a22), (b11, b12, b21, b22) = step_matrix(hm, hk, k, curve, hk * (U - E[j]), halvings, terms)
        m11, m12, m21, m22 = M[0, j], M[1, j], M[2, j], M[3, j]
        N[0, j], N[1, j] = a11 * m11 + a12 * m21, a11 * m12 + a12 * m22
        N[2, j], N[3, j] = a21 * m11 + a22 * m21, a21 * m12 + a22 * m22
        N[4, j] = a11 * M[4, j] + a12 * M[6, j] + b11 * m11 + b12 * m21
        N[5, j] = a11 * M[5, j] + a12 * M[7, j] + b11 * m12 + b12 * m22
        N[6, j] = a21 * M[4, j] + a22 * M[6, j] + b21 * m11 + b22 * m21
        N[7, j] = a21 * M[5, j] + a22 * M[7, j] + b21 * m12 + b22 * m22


@apart
def matrices_with_slopes(steps: np.ndarray, E: np.ndarray):
    """Matrix of the chain and its derivative by E (8, n), and ln of the factor taken out of both, at energies E (n,)."""
    M, scale = unit_matrix_at(steps.shape[0] % 2, 2, 8, E.size), np.zeros(E.size)
    for j in range(steps.shape[0] - 1, -1, -1):
        b = M[j % 2]
        step_back_with_slope(steps[j], E, M[(j + 1) % 2], b)
        if j % SCALED_EVERY == 0:
            scale_down(b, scale)
    return M[0], scale


@apart
def transmission_with_slope(profile: Profile, E: np.ndarray, low: float, high: float):
    """T(E) and d ln T/dE [1/eV] by the transfer matrix at energies E (n,) between low and high [eV].

    T is 0, and its slope is given as 0, where a lead has no wave.
    """
    M, scale = matrices_with_slopes(refine(profile, low, high)[0], padded(E, high))
    left, right = velocities(profile, E)
    T, slope = np.zeros(E.size), np.zeros(E.size)
    for i in range(E.size):
        l, r = left[i], right[i]
        if not l * r > 0.0:
            continue
        dl, dr = K0 / (2.0 * profile.mass_left * l), K0 / (2.0 * profile.mass_right * r)
        a, b = l * M[0, i] + r * M[3, i], l * r * M[1, i] - M[2, i]
        da = dl * M[0, i] + l * M[4, i] + dr * M[3, i] + r * M[7, i]
        db = (dl * r + l * dr) * M[1, i] + l * r * M[5, i] - M[6, i]
        T[i] = 4.0 * l * r / (a * a + b * b) * math.exp(-2.0 * scale[i])
        slope[i] = dl / l + dr / r - 2.0 * (a * da + b * db) / (a * a + b * b)
    return T, slope


@kernel
def balance(weight: np.ndarray, slope: np.ndarray, by_supply: np.ndarray, gain: float):
    """Change weights w (n,) of a panel as little as makes sum w (d ln T/dE + d ln s/dE) the gain of T s across it."""
    missed, size = -gain, 0.0
    for i in range(weight.size):
        missed += weight[i] * (slope[i] + by_supply[i])
        size += weight[i] * slope[i] * slope[i]
    for i in range(weight.size):
        weight[i] *= 1.0 - (slope[i] * missed / size if size > 0.0 else 0.0)


@deferred
def balanced(
    profile: Profile, spectrum: Spectrum, edges: np.ndarray, V: float, kT: float, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Energies and weights of a spectrum by the transfer matrix, on panels with these edges [eV], good for its slopes.

    least : weight, below which an energy is left out
    """
    chosen, count = np.empty(spectrum.energy.size, np.int64), 0
    for i in range(spectrum.energy.size):
        chosen[count] = i
        count += spectrum.weight[i] > least
    energy, weight = spectrum.energy[chosen[:count]], spectrum.weight[chosen[:count]]
    both = np.concatenate((energy, edges))
    T, slope = transmission_with_slope(profile, both, spectrum.low, spectrum.high)
    by_supply = np.empty(count)
    for i in range(count):
        by_supply[i] = log_supply_slope_by_energy(energy[i], V, kT)
    start = 0
    for p in range(edges.size - 1):
        end = start
        while end < count and chosen[end] < (p + 1) * POINTS:
            end += 1
        gain = T[count + p + 1] * supply(edges[p + 1], V, kT) - T[count + p] * supply(edges[p], V, kT)
        balance(weight[start:end], slope[start:end], by_supply[start:end], gain)
        start = end
    return energy, weight


NEGLIGIBLE = 1e-7  # share of the current of one energy that its derivatives may leave out
MOST_KEPT = 16  # edges of panels that are used again; more were made for a resonance that may have moved
MORE_KEPT = 2  # edges that panels may gain by halving, beyond those that fresh ones ended with
# The same at narrow levels, whose slopes have both signs and are up to 1e9 times as steep as their sum: with 1e-7 a sum was
# 217/V in place of -41/V.
NEGLIGIBLE_AT_LEVELS = 1e-11
ENERGIES = 400  # of a spectrum for pictures


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


@apart
def current_by_energy(junction: Junction, state: State, k: int):
    """Energies (n,) [eV] and current per energy of column k, in units of its `supply` at the surroundings' temperature.

    For pictures: the energies are evenly spaced, from the bottom of the higher lead to 0.5 eV above the top of the barrier.
    """
    profile, V, kT, n = tunnelling_profile(junction, state, k), state.V[0], state.kT[k], ENERGIES
    low, energy, density = max(profile.bottom_left, profile.bottom_right), np.empty(n), np.empty(n)
    high = max(barrier_top(profile), 0.0, -V) + 0.5
    for i in range(n):
        energy[i] = low + (i + 1) * ((high - low) / n) if i < n - 1 else high
    T, _ = transmission(junction.transmission, profile, energy, energy[0], high)
    warm = kT / (BOLTZMANN_EV * junction.heat.surroundings)  # the supply is proportional to the temperature
    for i in range(n):
        density[i] = T[i] * supply(energy[i], V, kT) * V * warm
    return energy, density


COHERENT = "coherent"  # the first channel of every junction
TRAPS = "traps"  # of `mechanisms.traps`
CODES = {COHERENT: 0, **LEAK_CODES, TRAPS: len(LEAK_CODES) + 1}  # name in a case -> Channels.code
TRAP_CODE = CODES[TRAPS]


@deferred
def beside_coherent(junction: Junction, state: State, k: int, channel: int, slopes: int) -> Conductance:
    """Chord conductance of column k by a channel that is not the coherent one: a leak, or traps."""
    if junction.channels.code[channel] == TRAP_CODE:
        return trap_conductance(junction, state, k, channel, slopes)
    return leak_conductance(junction, state, k, channel, slopes)


@apart
def conductance_of_channel(
    junction: Junction, state: State, k: int, channel: int, panels: np.ndarray, needed: np.ndarray, slopes: int
) -> Conductance:
    """Chord conductance of column k by one of its channels, at the present fields.

    panels, needed : memory of the coherent channel, and slopes : those asked for, see `coherent_conductance`
    The slope by S_N is that by what passed the right electrode, with the charge of the terminals of `exchange` held.
    """
    if channel == 0:
        conductance = coherent_conductance(junction, state, k, panels, needed, slopes)
    else:
        conductance = beside_coherent(junction, state, k, channel, slopes)
    if slopes != NO_SLOPES:  # what passes the right electrode moves D(L), the charge of the terminals held
        by_S, last = conductance.by_S, conductance.by_S.size - 1
        by_S[last] = -(by_S[:last].sum() + junction.ions[k].z * ELEMENTARY_CHARGE * conductance.by_D)
    return conductance


@apart
def conductance_of_column(
    junction: Junction, state: State, k: int, panels: np.ndarray, needed: np.ndarray, slopes: int
) -> Conductance:
    """Chord conductance of column k by all channels, as `conductance_of_channel`."""
    total = conductance_of_channel(junction, state, k, 0, panels, needed, slopes)
    for channel in range(1, junction.channels.code.size):
        if total.converged:
            total = sum_of(total, conductance_of_channel(junction, state, k, channel, panels, needed, slopes))
    return total


@apart
def transport(junction: Junction, state: State, present: np.ndarray, by_channel: np.ndarray):
    """Conductance I/V [S] of the settled junction, its relative error by levels too narrow to resolve, tunnelling share
    [1], mean transport energy [eV], convergence.

    Only the coherent channel knows the energies of its electrons: share and mean energy are those of its current. What
    passes below the top of a column's own barrier is tunnelling, the rest thermionic. The energy is counted from the Fermi
    level of the electrode that emits: right for V > 0, left for V < 0. Fills state.G, present (K C,) with the
    conductances [S] of the channels of each column, and by_channel (C,) with the conductances of the channels, whose sum is
    that of the junction. Traps whose filling takes time, as it was settled, count with their current over V_j, which is in
    by_channel alone.
    """
    V, none = state.V[0], np.empty(0)
    coherent, unseen, below, moment = 0.0, 0.0, 0.0, 0.0
    for channel in range(by_channel.size):
        by_channel[channel] = 0.0
    for k in range(state.c.shape[0]):
        result, profile, _ = column_spectrum(junction, state, k, none, True)
        if not converged(junction, result):
            return math.nan, math.nan, math.nan, math.nan, False
        present[k * by_channel.size] = conductance(junction, state, k, result)
        state.G[k] = present[k * by_channel.size]
        top = barrier_top(profile)
        weight = junction.columns.weight[k] * state.supply[k]
        unseen += weight * result.unseen
        for i in range(result.energy.size):
            share = weight * result.weight[i]
            coherent += share
            moment += share * (result.energy[i] - max(0.0, -V))
            if result.energy[i] < top:
                below += share
        for channel in range(1, by_channel.size):
            beside = beside_coherent(junction, state, k, channel, NO_SLOPES)
            if not beside.converged:
                return math.nan, math.nan, math.nan, math.nan, False
            by_channel[channel] += beside.chord
            present[k * by_channel.size + channel] = beside.chord
            state.G[k] += beside.chord
            if channel < state.traps.current.shape[1] and V != 0.0:  # a current that is no conductance
                by_channel[channel] += state.traps.current[k, channel] / V
    by_channel[0] = coherent
    total = coherent
    for channel in range(1, by_channel.size):
        total += by_channel[channel]
    if total == 0.0:
        return 0.0, 0.0, math.nan, math.nan, True
    if coherent == 0.0:
        return total, 0.0, math.nan, math.nan, True
    return total, unseen / total, below / coherent, moment / coherent, True
