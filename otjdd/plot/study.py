"""Figures of studies: results against the keys that were varied, each in a panel or in a row of maps.

One axis: a curve. Two: a curve for each place of a short one, else a map. Three: a map for each place of the shortest. A
sample: parallel coordinates, Sobol indices where its design allows, or, along another axis, all draws and their median.
What a picture leaves out (other places, earlier numbers of a row, points that failed) is told below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from otjdd.plot import study_panels, study_sample
from otjdd.plot.axes import colours, note
from otjdd.plot.labels import meant, readable
from otjdd.plot.study_panels import place, wrapped
from otjdd.plot.style import panels, style
from otjdd.studies.dataset import SAMPLE_METHOD
from otjdd.studies.sensitivity import worth_logarithms

CURVES, MAPS, RESULTS = 6, 6, 6  # of one figure, at most


class Panel(NamedTuple):
    """One panel: the function that fills its axes (and returns the colours of a map), the result, and what is left out."""

    draw: Callable
    result: object
    omitted: str = ""


def results_of(ds) -> list[str]:
    """Names of the numbers that were kept, without what only tells about the points: their status, and all text."""
    numbers = [str(name) for name, variable in ds.data_vars.items() if variable.dtype.kind in "iuf"]
    return [name for name in numbers if name != "status" and not name.startswith("point_")]


def figure(ds, names: str | Sequence[str] = (), own: Sequence | None = None) -> Figure:
    """Figure of some results of a study, of the first few when none are named.

    own : axes to draw into, one for each panel, instead of a new figure
    Raises ValueError, in words, for a name that is none, when no point is done, and for another number of axes.
    """
    known, asked = results_of(ds), [names] if isinstance(names, str) else list(names)
    for name in asked:
        if name not in known:
            raise ValueError(f"{name!r} is none of what was kept{meant(name, known)}: {', '.join(known)}")
    shown = asked or known[:RESULTS]
    made = [panel for name in shown for panel in panels_of(ds, *one_number(ds, name))]
    if not any(np.isfinite(panel.result).any() for panel in made):
        states = [f"{int((ds.status == k).sum())} {word}" for k, word in ((1, "failed"), (2, "missing"))]
        raise ValueError(f"nothing to draw: no point of this study is done ({', '.join(states)})")
    if own is not None:
        if len(own) != len(made):
            raise ValueError(f"{len(made)} panels take as many axes, not {len(own)}")
        fill(made, own)
        return own[0].figure
    with style():
        fig, places = panels(len(made))
        fill(made, places)
        if more := known[len(shown) :] if not asked else []:
            fig.supxlabel(f"not drawn: {', '.join(more)}", fontsize=6)
    return fig


def fill(made: Sequence[Panel], places: Sequence) -> None:
    """Draw panels into axes, with one scale of colours for all maps of a result."""
    maps: dict[str, list] = {}
    for panel, axes in zip(made, places, strict=True):
        mesh = panel.draw(axes)
        if panel.omitted:
            note(axes, panel.omitted)
        if mesh is not None:
            maps.setdefault(str(panel.result.name), []).append((axes, mesh, panel.result))
    for drawn in maps.values():
        _, mesh, result = drawn[-1]
        colours(mesh, [one for one, _, _ in drawn], wrapped(result), result.attrs.get("units", "1"))


def one_number(ds, name: str) -> tuple:
    """A result as one number a point, the last along each dimension of its own, and what that leaves out, in words."""
    array, said = ds[name], []
    for dim in [dim for dim in array.dims if dim not in ds.status.dims]:
        where = place(array.isel({dim: -1}), dim) if dim in array.coords else str(array.sizes[dim])
        if array.sizes[dim] > 1:
            said.append(f"drawn at {dim} {where} (the last of {array.sizes[dim]})")
        array = array.isel({dim: -1})
    return array.rename(name), said


def panels_of(ds, result, omitted: list[str]) -> list[Panel]:
    """The panels of one result; `omitted`, what has been left out of it already."""
    axes = sorted(result.dims, key=lambda dim: (dim == "sample", -result.sizes[dim]))
    while len(axes) > 3 and axes[-1] != "sample":
        dim = axes.pop()
        omitted = [
            *omitted,
            f"{readable(dim)} {place(result.isel({dim: 0}), dim)} only (the first of {result.sizes[dim]})",
        ]
        result = result.isel({dim: 0})
    lost = int((~np.isfinite(result)).sum())
    if lost:
        omitted = [*omitted, f"{lost} of {result.size} points failed or are missing"]
    if axes == ["sample"]:
        of = study_sample.sensitivities if ds.attrs.get(SAMPLE_METHOD) == "saltelli" else study_sample.parallel
        return [Panel(partial(of, ds, result), result, "; ".join(omitted))]
    if axes[-1] == "sample":
        for dim in axes[1:-1]:
            omitted = [*omitted, f"{readable(dim)} {place(result.isel({dim: 0}), dim)} only"]
            result = result.isel({dim: 0})
        return [Panel(partial(study_sample.spread, result, axes[0]), result, "; ".join(omitted))]
    if len(axes) == 1 or (len(axes) == 2 and result.sizes[axes[1]] <= CURVES):
        draw = partial(study_panels.curves, result, axes[0], axes[1] if len(axes) > 1 else None)
        return [Panel(draw, result, "; ".join(omitted))]
    return maps_of(result, axes, omitted)


def maps_of(result, axes: list[str], omitted: list[str]) -> list[Panel]:
    """A map of a result over two axes, or one for each place of a third, all with the same colours."""
    values = result.values
    norm = mpl.colors.LogNorm if worth_logarithms(values) else mpl.colors.Normalize
    norm = norm(np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else None
    if len(axes) == 2:
        return [Panel(partial(study_panels.image, result, *axes, norm), result, "; ".join(omitted))]
    count = result.sizes[axes[2]]
    places = np.unique(np.linspace(0, count - 1, MAPS).round().astype(int))
    if count > MAPS:
        omitted = [*omitted, f"{MAPS} of {count} values of {readable(axes[2])} are drawn"]
    cuts = [result.isel({axes[2]: i}) for i in places]
    return [Panel(partial(study_panels.image, cut, *axes[:2], norm), cut, "; ".join(omitted)) for cut in cuts]
