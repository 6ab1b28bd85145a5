"""One time step behind a series resistance, through which the junction is charged: its order, and what it charges."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, lumpy
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from otjdd.errors import Status
from otjdd.mechanisms.polarisation import begin_step, mean_field, polarisation_at, rate_of
from otjdd.physics.charging import charge_between
from otjdd.physics.columns import close_all, conduct, follow_tangent
from otjdd.physics.ion_fluxes import fluxes_of
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import CLOSURE_TOLERANCE, hold_electrons, polarised
from otjdd.physics.state import copy_state
from otjdd.solver import integrate, model
from otjdd.stepping.electron_step import electron_step
from otjdd.stepping.ion_step import ion_step
from otjdd.stepping.rosenbrock import CAME, RODAS, RODAS5P, Ramp, new_trial

SMOOTH = {
    "ions__law": "mott-gurney", "ions__activation_energy": 0.45, "ions__prefactor": 5e-7, "device__film__cells": 8,
    "columns__count": 2, "columns__spread": {"ions.activation_energy": "10 meV"},
    "device__left__screening_length": "0.04 nm", "device__right__screening_length": "0.02 nm",
    "circuit__parallel_capacitance": 2e-12, "device__conducting_fraction": 1e-9,  # of the two channels the leak
    "device__leaks": [{"kind": "poole-frenkel", "conductivity": 80.0, "barrier": 0.4, "permittivity": 5.5}],
}  # fmt: skip
ELECTRONS = {  # some 1e24 1/m3
    "device__film__electrons": "balance", "device__film__density_of_states": 1e27, "device__left__barrier": 0.2,
    "device__right__barrier": 0.15,
}  # fmt: skip
POLARISED = {
    "device__film__polarisation": {
        "law": "two-level", "saturation": 0.1, "barrier": 0.27, "dipole_length": 0.5e-9, "initial": -0.2,
    }
}  # fmt: skip
FILMS = {"ions": {}, "electrons": ELECTRONS, "polarised": POLARISED, "both": ELECTRONS | POLARISED}
V_START, JUMP = 0.2, 0.1  # V, of the junction at first, and by which the source is beyond what the current loses


def begun(film, **more):
    """Two columns of a film on the way, at V_START, and the source voltage at which nothing charges them."""
    of = case(BETWEEN_METALS, **SMOOTH, **FILMS[film], **more)
    run = begin(of, lumpy(model.junction(of), np.random.default_rng(4), 0.3))
    if polarised(run.junction):
        there = {"c": run.state.c, "P": np.array([0.012, -0.018])}
        integrate.put_memory(run.junction, run.state, there)
    assert close_all(run.junction, run.state, V_START, CLOSURE_TOLERANCE) == Status.DONE
    assert conduct(run.junction, run.state, run.tangent, True)
    begin_step(run.junction, run.state)
    return run, V_START * (1.0 + run.junction.resistance * run.state.G.sum())


def trial_of(run, source, dt, ramp, method):
    """The trial after one step of dt [s] from a source voltage [V] on."""
    electrons = bool(hold_electrons(run.junction))
    trial = new_trial(run.junction, method)
    copy_state(run.state, trial.state)
    advance = electron_step if electrons else ion_step
    assert advance(run.junction, run.state, run.tangent, trial, Ramp(source, ramp), dt, True)
    return trial


def exact(run, source, duration, ramp):
    """V_j [V], charge [C] that came and concentrations (K, N): an independent integrator of the same rates.

    The charge is a variable; the junction voltage that has it is searched for.
    """
    junction, (K, N) = run.junction, run.state.c.shape
    state = trial_of(run, source, 1e-15, 0.0, RODAS).state
    copy_state(run.state, state)
    J, work, P = np.empty(N + 1), new_factors(N), junction.polarisation
    R = junction.resistance

    def beyond(V, charge):
        assert close_all(junction, state, V, CLOSURE_TOLERANCE) == Status.DONE
        return (charge_between(junction, run.state, state) - charge) / 1e-11

    def put(y):
        state.c[:] = y[: K * N].reshape(K, N)
        if polarised(junction):
            state.progress.advance[:] = y[K * N : -1]
            of = [polarisation_at(P, k, *(array[k] for array in state.progress))[0] for k in range(K)]
            state.P[:] = of
        return brentq(beyond, -0.5, 1.0, (y[-1] * 1e-11,), xtol=1e-15, rtol=1e-14)

    def rate(t, y):
        V = put(y)
        assert close_all(junction, state, V, CLOSURE_TOLERANCE) == Status.DONE
        assert follow_tangent(junction, state, run.tangent) < 50.0
        out, moved = np.empty((K, N)), np.empty(K if polarised(junction) else 0)
        for k in range(K):
            fluxes_of(junction, state, k, work, J)
            out[k] = (J[:-1] - J[1:]) / junction.columns.width[k]
            if polarised(junction):
                E = mean_field(junction.columns.distance[k], state.E[k], P.thickness[k])
                own = rate_of(P, k, junction.kT[k], state.progress.advance[k], state.progress.towards[k], E)
                moved[k] = own.value
        charging = (source + ramp * t - V) / R - V * state.G.sum()
        return np.concatenate((out.ravel(), moved, [charging / 1e-11]))

    c = run.state.c
    y = np.concatenate((c.ravel(), run.state.progress.advance, [0.0]))
    scale = np.concatenate((np.full(c.size, c.mean()), np.full(len(y) - c.size, 0.1)))
    end = solve_ivp(rate, (0.0, duration), y, "DOP853", rtol=1e-11, atol=1e-12 * scale).y[:, -1]
    return put(end), end[-1] * 1e-11, state.c.copy()


@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize("method", [RODAS, RODAS5P], ids=["rodas", "rodas5p"])
def test_a_step_charges_the_junction_to_the_order_of_its_method(film, method):
    run, rest = begun(film, circuit__series_resistance=30.0)
    source, ramp, misses, estimates = rest + JUMP, 1e8, [], []
    longest = 1e-10 if method is RODAS else 2e-10
    for dt in (longest, longest / 2, longest / 4):
        trial = trial_of(run, source, dt, ramp, method)
        V, charge, c = exact(run, source, dt, ramp)
        assert V - V_START > 1e-4
        capacitance = charge / (V - V_START)
        misses.append([
            abs(trial.state.V[0] - V), abs(trial.work.source[CAME] - charge) / capacitance,
            np.abs(trial.state.c - c).max() / c.mean(),
        ])  # fmt: skip
        estimates.append(abs(trial.work.UV[-1]))
    assert max(misses[0]) < 1e-4
    assert np.log2(np.divide(misses[0], misses[2])) / 2.0 == pytest.approx(method.order + 1.0, abs=1.2)
    assert estimates[2] < estimates[0] / 2**4
