"""Panels of reads: loops, conductance, states over cycles and time, their spread, parts of the current, and its noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from otjdd.analysis import current_noise, plasticity, synapse
from otjdd.analysis.synapse import two_in_turn
from otjdd.plot.axes import (
    NEAR_ZERO,
    arrows,
    legend,
    magnitude,
    quantity_axis,
    small_print,
    three_digits,
    volts,
    with_signs,
)
from otjdd.plot.runs import NamedResult, gathered, legend_label, panel, stroke
from otjdd.plot.style import BLUE, CYCLE, GREY, ORANGE
from otjdd.studies.dataset import worth_logarithms

MARKERS = "osD^vP"
MARKED = 20  # about this many points of a curve have markers, where several curves of many points share axes
WIDE = 50.0  # ratio of conductances from which the axis is logarithmic
DASHES = "-", "--", ":", "-."  # of states
DEEPEST = 1e-4  # of the smallest current: smaller parts are not drawn
THIN = {"linewidth": 0.6}
LETTERS = 14  # a third of the letters that fit below boxes; longer names are turned
WRITTEN, TIMED = ("write_voltage", "read_resistance"), ("read_time", "read_resistance")
ALTERNATE = "reads after writes of two voltages that alternate"
MANY = "64 reads or more at even times and one voltage, which scatter (ions.noise)"


def writes(ds: xr.Dataset) -> np.ndarray:
    """Voltages (n,) [V] of the writes before reads, without 0 V."""
    V = ds.write_voltage.values if "write_voltage" in ds else np.array([])
    return np.asarray(V[np.isfinite(V) & (V != 0)])


def steps_writes(ds: xr.Dataset) -> bool:
    """True if the writes have more than four different voltages."""
    return len(np.unique(writes(ds))) > 4


def alternating(ds: xr.Dataset) -> bool:
    """True if writes of two voltages of opposite sign alternate, twice or more, with a read after each."""
    V = ds.write_voltage.values
    return bool(len(V) > 3 and np.isfinite(V).all() and two_in_turn(V))


@panel(
    "loop", *WRITTEN, when=lambda ds: len(set(writes(ds))) > 1 and ds.sizes["read"] > 2, usual=steps_writes,
    shows="resistance against the voltage of the write before the read",
    needs="reads after writes of different voltages, as a drive of kind write-read-loop has",
)  # fmt: skip
def draw_loop(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the resistance read after each write against the voltage of the write. Arrows show the direction."""
    for i, run in enumerate(runs):
        V, R = run.ds.write_voltage.values, run.ds.read_resistance.values
        line = stroke(i, 0, len(runs), 1)
        step = -(-len(V) // MARKED) if len(runs) > 1 else 1  # markers at some points, which differ between the curves
        mark: dict[str, Any] = {"marker": MARKERS[i % 6], "markersize": 2.2} | hollow(i)
        mark |= {"markevery": (i * step // len(runs), step)} if step > 1 else {}
        axes.plot(V, R, linewidth=0.8, label=legend_label(run), **mark, **line)
        bars(axes, V, R, run.ds)
        arrows(axes, V, R, ORANGE if len(runs) == 1 else line["color"], turn=(i, len(runs)))
    axes.set(xlabel="write voltage (V)")
    quantity_axis(axes, "y", gathered(runs, "read_resistance"), "resistance", "ohm", log=True)
    numbers = synapse.loop(runs[0].ds) if len(runs) == 1 else None
    if numbers is None or min(numbers["set_decades"], numbers["reset_decades"]) <= 0:  # no set or no reset
        legend(axes, None)
        return
    ends = f"set {volts(numbers['set_voltage'])}, reset {volts(numbers['reset_voltage'])}"
    legend(axes, f"high/low {three_digits(numbers['ratio'], '1')}, {ends}")


def bars(axes: Axes, x: np.ndarray, y: np.ndarray, ds: xr.Dataset) -> None:
    """Draw bars of the stated errors of reads at points (x, y), where they are known. y : resistance or conductance"""
    if "read_resistance_error" not in ds:
        return
    error = ds.read_resistance_error.values
    finite = np.isfinite(error)
    low, high = y * -np.expm1(-error), y * np.expm1(error)  # the errors are of the logarithm
    at = np.asarray(x)[finite], np.asarray(y)[finite]
    axes.errorbar(*at, (low[finite], high[finite]), fmt="none", ecolor=GREY, elinewidth=0.6, capsize=1.5, zorder=0)


def hollow(i: int) -> dict[str, Any]:
    """Options of open, larger markers for every curve but the first, so that coinciding points are visible."""
    return {"markerfacecolor": "none", "markersize": 4, "markeredgewidth": 0.7} if i else {}


@panel(
    "columns", "kind_read_current", "read_current", instead=("kind_bias_current", "bias_current"), alone=True,
    shows="current through each kind of columns: of each read, or at frozen ions against the voltage",
    needs="one result with reads or curves at frozen ions of a case with [[columns.kinds]]",
)  # fmt: skip
def draw_reads_of_columns(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |current| through each kind of columns and through all columns, in the reads or in the curves at frozen ions."""
    ds = runs[0].ds
    labels = [
        f"{kind}, {share:.3g} of the area" for kind, share in zip(ds.kind.values, ds.kind_share.values, strict=True)
    ]
    if "kind_read_current" in ds:
        of_reads(axes, ds, np.abs(ds.kind_read_current.values), labels)
    else:
        of_curves(axes, ds, np.abs(ds.kind_bias_current.values), labels)
    legend(axes)


@panel(
    "channels", "read_channel_share", "read_current", instead=("bias_channel_share",), alone=True,
    shows="current by each channel of conduction: of each read, or at frozen ions against the voltage",
    needs="one result with reads or curves at frozen ions of a case with [[device.leaks]] or [[device.traps]]",
)  # fmt: skip
def draw_reads_of_channels(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |current| by each channel of conduction and by all channels, in the reads or in the curves at frozen ions."""
    ds = runs[0].ds
    labels = [str(channel) for channel in ds.channel.values]
    if "read_channel_share" in ds:
        of_reads(axes, ds, np.abs(ds.read_current.values)[:, None] * ds.read_channel_share.values, labels)
    else:
        of_curves(axes, ds, np.abs(ds.bias_current.values)[..., None] * ds.bias_channel_share.values, labels)
    legend(axes)


def of_reads(axes: Axes, ds: xr.Dataset, parts: np.ndarray, labels: list[str]) -> None:
    """Draw the currents of the reads and their parts (n, parts): against the write voltage of a loop, else read by read."""
    swept = steps_writes(ds)
    x = ds.write_voltage.values if swept else np.arange(1, ds.sizes["read"] + 1)
    total = np.abs(ds.read_current.values)
    total_and_parts(axes, x, (total, parts), labels, "-")
    axes.set(xlabel="write voltage (V)" if swept else "read")
    positive = np.concatenate([total, parts.ravel()])
    quantity_axis(axes, "y", positive[positive > 0.0], "current read", "A", log=True)


def of_curves(axes: Axes, ds: xr.Dataset, parts: np.ndarray, labels: list[str]) -> None:
    """Draw currents at frozen ions and their parts (state, temperature, bias, parts), at the first temperature.

    Each state has dashes of its own.
    """
    total = np.abs(ds.bias_current.values[:, 0])
    for i, state in enumerate(ds.state.values):
        suffix = f", {state}" if ds.sizes["state"] > 1 else ""
        total_and_parts(axes, ds.bias.values, (total[i], parts[i, 0]), labels, DASHES[i % 4], suffix)
    axes.set(xlabel="voltage (V)")
    far = np.abs(ds.bias.values) >= NEAR_ZERO * np.abs(ds.bias.values).max()
    drawn_currents = magnitude(np.concatenate([total[:, far].ravel(), parts[:, 0][:, far].ravel()]))
    quantity_axis(axes, "y", drawn_currents, "|current|", "A", log=True)
    lowest = max(np.nanmin(drawn_currents), DEEPEST * np.nanmin(magnitude(total[:, far])))
    axes.set_ylim(lowest / 3, np.nanmax(drawn_currents) * 3)


def total_and_parts(
    axes: Axes, x: np.ndarray, currents: tuple[np.ndarray, np.ndarray], labels: list[str], style: str, suffix: str = ""
) -> None:
    """Draw the total current (n,) and its parts (n, parts), [A], over x (n,). Zeros are left out.

    currents : (total, parts)   suffix : end of all labels
    """
    total, parts = (np.where(values > 0.0, values, np.nan) for values in currents)
    axes.plot(x, total, color=GREY, linestyle=style, linewidth=2.5, alpha=0.5, label=f"all{suffix}")
    for i, label in enumerate(labels):
        axes.plot(x, parts[:, i], MARKERS[i % 6], linestyle=style, color=CYCLE[i % 6], linewidth=0.8, markersize=2.2,
                  label=f"{label}{suffix}")  # fmt: skip


@panel(
    "conductance", *WRITTEN, when=lambda ds: ds.sizes["read"] > 1,
    usual=lambda ds: len(writes(ds)) > 2 and not steps_writes(ds) and not alternating(ds),  # repeated writes
    shows="conductance read by read, with its window and nonlinearity",
    needs="two reads or more, as a train with read_each has",
)  # fmt: skip
def draw_conductance(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the conductance against the number of the read: filled after positive writes, open after negative ones."""
    for i, run in enumerate(runs):
        G, V = 1 / run.ds.read_resistance.values, run.ds.write_voltage.values
        number = np.arange(1, len(G) + 1)
        alone = len(runs) == 1
        bars(axes, number, G, run.ds)
        axes.plot(number, G, color=GREY if alone else CYCLE[i % 6], linewidth=0.5, zorder=1)
        for marks, colour, sign in ((V > 0, BLUE, "after V > 0"), (V < 0, ORANGE, "after V < 0")):
            if marks.any():
                colour = colour if alone else CYCLE[i % 6]
                face = colour if sign.endswith("> 0") else "white"
                axes.plot(
                    number[marks], G[marks], MARKERS[i % 6], color=colour, markerfacecolor=face, clip_on=False,
                    label=legend_label(run, sign),
                )  # fmt: skip
    every = 1 / gathered(runs, "read_resistance")
    wide = bool(np.nanmin(every) > 0 and np.nanmax(every) > WIDE * np.nanmin(every))
    quantity_axis(axes, "y", every, "conductance", "S", log=wide)
    axes.set(xlabel="read")
    if not wide:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes, pulse_numbers(runs[0].ds) if len(runs) == 1 else None)


def pulse_numbers(ds: xr.Dataset) -> str | None:
    """Window and nonlinearity of the last potentiation and depression, as text; None unless there are both."""
    G, V = 1 / ds.read_resistance.values, np.sign(ds.write_voltage.values)
    turns = np.flatnonzero(np.diff(V)) + 1
    long = [r for r in np.split(np.arange(len(V)), turns) if len(r) > 4]
    rounds = {V[r[0]]: r for r in long if r[0] > 0}  # the last row of writes by sign, from the read before it
    if set(rounds) != {1.0, -1.0}:
        return None
    shape = plasticity.nonlinearity(*(G[r[0] - 1 : r[-1] + 1] for r in (rounds[1.0], rounds[-1.0])))
    last = G[min(r[0] for r in rounds.values()) :]
    texts = []
    for way in ("up", "down"):
        nu, most = shape[way], plasticity.STEEPEST  # the largest value that can be fitted, which is a bound
        bound = f"{'<' if nu < 0 else '>'} {three_digits(np.sign(nu) * most)}"
        texts.append(f"{bound if abs(nu) > 0.999 * most else three_digits(nu)} {way}")
    return f"last round: Gmax/Gmin {np.nanmax(last) / np.nanmin(last):.3g}, ν {', '.join(texts)}"


@panel(
    "endurance", *WRITTEN, when=alternating, shows="resistance of both states, cycle by cycle", needs=ALTERNATE,
)  # fmt: skip
def draw_endurance(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the resistance after each of two alternating writes, against the cycle: filled after V > 0, else open."""
    for i, run in enumerate(runs):
        for name, cycles, R, positive in states(run.ds):
            colour = (BLUE if positive else ORANGE) if len(runs) == 1 else CYCLE[i % 6]
            axes.plot(
                cycles, R, MARKERS[i % 6] + "-", color=colour, linewidth=0.5, clip_on=False, label=legend_label(run, name),
                markerfacecolor=colour if positive else "white",
            )  # fmt: skip
    quantity_axis(axes, "y", gathered(runs, "read_resistance"), "resistance", "ohm")
    axes.set(xlabel="cycle")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes, windows(runs[0].ds) if len(runs) == 1 else None)


def windows(ds: xr.Dataset) -> str:
    """Smallest and largest ratio of the two resistances of a cycle, as text."""
    (_, _, first, _), (_, _, second, _) = states(ds)
    count = min(len(first), len(second))
    ratio = np.exp(np.abs(np.log(first[:count] / second[:count])))
    return f"high/low {three_digits(float(ratio.min()))} to {three_digits(float(ratio.max()))} in {count} cycles"


@panel(
    "cdf", *WRITTEN, when=alternating, usual=False, needs=ALTERNATE,
    shows="cumulative distribution of the resistances of both states over the cycles",
)  # fmt: skip
def draw_spreads(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the cumulative distribution over all cycles of the resistances after each of two alternating writes."""
    sets = [Numbers(legend_label(run, name) or name, R) for run in runs for name, _, R, _ in states(run.ds)]
    cumulative(axes, sets, "resistance", "ohm", "cycles")


def states(ds: xr.Dataset) -> list[tuple[str, np.ndarray, np.ndarray, bool]]:
    """For each of two alternating writes: name, cycles (n,), resistances (n,) [ohm], True for a positive voltage."""
    V, R = ds.write_voltage.values, ds.read_resistance.values
    writes = [(V > 0, f"after {volts(V[V > 0][0])}"), (V < 0, f"after {volts(V[V < 0][0])}")]
    return [(name, np.arange(1, marks.sum() + 1), R[marks], i == 0) for i, (marks, name) in enumerate(writes)]


class Relaxation(NamedTuple):
    """A write followed by three reads or more: its end [s], its voltage [V], the indices (n,) of the reads.

    Reads before the first write of a run count from its start, 0 s, with a voltage of nan.
    """

    start: float
    voltage: float
    reads: np.ndarray


def holds(ds: xr.Dataset) -> list[Relaxation]:
    """All writes of a result that three reads or more at one voltage follow. Reads along a sweep do not count.

    Results of version 0.1.0, without `write_end`, give []. Measured reads without a time of the write count from 0 s.
    """
    if "write_end" not in ds and "case_resolved" in ds.attrs:
        return []
    measured = np.zeros(ds.sizes["read"]) if "write_voltage" not in ds else np.full(ds.sizes["read"], np.nan)
    ends = np.nan_to_num(ds.write_end.values) if "write_end" in ds else measured
    unknown = np.full(ds.sizes["read"], np.nan)
    voltages = next((ds[name].values for name in ("write_end_voltage", "write_voltage") if name in ds), unknown)
    groups = [np.flatnonzero(ends == end) for end in np.unique(ends[np.isfinite(ends)])]
    read_at = ds.read_voltage.values if "read_voltage" in ds else np.zeros(ds.sizes["read"])
    held_reads = [g for g in groups if len(g) > 2 and np.allclose(read_at[g], read_at[g[0]], atol=1e-6)]
    return [Relaxation(float(ends[g[0]]), float(voltages[g[0]]), g) for g in held_reads]


@panel(
    "retention", *TIMED, when=holds, usual=lambda ds: ds.sizes["read"] > 2 and len(writes(ds)) <= 2,
    shows="resistance against the time since the write, with what is left of the state",
    needs="three reads or more after a write or from the start, as a hold with reads_per_decade has",
)  # fmt: skip
def draw_retention(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the resistance against the time since the last write, a curve for each write, with what is left of its state."""
    groups = [(run, hold) for run in runs for hold in holds(run.ds)]
    for i, (run, hold) in enumerate(groups):
        since = run.ds.read_time.values[hold.reads] - hold.start
        R = run.ds.read_resistance.values[hold.reads]
        text = legend_label(run, f"after {volts(hold.voltage)}" if np.isfinite(hold.voltage) else "") or ""
        line = stroke(i, 0, len(groups), 1)
        bars(axes, since, R, run.ds.isel(read=hold.reads))
        label = ", ".join(part for part in (text, remainder(since, R)) if part)
        axes.plot(since, R, marker=MARKERS[i % 6], label=label, **hollow(i), **line)
    times = np.concatenate([run.ds.read_time.values[h.reads] - h.start for run, h in groups])
    written = any(np.isfinite(hold.voltage) for _, hold in groups)
    quantity_axis(axes, "x", times, "time after the write" if written else "time", "s", log=True)
    quantity_axis(axes, "y", gathered(runs, "read_resistance"), "resistance", "ohm")
    legend(axes)


def remainder(since: np.ndarray, R: np.ndarray) -> str:
    """Share of a state that is left at the end, and the time to one half, as text.

    The share is of the resistance (n,) [ohm] if it falls, else of the conductance. since : (n,) [s] after the write
    """
    usable = np.isfinite(R) & (R > 0) & (since > 0)
    if usable.sum() < 2:
        return ""
    t, ln_R = np.log(since[usable]), np.log(R[usable])
    fall = (ln_R[0] - ln_R) * (1.0 if ln_R[-1] < ln_R[0] else -1.0)
    half = synapse.crossing(t, fall, math.log(2.0))
    time = f", half after {three_digits(math.exp(half), 's')}" if math.isfinite(half) else ""
    return f"{'R' if ln_R[-1] < ln_R[0] else 'G'} {100.0 * math.exp(-fall[-1]):.3g} % left{time}"


def has_spectrum(ds: xr.Dataset) -> bool:
    """True if the noise of the current of a result has a spectrum, positive at all frequencies."""
    try:
        return bool((current_noise.noise(ds).current_spectrum > 0).all())
    except ValueError:
        return False


def random_ions(ds: xr.Dataset) -> bool:
    """True if the ions of a result hop at random."""
    return "single_ion_share" in ds


@panel(
    "noise", "read_time", "read_current", "read_voltage", when=has_spectrum, usual=random_ions, needs=MANY,
    shows="spectrum of the current of reads at one voltage, with its slope and the shot noise of electrons",
)  # fmt: skip
def draw_noise_spectrum(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the spectral density S of each current I over I², a line of its slope, and the shot noise of electrons, 2e/I."""
    frequencies = []
    for i, run in enumerate(runs):
        measured = current_noise.noise(run.ds)
        f, relative = measured.frequency.values, measured.current_spectrum.values / measured.mean_current.item() ** 2
        line = np.exp(np.log(relative).mean() + measured.slope.item() * (np.log(f) - np.log(f).mean()))
        frequencies.append(f)
        label = legend_label(run, f"slope {measured.slope.item():.2f}")
        size = f"f S/I² = {three_digits(float(measured['size']))}"
        if np.isfinite(measured.hooge.item()):
            size += f"; times {three_digits(measured.ions.item())} ions: {three_digits(measured.hooge.item())}"
        small_print(axes, f"{run.label}: {size}" if run.label else size)
        axes.plot(f, relative, color="0.7", linewidth=0.7)
        axes.plot(f, line, label=label, **stroke(i, 0, len(runs), 1))
        shot = measured.shot_spectrum.item() / measured.mean_current.item() ** 2
        axes.axhline(shot, color="0.5", linewidth=0.7, linestyle=":", label="shot noise 2e/I" if i == 0 else None)
    axes.set(yscale="log", ylabel="S/I² (1/Hz)")
    quantity_axis(axes, "x", np.concatenate(frequencies), "frequency", "Hz", log=True)
    legend(axes)


@panel(
    "trace", "read_time", "read_current", "read_voltage", when=has_spectrum, usual=random_ions, needs=MANY,
    shows="current of reads at one voltage over time: the telegraph of few ions",
)  # fmt: skip
def draw_trace(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the current of the reads over time, as steps. Few ions near a face give telegraph noise (jumps)."""
    times, currents = [], []
    for i, run in enumerate(runs):
        times.append(run.ds.read_time.values)
        currents.append(np.abs(run.ds.read_current.values))
        axes.step(times[-1], currents[-1], where="mid", label=legend_label(run), **stroke(i, 0, len(runs), 1) | THIN)
    quantity_axis(axes, "x", np.concatenate(times), "time", "s", log=False)
    quantity_axis(axes, "y", np.concatenate(currents), "|current|", "A")
    legend(axes)


class Numbers(NamedTuple):
    """A set of numbers (n,) and its name."""

    name: str
    values: np.ndarray


def finite(values: ArrayLike) -> np.ndarray:
    """Finite numbers (n,) of an array."""
    row: np.ndarray = np.ravel(np.asarray(values, dtype=float))
    return np.asarray(row[np.isfinite(row)])


def cumulative(axes: Axes, sets: Sequence[Numbers], what: str, unit: str, of: str) -> None:
    """Draw the cumulative distribution of each set, with its median and standard deviation in the legend.

    what, unit : name and unit of the numbers   of : what was counted, such as "devices"
    Point i of n stands at (i - 1/2)/n. On a logarithmic axis the spread is given in decades.
    """
    every = np.concatenate([finite(set_.values) for set_ in sets])
    log = worth_logarithms(every)
    for i, set_ in enumerate(sets):
        values = np.sort(finite(set_.values))
        if not values.size:
            continue
        share = 100 * (np.arange(values.size) + 0.5) / values.size
        width = np.std(np.log10(magnitude(values))) if log else np.std(values)
        decades = f"{width:.2g} decades" if width >= 1e-3 else "below 0.001 decades"
        spread = decades if log else three_digits(float(width), unit)
        text = f"{set_.name}: " if len(sets) > 1 else ""
        text += f"{three_digits(float(np.median(values)), unit)}, σ {spread}"
        axes.plot(values, share, marker="osD^vP"[i % 6], markersize=2.5, label=text, **stroke(0, i, 1, len(sets)))
    quantity_axis(axes, "x", every, what, unit, log=log)
    axes.set(ylabel=f"cumulative fraction of {of} (%)", ylim=(0, 100))
    legend(axes)


def boxes(axes: Axes, sets: Sequence[Numbers], what: str, unit: str) -> None:
    """Draw a box for each set: median, quartiles, whiskers within 1.5 interquartile ranges, and all numbers as dots."""
    samples = [finite(set_.values) for set_ in sets]
    every = np.concatenate(samples)
    drawn = axes.boxplot(samples, widths=0.5, showfliers=False, patch_artist=True, manage_ticks=False)
    for i, box in enumerate(drawn["boxes"]):
        colour = stroke(0, i, 1, len(sets))["color"]
        box.set(facecolor=colour, alpha=0.25, edgecolor=colour)
        drawn["medians"][i].set(color=colour, linewidth=1.4)
        for part in (*drawn["whiskers"][2 * i : 2 * i + 2], *drawn["caps"][2 * i : 2 * i + 2]):
            part.set(color=colour, linewidth=0.8)
        beside = i + 1 + np.linspace(-0.18, 0.18, len(samples[i])) if len(samples[i]) > 1 else [i + 1.0]
        axes.plot(beside, samples[i], "o", markersize=2, color=GREY, alpha=0.7, zorder=0)
    names = [with_signs(set_.name) for set_ in sets]
    long = sum(map(len, names)) > 3 * LETTERS
    turned: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if long else {}
    axes.set_xticks(range(1, len(sets) + 1), names, **turned)
    axes.set_xlim(0.4, len(sets) + 0.6)
    quantity_axis(axes, "y", every, what, unit)
