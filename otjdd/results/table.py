"""Tables of a result: its variables over one dimension as comma-separated text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from otjdd.results.provenance import ENGINE
from otjdd.system.files import write_whole

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

POINTS = "points"  # of a study
LEVELS = "percentile"  # of a prediction
PARTS = "kind", "channel"  # dimensions along which a result has parts with names
# What a row stands for -> dimensions of the variables in the table. The default is the first that a result has.
OVER = {
    "read": ("read",),
    "frequency": ("state", "temperature", "bias", "frequency"),
    "bias": ("state", "temperature", "bias"),
    "time": ("time",),
    "snapshot": ("snapshot",),
    "cell": ("step", "word_line", "bit_line"),
    "step": ("step",),
}


def to_csv(ds: xr.Dataset, path: str | os.PathLike[str], over: str | None = None) -> None:
    """Write the variables over one dimension as comma-separated text in SI units, with headers `name (unit)`.

    over : what a row stands for: "read", "time", "snapshot"; "bias", a row for each state, temperature and bias;
        "frequency", for each of these and each frequency; "cell" of a crossbar, for each step, word line and bit line,
        from 0, or its "step"; "points" of a study, or "read", "bias" and so on of all its points. By default the points
        of a study; for a result, the first that it has of "read", "frequency", "bias", "time", "snapshot", "cell", "step"
    A prediction has a column for each percentile, a result with kinds of columns or leaks one for each kind or channel.
    Raises ValueError if the result has no such rows, ResultError if the file cannot be written.
    """
    write_whole(Path(path), table(ds, over).to_csv(index=False, lineterminator="\n").encode())


def table(ds: xr.Dataset, over: str | None = None) -> pd.DataFrame:
    """The table of `to_csv` as a pandas.DataFrame, with columns `name (unit)`. Raises ValueError."""
    dims = dims_over(ds, over)
    ds = level_by_level(ds) if LEVELS in ds.dims else ds
    for dim in PARTS:
        ds = part_by_part(ds, dim) if dim in ds.dims else ds
    names = [name for name, variable in ds.data_vars.items() if variable.dims == dims]
    places = [dim for dim in dims if dim not in ds.coords] if len(dims) > 1 else []
    columns = [*places, *(name for name, c in ds.coords.items() if c.dims and set(c.dims) <= set(dims)), *names]
    units = {name: f"{name} ({ds[name].attrs.get('units', '1')})" for name in columns}
    frame = ds[columns].to_dataframe(dim_order=list(dims)).reset_index()
    return frame[columns].rename(columns=units)


def left_out(ds: xr.Dataset, over: str | None) -> dict[str, str]:
    """Variable of a study that a table leaves out -> `over` of the table that has this variable."""
    if ENGINE not in ds.attrs:
        return {}
    chosen, rows = dims_over(ds, over), rows_of_study(ds)
    names = {dims: name for name, dims in rows.items()}
    dims = {str(name): tuple(map(str, variable.dims)) for name, variable in ds.data_vars.items()}
    return {name: names[own] for name, own in dims.items() if own != chosen and own in names}


def level_by_level(ds: xr.Dataset) -> xr.Dataset:
    """A prediction with a variable for each percentile, "read_resistance 2.5 %"; one variable if all are equal."""
    by_level: dict[str, xr.DataArray] = {}
    for name, variable in ds.data_vars.items():
        rows = variable.values
        if LEVELS not in variable.dims:
            by_level[str(name)] = variable
        elif all(np.array_equal(row, rows[0], equal_nan=True) for row in rows):
            by_level[str(name)] = variable.isel(percentile=0, drop=True)
        else:
            by_level |= {f"{name} {at:g} %": variable.sel(percentile=at, drop=True) for at in ds[LEVELS].values}
    return ds.drop_vars(ds.data_vars).drop_dims(LEVELS).assign(by_level)


def part_by_part(ds: xr.Dataset, dim: str) -> xr.Dataset:
    """A result with a variable for each part along a dimension of PARTS, "kind_read_current background"."""
    names = [name for name, variable in ds.data_vars.items() if dim in variable.dims and len(variable.dims) > 1]
    parts = {
        f"{name} {part}": ds[name].isel({dim: i}, drop=True) for name in names for i, part in enumerate(ds[dim].values)
    }
    return ds.drop_vars(names).assign(parts)


def dims_over(ds: xr.Dataset, over: str | None) -> tuple[str, ...]:
    """Dimensions of the variables of a table. Raises ValueError, which lists what the result has."""
    if ENGINE in ds.attrs:
        rows = rows_of_study(ds)
    else:
        rows = {name: dims for name, dims in OVER.items() if set(dims) <= set(ds.dims) and ds.sizes[dims[-1]]}
    if over is None and rows:
        return next(iter(rows.values()))
    if not rows:
        raise ValueError("this result has no rows of any kind to tabulate")
    if over not in rows:
        raise ValueError(f"this result has no rows over {over!r}; it has {', '.join(rows)}")
    return rows[over]


def rows_of_study(ds: xr.Dataset) -> dict[str, tuple[str, ...]]:
    """What a row of a table of a study may stand for -> dimensions: of its points, and of each array of a point."""
    points = tuple(map(str, ds["status"].dims))
    names = {dims: name for name, dims in OVER.items()}
    rows = {POINTS: points}
    for variable in ds.data_vars.values():
        own = tuple(map(str, variable.dims[len(points) :]))
        if own and variable.dims[: len(points)] == points:
            rows[names.get(own, ",".join(own))] = (*points, *own)
    return rows
