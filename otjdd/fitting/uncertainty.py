"""The uncertainty of measured numbers: from a column, from repeats or from the scatter; results name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.fitting.curves import COLUMN, ESTIMATED, REPEATS
from otjdd.fitting.scales import Scale, scale_of
from otjdd.measurements.names import UNCERTAINTY
from otjdd.measurements.noise import LOST, deviation

if TYPE_CHECKING:
    import xarray as xr

LEAST = 0.01  # relative, of an estimate: no instrument's range and no reading from a picture is better


class Points(NamedTuple):
    """Points of a curve, one for each of repeated measurements: where they stand in the data, numbers, uncertainties."""

    at: np.ndarray
    y: np.ndarray
    scale: Scale
    sigma: np.ndarray
    source: str


def points_of(ds: xr.Dataset, quantity: str) -> Points:
    """Points of a quantity of measured data at one temperature; repeats of equal length become their mean."""
    y, record = ds[quantity].values, ds["record"].values
    given = ds[f"{quantity}{UNCERTAINTY}"].values if f"{quantity}{UNCERTAINTY}" in ds else None
    scale = scale_of(quantity, y, noise_of(ds, quantity, given))
    usable = np.isfinite(scale.apply(y)) & ((y > 0) | (quantity not in ("resistance", "conductance")))
    counts = np.unique(record, return_counts=True)[1]
    if given is None and len(counts) > 1 and len(set(counts)) == 1:
        return repeated(y.reshape(len(counts), -1), usable.reshape(len(counts), -1), scale)
    at = np.flatnonzero(usable)
    if given is not None:
        return Points(at, y[at], scale, given[at] * scale.slope(y[at]), COLUMN)
    noise = scale.size if scale.kind == "asinh" else 0.0
    size = np.abs(y[at]) if scale.kind != "linear" else scale.size
    return Points(at, y[at], scale, np.hypot(scatter(scale.apply(y[at])) * size, noise) * scale.slope(y[at]), ESTIMATED)


def noise_of(ds: xr.Dataset, quantity: str, given: np.ndarray | None) -> float:
    """Noise in which the smallest numbers are lost, from their uncertainty where it is known; nan for none."""
    if given is None:
        return ds[quantity].attrs.get("noise_floor", np.nan)
    lost = np.abs(ds[quantity].values) < LOST * given
    return float(np.median(given[lost])) if lost.any() else np.nan


def repeated(y: np.ndarray, usable: np.ndarray, scale: Scale) -> Points:
    """Means of repeats (repeat, point) and their standard errors, from the scatter of all points together."""
    at = np.flatnonzero(usable.all(axis=0))
    scaled = scale.apply(y[:, at])
    pooled = np.sqrt(np.mean(np.var(scaled, axis=0, ddof=1)) / len(y))
    mean = scale.inverse(scaled.mean(axis=0)) * (np.sign(y[0, at]) if scale.kind == "log" else 1.0)
    return Points(at, mean, scale, np.full(len(at), max(pooled, LEAST / np.sqrt(len(y)))), REPEATS)


def scatter(scaled: np.ndarray) -> float:
    """Standard deviation of white noise on a smooth curve, from its second differences; LEAST for a curve without any."""
    return max(deviation(np.diff(scaled, 2)), LEAST) if len(scaled) > 6 else LEAST
