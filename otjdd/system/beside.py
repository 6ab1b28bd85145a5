"""Calls at the same time in threads of one process. Kernels release Python's lock, so each call has its own processor."""

import multiprocessing as mp
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from otjdd.system.pool import cores

Main = TypeVar("Main")
Other = TypeVar("Other")
Check = Callable[[float], None]


def beside(main: Callable[[], Main], others: Sequence[Callable[[Check], Other]]) -> tuple[Main, list[Other]]:
    """Results of main(), and of other(check) for each of the others, which run in threads at the same time.

    check : the others call it now and then with the fraction done; it raises KeyboardInterrupt when main has failed
    On one processor, and in a process of a pool, which has one processor to itself, the calls follow each other.
    Raises the exception of main, else that of the first of the others that failed.
    """
    if cores() == 1 or mp.parent_process() is not None:
        return main(), [other(go_on) for other in others]
    failed = Event()

    def check(fraction: float) -> None:
        if failed.is_set():
            raise KeyboardInterrupt

    with ThreadPoolExecutor(max(1, len(others))) as threads:
        futures = [threads.submit(other, check) for other in others]
        try:
            return main(), [future.result() for future in futures]
        except BaseException:
            failed.set()
            raise


def go_on(fraction: float) -> None:
    """A `check` that never stops the call."""
