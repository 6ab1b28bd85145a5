"""Panels of a study whose devices are written to two states, cycle after cycle: distributions, and their scatter."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.labels import words_of
from otjdd.plot.spread import Numbers, boxes, finite
from otjdd.plot.study_panels import numbers_along, place
from otjdd.plot.style import BLUE, CYCLE, ORANGE
from otjdd.studies.variability import AREA, CYCLES, DEVICES, resistances, variability

COLOURS = {"low": BLUE, "high": ORANGE}
SCATTERS = {"c2c": ("cycle to cycle", "o"), "d2d": ("device to device", "s")}
SHARES = (0.01, 0.1, 1, 10, 50, 90, 99, 99.9, 99.99)  # ticks of a normal-probability axis, %
SEVERAL = 3  # least number of sizes in a study, for a power law through their scatter


class StateOfPoint(NamedTuple):
    """Names of a state and of a point of the axes beside the devices, and resistances (devices, cycles) [ohm]."""

    state: str
    where: str
    R: np.ndarray


def of_points(ds: xr.Dataset) -> Iterator[StateOfPoint]:
    """Both states at each point of the axes beside the devices."""
    R = resistances(ds)
    others = [dim for dim in R.dims if dim not in ("state", DEVICES, CYCLES)]
    for index in np.ndindex(*(R.sizes[dim] for dim in others)):
        at = dict(zip(others, index, strict=True))
        where = ", ".join(named(R.isel(at), dim) for dim in others)
        for state in ("low", "high"):
            rows = R.isel(at).sel(state=state).transpose(DEVICES, CYCLES)
            yield StateOfPoint(state, where, rows.values)


def named(point: xr.DataArray, dim: Hashable) -> str:
    """Value of a point along an axis, with the name of the key."""
    return f"{words_of(point, dim)} {place(point, dim)}".strip()


def distributions(ds: xr.Dataset, axes: Axes) -> None:
    """Draw the cumulative distribution of all reads of each state on a normal-probability axis.

    Point i of n stands at (i - 1/2)/n. Log-normal resistances are a straight line, steeper where they scatter less.
    """
    from scipy.special import ndtr, ndtri

    points = list(of_points(ds))
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
    axes.set_ylabel("cumulative share of reads (%)")  # of all devices and cycles
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
    scatter = one_axis(variability(ds), along)
    area = AREA in scatter.coords
    x = scatter[AREA].values * 1e12 if area else numbers_along(scatter.sigma_c2c, along)
    lines(scatter, x, axes, "area" if area else "")
    unit = "um^2" if area else scatter[along].attrs.get("units", "1") if along in scatter.coords else "1"
    name = "area of the junction" if area else words_of(ds, along)
    log = True if area and len(x) > 1 else None
    quantity_axis(axes, "x", x, name, unit.replace("um", "µm"), log=log)


def against_median(ds: xr.Dataset, axes: Axes) -> None:
    """Draw the standard deviations of ln R of both states against their median resistance."""
    scatter = variability(ds)
    for state, of_state in ((state, scatter.sel(state=state)) for state in ("low", "high")):
        R, error = (of_state[name].values.ravel() for name in ("median_resistance", "median_resistance_error"))
        points(of_state, R, axes, state, np.nan_to_num(error), {})
    finish(scatter, axes)
    quantity_axis(axes, "x", scatter.median_resistance.values, "median resistance", "ohm", log=True)


def one_axis(scatter: xr.Dataset, along: Hashable) -> xr.Dataset:
    """The variability along one axis, at the first value of all others."""
    return scatter.isel({dim: 0 for dim in scatter.sizes if dim not in ("state", along)})


def lines(scatter: xr.Dataset, x: np.ndarray, axes: Axes, power_of: str) -> None:
    """Draw the scatter of both states along x (n,). power_of : name of x in a fitted power law; "" for none"""
    for state in ("low", "high"):
        of_state = scatter.sel(state=state)
        powers = {kind: power(x, of_state[f"sigma_{kind}"].values, power_of) for kind in SCATTERS} if power_of else {}
        points(of_state, x, axes, state, None, powers)
    finish(scatter, axes)


def power(x: np.ndarray, sigma: np.ndarray, of: str) -> str:
    """Exponent p of a fit sigma ∝ x^p through sigma (n,) and x (n,), as text; "" for fewer than SEVERAL positive points."""
    good = np.isfinite(sigma) & (sigma > 0) & (x > 0)
    if good.sum() < SEVERAL:
        return ""
    exponent = np.polyfit(np.log(x[good]), np.log(sigma[good]), 1)[0]
    return f" ∝ {of}$^{{{round(float(exponent), 2) + 0.0:.2f}}}$"


def points(
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
