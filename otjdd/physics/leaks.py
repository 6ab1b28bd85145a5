"""Leaks: conduction beside the coherent channel, as closed formulas of the band of the film.

Each formula gives ln(J/V_j), of the chord conductance per area in S/m2, from its numbers, the band of the film, V_j and kT.
The chord is finite and positive at 0 V, where no current flows, whatever the fields are.

    ohmic            J = g V_j

    poole-frenkel    J = V_j/int_0^L dx/s(E),  s(E) = s0/{1 + exp[(B - b sqrt|E|)/kT]},  b = sqrt[e/(pi eps0 eps_i)]
                     Electrons that a field frees from traps drift in it (Frenkel, Phys. Rev. 54, 647 (1938)). The pieces of
                     the film are in series, and the slope of the Fermi level drives the current, not the field.

    schottky         J = A* T^2 (1 - e^{-V_j/kT})/{[1 + e^{B_l/kT}] e^{-V_j/kT} + 1 + e^{B_r/kT}}
                     B_l = left barrier - b sqrt(-E(0)),  B_r = right barrier - b sqrt(E(L)),  b = sqrt[e/(4 pi eps0 eps_i)]
                     Emission over both barriers in series, each lowered by the field that draws electrons out of its
                     electrode (Sze & Ng, Physics of Semiconductor Devices, sections 3.2.4 and 3.3.1). The electrode that
                     emits limits the current: J = A* T^2 e^{-B/kT} beyond some kT/e.

eps_i is the dynamic permittivity: an electron passes faster than ions respond. 1 + e^{B/kT} in the place of e^{B/kT} bounds
s by s0, and the emission by A* T^2, where a field takes a barrier away. A lowering below ROUNDED kT follows a polynomial in
E, so that its slope is finite at E = 0; the lowering is then up to 0.11 kT less than the square root.

A new leak is a formula and a row of LEAKS: a function of its numbers, the band of the film, V_j and kT that returns
ln(J/V_j) [S/m2]. A second function returns the slope of that by V_j at a constant band, and fills the slopes by the
pieces of the film. Where a row has None in its place, the slopes are central differences of the formula. All rows are one
kernel with a branch for each code.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, chosen
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.physics.bands import band_profile, film_pieces, profile_slopes
from otjdd.physics.fermi_dirac import fermi, softplus
from otjdd.physics.junction import Junction
from otjdd.physics.state import NO_SLOPES, Conductance, State

# columns of the numbers of a leak in `Channels.numbers`, 0 where it has none; the prefactor is a conductance, a
# conductivity or a Richardson constant
NUMBERS = 4
PREFACTOR, BARRIER, RIGHT_BARRIER, PERMITTIVITY = range(NUMBERS)
ROUNDED = 0.25  # of kT
SMALL_VOLTAGE = 1e-3  # |V_j/kT| below which a difference of exponentials is replaced by its series


class FilmBand(NamedTuple):
    """Band of the film in pieces: parabolas with their own values at both ends, so the band may jump between pieces."""

    length: np.ndarray  # (S,) m
    left: np.ndarray  # (S,) eV above the Fermi level of the right electrode, of the straight part
    right: np.ndarray  # (S,) eV
    curve: np.ndarray  # (S,) eV, added at both ends, half of it taken away in the middle


def ohmic(numbers: np.ndarray, film: FilmBand, V: float, kT: float) -> float:
    """ln of J/V_j [S/m2] of an ohmic leak. numbers : g [S/m2]"""
    return math.log(numbers[PREFACTOR])


def ohmic_slopes(numbers: np.ndarray, film: FilmBand, V: float, kT: float, by_film: np.ndarray) -> float:
    """d ln(J/V_j)/dV_j [1/V] of an ohmic leak; its slopes by the band are 0."""
    return 0.0


@bare
def lowering_by_size(E: float, b: float, kT: float):
    """Lowering b sqrt|E| [eV] of a barrier that a field lowers whatever its sign, and its slope by E [eV m/V].

    b : [eV (m/V)^1/2]
    """
    smallest = ROUNDED * kT
    rounded = (smallest / b) ** 2  # V/m, below which the lowering is a polynomial with the same value and slope there
    x = abs(E) / rounded
    if x >= 1.0:
        lowering = b * math.sqrt(abs(E))
        return lowering, math.copysign(0.5 * lowering / abs(E), E)
    slope = smallest * (3.5 - 3.0 * x * x) * x / rounded
    return 0.25 * smallest * (7.0 - 3.0 * x * x) * x * x, math.copysign(slope, E)


@bare
def lowering_by_pull(E: float, b: float, kT: float):
    """As `lowering_by_size`, of a barrier that a field E > 0 lowers and one of E < 0 leaves as it is."""
    smallest = ROUNDED * kT
    rounded = (smallest / b) ** 2
    x = E / rounded
    if x >= 1.0:
        lowering = b * math.sqrt(E)
        return lowering, 0.5 * lowering / E
    if x <= 0.0:
        return 0.0, 0.0
    return smallest * (2.5 - 1.5 * x) * x * x, smallest * (5.0 - 4.5 * x) * x / rounded


@bare
def frenkel_factor(eps_i: float) -> float:
    """b [eV (m/V)^1/2] of the Poole-Frenkel effect in a relative permittivity."""
    return math.sqrt(ELEMENTARY_CHARGE / (math.pi * VACUUM_PERMITTIVITY * eps_i))


@bare
def piece_field(film: FilmBand, s: int) -> float:
    """Mean field [V/m] of piece s of the film."""
    return (film.right[s] - film.left[s]) / film.length[s]


@bare
def deepest_trap(numbers: np.ndarray, film: FilmBand, kT: float) -> float:
    """Largest ln of 1 + exp[(B - b sqrt|E|)/kT] along the film."""
    b, top = frenkel_factor(numbers[PERMITTIVITY]), 0.0
    for s in range(film.length.size):
        top = max(top, softplus((numbers[BARRIER] - lowering_by_size(piece_field(film, s), b, kT)[0]) / kT))
    return top


def poole_frenkel(numbers: np.ndarray, film: FilmBand, V: float, kT: float) -> float:
    """ln of J/V_j [S/m2] of a Poole-Frenkel leak. numbers : s0 [S/m], B [eV], eps_i"""
    b, top, resistance = frenkel_factor(numbers[PERMITTIVITY]), deepest_trap(numbers, film, kT), 0.0
    for s in range(film.length.size):
        x = (numbers[BARRIER] - lowering_by_size(piece_field(film, s), b, kT)[0]) / kT
        resistance += film.length[s] * math.exp(softplus(x) - top)
    return math.log(numbers[PREFACTOR]) - top - math.log(resistance)


def poole_frenkel_slopes(numbers: np.ndarray, film: FilmBand, V: float, kT: float, by_film: np.ndarray) -> float:
    """d ln(J/V_j)/dV_j [1/V] of a Poole-Frenkel leak at a constant band; its slopes by the band into by_film (4, S)."""
    b, top, resistance = frenkel_factor(numbers[PERMITTIVITY]), deepest_trap(numbers, film, kT), 0.0
    for s in range(film.length.size):
        lowering, slope = lowering_by_size(piece_field(film, s), b, kT)
        x = (numbers[BARRIER] - lowering) / kT
        part = math.exp(softplus(x) - top)
        resistance += film.length[s] * part
        by_film[1, s] = part * fermi(-x) * slope / kT
    for s in range(film.length.size):
        by_film[1, s] /= resistance
        by_film[0, s] = -by_film[1, s]
    return 0.0


@bare
def end_fields(film: FilmBand):
    """Fields [V/m] at the left and at the right end of the film."""
    n = film.length.size - 1
    at_left = (film.right[0] - film.left[0] - 6.0 * film.curve[0]) / film.length[0]
    return at_left, (film.right[n] - film.left[n] + 6.0 * film.curve[n]) / film.length[n]


@bare
def log_of_emissions(numbers: np.ndarray, film: FilmBand, kT: float):
    """ln of 1 + e^{B/kT} at the left and at the right electrode, and their slopes by the fields there [m/V]."""
    b = math.sqrt(ELEMENTARY_CHARGE / (4.0 * math.pi * VACUUM_PERMITTIVITY * numbers[PERMITTIVITY]))
    at_left, at_right = end_fields(film)
    left, by_left = lowering_by_pull(-at_left, b, kT)
    right, by_right = lowering_by_pull(at_right, b, kT)
    x, y = (numbers[BARRIER] - left) / kT, (numbers[RIGHT_BARRIER] - right) / kT
    return softplus(x), softplus(y), fermi(-x) * by_left / kT, -fermi(-y) * by_right / kT


@bare
def log_sinh_ratio(v: float):
    """ln[2 sinh(v/2)/v] and its slope."""
    size = abs(v)
    if size < SMALL_VOLTAGE:
        return size * size / 24.0, v / 12.0
    decay = -math.expm1(-size)
    return 0.5 * size + math.log(decay / size), math.copysign((1.0 - decay) / decay + 0.5 - 1.0 / size, v)


def schottky(numbers: np.ndarray, film: FilmBand, V: float, kT: float) -> float:
    """ln of J/V_j [S/m2] of a Schottky leak. numbers : A* [A/m2/K2], barriers at the left and right [eV], eps_i"""
    left, right, _, _ = log_of_emissions(numbers, film, kT)
    v, T = V / kT, kT / BOLTZMANN_EV
    x, y = left - 0.5 * v, right + 0.5 * v
    return (
        math.log(numbers[PREFACTOR] * T * T / kT) + log_sinh_ratio(v)[0] - max(x, y) - math.log1p(math.exp(-abs(x - y)))
    )


def schottky_slopes(numbers: np.ndarray, film: FilmBand, V: float, kT: float, by_film: np.ndarray) -> float:
    """d ln(J/V_j)/dV_j [1/V] of a Schottky leak at a constant band; its slopes by the band into by_film (4, S)."""
    left, right, by_left, by_right = log_of_emissions(numbers, film, kT)
    v, n = V / kT, film.length.size - 1
    of_left = fermi(right - left + v)  # share of the left barrier in the resistance
    at_left, at_right = -of_left * by_left / film.length[0], -(1.0 - of_left) * by_right / film.length[n]
    by_film[0, 0] -= at_left
    by_film[1, 0] += at_left
    by_film[3, 0] -= 6.0 * at_left
    by_film[0, n] -= at_right
    by_film[1, n] += at_right
    by_film[3, n] += 6.0 * at_right
    return (log_sinh_ratio(v)[1] + of_left - 0.5) / kT


STEP = 1e-3  # of kT, by which differences move a band or a voltage: a slope of 1/kT is then exact to some 1e-7


class Leak(NamedTuple):
    """A leak: its formula, the slopes of that if they are known, and its source."""

    formula: Any
    slopes: Any  # or None
    source: str


LEAKS = {
    "ohmic": Leak(ohmic, ohmic_slopes, "Ohm's law"),
    "poole-frenkel": Leak(
        poole_frenkel, poole_frenkel_slopes, "Frenkel, Phys. Rev. 54, 647 (1938): traps that a field empties"
    ),
    "schottky": Leak(
        schottky, schottky_slopes,
        "Sze & Ng, Physics of Semiconductor Devices: emission over barriers that an image force lowers",
    ),
}  # fmt: skip


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


LEAK_CODES = {name: code for code, name in enumerate(LEAKS, 1)}  # name in a case -> Channels.code
FORMULAS = {LEAK_CODES[name]: bare(leak.formula) for name, leak in LEAKS.items()}
SLOPES = {
    LEAK_CODES[name]: by_differences(FORMULAS[LEAK_CODES[name]], name) if leak.slopes is None else bare(leak.slopes)
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
    """Chord conductance of column k by one of its  channel : its place in the list of the junction"""
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
