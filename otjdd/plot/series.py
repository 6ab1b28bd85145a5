"""Panels over time: the current with the voltage below it, peaks of a train of pulses, the temperature of a junction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from otjdd.analysis import plasticity
from otjdd.plot.axes import legend, magnitude, quantity_axis
from otjdd.plot.clock import Clock, clock_of, time_axis
from otjdd.plot.runs import NamedResult, legend_label, stroke, waveform_of_result
from otjdd.plot.style import GREY, ORANGE

BELOW = 1e-9  # of the largest current: smaller ones do not widen the axis


def current(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the absolute current against time, with the voltage of the source below it."""
    axes.axis("off")
    above = axes.inset_axes((0, 0.38, 1, 0.62))
    below = axes.inset_axes((0, 0, 1, 0.3), sharex=above)
    times = np.concatenate([run.ds.time.values for run in runs])
    clocks = [clock_of(run.ds, run.ds.time.values) for run in runs]
    clock = clocks[0] if all(same(clocks[0], other) for other in clocks) else None
    for i, run in enumerate(runs):
        t = clock(run.ds.time.values) if clock else run.ds.time.values
        total, carried = (magnitude(run.ds[name].values) for name in ("current", "conduction_current"))
        line = stroke(i, 0, len(runs), 1)
        if len(runs) == 1:
            above.plot(t, total, color=GREY, linewidth=0.5, label="total, as read")
        above.plot(t, carried, linewidth=0.9, label=legend_label(run, "conduction" if len(runs) == 1 else ""), **line)
        times_V, voltage = applied(run.ds)
        when = clock(times_V) if clock else times_V
        below.plot(when, voltage, linewidth=0.9, **(line if len(runs) > 1 else {"color": ORANGE}))
    carried = magnitude(np.concatenate([run.ds.conduction_current.values for run in runs]))
    quantity_axis(above, "y", carried, "|current|", "A", log=True)
    if np.isfinite(carried).any():
        # A jump of the voltage charges the junction in one time step. The axis cuts off this spike of the total current.
        top = np.nanmax(carried)
        above.set_ylim(max(np.nanmin(carried), BELOW * top) / 2, top * 5)
    above.tick_params(labelbottom=False)
    time_axis(above, clock, times)
    time_axis(below, clock, times)
    above.set_xlabel("")
    quantity_axis(below, "y", [1.0], "voltage", "V", log=False)
    below.margins(y=0.12)
    legend(above)


def applied(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) [s] and voltages (n,) [V] of the source: as recorded, or of the drive if only reads were recorded."""
    waveform = waveform_of_result(ds)
    if waveform is not None and ds.sizes["time"] <= ds.sizes.get("read", 0) + 2:
        return waveform.times, waveform.voltages
    return ds.time.values, ds.voltage.values


def same(first: Clock | None, second: Clock | None) -> bool:
    """True if two clocks (or None) have the same parts."""
    if first is None or second is None:
        return first is second
    return len(first.edges) == len(second.edges) and np.allclose(first.edges, second.edges, rtol=1e-9)


def train(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the peak current of each pulse of a train, with paired-pulse facilitation and post-tetanic potentiation."""
    every = []
    for i, run in enumerate(runs):
        peaks = plasticity.read_peaks(run.ds)
        every.append(peaks)
        grown = plasticity.facilitation(peaks)
        text = f"PPF {100 * grown['ppf']:+.3g} %, PTP {100 * grown['ptp']:+.3g} %".replace("-", "\N{MINUS SIGN}")
        axes.plot(
            np.arange(1, len(peaks) + 1), peaks, marker="os^Dv"[i % 5], clip_on=False, label=legend_label(run, text),
            **stroke(i, 0, len(runs), 1),
        )  # fmt: skip
    quantity_axis(axes, "y", np.concatenate(every), "peak |current|", "A")
    axes.set(xlabel="pulse")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes)


def shows_pulses(ds: xr.Dataset) -> bool:
    """True if a result holds the current of two equal pulses or more."""
    if ds.sizes.get("time", 0) < 5 or "current" not in ds or not np.ptp(ds.voltage.values):
        return False
    trains = plasticity.pulses(ds)
    if len(trains) < 2:
        return False
    V = ds.voltage.values
    tops = np.array([V[pulse][np.argmax(np.abs(V[pulse]))] for pulse in trains])
    return bool(np.ptp(tops) < 1e-3 * np.abs(tops).max())


def shows_time(ds: xr.Dataset) -> bool:
    """True if a result has at most two reads, and recorded times beside them: a run made for its time series."""
    reads = ds.sizes.get("read", 0)
    return ds.sizes.get("time", 0) > reads + 2 and reads <= 2


def temperature(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the temperature against time, for a single result also the temperatures of its columns, if recorded."""
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
