"""Electrons in the film: the weight of each contact along the band, and their density.

    n = N_c [w F(-E_C/kT) + (1 - w) F((-V - E_C)/kT)]
    w(x) = int_0^x exp(E_C/kT)/N_c dx' / int_0^L exp(E_C/kT)/N_c dx'

F is the normalised Fermi-Dirac integral of order 1/2. The current through the junction is small, so the electrons on either
side of the top of the barrier are in equilibrium with the contact on that side. w is the weight of the right contact in a
drift-diffusion current (Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969), in Slotboom's variables). It
steps from 0 to 1 within kT of the top of the band, wherever the top is. At V = 0 both contacts are one, whatever w is.
"""

from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, detached, inlined
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.physics.fermi_dirac import fermi_dirac_half, fermi_dirac_minus_half
from otjdd.physics.numerics import SERIES, exponential

EMPTY = -40.0  # argument of F below which there are no electrons: exp(-40) = 4e-18 of N_c
FULL = 88.0  # end of the table of F: 2.3 eV into the band at 300 K; the definition itself beyond
OCCUPATION_STEP = 1.0 / 32.0  # of the table: cubic interpolation is then exact to 3e-9 of F

# rows of the electrons of a column; those from HELD_RIGHT on are of `ion_fluxes`
RIGHT, LEFT, BY_BAND, BY_WEIGHT, BY_VOLTAGE, OF_RIGHT, OF_LEFT = range(7)
HELD_RIGHT, HELD_LEFT, BARE, HELD_BY_BAND, HELD_BY_WEIGHT, HELD_BY_VOLTAGE, ELECTRONS = range(7, 14)


@by_pointer
class FilmElectrons(NamedTuple):
    """Electrons of the film as numbers."""

    density_of_states: float  # N_c, 1/m3; 0 without electrons
    level: float  # eV below E_C, of the electron that a vacancy may hold; nan where none does
    table: np.ndarray  # (M, 4) coefficients of the cubics of F; cubic m > 0 begins at EMPTY + OCCUPATION_STEP * (m - 1)


@apart
def film_electrons(density_of_states: float, level: float = np.nan):
    """FilmElectrons of a density of states N_c [1/m3], with the table of F; without a table where it is 0.

    level : [eV] below E_C of the electron that a vacancy may hold, nan without
    F and its derivative are continuous; cubic 0 joins 0 to F(EMPTY), and of the last one only its beginning, FULL, is used.
    """
    M = int(round((FULL - EMPTY) / OCCUPATION_STEP)) + 2 if density_of_states > 0.0 else 0
    table = np.zeros((M, 4))
    for m in range(1, M):
        table[m, 0] = fermi_dirac_half(EMPTY + OCCUPATION_STEP * (m - 1))
        table[m, 1] = fermi_dirac_minus_half(EMPTY + OCCUPATION_STEP * (m - 1)) * OCCUPATION_STEP
    for m in range(M - 1):
        rise = table[m + 1, 0] - table[m, 0]
        table[m, 3] = table[m, 1] + table[m + 1, 1] - 2.0 * rise
        table[m, 2] = rise - table[m, 1] - table[m, 3]
    return FilmElectrons(density_of_states, level, table)


@inlined
def place_in_table(eta: float) -> float:
    """Number of the cubic of F at eta and the share of it that lies behind: that of EMPTY below it and for nan, of FULL
    beyond it."""
    inside = min(eta if eta > EMPTY - OCCUPATION_STEP else EMPTY - OCCUPATION_STEP, FULL)
    return (inside - EMPTY) * (1.0 / OCCUPATION_STEP) + 1.0


@inlined
def cubic_at(place: float):
    """Number of a cubic, unsigned (at each access by a signed one numba checks whether it is negative), and the share."""
    m = int(place)
    return np.uint64(m), place - m


@inlined
def occupation(table: np.ndarray, place: float) -> float:
    """F at a place in its table."""
    m, s = cubic_at(place)
    return table[m, 0] + s * (table[m, 1] + s * (table[m, 2] + s * table[m, 3]))


@inlined
def occupation_slope(table: np.ndarray, place: float) -> float:
    """Derivative of F at a place in its table."""
    m, s = cubic_at(place)
    return (table[m, 1] + s * (2.0 * table[m, 2] + 3.0 * s * table[m, 3])) * (1.0 / OCCUPATION_STEP)


@bare
def mean_exponential(d: float, e: float):
    """(1 - e^-d)/d, the mean of exp(-t) for t from 0 to d >= 0, from d and e = e^-d.

    The Taylor polynomial multiplies where it could divide: a loop computes both branches, and one division is left.
    """
    near = 1.0 - d * (1.0 / 6.0) * (1.0 - d * (1.0 / 7.0) * (1.0 - d * (1.0 / 8.0) * (1.0 - d * (1.0 / 9.0))))
    near = 1.0 - d * (1.0 / 3.0) * (1.0 - d * (1.0 / 4.0) * (1.0 - d * (1.0 / 5.0) * near))
    return (1.0 - e) / d if d > SERIES else 1.0 - d * 0.5 * near


@detached
def contact_weights(
    distance: np.ndarray, kT: float, U: np.ndarray, pieces: np.ndarray, weight: np.ndarray, room: np.ndarray
):
    """Set the weights (2, N) of the right and the left contact at the centres, and the share of every piece in w.

    distance, pieces : (N+1,) m, between the points of the band U (N+2,) [eV], which is straight between them
    room : (N+1 at least,) work space
    Cumulated from both ends, so that w and 1 - w keep their digits where they are small, and mirror images are exact.
    """
    fill_pieces(distance, kT, U, pieces, room)
    cumulate(pieces, weight)


@inlined
def fill_pieces(distance: np.ndarray, kT: float, U: np.ndarray, pieces: np.ndarray, room: np.ndarray) -> float:
    """Fill pieces (N+1,) of `contact_weights` with integrals of exp((U - top)/kT) [m]; return the top of the band [eV]."""
    N, e, per_kT = distance.size - 1, room[: distance.size], 1.0 / kT
    top = U[0]
    for i in range(1, N + 2):
        top = max(top, U[i])
    for f in range(N + 1):
        pieces[f] = exponential(-abs(U[f + 1] - U[f]) * per_kT)
        e[f] = exponential((max(U[f], U[f + 1]) - top) * per_kT)
    for f in range(N + 1):
        pieces[f] = distance[f] * mean_exponential(abs(U[f + 1] - U[f]) * per_kT, pieces[f]) * e[f]
    return top


@inlined
def cumulate(pieces: np.ndarray, weight: np.ndarray):
    """Set the weights (2, N) from the integrals over the pieces (N+1,), which become their shares."""
    N, left, right = pieces.size - 1, 0.0, 0.0
    for i in range(N):
        left += pieces[i]
        right += pieces[N - i]
        weight[0, i], weight[1, N - 1 - i] = left, right
    for i in range(N):
        total = weight[0, i] + weight[1, i]
        weight[0, i] /= total
        weight[1, i] /= total
    per_total = 1.0 / (left + pieces[N])
    for f in range(N + 1):
        pieces[f] *= per_total


@inlined
def fill_occupations(
    table: np.ndarray, per_kT: float, V: float, U: np.ndarray, F: np.ndarray, slope: np.ndarray, cells: tuple[int, int],
    with_slopes: bool,
):  # fmt: skip
    """Fill F and, with slopes, its derivatives for a range of cells from the band U (N+2,) [eV], by a contact at -V."""
    highest = 0.0
    for i in range(cells[0], cells[1]):  # each loop fills one row: the compiler vectorises no loop over more
        F[i] = place_in_table((-V - U[i + 1]) * per_kT)
    for i in range(cells[0], cells[1]):
        highest = max(highest, (-V - U[i + 1]) * per_kT)
    if with_slopes:
        for i in range(cells[0], cells[1]):
            slope[i] = occupation_slope(table, F[i])
    for i in range(cells[0], cells[1]):
        F[i] = occupation(table, F[i])
    if highest <= FULL:
        return
    for i in range(cells[0], cells[1]):
        eta = (-V - U[i + 1]) * per_kT
        if eta > FULL:
            F[i], slope[i] = fermi_dirac_half(eta), fermi_dirac_minus_half(eta)


@detached
def densities(
    electrons: FilmElectrons, kT: float, V: float, U: np.ndarray, n: np.ndarray, cells: tuple[int, int],
    with_slopes: bool,
):  # fmt: skip
    """Fill the rows n (ELECTRONS, N) from the band U (N+2,) [eV] and the weights in it at junction voltage V.

    cells : first one, and the one behind the last, of the layer that has these electrons
    with_slopes : also the rows of derivatives, which a stage of a step does not need
    """
    N_c, per_kT, table = electrons.density_of_states, 1.0 / kT, electrons.table
    right, left, by_band, by_voltage, by_weight = n[RIGHT], n[LEFT], n[BY_BAND], n[BY_VOLTAGE], n[BY_WEIGHT]
    fill_occupations(table, per_kT, 0.0, U, right, by_band, cells, with_slopes)
    fill_occupations(table, per_kT, V, U, left, by_voltage, cells, with_slopes)
    if with_slopes:
        for i in range(cells[0], cells[1]):
            by_weight[i] = N_c * (right[i] - left[i])
        for i in range(cells[0], cells[1]):
            by_voltage[i] *= -N_c * n[OF_LEFT, i] * per_kT
        for i in range(cells[0], cells[1]):
            by_band[i] = by_voltage[i] - N_c * n[OF_RIGHT, i] * per_kT * by_band[i]
    for i in range(cells[0], cells[1]):
        right[i] *= N_c * n[OF_RIGHT, i]
    for i in range(cells[0], cells[1]):
        left[i] *= N_c * n[OF_LEFT, i]
