"""Computation of the points of a study. A point that fails becomes a PointOutcome with the reason, and the study goes on.

Only errors of the disk, Ctrl-C and bugs end the study.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from otjdd.case.case import Case
from otjdd.errors import CaseError, SolverError
from otjdd.runs.run import makes_dataset, simulate
from otjdd.solver.model_limits import ATTRIBUTE
from otjdd.studies import keep, points
from otjdd.studies.keep import KeptArray
from otjdd.studies.points import PointOutcome
from otjdd.system.steps import together

MORE_TIME = "; raise study.time_limit"

KeptArrays = tuple[dict[str, KeptArray], str]  # arrays of a point by name, and the limits of the model that it exceeds


class StudyWork(NamedTuple):
    """What the points of a study share: the case before their changes, the names to keep, and the folder."""

    case: Case
    keep: tuple[str, ...]
    folder: Path


class PointJob(NamedTuple):
    """A point to compute: the digest of its case, and its changes."""

    digest: str
    changes: dict[str, Any]


def compute(work: StudyWork, job: PointJob, limit: float | None = None) -> PointOutcome:
    """Outcome of one point, which this call computes; a failed point has the reason of the failure.

    limit : time [s] after which the run ends at the next edge of its waveform
    """
    ((_, point),) = computed(work, [job], limit)
    return point


def computed(
    work: StudyWork, jobs: Sequence[PointJob], limit: float | None = None
) -> Iterator[tuple[PointJob, PointOutcome]]:
    """Yield points as they are computed; short runs take their steps together, see `system.steps`."""
    for number, point, seconds in together([point_in_steps(work, job, limit) for job in jobs]):
        yield jobs[number], point._replace(seconds=seconds)


def point_in_steps(work: StudyWork, job: PointJob, limit: float | None) -> Generator[None, None, PointOutcome]:
    """Generator that computes a point in the steps of its run and returns the outcome."""
    began = time.perf_counter()

    def watch(fraction: float) -> None:
        if limit is not None and time.perf_counter() - began > limit:
            raise TimeoutError

    try:
        arrays, limits = yield from kept_arrays(work.case.replace(**job.changes), work.keep, watch)
        outcome = PointOutcome("done", arrays=arrays, limits=limits)
    except SolverError as error:
        outcome = PointOutcome("solver", str(error))
    except (ValueError, ArithmeticError, CaseError) as error:
        outcome = PointOutcome("error", str(error))
    except TimeoutError:
        outcome = PointOutcome("time", f"took longer than {limit:g} s{MORE_TIME}")
    except MemoryError:
        outcome = PointOutcome("error", "out of memory")
    return outcome._replace(keep=work.keep)


def kept_arrays(
    case: Case, names: tuple[str, ...], watch: Callable[[float], None]
) -> Generator[None, None, KeptArrays]:
    """Run a case in steps. Returns the arrays to keep, and the limits of the model that it exceeds.

    watch : called with the fraction done. Raises the exceptions of a run.
    """
    from otjdd.solver.simulate import outputs_in_steps

    if (outputs := keep.outputs_for(names)) is None or makes_dataset(case):
        ds = simulate(case, watch)
        return keep.measure(ds, names), ds.attrs[ATTRIBUTE]
    ran = yield from outputs_in_steps(case, outputs, watch)
    return keep.measure_arrays(ran.arrays, names), ran.limits


def settle(work: StudyWork, *jobs: PointJob) -> list[PointOutcome]:
    """Compute points, and write each to disk as it ends. Returns them in the order of the jobs, without their arrays."""
    done = {job.digest: put_point(work, job, point) for job, point in computed(work, jobs)}
    return [done[job.digest] for job in jobs]


def put_point(work: StudyWork, job: PointJob, point: PointOutcome) -> PointOutcome:
    """Write a point to disk. Returns it without its arrays."""
    points.write_point(work.folder, job.digest, point)
    return point._replace(arrays={})


def in_this_process(work: StudyWork, jobs: Iterable[PointJob]) -> Generator[tuple[PointJob, PointOutcome], None, None]:
    """Yield points that are computed one after the other in this process."""
    for job in jobs:
        (point,) = settle(work, job)
        yield job, point
