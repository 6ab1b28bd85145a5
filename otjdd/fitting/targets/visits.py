"""The evaluations of a calibration as a Dataset on disk, from which an interrupted search is resumed.

The points of a search follow from its seed and from the values at earlier points. A resumed search therefore visits the
same points again, and reads their values instead of simulating. Its result is that of a search without interruption.
Aims that no set meets together follow from the distances of all sets: `plot.front` draws the distances.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis import fronts
from otjdd.errors import ResultError
from otjdd.fitting.targets.task import TargetTask, value_at
from otjdd.results import store
from otjdd.results.provenance import CALIBRATION, provenance
from otjdd.solver.checkpoint import AFRESH
from otjdd.system import sources

if TYPE_CHECKING:
    import xarray as xr

KIND = "otjdd calibration"
MOST_PAIRS = 12  # most pairs of aims that are named


def path_beside(out: Path) -> Path:
    """Path of the evaluations of a search, beside the case file that it writes."""
    return out.with_suffix(".nc")


def fingerprint(task: TargetTask) -> str:
    """Sha256 of everything that determines the values of the targets at a point of the unit cube."""
    runs = [(part.name, run.of(part.coarse).digest) for part in task.cases for run in part.runs]
    asked = [target.model_dump() for target in task.targets]
    return hashlib.sha256(repr((runs, task.parameters, task.stated, asked)).encode()).hexdigest()


def write(path: Path, task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> None:
    """Write the points (visit, parameter) of a search and the values (visit, target) there. Raises ResultError."""
    store.write(visits_dataset(task, visited), path)


def visits_dataset(task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> xr.Dataset:
    """Dataset of the points of a search, the values there, and their distances from the aims.

    An aim is a claim, with all targets that are its figures, or a target of its own.
    """
    import xarray as xr

    def about(words: str) -> dict[str, str]:
        return {"units": "1", "long_name": words}

    points, values = np.array([np.frombuffer(point) for point in visited]), np.array(list(visited.values()))
    chosen = np.array([[value_at(p, x) for p, x in zip(task.parameters, point, strict=True)] for point in points])
    return xr.Dataset(
        {
            "visited_point": (("visit", "parameter"), points, about("points of the unit cube between the bounds")),
            "visited_parameter": (("visit", "parameter"), chosen, about("the values there, in SI, energies in eV")),
            "visited_values": (("visit", "target"), values, about("values of the targets, in SI, energies in eV")),
            "visited_distance": (("visit", "target"), distances(task, visited), about("in tolerances, met up to 1")),
        },
        {
            "parameter": ("parameter", task.parameter_names, about("key of the case")),
            "target": ("target", task.target_names, about("target of the calibration")),
            "aim": ("target", task.aims, about("claim of the target, else the target itself")),
        },
        provenance(sources_of(task), resolved(task), title=title(task))
        | {CALIBRATION: KIND, "search": fingerprint(task)},
    )  # fmt: skip


def title(task: TargetTask) -> str:
    """Title of a calibration: those of its cases."""
    return f"calibration of {' and '.join(part.case.title for part in task.cases)}"


def sources_of(task: TargetTask) -> str:
    """Texts of the case files, each below its name where there are several."""
    return "\n".join(f"# {part.name}\n{part.case.source}" if part.name else part.case.source for part in task.cases)


def resolved(task: TargetTask) -> str:
    """Texts of the whole cases, each below its name where there are several."""
    texts = [part.case.resolved() for part in task.cases]
    return "\n".join(
        f"# {part.name}\n{text}" if part.name else text for part, text in zip(task.cases, texts, strict=True)
    )


def distances(task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> np.ndarray:
    """Distances (visit, target) of all values from the aims, in tolerances; nan where a run failed."""
    goals = task.targets
    rows = [[goal.distance(value) for goal, value in zip(goals, values, strict=True)] for values in visited.values()]
    return np.array(rows).reshape(-1, len(goals))


def exclusions(task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> tuple[str, str]:
    """Which aims no set of a search met, and which of the others no set met together; "" where there are none.

    Where no set met a claim, its targets stand in its place.

    A search goes to one compromise: that it met no two aims together does not prove that they exclude each other.
    """
    reachable = fronts.within_reach(distances(task, visited), task.aims, task.target_names)
    lost, pairs = fronts.never_met(reachable), fronts.exclusive_pairs(reachable)
    never = f"no set of {len(visited)} meets {', '.join(lost)}" if lost else ""
    lines = [
        f"none meets both {a} and {b}: the best has both within {near:.3g} tolerances"
        for a, b, near in pairs[:MOST_PAIRS]
    ]
    lines += [f"and {len(pairs) - MOST_PAIRS} more pairs"] if len(pairs) > MOST_PAIRS else []
    return never, "\n".join(lines)


def read(path: Path, task: TargetTask) -> dict[bytes, np.ndarray]:
    """Evaluations of a search in a file: bytes of a point -> values (targets,).

    Raises ResultError for a file that is missing or damaged, and for the search of another calibration or by another
    version of otjdd.
    """
    ds = store.read(path)
    if ds.attrs.get(CALIBRATION) != KIND:
        raise ResultError(path, "is no search of a calibration", AFRESH)
    if ds.attrs.get("source_sha256") != sources.digest():
        raise ResultError(path, "is a search by another version of otjdd", AFRESH)
    if ds.attrs.get("search") != fingerprint(task):
        raise ResultError(path, "is the search of another calibration, or of another case", AFRESH)
    points = numbers_in(ds, "visited_point", len(task.parameters), path)
    values = numbers_in(ds, "visited_values", len(task.targets), path)
    if len(points) != len(values) or not ((points >= 0.0) & (points <= 1.0)).all():
        raise ResultError(path, "is no search of this calibration: its points are not between the bounds", AFRESH)
    return {point.tobytes(): row for point, row in zip(np.ascontiguousarray(points), values, strict=True)}


def numbers_in(ds: xr.Dataset, name: str, width: int, path: Path) -> np.ndarray:
    """Numbers (visit, width) of a search in a file. Raises ResultError for an array that is missing or of another form."""
    array: np.ndarray = ds[name].values if name in ds else np.zeros(0)
    if array.dtype != float or array.ndim != 2 or array.shape[1] != width:
        raise ResultError(path, f"is no search of this calibration: {name} is missing or has another form", AFRESH)
    return array
