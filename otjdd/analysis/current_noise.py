"""Noise of a current in time, and scatter of numbers of several devices over several cycles.

The noise of a current that is read repeatedly at one voltage: its spectrum, slope and size, and the noise of electrons.
Scatter is from cycle to cycle, and from device to device.
"""

from __future__ import annotations

import math
import tomllib
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.system.late import scipy, xr
from otjdd.units import parse

FEWEST = 64  # reads of a spectrum
SEGMENTS = 8  # of Welch's method, each half over the next
NUMBERS = {  # name -> unit, meaning
    "slope": ("1", "power of the frequency that the spectrum goes with"),
    "slope_error": ("1", "standard error of the slope"),
    "size": ("1", "f S/I^2, geometric mean over the frequencies"),
    "ions": ("1", "vacancies of the junction"),
    "hooge": ("1", "f S/I^2 times the number of vacancies"),
    "scatter": ("1", "standard deviation of ln I"),
    "shot_spectrum": ("A2 Hz-1", "spectral density of the shot noise of electrons, 2 e I"),
    "thermal_spectrum": ("A2 Hz-1", "spectral density of the noise of the series resistance"),
    "electron_current": ("A", "root mean square of both in the bandwidth of the instrument"),
    "mean_current": ("A", "mean of the current"),
}
EVEN = 1e-6  # relative difference of intervals that count as equal


def noise(ds: xr.Dataset) -> xr.Dataset:
    """Noise of the reads of a result, evenly spaced and at one voltage, as drive `steps` with `read_each` makes.

    frequency (F,) [Hz], current_spectrum (F,) [A2/Hz], one-sided, of the current less its straight line (Welch)
    slope : of ln S against ln f, -1 for 1/f, least squares; slope_error : its standard error
    size : f S/I^2 [1], geometric mean over the frequencies
    ions, hooge : vacancies of the junction, of columns of one density, and N f S/I^2 with that N; nan where not known.
        Hooge's number has the N of the carriers (Phys. Lett. A 29, 139 (1969)): here the ions are what fluctuates
    scatter : standard deviation of ln I
    shot_spectrum, thermal_spectrum : 2 e I of electrons, and of the series resistance [A2/Hz], which the run leaves out
    electron_current : root mean square of both [A] in the bandwidth of the instrument; nan where [circuit] has none
    Raises ValueError for fewer than 64 reads, and for reads that are not even or change sign.
    """
    names = [name for name in ("read_time", "read_current", "read_voltage") if name not in ds]
    if names:
        raise ValueError(f"a spectrum of noise takes reads, the result has no {', '.join(names)}")
    time, current, voltage = (ds[name].values for name in ("read_time", "read_current", "read_voltage"))
    if len(time) < FEWEST:
        raise ValueError(f"a spectrum of noise takes {FEWEST} reads or more, there are {len(time)}")
    interval = np.diff(time)
    if np.ptp(interval) > EVEN * time[-1] or np.ptp(voltage) > EVEN * np.abs(voltage).max():
        raise ValueError("a spectrum of noise takes reads at even times and one voltage")
    if not (np.isfinite(current).all() and (current * current[0] > 0).all()):
        raise ValueError("a spectrum of noise takes reads of a current that is there and keeps its sign")
    window = 2 * len(time) // (SEGMENTS + 1)
    f, S = (array[1:-1] for array in scipy.signal.welch(current, 1 / interval.mean(), nperseg=window, detrend="linear"))
    mean = float(abs(current.mean()))
    fitted = dict.fromkeys(("slope", "slope_error", "size"), math.nan)
    if (S > 0).all():
        (slope, _), covariance = np.polyfit(np.log(f), np.log(S), 1, cov=True)
        size = float(np.exp(np.log(f * S).mean())) / mean**2
        fitted = {"slope": float(slope), "slope_error": math.sqrt(covariance[0, 0]), "size": size}
    shot, thermal, bandwidth = electron_noise(ds, mean, float(abs(voltage[0])))
    ions = math.nan
    if "single_ion_share" in ds and "column_weight" in ds and "kind" not in ds.dims:  # columns of one density
        ions = float(ds.column_weight.values.sum() / ds.column_weight.values.min() / ds.single_ion_share.item())
    fitted |= {
        "ions": ions, "hooge": ions * fitted["size"],
        "scatter": float(np.log(np.abs(current)).std(ddof=1)), "shot_spectrum": shot, "thermal_spectrum": thermal,
        "electron_current": math.sqrt((shot + thermal) * bandwidth), "mean_current": mean,
    }  # fmt: skip
    spectrum = ("frequency", S, {"units": "A2 Hz-1", "long_name": "spectral density of the current"})
    numbers = {
        name: ((), fitted[name], {"units": unit, "long_name": long_name}) for name, (unit, long_name) in NUMBERS.items()
    }
    frequency = ("frequency", f, {"units": "Hz", "long_name": "frequency"})
    return xr.Dataset({"current_spectrum": spectrum} | numbers, {"frequency": frequency})


def electron_noise(ds: xr.Dataset, current: float, voltage: float) -> tuple[float, float, float]:
    """Spectra [A2/Hz] of the shot noise of a current [A] and of the series resistance at a voltage [V], and a bandwidth.

    The bandwidth [Hz] is the equivalent one of the single pole of the instrument, nan where there is none. Unknown values
    of a Dataset without a case are left out. Source: 2 e I (Schottky), 4 kT R_s of a voltage across R_s and the junction.
    """
    case = tomllib.loads(ds.attrs.get("case_resolved", ""))
    circuit = case.get("circuit", {})
    T = parse(case["temperature"], "temperature") if "temperature" in case else 300.0
    series = parse(circuit["series_resistance"], "resistance") if "series_resistance" in circuit else 0.0
    pole = math.nan
    if "bandwidth" in circuit:
        pole = parse(circuit["bandwidth"], "frequency")
    elif "time_constant" in circuit:
        pole = 1 / (2 * math.pi * parse(circuit["time_constant"], "time"))
    thermal = 4 * BOLTZMANN_EV * T * ELEMENTARY_CHARGE * series * (current / voltage) ** 2 if voltage else 0.0
    return 2 * ELEMENTARY_CHARGE * current, thermal, 0.5 * math.pi * pole


class Scatter(NamedTuple):
    """Standard deviations of x within and between devices, and their standard errors; nan where there are too few numbers.

    c2c : within a device, pooled over the devices   d2d : between the expected values of devices
    drift : change of x over all cycles along a straight line, mean of the devices
    devices, cycles : number of devices, largest number of cycles of one
    """

    c2c: float
    c2c_error: float
    d2d: float
    d2d_error: float
    drift: float
    drift_error: float
    devices: int
    cycles: int


def scatter(numbers: ArrayLike) -> Scatter:
    """Scatter of numbers (devices, cycles), normally distributed in both ways; nan for what is missing.

    Analysis of variance, one way, random effects (Searle, Casella & McCulloch, Variance Components, ch. 3): c2c^2 is the
    mean square within devices, d2d^2 is the variance of the means of devices less c2c^2/n, zero where that is below zero.
    With one cycle d2d holds both, and c2c is nan. A drift counts as scatter within devices.
    """
    x: np.ndarray = np.asarray(numbers, dtype=float)
    x = x[np.isfinite(x).any(axis=1)]
    finite = np.isfinite(x)
    n = finite.sum(axis=1)
    devices, total = len(n), int(n.sum())
    if not devices:
        nan = math.nan
        return Scatter(nan, nan, nan, nan, nan, nan, 0, 0)
    means = np.nanmean(x, axis=1)
    spare, between = total - devices, devices - 1
    within = float(np.nansum((x - means[:, None]) ** 2)) / spare if spare else math.nan
    noise = within if spare else 0.0
    noise_error = noise * math.sqrt(2 / spare) if spare else 0.0
    c2c_error = math.sqrt(within / (2 * spare)) if spare else math.nan
    d2d, d2d_error = math.nan, math.nan
    if between:
        square = float(n @ (means - n @ means / total) ** 2) / between
        cycles_per_device = (total - float(n @ n) / total) / between
        variance = max(0.0, (square - noise) / cycles_per_device)
        error = math.hypot(square * math.sqrt(2 / between), noise_error) / cycles_per_device
        d2d = math.sqrt(variance)  # its square is above -error: its own error is at most sqrt(error)
        d2d_error = min(error / (2 * d2d), math.sqrt(error)) if variance > 0 else math.sqrt(error)
    changes = line_changes(x, finite)
    few = changes.size < 2
    drift_error = math.nan if few else float(np.std(changes, ddof=1)) / math.sqrt(changes.size)
    drift = float(changes.mean()) if changes.size else math.nan
    return Scatter(math.sqrt(within), c2c_error, d2d, d2d_error, drift, drift_error, devices, int(n.max()))


def line_changes(x: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Change of x (devices, cycles) along a straight line, from the first cycle to the last.

    Returns (n,), of the devices with two numbers or more.
    """
    several = finite.sum(axis=1) > 1
    x, finite = x[several], finite[several]
    t = np.where(finite, np.arange(x.shape[1], dtype=float), np.nan)
    from_middle = np.nan_to_num(t - np.nanmean(t, axis=1, keepdims=True))
    slopes = (from_middle * np.where(finite, x, 0.0)).sum(axis=1) / (from_middle**2).sum(axis=1)
    return np.asarray(slopes * (np.nanmax(t, axis=1) - np.nanmin(t, axis=1)))
