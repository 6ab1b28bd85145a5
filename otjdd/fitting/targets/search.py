"""The task of a calibration, and the search for parameters with which its runs meet their targets.

CMA-ES, the global search of fits, comes first. Damped least-squares steps (`polish`) follow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from otjdd.case.case import Case
from otjdd.errors import CaseError, SolverError
from otjdd.fitting import global_search, least_squares
from otjdd.fitting.evaluate import Evaluator, Simulated
from otjdd.fitting.parameters import Parameter
from otjdd.fitting.targets.records import FreeParameter, Target, TargetedRun
from otjdd.runs.run import simulate
from otjdd.units import parse

if TYPE_CHECKING:
    import xarray as xr

DIGITS = 4  # significant digits of the values of parameters
SAFE = 0.7  # residual up to which a target counts as met and has little weight
CAP = 4.0  # residuals beyond this count by their logarithm, so that one unreachable target does not hide the others


class TargetedCase(NamedTuple):
    """A case of a calibration, with the runs that judge it.

    name : "" for the only one   file : of the case   case : with the `set` of the calibration
    coarse : the same with the numerics of the search
    """

    name: str
    file: Path
    case: Case
    coarse: Case
    runs: tuple[TargetedRun, ...]

    @property
    def labels(self) -> list[str]:
        """Name of each target; with that of its run where several targets have the same name."""
        named = [(run.name, target.name) for run in self.runs for target in run.target]
        count = Counter(target for _, target in named)
        return [f"{run}: {target}" if count[target] > 1 else target for run, target in named]


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


class TargetTask(NamedTuple):
    """All inputs of a fit with targets. Its search runs in the unit cube between the bounds of the parameters.

    stated : how the file states each parameter
    """

    cases: tuple[TargetedCase, ...]
    parameters: tuple[Parameter, ...]
    stated: tuple[FreeParameter, ...]

    @property
    def targets(self) -> list[Target]:
        """All targets, in the order of the cases and their runs."""
        return [target for part in self.cases for run in part.runs for target in run.target]

    @property
    def target_names(self) -> list[str]:
        """Name of each target, with that of its case where there are several."""
        return [f"{part.name}: {label}" if part.name else label for part in self.cases for label in part.labels]

    @property
    def aims(self) -> list[str]:
        """Aim of each target: the one that it shares with others, else the target itself."""
        return [target.aim or name for target, name in zip(self.targets, self.target_names, strict=True)]

    @property
    def parameter_names(self) -> list[str]:
        """Key of each parameter, with the names of its cases unless it belongs to all."""
        names = [part.name for part in self.cases]
        owners = [[name for name in names if stated.of(name)] for stated in self.stated]
        return [
            f"{', '.join(owned)}: {stated.key}" if len(owned) < len(names) else stated.key
            for stated, owned in zip(self.stated, owners, strict=True)
        ]

    @property
    def start(self) -> np.ndarray:
        """Point (parameters,) of the unit cube from which the search starts, moved into the bounds."""
        return np.array([parameter.share(parameter.start) for parameter in self.parameters])

    @property
    def numbers(self) -> Callable[..., Simulated]:
        """Function of a job, which returns the values (target,) of the runs of a case."""
        return measured

    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        """Arguments of `numbers` for each case, at a point x of the unit cube."""
        return [(part, self.changes(x, part.name)) for part in self.cases]

    def with_own_numerics(self) -> Self:
        """The same task without coarse numerics."""
        return self._replace(cases=tuple(part._replace(coarse=part.case) for part in self.cases))

    def evaluation(self, values: np.ndarray) -> Evaluation:
        """Evaluation with the values (targets,) of all targets."""
        goals = self.targets
        return Evaluation(values, np.array([goal.residual(value) for goal, value in zip(goals, values, strict=True)]))

    def values(self, x: np.ndarray) -> dict[str, Any]:
        """Name of each parameter -> its value as text at a point x in the unit cube."""
        return {name: text_at(p, v) for name, p, v in zip(self.parameter_names, self.parameters, x, strict=True)}

    def changes(self, x: np.ndarray, case: str) -> dict[str, Any]:
        """Changes of the case of this name at a point x in the unit cube: dotted key -> value as text."""
        moving = zip(self.parameters, self.stated, x, strict=True)
        return {p.key: text_at(p, v) for p, stated, v in moving if stated.of(case)}


def text_at(parameter: Parameter, x: float) -> str | float:
    """Value at a coordinate 0 to 1 of the unit cube, rounded to DIGITS, as a case file has it."""
    return parameter.text(parameter.at_share(x), DIGITS)


def value_at(parameter: Parameter, x: float) -> float:
    """Value [SI] at a coordinate 0 to 1 of the unit cube, rounded as in `text_at`."""
    text = text_at(parameter, x)
    return parse(text, parameter.dimension) if isinstance(text, str) else text


def measured(part: TargetedCase, changes: dict[str, Any]) -> Simulated:
    """Values (target,) of a case with changes; nan for the targets of a run that fails, or that cannot have the changes."""
    values: list[float] = []
    ended: dict[str, tuple[Case, xr.Dataset]] = {}
    for run in part.runs:
        try:
            ran = run.of(part.coarse.replace(changes))
            ended[run.name] = ran, simulate(ran)
            values += [
                target.measured(*ended[run.name]) / (target.measured(*ended[target.against]) if target.against else 1.0)
                for target in run.target
            ]
        except (SolverError, CaseError, ValueError, KeyError):
            values += [math.nan] * len(run.target)
    return Simulated(np.array(values))


DAMPINGS = (0.3, 3.0, 30.0)  # dampings tried in a round, relative to the best one of the round before


class SearchResult(NamedTuple):
    """Result of a calibration: the best point of the unit cube, its outcome, and the number of evaluations."""

    x: np.ndarray
    outcome: Evaluation
    evaluations: int


def outcomes(evaluate: Evaluator[TargetTask], points: Sequence[np.ndarray]) -> list[Evaluation]:
    """Evaluations at points of the unit cube."""
    return [evaluate.task.evaluation(values) for values in evaluate(points)]


def search(
    evaluate: Evaluator[TargetTask], start: np.ndarray, *, evaluations: int = 1000, spread: float = 0.1, seed: int = 1
) -> SearchResult:
    """Search by CMA-ES from a point, see `TargetTask.start`.

    spread : first step, as a fraction of the bounds
    A KeyboardInterrupt carries the best SearchResult so far as its attribute `partial`.
    """
    (first,) = outcomes(evaluate, [start])
    try:
        return SearchResult(*global_search.search_globally(
            lambda points: [(outcome.score, outcome) for outcome in outcomes(evaluate, points)],
            start, evaluations=evaluations, spread=spread, seed=seed, at_start=(first.score, first),
        ))  # fmt: skip
    except KeyboardInterrupt as error:
        error.partial = SearchResult(*getattr(error, "partial", (start, first, 0)))  # type: ignore[attr-defined]  # an exception takes any attribute
        raise


def fine_evaluation(evaluate: Evaluator[TargetTask], x: np.ndarray) -> Evaluation:
    """Evaluation at a point of the unit cube without coarse numerics."""
    (values,) = evaluate._replace(task=evaluate.task.with_own_numerics()).simulated([x])
    return evaluate.task.evaluation(values)


def neighbours(x: np.ndarray, step: float = 0.012) -> tuple[list[np.ndarray], np.ndarray]:
    """Points one step from x along each axis, inside the cube, and the signed steps (parameters,)."""
    steps = np.where(np.asarray(x) + step <= 1.0, step, -step)
    return [np.array(x) + move for move in np.diag(steps)], steps


def sensitivities(evaluate: Evaluator[TargetTask], result: SearchResult) -> np.ndarray:
    """Derivatives (targets, parameters) of the residuals, per range of the bounds, by one-sided differences."""
    points, steps = neighbours(result.x)
    around = outcomes(evaluate, points)
    return np.column_stack([(o.residuals - result.outcome.residuals) / h for o, h in zip(around, steps, strict=True)])


def polish(evaluate: Evaluator[TargetTask], result: SearchResult, *, rounds: int = 20) -> SearchResult:
    """Damped least-squares steps on the pulls from the best point of the search, as long as the score falls.

    Near a solution residuals are smooth, and each depends on a few parameters: least squares gains there where CMA-ES
    stagnates. The slopes are measured once and then updated after each step (`least_squares.updated`). When a step no
    longer gains, they are measured again; when a step with new slopes does not gain either, the search ends. Each round
    tries several dampings around the best one of the round before.
    A KeyboardInterrupt carries the best SearchResult so far as its attribute `partial`.
    """
    damping, slopes, fresh = 1.0, None, False
    try:
        for _ in range(rounds):
            if slopes is None:
                result, slopes = measured_slopes(evaluate, result)
                fresh = True
            result, slopes, tried = stepped(evaluate, result, slopes, damping)
            if tried is not None:
                damping, fresh = tried, False
            elif fresh:
                break
            else:
                slopes = None
    except KeyboardInterrupt as error:
        error.partial = result  # type: ignore[attr-defined]  # an exception takes any attribute
        raise
    return result


def measured_slopes(evaluate: Evaluator[TargetTask], result: SearchResult) -> tuple[SearchResult, np.ndarray]:
    """Measure d pull/d parameter (targets, parameters) at the best point by one-sided differences.

    Returns the search, moved to a neighbour if that is better, and the slopes.
    """
    points, steps = neighbours(result.x)
    around = outcomes(evaluate, points)
    slopes = np.column_stack([(o.pulls - result.outcome.pulls) / h for o, h in zip(around, steps, strict=True)])
    done = result.evaluations + len(points)
    least = least_squares.best_of([outcome.score for outcome in around], result.outcome.score)
    best = result[:2] if least is None else (points[least], around[least])
    return SearchResult(*best, done), slopes


def stepped(
    evaluate: Evaluator[TargetTask], result: SearchResult, slopes: np.ndarray, damping: float
) -> tuple[SearchResult, np.ndarray, float | None]:
    """One round of steps, one for each damping.

    Returns the search after it, the slopes updated by all steps, and the damping that gained, None if none did.
    """
    x, pulls = result.x, result.outcome.pulls
    tried = [damping * factor for factor in DAMPINGS]
    moves = [least_squares.damped_move(slopes, pulls, x, value) for value in tried]
    ahead = outcomes(evaluate, [x + move for move in moves])
    done = result.evaluations + len(ahead)
    for move, outcome in sorted(
        zip(moves, ahead, strict=True), key=lambda pair: -pair[1].score
    ):  # the best counts last
        slopes = least_squares.updated(slopes, move, outcome.pulls - pulls)
    least = least_squares.best_of([outcome.score for outcome in ahead], result.outcome.score)
    if least is None:
        return result._replace(evaluations=done), slopes, None
    return SearchResult(x + moves[least], ahead[least], done), slopes, tried[least]
