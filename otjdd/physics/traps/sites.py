"""Where traps are: points of the film with a depth and an amount, and the straight lines of the band between them.

Each piece of the band has as many points of Gauss's rule as its traps ask for, and each point the levels of a spread of
depths; the numbers of both are those of `Channels` (`solver.trap_groups`).
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
MOST_POINTS = 8
# Gauss's rules with n points on an interval from 0 to 1: places and weights, in row n.
PLACES, WEIGHTS = np.zeros((MOST_POINTS + 1, MOST_POINTS)), np.zeros((MOST_POINTS + 1, MOST_POINTS))
for n in range(1, MOST_POINTS + 1):
    places, weights = np.polynomial.legendre.leggauss(n)
    PLACES[n, :n], WEIGHTS[n, :n] = 0.5 + 0.5 * places, 0.5 * weights
# A normal spread of depths ends FARTHEST standard deviations from its mean; its levels are evenly spaced. A current may
# grow as e^(depth/kT), so that the outermost levels have the largest part in it: those at each end have the weights of
# Gregory's rule. With steps of kT and of half a standard deviation a current errs by 1e-3 at most, without them by 0.4.
FARTHEST = 4.5
GREGORY = np.array([251.0, 897.0, 633.0, 739.0]) / 720.0


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
def level_shares(spread: float, levels: int):
    """Depths (levels,) [eV] from their mean, and their shares, of a normal spread [eV]."""
    if levels == 1:
        return np.zeros(1), np.ones(1)
    shift, share = np.linspace(-FARTHEST, FARTHEST, levels), np.ones(levels)
    for i in range(min(GREGORY.size, levels)):
        share[i] += GREGORY[i] - 1.0
        share[levels - 1 - i] += GREGORY[i] - 1.0
    for i in range(levels):
        share[i] *= math.exp(-0.5 * shift[i] * shift[i])
    return spread * shift, share / share.sum()


@apart
def groups_of_traps(
    numbers: np.ndarray, levels: int, points: np.ndarray, band: Profile, pieces: tuple[int, int, int]
) -> tuple[Sites, Lines]:
    """Sites and lines of a band. numbers : of the traps   levels : number of their depths at a point

    points : (P,) number of points on each piece in the film
    pieces : numbers of the first piece in the film, of the first that may have traps, and of that behind the last
    """
    (film, first, behind), (shift, share) = pieces, level_shares(numbers[SPREAD], levels)
    S, inside = band.length.size, points[first - film : behind - film].sum()
    most, at_most = inside * levels, inside + 2 * S
    piece, place, line = np.empty(most, np.int64), np.empty(most), np.empty(most, np.int64)
    x, length, depth = np.empty(most), np.empty(most), np.empty(most)
    begin, finish = np.empty(most), np.empty(most)
    owner, start, end = np.empty(at_most, np.int64), np.empty(at_most), np.empty(at_most)
    n, F, left = 0, 0, 0.0
    for s in range(S):
        low, high, count = 1.0, 0.0, 0
        if first <= s < behind:
            low = min(max((numbers[START] - left) / band.length[s], 0.0), 1.0)
            high = min(max((numbers[END] - left) / band.length[s], 0.0), 1.0)
            count = points[s - film] if high > low else 0
        at, passed = 0.0, low
        for i in range(max(count, 1) + 1):
            cut = 1.0 if i == max(count, 1) else 0.5 if count == 0 else low + (high - low) * PLACES[count, i]
            owner[F], start[F], end[F] = s, at, cut
            F, at = F + 1, cut
            if i >= count:
                continue
            part = (high - low) * WEIGHTS[count, i]
            for level in range(levels):
                piece[n], place[n], line[n], x[n] = s, cut, F, left + cut * band.length[s]
                begin[n], finish[n] = left + passed * band.length[s], left + (passed + part) * band.length[s]
                length[n], depth[n] = part * band.length[s] * share[level], numbers[DEPTH] + shift[level]
                n += 1
            passed += part
        if s >= film:
            left += band.length[s]
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
