"""Search for the parameters of a case with which the runs of a task meet their targets.

CMA-ES, the global search of fits, comes first. Damped least-squares steps (`polish`) follow.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case
from otjdd.claims.calibrate.evaluate import Evaluation, Evaluator
from otjdd.claims.calibrate.task import Calibration, targets, value_of, values_of_point
from otjdd.fitting import broyden, global_search

DAMPINGS = (0.3, 3.0, 30.0)  # dampings tried in a round, relative to the best one of the round before
COARSE = 0.25  # tolerances: larger effects of the coarse numerics of the search on a residual are reported


def present(calibration: Calibration, case: Case) -> np.ndarray:
    """Point (parameters,) of the unit cube that the case stands for, moved into the bounds."""
    return np.array([np.clip(p.coordinate(value_of(case, p.key)), 0.0, 1.0) for p in calibration.parameter])


class Search(NamedTuple):
    """Result of a calibration: the best point of the unit cube, its outcome, and the number of evaluations."""

    x: np.ndarray
    outcome: Evaluation
    evaluations: int


def search(
    evaluate: Evaluator, start: np.ndarray, *, evaluations: int = 1000, spread: float = 0.1, seed: int = 1,
    progress: Callable[[int, float, dict[str, Any]], None] | None = None,
) -> Search:  # fmt: skip
    """Search by CMA-ES from a point, see `present`.

    spread : first step, as a fraction of the bounds
    progress : called with (evaluations done, best score, best values by key) after each generation
    A KeyboardInterrupt carries the best Search so far as its attribute `partial`.
    """
    first = evaluate([start])[0]

    def told(done: int, score: float, x: np.ndarray) -> None:
        if progress:
            progress(done, score, values_of_point(evaluate.calibration, x))

    try:
        return Search(*global_search.search_globally(
            lambda points: [(outcome.score, outcome) for outcome in evaluate(points)],
            start, evaluations=evaluations, spread=spread, seed=seed, known=(first.score, first), progress=told,
        ))  # fmt: skip
    except KeyboardInterrupt as error:
        error.partial = Search(*getattr(error, "partial", (start, first, 0)))  # type: ignore[attr-defined]  # an exception takes any attribute
        raise


def neighbours(x: np.ndarray, step: float = 0.012) -> tuple[list[np.ndarray], np.ndarray]:
    """Points one step from x along each axis, inside the cube, and the signed steps (parameters,)."""
    steps = np.where(np.asarray(x) + step <= 1.0, step, -step)
    return [np.array(x) + move for move in np.diag(steps)], steps


def sensitivities(evaluate: Evaluator, found: Search) -> np.ndarray:
    """Derivatives (targets, parameters) of the residuals, per range of the bounds, by one-sided differences."""
    points, steps = neighbours(found.x)
    around = evaluate(points)
    return np.column_stack([(o.residuals - found.outcome.residuals) / h for o, h in zip(around, steps, strict=True)])


def polish(
    evaluate: Evaluator, found: Search, *, rounds: int = 20, progress: Callable[[float], None] | None = None
) -> Search:
    """Damped least-squares steps on the pulls from the best point of the search, as long as the score falls.

    Near a solution residuals are smooth, and each depends on a few parameters: least squares gains there where CMA-ES
    stagnates. The slopes are measured once and then updated after each step (`fitting.broyden`). When a step no longer
    gains, they are measured again; when a step with new slopes does not gain either, the search ends. Each round tries
    several dampings around the best one of the round before.
    A KeyboardInterrupt carries the best Search so far as its attribute `partial`.
    """
    damping, slopes, fresh = 1.0, None, False
    try:
        for number in range(rounds):
            if slopes is None:
                found, slopes = measured_slopes(evaluate, found)
                fresh = True
            found, slopes, tried = stepped(evaluate, found, slopes, damping)
            if progress:
                progress((number + 1) / rounds)
            if tried is not None:
                damping, fresh = tried, False
            elif fresh:
                break
            else:
                slopes = None
    except KeyboardInterrupt as error:
        error.partial = found  # type: ignore[attr-defined]  # an exception takes any attribute
        raise
    return found


def measured_slopes(evaluate: Evaluator, found: Search) -> tuple[Search, np.ndarray]:
    """Measure d pull/d parameter (targets, parameters) at the best point by one-sided differences.

    Returns the search, moved to a neighbour if that is better, and the slopes.
    """
    points, steps = neighbours(found.x)
    around = evaluate(points)
    slopes = np.column_stack([(o.pulls - found.outcome.pulls) / h for o, h in zip(around, steps, strict=True)])
    done = found.evaluations + len(points)
    least = broyden.best_of([outcome.score for outcome in around], found.outcome.score)
    best = found[:2] if least is None else (points[least], around[least])
    return Search(*best, done), slopes


def stepped(
    evaluate: Evaluator, found: Search, slopes: np.ndarray, damping: float
) -> tuple[Search, np.ndarray, float | None]:
    """One round of steps, one for each damping.

    Returns the search after it, the slopes updated by all steps, and the damping that gained, None if none did.
    """
    x, pulls = found.x, found.outcome.pulls
    tried = [damping * factor for factor in DAMPINGS]
    moves = [broyden.damped_move(slopes, pulls, x, value) for value in tried]
    ahead = evaluate([x + move for move in moves])
    done = found.evaluations + len(ahead)
    for move, outcome in sorted(
        zip(moves, ahead, strict=True), key=lambda pair: -pair[1].score
    ):  # the best counts last
        slopes = broyden.updated(slopes, move, outcome.pulls - pulls)
    least = broyden.best_of([outcome.score for outcome in ahead], found.outcome.score)
    if least is None:
        return found._replace(evaluations=done), slopes, None
    return Search(x + moves[least], ahead[least], done), slopes, tried[least]


def as_case(calibration: Calibration, x: np.ndarray) -> str:
    """Case file with the found values on top of the calibrated case."""
    lines = [f"base = {toml_text.write({'x': Path(calibration.case).name}).partition('=')[2].strip()}"]
    lines += [f"{key} = {value!r}" if isinstance(value, float) else f'{key} = "{value}"' for key, value in
              values_of_point(calibration, x).items()]  # fmt: skip
    return "\n".join(lines) + "\n"


def report(
    calibration: Calibration, found: Search, slopes: np.ndarray | None = None, fine: Evaluation | None = None
) -> str:
    """Table of the targets, and of the parameters, each with the target that depends on it most.

    slopes : (targets, parameters) of `sensitivities`, or None
    fine : evaluation of the same point without coarse numerics; residuals that differ from it by more than COARSE are told
    """
    goals, last = targets(calibration), fine or found.outcome
    moved = last.residuals - found.outcome.residuals
    lines = [f"score {last.score:.3g} after {found.evaluations} evaluations", ""]
    for target, value, residual, change in zip(goals, *last, moved, strict=True):
        said = "" if abs(residual) <= 1 else "  missed"
        said += f"  ({change:+.2f} by numerics)" if abs(change) > COARSE else ""
        lines.append(f"{target.name:44s} {value:12.4g}  residual {residual:+.2f}{said}")
    if (many := int(np.sum(np.abs(moved) > COARSE))) > 0:
        lines.append(
            f"{many} of them moved by more than {COARSE:g} from the coarse numerics of the search to those of the case"
        )
    lines.append("")
    for i, (key, value) in enumerate(values_of_point(calibration, found.x).items()):
        strongest = ""
        if slopes is not None:
            column = np.nan_to_num(slopes[:, i])
            t = int(np.argmax(np.abs(column)))
            strongest = f"  most felt by: {goals[t].name} ({column[t]:+.3g} residuals per range)"
        lines.append(f"{key:44s} {value!s:>14}{strongest}")
    return "\n".join(lines + beyond_literature(calibration, found.x))


def beyond_literature(calibration: Calibration, x: np.ndarray) -> list[str]:
    """Lines that name the values of a point outside of their published ranges."""
    outside = [(p, p.text(value)) for p, value in zip(calibration.parameter, x, strict=True) if p.beyond(value)]
    return [
        f"outside of what is published: {p.key} {found} ({' to '.join(map(str, p.published or ()))})"
        for p, found in outside
    ]
