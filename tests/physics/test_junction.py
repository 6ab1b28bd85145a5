"""The stack as a whole: neutral, closed, mirrored, and with the derivatives that the time step relies on."""

import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, COMPILED, JUNCTION, begin, case, lumpy, mirrored
from hypothesis import given, settings
from hypothesis import strategies as st

from otjdd import model
from otjdd.physics.current import energy_panels, spectrum
from otjdd.physics.electrostatics import bent_fields, displacement, edge, field
from otjdd.physics.junction import (
    CLOSURE_TOLERANCE,
    band_profile,
    closure,
    closure_slope,
    column_spectrum,
    faces,
    log_conductance_slopes,
)
from otjdd.physics.settle import close_all, new_state
from otjdd.units import BOLTZMANN_EV, ELEMENTARY_CHARGE

STATES = 200 if COMPILED else 5


def closed(film, seed, V, junction=None):
    """A run with random ions, settled at V."""
    c = lumpy(model.junction(film), np.random.default_rng(seed))
    return begin(film, c, voltage=V, junction=junction)


@given(seed=st.integers(0, 10**6), V=st.floats(-4.3, 2.2), fixed=st.floats(-4e26, 4e26))
@settings(deadline=None, max_examples=60 if COMPILED else 5)
def test_charges_of_the_whole_stack_add_to_nothing(seed, V, fixed):
    film = case(device__film__fixed_charge=fixed, device__film__cells=12)
    run = closed(film, seed, V)
    junction, state, record = run.junction, run.state, film.device.right
    u = edge(junction.right, -state.D_right[0])[2]
    eps, kT = model.permittivity(record.permittivity), film.temperature * BOLTZMANN_EV
    bulk = model.fermi_level(record, film.temperature), kT, record.doping, record.density_of_states, eps
    in_right = math.copysign(displacement(bent_fields(np.array([u]), *bulk)[0], eps)[0], u)
    ions = ELEMENTARY_CHARGE * 2 * (state.c[0] * junction.columns.width[0]).sum()
    in_film = ions + ELEMENTARY_CHARGE * film.device.film.fixed_charge * film.device.film.thickness
    assert abs(state.D_left[0] + in_film + in_right) < 1e-10 * (abs(state.D_left[0]) + abs(ions) + abs(in_right))


@given(seed=st.integers(0, 10**6), V=st.floats(-4.3, 2.2))
@settings(deadline=None, max_examples=60 if COMPILED else 5)
def test_band_edges_close_around_the_stack(seed, V):
    run = closed(case(device__film__cells=12), seed, V)
    junction, state = run.junction, run.state
    assert abs(closure(junction, 0, state.D_left[0], state.D_right[0], V, state.E[0])) < 1e-12
    over_film = (junction.columns.distance[0] * state.E[0]).sum()
    left, right = edge(junction.left, state.D_left[0])[0], edge(junction.right, -state.D_right[0])[0]
    assert left - V + over_film == pytest.approx(right, abs=1e-12)


def test_a_stack_without_solution_is_told():
    junction, state = model.junction(case(device__film__cells=12)), new_state(1, 12)
    state.c[:] = 1e30
    assert not close_all(junction, state, 0.0, CLOSURE_TOLERANCE)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_closure_is_solved_to_the_tolerance_that_is_asked_for(tolerance):
    run = closed(case(device__film__cells=12), 1, 0.0)
    junction, state = run.junction, run.state
    exact = closed(case(device__film__cells=12), 1, 0.7).state.D_right[0]
    assert close_all(junction, state, 0.7, tolerance)
    mismatch = closure(junction, 0, state.D_left[0], state.D_right[0], 0.7, state.E[0])
    assert 1e-13 < abs(mismatch) <= tolerance
    slope = closure_slope(junction, 0, state.D_left[0], state.D_right[0], state.eps[0])
    assert state.D_right[0] - exact == pytest.approx(mismatch / slope, rel=0.1)


def test_slope_of_the_closure_is_its_derivative():
    junction, state = (
        model.junction(case(device__film__cells=12, device__left__screening_length=5e-11)),
        new_state(1, 12),
    )
    rng, (D, E, eps, guess) = np.random.default_rng(5), (state.D[0], state.E[0], state.eps[0], state.guess[0])

    def mismatch(c, y):
        left = faces(junction, 0, c, y, D, E, eps, guess)
        return closure(junction, 0, left, y, 0.3, E)

    for _ in range(STATES):
        c, y = lumpy(junction, rng)[0], rng.uniform(-0.15, 0.1)
        mismatch(c, y)
        slope = closure_slope(junction, 0, D[0], y, eps)
        assert slope > 0.0
        assert slope == pytest.approx((mismatch(c, y + 1e-6) - mismatch(c, y - 1e-6)) / 2e-6, rel=1e-5)


BETWEEN_SEMICONDUCTORS = JUNCTION.replace(
    'kind = "metal"\nbarrier = "0.7 eV"',
    'kind = "semiconductor"\nband_offset = "0.5 eV"\ndoping = "1e25 1/m^3"\npermittivity = {law = "linear", eps_r = 60}',
)


@pytest.mark.parametrize("left", ["metal", "semiconductor"])
@pytest.mark.parametrize("transmission", ["wkb", "transfer-matrix"])
def test_slopes_of_the_conductance_are_its_derivatives(transmission, left):
    tolerance = 3e-4
    text = JUNCTION if left == "metal" else BETWEEN_SEMICONDUCTORS
    film = case(text, device__transmission=transmission, device__film__cells=12)
    rng = np.random.default_rng(7)
    for trial in range(STATES):
        V = rng.uniform(-1.5, 0.7)
        run = closed(film, trial, V)
        junction, state = run.junction, run.state
        D = displacement_at_faces(state.E[0], junction)
        left, right, eps = state.D_left[0], state.D_right[0], state.eps[0]
        profile = band_profile(junction, 0, left, right, V, state.E[0])
        edges = energy_panels(profile, V, junction.kT)
        found = spectrum(junction.transmission, profile, V, junction.kT, edges)
        by_S = np.zeros(13)
        by_V, by_D = log_conductance_slopes(junction, 0, profile, found, left, right, V, state.E[0], eps, by_S)

        def value(V=V, shift=0.0, charge=None, junction=junction, D=D, left=left, right=right, edges=edges):
            moved = D + shift
            if charge is not None:
                moved[charge[0]] -= charge[1]
            E = np.array([field_of(d, junction) for d in moved])
            profile = band_profile(junction, 0, left + shift, right + shift, V, E)
            return math.log(spectrum(junction.transmission, profile, V, junction.kT, edges).chord)

        charge, f = 2 * ELEMENTARY_CHARGE, rng.integers(1, 12)
        size = tolerance * np.abs(by_S).sum() / charge
        with_left = profile.bottom_left > profile.bottom_right  # then energies count from the left electrode
        numeric = difference(by_V, lambda h: value(V=V + h, edges=edges - h if with_left else edges))  # noqa: B023
        assert by_V == pytest.approx(numeric, rel=tolerance, abs=tolerance)
        assert by_D == pytest.approx(difference(by_D, lambda h: value(shift=h)), rel=tolerance, abs=size)
        numeric = difference(by_S[f] / charge, lambda h: value(charge=(f, h)))  # noqa: B023
        assert by_S[f] / charge == pytest.approx(numeric, rel=tolerance, abs=size)


def difference(found, function):
    """Central difference at 0, of three steps the one nearest to found: a jump of the Magnus steps spoils some."""
    slopes = [(function(h) - function(-h)) / (2 * h) for h in (1e-4, 1e-5, 1e-6)]
    return min(slopes, key=lambda slope: abs(slope - found))


def displacement_at_faces(E, junction):
    return np.array([displacement(e, junction.film)[0] for e in E])


def field_of(D, junction):
    return field(D, junction.film)[0]


@pytest.mark.parametrize("V", [0.3, -1.5])
def test_mirrored_junction_has_the_mirrored_bands_and_current(V):
    film = case(device__film__cells=12, numerics__current_tolerance=1e-10)
    junction = model.junction(film)
    c = lumpy(junction, np.random.default_rng(2))
    there, back = begin(film, c, voltage=V), begin(film, c[:, ::-1], voltage=-V, junction=mirrored(junction))
    np.testing.assert_allclose(back.state.E[0, ::-1], -there.state.E[0], rtol=1e-10)
    assert back.state.D_left[0] == pytest.approx(-there.state.D_right[0], rel=1e-10)
    chords = []
    for run in (there, back):
        s = run.state
        chords.append(column_spectrum(run.junction, 0, s.D_left[0], s.D_right[0], s.V[0], s.E[0], np.empty(0))[0].chord)
    assert chords[1] == pytest.approx(chords[0], rel=1e-9)


def test_band_profile_joins_the_electrodes_where_the_closure_says():
    film = case(device__film__cells=24)
    run = closed(film, 3, -0.5)
    junction, state = run.junction, run.state
    profile = band_profile(junction, 0, state.D_left[0], state.D_right[0], -0.5, state.E[0])
    inside = junction.nodes.size - 1
    assert profile.length[:inside].sum() == pytest.approx(2.8e-9, rel=1e-12)
    u = edge(junction.right, -state.D_right[0])[2]
    assert profile.left[inside] == pytest.approx(junction.right.bottom + u, abs=2e-3)
    assert profile.right[-1] == pytest.approx(junction.right.bottom, abs=3e-3)
    assert (profile.bottom_left, profile.bottom_right) == (-4.5, junction.right.bottom)


def test_voltage_over_an_empty_film_between_metals_falls_evenly():
    film = case(BETWEEN_METALS, ions__density=1.0, device__film__fixed_charge=0.0, device__film__cells=12)
    run = begin(film, voltage=0.14)
    np.testing.assert_allclose(run.state.E[0], 0.14 / 2.8e-9, rtol=1e-12)
