"""Reading a calibration file: its cases, the ones of calibrations that it names, and all faults before anything runs.

Each fault has its line: keys that are no numbers, unknown cases, runs that a case cannot have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from otjdd.case.case import Case, load_case
from otjdd.case.document import Document, find_case, shipped_cases
from otjdd.case.drive import Drive
from otjdd.case.explain import read_record
from otjdd.case.keys import known_near, value_in_case
from otjdd.case.problem import KeyPath, Problem, nearest
from otjdd.errors import CaseError
from otjdd.fitting.targets.task import (
    Calibration,
    CasePart,
    FreeParameter,
    Target,
    TargetedCase,
    TargetedRun,
    TargetTask,
)
from otjdd.units import brief


def load_task(path: str | Path, record: type[Calibration] = Calibration) -> TargetTask:
    """Read a calibration and its cases. Raises OSError, CaseError with all problems of one of the files.

    record : of the file, and of the calibrations that it names
    """
    calibration, document = read_record(record, path)
    folder = Path(path).parent
    if calibration.case:
        part = CasePart(case=calibration.case, set=calibration.set, coarse=calibration.coarse)
        only = targeted_case("", part, calibration.run, folder / part.case, document)
        return checked_task([only], calibration.parameter, calibration, document)
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
    return checked_task(cases, stated, calibration, document)


def targeted_case(
    name: str, part: CasePart, runs: tuple[TargetedRun, ...], file: Path, document: Document
) -> TargetedCase:
    """A case with its changes. file : of the case. Raises OSError, CaseError with places in the document."""
    path: KeyPath = ("cases", name) if name else ()
    shipped = shipped_cases() / file.name
    places = file, shipped, shipped.with_name(f"{file.name}.toml")
    file = next((place for place in places if place.is_file()), None) or find_case(file)
    try:
        case = load_case(file, part.set)
    except CaseError as error:
        raise CaseError(of_changes(error, part.set, document, (*path, "set"))) from None
    try:
        coarse = case.replace(part.coarse)
    except CaseError as error:
        raise CaseError(of_changes(error, part.coarse, document, (*path, "coarse"))) from None
    return TargetedCase(name, file, case, coarse, runs)


def included(
    name: str, part: CasePart, calibration: Calibration, file: Path, document: Document
) -> tuple[CasePart, tuple[TargetedRun, ...], list[FreeParameter]]:
    """(table of a case, completed from another calibration; runs of that calibration; its parameters that are free).

    file : that calibration. Raises OSError, CaseError with all problems of one of the files.
    """
    inner = read_record(type(calibration), file)[0]
    if wrong := list(of_included(name, part, inner, document)):
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


def checked_task(
    cases: Sequence[TargetedCase], stated: Sequence[FreeParameter], calibration: Calibration, document: Document
) -> TargetTask:
    """The task of cases and parameters. Raises CaseError with all their faults; faults of the file have its lines."""
    if wrong := list(calibration_problems(cases, stated, calibration, document)):
        raise CaseError(wrong)
    firsts = [next(part.case for part in cases if parameter.of(part.name)) for parameter in stated]
    moving = tuple(parameter.parameter(first) for parameter, first in zip(stated, firsts, strict=True))
    return TargetTask(cases=tuple(cases), parameters=moving, stated=tuple(stated))


def calibration_problems(
    cases: Sequence[TargetedCase], stated: Sequence[FreeParameter], calibration: Calibration, document: Document
) -> Iterator[Problem]:
    """Faults of the names of cases; if there are none, faults of the parameters, of the runs, and cases without runs."""
    if wrong := list(of_names(calibration, document)):
        yield from wrong
        return
    by_name = {part.name: part.case for part in cases}
    # faults of parameters: keys that are no numbers of their cases, keys that stand twice
    own = len(calibration.parameter)
    earlier: set[tuple[str, str]] = set()
    for i, parameter in enumerate(stated):
        own_cases = [name for name in by_name if parameter.of(name)]
        if twice := [name for name in own_cases if (name, parameter.key) in earlier]:
            path: KeyPath = ("parameter", i, "key") if i < own else ("cases", twice[0], "vary")
            yield document.problem(path, "every key once for a case", f"{brief(parameter.key)} a second time")
        earlier |= {(name, parameter.key) for name in own_cases}
        for name in own_cases if i < own else ():
            if not is_movable(by_name[name], parameter.key):
                of = f" {brief(name)}" if name else ""
                hint = known_near(by_name[name], parameter.key)
                yield document.problem(("parameter", i, "key"), NUMBER + of, brief(parameter.key), hint)
                break
    yield from of_runs(calibration.run, by_name, document)
    for part in cases:
        if not part.runs:
            yield document.problem(("cases", part.name), "a [[run]] of this case", "none")
    if not stated:
        yield document.problem((), "at least one free parameter", "none")


NUMBER = "the key of a number of the case"


def of_changes(error: CaseError, changes: Mapping[str, Any], document: Document, path: KeyPath) -> list[Problem]:
    """Problems of changes of a case, at the path of the document where the changes stand; problems of files as they are."""
    problems = []
    for problem in error.problems:
        if problem.line:
            problems.append(problem)
        else:
            key = next((key for key in changes if problem.key.startswith(key)), None)
            place = (*path, key) if key else path
            problems.append(document.problem(place, problem.expected, problem.got, problem.hint))
    return problems


def of_names(calibration: Calibration, document: Document) -> Iterator[Problem]:
    """Faults of the cases that parameters and runs name."""
    names = list(calibration.cases)
    listed = f"one of {', '.join(map(brief, names))}" if names else "no `case`: there is only one"
    for i, run in enumerate(calibration.run):
        if names and not run.case:
            yield document.problem(("run", i, "case"), f"the case of the run, {listed}", "nothing: the key is missing")
        elif run.case and run.case not in names:
            yield document.problem(("run", i, "case"), listed, brief(run.case), nearest(run.case, names))
    for i, parameter in enumerate(calibration.parameter):
        for name in parameter.cases:
            if name not in names:
                yield document.problem(("parameter", i, "case"), listed, brief(name), nearest(name, names))


def of_included(name: str, part: CasePart, inner: Calibration, document: Document) -> Iterator[Problem]:
    """Faults of a table [cases.NAME] that names a calibration, which was read as `inner`."""
    path = ("cases", name)
    if not inner.case:
        yield document.problem((*path, "calibration"), "a calibration of one case", "one of several")
    keys = [parameter.key for parameter in inner.parameter]
    for i, key in enumerate(part.vary or ()):
        if key not in keys:
            expected = f"the key of a parameter of {part.calibration}"
            yield document.problem(
                (*path, "vary", i), expected, brief(key), nearest(key, keys) or f"known: {', '.join(keys)}"
            )


def of_runs(runs: Sequence[TargetedRun], cases: Mapping[str, Case], document: Document) -> Iterator[Problem]:
    """Faults of runs: changes that the case cannot have, targets for reads or numbers that a run does not have."""
    for i, run in enumerate(runs):
        case = cases[run.case]
        before = [other.name for other in runs[:i] if other.case == run.case]
        if strange := [key for key in run.scale if not is_movable(case, key)]:
            yield document.problem(("run", i, "scale", strange[0]), NUMBER, brief(strange[0]))
            continue
        try:
            drive = run.of(case).drive
            count = drive.waveform().read_count if hasattr(drive, "waveform") else 0
        except CaseError as error:
            yield from of_changes(error, run.set, document, ("run", i, "set"))
            continue
        for j, target in enumerate(run.target):
            yield from of_target(target, drive, count, before, document, ("run", i, "target", j))


def of_target(
    target: Target, drive: Drive, count: int, before: Sequence[str], document: Document, path: KeyPath
) -> Iterator[Problem]:
    """Faults of a target. drive, count : of its run, and the number of reads   before : names of the runs before it"""
    if wrong := target.fault(drive):
        key, expected, got = wrong
        yield document.problem((*path, key), expected, got)
    if target.against and target.against not in before:
        expected, hint = "a run before this one", nearest(target.against, before)
        yield document.problem((*path, "against"), expected, brief(target.against), hint)
    for name, read in (("read", target.read), ("over", target.over)):
        if read is not None and not -count <= read < count:
            yield document.problem((*path, name), f"one of {count} reads of the run", str(read))


def is_movable(case: Case, key: str) -> bool:
    """True for the dotted key of a number of the case that can vary continuously."""
    try:
        value_in_case(case, key)
    except CaseError:
        return False
    return True
