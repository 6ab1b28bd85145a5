"""The processes that simulate and draw for all tabs, so that the server stays free to answer."""

import asyncio
import contextlib
import importlib
import pickle
import pkgutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import RawValue
from typing import Any

from pebble import ProcessExpired

from otjdd import physics, stepping
from otjdd.errors import LimitError
from otjdd.system import pool
from otjdd.system.pool import EVERY, SHARED, TRIES, Arguments, Worker, context, cores, fate, give_up, make_ready

PRELOAD = "otjdd.explore.preload"  # module that prepares the process from which workers are copied
LOADED = 5.0  # s within which kernels are loaded if they are compiled already
LOST = "the process that computed this {}; out of memory? Another has taken its place: try again"
DEAD = "the processes that compute end before they begin: is memory short? The terminal of otjdd explore may say more"


Synchronized = Any  # a number in memory that a worker shares with the server
Idle = asyncio.Queue[tuple[Worker, Synchronized]]


class Workers:
    """Processes whose jobs can be ended at once: the process of an ended job is replaced by a copy of a prepared one.

    There is one worker more than processors, so that a job need not wait until an ended process is replaced.
    """

    def __init__(self) -> None:
        self._all = [
            (Worker(context(PRELOAD), (progress,)), progress) for progress in map(RawValue, "d" * (cores() + 1))
        ]
        self._idle: Idle = asyncio.Queue()  # a worker whose job was ended comes last
        self._began = time.monotonic()
        self.ready = asyncio.Event()

    async def start(self) -> None:
        """Wait until kernels are loaded or compiled and a first worker answers; then start the others."""
        await asyncio.to_thread(make_ready, PRELOAD)
        for worker, progress in self._all:
            future = await aside(worker.give, answer, (), None)
            if not self.ready.is_set():
                with contextlib.suppress(BrokenProcessPool, ProcessExpired):  # the first job reports it
                    await ended(worker, future)
            self._idle.put_nowait((worker, progress))
            self.ready.set()

    async def compiled(self) -> float | None:
        """Fraction of the kernels that are compiled; None when workers are ready, or may just be loading the kernels."""
        if self.ready.is_set() or time.monotonic() < self._began + LOADED:
            return None
        return await asyncio.to_thread(kept_fraction)

    def submit(self, function: Callable[..., Any], *args: Any) -> "RunningJob":
        """Start function(*args, progress), which calls progress(fraction). Cancelling its task ends the process."""
        return RunningJob(self._idle, function, args)

    def stop(self) -> None:
        """End all processes and wait for that. While kernels are compiled, they end with this process instead."""
        if self.ready.is_set():
            pool.stop(worker for worker, _ in self._all)


class RunningJob:
    """A running job: the task with its result, and the fraction that is done."""

    def __init__(self, idle: Idle, function: Callable[..., Any], args: Arguments) -> None:
        self._idle = idle
        self._progress: Synchronized | None = None
        self.task = asyncio.ensure_future(self._computed(function, args))

    @property
    def fraction(self) -> float:
        return self._progress.value if self._progress else 0.0

    async def _computed(self, function: Callable[..., Any], args: Arguments) -> Any:
        """Result of the job. Raises the exceptions of the job, LimitError when its process is ended from outside."""
        worker, progress = await self._idle.get()
        self._progress = progress
        progress.value = 0.0
        try:
            for _ in range(TRIES):
                future = await asyncio.to_thread(worker.give, reporting, (function, args), None)
                try:
                    good, value = pickle.loads(await ended(worker, future))
                except BrokenProcessPool:  # the process has ended before it took the job; `give` replaces it
                    continue
                except ProcessExpired as error:
                    await asyncio.to_thread(pool.stop, [worker])
                    raise LimitError(LOST.format(fate(error.exitcode))) from None
                if good:
                    return value
                raise value
            raise LimitError(DEAD)
        finally:
            self._idle.put_nowait((worker, progress))


async def aside(function: Callable[..., Any], *args: Any) -> Any:
    """Result of function(*args) in a thread for which the end of the program does not wait.

    The start of a worker cannot be interrupted: it waits until kernels are compiled in the process that it copies.
    """
    done: Future[Any] = Future()

    def work() -> None:
        done.set_running_or_notify_cancel()
        try:
            done.set_result(function(*args))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(done)


async def ended(worker: Worker, future: "Future[bytes]") -> bytes:
    """Pickled result of a job of a worker. Cancelling this coroutine ends the process."""
    waiting = asyncio.wrap_future(future)
    try:
        while not (await asyncio.wait([waiting], timeout=EVERY))[0]:
            await asyncio.to_thread(give_up, worker, future)
    except asyncio.CancelledError:
        waiting.cancel()
        raise
    return waiting.result()


def reporting(function: Callable[..., Any], args: Arguments) -> Any:
    """Result of function(*args, progress) in a worker."""

    def progress(fraction: float) -> None:
        SHARED[0].value = fraction

    return function(*args, progress)


def answer() -> bool:
    """A job that shows that a worker answers."""
    return True


def kept_fraction() -> float:
    """Fraction of the separately compiled kernels that are on disk. It may end below 1, as not every run needs all."""
    from otjdd.compiler import kernel_cache

    for package in (physics, stepping):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    folder = kernel_cache.folder()
    names = {path.name.rpartition("-")[0] for path in folder.iterdir()} if folder else set()
    apart = {name for name, kernel in kernel_cache.KERNELS.items() if kernel.apart}
    return len(names & apart) / max(1, len(apart))
