"""The circuit equation where the current waves with the voltage: several junction voltages solve it, one is found."""

import numpy as np
import pytest
from devices import begin, needs_speed

from otjdd.case import parse_case
from otjdd.physics import settle, stepper
from otjdd.physics.numerics import add_up

# electrons that pass 8 nm at 1 V and more are reflected at both its ends: ln I goes up and down every 0.1 to 0.3 V
WAVY = """
title = "a film thin enough for standing waves, at a source that gives way"
temperature = "105 K"
drive = {kind = "hold", voltage = "14 V", duration = "1 s"}
[circuit]
compliance = "10 mA"
[device]
radius = "3 um"
left = {kind = "metal", barrier = "1.2 eV", screening_length = "0 nm"}
[device.right]
kind = "semiconductor"
band_offset = "0.15 eV"
doping = "1e24 1/m^3"
permittivity = {law = "linear", eps_r = 200}
[device.film]
thickness = "8 nm"
cells = 64
grading = 20
permittivity = {law = "linear", eps_r = 9}
fixed_charge = "-5.4e25 1/m^3"
tunnelling_mass = 0.9
[ions]
charge = 1
density = "6.9e25 1/m^3"
site_density = "6e26 1/m^3"
law = "linear"
hop_distance = "1 nm"
attempt_frequency = "1e13 Hz"
activation_energy = "0.16 eV"
prefactor = "7e-4 m^2/s"
"""


@needs_speed
@pytest.mark.parametrize("compliance", ["10 mA", "20 mA", "40 mA"])
def test_a_junction_voltage_is_found_from_any_guess_and_any_tangent_however_wavy_the_current(compliance):
    """From 7 of 100 guesses far tangents lead around in circles, or out of their reach."""
    run, V = begin(parse_case(WAVY).replace(**{"circuit.compliance": compliance})), 14.0
    tangent, allowed = settle.new_tangent(*run.state.c.shape), stepper.slack(run.control)
    for guess in np.random.default_rng(1).uniform(0.0, V, 100):
        state = settle.new_state(*run.state.c.shape)
        settle.copy_state(run.state, state)
        panels = np.full_like(run.panels, np.nan)
        status = settle.settle(run.junction, state, V, guess, panels, tangent, allowed, settle.FARTHEST)
        assert status == settle.DONE
        lost = settle.drop(run.junction, state.V[0] * add_up(state.G))[0]
        assert state.V[0] + lost == pytest.approx(V, abs=allowed)
