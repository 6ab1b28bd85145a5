"""Studies: many runs of one case, one Dataset of what was kept of them.

plan (all points, checked) -> points that are not on disk yet -> workers -> Dataset with the varied keys as coordinates

DIR/study.toml is the case as it was resolved, DIR/points/ holds a file for each point, DIR/study.nc the Dataset.
"""

import contextlib
import errno
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from otjdd import kept, points, results
from otjdd import workers as pools
from otjdd.axes import coordinate
from otjdd.case import Case, load_case
from otjdd.files import ResultError, write_whole
from otjdd.kept import Kept
from otjdd.plan import Plan, plan
from otjdd.points import Point

CASE, RESULT = "study.toml", "study.nc"
STATES = ("done", "failed", "missing")


def study(
    case, out=None, *, workers: int | None = None, resume: bool = False, progress: Callable | None = None,
    allow_outside: bool = False, file: str | None = None, **changes,
):  # fmt: skip
    """Run the study of a case, given as a record or as the path of a case file.

    out : folder of the study; without one nothing is kept on disk   workers : processes; None is this process alone
    resume : go on in a folder that already holds points   progress : called with (done, failed, all) after each point
    Returns an xarray.Dataset: what was kept, the varied keys as coordinates, `status` and `reason` of each point.
    Raises CaseError, LimitError, ResultError; OSError for a folder that cannot be used.
    """
    file = file or ("case" if isinstance(case, Case) else str(case))
    if not isinstance(case, Case):
        case = load_case(case, changes, allow_outside=allow_outside)
    elif changes:
        case = case.replace(**changes)
    with contextlib.ExitStack() as stack:
        folder = Path(out if out is not None else stack.enter_context(tempfile.TemporaryDirectory(prefix="otjdd-")))
        made = prepare(case, folder, resume, file)
        try:
            run(made, folder, number=workers, progress=progress)
        finally:
            ds = collect(made, folder, case)
            results.write(ds, folder / RESULT)
        return ds


def prepare(case: Case, folder: Path, resume: bool = False, file: str = "case.toml") -> Plan:
    """Plan a study and make its folder. Raises CaseError, LimitError, ResultError, OSError."""
    made = plan(case, file)
    held = folder / points.FOLDER
    if not resume and held.is_dir() and any(held.iterdir()):
        raise OSError(errno.EEXIST, "already holds a study: resume it, or choose another folder", str(folder))
    held.mkdir(parents=True, exist_ok=True)
    points.tidy(folder)
    write_whole(folder / CASE, case.resolved().encode())
    return made


def run(made: Plan, folder: Path, *, number: int | None = None, progress: Callable | None = None) -> None:
    """Compute the points that are not there yet. number : of processes, None for this one alone."""
    todo = {d: i for i, d in enumerate(made.digests) if points.usable(folder, d, made.keep) is None}
    jobs = (pools.Job(d, made.case, made.changes(i), made.keep, folder) for d, i in todo.items())
    if number is None and made.time_limit is None:
        finished = pools.here(jobs)
    else:
        finished = pools.in_processes(jobs, number or 1, made.time_limit)
    total, failed = len(set(made.digests)), 0
    done = total - len(todo)
    with contextlib.closing(finished):
        for _, point in finished:
            done, failed = done + 1, failed + (point.status != "done")
            if progress:
                progress(done, failed, total)


def collect(made: Plan, folder: Path, case: Case):
    """Dataset of all points: each kept array with the axes of the study before its own dimensions.

    Points that failed or are missing are nan; where rows differ in length, the shorter end in nan. `status` is 0 for
    points that are done, 1 for those that failed, 2 for those that are missing; `reason` says why they failed.
    """
    import xarray as xr

    files = {digest: read_or_none(folder, digest) for digest in set(made.digests)}
    ordered = [files[digest] for digest in made.digests]
    dims, shape = tuple(axis.name for axis in made.axes), made.shape
    coords, variables = coordinates(made), {}
    for name, inner, values in stacked([p.arrays if p and p.status == "done" else {} for p in ordered]):
        if inner == (name,) and same_rows(values):
            coords[name] = inner, values[0], attributes_of(name)
        else:
            own = f"point_{name}" if inner == (name,) else name  # a dimension is no name for what differs along others
            variables[own] = (*dims, *inner), values.reshape(*shape, *values.shape[1:]), attributes_of(name)
    states = [2 if p is None else int(p.status != "done") for p in ordered]
    variables["status"] = dims, np.array(states, dtype="i1").reshape(shape), {
        "units": "1", "long_name": "state of the point", "flag_values": [0, 1, 2], "flag_meanings": " ".join(STATES)
    }  # fmt: skip
    reasons = np.array(["" if p is None else p.reason for p in ordered], dtype=object)
    variables["reason"] = dims, reasons.reshape(shape), {"units": "1", "long_name": "why the point failed"}
    return xr.Dataset(variables, coords, provenance(case))


def read_or_none(folder: Path, digest: str) -> Point | None:
    """A point; None where it is missing or damaged, or of another version."""
    try:
        point = points.read(folder, digest)
    except ResultError:
        return None
    return None if point is None or point.status == "stale" else point


def coordinates(made: Plan) -> dict:
    """The varied keys along their axes: an index where an axis has one key, columns where several change together."""
    found = {}
    for axis in made.axes:
        for key in axis.keys:
            values, unit = coordinate(axis.column(key))
            found[key] = (axis.name,), values, {"units": unit, "long_name": key}
    return found


def stacked(rows: Sequence[dict[str, Kept]]) -> Iterator[tuple[str, tuple, np.ndarray]]:
    """(name, own dimensions, array (points, ...)) of everything that the points hold, filled up with nan."""
    for name in dict.fromkeys(name for arrays in rows for name in arrays):
        held = [arrays[name] for arrays in rows if name in arrays]
        longest = np.max([kept.values.shape for kept in held], axis=0, initial=0).astype(int)
        text = held[0].values.dtype.kind in "UOT"
        out = np.full((len(rows), *longest), "" if text else np.nan, dtype=object if text else float)
        for i, arrays in enumerate(rows):
            if name in arrays:
                values = arrays[name].values
                out[(i, *map(slice, values.shape))] = values
        present = np.array([name in arrays for arrays in rows])
        yield name, held[0].dims, out if present.all() else shared(out, present, held[0].dims == (name,))


def same_rows(values: np.ndarray) -> bool:
    return all(np.array_equal(row, values[0]) for row in values[1:])


def shared(values: np.ndarray, present: np.ndarray, coordinate: bool) -> np.ndarray:
    """Points without a result take the coordinates that all others agree on."""
    if coordinate and same_rows(values[present]):
        values[~present] = values[present][0]
    return values


def attributes_of(name: str) -> dict:
    output = kept.told(name)
    return {"units": output.unit, "long_name": output.long_name}


def provenance(case: Case) -> dict:
    """Attributes of a study; equal for equal studies, so no times among them."""
    told = results.provenance(case.source, case.resolved(), title=case.title)
    return {k: v for k, v in told.items() if k not in ("created", "wall_time")} | {"study_engine": points.engine()}


def summary(ds) -> str:
    """How many points are done, failed and missing, in words."""
    counts = {state: int((ds.status == i).sum()) for i, state in enumerate(STATES)}
    more = "".join(f", {count} {state}" for state, count in counts.items() if count and state != "done")
    return f"{counts['done']} of {ds.status.size} points{more}"
