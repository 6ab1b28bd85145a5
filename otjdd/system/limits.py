"""Interruptions of a run: signals, a limit on time, a limit on memory. All of them act like Ctrl-C.

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

EVERY = 0.05  # s between two checks of the watch
NEEDED = 2.0**30  # bytes of addresses: 0.6 GiB with all libraries loaded, 0.9 GiB while kernels are compiled
SHARE = 0.8  # of the machine's memory is the limit when none is given


def interruption(error: BaseException) -> KeyboardInterrupt | None:
    """The KeyboardInterrupt behind an exception: itself or its cause; None when there is none."""
    error = behind(error)
    return error if isinstance(error, KeyboardInterrupt) else None


def behind(error: BaseException) -> BaseException:
    """The exception that a handler of a signal raised while a compiled kernel ran; else the exception itself.

    Python then says SystemError ("returned a result with an exception set").
    """
    return (error.__cause__ or error.__context__ or error) if isinstance(error, SystemError) else error


def interrupt(number: int) -> None:
    """Send a signal to the main thread, so that it stops waiting; `raise_signal` in another thread does not wake it."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


@contextmanager
def heeding_signals(reasons: Sequence[str] = ()) -> Iterator[None]:
    """Within the block SIGTERM raises Stopped, as SIGINT raises KeyboardInterrupt. Main thread only.

    reasons : of limits that send SIGTERM themselves; the first of them is reported in place of the signal
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
    """Within the block, raise an interruption again that Python could not deliver, until it is delivered.

    While LLVM compiles it calls back into Python. An exception raised by a signal in such a callback has no caller:
    Python reports it as unraisable, and the program would continue as if there had been no signal.
    """
    before = sys.unraisablehook
    timers: list[threading.Timer] = []

    def heed(unraisable: "sys.UnraisableHookArgs") -> None:
        error = interruption(unraisable.exc_value) if unraisable.exc_value else None
        if error is None:
            before(unraisable)
            return
        # Not here: an exception raised in this hook is lost as well.
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
        for timer in timers:  # one that fired after the block would interrupt what comes next
            timer.cancel()
            timer.join()


@contextmanager
def shielded() -> Iterator[None]:
    """Signals wait for the end of the block, so that a write in it is complete. Main thread only."""
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
    """Run watch(over) in a thread beside the block, at whose end the Event `over` is set."""
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
    """Raise Stopped within the block when it takes longer [s], or the process more memory [bytes], than allowed.

    Half of the memory is for the run; writing its result needs as much again. Main thread only.
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
                over.wait(1.0)  # and again, should a library have swallowed the exception

    with heeding_signals(reasons), watched(watch):
        yield


def address_space() -> float:
    """Limit of the memory that this process may address (ulimit -v), bytes; infinite where there is none."""
    try:
        import resource
    except ImportError:
        return math.inf
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if soft == resource.RLIM_INFINITY else float(soft)


def check_address_space() -> None:
    """Raise LimitError where libraries could not even be loaded: those of C++ end the process when memory is short."""
    if address_space() < NEEDED:
        raise LimitError(
            f"the limit on memory (ulimit -v) is {address_space() / 2**30:.3g} GiB; otjdd takes up to "
            f"{NEEDED / 2**30:.3g} GiB before any run. Raise it, and limit a run by --max-memory"
        )


def resident() -> float:
    """Memory that this process takes, bytes; 0 where the system does not say."""
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
    """Memory of the machine, bytes; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
