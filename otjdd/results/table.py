"""Tables of a result: its time series at even times, and its variables over one dimension as comma-separated text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from otjdd.results.provenance import ENGINE
from otjdd.system.files import write_whole
from otjdd.units import parse

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]
    import xarray as xr

MAX_SAMPLES = 10_000_000
POINTS = "points"  # of a study
# meaning of a row -> dimensions of the variables in a table; the default is the first that a result has
OVER = {
    "read": ("read",),
    "frequency": ("state", "temperature", "bias", "frequency"),
    "bias": ("state", "temperature", "bias"),
    "time": ("time",),
    "snapshot": ("snapshot",),
}


def resample(ds: xr.Dataset, step: float | str) -> xr.Dataset:
    """The time series of a result at even times, from the first one on.

    step : between two times, s or text with a unit ("10 us")
    Linear between recorded times. `displacement_current` stays the mean over the interval that ends at a time, so that its
    integral is the charge. Variables without time are kept, with the attributes.
    Raises ValueError for a step that is not above zero, or makes more than MAX_SAMPLES times, and for a result without
    a time series.
    """
    import xarray as xr

    step = parse(step, "time") if isinstance(step, str) else float(step)
    t = np.asarray(ds["time"].values) if "time" in ds.dims else np.zeros(0)
    if not t.size:
        raise ValueError("this result has no time series to resample")
    if not step > 0 or not (t[-1] - t[0]) / step < MAX_SAMPLES:
        raise ValueError(f"expected a step above 0 s that makes at most {MAX_SAMPLES:,} times, got {step:g} s")
    even = t[0] + step * np.arange(1 + int((t[-1] - t[0]) / step * (1 + 1e-12)))
    made: dict[str, xr.Variable] = {}
    for name, variable in ds.variables.items():
        if variable.dims == ("time",) and name != "time":
            values = variable.values
            if name == "displacement_current":
                charge = np.interp(even, t, np.concatenate(([0.0], np.cumsum(values[1:] * np.diff(t)))))
                values = np.concatenate(([0.0], np.diff(charge) / step))
            else:
                values = np.interp(even, t, values)
            made[str(name)] = xr.Variable("time", values, variable.attrs)
    return ds.drop_dims("time").assign(made).assign_coords(time=("time", even, ds["time"].attrs))


def to_csv(ds: xr.Dataset, path: str | os.PathLike[str], over: str | None = None) -> None:
    """Write the variables over one dimension as comma-separated text, whole or not at all: a header `name (unit)`, SI.

    over : "read", "time", "snapshot", "bias" (a row for each state, temperature and bias) or "frequency" (for each of these
    and frequency); "points" of a study. By default the points of a study, or the reads if there are any, else the first
    that a result has.
    Raises ValueError when the result has no such rows, ResultError when the file cannot be written.
    """
    write_whole(Path(path), table(ds, over).to_csv(index=False, lineterminator="\n").encode())


def table(ds: xr.Dataset, over: str | None = None) -> pd.DataFrame:
    """The same as a pandas.DataFrame, its columns named `name (unit)`. Raises ValueError."""
    dims = dims_over(ds, over)
    names = [name for name, variable in ds.data_vars.items() if variable.dims == dims]
    kept = [*(name for name, c in ds.coords.items() if c.dims and set(c.dims) <= set(dims)), *names]
    units = {name: f"{name} ({ds[name].attrs.get('units', '1')})" for name in kept}
    frame = ds[kept].to_dataframe(dim_order=list(dims)).reset_index()
    return frame[kept].rename(columns=units)


def dims_over(ds: xr.Dataset, over: str | None) -> tuple[str, ...]:
    """Dimensions of the variables of a table. Raises ValueError, naming what the result has."""
    if ENGINE in ds.attrs:
        known = {POINTS: tuple(map(str, ds["status"].dims))}
    else:
        known = {name: dims for name, dims in OVER.items() if set(dims) <= set(ds.dims) and ds.sizes[dims[-1]]}
    if over is None and known:
        return next(iter(known.values()))
    if over not in known:
        raise ValueError(f"this result has no rows over {over!r}; it has {', '.join(known) or 'nothing to tabulate'}")
    return known[over]
