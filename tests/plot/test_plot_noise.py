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
    assert line.get_label() == f"slope {otjdd.noise(ds).slope.item():.2f}"
    (note,) = axes.texts
    assert note.get_text().startswith("f S/I² = ")
    assert "10⁻" in note.get_text()
    assert "ions" not in note.get_text()
    assert np.isnan(otjdd.noise(ds).hooge)


def test_reads_of_single_ions_are_drawn_beside_their_spectrum():
    current = 1e-6 * (1 + 1e-2 * np.random.default_rng(2).integers(0, 2, 128))
    ds = otjdd.measured(read_time=1e-3 * np.arange(1, 129), read_current=current, read_voltage=np.full(128, 0.1))
    ds = ds.assign(single_ion_share=0.05, column_weight=("column", [0.25, 0.75]))
    found = otjdd.noise(ds)
    assert found.ions == pytest.approx(80.0)
    assert found.hooge == pytest.approx(80.0 * found["size"].item())
    assert all(found[name].attrs["long_name"] for name in found.data_vars)
    figure = otjdd.figure(ds)
    spectrum, trace = figure.axes[-2:]
    assert set(np.round(trace.lines[0].get_ydata(), 9)) == {1e-6, 1.01e-6}
    assert trace.get_xscale() == "linear"
    assert "80 ions" in spectrum.texts[0].get_text()
