"""The junction as one figure: band edge and Fermi levels, beside them the current by energy, below them the vacancies.

Bands and current share the axis of energy, which shows through which part of the barrier the current flows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from otjdd.plot.axes import legend, volts
from otjdd.plot.profiles import (
    DEEPEST,
    FAR,
    Shot,
    band_limits,
    band_line,
    draw_interfaces,
    draw_layers,
    extremes,
    thickness,
    voltage_at,
)
from otjdd.plot.runs import NamedResult, legend_label, stroke
from otjdd.plot.style import GREY, SKY, style

SIZE = (4.4, 4.8)  # inches
BANDS = (0.145, 0.42, 0.535, 0.52)  # left, bottom, width and height of the axes, as fractions of the figure
SPECTRUM = (0.725, 0.42, 0.245, 0.52)
VACANCIES = (0.145, 0.1, 0.825, 0.19)


def junction(ds: xr.Dataset) -> Figure:
    """Figure of the states of lowest and highest resistance of a result, or of its first and last snapshot.

    The places of the axes are fixed, since a layout takes longer than the rest of the figure.
    Raises ValueError for a result without snapshots.
    """
    if not ds.sizes.get("snapshot"):
        raise ValueError("nothing to show: a picture of the junction needs a snapshot")
    shots = extremes(ds)
    with style():
        fig = Figure(figsize=SIZE, layout="constrained")
        fig.set_layout_engine("none")
        bands, spectrum, vacancies = map(fig.add_axes, (BANDS, SPECTRUM, VACANCIES))
        for j, shot in enumerate(shots):
            line = stroke(0, j, 1, len(shots))
            bands.plot(*band_line(ds, shot.number), label=legend_label(NamedResult(ds), shot.name), **line)
            fermi_levels(bands, ds, shot.number, line["color"])
            vacancies.plot(ds.x.values * 1e9, ds.vacancy_concentration.values[shot.number], **line)
            current_by_energy(spectrum, ds, shot.number, line)
        finish(bands, spectrum, ds, shots)
        draw_layers(bands, [NamedResult(ds)])
        draw_interfaces(vacancies, [NamedResult(ds)])
        c = ds.vacancy_concentration.values[[shot.number for shot in shots]]
        vacancies.set(yscale="log", ylim=(max(c.min(), c.max() * DEEPEST) / 2, c.max() * 3), xlim=(0, thickness(ds)))
        vacancies.set(xlabel="position in the film (nm)", ylabel="vacancies (m⁻³)")
        vacancies.yaxis.set_major_locator(LogLocator(numticks=4))
        vacancies.yaxis.set_minor_locator(NullLocator())
        fig.set_layout_engine(None)  # with one, matplotlib would draw twice, first to find the layout
    return fig


def fermi_levels(axes: Axes, ds: xr.Dataset, number: int, colour: str) -> None:
    """Draw the Fermi level of the right electrode, 0 eV, and of the left one, at minus the voltage of the junction."""
    film, level = thickness(ds), -voltage_at(ds, number)
    dashed: dict[str, Any] = {"linewidth": 0.8, "linestyle": (0, (4, 3)), "scalex": False}
    axes.plot([film, film + FAR], [0, 0], color=GREY, **dashed)
    axes.plot([-FAR, 0], [level, level], color=colour, **dashed)


def current_by_energy(axes: Axes, ds: xr.Dataset, number: int, line: dict[str, Any]) -> None:
    """Fill axes with the current density by energy of a snapshot, relative to its largest value."""
    E, density = ds.spectrum_energy.values[number], np.abs(ds.spectrum_density.values[number])
    top = np.nanmax(density, initial=0.0)
    share = density / top if top > 0 else density
    axes.fill_betweenx(E, 0, share, color=line["color"], alpha=0.18, linewidth=0)
    axes.plot(share, E, linewidth=0.9, **line)


def finish(bands: Axes, spectrum: Axes, ds: xr.Dataset, shots: Sequence[Shot]) -> None:
    """Set limits, labels and legend of the bands and of the current by energy."""
    lines = [band_line(ds, shot.number) for shot in shots]
    xlim, ylim = band_limits([ds] * len(lines), lines)
    bands.axvspan(0, thickness(ds), color=SKY, alpha=0.12, linewidth=0)
    bands.set(xlim=xlim, ylim=ylim, xlabel="position (nm)", ylabel="band edge (eV)")
    bands.annotate("$E_F$", (1, 0), (-2, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
                   ha="right", va="bottom", color=GREY)  # fmt: skip
    spectrum.set(xlim=(0, 1.05), ylim=ylim, xticks=[], xlabel="current by energy")
    spectrum.tick_params(labelleft=False)
    legend(bands)


def description(ds: xr.Dataset) -> str:
    """The figure in words, for readers who cannot see it."""
    return "; ".join(f"{shot.name}: junction at {volts(voltage_at(ds, shot.number))}" for shot in extremes(ds))
