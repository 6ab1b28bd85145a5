"""Metrics that need the case of a run, or several runs: trials in, numbers by name out (SI; energies of fits in eV).

A trial is one run, with its name, the swept value, its case and its Dataset: `.name`, `.value`, `.case`, `.ds`.
Metrics of a single Dataset are in `otjdd.analysis.synapse`, those of pulses and spikes in learning.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from otjdd.analysis import plasticity, synapse
from otjdd.analysis.metrics import Metric
from otjdd.analysis.textbook import log_gruverman
from otjdd.case.drive import Steps, Triangle, WriteReadLoop
from otjdd.claims.claim import ClaimTrial, Trials, Verdict
from otjdd.claims.report import PAPER, published_line, published_lines
from otjdd.plot import iv, reads, style
from otjdd.plot.axes import legend, magnitude, quantity_axis, volts
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import Axes

TO_SWITCH = "set"  # name of the trials that start in the high state
TO_RESET = "reset"  # name of the trials that start in the low state


def thermal(trials: Trials, **settings: Any) -> dict[str, float]:
    """Numbers of `synapse.thermal` with the area and the Richardson constant of the case."""
    device = trials[0].case.device
    return synapse.thermal(trials[0].ds, area=device.junction_area, richardson=device.richardson, **settings)


def trapezoid(trials: Trials, **settings: Any) -> dict[str, float]:
    """Numbers of `synapse.trapezoid` with the thickness and the area of the case."""
    device = trials[0].case.device
    return synapse.trapezoid(trials[0].ds, thickness=device.film.thickness, area=device.junction_area, **settings)


def fowler_nordheim(trials: Trials, **settings: Any) -> dict[str, float]:
    """Numbers of `synapse.fowler_nordheim` with the thickness of the case."""
    return synapse.fowler_nordheim(trials[0].ds, thickness=trials[0].case.device.film.thickness, **settings)


def threshold(trials: Trials) -> dict[str, float]:
    """Smallest amplitude [V] that leaves a lasting change, from a sweep of the amplitude."""
    return {"threshold": synapse.threshold(*changes(trials))}


def changes(trials: Trials) -> tuple[list[float], list[float]]:
    """Amplitudes [V] and the relative change of conductance after each."""
    return [t.value for t in trials], [synapse.lasting_change(t.ds) for t in trials]


def thickness(trials: Trials, thin: float) -> dict[str, float]:
    """Trends with the thickness of the film, of R-V loops (trials `loop`) and of switching at a voltage (`set`).

    thin : [m]; trends of films up to this thickness have their plain names, those of all films begin with `wide_`
    """
    films = films_of(trials)
    narrow = {d: film for d, film in films.items() if d <= thin * (1 + 1e-9)}
    return trends(narrow) | {f"wide_{name}": number for name, number in trends(films).items()}


def films_of(trials: Trials) -> dict[float, dict[str, float]]:
    """Thickness [m] -> numbers of a film: those of its R-V loop, and time [s] and energy [J] of switching."""
    films = {t.case.device.film.thickness: synapse.loop(t.ds) for t in trials if t.name == "loop"}
    for trial in (t for t in trials if t.name == TO_SWITCH):
        film = films[trial.case.device.film.thickness]
        film["time"] = synapse.switching_time(trial.ds, math.sqrt(film["pristine"] * film["low"]))
        film["energy"] = synapse.switching_energy(trial.ds, film["time"])
    return films


def trends(films: dict[float, dict[str, float]]) -> dict[str, float]:
    """Shares of steps of thickness in which a number rises; correlation and slope of ln R_LRS."""
    films = dict(sorted(films.items()))
    d = np.array(list(films))
    by_key = {key: np.array([film[key] for film in films.values()]) for key in ROWS}
    return {
        "set_voltage_rises": synapse.rises(by_key["set_voltage"]),
        "reset_voltage_rises": synapse.rises(-by_key["reset_voltage"]),
        "time_rises": synapse.rises(by_key["time"]),
        "energy_rises": synapse.rises(by_key["energy"]),
        "log_low_correlation": synapse.correlation(d, np.log(by_key["low"])),
        "log_low_slope": plasticity.slope(d, np.log(by_key["low"])),
        "decay_constant": plasticity.decay_constant(d, by_key["low"]),
    }


ROWS = ("low", "set_voltage", "reset_voltage", "time", "energy")


def switching(trials: Trials) -> dict[str, float]:
    """Trends of the switching time with |V| from the high state (trials `set`) and the low state (`reset`); thresholds.

    Trials `short` and `long` are sweeps of the amplitude of a pulse of 20 ns and of 1 us.
    """
    named = {name: [t for t in trials if t.name == name] for name in (TO_SWITCH, TO_RESET, "short", "long")}
    target = middle(trials)
    numbers = {}
    for name in (TO_SWITCH, TO_RESET):
        V, t = times_to(named[name], target)
        numbers[f"{name}_correlation"] = synapse.correlation(V, np.log(t))
        numbers[f"{name}_slope"] = -1 / plasticity.slope(V, np.log(t))
        numbers[f"{name}_points"] = int(np.isfinite(t).sum())
    short, long = (synapse.threshold(*changes(named[name])) for name in ("short", "long"))
    return numbers | {"short_threshold": short, "long_threshold": long, "fold": (short - long) / math.log(50)}


def middle(trials: Trials) -> float:
    """Geometric mean [ohm] of the initial resistances of the trials `set` and `reset`."""
    first = {t.name: float(t.ds.read_resistance[0]) for t in trials if t.name in (TO_SWITCH, TO_RESET)}
    return math.sqrt(math.prod(first.values()))


def times_to(trials: Trials, target: float) -> tuple[np.ndarray, np.ndarray]:
    """|V| (n,) [V] and switching times (n,) [s] of a sweep, nan where it does not switch. target : [ohm]"""
    return np.abs([t.value for t in trials]), np.array([synapse.switching_time(t.ds, target) for t in trials])


def cycles(trials: Trials) -> dict[str, float]:
    """Numbers of `synapse.cycles` with the number of loops of the case."""
    return synapse.cycles(trials[0].ds, trials[0].case.drive.cycles)


def uniformity(trials: Trials) -> dict[str, float]:
    """Scatter of devices, each read after a reset and after a set: ratio of the two states, and decades of spread."""
    high, low = (np.array([float(t.ds.read_resistance[i]) for t in trials]) for i in (0, 1))
    return {
        "apart": float(high.min() / low.max()),
        "spread_high": float(np.ptp(np.log10(high))),
        "spread_low": float(np.ptp(np.log10(low))),
        "ratio_least": float((high / low).min()),
        "ratio_most": float((high / low).max()),
    }


def tip_map(trials: Trials, **size: Any) -> dict[str, float]:
    """Currents [A] of places that are written once (trial `outer`), and again with the other sign (`inner`)."""
    ends = {t.name: t.ds.read_current.values for t in trials}
    return {
        "inner_over_outer": float(ends["inner"][-1] / ends["outer"][-1]),
        "outer_over_pristine": float(ends["outer"][-1] / ends["outer"][0]),
        "inner": float(ends["inner"][-1]),
        "outer": float(ends["outer"][-1]),
    }


def draw_loop(verdict: Verdict, axes: Sequence[Axes]) -> None:
    reads.draw_loop(axes[0], [NamedResult(verdict.trials[0].ds)])
    goal = verdict.claim.figure[0]
    if goal.unit == "ohm":
        published_lines(verdict, axes[0])
    elif goal.name == "ratio":
        ratio, least, most = goal.published
        low = verdict.values["low"]
        published_line(axes[0], low * ratio, low * least, low * most, label=f"paper, {ratio:g} × low")
    if goal.value is not None:
        legend(axes[0])


def draw_retention(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    reads.draw_retention(axes[0], [NamedResult(ds)])
    for R, goal, label in zip(
        np.split(ds.read_resistance.values, 2), verdict.claim.figure[:2], ("paper", None), strict=True
    ):
        value, least, most = goal.published
        first = R[-1] / verdict.values[goal.name]
        published_line(axes[0], first * value, first * least, first * most, label=label)
    legend(axes[0])


def draw_potentiation(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    reads.draw_conductance(axes[0], [NamedResult(ds.isel(read=slice(-80, None)))])
    published_lines(verdict, axes[0], scale=1e-6)  # in uS
    axes[0].autoscale(axis="y")
    axes[0].set_ylim(bottom=0)
    axes[0].set_xlabel("read of the last two rounds")
    legend(axes[0])


def draw_endurance(verdict: Verdict, axes: Sequence[Axes]) -> None:
    R = verdict.trials[0].ds.read_resistance.values.reshape(-1, 2)
    number = np.arange(1, len(R) + 1)
    for column, colour, voltage in ((0, style.ORANGE, -4.3), (1, style.BLUE, 2.2)):
        axes[0].plot(number, R[:, column], "o", color=colour, label=f"after {volts(voltage)}")
    ratio, least, most = verdict.claim.figure[0].published
    low = float(np.median(R[:, 1]))
    published_line(axes[0], low * ratio, low * least, low * most, label=f"paper, {ratio:g} × low")
    axes[0].set(yscale="log", ylabel="resistance (Ω)")
    quantity_axis(axes[0], "x", number, "cycle")
    legend(axes[0])


THICKNESS = {
    "set_voltage_rises": ("1", "share of steps of thickness with a higher set voltage"),
    "reset_voltage_rises": ("1", "share of steps of thickness with a higher reset voltage"),
    "time_rises": ("1", "share of steps of thickness with a longer switching time"),
    "energy_rises": ("1", "share of steps of thickness with a higher switching energy"),
    "log_low_correlation": ("1", "correlation of the logarithm of the low resistance with thickness"),
    "log_low_slope": ("1/m", "slope of the logarithm of the low resistance against thickness"),
    "decay_constant": ("1/m", "kappa of R = R0 exp(2 kappa d)"),
}


def draw_thermal(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds, state = verdict.trials[0].ds, verdict.claim.settings["state"]
    iv.draw_iv(axes[0], [NamedResult(ds.sel(state=[state]))])
    iv.draw_arrhenius(axes[1], [NamedResult(ds.sel(state=[state]))])
    T = ds.temperature.values
    current = np.abs(ds.bias_current.sel(state=state, bias=iv.probe(ds)).values)
    energy, middle = verdict.claim.figure[0].published[0], len(T) // 2
    line = iv.richardson(T, current[middle], energy, T[middle])
    axes[1].plot(1000 / T, line, "--", color=PAPER, label=f"paper: {energy:g} eV")
    legend(axes[1], iv.ENERGY)


def draw_trapezoid(verdict: Verdict, axes: Sequence[Axes]) -> None:
    trial, settings = verdict.trials[0], verdict.claim.settings
    room = trial.ds.sel(state=settings["state"]).sel(temperature=300.0, method="nearest")
    iv.draw_iv(axes[0], [NamedResult(trial.ds.sel(state=[settings["state"]], temperature=[float(room.temperature)]))])
    low, high = settings["window"]
    V = np.linspace(low, high, 60)
    metal, substrate = (f.published[0] for f in verdict.claim.figure[:2])
    thickness, area = trial.case.device.film.thickness, trial.case.device.junction_area
    size = area * np.exp(log_gruverman(V, substrate, metal, thickness, settings["mass"]))
    axes[0].plot(V, size, "--", color=PAPER, label="trapezoid, paper")
    legend(axes[0])


def draw_fowler_nordheim(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


def draw_threshold(verdict: Verdict, axes: Sequence[Axes]) -> None:
    lasting(verdict.trials, axes[0])
    published_lines(verdict, axes[0], across=True)
    axes[0].set_xlabel("amplitude of a 20 ns pulse (V)")
    legend(axes[0])


def lasting(trials: Sequence[ClaimTrial], axes: Axes, **line: Any) -> None:
    """Draw the change of conductance after a pulse against its amplitude, with a grey line at the threshold."""
    change = 100 * np.array([synapse.lasting_change(t.ds) for t in trials])
    axes.plot([t.value for t in trials], np.where(change > 0, change, np.nan), "o-", **line)
    axes.axhline(100 * synapse.LASTING, color=style.GREY, linewidth=0.6)
    axes.set(yscale="log", xlabel="amplitude of one pulse (V)", ylabel="lasting change (%)")
    axes.set_ylim(bottom=1e-2)


def draw_thickness(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


def draw_switching(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


def draw_cycles(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds, drive = verdict.trials[0].ds, verdict.trials[0].case.drive
    assert isinstance(drive, Steps | Triangle | WriteReadLoop)  # the drives with cycles
    count = drive.cycles
    V, current = (a.values.reshape(count, -1) for a in (ds.read_voltage, ds.read_current))
    for i, colour in ((0, style.GREY), (1, style.BLUE), (count - 1, style.ORANGE)):
        line = "--" if i == count - 1 else "-"
        axes[0].plot(V[i], magnitude(current[i]), line, color=colour, label=f"loop {i + 1}")
    axes[0].set(yscale="log", xlabel="voltage (V)", ylabel="|current| (A)")
    legend(axes[0])


def draw_uniformity(verdict: Verdict, axes: Sequence[Axes]) -> None:
    number = [t.value for t in verdict.trials]
    for i, colour, voltage in ((0, style.ORANGE, -4.3), (1, style.BLUE, 2.2)):
        R = [float(t.ds.read_resistance[i]) for t in verdict.trials]
        axes[0].plot(number, R, "o", color=colour, label=f"after {volts(voltage)}")
    axes[0].set(yscale="log", xlabel="device", ylabel="resistance (Ω)")
    legend(axes[0])


def draw_tip_map(verdict: Verdict, axes: Sequence[Axes]) -> None:
    side, inner = (verdict.claim.settings[key] for key in ("side", "inner"))
    ends = {t.name: float(t.ds.read_current[-1]) for t in verdict.trials}
    edge = (side - inner) // 2
    current = np.full((side, side), ends["outer"])
    current[edge : edge + inner, edge : edge + inner] = ends["inner"]
    image = axes[0].imshow(np.log10(current), extent=(0, 5, 0, 5))
    axes[0].figure.colorbar(image, ax=axes[0], label="log₁₀ current at 0.5 V (A)")
    axes[0].set(xlabel="x (µm)", ylabel="y (µm)")


METRICS = {
    "thermal": Metric(thermal, {
        "activation_energy": ("eV", "activation energy of the current"),
        "transport_energy": ("eV", "mean energy of the current above the Fermi level of the substrate"),
        "tunnelling_share": ("1", "share of the current below the top of the barrier"),
        "thermionic_barrier": ("eV", "barrier of a thermionic fit"),
        "ideality": ("1", "ideality of a thermionic fit"),
        "asymmetry": ("1", "largest ratio of the currents of both signs"),
    }),
    "trapezoid": Metric(trapezoid, {
        "barrier_metal": ("eV", "barrier at the metal of a fitted trapezoid"),
        "barrier_substrate": ("eV", "barrier at the substrate of a fitted trapezoid"),
        "tunnelling_share": ("1", "share of the current below the top of the barrier"),
    }),
    "fowler-nordheim": Metric(fowler_nordheim, {
        "slope": ("V", "slope of ln(I/V^2) against 1/V"),
        "barrier": ("eV", "barrier that the slope would mean"),
        "scatter": ("1", "root mean square of ln(I/V^2) about the line"),
    }),
    "cycles": Metric(cycles, {
        "drift": ("1", "largest relative difference of a current between the last loop and the second"),
        "opening": ("1", "decades between the branches where they lie farthest apart"),
    }),
    "threshold": Metric(threshold, {
        "threshold": ("V", "smallest amplitude that leaves a lasting change"),
    }),
    "thickness": Metric(thickness, THICKNESS | {
        f"wide_{name}": (unit, f"{text}, of all films") for name, (unit, text) in THICKNESS.items()
    }),
    "switching": Metric(switching, {
        "set_correlation": ("1", "correlation of the logarithm of the set time with the voltage"),
        "set_slope": ("V", "voltage for a factor e of the set time"),
        "set_points": ("1", "voltages at which the junction sets"),
        "reset_correlation": ("1", "correlation of the logarithm of the reset time with the voltage"),
        "reset_slope": ("V", "voltage for a factor e of the reset time"),
        "reset_points": ("1", "voltages at which the junction resets"),
        "short_threshold": ("V", "threshold of pulses of 20 ns"),
        "long_threshold": ("V", "threshold of pulses of 1 us"),
        "fold": ("V", "change of the threshold for a factor e of the width"),
    }),
    "uniformity": Metric(uniformity, {
        "apart": ("1", "lowest high over highest low resistance of all devices"),
        "spread_high": ("1", "decades of spread of the high resistance"),
        "spread_low": ("1", "decades of spread of the low resistance"),
        "ratio_least": ("1", "smallest ratio of high and low resistance of a device"),
        "ratio_most": ("1", "largest ratio of high and low resistance of a device"),
    }),
    "map": Metric(tip_map, {
        "inner_over_outer": ("1", "current of the inner square over that of the outer one"),
        "outer_over_pristine": ("1", "current of the outer square over that of the pristine film"),
        "inner": ("A", "current of the inner square"),
        "outer": ("A", "current of the outer square"),
    }),
}  # fmt: skip

DRAW = {
    "loop": (1, draw_loop),
    "retention": (1, draw_retention),
    "potentiation": (1, draw_potentiation),
    "endurance": (1, draw_endurance),
    "thermal": (2, draw_thermal),
    "trapezoid": (1, draw_trapezoid),
    "fowler-nordheim": (1, draw_fowler_nordheim),
    "threshold": (1, draw_threshold),
    "thickness": (2, draw_thickness),
    "switching": (2, draw_switching),
    "cycles": (1, draw_cycles),
    "uniformity": (1, draw_uniformity),
    "map": (1, draw_tip_map),
}
