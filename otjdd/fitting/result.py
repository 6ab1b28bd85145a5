"""The result of a fit as a Dataset: parameters with errors, correlations, data beside the fit, provenance.

Dimensions: `parameter`; `other`, the same parameters, for matrices; `point`, the points of all data in order;
`evaluation` of a global search; `visit` of an unfinished local search. The `coordinate` of a parameter is the logarithm of
its value over the start, or its distance from the start in natural steps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.errors import ResultError
from otjdd.fitting.covariance import Errors
from otjdd.fitting.curves import MeasuredCurve
from otjdd.fitting.least_squares import Solution
from otjdd.fitting.parameters import Parameter
from otjdd.fitting.scales import Scale
from otjdd.fitting.task import Task
from otjdd.results import store
from otjdd.results.provenance import provenance

if TYPE_CHECKING:
    import xarray as xr

KIND = "otjdd fit"
VERSION = 2
MOST_VISITED = 5_000_000  # most numbers of an unfinished search that are stored


def fit_dataset(task: Task, solution: Solution, errors: Errors | None) -> xr.Dataset:
    """Dataset of a fit. errors : its errors, None for an unfinished fit"""
    import xarray as xr

    values = np.array([p.value(x) for p, x in zip(task.parameters, solution.x, strict=True)])
    slopes = np.array([p.slope(x) for p, x in zip(task.parameters, solution.x, strict=True)])
    count = len(values)
    error = errors.error if errors else np.full(count, np.nan)
    coords = {
        "parameter": ("parameter", [p.name for p in task.parameters], {"units": "1", "long_name": "key of the case"}),
        "other": ("other", [p.name for p in task.parameters], {"units": "1", "long_name": "key of the case"}),
        "unit": (
            "parameter",
            [p.unit for p in task.parameters],
            {"units": "1", "long_name": "unit of value and error"},
        ),
    }
    rows = {
        "value": (values, "value, in the unit of each parameter"),
        "error": (error * slopes, "standard error, in the unit of each parameter"),
        "start": ([p.start for p in task.parameters], "value to start from, in the unit of each parameter"),
        "low": ([p.low for p in task.parameters], "lower bound, in the unit of each parameter"),
        "high": ([p.high for p in task.parameters], "upper bound, in the unit of each parameter"),
        "at_bound": (errors.at_bound.astype(float) if errors else np.zeros(count), "1 where the bound was met"),
        "coordinate": (solution.x, "coordinate of the search"),
        "coordinate_error": (error, "standard error of the coordinate"),
    }
    variables: dict[str, tuple[Any, ...]] = {
        name: ("parameter", np.asarray(v, dtype=float), about(words)) for name, (v, words) in rows.items()
    }
    if errors and solution.gradient:
        pair = ("parameter", "other")
        variables["covariance"] = (pair, errors.covariance, about("covariance of the coordinates"))
        variables["correlation"] = (pair, errors.correlation, about("correlation"))
        J = solution.gradient.slopes / task.sigma[:, None]
        variables["jacobian"] = (("point", "parameter"), J, about("derivative of the residual by the coordinate"))
    if solution.scores:
        variables["search_score"] = (
            "evaluation",
            np.array(solution.scores),
            about("score of a place of the global search"),
        )
    ds = xr.Dataset(variables | point_variables(task, solution), coords)
    return ds.assign_attrs(fit_attributes(task, solution, errors))


def with_visited(ds: xr.Dataset, visited: Mapping[bytes, np.ndarray]) -> xr.Dataset:
    """An unfinished fit with the places (visit, parameter) of its local search and the numbers (visit, point) there.

    More than MOST_VISITED numbers are left out; such a fit is resumed from its best set.
    """
    if not visited or len(visited) * ds.sizes["point"] > MOST_VISITED:
        return ds
    places = np.array([np.frombuffer(place) for place in visited])
    return ds.assign(
        visited_place=(("visit", "parameter"), places, about("coordinates at which the search has simulated")),
        visited_values=(("visit", "point"), np.array(list(visited.values())), about("numbers there, on their scales")),
    )


def visited_of(ds: xr.Dataset) -> dict[bytes, np.ndarray]:
    """Bytes of a place -> numbers (point,) there, of an unfinished local search; {} if none are stored."""
    if "visited_place" not in ds:
        return {}
    rows = zip(ds["visited_place"].values, ds["visited_values"].values, strict=True)
    return {np.ascontiguousarray(place).tobytes(): values for place, values in rows}


def about(words: str, unit: str = "1") -> dict[str, str]:
    """Attributes of a variable."""
    return {"units": unit, "long_name": words}


def point_variables(task: Task, solution: Solution) -> dict[str, tuple[Any, ...]]:
    """Variables (point,) of the data and the fit. Units differ from curve to curve; the attribute `curves` has them."""
    curves = task.curves
    ends = np.cumsum([len(curve.y) for curve in curves])[:-1]
    fitted = [curve.scale.inverse(part) for curve, part in zip(curves, np.split(solution.values, ends), strict=True)]
    signs = [np.sign(curve.y) if curve.scale.kind == "log" else 1.0 for curve in curves]
    rows = {
        "curve": (np.repeat(np.arange(len(curves)), [len(c.y) for c in curves]), "number of the curve, see curves"),
        "line": (np.concatenate([c.lines for c in curves]), "line of the file"),
        "axis_value": (np.concatenate([c.x for c in curves]), "where it was measured, in the unit of the axis"),
        "measured": (np.concatenate([c.y for c in curves]), "measured number"),
        "fitted": (np.concatenate([f * s for f, s in zip(fitted, signs, strict=True)]), "number of the fit"),
        "uncertainty": (task.sigma, "uncertainty on the scale of comparison"),
        "residual": (solution.residuals(task), "residual in units of the uncertainty"),
    }
    return {name: ("point", np.asarray(values), about(words)) for name, (values, words) in rows.items()}


def fit_attributes(task: Task, solution: Solution, errors: Errors | None) -> dict[str, Any]:
    """Attributes of a fit: its quality, its counts, its curves and parameters as JSON, and provenance."""
    curves = [{"label": c.label, "data": c.data, "quantity": c.quantity, "axis": c.axis, "scale": list(c.scale),
               "uncertainty": c.uncertainty, "magnitude": int(c.magnitude)} for c in task.curves]  # fmt: skip
    moving = [p._asdict() | {"low": str(p.low), "high": str(p.high)} for p in task.parameters]
    attributes = {
        "fit": KIND,
        "fit_version": VERSION,
        "chi_square": solution.chi_square(task),
        "cost": solution.cost(task),
        "loss": task.loss,
        "reduced_chi_square": errors.reduced if errors else float("nan"),
        "errors_scaled": int(errors.scaled) if errors else 0,
        "errors_spread": errors.spread if errors else float("nan"),
        "solver_noise": solution.noise,
        "evaluations": solution.evaluations,
        "jacobians": solution.jacobians,
        "ended": solution.reason,
        "curves": json.dumps(curves),
        "parameters": json.dumps(moving),
        "notes": "\n".join(task.notes),
        "warnings": "\n".join(errors.warnings) if errors else "",
        "outliers": "\n".join(errors.outliers) if errors else "",
    }
    return provenance(task.case.source, task.case.resolved(), title=f"fit of {task.case.title}") | attributes


def parameters_of(ds: xr.Dataset) -> tuple[Parameter, ...]:
    """Parameters of a fit. Raises ValueError for a Dataset that is no fit."""
    if ds.attrs.get("fit") != KIND:
        raise ValueError("this is no fit: `otjdd fit` makes one")
    rows = json.loads(ds.attrs["parameters"])
    return tuple(Parameter(**row | {"low": float(row["low"]), "high": float(row["high"])}) for row in rows)


SHAPES = {
    **dict.fromkeys(("value", "error", "start", "low", "high", "coordinate", "coordinate_error"), ("parameter",)),
    **dict.fromkeys(("curve", "axis_value", "measured", "fitted", "uncertainty", "residual"), ("point",)),
    **dict.fromkeys(("covariance", "correlation"), ("parameter", "other")), "jacobian": ("point", "parameter"),
    "search_score": ("evaluation",), "visited_place": ("visit", "parameter"), "visited_values": ("visit", "point"),
    "sample": ("draw", "parameter"),
}  # fmt: skip
OPTIONAL = {"covariance", "correlation", "jacobian", "search_score", "visited_place", "visited_values", "sample"}


def read_fit(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a fit. Raises ResultError.

    The seal of a file reveals damage, but not a file that was never a fit, so the parts of a fit are checked. A file of
    another kind of result is returned unchecked, for the caller to refuse.
    """
    ds = store.read(os.fspath(path))
    if "fit" in ds.attrs:
        check_parts(ds, path)
    return ds


def check_parts(ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Raise ResultError for a fit with missing parts or parts that do not belong together."""
    try:
        moving, curves = parameters_of(ds), curves_of(ds)
        if not np.isfinite([spread_of(ds), *(parameter.start for parameter in moving)]).any():
            raise ValueError("no number is finite")
        for name, dims in SHAPES.items():
            if name in ds or name not in OPTIONAL:
                variable = ds[name]
                if variable.dims != dims or variable.dtype.kind not in "fiu":
                    raise ValueError(
                        f"{name} is of {', '.join(map(str, variable.dims)) or 'no dimension'} and {variable.dtype}"
                    )
        if [str(name) for name in ds["parameter"].values] != [
            parameter.name for parameter in moving
        ] or "unit" not in ds:
            raise ValueError("its parameters are not those of its rows")
        if not set(ds["curve"].values.tolist()) <= set(range(len(curves))):
            raise ValueError("points of a curve that there is not")
        for name in (
            "title",
            "warnings",
            "case_resolved",
            "ended",
            "solver_noise",
            "evaluations",
            "jacobians",
            "chi_square",
        ):
            ds.attrs[name]
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        words = " ".join(str(error.args[0] if error.args else error).split())[:100]
        raise ResultError(os.fspath(path), f"is no whole fit: {words}", "fit again") from error


def spread_of(ds: xr.Dataset) -> float:
    """Factor of the inverse of J^T J in the covariance of a fit: the reduced chi-square, Huber's factor, or 1."""
    scaled = float(ds.attrs["reduced_chi_square"]) if ds.attrs["errors_scaled"] else 1.0
    return float(ds.attrs.get("errors_spread", scaled))


def curves_of(ds: xr.Dataset) -> list[dict[str, Any]]:
    """Curves of a fit: label, quantity, axis, scale, origin of the uncertainty."""
    return [curve | {"scale": Scale(*curve["scale"])} for curve in json.loads(ds.attrs["curves"])]


__all__ = ["MeasuredCurve", "check_parts", "curves_of", "fit_dataset", "parameters_of", "read_fit", "spread_of"]
