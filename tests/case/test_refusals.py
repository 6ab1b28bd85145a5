"""What is said of keys that do not go together: a table of changes of shipped cases, and the words of `check`."""

import tomllib

from messages import FOLDER, compared

from otjdd.case.case import load_case
from otjdd.errors import CaseError, ResultError
from otjdd.runs.inputs import check_inputs

CHANGES = tomllib.loads((FOLDER / "refusals.toml").read_text(encoding="utf-8"))


def said_of(changes: dict) -> str:
    """What is said of changes of a case; nothing where they are accepted."""
    changes = dict(changes)
    base = changes.pop("base", "junction")
    try:
        check_inputs(load_case(base, changes))
    except (CaseError, ResultError) as error:
        return str(error).strip()
    return ""


def test_what_is_said_of_keys_that_do_not_go_together():
    said = {name: said_of(changes) for name, changes in CHANGES.items()}
    assert [name for name, text in said.items() if not text] == []
    compared("refusals.txt", [f"# {name}\n{text}\n" for name, text in said.items()])
