"""Figures of fits, designs, calibrations, and of the error of a compact model.

In the figure of a calibration each set of parameters that a search has tried is a point. Distances are in tolerances: an
aim is met up to 1. In the box both aims are met; two aims that exclude each other have an empty box. The front joins the
sets that no other set beats in both distances. Beyond 1 the axes are logarithmic.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator

from otjdd.analysis import goal
from otjdd.compact_models.error import spreads_of_solver
from otjdd.fitting.fit import curves_of, error_factor
from otjdd.measurements.names import unit_of
from otjdd.plot import axes as parts
from otjdd.plot.runs import meant, parameter_words, readable
from otjdd.plot.style import BLUE, CYCLE, GREEN, GREY, ORANGE, Figure, panels, style

MOST = 6  # most curves with a panel each
PANELS = 6  # most pairs in one figure
FARTHEST = 30.0  # largest drawn distance; larger distances are drawn at this value
ROW = 0.17  # inch, of a protocol of a compact model
LEAST = 1e-4  # decades, least error of a compact model that is drawn
TICKS = (0, 0.5, 1, 2, 3, 5, 10, 20, 30)


def fit_figure(ds: xr.Dataset) -> Figure:
    """Figure of a fit: a panel for each curve, one for the residuals, one for the correlations, one for each profile."""
    curves = curves_of(ds)
    drawn = min(len(curves), MOST)
    several = ds.sizes["parameter"] > 1 and "correlation" in ds
    with parts.laid_out(drawn + 1 + several + ds.sizes.get("profile", 0)) as (fig, places):
        for number, axes in enumerate(places[:drawn]):
            data_and_fit(axes, ds, number, curves[number])
        residuals(places[drawn], ds, curves)
        if several:
            correlations(places[drawn + 1], ds)
        for i, axes in enumerate(places[drawn + 1 + several :]):
            draw_profile(axes, ds, i)
    return fig


def data_and_fit(axes: Axes, ds: xr.Dataset, number: int, curve: dict[str, Any]) -> None:
    """Fill axes with one curve and its fit."""
    inside = ds["curve"].values == number
    x, y, fitted = (ds[name].values[inside] for name in ("axis_value", "measured", "fitted"))
    log, log_x = curve["scale"].kind != "linear", parts.over_decades(x)
    x = parts.magnitude(x) if log_x else x
    on_axis = parts.magnitude if log else np.asarray
    axes.plot(
        x, on_axis(y), "o", markersize=2.5, color=GREY, markerfacecolor="none", markeredgewidth=0.6, label="measured"
    )
    axes.plot(x, on_axis(fitted), color=BLUE, label="fit")
    name = curve["quantity"].replace("_", " ")
    signed = log and "current" in name
    limits = parts.current_limits(axes, x, y) if signed and curve["axis"].endswith("voltage") else on_axis(y)
    parts.quantity_axis(axes, "x", x, readable(curve["axis"]), unit_of(curve["axis"]), log=log_x)
    parts.quantity_axis(axes, "y", limits, f"|{name}|" if signed else name, unit_of(curve["quantity"]), log=log)
    parts.legend(axes, curve["label"][:40])


def residuals(axes: Axes, ds: xr.Dataset, curves: list[dict[str, Any]]) -> None:
    """Fill axes with the residuals of all curves in order."""
    number = ds["curve"].values
    for i in range(len(curves)):
        inside = np.flatnonzero(number == i)
        axes.plot(inside + 1, ds["residual"].values[inside], "o", markersize=2.2, color=CYCLE[i % 6])
    axes.axhspan(-1, 1, color=GREY, alpha=0.2, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.set(xlabel="point", ylabel="residual / uncertainty")
    parts.legend(axes, f"reduced χ² {parts.three_digits(float(ds.attrs['reduced_chi_square']))}")


def correlations(axes: Axes, ds: xr.Dataset) -> None:
    """Fill axes with the correlation matrix."""
    names = parameter_words(ds["parameter"].values, ds.attrs)
    matrix = ds["correlation"].values
    image = axes.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu_r")
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=45, ha="right", rotation_mode="anchor", fontsize=6)
    axes.set_yticks(ticks, names, fontsize=6)
    for i in ticks:
        for j in ticks:
            dark = abs(matrix[i, j]) > 0.6
            text = f"{matrix[i, j]:.2f}".replace("-", "\N{MINUS SIGN}")
            axes.text(j, i, text, ha="center", va="center", fontsize=5.5, color="white" if dark else "black")
    parts.colours(image, axes, "correlation")


def draw_profile(axes: Axes, ds: xr.Dataset, number: int) -> None:
    """Fill axes with the profile likelihood of one parameter, with the parabola of its standard error."""
    name = str(ds["profile"].values[number])
    values, squares = ds["profile_value"].values[number], ds["profile_chi_square"].values[number]
    at = list(map(str, ds["parameter"].values)).index(name)
    scale = error_factor(ds)
    best, error, unit = (ds[key].values[at] for key in ("value", "error", "unit"))
    fine = np.linspace(values.min(), values.max(), 101)
    axes.plot(fine, ((fine - best) / error) ** 2, color=GREY, linestyle="--", label="parabola")
    axes.plot(
        values,
        (squares - float(ds.attrs.get("cost", ds.attrs["chi_square"]))) / scale,
        "o-",
        markersize=2.5,
        color=ORANGE,
        label="profile",
    )
    axes.axhline(1, color=GREY, linewidth=0.5)
    axes.set(ylabel="Δχ²", ylim=(0, None))
    parts.quantity_axis(axes, "x", values, parameter_words(ds["parameter"].values, ds.attrs)[at], str(unit), log=False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    parts.legend(axes)


def expected(ds: xr.Dataset) -> Figure:
    """Figure of a design: expected over present error, for each candidate and parameter."""
    names = parameter_words(ds["parameter"].values, ds.attrs)
    with style():
        fig, (axes,) = panels(1)
        fig.set_size_inches(1.8 + 0.5 * len(names), 1.4 + 0.22 * ds.sizes["candidate"])
        ratio = ds["ratio"].values
        lowest = min(0.5, float(np.nanmin(ratio, initial=1.0)))
        image = axes.imshow(ratio, norm=LogNorm(lowest, 1.0), cmap="viridis", aspect="auto")
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", fontsize=6)
        axes.set_yticks(
            range(ds.sizes["candidate"]), [parts.with_signs(str(c)) for c in ds["candidate"].values], fontsize=6
        )
        for i, j in np.ndindex(ratio.shape):
            ink = "black" if ratio[i, j] > np.sqrt(lowest) else "white"
            axes.text(j, i, f"{ratio[i, j]:.2f}", ha="center", va="center", fontsize=5.5, color=ink)
        parts.colours(image, axes, "expected error / error now")
    return fig


def front_figure(ds: xr.Dataset, names: str | Sequence[str], own: Sequence[Axes] | None) -> Figure:
    """Figure of the pairs of the named aims, or of the first PANELS pairs that no set of the search meets together.

    names : two or more claims or targets of the calibration   own : axes to draw into, one for each pair
    Raises ValueError for an unknown name, for a single name, if no two aims exclude each other, and if the number of axes
    is not the number of pairs.
    """
    pairs = pairs_of(ds, [names] if isinstance(names, str) else list(names))
    by_name = distances_by_name(ds)
    with parts.laid_out(len(pairs), own, "pairs") as (fig, places):
        for (first, second), axes in zip(pairs, places, strict=True):
            x, y = by_name[first], by_name[second]
            there = np.isfinite(x) & np.isfinite(y)
            x, y = (np.minimum(values[there], FARTHEST) for values in (x, y))
            axes.add_patch(Rectangle((0, 0), goal.LIMIT, goal.LIMIT, facecolor=GREEN, alpha=0.2, linewidth=0))
            axes.plot(x, y, ".", color=GREY, markersize=2.5, alpha=0.5, label="evaluated sets")
            front = goal.pareto_front(x, y)
            axes.plot(
                x[front], y[front], "o-", color=ORANGE, markersize=2.5, drawstyle="steps-post", label="Pareto front"
            )
            if front.size and goal.LIMIT < (close := goal.least_joint_distance(x, y)) < FARTHEST:
                axes.plot(
                    [0, close, close],
                    [close, close, 0],
                    "--",
                    color=BLUE,
                    linewidth=0.8,
                    label=f"both within {close:.3g}",
                )
            axes.set_xscale("symlog", linthresh=goal.LIMIT)
            axes.set_yscale("symlog", linthresh=goal.LIMIT)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(FixedLocator(TICKS))
                axis.set_major_formatter("{x:g}")
            axes.set(xlim=(0, None), ylim=(0, None))
            parts.legend(axes)
            lost, met = int(np.sum(~there)), int(np.sum(np.maximum(x, y) <= goal.LIMIT))
            note = f"both met in the box: {met} of {there.size} sets"
            parts.small_print(axes, note + (f"; {lost} could not be computed" if lost else ""))
            axes.set(xlabel=f"{first}: distance in tolerances", ylabel=second)
    return fig


def distances_of(ds: xr.Dataset) -> tuple[np.ndarray, list[str], list[str]]:
    """Distances (visit, target) of the sets that were tried; claims and names of the targets. Raises ValueError."""
    if "visited_distance" not in ds:
        raise ValueError("this calibration is of an older version, without distances: run it again")
    return ds["visited_distance"].values, list(map(str, ds["aim"].values)), list(map(str, ds["target"].values))


def distances_by_name(ds: xr.Dataset) -> dict[str, np.ndarray]:
    """Name of each claim and each target of a calibration -> distances (visit,) of the sets that were tried."""
    by_aim, aims, targets = distances_of(ds)
    return goal.of_aims(by_aim, targets) | goal.of_aims(by_aim, aims)


def pairs_of(ds: xr.Dataset, names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs to draw, see `front_figure`. Raises ValueError."""
    by_name = distances_by_name(ds)
    for name in names:
        if name not in by_name:
            raise ValueError(f"{name!r} is no target of this calibration{meant(name, by_name)}: {', '.join(by_name)}")
    if len(names) == 1:
        raise ValueError("a Pareto front is between two targets: name a second one")
    if names:
        return list(combinations(names, 2))[:PANELS]
    pairs = goal.exclusive_pairs(goal.within_reach(*distances_of(ds)))
    if not pairs:
        raise ValueError(f"no two targets exclude each other; name two of {', '.join(by_name)}")
    return [(pair.first, pair.second) for pair in pairs[:PANELS]]


def agreement(measured: xr.Dataset) -> Figure:
    """Figure of the measured error of a compact model. measured : the Dataset `CompactModel.measured`"""
    with style():
        fig, (left, right) = panels(2)
        solved, predicted = (1e6 * np.abs(measured[name].values) for name in ("sample_solved", "sample_predicted"))
        low, high = min(solved.min(), predicted.min()), max(solved.max(), predicted.max())
        left.plot([low, high], [low, high], color=GREY, linewidth=0.6)
        left.plot(solved, predicted, ".", color=BLUE, markersize=2, alpha=0.5, markeredgewidth=0)
        left.set(xscale="log", yscale="log", xlabel="read current, solver (μA)", ylabel="compact model (μA)")
        rms, worst = measured.error_rms.values, measured.error_worst.values
        constant, at = spreads_of_solver(measured)[:, 0], np.arange(measured.sizes["protocol"])
        names = [
            f"{name}{', worse than a constant' if off > alone else ''}"
            for name, off, alone in zip(measured.protocol.values, rms, constant, strict=True)
        ]
        fig.set_figheight(max(fig.get_figheight(), ROW * len(at)))
        right.plot(np.maximum(rms, LEAST), at, "o", color=BLUE, label="rms")
        right.plot(np.maximum(worst, LEAST), at, "|", color=ORANGE, markersize=7, label="largest")
        right.plot(np.maximum(constant, LEAST), at, "x", color=GREY, markersize=4, label="a constant")
        right.set(xscale="log", yticks=at, yticklabels=names, xlabel="error (decades)")
        right.invert_yaxis()
        fig.legend(*right.get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return fig
