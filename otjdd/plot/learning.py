"""Panels of several results: facilitation against the interval of pulses, change against the delay of spikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.analysis import curves, plasticity, synapse
from otjdd.plot.axes import legend, quantity_axis, three_digits
from otjdd.plot.labels import case_data
from otjdd.plot.runs import NamedResult
from otjdd.plot.series import shows_pulses
from otjdd.plot.style import BLUE, GREY, ORANGE
from otjdd.units import parse

ONE_SIDED = 0.2  # of the larger side of an STDP curve: a smaller side counts as zero
LOOSE = 0.15  # scatter about a Gaussian relative to the range of the data, beyond which the fit is not shown


def interval(ds: xr.Dataset) -> float:
    """Pause [s] between the first two pulses of a result, from the end of one to the start of the next."""
    first, second = plasticity.pulses(ds)[:2]
    t = ds.time.values
    return float(t[second.start - 1] - t[first.stop - 1])


def ppf(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw PPF and PTP of trains against the interval of their pulses, with exponentials through four or more."""
    runs = sorted(runs, key=lambda run: interval(run.ds))
    x = np.array([interval(run.ds) for run in runs])
    of_runs = [plasticity.facilitation(plasticity.read_peaks(run.ds)) for run in runs]
    for name, colour, marker in (("ppf", BLUE, "o"), ("ptp", ORANGE, "s")):
        y = 100 * np.array([of_run[name] for of_run in of_runs])
        tau = fitted_curve(axes, curves.exponential, x, y, colour)
        label = name.upper() + (f", τ = {tau}" if tau else "")
        axes.plot(x, y, marker, color=colour, label=label, clip_on=False)
    axes.set(ylabel="index (%)")
    quantity_axis(axes, "x", x, "interval of the pulses", "s")
    legend(axes)


def fitted_curve(
    axes: Axes,
    fit: Callable[[np.ndarray, np.ndarray], curves.Curve],
    x: np.ndarray,
    y: np.ndarray,
    colour: str,
    mirror: float = 1.0,
) -> str:
    """Fit an exponential or Gaussian to y over x (n,), and draw it. Returns its scale as text with its unit.

    fit : `curves.exponential` or `curves.gaussian`   mirror : -1 draws it at negative x
    Draws nothing and returns "" for fewer than four points and for a bad fit.
    """
    try:
        if len(x) < 4:
            return ""
        fitted = fit(x, y)
    except ValueError:
        return ""
    fine = np.linspace(x.min(), x.max(), 201)
    line = (
        fitted.amplitude * np.exp(-((fine / fitted.scale) ** (1 if fit is curves.exponential else 2))) + fitted.offset
    )
    if np.ptp(line) > 1.5 * np.ptp(y):  # a peak between two points, which no point supports
        return ""
    if fit is curves.gaussian and fitted.misfit > LOOSE:
        return ""
    axes.plot(mirror * fine, line, color=colour, linewidth=0.8)
    return three_digits(fitted.scale, "s")


def many_intervals(runs: Sequence[NamedResult]) -> bool:
    """True if results hold trains of different intervals."""
    return len(runs) > 1 and all(shows_pulses(run.ds) for run in runs) and len({interval(run.ds) for run in runs}) > 1


class SpikePair(NamedTuple):
    """One result of two spikes: their delay [s] and the relative change of conductance."""

    delay: float
    change: float


def pair_of(ds: xr.Dataset) -> SpikePair | None:
    """Delay and change of a result with two spikes between its reads; None for other results."""
    drive = case_data(ds.attrs).get("drive", {})
    spikes = [part for part in [drive, *drive.get("parts", [])] if part.get("kind") == "spikes"]
    if len(spikes) != 1 or ds.sizes.get("read", 0) < 2:
        return None
    return SpikePair(parse(spikes[0]["delay"], "time"), synapse.lasting_change(ds))


def stdp(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the change of conductance against the delay of the spikes, with an exponential on each side, or a Gaussian.

    Each side has an exponential if the two sides change the conductance in opposite directions: its time constant is τ₊
    for post after pre, τ₋ for pre after post. If one side changes little or was not measured, only the other side has an
    exponential. Otherwise a Gaussian about zero is fitted.
    """
    delay, change = np.array(sorted(pair for run in runs if (pair := pair_of(run.ds)) is not None)).T
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    axes.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    sides = [(delay > 0, 1.0, "τ₊"), (delay < 0, -1.0, "τ₋")]
    means = [change[side].mean() if side.any() else 0.0 for side, *_ in sides]
    largest, taus = max(np.abs(means)), []
    alone = min(np.abs(means)) < ONE_SIDED * largest
    if alone or means[0] * means[1] < 0:
        for (side, sign, name), mean in zip(sides, means, strict=True):
            if alone and abs(mean) < largest:
                continue
            tau = fitted_curve(axes, curves.exponential, np.abs(delay[side]), 100 * change[side], BLUE, sign)
            taus.append(("τ" if alone else name, tau))
    else:
        taus.append(("τ", fitted_curve(axes, curves.gaussian, delay, 100 * change, BLUE)))
    scales = "".join(f", {name} = {tau}" for name, tau in taus if tau)
    label = f"{len(delay)} delays{scales}" if len(delay) > 1 else f"{100 * change[0]:+.3g} %"
    axes.plot(delay, 100 * change, "o", color=BLUE, label=label.replace("-", "\N{MINUS SIGN}"), clip_on=False)
    quantity_axis(axes, "x", np.abs(delay), "post after pre by", "s", log=False)
    axes.set(ylabel="change of conductance (%)")
    legend(axes)
