"""Text files: two columns of numbers with units in their header (waveforms, profiles), and parts that are generated.

A generated part is the lines between <!-- NAME:begin --> and <!-- NAME:end -->.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

from otjdd.system.files import Refused, read_regular, read_whole, write_whole
from otjdd.units import parse

MAX_BYTES = 64_000_000


class TextLine(NamedTuple):
    """A line with content: its number, counted from 1, and its cells."""

    number: int
    cells: list[str]


class QuantityColumn(NamedTuple):
    """A column: its name in messages, and the kind of quantity (`units.DIMENSIONS`)."""

    name: str
    dimension: str


def lines(path: str | Path) -> list[TextLine]:
    """Lines of a text file, without comments (`#`) and empty ones. Raises OSError, ValueError ("file:line: ...")."""
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except IsADirectoryError:
        raise ValueError(f"{path}:1: not a regular file") from None
    except Refused as error:
        raise ValueError(f"{path}:1: {error.reason.removeprefix('is ')}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}:1: not UTF-8 text ({error.reason} at byte {error.start})") from None
    numbered = [(number, line.split("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [TextLine(number, cells_of(line)) for number, line in numbered if line]


def cells_of(line: str) -> list[str]:
    """Cells of a line: between commas, semicolons or tabs, else between spaces."""
    divider = r"\s*[,;\t]\s*" if re.search(r"[,;\t]", line) else r"\s+(?![\[(])"
    return re.split(divider, line)


def is_number(cell: str) -> bool:
    """True if a cell reads as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def units_of(
    path: str | Path, header: TextLine, columns: tuple[QuantityColumn, QuantityColumn]
) -> tuple[float | None, ...]:
    """SI value of the unit that a header names in brackets for each column, None without one. Raises ValueError."""
    if len(header.cells) != 2:
        expected = " and ".join(column.name for column in columns)
        raise ValueError(f"{path}:{header.number}: expected two columns, {expected}, got {len(header.cells)}")
    units = []
    for cell, column in zip(header.cells, columns, strict=True):
        unit = re.search(r"[\[(](.+?)[\])]", cell)
        try:
            units.append(parse(f"1 {unit[1]}", column.dimension) if unit else None)
        except ValueError as error:
            raise ValueError(f"{path}:{header.number}: {error}") from None
    return tuple(units)


def numbers_of(path: str | Path, line: TextLine, columns: tuple[QuantityColumn, QuantityColumn]) -> tuple[float, float]:
    """The two finite numbers of a line. Raises ValueError."""
    first, second = (column.name for column in columns)
    if len(line.cells) != 2 or not all(map(is_number, line.cells)):
        got = " ".join(line.cells)[:60]
        raise ValueError(f"{path}:{line.number}: expected two numbers, {first} and {second}, got {got!r}")
    a, b = map(float, line.cells)
    if not (math.isfinite(a) and math.isfinite(b)):
        raise ValueError(f"{path}:{line.number}: a {first} or {second} that is not finite")
    return a, b


def marks(name: str) -> tuple[str, str]:
    """The lines that mark the beginning and the end of a generated part."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def generated_part(text: str, name: str) -> str:
    """The lines of a text between the marks of a name. Raises ValueError for a text without them."""
    begin, end = marks(name)
    _, begun, rest = text.partition(begin)
    inside, closed, _ = rest.partition(end)
    if not (begun and closed):
        raise ValueError(f"has no {begin} and {end}")
    return inside.strip("\n")


def generated_part_of(file: Path, name: str) -> str:
    """The generated part of a file. Called before long work as a check. Raises ValueError without marks, ResultError."""
    try:
        return generated_part(read_whole(file).decode(), name)
    except ValueError as error:
        raise ValueError(f"{file} {error}") from None


def replace_generated_part(file: Path, name: str, body: str) -> None:
    """Replace the generated part of a file. Raises ValueError for a file without marks, ResultError."""
    generated_part_of(file, name)
    begin, end = marks(name)
    before, _, rest = read_whole(file).decode().partition(begin)
    write_whole(file, f"{before}{begin}\n{body}\n{end}{rest.partition(end)[2]}".encode())
