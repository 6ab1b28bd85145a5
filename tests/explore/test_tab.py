"""A tab without its page: layers and traps that are added and removed, what is undone, kept, played, and refused."""

import asyncio
import pickle
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

import otjdd
from otjdd.cli.arguments import load_checked
from otjdd.explore import sliders
from otjdd.explore.experiments import OWN, case_of_experiment, command_line
from otjdd.explore.sliders import slider_values, sliders_of
from otjdd.explore.tab import (
    LastRun,
    Opened,
    Tab,
    TabState,
    first_frame_of,
    layer_change_of,
    presence_of,
    pulse_by_hand,
    settings_in,
)
from otjdd.explore.workers import PanelResult, Workers

BILAYER = otjdd.load_case("bilayer-polarity")
PLAIN = otjdd.load_case("rv-loop").replace(
    {"device.film.electrons": "none", "columns.count": 1, "columns.spread": {}, "circuit": {}}
)
TRIANGLE = {"kind": "triangle", "path": ["0 V", "1 V", "0 V"], "rate": "100 V/s"}  # without reads
SMALL = PLAIN.replace(
    {"drive": {"kind": "pulse", "voltage": "1 V", "width": "1 us", "read": {}}, "device.film.cells": 12}
)


class Here:
    """Workers whose jobs run at once, in this process."""

    def __init__(self):
        self.ready = asyncio.Event()
        self.ready.set()
        self.jobs = []

    def submit(self, function, *args):
        self.jobs.append(function.__name__)
        future = asyncio.get_running_loop().create_future()
        future.set_result(pickle.loads(pickle.dumps(function(*args, lambda fraction: None))))
        return SimpleNamespace(task=future, fraction=1.0, compiling="")


def new_tab(case=BILAYER, name="bilayer-polarity", workers=None) -> Tab:
    return Tab(Opened(case, name), workers or Workers())


def values(message) -> dict[str, float]:
    """Values of the sliders of traps in a message to the page."""
    return {row["name"]: row["value"] for row in message["sliders"] if row["name"].startswith("trap_")}


def do(coroutine):
    answer = asyncio.run(coroutine)
    assert not answer.get("problem"), answer
    return answer


def test_an_added_layer_has_the_published_numbers_of_its_material_and_the_rest_of_its_neighbour():
    rows = sliders.changed_layers(PLAIN, sliders.LayerChange(1, "Al2O3"))
    first, new = rows
    assert (first["material"], new["material"]) == ("SrTiO3", "Al2O3")
    assert new["permittivity"] == {"law": "linear", "eps_r": 9.0}
    assert new["band_offset"] == "2.83 eV"  # affinities of 4.08 and 1.25 eV
    assert new["tunnelling_mass"] == first["tunnelling_mass"]
    film = PLAIN.replace({sliders.LAYERS: rows}).device.film
    assert [sheet.thickness for sheet in film.layers] == [2.8e-9, 1e-9]


def test_offsets_count_from_the_layer_that_is_first_after_a_change():
    rows = sliders.changed_layers(
        PLAIN.replace({sliders.LAYERS: sliders.changed_layers(PLAIN, sliders.LayerChange(0, "HfO2"))}),
        sliders.LayerChange(0, ""),
    )
    assert [(table["material"], table["band_offset"]) for table in rows] == [("SrTiO3", "0 eV")]
    with pytest.raises(ValueError, match="at least one layer"):
        sliders.changed_layers(PLAIN.replace({sliders.LAYERS: rows}), sliders.LayerChange(0, ""))
    with pytest.raises(ValueError, match="2 layers"):
        sliders.changed_layers(BILAYER, sliders.LayerChange(2, ""))


def test_a_tab_has_sliders_of_its_layers_and_names_them_in_its_command():
    tab = new_tab()
    before = tab.start()["layers"]
    message = tab.change_layers(sliders.LayerChange(1, "Al2O3"), {"layer-0-thickness": 1.7})
    assert message["layers"] == [before[0], "Al2O3", before[1]]
    names = {row["name"]: row for row in message["sliders"]}
    assert names["layer-0-thickness"]["value"] == 1.7
    assert "Robertson" in names["layer-1-offset"]["source"]
    changes = tab.since_opened(
        {"device.film.layers[1].thickness": "0.8 nm"},
        tab.state.opened.case.replace("device.film.layers[1].thickness", "0.8 nm"),
    )
    same = BILAYER.replace(changes).device.film
    assert [sheet.thickness for sheet in same.layers] == pytest.approx(
        [1.7e-9, 0.8e-9, BILAYER.device.film.layers[1].thickness]
    )
    assert tab.change_layers(sliders.LayerChange(7, ""), {})["problem"] == "the film has 3 layers"
    assert new_tab(PLAIN, "small").start()["layers"] == ["SrTiO3"]  # another tab has its own film


def test_a_layer_beside_electrons_on_a_metal_has_the_states_of_its_neighbour_and_the_metal_a_slider():
    """Without states of its own such a layer is refused, and nothing could be added to the film."""
    electrons = {"device.film.electrons": "balance", "device.film.density_of_states": "1e26 1/m^3"}
    case = otjdd.load_case("junction").replace(electrons)
    added = case.replace({sliders.LAYERS: sliders.changed_layers(case, sliders.LayerChange(1, "Al2O3"))})
    assert [layer.density_of_states for layer in added.device.film.layers] == [1e26, 1e26]
    values = slider_values(added, sliders_of(added))
    assert values["barrier_right"] == 1.9
    assert "barrier_right" not in slider_values(PLAIN, sliders_of(PLAIN))


def test_added_traps_are_those_of_the_leakage_as_deep_as_the_left_barrier_is_high():
    tab = new_tab(PLAIN, "rv-loop")
    assert (tab.start()["traps"], values(tab.start())) == (False, {})
    message = tab.change_traps(True, {"barrier": 0.7, "thickness": 2.9})
    assert message["traps"] is True
    assert values(message) == {
        "trap_density-0": 3.5e25, "trap_depth-0": 0.7, "trap_relaxation-0": 0.697, "trap_hops-0": 1e13,
    }  # fmt: skip
    (trap,), device = tab.case().device.traps, tab.case().device
    assert (trap.kind, trap.depth, device.left.barrier, device.film.thickness) == ("none", 0.7, 0.7, 2.9e-9)


def test_the_command_makes_the_case_of_the_tab_with_its_layers_and_traps():
    """Both are changed twice, so that keys of parts would stand beside their tables."""
    tab = new_tab(otjdd.load_case("rv-loop"), "rv-loop")
    tab.change_traps(True, {"thickness": 2.9})
    tab.change_layers(sliders.LayerChange(1, "Al2O3"), {"trap_density-0": 1e25, "thickness": 2.6})
    tab.change_traps(False, {"layer-1-thickness": 0.7})
    tab.change_traps(True, {})
    moves = {"device.traps[0].depth": "0.5 eV", "device.film.layers[1].thickness": "0.6 nm"}
    case = case_of_experiment(OWN, tab.state.opened.case, moves)
    run, shipped, *words = shlex.split(command_line(OWN, "rv-loop", tab.since_opened(moves, case), case))[1:]
    assert (run, shipped) == ("run", "rv-loop")
    same, (trap,) = load_checked(Path(shipped), words[1:-2:2], False), case.device.traps
    assert same.device == case.device
    assert (trap.depth, trap.density) == (0.5, 3.5e25)
    assert [layer.thickness for layer in case.device.film.layers] == [2.6e-9, 0.6e-9]


def test_traps_of_the_case_itself_stay_and_a_refused_change_leaves_the_tab_as_it_is():
    assert new_tab(otjdd.load_case("hfo2-leakage"), "hfo2-leakage").start()["traps"] is None
    leak = {"name": "traps", "kind": "ohmic", "conductance": "1000 S/m^2"}
    tab = new_tab(PLAIN.replace("device.leaks", [leak]), "rv-loop")
    before = tab.start()
    assert "a name of their own" in tab.change_traps(True, {})["problem"]
    assert tab.start() == before


@pytest.mark.parametrize(
    ("check", "data"),
    [
        *(
            (layer_change_of, data)
            for data in ({}, {"place": -1, "material": ""}, {"place": 0, "material": "gold"}, [])
        ),
        (layer_change_of, {"place": True, "material": ""}),
        *((presence_of, data) for data in ({}, {"present": 1}, {"present": "yes"}, {"present": None}, [])),
        *((first_frame_of, data) for data in ([], {"first": -1, "count": 2}, {"first": 0, "count": 1e6})),
        *((pulse_by_hand, data) for data in ([], {"voltage": 1.0}, {"voltage": True, "width": 1.0})),
        *((settings_in, data) for data in ([], {"experiment": "none"}, {"experiment": OWN, "values": {"x": "1"}})),
    ],
)
def test_messages_that_the_page_would_not_send_are_refused(check, data):
    with pytest.raises(ValueError, match="expected"):
        check(data)


def test_undo_returns_to_the_answers_before_moves_pulses_and_layers_without_a_run():
    tab = new_tab(SMALL, "small", Here())
    first = do(tab.move(settings_in({"experiment": OWN, "values": {}, "final": True})))
    assert not first["undo"]
    thick = do(tab.move(settings_in({"experiment": OWN, "values": {"thickness": 3.0}, "final": True})))
    pulsed = do(tab.pulse(1.5, 1e-6))
    assert pulsed["pulses"] == 1
    tab.change_layers(sliders.LayerChange(1, "HfO2"), {"thickness": 3.0})
    jobs = len(tab.turns._workers.jobs)
    for pictures, layers in ((pulsed, 1), (thick, 1), (first, 1)):
        message = tab.undo()
        assert message["shown"]["pictures"] == pictures["pictures"]
        assert len(message["layers"]) == layers
    assert tab.state.synapse.pulses == ()
    assert message["shown"]["settings"]["values"] == {}
    assert tab.undo()["problem"] == "there is nothing to undo"
    assert len(tab.turns._workers.jobs) == jobs


def test_states_to_return_to_are_as_many_as_their_results_leave_room_for(monkeypatch):
    monkeypatch.setattr("otjdd.explore.tab.MOST_BYTES", 50)
    tab = new_tab(SMALL, "small")
    shared = SimpleNamespace(nbytes=30)
    for i, new in enumerate([0, 10, 10, 10, 200]):
        run = LastRun({}, SMALL, [], [shared, SimpleNamespace(nbytes=new)], {})
        tab.state = tab.state._replace(run=run, latest={"number": i})
        tab.proceed(TabState(tab.state.opened, {}))
        assert len(tab.past) == [1, 2, 3, 2, 1][i]
    assert tab.past[-1].latest == {"number": 4}


def test_values_of_each_experiment_and_pulses_are_kept_and_a_preview_is_no_step_to_undo():
    tab = new_tab(SMALL, "small", Here())
    do(tab.move(settings_in({"experiment": OWN, "values": {"own-voltage": 7.5}, "final": True})))  # beyond the slider
    do(tab.move(settings_in({"experiment": OWN, "values": {"own-voltage": 0.8}, "final": False})))
    assert [len(tab.past), tab.state.run.case.drive.voltage] == [0, 7.5]
    do(tab.pulse(0.7, 3e-6))
    rows = {name: {row["name"]: row["value"] for row in rows} for name, _, rows in tab.start()["experiments"]}
    assert rows[OWN]["own-voltage"] == 7.5
    assert tab.start()["buttons"][-1] == (0.7, 3e-6)
    assert tab.forget(0.7, 3e-6)["buttons"] == tab.start()["buttons"]
    assert (0.7, 3e-6) not in tab.buttons


def test_a_film_is_computed_once_and_not_at_all_where_the_run_has_its_snapshots():
    tab = new_tab(SMALL, "small", Here())
    do(tab.move(settings_in({"experiment": OWN, "values": {}, "final": True})))
    first = do(tab.frames(0, 1))
    second = do(tab.frames(1, 2))
    assert [len(first["frames"]), len(second["frames"])] == [1, 2]
    assert len(first["times"]) > 50
    assert tab.turns._workers.jobs == ["computed", "filmed", "encoded_frames", "encoded_frames"]
    assert tab.turns.doing == "drawing the film"
    loop = SMALL.replace(
        {"drive": PLAIN.replace("drive.step", "2 V").plain()["drive"], "record": PLAIN.plain()["record"]}
    )
    tab = new_tab(loop, "loop", Here())
    do(tab.move(settings_in({"experiment": OWN, "values": {}, "final": True})))
    do(tab.frames(0, 1))
    assert tab.film[2].ds.identical(tab.state.run.results[0])


def test_the_first_pulse_after_a_run_without_reads_is_drawn_and_a_failure_is_told_in_words():
    tab = new_tab(SMALL.replace({"drive": TRIANGLE, "record": {"every": "all"}}), "small", Here())
    do(tab.move(settings_in({"experiment": OWN, "values": {}, "final": True})))
    assert do(tab.pulse(0.5, 1e-6))["pictures"]["curve"]
    assert pickle.loads(pickle.dumps(PanelResult(problem="no"))).problem == "no"
