"""The linear system of a small signal: its elements are derivatives, its solution is exact to round-off."""

import mpmath as mp
import numpy as np
import pytest
from devices import COLUMNS, SMALL, begin, case, conducted, lumpy, needs_speed
from exact_response import exactly_solved

from otjdd.physics.state import LOG_G
from otjdd.solver import integrate, linear_response


@pytest.fixture(scope="module")
def run():
    """Two columns of lumpy ions, not at rest, settled at 0.4 V."""
    made = begin(case(**SMALL, **COLUMNS))
    return begin(case(**SMALL, **COLUMNS), lumpy(made.junction, np.random.default_rng(4), 0.3), voltage=0.4)


@pytest.fixture(scope="module")
def columns(run):
    return linear_response.linearised(run.junction, run.state, 1e-10)


@pytest.mark.parametrize("frequency", [1e-9, 1e-3, 1e3, 1e9, 1e15])
def test_the_admittance_is_exact_to_round_off(columns, frequency):
    with mp.workdps(50):
        total = mp.mpc(0)
        w = 2 * mp.pi * mp.mpf(frequency)
        for column in columns:
            charges, n = column.charges, column.charges.ions.size
            found = exactly_solved(charges, 1j * w, charges.by_V)
            log_chord = mp.fsum(mp.mpf(charges.numbers[LOG_G, f]) * found[f] for f in range(n + 1))
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
