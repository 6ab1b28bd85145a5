"""Pictures of claims, and the numbers of a paper in them: lines and bands in a colour of their own.

What is drawn for a metric is in the folder of its paper, in the table DRAW: metric -> number of panels, and the function
that fills them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.claims.claim import ClaimTrial, Figure, Verdict
from otjdd.claims.papers import of_paper
from otjdd.plot import style
from otjdd.plot.style import Axes
from otjdd.plot.style import Figure as Drawing

PAPER = style.GREEN  # blue and orange are the simulation
COLOURS = (style.BLUE, style.ORANGE, style.PURPLE, style.SKY, style.YELLOW)  # green is the paper
POINTS: dict[str, Any] = {"color": PAPER, "linestyle": "none", "capsize": 2, "markersize": 4}


def has_picture(verdict: Verdict) -> bool:
    """True for a claim with results whose paper draws its metric."""
    return bool(verdict.values) and verdict.claim.metric in of_paper(verdict.claim.folder, "DRAW")


def picture(verdict: Verdict) -> Drawing:
    """Figure of a judged claim that has a picture."""
    count, fill = of_paper(verdict.claim.folder, "DRAW")[verdict.claim.metric]
    with style.style():
        fig, axes = style.panels(count)
        fill(verdict, axes)
    return fig


def save_all(verdicts: Sequence[Verdict], folder: Path) -> None:
    """Draw each claim that has a picture into folder/<id>.png. Raises ResultError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for verdict in filter(has_picture, verdicts):
        fig = picture(verdict)
        fig.suptitle(f"{verdict.id}: {verdict.status}", fontsize=8)
        style.save(fig, folder / f"{verdict.id}.png")


def paper(
    axes: Axes,
    value: float,
    low: float | None = None,
    high: float | None = None,
    label: str | None = "paper",
    across: bool = False,
) -> None:
    """Draw a number of the paper as a dashed line, with its tolerance as a band. across : the number is on the x axis"""
    line, span = (axes.axvline, axes.axvspan) if across else (axes.axhline, axes.axhspan)
    line(value, color=PAPER, linewidth=0.8, linestyle="--", label=label)
    if low is not None and high is not None:
        span(low, high, color=PAPER, alpha=0.12, linewidth=0)


def stated(verdict: Verdict, axes: Axes, scale: float = 1.0, **options: Any) -> None:
    """Draw the published values of all figures of a claim as lines, with their tolerances as bands.

    scale : factor on numbers in the units of the figures that gives numbers of the axes
    """
    for i, figure in enumerate(f for f in verdict.claim.figure if f.value is not None):
        value, low, high = (scale * number for number in figure.published)
        paper(axes, value, low, high, label="paper" if i == 0 else None, **options)


def published_points(
    axes: Axes, x: Sequence[float] | np.ndarray, figures: Sequence[Figure | None], **options: Any
) -> None:
    """Draw numbers of the paper as points, with the allowed interval as bar. x : abscissa of each figure"""
    stated = [(at, figure) for at, figure in zip(x, figures, strict=True) if figure is not None]
    if stated:
        value, *ends = np.array([[figure.si(number) for number in figure.published] for _, figure in stated]).T
        axes.errorbar([at for at, _ in stated], value, np.abs(np.array(ends) - value), fmt="s", **POINTS | options)


def figures_of(verdict: Verdict, *names: str) -> list[Figure | None]:
    """Figures of a claim by name; None for a name without a figure that has a value."""
    by_name = {figure.name: figure for figure in verdict.claim.figure if figure.value is not None}
    return [by_name.get(name) for name in names]


def diameter(trial: ClaimTrial) -> str:
    """Diameter of the junction of a run [µm] as text."""
    return f"{2e6 * trial.case.device.disc_radius:.3g} µm"
