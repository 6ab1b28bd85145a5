"""Measured data as Datasets over `point`: of arrays, DataFrames, Datasets and NetCDF files; several files as one; records.

Rows whose measured number is missing or left out are no points, but their voltage, time or number still is a part of the
waveform of the device and of the order of reads. A Dataset with such rows has the coordinates `row_line`, `row_order`,
`row_time`, `row_voltage` and so on over `row`.

Names of files give conditions: `{temperature}K` of jv-350K.csv is 350 K.
"""

from __future__ import annotations

import glob
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.analysis.sweeps import restarts
from otjdd.case.problem import data_error
from otjdd.errors import ResultError
from otjdd.measurements.names import (
    QUANTITIES,
    SWEPT,
    UNCERTAINTY,
    has_unit,
    heading,
    long_name_of,
    quantity_of_name,
    scale_to,
    unit_of,
)
from otjdd.results import store
from otjdd.results.store import check_size
from otjdd.system.files import read_whole
from otjdd.system.late import xr

OF_ROWS = (*SWEPT, "temperature")
ABOUT = ("line", "record", "order")
ROW = "row"


def with_rows(ds: xr.Dataset, columns: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Measured data with the coordinates of all rows; unchanged if every row is a point.

    columns : name -> values (row,) in all rows, with the line and the order; only OF_ROWS and ABOUT are used
    """
    applied = {name: values for name, values in columns.items() if name in OF_ROWS}
    finite = np.all([np.isfinite(values) for values in applied.values()], axis=0)
    if not applied or finite.sum() <= ds.sizes["point"]:
        return ds
    about = {name: columns[name] for name in ABOUT if name in columns}
    return ds.assign_coords({f"{ROW}_{name}": (ROW, values[finite]) for name, values in (applied | about).items()})


def applied_rows(ds: xr.Dataset) -> xr.Dataset:
    """All rows of measured data as a Dataset over `point`, with the columns of OF_ROWS and ABOUT that the data have."""
    if ROW not in ds.dims:
        return ds[[name for name in OF_ROWS if name in ds]]
    columns = {
        name: ("point", ds[f"{ROW}_{name}"].values) for name in (*OF_ROWS, *ABOUT) if f"{ROW}_{name}" in ds.coords
    }
    return xr.Dataset(columns, attrs=ds.attrs).set_coords([name for name in ABOUT if name in columns])


def row_of_point(ds: xr.Dataset, rows: xr.Dataset) -> np.ndarray:
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


DIMS = ("point", "read", "bias", "time")  # dimensions of a curve, in the order in which they are looked for


def from_netcdf(path: str | os.PathLike[str]) -> xr.Dataset:
    """The measured data in a NetCDF file, of otjdd or another program. Raises ResultError, DataError."""
    data = read_whole(os.fspath(path))
    try:
        if fault := store.foreign_object(data):
            raise ResultError(os.fspath(path), f"is not read as measured data: {fault}")
        check_size(os.fspath(path), store.unpacked_bytes(data))
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


def from_arrays(data: Any) -> xr.Dataset:
    """The measured data in a mapping name -> array, a DataFrame, or a Dataset. Names are as headers of a file.

    Raises DataError, also for arrays of different lengths; TypeError for another kind of object.
    """
    if isinstance(data, xr.Dataset):
        return from_dataset(data, "data")
    if not isinstance(data, Mapping) and not hasattr(data, "columns"):
        raise TypeError(f"expected a file, a Dataset, a DataFrame or a mapping of arrays, got {type(data).__name__}")
    arrays = {str(name): np.asarray(data[name]) for name in data}
    lengths = {name: array.shape for name, array in arrays.items()}
    if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
        raise data_error("data", 0, "columns of one length", str(lengths))
    return dataset_of_arrays(arrays, {}, "data")


def from_dataset(ds: xr.Dataset, file: str) -> xr.Dataset:
    """The curve in a Dataset: all variables over `point`, else over reads, bias voltages or time. Raises DataError."""
    dim = next((d for d in DIMS if d in ds.dims and ds.sizes[d] > 1), None)
    if dim is None:
        sizes = [f"{n} values" if str(d).startswith("phony_dim") else str(d) for d, n in ds.sizes.items()]
        raise data_error(file, 0, f"data over {', '.join(DIMS)}", ", ".join(sizes) or "none")
    if dim == "bias":
        ds = ds.squeeze()
    names = [name for name in ds.variables if ds[name].dims == (dim,) and ds[name].dtype.kind in "fiu"]
    units = {str(name): ds[name].attrs.get("units", "") for name in names}
    return dataset_of_arrays({str(name): ds[name].values for name in names}, units, file)


def dataset_of_arrays(arrays: Mapping[str, np.ndarray], units: Mapping[str, str], file: str) -> xr.Dataset:
    """Measured data of arrays (point,) by name. units : name -> unit as written. Raises DataError."""
    variables: dict[str, tuple[str, np.ndarray, dict[str, str | int]]] = {}
    for name, array in arrays.items():
        read = heading(name)
        if read is None or name in ("line", "record", "branch") or read.quantity in variables:
            continue
        try:
            factor, offset = read.scale(read.unit or units.get(name, ""))
            values = np.asarray(array, dtype=float) * factor + offset
        except (ValueError, TypeError) as error:
            raise data_error(file, 0, str(error), key=name) from None
        about = {"units": unit_of(read.measures), "long_name": long_name_of(read.measures), "header": name}
        variables[read.quantity] = ("point", values, about | ({"magnitude": 1} if read.magnitude else {}))
    if not any(not name.endswith(UNCERTAINTY) for name in variables):
        raise data_error(file, 0, "names of outputs, or V, I, R, G, C, t, n", ", ".join(arrays) or "none")
    finite = np.all([np.isfinite(v) for _, v, _ in variables.values()], axis=0)
    if finite.sum() < 2:
        raise data_error(file, 0, "two points or more with a number in each column", str(finite.sum()))
    lines = np.arange(1, len(finite) + 1)
    coords = {"line": ("point", lines), "order": ("point", lines - 1)}
    ds = xr.Dataset(variables, coords, {"file": file, "understood": ""})
    columns = {"line": lines, "order": lines - 1, **{name: values for name, (_, values, _) in variables.items()}}
    ds = with_rows(ds.isel(point=np.flatnonzero(finite)), columns)
    try:
        record = restarts(ds["time"].values) if "time" in ds else np.zeros(ds.sizes["point"], dtype=int)
    except ValueError as error:
        raise data_error(file, 0, f"the time runs back at point {error.args[0]}", key="time") from None
    ds.attrs["understood"] = f"{int(finite.sum())} of {len(finite)} points"
    return ds.assign_coords(record=("point", record))


FIELD = re.compile(r"\{(\w+)\}")
NUMBER_IN_NAME = r"[-+]?\d+(?:[.p,]\d+)?(?:e[-+]?\d+)?"  # 300, 1.5, 1p5


def source_paths(source: Any) -> list[Path]:
    """Paths of a source: a path, a pattern with "*", "?" or "[" in the order of names, or several paths and patterns.

    Raises FileNotFoundError for a pattern that fits no file.
    """
    if not isinstance(source, str | os.PathLike):
        return [file for part in source for file in source_paths(part)]
    if Path(source).exists() or not glob.has_magic(os.fspath(source)):
        return [Path(source)]
    files = [Path(name) for name in sorted(glob.glob(os.fspath(source)))]
    if not files:
        raise FileNotFoundError(2, "no file fits this pattern", os.fspath(source))
    return files


def conditions(path: str | os.PathLike[str], pattern: str) -> dict[str, tuple[float, str] | str]:
    """Conditions in the name of a file: quantity -> (value [SI], its words), other field -> text; {} without a pattern.

    pattern : text with fields of names, "{temperature}K"; the letters behind a quantity are its unit
    Raises ValueError for a pattern without a field, DataError for a name that does not fit the pattern.
    """
    if not pattern:
        return {}
    fields = FIELD.findall(pattern)
    if not fields:
        raise ValueError(f'{pattern!r} has no field in braces, such as "{{temperature}}K"')
    shape, units = "", {}
    for i, text in enumerate(FIELD.split(pattern)):
        if i % 2 == 0:
            shape += re.escape(text)
            continue
        quantity = quantity_of_name(text)
        shape += f"(?P<{text}>{NUMBER_IN_NAME})" if quantity else f"(?P<{text}>[^_\\s]+?)"
        behind = re.match(r"[A-Za-z°]*", FIELD.split(pattern)[i + 1])
        units[text] = behind[0] if behind and quantity and has_unit(quantity, behind[0]) else ""
    name = Path(path).stem
    match = re.search(rf"(?<![\w.+]){shape}(?![A-Za-z0-9])", name) or re.search(rf"{shape}(?![A-Za-z0-9])", name)
    if not match:
        raise data_error(os.fspath(path), 0, f"a name with {pattern!r} in it, as --from-name says", repr(name))
    values: dict[str, tuple[float, str] | str] = {}
    for field in fields:
        if quantity := quantity_of_name(field):
            factor, offset = scale_to(units[field], quantity)
            number, unit = float(re.sub("[p,]", ".", match[field])), units[field] or unit_of(quantity)
            values[quantity] = number * factor + offset, f"{number:g} {unit} in the name of the file"
        else:
            values[field] = match[field]
    return values


def with_conditions(ds: xr.Dataset, values: Mapping[str, tuple[float, str] | str]) -> xr.Dataset:
    """Measured data with conditions common to all points: quantities as variables, other names as coordinates (point,)."""
    for name, value in values.items():
        if isinstance(value, str):
            ds = ds.assign_coords({name: ("point", np.full(ds.sizes["point"], value))})
            ds.attrs["understood"] += f"\n{name} {value}"
            continue
        number, words = value
        about = {"units": unit_of(name), "long_name": long_name_of(name), "header": words, "condition": 1}
        ds = ds.assign({name: ("point", np.full(ds.sizes["point"], number), about)})
        if ROW in ds.dims and name in OF_ROWS:
            ds = ds.assign_coords({f"{ROW}_{name}": (ROW, np.full(ds.sizes[ROW], number))})
        if name not in QUANTITIES or name == "temperature":
            ds.attrs["understood"] += f"\n{long_name_of(name)} {number:g} {unit_of(name)}, from {words!r}"
    return ds


def one_after_another(parts: Sequence[xr.Dataset], source: Any) -> xr.Dataset:
    """The points of several files as one Dataset, each file a record or several; the coordinate `file` names it.

    Raises DataError for files that do not hold the same quantities.
    """
    names = set(parts[0].data_vars)
    for ds in parts[1:]:
        if set(ds.data_vars) != names:
            got = f"{', '.join(map(str, ds.data_vars))} with {', '.join(map(str, parts[0].data_vars))}"
            raise data_error(ds.attrs["file"], 0, "the quantities of the other files", got)
    points, rows, records, order = [], [], 0, 0
    for ds in parts:
        own = applied_rows(ds)
        record = own["record"].values
        shift = {"record": record + records, "order": own["order"].values + order}
        points.append(
            ds.drop_dims(ROW, errors="ignore").assign_coords(
                record=("point", ds["record"].values + records), order=("point", ds["order"].values + order),
                file=("point", np.full(ds.sizes["point"], os.path.basename(ds.attrs["file"]))),
            )
        )  # fmt: skip
        rows.append({str(n): own[n].values for n in own.variables} | shift)
        records, order = records + int(record.max()) + 1, order + int(own["order"].max()) + 1
    whole = xr.concat(points, "point", combine_attrs="override", coords="minimal", join="override", compat="override")
    for name in whole.data_vars:
        whole[name].attrs.pop("condition", None)
    notes = [f"{len(parts)} files, one after the other", *str(parts[0].attrs["understood"]).split("\n")]
    file = os.fspath(source) if isinstance(source, str | os.PathLike) else f"{len(parts)} files"
    whole.attrs = {"file": file, "understood": "\n".join(notes)}
    shared = set.intersection(*(set(row) for row in rows))
    return with_rows(whole, {name: np.concatenate([row[name] for row in rows]) for name in shared})


def by_record(ds: xr.Dataset) -> xr.Dataset:
    """Measured data over (record, point) in place of (point,), nan where a record has fewer points than another.

    ds : of `read_data`. `line` and other coordinates of a point keep their place; missing lines are -1
    """
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
