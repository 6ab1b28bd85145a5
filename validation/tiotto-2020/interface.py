"""Claims on interface memristors: sweeps to stop voltages, power laws of pulses, the forward current in both states.

Junctions of different sizes are swept to larger and larger stop voltages. Each sweep is read twice at one voltage: on
the way to the stop, in the low state that the sweep before has left, and on the way back, in the high state. Currents are
absolute values. Numbers are SI.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from otjdd.analysis import synapse
from otjdd.analysis.metrics import Metric
from otjdd.analysis.synapse import Trains, decades, doubling, exponent, trains_of
from otjdd.claims.claim import ClaimTrial, Trials, Verdict, by_radius
from otjdd.claims.report import COLOURS, PAPER, diameter, figures_of, published_points
from otjdd.constants import BOLTZMANN_EV
from otjdd.plot import style
from otjdd.plot.axes import legend, volts
from otjdd.plot.style import Axes
from otjdd.waveform.waveform import Waveform

MOST_RESETS, MOST_SETS = 4, 8  # most voltages of resets and of sets
MOST = 4  # most stops, and most junctions


def stops(trials: Trials, at: float) -> dict[str, float]:
    """Numbers of the sweeps of junctions, with stops from the shallowest to the deepest.

    at : voltage [V] of the reads that are compared
    Raises ValueError unless each stop has two reads.
    """
    of_trials = [state_currents(trial.ds, at) for trial in by_radius(trials)]
    windows = [low / high for low, high in of_trials]
    columns = {"low": [low for low, _ in of_trials], "high": [high for _, high in of_trials], "window": windows}
    shallow = [window[0] for window in windows]
    return {key: x for name, rows in columns.items() for key, x in numbered(name, rows).items()} | {
        "windows_rise": synapse.rises(windows[0]) if len(windows[0]) > 1 else np.nan,
        "windows_fall": synapse.rises(shallow[::-1]) if len(windows) > 1 else np.nan,
    }


def sweeps(trials: Trials, measured: Sequence[Sequence[float]]) -> dict[str, float]:
    """Distances of the reads of junctions from measured currents.

    measured : for each junction, from the smallest to the largest, the currents [A] in the order of its reads
    Raises ValueError for other numbers of junctions or reads than were measured.
    """
    junctions = by_radius(trials)
    if len(junctions) != len(measured):
        raise ValueError(f"{len(measured)} junctions were measured, there are {len(junctions)}")
    distances = [distance(trial.ds, row) for trial, row in zip(junctions, measured, strict=True)]
    by_suffix = {"": np.concatenate(distances)} | {f"_{i + 1}": row for i, row in enumerate(distances)}
    named = {f"{name}_{i}": np.nan for name in ("largest", "rms") for i in range(1, MOST + 1)}
    for name, row in by_suffix.items():
        named |= {f"largest{name}": float(np.exp(row.max())), f"rms{name}": float(np.exp(np.sqrt(np.mean(row**2))))}
    return named


def distance(ds: xr.Dataset, measured: Sequence[float]) -> np.ndarray:
    """|ln(I / measured)| (n,) of the reads. Raises ValueError for another number of reads."""
    current = np.abs(np.asarray(ds.read_current))
    if len(current) != len(measured):
        raise ValueError(f"{len(measured)} currents were measured, the run has {len(current)} reads")
    return np.abs(np.log(current / np.asarray(measured)))


def numbered(name: str, rows: Sequence[np.ndarray]) -> dict[str, float]:
    """name_i_j -> value j of row i, both counted from 1 to MOST; nan where there is no such value."""
    every = [(i, j) for i in range(MOST) for j in range(MOST)]
    return {
        f"{name}_{i + 1}_{j + 1}": float(rows[i][j]) if i < len(rows) and j < len(rows[i]) else np.nan for i, j in every
    }


def state_currents(ds: xr.Dataset, at: float) -> tuple[np.ndarray, np.ndarray]:
    """Currents (stop,) [A] of the low and the high state at a voltage [V]. Raises ValueError for an odd number of reads."""
    current = np.abs(np.asarray(ds.read_current))[np.isclose(ds.read_voltage, at, atol=1e-6)]
    if len(current) % 2 or not len(current):
        raise ValueError(f"two reads at {at:g} V belong to each stop, there are {len(current)}")
    return current[::2], current[1::2]


def pairs(trials: Trials) -> dict[str, float]:
    """Power laws of trains of resets and then sets, for all pairs of several reset and several set voltages.

    trials : the second part of a drive has the reset voltage, the third has the set voltage. Reset voltages, and
        set voltages, are numbered from the lowest magnitude; the index of the reset voltage stands first
    """
    runs = {voltages(trial): trains_of(trial.ds) for trial in trials}
    resets, sets = (sorted({pair[i] for pair in runs}, key=abs) for i in (0, 1))
    most = sets[-1]
    named = {f"slope_{i + 1}_{j + 1}": np.nan for i in range(MOST_RESETS) for j in range(MOST_SETS)}
    named |= {f"{name}_{i + 1}": np.nan for name in ("reset_slope", "growth", "volts") for i in range(MOST_RESETS)}
    for i, V in enumerate(resets, 1):
        run = runs[V, most]
        named |= {f"slope_{i}_{j}": exponent(runs[V, other].set) for j, other in enumerate(sets, 1)}
        named |= {f"reset_slope_{i}": exponent(run.reset), f"growth_{i}": float(run.set[-1] / run.reset[-1])}
        named[f"volts_{i}"] = volts_per_e(sets, [runs[V, other] for other in sets])
    return named | {"memory": float(runs[resets[0], most].set[-1] / runs[resets[-1], most].set[-1])}


def voltages(trial: ClaimTrial) -> tuple[float, float]:
    """Reset and set voltage [V] of a run: those of the second and of the third part of its drive."""
    reset, set_ = trial.case.drive.parts[1:3]
    return float(reset.voltage), float(set_.voltage)


def volts_per_e(V: Sequence[float], runs: Sequence[Trains]) -> float:
    """Rise of the set voltage [V] that divides the number of sets to a growth of CHANGE by e.

    It follows from a straight line of ln(number) against the voltages V that reach this growth; nan for fewer than two.
    """
    doublings = [(v, doubling(run)) for v, run in zip(V, runs, strict=True)]
    reached = [(v, number) for v, number in doublings if not np.isnan(number)]
    if len(reached) < 2:
        return float("nan")
    at, number = np.array(reached).T
    return float(-1 / np.polyfit(at, np.log(number), 1)[0])


def protocols(trials: Trials, measured: Sequence[Sequence[float]], within: float) -> dict[str, float]:
    """Slopes of both decades of both trains of 100 pulses, compared with measured ones, for several protocols.

    measured : for each trial the currents [A] before the trains, after 1, 10 and 100 resets, after 1, 10 and 100 sets
    within : largest distance of a slope that counts as near
    """
    distances = []
    for trial, (_, *row) in zip(trials, measured, strict=True):
        measured_slopes = np.diff(np.log10(np.reshape(row, (2, 3))), axis=1)
        distances.append(np.array([decades(train) for train in trains_of(trial.ds)[1:]]) - measured_slopes)
    away = np.abs(distances)
    return {
        "near": float((away <= within).sum()),
        "rms": float(np.sqrt(np.mean(away**2))),
        "largest": float(away.max()),
    }


LOW, HIGH = "low", "high"


def forward(trials: Trials, states: Sequence[str], reverse: float) -> dict[str, float]:
    """Forward currents of the low and the high state, from the reads of one run.

    states : names of the states in the order of their reads, "low" and "high" among them; each is read at the same
        voltages, and its last read at a voltage counts
    reverse : voltage [V] for the window; idealities are between the lowest and the highest voltage above 0
    Raises ValueError unless all states are read at the same voltages.
    """
    V, current = states_read(trials[0].ds, states)
    kT = BOLTZMANN_EV * trials[0].case.temperature
    ahead, back = np.flatnonzero(V > 0), int(np.argmin(np.abs(V - reverse)))
    rise = {name: np.log(row[ahead[-1]] / row[ahead[0]]) / np.ptp(V[ahead]) for name, row in current.items()}
    return {
        "ideality_low": float(1 / (kT * rise[LOW])),
        "ideality_high": float(1 / (kT * rise[HIGH])),
        "change": float(np.max(np.abs(current[LOW][ahead] / current[HIGH][ahead] - 1))),
        "window": float(current[LOW][back] / current[HIGH][back]),
    }


def states_read(ds: xr.Dataset, states: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Voltages (voltage,) [V] of the reads of each state, and its last |currents| (voltage,) [A]. Raises ValueError."""
    V, current = np.asarray(ds.read_voltage), np.abs(np.asarray(ds.read_current))
    reads_of_state, left = divmod(len(V), len(states))
    if (
        left
        or not reads_of_state
        or not np.allclose(V.reshape(len(states), reads_of_state), V[:reads_of_state], atol=1e-6)
    ):
        raise ValueError(f"{len(states)} states are read at the same voltages, the run has {len(V)} reads")
    voltages, last = np.unique(V[:reads_of_state][::-1], return_index=True)
    return voltages, dict(
        zip(states, current.reshape(len(states), reads_of_state)[:, reads_of_state - 1 - last], strict=True)
    )


def draw_stops(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


def draw_sweeps(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


def draw_voltage_pairs(verdict: Verdict, axes: Sequence[Axes]) -> None:
    runs = {voltages(trial): synapse.trains_of(trial.ds) for trial in verdict.trials}
    resets, sets = (sorted({pair[i] for pair in runs}, key=abs) for i in (0, 1))
    for i, (V, colour) in enumerate(zip(resets, COLOURS, strict=False), 1):
        label = f"after {volts(V)}"
        train = runs[V, sets[-1]]
        number = np.arange(1, len(train.set) + 1)
        axes[0].plot(number, train.set, ".-", color=colour, markersize=3, label=label)
        axes[0].plot(number, train.reset, ".--", color=colour, markersize=3)
        axes[1].plot(sets, [synapse.exponent(runs[V, V_set].set) for V_set in sets], "o-", color=colour, label=label)
        measured = figures_of(verdict, *(f"slope_{i}_{j}" for j in range(1, len(sets) + 1)))
        published_points(axes[1], sets, measured, color=colour)
    sense = f"resets (dashed), then sets of {volts(sets[-1])}"
    axes[0].set(xscale="log", yscale="log", xlabel=sense, ylabel="|current| (A)")
    axes[1].set(xlabel="voltage of the set pulses (V)", ylabel="log-log slope")
    for ax in axes:
        legend(ax)


def draw_protocols(verdict: Verdict, axes: Sequence[Axes]) -> None:
    measured = [np.diff(np.log10(np.reshape(row[1:], (2, 3))), axis=1) for row in verdict.claim.settings["measured"]]
    simulated = [[synapse.decades(train) for train in synapse.trains_of(trial.ds)[1:]] for trial in verdict.trials]
    for i, (name, colour) in enumerate(zip(synapse.TRAINS, (style.ORANGE, style.BLUE), strict=True)):
        rows = [np.ravel([of_trial[i] for of_trial in slopes]) for slopes in (measured, simulated)]
        axes[0].plot(*rows, "o", color=colour, markersize=3, label=f"{name} pulses")
    ends = np.array(axes[0].get_xlim())
    axes[0].plot(ends, ends, color=PAPER, linewidth=1, label="as measured")
    axes[0].set(xlabel="measured log-log slope of a decade", ylabel="simulated")
    legend(axes[0])


def draw_forward(verdict: Verdict, axes: Sequence[Axes]) -> None:
    V, current = states_read(verdict.trials[0].ds, verdict.claim.settings["states"])
    for (state, row), colour in zip(current.items(), COLOURS, strict=False):
        for part, label in ((V < 0, None), (V > 0, f"{state} state")):
            axes[0].plot(V[part], row[part], "o-", color=colour, label=label)
    axes[0].set(yscale="log", xlabel="voltage (V)", ylabel="|current| (A)")
    legend(axes[0])


METRICS = {
    "stops": Metric(stops, {
        "windows_rise": ("1", "share of steps to a deeper stop with a wider memory window, smallest junction"),
        "windows_fall": ("1", "share of steps to a larger junction with a smaller memory window, shallowest stop"),
        **{f"{name}_{i}_{j}": (unit, f"{words} of the junction {i}, from the smallest on, at its stop {j}")
           for i in range(1, MOST + 1) for j in range(1, MOST + 1) for name, unit, words in (
            ("low", "A", "current of the low state"), ("high", "A", "current of the high state"),
            ("window", "1", "low-state over high-state current"))},
    }),
    "sweeps": Metric(sweeps, {
        f"{name}{suffix}": ("1", f"{words} between reads and measured currents, {of}")
        for name, words in (("largest", "largest factor"), ("rms", "root mean square factor"))
        for suffix, of in (("", "all junctions"), *((f"_{i}", f"junction {i}") for i in range(1, MOST + 1)))
    }),
    "pairs": Metric(pairs, {
        **{f"slope_{i}_{j}": ("1", f"log-log slope of the sets of voltage {j} after resets of voltage {i}")
           for i in range(1, MOST_RESETS + 1) for j in range(1, MOST_SETS + 1)},
        **{f"{name}_{i}": (unit, f"{words} {i}") for i in range(1, MOST_RESETS + 1) for name, unit, words in (
            ("reset_slope", "1", "log-log slope of the resets of voltage"),
            ("growth", "1", "last over first current of the highest sets after resets of voltage"),
            ("volts", "V", "voltage for a factor e of the number of sets at equal change after resets of voltage"))},
        "memory": ("1", "current after the highest sets, after the shallowest resets over after the deepest"),
    }),
    "protocols": Metric(protocols, {
        "near": ("1", "log-log slopes near the measured ones"),
        "rms": ("1", "root mean square distance of the log-log slopes"),
        "largest": ("1", "largest distance of a log-log slope"),
    }),
    "forward": Metric(forward, {
        "ideality_low": ("1", "ideality of the forward current in the low state"),
        "ideality_high": ("1", "ideality of the forward current in the high state"),
        "change": ("1", "largest relative change of the forward current between the states"),
        "window": ("1", "low-state over high-state current in reverse"),
    }),
}  # fmt: skip

DRAW = {
    "stops": (1, draw_stops),
    "sweeps": (2, draw_sweeps),
    "pairs": (2, draw_voltage_pairs),
    "protocols": (1, draw_protocols),
    "forward": (1, draw_forward),
}
