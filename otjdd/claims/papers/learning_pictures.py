"""Pictures of claims on learning: pulses, trains, spikes and letters. One function for each metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from otjdd.analysis import curves, plasticity
from otjdd.claims.claim import Verdict
from otjdd.claims.paper_marks import COLOURS, PAPER
from otjdd.claims.papers import learning
from otjdd.plot import style
from otjdd.plot.axes import legend, magnitude, quantity_axis, three_digits
from otjdd.plot.style import Axes

SPENT = {
    "conduction": (style.BLUE, "conducted"),
    "charging": (style.ORANGE, "charging"),
    "shown": (style.PURPLE, "V I t, instrument of 1 µs"),
    "ohmic": (style.SKY, "V² t / R of the read"),
}
PAPER_LINE: dict[str, Any] = {"color": PAPER, "linestyle": "--", "linewidth": 0.8}


def single(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


def trains(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for trial, colour in zip(verdict.trials, COLOURS, strict=False):
        peaks = plasticity.peaks(trial.ds)
        label = f"{1e-6 / trial.value:g} MHz"
        axes[0].plot(np.arange(1, len(peaks) + 1), peaks * 1e6, "o-", color=colour, label=label)
    axes[0].set(xlabel="pulse", ylabel="peak current (µA)")
    legend(axes[0])


def facilitation(verdict: Verdict, axes: Sequence[Axes]) -> None:
    interval = learning.intervals(verdict.trials) * 1e6
    of_trials = [plasticity.facilitation(plasticity.peaks(t.ds)) for t in verdict.trials]
    for name, colour in (("ppf", style.BLUE), ("ptp", style.ORANGE)):
        index = np.array([f[name] for f in of_trials])
        fit = curves.exponential(interval, index)
        fine = np.linspace(interval[0], interval[-1], 200)
        axes[0].plot(interval, 100 * index, "o", color=colour, label=name.upper())
        line = fit.amplitude * np.exp(-fine / fit.scale) + fit.offset
        axes[0].plot(fine, 100 * line, color=colour, linewidth=0.8, label=f"exponential, {fit.scale:.2g} µs")
    axes[0].set(xlabel="interval (µs)", ylabel="index (%)")
    legend(axes[0])


def amplitudes(verdict: Verdict, axes: Sequence[Axes]) -> None:
    V = np.array([t.value for t in verdict.trials])
    current = learning.left(verdict.trials)
    axes[0].plot(V, current, "o-", color=style.BLUE, label="simulated")
    axes[0].plot([0.9, 3.6], [8.5e-9, 65.5e-9], "s--", color=PAPER, label="paper, the ends")
    axes[0].set(xlabel="amplitude of a 100 ns spike (V)")
    quantity_axis(axes[0], "y", current, "current read after it", "A", log=True)
    legend(axes[0])


def widths(verdict: Verdict, axes: Sequence[Axes]) -> None:
    width = [t.value for t in verdict.trials]
    G = [1 / float(t.ds.read_resistance[-1]) for t in verdict.trials]
    axes[0].plot(width, G, "o-", color=style.BLUE)
    quantity_axis(axes[0], "x", width, "width of a 1.5 V spike", "s", log=True)
    quantity_axis(axes[0], "y", G, "conductance", "S", log=True)


def antisymmetric(verdict: Verdict, axes: Sequence[Axes]) -> None:
    delay, change = learning.timed(verdict.trials)
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


def symmetric(verdict: Verdict, axes: Sequence[Axes]) -> None:
    delay, change = learning.timed(verdict.trials)
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


def energy(verdict: Verdict, axes: Sequence[Axes]) -> None:
    V = [t.value for t in verdict.trials]
    spent = [learning.spent_by(t) for t in verdict.trials]
    for name, (colour, label) in SPENT.items():
        axes[0].plot(V, [1e15 * abs(s[name]) for s in spent], "o-", color=colour, label=label)
    scale = plasticity.SYNAPSE / verdict.trials[0].case.device.junction_area
    scaled = [1e15 * s["conduction"] * scale for s in spent]
    axes[0].plot(V, scaled, "o:", color=style.BLUE, label="conducted, 0.1 µm²")
    axes[0].plot([0.6, 1.8], [f.published[0] for f in verdict.claim.figure[:2]], "s--", color=PAPER, label="paper")
    axes[0].set(yscale="log", xlabel="amplitude of a 20 ns pulse (V)", ylabel="energy (fJ)")
    legend(axes[0])


def letters(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


DRAW = {
    "single": (2, single),
    "trains": (1, trains),
    "facilitation": (1, facilitation),
    "amplitudes": (1, amplitudes),
    "widths": (1, widths),
    "antisymmetric": (1, antisymmetric),
    "symmetric": (1, symmetric),
    "energy": (1, energy),
    "letters": (1, letters),
}
