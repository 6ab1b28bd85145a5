"""Power laws of the number of pulses, in a train of resets and then one of sets, with a read after each pulse.

A train of equal pulses that changes ln I by the same amount in each decade of their number is a straight line in a log-log
plot. Currents are absolute values, in order: one before the trains, then one for each pulse of two equally long trains.
Numbers are SI.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.analysis.synapse import crossing
from otjdd.analysis.trial import Trial, Trials

if TYPE_CHECKING:
    import xarray as xr

DECADES = (1, 10, 100)  # numbers of pulses after which currents are reported
TRAINS = ("reset", "set")
MOST_RESETS, MOST_SETS = 4, 8  # most voltages of resets and of sets
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


def slope(train: np.ndarray) -> float:
    """d ln I / d ln n of a train, least squares over all its pulses."""
    return float(np.polyfit(np.log(np.arange(1, len(train) + 1)), np.log(train), 1)[0])


def train_slopes(ds: xr.Dataset) -> dict[str, float]:
    """Slopes and growth of a run, over whole trains of any length.

    reset_slope, set_slope : d ln I / d ln n   growth : current after the last set over that before the first
    doubling : number of sets after which the current has grown by CHANGE, see `doubling`
    """
    trains = trains_of(ds)
    return {f"{name}_slope": slope(train) for name, train in zip(TRAINS, trains[1:], strict=True)} | {
        "growth": float(trains.set[-1] / trains.reset[-1]),
        "doubling": doubling(trains),
    }


def doubling(run: Trains) -> float:
    """Number of sets after which the current has grown by CHANGE, interpolated between sets; nan if it never has."""
    grown = np.concatenate([[1.0], run.set / run.reset[-1]])
    return crossing(np.arange(len(grown)), grown, CHANGE)


def pulses(ds: xr.Dataset) -> dict[str, float]:
    """Currents and slopes of a run with trains of 100 pulses or more.

    start [A] : the first read   reset_1, reset_10, reset_100, set_1, ... [A] : after this many pulses of a train
    reset_slope, set_slope : d ln I / d ln n over the second decade
    reset_bend, set_bend : its difference from that of the first decade
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


def pairs(trials: Trials) -> dict[str, float]:
    """Numbers of runs with all pairs of some reset and some set voltages.

    trials : the reset voltage of each is that of the second part of its drive, the set voltage that of the third. Both
        are numbered from the one nearest to 0 V
    slope_1_2 : d ln I / d ln n of the sets of the second voltage after resets of the first   reset_slope_1 : of the resets
    growth_1 : current after the last set of the highest voltage over that before the first
    volts_1 [V] : voltage for a factor e of the number of sets after which the current has grown by CHANGE
    memory : current after the last set of the highest voltage, after the shallowest resets over that after the deepest
    """
    runs = {voltages(trial): trains_of(trial.ds) for trial in trials}
    resets, sets = (sorted({pair[i] for pair in runs}, key=abs) for i in (0, 1))
    most = sets[-1]
    named = {f"slope_{i + 1}_{j + 1}": np.nan for i in range(MOST_RESETS) for j in range(MOST_SETS)}
    named |= {f"{name}_{i + 1}": np.nan for name in ("reset_slope", "growth", "volts") for i in range(MOST_RESETS)}
    for i, V in enumerate(resets, 1):
        run = runs[V, most]
        named |= {f"slope_{i}_{j}": slope(runs[V, other].set) for j, other in enumerate(sets, 1)}
        named |= {f"reset_slope_{i}": slope(run.reset), f"growth_{i}": float(run.set[-1] / run.reset[-1])}
        named[f"volts_{i}"] = volts_per_e(sets, [runs[V, other] for other in sets])
    return named | {"memory": float(runs[resets[0], most].set[-1] / runs[resets[-1], most].set[-1])}


def voltages(trial: Trial) -> tuple[float, float]:
    """Reset and set voltage [V] of a run: those of the second and of the third part of its drive."""
    reset, set_ = trial.case.drive.parts[1:3]
    return float(reset.voltage), float(set_.voltage)


def volts_per_e(V: Sequence[float], runs: Sequence[Trains]) -> float:
    """Voltage [V] for a factor e in the number of sets at equal growth, CHANGE.

    It is the slope of a line through the voltages V that reach that growth; nan if fewer than two do.
    """
    doublings = [(v, doubling(run)) for v, run in zip(V, runs, strict=True)]
    reached = [(v, number) for v, number in doublings if not np.isnan(number)]
    if len(reached) < 2:
        return float("nan")
    at, number = np.array(reached).T
    return float(-1 / np.polyfit(at, np.log(number), 1)[0])


def protocols(trials: Trials, measured: Sequence[Sequence[float]], within: float) -> dict[str, float]:
    """Slopes of both decades of both trains of 100 pulses, compared with measured ones, for several protocols.

    measured : for each trial the currents [A] before the trains, after 1, 10 and 100 resets, after 1, 10 and 100 sets
    within : largest distance of a slope that counts as near
    Numbers: near : number of near slopes   rms, largest : distance of all slopes
    """
    distances = []
    for trial, (_, *row) in zip(trials, measured, strict=True):
        measured_slopes = np.diff(np.log10(np.reshape(row, (2, 3))), axis=1)
        distances.append(np.array([decades(train) for train in trains_of(trial.ds)[1:]]) - measured_slopes)
    away = np.abs(distances)
    return {
        "near": float((away <= within).sum()),
        "rms": float(np.sqrt(np.mean(away**2))),
        "largest": float(away.max()),
    }
