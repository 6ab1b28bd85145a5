"""The task of a fit: runs with their measured curves, and the free parameters.

Everything about the data is checked here, before anything is simulated.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.fitting.curves import Curve, Run
from otjdd.fitting.matching import match, quantity_in
from otjdd.fitting.parameters import Parameter, parameters
from otjdd.fitting.uncertainty import points_of
from otjdd.measurements.read import read_data

if TYPE_CHECKING:
    import xarray as xr

QUIET = {"record.every": "none", "record.windows": [], "record.profiles_at": [], "record.profiles_at_reads": False}
# at the default a read jumps by up to 7e-3 where the number of steps changes with a parameter, at 1e-3 by 4e-6
SMOOTH = 1e-3
KELVIN = 0.5  # temperatures that are nearer to each other are one


class Data(NamedTuple):
    """One data set of a fit.

    source : a file, arrays by name, a DataFrame or a Dataset   set : changes of the case for it, by dotted key
    weight : of its squares   state : of a drive of curves at frozen ions   reading : other arguments of `read_data`
    """

    source: Any
    set: Mapping[str, Any] = {}
    weight: float = 1.0
    state: str = ""
    reading: Mapping[str, Any] = {}


class Task(NamedTuple):
    """A fit to be made. notes : how the data were read, and the bounds of the parameters."""

    case: Case
    runs: tuple[Run, ...]
    parameters: tuple[Parameter, ...]
    notes: tuple[str, ...]

    @property
    def curves(self) -> list[Curve]:
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

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (parameter,) of the bounds."""
        low, high = np.array([parameter.ends for parameter in self.parameters]).T
        return low, high


def task(case: Case, data: Sequence[Data], vary: Mapping[str, Any] | Sequence[str]) -> Task:
    """Read the data, match them with the runs of the case, find the parameters. Raises DataError, CaseError, OSError."""
    case = case.without_study()
    moving = parameters(case, vary, len(data))
    runs, notes = [], []
    for number, one in enumerate(data):
        read = read_data(one.source, **one.reading)
        found, said = runs_of(read, case, one, number)
        runs += found
        notes += said
    return Task(case, tuple(runs), moving, (*notes, *(parameter.words for parameter in moving)))


def data_of(case: Case) -> list[Data]:
    """Data sets of the [fit] of a case."""
    sets = case.fit.data if case.fit else ()
    return [Data(one.file, one.set, one.weight, one.state, one.reading()) for one in sets]


def vary_of(case: Case) -> dict[str, Any]:
    """Return the parameters of the [fit] of a case, as `parameters` takes them."""
    return {key: said.model_dump() for key, said in case.fit.vary.items()} if case.fit else {}


def runs_of(ds: xr.Dataset, case: Case, data: Data, number: int) -> tuple[list[Run], list[str]]:
    """Runs of one data set, one for each temperature, and what was understood."""
    quantity = quantity_in(ds)
    changed = case.replace(dict(data.set)) if data.set else case
    made, said, name = [], [], label(ds, number)
    for temperature, inside in temperatures(ds):
        here = changed if temperature is None else changed.replace({"temperature": temperature})
        points = points_of(ds.isel(point=inside), quantity)
        part = ds.isel(point=inside[points.at])
        found = match(part, quantity, here, data.state)
        curve = Curve(
            number, name if temperature is None else f"{name} {temperature:g} K", quantity, found.axis,
            part[found.axis].values, points.y, bool(ds[quantity].attrs.get("magnitude")), points.scale,
            points.sigma / np.sqrt(data.weight), points.source, part["line"].values, found.source, found.take, found.state,
        )  # fmt: skip
        smooth = {"numerics.rtol": min(SMOOTH, here.numerics.rtol)}
        made.append(Run(here.replace(dict(QUIET) | smooth | found.changes), (curve,)))
        said.append(words(curve, "the measured waveform" if found.axis == "time" and "voltage" in ds else "its drive"))
    return made, said


def words(curve: Curve, drive: str) -> str:
    """A curve in words: what is compared with what, and how uncertain it is."""
    size, kind = np.median(curve.sigma), curve.scale.kind
    what = f"{len(curve.y)} points of {curve.quantity} against {curve.axis}, driven by {drive}"
    return f"{curve.label}: {what}; uncertainty {curve.uncertainty}, {size:.2g} on a scale of the kind {kind}"


def temperatures(ds: xr.Dataset) -> list[tuple[float | None, np.ndarray]]:
    """Temperatures of the points, each with the numbers of its points; None for data that do not say."""
    if "temperature" not in ds:
        return [(None, np.arange(ds.sizes["point"]))]
    values = ds["temperature"].values
    levels = np.round(values / (2 * KELVIN)) * 2 * KELVIN
    return [
        (float(np.mean(values[levels == level])), np.flatnonzero(levels == level)) for level in dict.fromkeys(levels)
    ]


def label(ds: xr.Dataset, number: int) -> str:
    """Name of a data set: its file without folder, or its number."""
    file = ds.attrs.get("file", "data")
    return os.path.basename(file) if file != "data" else f"data {number + 1}"
