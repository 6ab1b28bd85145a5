"""Control over libraries while they are imported."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

UNUSED = "dask", "distributed", "pint"  # xarray imports them wherever they are installed, which takes a second


@contextlib.contextmanager
def absent(*modules: str) -> Iterator[None]:
    """Within the block, these modules cannot be imported, unless they are already, as if they were not installed.

    For slow optional imports of libraries.
    """
    kept_out = [name for name in modules if name not in sys.modules]
    for name in kept_out:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's way to forbid an import
    try:
        yield
    finally:
        for name in kept_out:
            sys.modules.pop(name, None)


def without_unused() -> contextlib.AbstractContextManager[None]:
    """Within the block, xarray finds none of UNUSED when it is imported. Afterwards it does not look for them again."""
    return contextlib.nullcontext() if "xarray" in sys.modules else absent(*UNUSED)


def elsewhere() -> contextlib.AbstractContextManager[None]:
    """Within the block, the working folder is that of this module.

    For libraries that read settings from the working folder when they are imported. These may be of somebody else, and a
    result must not depend on the folder in which a command is given.
    """
    try:
        os.getcwd()
    except OSError:  # the working folder has been removed, so it holds no settings
        return contextlib.nullcontext()
    return contextlib.chdir(Path(__file__).parent)
