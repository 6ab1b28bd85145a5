"""The linear system of a small signal, with and without electrons: exact to round-off, and what charges and currents do."""

import mpmath as mp
import numpy as np
import pytest
from devices import COLUMNS, SMALL, begin, case, conducted, lumpy, needs_speed

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons import step
from otjdd.mechanisms.electrons.density import OF_LEFT, OF_RIGHT
from otjdd.physics.junction import hold_electrons
from otjdd.physics.state import CHARGE, LOG_G
from otjdd.solver import integrate, linear_response

ELECTRONS = {
    "device__film__electrons": "balance", "device__left__barrier": 0.3, "device__transmission": "wkb",
    "device__film__cells": 8,
}  # fmt: skip
FILMS = {"ions in two columns": (SMALL | COLUMNS, 0.4), "electrons": (ELECTRONS, 0.2)}  # changes and V_j [V]
DRIFTS = {  # time [s], and a bound on the part of the drift that is not linear
    "ions in two columns": ((1e-12, 1e-4), (1e-9, 2e-3), (1e-6, 0.1)), "electrons": ((1e-12, 1e-3), (1e-10, 1e-2)),
}  # fmt: skip


def film_of(name):
    return case(**FILMS[name][0], numerics__current_tolerance=1e-7)


@pytest.fixture(scope="module", params=FILMS)
def settled(request):
    """Name of a film, and a run of it with lumpy ions, not at rest."""
    made = begin(film_of(request.param))
    c = lumpy(made.junction, np.random.default_rng(4), 0.3)
    return request.param, begin(film_of(request.param), c, voltage=FILMS[request.param][1])


@pytest.fixture(scope="module")
def columns(settled):
    return linear_response.linearised(settled[1].junction, settled[1].state, 1e-10)


def beside(settled, dV=0.0, **numerics):
    """Another run of the ions of a settled one, after a jump by dV [V]."""
    name, run = settled
    V = float(run.state.V[0])
    other = begin(film_of(name), run.state.c, voltage=V, **numerics)
    integrate.jump(other, V + dV)
    return other


def dense(rows):
    """The matrix (n, n) of rows (n, 2 b + 1) about its diagonal."""
    (n, width), middle = rows.shape, rows.shape[1] // 2
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(max(0, i - middle), min(n, i + width - middle)):
            matrix[i, j] = rows[i, middle + j - i]
    return matrix


def exactly_solved(response, rate, right):
    """Unknowns of a response for a right-hand side (n + m,), what moves changing at a rate [1/s]."""
    whole = np.block([[dense(response.rows), response.to_shared], [response.to_local, response.shared]])
    matrix = mp.matrix(whole.tolist())
    for i, moves in enumerate(response.moves):
        matrix[i, i] += rate * moves
    return mp.lu_solve(matrix, mp.matrix(right.tolist()))


@pytest.mark.parametrize("omega", [1e-9, 1e-3, 1.0, 1e6, 1e12, 1e15])
def test_the_answer_of_the_charges_is_exact_to_round_off(columns, omega):
    for charges in (column.charges for column in columns):
        found = charges.answer(np.array([omega]), True, False)
        with mp.workdps(50):
            x = exactly_solved(charges, mp.mpc(0, omega), charges.by_V)
            for of, (value,) in zip((LOG_G, CHARGE), found, strict=True):
                parts = [mp.mpf(a) * x[i] for i, a in enumerate(charges.numbers[of])]
                expected = mp.mpf(charges.numbers_by_V[of]) + mp.fsum(parts)
                assert abs(mp.mpf(value.real) - expected.real) <= 1e-11 * abs(expected.real)
                assert abs(mp.mpf(value.imag) - expected.imag) <= 1e-11 * abs(expected.imag)


def terminals(run):
    """Charge of the left terminal [C/m2] and ln G of each column (K,)."""
    electrons = [step.from_left(run.junction, run.state, k) for k in range(len(run.state.c))]
    with_electrons = ELEMENTARY_CHARGE * np.array(electrons) if hold_electrons(run.junction) else 0.0
    return run.state.D_left - with_electrons, np.log(conducted(run))


def test_ions_that_stand_still_leave_the_capacitance_and_the_slope_of_the_current(settled, columns):
    V, h = float(settled[1].state.V[0]), 1e-3

    def slopes(s):
        return np.subtract(terminals(beside(settled, s)), terminals(beside(settled, -s))) / (2 * s)

    charges, log_chords = (4 * slopes(h) - slopes(2 * h)) / 3
    for column, charge, log_chord in zip(columns, charges, log_chords, strict=True):
        (found_chord,), (found_charge,) = column.charges.answer(np.array([1e6]), False, False)
        assert found_charge == pytest.approx(charge, rel=1e-6)
        at_constant_charges = column.conductance / column.chord - 1.0  # V d ln G/dV
        assert at_constant_charges / V + found_chord == pytest.approx(log_chord, rel=1e-4)
        fast = column.charges.answer(np.array([1e16]), True, False)
        assert fast[0][0].real == pytest.approx(found_chord, rel=1e-8)
        assert fast[1][0].real == pytest.approx(found_charge, rel=1e-8)


def test_vacancies_take_the_electrons_of_the_left_contact_along():
    """At a face they come by the difference of the fillings beside it, each by Fermi's function with spin."""
    run = begin(case(**ELECTRONS, ions__ionisation_energy="20 meV"), voltage=0.2)
    charges = linear_response.linearised(run.junction, run.state, 1.0)[0].charges
    level, (right, left) = run.state.band[0, 1:-1] - 0.02, run.state.electrons[0, [OF_RIGHT, OF_LEFT]]
    bound = sum(w / (1.0 + 0.5 * np.exp((level + V) / run.state.kT[0])) for w, V in ((right, 0.0), (left, 0.2)))
    assert np.ptp(bound) > 1e-5
    expected = -0.5 * (left[1:] + left[:-1]) * np.diff(bound) / run.junction.ions[0].z
    assert charges.numbers[CHARGE, 5::3] == pytest.approx(expected, rel=1e-9, abs=1e-15)


@needs_speed
def test_drift_is_the_change_of_the_conductance_by_the_ions(settled, columns):
    V = float(settled[1].state.V[0])
    for time, off in DRIFTS[settled[0]]:
        other = beside(settled, rtol=1e-6)
        before = conducted(other).sum()
        integrate.follow_piece(other, time, V, V)
        change = conducted(other).sum() / before - 1.0
        assert linear_response.drift_ratio(columns, time) == pytest.approx(abs(change), rel=off)
