"""Polarisations whose field turns within ramps, pulses and holds, against an ODE of its own (`own_polarisation`)."""

import itertools
import math

import numpy as np
import pytest
from devices import needs_speed
from own_polarisation import VACUUM, Film, solve
from scipy.integrate import solve_ivp
from test_polarised_films import film as loop_of

import otjdd
from otjdd.case.case import parse_case
from otjdd.solver.model import members

STRAIGHT = {
    "device.conducting_fraction": 1e-6, "device.film.cells": 12, "device.film.grading": 1.0, "record.every": "all",
    "device.film.permittivity": {"law": "linear", "eps_r": 50.0},
}  # fmt: skip
TRIANGLE = [0.0, 2.0, -2.0, 2.0, 0.0]
MERZ = {"law": "merz-kai", "saturation": 0.1, "time": 1e-8, "activation_field": 6e8, "dimension": 2.0}
LEVELS = {"law": "two-level", "saturation": 0.1, "barrier": 0.9, "dipole_length": 4e-9}
SCREENING = 0.02e-9 / (2.0 * VACUUM)  # V m2/C of an electrode, whose relative permittivity is 2


def screened(*nanometres):
    """Changes of a case: screening lengths of both metals [nm]."""
    return {f"device.{side}.screening_length": f"{x} nm" for side, x in zip(("left", "right"), nanometres, strict=True)}


def film_of(polarisation, **values):
    """The film of the own equations with the numbers of a table [device.film.polarisation]."""
    names = {
        "time": "time", "activation_field": "activation", "exponent": "power", "dimension": "dimension",
        "barrier": "barrier", "dipole_length": "dipole", "offset_field": "offset", "initial": "initial",
    }  # fmt: skip
    own = {names[key]: value for key, value in polarisation.items() if key in names}
    return Film(**{"law": polarisation["law"].replace("nls", "merz-kai"), "saturation": polarisation["saturation"],
                   "thickness": 1e-8, "eps_r": 50.0, "initial": 0.0} | own | values)  # fmt: skip


def answer(ds, film, **options):
    """The own solution of a film along the waveform of a result, at its recorded times."""
    return answer_at(ds, film, ds.time.values, **options)


def answer_at(ds, film, times, **options):
    """As `answer`, at times [s] of one's choice."""
    waveform = parse_case(str(ds.attrs["case_resolved"])).drive.waveform()
    return solve(film, waveform.times, waveform.voltages, times, **options)


def distance(ds, own, saturation):
    """Largest |dP| over P_s at the recorded times."""
    return np.abs(ds.polarisation.values - own.P).max() / saturation


def triangle(polarisation, rate, changes=None, **numerics):
    """A run of a film along a triangle from an unpolarised film."""
    drive = {"kind": "triangle", "path": [f"{V} V" for V in TRIANGLE], "rate": f"{rate} V/s"}
    return otjdd.run(loop_of().replace(STRAIGHT).replace(
        {"device.film.polarisation": polarisation, "drive": drive} | (changes or {}) | numerics))  # fmt: skip


@needs_speed
@pytest.mark.parametrize("rtol", [7e-3, 1e-4])
@pytest.mark.parametrize(("saturation", "activation", "rate"), [(0.1, 6e8, 1e4), (0.05, 2e9, 1e2)])
def test_nucleation_and_growth_follow_a_triangle(saturation, activation, rate, rtol):
    law = MERZ | {"saturation": saturation, "activation_field": activation}
    ds = triangle(law, rate, screened(0.02, 0.02), **{"numerics.rtol": rtol})
    film = film_of(law, left=SCREENING, right=SCREENING)
    own = answer(ds, film)
    assert len(own.turns) >= 3
    assert np.ptp(own.P) > 1.9 * saturation
    assert distance(ds, own, saturation) < (0.02 if rtol > 1e-3 else 2e-3)


@needs_speed
@pytest.mark.campaign
@pytest.mark.parametrize("law", ["merz-kai", "two-level"])
def test_each_law_follows_triangles_of_any_speed_and_strength(law):
    worst = 0.0
    for dimension, strength, rate in itertools.product((1.0, 2.0, 3.5), (0.3, 1.0, 3.0), (1e2, 1e4, 1e6)):
        if law == "merz-kai":
            polar = MERZ | {"activation_field": 6e8 * strength, "dimension": dimension, "offset_field": 1e7 * dimension}
        else:
            polar = LEVELS | {"barrier": 0.6 + 0.1 * dimension, "dipole_length": 4e-9 * strength**0.5}
        ds = triangle(polar, rate, screened(0.02, 0.02), **{"numerics.rtol": 1e-4})
        film = film_of(polar, left=SCREENING, right=SCREENING)
        own = answer(ds, film)
        worst = max(worst, distance(ds, own, 0.1))
    assert worst < 3e-3


@needs_speed
def test_the_displacement_current_is_the_rate_at_the_instant():
    """Against the own equations, of the charge of an electrode, at the default tolerance: the mean lags behind it."""
    ds = triangle(LEVELS, 3e2, screened(0.02, 0.02))
    film, t = film_of(LEVELS, left=SCREENING, right=SCREENING), ds.time.values
    corners = parse_case(str(ds.attrs["case_resolved"])).drive.waveform().times
    near = 1e-6 * t[-1]
    inside = np.array([np.abs(corners - time).min() > near for time in t])
    own = [answer_at(ds, film, t[inside] + shift).D for shift in (-near, near)]
    expected = math.pi * 1e-12 * (own[1] - own[0]) / (2.0 * near)
    peak = np.abs(expected).max()
    assert np.abs(ds.displacement_current.values[inside] - expected).max() < 0.04 * peak
    assert np.abs(ds.mean_displacement_current.values[inside] - expected).max() > 0.05 * peak
    np.testing.assert_array_equal(ds.displacement_current.values[inside], ds.displacement_current_after.values[inside])


@needs_speed
def test_columns_of_unlike_times_turn_apart():
    law, rate = MERZ | {"law": "nls"}, 1e4
    columns = {"count": 7, "spread": {"device.film.polarisation.time": {"law": "log-normal", "factor": 30.0}}}
    ds = triangle(law, rate, screened(0.02, 0.02) | {"columns": columns, "numerics.rtol": 1e-4})
    case, sum_of = parse_case(str(ds.attrs["case_resolved"])), 0.0
    for part in members(case):
        film = film_of(law | {"time": part.switching_time}, left=SCREENING, right=SCREENING)
        sum_of = sum_of + part.weight * answer(ds, film).P
    assert np.ptp(sum_of) > 0.1
    np.testing.assert_allclose(ds.polarisation.values, sum_of, atol=1e-3 * 0.1)


@needs_speed
@pytest.mark.parametrize("law", ["merz-kai", "two-level"])
def test_vacancies_turn_the_field_within_a_hold(law):
    """They gather at the right electrode, whose screening layer then takes the voltage."""
    polar = {"law": law, "saturation": 0.02, "offset_field": 1.1e7, "initial": -1.0}
    polar |= (
        {"time": 1e-6, "activation_field": 1e7, "dimension": 1.0}
        if law == "merz-kai"
        else {"barrier": 0.5, "dipole_length": 3e-9}
    )
    ions = {"ions.density": "4e25 1/m^3", "ions.activation_energy": "0.6 eV", "ions.initial": "uniform"}
    drive = {"kind": "hold", "voltage": "0.4 V", "duration": "1 s"}
    case = loop_of().replace(STRAIGHT).replace({
        "device.film.polarisation": polar, "drive": drive, "numerics.rtol": 1e-4, "numerics.atol": 1e-7, **ions,
        **screened(0.08, 0.08)})  # fmt: skip
    ds = otjdd.run(case)
    film = film_of(polar, left=4.0 * SCREENING, right=4.0 * SCREENING, vacancies=4e25, cells=12, sites=1e28,
                   prefactor=1e-7, activation_energy=0.6)  # fmt: skip
    own = answer(ds, film, rtol=1e-8)
    assert distance(ds, own, 0.02) < 2e-3
    assert np.ptp(own.P) > 0.01


@needs_speed
def test_heat_turns_the_field_within_a_hold():
    """The current warms the film until vacancies hop. The own equations take the recorded temperature."""
    polar = {"law": "merz-kai", "saturation": 0.02, "offset_field": 1.1e7, "initial": -1.0, "time": 1e-7,
             "activation_field": 1e7, "dimension": 1.0}  # fmt: skip
    changes = {"ions.density": "4e25 1/m^3", "ions.activation_energy": "0.53 eV", "device.conducting_fraction": 1e-6,
               "device.left.barrier": "0.5 eV", "device.right.barrier": "0.5 eV"}  # fmt: skip
    heat = {"resistance": "1.2e8 K/W", "time_constant": "100 us"}
    drive = {"kind": "hold", "voltage": "0.4 V", "duration": "10 ms"}
    case = loop_of().replace(STRAIGHT).replace({
        "device.film.polarisation": polar, "drive": drive, "numerics.rtol": 1e-4, "numerics.atol": 1e-7, **changes,
        "device.heat": heat, **screened(0.08, 0.08)})  # fmt: skip
    ds = otjdd.run(case)
    ds = ds.isel(time=slice(1, None))  # two records at 0 s: before and after the jump of the voltage
    t, T = ds.time.values, ds.junction_temperature.values
    power = (ds.conduction_current * ds.junction_voltage).values
    own_rise = solve_ivp(lambda now, rise: (1.2e8 * np.interp(now, t, power) - rise) / 1e-4, (0.0, t[-1]), [0.0], "LSODA",
                         t_eval=t, rtol=1e-8, atol=1e-9).y[0]  # fmt: skip
    np.testing.assert_allclose(T - 300.0, own_rise, atol=5e-3 * np.ptp(T))
    film = film_of(polar, left=4.0 * SCREENING, right=4.0 * SCREENING, vacancies=4e25, cells=12, sites=1e28,
                   prefactor=1e-7, activation_energy=0.53)  # fmt: skip
    own = answer(ds, film, temperature=lambda now: float(np.interp(now, t, T)), rtol=1e-8)
    assert len(own.turns) == 2
    assert len(answer(ds, film, rtol=1e-8).turns) == 1
    assert np.ptp(own.P[t > own.turns[1]]) > 2e-3
    assert distance(ds, own, 0.02) < 3e-3


def test_the_own_equations_know_their_closed_forms():
    """A constant field, and the field at which a ramp turns half of two levels."""
    film = film_of(MERZ | {"initial": -1.0})
    t = np.linspace(0.0, 1e-3, 7)
    tau = 1e-8 * math.exp(6e8 / 1.5e8)
    expected = 0.1 - 0.2 * np.exp(-((t / tau) ** 2))
    np.testing.assert_allclose(solve(film, [0.0, 1e-3], [1.5, 1.5], t).P, expected, atol=1e-9)
