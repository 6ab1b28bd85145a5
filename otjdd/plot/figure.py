"""Figures of results: the panels that suit them, or named ones, of one result or of several in the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Figure

from otjdd.fitting.prediction import PREDICTION
from otjdd.fitting.result import KIND as FIT
from otjdd.plot import axes as parts
from otjdd.plot import fit, front, measured, prediction, study
from otjdd.plot.compared import as_result, is_measured, measured_points
from otjdd.plot.kinds import KINDS, chosen
from otjdd.plot.runs import NamedResult, listed, named_results
from otjdd.plot.style import panels, style
from otjdd.results.provenance import CALIBRATION, ENGINE


def figure(
    results: xr.Dataset | Sequence[xr.Dataset],
    kinds: str | Sequence[str] = (),
    *,
    label: str | Sequence[str] | None = None,
    ax: Any = None,
) -> Figure:
    """Figure of one result or study, or of several results in the same axes.

    results : a Dataset of `otjdd.run` or `otjdd.read_data`, a sequence of such, or one Dataset of `otjdd.study`,
        `otjdd.fit`, `otjdd.predict` or `otjdd calibrate`. Measured points are drawn into the panels of the results
    kinds : one kind of panel or several (see `otjdd plot --kind help`). For a study: names of its results, and for a
        sample also "cdf", "box" or "parallel". For a calibration: two of its aims or more. Empty: those that suit
    label : name of each result in the legends, a text or a sequence of them
    ax : axes of a figure of your own to draw into, one for each kind, in the style of that figure. Without kinds,
        the suitable kinds are drawn in order, as many as there are axes
    Raises ValueError for unknown kinds, and when there is nothing to draw, with what would be needed.
    """
    own = None if ax is None else [ax] if hasattr(ax, "plot") else list(ax)
    given = listed(results)
    if hasattr(results, "data_vars"):
        (only,) = given
        if only.attrs.get("fit") == FIT:
            return fit.fit_figure(only)
        if CALIBRATION in only.attrs:
            return front.front_figure(only, kinds, own)
        if ENGINE in only.attrs:
            return study.study_figure(only, kinds, own)
        if PREDICTION in only.attrs:
            return prediction.prediction_figure(only, kinds, own)
        if is_measured(only) and not kinds and own is None:
            return measured.measured_figure(only)
    every = named_results([as_result(ds) if is_measured(ds) else ds for ds in given], label)
    if any(ENGINE in run.ds.attrs for run in every):
        raise ValueError("a study is drawn by itself, not together with other results")
    if any(PREDICTION in run.ds.attrs for run in every):
        raise ValueError("a prediction is drawn by itself, not together with other results")
    if any(CALIBRATION in run.ds.attrs for run in every):
        raise ValueError("a calibration is drawn by itself, not together with other results")
    data = [NamedResult(ds, run.label) for ds, run in zip(given, every, strict=True) if is_measured(ds)]
    runs = [run for ds, run in zip(given, every, strict=True) if not is_measured(ds)]
    if not runs:
        runs, data = every, []
    names = shown_by(data, runs) if data and not kinds else chosen(runs, kinds)
    if own is not None:
        names = names if kinds else names[: len(own)]
        if len(names) != len(own):
            raise ValueError(f"{len(names)} kinds take as many axes, not {len(own)}")
        for name, axes in zip(names, own, strict=True):
            draw(name, axes, runs, data)
        return parts.figure_of(own[0])
    with style():
        fig, places = panels(len(names))
        for i, (name, axes) in enumerate(zip(names, places, strict=True)):
            draw(name, axes, runs, data)
            if len(names) > 1:
                parts.letter(axes, i)
    return fig


def shown_by(data: Sequence[NamedResult], runs: Sequence[NamedResult]) -> list[str]:
    """Kinds that can show both the results and measured points. Raises ValueError when there are none."""
    names = [kind for kind in KINDS if KINDS[kind].fits(runs) and any(measured_points(kind, run.ds) for run in data)]
    names = [kind for kind in names if kind != "iv-linear"]
    if not names:
        contents = "; ".join(f"{run.label} holds {', '.join(map(str, run.ds.data_vars))}" for run in data)
        raise ValueError(f"no picture of these results shows what was measured: {contents}")
    return names


def draw(name: str, axes: Axes, runs: Sequence[NamedResult], data: Sequence[NamedResult]) -> None:
    """Fill axes with a kind of panel, and with the measured points that it can show."""
    KINDS[name].draw(axes, runs)
    for i, run in enumerate(data):
        if points := measured_points(name, run.ds):
            parts.draw_points(axes, *points, run.label, i, near_zero=name != "iv")
