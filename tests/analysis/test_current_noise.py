"""Spectra of made noise: white, 1/f and a random telegraph signal."""

import numpy as np
import pytest

import otjdd
from otjdd.constants import ELEMENTARY_CHARGE


def read(current, interval=1e-3):
    n = len(current)
    return otjdd.measured(
        read_time=interval * np.arange(1, n + 1), read_current=current, read_voltage=np.full(n, 0.1)
    )  # fmt: skip


def test_white_noise_has_its_density_and_no_slope():
    current = 1e-6 * (1 + 1e-3 * np.random.default_rng(1).standard_normal(2**14))
    found = otjdd.noise(read(current))
    assert found.current_spectrum.values.mean() == pytest.approx(2 * 1e-3 * 1e-18, rel=0.1)  # both sides of 1 kHz
    assert abs(found.slope) < 0.1
    assert found.scatter == pytest.approx(1e-3, rel=0.05)
    assert found.shot_spectrum == pytest.approx(2 * ELEMENTARY_CHARGE * 1e-6, rel=1e-4)


def test_one_over_f_has_slope_minus_one():
    rng, n = np.random.default_rng(2), 2**14
    f = np.fft.rfftfreq(n)
    f[0] = f[1]
    parts = (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)) / np.sqrt(f)
    made = np.fft.irfft(parts, n)
    assert otjdd.noise(read(1e-6 * (1 + 1e-3 * made / made.std()))).slope == pytest.approx(-1.0, abs=0.1)


@pytest.mark.parametrize(
    ("current", "words"),
    [(np.ones(9), "64 reads"), (np.linspace(-1, 1, 99), "keeps its sign")],
)
def test_what_has_no_spectrum_is_refused_in_words(current, words):
    with pytest.raises(ValueError, match=words):
        otjdd.noise(read(current))
