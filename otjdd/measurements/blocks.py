"""The tables of any text: a header above rows of numbers, settings above and below, units in the header or beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from otjdd.measurements.names import heading, is_unit
from otjdd.measurements.sheet import DIVIDERS, Sheet, SheetLine, divided, number_in, reads_as_number


class FileBlock(NamedTuple):
    """A table in a file.

    title : by which --sheet chooses it   header : the line of names   units : of each column, "" for none there
    first, last : lines of the rows   settings : text that describes the measurement
    series : tables of the same series and the same names are records of one measurement; "" for a table by itself
    length : rows of a record, 0 for all   quantities : name -> quantity, where the settings say so; "" for none
    preferred : pattern of the names that come first where a quantity has several columns
    limits : name of a current -> the compliance [A] of its channel
    understood : False if no name is understood   numbered : True if the names are the places of the columns
    """

    sheet: Sheet
    title: str
    header: SheetLine
    units: tuple[str, ...]
    first: int
    last: int
    settings: str = ""
    series: str = ""
    length: int = 0
    quantities: Mapping[str, str] = {}
    preferred: str = ""
    limits: Mapping[str, float] = {}
    understood: bool = True
    numbered: bool = False

    def unit(self, place: int) -> str:
        """Unit of a column that does not stand in its name, "" for none."""
        return self.units[place] if place < len(self.units) else ""


class Form(NamedTuple):
    """A form: the instrument and the program that writes it, signs of it in the first lines, and its tables.

    signs : patterns, each of a line   blocks : from a sheet and the names that a user gives to columns
    """

    name: str
    signs: tuple[str, ...]
    blocks: Callable[[Sheet, Mapping[str, str]], list[FileBlock]]

    def recognise(self, head: str) -> float:
        """Share, 0 to 1, of the signs of this form that the first lines of a file contain. head : these lines"""
        return sum(bool(re.search(sign, head, re.MULTILINE)) for sign in self.signs) / len(self.signs)


GAP = re.compile(r"\n(?:[ \t,;]*\n)+")
STAY = 3  # rows of numbers that make a table
UNIT_CELL = ("unit", "units", "einheit")  # name of a column of units, each beside its number


def blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The tables of a sheet, in order: those with a recognised name, else the first table without.

    names : quantity -> header of its column, as a user gives it
    """
    every = [block for first, last in text_parts(sheet) for block in part_blocks(sheet, first, last, names)]
    understood = [block for block in every if block.understood]
    chosen = understood or every[:1]
    if len(chosen) > 1:
        chosen = [block._replace(title=f"Table {i}", series="table") for i, block in enumerate(chosen, start=1)]
    return [block._replace(settings=settings_above(block, chosen[:i])) for i, block in enumerate(chosen)]


def settings_above(block: FileBlock, before: Sequence[FileBlock]) -> str:
    """Text above the header of a block, comments included, and below the blocks before."""
    lines = (block.sheet.original or block.sheet.text).split("\n")
    return "\n".join(lines[before[-1].last if before else 0 : max(block.header.number, block.first) - 1])


def text_parts(sheet: Sheet) -> Iterator[tuple[int, int]]:
    """Yield (first, last) lines of the parts of a text: a part begins where words follow an empty line."""
    first, at, number = 1, 0, 1
    for gap in GAP.finditer(sheet.text):
        number += sheet.text.count("\n", at, gap.end())
        at = gap.end()
        line = sheet.line(number)
        if line.cells and not goes_on(line, sheet.decimal):
            yield first, number - 1
            first = number
    yield first, number + sheet.text.count("\n", at)


def goes_on(line: SheetLine, decimal: str) -> bool:
    """True for a line that may go on with a table below an empty line: a row, or the units of a header."""
    first = next((text for text in line.texts if text), "")
    return (
        numeric(line, decimal) or reads_as_number(first, decimal) or all(is_unit(text) for text in line.texts if text)
    )


def numeric(line: SheetLine, decimal: str) -> bool:
    """True if at least half of the filled cells of a line are numbers: two or more, or the only filled cell."""
    texts = [text for text in line.texts if text]
    count = sum(number_in(text, decimal) is not None for text in texts)
    return bool(texts) and 2 * count >= len(texts) and (count > 1 or len(texts) == 1)


def part_blocks(sheet: Sheet, first: int, last: int, names: Mapping[str, str]) -> Iterator[FileBlock]:
    """Yield the table of a part of a text, if it has one."""
    lines = sheet.head(first, last)
    if not lines:
        return
    for find in (understood_header, unknown_header):
        if header := find(sheet, lines, names):
            yield with_units(sheet, lines, header, last, understood=find is understood_header)
            return
    if first == 1 and stays(sheet, lines):
        count = max(len(line.cells) for line in lines[:STAY])
        place = lines[0]._replace(
            cells=[cell._replace(text=str(i + 1)) for i, cell in enumerate(lines[0].cells)][:count]
        )
        yield FileBlock(sheet, "", place, (), lines[0].number, last, understood=False, numbered=True)


def understood_header(sheet: Sheet, lines: list[SheetLine], names: Mapping[str, str]) -> SheetLine | None:
    """The first line with the most names that have numbers below them, else the first with two names or with units."""
    best, most, fallback = None, 0, None
    for at, line in enumerate(lines):
        if best and stays(sheet, lines[at:]):
            break
        line = fitting(sheet, line, lines[at + 1 : at + 4])
        units = units_below(sheet, lines, at)
        below = lines[at + 1 + bool(units) : at + 2 + bool(units)]
        places = [
            place
            for place, cell in enumerate(line.cells)
            if cell.text in names.values() or heading(cell.text, text_at(units, place) if units else "")
        ]
        worded = not any(reads_as_number(text, sheet.decimal) for text in line.texts if text)
        if not places or not (worded or units or set(names.values()) & set(line.texts)):
            continue
        if below and all(number_in(text_at(below[0], place), sheet.decimal) is not None for place in places):
            rest = lines[at + 1 + bool(units) :][:STAY]
            rows = rest[: next((i for i, row in enumerate(rest) if row.texts == line.texts), len(rest))]
            if len(places) > most and all(
                number_in(text_at(row, p), sheet.decimal) is not None for row in rows for p in places
            ):
                best, most = line, len(places)
        if fallback is None and (len(places) > 1 or units) and worded:
            fallback = line
    return best or fallback


def unknown_header(sheet: Sheet, lines: list[SheetLine], names: Mapping[str, str]) -> SheetLine | None:
    """The line of words above the first STAY rows of numbers, where no name is recognised."""
    for at, line in enumerate(lines[:-1]):
        line = fitting(sheet, line, lines[at + 1 : at + 4])
        texts = [text for text in line.texts if text]
        units = units_below(sheet, lines, at)
        words = not any(reads_as_number(text, sheet.decimal) for text in texts)
        if (words or units) and len(texts) > 1 and stays(sheet, lines[at + 1 + bool(units) :], len(line.cells)):
            return line
    return None


def fitting(sheet: Sheet, line: SheetLine, below: list[SheetLine]) -> SheetLine:
    """A line divided as the rows below it are, where blanks or other marks divide its names."""
    widths = {len(row.cells) for row in below if numeric(row, sheet.decimal)}
    if len(line.cells) in widths or not line.text or len(widths) != 1:
        return line
    for divider in DIVIDERS:
        cells = list(divided(line.text, divider, True))
        if len(cells) in widths and not (divider == " " and sheet.divider == " "):
            return line._replace(cells=cells)
    return line


def stays(sheet: Sheet, lines: list[SheetLine], width: int = 0) -> bool:
    """True if the first lines are rows of numbers of one width. width : of the header, 0 for any"""
    rows = lines[:STAY]
    if not rows or not all(numeric(row, sheet.decimal) for row in rows):
        return False
    widths = {len(row.cells) for row in rows}
    return not width or max(widths) <= width


def with_units(sheet: Sheet, lines: list[SheetLine], header: SheetLine, last: int, *, understood: bool) -> FileBlock:
    """The table below a header, whose units stand in a line below it or in the cell beside each number."""
    at = next(i for i, line in enumerate(lines) if line.number == header.number)
    units = units_below(sheet, lines, at)
    texts = tuple(text_at(units, i).strip("()[]") for i in range(len(header.cells))) if units else ()
    rows = lines[at + 1 + bool(units) :]
    first = rows[0].number if rows else last + 1
    if not texts and rows and any(text.lower() in UNIT_CELL for text in header.texts):
        beside = [text.lower() in UNIT_CELL for text in header.texts] + [False]
        texts = tuple(text_at(rows[0], i + 1) if beside[i + 1] else "" for i in range(len(header.cells)))
    return FileBlock(sheet, "", header, texts, first, last, understood=understood)


def units_below(sheet: Sheet, lines: list[SheetLine], at: int) -> SheetLine | None:
    """The line of units below a line, in brackets or bare, without numbers; None if there is none."""
    if at + 1 >= len(lines):
        return None
    texts = [text.strip("()[]") for text in lines[at + 1].texts if text.strip("()[]")]
    good = bool(texts) and all(is_unit(text) and not reads_as_number(text, sheet.decimal) for text in texts)
    return lines[at + 1] if good else None


def last_row(sheet: Sheet, lines: list[str], first: int, end: int) -> int:
    """Number of the last line of numbers from line `first` on, before words or the line after `end`."""
    last = first
    for number in range(first, end + 1):
        if lines[number - 1].strip():
            line = sheet.line(number, lines[number - 1])
            if not reads_as_number(next((text for text in line.texts if text), ""), sheet.decimal):
                break
            last = number
    return last


def text_at(line: SheetLine | None, place: int) -> str:
    """Text of a cell, "" beyond the end of a line."""
    return line.cells[place].text if line and place < len(line.cells) else ""
