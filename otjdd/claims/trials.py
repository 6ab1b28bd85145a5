"""The runs of a claim: each of its cases once, or once for each point of the [study] of the case.

Claims can be judged with another set of parameters: the changes that a case makes to the device of the claims.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from otjdd import units
from otjdd.case.case import Case, load_case
from otjdd.case.document import parse, read_text
from otjdd.case.numbers import value_in_case
from otjdd.case.problem import Source
from otjdd.claims.trial import ClaimTrial
from otjdd.errors import CaseError
from otjdd.fitting.report import differences
from otjdd.studies.plan import Plan, plan

OF_A_DEVICE = ("temperature", "device", "ions", "columns", "circuit")
AS_SHIPPED: Mapping[str, Any] = MappingProxyType({})  # no change of the device


def trials(path: Path, changes: Mapping[str, Any], device: Mapping[str, Any] = AS_SHIPPED) -> list[ClaimTrial]:
    """The runs of a case file, without results. Raises CaseError, OSError.

    changes : as for `load_case`   device : likewise, the changes of another set of parameters. Where a study varies a
        number that `device` changes, the values of the study change by the same factor
    """
    case = load_case(path, {**changes, **device})
    if case.study is None:
        return [ClaimTrial(path.stem, math.nan, case, source=case.source)]
    study_plan, all_trials = plan(case, str(path)), []
    ratios = changed_by(case, load_case(path), varied_by(study_plan) & set(device))
    for number in range(len(study_plan.digests)):
        varied = {key: scaled(value, ratios.get(key, 1.0)) for key, value in study_plan.changes(number).items()}
        key = next(iter(varied)) if len(varied) == 1 else ""
        text = str(varied[key]) if key else f"draw {number + 1}"
        value = si(varied[key]) if key else float(number + 1)
        all_trials.append(ClaimTrial(path.stem, value, study_plan.case.replace(**varied), None, text, key, case.source))
    return all_trials


def varied_by(study_plan: Plan) -> set[str]:
    """Keys that a study varies."""
    return {key for axis in study_plan.axes for key in axis.keys}


def changed_by(case: Case, shipped: Case, keys: Iterable[str]) -> dict[str, float]:
    """Key -> its value in `case` over its value in `shipped`. Raises CaseError for keys that are not numbers."""
    return {key: value_in_case(case, key)[0] / value_in_case(shipped, key)[0] for key in keys}


def scaled(value: Any, ratio: float) -> Any:
    """A number, or a quantity as text, times a ratio; unchanged for a ratio of 1."""
    if ratio == 1.0:
        return value
    if not isinstance(value, str):
        return value * ratio
    number, dimension = units.quantity(value)
    return units.write(number * ratio, dimension)


def si(value: str | float) -> float:
    """A number, or a quantity as text, in SI. Raises ValueError for anything else."""
    return units.quantity(value)[0] if isinstance(value, str) else float(value)


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
