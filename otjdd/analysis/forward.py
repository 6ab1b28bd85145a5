"""The dependence of the forward current on the state: curves of two states at frozen ions, forward and in reverse."""

from __future__ import annotations

import numpy as np

from otjdd.analysis.trial import Trials
from otjdd.constants import BOLTZMANN_EV


def forward(trials: Trials, low: str, high: str, reverse: float) -> dict[str, float]:
    """Forward currents of two states of one run of the kind `iv`, at its first temperature.

    low, high : names of the states   reverse : voltage [V] for the window
    Numbers:
    ideality_low, ideality_high : (1/kT) dV/d ln I between the lowest and the highest voltage above 0
    change : largest relative difference of the current between the states at a voltage above 0
    window : low-state over high-state current at `reverse`
    """
    curves = trials[0].ds.isel(temperature=0)
    ahead = curves.sel(bias=curves.bias[curves.bias > 0]).sortby("bias")
    V, kT = ahead.bias.values, BOLTZMANN_EV * float(curves.temperature)
    current = {state: ahead.bias_current.sel(state=state).values for state in (low, high)}
    rise = {state: np.log(row[-1] / row[0]) / (V[-1] - V[0]) for state, row in current.items()}
    there = np.abs(curves.bias_current.sortby("bias").sel(bias=reverse, method="nearest"))
    return {
        "ideality_low": float(1 / (kT * rise[low])),
        "ideality_high": float(1 / (kT * rise[high])),
        "change": float(np.max(np.abs(current[low] / current[high] - 1))),
        "window": float(there.sel(state=low) / there.sel(state=high)),
    }
