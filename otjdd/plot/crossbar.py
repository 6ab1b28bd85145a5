"""Panels of a crossbar: a map of all cells for each step of the drive, with one scale of colours."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.plot.axes import colours, magnitude, small_print, three_digits
from otjdd.plot.runs import NamedResult, panel
from otjdd.studies.dataset import worth_logarithms

MOST = 12  # most maps of a panel
CROSS = 40.0  # points: size of a cross times the cells along a map, so that crosses leave most of their cells
GAP = 0.05  # between maps, as a fraction of the panel
PATTERNS, SCANS = "one result of a drive of kind patterns", "one result of such a drive with parts that read"
TITLE = 0.12  # height of a map's title, as a fraction of the panel


@panel(
    "cells", "cell_conductance", alone=True, needs=PATTERNS,
    shows="conductance of all cells of a crossbar, for each write and rest",
)  # fmt: skip
def draw_cell_conductances(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the conductance of each cell at the beginning and after each write and rest."""
    ds = runs[0].ds
    read = np.isfinite(ds.sensed_current.values).any(axis=(1, 2))
    maps(axes, ds.isel(step=~read), "cell_conductance", "conductance")


@panel("sensed", "sensed_current", alone=True, shows="currents of the reads of a crossbar, a map for each", needs=SCANS)
def draw_bit_line_currents(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the current of each bit line while a word line is read, for each scan."""
    maps(axes, runs[0].ds, "sensed_current", "current")


@panel(
    "sneak", "sensed_current", alone=True, usual=False, needs=SCANS,
    shows="fraction of sneak paths in these currents, a map for each",
)  # fmt: skip
def draw_sneaks(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the share of each read current that bypasses the cell that is read (sneak paths), for each scan."""
    maps(axes, runs[0].ds, "sneak_share", "fraction of sneak paths", log=False)


@panel(
    "programmed", "program_error", alone=True, needs="one result of such a drive with parts that program",
    shows="targets of the cells of a crossbar, what was reached, errors and pulses",
)  # fmt: skip
def draw_programmed(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw target and reached conductances, errors and numbers of pulses of the last step that programs cells."""
    ds = runs[0].ds
    done = np.flatnonzero(np.isfinite(ds.program_error.values).all(axis=(1, 2)))
    at = ds.isel(step=done[-1])
    target, reached = at.program_target.values, at.program_conductance.values
    both = magnitude(np.stack((target, reached)))
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    shared = mpl.colors.LogNorm(low, high) if worth_logarithms(both) else mpl.colors.Normalize(low, high)
    error = 100.0 * at.program_error.values
    most = float(np.abs(error).max()) or 1.0
    pulses = at.program_pulses.values
    counts = mpl.colors.Normalize(0.0, float(pulses.max()) or 1.0)
    axes.axis("off")
    for number, (name, unit, values, norm, map_) in enumerate((
        ("target", "S", target, shared, "viridis"), ("reached", "S", reached, shared, "viridis"),
        ("error", "%", error, mpl.colors.Normalize(-most, most), "RdBu_r"), ("pulses", "1", pulses, counts, "magma"),
    )):  # fmt: skip
        row, column = divmod(number, 2)
        inner = axes.inset_axes((0.55 * column, 0.53 * (1 - row), 0.36, 0.4))
        inner.imshow(values, norm=norm, cmap=map_, interpolation="nearest", aspect="equal")
        inner.set(xticks=[], yticks=[])
        inner.set_title(name, fontsize=6, loc="center", pad=2)
        inner.spines[["top", "right"]].set_visible(True)
        beside = inner.inset_axes((1.04, 0.0, 0.05, 1.0))
        colours(mpl.cm.ScalarMappable(norm, map_), inner, "", unit, beside)
        beside.set_ylabel(beside.get_ylabel().strip(), fontsize=6, labelpad=1)
        beside.tick_params(labelsize=5, pad=1)
        if name == "error":
            rows, bits = np.nonzero(at.program_missed.values)
            size = min(2.5, CROSS / max(error.shape))
            for colour, width in (("w", 1.2), ("k", 0.4)):  # seen on any colour
                inner.plot(bits, rows, "x", color=colour, markersize=size, markeredgewidth=width)
            if rows.size:
                inner.set_title(f"error, x: {rows.size} missed", fontsize=6, loc="center", pad=2)
    if len(done) > 1:
        axes.set_title(f"step {done[-1]}, the last that programs", fontsize=6, loc="center")


@panel(
    "stress", "cell_conductance", alone=True, usual=False, needs=PATTERNS,
    shows="largest voltage across all cells of a crossbar, a map for each write",
)  # fmt: skip
def draw_cell_voltages(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the voltage of largest magnitude across each cell, for each write."""
    ds = runs[0].ds
    written = (ds.cell_chosen.values != 0.0).any(axis=(1, 2))
    maps(axes, ds.isel(step=written) if written.any() else ds, "cell_voltage", "voltage")


def maps(axes: Axes, ds: xr.Dataset, name: str, label: str, log: bool | None = None) -> None:
    """Draw maps of a variable (step, word_line, bit_line) in the steps where it is finite, in MOST of these at most.

    log : logarithmic scale of the colours; None takes one for values over more than a decade
    """
    there = np.flatnonzero(np.isfinite(ds[name].values).all(axis=(1, 2)))
    chosen = there[np.unique(np.round(np.linspace(0, len(there) - 1, min(MOST, len(there)))).astype(int))]
    values = ds[name].values[chosen]
    logarithmic = worth_logarithms(np.abs(values)) if log is None else log
    values = magnitude(values) if logarithmic else values
    norm = (mpl.colors.LogNorm if logarithmic else mpl.colors.Normalize)(np.nanmin(values), np.nanmax(values))
    axes.axis("off")
    columns = int(np.ceil(np.sqrt(len(chosen))))
    rows = -(-len(chosen) // columns)
    width, height = 1.0 / columns, 1.0 / rows
    for i, (step, value) in enumerate(zip(chosen, values, strict=True)):
        row, column = divmod(i, columns)
        place = column * width + GAP / 2, 1.0 - (row + 1) * height, width - GAP, height - TITLE
        inner = axes.inset_axes(place)
        inner.imshow(value, norm=norm, interpolation="nearest", aspect="equal")
        inner.set(xticks=[], yticks=[])
        inner.set_title(title(ds, step), fontsize=6, loc="center", pad=2)
        if i == columns * (rows - 1):  # the lower left map: no title stands below its labels
            inner.set_xlabel("bit line", fontsize=6, labelpad=1)
            inner.set_ylabel("word line", fontsize=6, labelpad=1)
        inner.spines[["top", "right"]].set_visible(True)
    colours(mpl.cm.ScalarMappable(norm, "viridis"), axes, label, ds[name].attrs["units"])
    if len(chosen) < len(there):
        small_print(axes, f"{len(chosen)} of {len(there)} steps")


def title(ds: xr.Dataset, step: int) -> str:
    """A step in words: its kind and the time of its end."""
    voltage, when = float(ds.step_voltage.values[step]), three_digits(float(ds.step_time.values[step]), "s")
    if "program_pulses" in ds and np.isfinite(ds.program_pulses.values[step]).all():
        return f"program\n{when}"
    if ds.cell_chosen.values[step].any():
        return f"write {three_digits(voltage, 'V')}\n{when}"
    if np.isfinite(voltage):
        return f"read {three_digits(voltage, 'V')}\n{when}"
    return f"rest\n{when}" if ds.step_time.values[step] else "begin"
