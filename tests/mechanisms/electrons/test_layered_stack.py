"""Electrons in films of several layers: their own derivatives, and the differential equations by scipy.

dU/dx = E(D)    dD/dx = e (z c + fixed - n)    da/dx = exp(U/kT)/N_c    w = a(x)/a(L)
n = N_c [w F(-U/kT) + (1 - w) F((-V - U)/kT)]
"""

import math

import numpy as np
import pytest
from devices import needs_speed
from layered import between_metals, layer
from scipy.integrate import quad, solve_bvp

from otjdd.errors import Status
from otjdd.mechanisms.electrons.density import LEFT, RIGHT
from otjdd.mechanisms.electrons.search import fill_displacements_by_voltage, static_stack
from otjdd.mechanisms.electrons.step import left_charge
from otjdd.physics.columns import close_all
from otjdd.physics.junction import CLOSURE_TOLERANCE, new_state
from otjdd.physics.state import copy_state
from otjdd.solver import model
from otjdd.solver.linear_response import linearised

E_CHARGE, EPS0, K_EV = 1.602176634e-19, 8.8541878128e-12, 1.380649e-23 / 1.602176634e-19
SHEET = 1e18  # 1/m2, scale of charges
UNLIKE = (
    layer(1.4, 16, density_of_states=2e25, fixed_charge=-3e25),
    layer(1.9, 20, density_of_states=4e26, band_offset=-0.25, permittivity={"law": "linear", "eps_r": 45.0}),
)
BALANCE = {"device.film.electrons": "balance"}
LOW = {"ions.density": 5e25, "device.left.barrier": "0.35 eV", "device.right.barrier": "0.05 eV"}


def stack_of(film, V, c=None):
    """Junction and static stack of a film at V [V] with concentrations c (N,), uniform ones if absent."""
    junction = model.junction(film)
    c = model.uniform(film, model.members(film))[0] if c is None else c
    stack, iterations = static_stack(junction, 0, c, V)
    assert iterations > 0
    return junction, stack


def fermi_half(eta):
    """Normalised Fermi-Dirac integral of order 1/2, by quadrature of its definition."""
    top = max(eta, 0.0) + 45.0
    value = quad(
        lambda s: 2.0 * s * s / (1.0 + np.exp(min(s * s - eta, 700.0))), 0.0, np.sqrt(top), epsabs=0.0, epsrel=1e-11
    )
    return value[0] * 2.0 / np.sqrt(np.pi)


TABLE = np.linspace(-60.0, 40.0, 20_001)


@pytest.fixture(scope="module")
def occupation():
    """F(eta) of an array, from a spline of its logarithm."""
    from scipy.interpolate import CubicSpline

    coarse = TABLE[::20]
    spline = CubicSpline(coarse, np.log([fermi_half(eta) for eta in coarse]))
    return lambda eta: np.exp(spline(np.clip(eta, -60.0, 40.0)))


def continuous(film, V, occupation):
    """Charges D(0), D(L) [C/m2] and electrons [1/m2] of a film of two linear layers with uniform ions, by scipy."""
    layers, ions, metals = film.device.film.layers, film.ions, (film.device.left, film.device.right)
    kT = K_EV * film.temperature
    elastance = [metal.screening_length / (EPS0 * metal.relative_permittivity) for metal in metals]

    def slopes(x, y, log_whole):
        rows = []
        for i, sheet in enumerate(layers):
            U, D, w, _ = y[4 * i : 4 * i + 4]
            n = sheet.density_of_states * (w * occupation(-U / kT) + (1.0 - w) * occupation((-V - U) / kT))
            rho = ions.charge * ions.density + sheet.fixed_charge - n
            rows += [
                sheet.thickness * D * E_CHARGE * SHEET / (EPS0 * sheet.permittivity.eps_r),
                sheet.thickness * rho / SHEET,
                sheet.thickness / sheet.density_of_states * np.exp(np.minimum(U / kT - log_whole[0], 300.0)),
                sheet.thickness * n / SHEET,
            ]
        return np.array(rows)

    def ends(a, b, log_whole):
        right = metals[1].barrier - elastance[1] * b[5] * E_CHARGE * SHEET
        left = metals[0].barrier - V + elastance[0] * a[1] * E_CHARGE * SHEET
        step = np.array([layers[1].band_offset, 0.0, 0.0, 0.0])
        return np.array([a[0] - left, a[2], a[3], *(a[4:] - b[:4] - step), b[4] - right, b[6] - 1.0])

    x = np.linspace(0.0, 1.0, 81)
    start = np.zeros((8, x.size))
    ends_of_band = metals[0].barrier - V, metals[1].barrier
    start[0] = ends_of_band[0] + 0.5 * x * (ends_of_band[1] - layers[1].band_offset - ends_of_band[0])
    start[4] = start[0, -1] + layers[1].band_offset + x * (ends_of_band[1] - start[0, -1] - layers[1].band_offset)
    start[2], start[6] = 0.5 * x, 0.5 + 0.5 * x
    log_whole = max(ends_of_band) / kT + math.log(sum(sheet.thickness for sheet in layers) / 1e26)
    solved = solve_bvp(slopes, ends, x, start, p=[log_whole], tol=1e-7, max_nodes=40_000)
    assert solved.status == 0, solved.message
    return np.array([*(solved.y[[1, 5], [0, -1]] * E_CHARGE * SHEET), solved.y[7, -1] * SHEET])


@needs_speed
@pytest.mark.parametrize("V", [0.0, 0.35, -0.35])
def test_charges_of_unlike_layers_are_those_of_the_differential_equations(V, occupation):
    reads = []
    for factor in (1, 3):
        layers = [sheet | {"cells": factor * sheet["cells"]} for sheet in UNLIKE]
        film = between_metals(*layers).replace(BALANCE | LOW)
        junction, stack = stack_of(film, V)
        n = (stack.electrons[RIGHT] + stack.electrons[LEFT]) @ junction.columns.width[0]
        reads.append(np.array([stack.D[0], stack.D[-1], n]))
    limit, exact = reads[1] + (reads[1] - reads[0]) / 8.0, continuous(film, V, occupation)
    scale = np.array([0.1, 0.1, 1e17])
    np.testing.assert_allclose(limit / scale, exact / scale, atol=2e-5)
    assert np.abs((reads[1] - exact) / scale).max() < 0.5 * np.abs((reads[0] - exact) / scale).max()


def in_a_well(T, V):
    """Junction and solved state at V [V] of a film with a well between two barriers, 1 eV deep."""
    rim = layer(1.2, density_of_states=1e26)
    film = between_metals(rim, layer(1.5, 14, density_of_states=1e26, band_offset=-1.0), rim | {"band_offset": 0.0})
    film = film.replace(BALANCE | {"temperature": T, "ions.density": 5e25})
    film = film.replace({"device.left.barrier": "0.5 eV", "device.right.barrier": "0.5 eV"})
    junction = model.junction(film)
    state = new_state(junction)
    state.c[0] = model.uniform(film, model.members(film))[0]
    assert close_all(junction, state, V, CLOSURE_TOLERANCE) == Status.DONE
    return junction, state


@pytest.mark.parametrize(("T", "V"), [(300.0, 0.2), (300.0, -0.2), (77.0, 0.2), (77.0, -1.0)])
def test_electrons_of_a_well_that_is_cut_off_from_both_electrodes_follow_a_signal(T, V):
    """In a well of 1 eV, 39 kT at 300 K, both contacts fill the film by the heights of two barriers of equal height."""
    junction, state = in_a_well(T, V)
    step, near = 1e-4 * T / 300.0, []
    for moved in (V - step, V + step):
        near.append(new_state(junction))
        copy_state(state, near[-1])
        assert close_all(junction, near[-1], moved, CLOSURE_TOLERANCE) == Status.DONE
    by_V, charge = np.empty(state.D.shape[1]), near[1].D_left[0] - near[0].D_left[0] + left_charge(junction, 0, *near)
    fill_displacements_by_voltage(junction, state, 0, by_V)
    np.testing.assert_allclose(by_V, (near[1].D[0] - near[0].D[0]) / (2.0 * step), rtol=1e-5, atol=1e-6 * by_V.max())
    charges = linearised(junction, state, 1.0)[0].charges
    answer = charges.answer(np.array([0.0]), moving=False, following=False)[1][0]
    assert answer.real == pytest.approx(charge / (2.0 * step), rel=1e-5)
