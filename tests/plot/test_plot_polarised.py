"""Pictures of polarised films: the peaks of a film that switches."""

import numpy as np
from made_results import series

from otjdd.plot.figure import figure
from otjdd.plot.iv import without_spikes


def switched(spike: float):
    """A loop of ±2 V in 1 ms with peaks of 20 µA at ±1 V; at its start the voltage jumps, with a current of `spike` [A]."""
    V = np.concatenate([np.linspace(-2, 2, 200), np.linspace(2, -2, 200)[1:]])
    t = 1e-3 * np.arange(len(V)) / (len(V) - 1)
    way = np.append(np.ones(200), -np.ones(199))
    current = way * 20e-6 * np.exp(-(((V - way) / 0.1) ** 2))
    ds = series(np.insert(t, 1, 1e-12), np.insert(V, 1, V[0]), np.insert(0 * V, 1, 0.0))
    current = np.insert(current, 1, spike)
    P = np.tanh(np.cumsum(current) / 1e-4)
    return ds.assign(
        displacement_current=("time", current), junction_voltage=ds.voltage, polarisation=("time", P - P.mean())
    )


def test_a_spike_where_the_voltage_jumps_does_not_hide_the_peaks_and_is_told():
    ds = switched(500e-6)
    axes = figure(ds, "switching-current").axes[0]
    low, high = axes.get_ylim()
    assert -30e-6 < low < -19.9e-6
    assert 19.9e-6 < high < 30e-6
    assert axes.get_ylabel() == "displacement current (µA)"
    assert [text.get_text() for text in axes.texts] == ["cut off: a brief spike of 500 µA"]
    assert 19.9e-6 < without_spikes(ds).max() < 20e-6


def test_without_a_spike_nothing_is_cut_off():
    ds = switched(0.0)
    axes = figure(ds, "switching-current").axes[0]
    assert axes.get_ylim()[0] < ds.displacement_current.min()
    assert axes.get_ylim()[1] > ds.displacement_current.max()
    assert not axes.texts
