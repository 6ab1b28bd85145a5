"""The columns of a table: the quantity and the unit of each, as its header, the settings or a user name them; its rows as
numbers (row,) of each column, nan for missing ones; masks of numbers that are no measurement.

Rows are read in blocks, a whole column of a block at once, and cell by cell only if a cell is no plain number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from otjdd.case.problem import nearest
from otjdd.errors import DataError
from otjdd.measurements.instruments import FileBlock
from otjdd.measurements.names import INDEX, Heading, channel, heading, name_and_unit, scale_to
from otjdd.measurements.sheet import (
    OVERFLOW,
    THOUSANDS,
    Cell,
    Sheet,
    SheetLine,
    holds_numbers,
    number_in,
    plain_numbers,
)
from otjdd.units import quantity

WHOLE = re.compile(r"[+-]?[1-9][0-9]*")
OVER_RESISTOR = re.compile(r"(.+?)\s+/\s+([-+\d.eE]+\s*[a-zA-Zµμ]*(?:ohm|Ohm|Ω|Ω))\s*")


class Column(NamedTuple):
    """A column: its header as written and as read, its place in a line, factor and offset to the unit of the Dataset.

    named : True if a user has chosen it   fault : error for a text that is no unit of its quantity, or None
    """

    header: Cell
    heading: Heading
    place: int
    factor: float
    offset: float
    named: bool = False
    fault: DataError | None = None

    @property
    def quantity(self) -> str:
        """Name of the quantity in a Dataset."""
        return self.heading.quantity

    @property
    def channel(self) -> str:
        """Channel of the instrument in its header, "" for none."""
        return channel(self.header.text)


def known_columns(block: FileBlock, names: Mapping[str, str]) -> list[Column]:
    """The columns of a table whose quantity is known. Raises DataError for a name of a user that no column has.

    names : quantity -> header of its column, or its place, or "HEADER / 1 kohm" for a voltage over a resistor
    """
    chosen = user_columns(block, names)
    columns = []
    for place, cell in enumerate(block.header.cells):
        own = [(name, over) for name, at, over in chosen if at == place]
        columns += [named_column(block, place, name, over) for name, over in own]
        if own or not cell.text:
            continue
        stated = block.quantities.get(cell.text)
        read = heading(cell.text, block.unit(place))
        if stated:
            read = Heading(stated, bool(read and read.magnitude), name_and_unit(cell.text)[1])
        if read and stated != "" and read.quantity not in names:
            columns.append(column(block, place, read))
    return columns


def user_columns(block: FileBlock, names: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """(quantity, place of its column, resistance that divides its voltage or "") as a user chose. Raises DataError.

    A name without the index behind it, "DrainI" of "DrainI(1)", "DrainI(2)", means all of them.
    """
    texts = block.header.texts
    columns: list[tuple[str, int, str]] = []
    for name, text in names.items():
        over = OVER_RESISTOR.fullmatch(text) if text not in texts and name in ("current", "read_current") else None
        base = over[1] if over else text
        places = [i for i, t in enumerate(texts) if t == base] or [i for i, t in enumerate(texts) if stem(t) == base]
        if not places:
            columns_there = f"columns {', '.join(filter(None, texts))}"
            raise block.sheet.fault(block.header, None, f"a column {base!r}", columns_there, nearest(base, texts))
        columns += [(name, place, over[2] if over else "") for place in places]
    return columns


def stem(text: str) -> str:
    """A name without the index behind it, "DrainI" of "DrainI(2)"."""
    index = INDEX.fullmatch(text)
    return index[1] if index else text


def named_column(block: FileBlock, place: int, name: str, over: str) -> Column:
    """The column that a user named for a quantity. over : resistance whose voltage it holds, "" for none"""
    cell = block.header.cells[place]
    read = heading(cell.text, block.unit(place))
    written = read.unit if read else name_and_unit(cell.text)[1]
    if not over:
        own = read._replace(quantity=name) if read else Heading(name, False, written)
        return column(block, place, own)._replace(named=True)
    factor, offset = scale_to(written or block.unit(place), "voltage")
    resistance, _ = quantity(over)
    about = Heading(name, False, f"{written or block.unit(place) or 'V'} over {over}")
    return Column(cell, about, place, factor / resistance, offset / resistance, named=True)


def column(block: FileBlock, place: int, read: Heading) -> Column:
    """The column at a place, with the fault of its unit if it has one."""
    cell = block.header.cells[place]
    written = read.unit or block.unit(place)
    try:
        factor, offset = read.scale(written)
    except ValueError as error:
        fault = block.sheet.fault(block.header, cell, f"a unit of {read.quantity}", f"{written!r}", str(error))
        return Column(cell, read, place, 1.0, 0.0, fault=fault)
    return Column(cell, read._replace(unit=written), place, factor, offset)


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


def table_rows(block: FileBlock, places: Mapping[int, str]) -> TableRows:
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
    over = np.abs(table) >= OVERFLOW
    every = np.concatenate(lines or [np.zeros(0, int)])
    part = np.searchsorted(np.array(repeats), every) if repeats else np.zeros(every.size, dtype=int)
    counts = dict(zip(places, over.sum(axis=1).tolist(), strict=True))
    return TableRows(every, part, dict(zip(places, np.where(over, np.nan, table), strict=True)), counts, faults)


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
        alone = row[0] if len(row) == 1 < width else ""  # of a table whose cells are divided otherwise
        other = holds_numbers(alone) or sum(heading(word) is not None for word in alone.split()[:50]) > 1
        if fewer or other or any(cell.strip() for cell in row[width:]):
            line = sheet.line(int(number))
            cell = line.cells[width] if len(line.cells) > width else None
            hint = "write nan for a missing number, and quotes around a name with a blank"
            hint = hint if fewer else "a column without a name, such as a row index, needs one"
            raise sheet.fault(line, cell, f"{width} cells, as many as the header has names", f"{len(row)}", hint)


def check_thousands(sheet: Sheet, at: np.ndarray, cells: Sequence[str], place: int) -> None:
    """Raise DataError for a number such as 1,500 where nothing tells whether it is 1500 or 1.5.

    It has a comma in quotes, or is among whole numbers.
    """
    texts = [cell.strip() for cell in cells]
    if sheet.divider != "," and not any(WHOLE.fullmatch(text) for text in texts):
        return  # numbers with three decimals, all of them
    first = next((i for i, text in enumerate(texts) if THOUSANDS.fullmatch(text)), None)
    if first is None:
        return
    line, text = sheet.line(int(at[first])), texts[first]
    decimals = f", or {float(text.replace(',', '.')):g}" if text.count(",") == 1 else ""
    expected = f"numbers that can be read in one way: {text.replace(',', '')}{decimals}"
    hint = "no other number of this file distinguishes thousands from decimals; write them without a comma"
    raise sheet.fault(line, line.cells[place], expected, f"{text!r}", hint)


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


def numbers_in_unit(column: Column, rows: TableRows) -> np.ndarray:
    """Numbers (row,) of a column in the unit of the Dataset."""
    return np.asarray(rows.numbers[column.place] * column.factor + column.offset)


def finite_numbers(values: np.ndarray) -> np.ndarray:
    """The numbers among values."""
    return np.asarray(values[np.isfinite(values)])


NEAR = 1e-3  # relative distance below the compliance within which a current counts as limited
FLAGS = {"t", "true", "1", "1.0", "yes", "on", "c", "compl", "compliance", "limit", "overflow"}


class StatusColumn(NamedTuple):
    """A status column: the pattern of its name, a test of a cell that masks the numbers of its row, the reason in words."""

    header: str
    masks: Callable[[str], bool]
    words: str


def of_pmu(text: str) -> bool:
    """True for a status of a 4225-PMU that reports compliance or a threshold (digit 5) or of an overflow (digit 6).

    Source: Keithley, Model 4200A-SCS Reference Manual, PMU measurement status codes.
    """
    digits = text.split(".")[0].zfill(8)
    return len(digits) == 8 and (digits[4] != "0" or digits[5] != "0")


STATUS = (
    StatusColumn(r"PMU\d_\d_S", of_pmu, "in compliance, at a threshold, or over the range"),
    StatusColumn(
        r"source limit|over temp|(?:in )?compliance|compl\.?|overflow|over ?range|limit",
        lambda text: text.lower() in FLAGS,
        "in compliance, or over the range",
    ),
    # of the channel: C in compliance, V over the range, X oscillating; T: another channel in compliance
    StatusColumn(
        r"(?:[iv]|smu\d|ch\d)?[ _.]?status(?:[ _.]?[iv]?\d?)?", lambda text: text.strip().upper() in {"C", "T", "V", "X"},
        "in compliance, over the range, or oscillating",
    ),
)  # fmt: skip


def masked(block: FileBlock, columns: Mapping[str, Column], rows: TableRows) -> tuple[np.ndarray, list[str]]:
    """(True for each row (row,) that the instrument reports as no measurement, the reasons with counts)."""
    mask, words = np.zeros(rows.lines.size, dtype=bool), []
    for place, cell in enumerate(block.header.cells):
        status = next((s for s in STATUS if re.fullmatch(s.header, cell.text, re.IGNORECASE)), None)
        if status is None or not belongs(cell.text, columns):
            continue
        texts = texts_at(block, place)
        flagged = np.array([status.masks(texts.get(int(line), "")) for line in rows.lines], dtype=bool)
        words += [f"{flagged.sum()} rows masked by {cell.text!r}: {status.words}"] * bool(flagged.any())
        mask |= flagged
    if "current" in columns:
        name = re.sub(r"(?:\(\d+\)|\[\d+\])+$", "", columns["current"].header.text).strip()
        if limit := block.limits.get(name):
            at_limit = np.abs(numbers_in_unit(columns["current"], rows)) >= limit * (1 - NEAR)
            words += [f"{at_limit.sum()} rows masked: the current is at its compliance of {limit:g} A"] * bool(
                at_limit.any()
            )
            mask |= at_limit
    return mask, words


def belongs(header: str, columns: Mapping[str, Column]) -> bool:
    """True if a status belongs to the channel of a used column, or to no channel."""
    name = re.sub(r"[ _.]?S$", "", header).lower() if header.startswith("PMU") else ""
    return not name or name in {column.channel for column in columns.values()}


def texts_at(block: FileBlock, place: int) -> dict[int, str]:
    """Line -> text of the cells of a column."""
    return {
        first + i: row[place].strip()
        for first, rows in block.sheet.blocks(block.first, block.last)
        for i, row in enumerate(rows)
        if place < len(row)
    }
