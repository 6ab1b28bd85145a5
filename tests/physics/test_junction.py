"""The stack as a whole: neutral, closed, mirrored, and with the derivatives that the time step relies on."""

import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, COLUMNS, COMPILED, JUNCTION, SMALL, begin, case, lumpy, mirrored
from hypothesis import given, settings
from hypothesis import strategies as st

from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.physics.current import energy_panels, spectrum
from otjdd.physics.electrostatics import bent_fields, displacement, edge, field
from otjdd.physics.ions import LAWS, flux
from otjdd.physics.junction import (
    CLOSURE_TOLERANCE,
    band_profile,
    bent_part,
    bent_segments,
    charge_range,
    closure,
    closure_slope,
    column_spectrum,
    faces,
    film_charge,
    flux_slopes,
    fluxes,
    interface_slope,
    log_conductance_slopes,
)
from otjdd.physics.probe import transport
from otjdd.physics.quasistatic import close_all, new_state
from otjdd.solver import model

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


@pytest.mark.parametrize("V", [-8.0, 0.0, 2.0])
def test_closure_is_found_from_any_guess(V):
    run = closed(case(device__film__cells=12, device__film__thickness=1.2e-9), 3, V)
    junction, state = run.junction, run.state
    found = state.D_right[0]
    low, high = charge_range(junction.right)
    for guess in (*np.linspace(-high, -low, 9), 0.0, 1e3, -1e3):
        state.D_right[0] = guess
        assert close_all(junction, state, V, CLOSURE_TOLERANCE)
        assert state.D_right[0] == pytest.approx(found, rel=1e-12)


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


def test_field_on_both_sides_of_the_film_differs_by_the_charge_in_it():
    run = closed(case(device__film__fixed_charge=-3e26, device__film__cells=12), 1, 0.3)
    charge = film_charge(run.junction, 0, run.state.c[0])
    ions = 2 * (run.state.c[0] * run.junction.columns.width[0]).sum()
    assert charge == pytest.approx(ELEMENTARY_CHARGE * (ions - 3e26 * 2.8e-9), rel=1e-12)
    assert run.state.D_right[0] - run.state.D_left[0] == pytest.approx(charge, rel=1e-12)


@pytest.mark.parametrize("V", [-4.0, -1.5, -0.1, 0.6])
def test_current_does_not_depend_on_the_panels_that_are_handed_over(V):
    film = case(device__transmission="wkb", device__film__cells=12)

    def chord(V, panels):
        run = closed(film, 2, V)
        s = run.state
        return column_spectrum(run.junction, 0, s.D_left[0], s.D_right[0], V, s.E[0], panels)

    fresh = chord(V, np.empty(0))[0].chord
    for before in (V - 0.05, V + 0.05, V + 1.5, -V):
        panels = chord(before, np.empty(0))[2]
        assert chord(V, panels)[0].chord == pytest.approx(fresh, rel=2e-4)


BETWEEN_SEMICONDUCTORS = JUNCTION.replace(
    'kind = "metal"\nbarrier = "0.7 eV"',
    'kind = "semiconductor"\nband_offset = "0.5 eV"\ndoping = "1e25 1/m^3"\npermittivity = {law = "linear", eps_r = 60}',
)


@pytest.mark.parametrize("transmission", ["wkb", "transfer-matrix"])
@pytest.mark.parametrize("side", ["right", "left", "both"])
def test_slopes_of_the_conductance_are_its_derivatives(transmission, side):
    tolerance = 3e-4
    text = BETWEEN_SEMICONDUCTORS if side == "both" else JUNCTION
    film = case(text, device__transmission=transmission, device__film__cells=12)
    seen = mirrored if side == "left" else (lambda junction: junction)  # where the doped oxide is
    rng = np.random.default_rng(7)
    for trial in range(3 if side == "left" else STATES):
        V = rng.uniform(-1.5, 0.7) * (-1 if side == "left" else 1)
        run = closed(film, trial, V, seen(model.junction(film)))
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
    """Central difference at 0, of three steps the one nearest to found: a jump of the number of steps spoils some."""
    slopes = [(function(h) - function(-h)) / (2 * h) for h in (1e-4, 1e-5, 1e-6)]
    return min(slopes, key=lambda slope: abs(slope - found))


@pytest.mark.parametrize("law", LAWS)
def test_fluxes_of_a_column_are_those_of_its_faces_and_none_passes_the_electrodes(law):
    film = case(ions__law=law, ions__well_right=0.3, device__film__cells=12, **COLUMNS)
    junction, rng = model.junction(film), np.random.default_rng(8)
    columns, ions, c = junction.columns, junction.ions, lumpy(junction, rng)
    for k, scale in ((0, 1e6), (1, 3e8), (1, 3e9)):
        E, J, slopes, work = scale * rng.standard_normal(13), np.full(13, np.nan), np.empty((4, 13)), np.empty((6, 13))
        fluxes(junction, k, c[k], E, work, J)
        flux_slopes(junction, k, c[k], E, work, *slopes)
        D0, barrier, kT = columns.diffusivity[k], columns.barrier[k], junction.kT
        expected = np.array([
            flux(ions, c[k, f - 1], c[k, f], E[f], columns.distance[k, f], columns.site[k, f], D0, barrier, kT)
            for f in range(1, 12)
        ])  # fmt: skip
        size = np.abs(expected).max(axis=0)
        np.testing.assert_allclose(slopes[:, 1:12].T / size, expected / size, rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(J[1:12], slopes[0, 1:12], rtol=1e-12)
        assert J[0] == J[12] == 0.0


@pytest.fixture(scope="module")
def doped():
    """The doped oxide, as kernels see it and as the quadrature of its first integral does: (electrode, bulk)."""
    film = case()
    right, kT = film.device.right, film.temperature * BOLTZMANN_EV
    bulk = model.fermi_level(right, film.temperature), kT, right.doping, right.density_of_states
    return model.junction(film).right, (*bulk, model.permittivity(right.permittivity))


@pytest.mark.parametrize("u", [-0.5, -0.07, 0.03, 0.05, 0.31, 0.9])
def test_depth_of_a_bent_region_grows_by_one_over_its_field(doped, u):
    electrode, bulk = doped
    n, table, depth, slope, curvature = bent_part(electrode, u)
    assert table[0, n - 1] < abs(u) <= table[0, n]
    E = bent_fields(np.array([u]), *bulk)[0]
    assert slope == pytest.approx(1 / E, rel=1e-3)
    from_node = np.linspace(table[0, n - 1], abs(u), 201)
    rate = 1 / bent_fields(math.copysign(1.0, u) * from_node, *bulk)
    assert depth - table[1, n - 1] == pytest.approx(np.trapezoid(rate, from_node), rel=1e-3)
    step = 1e-5 * (table[0, n] - table[0, n - 1])
    up, down = (bent_part(electrode, u + s) for s in (step, -step))
    sign = math.copysign(1.0, u)
    assert slope == pytest.approx(sign * (up[2] - down[2]) / (2 * step), rel=1e-6)
    assert curvature == pytest.approx(sign * (up[3] - down[3]) / (2 * step), rel=1e-5, abs=1e-9 * slope / abs(u))


@pytest.mark.parametrize("u", [-0.5, -0.07, 0.003, 0.05, 0.31, 0.9])
def test_slope_of_a_bent_region_by_its_bending_is_that_of_its_last_piece(doped, u):
    electrode, _ = doped
    n = bent_part(electrode, u)[0]
    by = 1.3, -0.4, 2e8  # of a quantity that depends linearly on both ends and the length of the last piece

    def quantity(u):
        length, bulk_end, film_end = np.empty((3, n))
        bent_segments(electrode, u, length, bulk_end, film_end)
        return by[0] * bulk_end[-1] + by[1] * film_end[-1] + by[2] * length[-1]

    step = 1e-5 * abs(u)
    assert interface_slope(electrode, u, *by) == pytest.approx(
        (quantity(u + step) - quantity(u - step)) / (2 * step), rel=1e-5
    )


@pytest.mark.parametrize("u", [-0.5, 0.05, 0.31])
def test_pieces_of_a_bent_region_rise_with_the_band_and_keep_its_mean(doped, u):
    electrode, bulk = doped
    n, table, *_ = bent_part(electrode, u)
    length, bulk_end, film_end = np.empty((3, n))
    bent_segments(electrode, u, length, bulk_end, film_end)
    nodes, sign = np.append(table[0, :n], abs(u)), math.copysign(1.0, u)
    np.testing.assert_allclose(film_end - bulk_end, sign * np.diff(nodes), rtol=1e-12)
    for i in range(n):
        v = np.linspace(nodes[i], nodes[i + 1], 201)
        rate = 1 / bent_fields(sign * v, *bulk)  # dx/du
        assert length[i] == pytest.approx(np.trapezoid(rate, v), rel=2e-2)
        mean = np.trapezoid(v * rate, v) / np.trapezoid(rate, v)
        assert 0.5 * sign * (bulk_end[i] + film_end[i]) == pytest.approx(mean, abs=2e-2 * (nodes[i + 1] - nodes[i]))


def test_a_region_that_is_not_bent_has_no_pieces(doped):
    electrode, _ = doped
    beyond = 1.01 * electrode.depletion[0, -1]
    assert [bent_part(electrode, u)[0] for u in (0.0, beyond)] == [0, 0]
    assert interface_slope(electrode, 0.0, 1.0, 1.0, 1.0) == 0.0
    assert bent_part(model.junction(case()).left, 0.1)[0] == 0


def test_an_electrode_is_known_from_the_first_charge_to_the_last(doped):
    electrode, _ = doped
    low, high = charge_range(electrode)
    assert low < 0.0 < high
    inside, outside = (low, 0.5 * (low + high), high * (1 - 1e-12)), (low * (1 + 1e-9), high * (1 + 1e-9))
    assert np.isfinite([edge(electrode, Q)[0] for Q in inside]).all()
    assert np.isnan([edge(electrode, Q)[0] for Q in outside]).all()
    assert charge_range(model.junction(case()).left) == (-100.0, 100.0)


def test_the_currents_of_all_columns_pass_the_resistance():
    run = begin(case(**SMALL, **COLUMNS, circuit__series_resistance=50.0), voltage=0.9)
    V = run.state.V[0]
    assert V < 0.8
    assert V + 50.0 * V * transport(run.junction, run.state)[0] == pytest.approx(0.9, abs=1e-4)


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
