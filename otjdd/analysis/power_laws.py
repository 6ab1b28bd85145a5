"""Power laws of the number of pulses: currents after equal pulses, and exponents against the voltage of the pulses.

A train of equal pulses that moves ln I by the same amount in each decade of its number leaves a straight line in a log-log
plot. Currents are absolute values, read in the order in which they come. Numbers are SI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis import synapse
from otjdd.analysis.trial import Trials

if TYPE_CHECKING:
    import xarray as xr

DECADES = (1, 10, 100)  # numbers of pulses whose currents are told
TRAINS = ("reset", "set")
MOST = 8  # voltages whose exponents have a name


def pulses(ds: xr.Dataset) -> dict[str, float]:
    """Currents of a first read, then of two equally long trains with a read after each pulse: resets, then sets.

    start [A] : the first read   reset_1, reset_10, reset_100, set_1, ... [A] : after so many pulses of a train
    reset_slope, set_slope : d ln I / d ln n over the second decade   reset_bend, set_bend : its distance from the first
    Raises ValueError for trains of less than 100 pulses.
    """
    current = np.abs(np.asarray(ds.read_current))
    count = (len(current) - 1) // 2
    if count < DECADES[-1]:
        raise ValueError(f"a power law over two decades needs trains of {DECADES[-1]} pulses, these have {count}")
    found = {"start": float(current[0])}
    for name, train in zip(TRAINS, (current[1 : 1 + count], current[1 + count :]), strict=True):
        first, middle, last = (float(train[number - 1]) for number in DECADES)
        slope = float(np.log10(last / middle))
        found |= {f"{name}_{number}": float(train[number - 1]) for number in DECADES}
        found |= {f"{name}_slope": slope, f"{name}_bend": abs(slope - float(np.log10(middle / first)))}
    return found


def exponents(trials: Trials, floor: float) -> dict[str, float]:
    """Exponents of R = floor + R1 n^p, from trains of pulses of different voltage with a read after each pulse.

    trials : one a voltage, `.value` [V] the voltage; the first read is the state that the train begins with
    exponent_1, exponent_2, ... : p of each trial, in order   correlation : of p with the voltage
    offset, slope [1/V] : of p = offset + slope V   misfit [1] : largest rms distance of log10(R - floor) from its line
    first [ohm] : geometric mean of R1
    Raises ValueError where a resistance is not above the floor [ohm].
    """
    voltages = np.array([trial.value for trial in trials])
    lines = [line(*above_floor(trial.ds, floor)) for trial in trials]
    powers = [power for power, *_ in lines]
    named = {f"exponent_{i + 1}": powers[i] if i < len(powers) else np.nan for i in range(MOST)}
    slope, offset = np.polyfit(voltages, powers, 1)
    return named | {
        "correlation": synapse.correlation(voltages, powers),
        "offset": float(offset),
        "slope": float(slope),
        "misfit": max(misfit for *_, misfit in lines),
        "first": float(np.exp(np.mean([np.log(first) for _, first, _ in lines]))),
    }


def above_floor(ds: xr.Dataset, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of pulses (n,) and R - floor [ohm] after each; the first read is left out. Raises ValueError."""
    rest = np.asarray(ds.read_resistance)[1:] - floor
    if not (rest > 0).all():
        raise ValueError(f"a resistance is not above {floor:g} ohm")
    return np.arange(1, len(rest) + 1), rest


def line(number: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Exponent and factor of y = factor n^exponent, and the rms distance of log10 y from it, each decade counting alike.

    Equal weights would leave the first decade one pulse in ten: the points are those nearest to even steps of log n.
    """
    at = np.unique(np.rint(np.geomspace(1, number[-1], 21)).astype(int)) - 1
    x, z = np.log10(number[at]), np.log10(y[at])
    power, factor = np.polyfit(x, z, 1)
    return float(power), float(10**factor), float(np.sqrt(np.mean((z - factor - power * x) ** 2)))
