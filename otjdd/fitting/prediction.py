"""What a fit says about other drives: predictions with a band from the errors of its parameters; the next measurement.

The band consists of percentiles over draws of the parameters. The outputs of a draw are extrapolated from the run of the
best set by derivatives along its time steps (`least_squares`), if no run jumps and a few simulated draws agree with the
extrapolation in each read, at each bias and in each time series. Otherwise every draw is simulated.

The next measurement is one of another drive or temperature that reduces the errors of the fit. Its expected information is
J^T J of its derivatives at the fitted values, with the uncertainty of the existing data. It adds to the information of the
fit (A. C. Atkinson, A. N. Donev, Optimum Experimental Designs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from otjdd.case.case import Case, load_case
from otjdd.case.drive_curves import Prepared
from otjdd.errors import CaseError, SolverError
from otjdd.fitting.covariance import inverse_information
from otjdd.fitting.curves import scaled_values
from otjdd.fitting.fit import curves_of, error_factor, fitted_case, parameters_of
from otjdd.fitting.least_squares import SURE, gradient, gradient_along
from otjdd.fitting.search import Evaluator, Searched, Simulated, evaluator, takes_trail
from otjdd.fitting.task import QUIET, SMOOTH, Data, task
from otjdd.results.outputs import about
from otjdd.runs.run import simulate
from otjdd.solver.start import Steps, Trail
from otjdd.system.late import xr
from otjdd.system.pool import Spread, counted_jobs, team

LEVELS = (2.5, 16.0, 50.0, 84.0, 97.5)  # percentiles: median, one and two standard deviations of a normal distribution
COUNT = 100  # draws
PREDICTION = "prediction"  # attribute that marks a prediction
FAILED = 0.2  # share of draws whose run fails, beyond which nothing is predicted
EXPONENTIAL = ("A", "ohm", "S")  # units of outputs of which each number keeps its own sign
CHECKED = 6  # draws that are simulated to check the extrapolation by derivatives
STEEPEST = 1e4  # 1 over a natural step: slope of a logarithm, beyond which a number changes its sign nearby
NEAR_ENOUGH = 0.1  # largest distance of the checked draws from the extrapolation, over the width of the band
SCATTER = 0.2  # error of the logarithm of a read, over rtol, by which runs differ that choose their own time steps


def predict(
    fit: xr.Dataset, drive: Any = None, *, changes: Mapping[str, Any] | None = None, count: int = COUNT,
    levels: Sequence[float] = LEVELS, seed: int = 1, workers: int = 1,
    progress: Callable[[float], object] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Percentiles of the outputs of a drive over draws of the parameters of a fit.

    fit : Dataset of `otjdd.fit`   drive : a table of a drive; or a case or the name of one, whose drive is taken; None for
        the drive of the fit
    changes : of the fitted case, by dotted key: {"temperature": "350 K"}   levels : an odd number of percentiles
    count : draws from the samples of the posterior if the fit has them, else from the covariance
    progress : called with the fraction done
    Returns a Dataset of the outputs over reads, bias or time, with `percentile` as first dimension and the attributes of
    the run of the best set. `simulated_draws` counts draws that were simulated, `failed_draws` those whose run failed.
    Raises CaseError, SolverError, ValueError.
    """
    if not 0 < min(levels) <= max(levels) < 100 or sorted(levels) != list(levels) or len(levels) % 2 == 0:
        raise ValueError(f"expected an odd number of percentiles between 0 and 100, in order, got {levels}")
    case = driven(fitted_case(fit), drive, changes or {})
    places = draws(fit, count, seed)
    with team(workers) as compute:
        best, runs, simulated = outputs_of_draws(case, fit, places, compute, (min(levels), max(levels)), progress)
    failed = sum(ds is None for ds in simulated)
    if failed > FAILED * len(simulated):
        raise ValueError(
            f"{failed} of {len(simulated)} draws have no run: the errors reach beyond what can be simulated"
        )
    about = {PREDICTION: f"{count} draws of {fit.attrs['title']}", "failed_draws": failed, "draws": count,
             "simulated_draws": len(simulated)}  # fmt: skip
    variables = {
        name: (("percentile", *best[name].dims), np.percentile(values, levels, axis=0), best[name].attrs)
        for name, values in runs.items()
    }
    percentile = {"units": "percent", "long_name": "percentile over draws of the parameters"}
    coords = {name: c for name, c in best.coords.items() if set(c.dims) <= {d for n in runs for d in best[n].dims}}
    coords |= {"percentile": ("percentile", list(levels), percentile)}
    return xr.Dataset(variables, coords, best.attrs | about)


@dataclass(frozen=True, kw_only=True)
class Outputs(Searched):
    """Task of a prediction: the outputs of a case at coordinates of the parameters, over their sizes, end to end.

    sizes : name of an output -> divisors of its numbers, of its shape
    """

    case: Case
    sizes: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def simulate(self) -> Callable[..., Simulated]:
        return simulated_outputs

    @property
    def simulated_cases(self) -> list[Case]:
        return [self.case]

    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        return [(self.case, self.values(x), self.sizes)]

    def values(self, x: np.ndarray) -> dict[str, float]:
        """Key -> value [SI] of the parameters at coordinates x (parameter,)."""
        return {parameter.key: parameter.value(at) for parameter, at in zip(self.parameters, x, strict=True)}


def simulated_outputs(
    case: Case, values: dict[str, float], sizes: Mapping[str, np.ndarray], given: Steps | None = None
) -> Simulated:  # fmt: skip
    """Outputs of a run over their sizes, end to end; nan if it fails or has other rows. Arguments as of `outputs`."""
    trail = Trail(given)
    ds = outputs(case, values, trail)
    if ds is None or any(ds[name].shape != size.shape for name, size in sizes.items()):
        return Simulated(np.full(sum(size.size for size in sizes.values()), np.nan))
    return Simulated(over_sizes(ds, sizes), trail.steps)


def over_sizes(ds: xr.Dataset, sizes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Outputs of a run over their sizes, end to end; 0 where a size is nan."""
    return np.concatenate(
        [np.where(np.isnan(size), 0.0, ds[name].values / size).ravel() for name, size in sizes.items()]
    )


def sizes_of_outputs(best: xr.Dataset) -> dict[str, np.ndarray]:
    """Divisors of the numbers of each output, nan where the best run has no number.

    A nonzero number of an EXPONENTIAL unit is divided by its magnitude, other numbers by the largest magnitude of their
    output; a share or a ratio, which is round-off where it is far below one, by one at least.
    """
    sizes = {}
    for name in predicted_names(best):
        size, unit = np.abs(best[name].values), best[name].attrs.get("units")
        largest = max(np.nanmax(size, initial=0.0), 1.0 if unit == "1" else 0.0) or 1.0
        alone = (unit in EXPONENTIAL) & (size > 0)
        sizes[name] = np.where(np.isnan(size), np.nan, np.where(alone, size, largest))
    return sizes


def outputs_of_draws(
    case: Case, fit: xr.Dataset, places: np.ndarray, compute: Spread, ends: tuple[float, float],
    progress: Callable[[float], object] | None,
) -> tuple[xr.Dataset, Mapping[str, np.ndarray], list[xr.Dataset | None]]:  # fmt: skip
    """The run of the best set, outputs (draw, ...) of all draws, and Datasets of the simulated draws, None for a failure.

    places : coordinates (draw, parameter)   ends : percentiles between which the band lies
    """
    moving = parameters_of(fit)
    shared = np.flatnonzero([p.data in (None, 0) for p in moving])
    x, places = fit["coordinate"].values[shared], places[:, shared]
    task, trail = Outputs(case=case, parameters=tuple(moving[i] for i in shared)), Trail()

    def results(chosen: np.ndarray, compute: Spread) -> list[xr.Dataset | None]:
        by_number = dict(compute(outputs, [(case, task.values(row)) for row in chosen]))
        return [by_number[number] for number in range(len(chosen))]

    best = simulate(case.replace(task.values(x)), trail=trail)
    if takes_trail(case) and len(places) > len(shared) + CHECKED:
        few = counted_jobs(compute, progress, len(shared) + CHECKED)
        slopes = derivatives(task, x, best, trail.steps, few)
        if slopes is not None:
            rows = along_slopes(best, slopes, places - x)
            checked = draws_to_check(np.abs(places - x) / fit["coordinate_error"].values[shared], rows)
            simulated = results(places[checked], few)
            if near_enough(best, rows, checked, simulated, ends, SCATTER * case.numerics.rtol):
                return best, rows, simulated
    simulated = results(places, counted_jobs(compute, progress, len(places)))
    return best, outputs_of_runs(best, [ds for ds in simulated if ds is not None]), simulated


def derivatives(
    task: Outputs, x: np.ndarray, best: xr.Dataset, steps: Steps, compute: Spread
) -> dict[str, np.ndarray] | None:
    """Derivatives (..., parameter) of each output at coordinates x (parameter,), along the steps of the best run there.

    None where a run cannot take these steps, or jumps along them (`gradient_along`).
    """
    sizes = sizes_of_outputs(best)
    evaluate = Evaluator(replace(task, sizes=sizes), compute, [0], steps={}, alike={})
    evaluate.keep_steps(x, [steps])
    gradient = gradient_along(evaluate, x, over_sizes(best, sizes), None)
    if np.isnan(gradient.error).any():
        return None
    parts = np.split(gradient.slopes, np.cumsum([size.size for size in sizes.values()])[:-1])
    return {
        name: part.reshape(*size.shape, len(x)) * size[..., None]
        for (name, size), part in zip(sizes.items(), parts, strict=True)
    }


def draws_to_check(distance: np.ndarray, rows: Mapping[str, np.ndarray]) -> list[int]:
    """Indices of CHECKED draws: a third are the farthest, a third most often at the ends of a number, the rest the first.

    distance : (draw, parameter) in errors, nan without error   rows : (draw, ...) of each output
    """
    farthest = np.argsort(-np.nan_to_num(distance).max(axis=1))
    numbers = np.hstack([values.reshape(len(values), -1) for values in rows.values()])
    numbers = numbers[:, np.ptp(numbers, axis=0) > 0.0]
    at_ends = np.bincount(np.r_[numbers.argmin(axis=0), numbers.argmax(axis=0)], minlength=len(numbers))
    third = CHECKED // 3
    chosen = [*farthest[:third], *np.argsort(-at_ends, kind="stable")[:third], *range(CHECKED)]
    return list(dict.fromkeys(map(int, chosen)))[:CHECKED]


def along_slopes(best: xr.Dataset, slopes: Mapping[str, np.ndarray], moves: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs (draw, ...) of draws along the derivatives of a run.

    Outputs of EXPONENTIAL units, and all of one sign in the whole run, are extrapolated by their logarithms.
    slopes : (..., parameter) of each output   moves : (draw, parameter) of the coordinates
    """
    rows = {}
    for name, slope in slopes.items():
        base = best[name].values
        change = np.moveaxis(np.tensordot(slope, moves, (-1, 1)), -1, 0)
        of_one_sign = best[name].attrs.get("units") in EXPONENTIAL or not ((base > 0).any() and (base < 0).any())
        by_logarithm = (np.abs(slope).sum(axis=-1) < STEEPEST * np.abs(base)) & of_one_sign
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rows[name] = np.where(by_logarithm, base * np.exp(change / base), base + change)
    return rows


def near_enough(
    best: xr.Dataset, rows: Mapping[str, np.ndarray], checked: Sequence[int], simulated: Sequence[xr.Dataset | None],
    ends: tuple[float, float], scatter: float,
) -> bool:  # fmt: skip
    """True if all outputs of draws that were simulated are near their rows, see `along_slopes`.

    Near is a distance within NEAR_ENOUGH of the width of the band, plus what runs that choose their own time steps differ
    by, in each number; in a time series, which is interpolated, as root mean squares over time.
    rows : of all draws   checked : indices of the simulated draws   ends : percentiles between which the band lies
    scatter : of independent runs, relative
    """
    runs = [ds for ds in simulated if ds is not None]
    if len(runs) < len(simulated):
        return False
    for name, actual in outputs_of_runs(best, runs).items():
        off, width, least = distances_from_rows(rows[name], actual, checked, ends)
        if best[name].attrs.get("units") == "1":
            least = np.maximum(least, 1.0)  # of a share or a ratio, which is round-off where it is far below one
        if "time" in best[name].dims:
            off, width, least = (np.sqrt(np.mean(part**2, axis=-1, keepdims=True)) for part in (off, width, least))
        if not (off <= NEAR_ENOUGH * width + scatter * least).all():
            return False
    return True


def distances_from_rows(
    rows: np.ndarray, actual: np.ndarray, checked: Sequence[int], ends: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances (draw, n) of simulated numbers from their rows, widths (n,) of their bands, and sizes (n,) of the numbers.

    rows, actual : (draw, ...) of an output   checked, ends : as of `near_enough`
    Distance and width are of the logarithm, of size 1, where a number has one sign in all draws; the size of others
    is the largest of their output. A number that only one of run and row has is infinitely far.
    """
    rows, actual = rows.reshape(len(rows), -1), actual.reshape(len(actual), -1)
    both = np.vstack((rows, actual))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_logarithm = (both > 0).all(axis=0) | (both < 0).all(axis=0)
        rows, actual = (np.where(by_logarithm, np.log(np.abs(part)), part) for part in (rows, actual))
        low, high = np.percentile(rows, ends, axis=0)
        off = np.abs(actual - rows[checked])
    missing = np.isnan(actual) & np.isnan(rows[checked])
    size = np.where(by_logarithm, 1.0, np.nanmax(np.abs(both), initial=0.0))
    return np.where(missing, 0.0, np.nan_to_num(off, nan=np.inf)), np.nan_to_num(high - low), size


def predicted_names(best: xr.Dataset) -> list[str]:
    """Names of the outputs of a prediction: those over reads, bias or time."""
    return [str(name) for name in best.data_vars if set(best[name].dims) & {"read", "bias", "time"}]


def outputs_of_runs(best: xr.Dataset, runs: Sequence[xr.Dataset]) -> dict[str, np.ndarray]:
    """Outputs (run, ...) of runs, time series on the times of the best."""
    times = best["time"].values if "time" in best else np.zeros(0)
    return {
        name: np.array([on_times(ds, name, times) if "time" in best[name].dims else ds[name].values for ds in runs])
        for name in predicted_names(best)
    }


def prediction_words(ds: xr.Dataset) -> str:
    """A prediction in words: the range of its main output in the median, and the largest width of its band."""
    name = main_output(ds)
    if name is None:
        return "no output"
    middle, unit = np.abs(ds[name].values[ds.sizes["percentile"] // 2]), ds[name].attrs["units"]
    return f"{name.replace('_', ' ')} {np.nanmin(middle):.4g} to {np.nanmax(middle):.4g} {unit}; {band_width(ds, name)}"


def band_width(ds: xr.Dataset, name: str) -> str:
    """Largest width of the band of an output, in words."""
    values = np.abs(ds[name].values)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.maximum(values[-1] / values[0], values[0] / values[-1])
    factor = float(np.nanmax(np.where(values[0] > 0, ratio, np.nan)))
    low, high = ds["percentile"].values[[0, -1]]
    return f"from the {low:g} % to the {high:g} % percentile a factor of at most {factor:.3g}"


def main_output(ds: xr.Dataset) -> str | None:
    """Name of the main output of a prediction of which it holds numbers; None without one."""
    names = ("read_resistance", "bias_current", "capacitance", "current")
    return next((name for name in names if name in ds and np.isfinite(ds[name].values).any()), None)


def driven(case: Case, drive: Any, changes: Mapping[str, Any]) -> Case:
    """A case with another drive and changes, without snapshots at given times. Raises CaseError, OSError."""
    if drive is not None and not isinstance(drive, Mapping):
        other = drive if isinstance(drive, Case) else load_case(drive)
        drive = other.plain()["drive"]
    changed = case.replace({"drive": dict(drive)} if drive is not None else {}).replace(dict(changes))
    return changed.replace({"record.profiles_at_reads": False, "record.profiles_at": []})


def draws(fit: xr.Dataset, count: int, seed: int) -> np.ndarray:
    """Coordinates (draw, parameter) from the posterior, else from the covariance. Raises ValueError without either."""
    rng = np.random.default_rng(seed)
    if "sample" in fit:
        return np.asarray(fit["sample"].values[rng.integers(0, fit.sizes["draw"], count)])
    if "covariance" not in fit:
        raise ValueError("this fit was ended before its errors were known; continue with --resume")
    return np.asarray(rng.multivariate_normal(fit["coordinate"].values, fit["covariance"].values, count, method="eigh"))


def outputs(case: Case, values: dict[str, float], trail: Trail | None = None) -> xr.Dataset | None:
    """Dataset of a run with values [SI] by key; None if it fails. trail : receives the steps, or gives them"""
    try:
        ds: xr.Dataset = simulate(case.replace(values), trail=trail)
    except (SolverError, CaseError, ValueError):
        return None
    return ds


def on_times(ds: xr.Dataset, name: str, times: np.ndarray) -> np.ndarray:
    """A time series (time, ...) of a run at other times (n,) [s]. Currents are interpolated by their logarithm."""
    own, values = ds["time"].values, ds[name].values
    curved = ds[name].attrs.get("units") == "A"
    series = [interpolated(own, row, times, curved) for row in values.reshape(len(own), -1).T]
    return np.stack(series, axis=-1).reshape(len(times), *values.shape[1:])


def interpolated(own: np.ndarray, values: np.ndarray, times: np.ndarray, curved: bool) -> np.ndarray:
    """Values at times (n,) [s], from those at a run's own times, by the logarithm if `curved`.

    The first of two equal times, before a jump, takes the value before the jump.
    """
    jumps = np.append(times[1:] == times[:-1], False)
    at = np.where(jumps, np.nextafter(times, -np.inf), times)
    straight = np.interp(at, own, values)
    if not curved:
        return np.asarray(straight)
    left = (
        np.clip(np.searchsorted(own, at, side="right") - 1, 0, len(own) - 2) if len(own) > 1 else np.zeros(len(at), int)
    )
    right = np.minimum(left + 1, len(own) - 1)
    with np.errstate(divide="ignore"):
        by_logarithm = np.sign(straight) * np.exp(np.interp(at, own, np.log(np.abs(values))))
    return np.asarray(np.where(values[left] * values[right] > 0, by_logarithm, straight))


SAMPLES = 100  # measured times of a drive without reads
USUAL = 0.05  # uncertainty of a logarithm, for a fit without logarithms


def design(
    fit: xr.Dataset, candidates: Mapping[str, Mapping[str, Any]], *, uncertainty: float | None = None, workers: int = 1,
    progress: Callable[[float], object] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Expected errors after one more measurement, for several candidates.

    candidates : name -> changes of the fitted case, by dotted key: {"hot loop": {"temperature": "350 K"}}. A "drive" may
        also be a case or the name of one, whose drive is taken
    uncertainty : of the logarithms that would be measured; by default the median in the data of the fit
    progress : called with the fraction done
    Returns a Dataset: error (parameter) now, expected_error and ratio (candidate, parameter), points (candidate).
    A candidate that cannot be run has nan, with the reason in the attribute `failed`. Its attribute `warnings` is that
    of the fit: where its chi-square is far from 1, or parameters are alike, expected errors mean as little as its own.
    Raises CaseError, ValueError.
    """
    if "covariance" not in fit:
        raise ValueError("this fit was ended before its errors were known; continue with --resume")
    free = np.flatnonzero(np.isfinite(fit["coordinate_error"].values))
    spread = error_factor(fit)
    now = fit["jacobian"].values[:, free] / np.sqrt(spread)
    logarithmic = np.array([curve["scale"].kind != "linear" for curve in curves_of(fit)])
    usual = fit["uncertainty"].values[logarithmic[fit["curve"].values.astype(int)]]
    sigma = uncertainty
    if sigma is None:
        sigma = (float(np.median(usual)) if usual.size else USUAL) * np.sqrt(spread)
    rows, points, failed = [], [], []
    for name, changes in candidates.items():
        try:
            J = jacobian(fit, changes, sigma, workers)[:, free]
            rows.append(np.sqrt(np.diag(inverse_information(np.vstack([now, J])))))
            points.append(len(J))
        except (SolverError, CaseError, ValueError) as error:
            failed.append(f"{name}: {error}")
            rows.append(np.full(len(free), np.nan))
            points.append(0)
        if progress:
            progress(len(points) / len(candidates))
    slopes = fit["error"].values[free] / fit["coordinate_error"].values[free]
    names = [str(name) for name in fit["parameter"].values[free]]
    expected = np.array(rows).reshape(len(candidates), len(free))
    ratio = expected / fit["coordinate_error"].values[free]
    variables = {
        "error": ("parameter", fit["error"].values[free], about("standard error now, in the unit of each parameter")),
        "expected_error": (("candidate", "parameter"), expected * slopes, about("expected standard error")),
        "ratio": (("candidate", "parameter"), ratio, about("expected error over the present error")),
        "points": ("candidate", points, about("measured points")),
    }
    coords = {"candidate": list(candidates), "parameter": names, "unit": ("parameter", fit["unit"].values[free])}
    return xr.Dataset(
        variables, coords,
        {"title": "expected errors", "uncertainty": sigma, "failed": "\n".join(failed), "warnings": fit.attrs["warnings"]},
    )  # fmt: skip


def jacobian(fit: xr.Dataset, changes: Mapping[str, Any], sigma: float, workers: int) -> np.ndarray:
    """Derivatives (point, parameter) of the residuals of a future measurement, by the coordinates of a fit.

    A run of the case with the fitted values gives the numbers that the measurement would give. If the task of the
    measurement has no other run, this run also is the run at the solution, whose time steps the runs nearby take.
    """
    changes = dict(changes)
    case = driven(fitted_case(fit), changes.pop("drive", None), changes)
    lean: dict[str, Any] = {} if takes_trail(case) else {"numerics.rtol": min(SMOOTH, case.numerics.rtol)}
    if isinstance(case.drive, Prepared):
        lean = QUIET | lean | {"drive.temperatures": []}
    elif case.waveform().read_count:
        lean = QUIET | lean
    case = case.replace(lean)  # records no more than a fit compares
    trail = Trail()
    ds = simulate(case, trail=trail)
    moving, x, tolerance = parameters_of(fit), fit["coordinate"].values, {"numerics.rtol": case.numerics.rtol}
    future = task(case, measurements(case, ds, sigma), [p.key for p in moving if p.data in (None, 0)])
    future = replace(
        future,
        runs=tuple(run._replace(case=run.case.replace(tolerance)) for run in future.runs),
        parameters=tuple(p._replace(data=None if p.data in (None, 0) else p.data) for p in moving),
    )
    with evaluator(future, workers) as evaluate:
        if [run.case for run in future.runs] == [case]:
            values = scaled_values(future.runs[0], case, ds)
            evaluate.keep_steps(x, [trail.steps])
        else:
            values = evaluate([x])[0]
        measured = gradient(evaluate, x, values, np.nan, None)
        if not (measured.error < SURE).all():
            measured = gradient(evaluate, x, values, measured.noise, measured.slopes)
        return np.asarray(measured.slopes / future.sigma[:, None])


def measurements(case: Case, ds: xr.Dataset, sigma: float) -> Sequence[Data]:
    """Data sets that a measurement of this run would give: its reads, its curves, or the current at even times."""
    if "bias" in ds.dims:
        name, measured = ("capacitance",) * 2 if "capacitance" in ds else ("bias_current", "current")
        first = ds[name].isel({dim: 0 for dim in ds[name].dims if dim not in ("state", "bias")})
        sets = []
        for state in map(str, ds["state"].values):
            values = first.sel(state=state).values
            rows = np.column_stack((ds["bias"].values, values, sigma * np.abs(values)))[values != 0].T
            sets.append(
                Data(dict(zip(("voltage", measured, f"{measured}_uncertainty"), rows, strict=True)), state=state)
            )
        return sets
    if ds.sizes.get("read"):
        R = ds["read_resistance"].values
        return [
            Data({"number": np.arange(1, len(R) + 1), "resistance": R, "resistance_uncertainty": sigma * np.abs(R)})
        ]
    inside = np.linspace(0, ds["time"].values[-1], SAMPLES + 1)[1:]
    current = np.interp(inside, ds["time"].values, ds["current"].values)
    return [Data({"time": inside, "current": current, "current_uncertainty": sigma * np.abs(current)})]
