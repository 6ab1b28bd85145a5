"""Fit parameters of a case to measured data. The result is a Dataset of parameters with errors, correlations, data next to
the fit and provenance; a table of text, JSON, and a case file that can be run.

While a search goes on, its best set is kept in a hidden checkpoint next to the result. The three files of an earlier fit of
the same name, Dataset, fitted case and picture, are replaced at the end, together.

Dimensions: `parameter`; `other`, the same parameters, for matrices; `point`, the points of all data in order;
`evaluation` of a global search; `visit` of an unfinished search. The `coordinate` of a parameter is the logarithm of
its value over the start, or its distance from the start in natural steps.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case, changed_case, parse_case
from otjdd.case.document import shipped_cases
from otjdd.case.problem import dotted
from otjdd.errors import ResultError
from otjdd.fitting import covariance, least_squares
from otjdd.fitting.covariance import Errors
from otjdd.fitting.curves import Scale
from otjdd.fitting.least_squares import SearchProgress, Solution, cost
from otjdd.fitting.parameters import Parameter
from otjdd.fitting.search import SearchSettings, evaluator, now_and_then, visits, visits_of
from otjdd.fitting.task import Data, Task, data_of, task, vary_of
from otjdd.results import store
from otjdd.results.outputs import about
from otjdd.results.store import provenance
from otjdd.results.summary import finite_or_none
from otjdd.solver.checkpoint import AFRESH, checkpoint_path
from otjdd.system import sources
from otjdd.system.late import xr

DIGITS = 9  # significant digits of values in a case file


def fit_dataset(task: Task, solution: Solution, errors: Errors | None, scores: Sequence[float] = ()) -> xr.Dataset:
    """Dataset of a fit. errors : its errors, None for an unfinished fit   scores : of its global search"""
    moving, count = task.parameters, len(task.parameters)
    slopes = np.array([p.slope(x) for p, x in zip(moving, solution.x, strict=True)])
    error = errors.error if errors else np.full(count, np.nan)
    names, units = [p.name for p in moving], [p.unit for p in moving]
    coords = {
        "parameter": ("parameter", names, about("key of the case")),
        "other": ("other", names, about("key of the case")),
        "unit": ("parameter", units, about("unit of value and error")),
    }
    rows = {
        "value": (
            [p.value(x) for p, x in zip(moving, solution.x, strict=True)],
            "value, in the unit of each parameter",
        ),
        "error": (error * slopes, "standard error, in the unit of each parameter"),
        "start": ([p.start for p in moving], "value to start from, in the unit of each parameter"),
        "low": ([p.low for p in moving], "lower bound, in the unit of each parameter"),
        "high": ([p.high for p in moving], "upper bound, in the unit of each parameter"),
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
    if scores:
        variables["search_score"] = "evaluation", np.array(scores), about("score of a place of the global search")
    ds = xr.Dataset(variables | point_variables(task, solution), coords)
    return ds.assign_attrs(fit_attributes(task, solution, errors))


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
        "residual": (task.residuals(solution.values), "residual in units of the uncertainty"),
    }
    return {name: ("point", np.asarray(values), about(words)) for name, (values, words) in rows.items()}


def fit_attributes(task: Task, solution: Solution, errors: Errors | None) -> dict[str, Any]:
    """Attributes of a fit: its quality, its counts, its curves and parameters as JSON, and provenance."""
    curves = [{"label": c.label, "data": c.data, "quantity": c.quantity, "axis": c.axis, "scale": list(c.scale),
               "uncertainty": c.uncertainty, "magnitude": int(c.magnitude)} for c in task.curves]  # fmt: skip
    moving = [p._asdict() | {"low": str(p.low), "high": str(p.high)} for p in task.parameters]
    attributes = {
        **store.format_attributes("fit"),
        "chi_square": solution.chi_square(task),
        "cost": cost(task, solution.values),
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
    if not store.is_of_kind(ds, "fit"):
        raise ValueError("this is no fit: `otjdd fit` makes one")
    rows = json.loads(ds.attrs["parameters"])
    return tuple(Parameter(**row | {"low": float(row["low"]), "high": float(row["high"])}) for row in rows)


SHAPES = {
    **dict.fromkeys(("value", "error", "start", "low", "high", "coordinate", "coordinate_error"), ("parameter",)),
    **dict.fromkeys(("curve", "axis_value", "measured", "fitted", "uncertainty", "residual"), ("point",)),
    **dict.fromkeys(("covariance", "correlation"), ("parameter", "other")), "jacobian": ("point", "parameter"),
    "search_score": ("evaluation",), "visited_point": ("visit", "parameter"), "visited_values": ("visit", "point"),
    "sample": ("draw", "parameter"),
}  # fmt: skip
OPTIONAL = {"covariance", "correlation", "jacobian", "search_score", "visited_point", "visited_values", "sample"}
NEEDED = (  # attributes
    "title", "warnings", "case_resolved", "ended", "solver_noise", "evaluations", "jacobians", "chi_square",
)  # fmt: skip


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
    """Raise ResultError for a fit of another version, with missing parts or parts that do not belong together."""
    store.check_kind(ds, os.fspath(path), "fit", "fit again")
    try:
        moving, curves = parameters_of(ds), curves_of(ds)
        if not np.isfinite([error_factor(ds), *(parameter.start for parameter in moving)]).any():
            raise ValueError("no number is finite")
        for name, dims in SHAPES.items():
            if name in ds or name not in OPTIONAL:
                variable = ds[name]
                if variable.dims != dims or variable.dtype.kind not in "fiu":
                    own = ", ".join(map(str, variable.dims)) or "no dimension"
                    raise ValueError(f"{name} is of {own} and {variable.dtype}")
        if list(map(str, ds["parameter"].values)) != [parameter.name for parameter in moving] or "unit" not in ds:
            raise ValueError("its parameters do not match its rows")
        if not set(ds["curve"].values.tolist()) <= set(range(len(curves))):
            raise ValueError("points of a curve that there is not")
        for name in NEEDED:
            ds.attrs[name]
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        words = " ".join(str(error.args[0] if error.args else error).split())[:100]
        raise ResultError(os.fspath(path), f"is no whole fit: {words}", "fit again") from error


def error_factor(ds: xr.Dataset) -> float:
    """Factor of the inverse of J^T J in the covariance of a fit: the reduced chi-square, Huber's factor, or 1."""
    scaled = float(ds.attrs["reduced_chi_square"]) if ds.attrs["errors_scaled"] else 1.0
    return float(ds.attrs.get("errors_spread", scaled))


def curves_of(ds: xr.Dataset) -> list[dict[str, Any]]:
    """Curves of a fit: label, quantity, axis, scale, origin of the uncertainty."""
    return [curve | {"scale": Scale(*curve["scale"])} for curve in json.loads(ds.attrs["curves"])]


def parameter_table(ds: xr.Dataset) -> str:
    """Table of the parameters of a fit with their errors, its chi-square, its warnings and its outliers."""
    rows = [("parameter", "value", "error", "start", "")]
    for fitted in fitted_parameters(ds):
        parameter, remark = fitted.parameter, "at bound" if fitted.at_bound else ""
        rows.append((parameter.name, *fitted.texts, str(parameter.text(parameter.start, 4)), remark))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(f"{cell:{w}}" for cell, w in zip(row, (*widths, 0), strict=True)).rstrip() for row in rows]
    about = ds.attrs
    scaled = ", errors multiplied by its root" if about["errors_scaled"] else ""
    reduced = about["reduced_chi_square"]
    misfit = f"reduced chi-square {reduced:.4g}{scaled}"
    if not math.isfinite(reduced):  # of a fit that was ended, or with no more points than parameters
        misfit = f"chi-square {about['chi_square'] / ds.sizes['point']:.4g} per point"
    lines += ["", f"{misfit}; {about['evaluations']} evaluations, {about['jacobians']} Jacobians; {about['ended']}"]
    lines += about["warnings"].splitlines()
    if outliers := about.get("outliers", "").splitlines():
        lines.append(f"outliers: {len(outliers)}, loss {about.get('loss', 'linear')}")
        lines += [f"  {line}" for line in outliers]
    return "\n".join(lines)


class FittedParameter(NamedTuple):
    """A parameter with its value and its error [SI], nan without one. at_bound : True if the bound was met"""

    parameter: Parameter
    value: float
    error: float
    at_bound: bool

    @property
    def texts(self) -> tuple[str, str]:
        """Value and error as text: two digits of the error, and the value to the same place."""
        value, error, text = self.value, self.error, self.parameter.text
        if not (math.isfinite(error) and error > 0):
            return str(text(value, 4)), "none"
        digits = max(2, 2 + math.floor(math.log10(abs(value))) - math.floor(math.log10(error))) if value else 2
        return str(text(value, min(digits, 12))), str(text(error, 2))


def fitted_parameters(ds: xr.Dataset) -> list[FittedParameter]:
    """Parameters of a fit with their values, in order."""
    columns = (ds[name].values.tolist() for name in ("value", "error", "at_bound"))
    return [FittedParameter(p, v, e, bool(b)) for p, v, e, b in zip(parameters_of(ds), *columns, strict=True)]


def as_json(ds: xr.Dataset) -> dict[str, Any]:
    """The numbers of a fit, SI and eV; None where there is no number."""
    names, units = ([str(text) for text in ds[name].values] for name in ("parameter", "unit"))
    correlation = ds["correlation"].values if "correlation" in ds else np.zeros((len(names),) * 2)
    return {
        "parameters": {
            name: {"value": p.value, "unit": unit, "error": finite_or_none(p.error), "at_bound": p.at_bound}
            for name, unit, p in zip(names, units, fitted_parameters(ds), strict=True)
        },
        "reduced_chi_square": finite_or_none(ds.attrs["reduced_chi_square"]),
        "correlations": {a: {b: float(correlation[i, j]) for j, b in enumerate(names)} for i, a in enumerate(names)},
        "evaluations": int(ds.attrs["evaluations"]),
        "jacobians": int(ds.attrs["jacobians"]),
        "loss": ds.attrs.get("loss", "linear"),
        "warnings": ds.attrs["warnings"].splitlines(),
        "outliers": ds.attrs.get("outliers", "").splitlines(),
    }


def fitted_case(ds: xr.Dataset, digits: int = 17) -> Case:
    """The case with the values of a fit, of its first data set. Raises ValueError."""
    case = parse_case(ds.attrs["case_resolved"], allow_outside=True)
    own = [p for p in fitted_parameters(ds) if p.parameter.data in (None, 0)]
    return case.replace({p.parameter.key: float(f"{p.value:.{digits}g}") for p in own})


def case_text(ds: xr.Dataset, base: str | None, below: Case | None = None) -> str:
    """Case file of a fit, with the errors as comments.

    base : name of the fitted case, a file next to this one or a shipped case; None to write the whole case
    below : the case of that name, from which only differences are written
    """
    head = [f"# {ds.attrs['title']}: reduced chi-square {ds.attrs['reduced_chi_square']:.4g}"]
    head += [f"# {line}" for line in ds.attrs["warnings"].splitlines()]
    of_keys: dict[str, list[str]] = {}
    for fitted in fitted_parameters(ds):
        (value, error), data = fitted.texts, fitted.parameter.data
        where = "" if data is None else f"data set {data + 1}: {value}, "
        bound = ", at its bound" if fitted.at_bound else ""
        of_keys.setdefault(fitted.parameter.key, []).append(f"{where}standard error {error}{bound}")
    case, comments = fitted_case(ds, digits=DIGITS), {key: "; ".join(texts) for key, texts in of_keys.items()}
    if base is None or below is None:
        notes = [f"# {key} = {comment}" for key, comment in comments.items()]
        return "\n".join([*head, *notes]) + "\n\n" + toml_text.write(case.plain())
    title = toml_text.toml_value(ds.attrs["title"][:200])
    lines = [*head, f"base = {toml_text.toml_value(base)}", f"title = {title}", ""]
    for key, changed in case_differences(below.without_study().plain(), case.plain()):
        if key != "title":
            comment = f"  # {comments.pop(key)}" if key in comments else ""
            lines.append(f"{key} = {toml_text.toml_value(changed)}{comment}")
    # Comments remain for values in a list, such as kinds of columns, and for values that did not change.
    lines += [f"# {key}: {comment}" for key, comment in comments.items()]
    return "\n".join(lines) + "\n"


def case_differences(
    below: dict[str, Any], above: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of each difference of `above` from `below`; a table of another kind or law as a whole."""
    for name, value in above.items():
        place, old = (*path, name), below.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            alike = all(value.get(switch) == old.get(switch) for switch in ("kind", "law"))
            if alike and set(value) >= set(old):
                yield from case_differences(old, value, place)
                continue
        if value != old:
            yield dotted(place), value


def base_of(case: Path, out: Path) -> str | None:
    """Name of a case as `base` of a case file next to `out`; None for a case in a folder that `base` cannot name."""
    beside = case.resolve().parent in (shipped_cases().resolve(), out.resolve().parent)
    return case.name if beside else None


MOST_VISITED = 5_000_000  # numbers of an unfinished search that are stored; beyond, it is resumed from its best set


def fit(
    data: Any,
    case: Case | str | os.PathLike[str],
    vary: Mapping[str, Any] | Sequence[str] = (),
    *,
    changes: Mapping[str, Any] | None = None,
    noise: str | float | None = None,
    loss: str = "",
    workers: int = 1,
    evaluations: int = 0,
    seed: int = 1,
    start: Mapping[str, float] | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
) -> xr.Dataset:
    """Fit parameters of a case to measured data, by bounded least squares.

    data : a file, a mapping of arrays by name, a DataFrame, a Dataset or a `Data`; or a list of them. None for the data
        of the [fit] of the case
    vary : keys of the case; or key -> (low, high), None for the limits of the key. Empty: from the [fit]
    changes : of the case, by dotted key   workers : processes   seed : of the global search
    noise : of the instrument, "1 pA" or SI, which adds to the relative uncertainty. None: estimated from the data
    loss : "linear", or robust against outliers: "soft-l1", "huber", "cauchy", "arctan". Empty: from the [fit]
    evaluations : of a global search over the bounds before the local one; 0 for none
    start : name -> value [SI] to start from, instead of the values of the case
    progress : called with a SearchProgress after the evaluation of each place
    Returns a Dataset: value, error and correlation by parameter, measured and fitted by point; see `otjdd.figure`.
    Raises DataError, with file, line and column, and CaseError before anything is simulated; SolverError; OSError.
    A KeyboardInterrupt has the Dataset of the best set so far as its attribute `partial`.
    """
    case = changed_case(case, changes, {})
    listed = list(data) if isinstance(data, list | tuple) and not isinstance(data, Data) else [data]
    sets = [measured if isinstance(measured, Data) else Data(measured) for measured in listed]
    sets = data_of(case) if data is None else sets
    fit_task = task(case, sets, vary or vary_of(case), loss, noise)
    return solved(fit_task, workers=workers, evaluations=evaluations, seed=seed, start=start, progress=progress)


FILLING = 0.5  # of the evaluations of a global search, at places that fill the bounds evenly


def solved(
    fit_task: Task, *, workers: int = 1, evaluations: int = 0, seed: int = 1, start: Mapping[str, float] | None = None,
    progress: Callable[[SearchProgress], object] | None = None, visited: Mapping[bytes, np.ndarray] | None = None,
    searched: bool = False,
) -> xr.Dataset:  # fmt: skip
    """Dataset of the fit of a task. Arguments as of `fit`.

    visited : of an interrupted search, to resume it, see `search.visits_of`; it takes the same path, bit for bit
    searched : True if `start` is from a global search that has ended, which is not repeated
    """
    begin = np.array([p.coordinate((start or {}).get(p.name, p.start)) for p in fit_task.parameters])
    settings = SearchSettings(0 if searched else evaluations, FILLING, seed=seed)
    try:
        with evaluator(fit_task, workers, dict(visited or {})) as evaluate:
            solution, scores = least_squares.least_squares_search(evaluate, begin, settings, progress)
    except KeyboardInterrupt as error:
        if latest := getattr(error, "partial", None):
            error.partial = so_far(fit_task, latest, evaluations, seed, "interrupted")  # type: ignore[attr-defined]
        raise
    ds = fit_dataset(fit_task, solution, covariance.standard_errors(fit_task, solution), scores)
    return ds.assign_attrs(search=fingerprint(fit_task, evaluations, seed))


def fingerprint(fit_task: Task, evaluations: int, seed: int) -> str:
    """sha256 of all that the places of a search and the numbers there depend on, the sources of otjdd among them."""
    runs = [run.case.digest for run in fit_task.runs]
    inputs = repr((sources.digest(), runs, fit_task.parameters, fit_task.loss, evaluations, seed)).encode()
    return hashlib.sha256(inputs + fit_task.aims.tobytes() + fit_task.sigma.tobytes()).hexdigest()


def so_far(fit_task: Task, at: SearchProgress, evaluations: int, seed: int, reason: str = "not ended") -> xr.Dataset:
    """Dataset of the best set of a search that is not finished, without errors. evaluations, seed : as of `fit`"""
    solution = Solution(at.x, at.values, None, np.nan, at.evaluations, at.jacobians, reason)
    ds = fit_dataset(fit_task, solution, None).assign_attrs(search=fingerprint(fit_task, evaluations, seed))
    few = 0 < len(at.visited) * ds.sizes["point"] <= MOST_VISITED
    return ds.assign(visits(at.visited, "point")) if few else ds


def files_beside(out: Path) -> tuple[Path, Path]:
    """Paths of the fitted case and of the picture of a fit."""
    return out.with_suffix(".toml"), out.with_suffix(".png")


def searched_fit(task: Task, out: Path, progress: Callable[[SearchProgress], object], **options: Any) -> xr.Dataset:
    """Dataset of a fit. During the search the best set so far is written to the checkpoint of `out`.

    options : of `otjdd.fitting.fit.solved`
    Raises SolverError, DataError, ResultError; KeyboardInterrupt with the best set as its `partial`.
    """

    def write(at: SearchProgress) -> None:
        store.write(so_far(task, at, options["evaluations"], options["seed"]), checkpoint_path(out))

    return solved(task, progress=now_and_then(write, progress), **options)


def resumed(path: Path, task: Task, evaluations: int, seed: int) -> dict[str, Any]:
    """Arguments of `searched_fit` that continue the fit in a file: its best set, and the places already visited.

    Raises ResultError when the file holds another fit.
    """
    ds = read_fit(path)
    names = [parameter.name for parameter in task.parameters]
    if "fit" not in ds.attrs or sorted(map(str, ds["parameter"].values)) != sorted(names):
        raise ResultError(path, f"is no fit of {', '.join(names)}", AFRESH)
    same = ds.attrs.get("search") == fingerprint(task, evaluations, seed)
    best = {str(name): float(value) for name, value in zip(ds["parameter"].values, ds["value"].values, strict=True)}
    return {"start": best, "visited": visits_of(ds) if same else {}, "searched": same and "covariance" in ds}
