"""Results as files: written whole or not at all, and read only if no byte has changed.

A file is NetCDF4 (HDF5) and sealed, see `otjdd.system.files`. Every array also has a fletcher32 checksum, for readers that
do not know the seal. The attribute `data_sha256` identifies the numbers in any file.

A file may only hold arrays whose data are in the file itself. HDF5 can also refer to other files: as the storage of an
array, as parts of a virtual array, as the target of a link. Reading such an array opens these files, whatever they are;
reading a pipe would never end.

Files are written with a result: a fitted case, a picture, the exports of a compact model. An attribute of the result has
the digest of each. A file that still has this digest is replaced, or removed if the new result has no such file. Any other
file of such a name, a user's own file or an edited one, is never touched, unless the user has named its path.

The attributes of a result state its provenance: case, versions, machine, solver.

Points of studies and checkpoints of runs are smaller files with the same seal, since NetCDF4 takes a hundred times as long
to write: a line of JSON with the format, and the numbers of named arrays in its order.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import io
import json
import math
import os
import platform
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.errors import ResultError
from otjdd.results import outputs
from otjdd.system import limits, sources
from otjdd.system.files import (
    FORMATS,
    HDF5,
    check_format,
    format_of,
    read_whole,
    sealed,
    unsealed,
    write_together,
    write_whole,
)
from otjdd.system.late import h5py, metadata, xr

ENGINE = "study_engine"  # attribute of the Datasets of studies, and of those alone
MARKS = {  # kind of Dataset -> attribute that says so, and its value. The version is in the attribute NAME_version
    "compact model": ("model", "compact model"),
    "fit": ("fit", "otjdd fit"),
    "calibration": ("calibration", "otjdd calibration"),
}

CONVENTIONS = "CF-1.11"  # units by UDUNITS, coordinates; names of outputs are otjdd's own


def provenance(
    case_text: str,
    resolved: str,
    *,
    title: str = "",
    statistics: Mapping[str, object] | None = None,
    wall_time: float = float("nan"),
) -> dict[str, Any]:
    """Attributes of the provenance, without names of hosts, users or folders.

    case_text, resolved : the case as written, and with all defaults
    statistics : name -> number or text, of the solver; stored as solver_<name>   wall_time : [s]
    """
    case = {"title": title, "case": case_text, "case_sha256": hashlib.sha256(case_text.encode()).hexdigest()}
    versions = {f"{package}_version": _version(package) for package in ("otjdd", "numpy", "numba", "scipy", "xarray")}
    machine = {"python_version": platform.python_version(), "system": platform.system(), "processor": _processor()}
    run = {"created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "wall_time": float(wall_time)}
    solver = {f"solver_{name}": _plain(value) for name, value in (statistics or {}).items()}
    case |= {"case_resolved": resolved, "source_sha256": sources.digest()}
    return {"Conventions": CONVENTIONS, **case, **versions, **machine, **run, **solver}


def _plain(value: object) -> int | float | str:
    """The value as a type that NetCDF has."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float | str) else json.dumps(value, default=str)


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}  # that otjdd writes; HDF5 would load others from libraries


def foreign_object(data: bytes) -> str:
    """The first object of an HDF5 file that is not an array stored in the file itself, in words; "" if there is none.

    Reads descriptions and no array. Raises OSError, RuntimeError, ValueError for a file that is no HDF5 file.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        root = file.id
        for name in root:
            object_name = ascii(name.decode("utf-8", "replace"))
            if root.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                return f"{object_name} is a link"
            inner = h5py.h5o.open(root, name)
            if not isinstance(inner, h5py.h5d.DatasetID):
                return f"{object_name} is no array"
            if fault := outside(inner.get_create_plist()):
                return f"{object_name} {fault}"
    return ""


def unpacked_bytes(data: bytes) -> float:
    """Memory that the arrays of an HDF5 file take when they are read [bytes]; a compressed file may be much smaller.

    Reads descriptions and no array. Raises OSError, RuntimeError, ValueError for a file that is no HDF5 file.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        arrays = [item for item in file.values() if isinstance(item, h5py.Dataset)]
        return float(sum(math.prod(map(float, array.shape or ())) * array.dtype.itemsize for array in arrays))


def outside(properties: h5py.h5p.PropDCID) -> str:
    """Fault of the storage of an array, in words: another file, other arrays or an unknown filter; "" if there is none."""
    if properties.get_external_count():
        return "is kept in another file"
    if properties.get_layout() == h5py.h5d.VIRTUAL:
        return "is made of other arrays"
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    unknown = [number for number in filters if number not in FILTERS]
    return f"is kept by the filter {unknown[0]}" if unknown else ""


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
    stamped = ds.assign_attrs(format=format_of("result"), data_sha256=data_sha256(ds))
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
    data = read_whole(path)
    if not data.startswith(HDF5):
        raise ResultError(path, "is empty" if not data else "is not a NetCDF4 file")
    body = unsealed(path, data)
    try:
        if fault := foreign_object(body):
            raise ResultError(path, f"is not an otjdd result: {fault}")
        check_size(path, unpacked_bytes(body))
        with xr.open_dataset(io.BytesIO(body), engine="h5netcdf", decode_timedelta=False) as lazy:
            ds = lazy.load()
    except ResultError:
        raise
    except Exception as error:  # the seal is right, so the file was written whole, but not as a Dataset
        raise ResultError(path, f"is not an otjdd result ({error})") from error
    check_format(path, "result", ds.attrs.get("format"))
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


COMPANIONS = "companions"  # attribute: the names of the files, relative to the folder of the result, and their sha256


def written_with(result: Path) -> dict[Path, str]:
    """Path -> sha256 of the files that were written with a result; {} where there is no result of otjdd."""
    try:
        digests = json.loads(read(result).attrs.get(COMPANIONS, "{}"))
        return {result.parent / name: str(sha256) for name, sha256 in digests.items()}
    except (ResultError, ValueError, TypeError, AttributeError):
        return {}


def is_unchanged(path: Path, sha256: str) -> bool:
    """True for a file with this digest."""
    try:
        return hashlib.sha256(read_whole(path)).hexdigest() == sha256
    except ResultError:
        return False


def check_replaceable(result: Path, paths: Iterable[Path]) -> None:
    """Raise ResultError if one of the paths holds anything else than a file that was written with the result."""
    earlier = written_with(result)
    for path in paths:
        if path.exists() and not (path in earlier and is_unchanged(path, earlier[path])):
            raise ResultError(path, f"was not written with {result}, or was edited", "move it, or choose another name")


def format_attributes(kind: str) -> dict[str, Any]:
    """Attributes of a Dataset of a kind, one of MARKS: what it is, and the version of its format."""
    name, value = MARKS[kind]
    return {name: value, f"{name}_version": FORMATS[kind]}


def is_of_kind(ds: xr.Dataset, kind: str) -> bool:
    """True for a Dataset of a kind, one of MARKS, of any version."""
    name, value = MARKS[kind]
    return bool(ds.attrs.get(name) == value)


def check_kind(ds: xr.Dataset, path: str | Path, kind: str, advice: str) -> None:
    """Raise ResultError unless a Dataset, read from a path, is of a kind, one of MARKS, and of its present version."""
    version = ds.attrs.get(f"{MARKS[kind][0]}_version", FORMATS[kind])
    check_format(path, kind, f"otjdd {kind} {version}" if is_of_kind(ds, kind) else "", advice)


def check_may_replace(path: Path, kind: str) -> None:
    """Raise ResultError if a path is anything else than a result of otjdd of a kind, one of MARKS."""
    with contextlib.suppress(ResultError):
        if not path.exists() or (path.is_file() and is_of_kind(read(path), kind)):
            return
    raise ResultError(path, "is something else, and would be replaced", "move it, or choose another name")


def write_with(ds: xr.Dataset, result: Path, contents: Mapping[Path, bytes], ours: Iterable[Path] = ()) -> None:
    """Write a result together with other files, all of them or none. Unchanged files of an earlier result are removed.

    contents : path, in the folder of the result or below -> bytes
    ours : paths among them that the user has named, which are replaced in any case
    Raises ResultError, also for a file that would be replaced and was not written with the result.
    """
    check_replaceable(result, set(contents) - set(ours))
    obsolete = [path for path, sha256 in written_with(result).items() if is_unchanged(path, sha256)]
    digests = {
        path.relative_to(result.parent).as_posix(): hashlib.sha256(data).hexdigest() for path, data in contents.items()
    }
    data = encoded(ds.assign_attrs({COMPANIONS: json.dumps(digests)}))
    write_together({result: data, **contents}, [path for path in obsolete if path not in contents])


NUMBERS = "biuf"  # kinds of dtypes
TEXT = "text"  # in place of a dtype, of an array of texts


def packed(kind: str, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Bytes of a file of a kind.

    head : what else the line of JSON states   arrays : of numbers, or of texts, which the line holds
    """
    listed, numbers = [], []
    for name, values in arrays.items():
        text = values.dtype.kind in "UO"
        own = values.astype(values.dtype.newbyteorder("<"), copy=False)
        listed.append([name, TEXT if text else own.dtype.str, values.shape, values.tolist() if text else None])
        numbers.append(b"" if text else own.tobytes())
    return sealed(
        b"".join([json.dumps({"format": format_of(kind), **head, "arrays": listed}).encode(), b"\n", *numbers])
    )


def opened(path: Path, data: bytes, kind: str, advice: str = "") -> tuple[dict[str, Any], bytes]:
    """What the line of JSON of a file states, and the bytes behind it.

    Raises ResultError for a file that is damaged or of another kind, OtherVersion for one of another version.
    """
    line, _, numbers = unsealed(path, data).partition(b"\n")
    try:
        head = json.loads(line)
        stated = head.get("format")
    except (ValueError, AttributeError, RecursionError) as error:
        raise ResultError(path, f"is no {kind} of otjdd", advice) from error
    check_format(path, kind, stated, advice)
    return head, numbers


def unpacked(listed: Iterable[Any], numbers: bytes) -> dict[str, np.ndarray]:
    """Arrays by name, from the list in the line and the bytes behind it. Raises ValueError, TypeError for a wrong list."""
    arrays, at = {}, 0
    for name, kind, shape, words in listed:
        if kind == TEXT:
            arrays[name] = np.array(words, dtype=object).reshape(shape)
            if not all(isinstance(word, str) for word in arrays[name].ravel()):
                raise ValueError(f"{name} of other things than texts")
            continue
        dtype = np.dtype(kind)
        if dtype.kind not in NUMBERS or not all(isinstance(length, int) and length >= 0 for length in shape):
            raise ValueError(f"{name} of {kind} and the shape {shape}")
        size = math.prod(shape) * dtype.itemsize
        if at + size > len(numbers):
            raise ValueError(f"{len(numbers)} bytes of numbers instead of {at + size} or more")
        arrays[name] = np.frombuffer(numbers[at : at + size], dtype).reshape(shape).copy()
        at += size
    if at != len(numbers):
        raise ValueError(f"{len(numbers)} bytes of numbers instead of {at}")
    return arrays
