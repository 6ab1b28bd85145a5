"""The channel of traps: electrons that reach the other electrode by way of traps in the film, which are filled steadily.

Places, paths, rates and filling are those of `physics.traps`, the charge that they add to the film that of
`physics.closing`. Traps whose filling takes time conduct as steady ones do; what else they exchange while they are
away from rest is in `kinetic_traps`.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.laws.transmission import Profile
from otjdd.physics.bands import band_profile, film_pieces, profile_slopes
from otjdd.physics.junction import Junction
from otjdd.physics.state import NO_SLOPES, Conductance, State
from otjdd.physics.traps.capture import NOTHING, Capture, add_capture_slopes, captures
from otjdd.physics.traps.charge import shares_in_cells
from otjdd.physics.traps.sites import (
    DEGENERACY,
    DENSITY,
    HOPS,
    LAYER,
    PER_ION,
    RELAXATION,
    Lines,
    Sites,
    add_to_band,
    groups_of_traps,
)
from otjdd.physics.traps.steady import Steady, chain, one_step, without_current


class PlacedTraps(NamedTuple):
    """Traps of a column on its band."""

    sites: Sites
    lines: Lines
    band: Profile
    amount: np.ndarray  # (n,) 1/m2, traps per area


class FilledTraps(NamedTuple):
    """Traps of a column at rest."""

    sites: Sites
    lines: Lines
    band: Profile
    capture: Capture
    steady: Steady
    amount: np.ndarray  # (n,) 1/m2


@apart
def placed_traps(junction: Junction, state: State, k: int, channel: int) -> PlacedTraps:
    """Traps of column k on its present band. channel : their place in the list of the junction"""
    band = band_profile(junction, state, k)
    channels, (film, behind) = junction.channels, film_pieces(junction, state, k)
    numbers, first = channels.numbers[channel], film
    if numbers[LAYER] >= 0.0:
        layer = int(numbers[LAYER])
        first, behind = film + junction.layers.pieces[layer], film + junction.layers.pieces[layer + 1]
    levels, points = channels.levels[channel], channels.points[channel]
    sites, lines = groups_of_traps(numbers, levels, points, band, (film, first, behind))
    amount = sites.length * max(numbers[DENSITY], 0.0)
    if numbers[PER_ION] > 0.0:
        share = shares_in_cells(sites, junction.columns.width[k])
        for j in range(amount.size):
            for i in range(share.shape[1]):
                amount[j] += sites.length[j] * share[j, i] * numbers[PER_ION] * max(state.c[k, i], 0.0)
    return PlacedTraps(sites, lines, band, amount)


@apart
def filled_traps(junction: Junction, state: State, k: int, channel: int) -> FilledTraps:
    """Traps of column k at rest at the present fields. channel : their place in the list of the junction"""
    V, kT, numbers = state.V[0], state.kT[k], junction.channels.numbers[channel]
    sites, lines, band, amount = placed_traps(junction, state, k, channel)
    some = amount > 0.0
    if numbers[HOPS] > 0.0 and np.any(some):  # else each group is without traps, and without current
        sites, amount = occupied(sites, some), amount[some]
    capture = captures(numbers, sites, lines, band, V, kT)
    if amount.size == 0:
        steady = without_current(np.zeros(0), True)
    elif numbers[HOPS] > 0.0:
        steady = chain(numbers, sites, band.mass, capture, amount, V, kT)
    else:
        steady = one_step(capture, amount, numbers[DEGENERACY], V, kT)
    return FilledTraps(sites, lines, band, capture, steady, amount)


@apart
def occupied(sites: Sites, some: np.ndarray) -> Sites:
    """Those sites that are true in `some` (n,)."""
    return Sites(
        sites.piece[some], sites.place[some], sites.line[some], sites.x[some], sites.start[some], sites.end[some],
        sites.length[some], sites.depth[some],
    )  # fmt: skip


@apart
def add_slopes_by_ions(
    junction: Junction, state: State, k: int, per_ion: float, traps: FilledTraps, by_S: np.ndarray
) -> None:
    """Add to the slopes by_S (N+1,) of ln G of column k those by the amounts of its traps, which vacancies carry."""
    width = junction.columns.width[k]
    share = shares_in_cells(traps.sites, width)
    for j in range(traps.amount.size):
        if traps.amount[j] > 0.0:
            by_ion = traps.steady.by_amount[j] * per_ion * traps.sites.length[j] / traps.amount[j]
            for i in range(width.size):
                if state.c[k, i] > 0.0:
                    by_c = by_ion * share[j, i] / width[i]
                    by_S[i] += by_c
                    by_S[i + 1] -= by_c


@apart
def trap_conductance(junction: Junction, state: State, k: int, channel: int, slopes: int) -> Conductance:
    """Chord conductance of column k by one kind of its traps. channel : its place in the list of the junction"""
    by_V, by_D, by_P, by_S = 0.0, 0.0, 0.0, np.zeros(state.c.shape[1] + 1)
    traps = filled_traps(junction, state, k, channel)
    steady, numbers = traps.steady, junction.channels.numbers[channel]
    if steady.log_chord < 0.5 * NOTHING:
        return Conductance(steady.converged, 0.0, by_V, by_D, by_P, by_S)
    chord = junction.channels.area[k] * math.exp(steady.log_chord)
    if slopes != NO_SLOPES and steady.converged:
        by_piece, by_lead = np.zeros((4, traps.band.length.size)), np.zeros(2)
        by_V = steady.by_V + add_capture_slopes(
            traps.sites, traps.lines, traps.band, numbers[RELAXATION] == 0.0, traps.capture, steady.by_rate,
            by_piece, by_lead,
        )  # fmt: skip
        add_to_band(traps.sites, steady.by_level, by_piece)
        bent = film_pieces(junction, state, k)[0]
        by_V -= by_lead[0] + np.sum(by_piece[:2, :bent])  # the left lead and its bent region move with V
        _, by_D, by_P = profile_slopes(junction, state, k, traps.band, by_piece, by_lead, by_S)
        for f in range(by_S.size):
            by_S[f] *= -junction.ions[k].z * ELEMENTARY_CHARGE
        if numbers[PER_ION] > 0.0:
            add_slopes_by_ions(junction, state, k, numbers[PER_ION], traps, by_S)
    return Conductance(steady.converged, chord, by_V, by_D, by_P, by_S)
