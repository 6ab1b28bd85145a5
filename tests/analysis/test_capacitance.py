"""Numbers from small signals that are known in closed form."""

import numpy as np
import pytest
from made_results import DEPLETION, FREQUENCY, SPECTRUM, depletion, signals

import otjdd
from otjdd.analysis import small_signal


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
