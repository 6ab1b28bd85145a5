"""Vacancies in a film whose electrodes exchange them: their number and those at the walls, against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.clock import clock_of, time_axis
from otjdd.plot.runs import NamedResult, legend_label, stroke
from otjdd.plot.style import ORANGE

WALLS = {"wall_concentration_left": "left wall", "wall_concentration_right": "right wall"}
DASHES = {"wall_concentration_left": (0, (1, 1)), "wall_concentration_right": (0, (4, 1.5))}
PER_NM2 = 1e-18  # m2
FEWEST = 1e-6  # of the largest concentration at a wall: lower ones are not drawn


def vacancies(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the vacancies per area against time; for a single result also their concentrations at exchanging electrodes."""
    times = np.concatenate([run.ds.time.values for run in runs])
    clock = clock_of(runs[0].ds, runs[0].ds.time.values) if len(runs) == 1 else None
    for i, run in enumerate(runs):
        t = clock(run.ds.time.values) if clock else run.ds.time.values
        label = legend_label(run, "film" if len(runs) == 1 else "")
        axes.plot(t, PER_NM2 * run.ds.vacancies.values, label=label, linewidth=0.9, **stroke(i, 0, len(runs), 1))
        if len(runs) == 1:
            walls(axes, run, t)
    axes.set_ylabel("vacancies (nm⁻²)")
    axes.set_ylim(bottom=0.0)
    time_axis(axes, clock, times)
    legend(axes)


def walls(axes: Axes, run: NamedResult, places: np.ndarray) -> None:
    """Draw the concentrations at the walls, at places (T,) along the axis of time, on an axis at the right."""
    at_wall = axes.twinx()
    drawn = {name: run.ds[name].values for name in WALLS if name in run.ds}
    most = max(float(c.max()) for c in drawn.values())
    for name, c in drawn.items():
        style: dict[str, Any] = {"color": ORANGE, "linestyle": DASHES[name], "linewidth": 0.8}
        at_wall.plot(places, np.where(c > FEWEST * most, c, np.nan), **style)
        axes.plot([], [], label=WALLS[name], **style)
    quantity_axis(at_wall, "y", np.array([FEWEST, 1.0]) * most, "vacancies at the wall", "m^-3", log=True)
    at_wall.set_ylim(FEWEST * most, 3.0 * most)
    at_wall.yaxis.label.set_color(ORANGE)
    at_wall.tick_params(axis="y", which="both", colors=ORANGE)
    at_wall.spines["right"].set_visible(True)
