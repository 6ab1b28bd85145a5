"""The points of a study as one Dataset: the kept arrays, with the varied keys as coordinates; what follows from them.

Sensitivity: slope along one key, and Sobol indices of many keys. Variability: how much the two states of a study's devices
scatter, from cycle to cycle and from device to device.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from otjdd.analysis.current_noise import Scatter, scatter
from otjdd.analysis.synapse import two_in_turn
from otjdd.case.case import Case
from otjdd.case.study_axes import coordinate
from otjdd.results import store
from otjdd.results.outputs import about
from otjdd.results.store import ENGINE
from otjdd.solver.model_limits import ATTRIBUTE, names
from otjdd.studies import points
from otjdd.studies.points import KeptArray, Plan, PointOutcome
from otjdd.system import sources
from otjdd.system.late import scipy, xr

log = logging.getLogger(__name__)

SAMPLE_METHOD, SAMPLE_COUNT = "study_sample_method", "study_sample_count"  # attributes
STATES = ("done", "failed", "missing")


def collect(planned: Plan, folder: Path, case: Case) -> xr.Dataset:
    """Dataset of all points: each kept array, with the axes of the study before its own dimensions.

    Points that failed or are missing have nan. Where points have rows of different lengths, shorter ones end in nan.
    `status` is 0 for points that are done, 1 for failed and 2 for missing ones, `reason` says why a point failed, and
    `model_limits` which limits of the model it exceeds.
    """
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
    flags = {"flag_values": [0, 1, 2], "flag_meanings": " ".join(STATES)}
    variables["status"] = dims, np.array(states, dtype="i1").reshape(shape), about("state of the point") | flags
    reasons = np.array(["" if p is None else p.reason for p in ordered], dtype=object)
    variables["reason"] = dims, reasons.reshape(shape), about("why the point failed")
    limits = np.array(["" if p is None else p.limits for p in ordered], dtype=object)
    variables[ATTRIBUTE] = dims, limits.reshape(shape), about("limits of the model that were passed")
    # equal studies have equal attributes, so that these contain no times
    origin = store.provenance(case.source, case.resolved(), title=case.title)
    attrs = {k: v for k, v in origin.items() if k not in ("created", "wall_time")} | {ENGINE: sources.digest()}
    if case.study and case.study.sample:
        attrs |= {SAMPLE_METHOD: case.study.sample.method, SAMPLE_COUNT: case.study.sample.count}
    return xr.Dataset(variables, coords, attrs)


def arrays_of(point: PointOutcome | None, keep: Sequence[str]) -> dict[str, KeptArray]:
    """Arrays of a point that this study keeps, with their coordinates. Its file may have more arrays, for another study."""
    if point is None or point.status != "done":
        return {}
    names = []
    for base in dict.fromkeys(keep):  # itself, or the numbers of a metric that are not kept by their own names
        parts = [name for name in point.arrays if name.startswith(f"{base}.") and "[" not in name and name not in keep]
        names += [base] * (base in point.arrays) + sorted(parts)
    dims = sorted({dim for name in names for dim in point.arrays[name].dims} & set(point.arrays) - set(names))
    return {name: point.arrays[name] for name in (*names, *dims)}


def coordinates(planned: Plan) -> dict[str, Any]:
    """The varied keys as coordinates along their axes. A key that is alone on its axis is the index of the axis."""
    coords = {}
    for axis in planned.axes:
        for key in axis.keys:
            values, unit = coordinate(axis.column(key))
            coords[key] = (axis.name,), values, about(key, unit)
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
    output = points.unit_and_name(name)
    return about(output.long_name, output.unit)


def counts(ds: xr.Dataset) -> dict[str, int]:
    """State -> number of points."""
    return {state: int((ds.status == i).sum()) for i, state in enumerate(STATES)}


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


FEWEST_ROWS = 8  # of a sample, for indices with an interval


def slope(ds: xr.Dataset, name: str, key: str, *, log_x: bool = False, log_y: bool = False) -> xr.Dataset:
    """Fit a straight line to a result against a numeric key, for each combination of the other axes.

    name : of an array of the study   key : an axis   log_x, log_y : take the decimal logarithm of the key, of the result
    Returns an xarray.Dataset with `slope` (per unit of the key, or per decade), its standard `error`, `intercept` and
    `correlation`; nan where fewer than three points are finite. Raises ValueError for a key that is no numeric axis.
    """
    if key not in ds.dims or ds[key].dtype.kind not in "if":
        raise ValueError(f"{key!r} is no numeric axis of this study; there are {', '.join(map(str, ds[name].dims))}")
    x = np.log10(ds[key].values) if log_x else ds[key].values

    def line(y: np.ndarray) -> tuple[float, float, float, float]:
        good = np.isfinite(y)
        if good.sum() < 3:
            return np.nan, np.nan, np.nan, np.nan
        fit = scipy.stats.linregress(x[good], y[good])
        return fit.slope, fit.stderr, fit.intercept, fit.rvalue

    y = np.log10(ds[name]) if log_y else ds[name]
    fits = xr.apply_ufunc(line, y, input_core_dims=[[key]], output_core_dims=[[]] * 4, vectorize=True)
    of = "1" if log_y else str(ds[name].attrs.get("units", "1"))
    per = "1" if log_x else str(ds[key].attrs.get("units", "1"))
    inverse = f"{per}^-1" if per.isalpha() else f"({per})^-1"
    slope = of if per == "1" else f"{of} {inverse}".removeprefix("1 ")
    about = {
        "slope": (slope, "slope"), "error": (slope, "standard error of the slope"),
        "intercept": (of, "intercept"), "correlation": ("1", "correlation"),
    }  # fmt: skip
    return xr.Dataset({
        word: values.drop_attrs().assign_attrs(units=units, long_name=f"{words} of {name} against {key}")
        for values, (word, (units, words)) in zip(fits, about.items(), strict=True)
    })  # fmt: skip


def sobol_indices(ds: xr.Dataset, name: str, *, log: bool = False, resamples: int = 400, seed: int = 0) -> xr.Dataset:
    """Sobol indices of a result: shares of its variance by key, from a study with a sample of the method "saltelli".

    name : of an array with the one dimension `sample`   log : take its decimal logarithm, for results over decades
    Returns an xarray.Dataset along `key`: `first`, the share of the variance due to the key alone; `total`, the share that
    is left when all other keys are fixed; the ends of the 95 % interval of each (bootstrap); `rows`, the number of complete
    rows of the design. Rows with a failed point are left out.
    First order after Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), total after Jansen (1999).
    Raises ValueError when the study has no such sample, or fewer than eight complete rows.
    """
    if ds.attrs.get(SAMPLE_METHOD) != "saltelli" or ds[name].dims != ("sample",):
        raise ValueError(f'{name}: Sobol indices need a study of one [study.sample] with method = "saltelli"')
    keys = [str(key) for key, c in ds.coords.items() if c.dims == ("sample",)]
    count = int(ds.attrs[SAMPLE_COUNT])
    blocks = ds[name].values.reshape(len(keys) + 2, count)
    blocks = np.log10(blocks) if log else blocks
    blocks = blocks[:, np.isfinite(blocks).all(axis=0)]
    if blocks.shape[1] < FEWEST_ROWS:
        raise ValueError(
            f"{name}: {blocks.shape[1]} of {count} rows of the sample are whole, {FEWEST_ROWS} are needed; "
            f"draw more by study.sample.count (a row takes {len(keys) + 2} points)"
        )
    rng = np.random.default_rng(seed)
    again = [indices(blocks[:, rng.integers(0, blocks.shape[1], blocks.shape[1])]) for _ in range(resamples)]
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    columns: dict[str, np.ndarray] = {}
    for i, kind in enumerate(("first", "total")):
        columns |= {kind: indices(blocks)[i], f"{kind}_low": low[i], f"{kind}_high": high[i]}
    attrs = {"units": "1"}
    variables = {column: ("key", values, attrs) for column, values in columns.items()}
    return xr.Dataset(variables | {"rows": ((), blocks.shape[1])}, {"key": keys})


def indices(blocks: np.ndarray) -> np.ndarray:
    """First and total indices (2, keys) from results (2 + keys, rows) of the blocks A, B, and A with one column of B."""
    A, B, mixed = blocks[0], blocks[1], blocks[2:]
    both = np.concatenate([A, B])
    A, B, mixed = A - both.mean(), B - both.mean(), mixed - both.mean()
    return np.array([(B * (mixed - A)).mean(axis=1), ((A - mixed) ** 2).mean(axis=1) / 2]) / both.var()


def worth_logarithms(values: ArrayLike) -> bool:
    """True if results are positive and span more than a decade, so that their logarithm is the better quantity."""
    good = np.asarray(values)[np.isfinite(values)]
    return bool(good.size and good.min() > 0 and good.max() > 10 * good.min())


DEVICES, CYCLES = "sample", "read"  # dimensions of a study
SEEDS = "ions.seed"  # axis along which devices differ, where there is no sample
NAMES_OF_STATES = ("low", "high")
NEEDS = "read_resistance", "write_voltage"
AREA = "junction_area"
MEANINGS = {
    "c2c": ("sigma_c2c", "standard deviation of ln R from cycle to cycle"),
    "d2d": ("sigma_d2d", "standard deviation of ln R from device to device"),
    "drift": ("drift", "change of ln R over the cycles"),
}


def variability(study: xr.Dataset, settling: int = 0) -> xr.Dataset:
    """Scatter of the low and the high resistance of devices that are written to both states in each cycle.

    study : Dataset of `otjdd.study` with `keep = ["read_resistance", "write_voltage"]`, whose reads follow writes of two
        voltages of opposite sign in turn. Its devices are the draws of [study.sample] or, without a sample, the values of
        `ions.seed` in [study.grid]. Other axes remain axes of the result
    settling : number of first cycles that are left out

    Returns an xarray.Dataset along `state` ("low", "high": the smaller and the larger median) and the other axes:
        median_resistance [ohm] : median of the medians of devices
        sigma_c2c : standard deviation of ln R within a device, from cycle to cycle
        sigma_d2d : standard deviation of the expected ln R of devices, without the scatter of means over few cycles
        drift : change of ln R over all cycles along a straight line, which also counts in sigma_c2c
        devices, cycles : number of devices, and largest number of cycles of a device
    All but the last two have standard errors (`sigma_c2c_error`), which assume that ln R is normally distributed. Along
    `device.radius` there is also the coordinate `junction_area` [m^2]. Numbers are nan where a point has too few devices
    or cycles; with one cycle `sigma_d2d` includes the scatter from cycle to cycle. Method: `otjdd.analysis.current_noise`.
    Raises ValueError if the study does not hold such reads, and for a resistance that is not positive.
    """
    R = resistances(study, settling)
    medians = np.exp(xr.apply_ufunc(np.log, R).median(CYCLES))

    def numbers(rows: np.ndarray, middles: np.ndarray) -> tuple[float, ...]:
        return *scatter(np.log(rows)), *median(middles)

    names = [*Scatter._fields, "median", "median_error"]
    inner: list[list[Hashable]] = [[DEVICES, CYCLES], [DEVICES]]
    values = xr.apply_ufunc(
        numbers, R, medians, input_core_dims=inner, output_core_dims=[[]] * len(names), vectorize=True
    )
    by_name = {name: array.drop_attrs(deep=False) for name, array in zip(names, values, strict=True)}
    what = {
        "median_resistance": (by_name["median"], "ohm", "median resistance of the devices"),
        "median_resistance_error": (by_name["median_error"], "ohm", "standard error of the median resistance"),
    }
    for key, (name, meaning) in MEANINGS.items():
        what[name] = by_name[key], "1", meaning
        what[f"{name}_error"] = by_name[f"{key}_error"], "1", f"standard error of the {meaning}"
    what |= {name: (by_name[name], "1", f"number of {name}") for name in ("devices", "cycles")}
    ds = xr.Dataset(
        {name: array.assign_attrs(units=unit, long_name=words) for name, (array, unit, words) in what.items()}
    )
    radius = "device.radius"
    if radius in ds.coords and ds[radius].dims == (radius,) and ds[radius].dtype.kind == "f":
        area = math.pi * ds[radius].values ** 2
        ds = ds.assign_coords({AREA: (radius, area, {"units": "m^2", "long_name": "area of the junction"})})
    return ds


def resistances(study: xr.Dataset, settling: int = 0) -> xr.DataArray:
    """Resistances (state, ..., sample, read) [ohm] of the low and the high state; nan for reads of the other state.

    Raises ValueError as `variability`.
    """
    if why := unfit(study):
        raise ValueError(f"no variability of this study: {why}")
    devices = devices_of(study)
    R, V = (study[name].isel({CYCLES: slice(2 * settling, None)}) for name in NEEDS)
    if devices != DEVICES:
        R, V = (array.drop_vars(devices).rename({devices: DEVICES}) for array in (R, V))
    if not R.sizes[CYCLES]:
        raise ValueError(f"settling = {settling} leaves no cycle of this study")
    if (R <= 0).any():
        raise ValueError("no variability of this study: a resistance that is not positive has no logarithm")
    either = [R.where(V > 0), R.where(V < 0)]
    after_positive, after_negative = (of_sign.median([DEVICES, CYCLES]) for of_sign in either)
    positive_is_low = after_positive <= after_negative
    low, high = either[0].where(positive_is_low, either[1]), either[1].where(positive_is_low, either[0])
    states = xr.DataArray(list(NAMES_OF_STATES), dims="state", attrs={"units": "1", "long_name": "state"})
    return xr.concat([low, high], states).assign_attrs(units="ohm", long_name="resistance")


def unfit(study: xr.Dataset) -> str:
    """Why a study shows no variability, in words; "" if it does."""
    missing = [name for name in NEEDS if name not in study or CYCLES not in study[name].dims]
    if missing:
        needed = ", ".join(f'"{name}"' for name in NEEDS)
        return f"it holds no {' and no '.join(missing)}: study.keep = [{needed}]"
    if not devices_of(study):
        return f"it has no devices: [study.sample] draws them, or {SEEDS} in [study.grid]"
    if not two_in_turn(study.write_voltage.transpose(..., CYCLES).values):
        return "its reads do not follow writes of two voltages of alternating sign"
    return ""


def devices_of(study: xr.Dataset) -> str:
    """Dimension of a study along which one device follows another; "" for none."""
    return next((dim for dim in (DEVICES, SEEDS) if dim in study.read_resistance.dims), "")


def median(values: np.ndarray) -> tuple[float, float]:
    """Median of positive numbers (n,), nan left out, and its standard error for normal logarithms."""
    good = values[np.isfinite(values)]
    if not good.size:
        return math.nan, math.nan
    middle = float(np.median(good))
    spread = float(np.std(np.log(good), ddof=1)) if good.size > 1 else math.nan
    return middle, middle * spread * math.sqrt(math.pi / (2 * good.size))
