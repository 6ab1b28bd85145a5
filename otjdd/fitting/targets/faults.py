"""Faults of a calibration, each with its line: keys that are no numbers, unknown cases, runs that a case cannot have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otjdd.case.case import Case
from otjdd.case.document import Document
from otjdd.case.drive import Drive
from otjdd.case.numbers import known_near, value_in_case
from otjdd.case.problem import KeyPath, Problem, nearest
from otjdd.errors import CaseError
from otjdd.fitting.targets.records import Calibration, CasePart, FreeParameter, TargetedRun
from otjdd.fitting.targets.target import Target
from otjdd.units import brief

NUMBER = "the key of a number of the case"


def of_changes(error: CaseError, changes: Mapping[str, Any], document: Document, path: KeyPath) -> list[Problem]:
    """Problems of changes of a case, at the path of the document where the changes stand; those of files as they are."""
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
    listed = f"one of {', '.join(map(brief, names))}" if names else "no case beside the only one"
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


def of_parameters(
    parameters: Sequence[FreeParameter], calibration: Calibration, cases: Mapping[str, Case], document: Document
) -> Iterator[Problem]:
    """Faults of parameters: keys that are no numbers of their cases, keys that stand twice.

    parameters : those of the calibration first, then those of the calibrations that it names   cases : by name
    """
    own = len(calibration.parameter)
    earlier: set[tuple[str, str]] = set()
    for i, parameter in enumerate(parameters):
        own_cases = [name for name in cases if parameter.of(name)]
        if twice := [name for name in own_cases if (name, parameter.key) in earlier]:
            path: KeyPath = ("parameter", i, "key") if i < own else ("cases", twice[0], "vary")
            yield document.problem(path, "every key once for a case", f"{brief(parameter.key)} a second time")
        earlier |= {(name, parameter.key) for name in own_cases}
        for name in own_cases if i < own else ():
            if not is_number(cases[name], parameter.key):
                of = f" {brief(name)}" if name else ""
                hint = known_near(cases[name], parameter.key)
                yield document.problem(("parameter", i, "key"), NUMBER + of, brief(parameter.key), hint)
                break


def of_runs(runs: Sequence[TargetedRun], cases: Mapping[str, Case], document: Document) -> Iterator[Problem]:
    """Faults of runs: changes that the case cannot have, targets for reads or numbers that a run does not have."""
    for i, run in enumerate(runs):
        case = cases[run.case]
        before = [other.name for other in runs[:i] if other.case == run.case]
        if strange := [key for key in run.scale if not is_number(case, key)]:
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


def is_number(case: Case, key: str) -> bool:
    """True for the dotted key of a number of the case that can vary continuously."""
    try:
        value_in_case(case, key)
    except CaseError:
        return False
    return True
