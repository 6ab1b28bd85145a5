"""The error of every read: the same case on coarser grids, with smaller steps in time, and of fewer columns.

The scheme is of second order in the size of the cells, so ln I on N and on M = N/2 cells leads to the limit of small cells:

    ln I = ln I_N + (ln I_N - ln I_M)/((N/M)^2 - 1)        (Richardson; Roache, J. Fluids Eng. 116, 405 (1994))

`limit` gives that limit and states no error. `estimate` states the distance to it as the error of the grid. `extrapolate`
gives the limit with its error, which follows from a third grid of N/3 cells: the limits from N and N/2 and from N/2 and N/3
differ by eight times the error of the first where the next term is of fourth order; half of their difference is stated, for
grids that are not so fine yet.

The three grids also tell the order of convergence. Where it is not between 1 and 3, two of them agree by chance, or all are
too coarse: then the range of the three values is stated, if it is larger (as in Eca & Hoekstra, J. Comput. Phys. 262, 104
(2014)). The error in time is that of the grid of N/2 cells, from a run with tolerances of a tenth, and a hundredth for the
integral of the current: a tenth would often lead to the same energies. That run takes as long as all others together.

Columns whose values a law distributes are nodes of a quadrature. Its error is stated as the change by half the nodes, on
the grid of N/2 cells: three times what all nodes leave where slices have second order, more with Gauss's nodes. Columns
that were drawn are the junction itself.

The runs stand beside each other, each in a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.drive_curves import IV, Curves
from otjdd.case.drive_patterns import Patterns
from otjdd.case.kinds import with_half_the_nodes
from otjdd.case.numerics import LEAST_ATOL, LEAST_CURRENT_TOLERANCE, LEAST_RTOL, PARTS
from otjdd.case.recording import Recording
from otjdd.errors import SolverError
from otjdd.results import outputs
from otjdd.results.summary import NOT_EXTRAPOLATED, NOT_STATED
from otjdd.solver import self_check
from otjdd.solver.checkpoint import Place
from otjdd.solver.outcome import ending, status_words
from otjdd.solver.start import Start
from otjdd.system.beside import beside
from otjdd.system.steps import Progress

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike

    from otjdd.case.drive import Drive

log = logging.getLogger(__name__)

TIGHTER, TIGHTER_CURRENT = 0.1, 0.01  # of the tolerances, in the run for the error in time
ORDERS = 1.0, 3.0  # of convergence that three grids may show
LEFT = 0.5  # of the difference of two limits, stated as the error of the finer one: a quarter is too small for 6 % of reads
QUANTITIES = ("read_resistance", "bias_current")  # whose errors are stated; a result has one of them
WHOLE, GRID, TIME, COLUMNS = "error", "grid_error", "time_error", "column_error"
ATTRIBUTE = "error_estimate"  # of a result, in words


Simulate = Callable[..., "xr.Dataset"]  # `solver.simulate.simulate_junction`


class Error(NamedTuple):
    """ln of a quantity, extrapolated in the grid, and its relative errors; arrays of one shape."""

    limit: np.ndarray
    grid: np.ndarray
    time: np.ndarray
    ranged: np.ndarray  # True where the range of the grids is stated, which do not converge as the scheme should
    columns: np.ndarray | None = None  # None where there is nothing to count


def simulate_with_error(
    case: Case,
    on_its_grid: Simulate,
    progress: Progress = None,
    start: Start | None = None,
    checkpoints: Place | None = None,
) -> xr.Dataset:
    """Dataset of a case with the errors of its reads, or of its I-V curves, as numerics.error asks for.

    A coarser run that fails leaves nan as errors, and its reason in the attribute
    `error_estimate`; nothing is extrapolated then. An interruption after the finest run has that as its `partial`.
    """
    kind, cells = case.numerics.error, case.device.film.cells
    grids = [cells, *(cells // part for part in PARTS[kind])]
    ds, runs = on_all_grids(case, grids, on_its_grid, progress, start, checkpoints)
    name = variable_of(ds)
    if name is None:
        return ds.assign_attrs({ATTRIBUTE: "a result without reads has no read whose error could be stated"})
    whole = [run for run in runs if not isinstance(run, SolverError)]
    if failed := [run for run in runs if isinstance(run, SolverError)]:
        return unknown(ds, case, f"on a coarser grid, {failed[0]}")
    values = [logarithms(run[name]) for run in (ds, *whole)]
    if kind == "limit":
        said = f"{NOT_STATED}; {extrapolation(name, grids)}"
        return replaced(ds, name, extrapolated(values[0], values[1], grids[0] / grids[1])).assign_attrs(
            {ATTRIBUTE: said}
        )
    return with_errors(ds, name, grids, values, kind == "extrapolate")


def on_all_grids(
    case: Case,
    grids: list[int],
    on_its_grid: Simulate,
    progress: Progress,
    start: Start | None,
    checkpoints: Place | None,
) -> tuple[xr.Dataset, list[xr.Dataset | SolverError]]:
    """Dataset on the finest grid, and the results of the other runs: a Dataset, or the SolverError that ended the run.

    The other runs are those on coarser grids and, where errors are stated, the one with smaller tolerances and, if columns
    are distributed, the one of half their nodes. A drive without reads has no other runs.
    """
    rest = [coarser(case, n) for n in grids[1:]] if reads_something(case.drive) else []
    if case.numerics.error != "limit":
        rest += [changed for one in rest[:1] for changed in (stricter(one), with_half_the_nodes(one)) if changed]
    finest: list[xr.Dataset] = []

    def finest_run() -> None:
        finest.append(on_its_grid(case, progress, start, checkpoints))

    self_check.trust()  # compiles or loads the kernels: once, not in every thread
    try:
        _, runs = beside(finest_run, [partial(tried, on_its_grid, one) for one in rest])
    except (KeyboardInterrupt, SystemError) as error:
        if not finest:
            raise
        interrupted = ending(error)
        # not that of a coarser grid
        part = unknown(finest[0], case, status_words(interrupted))
        interrupted.partial = part  # type: ignore[union-attr]  # a KeyboardInterrupt takes it too
        raise interrupted from None
    return finest[0], runs


def with_errors(ds: xr.Dataset, name: str, grids: list[int], values: list[np.ndarray], extrapolate: bool) -> xr.Dataset:
    """The Dataset with the errors of a quantity, which is replaced by its limit if that is asked for.

    values : ln of the quantity on the grids, finest first, in the strict run and, if there is one, with half the nodes
    """
    strict, *fewer = values[len(grids) :]
    found = errors(grids, values[: len(grids)], strict, extrapolate, *fewer)
    ds = stated(ds, name, found)
    said = (
        f"from grids of {', '.join(map(str, grids))} cells, and smaller tolerances on the second: {TIGHTER:g} of them, "
    )
    said += f"{TIGHTER_CURRENT:g} of that of the current"
    said += ", and there half the nodes of the columns" * bool(fewer)
    if ranged := np.count_nonzero(found.ranged):
        said += f"; the range of the grids is the error of {ranged} of {found.ranged.size} values that do not converge"
    if extrapolate:
        ds = replaced(ds, name, found.limit)
        said += f"; {extrapolation(name, grids)}"
    return ds.assign_attrs({ATTRIBUTE: said})


def extrapolation(name: str, grids: list[int]) -> str:
    """Words on what was extrapolated of a result."""
    fine, coarse = grids[:2]
    return (
        f"{name} and its current are extrapolated to small cells, from {fine} and {coarse}; all else is of {fine} cells"
    )


def variable_of(ds: xr.Dataset) -> str | None:
    """Name of the variable of a result whose errors are stated."""
    return next((name for name in QUANTITIES if name in ds and ds[name].size), None)


def unknown(ds: xr.Dataset, case: Case, reason: str) -> xr.Dataset:
    """The Dataset of the finest grid where a coarser one has no result: errors are nan, nothing is extrapolated."""
    if case.numerics.error == "limit":
        log.warning("the reads are %s: %s", NOT_EXTRAPOLATED, reason)
        return ds.assign_attrs({ATTRIBUTE: f"{NOT_EXTRAPOLATED}: {reason}"})
    name, said = variable_of(ds), f"not known: {reason}"
    log.warning("the error of the reads is %s", said)
    if name:
        none = np.full(ds[name].shape, np.nan)
        distributed = with_half_the_nodes(case) is not None
        ds = stated(ds, name, Error(none, none, none, np.isfinite(none), none if distributed else None))
    return ds.assign_attrs({ATTRIBUTE: said})


def reads_something(drive: Drive) -> bool:
    """True for a drive whose result has a quantity with an error."""
    if isinstance(drive, Curves | Patterns):
        return isinstance(drive, IV)
    return drive.waveform().read_count > 0


def tried(on_its_grid: Simulate, case: Case, progress: Progress) -> xr.Dataset | SolverError:
    """Dataset of a case, or the SolverError that ended its run."""
    try:
        return on_its_grid(case, progress)
    except SolverError as error:
        return error


def coarser(case: Case, cells: int) -> Case:
    """The case on another number of cells, with nothing recorded but its reads."""
    film = case.device.film.model_copy(update={"cells": cells})
    return case.model_copy(
        update={
            "device": case.device.model_copy(update={"film": film}),
            "numerics": case.numerics.model_copy(update={"error": "none"}),
            "record": Recording(every="none"),
        }
    )


def stricter(case: Case) -> Case:
    """The case with smaller tolerances."""
    n = case.numerics
    tolerances = {
        "rtol": max(LEAST_RTOL, TIGHTER * n.rtol), "atol": max(LEAST_ATOL, TIGHTER * n.atol),
        "current_tolerance": max(LEAST_CURRENT_TOLERANCE, TIGHTER_CURRENT * n.current_tolerance),
    }  # fmt: skip
    return case.model_copy(update={"numerics": n.model_copy(update=tolerances)})


def logarithms(values: ArrayLike) -> np.ndarray:
    """ln |x| of a variable; nan where it is zero or not a number."""
    size = np.abs(np.asarray(values, dtype=float))
    logs: np.ndarray = np.log(size, out=np.full(size.shape, np.nan), where=size > 0.0)
    return logs


def extrapolated(fine: np.ndarray, coarse: np.ndarray, ratio: float) -> np.ndarray:
    """Limit of small cells, from a grid and one whose cells are `ratio` times as large; second order."""
    limit: np.ndarray = fine + (fine - coarse) / (ratio * ratio - 1.0)
    return limit


def converges(grids: list[int], values: list[np.ndarray]) -> np.ndarray:
    """True for each value whose change from grid to grid is that of an order within ORDERS."""
    fine, middle, coarse = values
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (fine - middle) / (middle - coarse)
    most, least = (
        (grids[1] ** -p - grids[0] ** -p) / (grids[2] ** -p - grids[1] ** -p) for p in ORDERS
    )  # fmt: skip
    within: np.ndarray = (ratio >= least) & (ratio <= most)
    return within


def errors(
    grids: list[int], values: list[np.ndarray], strict: np.ndarray, extrapolate: bool, fewer: np.ndarray | None = None
) -> Error:
    """Limit and errors from ln x on three grids, finest first, and on the second with stricter tolerances.

    fewer : on the second grid with half the nodes of the columns, if there are some
    """
    limits = [
        extrapolated(a, b, m / n) for (m, n), (a, b) in zip(pairwise(grids), pairwise(values), strict=True)
    ]  # fmt: skip
    grid = LEFT * np.abs(limits[0] - limits[1]) if extrapolate else np.abs(limits[0] - values[0])
    known, extent = converges(grids, values), np.max(values, axis=0) - np.min(values, axis=0)
    grid = np.where(known, grid, np.maximum(grid, extent))
    time, columns = change(values[1], strict), None if fewer is None else change(values[1], fewer)
    return Error(limits[0], grid, time, ~known & (extent > 0.0), columns)


def change(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Error of reads by their distance from others: that of the run (root mean square) where their own is smaller."""
    off = np.abs(values - others)
    usual = np.sqrt(np.nanmean(off * off)) if np.isfinite(off).any() else np.nan
    larger: np.ndarray = np.fmax(off, np.where(np.isfinite(off), usual, np.nan))
    return larger


def stated(ds: xr.Dataset, name: str, found: Error) -> xr.Dataset:
    """The Dataset with the relative errors of a quantity: of the grid, in time, of the columns, and their sum."""
    arrays = {WHOLE: found.grid + found.time, GRID: found.grid, TIME: found.time}
    if found.columns is not None:
        arrays |= {WHOLE: arrays[WHOLE] + found.columns, COLUMNS: found.columns}
    made = outputs.dataset({f"{name}_{kind}": values for kind, values in arrays.items()})
    return ds.assign({key: made[key].variable for key in made.data_vars})


def replaced(ds: xr.Dataset, name: str, limit: np.ndarray) -> xr.Dataset:
    """The Dataset with the extrapolated quantity, and with the current of a read that belongs to it."""
    size = np.exp(limit)
    new = np.where(np.isfinite(size), np.copysign(size, ds[name].values), ds[name].values)
    changed = {name: (ds[name].dims, new, ds[name].attrs)}
    if name == "read_resistance":
        current = np.divide(
            ds.read_voltage.values, new, out=ds.read_current.values.copy(), where=np.isfinite(new) & (new != 0.0)
        )
        changed["read_current"] = (ds.read_current.dims, current, ds.read_current.attrs)
    return ds.assign(changed)
