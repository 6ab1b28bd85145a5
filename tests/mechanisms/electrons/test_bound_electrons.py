"""Electrons that vacancies hold: shares, slopes, rest, free energy, another integrator, small signals."""

import math

import numpy as np
import pytest
from devices import begin, case, conducted, lumpy, needs_speed
from layered import between_metals, layer

from otjdd.compiler.pointer_tuples import Row
from otjdd.errors import Status
from otjdd.mechanisms.electrons.density import (
    BARE,
    BY_BAND,
    BY_VOLTAGE,
    BY_WEIGHT,
    ELECTRONS,
    HELD_LEFT,
    HELD_RIGHT,
    LEFT,
    densities,
    film_electrons,
)
from otjdd.mechanisms.electrons.search import static_stack
from otjdd.physics.columns import close_all
from otjdd.physics.ion_fluxes import bind, fluxes_of, held_share, linear_fluxes
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import CLOSURE_TOLERANCE, new_state
from otjdd.physics.rest import rest_column, rest_parts
from otjdd.physics.state import copy_state
from otjdd.solver import integrate, model
from validation.reliability.devices import drawn, random_stack

LEVEL = 0.05  # eV below the band
STATES = {"device__film__electrons": "balance", "device__film__density_of_states": "1e26 1/m^3"}
FILM = STATES | {"device__film__cells": 12, "device__transmission": "wkb", "device__left__barrier": "0.5 eV"}
BOUND = FILM | {"ions__ionisation_energy": LEVEL, "ions__density": "1e27 1/m^3"}


@pytest.mark.parametrize("depth", [-30.0, -1.0, 0.0, 2.5, 30.0])
def test_two_spins_share_a_level(depth):
    with_one, without = held_share(depth)
    assert with_one / without == pytest.approx(2.0 * math.exp(depth), rel=1e-14)
    assert with_one + without == pytest.approx(1.0, rel=1e-15)


def test_slopes_of_the_electrons_that_vacancies_hold():
    N, kT, V, step = 16, 0.0259, 0.4, 1e-6
    rng = np.random.default_rng(3)
    U, w, c = rng.uniform(-0.5, 0.2, N + 2), rng.uniform(0.05, 0.95, N), 1e26 * rng.uniform(0.5, 2.0, N)
    electrons = film_electrons(1e26, LEVEL)

    def rows(dU=0.0, dw=0.0, dV=0.0):
        n = np.zeros((ELECTRONS, N))
        n[5], n[6] = w + dw, 1.0 - w - dw
        densities(electrons, kT, V + dV, U + dU, n, (0, N), True)
        bind(electrons, kT, V + dV, U + dU, c, n)
        return n

    here = rows()
    for row, move in ((BY_BAND, {"dU": step}), (BY_WEIGHT, {"dw": step}), (BY_VOLTAGE, {"dV": step})):
        back = {name: -size for name, size in move.items()}
        change = (rows(**move)[: LEFT + 1].sum(axis=0) - rows(**back)[: LEFT + 1].sum(axis=0)) / (2 * step)
        np.testing.assert_allclose(change, here[row], rtol=1e-4, atol=1e-6 * np.abs(here[row]).max())
    np.testing.assert_allclose(here[HELD_RIGHT] + here[HELD_LEFT] + here[BARE], 1.0, rtol=1e-14)


def test_a_level_far_above_the_band_holds_nothing():
    alone, bound = (begin(case(**FILM, **more), voltage=0.6) for more in ({}, {"ions__ionisation_energy": "-2 eV"}))
    for run in (alone, bound):
        integrate.follow_piece(run, 1e-7, 0.6, 0.6)
    np.testing.assert_allclose(bound.state.c, alone.state.c, rtol=1e-9)


@pytest.mark.parametrize("V", [0.0, 0.3])
def test_at_rest_no_vacancy_moves(V):
    film = case(**BOUND, ions__well_right="0.3 eV", ions__site_density="1e30 1/m^3")  # few sites are full
    junction = model.junction(film)
    c = 5.0 * lumpy(junction, np.random.default_rng(1), 0.3)
    state, J = new_state(junction), np.zeros(13)
    state.c[:] = c
    assert rest_column(junction, state, 0, V, rest_parts(junction, 0, c[0])) > 0
    rest, width, distance = state.c[0], junction.columns.width[0], junction.columns.distance[0]
    assert (rest * width).sum() == pytest.approx((c[0] * width).sum(), rel=1e-12)
    fluxes_of(junction, state, 0, new_factors(12), J)
    one_way = junction.columns.diffusivity[0, 1:-1] * np.maximum(rest[1:], rest[:-1]) / distance[1:-1]
    assert np.abs(J[1:-1] / one_way).max() < 1e-11
    assert state.electrons[0, HELD_RIGHT].max() > 0.1  # of the vacancies


RIM = {"site_density": "2e28 1/m^3", "activation_energy": "0.5 eV", "prefactor": "5e-7 m^2/s", "hop_distance": "0.3 nm"}
UNLIKE = (
    layer(1.0, 8, density_of_states=1e26, interface_barrier=0.55, **RIM),
    layer(
        1.2, 9, density_of_states=4e26, band_offset=-0.15, **RIM | {"site_density": "5e28 1/m^3", "site_energy": 0.05}
    ),
    layer(0.8, 8, density_of_states=2e25, band_offset=0.1, permittivity={"law": "linear", "eps_r": 60.0}, **RIM),
)


def unlike_layers(V, spread):
    """Junction and solved state at V [V] of a film of three unlike layers whose vacancies hold electrons."""
    film = between_metals(*UNLIKE).replace({"device.film.electrons": "balance", "ions.ionisation_energy": LEVEL})
    film = film.replace({"device.left.barrier": "0.2 eV", "device.right.barrier": "0.0 eV", "ions.density": 5e26})
    junction = model.junction(film)
    state = new_state(junction)
    state.c[:] = 2.0 * lumpy(junction, np.random.default_rng(2), spread)
    assert close_all(junction, state, V, CLOSURE_TOLERANCE) == Status.DONE
    return junction, state


def test_vacancies_of_layers_come_to_rest_at_one_electrochemical_potential():
    """With f and the sites of each layer: c/(n - c) (1 - f) exp((W - z phi)/kT) is one number, and nothing moves."""
    junction, state = unlike_layers(0.0, 0.1)
    assert rest_column(junction, state, 0, 0.0, rest_parts(junction, 0, state.c[0].copy())) > 0
    N, kT, columns = state.c.shape[1], junction.kT[0], junction.columns
    J, c = np.zeros(N + 1), state.c[0]
    fluxes_of(junction, state, 0, new_factors(N), J)
    one_way = state.diffusivity[0, 1:-1] * np.maximum(c[1:], c[:-1]) / columns.distance[0, 1:-1]
    assert np.abs(J[1:-1]).max() < 1e-9 * one_way.max()
    phi = -np.concatenate(([0.0], np.cumsum(columns.distance[0, 1:-1] * state.E[0, 1:-1])))
    site = np.concatenate(([0.0], np.cumsum(columns.site[0, 1:-1])))
    level = np.log(c / (1.0 / columns.crowding[0] - c) * state.electrons[0, BARE])
    level += (site + junction.ions[0].z * phi) / kT
    np.testing.assert_allclose(level, level[0], atol=1e-8)
    assert state.electrons[0, HELD_RIGHT].min() < 0.1 < 0.3 < state.electrons[0, HELD_RIGHT].max()


@pytest.mark.parametrize("V", [0.3, -0.4])
def test_pull_of_the_electrons_is_the_derivative_of_the_flux(V):
    junction, state = unlike_layers(V, 0.3)
    N, step, both = state.c.shape[1], 1e-6, []
    pull = linear_fluxes(junction, state, 0)[2][1:-1]
    for sign in (1.0, -1.0):  # ln(1 - f) behind every other face, so that each face feels one of its cells alone
        of_parity = []
        for first in (0, 1):
            moved, J = new_state(junction), np.zeros(N + 1)
            copy_state(state, moved)
            moved.electrons[0, BARE, first::2] *= math.exp(sign * step)
            fluxes_of(junction, moved, 0, new_factors(N), J)
            of_parity.append(J[1:-1])
        both.append(np.where(np.arange(1, N) % 2 == 0, *of_parity))
    np.testing.assert_allclose((both[0] - both[1]) / (2.0 * step), pull, rtol=1e-5, atol=1e-8 * np.abs(pull).max())


@needs_speed
def test_stacks_of_random_devices_are_found():
    """Numbers of `electron_stacks`; about the steps of those deep levels Newton's iteration goes around in circles."""
    rows = drawn(2000, 1)
    deep = {38: 0.77906, 283: 0.37441, 319: 0.68849, 792: 0.89367, 1098: 0.94891, 1908: 0.89186}
    for number, level in {**dict.fromkeys(range(40), 0.2), **deep}.items():
        junction, c, V = random_stack(number, rows)
        states = junction.electrons[0].density_of_states
        stack, iterations = static_stack(junction._replace(electrons=Row([film_electrons(states, level)])), 0, c, V)
        assert iterations > 0
        jump = stack.U[1:] - stack.U[:-1] - junction.columns.distance[0] * stack.E
        assert np.abs(jump).max() < 1e-11


@needs_speed
@pytest.mark.parametrize(("level", "voltages"), [("50 meV", (0.8, -0.5)), ("-20 meV", (0.4, 0.9))])
def test_another_integrator_with_its_own_equations_agrees(level, voltages):
    pytest.importorskip("sksundae")
    from validation.reliability import agreement, agreement_electrons

    film = case(**FILM | {"device__film__cells": 16}, ions__ionisation_energy=level)
    equations = agreement_electrons.ElectronEquations(film)
    compared = agreement.compared(film, equations, voltages, (1e-7, 1e-6))
    assert compared.moved > 0.5
    assert compared.error < 1e-6


@pytest.mark.parametrize("V", [0.1, -0.5])
def test_electrons_that_are_held_raise_the_band_and_lower_the_current(V):
    c = 1e27 * np.linspace(0.0, 1.0, 12) ** 2
    runs = [begin(case(**FILM, **more), c, voltage=V) for more in ({}, {"ions__ionisation_energy": LEVEL})]
    assert np.all(runs[1].state.band[0, 1:-1] > runs[0].state.band[0, 1:-1])
    assert conducted(runs[1])[0] < conducted(runs[0])[0]
