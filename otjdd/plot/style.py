"""How all figures look: colours, fonts, sizes of a journal's column; and how a figure becomes a file.

Drawn with matplotlib's objects, never through pyplot, so that no state and no window is left behind. Colours are those
of Okabe and Ito, told apart by colour-blind readers too.
"""

import io
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#777777",
)  # fmt: skip
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)

STYLE = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=CYCLE),
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
    "legend.handlelength": 1.5,
    "savefig.dpi": 200,
    "image.cmap": "viridis",
    "svg.hashsalt": "otjdd",
}
WIDTH, HEIGHT = 3.4, 2.6  # inches of a panel: one column of a journal


@contextmanager
def style():
    """Context in which figures are drawn: matplotlib's defaults and STYLE, whatever settings a user has.

    A setting such as text.usetex would end a run whose machine has no TeX.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def panels(count: int) -> tuple[Figure, list]:
    """An empty figure of panels side by side, and its axes."""
    fig = Figure(figsize=(WIDTH * count, HEIGHT), layout="constrained")
    return fig, [fig.add_subplot(1, count, i + 1) for i in range(count)]


def save(fig: Figure, path) -> None:
    """Write a figure as PNG, PDF or SVG, by the suffix of the path. Raises ResultError, ValueError."""
    from otjdd.system.files import write_whole

    kind = Path(path).suffix.lower().lstrip(".") or "png"
    if kind not in ("png", "pdf", "svg"):
        raise ValueError(f"{path}: figures are written as png, pdf or svg, not as {kind}")
    write_whole(path, encoded(fig, kind))


def encoded(fig: Figure, kind: str) -> bytes:
    """A figure as "png", "pdf" or "svg"; the same bytes for the same SVG."""
    data = io.BytesIO()
    with style():
        fig.savefig(data, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return data.getvalue()
