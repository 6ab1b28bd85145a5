"""Kirchhoff's law on the lines: closed formulas, single cells, every node, and arrays that are hard to solve."""

import made_model
import numpy as np
import pytest

from otjdd.compact_models.crossbars.network import lines_with_drivers, solve
from otjdd.errors import NetworkError, NotAsExpected
from otjdd.errors import Status as Reason


def solved(bar, states, words, bits):
    return solve(bar, lines_with_drivers(bar, words, bits), states)


@pytest.fixture(scope="module")
def model():
    return made_model.made_model()


def test_all_nodes_obey_kirchhoff_and_all_cells_their_law(model):
    R, C, r = 5, 6, 100.0
    bar = made_model.bar(model, R, C, r)
    states = model.states(R * C, np.random.default_rng(1).uniform(0.1, 0.9, (R * C, 1)))
    words, bits = np.array([1.2, 0.4, np.nan, 0.4, -0.3]), np.array([0.0, np.nan, 0.5, 0.0, 0.2, 0.0])
    found = solved(bar, states, words, bits)
    alone = model.hold(states.copy(), found.voltage.ravel(), 0.0)
    assert found.current.ravel() == pytest.approx(alone, rel=1e-6)
    u, w = found.nodes.reshape(2, R, C)
    assert found.voltage == pytest.approx(u - w, abs=1e-15)
    along = np.diff(np.column_stack((words, u)), axis=1) / -r  # A into each node from the side of the driver
    along[np.isnan(words), 0] = 0.0
    assert along == pytest.approx(found.current + np.column_stack((along[:, 1:], np.zeros(R))), abs=1e-9)
    down = np.diff(np.vstack((bits, w)), axis=0) / r
    down[0, np.isnan(bits)] = 0.0
    assert down == pytest.approx(found.current + np.vstack((down[1:], np.zeros(C))), abs=1e-9)
    assert found.word_current[2] == pytest.approx(0.0, abs=1e-9)  # floats
    assert found.word_current.sum() == pytest.approx(found.bit_current.sum(), rel=1e-12)


@pytest.mark.parametrize("r", [1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("state", [made_model.LOW, made_model.HIGH])
def test_steep_cells_on_any_lines_are_solved(r, state):
    model = made_model.made_model(bend=1.5, decades=5.0, resistance=1.0)
    bar = made_model.bar(model, 12, 15, r)
    states = model.states(180, state)
    states[::7, 0] = made_model.HIGH
    words, bits = np.full(12, 1.5), np.full(15, 1.5)
    words[3], bits[::2] = 3.0, 0.0
    found = solved(bar, states, words, bits)
    alone = model.hold(states.copy(), found.voltage.ravel(), 0.0)
    off = np.abs(found.current.ravel() - alone)
    # relative, and what the 1e-7 V are worth to which the kernels find a junction's voltage
    assert (off <= 1e-4 * np.abs(alone) + 1e-7 * np.abs(alone / found.voltage.ravel())).all()
    assert np.abs(found.voltage).max() <= 3.0


def test_a_solution_does_not_depend_on_where_it_begins(model):
    bar = made_model.bar(model, 8, 8, 20.0)
    driven = lines_with_drivers(bar, np.linspace(0.0, 2.0, 8), np.zeros(8))
    before = solve(bar, driven, model.states(64, made_model.HIGH))
    states = model.states(64, np.random.default_rng(2).uniform(0.1, 0.9, (64, 1)))
    afresh, warm = solve(bar, driven, states), solve(bar, driven, states, before)
    assert warm.voltage == pytest.approx(afresh.voltage, abs=2e-5)
    assert warm.current == pytest.approx(afresh.current, rel=1e-3)


def test_what_is_no_crossbar_is_refused(model):
    with pytest.raises(NotAsExpected, match="resistance of the lines"):
        lines_with_drivers(made_model.bar(model, 2, 2, 0.0), np.zeros(2), np.zeros(2))
    with pytest.raises(NotAsExpected, match=r"from -3 V to 3 V"):
        lines_with_drivers(made_model.bar(model, 2, 2, 1.0), [2.0, 0.0], [-2.0, 0.0])


def test_voltages_that_do_not_settle_are_an_error_and_say_so(model, monkeypatch):
    monkeypatch.setattr("otjdd.compact_models.crossbars.network.MOST_TURNS", 1)
    bar = made_model.bar(model, 3, 3, 1e3)
    with pytest.raises(NetworkError) as caught:
        solved(bar, model.states(9, made_model.HIGH), np.full(3, 3.0), np.zeros(3))
    assert caught.value.reason == Reason.LINES_NOT_SOLVED.name
    assert "drivers at 3 V" in str(caught.value)
    assert "crossbar.line_resistance" in str(caught.value)
