"""Segments of a LabVIEW Measurement File: a header of the file, then for each segment a header, names, and rows.

Source: National Instruments, Specification for the LabVIEW Measurement File (.lvm).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.forms.plain import last_row
from otjdd.measurements.names import heading, quantity_of_unit
from otjdd.measurements.sheet import Sheet

END = "***End_of_Header***"
DIVIDERS = {"Tab": "\t", "Comma": ","}
AXES = {"Time": "time", "Voltage": "voltage", "Frequency": "frequency"}


def blocks(sheet: Sheet, names: Mapping[str, str]) -> list[FileBlock]:
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
