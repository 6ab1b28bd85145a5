"""States of the code: this checkout, or a commit unpacked in its own folder. Each runs in its own process."""

import json
import os
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("worker.py")
ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # one thread, so that processor time is comparable


class Ran(NamedTuple):
    """One run of a state of the code."""

    reads: list[float]  # ohm
    seconds: float  # of the processor
    wall: float  # s, from case to Dataset
    counts: dict[str, int]  # accepted, rejected, currents; 0 if that state does not count them


class State:
    """A state of the code in a process that runs cases for it."""

    def __init__(self, name: str, folder: Path, process: subprocess.Popen):
        self.name, self.folder, self.process = name, folder, process

    def run(self, case: Path, changes: dict) -> Ran | None:
        """Run a case file with changes (dotted key -> value). Returns None if this state does not know one of the keys.

        Raises RuntimeError if the process has ended.
        """
        self.process.stdin.write(json.dumps({"case": str(case), "set": changes}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {case.name} and {changes}")
        found = json.loads(line)
        return None if "refused" in found else Ran(**found)


def unpacked(commit: str, folder: Path) -> Path:
    """Folder with the files of a commit of this repository. Raises CalledProcessError if git does not know the commit."""
    place = folder / commit
    if not (place / "otjdd").exists():
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", commit], stdout=subprocess.PIPE, check=True
        ).stdout  # fmt: skip
        with tarfile.open(fileobj=BytesIO(archive)) as files:
            files.extractall(place, filter="data")
    return place


@contextmanager
def running(name: str, folder: Path, kernels: Path):
    """Context manager: a State of the code in a folder. kernels : folder for its compiled kernels"""
    environment = os.environ | ALONE | {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(kernels)}
    process = subprocess.Popen(
        [sys.executable, str(WORKER)], env=environment, cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield State(name, folder, process)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
