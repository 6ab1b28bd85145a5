"""Branch coverage of the package: the whole suite with compiled kernels, and the tests of kernels with kernels as Python.

coverage.py cannot see compiled code. It sees kernels that run as Python, but then the whole suite would take hours. So the
two runs are combined. Processes that the tests start count too. Failures of tests are ignored here: coverage.py disturbs
tests that time the start of a process or fill a disk, and the data of a killed process may be damaged.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = (("tests", "0"), ("tests/physics", "1"))  # tests, and the value of NUMBA_DISABLE_JIT


def coverage(*words: str, **env: str) -> int:
    """Run a command of coverage.py in the checkout and return its exit code."""
    return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT, env=os.environ | env).returncode


def measure() -> int:
    """Run the tests and print the table. Returns the exit code of the last command."""
    coverage("erase")
    for folder, interpreted in RUNS:
        coverage("run", "-m", "pytest", "-q", "-n", "0", folder, NUMBA_DISABLE_JIT=interpreted)
    coverage("combine", "-q")
    done = coverage("report")
    coverage("erase")
    return done
