"""Pictures of small signals: arcs, magnitude and phase, capacitance, and the line that tells a doping."""

import numpy as np
import pytest
import xarray as xr
from made_results import FREQUENCY, SPECTRUM, depletion, labels, signals

from otjdd.analysis import small_signal
from otjdd.plot.figure import figure
from otjdd.plot.style import page_width


def two_biases():
    arcs = [R / (1 + 2e-9j * np.pi * FREQUENCY * R) for R in (1e6, 2e6)]
    return signals([0.0, 0.5], FREQUENCY, arcs)


def test_an_arc_has_its_imaginary_part_upwards_equal_axes_and_a_dot_at_each_decade():
    axes = figure(two_biases(), "nyquist").axes[0]
    assert labels(axes) == ["0 V", "+0.5 V"]
    arc, dots = axes.lines[:2]
    np.testing.assert_allclose(arc.get_ydata().max(), 0.5e6, rtol=1e-2)
    x, y = arc.get_data()
    np.testing.assert_allclose(np.hypot(x - 0.5e6, y), 0.5e6, rtol=1e-3)  # a circle, and no polygon of its frequencies
    assert len(dots.get_xdata()) == 7
    assert axes.get_aspect() == 1.0
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Re Z (MΩ)", "−Im Z (MΩ)")
    named = {text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in axes.texts}
    assert named == {"10 Hz", "100 Hz", "1 kHz"}


@pytest.mark.parametrize("barrier", [1.0, 0.4])
def test_the_line_ends_at_its_built_in_voltage_and_the_doping_of_the_case_is_told(barrier):
    ds = depletion(barrier=barrier)
    axes = figure(ds, "mott-schottky").axes[0]
    fit = small_signal.depletion_line(ds)[1]
    line = axes.lines[1]
    assert line.get_ydata()[1] == 0.0
    assert line.get_xdata()[1] == pytest.approx(barrier - 8.617333262e-5 * 300, abs=1e-6)
    assert labels(axes) == [f"10²⁶ m⁻³, {1000 * fit.built_in_voltage:.0f} mV" if barrier < 1 else "10²⁶ m⁻³, 1 V"]
    (note,) = [text.get_text() for text in axes.texts]
    assert note == "the case: 10²⁶ m⁻³" + ", bands flat at +0.4 V" * (barrier < 1)
    y = 1 / ds.capacitance.values[0, 0, :, 0] ** 2
    assert axes.lines[0].get_ydata() == pytest.approx(y / 10 ** float(f"{np.log10(y.max()) // 3 * 3}"))


def two_arcs(size):
    """Spectra of a device of 1 Mohm and of one smaller by `size`, both with an arc, in two states."""
    one = SPECTRUM
    other = signals([0.0], FREQUENCY, (50 + 1e6 / size / (1 + 2e-3j * np.pi * FREQUENCY))[None])
    return xr.concat([one, other.assign_coords(state=["low"])], "state")


@pytest.mark.parametrize("width", [None, 0.085])
def test_inset_axes_with_their_ticks_cover_no_arc_and_frequencies_stay_within_the_axes(width):
    with page_width(width):
        fig = figure(two_arcs(1e3), "nyquist")
    fig.draw_without_rendering()
    axes = fig.axes[0]
    (inset,) = axes.child_axes
    cover = inset.get_tightbbox()
    for line in axes.lines:
        for point in axes.transData.transform(line.get_xydata()):
            assert not cover.contains(*point)
    assert cover.y1 <= axes.get_legend().get_window_extent().y0
    for place in (axes, inset):
        inside = place.get_window_extent()
        for text in place.texts:
            extent = text.get_window_extent()
            assert inside.x0 <= extent.x0 < extent.x1 <= inside.x1
