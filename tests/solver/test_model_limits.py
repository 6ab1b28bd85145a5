"""Limits of the model: the thermal estimate against closed forms, and a run that passes a limit and says so."""

import logging
import math
import re

import numpy as np
import pytest
from devices import JUNCTION, SMALL, case, needs_speed
from scipy.special import dawsn

import otjdd
from otjdd import variables
from otjdd.case.electrodes import Metal
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.solver import model_limits

RADIUS = 1e-5  # m
ELECTRONS = next(limit.threshold for limit in model_limits.LIMITS if limit.output == "film_electron_ratio")
OWN_TIME = RADIUS**2 / model_limits.DIFFUSIVITY


def response(time):
    """Rise over power [K/W] at times [s] after a constant power came on, as the kernels sum it up."""
    rate, weight = model_limits.response_poles(RADIUS)
    return model_limits.thermal_resistance(RADIUS) * (-np.expm1(-np.multiply.outer(time, rate)) @ weight)


@pytest.mark.parametrize("share", [1e-7, 1e-3, 0.1, 1.0, 1e3])
def test_a_constant_power_heats_as_the_closed_form_says(share):
    t = np.linspace(0.1, 1.0, 40) * share * OWN_TIME
    known = model_limits.thermal_resistance(RADIUS) * model_limits.thermal_response(t, RADIUS)
    np.testing.assert_allclose(response(t), known, rtol=0.005)


def test_the_weights_of_the_response_are_those_of_the_dawson_function():
    u = model_limits.RATES
    weight = dawsn(np.sqrt(u) * math.sqrt(math.pi) / 4.0) * 2.0 / math.pi**1.5 * math.log(u[1] / u[0])
    np.testing.assert_allclose(model_limits.WEIGHTS, weight / weight.sum(), rtol=1e-13)
    assert model_limits.WEIGHTS.shape == (model_limits.POLES,)


def test_short_and_long_pulses_heat_as_a_plane_and_as_a_disc():
    # one-dimensional conduction: 2 q sqrt(t/(pi kappa rho c)); an isothermal disc: P/(4 kappa r)
    effusivity = model_limits.CONDUCTIVITY / math.sqrt(model_limits.DIFFUSIVITY)
    plane = 2 * 4e-3 / (math.pi * RADIUS**2) * math.sqrt(5e-8 / math.pi) / effusivity
    assert 4e-3 * response(5e-8) == pytest.approx(plane, rel=0.01)
    assert plane == pytest.approx(0.58, abs=0.01)
    assert 4e-3 * response(1.0) == pytest.approx(4e-3 / (4 * 11 * RADIUS), rel=0.005)


def test_a_limit_is_told_with_what_where_how_far_and_what_to_do():
    reached = {
        "film_electron_ratio": model_limits.of_series([0.0, 0.2], [0.1, np.nan]),
        "current_density": model_limits.of_series([0.0, 0.2, 0.3], [0.0, -4e10, 1e10]),
    }
    (told,) = model_limits.exceeded_limits(reached)
    assert told.startswith("current_density: ")
    for part in ("4e+10 A m-2", "t = 0.2 s", "1e+10 A m-2", "circuit.series_resistance"):
        assert part in told
    assert model_limits.names(told) == ["current_density"]


def test_nothing_recorded_passes_no_limit():
    assert model_limits.exceeded_limits({"film_electron_ratio": model_limits.of_series([], [])}) == []


def test_a_metal_has_a_density_of_states_that_follows_temperature():
    metal = Metal(kind="metal", barrier=0.6, mass=2.0)
    assert metal.states(300.0) == pytest.approx(2**1.5 * 2.509e25, rel=1e-3)
    assert metal.states(75.0) == pytest.approx(metal.states(300.0) / 8)


SET = {"drive": {"kind": "pulse", "voltage": "2.6 V", "width": "1 ms"}, "device.conducting_fraction": 1e-4}


@needs_speed
def test_a_run_beyond_a_limit_says_so_once_and_goes_on(caplog):
    with caplog.at_level(logging.WARNING):
        ds = otjdd.run(case(JUNCTION, **SMALL), **SET)
    assert ds.attrs["solver_status"] == "done"
    assert float(ds.film_electron_ratio_max) >= float(ds.film_electron_ratio.max()) > ELECTRONS
    assert model_limits.names(ds.attrs["model_limits"]) == ["film_electron_ratio", "temperature_rise"]
    said = [record for record in caplog.records if record.name == model_limits.log.name]  # and not of compiling
    assert [record.args[0] for record in said] == ds.attrs["model_limits"].splitlines()


@needs_speed
def test_a_run_within_all_limits_has_an_empty_attribute(caplog):
    ds = otjdd.run(case(JUNCTION, **SMALL))
    assert ds.attrs["model_limits"] == ""
    assert [record for record in caplog.records if record.name == model_limits.log.name] == []


@needs_speed
def test_curves_at_frozen_ions_are_held_against_electrons_current_heat_and_grid():
    curve = {"kind": "iv", "voltages": ["0.1 V", "2 V"], "states": {"fresh": []}}
    changes = {"drive": curve, "device.conducting_fraction": 1.0, "circuit.series_resistance": "0 ohm"}
    ds = otjdd.run(case(JUNCTION, **SMALL), **changes)
    names = ["film_electron_ratio", "current_density", "temperature_rise", "curve_grid_error"]
    assert model_limits.names(ds.attrs["model_limits"]) == names
    assert "a bias of 2 V" in ds.attrs["model_limits"]


@needs_speed
def test_extremes_between_records_are_seen():
    pulse = {"kind": "pulse", "voltage": "2.6 V", "width": "1 ms", "fall": "1 us", "wait": "1 s"}
    changes = SET | {"drive": pulse, "circuit.series_resistance": "10 ohm", "numerics.rtol": 1e-3}
    whole = otjdd.run(case(JUNCTION, **SMALL), **changes)
    sparse = otjdd.run(case(JUNCTION, **SMALL), **changes, **{"record.every": "none"})
    assert sparse.sizes["time"] == sparse.sizes["snapshot"] == 2
    assert float(sparse.film_electron_ratio.max()) < ELECTRONS < float(sparse.film_electron_ratio_max)
    assert float(sparse.film_electron_ratio_max) == pytest.approx(float(whole.film_electron_ratio_max), rel=1e-3)
    # With every record the jump itself is one; without, the first step after it is the first instant that is watched.
    told = [re.sub(r"at t = \S+ s", "", ds.attrs["model_limits"]) for ds in (sparse, whole)]
    assert told[0] == told[1] != ""
    last = float(whole.temperature_rise[-1])
    assert float(sparse.temperature_rise[-1]) == pytest.approx(last, rel=1e-3)


@needs_speed
def test_the_rise_of_the_temperature_is_that_of_the_power():
    pulse = {"kind": "pulse", "voltage": "1.6 V", "width": "1 us", "fall": "1 us", "wait": "10 us"}
    ds = otjdd.run(case(JUNCTION, **SMALL), **SET | {"drive": pulse})
    power = ds.conduction_current.values * ds.junction_voltage.values
    t = ds.time.values
    estimated = [0.0]
    rate, weight = model_limits.response_poles(RADIUS)
    warmth = np.zeros(rate.size)
    for step, P in zip(np.diff(t), power[1:], strict=True):
        kept = np.exp(-rate * step)
        warmth = warmth * kept + P * (1 - kept)
        estimated.append(model_limits.thermal_resistance(RADIUS) * (weight @ warmth))
    np.testing.assert_allclose(ds.temperature_rise, estimated, rtol=1e-9, atol=1e-15)
    assert 0 < estimated[-1] < max(estimated)


@needs_speed
def test_a_current_that_nobody_follows_is_not_held_against_a_limit():
    changes = SET | {"circuit.series_resistance": "0 ohm", "record.every": "none"}
    ds = otjdd.run(case(JUNCTION, **SMALL), **changes)
    assert np.isnan(ds.temperature_rise.values[-1])
    assert float(ds.film_electron_ratio_max) > ELECTRONS


@needs_speed
def test_the_kernel_sees_the_lowest_place_of_the_band():
    from devices import begin

    from otjdd.solver.collect import film_bands
    from otjdd.stepping import run_log

    run = begin(case(JUNCTION, **SMALL, columns__count=2), voltage=0.7)
    for k in range(2):
        lowest = film_bands(run.junction, run.state)[k].min()
        assert run_log.lowest_band(run.junction, run.state, k) == pytest.approx(lowest, rel=1e-12)


@needs_speed
@pytest.mark.parametrize("vacancies", [1.0, 1e20])
def test_electrons_are_compared_with_those_that_bend_the_band_by_kT(vacancies):
    """Between equal metals at 0 V the band is flat, and its ends bend by e n L^2/(8 eps) below a uniform density n."""
    L, eps_r, T, depth = 3e-9, 20.0, 350.0, 0.25
    layer = {"thickness": L, "cells": 12, "permittivity": {"law": "linear", "eps_r": eps_r}}
    metal = {"kind": "metal", "barrier": depth, "screening_length": 0.0}
    changes = {
        "device.film": {"layers": [layer | {"tunnelling_mass": 0.5, "density_of_states": 1e26}] * 2},
        "device.left": metal, "device.right": metal, "temperature": T, "ions.density": vacancies,
        "drive": {"kind": "hold", "voltage": 0.0, "duration": 1e-9},
    }  # fmt: skip
    ds = otjdd.run(case(JUNCTION, **SMALL), **changes)
    kT = T * BOLTZMANN_EV
    n = 1e26 * math.exp(-depth / kT)  # Fermi-Dirac: 1e-4 more
    least = 8 * eps_r * VACUUM_PERMITTIVITY * kT / (ELEMENTARY_CHARGE * (2 * L) ** 2)
    assert float(ds.film_electron_ratio_max) == pytest.approx(n / least, rel=1e-3)
    assert float(ds.film_electron_ratio[-1]) == pytest.approx(n / least, rel=1e-3)
    assert np.all(np.abs(ds.vacancy_balance) < 1e-9)


@needs_speed
def test_the_share_of_the_sites_counts_those_of_each_layer():
    film = {"tunnelling_mass": 0.5, "permittivity": {"law": "linear", "eps_r": 20.0}, "thickness": 1e-9, "cells": 6}
    changes = {
        "device.film": {"layers": [film | {"site_density": 1e27}, film, film | {"ions": "none"}]},
        "device.left.exchange": {"rate": 1e-20, "equilibrium_density": 2e26},
        "ions.density": 2e26, "ions.site_density": 5e27, "drive": {"kind": "hold", "voltage": 0.0, "duration": 1e-9},
    }  # fmt: skip
    ds = otjdd.run(case(JUNCTION, **SMALL), **changes)
    assert float(ds.site_share) == pytest.approx(float(ds.vacancies[0]) / 6e18, rel=1e-9)
    assert float(ds.vacancies[0]) == pytest.approx(4e17, rel=1e-9)


def test_a_film_without_vacancies_has_a_row_whose_numbers_are_finite_but_for_their_position():
    from devices import begin

    from otjdd.solver import integrate
    from otjdd.stepping import run_log

    film = case(JUNCTION, **SMALL)
    run = begin(film, c=np.zeros((1, film.device.film.cells)))
    run.watch = run_log.new_watch(1e26, model_limits.unheated(RADIUS), film.device.film.cells)
    integrate.record_row(run, 0.0)
    row = np.concatenate(run.rows)[0]
    assert row[variables.BALANCE] == 0.0
    assert np.isnan(row[variables.POSITION])
    assert np.isfinite(run_log.ratio_of_columns(run.junction, run.state, run.watch))
