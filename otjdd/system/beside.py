"""Calls beside each other in threads of one process: kernels release Python's lock, so each has a processor of its own."""

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
    """Result of main(), and those of other(check) for each of the others, which run in threads meanwhile.

    check : takes the fraction done. The others call it now and then; it raises KeyboardInterrupt when main has failed.
    On one processor, and in a process of a pool, whose others have the other processors, one call follows the other.
    Raises the exception of main, else of the first of the others that failed.
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
    """Check of a call that nothing stops."""
