"""Numbers of polarised films: the hysteresis loop, PUND pulses, and the resistance of both directions."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

PULSES = 4  # positive, up, negative, down; the drive has one more pulse before them, which sets the film
OFF = 1e-9  # of the largest voltage: smaller voltages count as 0 V
TURN = 0.1  # of the range of the voltage: a branch ends where the voltage has come back by more


def branches(voltage: np.ndarray) -> list[slice]:
    """Slices of voltages (n,) [V] from turn to turn, both ends included; noise below TURN of the range is no turn."""
    least = TURN * np.ptp(voltage)
    turns, extreme, direction = [0], 0, 0
    for i, V in enumerate(voltage.tolist()):
        ahead = V - voltage[extreme]
        if direction * ahead >= 0 and (direction or abs(ahead) > least):
            extreme, direction = i, direction or (1 if ahead > 0 else -1)
        elif direction and abs(ahead) > least:
            turns.append(extreme)
            extreme, direction = i, -direction
    turns.append(len(voltage) - 1)
    return [slice(a, b + 1) for a, b in pairwise(turns) if b > a]


def zeros(x: np.ndarray, y: np.ndarray, parts: list[slice]) -> tuple[float, float]:
    """x at the last zero of y that rises, and at the last one that falls, both (n,); nan where there is none.

    parts : branches of a loop, each of which passes zero once or not at all; where noise makes y pass it several times, the
        median of x at these passages counts
    """
    rising = falling = math.nan
    for part in parts:
        u, v = x[part], y[part]
        at = np.flatnonzero((v[:-1] < 0) != (v[1:] < 0))
        if len(at) % 2 == 0:
            continue
        middle = float(np.median(u[at] - v[at] * (u[at + 1] - u[at]) / (v[at + 1] - v[at])))
        if v[at[-1] + 1] >= 0:
            rising = middle
        else:
            falling = middle
    return rising, falling


def hysteresis(ds: xr.Dataset) -> dict[str, float]:
    """Coercive voltages [V] and fields [V/m], remanent and largest polarisation [C/m2] of the last loop.

    Each branch of the loop gives one of both signs, also where noise makes the polarisation pass zero several times (see
    `zeros`). Rows with nan are left out. Raises ValueError for a run without a loop.
    """
    rows = np.array([ds[name].values for name in ("polarisation", "junction_voltage", "film_field")])
    P, V, E = rows[:, np.isfinite(rows).all(axis=0)]
    parts = branches(V)
    up, down = zeros(V, P, parts)
    field_up, field_down = zeros(E, P, parts)
    after_negative, after_positive = zeros(P, V, parts)
    if not np.isfinite((up, down, after_negative, after_positive)).all():
        raise ValueError("a loop has a polarisation and a voltage that pass zero both ways")
    return {
        "coercive_up": up,
        "coercive_down": down,
        "coercive_voltage": (up - down) / 2,
        "imprint": (up + down) / 2,
        "coercive_field": (field_up - field_down) / 2,
        "field_imprint": (field_up + field_down) / 2,
        "remanent_up": after_positive,
        "remanent_down": after_negative,
        "remanent": (after_positive - after_negative) / 2,
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
    pulses = pulses_of(V)
    if len(pulses) != PULSES + 1:
        raise ValueError(f"{len(pulses)} pulses, not the {PULSES + 1} of a drive of kind pund")
    left = [float(charge[at][-1] - charge[at][0]) for at in pulses[1:]]
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
    ratio = np.full(len(bias), np.nan)
    ratio[on] = current[:, on].max(axis=0) / current[:, on].min(axis=0)
    return ratio
