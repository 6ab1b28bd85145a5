"""A measured curve: its scale, its uncertainty, its loss, and its numbers in a run.

Currents and resistances are compared by their logarithms. The logarithm of a current within the noise s of the instrument
is meaningless; there the scale is asinh(y / 2s), which is ln(y / s) far above the noise and y / 2s below it.

The uncertainty comes from a column, from repeats, or from the scatter; results state which. A relative part and the noise
of the instrument, stated or estimated by the reader of the data, add as squares.

Losses are as in scipy.optimize.least_squares, functions of the square z of a residual in units of its uncertainty. All
but the linear one give less weight to points that are far from the fit, and are so robust against outliers (P. J. Huber,
Robust Statistics).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.analysis.sweeps import LOST, deviation, same_sweep
from otjdd.case.case import Case
from otjdd.case.fit import LOSSES
from otjdd.case.problem import Problem, data_error, nearest
from otjdd.errors import CaseError, SolverError
from otjdd.fitting.search import Simulated
from otjdd.measurements.datasets import row_of_point
from otjdd.measurements.names import UNCERTAINTY
from otjdd.runs.run import simulate
from otjdd.solver.start import Steps, Trail
from otjdd.system.late import scipy, xr

ESTIMATED, COLUMN, REPEATS = "estimated", "column", "repeats"  # origin of an uncertainty
CHARGES = ("polarisation", "electrode_charge")  # per area, of a polarised film: P, and D = P + eps0 eps_r E


class MeasuredCurve(NamedTuple):
    """A measured curve (n,) of one data set and temperature.

    data : number of the data set   label : its name   quantity, axis : names   x, y : numbers (n,) [SI]
    magnitude : True if only |y| was measured
    scale : on which y is compared   sigma : uncertainty (n,) on that scale, divided by the root of the weight
    uncertainty : its origin   lines : of the file (n,)
    source : where in a run its numbers are: "reads", "live" (at reads: P, D, or the current as an instrument shows it)
        or "bias"
    take : indices (n,) of reads or bias voltages   state : name of the state of a drive of curves at frozen ions
    """

    data: int
    label: str
    quantity: str
    axis: str
    x: np.ndarray
    y: np.ndarray
    magnitude: bool
    scale: Scale
    sigma: np.ndarray
    uncertainty: str
    lines: np.ndarray
    source: str
    take: np.ndarray
    state: str = ""


class ComparedRun(NamedTuple):
    """One simulation and the curves that are compared with it."""

    case: Case
    curves: tuple[MeasuredCurve, ...]


def simulated_values(curve: MeasuredCurve, case: Case, ds: xr.Dataset) -> np.ndarray:
    """Numbers (n,) [SI] of a run at the points of a curve."""
    name = curve.quantity
    if curve.source == "reads":
        if name in ds and ds[name].dims == ("read",) and name != "read_current":
            values = ds[name].values
        else:
            values = from_currents(name, case, ds["read_current"].values, ds["read_voltage"].values)
    elif name in CHARGES:
        values = ds[name].values[np.searchsorted(ds["time"].values, ds["read_time"].values)]
    elif curve.source == "live":
        values = from_currents(name, case, live_current(case, ds), ds["read_voltage"].values)
    else:
        chosen = ds.sel(state=curve.state) if curve.state and "state" in ds.dims else ds
        chosen = chosen.isel({dim: 0 for dim in chosen.dims if dim in ("state", "temperature", "frequency")})
        if name in chosen:
            values = chosen[name].values
        else:
            values = from_currents(name, case, chosen["bias_current"].values, chosen["bias"].values)
    values = np.asarray(values)[curve.take]
    return folded_mean(values, curve.scale) if curve.magnitude else values


def folded_mean(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Mean magnitude (n,) of values (n,) measured with noise, above 0 even for a value of 0; |values| without noise.

    The noise is the size of an asinh scale. The mean is of a folded normal distribution (Leone, Nelson and Nottingham,
    Technometrics 3, 543 (1961)).
    """
    if scale.kind != "asinh":
        return np.asarray(np.abs(values))
    ratio = values / scale.size
    return scale.size * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + values * scipy.special.erf(ratio / np.sqrt(2))


def live_current(case: Case, ds: xr.Dataset) -> np.ndarray:
    """Current (read,) [A] that the instrument shows at the reads of a run.

    The displacement current is the mean since the read before; `matching.match_of_times` places an extra read shortly
    before each point.
    """
    time, read_time = ds["time"].values, ds["read_time"].values
    at = np.searchsorted(time, read_time)  # of two rows at a jump the first
    if case.circuit.tau:
        return np.asarray(ds["current"].values[at])
    terminal = "terminal_charge_left" if "terminal_charge_left" in ds else "electrode_charge"
    charge = case.device.junction_area * ds[terminal].values
    charge = charge + case.circuit.parallel_capacitance * ds["junction_voltage"].values
    flowed, took = charge[at[1:]] - charge[at[1:] - 1], time[at[1:]] - time[at[1:] - 1]
    current, most = ds["read_current"].values + np.append(0.0, flowed / took), case.circuit.range
    return np.asarray(current if most is None else np.clip(current, -most, most))


def from_currents(quantity: str, case: Case, current: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """A quantity from currents [A] and voltages [V]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if quantity == "resistance":
            return np.asarray(voltage / current)
        if quantity == "conductance":
            return np.asarray(current / voltage)
    return current / case.device.junction_area if quantity == "current_density" else current


def simulated_numbers(run: ComparedRun, values: dict[str, float], given: Steps | None = None) -> Simulated:
    """Simulated numbers (point,) of the curves of a run, on their scales; nan if it fails. Raises DataError.

    values : of the case of the run, by dotted key   given : steps of another run, to be taken; None to choose its own
    """
    trail = Trail(given)
    try:
        case = run.case.replace(values)
        ds = simulate(case, trail=trail)
    except (SolverError, CaseError, ValueError):
        return Simulated(np.full(sum(len(curve.y) for curve in run.curves), np.nan))
    return Simulated(scaled_values(run, case, ds), trail.steps)


def scaled_values(run: ComparedRun, case: Case, ds: xr.Dataset) -> np.ndarray:
    """Numbers (point,) of a Dataset at the points of the curves of a run, on their scales. Raises DataError."""
    parts = [curve.scale.apply(of_one_sign(curve, simulated_values(curve, case, ds))) for curve in run.curves]
    return np.concatenate(parts)


def of_one_sign(curve: MeasuredCurve, values: np.ndarray) -> np.ndarray:
    """Values (n,), unchanged. Raises DataError if most have the opposite sign of the data, which a logarithm would hide."""
    wrong = np.flatnonzero(values * curve.y < 0)
    if curve.scale.kind == "log" and not curve.magnitude and len(wrong) > len(values) / 2:
        expected = f"a {curve.quantity} of the sign of the run; voltages refer to the left electrode"
        got = f"{curve.y[wrong[0]]:g} where the run has {values[wrong[0]]:g}"
        raise data_error(curve.label, int(curve.lines[wrong[0]]), expected, got)
    return values


LOGARITHMIC = {"current", "read_current", "current_density", "resistance", "conductance"}


class Scale(NamedTuple):
    """A scale. kind : "log", "asinh" or "linear"   size : of the noise for "asinh", of the numbers for "linear" [SI]"""

    kind: str
    size: float = 1.0

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Values on the scale."""
        if self.kind == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(np.log(np.abs(values)))
        return np.asarray(np.arcsinh(values / (2 * self.size)) if self.kind == "asinh" else values / self.size)

    def slope(self, values: np.ndarray) -> np.ndarray:
        """Derivative of the scale at values, a positive number."""
        if self.kind == "log":
            return np.asarray(1 / np.abs(values))
        if self.kind == "asinh":
            return np.asarray(1 / np.hypot(values, 2 * self.size))
        return np.full(np.shape(values), 1 / self.size)

    def inverse(self, scaled: np.ndarray) -> np.ndarray:
        """Values [SI] of numbers on the scale; for "log" their magnitudes."""
        if self.kind == "log":
            return np.asarray(np.exp(scaled))
        return np.asarray(2 * self.size * np.sinh(scaled) if self.kind == "asinh" else scaled * self.size)


def scale_of(quantity: str, values: np.ndarray, noise: float) -> Scale:
    """Scale of a measured quantity. noise : its noise floor, nan for none"""
    if quantity not in LOGARITHMIC:
        return Scale("linear", float(np.sqrt(np.mean(values**2))) or 1.0)
    return Scale("asinh", noise) if np.isfinite(noise) else Scale("log")


LINEAR = LOSSES[0]


class Loss(NamedTuple):
    """A loss (n,), its first and its second derivative by z."""

    rho: np.ndarray
    slope: np.ndarray
    bend: np.ndarray


def loss_of(name: str) -> str:
    """Name of a loss; "soft_l1" is "soft-l1". Raises CaseError for an unknown one."""
    loss_name = name.replace("_", "-").lower()
    if loss_name not in LOSSES:
        expected, hint = f"one of {', '.join(LOSSES)}", nearest(loss_name, LOSSES)
        raise CaseError([Problem("loss", 0, 0, "", expected, repr(name), hint)])
    return loss_name


def loss(name: str, z: np.ndarray) -> Loss:
    """The loss of squared residuals z (n,)."""
    z = np.asarray(z, dtype=float)
    if name == "soft-l1":
        root = np.sqrt(1 + z)
        return Loss(2 * (root - 1), 1 / root, -0.5 / root**3)
    if name == "huber":
        far, root = z > 1, np.sqrt(np.maximum(z, 1.0))
        return Loss(np.where(far, 2 * root - 1, z), 1 / root, np.where(far, -0.5 / root**3, 0.0))
    if name == "cauchy":
        return Loss(np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2)
    if name == "arctan":
        return Loss(np.arctan(z), 1 / (1 + z**2), -2 * z / (1 + z**2) ** 2)
    return Loss(z, np.ones_like(z), np.zeros_like(z))


def covariance_factor(name: str, residuals: np.ndarray, freedom: int) -> float:
    """Factor by which the inverse of J^T J becomes the covariance of a fit with a loss; 1 for the linear loss.

    residuals : (point,)   freedom : degrees of freedom
    It is Huber's: the mean square of the influence psi = r rho'(r^2) over the square of its mean slope. It depends on the
    scatter of the points and not on their stated uncertainty.
    """
    if name == LINEAR:
        return 1.0
    z = residuals**2
    at = loss(name, z)
    influence, slope = residuals * at.slope, at.slope + 2 * z * at.bend
    return float(np.sum(influence**2) / freedom / np.mean(slope) ** 2)


LEAST = 0.01  # lowest estimate of a relative uncertainty: instruments and digitised figures are no better
CLEAR = 10.0  # multiple of the noise of the instrument, above which the relative scatter is estimated
FEWEST = 5  # least number of second differences for an estimate


class Points(NamedTuple):
    """Points (n,) of a curve; repeated measurements are one point.

    at : indices in the data   y : numbers [SI]   sigma : uncertainties on the scale   source : origin of these
    """

    at: np.ndarray
    y: np.ndarray
    scale: Scale
    sigma: np.ndarray
    source: str

    def only(self, chosen: np.ndarray) -> Points:
        """Points for which `chosen` (n,) is true."""
        return self._replace(at=self.at[chosen], y=self.y[chosen], sigma=self.sigma[chosen])


class InstrumentNoise(NamedTuple):
    """Noise of an instrument, nan if it is not stated.

    size : of the measured quantity [SI]
    over_voltage : of the current, over the read voltage [S]; a resistance R has R^2 times it
    """

    size: float = np.nan
    over_voltage: float = np.nan

    def of(self, y: np.ndarray) -> np.ndarray:
        """Noise (n,) [SI] of numbers y (n,), 0 if it is not stated."""
        return np.asarray(np.nan_to_num(self.size) + np.nan_to_num(self.over_voltage) * np.square(y))


UNSTATED = InstrumentNoise()


def points_of(ds: xr.Dataset, rows: xr.Dataset, quantity: str, stated: InstrumentNoise = UNSTATED) -> Points:
    """Points of a quantity of measured data at one temperature. Repeats of a sweep are replaced by their mean.

    rows : all rows that the points are among   stated : noise of the instrument
    """
    y = ds[quantity].values
    given = ds[f"{quantity}{UNCERTAINTY}"].values if f"{quantity}{UNCERTAINTY}" in ds else None
    noise = stated
    if not np.isfinite(stated).any():
        floor = ds[quantity].attrs.get("noise_floor", np.nan)
        if given is not None:  # the uncertainty of the smallest numbers, which are lost in it
            lost = np.abs(y) < LOST * given
            floor = np.median(given[lost]) if lost.any() else np.nan
        noise = InstrumentNoise(float(floor))
    scale = scale_of(quantity, y, noise.size)
    usable = np.isfinite(scale.apply(y)) & ((y > 0) | (quantity not in ("resistance", "conductance")))
    record = rows["record"].values
    if given is None and record.min() != record.max() and has_repeats(rows):
        return means_of_repeats(ds, rows, np.where(usable, y, np.nan), scale, noise)
    at = np.flatnonzero(usable)
    if given is not None:
        return Points(at, y[at], scale, np.hypot(given[at], stated.of(y[at])) * scale.slope(y[at]), COLUMN)
    own = noise.of(y[at])
    return Points(at, y[at], scale, on_scale(white_noise(scale, y[at], own), y[at], own, scale), ESTIMATED)


def on_scale(relative: float, y: np.ndarray, noise: np.ndarray, scale: Scale) -> np.ndarray:
    """Uncertainty (n,) on a scale of numbers y (n,), from a relative one and a noise (n,) [SI].

    On a linear scale the relative uncertainty refers to the size of the scale.
    """
    size = scale.size if scale.kind == "linear" else np.abs(y)
    return np.asarray(np.hypot(relative * size, noise) * scale.slope(y))


def has_repeats(rows: xr.Dataset) -> bool:
    """True if records repeat one measurement: they have as many rows each, with the same applied values."""
    record = rows["record"].values
    count = np.unique(record, return_counts=True)[1]
    if len(set(count)) > 1:
        return False
    tables = (rows[name].values.reshape(len(count), -1) for name in rows.data_vars)
    return all(same_sweep(table[0], later) for table in tables for later in table[1:])


def means_of_repeats(ds: xr.Dataset, rows: xr.Dataset, y: np.ndarray, scale: Scale, stated: InstrumentNoise) -> Points:
    """Means of repeats and their standard errors, from the scatter of all points together.

    Places of the sweep at which a repeat has no number are left out. y : (point,), nan for unused points
    """
    flat = np.full(rows.sizes["point"], -1)
    flat[row_of_point(ds, rows)] = np.arange(len(y))
    number = flat.reshape(len(np.unique(rows["record"].values)), -1)
    table = np.where(number >= 0, y[number], np.nan)
    inside = np.isfinite(table).all(axis=0)
    table, at = table[:, inside], number[0, inside]
    if scale.kind == "log":
        mean = np.exp(scale.apply(table).mean(axis=0)) * np.sign(table[0])
    else:  # within the noise the mean is taken of the numbers, not of their asinh
        mean = table.mean(axis=0)
    variance, noise = np.var(table, axis=0, ddof=1), stated.of(mean)
    clear = np.abs(mean) > CLEAR * noise
    size = scale.size if scale.kind == "linear" else np.abs(mean[clear])
    share = np.mean(np.maximum(variance[clear] - noise[clear] ** 2, 0.0) / size**2) if clear.any() else 0.0
    sigma = on_scale(max(np.sqrt(share), LEAST), mean, noise, scale) / np.sqrt(len(table))
    return Points(at, mean, scale, sigma, REPEATS)


def white_noise(scale: Scale, y: np.ndarray, noise: np.ndarray) -> float:
    """Relative standard deviation of white noise on a smooth curve, from numbers above CLEAR times the noise.

    It follows from second differences on the scale. It is at least LEAST, and LEAST for fewer than FEWEST differences.
    """
    clear = np.abs(y) > CLEAR * noise
    bends = np.diff(scale.apply(y), 2)[clear[2:] & clear[1:-1] & clear[:-2]] if len(y) > 2 else np.empty(0)
    return max(deviation(bends), LEAST) if len(bends) >= FEWEST else LEAST
