"""Panels of a study: curves and maps over its axes, draws of a sample, devices that are cycled between two states."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize

from otjdd.plot.axes import colours, legend, quantity_axis, three_digits, with_signs
from otjdd.plot.reads import MARKERS, Numbers, boxes, cumulative, finite
from otjdd.plot.runs import key_in_words, leaves, stroke
from otjdd.plot.style import BLUE, CYCLE, GREY, ORANGE
from otjdd.studies.dataset import AREA, CYCLES, DEVICES, resistances, sobol_indices, variability, worth_logarithms
from otjdd.system.late import scipy

WIDEST = 34  # most characters of a line of an axis label
LONGEST = 80  # most characters of a meaning that is used as a label; beyond it the name is, in words
COLOURS = {"low": BLUE, "high": ORANGE}
SCATTERS = {"c2c": ("cycle to cycle", "o"), "d2d": ("device to device", "s")}
SHARES = (0.01, 0.1, 1, 10, 50, 90, 99, 99.9, 99.99)  # ticks of a normal-probability axis, %
SEVERAL = 3  # least number of sizes in a study, for a power law through their scatter


def curves(result: xr.DataArray, along: Hashable, other: Hashable | None, axes: Axes) -> None:
    """Draw a result along one axis, a curve for each value on the axis `other` if there is one."""
    count = result.sizes[other] if other else 1
    finite = result.values[np.isfinite(result.values)]
    signs = bool(np.isin(finite, (-1, 0, 1)).all() and (finite == -1).any())
    names: Sequence[str | None] = axis_texts(result, other) if other else [None]
    for i, label in enumerate(names):
        row = result.isel({other: i}) if other else result
        axes.plot(numbers_along(row, along), row.values, marker=MARKERS[i % 6], label=label,
                  drawstyle="steps-mid" if signs else "default", **stroke(0, i, 1, count))  # fmt: skip
    study_axis(axes, result, along, "x")
    ordinate(axes, result)
    if signs:
        axes.set_yticks((-1, 0, 1), ("\N{MINUS SIGN}", "0", "+"))
        axes.set_ylim(-1.3, 1.3)
    legend(axes, key_in_words(result, other) if other and other in result.coords else None)


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
    quantity_axis(axes, side, numbers_along(result, dim), key_in_words(result, dim), unit)
    if dim in result.coords and result[dim].dtype.kind not in "if":
        getattr(axes, f"{side}axis").set_ticks(
            numbers_along(result, dim), [with_signs(str(v)) for v in result[dim].values]
        )


def ordinate(axes: Axes, result: xr.DataArray) -> None:
    """Set label and scale of the y axis, which shows the result."""
    quantity_axis(axes, "y", result.values, meaning_lines(result), result.attrs.get("units", "1"))


def meaning_lines(result: xr.DataArray) -> str:
    """Meaning of a result, in short lines; its name in words if the meaning is long."""
    meaning = result.attrs.get("long_name", "")
    return textwrap.fill(meaning, WIDEST) if 0 < len(meaning) <= LONGEST else re.sub("[._]", " ", str(result.name))


def row_text(result: xr.DataArray, dim: Hashable) -> str:
    """Value of a row along an axis, as text."""
    if dim not in result.coords:
        return ""
    value = result[dim].values[()]
    return (
        three_digits(float(value), result[dim].attrs.get("units", "1"))
        if np.issubdtype(type(value), float)
        else str(value)
    )


def axis_texts(result: xr.DataArray, dim: Hashable) -> list[str]:
    """Values along an axis, as texts.

    Of several keys that change together along the axis, only the first that suffice to distinguish the values are named.
    """
    count = result.sizes[dim]
    if dim in result.coords:
        return [row_text(result.isel({dim: i}), dim) for i in range(count)]
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
        key, values = key_in_words(result, str(name)), coord.values
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


def spread(result: xr.DataArray, along: Hashable, axes: Axes) -> None:
    """Draw all draws of a sample along an axis, their median, and the band from 10 to 90 %."""
    rows = result.transpose("sample", along).values
    x = numbers_along(result, along)
    axes.plot(x, rows.T, color=GREY, linewidth=0.4, alpha=0.6)
    low, middle, high = np.nanquantile(rows, [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(x, low, high, color=BLUE, alpha=0.15, linewidth=0, label="10 to 90 %")
    axes.plot(x, middle, "o-", color=BLUE, label=f"median of {len(rows)}")
    study_axis(axes, result, along, "x")
    ordinate(axes, result)
    legend(axes)


def distribution(kind: str, results: Sequence[xr.DataArray], axes: Axes) -> None:
    """Draw the spread of results of one unit over all draws, as cumulative distributions ("cdf") or boxes ("box")."""
    sets = [Numbers(short(str(result.name)), result.values) for result in results]
    what = meaning_lines(results[0]).replace("\n", " ")
    what = what.partition(", number")[0] if len(results) > 1 else what
    unit = results[0].attrs.get("units", "1")
    if kind == "cdf":
        cumulative(axes, sets, what, unit, "devices")
    else:
        boxes(axes, sets, what, unit)


def short(name: str) -> str:
    """Short name of a result: "read_resistance[0]" -> "read 1", "loop.ratio" -> "ratio"."""
    base, bracket, index = name.partition("[")
    if base.startswith("read_") and bracket and index[:-1].isdigit():
        return f"read {int(index[:-1]) + 1}"
    return name.rpartition(".")[2].replace("_", " ")


def parallel(ds: xr.Dataset, result: xr.DataArray, axes: Axes) -> None:
    """Draw a line for each draw over the keys of the sample, each key scaled to its range, coloured by the result."""
    keys = [str(k) for k, c in ds.coords.items() if c.dims == ("sample",)]
    shares = []  # of the range of a key, from 0 for the lowest to 1 for the highest; texts by their alphabetical order
    for values in (ds[key].values for key in keys):
        if values.dtype.kind not in "if":
            values = np.unique(values.astype(str), return_inverse=True)[1].astype(float)
        u = np.log(values) if worth_logarithms(values) else values
        shares.append((u - u.min()) / max(np.ptp(u), 1e-300))
    logarithmic = worth_logarithms(result.values)
    norm = (mpl.colors.LogNorm if logarithmic else mpl.colors.Normalize)(np.nanmin(result), np.nanmax(result))
    shade = mpl.cm.ScalarMappable(norm, "viridis")
    order = np.argsort(np.nan_to_num(result.values, nan=-np.inf))
    for i in order[np.isfinite(result.values[order])]:
        colour = shade.to_rgba(result.values[i])
        axes.plot(range(len(keys)), [of_key[i] for of_key in shares], color=colour, linewidth=0.6, alpha=0.8)
    colours(shade, axes, meaning_lines(result), result.attrs.get("units", "1"))
    axes.set_xticks(
        range(len(keys)), [key_in_words(ds, key) for key in keys], rotation=40, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks([0, 1], ["lowest", "highest"])
    axes.set_xlim(0, max(len(keys) - 1, 0.5))


def sensitivities(ds: xr.Dataset, result: xr.DataArray, axes: Axes) -> None:
    """Draw first-order and total Sobol indices of the keys, with 95 % intervals, the most influential on top."""
    log = worth_logarithms(result.values)
    name = str(result.name)
    indices = sobol_indices(ds.assign({name: result}), name, log=log).sortby("total")
    at = np.arange(indices.sizes["key"])
    for kind, colour, shift in (("first", BLUE, 0.2), ("total", ORANGE, -0.2)):
        low, high = indices[kind] - indices[f"{kind}_low"], indices[f"{kind}_high"] - indices[kind]
        bars = np.maximum([low.values, high.values], 0.0)
        axes.barh(
            at + shift, indices[kind].values, 0.38, color=colour, label=f"{kind} order" if kind == "first" else kind
        )
        axes.errorbar(indices[kind].values, at + shift, xerr=bars, fmt="none", ecolor=GREY, elinewidth=0.8)
    axes.set_yticks(at, [key_in_words(ds, str(key)) for key in indices.key.values])
    axes.set(xlabel="fraction of the variance", xlim=(min(0, axes.get_xlim()[0]), None))
    legend(axes, ("of log₁₀ " if log else "of ") + meaning_lines(result).replace("\n", " "))


class StateOfPoint(NamedTuple):
    """Names of a state and of a point of the axes besides the devices, and resistances (devices, cycles) [ohm]."""

    state: str
    where: str
    R: np.ndarray


def of_points(ds: xr.Dataset) -> Iterator[StateOfPoint]:
    """Both states at each point of the axes besides the devices."""
    R = resistances(ds)
    others = [dim for dim in R.dims if dim not in ("state", DEVICES, CYCLES)]
    for index in np.ndindex(*(R.sizes[dim] for dim in others)):
        at = dict(zip(others, index, strict=True))
        point = R.isel(at)
        where = ", ".join(f"{key_in_words(point, dim)} {row_text(point, dim)}".strip() for dim in others)
        for state in ("low", "high"):
            rows = point.sel(state=state).transpose(DEVICES, CYCLES)
            yield StateOfPoint(state, where, rows.values)


def distributions(ds: xr.Dataset, axes: Axes) -> None:
    """Draw the cumulative distribution of all reads of each state on a normal-probability axis.

    Point i of n stands at (i - 1/2)/n. Log-normal resistances are a straight line, steeper where they scatter less.
    """
    points, ndtr, ndtri = list(of_points(ds)), scipy.special.ndtr, scipy.special.ndtri
    places = list(dict.fromkeys(point.where for point in points))
    most = 1
    for point in points:
        values = np.sort(finite(point.R))
        most = max(most, values.size)
        share = 100 * (np.arange(values.size) + 0.5) / max(values.size, 1)
        i = places.index(point.where)
        axes.plot(
            values, share, "osD^vP"[i % 6], color=CYCLE[i % 6], markersize=2, markeredgewidth=0.5,
            markerfacecolor=CYCLE[i % 6] if point.state == "low" else "white",
            linestyle="none", label=(point.where or point.state) if point.state == "low" or not point.where else None,
        )  # fmt: skip
    edge = 0.25 / most
    axes.set_yscale("function", functions=(lambda y: ndtri(np.clip(y / 100, 1e-9, 1 - 1e-9)), lambda z: 100 * ndtr(z)))
    axes.set_ylim(100 * edge, 100 * (1 - edge))
    ticks = [share for share in SHARES if edge <= share / 100 <= 1 - edge]
    axes.set_yticks(ticks, [f"{share:g}" for share in ticks])
    axes.set_yticks([], minor=True)
    axes.set_ylabel("cumulative fraction of reads (%)")  # of all devices and cycles
    quantity_axis(axes, "x", np.concatenate([finite(point.R) for point in points]), "resistance", "ohm", log=True)
    legend(axes, "filled: low, open: high")


def devices(ds: xr.Dataset, axes: Axes) -> None:
    """Draw a box for each state over the medians of the devices."""
    points = sorted(of_points(ds), key=lambda point: point.state == "high")
    sets = [Numbers(", ".join(filter(None, (point.where, point.state))), medians(point.R)) for point in points]
    boxes(axes, sets, "median resistance of a device", "ohm")


def medians(R: np.ndarray) -> np.ndarray:
    """Median of each device (n,) of resistances (devices, cycles), without devices that have none."""
    return np.array([np.median(row[np.isfinite(row)]) for row in R if np.isfinite(row).any()])


def against_axis(ds: xr.Dataset, axes: Axes, along: Hashable) -> None:
    """Draw the standard deviations of ln R of both states along an axis; an axis of the radius becomes the area."""
    scatter = variability(ds)
    scatter = scatter.isel({dim: 0 for dim in scatter.sizes if dim not in ("state", along)})
    area = AREA in scatter.coords
    x = scatter[AREA].values * 1e12 if area else numbers_along(scatter.sigma_c2c, along)
    for state in ("low", "high"):
        of_state, powers = scatter.sel(state=state), dict.fromkeys(SCATTERS, "") if area else {}
        for kind in powers:
            sigma = of_state[f"sigma_{kind}"].values
            good = np.isfinite(sigma) & (sigma > 0) & (x > 0)
            if good.sum() >= SEVERAL:
                exponent = np.polyfit(np.log(x[good]), np.log(sigma[good]), 1)[0]
                powers[kind] = f" ∝ area$^{{{round(float(exponent), 2) + 0.0:.2f}}}$"
        draw_scatter(of_state, x, axes, state, None, powers)
    finish(scatter, axes)
    unit = "um^2" if area else scatter[along].attrs.get("units", "1") if along in scatter.coords else "1"
    name = "area of the junction" if area else key_in_words(ds, along)
    log = True if area and len(x) > 1 else None
    quantity_axis(axes, "x", x, name, unit.replace("um", "µm"), log=log)


def against_median(ds: xr.Dataset, axes: Axes) -> None:
    """Draw the standard deviations of ln R of both states against their median resistance."""
    scatter = variability(ds)
    for state in ("low", "high"):
        of_state = scatter.sel(state=state)
        R, error = (of_state[name].values.ravel() for name in ("median_resistance", "median_resistance_error"))
        draw_scatter(of_state, R, axes, state, np.nan_to_num(error), {})
    finish(scatter, axes)
    quantity_axis(axes, "x", scatter.median_resistance.values, "median resistance", "ohm", log=True)


def draw_scatter(
    of_state: xr.Dataset, x: np.ndarray, axes: Axes, state: str, x_error: np.ndarray | None, powers: dict[str, str]
) -> None:
    """Draw both kinds of scatter of a state at x (n,), with their standard errors. Zeros are left out."""
    for kind, (words, mark) in SCATTERS.items():
        sigma, error = (of_state[f"sigma_{kind}{end}"].values.ravel() for end in ("", "_error"))
        good = np.isfinite(sigma) & (sigma > 0)
        if not good.any():
            continue
        bars = np.minimum(np.nan_to_num(error[good]), 0.9 * sigma[good]), np.nan_to_num(error[good])
        axes.errorbar(
            x[good], sigma[good], bars, None if x_error is None else x_error[good], fmt=mark + ("-" if powers else ""),
            color=COLOURS[state], markersize=3, markerfacecolor=COLOURS[state] if kind == "c2c" else "white",
            linewidth=0.7, elinewidth=0.6, capsize=1.5, label=f"{state}, {words}{powers.get(kind, '')}",
        )  # fmt: skip


def finish(scatter: xr.Dataset, axes: Axes) -> None:
    """Set the y axis of the scatter, and write the number of zeros, which are not drawn, into the legend."""
    sigma = np.concatenate([scatter[f"sigma_{kind}"].values.ravel() for kind in SCATTERS])
    positive = sigma[np.isfinite(sigma) & (sigma > 0)]
    quantity_axis(axes, "y", positive, "standard deviation of ln R", "1")
    lost = int((sigma == 0).sum())
    legend(axes, f"{lost} of {sigma.size} are zero and not drawn" if lost else None)
