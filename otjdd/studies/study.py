"""Studies: many runs of one case, and one Dataset of their kept arrays.

plan (all points, checked) -> points that are not on disk yet -> workers -> Dataset with the varied keys as coordinates

DIR/study.toml is the case as it was resolved, DIR/study.json names the points, DIR/points/ holds a file for each, and
DIR/study.nc is the Dataset.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from otjdd.case.case import Case, changed_case
from otjdd.errors import LimitError, ResultError
from otjdd.results import store
from otjdd.studies import dataset, jobs, points
from otjdd.studies.points import Plan, PointOutcome, kept_by, plan, warn_of_one_seed
from otjdd.system import pool, sources
from otjdd.system.files import read_whole, write_whole
from otjdd.system.late import xr
from otjdd.units import duration

CASE, INDEX, RESULT = "study.toml", "study.json", "study.nc"
TAKEN = "already holds a study: resume it, or choose another folder"
SOURCES = "source_sha256"  # key of the index; otjdd 0.1.0 had none
MAX_VALUES = 5e8  # most values in the Dataset: 4 GB
PointProgress = Callable[[int, int, int], None]  # called with points done, failed and all
Announce = Callable[[str], None]

PLANNING = 5.0  # s between two announcements while points are planned
ALONE = 10  # points for each worker, above which the first point is computed alone to estimate the cost of all


class Computation(NamedTuple):
    """How the points are computed.

    workers : processes, None for this one alone   scheduler : address of a dask scheduler, or "local"
    shard : (i, N), only the i-th of N shares, i from 1
    """

    workers: int | None = None
    scheduler: str | None = None
    shard: tuple[int, int] | None = None


def study(
    case: Case | str | os.PathLike[str], out: str | os.PathLike[str] | None = None,
    changes: Mapping[str, Any] | None = None, *, workers: int | None = None, resume: bool = False,
    scheduler: str | None = None, shard: tuple[int, int] | None = None,
    progress: Callable[[int, int, int], None] | None = None, announce: Callable[[str], None] | None = None,
    allow_outside: bool = False, file: str | None = None, **more: Any,
) -> xr.Dataset:  # fmt: skip
    """Run the study of a case: a record, the path of a case file, or the name of a shipped case ("thickness").

    changes, more : dotted key -> value with unit
    out : folder of the study; None to keep nothing on disk   workers : processes; None for this process alone
    resume : use the points that the folder already holds
    scheduler : address of a dask scheduler, or "local"   shard : (i, N), only the i-th of N shares, i from 1
    progress : called with (done, failed, all) after each point   announce : called with lines on the work ahead
    Returns an xarray.Dataset: the kept arrays, the varied keys as coordinates, `status` and `reason` of each point.
    Raises CaseError, LimitError, ResultError; OSError for a folder that cannot be used or a scheduler that goes away.
    """
    file = file or ("case" if isinstance(case, Case) else str(case))
    case = changed_case(case, changes, more, allow_outside=allow_outside)
    ways = Computation(workers, scheduler, shard)
    if workers and not scheduler:
        get_ready(case)
    with contextlib.ExitStack() as stack:
        folder = Path(out if out is not None else stack.enter_context(tempfile.TemporaryDirectory(prefix="otjdd-")))
        if announce and of_other_sources(folder):
            announce(f"{folder}: the points there were {points.OTHER_VERSION}; they are not used, but computed again")
        planned = prepare(case, folder, resume or shard is not None, file, scheduler, planning_words(announce))
        warn_of_one_seed(planned)
        try:
            compute_points(planned, folder, ways, progress, announce)
        except BaseException:  # write the Dataset of the existing points before the study ends with the exception
            with contextlib.suppress(ResultError, OSError):
                put_together(planned, folder, case)
            raise
        ds = put_together(planned, folder, case)
        dataset.warn_of_limits(ds)
        return ds


def planning_words(announce: Announce | None) -> Callable[[float], None] | None:
    """Function of the fraction of points planned, which announces it every PLANNING seconds; None without `announce`."""
    if announce is None:
        return None
    due = time.monotonic() + PLANNING

    def tell(fraction: float) -> None:
        nonlocal due
        if time.monotonic() > due:
            due = time.monotonic() + PLANNING
            announce(f"planning: {fraction:.0%} of the points are checked")

    return tell


def get_ready(case: Case) -> None:
    """Start the process that workers are copied from, so that it loads its modules while the points are planned."""
    if case.study is not None:
        pool.make_ready(*jobs.loaded(case, kept_by(case.study, case.drive)))


def prepare(
    case: Case, folder: Path, resume: bool, file: str, scheduler: str | None,
    progress: Callable[[float], None] | None,
) -> Plan:  # fmt: skip
    """Plan a study, and prepare its folder. progress : called with the fraction of the points that are planned

    Raises CaseError, LimitError, ResultError, OSError.
    """
    planned = plan(case, file, progress)
    if scheduler:
        jobs.reach(scheduler)
    check_own(folder)
    on_disk = folder / points.FOLDER
    if not resume and on_disk.is_dir() and any(on_disk.iterdir()):
        raise OSError(errno.EEXIST, TAKEN, str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder, planned, resume)
    on_disk.mkdir(exist_ok=True)
    points.tidy_points(folder)
    write_whole(folder / CASE, case.resolved().encode())
    return planned


def check_own(folder: Path) -> None:
    """Raise OSError if another user's link leads to a folder, its points are a link, or a case or result has no index.

    Where other users can write, their link could lead to any folder of this user.
    """
    if (folder / points.FOLDER).is_symlink():
        reason = "is a link; the points of a study are kept in the study's own folder"
        raise OSError(errno.ELOOP, reason, str(folder / points.FOLDER))
    for place in (folder, *folder.absolute().parents):
        if place.is_symlink() and hasattr(os, "getuid") and os.lstat(place).st_uid not in (os.getuid(), 0):
            raise OSError(errno.ELOOP, "is a link of another user", str(place))
    if not (folder / INDEX).exists():
        for name in (CASE, RESULT):
            if os.path.lexists(folder / name):
                reason = "is not of a study in this folder, and would be replaced; choose another folder"
                raise OSError(errno.EEXIST, reason, str(folder / name))


def claim(folder: Path, planned: Plan, resume: bool) -> None:
    """Write the index of a study. If several studies start in one folder at once, without `resume`, one succeeds.

    Raises ResultError, OSError.
    """
    index = {"keep": planned.keep, "points": planned.digests, SOURCES: sources.digest()}
    try:
        write_whole(folder / INDEX, json.dumps(index).encode(), overwrite=resume)
    except ResultError as error:
        if isinstance(error.__cause__, FileExistsError):
            raise OSError(errno.EEXIST, TAKEN, str(folder)) from None
        raise


def put_together(planned: Plan, folder: Path, case: Case) -> xr.Dataset:
    """Write the Dataset of all points. Returns it. Raises ResultError; OSError if another study has taken the folder."""
    if index_of(folder)["points"] != list(planned.digests):
        reason = "another study began here meanwhile; all points are kept: resume one after the other"
        raise OSError(errno.EEXIST, reason, str(folder))
    ds = dataset.collect(planned, folder, case)
    store.write(ds, folder / RESULT)
    return ds


def of_other_sources(folder: Path) -> bool:
    """True if a folder holds points that other sources of otjdd computed. False for a damaged index."""
    try:
        index = index_of(folder)
    except ResultError:
        return False
    return bool(index["points"]) and index.get(SOURCES) != sources.digest()


def compute_points(
    planned: Plan,
    folder: Path,
    ways: Computation,
    progress: PointProgress | None,
    announce: Announce | None,
) -> None:
    """Compute the points that are not on disk yet. Raises LimitError, ResultError, OSError."""
    different = dict.fromkeys(planned.digests)
    finished, unreadable = points.final_points(folder, different, planned.keep)
    if announce and unreadable:
        path = points.path_of(folder, unreadable[0])
        announce(f"{len(unreadable)} of the points cannot be read, and are computed again; the first is {path}")
    todo = {d: i for i, d in enumerate(planned.digests) if d not in finished}
    done, failed = len(different) - len(todo), 0
    if ways.shard:
        todo = {d: i for d, i in todo.items() if i % ways.shard[1] == ways.shard[0] - 1}
    if announce:
        announce(f"{len(planned.digests)} points, {len(todo)} to compute")
    if not todo:
        return
    work = jobs.StudyWork(planned.case, planned.keep, folder)
    waiting = (jobs.PointJob(d, planned.changes(i)) for d, i in todo.items())
    first = True
    import h5netcdf  # noqa: F401  (for the Dataset at the end; imported now, while the workers load)
    import xarray  # noqa: F401

    with contextlib.closing(finished_jobs(work, waiting, ways, planned.time_limit, len(todo))) as computed:
        for job, point in computed:
            done, failed = done + 1, failed + (point.status != "done")
            if first and point.status == "done":
                check_cost(folder, job, point, planned, len(todo) - 1, ways.workers or 1, announce)
                first = False
            if progress:
                progress(done, failed, len(different))


def finished_jobs(
    work: jobs.StudyWork, waiting: Iterable[jobs.PointJob], ways: Computation, time_limit: float | None, count: int
) -> Generator[tuple[jobs.PointJob, PointOutcome], None, None]:
    """Iterator over (job, outcome) as a cluster, this process or several processes finish points. count : of jobs"""
    if ways.scheduler:
        return jobs.on_cluster(work, waiting, ways.scheduler, ways.workers, time_limit)
    if ways.workers is None and time_limit is None:
        return ((job, jobs.settle(work, job)[0]) for job in waiting)
    number = min(ways.workers or 1, count)
    return jobs.finished_points(work, waiting, count, number, time_limit, count > ALONE * number)


def check_cost(
    folder: Path, job: jobs.PointJob, point: PointOutcome, planned: Plan, left: int, number: int, announce: Announce | None
) -> None:  # fmt: skip
    """Announce the cost of `left` more points in `number` processes, if each costs as much as `point`.

    Raises LimitError if disk or memory do not suffice.
    """
    size = points.path_of(folder, job.digest).stat().st_size
    stored = points.read_point(folder, job.digest) or point
    values = sum(int(array.values.size) for array in stored.arrays.values()) * len(planned.digests)
    disk, free = max(size, 4096) * left, shutil.disk_usage(folder).free
    if announce:
        announce(f"about {duration(point.seconds * left / number)} and {disk / 1e6:.3g} MB on disk")
    if disk > free:
        raise LimitError(f"{folder}: the points will take {disk / 1e9:.3g} GB, {free / 1e9:.3g} GB are free; keep less")
    if values > MAX_VALUES:
        raise LimitError(f"the result would hold {values:.3g} values, {MAX_VALUES:.0g} at most; keep less")


def status(folder: str | Path) -> Counter[str]:
    """Count the points of a study by state: "done", "missing", "damaged", of another version, or failed with the reason.

    Raises ResultError if the folder holds no study.
    """
    folder = Path(folder)
    if not (folder / INDEX).exists():
        raise ResultError(folder, "no study has begun here: there is no " + INDEX)
    index = index_of(folder)
    return Counter(state(folder, digest, tuple(index["keep"])) for digest in dict.fromkeys(index["points"]))


def index_of(folder: Path) -> dict[str, Any]:
    """The index of a study. Raises ResultError."""
    try:
        index: dict[str, Any] = json.loads(read_whole(folder / INDEX))
        return index | {"keep": list(index["keep"]), "points": list(index["points"])}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ResultError(folder / INDEX, f"is no index of a study ({error})") from error


def state(folder: Path, digest: str, keep: tuple[str, ...]) -> str:
    """State of a point in words."""
    try:
        point = points.read_point(folder, digest)
        if point is not None and point.status == "stale":
            return f"{point.reason}: --resume computes them again"
        point = points.usable_point(folder, digest, keep)
    except ResultError:
        return "damaged"
    if point is None:
        return "missing"
    return "done" if point.status == "done" else f"failed: {point.reason}"
