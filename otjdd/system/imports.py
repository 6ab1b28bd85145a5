"""Control over libraries while they are imported."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

DASK = "dask", "distributed"  # xarray imports them wherever they are installed, which takes a second


@contextlib.contextmanager
def absent(*modules: str) -> Iterator[None]:
    """Within the block, modules that are not yet imported cannot be imported, as if they were not installed.

    For optional imports of libraries that take longer than a run.
    """
    kept_out = [name for name in modules if name not in sys.modules]
    for name in kept_out:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's way to forbid an import
    try:
        yield
    finally:
        for name in kept_out:
            sys.modules.pop(name, None)


def without_dask() -> contextlib.AbstractContextManager[None]:
    """Within the block, xarray finds no dask: once it has looked it does not look again, so only before its import."""
    return contextlib.nullcontext() if "xarray" in sys.modules else absent(*DASK)


def elsewhere() -> contextlib.AbstractContextManager[None]:
    """Within the block, the working folder is that of this module.

    For libraries that look for settings in the working folder when they are imported. Somebody else may have put them
    there, and a result must not depend on where a command was given.
    """
    try:
        os.getcwd()
    except OSError:  # the folder is gone, and with it what could be in it
        return contextlib.nullcontext()
    return contextlib.chdir(Path(__file__).parent)
