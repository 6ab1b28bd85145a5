"""Fit parameters of a case to measured data; the files of a fit.

While a search goes on, its best set is kept in a hidden checkpoint next to the result. The three files of an earlier fit of
the same name, Dataset, fitted case and picture, are replaced at the end, together.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.case.case import Case, changed_case
from otjdd.errors import ResultError
from otjdd.fitting import covariance, least_squares, result
from otjdd.fitting.least_squares import SearchProgress, Solution
from otjdd.fitting.result import read_fit
from otjdd.fitting.search import SearchSettings, evaluator, now_and_then, visits, visits_of
from otjdd.fitting.task import Data, Task, data_of, task, vary_of
from otjdd.results import store
from otjdd.solver.checkpoint import AFRESH, checkpoint_path
from otjdd.system import sources
from otjdd.system.late import xr
from otjdd.system.limits import shielded

# most numbers of an unfinished search that are stored; beyond, it is resumed from its best set
MOST_VISITED = 5_000_000


def fit(
    data: Any,
    case: Case | str | os.PathLike[str],
    vary: Mapping[str, Any] | Sequence[str] = (),
    *,
    changes: Mapping[str, Any] | None = None,
    noise: str | float | None = None,
    loss: str = "",
    workers: int = 1,
    evaluations: int = 0,
    seed: int = 1,
    start: Mapping[str, float] | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> xr.Dataset:
    """Fit parameters of a case to measured data, by bounded least squares.

    data : a file, a mapping of arrays by name, a DataFrame, a Dataset or a `Data`; or a list of them. None for the data
        of the [fit] of the case
    vary : keys of the case; or key -> (low, high), None for the limits of the key. Empty: from the [fit]
    changes : of the case, by dotted key   workers : processes   seed : of the global search
    noise : of the instrument, "1 pA" or SI, which adds to the relative uncertainty. None: estimated from the data
    loss : "linear", or robust against outliers: "soft-l1", "huber", "cauchy", "arctan". Empty: from the [fit]
    evaluations : of a global search over the bounds before the local one; 0 for none
    start : name -> value [SI] to start from, instead of the values of the case
    progress : called with a SearchProgress after the evaluation of each place
    Returns a Dataset: value, error and correlation by parameter, measured and fitted by point; see `otjdd.figure`.
    Raises DataError, with file, line and column, and CaseError before anything is simulated; SolverError; OSError.
    A KeyboardInterrupt has the Dataset of the best set so far as its attribute `partial`.
    """
    case = changed_case(case, changes, {})
    listed = list(data) if isinstance(data, list | tuple) and not isinstance(data, Data) else [data]
    sets = [measured if isinstance(measured, Data) else Data(measured) for measured in listed]
    sets = data_of(case) if data is None else sets
    fit_task = task(case, sets, vary or vary_of(case), loss, noise)
    return solved(fit_task, workers=workers, evaluations=evaluations, seed=seed, start=start, progress=progress)


FILLING = 0.5  # of the evaluations of a global search, at places that fill the bounds evenly


def solved(
    fit_task: Task, *, workers: int = 1, evaluations: int = 0, seed: int = 1, start: Mapping[str, float] | None = None,
    progress: Callable[[SearchProgress], object] | None = None, visited: Mapping[bytes, np.ndarray] | None = None,
    searched: bool = False,
) -> xr.Dataset:  # fmt: skip
    """Dataset of the fit of a task. Arguments as of `fit`.

    visited : of an interrupted search, to resume it, see `search.visits_of`; it takes the same path, bit for bit
    searched : True if `start` is from a global search that has ended, which is not repeated
    """
    begin = np.array([p.coordinate((start or {}).get(p.name, p.start)) for p in fit_task.parameters])
    settings = SearchSettings(0 if searched else evaluations, FILLING, seed=seed)
    try:
        with evaluator(fit_task, workers, dict(visited or {})) as evaluate:
            solution, scores = least_squares.least_squares_search(evaluate, begin, settings, progress)
    except KeyboardInterrupt as error:
        if latest := getattr(error, "partial", None):
            error.partial = so_far(fit_task, latest, evaluations, seed, "interrupted")  # type: ignore[attr-defined]
        raise
    ds = result.fit_dataset(fit_task, solution, covariance.standard_errors(fit_task, solution), scores)
    return ds.assign_attrs(search=fingerprint(fit_task, evaluations, seed))


def fingerprint(fit_task: Task, evaluations: int, seed: int) -> str:
    """sha256 of all that the places of a search and the numbers there depend on, the sources of otjdd among them."""
    runs = [run.case.digest for run in fit_task.runs]
    inputs = repr((sources.digest(), runs, fit_task.parameters, fit_task.loss, evaluations, seed)).encode()
    return hashlib.sha256(inputs + fit_task.aims.tobytes() + fit_task.sigma.tobytes()).hexdigest()


def so_far(fit_task: Task, at: SearchProgress, evaluations: int, seed: int, reason: str = "not ended") -> xr.Dataset:
    """Dataset of the best set of a search that is not finished, without errors. evaluations, seed : as of `fit`"""
    solution = Solution(at.x, at.values, None, np.nan, at.evaluations, at.jacobians, reason)
    ds = result.fit_dataset(fit_task, solution, None).assign_attrs(search=fingerprint(fit_task, evaluations, seed))
    few = 0 < len(at.visited) * ds.sizes["point"] <= MOST_VISITED
    return ds.assign(visits(at.visited, "point")) if few else ds


def files_beside(out: Path) -> tuple[Path, Path]:
    """Paths of the fitted case and of the picture of a fit."""
    return out.with_suffix(".toml"), out.with_suffix(".png")


def searched_fit(task: Task, out: Path, progress: Callable[[SearchProgress], object], **options: Any) -> xr.Dataset:
    """Dataset of a fit. During the search the best set so far is written to the checkpoint of `out`.

    options : of `otjdd.fitting.fit.solved`
    Raises SolverError, DataError, ResultError; KeyboardInterrupt with the best set as its `partial`.
    """

    def write(at: SearchProgress) -> None:
        store.write(so_far(task, at, options["evaluations"], options["seed"]), checkpoint_path(out))

    return solved(task, progress=now_and_then(write, progress), **options)


def resumed(path: Path, task: Task, evaluations: int, seed: int) -> dict[str, Any]:
    """Arguments of `searched_fit` that continue the fit in a file: its best set, and the places already visited.

    Raises ResultError when the file holds another fit.
    """
    ds = read_fit(path)
    names = [parameter.name for parameter in task.parameters]
    if "fit" not in ds.attrs or sorted(map(str, ds["parameter"].values)) != sorted(names):
        raise ResultError(path, f"is no fit of {', '.join(names)}", AFRESH)
    same = ds.attrs.get("search") == fingerprint(task, evaluations, seed)
    best = {str(name): float(value) for name, value in zip(ds["parameter"].values, ds["value"].values, strict=True)}
    return {"start": best, "visited": visits_of(ds) if same else {}, "searched": same and "covariance" in ds}


def write_fit(ds: xr.Dataset, out: Path, case: Path, below: Case, picture: bytes) -> None:
    """Write a fit, the fitted case and a picture; the checkpoint of the search is removed. Raises ResultError.

    case : file of the fitted case   below : the case there, from which the fitted one states only differences
    """
    beside, drawn = files_beside(out)
    text = result.case_text(ds, result.base_of(case, out), below)
    with shielded():
        store.write_with(ds, out, {beside: text.encode(), drawn: picture})
        checkpoint_path(out).unlink(missing_ok=True)


def write_unfinished(ds: xr.Dataset, out: Path) -> None:
    """Write the best set of a fit that was interrupted. Raises ResultError."""
    with shielded():
        store.write_with(ds, out, {})
        checkpoint_path(out).unlink(missing_ok=True)
