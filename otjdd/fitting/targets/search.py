"""Search for the parameters of a case with which the runs of a task meet their targets.

CMA-ES, the global search of fits, comes first. Damped least-squares steps (`polish`) follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from otjdd.fitting import broyden, global_search
from otjdd.fitting.evaluate import Evaluator
from otjdd.fitting.targets.task import Evaluation, TargetTask

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
    stagnates. The slopes are measured once and then updated after each step (`fitting.broyden`). When a step no longer
    gains, they are measured again; when a step with new slopes does not gain either, the search ends. Each round tries
    several dampings around the best one of the round before.
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
    least = broyden.best_of([outcome.score for outcome in around], result.outcome.score)
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
    moves = [broyden.damped_move(slopes, pulls, x, value) for value in tried]
    ahead = outcomes(evaluate, [x + move for move in moves])
    done = result.evaluations + len(ahead)
    for move, outcome in sorted(
        zip(moves, ahead, strict=True), key=lambda pair: -pair[1].score
    ):  # the best counts last
        slopes = broyden.updated(slopes, move, outcome.pulls - pulls)
    least = broyden.best_of([outcome.score for outcome in ahead], result.outcome.score)
    if least is None:
        return result._replace(evaluations=done), slopes, None
    return SearchResult(x + moves[least], ahead[least], done), slopes, tried[least]
