"""The tables in files: of any text, and of the known forms of instruments, one a row of `FORMS`.

Any text may have tables: a header above rows of numbers, settings above and below, units in the header or next to it.

aixPlorer of aixACCT TF Analyzers writes results first, then a table with settings for each measurement. A hysteresis table
has V+ with I1 and P1 of the first loop, and V- with I and P of loops after pulses of the other sign. EasyEXPERT of Keysight
B1500A and B2900 writes records: settings, `DataName`, rows of `DataValue`. A LabVIEW Measurement File has segments: a
header of the file, then for each segment a header, names and rows (National Instruments, Specification for the LabVIEW
Measurement File (.lvm)). A file has the form with the largest share of its signs in the first lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from otjdd.errors import DataError
from otjdd.measurements.names import heading, is_unit, quantity_of_unit
from otjdd.measurements.sheet import DIVIDERS, HEAD, Sheet, SheetLine, divided, number_in, reads_as_number


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
UNIT_CELL = ("unit", "units", "einheit")  # name of a column of units, each next to its number


def file_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The tables of a sheet, in order: those with a recognised name, else the first table without.

    names : quantity -> header of its column, as a user gives it
    """
    every = [block for first, last in text_parts(sheet) for block in part_blocks(sheet, first, last, names)]
    understood = [block for block in every if block.understood]
    chosen = understood or every[:1]
    if len(chosen) > 1:
        chosen = [block._replace(series="table") for block in numbered(chosen, "Table")]
    lines, blocks, end = (sheet.original or sheet.text).split("\n"), [], 0
    for block in chosen:  # its settings, comments included, are above its header and below the blocks before
        above = "\n".join(lines[end : max(block.header.number, block.first) - 1])
        blocks.append(block._replace(settings=above))
        end = block.last
    return blocks


def numbered(blocks: list[FileBlock], word: str) -> list[FileBlock]:
    """Blocks with a word and their numbers as titles, where there are several."""
    if len(blocks) < 2:
        return blocks
    return [block._replace(title=f"{word} {i}") for i, block in enumerate(blocks, start=1)]


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
    texts = [text for text in line.texts if text]
    return (
        numeric(line, decimal) or any(reads_as_number(text, decimal) for text in texts[:1]) or all(map(is_unit, texts))
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
            yield block_below(sheet, lines, header, last, understood=find is understood_header)
            return
    if first == 1 and rows_of_one_width(sheet, lines):
        count = max(len(line.cells) for line in lines[:STAY])
        place = lines[0]._replace(
            cells=[cell._replace(text=str(i + 1)) for i, cell in enumerate(lines[0].cells)][:count]
        )
        yield FileBlock(sheet, "", place, (), lines[0].number, last, understood=False, numbered=True)


def understood_header(sheet: Sheet, lines: list[SheetLine], names: Mapping[str, str]) -> SheetLine | None:
    """The first line with the most names that have numbers below them, else the first with two names or with units."""
    best, most, fallback = None, 0, None
    for at, line in enumerate(lines):
        if best and rows_of_one_width(sheet, lines[at:]):
            break
        line = line_as_rows(sheet, line, lines[at + 1 : at + 4])
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
            numbers = [number_in(text_at(row, place), sheet.decimal) for row in rows for place in places]
            if len(places) > most and None not in numbers:
                best, most = line, len(places)
        if fallback is None and (len(places) > 1 or units) and worded:
            fallback = line
    return best or fallback


def unknown_header(sheet: Sheet, lines: list[SheetLine], names: Mapping[str, str]) -> SheetLine | None:
    """The line of words above the first STAY rows of numbers, where no name is recognised."""
    for at, line in enumerate(lines[:-1]):
        line = line_as_rows(sheet, line, lines[at + 1 : at + 4])
        texts = [text for text in line.texts if text]
        units = units_below(sheet, lines, at)
        words = not any(reads_as_number(text, sheet.decimal) for text in texts)
        rows = lines[at + 1 + bool(units) :]
        if (words or units) and len(texts) > 1 and rows_of_one_width(sheet, rows, len(line.cells)):
            return line
    return None


def line_as_rows(sheet: Sheet, line: SheetLine, below: list[SheetLine]) -> SheetLine:
    """A line divided as the rows below it are, where blanks or other marks divide its names."""
    widths = {len(row.cells) for row in below if numeric(row, sheet.decimal)}
    if len(line.cells) in widths or not line.text or len(widths) != 1:
        return line
    for divider in DIVIDERS:
        cells = list(divided(line.text, divider, True))
        if len(cells) in widths and not (divider == " " and sheet.divider == " "):
            return line._replace(cells=cells)
    return line


def rows_of_one_width(sheet: Sheet, lines: list[SheetLine], width: int = 0) -> bool:
    """True if the first lines are rows of numbers of one width. width : of the header, 0 for any"""
    rows = lines[:STAY]
    if not rows or not all(numeric(row, sheet.decimal) for row in rows):
        return False
    widths = {len(row.cells) for row in rows}
    return not width or max(widths) <= width


def block_below(sheet: Sheet, lines: list[SheetLine], header: SheetLine, last: int, *, understood: bool) -> FileBlock:
    """The table below a header, whose units stand in a line below it or in the cell next to each number."""
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


TABLE = re.compile(r"Table (\d+)\s*$")
RESULTS = re.compile(r"\w*Result\s*$")
KEY = re.compile(r"[^\t]{1,80}?: ?")
FIRST_LOOP = r"(V\+|Vplus|I1|P1)(?![\w+])"  # names that come first


def aixacct_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The tables of measurements, in order, then the tables of results. Raises DataError for lines of something else."""
    measured: list[FileBlock] = []
    results: list[FileBlock] = []
    in_results = False
    lines = sheet.text.split("\n")
    heads = [(number, TABLE.match(text)) for number, text in enumerate(lines, start=1)]
    starts = [(number, match[1]) for number, match in heads if match]
    for at, (start, name) in enumerate(starts):
        above = [text for text in lines[(starts[at - 1][0] if at else 0) : start] if text.strip()]
        in_results = any(map(RESULTS.match, above)) or (in_results and not any(t.startswith("Program:") for t in above))
        last = starts[at + 1][0] - 1 if at + 1 < len(starts) else len(lines)
        title = "results" if in_results else f"Table {name}"
        if block := table_between(sheet, lines, title, (start, last)):
            (results if in_results else measured).append(block)
    return measured + results


def copied_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The tables of a text that has the names of a hysteresis table, as scripts copy them."""
    return [block._replace(preferred=FIRST_LOOP) for block in file_blocks(sheet, names)]


def table_between(sheet: Sheet, lines: list[str], title: str, ends: tuple[int, int]) -> FileBlock | None:
    """The table between two lines: settings, names, rows up to an empty line. Raises DataError."""
    start, end = ends
    for number in range(start + 1, end):
        header, row = sheet.line(number), sheet.line(number + 1)
        if len(header.cells) > 1 and not numeric(header, sheet.decimal) and numeric(row, sheet.decimal):
            last = last_row(sheet, lines, number + 1, end)
            for line in map(sheet.line, range(last + 2, end + 1)):
                if len(line.cells) > 1 and numeric(line, sheet.decimal):
                    raise foreign_line(sheet, line, "table of aixPlorer", lines[line.number - 1])
            if not header.cells[-1].text:  # a tab ends the line
                header = header._replace(cells=header.cells[:-1])
            settings, preferred = "\n".join(lines[start : number - 1]), FIRST_LOOP if title != "results" else ""
            return FileBlock(sheet, title, header, (), number + 1, last, settings, preferred=preferred)
    return None


def foreign_line(sheet: Sheet, line: SheetLine, what: str, text: str) -> DataError:
    """An error about a line of something else in a file. what : another of which may follow   text : of the line"""
    hint = "the file holds another export as well: save each in its own file"
    return sheet.fault(line, None, f"another {what}, or the end of the file", f"{text[:60]!r}", hint)


VALUE, NAME = "DataValue", "DataName"
EASYEXPERT_WORDS = "SetupTitle", "PrimitiveTest", "TestParameter", "MetaData", "AnalysisSetup", "Dimension", NAME, VALUE


def easyexpert_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The records of a file, in order; those with the same names are one series. Raises DataError for foreign lines."""
    return numbered([record_block(sheet, *record) for record in easyexpert_records(sheet)], "record")


def easyexpert_records(sheet: Sheet) -> Iterator[tuple[list[str], SheetLine, int]]:
    """Yield (lines of settings, line of names, number of the last row) of each record. Raises DataError."""
    settings: list[str] = []
    header, last = None, 0
    for number, text in enumerate(sheet.text.split("\n"), start=1):
        if text.startswith(VALUE):
            last = number
            continue
        if header and last > header.number and text.strip():
            yield settings, header, last
            settings, header = [], None
            if not text.startswith(EASYEXPERT_WORDS):
                raise foreign_line(sheet, sheet.line(number), "record of EasyEXPERT", text)
        if text.startswith(NAME):
            header = sheet.line(number)
        elif text.strip():
            settings.append(text)
    if header:
        yield settings, header, max(last, header.number)


def record_block(sheet: Sheet, settings: list[str], header: SheetLine, last: int) -> FileBlock:
    """The table of a record, whose settings name the voltages and the currents of its channels."""
    values: dict[str, list[str]] = {}
    for text in settings:
        cells = [cell for cell in sheet.line(1, text).texts if cell]
        if cells and cells[0] in ("TestParameter", "MetaData", "AnalysisSetup"):
            cells = cells[1:]
        if cells:
            values[cells[0]] = cells[1:]
    currents, voltages = values.get("Channel.IName", []), values.get("Channel.VName", [])
    quantities = dict.fromkeys(currents, "current") | dict.fromkeys(voltages, "voltage")
    quantities |= dict.fromkeys(values.get("Channel.Time", []), "time") | {NAME: ""}
    first, second = (int(number) if (number := next(iter(values.get(name, [])), "")).isdigit() else 1
                     for name in ("Dimension1", "Dimension2"))  # fmt: skip
    return FileBlock(
        sheet, "", header, (), header.number + 1, last, "\n".join(settings), series="record",
        length=first if second > 1 and first * second == last - header.number else 0, quantities=quantities,
        limits=compliances(values, currents),
    )  # fmt: skip


def compliances(values: Mapping[str, list[str]], currents: list[str]) -> dict[str, float]:
    """Compliance [A] of the current of the channel that sweeps a voltage."""
    text = next(iter(values.get("Measurement.Primary.Compliance", [])), "")
    limit, functions = number_in(text, "."), values.get("Channel.Func", [])
    if not limit or not limit > 0 or "VAR1" not in functions:
        return {}
    place, modes = functions.index("VAR1"), values.get("Channel.Mode", [])
    voltage = place < len(modes) and modes[place] == "V"
    return {currents[place]: limit} if voltage and place < len(currents) else {}


END_OF_HEADER = "***End_of_Header***"
LABVIEW_DIVIDERS = {"Tab": "\t", "Comma": ","}
LABVIEW_AXES = {"Time": "time", "Voltage": "voltage", "Frequency": "frequency"}


def labview_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The segments of a file, in order. They are one series."""
    lines = sheet.text.split("\n")
    ends = [number for number, text in enumerate(lines, start=1) if text.startswith(END_OF_HEADER)]
    stated = dict(text.split(None, 1) for text in lines[: ends[0]] if len(text.split(None, 1)) == 2) if ends else {}
    sheet = sheet._replace(
        divider=LABVIEW_DIVIDERS.get(stated.get("Separator", "").strip(), sheet.divider),
        decimal=stated.get("Decimal_Separator", sheet.decimal).strip()[:1] or sheet.decimal,
    )
    return numbered([segment_block(sheet, lines, before, end) for before, end in pairwise(ends)], "segment")


def segment_block(sheet: Sheet, lines: list[str], before: int, end: int) -> FileBlock:
    """The table of the segment whose header ends at line `end`. before : end of the header before"""
    begin = next((n for n in range(end, before, -1) if not lines[n - 2].strip()), before)
    about = {line.texts[0]: line.texts[1:] for n in range(begin, end) for line in [sheet.line(n)] if line.texts}
    header = sheet.line(end + 1)
    if header.cells and header.texts[-1] == "Comment":
        header = header._replace(cells=header.cells[:-1] if len(header.cells) > 2 else header.cells)
    axis = LABVIEW_AXES.get(next(iter(about.get("X_Dimension", [])), "Time"), "")
    labels = iter(about.get("Y_Unit_Label", []))
    units = tuple("" if text == "X_Value" else next(labels, "") for text in header.texts)
    quantities = {text: axis for text in header.texts if text == "X_Value"}
    for text, unit in zip(header.texts, units, strict=True):
        if text not in quantities and not heading(text, unit) and (quantity := quantity_of_unit(unit)):
            quantities[text] = quantity
    last, settings = last_row(sheet, lines, end + 2, len(lines)), "\n".join(lines[begin - 1 : end])
    return FileBlock(sheet, "", header, units, end + 2, last, settings, series="segment", quantities=quantities)


FORMS = (
    Form(
        "Keysight EasyEXPERT (B1500A, B2900)", (r"^(SetupTitle|PrimitiveTest|TestParameter)\b", r"^DataName\b"),
        easyexpert_blocks,
    ),
    Form(
        "aixACCT aixPlorer (TF Analyzer)", (r"^Table \d+\s*$", r"^(Program: aixPlorer|TfaModule:|BasicUnit:)"),
        aixacct_blocks,
    ),
    Form("hysteresis of aixPlorer", (r"^.*\bV(plus|\+).*\bV(minus|-).*\bI1\b.*\bP1\b",), copied_blocks),
    Form("LabVIEW Measurement File", (r"\A\s*LabVIEW Measurement", r"^\*\*\*End_of_Header"), labview_blocks),
    Form("Radiant Vision", (r"^(Hysteresis Version|Task Name|Sample Area)\b", r"^Point\tTime"), file_blocks),
    Form("buffer of a Keithley SMU or DMM", (r"^(Buffer Name|Buffer Count|Capacity)\b", r"\bReading\b"), file_blocks),
    Form("Keithley 2450 TSP script", (r"Keithley 24\d\d TSP", r"^#.*Timestamp"), file_blocks),
    Form("Keithley ACS", (r"\bSmu\d\.\w+\[\d+\]\[\d+\]",), file_blocks),
    Form("Agilent 4155 or 4156, spreadsheet", (r'^"NO\.",', r'^"","'), file_blocks),
    Form("Keysight InfiniiVision", (r"^x-axis,", r"^second,"), file_blocks),
    Form("Keithley 4225-PMU", (r"\bPMU\d_\d_[VI]\b",), file_blocks),
)  # fmt: skip
PLAIN = Form("table", (), file_blocks)


def instrument_form(sheet: Sheet) -> Form:
    """The form of a sheet: that with the largest share of its signs in the first lines; PLAIN if no share exceeds 0.5."""
    head = "\n".join((sheet.original or sheet.text).split("\n", HEAD)[:HEAD])
    best = max(FORMS, key=lambda form: form.recognise(head))
    return best if best.recognise(head) > 0.5 else PLAIN
