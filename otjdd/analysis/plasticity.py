"""Metrics of plasticity under pulses and spikes: Datasets, peaks and conductances in, plain numbers out.

They are the short-term response (peaks, paired pulses, decay), the shape of potentiation and depression, and the energy of
a spike, of measured or simulated currents. Numbers are SI; nan stands for what a run does not show.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.system.late import scipy, xr

STEEPEST = 50.0  # largest nonlinearity of either sign; a curve with it is a step
LEAST_PULSE = 0.05  # of the highest pulse: a lower one counts as noise of the voltage at rest
STARTS = np.sinh(np.linspace(-np.arcsinh(STEEPEST), np.arcsinh(STEEPEST), 41))  # nonlinearities that are tried first
GRID = np.linspace(0.0, 1.0, 101)  # shares of the pulses at which two curves are compared
SYNAPSE = 1e-13  # m2: 0.1 um2, the area to which energies of artificial synapses are often scaled


def pulses(ds: xr.Dataset, least: float = LEAST_PULSE) -> list[slice]:
    """Samples of `time` under each pulse, where |voltage| is nearer to the height of this pulse than to its last value.

    least : height of the lowest over the highest pulse, above the last value. Below half of the highest, a stretch
        of voltage that holds a read is a read and no pulse.
    """
    V = np.abs(np.asarray(ds.voltage, dtype=float))
    height = V - V[-1]
    stretches = slices_of(height > least * height.max()) if height.max() > 0 else []
    read_times = np.asarray(ds.read_time, dtype=float) if "read_time" in ds else np.empty(0)
    pulses = []
    for stretch in stretches:
        top = height[stretch].max()
        for part in slices_of(height[stretch] > top / 2):
            pulse = slice(stretch.start + part.start, stretch.start + part.stop)
            time = np.asarray(ds.time)[pulse]
            if top >= height.max() / 2 or not ((read_times >= time[0]) & (read_times <= time[-1])).any():
                pulses.append(pulse)
    return pulses


def slices_of(mask: np.ndarray) -> list[slice]:
    """Slices of the stretches (n,) that are True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def peaks(ds: xr.Dataset, what: str = "current") -> np.ndarray:
    """Largest |current| (n,) [A] under each pulse. what : name of the current"""
    current = np.abs(np.asarray(ds[what]))
    return np.array([current[pulse].max() for pulse in pulses(ds)])


def read_peaks(ds: xr.Dataset) -> np.ndarray:
    """Largest |current| (n,) [A] under each pulse: as the instrument reads it, or the conduction current for an ideal one.

    An ideal instrument also shows the current that charges the junction at a jump of the voltage, a spike whose height
    depends on the time step.
    """
    ideal = "conduction_current" in ds and bool(
        np.allclose(ds["current"][1:] - ds["conduction_current"][1:], mean_displacement(ds)[1:], rtol=1e-6)
        if "displacement_current" in ds
        else True
    )
    return peaks(ds, "conduction_current" if ideal else "current")


def mean_displacement(ds: xr.Dataset) -> np.ndarray:
    """Displacement current (T,) [A], mean over the interval that ends at each time; other results name it by itself."""
    return np.asarray(ds["mean_displacement_current" if "mean_displacement_current" in ds else "displacement_current"])


def facilitation(peaks: ArrayLike) -> dict[str, float]:
    """Growth of peaks (n,): ppf = (A2 - A1)/A1 at the second pulse, ptp = (An - A1)/A1 at the last."""
    A = np.asarray(peaks, dtype=float)
    return {"ppf": float(A[1] / A[0] - 1), "ptp": float(A[-1] / A[0] - 1)}


def relaxation(ds: xr.Dataset, what: str = "current") -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) [s] after the end of the last pulse, and a current (n,) [A] there (`current` or `conduction_current`).

    The sample at the time of the jump itself is left out, as the instrument has not seen the charge of the jump yet.
    """
    t, end = np.asarray(ds.time), pulses(ds)[-1].stop
    after = end + int(np.searchsorted(t[end:], t[end - 1], side="right"))
    return t[after:] - t[end - 1], np.asarray(ds[what])[after:]


def spike_energy(ds: xr.Dataset, start: float, end: float) -> dict[str, float]:
    """Energy [J] from the source between two times [s].

    conduction : integral of V I dt of the conduction current
    charging : energy of the displacement current, C V^2 for the rise of a rectangular pulse
    """
    t, V = np.asarray(ds.time), np.asarray(ds.voltage)
    inside = (t >= start) & (t <= end)
    displaced = mean_displacement(ds)[inside][1:] * np.diff(t[inside])  # charge, at the later voltage
    conducted = (V * np.asarray(ds.conduction_current))[inside]
    return {
        "conduction": float(scipy.integrate.trapezoid(conducted, t[inside])),
        "charging": float(np.sum(V[inside][1:] * displaced)),
    }


def nonlinearity(up: ArrayLike, down: ArrayLike) -> dict[str, float]:
    """Shape of potentiation and depression by equal pulses.

    up, down : (n,) [S], conductances after 0, 1, 2, ... pulses; nan is left out
    Returns up, down : nu of G(p) = G_0 + W g(p), g(p) = (1 - exp(-nu p)) / (1 - exp(-nu)), where p is the share of the
        pulses: 0 is linear, positive saturates, negative gets steeper, +-STEEPEST is a step. G_0 and the window W are
        fitted with nu: the smallest and the largest of noisy conductances are no window. nu is P_max/A of Chen, Peng & Yu,
        IEEE TCAD 37, 3067 (2018)
    up_error, down_error : standard errors of nu, from the scatter about the curves; nan without points to spare
    asymmetry : largest distance of the two curves g, with depression reversed   asymmetry_error : its standard error
    All are nan for fewer than three points, and where a window is within twice its error, as for a constant.
    """
    rise, fall = curvature(up), curvature(down)
    distance = mirrored_distance(rise.nu, fall.nu)
    slopes = [mirrored_distance(rise.nu + h, fall.nu + k) - distance for h, k in ((rise.error, 0.0), (0.0, fall.error))]
    return {
        "up": rise.nu,
        "up_error": rise.error,
        "down": fall.nu,
        "down_error": fall.error,
        "asymmetry": distance,
        "asymmetry_error": math.hypot(*slopes),
    }


class Curvature(NamedTuple):
    """Nonlinearity nu of a series of conductances and its standard error."""

    nu: float
    error: float


def bent_ramp(p: np.ndarray, nu: float) -> np.ndarray:
    """g(p) = (1 - exp(-nu p)) / (1 - exp(-nu)) (n,) from 0 to 1 at shares of the pulses p (n,)."""
    return p + nu * p * (1.0 - p) / 2 if abs(nu) < 1e-6 else np.expm1(-nu * p) / math.expm1(-nu)


def mirrored_distance(rise: float, fall: float) -> float:
    """Largest distance of a rise of nonlinearity `rise` from the reversed fall of nonlinearity `fall`."""
    if not (math.isfinite(rise) and math.isfinite(fall)):
        return math.nan
    return float(np.abs(bent_ramp(GRID, rise) - 1.0 + bent_ramp(GRID[::-1], fall)).max())


def curvature(conductance: ArrayLike) -> Curvature:
    """Nonlinearity of conductances (n,) [S] after 0, 1, 2, ... pulses, by least squares; nan as `nonlinearity` says."""
    G = np.asarray(conductance, dtype=float)
    finite = np.isfinite(G)
    p, G = np.linspace(0.0, 1.0, len(G))[finite], G[finite]
    if len(G) < 3 or not np.ptp(G) > 1e-12 * np.abs(G).max():
        return Curvature(math.nan, math.nan)
    G = (G - G[0]) / np.ptp(G)

    def columns(nu: float) -> np.ndarray:
        return np.column_stack((np.ones_like(p), bent_ramp(p, nu)))

    def misfit(nu: np.ndarray) -> np.ndarray:
        matrix = columns(nu.item())
        return matrix @ np.linalg.lstsq(matrix, G, rcond=None)[0] - G

    start = min(STARTS, key=lambda nu: float(np.sum(misfit(np.array([nu])) ** 2)))
    bounds = (-STEEPEST, STEEPEST)
    nu = scipy.optimize.least_squares(
        misfit, np.clip(start, -0.99 * STEEPEST, 0.99 * STEEPEST), bounds=bounds, xtol=1e-14, ftol=1e-15, gtol=1e-15
    ).x.item()
    matrix = columns(nu)
    window = np.linalg.lstsq(matrix, G, rcond=None)[0][1]
    step = 1e-4
    by_nu = window * (bent_ramp(p, nu + step) - bent_ramp(p, nu - step)) / (2 * step)
    spare, rest = len(G) - 3, misfit(np.array([nu]))
    variance = (rest @ rest) / spare if spare else math.nan
    covariance = np.linalg.pinv(np.column_stack((matrix, by_nu)))
    errors = np.sqrt(variance * np.sum(covariance**2, axis=1))
    if spare and not abs(window) > 2 * errors[1]:
        return Curvature(math.nan, math.nan)
    return Curvature(nu, float(errors[2]))


def slope(x: ArrayLike, y: ArrayLike) -> float:
    """Least-squares slope dy/dx of y (N,) over x (N,), where both are finite; nan for fewer than two different x."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    good = np.isfinite(x) & np.isfinite(y)
    return float(np.polyfit(x[good], y[good], 1)[0]) if len(np.unique(x[good])) > 1 else math.nan


def loss_per_decade(time: ArrayLike, resistance: ArrayLike) -> float:
    """Relative change per decade of time (n,) [s] of a resistance (n,) [ohm].

    Points that are nan, at a time of 0 or before, or of a resistance that is not above 0, are left out. nan for fewer than
    two different times.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 ** slope(*(np.log10(np.asarray(values, dtype=float)) for values in (time, resistance))) - 1


def decay_constant(thickness: ArrayLike, resistance: ArrayLike) -> float:
    """kappa [1/m] of R = R0 exp(2 kappa d), from resistances (n,) [ohm] of films of a thickness (n,) [m].

    Points that are nan, or of a resistance that is not above 0, are left out. nan for fewer than two different thicknesses.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return slope(thickness, np.log(np.asarray(resistance, dtype=float))) / 2
