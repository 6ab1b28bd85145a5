"""Work for several processes, which end with the block that asked for them.

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
PRELOAD = "otjdd.solver.preload"  # what all processes of a pool have loaded when they start
SELF_CHECK = "otjdd.solver.self_check"

# Never a plain fork, which copies the locks of threads in whatever state they are.
START = mp.get_context("forkserver" if "forkserver" in mp.get_all_start_methods() else "spawn")


@contextmanager
def team(workers: int):
    """A function (function, jobs) -> iterator over (number of a job, what it returned), as they are done.

    jobs : arguments of the function, a tuple for each call. One worker is this process itself, which goes by the order.
    Raises what a job raises, MemoryError when a process was ended from outside.
    """
    if workers == 1:
        yield one_by_one
        return
    from pebble import ProcessPool

    make_ready()  # once, before all processes would do it
    pool = ProcessPool(workers, initializer=heed_parent, context=context())
    try:
        yield partial(in_processes, pool)
        pool.close()
    finally:
        pool.stop()
        pool.join()


def one_by_one(function: Callable, jobs: Iterable[tuple]) -> Iterator[tuple]:
    for number, job in enumerate(jobs):
        yield number, function(*job)


def in_processes(pool, function: Callable, jobs: Iterable[tuple]) -> Iterator[tuple]:
    from concurrent.futures import as_completed

    from pebble import ProcessExpired

    numbers = {pool.schedule(function, args=job): number for number, job in enumerate(jobs)}
    for future in as_completed(numbers):
        try:
            yield numbers[future], future.result()
        except ProcessExpired as error:
            raise MemoryError(f"a process of the pool was ended ({error})") from error


def heed_parent() -> None:
    """First thing in a process: Ctrl-C is for the parent to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Process(START.Process):
    """A process without the script that it is started from.

    A new process would run that script once more, and start the same work itself where the script does not ask for its
    name first. All that is needed is in this package.
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
    """What a pool starts its processes with."""

    Process = Process


def context() -> Context:
    if START.get_start_method() == "forkserver":
        START.set_forkserver_preload([PRELOAD])
    return Context()


def make_ready() -> None:
    """Have the kernels loaded, or compiled, before a pool is started: beside this process where that is possible."""
    if not get_ready_beside():
        importlib.import_module(SELF_CHECK).trust()


def get_ready_beside() -> bool:
    """Start the process that all others are copied from, which then gets ready; False where there is none."""
    if START.get_start_method() != "forkserver":
        return False
    from multiprocessing import forkserver

    context()
    with interpreter.inherited():
        forkserver.ensure_running()  # and with it the resource tracker
    return True


@contextmanager
def ended_with_parent():
    """Within the block this process ends when its parent does, which need not have come to want it."""
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
