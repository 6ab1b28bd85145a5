"""The dependence of the forward current on the state: reads of several states, forward and in reverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.trial import Trials
from otjdd.constants import BOLTZMANN_EV

if TYPE_CHECKING:
    import xarray as xr

LOW, HIGH = "low", "high"


def forward(trials: Trials, states: Sequence[str], reverse: float) -> dict[str, float]:
    """Forward currents of the low and the high state, from the reads of one run.

    states : names of the states in the order of their reads, "low" and "high" among them; each is read at the same
        voltages, and its last read at a voltage counts
    reverse : voltage [V] for the window
    Numbers:
    ideality_low, ideality_high : (1/kT) dV/d ln I between the lowest and the highest voltage above 0
    change : largest relative difference of the current between the states at a voltage above 0
    window : low-state over high-state current at `reverse`
    Raises ValueError for reads that are not shared alike by the states.
    """
    V, current = states_read(trials[0].ds, states)
    kT = BOLTZMANN_EV * trials[0].case.temperature
    ahead, back = np.flatnonzero(V > 0), int(np.argmin(np.abs(V - reverse)))
    rise = {name: np.log(row[ahead[-1]] / row[ahead[0]]) / np.ptp(V[ahead]) for name, row in current.items()}
    return {
        "ideality_low": float(1 / (kT * rise[LOW])),
        "ideality_high": float(1 / (kT * rise[HIGH])),
        "change": float(np.max(np.abs(current[LOW][ahead] / current[HIGH][ahead] - 1))),
        "window": float(current[LOW][back] / current[HIGH][back]),
    }


def states_read(ds: xr.Dataset, states: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Voltages (voltage,) [V] of the reads of each state, and its last |currents| (voltage,) [A]. Raises ValueError."""
    V, current = np.asarray(ds.read_voltage), np.abs(np.asarray(ds.read_current))
    reads_of_state, left = divmod(len(V), len(states))
    if (
        left
        or not reads_of_state
        or not np.allclose(V.reshape(len(states), reads_of_state), V[:reads_of_state], atol=1e-6)
    ):
        raise ValueError(f"{len(states)} states are read at the same voltages, the run has {len(V)} reads")
    voltages, last = np.unique(V[:reads_of_state][::-1], return_index=True)
    return voltages, dict(
        zip(states, current.reshape(len(states), reads_of_state)[:, reads_of_state - 1 - last], strict=True)
    )
