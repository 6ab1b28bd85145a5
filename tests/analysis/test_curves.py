"""Fits of plasticity against curves whose parameters are known."""

import math

import numpy as np
import pytest
from made_results import DEPLETION, FREQUENCY, SPECTRUM, depletion, signals

import otjdd
from otjdd.analysis import fits, small_signal
from otjdd.constants import ELEMENTARY_CHARGE


def test_an_exponential_gives_back_its_parameters():
    x = np.arange(1.0, 11.0)
    fit = fits.exponential(x, 96.3 * np.exp(-x / 4.4) - 2.5)
    assert (fit.amplitude, fit.scale, fit.offset) == pytest.approx((96.3, 4.4, -2.5), rel=1e-5)
    assert fit.scatter < 1e-4


def test_a_gaussian_gives_back_its_parameters():
    x = np.arange(-10.0, 11.0)
    fit = fits.gaussian(x, 88.0 * np.exp(-((x / 3.3) ** 2)) - 16)
    assert (fit.amplitude, fit.scale, fit.offset) == pytest.approx((88.0, 3.3, -16), rel=1e-5)


def test_an_offset_that_is_known_is_held():
    x = np.linspace(0, 5e-6, 20)
    fit = fits.exponential(x, 3e-9 * np.exp(-x / 1e-6) + 2e-10, offset=2e-10)
    assert (fit.amplitude, fit.scale) == pytest.approx((3e-9, 1e-6), rel=1e-5)
    assert (fit.offset, fit.offset_error) == (2e-10, 0)


def test_errors_are_those_of_repeated_measurements():
    x, draw = np.arange(1.0, 11.0), np.random.default_rng(3)
    drawn = [fits.exponential(x, 50 * np.exp(-x / 4) + draw.normal(0, 0.5, x.size)) for _ in range(300)]
    for name in ("amplitude", "scale", "offset"):
        values = np.array([getattr(fit, name) for fit in drawn])
        told = np.median([getattr(fit, f"{name}_error") for fit in drawn])
        spread = np.diff(np.percentile(values, [16, 84]))[0] / 2
        assert told == pytest.approx(spread, rel=0.25), name


def test_without_a_point_to_spare_there_is_no_error():
    assert math.isnan(fits.exponential([0.0, 1.0, 2.0], [3.0, 2.0, 1.5]).scale_error)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1.0, 2.0], [2.0, 1.0], "3 parameters"),
        ([1.0, 2.0, math.nan], [2.0, 1.0, 0.0], "finite"),
        ([1.0, 1.0, 1.0], [2.0, 1.0, 0.0], "one place"),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], "no scale"),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0 + 2e-16, 1.0], "all the same"),
    ],
)
def test_points_that_tell_no_scale_are_refused(x, y, words):
    with pytest.raises(ValueError, match=words):
        fits.exponential(x, y)


# numbers from small signals that are known in closed form


def test_a_straight_plot_gives_doping_and_built_in_voltage_back():
    found = DEPLETION.otjdd.metrics("mott_schottky")
    assert found["doping"] == pytest.approx(1e26, rel=1e-6)
    assert found["doping_ratio"] == pytest.approx(1.0, rel=1e-6)
    assert found["built_in_voltage"] == pytest.approx(1.0, abs=1e-6)
    assert found["bend"] == pytest.approx(1.0, abs=1e-6)
    assert np.isnan(found["flat_band_voltage"])  # 1 V, beyond the curve
    assert depletion(barrier=0.4).otjdd.metrics("mott_schottky")["flat_band_voltage"] == pytest.approx(0.4)


def test_a_capacitance_in_series_moves_the_line_and_keeps_its_slope():
    area, u = np.pi * 1e-10, np.linspace(0.1, 2.0, 20)
    Q = np.sqrt(2 * 1.602176634e-19 * 8.8541878128e-12 * 300.0 * 1e26 * u)
    film = otjdd.textbook.plate_capacitance(50.0, 3e-9)
    V = 1.0 - u - Q / film
    C = area / (1 / otjdd.textbook.depletion_capacitance(u, 1e26, 300.0) + 1 / film)
    fit = small_signal.fit_mott_schottky(V, C, area, 300.0)
    assert fit.doping == pytest.approx(1e26, rel=1e-6)
    shift = 1.602176634e-19 * 8.8541878128e-12 * 300.0 * 1e26 / (2 * film**2)
    assert fit.built_in_voltage == pytest.approx(1.0 + shift + 8.617333262e-5 * 300, abs=1e-6)


@pytest.mark.parametrize(("doping", "least"), [(1e24, 0.97), (1e26, 0.26)])
def test_a_permittivity_that_falls_with_the_field_hides_doping(doping, least):
    """The slope of 1/C^2 of `nonlinear_depletion_capacitance` by u is 2 u/(eps0 b)^2 + 2 sqrt(a)/(eps0 b e N)."""
    b, a = 1.42e10, 2.65e15
    u = np.linspace(0.2, 2.0, 50)
    C = otjdd.textbook.nonlinear_depletion_capacitance(u, doping, b, a)
    fit = small_signal.fit_mott_schottky(-u, C, 1.0, b / np.sqrt(a))
    unit = 8.8541878128e-12 * b
    mean = u.mean() * 2 / unit**2 + 2 * np.sqrt(a) / (unit * 1.602176634e-19 * doping)
    assert fit.doping / doping == pytest.approx(2 * np.sqrt(a) / (unit * 1.602176634e-19 * doping) / mean, rel=1e-6)
    assert least < fit.doping / doping < 1
    assert fit.bend > 1


def test_the_window_and_what_a_file_does_not_say_can_be_given():
    bare = DEPLETION.drop_attrs(deep=False)
    with pytest.raises(ValueError, match="give area and relative_permittivity"):
        bare.otjdd.metrics("mott_schottky")
    given = {"area": np.pi * 1e-10, "relative_permittivity": 150.0, "window": (-2.0, -1.0)}
    found = bare.otjdd.metrics("mott_schottky", **given)
    assert found["doping"] == pytest.approx(2e26, rel=1e-6)
    assert np.isnan(found["doping_ratio"])


def test_curves_without_a_depletion_layer_are_told():
    with pytest.raises(ValueError, match="three voltages"):
        small_signal.fit_mott_schottky([0.0, 1.0], [1e-12, 2e-12], 1e-10, 300.0)
    with pytest.raises(ValueError, match="does not depend"):
        small_signal.fit_mott_schottky([0.0, 1.0, 2.0], [1e-12] * 3, 1e-10, 300.0)


def test_an_impedance_gives_its_resistance_and_its_relaxation():
    found = SPECTRUM.otjdd.metrics("impedance")
    assert found["resistance"] == pytest.approx(50 + 1e6, rel=1e-4)
    assert found["low_capacitance"] == pytest.approx(1e-9, rel=1e-3)
    assert found["peak_frequency"] == pytest.approx(1 / (2e-3 * np.pi), rel=1e-2)
    assert found["kramers_kronig"] < 1e-3


def test_a_drifting_system_breaks_the_kramers_kronig_relations():
    Z = SPECTRUM.impedance_real.values + 1j * SPECTRUM.impedance_imag.values
    drifting = signals([0.0], FREQUENCY, (Z * (1 + 0.1 * np.log10(FREQUENCY) ** 2 / 36))[0, 0])
    assert drifting.otjdd.metrics("impedance")["kramers_kronig"] > 1e-2


# spectra of made noise: white, 1/f and a random telegraph signal


def read(current, interval=1e-3):
    n = len(current)
    return otjdd.measured(
        read_time=interval * np.arange(1, n + 1), read_current=current, read_voltage=np.full(n, 0.1)
    )  # fmt: skip


def test_white_noise_has_its_density_and_no_slope():
    current = 1e-6 * (1 + 1e-3 * np.random.default_rng(1).standard_normal(2**14))
    found = otjdd.noise(read(current))
    assert found.current_spectrum.values.mean() == pytest.approx(2 * 1e-3 * 1e-18, rel=0.1)  # both sides of 1 kHz
    assert abs(found.slope) < 0.1
    assert found.scatter == pytest.approx(1e-3, rel=0.05)
    assert found.shot_spectrum == pytest.approx(2 * ELEMENTARY_CHARGE * 1e-6, rel=1e-4)


def test_one_over_f_has_slope_minus_one():
    rng, n = np.random.default_rng(2), 2**14
    f = np.fft.rfftfreq(n)
    f[0] = f[1]
    parts = (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)) / np.sqrt(f)
    made = np.fft.irfft(parts, n)
    assert otjdd.noise(read(1e-6 * (1 + 1e-3 * made / made.std()))).slope == pytest.approx(-1.0, abs=0.1)


@pytest.mark.parametrize(
    ("current", "words"),
    [(np.ones(9), "64 reads"), (np.linspace(-1, 1, 99), "keeps its sign")],
)
def test_what_has_no_spectrum_is_refused_in_words(current, words):
    with pytest.raises(ValueError, match=words):
        otjdd.noise(read(current))
