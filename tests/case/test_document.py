"""Reading case files: what is refused, where the fault is told, how a file is put on its base."""

import os
from pathlib import Path

import pytest

import otjdd.case.case  # noqa: F401  # whose records say which key decides on a table
from otjdd.case.document import (
    MAX_BYTES,
    changed,
    load_document,
    parse_document,
    read_text,
    read_value,
)
from otjdd.case.problem import Source
from otjdd.errors import CaseError

NOWHERE = Path("/nonexistent")


def document(text: str):
    return parse_document(Source("case.toml", text))


def problems_of(text: str):
    """Faults of a text that is no TOML, or that has values which no case has."""
    try:
        return document(text).problems
    except CaseError as error:
        return error.problems


def problem_of(text: str):
    (problem,) = problems_of(text)
    return problem


def write_files(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)


BAD_TEXTS = {
    "a = ": ("1:4", "not TOML"),
    "a = 1\nb == 2": ("2:4", "not TOML"),
    "a = 1\r\nb = [1, 2": ("2:10", "not TOML"),
    "a = 1 b = 2": ("1:7", "not TOML"),
    "a = { b = 1,\n  c = 2 }": ("1:13", "a table in braces ends on the line"),
    "a = 'x": ("1:7", "not TOML"),
    "[a\nb = 1": ("1:3", "not TOML"),
    "a = 1\n[b]\nc = 1\nc = 2\n": ("4:1", "every key once"),
    "[a]\nb = 1\n[a]\nc = 2": ("3:2", "every key once"),
    "a = nan": ("1:1", "a finite number"),
    "[x]\nb = [1.0, -inf]": ("2:11", "a finite number"),
    "a = 1e400": ("1:1", "a finite number"),
    "a = 2020-01-01": ("1:1", "text, a number"),
    "a = 07:30:00": ("1:1", "text, a number"),
    "a = " + "9" * 5000: ("1:5", "too many digits"),
    "x = 1\na = " + "[" * 10_000: ("2:37", "32 levels"),
    "a = " + "{b = " * 5_000: ("1:161", "32 levels"),
    "a." * 20_000 + "b = 1": ("1:65", "32 levels"),
    "\x00": ("1:1", "not TOML"),
}


@pytest.mark.parametrize("text", BAD_TEXTS, ids=lambda text: repr(text[:20]))
def test_bad_text_is_refused_in_its_place(text):
    where, words = BAD_TEXTS[text]
    problem = problem_of(text)
    assert f"{problem.line}:{problem.column}" == where
    assert words in str(problem)
    assert all(len(line) < 250 for line in str(problem).splitlines())
    assert "typographic" not in str(problem)


def test_a_problem_far_to_the_right_shows_that_part_of_the_line():
    _, line, caret = str(problem_of(f"a = [{'1, ' * 500}nan]")).splitlines()
    assert line[caret.index("^") :].startswith("nan")


def test_text_that_is_not_utf8_is_refused_at_the_byte(tmp_path):
    path = tmp_path / "case.toml"
    path.write_bytes(b'a = 1\nb = "\xb5m"')
    with pytest.raises(CaseError, match=r"case.toml:2:6: expected text in UTF-8, got byte 0xb5"):
        read_text(path)
    path.write_bytes("a = 1".encode("utf-16"))
    with pytest.raises(CaseError, match="UTF-8"):
        read_text(path)


def test_what_is_no_regular_file_of_sane_size_is_refused(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(b"#" * (MAX_BYTES + 1))
    for path in (tmp_path / "fifo", tmp_path / "large", "/dev/zero", tmp_path):
        with pytest.raises(CaseError):
            read_text(path)


def test_a_table_of_another_kind_replaces_the_one_of_the_base(tmp_path):
    write_files(
        tmp_path,
        low='[drive]\nkind = "hold"\nvoltage = "1 V"\n[film]\nlaw = "a"\npermittivity = {law = "linear", eps_r = 3}\n'
        '[ions]\ninitial = {result = "x.nc"}',
        case='base = "low.toml"\ndrive.kind = "pulse"\nfilm.law = "b"\nfilm.permittivity = {law = "nonlinear"}\n'
        "ions.initial = {history = []}",
        same='base = "low.toml"\ndrive.kind = "hold"\nfilm.permittivity.eps_r = 4',
        study='[study]\nkeep = ["loop"]\n[study.grid]\na = [1, 2]\n',
        axes='base = "study.toml"\nstudy.grid.b = [3]',
    )
    assert load_document(tmp_path / "axes.toml", NOWHERE).data["study"] == {"keep": ["loop"], "grid": {"b": [3]}}
    with pytest.raises(CaseError, match="a part of it"):
        changed(document(""), {"a": 1, "a.b": 2}, "--set")
    data = load_document(tmp_path / "case.toml", NOWHERE).data
    assert data["drive"] == {"kind": "pulse"}
    assert data["film"] == {"law": "b", "permittivity": {"law": "nonlinear"}}
    assert data["ions"] == {"initial": {"history": []}}
    same = load_document(tmp_path / "same.toml", NOWHERE).data
    assert same["drive"] == {"kind": "hold", "voltage": "1 V"}
    assert same["film"]["permittivity"] == {"law": "linear", "eps_r": 4}


def test_every_value_keeps_the_file_and_line_it_came_from(tmp_path):
    write_files(tmp_path, low="[t]\na = 1\nb = 2\n[u]\n", case='base = "low.toml"\n\n[t]\nb = 4')
    loaded = load_document(tmp_path / "case.toml", NOWHERE)
    where = {path: loaded.problem(path, "x") for path in [("t", "a"), ("t", "b"), ("t", "c"), ("u", "d"), ("v",)]}
    assert [(Path(p.file).name, p.line) for p in where.values()] == [
        ("low.toml", 2),
        ("case.toml", 4),
        ("case.toml", 3),  # a missing key: at the table that lacks it
        ("low.toml", 4),
        ("case.toml", 1),
    ]


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ('"case.toml"', "which is based on this"),
        ('"loop.toml"', "which is based on this"),
        ('"none.toml"', "a case file next to this one"),
        ('"../outside.toml"', "in the folder of the case"),
        ('"/etc/hostname"', "in the folder of the case"),
        ('"link.toml"', "in the folder of the case"),
        ('"knot.toml"', ""),
        ('"."', "regular file"),
        ('""', "the name of a case file"),
        ("3", "the name of a case file"),
        ('"a\\u0000b"', "the name of a case file"),
        (f'"{"a" * 5000}"', ""),
    ],
)
def test_bases_that_cannot_be_are_refused_at_the_key(base, words, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    write_files(tmp_path, outside="x = 1")
    write_files(folder, case=f"x = 1\nbase = {base}", loop='base = "case.toml"')
    (folder / "link.toml").symlink_to(tmp_path / "outside.toml")
    (folder / "knot.toml").symlink_to(folder / "knot.toml")
    with pytest.raises(CaseError) as caught:
        load_document(folder / "case.toml", NOWHERE)
    (problem,) = caught.value.problems
    assert words in str(problem)
    assert len(str(problem)) < 1000


def test_a_chain_of_bases_has_an_end(tmp_path):
    for i in range(40):
        write_files(tmp_path, **{f"c{i}": f'base = "c{i + 1}.toml"'})
    with pytest.raises(CaseError, match="at most 16 bases"):
        load_document(tmp_path / "c0.toml", NOWHERE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.2 nm", "3.2 nm"),
        ("200", 200),
        ("1e-5", 1e-5),
        ("true", True),
        ('"200"', "200"),
        ('["1 s", "2 s"]', ["1 s", "2 s"]),
        ("{a = 1}", {"a": 1}),
        ("mott-gurney", "mott-gurney"),
        ("1\nb = 2", "1\nb = 2"),
        ("[" * 5000, "[" * 5000),
        ("", ""),
    ],
)
def test_a_set_value_is_a_toml_value_where_it_reads_as_one(text, value):
    assert read_value(text) == value


def test_values_are_set_by_dotted_key_and_index():
    before = document('[a]\nb = 1\nlist = [{x = 1, y = 2}, 3]\n[a."c.d"]\ne = 1')
    after = changed(before, {"a.b": "2", 'a."c.d".e': 5, "a.list[0].x": "7", "new.key": "1 V"}, "--set")
    assert after.data == {"a": {"b": 2, "list": [{"x": 7, "y": 2}, 3], "c.d": {"e": 5}}, "new": {"key": "1 V"}}
    assert before.data["a"]["b"] == 1
    assert before.data["a"]["list"][0]["x"] == 1
    assert str(after.problem(("a", "b"), "x", "y")) == "--set a.b: expected x, got y"


@pytest.mark.parametrize(
    "key", ["", ".", "a.", ".a", "a..b", "a b", "[0]", "a[0]b", "a[x]", "a[-1]", "a.[0]", "a." * 40 + "a"]
)
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(CaseError, match="dotted key"):
        changed(document("a = 1"), {key: 1}, "--set")


def test_a_base_that_names_itself_is_not_its_own_advice(tmp_path):
    write_files(tmp_path, case='base = "case.toml"')
    with pytest.raises(CaseError, match="which is based on this") as error:
        load_document(tmp_path / "case.toml", NOWHERE)
    assert 'did you mean "case.toml"' not in str(error.value)


def test_a_base_is_named_with_or_without_its_suffix(tmp_path):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    (own / "ref").mkdir(parents=True)  # of a study
    write_files(shipped, ref="x = 1")
    write_files(own, a='base = "ref"', b='base = "a"', ref='base = "ref"\ny = 1')
    assert load_document(own / "b.toml", shipped).data == {"x": 1, "y": 1}
    write_files(own, c='base = "rif"')
    with pytest.raises(CaseError, match=r'did you mean "ref.toml"'):
        load_document(own / "c.toml", shipped)
