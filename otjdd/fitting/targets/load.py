"""Reading a calibration file: its cases, those of calibrations that it names, and all faults before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from otjdd.case.case import load_case
from otjdd.case.document import Document
from otjdd.case.explain import read_record
from otjdd.case.problem import KeyPath, Problem
from otjdd.case.shipped import find_case, shipped_cases
from otjdd.errors import CaseError
from otjdd.fitting.targets import faults
from otjdd.fitting.targets.records import Calibration, CasePart, FreeParameter, TargetedRun
from otjdd.fitting.targets.task import TargetedCase, TargetTask


def load_task(path: str | Path, record: type[Calibration] = Calibration) -> TargetTask:
    """Read a calibration and its cases. Raises OSError, CaseError with all problems of one of the files.

    record : of the file, and of the calibrations that it names
    """
    calibration, document = read_record(record, path)
    folder = Path(path).parent
    if calibration.case:
        part = CasePart(case=calibration.case, set=calibration.set, coarse=calibration.coarse)
        only = targeted_case("", part, calibration.run, folder / part.case, document)
        return checked([only], calibration.parameter, calibration, document)
    cases, stated = [], list(calibration.parameter)
    for name, part in calibration.cases.items():
        runs, file = tuple(run for run in calibration.run if run.case == name), folder / part.case
        if part.calibration:
            whole, taken, free = included(name, part, calibration, folder / part.calibration, document)
            replaced = {run.name for run in runs}
            remaining = tuple(run for run in taken if run.name not in replaced)
            part, runs, file = whole, remaining + runs, (folder / part.calibration).parent / whole.case
            stated += free
        cases.append(targeted_case(name, part, runs, file, document))
    return checked(cases, stated, calibration, document)


def targeted_case(
    name: str, part: CasePart, runs: tuple[TargetedRun, ...], file: Path, document: Document
) -> TargetedCase:
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
    return TargetedCase(name, file, case, coarse, runs)


def file_of(path: Path) -> Path:
    """File of a case beside the calibration, or the shipped case of this name. Raises FileNotFoundError."""
    shipped = shipped_cases() / path.name
    places = path, shipped, shipped.with_name(f"{path.name}.toml")
    return next((place for place in places if place.is_file()), None) or find_case(path)


def included(
    name: str, part: CasePart, calibration: Calibration, file: Path, document: Document
) -> tuple[CasePart, tuple[TargetedRun, ...], list[FreeParameter]]:
    """(table of a case, completed from another calibration; runs of that calibration; its parameters that are free).

    file : that calibration. Raises OSError, CaseError with all problems of one of the files.
    """
    inner = read_record(type(calibration), file)[0]
    if wrong := list(faults.of_included(name, part, inner, document)):
        raise CaseError(wrong)
    load_task(file, type(calibration))  # raises the other faults of this file, with its lines
    own_keys = [parameter.key for parameter in calibration.parameter if parameter.of(name)]
    free = [
        parameter.model_copy(update={"case": (name,)})
        for parameter in inner.parameter
        if (parameter.key in part.vary if part.vary is not None else parameter.key not in own_keys)
    ]
    changes = {"set": inner.set | part.set, "coarse": inner.coarse | part.coarse}
    return part.model_copy(update={"case": inner.case, **changes}), inner.run, free


def checked(
    cases: Sequence[TargetedCase], stated: Sequence[FreeParameter], calibration: Calibration, document: Document
) -> TargetTask:
    """The task of cases and parameters. Raises CaseError with all their faults, those of the file with its lines."""
    if wrong := list(problems(cases, stated, calibration, document)):
        raise CaseError(wrong)
    firsts = [next(part.case for part in cases if parameter.of(part.name)) for parameter in stated]
    moving = tuple(parameter.parameter(first) for parameter, first in zip(stated, firsts, strict=True))
    return TargetTask(tuple(cases), moving, tuple(stated))


def problems(
    cases: Sequence[TargetedCase], stated: Sequence[FreeParameter], calibration: Calibration, document: Document
) -> Iterator[Problem]:
    """Faults of the names of cases; if there are none, faults of the parameters, of the runs, and cases without runs."""
    if wrong := list(faults.of_names(calibration, document)):
        yield from wrong
        return
    by_name = {part.name: part.case for part in cases}
    yield from faults.of_parameters(stated, calibration, by_name, document)
    yield from faults.of_runs(calibration.run, by_name, document)
    for part in cases:
        if not part.runs:
            yield document.problem(("cases", part.name), "a [[run]] of this case", "none")
    if not stated:
        yield document.problem((), "at least one free parameter", "none")
