"""Speed at equal accuracy: each code takes the tolerances with which it meets an error fastest; all are timed in turn."""

import math
import warnings
from functools import partial
from itertools import pairwise
from time import process_time
from typing import NamedTuple

import numpy as np

from validation.benchmarks.peers.codes import CODES
from validation.benchmarks.peers.problems import conditioning, distance, pulses

LADDER = 10.0 ** np.arange(-1.5, -8.1, -0.125)  # relative tolerances
SHARES = (1e-1, 1e-2, 1e-3)  # ratios of absolute to relative tolerances; the best one depends on code and problem
TARGETS = (1e-3, 1e-4)
REFERENCE = 1e-10  # relative tolerance; the reference is otjdd's, and IDA's distance from it is reported
ROUNDS, REPEAT = 9, 0.03  # rounds, least processor seconds of a code in a round
CHOICE_ROUNDS = 3  # rounds in which a code chooses its absolute tolerance


class Setting(NamedTuple):
    """Tolerances of a code, the arguments of its `solve`, with its largest error and its work."""

    rtol: float
    share: float
    error: float
    work: str


class Row(NamedTuple):
    """One code on one problem: its time, and its error of concentrations, mean position or charge, whichever is largest."""

    problem: str
    cells: int
    target: float
    code: str
    setting: Setting
    seconds: float
    kernels: float  # s within compiled code, nan where it is not measured


def on_grids(quick=False):
    """The problems on the default graded grid and on uniform ones."""
    grids = [(100, 20.0)] if quick else [(100, 20.0), (200, 1.0), (400, 1.0)]
    return [problem(cells, grading) for problem in (conditioning, pulses) for cells, grading in grids]


def climb(problem, solve, reference, share) -> list[Setting]:
    """Settings of a code for ever stricter tolerances of LADDER, until two in a row meet the strictest target."""
    found = []
    for rtol in LADDER:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values, work = solve(rtol, share)
        found.append(Setting(rtol, share, distance(problem, values, reference), work))
        if len(found) > 1 and max(setting.error for setting in found[-2:]) <= min(TARGETS):
            break
    return found


def loosest(found, target) -> Setting | None:
    """The loosest setting that meets a target, if the next stricter one does so too (no lucky error); or None."""
    for here, following in pairwise(found):
        if here.error <= target and following.error <= target:
            return here
    return None


def soonest(solve, ladders, target) -> Setting | None:
    """The fastest of the `loosest` settings of all ladders that meet a target; or None."""
    settings = [setting for found in ladders if (setting := loosest(found, target))]
    times = timed([partial(solve, setting.rtol, setting.share) for setting in settings], CHOICE_ROUNDS)
    return settings[int(np.argmin(times))] if settings else None


def timed(solvers, rounds=ROUNDS):
    """Median processor seconds of each solver (callables without arguments), in alternating rounds."""
    times = [[] for _ in solvers]
    for solve in solvers:
        solve()
    for _ in range(rounds):
        for mine, solve in zip(times, solvers, strict=True):
            count, began = 0, process_time()
            while count == 0 or process_time() - began < REPEAT:
                solve()
                count += 1
            mine.append((process_time() - began) / count)
    return [float(np.median(mine)) for mine in times]


def kernel_seconds(solve, count=5):
    """Processor seconds that otjdd spends in the kernels it calls, dispatch included: median of `count` solutions."""
    from otjdd.stepping import course

    run_course, spent, found = course.run_course, [0.0], []

    def watched(*arguments):
        began = process_time()
        result = run_course(*arguments)
        spent[0] += process_time() - began
        return result

    course.run_course = watched
    try:
        for _ in range(count):
            spent[0] = 0.0
            solve()
            found.append(spent[0])
    finally:
        course.run_course = run_course
    return float(np.median(found))


def race(problem, rounds=ROUNDS):
    """Rows of all codes on a problem, for each target, and the distance of IDA at 1e-9 from the reference."""
    solvers = {name: make(problem) for name, make in CODES.items()}
    reference, _ = solvers["otjdd"](REFERENCE)
    apart = distance(problem, solvers["SUNDIALS IDA"](1e-9)[0], reference)
    ladders = {name: [climb(problem, solve, reference, share) for share in SHARES] for name, solve in solvers.items()}
    rows = []
    for target in TARGETS:
        chosen = {name: soonest(solvers[name], found, target) for name, found in ladders.items()}
        running = {name: setting for name, setting in chosen.items() if setting}
        solutions = [partial(solvers[name], setting.rtol, setting.share) for name, setting in running.items()]
        for (name, setting), solve, seconds in zip(running.items(), solutions, timed(solutions, rounds), strict=True):
            inside = kernel_seconds(solve) if name == "otjdd" else math.nan
            rows.append(Row(problem.name, problem.c.size, target, name, setting, seconds, inside))
    return rows, apart


PEERS = "SUNDIALS IDA", "scipy LSODA"
COLUMNS = ("problem", "cells:", "error asked:", "otjdd (ms):", "steps", *(f"{name} (ms):" for name in PEERS))


def rows_of(rows) -> list[tuple]:
    """Rows of the table, one for each target. After the time of another code follows its ratio to the time of otjdd."""
    found = {}
    for row in rows:
        found.setdefault((row.problem, str(row.cells), f"{row.target:.0e}"), {})[row.code] = row
    return [(*what, *cells_of(codes)) for what, codes in found.items()]


def cells_of(codes: dict[str, Row]) -> list[str]:
    """Times of the codes at one target, empty for a code that does not reach it."""
    own = codes.get("otjdd")
    cells = [f"{1e3 * own.seconds:.2f}", own.setting[3].removesuffix(" steps")] if own else ["", ""]
    for name in PEERS:
        ratio = f" ({codes[name].seconds / own.seconds:.1f})" if own and name in codes else ""
        cells.append(f"{1e3 * codes[name].seconds:.2f}{ratio}" if name in codes else "")
    return cells
