"""From the case of one junction to its Dataset."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.case.case import Case
from otjdd.case.device import FromResult
from otjdd.case.film import FEWEST_CELLS
from otjdd.case.kinds import kinds_of
from otjdd.errors import ResultError, SolverError
from otjdd.physics.junction import Junction
from otjdd.results import outputs
from otjdd.solver import checkpoint, grid_error, initial, integrate, model, model_limits, self_check
from otjdd.solver.at_rest import iv, small_signal
from otjdd.solver.collect import collected, needs_snapshots, readings, snapshots_of
from otjdd.solver.integrate import Run
from otjdd.solver.model import Member
from otjdd.solver.model_limits import Ended, Reached, attributes, delivered, ending, limits_attribute, status_words
from otjdd.solver.start import Start, Trail
from otjdd.stepping.run_log import new_watch
from otjdd.stepping.step_control import Place
from otjdd.system.late import xr
from otjdd.system.limits import uninterrupted
from otjdd.system.steps import Progress, finished
from otjdd.waveform.waveform import Chain, Waveform

WITHOUT_WAVEFORM = {"iv": iv, "cv": small_signal, "impedance": small_signal}  # by kind of drive

AT_ONCE = 1e-9  # of the charge of a junction, through which its resistance delays nothing


class Found(NamedTuple):
    """Outputs of a run by name, and the limits of the model that it exceeds, a line each."""

    arrays: dict[str, ArrayLike]
    limits: str


class RunOutputs(NamedTuple):
    """What came of a run along its waveform: outputs and coordinates by name, and what ended it early, if anything."""

    arrays: dict[str, Any]
    coords: dict[str, Any]
    reached: dict[str, Reached]  # output -> largest value, of those that have a limit
    statistics: dict[str, Any]  # of the solver
    wall_time: float  # s
    failure: Ended | None


def simulate_junction(
    case: Case,
    progress: Progress = None,
    start: Start | None = None,
    checkpoints: checkpoint.CheckpointPlace | None = None,
    check_grid: bool = False,
    trail: Trail | None = None,
    *,
    at_once: bool = False,
) -> xr.Dataset:
    """Dataset of one junction: along the waveform of its case, or of curves at frozen ions when its drive is of that kind.

    start : instead of that which the case says
    checkpoints : `checkpoint.CheckpointPlace` of them, None for none; curves at frozen ions have none
    check_grid : also estimate the error by the grid, of the first and the last read or of some points of each curve
    trail : filled with the time steps; with steps to take, if another run gives them
    at_once : the source charges the junction at once, as in compact models, which have its charge in circuits only
    Raises SolverError and KeyboardInterrupt, with the Dataset so far as `partial`; ResultError for a checkpoint.
    """
    self_check.verify_kernels()
    case = case.without_fit()
    if case.drive.kind in WITHOUT_WAVEFORM:
        return WITHOUT_WAVEFORM[case.drive.kind](case, progress, trail, check_grid)
    texts = case.texts()  # of the waveforms that it names; read before the run, as files change while it lasts
    ran: RunOutputs = finished(
        in_steps(
            case, progress, start=start, checkpoints=checkpoints, check_grid=check_grid, trail=trail, at_once=at_once
        )
    )

    def with_attributes() -> xr.Dataset:
        about = attributes(case, ran.statistics, ran.wall_time, ran.reached)
        return outputs.dataset(ran.arrays, ran.coords, about | ({"case_files": json.dumps(texts)} if texts else {}))

    ds, interruption = uninterrupted(with_attributes)
    return delivered(ds, ran.failure or interruption)


def outputs_in_steps(case: Case, only: Collection[str], progress: Progress = None) -> Generator[None, None, Found]:
    """Outputs in `only` of a case with a waveform, and the coordinates of their dimensions, without a Dataset.

    To make a Dataset takes longer than a short run. Steps: as of `in_steps`. Raises what ends the run.
    """
    self_check.verify_kernels()
    ran = yield from in_steps(case.without_fit(), progress, only=only)
    if ran.failure:
        raise ran.failure
    return Found(
        outputs.selected_arrays(ran.arrays | ran.coords, only), limits_attribute(ran.reached)[model_limits.ATTRIBUTE]
    )


def in_steps(
    case: Case,
    progress: Progress,
    *,
    only: Collection[str] | None = None,
    start: Start | None = None,
    checkpoints: checkpoint.CheckpointPlace | None = None,
    check_grid: bool = False,
    trail: Trail | None = None,
    at_once: bool = False,
) -> Generator[None, None, RunOutputs]:
    """The run of a junction along its waveform: prepared, integrated, and its outputs collected.

    A generator of these three steps, so that several short runs can take each step one after the other (`system.steps`).
    only : outputs that are collected, None for all; profiles are computed if one is among them
    check_grid, trail, at_once : as of `simulate_junction`
    """
    began = time.perf_counter()
    waveform = case.waveform()
    case.record.check_reads(waveform.read_count)
    replays: list[grid_error.Replay] = []
    if check_grid and case.ions.noise == "none" and case.device.film.cells > FEWEST_CELLS:
        replays = grid_error.replays(waveform, start is None and not isinstance(case.ions.initial, FromResult))
    belongs = checkpoint.belonging(case) if checkpoints else {}
    saved = checkpoint.latest(checkpoints, belongs)
    moving, failure = begun(case, saved.start if saved else start, at_once)
    moving.trail = trail
    if saved:
        checkpoint.restore(moving, saved)
        began -= saved.wall_time
    keeper = checkpoint.Keeper(checkpoints, moving, belongs, began, progress) if checkpoints else None
    yield
    try:
        place, copies = moving.place if saved else None, [part.start for part in replays if part.start > 0.0]
        failure = failure or run_along(case, moving, waveform, keeper or progress, place, copies)
    except integrate.Misplaced as error:
        assert saved is not None  # a run that begins is at the start of its waveform
        raise ResultError(saved.path, f"does not fit its run ({error})", checkpoint.AFRESH) from error
    if keeper and isinstance(failure, KeyboardInterrupt):
        keeper.write()
    yield
    reads, early = uninterrupted(lambda: readings(case, moving, waveform))  # a second signal may follow at once
    far = moving.time  # before the snapshots, which take it back
    failure = failure or early
    of_grid, interrupted = grid_error_of(case, replays, moving, reads) if failure is None else ({}, None)
    profiled = grid_error.asked_for(case, moving.kept_states, replays, waveform.duration)
    snapshots, ended = snapshots_of(case, moving, profiled) if needs_snapshots(only) else ([], None)
    ended = interrupted or ended
    if keeper and failure is None and isinstance(ended, KeyboardInterrupt):
        keeper.write()
    failure = failure or ended
    statistics = {"status": status_words(failure), "time_reached": far, "time_total": waveform.duration}
    took = time.perf_counter() - began
    (arrays, coords, reached), interruption = uninterrupted(lambda: collected(case, moving, reads, snapshots, only))
    arrays |= {name: at.value for name, at in of_grid.items()}
    reached |= of_grid
    if case.ions.noise != "none":
        statistics |= {"largest_leap": case.numerics.largest_leap, "limited_leaps": int(moving.trial.noise.limited[0])}
    return RunOutputs(arrays, coords, reached, moving.counts._asdict() | statistics, took, failure or interruption)


def begun(case: Case, start: Start | None = None, at_once: bool = False) -> tuple[integrate.Run, Ended | None]:
    """A run at the start of a case, and the failure that prevented the start, if any.

    start : instead of that of the case   at_once : as of `simulate_junction`
    """
    parts = model.members(case)
    junction = model.junction(case, parts=parts)
    start, failure = (start, None) if start is not None else prepared(case, junction, parts)
    if at_once:  # along the drive: what happened before it is that of the case
        junction = junction._replace(area=AT_ONCE * junction.area, capacitance=0.0)
    cold = model_limits.unheated(case.device.disc_radius)
    watch = new_watch(case.device.film_states(case.temperature), cold, case.device.film.cells)
    moving = initial.begin_case(case, junction, parts, start, watch=watch, apart=len(kinds_of(case)) > 1)
    return moving, failure


def prepared(case: Case, junction: Junction, parts: list[Member]) -> tuple[Start, Ended | None]:
    """What a case starts from, and the failure that prevented it, if any."""
    try:
        return initial.start(case, junction, parts), None
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        return {"c": model.uniform(case, parts)}, ending(error)


def run_along(
    case: Case,
    moving: Run,
    waveform: Waveform | Chain,
    progress: Progress,
    place: Place | None,
    copies: Sequence[float] = (),
) -> Ended | None:
    """Take a run along a waveform and record what the case asks for. place : to go on from, None to begin

    copies : breakpoints [s] at which the state is kept as it is
    Returns the SolverError or KeyboardInterrupt that ended it early, None otherwise.
    """
    record = case.record
    try:
        if place is None:
            integrate.record_row(moving, 0.0)
            integrate.keep_state(moving, 0.0)  # the state before the drive
        integrate.follow_waveform(
            moving, waveform, every=record.every, windows=record.windows, stops=record.instants(waveform.duration)[1:],
            copies=copies, keep_reads=record.profiles_at_reads, progress=progress, place=place,
        )  # fmt: skip
        if record.every != "all":
            integrate.record_row(moving, waveform.last_voltage)
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        return ending(error)
    return None


def grid_error_of(
    case: Case, replays: list[grid_error.Replay], moving: Run, reads: dict[str, np.ndarray]
) -> tuple[dict[str, Reached], Ended | None]:
    """Error of the reads by the grid, by the name of its output, and the interruption that ended it, if any."""
    if not replays:
        return {}, None
    try:
        error = grid_error.largest_error(case, replays, moving.kept_states, reads["read_time"], reads["read_current"])
    except (KeyboardInterrupt, SystemError) as interruption:
        return {}, ending(interruption)
    return {grid_error.OUTPUT: error}, None
