"""Texts of figures at the widths of journals: within the figure, no longer than their axis, apart, and no tick twice."""

from itertools import combinations

import numpy as np
import pytest
from made_results import DEPLETION, SPECTRUM, WRITES, case_attrs, curves, profiles, reads, series
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from otjdd.plot.figure import figure
from otjdd.plot.style import page, style

PULSES = case_attrs('{ kind = "pulse", voltage = "2 V", width = "20 ns" }')
AT = np.concatenate([np.geomspace(1e-9, 1e-6, 40), 1e-6 + np.geomspace(1e-9, 1e-3, 40)])
FIGURES = {
    "curves": curves(),
    "a loop": reads(WRITES, 1e6 * np.arange(1, 7)),
    "pulses up and down": reads(
        np.repeat([2.2, -2.5, 2.2, -2.5], 8), 1 / np.tile(np.r_[1:9, 8:0:-1] * 1e-6, 2), times=np.arange(32)
    ),
    "two profiles": profiles([0, 1], metal=False),
    "a map": profiles(np.arange(9), metal=False),
    "a depletion layer": DEPLETION,
    "an impedance": SPECTRUM,
    "a current": series(AT, np.where(AT < 1e-6, 0.0, 2.0), 1e-9 * (1 + 1e3 * AT), PULSES),
}


def ticks_of(axis) -> list[Text]:
    """Labels of the ticks within the limits of an axis."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    within = [tick for tick in ticks if low - slack <= tick.get_loc() <= high + slack]
    labels = [label for tick in within for label in (tick.label1, tick.label2) if label.get_visible()]
    return [label for label in labels if label.get_text().strip()]


def texts_of(fig) -> list[Text]:
    """Texts of a figure that are drawn, without the labels of ticks."""
    axes = fig.findobj(Axes)
    of_ticks = {
        id(label)
        for own in axes
        for axis in (own.xaxis, own.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
    }
    texts = fig.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in texts if text.get_text().strip() and id(text) not in of_ticks]


@pytest.mark.parametrize("width", [0.085, 0.17])
@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_its_place(name, width):
    with style(), page(width):
        fig = figure(FIGURES[name])
        FigureCanvasAgg(fig).draw()
        for axes in fig.findobj(Axes):
            for axis, length in ((axes.xaxis, "width"), (axes.yaxis, "height")):
                ticks = ticks_of(axis)
                for first, second in combinations(ticks, 2):
                    texts = first.get_text(), second.get_text()
                    assert texts[0] != texts[1]
                    assert not first.get_window_extent().overlaps(second.get_window_extent().padded(-1)), texts
                label, own = (getattr(part.get_window_extent(), length) for part in (axis.label, axes))
                assert label <= 1.1 * own, axis.get_label_text()
        texts = texts_of(fig)
        for text in texts:
            box = text.get_window_extent()
            assert min(box.x0, box.y0) >= -1, text
            assert max(box.x1 - fig.bbox.width, box.y1 - fig.bbox.height) <= 1, text
        for first, second in combinations(texts, 2):
            assert not first.get_window_extent().padded(-1).overlaps(second.get_window_extent().padded(-1)), (
                first,
                second,
            )


def test_a_colour_bar_takes_no_width_from_the_panels_below():
    with style(), page(0.085):
        fig = figure(profiles(np.arange(9), metal=False))
        FigureCanvasAgg(fig).draw()
        assert min(axes.get_window_extent().width for axes in fig.axes) > 0.6 * fig.bbox.width


def test_a_loop_that_does_not_come_back_has_no_switching_voltages():
    rising = figure(reads([0.5, 1.0, 1.5, 1.0, -0.5, -1.0, -1.5, -1.0], 1e6 * np.arange(1.0, 9.0) ** 2), "loop")
    assert rising.axes[0].get_title(loc="left") == ""


def test_currents_of_kinds_over_decades_have_powers_of_ten_as_ticks():
    ds = reads(WRITES, 1e6 * np.arange(1, 7))
    total = ds.read_current.values
    ds = ds.assign_coords(kind=["background", "switching"], kind_share=("kind", [0.9, 0.1]))
    axes = figure(ds.assign(kind_read_current=(("read", "kind"), np.stack((1e-5 * total, total), 1))), "columns").axes[
        0
    ]
    FigureCanvasAgg(axes.figure).draw()
    assert all("10^" in label.get_text() for label in ticks_of(axes.yaxis))
