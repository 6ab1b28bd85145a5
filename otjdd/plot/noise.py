"""Panels of the noise of a current: the current of the reads over time, and its spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.analysis import current_noise
from otjdd.plot.axes import legend, quantity_axis, small_print, three_digits
from otjdd.plot.runs import NamedResult, legend_label, stroke

THIN = {"linewidth": 0.6}


def has_spectrum(ds: xr.Dataset) -> bool:
    """True if the noise of the current of a result has a spectrum, positive at all frequencies."""
    try:
        return bool((current_noise.noise(ds).current_spectrum > 0).all())
    except ValueError:
        return False


def random_ions(ds: xr.Dataset) -> bool:
    """True if the ions of a result hop at random, and its current has a spectrum as in `has_spectrum`."""
    return "single_ion_share" in ds and has_spectrum(ds)


def trace(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the current of the reads over time, as steps. Few ions near a face give telegraph noise (jumps)."""
    times, currents = [], []
    for i, run in enumerate(runs):
        times.append(run.ds.read_time.values)
        currents.append(np.abs(run.ds.read_current.values))
        axes.step(times[-1], currents[-1], where="mid", label=legend_label(run), **stroke(i, 0, len(runs), 1) | THIN)
    quantity_axis(axes, "x", np.concatenate(times), "time", "s", log=False)
    quantity_axis(axes, "y", np.concatenate(currents), "|current|", "A")
    legend(axes)


def spectrum(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the spectral density S of each current I over I², a line of its slope, and the shot noise of electrons, 2e/I."""
    frequencies = []
    for i, run in enumerate(runs):
        measured = current_noise.noise(run.ds)
        f, relative = measured.frequency.values, measured.current_spectrum.values / measured.mean_current.item() ** 2
        line = np.exp(np.log(relative).mean() + measured.slope.item() * (np.log(f) - np.log(f).mean()))
        frequencies.append(f)
        label = legend_label(run, f"slope {measured.slope.item():.2f}")
        size = f"f S/I² = {three_digits(float(measured['size']))}"
        if np.isfinite(measured.hooge.item()):
            size += f"; times {three_digits(measured.ions.item())} ions: {three_digits(measured.hooge.item())}"
        small_print(axes, f"{run.label}: {size}" if run.label else size)
        axes.plot(f, relative, color="0.7", linewidth=0.7)
        axes.plot(f, line, label=label, **stroke(i, 0, len(runs), 1))
        shot = measured.shot_spectrum.item() / measured.mean_current.item() ** 2
        axes.axhline(shot, color="0.5", linewidth=0.7, linestyle=":", label="shot noise 2e/I" if i == 0 else None)
    axes.set(yscale="log", ylabel="S/I² (1/Hz)")
    quantity_axis(axes, "x", np.concatenate(frequencies), "frequency", "Hz", log=True)
    legend(axes)
