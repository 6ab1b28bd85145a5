"""Numbers of the paper in pictures: lines and bands in a colour of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otjdd.plot import style

if TYPE_CHECKING:
    from otjdd.claims.claim import Verdict
    from otjdd.plot.style import Axes

PAPER = style.GREEN  # blue and orange are the simulation


def paper(
    axes: Axes,
    value: float,
    low: float | None = None,
    high: float | None = None,
    label: str | None = "paper",
    across: bool = False,
) -> None:
    """Draw a number of the paper as a dashed line, with its tolerance as a band. across : it belongs to the x axis"""
    line, span = (axes.axvline, axes.axvspan) if across else (axes.axhline, axes.axhspan)
    line(value, color=PAPER, linewidth=0.8, linestyle="--", label=label)
    if low is not None and high is not None:
        span(low, high, color=PAPER, alpha=0.12, linewidth=0)


def stated(verdict: Verdict, axes: Axes, scale: float = 1.0, **options: Any) -> None:
    """Draw all numbers of a claim that have a value, with their bands.

    scale : unit of the numbers over that of the axes
    """
    for i, figure in enumerate(f for f in verdict.claim.figure if f.value is not None):
        value, low, high = (scale * number for number in figure.published)
        paper(axes, value, low, high, label="paper" if i == 0 else None, **options)
