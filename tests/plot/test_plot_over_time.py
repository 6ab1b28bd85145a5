"""Panels over time: currents, vacancies, and the axis that counts decades from each jump; trains and spikes."""

import numpy as np
import pytest
from made_panels import train
from made_results import case_attrs, labels, series
from matplotlib.figure import Figure

from otjdd.plot.figure import figure
from otjdd.plot.over_time import clock_of, name_places, turning_times
from otjdd.waveform.waveform import Waveform

TWO = """{ kind = "sequence", parts = [
  { kind = "pulse", voltage = "2 V", width = "100 ms" }, { kind = "pulse", voltage = "-2 V", width = "100 ms" },
] }"""


def test_decades_are_counted_anew_from_each_jump():
    since = np.geomspace(1e-9, 0.1, 40)
    t = np.concatenate([[0.0], since, 0.1 + since])
    clock = clock_of(series(t, 0 * t, 0 * t, case_attrs(TWO)), t)
    np.testing.assert_allclose(clock.edges, [0, 0.1, 0.2])
    np.testing.assert_allclose(clock([0.0, 0.1, 0.2]), [0, 1, 2])
    assert clock(0.1 + 1e-6) - 1 == pytest.approx(float(clock(1e-6)), rel=1e-6)
    parts = [f'{{ kind = "pulse", voltage = "{2 - 4 * (k % 2)} V", width = "100 ms" }}' for k in range(7)]
    many = f'{{ kind = "sequence", parts = [{", ".join(parts)}] }}'
    assert clock_of(series(t, 0 * t, 0 * t, case_attrs(many)), t) is None  # too narrow for decades
    assert turning_times(Waveform((0.0, 1.0, 2.0, 3.0), (0.0, 1.0, 2.0, 1.0))).tolist() == [0.0, 2.0, 3.0]
    axis = Figure().subplots().xaxis
    assert name_places(clock, axis) == "time since the last jump of the voltage"
    assert [label.get_text() for label in axis.get_ticklabels()] == ["1 ns", "1 µs", "1 ms"] * 2


def test_facilitation_of_several_trains_is_against_their_interval():
    periods = np.array([1e-6, 2e-6, 3e-6, 4e-6, 6e-6])
    runs = [train([1e-6, 1e-6 * (1 + np.exp(-0.9 * p / 2e-6)), 2e-6], p) for p in periods]
    axes = figure(runs, "ppf").axes[0]
    points = next(line for line in axes.lines if line.get_marker() == "o")
    np.testing.assert_allclose(points.get_xdata(), 0.9 * periods, rtol=1e-4)
    np.testing.assert_allclose(points.get_ydata(), 100 * np.exp(-0.9 * periods / 2e-6), rtol=1e-3)
    assert labels(axes)[0] == "PPF, τ = 2 µs"
    with pytest.raises(ValueError, match="several results of trains with different intervals"):
        figure(runs[0], "ppf")
