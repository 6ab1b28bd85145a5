"""Sliders, experiments, and pulses by hand: data that give cases, and commands that give the same cases; films of them."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from messages import compared, told

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
from otjdd.explore.tab import Opened, Tab
from otjdd.explore.workers import FIRST, Workers, with_snapshots
from otjdd.plot.figure import KINDS

BASE = otjdd.load_case("li2019")
TRAPPED = otjdd.load_case("hfo2-leakage")
CELL = otjdd.load_case("vcm-cell")
EXCHANGING = otjdd.load_case("oxygen-exchange")
THICK = {"device.film.thickness": "3 nm"}
DEVICE = sliders.device_sliders()
TRAPS = TRAPPED.plain()["device"]["traps"][0]
AT_VACANCIES = {key: value for key, value in TRAPS.items() if key != "density"} | {"name": "vacancies", "of": "ions"}
UNLIKE = [
    {"name": "background", "share": 0.1, "count": 3, "set": {"device.left.barrier": "0.7 eV"}},
    {"name": "minority", "share": 0.001, "set": {"device.left.barrier": "0.6 eV"}},
]
METAL = {"device.right": {"kind": "metal", "barrier": "1 eV"}, "device.film.electrons": "none"}
DEVICES = {
    **{name: otjdd.load_case(name) for name in ("li2019", "ftj-hzo", "ftj-bto", "eightwise", "bilayer-polarity")},
    "oxygen-exchange": EXCHANGING,
    "an electrode that blocks": EXCHANGING.replace("device.right.exchange.rate", "0 m/s"),
    "two kinds of traps": TRAPPED.replace({"device.traps": [TRAPS, AT_VACANCIES]}),
    "two kinds of columns": BASE.replace("columns.kinds", UNLIKE),
    "a thick film on a metal": BASE.replace(METAL | {"device.film.thickness": "9 nm"}),
}


def described(title, case, rows):
    """Lines on the sliders of a case: values, ends, and what a slider at either end changes."""
    yield f"# {title}"
    for row in sliders.described_sliders(case, rows):
        name, low, high = (row[key] for key in ("name", "low", "high"))
        changes = [sliders.moved(case, rows, {name: value}) for value in (low, high)]
        refused = "".join(told(case.replace, change) for change in changes)
        ends = f"{row['value']:g} from {low:g} to {high:g} {row['unit']}"
        yield f"{name}, {row['label']}: {ends}; {changes} {refused}".rstrip()
    yield ""


def test_sliders_of_devices_and_drives_are_those_of_the_table():
    lines = [line for name, case in DEVICES.items() for line in described(name, case, sliders.sliders_of(case))]
    for name in experiments():
        for title, device in (("li2019", BASE), ("vcm-cell", CELL)):
            case = case_of_experiment(name, device, {}).without_study()
            lines += described(f"{name} of {title}", case, sliders.drive_sliders(name, case))
    compared("sliders.txt", lines)


def test_the_literature_of_a_slider_is_within_its_ends_and_has_a_source():
    for slider in DEVICE:
        assert all(slider.low <= value <= slider.high for value in slider.literature or ())
        assert len(slider.source) > 20


def test_experiments_that_a_device_refuses_are_not_offered():
    """Traps that charge the film, whose vacancies rest: the drive of the case is left."""
    charged = TRAPPED.replace("device.traps[0].kind", "acceptor")
    message = Tab(Opened(charged, "charged"), Workers()).start()
    assert [name for name, _, _ in message["experiments"]] == [OWN]
    assert message["settings"]["experiment"] == OWN
    assert {name for name, _, _ in Tab(Opened(BASE, "li2019"), Workers()).start()["experiments"]} == set(experiments())


def test_what_was_not_moved_is_no_change_and_a_value_beyond_the_ends_is_refused():
    own = sliders.slider_values(BASE, DEVICE)
    assert (own["thickness"], own["density"], own["series_resistance"]) == (2.8, BASE.ions.density, 55.0)  # in its unit
    assert sliders.moved(BASE, DEVICE, own | {"thickness": 3.0}) == THICK
    assert sliders.moved(BASE, DEVICE, {"compliance": 1000.0}) == {}  # none, as in the case
    assert sliders.moved(BASE, DEVICE, {"compliance": 1.0}) == {"circuit.compliance": "1 mA"}
    with pytest.raises(sliders.OutsideError, match=r"Film thickness: 1\.2 to 5 nm here"):
        sliders.moved(BASE, DEVICE, {"thickness": 9.0})


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


def test_kinds_of_columns_have_a_preview_of_one_column_each():
    case = DEVICES["two kinds of columns"]
    words = shlex.split(command_line(OWN, "li2019", {"columns.kinds[1].share": 0.002}, BASE))
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
    assert first_buttons(BASE) == list(BUTTONS)
    assert first_buttons(CELL) == [(1.5, 0.01), (-1.5, 0.01)]
    for name, row in experiments().items():
        if name == OWN:
            continue
        case = case_of_experiment(name, CELL, {})
        waveform = runs_of_experiment(name, case)[0].drive.waveform()
        assert -1.5 <= waveform.voltages.min()
        assert waveform.voltages.max() <= 1.5
        assert case.circuit.time_constant == CELL.circuit.time_constant
        if name not in ("stdp", "ppf"):
            assert writes_of(case)[:3] == (1.5, {"pulses": -1.5}.get(name, -1.5), 0.01)
        words = shlex.split(command_line(name, "vcm-cell", {}, CELL))
        typed = load_checked(Path(words[2]), words[4:-2:2], False)
        assert typed.without_study().replace("title", "x") == case.without_study().replace("title", "x")
        assert typed.study is None or typed.study.grid or not row.vary
    periods = case_of_experiment("ppf", CELL, {}).study.grid["drive.parts[1].period"]
    assert [str(period) for period in periods][:2] == ["0.02 s", "0.04 s"]
    quick = CELL.replace("drive.width", "5 ns")  # periods have room for reads
    assert case_of_experiment("ppf", quick, {}).study.grid["drive.parts[1].period"][0] == "1e-07 s"


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
