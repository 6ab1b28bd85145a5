"""Panels of polarised films: the loop, the polarisation in time, the switching current, the ratio of currents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.analysis.polarised import ratios
from otjdd.plot.axes import legend, quantity_axis, small_print, three_digits
from otjdd.plot.clock import clock_of, time_axis
from otjdd.plot.iv import sweeps
from otjdd.plot.runs import NamedResult, legend_label, stroke

BRIEF = 1e-3  # share of the time of a sweep that a spike takes at most
SPIKE = 2.0  # largest current over the largest without spikes, above which the axis cuts spikes off
MICRO = 100.0  # uC/cm2 of a C/m2
NAME = "polarisation (µC/cm²)"
DECADES = 3.0  # time axes are logarithmic if the last time over the shortest step exceeds this many decades


def hysteresis(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the polarisation against the junction voltage."""
    voltages = np.concatenate([run.ds.junction_voltage.values for run in runs])
    for i, run in enumerate(runs):
        V, P = run.ds.junction_voltage.values, MICRO * run.ds.polarisation.values
        axes.plot(V, P, linewidth=1.0, label=legend_label(run, ""), **stroke(i, 0, len(runs), 1))
    axes.axhline(0.0, color="0.8", linewidth=0.5, zorder=0)
    axes.axvline(0.0, color="0.8", linewidth=0.5, zorder=0)
    quantity_axis(axes, "x", voltages, "voltage", "V", log=False)
    axes.set(ylabel=NAME)
    legend(axes)


def in_time(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the polarisation against time; on a logarithmic axis for a constant voltage over many decades of time."""
    times = np.concatenate([run.ds.time.values for run in runs])
    steps = np.diff(times)
    log = len(runs) > 0 and np.log10(times.max() / steps[steps > 0].min()) > DECADES and holds(runs)
    clock = clock_of(runs[0].ds, runs[0].ds.time.values) if len(runs) == 1 and not log else None
    for i, run in enumerate(runs):
        t = run.ds.time.values
        t = clock(t) if clock else t
        positive = t > 0 if log else slice(None)
        P = MICRO * run.ds.polarisation.values
        axes.plot(t[positive], P[positive], linewidth=0.9, label=legend_label(run, ""), **stroke(i, 0, len(runs), 1))
    axes.set(ylabel=NAME)
    if log:
        quantity_axis(axes, "x", times[times > 0], "time", "s", log=True)
    else:
        time_axis(axes, clock, times)
    legend(axes)


def holds(runs: Sequence[NamedResult]) -> bool:
    """True if the voltage of all results is constant after t = 0."""
    return all(np.ptp(run.ds.voltage.values[run.ds.time.values > 0]) == 0 for run in runs)


def switching_current(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the displacement current against the source voltage; its peaks are the switching current dP/dt."""
    for i, run in enumerate(runs):
        V, current = run.ds.voltage.values, run.ds.displacement_current.values
        axes.plot(V, current, linewidth=1.0, label=legend_label(run, ""), **stroke(i, 0, len(runs), 1))
    quantity_axis(axes, "x", np.concatenate([run.ds.voltage.values for run in runs]), "voltage", "V", log=False)
    currents = np.concatenate([run.ds.displacement_current.values for run in runs])
    switching = np.concatenate([without_spikes(run.ds) for run in runs])
    quantity_axis(axes, "y", switching, "displacement current", "A", log=False)
    low, high = float(switching.min(initial=0.0)), float(switching.max(initial=0.0))
    if np.abs(currents).max() > SPIKE * max(high, -low):
        axes.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
        small_print(axes, f"cut off: a brief spike of {three_digits(float(np.abs(currents).max()), 'A')}")
    legend(axes)


def without_spikes(ds: xr.Dataset) -> np.ndarray:
    """Displacement currents (n,) [A] of a sweep without spikes: currents that flow for less than BRIEF of its time.

    A jump of the voltage charges the junction in one short step; a film that switches takes a share of the sweep.
    """
    t, current = ds.time.values, ds.displacement_current.values
    steps = np.diff(t)
    lasts = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    order = np.argsort(-np.abs(current))
    later = np.cumsum(lasts[order]) >= BRIEF * (t[-1] - t[0])
    return np.asarray(current[order[later]] if later.any() else current)


def electroresistance(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the ratio of the currents of the first two states against the voltage at which they are read."""
    all_ratios = []
    for i, run in enumerate(runs):
        ds = run.ds.sortby("bias")
        V = ds.bias.values
        for j, T in enumerate(ds.temperature.values):
            ratio = ratios(V, np.abs(ds.bias_current.values[:2, j]))
            all_ratios.append(ratio)
            states = " / ".join(map(str, ds.state.values[:2]))
            label = legend_label(run, states + (f", {T:g} K" if ds.sizes["temperature"] > 1 else ""))
            axes.plot(V, ratio, linewidth=1.0, label=label, **stroke(i, j, len(runs), ds.sizes["temperature"]))
    axes.set(xlabel="read voltage (V)")
    quantity_axis(axes, "y", np.concatenate(all_ratios), "ratio of the currents", log=True)
    legend(axes)


def loops(ds: xr.Dataset) -> bool:
    """True if a run is a sweep in which both polarisation and voltage change sign."""
    P, V = ds["polarisation"].values, ds["voltage"].values
    return sweeps(V) and bool(P.min() < 0 < P.max() and V.min() < 0 < V.max())
