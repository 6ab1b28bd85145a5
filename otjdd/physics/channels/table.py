"""All channels of conduction, and the conductance of a column as their sum. A new leak is a formula and a row of LEAKS.

A leak is a function of its numbers, the band of the film, V_j and kT that returns ln(J/V_j) [S/m2]. A second function
returns the slope of that by V_j at a constant band, and fills the slopes by the pieces of the film. Where a row has None in
its place, the slopes are central differences of the formula. All rows are one kernel with a branch for each code.

At a settled state `transport` tells the conductance of each channel, tunnelling share and mean energy of the current.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, chosen, deferred
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.bands import band_profile, film_pieces, profile_slopes
from otjdd.physics.channels import leaks
from otjdd.physics.channels.coherent import coherent_conductance, column_spectrum, conductance, converged
from otjdd.physics.channels.leaks import FilmBand
from otjdd.physics.channels.traps import trap_conductance
from otjdd.physics.current import barrier_top
from otjdd.physics.junction import Junction
from otjdd.physics.state import NO_SLOPES, Conductance, State, sum_of

STEP = 1e-3  # of kT, by which differences move a band or a voltage: a slope of 1/kT is then exact to some 1e-7


class Leak(NamedTuple):
    """A leak: its formula, the slopes of that if they are known, and its source."""

    formula: Any
    slopes: Any  # or None
    source: str


LEAKS = {
    "ohmic": Leak(leaks.ohmic, leaks.ohmic_slopes, "Ohm's law"),
    "poole-frenkel": Leak(
        leaks.poole_frenkel, leaks.poole_frenkel_slopes, "Frenkel, Phys. Rev. 54, 647 (1938): traps that a field empties"
    ),
    "schottky": Leak(
        leaks.schottky, leaks.schottky_slopes,
        "Sze & Ng, Physics of Semiconductor Devices: emission over barriers that an image force lowers",
    ),
}  # fmt: skip
COHERENT = "coherent"  # the first channel of every junction
TRAPS = "traps"  # of `channels.traps`, which has slopes of its own
CODES = {name: code for code, name in enumerate((COHERENT, *LEAKS, TRAPS))}  # name in a case -> Channels.code
TRAP_CODE = CODES[TRAPS]


def by_differences(formula: Any, name: str) -> Any:
    """Slopes of a formula, as `Leak.slopes`, from central differences. name : of the formula"""

    def difference(numbers, film, V, kT, values, s):
        value, step = values[s], STEP * kT
        values[s] = value + step
        above = formula(numbers, film, V, kT)
        values[s] = value - step
        below = formula(numbers, film, V, kT)
        values[s] = value
        return (above - below) / (2.0 * step)

    def slopes(numbers, film, V, kT, by_film):
        for s in range(film.length.size):
            by_film[0, s] = of_value(numbers, film, V, kT, film.left, s)
            by_film[1, s] = of_value(numbers, film, V, kT, film.right, s)
            by_film[3, s] = of_value(numbers, film, V, kT, film.curve, s)
        step = STEP * kT
        return (formula(numbers, film, V + step, kT) - formula(numbers, film, V - step, kT)) / (2.0 * step)

    difference.__qualname__ = f"difference_of_{name}"  # names in the cache of kernels
    slopes.__qualname__ = f"slopes_of_{name}"
    of_value = bare(difference)
    return bare(slopes)


FORMULAS = {CODES[name]: bare(leak.formula) for name, leak in LEAKS.items()}
SLOPES = {
    CODES[name]: by_differences(FORMULAS[CODES[name]], name) if leak.slopes is None else bare(leak.slopes)
    for name, leak in LEAKS.items()
}


@chosen(FORMULAS, "code", bare)
def formula_of_leak(code: int, numbers: np.ndarray, film: FilmBand, V: float, kT: float) -> float:
    """ln(J/V_j) of a leak."""
    return math.nan


@chosen(SLOPES, "code", bare)
def slopes_of_leak(code: int, numbers: np.ndarray, film: FilmBand, V: float, kT: float, by_film: np.ndarray) -> float:
    """Slope by V_j of ln(J/V_j) of a leak, and those by its film into by_film."""
    return math.nan


@apart
def leak_conductance(junction: Junction, state: State, k: int, channel: int, slopes: int) -> Conductance:
    """Chord conductance of column k by one of its leaks. channel : its place in the list of the junction"""
    V, kT, band = state.V[0], state.kT[k], band_profile(junction, state, k)
    first, behind = film_pieces(junction, state, k)
    film = FilmBand(
        band.length[first:behind], band.left[first:behind], band.right[first:behind], band.curve[first:behind]
    )
    code, numbers = junction.channels.code[channel], junction.channels.numbers[channel]
    log_chord = formula_of_leak(code, numbers, film, V, kT)
    chord = junction.channels.area[k] * math.exp(log_chord)
    by_V, by_D, by_P, by_S = 0.0, 0.0, 0.0, np.zeros(state.c.shape[1] + 1)
    if slopes != NO_SLOPES:
        by_piece = np.zeros((4, band.length.size))
        by_V = slopes_of_leak(code, numbers, film, V, kT, by_piece[:, first:behind])
        _, by_D, by_P = profile_slopes(junction, state, k, band, by_piece, np.zeros(2), by_S)
        for f in range(by_S.size):
            by_S[f] *= -junction.ions[k].z * ELEMENTARY_CHARGE
    return Conductance(math.isfinite(log_chord), chord, by_V, by_D, by_P, by_S)


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
        found = coherent_conductance(junction, state, k, panels, needed, slopes)
    else:
        found = beside_coherent(junction, state, k, channel, slopes)
    if slopes != NO_SLOPES:  # what passes the right electrode moves D(L), the charge of the terminals held
        last = found.by_S.size - 1
        found.by_S[last] = -(found.by_S[:last].sum() + junction.ions[k].z * ELEMENTARY_CHARGE * found.by_D)
    return found


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
