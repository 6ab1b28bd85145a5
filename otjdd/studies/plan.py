"""The points of a study: all combinations of its axes, each a case that is checked before anything runs.

A point is identified by its number (the last axis is the fastest) and by the digest of its case.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case
from otjdd.case.drive import Drive
from otjdd.case.problem import KeyPath, Problem, Source, dotted
from otjdd.case.study_axes import ROWS, Axis, Study, axes
from otjdd.errors import CaseError, LimitError
from otjdd.studies import keep as kept
from otjdd.units import brief

MAX_POINTS = 100_000


class Plan(NamedTuple):
    """A checked study.

    case : before the changes of the points   keep : names of the kept arrays   time_limit : for one point [s], or None
    axes : whose product are the points   digests : of the cases of the points, in order
    """

    case: Case
    keep: tuple[str, ...]
    time_limit: float | None
    axes: tuple[Axis, ...]
    digests: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis.rows) for axis in self.axes)

    def changes(self, number: int) -> dict[str, Any]:
        """Changes of a point: dotted key -> value as in a case file."""
        found: dict[str, Any] = {}
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.rows))
            found = dict(zip(axis.keys, axis.rows[place], strict=True)) | found
        return found

    def at(self, number: int) -> Case:
        """The case of a point."""
        return self.case.replace(**self.changes(number))


def plan(case: Case, file: str = "case.toml", progress: Callable[[float], None] | None = None) -> Plan:
    """Expand a study and validate every point of it.

    file : name of the case file, for problems   progress : called with the fraction done
    Raises CaseError for a case without a study and for the first point that is no valid case; LimitError, OSError.
    """
    if case.study is None:
        raise CaseError([Problem(file, 0, 0, "study", "a case with a [study]", "one without")])
    study = case.study
    if wrong := kept.unknown(study.keep):
        raise CaseError([located(Problem(file, 0, 0, "study.keep", wrong), case, {}, file)])
    refuse_many(study.sizes)
    found = Plan(case.without_study(), kept_by(study, case.drive), study.time_limit, tuple(axes(study)), ())
    digests = []
    for number in range(int(np.prod(found.shape))):
        try:
            digests.append(found.at(number).digest)
        except CaseError as error:
            raise CaseError([located(p, case, found.changes(number), file) for p in error.problems]) from None
        if progress and number % 100 == 99:
            progress((number + 1) / len(digests))
    return found._replace(digests=tuple(digests))


def kept_by(study: Study, drive: Drive) -> tuple[str, ...]:
    """Names of the arrays that a study of a drive keeps."""
    return study.keep or kept.by_default(drive)


def refuse_many(sizes: dict[str, int]) -> None:
    """Raise LimitError for a study of more than MAX_POINTS points. sizes : axis -> length"""
    count = 1
    for size in sizes.values():
        count *= size
    if count > MAX_POINTS:
        product = " x ".join(f"{size:,} {name}" for name, size in sizes.items())
        raise LimitError(
            f"a study of {count:,} points ({product}); the limit is {MAX_POINTS:,}. Vary less, or draw a [study.sample]"
        )


def located(problem: Problem, case: Case, changes: dict[str, Any], file: str) -> Problem:
    """A problem of a point, moved to the line of the case file that varies its key. changes : of the point"""
    point = ", ".join(f"{key} = {brief(value)}" for key, value in changes.items())
    point = f"at {point}" * bool(changes)
    source = Source(file, case.source)
    for path, offset in toml_text.scan(case.source).places.items():
        if path[:1] in (("study",), ("expect",)) and problem.key in (dotted(path), keyed(path)):
            return source.problem(offset, path, problem.expected, problem.got, problem.hint or point)
    return problem._replace(file=file, hint=problem.hint or point)


def keyed(path: KeyPath) -> str:
    """Key of the case that a path in [study] varies: ("study", "grid", "ions", "density") -> "ions.density"."""
    inner = [str(part) for part in path[1:] if part not in (*ROWS, "grid", "over") and not isinstance(part, int)]
    return ".".join(inner) if len(inner) != 1 or "." in inner[0] else dotted(tuple(inner))
