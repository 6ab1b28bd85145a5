"""Search for the parameters of a case with which the runs of a task meet their targets.

CMA-ES, the global search of fits, comes first. Damped least-squares steps (`polish`) follow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case
from otjdd.claims.calibrate.task import Calibration, targets, value_of, values_of_point
from otjdd.errors import SolverError
from otjdd.fitting import broyden, global_search
from otjdd.runs.run import simulate
from otjdd.system.pool import team

if TYPE_CHECKING:
    import xarray as xr

SAFE = 0.7  # residual up to which a target counts as met and has little weight
DAMPINGS = (0.3, 3.0, 30.0)  # dampings tried in a round, relative to the best one of the round before
CAP = 4.0  # residuals beyond this count by their logarithm, so that one unreachable target does not hide the others


class Evaluation(NamedTuple):
    """One evaluation: the value (targets,) of every target and its residual (targets,)."""

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


def evaluate(calibration: Calibration, case: Case, x: np.ndarray) -> Evaluation:
    """Values and residuals of all targets at a point x (parameters,) of the unit cube.

    The targets of a run that fails have the residual FAILED.
    """
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
    residuals = [t.residual(f) for t, f in zip(targets(calibration), found, strict=True)]
    return Evaluation(np.array(found), np.array(residuals))


def present(calibration: Calibration, case: Case) -> np.ndarray:
    """Point (parameters,) of the unit cube that the case stands for, moved into the bounds."""
    return np.array([np.clip(p.coordinate(value_of(case, p.key)), 0.0, 1.0) for p in calibration.parameter])


class Search(NamedTuple):
    """Result of a calibration: the best point of the unit cube, its outcome, and the number of evaluations."""

    x: np.ndarray
    outcome: Evaluation
    evaluations: int


def search(
    calibration: Calibration, case: Case, *, evaluations: int = 1000, spread: float = 0.1, seed: int = 1,
    workers: int = 1, progress: Callable[[int, float, dict[str, Any]], None] | None = None,
) -> Search:  # fmt: skip
    """Search by CMA-ES from the values of the case.

    spread : first step, as a fraction of the bounds
    progress : called with (evaluations done, best score, best values by key) after each generation
    A KeyboardInterrupt carries the best Search so far as its attribute `partial`.
    """
    start = present(calibration, case)
    first = evaluate(calibration, case, start)

    def told(done: int, score: float, x: np.ndarray) -> None:
        if progress:
            progress(done, score, values_of_point(calibration, x))

    try:
        with team(workers) as compute:
            return Search(*global_search.search_globally(
                lambda points: [(outcome.score, outcome) for outcome in every(compute, calibration, case, points)],
                start, evaluations=evaluations, spread=spread, seed=seed, known=(first.score, first),
                progress=told,
            ))  # fmt: skip
    except KeyboardInterrupt as error:
        error.partial = Search(*getattr(error, "partial", (start, first, 0)))  # type: ignore[attr-defined]  # an exception takes any attribute
        raise


def neighbours(x: np.ndarray, step: float = 0.012) -> tuple[list[np.ndarray], np.ndarray]:
    """Points one step from x along each axis, inside the cube, and the signed steps (parameters,)."""
    steps = np.where(np.asarray(x) + step <= 1.0, step, -step)
    return [np.array(x) + move for move in np.diag(steps)], steps


def sensitivities(calibration: Calibration, case: Case, found: Search, workers: int = 1) -> np.ndarray:
    """Derivatives (targets, parameters) of the residuals, per range of the bounds, by one-sided differences."""
    points, steps = neighbours(found.x)
    with team(workers) as compute:
        outcomes = every(compute, calibration, case, points)
    return np.column_stack([(o.residuals - found.outcome.residuals) / h for o, h in zip(outcomes, steps, strict=True)])


def every(
    compute: Callable[..., Iterable[tuple[int, Evaluation]]],
    calibration: Calibration,
    case: Case,
    points: Sequence[np.ndarray],
) -> list[Evaluation]:
    """Evaluations at points of the unit cube. compute : what `pool.team` yields"""
    return [outcome for _, outcome in sorted(compute(evaluate, [(calibration, case, x) for x in points]))]


def polish(
    calibration: Calibration, case: Case, found: Search, *, rounds: int = 20, workers: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Search:  # fmt: skip
    """Damped least-squares steps on the pulls from the best point of the search, as long as the score falls.

    Near a solution residuals are smooth, and each depends on a few parameters: least squares gains there where CMA-ES
    stagnates. The slopes are measured once and then updated after each step (`fitting.broyden`). When a step no longer
    gains, they are measured again; when a step with new slopes does not gain either, the search ends. Each round tries
    several dampings around the best one of the round before.
    A KeyboardInterrupt carries the best Search so far as its attribute `partial`.
    """
    damping, slopes, fresh = 1.0, None, False
    try:
        with team(workers) as compute:
            for number in range(rounds):
                if slopes is None:
                    found, slopes = measured_slopes(compute, calibration, case, found)
                    fresh = True
                found, slopes, tried = stepped(compute, calibration, case, found, slopes, damping)
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


def measured_slopes(
    compute: Callable[..., Iterable[tuple[int, Evaluation]]], calibration: Calibration, case: Case, found: Search
) -> tuple[Search, np.ndarray]:
    """Measure d pull/d parameter (targets, parameters) at the best point by one-sided differences.

    Returns the search, moved to a neighbour if that is better, and the slopes.
    """
    points, steps = neighbours(found.x)
    around = every(compute, calibration, case, points)
    slopes = np.column_stack([(o.pulls - found.outcome.pulls) / h for o, h in zip(around, steps, strict=True)])
    done = found.evaluations + len(points)
    least = broyden.best_of([outcome.score for outcome in around], found.outcome.score)
    best = found[:2] if least is None else (points[least], around[least])
    return Search(*best, done), slopes


def stepped(
    compute: Callable[..., Iterable[tuple[int, Evaluation]]], calibration: Calibration, case: Case, found: Search,
    slopes: np.ndarray, damping: float,
) -> tuple[Search, np.ndarray, float | None]:  # fmt: skip
    """One round of steps, one for each damping.

    Returns the search after it, the slopes updated by all steps, and the damping that gained, None if none did.
    """
    x, pulls = found.x, found.outcome.pulls
    tried = [damping * factor for factor in DAMPINGS]
    moves = [broyden.damped_move(slopes, pulls, x, value) for value in tried]
    ahead = every(compute, calibration, case, [x + move for move in moves])
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


def report(calibration: Calibration, found: Search, slopes: np.ndarray | None) -> str:
    """Table of the targets, and of the parameters, each with the target that depends on it most.

    slopes : (targets, parameters) of `sensitivities`, or None
    """
    goals = targets(calibration)
    lines = [f"score {found.outcome.score:.3g} after {found.evaluations} evaluations", ""]
    for target, value, residual in zip(goals, *found.outcome, strict=True):
        lines.append(
            f"{target.name:44s} {value:12.4g}  residual {residual:+.2f}{'' if abs(residual) <= 1 else '  missed'}"
        )
    lines.append("")
    for i, (key, value) in enumerate(values_of_point(calibration, found.x).items()):
        strongest = ""
        if slopes is not None:
            column = np.nan_to_num(slopes[:, i])
            t = int(np.argmax(np.abs(column)))
            strongest = f"  most felt by: {goals[t].name} ({column[t]:+.3g} residuals per range)"
        lines.append(f"{key:44s} {value!s:>14}{strongest}")
    return "\n".join(lines)
