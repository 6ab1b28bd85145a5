"""This checkout against another commit on the same cases, in turn, with the error of every read.

First the case files as they are, then the cheapest setting of each state of the code with which every read of a case is
within a target of the converged one. Times are processor times of whole runs, from case to Dataset.
"""

import statistics
import tempfile
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import NamedTuple

from validation.peers import reference, states

SHIPPED = ("rv-loop", "ltp-ltd")
TARGET = 1e-3
ROUNDS = 5
CELLS, GRADINGS = (48, 64, 96, 200, 283, 400, 566), (None, 5.0)  # None: what the case has
TOLERANCES = ({}, {"numerics.rtol": 1e-4, "numerics.atol": 1e-2})
ESTIMATES = ({}, {"numerics.error": "extrapolate"})


class Row(NamedTuple):
    """One state of the code on one case with one setting."""

    case: str
    state: str
    setting: dict
    error: float  # largest of all reads, relative
    rms: float
    seconds: float  # of the processor, median
    counts: dict


def ladder():
    """Settings among which `reach` chooses."""
    for estimate, cells, grading, tolerance in product(ESTIMATES, CELLS, GRADINGS, TOLERANCES):
        if (cells < 100) == bool(estimate):  # two coarse grids, or one fine one
            graded = {} if grading is None else {"device.film.grading": grading}
            yield estimate | {"device.film.cells": cells} | graded | tolerance


def timed(runners: list[tuple], case: str, rounds: int) -> list[Row]:
    """Rows of (state, setting) on a case, run in turn; each is run once before, which loads its kernels."""
    exact, spent, found = reference.read(case), [[] for _ in runners], []
    for state, setting in runners:
        found.append(state.run(reference.CASES / f"{case}.toml", setting))
    for _ in range(rounds):
        for mine, (state, setting) in zip(spent, runners, strict=True):
            mine.append(state.run(reference.CASES / f"{case}.toml", setting).seconds)
    return [
        Row(case, state.name, setting, *reference.errors(ran.reads, exact), statistics.median(mine), ran.counts)
        for (state, setting), ran, mine in zip(runners, found, spent, strict=True)
    ]


def cheapest(state, case: str, target=TARGET):
    """The setting of the ladder with which a state reaches the target in the least time; None where none does."""
    exact, best, least = reference.read(case), None, float("inf")
    for setting in ladder():
        ran = state.run(reference.CASES / f"{case}.toml", setting)
        if ran and ran.seconds < least and reference.errors(ran.reads, exact)[0] <= target:
            best, least = setting, ran.seconds
    return best


def compared(commit: str, folder: Path, quick=False):
    """Rows of all cases: shipped settings, then the cheapest ones that reach the target."""
    with ExitStack() as stack:
        old = stack.enter_context(states.running(commit, states.unpacked(commit, folder), folder / "kernels"))
        new = stack.enter_context(states.running("here", states.ROOT, folder / "kernels"))
        for case in SHIPPED[: 1 if quick else None]:
            yield timed([(old, {}), (new, {})], case, ROUNDS)
        for case in () if quick else SHIPPED:
            chosen = [(state, cheapest(state, case)) for state in (old, new)]
            yield timed([(state, setting) for state, setting in chosen if setting], case, ROUNDS)


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
                lines.append(
                    f"| {row.case} | {row.state} | {settings or 'shipped'} | {row.error:.1e} | {row.rms:.1e} | {steps} "
                    f"| {row.counts['currents'] or ''} | {row.seconds:.3g} | {rows[0].seconds / row.seconds:.2f} |"
                )
                print(lines[-1], flush=True)
    return "\n".join(lines)
