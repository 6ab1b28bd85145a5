"""The search of fits and calibrations: the global one where it is asked for, then bounded least squares of the residuals.

The Jacobian is measured at the start and at the end of the search. In between it is updated after each step by Broyden's
rank-one formula, Math. Comp. 19, 577 (1965), as long as it predicts the changes well. To measure a Jacobian costs one or
two runs for each parameter; an update costs none. The updated Jacobian reproduces the change over the last step, and is
unchanged in all directions normal to that step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from otjdd.fitting import gradients
from otjdd.fitting.curves import LINEAR, loss
from otjdd.fitting.search import Aimed, AimedTask, Evaluator, SearchSettings, globally

GAIN = 0.01  # of chi-square, below which the search ends; one standard error is a chi-square of 1
TOLERANCE = 1e-4  # relative change of the misfit, or of the place, below which the search ends
SURE = 1e-2  # relative error of a derivative, below which it is not measured again with a better step
# The same limit for a derivative from a place nearby, for errors of a fit, which 130 points determine to 6 % only.
SURE_NEARBY = 3e-2
NEAR = 0.05  # natural steps: largest move that is tried by the slopes alone, without scipy
MOST_JACOBIANS = 30
INSIDE = 1e-3  # natural steps: a search starts at least this far from the bounds


class Solution(NamedTuple):
    """The place at which a search has ended.

    x : (parameter,) coordinates   values : (point,) simulated numbers on their scales   gradient : at x, None if the
        search was interrupted
    noise : of independent runs, nan if no derivative needed it
    evaluations, jacobians : counts   reason : why the search ended
    """

    x: np.ndarray
    values: np.ndarray
    gradient: gradients.Gradient | None
    noise: float
    evaluations: int
    jacobians: int
    reason: str

    def chi_square(self, task: Aimed) -> float:
        """Sum of the squared residuals."""
        return float(np.sum(task.residuals(self.values) ** 2))


def cost(task: Aimed, values: np.ndarray) -> float:
    """Sum of the losses of the residuals, which a search minimises; chi-square for the linear loss. inf where one is nan.

    values : (point,) simulated numbers
    """
    total = float(np.sum(loss(task.loss, task.residuals(values) ** 2).rho))
    return total if np.isfinite(total) else np.inf


class SearchProgress(NamedTuple):
    """Progress of a search.

    evaluations, jacobians : counts   misfit : cost per point   x, values : best place, and its numbers (point,)
    visited : as in `Evaluator`, at this time; it grows
    """

    evaluations: int
    jacobians: int
    misfit: float
    x: np.ndarray
    values: np.ndarray
    visited: Mapping[bytes, np.ndarray] = {}


def least_squares_search(
    evaluate: Evaluator[AimedTask], start: np.ndarray, settings: SearchSettings,
    progress: Callable[[SearchProgress], object] | None = None,
) -> tuple[Solution, list[float]]:  # fmt: skip
    """The best place from a start (parameter,), and the scores of the global search in order.

    A search that goes on from places it has visited takes the same path again, bit for bit: it starts from the first.
    progress : called after the evaluation of each place
    Raises as `minimise`; KeyboardInterrupt with the last SearchProgress, or None, as its `partial`.
    """
    task, visited, count = evaluate.task, evaluate.visited, evaluate.count
    assert visited is not None
    least, best = np.inf, list[np.ndarray]()
    latest: SearchProgress | None = None

    def report(x: np.ndarray, values: np.ndarray, new: bool = True) -> None:
        nonlocal least, best, latest
        if (misfit := cost(task, values)) < least:
            least, best = misfit, [np.array(x), values]
        if best:
            latest = SearchProgress(count[0], count[1], least / len(values), best[0], best[1], visited)
        if progress and latest and new:
            progress(latest)

    for place, values in visited.items():
        report(np.frombuffer(place), values, new=False)
    start, scores = np.frombuffer(next(iter(visited))) if visited else start, list[float]()
    evaluate = evaluate._replace(report=report)
    try:
        if settings.evaluations:
            start, scores = globally(evaluate, start, settings)
        return minimise(evaluate, start, settings.jacobians, settings.final), scores
    except KeyboardInterrupt as error:
        error.partial = latest  # type: ignore[attr-defined]  # an exception takes any attribute
        raise


def minimise(
    evaluate: Evaluator[AimedTask],
    start: np.ndarray,
    most: int = MOST_JACOBIANS,
    final: bool = True,
    noise: float = np.nan,
) -> Solution:
    """Minimise the cost from a place by scipy's trust region with bounds.

    If steps with an updated Jacobian gain nothing, the Jacobian is measured again. If steps with a measured Jacobian gain
    nothing, the search ends.
    start : (parameter,) coordinates
    most : evaluations of scipy until the Jacobian is measured again, and Jacobians until the search ends; 0 for none
    final : measure the gradient at the end again if the last gradient is of another place, or uncertain
    noise : of independent runs, if known
    Raises DataError if the start cannot be run.
    """
    task, memory = evaluate.task, VisitedPlaces(evaluate, noise)
    low, high = task.ends
    margin = np.minimum(INSIDE, (high - low) / 4)
    x0 = np.clip(np.asarray(start, dtype=float), low + margin, high - margin)
    task.check_start(memory.values(x0))
    reason = searched(memory, x0, most) if most else "no least squares"
    assert memory.at is not None  # the start has run
    assert memory.there is not None
    last = memory.trusted(memory.at) if final else memory.last
    return Solution(memory.at, memory.there, last, memory.noise, evaluate.count[0], memory.jacobians, reason)


def searched(memory: VisitedPlaces, x: np.ndarray, most: int) -> str:
    """Search from x until measured slopes gain nothing. Returns the reason of the end in words."""
    from scipy.optimize import least_squares

    task = memory.evaluate.task
    before, count = np.inf, len(memory.values(x))
    while True:
        memory.gradient(x)
        move, gain = outlook(task, memory.values(x), memory.slopes)
        if gain < GAIN:
            return REASONS[2]
        if np.abs(move).max() <= NEAR and memory.jacobians < most:
            ahead = np.clip(x + move, *task.ends)
            if cost(task, memory.values(ahead)) <= cost(task, memory.values(x)):
                x = ahead
                if outlook(task, memory.values(x), memory.slopes).gain < GAIN:
                    if memory.gradient_nearby(x):
                        return REASONS[2]
                    continue
        optimum = least_squares(
            memory.residuals, x, memory.jacobian, bounds=task.ends, method="trf", x_scale="jac",
            ftol=min(TOLERANCE, GAIN / count), xtol=TOLERANCE, gtol=1e-10, max_nfev=most,
            loss="linear" if task.loss == LINEAR else lambda z: np.array(loss(task.loss, z)),
        )  # fmt: skip
        if memory.measured(optimum.x) or before - memory.least < GAIN or memory.jacobians >= most:
            return REASONS.get(optimum.status, str(optimum.message))
        x, before = optimum.x, memory.least


class Outlook(NamedTuple):
    """Prediction of slopes: the move (parameter,) to the least cost, without bounds, and the decrease of the cost."""

    move: np.ndarray
    gain: float


def outlook(task: Aimed, values: np.ndarray, slopes: np.ndarray) -> Outlook:
    """Outlook from a place with numbers (point,) and slopes (point, parameter)."""
    residuals = task.residuals(values)
    weight = np.sqrt(loss(task.loss, residuals**2).slope)
    J = task.jacobian(values, weight[:, None] * slopes)
    size = np.linalg.norm(J, axis=0)
    J = J / np.where(size > 0, size, 1.0)
    move = np.linalg.lstsq(J, -weight * residuals, rcond=None)[0]
    return Outlook(np.where(size > 0, move / np.where(size > 0, size, 1.0), 0.0), float(np.sum((J @ move) ** 2)))


REASONS = {
    0: f"the limit of {MOST_JACOBIANS} steps", 1: "the gradient vanishes", 2: "the residual no longer falls",
    3: "the parameters no longer move", 4: "neither residual nor parameters move",
}  # fmt: skip


class VisitedPlaces:
    """Values and slopes that a search has computed, so that no place is run twice, and the best place so far.

    Attributes: `by_place` has the values by the bytes of the place, `last` the last gradient; `at`, `there` and `least` are
    the best place, its values and its cost.
    """

    def __init__(self, evaluate: Evaluator[Any], noise: float = np.nan) -> None:
        self.evaluate = evaluate
        self.by_place: dict[bytes, np.ndarray] = {}
        self.last: gradients.Gradient | None = None
        self.noise, self.jacobians, self.least = noise, 0, np.inf
        self.at: np.ndarray | None = None
        self.there: np.ndarray | None = None
        self.place: np.ndarray | None = None  # where the slopes hold
        self.slopes = np.empty((0, 0))  # (point, parameter), measured or updated
        self.updates = 0  # number of updates since the slopes were measured

    def values(self, x: np.ndarray) -> np.ndarray:
        """Simulated numbers (point,) at a place."""
        key = np.asarray(x).tobytes()
        if key not in self.by_place:
            self.by_place[key] = self.evaluate([np.array(x)])[0]
            misfit = cost(self.evaluate.task, self.by_place[key])
            if misfit < self.least:
                self.least, self.at, self.there = misfit, np.array(x), self.by_place[key]
        return self.by_place[key]

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """Residuals (point,); all infinite if a run fails, so that the search steps back."""
        scaled = self.evaluate.task.residuals(self.values(x))
        return scaled if np.isfinite(scaled).all() else np.full(len(scaled), np.inf)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Derivatives (point, parameter) of the residuals: updated by the last step if that is accurate, else measured."""
        task = self.evaluate.task
        if self.place is not None and not np.array_equal(self.place, x):
            move, change = x - self.place, self.values(x) - self.values(self.place)
            weighted = task.jacobian(self.values(self.place), np.column_stack((self.slopes, change)))
            if np.linalg.norm(weighted[:, -1] - weighted[:, :-1] @ move) <= AGREES * np.linalg.norm(weighted[:, -1]):
                self.slopes, self.place = updated(self.slopes, move, change), np.array(x)
                self.updates += 1
        if self.place is None or not np.array_equal(self.place, x):
            self.gradient(x)
        return task.jacobian(self.values(x), self.slopes)

    def gradient(self, x: np.ndarray) -> gradients.Gradient:
        """Measure the derivatives (point, parameter) of the simulated numbers at x."""
        nearby = None if self.last is None else self.slopes
        measured = self.last = gradients.gradient(self.evaluate, np.array(x), self.values(x), self.noise, nearby)
        self.slopes, self.place, self.updates = measured.slopes, np.array(x), 0
        self.jacobians, self.noise = self.jacobians + 1, measured.noise
        self.evaluate.count[1] += 1
        return measured

    def measured(self, x: np.ndarray) -> bool:
        """True if the present slopes were measured at x."""
        return self.place is not None and self.updates == 0 and np.array_equal(self.place, x)

    def trusted(self, x: np.ndarray) -> gradients.Gradient:
        """Gradient at x: the last gradient if it is of x or nearby, and accurate; else a new one, with better steps."""
        if self.last is not None and self.measured(x) and (self.jacobians > 1 or (self.last.error < SURE).all()):
            return self.last
        return self.gradient_nearby(x) or self.gradient(x)

    def gradient_nearby(self, x: np.ndarray) -> gradients.Gradient | None:
        """The last gradient with its errors at x; None if one is SURE_NEARBY or more, or the slopes were updated."""
        if self.last is None or self.place is None or self.updates:
            return None
        error = gradients.error_nearby(self.last, x - self.place)
        return self.last._replace(error=error) if (error < SURE_NEARBY).all() else None


AGREES = 0.5  # largest relative error of the change predicted by slopes that are updated instead of measured again


def updated(slopes: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Slopes (number, parameter), updated so that they give the change (number,), where it is known, over a move."""
    size, missed = float(move @ move), change - slopes @ move
    return slopes + np.outer(np.where(np.isfinite(missed), missed, 0.0), move) / size if size else slopes
