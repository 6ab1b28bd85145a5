"""Interruptions of a run by signals, a limit on time, or a limit on memory. All of them act like Ctrl-C.

`Stopped` is a KeyboardInterrupt, so code that keeps the computed part after Ctrl-C keeps it in all these cases.
"""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

from otjdd.errors import LimitError, Stopped

EVERY = 0.05  # s between two checks of time and memory
AGAIN = 5.0  # s after which a limit is told once more, in case a library has swallowed the exception
NEEDED = 2.0**30  # bytes of addresses: libraries take 0.6 GiB, and the compilation of kernels 0.9 GiB in all
SHARE = 0.8  # of the machine's memory: the default limit
ENDING = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1")
    if hasattr(signal, name)  # Windows has the first two
]  # signals that ask a process to end: by the user, the system, a terminal that closes, schedulers of a cluster
UNPICKLING = "_numba_unpickle"  # function of numba that machine code calls
NEW_NAMED_TUPLE = "<string>", "<lambda>"  # file and function of the code that makes a named tuple

Result = TypeVar("Result")
PENDING: list[int] = []  # signals that came while a kernel made its result: the first Python code behind a long call


def interruption(error: BaseException) -> KeyboardInterrupt | None:
    """The KeyboardInterrupt that an exception is, or is caused by; None if there is none."""
    error = behind(error)
    return error if isinstance(error, KeyboardInterrupt) else None


def behind(error: BaseException) -> BaseException:
    """The exception that a signal handler raised while a compiled kernel ran; else the exception itself.

    Python wraps such an exception into a SystemError ("returned a result with an exception set").
    """
    return (error.__cause__ or error.__context__ or error) if isinstance(error, SystemError) else error


def interrupt(number: int) -> None:
    """Send a signal to the main thread, which ends its waiting; `raise_signal` in another thread would not."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


def interrupt_if_pending(number: int) -> None:
    """Send a signal of PENDING to the main thread. One delivered twice would end the keeping of what was computed."""
    if PENDING:
        interrupt(number)


def interrupt_later(number: int, send: Callable[[int], None] = interrupt) -> threading.Timer:
    """Send a signal to the main thread after a moment. Returns the timer that does so."""
    timer = threading.Timer(EVERY, send, [number])
    timer.daemon = True
    timer.start()
    return timer


def heed_pending() -> None:
    """Deliver a signal of PENDING, between two calls of kernels. Sent again later, it would come within the next call."""
    if PENDING:
        number = PENDING[-1]
        PENDING.clear()
        signal.raise_signal(number)


@contextmanager
def heeding_signals(reasons: Sequence[str] = ()) -> Iterator[None]:
    """Within the block each of ENDING raises Stopped, as SIGINT raises KeyboardInterrupt. Main thread only.

    A signal that this process was started to ignore (nohup, a job in the background) is still ignored, SIGTERM excepted.
    reasons : list that limits add their reason to before they send SIGTERM; the first one is reported
    """
    delayed: list[threading.Timer] = []

    def send_later(number: int) -> None:
        delayed.append(interrupt_later(number))

    def stop(number: int, frame: FrameType | None) -> None:
        if called_by_machine_code(frame):
            PENDING.append(number)
            delayed.append(interrupt_later(number, interrupt_if_pending))
            return
        PENDING.clear()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        if reasons:
            raise Stopped(reasons[0], limit=True)
        raise Stopped(f"interrupted by {signal.Signals(number).name}", limit=False)

    free = signal.SIG_DFL, signal.default_int_handler  # not ignored, and not handled already
    handled = [number for number in ENDING if number == signal.SIGTERM or signal.getsignal(number) in free]
    before = {number: signal.signal(number, stop) for number in handled}
    try:
        with raised_again(send_later):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        PENDING.clear()
        for timer in delayed:  # a timer that fires after the block would interrupt other code
            timer.cancel()
            timer.join()


def called_by_machine_code(frame: FrameType | None) -> bool:
    """True where a compiled kernel has called back into Python: it makes a named tuple, or loads an object of its code.

    An exception there comes out of the kernel as a SystemError, or is lost. These calls last microseconds.
    """
    if frame is not None and (frame.f_code.co_filename, frame.f_code.co_name) == NEW_NAMED_TUPLE:
        return True
    while frame is not None and frame.f_code.co_name != UNPICKLING:
        frame = frame.f_back
    return frame is not None


@contextmanager
def raised_again(send_later: Callable[[int], None]) -> Iterator[None]:
    """Within the block, repeat an interruption that Python could not deliver, until it is delivered.

    LLVM calls back into Python while it compiles. An exception that a signal raises in such a callback has no caller:
    Python reports it as unraisable, and the program would continue as if there had been no signal.

    send_later : sends a signal after a moment; an exception that is raised in the hook itself is lost as well
    """
    before = sys.unraisablehook

    def heed(unraisable: "sys.UnraisableHookArgs") -> None:
        error = interruption(unraisable.exc_value) if unraisable.exc_value else None
        if error is None:
            before(unraisable)
        else:
            send_later(signal.SIGTERM if isinstance(error, Stopped) else signal.SIGINT)

    sys.unraisablehook = heed
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextmanager
def shielded(send: Callable[[int], object] = signal.raise_signal) -> Iterator[None]:
    """Within the block, signals are held back until its end, so that a write in it is complete.

    In a thread other than the main one, which no signal interrupts, nothing changes.
    send : sends the first of these signals at the end
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    handled = [number for number in ENDING if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, lambda number, frame: waiting.append(number)) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in waiting[:1]:
        send(number)


def uninterrupted(work: Callable[[], Result]) -> tuple[Result, KeyboardInterrupt | None]:
    """Result of a call that signals do not interrupt, and the interruption that one of them asks for."""
    try:
        with shielded():
            result = work()
    except KeyboardInterrupt as error:  # at the end of the block, with the result at hand
        return result, error
    return result, None


@contextmanager
def watched(watch: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run watch(over) in a thread during the block. The Event `over` is set at its end."""
    over = threading.Event()
    thread = threading.Thread(target=watch, args=(over,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def limits(seconds: float | None, memory: float) -> Iterator[None]:
    """Raise Stopped within the block when it exceeds a time [s], or the process half of a memory [bytes].

    The other half is for writing the result. Main thread only.
    """
    reasons: list[str] = []
    began = time.monotonic()

    def watch(over: threading.Event) -> None:
        while not over.wait(EVERY):
            if seconds is not None and time.monotonic() - began > seconds:
                reasons.append(f"interrupted: over the time limit of {seconds:g} s")
            elif resident() > memory / 2:
                reasons.append(f"interrupted: over half of the memory limit of {memory / 2**30:.3g} GiB; record less")
            if reasons:
                interrupt(signal.SIGTERM)
                over.wait(AGAIN)

    with heeding_signals(reasons), watched(watch):
        yield


def address_space() -> float:
    """Limit of the memory that this process may address (ulimit -v) [bytes], infinite without one."""
    try:
        import resource  # not on Windows
    except ImportError:
        return math.inf
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if soft == resource.RLIM_INFINITY else float(soft)


def check_address_space() -> None:
    """Raise LimitError if the libraries cannot be loaded, some of which end the process when memory is short."""
    if address_space() < NEEDED:
        raise LimitError(
            f"the limit on memory (ulimit -v) is {address_space() / 2**30:.3g} GiB; otjdd takes up to "
            f"{NEEDED / 2**30:.3g} GiB before any run. Raise it, and limit a run by --max-memory"
        )


def resident() -> float:
    """Memory of this process [bytes]; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import resource  # not on Windows
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def free_memory() -> float:
    """Memory that this process may still take [bytes], by the system and by ulimit -v; infinite where neither tells."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        free = machine_memory()
    return min(free, address_space() - resident())


def machine_memory() -> float:
    """Memory of the machine [bytes]; infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
