"""Numbers of polarised films: the hysteresis loop, PUND pulses, and the resistance of both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

PULSES = 4  # positive, up, negative, down; the drive has one more pulse before them, which sets the film
OFF = 1e-9  # of the largest voltage: smaller voltages count as 0 V


def crossings(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of x (n,) at the zeros of y (n,), by linear interpolation: (where y rises, where y falls)."""
    at = np.flatnonzero((y[:-1] < 0) != (y[1:] < 0))
    found = x[at] - y[at] * (x[at + 1] - x[at]) / (y[at + 1] - y[at])
    rising = y[at + 1] > y[at]
    return found[rising], found[~rising]


def hysteresis(ds: xr.Dataset) -> dict[str, float]:
    """Coercive voltages [V] and fields [V/m], remanent and largest polarisation [C/m2] of the last loop.

    Raises ValueError for a run without a loop.
    """
    P, V, E = (ds[name].values for name in ("polarisation", "junction_voltage", "film_field"))
    volts, fields = crossings(V, P), crossings(E, P)
    remanent = crossings(P, V)
    if not (volts[0].size and volts[1].size and remanent[0].size and remanent[1].size):
        raise ValueError("a loop has a polarisation and a voltage that pass zero both ways")
    up, down = volts[0][-1], volts[1][-1]
    after_negative, after_positive = remanent[0][-1], remanent[1][-1]
    return {
        "coercive_up": float(up),
        "coercive_down": float(down),
        "coercive_voltage": float(up - down) / 2,
        "imprint": float(up + down) / 2,
        "coercive_field": float(fields[0][-1] - fields[1][-1]) / 2,
        "field_imprint": float(fields[0][-1] + fields[1][-1]) / 2,
        "remanent_up": float(after_positive),
        "remanent_down": float(after_negative),
        "remanent": float(after_positive - after_negative) / 2,
        "saturation": float(np.abs(P).max()),
    }


def pulses_of(V: np.ndarray) -> list[slice]:
    """Slices of the voltages (n,) [V] that are pulses, each from 0 V to 0 V."""
    on = np.abs(V) > OFF * np.abs(V).max()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(int)))
    return [slice(max(start - 1, 0), stop + 1) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def pund(ds: xr.Dataset) -> dict[str, float]:
    """PUND: changes of the charge on the left electrode [C/m2] by each pulse, and the switched and remanent charges.

    Raises ValueError for a run with other pulses.
    """
    V, charge = ds["voltage"].values, ds["electrode_charge"].values
    found = pulses_of(V)
    if len(found) != PULSES + 1:
        raise ValueError(f"{len(found)} pulses, not the {PULSES + 1} of a drive of the kind pund")
    left = [float(charge[at][-1] - charge[at][0]) for at in found[1:]]
    names = ("positive", "up", "negative", "down")
    switched = {"switched_up": left[0] - left[1], "switched_down": left[2] - left[3]}
    return dict(zip(names, left, strict=True)) | switched | {
        "remanent": (switched["switched_up"] - switched["switched_down"]) / 4
    }  # fmt: skip


def reversal(ds: xr.Dataset) -> dict[str, float]:
    """Share of the initial polarisation that is reversed at the end, and final over initial polarisation.

    Raises ValueError for a run that starts without polarisation.
    """
    P = ds["polarisation"].values
    if not len(P) or P[0] == 0.0:
        raise ValueError("a reversal begins with a polarisation")
    return {"share": float((P[0] - P[-1]) / (2 * P[0])), "kept": float(P[-1] / P[0])}


def electroresistance(ds: xr.Dataset) -> dict[str, float]:
    """Ratio of the currents of the first two states of a drive of the kind iv, at its first temperature.

    ratio : at the smallest voltage   most : the largest one, at most_voltage [V]
    Raises ValueError for curves of one state.
    """
    bias, current = ds["bias"].values, np.abs(ds["bias_current"].values[:, 0])
    if len(current) < 2:
        raise ValueError("a ratio of resistances needs two states")
    ratio = ratios(bias, current[:2])
    near, most = int(np.nanargmin(np.where(np.isnan(ratio), np.nan, np.abs(bias)))), int(np.nanargmax(ratio))
    return {"ratio": float(ratio[near]), "most": float(ratio[most]), "most_voltage": float(bias[most])}


def ratios(bias: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Larger over smaller of two currents (2, n) at voltages (n,) [V] -> (n,); nan at 0 V, where neither flows."""
    on = np.abs(bias) > OFF * np.abs(bias).max()
    found = np.full(len(bias), np.nan)
    found[on] = current[:, on].max(axis=0) / current[:, on].min(axis=0)
    return found
