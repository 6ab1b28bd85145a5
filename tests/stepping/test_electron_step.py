"""One time step with electrons in the film: its order, the load line, and few electrons."""

import numpy as np
import pytest
from devices import begin, case, lumpy
from one_step import assert_orders, methods, step

from otjdd.compiler.pointer_tuples import Row
from otjdd.errors import Status
from otjdd.mechanisms.electrons.density import film_electrons
from otjdd.physics.columns import bending, close_all
from otjdd.physics.junction import CLOSURE_TOLERANCE, new_state
from otjdd.physics.state import copy_state
from otjdd.solver import model
from otjdd.stepping.rosenbrock import RODAS5P

ELECTRONS = {"device__film__electrons": "balance", "device__film__cells": 8, "device__transmission": "wkb",
             "device__conducting_fraction": 1.0}  # fmt: skip
BOUND = {"ions__ionisation_energy": "50 meV"}
TWO = {"columns__count": 2, "columns__spread": {"ions.activation_energy": "10 meV"}}


@pytest.fixture(scope="module", params=[(0.3, {}), (0.9, {}), (0.9, BOUND)], ids=["below", "above", "bound"])
def run(request):
    """Two columns with electrons: below the barrier, above it, where the weights count, and held by vacancies there."""
    voltage, more = request.param
    film = case(**ELECTRONS, **TWO, **more)
    c = lumpy(model.junction(film), np.random.default_rng(4), 0.3)
    return begin(film, c, voltage=voltage)


@methods
@pytest.mark.parametrize("ramp", [0.0, 1e5])
def test_a_step_is_of_the_order_of_its_method_and_its_error_estimate_one_lower(run, ramp, method):
    longest = 4e-8 if run.state.V[0] < 0.5 else 1e-7
    if method is RODAS5P:  # shorter steps are as exact as the reference
        longest *= 2
    assert_orders(run, method, ramp, longest, most=2e-5, within=0.7)


def test_a_step_ends_near_the_stack_of_its_vacancies(run):
    """D and band are part of the step, and of its order: the closing Newton begins where it almost ends."""
    trial = step(run, 1e-8)
    U, D = trial.state.band.copy(), trial.state.D.copy()
    assert close_all(run.junction, trial.state, run.state.V[0], CLOSURE_TOLERANCE) == Status.DONE
    np.testing.assert_allclose(U[:, 1:-1], trial.state.band[:, 1:-1], atol=1e-6)
    np.testing.assert_allclose(D, trial.state.D, atol=1e-6)


@pytest.mark.parametrize("V", [-1.5, -0.9, 0.3])
def test_electrons_bend_the_band_by_less_than_their_bound(V):
    film = case(**ELECTRONS)
    run = begin(film, lumpy(model.junction(film), np.random.default_rng(4), 0.3), voltage=V)
    few = run.junction._replace(electrons=Row([film_electrons(1e10)]))
    empty = new_state(run.junction)
    copy_state(run.state, empty)
    assert close_all(few, empty, V, CLOSURE_TOLERANCE) == Status.DONE
    moved = np.abs(run.state.band - empty.band).max()
    assert moved <= bending(run.junction, run.state, 0) + 1e-12
    assert moved >= 0.02 * bending(run.junction, run.state, 0) - 1e-12
