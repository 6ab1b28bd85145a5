"""A result in words and in tables: its drive and its numbers in lines, its variables as comma-separated text."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.results.store import ENGINE
from otjdd.system.files import write_whole
from otjdd.system.late import pd, xr

CROWDED = 0.1  # share of the sites: vacancies are then some two sites apart, and no longer independent of each other
# Beginnings of the attribute `error_estimate` where no errors are stated: reads were extrapolated, or that failed.
NOT_STATED, NOT_EXTRAPOLATED = "not stated", "not extrapolated"
MEASURABLE = 1e15  # ohm: 0.1 V then drives 0.1 fA, below the noise of electrometers


def of_drive(drive: Any) -> str:  # a `case.drive.Drive`; the package `case` is on the floor of this one
    """A drive in a line of words."""
    if hasattr(drive, "bias_voltages"):
        numbers = {
            "state": len(drive.histories()),
            "voltage": len(drive.bias_voltages()),
            "temperature": max(1, len(drive.temperatures)),
        }
        if hasattr(drive, "frequency_values"):
            numbers["frequency"] = len(drive.frequency_values())
        return numbers_in_words(numbers)
    if drive.kind == "patterns":
        kinds = [part.kind for part in drive.parts]
        words = numbers_in_words({word: kinds.count(word) for word in ("write", "read")}, " and ")
        if "program" in kinds:
            words = f"{numbers_in_words({'time': kinds.count('program')})} of programming, {words}"
        return f"{words} of a crossbar"
    waveform = drive.waveform()
    counts = numbers_in_words({"write": waveform.write_count, "read": waveform.read_count})
    return f"{counts}, {waveform.duration:.6g} s"


def numbers_in_words(numbers: dict[str, int], comma: str = ", ") -> str:
    """Numbers of things in words: "1 state, 3 frequencies". numbers : word for a single thing -> number"""
    several = {word: f"{word.removesuffix('y')}ies" if word.endswith("y") else f"{word}s" for word in numbers}
    return comma.join(f"{count} {word if count == 1 else several[word]}" for word, count in numbers.items())


def of_result(ds: xr.Dataset) -> str:
    """A result in a line of words."""
    hottest = f", up to {float(ds.junction_temperature_max):.4g} K" if "junction_temperature_max" in ds else ""
    return of_outputs(ds) + hottest


def of_outputs(ds: xr.Dataset) -> str:
    """A result in words, without its temperature."""
    if "bias_current" in ds:
        n = ds.sizes
        curves = numbers_in_words({"state": n["state"], "temperature": n["temperature"], "voltage": n["bias"]})
        if "capacitance" in ds:
            return f"{curves}, {numbers_in_words({'frequency': n['frequency']})}, {extent(ds.capacitance.values)} F"
        errors = largest_error(ds, "bias_current") + by_levels(ds, "bias_current_level_error")
        return f"{curves}, at most {float(abs(ds.bias_current).max()):.3g} A{errors}"
    if "cell_conductance" in ds:
        return of_crossbar(ds)
    if ds.sizes["read"]:
        R = ds.read_resistance.values
        reads = numbers_in_words({"read": len(R)})
        finite = R[np.isfinite(R)]
        if not finite.size:  # at 0 V there is no resistance
            return f"{reads} at 0 V, {extent(ds.read_current.values)} A"
        rest = f", {len(R) - finite.size} at 0 V" if finite.size < len(R) else ""
        errors = largest_error(ds, "read_resistance") + by_levels(ds, "read_current_error")
        return f"{reads}{rest}, {extent(finite)} ohm{errors}{beyond_instruments(ds)}"
    # The charging current at a jump depends on the time step: only the conduction current is shown.
    return f"{numbers_in_words({'instant': ds.sizes['time']})}, conduction {extent(ds.conduction_current.values)} A"


def beyond_instruments(ds: xr.Dataset) -> str:
    """What reads of more than MEASURABLE mean, by the time between two electrons at the least current; "" without."""
    R = np.abs(ds.read_resistance.values)
    far = (R > MEASURABLE) & np.isfinite(R)
    if not far.any():
        return ""
    pause = ELEMENTARY_CHARGE / float(np.abs(ds.read_current.values[far]).min())
    reads = numbers_in_words({"read": int(far.sum())})
    return f"; {reads} beyond {MEASURABLE:g} ohm, which no instrument measures: an electron in {pause:.3g} s"


def crowded_walls(ds: xr.Dataset, case: Any) -> str:  # a `case.case.Case`, as in `of_drive`
    """Walls where vacancies hold more than CROWDED of their sites, and what their charge does to the band; "" without.

    case : the one of the result, for its densities of sites
    """
    if "vacancy_concentration_columns" not in ds or "conduction_band" not in ds:
        return ""
    walls, stack = [], case.device.film.stack
    for side, sheet, inwards in (("left", stack[0], 1), ("right", stack[-1], -1)):
        sites, c = sheet.sites(case.ions.site_density), ds.vacancy_concentration_columns.values[..., ::inwards]
        at, column = np.unravel_index(np.argmax(c[..., 0]), c.shape[:2])
        if not c[at, column, 0] > CROWDED * sites > 0.0:
            continue
        band, x = ds.conduction_band.values[at, ::inwards], ds.x.values[::inwards]
        thin = c[at, column] < 0.1 * c[at, column, 0]
        end = int(np.argmax(thin)) if thin.any() else len(x) - 1
        fall, width = band[0] - band[end], abs(x[end] - x[0])
        walls.append(
            f"vacancies hold {100.0 * c[at, column, 0] / sites:.3g} % of the sites at the {side} interface at t = "
            f"{float(ds.snapshot_time[at]):.3g} s, where the band {'falls' if fall > 0.0 else 'rises'} by "
            f"{abs(fall):.2g} eV within {1e9 * width:.2g} nm of it"
        )
    beyond = "above a tenth they interact beyond their mean field and change the band, which this model leaves out"
    return "; ".join([*walls, beyond]) if walls else ""


def largest_error(ds: xr.Dataset, name: str) -> str:
    """Largest stated error of a quantity and its parts, in words; "" if errors were not asked for."""
    estimate = ds.attrs.get("error_estimate", "")
    if estimate.startswith(NOT_STATED):
        return ", extrapolated to small cells, errors not stated"
    if estimate.startswith(NOT_EXTRAPOLATED):
        return f", {NOT_EXTRAPOLATED}"
    if f"{name}_error" not in ds:
        return ""
    total = ds[f"{name}_error"].values
    if not np.isfinite(total).any():
        return ", errors not known"
    at = int(np.nanargmax(total))
    parts = {"grid": "grid", "time": "time steps", "column": "columns"}
    of_parts = [
        f"{words} {100 * ds[share].values.flat[at]:.2g} %"
        for part, words in parts.items()
        if (share := f"{name}_{part}_error") in ds
    ]
    return f", within {100 * total.flat[at]:.2g} % ({', '.join(of_parts)})"


def by_levels(ds: xr.Dataset, name: str) -> str:
    """Largest error of a current by levels too narrow to resolve, in words; "" for a result without such errors."""
    if name not in ds:
        return ""
    return f", levels too narrow to resolve leave up to {100 * float(ds[name].max()):.2g} % of a current open"


def of_crossbar(ds: xr.Dataset) -> str:
    """Result of a crossbar in words."""
    size = f"{ds.sizes['word_line']} x {ds.sizes['bit_line']} cells, {ds.sizes['step'] - 1} steps"
    parts = [size, f"{float(ds.step_energy.sum()):.3g} J"]
    shares = (ds[name].values for name in ("write_disturb", "sneak_share"))
    disturb, sneak = (np.abs(values[np.isfinite(values)]) for values in shares)
    parts += [f"writes change other cells by at most {disturb.max():.2g} decades"] if disturb.size else []
    parts += [f"sneak paths carry up to {100.0 * sneak.max():.3g} % of a read current"] if sneak.size else []
    parts += [settling(ds)] if "settling_time" in ds and (ds.sensed_current.notnull()).any() else []
    words = ", ".join(parts) + (of_programming(ds) if "program_missed" in ds else "")
    return "\n".join([words, *energies(ds)]) if "selected_energy" in ds else words


def energies(ds: xr.Dataset) -> list[str]:
    """Table of the steps of a crossbar that write or read: energies [J], of the drivers for each cell, delay [s]."""
    steps = np.flatnonzero(ds.step_operations.values > 0.0)
    head = ["step", "drivers J", "selected cells J", "other cells J", "lines J", "a cell J", "disturb", "delay s"]
    rows = [
        [
            str(n), *(f"{float(ds[name][n]):.3g}" for name in ENERGIES),
            f"{float(ds.step_energy[n] / ds.step_operations[n]):.3g}",
            *(f"{value:.2g}" if np.isfinite(value) else "" for value in (
                float(ds.write_disturb[n]), float(ds.settling_time[n]) if "settling_time" in ds else np.nan,
            )),
        ]
        for n in steps[:MOST_STEPS]
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    table = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in [head, *rows]]
    return [*table, *([f"{steps.size - MOST_STEPS} more steps"] if steps.size > MOST_STEPS else [])]


def settling(ds: xr.Dataset) -> str:
    """How long the lines of a crossbar take to settle while they are read, in words."""
    reads = ds.sensed_current.notnull().any(("word_line", "bit_line")).values
    times = ds.settling_time.values[reads]
    if (early := np.flatnonzero(reads)[np.isnan(times)]).size:
        steps = ", ".join(map(str, early))
        return f"reads of step {steps} end before the lines have settled to 1 % (longer ones: drive.parts.duration)"
    return f"lines settle to 1 % within {times.max():.3g} s while they are read"


NAMED = 8  # most cells that a summary names
ENERGIES, MOST_STEPS = ("step_energy", "selected_energy", "half_selected_energy", "line_energy"), 20


def of_programming(ds: xr.Dataset) -> str:
    """Pulses, energy, errors and missed cells of the last programming of a crossbar, in words; "" without one."""
    done = np.flatnonzero(np.isfinite(ds.program_missed.values).all(axis=(1, 2)))
    if not done.size:
        return ""
    at = ds.isel(step=done[-1])
    pulses, error = at.program_pulses.values, np.abs(at.program_error.values)
    text = (
        f"; programmed with {np.median(pulses):g} pulses a cell ({pulses.max():g} at most), "
        f"{at.program_energy.values.sum():.3g} J, median error {100.0 * np.median(error):.2g} %"
    )
    missed = np.argwhere(at.program_missed.values == 1.0)
    if not missed.size:
        return f"{text}, no cell missed its target"
    names = ", ".join(f"({i}, {j})" for i, j in missed[:NAMED])
    if len(missed) > NAMED:
        names += f" and {len(missed) - NAMED} more"
    most = f"by at most {100.0 * error.max():.3g} %"
    return f"{text}, {len(missed)} of {error.size} cells missed their targets, {most}: {names}"


def finite_or_none(number: float | None) -> float | None:
    """A number; None for nan and infinities, which JSON does not have."""
    return float(number) if number is not None and math.isfinite(number) else None


def extent(values: np.ndarray) -> str:
    """Smallest and largest value as text; one number if they are equal."""
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return high if low == high else f"{low} to {high}"


def reached(ds: xr.Dataset) -> str:
    """Last time of a run that ended early, in words; "" for curves at frozen ions, which have none."""
    if "solver_time_total" not in ds.attrs:
        return ""
    time, total = ds.attrs["solver_time_reached"], ds.attrs["solver_time_total"]
    return f" It reached t = {time:.6g} s of {total:.6g} s."


POINTS = "points"  # of a study
LEVELS = "percentile"  # of a prediction
PARTS = "kind", "channel"  # dimensions along which a result has parts with names
# What a row stands for -> dimensions of the variables in the table. The default is the first that a result has.
OVER = {
    "read": ("read",),
    "frequency": ("state", "temperature", "bias", "frequency"),
    "bias": ("state", "temperature", "bias"),
    "time": ("time",),
    "snapshot": ("snapshot",),
    "cell": ("step", "word_line", "bit_line"),
    "step": ("step",),
}


def to_csv(ds: xr.Dataset, path: str | os.PathLike[str], over: str | None = None) -> None:
    """Write the variables over one dimension as comma-separated text in SI units, with headers `name (unit)`.

    over : what a row stands for: "read", "time", "snapshot"; "bias", a row for each state, temperature and bias;
        "frequency", for each of these and each frequency; "cell" of a crossbar, for each step, word line and bit line,
        from 0, or its "step"; "points" of a study, or "read", "bias" and so on of all its points. By default the points
        of a study; for a result, the first that it has of "read", "frequency", "bias", "time", "snapshot", "cell", "step"
    A prediction has a column for each percentile, a result with kinds of columns or leaks one for each kind or channel.
    Raises ValueError if the result has no such rows, ResultError if the file cannot be written.
    """
    write_whole(Path(path), data_frame(ds, over).to_csv(index=False, lineterminator="\n").encode())


def data_frame(ds: xr.Dataset, over: str | None) -> pd.DataFrame:
    """The table of `to_csv` as a pandas.DataFrame, with columns `name (unit)`. Raises ValueError."""
    dims = dims_over(ds, over)
    if LEVELS in ds.dims:  # a variable for each percentile, "read_resistance 2.5 %"; one variable if all are equal
        by_level: dict[str, xr.DataArray] = {}
        for name, variable in ds.data_vars.items():
            values = variable.values
            if LEVELS not in variable.dims:
                by_level[str(name)] = variable
            elif all(np.array_equal(row, values[0], equal_nan=True) for row in values):
                by_level[str(name)] = variable.isel(percentile=0, drop=True)
            else:
                by_level |= {f"{name} {at:g} %": variable.sel(percentile=at, drop=True) for at in ds[LEVELS].values}
        ds = ds.drop_vars(ds.data_vars).drop_dims(LEVELS).assign(by_level)
    for dim in PARTS:  # a variable for each part, "kind_read_current background"
        if dim in ds.dims:
            divided = [
                name for name, variable in ds.data_vars.items() if dim in variable.dims and len(variable.dims) > 1
            ]
            rows = [(name, i, part) for name in divided for i, part in enumerate(ds[dim].values)]
            parts = {f"{name} {part}": ds[name].isel({dim: i}, drop=True) for name, i, part in rows}
            ds = ds.drop_vars(divided).assign(parts)
    names = [name for name, variable in ds.data_vars.items() if variable.dims == dims]
    places = [dim for dim in dims if dim not in ds.coords] if len(dims) > 1 else []
    columns = [*places, *(name for name, c in ds.coords.items() if c.dims and set(c.dims) <= set(dims)), *names]
    units = {name: f"{name} ({ds[name].attrs.get('units', '1')})" for name in columns}
    frame = ds[columns].to_dataframe(dim_order=list(dims)).reset_index()
    return frame[columns].rename(columns=units)


def left_out(ds: xr.Dataset, over: str | None) -> dict[str, str]:
    """Variable of a study that a table leaves out -> `over` of the table that has this variable."""
    if ENGINE not in ds.attrs:
        return {}
    chosen, rows = dims_over(ds, over), rows_of_study(ds)
    names = {dims: name for name, dims in rows.items()}
    dims = {str(name): tuple(map(str, variable.dims)) for name, variable in ds.data_vars.items()}
    return {name: names[own] for name, own in dims.items() if own != chosen and own in names}


def dims_over(ds: xr.Dataset, over: str | None) -> tuple[str, ...]:
    """Dimensions of the variables of a table. Raises ValueError, which lists what the result has."""
    if ENGINE in ds.attrs:
        rows = rows_of_study(ds)
    else:
        rows = {name: dims for name, dims in OVER.items() if set(dims) <= set(ds.dims) and ds.sizes[dims[-1]]}
    if over is None and rows:
        return next(iter(rows.values()))
    if not rows:
        raise ValueError("this result has no rows of any kind to tabulate")
    if over not in rows:
        raise ValueError(f"this result has no rows over {over!r}; it has {', '.join(rows)}")
    return rows[over]


def rows_of_study(ds: xr.Dataset) -> dict[str, tuple[str, ...]]:
    """What a row of a table of a study may stand for -> dimensions: of its points, and of each array of a point."""
    points = tuple(map(str, ds["status"].dims))
    names = {dims: name for name, dims in OVER.items()}
    rows = {POINTS: points}
    for variable in ds.data_vars.values():
        own = tuple(map(str, variable.dims[len(points) :]))
        if own and variable.dims[: len(points)] == points:
            rows[names.get(own, ",".join(own))] = (*points, *own)
    return rows
