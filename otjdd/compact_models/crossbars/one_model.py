"""The compact model of the cells of a case: the one that it names, or an extracted one."""

import os
import tomllib
from typing import Any

from otjdd.case import toml_text
from otjdd.case.case import Case
from otjdd.case.drive_patterns import Patterns
from otjdd.case.keys import value_in_case
from otjdd.case.problem import KeyPath, Problem, Source, dotted
from otjdd.compact_models import build
from otjdd.compact_models.model import CompactModel
from otjdd.errors import CaseError, NotAsExpected, ResultError
from otjdd.system.steps import Progress
from otjdd.units import brief

JUNCTION = ("temperature", "device", "ions", "columns", "circuit.series_resistance")  # what a model depends on
# keys that may differ: current and charge are proportional to the area, and a model is one of the mean
FREE = ("device.radius", "device.area", "ions.noise", "ions.seed")
DECADES = 1e3  # least ratio of longest to shortest time of an extraction


def model_of(case: Case, progress: Progress = None, file: str = "case") -> CompactModel:
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
    model = model.at_point(tuple(value_in_case(case, axis.key)[0] for axis in model.axes))
    low, high = needed_range(case)[0]
    limits = model.limits
    if low < limits.low or high > limits.high:
        needed = f"a model from {low:g} V to {high:g} V, which the cells may see"
        raise refused(case, key, needed, f"one from {limits.low:g} V to {limits.high:g} V", file)
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


def refused(case: Case, path: KeyPath, expected: str, got: str = "", file: str = "case") -> CaseError:
    """A CaseError about a key of a case, at its line in the file."""
    places = toml_text.scan(case.source).places
    within = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in places), None)
    if within is None:
        return CaseError([Problem(os.fspath(file), 0, 0, dotted(path), expected, got)])
    return CaseError([Source(os.fspath(file), case.source).problem(places[within], path, expected, got)])
