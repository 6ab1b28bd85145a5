"""One time step of a polarised film with moving vacancies, with and without electrons: its order and the load line."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, lumpy
from scipy.integrate import solve_ivp

from otjdd.errors import Status
from otjdd.physics.closing import close_all, hold_electrons
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import CLOSURE_TOLERANCE, fluxes
from otjdd.physics.polarisation import mean_field, polarisation_at, rate_of
from otjdd.physics.state import copy_state, new_state
from otjdd.solver import integrate, model
from otjdd.solver.start import Start
from otjdd.stepping.electron_step import electron_step, lost_along
from otjdd.stepping.ion_step import ion_step, modelled_drop
from otjdd.stepping.polarisation_step import aim
from otjdd.stepping.rosenbrock import Ramp, new_trial
from otjdd.stepping.rosenbrock_methods import RODAS, RODAS5P

SMOOTH = {
    "ions__law": "mott-gurney", "ions__activation_energy": 0.45, "ions__prefactor": 5e-7, "device__film__cells": 8,
    "columns__count": 2, "columns__spread": {"ions.activation_energy": "10 meV"},
    "device__left__screening_length": "0.04 nm", "device__right__screening_length": "0.02 nm",
}  # fmt: skip
ELECTRONS = {  # some 1e24 1/m3
    "device__film__electrons": "balance", "device__film__density_of_states": 1e27, "device__left__barrier": 0.2,
    "device__right__barrier": 0.15,
}  # fmt: skip
LAWS = {  # that move a tenth of P_s within a nanosecond at 0.2 V
    "two-level": {"law": "two-level", "saturation": 0.1, "barrier": 0.27, "dipole_length": 0.5e-9, "initial": -0.2},
    "merz-kai": {"law": "merz-kai", "saturation": 0.1, "time": 1e-9, "activation_field": 3e7, "dimension": 2.0},
}


def polarisation_of(junction, state, k):
    """Polarisation [C/m2] of column k by its law."""
    return polarisation_at(junction.polarisation, k, *(array[k] for array in state.progress))[0]


def polarised_run(law, **changes):
    """Two columns of a polarised film on the way, at 0.2 V."""
    own = LAWS[law] | ({"offset_field": -3e8} if changes.keys() & ELECTRONS and law == "merz-kai" else {})
    film = case(BETWEEN_METALS, **SMOOTH, **changes, device__film__polarisation=own)
    run = begin(film, lumpy(model.junction(film), np.random.default_rng(4), 0.3))
    there = Start(run.state.c, polarisation=np.array([0.012, -0.018]))
    integrate.put_memory(run.junction, run.state, run.shapes, there)
    integrate.jump(run, 0.2)
    aim(run.junction, run.state)
    if law == "merz-kai":
        run.state.progress.advance[:] = 0.3, 0.5
        run.state.P[:] = [polarisation_of(run.junction, run.state, k) for k in range(2)]
        integrate.jump(run, 0.2)
    return run


def step(run, dt, ramp=0.0, coupled=False, method=RODAS):
    """Where one step leads: state, and its error estimates."""
    electrons = bool(hold_electrons(run.junction))
    trial = new_trial(*run.state.c.shape, electrons, method, polarised=True)
    copy_state(run.state, trial.state)
    V = float(run.state.V[0] * (1.0 + run.junction.resistance * run.state.G.sum()))
    advance = electron_step if electrons else ion_step
    assert advance(run.junction, run.state, run.tangent, trial, Ramp(V, ramp), dt, coupled)
    return trial.state, trial.work


def exact(run, duration, ramp=0.0):
    """Concentrations (K, N) and polarisations (K,) by an independent integrator of the same rates."""
    junction, (K, N) = run.junction, run.state.c.shape
    state = new_state(K, N, bool(hold_electrons(junction)), False, True)
    J, work, polar = np.empty(N + 1), new_factors(N), junction.polarisation
    copy_state(run.state, state)

    def put(y):
        state.c[:], state.progress.advance[:] = y[: K * N].reshape(K, N), y[K * N :]
        state.P[:] = [polarisation_of(junction, state, k) for k in range(K)]

    def rate(t, y):
        put(y)
        assert close_all(junction, state, 0.2 + ramp * t, CLOSURE_TOLERANCE) == Status.DONE
        out, moved = np.empty((K, N)), np.empty(K)
        for k in range(K):
            fluxes(junction, state, k, work, J)
            out[k] = (J[:-1] - J[1:]) / junction.columns.width[k]
            E = mean_field(junction.columns.distance[k], state.E[k], polar.thickness[k])
            moved[k] = rate_of(polar, k, junction.kT[k], state.progress.advance[k], state.progress.towards[k], E).value
        return np.concatenate((out.ravel(), moved))

    start = np.concatenate((run.state.c.ravel(), run.state.progress.advance))
    scale = np.concatenate((np.full(K * N, run.state.c.mean()), np.full(K, 0.1)))
    found = solve_ivp(rate, (0.0, duration), start, "DOP853", rtol=1e-12, atol=1e-12 * scale)
    put(found.y[:, -1])
    return state.c.copy(), state.P.copy()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("method", [RODAS, RODAS5P], ids=["rodas", "rodas5p"])
@pytest.mark.parametrize("more", [{}, ELECTRONS], ids=["without electrons", "with"])
def test_a_step_is_of_the_order_of_its_method_and_its_error_estimate_one_lower(law, method, more):
    run, misses, estimates = polarised_run(law, **more), [], []
    for dt in (4e-10, 1e-10):
        new, work = step(run, dt, 2e7, method=method)
        c, P = exact(run, dt, 2e7)
        misses.append((np.abs(new.P - P).max() / 0.1, np.abs(new.c - c).max() / run.state.c.mean()))
        estimates.append(np.abs(work.polar.error).max())
    assert np.abs(P - run.state.P).max() > 1e-4
    assert max(misses[0]) < 1e-4
    assert np.log2(np.divide(*misses)) / 2.0 == pytest.approx(method.order + 1.0, abs=1.2)
    assert np.log2(np.divide(*estimates)) / 2.0 == pytest.approx(method.order, abs=1.2)


@pytest.mark.parametrize("law", LAWS)
def test_junction_and_resistance_share_the_voltage_after_a_step(law):
    run, misses = polarised_run(law, circuit__series_resistance="20 ohm"), []
    junction, state = run.junction, run.state
    lost = state.V[0] * state.G.sum() * junction.resistance
    assert 0.0 < lost
    for dt in (4e-10, 2e-10, 1e-10):
        new, _ = step(run, dt, 1e6, coupled=True)
        passed = np.zeros((2, 9))  # vacancies that a face has seen pass
        passed[:, :-1] = np.cumsum(((new.c - state.c) * junction.columns.width)[:, ::-1], axis=1)[:, ::-1]
        moved = new.D_right - state.D_right
        after = modelled_drop(junction, state, run.tangent, True, passed, moved, new.V[0] - state.V[0], new.P)
        misses.append(abs(state.V[0] + lost + 1e6 * dt - new.V[0] - after))
    assert misses[0] < 1e-6
    assert misses[2] < misses[0] / 2**5 or misses[2] < 1e-15


def test_electrons_and_a_resistance_share_the_voltage_after_a_step():
    run, misses = polarised_run("two-level", circuit__series_resistance="20 ohm", **ELECTRONS), []
    lost = run.state.V[0] * run.state.G.sum() * run.junction.resistance
    assert lost > 0.0
    for dt in (4e-10, 2e-10, 1e-10):
        trial = new_trial(*run.state.c.shape, True, RODAS, polarised=True)
        copy_state(run.state, trial.state)
        source = float(run.state.V[0] + lost)
        assert electron_step(run.junction, run.state, run.tangent, trial, Ramp(source, 1e6), dt, True)
        after = lost_along(run.junction, run.state, run.tangent, trial, True, trial.state.V[0] - run.state.V[0])
        misses.append(abs(source + 1e6 * dt - trial.state.V[0] - after))
    assert misses[0] < 1e-6
    assert misses[2] < misses[0] / 2**5 or misses[2] < 1e-15


def test_a_polarisation_much_faster_than_a_step_ends_at_its_rest():
    run = polarised_run("two-level")
    new, _ = step(run, 1e-3)
    assert close_all(run.junction, new, 0.2, CLOSURE_TOLERANCE) == Status.DONE
    polar = run.junction.polarisation
    for k in range(2):
        E = mean_field(run.junction.columns.distance[k], new.E[k], polar.thickness[k])
        rest = 0.1 * np.tanh(E * 0.5e-9 / run.junction.kT[k])
        assert new.P[k] == pytest.approx(rest, abs=2e-3)
