"""Devices that differ: where they are drawn from, shared tables that hold for each, and factors found from known reads."""

import compact_device
import numpy as np
import pytest
from made_model import made_model, noisy_model

from otjdd.case.case import load_case
from otjdd.compact_models import build, noise_error
from otjdd.compact_models.extraction import Extraction
from otjdd.compact_models.tables import Range
from otjdd.errors import NotAsExpected
from otjdd.runs.run import simulate
from otjdd.solver import model
from otjdd.system.pool import one_by_one


@pytest.mark.campaign
def test_patches_share_one_extraction_and_each_device_is_that_of_the_solver():
    case = compact_device.written_case()
    found = build.device_models(case, 2, Extraction(Range(-4.3, 3.0), one_by_one))
    drive = compact_device.pulses(-2.0, 1.7, 2.0)
    points = np.column_stack((drive.times, drive.voltages)).tolist()
    reads = []
    for number, device in enumerate(found):
        alone = noise_error.patches(case, number).replace(
            "drive", {"kind": "table", "points": points, "reads_at": drive.read_times.tolist()}
        )
        solved = simulate(alone).read_current.values
        reads.append(device.run(drive).read_current.values)
        assert (
            np.abs(np.log10(reads[-1] / solved)).max() < 0.06
        )  # decades; 0.05 after the last pulse, halfway to the set
        assert device.weight.sum() == pytest.approx(1.0)
    assert np.ptp(np.log10(reads), axis=0).max() > 0.1
    assert all(device.kinds is found[0].kinds for device in found)


@pytest.mark.campaign
def test_one_extraction_serves_draws_of_the_activation_energy_with_their_noise():
    case = compact_device.written_case()
    cases = [case.replace("ions.activation_energy", case.ions.activation_energy + more) for more in (-5e-3, 5e-3)]
    order, drive = Extraction(Range(-4.3, 3.0), one_by_one), compact_device.pulses(-2.0, 1.7, 2.0)
    shared = build.extracted_together(cases, case, order, noise=True)[1]
    (own,) = build.extracted_one_by_one(cases[1:], order, noise=True)
    assert shared.ions == pytest.approx(own.ions)
    reads = [each.run(drive).read_current.values for each in (shared, own)]
    assert np.abs(np.log10(reads[0] / reads[1])).max() < 0.02
    phi = [each.noise.kinds[0].log_scatter for each in (shared, own)]
    assert np.abs(phi[0] - phi[1]).mean() < 0.1


def test_devices_of_a_study_are_its_distributions():
    case = load_case("device-spread")
    cases = noise_error.drawn_cases(case, 30)
    barriers = [each.device.left.barrier for each in cases]
    assert np.mean(barriers) == pytest.approx(case.device.left.barrier, abs=1e-3)
    assert np.std(barriers) == pytest.approx(0.01, rel=0.15)
    assert all(each.study is None for each in cases)
    assert "device.left.barrier" in noise_error.origin_of_differences(case, 30)


def test_patches_are_as_many_as_columns_and_differ_between_devices():
    case = load_case("li2019")
    parts = [model.members(noise_error.patches(case, number)) for number in range(2)]
    assert [len(each) for each in parts] == [5, 5]
    assert parts[0] != parts[1]
    assert "each of 5 patches" in noise_error.origin_of_differences(case, 2)


@pytest.mark.parametrize(
    ("changes", "count", "said"),
    [
        ({"columns.spread": {"ions.activation_energy": "0 eV"}}, 5, r"columns\.spread or a \[study\.sample\]"),
        ({}, 1, "2 to 1000 devices"),
    ],
)
def test_case_without_differences_and_a_single_device_are_refused(changes, count, said):
    with pytest.raises(NotAsExpected, match=said):
        noise_error.origin_of_differences(load_case("li2019", changes), count)


CASE = load_case("li2019")
DRIVE = noise_error.drive_of_pulses((-2.9, 1e-3), (1.6, 1e-6), (2.9, 1e-3), (-1.6, 1e-6)) | {"repeat": 2}


def test_factors_of_a_device_are_found_again_from_its_reads():
    model, known = made_model(), np.array([0.2, -0.3, 0.5, -0.4])
    logs = noise_error.logs_of_reads(model.with_factors(known), CASE, DRIVE)
    assert noise_error.fitted_factors(model, CASE, DRIVE, logs) == pytest.approx(known, abs=0.06)


def test_factors_of_rates_act_on_one_sign_of_the_voltage():
    model = made_model()
    mean = noise_error.logs_of_reads(model, CASE, DRIVE)
    for factors, moved in (((0.0, 0.0, 0.5, 0.0), 1), ((0.0, 0.0, 0.0, 0.5), 3)):
        off = np.abs(noise_error.logs_of_reads(model.with_factors(factors), CASE, DRIVE) - mean)
        assert off[moved] > 0.03
        assert np.delete(off, moved).max() < 1e-3


@pytest.mark.campaign
def test_devices_are_drawn_with_the_scatter_of_reads_that_was_asked_for():
    model, covariance = noisy_model(), np.diag([0.04, 0.04, 1.0, 1.0])
    sigma = scattered(model, covariance, 1)
    found = noise_error.as_scattered(
        model, CASE, DRIVE, covariance * np.outer([1, 1, 0.7, 1.5], [1, 1, 0.7, 1.5]), sigma
    )
    assert scattered(model, found, 2) == pytest.approx(sigma, rel=0.3)  # 4 standard errors
    assert np.diag(found)[:2] == pytest.approx(0.04)


def scattered(model, covariance, seed):
    """sigma (4,) of reads of devices that are drawn with a covariance."""
    drawn = np.random.default_rng(seed).multivariate_normal(np.zeros(4), covariance, 200)
    return np.std([noise_error.logs_of_reads(model.with_factors(each), CASE, DRIVE) for each in drawn], axis=0)
