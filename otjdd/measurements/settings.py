"""Conditions of a measurement in the settings beside its table: the temperature, and the compliance of a current."""

from __future__ import annotations

import re

from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.names import scale_to
from otjdd.measurements.numbers import number_in
from otjdd.measurements.sheet import Sheet

# "Temperature [K]: 300", "Chuck Temp = 25 C", "T = 350 K", "temperature<tab>300 K"
NUMBER = r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?"
KELVIN = r"(?:K|kelvin|°C|deg ?C|Celsius|C)"
TEMPERATURE = re.compile(
    r"(?:^|[\s#%!,;\"])(?:(?:[A-Za-z]+[ _.]){0,3}(?:temperature|temperatur|temp\.?)|T)"
    rf"\s*(?:[\[(/]\s*(?P<before>{KELVIN})\s*[\])]?)?\"?"
    rf"\s*[:=,;\t ]\s*\"?(?P<number>{NUMBER})\s*(?P<unit>{KELVIN})?(?![\w])",
    re.MULTILINE | re.IGNORECASE,
)
NO_CONDITION = re.compile(r"over temp|coeff|time|limit|range|max|min|step|rate", re.IGNORECASE)
BAR = re.compile(r"^=+\s*$")


def temperature_in(settings: str) -> tuple[float, str] | None:
    """(temperature [K], its words) in the settings of a measurement.

    None for settings without a temperature with a unit, or with several temperatures.
    """
    levels = {}
    for match in TEMPERATURE.finditer(settings):
        unit = match["before"] or match["unit"]
        words = match.group().strip(' \t#%!,;"\n')
        if not unit or NO_CONDITION.search(words.partition(":")[0]):
            continue
        celsius = unit.lower() not in ("k", "kelvin")
        offset = scale_to("C" if celsius else "K", "temperature")[1]
        levels[float(match["number"].replace(",", ".")) + offset] = " ".join(words.split())
    return next(iter(levels.items())) if len(levels) == 1 and min(levels) > 0 else None


def settings_of(sheet: Sheet, title: str) -> str:
    """Text of a sheet of settings about the run with a title; all of it if it is not divided by runs.

    A Keithley 4200 writes the settings of all runs into one sheet, each behind a title between two bars.
    """
    lines = sheet.text.split("\n")
    starts = [i + 2 for i in range(len(lines) - 2) if BAR.match(lines[i].strip()) and BAR.match(lines[i + 2].strip())]
    for start, end in zip(starts, [*(start - 2 for start in starts[1:]), len(lines)], strict=False):
        if lines[start - 1].strip() == title:
            return "\n".join(lines[start + 1 : end])
    return "" if starts else sheet.text


def with_settings(block: FileBlock, sheet: Sheet | None) -> FileBlock:
    """A table of a workbook with the settings of its run. sheet : of settings, or None"""
    if sheet is None:
        return block
    settings = settings_of(sheet, block.sheet.title)
    rows = {cells[0]: cells[1:] for text in settings.split("\n") if len(cells := text.split("\t")) > 1}
    forcing = rows.get("Forcing Function", rows.get("Operation Mode", []))
    limits = {
        f"{terminal}I": limit
        for terminal, text, force in zip(
            rows.get("Device Terminal", []), rows.get("Compliance", []), forcing, strict=False
        )
        if force.startswith("Voltage") and (limit := number_in(text, ".") or 0) > 0
    }
    return block._replace(settings=f"{block.settings}\n{settings}", limits=limits)
