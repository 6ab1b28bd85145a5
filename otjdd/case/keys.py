"""Reference of all keys of a case file: meaning, unit, default, range, and an example of that key.

A record says itself what its keys mean, by `key(...)` of `case.base`. A table of its own has, in the field that
it is the value of, a title: its heading here. Units, defaults and ranges are read from the schema.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from otjdd.case.base import Quantity, is_list, marks_of, records_of
from otjdd.case.case import Case
from otjdd.case.document import split_key
from otjdd.case.explain import alternatives, schema_of, words_of
from otjdd.case.kinds import OF_LAYERS, stands_in
from otjdd.case.problem import Problem, Source, nearest
from otjdd.case.toml_text import toml_value
from otjdd.errors import CaseError
from otjdd.units import DIMENSIONS, brief, parse, quantity, write

SELECTORS = ("kind", "law")  # keys that the heading of a table states


class CaseTable(NamedTuple):
    """A table of a case file: its heading, its dotted path, and the record of its keys."""

    heading: str
    path: str
    record: type[BaseModel]


def tables_within(heading: str = "The case", path: str = "", record: type[BaseModel] = Case) -> Iterator[CaseTable]:
    """A table and those within it, each at all of its paths; alternatives of a table one after the other."""
    yield CaseTable(heading, path, record)
    for name, field in record.model_fields.items():
        if field.title:
            records = records_of(field.annotation)
            place = f"{path}.{name}".lstrip(".") + ("[0]" if is_list(field.annotation) else "")
            for option in records:
                yield from tables_within(heading_of(field.title, option, len(records) > 1), place, option)


def heading_of(title: str, record: type[BaseModel], several: bool) -> str:
    """Heading of the table of a record: the title of its field; of one of several alternatives with its kind or law."""
    for name in SELECTORS:
        choices = get_args(record.model_fields[name].annotation) if name in record.model_fields else ()
        if several and len(choices) == 1:
            return f'{title}: {name} = "{choices[0]}"'
    return record.model_config.get("title") or title


class Key(NamedTuple):
    """One key: dotted path, meaning, unit in which results hold it, default as TOML, range in words, example as TOML."""

    path: str
    meaning: str
    unit: str
    default: str
    range: str
    example: str


def keys_of(path: str, record: type[BaseModel]) -> Iterator[Key]:
    """Keys of a record at a path."""
    schema = schema_of(record)
    (table,) = alternatives(schema, schema, None)  # resolves the reference of a record that contains itself
    for name, node in table["properties"].items():
        if name in SELECTORS:
            continue
        field = record.model_fields[name]
        nodes = [n for n in alternatives(schema, node, None) if n.get("type") != "null"]
        units = [DIMENSIONS[n["dimension"]].unit for n in nodes if "dimension" in n]
        choices = [n.get("enum", [n["const"]] if "const" in n else []) for n in nodes]
        words = [", ".join(f'"{choice}"' for choice in of) or words_of(n) for of, n in zip(choices, nodes, strict=True)]
        default = "required" if field.is_required() else default_of(node, nodes)
        dotted = f"{path}.{name}" if path else name
        example = toml_value(field.examples[0]) if field.examples else ""
        limits = " or ".join(dict.fromkeys(filter(None, words)))
        yield Key(dotted, field.description or "", units[0] if units else "", default, limits, example)


def default_of(node: dict[str, Any], nodes: list[dict[str, Any]]) -> str:
    """Default as TOML, a number in SI with its unit; "none" where there is no default."""
    value = node.get("default")
    if value in (None, [], {}):
        return "none"
    dimension = next((n["dimension"] for n in nodes if "dimension" in n), "")
    if dimension and not isinstance(value, str):
        return toml_value(write(value, dimension))
    return "as its own table" if isinstance(value, dict) else toml_value(value)


def markdown() -> str:
    """All keys as Markdown, a table for each record at the first of its paths."""
    of_record: dict[type[BaseModel], dict[str, CaseTable]] = {}
    for table in tables_within():
        of_record.setdefault(table.record, {}).setdefault(table.path, table)
    parts = []
    for record, by_path in of_record.items():
        (path, table), *others = by_path.items()
        also = f", also `{'`, `'.join(other for other, _ in others)}`" if others else ""
        rows = "\n".join(
            f"| `{k.path}` | {k.meaning} | {k.unit} | {code(k.default)} | {k.range} | {code(k.example)} |"
            for k in keys_of(path, record)
        )
        parts.append(
            f"**{table.heading}**{also}\n\n"
            f"| key | meaning | unit | default | range | example |\n|---|---|---|---|---|---|\n{rows}"
        )
    return "\n\n".join(parts)


def code(text: str) -> str:
    """A value in Markdown: as code, unless it is one of the words for "no value"."""
    return text if text in ("", "none", "required", "as its own table") else f"`{text}`"


def dotted_keys() -> list[str]:
    """All dotted keys, each once, for completion."""
    return list(dict.fromkeys(key.path for _, path, record in tables_within() for key in keys_of(path, record)))


def with_bounds(node: Any) -> Any:
    """A node of a schema whose descriptions end with what is expected of quantities."""
    if isinstance(node, list):
        return [with_bounds(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    texts = [node[name] for name in ("description", "expected") if isinstance(node.get(name), str)]
    inner = {
        name: with_bounds(value) for name, value in node.items() if name != "expected" or not isinstance(value, str)
    }
    return inner | ({"description": "; ".join(texts)} if texts else {})


OF_KIND = re.compile(r'columns\.kinds\[(\d+)\]\.set\."(.*)"')


def movable(case: Case) -> list[str]:
    """Dotted keys of the numbers of a case that can be fitted, also in its kinds of columns and spreads."""
    keys, tables = list(dotted_keys()), {"columns.spread": case.columns.spread}
    for i, kind in enumerate(case.columns.kinds or ()):
        keys.append(f"columns.kinds[{i}].share")
        tables |= {f"columns.kinds[{i}].set": kind.set, f"columns.kinds[{i}].spread": kind.spread or {}}
    for path, table in tables.items():
        for name, value in table.items():
            inner = type(value).model_fields if isinstance(value, BaseModel) else ()
            keys += [f'{path}."{name}"', *(f'{path}."{name}".{field}' for field in inner)]
    return [key for key in keys if isinstance((value_at_key(case, key) or [None])[0], float)]


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
        raise fault(key, "a key with an effect", why, advice)
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
            dimension, low, high = limits_of_field(type(place).model_fields[part])
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


def limits_of_field(field: FieldInfo) -> tuple[str, float, float]:
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
