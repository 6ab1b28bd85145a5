"""Devices that differ, as log-normal factors on one compact model: of the current at both ends of the state, of the rate.

ln G of a device is that of the model plus a line in the state, all its rates are multiplied by one number. These factors
are those with which the model has the reads of the solver in a cycle of `noise_error`: the current after a reset and after
a set, the rate after both writes in part. They have a covariance over the devices drawn, from which devices of the model
are drawn.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from otjdd.case.case import Case
from otjdd.compact_models import draws, noise_error
from otjdd.compact_models.error import Drive, solved_reads, with_drive
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.noise import DeviceSpread
from otjdd.system.pool import Spread

DEVICES = 24  # drawn by default
MODEL_DEVICES = 100  # drawn of the model, for its sigma
FASTEST = 12.0  # ln of the largest factor of a rate that is looked for


def with_devices(model: CompactModel, case: Case, count: int, spread: Spread) -> CompactModel:
    """The noisy model with the spread of `count` drawn devices of its case, and their sigma beside that of the solver.

    The model itself for a case that does not say how devices differ. Raises NotAsExpected, CaseError.
    """
    try:
        source = draws.source(case, count)
    except draws.NoDifference:
        return model
    drive = noise_error.cycle(model, case) | {"repeat": 2}
    cases = drawn_cases(case, count)
    logs = np.empty((count, 4))
    for number, (current, _) in spread(solved_reads, [(each, drive) for each in cases]):
        logs[number] = np.log(current)[4:]
    found = np.array([factors(model, case, drive, each) for each in logs])
    assert model.noise is not None
    noise = model.noise._replace(spread=DeviceSpread(np.cov(found.T), count, source))
    made = replace(model, noise=noise)
    own = [reads(made.device(seed), case, drive) for seed in range(MODEL_DEVICES)]
    sigma = logs.std(axis=0, ddof=1)
    sigmas = sigma, sigma / np.sqrt(2 * (count - 1)), np.std(own, axis=0, ddof=1)
    return noise_error.measured_with(made, noise_error.DEVICES, drive, sigmas)


def drawn_cases(case: Case, count: int) -> list[Case]:
    """Cases of devices that differ, drawn as `devices.devices` draws them, ions without noise."""
    if case.study is not None and case.study.sample is not None:
        return [each.without_noise() for each in draws.sampled(case, count)]
    return [draws.patches(case.without_study(), number) for number in range(count)]


def reads(model: CompactModel, case: Case, drive: Drive) -> np.ndarray:
    """ln of the currents (4,) of the second cycle of a model."""
    current = model.predicted(with_drive(case, drive).drive).read_current.values
    logs: np.ndarray = np.log(current)[4:]
    return logs


def factors(model: CompactModel, case: Case, drive: Drive, logs: np.ndarray) -> np.ndarray:
    """ln of the factors (3,) with which a model has the reads `logs` (4,) of a device: of `CompactModel.with_factors`."""
    from scipy.optimize import minimize_scalar

    mean = reads(model, case, drive)
    ends = (logs - mean)[[0, 2]]

    def off(rate: float) -> float:
        here = reads(model.with_factors((*ends, rate)), case, drive)
        return float(((here - logs)[[1, 3]] ** 2).sum())

    grid = np.linspace(-FASTEST, FASTEST, 9)
    best = grid[int(np.argmin([off(rate) for rate in grid]))]
    step = grid[1] - grid[0]
    rate = minimize_scalar(off, bounds=(best - step, best + step), method="bounded", options={"xatol": 0.02}).x
    return np.array([*ends, rate])


def words(model: CompactModel) -> Sequence[str]:
    """A line on the spread of the devices of a model; [] without one."""
    if model.noise is None or model.noise.spread is None:
        return []
    covariance, count, source = model.noise.spread
    sigma = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(covariance / np.outer(sigma, sigma))
    return [
        f"devices differ by log-normal factors, of {count} devices {source}: sigma {sigma[0]:.3g} of the current at the "
        f"lower end of the state, {sigma[1]:.3g} at the upper, {sigma[2]:.3g} of the rate; correlations "
        f"{correlation[0, 1]:+.2f} of both currents, {correlation[0, 2]:+.2f} and {correlation[1, 2]:+.2f} with the rate"
    ]
