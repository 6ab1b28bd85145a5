"""The look of all figures (colours, fonts, sizes for the column of a journal), and how they are written into files.

Figures are made from matplotlib's classes and never through pyplot, so that no global state changes and no window opens.
The colours are from Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import rcsetup
from matplotlib.axes import Axes as Axes
from matplotlib.figure import Figure as Figure

from otjdd.system.files import write_whole

BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#777777",
)  # fmt: skip
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))  # a curve shows in the gaps of another on top of it

PALE, DARK = 0.55, 0.45  # shares of white and of black in the first and the last shade of a colour

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": rcsetup.cycler(color=CYCLE),
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.2,
    "lines.markersize": 3,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.handlelength": 2.2,
    "savefig.dpi": 200,
    "image.cmap": "viridis",
    "svg.hashsalt": "otjdd",
    "pdf.fonttype": 42,  # TrueType, which can be edited; journals refuse Type 3
}
WIDTH, HEIGHT = 3.4, 2.6  # inches of a panel: one column of a journal
PAGE_PANEL = (4.4, 4.8)  # inches of a picture of the explorer
INCH = 0.0254  # m
WIDTHS = 0.02, 2.0  # m, allowed widths of a figure
PAGE: ContextVar[float | None] = ContextVar("page", default=None)  # inches, see `page_width`
FORMATS = ("png", "pdf", "svg")


def shade(colour: str, i: int, count: int) -> tuple[float, float, float]:
    """RGB of shade i of `count` shades of a colour, from pale to dark; the colour itself if `count` is 1."""
    share = 0.5 if count < 2 else i / (count - 1)
    end, strength = (1.0, PALE * (1 - 2 * share)) if share < 0.5 else (0.0, DARK * (2 * share - 1))
    red, green, blue = (part + strength * (end - part) for part in mpl.colors.to_rgb(colour))
    return red, green, blue


class Drawing(Figure):
    """A figure that notebooks display. For a plain Figure they do so only once pyplot is imported."""

    def _repr_png_(self) -> bytes:
        return encoded_picture(self, "png")


@contextmanager
def style() -> Iterator[None]:
    """Context in which figures are drawn with matplotlib's defaults and STYLE, whatever settings a user has.

    A user's text.usetex, for example, would end a run on a machine without TeX.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)  # type: ignore[arg-type]  # whose keys are plain text
        yield


@contextmanager
def page_width(width: float | None) -> Iterator[None]:
    """Context in which figures are `width` [m] wide, with as many panels in a row as are readable.

    None keeps the default width. Raises ValueError for a width outside of WIDTHS.
    """
    if width is not None and not WIDTHS[0] <= width <= WIDTHS[1]:
        raise ValueError(f"expected a width from {100 * WIDTHS[0]:g} to {100 * WIDTHS[1]:g} cm, got {100 * width:g} cm")
    token = PAGE.set(None if width is None else width / INCH)
    try:
        yield
    finally:
        PAGE.reset(token)


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """An empty figure and its axes, in rows of at most three panels, or of as many as fit the page.

    The last panel takes what the others leave of its row.
    """
    columns, page = min(count, 2 if count in (2, 4) else 3), PAGE.get()
    if page:
        columns = max(1, min(columns, round(page / WIDTH)))
    rows = -(-count // columns)
    width = page or WIDTH * columns
    fig = Drawing(figsize=(width, HEIGHT * rows * width / columns / WIDTH), layout="constrained")
    places = [*range(1, count), (count, rows * columns)]
    return fig, [fig.add_subplot(rows, columns, place) for place in places]


def save(fig: Figure, path: str | Path, dpi: int | None = None) -> None:
    """Write a figure as PNG, PDF or SVG, by the suffix of the path. Raises ResultError, ValueError.

    dpi : dots per inch of a PNG
    """
    kind = Path(path).suffix.lower().lstrip(".") or "png"
    if kind not in FORMATS:
        raise ValueError(f"{path}: figures are written as png, pdf or svg, not as {kind}")
    write_whole(path, encoded_picture(fig, kind, dpi))


def encoded_picture(fig: Figure, kind: str, dpi: int | None = None) -> bytes:
    """Bytes of a figure as "png", "pdf" or "svg". The same figure gives the same bytes as an SVG."""
    data = io.BytesIO()
    with style():
        fig.savefig(
            data,
            format=kind,
            dpi=dpi or mpl.rcParams["savefig.dpi"],
            metadata={"Date": None} if kind == "svg" else None,
        )
    return data.getvalue()
