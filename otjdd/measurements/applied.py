"""All rows of measured data, also those whose measured number is missing or left out.

The voltage, time or number of such a row still is a part of the waveform of the device and of the order of reads.
A Dataset with such rows has the coordinates `row_line`, `row_order`, `row_time`, `row_voltage` and so on over `row`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

APPLIED = ("write_voltage", "voltage", "field", "number", "time", "temperature")
ABOUT = ("line", "record", "order")
ROW = "row"


def with_rows(ds: xr.Dataset, columns: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Measured data with the coordinates of all rows; unchanged if every row is a point.

    columns : name -> values (row,) in all rows, with the line and the order; only APPLIED and ABOUT are used
    """
    applied = {name: values for name, values in columns.items() if name in APPLIED}
    finite = (
        np.all([np.isfinite(values) for values in applied.values()], axis=0) if applied else np.zeros(0, dtype=bool)
    )
    if finite.sum() <= ds.sizes["point"]:
        return ds
    about = {name: columns[name] for name in ABOUT if name in columns}
    return ds.assign_coords({f"{ROW}_{name}": (ROW, values[finite]) for name, values in (applied | about).items()})


def applied_rows(ds: xr.Dataset) -> xr.Dataset:
    """All rows of measured data as a Dataset over `point`: those of APPLIED and ABOUT that the data have."""
    import xarray as xr

    if ROW not in ds.dims:
        return ds[[name for name in APPLIED if name in ds]]
    columns = {
        name: ("point", ds[f"{ROW}_{name}"].values) for name in (*APPLIED, *ABOUT) if f"{ROW}_{name}" in ds.coords
    }
    return xr.Dataset(columns, attrs=ds.attrs).set_coords([name for name in ABOUT if name in columns])


def places(ds: xr.Dataset, rows: xr.Dataset) -> np.ndarray:
    """Index (point,) of the row of each point. rows : as of `applied_rows`"""
    return np.searchsorted(rows["order"].values, ds["order"].values)


def with_voltage(ds: xr.Dataset, thickness: float) -> xr.Dataset:
    """Measured data with a voltage in place of a field: the field times the thickness [m] of the film."""
    if "field" not in ds or {"voltage", "write_voltage"} & set(ds):
        return ds
    about = ds["field"].attrs | {"units": "V", "long_name": "field times the thickness of the film"}
    ds = ds.assign(voltage=("point", thickness * ds["field"].values, about)).drop_vars("field")
    if f"{ROW}_field" in ds.coords:
        rows = thickness * ds[f"{ROW}_field"].values
        ds = ds.assign_coords({f"{ROW}_voltage": (ROW, rows)}).drop_vars(f"{ROW}_field")
    return ds


def without_condition(ds: xr.Dataset, name: str) -> xr.Dataset:
    """Measured data without a quantity, also in their rows."""
    return ds.drop_vars([variable for variable in (name, f"{ROW}_{name}") if variable in ds.variables])
