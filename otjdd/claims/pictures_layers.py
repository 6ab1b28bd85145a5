"""Pictures of claims on films of several layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.layers import SHARE, both_states
from otjdd.plot import reads
from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.runs import NamedResult

if TYPE_CHECKING:
    from otjdd.claims.claim import Verdict
    from otjdd.plot.style import Axes


def area_exponents(verdict: Verdict, axes: Sequence[Axes]) -> None:
    area = np.array([trial.case.device.area for trial in verdict.trials])
    states = np.array([both_states(trial.ds) for trial in verdict.trials])
    for current, name in zip(states.T, ("before the set", "after the set"), strict=True):
        axes[0].plot(1e12 * area, current, "o-", label=name)
    axes[0].set(xscale="log", yscale="log", xlabel="area (µm²)", ylabel="current (A)")
    axes[0].set_title(f"at {SHARE:.2g} of the highest voltage", fontsize="small")
    legend(axes[0])


def self_limit(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    V, current = ds.read_voltage.values, np.abs(ds.read_current.values)
    seen = current > 0.0
    axes[0].plot(V[seen], current[seen], "o-", markersize=2)
    axes[0].set(yscale="log", ylabel="|current| (A)", xlabel="voltage (V)")
    axes[0].axvline(verdict.values["steepest_voltage"], color="0.6", linestyle="--", linewidth=0.8)


def layer_polarity(verdict: Verdict, axes: Sequence[Axes]) -> None:
    reads.loop(axes[0], [NamedResult(trial.ds, trial.name) for trial in verdict.trials])


def slow_layer(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for trial in verdict.trials:
        later = trial.ds.time.values > 0.0
        t, moved = trial.ds.time.values[later], trial.ds.vacancy_mean_position.values[later]
        axes[0].plot(t, 1e9 * moved, label=trial.text)
    quantity_axis(axes[0], "x", t, "time", "s", log=True)
    axes[0].set(ylabel="mean position of the vacancies (nm)")
    legend(axes[0])


DRAW = {
    "area_exponents": (1, area_exponents),
    "self_limit": (1, self_limit),
    "layer_polarity": (1, layer_polarity),
    "slow_layer": (1, slow_layer),
}
