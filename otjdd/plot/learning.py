"""Panels of pulses and spikes: peaks of a train, facilitation against the interval, change against the delay of spikes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from otjdd.analysis import fits, plasticity, synapse
from otjdd.plot.axes import legend, quantity_axis, three_digits
from otjdd.plot.runs import NamedResult, case_data, legend_label, panel, stroke
from otjdd.plot.style import BLUE, GREY, ORANGE
from otjdd.units import parse

ONE_SIDED = 0.2  # of the larger side of an STDP curve: a smaller side counts as zero
LOOSE = 0.15  # scatter about a Gaussian relative to the range of the data, beyond which the fit is not shown


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


@panel(
    "train", "time", "voltage", "current", "conduction_current", when=shows_pulses,
    shows="peak current of each pulse, with PPF and PTP",
    needs='two equal pulses or more, recorded with record.every = "all"',
)  # fmt: skip
def draw_train(axes: Axes, runs: Sequence[NamedResult]) -> None:
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


def interval(ds: xr.Dataset) -> float:
    """Pause [s] between the first two pulses of a result, from the end of one to the start of the next."""
    first, second = plasticity.pulses(ds)[:2]
    t = ds.time.values
    return float(t[second.start - 1] - t[first.stop - 1])


@panel(
    "ppf", when=shows_pulses, together=lambda runs: len(runs) > 1 and len({interval(run.ds) for run in runs}) > 1,
    shows="PPF and PTP against the interval of the pulses, of several results",
    needs="several results of trains with different intervals, each as `draw_train` needs it",
)  # fmt: skip
def draw_ppf(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw PPF and PTP of trains against the interval of their pulses, with exponentials through four or more."""
    runs = sorted(runs, key=lambda run: interval(run.ds))
    x = np.array([interval(run.ds) for run in runs])
    of_runs = [plasticity.facilitation(plasticity.read_peaks(run.ds)) for run in runs]
    for name, colour, marker in (("ppf", BLUE, "o"), ("ptp", ORANGE, "s")):
        y = 100 * np.array([of_run[name] for of_run in of_runs])
        tau = fitted_curve(axes, fits.exponential, x, y, colour)
        label = name.upper() + (f", τ = {tau}" if tau else "")
        axes.plot(x, y, marker, color=colour, label=label, clip_on=False)
    axes.set(ylabel="index (%)")
    quantity_axis(axes, "x", x, "interval of the pulses", "s")
    legend(axes)


def fitted_curve(
    axes: Axes,
    fit: Callable[[np.ndarray, np.ndarray], fits.Curve],
    x: np.ndarray,
    y: np.ndarray,
    colour: str,
    mirror: float = 1.0,
) -> str:
    """Fit an exponential or Gaussian to y over x (n,), and draw it. Returns its scale as text with its unit.

    fit : `fits.exponential` or `fits.gaussian`   mirror : -1 draws it at negative x
    Draws nothing and returns "" for fewer than four points and for a bad fit.
    """
    try:
        if len(x) < 4:
            return ""
        fitted = fit(x, y)
    except ValueError:
        return ""
    fine = np.linspace(x.min(), x.max(), 201)
    line = fitted.amplitude * np.exp(-((fine / fitted.scale) ** (1 if fit is fits.exponential else 2))) + fitted.offset
    if np.ptp(line) > 1.5 * np.ptp(y):  # a peak between two points, which no point supports
        return ""
    if fit is fits.gaussian and fitted.misfit > LOOSE:
        return ""
    axes.plot(mirror * fine, line, color=colour, linewidth=0.8)
    return three_digits(fitted.scale, "s")


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


@panel(
    "stdp", "read_time", "read_resistance", when=lambda ds: pair_of(ds), usual_from=2,
    shows="change of conductance against the delay of two spikes",
    needs="results of a drive with one part of the kind spikes between two reads",
)  # fmt: skip
def draw_stdp(axes: Axes, runs: Sequence[NamedResult]) -> None:
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
            tau = fitted_curve(axes, fits.exponential, np.abs(delay[side]), 100 * change[side], BLUE, sign)
            taus.append(("τ" if alone else name, tau))
    else:
        taus.append(("τ", fitted_curve(axes, fits.gaussian, delay, 100 * change, BLUE)))
    scales = "".join(f", {name} = {tau}" for name, tau in taus if tau)
    label = f"{len(delay)} delays{scales}" if len(delay) > 1 else f"{100 * change[0]:+.3g} %"
    axes.plot(delay, 100 * change, "o", color=BLUE, label=label.replace("-", "\N{MINUS SIGN}"), clip_on=False)
    quantity_axis(axes, "x", np.abs(delay), "post after pre by", "s", log=False)
    axes.set(ylabel="change of conductance (%)")
    legend(axes)
