"""The process that all processes of a pool are copied from, as a copy of this one, with the libraries that are loaded here.

`multiprocessing` starts it as a new interpreter, which imports everything once more: half a second of a processor before
each study. A process of otjdd's own that has no threads in Python is copied instead. OpenBLAS, whose threads numpy
starts, ends them before a copy is made and starts them again when they are needed.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker, util

from otjdd.system import interpreter

STOPPING = {signal.SIGINT, signal.SIGTERM}


def may_be_copied() -> bool:
    """True when a copy of this process can go on: no lock is held by a thread that the copy would not have."""
    return interpreter.OWN and sys.platform == "linux" and threading.active_count() == 1


@contextmanager
def copied() -> Iterator[None]:
    """Within the block the template is started as a copy of this process where that is possible."""
    if not may_be_copied():
        yield
        return
    resource_tracker.ensure_running()  # a process of its own, as ever
    before, util.spawnv_passfds = util.spawnv_passfds, copy
    try:
        yield
    finally:
        util.spawnv_passfds = before


def copy(path, arguments: list, descriptors: list[int]) -> int:
    """As `multiprocessing.util.spawnv_passfds`, for the server of copies with its descriptors and no other program."""
    sys.stdout.flush()  # or the copy would write it as well
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        if number := os.fork():
            return number
        serve(descriptors, before)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(descriptors: list[int], mask: set[signal.Signals]) -> None:
    """Load what the template holds and serve copies of it, as a new interpreter would, and end with that."""
    ended, load = 1, list(forkserver._forkserver._preload_modules)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        sys.unraisablehook = sys.__unraisablehook__
        close_all_but(descriptors)
        for server in (forkserver._forkserver, resource_tracker._resource_tracker):
            type(server).__init__(server)  # what they hold is of the process that was copied
        listener, alive, *key = descriptors  # a key since Python 3.14
        forkserver.main(listener, alive, load, **({"authkey_r": key[0]} if key else {}))
    except SystemExit:
        ended = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(ended)


def close_all_but(descriptors: list[int]) -> None:
    """Close all but the standard streams and these. That of `multiprocessing.util` closes them too in Python 3.11."""
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2 and number not in descriptors:
            with suppress(OSError):  # the one that the folder was read with
                os.close(number)
