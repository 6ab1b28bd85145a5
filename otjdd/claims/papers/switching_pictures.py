"""Pictures of claims on resistive switching: barriers, thresholds, thickness, switching times, devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from otjdd.analysis import synapse
from otjdd.analysis.textbook import log_gruverman
from otjdd.case.drive import Steps, Triangle, WriteReadLoop
from otjdd.claims.claim import Verdict
from otjdd.claims.paper_marks import PAPER, stated
from otjdd.claims.papers.switching import films_of, middle, times_to
from otjdd.claims.trial import ClaimTrial
from otjdd.plot import iv, style
from otjdd.plot.axes import legend, magnitude, quantity_axis, volts
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import Axes


def thermal(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds, state = verdict.trials[0].ds, verdict.claim.settings["state"]
    iv.iv(axes[0], [NamedResult(ds.sel(state=[state]))])
    iv.arrhenius(axes[1], [NamedResult(ds.sel(state=[state]))])
    T = ds.temperature.values
    current = np.abs(ds.bias_current.sel(state=state, bias=iv.probe(ds)).values)
    energy, middle = verdict.claim.figure[0].published[0], len(T) // 2
    line = iv.richardson(T, current[middle], energy, T[middle])
    axes[1].plot(1000 / T, line, "--", color=PAPER, label=f"paper: {energy:g} eV")
    legend(axes[1], iv.ENERGY)


def trapezoid(verdict: Verdict, axes: Sequence[Axes]) -> None:
    trial, settings = verdict.trials[0], verdict.claim.settings
    room = trial.ds.sel(state=settings["state"]).sel(temperature=300.0, method="nearest")
    iv.iv(axes[0], [NamedResult(trial.ds.sel(state=[settings["state"]], temperature=[float(room.temperature)]))])
    low, high = settings["window"]
    V = np.linspace(low, high, 60)
    metal, substrate = (f.published[0] for f in verdict.claim.figure[:2])
    thickness, area = trial.case.device.film.thickness, trial.case.device.junction_area
    size = area * np.exp(log_gruverman(V, substrate, metal, thickness, settings["mass"]))
    axes[0].plot(V, size, "--", color=PAPER, label="trapezoid, paper")
    legend(axes[0])


def fowler_nordheim(verdict: Verdict, axes: Sequence[Axes]) -> None:
    settings = verdict.claim.settings
    room = verdict.trials[0].ds.sel(state=settings["state"]).sel(temperature=300.0, method="nearest")
    V, current = room.bias.values, room.bias_current.values
    low, high = settings["window"]
    high_field = (V > low / 2) & (V <= high + 1e-9)
    x, y = 1 / V[high_field], np.log(current[high_field] / V[high_field] ** 2)
    axes[0].plot(x, y, "o-", color=style.BLUE, label="simulated")
    ends = np.array([1 / high, 1 / low])
    anchor = np.interp(ends[0], x[::-1], y[::-1])
    slope = verdict.claim.figure[0].published[0]
    axes[0].plot(ends, anchor + slope * (ends - ends[0]), "--", color=PAPER, label="paper")
    axes[0].set(xlabel="1 / voltage (1/V)", ylabel="ln(I / V²), I in A")
    legend(axes[0])


def threshold(verdict: Verdict, axes: Sequence[Axes]) -> None:
    lasting(verdict.trials, axes[0])
    stated(verdict, axes[0], across=True)
    axes[0].set_xlabel("amplitude of a 20 ns pulse (V)")
    legend(axes[0])


def lasting(trials: Sequence[ClaimTrial], axes: Axes, **line: Any) -> None:
    """Draw the change of conductance after a pulse against its amplitude, with a grey line at the threshold."""
    change = 100 * np.array([synapse.lasting_change(t.ds) for t in trials])
    axes.plot([t.value for t in trials], np.where(change > 0, change, np.nan), "o-", **line)
    axes.axhline(100 * synapse.LASTING, color=style.GREY, linewidth=0.6)
    axes.set(yscale="log", xlabel="amplitude of one pulse (V)", ylabel="lasting change (%)")
    axes.set_ylim(bottom=1e-2)


def thickness(verdict: Verdict, axes: Sequence[Axes]) -> None:
    films = films_of(verdict.trials)
    d = 1e9 * np.array(list(films))
    axes[0].plot(d, [x["low"] for x in films.values()], "o-", color=style.BLUE, label="low")
    axes[0].plot(d, [x["high"] for x in films.values()], "o-", color=style.ORANGE, label="high")
    axes[0].set(yscale="log", xlabel="film thickness (nm)", ylabel="resistance (Ω)")
    axes[1].plot(d, [x["set_voltage"] for x in films.values()], "o-", color=style.BLUE, label="set")
    axes[1].plot(d, [-x["reset_voltage"] for x in films.values()], "o-", color=style.ORANGE, label="reset")
    axes[1].set(xlabel="film thickness (nm)", ylabel="|switching voltage| (V)")
    for ax in axes:
        legend(ax)


def switching(verdict: Verdict, axes: Sequence[Axes]) -> None:
    runs = {name: [t for t in verdict.trials if t.name == name] for name in ("set", "reset", "short", "long")}
    target = middle(verdict.trials)
    for name, colour in (("set", style.BLUE), ("reset", style.ORANGE)):
        axes[0].plot(*times_to(runs[name], target), "o-", color=colour, label=name)
    axes[0].set(xlabel="|voltage| (V)")
    drawn = np.concatenate([line.get_ydata() for line in axes[0].lines])
    quantity_axis(axes[0], "y", drawn, "switching time", "s", log=True)
    lasting(runs["short"], axes[1], color=style.BLUE, label="20 ns")
    lasting(runs["long"], axes[1], color=style.ORANGE, label="1 µs")
    for ax in axes:
        legend(ax)


def cycles(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds, drive = verdict.trials[0].ds, verdict.trials[0].case.drive
    assert isinstance(drive, Steps | Triangle | WriteReadLoop)  # the drives with cycles
    count = drive.cycles
    V, current = (a.values.reshape(count, -1) for a in (ds.read_voltage, ds.read_current))
    for i, colour in ((0, style.GREY), (1, style.BLUE), (count - 1, style.ORANGE)):
        line = "--" if i == count - 1 else "-"
        axes[0].plot(V[i], magnitude(current[i]), line, color=colour, label=f"loop {i + 1}")
    axes[0].set(yscale="log", xlabel="voltage (V)", ylabel="|current| (A)")
    legend(axes[0])


def uniformity(verdict: Verdict, axes: Sequence[Axes]) -> None:
    number = [t.value for t in verdict.trials]
    for i, colour, voltage in ((0, style.ORANGE, -4.3), (1, style.BLUE, 2.2)):
        R = [float(t.ds.read_resistance[i]) for t in verdict.trials]
        axes[0].plot(number, R, "o", color=colour, label=f"after {volts(voltage)}")
    axes[0].set(yscale="log", xlabel="device", ylabel="resistance (Ω)")
    legend(axes[0])


def tip_map(verdict: Verdict, axes: Sequence[Axes]) -> None:
    side, inner = (verdict.claim.settings[key] for key in ("side", "inner"))
    ends = {t.name: float(t.ds.read_current[-1]) for t in verdict.trials}
    edge = (side - inner) // 2
    current = np.full((side, side), ends["outer"])
    current[edge : edge + inner, edge : edge + inner] = ends["inner"]
    image = axes[0].imshow(np.log10(current), extent=(0, 5, 0, 5))
    axes[0].figure.colorbar(image, ax=axes[0], label="log₁₀ current at 0.5 V (A)")
    axes[0].set(xlabel="x (µm)", ylabel="y (µm)")


DRAW = {
    "thermal": (2, thermal),
    "trapezoid": (1, trapezoid),
    "fowler-nordheim": (1, fowler_nordheim),
    "threshold": (1, threshold),
    "thickness": (2, thickness),
    "switching": (2, switching),
    "cycles": (1, cycles),
    "uniformity": (1, uniformity),
    "map": (1, tip_map),
}
