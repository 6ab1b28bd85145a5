"""One time step with electrons in the film: its order, the load line, and few electrons."""

import numpy as np
import pytest
from devices import begin, case, lumpy
from one_step import exact, methods, source, step

from otjdd.compiler.pointer_tuples import Row
from otjdd.errors import Status
from otjdd.physics.closing import bending, close_all
from otjdd.physics.conduction import along_tangent, conduct, conductance_slope
from otjdd.physics.electron_stack import MISSING
from otjdd.physics.film_electrons import film_electrons
from otjdd.physics.junction import CLOSURE_TOLERANCE, new_state
from otjdd.physics.state import copy_state
from otjdd.solver import model
from otjdd.stepping.electron_step import electron_step, film_step
from otjdd.stepping.rosenbrock import Ramp, new_trial
from otjdd.stepping.rosenbrock_methods import RODAS, RODAS5P

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
    misses, estimates, longest = [], [], 4e-8 if run.state.V[0] < 0.5 else 1e-7
    if method is RODAS5P:  # shorter steps are as exact as the reference
        longest *= 2
    for dt in (longest, longest / 2, longest / 4):
        trial = step(run, dt, ramp, method=method)
        misses.append(np.abs(trial.state.c - exact(run, dt, ramp)[0]).max() / run.state.c.mean())
        estimates.append(np.abs(trial.work.error).max() / run.state.c.mean())
        assert trial.state.V[0] == pytest.approx(run.state.V[0] + ramp * dt, rel=1e-12)
    assert misses[0] < 2e-5
    # of one step, so one more than the method's
    assert np.log2(misses[0] / misses[2]) / 2 == pytest.approx(method.order + 1.0, abs=0.7)
    assert np.log2(estimates[0] / estimates[2]) / 2 == pytest.approx(method.order, abs=0.7)


@methods
@pytest.mark.parametrize("ramp", [0.0, 1e5])
def test_many_steps_together_are_of_the_order_of_their_method(run, ramp, method):
    """Equal steps, the stack solved anew after each, as in a run."""
    junction, V, misses, duration = run.junction, run.state.V[0], [], 2e-7 if run.state.V[0] < 0.5 else 1e-6
    reference, trial = exact(run, duration, ramp)[0], new_trial(run.junction, method)
    for steps in (8, 16, 32) if method is RODAS else (4, 8, 16):  # beyond, the reference is not exact enough
        state, dt = new_state(run.junction), duration / steps
        copy_state(run.state, state)
        for i in range(steps):
            copy_state(state, trial.state)
            assert electron_step(junction, state, run.tangent, trial, Ramp(V + ramp * i * dt, ramp), dt, False)
            copy_state(trial.state, state)
            assert close_all(junction, state, V + ramp * (i + 1) * dt, CLOSURE_TOLERANCE) == Status.DONE
        misses.append(np.abs(state.c - reference).max() / reference.mean())
    assert np.log2(np.divide(misses[:-1], misses[1:])) == pytest.approx(2 * [method.order], abs=0.25)


def test_a_step_ends_near_the_stack_of_its_vacancies(run):
    """D and band are part of the step, and of its order: the closing Newton begins where it almost ends."""
    trial = step(run, 1e-8)
    U, D = trial.state.band.copy(), trial.state.D.copy()
    assert close_all(run.junction, trial.state, run.state.V[0], CLOSURE_TOLERANCE) == Status.DONE
    np.testing.assert_allclose(U[:, 1:-1], trial.state.band[:, 1:-1], atol=1e-6)
    np.testing.assert_allclose(D, trial.state.D, atol=1e-6)


@pytest.mark.parametrize("V", [0.3, 0.9])
def test_slope_of_the_conductance_by_the_voltage(V):
    """The electrons follow the voltage, and the current sees their charges."""
    run, logs = begin(case(**ELECTRONS, circuit__series_resistance=1.0), voltage=V), []
    state = new_state(run.junction)
    copy_state(run.state, state)
    assert conduct(run.junction, state, run.tangent, True)
    slope = conductance_slope(run.junction, state, run.tangent)
    for side in (1, -1):
        assert close_all(run.junction, state, run.state.V[0] + side * 1e-4, CLOSURE_TOLERANCE) == Status.DONE
        along_tangent(run.junction, state, run.tangent)
        logs.append(np.log(state.G[0]))
    assert (logs[0] - logs[1]) / 2e-4 == pytest.approx(slope, rel=1e-5)
    copy_state(run.state, state)
    state.lines[MISSING] = np.nan  # as a stack leaves it that did not close
    assert conductance_slope(run.junction, state, run.tangent) == pytest.approx(slope, rel=1e-3)
    evaluated = []
    for side in (1, -1):
        assert close_all(run.junction, state, run.state.V[0] + side * 1e-4, CLOSURE_TOLERANCE) == Status.DONE
        assert conduct(run.junction, state, run.tangent, False)
        evaluated.append(np.log(state.G[0]))
    assert (evaluated[0] - evaluated[1]) / 2e-4 == pytest.approx(slope, rel=1e-3)


def either(run, dt, ramp, negligible):
    """Where a step of either kind leads: the trial, before its stack is closed."""
    trial = new_trial(run.junction)
    copy_state(run.state, trial.state)
    assert film_step(run.junction, run.state, run.tangent, trial, Ramp(source(run), ramp), dt, False, negligible)
    return trial


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


def test_a_step_with_too_few_electrons_to_matter_leaves_them_out_and_ends_with_them():
    film = case(**ELECTRONS, **TWO)
    run = begin(film, lumpy(model.junction(film), np.random.default_rng(4), 0.3), voltage=-1.2)
    most = max(bending(run.junction, run.state, k) for k in range(2))
    assert 0.0 < most < 1e-9
    without, whole = either(run, 1e-6, 0.0, 1e-9), step(run, 1e-6)
    assert np.abs(whole.state.c - run.state.c).max() > 1e-3 * run.state.c.mean()
    assert not np.array_equal(without.state.c, whole.state.c)
    np.testing.assert_allclose(without.state.c, whole.state.c, rtol=1e-8)
    for trial in (without, whole):
        assert close_all(run.junction, trial.state, run.state.V[0], CLOSURE_TOLERANCE) == Status.DONE
    np.testing.assert_allclose(without.state.band, whole.state.band, atol=1e-8)
    np.testing.assert_allclose(without.state.electrons[:, :2], whole.state.electrons[:, :2], rtol=1e-5)


def test_a_step_that_ends_with_electrons_is_taken_with_them():
    run = begin(case(**ELECTRONS), voltage=-1.2)
    trial, whole = either(run, 1e-9, 1.6e9, 1e-9), step(run, 1e-9, 1.6e9)
    np.testing.assert_array_equal(trial.state.c, whole.state.c)
    np.testing.assert_array_equal(trial.state.band, whole.state.band)
