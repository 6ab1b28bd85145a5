"""What a user waits for: commands from an empty folder, of this checkout and of a commit, in turn.

Each command runs once to compile and load its kernels, but for the first run on a machine, which begins without any. Then
both checkouts take turns, and the least time of each is printed: of the processor, in the command and in the processes that
it has waited for, and by the clock, which says nothing on a machine that does other work.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from otjdd.claims import papers
from otjdd.runs.run import run
from validation.benchmarks.benchmark import Asked, Benchmark
from validation.benchmarks.peers import states

SLOW = "endurance"  # the one claim of minutes


def claims_but_endurance() -> list[str]:
    """Names of the claims of four papers, without the slow one."""
    names = ("li-2019", "tiotto-2020", "ferroelectric", "variability")
    return [name for name in papers.discover(names=names) if name != SLOW]


FIT = ["fit", "loop.csv", "rv-loop", "--vary", "device.left.barrier", "--vary", "ions.density", "-o", "fit.nc"]
ONE = ["--workers", "1"]  # the processor time of other processes is not that of the command
FIRST = "first run"  # on a machine: its kernels are compiled
WAITS = {  # by name: arguments of otjdd
    FIRST: ["run", "rv-loop", "-o", "first.nc", "--plot", "first.png"],
    "run": ["run", "rv-loop", "-o", "run.nc"],
    "run, no electrons": ["run", "rv-loop", "--set", "device.film.electrons=none", "-o", "bare.nc"],
    "run, noise": ["run", "rv-loop", "--set", "ions.noise=shot", "-o", "noise.nc"],
    "fit": [*FIT, *ONE],
    "predict": ["predict", "fit.nc", "retention", "-o", "band.nc", *ONE],
    "design": ["design", "fit.nc", *ONE],
    "compact": ["compact", "li2019", "--set", "columns.count=1", "-o", "model.nc"],
    "validate": ["validate", "--expected", *claims_but_endurance()],
}
SIGMA = 0.03  # standard deviation of the logarithms of the data


class Took(NamedTuple):
    """Times of a command [s]."""

    processor: float
    clock: float


def measured_loop(folder: Path) -> None:
    """Write the R-V loop of rv-loop, with noise, as loop.csv."""
    ds = run("rv-loop")
    R = ds.read_resistance.values * np.exp(SIGMA * np.random.default_rng(1).standard_normal(ds.sizes["read"]))
    rows = np.column_stack([ds.write_voltage.values, R])
    np.savetxt(folder / "loop.csv", rows, "%.8g", ",", header="write_voltage (V),resistance (ohm)", comments="")


def timed(code: Path, arguments: list[str], folder: Path, cold: bool) -> Took:
    """Times of a command of a checkout, run in a folder. cold : without compiled kernels. Raises CalledProcessError."""
    environment = os.environ | {"PYTHONPATH": str(code)}
    with tempfile.TemporaryDirectory() as empty:
        began, before = time.perf_counter(), os.times()
        subprocess.run(
            [sys.executable, "-m", "otjdd", *arguments], cwd=folder, check=True, capture_output=True,
            env=environment | ({"NUMBA_CACHE_DIR": empty} if cold else {}),
        )  # fmt: skip
        after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(used, time.perf_counter() - began)


def compared(codes: dict[str, Path], names: Iterable[str], rounds: int) -> Iterable[tuple[str, str, Took]]:
    """(wait, checkout, least times) of each wait and checkout. codes : name of a checkout -> its folder"""
    with tempfile.TemporaryDirectory() as temporary:
        folders = {code: Path(temporary, code) for code in codes}
        for folder in folders.values():
            folder.mkdir()
            measured_loop(folder)
        for name, arguments in WAITS.items():
            if name not in names and name != "fit":  # a fit is an input of others
                continue
            took: dict[str, list[Took]] = {code: [] for code in codes}
            cold = name == FIRST
            for _ in range(rounds + (not cold)):
                for code, path in codes.items():
                    took[code].append(timed(path, arguments, folders[code], cold))
            for code, times in took.items():
                yield name, code, Took(*(min(column) for column in zip(*times[not cold :], strict=True)))


def rows(asked: Asked) -> Iterator[list[str]]:
    """A row for each wait: name, beginning of the command, processor time here and at the commit of the words."""
    with tempfile.TemporaryDirectory() as temporary:
        codes = {"here": states.ROOT} | {commit: states.unpacked(commit, Path(temporary)) for commit in asked.words}
        cells: list[str] = []
        print("wait; code; s of the processor; s by the clock")
        for name, code, took in compared(codes, WAITS, 1 if asked.quick else 3):
            print(f"{name}; {code}; {took.processor:.2f}; {took.clock:.2f}", flush=True)
            cells = cells if cells[:1] == [name] else [name, f"`otjdd {' '.join(WAITS[name][:3])}`"]
            cells.append(f"{took.processor:.1f}")
            if code == list(codes)[-1]:  # as soon as a wait is measured, for all of them take long
                yield [*cells, ""][:4]


COLUMNS = "wait", "command begins with", "here, s of the processor:", "at the commit:"
BENCHMARKS = {"waits": Benchmark("how long do commands take, here and at a commit?", rows, COLUMNS, words="[COMMIT]")}
