"""Speed of this checkout and of another commit on the same cases, run in turn, with the error of every read.

Three comparisons are made:
1. with the settings of the case files;
2. with the fastest setting of each commit for which all reads of a case are within a target of the converged reads, or the
   most accurate setting if none reaches the target;
3. like 2, but the reads of the other commit are compared with the limit to which that commit itself converges. This
   compares the integrators alone.
Times are of whole runs, from case to Dataset. The long train is run once.
"""

import math
import statistics
import tempfile
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import NamedTuple

from validation.benchmarks.peers import reference, states

SHIPPED, LONG = ("rv-loop", "ltp-ltd"), "pulses"
TARGET = 1e-3
ROUNDS = 5
ONCE = {"columns.count": 1}  # changes for a first run, which only loads the kernels
CELLS, GRADINGS = (48, 64, 80, 96, 200, 283, 400, 566), (None, 5.0)  # None: grading of the case
TOLERANCES = ({}, *({"numerics.rtol": rtol, "numerics.atol": 1e-2} for rtol in (3e-3, 1e-3, 1e-4)))
ESTIMATES = ({}, {"numerics.error": "limit"}, {"numerics.error": "extrapolate"})
CONVERGED, OWN = "converged reads", "its own limit"  # reference of the reads of a row


class Row(NamedTuple):
    """One commit ("state of the code") on one case with one setting."""

    case: str
    state: str
    setting: dict
    error: float  # largest of all reads, relative
    rms: float
    seconds: float  # of the processor, median
    wall: float  # s, median
    counts: dict
    against: str = CONVERGED


def ladders():
    """Families of settings for `cheapest`, each from few to many cells."""
    for estimate, grading, tolerance in product(ESTIMATES, GRADINGS, TOLERANCES):
        graded = {} if grading is None else {"device.film.grading": grading}
        sizes = (cells for cells in CELLS if (cells < 100) == bool(estimate))  # coarse grids, or one fine one
        yield [estimate | {"device.film.cells": cells} | graded | tolerance for cells in sizes]


def timed(runners: list[tuple], case: str, rounds: int, limits: dict | None = None) -> list[Row]:
    """Rows of each (state, setting) on a case. They are run in turn, `rounds` times, after a run that loads the kernels.

    limits : name of a state -> reads [ohm] that it is compared with; by default the converged ones
    """
    ran = [[] for _ in runners]
    for _ in range(rounds):
        for mine, (state, setting) in zip(ran, runners, strict=True):
            mine.append(state.run(reference.CASES / f"{case}.toml", setting))
    return [
        row(case, state.name, setting, mine, (limits or {}).get(state.name))
        for (state, setting), mine in zip(runners, ran, strict=True)
    ]


def row(case: str, name: str, setting: dict, ran: list, own: list[float] | None = None) -> Row:
    """Row of the runs of one state with one setting. own : reads [ohm] to compare with instead of the converged ones"""
    error, rms = reference.errors(ran[0].reads, own or reference.read(case))
    seconds, wall = (statistics.median(getattr(one, name) for one in ran) for name in ("seconds", "wall"))
    return Row(case, name, setting, error, rms, seconds, wall, ran[0].counts, OWN if own else CONVERGED)


def cheapest(state, case: str, exact: list[float], target=TARGET) -> dict:
    """The setting of `ladders` with which a state reaches the target in the least time.

    If none reaches it, the setting with the smallest root mean square error. A family ends when it reaches the target, or
    takes longer than another that has reached it, because more cells take even longer.
    """
    best, least, nearest, smallest = None, math.inf, {}, math.inf
    for family in ladders():
        for setting in family:
            ran = state.run(reference.CASES / f"{case}.toml", setting)
            if ran is None or ran.wall >= least:
                break
            error, rms = reference.errors(ran.reads, exact)
            if rms < smallest:
                nearest, smallest = setting, rms
            if error <= target:
                best, least = setting, ran.wall
                break
    return nearest if best is None else best


def compared(commit: str, folder: Path, quick=False):
    """Rows of all cases: shipped settings, the fastest that reach the target, and those by the limit of the old state."""
    with ExitStack() as stack:
        old = stack.enter_context(states.running(commit, states.unpacked(commit, folder), folder / "kernels"))
        new = stack.enter_context(states.running("here", states.ROOT, folder / "kernels"))
        for state in (old, new):
            state.run(reference.CASES / f"{SHIPPED[0]}.toml", ONCE)
        for case in SHIPPED[: 1 if quick else None]:
            yield timed([(old, {}), (new, {})], case, ROUNDS)
        if not quick:
            yield timed([(old, {}), (new, {})], LONG, 1)
        for case in () if quick else SHIPPED:
            exact = reference.read(case)
            mine = new, cheapest(new, case, exact)
            yield timed([(old, cheapest(old, case, exact)), mine], case, ROUNDS)
            own, _ = reference.converged(old, case, reference.OWN)
            yield timed([(old, cheapest(old, case, own)), mine], case, ROUNDS, {old.name: own})


def tell(commit: str, folder: Path | None = None, quick: bool = False) -> None:
    """Print the comparison, one line for each setting. "times faster": wall time of the previous row over that of this row.

    folder : place of the files and compiled kernels of the commit, by default a temporary folder
    """
    print("case; code; settings; against; largest error; rms; steps; currents; s; s of processors; times faster")
    with tempfile.TemporaryDirectory() as temporary:
        for rows in compared(commit, folder or Path(temporary), quick):
            for row in rows:
                settings = ", ".join(f"{key.split('.')[-1]} {value}" for key, value in row.setting.items())
                steps = row.counts["accepted"] + row.counts["rejected"]
                known = [row.against, f"{row.error:.1e}", f"{row.rms:.1e}"]
                entries = [row.case, row.state, settings or "shipped", *known, steps, row.counts["currents"] or ""]
                entries += [f"{row.wall:.3g}", f"{row.seconds:.3g}", f"{rows[0].wall / row.wall:.2f}"]
                print("; ".join(map(str, entries)), flush=True)
