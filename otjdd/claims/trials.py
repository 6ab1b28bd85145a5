"""The runs of a claim: each of its cases once, or once for each point of the [study] of the case."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from otjdd import units
from otjdd.case.case import Case, load_case
from otjdd.studies.plan import plan


class Trial(NamedTuple):
    """One run of a claim.

    name : stem of the case file   value : of the varied key [SI], nan without a study; for several keys the number of the
        point, from 1
    ds : Dataset, or the reason of the failure in words; None before the run   text : the value as the case file has it
    key : the one key that the study varies, "" for none or several   source : text of the case file
    """

    name: str
    value: float
    case: Case
    ds: Any = None
    text: str = ""
    key: str = ""
    source: str = ""


def trials(path: Path, changes: dict[str, Any]) -> list[Trial]:
    """The runs of a case file, without results. changes : as for `load_case`. Raises CaseError, OSError."""
    case = load_case(path, changes)
    if case.study is None:
        return [Trial(path.stem, math.nan, case, source=case.source)]
    made, found = plan(case, str(path)), []
    for number in range(len(made.digests)):
        varied = made.changes(number)
        key = next(iter(varied)) if len(varied) == 1 else ""
        text = str(varied[key]) if key else f"draw {number + 1}"
        value = si(varied[key]) if key else float(number + 1)
        found.append(Trial(path.stem, value, made.at(number), None, text, key, case.source))
    return found


def si(value: str | float) -> float:
    """A number, or a quantity as text, in SI. Raises ValueError for anything else."""
    return units.quantity(value)[0] if isinstance(value, str) else float(value)
