"""Figures of fits: data beside the fit, residuals, correlations, profiles; and expected errors of a design."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from otjdd.fitting.result import curves_of, spread_of
from otjdd.measurements.names import unit_of
from otjdd.plot import axes as parts
from otjdd.plot.labels import parameter_words, readable
from otjdd.plot.style import BLUE, CYCLE, GREY, ORANGE, panels, style

MOST = 6  # most curves with a panel each


def fit_figure(ds: xr.Dataset) -> Figure:
    """Figure of a fit: a panel for each curve, one for the residuals, one for the correlations, one for each profile."""
    curves = curves_of(ds)
    drawn = min(len(curves), MOST)
    several = ds.sizes["parameter"] > 1 and "correlation" in ds
    with style():
        fig, places = panels(drawn + 1 + several + ds.sizes.get("profile", 0))
        for number, axes in enumerate(places[:drawn]):
            beside(axes, ds, number, curves[number])
        residuals(places[drawn], ds, curves)
        if several:
            correlations(places[drawn + 1], ds)
        for i, axes in enumerate(places[drawn + 1 + several :]):
            draw_profile(axes, ds, i)
        for i, axes in enumerate(places):
            parts.letter(axes, i)
    return fig


def beside(axes: Axes, ds: xr.Dataset, number: int, curve: dict[str, Any]) -> None:
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
    """Fill axes with the profile likelihood of one parameter, beside the parabola of its standard error."""
    name = str(ds["profile"].values[number])
    values, squares = ds["profile_value"].values[number], ds["profile_chi_square"].values[number]
    at = list(map(str, ds["parameter"].values)).index(name)
    scale = spread_of(ds)
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
