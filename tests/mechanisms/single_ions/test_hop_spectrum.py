"""Ions that hop between two wells follow the master equation: mean, variance, and the spectrum of a random telegraph."""

import numpy as np
import pytest
from devices import needs_speed
from test_hop_noise import FILM, begun, counts

from otjdd.case.case import parse_case
from otjdd.mechanisms.single_ions.walk import new_noise
from otjdd.physics.ions import DOWNHILL, UPHILL, G
from otjdd.physics.junction import fill_hops
from otjdd.solver import integrate, model

# so few ions in so large a film that none feels another
WELLS = (
    FILM.replace('density = "3e26', 'density = "1e22')
    .replace('well_left = "0.03 eV"', 'well_left = "0.15 eV"\nwell_right = "0.15 eV"\nwell_width = "0.3 nm"')
    .replace("cells = 20\ngrading = 3", "cells = 12\ngrading = 1")
)


def one_way_rates(run):
    """Rates (N-1,) [1/s] of a single ion over the inner faces of a column, forth and back."""
    columns, state, work = run.junction.columns, run.state, run.trial.work.factors
    fill_hops(run.junction, state, 0, columns.site[0], work, False)
    width, inner = columns.width[0], slice(1, state.c.shape[1])
    rate = columns.diffusivity[0, inner] / columns.distance[0, inner] * work[G, inner]
    return rate * work[UPHILL, inner] / width[:-1], rate * work[DOWNHILL, inner] / width[1:]


def generator_of(run):
    """Rates (N, N) [1/s] of the shares of single ions in the cells."""
    forth, back = one_way_rates(run)
    generator = np.diag(forth, -1) + np.diag(back, 1)
    return generator - np.diag(generator.sum(axis=0))


def modes(run, seen):
    """Rates [1/s] of the modes of single ions, rising, and the variance that each gives to the mean of seen (N,)."""
    share = run.state.c[0] * run.junction.columns.width[0]
    share /= share.sum()
    root = np.sqrt(share)
    rates, vectors = np.linalg.eigh(-generator_of(run) * root / root[:, None])  # symmetric by detailed balance
    return rates[1:], (vectors.T @ (root * seen))[1:] ** 2


@needs_speed
@pytest.mark.campaign
def test_ions_between_two_wells_make_a_lorentzian_of_the_known_rate():
    """Ions in the left half, sampled at even times: each mode is an autoregression of first order. 100 ions.

    The error above the corner is 1 %.
    """
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
    assert ratio[f > corner].mean() == pytest.approx(1.0, abs=0.03)


@needs_speed
@pytest.mark.parametrize("steps", [pytest.param(1, marks=pytest.mark.campaign), 4])
def test_ions_that_leave_a_well_have_the_mean_and_the_variance_of_the_master_equation(steps):
    """After the time of the slowest mode, in one step and in four; 1000 runs of 100 ions from the first cell.

    Four steps: within three standard errors. One, which `largest_leap` forbids: the mean is 0.9 % low, within 2 %.
    """
    from scipy.linalg import expm

    ions, runs, found = 100, 1000, []
    run, _, area = begun(ions, seed=5, text=WELLS)
    left, there = np.arange(12) < 6, np.eye(12)[0]
    rates, _ = modes(run, left)
    share = left @ expm(generator_of(run) / rates[0]) @ there
    for _ in range(runs):
        run.state.c[0] = ions * there / (run.junction.columns.width[0] * area)
        run.trial.noise.ions[0] = ions * there
        integrate.jump(run, 0.0)
        for _ in range(steps):
            run.step = 1.0 / (steps * rates[0])
            integrate.follow_piece(run, 1.0 / (steps * rates[0]), 0.0, 0.0)
        found.append(counts(run) @ left)
    error = np.std(found) / np.sqrt(runs)
    assert np.mean(found) == pytest.approx(ions * share, abs=3 * error if steps > 1 else 0.02 * ions * share)
    assert np.var(found) == pytest.approx(ions * share * (1 - share), rel=0.12)


@needs_speed
@pytest.mark.parametrize("steps", [pytest.param(2, marks=pytest.mark.campaign), 8])
def test_many_ions_have_the_moments_of_the_master_equation_at_any_step(steps):
    """The mean to 1e-3 in eight steps, 1.5e-3 high in two, which `largest_leap` forbids."""
    from scipy.linalg import expm

    ions, columns, left, there = 1e6, 256, np.arange(12) < 6, np.eye(12)[0]
    one, *_ = begun(ions, seed=0, text=WELLS)
    rate = modes(one, left)[0][0]
    share = left @ expm(generator_of(one) / rate) @ there
    case = parse_case(WELLS + f"\n[columns]\ncount = {columns}\nspread = {{}}\n")
    junction = model.junction(case, parts=model.members(case))
    width, area, found = junction.columns.width, ions / (one.state.c[0] @ one.junction.columns.width[0]), []
    for seed in range(20):
        noise = new_noise(np.full(columns, area), seed, 12)
        run = integrate.begin(junction, ions * there / (width * area), rtol=7e-3, atol=1e-2, noise=noise)
        integrate.jump(run, 0.0)
        for _ in range(steps):
            run.step = 1.0 / (steps * rate)
            integrate.follow_piece(run, 1.0 / (steps * rate), 0.0, 0.0)
        with integrate.with_all_ions(run, 0.0):
            found.append((run.state.c * width * area) @ left)
    assert np.mean(found) == pytest.approx(ions * share, rel=1e-3 if steps > 2 else 2e-3)
    assert np.var(found) == pytest.approx(ions * share * (1 - share), rel=0.06)
