"""Draws of devices that differ, as cases: from a [study.sample], or as patches of a spread of columns, see `devices`."""

from typing import Any

from otjdd.case.case import Case
from otjdd.case.kinds import column_count, kinds_of
from otjdd.case.study_axes import Sample
from otjdd.errors import NotAsExpected

MOST = 1000


class NoDifference(NotAsExpected):
    """A case that does not say how devices differ."""


def source(case: Case, count: int) -> str:
    """The origin of the differences between devices, in words. Raises NotAsExpected for a case without any."""
    if not 2 <= count <= MOST:
        raise NotAsExpected(f"2 to {MOST} devices", str(count))
    if case.study is not None and case.study.sample is not None:
        return "drawn from " + ", ".join(case.study.sample.over)
    spread = dict.fromkeys(key for kind in kinds_of(case) for key, value in kind.columns.spread.items() if value)
    if not spread:
        raise NoDifference("a case with a columns.spread or a [study.sample], to draw devices from", "one with neither")
    return (
        f"each of {column_count(patches(case, 0))} patches drawn from the spread of {', '.join(spread)}: a hypothesis"
    )


def sampled(case: Case, count: int) -> list[Case]:
    """`count` cases drawn from the distributions of a study by a Latin hypercube, from its seed."""
    assert case.study is not None
    assert case.study.sample is not None
    sample = case.study.sample.model_copy(update={"count": count, "method": "latin-hypercube"})
    return [case.without_study().replace(changes) for changes in rows(sample)]


def rows(sample: Sample) -> list[dict[str, Any]]:
    """Changes of the case for each draw: dotted key -> value."""
    return [dict(zip(sample.over, row, strict=True)) for row in sample.rows()]


def patches(case: Case, number: int) -> Case:
    """The case of one device by its number: its columns are drawn, with a seed for each device."""
    changes = {"columns.nodes": "draws", "columns.seed": case.columns.seed + number}
    for i, kind in enumerate(case.columns.kinds or ()):
        changes |= {f"columns.kinds[{i}].nodes": "draws"}
        changes |= {f"columns.kinds[{i}].seed": kind.seed + number} if kind.seed is not None else {}
    return case.replace(changes)
