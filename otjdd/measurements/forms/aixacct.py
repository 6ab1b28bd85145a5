"""Tables of aixPlorer, the program of aixACCT TF Analyzers: results first, then a table with settings for each measurement.

A hysteresis table has V+ with I1 and P1 of the first loop, and V- with those of loops after pulses of the other sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from otjdd.measurements.forms import plain
from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.forms.plain import last_row, numeric
from otjdd.measurements.sheet import Sheet, SheetLine

TABLE = re.compile(r"Table (\d+)\s*$")
RESULTS = re.compile(r"\w*Result\s*$")
KEY = re.compile(r"[^\t]{1,80}?: ?")
FIRST_LOOP = r"(V\+|Vplus|I1|P1)(?![\w+])"  # names that come first


def blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
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
    return [block._replace(preferred=FIRST_LOOP) for block in plain.blocks(sheet, names)]


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
                unrepeated(header),
                (),
                number + 1,
                last,
                "\n".join(lines[start : number - 1]),
                preferred=preferred,
            )
    return None


def unrepeated(header: SheetLine) -> SheetLine:
    """A line of names without the empty cell that a tab at its end makes."""
    return header._replace(cells=header.cells[:-1]) if header.cells and not header.cells[-1].text else header


def check_rest(sheet: Sheet, lines: list[str], last: int, end: int) -> None:
    """Raise DataError for tables of something else below the rows of a table."""
    for number in range(last + 1, end):
        line = sheet.line(number + 1)
        if len(line.cells) > 1 and numeric(line, sheet.decimal):
            raise sheet.fault(line, None, "another table of aixPlorer, or the end of the file", f"{lines[number][:60]!r}",
                              "the file holds the export of something else as well: save each by itself")  # fmt: skip
