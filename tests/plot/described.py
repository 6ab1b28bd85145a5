"""A figure in words and numbers: what stands on its axes, within which limits, in which order."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter
from numpy.typing import ArrayLike

from otjdd.plot.axes import Ticks


def numbers(values: ArrayLike) -> str:
    """First, last, least, largest and mean of values, to four digits."""
    row = np.asarray(np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)).ravel()
    if not np.isfinite(row).any():
        return "nothing"
    told = (row[0], row[-1], np.nanmin(row), np.nanmax(row), np.nanmean(row))
    return " ".join(f"{value:.4g}" if abs(value) > 1e-9 * max(map(abs, told[2:4])) else "0" for value in told)


def one_line(text: object) -> str:
    """A text in quotes; nothing in the place of the name that a curve without a label has."""
    return "''" if str(text).startswith("_") else repr(str(text).replace("\N{NO-BREAK SPACE}", " "))


def axis_in_words(axes: Axes, side: str) -> str:
    """Label, scale, limits and, where they stand at places of their own, ticks of an axis."""
    axis = getattr(axes, f"{side}axis")
    low, high = axis.get_view_interval()
    words = f"  {side} {one_line(axis.get_label_text())} {axis.get_scale()} {low:.3g} to {high:.3g}"
    if isinstance(axis.get_major_locator(), FixedLocator):
        places = axis.get_majorticklocs()
        named = axis.get_major_formatter().format_ticks(places)
        words += f", ticks {[f'{at:.3g}: {name}' for at, name in zip(places, named, strict=True)]}"
    elif isinstance(axis.get_major_formatter(), Ticks | FuncFormatter):
        words += f", written as {[axis.get_major_formatter()(value, 0) for value in (low, high)]}"
    return words


def axes_in_words(axes: Axes) -> Iterator[str]:
    yield f"axes {one_line(axes.get_title(loc='left'))}"
    yield from (axis_in_words(axes, side) for side in "xy" if axes.axison)
    for line in axes.lines:
        style = f"{line.get_linestyle()} {line.get_marker()} {to_hex(line.get_color())} {line.get_markevery()}"
        yield f"  line {one_line(line.get_label())} {style}, {len(line.get_xdata())} points"
        yield f"    x {numbers(line.get_xdata())}, y {numbers(line.get_ydata())}"
    for one in (*axes.collections, *axes.images):
        yield f"  areas {one_line(one.get_label())}"
        if one.get_array() is not None:
            yield f"    {numbers(one.get_array())}, {type(one.norm).__name__} {one.norm.vmin:.4g} to {one.norm.vmax:.4g}"
        elif hasattr(one, "get_paths"):
            whole = np.concatenate([path.vertices for path in one.get_paths()] or [np.zeros((1, 2))])
            yield f"    x {numbers(whole[:, 0])}, y {numbers(whole[:, 1])}"
    for text in axes.texts:
        if getattr(text, "arrow_patch", None):
            yield "  arrow {:.4g}, {:.4g} to {:.4g}, {:.4g}".format(*text.xyann, *text.xy)
        else:
            yield f"  text {one_line(text.get_text())}"
    if (legend := axes.get_legend()) is not None:
        named = [one_line(text.get_text()) for text in legend.get_texts()]
        yield f"  legend {one_line(legend.get_title().get_text())}: {', '.join(named)}"


def described(fig: Figure) -> Iterator[str]:
    """Lines about each of the axes of a figure, those within others behind these."""
    waiting = list(fig.axes)
    while waiting:
        axes = waiting.pop(0)
        yield from axes_in_words(axes)
        waiting += [child for child in axes.child_axes if isinstance(child, Axes)]
