"""Evaluations of a calibration: all of its targets at a point of the unit cube, each point once, in several processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.claims.calibrate.task import Calibration, targets, values_of_point
from otjdd.errors import SolverError
from otjdd.runs.run import simulate
from otjdd.system.pool import team

if TYPE_CHECKING:
    import xarray as xr

SAFE = 0.7  # residual up to which a target counts as met and has little weight
CAP = 4.0  # residuals beyond this count by their logarithm, so that one unreachable target does not hide the others


class Evaluation(NamedTuple):
    """One evaluation: the values (targets,) of all targets, in SI, and their residuals (targets,)."""

    found: np.ndarray
    residuals: np.ndarray

    @property
    def pulls(self) -> np.ndarray:
        """Weighted residuals (targets,): the excess over SAFE, and a small share of the rest, damped beyond CAP."""
        size = np.abs(self.residuals)
        size = np.where(size < CAP, size, CAP * (1 + np.log(np.maximum(size, CAP) / CAP)))
        pulls: np.ndarray = np.copysign(np.sqrt(np.maximum(0.0, size - SAFE) ** 2 + 0.05 * size**2), self.residuals)
        return pulls

    @property
    def score(self) -> float:
        """Sum of the squares of the pulls, which the search minimises."""
        return float(np.sum(self.pulls**2))


class Evaluator(NamedTuple):
    """Evaluates a calibration.

    case : with the numerics of the search, see `Calibration.coarse`
    compute : runs jobs in several processes, see `pool.team`
    visited : bytes of a point -> values (targets,) there, which are not simulated again
    told : called after each batch of points
    """

    calibration: Calibration
    case: Case
    compute: Callable[..., Iterable[tuple[int, np.ndarray]]]
    visited: dict[bytes, np.ndarray]
    told: Callable[[], None] | None = None

    def __call__(self, points: Sequence[np.ndarray]) -> list[Evaluation]:
        """Evaluations at points of the unit cube."""
        new = {x.tobytes(): x for x in map(np.asarray, points) if x.tobytes() not in self.visited}
        jobs = [(self.calibration, self.case, x) for x in new.values()]
        names = list(new)
        for number, found in self.compute(measured, jobs):
            self.visited[names[number]] = found
        if self.told and new:
            self.told()
        return [self.judged(self.visited[np.asarray(x).tobytes()]) for x in points]

    def judged(self, found: np.ndarray) -> Evaluation:
        """Evaluation with the values (targets,) of all targets."""
        goals = targets(self.calibration)
        return Evaluation(found, np.array([goal.residual(value) for goal, value in zip(goals, found, strict=True)]))

    def fine(self, case: Case, x: np.ndarray) -> Evaluation:
        """Evaluation at a point by runs of another case, such as one without coarse numerics."""
        return self.judged(measured(self.calibration, case, x))


@contextmanager
def evaluator(
    calibration: Calibration, case: Case, *, workers: int = 1, visited: Mapping[bytes, np.ndarray] | None = None,
    told: Callable[[], None] | None = None,
) -> Iterator[Evaluator]:  # fmt: skip
    """An Evaluator whose processes end with the block. visited : of a search that was interrupted"""
    with team(workers) as compute:
        yield Evaluator(calibration, case.replace(**calibration.coarse), compute, dict(visited or {}), told)


def measured(calibration: Calibration, case: Case, x: np.ndarray) -> np.ndarray:
    """Values (targets,) at a point of the unit cube; nan for the targets of a run that fails."""
    found: list[float] = []
    ended: dict[str, tuple[Case, xr.Dataset]] = {}
    for run in calibration.run:
        try:
            ran = run.of(case.replace(**values_of_point(calibration, x)))
            ended[run.name] = ran, simulate(ran)
            found += [
                target.found(*ended[run.name]) / (target.found(*ended[target.against]) if target.against else 1.0)
                for target in run.target
            ]
        except (SolverError, ValueError, KeyError):
            found += [math.nan] * len(run.target)
    return np.array(found)
