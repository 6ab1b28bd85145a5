"""Branch coverage of the package: the whole suite with its kernels compiled, and their own tests with them as Python.

Compiled code is not seen by coverage.py; as Python the kernels are, but the suite would take hours. Processes that tests
start count too. What the two runs saw is put together. Whether tests pass is not asked here: those that time the start of
a process or fill a disk meet coverage.py's own work, and its data of a process that was killed may be damaged.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = (("tests", "0"), ("tests/physics", "1"))  # what is run, and NUMBA_DISABLE_JIT


def coverage(*words: str, **env: str) -> int:
    """One command of coverage.py in the checkout; its exit code."""
    return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT, env=os.environ | env).returncode


def measure() -> int:
    """Run the tests and print the table; the exit code of the last of it."""
    coverage("erase")
    for folder, interpreted in RUNS:
        coverage("run", "-m", "pytest", "-q", "-n", "0", folder, NUMBA_DISABLE_JIT=interpreted)
    coverage("combine", "-q")
    done = coverage("report")
    coverage("erase")
    return done
