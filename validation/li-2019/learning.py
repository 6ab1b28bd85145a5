"""Metrics of pulses, trains and spikes: trials in, numbers by name out (SI).

Trials are the runs of one sweep, and differ in the swept value. Each has a read before and a read after its pulses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import xarray as xr

from otjdd.analysis import fits, plasticity, synapse
from otjdd.analysis.metrics import Metric
from otjdd.claims.claim import ClaimTrial, Trials, Verdict
from otjdd.claims.report import COLOURS, PAPER
from otjdd.plot import style
from otjdd.plot.axes import legend, magnitude, quantity_axis, three_digits
from otjdd.plot.style import Axes

LETTERS = ("c", "h", "n")
CONTRASTS = {
    "at_once": "as the instrument shows it directly after the train",
    "later": "of the junction, at the second last read",
    "last": "of the junction, at the last read",
    "state": "of the junction, directly after the train",
}


def by_value(trials: Trials) -> Trials:
    """Trials of a sweep from the smallest value to the largest."""
    return sorted(trials, key=lambda trial: trial.value)


def single(trials: Trials) -> dict[str, float]:
    """Response to one pulse of growing amplitude [V], as the instrument shows it."""
    trials = by_value(trials)
    fits = [tail(t.ds) for t in trials]
    return {
        "response_rises": synapse.rises([plasticity.peaks(t.ds)[0] for t in trials]),
        "change": float(np.max(np.abs([synapse.lasting_change(t.ds) for t in trials]))),
        "least_tail": min(fit.amplitude / fit.offset for fit in fits),
        "decay": max(fit.scale for fit in fits),
        "misfit": max(fit.misfit for fit in fits),
    }


def tail(ds: xr.Dataset) -> fits.Curve:
    """Exponential through the current after the last pulse; its offset is the current before the first one."""
    t, current = plasticity.relaxation(ds, "current")
    rest = float(ds.current[plasticity.pulses(ds)[0].start - 1])
    return fits.exponential(t, current, offset=rest)


def trains(trials: Trials) -> dict[str, float]:
    """Peaks of trains whose period [s] grows from trial to trial."""
    trials = by_value(trials)
    series = [plasticity.peaks(t.ds) for t in trials]
    growth = np.array([peaks[-1] / peaks[0] - 1 for peaks in series])
    conduction = [plasticity.peaks(t.ds, "conduction_current") for t in trials]
    return {
        "least_growth": float(growth.min()),
        "most_growth": float(growth.max()),
        "fall": float(max(np.max(1 - peaks[1:] / peaks[:-1]) for peaks in series)),
        "growth_rises": synapse.rises(growth[::-1]),
        "return_growth": float(max(peaks[-1] / peaks[0] - 1 for peaks in conduction)),
    }


def facilitation(trials: Trials) -> dict[str, float]:
    """Paired-pulse facilitation (PPF) and post-tetanic potentiation (PTP) of trains against the interval [s] of pulses.

    The interval is from the end of a pulse to the start of the next.
    """
    trials = by_value(trials)
    of_trials = [plasticity.facilitation(plasticity.peaks(t.ds)) for t in trials]
    interval = intervals(trials)
    out = {"above": float(np.mean([f["ptp"] > f["ppf"] for f in of_trials]))}
    for name in ("ppf", "ptp"):
        index = np.array([f[name] for f in of_trials])
        fit = fits.exponential(interval, index)
        out |= {f"{name}_falls": synapse.rises(-index), f"{name}_misfit": fit.misfit, f"{name}_decay": fit.scale}
        out |= {f"{name}_most": float(index[0])}
    return out


def intervals(trials: Trials) -> np.ndarray:
    """Pause (n,) [s] between the pulses of each trial."""
    widths = [float(np.ptp(t.ds.time.values[plasticity.pulses(t.ds)[0]])) for t in trials]
    return np.array([t.value for t in trials]) - widths


def amplitudes(trials: Trials) -> dict[str, float]:
    """Current [A] read after one spike of growing amplitude [V], clipped to the range of the instrument."""
    trials = by_value(trials)
    current = left(trials)
    return {
        "rises": synapse.rises(current),
        "ratio": float(current[-1] / current[0]),
        "first": float(current[0]),
        "last": float(current[-1]),
    }


def left(trials: Trials) -> np.ndarray:
    """Current (n,) [A] of the last read of each trial, clipped to the range of the instrument."""
    current = np.array([float(t.ds.read_current[-1]) for t in trials])
    limit = trials[0].case.circuit.range
    return current if limit is None else np.clip(current, -limit, limit)


def widths(trials: Trials) -> dict[str, float]:
    """Conductance [S] after one spike of growing width [s]."""
    trials = by_value(trials)
    width = np.array([t.value for t in trials])
    G = 1 / np.array([float(t.ds.read_resistance[-1]) for t in trials])
    tenth = np.exp(np.interp(np.log(width[-1] / 10), np.log(width), np.log(G)))
    return {
        "rises": synapse.rises(G),
        "growth": float(G[-1] / G[0]),
        "last_decade": float(G[-1] / tenth),
        "longest": float(G[-1]),
    }


def antisymmetric(trials: Trials) -> dict[str, float]:
    """Fit of A exp(-|dt|/tau) + W0 to STDP on each side: `up` for delays dt > 0 [s], `down` for dt < 0."""
    delay, change = timed(trials)
    out = {"right": float(np.mean((change > 0) == (delay > 0)))}
    for name, side in (("up", delay > 0), ("down", delay < 0)):
        fit = fits.exponential(np.abs(delay[side]), change[side])
        out |= {name: fit.amplitude, f"{name}_decay": fit.scale, f"{name}_offset": fit.offset}
        out |= {f"{name}_error": fit.amplitude_error, f"{name}_decay_error": fit.scale_error}
    return out


def symmetric(trials: Trials) -> dict[str, float]:
    """Fit of A exp(-(dt/tau)^2) + W0 to STDP over all delays dt [s]."""
    delay, change = timed(trials)
    fit = fits.gaussian(delay, change)
    return {
        "amplitude": fit.amplitude,
        "amplitude_error": fit.amplitude_error,
        "width": fit.scale,
        "width_error": fit.scale_error,
        "offset": fit.offset,
        "misfit": fit.misfit,
        "near": float(change[np.argmin(np.abs(delay))]),
        "away": float(change[np.abs(delay) == np.abs(delay).max()].max()),
    }


def timed(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Delays (n,) [s] and relative changes of conductance (n,)."""
    return np.array([t.value for t in trials]), np.array([synapse.lasting_change(t.ds) for t in trials])


def energy(trials: Trials, short: float = 0.6, long: float = 1.8) -> dict[str, float]:
    """Energies [J] of one weaker and one stronger pulse.

    short, long : their amplitudes [V]; the trial nearest to an amplitude counts
    """
    out: dict[str, float] = {}
    for name, V in (("short", short), ("long", long)):
        trial = min(trials, key=lambda t: abs(t.value - V))
        spent = spent_by(trial)
        scale = plasticity.SYNAPSE / trial.case.device.junction_area
        out |= {name: spent["conduction"], f"{name}_scaled": spent["conduction"] * scale}
        out |= {f"{name}_{what}": spent[what] for what in ("charging", "shown", "ohmic")}
    return out


def spent_by(trial: ClaimTrial) -> dict[str, float]:
    """Energies [J] of the one pulse of a trial, by the names of `energy`."""
    ds = trial.ds
    pulse = plasticity.pulses(ds)[-1]
    t, last = ds.time.values, pulse.stop - 1
    start, end = t[pulse.start - 1], t[last]
    V, width = float(ds.voltage[last]), end - start
    by_instrument, ohmic = V * float(ds.current[last]) * width, V**2 * width / float(ds.read_resistance[0])
    return plasticity.spike_energy(ds, start, end) | {"shown": by_instrument, "ohmic": ohmic}


def letters(trials: Trials, **patterns: Any) -> dict[str, float]:
    """Contrast of the pixels of each letter: their current over that at rest, minus 1.

    Trials have the names of the letters, and reads at rest, directly after the train, later, and last.
    """
    out: dict[str, float] = {}
    for trial in trials:
        rest, at_once, later, last = trial.ds.read_current.values
        currents = np.interp(trial.ds.read_time.values[:2], trial.ds.time.values, trial.ds.current.values)
        contrasts = {
            "at_once": currents[1] / currents[0],
            "later": later / rest,
            "last": last / rest,
            "state": at_once / rest,
        }
        out |= {f"{trial.name}_{when}": float(ratio - 1) for when, ratio in contrasts.items()}
    for a, b in permutations([trial.name for trial in trials], 2):
        out[f"{a}_over_{b}_later"] = over(out[f"{a}_later"], out[f"{b}_later"])
    return out


def over(a: float, b: float) -> float:
    """Ratio a/b of two contrasts; inf if only b has vanished, nan if both have."""
    if b > 0:
        return a / b
    return math.inf if a > 0 else math.nan


SPENT = {
    "conduction": (style.BLUE, "conducted"),
    "charging": (style.ORANGE, "charging"),
    "shown": (style.PURPLE, "V I t, instrument of 1 µs"),
    "ohmic": (style.SKY, "V² t / R of the read"),
}
PAPER_LINE: dict[str, Any] = {"color": PAPER, "linestyle": "--", "linewidth": 0.8}


def draw_single(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for trial, colour in zip(verdict.trials, COLOURS, strict=False):
        for ax, what in zip(axes, ("current", "conduction_current"), strict=True):
            t, current = plasticity.relaxation(trial.ds, what)
            rest = float(trial.ds[what][plasticity.pulses(trial.ds)[0].start - 1])
            left = np.abs(current - rest)
            ax.plot(t * 1e6, magnitude(left), color=colour, label=f"{trial.value:g} V")
    for ax, who in zip(axes, ("instrument of 1 µs", "junction alone"), strict=True):
        ax.set(yscale="log", xlabel="time after the pulse (µs)", ylabel="|current − rest| (A)", title=who)
        legend(ax)
    axes[0].set_xlim(0, 12)
    axes[1].set(xscale="log", xlim=(1e-4, 10))


def draw_trains(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for trial, colour in zip(verdict.trials, COLOURS, strict=False):
        peaks = plasticity.peaks(trial.ds)
        label = f"{1e-6 / trial.value:g} MHz"
        axes[0].plot(np.arange(1, len(peaks) + 1), peaks * 1e6, "o-", color=colour, label=label)
    axes[0].set(xlabel="pulse", ylabel="peak current (µA)")
    legend(axes[0])


def draw_facilitation(verdict: Verdict, axes: Sequence[Axes]) -> None:
    interval = intervals(verdict.trials) * 1e6
    of_trials = [plasticity.facilitation(plasticity.peaks(t.ds)) for t in verdict.trials]
    for name, colour in (("ppf", style.BLUE), ("ptp", style.ORANGE)):
        index = np.array([f[name] for f in of_trials])
        fit = fits.exponential(interval, index)
        fine = np.linspace(interval[0], interval[-1], 200)
        axes[0].plot(interval, 100 * index, "o", color=colour, label=name.upper())
        line = fit.amplitude * np.exp(-fine / fit.scale) + fit.offset
        axes[0].plot(fine, 100 * line, color=colour, linewidth=0.8, label=f"exponential, {fit.scale:.2g} µs")
    axes[0].set(xlabel="interval (µs)", ylabel="index (%)")
    legend(axes[0])


def draw_amplitudes(verdict: Verdict, axes: Sequence[Axes]) -> None:
    V = np.array([t.value for t in verdict.trials])
    current = left(verdict.trials)
    axes[0].plot(V, current, "o-", color=style.BLUE, label="simulated")
    axes[0].plot([0.9, 3.6], [8.5e-9, 65.5e-9], "s--", color=PAPER, label="paper, the ends")
    axes[0].set(xlabel="amplitude of a 100 ns spike (V)")
    quantity_axis(axes[0], "y", current, "current read after it", "A", log=True)
    legend(axes[0])


def draw_widths(verdict: Verdict, axes: Sequence[Axes]) -> None:
    width = [t.value for t in verdict.trials]
    G = [1 / float(t.ds.read_resistance[-1]) for t in verdict.trials]
    axes[0].plot(width, G, "o-", color=style.BLUE)
    quantity_axis(axes[0], "x", width, "width of a 1.5 V spike", "s", log=True)
    quantity_axis(axes[0], "y", G, "conductance", "S", log=True)


def draw_antisymmetric(verdict: Verdict, axes: Sequence[Axes]) -> None:
    delay, change = timed(verdict.trials)
    axes[0].plot(delay * 1e6, 100 * change, "o", color=style.BLUE, label="simulated")
    goals = {figure.name: figure.published[0] for figure in verdict.claim.figure if figure.value is not None}
    t = np.linspace(0.5, np.abs(delay).max() * 1e6, 100)
    for side, sign in (("up", 1), ("down", -1)):
        fit = verdict.values
        simulated = fit[side] * np.exp(-t * 1e-6 / fit[f"{side}_decay"]) + fit[f"{side}_offset"]
        axes[0].plot(sign * t, 100 * simulated, color=style.BLUE, linewidth=0.8)
        published = 100 * goals[side] * np.exp(-t / goals[f"{side}_decay"])
        axes[0].plot(sign * t, published, **PAPER_LINE, label="paper" if sign > 0 else None)
    timing(axes[0])


def draw_symmetric(verdict: Verdict, axes: Sequence[Axes]) -> None:
    delay, change = timed(verdict.trials)
    axes[0].plot(delay * 1e6, 100 * change, "o", color=style.BLUE, label="simulated")
    amplitude, width = (figure.published[0] for figure in verdict.claim.figure[:2])
    fit = verdict.values
    t = np.linspace(delay.min(), delay.max(), 201) * 1e6
    simulated = fit["amplitude"] * np.exp(-((t * 1e-6 / fit["width"]) ** 2)) + fit["offset"]
    axes[0].plot(t, 100 * simulated, color=style.BLUE, linewidth=0.8)
    published = 100 * (amplitude * np.exp(-((t / width) ** 2)) + fit["offset"])
    axes[0].plot(t, published, **PAPER_LINE, label="paper, offset as simulated")
    timing(axes[0])


def timing(ax: Axes) -> None:
    ax.axhline(0, color=style.GREY, linewidth=0.6)
    ax.set(xlabel="post after pre by (µs)", ylabel="change of conductance (%)")
    ax.margins(y=0.25)
    legend(ax)


def draw_energy(verdict: Verdict, axes: Sequence[Axes]) -> None:
    V = [t.value for t in verdict.trials]
    spent = [spent_by(t) for t in verdict.trials]
    for name, (colour, label) in SPENT.items():
        axes[0].plot(V, [1e15 * abs(s[name]) for s in spent], "o-", color=colour, label=label)
    scale = plasticity.SYNAPSE / verdict.trials[0].case.device.junction_area
    scaled = [1e15 * s["conduction"] * scale for s in spent]
    axes[0].plot(V, scaled, "o:", color=style.BLUE, label="conducted, 0.1 µm²")
    axes[0].plot([0.6, 1.8], [f.published[0] for f in verdict.claim.figure[:2]], "s--", color=PAPER, label="paper")
    axes[0].set(yscale="log", xlabel="amplitude of a 20 ns pulse (V)", ylabel="energy (fJ)")
    legend(axes[0])


def draw_letters(verdict: Verdict, axes: Sequence[Axes]) -> None:
    """Draw maps of the three letters, a row each: at once, later, and after the longest time."""
    whens = {"at_once": "after 1 µs", "later": "after 25 µs", "last": "after 500 s"}
    axes[0].axis("off")
    for i, (letter, rows) in enumerate(verdict.claim.settings.items()):
        pattern = np.array([[mark == "#" for mark in row] for row in rows], dtype=float)
        for j, (when, title) in enumerate(whens.items()):
            contrast = verdict.values[f"{letter}_{when}"]
            ax = axes[0].inset_axes((j / 3 + 0.03, (2 - i) / 3 + 0.01, 0.27, 0.27))
            image = ax.imshow(1 + pattern * contrast, vmin=1, vmax=1.2)
            ax.set(xticks=[], yticks=[], title=title if i == 0 else "")
            ax.set_ylabel(letter.upper() if j == 0 else "", rotation=0, va="center", labelpad=8)
            ax.set_xlabel(
                f"{100 * round(contrast, 4):+.2g} %" if contrast < 10 else f"× {three_digits(1 + contrast)}",
                fontsize=6,
                labelpad=1,
            )
    axes[0].figure.colorbar(image, ax=axes[0], extend="max", label="current over that at rest")


METRICS = {
    "single": Metric(single, {
        "response_rises": ("1", "share of steps of amplitude with a higher peak"),
        "change": ("1", "largest lasting change of conductance"),
        "least_tail": ("1", "smallest tail after a pulse over the current at rest"),
        "decay": ("s", "longest decay time of the tail"),
        "misfit": ("1", "largest distance of the tail from an exponential"),
    }),
    "trains": Metric(trains, {
        "least_growth": ("1", "smallest growth from the first peak to the last"),
        "most_growth": ("1", "largest growth from the first peak to the last"),
        "fall": ("1", "largest relative fall from one peak to the next"),
        "growth_rises": ("1", "share of steps to a higher frequency with more growth"),
        "return_growth": ("1", "largest growth of the peaks of the conduction current"),
    }),
    "facilitation": Metric(facilitation, {
        "above": ("1", "share of intervals with the last peak above the second"),
        **{f"{name}_{number}": meaning for name in ("ppf", "ptp") for number, meaning in {
            "falls": ("1", f"share of steps of the interval with a smaller {name.upper()}"),
            "misfit": ("1", f"distance of {name.upper()} from an exponential of the interval"),
            "decay": ("s", f"decay of {name.upper()} with the interval"),
            "most": ("1", f"{name.upper()} at the shortest interval"),
        }.items()},
    }),
    "amplitudes": Metric(amplitudes, {
        "rises": ("1", "share of steps of amplitude with a higher current"),
        "ratio": ("1", "current after the highest amplitude over that after the lowest"),
        "first": ("A", "current after the lowest amplitude"),
        "last": ("A", "current after the highest amplitude"),
    }),
    "widths": Metric(widths, {
        "rises": ("1", "share of steps of width with a higher conductance"),
        "growth": ("1", "conductance after the longest pulse over that after the shortest"),
        "last_decade": ("1", "conductance after the longest pulse over that after one a tenth as long"),
        "longest": ("S", "conductance after the longest pulse"),
    }),
    "antisymmetric": Metric(antisymmetric, {
        "right": ("1", "share of delays with a change of the right sign"),
        **{f"{side}{number}": (unit, f"{words} for {delays}") for side, delays in
           {"up": "delays above 0", "down": "delays below 0"}.items() for number, unit, words in (
            ("", "1", "amplitude of the change"), ("_error", "1", "standard error of the amplitude"),
            ("_decay", "s", "decay time"), ("_decay_error", "s", "standard error of the decay time"),
            ("_offset", "1", "offset of the change"))},
    }),
    "symmetric": Metric(symmetric, {
        "amplitude": ("1", "amplitude of the change"),
        "amplitude_error": ("1", "standard error of the amplitude"),
        "width": ("s", "width of the Gaussian"),
        "width_error": ("s", "standard error of the width"),
        "offset": ("1", "offset of the change"),
        "misfit": ("1", "distance of the change from a Gaussian"),
        "near": ("1", "change at the shortest delay"),
        "away": ("1", "larger of the changes at the longest delays"),
    }),
    "energy": Metric(energy, {
        f"{pulse}{number}": ("J", f"{words} of the {which} pulse")
        for pulse, which in {"short": "weaker", "long": "stronger"}.items()
        for number, words in {
            "": "conducted energy", "_scaled": "conducted energy, scaled to 0.1 um2,",
            "_charging": "energy that charges the junction", "_shown": "V I t with the current of the instrument",
            "_ohmic": "V^2 t / R with the resistance read before",
        }.items()
    }),
    "letters": Metric(letters, {
        **{f"{letter}_{when}": ("1", f"contrast of the letter {letter.upper()}, {words}")
           for letter in LETTERS for when, words in CONTRASTS.items()},
        **{f"{a}_over_{b}_later": ("1", f"contrast of {a.upper()} over that of {b.upper()}, {CONTRASTS['later']}")
           for a, b in permutations(LETTERS, 2)},
    }),
}  # fmt: skip

DRAW = {
    "single": (2, draw_single),
    "trains": (1, draw_trains),
    "facilitation": (1, draw_facilitation),
    "amplitudes": (1, draw_amplitudes),
    "widths": (1, draw_widths),
    "antisymmetric": (1, draw_antisymmetric),
    "symmetric": (1, draw_symmetric),
    "energy": (1, draw_energy),
    "letters": (1, draw_letters),
}
