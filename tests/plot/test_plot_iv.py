"""Panels against voltage: loops, curves at frozen ions, Arrhenius plots, switching currents."""

import numpy as np
from made_panels import polarised
from made_results import case_attrs, curves, labels, series

import otjdd
from otjdd.plot.figure import figure
from otjdd.plot.iv import sweeps, without_spikes

TRIANGLE = '{ kind = "triangle", path = ["0 V", "1 V", "-1 V", "0 V"], rate = "1 V/s", cycles = 2 }'
SWEEP = np.concatenate([np.linspace(0, 1, 20), np.linspace(1, -1, 40)[1:], np.linspace(-1, 0, 20)[1:]])


def test_a_ramp_in_time_is_a_loop_for_each_cycle_of_its_conduction_current():
    V = np.concatenate([SWEEP, SWEEP[1:]])
    t = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(V)))])
    ds = series(t, V, 1e-3 * V, case_attrs(TRIANGLE), displacement=1.0)
    axes = figure(ds, "iv-linear").axes[0]
    assert labels(axes) == ["loop 1", "loop 2"]
    for line in axes.lines:
        np.testing.assert_allclose(line.get_ydata(), 1e-3 * line.get_xdata(), atol=1e-12)
    assert axes.get_ylabel() == "current (mA)"
    assert axes.get_ylim()[1] < 2e-3  # the displacement current sets no limit
    assert axes.yaxis.get_major_formatter()(-1e-3, 0) == "−1"


def test_a_curve_follows_the_junction_between_points_and_loops_end_at_zero():
    V = np.concatenate([SWEEP[::4], SWEEP[::4] * 2])
    t = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(V)))])
    V, t = np.append(V, np.zeros(9)), np.append(t, t[-1] + np.arange(1.0, 10.0))
    axes = figure(series(t, V, 1e-6 * V * np.exp(3 * V), case_attrs(TRIANGLE, **{"drive.cycles": 1})), "iv").axes[0]
    assert labels(axes) == ["loop 1", "loop 2"]  # and none of the rest at 0 V
    assert axes.get_ylim()[0] > 1e-9  # currents near 0 V set no limit
    for line in axes.lines:
        x, y = line.get_data()
        near = np.abs(x) > 0.3
        np.testing.assert_allclose(y[near], 1e-6 * np.abs(x[near]) * np.exp(3 * x[near]), rtol=0.02)
        assert np.abs(np.diff(x)).max() < 0.011


def test_a_voltage_that_stands_still_between_its_steps_is_no_sweep():
    assert sweeps(SWEEP)
    assert not sweeps(np.repeat(SWEEP, 3))


def test_curves_of_several_temperatures_have_a_shade_each():
    lines = figure(curves(), "iv").axes[0].lines
    assert len({str(line.get_color()) for line in lines}) == len(lines) == 6
    data = otjdd.read_data({"V": np.linspace(-0.4, 0.4, 9), "I": np.linspace(-4e-6, 4e-6, 9)})
    assert len(figure([curves(), data]).axes) == 1  # not on a linear axis as well


def test_the_arrhenius_picture_and_the_metric_are_one_energy_and_the_axis_says_which():
    from otjdd.analysis.fits import activation_energy

    ds = curves(energy=0.3)
    axes = figure(ds, "arrhenius").axes[0]
    assert axes.get_ylabel() == "|I| / T² at 0.1 V (A/K²)"
    assert labels(axes) == ["HRS: 0.300 eV", "LRS: 0.300 eV"]
    current = ds.bias_current.sel(state="HRS").sel(bias=0.1, method="nearest").values
    slope = np.polyfit(axes.lines[0].get_xdata(), np.log(axes.lines[0].get_ydata()), 1)[0]
    found = activation_energy(ds.temperature.values, current).energy
    np.testing.assert_allclose(-slope * 1000 * 8.617333262e-5, found, rtol=1e-9)


def test_the_arrhenius_picture_has_the_channels_that_count():
    """A leak whose share rises from a tenth to a half with the temperature, and a channel that carries nothing."""
    ds = curves(energy=0.3)
    rising = np.linspace(0.1, 0.5, ds.sizes["temperature"])[:, None] * np.ones(ds.bias_current.shape)
    share = np.stack([1 - rising, rising, 1e-6 * rising], axis=-1)
    ds = ds.assign(
        bias_channel_share=((*ds.bias_current.dims, "channel"), share), channel=["coherent", "traps", "leak"]
    )
    axes = figure(ds, "arrhenius").axes[0]
    texts = labels(axes)
    assert [text.split(":")[0] for text in texts[:3]] == ["HRS", "HRS, coherent", "HRS, traps"]
    assert len(texts) == 6
    np.testing.assert_allclose(axes.lines[2].get_ydata(), rising[0, :, 0] * axes.lines[0].get_ydata())
    energies = [float(text.split()[-2]) for text in texts[:3]]
    assert energies[1] < energies[0] < energies[2]
    alone = ds.assign(bias_channel_share=((*ds.bias_current.dims, "channel"), share * [0, 1, 0]))
    assert labels(figure(alone, "arrhenius").axes[0]) == labels(figure(curves(energy=0.3), "arrhenius").axes[0])


def test_a_spike_where_the_voltage_jumps_does_not_hide_the_peaks_and_is_told():
    ds = polarised(500e-6)
    axes = figure(ds, "switching-current").axes[0]
    low, high = axes.get_ylim()
    assert -30e-6 < low < -19.9e-6
    assert 19.9e-6 < high < 30e-6
    assert axes.get_ylabel() == "displacement current (µA)"
    assert [text.get_text() for text in axes.texts] == ["cut off: a brief spike of 500 µA"]
    assert 19.9e-6 < without_spikes(ds).max() < 20e-6
