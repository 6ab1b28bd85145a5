"""Panels over time: currents, vacancies, and the axis that counts decades from each jump; trains and spikes."""

import numpy as np
import pytest
from made_panels import spikes, train, with_exchange
from made_results import case_attrs, labels, series

from otjdd.plot.figure import Figure, figure
from otjdd.plot.over_time import clock_of, ticks, turning_times
from otjdd.plot.runs import NamedResult
from otjdd.waveform.waveform import Waveform

PULSE = '{ kind = "pulse", voltage = "2 V", width = "100 ms" }'
TWO = """{ kind = "sequence", parts = [
  { kind = "pulse", voltage = "2 V", width = "100 ms" }, { kind = "pulse", voltage = "-2 V", width = "100 ms" },
] }"""


def test_a_pulse_is_drawn_in_decades_of_time():
    t = np.concatenate([[0.0], np.geomspace(1e-9, 0.1, 60)])
    ds = series(t, np.full(61, 2.0), np.geomspace(1e-3, 1e-6, 61), case_attrs(PULSE))
    _, below = figure(ds, "current").axes[0].child_axes
    assert below.get_xlabel() == "time"
    assert {"1 µs", "1 ms"} <= {text.get_text() for text in below.get_xticklabels()}
    x = below.lines[0].get_xdata()
    assert np.interp(1e-6, t, x) == pytest.approx(3 / 8, abs=0.05)


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
    _, names = ticks(clock)
    assert names == ["1 ns", "1 µs", "1 ms"] * 2


def test_narrow_parts_are_named_by_their_length_and_unrecorded_writes_drawn():
    drive = """{ kind = "sequence", parts = [
      { kind = "pulse", voltage = "0 V", width = "1 us", read = {} },
      { kind = "pulse", voltage = "1.8 V", width = "20 ns", wait = "25 us", read = {} } ] }"""
    edges = np.cumsum([0, 1e-6, 1e-6, 20e-9, 25e-6])
    t = np.concatenate([edge + np.geomspace(1e-12, 9e-9, 20) for edge in edges])
    _, below = figure(series(t, np.sin(9e8 * t), 1e-6 + 0 * t, case_attrs(drive)), "current").axes[0].child_axes
    shown = [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in below.get_xticklabels()]
    assert shown == ["1 µs", "1 µs", "20 ns", "25 µs", "1 µs"]
    read = series([2e-6, 28.02e-6, 28.02e-6], [0.1, 0.1, 0.1], [1e-9] * 3, case_attrs(drive)).assign(
        read_current=("read", [1e-9] * 2)
    )
    _, below = figure(read, "current").axes[0].child_axes
    assert below.lines[0].get_ydata().max() == 1.8


@pytest.mark.parametrize(("delays", "changes", "taus"), [
    ([1, 2, 4, 8, 16], 0.3, 1), ([-16, -8, -4, -2, -1, 1, 2, 4, 8, 16], 0.3, 1), ([-8, -4, -2, -1, 1, 2, 4, 8], 0.0, 0),
])  # fmt: skip
def test_a_change_on_one_side_of_the_delays_has_an_exponential_there_and_no_gaussian(
    delays, changes, taus, monkeypatch
):
    from otjdd.plot import learning

    delays = 1e-6 * np.array(delays)
    change = np.where(delays > 0, changes * np.exp(-delays / 4e-6), 0.01 * changes * np.sin(delays * 1e6))
    pairs = iter([learning.SpikePair(*pair) for pair in zip(delays, change, strict=True)])
    monkeypatch.setattr(learning, "pair_of", lambda ds: next(pairs))
    axes = Figure().add_subplot()
    learning.stdp(axes, [NamedResult(None)] * len(delays))
    fitted = [line for line in axes.lines if len(line.get_xdata()) == 201]
    assert len(fitted) == taus
    assert all(line.get_xdata().min() > 0 for line in fitted)
    assert ("τ = 4 µs" in axes.lines[-1].get_label()) == bool(taus)


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


def test_trains_and_pairs_of_spikes_say_their_numbers():
    assert labels(figure(train([1e-6, 1.2e-6, 1.5e-6]), "train").axes[0]) == ["PPF +20 %, PTP +50 %"]
    runs = [spikes(f"{d} us", 0.3 * np.sign(d) * np.exp(-abs(d) / 4)) for d in (-8, -4, -2, -1, 1, 2, 4, 8)]
    assert labels(figure(runs, "stdp").axes[0]) == ["8 delays, τ₊ = 4 µs, τ₋ = 4 µs"]


T = np.linspace(0.0, 3.0, 4)


def test_the_number_is_drawn_with_the_walls_on_an_axis_of_their_own():
    ds = with_exchange(wall_concentration_left=1e26 + T, wall_concentration_right=np.array([1e27, 0.0, -1e20, 1e25]))
    axes, walls = figure(ds, "exchange").axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), 2 - T / 3)
    assert axes.get_ylabel() == "vacancies (nm⁻²)"
    assert axes.get_ylim()[0] == 0.0
    assert labels(axes) == ["film", "left wall", "right wall"]
    left, right = walls.lines
    np.testing.assert_array_equal(left.get_ydata(), ds.wall_concentration_left)
    np.testing.assert_array_equal(right.get_ydata(), [1e27, np.nan, np.nan, 1e25])  # a logarithm has no place for 0
    assert walls.get_yscale() == "log"
