"""The error of reads by the grid: what leads to the first and to the last read is run again on half the cells.

The scheme is of second order in the size of the cells, so ln I on N and on M cells differ by (N/M)^2 - 1 times the error of
N cells (Richardson). A replay begins as the run does, or with a state of the run at the read before, at most MOST_PIECES
straight pieces of the waveform before its own read, with as many vacancies in its larger cells: there they find their
profile anew within the replay. An error that the grid adds up over earlier writes is not seen. With the fields of a kept
profile alone, and its ions at rest, 7 of 8 reads that were off by more than 1 % were not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.film import FEWEST_CELLS
from otjdd.errors import CaseError, SolverError
from otjdd.physics.channels.traps import placed_traps
from otjdd.physics.junction import Junction
from otjdd.physics.state import new_state
from otjdd.physics.traps.sites import LEVELS, SPREAD
from otjdd.solver import initial, integrate, model
from otjdd.solver.integrate import KeptState, Run
from otjdd.solver.model_limits import Reached
from otjdd.stepping.course import EDGE, READ
from otjdd.stepping.run_log import READ_CURRENT
from otjdd.waveform.chain import Chain
from otjdd.waveform.waveform import Block, Waveform

OUTPUT = "read_grid_error"
MOST_PIECES = 16  # of the waveform before a read
ROUND_OFF = 8.0  # last digits of a time, by which that of a kept state may differ from that of its breakpoint


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
    fewer = on_fewer_cells(case)
    richardson = (case.device.film.cells / fewer.device.film.cells) ** 2 - 1.0
    worst = Reached(0.0, "no read")
    for part in parts:
        try:
            run = begun(case, fewer, part, states)
            integrate.follow_pieces(run, part.pieces, part.tasks, integrate.place_at_start(0.0), False)
            coarse = np.concatenate(run.reads)[:, READ_CURRENT]
        except (SolverError, CaseError):  # of kinds whose own layers would have too few cells
            coarse = np.full(len(part.reads), np.nan)
        for number, current in zip(part.reads, coarse, strict=True):
            error = difference(float(current), float(currents[number])) / richardson
            worst = max(worst, Reached(error, f"t = {times[number]:.4g} s"))
    return worst


def difference(coarse: float, fine: float) -> float:
    """|ln| of the ratio of two currents [A]; 0 for none on both grids, infinite without a current on one of them."""
    if coarse == fine:
        return 0.0
    return abs(float(np.log(coarse / fine))) if coarse * fine > 0.0 else np.inf


def on_fewer_cells(case: Case) -> Case:
    """The case on half the cells, or on the fewest that a film has."""
    film = case.device.film.with_cells(max(FEWEST_CELLS, case.device.film.cells // 2))
    return case.model_copy(update={"device": case.device.model_copy(update={"film": film})})


def begun(case: Case, fewer: Case, part: Replay, states: Sequence[KeptState]) -> Run:
    """A run at the start of a replay, of the case on fewer cells. Raises SolverError."""
    parts, numerics = model.members(fewer), case.numerics
    junction = model.junction(fewer, parts=parts)
    if part.anew:
        start = initial.start(fewer, junction, parts)
        return initial.begin(fewer, junction, parts, start, temperature=start.temperature)
    state = next(state for state in reversed(states) if same_time(state.time, part.start))
    widths = (np.diff(model.film_faces(of.device.film)) for of in (case, fewer))
    run = integrate.begin(
        junction, initial.regridded(state.c, *widths), rtol=numerics.rtol, atol=numerics.atol,
        max_steps=numerics.max_steps, passed=state.passed, filling=refilled(case, junction, state.filling),
        temperature=state.temperature if state.temperature.size else None,
        polarisation=None if case.device.film.polarisation is None else state.polarisation,
    )  # fmt: skip
    run.state.D_right[:] = state.D_right
    return run


def refilled(case: Case, coarse: Junction, filling: np.ndarray) -> np.ndarray:
    """Filling of the traps of a junction on fewer cells, along straight lines between that of the case (K, T)."""
    out: np.ndarray = np.zeros((len(filling), coarse.channels.first[-1]))
    fine = model.junction(case) if filling.size else coarse
    for k, channel in product(range(len(filling)), np.flatnonzero(np.diff(coarse.channels.first))):
        before, after = (trap_places(junction, k, int(channel)) for junction in (fine, coarse))
        levels = LEVELS if coarse.channels.numbers[channel, SPREAD] else 1
        own, first = filling[k, fine.channels.first[channel] :][: before.size], coarse.channels.first[channel]
        along = [np.interp(after[::levels], before[::levels], of_level) for of_level in own.reshape(-1, levels).T]
        out[k, first : first + after.size] = np.transpose(along).ravel()
    return out


def trap_places(junction: Junction, k: int, channel: int) -> np.ndarray:
    """Places (n,) [m] of the groups of traps of a channel in column k."""
    K, N = junction.columns.width.shape
    without_fields = new_state(K, N, interfaces=junction.layers.half_left.shape[1])
    x: np.ndarray = placed_traps(junction, without_fields, k, channel).sites.x
    return x
