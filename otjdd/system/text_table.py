"""Text files of two columns of numbers, with units in their header: waveforms and profiles."""

import math
import re
from pathlib import Path
from typing import NamedTuple

from otjdd.system.files import Refused, read_regular
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
