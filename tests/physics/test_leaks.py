"""Leaks: closed forms in uniform films, slopes against mpmath, differences and closed stacks."""

import math

import mpmath
import numpy as np
import pytest

from otjdd.compiler.decorators import bare
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.physics import leaks
from otjdd.physics.channels import CODES
from otjdd.physics.leaks import LEAKS, FilmBand, by_differences, formula_of_leak, slopes_of_leak

KT = 300.0 * BOLTZMANN_EV
NUMBERS = {
    "ohmic": np.array([3.7e5, 0.0, 0.0, 0.0]),
    "poole-frenkel": np.array([0.2, 0.55, 0.0, 5.5]),
    "schottky": np.array([1.2e6, 0.7, 0.45, 4.0]),
}


def straight_film(field: float, thickness: float = 5e-9, pieces: int = 7) -> FilmBand:
    """A film of unlike pieces in a uniform field [V/m]."""
    x = thickness * np.linspace(0.0, 1.0, pieces + 1) ** 1.3
    band = 0.4 + field * x
    return FilmBand(np.diff(x), band[:-1].copy(), band[1:].copy(), np.zeros(pieces))


def random_film(seed: int) -> FilmBand:
    """A film whose band bends in each piece and jumps between pieces."""
    rng = np.random.default_rng(seed)
    length = rng.uniform(0.1e-9, 0.6e-9, 9)
    return FilmBand(length, *(rng.normal(0.0, 0.4, (2, 9)) + 0.5), rng.normal(0.0, 0.05, 9))


def log_chord(kind: str, film: FilmBand, V: float, kT: float = KT) -> float:
    return formula_of_leak(CODES[kind], NUMBERS[kind], film, V, kT)


def exact_lowering(E, eps, times_pi):
    """sqrt[e E/(times_pi pi eps0 eps)] [eV]."""
    return mpmath.sqrt(ELEMENTARY_CHARGE * E / (times_pi * mpmath.pi * VACUUM_PERMITTIVITY * eps))


def in_extended_precision(film: FilmBand) -> FilmBand:
    return FilmBand(*([mpmath.mpf(float(x)) for x in row] for row in film))


def exact(kind: str, film: FilmBand, V, kT=KT):
    """ln(J/V) of a film of pieces, by mpmath from the published formulas."""
    kT, numbers = mpmath.mpf(kT), [mpmath.mpf(float(x)) for x in NUMBERS[kind]]
    h, left, right, curve = film
    if kind == "ohmic":
        return mpmath.log(numbers[0])
    if kind == "poole-frenkel":
        resistance = mpmath.mpf(0)
        for s in range(len(h)):
            lowered = numbers[1] - exact_lowering(abs((right[s] - left[s]) / h[s]), numbers[3], 1)
            resistance += h[s] * (1 + mpmath.exp(lowered / kT))
        return mpmath.log(numbers[0] / resistance)
    T, (A, at_left, at_right, eps) = kT / mpmath.mpf(BOLTZMANN_EV), numbers
    first, last = (right[0] - left[0] - 6 * curve[0]) / h[0], (right[-1] - left[-1] + 6 * curve[-1]) / h[-1]
    at_left -= exact_lowering(-first, eps, 4) if first < 0 else 0
    at_right -= exact_lowering(last, eps, 4) if last > 0 else 0
    emitted = (1 + mpmath.exp(at_left / kT)) * mpmath.exp(-V / kT) + 1 + mpmath.exp(at_right / kT)
    return mpmath.log(A * T**2 * (1 - mpmath.exp(-V / kT)) / V / emitted)


@pytest.mark.parametrize("kind", LEAKS)
@pytest.mark.parametrize("E", [-9e8, -3e7, 2e7, 1.5e9])
@pytest.mark.parametrize("V", [-2.5, -1e-9, 1e-5, 0.3, 6.0])
@pytest.mark.parametrize("T", [77.0, 300.0, 900.0])
def test_leaks_in_a_uniform_field_are_the_published_formulas(kind, E, V, T):
    film, kT = straight_film(E), T * BOLTZMANN_EV
    with mpmath.workdps(40):
        expected = float(exact(kind, in_extended_precision(film), mpmath.mpf(V), kT))
    assert log_chord(kind, film, V, kT) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("kind", LEAKS)
@pytest.mark.parametrize("T", [2.0, 300.0])
def test_a_chord_has_no_overflow_between_the_ends_of_the_ranges(kind, T):
    for V in (-100.0, 0.0, 100.0):
        for E in (-5e9, 0.0, 5e9):
            assert math.isfinite(log_chord(kind, straight_film(E), V, T * BOLTZMANN_EV))


@pytest.mark.parametrize("kind", LEAKS)
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("V", [-1.3, 1e-6, 0.7])
def test_slopes_are_those_of_extended_precision(kind, seed, V):
    """Central differences with 50 digits of the formulas written anew, piece by piece."""
    film, by_film = random_film(seed), np.zeros((4, 9))
    by_V = slopes_of_leak(CODES[kind], NUMBERS[kind], film, V, KT, by_film)
    with mpmath.workdps(50):
        values, step = in_extended_precision(film), mpmath.mpf(10) ** -18
        for row, ends_of_pieces in ((0, values.left), (1, values.right), (3, values.curve)):
            for s in range(9):
                before, ends = ends_of_pieces[s], []
                for moved in (before + step, before - step):
                    ends_of_pieces[s] = moved
                    ends.append(exact(kind, values, mpmath.mpf(V)))
                ends_of_pieces[s] = before
                slope = float((ends[0] - ends[1]) / (2 * step))
                assert by_film[row, s] == pytest.approx(slope, rel=1e-9, abs=1e-12)
        ends = [exact(kind, values, mpmath.mpf(V) + sign * step) for sign in (1, -1)]
        assert by_V == pytest.approx(float((ends[0] - ends[1]) / (2 * step)), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", LEAKS)
@pytest.mark.parametrize("V", [-1.3, 0.0, 0.7])
def test_differences_of_the_seam_agree_with_exact_slopes(kind, V):
    """What a row without slopes gets. The film is left as it was."""
    film, exact_ones, taken = random_film(3), np.zeros((4, 9)), np.zeros((4, 9))
    before = [array.copy() for array in film]
    slopes = by_differences(bare(LEAKS[kind].formula), f"{kind} of a test")
    by_V = slopes_of_leak(CODES[kind], NUMBERS[kind], film, V, KT, exact_ones)
    assert slopes(NUMBERS[kind], film, V, KT, taken) == pytest.approx(by_V, rel=1e-5, abs=1e-5)
    assert taken == pytest.approx(exact_ones, rel=1e-5, abs=1e-6)
    assert all((array == old).all() for array, old in zip(film, before, strict=True))


@pytest.mark.parametrize("lowering", [leaks.lowering_by_size, leaks.lowering_by_pull])
def test_a_lowering_is_smooth_where_the_field_turns(lowering):
    b = leaks.frenkel_factor(5.0)
    rounded = (leaks.ROUNDED * KT / b) ** 2
    for E in (-1e8, -rounded, -0.3 * rounded, 0.2 * rounded, rounded, 4e7):
        step = 1e-4 * rounded
        middle = (lowering(E + step, b, KT)[0] - lowering(E - step, b, KT)[0]) / (2 * step)
        assert lowering(E, b, KT)[1] == pytest.approx(middle, rel=1e-3, abs=1e-6 * KT / rounded)
    assert lowering(0.0, b, KT) == (0.0, 0.0)
    most = max(b * math.sqrt(x * rounded) - lowering(x * rounded, b, KT)[0] for x in np.linspace(0, 1, 1001))
    assert most < 0.11 * KT
