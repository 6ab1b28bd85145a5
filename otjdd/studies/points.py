"""Points of a study on disk: a sealed file each, named by the digest of its case, whole or absent (`otjdd.system.files`).

The line of JSON of a file (`otjdd.results.store`) holds the digest of the sources that computed the numbers, so that
points of other sources are not reused.

After a short run nothing waits until the disk has the file, since that would take longer than the run. If a power cut
damages the file, its seal does not fit, and the point is computed again.
"""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from otjdd.errors import ResultError
from otjdd.results import store
from otjdd.studies import plan as keeping
from otjdd.studies.plan import KeptArray
from otjdd.system import files
from otjdd.system.files import OtherVersion, read_whole, write_whole
from otjdd.system.sources import digest
from otjdd.units import brief

OTHER_VERSION = "computed by another version of otjdd"
FOLDER = "points"
SHORT = 1.0  # s; the file of a shorter run is not forced to the disk, since forcing takes some 10 ms


class PointOutcome(NamedTuple):
    """Outcome of one point: its arrays, or the reason for their absence.

    status : "done", "solver" (the solver failed), "time" (over the limit), "lost" (its process died), "error" (another
        failure), or "stale" (computed by another version of otjdd)
    seconds : duration of the run   keep : requested names   limits : limits of the model that it exceeds, a line each
    """

    status: Literal["done", "solver", "time", "lost", "error", "stale"]
    reason: str = ""
    seconds: float = math.nan
    keep: tuple[str, ...] = ()
    limits: str = ""
    arrays: dict[str, KeptArray] = {}  # noqa: RUF012 (never changed)


def pack(point: PointOutcome) -> bytes:
    """A point as the bytes of its file."""
    head = {"source_sha256": digest(), **point._asdict()}
    return store.packed("point", head, {name: np.asarray(array.values) for name, array in point.arrays.items()})


def unpack(path: Path, data: bytes) -> PointOutcome:
    """The point of a file, with status "stale" if other sources computed it. Raises ResultError if it is damaged."""
    try:
        stated, body = store.opened(path, data, "point")
        head = Head.model_validate(stated)
        arrays = {name: kept(name, values) for name, values in store.unpacked(head.arrays, body).items()}
    except OtherVersion:
        return PointOutcome("stale", OTHER_VERSION)
    except (ValueError, TypeError) as error:
        raise ResultError(path, f"is no whole point ({brief(str(error))})") from error
    if head.source_sha256 != digest():
        return PointOutcome("stale", OTHER_VERSION, keep=head.keep)
    return PointOutcome(head.status, head.reason, head.seconds, head.keep, head.limits, arrays)


class Head(BaseModel):
    """The line of JSON at the beginning of a point: `PointOutcome` with its arrays as (name, type, shape, texts)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str
    source_sha256: str
    status: Literal["done", "solver", "time", "lost", "error"]
    reason: str
    seconds: float
    keep: tuple[str, ...]
    limits: str
    arrays: tuple[tuple[str, Literal["<f8", "text"], tuple[NonNegativeInt, ...], Any], ...]


def kept(name: str, values: np.ndarray) -> KeptArray:
    """An array of a point. Raises ValueError for an unknown output, and for another number of dimensions than it has."""
    if unknown := keeping.unknown([name]):
        raise ValueError(unknown)
    dims = keeping.unit_and_name(name).dims
    if values.ndim != len(dims):
        raise ValueError(f"{name} of the shape {values.shape}")
    return KeptArray(dims, values)


def path_of(folder: Path, digest: str) -> Path:
    return folder / FOLDER / digest


def write_point(folder: Path, digest: str, point: PointOutcome) -> None:
    """Write a point to disk. Raises ResultError."""
    put_bytes(folder, digest, pack(point), forced=not point.seconds < SHORT)


def put_bytes(folder: Path, digest: str, data: bytes, forced: bool = True) -> None:
    """Write the bytes of a point to disk, in a time that does not depend on the number of points. Raises ResultError."""
    write_whole(path_of(folder, digest), data, among_many=True, forced=forced)


def read_point(folder: Path, digest: str) -> PointOutcome | None:
    """A point, None where there is none. Raises ResultError when its file is damaged or cannot be read."""
    path = path_of(folder, digest)
    return unpack(path, read_whole(path)) if path.exists() else None


def usable_point(folder: Path, digest: str, keep: tuple[str, ...]) -> PointOutcome | None:
    """A point that these sources computed and that failed or has all arrays `keep`; else None. Raises ResultError."""
    point = read_point(folder, digest)
    if point is None or point.status == "stale" or (point.status == "done" and not set(keep) <= set(point.keep)):
        return None
    return point


def usable_or_none(folder: Path, digest: str, keep: tuple[str, ...]) -> PointOutcome | None:
    """As `usable_point`, with None for a damaged point."""
    try:
        return usable_point(folder, digest, keep)
    except ResultError:
        return None


def final_points(folder: Path, digests: Iterable[str], keep: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """Digests of points that are done or whose solver failed, which need no second run; digests of unreadable points."""
    there, unreadable, final = on_disk(folder), [], set()
    for name in digests:
        if name not in there:
            continue
        try:
            point = usable_point(folder, name, keep)
        except ResultError:
            unreadable.append(name)
        else:
            final |= {name} if point is not None and point.status in ("done", "solver") else set()
    return final, unreadable


def on_disk(folder: Path) -> set[str]:
    """Digests of the points on disk."""
    return set(os.listdir(folder / FOLDER))


def tidy_points(folder: Path) -> None:
    """Remove unfinished files of killed processes."""
    files.tidy(folder / FOLDER, ".*.part")
