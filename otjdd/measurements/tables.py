"""The table that is read from a file: its choice among several tables, its columns, and its rows as records.

Conditions of a measurement stand in the settings next to the table: the temperature, and the compliance of a current. Rows
of numbers that belong to no table are the export of something else in the same file, and are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from otjdd.case.problem import data_error, nearest
from otjdd.errors import DataError
from otjdd.measurements.choice import ColumnChoice, choice, shortest, without_quantities
from otjdd.measurements.columns import (
    Column,
    TableRows,
    finite_numbers,
    known_columns,
    masked,
    numbers_in_unit,
    stem,
    table_rows,
    texts_at,
    user_columns,
)
from otjdd.measurements.instruments import PLAIN, FileBlock, instrument_form
from otjdd.measurements.names import AXES, MEASURED, SWEPT, UNCERTAINTY, scale_to
from otjdd.measurements.sheet import Sheet, holds_numbers, number_in, sheets_of

SETTINGS = ("settings", "setup", "calc")  # sheets besides the ones of runs
PROGRAMS = {"KTEI Version": "KITE", "Clarius": "Clarius"}  # sign in the settings of a Keithley 4200 -> its program
UNUSED = "columns not used: "
DEVICE = re.compile(r"(?:device|cell|die|chip|dot|sample|junction)(?:[ _](?:no|id|name|number))?", re.IGNORECASE)
WORKBOOKS = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods")
FEWEST_ROWS = 3  # of a device


class ColumnTable(NamedTuple):
    """Columns of a table and their numbers.

    columns : quantity -> column   lines, record : (row,), line of the file and number of the record
    values : quantity -> numbers (row,) in the units of the Dataset, nan for missing and for masked ones
    notes : how the table was read, in words   temperature : (temperature [K], its words) of the settings, or None
    devices : (row,) names in a column of devices, or None
    """

    columns: dict[str, Column]
    block: FileBlock
    lines: np.ndarray
    record: np.ndarray
    values: dict[str, np.ndarray]
    notes: list[str]
    temperature: tuple[float, str] | None
    devices: np.ndarray | None


def table_in(
    path: str | os.PathLike[str], names: Mapping[str, str], title: str, without: Sequence[tuple[int, int]]
) -> ColumnTable:
    """The table of a file. Raises DataError, with a question where the file leaves a choice; OSError.

    names : quantity -> header of its column, where a user says so   title : of a table or sheet, "" for the first
    """
    sheets = sheets_of(path, without)
    about = next((sheet for sheet in sheets if sheet.title.lower() == SETTINGS[0]), None)
    runs = [sheet for sheet in sheets if sheet.title.lower() not in SETTINGS] or sheets
    if not runs:
        raise data_error(os.fspath(path), 1, "a table of numbers", "a file without any")
    blocks, forms = [], []
    for sheet in runs:
        form = instrument_form(sheet)
        forms += [form.name] * (form is not PLAIN)
        own = form.blocks(sheet, names)
        if not sheet.title and own:
            check_remainder(sheet, own)
        blocks += [with_settings(block, about) for block in own]
    if not blocks:
        expected = 'a table with a header such as "V (V), I (A)"'
        expected += ", or a workbook, as its name says" if os.fspath(path).lower().endswith(WORKBOOKS) else ""
        raise runs[0].fault(next(iter(runs[0].head()), None), None, expected, "no rows of numbers below a header")
    records = titled(blocks, title) if title else first_curve(blocks, names)
    titles = dict.fromkeys(title_of(block) for block in blocks if not any(block is record for record in records))
    others = [name for name in titles if name and name not in map(title_of, records)]
    forms += [f"Keithley 4200 ({program})" for sign, program in PROGRAMS.items() if about and sign in about.text]
    first = records[0], *used(records[0], names)
    columns = first[1].columns[0]  # the same columns in all records
    same = {name: shortest(records[0], column) for name, column in columns.items() if not column.named}
    table = joined_records([first, *((block, *used(block, {**same, **names})) for block in records[1:])])
    notes = [f"file of {name}" for name in forms[:1]] + [*records[0].sheet.notes] + table.notes
    if others:
        notes.append(f'other tables: {", ".join(map(repr, others[:40]))}; choose by --sheet "{others[0]}"')
    return table._replace(notes=notes)


def title_of(block: FileBlock) -> str:
    """Title of a table: of its sheet, in its sheet, or both."""
    return ", ".join(filter(None, (block.sheet.title, block.title)))


def titled(blocks: Sequence[FileBlock], title: str) -> list[FileBlock]:
    """The table with a title, or the first series of the sheet with it. Raises DataError for an unknown title."""
    fits = [b for b in blocks if title in (title_of(b), b.title)] or [b for b in blocks if b.sheet.title == title]
    if not fits:
        titles = [title_of(block) for block in blocks]
        got = ", ".join(filter(None, titles)) or "one table without a title"
        raise blocks[0].sheet.fault(None, None, f"a table or sheet {title!r}", got, nearest(title, titles))
    return [fits[0]] if fits[0].title and title in (title_of(fits[0]), fits[0].title) else same_series(fits[0], fits)


def first_curve(blocks: Sequence[FileBlock], names: Mapping[str, str]) -> list[FileBlock]:
    """The first table with a quantity against another, and the others of its series.

    Raises DataError for tables of different names in one text, of which one has to be chosen.
    """
    readable = [block for block in blocks if names_fit(block, names) or not block.understood] or blocks
    curves = [block for block in readable if makes_curve(block, names)]
    curves = curves or [block for block in readable if block.understood] or list(readable)
    first = curves[0]
    records = same_series(first, blocks)
    for block in curves:
        if block.sheet is first.sheet and block.series == "table" and not any(block is record for record in records):
            listed = "; ".join(
                f"{b.title!r} in line {b.header.number}: {', '.join(b.header.texts)[:80]}" for b in (first, block)
            )
            raise first.sheet.fault(block.header, None, "one table", listed, f'say which: --sheet "{first.title}"')
    return records


def names_fit(block: FileBlock, names: Mapping[str, str]) -> bool:
    """True if a table has the columns that a user names."""
    try:
        user_columns(block, names)
    except DataError:
        return False
    return True


def same_series(first: FileBlock, blocks: Sequence[FileBlock]) -> list[FileBlock]:
    """A table and the others of its series with the same names."""
    if not first.series:
        return [first]
    alike = [b for b in blocks if b.sheet is first.sheet and b.series == first.series]
    return [block for block in alike if block.header.texts == first.header.texts]


def makes_curve(block: FileBlock, names: Mapping[str, str]) -> bool:
    """True if the names of a table include a measured quantity and a quantity of SWEPT."""
    quantities = {column.quantity for column in known_columns(block, names if names_fit(block, names) else {})}
    return bool(quantities & set(SWEPT)) and bool(quantities & MEASURED)


TablePart = tuple[FileBlock, ColumnChoice, TableRows]


def used(block: FileBlock, names: Mapping[str, str]) -> tuple[ColumnChoice, TableRows]:
    """The columns of a table that are used, and its rows. Raises DataError."""
    columns = known_columns(block, names)
    rows = table_rows(block, {column.place: column.quantity for column in columns})
    if columns and not rows.lines.size:
        raise block.sheet.fault(block.header, None, "numbers below the header", "none")
    picked = ColumnChoice([{}], {})
    if has_measured(column.quantity for column in columns):
        picked = choice(block, columns, rows)
    if not has_measured(picked.columns[0]):
        every = {place: "a quantity" for place, cell in enumerate(block.header.cells) if cell.text}
        raise without_quantities(block, columns, table_rows(block, every))
    for column in {column for group in picked.columns for column in group.values()}:
        if column.fault:
            raise column.fault
        if column.place in rows.faults:
            raise rows.faults[column.place]
        if np.isnan(rows.numbers[column.place]).all():
            line, expected = block.sheet.line(int(rows.lines[0])), f"numbers in the column {column.header.text!r}"
            raise block.sheet.fault(line, None, expected, "none at all")
    return picked, rows


def has_measured(quantities: Iterable[str]) -> bool:
    """True if quantities include one that is not in AXES, and is no uncertainty."""
    return any(not name.endswith(UNCERTAINTY) for name in set(quantities) - set(AXES))


def joined_records(parts: Sequence[TablePart]) -> ColumnTable:
    """The table of records: of tables of a series, of columns side by side, of rows below each repeat of the header."""
    lines, record, devices, notes, count = [], [], [], [], 0
    values: dict[str, list[np.ndarray]] = {name: [] for name in parts[0][1].columns[0]}
    overflows = 0
    for block, picked, rows in parts:
        for group in picked.columns:
            numbers = {name: numbers_in_unit(group[name], rows) for name in values}
            inside = np.flatnonzero(~np.all([np.isnan(v) for v in numbers.values()], axis=0))
            mask, words = masked(block, group, rows)
            notes += words
            overflows += sum(rows.overflows[column.place] for column in group.values())
            for name in values:
                measured = name not in AXES
                values[name].append(np.where(mask & measured, np.nan, numbers[name])[inside])
            steps = np.arange(inside.size) // block.length if block.length else rows.part[inside]
            names_there = device_names(block, rows.lines[inside])
            if names_there is not None:
                steps = steps + np.append(0, np.cumsum(names_there[1:] != names_there[:-1]))
                devices.append(names_there)
            lines.append(rows.lines[inside])
            record.append(count + np.unique(steps, return_inverse=True)[1])
            count = int(record[-1].max()) + 1 if inside.size else count
    table = {name: np.concatenate(columns) for name, columns in values.items()}
    number = np.concatenate(record)
    if "time" in table and count > 1 and not devices and records_follow(table["time"], number):
        notes.append(f"{count} records, one after the other in time")
        number = np.zeros(number.size, dtype=int)
    first, picked, _ = parts[0]
    if overflows:
        notes.append(f"{overflows} numbers over the range of the instrument")
    notes += constant_values(parts)
    left = [f"{text} ({why})" if why else text for text, why in picked.left_out.items()]
    if left:
        notes.append(f"{UNUSED}{', '.join(left)[:500]}")
    condition = temperature_in(first.settings)
    every = np.concatenate(lines)
    named = np.concatenate(devices) if sum(map(len, devices)) == every.size > 0 else None
    notes += [f"devices: {', '.join(dict.fromkeys(named.tolist()))[:200]}"] if named is not None else []
    return ColumnTable(picked.columns[0], first, every, number, table, notes, condition, named)


def device_names(block: FileBlock, lines: np.ndarray) -> np.ndarray | None:
    """Names (row,) in a column of devices; None without such a column, for too few rows a device, or mixed devices."""
    place = next((i for i, text in enumerate(block.header.texts) if DEVICE.fullmatch(text)), None)
    if place is None or not lines.size:
        return None
    texts = texts_at(block, place)
    names = np.array([texts.get(int(line), "") for line in lines])
    count = len(set(names.tolist()))
    return names if 1 + np.count_nonzero(names[1:] != names[:-1]) == count <= lines.size // FEWEST_ROWS else None


def records_follow(time: np.ndarray, record: np.ndarray) -> bool:
    """True if each record begins at or after the end of the record before."""
    ends = [(time[record == r][0], time[record == r][-1]) for r in range(int(record.max()) + 1)]
    return all(later[0] >= before[1] for before, later in pairwise(ends))


def constant_values(parts: Sequence[TablePart]) -> list[str]:
    """Values, in words, of unused columns that are constant within each of several groups of columns side by side."""
    block, picked, rows = parts[0]
    if len(picked.columns) < 2:
        return []
    width = len(block.header.cells) // len(picked.columns)
    words = []
    for text in picked.left_out:
        places = [p for p, cell in enumerate(block.header.cells) if cell.text == text or stem(cell.text) == stem(text)]
        levels = [finite_numbers(rows.numbers[p]) for p in places if p in rows.numbers]
        if len(levels) == len(picked.columns) and all(v.size and np.ptp(v) == 0 for v in levels) and width:
            words.append(f"{stem(text)} of the records: {', '.join(f'{v[0]:.4g}' for v in levels)}")
    return list(dict.fromkeys(words))


# "Temperature [K]: 300", "Chuck Temp = 25 C", "T = 350 K", "temperature<tab>300 K"
NUMBER_IN_SETTINGS = r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?"
KELVIN = r"(?:K|kelvin|°C|deg ?C|Celsius|C)"
TEMPERATURE = re.compile(
    r"(?:^|[\s#%!,;\"])(?:(?:[A-Za-z]+[ _.]){0,3}(?:temperature|temperatur|temp\.?)|T)"
    rf"\s*(?:[\[(/]\s*(?P<before>{KELVIN})\s*[\])]?)?\"?"
    rf"\s*[:=,;\t ]\s*\"?(?P<number>{NUMBER_IN_SETTINGS})\s*(?P<unit>{KELVIN})?(?![\w])",
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
    channels = zip(rows.get("Device Terminal", []), rows.get("Compliance", []), forcing, strict=False)
    limits = {
        f"{terminal}I": limit
        for terminal, text, force in channels
        if force.startswith("Voltage") and (limit := number_in(text, ".") or 0) > 0
    }
    return block._replace(settings=f"{block.settings}\n{settings}", limits=limits)


ROWS = 3  # lines of numbers that make a table


def check_remainder(sheet: Sheet, blocks: Sequence[FileBlock]) -> None:
    """Raise DataError for ROWS lines of numbers outside of the tables of a sheet."""
    if len(blocks) == 1 and blocks[0].first <= 2 and blocks[0].last >= sheet.text.count("\n"):
        return
    lines = sheet.text.split("\n")
    covered = sorted((block.first, block.last) for block in blocks)
    at, count, first = 1, 0, 0
    for start, end in [*covered, (len(lines) + 1, 0)]:
        for number in range(at, start):
            text = lines[number - 1]
            if not text.strip():
                continue
            count = count + 1 if holds_numbers(text) else 0
            first = number if count == 1 else first
            if count == ROWS:
                words = (n for n in range(number, start) if lines[n - 1].strip() and not holds_numbers(lines[n - 1]))
                last = next(words, start) - 1
                expected = f"one table, as that in line {blocks[0].first}"
                raise sheet.fault(
                    sheet.line(first), None, expected, "rows of numbers without a header that is understood",
                    f"save each export in its own file, or leave these lines out: --skip {first}-{last}",
                )  # fmt: skip
        at, count = max(at, end + 1), 0
