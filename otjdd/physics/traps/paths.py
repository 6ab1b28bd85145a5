"""Action of an electron that tunnels between a trap and an electrode: int kappa dx, kappa = sqrt(m k0 (U - E)).

A path is a chain of straight lines, each with the mean and the tilt of its part of the band.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare
from otjdd.laws.transmission import K0, Profile
from otjdd.physics.traps.sites import Lines
from otjdd.physics.tunnelling import part_of_curve


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


@bare
def action(length: float, root: float, U0: float, U1: float, E: float) -> float:
    """Action of one line with the band U0 to U1 [eV] at an energy E [eV]."""
    a, b = max(U0 - E, 0.0), max(U1 - E, 0.0)
    if a + b == 0.0:
        return 0.0
    root_a, root_b = math.sqrt(a), math.sqrt(b)
    covered = length if a * b > 0.0 else length * abs(a - b) / abs(U0 - U1)
    return 2.0 / 3.0 * covered * root * (a + root_a * root_b + b) / (root_a + root_b)


@bare
def action_slopes(length: float, root: float, U0: float, U1: float, E: float):
    """Derivatives of `action` by U0, U1 and the length of the line."""
    a, b = max(U0 - E, 0.0), max(U1 - E, 0.0)
    if a + b == 0.0:
        return 0.0, 0.0, 0.0
    ra, rb = math.sqrt(a), math.sqrt(b)
    mean = 2.0 / 3.0 * (a + ra * rb + b) / (ra + rb)  # of sqrt(U - E) over the part below the band
    if a * b > 0.0:
        whole = 3.0 * (ra + rb) ** 2
        return length * root * (ra + 2.0 * rb) / whole, length * root * (rb + 2.0 * ra) / whole, root * mean
    tilt = abs(U0 - U1)
    covered = abs(a - b) / tilt
    inside, outside = length * root * (ra + rb - mean * covered) / tilt, length * root * mean * covered / tilt
    by_length = root * mean * covered
    return (inside, outside, by_length) if a > 0.0 else (outside, inside, by_length)


@apart
def actions(path: Path, E: np.ndarray) -> np.ndarray:
    """Actions (F+1, n) from the left lead to the beginning of each line, and to the right lead, at energies E (n,) [eV]."""
    total = np.zeros((path.length.size + 1, E.size))
    for f in range(path.length.size):
        length, root, U0, U1 = path.length[f], path.root[f], path.left[f], path.right[f]
        for i in range(E.size):
            total[f + 1, i] = total[f, i] + action(length, root, U0, U1, E[i])
    return total


@apart
def add_path_slopes(
    lines: Lines, path: Path, E: np.ndarray, by_action: np.ndarray, band: Profile, by_piece: np.ndarray
):
    """Add slopes by the actions of single lines (F, n) at energies E (n,) to those by the pieces of the band (4, S)."""
    for f in range(path.length.size):
        length, root, U0, U1 = path.length[f], path.root[f], path.left[f], path.right[f]
        by_0, by_1, by_length = 0.0, 0.0, 0.0
        for i in range(E.size):
            w = by_action[f, i]
            if w != 0.0:
                of_0, of_1, of_length = action_slopes(length, root, U0, U1, E[i])
                by_0, by_1, by_length = by_0 + w * of_0, by_1 + w * of_1, by_length + w * of_length
        add_line_slopes(lines, f, by_0, by_1, by_piece)
        by_piece[2, lines.piece[f]] += by_length * (lines.end[f] - lines.start[f])


@bare
def add_line_slopes(lines: Lines, f: int, by_left: float, by_right: float, by_piece: np.ndarray):
    """Add slopes by the band at both ends of line f to those by the pieces of the band (4, S)."""
    s, start, end = lines.piece[f], lines.start[f], lines.end[f]
    at_left, at_right, _ = part_of_curve(start, end)
    by_piece[0, s] += by_left * (1.0 - start) + by_right * (1.0 - end)
    by_piece[1, s] += by_left * start + by_right * end
    by_piece[3, s] += by_left * at_left + by_right * at_right
