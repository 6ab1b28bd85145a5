"""Axes that panels share: ticks that differ, limits that hold measured points, notes and signs."""

import numpy as np
import pytest
from made_results import WRITES, labels, reads

import otjdd
from otjdd.plot.axes import Ticks, over_decades, panels_in_row, with_signs
from otjdd.plot.figure import curve, figure
from otjdd.plot.style import Figure, panels


def texts_of_ticks(axis) -> list[str]:
    axis.axes.figure.draw_without_rendering()
    low, high = sorted(axis.get_view_interval())
    return [
        label.get_text()
        for at, label in zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
        if low <= at <= high
    ]


@pytest.mark.parametrize("kind", ["loop", "conductance"])
@pytest.mark.parametrize("step", [0.0, 10.0, 1e3, 1e4, 1e6])
def test_no_two_ticks_of_an_axis_are_the_same(kind, step):
    axes = figure(reads(WRITES, 281.4e6 + step * np.arange(6)), kind).axes[0]
    texts = texts_of_ticks(axes.yaxis)
    assert len(set(texts)) == len(texts) > 2


def test_ticks_that_agree_in_many_digits_are_differences_from_a_value_at_the_end_of_the_axis():
    ticks = Ticks(1e6)
    assert ticks.format_ticks(281.4e6 + 1e3 * np.arange(3)) == ["0", "0.001", "0.002"]
    assert ticks.get_offset() == "+ 281.4"
    assert ticks.format_ticks(-281.4e6 - 1e3 * np.arange(2)) == ["0.001", "0"]
    assert ticks.get_offset() == "− 281.401"
    assert ticks.format_ticks([1e6, 2e6]) == ["1", "2"]
    assert ticks.get_offset() == ""


@pytest.mark.parametrize("factor", [1e-4, 1.0, 30.0, 1e5])
def test_axes_show_all_measured_points_with_a_margin(factor):
    R = 1e6 * np.array([1.0, 2.0, 1.5, 3.0, 1.2, 1.1])
    data = otjdd.measured(write_voltage=3 * WRITES, read_resistance=factor * R)
    data = data.rename(read="point") if "read" in data.dims else data
    axes = figure([reads(WRITES, R), data], "loop", label=["run", "data"]).axes[0]
    assert labels(axes) == ["run", "data"]
    for side, values in (("x", 3 * WRITES), ("y", factor * R)):
        low, high = getattr(axes, f"get_{side}lim")()
        assert low < values.min() < values.max() < high
    texts = texts_of_ticks(axes.yaxis)
    assert 2 <= len(texts) <= 12
    assert len(set(texts)) == len(texts)


def test_numbers_of_a_text_have_a_minus_and_a_sign_of_multiplication():
    assert with_signs("from -2 to 1e-3 A, x5 in a mid-1 film") == "from −2 to 1e−3 A, ×5 in a mid-1 film"


def measured(**arrays):
    size = len(next(iter(arrays.values())))
    whole = {"branch": np.zeros(size, int), "record": np.zeros(size, int)} | arrays
    return otjdd.measured(**arrays).drop_dims("read", errors="ignore").assign(
        {name: ("point", values) for name, values in whole.items()}
    )  # fmt: skip


def drawn(ds, axis, name):
    axes = Figure().add_subplot()
    curve(axes, ds, axis, name)
    return axes


def test_measured_retention_is_on_a_logarithmic_axis_and_a_steady_trace_is_not():
    R = 1e6 * np.linspace(1, 2, 9)
    for times, scale in ((np.geomspace(1e-3, 1e4, 9), "log"), (np.append(0, np.geomspace(1, 1e4, 8)), "log"),
                         (np.linspace(1, 900, 9), "linear")):  # fmt: skip
        assert drawn(measured(time=times, read_resistance=R), "time", "read_resistance").get_xscale() == scale
        assert over_decades(times) == (scale == "log")
    assert not over_decades([-1.0, 1.0, 10.0, 1000.0])


@pytest.mark.parametrize(
    ("count", "spans"), [(1, [1]), (3, [1, 1, 1]), (4, [1] * 4), (5, [1, 1, 1, 1, 2]), (7, [1] * 6 + [3])]
)
def test_the_last_panel_takes_what_the_others_leave_of_its_row(count, spans):
    _, places = panels(count)
    assert [len(axes.get_subplotspec().colspan) for axes in places] == spans
    assert panels_in_row(places[-1]) == panels_in_row(places[0]) / spans[-1]
