"""The error of reads by the grid: what leads to the first and the last read is run again on half and a third of the cells.

The error of ln I follows from the three grids (`error_of_finest`), and is at least that from the finest and the coarsest
alone. Whole and half the cells can agree by chance: of 81 reads of random devices one was off by 9 % where these differed
by 0.1 %. The range of the three, which `numerics.error` states where they do not converge, would be 2.4 % for the last
read of oxygen-exchange, which is off by 0.1 % and converges faster.

A replay begins as the run does, or with a state of the run at the read before, at most MOST_PIECES straight pieces of the
waveform before its own read, with as many vacancies in its larger cells: there they find their profile anew within the
replay. An error that the grid adds up over earlier writes is not seen. With the fields of a kept
profile alone, and its ions at rest, 7 of 8 reads that were off by more than 1 % were not.

How far a number is from its limit of small cells follows from its values on two or three grids. The scheme is of second
order in the size of the cells. So x on N and on M < N cells gives the limit of small cells:

    x = x_N + (x_N - x_M)/((N/M)^2 - 1)        (Richardson; Roache, J. Fluids Eng. 116, 405 (1994))

Three grids also give the order p of convergence, and (N/M)^p takes the place of the square: steep bands on few cells come
closer to the first order. The order is at most 2.

An order outside of 1 to 3 means that two of the grids agree by chance, or that all are too coarse. A stated error is then
at least the range of the three values (as in Eca & Hoekstra, J. Comput. Phys. 262, 104 (2014)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.film import FEWEST_CELLS, FEWEST_CELLS_OF_LAYER, LayeredFilm
from otjdd.errors import CaseError, SolverError
from otjdd.solver import initial, integrate, model
from otjdd.solver.integrate import Run
from otjdd.solver.model_limits import Reached
from otjdd.solver.start import KeptState
from otjdd.solver.traps import regrouped
from otjdd.stepping.course import EDGE, READ
from otjdd.stepping.run_log import READ_CURRENT
from otjdd.waveform.waveform import Block, Chain, Waveform

OUTPUT = "read_grid_error"
MOST_PIECES = 16  # of the waveform before a read
ROUND_OFF = 8.0  # last digits of a time, by which that of a kept state may differ from that of its breakpoint
ORDERS = 1.0, 3.0  # order of convergence that three grids may show
SECOND_ORDER = 2.0  # that of the scheme
SAFETY = 1.25  # factor of the distance to the limit, Roache's; without it and the order, 26 % of reads err by more


class Replay(NamedTuple):
    """A part of a waveform that leads to one read, or to two that follow each other."""

    reads: tuple[int, ...]  # numbers of the reads
    start: float  # s, when the state is kept from which the replay begins
    anew: bool  # the replay begins as the case does, on its own cells
    pieces: np.ndarray  # (P, 4) start and end [s], first and last voltage [V] of each straight piece
    tasks: np.ndarray  # (P,) EDGE, with READ where a piece ends in a read


def replays(waveform: Waveform | Chain, as_the_case: bool) -> list[Replay]:
    """What leads to the first and to the last read of a drive; one where these are the same read, or follow each other.

    as_the_case : the run begins as its case says, and not with a state of another run
    In a drive that is too long for the memory the reads of its first and its last block count.
    """
    first, last = next(waveform.blocks()), next(waveform.blocks(waveform.block_count - 1))
    parts: list[Replay] = []
    if first.waveform.read_count:
        parts.append(replay(first, 0, 0, as_the_case))
    if last.waveform.read_count and waveform.read_count > 1:
        parts.append(replay(last, last.waveform.read_count - 1, waveform.read_count - 1, as_the_case))
    parts = [part for part in parts if len(part.pieces)]
    if len(parts) == 2 and parts[0].pieces[-1, 1] == parts[1].start:
        (a, start, anew, pieces, tasks), (b, _, _, more, last_tasks) = parts
        parts = [Replay(a + b, start, anew, np.vstack((pieces, more)), np.concatenate((tasks, last_tasks)))]
    return parts


def replay(block: Block, read: int, number: int, as_the_case: bool) -> Replay:
    """What leads to a read of a block. number : of the read in the whole drive   as_the_case : as of `replays`"""
    times = block.waveform.read_times
    since, pieces = times[read - 1] if read else 0.0, np.column_stack(block.waveform.segments())
    pieces = pieces[(pieces[:, 0] >= since) & (pieces[:, 1] <= times[read])][-MOST_PIECES:]
    pieces[:, :2] += block.start
    tasks = np.full(len(pieces), EDGE, np.int64)
    tasks[-1:] |= READ
    start = float(pieces[0, 0]) if len(pieces) else 0.0
    return Replay((number,), start, as_the_case and start == 0.0, pieces, tasks)


def same_time(first: float, second: float) -> bool:
    """True for times [s] that differ by round-off."""
    return abs(first - second) <= ROUND_OFF * np.spacing(max(first, second))


def asked_for(case: Case, states: Sequence[KeptState], parts: Sequence[Replay], duration: float) -> list[KeptState]:
    """The kept states of which the case asks profiles: without those for replays. duration : of the drive [s]"""
    if case.record.profiles_at_reads:
        return list(states)
    instants = case.record.instants(duration)
    own = [part.start for part in parts if not any(same_time(part.start, instant) for instant in instants)]
    return [state for state in states if not any(same_time(state.time, start) for start in own)]


def largest_error(
    case: Case, parts: Sequence[Replay], states: Sequence[KeptState], times: np.ndarray, currents: np.ndarray
) -> Reached:
    """Largest relative error of the first and the last read by the grid, and its read; infinite where a replay fails.

    states : kept ones, among them those at the starts of the replays   times [s], currents [A] : (R,) of all reads
    """
    worst = Reached(0.0, "no read")
    for part in parts:
        grids, replayed = [case.device.film.cells], [currents[list(part.reads)]]
        for fewer in on_fewer_cells(case):
            grids.append(fewer.device.film.cells)
            replayed.append(currents_again(case, fewer, part, states))
        for number, *of_grids in zip(part.reads, *replayed, strict=True):
            worst = max(worst, Reached(error_of_read(grids, of_grids), f"t = {times[number]:.4g} s"))
    return worst


def currents_again(case: Case, fewer: Case, part: Replay, states: Sequence[KeptState]) -> np.ndarray:
    """Currents (reads of the part,) [A] of a replay on fewer cells; nan where it fails."""
    try:
        run = begun_replay(case, fewer, part, states)
        integrate.follow_pieces(run, part.pieces, part.tasks, integrate.place_at_start(0.0), False)
        return np.asarray(np.concatenate(run.reads)[:, READ_CURRENT])
    except (SolverError, CaseError):  # of kinds whose own layers would have too few cells
        return np.full(len(part.reads), np.nan)


def error_of_read(grids: Sequence[int], currents: Sequence[float]) -> float:
    """Error of ln I on the finest grid; 0 for no current on all grids, infinite without a current on one of them.

    grids : numbers of cells   currents : [A] on each grid, finest first
    """
    signs = np.sign(currents)
    if not signs.any():
        return 0.0
    if not (signs == signs[0]).all():
        return np.inf
    values = list(np.log(np.abs(currents)))
    near = error_of_finest(grids, values)
    far = error_of_finest((grids[0], grids[-1]), (values[0], values[-1]))
    return float(max(near, far))


def on_fewer_cells(case: Case) -> list[Case]:
    """The case on half the cells or the fewest of a film, and on a third or, where these are too few, on three quarters.

    More cells first. Only on half of them if three quarters are too few for a layer as well.
    """
    whole = case.device.film.cells
    half = on_cells(case, max(FEWEST_CELLS, whole // 2))
    others = [on_cells(case, cells) for cells in (whole // 3, (whole + half.device.film.cells) // 2)]
    thirds = [other for other in others if has_enough_cells(other)]
    grids = {other.device.film.cells: other for other in (half, *thirds[:1])}
    return [grids[cells] for cells in sorted(grids, reverse=True) if cells < whole]


def on_cells(case: Case, cells: int) -> Case:
    """The case on about another number of cells."""
    film = case.device.film.with_cells(cells)
    return case.model_copy(update={"device": case.device.model_copy(update={"film": film})})


def has_enough_cells(case: Case) -> bool:
    """True if a case may have so few cells, in its film, in each layer and in those of its kinds of columns."""
    film = case.device.film
    layers = film.layers if isinstance(film, LayeredFilm) else ()
    if film.cells < FEWEST_CELLS or any(layer.cells < FEWEST_CELLS_OF_LAYER for layer in layers):
        return False
    try:
        model.members(case)
    except CaseError:
        return False
    return True


def begun_replay(case: Case, fewer: Case, part: Replay, states: Sequence[KeptState]) -> Run:
    """A run at the start of a replay, of the case on fewer cells. Raises SolverError."""
    parts, numerics = model.members(fewer), case.numerics
    junction = model.junction(fewer, parts=parts)
    if part.anew:
        start = initial.start(fewer, junction, parts)
        return initial.begin_case(fewer, junction, parts, start)
    state = next(state for state in reversed(states) if same_time(state.time, part.start))
    widths = (np.diff(model.film_faces(of.device.film)) for of in (case, fewer))
    of = state.start | {"c": initial.regridded(state.c, *widths)}
    if "filling" in of:
        of["filling"] = regrouped(model.junction(case), junction, of["filling"])
    run = integrate.begin(junction, of, rtol=numerics.rtol, atol=numerics.atol, max_steps=numerics.max_steps)
    run.state.D_right[:] = state.D_right
    return run


def extrapolated(fine: np.ndarray, coarse: np.ndarray, ratio: float) -> np.ndarray:
    """Limit of small cells from values on two grids, for second order. ratio : of the sizes of coarse and fine cells"""
    return fine + (fine - coarse) / (ratio * ratio - 1.0)


def error_of_finest(grids: Sequence[int], values: Sequence[np.ndarray]) -> np.ndarray:
    """Error of values on the finest of two or three grids. grids : numbers of cells   values : of grids, finest first"""
    orders = orders_of_convergence(grids, values) if len(grids) == 3 else SECOND_ORDER
    ratio = (grids[0] / grids[1]) ** orders
    return np.asarray(SAFETY * np.abs(values[0] - values[1]) / (ratio - 1.0))


def at_least_range(
    grids: Sequence[int], values: Sequence[np.ndarray], error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Errors that are at least the range of the values where these do not converge, and where that is so.

    grids, values : three of each, finest first
    """
    converged, extent = converges(grids, values), np.max(values, axis=0) - np.min(values, axis=0)
    return np.where(converged, error, np.maximum(error, extent)), ~converged & (extent > 0.0)


def converges(grids: Sequence[int], values: Sequence[np.ndarray]) -> np.ndarray:
    """True for each value that converges with an order within ORDERS. values : on three grids, finest first"""
    ratio = ratio_of_changes(values)
    most, least = (ratio_by_order(grids, order) for order in ORDERS)
    return (ratio >= least) & (ratio <= most)


def ratio_of_changes(values: Sequence[np.ndarray]) -> np.ndarray:
    """Change between the two finer grids over that between the two coarser ones. values : on three grids, finest first"""
    fine, middle, coarse = values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((fine - middle) / (middle - coarse))


def ratio_by_order(grids: Sequence[int], order: float) -> float:
    """`ratio_of_changes` of values that converge with an order. It falls with the order."""
    fine, middle, coarse = (cells**-order for cells in grids)
    return (middle - fine) / (coarse - middle)


def orders_of_convergence(grids: Sequence[int], values: Sequence[np.ndarray]) -> np.ndarray:
    """Order with which each value converges, between ORDERS[0] and SECOND_ORDER. values : on three grids, finest first

    The order is SECOND_ORDER where the two coarser grids agree, so that the three values do not determine it.
    """
    ratio, orders = ratio_of_changes(values), np.linspace(SECOND_ORDER, ORDERS[0], 101)
    of_orders = [ratio_by_order(grids, order) for order in orders]
    return np.where(np.isfinite(ratio), np.interp(ratio, of_orders, orders), SECOND_ORDER)
