"""Other Python processes that otjdd starts: they import nothing from the working folder.

`python -c` puts the working folder first on the path of modules. A file `queue.py` beside a case would then be imported
in place of the one of the standard library.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SAFE_PATH = "PYTHONSAFEPATH"  # environment variable with the effect of -P for all child interpreters
PARENT = "OTJDD_PARENT"  # environment variable: the process with whose end an interpreter exits

OWN = False  # True in a process that runs otjdd alone: the command line, and no session or program of somebody else
GARBAGE = 50_000  # new objects after which the collector looks for garbage among them, for 700


def make_own() -> None:
    """Make this process otjdd's own, before numpy is imported. What it sets holds for the processes that it starts.

    Each saves a tenth of a second of a processor at every start. The threads of OpenBLAS wait busily once they are there,
    and no matrix here is large enough for them. The collector looks through what is imported again and again.
    """
    global OWN
    OWN = True
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(GARBAGE)


def command(code: str, *arguments: str) -> list[str]:
    """Command line of an interpreter that runs `code`."""
    return [sys.executable, "-P", "-c", code, *arguments]


def environment(**changes: str) -> dict[str, str]:
    """Environment of such an interpreter: this one's, with changes."""
    return os.environ | {SAFE_PATH: "1", PARENT: str(os.getpid())} | changes


@contextmanager
def inherited() -> Iterator[None]:
    """Within the block, interpreters that a library starts get that environment as well."""
    before = {name: os.environ.get(name) for name in (SAFE_PATH, PARENT)}
    os.environ.update(environment())
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def parent() -> int:
    """Process that started this interpreter, even if it has ended. Looked up once: children inherit the variable."""
    return int(os.environ.pop(PARENT, 0)) or os.getppid()
