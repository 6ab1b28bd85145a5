"""Fits give back the parameters of synthetic data, with errors that mean what they say, or say why they cannot."""

import math

import numpy as np
import pytest

from otjdd.analysis import fits, textbook
from otjdd.constants import BOLTZMANN_EV

AREA = math.pi * 10e-6**2
DIODE = {"temperature": 300.0, "area": AREA, "richardson": 156e4}
FILM = {"thickness": 2.8e-9, "mass": 1.0, "area": AREA}
BOTH_SIGNS = np.concatenate([-np.linspace(0.02, 0.5, 25), np.linspace(0.02, 0.5, 25)])


def noisy(current, relative, seed=1):
    return current * np.exp(relative * np.random.default_rng(seed).standard_normal(current.size))


def diode(voltage, barrier=0.55, ideality=1.2):
    return AREA * textbook.thermionic(voltage, barrier, 300.0, 156e4, ideality)


def trapezoid(voltage, substrate=0.41, metal=0.35):
    return AREA * textbook.gruverman(voltage, substrate, metal, 2.8e-9)


def test_thermionic_fit_takes_forward_and_reverse_together():
    V = np.linspace(-0.5, 0.3, 17)  # with V = 0, which tells nothing and is left out
    fit = fits.fit_thermionic(V, diode(V), **DIODE)
    assert (fit.barrier, fit.ideality) == pytest.approx((0.55, 1.2), rel=1e-10)
    assert fit.points == 16


ONE_VOLTAGE, FEW, WIDE = np.full(6, 0.1), np.linspace(0.02, 0.06, 8), np.linspace(-1.0, 1.0, 21)
NOWHERE = textbook.fowler_nordheim(WIDE, 0.5, 2.8e-9)
REFUSED = [  # fit, voltages or temperatures, currents, more, words
    (fits.fit_thermionic, np.linspace(0.2, 0.5, 20), noisy(np.full(20, 1e-9), 0.05), DIODE, "no thermionic rise"),
    (fits.fit_thermionic, np.linspace(0.1, 0.3, 5), -diode(np.linspace(0.1, 0.3, 5)), DIODE, "only 0 of 5 points"),
    (fits.fit_thermionic, ONE_VOLTAGE, diode(ONE_VOLTAGE), DIODE, "all voltages are the same"),
    (fits.fit_thermionic, [0.1, 0.2, 0.3], [1e-9, math.nan, 1e-6], DIODE, "not a number"),
    (fits.fit_thermionic, [0.1, 0.2, 0.3], [1e-9, math.inf, 1e-6], DIODE, "not a number"),
    (fits.fit_thermionic, [0.1, 0.2, 0.3], [1e-9, 1e-8], DIODE, "one length"),
    (fits.fit_trapezoid, ONE_VOLTAGE, trapezoid(ONE_VOLTAGE), FILM, "do not determine both barriers"),
    (fits.fit_trapezoid, FEW, noisy(trapezoid(FEW), 0.1, seed=3), FILM, "do not determine both barriers"),
    (fits.fit_trapezoid, BOTH_SIGNS, 0.1 * BOTH_SIGNS, FILM, "end of the formula's range"),
    (fits.activation_energy, [300.0], [1e-9], {}, "two or more temperatures"),
    (fits.activation_energy, [300.0, 0.0], [1e-9, 1e-9], {}, "above zero"),
    (fits.activation_energy, [300.0, 300.0], [1e-9, 2e-9], {}, "all temperatures are the same"),
    (fits.activation_energy, [290.0, 310.0], [1e-9, 0.0], {}, "none zero"),
    (fits.activation_energy, [290.0, 310.0], [1e-9, -1e-9], {}, "one sign"),
    (fits.fit_fowler_nordheim, WIDE, NOWHERE, {"window": (-0.5, 0.5), "thickness": 2.8e-9}, "one sign"),
    (fits.fit_fowler_nordheim, WIDE, NOWHERE, {"window": (3.0, 4.0), "thickness": 2.8e-9}, "only 0 of 0 points"),
]


@pytest.mark.parametrize(("fit", "x", "current", "more", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_data_do_not_tell_is_refused_in_words(fit, x, current, more, words):
    with pytest.raises(ValueError, match=words):
        fit(x, current, **more)


def test_activation_energy_is_the_barrier_less_the_bias():
    T = np.linspace(250.0, 350.0, 11)
    current = textbook.thermionic(0.2, 0.6, T, 1e6)
    fit = fits.activation_energy(T, noisy(current, 0.01))
    assert abs(fit.energy - 0.4) < 3 * fit.energy_error < 0.01
    assert fits.activation_energy(T, -current).energy == pytest.approx(0.4, abs=1e-4)


def test_activation_energy_of_two_temperatures_has_no_error_to_give():
    fit = fits.activation_energy([290.0, 310.0], [1e-9, 2e-9], richardson_form=False)
    assert fit.energy == pytest.approx(math.log(2) / (1 / 290.0 - 1 / 310.0) * BOLTZMANN_EV)
    assert math.isnan(fit.energy_error)


def test_trapezoid_fit_returns_both_barriers_within_their_errors():
    fit = fits.fit_trapezoid(BOTH_SIGNS, noisy(trapezoid(BOTH_SIGNS), 0.03), **FILM)
    assert abs(fit.barrier_substrate - 0.41) < 3 * fit.barrier_substrate_error < 0.02
    assert abs(fit.barrier_metal - 0.35) < 3 * fit.barrier_metal_error < 0.02
    assert fit.scatter == pytest.approx(0.03, rel=0.3)
    assert fit.correlation < 0


def test_fowler_nordheim_plot_of_a_resistor_has_a_slope_but_no_barrier():
    V = np.linspace(0.2, 1.0, 20)
    fit = fits.fit_fowler_nordheim(V.tolist(), (V / 27e3).tolist(), (0.2, 1.0), 2.8e-9)
    assert fit.slope > 0
    assert math.isnan(fit.barrier)


def test_errors_of_a_line_are_those_of_ordinary_least_squares():
    V = np.linspace(-0.05, 0.1, 8)
    current = noisy(diode(V), 0.1)
    fit = fits.fit_thermionic(V, current, **DIODE)
    kT = BOLTZMANN_EV * 300.0
    line, covariance = np.polyfit(V / kT, np.log(current / -np.expm1(-V / kT)), 1, cov=True)
    assert fit.barrier_error == pytest.approx(kT * math.sqrt(covariance[1, 1]), rel=1e-10)
    assert fit.ideality_error == pytest.approx(math.sqrt(covariance[0, 0]) / line[0] ** 2, rel=1e-10)


def test_errors_of_the_trapezoid_are_the_spread_over_noise():
    found = [fits.fit_trapezoid(BOTH_SIGNS, noisy(trapezoid(BOTH_SIGNS), 0.05, seed), **FILM) for seed in range(60)]
    barriers = np.array([(fit.barrier_substrate, fit.barrier_metal) for fit in found])
    errors = np.array([(fit.barrier_substrate_error, fit.barrier_metal_error) for fit in found])
    np.testing.assert_allclose(barriers.std(axis=0), errors.mean(axis=0), rtol=0.25)
    assert np.corrcoef(barriers.T)[0, 1] == pytest.approx(np.mean([fit.correlation for fit in found]), abs=0.1)
    once = noisy(trapezoid(BOTH_SIGNS), 0.05, 0)
    twice = fits.fit_trapezoid(np.tile(BOTH_SIGNS, 2), np.tile(once, 2), **FILM)
    spare = BOTH_SIGNS.size - 2, 2 * BOTH_SIGNS.size - 2
    assert twice.barrier_metal_error / found[0].barrier_metal_error == pytest.approx(math.sqrt(spare[0] / spare[1]))


def test_error_of_the_fowler_nordheim_barrier_follows_that_of_the_slope():
    V = np.linspace(0.5, 2.0, 30)
    fit = fits.fit_fowler_nordheim(V, noisy(textbook.fowler_nordheim(V, 0.5, 2.8e-9), 0.05), (0.5, 2.0), 2.8e-9)
    shifted = textbook.fowler_nordheim_barrier(fit.slope - fit.slope_error, 2.8e-9)
    assert fit.barrier_error == pytest.approx(shifted - fit.barrier, rel=0.02)
