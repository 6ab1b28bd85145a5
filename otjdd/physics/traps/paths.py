"""Action of an electron that tunnels between a trap and an electrode: int kappa dx, kappa = sqrt(m k0 (U - E)).

A path is a chain of straight lines, each with the mean and the tilt of its part of the band.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, loose
from otjdd.laws.transmission import K0, Profile
from otjdd.physics.traps.sites import Lines
from otjdd.physics.tunnelling import part_of_curve

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
