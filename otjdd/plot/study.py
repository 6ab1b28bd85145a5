"""Figures of studies: each result against the keys that were varied, in a panel or in a row of maps.

    one axis                 a curve
    two axes                 a curve for each value on a short axis, else a map
    three axes               a map for each value on the shortest
    a sample                 cumulative distributions and parallel coordinates, or Sobol indices of a "saltelli" design;
                             the names "cdf", "box" and "parallel" choose
    a sample and an axis     all draws along the axis, and their median
    devices that are cycled  distributions of both states, and their scatter against an axis and the median resistance; the
                             names "cdf", "box", "sigma" and "sigma-median" choose (`otjdd.variability`)

A note below each panel names what it leaves out: other values, earlier reads, failed points.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otjdd.plot import study_panels
from otjdd.plot.axes import colours, laid_out, small_print
from otjdd.plot.runs import key_in_words, meant, with_words
from otjdd.plot.study_panels import axis_texts, meaning_lines, row_text
from otjdd.studies.dataset import SAMPLE_METHOD, devices_of, unfit, worth_logarithms

CURVES, MAPS, RESULTS = 6, 6, 6  # most of each in one figure
CDF, BOX, PARALLEL = SPREADS = ("cdf", "box", "parallel")  # kinds of pictures of a sample
SIGMA, SIGMA_MEDIAN = "sigma", "sigma-median"  # and of devices that are cycled


class ScalarResult(NamedTuple):
    """A result with one number for each point, and notes on the numbers that are left out."""

    result: xr.DataArray
    omitted: list[str]


class Panel(NamedTuple):
    """One panel: the function that fills its axes (and returns the mesh of a map), the result, and a note below it."""

    draw: Callable[[Axes], Any]
    result: xr.DataArray
    omitted: str = ""


def study_figure(ds: xr.Dataset, names: str | Sequence[str] = (), own: Sequence[Axes] | None = None) -> Figure:
    """Figure of the named results of a study, or of the first RESULTS.

    own : axes to draw into, one for each panel, instead of a new figure
    Raises ValueError for an unknown name, when no point is done, and for another number of axes.
    """
    ds = with_words(ds)
    numbers = [str(name) for name, variable in ds.data_vars.items() if variable.dtype.kind in "iuf"]
    available = [name for name in numbers if name != "status" and not name.startswith("point_")]
    asked = [names] if isinstance(names, str) else list(names)
    cycled: tuple[str, ...] = ()
    if not unfit(ds):
        cycled = (CDF, BOX, *((SIGMA,) if axis_of_devices(ds) is not None else ()), SIGMA_MEDIAN)
    kinds = tuple(dict.fromkeys((*cycled, *(SPREADS if alone(ds) else ()))))  # besides the names of results
    for name in asked:
        if name not in available and name not in kinds:
            hint = f"; also {', '.join(kinds)}" if kinds else ""
            raise ValueError(
                f"{name!r} is none of what was kept{meant(name, [*available, *kinds])}: {', '.join(available)}{hint}"
            )
    chosen = [name for name in asked if name in available] or available[:RESULTS]
    results = [one_number(ds, name) for name in chosen]
    named, drawn = bool(set(asked) & set(available)), [name for name in asked if name in kinds]
    if not drawn and not unfit(ds):  # devices that are cycled
        drawn = [PARALLEL] if named else [kind for kind in kinds if kind != PARALLEL]
    elif not drawn:
        drawn = [CDF, PARALLEL] if alone(ds) and ds.attrs.get(SAMPLE_METHOD) != "saltelli" else [PARALLEL]
    all_panels = [panel for kind in drawn for panel in panels_of_kind(ds, kind, results)]
    if PARALLEL in drawn:
        all_panels += [panel for result in results for panel in panels_of(ds, *result)]
    if not any(np.isfinite(panel.result).any() for panel in all_panels):
        states = [f"{int((ds.status == k).sum())} {word}" for k, word in ((1, "failed"), (2, "missing"))]
        raise ValueError(f"nothing to draw: no point of this study is done ({', '.join(states)})")
    with laid_out(len(all_panels), own) as (fig, places):
        maps: dict[str, list[tuple[Axes, Any, xr.DataArray]]] = {}
        for panel, axes in zip(all_panels, places, strict=True):
            mesh = panel.draw(axes)
            if panel.omitted:
                small_print(axes, panel.omitted)
            if mesh is not None:
                maps.setdefault(str(panel.result.name), []).append((axes, mesh, panel.result))
        for of_result in maps.values():  # one scale of colours for all maps of a result
            _, mesh, result = of_result[-1]
            unit = result.attrs.get("units", "1")
            colours(mesh, [panel_axes for panel_axes, _, _ in of_result], meaning_lines(result), unit)
        if own is None and (more := [] if named else available[len(chosen) :]):
            fig.supxlabel(f"not drawn: {', '.join(more)}", fontsize=6)
    return fig


def axis_of_devices(ds: xr.Dataset) -> Hashable | None:
    """The longest axis besides the one of cycled devices, along which they are of another kind; None if there is none."""
    others = [dim for dim in ds.status.dims if dim != devices_of(ds)]
    return max(others, key=lambda dim: ds.sizes[dim], default=None)


def panels_of_kind(ds: xr.Dataset, kind: str, results: Sequence[ScalarResult]) -> list[Panel]:
    """Panels of a kind, of cycled devices or of the results of a sample; [] for PARALLEL, see `panels_of`."""
    if kind == PARALLEL:
        return []
    if unfit(ds):  # results of the same metric and unit share a panel
        groups: dict[tuple[str, str], list[ScalarResult]] = {}
        for result in results:
            name, unit = str(result.result.name), result.result.attrs.get("units", "1")
            key = name.partition("[")[0].rpartition(".")[0] if unit != "1" else name
            groups.setdefault((key, unit), []).append(result)
        return [
            Panel(
                partial(study_panels.distribution, kind, [array for array, _ in group]), group[0].result,
                "; ".join(dict.fromkeys(text for _, notes in group for text in notes)),
            )
            for group in groups.values()
        ]  # fmt: skip
    draws: dict[str, Callable[..., None]] = {
        CDF: study_panels.distributions, BOX: study_panels.devices, SIGMA_MEDIAN: study_panels.against_median,
        SIGMA: partial(study_panels.against_axis, along=axis_of_devices(ds)),
    }  # fmt: skip
    lost = int((ds.status != 0).sum())
    note = f"{lost} of {ds.status.size} points failed or are missing" if lost else ""
    return [Panel(partial(draws[kind], ds), ds.read_resistance, note)]


def alone(ds: xr.Dataset) -> bool:
    """True if a study has draws of a sample and no other axis."""
    return bool(ds.status.dims == ("sample",))


def one_number(ds: xr.Dataset, name: str) -> ScalarResult:
    """A result at the last index of each of its dimensions that is no axis of the study, such as its reads."""
    array, notes = ds[name], []
    for dim in [dim for dim in array.dims if dim not in ds.status.dims]:
        where = row_text(array.isel({dim: -1}), dim) if dim in array.coords else str(array.sizes[dim])
        if array.sizes[dim] > 1:
            notes.append(f"drawn at {key_in_words(array, dim)} {where} (the last of {array.sizes[dim]})")
        array = array.isel({dim: -1})
    return ScalarResult(array.rename(name), notes)


def panels_of(ds: xr.Dataset, result: xr.DataArray, omitted: list[str]) -> list[Panel]:
    """The panels of one result. omitted : notes on what is left out already"""
    axes = sorted(result.dims, key=lambda dim: (dim == "sample", -result.sizes[dim]))
    while len(axes) > 3 and axes[-1] != "sample":
        dim = axes.pop()
        omitted = [
            *omitted,
            f"{key_in_words(result, dim)} {row_text(result.isel({dim: 0}), dim)} only (the first of {result.sizes[dim]})",
        ]
        result = result.isel({dim: 0})
    lost = int((~np.isfinite(result)).sum())
    if lost:
        omitted = [*omitted, f"{lost} of {result.size} points failed or are missing"]
    if axes == ["sample"]:
        of = study_panels.sensitivities if ds.attrs.get(SAMPLE_METHOD) == "saltelli" else study_panels.parallel
        return [Panel(partial(of, ds, result), result, "; ".join(omitted))]
    if axes[-1] == "sample":
        for dim in axes[1:-1]:
            omitted = [*omitted, f"{key_in_words(result, dim)} {row_text(result.isel({dim: 0}), dim)} only"]
            result = result.isel({dim: 0})
        return [Panel(partial(study_panels.spread, result, axes[0]), result, "; ".join(omitted))]
    if len(axes) == 1 or (len(axes) == 2 and result.sizes[axes[1]] <= CURVES):
        draw = partial(study_panels.curves, result, axes[0], axes[1] if len(axes) > 1 else None)
        return [Panel(draw, result, "; ".join(omitted))]
    return maps_of(result, axes, omitted)


def maps_of(result: xr.DataArray, axes: Sequence[Hashable], omitted: list[str]) -> list[Panel]:
    """A map of a result over two axes, or one for each value on a third axis, with the same colours."""
    values = result.values
    kind = mpl.colors.LogNorm if worth_logarithms(values) else mpl.colors.Normalize
    norm = kind(np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else None
    along, up, *third = axes
    if not third:
        return [Panel(partial(study_panels.image, result, along, up, norm, ""), result, "; ".join(omitted))]
    count = result.sizes[axes[2]]
    chosen = np.unique(np.linspace(0, count - 1, MAPS).round().astype(int))
    texts_of_axis = [
        f"{key_in_words(result, axes[2])} {text}" if axes[2] in result.coords else text
        for text in axis_texts(result, axes[2])
    ]
    if count > MAPS:
        omitted = [*omitted, f"{MAPS} of {count} values of {key_in_words(result, axes[2])} are drawn"]
    cuts = [(result.isel({axes[2]: i}), texts_of_axis[i]) for i in chosen]
    return [
        Panel(partial(study_panels.image, cut, along, up, norm, title), cut, "; ".join(omitted)) for cut, title in cuts
    ]
