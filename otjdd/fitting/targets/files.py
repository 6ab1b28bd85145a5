"""The files of a calibration: what is read before anything runs, what is written at the end, and the report.

Read are its cases, the ones of calibrations that it names, and all faults. Each fault has its line: keys that are no
numbers, unknown cases, runs that a case cannot have. Written are a case file for each case, and the evaluations of the
search next to them, all together. While a search goes on, its evaluations are kept in a hidden checkpoint.

Aims that no set meets together follow from the distances of all sets: `otjdd.plot.fit` draws the distances.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.analysis import goal
from otjdd.case import toml_text
from otjdd.case.case import Case, load_case
from otjdd.case.document import Document, find_case, shipped_cases
from otjdd.case.drive import Drive
from otjdd.case.explain import read_record
from otjdd.case.keys import known_near, value_in_case
from otjdd.case.problem import KeyPath, Problem, nearest
from otjdd.errors import CaseError, ResultError
from otjdd.fitting.fit import base_of, case_differences
from otjdd.fitting.least_squares import SearchProgress, Solution
from otjdd.fitting.search import visits, visits_of, write_ended
from otjdd.fitting.targets.task import (
    DIGITS,
    Calibration,
    CasePart,
    FreeParameter,
    Target,
    TargetedCase,
    TargetedRun,
    TargetTask,
)
from otjdd.results import store
from otjdd.results.outputs import about
from otjdd.results.store import provenance
from otjdd.solver.checkpoint import AFRESH, checkpoint_path
from otjdd.system import sources
from otjdd.system.late import xr
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
            whole, taken, free = included_calibration(name, part, calibration, folder / part.calibration, document)
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
        raise CaseError(problems_of_changes(error, part.set, document, (*path, "set"))) from None
    try:
        coarse = case.replace(part.coarse)
    except CaseError as error:
        raise CaseError(problems_of_changes(error, part.coarse, document, (*path, "coarse"))) from None
    return TargetedCase(name, file, case, coarse, runs)


def included_calibration(
    name: str, part: CasePart, calibration: Calibration, file: Path, document: Document
) -> tuple[CasePart, tuple[TargetedRun, ...], list[FreeParameter]]:
    """(table of a case, completed from another calibration; runs of that calibration; its parameters that are free).

    file : that calibration. Raises OSError, CaseError with all problems of one of the files.
    """
    inner = read_record(type(calibration), file)[0]
    if wrong := list(problems_of_included(name, part, inner, document)):
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
    if wrong := list(problems_of_calibration(cases, stated, calibration, document)):
        raise CaseError(wrong)
    firsts = [next(part.case for part in cases if parameter.of(part.name)) for parameter in stated]
    moving = tuple(parameter.parameter(first) for parameter, first in zip(stated, firsts, strict=True))
    return TargetTask(cases=tuple(cases), parameters=moving, stated=tuple(stated))


def problems_of_calibration(
    cases: Sequence[TargetedCase], stated: Sequence[FreeParameter], calibration: Calibration, document: Document
) -> Iterator[Problem]:
    """Faults of the names of cases; if there are none, faults of the parameters, of the runs, and cases without runs."""
    if wrong := list(problems_of_names(calibration, document)):
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
    yield from problems_of_runs(calibration.run, by_name, document)
    for part in cases:
        if not part.runs:
            yield document.problem(("cases", part.name), "a [[run]] of this case", "none")
    if not stated:
        yield document.problem((), "at least one free parameter", "none")


NUMBER = "the key of a number of the case"


def problems_of_changes(
    error: CaseError, changes: Mapping[str, Any], document: Document, path: KeyPath
) -> list[Problem]:
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


def problems_of_names(calibration: Calibration, document: Document) -> Iterator[Problem]:
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


def problems_of_included(name: str, part: CasePart, inner: Calibration, document: Document) -> Iterator[Problem]:
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


def problems_of_runs(runs: Sequence[TargetedRun], cases: Mapping[str, Case], document: Document) -> Iterator[Problem]:
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
            yield from problems_of_changes(error, run.set, document, ("run", i, "set"))
            continue
        for j, target in enumerate(run.target):
            yield from problems_of_target(target, drive, count, before, document, ("run", i, "target", j))


def problems_of_target(
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


MOST_PAIRS = 12  # most pairs of aims that are named


def path_beside(out: Path) -> Path:
    """Path of the evaluations of a search, next to the case file that it writes."""
    return out.with_suffix(".nc")


def calibration_fingerprint(task: TargetTask) -> str:
    """Sha256 of everything that determines the numbers of the targets at a place of the search."""
    runs = [(part.name, run.of(part.coarse).digest) for part in task.cases for run in part.runs]
    asked = [target.model_dump() for target in task.targets]
    return hashlib.sha256(repr((runs, task.parameters, task.stated, asked)).encode()).hexdigest()


def visits_dataset(task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> xr.Dataset:
    """Dataset of the places of a search, the numbers there, and their distances from the aims.

    An aim is a claim, with all targets that are its figures, or a target of its own.
    """
    places = map(np.frombuffer, visited)
    chosen = np.array([[p.value(x) for p, x in zip(task.parameters, place, strict=True)] for place in places])
    values = np.array([task.evaluation(numbers).values for numbers in visited.values()])
    texts = zip(*((part.case.source, part.case.resolved()) for part in task.cases), strict=True)
    named = [f"# {part.name}\n" if part.name else "" for part in task.cases]
    source, resolved = ("\n".join(map("".join, zip(named, of_cases, strict=True))) for of_cases in texts)
    title = f"calibration of {' and '.join(part.case.title for part in task.cases)}"
    return xr.Dataset(
        visits(visited, "target")
        | {
            "visited_parameter": (("visit", "parameter"), chosen, about("the values there, in SI, energies in eV")),
            "visited_value": (("visit", "target"), values, about("the values of the targets there, in SI")),
            "visited_distance": (
                ("visit", "target"),
                goal_distances(task, visited),
                about("in tolerances, met up to 1"),
            ),
        },
        {
            "parameter": ("parameter", task.parameter_names, about("key of the case")),
            "target": ("target", task.target_names, about("target of the calibration")),
            "aim": ("target", task.aims, about("claim of the target, else the target itself")),
        },
        provenance(source, resolved, title=title)
        | store.format_attributes("calibration")
        | {"search": calibration_fingerprint(task)},
    )


def goal_distances(task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> np.ndarray:
    """Distances (visit, target) of all values from the aims, in tolerances; nan where a run failed."""
    rows = [task.evaluation(numbers).values for numbers in visited.values()]
    distances = [[target.distance(value) for target, value in zip(task.targets, row, strict=True)] for row in rows]
    return np.array(distances).reshape(-1, len(task.targets))


def exclusions(task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> tuple[str, str]:
    """Which aims no set of a search met, and which of the others no set met together; "" where there are none.

    Where no set met a claim, its targets stand in its place.

    A search goes to one compromise: that it met no two aims together does not prove that they exclude each other.
    """
    reachable = goal.within_reach(goal_distances(task, visited), task.aims, task.target_names)
    lost, pairs = goal.never_met(reachable), goal.exclusive_pairs(reachable)
    never = f"no set of {len(visited)} meets {', '.join(lost)}" if lost else ""
    lines = [
        f"none meets both {a} and {b}: the best has both within {near:.3g} tolerances"
        for a, b, near in pairs[:MOST_PAIRS]
    ]
    lines += [f"and {len(pairs) - MOST_PAIRS} more pairs"] if len(pairs) > MOST_PAIRS else []
    return never, "\n".join(lines)


def read_visits(path: Path, task: TargetTask) -> dict[bytes, np.ndarray]:
    """Evaluations of a search in a file: bytes of a place -> numbers (target,).

    Raises ResultError for a file that is missing or damaged, and for the search of another calibration or by another
    version of otjdd.
    """
    ds = store.read(path)
    store.check_kind(ds, path, "calibration", AFRESH)
    if ds.attrs.get("source_sha256") != sources.digest():
        raise ResultError(path, "is a search by another version of otjdd", AFRESH)
    if ds.attrs.get("search") != calibration_fingerprint(task):
        raise ResultError(path, "is the search of another calibration, or of another case", AFRESH)
    return visits_of(ds)


COARSE = 0.25  # tolerances: larger effects of the coarse numerics of the search on a residual are reported


def calibrated_case_text(task: TargetTask, part: TargetedCase, x: np.ndarray, out: Path) -> str:
    """Case file with the values at a place, rounded, on top of the calibrated case. out : where it will stand"""
    written = zip(task.parameters, task.stated, task.written(x).values(), strict=True)
    case = part.case.replace({p.key: value for p, stated, value in written if stated.of(part.name)})
    base = base_of(part.file, out)
    if base is None:
        return toml_text.write(case.plain())
    below = load_case(part.file).plain()
    below.pop("expect", None)
    lines = [f"{key} = {toml_text.toml_value(value)}" for key, value in case_differences(below, case.plain())]
    return "\n".join([f"base = {toml_text.toml_value(base)}", *lines]) + "\n"


def task_words(task: TargetTask) -> str:
    """Task of the search in words: how many parameters, targets and runs; starts that differ from the cases."""
    runs = sum(len(part.runs) for part in task.cases)
    counts = {"parameter": len(task.parameters), "target": len(task.targets), "run": runs, "case": len(task.cases)}
    moving, aims, ran, cases = (f"{count} {word}{'s' if count != 1 else ''}" for word, count in counts.items())
    # lines that name parameters whose start is neither stated nor the value of all their cases
    lines = []
    for (name, start), parameter, stated in zip(
        task.written(task.start).items(), task.parameters, task.stated, strict=True
    ):
        if stated.start is not None:
            continue
        owners = [part for part in task.cases if stated.of(part.name)]
        texts = {part.name: parameter.text(value_in_case(part.case, stated.key)[0], DIGITS) for part in owners}
        if any(text != start for text in texts.values()):
            own_values = ", ".join(f"{text}{f' in {part}' if len(texts) > 1 else ''}" for part, text in texts.items())
            lines.append(f"{name}: {own_values}; the search starts from {start}")
    return "\n".join([f"{moving}, {aims} of {ran} of {cases}", *lines])


def report_text(task: TargetTask, solution: Solution, written: np.ndarray, fine: np.ndarray | None = None) -> str:
    """Table of the targets, and of the parameters, each with the target that depends on it most.

    written, fine : numbers (target,) of the rounded values, the latter without coarse numerics, None where there are none;
        residuals that change by more than COARSE between them are marked
    """
    names, coarse = task.target_names, task.evaluation(written)
    last = coarse if fine is None else task.evaluation(fine)
    moved = last.residuals - coarse.residuals
    width = max(44, *map(len, names), *map(len, task.parameter_names))
    outcome = f"score {last.score:.3g} after {solution.evaluations} evaluations, {solution.jacobians} Jacobians"
    exact = task.evaluation(solution.values).score
    lines = [
        f"{outcome}; {solution.reason}",
        f"score {exact:.4g} of the search, {coarse.score:.4g} with values of {DIGITS} digits",
        "",
    ]
    for name, value, residual, change in zip(names, *last, moved, strict=True):
        remark = "" if abs(residual) <= 1 else "  missed"
        remark += f"  ({change:+.2f} by numerics)" if abs(change) > COARSE else ""
        lines.append(f"{name:{width}s} {value:12.4g}  residual {residual:+.2f}{remark}")
    if (many := int(np.sum(np.abs(moved) > COARSE))) > 0:
        lines.append(
            f"{many} moved by more than {COARSE:g} between the coarse numerics of the search and the case's numerics"
        )
    lines.append("")
    low, high = task.ends
    for i, (key, value) in enumerate(task.written(solution.x).items()):
        strongest = ""
        if solution.gradient:
            column = solution.gradient.slopes[:, i] * (high - low)[i]
            t = int(np.argmax(np.abs(column)))
            strongest = f"  most felt by: {names[t]} ({column[t]:+.3g} tolerances per range)"
        lines.append(f"{key:{width}s} {value!s:>14}{strongest}")
    return "\n".join(lines + beyond_literature(task, solution.x))


def beyond_literature(task: TargetTask, x: np.ndarray) -> list[str]:
    """Lines that name the values at coordinates x (parameter,) outside of their published ranges."""
    lines = []
    for (name, text), p, stated, at in zip(task.written(x).items(), task.parameters, task.stated, x, strict=True):
        if stated.published:
            low, high = map(stated.number, stated.published)
            if not low <= p.value(at) <= high:
                lines.append(f"outside of what is published: {name} {text} ({' to '.join(map(str, stated.published))})")
    return lines


def case_files(out: Path, task: TargetTask) -> list[Path]:
    """Paths of the case files that a calibration writes to `out`, with the names of its cases where there are several."""
    return [out.with_stem(f"{out.stem}-{part.name}") if part.name else out for part in task.cases]


def written_files(out: Path, task: TargetTask) -> list[Path]:
    """All files that a calibration writes to `out`: the case files, and the evaluations of the search."""
    return [*case_files(out, task), path_beside(out)]


def check_files_replaceable(out: Path, task: TargetTask) -> None:
    """Raise ResultError if a file that the user has not named would be replaced, and is not of an earlier calibration."""
    evaluations = path_beside(out)
    store.check_may_replace(evaluations, "calibration")
    store.check_replaceable(evaluations, [path for path in case_files(out, task) if path != out])


def write_checkpoint(out: Path, task: TargetTask, at: SearchProgress) -> None:
    """Write all evaluations so far to the checkpoint of `out`. Raises ResultError."""
    store.write(visits_dataset(task, at.visited), checkpoint_path(path_beside(out)))


def write_calibration(out: Path, task: TargetTask, evaluations: Mapping[bytes, np.ndarray], x: np.ndarray) -> None:
    """Write a set of parameters as a case file for each case, and the evaluations of the search. Raises ResultError."""
    texts = [calibrated_case_text(task, part, x, out).encode() for part in task.cases]
    contents = dict(zip(case_files(out, task), texts, strict=True))
    write_ended(visits_dataset(task, evaluations), path_beside(out), contents, [out])
