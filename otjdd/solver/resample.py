"""The time series of a result at even times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.between import between
from otjdd.case.case import parse_case
from otjdd.case.circuit import Circuit
from otjdd.errors import CaseError
from otjdd.results.outputs import OUTPUTS
from otjdd.solver.read_out import read_out
from otjdd.units import parse

if TYPE_CHECKING:
    import xarray as xr

MAX_SAMPLES = 10_000_000
ERROR, MEAN = "conduction_current_error", "mean_displacement_current"


def resample(ds: xr.Dataset, step: float | str) -> xr.Dataset:
    """The time series of a result at even times, from the first one on.

    step : between two times, s or text with a unit ("10 us")
    The conduction current is interpolated by the logarithm of its conductance, see `otjdd.analysis.between`;
    `conduction_current_error` is the estimated relative error of that, 0 at recorded times. Exact currents at chosen
    voltages are those of reads (a drive `triangle` with a `step`). `mean_displacement_current` is the mean over the
    interval that ends at a time, so that its integral is the charge; `displacement_current` is linear from one record to
    the next. `current` is what the instrument of the case makes of both. The rise of the temperature is interpolated by its
    logarithm, all else is linear. Variables without time are kept, with the attributes.
    Raises ValueError for a step that is not above zero, or makes more than MAX_SAMPLES times, and for a result without
    a time series.
    """
    import xarray as xr

    step = parse(step, "time") if isinstance(step, str) else float(step)
    t = np.asarray(ds["time"].values) if "time" in ds.dims else np.zeros(0)
    if not t.size:
        raise ValueError("this result has no time series to resample")
    if not step > 0 or not (t[-1] - t[0]) / step < MAX_SAMPLES:
        raise ValueError(f"expected a step above 0 s that makes at most {MAX_SAMPLES:,} times, got {step:g} s")
    even = t[0] + step * np.arange(1 + int((t[-1] - t[0]) / step * (1 + 1e-12)))
    names = [str(name) for name, variable in ds.variables.items() if variable.dims == ("time",) and name != "time"]
    evened = {name: at_even(ds, name, t, even) for name in names}
    attrs = {name: ds[name].attrs for name in names}
    carried = "conduction_current" if "conduction_current" in names else "current"
    if carried in names and "voltage" in names:
        evened[carried], evened[ERROR] = between(t, ds["voltage"].values, ds[carried].values, even)
        attrs[ERROR] = {"units": OUTPUTS[ERROR].unit, "long_name": OUTPUTS[ERROR].long_name}
    if {"current", "conduction_current", MEAN} <= set(names):
        evened["current"] = instrument_current(ds, t, even, evened)
    variables = {name: xr.Variable("time", values, attrs[name]) for name, values in evened.items()}
    return ds.drop_dims("time").assign(variables).assign_coords(time=("time", even, ds["time"].attrs))


def at_even(ds: xr.Dataset, name: str, t: np.ndarray, even: np.ndarray) -> np.ndarray:
    """A variable (n,) at even times: straight between recorded ones, the displacement current by its charge."""
    values = ds[name].values
    if name == MEAN:
        charge = np.interp(even, t, np.concatenate(([0.0], np.cumsum(values[1:] * np.diff(t)))))
        return np.concatenate(([0.0], np.diff(charge) / np.diff(even)))
    if name.startswith("displacement_current") and "displacement_current_after" in ds:
        i = np.clip(np.searchsorted(t, even) - 1, 0, max(len(t) - 2, 0))
        start, end = ds["displacement_current_after"].values[i], ds["displacement_current"].values[i + 1]
        share = np.divide(even - t[i], t[i + 1] - t[i], out=np.ones(len(even)), where=t[i + 1] > t[i])
        return np.asarray(start + (end - start) * share)
    if name == "temperature_rise" and (values > 0).all():
        return np.asarray(np.exp(np.interp(even, t, np.log(values))))
    return np.asarray(np.interp(even, t, values))


def instrument_current(ds: xr.Dataset, t: np.ndarray, even: np.ndarray, evened: dict[str, np.ndarray]) -> np.ndarray:
    """Current (n,) [A] that the instrument shows at even times. A slow one has seen all that lies between them."""
    circuit = circuit_of(ds)
    conduction, displacement = evened["conduction_current"], evened[MEAN]
    if not circuit.tau:
        return read_out(even, conduction, displacement, circuit)
    new = ~np.isin(even, t)
    later = np.diff(t, prepend=-np.inf) > 0
    during = ds[MEAN].values[later][np.searchsorted(t[later], even[new])]
    both = np.concatenate((t, even[new]))
    order = np.argsort(both, kind="stable")
    read = read_out(
        both[order],
        np.concatenate((ds["conduction_current"].values, conduction[new]))[order],
        np.concatenate((ds[MEAN].values, during))[order],
        circuit,
    )
    return read[np.searchsorted(both[order], even, side="right") - 1]


def circuit_of(ds: xr.Dataset) -> Circuit:
    """Circuit of the case of a result; an ideal instrument where it does not say."""
    try:
        return parse_case(str(ds.attrs["case_resolved"]), allow_outside=True).circuit
    except (CaseError, KeyError):
        return Circuit()
