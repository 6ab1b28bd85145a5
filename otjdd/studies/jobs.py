"""Who computes the points of a study: this process, or several that end with it.

A point that fails is a Point that says why; the others go on. A process that dies, or that takes longer than the limit,
is replaced. What raises is what ends the study: the disk, Ctrl-C, a bug.
"""

import importlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from otjdd.case.case import Case
from otjdd.errors import CaseError
from otjdd.studies import points
from otjdd.studies.points import Point
from otjdd.system.pool import context, make_ready

AHEAD = 4  # jobs a worker that wait in its queue, so that memory does not grow with the study


class Job(NamedTuple):
    """A point to compute: the case that is changed, the changes, what to keep, and where to put it."""

    digest: str
    case: Case
    changes: dict
    keep: tuple[str, ...]
    folder: Path


def compute(job: Job, limit: float | None = None) -> Point:
    """Run one point; whatever the run itself does wrong is told in the Point.

    limit : s after which the run ends at the next edge of its waveform
    """
    from otjdd.errors import SolverError
    from otjdd.solver.model_limits import ATTRIBUTE
    from otjdd.solver.simulate import simulate
    from otjdd.studies.keep import measure

    began = time.perf_counter()

    def watch(fraction):
        if limit is not None and time.perf_counter() - began > limit:
            raise TimeoutError

    try:
        ds = simulate(job.case.replace(**job.changes), watch)
        outcome = {"status": "done", "arrays": measure(ds, job.keep), "limits": ds.attrs[ATTRIBUTE]}
    except SolverError as error:
        outcome = {"status": "solver", "reason": str(error)}
    except (ValueError, ArithmeticError, CaseError) as error:
        outcome = {"status": "error", "reason": str(error)}
    except TimeoutError:
        outcome = {"status": "time", "reason": too_long(limit)}
    except MemoryError:
        outcome = {"status": "error", "reason": "out of memory"}
    return Point(seconds=time.perf_counter() - began, keep=job.keep, **outcome)


def too_long(limit: float) -> str:
    return f"took longer than {limit:g} s; raise study.time_limit"


def settle(job: Job) -> Point:
    """Compute a point and put it on disk; returns it without its arrays."""
    point = compute(job)
    points.write(job.folder, job.digest, point)
    return point._replace(arrays={})


def here(jobs: Iterable[Job]) -> Iterator[tuple[Job, Point]]:
    """Points one after the other in this process."""
    for job in jobs:
        yield job, settle(job)


def in_processes(
    jobs: Iterable[Job], workers: int, limit: float | None = None, alone: bool = False
) -> Iterator[tuple[Job, Point]]:
    """Points as they are finished in `workers` processes; each may take `limit` seconds. Raises what ends the study.

    alone : the first is finished and looked at before others are begun
    """
    from concurrent.futures import FIRST_COMPLETED, wait

    from pebble import ProcessPool

    make_ready()
    pool = ProcessPool(workers, initializer=begin, context=context())
    jobs, running, room = iter(jobs), {}, 1 if alone else workers * AHEAD
    try:
        while True:
            while len(running) < room and (job := next(jobs, None)) is not None:
                running[pool.schedule(settle, args=(job,), timeout=limit)] = job
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                yield job, arrived(future, job, limit)
            room = workers * AHEAD
        pool.close()
    finally:
        pool.stop()
        pool.join()


def arrived(future, job: Job, limit: float | None) -> Point:
    """What a finished future holds; a point whose process did not live to write it is written here."""
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError:
        point = Point("time", too_long(limit), limit, job.keep)
    except ProcessExpired as error:
        code = error.exitcode
        how = f"killed by signal {-code}" if code and code < 0 else f"ended with code {code}"
        point = Point("lost", f"the process was {how}; out of memory?", keep=job.keep)
    points.write(job.folder, job.digest, point)
    return point


def begin() -> None:
    """First thing in a worker: loading what it needs is not part of a point's time."""
    importlib.import_module("otjdd.solver.preload")
    importlib.import_module("otjdd.studies.keep")
