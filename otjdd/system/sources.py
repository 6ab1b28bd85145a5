"""Digests of the sources of otjdd. Numbers that other sources have computed are not reused."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# All packages that the numbers of a result or of a point can depend on.
OF_NUMBERS = (
    "constants", "errors", "laws", "units", "system", "waveform", "analysis", "compiler", "physics", "stepping", "case",
    "results", "solver", "compact_models", "runs", "studies",
)  # fmt: skip


@cache
def digest(rooms: tuple[str, ...] = OF_NUMBERS) -> str:
    """sha256 of the names and bytes of all source files of some packages and modules of otjdd. Raises OSError."""
    sha = hashlib.sha256()
    for room in rooms:
        single = PACKAGE / f"{room}.py"
        for path in [single] if single.is_file() else sorted((PACKAGE / room).rglob("*")):
            if path.suffix in (".py", ".toml"):
                sha.update(f"{path.relative_to(PACKAGE).as_posix()}\n".encode() + path.read_bytes())
    return sha.hexdigest()
