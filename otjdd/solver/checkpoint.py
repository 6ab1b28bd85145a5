"""Checkpoints on disk. A run continued from one gives the same numbers, bit for bit, as an uninterrupted run.

Between two calls of the kernels, `integrate.Run` holds the whole state of the run. The junction follows from the case and
is not written. The arrays that change, and the identity of the run, are written as a file of named arrays, see
`otjdd.results.store`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.compiler import kernel_cache
from otjdd.errors import ResultError
from otjdd.results import store
from otjdd.solver import integrate
from otjdd.solver.integrate import Counts, Run
from otjdd.solver.start import KeptState, Start
from otjdd.system import files, sources
from otjdd.system.files import read_whole, write_whole
from otjdd.variables import OUTPUT

log = logging.getLogger(__name__)

EVERY = 60.0  # s between two checkpoints
PATIENCE = 20.0  # least time between two checkpoints over the time that one takes: a twentieth of the run
MACHINE = (
    "python_version",
    "system",
    "processor",
)  # compared besides the versions of libraries: other machine code gives other bits
AFRESH = "start again, without --resume"
INSTANT = KeptState._fields[:-1]  # of a kept state, beside its memory
LOGS = "rows", "reads"  # of a run


class CheckpointPlace(NamedTuple):
    """Place of the checkpoints of a run, and their schedule."""

    path: Path
    every: float = EVERY  # s
    resume: bool = False  # continue from an existing checkpoint


class Saved(NamedTuple):
    """A checkpoint: its file, its arrays by name, its counts, and the time that the run has taken so far."""

    path: Path
    arrays: dict[str, np.ndarray]
    counts: Counts
    wall_time: float  # s

    @property
    def start(self) -> Start:
        """What the run began with: its first kept state."""
        return {name: arrays[0] for name, arrays in kept_memory(self.arrays).items()}


def checkpoint_path(result: Path) -> Path:
    """Path of the checkpoint of the run that makes a result: next to it, hidden."""
    return result.with_name(f".{files.shortened(result.name)}.checkpoint")


def belonging(case: Case) -> dict[str, str]:
    """Identity of a checkpoint: versions, machine, sources of otjdd, and the case with its files. Raises OSError."""
    about = store.provenance("", "")
    versions = {name: about[name] for name in about if name.endswith("_version") or name in MACHINE}
    # Another version may spell the same case otherwise, so the versions are compared first.
    return {**versions, "sources": f"{sources.digest()} {kernel_cache.made_from()}", "case": case.digest}


def write(path: Path, run: Run, belongs: dict[str, str], wall_time: float) -> None:
    """Write the present state of a run; wall_time [s] is the time it took so far. Raises ResultError."""
    write_moment(path, moment(run, wall_time), run, belongs)


class CheckpointContents(NamedTuple):
    """Copies of the arrays of a run that change, and the lengths of its lists."""

    memory: dict[str, np.ndarray]
    counts: Counts
    lengths: tuple[int, int, int]  # lengths of rows, reads and kept states, which only grow
    wall_time: float  # s, duration of the run up to this moment


def moment(run: Run, wall_time: float) -> CheckpointContents:
    """Contents of a checkpoint of a run in its present state."""
    copies = {name: array.copy() for name, array in changing_arrays(run).items()}
    return CheckpointContents(copies, run.counts, (len(run.rows), len(run.reads), len(run.kept_states)), wall_time)


def write_moment(path: Path, then: CheckpointContents, run: Run, belongs: dict[str, str]) -> None:
    """Write the state of a run at a moment. Raises ResultError."""
    head = {"belongs": belongs, "counts": then.counts, "wall_time": then.wall_time}
    rows, reads, states = then.lengths
    lists = {"rows": run.rows[:rows], "reads": run.reads[:reads]}
    blocks = {name: np.concatenate(pieces) for name, pieces in lists.items() if pieces}
    kept = [dict(zip(INSTANT, state, strict=False)) | state.start for state in run.kept_states[:states]]
    kept_states = {f"kept.{name}": np.array([of[name] for of in kept]) for name in kept[0]} if kept else {}
    write_whole(path, store.packed("checkpoint", head, {**blocks, **kept_states, **then.memory}), mode=0o600)


def read(path: Path, belongs: dict[str, str]) -> Saved:
    """A checkpoint. Raises ResultError when it is damaged, belongs to another run, or comes from another user."""
    head, numbers = store.opened(path, read_whole(path, owned=True), "checkpoint", AFRESH)
    try:
        if not isinstance(head["belongs"], dict):
            raise ValueError("it does not say what it belongs to")
        arrays = store.unpacked(head["arrays"], numbers)
        if not arrays["kept.c"].ndim == 3 or not len(arrays["kept.c"]):
            raise ValueError("it does not hold the state that its run began with")
        saved = Saved(path, arrays, Counts._make(map(int, head["counts"])), float(head["wall_time"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ResultError(path, f"is no whole checkpoint ({error})", AFRESH) from error
    for name, own in belongs.items():
        if (stated := head["belongs"].get(name)) != own:
            raise ResultError(path, unlike(name, stated, own), AFRESH)
    return saved


def latest(place: CheckpointPlace | None, belongs: dict[str, str]) -> Saved | None:
    """The checkpoint to continue from; None when there is none, or none is wanted. Raises ResultError."""
    if place is None or not place.resume or not place.path.exists():
        return None
    return read(place.path, belongs)


def unlike(name: str, stated: str | None, own: str) -> str:
    """Message for a checkpoint that belongs to another run."""
    if name == "case":
        return "belongs to another case, or to other settings or files of this one"
    if name == "sources":
        return "was written by other sources of otjdd, or with other options of its compiler"
    return f"was written with another {name.replace('_', ' ')}: {stated} then, {own} now"


def restore(run: Run, saved: Saved) -> None:
    """Put a run that began with `saved.start` into the state of the checkpoint. Raises ResultError."""
    arrays = saved.arrays
    try:
        for name, array in changing_arrays(run).items():
            there = arrays[name]
            if (there.shape, there.dtype) != (array.shape, array.dtype):
                raise ValueError(f"{name} is {there.dtype} of the shape {there.shape}")
            array[...] = there
        run.counts = saved.counts
        run.rows, run.reads = (logged(arrays, *of) for of in zip(LOGS, integrate.row_widths(run), strict=True))
        times, volts, V_j, *of_columns = (arrays[f"kept.{name}"] for name in INSTANT)
        lasting = kept_memory(arrays)
        starts = [dict(zip(lasting, of, strict=True)) for of in zip(*lasting.values(), strict=True)]
        instants = zip(times.tolist(), volts.tolist(), V_j.tolist(), *of_columns, starts, strict=True)
        run.kept_states = [KeptState(*instant) for instant in instants]
    except (ValueError, TypeError, KeyError) as error:
        raise ResultError(saved.path, f"does not fit its run ({error})", AFRESH) from error


def kept_memory(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The memory of all kept states of a checkpoint, by name."""
    return {name: arrays[f"kept.{name}"] for name in OUTPUT if f"kept.{name}" in arrays}


def logged(arrays: dict[str, np.ndarray], name: str, width: int) -> list[np.ndarray]:
    """Logged blocks of a run. Raises ValueError for rows of another width."""
    if name not in arrays:
        return []
    if arrays[name].ndim != 2 or arrays[name].shape[1] != width:
        raise ValueError(f"{name} of the shape {arrays[name].shape}")
    return [arrays[name]]


def changing_arrays(run: Run) -> dict[str, np.ndarray]:
    """The arrays of a run that change in place, by name."""
    return {
        "state": run.state.flat,
        "tangent": run.tangent.flat,
        **{f"memory.{name}": array for name, array in run.memory._asdict().items()},
        **{f"place.{name}": array for name, array in run.place._asdict().items()},
        "heat": run.watch.heat,
        "largest": run.watch.largest,
        "block": run.block,
        "noise.steps": run.trial.noise.steps,
        "noise.limited": run.trial.noise.limited,
        "noise.ions": run.trial.noise.ions,
        "noise.passed": run.trial.noise.passed,
    }


class Keeper:
    """Writes checkpoints of a run: at intervals, and when it is interrupted.

    Called with the fraction done whenever the state of the run is consistent. After an interruption between two calls the
    state at the last call is written.
    """

    def __init__(
        self,
        place: CheckpointPlace,
        run: Run,
        belongs: dict[str, str],
        began: float,
        progress: Callable[[float], object] | None = None,
    ) -> None:
        """began : time.perf_counter() [s] at the start of the run   progress : called with the same fraction"""
        self.place, self.run, self.belongs, self.began, self.progress = place, run, belongs, began, progress
        self.due = time.perf_counter() + place.every
        self.last: CheckpointContents | None = None

    def __call__(self, fraction: float) -> None:
        now = time.perf_counter()
        self.last = moment(self.run, now - self.began)
        if now >= self.due and fraction < 1.0:
            self.write()
            written = time.perf_counter()
            self.due = written + max(self.place.every, PATIENCE * (written - now))
        if self.progress:
            self.progress(fraction)

    def write(self) -> None:
        """Write the last moment, if there was one. A failure to write is reported and does not end the run."""
        if self.last is None:
            return
        try:
            write_moment(self.place.path, self.last, self.run, self.belongs)
        except ResultError as error:
            log.warning("no checkpoint: %s", error)
