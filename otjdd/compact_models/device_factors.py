"""Devices that differ, as log-normal factors on one compact model: of the current at both ends of the state, of the rates.

ln G of a device is that of the model plus a line in the state, its rates are multiplied by one number above 0 V and by one
below. With these factors the model has the reads of the solver in a cycle of `noise_error`: the reads after a reset and
after a set give the factors of the current, the reads after both writes in part give those of the rates. Devices of the
model are drawn with the correlations of these factors over the devices of the solver.

The read after a write in part is not linear in ln of the rate, and ln of the fitted factors is not normally distributed:
normal draws with the sigma of these factors scatter that read by up to twice too much. The sigma of a rate is therefore
chosen such that the read after its write in part scatters in normal draws as in the solver.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from otjdd.case.case import Case
from otjdd.compact_models import draws, noise_error
from otjdd.compact_models.error import Drive, solved_reads, with_drive
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.noise import FACTORS, DeviceSpread
from otjdd.system.pool import Spread

DEVICES = 24  # drawn by default
MODEL_DEVICES = 200  # drawn of the model, for its sigma
FASTEST = 12.0  # ln of the largest factor of a rate in the search
MATCHED, ROUNDS, DAMPED = 3, 8, 0.7  # seed of the draws whose sigma are matched, rounds, share of each correction


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
    for number, (current, _) in spread(solved_reads, [(device_case, drive) for device_case in cases]):
        logs[number] = np.log(current)[4:]
    fitted = np.array([factors(model, case, drive, device_case) for device_case in logs])
    assert model.noise is not None
    sigma = logs.std(axis=0, ddof=1)
    covariance = as_scattered(model, case, drive, np.cov(fitted.T), sigma)
    noise = model.noise._replace(spread=DeviceSpread(covariance, count, source))
    with_spread = replace(model, noise=noise)
    own = [reads(with_spread.device(seed), case, drive) for seed in range(MODEL_DEVICES)]
    sigmas = sigma, sigma / np.sqrt(2 * (count - 1)), np.std(own, axis=0, ddof=1)
    return noise_error.measured_with(with_spread, noise_error.DEVICES, drive, sigmas)


def drawn_cases(case: Case, count: int) -> list[Case]:
    """Cases of devices that differ, drawn as `devices.devices` draws them, ions without noise."""
    if case.study is not None and case.study.sample is not None:
        return [device_case.without_noise() for device_case in draws.sampled(case, count)]
    return [draws.patches(case.without_study(), number) for number in range(count)]


def reads(model: CompactModel, case: Case, drive: Drive) -> np.ndarray:
    """ln of the currents (4,) of the second cycle of a model."""
    current = model.predicted(with_drive(case, drive).drive).read_current.values
    return np.log(current)[4:]


def factors(model: CompactModel, case: Case, drive: Drive, logs: np.ndarray) -> np.ndarray:
    """ln of the factors (4,) of `with_factors` with which a model has the reads of a device. logs : (4,) ln of I"""
    fitted = np.zeros(4)
    fitted[:2] = (logs - reads(model, case, drive))[[0, 2]]
    for factor, read in ((2, 1), (3, 3)):  # a rate changes one read: whole writes erase the state before

        def off(ln_rate: float, factor: int = factor, read: int = read) -> float:
            tried = fitted.copy()
            tried[factor] = ln_rate
            return float((reads(model.with_factors(tried), case, drive) - logs)[read] ** 2)

        fitted[factor] = least(off)
    return fitted


def least(off: Callable[[float], float]) -> float:
    """ln of the factor of a rate where `off` is least."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(-FASTEST, FASTEST, 25)
    best = grid[int(np.argmin([off(float(rate)) for rate in grid]))]
    step = grid[1] - grid[0]
    return float(minimize_scalar(off, bounds=(best - step, best + step), method="bounded", options={"xatol": 0.02}).x)


def as_scattered(
    model: CompactModel, case: Case, drive: Drive, covariance: np.ndarray, sigma: np.ndarray
) -> np.ndarray:
    """The covariance (4, 4) with the sigma of both rates with which reads after writes in part scatter by `sigma` (4,)."""
    own = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.maximum(np.outer(own, own), 1e-300))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    z = np.random.default_rng(MATCHED).standard_normal((MODEL_DEVICES, own.size)) @ root.T
    for _ in range(ROUNDS):
        drawn = np.array([reads(model.with_factors(own * row), case, drive) for row in z])
        ratio = sigma[[1, 3]] / np.maximum(drawn.std(axis=0, ddof=1)[[1, 3]], 1e-12)
        own[2:] *= np.clip(ratio, 0.5, 2.0) ** DAMPED
    return (root @ root.T) * np.outer(own, own)


def words(model: CompactModel) -> Sequence[str]:
    """A line on the spread of the devices of a model; [] without one."""
    if model.noise is None or model.noise.spread is None:
        return []
    covariance, count, source = model.noise.spread
    sigma = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(covariance / np.outer(sigma, sigma))
    sigmas = ", ".join(f"{value:.3g} of the {name}" for value, name in zip(sigma, FACTORS, strict=True))
    return [
        f"devices differ by log-normal factors, of {count} devices {source}: sigma {sigmas}; correlations "
        f"{correlation[0, 1]:+.2f} of both currents, {correlation[2, 3]:+.2f} of both rates"
    ]
