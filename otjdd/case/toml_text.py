"""Places of the keys in a TOML text, and a writer of TOML. The standard library has neither.

`scan` assumes a valid text, which `tomllib` checks. At the first construct that it does not know, it stops and returns
the places found so far. Paths are tuples of keys and of indices of lists: ("drive", "parts", 0, "voltage").
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from otjdd.case.problem import KeyPath

MAX_DEPTH = 32

SPACE = re.compile(r"[ \t]*")
BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
STRING = re.compile(r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*\'''', re.DOTALL)
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
UNSEEN = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")  # escaped
BARE = re.compile(r"[^,\]}#\n]+")
TEXT = json.JSONEncoder(ensure_ascii=False).encode


class Scan(NamedTuple):
    """Result of a scan: path -> offset of its key; offset and path of repeated keys; offset of too deep a nesting."""

    places: dict[KeyPath, int]
    twice: list[tuple[int, KeyPath]]
    too_deep: list[int]


class Unclear(Exception):
    """A construct that the scan does not know; ends it."""


def scan(text: str) -> Scan:
    """Return the places of all keys of a TOML text; never raises."""
    keys, lengths = Scan({}, [], []), dict[KeyPath, int]()
    table: KeyPath = ()
    at = skip(BLANK, text, 0)
    with suppress(Unclear, IndexError):
        while at < len(text):
            if text[at] == "[":
                table, at = scanned_header(text, at, keys, lengths)
            else:
                at = scan_pair(text, at, table, keys)
            at = skip(BLANK, text, at)
    return keys


def scanned_header(text: str, at: int, keys: Scan, lengths: dict[KeyPath, int]) -> tuple[KeyPath, int]:
    """Scan `[table]` or `[[list of tables]]`. Returns the path of the table it opens, and where the header ends.

    lengths : path -> tables so far in a list of tables; 0 for a plain table
    """
    many = text.startswith("[[", at)
    parts, at = scan_key(text, at + 1 + many, keys)
    path: KeyPath = ()
    for i, (name, start) in enumerate(parts):
        path = (*path, name)
        note_place(keys, path, start)
        if i == len(parts) - 1:
            if not many and path in lengths:
                keys.twice.append((start, path))
            lengths[path] = lengths.get(path, 0) + many
        if lengths.get(path):
            path = (*path, lengths[path] - 1)
            note_place(keys, path, start)
    return path, after_token("]]" if many else "]", text, at)


def scan_pair(text: str, at: int, table: KeyPath, keys: Scan) -> int:
    """Scan `a.b = value`. Returns where the value ends."""
    parts, at = scan_key(text, at, keys)
    path = table
    for name, start in parts:
        path, before = (*path, name), len(keys.places)
        note_place(keys, path, start)
    if len(keys.places) == before:
        keys.twice.append((start, path))
    return value(text, skip(SPACE, text, after_token("=", text, at)), path, keys)


def scan_key(text: str, at: int, keys: Scan) -> tuple[list[tuple[str, int]], int]:
    """Scan a dotted key. Returns [(name, offset), ...] and where it ends."""
    parts: list[tuple[str, int]] = []
    while True:
        at = skip(SPACE, text, at)
        part = PART.match(text, at)
        if not part:
            raise Unclear
        if len(parts) == MAX_DEPTH:
            keys.too_deep.append(at)
            raise Unclear
        parts.append((unquoted(part[0]), at))
        at = skip(SPACE, text, part.end())
        if text[at] != ".":
            return parts, at
        at += 1


def value(text: str, at: int, path: KeyPath, keys: Scan) -> int:
    """Scan any value, with the members of lists and inline tables. Returns where it ends."""
    if text[at] == "[":
        return several(text, at, "]", lambda at, i: value(text, note_place(keys, (*path, i), at), (*path, i), keys))
    if text[at] == "{":
        return several(text, at, "}", lambda at, i: scan_pair(text, at, path, keys))
    match = STRING.match(text, at) or BARE.match(text, at)
    if not match:
        raise Unclear
    return match.end()


def several(text: str, at: int, closing: str, read: Callable[[int, int], int]) -> int:
    """Scan members between brackets, separated by commas. Returns where the bracket ends.

    read : scans one member, (offset, index) -> where it ends
    """
    at, index = skip(BLANK, text, at + 1), 0
    while text[at] != closing:
        at = skip(BLANK, text, read(at, index))
        index += 1
        if text[at] != closing:
            at = skip(BLANK, text, after_token(",", text, at))
    return at + 1


def note_place(keys: Scan, path: KeyPath, at: int) -> int:
    """Record the first place of a path. Returns the offset; raises Unclear beyond the depth limit."""
    if len(path) > MAX_DEPTH:
        keys.too_deep.append(at)
        raise Unclear
    keys.places.setdefault(path, at)
    return at


def skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def after_token(token: str, text: str, at: int) -> int:
    if not text.startswith(token, at):
        raise Unclear
    return at + len(token)


def unquoted(part: str) -> str:
    """Name of one part of a key, with escapes resolved."""
    if part[0] not in "\"'":
        return part
    try:
        return str(tomllib.loads(f"name = {part}")["name"])
    except tomllib.TOMLDecodeError:
        raise Unclear from None


def write(data: dict[str, Any]) -> str:
    """TOML text of nested tables of text, numbers, booleans and lists; small inner tables are written inline."""
    return joined_text([of_table(data)])


def of_table(table: dict[str, Any], *path: str) -> str:
    """TOML text of a table with its header, a part for `joined_text`."""
    return "\n".join(lines_of(table, path))


def joined_text(parts: list[str]) -> str:
    """One TOML text of the parts that `of_table` makes."""
    return "\n".join(parts).strip() + "\n"


def lines_of(table: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    tables: dict[str, Any] = {}
    for name, value in table.items():
        small = (
            isinstance(value, dict) and len(value) <= 4 and not any(isinstance(v, dict | list) for v in value.values())
        )
        if isinstance(value, dict) and not (small and len(path) > 1):
            tables[name] = value
    values = {k: v for k, v in table.items() if k not in tables}
    if path and (values or not tables):
        yield from ("", f"[{'.'.join(map(toml_key, path))}]")
    for name, value in values.items():
        yield f"{toml_key(name)} = {toml_value(value)}"
    for name, inner in tables.items():
        yield from lines_of(inner, (*path, name))


def toml_key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else toml_value(name)


def toml_value(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):  # JSON escapes are TOML escapes
        return UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", TEXT(value))
    return json.dumps(value)  # numbers, true, false
