"""Problems of a case with other values, at the line of the file that varies its key."""

from collections.abc import Mapping
from typing import Any

from otjdd.case import toml_text
from otjdd.case.case import Case
from otjdd.case.problem import KeyPath, Problem, Source, dotted
from otjdd.case.study_axes import ROWS
from otjdd.units import brief

PLACES: tuple[KeyPath, ...] = (
    ("study",),
    ("expect",),
    ("crossbar", "cells", "devices"),
)  # tables that name keys to vary


def located(problem: Problem, case: Case, changes: Mapping[str, Any], file: str) -> Problem:
    """A problem of a changed case, moved to the line of the case file that varies its key.

    changes : dotted key -> value   file : name of the case file
    """
    point = ", ".join(f"{key} = {brief(value)}" for key, value in changes.items())
    point = f"at {point}" if changes else ""
    source = Source(file, case.source)
    for path, offset in toml_text.scan(case.source).places.items():
        inner = next((path[len(place) :] for place in PLACES if path[: len(place)] == place), None)
        if inner is not None and problem.key in (dotted(path), keyed(inner)):
            return source.problem(offset, path, problem.expected, problem.got, problem.hint or point)
    return problem._replace(file=file, hint=problem.hint or point)


def keyed(path: KeyPath) -> str:
    """Key of the case that a path in a table of PLACES varies: ("grid", "ions", "density") -> "ions.density"."""
    inner = [str(part) for part in path if part not in (*ROWS, "grid", "over") and not isinstance(part, int)]
    return ".".join(inner) if len(inner) != 1 or "." in inner[0] else dotted(tuple(inner))
