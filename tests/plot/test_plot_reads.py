"""Panels of reads: loops, conductance, retention, noise."""

from itertools import pairwise

import numpy as np
import pytest
from made_panels import noisy
from made_results import WRITES, labels, reads

import otjdd
from otjdd.plot.figure import figure
from otjdd.plot.runs import KINDS, NamedResult


def test_a_loop_is_resistance_against_write_voltage_with_its_direction():
    R = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 9.0]) * 1e6
    axes = figure(reads(WRITES, R), "loop").axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.column_stack((WRITES, R)))
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "resistance (MΩ)"
    arrows = [text for text in axes.texts if text.arrow_patch]
    points = list(zip(WRITES, R, strict=True))
    assert arrows
    assert {(tuple(arrow.xyann), tuple(arrow.xy)) for arrow in arrows} <= set(pairwise(points))


def test_a_loop_that_switches_says_its_ratio_and_voltages():
    V = np.array([0.1, 1.0, 2.0, 0.1, -1.0, -2.0, 0.1])
    R = np.array([1e8, 1e6, 1e4, 1e4, 1e4, 1e8, 1e8])
    assert figure(reads(V, R), "loop").axes[0].get_title(loc="left") == "high/low 10000, set +1 V, reset −1.5 V"
    rising = reads(V, 1e5 * np.array([1.0, 1.2, 1.6, 1.8, 2.0, 2.6, 3.0]))
    assert figure(rising, "loop").axes[0].get_title(loc="left") == ""  # no set at either sign


@pytest.mark.parametrize(("share", "scale"), [(0.1, "linear"), (0.01, "log")])
def test_conductances_over_decades_are_on_a_logarithmic_axis_and_others_from_zero(share, scale):
    axes = figure(reads(WRITES, 1e6 * np.geomspace(1.0, share, 6)), "conductance").axes[0]
    assert axes.get_yscale() == scale
    assert labels(axes) == ["after V > 0", "after V < 0"]
    assert (axes.get_ylim()[0] == 0.0) == (scale == "linear")


def test_states_that_alternate_are_drawn_cycle_by_cycle_and_as_their_spread():
    R = np.array([1e5, 1e8, 1.1e5, 2e8, 1e5, 1e8])
    ds = reads(np.array([2.2, -4.3] * 3), R)
    axes = figure(ds).axes[0]
    assert axes.get_xlabel() == "cycle"
    assert labels(axes) == ["after +2.2 V", "after −4.3 V"]
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[1, 1e8], [2, 2e8], [3, 1e8]])
    assert axes.get_legend().get_title().get_text() == "high/low 1000 to 1820 in 3 cycles"
    spread = figure(ds, "cdf").axes[0]
    np.testing.assert_allclose(spread.lines[0].get_xydata(), [[1e5, 100 / 6], [1e5, 50], [1.1e5, 500 / 6]])


@pytest.mark.parametrize(
    ("exponent", "left"),
    [(-0.02, "R 87.1 % left"), (0.02, "G 87.1 % left"), (0.2, "G 25.1 % left, half after 32 s")],
)
def test_retention_is_against_the_time_since_the_write_and_says_what_is_left(exponent, left):
    since = np.array([1.0, 10.0, 100.0, 1000.0])
    written = {"write_end": np.full(4, 1e-3), "write_end_voltage": np.full(4, -4.0)}
    ds = reads(np.full(4, np.nan), 1e6 * since**exponent, since + 1e-3, **written)
    axes = figure(ds).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_xdata(), since, rtol=1e-6)
    assert axes.get_xlabel() == "time after the write"
    assert axes.xaxis.get_major_formatter()(10.0, 0) == "10 s"
    assert labels(axes) == [f"after −4 V, {left}"]
    swept = ds.assign(read_voltage=("read", [0.1, 0.2, 0.3, 0.4]))
    assert not KINDS["retention"].fits([NamedResult(swept)])


def test_reads_before_the_first_write_are_of_the_state_that_a_run_begins_with():
    """As in a hold that follows `ions.initial = { history = ... }`: the write is no part of the run."""
    since, unknown = np.array([1.0, 10.0, 100.0, 1000.0]), np.full(4, np.nan)
    ds = reads(np.zeros(4), 1e6 * since**0.2, since, write_end=unknown, write_end_voltage=unknown)
    axes = figure(ds).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_xdata(), since)
    assert axes.get_xlabel() == "time"
    assert labels(axes) == ["G 25.1 % left, half after 32 s"]


def test_coinciding_loops_have_markers_and_arrows_at_places_of_their_own():
    V = np.concatenate([np.linspace(0, 2, 40), np.linspace(2, -2, 80), np.linspace(-2, 0, 40)])
    one, two = (reads(V, 1e6 * np.exp(np.cumsum(V) / 20)) for _ in range(2))
    axes = figure([one, two], "loop", label=["one", "two"]).axes[0]
    starts, steps = zip(*(line.get_markevery() for line in axes.lines), strict=True)
    marked = [set(range(start, len(V), step)) for start, step in zip(starts, steps, strict=True)]
    assert not marked[0] & marked[1]
    assert all(10 <= len(places) <= 20 for places in marked)
    arrows = [tuple(text.xy) for text in axes.texts if text.arrow_patch]
    assert len(set(arrows)) == len(arrows) == 12
    assert min(text.get_zorder() for text in axes.texts if text.arrow_patch) > axes.lines[1].get_zorder()
    few = figure([reads(WRITES, 1e6 * np.arange(1, 7))] * 2, "loop", label=["one", "two"]).axes[0]
    assert [line.get_markevery() for line in few.lines] == [None, None]


def test_a_spectrum_shows_its_slope_and_the_noise_of_electrons():
    current = 1e-6 * (1 + 1e-3 * np.random.default_rng(1).standard_normal(512))
    ds = otjdd.measured(read_time=1e-3 * np.arange(1, 513), read_current=current, read_voltage=np.full(512, 0.1))
    axes = otjdd.figure(ds, "noise").axes[0]
    spectrum, line, electrons = axes.lines
    assert len(spectrum.get_xdata()) == len(line.get_xdata()) > 20
    assert electrons.get_ydata()[0] == pytest.approx(2 * 1.602e-19 / 1e-6, rel=1e-3)
    assert line.get_label() == f"slope {otjdd.noise(ds).slope.item():.2f}"
    (note,) = axes.texts
    assert note.get_text().startswith("f S/I² = ")
    assert "10⁻" in note.get_text()
    assert "ions" not in note.get_text()
    assert np.isnan(otjdd.noise(ds).hooge)
    (note,) = figure(noisy(), "noise").axes[0].texts
    assert f"times {otjdd.noise(noisy()).ions.item():.0f} ions: " in note.get_text().replace("\n", " ")


def test_reads_without_single_ions_are_not_searched_for_a_spectrum(monkeypatch):
    monkeypatch.setattr("otjdd.analysis.current_noise.noise", None)
    times = 1e-3 * np.arange(1, 129)
    ds = otjdd.measured(read_time=times, read_current=np.full(128, 1e-6), read_voltage=np.full(128, 0.1))
    assert not KINDS["noise"].usual([NamedResult(ds)])
