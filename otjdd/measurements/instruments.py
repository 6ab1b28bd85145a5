"""The known forms of files, one a row of `FORMS`, and the tables of those that are no plain ones.

aixPlorer of aixACCT TF Analyzers writes results first, then a table with settings for each measurement. A hysteresis table
has V+ with I1 and P1 of the first loop, and V- with those of loops after pulses of the other sign. EasyEXPERT of Keysight
B1500A and B2900 writes records: settings, `DataName`, rows of `DataValue`. A LabVIEW Measurement File has segments: a
header of the file, then for each segment a header, names and rows (National Instruments, Specification for the LabVIEW
Measurement File (.lvm)). A file has the form with the largest share of its signs in the first lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from otjdd.measurements import blocks
from otjdd.measurements.blocks import FileBlock, Form, last_row, numeric
from otjdd.measurements.names import heading, quantity_of_unit
from otjdd.measurements.sheet import HEAD, Sheet, SheetLine, number_in

TABLE = re.compile(r"Table (\d+)\s*$")
RESULTS = re.compile(r"\w*Result\s*$")
KEY = re.compile(r"[^\t]{1,80}?: ?")
FIRST_LOOP = r"(V\+|Vplus|I1|P1)(?![\w+])"  # names that come first


def aixacct_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The tables of measurements, in order, then those of results. Raises DataError for lines of something else."""
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
        if block := table(sheet, lines, title, (start, last)):
            (results if in_results else measured).append(block)
    return measured + results


def copied(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The tables of a text that has the names of a hysteresis table, as scripts copy them."""
    return [block._replace(preferred=FIRST_LOOP) for block in blocks.blocks(sheet, names)]


def table(sheet: Sheet, lines: list[str], title: str, ends: tuple[int, int]) -> FileBlock | None:
    """The table between two lines: settings, names, rows up to an empty line. Raises DataError."""
    start, end = ends
    for number in range(start + 1, end):
        header, row = sheet.line(number), sheet.line(number + 1)
        if len(header.cells) > 1 and not numeric(header, sheet.decimal) and numeric(row, sheet.decimal):
            last = last_row(sheet, lines, number + 1, end)
            check_rest(sheet, lines, last, end)
            preferred = FIRST_LOOP if title != "results" else ""
            return FileBlock(
                sheet,
                title,
                header if header.cells[-1].text else header._replace(cells=header.cells[:-1]),  # a tab ends the line
                (),
                number + 1,
                last,
                "\n".join(lines[start : number - 1]),
                preferred=preferred,
            )
    return None


def check_rest(sheet: Sheet, lines: list[str], last: int, end: int) -> None:
    """Raise DataError for tables of something else below the rows of a table."""
    for number in range(last + 1, end):
        line = sheet.line(number + 1)
        if len(line.cells) > 1 and numeric(line, sheet.decimal):
            raise sheet.fault(line, None, "another table of aixPlorer, or the end of the file", f"{lines[number][:60]!r}",
                              "the file holds another export as well: save each in its own file")  # fmt: skip


WORDS = (
    "SetupTitle",
    "PrimitiveTest",
    "TestParameter",
    "MetaData",
    "AnalysisSetup",
    "Dimension",
    "DataName",
    "DataValue",
)
VALUE, NAME = "DataValue", "DataName"


def easyexpert_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The records of a file, in order; those with the same names are one series. Raises DataError for foreign lines."""
    tables = [record for settings, header, last in records(sheet) for record in [block(sheet, settings, header, last)]]
    return (
        [record._replace(title=f"record {i}") for i, record in enumerate(tables, start=1)]
        if len(tables) > 1
        else tables
    )


def records(sheet: Sheet) -> Iterator[tuple[list[str], SheetLine, int]]:
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
            if not text.startswith(WORDS):
                line = sheet.line(number)
                raise sheet.fault(line, None, "another record of EasyEXPERT, or the end of the file", f"{text[:60]!r}",
                                  "the file holds another export as well: save each in its own file")  # fmt: skip
        if text.startswith(NAME):
            header = sheet.line(number)
        elif text.strip():
            settings.append(text)
    if header:
        yield settings, header, max(last, header.number)


def block(sheet: Sheet, settings: list[str], header: SheetLine, last: int) -> FileBlock:
    """The table of a record, whose settings name the voltages and the currents of its channels."""
    values = dict(setting_values(sheet, settings))
    currents, voltages = values.get("Channel.IName", []), values.get("Channel.VName", [])
    quantities = dict.fromkeys(currents, "current") | dict.fromkeys(voltages, "voltage")
    quantities |= dict.fromkeys(values.get("Channel.Time", []), "time") | {NAME: ""}
    first, second = (int(number) if (number := next(iter(values.get(name, [])), "")).isdigit() else 1
                     for name in ("Dimension1", "Dimension2"))  # fmt: skip
    return FileBlock(
        sheet, "", header, (), header.number + 1, last, "\n".join(settings), series="record",
        length=first if second > 1 and first * second == last - header.number else 0, quantities=quantities,
        limits=limits(values, currents),
    )  # fmt: skip


def setting_values(sheet: Sheet, settings: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield (name, values) of the lines of settings."""
    for text in settings:
        cells = [cell for cell in sheet.line(1, text).texts if cell]
        if cells and cells[0] in ("TestParameter", "MetaData", "AnalysisSetup"):
            cells = cells[1:]
        if cells:
            yield cells[0], cells[1:]


def limits(values: Mapping[str, list[str]], currents: list[str]) -> dict[str, float]:
    """Compliance [A] of the current of the channel that sweeps a voltage."""
    text = next(iter(values.get("Measurement.Primary.Compliance", [])), "")
    limit, functions = number_in(text, "."), values.get("Channel.Func", [])
    if not limit or not limit > 0 or "VAR1" not in functions:
        return {}
    place, modes = functions.index("VAR1"), values.get("Channel.Mode", [])
    voltage = place < len(modes) and modes[place] == "V"
    return {currents[place]: limit} if voltage and place < len(currents) else {}


END = "***End_of_Header***"
DIVIDERS = {"Tab": "\t", "Comma": ","}
AXES = {"Time": "time", "Voltage": "voltage", "Frequency": "frequency"}


def labview_blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
    """The segments of a file, in order. They are one series."""
    lines = sheet.text.split("\n")
    ends = [number for number, text in enumerate(lines, start=1) if text.startswith(END)]
    stated = dict(text.split(None, 1) for text in lines[: ends[0]] if len(text.split(None, 1)) == 2) if ends else {}
    sheet = sheet._replace(
        divider=DIVIDERS.get(stated.get("Separator", "").strip(), sheet.divider),
        decimal=stated.get("Decimal_Separator", sheet.decimal).strip()[:1] or sheet.decimal,
    )
    segments = [segment(sheet, lines, before, end) for before, end in pairwise(ends)]
    return (
        [block._replace(title=f"segment {i}") for i, block in enumerate(segments, start=1)]
        if len(segments) > 1
        else segments
    )


def segment(sheet: Sheet, lines: list[str], before: int, end: int) -> FileBlock:
    """The table of the segment whose header ends at line `end`. before : end of the header before"""
    begin = next((n for n in range(end, before, -1) if not lines[n - 2].strip()), before)
    about = {line.texts[0]: line.texts[1:] for n in range(begin, end) for line in [sheet.line(n)] if line.texts}
    header = sheet.line(end + 1)
    if header.cells and header.texts[-1] == "Comment":
        header = header._replace(cells=header.cells[:-1] if len(header.cells) > 2 else header.cells)
    axis = AXES.get(next(iter(about.get("X_Dimension", [])), "Time"), "")
    labels = iter(about.get("Y_Unit_Label", []))
    units = tuple("" if text == "X_Value" else next(labels, "") for text in header.texts)
    quantities = {text: axis for text in header.texts if text == "X_Value"}
    for text, unit in zip(header.texts, units, strict=True):
        if text not in quantities and not heading(text, unit) and (quantity := quantity_of_unit(unit)):
            quantities[text] = quantity
    settings = "\n".join(lines[begin - 1 : end])
    return FileBlock(
        sheet,
        "",
        header,
        units,
        end + 2,
        last_row(sheet, lines, end + 2, len(lines)),
        settings,
        series="segment",
        quantities=quantities,
    )


FORMS = (
    Form(
        "Keysight EasyEXPERT (B1500A, B2900)", (r"^(SetupTitle|PrimitiveTest|TestParameter)\b", r"^DataName\b"),
        easyexpert_blocks,
    ),
    Form(
        "aixACCT aixPlorer (TF Analyzer)", (r"^Table \d+\s*$", r"^(Program: aixPlorer|TfaModule:|BasicUnit:)"),
        aixacct_blocks,
    ),
    Form("hysteresis of aixPlorer", (r"^.*\bV(plus|\+).*\bV(minus|-).*\bI1\b.*\bP1\b",), copied),
    Form("LabVIEW Measurement File", (r"\A\s*LabVIEW Measurement", r"^\*\*\*End_of_Header"), labview_blocks),
    Form("Radiant Vision", (r"^(Hysteresis Version|Task Name|Sample Area)\b", r"^Point\tTime"), blocks.blocks),
    Form("buffer of a Keithley SMU or DMM", (r"^(Buffer Name|Buffer Count|Capacity)\b", r"\bReading\b"), blocks.blocks),
    Form("Keithley 2450 TSP script", (r"Keithley 24\d\d TSP", r"^#.*Timestamp"), blocks.blocks),
    Form("Keithley ACS", (r"\bSmu\d\.\w+\[\d+\]\[\d+\]",), blocks.blocks),
    Form("Agilent 4155 or 4156, spreadsheet", (r'^"NO\.",', r'^"","'), blocks.blocks),
    Form("Keysight InfiniiVision", (r"^x-axis,", r"^second,"), blocks.blocks),
    Form("Keithley 4225-PMU", (r"\bPMU\d_\d_[VI]\b",), blocks.blocks),
)  # fmt: skip
PLAIN = Form("table", (), blocks.blocks)


def instrument_form(sheet: Sheet) -> Form:
    """The form of a sheet: that with the largest share of its signs in the first lines; PLAIN if no share exceeds 0.5."""
    head = "\n".join((sheet.original or sheet.text).split("\n", HEAD)[:HEAD])
    best = max(FORMS, key=lambda form: form.recognise(head))
    return best if best.recognise(head) > 0.5 else PLAIN
