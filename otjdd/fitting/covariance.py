"""Errors of parameters from the derivatives at the solution, and parameters that the data do not determine.

The covariance is the inverse of the Fisher information J^T J. J holds the derivatives of the residuals, in units of their
uncertainty, by the coordinates. With estimated uncertainties the covariance is multiplied by the reduced chi-square. A
parameter at its bound is held.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.fitting.curves import ESTIMATED
from otjdd.fitting.gradients import UNSURE
from otjdd.fitting.least_squares import Solution
from otjdd.fitting.task import Task

AT = 2e-3  # natural steps from a bound within which a parameter is at it
ALIKE = 0.95  # correlation above which two parameters are reported as inseparable
WEAK = 0.1  # singular value, of columns of length 1, below which a combination is badly known


class Errors(NamedTuple):
    """Uncertainty of a solution, in coordinates of the search.

    covariance, correlation : (parameter, parameter), 0 for parameters that are held   error : (parameter,), nan for those
    at_bound : (parameter,) of bool   reduced : chi-square over the degrees of freedom   scaled : if the errors hold it
    warnings : undetermined parameters and other remarks
    """

    covariance: np.ndarray
    correlation: np.ndarray
    error: np.ndarray
    at_bound: np.ndarray
    reduced: float
    scaled: bool
    warnings: tuple[str, ...]


def errors(task: Task, solution: Solution) -> Errors:
    """Errors of the parameters of a solution with a gradient."""
    J = solution.gradient.slopes / task.sigma[:, None]
    low, high = task.ends
    at_bound = (solution.x - low < AT) | (high - solution.x < AT)
    lengths = np.linalg.norm(J, axis=0)
    silent = ~(lengths > 0)
    free = np.flatnonzero(~at_bound & ~silent)
    freedom = len(J) - len(free)
    reduced = solution.chi_square(task) / freedom if freedom > 0 else np.nan
    scaled = any(curve.uncertainty == ESTIMATED for curve in task.curves) and freedom > 0
    covariance = np.zeros((len(lengths), len(lengths)))
    covariance[np.ix_(free, free)] = inverse(J[:, free]) * (reduced if scaled else 1.0)
    error = np.full(len(lengths), np.nan)
    error[free] = np.sqrt(np.diag(covariance)[free])
    correlation = np.eye(len(lengths))
    correlation[np.ix_(free, free)] = covariance[np.ix_(free, free)] / np.outer(error[free], error[free])
    names = [parameter.name for parameter in task.parameters]
    said = [f"{names[i]} is at its bound and was held" for i in np.flatnonzero(at_bound)]
    said += [f"{names[i]} changes nothing in these data" for i in np.flatnonzero(silent)]
    said += [f"the slope by {names[i]} is uncertain by {solution.gradient.error[i]:.0%}: lower numerics.rtol" for i in free
             if solution.gradient.error[i] > UNSURE]  # fmt: skip
    said += alike(J[:, free], correlation[np.ix_(free, free)], [names[i] for i in free])
    if not scaled and reduced > 2:
        said.append(f"reduced chi-square {reduced:.3g}: the model misses the data by more than their uncertainty")
    return Errors(covariance, correlation, error, at_bound, float(reduced), scaled, tuple(said))


def inverse(J: np.ndarray) -> np.ndarray:
    """Inverse of J^T J by the singular values of J, whose columns are first brought to one length."""
    lengths = np.linalg.norm(J, axis=0)
    _, s, V = np.linalg.svd(J / lengths, full_matrices=False)
    scaled = (V.T / np.maximum(s, 1e-12) ** 2) @ V
    return scaled / np.outer(lengths, lengths)


def alike(J: np.ndarray, correlation: np.ndarray, names: list[str]) -> list[str]:
    """Sentences on pairs of parameters that the data cannot separate, from the small singular values of J."""
    if len(names) < 2:
        return []
    _, s, V = np.linalg.svd(J / np.linalg.norm(J, axis=0), full_matrices=False)
    said = {}
    for direction in V[s < WEAK][::-1]:
        i, j = sorted(np.argsort(-np.abs(direction))[:2])
        if abs(correlation[i, j]) > ALIKE:
            said[i, j] = f"{names[i]} and {names[j]}: correlation {correlation[i, j]:.3f}; hold one"
    return list(said.values())
