"""A file of measured numbers as a Dataset over `point`: SI, energies in eV, each variable with its unit.

Coordinates of a point are `line` of the file, `record` (a new one begins where the time starts again or the sweep is
repeated), and `branch` (the monotonic piece of the sweep). The attribute `understood` lists how the data were read.

A row whose measured number is missing, or outside of the range to keep, is no point. What was applied in it is kept, see
`applied`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.problem import Problem
from otjdd.errors import DataError
from otjdd.measurements.applied import ROW, applied_rows, places, with_rows
from otjdd.measurements.columns import Table, has_header, table_of
from otjdd.measurements.datasets import from_arrays, from_netcdf
from otjdd.measurements.names import UNCERTAINTY, headers_by_quantity, long_name_of, quantity_of, unit_of
from otjdd.measurements.noise import LOST, noise_floor
from otjdd.measurements.sheet import Sheet
from otjdd.measurements.sweeps import branches, period, restarts
from otjdd.measurements.text import read_text
from otjdd.measurements.workbook import SUFFIXES as WORKBOOKS
from otjdd.measurements.workbook import read_workbook

if TYPE_CHECKING:
    import xarray as xr

NETCDF = (".nc", ".nc4", ".cdf")
TEXTS = (".csv", ".tsv", ".txt", ".dat", ".asc")
SUFFIXES = (*TEXTS, *WORKBOOKS, *NETCDF)  # by which commands tell data from cases
SWEPT = ("write_voltage", "voltage", "field", "number", "time")  # possible axes of the sweeps, the preferred one first
AXES = {*SWEPT, "read_voltage", "temperature", "frequency"}
FEWEST = 2  # points of a curve
UNUSED = "columns not used: "


def read_data(
    source: Any, *, names: Mapping[str, str] | None = None, sheet: str = "",
    without: Sequence[tuple[int, int]] = (), keep: Mapping[str, tuple[float, float]] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Read measured numbers: a file (CSV, TSV or other text, a workbook, NetCDF), arrays by name, a DataFrame, a Dataset.

    source : names are those of outputs, or V, I, |I|, J, R, G, C, t, n, T, with a unit in brackets: "I (nA)"
    names : quantity -> header of its column, for headers that are not understood: {"current": "Reading 2"}
    sheet : of a workbook, by default the first with a table
    without : (first, last) lines of the file to leave out   keep : quantity -> (low, high) [SI] of the points to keep
    Raises OSError, ResultError (NetCDF), TypeError; ValueError for unknown quantities; DataError, with file, line and
    column, for data that cannot be used.
    """
    if "understood" in getattr(source, "attrs", ()):  # a Dataset of this function
        return selected(source, without, keep or {})
    if not isinstance(source, str | os.PathLike):
        ds = from_arrays(source)
    elif Path(source).suffix.lower() in NETCDF:
        ds = from_netcdf(source)
    else:
        table, found = understood(source, headers_by_quantity(names or {}), sheet, without)
        ds = dataset_of_table(table, found)
    return with_findings(selected(ds, without, keep or {}))


def understood(
    path: str | os.PathLike[str], names: Mapping[str, str], wanted: str, without: Sequence[tuple[int, int]]
) -> tuple[Table, Sheet]:
    """Table and sheet of a text file, or of the first sheet of a workbook with a table. Raises DataError, OSError.

    names : quantity -> header   wanted : title of a sheet, "" for any   without : lines to leave out
    """
    if Path(path).suffix.lower() not in WORKBOOKS:
        sheet = read_text(path, without)
        return table_of(sheet, names), sheet
    sheets = read_workbook(path, wanted, without)
    if not sheets:
        raise DataError([Problem(os.fspath(path), 1, 1, "", f"a sheet {wanted!r} that is not empty", "none")])
    sheet = next((sheet for sheet in sheets if has_header(sheet, names)), sheets[0])
    return table_of(sheet, names), sheet


def dataset_of_table(table: Table, sheet: Sheet) -> xr.Dataset:
    """Dataset of a table. Rows with a missing number are no points. Raises DataError."""
    import xarray as xr

    lines = table.lines
    missing = np.any([np.isnan(values) for values in table.values.values()], axis=0)
    kept = np.flatnonzero(~missing)
    if len(kept) < FEWEST:
        first = sheet.line(int(lines[0]))
        raise sheet.fault(first, None, f"{FEWEST} rows or more with a number in each column", str(len(kept)))
    variables: dict[str, tuple[str, np.ndarray, dict[str, str | int]]] = {
        name: ("point", values[kept], {"units": unit_of(base), "long_name": long_name_of(base)})
        for name, values in table.values.items()
        for base in [name.removesuffix(UNCERTAINTY)]
    }
    for name, column in table.columns.items():
        variables[name][2].update(header=column.header.text, written_unit=column.heading.unit or "none; SI is assumed")
        if column.heading.magnitude:
            variables[name][2]["magnitude"] = 1
        if column.heading.sign < 0:
            variables[name][2]["sign_turned"] = 1
    ds = xr.Dataset(variables, {"line": ("point", lines[kept])}, {"file": sheet.file})
    ds = with_rows(ds, {"line": lines, **table.values})
    said = [*sheet.told, f"{len(kept)} of {len(lines)} rows"]
    said += [f"{int(missing.sum())} rows without a number left out"] * bool(missing.any())
    said += [f"{table.overflows} numbers over the range of the instrument"] * bool(table.overflows)
    said += [f"{UNUSED}{', '.join(table.left_out)[:500]}"] * bool(table.left_out)
    ds.attrs["understood"] = "\n".join(said)
    return ds.assign_coords(record=("point", records(ds, sheet, table)))


def records(ds: xr.Dataset, sheet: Sheet, table: Table) -> np.ndarray:
    """Number (point,) of the record of each point, from the time. Raises DataError if the time runs back."""
    if "time" not in ds:
        return np.zeros(ds.sizes["point"], dtype=int)
    try:
        return restarts(ds["time"].values)
    except ValueError as error:
        number = int(ds["line"].values[error.args[0]])
        line = sheet.line(number)
        cell = line.cells[table.columns["time"].place]
        before = ds["time"].values[error.args[0] - 1]
        raise sheet.fault(line, cell, f"a time after {before:g} s, or one that starts again", cell.text) from None


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
        quantity = quantity_of(name) or name
        if quantity not in ds:
            raise DataError(
                [Problem(ds.attrs["file"], 1, 1, "", f"a column of {name} to choose by", ", ".join(map(str, ds)))]
            )
        chosen &= (ds[quantity].values >= low) & (ds[quantity].values <= high)
    if chosen.sum() < FEWEST:
        raise DataError(
            [Problem(ds.attrs["file"], 1, 1, "", f"{FEWEST} points or more in the range", str(chosen.sum()))]
        )
    if chosen.all():
        return ds
    rows = applied_rows(ds)
    return with_rows(ds.isel(point=np.flatnonzero(chosen)), {str(name): rows[name].values for name in rows.variables})


def with_findings(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset with findings from its numbers: repeated sweeps, branches, noise floor. Raises DataError."""
    axis = axis_of(ds)
    said = [ds.attrs["understood"]] if ds.attrs.get("understood") else []
    if axis is None or not set(ds) - AXES:
        file = ds.attrs.get("file", "data")
        expected = "a measured quantity and what it was measured against: V, E, t or n beside I, J, R, G, C or P"
        unused = next((line for line in said[0].split("\n") if line.startswith(UNUSED)), "") if said else ""
        hint = f'{unused}; say which it is, as --column current="Reading 2"' if unused else ""
        raise DataError([Problem(file, 1, 1, "", expected, ", ".join(map(str, ds)) or "nothing", hint)])
    rows = applied_rows(ds)
    of_rows = row_records(rows, axis)
    values, record = ds[axis].values, of_rows[places(ds, rows)]
    if ROW in ds.dims:
        ds = ds.assign_coords({f"{ROW}_record": (ROW, of_rows)})
    branch = np.zeros(len(values), dtype=int)
    order = np.argsort(record, kind="stable")
    for inside in np.split(order, np.flatnonzero(np.diff(record[order])) + 1):
        branch[inside] = branches(values[inside])
    ds = ds.assign_coords(record=("point", record), branch=("point", branch))
    said.append(sweep_words(axis, values, record, branch))
    if "temperature" in ds:
        levels = np.unique(np.round(ds["temperature"].values))
        said.append(f"temperatures: {', '.join(f'{t:g}' for t in levels[:12])} K")
    for name in ("current", "read_current"):
        if name in ds and np.isfinite(floor := noise_floor(ds[name].values)):
            ds[name].attrs["noise_floor"] = floor
            lost = int(np.sum(np.abs(ds[name].values) < LOST * floor))
            said.append(f"noise floor {floor:.2g} A: {lost} currents are lost in it")
    ds.attrs["understood"] = "\n".join(said)
    return ds


def row_records(rows: xr.Dataset, axis: str) -> np.ndarray:
    """Number (row,) of the record of each row, from the time, else from repeats of the axis. Raises DataError."""
    found = np.zeros(rows.sizes["point"], dtype=int)
    if "time" in rows:
        try:
            found = restarts(rows["time"].values)
        except ValueError as error:
            line, time = int(rows["line"].values[error.args[0]]), rows["time"].values[error.args[0]]
            expected = "a time after the one before, or one that starts again"
            raise DataError([Problem(rows.attrs["file"], line, 1, "time", expected, f"{time:g} s")]) from None
    return found if axis in ("time", "number") or found.max() > 0 else repeats(rows, rows[axis].values)


def repeats(ds: xr.Dataset, values: np.ndarray) -> np.ndarray:
    """Number (point,) of the repeat of a sweep that each point belongs to, counted from 0 at each temperature."""
    found = np.zeros(len(values), dtype=int)
    levels = np.round(ds["temperature"].values) if "temperature" in ds else found
    for level in np.unique(levels):
        inside = np.flatnonzero(levels == level)
        found[inside] = np.arange(len(inside)) // period(values[inside])
    return found


def axis_of(ds: xr.Dataset) -> str | None:
    """Name of the swept quantity: the first of SWEPT that changes, else the first one in the data; None without any."""
    there = [name for name in SWEPT if name in ds]
    return next((name for name in there if np.ptp(ds[name].values) > 0), there[0] if there else None)


def sweep_words(axis: str, values: np.ndarray, record: np.ndarray, branch: np.ndarray) -> str:
    """The sweeps in words: the axis, its range, records and branches."""
    unit = unit_of(axis)
    text = f"against {long_name_of(axis)}, {values.min():g} to {values.max():g}" + f" {unit}" * (unit != "1")
    count, turns = int(record.max()) + 1, int(branch[record == 0].max())
    text += f", {count} times" if count > 1 else ""
    return text + (f", {turns + 1} branches" + " each" * (count > 1) if turns else "")
