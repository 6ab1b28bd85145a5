"""Work in several processes, which end with the block that started them.

with team(2) as spread:
    for number, result in spread(function, [(1, "a"), (2, "b")]):
        ...

`beside` makes calls at the same time in threads of one process: kernels release Python's lock, so each has a processor.
"""

import atexit
import contextlib
import errno
import importlib
import logging
import multiprocessing as mp
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import util
from queue import Empty, SimpleQueue
from threading import Event
from types import ModuleType
from typing import Any, Protocol, TypeVar

from pebble import ProcessExpired, ProcessPool

from otjdd.errors import LimitError
from otjdd.system import interpreter, sources
from otjdd.system.limits import shielded, watched
from otjdd.system.steps import Progress

log = logging.getLogger(__name__)

# By name, since modules of the solver stand above this one.
PRELOAD = "otjdd.solver.preload"  # loaded in all processes of a pool before their first job
DATASETS = "otjdd.solver.preload_datasets"  # loaded as well for jobs that make Datasets
SELF_CHECK = "otjdd.solver.self_check"

# Never "fork", which copies locks that other threads hold.
START = mp.get_context("forkserver" if "forkserver" in mp.get_all_start_methods() else "spawn")
MOST_JOBS = 200  # jobs after which a process is replaced, to bound the memory that libraries keep
SHARED: list[Any] = []  # in a process of a pool: the arguments of `begin`
SOCKETS_OF_PARENT: list[str] = []  # in a process that others are copied from: the folder of its parent
STARTING = threading.Lock()  # held while a process is started
EVERY = 1.0  # s between two checks of running jobs
PATIENCE = 10.0  # s to wait for the threads of a pool to end
TRIES = 3  # attempts at a job whose process ends before it begins
PAUSE = 1.0  # s between two of them: a fork server that was killed still takes connections while its memory is freed
LONGEST_ADDRESS = 107 if sys.platform == "linux" else 103  # bytes of the path of a socket
SOCKET = "/pymp-12345678/listener-12345678"  # example of a socket of multiprocessing in the folder for temporary files

AGAIN = object()  # in place of the result of a job that was given and not computed
Arguments = tuple[Any, ...]  # of one call
Lost = Callable[[Arguments, MemoryError | TimeoutError], Any]
Spread = Callable[..., Iterator[tuple[int, Any]]]


@contextmanager
def team(workers: int, apart: bool = False, load: tuple[str, ...] = (DATASETS,)) -> Iterator[Spread]:
    """Context with a function (function, jobs) -> iterator over (number of a job, its result), as the jobs end.

    jobs : arguments of the function, a tuple for each call
    One worker is this process itself, which keeps the order of the jobs; with `apart` it is another process. With other
    processes the function also takes the options of `results`.
    load : modules that processes load before their first job, besides PRELOAD
    Raises the exceptions of the jobs, and MemoryError when a process was ended from outside.
    """
    if workers == 1 and not apart:
        yield one_by_one
        return
    if mp.current_process().daemon:
        raise LimitError(
            "this process is a daemon of multiprocessing, which may not start others: use workers=None, or one worker"
        )
    make_ready(*load)  # once, instead of in every process
    processes = [Worker(context(*load)) for _ in range(workers)]
    try:
        yield partial(results, processes)
    finally:
        stop(processes)


class Slot(Protocol):
    """What computes one job at a time: a process, or a share of a cluster."""

    def give(self, function: Callable[..., Any], arguments: Arguments, limit: float | None) -> "Future[Any]":
        """Future of a call. limit : time for the call [s]"""

    def look_after(self) -> None:
        """End a future that will not end by itself, or raise. Called every EVERY seconds in which no job ends."""

    def result(self, future: "Future[Any]", arguments: Arguments, limit: float | None, lost: Lost | None) -> Any:
        """Result of a job that has ended, or of `lost` for one without; AGAIN for one to be given once more."""

    def stop(self) -> "threading.Thread | None":
        """End a running job at once. Returns the thread that ends with it."""


def results(
    slots: Iterable[Slot], function: Callable[..., Any], jobs: Iterable[Arguments], *, limit: float | None = None,
    alone: bool = False, lost: Lost | None = None,
) -> Iterator[tuple[int, Any]]:  # fmt: skip
    """Yield (number of a job, its result) as the jobs end at several slots.

    jobs : arguments of the function, a tuple for each call; the next is taken when a slot is free
    limit : time for a job [s]; beyond it the process is ended and replaced
    alone : finish the first job, and yield its result, before others begin
    lost : (arguments of a job, error) -> result in place of one that the job did not give: TimeoutError over the
        limit, MemoryError when the process was ended from outside. Without `lost` the error is raised
    Raises the exceptions of the jobs; LimitError when processes repeatedly end before they begin.
    """
    coming, idle, again = enumerate(jobs), [*slots], deque[tuple[int, Arguments]]()
    running: dict[Future[Any], tuple[Slot, int, Arguments]] = {}
    ended: SimpleQueue[Future[Any]] = SimpleQueue()

    def hand_out(most: int) -> None:
        while idle and len(running) < most and (job := again.popleft() if again else next(coming, None)):
            slot = idle.pop()
            future = slot.give(function, job[1], limit)
            running[future] = slot, *job
            future.add_done_callback(ended.put)

    everywhere = len(idle)
    try:
        hand_out(1 if alone else everywhere)
        while running:
            try:
                future = ended.get(timeout=EVERY)
            except Empty:
                for slot in {slot for slot, *_ in running.values()}:
                    slot.look_after()
                continue
            slot, number, arguments = running.pop(future)
            idle.append(slot)
            if (result := slot.result(future, arguments, limit, lost)) is AGAIN:
                again.append((number, arguments))
            else:
                if not alone:
                    hand_out(everywhere)  # so that processes work while the caller uses the result
                yield number, result
                alone = False
            hand_out(1 if alone else everywhere)
    finally:
        stop(slot for slot, *_ in running.values())


ENDED = (
    "the processes that compute end before they begin, three times in a row: they are killed, or memory or the "
    "number of processes is limited (ulimit -v, -u). What was computed is kept; use fewer --workers"
)


class Worker:
    """A process that does one job after the other. It starts with its first job.

    Each process is a pool of its own: the processes of a larger pool share locks, and one that is killed while it holds
    them blocks the others.
    shared : arguments of `begin`, for memory that the process shares with this one
    words : of the error when processes repeatedly end before they begin
    """

    def __init__(self, context: "Context", shared: Arguments = (), words: str = ENDED):
        self.context, self.shared, self.words = context, shared, words
        self.pool: ProcessPool | None = None
        self.future: Future[bytes] = Future()  # of the last job
        self.tries = 0  # processes in a row that ended before they began a job

    def give(self, function: Callable[..., Any], arguments: Arguments, limit: float | None) -> "Future[bytes]":
        """Future of a call, with the result of `outcome`. A process that has ended is replaced first."""
        try:
            if self.pool is not None and not self.pool.active:
                log.warning("a process was ended from outside before its next job; another takes its place")
                stop([self])
            with shielded():  # a pool that is interrupted while it holds its locks cannot be ended
                if self.pool is None:
                    self.pool = ProcessPool(1, MOST_JOBS, begin, self.shared, context=self.context)
                asked = sources.digest(sources.ALL), function, arguments
                self.future = self.pool.schedule(outcome, asked, timeout=limit)
        except (BrokenProcessPool, RuntimeError) as error:  # the process cannot be started, or has just ended
            self.future = Future()
            self.future.set_exception(BrokenProcessPool(str(error)))
        return self.future

    def look_after(self) -> None:
        """Set an exception on a future that its pool will never finish, because it broke while it was given the job."""
        if self.pool is not None and not self.pool.active:
            wait([self.future], EVERY)  # a broken pool finishes the futures that it knows of
            if not self.future.done():
                self.future.set_exception(BrokenProcessPool("its pool ended"))

    def result(self, future: "Future[bytes]", arguments: Arguments, limit: float | None, lost: Lost | None) -> Any:
        """As `Slot.result`. Raises the exception of the job, LimitError when it did not begin TRIES times in a row."""
        error = future.exception()
        self.tries = self.tries + 1 if isinstance(error, BrokenProcessPool) else 0
        if self.tries == TRIES:
            raise LimitError(self.words)
        if self.tries:
            time.sleep(PAUSE)
            return AGAIN
        if isinstance(error, ProcessExpired):
            stop([self])  # the process may have ended while it held the locks of its pool
            code = error.exitcode
            fate = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            error = MemoryError(f"the process {fate}; out of memory?")
        elif isinstance(error, TimeoutError):
            error = TimeoutError(f"took longer than {limit:g} s")
        if error is None:
            good, value = pickle.loads(future.result())
            if good:
                return value
            raise value
        if lost is None or not isinstance(error, MemoryError | TimeoutError):
            raise error
        return lost(arguments, error)

    def stop(self) -> threading.Thread | None:
        """End the process at once. Returns the thread that waits for its end."""
        if self.pool is None:
            return None
        self.pool.stop()
        ending = threading.Thread(target=self.pool.join, daemon=True)
        ending.start()
        self.pool = None
        return ending


def stop(slots: Iterable[Slot]) -> None:
    """End what runs at several slots at once, and wait until it has ended."""
    with shielded():
        for ending in [slot.stop() for slot in slots]:
            if ending is not None:
                ending.join(PATIENCE)  # a thread that waits for the rest of a message of a killed process never ends


def outcome(digest: str, function: Callable[..., Any], arguments: Arguments) -> bytes:
    """(True, result) of a call, or (False, exception), pickled. digest : of ALL sources, in the process that asks"""
    try:
        sources.check_same(digest)
        return pickle.dumps((True, function(*arguments)))
    except Exception as error:
        error.add_note(f"in another process:\n{traceback.format_exc()}")
        pickled = pickle.dumps((False, RuntimeError("".join(traceback.format_exception(error)))))
        with contextlib.suppress(Exception):  # the exception cannot be pickled, or not restored from its arguments
            pickle.loads(as_it_is := pickle.dumps((False, error)))
            pickled = as_it_is
        return pickled


def one_by_one(function: Callable[..., Any], jobs: Iterable[Arguments]) -> Iterator[tuple[int, Any]]:
    for number, job in enumerate(jobs):
        yield number, function(*job)


def counted_jobs(spread: Spread, progress: Progress, count: int = 0) -> Spread:
    """A function like `spread` that calls `progress` with the fraction of the jobs that have ended.

    count : jobs of all calls together; 0 for the fraction of each call by itself
    """
    ended = 0

    def counting(function: Callable[..., Any], jobs: Iterable[Arguments], **options: Any) -> Iterator[tuple[int, Any]]:
        nonlocal ended
        every, ended = list(jobs), ended if count else 0
        for result in spread(function, every, **options):
            ended += 1
            if progress:
                progress(min(1.0, ended / (count or len(every))))
            yield result

    return counting


def begin(*shared: Any) -> None:
    """Initialise a process of a pool: load otjdd, so that this does not count as time of the first job.

    shared : kept in SHARED, for the jobs
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # ends the process at once, even within a kernel
    threading.Thread(target=end_with_parent, daemon=True).start()
    SHARED[:] = shared
    importlib.import_module(PRELOAD)


def end_with_parent() -> None:
    """End this process at once when its parent has ended or was killed."""
    parent, template = mp.parent_process(), os.getppid()
    if parent is not None:
        parent.join()
        if os.getppid() == template:  # otherwise only the fork server was killed, and the parent starts another
            shutil.rmtree(util.get_temp_dir(), ignore_errors=True)  # the parent's, which its processes share
        os._exit(1)


def heed_parent() -> None:
    """Ignore Ctrl-C and the end of the terminal in a process of a pool: the parent handles them."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


class Process(START.Process):  # type: ignore[name-defined, misc]  # a class that the system chooses
    """A process that does not run the script it is started from again.

    By default a new process runs that script, and starts the same work if the script does not check `__name__`. Jobs need
    this package only.
    """

    def start(self) -> None:
        with STARTING, interpreter.inherited(util.get_temp_dir()):
            main = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super().start()
            finally:
                sys.modules["__main__"] = main


class Context(type(START)):  # type: ignore[misc]  # a class that the system chooses
    """Start method of the processes of a pool."""

    Process = Process


def context(*more: str) -> Context:
    """Start method whose processes have loaded PRELOAD and the modules `more`."""
    if START.get_start_method() == "forkserver":
        START.set_forkserver_preload([PRELOAD, *more])
    return Context()


def make_ready(*more: str) -> None:
    """Load or compile the kernels before a pool starts: on Unix in a process that all others are copied from.

    That process also loads PRELOAD and the modules `more`. Raises OSError if it cannot be reached.
    """
    if START.get_start_method() != "forkserver":
        importlib.import_module(SELF_CHECK).verify_kernels()
        return
    from multiprocessing import forkserver  # not on Windows

    check_place()
    context(*more)
    with interpreter.inherited(util.get_temp_dir()), without_signals_of_the_terminal():
        forkserver.ensure_running()  # also starts the resource tracker


def check_place() -> None:
    """Raise OSError if the path of the folder for temporary files is too long for the sockets of multiprocessing."""
    folder = tempfile.gettempdir()
    if len(os.fsencode(folder + SOCKET)) > LONGEST_ADDRESS:
        reason = "too long a path for the sockets of processes; set TMPDIR to a shorter one"
        raise OSError(errno.ENAMETOOLONG, reason, folder)


@contextmanager
def without_signals_of_the_terminal() -> Iterator[None]:
    """Processes that are started within the block ignore Ctrl-C and the end of the terminal, which this one handles."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def ended_with_parent() -> Iterator[None]:
    """Within the block this process exits when its parent has died. Then, and at its own end, the parent's sockets go."""
    parent = interpreter.parent()
    if sockets := os.environ.pop(interpreter.SOCKETS, ""):
        SOCKETS_OF_PARENT.append(sockets)
        atexit.register(remove_sockets)

    def watch(over: threading.Event) -> None:
        while not over.wait(0.05):
            if os.getppid() != parent:
                remove_sockets()
                os._exit(1)

    with watched(watch):
        yield


def forget_server() -> None:
    """Let a process that a program has forked from this one start its own fork server, in a folder of its own."""
    if server := sys.modules.get("multiprocessing.forkserver"):
        server._forkserver.__init__()  # it would wait for a child of another process
    vars(mp.current_process())["_config"].pop("tempdir", None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_server)


def remove_sockets() -> None:
    """Remove the folder for sockets of the process that this one works for, which has ended."""
    for folder in SOCKETS_OF_PARENT:
        shutil.rmtree(folder, ignore_errors=True)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Main = TypeVar("Main")
Other = TypeVar("Other")
Check = Callable[[float], None]


def beside(main: Callable[[], Main], others: Sequence[Callable[[Check], Other]]) -> tuple[Main, list[Other]]:
    """Results of main(), and of other(check) for each of the others, which run in threads at the same time.

    check : the others call it now and then with the fraction done; it raises KeyboardInterrupt when main has failed
    On one processor, and in a process of a pool, which has one processor to itself, the calls follow each other.
    Raises the exception of main, else of the first of the others that failed.
    """
    failed = Event()

    def check(fraction: float) -> None:
        if failed.is_set():
            raise KeyboardInterrupt

    if cores() == 1 or mp.parent_process() is not None:
        return main(), [other(check) for other in others]
    with ThreadPoolExecutor(max(1, len(others))) as threads:
        futures = [threads.submit(other, check) for other in others]
        try:
            return main(), [future.result() for future in futures]
        except BaseException:
            failed.set()
            raise
