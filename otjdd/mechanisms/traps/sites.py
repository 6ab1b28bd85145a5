"""Where traps are, and the action of an electron that tunnels between them and the electrodes.

A trap is a point of the film with a depth and an amount; between the points the band is made of straight lines.

Each piece of the band has as many points of Gauss's rule as its traps ask for, and each point the levels of a spread of
depths; the numbers of both are those of `Channels` (`solver.traps`).

The action of an electron between a trap and an electrode is int kappa dx, kappa = sqrt(m k0 (U - E)). A path is a chain
of straight lines, each with the mean and the tilt of its part of the band.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, loose
from otjdd.laws import K0, Profile
from otjdd.physics.tunnelling import part_of_curve

# columns of the numbers of traps in `Channels.numbers`: per volume [1/m3], per vacancy, between two places [m], in a layer
# by its number (-1 in all), depth and its spread [eV], relaxation energy [eV], attempts and hops [Hz], degeneracy, dynamic
# permittivity of the thermal path (0 without it), charge (ACCEPTOR, DONOR or 0), 1 where the filling takes time
NUMBERS = 14
(
    DENSITY, PER_ION, START, END, LAYER, DEPTH, SPREAD, RELAXATION, ATTEMPTS, HOPS, DEGENERACY, FRENKEL,
    CHARGE, KINETIC,
) = range(NUMBERS)  # fmt: skip
ACCEPTOR, DONOR = -1.0, 1.0  # a full one has the charge -e; an empty one e
RATES = 4  # rows of the rates [1/s] of a trap: captures from both electrodes, emissions to both
FROM_LEFT, FROM_RIGHT, TO_LEFT, TO_RIGHT = range(RATES)
MOST_POINTS = 8
# Gauss's rules with n points on an interval from 0 to 1: places and weights, in row n.
PLACES, WEIGHTS = np.zeros((MOST_POINTS + 1, MOST_POINTS)), np.zeros((MOST_POINTS + 1, MOST_POINTS))


for n in range(1, MOST_POINTS + 1):
    places, weights = np.polynomial.legendre.leggauss(n)
    PLACES[n, :n], WEIGHTS[n, :n] = 0.5 + 0.5 * places, 0.5 * weights


# A normal spread of depths ends FARTHEST standard deviations from its mean; its levels are evenly spaced. A current may
# grow as e^(depth/kT), so that the outermost levels have the largest part in it: those at each end have the weights of
# Gregory's rule. With steps of kT and of half a standard deviation a current errs by 1e-3, and by 2.4e-3
# where a deviation is 22 kT; without them by 0.4.
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
    thickness: float  # m, of the film


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
    most_groups, most_lines = inside * levels, inside + 2 * S
    piece, place, line = np.empty(most_groups, np.int64), np.empty(most_groups), np.empty(most_groups, np.int64)
    x, length, depth = np.empty(most_groups), np.empty(most_groups), np.empty(most_groups)
    begin, finish = np.empty(most_groups), np.empty(most_groups)
    owner, start, end = np.empty(most_lines, np.int64), np.empty(most_lines), np.empty(most_lines)
    n, F, left = 0, 0, 0.0
    for s in range(S):
        low, high, count = 1.0, 0.0, 0
        if first <= s < behind:
            low = min(max((numbers[START] - left) / band.length[s], 0.0), 1.0)
            high = min(max((numbers[END] - left) / band.length[s], 0.0), 1.0)
            count = points[s - film] if high > low else 0
        at, begins = 0.0, low
        for i in range(max(count, 1) + 1):
            cut = 1.0 if i == max(count, 1) else 0.5 if count == 0 else low + (high - low) * PLACES[count, i]
            owner[F], start[F], end[F] = s, at, cut
            F, at = F + 1, cut
            if i >= count:
                continue
            part = (high - low) * WEIGHTS[count, i]
            for level in range(levels):
                piece[n], place[n], line[n], x[n] = s, cut, F, left + cut * band.length[s]
                begin[n], finish[n] = left + begins * band.length[s], left + (begins + part) * band.length[s]
                length[n], depth[n] = part * band.length[s] * share[level], numbers[DEPTH] + shift[level]
                n += 1
            begins += part
        if s >= film:
            left += band.length[s]
    thickness = band.length[film : film + points.size].sum()
    sites = Sites(piece[:n], place[:n], line[:n], x[:n], begin[:n], finish[:n], length[:n], depth[:n], thickness)
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


SMALLEST = 1e-30  # eV^1/2, of a root that is divided by


class Path(NamedTuple):
    """F lines of the band."""

    length: np.ndarray  # (F,) m
    left: np.ndarray  # (F,) eV, band at its left end
    right: np.ndarray  # (F,) eV
    root: np.ndarray  # (F,) 1/(m eV^1/2), kappa over the root of U - E


@apart
def path_of(lines: Lines, band: Profile) -> Path:
    """The lines of a band as numbers."""
    F = lines.piece.size
    length, left, right, root = np.empty(F), np.empty(F), np.empty(F), np.empty(F)
    for f in range(F):
        s, start, end = lines.piece[f], lines.start[f], lines.end[f]
        at_left, at_right, _ = part_of_curve(start, end)
        rise = band.right[s] - band.left[s]
        length[f], root[f] = (end - start) * band.length[s], math.sqrt(band.mass[s] * K0)
        left[f] = band.left[s] + rise * start + band.curve[s] * at_left
        right[f] = band.left[s] + rise * end + band.curve[s] * at_right
    return Path(length, left, right, root)


@loose
def add_action(length: float, root: float, U0: float, U1: float, E: np.ndarray, before: np.ndarray, out: np.ndarray):
    """Fill actions (n,) before a line and along it, with the band U0 to U1 [eV] on it, at energies E (n,) [eV]."""
    tilt = abs(U0 - U1)
    per_tilt, scale = length / tilt if tilt > 0.0 else 0.0, 2.0 / 3.0 * root
    for i in range(E.size):
        a, b = max(U0 - E[i], 0.0), max(U1 - E[i], 0.0)
        root_a, root_b = math.sqrt(a), math.sqrt(b)
        both = max(root_a + root_b, SMALLEST)
        covered = length if a * b > 0.0 else abs(a - b) * per_tilt
        out[i] = before[i] + scale * covered * (both - root_a * root_b / both)


@loose
def action_slopes(
    length: float, root: float, U0: float, U1: float, E: np.ndarray, weight: np.ndarray, by_energy: np.ndarray
):
    """Derivatives by U0, U1 and the length of the action of a line at energies E (n,), added up with weights (n,).

    Adds the sum of those by U0 and U1 at each energy to by_energy (n,).
    """
    tilt, by_0, by_1, by_length = abs(U0 - U1), 0.0, 0.0, 0.0
    per_tilt = 1.0 / tilt if tilt > 0.0 else 0.0
    for i in range(E.size):
        a, b = max(U0 - E[i], 0.0), max(U1 - E[i], 0.0)
        root_a, root_b = math.sqrt(a), math.sqrt(b)
        both, whole = max(root_a + root_b, SMALLEST), a * b > 0.0
        mean = 2.0 / 3.0 * (both - root_a * root_b / both)  # of sqrt(U - E) over the part below the band
        covered = 1.0 if whole else abs(a - b) * per_tilt
        part = (1.0 / 3.0) / (both * both)
        inside, outside = (both - mean * covered) * per_tilt, mean * covered * per_tilt
        of_0 = (root_a + 2.0 * root_b) * part if whole else (inside if a > 0.0 else outside)
        of_1 = (root_b + 2.0 * root_a) * part if whole else (outside if a > 0.0 else inside)
        of_0, of_1 = weight[i] * of_0, weight[i] * of_1
        by_0, by_1, by_length = by_0 + of_0, by_1 + of_1, by_length + weight[i] * mean * covered
        by_energy[i] += length * root * (of_0 + of_1)
    return length * root * by_0, length * root * by_1, root * by_length


@apart
def actions(path: Path, E: np.ndarray) -> np.ndarray:
    """Actions (F+1, n) from the left lead to the beginning of each line, and to the right lead, at energies E (n,) [eV]."""
    total = np.zeros((path.length.size + 1, E.size))
    for f in range(path.length.size):
        add_action(path.length[f], path.root[f], path.left[f], path.right[f], E, total[f], total[f + 1])
    return total


@apart
def add_path_slopes(lines: Lines, path: Path, E: np.ndarray, by_action: np.ndarray, by_piece: np.ndarray) -> np.ndarray:
    """Add slopes by the actions of single lines (F, n) at energies E (n,) to those by the pieces of the band (4, S).

    Returns the slopes (n,) [1/eV] by the energies, the sign turned.
    """
    by_energy = np.zeros(E.size)
    for f in range(path.length.size):
        by_0, by_1, by_length = action_slopes(
            path.length[f], path.root[f], path.left[f], path.right[f], E, by_action[f], by_energy
        )
        add_line_slopes(lines, f, by_0, by_1, by_piece)
        by_piece[2, lines.piece[f]] += by_length * (lines.end[f] - lines.start[f])
    return by_energy


@bare
def add_line_slopes(lines: Lines, f: int, by_left: float, by_right: float, by_piece: np.ndarray):
    """Add slopes by the band at both ends of line f to those by the pieces of the band (4, S)."""
    s, start, end = lines.piece[f], lines.start[f], lines.end[f]
    at_left, at_right, _ = part_of_curve(start, end)
    by_piece[0, s] += by_left * (1.0 - start) + by_right * (1.0 - end)
    by_piece[1, s] += by_left * start + by_right * end
    by_piece[3, s] += by_left * at_left + by_right * at_right


@apart
def shares_in_cells(sites: Sites, width: np.ndarray) -> np.ndarray:
    """Shares (n, N) of the groups that lie in each cell. width : (N,) m"""
    share = np.zeros((sites.x.size, width.size))
    for j in range(sites.x.size):
        at, whole = 0.0, 0.0
        for i in range(width.size):
            share[j, i] = max(min(sites.end[j], at + width[i]) - max(sites.start[j], at), 0.0)
            whole += share[j, i]
            at += width[i]
        for i in range(width.size):
            share[j, i] /= whole
    return share
