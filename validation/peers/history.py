"""This checkout against another commit on the same cases, in turn, with the error of every read.

First the case files as they are, then the cheapest setting of each state of the code with which every read of a case is
within a target of the converged one; of a state that no setting brings there, the one that comes nearest. Times are
processor times of whole runs, from case to Dataset. The long train is run once: no converged reads of it are kept.
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
CELLS, GRADINGS = (48, 64, 96, 200, 283, 400, 566), (None, 5.0)  # None: what the case has
TOLERANCES = ({}, {"numerics.rtol": 1e-3, "numerics.atol": 1e-2}, {"numerics.rtol": 1e-4, "numerics.atol": 1e-2})
ESTIMATES = ({}, {"numerics.error": "extrapolate"})


class Row(NamedTuple):
    """One state of the code on one case with one setting."""

    case: str
    state: str
    setting: dict
    error: float  # largest of all reads, relative; nan where no converged reads are kept
    rms: float
    seconds: float  # of the processor, median
    counts: dict


def ladders():
    """Families of settings among which `cheapest` chooses, each from few to many cells."""
    for estimate, grading, tolerance in product(ESTIMATES, GRADINGS, TOLERANCES):
        graded = {} if grading is None else {"device.film.grading": grading}
        sizes = (cells for cells in CELLS if (cells < 100) == bool(estimate))  # coarse grids, or one fine one
        yield [estimate | {"device.film.cells": cells} | graded | tolerance for cells in sizes]


def timed(runners: list[tuple], case: str, rounds: int) -> list[Row]:
    """Rows of (state, setting) on a case, run in turn so many times, their kernels loaded before."""
    ran = [[] for _ in runners]
    for _ in range(rounds):
        for mine, (state, setting) in zip(ran, runners, strict=True):
            mine.append(state.run(reference.CASES / f"{case}.toml", setting))
    return [row(case, state.name, setting, mine) for (state, setting), mine in zip(runners, ran, strict=True)]


def row(case: str, name: str, setting: dict, ran: list) -> Row:
    """The Row of some runs of one state with one setting."""
    known = case in SHIPPED
    error, rms = reference.errors(ran[0].reads, reference.read(case)) if known else (math.nan, math.nan)
    return Row(case, name, setting, error, rms, statistics.median(one.seconds for one in ran), ran[0].counts)


def cheapest(state, case: str, target=TARGET) -> dict:
    """The setting of the ladders with which a state reaches the target in the least time.

    Where none does, the one with the smallest root mean square of the errors. A family is left where it reaches the target,
    or takes longer than another that has: more cells take longer still.
    """
    exact, best, least, nearest, smallest = reference.read(case), None, math.inf, {}, math.inf
    for family in ladders():
        for setting in family:
            ran = state.run(reference.CASES / f"{case}.toml", setting)
            if ran is None or ran.seconds >= least:
                break
            error, rms = reference.errors(ran.reads, exact)
            if rms < smallest:
                nearest, smallest = setting, rms
            if error <= target:
                best, least = setting, ran.seconds
                break
    return nearest if best is None else best


def compared(commit: str, folder: Path, quick=False):
    """Rows of all cases: shipped settings, then the cheapest ones that reach the target."""
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
            yield timed([(state, cheapest(state, case)) for state in (old, new)], case, ROUNDS)


def table(commit: str, folder: Path | None = None, quick=False) -> str:
    """The comparison as a Markdown table; the last column is the time of a row before over that of the row.

    folder : for the files of the commit and its compiled kernels; a temporary one without
    """
    lines = [
        "| case | code | settings | largest error of a read | rms | steps | currents | s | times faster |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as temporary:
        for rows in compared(commit, folder or Path(temporary), quick):
            for row in rows:
                settings = ", ".join(f"{key.split('.')[-1]} {value}" for key, value in row.setting.items())
                steps = row.counts["accepted"] + row.counts["rejected"]
                error, rms = ("" if math.isnan(e) else f"{e:.1e}" for e in (row.error, row.rms))
                lines.append(
                    f"| {row.case} | {row.state} | {settings or 'shipped'} | {error} | {rms} | {steps} "
                    f"| {row.counts['currents'] or ''} | {row.seconds:.3g} | {rows[0].seconds / row.seconds:.2f} |"
                )
                print(lines[-1], flush=True)
    return "\n".join(lines)
