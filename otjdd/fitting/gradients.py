"""Derivatives of simulated numbers by the parameters: central differences with steps chosen by the solver's noise.

A solver with error control answers a smooth change of a parameter with small jumps. Their size s is measured first, from
third differences of nearly equal runs (Moré and Wild, SIAM J. Sci. Comput. 33, 1292 (2011)). A central difference that
changes the numbers by r has a relative error of about s/r from the noise and r^2/6 from the curvature. The two are equal
at r = (6 s)^(1/3), so the step of each parameter is the one that changes the numbers by r.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.case.problem import Problem
from otjdd.errors import CaseError
from otjdd.fitting.evaluate import Evaluator
from otjdd.fitting.task import Task

FIRST = 1e-3  # natural steps: step of a parameter whose slope is not known yet
SMALLEST, LARGEST = 1e-6, 0.1  # natural steps: limits of a step
TINY = (
    1e-4  # natural steps between the runs that show the noise; the smooth part of their third difference is negligible
)
LEAST = 1e-9  # lowest noise, that of round-off
UNSURE = 0.1  # relative error of a derivative from which it is reported


class Gradient(NamedTuple):
    """Derivatives (point, parameter) of the numbers on their scales, and their relative errors (parameter,)."""

    slopes: np.ndarray
    error: np.ndarray


def noise(evaluate: Evaluator[Task], x: np.ndarray) -> float:
    """Root mean square of the solver's noise in the simulated numbers, at a place x (parameter,) of the search."""
    _, high = evaluate.task.ends
    inward = np.where(x + 3 * TINY <= high, 1.0, -1.0)
    values = evaluate([x + k * TINY * inward for k in range(4)])
    bends = np.diff(values, 3, axis=0)[0] / np.sqrt(20.0)
    return float(max(np.sqrt(np.nanmean(bends**2)), LEAST)) if np.isfinite(bends).any() else LEAST


def steps(slopes: np.ndarray | None, count: int, noise: float) -> np.ndarray:
    """Steps (parameter,) of the differences: the best ones for known slopes (point, parameter), else FIRST."""
    if slopes is None:
        return np.full(count, FIRST)
    response = np.sqrt(np.nanmean(slopes**2, axis=0))
    aimed = (6 * noise) ** (1 / 3)
    return np.asarray(np.clip(aimed / np.maximum(response, aimed / LARGEST), SMALLEST, LARGEST))


def gradient(
    evaluate: Evaluator[Task], x: np.ndarray, values_at_x: np.ndarray, noise: float, nearby: np.ndarray | None
) -> Gradient:
    """Derivatives at a place of the search, one run or two for each parameter.

    values_at_x : (point,) simulated numbers at x   noise : see `noise`   nearby : slopes (point, parameter) nearby, or None
    A parameter at a bound, or with a run that fails on one side, has a one-sided difference. Raises CaseError, which
    names the key, where both sides fail.
    """
    h = steps(nearby, len(x), noise)
    low, high = evaluate.task.ends
    ahead, behind = np.minimum(x + h, high) - x, x - np.maximum(x - h, low)
    ahead, behind = np.where(ahead < h / 2, 0.0, ahead), np.where(behind < h / 2, 0.0, behind)
    moves = [(i, side * way[i]) for i in range(len(x)) for side, way in ((1, ahead), (-1, behind)) if way[i]]
    values = evaluate([x + move * np.eye(len(x))[i] for i, move in moves])
    slopes, error = np.zeros((len(values_at_x), len(x))), np.zeros(len(x))
    for i in range(len(x)):
        sides = [(move, row) for (k, move), row in zip(moves, values, strict=True) if k == i and np.isfinite(row).all()]
        if not sides:
            parameter = evaluate.task.parameters[i]
            expected = f"a run next to {parameter.text(parameter.value(x[i]))}"
            raise CaseError([Problem("vary", 0, 0, parameter.name, expected, "runs that fail on both sides")])
        if len(sides) == 1:
            sides.append((0.0, values_at_x))
        (a, above), (b, below) = sides
        slopes[:, i] = (above - below) / (a - b)
        size = np.sqrt(np.mean(slopes[:, i] ** 2))
        response = abs(a - b) / 2 * size
        error[i] = np.hypot(noise / (np.sqrt(2) * response), response**2 / 6) if size else np.inf
    return Gradient(slopes, error)
