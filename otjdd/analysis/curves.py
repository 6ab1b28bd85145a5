"""Exponentials and Gaussians through points, with the errors of their parameters, for metrics of plasticity.

Errors are one standard deviation, from the scatter about the fit; nan if there are no more points than parameters.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

STARTS = 25  # log-spaced scales that are tried before the search


class Curve(NamedTuple):
    """amplitude * shape(x / scale) + offset, the errors of the three, and the scatter of the points.

    amplitude, offset and scatter (root mean square) are in the unit of y, scale in that of x; misfit is scatter over
    the range of y
    """

    amplitude: float
    scale: float
    offset: float
    amplitude_error: float
    scale_error: float
    offset_error: float
    scatter: float
    misfit: float


def exponential(x: ArrayLike, y: ArrayLike, offset: float | None = None) -> Curve:
    """y = A exp(-x / scale) + offset by least squares.

    x, y : (N,), x >= 0   offset : not fitted if given
    Raises ValueError for fewer points than parameters, and if the best scale is not between a tenth of the smallest step
    of x and ten times the span of x.
    """
    return _fit(lambda u: np.exp(-u), np.asarray(x, dtype=float), np.asarray(y, dtype=float), offset)


def gaussian(x: ArrayLike, y: ArrayLike, offset: float | None = None) -> Curve:
    """y = A exp(-(x / scale)^2) + offset by least squares, about x = 0. Arguments and errors as of `exponential`."""
    return _fit(lambda u: np.exp(-(u**2)), np.asarray(x, dtype=float), np.asarray(y, dtype=float), offset)


def _fit(shape: Callable[[np.ndarray], np.ndarray], x: np.ndarray, y: np.ndarray, fixed_offset: float | None) -> Curve:
    """Least squares by a search over the scale alone: amplitude and offset are linear at each scale."""
    from scipy.optimize import minimize_scalar

    free = 2 if fixed_offset is not None else 3
    if x.shape != y.shape or x.size < free or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"a fit of {free} parameters needs as many finite points, not {x.shape} and {y.shape}")

    def linear(scale: float) -> tuple[float, float, np.ndarray]:
        """Amplitude, offset and residuals (N,) at a scale."""
        form = shape(x / scale)
        if fixed_offset is not None:
            return (
                (form @ (y - fixed_offset)) / (form @ form),
                fixed_offset,
                y - fixed_offset - form * (form @ (y - fixed_offset)) / (form @ form),
            )
        columns = np.column_stack([form, np.ones_like(x)])
        (amplitude, offset), *_ = np.linalg.lstsq(columns, y, rcond=None)
        return amplitude, offset, y - columns @ [amplitude, offset]

    def cost(log_scale: float) -> float:
        return float(np.sum(linear(math.exp(log_scale))[2] ** 2))

    gaps = np.diff(np.unique(np.abs(x)))
    if not gaps.size:
        raise ValueError("all points of a fit lie at one place")
    grid = np.linspace(math.log(gaps.min() / 10), math.log(10 * gaps.sum()), STARTS)
    best = int(np.argmin([cost(u) for u in grid]))
    if best in (0, STARTS - 1):
        raise ValueError(f"no scale between {math.exp(grid[0]):.3g} and {math.exp(grid[-1]):.3g} fits")
    optimum = minimize_scalar(cost, bounds=(grid[best - 1], grid[best + 1]), method="bounded", options={"xatol": 1e-10})
    scale = math.exp(optimum.x)
    amplitude, offset, rest = linear(scale)
    step = 1e-5
    slope = amplitude * (shape(x / (scale * (1 + step))) - shape(x / (scale * (1 - step)))) / (2 * step * scale)
    columns = [shape(x / scale), slope] + ([] if fixed_offset is not None else [np.ones_like(x)])
    spare = x.size - free
    variance = (rest @ rest) / spare if spare else math.nan
    errors = np.sqrt(variance * np.diag(np.linalg.pinv(np.transpose(columns).T @ np.transpose(columns))))
    amplitude_error, scale_error, offset_error = [*errors, 0.0][:3]
    scatter, span = math.sqrt(np.mean(rest**2)), float(np.ptp(y))
    return Curve(
        float(amplitude), scale, float(offset), float(amplitude_error), float(scale_error), float(offset_error),
        scatter, scatter / span if span else math.nan,
    )  # fmt: skip
