"""The task of a fit: runs with their measured curves, and the free parameters. Checks all data before any simulation."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.problem import data_error
from otjdd.case.rules import refuse
from otjdd.fitting.curves import (
    LINEAR,
    UNSTATED,
    ComparedRun,
    InstrumentNoise,
    MeasuredCurve,
    Points,
    has_repeats,
    loss_of,
    points_of,
    simulated_numbers,
)
from otjdd.fitting.matching import by_time, match, quantity_in, whole_waveform
from otjdd.fitting.parameters import parameters
from otjdd.fitting.search import Aimed, Simulated
from otjdd.measurements.datasets import ROW, applied_rows, row_of_point, with_voltage
from otjdd.measurements.names import QUANTITIES
from otjdd.measurements.read import read_data
from otjdd.system.late import xr
from otjdd.units import DIMENSIONS, quantity

QUIET = {"record.every": "none", "record.windows": [], "record.profiles_at": [], "record.profiles_at_reads": False}
# A read jumps where the number of time steps changes with a parameter: by up to 7e-3 at the default rtol, 4e-6 at 1e-3.
SMOOTH = 1e-3  # rtol of the runs of a fit
REACH = 2.0  # natural steps to either side that a global search covers where there are no bounds
FAR = 30.0  # residuals beyond this count by their logarithm, so that one unreachable point does not hide the others
MANY = 400  # points along a drive without reads, beyond which what a run costs is stated before the first
KELVIN = 0.5  # measured temperatures within this of a level are one temperature


class Data(NamedTuple):
    """One data set of a fit.

    source : a file, arrays by name, a DataFrame or a Dataset   set : changes of the case for these data, by dotted key
    weight : of the squares of its residuals   state : name of a state of a drive of curves at frozen ions
    reading : other arguments of `read_data`
    noise : of the instrument, "1 pA", which adds to the relative uncertainty. None: estimated from the data
    """

    source: Any
    set: Mapping[str, Any] = {}
    weight: float = 1.0
    state: str = ""
    reading: Mapping[str, Any] = {}
    noise: str | float | None = None


@dataclass(frozen=True, kw_only=True)
class Task(Aimed):
    """All inputs of a fit.

    runs : with their curves   notes : how the data were read, and the bounds of the parameters, in words
    """

    case: Case
    runs: tuple[ComparedRun, ...]
    notes: tuple[str, ...]

    @property
    def curves(self) -> list[MeasuredCurve]:
        """All curves, in order."""
        return [curve for run in self.runs for curve in run.curves]

    @property
    def sigma(self) -> np.ndarray:
        """Uncertainty (point,) of all points, on their scales."""
        return np.concatenate([curve.sigma for curve in self.curves])

    @property
    def aims(self) -> np.ndarray:
        """Measured numbers (point,) on their scales."""
        return np.concatenate([curve.scale.apply(curve.y) for curve in self.curves])

    def global_ends(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ends (parameter,) of a global search: bounds less than 4 REACH apart, else REACH around `start` within them."""
        low, high = self.ends
        narrow = high - low < 4 * REACH
        return np.where(narrow, low, np.maximum(low, start - REACH)), np.where(
            narrow, high, np.minimum(high, start + REACH)
        )

    def global_score(self, numbers: np.ndarray) -> float:
        """Sum of the squares of the residuals, damped beyond FAR. numbers : (point,); nan is very far from the data"""
        size = np.nan_to_num(np.abs(self.residuals(numbers)), nan=1e6, posinf=1e6)
        return float(np.sum(np.where(size < FAR, size, FAR * (1 + np.log(np.maximum(size, FAR) / FAR))) ** 2))

    def check_start(self, numbers: np.ndarray) -> None:
        """Raise DataError for the first point of which numbers (point,) have none."""
        failed = np.flatnonzero(~np.isfinite(numbers))
        if failed.size:
            curve, at = self.point(int(failed[0]))
            expected = f"a number of the run at {curve.axis} {curve.x[at]:g}"
            got = "none: try the case by `otjdd run` first"
            raise data_error(curve.label, int(curve.lines[at]), expected, got)

    def residuals(self, numbers: np.ndarray) -> np.ndarray:
        """Residuals (point,) of numbers (point,), in units of the uncertainty."""
        return np.asarray((numbers - self.aims) / self.sigma)

    def jacobian(self, numbers: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives (point, parameter) of the residuals, from the slopes (point, parameter) of numbers (point,)."""
        return np.asarray(slopes / self.sigma[:, None])

    def point(self, number: int) -> tuple[MeasuredCurve, int]:
        """Curve of a point of all data, and the index of the point in the curve. Raises IndexError."""
        for curve in self.curves:
            if number < len(curve.y):
                return curve, number
            number -= len(curve.y)
        raise IndexError(number)

    @property
    def simulate(self) -> Callable[..., Simulated]:
        return simulated_numbers

    @property
    def simulated_cases(self) -> list[Case]:
        return [run.case for run in self.runs]

    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        """Each run with the values [SI] by key of the parameters of its data set, at coordinates x (parameter,)."""
        moving = list(zip(self.parameters, x, strict=True))
        return [
            (run, {p.key: p.value(at) for p, at in moving if p.data in (None, run.curves[0].data)}) for run in self.runs
        ]


def task(
    case: Case, data: Sequence[Data], vary: Mapping[str, Any] | Sequence[str], loss: str = "",
    noise: str | float | None = None,
) -> Task:  # fmt: skip
    """Read the data, match them with runs of the case, and find the parameters. Raises DataError, CaseError, OSError.

    loss : "" for the loss of the [fit] of the case, or "linear" without one
    noise : for data of its unit that state no noise themselves; None for the noise of the [fit]
    """
    refuse(case, "a fit", "fit")
    loss = loss_of(loss or (case.fit.loss if case.fit else LINEAR))
    shared = case.fit.noise if noise is None and case.fit else noise
    case = case.without_study()
    moving = parameters(case, vary, len(data))
    runs: list[ComparedRun] = []
    notes: list[str] = []
    for number, part in enumerate(data):
        read = read_data(part.source, **part.reading)
        if part.noise is None and shared is not None and suits(shared, quantity_in(read)):
            part = part._replace(noise=shared)
        compared, words_of_data = runs_of_fit(read, case, part, number)
        runs += compared
        notes += words_of_data
    measured = dict.fromkeys(curve.quantity for run in runs for curve in run.curves)
    if shared is not None and not any(suits(shared, name) for name in measured):
        raise data_error("noise", 0, f"the noise of {' or '.join(measured)}", str(shared))
    if loss != LINEAR:
        notes.append(f"loss {loss}: points far from the fit count less")
    notes += [parameter.words for parameter in moving]
    return Task(case=case, runs=tuple(runs), parameters=moving, notes=tuple(notes), loss=loss)


def data_of(case: Case) -> list[Data]:
    """Data sets of the [fit] of a case."""
    sets = case.fit.data if case.fit else ()
    return [Data(part.file, part.set, part.weight, part.state, part.reading(), part.noise) for part in sets]


def vary_of(case: Case) -> dict[str, Any]:
    """Parameters of the [fit] of a case, as an argument `vary` of `parameters`."""
    return {key: bounds.model_dump() for key, bounds in case.fit.vary.items()} if case.fit else {}


class Group(NamedTuple):
    """Points and rows of a data set that belong to one run.

    changes : of the case   label : what distinguishes it from other groups, "" for the only one
    """

    changes: dict[str, Any]
    label: str
    points: xr.Dataset
    rows: xr.Dataset


def runs_of_fit(ds: xr.Dataset, case: Case, data: Data, number: int) -> tuple[list[ComparedRun], list[str]]:
    """Runs of one data set, and notes on how it was read. Raises DataError, CaseError.

    ds : the data that were read   number : of the data set
    """
    name = quantity_in(ds)
    changed = case.replace(dict(data.set)) if data.set else case
    if "temperature" in data.set and ds.get("temperature", ds[name]).attrs.get("condition"):
        # the `set` of a data set comes before a header or the name of a file
        ds = ds.drop_vars(["temperature", f"{ROW}_temperature"], errors="ignore")
    noise = noise_in(data.noise, name, ds, changed)
    ds = with_voltage(ds, changed.device.film.thickness)
    runs, notes = [], []
    for group in point_groups(ds, name, changed):
        own = changed.replace(group.changes)
        points = points_of(group.points, group.rows, name, noise)
        points, left_out = with_logarithm(points, group.points, name, own)
        if not len(points.at):
            usable = "above 0" if name in ("resistance", "conductance") else "that are not 0"
            expected = f"numbers of {name} {usable}"
            raise data_error(ds.attrs.get("file", "data"), int(ds["line"].values[0]), expected, "none")
        part = group.points.isel(point=points.at)
        place = match(part, group.rows, name, own, data.state)
        curve = MeasuredCurve(
            number, f"{label(ds, number)} {group.label}".strip(), name, place.axis,
            part[place.axis].values, points.y, bool(ds[name].attrs.get("magnitude")), points.scale,
            points.sigma / np.sqrt(data.weight), points.source, part["line"].values, place.source, place.take, place.state,
        )  # fmt: skip
        smooth = {"numerics.rtol": min(SMOOTH, own.numerics.rtol)}
        runs.append(ComparedRun(own.replace(dict(QUIET) | smooth | place.changes), (curve,)))
        size, kind = np.median(curve.sigma), curve.scale.kind
        what = f"{len(curve.y)} points of {curve.quantity} against {curve.axis}, driven by {place.driven}"
        lines = [f"{what}; uncertainty {curve.uncertainty}, {size:.2g} on a scale of the kind {kind}"]
        if place.source == "live" and len(curve.y) > MANY:
            lines.append(f"each run reads {2 * len(curve.y)} times, twice a point; --skip leaves lines out")
        if left_out:
            lines.append(f"{left_out} points at 0 V left out, whose current has no logarithm")
        notes += [f"{curve.label}: {words}" for words in lines]
    return runs, notes


def point_groups(ds: xr.Dataset, name: str, case: Case) -> list[Group]:
    """Groups of the points: one for each device and temperature, and each record if points are matched by times."""
    parts = []
    rows = applied_rows(ds)
    row, record = row_of_point(ds, rows), runs_in_time(rows)
    for device, of_device in device_groups(ds, rows):
        for temperature, at_temperature in temperature_groups(rows):
            inside = np.intersect1d(of_device, at_temperature)
            split = inside.size and by_time(ds, name, case) and not has_repeats(rows.isel(point=inside))
            for number in dict.fromkeys(record[inside]) if split else [None]:
                chosen = np.isin(np.arange(len(record)), inside) & ((record == number) | (number is None))
                points = ds.isel(point=np.flatnonzero(chosen[row]))
                if not points.sizes["point"]:
                    continue
                labels = [device] + ([] if temperature is None else [f"{temperature:g} K"])
                labels += [] if number is None else [f"record {number + 1}"]
                changes = {} if temperature is None else {"temperature": temperature}
                rows_there = rows.isel(point=np.flatnonzero(chosen))
                parts.append(Group(changes, " ".join(filter(None, labels)), points, rows_there))
    return parts


def device_groups(ds: xr.Dataset, rows: xr.Dataset) -> list[tuple[str, np.ndarray]]:
    """(name, indices (n,) of its rows) for each device of measured data; "" for data that name none, or one."""
    names = ds["device"].values if "device" in ds.coords else np.zeros(0)
    if len(np.unique(names)) < 2:
        return [("", np.arange(rows.sizes["point"]))]
    of_record = dict(zip(ds["record"].values.tolist(), names.tolist(), strict=True))
    own = np.array([of_record.get(number, "") for number in rows["record"].values.tolist()])
    return [(name, np.flatnonzero(own == name)) for name in dict.fromkeys(own.tolist())]


def runs_in_time(rows: xr.Dataset) -> np.ndarray:
    """Number (row,) of the run that each row belongs to: a record, or several whose time goes on."""
    record = rows["record"].values
    if "time" not in rows:
        return record
    steps, moves = (np.diff(values, prepend=values[:1]) for values in (rows["time"].values, record))
    return np.cumsum((moves != 0) & (steps <= 0))


def with_logarithm(points: Points, ds: xr.Dataset, name: str, case: Case) -> tuple[Points, int]:
    """Points, without points of no current on a logarithmic scale, and the number of points left out.

    No current flows at 0 V of an I(V) curve, and at 0 V where a waveform begins; later a charge still flows there.
    """
    if points.scale.kind != "log" or "voltage" not in ds:
        return points, 0
    driven = ds["voltage"].values != 0
    if "time" in ds and case.drive.kind != "iv":
        driven |= ds["time"].values > ds["time"].values[0]
    elif case.drive.kind != "iv":
        reads = not hasattr(case.drive, "waveform") or case.drive.waveform().read_count > 0
        if reads or name not in ("current", "current_density"):
            return points, 0
        driven = np.logical_or.accumulate(driven)
    return points.only(driven[points.at]), int((~driven[points.at]).sum())


OF_CURRENT = ("current_density", "resistance", "conductance")  # computed from a current: their noise may be in A


def suits(noise: str | float, name: str) -> bool:
    """True if a noise has the unit of a measured quantity, or of the current that it is computed from. Raises DataError."""
    dimension = size_and_dimension(noise)[1]
    return dimension in (None, dimension_of(name)) or (name in OF_CURRENT and dimension == "current")


def noise_in(noise: str | float | None, name: str, ds: xr.Dataset, case: Case) -> InstrumentNoise:
    """Stated noise of a measured quantity. Raises DataError for a noise in another unit, or of 0.

    The noise of a current is divided by the area of the device for a current density, by the read voltage for a
    conductance; a resistance R = V / I has R^2 / V times the noise of the current.
    """
    if noise is None:
        return UNSTATED
    size, dimension = size_and_dimension(noise)
    if not suits(noise, name) or not 0 < size < np.inf:
        expected_dimension = dimension_of(name)
        example = f", such as {DIMENSIONS[expected_dimension].example}" if expected_dimension else ""
        expected = f"the noise of {name} above 0{example}"
        raise data_error(ds.attrs.get("file", "data"), 0, expected, str(noise), key="noise")
    if dimension != "current" or name not in OF_CURRENT:
        return InstrumentNoise(size)
    if name == "current_density":
        return InstrumentNoise(size / case.device.junction_area)
    over_voltage = size / voltage_of_reads(ds, case)
    return InstrumentNoise(over_voltage=over_voltage) if name == "resistance" else InstrumentNoise(over_voltage)


def voltage_of_reads(ds: xr.Dataset, case: Case) -> float:
    """Magnitude [V] of the voltage at which a resistance was read: of the data or the drive. Raises DataError."""
    constant = (ds[n].values for n in ("read_voltage", "voltage") if n in ds and np.ptp(ds[n].values) == 0)
    own = next(constant, np.zeros(0))
    if not own.size and hasattr(case.drive, "waveform"):
        own = whole_waveform(case.drive.waveform()).read_voltages
    levels = np.unique(np.abs(own))
    if levels.size != 1 or not levels[0] > 0:
        expected = "a column of the read voltage, or a drive that reads at one, for the noise of a current"
        got = "several" if levels.size else "none"
        raise data_error(ds.attrs.get("file", "data"), 0, expected, got, key="noise")
    return float(levels[0])


def size_and_dimension(noise: str | float) -> tuple[float, str | None]:
    """Size [SI] and dimension of a stated noise, None for a plain number. Raises DataError."""
    try:
        return quantity(noise) if isinstance(noise, str) else (float(noise), None)
    except ValueError as error:
        raise data_error("noise", 0, "a quantity like 1 pA", repr(noise), str(error)) from None


def dimension_of(name: str) -> str | None:
    """Dimension of a measured quantity; None if `units.DIMENSIONS` does not have it."""
    unit = QUANTITIES[name].unit if name in QUANTITIES else ""
    try:
        return quantity(f"1 {unit}")[1]
    except ValueError:
        return None


def temperature_groups(ds: xr.Dataset) -> list[tuple[float | None, np.ndarray]]:
    """(temperature [K], indices (n,) of its points) for each temperature; None for data without temperatures."""
    if "temperature" not in ds:
        return [(None, np.arange(ds.sizes["point"]))]
    values = ds["temperature"].values
    levels = np.round(values / (2 * KELVIN)) * 2 * KELVIN
    return [
        (float(np.mean(values[levels == level])), np.flatnonzero(levels == level)) for level in dict.fromkeys(levels)
    ]


def label(ds: xr.Dataset, number: int) -> str:
    """Name of a data set: its file without the folder, or its number."""
    file = ds.attrs.get("file", "data")
    return os.path.basename(file) if file != "data" else f"data {number + 1}"
