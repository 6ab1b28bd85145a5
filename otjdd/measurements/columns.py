"""The columns of a sheet: where its header is, what each column holds, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from otjdd.case.problem import nearest
from otjdd.errors import DataError
from otjdd.measurements.names import Heading, heading, is_unit, parted, scale_to
from otjdd.measurements.numbers import is_number, is_overflow, number_in
from otjdd.measurements.sheet import Cell, Line, Sheet
from otjdd.results.outputs import OUTPUTS


class Column(NamedTuple):
    """A column: its header as written and as understood, its place in a line, factor and offset to the held unit."""

    header: Cell
    heading: Heading
    place: int
    factor: float
    offset: float


class Table(NamedTuple):
    """Columns of a sheet and their numbers.

    columns : by quantity   rows : lines of the numbers   values : (row,) by quantity, in the held units, nan where none
    left_out : headers of columns that are not used   overflows : cells over the range of the instrument
    """

    columns: dict[str, Column]
    rows: list[Line]
    values: dict[str, np.ndarray]
    left_out: list[str]
    overflows: int


def table_of(sheet: Sheet, names: Mapping[str, str]) -> Table:
    """Read the table of a sheet. names : quantity -> header of the column that holds it, where several could

    Raises DataError, with the place, for a sheet without header, for unknown units and for text where a number should be.
    """
    at, header, units = find_header(sheet, names)
    columns = columns_of(sheet, header, units, names)
    rows = [line for line in sheet.lines[at + (2 if units else 1) :] if line.texts != header.texts]
    rows = [line for line in rows if any(text_at(line, column.place) for column in columns.values())]
    if not rows:
        raise sheet.fault(header, None, "numbers below the header", "none")
    values = {name: numbers_of(sheet, rows, column) for name, column in columns.items()}
    overflows = sum(
        is_overflow(text_at(line, column.place), sheet.decimal) for line in rows for column in columns.values()
    )
    used = {column.place for column in columns.values()}
    left_out = [cell.text for i, cell in enumerate(header.cells) if i not in used and cell.text]
    return Table(columns, rows, values, left_out, overflows)


def text_at(line: Line, place: int) -> str:
    """Text of a cell, "" beyond the end of a line."""
    return line.cells[place].text if place < len(line.cells) else ""


def find_header(sheet: Sheet, names: Mapping[str, str]) -> tuple[int, Line, Line | None]:
    """Find the header: index of its line, the line, and a line of units below it. Raises DataError.

    It is the first line whose known names have numbers below them; a line of words without numbers below is told in the
    error, because it is what was meant to be the header.
    """
    candidate = None
    for at, line in enumerate(sheet.lines):
        places = [i for i, cell in enumerate(line.cells) if known(cell, names)]
        if not places or any(is_number(text, sheet.decimal) for text in line.texts if text):
            continue
        below = sheet.lines[at + 1] if at + 1 < len(sheet.lines) else None
        units = below if below and is_units(sheet, below) else None
        first = sheet.lines[at + 2] if units and at + 2 < len(sheet.lines) else below
        if first and all(number_in(text_at(first, place), sheet.decimal) is not None for place in places):
            return at, line, units
        if candidate is None and len(places) > 1:
            candidate = at, line, units
    if candidate:
        return candidate
    raise sheet.fault(
        sheet.lines[0], None, 'a header such as "V (V), I (A)" with names of outputs, or V, I, |I|, J, R, G, C, t, n, T',
        "none", unknown_hint(sheet.lines[0]),
    )  # fmt: skip


def has_header(sheet: Sheet, names: Mapping[str, str]) -> bool:
    """Tell if a sheet has a header that is understood."""
    try:
        find_header(sheet, names)
    except DataError:
        return False
    return True


def unknown_hint(line: Line) -> str:
    """Hint for a first line without a known name: the output that one of its names resembles."""
    hints = [nearest(text.split("(")[0].split("[")[0].strip(), OUTPUTS) for text in line.texts if text]
    return next((hint for hint in hints if hint), "")


def known(cell: Cell, names: Mapping[str, str]) -> bool:
    """Tell if a header is understood, or named by the user."""
    return heading(cell.text) is not None or cell.text in names.values()


def is_units(sheet: Sheet, line: Line) -> bool:
    """Tell if a line holds units, in brackets or bare, and no numbers: such a line stands below some headers."""
    texts = [text.strip("()[]") for text in line.texts if text.strip("()[]")]
    return bool(texts) and all(is_unit(text) and not is_number(text, sheet.decimal) for text in texts)


def columns_of(sheet: Sheet, header: Line, units: Line | None, names: Mapping[str, str]) -> dict[str, Column]:
    """Columns by quantity. Raises DataError for unknown units, and where two columns hold the same quantity."""
    found: dict[str, Column] = {}
    wanted = {text: quantity for quantity, text in names.items()}
    for missing in set(names.values()) - set(header.texts):
        raise sheet.fault(header, None, f"a column {missing!r}", f"columns {', '.join(filter(None, header.texts))}")
    for place, cell in enumerate(header.cells):
        read = heading(cell.text)
        if cell.text in wanted:
            read = Heading(wanted[cell.text], read.magnitude if read else False, parted(cell.text)[1])
        elif read and read.quantity in names:
            continue
        if read is None:
            continue
        if read.quantity in found:
            raise sheet.fault(
                header, cell, f"one column of {read.quantity}", f"{found[read.quantity].header.text!r} and {cell.text!r}",
                f"say which: {read.quantity}={cell.text!r}",
            )  # fmt: skip
        written = read.unit or (text_at(units, place).strip("()[]") if units else "")
        try:
            factor, offset = scale_to(written, read.measures)
        except ValueError as error:
            raise sheet.fault(header, cell, f"a unit of {read.quantity}", f"{written!r}", str(error)) from None
        found[read.quantity] = Column(cell, read._replace(unit=written), place, factor, offset)
    return found


def numbers_of(sheet: Sheet, rows: list[Line], column: Column) -> np.ndarray:
    """Numbers (row,) of a column in the unit in which its quantity is held. Raises DataError for text, or without any."""
    found = np.full(len(rows), np.nan)
    for i, line in enumerate(rows):
        if column.place >= len(line.cells):
            continue
        cell = line.cells[column.place]
        value = number_in(cell.content, sheet.decimal)
        if value is None:
            raise sheet.fault(line, cell, f"a number of {column.heading.quantity}", f"{cell.text[:60]!r}")
        found[i] = value
    if np.isnan(found).all():
        raise sheet.fault(rows[0], None, f"numbers in the column {column.header.text!r}", "none at all")
    return found * column.factor + column.offset
