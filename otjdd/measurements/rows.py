"""The rows below a header: each has a cell for each name, and a number in each column that is used.

Rows are read in blocks, a whole column of a block at once. Cells are read one by one only if one is not a plain number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from otjdd.measurements.numbers import number_in, plain_numbers, without_overflows
from otjdd.measurements.sheet import Line, Sheet

Columns = list[tuple[str, ...]]  # texts of the cells, a tuple for each column


def rows_below(
    sheet: Sheet, header: Line, number: int, wanted: Mapping[int, str]
) -> tuple[np.ndarray, dict[int, np.ndarray], int]:
    """Numbers of the lines (row,), place -> numbers (row,) of the cells, nan for missing ones, and number of overflows.

    number : the rows begin below this line   wanted : place of a column -> its quantity, for messages
    Lines that repeat the header, and those without content at these places, are left out. Raises DataError, with the
    place, for text, and for a row that does not fit the header.
    """
    lines, numbers = [], []
    for first, rows in sheet.blocks(number + 1):
        at, columns = with_content(sheet, header, first, rows, list(wanted))
        found = [plain_numbers(columns[place], sheet.decimal) for place in wanted]
        if any(values is None for values in found):
            at, columns = without_headers(header, at, columns)
            found = [careful_numbers(sheet, at, columns[place], place, what) for place, what in wanted.items()]
        lines.append(at)
        numbers.append(np.array(found).reshape(len(wanted), len(at)))
    values, overflows = without_overflows(np.concatenate(numbers or [np.zeros((len(wanted), 0))], axis=1))
    return np.concatenate(lines or [np.zeros(0, int)]), dict(zip(wanted, values, strict=True)), overflows


def with_content(
    sheet: Sheet, header: Line, first: int, rows: list[list[str]], places: list[int]
) -> tuple[np.ndarray, Columns]:
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


def check_widths(sheet: Sheet, header: Line, at: np.ndarray, rows: list[list[str]]) -> None:
    """Raise DataError for a row with more cells than the header, or with fewer if blanks divide the cells."""
    width = len(header.cells)
    for number, row in zip(at, rows, strict=True):
        fewer = 0 < len(row) < width and sheet.divider == " "
        if fewer or any(cell.strip() for cell in row[width:]):
            line = sheet.line(int(number))
            cell = line.cells[width] if len(line.cells) > width else None
            hint = "a missing number is nan, and a name with a blank stands in quotes"
            hint = hint if fewer else "a column without a name, such as a row index, needs one"
            raise sheet.fault(line, cell, f"{width} cells, as many as the header has names", f"{len(row)}", hint)


def without_headers(header: Line, at: np.ndarray, columns: Columns) -> tuple[np.ndarray, Columns]:
    """Lines and columns without the rows that repeat the header."""
    names = header.texts
    repeated = np.array([[cell.strip() for cell in row[: len(names)]] == names for row in zip(*columns, strict=True)])
    if not repeated.any():
        return at, columns
    kept = np.flatnonzero(~repeated)
    return at[kept], [tuple(column[i] for i in kept) for column in columns]


def careful_numbers(sheet: Sheet, at: np.ndarray, cells: Sequence[str], place: int, what: str) -> np.ndarray:
    """Numbers of the cells of a column, read one by one. Raises DataError for text, with its place."""
    found = np.empty(len(cells))
    for i, text in enumerate(cells):
        value = number_in(text, sheet.decimal)
        if value is None:
            line = sheet.line(int(at[i]))
            comma = sheet.decimal == "," and number_in(text, ".") is not None
            expected = f"a number of {what}" + " with a decimal comma, as other numbers of this file have" * comma
            raise sheet.fault(line, line.cells[place], expected, f"{text.strip()[:60]!r}")
        found[i] = value
    return found
