"""Case files as plain data, merged with their bases. Each value has its place in a file.

A case file is TOML and nothing else: no code, no expressions, at most 1 MB, 32 levels deep.

Cases that come with otjdd have a folder, a question each, and a name in place of a path.
"""

from __future__ import annotations

import copy
import errno
import math
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from otjdd.case.base import WRITTEN, Record, tables_in_record
from otjdd.case.film import Sheet
from otjdd.case.problem import NO_BLANKS, KeyPath, Problem, Source, dotted, nearest
from otjdd.case.toml_text import MAX_DEPTH, PART, scan
from otjdd.errors import MAX_PROBLEMS, CaseError
from otjdd.system.files import Refused, TooLarge, read_regular, shipped_folder
from otjdd.units import TYPOGRAPHIC, brief

QUESTION = re.compile(r"^# Question: (.*?\?)", re.MULTILINE | re.DOTALL)


class ShippedCase(NamedTuple):
    """A case that comes with otjdd: its name, its title, the question it answers, and whether it is a study."""

    name: str
    title: str
    question: str
    study: bool


def shipped_cases() -> Path:
    """Folder of the cases that come with otjdd, in an installed package or in a checkout."""
    return shipped_folder("cases")


def names() -> list[str]:
    """Names of all shipped cases, in alphabetical order."""
    return sorted(path.stem for path in shipped_cases().glob("*.toml"))


def cases() -> list[ShippedCase]:
    """All cases that come with otjdd, those without a study first. Each name can be given to run, study and load_case."""
    shipped = []
    for name in names():
        text = (shipped_cases() / f"{name}.toml").read_text(encoding="utf-8")
        data, question = tomllib.loads(text), QUESTION.search(text)
        asked = question[1].replace("\n# ", " ") if question else ""
        shipped.append(ShippedCase(name, data.get("title", name), asked, "study" in data))
    return sorted(shipped, key=lambda case: (case.study, case.name))


def find_case(case: str | os.PathLike[str]) -> Path:
    """The file of a case: a path, or the name of a shipped case (rv-loop, rv-loop.toml, cases/rv-loop.toml).

    A case of a tutorial has its folder before its name: tutorials/tin-hfo2-tin.

    A file that exists has priority over a shipped case of the same name. Raises FileNotFoundError.
    """
    path = Path(case)
    if path.exists() and not path.is_dir():  # the folder of a study may have the name of its case
        return path
    folder = path.parent.name
    shipped = shipped_cases() / (folder if folder == "tutorials" else "") / path.name
    if folder in ("", "cases", "tutorials") and not path.is_absolute():
        for file in (shipped, shipped.with_name(f"{path.name}.toml")):
            if file.is_file():
                return file
    if path.exists():
        return path
    hint = nearest(path.stem, names()) or "`otjdd cases` lists what comes with otjdd"
    raise FileNotFoundError(
        errno.ENOENT, f"there is no such file, and no shipped case of that name ({hint})", str(path)
    )


MAX_BYTES = 1_000_000
MAX_BASES = 16  # of a base of a base ...
OUTSIDE = "--allow-outside, in Python allow_outside=True, lets a case name files elsewhere"
QUANTITY = re.compile(r"[-+]?[0-9.]+(?:e[-+]?[0-9]+)? [A-Za-z%][A-Za-z0-9/^%-]*")  # text in any case, as in "2.8 nm"
STEP = re.compile(rf"(\.?)({PART.pattern})|\[([0-9]{{1,6}})\]")

GRID = ("study", "grid")  # not merged with the table of a base


class Document(NamedTuple):
    """Data of a case file merged with its bases, and the places of its keys: path -> (Source, offset).

    problems : one for each value that no case allows (nan, inf, dates); `data` holds these values as text
    calibrated : (path, file) of the values that a file lists as fitted to one device
    """

    source: Source
    data: dict[str, Any]
    places: dict[KeyPath, tuple[Source, int]]
    problems: tuple[Problem, ...] = ()
    calibrated: tuple[tuple[KeyPath, Source], ...] = ()

    def place(self, path: KeyPath) -> tuple[Source, int]:
        """Place of a key, or of the innermost table around it that has one."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.source, 0

    def without(self, key: str) -> Document:
        """The document without one of its tables."""
        data = {name: value for name, value in self.data.items() if name != key}
        return self._replace(data=data, places={path: at for path, at in self.places.items() if path[:1] != (key,)})

    def problem(self, path: KeyPath, expected: str, got: str = "", hint: str = "") -> Problem:
        source, offset = self.place(path)
        return source.problem(offset, path, expected, got, hint)


def load_document(
    path: str | os.PathLike[str], shipped: Path, allow_outside: bool = False, above: tuple[Path, ...] = ()
) -> Document:
    """Read a case file and its bases.

    `base` is searched next to the file, then in the folder `shipped`; without allow_outside it is in one of them or below.
    Raises CaseError, or OSError when the file itself cannot be read.
    """
    source = Source(os.fspath(path), read_text(path))
    document = with_calibrated(parse_document(source))
    if "base" not in document.data:
        return document
    above = (*above, Path(path).resolve())
    try:
        base = find_base(document, shipped, allow_outside, above)
        below = load_document(base, shipped, allow_outside, above)
    except (OSError, RuntimeError) as error:  # RuntimeError: a symbolic link to itself
        raise CaseError(
            [document.problem(("base",), f"cannot read the base: {getattr(error, 'strerror', error)}")]
        ) from None
    del document.data["base"]
    axes = frozenset({GRID} if value_at(document.data, GRID) else ())  # of a study, which would multiply
    return put_on(below.without("expect"), document, axes)


def with_calibrated(document: Document) -> Document:
    """Move the list `calibrated` from the data to the field of that name. Raises CaseError for a key not in the file."""
    if "calibrated" not in document.data:
        return document
    keys, source = document.data.pop("calibrated"), document.source
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        problem = document.problem(("calibrated",), 'a list of dotted keys such as "device.left.barrier"', brief(keys))
        raise CaseError([problem])
    paths = [split_key(key, source) for key in keys]
    missing = [dotted(path) for path in paths if path not in document.places]
    if missing:
        raise CaseError([document.problem(("calibrated",), "keys that this file states", brief(missing[0]))])
    return document._replace(calibrated=tuple((path, source) for path in paths))


def find_base(document: Document, shipped: Path, allow_outside: bool, above: tuple[Path, ...]) -> str:
    """Path of the file that `base` names. Raises CaseError.

    above : files that are based on this one, which `base` must not name again
    """
    name, folder = document.data["base"], Path(document.source.file).parent

    def fault(expected: str, got: str = "", hint: str = "") -> CaseError:
        return CaseError([document.problem(("base",), expected, got or brief(name), hint)])

    if not isinstance(name, str) or not name or "\0" in name:
        raise fault('the name of a case file such as "li2019.toml"')
    if len(above) > MAX_BASES:
        raise fault(f"at most {MAX_BASES} bases of bases", "more")
    names = (name,) if name.endswith(".toml") else (name, f"{name}.toml")
    files = [(place / form, place.resolve()) for form in names for place in (folder, shipped)]
    places = [(file, file.resolve(), place) for file, place in files]
    if not (allow_outside or all(location.is_relative_to(place) for _, location, place in places)):
        raise fault("a base in the folder of the case, or below", hint=OUTSIDE)
    there = [(written, location) for written, location, _ in places if location.exists() and location not in above]
    there.sort(key=lambda place: not place[1].is_file())  # the folder of a study may have the name of its case
    if there:
        return os.fspath(there[0][0])
    circle = any(location in above for _, location, _ in places)
    raise fault(
        "a case file next to this one or one that comes with otjdd",
        brief(name) + (", which is based on this" if circle else ""),
        nearest(
            names[-1], [path.name for place in (folder, shipped) for path in place.glob("*.toml") if free(path, above)]
        ),
    )


def free(path: Path, above: tuple[Path, ...]) -> bool:
    """True for a file that may be a base of the files `above`."""
    try:
        return path.resolve() not in above
    except (OSError, RuntimeError):  # a symbolic link to itself
        return False


def read_text(path: str | os.PathLike[str]) -> str:
    """Text of a regular UTF-8 file of at most MAX_BYTES. Raises CaseError, or OSError when it cannot be read."""
    source = Source(os.fspath(path), "")
    try:
        data = read_regular(os.fspath(path), MAX_BYTES)
    except TooLarge:
        raise CaseError([source.problem(0, (), f"a case file of at most {MAX_BYTES} bytes", "a larger one")]) from None
    except (Refused, IsADirectoryError) as error:
        why = error.strerror if isinstance(error, Refused) else "is not a regular file"
        raise CaseError([source.problem(0, (), "a case file", f"something that {why}")]) from None
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        text = data[: error.start].decode("utf-8")
        got = f"byte 0x{data[error.start]:02x}"
        raise CaseError([Source(source.file, text).problem(len(text), (), "text in UTF-8", got)]) from None


def parse_document(source: Source) -> Document:
    """Return the document of a TOML text, without its base. Raises CaseError."""
    text = source.text or ""
    keys = scan(text)
    if keys.too_deep:
        expected = f"at most {MAX_DEPTH} levels of nesting"
        raise CaseError([source.problem(keys.too_deep[0], (), expected, "more")])
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise CaseError([syntax_problem(source, keys.twice, error)]) from None
    return without_faults(Document(source, data, {path: (source, at) for path, at in keys.places.items()}))


def syntax_problem(source: Source, twice: list[tuple[int, KeyPath]], error: Exception) -> Problem:
    """The error of the TOML parser as a Problem with its place."""
    text, message = source.text or "", str(error) or type(error).__name__
    where = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    reason = re.sub(r" \(at .*\)$", "", message)
    if twice and ("overwrite" in reason or "declare" in reason):
        at, path = twice[0]
        return source.problem(at, path, "every key once", "it a second time")
    if where:
        lines = text.split("\n")[: int(where[1]) - 1]
        at = sum(len(line) + 1 for line in lines) + int(where[2]) - 1
    else:  # the end of the text, or a number with more digits than Python reads
        digits = re.search(r"[0-9_]{1000,}", text)
        at = digits.start() if digits else len(text.rstrip())
        reason = "a number with too many digits" if digits else reason
    return source.problem(at, (), f"not TOML: {reason}", hint=syntax_hint(text, at, reason))


def syntax_hint(text: str, at: int, reason: str) -> str:
    """What was probably meant where the parser stopped; "" where nothing is known."""
    rest = text[at:].split("\n", 1)[0].split("#", 1)[0]
    if not rest.strip() and text[:at].rstrip().endswith(("{", ",")) and "key part" in reason:
        return "a table in braces ends on the line that it begins on; below a heading such as [drive] it need not"
    if rest and rest[0] in TYPOGRAPHIC:
        return 'a typographic quotation mark; write "'
    return NO_BLANKS if "Expected '='" in reason and "=" in rest else ""


def without_faults(document: Document) -> Document:
    """Replace values that no case allows by their text, and add a problem for each. Other faults are found later."""
    strange = list(islice(strange_values(document, (), document.data), MAX_PROBLEMS))
    for table, part, _ in strange:
        table[part] = str(table[part])
    return document._replace(problems=tuple(problem for _, _, problem in strange))


def strange_values(document: Document, path: KeyPath, value: Any) -> Iterator[tuple[Any, Any, Problem]]:
    """(table or list, key in it, problem) for each value that TOML allows and a case does not: dates, nan, inf."""
    for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
        place = (*path, part)
        if isinstance(inner, dict | list):
            yield from strange_values(document, place, inner)
        elif isinstance(inner, float) and not math.isfinite(inner):
            yield value, part, document.problem(place, "a finite number", brief(inner))
        elif not isinstance(inner, str | bool | int | float):
            expected = "text, a number, true or false, a list or a table"
            yield value, part, document.problem(place, expected, f"{inner} (a date or time)")


def put_on(below: Document, above: Document, whole: frozenset[KeyPath]) -> Document:
    """Put one document on top of its base: tables are merged, other values and the paths in `whole` are replaced."""
    replaced = set(whole)
    data = merge(below.data, above.data, (), replaced)
    places = {p: q for p, q in below.places.items() if replaced.isdisjoint(p[:i] for i in range(len(p) + 1))}
    problems, calibrated = below.problems + above.problems, below.calibrated + above.calibrated
    return Document(above.source, data, places | above.places, problems, calibrated)


def merge(below: Any, above: dict[Any, Any], path: KeyPath, replaced: set[KeyPath]) -> Any:
    """Merge `above` into the table or list `below`. Paths in `replaced` are not merged; further replaced ones are added."""
    merged: Any = list(below) if isinstance(below, list) else without_alternatives(below, above, path, replaced)
    for name, value in above.items():
        old = merged[name] if isinstance(below, list) or name in merged else None
        if (*path, name) not in replaced and mergeable((*path, name), old, value):
            merged[name] = merge(old, value, (*path, name), replaced)
        else:
            merged[name] = value
            replaced.add((*path, name))
    return merged


def without_alternatives(
    below: dict[str, Any], above: dict[str, Any], path: KeyPath, replaced: set[KeyPath]
) -> dict[str, Any]:
    """The table `below` without alternatives to keys of `above`, or what these leave without a meaning.

    The removed paths are added to `replaced`.
    """
    dropped: set[str] = set()
    for first, second in Record.alternatives:
        for chosen, alternative in ((first, second), (second, first)):
            if chosen & set(above) and not alternative & set(above):
                dropped |= alternative & set(below)
    initial = above.get("initial")
    if isinstance(initial, dict) and "profile" in initial and "density" not in above:
        dropped |= {"density"} & set(below)
    if above.get("resistance", "spreading") != "spreading" and "conductivity" not in above:  # of device.heat
        dropped |= {"conductivity"} & set(below)
    if "layers" in above:  # of a film on top of one of a single material
        dropped |= set(Sheet.model_fields) & set(below)
    elif {"thickness", "permittivity"} <= set(above):  # of a film of a single material on top of layers
        dropped |= {"layers"} & set(below)
    replaced.update((*path, name) for name in dropped)
    return {name: value for name, value in below.items() if name not in dropped}


def without_none(data: Any, records: Sequence[type[BaseModel]]) -> Any:
    """Data of a table without the optional tables in it that are "none". Records among the data stay as they are."""
    if not isinstance(data, dict):
        return data
    inner: dict[str, list[type[BaseModel]]] = {}
    optional = set()
    for record in records:
        for name, (may_go, its) in tables_in_record(record).items():
            inner.setdefault(name, []).extend(its)
            optional |= {name} if may_go else set()
    stays = {name: value for name, value in data.items() if name not in optional or value != "none"}
    return {name: without_none(value, inner.get(name, ())) for name, value in stays.items()}


def switch_of(path: KeyPath) -> str | None:
    """Key that decides which others the table at a path has, "" for a table that is never merged, None without one."""
    return next((Record.switches[part] for part in reversed(path) if part in Record.switches), None)


def mergeable(path: KeyPath, below: Any, above: Any) -> bool:
    """True if a value at a path is merged with the value of the base, False if it replaces it."""
    if isinstance(above, dict) and isinstance(below, list):  # drive.parts[1].voltage of --set
        return all(isinstance(part, int) and part < len(below) for part in above)
    if not (isinstance(above, dict) and isinstance(below, dict)):
        return False
    switch = switch_of(path)
    return switch is None or (switch != "" and above.get(switch, below.get(switch)) == below.get(switch))


def changed(document: Document, changes: Mapping[str, Any], name: str) -> Document:
    """The document with values set by dotted key. A text that reads as a TOML value is taken as that value.

    A table that states its kind or law replaces the old table as a whole.
    name : source of the changes in messages, such as "--set". Raises CaseError.
    """
    source = Source(name, None)
    data: dict[Any, Any] = {}
    places: dict[KeyPath, tuple[Source, int]] = {}
    whole: set[KeyPath] = set()
    for key, value in changes.items():
        path = split_key(key, source)
        table = data
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise CaseError([source.problem(0, path, "one value", "another for a part of it")])
        value = read_value(value) if isinstance(value, str) else copy.deepcopy(value)
        table[path[-1]] = value
        if isinstance(value, dict) and {"kind", switch_of(path)} & set(value):
            whole.add(path)
        places |= {path[: i + 1]: (source, 0) for i in range(len(path))}
        within: Any = document.data
        for i, part in enumerate(path):
            if isinstance(part, int) and isinstance(within, list) and part >= len(within):
                most = f"an index from 0 to {len(within) - 1}" if within else "no index: the list is empty"
                raise CaseError([source.problem(0, path[: i + 1], most, str(part))])
            within = member(within, part)
    above = without_faults(Document(source, data, places))
    return put_on(document, above, frozenset(whole))._replace(source=document.source)


def member(data: Any, part: str | int) -> Any:
    """Member of a table or a list; None where there is none."""
    inside = (isinstance(data, dict) and part in data) or (isinstance(data, list) and part in range(len(data)))
    return data[part] if inside else None


def value_at(data: Any, path: Iterable[str | int]) -> Any:
    """Value at a path of nested tables, lists and records; None where there is none."""
    for part in path:
        data = member(data, part) if isinstance(data, dict | list) else getattr(data, str(part), None)
    return data


def split_key(key: str, source: Source) -> KeyPath:
    """Parts of a key such as drive.parts[1].voltage or columns.spread."ions.density". Raises CaseError."""
    parts: list[str | int] = []
    at = 0
    while (match := STEP.match(key, at)) and len(parts) < MAX_DEPTH:
        dot, name, index = match.groups()
        if (parts == []) == (dot == "." or index is not None):  # a dot or an index stands after a name only
            break
        parts.append(name.strip("\"'") if name else int(index))
        at = match.end()
        if at == len(key):
            return tuple(parts)
    hint = NO_BLANKS if " " in key.strip() else ""
    raise CaseError([source.problem(0, (), 'a dotted key such as "device.film.thickness"', brief(key), hint)])


def read_value(text: str) -> Any:
    """Value of a text of --set: a number, true, false, a list or an inline table where it reads as one, else the text."""
    if QUANTITY.fullmatch(text):
        return text
    try:
        value = tomllib.loads(f"value = {text}")["value"] if "\n" not in text and len(text) < 10_000 else text
    except (ValueError, RecursionError):
        return text
    return WRITTEN.get(type(value), lambda same: same)(value)
