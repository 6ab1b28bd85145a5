"""The spectrum of a noise: its curve, the line of its slope, and the shot noise of electrons."""

import numpy as np
import pytest

import otjdd


def test_a_spectrum_shows_its_slope_and_the_noise_of_electrons():
    current = 1e-6 * (1 + 1e-3 * np.random.default_rng(1).standard_normal(512))
    ds = otjdd.measured(read_time=1e-3 * np.arange(1, 513), read_current=current, read_voltage=np.full(512, 0.1))
    axes = otjdd.figure(ds, "noise").axes[0]
    spectrum, line, electrons = axes.lines
    assert len(spectrum.get_xdata()) == len(line.get_xdata()) > 20
    assert electrons.get_ydata()[0] == pytest.approx(2 * 1.602e-19 / 1e-6, rel=1e-3)
    assert "f^" in line.get_label()
