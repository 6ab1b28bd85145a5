"""Errors of parameters from the derivatives at the solution, and parameters that the data do not determine.

The covariance is the inverse of the Fisher information J^T J, where J are the derivatives of the residuals, in units of
their uncertainty, by the coordinates. Where uncertainties are estimated, the covariance is multiplied by the reduced
chi-square; with a robust loss, by Huber's factor (`losses.covariance_factor`). A parameter at its bound is fixed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.fitting.curves import ESTIMATED
from otjdd.fitting.gradients import UNSURE
from otjdd.fitting.least_squares import Solution, point_of
from otjdd.fitting.losses import LINEAR, covariance_factor
from otjdd.fitting.task import Task
from otjdd.measurements.noise import SIGMA

AT = 2e-3  # natural steps: a parameter within this of its bound counts as at the bound
ALIKE = 0.95  # correlation above which two parameters are reported as inseparable
SAME = 0.9995  # correlation that is written as 1.000
WEAK = 0.1  # singular value of J with columns of length 1, below which a combination of parameters is badly determined
FAR_FROM_1 = 2.0  # factor from 1 beyond which a reduced chi-square is reported
CHANCE = 4.0  # standard deviations of the reduced chi-square of normal noise, within which a deviation is not reported
OUTLYING = 4.0  # robust scatters of the residuals, beyond which a residual is that of an outlier
MOST_OUTLIERS = 20  # most outliers that are listed


class Errors(NamedTuple):
    """Uncertainty of a solution, in coordinates of the search.

    covariance, correlation : (parameter, parameter); parameters at a bound or without effect have 0, and 1 on the diagonal
        of the correlation
    error : (parameter,), nan for these parameters   at_bound : (parameter,) of bool
    reduced : chi-square over the degrees of freedom   scaled : True if the covariance is multiplied by `reduced`
    spread : factor of the covariance, see the module   warnings : undetermined parameters and other remarks
    outliers : points far from the fit, the worst first, in words
    """

    covariance: np.ndarray
    correlation: np.ndarray
    error: np.ndarray
    at_bound: np.ndarray
    reduced: float
    scaled: bool
    spread: float
    warnings: tuple[str, ...]
    outliers: tuple[str, ...]


def standard_errors(task: Task, solution: Solution) -> Errors:
    """Errors of the parameters of a solution, from its gradient."""
    gradient = solution.gradient
    assert gradient is not None  # only an interrupted search has none
    J = gradient.slopes / task.sigma[:, None]
    low, high = task.ends
    at_bound = (solution.x - low < AT) | (high - solution.x < AT)
    lengths = np.linalg.norm(J, axis=0)
    silent = ~(lengths > 0)
    free = np.flatnonzero(~at_bound & ~silent)
    freedom = len(J) - len(free)
    reduced = solution.chi_square(task) / freedom if freedom > 0 else np.nan
    scaled = task.loss == LINEAR and any(curve.uncertainty == ESTIMATED for curve in task.curves) and freedom > 0
    factor = float(reduced) if scaled else covariance_factor(task.loss, solution.residuals(task), max(freedom, 1))
    covariance = np.zeros((len(lengths), len(lengths)))
    covariance[np.ix_(free, free)] = inverse(J[:, free]) * factor
    error = np.full(len(lengths), np.nan)
    error[free] = np.sqrt(np.diag(covariance)[free])
    correlation = np.eye(len(lengths))
    correlation[np.ix_(free, free)] = covariance[np.ix_(free, free)] / np.outer(error[free], error[free])
    names = [parameter.name for parameter in task.parameters]
    warnings = [f"{names[i]} is at its bound and was held" for i in np.flatnonzero(at_bound)]
    warnings += [f"{names[i]} changes nothing in these data" for i in np.flatnonzero(silent)]
    warnings += [f"the slope by {names[i]} is uncertain by {gradient.error[i]:.0%}: lower numerics.rtol" for i in free
             if gradient.error[i] > UNSURE]  # fmt: skip
    warnings += [f"the slope by {names[i]} is that of independent runs: one along the steps of another fails or jumps"
                 for i in free if gradient.apart[i]]  # fmt: skip
    warnings += inseparable(J[:, free], correlation[np.ix_(free, free)], [names[i] for i in free])
    warnings += far_from_one(float(reduced), freedom, scaled)
    outlying = outliers(task, solution)
    return Errors(covariance, correlation, error, at_bound, float(reduced), scaled, factor, tuple(warnings), outlying)


def far_from_one(reduced: float, freedom: int, scaled: bool) -> list[str]:
    """A sentence on a reduced chi-square that differs from 1 by more than chance, else []."""
    chance = CHANCE * np.sqrt(2 / freedom) if freedom > 0 else np.inf
    if reduced > max(FAR_FROM_1, 1 + chance):
        whose = "their scatter from point to point" if scaled else "their uncertainty"
        return [f"reduced chi-square {reduced:.3g}: the model misses the data by more than {whose}"]
    if reduced < min(1 / FAR_FROM_1, 1 - chance) and not scaled:
        return [
            f"reduced chi-square {reduced:.3g}: the data scatter less than their uncertainty says; errors are too large"
        ]
    return []


def outliers(task: Task, solution: Solution) -> tuple[str, ...]:
    """Points with residuals beyond OUTLYING times the larger of 1 and their robust scatter, the worst first."""
    residuals = solution.residuals(task)
    size = np.abs(residuals)
    limit = OUTLYING * max(1.0, SIGMA * float(np.median(size)))
    sentences = []
    for number in np.argsort(-size)[:MOST_OUTLIERS]:
        if size[number] > limit:
            curve, at = point_of(task, int(number))
            way = "below" if residuals[number] > 0 else "above"
            where = f"{curve.label} line {curve.lines[at]}, {curve.axis} {curve.x[at]:g}"
            sentences.append(f"{where}: {size[number]:.1f} uncertainties {way} the fit")
    return tuple(sentences)


def inverse(J: np.ndarray) -> np.ndarray:
    """Inverse (parameter, parameter) of J^T J, by the singular values of J (point, parameter) with normalised columns."""
    lengths = np.linalg.norm(J, axis=0)
    _, s, V = np.linalg.svd(J / lengths, full_matrices=False)
    scaled = (V.T / np.maximum(s, 1e-12) ** 2) @ V
    return np.asarray(scaled / np.outer(lengths, lengths))


def inseparable(J: np.ndarray, correlation: np.ndarray, names: list[str]) -> list[str]:
    """Sentences on pairs of parameters that the data cannot separate, from the small singular values of J."""
    if len(names) < 2:
        return []
    _, s, V = np.linalg.svd(J / np.linalg.norm(J, axis=0), full_matrices=False)
    sentences = {}
    for direction in V[s < WEAK][::-1]:
        i, j = sorted(np.argsort(-np.abs(direction))[:2])
        if abs(correlation[i, j]) > ALIKE:
            sentences[i, j] = f"{names[i]} and {names[j]}: correlation {correlation[i, j]:.3f}; hold one"
    for i, j in np.argwhere(np.triu(np.abs(correlation) >= SAME, 1)).tolist():  # of a combination of three or more
        sentences.setdefault((i, j), f"{names[i]} and {names[j]}: correlation {correlation[i, j]:.3f}; hold one")
    return list(sentences.values())
