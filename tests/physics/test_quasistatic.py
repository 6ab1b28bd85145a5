"""Closure and circuit at frozen ions: what is lost in the circuit, the tangent of the current, the junction voltage."""

import math

import numpy as np
import pytest
from devices import COLUMNS, SMALL, begin, case, lumpy, needs_speed

from otjdd.case.case import parse_case
from otjdd.physics import quasistatic, stepper
from otjdd.physics.numerics import add_up


def settled(V_source, guess=None, **changes):
    """A run with random ions in two columns, settled at a source voltage from a guess of V_j, its tangent laid there."""
    run = begin(case(**SMALL, **COLUMNS, **changes))
    run.state.c[:] = lumpy(run.junction, np.random.default_rng(2), 0.3)
    guess = 0.5 * V_source if guess is None else guess
    assert solve(run, V_source, guess) == quasistatic.DONE
    return run


def solve(run, V_source, guess):
    allowed = stepper.slack(run.control)
    return quasistatic.settle(
        run.junction, run.state, V_source, guess, run.panels, run.tangent, allowed, quasistatic.TRUST
    )


def conducted(run):
    """Conductances of all columns [S] at the state of a run, evaluated anew; the run is left as it is."""
    copy = quasistatic.new_state(*run.state.c.shape)
    quasistatic.copy_state(run.state, copy)
    panels = np.full_like(run.panels, np.nan)
    assert quasistatic.conduct(run.junction, copy, panels, run.tangent, False)
    return copy.G


def test_the_current_that_loses_a_voltage_is_the_inverse_of_the_loss():
    junction = begin(case(**SMALL, circuit__series_resistance=50.0, circuit__compliance=1e-3)).junction
    for current in (1e-9, 1e-5, 0.999e-3, 1.001e-3, 1.5e-3):
        lost, slope = quasistatic.drop(junction, current)
        assert quasistatic.current_of(junction, lost) == pytest.approx(current, rel=1e-12)
        assert quasistatic.drop(junction, -current) == (-lost, slope)
        above, below = quasistatic.drop(junction, current * 1.0001)[0], quasistatic.drop(junction, current * 0.9999)[0]
        assert slope == pytest.approx((above - below) / (2e-4 * current), rel=1e-9)
    assert quasistatic.drop(junction, 1e-3)[0] == pytest.approx(0.05)
    assert quasistatic.drop(junction, 1.001e-3)[0] == pytest.approx(1.05005)  # 1 V for a thousandth of the limit


def test_steps_of_the_junction_voltage_are_exact_for_a_resistor_and_for_a_power_of_the_voltage():
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


@pytest.mark.parametrize("guess", [-0.1, 0.0, 0.01, 0.5, 0.89, 0.9])
@pytest.mark.parametrize("limits", [{"circuit__series_resistance": 50.0}, {"circuit__compliance": 1e-4}])
def test_circuit_and_closure_hold_wherever_the_search_begins(guess, limits):
    run = settled(0.9, guess, **limits)
    V, current = run.state.V[0], run.state.V[0] * add_up(run.state.G)
    assert 0.0 < V < 0.9
    assert V + quasistatic.drop(run.junction, current)[0] == pytest.approx(0.9, abs=2e-9)
    np.testing.assert_allclose(run.state.G, conducted(run), rtol=1e-4)
    closed = run.state.D_right.copy()
    assert quasistatic.close_all(run.junction, run.state, V, 0.0)
    np.testing.assert_allclose(run.state.D_right, closed, rtol=1e-11)


def test_an_evaluated_current_is_carried_along_its_tangent_and_evaluated_anew_farther_off():
    run = settled(0.9, circuit__series_resistance=50.0)
    laid = run.tangent.V[0]
    assert solve(run, 0.9 + 1e-5, run.state.V[0]) == quasistatic.DONE
    assert run.tangent.V[0] == laid
    np.testing.assert_allclose(run.state.G, conducted(run), rtol=5e-5)
    assert solve(run, 0.7, run.state.V[0]) == quasistatic.DONE
    assert run.tangent.V[0] < laid
    np.testing.assert_allclose(run.state.G, conducted(run), rtol=1e-4)


def test_the_tangent_follows_voltage_charge_and_ions():
    run = settled(0.9, circuit__series_resistance=50.0)
    state, tangent = run.state, run.tangent
    assert quasistatic.conduct(run.junction, state, run.panels, tangent, True)
    assert quasistatic.along_tangent(run.junction, state, tangent) == 0.0
    small = 1e-4 * np.random.default_rng(5).uniform(-1.0, 1.0, state.c.shape)
    state.c[:] *= 1.0 + small
    V, G = state.V[0] + 1e-4, state.G.copy()
    assert quasistatic.close_all(run.junction, state, V, 0.0)
    change = quasistatic.along_tangent(run.junction, state, tangent)
    exact = np.log(conducted(run) / G)
    assert np.abs(exact).max() > 1e-4
    np.testing.assert_allclose(np.log(state.G / G), exact, atol=0.02 * np.abs(exact).max())
    assert np.abs(exact).max() <= change < 1.0
    state.V[0] = V + 60.0 / abs(tangent.by_V).min()
    assert quasistatic.along_tangent(run.junction, state, tangent) == math.inf


def test_slope_of_the_conductance_at_frozen_ions_is_its_derivative():
    run = settled(0.9, circuit__series_resistance=50.0)
    assert quasistatic.conduct(run.junction, run.state, run.panels, run.tangent, True)
    slope, V, totals = quasistatic.conductance_slope(run.junction, run.state, run.tangent), run.state.V[0], []
    for side in (V - 1e-4, V + 1e-4):
        assert quasistatic.close_all(run.junction, run.state, side, 0.0)
        totals.append(conducted(run).sum())
    assert slope == pytest.approx(math.log(totals[1] / totals[0]) / 2e-4, rel=1e-2)


def test_blur_is_what_an_error_of_the_current_moves_the_junction_voltage_by():
    run = settled(0.9, circuit__series_resistance=50.0)
    told, V, tolerance = quasistatic.blur(run.junction, run.state, run.tangent), run.state.V[0], 1e-3
    wrong = run.junction._replace(supply=run.junction.supply * (1.0 + tolerance))
    run.tangent.V[0] = math.nan
    status = quasistatic.settle(wrong, run.state, 0.9, V, run.panels, run.tangent, 0.0, quasistatic.TRUST)
    assert status == quasistatic.DONE
    moved = abs(run.state.V[0] - V) / tolerance * run.junction.energy_tolerance
    assert told == pytest.approx(moved, rel=0.03)


def test_no_current_passes_at_no_voltage_and_one_that_nothing_asked_for_is_evaluated():
    run = begin(case(**SMALL))
    run.state.G[:] = -1.0
    assert quasistatic.ensure_current(run.junction, run.state, run.panels, run.tangent) == quasistatic.DONE
    assert list(run.state.G) == [0.0]
    assert solve(run, 0.4, 0.4) == quasistatic.DONE
    assert quasistatic.ensure_current(run.junction, run.state, run.panels, run.tangent) == quasistatic.DONE
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


def test_a_film_too_thick_for_any_electron_has_a_flat_tangent():
    thick = {"device__film__thickness": 5e-8, "device__left__barrier": 3.0, "device__film__tunnelling_mass": 9.0}
    run = begin(case(**SMALL, **thick, temperature=20.0))
    run.state.c[:] *= 1e-6
    assert quasistatic.close_all(run.junction, run.state, 0.01, quasistatic.CLOSURE_TOLERANCE)
    assert quasistatic.conduct(run.junction, run.state, run.panels, run.tangent, True)
    assert run.state.G[0] == run.tangent.by_V[0] == run.tangent.by_D[0] == 0.0
    assert not run.tangent.by_S.any()


@needs_speed
@pytest.mark.parametrize("compliance", ["10 mA", "20 mA", "40 mA"])
def test_a_junction_voltage_is_found_from_any_guess_and_any_tangent_however_wavy_the_current(compliance):
    """From 7 of 100 guesses far tangents lead around in circles, or out of their reach."""
    run, V = begin(parse_case(WAVY).replace(**{"circuit.compliance": compliance})), 14.0
    tangent, allowed = quasistatic.new_tangent(*run.state.c.shape), stepper.slack(run.control)
    for guess in np.random.default_rng(1).uniform(0.0, V, 100):
        state = quasistatic.new_state(*run.state.c.shape)
        quasistatic.copy_state(run.state, state)
        panels = np.full_like(run.panels, np.nan)
        status = quasistatic.settle(run.junction, state, V, guess, panels, tangent, allowed, quasistatic.FARTHEST)
        assert status == quasistatic.DONE
        lost = quasistatic.drop(run.junction, state.V[0] * add_up(state.G))[0]
        assert state.V[0] + lost == pytest.approx(V, abs=allowed)
