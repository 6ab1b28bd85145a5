"""Films of several layers: fields, hops, bands and tangents at interfaces against references that share no kernel."""

import mpmath
import numpy as np
import pytest
from devices import begin, lumpy
from layered import LINEAR, between_metals, layer, stacked
from test_tunnelling import exact_transmission

from otjdd.constants import VACUUM_PERMITTIVITY
from otjdd.physics.bands import band_profile
from otjdd.physics.channels import column_spectrum, current_by_energy
from otjdd.physics.electrostatics import displacement, edge
from otjdd.physics.ions import HOP_CODES, new_factors
from otjdd.physics.junction import FluxSlopes, faces, flux_slopes, fluxes, new_state
from otjdd.physics.state import copy_state
from otjdd.physics.tunnelling import Profile, transfer_matrix_transmission
from otjdd.solver import model
from validation.reliability.agreement_layers import random_layers

seeds = pytest.mark.parametrize("seed", range(4))


def filled(junction, rng):
    """Random concentrations (K, N) [1/m3], none in a layer without sites."""
    return np.where(junction.columns.sites > 0.0, lumpy(junction, rng, 0.5), 0.0)


def run_of(film, seed=1, V=0.3):
    """A run of a film with random ions, its stack solved at V [V]."""
    return begin(film, filled(model.junction(film), np.random.default_rng(seed)), voltage=V)


def random_film(seed):
    rng = np.random.default_rng(seed)
    return stacked(*random_layers(rng, int(rng.integers(2, 6))), ions__density=1e26)


def field_of(D, law):
    """Field [V/m] of a displacement by bisection of the law D(E)."""
    low, high = -1e11, 1e11
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if displacement(middle, law)[0] > D else (middle, high)
    return 0.5 * (low + high)


def exact_flux(junction, state, f, j):
    """Flux through the interface j at face f, from the resistances of both halves, in extended precision."""
    columns, kinds, ions, kT = junction.columns, junction.layers, junction.ions[0], mpmath.mpf(junction.kT[0])

    def half(face, law, h, cell):
        E = mpmath.mpf(field_of(state.D[0, f], law))
        a = ions.hop * columns.reach[0, face]
        u = ions.z * a * E / (2 * kT)
        g = mpmath.sinh(u) / u
        if ions.law == HOP_CODES["mott-gurney"]:
            k = 2 * columns.diffusivity[0, face] / (a * a * ions.attempt)
            g = g / mpmath.sqrt(1 + (k * mpmath.sinh(u)) ** 2)
        d = -ions.z * E * h / kT
        return d, h * mpmath.expm1(d) / d / (columns.sites[0, cell] * columns.diffusivity[0, face] * g)

    d_l, R_l = half(f - 1, junction.film[j], kinds.half_left[0, j], f - 1)
    d_r, R_r = half(f + 1, junction.film[j + 1], kinds.half_right[0, j], f)
    w = columns.site[0, f] / kT
    R = R_l + R_r * mpmath.exp(d_l + w)
    if kinds.hop[0, j] > 0.0:
        n = mpmath.sqrt(columns.sites[0, f - 1] * columns.sites[0, f])
        R += kinds.hop[0, j] / (n * columns.diffusivity[0, f]) * mpmath.exp(d_l + w / 2)
    left, right = state.c[0, f - 1] / columns.sites[0, f - 1], state.c[0, f] / columns.sites[0, f]
    return (left * (1 - right) - right * (1 - left) * mpmath.exp(d_l + w + d_r)) / R


@pytest.mark.parametrize("V", [-1.5, 0.0, 0.4, 3.0])
@seeds
def test_the_flux_through_an_interface_is_that_of_its_halves_in_series(seed, V):
    run = run_of(random_film(seed), V=V)
    junction, state, N = run.junction, run.state, run.state.c.shape[1]
    J, work = np.zeros(N + 1), new_factors(N)
    fluxes(junction, state, 0, work, J)
    assert (J[[0, -1]] == 0.0).all()
    for j, f in enumerate(junction.layers.first[1:-1]):
        if junction.columns.diffusivity[0, f] == 0.0:
            assert J[f] == 0.0
            continue
        with mpmath.workdps(40):
            expected = exact_flux(junction, state, f, j)
        assert J[f] == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("V", [-2.0, 0.5])
@seeds
def test_slopes_of_the_flux_are_its_derivatives(seed, V):
    run = run_of(random_film(seed), V=V)
    junction, state, N = run.junction, run.state, run.state.c.shape[1]
    J, slopes, work = np.zeros(N + 1), np.zeros((3, N + 1)), new_factors(N)
    flux_slopes(junction, state, 0, work, J, FluxSlopes(*slopes))
    near = new_state(junction)

    def flux_at(f, c, dD):
        copy_state(state, near)
        near.c[0] = c
        faces(junction, near, 0, state.D_right[0] + dD)  # moves all D alike
        fluxes(junction, near, 0, work, out := np.zeros(N + 1))
        return out[f]

    for f in junction.layers.first[1:-1]:
        if junction.columns.diffusivity[0, f] == 0.0:
            assert (slopes[:, f] == 0.0).all()
            continue
        step = 1e-5 * max(abs(state.D[0, f]), 1e-4)
        by_D = (flux_at(f, state.c[0], step) - flux_at(f, state.c[0], -step)) / (2.0 * step)
        one_way = abs(slopes[0, f] * state.c[0, f - 1]) + abs(slopes[1, f] * state.c[0, f])
        assert slopes[2, f] / state.eps[0, f] == pytest.approx(by_D, rel=1e-5, abs=1e-5 * one_way)
        for row, cell in ((0, f - 1), (1, f)):
            more, less = state.c[0].copy(), state.c[0].copy()
            more[cell] *= 1.001
            less[cell] *= 0.999
            assert_slope(junction, state, near, (f, cell, slopes[row, f]), (more, less))


def assert_slope(junction, state, near, place, around):
    """A slope by the concentration of a cell at held fields agrees with the difference of two fluxes."""
    (f, cell, slope), (more, less), N = place, around, state.c.shape[1]
    J = np.zeros((2, N + 1))
    for c, out in zip((more, less), J, strict=True):
        copy_state(state, near)
        near.c[0] = c
        fluxes(junction, near, 0, new_factors(N), out)
    assert slope == pytest.approx((J[0, f] - J[1, f]) / (more[cell] - less[cell]), rel=1e-8)


@pytest.mark.parametrize("V", [-1.3, 0.2, 2.0])
def test_transmission_through_unlike_masses_and_steps_is_that_of_airy_functions(V):
    film = between_metals(
        layer(0.9, 64, tunnelling_mass=0.3),
        layer(1.1, 64, tunnelling_mass=0.9, band_offset=-0.25, permittivity=LINEAR | {"eps_r": 40.0}),
        layer(0.6, 64, tunnelling_mass=0.45, band_offset=0.3, permittivity=LINEAR | {"eps_r": 9.0}),
        ions__density=1.0, numerics__current_tolerance=1e-8,
    )  # fmt: skip
    run = begin(film, voltage=V)
    junction, state, profile = run.junction, run.state, band_profile(run.junction, run.state, 0)
    U, layers = edge(junction.right[0], -state.D_right[0])[0], []
    for m in (2, 1, 0):
        length, E = film.device.film.layers[m].thickness, state.D[0, 0] / (VACUUM_PERMITTIVITY * junction.film[m].eps_r)
        layers.insert(0, (length, U - length * E, U, junction.columns.film_mass[0, m]))
        U -= length * E + (junction.columns.rise[0, junction.layers.first[m]] if m else 0.0)
    leads = (profile.bottom_left, profile.mass_left), (profile.bottom_right, profile.mass_right)
    low = max(profile.bottom_left, profile.bottom_right)
    for E in (low + 0.2, -0.1, 0.05, 0.4, 0.9):
        if E > low:
            with mpmath.workdps(80):
                expected = float(exact_transmission(layers, leads, E))
            assert transfer_matrix_transmission(profile, np.array([E]))[0] == pytest.approx(expected, rel=1e-5)
            assert transfer_matrix_transmission(cut(layers, leads), np.array([E]))[0] == pytest.approx(
                expected, rel=1e-8
            )


@pytest.mark.parametrize("V", [-1.3, 2.0])
def test_the_spectrum_of_a_picture_carries_the_current_and_ends_above_the_top_of_the_barrier(V):
    """At 2 V the band rises to the right, so that its top is the right end of a layer."""
    run = begin(between_metals(layer(0.9), layer(1.1, band_offset=0.25), ions__density=1.0), voltage=V)
    energy, density = current_by_energy(run.junction, run.state, 0)
    rise, right = run.junction.columns.rise[0].sum(), edge(run.junction.right[0], -run.state.D_right[0])[0]
    ends = right, right - run.state.E[0, -1] * 1.1e-9, right - run.state.E[0, -1] * 1.1e-9 - rise
    ends = *ends, ends[-1] - run.state.E[0, 0] * 0.9e-9
    assert energy[-1] == pytest.approx(max(ends) + 0.5, abs=1e-6)
    chord = column_spectrum(run.junction, run.state, 0, np.empty(0), False)[0].chord
    assert np.trapezoid(density, energy) == pytest.approx(chord * V, rel=0.02)


def cut(layers, leads):
    """Profile of layers of a straight band, each in many pieces."""
    n = 300
    length, mass = (np.repeat([layer[i] for layer in layers], n) for i in (0, 3))
    ends = np.array([np.linspace(layer[1], layer[2], n + 1) for layer in layers])
    (left, left_mass), (right, right_mass) = leads
    pieces = length / n, ends[:, :-1].ravel().copy(), ends[:, 1:].ravel().copy(), mass, np.zeros(len(length))
    return Profile(*pieces, left, right, left_mass, right_mass)
