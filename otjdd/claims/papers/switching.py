"""Metrics that need the case of a run, or several runs: trials in, numbers by name out (SI; energies of fits in eV).

A trial is one run, with its name, the swept value, its case and its Dataset: `.name`, `.value`, `.case`, `.ds`.
Metrics of a single Dataset are in `otjdd.analysis.synapse`, those of pulses and spikes in `otjdd.claims.papers.learning`.
"""

import math
from typing import Any

import numpy as np

from otjdd.analysis import plasticity, synapse
from otjdd.analysis.metrics import Metric
from otjdd.claims.trial import Trials

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
        "log_low_slope": synapse.slope(d, np.log(by_key["low"])),
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
        numbers[f"{name}_slope"] = -1 / synapse.slope(V, np.log(t))
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


THICKNESS = {
    "set_voltage_rises": ("1", "share of steps of thickness with a higher set voltage"),
    "reset_voltage_rises": ("1", "share of steps of thickness with a higher reset voltage"),
    "time_rises": ("1", "share of steps of thickness with a longer switching time"),
    "energy_rises": ("1", "share of steps of thickness with a higher switching energy"),
    "log_low_correlation": ("1", "correlation of the logarithm of the low resistance with thickness"),
    "log_low_slope": ("1/m", "slope of the logarithm of the low resistance against thickness"),
    "decay_constant": ("1/m", "kappa of R = R0 exp(2 kappa d)"),
}
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
