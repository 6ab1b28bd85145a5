"""Lines with a capacitance, against the equations of each node by scipy, closed forms, and lines without."""

import dataclasses
from pathlib import Path

import made_model
import numpy as np
import pytest
from commands import typed
from scipy.integrate import solve_ivp

from otjdd.case.case import load_case
from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.models import of_area
from otjdd.compact_models.crossbars.network import Crossbar
from otjdd.errors import CaseError
from otjdd.results import store

LINE, DRIVER, FARADS = 20.0, 100.0, 50e-15  # ohm, ohm, F


@pytest.fixture(scope="module")
def model():
    """A junction of 5 um with a charge of 40 fF/V and more, about that of its lines."""
    return of_area(made_model.with_charge(made_model.made_model(), 0.005), 8e-11)


def crossbar(model, R: int, C: int, farads: float = FARADS) -> Crossbar:
    """Lines without charge."""
    return made_model.bar(model, R, C, LINE, DRIVER, farads, np.zeros(2 * R * C))


def random_states(model, count: int) -> np.ndarray:
    """States (count, ...) between both ends."""
    states = np.array(model.states(count))
    states[:, : model.kind.size] = np.random.default_rng(3).uniform(0.2, 0.9, (count, model.kind.size))
    return states


def node_currents(model, R: int, C: int, drivers: pulses.Drivers, states: np.ndarray, farads: float = FARADS):
    """Function (t, v) -> dv/dt of the nodes, word lines first, written out node by node; lines that are nan float."""
    K = model.kind.size

    def slopes(_, v):
        u, w = v.reshape(2, R, C)
        q = [model.charge((u - w).ravel() + off, states[:, :K]) for off in (-1e-4, 1e-4)]
        between = np.diag(model.area / model.weight.sum() * (q[1] - q[0]) / 2e-4)
        current = model.hold(states.copy(), (u - w).ravel(), 0.0)
        into = np.stack((-current.reshape(R, C), current.reshape(R, C)))
        for i, j in np.ndindex(R, C):
            for line, (k, last, source) in enumerate(((j, C - 1, drivers.words[i]), (i, R - 1, drivers.bits[j]))):
                at, step = (u, (0, 1)) if line == 0 else (w, (1, 0))
                if k == 0:
                    into[line, i, j] += 0.0 if np.isnan(source) else (source - at[i, j]) / (LINE + DRIVER)
                else:
                    into[line, i, j] += (at[i - step[0], j - step[1]] - at[i, j]) / LINE
                if k < last:
                    into[line, i, j] += (at[i + step[0], j + step[1]] - at[i, j]) / LINE
        return np.linalg.solve(
            farads * np.eye(2 * R * C) + np.block([[between, -between], [-between, between]]), into.ravel()
        )

    return slopes


@pytest.mark.parametrize(
    ("R", "C", "bit"),
    [*(pytest.param(*size, None, marks=pytest.mark.campaign) for size in ((4, 4), (3, 5))), (3, 2, None), (3, 2, 1)],
)
def test_lines_follow_the_equations_of_their_nodes(model, R, C, bit):
    bar, states = crossbar(model, R, C), random_states(model, R * C)
    for word, duration in ((0, 2e-11), (1, 5e-11), (2, 1e-9)):  # each begins with what the one before has left
        drivers, begin = pulses.reading_drivers(bar, 0.1, word, bit), bar.line_voltages.copy()
        slopes = node_currents(model, R, C, drivers, states)
        own = solve_ivp(slopes, (0.0, duration), begin, method="LSODA", rtol=1e-7, atol=1e-10, dense_output=True)
        piece = pulses.hold_drivers(bar, states.copy(), drivers, duration)
        assert bar.line_voltages == pytest.approx(own.y[:, -1], abs=1e-4)
        times = np.linspace(0.0, duration, 2001)
        into_bits = own.sol(times)[R * C : R * C + C] / (LINE + DRIVER)
        read = slice(None) if bit is None else bit
        assert piece.end.bit_current[read] == pytest.approx(into_bits[read, -1], rel=2e-3)
        given = 0.1 * (0.1 - own.sol(times)[word * C]) / (LINE + DRIVER)
        assert piece.energy == pytest.approx(np.trapezoid(given, times), rel=0.01)
    if bit is None:
        off = np.abs(into_bits - into_bits[:, -1:]).max(axis=0) / np.abs(into_bits[:, -1]).max()
        assert piece.settled == pytest.approx(times[np.flatnonzero(off > 0.01)[-1]], rel=0.05)


@pytest.mark.parametrize("duration", [*(pytest.param(t, marks=pytest.mark.campaign) for t in (1e-10, 2.5e-10)), 4e-10])
def test_small_currents_are_right_while_lines_lose_the_charge_of_a_write(model, duration):
    bar = crossbar(model, 3, 3)
    drivers = pulses.reading_drivers(bar, 0.1, 1)
    bar.line_voltages[:] = 1.1  # as after a write of 2.2 V by half select
    states = np.array(model.states(9))  # which conduct little, but for two cells
    states[[3, 7], : model.kind.size] = 0.9
    slopes = node_currents(model, 3, 3, drivers, states)
    own = solve_ivp(slopes, (0.0, duration), bar.line_voltages.copy(), method="LSODA", rtol=1e-8, atol=1e-12)
    piece = pulses.hold_drivers(bar, states.copy(), drivers, duration)
    into_bits = own.y[9:12, -1] / (LINE + DRIVER)
    assert np.abs(into_bits).max() / np.abs(into_bits).min() > 20.0 or duration < 4e-10
    assert piece.end.bit_current == pytest.approx(into_bits, rel=0.01)


def test_capacitances_that_change_with_the_voltage_charge_lines_as_they_should(model):
    (kind,) = model.kinds
    falling = 0.001 * np.arctan(kind.voltage / 0.25)[:, None] + 0.0 * kind.charge  # C/m2, 20 times less F at 1.1 V
    bending = dataclasses.replace(model, kinds=(kind._replace(charge=falling),))
    bar, states = crossbar(bending, 2, 2, 1e-15), bending.states(4)
    drivers = pulses.reading_drivers(bar, 0.1, 1, 0)
    bar.line_voltages[:4] = 1.1
    slopes = node_currents(bending, 2, 2, drivers, states, 1e-15)
    for duration in (2e-10, 2e-9):
        own = solve_ivp(slopes, (0.0, duration), bar.line_voltages.copy(), method="LSODA", rtol=1e-7, atol=1e-11)
        piece = pulses.hold_drivers(bar, states.copy(), drivers, duration)
        assert piece.end.bit_current[0] == pytest.approx(own.y[4, -1] / (LINE + DRIVER), rel=4e-3)
        bar.line_voltages[:] = own.y[:, -1]


def test_a_charge_takes_twice_its_energy_from_the_driver(model):
    farads, states = 1e-12, model.states(1)  # in its high-resistance state, which conducts a thousandth of a line
    uncharged = made_model.with_charge(model, 0.0)
    bar = crossbar(uncharged, 1, 1)._replace(line_capacitance=farads)
    piece = pulses.hold_drivers(bar, states, pulses.reading_drivers(bar, 0.1, 0), 1e-9)
    assert piece.energy == pytest.approx(farads * 0.1**2, rel=0.01)
    assert bar.line_voltages[0] == pytest.approx(0.1 * -np.expm1(-1e-9 / (farads * (LINE + DRIVER))), rel=2e-3)
    # a write comes to its voltage, but for 1 %, in ln(100) time constants
    bar.line_voltages[:] = 0.0
    written = pulses.hold_drivers(bar, states, pulses.writing_drivers(np.ones((1, 1), bool), 0.1), 2e-9)
    assert written.settled == pytest.approx(farads * (LINE + DRIVER) * np.log(1.0 / pulses.SETTLED), rel=0.02)
    assert pulses.last_crossing([0.0, 2.0], pulses.SETTLED * np.array([10.0, 0.1])) == pytest.approx(1.0)  # exponential


def test_long_pulses_do_what_they_do_on_lines_without_capacitance(model):
    states, chosen = random_states(model, 6), np.array([[True, False, True], [False, False, False]])
    ends = []
    for bar in (crossbar(model, 2, 3), made_model.bar(model, 2, 3, LINE, DRIVER)):
        moved = states.copy()
        written = pulses.hold_drivers(bar, moved, pulses.writing_drivers(chosen, 1.6), 1e-6)
        pulses.leave_alone(bar, moved, 1e-6)
        read = pulses.hold_drivers(bar, moved, pulses.reading_drivers(bar, 0.1, 0), 1e-6)
        ends.append((moved[:, :1].ravel(), read.end.bit_current, written.energy))
    for charged, bare in zip(*ends, strict=True):
        assert charged == pytest.approx(bare, rel=0.02)


def test_a_floating_line_keeps_its_charge(model):
    bar = crossbar(model, 2, 2)
    bar.line_voltages[:2] = 0.05
    still = pulses.drivers_at_rest(bar)
    floating = still._replace(words=np.array([np.nan, 0.0]), bits=np.full(2, np.nan))
    pulses.hold_drivers(bar, model.states(4), floating, 1e-11)
    assert bar.line_voltages[:2] == pytest.approx(0.05, rel=0.01)
    pulses.leave_alone(bar, model.states(4), 1e-6)
    assert np.abs(bar.line_voltages).max() < 1e-6


def test_a_run_tells_how_long_lines_take_and_which_reads_are_too_short(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rest = '{ kind = "rest", duration = "1 us" }'
    parts = f'parts = [{{ kind = "read" }}, {rest}, {{ kind = "read", duration = "20 ns" }}]\n'
    keys = '"2 ohm"\nline_capacitance = "1 pF"\ndriver_resistance = "2 kohm"'
    text = (made_model.CROSSBAR + parts).replace('"2 ohm"', keys)
    made_model.beside(text, lambda about: made_model.with_charge(made_model.made_model(about=about), 0.0))
    assert "reads of step 3 end before the lines have settled to 1 %" in typed("run", "bar.toml")
    settling = store.read("bar.nc").settling_time.values
    assert 2e-8 < settling[1] < 1e-7  # five times 4 pF, or 3 pF, at 2 kohm
    assert np.isnan(settling[[0, 2, 3]]).all()
    Path("bar.toml").write_text(text.replace('"1 pF"', '"1 F"'))
    with pytest.raises(CaseError, match=r"crossbar.line_capacitance: expected a capacitance from"):
        load_case("bar.toml")
