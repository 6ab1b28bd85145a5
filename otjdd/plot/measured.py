"""Figures of measured data: each quantity against the swept one, with repeats, branches and the noise floor."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otjdd.measurements.names import UNCERTAINTY, unit_of
from otjdd.measurements.noise import LOST
from otjdd.measurements.read import AXES, axis_of
from otjdd.plot import axes as parts
from otjdd.plot.style import CYCLE, GREY, ORANGE, panels, style

FULL = 12  # most groups that are named in the legend
SIGNED = ("current", "read_current", "current_density")  # drawn as magnitudes on a logarithmic axis


def measured_figure(ds: xr.Dataset) -> Figure:
    """Figure of a Dataset of `read_data`: a panel for each measured quantity, and one for the waveform.

    Raises ValueError for a Dataset without an axis.
    """
    measured = [str(n) for n in ds if n not in AXES and not str(n).endswith(UNCERTAINTY)]
    axis = axis_of(ds)
    if axis is None:
        raise ValueError(f"nothing to draw: measured data have one of the axes {', '.join(AXES)}")
    timed = axis != "time" and "time" in ds and "voltage" in ds
    with style():
        fig, places = panels(len(measured) + timed)
        for axes, name in zip(places, measured, strict=False):
            curve(axes, ds, axis, name)
        if timed:
            curve(places[-1], ds, "time", "voltage")
        for i, axes in enumerate(places if len(places) > 1 else ()):
            parts.letter(axes, i)
    return fig


def curve(axes: Axes, ds: xr.Dataset, axis: str, name: str) -> None:
    """Fill axes with one quantity against another, a colour for each record or temperature."""
    log_x = axis == "time" and name != "voltage" and parts.over_decades(ds[axis].values)
    x, y = parts.magnitude(ds[axis].values) if log_x else ds[axis].values, ds[name].values
    on_axis = parts.magnitude(y) if name in SIGNED else y
    floor = ds[name].attrs.get("noise_floor", 0.0)
    lost = np.abs(y) < LOST * floor
    words, values = groups(ds)
    several = np.unique(values)
    for i, value in enumerate(several):
        inside, colour = values == value, CYCLE[i % 6]
        label = f"{words} {value:g}" + (" K" if words == "T =" else "") if words and len(several) <= FULL else None
        clear = np.where(lost, np.nan, on_axis)[inside]
        axes.plot(x[inside], clear, "o-", markersize=2.2, linewidth=0.6, color=colour, label=label)
        axes.plot(x[inside & lost], on_axis[inside & lost], "o", markersize=1.6, color=colour, alpha=0.4)
    plain = name.replace("_", " ")
    parts.quantity_axis(axes, "x", x, axis.replace("_", " "), unit_of(axis), log=log_x)
    log = None if name in (*SIGNED, "resistance", "conductance") else False
    limits = parts.current_limits(axes, x, y) if name in SIGNED and axis.endswith("voltage") else on_axis
    parts.quantity_axis(axes, "y", limits, f"|{plain}|" if name in SIGNED else plain, unit_of(name), log)
    if floor:
        bottom = min(floor / 10, axes.get_ylim()[1])
        axes.set_ylim(bottom=bottom)
        axes.axhspan(bottom, LOST * floor, color=GREY, alpha=0.2, linewidth=0)
        axes.axhline(floor, color=GREY, linewidth=0.6, label=f"noise {parts.three_digits(floor, 'A')}")
    elif ds["branch"].values.max() > 0 and axis != "time":
        first = ds["record"].values == ds["record"].values[0]
        parts.arrows(axes, x[first], on_axis[first], ORANGE)
    if axes.get_legend_handles_labels()[0]:
        parts.legend(axes)


def groups(ds: xr.Dataset) -> tuple[str, np.ndarray]:
    """Word for the groups of points, and the temperature [K] or the number of the record (point,) of each point.

    The word is "T =" or "record"; "" for a single record.
    """
    if "temperature" in ds and np.ptp(ds["temperature"].values) > 1:
        return "T =", np.round(ds["temperature"].values)
    record = ds["record"].values
    return ("record" if record.max() else ""), record + 1
