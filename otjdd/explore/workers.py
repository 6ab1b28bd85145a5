"""The processes that simulate and draw for all tabs, beside the server, which stays free to answer."""

import asyncio
import contextlib
import importlib
import pkgutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pebble import ProcessPool

from otjdd.system.pool import begin, context, cores

PRELOAD = "otjdd.explore.preload"  # what every worker has loaded when it starts
LOADED = 5.0  # s within which kernels are loaded that are there already


class Workers:
    """A pool whose jobs can be ended at once: the process of an ended job is replaced by a copy of one that is ready.

    There is one worker more than processors, so that a job need not wait until an ended one is replaced.
    """

    def __init__(self):
        self._pool = ProcessPool(cores() + 1, initializer=begin, context=context(PRELOAD))
        self._folder = tempfile.TemporaryDirectory(prefix="otjdd-explore-")
        self._count = 0
        self._began = time.monotonic()
        self.ready = asyncio.Event()

    async def start(self) -> None:
        """Wait until kernels are loaded, or compiled, and a first worker answers.

        Nothing can be submitted before: the pool starts its processes in whatever thread asks first, and that thread waits.
        """
        future = await asyncio.to_thread(self._pool.schedule, there)
        await asyncio.wrap_future(future)
        self.ready.set()

    async def compiled(self) -> float | None:
        """Fraction of the kernels that are compiled; None when workers are ready, or are likely to load them at once."""
        if self.ready.is_set() or time.monotonic() < self._began + LOADED:
            return None
        return await asyncio.to_thread(kept_fraction)

    def submit(self, function: Callable, *args) -> tuple[asyncio.Future, Path]:
        """Future of function(*args, progress), and the file of that progress. To cancel the future ends the process."""
        self._count += 1
        progress = Path(self._folder.name) / str(self._count)
        future = asyncio.wrap_future(self._pool.schedule(function, args=(*args, progress)))
        future.add_done_callback(lambda _: progress.unlink(missing_ok=True))
        return future, progress

    def stop(self) -> None:
        """End all processes, and wait for their ends."""
        self._pool.stop()
        self._pool.join()
        with contextlib.suppress(OSError):
            self._folder.cleanup()


def there() -> bool:
    """Job that every worker can do: to be there."""
    return True


def kept_fraction() -> float:
    """Fraction of all kernels that are on disk. Some are only ever a part of others, and it ends below 1."""
    from otjdd import physics, stepping
    from otjdd.compiler import kernel_cache

    for package in (physics, stepping):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    folder = kernel_cache.folder()
    kept = {".".join(path.name.rpartition("-")[0].split(".")[:2]) for path in folder.iterdir()} if folder else set()
    return min(1.0, len(kept) / len({kernel.py_func for kernel in kernel_cache.KERNELS}))


def fraction(progress: Path) -> float:
    """Fraction of a job that is done, 0 where it has not said."""
    try:
        return float(progress.read_text())
    except (OSError, ValueError):
        return 0.0
