"""The search of fits and calibrations: the global one where it is asked for, then bounded least squares of the residuals.

The Jacobian is measured at the start and at the end of the search. In between it is updated after each step by Broyden's
rank-one formula, Math. Comp. 19, 577 (1965), as long as it predicts the changes well. To measure a Jacobian costs one or
two runs for each parameter; an update costs none. The updated Jacobian reproduces the change over the last step, and is
unchanged in all directions normal to that step.

Derivatives of simulated numbers by the parameters are differences of runs.
Runs near a place of the search take the time steps of the run there (`solver.start`). Their numbers are smooth, so one
small step for each parameter is enough: halving the step changes the derivative by 1e-4 or less. The tolerance of the time
steps, at an rtol of 1e-3, adds 3e-5 to 3e-3 to the error of a derivative (rms, against extrapolated independent runs of a
finer rtol; `tests/solver/test_trail.py`). This part falls with rtol: for the derivative by the mass from 4e-4 to 1.2e-4 at
1e-4 and 4e-5 at 1e-5. Central differences and Richardson's extrapolation do not reduce it. For the derivative by the share
of a kind of columns it is 8e-2 on a coarse grid, all from the first read of a film that was never written, whose current
depends on the tolerance by 4e-3; the derivatives of the other reads err by 6e-5.

The numbers of two such runs still differ by a jump where one run evaluates a current anew in a step in which the other run
follows its tangent. In short loops on coarse grids the jump is up to 4e-4, more than the difference itself. The counts of
currents of the two runs then differ, and one more run moves all parameters at once, by half of each step. If one of its
numbers does not change by half of the sum of its changes, every parameter gets a second difference, over half of its step.
A parameter whose two differences disagree in a number gets a difference of independent runs.

Some runs cannot take the steps of another: with leaps of the film's electrons, or with a polarisation that turns within a
step. Their derivatives are differences of independent runs, with steps chosen by the solver's noise.
A solver with error control answers a smooth change of a parameter with small jumps. Their size s is measured first, from
third differences of nearly equal runs (Moré and Wild, SIAM J. Sci. Comput. 33, 1292 (2011)). A central difference that
changes the numbers by r has a relative error of about s/r from the noise and r^2/6 from the curvature. The two are equal
at r = (6 s)^(1/3), so the step of each parameter is the one that changes the numbers by r.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.problem import Problem
from otjdd.errors import CaseError
from otjdd.fitting.curves import LINEAR, loss
from otjdd.fitting.search import Aimed, AimedTask, AnyTask, Evaluator, SearchSettings, global_search
from otjdd.system.late import scipy

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
    gradient: Gradient | None
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
            start, scores = global_search(evaluate, start, settings)
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
    reason = local_search(memory, x0, most) if most else "no least squares"
    assert memory.at is not None  # the start has run
    assert memory.there is not None
    last = memory.trusted(memory.at) if final else memory.last
    return Solution(memory.at, memory.there, last, memory.noise, evaluate.count[0], memory.jacobians, reason)


def local_search(memory: VisitedPlaces, x: np.ndarray, most: int) -> str:
    """Search from x until measured slopes gain nothing. Returns the reason of the end in words."""
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
        optimum = scipy.optimize.least_squares(
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
        self.last: Gradient | None = None
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
                self.slopes, self.place = broyden_updated(self.slopes, move, change), np.array(x)
                self.updates += 1
        if self.place is None or not np.array_equal(self.place, x):
            self.gradient(x)
        return task.jacobian(self.values(x), self.slopes)

    def gradient(self, x: np.ndarray) -> Gradient:
        """Measure the derivatives (point, parameter) of the simulated numbers at x."""
        nearby = None if self.last is None else self.slopes
        measured = self.last = gradient(self.evaluate, np.array(x), self.values(x), self.noise, nearby)
        self.slopes, self.place, self.updates = measured.slopes, np.array(x), 0
        self.jacobians, self.noise = self.jacobians + 1, measured.noise
        self.evaluate.count[1] += 1
        return measured

    def measured(self, x: np.ndarray) -> bool:
        """True if the present slopes were measured at x."""
        return self.place is not None and self.updates == 0 and np.array_equal(self.place, x)

    def trusted(self, x: np.ndarray) -> Gradient:
        """Gradient at x: the last gradient if it is of x or nearby, and accurate; else a new one, with better steps."""
        if self.last is not None and self.measured(x) and (self.jacobians > 1 or (self.last.error < SURE).all()):
            return self.last
        return self.gradient_nearby(x) or self.gradient(x)

    def gradient_nearby(self, x: np.ndarray) -> Gradient | None:
        """The last gradient with its errors at x; None if one is SURE_NEARBY or more, or the slopes were updated."""
        if self.last is None or self.place is None or self.updates:
            return None
        error = error_nearby(self.last, x - self.place)
        return self.last._replace(error=error) if (error < SURE_NEARBY).all() else None


AGREES = 0.5  # largest relative error of the change predicted by slopes that are updated instead of measured again


def broyden_updated(slopes: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Slopes (number, parameter), updated so that they give the change (number,), where it is known, over a move."""
    size, missed = float(move @ move), change - slopes @ move
    return slopes + np.outer(np.where(np.isfinite(missed), missed, 0.0), move) / size if size else slopes


FIRST = 1e-3  # natural steps: step of a parameter whose slope is not known yet
SMALLEST, LARGEST = 1e-6, 0.1  # natural steps: limits of a step
TINY = 1e-4  # natural steps between the runs that show the noise, whose third difference has no smooth part
LEAST = 1e-9  # lowest noise, of round-off
UNSURE = 0.1  # relative error of a derivative from which it is reported
JUMP = 1e-2  # share of the derivative of a number by which two differences along the same time steps may disagree
SECANT = 0.012  # share of the bounds over which a number is compared that takes few values, such as a count
BEND = 2.0  # relative error by curvature over the change of the numbers, from loops that set and reset


def change_along(noise: float) -> float:
    """Change of the numbers over the best step of a parameter along the time steps of another run.

    Without a slope it also is the step, in natural steps. A derivative has a relative error of noise over the change, plus
    BEND times the change; the sum is least at this change.
    noise : of the numbers along the time steps, from the tolerances of fields and currents
    """
    return float(np.sqrt(noise / BEND))


class Gradient(NamedTuple):
    """Derivatives of the numbers on their scales.

    slopes : (point, parameter)   error : (parameter,), relative
    independent : (parameter,), True where independent runs are compared: a run could not take the time steps at x, or
        jumped
    noise : of independent runs, nan if not measured
    """

    slopes: np.ndarray
    error: np.ndarray
    independent: np.ndarray
    noise: float = np.nan


def solver_noise(evaluate: Evaluator[AimedTask], x: np.ndarray) -> float:
    """Root mean square of the solver's noise in independent runs, at a place x (parameter,) of the search."""
    _, high = evaluate.task.ends
    inward = np.where(x + 3 * TINY <= high, 1.0, -1.0)
    values = evaluate([x + k * TINY * inward for k in range(4)])
    bends = np.diff(values, 3, axis=0)[0] / np.sqrt(20.0)
    return float(max(np.sqrt(np.nanmean(bends**2)), LEAST)) if np.isfinite(bends).any() else LEAST


def gradient(
    evaluate: Evaluator[AimedTask], x: np.ndarray, values_at_x: np.ndarray, noise: float, nearby: np.ndarray | None
) -> Gradient:
    """Derivatives at a place of the search, from one run for each parameter along its time steps or from independent runs.

    values_at_x : (point,) simulated numbers at x; the slopes of those that are nan are 0
    noise : of independent runs, nan where it is not known yet   nearby : slopes (point, parameter) nearby, or None
    Raises CaseError, which names the key, where runs on both sides of x fail.
    """
    finite = np.isfinite(values_at_x)
    if not finite.all():
        near = None if nearby is None else nearby[finite]
        of_finite = gradient(evaluate._replace(chosen=finite), x, values_at_x[finite], noise, near)
        slopes = np.zeros((len(finite), len(x)))
        slopes[finite] = of_finite.slopes
        return of_finite._replace(slopes=slopes)
    if not evaluate.task.follows:
        return independent_gradient(evaluate, x, values_at_x, noise, nearby, np.arange(len(x)))
    along = gradient_along(evaluate, x, values_at_x, nearby)._replace(noise=noise)
    missing = np.isnan(along.error)
    if missing.any():
        rest = independent_gradient(evaluate, x, values_at_x, noise, nearby, np.flatnonzero(missing))
        slopes, error = np.where(missing, rest.slopes, along.slopes), np.where(missing, rest.error, along.error)
        along = Gradient(slopes, error, missing, rest.noise)
    flat = ~along.slopes.any(axis=1)
    if evaluate.task.rough and flat.any():
        along.slopes[flat] = secants(evaluate, x, values_at_x)[flat]
    return along


def secants(evaluate: Evaluator[AimedTask], x: np.ndarray, values_at_x: np.ndarray) -> np.ndarray:
    """Differences (point, parameter) of independent runs over SECANT of the bounds, for numbers that take few values."""
    low, high = evaluate.task.ends
    h = SECANT * (high - low)
    h = np.where(x + h <= high, h, -h)
    changes = evaluate([x + row for row in np.diag(h)]) - values_at_x
    return np.asarray(np.nan_to_num(changes / h[:, None]).T)


def gradient_along(
    evaluate: Evaluator[AnyTask], x: np.ndarray, values_at_x: np.ndarray, nearby: np.ndarray | None
) -> Gradient:
    """Derivatives along the time steps at x. The error of a parameter is nan if its run cannot take them, or jumps.

    Arguments as of `gradient`. Jumps are checked if a run evaluated more or fewer currents in a step than the run at x.
    """
    noise = evaluate.task.noise_along
    change = change_along(noise)
    response = np.ones(len(x)) if nearby is None else np.sqrt(np.nanmean(nearby**2, axis=0))
    h = np.clip(change / np.maximum(response, change / LARGEST), change * SMALLEST, LARGEST)
    h = np.where(x + h <= evaluate.task.ends[1], h, -h)
    places = [x + row for row in np.diag(h)]
    values = evaluate(places, near=x)
    slopes = ((values - values_at_x) / h[:, None]).T
    size = np.sqrt(np.mean(slopes**2, axis=0)) * np.abs(h)
    with np.errstate(divide="ignore"):
        error = noise / size + BEND * size
    if not evaluate.all_alike(places, x):
        error[jumps(evaluate, x, values_at_x, slopes, h)] = np.nan
    return Gradient(slopes, error, np.zeros(len(x), bool))


def jumps(
    evaluate: Evaluator[AnyTask], x: np.ndarray, values_at_x: np.ndarray, slopes: np.ndarray, h: np.ndarray
) -> np.ndarray:
    """True for each parameter (parameter,) of which a number jumps between x and x + h, along the time steps at x.

    Each number is compared with its own change: a jump of one read is small compared to the changes of steeper numbers.
    slopes : (point, parameter), differences over the steps h (parameter,); those with nan are passed over
    """
    jumped, noise = np.zeros(len(x), bool), evaluate.task.noise_along
    changes = np.where(np.isfinite(slopes).all(axis=0), slopes * h, 0.0)
    moving = np.flatnonzero(changes.any(axis=0))
    if not moving.size:
        return jumped
    size, half = np.abs(changes[:, moving]), np.where(changes.any(axis=0), 0.5 * h, 0.0)
    together = evaluate([x + half], near=x)[0] - values_at_x
    allowed = JUMP * size.min(axis=1) + BEND * size.sum(axis=1) ** 2 + 10 * noise
    if (np.abs(together - 0.5 * changes.sum(axis=1)) <= allowed).all():
        return jumped
    halves = (evaluate([x + half[i] * np.eye(len(x))[i] for i in moving], near=x) - values_at_x).T
    allowed = 0.5 * JUMP * size + BEND * size**2 + 10 * noise
    jumped[moving] = ~(np.abs(halves - 0.5 * changes[:, moving]) <= allowed).all(axis=0)
    return jumped


def error_nearby(gradient: Gradient, move: np.ndarray) -> np.ndarray:
    """Relative errors (parameter,) of the derivatives of a gradient at a place that is a move (parameter,) away.

    The error of a difference by curvature is half of the change of the slope over its step.
    """
    return np.asarray(gradient.error + 2.0 * BEND * np.sqrt(np.mean((gradient.slopes @ move) ** 2)))


def independent_gradient(
    evaluate: Evaluator[AimedTask], x: np.ndarray, values_at_x: np.ndarray, scatter: float, nearby: np.ndarray | None,
    which: np.ndarray,
) -> Gradient:  # fmt: skip
    """Derivatives by the parameters with indices `which`, 0 for others, as central differences of independent runs.

    scatter : noise of the runs, nan where it is not known yet   other arguments as of `gradient`. Raises CaseError
    A parameter at a bound, or with a run that fails on one side, has a one-sided difference. For a rough task
    a number that fails on a side has the slope 0 instead.
    """
    scatter = solver_noise(evaluate, x) if np.isnan(scatter) else scatter
    h = np.full(len(x), FIRST)
    if nearby is not None:
        felt, aimed = np.sqrt(np.nanmean(nearby**2, axis=0)), (6 * scatter) ** (1 / 3)
        h = np.clip(aimed / np.maximum(felt, aimed / LARGEST), SMALLEST, LARGEST)
    low, high = evaluate.task.ends
    ahead, behind = np.minimum(x + h, high) - x, x - np.maximum(x - h, low)
    ahead, behind = np.where(ahead < h / 2, 0.0, ahead), np.where(behind < h / 2, 0.0, behind)
    moves = [(i, side * way[i]) for i in which for side, way in ((1, ahead), (-1, behind)) if way[i]]
    values = evaluate([x + move * np.eye(len(x))[i] for i, move in moves])
    slopes, error = np.zeros((len(values_at_x), len(x))), np.zeros(len(x))
    usable = np.isfinite(values).all(axis=1) | evaluate.task.rough
    for i in which:
        sides = [(move, values[k]) for k, (owner, move) in enumerate(moves) if owner == i and usable[k]]
        if not sides:
            parameter = evaluate.task.parameters[i]
            expected = f"a run next to {parameter.text(parameter.value(x[i]))}"
            raise CaseError([Problem("vary", 0, 0, parameter.name, expected, "runs that fail on both sides")])
        if len(sides) == 1:
            sides.append((0.0, values_at_x))
        (a, above), (b, below) = sides
        slopes[:, i] = np.nan_to_num((above - below) / (a - b))
        size = np.sqrt(np.mean(slopes[:, i] ** 2))
        response = abs(a - b) / 2 * size
        error[i] = np.hypot(scatter / (np.sqrt(2) * response), response**2 / 6) if size else np.inf
    return Gradient(slopes, error, np.zeros(len(x), bool), scatter)
