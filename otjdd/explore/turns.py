"""The jobs of a tab: one at a time; a newer move ends the one that still runs."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from otjdd.explore.workers import RunningJob, Workers

PATIENCE = 0.25  # s in which a job is not ended by a newer one, so that a moving slider is answered too


class Turns:
    """The jobs of one tab."""

    def __init__(self, workers: Workers):
        self._workers = workers
        self._running: RunningJob | None = None
        self._began = 0.0
        self._newest = 0

    async def take(self, function: Callable[..., Any], *args: Any, waits: bool = False) -> Any:
        """Result of function(*args, progress) in a worker; None when a newer job has taken its place.

        waits : wait for the end of the running job; otherwise end it once it is older than PATIENCE
        """
        self._newest += 1
        mine = self._newest
        await self._workers.ready.wait()
        if mine != self._newest and not waits:
            return None
        while self._running is not None and not self._running.task.done():
            left = None if waits else max(0.0, self._began + PATIENCE - time.monotonic())
            await asyncio.wait([self._running.task], timeout=left)
            if mine != self._newest:
                return None
            if not waits:
                self._running.task.cancel()
        self._running = self._workers.submit(function, *args)
        self._began = time.monotonic()
        try:
            return await self._running.task
        except asyncio.CancelledError:
            return None

    def stop(self) -> None:
        """End the running job."""
        self._newest += 1
        if self._running is not None:
            self._running.task.cancel()

    @property
    def fraction(self) -> float | None:
        """Fraction of the running job that is done; None without one."""
        running = self._running
        return running.fraction if running is not None and not running.task.done() else None

    @property
    def compiling(self) -> str:
        """What the kernels that the running job compiles are for, in words; "" while it compiles none."""
        running = self._running
        return running.compiling if running is not None and not running.task.done() else ""
