"""One panel of a result, with the result before it in grey, and measured points in black."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otjdd.plot.axes import legend
from otjdd.plot.kinds import KINDS, chosen
from otjdd.plot.runs import NamedResult, named_results
from otjdd.plot.style import style
from otjdd.results.outputs import measured

SIZE = (4.4, 4.8)  # inches
PLACE = (0.155, 0.1, 0.815, 0.84)  # left, bottom, width and height of the axes, as fractions of the figure
BEFORE = "#b4b8be"


def compared(
    results: Sequence[xr.Dataset], kind: str = "", before: Sequence[xr.Dataset] = (), measured: xr.Dataset | None = None
) -> Figure:
    """Figure of results as one kind of panel: the kind that `kind_of` returns.

    before : results that are drawn behind, in grey   measured : Dataset of `read_data`, drawn if it holds these quantities
    The place of the axes is fixed, since a layout takes longer than the rest of the figure.
    Raises ValueError when there is nothing to draw.
    """
    runs, earlier = named_results(results), named_results(before) if before else []
    kind = kind_of(runs, kind)
    with style():
        fig = Figure(figsize=SIZE, layout="constrained")
        fig.set_layout_engine("none")
        axes = fig.add_axes(PLACE)
        if earlier and KINDS[kind].fits(earlier):
            KINDS[kind].draw(axes, earlier)
            fade(axes)
        KINDS[kind].draw(axes, runs)
        points = measured_points(kind, measured) if measured is not None else None
        if points:
            axes.plot(*points, "o", color="black", markersize=2.4, markerfacecolor="none", label="measured", zorder=0.5)
            legend(axes)
        fig.set_layout_engine(None)  # with one, matplotlib would draw twice, first to find the layout
    return fig


def kind_of(runs: Sequence[NamedResult], kind: str) -> str:
    """The kind of panel to draw: `kind` if it fits, else "hysteresis" if it fits, else the first usual kind.

    Raises ValueError when there is nothing to draw.
    """
    return (
        next(
            (candidate for candidate in (kind, "hysteresis") if candidate in KINDS and KINDS[candidate].fits(runs)), ""
        )
        or chosen(runs)[0]
    )


def shows(results: Sequence[xr.Dataset], kind: str, measured: xr.Dataset | None) -> bool:
    """True if `compared` draws measured points beside these results."""
    kind = kind_of(named_results(results), kind)
    return measured is not None and measured_points(kind, measured) is not None


def fade(axes: Axes) -> None:
    """Turn what is drawn in axes grey, and remove its texts, legend and inset axes."""
    for child in list(axes.child_axes):  # the panel that is drawn on top has its own
        child.remove()
    for text in list(axes.texts):
        text.remove()
    if legend_there := axes.get_legend():
        legend_there.remove()
    axes.set_title("", loc="left")
    for line in axes.lines:
        line.set(color=BEFORE, markerfacecolor=BEFORE, markeredgecolor=BEFORE, zorder=0.6, label="_before")


def measured_points(kind: str, ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    """x and y of measured points in a kind of panel; None if the data hold other quantities."""
    voltage = first(ds, "write_voltage", "voltage")
    resistance = of_resistance(ds)
    if kind == "loop":
        return pair(voltage, resistance)
    if kind in ("iv", "iv-linear"):
        current = first(ds, "current", "read_current")
        return pair(
            first(ds, "voltage", "read_voltage"), np.abs(current) if kind == "iv" and current is not None else current
        )
    if kind == "conductance":
        return pair(first(ds, "number"), None if resistance is None else 1 / resistance)
    if kind == "retention":
        return pair(first(ds, "time"), resistance)
    return None


def of_resistance(ds: xr.Dataset) -> np.ndarray | None:
    """Measured resistance [ohm]: as measured, or from a conductance, or from a read current and its voltage."""
    resistance = first(ds, "read_resistance", "resistance")
    if resistance is not None:
        return resistance
    conductance, current, voltage = first(ds, "conductance"), first(ds, "read_current"), first(ds, "read_voltage")
    with np.errstate(divide="ignore"):
        if conductance is not None:
            return np.asarray(1 / conductance)
        return None if current is None or voltage is None else voltage / current


def as_result(ds: xr.Dataset) -> xr.Dataset:
    """Measured points as a Dataset with names of outputs of a run, for any kind of panel. Its title is their file."""
    voltage, time, resistance = first(ds, "write_voltage", "voltage"), first(ds, "time"), of_resistance(ds)
    current = first(ds, "current", "read_current")
    arrays: dict[str, np.ndarray] = {}
    if resistance is not None:
        as_outputs = {"read_resistance": resistance, "read_time": time, "write_voltage": voltage}
        arrays |= {name: values for name, values in as_outputs.items() if values is not None}
    elif current is not None and voltage is not None and time is not None:
        arrays |= {"time": time, "voltage": voltage, "current": current, "conduction_current": current}
    elif current is not None and voltage is not None:
        arrays |= {"read_voltage": voltage, "read_current": current}
    return measured(**arrays).assign_attrs(title=str(ds.attrs.get("file", "measured")))


def is_measured(ds: xr.Dataset) -> bool:
    """True for measured points, as `read_data` gives them; False for a result."""
    return "point" in getattr(ds, "dims", ())


def first(ds: xr.Dataset, *names: str) -> np.ndarray | None:
    """Values of the first of these variables that a Dataset has; None if it has none."""
    return next((ds[name].values for name in names if name in ds), None)


def pair(x: np.ndarray | None, y: np.ndarray | None) -> tuple[np.ndarray, np.ndarray] | None:
    """(x, y), or None if one of them is None."""
    return None if x is None or y is None else (x, y)
