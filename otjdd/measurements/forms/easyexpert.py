"""Records of EasyEXPERT, which Keysight B1500A and B2900 analysers write: settings, `DataName`, rows of `DataValue`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.numbers import number_in
from otjdd.measurements.sheet import Sheet, SheetLine

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


def blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
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
                                  "the file holds the export of something else as well: save each by itself")  # fmt: skip
        if text.startswith(NAME):
            header = sheet.line(number)
        elif text.strip():
            settings.append(text)
    if header:
        yield settings, header, max(last, header.number)


def block(sheet: Sheet, settings: list[str], header: SheetLine, last: int) -> FileBlock:
    """The table of a record, whose settings name the voltages and the currents of its channels."""
    values = dict(parameters(sheet, settings))
    currents, voltages = values.get("Channel.IName", []), values.get("Channel.VName", [])
    quantities = dict.fromkeys(currents, "current") | dict.fromkeys(voltages, "voltage")
    quantities |= dict.fromkeys(values.get("Channel.Time", []), "time") | {NAME: ""}
    return FileBlock(
        sheet, "", header, (), header.number + 1, last, "\n".join(settings), series="record",
        length=record_length(values, last - header.number), quantities=quantities, limits=limits(values, currents),
    )  # fmt: skip


def parameters(sheet: Sheet, settings: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield (name, values) of the lines of settings."""
    for text in settings:
        cells = [cell for cell in sheet.line(1, text).texts if cell]
        if cells and cells[0] in ("TestParameter", "MetaData", "AnalysisSetup"):
            cells = cells[1:]
        if cells:
            yield cells[0], cells[1:]


def record_length(values: Mapping[str, list[str]], rows: int) -> int:
    """Rows of a sweep where a second variable is stepped, 0 for a single sweep."""
    first, second = (int(number) if (number := next(iter(values.get(name, [])), "")).isdigit() else 1
                     for name in ("Dimension1", "Dimension2"))  # fmt: skip
    return first if second > 1 and first * second == rows else 0


def limits(values: Mapping[str, list[str]], currents: list[str]) -> dict[str, float]:
    """Compliance [A] of the current of the channel that sweeps a voltage."""
    text = next(iter(values.get("Measurement.Primary.Compliance", [])), "")
    limit, functions = number_in(text, "."), values.get("Channel.Func", [])
    if not limit or not limit > 0 or "VAR1" not in functions:
        return {}
    place, modes = functions.index("VAR1"), values.get("Channel.Mode", [])
    voltage = place < len(modes) and modes[place] == "V"
    return {currents[place]: limit} if voltage and place < len(currents) else {}
