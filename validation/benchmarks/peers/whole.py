"""Times that a user waits for: runs in a process with loaded kernels; commands with a full and an empty kernel cache."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from validation.benchmarks.peers.compare import timed

CASES = Path(__file__).parents[3] / "cases"


def train(count):
    """The reference device under `count` pulses, half of them depressing, with a read after each."""
    from otjdd.case.case import load_case

    pulse = {"kind": "train", "width": "50 ns", "count": count // 2, "period": "10 us", "read_each": True}
    parts = [pulse | {"voltage": "2.2 V"}, pulse | {"voltage": "-2.5 V"}]
    return load_case(CASES / "ltp-ltd.toml").replace(drive={"kind": "sequence", "parts": parts, "repeat": 1})


def warm_runs(pulses=4000, rounds=3):
    """Seconds of two whole simulations from case to Dataset: the R-V loop, and (once) pulses with a read after each."""
    from otjdd.case.case import load_case
    from otjdd.runs.run import simulate

    loop = load_case(CASES / "rv-loop.toml")
    (of_loop,) = timed([lambda: simulate(loop)], rounds)
    long = train(pulses)
    began = perf_counter()
    simulate(long)
    return {
        "R-V loop, 130 writes with a read each": of_loop,
        f"{pulses} pulses with a read each": perf_counter() - began,
    }


def command(arguments, environment=None, count=5) -> float:
    """Median wall time [s] of a command in a new process."""
    times = []
    for _ in range(count):
        began = perf_counter()
        subprocess.run(arguments, check=True, env=os.environ | (environment or {}), stdout=subprocess.DEVNULL)
        times.append(perf_counter() - began)
    return float(np.median(times))


def commands():
    """Seconds of commands. "cold" is the first run after installation, in which numba compiles all kernels."""
    otjdd = [sys.executable, "-c", "import sys; from otjdd.cli import main; sys.exit(main())"]
    with tempfile.TemporaryDirectory() as folder:
        run = [*otjdd, "run", str(CASES / "rv-loop.toml"), "-o", str(Path(folder) / "out.nc")]
        cache = {"NUMBA_CACHE_DIR": folder}
        return {
            "python -c pass": command([sys.executable, "-c", "pass"]),
            "python -c 'import otjdd'": command([sys.executable, "-c", "import otjdd"]),
            "otjdd --help": command([*otjdd, "--help"]),
            "otjdd run cases/rv-loop.toml, cold": command(run, cache, 1),
            "otjdd run cases/rv-loop.toml, warm": command(run, cache, 3),
        }


COLUMNS = ("what", "seconds:")


def rows_of(quick: bool = False) -> list[tuple]:
    return [(what, f"{seconds:.3g}") for what, seconds in (warm_runs(400 if quick else 4000) | commands()).items()]
