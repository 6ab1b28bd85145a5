"""The temperature of a junction that its current warms, against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.clock import clock_of, time_axis
from otjdd.plot.runs import NamedResult, legend_label, stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def temperature(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the temperature against time, for a single run also that of each column that has its own."""
    times = np.concatenate([run.ds.time.values for run in runs])
    clock = clock_of(runs[0].ds, runs[0].ds.time.values) if len(runs) == 1 else None
    for i, run in enumerate(runs):
        t = clock(run.ds.time.values) if clock else run.ds.time.values
        if len(runs) == 1 and "column_temperature" in run.ds:
            axes.plot(t, run.ds.column_temperature.values, color="0.6", linewidth=0.5)
        label = legend_label(run, "hottest column" if "column_temperature" in run.ds else "")
        axes.plot(t, run.ds.junction_temperature.values, linewidth=0.9, label=label, **stroke(i, 0, len(runs), 1))
    temperatures = np.concatenate([run.ds.junction_temperature.values for run in runs])
    quantity_axis(axes, "y", temperatures, "temperature", "K", log=False)
    time_axis(axes, clock, times)
    legend(axes)
