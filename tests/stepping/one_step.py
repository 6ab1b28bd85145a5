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
from otjdd.stepping.electron_step import electron_step
from otjdd.stepping.ion_step import ion_step
from otjdd.stepping.rosenbrock import RODAS, RODAS5P, Ramp, new_trial

methods = pytest.mark.parametrize("method", [RODAS, RODAS5P], ids=["rodas", "rodas5p"])


def source(run) -> float:
    """Source voltage [V] at which a run was settled."""
    return float(run.state.V[0] * (1.0 + run.junction.resistance * run.state.G.sum()))


def step(run, dt, ramp=0.0, method=RODAS):
    """Where one step leads: the trial."""
    electrons = bool(hold_electrons(run.junction))
    trial = new_trial(run.junction, method)
    copy_state(run.state, trial.state)
    advance = electron_step if electrons else ion_step
    assert advance(run.junction, run.state, run.tangent, trial, Ramp(source(run), ramp), dt, False)
    return trial


def polarisation_of(junction, state, k):
    """Polarisation [C/m2] of column k by its law."""
    return polarisation_at(junction.polarisation, k, *(array[k] for array in state.progress))[0]


def exact(run, duration, ramp=0.0):
    """Concentrations (K, N) and polarisations (K,) by an independent integrator, the stack solved at each instant."""
    junction, (K, N), V = run.junction, run.state.c.shape, float(run.state.V[0])
    polar, turns = junction.polarisation, bool(polarised(junction))
    state, J, work = new_state(junction), np.empty(N + 1), new_factors(N)
    copy_state(run.state, state)

    def put(y):
        state.c[:] = y[: K * N].reshape(K, N)
        if turns:
            state.progress.advance[:] = y[K * N :]
            state.P[:] = [polarisation_of(junction, state, k) for k in range(K)]

    def rate(t, y):
        put(y)
        assert close_all(junction, state, V + ramp * t, CLOSURE_TOLERANCE) == Status.DONE
        out, moved = np.empty((K, N)), np.empty(K * turns)
        for k in range(K):
            fluxes_of(junction, state, k, work, J)
            out[k] = (J[:-1] - J[1:]) / junction.columns.width[k]
            if turns:
                E, (advance, _, towards) = (
                    mean_field(junction.columns.distance[k], state.E[k], polar.thickness[k]),
                    (array[k] for array in state.progress),
                )
                moved[k] = rate_of(polar, k, junction.kT[k], advance, towards, E).value
        return np.concatenate((out.ravel(), moved))

    start = np.concatenate((run.state.c.ravel(), run.state.progress.advance[: K * turns]))
    scale = np.concatenate((np.full(K * N, run.state.c.mean()), np.full(K * turns, 0.1)))
    put(solve_ivp(rate, (0.0, duration), start, "DOP853", rtol=1e-12, atol=1e-12 * scale).y[:, -1])
    return state.c.copy(), state.P.copy()
