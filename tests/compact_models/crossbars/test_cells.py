"""Cells that differ, and what gives access to them: currents by hand, areas, speeds."""

import dataclasses

import made_model
import numpy as np
import pytest
from scipy.optimize import brentq

from otjdd.case.crossbar import Selector, Switch
from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.models import of_area
from otjdd.compact_models.crossbars.network import (
    Crossbar,
    cells_of_devices,
    linearise_cells,
    lines_with_drivers,
    solve,
)

ONE = np.zeros(1, np.int64)
SELECTORS = [
    Selector(kind="selector", voltage="0.4 V", current="1 nA", on_resistance="2 kohm"),
    Selector(kind="selector", law="exponential", voltage="0.05 V", current="1 nA", on_resistance="2 kohm"),
]


def across(selector, current):
    """Voltage [V] across a selector."""
    x = current / selector.current
    bend = x / np.hypot(1.0, x) if selector.law == "threshold" else np.arcsinh(x)
    return selector.on_resistance * current + selector.voltage * bend


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda each: each.law)
@pytest.mark.parametrize("voltage", [-1.5, -0.1, 0.05, 0.3, 0.45, 2.0])
def test_a_selector_takes_its_share_of_the_voltage(selector, voltage):
    model = made_model.made_model(resistance=50.0)
    bare = dataclasses.replace(model, resistance=0.0)
    states = model.states(1, 0.6)
    found, slope = linearise_cells(
        cells_of_devices((model,), ONE, selector), np.zeros(1, bool), ONE, states, np.array([voltage])
    )

    def missing(V):
        current = bare.hold(states.copy(), V, 0.0)[0]
        return V + 50.0 * current + across(selector, current) - voltage

    V = brentq(missing, min(0.0, voltage), max(0.0, voltage), xtol=1e-15, rtol=1e-13)
    assert found[0] == pytest.approx(bare.hold(states.copy(), V, 0.0)[0], rel=1e-3)
    assert slope[0] > 0.0


def test_a_switch_conducts_on_the_chosen_line_alone():
    model = made_model.made_model(resistance=0.0)
    cells = cells_of_devices((model,), np.zeros(4, np.int64), Switch(kind="switch", on_resistance="1 kohm"))
    bar, high = Crossbar(cells, 2, 2, 1.0, 50.0), model.states(4, made_model.HIGH)
    read = pulses.hold_drivers(bar, high, pulses.reading_drivers(bar, 0.1, 0), 1e-6).end
    assert np.abs(read.current[1]).max() < 1e-12
    bare = made_model.bar(model, 2, 2, 1.0, 50.0)
    free = pulses.hold_drivers(bare, high, pulses.reading_drivers(bare, 0.1, 0), 1e-6).end
    assert 0.0 < read.current[0, 0] < free.current[0, 0]


def test_drivers_are_in_series_with_their_lines():
    model = made_model.made_model()
    states = model.states(1, made_model.HIGH)
    apart, joined = made_model.bar(model, 1, 1, 10.0, 90.0), made_model.bar(model, 1, 1, 100.0)
    found, other = (solve(bar, lines_with_drivers(bar, [0.3], [0.0]), states) for bar in (apart, joined))
    assert found.current == pytest.approx(other.current, rel=1e-9)


def test_current_goes_with_the_area():
    model = made_model.made_model(resistance=0.0)
    small = of_area(model, 0.25 * model.area)
    states = model.states(1, 0.5)
    assert small.hold(states.copy(), 0.7, 0.0) == pytest.approx(0.25 * model.hold(states.copy(), 0.7, 0.0), rel=1e-12)


def test_devices_of_their_own_speed_set_at_their_own_time():
    model = made_model.made_model()
    fast = dataclasses.replace(model, speed=30.0 * model.speed)
    cells = cells_of_devices((model, fast), np.array([0, 1]))
    bar, states = Crossbar(cells, 1, 2, 1.0, 0.0), model.states(2)
    pulses.hold_drivers(bar, states, pulses.writing_drivers(np.ones((1, 2), bool), 1.2), 3e-7)
    alone = fast.states(1)
    fast.hold(alone, 1.2, 3e-7)
    assert states[1, 0] == pytest.approx(alone[0, 0], rel=0.01)
    assert states[1, 0] - made_model.LOW > 5.0 * (states[0, 0] - made_model.LOW)
