"""The points of a study: its plan, the arrays that it keeps of each, and their files.

The points are all combinations of its axes, each a case that is checked before anything runs. A point is identified by its
number (the last axis is the fastest) and by the digest of its case. The number in the [expect] of a case is checked before
as well. Outputs and numbers of metrics of a run are kept by name:

read_resistance          all reads
read_resistance[-1]      the last read
bias_current[0,2,35]     one number of an array with three dimensions
loop                     all numbers of a metric
loop.ratio               one number of a metric

Each point is a sealed file, named by the digest of its case, whole or absent (`otjdd.system.files`). The line of JSON of a
file (`otjdd.results.store`) holds the digest of the sources that computed the numbers, so that points of other sources are
not reused. After a short run nothing waits until the disk has the file, since that would take longer than the run. If a
power cut damages the file, its seal does not fit, and the point is computed again.
"""

import logging
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from otjdd.analysis.metrics import METRICS
from otjdd.case.case import Case, located
from otjdd.case.crossbar import Patterns
from otjdd.case.drive import Drive
from otjdd.case.drive_curves import Curves, Following
from otjdd.case.fit import Expect
from otjdd.case.problem import Problem, nearest
from otjdd.case.study_axes import Study, StudyAxis, axes
from otjdd.errors import CaseError, LimitError, ResultError
from otjdd.results import store
from otjdd.results.outputs import OUTPUTS, Output, dataset
from otjdd.system import files, sources
from otjdd.system.files import OtherVersion, read_whole, write_whole
from otjdd.system.late import xr
from otjdd.units import DIMENSIONS, brief, plain_unit

MAX_POINTS = 100_000
SEED = "ions.seed"

log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """A checked study.

    case : without the changes of the points   keep : names of the kept arrays   time_limit : for one point [s], or None
    axes : all combinations of their rows are the points   digests : of the cases of the points, by their numbers
    """

    case: Case
    keep: tuple[str, ...]
    time_limit: float | None
    axes: tuple[StudyAxis, ...]
    digests: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis.rows) for axis in self.axes)

    def changes(self, number: int) -> dict[str, Any]:
        """Changes of a point: dotted key -> value as in a case file."""
        changed: dict[str, Any] = {}
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.rows))
            changed = dict(zip(axis.keys, axis.rows[place], strict=True)) | changed
        return changed

    def point(self, number: int) -> Case:
        """The case of a point."""
        return self.case.replace(**self.changes(number))


def plan(case: Case, file: str = "case.toml", progress: Callable[[float], None] | None = None) -> Plan:
    """Plan of the study of a case, each point of which is validated.

    file : name of the case file, for problems   progress : called with the fraction done
    Raises CaseError for a case without a study and for the first point that is no valid case; LimitError, OSError.
    """
    study = case.varied
    if study is None:
        got = "one without" if case.study is None else "one whose sample is the devices of its cells (see `otjdd run`)"
        raise CaseError([Problem(file, 0, 0, "study", "a case with a [study]", got)])
    if wrong := unknown(study.keep):
        raise CaseError([located(Problem(file, 0, 0, "study.keep", wrong), case, {}, file)])
    if (points := math.prod(study.sizes.values())) > MAX_POINTS:
        product = " x ".join(f"{size:,} {name}" for name, size in study.sizes.items())
        raise LimitError(
            f"a study of {points:,} points ({product}); the limit is {MAX_POINTS:,}. Vary less, or draw a [study.sample]"
        )
    planned = Plan(case.without_study(), kept_by(study, case.drive), study.time_limit, tuple(axes(study)), ())
    digests = []
    for number in range(points):
        try:
            digests.append(planned.point(number).digest)
        except CaseError as error:
            raise CaseError([located(p, case, planned.changes(number), file) for p in error.problems]) from None
        if progress and number % 100 == 99:
            progress((number + 1) / points)
    return planned._replace(digests=tuple(digests))


def warn_of_one_seed(plan: Plan) -> None:
    """Log a warning if ions hop at random in a study of several points that all have the same seed."""
    keys = [key for axis in plan.axes for key in axis.keys]
    if len(plan.digests) < 2 or SEED in keys or plan.case.ions.noise == "none":
        return
    log.warning(
        "all %d points draw the same random hops (%s = %d): compare them with each other; for the scatter of devices "
        'vary "%s" as well',
        len(plan.digests), SEED, plan.case.ions.seed, SEED,
    )  # fmt: skip


def kept_by(study: Study, drive: Drive) -> tuple[str, ...]:
    """Names of the arrays that a study of a drive keeps: those that it states, or a few by default."""
    if study.keep:
        return study.keep
    if isinstance(drive, Following):
        return "capacitance", "conductance_ac"
    if isinstance(drive, Curves):
        return ("bias_current",)
    if isinstance(drive, Patterns):
        return ("write_disturb", "step_energy")
    if drive.waveform().read_count:
        return ("read_resistance",)
    return "conduction_current[-1]", "vacancy_mean_position[-1]"


def check_expected(case: Case, file: str = "case.toml") -> None:
    """Raise CaseError if the [expect] of a case names no number of its result. A case without [expect] passes."""
    if case.expect is None:
        return
    if wrong := list(expectation_problems(case, case.expect, file)):
        raise CaseError([located(problem, case, {}, file) for problem in wrong])


def expectation_problems(case: Case, expect: Expect, file: str) -> Iterator[Problem]:
    """Problems of the [expect] of a case: an unknown number, a window in another unit, a point that does not exist."""
    if wrong := unknown([expect.number]):
        yield Problem(file, 0, 0, "expect.number", wrong)
        return
    if wrong := not_one(expect.number):
        base = name_parts(expect.number)[0]
        yield Problem(file, 0, 0, "expect.number", f"one number, such as {base}[-1] or loop.ratio", wrong)
        return
    unit = unit_and_name(expect.number).unit
    as_typed = DIMENSIONS[expect.dimension].unit if expect.dimension else "1"  # metrics have units as in case files
    if unit not in (plain_unit(expect.dimension), as_typed):
        yield Problem(file, 0, 0, "expect.low", f"a window in {unit}", brief(expect.low))
    points = 0 if case.varied is None else len(plan(case, file).digests)
    if (expect.point is None) == bool(points) or (expect.point or 0) >= max(points, 1):
        expected = f"a point from 0 to {points - 1}" if points else "no point in a case without a study"
        yield Problem(file, 0, 0, "expect.point", expected, brief(expect.point))


NAME_FORM = re.compile(r"([a-z_]+)(?:\.([a-z][a-z0-9_]*))?(?:\[(-?[0-9]{1,6}(?:,-?[0-9]{1,6}){0,3})\])?")


class KeptArray(NamedTuple):
    """One array of a point: its dimensions within the point, its values, float64 or text."""

    dims: tuple[str, ...]
    values: np.ndarray


def unknown(names: Sequence[str]) -> str:
    """Message about the first unknown name; "" when all names are known."""
    for name in names:
        base, number, _ = name_parts(name)
        if not base or (base not in OUTPUTS and base not in METRICS):
            hint = nearest(base or name, [*OUTPUTS, *METRICS])
            return f"{brief(name)} is no output and no metric" + (f" ({hint})" if hint else "")
        if number and number not in (METRICS[base].numbers if base in METRICS else ()):
            return f"{brief(name)}: {base} has {', '.join(METRICS[base].numbers) if base in METRICS else 'no parts'}"
    return ""


def not_one(name: str) -> str:
    """Message about an unknown name; the name if it stands for several numbers of a run; "" if it stands for one number."""
    if wrong := unknown([name]):
        return wrong
    base, number, _ = name_parts(name)
    if (not number and base in METRICS) or unit_and_name(name).dims:
        return brief(name)
    return ""


@lru_cache(maxsize=1024)
def name_parts(name: str) -> tuple[str, str, tuple[int, ...]]:
    """(output or metric, number of the metric or "", indices into the output) of a name; ("", "", ()) if malformed."""
    match = NAME_FORM.fullmatch(name)
    if not match:
        return "", "", ()
    return match[1], match[2] or "", tuple(map(int, match[3].split(","))) if match[3] else ()


def outputs_for(names: Sequence[str]) -> set[str] | None:
    """Outputs of a run that are needed for the names; None if a metric may need any output."""
    outputs: set[str] = set()
    for base in (name_parts(name)[0] for name in names):
        of_metric = METRICS[base].outputs if base in METRICS else (base,)
        if not of_metric:
            return None
        outputs |= set(of_metric)
    return outputs


def measure(ds: xr.Dataset, names: Sequence[str]) -> dict[str, KeptArray]:
    """The arrays to keep of a run, and the coordinates of their dimensions.

    Raises ValueError for an output that the run does not have, and for a metric that does not fit it.
    """
    bases = {base for base, _, _ in map(name_parts, names) if base in OUTPUTS and base in ds}
    bases |= {dim for base in bases for dim in OUTPUTS[base].dims if dim in ds.coords}
    return measure_arrays({base: ds[base].values for base in bases}, names, lambda: ds)


def measure_arrays(
    arrays: Mapping[str, ArrayLike], names: Sequence[str], whole: Callable[[], xr.Dataset] | None = None
) -> dict[str, KeptArray]:
    """As `measure`, from the arrays of a run by name. whole : returns the Dataset, if a metric needs it"""
    results: dict[str, KeptArray] = {}
    all_dims: set[str] = set()
    for name in names:
        base, number, index = name_parts(name)
        if base in METRICS:
            try:
                numbers = METRICS[base].of(whole() if whole else dataset(arrays))
            except (ValueError, IndexError, ZeroDivisionError, AttributeError) as error:
                raise ValueError(f"study.keep: the metric {base} does not fit this drive ({error})") from error
            for key in [number] if number else METRICS[base].numbers:
                results[f"{base}.{key}"] = KeptArray((), np.asarray(numbers[key], dtype=float))
            continue
        if base not in arrays:
            raise ValueError(f"study.keep: this drive gives no {base}")
        values, dims = np.asarray(arrays[base]), OUTPUTS[base].dims[len(index) :]
        for i in index:
            if not values.ndim or not -len(values) <= i < len(values):
                raise ValueError(f"study.keep: {name} of {len(values) if values.ndim else 'no dimension'}")
            values = values[i]
        results[name] = KeptArray(dims, values)
        all_dims |= set(dims)
    coords = [dim for dim in sorted(all_dims) if dim in arrays and dim not in results]
    return results | {dim: KeptArray((dim,), np.asarray(arrays[dim])) for dim in coords}


def unit_and_name(name: str) -> Output:
    """Dimensions, unit and long name of the array that is kept under a name."""
    base, number, index = name_parts(name)
    if base in METRICS:
        return Output((), *METRICS[base].numbers[number])
    output = OUTPUTS[base]
    if not index:
        return output
    numbers = ", ".join(map(str, index))
    return Output(output.dims[len(index) :], output.unit, f"{output.long_name}, number {numbers}")


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
    head = {"source_sha256": sources.digest(), **point._asdict()}
    return store.packed("point", head, {name: np.asarray(array.values) for name, array in point.arrays.items()})


def unpack(path: Path, data: bytes) -> PointOutcome:
    """The point of a file, with status "stale" if other sources computed it. Raises ResultError if it is damaged."""
    try:
        stated, body = store.opened(path, data, "point")
        head = Head.model_validate(stated)
        arrays = {name: kept_array(name, values) for name, values in store.unpacked(head.arrays, body).items()}
    except OtherVersion:
        return PointOutcome("stale", OTHER_VERSION)
    except (ValueError, TypeError) as error:
        raise ResultError(path, f"is no whole point ({brief(str(error))})") from error
    if head.source_sha256 != sources.digest():
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


def kept_array(name: str, values: np.ndarray) -> KeptArray:
    """An array of a point. Raises ValueError for an unknown output, and for another number of dimensions than it has."""
    if wrong := unknown([name]):
        raise ValueError(wrong)
    dims = unit_and_name(name).dims
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
    there, unreadable, final = set(os.listdir(folder / FOLDER)), [], set()
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


def tidy_points(folder: Path) -> None:
    """Remove unfinished files of killed processes."""
    files.tidy(folder / FOLDER, ".*.part")
