"""Points of a study on a dask cluster: on any scheduler, or on one that is started for the study on this machine.

Workers need otjdd and no shared folder: a point comes back as the bytes of its file, and is written where the study was
started. When a scheduler or a worker is lost, only unfinished points are lost.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from otjdd.errors import ResultError
from otjdd.studies import points
from otjdd.studies.jobs import PointJob, StudyWork, compute, put_point
from otjdd.studies.points import Point
from otjdd.system import interpreter

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

OUTSTANDING = 1000  # most jobs that the scheduler holds at a time
PATIENCE = 15.0  # s to wait for a connection to the scheduler


def on_cluster(
    work: StudyWork, jobs: Iterable[PointJob], address: str, workers: int | None = None, limit: float | None = None
) -> Generator[tuple[PointJob, Point], None, None]:
    """Yield points as they arrive from a cluster.

    workers : number of processes for the address "local"   limit : time for a point [s], checked between the parts of its
        waveform
    Raises ConnectionError when the scheduler cannot be reached or goes away, ResultError when a point cannot be written.
    """
    arrived: queue.SimpleQueue[Future[bytes]] = queue.SimpleQueue()
    running: dict[object, tuple[Future[bytes], PointJob]] = {}
    waiting = iter(jobs)
    with client_of(address, workers) as client:

        def send(job: PointJob) -> None:
            sent = client.submit(packed, work, job, limit, pure=False, key=f"otjdd-{job.digest}-{time.monotonic_ns()}")
            running[sent.key] = sent, job
            sent.add_done_callback(arrived.put)

        while True:
            while len(running) < OUTSTANDING and (job := next(waiting, None)) is not None:
                send(job)
            if not running:
                return
            future = next_of(arrived, client, address)
            _, job = running.pop(future.key)
            point = received(future, work, job)
            if point is not None:
                yield job, point
            elif client.status == "running":
                send(job)
            else:
                raise gone(address)


def packed(work: StudyWork, job: PointJob, limit: float | None) -> bytes:
    """Compute a point on a worker of the cluster. Returns the bytes of its file."""
    return points.pack(compute(work, job, limit))


def next_of(arrived: queue.SimpleQueue[Future[bytes]], client: Client, address: str) -> Future[bytes]:
    """The next finished future. Raises ConnectionError when the scheduler has been away for PATIENCE."""
    lost_since = None
    while True:
        try:
            return arrived.get(timeout=1.0)
        except queue.Empty:
            if client.status == "running":
                lost_since = None
                continue
        lost_since = lost_since or time.monotonic()
        if time.monotonic() - lost_since > PATIENCE:
            raise gone(address)


def received(future: Future[bytes], work: StudyWork, job: PointJob) -> Point | None:
    """Write the point of a finished future to disk. Returns it without its arrays, None when it is lost.

    A point is lost when the connection to the scheduler ends, or when a worker dies before the point has arrived.
    Raises ResultError for a worker with another version of otjdd.
    """
    from distributed import KilledWorker

    if future.status in ("cancelled", "lost"):
        return None
    try:
        data = future.result(timeout=60)
    except KilledWorker as error:
        point = Point("lost", f"workers died of it, one after the other ({error.last_worker})", keep=work.keep)
        return put_point(work, job, point)
    except (OSError, CancelledError):
        return None
    path = points.path_of(work.folder, job.digest)
    point = points.unpack(path, data)
    if point.status == "stale":
        raise ResultError(path, "comes from a worker with another version of otjdd", "install the same everywhere")
    points.put_bytes(work.folder, job.digest, data)
    return point._replace(arrays={})


def gone(address: str) -> ConnectionError:
    return ConnectionError(f"the scheduler at {address} is gone; what was finished is kept, --resume goes on with it")


def reach(address: str) -> None:
    """Connect once, before a folder is made for the study. Raises ConnectionError, OSError."""
    if address != "local":
        with client_of(address, None):
            pass


@contextmanager
def client_of(address: str, workers: int | None) -> Iterator[Client]:
    """Connection to a scheduler, or to one that is started here. Raises ConnectionError; OSError without dask."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise OSError("--scheduler needs dask: pip install 'otjdd[cluster]'") from error
    local = address == "local"
    place: AbstractContextManager[LocalCluster | str] = made_here(workers) if local else nullcontext(address)
    with place as scheduler:
        try:
            client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConnectionError(f"no dask scheduler at {address}: {error}") from error
        try:
            yield client
        finally:
            client.close(timeout=2)


@contextmanager
def made_here(workers: int | None) -> Iterator[LocalCluster]:
    """A scheduler and workers on this machine that only this process can talk to.

    A dask scheduler runs code of everyone who connects to it, with the rights of the user who started it, and its port is
    open to all users of the machine. So all connections are encrypted, and both ends must show a certificate that is made
    for this study and kept in the memory of its processes. The web pages of dask are not encrypted, and are switched off.
    """
    import dask
    from distributed import LocalCluster
    from distributed.security import Security

    try:
        security = Security.temporary()
    except ImportError as error:
        raise OSError("--scheduler local needs cryptography: pip install 'otjdd[cluster]'") from error
    no_pages: dict[str, list[str]] = {f"distributed.{end}.http.routes": [] for end in ("scheduler", "worker")}
    options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with (
        dask.config.set(no_pages),
        interpreter.inherited(),
        LocalCluster(n_workers=workers, security=security, **options) as cluster,
    ):
        yield cluster
