"""The columns of a sheet: its header, and the quantity of each column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from otjdd.case.problem import nearest
from otjdd.errors import DataError
from otjdd.measurements.names import Heading, heading, is_unit, parted
from otjdd.measurements.numbers import is_number, number_in
from otjdd.measurements.rows import rows_below
from otjdd.measurements.sheet import HEAD, Cell, Line, Sheet
from otjdd.results.outputs import OUTPUTS


class Column(NamedTuple):
    """A column: its header as written and as read, its place in a line, factor and offset to the unit of the Dataset."""

    header: Cell
    heading: Heading
    place: int
    factor: float
    offset: float


class Table(NamedTuple):
    """Columns of a sheet and their numbers.

    columns : quantity -> column   lines : (row,) of the file
    values : quantity -> numbers (row,) in the units of the Dataset, nan for missing ones
    left_out : headers of unused columns   overflows : number of cells over the range of the instrument
    """

    columns: dict[str, Column]
    lines: np.ndarray
    values: dict[str, np.ndarray]
    left_out: list[str]
    overflows: int


def table_of(sheet: Sheet, names: Mapping[str, str]) -> Table:
    """Read the table of a sheet.

    names : quantity -> header of its column, for headers that are not understood or several columns of one quantity
    Raises DataError, with the place, for a sheet without header, for unknown units, for rows that do not fit the header,
    and for text in place of a number.
    """
    header, units = find_header(sheet, names)
    columns = columns_of(sheet, header, units, names)
    wanted = {column.place: column.heading.quantity for column in columns.values()}
    lines, numbers, overflows = rows_below(sheet, header, (units or header).number, wanted)
    if not len(lines):
        raise sheet.fault(header, None, "numbers below the header", "none")
    for column in columns.values():
        if np.isnan(numbers[column.place]).all():
            first = sheet.line(int(lines[0]))
            raise sheet.fault(first, None, f"numbers in the column {column.header.text!r}", "none at all")
    values = {name: numbers[column.place] * column.factor + column.offset for name, column in columns.items()}
    left_out = [cell.text for i, cell in enumerate(header.cells) if i not in wanted and cell.text]
    return Table(columns, lines, values, left_out, overflows)


def text_at(line: Line, place: int) -> str:
    """Text of a cell, "" beyond the end of a line."""
    return line.cells[place].text if place < len(line.cells) else ""


def find_header(sheet: Sheet, names: Mapping[str, str]) -> tuple[Line, Line | None]:
    """Find the header: its line, and the line of units below it or None. Raises DataError.

    It is the first line whose known names have numbers below them, else the first line with two known names, for which
    the missing numbers are reported later.
    """
    candidate = None
    head = sheet.head()
    for at, line in enumerate(head):
        places = [i for i, cell in enumerate(line.cells) if known(cell, names)]
        if not places or any(is_number(text, sheet.decimal) for text in line.texts if text):
            continue
        below = head[at + 1] if at + 1 < len(head) else None
        units = below if below and is_units(sheet, below) else None
        first = head[at + 2] if units and at + 2 < len(head) else below
        if first and all(number_in(text_at(first, place), sheet.decimal) is not None for place in places):
            return line, units
        if candidate is None and len(places) > 1:
            candidate = line, units
    if candidate:
        return candidate
    raise sheet.fault(
        head[0] if head else None, None,
        'a header such as "V (V), I (A)" with names of outputs, or V, I, |I|, J, R, G, C, t, n, T; P (uC/cm^2), E (MV/cm)',
        f"none in the first {HEAD} lines" if len(head) >= HEAD else "none", unknown_hint(head),
    )  # fmt: skip


def has_header(sheet: Sheet, names: Mapping[str, str]) -> bool:
    """True if a sheet has a header that is understood."""
    try:
        find_header(sheet, names)
    except DataError:
        return False
    return True


def unknown_hint(head: list[Line]) -> str:
    """Hint for lines without a known name: an output with a similar name, or how to name the columns by --column."""
    for line in head[:1]:
        hints = [nearest(text.split("(")[0].split("[")[0].strip(), OUTPUTS) for text in line.texts if text]
        if hint := next((hint for hint in hints if hint), ""):
            return hint
        words = [text for text in line.texts if text and not is_number(text, ",")]
        if len(words) > 1:
            return f'say which column is which, as --column voltage="{words[0][:60]}"'
    return ""


def known(cell: Cell, names: Mapping[str, str]) -> bool:
    """True if a header is understood or named by the user."""
    return heading(cell.text) is not None or cell.text in names.values()


def is_units(sheet: Sheet, line: Line) -> bool:
    """True if a line holds units, in brackets or bare, and no numbers, as below some headers."""
    texts = [text.strip("()[]") for text in line.texts if text.strip("()[]")]
    return bool(texts) and all(is_unit(text) and not is_number(text, sheet.decimal) for text in texts)


def columns_of(sheet: Sheet, header: Line, units: Line | None, names: Mapping[str, str]) -> dict[str, Column]:
    """Quantity -> column. Raises DataError for unknown units, and for two columns of the same quantity."""
    found: dict[str, Column] = {}
    wanted = {text: quantity for quantity, text in names.items()}
    for missing in set(names.values()) - set(header.texts):
        raise sheet.fault(header, None, f"a column {missing!r}", f"columns {', '.join(filter(None, header.texts))}")
    for place, cell in enumerate(header.cells):
        read = heading(cell.text)
        if cell.text in wanted:
            bare = Heading(wanted[cell.text], False, parted(cell.text)[1])
            read = read._replace(quantity=wanted[cell.text]) if read else bare
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
            factor, offset = read.scale(written)
        except ValueError as error:
            raise sheet.fault(header, cell, f"a unit of {read.quantity}", f"{written!r}", str(error)) from None
        found[read.quantity] = Column(cell, read._replace(unit=written), place, factor, offset)
    return found
