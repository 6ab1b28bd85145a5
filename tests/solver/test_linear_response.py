"""The linear system of a small signal: its elements are derivatives, its solution is exact to round-off."""

import mpmath as mp
import numpy as np
import pytest
from devices import COLUMNS, SMALL, begin, case, conducted, lumpy, needs_speed
from exact_response import dense, exactly_solved

from otjdd.physics import junction as equations
from otjdd.solver import integrate, linear_response


@pytest.fixture(scope="module")
def run():
    """Two columns of lumpy ions, not at rest, settled at 0.4 V."""
    made = begin(case(**SMALL, **COLUMNS))
    return begin(case(**SMALL, **COLUMNS), lumpy(made.junction, np.random.default_rng(4), 0.3), voltage=0.4)


@pytest.fixture(scope="module")
def columns(run):
    return linear_response.linearised(run.junction, run.state, 1e-10)


def answers(run, k, dS, dD):
    """Fluxes (n,), mismatch of the closure and ln G of column k after changes of S_f (n,) and D(L), all else held."""
    from otjdd.physics.channels.coherent import column_spectrum
    from otjdd.physics.ions import new_factors
    from otjdd.physics.junction import new_state
    from otjdd.physics.state import copy_state
    from otjdd.stepping.rosenbrock import displaced

    junction, state = run.junction, new_state(run.junction)
    copy_state(run.state, state)
    displaced(junction.columns, k, run.state.c[k], np.concatenate(([0.0], dS, [0.0])), state.c[k])
    state.D_right[k] += dD
    state.D_left[k] = equations.faces(junction, state, k, state.D_right[k])
    J = np.zeros(dS.size + 2)
    equations.fluxes(junction, state, k, new_factors(J.size - 1), J)
    missing = equations.closure(junction, k, state.D_left[k], state.D_right[k], state.V[0], state.E[k])
    return J[1:-1], missing, np.log(column_spectrum(junction, state, k, np.empty(0), False)[0].chord)


def central(f, h):
    """Derivatives of a function at 0, free of h^2."""
    one, two = ([(a - b) / (2 * s) for a, b in zip(f(s), f(-s), strict=True)] for s in (h, 2 * h))
    return [(4 * a - b) / 3 for a, b in zip(one, two, strict=True)]


@needs_speed
def test_elements_are_the_derivatives_of_fluxes_closure_and_current(run, columns):
    for k, column in enumerate(columns):
        charges, n = column.charges, column.charges.ions.size
        per_charge, drive = charges.charge_of_ions, -charges.to_shared[:, 0] / charges.charge_of_ions
        J, missing, log_G = central(lambda h, k=k, n=n: answers(run, k, np.zeros(n), h), 1e-5)
        np.testing.assert_allclose(J, drive, rtol=1e-6, atol=1e-9 * np.abs(drive).max())
        assert missing == pytest.approx(charges.shared[0, 0], rel=1e-7)
        assert column.chord == pytest.approx(conducted(run)[k], rel=1e-4)
        assert log_G == pytest.approx(charges.log_chord[n], rel=1e-3)
        by_S, by_charge = charges.log_chord[:n] * per_charge, charges.to_local[0] * per_charge
        full, scale = dense(charges.rows), np.abs(by_S).max()
        for f in range(n):
            unit = np.eye(n)[f]
            J, missing, log_G = central(lambda h, k=k, unit=unit: answers(run, k, h * unit, 0.0), 1e12)
            np.testing.assert_allclose(-J, full[:, f], rtol=1e-5, atol=1e-7 * np.abs(full).max())
            assert missing == pytest.approx(by_charge[f], rel=1e-6)
            assert log_G == pytest.approx(by_S[f], rel=1e-3, abs=1e-3 * scale)


@pytest.mark.parametrize("frequency", [1e-9, 1e-3, 1e3, 1e9, 1e15])
def test_the_admittance_is_exact_to_round_off(columns, frequency):
    with mp.workdps(50):
        total = mp.mpc(0)
        w = 2 * mp.pi * mp.mpf(frequency)
        for column in columns:
            charges, n = column.charges, column.charges.ions.size
            found = exactly_solved(charges, 1j * w, charges.by_V)
            log_chord = mp.fsum(mp.mpf(charges.log_chord[f]) * found[f] for f in range(n + 1))
            total += mp.mpf(column.conductance) + 1j * w * mp.mpf(column.area) * found[n]
            total += mp.mpf(column.voltage) * mp.mpf(column.chord) * log_chord
        (Y,) = linear_response.admittance(columns, np.array([frequency]), True)
        assert abs(mp.mpf(Y.real) - total.real) <= 1e-11 * abs(total.real)
        assert abs(mp.mpf(Y.imag) - total.imag) <= 1e-11 * abs(total.imag)


def test_the_closure_gives_the_charge_that_flows(run):
    """Im Y/w of ions that stand still is dQ/dV of the settled electrode."""
    column = linear_response.linearised(run.junction, run.state, 1.0)
    charge = []
    for V in (0.4 - 1e-4, 0.4 + 1e-4):
        other = begin(case(**SMALL, **COLUMNS), run.state.c, voltage=V)
        charge.append(run.junction.columns.weight @ other.state.D_left)
    slope = (charge[1] - charge[0]) / 2e-4
    Y = linear_response.admittance(column, np.array([1e6]), False)
    assert Y.imag[0] / (2e6 * np.pi) == pytest.approx(slope, rel=1e-6)
    expected = -run.junction.columns.distance[0, 1] / run.state.eps[0, 1]
    assert column[0].charges.to_local[0, 0] == pytest.approx(expected)


@needs_speed
@pytest.mark.parametrize(("time", "off"), [(1e-12, 1e-4), (1e-9, 2e-3), (1e-6, 0.1)])
def test_drift_is_the_change_of_the_conductance_by_the_ions(run, columns, time, off):
    other = begin(case(**SMALL, **COLUMNS), run.state.c, rtol=1e-6, voltage=0.4)
    before = conducted(other).sum()
    integrate.follow_piece(other, time, 0.4, 0.4)
    change = conducted(other).sum() / before - 1.0
    assert linear_response.drift_ratio(columns, time) == pytest.approx(abs(change), rel=off)
