"""Computation of the points of a study, in this process or in several. A failed point is a PointOutcome with the reason.

Only errors of the disk, Ctrl-C and bugs end the study. A process that dies or exceeds the time limit is replaced.

Short points are handed out in batches. When the process of a batch dies, its points without a file are computed again,
each alone, so that a point that kills its process takes no other point with it.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from otjdd.analysis.metrics import METRICS
from otjdd.case.case import Case
from otjdd.errors import CaseError, SolverError
from otjdd.runs.run import makes_dataset, simulate
from otjdd.solver.model_limits import ATTRIBUTE
from otjdd.solver.simulate import outputs_in_steps
from otjdd.studies import keep, points
from otjdd.studies.keep import KeptArray
from otjdd.studies.points import PointOutcome
from otjdd.system import interpreter
from otjdd.system.pool import DATASETS, team
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
    ((_, point),) = computed_points(work, [job], limit)
    return point


def computed_points(
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
    if (outputs := keep.outputs_for(names)) is None or makes_dataset(case):
        ds = simulate(case, watch)
        return keep.measure(ds, names), ds.attrs[ATTRIBUTE]
    ran = yield from outputs_in_steps(case, outputs, watch)
    return keep.measure_arrays(ran.arrays, names), ran.limits


def settle(work: StudyWork, *jobs: PointJob) -> list[PointOutcome]:
    """Compute points, and write each to disk as it ends. Returns them in the order of the jobs, without their arrays."""
    done = {job.digest: put_point(work, job, point) for job, point in computed_points(work, jobs)}
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


log = logging.getLogger(__name__)

ENOUGH, MOST = 0.2, 24  # longest time [s] and largest number of points of a batch
ROUNDS = 4  # least number of batches per process in the remaining jobs: the last are small, so that all end together
RECENT = 20  # number of latest points whose longest time is the estimate for the next points


def finished_points(
    work: StudyWork, jobs: Iterable[PointJob], count: int, workers: int, limit: float | None = None, alone: bool = False
) -> Generator[tuple[PointJob, PointOutcome], None, None]:
    """Yield the points of `count` jobs as they are finished in `workers` processes. Raises errors that end the study.

    limit : time for each point [s]
    alone : finish the first point and yield it before others begin
    """
    batches, again = Batches(jobs, count, ROUNDS * workers, 1 if limit is not None else MOST), []
    with team(workers, apart=True, load=loaded(work.case, work.keep)) as compute_all:
        options = {"limit": limit, "lost": partial(lost, work)}
        for number, computed in compute_all(partial(settle, work), batches, alone=alone, **options):
            for job, point in zip(batches.ended(number), computed, strict=True):
                if point is None:
                    again.append(job)
                else:
                    batches.look_at(point)
                    yield job, point
        for number, (point,) in compute_all(partial(settle, work), ((job,) for job in again), **options):
            yield again[number], point


class Batches:
    """Iterator over batches of jobs, whose size follows the duration of the last points.

    count : number of all jobs   shares : least number of batches for the jobs that are left   most : jobs in a batch
    """

    def __init__(self, jobs: Iterable[PointJob], count: int, shares: int, most: int = MOST):
        self.coming, self.left, self.shares, self.most, self.size = iter(jobs), count, shares, most, 1
        self.took: deque[float] = deque(maxlen=RECENT)
        self.handed_out: dict[int, tuple[PointJob, ...]] = {}
        self.count = 0

    def __iter__(self) -> "Batches":
        return self

    def __next__(self) -> tuple[PointJob, ...]:
        batch = tuple(islice(self.coming, max(1, min(self.size, self.left // self.shares))))
        if not batch:
            raise StopIteration
        self.handed_out[self.count] = batch
        self.count += 1
        self.left -= len(batch)
        return batch

    def ended(self, number: int) -> tuple[PointJob, ...]:
        """The jobs of a batch that has ended."""
        return self.handed_out.pop(number)

    def look_at(self, point: PointOutcome) -> None:
        """Set the size of the next batches by the longest of the RECENT times. A point without a time counts as ENOUGH."""
        self.took.append(point.seconds if point.seconds > 0.0 else ENOUGH)
        self.size = max(1, min(self.most, int(ENOUGH / max(self.took))))


def loaded(case: Case, names: tuple[str, ...]) -> tuple[str, ...]:
    """Modules that the processes for the points of a study load before they start: DATASETS, or none if no point needs it.

    In a user's session the answer is always DATASETS, which the process that all others are copied from has loaded.
    """
    plain = interpreter.OWN and not any(keep.parts(name)[0] in METRICS for name in names) and not makes_dataset(case)
    return () if plain else (DATASETS,)


def lost(work: StudyWork, batch: tuple[PointJob, ...], error: Exception) -> list[PointOutcome | None]:
    """Points of a batch whose process died: points on disk, None for the others. In a batch of one the point has failed."""
    if len(batch) > 1:
        log.warning("%s: its points without a file are computed once more, each alone", error)
        stored = (points.usable_or_none(work.folder, job.digest, work.keep) for job in batch)
        return [point and point._replace(arrays={}) for point in stored]
    late = isinstance(error, TimeoutError)
    point = PointOutcome("time", f"{error}{MORE_TIME}") if late else PointOutcome("lost", str(error))
    return [put_point(work, batch[0], point._replace(keep=work.keep))]
