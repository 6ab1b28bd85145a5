"""One time step behind a series resistance, through which the junction is charged: its order, and what it charges."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, SMALL, begin, case, lumpy
from one_step import ELECTRONS, SMOOTH, TWO_LEVEL, methods, put, rates, step, unknowns
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from otjdd.errors import Status
from otjdd.mechanisms.polarisation import begin_step
from otjdd.physics.charging import Charging, capacitance, charge_between, conduction, settle_charging
from otjdd.physics.columns import close_all, conduct, follow_tangent
from otjdd.physics.junction import CLOSURE_TOLERANCE, polarised
from otjdd.physics.quasistatic import Accuracy
from otjdd.physics.state import copy_state
from otjdd.solver import integrate, model
from otjdd.stepping.rosenbrock import CAME, RODAS

LEAKY = SMOOTH | {
    "circuit__parallel_capacitance": 2e-12, "device__conducting_fraction": 1e-9,  # of the two channels the leak
    "device__leaks": [{"kind": "poole-frenkel", "conductivity": 80.0, "barrier": 0.4, "permittivity": 5.5}],
}  # fmt: skip
POLARISED = {"device__film__polarisation": TWO_LEVEL}
FILMS = {"ions": {}, "electrons": ELECTRONS, "polarised": POLARISED, "both": ELECTRONS | POLARISED}
V_START, JUMP = 0.2, 0.1  # V, of the junction at first, and by which the source is beyond what the current loses


def begun(film, **more):
    """Two columns of a film on the way, at V_START, and the source voltage at which nothing charges them."""
    of = case(BETWEEN_METALS, **LEAKY, **FILMS[film], **more)
    run = begin(of, lumpy(model.junction(of), np.random.default_rng(4), 0.3))
    if polarised(run.junction):
        there = {"c": run.state.c, "P": np.array([0.012, -0.018])}
        integrate.put_memory(run.junction, run.state, there)
    assert close_all(run.junction, run.state, V_START, CLOSURE_TOLERANCE) == Status.DONE
    assert conduct(run.junction, run.state, run.tangent, True)
    begin_step(run.junction, run.state)
    return run, V_START * (1.0 + run.junction.resistance * run.state.G.sum())


def exact(run, source, duration, ramp):
    """V_j [V], charge [C] that came and concentrations (K, N): an independent integrator of the same rates.

    The charge is a variable; the junction voltage that has it is searched for.
    """
    junction, state = run.junction, step(run, 1e-15, charging=source).state
    copy_state(run.state, state)

    def beyond(V, charge):
        assert close_all(junction, state, V, CLOSURE_TOLERANCE) == Status.DONE
        return (charge_between(junction, run.state, state) - charge) / 1e-11

    def voltage_of(y):
        put(junction, state, y)
        return brentq(beyond, -0.5, 1.0, (y[-1] * 1e-11,), xtol=1e-15, rtol=1e-14)

    def rate(t, y):
        V = voltage_of(y)
        own = rates(junction, state, V)
        assert follow_tangent(junction, state, run.tangent) < 50.0
        return np.append(own, ((source + ramp * t - V) / junction.resistance - V * state.G.sum()) / 1e-11)

    y, scale = (np.append(row, last) for row, last in zip(unknowns(run.state), (0.0, 0.1), strict=True))
    end = solve_ivp(rate, (0.0, duration), y, "DOP853", rtol=1e-11, atol=1e-12 * scale).y[:, -1]
    return voltage_of(end), end[-1] * 1e-11, state.c.copy()


@pytest.mark.parametrize("film", FILMS)
@methods
def test_a_step_charges_the_junction_to_the_order_of_its_method(film, method):
    run, rest = begun(film, circuit__series_resistance=30.0)
    source, ramp, misses, estimates = rest + JUMP, 1e8, [], []
    longest = 1e-10 if method is RODAS else 2e-10
    for dt in (longest, longest / 2, longest / 4):
        trial = step(run, dt, ramp, method, source)
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


def test_the_circuit_is_solved_also_with_charged_traps_whose_filling_takes_time():
    """From a guess that is 30 mV off: the drop of all that the source sends, and the charge of a step of 1 ns."""
    trap = {"name": "t", "kind": "donor", "density": 1e25, "depth": 0.4, "occupation": "kinetic"}
    trap["relaxation_energy"] = 0.2
    of = case(**SMALL, device__traps=[trap], circuit__series_resistance=1e3)
    run = begin(of, voltage=V_START)
    junction, state, dt = run.junction, run.trial.state, 1e-9
    assert conduct(junction, run.state, run.tangent, True)
    copy_state(run.state, state)
    state.traps.step[0] = dt
    charging = Charging(0.0, 0.0, 1.0 / dt, capacitance(junction, state))
    source = V_START + 1e3 * conduction(run.state) + 0.05
    accuracy = Accuracy(1e-6, True)
    status = settle_charging(junction, run.state, state, run.tangent, source, V_START - 0.03, charging, accuracy)
    assert status == Status.DONE
    came = charge_between(junction, run.state, state)
    assert state.charging[0] == pytest.approx(came / dt, rel=1e-3)
    assert state.V[0] + 1e3 * (conduction(state) + state.charging[0]) == pytest.approx(source, abs=1e-5)
