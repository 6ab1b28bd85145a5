"""The files of a fit: the Dataset, the fitted case and the picture; the best set so far while the search goes on.

While a search goes on, its best set is kept in a hidden checkpoint beside the result. The three files of an earlier fit of
the same name are replaced at the end, together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from otjdd.case.case import Case
from otjdd.errors import ResultError
from otjdd.fitting import fit, report
from otjdd.fitting.everywhere import fingerprint
from otjdd.fitting.least_squares import SearchProgress
from otjdd.fitting.result import read_fit, visited_of
from otjdd.fitting.task import Task
from otjdd.results import companions, store
from otjdd.solver.checkpoint import AFRESH, checkpoint_path
from otjdd.system.limits import shielded

if TYPE_CHECKING:
    import xarray as xr


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
        store.write(fit.so_far(task, at, options["evaluations"], options["seed"]), checkpoint_path(out))

    save = now_and_then(write)

    def save_best(at: SearchProgress) -> None:
        progress(at)
        save(at)

    return fit.solved(task, progress=save_best, **options)


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
    text = report.case_text(ds, report.base_of(case, out), below)
    with shielded():
        companions.write_with(ds, out, {beside: text.encode(), drawn: picture})
        checkpoint_path(out).unlink(missing_ok=True)


def write_unfinished(ds: xr.Dataset, out: Path) -> None:
    """Write the best set of a fit that was interrupted. Raises ResultError."""
    with shielded():
        companions.write_with(ds, out, {})
        checkpoint_path(out).unlink(missing_ok=True)
