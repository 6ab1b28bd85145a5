"""Panels against voltage: loops of current, curves at frozen ions and their Richardson plot, loops of a polarised film.

A sweep in time shows the conduction current, without the displacement current of its ramps and corners. Between the
points of a ramp, and of a curve at frozen ions, the line follows `otjdd.analysis.sweeps`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from otjdd.analysis import fits
from otjdd.analysis.small_signal import goes_back, ratios
from otjdd.analysis.sweeps import between, refined
from otjdd.constants import BOLTZMANN_EV
from otjdd.plot.axes import arrows, current_limits, legend, magnitude, quantity_axis, small_print, three_digits
from otjdd.plot.runs import NamedResult, case_data, gathered, legend_label, panel, stroke
from otjdd.plot.style import shade

ENERGY = "activation energy of I / T²"  # not of I, which is also in use
WIDER = 1.6  # points by which the first loop of a sweep is drawn wider than the last
LOOPS = 6  # most loops of a sweep that are drawn
THIN = (0, (4, 2)), (0, (1, 1.5)), (0, (4, 2, 1, 2))  # dashes of channels of conduction
LEAST_SHARE = 1e-3  # share of the current, at any temperature, above which a channel has a line of its own
LEAST = 5  # least number of different voltages of a sweep
BRIEF = 1e-3  # share of the time of a sweep that a spike takes at most
SPIKE = 2.0  # largest current over the largest without spikes, above which the axis cuts spikes off
SWEEPS = 'a drive of kind iv or triangle (with record.every = "all"), or steps with read_each'
SWITCHED = 'a loop of a polarised film, as a triangle with record.every = "all"'
BIASED = "state", "temperature", "bias", "bias_current"


class IVCurve(NamedTuple):
    """A curve: voltages [V] and currents [A], (n,), and its name.

    group : curves of one group share a colour   shade : (number, count) of the shades of that colour
    in_time : True for a sweep in time, False for a curve at frozen ions
    """

    voltage: np.ndarray
    current: np.ndarray
    name: str
    group: int = 0
    shade: tuple[int, int] = (0, 1)
    in_time: bool = True


def iv_curves(ds: xr.Dataset) -> list[IVCurve]:
    """Curves of current against voltage in a result: at frozen ions, else of reads at many voltages, else of a ramp."""
    if all(name in ds and ds[name].size for name in BIASED):
        if goes_back(ds.bias.values):
            return []
        ds = ds.sortby("bias")
        V, count = ds.bias.values, ds.sizes["temperature"]
        fine, curves = refined(V, V), []
        for i, state in enumerate(ds.state.values):
            for j in range(count):  # temperatures, the darker the warmer
                name = str(state) if j == count - 1 else ""
                current = between(V, V, ds.bias_current.values[i, j], fine).current
                curves.append(IVCurve(fine, current, name, i, (j, count), in_time=False))
        return curves
    for V_name, I_name in (("read_voltage", "read_current"), ("voltage", "conduction_current")):
        if V_name in ds and I_name in ds and sweeps(ds[V_name].values):
            return in_cycles(ds, V_name, I_name)
    return []


def sweeps(voltage: np.ndarray) -> bool:
    """True if voltages (n,) move in small steps: most neighbours differ, and by little."""
    if len(voltage) < LEAST or len(np.unique(np.round(voltage, 9))) < LEAST:
        return False
    steps = np.abs(np.diff(voltage))
    moving = steps > 1e-9 * np.ptp(voltage)
    return bool(np.mean(moving) > 0.6 and np.quantile(steps[moving], 0.9) < 0.3 * np.ptp(voltage))


def in_cycles(ds: xr.Dataset, voltage: str, current: str) -> list[IVCurve]:
    """A curve for each loop of a sweep, from pale to dark; of many loops at most LOOPS, evenly chosen."""
    V, currents = ds[voltage].values, ds[current].values
    if voltage == "voltage":
        t, fine = ds.time.values, refined(ds.time.values, V)
        V, currents = np.interp(fine, t, V), between(t, V, currents, fine).current
    lots = loops(V, case_data(ds.attrs).get("drive", {}).get("cycles", 1))
    count = min(len(lots), LOOPS)
    chosen = np.linspace(0, len(lots) - 1, count).round().astype(int)
    several = len(lots) > 1
    return [
        IVCurve(V[lots[i]], currents[lots[i]], (f"loop {i + 1}" if several else ""), shade=(k, count))
        for k, i in enumerate(chosen)
    ]


def loops(V: np.ndarray, cycles: int) -> list[np.ndarray]:
    """Indices (n,) of the points of each loop of a sweep.

    A loop is a cycle of the drive. For a drive without cycles it ends where the voltage returns to zero from the second
    of its two signs.
    """
    if cycles > 1:
        return np.array_split(np.arange(len(V)), cycles)
    signs = np.sign(np.where(np.abs(V) < 1e-9, 0.0, V))
    first = signs[signs != 0][0] if signs.any() else 0.0
    last = -first if (signs == -first).any() else first
    ends = np.flatnonzero((signs[:-1] == last) & (signs[1:] != last)) + 2
    lots = np.split(np.arange(len(V)), ends)
    return [lot for lot in lots if len(lot) >= LEAST and np.ptp(V[lot]) > 0]  # no rest after the last one


@panel(
    "iv", when=iv_curves, usual=lambda ds: "capacitance" not in ds,
    shows="|current| against voltage, logarithmic: loops and curves at frozen ions", needs=SWEEPS,
)  # fmt: skip
def draw_iv(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the absolute current against voltage on a logarithmic axis."""
    drawn = plotted(axes, runs, magnitude)
    voltages, currents = (np.concatenate([getattr(c, name) for _, c in drawn]) for name in ("voltage", "current"))
    quantity_axis(axes, "y", current_limits(axes, voltages, currents), "|current|", "A", log=True)
    for i, (run, curve) in enumerate(drawn):
        if curve.in_time and (i + 1 == len(drawn) or drawn[i + 1][0] is not run):
            colour = axes.lines[i].get_color()
            arrows(axes, curve.voltage, magnitude(curve.current), colour, count=4)


@panel("iv-linear", when=iv_curves, usual=False, shows="current against voltage, linear", needs=SWEEPS)
def draw_iv_linear(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the current against voltage on a linear axis."""
    drawn = plotted(axes, runs, np.asarray)
    quantity_axis(axes, "y", np.concatenate([c.current for _, c in drawn]), "current", "A", log=False)


def plotted(
    axes: Axes, runs: Sequence[NamedResult], of: Callable[[np.ndarray], np.ndarray]
) -> list[tuple[NamedResult, IVCurve]]:
    """Draw all curves of all results, with their legend. Returns the curves, each with its result.

    of : transforms currents (n,) for the axis
    """
    drawn = [(i, run, curve) for i, run in enumerate(runs) for curve in iv_curves(run.ds)]
    groups = 1 + max(curve.group for _, _, curve in drawn)
    for i, run, curve in drawn:
        line = stroke(i, curve.group, len(runs), groups)
        line["color"] = shade(line["color"], *curve.shade)
        label = legend_label(run, curve.name) if curve.name or len(iv_curves(run.ds)) == 1 else None
        number, count = curve.shade  # of coinciding loops, the later is a dark line on a wider, paler line
        width = 1.0 + (WIDER * (count - 1 - number) / (count - 1) if curve.in_time and count > 1 else 0.0)
        axes.plot(curve.voltage, of(curve.current), linewidth=width, label=label, **line)
    axes.set(xlabel="voltage (V)")
    T = [run.ds.temperature.values for run in runs if "bias_current" in run.ds]
    low, high = min((t.min() for t in T), default=0.0), max((t.max() for t in T), default=0.0)
    warmth = f"{low:g} K (pale) to {high:g} K (dark)" if low < high else f"{low:g} K"
    legend(axes, warmth if T else None)
    cycles = max(case_data(run.ds.attrs).get("drive", {}).get("cycles", 1) for run in runs)
    if cycles > LOOPS:
        small_print(axes, f"drawn: {LOOPS} of {cycles} loops")
    return [(run, curve) for _, run, curve in drawn]


@panel(
    "arrhenius", *BIASED, when=lambda ds: ds.sizes["temperature"] > 2 and iv_curves(ds),
    shows="|current| / T^2 against 1 / T, with the activation energy",
    needs="a drive of kind iv with three temperatures or more",
)  # fmt: skip
def draw_arrhenius(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |I| / T^2 against 1000 / T (Richardson plot) at the voltage nearest to 0.1 V, with the activation energy.

    Beside the current of a single result stand its parts by channels of conduction.
    """
    voltages, states = set(), max(run.ds.sizes["state"] for run in runs)
    for i, run in enumerate(runs):
        T, V = run.ds.temperature.values, probe(run.ds)
        voltages.add(V)
        for j, state in enumerate(run.ds.state.values):
            line = stroke(i, j, len(runs), states)
            whole = run.ds.sel(state=state, bias=V)
            current = whole.bias_current.values
            text = legend_label(run, f"{state}: {energy_of(T, current)}")
            axes.plot(1000 / T, magnitude(current) / T**2, marker="os^D"[j % 4], label=text, **line)
            for number, (channel, share) in enumerate(shares_of_channels(whole) if len(runs) == 1 else ()):
                text = f"{state}, {channel}: {energy_of(T, current * share)}"
                thin = {"linewidth": 0.8, "linestyle": THIN[number % len(THIN)], "color": line["color"]}
                axes.plot(1000 / T, magnitude(current * share) / T**2, label=text, **thin)
    at = " or ".join(f"{V:g} V" for V in sorted(voltages))
    axes.set(yscale="log", xlabel="1000 / temperature (1/K)", ylabel=f"|I| / T² at {at} (A/K²)")
    legend(axes, ENERGY)


def shares_of_channels(ds: xr.Dataset) -> list[tuple[str, np.ndarray]]:
    """Name and share (temperature,) of each channel of conduction whose share exceeds LEAST_SHARE at a temperature.

    ds : currents of one state at one voltage. [] for fewer than two such channels
    """
    if "bias_channel_share" not in ds:
        return []
    shares = ds.bias_channel_share.transpose("channel", "temperature").values
    parts = [
        (str(name), share) for name, share in zip(ds.channel.values, shares, strict=True) if share.max() > LEAST_SHARE
    ]
    return parts if len(parts) > 1 else []


def probe(ds: xr.Dataset) -> float:
    """The voltage [V] nearest to 0.1 V, but not 0 V, at which a result has currents."""
    bias = ds.bias.values
    return float(bias[np.argmin(np.where(np.abs(bias) < 1e-9, np.inf, np.abs(bias - 0.1)))])


def energy_of(T: np.ndarray, current: np.ndarray) -> str:
    """Activation energy of currents (n,) at temperatures (n,) [K], as text; "no activation energy" if there is none."""
    try:
        return f"{fits.activation_energy(T, current).energy:.3f} eV"
    except ValueError:
        return "no activation energy"


def richardson(T: ArrayLike, current_at: float, energy: float, T_at: float) -> np.ndarray:
    """|I| / T^2 (n,) [A/K2] at temperatures T (n,) [K], of an activation energy [eV] and a current [A] at `T_at` [K]."""
    change = -energy / BOLTZMANN_EV * (1 / np.asarray(T, dtype=float) - 1 / T_at)
    return np.asarray(current_at / T_at**2 * np.exp(change))


def is_polarisation_loop(ds: xr.Dataset) -> bool:
    """True if a run is a sweep in which both polarisation and voltage change sign."""
    P, V = ds["polarisation"].values, ds["voltage"].values
    return sweeps(V) and bool(P.min() < 0 < P.max() and V.min() < 0 < V.max())


@panel(
    "hysteresis", "voltage", "junction_voltage", "polarisation", when=is_polarisation_loop,
    shows="polarisation against voltage: the loop of a ferroelectric film", needs=SWITCHED,
)  # fmt: skip
def draw_hysteresis(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the polarisation against the junction voltage."""
    voltages = gathered(runs, "junction_voltage")
    for i, run in enumerate(runs):
        V, P = run.ds.junction_voltage.values, 100.0 * run.ds.polarisation.values
        axes.plot(V, P, linewidth=1.0, label=legend_label(run, ""), **stroke(i, 0, len(runs), 1))
    axes.axhline(0.0, color="0.8", linewidth=0.5, zorder=0)
    axes.axvline(0.0, color="0.8", linewidth=0.5, zorder=0)
    quantity_axis(axes, "x", voltages, "voltage", "V", log=False)
    axes.set(ylabel="polarisation (µC/cm²)")
    legend(axes)


@panel(
    "switching-current", "voltage", "junction_voltage", "polarisation", when=is_polarisation_loop,
    shows="displacement current against voltage, with the peaks of a film that switches", needs=SWITCHED,
)  # fmt: skip
def draw_switching_current(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the displacement current against the source voltage; its peaks are the switching current dP/dt."""
    for i, run in enumerate(runs):
        V, current = run.ds.voltage.values, run.ds.displacement_current.values
        axes.plot(V, current, linewidth=1.0, label=legend_label(run, ""), **stroke(i, 0, len(runs), 1))
    quantity_axis(axes, "x", gathered(runs, "voltage"), "voltage", "V", log=False)
    currents = gathered(runs, "displacement_current")
    switching = np.concatenate([without_spikes(run.ds) for run in runs])
    quantity_axis(axes, "y", switching, "displacement current", "A", log=False)
    low, high = float(switching.min(initial=0.0)), float(switching.max(initial=0.0))
    if np.abs(currents).max() > SPIKE * max(high, -low):
        axes.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
        small_print(axes, f"cut off: a brief spike of {three_digits(float(np.abs(currents).max()), 'A')}")
    legend(axes)


def without_spikes(ds: xr.Dataset) -> np.ndarray:
    """Displacement currents (n,) [A] of a sweep without spikes: currents that flow for less than BRIEF of its time.

    A jump of the voltage charges the junction in one short step; a film that switches takes a share of the sweep.
    """
    t, current = ds.time.values, ds.displacement_current.values
    steps = np.diff(t)
    lasts = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    order = np.argsort(-np.abs(current))
    later = np.cumsum(lasts[order]) >= BRIEF * (t[-1] - t[0])
    return np.asarray(current[order[later]] if later.any() else current)


@panel(
    "ter", *BIASED, when=lambda ds: ds.sizes["state"] > 1 and ds.sizes["bias"] > 2, usual=False,
    shows="ratio of the currents of two states against the read voltage", needs="a drive of kind iv with two states",
)  # fmt: skip
def draw_electroresistance(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the ratio of the currents of the first two states against the voltage at which they are read."""
    all_ratios = []
    for i, run in enumerate(runs):
        ds = run.ds.sortby("bias")
        V = ds.bias.values
        for j, T in enumerate(ds.temperature.values):
            ratio = ratios(V, np.abs(ds.bias_current.values[:2, j]))
            all_ratios.append(ratio)
            states = " / ".join(map(str, ds.state.values[:2]))
            label = legend_label(run, states + (f", {T:g} K" if ds.sizes["temperature"] > 1 else ""))
            axes.plot(V, ratio, linewidth=1.0, label=label, **stroke(i, j, len(runs), ds.sizes["temperature"]))
    axes.set(xlabel="read voltage (V)")
    quantity_axis(axes, "y", np.concatenate(all_ratios), "ratio of the currents", log=True)
    legend(axes)
