"""Simulate a case with a crossbar: its patterns are written, read and left at rest, part by part of its drive.

A part that programs is write-verify: the cells of a word line are read, pulsed towards their targets and read again, all of
them at once. During a pulse the word line is at the largest voltage that one of its cells needs. The bit line of a cell is
at the excess of this voltage over that of its own pulse, and from the end of its own pulse on at the voltage of the scheme.
Set pulses and reset pulses follow each other.

Meanwhile the cells of all other word lines load the network. Their states move once for each pulse instead of in its time
steps, unless they move by more than `pulses.ERROR`. The times that these cells spend near 0 V, or in reads, are added up;
their states move for this sum, at 0 V, at the end of the word line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.crossbar import (
    PatternProgram,
    PatternRead,
    PatternRest,
    Patterns,
    PatternWrite,
    ProgramPulse,
    targets_of,
)
from otjdd.compact_models.crossbars import models, pulses
from otjdd.compact_models.crossbars.network import (
    Crossbar,
    NetworkSolution,
    beginning,
    calm,
    cell_conductances,
    hold_cells,
    noiseless,
)
from otjdd.compact_models.crossbars.pulses import sensed_currents
from otjdd.compact_models.error import error_sentence
from otjdd.compact_models.model import CompactModel
from otjdd.errors import NetworkError, SolverError
from otjdd.results import outputs
from otjdd.solver import model_limits, self_check
from otjdd.solver.integrate import of_part
from otjdd.solver.model_limits import Ended, attributes, delivered, ending, status_words
from otjdd.system.late import xr
from otjdd.system.steps import Progress

DrivenPieces = Iterator[tuple[pulses.DriverPiece | None, float]]  # results, None for rests at 0 V; durations [s]
UP, DOWN = 1, -1  # directions of a conductance
QUIET = 2e-3  # V: a cell at a lower voltage moves as at 0 V


@dataclass
class Programming:
    """The cells of a crossbar while they are programmed. All maps are (R, C)."""

    crossbar: Crossbar
    scheme: str
    states: np.ndarray  # (R C, ...) of `CompactModel.states`
    part: PatternProgram
    target: np.ndarray  # S
    conductance: np.ndarray = field(init=False)  # S, of the last read
    pulses: np.ndarray = field(init=False)
    energy: np.ndarray = field(init=False)  # J, into each cell while its word line is programmed
    time: np.ndarray = field(init=False)  # s, from the beginning of its word line to the last read that it needed
    share: float = 0.0  # of the word lines that are done

    def __post_init__(self) -> None:
        self.pulses, self.energy, self.time = (np.zeros(self.target.shape) for _ in range(3))
        self.conductance = np.full(self.target.shape, np.nan)

    @property
    def error(self) -> np.ndarray:
        """Conductances relative to their targets, less 1."""
        return self.conductance / self.target - 1.0

    @property
    def missed(self) -> np.ndarray:
        """True for cells that are further from their target than the tolerance."""
        return ~(np.abs(self.error) <= self.part.tolerance)

    def run(self) -> DrivenPieces:
        """Program all cells, and read them at the end of each round; as an iterator over what the drivers do."""
        R = self.target.shape[0]
        words = list(range(R))
        for turn in range(self.part.rounds):
            for word in words:
                yield from WordLine(self, word).run()
                self.share = (turn + (word + 1) / R) / self.part.rounds
            for word in range(R):
                yield from WordLine(self, word).read()
            words = np.flatnonzero(self.missed.any(axis=1)).tolist()
            if not words:
                break


@dataclass
class WordLine:
    """A word line while its cells are programmed. All vectors are (C,)."""

    of: Programming
    word: int
    owed: np.ndarray = field(init=False)  # (R C,) s, time at 0 V by which cells of other word lines have yet to move
    now: float = 0.0  # s since the beginning
    last: dict[object, tuple[pulses.Drivers, NetworkSolution, float]] = field(
        default_factory=dict
    )  # kind of pulse -> its end

    def __post_init__(self) -> None:
        self.owed = np.zeros(self.of.crossbar.count)

    def run(self) -> DrivenPieces:
        """Read and pulse the cells until all are at their targets or have had their pulses."""
        of, word, part = self.of, self.word, self.of.part
        level, going = np.zeros(of.target.shape[1]), np.zeros(of.target.shape[1])
        began = of.time[word].copy()
        yield from self.read()
        while (unfinished := of.missed[word] & (of.pulses[word] < part.most_pulses)).any():
            way = np.where(of.error[word] < 0.0, UP, DOWN)
            level = np.where(unfinished, np.where(way == going, level + 1.0, 0.0), level)
            going = np.where(unfinished, way, going)
            for direction, kind in ((UP, part.set_pulse), (DOWN, part.reset_pulse)):
                if (mine := unfinished & (way == direction)).any():
                    yield from self.pulse(mine, level, kind)
            yield from self.read()
            of.time[word, unfinished] = began[unfinished] + self.now
        off = np.zeros(of.crossbar.count, bool)
        for spent in np.unique(self.owed[self.owed > 0.0]):  # by the cells of all other word lines, now, at 0 V
            due = np.flatnonzero(self.owed == spent)
            hold_cells(of.crossbar.cells, off, due, of.states, np.zeros(due.size), float(spent))
        self.owed[:] = 0.0

    def read(self) -> DrivenPieces:
        """Read the cells."""
        part = self.of.part
        drivers = pulses.reading_drivers(self.of.crossbar, part.read_voltage, self.word)
        driven = self.hold("read", drivers, part.read_duration)
        current = sensed_currents(self.of.crossbar, self.of.states, driven, self.word)
        self.of.conductance[self.word] = current / part.read_voltage
        yield driven, part.read_duration

    def pulse(self, mine: np.ndarray, level: np.ndarray, kind: ProgramPulse) -> DrivenPieces:
        """Apply one pulse to each of the cells `mine`. level : number of pulses of the kind directly before, by cell"""
        highest, longest = kind.last
        voltage = np.minimum(abs(kind.voltage) + level * kind.voltage_step, abs(highest)) * np.sign(kind.voltage)
        grown = np.log(kind.width) + level * np.log(kind.width_factor)
        width = np.where(grown < np.log(longest), np.exp(grown), longest)
        self.of.pulses[self.word, mine] += 1.0
        began = 0.0
        for end in np.unique(width[mine]):
            on = np.where(mine & (width >= end), voltage, np.nan)
            drivers = pulses.programming_drivers(on, self.of.target.shape[0], self.word, self.of.scheme)
            driven = self.hold((kind, began > 0.0), drivers, end - began)
            yield driven, float(end - began)
            began = end

    def hold(self, kind: object, drivers: pulses.Drivers, duration: float) -> pulses.DriverPiece:
        """Hold the drivers for a duration [s]. kind : of pulse; the solution starts from the last pulse of this kind"""
        of, before, first = self.of, None, 0.0
        if kind in self.last:
            old, solution, first = self.last[kind]
            words, bits = drivers.words - old.words, drivers.bits - old.bits  # none of the lines floats
            moved = np.concatenate((np.repeat(words, bits.size), np.tile(bits, words.size)))
            before = solution._replace(point=None, nodes=solution.nodes + moved)
        driven = hold_line(of.crossbar, of.states, drivers, (duration, first, kind != "read"), before, self.owed)
        self.last[kind] = drivers, driven.end, min(driven.step, duration)
        self.now += duration
        of.energy[self.word] += driven.heat[self.word]
        return driven


def hold_line(
    crossbar: Crossbar, states: np.ndarray, drivers: pulses.Drivers, course: tuple[float, float, bool],
    before: NetworkSolution | None, owed: np.ndarray,
) -> pulses.DriverPiece:  # fmt: skip
    """Hold drivers whose chosen word line is followed in time; the states (R C, ...) change in place.

    course : duration [s], first time step [s], and if the cells of other word lines move   before : see `pulses.Followed`
    owed : (R C,) [s] at 0 V, to which the duration is added for cells of other word lines that do not move, or are within
        QUIET of 0 V
    Where cells of other word lines move by more than `pulses.ERROR`, all cells are followed in time.
    """
    duration, first, disturbs = course
    cells, chosen = crossbar.cells, crossbar.on_lines(drivers.chosen)
    mine = np.flatnonzero(chosen)
    moved, drawn, charged = states.copy(), cells.streams.copy(), crossbar.line_voltages.copy()
    driven = pulses.hold_drivers(crossbar, moved, drivers, duration, first, pulses.Followed(mine, before))
    quiet = ~chosen & ((np.abs(driven.end.voltage.ravel()) < QUIET) | (not disturbs))
    others = np.flatnonzero(~chosen & ~quiet)
    if others.size:
        still, voltage = moved.copy(), driven.end.voltage.ravel()[others]
        hold_cells(cells, chosen, others, moved, voltage, duration)
        mean = moved
        if far(mean, still) and cells.streams.size:
            mean = still.copy()
            hold_cells(calm(cells), chosen, others, mean, voltage, duration)
        if far(mean, still):
            cells.streams[...] = drawn  # the same draws again: to reject draws by their effect would bias the noise
            crossbar.line_voltages[...] = charged
            every = pulses.Followed(np.arange(crossbar.count), before)
            return pulses.hold_drivers(crossbar, states, drivers, duration, first, every)
    owed[quiet] += duration
    states[...] = moved
    return driven


def far(moved: np.ndarray, states: np.ndarray) -> bool:
    """True if the position of a column has moved by more than the allowed error."""
    K = states.shape[1] // 2
    return bool(np.abs(moved[:, :K] - states[:, :K]).max() > pulses.ERROR)


CELLS = (
    "cell_chosen", "cell_voltage", "cell_energy", "cell_conductance", "cell_rest_position", "sensed_current", "sneak_share",
)  # fmt: skip
PROGRAMMED = (
    "program_target", "program_conductance", "program_error", "program_pulses", "program_energy", "program_time",
    "program_missed",
)  # fmt: skip
OpenLoop = PatternWrite | PatternRead | PatternRest  # parts whose duration is known before
PatternPart = OpenLoop | PatternProgram
SETTLING = "settling_time"  # of a crossbar whose lines have a capacitance
ENERGIES = "step_energy", "selected_energy", "half_selected_energy", "line_energy"
STEPS = ("step_time", "step_voltage", *ENERGIES, "step_operations", "write_disturb")
EXTRACTION = 0.8  # share of the progress for the extraction of a model


class DrivenCrossbar(NamedTuple):
    """A crossbar during its drive. The arrays of S steps are nan at first, and are filled step by step."""

    crossbar: Crossbar
    scheme: str
    states: np.ndarray  # (R C, ...) of `CompactModel.states`
    maps: dict[str, np.ndarray]  # CELLS, and PROGRAMMED of a drive that programs -> (S, R, C)
    rows: dict[str, np.ndarray]  # STEPS, and SETTLING -> (S,)
    largest: dict[str, np.ndarray]  # "current_density" [A/m2], "power" [W] -> (S,) of any cell in a step
    rested: np.ndarray  # (R C, ...) states of cells that nobody has touched since the step before


def simulate_crossbar(case: Case, progress: Progress = None) -> xr.Dataset:
    """Dataset of a case whose drive is of the kind patterns. Raises CaseError, ResultError, ExtractionError, SolverError.

    progress : called with the fraction done. The partial result of a run that fails or is interrupted ends in nan.
    """
    assert case.crossbar is not None  # `case.crossbar.faults_of_crossbar` has checked it
    assert isinstance(case.drive, Patterns)
    self_check.verify_kernels()
    began = time.perf_counter()
    failure: Ended | None = None
    extracting = case.crossbar.model is None
    first = EXTRACTION if extracting and progress else 0.0
    crossbar = models.crossbar_of(case, of_part(progress, 0, 1.0 / first) if first else None)
    running = begun_crossbar(crossbar, case.drive)
    try:
        for i, part in enumerate(case.drive.parts):
            for done in apply_part(running, i + 1, part):
                if progress:
                    progress(first + (1.0 - first) * (i + done) / len(case.drive.parts))
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        failure = ending(error)
    statistics = {
        "status": status_words(failure),
        "model": "extracted for this run" if extracting else case.crossbar.model,
        "model_sha256": CompactModel.load(case.crossbar.model).digest if case.crossbar.model else "",
    }
    reached = largest_by_step(running, case.crossbar.cells.radius or case.device.disc_radius)
    if case.device.film.electrons != "none":  # the model then contains them, so their number is no limit
        del reached["film_electron_ratio"]
    about = attributes(case, statistics, time.perf_counter() - began, reached) | {
        "compact_model_error": error_sentence(crossbar.model)
    }
    if "program_missed" in running.maps:
        about["program_missed"] = "\n".join(
            f"step {step}: " + (", ".join(f"({word}, {bit})" for word, bit in np.argwhere(missed == 1.0)) or "none")
            for step, missed in enumerate(running.maps["program_missed"])
            if np.isfinite(missed).all()  # nan in steps that do not program
        )
    return delivered(outputs.dataset(running.maps | running.rows, {}, about), failure)


def begun_crossbar(crossbar: Crossbar, drive: Patterns) -> DrivenCrossbar:
    """A crossbar before the first part of its drive, recorded as step 0."""
    count = len(drive.parts) + 1
    states = beginning(crossbar.cells)
    programs = any(part.kind == "program" for part in drive.parts)
    maps = {name: np.full((count, *crossbar.shape), np.nan) for name in CELLS + PROGRAMMED * programs}
    settling = (SETTLING,) if crossbar.line_voltages.size else ()
    running = DrivenCrossbar(
        crossbar, drive.scheme, states, maps, {name: np.full(count, np.nan) for name in (*STEPS, *settling)},
        {name: np.zeros(count) for name in ("current_density", "power")}, states.copy(),
    )  # fmt: skip
    record_step(running, 0, 0.0, np.nan)
    return running


def apply_part(running: DrivenCrossbar, step: int, part: PatternPart) -> Iterator[float]:
    """Apply a part of the drive to a crossbar, and record it as a step. Yields the share of the part that is done.

    Raises NetworkError with the time of the failure, KeyboardInterrupt.
    """
    began = now = float(running.rows["step_time"][step - 1])
    programming, total = None, 0.0
    if isinstance(part, PatternProgram):
        target = targets_of(part.targets, running.crossbar.shape)
        programming = Programming(running.crossbar, running.scheme, running.states, part, target)
        pieces = programming.run()
    else:
        total = sum(piece.duration for piece in pulses.steps_of_part(part, running.scheme, running.crossbar))
        if isinstance(part, PatternWrite):
            running.maps["cell_chosen"][step] = part.cells(*running.crossbar.shape)
        pieces = open_loop(running, step, part)
    try:
        for driven, lasted in pieces:
            now += lasted
            if driven is not None:
                add_to_step(running, step, driven)
            yield programming.share if programming else (now - began) / total
    except NetworkError as error:
        raise NetworkError(error.reason, now, *error.args[2:]) from error
    if programming:
        running.maps["cell_chosen"][step] = 1.0
        for name in PROGRAMMED:
            running.maps[name][step] = getattr(programming, name.removeprefix("program_"))
    record_step(running, step, now, getattr(part, "voltage", np.nan))


def open_loop(running: DrivenCrossbar, step: int, part: OpenLoop) -> DrivenPieces:
    """Apply a part whose pulses are known before, and record what it reads.

    Yields (DriverPiece, or None for a pause or a rest; duration [s]). Each pulse begins with the time step of the pulse
    before, each read with the default.
    """
    crossbar, first, longest = running.crossbar, 0.0, 0.0
    for driver_step in pulses.steps_of_part(part, running.scheme, crossbar):
        driven = pulses.apply_step(crossbar, running.states, driver_step, first)
        if driven is not None and driven.drivers.read is None:
            first = driven.step
        elif driven is not None and driven.drivers.read is not None:
            word, bit = driven.drivers.read
            at = slice(None) if bit is None else bit
            total, through = driven.end.bit_current[at], driven.end.current[word, at]
            running.maps["sensed_current"][step, word, at] = sensed_currents(crossbar, running.states, driven, word)[at]
            running.maps["sneak_share"][step, word, at] = 1.0 - through / total
            if SETTLING in running.rows:
                running.rows[SETTLING][step] = longest = float(np.maximum(longest, driven.settled))  # nan stays
        yield driven, driver_step.duration


def add_to_step(running: DrivenCrossbar, step: int, driven: pulses.DriverPiece) -> None:
    """Add the energy and the largest voltages, currents and powers of a piece to a step."""
    maps, rows, largest, cells = running.maps, running.rows, running.largest, running.crossbar.cells
    maps["cell_voltage"][step] = pulses.larger_magnitude(driven.voltage, np.nan_to_num(maps["cell_voltage"][step]))
    maps["cell_energy"][step] = np.nan_to_num(maps["cell_energy"][step]) + driven.heat
    selected = pulses.written_cells(driven.drivers)
    if driven.drivers.read is not None:
        word, bit = driven.drivers.read
        selected[word, slice(None) if bit is None else bit] = True
    into, cells_energy = float(driven.heat[selected].sum()), float(driven.heat.sum())
    for name, value in zip(
        (*ENERGIES, "step_operations"),
        (driven.energy, into, cells_energy - into, driven.energy - cells_energy, int(selected.sum())),
        strict=True,
    ):
        rows[name][step] = np.nan_to_num(rows[name][step]) + value
    if SETTLING in rows and driven.drivers.read is None and driven.settled > 0.0:
        rows[SETTLING][step] = np.fmax(rows[SETTLING][step], driven.settled)
    density = np.abs(driven.current).ravel() / cells.per_cell([device.area for device in cells.devices])
    largest["current_density"][step] = max(largest["current_density"][step], density.max())
    largest["power"][step] = max(largest["power"][step], np.abs(driven.current * driven.voltage).max())


def record_step(running: DrivenCrossbar, step: int, when: float, voltage: float) -> None:
    """Record the conductances and positions of all cells at the end of a step. when : its time [s]"""
    maps, rows, K = running.maps, running.rows, running.crossbar.model.kind.size
    cells = running.crossbar.cells
    shape = maps["cell_chosen"].shape[1:]
    G = cell_conductances(running.crossbar, running.states)
    for name in ("cell_chosen", "cell_voltage", "cell_energy"):
        maps[name][step] = np.nan_to_num(maps[name][step])
    for name in (*ENERGIES, "step_operations"):
        rows[name][step] = np.nan_to_num(rows[name][step])
    maps["cell_conductance"][step] = G
    weight = cells.per_cell([device.weight / device.weight.sum() for device in cells.devices])
    thickness = cells.per_cell([device.thickness for device in cells.devices])
    rest_position = (running.states[:, :K] * weight).sum(axis=1) * thickness
    maps["cell_rest_position"][step] = rest_position.reshape(shape)
    rows["step_time"][step] = when
    rows["step_voltage"][step] = voltage
    others = maps["cell_chosen"][step] == 0.0
    if maps["cell_chosen"][step].any() and others.any():
        left = running.crossbar._replace(cells=noiseless(cells), line_voltages=np.zeros(0), line_capacitance=0.0)
        pulses.leave_alone(left, running.rested, when - rows["step_time"][step - 1])
        at_rest = cell_conductances(left, running.rested)
        rows["write_disturb"][step] = np.abs(np.log10(G / at_rest))[others].max()
    running.rested[...] = running.states


def largest_by_step(running: DrivenCrossbar, radius: float) -> dict[str, model_limits.Reached]:
    """Largest values of quantities with a limit: electrons in the film, current density, temperature rise of a cell.

    The number of electrons is the largest of any state at the voltage. The temperature rise is that of steady power,
    without the heat of neighbouring cells.
    """
    at, cells = running.rows["step_time"], running.crossbar.cells
    rise = running.largest["power"] * model_limits.thermal_resistance(radius)
    voltages = np.nan_to_num(running.maps["cell_voltage"]).reshape(at.size, -1)
    values = {
        "film_electron_ratio": np.max(
            [
                cells.devices[n].electron_ratio(voltages[:, cells.dealt == n]).max(axis=1)
                for n in np.unique(cells.dealt)
            ],
            axis=0,
        ),
        "current_density": running.largest["current_density"],
        "temperature_rise": rise,
    }
    return {name: model_limits.of_series(at, series, "the step to t = {:.4g} s") for name, series in values.items()}
