"""The evaluations of a calibration as a Dataset on disk, from which an interrupted search is resumed.

The points of a search follow from its seed and from the values at earlier points. A resumed search therefore visits the
same points again, and reads their values instead of simulating. Its result is that of a search without interruption.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from otjdd.case.case import Case
from otjdd.claims.calibrate.task import Calibration, targets
from otjdd.errors import ResultError
from otjdd.results import store
from otjdd.results.provenance import provenance

if TYPE_CHECKING:
    import xarray as xr

KIND = "otjdd calibration"


def path_beside(out: Path) -> Path:
    """Path of the evaluations of a search, beside the case file that it writes."""
    return out.with_suffix(".nc")


def fingerprint(calibration: Calibration, case: Case) -> str:
    """Sha256 of everything that determines the values of the targets at a point of the unit cube."""
    runs = [run.of(case.replace(**calibration.coarse)).digest for run in calibration.run]
    asked = [target.model_dump() for target in targets(calibration)]
    return hashlib.sha256(repr((runs, calibration.parameter, asked)).encode()).hexdigest()


def write(path: Path, calibration: Calibration, case: Case, visited: Mapping[bytes, np.ndarray]) -> None:
    """Write the points (visit, parameter) of a search and the values (visit, target) there. Raises ResultError."""
    store.write(visits_dataset(calibration, case, visited), path)


def visits_dataset(calibration: Calibration, case: Case, visited: Mapping[bytes, np.ndarray]) -> xr.Dataset:
    """Dataset of the points of a search and the values there."""
    import xarray as xr

    def about(words: str) -> dict[str, str]:
        return {"units": "1", "long_name": words}

    points, values = np.array([np.frombuffer(point) for point in visited]), np.array(list(visited.values()))
    return xr.Dataset(
        {
            "visited_point": (("visit", "parameter"), points, about("points of the unit cube between the bounds")),
            "visited_values": (("visit", "target"), values, about("values of the targets, in SI")),
        },
        {
            "parameter": ("parameter", [p.key for p in calibration.parameter], about("key of the case")),
            "target": ("target", [t.name for t in targets(calibration)], about("target of the calibration")),
        },
        provenance(case.source, case.resolved(), title=f"calibration of {case.title}")
        | {"calibration": KIND, "search": fingerprint(calibration, case)},
    )  # fmt: skip


def read(path: Path, calibration: Calibration, case: Case) -> dict[bytes, np.ndarray]:
    """Evaluations of a search in a file: bytes of a point -> values (targets,).

    Raises ResultError for a file that is missing or damaged, and for the search of another calibration.
    """
    ds = store.read(path)
    if ds.attrs.get("calibration") != KIND:
        raise ResultError(path, "is no search of a calibration", "begin anew, without --resume")
    if ds.attrs.get("search") != fingerprint(calibration, case):
        raise ResultError(
            path, "is the search of another calibration, or of another case", "begin anew, without --resume"
        )
    rows = zip(ds["visited_point"].values, ds["visited_values"].values, strict=True)
    return {np.ascontiguousarray(point).tobytes(): values for point, values in rows}
