"""Computation of the points of a study: in this process, in several, or on a dask cluster. A failed point has a reason.

Only errors of the disk, Ctrl-C and bugs end the study. A process that dies or exceeds the time limit is replaced.

Short points are handed out in batches. When the process of a batch dies, its points without a file are computed again,
each alone, so that a point that kills its process takes no other point with it.

Workers of a cluster need otjdd and no shared folder: a point comes back as the bytes of its file, and is written where the
study was started. When a scheduler or a worker is lost, only unfinished points are lost.
"""

from __future__ import annotations

import logging
import pickle
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent import futures
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from otjdd.analysis.metrics import METRICS
from otjdd.case.case import Case
from otjdd.errors import CaseError, ResultError, SolverError
from otjdd.runs.run import makes_dataset, simulate
from otjdd.solver.model_limits import ATTRIBUTE
from otjdd.solver.simulate import outputs_in_steps
from otjdd.studies import points
from otjdd.studies.points import KeptArray, PointOutcome
from otjdd.system import interpreter
from otjdd.system.late import dask, distributed
from otjdd.system.pool import AGAIN, DATASETS, Arguments, Lost, results, team
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
    if (outputs := points.outputs_for(names)) is None or makes_dataset(case):
        ds = simulate(case, watch)
        return points.measure(ds, names), ds.attrs[ATTRIBUTE]
    ran = yield from outputs_in_steps(case, outputs, watch)
    return points.measure_arrays(ran.arrays, names), ran.limits


def settle(work: StudyWork, *jobs: PointJob) -> list[PointOutcome]:
    """Compute points, and write each to disk as it ends. Returns them in the order of the jobs, without their arrays."""
    done = {job.digest: put_point(work, job, point) for job, point in computed_points(work, jobs)}
    return [done[job.digest] for job in jobs]


def put_point(work: StudyWork, job: PointJob, point: PointOutcome) -> PointOutcome:
    """Write a point to disk. Returns it without its arrays."""
    points.write_point(work.folder, job.digest, point)
    return point._replace(arrays={})


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

    def __iter__(self) -> Batches:
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
    metrics = any(points.name_parts(name)[0] in METRICS for name in names)
    return () if interpreter.OWN and not metrics and not makes_dataset(case) else (DATASETS,)


def lost(work: StudyWork, batch: tuple[PointJob, ...], error: Exception) -> list[PointOutcome | None]:
    """Points of a batch whose process died: points on disk, None for the others. In a batch of one the point has failed."""
    if len(batch) > 1:
        log.warning("%s: its points without a file are computed once more, each alone", error)
        stored = (points.usable_or_none(work.folder, job.digest, work.keep) for job in batch)
        return [point and point._replace(arrays={}) for point in stored]
    late = isinstance(error, TimeoutError)
    point = PointOutcome("time", f"{error}{MORE_TIME}") if late else PointOutcome("lost", str(error))
    return [put_point(work, batch[0], point._replace(keep=work.keep))]


SAME_EVERYWHERE = "install the same everywhere"
OUTSTANDING = 1000  # most unfinished jobs at the scheduler at a time
PATIENCE = 15.0  # s to wait for a connection to the scheduler
WITHOUT_WORKERS = 600.0  # s to wait for a worker of the scheduler
TOLD_AFTER = 5.0  # s without a worker after which a warning is logged
LONGEST_HEAD = 2**20  # bytes; the first message of dask begins with a smaller number, its length
LOUD = "distributed", "tornado", "asyncio"  # loggers of dask, which print tracebacks of lost connections


def on_cluster(
    work: StudyWork, jobs: Iterable[PointJob], address: str, workers: int | None, limit: float | None
) -> Generator[tuple[PointJob, PointOutcome], None, None]:
    """Yield points as they arrive from a cluster.

    workers : number of processes for the address "local"
    limit : time for a point [s], checked between the parts of its waveform
    Raises ConnectionError when the scheduler cannot be reached, has no workers, or goes away; ResultError when a point
    cannot be written.
    """
    with client_of(address, workers) as client:
        slots = [ClusterSlot(client, address)] * OUTSTANDING
        yield from (ended for _, ended in results(slots, packed_point, ((work, job, limit) for job in jobs)))


def packed_point(work: StudyWork, job: PointJob, limit: float | None) -> bytes:
    """Compute a point on a worker of the cluster. Returns the bytes of its file."""
    return points.pack(compute(work, job, limit))


class ClusterSlot:
    """Room at a scheduler for one job of `packed` at a time. A result is (job, point), as the point is written to disk."""

    def __init__(self, client: distributed.Client, address: str):
        self.client, self.address = client, address
        self.reached = self.had_workers = time.monotonic()
        self.warned = False

    def give(self, function: Callable[..., bytes], arguments: Arguments, limit: float | None) -> futures.Future[Any]:
        """Future whose result is the future of the scheduler, once that has ended. The time limit is an argument."""
        ended: futures.Future[Any] = futures.Future()
        key = f"otjdd-{arguments[1].digest}-{time.monotonic_ns()}"
        self.client.submit(function, *arguments, pure=False, key=key).add_done_callback(ended.set_result)
        return ended

    def look_after(self) -> None:
        """Raise ConnectionError for a scheduler not reached for PATIENCE, or without workers for WITHOUT_WORKERS."""
        now = time.monotonic()
        if self.client.status == "running":
            self.reached = now
            self.had_workers = now if has_workers(self.client) else self.had_workers
        if now - self.reached > PATIENCE:
            raise lost_scheduler(self.address)
        if now - self.had_workers > WITHOUT_WORKERS:
            raise ConnectionError(
                f"the scheduler at {self.address} had no worker for {WITHOUT_WORKERS:g} s: start some (dask worker "
                f"{self.address}) with the same versions of otjdd and dask; what was finished is kept, --resume "
                "continues from it"
            )
        if not self.warned and now - self.had_workers > TOLD_AFTER:
            self.warned = True
            log.warning("waiting for workers: the scheduler at %s has none", self.address)

    def result(self, future: futures.Future[Any], arguments: Arguments, limit: float | None, lost: Lost | None) -> Any:
        """The point, written to disk; AGAIN if it did not arrive. Raises ConnectionError, ResultError."""
        self.reached, self.warned = time.monotonic(), False
        self.had_workers = self.reached
        work, job, _ = arguments
        point = received(future.result(), work, job)
        if point is None and self.client.status != "running":
            raise lost_scheduler(self.address)
        return AGAIN if point is None else (job, point)

    def stop(self) -> None:
        """Nothing to end here: all jobs end with the client."""


def has_workers(client: distributed.Client) -> bool:
    """True if a scheduler has workers, or does not answer just now."""
    try:
        return bool(client.scheduler_info()["workers"])
    except OSError:
        return True


def received(future: distributed.Future[bytes], work: StudyWork, job: PointJob) -> PointOutcome | None:
    """Write the point of a finished future to disk. Returns the point without its arrays, None if it did not arrive.

    A point does not arrive when the connection to the scheduler ends or when its worker dies. When workers died of a point
    one after the other, the point is written with the status "lost".
    Raises ResultError for a worker with another version of otjdd, or without otjdd.
    """
    if future.status in ("cancelled", "lost"):
        return None
    try:
        data = future.result(timeout=60)
    except distributed.KilledWorker as error:
        point = PointOutcome("lost", f"workers died of it, one after the other ({error.last_worker})", keep=work.keep)
        return put_point(work, job, point)
    except (OSError, futures.CancelledError):
        return None
    except (ImportError, AttributeError, TypeError, pickle.UnpicklingError) as error:
        reason = f"a worker cannot compute it ({type(error).__name__}: {error})"
        raise ResultError(points.path_of(work.folder, job.digest), reason, SAME_EVERYWHERE) from error
    path = points.path_of(work.folder, job.digest)
    point = points.unpack(path, data)
    if point.status == "stale":
        raise ResultError(path, "comes from a worker with another version of otjdd", SAME_EVERYWHERE)
    points.put_bytes(work.folder, job.digest, data)
    return point._replace(arrays={})


def lost_scheduler(address: str) -> ConnectionError:
    return ConnectionError(f"the scheduler at {address} is gone; what was finished is kept, --resume continues from it")


def reach(address: str) -> None:
    """Check the connection to a scheduler before a study creates its folder. Raises ConnectionError, OSError."""
    if address != "local":
        with client_of(address, None):
            pass


@contextmanager
def client_of(address: str, workers: int | None) -> Iterator[distributed.Client]:
    """Context with a client of a scheduler; "local" starts a scheduler. Raises ConnectionError; OSError without dask."""
    try:
        new_client: Any = distributed.Client
    except ModuleNotFoundError as error:
        raise OSError("--scheduler needs dask: pip install 'otjdd[cluster]'") from error
    local = address == "local"
    place: AbstractContextManager[distributed.LocalCluster | str]
    place = local_cluster(workers) if local else nullcontext(address)
    with place as scheduler, quiet_loggers():
        if not local:
            check_speaks_dask(address)
        try:
            client = new_client(scheduler, timeout=PATIENCE, set_as_default=False)
        except Exception as error:  # of any kind: another server may answer anything, or TLS is not set up
            raise ConnectionError(f"no dask scheduler at {address}: {error}") from error
        try:
            yield client
        finally:
            client.close(timeout=2)


def check_speaks_dask(address: str) -> None:
    """Raise ConnectionError unless the server at a tcp address sends the first message, as a scheduler of dask does.

    Of a tls address only the certificates in the settings are checked. Without this check the client of dask waits for
    minutes for a silent server, and reads the first bytes of any other server as an amount of memory to allocate.
    """
    addressing = distributed.comm.addressing
    try:
        scheme, place = addressing.parse_address(address)
        if scheme == "tls" and distributed.Security().get_connection_args("client").get("ssl_context") is None:
            raise ValueError("tls:// needs certificates, of distributed.comm.tls in the settings of dask")
        if scheme != "tcp":
            return
        with socket.create_connection(addressing.parse_host_port(place), timeout=PATIENCE) as connection:
            head = connection.recv(8, socket.MSG_WAITALL)
    except TimeoutError:
        raise ConnectionError(f"no dask scheduler at {address}: it said nothing for {PATIENCE:g} s") from None
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no dask scheduler at {address}: {error}") from error
    if len(head) < 8 or int.from_bytes(head, "little") > LONGEST_HEAD:
        raise ConnectionError(f"no dask scheduler at {address}: something else answers ({head!r})")


@contextmanager
def quiet_loggers() -> Iterator[None]:
    """Context in which dask logs nothing, since the errors of a study already describe failures of the connection."""
    loggers = [logging.getLogger(name) for name in LOUD]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def local_cluster(workers: int | None) -> Iterator[distributed.LocalCluster]:
    """Context with a scheduler and workers on this machine, to which only this process can connect.

    A dask scheduler runs code of everyone who connects to it, with the rights of the user who started it, and its port is
    open to all users of the machine. So all connections are encrypted, and both ends must present a certificate that is
    created for this study and stays in the memory of its processes. The web pages of dask, which are not encrypted, are
    switched off.
    """
    try:
        security = distributed.Security.temporary()
    except ImportError as error:
        raise OSError("--scheduler local needs cryptography: pip install 'otjdd[cluster]'") from error
    no_pages: dict[str, list[str]] = {f"distributed.{end}.http.routes": [] for end in ("scheduler", "worker")}
    options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with (
        dask.config.set(no_pages),
        interpreter.inherited(),
        distributed.LocalCluster(n_workers=workers, security=security, **options) as cluster,
    ):
        yield cluster
