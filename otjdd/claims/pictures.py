"""Pictures of claims: simulated curves with the numbers of the paper. One function for each metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.analysis import comparison, synapse
from otjdd.analysis.comparison import films_of
from otjdd.analysis.textbook import log_gruverman
from otjdd.case.drive import Steps, Triangle, WriteReadLoop
from otjdd.claims import (
    pictures_exchange,
    pictures_ferroelectric,
    pictures_interface,
    pictures_layers,
    pictures_learning,
    pictures_single_ions,
)
from otjdd.claims.claim import Verdict
from otjdd.claims.paper_marks import PAPER, paper, stated
from otjdd.plot import iv, reads, small_signal, style
from otjdd.plot.axes import legend, magnitude, quantity_axis, volts
from otjdd.plot.runs import NamedResult

if TYPE_CHECKING:
    from otjdd.analysis.trial import Trial
    from otjdd.plot.style import Axes
    from otjdd.plot.style import Figure as Drawing


def picture(verdict: Verdict) -> Drawing:
    """Figure of a judged claim that has results."""
    count, fill = DRAW[verdict.claim.metric]
    with style.style():
        fig, axes = style.panels(count)
        fill(verdict, axes)
    return fig


def save_all(verdicts: Sequence[Verdict], folder: Path) -> None:
    """Draw each claim that has results into folder/<id>.png. Raises ResultError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for verdict in verdicts:
        if verdict.values and verdict.claim.metric in DRAW:
            fig = picture(verdict)
            fig.suptitle(f"{verdict.id}: {verdict.status}", fontsize=8)
            style.save(fig, folder / f"{verdict.id}.png")


def loop(verdict: Verdict, axes: Sequence[Axes]) -> None:
    reads.loop(axes[0], [NamedResult(verdict.trials[0].ds)])
    goal = verdict.claim.figure[0]
    if goal.unit == "ohm":
        stated(verdict, axes[0])
    elif goal.name == "ratio":
        ratio, least, most = goal.published
        low = verdict.values["low"]
        paper(axes[0], low * ratio, low * least, low * most, label=f"paper, {ratio:g} × low")
    if goal.value is not None:
        legend(axes[0])


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
    thickness, area = trial.case.device.film.thickness, trial.case.device.area
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


def retention(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    reads.retention(axes[0], [NamedResult(ds)])
    for R, goal, label in zip(
        np.split(ds.read_resistance.values, 2), verdict.claim.figure[:2], ("paper", None), strict=True
    ):
        value, least, most = goal.published
        first = R[-1] / verdict.values[goal.name]
        paper(axes[0], first * value, first * least, first * most, label=label)
    legend(axes[0])


def potentiation(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    reads.conductance(axes[0], [NamedResult(ds.isel(read=slice(-80, None)))])
    stated(verdict, axes[0], scale=1e-6)  # in uS
    axes[0].autoscale(axis="y")
    axes[0].set_ylim(bottom=0)
    axes[0].set_xlabel("read of the last two rounds")
    legend(axes[0])


def threshold(verdict: Verdict, axes: Sequence[Axes]) -> None:
    lasting(verdict.trials, axes[0])
    stated(verdict, axes[0], across=True)
    axes[0].set_xlabel("amplitude of a 20 ns pulse (V)")
    legend(axes[0])


def lasting(trials: Sequence[Trial], axes: Axes, **line: Any) -> None:
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
    target = comparison.middle(verdict.trials)
    for name, colour in (("set", style.BLUE), ("reset", style.ORANGE)):
        axes[0].plot(*comparison.times_to(runs[name], target), "o-", color=colour, label=name)
    axes[0].set(xlabel="|voltage| (V)")
    drawn = np.concatenate([line.get_ydata() for line in axes[0].lines])
    quantity_axis(axes[0], "y", drawn, "switching time", "s", log=True)
    lasting(runs["short"], axes[1], color=style.BLUE, label="20 ns")
    lasting(runs["long"], axes[1], color=style.ORANGE, label="1 µs")
    for ax in axes:
        legend(ax)


def endurance(verdict: Verdict, axes: Sequence[Axes]) -> None:
    R = verdict.trials[0].ds.read_resistance.values.reshape(-1, 2)
    number = np.arange(1, len(R) + 1)
    for column, colour, voltage in ((0, style.ORANGE, -4.3), (1, style.BLUE, 2.2)):
        axes[0].plot(number, R[:, column], "o", color=colour, label=f"after {volts(voltage)}")
    ratio, least, most = verdict.claim.figure[0].published
    low = float(np.median(R[:, 1]))
    paper(axes[0], low * ratio, low * least, low * most, label=f"paper, {ratio:g} × low")
    axes[0].set(yscale="log", ylabel="resistance (Ω)")
    quantity_axis(axes[0], "x", number, "cycle")
    legend(axes[0])


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


def impedance(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for draw, ax in zip((small_signal.nyquist, small_signal.bode), axes, strict=True):
        draw(ax, [NamedResult(verdict.trials[0].ds)])


def mott_schottky(verdict: Verdict, axes: Sequence[Axes]) -> None:
    small_signal.mott_schottky(axes[0], [NamedResult(verdict.trials[0].ds)])


def tip_map(verdict: Verdict, axes: Sequence[Axes]) -> None:
    side, inner = (verdict.claim.settings[key] for key in ("side", "inner"))
    ends = {t.name: float(t.ds.read_current[-1]) for t in verdict.trials}
    edge = (side - inner) // 2
    current = np.full((side, side), ends["outer"])
    current[edge : edge + inner, edge : edge + inner] = ends["inner"]
    image = axes[0].imshow(np.log10(current), extent=(0, 5, 0, 5))
    axes[0].figure.colorbar(image, ax=axes[0], label="log₁₀ current at 0.5 V (A)")
    axes[0].set(xlabel="x (µm)", ylabel="y (µm)")


DRAW = {  # metric -> number of panels, and the function that fills them
    **pictures_learning.DRAW,
    **pictures_interface.DRAW,
    **pictures_ferroelectric.DRAW,
    **pictures_layers.DRAW,
    **pictures_exchange.DRAW,
    **pictures_single_ions.DRAW,
    "loop": (1, loop),
    "thermal": (2, thermal),
    "trapezoid": (1, trapezoid),
    "fowler-nordheim": (1, fowler_nordheim),
    "retention": (1, retention),
    "potentiation": (1, potentiation),
    "threshold": (1, threshold),
    "thickness": (2, thickness),
    "switching": (2, switching),
    "endurance": (1, endurance),
    "cycles": (1, cycles),
    "uniformity": (1, uniformity),
    "map": (1, tip_map),
    "impedance": (2, impedance),
    "mott_schottky": (1, mott_schottky),
}
