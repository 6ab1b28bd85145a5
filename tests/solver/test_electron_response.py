"""Small signals of a film that holds electrons: exact to round-off, and what the charges of its terminals do."""

import mpmath as mp
import numpy as np
import pytest
from devices import begin, conducted, needs_speed
from exact_response import exactly_solved
from test_small_signal import impedance

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons import step
from otjdd.mechanisms.electrons.density import OF_LEFT, OF_RIGHT
from otjdd.physics.state import CHARGE, LOG_G
from otjdd.solver import integrate, linear_response

ELECTRONS = {"device__film__electrons": "balance", "device__left__barrier": 0.3, "device__transmission": "wkb"}
SMALL = ELECTRONS | {"device__film__cells": 8, "numerics__current_tolerance": 1e-7}


@pytest.fixture(scope="module")
def settled():
    return begin(impedance([0.0], [1.0], **SMALL), voltage=0.2)


@pytest.fixture(scope="module")
def column(settled):
    return linear_response.linearised(settled.junction, settled.state, 1.0)[0]


@pytest.mark.parametrize("omega", [1e-9, 1.0, 1e6, 1e12, 1e15])
def test_the_answer_of_the_charges_is_exact_to_round_off(column, omega):
    charges = column.charges
    with mp.workdps(50):
        x = exactly_solved(charges, mp.mpc(0, omega), charges.by_V)
        exact = [
            mp.mpf(direct) + mp.fsum(mp.mpf(a) * x[i] for i, a in enumerate(along))
            for direct, along in ((charges.numbers_by_V[of], charges.numbers[of]) for of in (LOG_G, CHARGE))
        ]
        for (found,), expected in zip(charges.answer(np.array([omega]), True, False), exact, strict=True):
            assert abs(mp.mpf(found.real) - expected.real) <= 1e-12 * abs(expected.real)
            assert abs(mp.mpf(found.imag) - expected.imag) <= 1e-12 * abs(expected.imag)


def test_ions_that_stand_still_leave_the_capacitance_of_the_terminal(settled, column):
    def terminal(V):
        other = begin(impedance([0.0], [1.0], **SMALL), settled.state.c, voltage=0.2)
        integrate.jump(other, V)
        film = step.from_left(other.junction, other.state, 0)
        return other.state.D_left[0] - ELEMENTARY_CHARGE * film, np.log(conducted(other)[0])

    h = 1e-3
    one, two = (np.subtract(terminal(0.2 + s), terminal(0.2 - s)) / (2 * s) for s in (h, 2 * h))
    charge, log_chord = (4 * one - two) / 3
    found_chord, found_charge = column.charges.answer(np.array([1e6]), False, False)
    assert found_charge[0] == pytest.approx(charge, rel=1e-6)
    at_constant_charges = column.conductance / column.chord - 1.0  # V d ln G/dV
    assert at_constant_charges / 0.2 + found_chord[0] == pytest.approx(log_chord, rel=1e-4)
    fast = column.charges.answer(np.array([1e16]), True, False)
    assert fast[1][0].real == pytest.approx(found_charge[0], rel=1e-9)
    assert fast[0][0].real == pytest.approx(found_chord[0], rel=1e-9)


def test_vacancies_take_the_electrons_of_the_left_contact_along():
    """At a face they come by the difference of the fillings beside it, each by Fermi's function with spin."""
    run = begin(impedance([0.0], [1.0], **SMALL, ions__ionisation_energy="20 meV"), voltage=0.2)
    charges = linear_response.linearised(run.junction, run.state, 1.0)[0].charges
    level, (right, left) = run.state.band[0, 1:-1] - 0.02, run.state.electrons[0, [OF_RIGHT, OF_LEFT]]
    bound = sum(w / (1.0 + 0.5 * np.exp((level + V) / run.state.kT[0])) for w, V in ((right, 0.0), (left, 0.2)))
    assert np.ptp(bound) > 1e-5
    expected = -0.5 * (left[1:] + left[:-1]) * np.diff(bound) / run.junction.ions[0].z
    assert charges.numbers[CHARGE, 5::3] == pytest.approx(expected, rel=1e-9, abs=1e-15)


@needs_speed
@pytest.mark.parametrize(("time", "off"), [(1e-12, 1e-3), (1e-10, 1e-2)])
def test_drift_is_the_change_of_the_conductance_by_the_ions(settled, column, time, off):
    other = begin(impedance([0.0], [1.0], **SMALL), settled.state.c, rtol=1e-6, voltage=0.2)
    before = conducted(other).sum()
    integrate.follow_piece(other, time, 0.2, 0.2)
    assert linear_response.drift_ratio([column], time) == pytest.approx(
        abs(conducted(other).sum() / before - 1.0), rel=off
    )
