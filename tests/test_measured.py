"""Tables of the READMEs of validation are those of their measured.json, and each row says where it is from."""

from pathlib import Path

import pytest

from otjdd.system import text_files
from validation import measured

FILES = measured.files()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_tables_are_made_from_the_data_beside_them(file):
    for name, part in measured.read(file.parent).items():
        text = (file.parent / part["readme"]).read_text(encoding="utf-8")
        assert text_files.generated_part(text, name) == measured.table(part), "run: python -m validation.measured"
        assert all(row["commit"] and row["date"] and row["machine"] for row in part["rows"])


def test_a_row_that_is_measured_again_replaces_the_one_before(tmp_path):
    (tmp_path / "README.md").write_text("<!-- speed:begin -->\n<!-- speed:end -->\n")
    for seconds in (1.0, 2.0):
        measured.keep(tmp_path, "speed", ("what", "s:"), [("loop", seconds), ("train", 3.0)], command="python -m x")
    (part,) = measured.read(tmp_path).values()
    assert [row["cells"] for row in part["rows"]] == [["loop", "2"], ["train", "3"]]
    assert "| loop | 2 |" in (tmp_path / "README.md").read_text()


def test_mutants_are_of_modules_with_tests_and_are_explained_by_lines_that_are_there(monkeypatch):
    faults = Path(__file__).parents[1] / ".ci" / "faults"
    monkeypatch.syspath_prepend(faults)
    import mutation

    assert mutation.explanations()
    for module, names in mutation.TESTS.items():
        assert mutation.source_of(module)
        assert [name for name in names if not list(mutation.ROOT.glob(f"tests/**/test_{name}.py"))] == [], module
