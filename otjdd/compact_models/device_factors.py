"""Devices that differ, as draws and as log-normal factors on one compact model, of the current and of the rates.

A sample describes how devices differ: each device is a draw from its distributions. A spread of columns describes how
patches within one device differ. Each device is then assumed to consist of as many patches as the case has columns, each
drawn from that spread. This is a hypothesis, and an upper limit of the differences: devices of more patches differ less.

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
from typing import Any

import numpy as np

from otjdd.case.case import Case
from otjdd.case.kinds import column_count, kinds_of
from otjdd.case.study_axes import Sample
from otjdd.compact_models import noise_error
from otjdd.compact_models.error import Drive, solved_reads, with_drive
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.noise import FACTORS, DeviceSpread
from otjdd.errors import NotAsExpected
from otjdd.system.pool import Spread

MOST = 1000


class NoDifference(NotAsExpected):
    """A case that does not say how devices differ."""


def source(case: Case, count: int) -> str:
    """The origin of the differences between devices, in words. Raises NotAsExpected for a case without any."""
    if not 2 <= count <= MOST:
        raise NotAsExpected(f"2 to {MOST} devices", str(count))
    if case.study is not None and case.study.sample is not None:
        return "drawn from " + ", ".join(case.study.sample.over)
    spread = dict.fromkeys(key for kind in kinds_of(case) for key, value in kind.columns.spread.items() if value)
    if not spread:
        raise NoDifference("a case with a columns.spread or a [study.sample], to draw devices from", "one with neither")
    return (
        f"each of {column_count(patches(case, 0))} patches drawn from the spread of {', '.join(spread)}: a hypothesis"
    )


def drawn_changes(sample: Sample) -> list[dict[str, Any]]:
    """Changes of the case for each draw: dotted key -> value."""
    return [dict(zip(sample.over, row, strict=True)) for row in sample.rows()]


def patches(case: Case, number: int) -> Case:
    """The case of one device by its number: its columns are drawn, with a seed for each device."""
    changes = {"columns.nodes": "draws", "columns.seed": case.columns.seed + number}
    for i, kind in enumerate(case.columns.kinds or ()):
        changes |= {f"columns.kinds[{i}].nodes": "draws"}
        changes |= {f"columns.kinds[{i}].seed": kind.seed + number} if kind.seed is not None else {}
    return case.replace(changes)


def drawn_cases(case: Case, count: int) -> list[Case]:
    """Cases of `count` devices that differ; of a sample, by a Latin hypercube from its seed.

    Raises NotAsExpected for a case that does not say how.
    """
    source(case, count)
    if case.study is not None and case.study.sample is not None:
        sample = case.study.sample.model_copy(update={"count": count, "method": "latin-hypercube"})
        return [case.without_study().replace(changes) for changes in drawn_changes(sample)]
    return [patches(case.without_study(), number) for number in range(count)]


DEVICES = 24  # drawn by default
MODEL_DEVICES = 200  # drawn of the model, for its sigma
FASTEST = 12.0  # ln of the largest factor of a rate in the search
MATCHED, ROUNDS, DAMPED = 3, 8, 0.7  # seed of the draws whose sigma are matched, rounds, share of each correction


def with_devices(model: CompactModel, case: Case, count: int, spread: Spread) -> CompactModel:
    """The noisy model with the spread of `count` drawn devices of its case, and their sigma beside that of the solver.

    The model itself for a case that does not say how devices differ. Raises NotAsExpected, CaseError.
    """
    try:
        origin = source(case, count)
    except NoDifference:
        return model
    drive = noise_error.partial_cycle(model, case) | {"repeat": 2}
    logs = np.empty((count, 4))
    jobs = [(device_case.without_noise(), drive) for device_case in drawn_cases(case, count)]
    for number, (current, _) in spread(solved_reads, jobs):
        logs[number] = np.log(current)[4:]
    fitted = np.array([fitted_factors(model, case, drive, device_case) for device_case in logs])
    assert model.noise is not None
    sigma = logs.std(axis=0, ddof=1)
    covariance = as_scattered(model, case, drive, np.cov(fitted.T), sigma)
    noise = model.noise._replace(spread=DeviceSpread(covariance, count, origin))
    with_spread = replace(model, noise=noise)
    own = [reads(with_spread.device(seed), case, drive) for seed in range(MODEL_DEVICES)]
    sigmas = sigma, sigma / np.sqrt(2 * (count - 1)), np.std(own, axis=0, ddof=1)
    return noise_error.measured_with(with_spread, noise_error.DEVICES, drive, sigmas)


def reads(model: CompactModel, case: Case, drive: Drive) -> np.ndarray:
    """ln of the currents (4,) of the second cycle of a model."""
    current = model.predicted(with_drive(case, drive).drive).read_current.values
    return np.log(current)[4:]


def fitted_factors(model: CompactModel, case: Case, drive: Drive, logs: np.ndarray) -> np.ndarray:
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
        logs = np.array([reads(model.with_factors(own * row), case, drive) for row in z])
        ratio = sigma[[1, 3]] / np.maximum(logs.std(axis=0, ddof=1)[[1, 3]], 1e-12)
        own[2:] *= np.clip(ratio, 0.5, 2.0) ** DAMPED
    return (root @ root.T) * np.outer(own, own)


def words(model: CompactModel) -> Sequence[str]:
    """A line on the spread of the devices of a model; [] without one."""
    if model.noise is None or model.noise.spread is None:
        return []
    covariance, count, origin = model.noise.spread
    sigma = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(covariance / np.outer(sigma, sigma))
    sigmas = ", ".join(f"{value:.3g} of the {name}" for value, name in zip(sigma, FACTORS, strict=True))
    return [
        f"devices differ by log-normal factors, of {count} devices {origin}: sigma {sigmas}; correlations "
        f"{correlation[0, 1]:+.2f} of both currents, {correlation[2, 3]:+.2f} of both rates"
    ]
