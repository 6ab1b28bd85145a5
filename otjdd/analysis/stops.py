"""Sweeps to larger and larger stop voltages, of junctions of different sizes: memory windows, distances from measurements.

Each sweep is read twice at one voltage: on the way to the stop, in the low state that the sweep before has left, and on the
way back, in the high state. Currents are absolute values. Numbers are SI.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis import synapse
from otjdd.analysis.trial import Trial, Trials

MOST = 4  # most stops, and most junctions

if TYPE_CHECKING:
    import xarray as xr


def stops(trials: Trials, at: float) -> dict[str, float]:
    """Numbers of the sweeps of junctions, with stops from the shallowest to the deepest.

    at : voltage [V] of the reads that are compared
    Numbers: low_1_2, high_1_2 [A] : currents of the smallest junction on the way to its second stop, and back
    window_1_2 : their ratio, low over high
    windows_rise : share of steps to a deeper stop with a wider window, of the smallest junction
    windows_fall : share of steps to a larger junction with a smaller window, at the shallowest stop
    Raises ValueError if a read has no partner.
    """
    of_trials = [pairs(trial.ds, at) for trial in by_radius(trials)]
    windows = [low / high for low, high in of_trials]
    columns = {"low": [low for low, _ in of_trials], "high": [high for _, high in of_trials], "window": windows}
    shallow = [window[0] for window in windows]
    return {key: x for name, rows in columns.items() for key, x in numbered(name, rows).items()} | {
        "windows_rise": synapse.rises(windows[0]) if len(windows[0]) > 1 else np.nan,
        "windows_fall": synapse.rises(shallow[::-1]) if len(windows) > 1 else np.nan,
    }


def sweeps(trials: Trials, measured: Sequence[Sequence[float]]) -> dict[str, float]:
    """Distances of the reads of junctions from measured currents.

    measured : for each junction, from the smallest to the largest, the currents [A] in the order of its reads
    Numbers: largest, rms : largest and root mean square factor between a read and its measured current
    largest_1, rms_1, ... : of one junction
    Raises ValueError for other numbers of junctions or reads than were measured.
    """
    junctions = by_radius(trials)
    if len(junctions) != len(measured):
        raise ValueError(f"{len(measured)} junctions were measured, there are {len(junctions)}")
    distances = [distance(trial.ds, row) for trial, row in zip(junctions, measured, strict=True)]
    by_suffix = {"": np.concatenate(distances)} | {f"_{i + 1}": row for i, row in enumerate(distances)}
    named = {f"{name}_{i}": np.nan for name in ("largest", "rms") for i in range(1, MOST + 1)}
    for name, row in by_suffix.items():
        named |= {f"largest{name}": float(np.exp(row.max())), f"rms{name}": float(np.exp(np.sqrt(np.mean(row**2))))}
    return named


def distance(ds: xr.Dataset, measured: Sequence[float]) -> np.ndarray:
    """|ln(I / measured)| (n,) of the reads. Raises ValueError for another number of reads."""
    current = np.abs(np.asarray(ds.read_current))
    if len(current) != len(measured):
        raise ValueError(f"{len(measured)} currents were measured, the run has {len(current)} reads")
    return np.abs(np.log(current / np.asarray(measured)))


def numbered(name: str, rows: Sequence[np.ndarray]) -> dict[str, float]:
    """name_1_1, name_1_2, ... -> value of each row, up to MOST of both; nan where there is none."""
    every = [(i, j) for i in range(MOST) for j in range(MOST)]
    return {
        f"{name}_{i + 1}_{j + 1}": float(rows[i][j]) if i < len(rows) and j < len(rows[i]) else np.nan for i, j in every
    }


def by_radius(trials: Trials) -> list[Trial]:
    """Trials from the smallest junction to the largest."""
    return sorted(trials, key=lambda trial: trial.case.device.radius)


def pairs(ds: xr.Dataset, at: float) -> tuple[np.ndarray, np.ndarray]:
    """Currents (stop,) [A] of the low and the high state at a voltage [V]. Raises ValueError for an odd number of reads."""
    current = np.abs(np.asarray(ds.read_current))[np.isclose(ds.read_voltage, at, atol=1e-6)]
    if len(current) % 2 or not len(current):
        raise ValueError(f"two reads at {at:g} V belong to each stop, there are {len(current)}")
    return current[::2], current[1::2]
