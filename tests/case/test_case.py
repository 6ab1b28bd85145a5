"""Cases: the shipped ones, what is refused and how it is told, changes, and text that loads back."""

import functools
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
from otjdd.case.case import Case, load_case, parse_case, shipped_cases
from otjdd.case.keys import editor_schema
from otjdd.errors import MAX_PROBLEMS, CaseError, NotAsExpected

SHIPPED = sorted(shipped_cases().glob("*.toml"))
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


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_cases_load_and_their_resolved_text_loads_back_to_an_equal_case(path):
    case = load_case(path)
    again = parse_case(case.resolved())
    assert again == case
    assert again.resolved() == case.resolved()
    assert again.digest == case.digest
    assert again.model_dump() == case.model_dump()
    assert case.source == path.read_text()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_cases_say_what_they_ask_and_where_to_look(path):
    header = path.read_text().split("\n\n")[0].lower()
    assert "question:" in header
    assert re.search(r"10\.\d{4,5}/\S+|[a-z.]+ \d+, \d+|li 2019|taken from literature or assumed", header)
    assert "look at" in header


def test_the_loop_of_the_paper_has_130_writes():
    waveform = load_case(shipped_cases() / "rv-loop.toml").drive.waveform()
    assert len(waveform.read_times) == 130
    assert waveform.write_voltages.max() == 2.2
    assert waveform.write_voltages.min() == -4.3


def test_the_reference_case_holds_what_it_says():
    case = load_case(REFERENCE)
    assert case.temperature == 300
    assert case.device.film.thickness == 2.8e-9
    assert case.ions.charge == 2
    assert case.circuit.series_resistance == 55
    assert set(case.columns.spread) == {"ions.activation_energy"}


def test_a_plain_case_has_defaults():
    case = parse_case(CASE)
    assert case.columns.count == 1
    assert case.circuit.series_resistance == 0
    assert case.numerics.rtol == 7e-3
    assert case.record.every == "all"
    assert case.study is None


ONE_FAULT = [
    ('"2.8 nm"', '"2 eV"', '10:1 device.film.thickness: expected a length such as "2.8 nm", got "2 eV" (an energy)'),
    ('"2.8 nm"', '"-1 nm"', '10:1 device.film.thickness: expected a length from "0.1 nm" to "100 nm", got "-1 nm"'),
    ('"2.8 nm"', "2.8e-9", '10:1 device.film.thickness: expected a length such as "2.8 nm", got 2.8e-09 (a'),
    ('"2.8 nm"', "true", '10:1 device.film.thickness: expected a length such as "2.8 nm", got true'),
    ('"2.8 nm"', "[1]", '10:1 device.film.thickness: expected a length such as "2.8 nm", got [1]'),
    ('"2.8 nm"', "{}", "10:1 device.film.thickness: expected a length"),
    ('"2.8 nm"', '"10**10**10 nm"', "10:1 device.film.thickness: expected a length"),
    ('"2.8 nm"', '"1e400 nm"', "10:1 device.film.thickness: expected a length"),
    ("thickness", "thicknes", '10:1 device.film.thicknes: expected a key that is known here, got "thicknes" (did you'),
    ("eps_r = 30", "eps = 30", '11:34 device.film.permittivity.eps: expected a key that is known here, got "eps"'),
    ("eps_r = 30", 'eps_r = "30"', '11:34 device.film.permittivity.eps_r: expected a number from 1 to 1e6, got "30"'),
    ("eps_r = 30", "eps_r = 0", "11:34 device.film.permittivity.eps_r: expected a number from 1 to 1e6, got 0"),
    ("eps_r = 30", "eps_r = true", "11:34 device.film.permittivity.eps_r: expected a number from 1 to 1e6, got true"),
    ('law = "linear", e', 'law = "liner", e', '11:18 device.film.permittivity.law: expected "linear" or "nonlinear"'),
    ('law = "linear", e', "e", '11:1 device.film.permittivity.law: expected "linear" or "nonlinear", got nothing'),
    ('law = "linear"\n', 'law = "mott-gurny"\n', '16:1 ions.law: expected "linear", "mott-gurney" or "genreith'),
    ('law = "linear"\n', "law = 3\n", "16:1 ions.law: expected"),
    ("3e26", "2e28", '14:1 ions.density: expected a density below the site density of "1e28 1/m^3", got "2e28 1/m^3"'),
    ('title = "test"\n', "", "1:1 title: expected text of 1 to 200 characters, got nothing: the key is missing"),
    ('title = "test"', 'title = ""', '1:1 title: expected text of 1 to 200 characters, got ""'),
    ('"300 K"', '"0 K"', '2:1 temperature: expected a temperature from "1 K" to "2000 K", got "0 K"'),
    ('"300 K"', '"80 degF"', '2:1 temperature: expected a temperature such as "300 K", got "80 degF"'),
    ('voltage = "1 V"\n', "", '21:2 drive.voltage: expected a voltage from "-100 V" to "100 V", got nothing: the'),
    ('kind = "pulse"', 'kind = "puls"', '22:1 drive.kind: expected "hold", "steps", "pulse",'),
    ('kind = "pulse"\n', "", '21:2 drive.kind: expected "hold", "steps", "pulse",'),
    ('kind = "metal", b', 'kind = "meta", b', '6:10 device.left.kind: expected "metal" or "semiconductor", got "meta"'),
    ("[ions]", "[ion]", "13:2 ion: expected a key that is known here"),
    ("[drive]", WINDOWS.format("none", '["2 us", "1 us"]'), "23:1 record.windows: expected windows that end after they be"),
    ("[drive]", WINDOWS.format("none", '["1 us"]'), "23:12 record.windows[0][1]: expected a time from"),
    ("[drive]", WINDOWS.format("none", '"1 us"'), '23:12 record.windows[0]: expected a list of 2, got "1 us"'),
    ("[drive]", WINDOWS.format("all", '["0 s", "1 us"]'), '21:2 record: expected every = "reads" or "none" with windo'),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), ONE_FAULT)
def test_a_fault_is_told_in_its_place_in_plain_words(old, new, told):
    text = CASE.replace(old, new, 1)
    assert text != CASE
    here = problems_of(text)
    assert [line[: len(told)] for line in here if line.split()[1] == told.split()[1]] == [told]
    assert not any("Input should" in line or "pydantic" in line for line in here)


def test_a_problem_has_its_parts_and_shows_its_line():
    with pytest.raises(CaseError) as caught:
        parse_case(CASE.replace("thickness", "thicknes"))
    unknown = next(p for p in caught.value.problems if p.key.endswith("thicknes"))
    assert (unknown.file, unknown.line, unknown.column) == ("case.toml", 10, 1)
    assert unknown.hint == 'did you mean "thickness"?'
    assert str(unknown).splitlines()[1:] == ['    thicknes = "2.8 nm"', "    ^"]


def test_all_problems_of_a_case_are_told_at_once():
    text = CASE.replace("300 K", "3 eV").replace("10 um", "10 V").replace("0.39 nm", "0.39").replace("width", "widht")
    keys = [line.split()[1].rstrip(":") for line in problems_of(text)]
    assert keys == ["temperature", "device.radius", "ions.hop_distance", "drive.width", "drive.widht"]


def test_an_empty_case_is_told_all_that_is_missing():
    keys = [line.split()[1].rstrip(":") for line in problems_of("")]
    assert keys == ["title", "temperature", "device", "ions", "drive"]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{i} = 1\n" for i in range(50_000)),
        f"a = [{'nan,' * 200_000}]",
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


def test_a_fault_in_a_base_is_told_with_the_file_and_line_of_the_base(tmp_path):
    (tmp_path / "low.toml").write_text(CASE.replace("2.8 nm", "2.8 V"))
    (tmp_path / "case.toml").write_text('base = "low.toml"\n[ions]\ncharge = 9\n')
    with pytest.raises(CaseError) as caught:
        load_case(tmp_path / "case.toml")
    assert [(Path(p.file).name, p.line, p.key) for p in caught.value.problems] == [
        ("case.toml", 3, "ions.charge"),
        ("low.toml", 10, "device.film.thickness"),
    ]


def test_values_are_set_on_top_of_the_file():
    changes = {"device.film.thickness": "3.2 nm", "device.film.cells": "50", "drive.parts[1].voltage": "1 V"}
    case = load_case(REFERENCE, set=changes)
    assert case.device.film.thickness == 3.2e-9
    assert case.device.film.cells == 50
    assert case.drive.parts[1].voltage == 1
    assert case == load_case(REFERENCE, **changes)
    assert case == load_case(REFERENCE).replace(**changes)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        (
            "device.film.thicknes",
            "3 nm",
            '--set device.film.thicknes: expected a key that is known here, got "thicknes"',
        ),
        (
            "device.film.thickness",
            "3 eV",
            '--set device.film.thickness: expected a length such as "2.8 nm", got "3 eV"',
        ),
        (
            "device.film.thickness",
            "3",
            '--set device.film.thickness: expected a length such as "2.8 nm", got 3 (a number',
        ),
        ("device film", "3", '--set: expected a dotted key such as "device.film.thickness", got "device film"'),
        ("drive.parts[7].voltage", "1 V", "--set drive.parts[7]: expected an index from 0 to 1, got 7"),
    ],
)
def test_set_values_are_refused_like_those_of_a_file(key, value, told):
    with pytest.raises(CaseError) as caught:
        load_case(REFERENCE, set={key: value})
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_replace_gives_another_case_and_takes_si_numbers():
    case = parse_case(CASE)
    thick = case.replace("device.film.thickness", 3.2e-9)
    assert thick.device.film.thickness == 3.2e-9
    assert case.device.film.thickness == 2.8e-9
    assert thick != case
    assert thick == case.replace("device.film.thickness", "3.2 nm")
    assert thick.replace("device.film.thickness", "2.8 nm") == case
    assert thick.digest != case.digest
    assert len({thick, case, thick.replace("device.film.thickness", "2.8 nm")}) == 2
    with pytest.raises(CaseError, match=r"replace device\.film\.thicknes: .*did you mean"):
        case.replace("device.film.thicknes", "3 nm")


def test_replace_changes_several_values_together():
    case = parse_case(CASE)
    both = {"ions.density": "2e28 1/m^3", "ions.site_density": "5e28 1/m^3"}
    assert case.replace(**both).ions.density == 2e28
    with pytest.raises(CaseError, match="below the site density"):
        case.replace("ions.density", "2e28 1/m^3")


def test_a_section_without_a_change_is_shared_and_no_less_part_of_the_text():
    case = load_case(REFERENCE)
    warm = case.replace({"temperature": "310 K", "device.film.thickness": "3.2 nm"})
    assert warm.drive is case.drive
    assert warm.ions is case.ions
    assert warm.device is not case.device
    assert warm.resolved() == toml_text.write(warm.plain()) != case.resolved()
    assert parse_case(warm.resolved(), warm.folder) == warm


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_text_is_that_of_the_data_at_once(path):
    case = load_case(path)
    assert case.resolved() == toml_text.write(case.plain())


def test_cases_of_one_drive_share_its_waveform():
    case = parse_case(CASE)
    warm, strong = case.replace("temperature", "310 K"), case.replace("drive.voltage", "2 V")
    assert warm.waveform() is case.waveform()
    assert strong.waveform().voltages.max() == 2.0
    assert case.waveform().voltages.max() == 1.0


def test_replace_of_a_law_asks_for_what_the_new_law_needs():
    case = parse_case(CASE)
    with pytest.raises(CaseError, match="b: expected an electric field"):
        case.replace("device.film.permittivity.law", "nonlinear")
    law = {"law": "nonlinear", "b": "1.4e10 V/m", "a": "2.65e15 V^2/m^2"}
    assert case.replace("device.film.permittivity", law).device.film.permittivity.law == "nonlinear"


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
    assert 'file = "w.csv"' in case.resolved()
    assert parse_case(case.resolved(), with_table.parent) == case
    assert case.replace("temperature", "310 K").drive == case.drive


def test_the_digest_covers_the_files_that_a_case_names(with_table):
    before = load_case(with_table).digest
    (with_table.parent / "w.csv").write_text("0,0\n1e-6,3\n")
    assert load_case(with_table).digest != before


def test_a_waveform_of_a_file_is_read_each_time(with_table):
    case = load_case(with_table)
    assert case.waveform().voltages[-1] == 1
    (with_table.parent / "w.csv").write_text("0,0\n1e-6,3\n")
    assert case.waveform().voltages[-1] == 3
    nested = case.replace("drive", {"kind": "sequence", "parts": [case.plain()["drive"]]})
    assert nested.waveform().voltages[-1] == 3
    (with_table.parent / "w.csv").write_text("0,0\n1e-6,4\n")
    assert nested.waveform().voltages[-1] == 4


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


def test_the_result_to_start_from_is_a_file_too(with_table):
    (with_table.parent / "hrs.nc").write_bytes(b"")
    case = load_case(with_table, set={"ions.initial": '{ result = "hrs.nc" }'})
    assert case.ions.initial.result == os.fspath(with_table.parent.resolve() / "hrs.nc")
    assert '[ions.initial]\nresult = "hrs.nc"' in case.resolved()
    with pytest.raises(CaseError, match=r"ions\.initial\.result: expected a file that is there"):
        load_case(with_table, set={"ions.initial": '{ result = "lrs.nc" }'})


def test_files_of_a_base_are_found_beside_the_base(with_table):
    sub = with_table.parent / "sub"
    sub.mkdir()
    with_table.rename(sub / "low.toml")
    (with_table.parent / "w.csv").rename(sub / "w.csv")
    with_table.write_text('base = "sub/low.toml"\n')
    assert load_case(with_table).drive.waveform().voltages[-1] == 1


def test_a_study_is_part_of_the_case_and_not_of_its_points():
    text = CASE + '\n[study.grid]\ndevice.film.thickness = ["2 nm", "3 nm"]\n'
    case = parse_case(text)
    assert case.study.grid == {"device.film.thickness": ("2 nm", "3 nm")}
    assert parse_case(case.resolved()) == case
    assert case.without_study() == parse_case(CASE)


def test_the_schema_for_editors_knows_every_key_with_words_for_quantities():
    schema = editor_schema()
    assert {"base", "calibrated", *Case.model_fields} == set(schema["properties"])
    film = schema["$defs"]["Film"]
    assert film["additionalProperties"] is False
    assert film["properties"]["thickness"]["type"] == "string"
    assert '"100 nm"' in film["properties"]["thickness"]["description"]


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


STRANGE = """\
base = "li2019.toml"
temperature = nan
[device]
radius = "10"
[device.film]
thicknes = "3 nm"
cells = 2026-11-25
[ions]
initial = { result = "nope.nc" }
"""


def test_nan_and_dates_hide_no_other_fault(tmp_path):
    (tmp_path / "case.toml").write_text(STRANGE)
    with pytest.raises(CaseError) as refused:
        load_case(tmp_path / "case.toml")
    told = {problem.key: problem for problem in refused.value.problems}
    assert list(told) == [
        "temperature", "device.radius", "device.film.thicknes", "device.film.cells", "ions.initial.result"
    ]  # fmt: skip
    assert told["temperature"].got == "nan"
    assert "a date" in told["device.film.cells"].got
    assert str(tmp_path) in told["ions.initial.result"].expected


def test_a_number_as_text_has_no_unit_in_python_either():
    reference = load_case(REFERENCE)
    with pytest.raises(CaseError, match="a number without a unit"):
        reference.replace("temperature", "350")
    with pytest.raises(CaseError, match="a number without a unit"):
        reference.replace(**{"temperature": "350", "columns.count": 1})
    assert reference.replace("temperature", 350).temperature == 350.0
    assert reference.replace("columns.count", 1).columns.count == 1


def test_a_list_that_may_be_of_any_length_is_asked_for_by_its_least():
    with pytest.raises(CaseError) as refused:
        load_case(shipped_cases() / "thickness.toml").replace("study.grid", {"temperature": []})
    assert "None" not in str(refused.value)


def test_a_table_that_names_its_kind_replaces_the_one_that_is_there():
    train = {"kind": "train", "voltage": "1 V", "width": "1 us", "period": "1 ms", "count": 2, "read_each": True}
    first = load_case(REFERENCE).replace("drive", train)
    train = {"kind": "train", "voltage": "2 V", "width": "1 us", "frequency": "1 kHz", "count": 3}
    second = first.replace("drive", train)
    assert (second.drive.period, second.drive.read_each, second.drive.count) == (None, False, 3)
    assert first.replace("drive", {"voltage": "2 V"}).drive.read_each  # a table without it is put on the other


@pytest.mark.parametrize(
    ("below", "change", "gone"),
    [
        ({"kind": "iv", "voltages": ["0.1 V"]}, {"start": "0 V", "stop": "1 V", "step": "0.1 V"}, "voltages"),
        ({"kind": "iv", "start": "0 V", "stop": "1 V", "step": "0.1 V"}, {"voltages": ["0.1 V"]}, "step"),
        ({"kind": "steps", "width": "1 us", "path": ["0 V", "1 V"], "step": "0.1 V"}, {"voltages": ["1 V"]}, "path"),
        ({"kind": "train", "voltage": "1 V", "width": "1 us", "count": 2, "period": "1 ms"}, {"frequency": "1 kHz"},
         "period"),
    ],
)  # fmt: skip
def test_what_is_said_in_another_way_takes_the_old_way_away(below, change, gone):
    case = load_case(REFERENCE).replace("drive", below)
    assert getattr(case.drive, gone) is not None
    after = case.replace(**{f"drive.{key}": value for key, value in change.items()})
    assert getattr(after.drive, gone) is None


def test_a_recording_of_reads_needs_a_drive_that_has_some():
    case = load_case(shipped_cases() / "rv-loop.toml")
    case.record.check_reads(130)
    with pytest.raises(NotAsExpected, match="no reads"):
        case.record.check_reads(0)


def test_an_exception_of_a_signal_handler_comes_as_it_is_out_of_the_text_of_a_case(monkeypatch):
    class Mine(Exception):
        pass

    def interrupted(*_):
        raise Mine

    case = load_case("li2019")
    monkeypatch.setattr("otjdd.units.write", interrupted)
    with pytest.raises(Mine):
        case.resolved()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("vcm-heat", "device.heat"),
        ("vcm-heat", "study"),
        ("hfo2-leakage", "device.traps"),
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


def test_layers_of_a_base_give_way_to_a_film_of_one_material():
    own = {"layers": "none", "thickness": "2 nm", "permittivity": {"law": "linear", "eps_r": 20}}
    case = load_case("junction", {"device.film": own})
    assert case.device.film.thickness == 2e-9
    with pytest.raises(CaseError, match=r"thickness: .*missing"):
        load_case("double-barrier", {"device.film.layers": "none"})


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
