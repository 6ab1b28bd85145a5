"""What follows from recorded rows: the current that charges the junction, at an instant and on average over an
interval; the current that the instrument shows; and the time series of a result at even times.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.analysis.sweeps import between
from otjdd.case.case import parse_case
from otjdd.case.device import Circuit
from otjdd.errors import CaseError
from otjdd.results.outputs import OUTPUTS
from otjdd.system.late import xr
from otjdd.units import in_si

SAME_SLOPE = 1e-6  # relative, of the voltage on both sides of a row in a straight piece
ROUND_OFF = 8.0  # last digits of a time, by which the ends of two blocks of a waveform may differ


class Rates(NamedTuple):
    """Rates of a charge at recorded times: just before and just after each."""

    before: np.ndarray
    after: np.ndarray


def mean_rate(t: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """Mean rate of a charge (T,) since the record before, 0 in the first.

    Right after a jump of the voltage a second record has the time of the one before it. What the jump charges is part of
    the rate in the interval that follows.
    """
    before = np.searchsorted(t, t) - 1  # last record of an earlier time
    before = np.searchsorted(t, t[before])  # the first one of that time
    took = t - t[before]
    later = np.diff(t, prepend=np.inf) > 0.0  # than the record before; the first has none
    mean: np.ndarray = np.divide(charge - charge[before], took, out=np.zeros(len(t)), where=later)
    return mean


def rates(t: np.ndarray, charge: np.ndarray, voltage: np.ndarray) -> Rates:
    """Rates (T,) of a charge at times t, on both sides of each.

    They are the slopes of the parabola through a record and its neighbours, within a straight piece of the source voltage;
    between two records without a third they are its mean. Both sides differ where the voltage has a corner. Right before
    and after a jump of the voltage, where the charge jumps too, and at both ends, they are those of the side that exists.
    """
    took = np.diff(t)
    lasting, mean = took > 0.0, quotients(np.diff(charge), took)
    inner = np.concatenate(([False], within_pieces(took, voltage), [False]))[: len(t)]
    curvature = np.zeros(len(t))  # of the parabola about an inner row
    curvature[inner] = (np.diff(mean) / np.maximum(took[1:] + took[:-1], np.finfo(float).tiny))[inner[1:-1]]
    at_start = np.where(inner[:-1], curvature[:-1], curvature[1:])  # the first row of a piece takes the next parabola
    at_end = np.where(inner[1:], curvature[1:], curvature[:-1])
    before, after = np.full(len(t), np.nan), np.full(len(t), np.nan)
    after[:-1][lasting], before[1:][lasting] = (mean - took * at_start)[lasting], (mean + took * at_end)[lasting]
    after[inner] = before[inner]  # of one parabola, whose slope from either side differs by round-off
    nowhere = np.isnan(before) & np.isnan(after)
    before, after = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    return Rates(np.where(nowhere, 0.0, before), np.where(nowhere, 0.0, after))


def simultaneous(t: np.ndarray) -> np.ndarray:
    """Times (T,) of records; times that differ by round-off from the one before are set equal to it."""
    same = np.concatenate(([False], t[1:] - t[:-1] <= ROUND_OFF * np.spacing(np.abs(t[1:]))))[: len(t)]
    return np.maximum.accumulate(np.where(same, -np.inf, t))


def within_pieces(took: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """True for those of the inner rows (T - 2,) at which a voltage (T,) has neither a corner nor a jump.

    took : (T - 1,) times between the rows [s]
    """
    if not len(took):
        return np.zeros(0, bool)
    slope = quotients(np.diff(voltage), took)
    rounding = quotients(np.full(len(took), np.spacing(np.abs(voltage).max())), took)
    allowed = SAME_SLOPE * np.maximum(np.abs(slope[1:]), np.abs(slope[:-1])) + 2.0 * (rounding[1:] + rounding[:-1])
    straight: np.ndarray = np.abs(np.diff(slope)) <= allowed
    return straight & (took[1:] > 0.0) & (took[:-1] > 0.0)


def quotients(changes: np.ndarray, took: np.ndarray) -> np.ndarray:
    """Changes (T - 1,) over the times that they took, 0 in intervals of no time."""
    return np.divide(changes, took, out=np.zeros(len(took)), where=took > 0.0)


def read_out(times: ArrayLike, conduction: ArrayLike, displacement: ArrayLike, circuit: Circuit) -> np.ndarray:
    """Current that the instrument shows, A.

    times: (n,) s, non-decreasing
    conduction: (n,) A at `times`, linear in between
    displacement: (n,) A, entry k the mean over the interval that *ends* at times[k], so that its integral is exactly
        the change of charge; entry 0 has no interval and is left out
    The sum goes through one pole, tau dy/dt = x - y from y = conduction[0], solved exactly for such an input, whatever
    the steps; then it is clipped to +-range. Raises ValueError on arrays that do not fit or are not finite.
    """
    times, conduction, displacement = (np.asarray(a, dtype=float) for a in (times, conduction, displacement))
    if not (times.ndim == 1 and times.size and times.shape == conduction.shape == displacement.shape):
        raise ValueError(
            f"times, conduction, displacement differ in length: {times.size, conduction.size, displacement.size}"
        )
    if not all(np.isfinite(a).all() for a in (times, conduction, displacement)) or (np.diff(times) < 0).any():
        raise ValueError("a read-out needs finite currents at times in order")
    charging = np.append(0.0, displacement[1:])
    current = _one_pole(np.diff(times), conduction, charging, circuit.tau) if circuit.tau else conduction + charging
    return current if circuit.range is None else np.clip(current, -circuit.range, circuit.range)


def _one_pole(steps: np.ndarray, linear: np.ndarray, mean: np.ndarray, tau: float) -> np.ndarray:
    """y' = (x - y)/tau over intervals `steps` (n-1,), x = linear between samples + mean[1:] constant in each."""
    z = steps / tau
    fresh = -np.expm1(-z)  # weight of the input as a whole; the rest is memory
    end = _end_weight(z)
    gains = (fresh - end) * linear[:-1] + end * linear[1:] + fresh * mean[1:]
    y = [float(linear[0])]
    for keep, gain in zip(np.exp(-z).tolist(), gains.tolist(), strict=True):
        y.append(keep * y[-1] + gain)
    return np.array(y)


def _end_weight(z: np.ndarray) -> np.ndarray:
    """1 - (1 - exp(-z))/z: how much of a linear input is weighed by its value at the end of the interval."""
    # The plain form loses all digits in steps much shorter than tau, of which there are many: a series instead.
    small = z < 0.1
    series = z / 2 * (1 - z / 3 * (1 - z / 4 * (1 - z / 5 * (1 - z / 6 * (1 - z / 7 * (1 - z / 8))))))
    return np.where(small, series, 1 + np.expm1(-z) / np.where(small, 1.0, z))


MAX_SAMPLES = 10_000_000
ERROR, MEAN = "conduction_current_error", "mean_displacement_current"


def resample(ds: xr.Dataset, step: float | str) -> xr.Dataset:
    """The time series of a result at even times, from the first one on.

    step : between two times, s or text with a unit ("10 us")
    The conduction current is interpolated by the logarithm of its conductance, see `otjdd.analysis.sweeps`;
    `conduction_current_error` is the estimated relative error of that, 0 at recorded times. Exact currents at chosen
    voltages are those of reads (a drive `triangle` with a `step`). `mean_displacement_current` is the mean over the
    interval that ends at a time, so that its integral is the charge; `displacement_current` is linear from one record to
    the next. `current` is what the instrument of the case makes of both. The rise of the temperature is interpolated by its
    logarithm, all else is linear. Variables without time are kept, with the attributes.
    Raises ValueError for a step that is not above zero, or makes more than MAX_SAMPLES times, and for a result without
    a time series.
    """
    step = in_si(step, "time")
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
