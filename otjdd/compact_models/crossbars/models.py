"""The crossbar of a case: its lines, and its devices from the compact model that it names or from an extraction."""

import os
import tomllib
from dataclasses import replace
from typing import Any

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case, located
from otjdd.case.crossbar import Patterns, draws_of, targets_of
from otjdd.case.keys import value_in_case
from otjdd.case.problem import KeyPath, Problem, Source, dotted
from otjdd.case.rules import refuse
from otjdd.compact_models import build, noise_error
from otjdd.compact_models.crossbars.network import Crossbar, cells_of_devices, linearise_cells
from otjdd.compact_models.extraction import Extraction
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.noise_error import drawn_changes, origin_of_differences
from otjdd.compact_models.tables import Range
from otjdd.errors import CaseError, NotAsExpected, ResultError
from otjdd.solver.model import members
from otjdd.system.pool import one_by_one
from otjdd.system.steps import Progress
from otjdd.units import brief

JUNCTION = ("temperature", "device", "ions", "columns", "circuit.series_resistance")  # what a model depends on
# keys that may differ: current and charge are proportional to the area, and a model is one of the mean
FREE = ("device.radius", "device.area", "ions.noise", "ions.seed")
DECADES = 1e3  # least ratio of longest to shortest time of an extraction


def model_of_cells(case: Case, progress: Progress, file: str) -> CompactModel:
    """The model of the cells of a case: the one that it names, or an extracted one.

    progress : called with the fraction of the extraction that is done
    Raises CaseError, ResultError for a file that is no model of this version, ExtractionError.
    """
    assert case.crossbar is not None  # `case.crossbar.faults_of_crossbar` has checked it
    if case.crossbar.model is not None:
        return model_named_by(case, file)
    voltage, time = needed_range(case)
    try:
        noisy = case.ions.noise != "none"
        return build.compact(case, voltage=voltage, time=time, progress=progress, measure=False, noise=noisy)
    except NotAsExpected as error:
        raise model_fault(case, ("ions",), f"{error.expected}, to extract a compact model", error.got) from error


def model_named_by(case: Case, file: str) -> CompactModel:
    """The model that a case names. file : name of the case in messages. Raises CaseError, ResultError."""
    assert case.crossbar is not None
    assert case.crossbar.model is not None
    key = "crossbar", "model"
    try:
        model = CompactModel.load(case.crossbar.model)
    except ResultError as error:
        where = model_fault(case, key, "", file=file).problems[0]
        raise ResultError(
            error.path, f"{error.reason} (crossbar.model, {where.file}:{where.line})", error.advice
        ) from None
    if unlike := difference_from_case(model, case):
        raise model_fault(case, key, "a model of the junction of this case", unlike, file)
    if case.ions.noise != "none" and model.noise is None:
        expected = '"none" with a crossbar.model of the mean (`otjdd compact --noise` makes one that scatters)'
        raise model_fault(case, ("ions", "noise"), expected, f'"{case.ions.noise}"', file)
    model = model.at_point(tuple(value_in_case(case, axis.key)[0] for axis in model.axes))
    low, high = needed_range(case)[0]
    limits = model.limits
    if low < limits.low or high > limits.high:
        needed = f"a model from {low:g} V to {high:g} V, which the cells may see"
        raise model_fault(case, key, needed, f"one from {limits.low:g} V to {limits.high:g} V", file)
    return model


def needed_range(case: Case) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of voltage [V] and time [s] that a model needs for the drive of a case and its initial history."""
    assert isinstance(case.drive, Patterns)
    assert case.crossbar is not None
    voltages: list[float] = []
    times: list[float] = []
    for part in case.drive.parts:
        if part.kind == "program":
            for kind in (part.set_pulse, part.reset_pulse):
                voltages, times = [*voltages, kind.last[0]], [*times, kind.width, kind.last[1]]
            voltages, times = [*voltages, part.read_voltage], [*times, part.read_duration]
            continue
        voltages += [part.voltage] if part.kind != "rest" else []
        times += [part.width, max(part.width, part.pause)] if part.kind == "write" else [part.duration]
    highest = max(map(abs, voltages), default=0.0) or 0.1
    low, high = -highest, highest
    if case.crossbar.model is None:  # an extraction must also reach the initial states of the case
        for write in getattr(case.ions.initial, "history", ()):
            low, high, times = min(low, write.voltage), max(high, write.voltage), [*times, write.duration]
    return (low, high), (min(times), max(max(times), 2.0 * DECADES * min(times)))


def difference_from_case(model: CompactModel, case: Case) -> str:
    """The first value in which a case differs from that of a model, in words; "" if there is none.

    Numbers that are axes of the model may lie between its nodes.
    """
    for axis in model.axes:
        try:
            value = value_in_case(case, axis.key)[0]
        except CaseError:
            return f"one with {axis.key}, which this case does not have"
        if not axis.within(value):
            first, last = axis.text(axis.values[0]), axis.text(axis.values[-1])
            return f"one from {first} to {last}, {axis.key} is {axis.text(value)} here"
    alike = case.replace({axis.key: own for axis, own in zip(model.axes, model.point, strict=True)})
    of_model, of_case = tomllib.loads(str(model.about.get("case_resolved", ""))), alike.plain()
    for key in JUNCTION:
        left: Any = of_model
        right: Any = of_case
        for part in key.split("."):
            left, right = (table.get(part) if isinstance(table, dict) else None for table in (left, right))
        if isinstance(left, dict) and isinstance(right, dict):
            left, right = ({k: v for k, v in table.items() if f"{key}.{k}" not in FREE} for table in (left, right))
        if unlike := first_unlike(left, right, key):
            return "one of another: {} is {} there, {} here".format(*unlike)
    return ""


def first_unlike(left: Any, right: Any, key: str) -> tuple[str, str, str] | None:
    """Key and both values of the first difference of two tables; None if they are equal."""
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = ((left.get(name), right.get(name), f"{key}.{name}") for name in {**left, **right})
        return next((difference for pair in pairs if (difference := first_unlike(*pair))), None)
    return None if left == right else (key, brief(left), brief(right))


def model_fault(case: Case, path: KeyPath, expected: str, got: str = "", file: str = "case") -> CaseError:
    """A CaseError about a key of a case, at its line in the file."""
    places = toml_text.scan(case.source).places
    within = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in places), None)
    if within is None:
        return CaseError([Problem(os.fspath(file), 0, 0, dotted(path), expected, got)])
    return CaseError([Source(os.fspath(file), case.source).problem(places[within], path, expected, got)])


SEED, SPEED = "ions.seed", "ions.activation_energy"  # cells ignore SEED; devices that differ in SPEED share tables


def crossbar_of(case: Case, progress: Progress = None, file: str = "case") -> Crossbar:
    """The crossbar of a case. progress, exceptions : as in `model_of_cells`   file : name of the case in messages"""
    section = case.crossbar
    assert section is not None  # `case.crossbar.faults_of_crossbar` has checked it
    count = section.word_lines * section.bit_lines
    scale = 1.0 if section.cells.radius is None else (section.cells.radius / case.device.disc_radius) ** 2
    devices = tuple(of_area(device, device.area * scale) for device in devices_of_cells(case, progress, file))
    dealt = np.resize(np.arange(len(devices)), count)
    if len(devices) > 1:
        np.random.default_rng(section.cells.seed).shuffle(dealt)
    seed = case.ions.seed if case.ions.noise != "none" else None
    array = Crossbar(
        cells_of_devices(devices, dealt, section.access, seed), section.word_lines, section.bit_lines,
        section.line_resistance, section.driver_resistance, section.line_capacitance,
        np.zeros(2 * count if section.line_capacitance else 0),
    )  # fmt: skip
    check_targets(case, array, file)
    return array


def check_devices(case: Case, file: str) -> None:
    """Raise the errors of `crossbar_of` for a case that need no extraction."""
    assert case.crossbar is not None
    if case.crossbar.model is not None:
        crossbar_of(case, file=file)
    elif draws_of(case) is not None:
        cases_of_sample(case, file)
    elif isinstance(count := case.crossbar.cells.devices, int):
        try:
            origin_of_differences(case.without_study(), count)
        except NotAsExpected as error:
            raise model_fault(case, ("crossbar", "cells", "devices"), error.expected, error.got, file) from error


def check_targets(case: Case, crossbar: Crossbar, file: str) -> None:
    """Raise CaseError for a target of a part that programs beyond what the states of the model conduct."""
    assert isinstance(case.drive, Patterns)
    for i, part in enumerate(case.drive.parts):
        if part.kind == "program":
            target = targets_of(part.targets, crossbar.shape)
            low, high = window(crossbar, part.read_voltage)
            if outside := [value for value in (target.min(), target.max()) if not low <= value <= high]:
                expected = (
                    f"conductances from {low:.3g} S to {high:.3g} S, the window of the model at {part.read_voltage:g} V"
                )
                raise model_fault(case, ("drive", "parts", i, "targets"), expected, f"{outside[0]:.3g} S", file)


def window(crossbar: Crossbar, voltage: float) -> tuple[float, float]:
    """Lowest and highest conductance [S] of a chosen cell at a voltage [V], at both ends of the state of all devices."""
    cells, conductances = crossbar.cells, []
    first_cell, closed = np.zeros(1, np.int64), np.ones(1, bool)
    for number, device in enumerate(cells.devices):
        for end in (0, -1):
            states = device.states(1, np.array([device.kinds[kind].state[end] for kind in device.kind]))
            alone = cells._replace(dealt=np.array([number]))
            conductances.append(
                float(linearise_cells(alone, closed, first_cell, states, np.array([voltage]))[0][0] / voltage)
            )
    return min(conductances), max(conductances)


def of_area(model: CompactModel, area: float) -> CompactModel:
    """The model with another area [m2]."""
    return model if area == model.area else replace(model, area=area, weight=model.weight * (area / model.area))


def devices_of_cells(case: Case, progress: Progress, file: str) -> list[CompactModel]:
    """The devices of the cells of a case, at the area of its junction: one, or as many as it draws."""
    assert case.crossbar is not None
    draws: Any = case.crossbar.cells.devices
    if case.crossbar.model is not None:
        if draws is None:
            devices = [model_of_cells(case, progress, file)]
        else:
            model = model_named_by(case, file)
            if model.noise is None or model.noise.spread is None:
                reason = "that does not know how devices differ (`otjdd compact --noise` finds it)"
                expected = f"none with a crossbar.model {reason}"
                raise model_fault(case, ("crossbar", "cells", "devices"), expected, str(draws), file)
            seeds = np.random.default_rng(case.crossbar.cells.seed).integers(2**63, size=draws)
            devices = [model.device(int(seed)) for seed in seeds]
        return [of_area(device, case.device.junction_area) for device in devices]
    if draws is None:
        return [model_of_cells(case, progress, file)]
    voltage, time = needed_range(case)
    order = Extraction(Range(*voltage, *time), one_by_one, progress)
    noise, alone = case.ions.noise != "none", case.without_study()
    sample = draws_of(case)
    try:
        if isinstance(draws, int):
            return build.device_models(to_extract(alone), draws, order, noise)
        assert sample is not None  # `case.crossbar.faults_of_draws` has checked it
        cases = [to_extract(device) for device in cases_of_sample(case, file)]
        if set(sample.over) <= {SPEED, SEED}:
            return build.extracted_together(cases, to_extract(alone), order, noise)
        return list(build.extracted_one_by_one(cases, order, noise))
    except NotAsExpected as error:
        raise model_fault(case, ("crossbar", "cells", "devices"), error.expected, error.got, file) from error


def to_extract(case: Case) -> Case:
    """The case without noise. Raises CaseError for one that no model is extracted from, or whose noise is not defined."""
    refuse(case, "a compact model", "compact model")
    refuse(case, "the compact models of drawn devices", "one temperature")
    if case.ions.noise != "none":
        noise_error.with_hop_noise(case)
    return case.without_noise()


def cases_of_sample(case: Case, file: str) -> list[Case]:
    """The junctions of the devices that a case draws from a sample. Raises CaseError for a draw that makes none."""
    sample = draws_of(case)
    assert sample is not None
    drawn, alone = [], case.without_study()
    for changes in drawn_changes(sample):
        changes.pop(SEED, None)  # each cell has random numbers of its own
        try:
            drawn.append(alone.replace(changes))
        except CaseError as error:
            raise CaseError([located(problem, case, changes, file) for problem in error.problems]) from None
    if len(counts := sorted({len(members(device)) for device in drawn})) > 1:
        expected = "draws that leave the number of columns the same"
        raise model_fault(case, ("crossbar", "cells", "devices"), expected, " and ".join(map(str, counts)), file)
    return drawn
