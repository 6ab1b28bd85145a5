"""The task of a calibration: its cases with their runs, and the parameters that are free, read from a calibration file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from otjdd.case.case import Case, load_case
from otjdd.case.document import Document
from otjdd.case.explain import read_record
from otjdd.case.problem import KeyPath, Problem
from otjdd.case.shipped import find_case, shipped_cases
from otjdd.claims.calibrate import faults
from otjdd.claims.calibrate.parameter import FreeParameter
from otjdd.claims.calibrate.records import Calibration, CasePart, TargetedRun
from otjdd.claims.calibrate.target import Target
from otjdd.errors import CaseError
from otjdd.fitting.parameters import value_in_case

if TYPE_CHECKING:
    import numpy as np


class CalibratedCase(NamedTuple):
    """A case of a calibration, with the runs that judge it.

    name : "" for the only one   file : of the case   case : with the `set` of the calibration
    coarse : the same with the numerics of the search
    """

    name: str
    file: Path
    case: Case
    coarse: Case
    runs: tuple[TargetedRun, ...]

    @property
    def labels(self) -> list[str]:
        """Name of each target; with that of its run where several targets have the same name."""
        named = [(run.name, target.name) for run in self.runs for target in run.target]
        count = Counter(target for _, target in named)
        return [f"{run}: {target}" if count[target] > 1 else target for run, target in named]


class CalibrationTask(NamedTuple):
    """All inputs of a calibration."""

    cases: tuple[CalibratedCase, ...]
    parameters: tuple[FreeParameter, ...]

    @property
    def targets(self) -> list[Target]:
        """All targets, in the order of the cases and their runs."""
        return [target for part in self.cases for run in part.runs for target in run.target]

    @property
    def target_names(self) -> list[str]:
        """Name of each target, with that of its case where there are several."""
        return [f"{part.name}: {label}" if part.name else label for part in self.cases for label in part.labels]

    @property
    def aims(self) -> list[str]:
        """Aim of each target: the claim that it is a figure of, else the target itself."""
        return [
            target.claim.partition(".")[0] or name for target, name in zip(self.targets, self.target_names, strict=True)
        ]

    @property
    def parameter_names(self) -> list[str]:
        """Key of each parameter, with the names of its cases unless it belongs to all."""
        names = [part.name for part in self.cases]
        owners = [[name for name in names if parameter.of(name)] for parameter in self.parameters]
        return [
            f"{', '.join(owned)}: {parameter.key}" if len(owned) < len(names) else parameter.key
            for parameter, owned in zip(self.parameters, owners, strict=True)
        ]

    def values(self, x: np.ndarray) -> dict[str, Any]:
        """Name of each parameter -> its value as text at a point x in the unit cube."""
        return {name: p.text(v) for name, p, v in zip(self.parameter_names, self.parameters, x, strict=True)}

    def changes(self, x: np.ndarray, case: str) -> dict[str, Any]:
        """Changes of the case of this name at a point x in the unit cube: dotted key -> value as text."""
        return {p.key: p.text(v) for p, v in zip(self.parameters, x, strict=True) if p.of(case)}


def load_task(path: str | Path) -> CalibrationTask:
    """Read a calibration and its cases. Raises OSError, CaseError with all problems of one of the files."""
    calibration, document = read_record(Calibration, path)
    folder = Path(path).parent
    if calibration.case:
        part = CasePart(case=calibration.case, set=calibration.set, coarse=calibration.coarse)
        only = calibrated_case("", part, calibration.run, folder / part.case, document)
        return checked(CalibrationTask((only,), calibration.parameter), calibration, document)
    cases, parameters = [], list(calibration.parameter)
    for name, part in calibration.cases.items():
        runs, file = tuple(run for run in calibration.run if run.case == name), folder / part.case
        if part.calibration:
            whole, taken, free = included(name, part, calibration, folder / part.calibration, document)
            replaced = {run.name for run in runs}
            remaining = tuple(run for run in taken if run.name not in replaced)
            part, runs, file = whole, remaining + runs, (folder / part.calibration).parent / whole.case
            parameters += free
        cases.append(calibrated_case(name, part, runs, file, document))
    return checked(CalibrationTask(tuple(cases), tuple(parameters)), calibration, document)


def calibrated_case(
    name: str, part: CasePart, runs: tuple[TargetedRun, ...], file: Path, document: Document
) -> CalibratedCase:
    """A case with its changes. file : of the case. Raises OSError, CaseError with places in the document."""
    path: KeyPath = ("cases", name) if name else ()
    file = file_of(file)
    try:
        case = load_case(file, part.set)
    except CaseError as error:
        raise CaseError(faults.of_changes(error, part.set, document, (*path, "set"))) from None
    try:
        coarse = case.replace(part.coarse)
    except CaseError as error:
        raise CaseError(faults.of_changes(error, part.coarse, document, (*path, "coarse"))) from None
    return CalibratedCase(name, file, case, coarse, runs)


def file_of(path: Path) -> Path:
    """File of a case beside the calibration, or the shipped case of this name. Raises FileNotFoundError."""
    shipped = shipped_cases() / path.name
    places = path, shipped, shipped.with_name(f"{path.name}.toml")
    return next((place for place in places if place.is_file()), None) or find_case(path)


def included(
    name: str, part: CasePart, calibration: Calibration, file: Path, document: Document
) -> tuple[CasePart, tuple[TargetedRun, ...], list[FreeParameter]]:
    """What a case takes from another calibration: its own table completed, the runs, and the parameters that are free.

    file : that calibration. Raises OSError, CaseError with all problems of one of the files.
    """
    inner = read_record(Calibration, file)[0]
    if wrong := list(faults.of_included(name, part, inner, document)):
        raise CaseError(wrong)
    load_task(file)  # tells its other faults with its own lines
    stated = [parameter.key for parameter in calibration.parameter if parameter.of(name)]
    free = [
        parameter.model_copy(update={"case": (name,)})
        for parameter in inner.parameter
        if (parameter.key in part.vary if part.vary is not None else parameter.key not in stated)
    ]
    changes = {"set": inner.set | part.set, "coarse": inner.coarse | part.coarse}
    return part.model_copy(update={"case": inner.case, **changes}), inner.run, free


def checked(task: CalibrationTask, calibration: Calibration, document: Document) -> CalibrationTask:
    """The task itself. Raises CaseError with all its faults, those of parameters and runs of the document."""
    if wrong := list(problems(task, calibration, document)):
        raise CaseError(wrong)
    return task


def problems(task: CalibrationTask, calibration: Calibration, document: Document) -> Iterator[Problem]:
    """Faults of the cases that parameters and runs name, then of these themselves."""
    if wrong := list(faults.of_names(calibration, document)):
        yield from wrong
        return
    cases = {part.name: part.case for part in task.cases}
    yield from faults.of_parameters(task.parameters, calibration, cases, document)
    yield from faults.of_runs(calibration.run, cases, document)
    for part in task.cases:
        if not part.runs:
            yield document.problem(("cases", part.name), "a [[run]] of this case", "none")
    if not task.parameters:
        yield document.problem((), "at least one free parameter", "none")


def start_of(task: CalibrationTask, parameter: FreeParameter) -> float:
    """Value [SI] from which the search starts: that of the file, else of the first case of the parameter."""
    if parameter.start is not None:
        return parameter.number(parameter.start)
    first = next(part.case for part in task.cases if parameter.of(part.name))
    return value_in_case(first, parameter.key)[0]
