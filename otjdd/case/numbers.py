"""Numbers of a case by dotted key: their value, dimension and limits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from otjdd.case.base import marks_of
from otjdd.case.case import Case
from otjdd.case.document import split_key
from otjdd.case.followed import OF_LAYERS, stands_in
from otjdd.case.keys import dotted_keys
from otjdd.case.problem import Problem, Source, nearest
from otjdd.errors import CaseError
from otjdd.units import Quantity, brief, parse, quantity, write

OF_KIND = re.compile(r'columns\.kinds\[(\d+)\]\.set\."(.*)"')


def movable(case: Case) -> list[str]:
    """Dotted keys of the numbers of a case that can be fitted, those of its kinds of columns and of spreads among them."""
    keys = [*dotted_keys(), *keys_of_columns(case)]
    return [key for key in keys if isinstance((value_at_key(case, key) or [None])[0], float)]


def keys_of_columns(case: Case) -> Iterator[str]:
    """Dotted keys below [columns] that are those of one case: of its spreads and its kinds."""
    tables = {"columns.spread": case.columns.spread}
    for i, kind in enumerate(case.columns.kinds or ()):
        yield f"columns.kinds[{i}].share"
        tables |= {f"columns.kinds[{i}].set": kind.set, f"columns.kinds[{i}].spread": kind.spread or {}}
    for path, table in tables.items():
        for name, value in table.items():
            inner = type(value).model_fields if isinstance(value, BaseModel) else ()
            yield f'{path}."{name}"'
            yield from (f'{path}."{name}".{field}' for field in inner)


def known_near(case: Case, key: str) -> str:
    """Hint for a key that is no number of the case: why a kind of columns does not have it, or which one is near."""
    match = OF_KIND.fullmatch(key)
    kinds = case.columns.kinds or ()
    if match and int(match[1]) < len(kinds) and match[2] in movable(case):
        return "this kind sets no value of its own: give it one, in the case or by --set"
    return nearest(key, movable(case))


def fault(key: str, expected: str, got: str, hint: str = "") -> CaseError:
    """An error about a parameter."""
    return CaseError([Problem("vary", 0, 0, key, expected, got, hint)])


def value_in_case(case: Case, key: str) -> tuple[float, str, float, float]:
    """Value [SI], dimension, and limits [SI] of a number of a case. Raises CaseError for other keys."""
    at_key = value_at_key(case, key)
    if at_key is None:
        raise fault(key, "the key of a number of the case", brief(key), known_near(case, key))
    place, dimension, low, high = at_key
    if place is None:
        raise fault(key, "a number that the case states", "none", hint_of_absent(case, key))
    if isinstance(place, bool) or not isinstance(place, int | float):
        raise fault(key, "the key of a number of the case", brief(str(place)), known_near(case, key))
    if isinstance(place, int) and not isinstance(place, float) and not dimension:
        raise fault(key, "a number that can move in small steps", f"the count {place}")
    return float(place), dimension, low, high


def hint_of_absent(case: Case, key: str) -> str:
    """Hint for a key that a case has without a value: whose value counts instead, and how to give it one."""
    path = split_key(key, Source("vary", None))
    inherited = next((of for of, name in OF_LAYERS.items() if path[-1] == name), "")
    at_key = value_at_key(case, inherited) if inherited and path[:3] == ("device", "film", "layers") else None
    if at_key is None or at_key[0] is None:
        return "give it a value, in the case or by --set"
    value, dimension, _, _ = at_key
    own = f'--set {key}="{write(value, dimension)}"'
    return f"the layer takes {inherited}: vary that, or give the layer a value of its own, {own}"


def movable_number(case: Case, key: str) -> tuple[float, str, float, float]:
    """As `value_in_case`, of a key to vary. Raises CaseError also for a key that nothing follows."""
    number = value_in_case(case, key)
    why, advice = stands_in(case, key)
    if why:
        raise fault(key, "a key that something follows", why, advice)
    return number


def value_at_key(case: Case, key: str) -> tuple[Any, str, float, float] | None:
    """Value of a key of a case, its dimension, and its limits [SI]; None for a key that the case does not have.

    Raises CaseError.
    """
    place: Any = case
    dimension, low, high = "", -math.inf, math.inf
    before: str | int = ""
    for part in split_key(key, Source("vary", None)):
        if isinstance(place, BaseModel) and part in type(place).model_fields:
            dimension, low, high = range_of(type(place).model_fields[part])
            place = getattr(place, part)
        elif isinstance(place, dict) and isinstance(part, str) and part in place:
            _, dimension, low, high = value_in_case(case, part)
            place = place[part]
            if before == "spread":  # a standard deviation has the dimension of its key, and is positive
                low = 0.0
            elif isinstance(place, str):  # a kind of columns keeps the text of the file
                place = parse(place, dimension)
        elif isinstance(place, tuple) and isinstance(part, int) and part < len(place):
            place = place[part]
        else:
            return None
        before = part
    return place, dimension, low, high


def range_of(field: FieldInfo) -> tuple[str, float, float]:
    """Dimension and limits [SI] of a field of a record, infinite where it has none."""
    dimension, low, high = "", -math.inf, math.inf
    for mark in marks_of(field):
        if isinstance(mark, Quantity):
            dimension = mark.dimension
            low = quantity(mark.low)[0] if mark.low else low
            high = quantity(mark.high)[0] if mark.high else high
        for inner in getattr(mark, "metadata", [mark]) if not isinstance(mark, Quantity) else ():
            if isinstance(inner, annotated_types.Ge | annotated_types.Gt):
                low = float(getattr(inner, "ge", getattr(inner, "gt", low)))
            if isinstance(inner, annotated_types.Le | annotated_types.Lt):
                high = float(getattr(inner, "le", getattr(inner, "lt", high)))
    return dimension, low, high
