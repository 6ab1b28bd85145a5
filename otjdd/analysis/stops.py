"""Memory windows of sweeps that turn at ever larger stop voltages, and of junctions of different size.

Each sweep is read twice at one voltage: on the way to the stop, where it shows the low state that the sweep before has
left, and on the way back, where it shows the high state. Currents are absolute values. Numbers are SI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis import synapse
from otjdd.analysis.trial import Trial, Trials

MOST = 4  # stops, or junctions, that have a name

if TYPE_CHECKING:
    import xarray as xr


def stops(ds: xr.Dataset) -> dict[str, float]:
    """Numbers of the sweeps of one junction, whose stops go from the shallowest to the deepest.

    low_1, high_1, low_2, ... [A] : currents on the way to each stop and back   window_1, ... : low over high
    windows_rise : share of steps to a deeper stop with a wider window
    low_fall, high_fall : current after the shallowest stop over that after the deepest
    """
    low, high = pairs(ds)
    return {
        **numbered("low", low),
        **numbered("high", high),
        **numbered("window", low / high),
        "windows_rise": synapse.rises(low / high) if len(low) > 1 else np.nan,
        "low_fall": float(low[0] / low[-1]),
        "high_fall": float(high[0] / high[-1]),
    }


def sizes(trials: Trials) -> dict[str, float]:
    """Numbers of junctions of different radius, from the smallest to the largest.

    low_1, high_1, ..., window_1, ... : of each junction at the shallowest stop   deep_low_1, deep_high_1 : at the deepest
    windows_fall : share of steps to a larger junction with a smaller window
    """
    read = np.array([np.ravel([pair[[0, -1]] for pair in pairs(trial.ds)]) for trial in by_radius(trials)])
    low, deep_low, high, deep_high = read.T
    columns = {"low": low, "high": high, "window": low / high, "deep_low": deep_low, "deep_high": deep_high}
    falls = synapse.rises(high / low) if len(low) > 1 else np.nan
    return {key: x for name, row in columns.items() for key, x in numbered(name, row).items()} | {"windows_fall": falls}


def numbered(name: str, values: np.ndarray) -> dict[str, float]:
    """name_1, name_2, ... up to MOST; nan where there is no such value."""
    return {f"{name}_{i + 1}": float(values[i]) if i < len(values) else np.nan for i in range(MOST)}


def by_radius(trials: Trials) -> list[Trial]:
    """Trials from the smallest junction to the largest."""
    return sorted(trials, key=lambda trial: trial.case.device.radius)


def pairs(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Currents (stop,) [A] of the low and of the high state. Raises ValueError where a read has no partner."""
    current = np.abs(np.asarray(ds.read_current))
    if len(current) % 2 or not len(current):
        raise ValueError(f"two reads belong to each stop, there are {len(current)}")
    return current[::2], current[1::2]
