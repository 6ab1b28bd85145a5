"""The error of every read, from runs of the same case on coarser grids, with smaller time steps, and with fewer columns.

ln I on N and on N/2 cells gives its limit of small cells (`solver.grid_error`), and `numerics.error` chooses how the
limit is used:

    limit         the limit replaces the reads, and no error is stated
    estimate      the reads of N cells are kept; their error is 1.25 times their distance to the limit, with a third grid
                  of N/3 cells
    extrapolate   the limit replaces the reads; its error follows from the third grid

For `extrapolate` the error is the difference of the limits from N, N/2 and from N/2, N/3 cells. Where the next term is of
fourth order, that difference is eight times the error; so it also covers grids that are still too coarse for this.

Of 156 reads of 78 random devices on 24 to 96 cells, 4 % have a true error above the error that `estimate` states, and 6 %
above the errors of `extrapolate`. The median of stated over true error is 1.7 for `estimate` and 3.7 for `extrapolate`.

The error in time is the change on N/2 cells with a tenth of rtol and atol, and a hundredth of current_tolerance: with a
tenth of that the integral of the current would often use the same energies. That run takes as long as all others together.

Columns with a law are nodes of a quadrature, whose stated error is the change on N/2 cells with half the nodes. Where the
nodes are slices, of second order, this is three times the error with all nodes; with Gauss's nodes it is more. Drawn
columns have no such error.

All runs are computed at the same time, each in a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.case.case import LEAST_ATOL, LEAST_CURRENT_TOLERANCE, LEAST_RTOL, PARTS, Case, Recording
from otjdd.case.crossbar import Patterns
from otjdd.case.drive_curves import IV, Curves
from otjdd.case.kinds import with_half_the_nodes
from otjdd.errors import SolverError
from otjdd.results import outputs
from otjdd.results.summary import NOT_EXTRAPOLATED, NOT_STATED
from otjdd.solver import grid_error, self_check
from otjdd.solver.checkpoint import CheckpointPlace
from otjdd.solver.model_limits import ending, status_words
from otjdd.solver.start import Start
from otjdd.system.late import xr
from otjdd.system.pool import beside
from otjdd.system.steps import Progress

log = logging.getLogger(__name__)

TIGHTER, TIGHTER_CURRENT = 0.1, 0.01  # factors of the tolerances, in the run for the error in time
QUANTITIES = ("read_resistance", "bias_current")  # variables with errors; a result has one of them
WHOLE, GRID, TIME, COLUMNS = "error", "grid_error", "time_error", "column_error"
ATTRIBUTE = "error_estimate"  # attribute of a result: in words, from which runs its errors follow


Simulate = Callable[..., "xr.Dataset"]  # `solver.simulate.simulate_junction`


class Error(NamedTuple):
    """The limit of a quantity and its relative errors, arrays of one shape."""

    limit: np.ndarray  # ln of the quantity, extrapolated to small cells
    grid: np.ndarray
    time: np.ndarray
    ranged: np.ndarray  # True where the grids do not converge, and `grid` is at least their range
    columns: np.ndarray | None = None  # None without columns of a law


def simulate_with_error(
    case: Case,
    on_its_grid: Simulate,
    progress: Progress = None,
    start: Start | None = None,
    checkpoints: CheckpointPlace | None = None,
) -> xr.Dataset:
    """Dataset of a case with the errors of its reads or of its I-V curves, by `numerics.error`.

    on_its_grid : simulates a case on one grid   start, checkpoints : of the run on the finest grid
    If another run fails, the errors that need its reads are nan, and the attribute `error_estimate` says which run it was
    and why it failed; if it is one on a coarser grid, nothing is extrapolated.
    An interruption after the run on the finest grid has the Dataset of that run as its `partial`.
    """
    kind, cells = case.numerics.error, case.device.film.cells
    grids = [cells, *on_coarser_grids(case)]
    others = other_runs(case)
    ds, runs = on_all_grids(case, others, on_its_grid, progress, start, checkpoints)
    name = variable_of(ds)
    if name is None or not runs:
        return ds.assign_attrs({ATTRIBUTE: "a result without reads has no read whose error could be stated"})
    reasons = [f"on {words}, {run}" for words, run in zip(others, runs, strict=True) if isinstance(run, SolverError)]
    if isinstance(runs[0], SolverError):
        return without_error(ds, case, reasons[0])
    none = np.full(ds[name].shape, np.nan)
    values = [none if isinstance(run, SolverError) else logarithms(run[name]) for run in (ds, *runs)]
    if reasons:
        log.warning("the error of the reads is not known in full: %s", "; ".join(reasons))
    if kind == "limit":
        limit = grid_error.extrapolated(values[0], values[1], grids[0] / grids[1])
        return replaced(ds, name, limit).assign_attrs({ATTRIBUTE: f"{NOT_STATED}; {extrapolation(name, grids)}"})
    extrapolate = kind == "extrapolate" and not np.isnan(values[len(grids) - 1]).all()
    ds = with_errors(ds, name, grids, values, extrapolate)
    return ds.assign_attrs({ATTRIBUTE: "; ".join([ds.attrs[ATTRIBUTE], *(f"not known {words}" for words in reasons)])})


def on_coarser_grids(case: Case) -> dict[int, Case]:
    """Number of cells -> the case on each coarser grid that its `numerics.error` takes; {} where it takes none."""
    numerics = case.numerics.model_copy(update={"error": "none"})
    only_reads = {"numerics": numerics, "record": Recording(every="none")}
    numbers = [case.device.film.cells // part for part in PARTS.get(case.numerics.error, ())]
    return {cells: grid_error.on_cells(case, cells).model_copy(update=only_reads) for cells in numbers}


def other_runs(case: Case) -> dict[str, Case]:
    """Description -> case of each run besides that on the finest grid; {} for a drive without reads.

    These are the runs on coarser grids and, if errors are stated, two on the second grid: with smaller tolerances and, for
    columns with a law, with half the nodes.
    """
    drive = case.drive
    reads = isinstance(drive, IV) if isinstance(drive, Curves | Patterns) else drive.waveform().read_count > 0
    if not reads:
        return {}
    runs = {f"{n} cells": on_grid for n, on_grid in on_coarser_grids(case).items()}
    if case.numerics.error != "limit":
        words, second = next(iter(runs.items()))
        runs[f"{words} with smaller tolerances"] = stricter(second)
        if (fewer := with_half_the_nodes(second)) is not None:
            runs[f"{words} with half the nodes of the columns"] = fewer
    return runs


def on_all_grids(
    case: Case,
    others: dict[str, Case],
    on_its_grid: Simulate,
    progress: Progress,
    start: Start | None,
    checkpoints: CheckpointPlace | None,
) -> tuple[xr.Dataset, list[xr.Dataset | SolverError]]:
    """Dataset on the finest grid, and the results of the other runs: a Dataset, or the SolverError that ended the run."""
    finest: list[xr.Dataset] = []
    self_check.verify_kernels()  # compiles or loads the kernels once, before the threads start
    try:
        finest_run = partial(on_its_grid, case, progress, start, checkpoints)
        _, runs = beside(
            lambda: finest.append(finest_run()), [partial(tried, on_its_grid, other) for other in others.values()]
        )
    except (KeyboardInterrupt, SystemError) as error:
        if not finest:
            raise
        interrupted = ending(error)
        # the partial result is of the finest grid
        part = without_error(finest[0], case, status_words(interrupted))
        interrupted.partial = part  # type: ignore[union-attr]  # a KeyboardInterrupt also takes this attribute
        raise interrupted from None
    return finest[0], runs


def with_errors(ds: xr.Dataset, name: str, grids: list[int], values: list[np.ndarray], extrapolate: bool) -> xr.Dataset:
    """The Dataset with the errors of a quantity.

    values : ln of the quantity on the grids, finest first, then of the run with smaller tolerances and, if there is one,
        of that with half the nodes
    extrapolate : replace the quantity by its limit
    """
    strict, *fewer = values[len(grids) :]
    error = extrapolated_error(grids, values[: len(grids)], strict, extrapolate, *fewer)
    ds = with_stated_errors(ds, name, error)
    words = (
        f"from grids of {', '.join(map(str, grids))} cells, and smaller tolerances on the second: rtol and atol times "
        f"{TIGHTER:g}, current_tolerance times {TIGHTER_CURRENT:g}"
    )
    words += ", and there half the nodes of the columns" if fewer else ""
    if ranged := np.count_nonzero(error.ranged):
        words += f"; the range of the grids is the error of {ranged} of {error.ranged.size} values that do not converge"
    if extrapolate:
        ds = replaced(ds, name, error.limit)
        words += f"; {extrapolation(name, grids)}"
    return ds.assign_attrs({ATTRIBUTE: words})


def extrapolation(name: str, grids: list[int]) -> str:
    """A sentence on what is extrapolated in a result."""
    fine, coarse = grids[:2]
    cells = f"from {fine} and {coarse}; all else is of {fine} cells"
    return f"{name} and its current are extrapolated to small cells, {cells}"


def variable_of(ds: xr.Dataset) -> str | None:
    """Name of the variable of a result whose errors are stated; None without reads and I-V curves."""
    return next((name for name in QUANTITIES if name in ds and ds[name].size), None)


def without_error(ds: xr.Dataset, case: Case, reason: str) -> xr.Dataset:
    """The Dataset of the finest grid if another run has no result: errors are nan, nothing is extrapolated."""
    if case.numerics.error == "limit":
        log.warning("the reads are %s: %s", NOT_EXTRAPOLATED, reason)
        return ds.assign_attrs({ATTRIBUTE: f"{NOT_EXTRAPOLATED}: {reason}"})
    name, words = variable_of(ds), f"not known: {reason}"
    log.warning("the error of the reads is %s", words)
    if name:
        none = np.full(ds[name].shape, np.nan)
        distributed = with_half_the_nodes(case) is not None
        ds = with_stated_errors(ds, name, Error(none, none, none, np.isfinite(none), none if distributed else None))
    return ds.assign_attrs({ATTRIBUTE: words})


def tried(on_its_grid: Simulate, case: Case, progress: Progress) -> xr.Dataset | SolverError:
    """Dataset of a case, or the SolverError that ended its run."""
    try:
        return on_its_grid(case, progress)
    except SolverError as error:
        return error


def stricter(case: Case) -> Case:
    """The case with smaller tolerances."""
    return case.model_copy(update={"numerics": case.numerics.model_copy(update=tighter(case, TIGHTER_CURRENT))})


def tighter(case: Case, current: float) -> dict[str, float]:
    """Smaller tolerances for a case, by key of its numerics. current : factor of the tolerance of the current"""
    n = case.numerics
    return {
        "rtol": max(LEAST_RTOL, TIGHTER * n.rtol), "atol": max(LEAST_ATOL, TIGHTER * n.atol),
        "current_tolerance": max(LEAST_CURRENT_TOLERANCE, current * n.current_tolerance),
    }  # fmt: skip


def logarithms(values: ArrayLike) -> np.ndarray:
    """ln |x| of a variable; nan where it is zero or not a number."""
    size = np.abs(np.asarray(values, dtype=float))
    return np.log(size, out=np.full(size.shape, np.nan), where=size > 0.0)


def extrapolated_error(
    grids: list[int], values: list[np.ndarray], strict: np.ndarray, extrapolate: bool, fewer: np.ndarray | None = None
) -> Error:
    """Limit and errors of ln x.

    values : on three grids, finest first   strict : on the second grid with smaller tolerances
    fewer : on the second grid with half the nodes of the columns, or None   extrapolate : state the error of the limit
    """
    limits = [
        grid_error.extrapolated(a, b, m / n) for (m, n), (a, b) in zip(pairwise(grids), pairwise(values), strict=True)
    ]  # fmt: skip
    grid = np.abs(limits[0] - limits[1]) if extrapolate else grid_error.error_of_finest(grids, values)
    grid, ranged = grid_error.at_least_range(grids, values, grid)
    time, columns = read_errors(values[1], strict), None if fewer is None else read_errors(values[1], fewer)
    return Error(limits[0], grid, time, ranged, columns)


def read_errors(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Error of reads: their distance from the reads of another run, but at least the root mean square of all distances."""
    off = np.abs(values - others)
    usual = np.sqrt(np.nanmean(off * off)) if np.isfinite(off).any() else np.nan
    return np.fmax(off, np.where(np.isfinite(off), usual, np.nan))


def with_stated_errors(ds: xr.Dataset, name: str, error: Error) -> xr.Dataset:
    """The Dataset with the relative errors of a quantity: of the grid, in time, of the columns, and their sum."""
    arrays = {WHOLE: error.grid + error.time, GRID: error.grid, TIME: error.time}
    if error.columns is not None:
        arrays |= {WHOLE: arrays[WHOLE] + error.columns, COLUMNS: error.columns}
    variables = outputs.dataset({f"{name}_{kind}": values for kind, values in arrays.items()})
    return ds.assign({key: variables[key].variable for key in variables.data_vars})


def replaced(ds: xr.Dataset, name: str, limit: np.ndarray) -> xr.Dataset:
    """The Dataset with the extrapolated quantity and, for a read resistance, the current that belongs to it."""
    size = np.exp(limit)
    new = np.where(np.isfinite(size), np.copysign(size, ds[name].values), ds[name].values)
    changed = {name: (ds[name].dims, new, ds[name].attrs)}
    if name == "read_resistance":
        there = np.isfinite(new) & (new != 0.0)
        current = np.divide(ds.read_voltage.values, new, out=ds.read_current.values.copy(), where=there)
        changed["read_current"] = (ds.read_current.dims, current, ds.read_current.attrs)
    return ds.assign(changed)
