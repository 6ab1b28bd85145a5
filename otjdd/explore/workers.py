"""The processes that simulate and draw for all tabs, so that the server stays free to answer; the turns of a tab with them.

A tab has one job at a time; a newer move ends the one that still runs.
"""

import asyncio
import importlib
import pkgutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.sharedctypes import RawArray, RawValue
from typing import Any, NamedTuple

from otjdd import physics, stepping
from otjdd.errors import LimitError
from otjdd.system import pool
from otjdd.system.pool import SHARED, Arguments, Worker, context, cores, make_ready

PRELOAD = "otjdd.explore.preload"  # module that prepares the process from which workers are copied
PATIENCE = 0.25  # s in which a job is not ended by a newer one, so that a moving slider is answered too
LOADED = 5.0  # s within which kernels are loaded if they are compiled already
LOST = "{} Another has taken its place: try again"
DEAD = "the processes that compute end before they begin: is memory short? The terminal of otjdd explore may say more"


# Modules of kernels that are compiled when a run first needs them -> what has them, in words for the page.
FIRST_NEEDED_BY = {
    "channels": "leaks, traps and wells between barriers",
    "electrons_search": "electrons in the film", "electrons_stack": "layers", "electrons_step": "electrons in the film",
    "exchange": "electrodes that exchange vacancies", "heat": "heat", "ion_fluxes": "vacancies that hold electrons",
    "junction": "barriers between layers", "quasistatic": "charged traps", "single_ions_step": "single ions",
    "traps_charge": "charged traps", "traps_kinetic": "traps", "trial_step": "single ions",
}  # fmt: skip
NAME_BYTES = 80  # of the name of a kernel in shared memory


class Shared(NamedTuple):
    """Memory that a worker shares with the server: the fraction that is done, and the kernel that it compiles."""

    fraction: Any
    kernel: Any

    @classmethod
    def new(cls) -> "Shared":
        return cls(RawValue("d"), RawArray("c", NAME_BYTES))


Idle = asyncio.Queue[tuple[Worker, Shared]]


class Workers:
    """Processes whose jobs can be ended at once: the process of an ended job is replaced by a copy of a prepared one.

    There is one worker more than processors, so that a job need not wait until an ended process is replaced.
    """

    def __init__(self) -> None:
        memories = [Shared.new() for _ in range(cores() + 1)]
        self._all = [(Worker(context(PRELOAD), tuple(shared), DEAD), shared) for shared in memories]
        self._idle: Idle = asyncio.Queue()  # a worker whose job was ended comes last
        self._began = time.monotonic()
        self.ready = asyncio.Event()

    async def start(self) -> None:
        """Wait until kernels are loaded or compiled and a first worker answers; then start the others."""
        await asyncio.to_thread(make_ready, PRELOAD)
        for worker, shared in self._all:
            if not self.ready.is_set():
                await done_by(worker, worker_answers)  # the first job reports a process that has died
            else:
                await aside(worker.give, worker_answers, (), None)
            self._idle.put_nowait((worker, shared))
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
        self._shared: Shared | None = None
        self.task = asyncio.ensure_future(self._computed(function, args))

    @property
    def fraction(self) -> float:
        return float(self._shared.fraction.value) if self._shared else 0.0

    @property
    def compiling(self) -> str:
        """What the kernels that the job compiles are for, in words; "" while it compiles none."""
        name = self._shared.kernel.value.decode() if self._shared else ""
        module = name.partition(".")[0]
        return FIRST_NEEDED_BY.get(module, module.replace("_", " "))

    async def _computed(self, function: Callable[..., Any], args: Arguments) -> Any:
        """Result of the job. Raises the exceptions of the job, LimitError when its process is ended from outside."""
        worker, shared = await self._idle.get()
        self._shared = shared
        shared.fraction.value, shared.kernel.value = 0.0, b""
        try:
            return await done_by(worker, reporting, function, args)
        finally:
            self._idle.put_nowait((worker, shared))


class Turns:
    """The jobs of one tab."""

    def __init__(self, workers: Workers):
        self._workers = workers
        self._running: RunningJob | None = None
        self._began = 0.0
        self._newest = 0
        self.doing = ""

    async def take(
        self, function: Callable[..., Any], *args: Any, waits: bool = False, doing: str = "computing"
    ) -> Any:
        """Result of function(*args, progress) in a worker; None when a newer job has taken its place.

        waits : wait for the end of the running job; otherwise end it once it is older than PATIENCE
        doing : what the job does, in words for the page
        """
        self._newest += 1
        mine = self._newest
        await self._workers.ready.wait()
        if mine != self._newest and not waits:
            return None
        while self._running is not None and not self._running.task.done():
            left = None if waits else max(0.0, self._began + PATIENCE - time.monotonic())
            await asyncio.wait([self._running.task], timeout=left)
            if mine != self._newest:
                return None
            if not waits:
                self._running.task.cancel()
        self._running = self._workers.submit(function, *args)
        self._began, self.doing = time.monotonic(), doing
        try:
            return await self._running.task
        except asyncio.CancelledError:
            return None

    def stop(self) -> None:
        """End the running job."""
        self._newest += 1
        if self._running is not None:
            self._running.task.cancel()

    @property
    def fraction(self) -> float | None:
        """Fraction of the running job that is done; None without one."""
        running = self._running
        return running.fraction if running is not None and not running.task.done() else None

    @property
    def compiling(self) -> str:
        """What the kernels that the running job compiles are for, in words; "" while it compiles none."""
        running = self._running
        return running.compiling if running is not None and not running.task.done() else ""


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


async def done_by(worker: Worker, function: Callable[..., Any], *args: Any) -> Any:
    """Result of function(*args) in a worker. Cancelling this coroutine ends the process."""
    try:
        ((_, result),) = await aside(list, pool.results([worker], function, [args], lost=refuse_lost_job))
    except asyncio.CancelledError:
        worker.future.cancel()
        raise
    return result


def refuse_lost_job(arguments: Arguments, error: Exception) -> Any:
    """Raise LimitError for a job whose process has died."""
    raise LimitError(LOST.format(error)) from None


def reporting(function: Callable[..., Any], args: Arguments) -> Any:
    """Result of function(*args, progress) in a worker, which tells its progress and the kernel that it compiles."""
    from otjdd.compiler import kernel_cache

    shared = Shared(*SHARED)

    def progress(fraction: float) -> None:
        shared.fraction.value = fraction

    def note(name: str) -> None:
        shared.kernel.value = name.encode()[: NAME_BYTES - 1]

    kernel_cache.ON_COMPILING[:] = [note]
    return function(*args, progress)


def worker_answers() -> bool:
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
