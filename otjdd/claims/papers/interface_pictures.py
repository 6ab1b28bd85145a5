"""Pictures of claims on interface memristors: sweeps of several sizes, power laws of pulses, forward curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from otjdd.analysis import power_laws
from otjdd.claims.claim import Verdict
from otjdd.claims.paper_marks import COLOURS, PAPER, diameter, figures_of, published_points
from otjdd.claims.papers.interface import state_currents, states_read, voltages
from otjdd.claims.trial import ClaimTrial, by_radius
from otjdd.plot import style
from otjdd.plot.axes import legend, volts
from otjdd.plot.style import Axes
from otjdd.waveform.waveform import Waveform


def stops(verdict: Verdict, axes: Sequence[Axes]) -> None:
    at = verdict.claim.settings["at"]
    for i, (trial, colour) in enumerate(zip(by_radius(verdict.trials), COLOURS, strict=False), 1):
        V = stop_voltages(trial, at)
        for name, current, line, face in zip(
            ("low", "high"), state_currents(trial.ds, at), ("o-", "o--"), (colour, "white"), strict=True
        ):
            label = f"{diameter(trial)}, {name} state"
            axes[0].plot(V, current, line, color=colour, markerfacecolor=face, label=label)
            measured = figures_of(verdict, *(f"{name}_{i}_{j}" for j in range(1, len(V) + 1)))
            published_points(axes[0], V, measured, color=colour, markerfacecolor=face)
    axes[0].plot([], [], "s", color=style.GREY, label="measured")
    axes[0].set(yscale="log", xlabel="|stop voltage| (V)", ylabel=f"|current| at {volts(at)} (A)")
    legend(axes[0])


def stop_voltages(trial: ClaimTrial, at: float) -> np.ndarray:
    """Magnitude (sweeps,) [V] of the lowest voltage of each sweep, between its two reads at the voltage `at` [V]."""
    waveform = trial.case.waveform()
    assert isinstance(waveform, Waveform)  # these drives are short enough to be no Chain
    times = waveform.read_times[np.isclose(trial.ds.read_voltage, at, atol=1e-6)]
    inside = [(waveform.times > start) & (waveform.times < end) for start, end in times.reshape(-1, 2)]
    return np.array([-waveform.voltages[part].min() for part in inside])


def sweeps(verdict: Verdict, axes: Sequence[Axes]) -> None:
    measured = verdict.claim.settings["measured"]
    for trial, row, colour in zip(by_radius(verdict.trials), measured, COLOURS, strict=False):
        current = np.abs(trial.ds.read_current.values)
        axes[0].plot(trial.ds.read_voltage, current, "-", color=colour, linewidth=1, label=diameter(trial))
        axes[0].plot(trial.ds.read_voltage, row, ".", color=PAPER, markersize=3)
        axes[1].plot(row, current / row, ".", color=colour, markersize=4, label=diameter(trial))
    axes[0].set(yscale="log", xlabel="voltage (V)", ylabel="|current| (A)")
    axes[1].axhspan(1 / 3, 3, color=PAPER, alpha=0.15)
    axes[1].set(xscale="log", yscale="log", xlabel="measured |current| (A)", ylabel="simulated / measured")
    for ax in axes:
        legend(ax)


def voltage_pairs(verdict: Verdict, axes: Sequence[Axes]) -> None:
    runs = {voltages(trial): power_laws.trains_of(trial.ds) for trial in verdict.trials}
    resets, sets = (sorted({pair[i] for pair in runs}, key=abs) for i in (0, 1))
    for i, (V, colour) in enumerate(zip(resets, COLOURS, strict=False), 1):
        label = f"after {volts(V)}"
        train = runs[V, sets[-1]]
        number = np.arange(1, len(train.set) + 1)
        axes[0].plot(number, train.set, ".-", color=colour, markersize=3, label=label)
        axes[0].plot(number, train.reset, ".--", color=colour, markersize=3)
        axes[1].plot(sets, [power_laws.slope(runs[V, V_set].set) for V_set in sets], "o-", color=colour, label=label)
        measured = figures_of(verdict, *(f"slope_{i}_{j}" for j in range(1, len(sets) + 1)))
        published_points(axes[1], sets, measured, color=colour)
    sense = f"resets (dashed), then sets of {volts(sets[-1])}"
    axes[0].set(xscale="log", yscale="log", xlabel=sense, ylabel="|current| (A)")
    axes[1].set(xlabel="voltage of the set pulses (V)", ylabel="log-log slope")
    for ax in axes:
        legend(ax)


def pulses(verdict: Verdict, axes: Sequence[Axes]) -> None:
    trains = power_laws.trains_of(verdict.trials[0].ds)
    for name, train, colour in zip(power_laws.TRAINS, trains[1:], (style.ORANGE, style.BLUE), strict=True):
        axes[0].plot(np.arange(1, len(train) + 1), train, ".", color=colour, markersize=3, label=f"{name} pulses")
        published_points(axes[0], power_laws.DECADES, figures_of(verdict, *(f"{name}_{i}" for i in power_laws.DECADES)))
    axes[0].set(xscale="log", yscale="log", xlabel="pulses", ylabel="|current| (A)")
    legend(axes[0])


def protocols(verdict: Verdict, axes: Sequence[Axes]) -> None:
    measured = [np.diff(np.log10(np.reshape(row[1:], (2, 3))), axis=1) for row in verdict.claim.settings["measured"]]
    simulated = [
        [power_laws.decades(train) for train in power_laws.trains_of(trial.ds)[1:]] for trial in verdict.trials
    ]
    for i, (name, colour) in enumerate(zip(power_laws.TRAINS, (style.ORANGE, style.BLUE), strict=True)):
        rows = [np.ravel([of_trial[i] for of_trial in slopes]) for slopes in (measured, simulated)]
        axes[0].plot(*rows, "o", color=colour, markersize=3, label=f"{name} pulses")
    ends = np.array(axes[0].get_xlim())
    axes[0].plot(ends, ends, color=PAPER, linewidth=1, label="as measured")
    axes[0].set(xlabel="measured log-log slope of a decade", ylabel="simulated")
    legend(axes[0])


def forward(verdict: Verdict, axes: Sequence[Axes]) -> None:
    V, current = states_read(verdict.trials[0].ds, verdict.claim.settings["states"])
    for (state, row), colour in zip(current.items(), COLOURS, strict=False):
        for part, label in ((V < 0, None), (V > 0, f"{state} state")):
            axes[0].plot(V[part], row[part], "o-", color=colour, label=label)
    axes[0].set(yscale="log", xlabel="voltage (V)", ylabel="|current| (A)")
    legend(axes[0])


DRAW = {
    "stops": (1, stops), "sweeps": (2, sweeps), "pairs": (2, voltage_pairs), "pulses": (1, pulses),
    "train_slopes": (1, pulses),
    "protocols": (1, protocols), "forward": (1, forward),
}  # fmt: skip
