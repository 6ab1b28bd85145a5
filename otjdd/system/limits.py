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

from otjdd.errors import LimitError, Stopped

EVERY = 0.05  # s between two checks of time and memory
NEEDED = 2.0**30  # bytes of addresses: libraries take 0.6 GiB, and the compilation of kernels 0.9 GiB in all
SHARE = 0.8  # of the machine's memory: the default limit


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


@contextmanager
def heeding_signals(reasons: Sequence[str] = ()) -> Iterator[None]:
    """Within the block SIGTERM raises Stopped, as SIGINT raises KeyboardInterrupt. Main thread only.

    reasons : list that limits add their reason to before they send SIGTERM; the first one is reported
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(reasons[0], limit=True) if reasons else Stopped("interrupted by SIGTERM", limit=False)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with raised_again():
            yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@contextmanager
def raised_again() -> Iterator[None]:
    """Within the block, repeat an interruption that Python could not deliver, until it is delivered.

    LLVM calls back into Python while it compiles. An exception that a signal raises in such a callback has no caller:
    Python reports it as unraisable, and the program would continue as if there had been no signal.
    """
    before = sys.unraisablehook
    timers: list[threading.Timer] = []

    def heed(unraisable: "sys.UnraisableHookArgs") -> None:
        error = interruption(unraisable.exc_value) if unraisable.exc_value else None
        if error is None:
            before(unraisable)
            return
        # An exception raised in this hook is lost as well, so the signal is sent later.
        number = signal.SIGTERM if isinstance(error, Stopped) else signal.SIGINT
        timer = threading.Timer(EVERY, interrupt, [number])
        timer.daemon = True
        timer.start()
        timers.append(timer)

    sys.unraisablehook = heed
    try:
        yield
    finally:
        sys.unraisablehook = before
        for timer in timers:  # a timer that fires after the block would interrupt other code
            timer.cancel()
            timer.join()


@contextmanager
def shielded() -> Iterator[None]:
    """Within the block, signals are held back until its end, so that a write in it is complete. Main thread only."""
    waiting: list[int] = []
    before = {
        n: signal.signal(n, lambda number, frame: waiting.append(number)) for n in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler or signal.SIG_DFL)
    for number in waiting[:1]:
        signal.raise_signal(number)


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
                over.wait(1.0)  # then again, if a library has swallowed the exception

    with heeding_signals(reasons), watched(watch):
        yield


def address_space() -> float:
    """Limit of the memory that this process may address (ulimit -v) [bytes], infinite without one."""
    try:
        import resource
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
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def machine_memory() -> float:
    """Memory of the machine [bytes]; infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
