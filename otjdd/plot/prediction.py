"""Figures of predictions: the panels of a result for the median, with bands between percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otjdd.fitting.prediction import main, width
from otjdd.measurements.sweeps import branches
from otjdd.plot import axes as parts
from otjdd.plot.kinds import KINDS, chosen
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import panels, style

Line = tuple[np.ndarray, np.ndarray]  # x and y of points
PALE = 0.2  # opacity of a band


def prediction_figure(ds: xr.Dataset, kinds: str | Sequence[str] = (), own: Sequence[Any] | None = None) -> Figure:
    """Figure of a prediction. kinds, own : as `kinds` and `ax` of `otjdd.figure`

    Raises ValueError when there is nothing to draw, and if the number of axes is not the number of kinds.
    """
    levels = ds["percentile"].values
    middle = NamedResult(ds.isel(percentile=len(levels) // 2))
    pairs = [(i, len(levels) - 1 - i) for i in range(len(levels) // 2)]
    names = chosen([middle], kinds)
    with style():
        if own is None:
            fig, places = panels(len(names))
        else:
            names, places = (names if kinds else names[: len(own)]), list(own)
            fig = parts.figure_of(places[0])
        if len(places) != len(names):
            raise ValueError(f"{len(names)} kinds take as many axes, not {len(places)}")
        for i, (name, axes) in enumerate(zip(names, places, strict=True)):
            KINDS[name].draw(axes, [middle])
            edges = [(lines_of(name, ds.isel(percentile=i)), lines_of(name, ds.isel(percentile=j))) for i, j in pairs]
            for low, high in edges:
                band(axes, low, high)
            parts.show_all(axes, "y", [y for pair in edges for lines in pair for _, y in lines])
            if len(names) > 1 and own is None:
                parts.letter(axes, i)
        shares = " and ".join(f"{levels[high] - levels[low]:g} %" for low, high in pairs[::-1])
        quantity = main(ds)
        caption = f"median and bands of {shares} of {ds.attrs['draws']} draws of the fitted parameters"
        parts.small_print(places[0], caption + (f"; {width(ds, quantity)}" if quantity else ""))
    return fig


def lines_of(kind: str, ds: xr.Dataset) -> list[Line]:
    """Points (x, y) of the lines that a panel draws of a result."""
    axes = Figure().add_subplot()
    KINDS[kind].draw(axes, [NamedResult(ds)])
    return [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in axes.lines]


def band(axes: Axes, low: Sequence[Line], high: Sequence[Line]) -> None:
    """Fill between the lines of two percentiles, branch by branch, where both have the same x."""
    for line, (x, bottom), (other, top) in zip(list(axes.lines), low, high, strict=False):
        if len(x) < 2 or x.shape != other.shape or not np.allclose(x, other, equal_nan=True):
            continue
        piece = branches(x)
        for number in range(piece.max() + 1):
            inside = np.flatnonzero(piece == number)
            inside = np.arange(max(inside[0] - 1, 0), inside[-1] + 1)  # from the turning point on
            axes.fill_between(x[inside], bottom[inside], top[inside], color=line.get_color(), alpha=PALE, linewidth=0)
