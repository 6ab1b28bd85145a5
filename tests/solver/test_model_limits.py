"""Limits of the model: the thermal estimate against closed forms, and a run that passes a limit and says so."""

import logging
import math

import numpy as np
import pytest
from devices import JUNCTION, SMALL, case, needs_speed

import otjdd
from otjdd.case.device import Metal
from otjdd.solver import model_limits

RADIUS = 1e-5  # m
OWN_TIME = RADIUS**2 / model_limits.DIFFUSIVITY


@pytest.mark.parametrize("share", [1e-6, 1e-3, 0.1, 1.0, 1e3])
def test_a_constant_power_heats_as_the_closed_form_says(share):
    t = np.linspace(0.0, share * OWN_TIME, 40)
    rise = model_limits.temperature_rise(t, np.full(t.size, 4e-3), RADIUS)
    known = 4e-3 * model_limits.thermal_resistance(RADIUS) * model_limits.thermal_response(t, RADIUS)
    np.testing.assert_allclose(rise[1:], known[1:], rtol=0.005)
    assert rise[0] == 0.0


def test_short_and_long_pulses_heat_as_a_plane_and_as_a_disc():
    # one-dimensional conduction: 2 q sqrt(t/(pi kappa rho c)); an isothermal disc: P/(4 kappa r)
    effusivity = model_limits.CONDUCTIVITY / math.sqrt(model_limits.DIFFUSIVITY)
    plane = 2 * 4e-3 / (math.pi * RADIUS**2) * math.sqrt(5e-8 / math.pi) / effusivity
    short = model_limits.temperature_rise([0.0, 5e-8], [4e-3, 4e-3], RADIUS)[-1]
    assert short == pytest.approx(plane, rel=0.005)
    assert short == pytest.approx(0.58, abs=0.01)
    long = model_limits.temperature_rise([0.0, 1.0], [4e-3, 4e-3], RADIUS)[-1]
    assert long == pytest.approx(4e-3 / (4 * 11 * RADIUS), rel=0.005)


def test_what_was_heated_cools():
    t = np.array([0.0, 1e-6, 1e-6, 1e-5, 1e-3])
    rise = model_limits.temperature_rise(t, [1e-2, 1e-2, 0.0, 0.0, 0.0], RADIUS)
    assert rise[1] == rise[2] > rise[3] > rise[4] > 0.0


def test_a_limit_is_told_with_what_where_how_far_and_what_to_do():
    reached = {
        "film_electron_ratio": model_limits.of_series([0.0, 0.2], [0.1, np.nan]),
        "current_density": model_limits.of_series([0.0, 0.2, 0.3], [0.0, -4e10, 1e10]),
    }
    (told,) = model_limits.passed(reached)
    assert told.startswith("current_density: ")
    for part in ("4e+10 A m-2", "t = 0.2 s", "1e+10 A m-2", "circuit.series_resistance"):
        assert part in told
    assert model_limits.names(told) == ["current_density"]


def test_nothing_recorded_passes_no_limit():
    assert model_limits.passed({"film_electron_ratio": model_limits.of_series([], [])}) == []


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
    assert float(ds.film_electron_ratio_max) >= float(ds.film_electron_ratio.max()) > 0.3
    assert model_limits.names(ds.attrs["model_limits"]) == ["film_electron_ratio"]
    (record,) = caplog.records
    assert ds.attrs["model_limits"] in record.getMessage()


@needs_speed
def test_a_run_within_all_limits_has_an_empty_attribute(caplog):
    ds = otjdd.run(case(JUNCTION, **SMALL))
    assert ds.attrs["model_limits"] == ""
    assert caplog.records == []


@needs_speed
def test_curves_at_frozen_ions_are_held_against_current_and_heat():
    curve = {"kind": "iv", "voltages": ["0.1 V", "2 V"], "states": {"fresh": []}}
    changes = {"drive": curve, "device.conducting_fraction": 1.0, "circuit.series_resistance": "0 ohm"}
    ds = otjdd.run(case(JUNCTION, **SMALL), **changes)
    assert model_limits.names(ds.attrs["model_limits"]) == ["current_density", "temperature_rise"]
    assert "a bias of 2 V" in ds.attrs["model_limits"]
