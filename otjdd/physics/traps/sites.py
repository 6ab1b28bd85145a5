"""Where traps are: points of the film with a depth and an amount, and the straight lines of the band between them.

Each piece of the band has two points, those of Gauss's rule, so that an integral over traps is exact for cubics on a piece.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart
from otjdd.laws.transmission import Profile

# columns of the numbers of traps in `Channels.numbers`: per volume [1/m3], per vacancy, between two places [m], in a layer
# by its number (-1 in all), depth and its spread [eV], relaxation energy [eV], attempts and hops [Hz], degeneracy, dynamic
# permittivity of the thermal path (0 without it), charge (ACCEPTOR, DONOR or 0), 1 where the filling takes time
NUMBERS = 14
(
    DENSITY, PER_ION, START, END, LAYER, DEPTH, SPREAD, RELAXATION, ATTEMPTS, HOPS, DEGENERACY, FRENKEL,
    CHARGE, KINETIC,
) = range(NUMBERS)  # fmt: skip
ACCEPTOR, DONOR = -1.0, 1.0  # a full one has the charge -e; an empty one e
GAUSS = 0.5 / math.sqrt(3.0)  # distance of a point of Gauss's rule from the middle of an interval of length 1
# Levels of a normal spread of depths, in standard deviations. Equal steps, not Gauss and Hermite's: a current may grow as
# e^(depth/kT), and its mean then lies some standard deviations aside.
LEVELS, FARTHEST = 13, 4.5


class Sites(NamedTuple):
    """n groups of traps, from left to right."""

    piece: np.ndarray  # (n,) number of the piece of the band
    place: np.ndarray  # (n,) place on it, as a fraction of its length
    line: np.ndarray  # (n,) number of lines to the left
    x: np.ndarray  # (n,) m, from the left end of the film
    start: np.ndarray  # (n,) m, ends of the part of the film that the group stands for
    end: np.ndarray  # (n,)
    length: np.ndarray  # (n,) m, of that part, times the share of the depth
    depth: np.ndarray  # (n,) eV, below the band


class Lines(NamedTuple):
    """F straight lines of the band from the left to the right lead."""

    piece: np.ndarray  # (F,) number of the piece that each is a part of
    start: np.ndarray  # (F,) its ends as fractions of the piece
    end: np.ndarray  # (F,)


@apart
def level_shares(spread: float):
    """Depths [eV] from their mean, and their shares, of a normal spread [eV]: one without a spread."""
    if spread == 0.0:
        return np.zeros(1), np.ones(1)
    shift, share = np.linspace(-FARTHEST, FARTHEST, LEVELS), np.empty(LEVELS)
    for i in range(LEVELS):
        share[i] = math.exp(-0.5 * shift[i] * shift[i])
    return spread * shift, share / share.sum()


def most_groups(spread: float, pieces: int) -> int:
    """Groups of traps on so many pieces of the band at most. spread : of their depths [eV]"""
    return 2 * pieces * (1 if spread == 0.0 else LEVELS)


@apart
def groups_of_traps(numbers: np.ndarray, band: Profile, film: int, first: int, behind: int):
    """Sites and lines of a band whose pieces from `first` to `behind` may have traps.

    numbers : of the traps   film : number of the first piece in the film
    """
    shift, share = level_shares(numbers[SPREAD])
    pieces, levels = band.length.size, shift.size
    most = 2 * (behind - first) * levels
    piece, place, line = np.empty(most, np.int64), np.empty(most), np.empty(most, np.int64)
    x, length, depth = np.empty(most), np.empty(most), np.empty(most)
    begin, finish = np.empty(most), np.empty(most)
    owner, start, end = np.empty(3 * pieces, np.int64), np.empty(3 * pieces), np.empty(3 * pieces)
    n, F, at = 0, 0, 0.0
    for s in range(pieces):
        low, high = 1.0, 0.0
        if first <= s < behind:
            low = min(max((numbers[START] - at) / band.length[s], 0.0), 1.0)
            high = min(max((numbers[END] - at) / band.length[s], 0.0), 1.0)
        cuts = (0.0, 0.5, 0.5, 1.0)
        if high > low:
            middle, aside = 0.5 * (low + high), GAUSS * (high - low)
            cuts = (0.0, middle - aside, middle + aside, 1.0)
        for cut in range(3):
            if cuts[cut + 1] == cuts[cut]:
                continue
            owner[F], start[F], end[F] = s, cuts[cut], cuts[cut + 1]
            F += 1
            if high > low and cut < 2:
                for level in range(levels):
                    piece[n], place[n], line[n] = s, cuts[cut + 1], F
                    x[n] = at + cuts[cut + 1] * band.length[s]
                    begin[n] = at + (low + 0.5 * (high - low) * cut) * band.length[s]
                    finish[n] = at + (low + 0.5 * (high - low) * (cut + 1)) * band.length[s]
                    length[n] = 0.5 * (high - low) * band.length[s] * share[level]
                    depth[n] = numbers[DEPTH] + shift[level]
                    n += 1
        if s >= film:
            at += band.length[s]
    sites = Sites(piece[:n], place[:n], line[:n], x[:n], begin[:n], finish[:n], length[:n], depth[:n])
    return sites, Lines(owner[:F], start[:F], end[:F])


@apart
def band_at_sites(sites: Sites, band: Profile) -> np.ndarray:
    """Band edge (n,) [eV] at the traps."""
    U = np.empty(sites.piece.size)
    for j in range(U.size):
        s, t = sites.piece[j], sites.place[j]
        U[j] = band.left[s] + (band.right[s] - band.left[s]) * t + band.curve[s] * bow_at(t)
    return U


@apart
def bow_at(t: float) -> float:
    """Second Legendre polynomial at a fraction t of a piece: the part of its curve in the band there."""
    s = 2.0 * t - 1.0
    return 1.5 * s * s - 0.5


@apart
def add_to_band(sites: Sites, by_level: np.ndarray, by_piece: np.ndarray):
    """Add slopes by the levels of the traps (n,) to those by the pieces of the band (4, S)."""
    for j in range(by_level.size):
        s, t = sites.piece[j], sites.place[j]
        by_piece[0, s] += by_level[j] * (1.0 - t)
        by_piece[1, s] += by_level[j] * t
        by_piece[3, s] += by_level[j] * bow_at(t)
