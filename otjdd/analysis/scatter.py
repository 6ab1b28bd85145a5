"""Scatter of numbers of several devices over several cycles: from cycle to cycle, and from device to device."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Scatter(NamedTuple):
    """Standard deviations of x within and between devices, and their standard errors; nan where there are too few numbers.

    c2c : within a device, pooled over the devices   d2d : between the expected values of devices
    drift : change of x over all cycles along a straight line, mean of the devices
    devices, cycles : number of devices, largest number of cycles of one
    """

    c2c: float
    c2c_error: float
    d2d: float
    d2d_error: float
    drift: float
    drift_error: float
    devices: int
    cycles: int


def scatter(numbers: ArrayLike) -> Scatter:
    """Scatter of numbers (devices, cycles), normally distributed in both ways; nan for what is missing.

    Analysis of variance, one way, random effects (Searle, Casella & McCulloch, Variance Components, ch. 3): c2c^2 is the
    mean square within devices, d2d^2 is the variance of the means of devices less c2c^2/n, zero where that is below zero.
    With one cycle d2d holds both, and c2c is nan. A drift counts as scatter within devices.
    """
    x: np.ndarray = np.asarray(numbers, dtype=float)
    x = x[np.isfinite(x).any(axis=1)]
    finite = np.isfinite(x)
    n = finite.sum(axis=1)
    devices, total = len(n), int(n.sum())
    if not devices:
        nan = math.nan
        return Scatter(nan, nan, nan, nan, nan, nan, 0, 0)
    means = np.nanmean(x, axis=1)
    spare, between = total - devices, devices - 1
    within = float(np.nansum((x - means[:, None]) ** 2)) / spare if spare else math.nan
    noise = within if spare else 0.0
    noise_error = noise * math.sqrt(2 / spare) if spare else 0.0
    c2c_error = math.sqrt(within / (2 * spare)) if spare else math.nan
    d2d, d2d_error = math.nan, math.nan
    if between:
        square = float(n @ (means - n @ means / total) ** 2) / between
        cycles_per_device = (total - float(n @ n) / total) / between
        variance = max(0.0, (square - noise) / cycles_per_device)
        error = math.hypot(square * math.sqrt(2 / between), noise_error) / cycles_per_device
        d2d, d2d_error = math.sqrt(variance), error_of_root(variance, error)
    changes = rises(x, finite)
    few = changes.size < 2
    drift_error = math.nan if few else float(np.std(changes, ddof=1)) / math.sqrt(changes.size)
    drift = float(changes.mean()) if changes.size else math.nan
    return Scatter(math.sqrt(within), c2c_error, d2d, d2d_error, drift, drift_error, devices, int(n.max()))


def error_of_root(variance: float, error: float) -> float:
    """Standard error of a standard deviation from that of its square, which is not below -error: at most sqrt(error)."""
    return min(error / (2 * math.sqrt(variance)), math.sqrt(error)) if variance > 0 else math.sqrt(error)


def rises(x: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Change of x (devices, cycles) along a straight line, from the first cycle to the last.

    Returns (n,), of the devices with two numbers or more.
    """
    several = finite.sum(axis=1) > 1
    x, finite = x[several], finite[several]
    t = np.where(finite, np.arange(x.shape[1], dtype=float), np.nan)
    from_middle = np.nan_to_num(t - np.nanmean(t, axis=1, keepdims=True))
    slopes = (from_middle * np.where(finite, x, 0.0)).sum(axis=1) / (from_middle**2).sum(axis=1)
    return np.asarray(slopes * (np.nanmax(t, axis=1) - np.nanmin(t, axis=1)))
