"""From measured data and a case to a fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.case import Case, changed_case
from otjdd.fitting import covariance, global_search, least_squares, result
from otjdd.fitting.evaluate import Evaluator, evaluator
from otjdd.fitting.least_squares import Progress, Solution
from otjdd.fitting.task import Data, Task, data_of, task, vary_of

if TYPE_CHECKING:
    import xarray as xr

REACH = 2.0  # natural steps either way that a global search covers where there are no bounds
FAR = 30.0  # residuals count by their logarithm beyond this in a global search: one hopeless point must not hide the others
SHARE = 0.5  # of the evaluations of a global search that fill the space before CMA-ES begins at the best of them


def fit(
    data: Any,
    case: Case | str | os.PathLike[str],
    vary: Mapping[str, Any] | Sequence[str] = (),
    *,
    changes: Mapping[str, Any] | None = None,
    workers: int = 1,
    evaluations: int = 0,
    seed: int = 1,
    start: Mapping[str, float] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> xr.Dataset:
    """Fit parameters of a case to measured data, by bounded least squares.

    data : a file, a mapping of arrays by name, a DataFrame, a Dataset or a `Data`; or a list of them; None for those of the
        [fit] of the case
    vary : keys of the case, or key -> (low, high) or None for the bounds of the key; that of the [fit] if empty
    changes : of the case, by dotted key   workers : processes   seed : of the global search
    evaluations : of a global search before the local one, over the bounds; 0 for none
    start : values [SI] to start from by name, of another fit say, instead of those of the case
    progress : called with a Progress after each evaluation of the local search
    Returns a Dataset: value, error, correlation by parameter, measured and fitted by point; see `otjdd.figure`.
    Raises DataError, with file, line and column, and CaseError before anything is simulated; SolverError; OSError.
    A KeyboardInterrupt has the best set so far, a Dataset, as its attribute `partial`.
    """
    case = changed_case(case, changes, {})
    listed = list(data) if isinstance(data, list | tuple) and not isinstance(data, Data) else [data]
    sets = data_of(case) if data is None else [one if isinstance(one, Data) else Data(one) for one in listed]
    made = task(case, sets, vary or vary_of(case))
    return solved(made, workers=workers, evaluations=evaluations, seed=seed, start=start, progress=progress)


def solved(
    made: Task, *, workers: int = 1, evaluations: int = 0, seed: int = 1, start: Mapping[str, float] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Solve a task; arguments as of `fit`."""
    begin = np.array([p.coordinate((start or {}).get(p.name, p.start)) for p in made.parameters])
    try:
        with evaluator(made, workers) as evaluate:
            if evaluations:
                begin = everywhere(evaluate, begin, evaluations, seed, progress)
            solution = least_squares.minimise(evaluate, begin, progress)
    except KeyboardInterrupt as error:
        best = getattr(error, "partial", None)
        error.partial = result.dataset(made, best, None) if isinstance(best, Solution) else None
        raise
    return result.dataset(made, solution, covariance.errors(made, solution))


def everywhere(
    evaluate: Evaluator, begin: np.ndarray, evaluations: int, seed: int, progress: Callable[[Progress], None] | None
) -> np.ndarray:
    """The best place that a global search finds: low-discrepancy places over the bounds, then CMA-ES from the best."""
    made = evaluate.task
    low, high = made.ends
    low, high = np.maximum(low, begin - REACH), np.minimum(high, begin + REACH)
    given = np.array([p.ends for p in made.parameters])
    narrow = np.ptp(given, axis=1) < 4 * REACH  # bounds that somebody gave, or that are as near
    low, high = np.where(narrow, given[:, 0], low), np.where(narrow, given[:, 1], high)

    def scores(places):
        values = evaluate([low + np.asarray(place) * (high - low) for place in places])
        return [(score(made, row), row) for row in values]

    def told(done, best, place):
        if progress:
            progress(Progress(evaluate.count[0], 0, best / len(made.sigma), low + place * (high - low)))

    best = (begin - low) / (high - low)
    known = scores([best])[0]
    filling = global_search.low_discrepancy(int(evaluations * SHARE), len(begin), seed)
    try:
        for number in range(0, len(filling), global_search.POPULATION):
            places = filling[number : number + global_search.POPULATION]
            for place, found in zip(places, scores(places), strict=True):
                best, known = (place, found) if found[0] < known[0] else (best, known)
            told(number + len(places), known[0], best)
        best, *_ = global_search.search(
            scores, np.clip(best, 0.0, 1.0), evaluations=evaluations - len(filling), seed=seed, known=known, progress=told,
        )  # fmt: skip
    except KeyboardInterrupt as error:
        best, values, _ = getattr(error, "partial", None) or (best, known[1], 0)
        place = low + best * (high - low)
        error.partial = Solution(place, values, None, np.nan, evaluate.count[0], 0, "interrupted")
        raise
    return low + best * (high - low)


def score(made: Task, values: np.ndarray) -> float:
    """Sum of the squares of the residuals, damped beyond FAR; points without a number count like very far ones."""
    size = np.nan_to_num(np.abs(values - made.aims) / made.sigma, nan=1e6, posinf=1e6)
    return float(np.sum(np.where(size < FAR, size, FAR * (1 + np.log(np.maximum(size, FAR) / FAR))) ** 2))
