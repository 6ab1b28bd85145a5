"""Computation of the points of a study, in this process or in several.

A point that fails is a Point with the reason, and the others go on. A process that dies, or that takes longer than the
limit, is replaced. Only errors of the disk, Ctrl-C and bugs end the study.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from otjdd.case.case import Case
from otjdd.errors import CaseError
from otjdd.runs import run
from otjdd.studies import keep, points
from otjdd.studies.keep import KeptArray
from otjdd.studies.points import Point
from otjdd.system import interpreter
from otjdd.system.pool import DATASETS, team

MORE_TIME = "; raise study.time_limit"


class Work(NamedTuple):
    """Common to the points of a study: the case before their changes, the arrays to keep, and the folder."""

    case: Case
    keep: tuple[str, ...]
    folder: Path


class Job(NamedTuple):
    """A point to compute: the digest of its case, and its changes."""

    digest: str
    changes: dict


def compute(work: Work, job: Job, limit: float | None = None) -> Point:
    """Run one point; failures of the run are told in the Point.

    limit : s after which the run ends at the next edge of its waveform
    """
    from otjdd.errors import SolverError

    began = time.perf_counter()

    def watch(fraction):
        if limit is not None and time.perf_counter() - began > limit:
            raise TimeoutError

    try:
        arrays, limits = measured(work.case.replace(**job.changes), work.keep, watch)
        outcome = {"status": "done", "arrays": arrays, "limits": limits}
    except SolverError as error:
        outcome = {"status": "solver", "reason": str(error)}
    except (ValueError, ArithmeticError, CaseError) as error:
        outcome = {"status": "error", "reason": str(error)}
    except TimeoutError:
        outcome = {"status": "time", "reason": f"took longer than {limit:g} s{MORE_TIME}"}
    except MemoryError:
        outcome = {"status": "error", "reason": "out of memory"}
    return Point(seconds=time.perf_counter() - began, keep=work.keep, **outcome)


def measured(case: Case, names: tuple[str, ...], watch: Callable) -> tuple[dict[str, KeptArray], str]:
    """The arrays to keep of the run of a case, and the limits of the model that it exceeds. Raises what a run raises."""
    from otjdd.solver.model_limits import ATTRIBUTE

    if (outputs := keep.taken(names)) is None:
        ds = run.simulate(case, watch)
        return keep.measure(ds, names), ds.attrs[ATTRIBUTE]
    found = run.arrays(case, outputs, watch)
    return keep.measure_arrays(found.arrays, names), found.limits


def loaded(case: Case, names: tuple[str, ...]) -> tuple[str, ...]:
    """Modules that the processes for the points of a study are copied with.

    In a session the same template may be copied for other work, which makes Datasets.
    """
    plain = interpreter.OWN and not keep.has_metric(names) and not run.makes_dataset(case)
    return () if plain else (DATASETS,)


def settle(work: Work, job: Job) -> Point:
    """Compute a point and put it on disk; returns it without its arrays."""
    return put(work, job, compute(work, job))


def put(work: Work, job: Job, point: Point) -> Point:
    """Put a point on disk; returns it without its arrays."""
    points.write(work.folder, job.digest, point)
    return point._replace(arrays={})


def here(work: Work, jobs: Iterable[Job]) -> Iterator[tuple[Job, Point]]:
    """Points one after the other in this process."""
    for job in jobs:
        yield job, settle(work, job)


def finished_points(
    work: Work, jobs: Iterable[Job], workers: int, limit: float | None = None, alone: bool = False
) -> Iterator[tuple[Job, Point]]:
    """Points as they are finished in `workers` processes; each may take `limit` seconds. Raises errors that end the study.

    alone : the first is finished and handed to the caller before others begin
    """
    handed_out = {}

    def arguments() -> Iterator[tuple[Job]]:
        for number, job in enumerate(jobs):
            handed_out[number] = job
            yield (job,)

    with team(workers, apart=True, load=loaded(work.case, work.keep)) as compute_all:
        for number, point in compute_all(
            partial(settle, work), arguments(), limit=limit, alone=alone, lost=partial(lost, work)
        ):
            yield handed_out.pop(number), point


def lost(work: Work, arguments: tuple[Job], error: Exception) -> Point:
    """Point of a job whose process died before it wrote the point; written here."""
    late = isinstance(error, TimeoutError)
    status, reason = ("time", f"{error}{MORE_TIME}") if late else ("lost", str(error))
    return put(work, *arguments, Point(status, reason, keep=work.keep))
