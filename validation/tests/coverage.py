"""Branch coverage of the package: the whole suite with its kernels compiled, and their own tests with them as Python.

Compiled code is not seen by coverage.py; as Python the kernels are, but the suite would take hours. Processes that tests
start count too. What the two runs saw is put together.
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
    """Run the tests and print the table; 0 when all of them pass."""
    coverage("erase")
    failed = [
        coverage("run", "-m", "pytest", "-q", "-p", "no:xdist", folder, NUMBA_DISABLE_JIT=interpreted)
        for folder, interpreted in RUNS
    ]
    coverage("combine", "-q")
    coverage("report")
    coverage("erase")
    return int(any(failed))
