"""Panels of spreads, between devices or cycles: cumulative distributions and box plots of a few sets of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from otjdd.plot.axes import legend, magnitude, quantity_axis, three_digits, with_signs
from otjdd.plot.runs import stroke
from otjdd.plot.style import GREY
from otjdd.studies.sensitivity import worth_logarithms

LETTERS = 14  # a third of the letters that fit below boxes; longer names are turned


class Numbers(NamedTuple):
    """A set of numbers (n,) and its name."""

    name: str
    values: np.ndarray


def finite(values: ArrayLike) -> np.ndarray:
    """Finite numbers (n,) of an array."""
    row: np.ndarray = np.ravel(np.asarray(values, dtype=float))
    return np.asarray(row[np.isfinite(row)])


def cumulative(axes: Axes, sets: Sequence[Numbers], what: str, unit: str, of: str) -> None:
    """Draw the cumulative distribution of each set, with its median and standard deviation in the legend.

    what, unit : name and unit of the numbers   of : what was counted, such as "devices"
    Point i of n stands at (i - 1/2)/n. On a logarithmic axis the spread is given in decades.
    """
    every = np.concatenate([finite(set_.values) for set_ in sets])
    log = worth_logarithms(every)
    for i, set_ in enumerate(sets):
        values = np.sort(finite(set_.values))
        if not values.size:
            continue
        share = 100 * (np.arange(values.size) + 0.5) / values.size
        text = (f"{set_.name}: " if len(sets) > 1 else "") + middle(values, unit, log)
        axes.plot(values, share, marker="osD^vP"[i % 6], markersize=2.5, label=text, **stroke(0, i, 1, len(sets)))
    quantity_axis(axes, "x", every, what, unit, log=log)
    axes.set(ylabel=f"cumulative share of {of} (%)", ylim=(0, 100))
    legend(axes)


def middle(values: np.ndarray, unit: str, log: bool) -> str:
    """Median and standard deviation as text. log : give the deviation of the decimal logarithm, in decades"""
    width = np.std(np.log10(magnitude(values))) if log else np.std(values)
    decades = f"{width:.2g} decades" if width >= 1e-3 else "below 0.001 decades"
    spread = decades if log else three_digits(float(width), unit)
    return f"{three_digits(float(np.median(values)), unit)}, σ {spread}"


def boxes(axes: Axes, sets: Sequence[Numbers], what: str, unit: str) -> None:
    """Draw a box for each set: median, quartiles, whiskers within 1.5 interquartile ranges, and all numbers as dots."""
    samples = [finite(set_.values) for set_ in sets]
    every = np.concatenate(samples)
    drawn = axes.boxplot(samples, widths=0.5, showfliers=False, patch_artist=True, manage_ticks=False)
    for i, box in enumerate(drawn["boxes"]):
        colour = stroke(0, i, 1, len(sets))["color"]
        box.set(facecolor=colour, alpha=0.25, edgecolor=colour)
        drawn["medians"][i].set(color=colour, linewidth=1.4)
        for part in (*drawn["whiskers"][2 * i : 2 * i + 2], *drawn["caps"][2 * i : 2 * i + 2]):
            part.set(color=colour, linewidth=0.8)
        beside = i + 1 + np.linspace(-0.18, 0.18, len(samples[i])) if len(samples[i]) > 1 else [i + 1.0]
        axes.plot(beside, samples[i], "o", markersize=2, color=GREY, alpha=0.7, zorder=0)
    names = [with_signs(set_.name) for set_ in sets]
    long = sum(map(len, names)) > 3 * LETTERS
    turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if long else {}
    axes.set_xticks(range(1, len(sets) + 1), names, **turned)
    axes.set_xlim(0.4, len(sets) + 0.6)
    quantity_axis(axes, "y", every, what, unit)
