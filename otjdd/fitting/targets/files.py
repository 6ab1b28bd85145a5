"""The files of a calibration: a case file for each case, and the evaluations of the search beside them.

While a search goes on, its evaluations are kept in a hidden checkpoint. The files are written at the end, together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from otjdd.fitting.files import now_and_then
from otjdd.fitting.targets import report, visits
from otjdd.fitting.targets.task import TargetTask
from otjdd.results import companions
from otjdd.results.provenance import CALIBRATION
from otjdd.solver.checkpoint import checkpoint_path
from otjdd.system.limits import shielded


def case_files(out: Path, task: TargetTask) -> list[Path]:
    """Paths of the case files that a calibration writes to `out`, in the order of its cases."""
    return [report.path_of(out, part) for part in task.cases]


def files_of(out: Path, task: TargetTask) -> list[Path]:
    """All files that a calibration writes to `out`: the case files, and the evaluations of the search."""
    return [*case_files(out, task), visits.path_beside(out)]


def check_replaceable(out: Path, task: TargetTask) -> None:
    """Raise ResultError if a file that the user has not named would be replaced, and is not of an earlier calibration."""
    evaluations = visits.path_beside(out)
    companions.check_kind(evaluations, CALIBRATION, visits.KIND)
    companions.check_replaceable(evaluations, [path for path in case_files(out, task) if path != out])


def saving(out: Path, task: TargetTask, evaluations: Mapping[bytes, np.ndarray]) -> Callable[[np.ndarray], None]:
    """Function to call after each evaluation: from time to time it writes all evaluations to the checkpoint of `out`."""
    path = checkpoint_path(visits.path_beside(out))
    return now_and_then(lambda _: visits.write(path, task, evaluations))


def write(out: Path, task: TargetTask, evaluations: Mapping[bytes, np.ndarray], x: np.ndarray) -> None:
    """Write a set of parameters as a case file for each case, and the evaluations of the search. Raises ResultError."""
    texts = [report.as_case(task, part, x, out).encode() for part in task.cases]
    beside = visits.path_beside(out)
    with shielded():
        contents = dict(zip(case_files(out, task), texts, strict=True))
        companions.write_with(visits.visits_dataset(task, evaluations), beside, contents, [out])
        checkpoint_path(beside).unlink(missing_ok=True)
