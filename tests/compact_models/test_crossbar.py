"""Crossbars: against single cells, Kirchhoff's law, and the circuit simulator's case of ideal lines."""

import compact_device
import numpy as np
import pytest

from otjdd.compact_models import crossbar as x
from otjdd.errors import NotAsExpected


@pytest.fixture(scope="module")
def model():
    return compact_device.extracted_model()


def low_states(model, count):
    return model.states(count, float(model.kinds[0].state[0]))


def test_ideal_lines_write_each_cell_as_if_it_were_alone(model):
    bar = x.Crossbar(model, 3, 4, 1e-3)
    states = low_states(model, 12)
    x.write(bar, states, 1, np.array([0, 0, 1, 0], bool), 2.2, 1e-6)
    alone = low_states(model, 2)
    model.hold(alone, np.array([2.2, 1.1]), 1e-6)
    found = states[:, 0].reshape(3, 4)
    assert found[1, 2] == pytest.approx(alone[0, 0], abs=1e-3)
    assert found[1, [0, 1, 3]] == pytest.approx(alone[1, 0], abs=1e-4)
    assert found[[0, 2], 2] == pytest.approx(alone[1, 0], abs=1e-4)


def test_currents_obey_kirchhoff_and_lines_take_voltage(model):
    bar = x.Crossbar(model, 5, 6, 100.0)
    states = model.states(30, 0.95)
    rows, columns = np.full(5, 0.5), np.zeros(6)
    found = x.solve(bar, states, rows, columns)
    assert found.row_current.sum() == pytest.approx(found.column_current.sum(), rel=1e-12)
    assert found.current == pytest.approx(model.hold(states.copy(), found.voltage.ravel(), 0.0).reshape(5, 6), rel=1e-4)
    assert found.voltage[-1, -1] < found.voltage[0, 0] < 0.5
    drop = 100.0 * found.row_current[0]  # of the first segment alone
    assert 0.5 - found.voltage[0, 0] == pytest.approx(drop + 100.0 * found.column_current[0], rel=1e-3)


def test_floating_rows_let_sneak_paths_pass(model):
    bar = x.Crossbar(model, 4, 4, 1.0)
    states = model.states(16, 0.95)
    states[5, 0] = model.kinds[0].state[0]
    grounded, floating = x.read(bar, states, 0.1), x.read(bar, states, 0.1, floating=True)
    assert grounded[1, 1] == pytest.approx(model.hold(states[5:6].copy(), 0.1, 0.0)[0], rel=0.02)
    assert abs(grounded[0, 0] / grounded[1, 1]) > 100.0
    assert floating[1, 1] != pytest.approx(grounded[1, 1], rel=0.01)


def test_pattern_is_written_and_costs_energy(model):
    bar = x.Crossbar(model, 4, 4, 2.0)
    _, ds = x.program(bar, np.eye(4), 2.2, 1e-6, states=low_states(model, 16))
    G = ds.conductance.values
    assert G[np.eye(4, dtype=bool)].min() > 100.0 * G[~np.eye(4, dtype=bool)].max()
    assert (ds.write_energy.values > 0.0).all()


def test_what_is_no_crossbar_is_refused(model):
    with pytest.raises(NotAsExpected, match="resistance of the lines"):
        x.solve(x.Crossbar(model, 2, 2, 0.0), model.states(4), np.zeros(2), np.zeros(2))
    with pytest.raises(NotAsExpected, match="half, third"):
        x.write(x.Crossbar(model, 2, 2, 1.0), model.states(4), 0, np.ones(2, bool), 1.0, 1e-6, "fifth")
    with pytest.raises(NotAsExpected, match="2 x 2 cells"):
        x.program(x.Crossbar(model, 2, 2, 1.0), np.ones((3, 2)), 1.0, 1e-6)
