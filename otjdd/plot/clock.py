"""A time axis that is logarithmic from each jump of the voltage, so that the first microsecond of a pulse is visible.

Time t in part k of a drive, which begins at t_k and lasts d_k, is drawn at u = k + log(1 + (t - t_k)/f) / log(1 + d_k/f):
every part is one unit wide, linear up to the time f after its start and logarithmic from there on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from numpy.typing import ArrayLike

from otjdd.plot.axes import quantity_axis, three_digits
from otjdd.plot.runs import waveform_of_result
from otjdd.plot.style import GREY
from otjdd.waveform.waveform import Waveform

PARTS = 6  # most parts of a drive; more of them are too narrow for decades
DECADES = 9  # most decades of a part
SHORT = 1e-4  # of the longest part: a shorter one belongs to the part before it
TICKS = 7  # labelled ticks of an axis, about


class Clock(NamedTuple):
    """The parts of a drive, for the map from time to place."""

    edges: np.ndarray  # (parts + 1,) [s], starts of the parts, and the end of the last
    first: np.ndarray  # (parts,) [s], the time f after the start of each part

    def __call__(self, t: ArrayLike) -> np.ndarray:
        """Place u of times t [s] on the axis."""
        k = np.clip(np.searchsorted(self.edges, t, side="right") - 1, 0, len(self.first) - 1)
        since = np.maximum(np.asarray(t, dtype=float) - self.edges[k], 0)
        return k + np.log1p(since / self.first[k]) / np.log1p(np.diff(self.edges)[k] / self.first[k])


def clock_of(ds: xr.Dataset, times: np.ndarray) -> Clock | None:
    """Clock for times (n,) [s] of a result; None where a linear axis does as well.

    A linear axis suffices for a result without a waveform, for a drive of more than PARTS parts, for fewer than three
    times, and for times that are spread evenly in the parts.
    """
    waveform = waveform_of_result(ds)
    if waveform is None or len(times) < 3:
        return None
    edges = parts_of(waveform)
    if len(edges) - 1 > PARTS:
        return None
    k = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    since, width = times - edges[k], np.diff(edges)
    inner = since > 1e-12 * width[k]
    if not inner.any() or np.median((since / width[k])[inner]) > 0.1:
        return None
    least = [np.min(since[inner & (k == part)], initial=width[part]) for part in range(len(width))]
    return Clock(edges, np.maximum(least, width * 10.0**-DECADES))


def parts_of(waveform: Waveform) -> np.ndarray:
    """Times (parts + 1,) [s] at which a waveform jumps or turns, and its end. Very short parts are left out."""
    start, end, first, last = waveform.segments()
    slope = (last - first) / (end - start)
    turns = (first[1:] != last[:-1]) | (slope[1:] != slope[:-1])
    start = np.concatenate((start[:1], start[1:][turns]))
    width = np.diff(np.append(start, end[-1]))
    long = width > SHORT * width.max()
    return np.append(np.concatenate(([0.0], start[long][1:])), end[-1])


def time_axis(axes: Axes, clock: Clock | None, times: np.ndarray) -> None:
    """Set ticks and label of an x axis in time, with a clock or, if it is None, linear."""
    if clock is None:
        quantity_axis(axes, "x", times, "time", "s", log=False)
        return
    axes.set_xlabel(name_places(clock, axes.xaxis))
    axes.set_xlim(0, len(clock.first))
    for edge in range(1, len(clock.first)):
        axes.axvline(edge, color=GREY, linewidth=0.5, linestyle=(0, (2, 2)))


def name_places(clock: Clock, axis: Axis) -> str:
    """Put ticks on an axis. Returns its label.

    Decades are labelled if each part has room for two labels. Otherwise the parts are labelled with their durations: a
    single label in a part would read as a time that continues from the part before.
    """
    at, names = ticks(clock)
    parts = np.bincount(np.asarray(at, dtype=int), minlength=len(clock.first))
    axis.set_ticks(decades(clock), minor=True)
    if len(parts) == 1 or parts.min() > 1:
        axis.set_ticks(at, names, fontsize=7)
        return "time" if len(parts) == 1 else "time since the last jump of the voltage"
    axis.set_ticks(np.arange(len(parts)) + 0.5, [instant(width) for width in np.diff(clock.edges)], fontsize=7)
    axis.set_tick_params(which="major", length=0)
    return "length of each part; ticks: decades"


def ticks(clock: Clock) -> tuple[list[float], list[str]]:
    """Places on the axis and labels (time since the start of the part), at each decade or at each third one."""
    at: list[float] = []
    names: list[str] = []
    parts, span = len(clock.first), np.log10(np.diff(clock.edges) / clock.first).sum()
    step = 1 if span <= TICKS else 3
    for part, (first, width) in enumerate(zip(clock.first, np.diff(clock.edges), strict=True)):
        low, high = int(np.ceil(np.log10(first) - 1e-9)), int(np.floor(np.log10(width) + 1e-9))
        for exponent in range(low + -low % step, high + 1, step):
            u = float(clock(clock.edges[part] + 10.0**exponent * (1 - 1e-12)))
            early = part + 1 == parts or u < part + 0.97  # nearer to a jump it would read as the label of the jump
            if early and (not at or u - at[-1] > 0.8 * parts / TICKS):
                at.append(u)
                names.append(instant(10.0**exponent))
    return at, names


def decades(clock: Clock) -> list[float]:
    """Places of all decades on the axis, without names."""
    parts = zip(clock.edges, clock.first, np.diff(clock.edges), strict=False)
    return [
        float(clock(edge + 10.0**k * (1 - 1e-12)))
        for edge, first, width in parts
        for k in range(int(np.ceil(np.log10(first) - 1e-9)), int(np.floor(np.log10(width) + 1e-9)) + 1)
    ]


def instant(t: float) -> str:
    """A time [s] as text, such as "20 ms"."""
    return three_digits(t, "s")
