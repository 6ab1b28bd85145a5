"""Panels of traps against position: their filling, their charge, and where their current enters and leaves the film."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.plot.axes import legend, magnitude, small_print, volts
from otjdd.plot.profiles import SIDES, TRAP_STYLES, at_voltages, draw_layers, extremes
from otjdd.plot.runs import NamedResult, legend_label, stroke

STYLES = "-", "--", ":", "-."  # of kinds of traps
MOST_BIASES = 6  # most biases for which the charge of traps is drawn
DECADES = 6.0  # decades below the largest current, down to which currents are drawn


def fillings(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the filled share of each kind of traps against position, at the snapshots of the band diagram."""
    for i, run in enumerate(runs):
        shots = at_voltages(run.ds, extremes(run.ds))
        for number, trap in enumerate(run.ds.trap.values):
            for j, shot in enumerate(shots):
                line = stroke(i, j, len(runs), len(shots)) | {"linestyle": STYLES[number % len(STYLES)]}
                name = f"{trap}, {shot.name}" if shot.name else str(trap)
                axes.plot(
                    run.ds.x.values * 1e9, run.ds.trap_filling.values[shot.number, number],
                    label=legend_label(run, name), **line,
                )  # fmt: skip
    axes.set(xlabel="position (nm)", ylabel="filled share of traps", ylim=(-0.03, 1.03))
    draw_layers(axes, runs)
    legend(axes)


def charges(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the charge of traps against position, in elementary charges per nm3, at `charge_profiles`."""
    for i, run in enumerate(runs):
        profiles = charge_profiles(run.ds)
        for j, (name, charge) in enumerate(profiles):
            line = stroke(i, j, len(runs), len(profiles))
            density = charge * 1e-27 / ELEMENTARY_CHARGE
            axes.plot(run.ds.x.values * 1e9, density, label=legend_label(run, name), **line)
    axes.set(xlabel="position (nm)", ylabel="charge of traps (e/nm³)")
    draw_layers(axes, runs)
    legend(axes)


def charge_profiles(ds: xr.Dataset) -> list[tuple[str, np.ndarray]]:
    """Names and charges (x,) [C/m3] of the snapshots of the band diagram, or at MOST_BIASES biases at most."""
    if "trap_charge" in ds:
        return [(shot.name, ds.trap_charge.values[shot.number]) for shot in at_voltages(ds, extremes(ds))]
    charge, bias = ds.bias_trap_charge.values[0, 0], ds.bias.values
    places = np.unique(np.linspace(0, len(bias) - 1, MOST_BIASES).round().astype(int))
    return [(volts(bias[place]), charge[place]) for place in places[np.argsort(bias[places])]]


def currents(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |current| per volume between traps and each electrode against position, at the snapshots of `spectrum`."""
    largest = 0.0
    for i, run in enumerate(runs):
        shots, kinds = extremes(run.ds), run.ds.trap.values
        parts = [(shot, number) for shot in shots for number in range(len(kinds))]
        for j, (shot, number) in enumerate(parts):
            for side in SIDES:
                words = f"{side} electrode" if len(kinds) == 1 else f"{kinds[number]}, {side} electrode"
                current = magnitude(run.ds[f"trap_current_{side}"].values[shot.number, number] * 1e-9)
                line = stroke(i, j, len(runs), len(parts)) | {"linestyle": TRAP_STYLES[side]}
                label = legend_label(run, ", ".join(filter(None, (shot.name, words))))
                axes.plot(run.ds.x.values * 1e9, current, label=label, **line)
                largest = max(largest, float(np.nanmax(current, initial=0.0)))
    axes.set(yscale="log", xlabel="position (nm)", ylabel="current of traps (A m⁻² nm⁻¹)")
    if largest > 0.0:
        axes.set_ylim(largest * 10**-DECADES, largest * 3)
    draw_layers(axes, runs)
    legend(axes)
    small_print(axes, "at the voltage of the source, +0.1 V where that is off")
