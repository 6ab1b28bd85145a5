"""Claims judged with another set of parameters: what a case changes of the device that the claims stand on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from otjdd.case.case import load_case
from otjdd.case.document import parse, read_text
from otjdd.case.problem import Source
from otjdd.errors import CaseError
from otjdd.fitting.report import differences

OF_A_DEVICE = ("temperature", "device", "ions", "columns", "circuit")


def another_set(file: Path) -> dict[str, Any]:
    """Dotted key -> value of each number of the device in which a case differs from its base.

    file : a case with a shipped case as `base`, as `otjdd calibrate` writes it. Raises OSError, CaseError.
    """
    case, document = load_case(file), parse(Source(str(file), read_text(file)))
    if "base" not in document.data:
        raise CaseError([document.problem((), 'a case with a base, such as base = "li2019.toml"', "none")])
    below = load_case(document.data["base"])
    changes = dict(differences(below.plain(), case.plain()))
    return {key: value for key, value in changes.items() if key.partition(".")[0] in OF_A_DEVICE}
