"""The rows of a table as numbers (row,) of each column whose quantity is known, nan for missing numbers.

Rows are read in blocks, a whole column of a block at once, and cell by cell only if a cell is no plain number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from otjdd.errors import DataError
from otjdd.measurements.columns import Column
from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.names import heading
from otjdd.measurements.numbers import first_grouped, holds_numbers, number_in, plain_numbers, without_overflows
from otjdd.measurements.sheet import Sheet, SheetLine

CellColumns = list[tuple[str, ...]]  # texts of the cells, a tuple for each column


class TableRows(NamedTuple):
    """The rows of a table.

    lines : (row,) of the file   part : number (row,) of the repeats of the header above each row
    numbers : place of a column -> numbers (row,), nan for missing ones and for text   overflows : place -> their count
    faults : place -> error for the first text in the column
    """

    lines: np.ndarray
    part: np.ndarray
    numbers: dict[int, np.ndarray]
    overflows: dict[int, int]
    faults: dict[int, DataError]


def rows_of(block: FileBlock, places: Mapping[int, str]) -> TableRows:
    """The rows of a table. places : place of a column -> its quantity, for messages.

    Lines that repeat the header, and those without content at these places, are left out. Raises DataError, with the
    place, for a row that does not fit the header.
    """
    sheet, header = block.sheet, block.header
    lines, numbers = [], []
    repeats: list[int] = []
    faults: dict[int, DataError] = {}
    for first, rows in sheet.blocks(block.first, block.last):
        at, columns = with_content(sheet, header, first, rows, list(places))
        for place in places if sheet.grouped else ():
            check_thousands(sheet, at, columns[place], place)
        values = [plain_numbers(columns[place], sheet.decimal) for place in places]
        if any(column is None for column in values):
            at, columns, again = without_headers(block, at, columns)
            repeats += again
            values = [careful_numbers(sheet, at, columns[place], place, what, faults) for place, what in places.items()]
        lines.append(at)
        numbers.append(np.array(values).reshape(len(places), at.size))
    table = np.concatenate(numbers or [np.zeros((len(places), 0))], axis=1)
    masked = {place: without_overflows(column) for place, column in zip(places, table, strict=True)}
    every = np.concatenate(lines or [np.zeros(0, int)])
    part = np.searchsorted(np.array(repeats), every) if repeats else np.zeros(every.size, dtype=int)
    overflows = {place: count for place, (_, count) in masked.items()}
    return TableRows(every, part, {place: values for place, (values, _) in masked.items()}, overflows, faults)


def with_content(
    sheet: Sheet, header: SheetLine, first: int, rows: list[list[str]], places: list[int]
) -> tuple[np.ndarray, CellColumns]:
    """Lines (row,) and columns of a block that begins at line `first`, without rows that are empty at these places.

    Raises DataError.
    """
    at, width = np.arange(first, first + len(rows)), len(header.cells)
    if set(map(len, rows)) != {width}:
        check_widths(sheet, header, at, rows)
        at = at[[any(row) for row in rows]]
        rows = [(row + [""] * width)[:width] for row in rows if any(row)]
    columns = list(zip(*rows, strict=True)) or [()] * width
    if all("" in columns[place] for place in places):
        there = [i for i, cells in enumerate(zip(*(columns[place] for place in places), strict=True)) if any(cells)]
        at, columns = at[there], [tuple(column[i] for i in there) for column in columns]
    return at, columns


def check_widths(sheet: Sheet, header: SheetLine, at: np.ndarray, rows: list[list[str]]) -> None:
    """Raise DataError for a row with more cells than the header, or with fewer if blanks divide the cells."""
    width = len(header.cells)
    for number, row in zip(at, rows, strict=True):
        fewer = 0 < len(row) < width and sheet.divider == " "
        other = len(row) == 1 < width and of_another_table(row[0])
        if fewer or other or any(cell.strip() for cell in row[width:]):
            line = sheet.line(int(number))
            cell = line.cells[width] if len(line.cells) > width else None
            hint = "a missing number is nan, and a name with a blank stands in quotes"
            hint = hint if fewer else "a column without a name, such as a row index, needs one"
            raise sheet.fault(line, cell, f"{width} cells, as many as the header has names", f"{len(row)}", hint)


def check_thousands(sheet: Sheet, at: np.ndarray, cells: Sequence[str], place: int) -> None:
    """Raise DataError for a number such as 1,500 where nothing tells whether it is 1500 or 1.5."""
    first = first_grouped(cells, sheet.divider)
    if first is None:
        return
    line, text = sheet.line(int(at[first])), cells[first].strip()
    decimals = f", or {float(text.replace(',', '.')):g}" if text.count(",") == 1 else ""
    expected = f"numbers that can be read in one way: {text.replace(',', '')}{decimals}"
    hint = "no other number of this file tells thousands from decimals; write them without a comma"
    raise sheet.fault(line, line.cells[place], expected, f"{text!r}", hint)


def of_another_table(text: str) -> bool:
    """True for a line of a table whose cells are divided otherwise: numbers, or names of quantities."""
    return holds_numbers(text) or sum(heading(word) is not None for word in text.split()[:50]) > 1


def without_headers(
    block: FileBlock, at: np.ndarray, columns: CellColumns
) -> tuple[np.ndarray, CellColumns, list[int]]:
    """Lines and columns without the rows that repeat the header or its units, and the lines of repeated headers."""
    names, units = block.header.texts, list(block.units)
    rows = [[cell.strip() for cell in row[: len(names)]] for row in zip(*columns, strict=True)]
    repeated = np.array([row == names for row in rows])
    if not repeated.any():
        return at, columns, []
    of_units = np.array([[cell.strip("()[]") for cell in row] == units for row in rows])
    others = np.flatnonzero(~repeated & ~of_units)
    return at[others], [tuple(column[i] for i in others) for column in columns], at[repeated].tolist()


def careful_numbers(
    sheet: Sheet, at: np.ndarray, cells: Sequence[str], place: int, what: str, faults: dict[int, DataError]
) -> np.ndarray:
    """Numbers of the cells of a column, read one by one. The first text is put into the faults, with its place."""
    numbers = np.empty(len(cells))
    for i, text in enumerate(cells):
        value = number_in(text, sheet.decimal)
        numbers[i] = np.nan if value is None else value
        if value is None and place not in faults:
            line = sheet.line(int(at[i]))
            expected = f"a number of {what}"
            if sheet.decimal == "," and number_in(text, ".") is not None:
                expected += " with a decimal comma, as other numbers of this file have"
            faults[place] = sheet.fault(line, line.cells[place], expected, f"{text.strip()[:60]!r}")
    return numbers


def scaled(column: Column, rows: TableRows) -> np.ndarray:
    """Numbers (row,) of a column in the unit of the Dataset."""
    return np.asarray(rows.numbers[column.place] * column.factor + column.offset)


def finite(values: np.ndarray) -> np.ndarray:
    """The numbers among values."""
    return np.asarray(values[np.isfinite(values)])
