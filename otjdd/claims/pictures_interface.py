"""Pictures of claims on interface memristors: stop voltages, sizes of the junction, power laws of pulses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.analysis import power_laws
from otjdd.analysis.stops import by_radius, pairs
from otjdd.claims.paper_marks import PAPER
from otjdd.claims.pictures_learning import COLOURS
from otjdd.plot import style
from otjdd.plot.axes import legend, volts
from otjdd.waveform.waveform import Waveform

if TYPE_CHECKING:
    from otjdd.claims.claim import Verdict
    from otjdd.claims.figure import Figure
    from otjdd.claims.trials import Trial
    from otjdd.plot.style import Axes

SEEN: dict[str, Any] = {"color": PAPER, "linestyle": "none", "capsize": 2, "markersize": 4}
STATES = (("low", style.BLUE), ("high", style.ORANGE))


def seen(axes: Axes, x: Sequence[float] | np.ndarray, figures: Sequence[Figure | None], **options: Any) -> None:
    """Numbers of the paper as points, what is allowed about each as its bar. x : abscissa of each figure"""
    stated = [(at, figure) for at, figure in zip(x, figures, strict=True) if figure is not None]
    if stated:
        value, *ends = np.array([[figure.si(number) for number in figure.said] for _, figure in stated]).T
        axes.errorbar([at for at, _ in stated], value, np.abs(np.array(ends) - value), fmt="s", **SEEN | options)


def figures_of(verdict: Verdict, *names: str) -> list[Figure | None]:
    """Figures of a claim by the names of their numbers, None where it has none with a value."""
    found = {figure.name: figure for figure in verdict.claim.figure if figure.value is not None}
    return [found.get(name) for name in names]


def stops(verdict: Verdict, axes: Sequence[Axes]) -> None:
    trial = verdict.trials[0]
    V = stop_voltages(trial)
    for (name, colour), current in zip(STATES, pairs(trial.ds), strict=True):
        axes[0].plot(V, current, "o-", color=colour, label=f"{name} state")
        seen(axes[0], V, figures_of(verdict, *(f"{name}_{i}" for i in range(1, len(V) + 1))))
    axes[0].set(yscale="log", xlabel="|stop voltage| (V)", ylabel=f"|current| at {read_voltage(trial)} (A)")
    legend(axes[0])


def stop_voltages(trial: Trial) -> np.ndarray:
    """Magnitude [V] of the lowest voltage between the two reads of each pair."""
    waveform = trial.case.waveform()
    assert isinstance(waveform, Waveform)  # reads of a few blocks
    ends = waveform.read_times.reshape(-1, 2)
    inside = [(waveform.times > start) & (waveform.times < end) for start, end in ends]
    return np.array([-waveform.voltages[part].min() for part in inside])


def read_voltage(trial: Trial) -> str:
    """Voltage of the reads in words."""
    return volts(float(trial.ds.read_voltage[0]))


def sizes(verdict: Verdict, axes: Sequence[Axes]) -> None:
    trials = by_radius(verdict.trials)
    size = [2e6 * trial.case.device.radius for trial in trials]
    low, high = zip(*(pairs(trial.ds) for trial in trials), strict=True)
    axes[0].plot(size, [a[0] / b[0] for a, b in zip(low, high, strict=True)], "o-", color=style.BLUE, label="simulated")
    seen(axes[0], size, figures_of(verdict, *(f"window_{i}" for i in range(1, len(size) + 1))), label="paper")
    axes[0].set(xscale="log", yscale="log", xlabel="diameter (µm)", ylabel="low over high current")
    legend(axes[0])


def pulses(verdict: Verdict, axes: Sequence[Axes]) -> None:
    trial = verdict.trials[0]
    current = np.abs(trial.ds.read_current.values)
    count = (len(current) - 1) // 2
    number = np.arange(1, count + 1)
    colours = dict(zip(power_laws.TRAINS, (style.ORANGE, style.BLUE), strict=True))
    for name, train in zip(power_laws.TRAINS, (current[1 : 1 + count], current[1 + count :]), strict=True):
        axes[0].plot(number, train, ".", color=colours[name], markersize=3, label=f"{name} pulses")
        seen(axes[0], power_laws.DECADES, figures_of(verdict, *(f"{name}_{i}" for i in power_laws.DECADES)))
    axes[0].set(xscale="log", yscale="log", xlabel="pulses", ylabel=f"current at {read_voltage(trial)} (A)")
    legend(axes[0])


def exponents(verdict: Verdict, axes: Sequence[Axes]) -> None:
    floor = verdict.claim.settings["floor"]
    for trial, colour in zip(verdict.trials, COLOURS, strict=False):
        axes[0].plot(
            *power_laws.above_floor(trial.ds, floor), ".", color=colour, markersize=3, label=volts(trial.value)
        )
    axes[0].set(xscale="log", yscale="log", xlabel="set pulses", ylabel="resistance above R₀ (Ω)")
    V = [trial.value for trial in verdict.trials]
    names = [f"exponent_{i}" for i in range(1, len(V) + 1)]
    axes[1].plot(V, [verdict.found[name] for name in names], "o-", color=style.BLUE, label="simulated")
    seen(axes[1], V, figures_of(verdict, *names), label="paper")
    axes[1].set(xlabel="voltage of the pulses (V)", ylabel="exponent")
    for ax in axes:
        legend(ax)


DRAW = {"stops": (1, stops), "sizes": (1, sizes), "pulses": (1, pulses), "exponents": (2, exponents)}
