"""Vacancies in a film whose electrodes exchange them: their mean concentration and those at the walls, against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.clock import clock_of, time_axis
from otjdd.plot.runs import NamedResult, legend_label, stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = {"vacancies": "film", "wall_concentration_left": "left wall", "wall_concentration_right": "right wall"}


def vacancies(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the mean concentration against time, for a single run also those at the walls that exchange."""
    times, drawn = np.concatenate([run.ds.time.values for run in runs]), []
    clock = clock_of(runs[0].ds, runs[0].ds.time.values) if len(runs) == 1 else None
    for i, run in enumerate(runs):
        t = clock(run.ds.time.values) if clock else run.ds.time.values
        for name, words in LINES.items():
            if name not in run.ds or (len(runs) > 1 and name != "vacancies"):
                continue
            thickness = float(run.ds.cell_width.sum())
            c = run.ds[name].values / (thickness if name == "vacancies" else 1.0)
            style = stroke(i, 0, len(runs), 1) if name == "vacancies" else {"linestyle": "--", "linewidth": 0.6}
            axes.plot(t, c, label=legend_label(run, words if len(runs) == 1 else ""), **{"linewidth": 0.9} | style)
            drawn.append(c)
    shown = np.concatenate(drawn)
    quantity_axis(axes, "y", shown, "vacancies", "m^-3", log=bool(shown.min() > 0 and shown.max() > 20 * shown.min()))
    time_axis(axes, clock, times)
    legend(axes)
