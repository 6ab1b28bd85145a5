"""The crossbar of a case: its lines, and its devices from the compact model that it names or from an extraction."""

import os
import tomllib
from dataclasses import replace
from typing import Any

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case
from otjdd.case.drive_patterns import Patterns
from otjdd.case.problem import KeyPath, Problem, Source, dotted
from otjdd.case.targets import targets_of
from otjdd.compact_models import build
from otjdd.compact_models import devices as drawn
from otjdd.compact_models.crossbars.cells import cells_of, linearise
from otjdd.compact_models.crossbars.network import Crossbar
from otjdd.compact_models.limits import Range
from otjdd.compact_models.model import CompactModel
from otjdd.errors import CaseError, NotAsExpected, ResultError
from otjdd.system.pool import one_by_one
from otjdd.system.steps import Progress
from otjdd.units import brief

JUNCTION = ("temperature", "device", "ions", "columns", "circuit.series_resistance")  # what a model depends on
# keys that may differ: current and charge are proportional to the area, and a model is one of the mean
FREE = ("device.radius", "ions.noise", "ions.seed")
DECADES = 1e3  # least ratio of longest to shortest time of an extraction


def crossbar_of(case: Case, progress: Progress = None, file: str = "case") -> Crossbar:
    """The crossbar of a case. progress, exceptions : as in `model_of`   file : name of the case in messages"""
    said = case.crossbar
    assert said is not None  # `case.crossbar.faults` has checked it
    count = said.word_lines * said.bit_lines
    radius = case.device.radius if said.cells.radius is None else said.cells.radius
    area = case.device.area * (radius / case.device.radius) ** 2
    devices = tuple(of_area(each, area) for each in devices_of(case, progress, file))
    dealt = np.resize(np.arange(len(devices)), count)
    if len(devices) > 1:
        np.random.default_rng(said.cells.seed).shuffle(dealt)
    seed = case.ions.seed if case.ions.noise != "none" else None
    unlike = len(devices) > 1 or said.access or seed is not None
    different = cells_of(devices, dealt, said.access, seed) if unlike else None
    found = Crossbar(
        devices[0], said.word_lines, said.bit_lines, said.line_resistance, said.driver_resistance, different
    )
    check_targets(case, found, file)
    return found


def check_targets(case: Case, crossbar: Crossbar, file: str) -> None:
    """Raise CaseError for a target of a part that programs beyond what the states of the model conduct."""
    assert isinstance(case.drive, Patterns)
    for i, part in enumerate(case.drive.parts):
        if part.kind == "program":
            target = targets_of(part.targets, (crossbar.word_lines, crossbar.bit_lines))
            low, high = window(crossbar, part.read_voltage)
            if outside := [value for value in (target.min(), target.max()) if not low <= value <= high]:
                expected = (
                    f"conductances from {low:.3g} S to {high:.3g} S, the window of the model at {part.read_voltage:g} V"
                )
                raise refused(case, ("drive", "parts", i, "targets"), expected, f"{outside[0]:.3g} S", file)


def window(crossbar: Crossbar, voltage: float) -> tuple[float, float]:
    """Lowest and highest conductance [S] of a chosen cell at a voltage [V], in any state that the model holds for."""
    cells, found = crossbar.cells, []
    one, on = np.zeros(1, np.int64), np.ones(1, bool)
    for number, device in enumerate(cells.devices):
        for end in (0, -1):
            states = device.states(1, np.array([device.kinds[kind].state[end] for kind in device.kind]))
            alone = cells._replace(dealt=np.array([number]))
            found.append(float(linearise(alone, on, one, states, np.array([voltage]))[0][0] / voltage))
    return min(found), max(found)


def of_area(model: CompactModel, area: float) -> CompactModel:
    """The model with another area [m2]."""
    return model if area == model.area else replace(model, area=area, weight=model.weight * (area / model.area))


def devices_of(case: Case, progress: Progress = None, file: str = "case") -> list[CompactModel]:
    """The devices of the cells of a case: one, or as many as it draws."""
    assert case.crossbar is not None
    count = case.crossbar.cells.devices
    if count is None:
        return [model_of(case, progress, file)]
    if case.crossbar.model is not None:
        return drawn_from_model(case, count, file)
    voltage, time = needed_range(case)
    alone = case.without_study()
    try:
        return drawn.devices(alone, count, Range(*voltage, *time), one_by_one, progress)
    except NotAsExpected as error:
        raise refused(case, ("crossbar", "cells", "devices"), error.expected, error.got) from error


def drawn_from_model(case: Case, count: int, file: str) -> list[CompactModel]:
    """Devices drawn from the spread of the model that a case names."""
    assert case.crossbar is not None
    model = model_named_by(case, file)
    if model.noise is None or model.noise.spread is None:
        expected = (
            "none beside a crossbar.model that does not know how devices differ (`otjdd compact --noise` finds it)"
        )
        raise refused(case, ("crossbar", "cells", "devices"), expected, str(count), file)
    return [
        model.device(int(seed)) for seed in np.random.default_rng(case.crossbar.cells.seed).integers(2**63, size=count)
    ]


def model_of(case: Case, progress: Progress = None, file: str = "case") -> CompactModel:
    """The model of the cells of a case: the one that it names, or an extracted one.

    progress : called with the fraction of the extraction that is done
    Raises CaseError, ResultError for a file that is no model of this version, ExtractionError.
    """
    assert case.crossbar is not None  # `case.crossbar.faults` has checked it
    if case.crossbar.model is not None:
        return model_named_by(case, file)
    voltage, time = needed_range(case)
    try:
        noisy = case.ions.noise != "none"
        return build.compact(case, voltage=voltage, time=time, progress=progress, measure=False, noise=noisy)
    except NotAsExpected as error:
        raise refused(case, ("ions",), f"{error.expected}, to extract a compact model", error.got) from error


def model_named_by(case: Case, file: str = "case") -> CompactModel:
    """The model that a case names. file : name of the case in messages. Raises CaseError, ResultError."""
    assert case.crossbar is not None
    assert case.crossbar.model is not None
    key = "crossbar", "model"
    try:
        model = CompactModel.load(case.crossbar.model)
    except ResultError as error:
        where = refused(case, key, "", file=file).problems[0]
        raise ResultError(
            error.path, f"{error.reason} (crossbar.model, {where.file}:{where.line})", error.advice
        ) from None
    if unlike := difference_from_case(model, case):
        raise refused(case, key, "a model of the junction of this case", unlike, file)
    if case.ions.noise != "none" and model.noise is None:
        expected = '"none" beside a crossbar.model of the mean (`otjdd compact --noise` makes one that scatters)'
        raise refused(case, ("ions", "noise"), expected, f'"{case.ions.noise}"', file)
    model = model.at(case.temperature)
    low, high = needed_range(case)[0]
    limits = model.limits
    if low < limits.low or high > limits.high:
        wanted = f"a model from {low:g} V to {high:g} V, which the cells may see"
        raise refused(case, key, wanted, f"one from {limits.low:g} V to {limits.high:g} V", file)
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
    """The first value in which a case differs from that of a model, in words; "" if there is none."""
    there, here = tomllib.loads(str(model.about.get("case_resolved", ""))), case.plain()
    found = model.temperatures
    for key in JUNCTION if len(found) == 1 else JUNCTION[1:]:
        one: Any = there
        other: Any = here
        for part in key.split("."):
            one, other = (table.get(part) if isinstance(table, dict) else None for table in (one, other))
        if isinstance(one, dict) and isinstance(other, dict):
            one, other = ({k: v for k, v in table.items() if f"{key}.{k}" not in FREE} for table in (one, other))
        if unlike := first_unlike(one, other, key):
            return "one of another: {} is {} there, {} here".format(*unlike)
    if not found[0] <= case.temperature <= found[-1]:
        return f"one from {found[0]:g} K to {found[-1]:g} K, temperature is {case.temperature:g} K here"
    return ""


def first_unlike(one: Any, other: Any, key: str) -> tuple[str, str, str] | None:
    """Key and both values of the first difference of two tables; None if they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = ((one.get(name), other.get(name), f"{key}.{name}") for name in {**one, **other})
        return next((found for pair in pairs if (found := first_unlike(*pair))), None)
    return None if one == other else (key, brief(one), brief(other))


def refused(case: Case, path: KeyPath, expected: str, got: str = "", file: str = "case") -> CaseError:
    """A CaseError about a key of a case, at its line in the file."""
    places = toml_text.scan(case.source).places
    within = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in places), None)
    if within is None:
        return CaseError([Problem(os.fspath(file), 0, 0, dotted(path), expected, got)])
    return CaseError([Source(os.fspath(file), case.source).problem(places[within], path, expected, got)])
