"""Work in several processes, which end with the block that started them: how they start, and what they have loaded.

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
from types import ModuleType

from otjdd.system import interpreter, template
from otjdd.system.crew import Crew
from otjdd.system.limits import watched

# Named and not imported: the solver stands above this module.
PRELOAD = "otjdd.solver.preload"  # loaded in all processes of a pool before their first job
DATASETS = "otjdd.solver.preload_datasets"  # loaded as well for jobs that make Datasets
SELF_CHECK = "otjdd.solver.self_check"

# Never a plain fork, which copies the locks of threads in whatever state they are: see `template` for the one exception.
START = mp.get_context("forkserver" if "forkserver" in mp.get_all_start_methods() else "spawn")


@contextmanager
def team(workers: int, apart: bool = False, load: tuple[str, ...] = (DATASETS,)):
    """Function (function, jobs) -> iterator over (number of a job, its result), in the order in which the jobs end.

    jobs : arguments of the function, a tuple for each call. One worker is this process itself, which keeps the order of
        the jobs; with `apart` it is another process. Processes take the options of `crew.Crew.do`.
    load : modules that processes are copied with, besides PRELOAD
    Raises the exceptions of the jobs, and MemoryError when a process was ended from outside.
    """
    if workers == 1 and not apart:
        yield one_by_one
        return
    make_ready(*load)  # once, instead of in every process
    crew = Crew(workers, context(*load), begin)
    try:
        yield crew.do
    finally:
        crew.stop()


def one_by_one(function: Callable, jobs: Iterable[tuple]) -> Iterator[tuple]:
    for number, job in enumerate(jobs):
        yield number, function(*job)


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


def make_ready(*more: str) -> None:
    """Load or compile the kernels before a pool is started: in another process where that is possible.

    That process, which all others are copied from, then loads PRELOAD and the modules `more`.
    """
    if START.get_start_method() != "forkserver":
        importlib.import_module(SELF_CHECK).trust()
        return
    from multiprocessing import forkserver

    context(*more)
    with interpreter.inherited(), template.copied():
        forkserver.ensure_running()  # and with it the resource tracker


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
