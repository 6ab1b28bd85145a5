"""Predictions for a fitted device under another drive, with a band from the errors of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.case import Case, load_case
from otjdd.errors import CaseError, SolverError
from otjdd.fitting.report import fitted_case
from otjdd.fitting.result import parameters_of
from otjdd.runs.run import simulate
from otjdd.system.pool import team

if TYPE_CHECKING:
    import xarray as xr

LEVELS = (2.5, 16.0, 50.0, 84.0, 97.5)  # percentiles: median, one and two standard deviations of a normal distribution
COUNT = 100  # draws
PREDICTION = "prediction"  # attribute that marks a prediction
FAILED = 0.2  # share of draws whose run fails, beyond which nothing is predicted


def predict(
    fit: xr.Dataset, drive: Any = None, *, changes: Mapping[str, Any] | None = None, count: int = COUNT,
    levels: Sequence[float] = LEVELS, seed: int = 1, workers: int = 1,
) -> xr.Dataset:  # fmt: skip
    """Percentiles of the outputs of a drive over draws of the parameters of a fit.

    fit : Dataset of `otjdd.fit`   drive : a table of a drive; or a case or the name of one, whose drive is taken; None for
        the drive of the fit
    changes : of the fitted case, by dotted key: {"temperature": "350 K"}   levels : an odd number of percentiles
    count : draws from the samples of the posterior if the fit has them, else from the covariance
    Returns a Dataset of the outputs over reads, bias or time, with `percentile` as first dimension and the attributes of
    the run of the best set. `failed_draws` counts draws whose run failed. Raises CaseError, SolverError, ValueError.
    """
    if not 0 < min(levels) <= max(levels) < 100 or sorted(levels) != list(levels) or len(levels) % 2 == 0:
        raise ValueError(f"expected an odd number of percentiles between 0 and 100, in order, got {levels}")
    case = driven(fitted_case(fit), drive, changes or {})
    moving = [p for p in parameters_of(fit) if p.data in (None, 0)]
    places = draws(fit, count, seed)
    index = [i for i, p in enumerate(parameters_of(fit)) if p.data in (None, 0)]
    sets = [{p.key: p.value(place[i]) for p, i in zip(moving, index, strict=True)} for place in places]
    best = simulate(case)
    with team(workers) as compute:
        runs = [ds for _, ds in compute(outputs, [(case, values) for values in sets]) if ds is not None]
    failed = count - len(runs)
    if failed > FAILED * count:
        raise ValueError(f"{failed} of {count} draws have no run: the errors reach beyond what can be simulated")
    about = {PREDICTION: f"{count} draws of {fit.attrs['title']}", "failed_draws": failed, "draws": count}
    return percentiles(best, runs, levels).assign_attrs(about)


def words(ds: xr.Dataset) -> str:
    """A prediction in words: the range of its main output in the median, and the largest width of its band."""
    name = main(ds)
    if name is None:
        return "nothing to tell of"
    middle, unit = np.abs(ds[name].values[ds.sizes["percentile"] // 2]), ds[name].attrs["units"]
    return f"{name.replace('_', ' ')} {np.nanmin(middle):.4g} to {np.nanmax(middle):.4g} {unit}; {width(ds, name)}"


def width(ds: xr.Dataset, name: str) -> str:
    """Largest width of the band of an output, in words."""
    values = np.abs(ds[name].values)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.maximum(values[-1] / values[0], values[0] / values[-1])
    factor = float(np.nanmax(np.where(values[0] > 0, ratio, np.nan)))
    low, high = ds["percentile"].values[[0, -1]]
    return f"from the {low:g} % to the {high:g} % percentile a factor of {factor:.3g} at most"


def main(ds: xr.Dataset) -> str | None:
    """Name of the main output of a prediction; None without one."""
    return next((name for name in ("read_resistance", "bias_current", "capacitance", "current") if has(ds, name)), None)


def has(ds: xr.Dataset, name: str) -> bool:
    """True if a prediction holds numbers of an output."""
    return name in ds and ds[name].size > 0 and bool(np.isfinite(ds[name].values).any())


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
        raise ValueError("this fit was ended before its errors were known; go on with --resume")
    return np.asarray(rng.multivariate_normal(fit["coordinate"].values, fit["covariance"].values, count, method="eigh"))


def outputs(case: Case, values: dict[str, float]) -> xr.Dataset | None:
    """Dataset of a run with values [SI] by key; None if it fails."""
    try:
        ds: xr.Dataset = simulate(case.replace(values))
    except (SolverError, CaseError, ValueError):
        return None
    return ds


def percentiles(best: xr.Dataset, runs: Sequence[xr.Dataset], levels: Sequence[float]) -> xr.Dataset:
    """Dataset of the percentiles of runs, on the times of the run `best`."""
    import xarray as xr

    names = [str(name) for name in best.data_vars if set(best[name].dims) & {"read", "bias", "time"}]
    variables = {}
    for name in names:
        dims = best[name].dims
        rows = [on_times(ds, name, best["time"].values) if dims == ("time",) else ds[name].values for ds in runs]
        variables[name] = (("percentile", *dims), np.percentile(np.array(rows), levels, axis=0), best[name].attrs)
    about = {"units": "percent", "long_name": "percentile over draws of the parameters"}
    coords = {name: c for name, c in best.coords.items() if set(c.dims) <= {d for n in names for d in best[n].dims}}
    return xr.Dataset(variables, coords | {"percentile": ("percentile", list(levels), about)}, best.attrs)


def on_times(ds: xr.Dataset, name: str, times: np.ndarray) -> np.ndarray:
    """A time series of a run at other times (n,) [s]. Currents are interpolated by their logarithm.

    The first of two equal times, before a jump, takes the value before the jump.
    """
    own, values = ds["time"].values, ds[name].values
    jumps = np.append(times[1:] == times[:-1], False)
    at = np.where(jumps, np.nextafter(times, -np.inf), times)
    straight = np.interp(at, own, values)
    if ds[name].attrs.get("units") != "A":
        return np.asarray(straight)
    left = (
        np.clip(np.searchsorted(own, at, side="right") - 1, 0, len(own) - 2) if len(own) > 1 else np.zeros(len(at), int)
    )
    right = np.minimum(left + 1, len(own) - 1)
    with np.errstate(divide="ignore"):
        curved = np.sign(straight) * np.exp(np.interp(at, own, np.log(np.abs(values))))
    return np.asarray(np.where(values[left] * values[right] > 0, curved, straight))
