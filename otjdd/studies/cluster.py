"""Points of a study on a dask cluster: on any scheduler, or on one that is started for the study on this machine.

Workers need otjdd and no shared folder: a point comes back as the bytes of its file, and is written where the study was
started. When a scheduler or a worker is lost, only unfinished points are lost.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import queue
import socket
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from otjdd.errors import ResultError
from otjdd.studies import points
from otjdd.studies.jobs import PointJob, StudyWork, compute, put_point
from otjdd.studies.points import PointOutcome
from otjdd.system import interpreter

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

log = logging.getLogger(__name__)

SAME_EVERYWHERE = "install the same everywhere"
OUTSTANDING = 1000  # most unfinished jobs at the scheduler at a time
PATIENCE = 15.0  # s to wait for a connection to the scheduler
WITHOUT_WORKERS = 600.0  # s to wait for a worker of the scheduler
TOLD_AFTER = 5.0  # s without a worker after which a warning is logged
LONGEST_HEAD = 2**20  # bytes; the first message of dask begins with a smaller number, its length
LOUD = "distributed", "tornado", "asyncio"  # loggers of dask, which print tracebacks of lost connections


def on_cluster(
    work: StudyWork, jobs: Iterable[PointJob], address: str, workers: int | None = None, limit: float | None = None
) -> Generator[tuple[PointJob, PointOutcome], None, None]:
    """Yield points as they arrive from a cluster.

    workers : number of processes for the address "local"
    limit : time for a point [s], checked between the parts of its waveform
    Raises ConnectionError when the scheduler cannot be reached, has no workers, or goes away; ResultError when a point
    cannot be written.
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
                raise lost_scheduler(address)


def packed(work: StudyWork, job: PointJob, limit: float | None) -> bytes:
    """Compute a point on a worker of the cluster. Returns the bytes of its file."""
    return points.pack(compute(work, job, limit))


def next_of(arrived: queue.SimpleQueue[Future[bytes]], client: Client, address: str) -> Future[bytes]:
    """The next finished future.

    Raises ConnectionError when the scheduler cannot be reached for PATIENCE, or has no workers for WITHOUT_WORKERS.
    """
    last_reached = last_worker = time.monotonic()
    warned = False
    while True:
        with contextlib.suppress(queue.Empty):
            return arrived.get(timeout=1.0)
        now = time.monotonic()
        if client.status == "running":
            last_reached = now
            last_worker = now if has_workers(client) else last_worker
        if now - last_reached > PATIENCE:
            raise lost_scheduler(address)
        if now - last_worker > WITHOUT_WORKERS:
            raise ConnectionError(
                f"the scheduler at {address} had no worker for {WITHOUT_WORKERS:g} s: start some (dask worker {address}) "
                "with the same versions of otjdd and dask; what was finished is kept, --resume continues from it"
            )
        if not warned and now - last_worker > TOLD_AFTER:
            warned = True
            log.warning("waiting for workers: the scheduler at %s has none", address)


def has_workers(client: Client) -> bool:
    """True if a scheduler has workers, or does not answer just now."""
    try:
        return bool(client.scheduler_info()["workers"])
    except OSError:
        return True


def received(future: Future[bytes], work: StudyWork, job: PointJob) -> PointOutcome | None:
    """Write the point of a finished future to disk. Returns the point without its arrays, None if it did not arrive.

    A point does not arrive when the connection to the scheduler ends or when its worker dies. When workers died of a point
    one after the other, the point is written with the status "lost".
    Raises ResultError for a worker with another version of otjdd, or without otjdd.
    """
    from distributed import KilledWorker

    if future.status in ("cancelled", "lost"):
        return None
    try:
        data = future.result(timeout=60)
    except KilledWorker as error:
        point = PointOutcome("lost", f"workers died of it, one after the other ({error.last_worker})", keep=work.keep)
        return put_point(work, job, point)
    except (OSError, CancelledError):
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
def client_of(address: str, workers: int | None) -> Iterator[Client]:
    """Context with a client of a scheduler; "local" starts a scheduler. Raises ConnectionError; OSError without dask."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise OSError("--scheduler needs dask: pip install 'otjdd[cluster]'") from error
    local = address == "local"
    place: AbstractContextManager[LocalCluster | str] = local_cluster(workers) if local else nullcontext(address)
    with place as scheduler, quiet_loggers():
        if not local:
            check_speaks_dask(address)
        try:
            client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
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
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.security import Security

    try:
        scheme, place = parse_address(address)
        if scheme == "tls" and Security().get_connection_args("client").get("ssl_context") is None:
            raise ValueError("tls:// needs certificates, of distributed.comm.tls in the settings of dask")
        if scheme != "tcp":
            return
        with socket.create_connection(parse_host_port(place), timeout=PATIENCE) as connection:
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
def local_cluster(workers: int | None) -> Iterator[LocalCluster]:
    """Context with a scheduler and workers on this machine, to which only this process can connect.

    A dask scheduler runs code of everyone who connects to it, with the rights of the user who started it, and its port is
    open to all users of the machine. So all connections are encrypted, and both ends must present a certificate that is
    created for this study and stays in the memory of its processes. The web pages of dask, which are not encrypted, are
    switched off.
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
