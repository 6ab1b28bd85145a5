"""Several files as one data set, and conditions from their names: `{temperature}K` of jv-350K.csv is 350 K."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.problem import Problem
from otjdd.errors import DataError
from otjdd.measurements.applied import APPLIED, ROW, applied_rows, with_rows
from otjdd.measurements.names import QUANTITIES, has_unit, long_name_of, quantity_of, scale_to, unit_of

if TYPE_CHECKING:
    import xarray as xr

FIELD = re.compile(r"\{(\w+)\}")
NUMBER = r"[-+]?\d+(?:[.p,]\d+)?(?:e[-+]?\d+)?"  # 300, 1.5, 1p5


def files_of(source: Any) -> list[Path]:
    """Paths of a source: a path, a pattern with "*", "?" or "[" in the order of names, or several paths and patterns.

    Raises FileNotFoundError for a pattern that fits no file.
    """
    if not isinstance(source, str | os.PathLike):
        return [file for part in source for file in files_of(part)]
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
        quantity = quantity_of(text)
        shape += f"(?P<{text}>{NUMBER})" if quantity else f"(?P<{text}>[^_\\s]+?)"
        behind = re.match(r"[A-Za-z°]*", FIELD.split(pattern)[i + 1])
        units[text] = behind[0] if behind and quantity and has_unit(quantity, behind[0]) else ""
    name = Path(path).stem
    match = re.search(rf"(?<![\w.+]){shape}(?![A-Za-z0-9])", name) or re.search(rf"{shape}(?![A-Za-z0-9])", name)
    if not match:
        raise DataError(
            [Problem(os.fspath(path), 0, 0, "", f"a name with {pattern!r} in it, as --from-name says", repr(name))]
        )
    values: dict[str, tuple[float, str] | str] = {}
    for field in fields:
        if quantity := quantity_of(field):
            factor, offset = scale_to(units[field], quantity)
            number = float(re.sub("[p,]", ".", match[field]))
            values[quantity] = (
                number * factor + offset,
                f"{number:g} {units[field] or unit_of(quantity)} in the name of the file",
            )
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
        if ROW in ds.dims and name in APPLIED:
            ds = ds.assign_coords({f"{ROW}_{name}": (ROW, np.full(ds.sizes[ROW], number))})
        if name not in QUANTITIES or name == "temperature":
            ds.attrs["understood"] += f"\n{long_name_of(name)} {number:g} {unit_of(name)}, from {words!r}"
    return ds


def one_after_another(parts: Sequence[xr.Dataset], source: Any) -> xr.Dataset:
    """The points of several files as one Dataset, each file a record or several; the coordinate `file` names it.

    Raises DataError for files that do not hold the same quantities.
    """
    import xarray as xr

    names = set(parts[0].data_vars)
    for ds in parts[1:]:
        if set(ds.data_vars) != names:
            got = f"{', '.join(map(str, ds.data_vars))} beside {', '.join(map(str, parts[0].data_vars))}"
            raise DataError([Problem(ds.attrs["file"], 0, 0, "", "the quantities of the other files", got)])
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
