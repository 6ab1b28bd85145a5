"""Sliders, experiments, and pulses by hand: data that give cases, and commands that give the same cases; films of them."""

import shlex
from pathlib import Path

import numpy as np
import pytest

import otjdd
from otjdd.case.case import parse_case
from otjdd.case.kinds import column_count
from otjdd.cli.arguments import load_checked
from otjdd.explore import sliders
from otjdd.explore.experiments import (
    BUTTONS,
    OWN,
    case_of_experiment,
    command_line,
    experiments,
    first_buttons,
    preview,
    runs_of_experiment,
    writes_of,
)
from otjdd.explore.session import Opened, Session
from otjdd.explore.work import FIRST, with_snapshots
from otjdd.explore.workers import Workers
from otjdd.plot.figure import KINDS

BASE = otjdd.load_case("li2019")
POLARISED = otjdd.load_case("ftj-hzo"), otjdd.load_case("ftj-bto")  # two levels; Merz's law
EXCHANGING = [otjdd.load_case("eightwise"), otjdd.load_case("oxygen-exchange")]  # at the left, at the right
TRAPPED = otjdd.load_case("hfo2-leakage")
THICK = {"device.film.thickness": "3 nm"}


DEVICE = sliders.device_sliders()

BARRIER = "device.right.barrier"  # of a metal


def of_its_key(slider):
    """The first of some cases that has the key of a slider, or may have it."""
    return next(case for case in (BASE, *POLARISED, *EXCHANGING, TRAPPED) if sliders.slider_values(case, [slider]))


def test_sliders_move_keys_within_ends_whose_source_is_stated():
    for slider in DEVICE:
        for value in (slider.low, slider.high, *(slider.literature or ())):
            assert slider.low <= value <= slider.high
            of_its_key(slider).replace(slider.keys[0], slider.text(value))
        assert len(slider.source) > 20
    shown = [row["name"] for row in sliders.described_sliders(BASE, DEVICE)]
    of_others = ("device.film.polarisation", "device.left.exchange", "device.right.exchange", "device.traps", BARRIER)
    assert shown == [slider.name for slider in DEVICE if not slider.keys[0].startswith(of_others)]
    for name in experiments():
        driven = case_of_experiment(name, BASE, {}).without_study()
        rows = sliders.described_sliders(driven, sliders.drive_sliders(name, driven))
        assert len(rows) == len(sliders.drive_sliders(name, driven)) - (name == OWN)  # a loop in steps has no rate
        for row in rows:
            for value in (row["low"], row["high"]):
                assert (
                    sliders.moved(driven, sliders.drive_sliders(name, driven), {row["name"]: value})
                    or value == row["value"]
                )


def test_a_film_of_layers_has_sliders_of_each_layer_in_the_place_of_those_of_the_film():
    layered = otjdd.load_case("bilayer-polarity")
    rows = sliders.sliders_of(layered)
    of_film = {slider.name: slider for slider in rows if slider.keys[0].startswith("device.film.")}
    assert list(of_film) == ["layer-0-thickness", "layer-1-thickness", "layer-1-offset"]
    changes = sliders.moved(layered, rows, {"layer-0-thickness": 2.4, "layer-1-thickness": 2.0, "layer-1-offset": -0.3})
    assert changes == {"device.film.layers[0].thickness": "2.4 nm", "device.film.layers[1].band_offset": "-0.3 eV"}
    first, second = layered.replace(changes).device.film.layers
    assert (first.thickness, second.band_offset) == (2.4e-9, -0.3)


def test_each_kind_of_traps_has_sliders_of_its_own():
    """A second kind at the vacancies, which states no density."""
    first = TRAPPED.plain()["device"]["traps"][0]
    second = {key: value for key, value in first.items() if key != "density"} | {"name": "vacancies", "of": "ions"}
    both = TRAPPED.replace({"device.traps": [first, second]})
    rows = sliders.sliders_of(both)
    shown = [row["name"] for row in sliders.described_sliders(both, rows) if row["name"].startswith("trap_")]
    assert shown == [
        "trap_density-0", "trap_depth-0", "trap_depth-1", "trap_relaxation-0", "trap_relaxation-1", "trap_hops-0",
        "trap_hops-1",
    ]  # fmt: skip
    changes = sliders.moved(both, rows, {"trap_depth-1": 1.4, "trap_density-0": 1e25})
    assert changes == {"device.traps[0].density": "1e+25 1/m^3", "device.traps[1].depth": "1.4 eV"}
    traps = both.replace(changes).device.traps
    assert [trap.depth for trap in traps] == [2.0, 1.4]
    labels = {row.label for row in rows}
    assert {"traps: depth", "vacancies: depth"} <= labels


def test_experiments_that_a_device_refuses_are_not_offered():
    """Traps that charge the film, whose vacancies rest: the drive of the case is left."""
    charged = TRAPPED.replace("device.traps[0].kind", "acceptor")
    message = Session(Opened(charged, "charged"), Workers()).start()
    assert [name for name, _, _ in message["experiments"]] == [OWN]
    assert message["settings"]["experiment"] == OWN
    assert {name for name, _, _ in Session(Opened(BASE, "li2019"), Workers()).start()["experiments"]} == set(
        experiments()
    )


def test_a_polarised_film_has_sliders_of_its_law():
    levels, merz = ({slider.name for slider in DEVICE if sliders.slider_values(case, [slider])} for case in POLARISED)
    assert {"saturation", "initial", "offset_field"} <= levels & merz
    assert levels - merz == {"level_barrier", "dipole_length", "barrier_right"}  # of its right metal
    assert merz - levels == {"switching_time", "activation_field", "exponent", "band_offset"}
    moves = sliders.moved(POLARISED[0], DEVICE, {"saturation": 20.0, "initial": 0.5})
    assert moves == {"device.film.polarisation.saturation": "20 uC/cm^2", "device.film.polarisation.initial": 0.5}
    assert sliders.moved(POLARISED[0], sliders.drive_sliders(OWN, POLARISED[0]), {"own-rate": 120.0}) == {
        "drive.rate": "120 V/s"
    }


def test_an_electrode_that_exchanges_has_sliders_whose_left_end_blocks():
    left, right = ({name for name in sliders.slider_values(case, DEVICE) if "exchange" in name} for case in EXCHANGING)
    assert (left, right) == ({"exchange_rate_left"}, {"exchange_rate_right"})
    case = EXCHANGING[1]
    assert sliders.slider_values(case, DEVICE)["formation_energy_right"] == 0.9
    moves = sliders.moved(case, DEVICE, {"exchange_rate_right": 1e-9})
    assert moves == {"device.right.exchange.rate": "1e-09 m/s"}
    blocked = case.replace("device.right.exchange.rate", "0 m/s")
    assert sliders.slider_values(blocked, DEVICE)["exchange_rate_right"] == 1e-20
    assert sliders.moved(blocked, DEVICE, {"exchange_rate_right": 1e-20}) == {}
    assert sliders.moved(blocked, DEVICE, {"exchange_rate_right": 1e-12}) == {"device.right.exchange.rate": "1e-12 m/s"}


def test_what_was_not_moved_is_no_change_and_a_value_beyond_the_ends_is_refused():
    own = sliders.slider_values(BASE, DEVICE)
    assert (own["thickness"], own["density"], own["series_resistance"]) == (2.8, BASE.ions.density, 55.0)  # in its unit
    assert sliders.moved(BASE, DEVICE, own | {"thickness": 3.0}) == THICK
    assert sliders.moved(BASE, DEVICE, {"compliance": 1000.0}) == {}  # none, as in the case
    assert sliders.moved(BASE, DEVICE, {"compliance": 1.0}) == {"circuit.compliance": "1 mA"}
    with pytest.raises(sliders.OutsideError, match=r"Film thickness: 1\.2 to 5 nm here"):
        sliders.moved(BASE, DEVICE, {"thickness": 9.0})


def test_a_case_without_a_key_has_no_slider_for_it_and_a_value_beyond_the_ends_moves_them():
    film = {"device.film.thickness": "9 nm", "device.film.electrons": "none"}
    metal = BASE.replace({"device.right": {"kind": "metal", "barrier": "1 eV"}} | film)
    rows = {row["name"]: row for row in sliders.described_sliders(metal, DEVICE)}
    assert "band_offset" not in rows
    assert rows["thickness"]["high"] == 18.0


@pytest.mark.parametrize("name", experiments())
def test_an_experiment_is_a_case_that_loads_and_its_command_says_the_same(name):
    driven, experiment = case_of_experiment(name, BASE, {}).without_study(), experiments()[name]
    slider = sliders.drive_sliders(name, driven)[-1]
    changes = THICK | sliders.moved(driven, [slider], {slider.name: slider.low})
    case = case_of_experiment(name, BASE, changes)
    assert experiment.kind in {"", *KINDS}
    assert parse_case(case.resolved()) == case
    assert len(runs_of_experiment(name, case)) == max(1, len(experiment.values))
    assert runs_of_experiment(name, preview(case))[0].columns.count == 1
    words = shlex.split(command_line(name, "li2019", changes, BASE))
    assert words[:2] == ["otjdd", "study" if experiment.vary else "run"]
    said = load_checked(Path(words[2]), words[4:-2:2], False)
    assert said.replace("title", "x") == case.replace("title", "x")


def test_kinds_of_columns_have_sliders_of_their_shares_and_a_preview_of_one_column_each():
    kinds = [
        {"name": "background", "share": 0.1, "count": 3, "set": {"device.left.barrier": "0.7 eV"}},
        {"name": "minority", "share": 0.001, "set": {"device.left.barrier": "0.6 eV"}},
    ]
    case = BASE.replace("columns.kinds", kinds)
    shown = sliders.sliders_of(case)
    assert {slider.name for slider in DEVICE if "traps" not in slider.keys[0]} - {slider.name for slider in shown} == {
        "barrier"
    }  # which no kind follows
    assert sliders.slider_values(case, shown)["share-1"] == 0.001
    changes = sliders.moved(case, shown, {"share-1": 0.002})
    assert changes == {"columns.kinds[1].share": 0.002}
    words = shlex.split(command_line(OWN, "li2019", changes, BASE))
    assert words[3:5] == ["--set", "columns.kinds[1].share=0.002"]
    assert column_count(preview(case)) == 2 < column_count(case)


def test_the_command_of_another_case_names_it_and_sets_the_drive():
    words = command_line("retention", "mine.toml", {}, BASE)
    assert words.startswith("otjdd run mine.toml --set 'drive={ kind")
    assert (
        command_line(OWN, "mine.toml", THICK, BASE)
        == "otjdd run mine.toml --set 'device.film.thickness=3 nm' -o own.nc"
    )
    assert command_line("loop", "", THICK, BASE) == "otjdd run explored.toml"


def test_another_device_has_the_experiments_and_pulses_of_its_own_drive():
    """A cell of 10 nm that is written with 1.5 V for 10 ms and read at 0.1 V, where Li's is with 2.2 and -4.3 V."""
    cell = otjdd.load_case("vcm-cell")
    assert first_buttons(BASE) == list(BUTTONS)
    assert first_buttons(cell) == [(1.5, 0.01), (-1.5, 0.01)]
    for name, row in experiments().items():
        if name == OWN:
            continue
        case = case_of_experiment(name, cell, {})
        waveform = runs_of_experiment(name, case)[0].drive.waveform()
        assert -1.5 <= waveform.voltages.min()
        assert waveform.voltages.max() <= 1.5
        assert case.circuit.time_constant == cell.circuit.time_constant
        if name not in ("stdp", "ppf"):
            assert writes_of(case)[:3] == (1.5, {"pulses": -1.5}.get(name, -1.5), 0.01)
        words = shlex.split(command_line(name, "vcm-cell", {}, cell))
        typed = load_checked(Path(words[2]), words[4:-2:2], False)
        assert typed.without_study().replace("title", "x") == case.without_study().replace("title", "x")
        assert typed.study is None or typed.study.grid or not row.vary
    periods = case_of_experiment("ppf", cell, {}).study.grid["drive.parts[1].period"]
    assert [str(period) for period in periods][:2] == ["0.02 s", "0.04 s"]
    quick = cell.replace("drive.width", "5 ns")  # periods have room for reads
    assert case_of_experiment("ppf", quick, {}).study.grid["drive.parts[1].period"][0] == "1e-07 s"
    width = {s.name: s for s in sliders.drive_sliders("pulses", case_of_experiment("pulses", cell, {}))}["pulses-width"]
    assert (width.unit, width.low, width.high) == ("ms", 0.01, 10_000.0)


@pytest.mark.parametrize(
    ("drive", "writes"),
    [
        ({"kind": "triangle", "path": ["0 V", "3 V", "-2 V", "0 V"], "rate": "300 V/s"}, (3.0, -2.0, 1e-3, 0.1)),
        ({"kind": "hold", "voltage": "-2 V", "duration": "3 s"}, (2.0, -2.0, 3.0, 0.1)),
        ({"kind": "pulse", "voltage": "2 V", "width": "5 us", "read": {"voltage": "0.3 V"}}, (2.0, -2.0, 5e-6, 0.3)),
        (
            {"kind": "train", "voltage": "2 V", "width": "5 us", "count": 400_000, "period": "1 ms"},
            (2.0, -2.0, 5e-6, 0.1),
        ),
        ({"kind": "iv", "voltages": ["1 V", "2 V"]}, (1.0, -1.0, 1e-3, 0.1)),
        ({"kind": "hold", "voltage": "0 V", "duration": "3 s"}, (1.0, -1.0, 1e-3, 0.1)),
    ],
)
def test_writes_of_a_device_are_those_of_its_drive(drive, writes):
    assert writes_of(BASE.replace({"drive": drive, "record": {}})) == pytest.approx(writes, rel=1e-9)


def test_a_drive_of_few_jumps_is_shown_from_a_picosecond_after_each_of_them():
    case = with_snapshots(BASE)
    times = np.array(case.record.profiles_at)
    before, after = BASE.drive.waveform(), case.drive.waveform()
    assert before.duration == pytest.approx(after.duration, rel=1e-15)
    middle = (times[1:] + times[:-1]) / 2
    np.testing.assert_array_equal(
        np.interp(middle, before.times, before.voltages), np.interp(middle, after.times, after.voltages)
    )
    for jump in (0.0, 0.100001):
        since = times[times > jump] - jump
        assert since[0] == pytest.approx(FIRST, rel=0.05)
        ratios = since[1:10] / since[:9]
        assert ratios.max() < 20


def test_a_drive_of_many_jumps_is_shown_read_by_read():
    assert with_snapshots(otjdd.load_case("rv-loop")).record.profiles_at_reads
    assert with_snapshots(otjdd.load_case("ltp-ltd")).record.profiles_at_reads
    with pytest.raises(ValueError, match="nothing to play"):
        with_snapshots(otjdd.load_case("iv"))
