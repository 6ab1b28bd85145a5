"""Pulses on a crossbar: schemes, cells in the course of time, energy."""

import made_model
import numpy as np
import pytest

from otjdd.compact_models.crossbars import pulses
from otjdd.errors import NotAsExpected


@pytest.fixture(scope="module")
def model():
    return made_model.made_model()


def marked(shape, *cells):
    chosen = np.zeros(shape, bool)
    chosen[tuple(zip(*cells, strict=True))] = True
    return chosen


@pytest.mark.parametrize(
    ("scheme", "on_lines", "others"), [("half", 1.0, 0.0), ("third", 2.0 / 3.0, -2.0 / 3.0)], ids=["half", "third"]
)
def test_ideal_lines_give_each_cell_its_share_of_the_voltage(model, scheme, on_lines, others):
    bar, states = made_model.bar(model, 3, 4, 1e-3), model.states(12)
    held = pulses.hold_drivers(bar, states, pulses.writing_drivers(marked((3, 4), (1, 2)), 2.0, scheme), 1e-6)
    wanted = np.full((3, 4), others)
    wanted[1], wanted[:, 2], wanted[1, 2] = on_lines, on_lines, 2.0
    assert held.end.voltage == pytest.approx(wanted, abs=1e-4)
    alone = model.states(12)
    model.hold(alone, wanted.ravel(), 1e-6)
    assert states == pytest.approx(alone, abs=1e-4)


def test_lines_that_slow_a_write_are_followed_in_time(model, monkeypatch):
    """A first step that is far too long is taken again; the energy is right where steps follow the power alone."""
    bar, chosen = made_model.bar(model, 4, 4, 3e3), marked((4, 4), (1, 0), (1, 1), (1, 3))
    ends = []
    tolerances = {"FIRST": (1.0, pulses.FIRST, pulses.FIRST), "ERROR": (pulses.ERROR, 2e-6, 1.0)}
    for number, change in enumerate((pulses.CHANGE, 0.02, 0.02)):
        for name, values in (tolerances | {"CHANGE": [change] * 3}).items():
            monkeypatch.setattr(pulses, name, values[number])
        states = model.states(16)
        ends.append((states, pulses.hold_drivers(bar, states, pulses.writing_drivers(chosen, 2.2), 1e-5)))
    (states, coarse), (exact, fine), (_, by_power) = ends
    assert np.ptp(exact[:, 0]) > 0.1
    assert states[:, 0] == pytest.approx(exact[:, 0], abs=1e-3)
    assert coarse.energy == pytest.approx(fine.energy, rel=0.02)
    assert coarse.voltage == pytest.approx(fine.voltage, rel=0.01)
    assert by_power.energy == pytest.approx(fine.energy, rel=0.02)


def test_energy_is_voltage_times_charge():
    model = made_model.made_model(bend=0.0)
    bar, states = made_model.bar(model, 2, 2, 100.0), model.states(4, made_model.HIGH)
    held = pulses.hold_drivers(bar, states, pulses.reading_drivers(bar, 0.1, 0), 1e-6)
    assert held.energy == pytest.approx(0.1 * held.end.word_current[0] * 1e-6, rel=1e-4)
    both = pulses.hold_drivers(
        bar, states, pulses.Drivers(np.array([0.05, 0.0]), np.array([-0.05, -0.05]), np.zeros(2, bool)), 1e-6
    )
    charged = 0.05 * both.end.word_current[0] + 0.05 * both.end.bit_current.sum()
    assert both.energy == pytest.approx(charged * 1e-6, rel=1e-3)


def test_sneak_paths_pass_where_lines_float(model):
    bar, states = made_model.bar(model, 3, 3, 1.0), model.states(9, made_model.HIGH)
    states[0, 0] = made_model.LOW
    grounded = pulses.hold_drivers(bar, states.copy(), pulses.reading_drivers(bar, 0.1, 0), 1e-6)
    floating = pulses.hold_drivers(bar, states.copy(), pulses.reading_drivers(bar, 0.1, 0, bit=0), 1e-6)
    assert grounded.end.bit_current[0] == pytest.approx(1e-9, rel=0.05)
    # 2 cells to the other bit lines, 4 across, 2 back to the bit line: two times 1/2 and 1/4 of the resistance of a cell
    cell = 0.02 / model.hold(model.states(1, made_model.HIGH), 0.02, 0.0)[0]
    assert floating.end.bit_current[0] == pytest.approx(0.1 / (1.25 * cell), rel=0.03)
    assert np.isfinite(floating.end.voltage).all()


def test_what_is_no_write_is_refused(model):
    bar = made_model.bar(model, 2, 2, 1.0)
    with pytest.raises(NotAsExpected, match="half, third"):
        pulses.hold_drivers(bar, model.states(4), pulses.writing_drivers(marked((2, 2), (0, 0)), 1.0, "fifth"), 1e-6)
    with pytest.raises(NotAsExpected, match="on one word line, got on 2"):
        pulses.hold_drivers(bar, model.states(4), pulses.writing_drivers(np.ones((2, 2)), 1.0), 1e-6)
