"""Fit parameters of a case to measured data; the files of a fit.

While a search goes on, its best set is kept in a hidden checkpoint beside the result. The three files of an earlier fit of
the same name, Dataset, fitted case and picture, are replaced at the end, together.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from otjdd.case.case import Case, changed_case
from otjdd.errors import ResultError
from otjdd.fitting import covariance, least_squares, result
from otjdd.fitting.evaluate import evaluator
from otjdd.fitting.global_search import everywhere, fingerprint
from otjdd.fitting.least_squares import SearchProgress, Solution
from otjdd.fitting.result import read_fit, visited_of
from otjdd.fitting.task import Data, Task, data_of, task, vary_of
from otjdd.results import store
from otjdd.solver.checkpoint import AFRESH, checkpoint_path
from otjdd.system.limits import shielded

if TYPE_CHECKING:
    import xarray as xr


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
    vary : keys of the case; or key -> (low, high), None for the limits of the key. Empty: those of the [fit]
    changes : of the case, by dotted key   workers : processes   seed : of the global search
    noise : of the instrument, "1 pA" or SI, which adds to the relative uncertainty. None: estimated from the data
    loss : "linear", or robust against outliers: "soft-l1", "huber", "cauchy", "arctan". Empty: that of the [fit]
    evaluations : of a global search over the bounds before the local one; 0 for none
    start : name -> value [SI] to start from, instead of the values of the case
    progress : called with a SearchProgress after each evaluation of the local search
    Returns a Dataset: value, error and correlation by parameter, measured and fitted by point; see `otjdd.figure`.
    Raises DataError, with file, line and column, and CaseError before anything is simulated; SolverError; OSError.
    A KeyboardInterrupt has the Dataset of the best set so far as its attribute `partial`.
    """
    case = changed_case(case, changes, {})
    listed = list(data) if isinstance(data, list | tuple) and not isinstance(data, Data) else [data]
    sets = (
        data_of(case)
        if data is None
        else [measured if isinstance(measured, Data) else Data(measured) for measured in listed]
    )
    fit_task = task(case, sets, vary or vary_of(case), loss, noise)
    return solved(fit_task, workers=workers, evaluations=evaluations, seed=seed, start=start, progress=progress)


def solved(
    fit_task: Task, *, workers: int = 1, evaluations: int = 0, seed: int = 1, start: Mapping[str, float] | None = None,
    progress: Callable[[SearchProgress], None] | None = None, scores: Sequence[float] = (),
    visited: Mapping[bytes, np.ndarray] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Dataset of the fit of a task. Arguments as of `fit`.

    scores : of an interrupted global search, to resume it   visited : of an interrupted local search, to resume it, see
        `result.visited_of`. A resumed search takes the same path, bit for bit
    """
    first = np.array([p.coordinate(p.start) for p in fit_task.parameters])
    begin = np.array([p.coordinate((start or {}).get(p.name, p.start)) for p in fit_task.parameters])
    earlier, mark, memory = tuple(scores), fingerprint(fit_task, evaluations, seed), dict(visited or {})

    def report(at: SearchProgress) -> None:
        if progress:
            progress(at._replace(scores=at.scores or earlier, visited=memory))

    try:
        with evaluator(fit_task, workers) as evaluate:
            if evaluations:
                global_scores = everywhere(evaluate, first if earlier else begin, evaluations, seed, report, earlier)
                earlier = tuple(global_scores.scores)
                begin = begin if start and not global_scores.new else global_scores.best
            begin = np.frombuffer(next(iter(memory))) if memory else begin
            solution = least_squares.minimise(evaluate._replace(visited=memory), begin, report)
    except KeyboardInterrupt as error:
        best = getattr(error, "partial", None)
        if isinstance(best, Solution):
            best = best._replace(scores=best.scores or earlier)
            ds = result.with_visited(result.fit_dataset(fit_task, best, None), memory).assign_attrs(search=mark)
            error.partial = ds  # type: ignore[attr-defined]  # an exception takes any attribute
        raise
    ds = result.fit_dataset(fit_task, solution._replace(scores=earlier), covariance.standard_errors(fit_task, solution))
    return ds.assign_attrs(search=mark)


def so_far(fit_task: Task, at: SearchProgress, evaluations: int, seed: int) -> xr.Dataset:
    """Dataset of the best set of a search that is not finished, without errors. evaluations, seed : as of `fit`"""
    solution = Solution(at.x, at.values, None, np.nan, at.evaluations, at.jacobians, "not ended", at.scores)
    ds = result.with_visited(result.fit_dataset(fit_task, solution, None), at.visited)
    return ds.assign_attrs(search=fingerprint(fit_task, evaluations, seed))


SAVED = 1.0  # s, at least, between two writes of a search that goes on
SHARE = 0.05  # of the time of a search that these writes take, at most
Latest = TypeVar("Latest")


def files_beside(out: Path) -> tuple[Path, Path]:
    """Paths of the fitted case and of the picture of a fit."""
    return out.with_suffix(".toml"), out.with_suffix(".png")


def search(task: Task, out: Path, progress: Callable[[SearchProgress], object], **options: Any) -> xr.Dataset:
    """Dataset of a fit. During the search the best set so far is written to the checkpoint of `out`.

    options : of `otjdd.fitting.fit.solved`
    Raises SolverError, DataError, ResultError; KeyboardInterrupt with the best set as its `partial`.
    """

    def write(at: SearchProgress) -> None:
        store.write(so_far(task, at, options["evaluations"], options["seed"]), checkpoint_path(out))

    save = now_and_then(write)

    def save_best(at: SearchProgress) -> None:
        progress(at)
        save(at)

    return solved(task, progress=save_best, **options)


def now_and_then(write: Callable[[Latest], None]) -> Callable[[Latest], None]:
    """Function to call after each evaluation of a search: from time to time it writes the search so far."""
    due = time.monotonic() + SAVED

    def save(latest: Latest) -> None:
        nonlocal due
        now = time.monotonic()
        if now > due:
            with shielded():
                write(latest)
            due = time.monotonic() + max(SAVED, (time.monotonic() - now) / SHARE)

    return save


def earlier(out: Path) -> Path | None:
    """File to resume a search from: the checkpoint of a killed search, else the result; None if neither exists."""
    return next((path for path in (checkpoint_path(out), out) if path.exists()), None)


def resumed(path: Path, task: Task, evaluations: int, seed: int) -> dict[str, Any]:
    """Arguments of `search` that continue the fit in a file: its best set, and the scores and places of its search.

    Raises ResultError when the file holds another fit.
    """
    ds = read_fit(path)
    names = [parameter.name for parameter in task.parameters]
    if "fit" not in ds.attrs or sorted(map(str, ds["parameter"].values)) != sorted(names):
        raise ResultError(path, f"is no fit of {', '.join(names)}", AFRESH)
    same = ds.attrs.get("search") == fingerprint(task, evaluations, seed)
    scores = ds["search_score"].values.tolist() if same and "search_score" in ds else ()
    best = {str(name): float(value) for name, value in zip(ds["parameter"].values, ds["value"].values, strict=True)}
    return {"start": best, "scores": scores, "visited": visited_of(ds) if same else {}}


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
