"""Reference of all keys of a case file: meaning, unit, default, range, and an example of that key.

A record says itself what its keys mean: `Field(description=..., examples=...)`. A table of its own has, in the field that
it is the value of, a title: its heading here. Units, defaults and ranges are read from the schema.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from otjdd.case.base import is_list, records_of
from otjdd.case.case import Case, json_schema
from otjdd.case.explain import alternatives, words_of
from otjdd.case.toml_text import toml_value
from otjdd.units import DIMENSIONS, write

SELECTORS = ("kind", "law")  # keys that the heading of a table states


class CaseTable(NamedTuple):
    """A table of a case file: its heading, its dotted path, and the record of its keys."""

    heading: str
    path: str
    record: type[BaseModel]


def tables(heading: str = "The case", path: str = "", record: type[BaseModel] = Case) -> Iterator[CaseTable]:
    """A table and those within it, each at all of its paths; alternatives of a table one after the other."""
    yield CaseTable(heading, path, record)
    for name, field in record.model_fields.items():
        if field.title:
            records = records_of(field.annotation)
            place = f"{path}.{name}".lstrip(".") + ("[0]" if is_list(field.annotation) else "")
            for option in records:
                yield from tables(heading_of(field.title, option, len(records) > 1), place, option)


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
    schema = record.model_json_schema()
    (table,) = alternatives(schema, schema, None)  # resolves the reference of a record that contains itself
    for name, node in table["properties"].items():
        if name in SELECTORS:
            continue
        field = record.model_fields[name]
        nodes = [n for n in alternatives(schema, node, None) if n.get("type") != "null"]
        units = [DIMENSIONS[n["dimension"]].unit for n in nodes if "dimension" in n]
        words = list(dict.fromkeys(word for n in nodes if (word := word_of(n))))
        default = "required" if field.is_required() else default_of(node, nodes)
        dotted = f"{path}.{name}" if path else name
        example = toml_value(field.examples[0]) if field.examples else ""
        yield Key(dotted, field.description or "", units[0] if units else "", default, " or ".join(words), example)


def word_of(node: dict[str, Any]) -> str:
    """Range of one alternative in words: bounds, choices, or the kind of value."""
    choices = node.get("enum", [node["const"]] if "const" in node else [])
    return ", ".join(f'"{choice}"' for choice in choices) or words_of(node)


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
    for table in tables():
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
    return list(dict.fromkeys(key.path for _, path, record in tables() for key in keys_of(path, record)))


def editor_schema() -> dict[str, Any]:
    """JSON Schema for editors, in which the description of a quantity has its bounds too."""
    schema: dict[str, Any] = with_bounds(json_schema())
    return schema


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
