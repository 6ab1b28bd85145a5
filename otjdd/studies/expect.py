"""Check and measure the number in the [expect] of a case."""

from collections.abc import Iterator

from otjdd.case.case import Case
from otjdd.case.expect import Expect
from otjdd.case.problem import Problem
from otjdd.case.varied import located
from otjdd.errors import CaseError
from otjdd.runs.run import simulate
from otjdd.studies import keep
from otjdd.studies.plan import plan
from otjdd.units import DIMENSIONS, brief, plain_unit


def check_expected(case: Case, file: str = "case.toml") -> None:
    """Raise CaseError if the [expect] of a case names no number of its result. A case without [expect] passes."""
    if case.expect is None:
        return
    if wrong := list(problems(case, case.expect, file)):
        raise CaseError([located(problem, case, {}, file) for problem in wrong])


def problems(case: Case, expect: Expect, file: str) -> Iterator[Problem]:
    """Problems of the [expect] of a case: an unknown number, a window in another unit, a point that does not exist."""
    if wrong := keep.unknown([expect.number]):
        yield Problem(file, 0, 0, "expect.number", wrong)
        return
    if wrong := keep.not_one(expect.number):
        base = keep.parts(expect.number)[0]
        yield Problem(file, 0, 0, "expect.number", f"one number, such as {base}[-1] or loop.ratio", wrong)
        return
    unit = keep.unit_and_name(expect.number).unit
    as_typed = DIMENSIONS[expect.dimension].unit if expect.dimension else "1"  # metrics have units as in case files
    if unit not in (plain_unit(expect.dimension), as_typed):
        yield Problem(file, 0, 0, "expect.low", f"a window in {unit}", brief(expect.low))
    points = 0 if case.varied is None else len(plan(case, file).digests)
    if (expect.point is None) == bool(points) or (expect.point or 0) >= max(points, 1):
        expected = f"a point from 0 to {points - 1}" if points else "no point in a case without a study"
        yield Problem(file, 0, 0, "expect.point", expected, brief(expect.point))


def run_expected(case: Case) -> float:
    """Run a case, or a point of its study. Returns the expected number [SI]. Raises CaseError, SolverError, ValueError."""
    check_expected(case)
    if (expect := case.expect) is None:
        raise ValueError("a case without [expect]")
    run = case if expect.point is None else plan(case).at(expect.point)
    return float(keep.measure(simulate(run), [expect.number])[expect.number].values)
