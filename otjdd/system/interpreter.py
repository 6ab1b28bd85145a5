"""Settings of this Python process and of those that otjdd starts, which import nothing from the working folder.

`python -c` puts the working folder first on the path of modules. A file `queue.py` next to a case would then be imported
in place of the one of the standard library.

`importing` keeps libraries from loading others that otjdd does not use.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAFE_PATH = "PYTHONSAFEPATH"  # environment variable with the effect of -P for all child interpreters
PARENT = "OTJDD_PARENT"  # environment variable: an interpreter exits when this process ends
SOCKETS = "OTJDD_SOCKETS"  # environment variable: the folder of that process for sockets, removed when it was killed

OWN = False  # True in a process that runs nothing but otjdd: the command line, not a user's session or program
GARBAGE = 50_000  # new objects after which garbage is collected; Python's default is 700


def make_own() -> None:
    """Set up this process and those that it starts for otjdd alone. Call it before numpy is imported.

    Two settings save a tenth of a second of a processor each at every start: one thread for OpenBLAS, whose threads wait
    busily while no matrix here is large enough for them; and fewer collections of garbage among the imported modules.
    """
    global OWN
    OWN = True
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(GARBAGE)


def pause_collector() -> None:
    """Collect no garbage in a process for otjdd alone while it loads modules and kernels, which stay until its end."""
    if OWN:
        gc.disable()


def resume_collector() -> None:
    """Collect garbage again, but not among what has been loaded until now."""
    if OWN:
        gc.freeze()
        gc.enable()


def interpreter_command(code: str, *arguments: str) -> list[str]:
    """Command line of an interpreter that runs `code`."""
    return [sys.executable, "-P", "-c", code, *arguments]


def environment(**changes: str) -> dict[str, str]:
    """Environment of an interpreter that otjdd starts: as of this process, with changes."""
    return os.environ | {SAFE_PATH: "1", PARENT: str(os.getpid())} | changes


@contextmanager
def inherited(sockets: str = "") -> Iterator[None]:
    """Within the block, interpreters that a library starts also get the environment of `environment`.

    sockets : folder for sockets of this process, which they remove when it is killed
    """
    before = {name: os.environ.get(name) for name in (SAFE_PATH, PARENT, SOCKETS)}
    os.environ.update(environment(**({SOCKETS: sockets} if sockets else {})))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def parent() -> int:
    """Process that started this interpreter, even if it has ended. Removes the variable, which children would inherit."""
    return int(os.environ.pop(PARENT, 0)) or os.getppid()


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


def in_own_folder() -> contextlib.AbstractContextManager[None]:
    """Within the block, the working folder is the folder of this module.

    For libraries that read settings from the working folder when they are imported. These may be of somebody else, and a
    result must not depend on the folder in which a command is given.
    """
    try:
        os.getcwd()
    except OSError:  # the working folder has been removed, so it holds no settings
        return contextlib.nullcontext()
    return contextlib.chdir(Path(__file__).parent)
