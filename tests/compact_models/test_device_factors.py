"""Factors of devices: found again from the reads of a known device, and the scatter of devices that are drawn with them."""

import numpy as np
import pytest
from made_model import made_model, noisy_model

from otjdd.case.case import load_case
from otjdd.compact_models import device_factors, noise_error

CASE = load_case("li2019")
DRIVE = noise_error.pulses((-2.9, 1e-3), (1.6, 1e-6), (2.9, 1e-3), (-1.6, 1e-6)) | {"repeat": 2}


def test_factors_of_a_device_are_found_again_from_its_reads():
    model, known = made_model(), np.array([0.2, -0.3, 0.5, -0.4])
    logs = device_factors.reads(model.with_factors(known), CASE, DRIVE)
    assert device_factors.factors(model, CASE, DRIVE, logs) == pytest.approx(known, abs=0.06)


def test_factors_of_rates_act_on_one_sign_of_the_voltage():
    model = made_model()
    mean = device_factors.reads(model, CASE, DRIVE)
    for factors, moved in (((0.0, 0.0, 0.5, 0.0), 1), ((0.0, 0.0, 0.0, 0.5), 3)):
        off = np.abs(device_factors.reads(model.with_factors(factors), CASE, DRIVE) - mean)
        assert off[moved] > 0.03
        assert np.delete(off, moved).max() < 1e-3


@pytest.mark.campaign
def test_devices_are_drawn_with_the_scatter_of_reads_that_was_asked_for():
    model, covariance = noisy_model(), np.diag([0.04, 0.04, 1.0, 1.0])
    sigma = scattered(model, covariance, 1)
    found = device_factors.as_scattered(
        model, CASE, DRIVE, covariance * np.outer([1, 1, 0.7, 1.5], [1, 1, 0.7, 1.5]), sigma
    )
    assert scattered(model, found, 2) == pytest.approx(sigma, rel=0.3)  # 4 standard errors
    assert np.diag(found)[:2] == pytest.approx(0.04)


def scattered(model, covariance, seed):
    """sigma (4,) of reads of devices that are drawn with a covariance."""
    drawn = np.random.default_rng(seed).multivariate_normal(np.zeros(4), covariance, 200)
    return np.std([device_factors.reads(model.with_factors(each), CASE, DRIVE) for each in drawn], axis=0)
