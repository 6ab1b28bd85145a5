"""The points of a study as one Dataset: the kept arrays, with the varied keys as coordinates."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.case import Case
from otjdd.case.study_axes import coordinate
from otjdd.results import provenance
from otjdd.results.provenance import ENGINE
from otjdd.solver.model_limits import ATTRIBUTE, names
from otjdd.studies import keep as keeping
from otjdd.studies import points
from otjdd.studies.keep import KeptArray
from otjdd.studies.plan import Plan
from otjdd.studies.points import PointOutcome
from otjdd.system import sources

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)

SAMPLE_METHOD, SAMPLE_COUNT = "study_sample_method", "study_sample_count"  # attributes
STATES = ("done", "failed", "missing")


def collect(planned: Plan, folder: Path, case: Case) -> xr.Dataset:
    """Dataset of all points: each kept array, with the axes of the study before its own dimensions.

    Points that failed or are missing have nan. Where points have rows of different lengths, shorter ones end in nan.
    `status` is 0 for points that are done, 1 for failed and 2 for missing ones, `reason` says why a point failed, and
    `model_limits` which limits of the model it exceeds.
    """
    import xarray as xr

    files = {digest: points.usable_or_none(folder, digest, planned.keep) for digest in set(planned.digests)}
    ordered = [files[digest] for digest in planned.digests]
    dims, shape = tuple(axis.name for axis in planned.axes), planned.shape
    coords = coordinates(planned)
    variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]] = {}
    for name, inner, values in stacked([arrays_of(p, planned.keep) for p in ordered]):
        if inner == (name,) and same_rows(values):
            coords[name] = inner, values[0], attributes_of(name)
        else:
            # A variable of several dimensions cannot have the name of one of them.
            own = f"point_{name}" if inner == (name,) else name
            variables[own] = (*dims, *inner), values.reshape(*shape, *values.shape[1:]), attributes_of(name)
    states = [2 if p is None else int(p.status != "done") for p in ordered]
    variables["status"] = dims, np.array(states, dtype="i1").reshape(shape), {
        "units": "1", "long_name": "state of the point", "flag_values": [0, 1, 2], "flag_meanings": " ".join(STATES)
    }  # fmt: skip
    reasons = np.array(["" if p is None else p.reason for p in ordered], dtype=object)
    variables["reason"] = dims, reasons.reshape(shape), {"units": "1", "long_name": "why the point failed"}
    limits = np.array(["" if p is None else p.limits for p in ordered], dtype=object)
    variables[ATTRIBUTE] = (
        dims,
        limits.reshape(shape),
        {"units": "1", "long_name": "limits of the model that were passed"},
    )
    return xr.Dataset(variables, coords, study_attributes(case))


def arrays_of(point: PointOutcome | None, keep: Sequence[str]) -> dict[str, KeptArray]:
    """Arrays of a point that this study keeps, with their coordinates. Its file may have more arrays, for another study."""
    if point is None or point.status != "done":
        return {}
    names = sorted(
        (name for name in point.arrays if keeping.is_kept(name, keep)), key=lambda name: keeping.place(name, keep)
    )
    dims = sorted({dim for name in names for dim in point.arrays[name].dims} & set(point.arrays) - set(names))
    return {name: point.arrays[name] for name in (*names, *dims)}


def coordinates(planned: Plan) -> dict[str, Any]:
    """The varied keys as coordinates along their axes. A key that is alone on its axis is the index of the axis."""
    coords = {}
    for axis in planned.axes:
        for key in axis.keys:
            values, unit = coordinate(axis.column(key))
            coords[key] = (axis.name,), values, {"units": unit, "long_name": key}
    return coords


def stacked(rows: Sequence[dict[str, KeptArray]]) -> Iterator[tuple[str, tuple[str, ...], np.ndarray]]:
    """Yield (name, own dimensions, values (points, ...)) of each kept array, with nan or "" where a point has no value."""
    for name in dict.fromkeys(name for arrays in rows for name in arrays):
        stored = [arrays[name] for arrays in rows if name in arrays]
        longest = np.max([array.values.shape for array in stored], axis=0, initial=0).astype(int)
        text = stored[0].values.dtype.kind in "UOT"
        out = np.full((len(rows), *longest), "" if text else np.nan, dtype=object if text else float)
        for i, arrays in enumerate(rows):
            if name in arrays:
                values = arrays[name].values
                at: tuple[int | slice, ...] = (i, *(slice(size) for size in values.shape))
                out[at] = values
        present = np.array([name in arrays for arrays in rows])
        yield name, stored[0].dims, out if present.all() else shared(out, present, stored[0].dims == (name,))


def same_rows(values: np.ndarray) -> bool:
    return all(np.array_equal(row, values[0]) for row in values[1:])


def shared(values: np.ndarray, present: np.ndarray, coordinate: bool) -> np.ndarray:
    """Values (points, ...); a coordinate that is equal in all points that hold it is copied to the other points.

    present : (points,) True for points that hold the array
    """
    if coordinate and same_rows(values[present]):
        values[~present] = values[present][0]
    return values


def attributes_of(name: str) -> dict[str, str]:
    output = keeping.unit_and_name(name)
    return {"units": output.unit, "long_name": output.long_name}


def study_attributes(case: Case) -> dict[str, Any]:
    """Attributes of a study. Equal studies have equal attributes, so that these contain no times."""
    about = provenance.provenance(case.source, case.resolved(), title=case.title)
    sample = case.study.sample if case.study else None
    drawn = {SAMPLE_METHOD: sample.method, SAMPLE_COUNT: sample.count} if sample else {}
    return {k: v for k, v in about.items() if k not in ("created", "wall_time")} | {ENGINE: sources.digest()} | drawn


def counts(ds: xr.Dataset) -> dict[str, int]:
    """State -> number of points."""
    return {state: int((ds.status == i).sum()) for i, state in enumerate(STATES)}


def is_incomplete(ds: xr.Dataset, of_share: bool = False) -> bool:
    """True if points failed, or are missing. of_share : missing points do not count, as other shares compute them"""
    return counts(ds)["failed"] > 0 or (counts(ds)["missing"] > 0 and not of_share)


def summary(ds: xr.Dataset) -> str:
    """Numbers of points that are done, failed and missing, in words."""
    more = "".join(f", {count} {state}" for state, count in counts(ds).items() if count and state != "done")
    return f"{counts(ds)['done']} of {ds.status.size} points{more}"


def warn_of_limits(ds: xr.Dataset) -> None:
    """Log a warning with the number of points that exceed limits of the model, if there are any."""
    passed = [names(words) for words in ds[ATTRIBUTE].values.ravel() if words]
    if passed:
        which = Counter(name for of_point in passed for name in of_point).most_common()
        words = ", ".join(f"{name} at {count}" for name, count in which)
        log.warning(
            "beyond the limits of the model: %d of %d points (%s); `%s` of the result says how far each is, and what to do",
            len(passed), ds[ATTRIBUTE].size, words, ATTRIBUTE,
        )  # fmt: skip
