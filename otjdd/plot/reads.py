"""Panels of reads: resistance loops, conductance pulse by pulse, retention, endurance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from otjdd.analysis import plasticity, synapse
from otjdd.analysis.synapse import two_in_turn
from otjdd.plot import spread
from otjdd.plot.axes import arrows, legend, quantity_axis, three_digits, volts
from otjdd.plot.runs import NamedResult, gathered, legend_label, stroke
from otjdd.plot.style import BLUE, CYCLE, GREY, ORANGE

MARKERS = "osD^vP"
MARKED = 20  # about this many points of a curve have markers, where several curves of many points share axes
WIDE = 50.0  # ratio of conductances from which the axis is logarithmic


def loop(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the resistance read after each write against the voltage of the write. Arrows show the direction."""
    for i, run in enumerate(runs):
        V, R = run.ds.write_voltage.values, run.ds.read_resistance.values
        line = stroke(i, 0, len(runs), 1)
        mark: dict[str, Any] = {"marker": MARKERS[i % 6], "markersize": 2.2} | hollow(i) | apart(i, len(runs), len(V))
        axes.plot(V, R, linewidth=0.8, label=legend_label(run), **mark, **line)
        bars(axes, V, R, run.ds)
        arrows(axes, V, R, ORANGE if len(runs) == 1 else line["color"], turn=(i, len(runs)))
    axes.set(xlabel="write voltage (V)")
    quantity_axis(axes, "y", gathered(runs, "read_resistance"), "resistance", "ohm", log=True)
    legend(axes, loop_numbers(runs[0].ds) if len(runs) == 1 else None)


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


def apart(i: int, count: int, points: int) -> dict[str, Any]:
    """Options of curve i of `count` curves of many points: markers at some points, which differ between the curves."""
    step = -(-points // MARKED) if count > 1 else 1
    return {"markevery": (i * step // count, step)} if step > 1 else {}


def loop_numbers(ds: xr.Dataset) -> str | None:
    """Resistance ratio and switching voltages of a loop, as text; None unless the loop has a set and a reset.

    A set lowers the resistance, a reset raises it, at either sign of the voltage.
    """
    numbers = synapse.loop(ds)
    if not np.isfinite([numbers["set_voltage"], numbers["reset_voltage"]]).all():
        return None
    if min(numbers["set_decades"], numbers["reset_decades"]) <= 0:
        return None
    ends = f"set {volts(numbers['set_voltage'])}, reset {volts(numbers['reset_voltage'])}"
    return f"high/low {three_digits(numbers['ratio'], '1')}, {ends}"


def conductance(axes: Axes, runs: Sequence[NamedResult]) -> None:
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
    nu = ", ".join(f"{curvature(shape[way])} {way}" for way in ("up", "down"))
    return f"last round: Gmax/Gmin {np.nanmax(last) / np.nanmin(last):.3g}, ν {nu}"


def curvature(nu: float) -> str:
    """A nonlinearity as text; a bound where it reaches STEEPEST, the largest value that can be fitted."""
    steep = abs(nu) > 0.999 * plasticity.STEEPEST
    return f"{'<' if nu < 0 else '>'} {three_digits(np.sign(nu) * plasticity.STEEPEST)}" if steep else three_digits(nu)


def retention(axes: Axes, runs: Sequence[NamedResult]) -> None:
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


def endurance(axes: Axes, runs: Sequence[NamedResult]) -> None:
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


def spreads(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the cumulative distribution over all cycles of the resistances after each of two alternating writes."""
    sets = [spread.Numbers(legend_label(run, name) or name, R) for run in runs for name, _, R, _ in states(run.ds)]
    spread.cumulative(axes, sets, "resistance", "ohm", "cycles")


def states(ds: xr.Dataset) -> list[tuple[str, np.ndarray, np.ndarray, bool]]:
    """For each of two alternating writes: name, cycles (n,), resistances (n,) [ohm], True for a positive voltage."""
    V, R = ds.write_voltage.values, ds.read_resistance.values
    writes = [(V > 0, f"after {volts(V[V > 0][0])}"), (V < 0, f"after {volts(V[V < 0][0])}")]
    return [(name, np.arange(1, marks.sum() + 1), R[marks], i == 0) for i, (marks, name) in enumerate(writes)]


def alternating(ds: xr.Dataset) -> bool:
    """True if writes of two voltages of opposite sign alternate, twice or more, with a read after each."""
    V = ds.write_voltage.values
    return bool(len(V) > 3 and np.isfinite(V).all() and two_in_turn(V))


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


def writes(ds: xr.Dataset) -> np.ndarray:
    """Voltages (n,) [V] of the writes before reads, without 0 V."""
    V = ds.write_voltage.values if "write_voltage" in ds else np.array([])
    return np.asarray(V[np.isfinite(V) & (V != 0)])


def different(ds: xr.Dataset) -> bool:
    """True if reads follow writes of more than one voltage."""
    return len(set(writes(ds))) > 1 and ds.sizes["read"] > 2


def steps_writes(ds: xr.Dataset) -> bool:
    """True if the writes have more than four different voltages."""
    return len(np.unique(writes(ds))) > 4


def repeats_writes(ds: xr.Dataset) -> bool:
    """True if writes are repeated, with a read after each, and two voltages do not alternate."""
    return len(writes(ds)) > 2 and not steps_writes(ds) and not alternating(ds)


def without_writes(ds: xr.Dataset) -> bool:
    """True if reads follow each other without a write between them."""
    return ds.sizes.get("read", 0) > 2 and len(writes(ds)) <= 2 and bool(holds(ds))
