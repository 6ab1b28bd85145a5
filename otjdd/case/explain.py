"""Errors of pydantic as Problems in plain words, with their places in the case file.

What a key expects is read from the JSON schema of its record (type, bounds, choices, description of a quantity), so
that a new field needs no message of its own.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from otjdd.case.document import Document, member, parse_document, read_text
from otjdd.case.problem import NO_BLANKS, KeyPath, Problem, Source, dotted, nearest
from otjdd.errors import MAX_PROBLEMS, CaseError, NotAsExpected
from otjdd.units import brief, shortest_text

MAX_TABLES = 3  # depth to which a misplaced key is searched for in other tables
RecordType = TypeVar("RecordType", bound=BaseModel)
TYPES = {"array": "a list", "object": "a table", "string": "text", "boolean": "true or false", "null": ""}


def read_record(kind: type[RecordType], path: str | os.PathLike[str]) -> tuple[RecordType, Document]:
    """Read a record from a TOML file. Returns it and the document with the places of its keys.

    Raises OSError, CaseError with all faults.
    """
    document = parse_document(Source(os.fspath(path), read_text(path)))
    if document.problems:
        raise CaseError(document.problems)
    try:
        return kind.model_validate(document.data), document
    except ValidationError as error:
        raise CaseError(problems_of(error.errors(), document, schema_of(kind))) from None


@cache
def schema_of(record: type[BaseModel]) -> dict[str, Any]:
    """JSON schema of a record, made once a process, which takes as long as a hundred cases: leave it as it is."""
    return record.model_json_schema()


def problems_of(errors: Sequence[Mapping[str, Any]], document: Document, schema: dict[str, Any]) -> list[Problem]:
    """Problems in the order of the files, one for each key.

    errors : as of pydantic's ValidationError.errors()   schema : JSON schema of the record that was validated
    """
    by_path: dict[KeyPath, Mapping[str, Any]] = {}
    for error in errors:
        by_path.setdefault(key_path_of(error, document.data), error)
    # pydantic leaves out the bad member of a list, and then also reports the list as too short.
    inner = {path[:i] for path in by_path for i in range(len(path))}
    paths = [path for path, error in by_path.items() if error["type"] != "too_short" or path not in inner]
    places = {path: document.place(path) for path in paths}
    paths.sort(key=lambda path: (places[path][0].file, places[path][1]))
    return [problem_of(by_path[path], path, document, schema) for path in paths[:MAX_PROBLEMS]]


def key_path_of(error: Mapping[str, Any], data: Any) -> KeyPath:
    """Key path of an error: its `loc` without the names of union members that pydantic inserts."""
    path: KeyPath = ()
    value = data
    for i, part in enumerate(error["loc"]):
        if is_tag(error, i, value):
            continue
        if isinstance(value, dict | list) and part in (value if isinstance(value, dict) else range(len(value))):
            path, value = (*path, part), value[part]
        elif error["type"] == "missing" and i == len(error["loc"]) - 1:
            path = (*path, part)
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        path = (*path, error["ctx"]["discriminator"].strip("'"))
    return path


def is_tag(error: Mapping[str, Any], i: int, value: Any) -> bool:
    """True for a part of the `loc` of an error that is the name of a union member, although the table has such a key.

    value : the table. The key has a value that no key is within, and the next part is a key of the table, or missing there.
    """
    loc = error["loc"]
    if not isinstance(value, dict) or i + 1 == len(loc) or isinstance(value.get(loc[i], {}), dict | list):
        return False
    return loc[i + 1] in value or (error["type"] == "missing" and i + 2 == len(loc))


def problem_of(error: Mapping[str, Any], path: KeyPath, document: Document, schema: dict[str, Any]) -> Problem:
    """The problem that one error of pydantic stands for."""
    kind, value = error["type"], error["input"]
    if kind in ("extra_forbidden", "invalid_key"):
        names = [name for node in nodes_at(schema, path[:-1], document.data) for name in node.get("properties", ())]
        name = str(path[-1]).replace(" ", "_")
        hint = (
            hint_in_data_set(schema, path)
            or hint_in_spread(path, names)
            or hint_of_another_kind(schema, path, document.data)
            or nearest(name, [other for other in names if other != path[-1]])
            or hint_of_other_tables(schema, name, path[:-1])
            or f"known: {', '.join(names[:20])}"
        )
        hint = f"{NO_BLANKS}; {hint}" if name != path[-1] else hint
        return document.problem(path, "a known key", brief(path[-1]), hint)
    if kind == "value_error":
        reason = error["ctx"]["error"]
        if isinstance(reason, NotAsExpected):
            return document.problem((*path, *reason.key), reason.expected, reason.got)
        return document.problem(path, str(reason))
    if error["loc"][-1:] == ("[key]",):
        return document.problem(path, "a plain name: letters, digits, _ - + .", brief(path[-1]))
    if kind.startswith("union_tag"):  # the location is the table, the fault is in its kind or law
        value = member(value, path[-1])
    # The table of the last key does not narrow the alternatives: that key may be the wrong one.
    nodes = nodes_at(schema, path, pruned(document.data, path))
    choices = list(dict.fromkeys(c for n in nodes for c in n.get("enum", [n["const"]] if "const" in n else [])))
    quoted = [brief(choice) for choice in choices]
    expected = [" or ".join([", ".join(quoted[:-1]), *quoted[-1:]] if len(quoted) > 1 else quoted)]
    expected += [words_of(n) for n in nodes_at(schema, path, document.data) if "enum" not in n and "const" not in n]
    words = " or ".join(dict.fromkeys(filter(None, expected))) or "a value"
    if kind in ("missing", "union_tag_not_found"):
        return document.problem(path, words, "nothing: the key is missing")
    if isinstance(value, dict | list | tuple):
        got = "a table" if isinstance(value, dict) else f"a list of {len(value)}"
    else:
        got = "nothing" if value is None else brief(value)
    return document.problem(path, words, got, nearest(value, choices) if isinstance(value, str) else "")


def hint_in_data_set(schema: dict[str, Any], path: KeyPath) -> str:
    """Hint for a key of the case in a data set of a fit, which takes it as a change of the case; "" for another key."""
    name = str(path[-1])
    within = path[:2] == ("fit", "data") and len(path) == 4 and name in schema.get("properties", ())
    return f'a change of the case for these data: set = {{ "{name}" = ... }}' if within else ""


def hint_in_spread(path: KeyPath, names: Sequence[str]) -> str:
    """Hint for a key of a layer in a spread, which kinds of columns set; "" for another key. names : of the spread"""
    name = str(path[-1])
    if path[-2:-1] != ("spread",) or path[0] != "columns" or not name.startswith("device.film.layers["):
        return ""
    of_ions = f"ions.{name.rpartition('.')[2]}"
    ions = f"a layer without its own follows a spread of {of_ions}; " if of_ions in names else ""
    return f"{ions}for one layer alone, [[columns.kinds]] may set it"


def hint_of_another_kind(schema: dict[str, Any], path: KeyPath, data: Any) -> str:
    """Hint for a key of a table of another kind or law, such as the doping of a metal; "" for another key."""
    tables = nodes_at(schema, path[:-1], pruned(data, path))  # without the table its kind narrows nothing
    others = [properties for node in tables if path[-1] in (properties := node.get("properties", {}))]
    kinds = [f'{key} = "{p["const"]}"' for properties in others for key, p in properties.items() if "const" in p]
    return f"a key of {' or '.join(dict.fromkeys(kinds))}" if kinds else ""


def hint_of_other_tables(schema: dict[str, Any], name: str, table: KeyPath) -> str:
    """Hint for a key that exists in other tables than this: its dotted keys there; "" when there is none."""
    others = [place for place in paths_of(schema, schema, name, ()) if place != dotted((*table, name))]
    quoted = [f'"{place}"' for place in list(dict.fromkeys(others))[:3]]
    return f"did you mean {' or '.join(quoted)}?" if quoted else ""


def paths_of(schema: dict[str, Any], node: dict[str, Any], name: str, path: KeyPath) -> Iterator[str]:
    """Dotted keys that end in `name`, in the tables of a schema down to MAX_TABLES levels. Lists are not searched."""
    for inner in alternatives(schema, node, None):
        for key, value in inner.get("properties", {}).items():
            if key == name:
                yield ".".join(map(str, (*path, key)))
            elif len(path) < MAX_TABLES:
                yield from paths_of(schema, value, name, (*path, key))


def nodes_at(schema: dict[str, Any], path: KeyPath, data: Any) -> list[dict[str, Any]]:
    """Nodes of a JSON schema that describe the value at a path: of alternatives, those that agree with the data."""
    nodes, value = alternatives(schema, schema, data), data
    for part in path:
        value = member(value, part)
        inner = [n for node in nodes if (n := step(node, part)) is not None]
        nodes = [n for node in inner for n in alternatives(schema, node, value)]
    return nodes


def step(node: dict[str, Any], part: str | int) -> dict[str, Any] | None:
    """Schema of a member."""
    if isinstance(part, int):
        listed = node.get("prefixItems", [])
        return listed[part] if part < len(listed) else node.get("items")
    named = node.get("properties", {}).get(part)
    others = (*node.get("patternProperties", {}).values(), node.get("additionalProperties"))
    return named or next((other for other in others if isinstance(other, dict)), None)


def alternatives(schema: dict[str, Any], node: dict[str, Any], value: Any) -> list[dict[str, Any]]:
    """Alternatives of a node, with references resolved, without alternatives of another kind or law than the value."""
    if "$ref" in node:
        return alternatives(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[1]], value)
    branches = node.get("anyOf") or node.get("oneOf")
    if branches:
        nodes = [n for branch in branches for n in alternatives(schema, branch, value)]
        return [n for n in nodes if fits(n, value)] or nodes
    return [node]


def fits(node: dict[str, Any], value: Any) -> bool:
    """True if the value has the constant keys (kind, law) of an alternative; one with a default may be absent."""
    if not isinstance(value, dict):
        return True
    constants = {k: p for k, p in node.get("properties", {}).items() if "const" in p}
    return all(value.get(k, p.get("default")) == p["const"] for k, p in constants.items())


def pruned(data: Any, path: KeyPath) -> Any:
    """The data without the table that holds the last key of the path."""
    if len(path) < 2 or not isinstance(data, dict) or path[0] not in data:
        return None
    return data | {path[0]: pruned(data[path[0]], path[1:])}


def words_of(node: dict[str, Any]) -> str:
    """One alternative in words."""
    kind = node.get("type", "object")
    if "expected" in node:  # a quantity
        return str(node["expected"])
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + bounds_in_words(node)
    counts = [node.get("minItems"), node.get("maxItems")]
    if kind == "array" and any(counts):
        least, most = counts
        several = f"{least} to {most}" if all(counts) else f"at most {most}" if most else f"at least {least}"
        return f"a list of {least if least == most else several}"
    if kind == "string" and "maxLength" in node:
        return f"text of {node.get('minLength', 0)} to {node['maxLength']} characters"
    return TYPES.get(kind, "a value") + (" that is not empty" if "minLength" in node else "")


def bounds_in_words(node: dict[str, Any]) -> str:
    """Bounds of a number, such as " from 8 to 4096" or " above 0 and at most 1"; "" when there are none."""
    names = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    bounds = {word: shortest_text(Decimal(str(node[name]))) for name, word in names.items() if name in node}
    if list(bounds) == ["at least", "at most"]:
        return f" from {bounds['at least']} to {bounds['at most']}"
    return " " + " and ".join(f"{word} {bound}" for word, bound in bounds.items()) if bounds else ""
