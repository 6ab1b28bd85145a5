"""Panels of reads: which are drawn, and the numbers of a spectrum of noise."""

import numpy as np
import pytest
from made_panels import noisy
from made_results import reads

import otjdd
from otjdd.plot.figure import figure
from otjdd.plot.runs import KINDS, NamedResult


def test_reads_at_several_voltages_are_no_retention():
    written = {"write_end": np.full(4, 1e-3), "write_end_voltage": np.full(4, -4.0)}
    ds = reads(np.full(4, np.nan), np.full(4, 1e6), np.array([1.0, 10.0, 100.0, 1000.0]), **written)
    swept = ds.assign(read_voltage=("read", [0.1, 0.2, 0.3, 0.4]))
    assert [KINDS["retention"].fits([NamedResult(one)]) for one in (ds, swept)] == [True, False]


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
