"""One time step of any film, and the same by an independent integrator of fluxes and of rates of its polarisation."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from otjdd.errors import Status
from otjdd.mechanisms.polarisation import mean_field, polarisation_at, rate_of
from otjdd.physics.columns import close_all
from otjdd.physics.ion_fluxes import fluxes_of
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import CLOSURE_TOLERANCE, hold_electrons, new_state, polarised
from otjdd.physics.state import copy_state
from otjdd.stepping.film_step import electron_step, ion_step
from otjdd.stepping.rosenbrock import RODAS, RODAS5P, Ramp, new_trial

methods = pytest.mark.parametrize("method", [RODAS, RODAS5P], ids=["rodas", "rodas5p"])
SMOOTH = {
    "ions__law": "mott-gurney", "ions__activation_energy": 0.45, "ions__prefactor": 5e-7, "device__film__cells": 8,
    "columns__count": 2, "columns__spread": {"ions.activation_energy": "10 meV"},
    "device__left__screening_length": "0.04 nm", "device__right__screening_length": "0.02 nm",
}  # fmt: skip
ELECTRONS = {  # some 1e24 1/m3
    "device__film__electrons": "balance", "device__film__density_of_states": 1e27, "device__left__barrier": 0.2,
    "device__right__barrier": 0.15,
}  # fmt: skip
TWO_LEVEL = {"law": "two-level", "saturation": 0.1, "barrier": 0.27, "dipole_length": 0.5e-9, "initial": -0.2}


def source(run) -> float:
    """Source voltage [V] at which a run was settled."""
    return float(run.state.V[0] * (1.0 + run.junction.resistance * run.state.G.sum()))


def step(run, dt, ramp=0.0, method=RODAS, charging=None):
    """Where one step leads: the trial. charging : source voltage [V] that charges the junction; none as it was settled"""
    electrons = bool(hold_electrons(run.junction))
    trial = new_trial(run.junction, method)
    copy_state(run.state, trial.state)
    advance = electron_step if electrons else ion_step
    ramp = Ramp(source(run) if charging is None else charging, ramp)
    assert advance(run.junction, run.state, run.tangent, trial, ramp, dt, charging is not None)
    return trial


def polarisation_of(junction, state, k):
    """Polarisation [C/m2] of column k by its law."""
    return polarisation_at(junction.polarisation, k, *(array[k] for array in state.progress))[0]


def unknowns(state):
    """Concentrations and progress of the polarisation of a state in a row, and their sizes."""
    y, c = np.concatenate((state.c.ravel(), state.progress.advance)), state.c
    return y, np.concatenate((np.full(c.size, c.mean()), np.full(y.size - c.size, 0.1)))


def put(junction, state, y):
    """Put such a row into a state."""
    size = state.c.size
    state.c[:] = y[:size].reshape(state.c.shape)
    if polarised(junction):
        state.progress.advance[:] = y[size : size + len(state.P)]
        state.P[:] = [polarisation_of(junction, state, k) for k in range(len(state.P))]


def rates(junction, state, V):
    """Rates of such a row, whose stack is solved at V [V]."""
    assert close_all(junction, state, V, CLOSURE_TOLERANCE) == Status.DONE
    (K, N), polar, columns = state.c.shape, junction.polarisation, junction.columns
    J, work, out, moved = np.empty(N + 1), new_factors(N), np.empty((K, N)), np.empty(state.progress.advance.size)
    for k in range(K):
        fluxes_of(junction, state, k, work, J)
        out[k] = (J[:-1] - J[1:]) / columns.width[k]
        if polarised(junction):
            E, progress = mean_field(columns.distance[k], state.E[k], polar.thickness[k]), state.progress
            moved[k] = rate_of(polar, k, junction.kT[k], progress.advance[k], progress.towards[k], E).value
    return np.concatenate((out.ravel(), moved))


def exact(run, duration, ramp=0.0):
    """Concentrations (K, N) and polarisations (K,) by an independent integrator, the stack solved at each instant."""
    junction, V, state = run.junction, float(run.state.V[0]), new_state(run.junction)
    copy_state(run.state, state)

    def rate(t, y):
        put(junction, state, y)
        return rates(junction, state, V + ramp * t)

    y, scale = unknowns(run.state)
    put(junction, state, solve_ivp(rate, (0.0, duration), y, "DOP853", rtol=1e-12, atol=1e-12 * scale).y[:, -1])
    return state.c.copy(), state.P.copy()


def assert_orders(run, method, ramp, longest, most, within):
    """Assert that a step along a ramp [V/s] is of the order of its method, and its error estimate of one lower.

    longest : step [s], beside which one of a quarter stands   most : share that its end may be off by   within : of orders
    """
    misses, estimates, V = [], [], source(run)
    for dt in (longest, longest / 4.0):
        trial, (c, P) = step(run, dt, ramp, method), exact(run, dt, ramp)
        assert trial.state.V[0] == pytest.approx(V + ramp * dt, rel=1e-12)
        misses.append([np.abs(trial.state.c - c).max() / c.mean()])
        estimates.append([np.abs(trial.work.error).max()])
        if polarised(run.junction):
            assert np.abs(P - run.state.P).max() > 1e-4
            misses[-1].append(np.abs(trial.state.P - P).max() / TWO_LEVEL["saturation"])
            estimates[-1] = [np.abs(trial.work.polar.error).max()]
    assert max(misses[0]) < most
    # of one step, so one more than the method's
    assert np.log2(np.divide(*misses)) / 2.0 == pytest.approx(method.order + 1.0, abs=within)
    assert np.log2(np.divide(*estimates)) / 2.0 == pytest.approx(method.order, abs=within)
