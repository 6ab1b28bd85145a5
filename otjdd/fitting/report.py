"""A fit as a table of text, as JSON, and as a case file that can be run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case, parse_case
from otjdd.case.problem import dotted
from otjdd.case.shipped import shipped_cases
from otjdd.fitting.parameters import Parameter
from otjdd.fitting.result import parameters_of

if TYPE_CHECKING:
    import xarray as xr

DIGITS = 9  # significant digits of values in a case file


def parameter_table(ds: xr.Dataset) -> str:
    """Table of the parameters of a fit with their errors, its chi-square, its warnings and its outliers."""
    rows = [("parameter", "value", "error", "start", "")]
    for parameter, row in zip(parameters_of(ds), parameter_rows(ds), strict=True):
        value, error = with_error(parameter, row["value"], row["error"])
        rows.append(
            (
                parameter.name,
                value,
                error,
                str(parameter.text(parameter.start, 4)),
                "at bound" if row["at_bound"] else "",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(f"{cell:{w}}" for cell, w in zip(row, (*widths, 0), strict=True)).rstrip() for row in rows]
    about = ds.attrs
    scaled = ", errors multiplied by its root" if about["errors_scaled"] else ""
    misfit = f"reduced chi-square {about['reduced_chi_square']:.4g}{scaled}"
    if not math.isfinite(
        about["reduced_chi_square"]
    ):  # of a fit that was ended, or with no more points than parameters
        misfit = f"chi-square {about['chi_square'] / ds.sizes['point']:.4g} per point"
    lines += ["", f"{misfit}; {about['evaluations']} evaluations, {about['jacobians']} Jacobians; {about['ended']}"]
    lines += about["warnings"].splitlines()
    if outliers := about.get("outliers", "").splitlines():
        lines += [
            f"outliers: {len(outliers)}" + f", loss {about.get('loss', 'linear')}",
            *(f"  {line}" for line in outliers),
        ]
    return "\n".join(lines)


def parameter_rows(ds: xr.Dataset) -> list[dict[str, Any]]:
    """Value, error and at_bound of each parameter, SI, in order."""
    return [
        {"value": float(v), "error": float(e), "at_bound": bool(b)}
        for v, e, b in zip(ds["value"].values, ds["error"].values, ds["at_bound"].values, strict=True)
    ]


def with_error(parameter: Parameter, value: float, error: float) -> tuple[str, str]:
    """Value and error as text: two digits of the error, and the value to the same place."""
    if not (math.isfinite(error) and error > 0):
        return str(parameter.text(value, 4)), "none"
    digits = max(2, 2 + math.floor(math.log10(abs(value))) - math.floor(math.log10(error))) if value else 2
    return str(parameter.text(value, min(digits, 12))), str(parameter.text(error, 2))


def as_json(ds: xr.Dataset) -> dict[str, Any]:
    """The numbers of a fit, SI and eV; None where there is no number."""
    names = [str(name) for name in ds["parameter"].values]
    units = dict(zip(names, map(str, ds["unit"].values), strict=True))
    rows = dict(zip(names, parameter_rows(ds), strict=True))
    correlation = ds["correlation"].values if "correlation" in ds else np.zeros((len(names),) * 2)
    return {
        "parameters": {
            name: {
                "value": row["value"],
                "unit": units[name],
                "error": number_or_none(row["error"]),
                "at_bound": row["at_bound"],
            }
            for name, row in rows.items()
        },
        "reduced_chi_square": number_or_none(ds.attrs["reduced_chi_square"]),
        "correlations": {a: {b: float(correlation[i, j]) for j, b in enumerate(names)} for i, a in enumerate(names)},
        "evaluations": int(ds.attrs["evaluations"]),
        "jacobians": int(ds.attrs["jacobians"]),
        "loss": ds.attrs.get("loss", "linear"),
        "warnings": ds.attrs["warnings"].splitlines(),
        "outliers": ds.attrs.get("outliers", "").splitlines(),
    }


def number_or_none(value: float) -> float | None:
    """A number for JSON, which has no nan."""
    return float(value) if math.isfinite(value) else None


def fitted_case(ds: xr.Dataset, data: int = 0, digits: int = 17) -> Case:
    """The case with the values of a fit. data : number of the data set whose values are taken. Raises ValueError."""
    case = parse_case(ds.attrs["case_resolved"], allow_outside=True)
    moving = zip(parameters_of(ds), parameter_rows(ds), strict=True)
    return case.replace({p.key: float(f"{row['value']:.{digits}g}") for p, row in moving if p.data in (None, data)})


def case_text(ds: xr.Dataset, base: str | None, below: Case | None = None) -> str:
    """Case file of a fit, with the errors as comments.

    base : name of the fitted case, a file beside this one or a shipped case; None to write the whole case
    below : the case of that name, from which only differences are written
    """
    head = [f"# {ds.attrs['title']}: reduced chi-square {ds.attrs['reduced_chi_square']:.4g}"]
    head += [f"# {line}" for line in ds.attrs["warnings"].splitlines()]
    case, comments = fitted_case(ds, digits=DIGITS), dict(commented(ds))
    if base is None or below is None:
        notes = [f"# {key} = {value}" for key, value in comments.items()]
        return "\n".join([*head, *notes]) + "\n\n" + toml_text.write(case.plain())
    lines = [
        *head,
        f"base = {toml_text.toml_value(base)}",
        f"title = {toml_text.toml_value(ds.attrs['title'][:200])}",
        "",
    ]
    for key, value in differences(below.without_study().plain(), case.plain()):
        if key != "title":
            comment = f"  # {comments.pop(key)}" if key in comments else ""
            lines.append(f"{key} = {toml_text.toml_value(value)}{comment}")
    # Comments remain for values in a list, such as those of kinds of columns, and for values that did not change.
    lines += [f"# {key}: {comment}" for key, comment in comments.items()]
    return "\n".join(lines) + "\n"


def commented(ds: xr.Dataset) -> Iterator[tuple[str, str]]:
    """(key, comment) of each parameter: its error, whether it is at its bound, its values for other data sets."""
    moving = list(zip(parameters_of(ds), parameter_rows(ds), strict=True))
    for key in dict.fromkeys(parameter.key for parameter, _ in moving):
        remarks = []
        for parameter, row in moving:
            if parameter.key == key:
                value, error = with_error(parameter, row["value"], row["error"])
                where = f"data set {parameter.data + 1}: {value}, " if parameter.data is not None else ""
                remarks.append(f"{where}standard error {error}" + (", at its bound" if row["at_bound"] else ""))
        yield key, "; ".join(remarks)


def differences(below: dict[str, Any], above: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of each difference of `above` from `below`; a table of another kind or law as a whole."""
    for name, value in above.items():
        place, old = (*path, name), below.get(name)
        switched = (
            isinstance(value, dict)
            and isinstance(old, dict)
            and any(value.get(s) != old.get(s) for s in ("kind", "law"))
        )
        if isinstance(value, dict) and isinstance(old, dict) and not switched and set(value) >= set(old):
            yield from differences(old, value, place)
        elif value != old:
            yield dotted(place), value


def base_of(case: Path, out: Path) -> str | None:
    """Name of a case as `base` of a case file beside `out`; None for a case in a folder that `base` cannot name."""
    folder = case.resolve().parent
    if folder in (shipped_cases().resolve(), out.resolve().parent):
        return case.name
    return None
