"""This checkout against another commit on the same cases, in turn, with the error of every read.

First the case files as they are, then the fastest setting of each state of the code with which every read of a case is
within a target of the converged one; of a state that no setting brings there, the one that comes nearest. Then the same,
the reads of a commit against the limit to which it converges itself: that compares the integrators alone. Times are of
whole runs, from case to Dataset. The long train is run once.
"""

import math
import statistics
import tempfile
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import NamedTuple

from validation.peers import reference, states

SHIPPED, LONG = ("rv-loop", "ltp-ltd"), "pulses"
TARGET = 1e-3
ROUNDS = 5
ONCE = {"columns.count": 1}  # of a first run, which loads the kernels
CELLS, GRADINGS = (48, 64, 80, 96, 200, 283, 400, 566), (None, 5.0)  # None: what the case has
TOLERANCES = ({}, *({"numerics.rtol": rtol, "numerics.atol": 1e-2} for rtol in (3e-3, 1e-3, 1e-4)))
ESTIMATES = ({}, {"numerics.error": "limit"}, {"numerics.error": "extrapolate"})
CONVERGED, OWN = "converged reads", "its own limit"  # what the reads of a row are compared with


class Row(NamedTuple):
    """One state of the code on one case with one setting."""

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
    """Families of settings among which `cheapest` chooses, each from few to many cells."""
    for estimate, grading, tolerance in product(ESTIMATES, GRADINGS, TOLERANCES):
        graded = {} if grading is None else {"device.film.grading": grading}
        sizes = (cells for cells in CELLS if (cells < 100) == bool(estimate))  # coarse grids, or one fine one
        yield [estimate | {"device.film.cells": cells} | graded | tolerance for cells in sizes]


def timed(runners: list[tuple], case: str, rounds: int, limits: dict | None = None) -> list[Row]:
    """Rows of (state, setting) on a case, run in turn so many times, their kernels loaded before.

    limits : name of a state -> reads that it is compared with, the converged ones for others
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
    """The Row of some runs of one state with one setting.

    own : limit of that state, which its reads are compared with in place of the converged ones
    """
    error, rms = reference.errors(ran[0].reads, own or reference.read(case))
    seconds, wall = (statistics.median(getattr(one, name) for one in ran) for name in ("seconds", "wall"))
    return Row(case, name, setting, error, rms, seconds, wall, ran[0].counts, OWN if own else CONVERGED)


def cheapest(state, case: str, exact: list[float], target=TARGET) -> dict:
    """The setting of the ladders with which a state reaches the target in the least time.

    Where none does, the one with the smallest root mean square of the errors. A family is left where it reaches the target,
    or takes longer than another that has: more cells take longer still.
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
    """Rows of all cases: shipped settings, the fastest that reach the target, and those by the old state.s own limit."""
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
    """Print the comparison, a line a setting; "times faster" is the wall time of the row before over that of the row.

    folder : for the files of the commit and its compiled kernels; a temporary one without
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
