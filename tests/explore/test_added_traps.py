"""Traps that the page adds and takes away: the changes that result, their command, and messages that it refuses."""

import shlex
from pathlib import Path

import pytest

import otjdd
from otjdd.cli.arguments import load_checked
from otjdd.explore import layers, traps
from otjdd.explore.experiments import OWN, case_of_experiment, command_line
from otjdd.explore.session import Opened, Session
from otjdd.explore.workers import Workers

PLAIN = otjdd.load_case("rv-loop").replace({"device.film.electrons": "none", "columns.count": 1, "columns.spread": {}})


def session(case=PLAIN, name="rv-loop") -> Session:
    return Session(Opened(case, name), Workers())


def values(message) -> dict[str, float]:
    """Values of the sliders of traps in a message to the page."""
    return {row["name"]: row["value"] for row in message["sliders"] if row["name"].startswith("trap_")}


def test_added_traps_are_those_of_the_leakage_as_deep_as_the_left_barrier_is_high():
    tab = session()
    assert (tab.start()["traps"], values(tab.start())) == (False, {})
    message = tab.change_traps(True, {"barrier": 0.7, "thickness": 2.9})
    assert message["traps"] is True
    assert values(message) == {
        "trap_density-0": 3.5e25, "trap_depth-0": 0.7, "trap_relaxation-0": 0.697, "trap_hops-0": 1e13,
    }  # fmt: skip
    (trap,), device = tab.case().device.traps, tab.case().device
    assert (trap.kind, trap.depth, device.left.barrier, device.film.thickness) == ("none", 0.7, 0.7, 2.9e-9)


def test_traps_that_are_taken_away_leave_no_key_and_the_other_sliders_where_they_stand():
    tab = session()
    tab.change_traps(True, {"thickness": 2.9})
    message = tab.change_traps(False, {"trap_density-0": 1e26, "barrier": 0.7})
    assert (message["traps"], values(message)) == (False, {})
    assert (
        tab.case().plain()
        == PLAIN.replace({"device.film.thickness": "2.9 nm", "device.left.barrier": "0.7 eV"}).plain()
    )


def test_the_command_makes_the_case_of_the_tab_with_its_layers_and_traps():
    """Both are changed twice, so that keys of parts would stand beside their tables."""
    tab = session(otjdd.load_case("rv-loop"))
    tab.change_traps(True, {"thickness": 2.9})
    tab.change_layers(layers.Change(1, "Al2O3"), {"trap_density-0": 1e25, "thickness": 2.6})
    tab.change_traps(False, {"layer-1-thickness": 0.7})
    tab.change_traps(True, {})
    moves = {"device.traps[0].depth": "0.5 eV", "device.film.layers[1].thickness": "0.6 nm"}
    case = case_of_experiment(OWN, tab.opened.case, moves)
    run, shipped, *words = shlex.split(command_line(OWN, "rv-loop", tab.since_opened(moves, case)))[1:]
    assert (run, shipped) == ("run", "rv-loop")
    same, (trap,) = load_checked(Path(shipped), words[1:-2:2], False), case.device.traps
    assert same.device == case.device
    assert (trap.depth, trap.density) == (0.5, 3.5e25)
    assert [layer.thickness for layer in case.device.film.layers] == [2.6e-9, 0.6e-9]


def test_traps_of_the_case_itself_stay_and_a_refused_change_leaves_the_tab_as_it_is():
    assert session(otjdd.load_case("hfo2-leakage"), "hfo2-leakage").start()["traps"] is None
    leak = {"name": "traps", "kind": "ohmic", "conductance": "1000 S/m^2"}
    tab = session(PLAIN.replace("device.leaks", [leak]))
    before = tab.start()
    assert "a name of their own" in tab.change_traps(True, {})["problem"]
    assert tab.start() == before


@pytest.mark.parametrize("data", [{}, {"present": 1}, {"present": "yes"}, {"present": None}, []])
def test_messages_that_the_page_would_not_send_are_refused(data):
    with pytest.raises(ValueError, match="expected traps"):
        traps.presence_of(data)
