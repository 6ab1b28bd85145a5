"""Parts that panels share: axes with units and prefixes, legends, notes, arrows; fonts and limits of a drawn figure."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import EngFormatter, Formatter, FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from otjdd.plot.style import GREY, STYLE, WIDTH, panels, style
from otjdd.studies.dataset import worth_logarithms
from otjdd.units import DIMENSIONS, quantity, unit

PREFIXED = {"m", "s", "V", "Hz", "A", "ohm", "F", "S", "J", "W"}  # units that take prefixes
ON_TICKS = {"s", "m", "Hz"}  # units that a logarithmic axis writes, with prefix, at each tick
FEW = 300  # largest over smallest value, below which powers of ten give a logarithmic axis too few ticks
NAMED = {"x": 5, "y": 7}  # most ticks with a unit that a panel has room for
LONG = 1e4  # largest value of an axis, from which the numbers at its ticks are so long that fewer of them fit
DIGITS = 4, 5  # usual and most digits of a tick; ticks that agree in more are written as differences
NEAR_ZERO = 0.02  # of the largest voltage: smaller voltages, where ln |I| diverges, do not set the limits of an axis
EARLY = 0.25  # share of the largest value; values suit a logarithmic axis if their median is below this share
MARGIN = 0.05  # of the span of an axis, around measured points
SCALE_ATTRIBUTE = "otjdd_{}_scale"  # attribute of axes: the `AxisScale` of that side
UNIT_ATTRIBUTE = "otjdd_{}_unit"  # attribute of axes: the unit of their data on a side, which the label may prefix
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ARROW = "-|>,head_width=0.25,head_length=0.5"
HANDLE, LETTER, ROOM = 29.0, 3.9, 215.0  # points: width of a legend's handle, of a letter, and of a panel's legend
TITLE = 0.85  # share of ROOM for the title of a legend: the width of the axes
NOTE, NOTE_WIDTH = "note", 60  # mark of a note, and most characters of its line in a panel of WIDTH
HYPHEN, TIMES = re.compile(r"(?<![\w.)\]])-(?=[\d.])|(?<=\de)-(?=\d)"), re.compile(r"(?<![\w.])x(?=\d)")
LETTERS = 3.0, 40.0  # points, allowed heights of letters
PLAIN = {sign: chr(plain) for plain, sign in SUPERSCRIPT.items()} | {ord("Ω"): "ohm", ord(" "): "*"}
AXIS = re.compile(r".*\(([^()]*)\)$", re.DOTALL)


class AxisScale(NamedTuple):
    """What an axis shows: its least and largest finite value (SI), the name of the quantity, and its unit."""

    ends: tuple[float, float]
    name: str
    unit: str


def quantity_axis(
    axes: Axes, side: str, values: ArrayLike, name: str, unit: str = "1", log: bool | None = None
) -> None:
    """Set scale, ticks and label of an axis that shows `values` (any shape, SI).

    side : "x" or "y"   log : None takes a logarithmic axis for positive values over more than a decade
    A linear axis has the prefix of the unit in its label ("time (ms)"). A logarithmic axis of times, lengths or
    frequencies has unit and prefix at each tick. Over few decades, a logarithmic axis has ticks between the powers of ten.
    """
    values = np.asarray(values, dtype=float)
    setattr(axes, UNIT_ATTRIBUTE.format(side), unit)
    largest = float(np.nanmax(np.abs(values), initial=0.0)) if np.isfinite(values).any() else 0.0
    if largest:
        ends = float(np.nanmin(values)), float(np.nanmax(values))
        setattr(axes, SCALE_ATTRIBUTE.format(side), AxisScale(ends, name, unit))
    own, printed_unit = getattr(axes, f"{side}axis"), unit_symbol(unit)
    if side == "y":  # left of the axis, off the legend and the letter of the panel
        own.get_offset_text().set(fontsize=6, ha="right")
    if worth_logarithms(values) if log is None else log:
        axes.set(**{f"{side}scale": "log"})
        few = largest > 0.0 and np.nanmax(values) < FEW * np.nanmin(values)
        if few:
            wide = (
                side == "x" and unit not in PREFIXED and largest >= LONG and np.nanmax(values) > 10 * np.nanmin(values)
            )
            own.set_major_locator(LogLocator(subs=(1.0, 3.0) if wide else (1.0, 2.0, 5.0)))
            own.set_minor_formatter(NullFormatter())
        if unit in ON_TICKS:
            own.set_major_formatter(lambda value, _: three_digits(value, unit))
            own.set_minor_formatter(NullFormatter())
            if not few:
                own.set_major_locator(LogLocator(numticks=NAMED[side]))
            printed_unit = "1"
        elif few and (prefixed := prefix(largest, unit)):
            own.set_major_formatter(prefixed[0])
            printed_unit = prefixed[1]
        elif few:
            own.set_major_formatter(lambda value, _: three_digits(value))
    elif prefixed := prefix(largest, unit):
        own.set_major_formatter(prefixed[0])
        printed_unit = prefixed[1]
    elif axes.get_xscale() == "linear" == axes.get_yscale():
        axes.ticklabel_format(axis="x" if side == "x" else "y", useOffset=False)
    axes.set(**{f"{side}label": name + (f" ({printed_unit})" if printed_unit != "1" else "")})


class Ticks(Formatter):
    """Ticks in units of `size`, with as many digits as they differ by.

    Ticks that agree in more than DIGITS digits are written as differences from the first, whose value stands at the end
    of the axis. The differences require all ticks of an axis (`set_locs`); without these, a value has the usual digits.
    """

    def __init__(self, size: float) -> None:
        self.size, self.digits, self.base = size, DIGITS[0], 0.0

    def set_locs(self, locs: ArrayLike) -> None:
        self.digits, self.base = DIGITS[0], 0.0
        values = np.unique(np.asarray(locs, dtype=float) / self.size)
        if len(values) < 2:
            return
        while self.digits <= 12 and any(
            abs(float(f"{value:.{self.digits}g}") - value) > 0.05 * np.diff(values).min() for value in values
        ):
            self.digits += 1
        if self.digits > DIGITS[1]:
            self.base, self.digits = float(f"{values[0]:.{self.digits}g}"), DIGITS[0]

    def __call__(self, value: float, pos: int | None = None) -> str:
        difference = value / self.size - self.base
        return f"{difference if abs(difference) > 1e-9 * abs(self.base) else 0.0:.{self.digits}g}".replace(
            "-", "\N{MINUS SIGN}"
        )

    def get_offset(self) -> str:
        return f"+ {self.base:.12g}".replace("+ -", "\N{MINUS SIGN} ") if self.base else ""


def prefix(largest: float, unit: str) -> tuple[Ticks, str] | None:
    """Formatter of ticks for values up to `largest`, and the unit with its prefix; None for a unit without prefixes."""
    if unit not in PREFIXED or not largest > 0:
        return None
    exponent = 3 * math.floor(math.log10(largest) / 3 + 1e-9)
    sign = EngFormatter.ENG_PREFIXES.get(exponent)
    if sign is None:
        return None
    return Ticks(10.0**exponent), sign + unit_symbol(unit)


def colours(
    mappable: ScalarMappable, axes: Axes | list[Axes], name: str, unit: str = "1", within: Axes | None = None
) -> None:
    """Draw a colour bar next to axes (one or several), with unit and prefix.

    A logarithmic bar over few decades has the unit at each tick.
    within : axes for the bar; None to take room from `axes`
    """
    first = axes[0] if isinstance(axes, list) else axes
    low, high = mappable.get_clim()
    logarithmic = isinstance(mappable.norm, LogNorm)
    few = logarithmic and high < FEW * low
    prefixed = None if logarithmic else prefix(max(abs(low), abs(high)), unit)
    printed_unit = prefixed[1] if prefixed else "1" if few else unit_symbol(unit)
    bar = first.figure.colorbar(
        mappable, within, axes, label=name + (f" ({printed_unit})" if printed_unit != "1" else "")
    )
    if few:
        bar.locator, bar.formatter = (
            LogLocator(subs=(1.0, 2.0, 5.0)),
            FuncFormatter(lambda value, _: three_digits(value, unit)),
        )
        bar.minorformatter = NullFormatter()
        bar.update_ticks()
    if prefixed:
        bar.formatter = prefixed[0]
        bar.update_ticks()


def unit_symbol(unit: str) -> str:
    """A unit as it is printed."""
    return re.sub(r"\^?-\d|\^\d", lambda match: match[0].lstrip("^").translate(SUPERSCRIPT), unit).replace("ohm", "Ω")


def three_digits(value: float, unit: str = "1") -> str:
    """A value with unit and prefix, to three digits: "200 ms", "2 × 10⁴ s" (seconds take no kilo), "6780"."""
    if not math.isfinite(value):
        return str(value)
    if unit in PREFIXED and not (unit == "s" and abs(value) >= 1e3):
        return EngFormatter(unit_symbol(unit))(float(f"{value:.3g}"))
    if value and not 1e-3 <= abs(value) < (1e4 if unit == "s" else 1e6):
        digits, exponent = f"{value:.2e}".split("e")
        power = "10" + str(int(exponent)).translate(SUPERSCRIPT)
        digits = f"{float(digits):g} × " if float(digits) != 1 else ""
        text = digits + power
    else:
        text = f"{float(f'{value:.3g}'):.6g}"
    return (text + (f" {unit_symbol(unit)}" if unit != "1" else "")).replace("-", "\N{MINUS SIGN}")


def volts(value: float) -> str:
    """A voltage with its sign."""
    return f"{value:+.3g} V".replace("-", "\N{MINUS SIGN}")


def magnitude(values: ArrayLike) -> np.ndarray:
    """Absolute values for a logarithmic axis; nan for zero."""
    positive = np.abs(values)
    return np.where(positive > 0, positive, np.nan)


def current_limits(axes: Axes, voltage: ArrayLike, current: ArrayLike) -> np.ndarray:
    """Set the limits of a logarithmic axis of currents (n,) [A], a factor 3 beyond them.

    Currents at voltages (n,) [V] near 0 V set no limit: their logarithm diverges. Returns the absolute values (m,) [A] of
    the other currents, nan for zero.
    """
    far = np.abs(voltage) >= NEAR_ZERO * np.nanmax(np.abs(voltage))
    within = magnitude(current)[far]
    if np.isfinite(within).any():
        axes.set_ylim(np.nanmin(within) / 3, np.nanmax(within) * 3)
    return within


def over_decades(values: ArrayLike) -> bool:
    """True if times or the like suit a logarithmic axis: none negative, over a decade or more, and most of them early."""
    times: np.ndarray = np.asarray(values, dtype=float)
    positive = times[times > 0]
    if positive.size < 3 or np.nanmin(times) < 0 or positive.max() < 10 * positive.min():
        return False
    return bool(np.median(positive) < EARLY * positive.max())


def include(axes: Axes, side: str, values: ArrayLike) -> None:
    """Widen an axis to values (n,), with a margin, and set its ticks and prefix anew for them."""
    row: np.ndarray = np.asarray(values, dtype=float)
    log = getattr(axes, f"get_{side}scale")() == "log"
    row = row[np.isfinite(row) & ((row > 0) | (not log))]
    if not row.size:
        return
    ends = np.array([row.min(), row.max()])
    if (scale := getattr(axes, SCALE_ATTRIBUTE.format(side), None)) is not None:
        quantity_axis(axes, side, [*scale.ends, *ends], scale.name, scale.unit, log)
    limits = np.array(getattr(axes, f"get_{side}lim")())
    limits, ends = (np.log(limits), np.log(ends)) if log else (limits, ends)
    margin = MARGIN * (max(limits[1], ends[1]) - min(limits[0], ends[0]))
    wider = min(limits[0], ends[0] - margin), max(limits[1], ends[1] + margin)
    getattr(axes, f"set_{side}lim")(*(np.exp(wider) if log else wider))


def show_all(axes: Axes, side: str, rows: Sequence[np.ndarray]) -> None:
    """Widen an axis to rows of values, (n,) each, and make it logarithmic where positive values span more than a decade."""
    scale = getattr(axes, SCALE_ATTRIBUTE.format(side), None)
    if not rows or scale is None:
        return
    values = np.concatenate([np.ravel(row) for row in rows])
    if worth_logarithms(np.append(values, scale.ends)):
        axes.set(**{f"{side}lim": scale.ends})  # an axis that begins at zero has no logarithm
        quantity_axis(axes, side, scale.ends, scale.name, scale.unit, log=True)
    include(axes, side, values)


def draw_points(axes: Axes, x: ArrayLike, y: ArrayLike, label: str, number: int, near_zero: bool = True) -> None:
    """Draw measured points (n,) into the panel of results, as open black markers, and renew the legend.

    The axes show all points. near_zero : False if points with x near 0 V set no limit of y, as for currents
    """
    at: np.ndarray = np.asarray(x, dtype=float)
    on_axis: np.ndarray = magnitude(y) if axes.get_yscale() == "log" else np.asarray(y)
    axes.plot(
        at,
        on_axis,
        "osD^"[number % 4],
        color="black",
        markersize=2.8,
        markerfacecolor="none",
        markeredgewidth=0.6,
        label=label,
    )
    include(axes, "x", at)
    include(axes, "y", on_axis if near_zero else on_axis[np.abs(at) >= NEAR_ZERO * np.nanmax(np.abs(at))])
    legend(axes)


def legend(axes: Axes, title: str | None = None) -> None:
    """Draw a legend of all labelled curves above the axes, off the data; the title alone where no curve has a label.

    A figure without a layout engine (a user's own) makes no room above its axes: its legend stands inside the axes, where
    the legend covers least.
    """
    handles, plain_labels = axes.get_legend_handles_labels()
    labels = [with_signs(label) for label in plain_labels]
    title = with_signs(title) if title else None
    title = title or axes.get_title(loc="left") or None  # the title of an earlier call without labelled curves
    if handles:
        axes.set_title("", loc="left")
    if not handles:
        if title:
            axes.set_title(textwrap.fill(title, NOTE_WIDTH), fontsize=7, color=GREY)
        return
    if axes.figure.get_layout_engine() is None:
        axes.legend(handles, labels, title=title)
        return
    entry = HANDLE + LETTER * max(map(len, labels))
    room = ROOM * figure_of(axes).get_size_inches()[0] / (WIDTH * panels_in_row(axes))
    if title and "$" not in title:
        title = textwrap.fill(title, max(12, int(room * TITLE / LETTER)))
    columns = max(1, min(len(labels), int(room / entry), 3 if len(labels) % 3 in (0, 2) else 2))
    axes.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, title=title, alignment="left",
        borderaxespad=0.1,
        borderpad=0.2, columnspacing=1.2, labelspacing=0.3,
    )  # fmt: skip


def figure_of(axes: Axes) -> Figure:
    """The figure of axes, also of axes in a subfigure."""
    return axes.figure if isinstance(axes.figure, Figure) else axes.figure.figure


@contextmanager
def laid_out(
    count: int, own: Sequence[Axes] | None = None, what: str = "panels"
) -> Iterator[tuple[Figure, Sequence[Axes]]]:
    """A new figure of `count` lettered panels in the style of all figures, or the one of a user's own axes, unlettered.

    what : the panels in words. Raises ValueError for another number of own axes.
    """
    if own is None:
        with style():
            fig, places = panels(count)
            for i, axes in enumerate(places if count > 1 else ()):
                letter(axes, i)
            yield fig, places
    elif len(own) != count:
        raise ValueError(f"{count} {what} take as many axes, not {len(own)}")
    else:
        yield figure_of(own[0]), own


def panels_in_row(axes: Axes) -> float:
    """Number of panels as wide as axes that fit into a row of their figure."""
    spec = axes.get_subplotspec()
    return spec.get_gridspec().ncols / len(spec.colspan) if spec else 1.0


def letter(axes: Axes, number: int) -> None:
    """Write the letter of a panel, a, b, c, ..., at its upper left."""
    axes.annotate(
        chr(ord("a") + number), (0, 1), (-30, 6), xycoords="axes fraction", textcoords="offset points",
        fontweight="bold", fontsize=9, ha="right", va="bottom", annotation_clip=False,
    )  # fmt: skip


def small_print(axes: Axes, text: str) -> None:
    """Write a note in small letters below the label of the x axis, and below an earlier note."""
    room = figure_of(axes).get_size_inches()[0] / panels_in_row(axes) / WIDTH
    lines = textwrap.fill(with_signs(text), min(NOTE_WIDTH, int(NOTE_WIDTH * room)))
    if (note := next((child for child in axes.texts if child.get_gid() == NOTE), None)) is not None:
        note.set_text(f"{note.get_text()}\n{lines}")
        return
    axes.annotate(
        lines, (0.5, 0), (0, -3), xycoords=axes.xaxis.label, textcoords="offset points",
        fontsize=6, color=GREY, ha="center", va="top", annotation_clip=False, gid=NOTE,
    )  # fmt: skip


def with_signs(text: str) -> str:
    """A text with a minus sign for the hyphen before a number, and a sign of multiplication for the x before one.

    A text with formulas ($...$) is returned unchanged, since formulas have these signs.
    """
    if "$" in text:
        return text
    return TIMES.sub("\N{MULTIPLICATION SIGN}", HYPHEN.sub("\N{MINUS SIGN}", text))


def arrows(axes: Axes, x: ArrayLike, y: ArrayLike, color: Any, count: int = 6, turn: tuple[int, int] = (0, 1)) -> None:
    """Draw arrows along a curve (n,) on a logarithmic y axis: one arrow in each of `count` stretches.

    The arrow stands where the stretch is steepest; in a flat stretch, in the middle. Points outside of the limits of the
    axes have no arrow. turn : (i, n) for curve i of n curves in the same axes: the arrow stands in part i of the n parts
    of each stretch, so that the arrows of coinciding curves stand apart
    """
    x, y = np.asarray(x), np.asarray(y)
    low, high = axes.get_ylim()
    good = np.flatnonzero(np.isfinite(x) & (y > 0) & (y >= low) & (y <= high))
    if len(good) < 2:
        return
    x, y = x[good], y[good]
    steps, span = np.abs(np.diff(np.log10(y))), max(np.ptp(np.log10(y)), 1e-9)
    for stretch in np.array_split(np.arange(len(x) - 1), min(count, len(x) - 1)):
        lot = np.array_split(stretch, turn[1])[turn[0]] if len(stretch) >= turn[1] else stretch
        i = lot[np.argmax(steps[lot])] if steps[lot].max() > 0.02 * span else lot[len(lot) // 2]
        axes.annotate(
            "", (x[i + 1], y[i + 1]), (x[i], y[i]),
            arrowprops={"arrowstyle": ARROW, "color": color, "shrinkA": 0, "shrinkB": 0}, zorder=5,
        )  # fmt: skip


def scale_fonts(fig: Figure, points: float) -> None:
    """Scale all fonts of a figure so that the letters of its axes are `points` high. Raises ValueError beyond LETTERS."""
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


def limit_axes(fig: Figure, side: str, text: str) -> None:
    """Set the limits of the x axes or of the y axes of all panels in which this axis shows the quantity of the limits.

    side : "x" or "y"   text : "LOW:HIGH" with units; if LOW or HIGH is empty, that limit stays
    Raises ValueError for other texts, and when no panel has such an axis.
    """
    low, colon, high = text.partition(":")
    if not colon or not (low.strip() or high.strip()):
        raise ValueError(f'expected LOW:HIGH with units, such as "0 V:2 V", got {text!r}')
    lower, upper = (amount(part) if part.strip() else None for part in (low, high))
    units = {quantity[1] for quantity in (lower, upper) if quantity}
    fitting = [(axes, scale) for axes in everywhere(fig) if (scale := axis_scale(axes, side, units)) is not None]
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


def axis_scale(axes: Axes, side: str, units: set[str]) -> float | None:
    """Factor from SI to the data of an axis; None if the `units` of the limits are of another quantity."""
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
