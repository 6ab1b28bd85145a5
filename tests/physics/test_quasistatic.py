"""Closure and circuit at frozen ions: the search for the junction voltage."""

import math

import numpy as np
import pytest
from devices import SMALL, begin, case, conducted, needs_speed, settled, solve

from otjdd.case.case import parse_case
from otjdd.errors import Status
from otjdd.physics import quasistatic
from otjdd.physics.columns import close_all, ensure_current
from otjdd.physics.junction import new_state
from otjdd.physics.numerics import add_up
from otjdd.physics.quasistatic import Accuracy
from otjdd.physics.state import copy_state, new_tangent
from otjdd.stepping import step_control


def test_voltage_steps_are_exact_for_resistors_and_power_laws():
    junction = begin(case(**SMALL, circuit__series_resistance=50.0, circuit__compliance=1e-3)).junction

    def after(V, V_source, current, power):
        residual = V + quasistatic.drop(junction, current)[0] - V_source
        return V - quasistatic.correction(junction, V, V_source, current, residual, (power - 1.0) / V)

    for V in (0.01, 0.3, 0.5):  # Newton, along I = V/1000 ohm
        assert after(V, 0.6, 1e-3 * V, 1.0) == pytest.approx(0.6 * 1000 / 1050, rel=1e-12)
    # far beyond the limit, and below it where Newton shoots over: I ~ V^8 to the current that loses what is left
    for V in (0.2, 1.1):
        current = 0.3 * V**8
        left = max(1.2 - V, 0.12)
        reached = after(V, 1.2, current, 8.0)
        assert 0.3 * reached**8 == pytest.approx(quasistatic.current_of(junction, left), rel=1e-9)
    assert after(0.5, 1.0, 0.0, 8.0) == pytest.approx(1.0)  # nothing conducts, nothing is lost
    falling = after(0.5, 1.0, 9e-3 / 50.0, -200.0)  # no tangent tells the way: as if nothing were lost beside
    assert falling == pytest.approx(1.0 - 9e-3)
    still = after(0.5, 1.0, 9e-3 / 50.0, 1e-15)  # the current does not depend on V: it follows no power of it
    assert still == pytest.approx(1.0 - 9e-3)


@pytest.mark.parametrize("guess", [-0.1, 0.0, 0.01, 0.5, 0.89, 0.9])
@pytest.mark.parametrize("limits", [{"circuit__series_resistance": 50.0}, {"circuit__compliance": 1e-4}])
def test_circuit_and_closure_hold_wherever_the_search_begins(guess, limits):
    run = settled(0.9, guess, **limits)
    V, current = run.state.V[0], run.state.V[0] * add_up(run.state.G)
    assert 0.0 < V < 0.9
    lost, lost_by_current = quasistatic.drop(run.junction, current)
    rate = abs(quasistatic.conductance_slope(run.junction, run.state, run.tangent)) + 1.0 / V  # of ln I by V_j
    per_junction_volt = lost_by_current * current * rate  # beyond a compliance a million
    assert V + lost == pytest.approx(0.9, abs=max(2e-9, 2e-12 * per_junction_volt))
    np.testing.assert_allclose(run.state.G, conducted(run), rtol=1e-4)
    closed = run.state.D_right.copy()
    assert close_all(run.junction, run.state, V, 0.0) == Status.DONE
    np.testing.assert_allclose(run.state.D_right, closed, rtol=1e-11)


def test_blur_is_what_an_error_of_the_current_moves_the_junction_voltage_by():
    run = settled(0.9, circuit__series_resistance=50.0)
    told, V, tolerance = quasistatic.blur(run.junction, run.state, run.tangent, 0.0), run.state.V[0], 1e-3
    bound = quasistatic.blur(run.junction, run.state, run.tangent, 1.0)
    assert told < bound == pytest.approx(run.junction.energy_tolerance * (0.9 - V), rel=1e-6)
    run.state.supply[:] *= 1.0 + tolerance
    run.tangent.V[0] = math.nan
    status = quasistatic.settle(run.junction, run.state, run.tangent, 0.9, V, Accuracy(0.0, True))
    assert status == Status.DONE
    moved = abs(run.state.V[0] - V) / tolerance * run.junction.energy_tolerance
    assert told == pytest.approx(moved, rel=0.03)


def test_no_current_passes_at_no_voltage_and_one_that_nothing_asked_for_is_evaluated():
    run = begin(case(**SMALL))
    run.state.G[:] = -1.0
    assert ensure_current(run.junction, run.state, run.tangent) == Status.DONE
    assert list(run.state.G) == [0.0]
    assert solve(run, 0.4, 0.4) == Status.DONE
    assert ensure_current(run.junction, run.state, run.tangent) == Status.DONE
    assert run.state.V[0] == 0.4
    assert run.state.G[0] == conducted(run)[0] > 0.0


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
def test_a_junction_voltage_is_found_from_any_guess_and_tangent(compliance):
    """From 7 of 100 guesses far tangents lead around in circles, or out of their reach."""
    run, V = begin(parse_case(WAVY).replace(**{"circuit.compliance": compliance})), 14.0
    tangent, allowed = new_tangent(*run.state.c.shape, 1), step_control.voltage_slack(run.control)
    for guess in np.random.default_rng(1).uniform(0.0, V, 100):
        state = new_state(run.junction)
        copy_state(run.state, state)
        tangent.panels[:] = np.nan
        status = quasistatic.settle(run.junction, state, tangent, V, guess, Accuracy(allowed, False))
        assert status == Status.DONE
        lost = quasistatic.drop(run.junction, state.V[0] * add_up(state.G))[0]
        assert state.V[0] + lost == pytest.approx(V, abs=allowed)


# the circuit in series: the voltage lost at a current, and the current that loses a voltage


def test_the_current_that_loses_a_voltage_is_the_inverse_of_the_loss():
    junction = begin(case(**SMALL, circuit__series_resistance=50.0, circuit__compliance=1e-3)).junction
    for current in (1e-9, 1e-5, 0.999e-3, 1.001e-3, 1.5e-3):
        lost, slope = quasistatic.drop(junction, current)
        assert quasistatic.current_of(junction, lost) == pytest.approx(current, rel=1e-12)
        assert quasistatic.drop(junction, -current) == (-lost, slope)
        above, below = quasistatic.drop(junction, current * 1.0001)[0], quasistatic.drop(junction, current * 0.9999)[0]
        assert slope == pytest.approx((above - below) / (2e-4 * current), rel=1e-9)
    assert quasistatic.drop(junction, 1e-3)[0] == pytest.approx(0.05)
    assert quasistatic.drop(junction, 1.00001e-3)[0] == pytest.approx(1.0500005)  # 1 V for 1e-5 of the limit
