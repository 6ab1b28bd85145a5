"""Losses of a fit: how much a residual counts, as a function of its square z in units of the uncertainty.

They are those of scipy.optimize.least_squares. All but the linear one give less weight to points that are far from the
fit, and are so robust against outliers (P. J. Huber, Robust Statistics).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.case.fit_task import LOSSES
from otjdd.case.problem import Problem, nearest
from otjdd.errors import CaseError

LINEAR = LOSSES[0]


class Loss(NamedTuple):
    """A loss (n,), its first and its second derivative by z."""

    rho: np.ndarray
    slope: np.ndarray
    bend: np.ndarray


def loss_of(name: str) -> str:
    """Name of a loss; "soft_l1" is "soft-l1". Raises CaseError for an unknown one."""
    loss_name = name.replace("_", "-").lower()
    if loss_name not in LOSSES:
        raise CaseError(
            [Problem("loss", 0, 0, "", f"one of {', '.join(LOSSES)}", repr(name), nearest(loss_name, LOSSES))]
        )
    return loss_name


def loss(name: str, z: np.ndarray) -> Loss:
    """The loss of squared residuals z (n,)."""
    z = np.asarray(z, dtype=float)
    if name == "soft-l1":
        root = np.sqrt(1 + z)
        return Loss(2 * (root - 1), 1 / root, -0.5 / root**3)
    if name == "huber":
        far, root = z > 1, np.sqrt(np.maximum(z, 1.0))
        return Loss(np.where(far, 2 * root - 1, z), 1 / root, np.where(far, -0.5 / root**3, 0.0))
    if name == "cauchy":
        return Loss(np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2)
    if name == "arctan":
        return Loss(np.arctan(z), 1 / (1 + z**2), -2 * z / (1 + z**2) ** 2)
    return Loss(z, np.ones_like(z), np.zeros_like(z))


def covariance_factor(name: str, residuals: np.ndarray, freedom: int) -> float:
    """Factor by which the inverse of J^T J becomes the covariance of a fit with a loss; 1 for the linear loss.

    residuals : (point,)   freedom : degrees of freedom
    It is Huber's: the mean square of the influence psi = r rho'(r^2) over the square of its mean slope. It depends on the
    scatter of the points and not on their stated uncertainty.
    """
    if name == LINEAR:
        return 1.0
    z = residuals**2
    at = loss(name, z)
    influence, slope = residuals * at.slope, at.slope + 2 * z * at.bend
    return float(np.sum(influence**2) / freedom / np.mean(slope) ** 2)
