"""Figures of calibrations: the distances from two aims against each other, a point for each set of parameters.

The sets are those that a search has tried. Distances are in tolerances: an aim is met up to 1. In the box both aims are
met; two aims that exclude each other have an empty box. The front joins the sets that no other set beats in both distances.
Beyond 1 the axes are logarithmic.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator

from otjdd.analysis import fronts
from otjdd.plot import axes as parts
from otjdd.plot.labels import meant
from otjdd.plot.style import BLUE, GREEN, GREY, ORANGE, Figure, panels, style

PANELS = 6  # most pairs in one figure
FARTHEST = 30.0  # largest drawn distance; larger distances are drawn at this value
TICKS = (0, 0.5, 1, 2, 3, 5, 10, 20, 30)


def front_figure(ds: xr.Dataset, names: str | Sequence[str] = (), own: Sequence[Axes] | None = None) -> Figure:
    """Figure of the pairs of the named aims, or of the first PANELS pairs that no set of the search meets together.

    names : two or more claims or targets of the calibration   own : axes to draw into, one for each pair
    Raises ValueError for an unknown name, for a single name, if no two aims exclude each other, and if the number of axes
    is not the number of pairs.
    """
    pairs = pairs_of(ds, [names] if isinstance(names, str) else list(names))
    if own is None:
        with style():
            fig, places = panels(len(pairs))
            fill(ds, pairs, places)
            return fig
    if len(own) != len(pairs):
        raise ValueError(f"{len(pairs)} pairs take as many axes, not {len(own)}")
    fill(ds, pairs, own)
    return parts.figure_of(own[0])


def distances_of(ds: xr.Dataset) -> tuple[np.ndarray, list[str], list[str]]:
    """Distances (visit, target) of the sets that were tried; claims and names of the targets. Raises ValueError."""
    if "visited_distance" not in ds:
        raise ValueError("this calibration is of an older version, without distances: run it again")
    return ds["visited_distance"].values, list(map(str, ds["aim"].values)), list(map(str, ds["target"].values))


def named(ds: xr.Dataset) -> dict[str, np.ndarray]:
    """Name of each claim and each target of a calibration -> distances (visit,) of the sets that were tried."""
    by_aim, aims, targets = distances_of(ds)
    return fronts.of_aims(by_aim, targets) | fronts.of_aims(by_aim, aims)


def pairs_of(ds: xr.Dataset, names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs to draw, see `front_figure`. Raises ValueError."""
    by_name = named(ds)
    for name in names:
        if name not in by_name:
            raise ValueError(f"{name!r} is no aim of this calibration{meant(name, by_name)}: {', '.join(by_name)}")
    if len(names) == 1:
        raise ValueError("a front is between two aims: name another one as well")
    if names:
        return list(combinations(names, 2))[:PANELS]
    pairs = fronts.exclusive_pairs(fronts.within_reach(*distances_of(ds)))
    if not pairs:
        raise ValueError(f"no two aims exclude each other; name two of {', '.join(by_name)}")
    return [(pair.first, pair.second) for pair in pairs[:PANELS]]


def fill(ds: xr.Dataset, pairs: Sequence[tuple[str, str]], places: Sequence[Axes]) -> None:
    """Draw each pair into its axes."""
    by_name = named(ds)
    for number, ((first, second), axes) in enumerate(zip(pairs, places, strict=True)):
        draw(axes, by_name[first], by_name[second])
        axes.set(xlabel=f"{first}: distance in tolerances", ylabel=second)
        if len(pairs) > 1:
            parts.letter(axes, number)


def draw(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw two distances (visit,) against each other: all sets, the front, and the box of the tolerances."""
    there = np.isfinite(x) & np.isfinite(y)
    x, y = (np.minimum(values[there], FARTHEST) for values in (x, y))
    axes.add_patch(Rectangle((0, 0), fronts.LIMIT, fronts.LIMIT, facecolor=GREEN, alpha=0.2, linewidth=0))
    axes.plot(x, y, ".", color=GREY, markersize=2.5, alpha=0.5, label="sets that were tried")
    front = fronts.pareto_front(x, y)
    axes.plot(x[front], y[front], "o-", color=ORANGE, markersize=2.5, drawstyle="steps-post", label="front")
    if front.size and fronts.LIMIT < (close := fronts.nearest(x, y)) < FARTHEST:
        axes.plot(
            [0, close, close], [close, close, 0], "--", color=BLUE, linewidth=0.8, label=f"both within {close:.3g}"
        )
    axes.set_xscale("symlog", linthresh=fronts.LIMIT)
    axes.set_yscale("symlog", linthresh=fronts.LIMIT)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(TICKS))
        axis.set_major_formatter("{x:g}")
    axes.set(xlim=(0, None), ylim=(0, None))
    parts.legend(axes)
    lost = int(np.sum(~there))
    parts.small_print(axes, f"both met in the box: {int(np.sum(np.maximum(x, y) <= fronts.LIMIT))} of {there.size} sets"
                      + (f"; {lost} could not be computed" if lost else ""))  # fmt: skip
