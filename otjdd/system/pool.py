"""The one pool of processes. Its processes end with the block that started them.

with team(2) as spread:
    for number, result in spread(function, [(1, "a"), (2, "b")]):
        ...
"""

import importlib
import multiprocessing as mp
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType

from otjdd.system import interpreter
from otjdd.system.limits import watched

# Named and not imported: the solver stands above this module.
PRELOAD = "otjdd.solver.preload"  # loaded in all processes of a pool before their first job
SELF_CHECK = "otjdd.solver.self_check"

AHEAD = 4  # jobs a worker that are handed out at a time, so that memory does not grow with the number of jobs

# Never a plain fork, which copies the locks of threads in whatever state they are.
START = mp.get_context("forkserver" if "forkserver" in mp.get_all_start_methods() else "spawn")


@contextmanager
def team(workers: int, apart: bool = False):
    """Function (function, jobs) -> iterator over (number of a job, its result), in the order in which the jobs end.

    jobs : arguments of the function, a tuple for each call. One worker is this process itself, which keeps the order of
        the jobs; with `apart` it is another process. Processes take the options of `in_processes`.
    Raises the exceptions of the jobs, and MemoryError when a process was ended from outside.
    """
    if workers == 1 and not apart:
        yield one_by_one
        return
    make_ready()  # once, instead of in every process
    pool = processes(workers)
    try:
        yield partial(in_processes, pool, workers * AHEAD)
        pool.close()
    finally:
        pool.stop()
        pool.join()


def processes(workers: int, *more: str):
    """A pebble pool of processes that have loaded PRELOAD and the modules `more`. Its caller stops and joins it."""
    from pebble import ProcessPool

    return ProcessPool(workers, initializer=begin, context=context(*more))


def one_by_one(function: Callable, jobs: Iterable[tuple]) -> Iterator[tuple]:
    for number, job in enumerate(jobs):
        yield number, function(*job)


def in_processes(
    pool, room: int, function: Callable, jobs: Iterable[tuple], *, limit: float | None = None, alone: bool = False,
    lost: Callable | None = None,
) -> Iterator[tuple]:  # fmt: skip
    """Iterator over (number of a job, its result) from the processes of a pool.

    room : jobs that are handed out at a time; more are taken from `jobs` as these end
    limit : time that a job may take [s]; its process is then ended and replaced
    alone : the first job ends, and the caller has looked at its result, before others begin
    lost : (arguments of a job, error) -> result of a job without one: TimeoutError over the limit, MemoryError when the
        process was ended from outside. Without `lost` the error is raised.
    """
    from concurrent.futures import FIRST_COMPLETED, wait

    numbered, running, most = enumerate(jobs), {}, 1 if alone else room
    while True:
        while len(running) < most and (job := next(numbered, None)) is not None:
            running[pool.schedule(function, args=job[1], timeout=limit)] = job
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            number, arguments = running.pop(future)
            error = failure(future, limit)
            if error is not None and lost is None:
                raise error
            yield number, future.result() if error is None else lost(arguments, error)
        most = room


def failure(future, limit: float | None) -> Exception | None:
    """Error of a future whose process was ended; None for a result, and for an error of the job itself."""
    from pebble import ProcessExpired

    error = future.exception()
    if isinstance(error, TimeoutError) and limit is not None:
        return TimeoutError(f"took longer than {limit:g} s")
    if isinstance(error, ProcessExpired):
        code = error.exitcode
        how = f"killed by signal {-code}" if code and code < 0 else f"ended with code {code}"
        return MemoryError(f"the process was {how}; out of memory?")
    return None


def begin() -> None:
    """Initializer of a process: load otjdd, so that the time of the first job does not include it."""
    heed_parent()
    importlib.import_module(PRELOAD)


def heed_parent() -> None:
    """Ignore Ctrl-C in a process of a pool: the parent handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Process(START.Process):
    """A process that does not run the script it is started from.

    By default a new process runs that script again, and starts the same work where the script does not check `__name__`.
    Jobs need this package only.
    """

    @staticmethod
    def _Popen(process):
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            with interpreter.inherited():
                return START.Process._Popen(process)
        finally:
            sys.modules["__main__"] = main


class Context(type(START)):
    """Start method of the processes of a pool."""

    Process = Process


def context(*more: str) -> Context:
    """Start method whose processes have loaded PRELOAD and the modules `more`."""
    if START.get_start_method() == "forkserver":
        START.set_forkserver_preload([PRELOAD, *more])
    return Context()


def make_ready() -> None:
    """Load or compile the kernels before a pool is started: in another process where that is possible."""
    if not get_ready_beside():
        importlib.import_module(SELF_CHECK).trust()


def get_ready_beside() -> bool:
    """Start the process that all others are copied from, which then loads PRELOAD; False where the system has none."""
    if START.get_start_method() != "forkserver":
        return False
    from multiprocessing import forkserver

    context()
    with interpreter.inherited():
        forkserver.ensure_running()  # and with it the resource tracker
    return True


@contextmanager
def ended_with_parent():
    """Within the block this process exits when its parent has died."""
    parent = interpreter.parent()

    def watch(over):
        while not over.wait(0.05):
            if os.getppid() != parent:
                os._exit(1)

    with watched(watch):
        yield


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
