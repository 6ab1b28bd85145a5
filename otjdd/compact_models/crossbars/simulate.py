"""Simulate a case with a crossbar: its patterns are written, read and left at rest, part by part of its drive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.crossbar import PatternProgram, PatternRead, PatternRest, Patterns, PatternWrite, targets_of
from otjdd.compact_models.crossbars import models, pulses
from otjdd.compact_models.crossbars.network import Crossbar, beginning, noiseless
from otjdd.compact_models.crossbars.programming import DrivenPieces, Programming
from otjdd.compact_models.crossbars.pulses import sensed
from otjdd.compact_models.error import sentence
from otjdd.compact_models.model import CompactModel
from otjdd.errors import NetworkError, SolverError
from otjdd.results import outputs
from otjdd.solver import model_limits, self_check
from otjdd.solver.integrate import of_part
from otjdd.solver.model_limits import Ended, attributes, delivered, ending, status_words
from otjdd.system.late import xr
from otjdd.system.steps import Progress

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
        "compact_model_error": sentence(crossbar.model)
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
    count, shape = len(drive.parts) + 1, (crossbar.word_lines, crossbar.bit_lines)
    states = beginning(crossbar.cells)
    programs = any(part.kind == "program" for part in drive.parts)
    maps = {name: np.full((count, *shape), np.nan) for name in CELLS + PROGRAMMED * programs}
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
        programming = programming_of(running, part)
        pieces = programming.run()
    else:
        total = lasting(running.crossbar, part)
        if isinstance(part, PatternWrite):
            pieces = pulses_of_write(running, step, part)
        else:
            pieces = scanned(running, step, part) if isinstance(part, PatternRead) else rested(running, part)
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


def programming_of(running: DrivenCrossbar, part: PatternProgram) -> Programming:
    """The cells of a crossbar before a part programs them."""
    target = targets_of(part.targets, (running.crossbar.word_lines, running.crossbar.bit_lines))
    return Programming(running.crossbar, running.scheme, running.states, part, target)


def lasting(crossbar: Crossbar, part: OpenLoop) -> float:
    """Duration [s] of a part of a drive."""
    if part.kind == "rest":
        return part.duration
    if part.kind == "read":
        return part.duration * crossbar.word_lines * (crossbar.bit_lines if part.unselected == "floating" else 1)
    used = int(np.count_nonzero(part.cells(crossbar.word_lines, crossbar.bit_lines).any(axis=1)))
    return max(used, 1) * part.count * (part.width + part.pause)


def pulses_of_write(running: DrivenCrossbar, step: int, part: PatternWrite) -> DrivenPieces:
    """Apply the pulses of a write, word line by word line. Yields (DriverPiece, or None for a pause; duration [s])."""
    pattern, first = part.cells(running.crossbar.word_lines, running.crossbar.bit_lines), 0.0
    running.maps["cell_chosen"][step] = pattern
    for word in np.flatnonzero(pattern.any(axis=1)):
        chosen = np.zeros_like(pattern)
        chosen[word] = pattern[word]
        for _ in range(part.count):
            pulse = part.voltage, part.width
            driven = pulses.write_cells(running.crossbar, running.states, chosen, pulse, running.scheme, first)
            first = driven.step
            yield driven, part.width
            if part.pause:
                pulses.leave_alone(running.crossbar, running.states, part.pause)
                yield None, part.pause


def scanned(running: DrivenCrossbar, step: int, part: PatternRead) -> DrivenPieces:
    """Apply the reads of a scan. Yields (DriverPiece, duration [s])."""
    bits, longest = range(running.crossbar.bit_lines) if part.unselected == "floating" else [None], 0.0
    for word, bit in product(range(running.crossbar.word_lines), bits):
        driven = pulses.read_cells(running.crossbar, running.states, word, (part.voltage, part.duration), bit)
        at = slice(None) if bit is None else bit
        total, through = driven.end.bit_current[at], driven.end.current[word, at]
        running.maps["sensed_current"][step, word, at] = sensed(running.crossbar, running.states, driven, word)[at]
        running.maps["sneak_share"][step, word, at] = 1.0 - through / total
        if SETTLING in running.rows:
            running.rows[SETTLING][step] = longest = float(np.maximum(longest, driven.settled))  # nan stays
        yield driven, part.duration


def rested(running: DrivenCrossbar, part: PatternRest) -> DrivenPieces:
    """Apply a rest. Yields (None, duration [s])."""
    pulses.leave_alone(running.crossbar, running.states, part.duration)
    yield None, part.duration


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
    G = pulses.cell_conductances(running.crossbar, running.states)
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
        at_rest = pulses.cell_conductances(left, running.rested)
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
