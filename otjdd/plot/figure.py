"""Figures of results: the panels that fit, or those asked for, of one result or of several in the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure as Figure

from otjdd.fitting.result import KIND as FIT
from otjdd.plot import axes as parts
from otjdd.plot import fit, study
from otjdd.plot.kinds import KINDS, chosen
from otjdd.plot.runs import runs_of
from otjdd.plot.style import panels, style
from otjdd.studies.dataset import ENGINE

if TYPE_CHECKING:
    import xarray as xr


def figure(
    results: xr.Dataset | Sequence[xr.Dataset],
    kinds: str | Sequence[str] = (),
    *,
    label: str | Sequence[str] | None = None,
    ax: Any = None,
) -> Figure:
    """Figure of one result or study, or of several results in the same axes.

    results : a Dataset of `otjdd.run`, a sequence of such, or one Dataset of `otjdd.study` or `otjdd.fit`
    kinds : one kind of panel or several (see `otjdd plot --kind help`), of a study names of what it kept; those that fit
        when empty
    label : name of each result in the legends, a text or a sequence of them
    ax : axes of a figure of your own to draw into, one for each kind, in the style of that figure; with one axes and no
        kinds the first that fits is drawn
    Raises ValueError, in words, for unknown kinds, and when there is nothing to draw: why, and what would be needed.
    """
    own = None if ax is None else [ax] if hasattr(ax, "plot") else list(ax)
    if hasattr(results, "attrs") and results.attrs.get("fit") == FIT:
        return fit.figure(results)
    if hasattr(results, "attrs") and ENGINE in results.attrs:
        return study.figure(results, kinds, own)
    runs = runs_of(results, label)
    if any(ENGINE in run.ds.attrs for run in runs):
        raise ValueError("a study is drawn by itself, not together with other results")
    names = chosen(runs, kinds)
    if own is not None:
        names = names if kinds else names[: len(own)]
        if len(names) != len(own):
            raise ValueError(f"{len(names)} kinds take as many axes, not {len(own)}")
        for name, axes in zip(names, own, strict=True):
            KINDS[name].draw(axes, runs)
        return own[0].figure
    with style():
        fig, places = panels(len(names))
        for i, (name, axes) in enumerate(zip(names, places, strict=True)):
            KINDS[name].draw(axes, runs)
            if len(names) > 1:
                parts.letter(axes, i)
    return fig
