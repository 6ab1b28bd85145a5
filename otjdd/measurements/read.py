"""A file of measured numbers as a Dataset over `point`: SI, energies in eV, each variable with its unit.

Coordinates of a point are `line` of the file, `record` (a new one begins where the time starts again or the sweep is
repeated), and `branch` (the monotonic piece of the sweep). The attribute `understood` lists how the data were read;
`described_data` adds columns, ranges, and the command that fits the data.

A row whose measured number is missing, or outside of the range to keep, is no point. Its voltage, time or number stays
in the Dataset, see `datasets`.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.analysis.sweeps import LOST, noise_floor, period, piece_numbers, restarts
from otjdd.case.problem import data_error
from otjdd.measurements.datasets import (
    ROW,
    applied_rows,
    conditions,
    from_arrays,
    from_netcdf,
    one_after_another,
    row_of_point,
    source_paths,
    with_conditions,
    with_rows,
)
from otjdd.measurements.names import (
    AXES,
    CURRENT,
    PAIR,
    SWEPT,
    UNCERTAINTY,
    headers_by_quantity,
    long_name_of,
    quantity_of_name,
    unit_of,
)
from otjdd.measurements.sheet import HDF5, kind_of
from otjdd.measurements.tables import UNUSED, ColumnTable, table_in
from otjdd.system.late import xr

NETCDF = (".nc", ".nc4", ".cdf")
FEWEST = 2  # points of a curve
MANY, SHORTEST = 100, 4  # points with a time, and points a monotonic piece on average, of which fewer are no sweep


def read_data(
    source: Any, *, names: Mapping[str, str] | None = None, sheet: str = "",
    without: Sequence[tuple[int, int]] = (), keep: Mapping[str, tuple[float, float]] | None = None, from_name: str = "",
) -> xr.Dataset:  # fmt: skip
    """Measured numbers of a file of any instrument, of several files, of arrays by name, a DataFrame, or a Dataset.

    source : a path, a pattern such as "jv-*.csv" or paths, whose points become one Dataset; names of arrays are those of
        outputs, or V, I, |I|, J, R, G, C, t, n, T, with a unit in brackets: "I (nA)"
    names : quantity -> header of its column, for headers that are not understood: {"current": "Reading 2"}; the place of a
        column without a header, {"current": "2"}; the voltage over a resistor, {"current": "2 / 1 kohm"}
    sheet : title of a sheet or table, by default the first one with a curve
    without : (first, last) lines of the file to leave out   keep : quantity -> (low, high) [SI] of the points to keep
    from_name : pattern of the conditions in the names of files, "{temperature}K" or "{device}_{temperature}C"
    Raises OSError, ResultError (NetCDF), TypeError; ValueError for unknown quantities; DataError, with file, line and
    column, for data that cannot be used, and where the file leaves a choice.
    """
    if "understood" in getattr(source, "attrs", ()):  # a Dataset of this function
        return selected(source, without, keep or {})
    arguments = headers_by_quantity(names or {}), sheet, without
    if isinstance(source, str | os.PathLike) or (isinstance(source, Sequence) and not isinstance(source, str)):
        files = source_paths(source)
        parts = [with_conditions(from_file(file, *arguments), conditions(file, from_name)) for file in files]
        ds = parts[0] if len(parts) == 1 else one_after_another(parts, source)
    else:
        ds = from_arrays(source)
    return with_findings(selected(ds, without, keep or {}))


def from_file(
    path: str | os.PathLike[str], names: Mapping[str, str], sheet: str, without: Sequence[tuple[int, int]]
) -> xr.Dataset:
    """The measured data of a file, as they stand there. Raises DataError, OSError, ResultError."""
    if Path(path).suffix.lower() in NETCDF or kind_of(path) == HDF5:
        return from_netcdf(path)
    return dataset_of_table(table_in(path, names, sheet, without))


def dataset_of_table(table: ColumnTable) -> xr.Dataset:
    """Dataset of a table. Rows with a missing number are no points. Raises DataError."""
    lines, file = table.lines, table.block.sheet.file
    missing = np.any([np.isnan(values) for values in table.values.values()], axis=0)
    whole = np.flatnonzero(~missing)
    if len(whole) < FEWEST:
        sheet, expected = table.block.sheet, f"{FEWEST} rows or more with a number in each column"
        raise sheet.fault(sheet.line(int(lines[0])), None, expected, str(len(whole)))
    variables: dict[str, tuple[str, np.ndarray, dict[str, str | int]]] = {
        name: ("point", values[whole], {"units": unit_of(base), "long_name": long_name_of(base)})
        for name, values in table.values.items()
        for base in [name.removesuffix(UNCERTAINTY)]
    }
    for name, column in table.columns.items():
        unit, count = column.heading.unit or "none; SI is assumed", int(np.isfinite(table.values[name]).sum())
        variables[name][2].update(header=column.header.text, written_unit=unit, numbers=count)
        if column.heading.magnitude:
            variables[name][2]["magnitude"] = 1
        if column.heading.sign < 0:
            variables[name][2]["sign_turned"] = 1
    of_rows = {"line": lines, "record": table.record, "order": np.arange(len(lines))}
    coords = {name: ("point", values[whole]) for name, values in of_rows.items()}
    coords |= {} if table.devices is None else {"device": ("point", table.devices[whole])}
    notes = [*table.notes, f"{len(whole)} of {len(lines)} rows"]
    notes += [f"{int(missing.sum())} rows without a number left out"] * bool(missing.any())
    ds = xr.Dataset(variables, coords, {"file": file, "understood": "\n".join(notes)})
    ds = with_rows(ds, of_rows | table.values)
    if table.temperature and "temperature" not in ds:
        ds = with_conditions(ds, {"temperature": table.temperature})
    if not set(ds) & set(SWEPT):
        about = {"units": "1", "long_name": long_name_of("number"), "header": "the order of the rows"}
        ds = ds.assign(number=("point", np.arange(1.0, ds.sizes["point"] + 1), about))
        ds.attrs["understood"] += "\nno time and no voltage: the rows are counted"
    return ds


def selected(ds: xr.Dataset, without: Sequence[tuple[int, int]], keep: Mapping[str, tuple[float, float]]) -> xr.Dataset:
    """Points outside of the lines `without` and within the ranges `keep` [SI], ends included.

    Raises DataError for a missing quantity, and for fewer than FEWEST points.
    """
    for first, last in without:
        for dim, line in (("point", "line"), (ROW, f"{ROW}_line")):
            if dim in ds.dims:
                outside = (ds[line].values < first) | (ds[line].values > last)
                ds = ds.isel({dim: np.flatnonzero(outside)}) if not outside.all() else ds
    chosen = np.ones(ds.sizes["point"], dtype=bool)
    for name, (low, high) in keep.items():
        quantity = quantity_of_name(name) or name
        if quantity not in ds:
            raise data_error(ds.attrs["file"], 1, f"a column of {name} to choose by", ", ".join(map(str, ds)))
        chosen &= (ds[quantity].values >= low) & (ds[quantity].values <= high)
    if chosen.sum() < FEWEST:
        raise data_error(ds.attrs["file"], 1, f"{FEWEST} points or more in the range", str(chosen.sum()))
    if chosen.all():
        return ds
    rows = applied_rows(ds)
    return with_rows(ds.isel(point=np.flatnonzero(chosen)), {str(name): rows[name].values for name in rows.variables})


def with_findings(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset with findings from its numbers: repeated sweeps, branches, noise floor. Raises DataError."""
    axis = swept_axis(ds)
    notes = [ds.attrs["understood"]] if ds.attrs.get("understood") else []
    if axis is None or not set(ds) - set(AXES):
        file = ds.attrs.get("file", "data")
        unused = next((line for line in notes[0].split("\n") if line.startswith(UNUSED)), "") if notes else ""
        hint = f'{unused}; say which it is, as --column current="Reading 2"' if unused else ""
        raise data_error(file, 1, PAIR, ", ".join(map(str, ds)) or "nothing", hint)
    rows = applied_rows(ds)
    of_rows = row_records(rows, axis)
    values, record = ds[axis].values, of_rows[row_of_point(ds, rows)]
    if ROW in ds.dims:
        ds = ds.assign_coords({f"{ROW}_record": (ROW, of_rows)})
    branch = np.zeros(len(values), dtype=int)
    order = np.argsort(record, kind="stable")
    for inside in np.split(order, np.flatnonzero(np.diff(record[order])) + 1):
        branch[inside] = piece_numbers(values[inside])
    ds = ds.assign_coords(record=("point", record), branch=("point", branch))
    unit = f" {unit_of(axis)}" if unit_of(axis) != "1" else ""
    text = f"against {long_name_of(axis)}, {values.min():g} to {values.max():g}{unit}"
    count, turns = int(record.max()) + 1, int(branch[record == 0].max())
    repeats, of_repeat = (f", {count} times", " each") if count > 1 else ("", "")
    notes.append(text + repeats + (f", {turns + 1} branches{of_repeat}" if turns else ""))
    if "temperature" in ds:
        levels = np.unique(np.round(ds["temperature"].values))
        notes.append(f"temperatures: {', '.join(f'{t:g}' for t in levels[:12])} K")
    for name in ("current", "read_current"):
        if name in ds and np.isfinite(floor := noise_floor(ds[name].values)):
            ds[name].attrs["noise_floor"] = floor
            lost = int(np.sum(np.abs(ds[name].values) < LOST * floor))
            notes.append(f"noise floor {floor:.2g} A: {lost} currents are lost in it")
    ds.attrs["understood"] = "\n".join(notes)
    return ds


def row_records(rows: xr.Dataset, axis: str) -> np.ndarray:
    """Number (row,) of the record of each row: of the file, of a time that starts again, or of a repeat of the axis.

    Raises DataError for a time that runs back.
    """
    given = rows["record"].values if "record" in rows.coords else np.zeros(rows.sizes["point"], dtype=int)
    record = given.copy()
    if "time" in rows:
        record[:] = 0
        for number in range(int(given.max()) + 1):
            inside = np.flatnonzero(given == number)
            try:
                record[inside] = (record.max() + 1) * (number > 0) + restarts(rows["time"].values[inside])
            except ValueError as error:
                at = inside[error.args[0]]
                line, time = int(rows["line"].values[at]), rows["time"].values[at]
                expected = f"a time after {rows['time'].values[at - 1]:g} s, or one that starts again"
                raise data_error(rows.attrs["file"], line, expected, f"{time:g} s") from None
    return record if axis in ("time", "number") or record.max() > 0 else repeat_numbers(rows, rows[axis].values)


def repeat_numbers(ds: xr.Dataset, values: np.ndarray) -> np.ndarray:
    """Number (point,) of the repeat of a sweep that each point belongs to, counted from 0 at each temperature."""
    number = np.zeros(len(values), dtype=int)
    levels = np.round(ds["temperature"].values) if "temperature" in ds else number
    for level in np.unique(levels):
        inside = np.flatnonzero(levels == level)
        number[inside] = np.arange(len(inside)) // period(values[inside])
    return number


def swept_axis(ds: xr.Dataset) -> str | None:
    """Name of the swept quantity: the first of SWEPT that is swept, else the first one in the data; None without any.

    A quantity is swept if it changes, and does not turn at every few of many points while the time is known: then it is a
    train of pulses, or a constant source that was read back with its noise.
    """
    there = [name for name in SWEPT if name in ds]
    return next((name for name in there if is_swept(ds, name)), there[0] if there else None)


def is_swept(ds: xr.Dataset, name: str) -> bool:
    """True if a quantity of SWEPT changes, in pieces of some length where there are many points with a time."""
    values = ds[name].values
    if not np.ptp(values) > 0:
        return False
    if name == "time" or "time" not in ds or len(values) < MANY:
        return True
    return len(values) >= SHORTEST * (piece_numbers(values).max() + 1)


HYSTERETIC = 1.5  # ratio of the currents of two branches, above which ions have moved between them
NEAR_ZERO = 0.1  # of the largest voltage
RATE = "RATE"  # in a proposed command, for what the reader has to state


def described_data(ds: xr.Dataset, words: Sequence[str]) -> str:
    """Description of measured data: a line for each column and each finding, and the command of a fit.

    words : files and options with which `otjdd fit` reads the same data; without, that line is left out
    """
    lines = [f"{ds.attrs['file']}: {ds.sizes['point']} points"]
    records = int(ds["record"].max()) + 1 if "record" in ds.coords else 1
    if records > 1:
        lines[0] += f" in {records} records"
    for name, variable in ds.data_vars.items():
        about = variable.attrs
        written = f", written in {about['written_unit']}" if about.get("written_unit") else ""
        unit = "" if about["units"] == "1" else f" {about['units']}"
        low, high = float(variable.min()), float(variable.max())
        size = f"{low:.4g} to {high:.4g}{unit}" if low != high else f"{low:.4g}{unit}"
        what = f"|{name}|" if about.get("magnitude") else str(name)
        what = f"-{what}" if about.get("sign_turned") else what
        count = f"{about['numbers']} numbers, " if "numbers" in about else ""
        lines.append(f"  {about.get('header', name)!r} is {what}{written}: {count}{size}")
    lines += [f"  {line}" for line in ds.attrs["understood"].splitlines()]
    if words:
        case, compared = case_for(ds)
        files = " ".join(map(shlex.quote, words))
        lines.append(f"  to fit {compared}: otjdd fit {files} {case} --vary device.left.barrier")
        if RATE in case:
            lines.append(f"  put the rate of the sweep, such as 0.5 V/s, instead of {RATE}: the data do not state it")
    return "\n".join(lines)


def case_for(ds: xr.Dataset) -> tuple[str, str]:
    """(shipped case whose drive suits measured data, output of this case that a fit compares with them, in words)."""
    names = {str(name) for name in ds if not str(name).endswith(UNCERTAINTY)}
    swept = "voltage" in names and np.ptp(ds["voltage"].values) > 0
    if {"polarisation", "electrode_charge"} & names:
        return "ftj-hzo", "the loop of the polarisation"
    if "capacitance" in names:
        return "cv", "the capacitance at frozen ions"
    if {"resistance", "conductance", "read_current"} & names or "write_voltage" in names:
        if {"write_voltage"} & names or swept:
            return "rv-loop", "the reads of the loop of the case"
        return ("ltp-ltd", "the reads of its pulses") if "number" in names else ("retention", "the reads of its hold")
    if "time" in names:
        along = "the current, with the measured waveform as the drive" if swept else "the current along its drive"
        return "rv-loop", along
    if branch_ratio(ds) > HYSTERETIC:
        ends = np.append(np.flatnonzero(np.diff(ds["branch"].values)), ds.sizes["point"] - 1)
        path = [f"{v:.6g} V" for v in ds["voltage"].values[[0, *ends]]]
        drive = f"""drive={{ kind = "triangle", path = {json.dumps(path)}, rate = "{RATE}" }}"""
        return f"li2019 --set {shlex.quote(drive)}", "the current along the loop, whose branches differ"
    return "iv", "the curve at frozen ions"


def branch_ratio(ds: xr.Dataset) -> float:
    """Ratio of the currents of two successive branches of a sweep, which a tenth of the common voltages exceeds.

    1 for a single branch. Voltages near zero, where the current changes its sign, do not count.
    """
    name = next((name for name in CURRENT if name in ds), None)
    if name is None or "voltage" not in ds or ds["record"].values.max() > 0:
        return 1.0
    voltage, size, branch = ds["voltage"].values, np.abs(ds[name].values), ds["branch"].values
    usable = (np.abs(voltage) > NEAR_ZERO * np.abs(voltage).max()) & (size > 0)
    curves = [np.flatnonzero(usable & (branch == number)) for number in range(branch.max() + 1)]
    curves = [at[np.argsort(voltage[at], kind="stable")] for at in curves if at.size]
    ratios = [1.0]
    for at, after in pairwise(curves):
        common = at[(voltage[at] >= voltage[after[0]]) & (voltage[at] <= voltage[after[-1]])]
        if common.size:
            apart = np.log(size[common]) - np.interp(voltage[common], voltage[after], np.log(size[after]))
            ratios.append(float(np.exp(np.quantile(np.abs(apart), 0.9))))
    return max(ratios)
