"""The charge of the left terminal of films with electrons, against drift and diffusion with dynamics of their own."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, needs_speed
from own_drift_diffusion import Film

from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons import step
from otjdd.physics.charging import charge_between
from otjdd.solver import integrate, linear_response

EMPTIER = 100.0  # density of states over that of the reference, at equal densities: Boltzmann's statistics then hold
FILMS = {  # m, eV, eV, K, vacancies [1/m3]
    "thick": (10e-9, 0.5, 0.3, 300.0, 1e25),
    "thin": (3e-9, 0.3, 0.4, 300.0, 1e26),
    "cold": (10e-9, 0.12, 0.08, 77.0, 1e25),
}


def both(name):
    """A film of the reference, its charge, and a run of the same."""
    thickness, left, right, T, c = FILMS[name]
    raised = BOLTZMANN_EV * T * np.log(EMPTIER)
    film = Film(thickness, left, right, states=1e27, eps_r=20.0, temperature=T)
    device = {
        "temperature": T, "device.left.barrier": left + raised, "device.right.barrier": right + raised,
        "device.film": {"thickness": thickness, "cells": 200, "grading": 1, "electrons": "balance",
                        "permittivity": {"law": "linear", "eps_r": 20}, "density_of_states": 1e27 * EMPTIER,
                        "fixed_charge": 0},
        "ions.density": c, "ions.charge": 2,
    }  # fmt: skip
    return film, np.full(film.x.size, 2.0 * c), begin(case(BETWEEN_METALS, **device))


def charge(run):
    """Charge of the left terminal [C/m2]."""
    return run.state.D_left[0] - ELEMENTARY_CHARGE * step.from_left(run.junction, run.state, 0)


@needs_speed
@pytest.mark.parametrize("name", FILMS)
def test_the_capacitance_is_that_of_drift_and_diffusion(name):
    (film, fixed, run), other = both(name), both(name)[2]
    # cold, V > 0: the right contact lies up to 35 kT above the band. There the mean of two occupations is not that of one
    # level between them: the densities differ from those of drift and diffusion
    for V in (0.0, -0.1, -0.2, -0.4) if name == "cold" else (0.0, 0.1, 0.3, 0.4, -0.2, -0.4):
        integrate.jump(run, V)
        charges = linear_response.linearised(run.junction, run.state, 1.0)[0].charges
        whole, at_once = film.capacitance(V, fixed)
        found = charges.answer(np.array([1e12]), False, False)[1][0].real
        assert found == pytest.approx(at_once, rel=5e-3)
        assert found == pytest.approx(whole, rel=0.05)  # with what the current lags behind the voltage
        for of, at in ((run, V - 1e-3), (other, V + 1e-3)):
            integrate.jump(of, at)
        came = charge_between(run.junction, run.state, other.state) / (2e-3 * run.junction.area)
        assert came == pytest.approx(at_once, rel=1e-2)


@needs_speed
def test_a_ramp_there_and_back_moves_the_charge_that_drift_and_diffusion_do():
    film, fixed, run = both("thick")
    before, times = charge(run), np.linspace(0.0, 2.0, 9)
    reference = film.along(lambda t: 0.4 * (1.0 - abs(1.0 - t / 1e3)), lambda t: fixed, 2e3, 1e3 * times)
    found = []
    for t in times:
        integrate.jump(run, 0.4 * (1.0 - abs(1.0 - t)))
        found.append(charge(run) - before)
    assert np.abs(np.subtract(found, reference)).max() < 3e-3 * np.ptp(reference)
    assert abs(found[-1]) < 1e-4 * np.ptp(found)
    integrate.jump(run, 0.4)
    assert charge(run) - before == pytest.approx(found[4], rel=1e-4)  # in one jump


@needs_speed
def test_a_loop_in_voltage_and_ions_pumps_the_charge_that_drift_and_diffusion_do():
    """The ions are elsewhere on the way back: the loop closes, and the charge that it moved is not zero."""
    film, fixed, run = both("thick")
    x, there = run.junction.columns.width[0].cumsum(), 1e25 * (1.0 + 0.8 * np.sin(2.0 * np.pi * film.x / 10e-9))
    moved = 1e25 * (1.0 + 0.8 * np.sin(2.0 * np.pi * (x - 0.5 * run.junction.columns.width[0]) / 10e-9))
    corners = np.array([0.0, 1e4, 2e4, 3e4, 4e4])
    reference = film.along(
        lambda t: np.interp(t, corners, [0.0, 0.4, 0.4, 0.0, 0.0]),
        lambda t: fixed + np.interp(t, corners, [0.0, 0.0, 1.0, 1.0, 0.0]) * (2.0 * there - fixed), 4e4, corners,
    )  # fmt: skip
    before, at_first, found = charge(run), run.state.c.copy(), [0.0]
    for V, c in ((0.4, at_first), (0.4, moved), (0.0, moved), (0.0, at_first)):
        run.state.c[:] = c
        integrate.jump(run, V)
        found.append(charge(run) - before)
    assert found[-1] == pytest.approx(reference[-1], rel=0.05)
    assert np.abs(np.subtract(found, reference)).max() < 5e-3 * np.ptp(reference)
    assert abs(found[-1]) > 5e-3 * np.ptp(found)


@needs_speed
@pytest.mark.parametrize(
    ("thickness", "left", "right", "c", "V"), [(4e-9, 0.52, 0.41, 1.6e26, 2.5), (11e-9, 0.28, 0.13, 1.3e25, 1.8)]
)
def test_electrons_that_come_and_go_within_a_jump_are_counted(thickness, left, right, c, V):
    """The well of the vacancies is full near 0 V, and a voltage of either sign lifts it: few are there at both ends."""
    device = {
        "device.left.barrier": left, "device.right.barrier": right, "ions.density": c, "ions.charge": 2,
        "device.film": {"thickness": thickness, "cells": 100, "electrons": "balance", "density_of_states": 1e27,
                        "permittivity": {"law": "linear", "eps_r": 20}, "fixed_charge": 0},
    }  # fmt: skip
    moved = []
    for jumps in (1, 200):
        run = begin(case(BETWEEN_METALS, **device))
        for voltage in np.linspace(0.0, V, 101):
            integrate.jump(run, voltage)
        before = charge(run)
        for voltage in np.linspace(V, -V, jumps + 1)[1:]:
            integrate.jump(run, voltage)
        moved.append(charge(run) - before)
    assert moved[0] == pytest.approx(moved[1], rel=1e-3)
