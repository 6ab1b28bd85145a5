"""Power laws of the number of pulses, in a train of resets and then one of sets, with a read after each pulse.

A train of equal pulses that changes ln I by the same amount in each decade of their number is a straight line in a log-log
plot. Currents are absolute values, in order: one before the trains, then one for each pulse of two equally long trains.
Numbers are SI.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.analysis.synapse import crossing, slope
from otjdd.system.late import xr

DECADES = (1, 10, 100)  # numbers of pulses after which currents are reported
TRAINS = ("reset", "set")
CHANGE = 2.0  # growth I/I0 at which sets of all voltages are compared


class Trains(NamedTuple):
    """Currents [A] of a run: before the trains, after each reset (n,) and after each set (n,)."""

    start: float
    reset: np.ndarray
    set: np.ndarray


def trains_of(ds: xr.Dataset) -> Trains:
    """The currents of a run. Raises ValueError for trains of different length."""
    current = np.abs(np.asarray(ds.read_current))
    count, rest = divmod(len(current) - 1, 2)
    if rest or count < 1:
        raise ValueError(f"two equally long trains after a first read were expected, there are {len(current)} reads")
    return Trains(float(current[0]), current[1 : 1 + count], current[1 + count :])


def exponent(train: np.ndarray) -> float:
    """d ln I / d ln n of a train, least squares over all its pulses."""
    return slope(np.log(np.arange(1, len(train) + 1)), np.log(train))


def train_slopes(ds: xr.Dataset) -> dict[str, float]:
    """Slopes and growth of a run, over whole trains of any length.

    reset_slope, set_slope : d ln I / d ln n   growth : current after the last set over that before the first
    doubling : number of sets after which the current has grown by CHANGE, see `doubling`
    """
    trains = trains_of(ds)
    return {f"{name}_slope": exponent(train) for name, train in zip(TRAINS, trains[1:], strict=True)} | {
        "growth": float(trains.set[-1] / trains.reset[-1]),
        "doubling": doubling(trains),
    }


def doubling(run: Trains) -> float:
    """Number of sets after which the current has grown by CHANGE, interpolated between sets; nan if it never has."""
    grown = np.concatenate([[1.0], run.set / run.reset[-1]])
    return crossing(np.arange(len(grown)), grown, CHANGE)


def currents_and_slopes(ds: xr.Dataset) -> dict[str, float]:
    """Currents and slopes of a run with trains of 100 pulses or more.

    start [A] : the first read   reset_1, reset_10, reset_100, set_1, ... [A] : after this many pulses of a train
    reset_slope, set_slope : d ln I / d ln n over the second decade
    reset_bend, set_bend : its difference from the slope of the first decade
    Raises ValueError for shorter trains.
    """
    trains = trains_of(ds)
    if len(trains.set) < DECADES[-1]:
        raise ValueError(
            f"a power law over two decades needs trains of {DECADES[-1]} pulses, these have {len(trains.set)}"
        )
    named = {"start": trains.start}
    for name, train in zip(TRAINS, trains[1:], strict=True):
        first, second = decades(train)
        named |= {f"{name}_{number}": float(train[number - 1]) for number in DECADES}
        named |= {f"{name}_slope": second, f"{name}_bend": abs(second - first)}
    return named


def decades(train: np.ndarray) -> tuple[float, float]:
    """d ln I / d ln n of the first and of the second decade of a train."""
    first, middle, last = (float(train[number - 1]) for number in DECADES)
    return float(np.log10(middle / first)), float(np.log10(last / middle))
