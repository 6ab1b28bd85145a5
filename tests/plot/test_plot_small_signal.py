"""Pictures of small signals: arcs, magnitude and phase, capacitance, and the line that tells a doping."""

import numpy as np
import pytest
import xarray as xr
from made_results import DEPLETION, FREQUENCY, SPECTRUM, depletion, labels, signals

from otjdd.analysis import small_signal
from otjdd.plot.figure import figure
from otjdd.plot.kinds import chosen
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import page


def two_biases():
    arcs = [R / (1 + 2e-9j * np.pi * FREQUENCY * R) for R in (1e6, 2e6)]
    return signals([0.0, 0.5], FREQUENCY, arcs)


def test_a_spectrum_is_drawn_as_nyquist_and_bode_and_a_curve_as_cv_and_mott_schottky():
    assert chosen([NamedResult(SPECTRUM)]) == ["nyquist", "bode"]
    assert chosen([NamedResult(DEPLETION)]) == ["cv", "mott-schottky"]


def test_an_arc_has_its_imaginary_part_upwards_equal_axes_and_a_dot_at_each_decade():
    axes = figure(two_biases(), "nyquist").axes[0]
    assert labels(axes) == ["0 V", "+0.5 V"]
    arc, dots = axes.lines[:2]
    np.testing.assert_allclose(arc.get_ydata().max(), 0.5e6, rtol=1e-2)
    assert len(dots.get_xdata()) == 7
    assert axes.get_aspect() == 1.0
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Re Z (MΩ)", "−Im Z (MΩ)")
    named = {text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in axes.texts}
    assert named == {"10 Hz", "100 Hz", "1 kHz"}


def test_a_much_smaller_arc_has_axes_of_its_own():
    Z = (50 + 1e6 / (1 + 2e-3j * np.pi * FREQUENCY)) * np.array([[1.0], [1e-3]])
    axes = figure(signals([0.0, 0.5], FREQUENCY, Z), "nyquist").axes[0]
    (inset,) = axes.child_axes
    assert (axes.get_ylabel(), inset.get_ylabel()) == ("\N{MINUS SIGN}Im Z (MΩ)", "\N{MINUS SIGN}Im Z (kΩ)")
    np.testing.assert_allclose(inset.lines[0].get_ydata().max(), 500, rtol=1e-2)
    assert labels(axes) == ["0 V", "+0.5 V"]


def test_magnitude_and_phase_stand_on_two_axes():
    axes, phase = figure(two_biases(), "bode").axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    np.testing.assert_allclose(phase.lines[0].get_ydata()[[0, -1]], [-0.36, -90.0], atol=0.02)
    assert phase.lines[0].get_color() == axes.lines[0].get_color()
    assert "phase" in phase.get_ylabel()


def test_more_curves_than_can_be_told_apart_are_thinned_and_told():
    many = signals(np.linspace(0, 1, 40), FREQUENCY, np.full((40, FREQUENCY.size), 1e6 - 1e3j))
    axes = figure(many, "nyquist").axes[0]
    assert len(labels(axes)) == 12
    assert labels(axes)[-1] == "+1 V"
    assert any("12 of 40" in text.get_text() for text in axes.texts)


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


def test_a_curve_that_is_never_depleted_has_no_line():
    flat = signals([-1.0, 0.0, 1.0], [1e6], np.full((3, 1), 1e6 - 1e3j), DEPLETION.attrs, bias_band_bending=[-0.1] * 3)
    assert chosen([NamedResult(flat)]) == ["cv"]
    with pytest.raises(ValueError, match="a doped oxide is depleted"):
        figure(flat, "mott-schottky")


def two_arcs(size):
    """Spectra of a device of 1 Mohm and of one smaller by `size`, both with an arc, in two states."""
    one = SPECTRUM
    other = signals([0.0], FREQUENCY, (50 + 1e6 / size / (1 + 2e-3j * np.pi * FREQUENCY))[None])
    return xr.concat([one, other.assign_coords(state=["low"])], "state")


@pytest.mark.parametrize("width", [None, 0.085])
def test_inset_axes_with_their_ticks_cover_no_arc_and_frequencies_stay_within_the_axes(width):
    with page(width):
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


def test_an_arc_of_few_frequencies_is_drawn_round():
    f = np.geomspace(1.0, 1e6, 31)
    Z = 50 + 1e6 / (1 + 2e-3j * np.pi * f)
    arc = figure(signals([0.0], f, Z[None]), "nyquist").axes[0].lines[0].get_xydata()
    radius = np.hypot(arc[:, 0] - (50 + 5e5), arc[:, 1])
    np.testing.assert_allclose(radius, 5e5, rtol=2e-3)
    turn = np.diff(np.unwrap(np.arctan2(*np.diff(arc, axis=0).T[::-1])))
    assert np.abs(turn).max() < 0.1  # a polygon of five points a decade turns by up to 0.4
