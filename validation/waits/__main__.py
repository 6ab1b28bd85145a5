"""What a user waits for: commands from an empty folder, of this checkout and of a commit, in turn.

    python -m validation.waits [--against COMMIT] [--only WAIT]... [--rounds N] [--folder DIR]

Each command runs once to compile and load its kernels. Then both checkouts take turns, and the least time of each is
printed: of the processor, in the command and in the processes that it has waited for, and by the clock, which says nothing
on a machine that does other work.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from otjdd.runs.run import run
from validation.peers import states

FIT = ["fit", "loop.csv", "rv-loop", "--vary", "device.left.barrier", "--vary", "ions.density", "-o", "fit.nc"]
ONE = ["--workers", "1"]  # the processor time of other processes is not that of the command
WAITS = {  # by name: arguments of otjdd
    "run": ["run", "rv-loop", "-o", "run.nc"],
    "run, noise": ["run", "rv-loop", "--set", "ions.noise=shot", "-o", "noise.nc"],
    "fit": [*FIT, *ONE],
    "predict": ["predict", "fit.nc", "retention", "-o", "band.nc", *ONE],
    "design": ["design", "fit.nc", *ONE],
    "compact": ["compact", "li2019", "--set", "columns.count=1", "-o", "model.nc"],
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


def timed(code: Path, arguments: list[str], folder: Path) -> Took:
    """Times of a command of a checkout, run in a folder. Raises CalledProcessError."""
    began, before = time.perf_counter(), os.times()
    environment = os.environ | {"PYTHONPATH": str(code)}
    subprocess.run(
        [sys.executable, "-m", "otjdd", *arguments], cwd=folder, env=environment, check=True, capture_output=True
    )
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
            for _ in range(rounds + 1):
                for code, path in codes.items():
                    took[code].append(timed(path, arguments, folders[code]))
            for code, times in took.items():
                yield name, code, Took(*(min(column) for column in zip(*times[1:], strict=True)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m validation.waits", description=__doc__)
    parser.add_argument("--against", metavar="COMMIT", help="another commit, in turn with this checkout")
    parser.add_argument("--only", choices=WAITS, action="append", help="a wait; by default all")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each command, after the one that loads")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the files of that commit here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        codes = {"here": states.ROOT}
        if options.against:
            codes |= {options.against: states.unpacked(options.against, options.folder or Path(temporary))}
        print("wait; code; s of the processor; s by the clock")
        for name, code, took in compared(codes, options.only or WAITS, max(1, options.rounds)):
            print(f"{name}; {code}; {took.processor:.2f}; {took.clock:.2f}", flush=True)


if __name__ == "__main__":
    main()
