"""Image force in the transmission: an electron between a metal and the film sees a lower band than the electrostatic one.

An electron at a distance x from a metal is drawn to it by its image, with the potential energy -e/(16 pi eps0 eps_i x) [eV]
(Sze & Ng, Physics of Semiconductor Devices, section 3.2.4). It depends on the place alone, so its part in each piece of the
film is known beforehand (`solver.image_pieces`) and only added here. Fields, ions and electrons of the film are without
it: the image is that of the one electron that passes.
"""

import numpy as np

from otjdd.compiler.decorators import apart, bare
from otjdd.physics.bands import band_profile, bent_part
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import copy
from otjdd.physics.state import State
from otjdd.physics.tunnelling import Profile, part_of_curve

# columns of the table of pieces of a column: piece of the film's band that a piece is a part of, its ends as fractions of
# that, and the image potential [eV] at its ends, straight in between with the mean of the true one
PIECES = 5
OWNER, START, END, LOW, HIGH = range(PIECES)


@bare
def film_pieces(junction: Junction, state: State, k: int):
    """Numbers of the first piece of the film in the band profile of column k, and of the first piece behind the film."""
    first = bent_part(junction.left[k], edge(junction.left[k], state.D_left[k])[2])[0]
    return first, first + junction.nodes.size - 1


@apart
def tunnelling_profile(junction: Junction, state: State, k: int) -> Profile:
    """Band profile of column k that an electron tunnels through: `band_profile`, with the image force if there is one."""
    band, M = band_profile(junction, state, k), junction.image.shape[1]
    if M == 0:
        return band
    first, behind = film_pieces(junction, state, k)
    S, added = band.length.size + M - (behind - first), M - (behind - first)
    length, left, right, mass, curve = np.empty(S), np.empty(S), np.empty(S), np.empty(S), np.empty(S)
    for s in range(band.length.size):
        if s < first or s >= behind:
            t = s if s < first else s + added
            length[t], left[t], right[t] = band.length[s], band.left[s], band.right[s]
            mass[t], curve[t] = band.mass[s], band.curve[s]
    for m in range(M):
        piece = junction.image[k, m]
        s, t = first + int(piece[OWNER]), first + m
        rise, (at_left, at_right, own) = band.right[s] - band.left[s], part_of_curve(piece[START], piece[END])
        length[t], mass[t] = band.length[s] * (piece[END] - piece[START]), band.mass[s]
        left[t] = band.left[s] + rise * piece[START] + band.curve[s] * at_left + piece[LOW]
        right[t] = band.left[s] + rise * piece[END] + band.curve[s] * at_right + piece[HIGH]
        curve[t] = band.curve[s] * own
    return Profile(
        length,
        left,
        right,
        mass,
        curve,
        band.bottom_left,
        band.bottom_right,
        band.mass_left,
        band.mass_right,
        band.steep,
    )


@apart
def slopes_of_bands(junction: Junction, state: State, k: int, by_piece: np.ndarray) -> np.ndarray:
    """Derivatives (4, S) by left end, right end, length and curve of the pieces of `band_profile`, from those by the
    pieces of `tunnelling_profile`."""
    M = junction.image.shape[1]
    if M == 0:
        return by_piece
    first, behind = film_pieces(junction, state, k)
    S = by_piece.shape[1] - M + behind - first
    by_band = np.zeros((4, S))
    for kind in range(4):
        copy(by_piece[kind, :first], by_band[kind])
        copy(by_piece[kind, first + M :], by_band[kind, behind:])
    for m in range(M):
        piece = junction.image[k, m]
        s, t = first + int(piece[OWNER]), first + m
        by_band[0, s] += by_piece[0, t] * (1.0 - piece[START]) + by_piece[1, t] * (1.0 - piece[END])
        by_band[1, s] += by_piece[0, t] * piece[START] + by_piece[1, t] * piece[END]
        by_band[2, s] += by_piece[2, t] * (piece[END] - piece[START])
        at_left, at_right, own = part_of_curve(piece[START], piece[END])
        by_band[3, s] += by_piece[0, t] * at_left + by_piece[1, t] * at_right + by_piece[3, t] * own
    return by_band
