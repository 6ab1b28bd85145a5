"""Results as files: written whole or not at all, and read only if no byte has changed.

A file is NetCDF4 (HDF5) and sealed, see `otjdd.system.files`. Every array also has a fletcher32 checksum, for readers that
do not know the seal. The attribute `data_sha256` identifies the numbers in any file.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.errors import ResultError
from otjdd.results import hdf5, outputs
from otjdd.system import limits
from otjdd.system.files import HDF5, read_whole, sealed, unsealed, write_whole

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "otjdd result 1"
COPIES = 3  # of the arrays of a result that are in memory at a time, while it is checked, drawn or exported


def write(ds: xr.Dataset, path: str | Path, overwrite: bool = True) -> None:
    """Write a Dataset to `path`, whole or not at all. Raises ResultError, and leaves `path` unchanged then."""
    write_whole(path, encoded(ds), overwrite)


def write_or_save_elsewhere(ds: xr.Dataset, path: Path) -> None:
    """Write a Dataset to `path`. If that fails, write it into a new folder elsewhere and raise ResultError.

    The ResultError names the new folder, unless that could not be written either.
    """
    try:
        write(ds, path)
    except ResultError as error:
        rescued = saved_elsewhere(ds, path.name)
        if rescued is None:
            raise
        raise ResultError(path, error.reason, f"the result is kept in {rescued}") from error


def saved_elsewhere(ds: xr.Dataset, name: str) -> Path | None:
    """Write a Dataset into a new folder, in the first place that is writable. Returns its path; None without any."""
    for place in (tempfile.gettempdir(), os.path.expanduser("~"), os.curdir):
        with contextlib.suppress(ResultError, OSError):
            folder = Path(tempfile.mkdtemp(prefix="otjdd-", dir=place))
            for short in dict.fromkeys((name, "result.nc")):  # the name may be the reason
                with contextlib.suppress(ResultError, OSError):
                    write(ds, folder / short)
                    return folder / short
            folder.rmdir()
    return None


def encoded(ds: xr.Dataset) -> bytes:
    """Bytes of the file of a Dataset."""
    stamped = ds.assign_attrs(format=FORMAT, data_sha256=data_sha256(ds))
    # In memory first: HDF5 crashes the process on a full disk.
    encoding = {str(name): _encoding(variable) for name, variable in stamped.variables.items()}
    return sealed(stamped.to_netcdf(engine="h5netcdf", encoding=encoding))


def _encoding(variable: xr.Variable) -> dict[str, Any]:
    # HDF5 has checksums for arrays of characters, not for variable-length strings.
    encoding: dict[str, Any] = {"dtype": "S1"} if variable.dtype.kind in "UOT" else {"_FillValue": None}
    if variable.size and variable.ndim:
        encoding |= {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}
    return encoding


def read(path: str | Path) -> xr.Dataset:
    """Load a result. Raises ResultError if it is missing, damaged, cut short, or not written by otjdd."""
    import xarray as xr

    data = read_whole(path)
    if not data.startswith(HDF5):
        raise ResultError(path, "is empty" if not data else "is not a NetCDF4 file")
    body = unsealed(path, data)
    try:
        if fault := hdf5.foreign(body):
            raise ResultError(path, f"is not an otjdd result: {fault}")
        check_size(path, hdf5.unpacked_bytes(body))
        with xr.open_dataset(io.BytesIO(body), engine="h5netcdf", decode_timedelta=False) as lazy:
            ds = lazy.load()
    except ResultError:
        raise
    except Exception as error:  # the seal is right, so the file was written whole, but not as a Dataset
        raise ResultError(path, f"is not an otjdd result ({error})") from error
    if ds.attrs.get("format") != FORMAT:
        raise ResultError(path, f"is not of the format {FORMAT!r}")
    ds = ds.set_coords([name for name in outputs.COORDINATES if name in ds.data_vars])  # older results had fewer
    if ds.attrs.get("data_sha256") != data_sha256(ds):
        raise ResultError(path, "is damaged: its numbers do not fit their checksum")
    numbers = outputs.OUTPUTS.keys() - outputs.TEXTS
    for name, variable in ds.variables.items():
        if name in numbers and variable.dtype.kind in "UOST":
            raise ResultError(path, f"is not an otjdd result: {name} holds text, not numbers")
    return ds


def check_size(path: str | Path, size: float) -> None:
    """Raise ResultError if COPIES of arrays of a size [bytes] exceed the free memory. A small compressed file may do so."""
    if (needed := COPIES * size) > (free := limits.free_memory()):
        reason = f"takes {needed / 2**30:.3g} GiB of memory when it is read, {free / 2**30:.3g} GiB are free"
        raise ResultError(path, reason)


def data_sha256(ds: xr.Dataset) -> str:
    """sha256 of names, dimensions, types and bytes of all variables: equal for equal numbers, in any file."""
    digest = hashlib.sha256()
    for name in sorted(ds.variables, key=str):
        variable = ds.variables[name]
        text = variable.dtype.kind in "UOT"
        values = np.asarray(variable.values, dtype=str if text else variable.dtype.newbyteorder("<"))
        head = [str(name), variable.dims, variable.shape, "text" if text else values.dtype.str]
        body = json.dumps(values.tolist()).encode() if text else values.tobytes()
        digest.update(json.dumps(head).encode())
        digest.update(body)
    return digest.hexdigest()
