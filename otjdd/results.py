"""Results: the table of all outputs, the Dataset made of them, its file, and where it came from.

A file is NetCDF4 (HDF5) and sealed: see `otjdd.files`. Besides, every array carries its own fletcher32 checksum for
readers that do not know the seal, and the attribute `data_sha256` identifies the numbers whatever file holds them.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.files import ResultError, read_whole, sealed, unsealed, write_whole

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["OUTPUTS", "ResultError", "data_sha256", "dataset", "provenance", "read", "write"]

FORMAT = "otjdd result 1"
SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_LOADED_BYTES = 16 * 2**30


class Output(NamedTuple):
    """One line of the table: dimensions, unit, and what it is."""

    dims: tuple[str, ...]
    unit: str
    long_name: str


def _outputs(rows: dict) -> dict[str, Output]:
    return {name: Output(tuple(dims.split()), unit, long_name) for name, (dims, unit, long_name) in rows.items()}


OUTPUTS = _outputs({
    # coordinates
    "time": ("time", "s", "time"),
    "x": ("x", "m", "distance from the left electrode, cell centres"),
    "bias": ("bias", "V", "voltage at the source"),
    "temperature": ("temperature", "K", "temperature"),
    "state": ("state", "1", "state prepared before the curve"),
    # in time
    "voltage": ("time", "V", "voltage at the source"),
    "junction_voltage": ("time", "V", "voltage across the junction"),
    "band_bending": ("time", "eV", "band bending of the right electrode at the interface"),
    "electrode_charge": ("time", "C m-2", "areal charge of the left electrode"),
    "right_electrode_charge": ("time", "C m-2", "areal charge of the right electrode"),
    "vacancy_mean_position": ("time", "m", "mean distance of the vacancies from the left electrode"),
    "current": ("time", "A", "current that the instrument reads"),
    "conduction_current": ("time", "A", "conduction current"),
    "displacement_current": ("time", "A", "displacement current, mean over the interval that ends here"),
    "vacancy_balance": ("time", "1", "relative change of the number of vacancies"),
    # profiles
    "cell_width": ("x", "m", "cell width"),
    "snapshot_time": ("snapshot", "s", "time of the profiles"),
    "vacancy_concentration": ("snapshot x", "m-3", "vacancy concentration, mean over the columns"),
    "vacancy_concentration_columns": ("snapshot column x", "m-3", "vacancy concentration of each column"),
    "conduction_band": ("snapshot x", "eV", "conduction band edge above the Fermi level of the right electrode"),
    "film_electron_ratio": ("snapshot", "1", "largest ratio of would-be electrons to vacancy charge in the film"),
    "band_position": ("snapshot band", "m", "position in the band diagram, electrodes included"),
    "band_edge": ("snapshot band", "eV", "conduction band edge in the band diagram"),
    "spectrum_energy": ("snapshot energy", "eV", "energy of the tunnelling electrons"),
    "spectrum_density": ("snapshot energy", "A m-2 eV-1", "current density per energy"),
    "column_weight": ("column", "1", "share of the area"),
    # reads
    "read_time": ("read", "s", "time of the read"),
    "write_voltage": ("read", "V", "voltage of the write before the read"),
    "read_voltage": ("read", "V", "voltage of the source at the read"),
    "read_current": ("read", "A", "current read"),
    "read_resistance": ("read", "ohm", "resistance read"),
    "tunnelling_share": ("read", "1", "share of the current below the top of the barrier"),
    "transport_energy": ("read", "eV", "mean energy of the current"),
    # current against voltage with frozen ions
    "bias_current": ("state temperature bias", "A", "current"),
    "bias_junction_voltage": ("state temperature bias", "V", "voltage across the junction"),
    "bias_tunnelling_share": ("state temperature bias", "1", "share of the current below the top of the barrier"),
    "bias_transport_energy": ("state temperature bias", "eV", "mean energy of the current"),
})  # fmt: skip


def dataset(arrays: Mapping, coords: Mapping | None = None, attrs: Mapping | None = None) -> xr.Dataset:
    """Dataset of named arrays with the dimensions, units and long names of OUTPUTS.

    arrays, coords: name -> array-like, SI, energies in eV
    Raises ValueError for a name that is not in the table and for a shape that does not fit it or the other arrays.
    """
    import xarray as xr

    sizes: dict[str, tuple[int, str]] = {}
    made = [{name: _variable(name, value, sizes) for name, value in (some or {}).items()} for some in (arrays, coords)]
    return xr.Dataset(*made, attrs=dict(attrs or {}))


def _variable(name: str, value, sizes: dict):
    """(dims, array, attrs) of one output; `sizes` remembers the length of each dimension and who set it."""
    if name not in OUTPUTS:
        close = difflib.get_close_matches(name, OUTPUTS, n=1)
        raise ValueError(f"there is no output {name!r}" + f" (did you mean {close[0]!r}?)" * bool(close))
    dims, unit, long_name = OUTPUTS[name]
    array = np.asarray(value, dtype=None if name == "state" else float)
    if array.ndim != len(dims):
        raise ValueError(f"{name} has the dimensions {dims}, not the shape {array.shape}")
    for dim, size in zip(dims, array.shape, strict=True):
        known, other = sizes.setdefault(dim, (size, name))
        if size != known:
            raise ValueError(f"{name} is {size} long in {dim}, {other} is {known}")
    return dims, array, {"units": unit, "long_name": long_name}


def write(ds: xr.Dataset, path: str | Path, overwrite: bool = True) -> None:
    """Write a Dataset to `path`, whole or not at all. Raises ResultError; then `path` is as it was before."""
    stamped = ds.assign_attrs(format=FORMAT, data_sha256=data_sha256(ds))
    # In memory first: HDF5 itself crashes the process when it meets a full disk.
    encoding = {str(name): _encoding(variable) for name, variable in stamped.variables.items()}
    write_whole(path, sealed(stamped.to_netcdf(engine="h5netcdf", encoding=encoding)), overwrite)


def _encoding(variable) -> dict:
    # Variable-length strings take no checksum, characters do.
    encoding = {"dtype": "S1"} if variable.dtype.kind in "UOT" else {"_FillValue": None}
    if variable.size and variable.ndim:
        encoding |= {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}
    return encoding


def read(path: str | Path) -> xr.Dataset:
    """Load a result. Raises ResultError when it is missing, damaged, cut short, or not of otjdd."""
    import xarray as xr

    data = read_whole(path)
    if not data.startswith(SIGNATURE):
        raise ResultError(path, "is empty" if not data else "is not a NetCDF4 file")
    body = unsealed(path, data)
    try:
        with xr.open_dataset(io.BytesIO(body), engine="h5netcdf", decode_timedelta=False) as lazy:
            if lazy.nbytes > MAX_LOADED_BYTES:
                raise ResultError(path, f"would take {lazy.nbytes / 2**30:.0f} GiB of memory")
            ds = lazy.load()
    except ResultError:
        raise
    except Exception as error:  # the seal fits, so whoever wrote this did not write a Dataset
        raise ResultError(path, f"is not an otjdd result ({error})") from error
    if ds.attrs.get("format") != FORMAT:
        raise ResultError(path, f"is not of the format {FORMAT!r}")
    if ds.attrs.get("data_sha256") != data_sha256(ds):
        raise ResultError(path, "is damaged: its numbers do not fit their checksum")
    return ds


def data_sha256(ds: xr.Dataset) -> str:
    """sha256 over names, dimensions, types and bytes of all variables: equal for equal numbers, in any file."""
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


def provenance(
    case_text: str,
    resolved: str,
    *,
    title: str = "",
    statistics: Mapping | None = None,
    wall_time: float = float("nan"),
) -> dict:
    """Attributes that say where a result came from; no names of hosts, users or folders among them.

    case_text, resolved: the case as written and with everything filled in
    statistics: name -> number or text, of the solver; stored as solver_<name>    wall_time: s
    """
    import datetime
    import platform

    case = {"title": title, "case": case_text, "case_sha256": hashlib.sha256(case_text.encode()).hexdigest()}
    versions = {f"{package}_version": _version(package) for package in ("otjdd", "numpy", "numba", "scipy", "xarray")}
    machine = {"python_version": platform.python_version(), "system": platform.system(), "processor": _processor()}
    run = {"created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "wall_time": float(wall_time)}
    solver = {f"solver_{name}": _plain(value) for name, value in (statistics or {}).items()}
    return {**case, "case_resolved": resolved, **versions, **machine, **run, **solver}


def _plain(value):
    """A value that NetCDF has a type for."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float | str) else json.dumps(value, default=str)


@cache
def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


@cache
def _processor() -> str:
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
