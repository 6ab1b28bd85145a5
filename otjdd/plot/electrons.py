"""Electrons of the film beside its vacancies, and the band between the Fermi levels of both contacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from otjdd.plot.axes import legend
from otjdd.plot.clock import instant
from otjdd.plot.runs import NamedResult, legend_label
from otjdd.plot.style import CYCLE, GREY, ORANGE

FEWEST = 1e-9  # of the largest vacancy concentration: lower electron concentrations are not drawn
BESIDE = 0.25  # space above the band edge, as a fraction of its range


def electrons(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw electrons (solid) and vacancies (dashed) against position, and the band edge (grey) on an axis of energy.

    The snapshot of each result is the one in which the film holds most electrons. Dotted lines are the Fermi levels of
    the two contacts.
    """
    energy, most, least = axes.twinx(), 0.0, np.inf
    for i, run in enumerate(runs):
        ds, colour = run.ds, CYCLE[i % len(CYCLE)]
        k = int((ds.film_electrons * ds.cell_width).sum("x").argmax("snapshot"))
        x, n, c = ds.x.values * 1e9, ds.film_electrons.values[k], ds.vacancy_concentration.values[k]
        when = instant(float(ds.snapshot_time[k]))
        axes.plot(x, n, color=colour, label=legend_label(run, f"electrons at {when}"))
        axes.plot(x, c, color=colour, linestyle=(0, (5, 2)), label=legend_label(run, "vacancies"))
        energy.plot(x, ds.conduction_band.values[k], color=GREY, linewidth=0.8)
        levels(energy, -float(ds.snapshot_junction_voltage[k]), i == 0)
        most, least = max(most, c.max(), n.max()), min(least, max(n.min(), FEWEST * c.max()))
    axes.set(yscale="log", xlabel="position (nm)", ylabel="concentration (m⁻³)", ylim=(least / 2, most * 30))
    energy.set_ylabel("band edge, Fermi levels (eV)", color=GREY)
    energy.tick_params(axis="y", colors=GREY)
    energy.spines["right"].set_visible(True)
    low, high = energy.get_ylim()
    energy.set_ylim(low, high + BESIDE * (high - low))
    legend(axes)


def levels(energy: Axes, left: float, both: bool) -> None:
    """Draw the Fermi level of the left contact [eV] and, if `both`, that of the right one, at 0."""
    dotted: dict[str, Any] = {"color": ORANGE, "linewidth": 0.8, "linestyle": (0, (1, 1.5)), "zorder": 0}
    over_curves: dict[str, Any] = {
        "color": ORANGE,
        "va": "bottom",
        "path_effects": [withStroke(linewidth=2.0, foreground="white")],
    }
    energy.axhline(left, xmax=0.5, **dotted)
    energy.annotate("$E_F$ left", (0.02, left), xycoords=("axes fraction", "data"), **over_curves)
    if both:
        energy.axhline(0.0, xmin=0.5, **dotted)
        energy.annotate("$E_F$ right", (0.52, 0.0), xycoords=("axes fraction", "data"), **over_curves)
