"""Claims on films of several layers: area, order of the layers, a layer of slow hops, and their pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from otjdd.analysis.metrics import Metric, drift
from otjdd.analysis.synapse import loop
from otjdd.claims.claim import Trials, Verdict
from otjdd.plot import reads
from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import Axes

SHARE = 1.0 / 3.0  # of the highest voltage, at which both states of a loop are compared
RIGHT, LEFT = "low-right", "low-left"  # names of the cases, by where the layer of the lower permittivity is


def area_exponents(trials: Trials) -> dict[str, float]:
    """Exponents of the currents of both states with the area: slopes of ln I against ln A.

    trials : I-V staircases at several radii   ratio : least ratio of both states at SHARE of the highest voltage
    """
    area = np.log([trial.case.device.junction_area for trial in trials])
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


def layer_polarity(trials: Trials) -> dict[str, float]:
    """Polarities of the loops of both orders of the layers, and their product; decades between the states of RIGHT.

    Raises ValueError if an order is missing.
    """
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
    """Time [s] of the drift at rest with the lowest migration barrier of a layer; factors with the highest and the middle.

    trials : rests after a write, in the order of the barrier of the layer
    """
    times = [drift(trial.ds)["time"] for trial in trials]
    return {"first": times[0], "factor": times[-1] / times[0], "factor_of_half": times[len(times) // 2] / times[0]}


def draw_area_exponents(verdict: Verdict, axes: Sequence[Axes]) -> None:
    area = np.array([trial.case.device.junction_area for trial in verdict.trials])
    states = np.array([both_states(trial.ds) for trial in verdict.trials])
    for current, name in zip(states.T, ("before the set", "after the set"), strict=True):
        axes[0].plot(1e12 * area, current, "o-", label=name)
    axes[0].set(xscale="log", yscale="log", xlabel="area (µm²)", ylabel="current (A)")
    axes[0].set_title(f"at {SHARE:.2g} of the highest voltage", fontsize="small")
    legend(axes[0])


def draw_self_limit(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    V, current = ds.read_voltage.values, np.abs(ds.read_current.values)
    positive = current > 0.0
    axes[0].plot(V[positive], current[positive], "o-", markersize=2)
    axes[0].set(yscale="log", ylabel="|current| (A)", xlabel="voltage (V)")
    axes[0].axvline(verdict.values["steepest_voltage"], color="0.6", linestyle="--", linewidth=0.8)


def draw_layer_polarity(verdict: Verdict, axes: Sequence[Axes]) -> None:
    reads.draw_loop(axes[0], [NamedResult(trial.ds, trial.name) for trial in verdict.trials])


def draw_slow_layer(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for trial in verdict.trials:
        later = trial.ds.time.values > 0.0
        t, moved = trial.ds.time.values[later], trial.ds.vacancy_mean_position.values[later]
        axes[0].plot(t, 1e9 * moved, label=trial.text)
    quantity_axis(axes[0], "x", t, "time", "s", log=True)
    axes[0].set(ylabel="mean position of the vacancies (nm)")
    legend(axes[0])


METRICS = {
    "area_exponents": Metric(area_exponents, {
        "low_exponent": ("1", "exponent of the current with the area, before the set"),
        "high_exponent": ("1", "exponent of the current with the area, after the set"),
        "ratio": ("1", "least ratio of the currents of both states at a third of the highest voltage"),
    }),
    "layer_polarity": Metric(layer_polarity, {
        "right": ("1", "polarity with the layer of the lower permittivity at the right"),
        "left": ("1", "polarity with that at the left"),
        "product": ("1", "product of both polarities: -1 where the order of the layers turns them"),
        "decades": ("1", "decades between both states"),
    }),
    "slow_layer": Metric(slow_layer, {
        "first": ("s", "time until the mean position has moved by a hundredth of the film, lowest barrier"),
        "factor": ("1", "that of the highest barrier over it"),
        "factor_of_half": ("1", "that of the middle barrier over it"),
    }),
}  # fmt: skip

DRAW = {
    "area_exponents": (1, draw_area_exponents),
    "self_limit": (1, draw_self_limit),
    "layer_polarity": (1, draw_layer_polarity),
    "slow_layer": (1, draw_slow_layer),
}
