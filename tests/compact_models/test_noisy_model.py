"""Noise of a compact model: exact variances of a linear column, independence of the time step, seeds, files."""

from dataclasses import replace

import numpy as np
import pytest
from made_model import HIGH, LOW, made_model, noisy_model, noisy_warm_model

from otjdd.errors import NotAsExpected
from otjdd.waveform import shapes

IONS, MANY, RATE = 400.0, 4000, 1e-6  # ions; junctions; 1/s at 0 V, where the column is linear


@pytest.mark.parametrize(("duration", "steps"), [(1e-3, 1), (1e-3, 10), (1e3, 1), (1e3, 10), (4e5, 400)])
def test_variance_of_a_linear_column_is_exact_at_any_step(duration, steps):
    """Ornstein and Uhlenbeck: 2 D t of a short time, that of a binomial number at rest, however the time is divided."""
    model = noisy_model()
    middle = 0.5 * (LOW + HIGH)
    q, streams = model.states(MANY, [middle]), model.streams(MANY, 1)
    for _ in range(steps):
        model.hold(q, 0.0, duration / steps, streams)
    at_rest = (HIGH - LOW) ** 2 / (4.0 * IONS)
    exact = at_rest * -np.expm1(-2.0 * RATE * duration)
    assert q[:, 0].var() == pytest.approx(exact, rel=4.0 * np.sqrt(2.0 / MANY))
    assert q[:, 0].mean() == pytest.approx(middle, abs=4.0 * np.sqrt(exact / MANY))


def test_switching_scatters_alike_in_short_and_long_steps():
    found = []
    for steps in (1, 16):
        model = noisy_model()
        q, streams = model.states(MANY, [0.2]), model.streams(MANY, 2)
        for _ in range(steps):
            model.hold(q, 1.0, 5e-2 / steps, streams)
        found.append((q[:, 0].mean(), q[:, 0].std()))
    (mean, sigma), (other, other_sigma) = found
    assert sigma > 0.01
    assert other == pytest.approx(mean, abs=5.0 * sigma * np.sqrt(2.0 / MANY))
    assert other_sigma == pytest.approx(sigma, rel=5.0 / np.sqrt(MANY))


def test_a_seed_names_the_run_and_none_is_the_mean():
    model, wave = noisy_model(), shapes.pulse(1.0, 1e-3).then(shapes.read(0.1, 1e-6))
    one, again, other = (model.run(wave, seed=seed).read_current.item() for seed in (1, 1, 2))
    assert one == again != other
    assert model.run(wave).identical(replace(model, noise=None).run(wave))


def test_devices_are_drawn_with_the_covariance_of_the_model():
    model = noisy_model(spread=True)
    factors = np.array([(*device.gain, *device.faster) for device in map(model.device, range(300))])
    assert factors.std(axis=0) == pytest.approx([0.3, 0.3, 0.5, 0.5], rel=0.15)
    shifted, wave = model.with_factors((1.0, 1.0, 0.0, 0.0)), shapes.read(0.1, 1e-6)
    assert shifted.run(wave).read_current.item() == pytest.approx(np.e * model.run(wave).read_current.item(), rel=1e-4)


def test_noise_follows_the_temperature():
    (tables,) = noisy_warm_model(270.0, 300.0, 330.0).at(315.0).noise.kinds
    assert tables.log_corner == pytest.approx(6.0 + 6.0 * (1.0 - 300.0 / 315.0), abs=1e-9)  # linear in 1/T
    assert tables.ions == 400.0


@pytest.mark.parametrize("seed", [1.5, "1", -1, True, 2**63])
def test_seeds_are_whole_numbers(seed):
    with pytest.raises(NotAsExpected, match="whole number"):
        noisy_model().streams(1, seed)


def test_a_seed_beside_a_model_of_the_mean_is_refused():
    with pytest.raises(NotAsExpected, match="otjdd compact --noise"):
        made_model().run(shapes.hold(0.1, 1e-6), seed=1)
