"""The stack as a whole: its closure, fluxes of a column and the derivatives that the time step relies on."""

import numpy as np
import pytest
from devices import COLUMNS, case, closed, doped, lumpy

from otjdd.errors import Status
from otjdd.physics.columns import close_all
from otjdd.physics.electrostatics import edge
from otjdd.physics.ions import HOP_CODES, Hopping, flux, new_factors
from otjdd.physics.junction import (
    CLOSURE_TOLERANCE,
    FluxSlopes,
    charge_range,
    closure,
    closure_slope,
    flux_slopes,
    fluxes,
    new_state,
)
from otjdd.solver import model


def test_a_stack_without_solution_is_told():
    junction = model.junction(case(device__film__cells=12))
    state = new_state(junction)
    state.c[:] = 1e30
    assert close_all(junction, state, 0.0, CLOSURE_TOLERANCE) != Status.DONE


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_closure_is_solved_to_the_tolerance_that_is_asked_for(tolerance):
    run = closed(case(device__film__cells=12), 1, 0.0)
    junction, state = run.junction, run.state
    exact = closed(case(device__film__cells=12), 1, 0.7).state.D_right[0]
    assert close_all(junction, state, 0.7, tolerance) == Status.DONE
    mismatch = closure(junction, 0, state.D_left[0], state.D_right[0], 0.7, state.E[0])
    assert 1e-13 < abs(mismatch) <= tolerance
    slope = closure_slope(junction, 0, state.D_left[0], state.D_right[0], state.eps[0])
    assert state.D_right[0] - exact == pytest.approx(mismatch / slope, rel=0.1)


@pytest.mark.parametrize("V", [-8.0, 0.0, 2.0])
def test_closure_is_found_from_any_guess(V):
    run = closed(case(device__film__cells=12, device__film__thickness=1.2e-9), 3, V)
    junction, state = run.junction, run.state
    found = state.D_right[0]
    low, high = charge_range(junction.right[0])
    for guess in (*np.linspace(-high, -low, 9), 0.0, 1e3, -1e3):
        state.D_right[0] = guess
        assert close_all(junction, state, V, CLOSURE_TOLERANCE) == Status.DONE
        assert state.D_right[0] == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("law", HOP_CODES)
def test_fluxes_of_a_column_are_those_of_its_faces_and_none_passes_the_electrodes(law):
    film = case(
        ions__law=law, ions__well_right=0.3, ions__activation_energy_rise=0.2, device__film__cells=12, **COLUMNS
    )
    junction, rng = model.junction(film), np.random.default_rng(8)
    columns, ions, state = junction.columns, junction.ions[0], new_state(junction)
    c = state.c[:] = lumpy(junction, rng)
    for k, scale in ((0, 1e6), (1, 3e8), (1, 3e9)):
        E, J, slopes, work = state.E[k], np.full(13, np.nan), np.empty((4, 13)), new_factors(12)
        E[:] = scale * rng.standard_normal(13)
        fluxes(junction, state, k, work, J)
        flux_slopes(junction, state, k, work, slopes[0], FluxSlopes(*slopes[1:]))
        expected = np.array([
            flux(
                ions, Hopping(columns.diffusivity[k, f], columns.barrier[k, f], junction.kT[0]), c[k, f - 1], c[k, f],
                E[f], columns.distance[k, f], columns.site[k, f],
            )
            for f in range(1, 12)
        ])  # fmt: skip
        size = np.abs(expected).max(axis=0)
        np.testing.assert_allclose(slopes[:, 1:12].T / size, expected / size, rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(J[1:12], slopes[0, 1:12], rtol=1e-12)
        assert J[0] == J[12] == 0.0


def test_an_electrode_is_known_from_the_first_charge_to_the_last():
    electrode, _ = doped()
    low, high = charge_range(electrode)
    assert low < 0.0 < high
    inside, outside = (low, 0.5 * (low + high), high * (1 - 1e-12)), (low * (1 + 1e-9), high * (1 + 1e-9))
    assert np.isfinite([edge(electrode, Q)[0] for Q in inside]).all()
    assert np.isnan([edge(electrode, Q)[0] for Q in outside]).all()
    assert charge_range(model.junction(case()).left[0]) == (-100.0, 100.0)
