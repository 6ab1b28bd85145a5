"""Numbers of several runs of junctions with films of several layers: area, order of the layers, a layer of slow hops."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.drift import drift
from otjdd.analysis.synapse import loop
from otjdd.analysis.trial import Trials

if TYPE_CHECKING:
    import xarray as xr

SHARE = 1.0 / 3.0  # of the highest voltage, at which both states of a loop are compared
RIGHT, LEFT = "low-right", "low-left"  # names of the cases, by where the layer of the lower permittivity is


def area_exponents(trials: Trials) -> dict[str, float]:
    """Exponents of the currents of both states with the area: slopes of ln I against ln A.

    trials : I-V staircases at several radii   ratio : least ratio of both states at SHARE of the highest voltage
    """
    area = np.log([trial.case.device.area for trial in trials])
    states = np.log([both_states(trial.ds) for trial in trials])
    low, high = (float(np.polyfit(area, states[:, i], 1)[0]) for i in range(2))
    return {"low_exponent": low, "high_exponent": high, "ratio": float(np.exp(states[:, 1] - states[:, 0]).min())}


def both_states(ds: xr.Dataset) -> tuple[float, float]:
    """Currents [A] of a loop at SHARE of its highest voltage, on the way up and on the way down."""
    V, current = np.asarray(ds.read_voltage.values), np.abs(ds.read_current.values)
    top = int(np.argmax(V))
    place = SHARE * V[top]
    up = float(np.exp(np.interp(place, V[1 : top + 1], np.log(current[1 : top + 1]))))
    fall = slice(top, top + int(np.argmax(V[top:] <= 1e-9)))
    down = float(np.exp(np.interp(place, V[fall][::-1], np.log(current[fall])[::-1])))
    return up, down


def self_limit(ds: xr.Dataset) -> dict[str, float]:
    """Slopes d ln I/dV [1/V] of the rising branch of an I-V staircase, at its steepest and beyond.

    steepest, steepest_voltage : where the current rises most, the set   last : the mean of the last tenth of the branch
    """
    V, current = np.asarray(ds.read_voltage.values), np.abs(ds.read_current.values)
    top = int(np.argmax(V))
    rising = slice(int(np.argmax(V > 0.25 * V[top])), top + 1)
    slope = np.diff(np.log(current[rising])) / np.diff(V[rising])
    steepest, last = int(np.argmax(slope)), max(1, len(slope) // 10)
    return {
        "steepest": float(slope[steepest]),
        "steepest_voltage": float(0.5 * (V[rising][steepest] + V[rising][steepest + 1])),
        "last": float(slope[-last:].mean()),
        "ratio": float(slope[-last:].mean() / slope[steepest]),
    }


def layer_polarity(trials: Trials) -> dict[str, float]:
    """Polarity and ratio of the loops of two orders of the layers. Raises ValueError if an order is missing."""
    of = {trial.name: loop(trial.ds) for trial in trials}
    if not {RIGHT, LEFT} <= set(of):
        raise ValueError(f"no loop of both {RIGHT} and {LEFT}")
    right, left = of[RIGHT], of[LEFT]
    right_sign, left_sign = float(right["polarity"]), float(left["polarity"])
    return {
        "right": right_sign,
        "left": left_sign,
        "product": right_sign * left_sign,
        "decades": abs(math.log10(right["ratio"])),
    }


def slow_layer(trials: Trials) -> dict[str, float]:
    """Factors by which the state of a film is kept longer for a higher migration barrier of one layer.

    trials : rests after a write, in the order of the barrier of the layer
    """
    times = [drift(trial.ds)["time"] for trial in trials]
    return {"first": times[0], "factor": times[-1] / times[0], "factor_of_half": times[len(times) // 2] / times[0]}
