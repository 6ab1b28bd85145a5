"""What is said of keys that do not go together: a table of changes of shipped cases, and the words of `check`."""

import tomllib
from pathlib import Path

from messages import FOLDER, compared

from otjdd.case.case import load_case
from otjdd.case.document import shipped_cases
from otjdd.case.rules import RULES
from otjdd.errors import CaseError, ResultError
from otjdd.runs.run import check_inputs

CHANGES = tomllib.loads((FOLDER / "refusals.toml").read_text(encoding="utf-8"))


def said_of(changes: dict) -> str:
    """What is said of changes of a case; nothing where they are accepted."""
    changes = dict(changes)
    base = changes.pop("base", "junction")
    try:
        check_inputs(load_case(base, changes))
    except (CaseError, ResultError) as error:
        return str(error).strip().replace(str(shipped_cases()), "cases").replace(str(Path.cwd()), "FOLDER")
    return ""


def test_what_is_said_of_keys_that_do_not_go_together():
    said = {name: said_of(changes) for name, changes in CHANGES.items()}
    assert [name for name, text in said.items() if not text] == []
    compared("refusals.txt", [f"# {name}\n{text}\n" for name, text in said.items()])


def test_each_rule_has_a_case_that_breaks_it():
    text = (FOLDER / "refusals.txt").read_text(encoding="utf-8")
    words = {rule.partner.partition("{")[0] for rule in RULES if not rule.program}
    assert [beside for beside in words if beside not in text] == []
