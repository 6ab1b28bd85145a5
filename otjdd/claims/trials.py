"""The runs of a claim: each of its cases once, or once for each point of the [study] of the case."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from otjdd import units
from otjdd.case.case import Case, load_case
from otjdd.case.numbers import value_in_case
from otjdd.claims.trial import Trial
from otjdd.studies.plan import Plan, plan

AS_SHIPPED: Mapping[str, Any] = MappingProxyType({})  # no change of the device


def trials(path: Path, changes: Mapping[str, Any], device: Mapping[str, Any] = AS_SHIPPED) -> list[Trial]:
    """The runs of a case file, without results. Raises CaseError, OSError.

    changes : as for `load_case`   device : likewise, those of another set of parameters. A study of a number that they
        change keeps its ratios to it
    """
    case = load_case(path, {**changes, **device})
    if case.study is None:
        return [Trial(path.stem, math.nan, case, source=case.source)]
    study_plan, all_trials = plan(case, str(path)), []
    ratios = changed_by(case, load_case(path), varied_by(study_plan) & set(device))
    for number in range(len(study_plan.digests)):
        varied = {key: scaled(value, ratios.get(key, 1.0)) for key, value in study_plan.changes(number).items()}
        key = next(iter(varied)) if len(varied) == 1 else ""
        text = str(varied[key]) if key else f"draw {number + 1}"
        value = si(varied[key]) if key else float(number + 1)
        all_trials.append(Trial(path.stem, value, study_plan.case.replace(**varied), None, text, key, case.source))
    return all_trials


def varied_by(study_plan: Plan) -> set[str]:
    """Keys that a study varies."""
    return {key for axis in study_plan.axes for key in axis.keys}


def changed_by(case: Case, shipped: Case, keys: Iterable[str]) -> dict[str, float]:
    """Key -> its value in a case over that in another one. Raises CaseError for keys that are not numbers."""
    return {key: value_in_case(case, key)[0] / value_in_case(shipped, key)[0] for key in keys}


def scaled(value: Any, ratio: float) -> Any:
    """A number or a quantity of a study, times a ratio; itself for 1."""
    if ratio == 1.0:
        return value
    if not isinstance(value, str):
        return value * ratio
    number, dimension = units.quantity(value)
    return units.write(number * ratio, dimension)


def si(value: str | float) -> float:
    """A number, or a quantity as text, in SI. Raises ValueError for anything else."""
    return units.quantity(value)[0] if isinstance(value, str) else float(value)
