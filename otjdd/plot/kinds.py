"""The kinds of panels: `@panel` gives a function its name, what it shows and needs, and whether it is drawn by default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.plot.runs import NamedResult, meant

Draw = Callable[[Axes, Sequence[NamedResult]], None]
OfResult = Callable[[xr.Dataset], object]  # a predicate
OfResults = Callable[[Sequence[NamedResult]], bool]


class PanelKind(NamedTuple):
    """A kind of panel.

    draw : fills axes from results   shows, needs : contents of the panel, and of results for it, in words
    fits : True if results have what the kind needs   usual : True if it is drawn by default
    """

    draw: Draw
    shows: str
    needs: str
    fits: OfResults
    usual: OfResults


KINDS: dict[str, PanelKind] = {}  # by name, in the order of a figure: that of CHAPTERS, which `figure` loads
CHAPTERS = "reads", "iv", "small_signal", "over_time", "learning", "over_x", "crossbar"
OF_SAMPLES = {
    "cdf, box": "cumulative distributions, or boxes, of the results of a study's sample, or of both states of its devices",
    "sigma, sigma-median": "scatter of both states of cycled devices, against an axis (area) or the median resistance",
    "parallel": "a line for each device of a study's sample over the keys that were drawn, coloured by a result",
}
OF_CALIBRATIONS = {
    "CLAIM --kind CLAIM": "two targets of a calibration over all evaluated sets, with the Pareto front between them"
}
MOVIE = "movie"
MOVIE_SHOWS = "vacancies, bands and current in the course of time: a GIF or, where ffmpeg is, an MP4"


def panel(
    name: str,
    *variables: str,
    shows: str,
    needs: str,
    instead: Sequence[str] = (),
    when: OfResult = lambda ds: True,
    usual: bool | OfResult = True,
    alone: bool = False,
    together: OfResults = lambda runs: True,
    usual_from: int = 1,
    unless: str = "",
) -> Callable[[Draw], Draw]:
    """Decorator of a function that fills axes: its row of KINDS.

    variables : each result has them, none of them empty   instead : other variables that do as well
    when : holds for each result   usual : True, False, or what also holds for each result where it is drawn by default
    alone : a single result, whose variables have finite numbers   together : holds for all results as a whole
    usual_from : fewest results with which it is drawn by default   unless : a kind that is drawn instead where it fits
    """

    def has(ds: xr.Dataset, names: Sequence[str]) -> bool:
        there = all(name in ds and ds[name].size for name in names)
        return there and (not alone or all(np.isfinite(ds[name].values).any() for name in names))

    def have(runs: Sequence[NamedResult]) -> bool:
        choices = [names for names in (variables, instead) if names] or [()]
        return (not alone or len(runs) == 1) and any(all(has(run.ds, names) for run in runs) for names in choices)

    def fits(runs: Sequence[NamedResult]) -> bool:
        return have(runs) and all(when(run.ds) for run in runs) and together(runs)

    def is_usual(runs: Sequence[NamedResult]) -> bool:
        if not usual or len(runs) < usual_from or not have(runs):
            return False
        if callable(usual) and not all(usual(run.ds) for run in runs):  # before `when`, which may take a whole analysis
            return False
        return fits(runs) and not (unless and KINDS[unless].fits(runs))

    def register(draw: Draw) -> Draw:
        kinds = {**KINDS, name: PanelKind(draw, shows, needs, fits, is_usual)}
        KINDS.clear()
        KINDS.update(sorted(kinds.items(), key=lambda row: chapter(row[1])))
        return draw

    return register


def chapter(kind: PanelKind) -> int:
    """Number of the chapter of a kind of panel; that behind the last for any other module."""
    name = kind.draw.__module__.rpartition(".")[2]
    return CHAPTERS.index(name) if name in CHAPTERS else len(CHAPTERS)


def chosen(runs: Sequence[NamedResult], kinds: str | Sequence[str] = ()) -> list[str]:
    """Names of the kinds to draw: `kinds`, or the usual kinds for these results if `kinds` is empty.

    Raises ValueError for an unknown kind, for one whose needs are not met, and when nothing can be drawn.
    """
    asked = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in asked:
        if kind not in KINDS:
            raise ValueError(f"there is no kind of figure {kind!r}{meant(kind, KINDS)}; there are {', '.join(KINDS)}")
        if not KINDS[kind].fits(runs):
            raise ValueError(f"nothing to draw for {kind!r}: it needs {KINDS[kind].needs}; {contents(runs)}")
    drawn = asked or [kind for kind, row in KINDS.items() if row.usual(runs)]
    if not drawn:
        raise ValueError(
            f"nothing to draw: {contents(runs)}. Figures need two reads or more, a time series "
            '(record.every = "all"), snapshots, or curves of a drive of kind iv, cv or impedance'
        )
    return drawn


def contents(runs: Sequence[NamedResult]) -> str:
    """Contents of results, in words."""
    texts = []
    for run in runs:
        sizes = run.ds.sizes
        parts = [("read", "read"), ("instant", "time"), ("snapshot", "snapshot"), ("bias voltage", "bias")]
        parts += [("step of a crossbar", "step")]
        counts = [f"{sizes[dim]} {name}" + ("s" if sizes[dim] != 1 else "") for name, dim in parts if sizes.get(dim)]
        texts.append(f"{run.label or 'this result'} holds {', '.join(counts) or 'no reads, instants or snapshots'}")
    return "; ".join(texts)


def listing() -> str:
    """A line for each kind: its name, and what it shows."""
    rows = {kind: row.shows for kind, row in KINDS.items()} | OF_SAMPLES | OF_CALIBRATIONS | {MOVIE: MOVIE_SHOWS}
    width = max(map(len, rows))
    return "\n".join(f"{kind:{width}}  {shows}" for kind, shows in rows.items())
