"""Arrays, DataFrames, Datasets and NetCDF files as measured data over `point`, in the form that files of text give."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.problem import Problem
from otjdd.errors import DataError, ResultError
from otjdd.measurements.applied import with_rows
from otjdd.measurements.names import UNCERTAINTY, heading, long_name_of, unit_of
from otjdd.measurements.sweeps import restarts
from otjdd.results import hdf5
from otjdd.results.store import check_size
from otjdd.system.files import read_whole

if TYPE_CHECKING:
    import xarray as xr

DIMS = ("point", "read", "bias", "time")  # dimensions of a curve, in the order in which they are looked for


def from_netcdf(path: str | os.PathLike[str]) -> xr.Dataset:
    """The measured data in a NetCDF file, of otjdd or another program. Raises ResultError, DataError."""
    import xarray as xr

    data = read_whole(os.fspath(path))
    try:
        if fault := hdf5.foreign(data):
            raise ResultError(os.fspath(path), f"is not read as measured data: {fault}")
        check_size(os.fspath(path), hdf5.unpacked_bytes(data))
        with xr.open_dataset(io.BytesIO(data), engine="h5netcdf", decode_times=False, phony_dims="sort") as ds:
            content = with_points(ds.load())
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ResultError(os.fspath(path), "is no NetCDF4 file, or is damaged") from error
    return from_dataset(content, os.fspath(path))


def with_points(ds: xr.Dataset) -> xr.Dataset:
    """The content of a file, with the dimension of its vectors called `point` where the file gives dimensions no names.

    HDF5 files of other programs may not name dimensions. MATLAB since 7.3 writes a vector as a matrix of one row, whose
    dimension of length 1 is removed.
    """
    if not all(str(dim).startswith("phony_dim") for dim in ds.dims):
        return ds
    ds = ds.squeeze()
    return ds.rename({dim: "point" for dim in ds.dims}) if len(ds.dims) == 1 else ds


def from_arrays(data: Any, file: str = "data") -> xr.Dataset:
    """The measured data in a mapping name -> array, a DataFrame, or a Dataset. Names are as headers of a file.

    Raises DataError, also for arrays of different lengths; TypeError for another kind of object.
    """
    import xarray as xr

    if isinstance(data, xr.Dataset):
        return from_dataset(data, file)
    if not isinstance(data, Mapping) and not hasattr(data, "columns"):
        raise TypeError(f"expected a file, a Dataset, a DataFrame or a mapping of arrays, got {type(data).__name__}")
    arrays = {str(name): np.asarray(data[name]) for name in data}
    lengths = {name: array.shape for name, array in arrays.items()}
    if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
        raise DataError([Problem(file, 0, 0, "", "columns of one length", str(lengths))])
    return dataset_of_arrays(arrays, {}, file)


def from_dataset(ds: xr.Dataset, file: str = "data") -> xr.Dataset:
    """The curve in a Dataset: all variables over `point`, else over reads, bias voltages or time. Raises DataError."""
    dim = next((d for d in DIMS if d in ds.dims and ds.sizes[d] > 1), None)
    if dim is None:
        sizes = [f"{n} values" if str(d).startswith("phony_dim") else str(d) for d, n in ds.sizes.items()]
        raise DataError([Problem(file, 0, 0, "", f"data over {', '.join(DIMS)}", ", ".join(sizes) or "none")])
    if dim == "bias":
        ds = ds.squeeze()
    names = [name for name in ds.variables if ds[name].dims == (dim,) and ds[name].dtype.kind in "fiu"]
    units = {str(name): ds[name].attrs.get("units", "") for name in names}
    return dataset_of_arrays({str(name): ds[name].values for name in names}, units, file)


def dataset_of_arrays(arrays: Mapping[str, np.ndarray], units: Mapping[str, str], file: str) -> xr.Dataset:
    """Measured data of arrays (point,) by name. units : name -> unit as written. Raises DataError."""
    import xarray as xr

    variables: dict[str, tuple[str, np.ndarray, dict[str, str | int]]] = {}
    for name, array in arrays.items():
        read = heading(name)
        if read is None or name in ("line", "record", "branch") or read.quantity in variables:
            continue
        try:
            factor, offset = read.scale(read.unit or units.get(name, ""))
            values = np.asarray(array, dtype=float) * factor + offset
        except (ValueError, TypeError) as error:
            raise DataError([Problem(file, 0, 0, name, str(error))]) from None
        about = {"units": unit_of(read.measures), "long_name": long_name_of(read.measures), "header": name}
        variables[read.quantity] = ("point", values, about | ({"magnitude": 1} if read.magnitude else {}))
    if not any(not name.endswith(UNCERTAINTY) for name in variables):
        raise DataError(
            [Problem(file, 0, 0, "", "names of outputs, or V, I, R, G, C, t, n", ", ".join(arrays) or "none")]
        )
    finite = np.all([np.isfinite(v) for _, v, _ in variables.values()], axis=0)
    if finite.sum() < 2:
        raise DataError([Problem(file, 0, 0, "", "two points or more with a number in each column", str(finite.sum()))])
    lines = np.arange(1, len(finite) + 1)
    coords = {"line": ("point", lines), "order": ("point", lines - 1)}
    ds = xr.Dataset(variables, coords, {"file": file, "understood": ""})
    columns = {"line": lines, "order": lines - 1, **{name: values for name, (_, values, _) in variables.items()}}
    ds = with_rows(ds.isel(point=np.flatnonzero(finite)), columns)
    try:
        record = restarts(ds["time"].values) if "time" in ds else np.zeros(ds.sizes["point"], dtype=int)
    except ValueError as error:
        raise DataError([Problem(file, 0, 0, "time", f"the time runs back at point {error.args[0]}")]) from None
    ds.attrs["understood"] = f"{int(finite.sum())} of {len(finite)} points"
    return ds.assign_coords(record=("point", record))
