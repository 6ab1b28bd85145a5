"""The spectrum of ions that hop between two wells: that of a random telegraph, with the rate of the master equation."""

import numpy as np
import pytest
from devices import needs_speed
from residence_time import one_way_rates
from test_hop_noise import FILM, begun, counts

from otjdd.solver import integrate

# so few ions in so large a film that none feels another
WELLS = (
    FILM.replace('density = "3e26', 'density = "1e22')
    .replace('well_left = "0.03 eV"', 'well_left = "0.15 eV"\nwell_right = "0.15 eV"\nwell_width = "0.3 nm"')
    .replace("cells = 20\ngrading = 3", "cells = 12\ngrading = 1")
)


def modes(run, seen):
    """Rates [1/s] of the modes of single ions, rising, and the variance that each gives to the mean of seen (N,)."""
    forth, back = one_way_rates(run)
    share = run.state.c[0] * run.junction.columns.width[0]
    share /= share.sum()
    generator = np.diag(forth, -1) + np.diag(back, 1)
    generator -= np.diag(generator.sum(axis=0))
    root = np.sqrt(share)
    rates, vectors = np.linalg.eigh(-generator * root / root[:, None])  # symmetric by detailed balance
    return rates[1:], (vectors.T @ (root * seen))[1:] ** 2


@needs_speed
def test_ions_between_two_wells_make_a_lorentzian_of_the_known_rate():
    """Ions in the left half, sampled at even times: each mode is an autoregression of first order. 100 ions, to 5 %."""
    from scipy.signal import welch

    ions, found = 100, []
    run, *_ = begun(ions, seed=3, text=WELLS)
    left = np.arange(12) < 6
    rates, variance = modes(run, left)
    assert variance[0] > 0.85 * variance.sum()
    pause = 0.2 / rates[0]
    for _ in range(6000):
        run.step = pause
        integrate.follow_piece(run, pause, 0.0, 0.0)
        found.append(counts(run) @ left)
    f, S = (line[1:-1] for line in welch(np.array(found[100:]), 1 / pause, nperseg=256))
    kept, turned = np.exp(-rates * pause), np.cos(2 * np.pi * f * pause)[:, None]
    power = 2 * ions * pause * (variance * (1 - kept**2) / (1 + kept**2 - 2 * kept * turned)).sum(axis=1)
    ratio, corner = S / power, rates[0] / (2 * np.pi)
    assert ratio[f < corner].mean() == pytest.approx(1.0, abs=0.15)
    assert ratio[f > corner].mean() == pytest.approx(1.0, abs=0.05)
