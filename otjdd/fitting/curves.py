"""A measured curve and its run: numbers, uncertainties, and their places in the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.drive_curves import Prepared
from otjdd.case.problem import Problem
from otjdd.errors import CaseError, DataError, SolverError
from otjdd.fitting.evaluate import Simulated
from otjdd.fitting.scales import Scale
from otjdd.runs.run import simulate
from otjdd.solver.trail import Steps, Trail

if TYPE_CHECKING:
    import xarray as xr

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
    if curve.source == "reads":
        values = from_reads(curve.quantity, case, ds)[curve.take]
    elif curve.quantity in CHARGES:
        at = np.searchsorted(ds["time"].values, ds["read_time"].values)
        values = ds[curve.quantity].values[at[curve.take]]
    elif curve.source == "live":
        values = derived(curve.quantity, case, live_current(case, ds), ds["read_voltage"].values)[curve.take]
    else:
        values = from_bias(curve, case, ds)[curve.take]
    return magnitude(values, curve.scale) if curve.magnitude else values


def magnitude(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Mean magnitude (n,) of values (n,) measured with noise, above 0 even for a value of 0; |values| without noise.

    The noise is the size of an asinh scale. The mean is that of a folded normal distribution (Leone, Nelson and Nottingham,
    Technometrics 3, 543 (1961)).
    """
    if scale.kind != "asinh":
        return np.asarray(np.abs(values))
    from scipy.special import erf

    ratio = values / scale.size
    return scale.size * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + values * erf(ratio / np.sqrt(2))


def live_current(case: Case, ds: xr.Dataset) -> np.ndarray:
    """Current (read,) [A] that the instrument shows at the reads of a run.

    The displacement current is the mean since the read before; `matching.live` places an extra read shortly before each
    point.
    """
    time, read_time = ds["time"].values, ds["read_time"].values
    at = np.searchsorted(time, read_time)  # of two rows at a jump the first
    if case.circuit.tau:
        return np.asarray(ds["current"].values[at])
    terminal = "terminal_charge_left" if "terminal_charge_left" in ds else "electrode_charge"
    charge = (
        case.device.junction_area * ds[terminal].values
        + case.circuit.parallel_capacitance * ds["junction_voltage"].values
    )
    flowed, took = charge[at[1:]] - charge[at[1:] - 1], time[at[1:]] - time[at[1:] - 1]
    current = ds["read_current"].values + np.append(0.0, flowed / took)
    return np.asarray(
        current if case.circuit.range is None else np.clip(current, -case.circuit.range, case.circuit.range)
    )


def from_reads(quantity: str, case: Case, ds: xr.Dataset) -> np.ndarray:
    """A quantity (read,) of the reads of a run."""
    if quantity in ds and ds[quantity].dims == ("read",) and quantity != "read_current":
        return np.asarray(ds[quantity].values)
    return derived(quantity, case, ds["read_current"].values, ds["read_voltage"].values)


def from_bias(curve: MeasuredCurve, case: Case, ds: xr.Dataset) -> np.ndarray:
    """A quantity (bias,) of the curves at frozen ions of a run."""
    chosen = ds.sel(state=curve.state) if curve.state and "state" in ds.dims else ds
    chosen = chosen.isel({dim: 0 for dim in chosen.dims if dim in ("state", "temperature", "frequency")})
    if curve.quantity in chosen:
        return np.asarray(chosen[curve.quantity].values)
    return derived(curve.quantity, case, chosen["bias_current"].values, chosen["bias"].values)


def derived(quantity: str, case: Case, current: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """A quantity from currents [A] and voltages [V]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if quantity == "resistance":
            return np.asarray(voltage / current)
        if quantity == "conductance":
            return np.asarray(current / voltage)
    return current / case.device.junction_area if quantity == "current_density" else current


def noise_along(case: Case) -> float:
    """Noise of the logarithms of currents along the time steps of another run, from the tolerances of fields and currents.

    A curve at frozen ions chooses the energies of each current anew, with a noise of 2e-7 (rms) after a set.
    """
    return 2e-7 if isinstance(case.drive, Prepared) else 2e-9


def takes_trail(case: Case) -> bool:
    """True for a case whose run can take the time steps of another one."""
    return case.drive.kind != "patterns" and case.numerics.error == "none" and case.ions.noise == "none"


def numbers(run: ComparedRun, values: dict[str, float], given: Steps | None = None) -> Simulated:
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
        expected = f"a {curve.quantity} of the sign of the run; voltages are those of the left electrode"
        got = f"{curve.y[wrong[0]]:g} where the run has {values[wrong[0]]:g}"
        raise DataError([Problem(curve.label, int(curve.lines[wrong[0]]), 1, "", expected, got)])
    return values
