"""Measured data with their records as a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otjdd.measurements.applied import ROW

if TYPE_CHECKING:
    import xarray as xr


def by_record(ds: xr.Dataset) -> xr.Dataset:
    """Measured data over (record, point) in place of (point,), nan where a record has fewer points than another.

    ds : of `read_data`. `line` and other coordinates of a point keep their place; missing lines are -1
    """
    import xarray as xr

    ds = ds.drop_dims(ROW, errors="ignore")
    numbers, record = np.unique(ds["record"].values, return_inverse=True)
    counts = np.bincount(record)
    place = np.concatenate([np.arange(count) for count in counts])
    order = np.argsort(record, kind="stable")
    columns = {}
    for name, variable in ds.drop_vars("record").variables.items():
        values = variable.values[order]
        missing = np.nan if values.dtype.kind == "f" else -1 if values.dtype.kind == "i" else ""
        table = np.full((len(numbers), counts.max()), missing, dtype=values.dtype)
        table[record[order], place] = values
        columns[str(name)] = (("record", "point"), table, variable.attrs)
    whole = xr.Dataset(columns, {"record": numbers}, ds.attrs)
    return whole.set_coords([str(name) for name in ds.coords if name != "record"])
