"""The uncertainty of measured numbers: from a column, from repeats, or from the scatter. Results state which.

A relative part and the noise of the instrument add as squares. The noise is stated, or estimated by the reader of the
data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.fitting.curves import COLUMN, ESTIMATED, REPEATS
from otjdd.fitting.scales import Scale, scale_of
from otjdd.measurements.applied import places
from otjdd.measurements.names import UNCERTAINTY
from otjdd.measurements.noise import LOST, deviation
from otjdd.measurements.sweeps import same

if TYPE_CHECKING:
    import xarray as xr

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

    def at(self, y: np.ndarray) -> np.ndarray:
        """Noise (n,) [SI] of numbers y (n,), 0 if it is not stated."""
        return np.asarray(np.nan_to_num(self.size) + np.nan_to_num(self.over_voltage) * np.square(y))


UNSTATED = InstrumentNoise()


def points_of(ds: xr.Dataset, rows: xr.Dataset, quantity: str, stated: InstrumentNoise = UNSTATED) -> Points:
    """Points of a quantity of measured data at one temperature. Repeats of a sweep are replaced by their mean.

    rows : all rows that the points are among   stated : noise of the instrument
    """
    y = ds[quantity].values
    given = ds[f"{quantity}{UNCERTAINTY}"].values if f"{quantity}{UNCERTAINTY}" in ds else None
    noise = stated if np.isfinite(stated).any() else InstrumentNoise(noise_of(ds, quantity, given))
    scale = scale_of(quantity, y, noise.size)
    usable = np.isfinite(scale.apply(y)) & ((y > 0) | (quantity not in ("resistance", "conductance")))
    record = rows["record"].values
    if given is None and record.min() != record.max() and repeats(rows):
        return means_of_repeats(ds, rows, np.where(usable, y, np.nan), scale, noise)
    at = np.flatnonzero(usable)
    if given is not None:
        return Points(at, y[at], scale, np.hypot(given[at], stated.at(y[at])) * scale.slope(y[at]), COLUMN)
    own = noise.at(y[at])
    return Points(at, y[at], scale, on_scale(scatter(scale, y[at], own), y[at], own, scale), ESTIMATED)


def on_scale(relative: float, y: np.ndarray, noise: np.ndarray, scale: Scale) -> np.ndarray:
    """Uncertainty (n,) on a scale of numbers y (n,), from a relative one and a noise (n,) [SI].

    On a linear scale the relative uncertainty refers to the size of the scale.
    """
    size = scale.size if scale.kind == "linear" else np.abs(y)
    return np.asarray(np.hypot(relative * size, noise) * scale.slope(y))


def noise_of(ds: xr.Dataset, quantity: str, given: np.ndarray | None) -> float:
    """Noise [SI] in which the smallest numbers are lost, from their uncertainty if given; nan without noise."""
    if given is None:
        return float(ds[quantity].attrs.get("noise_floor", np.nan))
    lost = np.abs(ds[quantity].values) < LOST * given
    return float(np.median(given[lost])) if lost.any() else np.nan


def repeats(rows: xr.Dataset) -> bool:
    """True if records repeat one measurement: they have as many rows each, with the same applied values."""
    record = rows["record"].values
    count = np.unique(record, return_counts=True)[1]
    if len(set(count)) > 1:
        return False
    tables = (rows[name].values.reshape(len(count), -1) for name in rows.data_vars)
    return all(same(table[0], later) for table in tables for later in table[1:])


def means_of_repeats(ds: xr.Dataset, rows: xr.Dataset, y: np.ndarray, scale: Scale, stated: InstrumentNoise) -> Points:
    """Means of repeats and their standard errors, from the scatter of all points together.

    Places of the sweep at which a repeat has no number are left out. y : (point,), nan for unused points
    """
    flat = np.full(rows.sizes["point"], -1)
    flat[places(ds, rows)] = np.arange(len(y))
    number = flat.reshape(len(np.unique(rows["record"].values)), -1)
    table = np.where(number >= 0, y[number], np.nan)
    inside = np.isfinite(table).all(axis=0)
    table, at = table[:, inside], number[0, inside]
    if scale.kind == "log":
        mean = np.exp(scale.apply(table).mean(axis=0)) * np.sign(table[0])
    else:  # within the noise the mean is taken of the numbers, not of their asinh
        mean = table.mean(axis=0)
    variance, noise = np.var(table, axis=0, ddof=1), stated.at(mean)
    clear = np.abs(mean) > CLEAR * noise
    size = scale.size if scale.kind == "linear" else np.abs(mean[clear])
    share = np.mean(np.maximum(variance[clear] - noise[clear] ** 2, 0.0) / size**2) if clear.any() else 0.0
    sigma = on_scale(max(np.sqrt(share), LEAST), mean, noise, scale) / np.sqrt(len(table))
    return Points(at, mean, scale, sigma, REPEATS)


def scatter(scale: Scale, y: np.ndarray, noise: np.ndarray) -> float:
    """Relative standard deviation of white noise on a smooth curve, from numbers above CLEAR times the noise.

    It follows from second differences on the scale. It is at least LEAST, and LEAST for fewer than FEWEST differences.
    """
    clear = np.abs(y) > CLEAR * noise
    bends = np.diff(scale.apply(y), 2)[clear[2:] & clear[1:-1] & clear[:-2]] if len(y) > 2 else np.empty(0)
    return max(deviation(bends), LEAST) if len(bends) >= FEWEST else LEAST
