"""Change the font sizes and the limits of the axes of a drawn figure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from otjdd.plot.axes import SUPERSCRIPT, UNIT_ATTRIBUTE
from otjdd.plot.style import STYLE
from otjdd.units import DIMENSIONS, quantity, unit

LETTERS = 3.0, 40.0  # points, allowed heights of letters
PLAIN = {sign: chr(plain) for plain, sign in SUPERSCRIPT.items()} | {ord("Ω"): "ohm", ord(" "): "*"}
AXIS = re.compile(r".*\(([^()]*)\)$", re.DOTALL)


def lettered(fig: Figure, points: float) -> None:
    """Scale all fonts of a figure so that those of its axes are `points` high. Raises ValueError beyond LETTERS."""
    if not LETTERS[0] <= points <= LETTERS[1]:
        raise ValueError(f"expected letters from {LETTERS[0]:g} to {LETTERS[1]:g} points, got {points:g}")
    share = points / float(STYLE["font.size"])
    for axes in everywhere(fig):
        for axis in (axes.xaxis, axes.yaxis):
            for which in ("major", "minor"):
                if sizes := {float(label.get_fontsize()) for label in axis.get_ticklabels(which=which)}:
                    axis.set_tick_params(which=which, labelsize=share * max(sizes))
    ticks = {id(t) for axes in everywhere(fig) for axis in (axes.xaxis, axes.yaxis) for t in axis.get_ticklabels()}
    for text in fig.findobj(Text):
        if id(text) not in ticks:
            text.set_fontsize(share * float(text.get_fontsize()))


def limited(fig: Figure, side: str, text: str) -> None:
    """Set the limits of the x axes or of the y axes of all panels in which this axis shows the quantity of the limits.

    side : "x" or "y"   text : "LOW:HIGH" with units; if LOW or HIGH is empty, that limit stays
    Raises ValueError for other texts, and when no panel has such an axis.
    """
    low, colon, high = text.partition(":")
    if not colon or not (low.strip() or high.strip()):
        raise ValueError(f'expected LOW:HIGH with units, such as "0 V:2 V", got {text!r}')
    lower, upper = (amount(part) if part.strip() else None for part in (low, high))
    units = {quantity[1] for quantity in (lower, upper) if quantity}
    fitting = [(axes, scale) for axes in everywhere(fig) if (scale := scale_of(axes, side, units)) is not None]
    if not fitting:
        units_of_axes = dict.fromkeys(
            own or "plain numbers" for axes in everywhere(fig) if (own := unit_of_axis(axes, side)) is not None
        )
        raise ValueError(
            f"no {side} axis of this figure is in {' and '.join(units) or '1'}; there are {', '.join(units_of_axes)}"
        )
    for axes, scale in fitting:
        if lower and upper and not lower[0] * scale < upper[0] * scale:
            raise ValueError(f"expected a lower end below the upper one, got {text!r}")
        getattr(axes, f"set_{side}lim")(lower and lower[0] * scale, upper and upper[0] * scale)


def amount(text: str) -> tuple[float, str]:
    """Value [SI] and unit of a quantity, unit "1" for a plain number. Raises ValueError."""
    try:
        return float(text), "1"
    except ValueError:
        pass
    value, dimension = quantity(text)
    return value, DIMENSIONS[dimension].unit


def scale_of(axes: Axes, side: str, units: set[str]) -> float | None:
    """Factor from SI to the data of an axis; None if `units`, those of the limits, are of another quantity."""
    own = unit_of_axis(axes, side)
    if own is None or not units:
        return None if own is None else 1.0
    if units == {"1"} or not own:
        return 1.0 if units == {"1"} and not own else None
    try:
        its = unit(own.translate(PLAIN))
        if any(unit(name).powers != its.powers for name in units):
            return None
    except ValueError:
        return None
    return 1.0 / float(its.factor.scaleb(its.exponent))


def unit_of_axis(axes: Axes, side: str) -> str | None:
    """Unit of the data of an axis, "" for plain numbers; None for axes without data."""
    if not axes.axison or not axes.has_data():
        return None
    unit = getattr(axes, UNIT_ATTRIBUTE.format(side), None)
    if unit is not None:
        return "" if unit == "1" else unit
    label = getattr(axes, f"get_{side}label")()
    match = AXIS.match(label)
    return None if not label else match[1] if match else ""


def everywhere(fig: Figure) -> Iterator[Axes]:
    """All axes of a figure and all inset axes, without colour bars."""
    stack = [axes for axes in fig.axes if axes.get_label() != "<colorbar>"]
    while stack:
        axes = stack.pop(0)
        yield axes
        stack += [child for child in axes.child_axes if isinstance(child, Axes)]
