"""Digests of the sources of otjdd as this process has loaded them. Numbers that other sources have computed are not reused.

The files are read once, when this module is imported, together with the modules that compute. A process that goes on while
otjdd is installed anew on the disk computes with the old code, and says so. Processes forked from it say the same.
"""

import hashlib
from functools import cache
from pathlib import Path

from otjdd.errors import ResultError

PACKAGE = Path(__file__).parents[1]
# All packages that the numbers of a result or of a point can depend on.
OF_NUMBERS = (
    "constants", "errors", "variables", "laws", "units", "system", "waveform", "analysis", "compiler", "physics",
    "mechanisms", "stepping", "case", "results", "solver", "compact_models", "runs", "studies",
)  # fmt: skip

DATA = ("cases/", "validation/")  # folders that a wheel has within the package and a checkout next to it: no sources


def source_files() -> dict[str, bytes]:
    """Path within the package -> content of each source file of otjdd, in order. Raises OSError."""
    paths = sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".toml"))
    named = {path.relative_to(PACKAGE).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(DATA)}


LOADED = source_files()
ALL = tuple(sorted({name.partition("/")[0].removesuffix(".py") for name in LOADED}))  # packages and modules


@cache
def digest(rooms: tuple[str, ...] = OF_NUMBERS) -> str:
    """sha256 of the names and contents of all source files of some packages and modules of otjdd."""
    total = hashlib.sha256()
    for room in rooms:
        for name, content in LOADED.items():
            if name == f"{room}.py" or name.startswith(f"{room}/"):
                total.update(f"{name}\n".encode() + content)
    return total.hexdigest()


def check_same(other: str) -> None:
    """Raise ResultError unless a process whose digest of ALL is `other` has loaded the same sources as this one."""
    if other != digest(ALL):
        reason = "was changed while otjdd ran: its processes have loaded different versions"
        raise ResultError(PACKAGE, reason, "begin again")
