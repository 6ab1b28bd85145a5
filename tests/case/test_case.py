"""Cases: the shipped ones, what is refused and how it is told, changes, and text that loads back."""

import functools
import math
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otjdd.case import toml_text
from otjdd.case.case import load_case, parse_case, shipped_cases
from otjdd.case.device import material, materials
from otjdd.errors import MAX_PROBLEMS, CaseError

REFERENCE = shipped_cases() / "li2019.toml"

CASE = """\
title = "test"
temperature = "300 K"

[device]
radius = "10 um"
left = { kind = "metal", barrier = "0.7 eV" }
right = { kind = "metal", barrier = "0.7 eV" }

[device.film]
thickness = "2.8 nm"
permittivity = { law = "linear", eps_r = 30 }

[ions]
density = "3e26 1/m^3"
site_density = "1e28 1/m^3"
law = "linear"
hop_distance = "0.39 nm"
activation_energy = "0.45 eV"
prefactor = "5e-7 m^2/s"

[drive]
kind = "pulse"
voltage = "1 V"
width = "50 ns"
"""


WINDOWS = '[record]\nevery = "{}"\nwindows = [{}]\n[drive]'


def problems_of(text: str, **options) -> list[str]:
    """Each problem in one line, "line:column key: ..."."""
    with pytest.raises(CaseError) as caught:
        parse_case(text, **options)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(p).splitlines()[0].removeprefix("case.toml:") for p in caught.value.problems]


def test_shipped_cases_load_back_from_their_text_and_say_what_they_ask():
    for path in sorted(shipped_cases().glob("*.toml")):
        case, header = load_case(path), path.read_text().split("\n\n")[0].lower()
        again = parse_case(case.resolved())
        assert again == case, path
        assert (again.resolved(), again.digest) == (case.resolved(), case.digest), path
        assert case.resolved() == toml_text.write(case.plain()), path
        assert case.source == path.read_text(), path
        assert "question:" in header, path
        assert "look at" in header, path
        assert re.search(r"10\.\d{4,5}/\S+|[a-z.]+ \d+, \d+|li 2019|taken from literature or assumed", header), path


ONE_FAULT = [
    ('"2.8 nm"', '"2 eV"', '10:1 device.film.thickness: expected a length such as "2.8 nm", got "2 eV" (an energy)'),
    ('"2.8 nm"', "2.8e-9", '10:1 device.film.thickness: expected a length such as "2.8 nm", got 2.8e-09 (a'),
    ('"2.8 nm"', "[1]", '10:1 device.film.thickness: expected a length such as "2.8 nm", got [1]'),
    ('"2.8 nm"', '"10**10**10 nm"', "10:1 device.film.thickness: expected a length"),
    ("thickness", "thicknes", '10:1 device.film.thicknes: expected a known key, got "thicknes" (did you'),
    ("eps_r = 30", 'eps_r = "30"', '11:34 device.film.permittivity.eps_r: expected a number from 1 to 1e6, got "30"'),
    ("eps_r = 30", "eps_r = true", "11:34 device.film.permittivity.eps_r: expected a number from 1 to 1e6, got true"),
    ('law = "linear", e', 'law = "liner", e', '11:18 device.film.permittivity.law: expected "linear" or "nonlinear"'),
    ('law = "linear", e', "e", '11:1 device.film.permittivity.law: expected "linear" or "nonlinear", got nothing'),
    ("3e26", "2e28", '14:1 ions.density: expected a density below the site density of "1e28 1/m^3", got "2e28 1/m^3"'),
    ('title = "test"\n', "", "1:1 title: expected text of 1 to 200 characters, got nothing: the key is missing"),
    ('voltage = "1 V"\n', "", '21:2 drive.voltage: expected a voltage from "-100 V" to "100 V", got nothing: the'),
    ('kind = "pulse"\n', "", '21:2 drive.kind: expected "hold", "steps", "pulse",'),
    ('kind = "metal", b', 'kind = "meta", b', '6:10 device.left.kind: expected "metal" or "semiconductor", got "meta"'),
    ("[ions]", "[ion]", "13:2 ion: expected a known key"),
    ("[drive]", WINDOWS.format("none", '["1 us"]'), "23:12 record.windows[0][1]: expected a time from"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), ONE_FAULT)
def test_a_fault_is_told_in_its_place_in_plain_words(old, new, told):
    text = CASE.replace(old, new, 1)
    assert text != CASE
    here = problems_of(text)
    assert [line[: len(told)] for line in here if line.split()[1] == told.split()[1]] == [told]
    assert not any("Input should" in line or "pydantic" in line for line in here)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{i} = 1\n" for i in range(5_000)),
        f"a = [{'nan,' * 20_000}]",
        CASE.split("[drive]")[0] + "drive.kind = 'sequence'\ndrive.parts = [" + "{kind='pulse',width=1}," * 9_000 + "]",
        "x" * 900_000 + " = 1",
        CASE.replace('"test"', f'"{"x" * 900_000}"'),
    ],
    ids=["unknown keys", "nan", "parts", "long key", "long title"],
)
def test_a_case_with_no_end_of_faults_is_told_a_screenful(text):
    with pytest.raises(CaseError) as caught:
        parse_case(text)
    assert len(caught.value.problems) <= MAX_PROBLEMS
    assert len(str(caught.value)) < 500 * MAX_PROBLEMS


def test_a_list_with_a_bad_member_is_not_also_called_too_short():
    text = CASE.split("[drive]")[0] + '[drive]\nkind = "sequence"\nparts = [{kind = "pulse"}, 3]'
    told = problems_of(text)
    assert [line.split()[1] for line in told] == [
        "drive.parts[0].voltage:",
        "drive.parts[0].width:",
        "drive.parts[1]:",
    ]


def test_values_are_set_on_top_of_the_file():
    changes = {"device.film.thickness": "3.2 nm", "device.film.cells": "50", "drive.parts[1].voltage": "1 V"}
    case = load_case(REFERENCE, set=changes)
    assert case.device.film.thickness == 3.2e-9
    assert case.device.film.cells == 50
    assert case.drive.parts[1].voltage == 1
    assert case == load_case(REFERENCE, **changes)
    assert case == load_case(REFERENCE).replace(**changes)


def test_replace_gives_another_case_and_takes_si_numbers():
    case = parse_case(CASE)
    thick = case.replace("device.film.thickness", 3.2e-9)
    assert thick.device.film.thickness == 3.2e-9
    assert (thick.drive is case.drive, thick.ions is case.ions) == (True, True)  # sections without a change
    assert case.device.film.thickness == 2.8e-9
    assert thick != case
    assert thick == case.replace("device.film.thickness", "3.2 nm")
    assert thick.replace("device.film.thickness", "2.8 nm") == case
    assert thick.digest != case.digest
    assert len({thick, case, thick.replace("device.film.thickness", "2.8 nm")}) == 2
    with pytest.raises(CaseError, match=r"replace device\.film\.thicknes: .*did you mean"):
        case.replace("device.film.thicknes", "3 nm")


def test_cases_are_frozen_and_travel_between_processes():
    case = load_case(REFERENCE)
    with pytest.raises(ValueError, match="frozen"):
        case.title = "other"
    copy = pickle.loads(pickle.dumps(case))
    assert copy == case
    assert copy.folder == case.folder
    assert copy.source == case.source


@pytest.fixture
def with_table(tmp_path):
    """A case in a folder of its own that plays a table of voltages, and the folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "w.csv").write_text("0,0\n1e-6,1\n")
    (tmp_path / "w.csv").write_text("0,0\n1e-6,2\n")
    (folder / "link.csv").symlink_to(tmp_path / "w.csv")
    text = CASE.split("[drive]")[0] + '[drive]\nkind = "table"\nfile = "w.csv"\n'
    (folder / "case.toml").write_text(text)
    return folder / "case.toml"


def test_files_are_found_beside_the_case_from_anywhere(with_table, monkeypatch):
    monkeypatch.chdir("/")
    case = load_case(with_table)
    assert case.drive.waveform().voltages[-1] == 1
    (with_table.parents[1] / "above.toml").write_text('base = "folder/case.toml"\n')
    assert load_case(with_table.parents[1] / "above.toml").drive.waveform().voltages[-1] == 1  # beside the base
    assert 'file = "w.csv"' in case.resolved()
    assert parse_case(case.resolved(), with_table.parent) == case
    assert case.replace("temperature", "310 K").drive == case.drive


def test_the_digest_covers_the_files_that_a_case_names(with_table):
    before = load_case(with_table).digest
    (with_table.parent / "w.csv").write_text("0,0\n1e-6,3\n")
    assert load_case(with_table).digest != before


@pytest.mark.parametrize("name", ["../w.csv", "link.csv", "/etc/hostname", "none.csv", "", "a\0b", "x" * 5000, "."])
def test_files_outside_the_folder_or_missing_are_refused(with_table, name):
    with pytest.raises(CaseError) as caught:
        load_case(with_table, set={"drive.file": name})
    assert {p.key for p in caught.value.problems} == {"drive.file"}


def test_files_of_changes_are_found_in_the_present_folder_too(with_table, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for name, last in (("mine.csv", 5), ("w.csv", 6)):
        (here / name).write_text(f"0,0\n1e-6,{last}\n")
    case = load_case(with_table, set={"drive.file": "mine.csv"})
    assert case.drive.waveform().voltages[-1] == 5
    assert case.replace("drive.reads_at", ["1 us"]).drive.waveform().voltages[-1] == 5
    assert load_case(with_table, set={"drive.file": "w.csv"}).drive.waveform().voltages[-1] == 1  # beside the case
    with_table.write_text(with_table.read_text().replace("w.csv", "mine.csv"))
    with pytest.raises(CaseError, match="looked for in"):  # a file names what is beside it
        load_case(with_table)


@pytest.mark.parametrize("name", ["../w.csv", "link.csv"])
def test_files_outside_the_folder_are_used_when_allowed(with_table, name):
    case = load_case(with_table, set={"drive.file": name}, allow_outside=True)
    assert case.drive.waveform().voltages[-1] == 2
    assert case.replace("temperature", "310 K").drive == case.drive


def test_a_study_is_part_of_the_case_and_not_of_its_points():
    text = CASE + '\n[study.grid]\ndevice.film.thickness = ["2 nm", "3 nm"]\n'
    case = parse_case(text)
    assert case.study.grid == {"device.film.thickness": ("2 nm", "3 nm")}
    assert parse_case(case.resolved()) == case
    assert case.without_study() == parse_case(CASE)


def outcome(read):
    """A case and no problems, or no case and some problems."""
    try:
        return read(), []
    except CaseError as error:
        return None, error.problems


LINES = REFERENCE.read_text().splitlines()
SPLICES = [
    "",
    "=",
    '"',
    "[",
    "]",
    "{",
    "}",
    "#",
    "1",
    "-1",
    "nan",
    "true",
    "[[x]]",
    "a.b = 1",
    '"1 V"',
    "\\",
    "'''",
    "\t",
    "é",
]


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, 5000), st.integers(0, 12), st.sampled_from(SPLICES) | st.text(max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_a_mangled_case_is_either_a_case_or_told_why_not(cuts):
    text = "\n".join(line.split("#")[0] for line in LINES)
    for at, length, put in cuts:
        at %= len(text)
        text = text[:at] + put + text[at + length :]
    case, problems = outcome(lambda: parse_case(text))
    assert all(p.line >= 1 and p.column >= 1 for p in problems)
    assert problems or parse_case(case.resolved()) == case


@settings(deadline=None, max_examples=30)
@given(
    key=st.sampled_from(
        ["device.film.cells", "device.left", "ions.initial", "drive.parts", "drive", "columns.spread", "study", "title"]
    ),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda v: (
            st.lists(v, max_size=3)
            | st.dictionaries(st.sampled_from(["kind", "law", "result", "history", "x"]), v, max_size=3)
        ),
        max_leaves=6,
    ),
)
def test_any_value_anywhere_is_either_taken_or_told_why_not(key, value):
    case, problems = outcome(lambda: load_case(REFERENCE).replace(key, value))
    assert all(p.file == "replace" for p in problems)
    assert problems or parse_case(case.resolved()) == case


def test_reading_cases_loads_nothing_heavy():
    heavy = "{'numba', 'scipy', 'xarray', 'matplotlib', 'h5netcdf', 'pandas'}"
    code = f"from otjdd.case import case; case.load_case({os.fspath(REFERENCE)!r})"
    code += f"; import sys; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=500)


def test_a_table_that_names_its_kind_replaces_the_one_that_is_there():
    train = {"kind": "train", "voltage": "1 V", "width": "1 us", "period": "1 ms", "count": 2, "read_each": True}
    first = load_case(REFERENCE).replace("drive", train)
    train = {"kind": "train", "voltage": "2 V", "width": "1 us", "frequency": "1 kHz", "count": 3}
    second = first.replace("drive", train)
    assert (second.drive.period, second.drive.read_each, second.drive.count) == (None, False, 3)
    assert first.replace("drive", {"voltage": "2 V"}).drive.read_each  # a table without it is put on the other
    one = {"thickness": "2 nm", "permittivity": {"law": "linear", "eps_r": 20}}
    assert load_case("double-barrier", {"device.film": one}).device.film.thickness == 2e-9  # instead of layers


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("vcm-heat", "study"),
        ("ftj-hzo", "device.film.polarisation"),
        ("oxygen-exchange", "device.right.exchange"),
        ("li2019", "device.heat"),  # none is there
    ],
)
def test_a_table_of_a_base_is_taken_away(tmp_path, name, key):
    def at(case):
        return functools.reduce(getattr, key.split("."), case)

    file = tmp_path / "own.toml"
    file.write_text(f'base = "{name}"\n{key} = "none"\n')
    changes = {} if name != "ftj-hzo" else {"drive": {"kind": "hold", "voltage": "0 V", "duration": "1 s"}}
    assert at(load_case(file, changes)) is None
    assert at(load_case(name, {key: "none"} | changes)) is None
    assert at(load_case(name).replace({key: "none"} | changes)) is None


@pytest.mark.parametrize(
    ("inherited", "own", "key"),
    [
        ('ions.ionisation_energy = "0.1 eV"', "", "ions.ionisation_energy"),
        ("device.film.cells = 20", 'numerics.error = "estimate"\n', "device.film.cells"),
        (
            'ions.activation_energy_rise = "0.8 eV"',
            'ions.activation_energy = "0.3 eV"\n',
            "ions.activation_energy_rise",
        ),
    ],
)
def test_a_fault_of_an_inherited_value_has_the_place_of_that_value(tmp_path, inherited, own, key):
    (tmp_path / "below.toml").write_text(f'base = "junction"\n{inherited}\n')
    (tmp_path / "above.toml").write_text(f'base = "below"\n{own}')
    with pytest.raises(CaseError) as error:
        load_case(tmp_path / "above.toml")
    (problem,) = error.value.problems
    assert (Path(problem.file).name, problem.line, problem.key) == ("below.toml", 2, key)


def test_constants_of_a_device_follow_from_published_values():
    lattice = material("sto-lattice-constant").value
    assert material("sto-oxygen-hop").value == pytest.approx(lattice / math.sqrt(2), rel=2e-3)
    assert material("sto-oxygen-sites").value == pytest.approx(3 / lattice**3, rel=2e-3)
    permittivity = [material(f"nb-sto-permittivity-{name}").value for name in "ba"]
    assert permittivity[0] / math.sqrt(permittivity[1]) == pytest.approx(276, rel=5e-3)
    device = load_case(REFERENCE).device
    assert device.supply_mass == pytest.approx(material("nb-sto-mass").value, rel=2e-3)
    oxide = device.right.model_copy(update={"density_of_states": None})
    assert [oxide.states(T) for T in (300, 600)] == pytest.approx([3.72e25, 2**1.5 * 3.72e25], rel=1e-3)
    assert all(len(value.source) > 10 and value.what for value in materials().values())
    with pytest.raises(KeyError, match="sto-lattice-constant"):
        material("sto-lattice")


def test_an_electrode_of_any_shape_is_stated_by_its_area():
    """A square of 5 um: its area is that of a disc of 5 um / sqrt(pi)."""
    square = load_case(REFERENCE).replace({"device.area": "25 um^2"})
    assert square.device.radius is None
    assert square.device.junction_area == pytest.approx(25e-12, rel=1e-15)
    assert square.device.disc_radius == pytest.approx(5e-6 / math.sqrt(math.pi), rel=1e-15)
    assert square.replace({"device.radius": "1 um"}).device.area is None
