"""Pictures of claims on ions that hop at random: scatter of pulses, spread over contacts, and of a level that relaxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.power_laws import trains_of
from otjdd.analysis.single_ions import AT_ONCE, SPREADS, log_currents
from otjdd.analysis.stops import by_radius
from otjdd.claims.paper_marks import PAPER
from otjdd.claims.pictures_interface import diameter, figures_of, published_points
from otjdd.claims.pictures_learning import COLOURS
from otjdd.plot import style
from otjdd.plot.axes import legend, quantity_axis

if TYPE_CHECKING:
    from otjdd.claims.claim import Verdict
    from otjdd.plot.style import Axes


def pulse_scatter(verdict: Verdict, axes: Sequence[Axes]) -> None:
    sizes = sorted({trial.case.device.radius for trial in verdict.trials})
    for trial in by_radius(verdict.trials):
        reset, set_ = trains_of(trial.ds)[1:]
        colour, still = COLOURS[sizes.index(trial.case.device.radius)], trial.case.ions.noise == "none"
        n = np.arange(1, len(reset) + 1)
        for current, panel in zip((reset, set_), axes, strict=True):
            label = diameter(trial) if still else None
            panel.plot(n, current, "-" if still else ".", color=colour, linewidth=1, markersize=3, label=label)
    for panel, name in zip(axes, ("reset", "set"), strict=True):
        panel.set(xscale="log", yscale="log", xlabel=f"{name} pulse", ylabel="|current| (A)")
    axes[0].plot([], [], ".", color="0.5", label="single ions")
    legend(axes[0])


def contact_spread(verdict: Verdict, axes: Sequence[Axes]) -> None:
    labels = ("columns of their own", "ions alone", "ions of switching columns")
    for name, label, colour in zip(SPREADS, labels, (style.BLUE, style.ORANGE, style.GREY), strict=True):
        spreads = [
            value for key, value in sorted(verdict.values.items()) if key.startswith(name) and np.isfinite(value)
        ]
        axes[0].plot(range(1, len(spreads) + 1), spreads, "o-", color=colour, label=label)
    measured = figures_of(verdict, *(f"drawn_{i}" for i in range(1, len(spreads) + 1)))
    published_points(axes[0], range(1, len(spreads) + 1), measured, label="measured")
    axes[0].set(yscale="log", xlabel="read", ylabel="spread of ln |I|", xticks=range(1, len(spreads) + 1))
    legend(axes[0])


def relaxation(verdict: Verdict, axes: Sequence[Axes]) -> None:
    rows = log_currents(verdict.trials, verdict.trials[0].name)[:, AT_ONCE:]
    time = verdict.trials[0].ds["read_time"].values[AT_ONCE:]
    since = time[1:] - time[0]
    moved = rows[:, 1:] - rows[:, :1]
    axes[0].plot(since, np.exp(moved).T, "-", color="0.7", linewidth=0.5)
    axes[0].plot(since, np.exp(moved.mean(axis=0)), "o-", label="mean")
    axes[1].plot(since, moved.std(axis=0, ddof=1), "o-", label="simulated")
    published_points(axes[1], since, figures_of(verdict, "soon", "later", "latest"), label="measured", color=PAPER)
    axes[0].set(yscale="log", ylabel="current over that at once")
    axes[1].set(ylabel="its spread", ylim=(0, None))
    for panel in axes:
        quantity_axis(panel, "x", since, "time since programming", "s", log=True)
        legend(panel)


DRAW = {
    "pulse_scatter": (2, pulse_scatter),
    "contact_spread": (1, contact_spread),
    "relaxation": (2, relaxation),
}
