"""The points of a study: all combinations of its axes, each a case that is checked before anything runs.

A point is identified by its number (the last axis is the fastest) and by the digest of its case. The number in the [expect]
of a case is checked before as well.
"""

import logging
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from otjdd.case.case import Case, located
from otjdd.case.drive import Drive
from otjdd.case.problem import Problem
from otjdd.case.recording import Expect
from otjdd.case.study_axes import Study, StudyAxis, axes
from otjdd.errors import CaseError, LimitError
from otjdd.studies import keep as keeping
from otjdd.units import DIMENSIONS, brief, plain_unit

MAX_POINTS = 100_000
SEED = "ions.seed"

log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """A checked study.

    case : without the changes of the points   keep : names of the kept arrays   time_limit : for one point [s], or None
    axes : all combinations of their rows are the points   digests : of the cases of the points, by their numbers
    """

    case: Case
    keep: tuple[str, ...]
    time_limit: float | None
    axes: tuple[StudyAxis, ...]
    digests: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis.rows) for axis in self.axes)

    def changes(self, number: int) -> dict[str, Any]:
        """Changes of a point: dotted key -> value as in a case file."""
        changed: dict[str, Any] = {}
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.rows))
            changed = dict(zip(axis.keys, axis.rows[place], strict=True)) | changed
        return changed

    def at(self, number: int) -> Case:
        """The case of a point."""
        return self.case.replace(**self.changes(number))


def plan(case: Case, file: str = "case.toml", progress: Callable[[float], None] | None = None) -> Plan:
    """Plan of the study of a case, each point of which is validated.

    file : name of the case file, for problems   progress : called with the fraction done
    Raises CaseError for a case without a study and for the first point that is no valid case; LimitError, OSError.
    """
    study = case.varied
    if study is None:
        got = "one without" if case.study is None else "one whose sample is the devices of its cells (see `otjdd run`)"
        raise CaseError([Problem(file, 0, 0, "study", "a case with a [study]", got)])
    if wrong := keeping.unknown(study.keep):
        raise CaseError([located(Problem(file, 0, 0, "study.keep", wrong), case, {}, file)])
    if (points := math.prod(study.sizes.values())) > MAX_POINTS:
        product = " x ".join(f"{size:,} {name}" for name, size in study.sizes.items())
        raise LimitError(
            f"a study of {points:,} points ({product}); the limit is {MAX_POINTS:,}. Vary less, or draw a [study.sample]"
        )
    planned = Plan(case.without_study(), kept_by(study, case.drive), study.time_limit, tuple(axes(study)), ())
    digests = []
    for number in range(points):
        try:
            digests.append(planned.at(number).digest)
        except CaseError as error:
            raise CaseError([located(p, case, planned.changes(number), file) for p in error.problems]) from None
        if progress and number % 100 == 99:
            progress((number + 1) / points)
    return planned._replace(digests=tuple(digests))


def warn_of_one_seed(plan: Plan) -> None:
    """Log a warning if ions hop at random in a study of several points that all have the same seed."""
    keys = [key for axis in plan.axes for key in axis.keys]
    if len(plan.digests) < 2 or SEED in keys or plan.case.ions.noise == "none":
        return
    log.warning(
        "all %d points draw the same random hops (%s = %d): compare them with each other, but their scatter is not that of "
        'devices; vary "%s" as well for that',
        len(plan.digests), SEED, plan.case.ions.seed, SEED,
    )  # fmt: skip


def kept_by(study: Study, drive: Drive) -> tuple[str, ...]:
    """Names of the arrays that a study of a drive keeps."""
    return study.keep or keeping.by_default(drive)


def check_expected(case: Case, file: str = "case.toml") -> None:
    """Raise CaseError if the [expect] of a case names no number of its result. A case without [expect] passes."""
    if case.expect is None:
        return
    if wrong := list(expectation_problems(case, case.expect, file)):
        raise CaseError([located(problem, case, {}, file) for problem in wrong])


def expectation_problems(case: Case, expect: Expect, file: str) -> Iterator[Problem]:
    """Problems of the [expect] of a case: an unknown number, a window in another unit, a point that does not exist."""
    if wrong := keeping.unknown([expect.number]):
        yield Problem(file, 0, 0, "expect.number", wrong)
        return
    if wrong := keeping.not_one(expect.number):
        base = keeping.parts(expect.number)[0]
        yield Problem(file, 0, 0, "expect.number", f"one number, such as {base}[-1] or loop.ratio", wrong)
        return
    unit = keeping.unit_and_name(expect.number).unit
    as_typed = DIMENSIONS[expect.dimension].unit if expect.dimension else "1"  # metrics have units as in case files
    if unit not in (plain_unit(expect.dimension), as_typed):
        yield Problem(file, 0, 0, "expect.low", f"a window in {unit}", brief(expect.low))
    points = 0 if case.varied is None else len(plan(case, file).digests)
    if (expect.point is None) == bool(points) or (expect.point or 0) >= max(points, 1):
        expected = f"a point from 0 to {points - 1}" if points else "no point in a case without a study"
        yield Problem(file, 0, 0, "expect.point", expected, brief(expect.point))
