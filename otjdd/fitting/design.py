"""Design of the next measurement: expected errors of a fit with data of another drive or temperature.

The expected information of a measurement is J^T J of its derivatives at the fitted values, with the uncertainty of the
existing data. It adds to the information of the fit (A. C. Atkinson, A. N. Donev, Optimum Experimental Designs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from otjdd.case.case import Case
from otjdd.case.drive_curves import Prepared
from otjdd.errors import CaseError, SolverError
from otjdd.fitting.covariance import inverse_information
from otjdd.fitting.curves import scaled_values
from otjdd.fitting.fit import curves_of, error_factor, fitted_case, parameters_of
from otjdd.fitting.least_squares import SURE, gradient
from otjdd.fitting.prediction import driven
from otjdd.fitting.search import evaluator, takes_trail
from otjdd.fitting.task import QUIET, SMOOTH, Data, task
from otjdd.results.outputs import about
from otjdd.runs.run import simulate
from otjdd.solver.start import Trail
from otjdd.system.late import xr

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
        name = "capacitance" if "capacitance" in ds else "bias_current"
        return [curve_of_state(ds, name, state, sigma) for state in ds["state"].values]
    if ds.sizes.get("read"):
        R = ds["read_resistance"].values
        return [
            Data({"number": np.arange(1, len(R) + 1), "resistance": R, "resistance_uncertainty": sigma * np.abs(R)})
        ]
    inside = np.linspace(0, ds["time"].values[-1], SAMPLES + 1)[1:]
    current = np.interp(inside, ds["time"].values, ds["current"].values)
    return [Data({"time": inside, "current": current, "current_uncertainty": sigma * np.abs(current)})]


def curve_of_state(ds: xr.Dataset, name: str, state: str, sigma: float) -> Data:
    """Data set of one state of curves at frozen ions, at the first temperature and frequency."""
    chosen = ds.sel(state=state)
    values = chosen[name].isel({dim: 0 for dim in chosen[name].dims if dim != "bias"}).values
    driven = values != 0
    quantity = "capacitance" if name == "capacitance" else "current"
    arrays = {"voltage": ds["bias"].values, quantity: values, f"{quantity}_uncertainty": sigma * np.abs(values)}
    return Data({key: array[driven] for key, array in arrays.items()}, state=str(state))
