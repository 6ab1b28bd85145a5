"""Panels against voltage: loops, curves at frozen ions, Arrhenius plots, switching currents."""

import numpy as np
from made_results import curves, labels

from otjdd.plot.figure import figure
from otjdd.plot.iv import sweeps

SWEEP = np.concatenate([np.linspace(0, 1, 20), np.linspace(1, -1, 40)[1:], np.linspace(-1, 0, 20)[1:]])


def test_a_voltage_that_stands_still_between_its_steps_is_no_sweep():
    assert sweeps(SWEEP)
    assert not sweeps(np.repeat(SWEEP, 3))


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
