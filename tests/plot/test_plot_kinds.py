"""Each kind of panel: it draws its example with names and all texts in their places, and asks for what it needs."""

from itertools import combinations

import numpy as np
import pytest
from made_panels import EXAMPLES
from made_results import profiles
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from otjdd.plot.axes import unit_symbol
from otjdd.plot.figure import KINDS, figure, kinds_to_draw
from otjdd.plot.over_time import TIMES
from otjdd.plot.over_x import output_panel
from otjdd.plot.runs import named_results
from otjdd.plot.style import page_width, style
from otjdd.results import outputs
from otjdd.results.outputs import OUTPUTS

UNASKED = {"cdf", "iv-linear", "ter", "sneak", "stress"}
ALONE = {"columns", "channels", "cells", "sensed", "sneak", "programmed", "stress"}  # of one result each
SIZES = {"time": 5, "snapshot": 5, "read": 5, "step": 5, "x": 8, "column": 9, "kind": 2, "trap": 2}  # others: 3
OUTPUT_PANELS = [name for name in OUTPUTS if name not in KINDS and output_panel(name)]
LONGEST = max(OUTPUT_PANELS, key=lambda name: len(output_panel(name).shows)), max(OUTPUT_PANELS, key=len)
A_MAP = profiles(np.arange(9), metal=False)


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
    of_ticks = {
        id(label)
        for own in fig.findobj(Axes)
        for axis in (own.xaxis, own.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
    }
    texts = fig.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in texts if text.get_text().strip() and id(text) not in of_ticks]


def test_each_kind_has_an_example():
    assert set(EXAMPLES) == set(KINDS)


def with_output(name):
    """A made result of one output, with its coordinates."""
    dims = OUTPUTS[name].dims
    times = {TIMES[dims[0]]: np.arange(SIZES[dims[0]]) * 1e-3} | ({"x": np.arange(8) * 1e-9} if "x" in dims else {})
    values = np.random.default_rng(1).uniform(0.9, 1.1, [SIZES.get(dim, 3) for dim in dims])
    return outputs.dataset(times | {name: values})


@pytest.mark.parametrize("name", OUTPUT_PANELS)
def test_any_output_with_times_is_drawn_by_its_name_with_its_unit_and_all_its_columns(name):
    ds = with_output(name)
    (axes,) = figure(ds, name).axes
    drawn, values = np.array([line.get_ydata() for line in axes.lines]), ds[name].transpose(OUTPUTS[name].dims[0], ...)
    shots = values.values[[0, -1]] if "x" in ds[name].dims else values.values
    expected = shots.reshape(-1, 8) if "x" in ds[name].dims else shots.reshape(len(shots), -1).T
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(expected, axis=0))
    unit = unit_symbol(OUTPUTS[name].unit)
    assert axes.get_ylabel().replace("\n", " ").startswith(name.replace("_", " "))
    assert unit == "1" or axes.get_ylabel().endswith(f"{unit})")


@pytest.mark.parametrize("name", ["film_feld", "bias_current"])
def test_a_name_of_nothing_that_is_drawn_is_refused_with_the_nearest_that_is(name):
    with pytest.raises(ValueError, match=f"no kind of figure '{name}' .did you mean '(?!{name}).*'"):
        figure(with_output("film_field"), name)


@pytest.mark.parametrize("width", [0.085, pytest.param(0.17, marks=pytest.mark.campaign)])
@pytest.mark.parametrize("kind", [*KINDS, "a map", *LONGEST])
def test_a_panel_has_names_and_no_text_leaves_its_place(kind, width):
    with style(), page_width(width):
        if kind in LONGEST:
            fig = figure(with_output(kind), kind)
        else:
            fig = figure(A_MAP, "vacancies") if kind == "a map" else figure(EXAMPLES[kind], kind)
        FigureCanvasAgg(fig).draw()
        named = [axes for axes in fig.findobj(Axes) if axes.has_data() and axes.axison and axes.get_xticks().size]
        assert all(axes.get_ylabel() for axes in named)
        for axes in fig.findobj(Axes):
            for axis, length in ((axes.xaxis, "width"), (axes.yaxis, "height")):
                for first, second in combinations(ticks_of(axis), 2):
                    assert first.get_text() != second.get_text()
                    assert not first.get_window_extent().overlaps(second.get_window_extent().padded(-1)), (
                        first,
                        second,
                    )
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_usual_for_its_example_and_asks_for_what_it_needs(kind):
    example = EXAMPLES[kind]
    results = example if isinstance(example, list) else [example]
    assert (kind in kinds_to_draw(named_results(results))) == (kind not in UNASKED)
    assert KINDS[kind].fits(named_results([*results, *results])) == (kind not in ALONE)
    empty = outputs.dataset({})
    assert not KINDS[kind].fits(named_results(empty))
    assert not KINDS[kind].fits(named_results([*results, empty]))
    with pytest.raises(ValueError, match="nothing to draw for") as refused:
        figure(empty, kind)
    assert f"it needs {KINDS[kind].needs}; this result holds no reads" in str(refused.value)


def test_panels_stand_in_the_order_of_their_chapters_and_one_kind_may_take_the_place_of_another():
    assert list(KINDS)[:4] == ["loop", "columns", "channels", "conductance"]
    assert list(KINDS)[-6:] == ["spectrum", "cells", "sensed", "sneak", "programmed", "stress"]
    assert kinds_to_draw(named_results(EXAMPLES["hysteresis"])) == ["iv", "hysteresis", "switching-current", "current"]
    assert "polarisation" in kinds_to_draw(named_results([EXAMPLES["hysteresis"], EXAMPLES["polarisation"]]))
    assert not KINDS["stdp"].usual(named_results(EXAMPLES["stdp"][0]))


def test_a_colour_bar_takes_no_width_from_the_panels_below():
    with style(), page_width(0.085):
        fig = figure(A_MAP)
        FigureCanvasAgg(fig).draw()
        assert min(axes.get_window_extent().width for axes in fig.axes) > 0.6 * fig.bbox.width


def test_currents_of_kinds_over_decades_have_powers_of_ten_as_ticks():
    axes = figure(EXAMPLES["columns"], "columns").axes[0]
    FigureCanvasAgg(axes.figure).draw()
    assert all("10^" in label.get_text() for label in ticks_of(axes.yaxis))
