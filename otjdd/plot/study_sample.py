"""Panels of a study's sample: parallel coordinates, the spread along another axis, Sobol indices."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.plot.axes import colours, legend
from otjdd.plot.labels import words_of
from otjdd.plot.spread import Numbers, boxes, cumulative
from otjdd.plot.study_panels import numbers_along, ordinate, study_axis, wrapped
from otjdd.plot.style import BLUE, GREY, ORANGE
from otjdd.studies.sensitivity import sobol_indices, worth_logarithms


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
    what = wrapped(results[0]).replace("\n", " ")
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
    columns = [column(ds[key].values) for key in keys]
    logarithmic = worth_logarithms(result.values)
    norm = (mpl.colors.LogNorm if logarithmic else mpl.colors.Normalize)(np.nanmin(result), np.nanmax(result))
    shade = mpl.cm.ScalarMappable(norm, "viridis")
    order = np.argsort(np.nan_to_num(result.values, nan=-np.inf))
    for i in order[np.isfinite(result.values[order])]:
        colour = shade.to_rgba(result.values[i])
        axes.plot(range(len(keys)), [c[i] for c in columns], color=colour, linewidth=0.6, alpha=0.8)
    colours(shade, axes, wrapped(result), result.attrs.get("units", "1"))
    axes.set_xticks(
        range(len(keys)), [words_of(ds, key) for key in keys], rotation=40, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks([0, 1], ["lowest", "highest"])
    axes.set_xlim(0, max(len(keys) - 1, 0.5))


def column(values: np.ndarray) -> np.ndarray:
    """Values (n,) scaled to 0 (lowest) to 1 (highest); texts by their alphabetical order."""
    if values.dtype.kind not in "if":
        values = np.unique(values.astype(str), return_inverse=True)[1].astype(float)
    u = np.log(values) if worth_logarithms(values) else values
    return np.asarray((u - u.min()) / max(np.ptp(u), 1e-300))


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
    axes.set_yticks(at, [words_of(ds, str(key)) for key in indices.key.values])
    axes.set(xlabel="share of the variance", xlim=(min(0, axes.get_xlim()[0]), None))
    legend(axes, ("of log₁₀ " if log else "of ") + wrapped(result).replace("\n", " "))
