"""What is measured for a claim: its trials in, numbers by name out [SI, energies in eV].

A trial (`otjdd.claims.trials.Trial`) is one run of a claim, with its case and result. What a single result says is in
`otjdd.analysis.synapse`; here results are compared with each other and with their cases.
"""

import math
from collections.abc import Callable

import numpy as np

from otjdd.analysis import plasticity, synapse
from otjdd.claims import metrics_learning

TO_SWITCH = "set"  # case of a sweep from the high state, and
TO_RESET = "reset"  # from the low one


def of_one(measure: Callable) -> Callable:
    """Metric of a single Dataset."""
    return lambda trials, **settings: measure(trials[0].ds, **settings)


def thermal(trials, **settings):
    device = trials[0].case.device
    return synapse.thermal(trials[0].ds, area=device.area, richardson=device.richardson, **settings)


def trapezoid(trials, **settings):
    device = trials[0].case.device
    return synapse.trapezoid(trials[0].ds, thickness=device.film.thickness, area=device.area, **settings)


def fowler_nordheim(trials, **settings):
    return synapse.fowler_nordheim(trials[0].ds, thickness=trials[0].case.device.film.thickness, **settings)


def retention(trials) -> dict[str, float]:
    """What is left of both states (`synapse.retention`), and the relative change of each in a decade of time."""
    ds = trials[0].ds
    lost = {}
    for name, t, R in zip(
        ("high", "low"), np.split(ds.read_time.values, 2), np.split(ds.read_resistance.values, 2), strict=True
    ):
        late = t > t[0] + 0.5  # the first read is the origin, and fast changes are not those of the decades to come
        lost[f"{name}_loss"] = plasticity.loss_per_decade(t[late] - t[0], R[late])
    return synapse.retention(ds) | lost


def threshold(trials) -> dict[str, float]:
    """Least amplitude that leaves a lasting change, of a sweep over amplitudes."""
    return {"threshold": synapse.threshold(*changes(trials))}


def changes(trials) -> tuple[list[float], list[float]]:
    """Amplitudes [V] and the lasting changes that they leave."""
    return [t.value for t in trials], [synapse.lasting_change(t.ds) for t in trials]


def thickness(trials) -> dict[str, float]:
    """How a film's thickness [m] acts: on its loop, and on one switch at a fixed voltage (cases `loop` and `set`)."""
    loops = {t.value: synapse.loop(t.ds) for t in trials if t.name == "loop"}
    d, found = np.array(list(loops)), {key: np.array([loop[key] for loop in loops.values()]) for key in ROWS}
    times, energies = [], []
    for trial, loop in zip((t for t in trials if t.name == TO_SWITCH), loops.values(), strict=True):
        times.append(synapse.switching_time(trial.ds, math.sqrt(loop["pristine"] * loop["low"])))
        energies.append(synapse.switching_energy(trial.ds, times[-1]))
    return {
        "set_voltage_rises": synapse.rises(found["set_voltage"]),
        "reset_voltage_rises": synapse.rises(-found["reset_voltage"]),
        "time_rises": synapse.rises(times),
        "energy_rises": synapse.rises(energies),
        "log_low_correlation": synapse.correlation(d, np.log(found["low"])),
        "log_low_slope": synapse.slope(d, np.log(found["low"])),
        "decay_constant": plasticity.decay_constant(d, found["low"]),
    }


ROWS = ("low", "set_voltage", "reset_voltage")


def switching(trials) -> dict[str, float]:
    """Time to switch against |V| [V]: sweeps `set` from the high state, `reset` from the low one, and thresholds.

    `short` and `long` are sweeps of single pulses of 20 ns and 1 us over the amplitude.
    """
    named = {name: [t for t in trials if t.name == name] for name in (TO_SWITCH, TO_RESET, "short", "long")}
    target = middle(trials)
    found = {}
    for name in (TO_SWITCH, TO_RESET):
        V, t = times_to(named[name], target)
        found[f"{name}_correlation"] = synapse.correlation(V, np.log(t))
        found[f"{name}_slope"] = -1 / synapse.slope(V, np.log(t))
        found[f"{name}_points"] = int(np.isfinite(t).sum())
    short, long = (synapse.threshold(*changes(named[name])) for name in ("short", "long"))
    return found | {"short_threshold": short, "long_threshold": long, "fold": (short - long) / math.log(50)}


def middle(trials) -> float:
    """Geometric mean [ohm] of the states that `set` and `reset` start from."""
    first = {t.name: float(t.ds.read_resistance[0]) for t in trials if t.name in (TO_SWITCH, TO_RESET)}
    return math.sqrt(math.prod(first.values()))


def times_to(trials, target: float) -> tuple[np.ndarray, np.ndarray]:
    """|V| [V] and switching times [s] of a sweep, nan where it does not switch."""
    return np.abs([t.value for t in trials]), np.array([synapse.switching_time(t.ds, target) for t in trials])


def cycles(trials) -> dict[str, float]:
    """Drift and opening of I-V loops that are read at equal steps."""
    return synapse.cycles(trials[0].ds, trials[0].case.drive.cycles)


def uniformity(trials) -> dict[str, float]:
    """Devices drawn alike, each with a reset and a set read: resistances [ohm] that are far apart, and their scatter."""
    high, low = (np.array([float(t.ds.read_resistance[i]) for t in trials]) for i in (0, 1))
    return {
        "apart": float(high.min() / low.max()),
        "spread_high": float(np.ptp(np.log10(high))),
        "spread_low": float(np.ptp(np.log10(low))),
        "ratio_least": float((high / low).min()),
        "ratio_most": float((high / low).max()),
    }


def tip_map(trials, **size) -> dict[str, float]:
    """Currents [A] of places written once (case `outer`) and again with the other sign (`inner`), and of the pristine."""
    ends = {t.name: t.ds.read_current.values for t in trials}
    return {
        "inner_over_outer": float(ends["inner"][-1] / ends["outer"][-1]),
        "outer_over_pristine": float(ends["outer"][-1] / ends["outer"][0]),
        "inner": float(ends["inner"][-1]),
        "outer": float(ends["outer"][-1]),
    }


METRICS = metrics_learning.METRICS | {
    "loop": of_one(synapse.loop),
    "thermal": thermal,
    "trapezoid": trapezoid,
    "fowler-nordheim": fowler_nordheim,
    "retention": retention,
    "threshold": threshold,
    "thickness": thickness,
    "switching": switching,
    "uniformity": uniformity,
    "map": tip_map,
    "endurance": of_one(synapse.endurance),
    "cycles": cycles,
}
