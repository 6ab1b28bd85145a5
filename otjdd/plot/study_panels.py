"""Panels of a study over its axes: curves and maps, with the names and units of the keys that were varied."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize

from otjdd.plot.axes import legend, quantity_axis, three_digits, with_signs
from otjdd.plot.labels import leaves, words_of
from otjdd.plot.reads import MARKERS
from otjdd.plot.runs import stroke
from otjdd.studies.sensitivity import worth_logarithms

WIDEST = 34  # most characters of a line of an axis label
LONGEST = 80  # most characters of a meaning that is used as a label; beyond it the name is used


def curves(result: xr.DataArray, along: Hashable, other: Hashable | None, axes: Axes) -> None:
    """Draw a result along one axis, a curve for each value on the axis `other` if there is one."""
    count = result.sizes[other] if other else 1
    signs = is_sign(result.values)
    names: Sequence[str | None] = places(result, other) if other else [None]
    for i, label in enumerate(names):
        row = result.isel({other: i}) if other else result
        axes.plot(numbers_along(row, along), row.values, marker=MARKERS[i % 6], label=label,
                  drawstyle="steps-mid" if signs else "default", **stroke(0, i, 1, count))  # fmt: skip
    study_axis(axes, result, along, "x")
    ordinate(axes, result)
    if signs:
        axes.set_yticks((-1, 0, 1), ("\N{MINUS SIGN}", "0", "+"))
        axes.set_ylim(-1.3, 1.3)
    legend(axes, words_of(result, other) if other and other in result.coords else None)


def is_sign(values: np.ndarray) -> bool:
    """True if all finite numbers are -1, 0 or 1, and at least one is -1: a sign, which has no values between."""
    finite = values[np.isfinite(values)]
    return bool(np.isin(finite, (-1, 0, 1)).all() and (finite == -1).any())


def image(
    result: xr.DataArray, along: Hashable, up: Hashable, norm: Normalize | None, title: str, axes: Axes
) -> QuadMesh:
    """Draw a result as a map over two axes. Points without a result are white. Returns the mesh."""
    rows = result.transpose(up, along)
    x, y = numbers_along(rows, along), numbers_along(rows, up)
    mesh = axes.pcolormesh(edges(x), edges(y), rows.values, norm=norm, shading="flat", rasterized=True)
    study_axis(axes, rows, along, "x")
    study_axis(axes, rows, up, "y")
    if title:
        axes.set_title(with_signs(title), fontsize=7)
    return mesh


def edges(x: np.ndarray) -> np.ndarray:
    """Edges (n + 1,) of cells around centres (n,), halfway between them on a linear or logarithmic scale."""
    u = np.log(x) if worth_logarithms(x) else np.asarray(x, dtype=float)
    middle = (u[1:] + u[:-1]) / 2
    half = (u[1] - u[0]) / 2 if len(u) > 1 else 0.5, (u[-1] - u[-2]) / 2 if len(u) > 1 else 0.5
    ends = np.concatenate(([u[0] - half[0]], middle, [u[-1] + half[1]]))
    return np.exp(ends) if worth_logarithms(x) else ends


def numbers_along(result: xr.DataArray, dim: Hashable) -> np.ndarray:
    """Values (n,) along an axis; 0, 1, 2, ... if they are not numbers."""
    numeric = dim in result.coords and result[dim].dtype.kind in "if"
    return result[dim].values if numeric else np.arange(result.sizes[dim], dtype=float)


def study_axis(axes: Axes, result: xr.DataArray, dim: Hashable, side: str) -> None:
    """Set label, scale and ticks of an axis of the study."""
    unit = result[dim].attrs.get("units", "1") if dim in result.coords else "1"
    quantity_axis(axes, side, numbers_along(result, dim), words_of(result, dim), unit)
    if dim in result.coords and result[dim].dtype.kind not in "if":
        getattr(axes, f"{side}axis").set_ticks(
            numbers_along(result, dim), [with_signs(str(v)) for v in result[dim].values]
        )


def ordinate(axes: Axes, result: xr.DataArray) -> None:
    """Set label and scale of the y axis, which shows the result."""
    quantity_axis(axes, "y", result.values, wrapped(result), result.attrs.get("units", "1"))


def wrapped(result: xr.DataArray) -> str:
    """Meaning of a result on one line or two; its name if the meaning is long."""
    meaning = result.attrs.get("long_name", "")
    return textwrap.fill(meaning, WIDEST) if 0 < len(meaning) <= LONGEST else str(result.name)


def place(result: xr.DataArray, dim: Hashable) -> str:
    """Value of a row along an axis, as text."""
    if dim not in result.coords:
        return ""
    value = result[dim].values[()]
    return (
        three_digits(float(value), result[dim].attrs.get("units", "1"))
        if np.issubdtype(type(value), float)
        else str(value)
    )


def places(result: xr.DataArray, dim: Hashable) -> list[str]:
    """Values along an axis, as texts.

    Of several keys that change together along the axis, only the first that suffice to distinguish the values are named.
    """
    count = result.sizes[dim]
    if dim in result.coords:
        return [place(result.isel({dim: i}), dim) for i in range(count)]
    numbers = [f"{i + 1}" for i in range(count)]
    texts = [""] * count
    for values in columns(result, dim):
        if len(set(values)) > 1:
            texts = [", ".join(filter(None, pair)) for pair in zip(texts, values, strict=True)]
        if len(set(texts)) == count:
            return texts if max(map(len, texts)) <= LONGEST else numbers
    return numbers


def columns(result: xr.DataArray, dim: Hashable) -> Iterator[list[str]]:
    """For each key that is varied along an axis, its values as texts; a table counts as its keys."""
    for name, coord in result.coords.items():
        if coord.dims != (dim,):
            continue
        key, values = words_of(result, str(name)), coord.values
        if coord.dtype.kind in "if":
            yield [f"{key} {three_digits(float(value), coord.attrs.get('units', '1'))}" for value in values]
        elif all(str(value).startswith("{") for value in values):
            tables = [dict(leaves(tomllib.loads(f"table = {value}")["table"])) for value in values]
            for inner in dict.fromkeys(inner for table in tables for inner in table):
                inner_values = [str(table.get(inner, "none")) for table in tables]
                word = key.rpartition(" ")[2]
                yield [
                    f"{inner_value} {word}" if inner == "law" else f"{inner.replace('_', ' ')} {inner_value}"
                    for inner_value in inner_values
                ]
        else:
            yield [f"{key} {value}" for value in values]
