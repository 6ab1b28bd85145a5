"""Text-book current densities against the printed formulas in 50 digits, against each other, and against integrals."""

import math

import mpmath
import numpy as np
import pytest

from otjdd.analysis.textbook import (
    brinkman,
    brinkman_conductance,
    fowler_nordheim,
    fowler_nordheim_barrier,
    fowler_nordheim_slope,
    gruverman,
    image_lowering,
    log_gruverman,
    richardson_constant,
    richardson_mass,
    schottky_emission,
    simmons,
    simmons_thermal_factor,
    thermionic,
)
from otjdd.constants import BOLTZMANN_EV

PAPER = {"barrier_substrate": 0.41, "barrier_metal": 0.35, "thickness": 2.8e-9}
E, H, M0 = (mpmath.mpf(text) for text in ("1.602176634e-19", "6.62607015e-34", "9.1093837139e-31"))


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


def printed_gruverman(voltage, phi1, phi2, d, mass):
    """The formula as printed, energies in joule, singular at phi1 + eV = phi2."""
    V, phi1, phi2, d, m = (mpmath.mpf(x) for x in (voltage, phi1, phi2, d, mass))
    m, hbar = m * M0, H / (2 * mpmath.pi)
    phi1, phi2, eV = E * phi1, E * phi2, E * V
    a = 4 * d * mpmath.sqrt(2 * m) / (3 * hbar * (phi1 + eV - phi2))
    p, q, half = phi2 - eV / 2, phi1 + eV / 2, mpmath.mpf(1) / 2
    C = -4 * E * m / (9 * mpmath.pi**2 * hbar**3)
    exponential = mpmath.exp(a * (p ** (3 * half) - q ** (3 * half)))
    roots = p**half - q**half
    return C * exponential / (a * roots) ** 2 * mpmath.sinh(3 * half * a * roots * eV / 2)


def printed_simmons(voltage, phi, d, mass):
    V, phi, d, m = (mpmath.mpf(x) for x in (voltage, phi, d, mass))
    A = 4 * mpmath.pi * d * mpmath.sqrt(2 * m * M0) / H

    def term(height):
        return height * E * mpmath.exp(-A * mpmath.sqrt(height * E))

    return E / (2 * mpmath.pi * H * d**2) * (term(phi - V / 2) - term(phi + V / 2))


@pytest.mark.parametrize("voltage", [-0.7, -0.3, -0.061, -0.0599999, -1e-9, 1e-12, 0.02, 0.1, 0.35, 0.69])
def test_gruverman_is_the_printed_formula(voltage):
    expected = printed_gruverman(voltage, 0.41, 0.35, 2.8e-9, 1.0)
    assert gruverman(voltage, **PAPER) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("offset", [-1e-6, -1e-12, 0.0, 1e-12, 1e-6])
def test_gruverman_runs_through_its_removable_singularity(offset):
    # A 1e-30 V step off the float keeps the printed formula finite at the singular voltage itself.
    voltage = -0.06 + offset
    expected = printed_gruverman(mpmath.mpf(voltage) + mpmath.mpf("1e-30"), 0.41, 0.35, 2.8e-9, 0.8)
    assert gruverman(voltage, 0.41, 0.35, 2.8e-9, 0.8) == pytest.approx(float(expected), rel=1e-12)


def test_gruverman_has_no_value_when_a_corner_falls_below_the_mean_fermi_level():
    np.testing.assert_array_equal(np.isnan(gruverman([-0.83, -0.81, 0.69, 0.71], **PAPER)), [True, False, False, True])


def test_log_gruverman_survives_where_the_current_underflows():
    expected = mpmath.log(printed_gruverman(0.2, 3.0, 2.5, 1e-7, 1.0))
    assert log_gruverman(0.2, 3.0, 2.5, 1e-7) == pytest.approx(float(expected), rel=1e-13)
    assert gruverman(0.2, 3.0, 2.5, 1e-7) == 0.0
    assert log_gruverman(0.0, **PAPER) == -np.inf
    assert gruverman(0.0, **PAPER) == 0.0


@pytest.mark.parametrize("voltage", [1e-9, 0.03, 0.1, 0.379])
def test_simmons_is_the_printed_formula_and_odd(voltage):
    expected = float(printed_simmons(voltage, 0.38, 2.8e-9, 0.7))
    assert simmons(voltage, 0.38, 2.8e-9, 0.7) == pytest.approx(expected, rel=1e-12)
    assert simmons(-voltage, 0.38, 2.8e-9, 0.7) == pytest.approx(-expected, rel=1e-12)


def test_simmons_ends_at_the_barrier():
    np.testing.assert_array_equal(np.isnan(simmons([-0.5, -0.39, 0.0, 0.39, 0.5], 0.4, 2e-9)), [1, 0, 0, 0, 1])


@pytest.mark.parametrize("temperature", [77.0, 200.0, 300.0])
def test_thermal_factor_is_the_thermal_average_of_an_exponential_transmission(temperature):
    phi, d = 0.9, 2.0e-9
    A = 4 * mpmath.pi * d * mpmath.sqrt(2 * M0 * E) / H
    B, kT, V = A / (2 * mpmath.sqrt(mpmath.mpf(phi))), mpmath.mpf(BOLTZMANN_EV) * temperature, mpmath.mpf(1) / 10**4

    def supplied(energy):
        difference = mpmath.log1p(mpmath.exp(-energy / kT)) - mpmath.log1p(mpmath.exp(-(energy + V) / kT))
        return kT * difference * mpmath.exp(B * energy)

    warm = mpmath.quad(supplied, [-4, -1, -0.3, 0, 0.3, 1, 4])
    cold = (1 - mpmath.exp(-B * V)) / B**2
    assert simmons_thermal_factor(0.0, phi, d, temperature) == pytest.approx(float(warm / cold), rel=1e-3)


def test_thermal_factor_ends_where_emission_over_the_top_takes_over():
    assert simmons_thermal_factor(0.0, 0.5, 2e-9, 1e-3) == pytest.approx(1.0, abs=1e-9)
    assert np.isnan(simmons_thermal_factor(0.0, 0.5, 6e-9, 600.0))


@pytest.mark.parametrize("thickness", [2e-9, 20e-9])
def test_brinkman_is_the_expansion_of_gruverman_for_thick_barriers(thickness):
    # Skew and cubic coefficient apart; both are the leading order in 1/(K sqrt(phi)).
    phi1, phi2 = 2.002, 1.998
    K = -fowler_nordheim_slope(1.0, thickness)
    V = 0.3 * math.sqrt(2.0) / K
    full, cubic = (np.array([f(s * V, phi1, phi2, thickness) for s in (1, -1)]) for f in (gruverman, brinkman))
    ohmic = V * brinkman_conductance(2.0, thickness)
    within = 3 / (K * math.sqrt(2.0))
    assert full.sum() / cubic.sum() == pytest.approx(1.0, rel=within)
    rise_full, rise_cubic = (pair[0] - pair[1] - 2 * ohmic for pair in (full, cubic))
    assert rise_full / rise_cubic == pytest.approx(1.0, rel=within)


def test_fowler_nordheim_slope_of_the_paper():
    assert fowler_nordheim_slope(0.075, 2.8e-9) == pytest.approx(-0.39, abs=5e-3)
    assert fowler_nordheim_barrier(-0.39, 2.8e-9) == pytest.approx(0.075, abs=5e-4)


def test_fowler_nordheim_is_the_printed_formula_and_odd():
    V, phi, d, m = mpmath.mpf(2.2), mpmath.mpf(0.6), mpmath.mpf(2.8e-9), mpmath.mpf(0.4)
    field = V / d
    exponent = -8 * mpmath.pi * mpmath.sqrt(2 * m * M0) * (phi * E) ** 1.5 / (3 * H * E * field)
    expected = E**3 / (8 * mpmath.pi * H * m * phi * E) * field**2 * mpmath.exp(exponent)
    assert fowler_nordheim(2.2, 0.6, 2.8e-9, 0.4) == pytest.approx(float(expected), rel=1e-12)
    assert fowler_nordheim(-2.2, 0.6, 2.8e-9, 0.4) == pytest.approx(-float(expected), rel=1e-12)
    assert fowler_nordheim(0.0, 0.6, 2.8e-9) == 0.0


def test_richardson_constant_of_the_free_electron_and_back():
    assert richardson_constant() == pytest.approx(120.173e4, rel=1e-5)
    assert richardson_mass(156e4) == pytest.approx(1.3, rel=2e-3)
    assert richardson_constant(richardson_mass(3.3e5)) == pytest.approx(3.3e5, rel=1e-14)


def test_thermionic_current_is_the_supply_above_the_barrier():
    # Tsu-Esaki with T = 1 above phi and the two electrodes' Fermi levels at 0 and -V.
    kT, phi, V, mass = mpmath.mpf(BOLTZMANN_EV) * 300, mpmath.mpf(0.75), mpmath.mpf(0.04), mpmath.mpf(1.3)

    def supply(energy):
        return mpmath.log1p(mpmath.exp(-energy / kT)) - mpmath.log1p(mpmath.exp(-(energy + V) / kT))

    integral = mpmath.quad(supply, [phi, phi + 20 * kT, phi + 80 * kT])
    expected = E * mass * M0 * kT * E * E * integral * 4 * mpmath.pi / H**3
    # The bias lowers the barrier seen from the substrate, so phi at V is phi + V at 0 V.
    assert thermionic(0.04, 0.79, 300.0, richardson_constant(1.3)) == pytest.approx(float(expected), rel=1e-9)


def test_thermionic_current_saturates_in_reverse_and_never_overflows():
    saturation = 156e4 * 300.0**2 * math.exp(-0.55 / (BOLTZMANN_EV * 300.0))
    assert thermionic(-4.3, 0.55, 300.0, 156e4) == pytest.approx(-saturation, rel=1e-12)
    assert thermionic(-4.3, 0.55, 4.0, 156e4) == 0.0
    assert thermionic(0.0, 0.55, 300.0, 156e4) == 0.0


def test_image_force_lowers_the_barrier_by_the_text_book_amount():
    # 1.2 eV sqrt(E / (1 V/nm)) / sqrt(eps_i), the rule of thumb.
    assert image_lowering(1e9, 1.0) == pytest.approx(1.2, rel=1e-3)
    assert image_lowering(1e8, 5.3) == pytest.approx(1.2 * math.sqrt(0.1 / 5.3), rel=1e-3)
    gain = schottky_emission(1e8, 0.7, 5.3, 300.0, 156e4) / schottky_emission(0.0, 0.7, 5.3, 300.0, 156e4)
    assert math.log(gain) * BOLTZMANN_EV * 300.0 == pytest.approx(image_lowering(1e8, 5.3), rel=1e-10)
    assert schottky_emission(0.0, 0.55, 5.3, 300.0, 156e4) == pytest.approx(-thermionic(-2.0, 0.55, 300.0, 156e4))
