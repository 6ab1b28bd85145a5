"""Evaluations of a calibration: all of its targets at a point of the unit cube, each point once, in several processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.claims.calibrate.task import CalibratedCase, CalibrationTask
from otjdd.errors import CaseError, SolverError
from otjdd.fitting.evaluate import Compute, computed
from otjdd.runs.run import simulate
from otjdd.system.pool import team

if TYPE_CHECKING:
    import xarray as xr

SAFE = 0.7  # residual up to which a target counts as met and has little weight
CAP = 4.0  # residuals beyond this count by their logarithm, so that one unreachable target does not hide the others


class Evaluation(NamedTuple):
    """One evaluation: the values (targets,) of all targets, in SI, and their residuals (targets,)."""

    values: np.ndarray
    residuals: np.ndarray

    @property
    def pulls(self) -> np.ndarray:
        """Weighted residuals (targets,): the excess over SAFE, and a small share of the rest, damped beyond CAP."""
        size = np.abs(self.residuals)
        size = np.where(size < CAP, size, CAP * (1 + np.log(np.maximum(size, CAP) / CAP)))
        return np.copysign(np.sqrt(np.maximum(0.0, size - SAFE) ** 2 + 0.05 * size**2), self.residuals)

    @property
    def score(self) -> float:
        """Sum of the squares of the pulls, which the search minimises."""
        return float(np.sum(self.pulls**2))


class TargetEvaluator(NamedTuple):
    """Evaluates a calibration.

    compute : runs jobs in several processes, see `pool.team`
    visited : bytes of a point -> values (targets,) there, which are not simulated again
    report : called with the evaluation of each new point
    """

    task: CalibrationTask
    compute: Compute
    visited: dict[bytes, np.ndarray]
    report: Callable[[Evaluation], None] | None = None

    def __call__(self, points: Sequence[np.ndarray]) -> list[Evaluation]:
        """Evaluations at points of the unit cube. The cases of a point are jobs of their own."""
        new = {x.tobytes(): x for x in map(np.asarray, points) if x.tobytes() not in self.visited}
        names = list(new)

        def keep(place: int, values: np.ndarray) -> None:
            self.visited[names[place]] = values
            if self.report:
                self.report(self.judged(values))

        computed(self.compute, measured, [self.jobs(x, coarse=True) for x in new.values()], keep)
        return [self.judged(self.visited[np.asarray(x).tobytes()]) for x in points]

    def judged(self, values: np.ndarray) -> Evaluation:
        """Evaluation with the values (targets,) of all targets."""
        goals = self.task.targets
        return Evaluation(values, np.array([goal.residual(value) for goal, value in zip(goals, values, strict=True)]))

    def fine(self, x: np.ndarray) -> Evaluation:
        """Evaluation at a point without coarse numerics."""
        return self.judged(computed(self.compute, measured, [self.jobs(x, coarse=False)])[0])

    def jobs(self, x: np.ndarray, coarse: bool) -> list[tuple[Any, ...]]:
        """Jobs of a point, one for each case."""
        return [
            (part, part.coarse if coarse else part.case, self.task.changes(x, part.name)) for part in self.task.cases
        ]


@contextmanager
def evaluator(
    task: CalibrationTask, *, workers: int = 1, visited: Mapping[bytes, np.ndarray] | None = None,
    report: Callable[[Evaluation], None] | None = None,
) -> Iterator[TargetEvaluator]:  # fmt: skip
    """An TargetEvaluator whose processes end with the block. visited : of a search that was interrupted"""
    with team(workers) as compute:
        yield TargetEvaluator(task, compute, dict(visited or {}), report)


def measured(part: CalibratedCase, case: Case, changes: dict[str, Any]) -> np.ndarray:
    """Values (target,) of a case with changes; nan for the targets of a run that fails, or that cannot have the changes.

    case : that of the part, or its coarse one
    """
    values: list[float] = []
    ended: dict[str, tuple[Case, xr.Dataset]] = {}
    for run in part.runs:
        try:
            ran = run.of(case.replace(changes))
            ended[run.name] = ran, simulate(ran)
            values += [
                target.measured(*ended[run.name]) / (target.measured(*ended[target.against]) if target.against else 1.0)
                for target in run.target
            ]
        except (SolverError, CaseError, ValueError, KeyError):
            values += [math.nan] * len(run.target)
    return np.array(values)
