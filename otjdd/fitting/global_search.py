"""The global search: CMA-ES (Hansen, arXiv:1604.00772) in the unit cube, from a place or from the best of many.

It needs no derivatives, and learns the correlations between parameters. Fits of measured files and calibrations use it.

An interrupted search of a fit is resumed from its scores: the resumed search visits the same places, which follow from the
seed, and takes their scores instead of simulating. The result equals that of a search without interruption.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from otjdd.fitting.evaluate import Evaluator
from otjdd.fitting.least_squares import SearchProgress, Solution
from otjdd.fitting.task import Task

POPULATION = 16


def low_discrepancy(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Scrambled Sobol points (count, dimensions), which fill the unit cube evenly."""
    from scipy.stats import qmc

    power = math.ceil(math.log2(max(count, 1)))
    return qmc.Sobol(dimensions, rng=np.random.default_rng(seed)).random_base2(power)[:count]


def search_globally(
    evaluate: Callable[[Sequence[np.ndarray]], list[tuple[float, Any]]], start: np.ndarray, *, evaluations: int,
    spread: float = 0.1, seed: int = 1, at_start: tuple[float, Any] | None = None,
    progress: Callable[[int, float, np.ndarray], None] | None = None,
) -> tuple[np.ndarray, Any, int]:  # fmt: skip
    """Find the place of the unit cube with the lowest score.

    evaluate : places -> (score, outcome) of each; an outcome is any object   at_start : those of the start, if known
    spread : first step   progress : called with evaluations done, best score and best place after each generation
    Returns the best place, its outcome, and the number of evaluations. A KeyboardInterrupt that ends the search has
    these as its attribute `partial`.
    """
    import cma

    start = np.asarray(start, dtype=float)
    score, of_best = at_start or evaluate([start])[0]
    best, done = start, 0
    options: dict[str, Any] = {
        "bounds": [0.0, 1.0], "maxfevals": evaluations, "seed": seed, "verbose": -9, "tolfun": 1e-3,
        "popsize": POPULATION, "signals_filename": "",  # "": do not read options from a file in the working folder
    }  # fmt: skip
    if len(start) == 1:
        options["maxstd_boundrange"] = math.inf  # cma cannot limit the step of a single parameter, and raises an error
    strategy = cma.CMAEvolutionStrategy(start, spread, options)
    try:
        while done < evaluations and not strategy.stop():
            places = strategy.ask()
            outcomes = evaluate(places)
            strategy.tell(places, [value for value, _ in outcomes])
            done += len(places)
            for place, (value, outcome) in zip(places, outcomes, strict=True):
                if value < score:
                    best, score, of_best = np.array(place), value, outcome
            if progress:
                progress(done, score, best)
    except KeyboardInterrupt as error:
        error.partial = best, of_best, done  # type: ignore[attr-defined]  # an exception takes any attribute
        raise
    return best, of_best, done


REACH = 2.0  # natural steps to either side that a global search covers where there are no bounds
FAR = 30.0  # residuals beyond this count by their logarithm, so that one unreachable point does not hide the others
SHARE = 0.5  # of the evaluations, at low-discrepancy places; CMA-ES begins at the best of them


class Scores:
    """Scores of places in the order in which they are asked for, and the best place.

    low, high : (parameter,) coordinates of the unit cube   earlier : scores of the first places, which are not simulated
    Attributes: `scores` are all scores, `new` is the number of simulated places, `best` (parameter,) the best place and
    `least` its score.
    """

    def __init__(
        self, evaluate: Evaluator[Task], low: np.ndarray, high: np.ndarray, earlier: Sequence[float] = ()
    ) -> None:
        self.evaluate, self.low, self.high = evaluate, low, high
        self.scores, self.asked, self.new = [float(score) for score in earlier], 0, 0
        self.least, self.best = np.inf, low
        self.values: np.ndarray | None = None

    def __call__(self, places: Sequence[np.ndarray]) -> list[float]:
        """Scores of places in the unit cube."""
        first, self.asked = self.asked, self.asked + len(places)
        fresh = [self.place(cube) for cube in places[max(0, len(self.scores) - first) :]]
        rows = list(self.evaluate(fresh)) if fresh else []
        self.scores += [score(self.evaluate.task, row) for row in rows]
        self.new += len(rows)
        scores = self.scores[first : self.asked]
        for cube, value, row in zip(places, scores, [None] * (len(places) - len(rows)) + rows, strict=True):
            if value < self.least:
                self.least, self.best, self.values = value, self.place(cube), row
        return scores

    def place(self, cube: np.ndarray) -> np.ndarray:
        """Coordinates (parameter,) of a place in the unit cube."""
        return np.asarray(self.low + np.asarray(cube) * (self.high - self.low))

    def best_values(self) -> np.ndarray:
        """Simulated numbers (point,) at the best place."""
        if self.values is None:
            self.values = self.evaluate([self.best])[0]
        return self.values


def everywhere(
    evaluate: Evaluator[Task], begin: np.ndarray, evaluations: int, seed: int,
    progress: Callable[[SearchProgress], None] | None = None, earlier: Sequence[float] = (),
) -> Scores:  # fmt: skip
    """Search over the bounds: low-discrepancy places, then CMA-ES from the best of them.

    begin : (parameter,) coordinates to start from   earlier : scores of an earlier search with the same `fingerprint`
    A KeyboardInterrupt has the best Solution as its attribute `partial`, None if the best place was not simulated.
    """
    low, high = search_ends(evaluate.task, begin)
    scores = Scores(evaluate, low, high, earlier)

    def report() -> None:
        if progress and scores.asked >= len(scores.scores):
            misfit = scores.least / len(evaluate.task.sigma)
            progress(
                SearchProgress(evaluate.count[0], 0, misfit, scores.best, scores.best_values(), tuple(scores.scores))
            )

    def pairs(places: Sequence[np.ndarray]) -> list[tuple[float, None]]:
        return [(value, None) for value in scores(places)]

    try:
        scores([(begin - low) / (high - low)])
        filling = low_discrepancy(int(evaluations * SHARE), len(begin), seed)
        for number in range(0, len(filling), POPULATION):
            scores(list(filling[number : number + POPULATION]))
            report()
        start = np.clip((scores.best - low) / (high - low), 0.0, 1.0)
        search_globally(
            pairs, start, evaluations=evaluations - len(filling), seed=seed, at_start=(scores.least, None),
            progress=lambda *_: report(),
        )  # fmt: skip
    except KeyboardInterrupt as error:
        counts, all_scores = (evaluate.count[0], 0), tuple(scores.scores)
        error.partial = (  # type: ignore[attr-defined]  # an exception takes any attribute
            None
            if scores.values is None
            else Solution(scores.best, scores.values, None, np.nan, *counts, "interrupted", all_scores)
        )
        raise
    return scores


def search_ends(task: Task, begin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends (parameter,) of the search: bounds less than 4 REACH apart, else REACH around `begin` within the bounds."""
    given = np.array([p.ends for p in task.parameters])
    narrow = np.ptp(given, axis=1) < 4 * REACH
    low, high = np.maximum(given[:, 0], begin - REACH), np.minimum(given[:, 1], begin + REACH)
    return np.where(narrow, given[:, 0], low), np.where(narrow, given[:, 1], high)


def score(task: Task, values: np.ndarray) -> float:
    """Sum of the squares of the residuals, damped beyond FAR. values : (point,); nan counts as very far from the data"""
    size = np.nan_to_num(np.abs(values - task.aims) / task.sigma, nan=1e6, posinf=1e6)
    return float(np.sum(np.where(size < FAR, size, FAR * (1 + np.log(np.maximum(size, FAR) / FAR))) ** 2))


def fingerprint(task: Task, evaluations: int, seed: int) -> str:
    """sha256 of all that the places and scores of a global search depend on."""
    runs = [run.case.digest for run in task.runs]
    inputs = repr((runs, task.parameters, task.loss, evaluations, seed)).encode()
    return hashlib.sha256(inputs + task.aims.tobytes() + task.sigma.tobytes()).hexdigest()
