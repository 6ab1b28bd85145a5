"""A result and the files that were written with it: a fitted case, a picture, the exports of a compact model.

An attribute of the result has the digest of each of these files. A file that still has this digest is replaced, or removed
if the new result has no such file. Any other file of such a name, a user's own file or an edited one, is never touched,
unless the user has named its path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from otjdd.errors import ResultError
from otjdd.results import store
from otjdd.system.files import HDF5, read_whole, write_together

if TYPE_CHECKING:
    import xarray as xr

COMPANIONS = "companions"  # attribute: the names of the files, relative to the folder of the result, and their sha256


def written_with(result: Path) -> dict[Path, str]:
    """Path -> sha256 of the files that were written with a result; {} where there is no result of otjdd."""
    try:
        digests = json.loads(store.read(result).attrs.get(COMPANIONS, "{}"))
        return {result.parent / name: str(sha256) for name, sha256 in digests.items()}
    except (ResultError, ValueError, TypeError, AttributeError):
        return {}


def is_unchanged(path: Path, sha256: str) -> bool:
    """True for a file with this digest."""
    try:
        return hashlib.sha256(read_whole(path)).hexdigest() == sha256
    except ResultError:
        return False


def check_replaceable(result: Path, paths: Iterable[Path]) -> None:
    """Raise ResultError if one of the paths holds anything else than a file that was written with the result."""
    earlier = written_with(result)
    for path in paths:
        if path.exists() and not (path in earlier and is_unchanged(path, earlier[path])):
            raise ResultError(path, f"was not written with {result}, or was edited", "move it, or choose another name")


def check_kind(path: Path, attribute: str, kind: str) -> None:
    """Raise ResultError if a path is anything else than a result of otjdd whose attribute has the value `kind`."""
    if path.exists() and not (
        path.is_file() and read_whole(path).startswith(HDF5) and is_of_kind(path, attribute, kind)
    ):
        raise ResultError(path, "is something else, and would be replaced", "move it, or choose another name")


def is_of_kind(path: Path, attribute: str, kind: str) -> bool:
    """True for a result whose attribute has the value `kind`."""
    try:
        return bool(store.read(path).attrs.get(attribute) == kind)
    except ResultError:
        return False


def write_with(ds: xr.Dataset, result: Path, contents: Mapping[Path, bytes], ours: Iterable[Path] = ()) -> None:
    """Write a result together with other files, all of them or none. Unchanged files of an earlier result are removed.

    contents : path, in the folder of the result or below -> bytes
    ours : paths among them that the user has named, which are replaced in any case
    Raises ResultError, also for a file that would be replaced and was not written with the result.
    """
    check_replaceable(result, set(contents) - set(ours))
    obsolete = [path for path, sha256 in written_with(result).items() if is_unchanged(path, sha256)]
    digests = {
        path.relative_to(result.parent).as_posix(): hashlib.sha256(data).hexdigest() for path, data in contents.items()
    }
    data = store.encoded(ds.assign_attrs({COMPANIONS: json.dumps(digests)}))
    write_together({result: data, **contents}, [path for path in obsolete if path not in contents])
