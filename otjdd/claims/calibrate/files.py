"""The files of a calibration: the found cases, and the evaluations of the search beside them.

While a search goes on, its evaluations are kept in a hidden checkpoint. The files are written at the end, together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from otjdd.claims.calibrate import report, visited
from otjdd.claims.calibrate.task import CalibrationTask
from otjdd.results import companions
from otjdd.results.provenance import CALIBRATION
from otjdd.solver.checkpoint import checkpoint_path
from otjdd.system.limits import shielded

if TYPE_CHECKING:
    import numpy as np

    from otjdd.claims.calibrate.evaluate import Evaluation, TargetEvaluator

SAVED = 1.0  # s, at least, between two writes of a search that goes on
SHARE = 0.05  # of the time of a search that these writes take, at most


def case_files(out: Path, task: CalibrationTask) -> list[Path]:
    """Files of the found cases of a calibration that writes to `out`."""
    return [report.path_of(out, part) for part in task.cases]


def files_of(out: Path, task: CalibrationTask) -> list[Path]:
    """All files that a calibration writes to `out`: the found cases, and the evaluations of the search."""
    return [*case_files(out, task), visited.path_beside(out)]


def check_replaceable(out: Path, task: CalibrationTask) -> None:
    """Raise ResultError if a file that the user has not named would be replaced, and is not of an earlier calibration."""
    evaluations = visited.path_beside(out)
    companions.check_kind(evaluations, CALIBRATION, visited.KIND)
    companions.check_replaceable(evaluations, [path for path in case_files(out, task) if path != out])


def resumable(out: Path) -> Path | None:
    """File to resume a search from: the checkpoint of one that was killed, else its evaluations; None without any."""
    evaluations = visited.path_beside(out)
    return next((path for path in (checkpoint_path(evaluations), evaluations) if path.exists()), None)


def saving(evaluate: TargetEvaluator, out: Path) -> Callable[[Evaluation], None]:
    """Function to call after each evaluation: from time to time it writes all evaluations to the checkpoint of `out`."""
    due = time.monotonic() + SAVED
    path = checkpoint_path(visited.path_beside(out))

    def save(latest: Evaluation) -> None:
        nonlocal due
        now = time.monotonic()
        if now > due:
            with shielded():
                visited.write(path, evaluate.task, evaluate.visited)
            due = time.monotonic() + max(SAVED, (time.monotonic() - now) / SHARE)

    return save


def write(out: Path, task: CalibrationTask, evaluations: Mapping[bytes, np.ndarray], x: np.ndarray) -> None:
    """Write a set of parameters as a case file for each case, and the evaluations of the search. Raises ResultError."""
    texts = [report.as_case(task, part, x, out).encode() for part in task.cases]
    beside = visited.path_beside(out)
    with shielded():
        contents = dict(zip(case_files(out, task), texts, strict=True))
        companions.write_with(visited.visits_dataset(task, evaluations), beside, contents, [out])
        checkpoint_path(beside).unlink(missing_ok=True)
