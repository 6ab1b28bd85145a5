"""Panels over time: current and voltage, polarisation, temperature, vacancies, their clock; panels of pulses and spikes.

The clock is logarithmic from each jump of the voltage, so that the first microsecond of a pulse is visible. Time t in part
k of a drive, which begins at t_k and lasts d_k, is drawn at u = k + log(1 + (t - t_k)/f) / log(1 + d_k/f): every part is
one unit wide, linear up to the time f after its start and logarithmic from there on.

Pulses and spikes have panels of their peaks in a train, of facilitation against the interval, and of the change of
conductance against the delay of spikes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from otjdd.analysis import fits, plasticity, synapse
from otjdd.plot.axes import legend, magnitude, quantity_axis, three_digits
from otjdd.plot.runs import NamedResult, case_data, legend_label, panel, parts_of_array, stroke, waveform_of_result
from otjdd.plot.style import BLUE, GREY, ORANGE
from otjdd.results.outputs import OUTPUTS
from otjdd.units import parse
from otjdd.waveform.waveform import Waveform

PARTS = 6  # most parts of a drive; more of them are too narrow for decades
DECADES = 9  # most decades of a part
SHORT = 1e-4  # of the longest part: a shorter one belongs to the part before it
TICKS = 7  # labelled ticks of an axis, about
BELOW = 1e-9  # of the largest current: smaller ones do not widen the axis
PRINTED = {
    "polarisation": (1e2, "µC/cm²"),
    "vacancies": (1e-18, "nm⁻²"),
}  # factors and units of what is not drawn in SI
SPAN = 3.0  # decades from the shortest step to the last time, above which a hold has a logarithmic axis
WALLS = {"wall_concentration_left": "left wall", "wall_concentration_right": "right wall"}
DASHES = {"wall_concentration_left": (0, (1, 1)), "wall_concentration_right": (0, (4, 1.5))}
TIMES = {"time": "time", "snapshot": "snapshot_time", "read": "read_time", "step": "step_time"}  # of dimensions
NAMED_PARTS = 6  # most columns or the like that the legend names
FEWEST = 1e-6  # of the largest concentration at a wall: lower ones are not drawn


class Clock(NamedTuple):
    """The parts of a drive, for the map from time to place."""

    edges: np.ndarray  # (parts + 1,) [s], starts of the parts, and the end of the last
    first: np.ndarray  # (parts,) [s], the time f after the start of each part

    def __call__(self, t: ArrayLike) -> np.ndarray:
        """Place u of times t [s] on the axis."""
        k = np.clip(np.searchsorted(self.edges, t, side="right") - 1, 0, len(self.first) - 1)
        since = np.maximum(np.asarray(t, dtype=float) - self.edges[k], 0)
        return k + np.log1p(since / self.first[k]) / np.log1p(np.diff(self.edges)[k] / self.first[k])


def clock_of(ds: xr.Dataset, times: np.ndarray) -> Clock | None:
    """Clock for times (n,) [s] of a result; None where a linear axis does as well.

    A linear axis suffices for a result without a waveform, for a drive of more than PARTS parts, for fewer than three
    times, and for times that are spread evenly in the parts.
    """
    waveform = waveform_of_result(ds)
    if waveform is None or len(times) < 3:
        return None
    edges = turning_times(waveform)
    if len(edges) - 1 > PARTS:
        return None
    k = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    since, width = times - edges[k], np.diff(edges)
    inner = since > 1e-12 * width[k]
    if not inner.any() or np.median((since / width[k])[inner]) > 0.1:
        return None
    least = [np.min(since[inner & (k == part)], initial=width[part]) for part in range(len(width))]
    return Clock(edges, np.maximum(least, width * 10.0**-DECADES))


def turning_times(waveform: Waveform) -> np.ndarray:
    """Times (parts + 1,) [s] at which a waveform jumps or turns, and its end. Very short parts are left out."""
    start, end, first, last = waveform.segments()
    slope = (last - first) / (end - start)
    turns = (first[1:] != last[:-1]) | (slope[1:] != slope[:-1])
    start = np.concatenate((start[:1], start[1:][turns]))
    width = np.diff(np.append(start, end[-1]))
    long = width > SHORT * width.max()
    return np.append(np.concatenate(([0.0], start[long][1:])), end[-1])


def time_axis(axes: Axes, clock: Clock | None, times: np.ndarray) -> None:
    """Set ticks and label of an x axis in time, with a clock or, if it is None, linear."""
    if clock is None:
        quantity_axis(axes, "x", times, "time", "s", log=False)
        return
    axes.set_xlabel(name_places(clock, axes.xaxis))
    axes.set_xlim(0, len(clock.first))
    for edge in range(1, len(clock.first)):
        axes.axvline(edge, color=GREY, linewidth=0.5, linestyle=(0, (2, 2)))


def name_places(clock: Clock, axis: Axis) -> str:
    """Put ticks on an axis. Returns its label.

    Decades of the time since the start of a part, or each third one, are labelled if each part has room for two labels.
    Otherwise the parts are labelled with their durations: a single label in a part would read as a time that continues from
    the part before.
    """
    parts, widths = len(clock.first), np.diff(clock.edges)
    step = 1 if np.log10(widths / clock.first).sum() <= TICKS else 3
    decades: list[float] = []
    at: list[tuple[float, str]] = []
    for part, (first, width) in enumerate(zip(clock.first, widths, strict=True)):
        for exponent in range(int(np.ceil(np.log10(first) - 1e-9)), int(np.floor(np.log10(width) + 1e-9)) + 1):
            u = float(clock(clock.edges[part] + 10.0**exponent * (1 - 1e-12)))
            decades.append(u)
            early = part + 1 == parts or u < part + 0.97  # nearer to a jump it would read as the label of the jump
            if exponent % step == 0 and early and (not at or u - at[-1][0] > 0.8 * parts / TICKS):
                at.append((u, instant(10.0**exponent)))
    axis.set_ticks(decades, minor=True)
    labelled = np.bincount([int(u) for u, _ in at], minlength=parts)
    if len(labelled) == 1 or labelled.min() > 1:
        axis.set_ticks([u for u, _ in at], [name for _, name in at], fontsize=7)
        return "time" if len(labelled) == 1 else "time since the last jump of the voltage"
    axis.set_ticks(np.arange(len(labelled)) + 0.5, [instant(width) for width in widths], fontsize=7)
    axis.set_tick_params(which="major", length=0)
    return "length of each part; ticks: decades"


def instant(t: float) -> str:
    """A time [s] as text, such as "20 ms"."""
    return three_digits(t, "s")


def over_time(
    axes: Axes, runs: Sequence[NamedResult], name: str, words: str, part: str = "", log: bool = False
) -> Clock | None:
    """Draw an output of all results against its times, on the clock of a single result, which is returned.

    Each column, kind of columns or the like has a curve; of more than NAMED_PARTS only the first is in the legend.
    words : name of the quantity   part : name of the curve of a single result   log : logarithmic axis of time
    """
    dim = OUTPUTS[name].dims[0]
    times, values = (np.concatenate([np.ravel(run.ds[key].values) for run in runs]) for key in (TIMES[dim], name))
    clock = clock_of(runs[0].ds, times) if len(runs) == 1 and not log else None
    scale, unit = PRINTED.get(name, (1.0, OUTPUTS[name].unit))
    for i, run in enumerate(runs):
        t, parts = run.ds[TIMES[dim]].values, parts_of_array(run.ds[name], dim)
        drawn = t > 0 if log else slice(None)
        for j, (own, y) in enumerate(parts):
            many = len(parts) > NAMED_PARTS
            label = None if many and j else legend_label(run, "" if many else own or (part if len(runs) == 1 else ""))
            line = stroke(i, 0 if many else j, len(runs), len(parts)) | {"linewidth": 0.5 if many else 0.9}
            axes.plot((clock(t) if clock else t)[drawn], scale * y[drawn], label=label, **line)
    if name in PRINTED:
        axes.set_ylabel(f"{words} ({unit})")
    else:
        quantity_axis(axes, "y", values, words, unit, log=False)
    if log:
        quantity_axis(axes, "x", times[times > 0], "time", "s", log=True)
    else:
        time_axis(axes, clock, times)
    legend(axes)
    return clock


def long(ds: xr.Dataset) -> bool:
    """True for a time series of three instants or more."""
    return ds.sizes["time"] > 2


@panel(
    "polarisation", "time", "voltage", "polarisation", when=long, unless="hysteresis",
    shows="polarisation over time", needs='a recorded time series of a polarised film: record.every = "all"',
)  # fmt: skip
def draw_polarisation(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the polarisation against time; on a logarithmic axis for a constant voltage over many decades of time."""
    times = np.concatenate([run.ds.time.values for run in runs])
    steps = np.diff(times)
    wide = np.log10(times.max() / steps[steps > 0].min()) > SPAN
    constant = all(np.ptp(run.ds.voltage.values[run.ds.time.values > 0]) == 0 for run in runs)
    over_time(axes, runs, "polarisation", "polarisation", log=bool(wide and constant))


@panel(
    "current", "time", "voltage", "current", "conduction_current", when=long,
    usual=lambda ds: ds.sizes.get("read", 0) <= 2 < ds.sizes["time"] - ds.sizes.get("read", 0),  # made for its time series
    shows="current and voltage over time", needs='a recorded time series: record.every = "all", or record.windows',
)  # fmt: skip
def draw_current(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the absolute current against time, with the voltage of the source below it."""
    axes.axis("off")
    above = axes.inset_axes((0, 0.38, 1, 0.62))
    below = axes.inset_axes((0, 0, 1, 0.3), sharex=above)
    times = np.concatenate([run.ds.time.values for run in runs])
    clocks = [clock_of(run.ds, run.ds.time.values) for run in runs]
    clock = clocks[0] if all(same_parts(clocks[0], other) for other in clocks) else None
    for i, run in enumerate(runs):
        t = clock(run.ds.time.values) if clock else run.ds.time.values
        total, carried = (magnitude(run.ds[name].values) for name in ("current", "conduction_current"))
        line = stroke(i, 0, len(runs), 1)
        if len(runs) == 1:
            above.plot(t, total, color=GREY, linewidth=0.5, label="total (measured)")
        above.plot(t, carried, linewidth=0.9, label=legend_label(run, "conduction" if len(runs) == 1 else ""), **line)
        times_V, voltage, waveform = run.ds.time.values, run.ds.voltage.values, waveform_of_result(run.ds)
        if waveform is not None and run.ds.sizes["time"] <= run.ds.sizes.get("read", 0) + 2:  # only reads were recorded
            times_V, voltage = waveform.times, waveform.voltages
        when = clock(times_V) if clock else times_V
        below.plot(when, voltage, linewidth=0.9, **(line if len(runs) > 1 else {"color": ORANGE}))
    carried = magnitude(np.concatenate([run.ds.conduction_current.values for run in runs]))
    quantity_axis(above, "y", carried, "|current|", "A", log=True)
    if np.isfinite(carried).any():
        # Without a circuit a jump of the voltage charges the junction at once: the axis cuts off this spike of the total.
        top = highest = np.nanmax(carried)
        # With a circuit the junction voltage stays where the voltage of the source jumps.
        if len(runs) == 1 and "junction_voltage" in (ds := runs[0].ds):
            steps = [np.diff(ds[name].values) for name in ("time", "voltage", "junction_voltage")]
            if ((steps[0] == 0.0) & (steps[1] != 0.0) & (steps[2] == 0.0)).any():
                highest = np.nanmax(magnitude(ds.current.values))
        above.set_ylim(max(np.nanmin(carried), BELOW * top) / 2, max(top * 5, highest * 2))
    above.tick_params(labelbottom=False)
    time_axis(above, clock, times)
    time_axis(below, clock, times)
    above.set_xlabel("")
    quantity_axis(below, "y", [1.0], "voltage", "V", log=False)
    below.margins(y=0.12)
    legend(above)


def same_parts(first: Clock | None, second: Clock | None) -> bool:
    """True if two clocks (or None) have the same parts."""
    if first is None or second is None:
        return first is second
    return len(first.edges) == len(second.edges) and np.allclose(first.edges, second.edges, rtol=1e-9)


@panel(
    "exchange", "time", "vacancies", "cell_width", when=long,
    shows="vacancies per area over time, and those at electrodes that exchange them",
    needs="a case with device.left.exchange or device.right.exchange, and a recorded time series",
)  # fmt: skip
def draw_exchanged_vacancies(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the vacancies per area against time; for a single result also their concentrations at exchanging electrodes."""
    clock = over_time(axes, runs, "vacancies", "vacancies", "film")
    axes.set_ylim(bottom=0.0)
    if len(runs) == 1:
        t = runs[0].ds.time.values
        walls(axes, runs[0], clock(t) if clock else t)
        legend(axes)


def walls(axes: Axes, run: NamedResult, places: np.ndarray) -> None:
    """Draw the concentrations at the walls, at places (T,) along the axis of time, on an axis at the right."""
    at_wall = axes.twinx()
    drawn = {name: run.ds[name].values for name in WALLS if name in run.ds}
    most = max(float(c.max()) for c in drawn.values())
    for name, c in drawn.items():
        style: dict[str, Any] = {"color": ORANGE, "linestyle": DASHES[name], "linewidth": 0.8}
        at_wall.plot(places, np.where(c > FEWEST * most, c, np.nan), **style)
        axes.plot([], [], label=WALLS[name], **style)
    quantity_axis(at_wall, "y", np.array([FEWEST, 1.0]) * most, "vacancies at the interface", "m^-3", log=True)
    at_wall.set_ylim(FEWEST * most, 3.0 * most)
    at_wall.yaxis.label.set_color(ORANGE)
    at_wall.tick_params(axis="y", which="both", colors=ORANGE)
    at_wall.spines["right"].set_visible(True)


@panel(
    "temperature", "time", "junction_temperature", when=long,
    shows="temperature of a junction that its current warms, over time",
    needs="a case with [device.heat], and a recorded time series",
)  # fmt: skip
def draw_temperature(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the temperature against time, for a single result also the temperatures of its columns, if recorded."""
    columns = len(runs) == 1 and "column_temperature" in runs[0].ds
    clock = over_time(axes, runs, "junction_temperature", "temperature", "hottest column" if columns else "")
    if columns:
        t = runs[0].ds.time.values
        values = runs[0].ds.column_temperature.values
        axes.plot(clock(t) if clock else t, values, color="0.6", linewidth=0.5, zorder=1.9)


ONE_SIDED = 0.2  # of the larger side of an STDP curve: a smaller side counts as zero
LOOSE = 0.15  # scatter about a Gaussian relative to the range of the data, beyond which the fit is not shown


def shows_pulses(ds: xr.Dataset) -> bool:
    """True if a result holds the current of two equal pulses or more."""
    if ds.sizes.get("time", 0) < 5 or "current" not in ds or not np.ptp(ds.voltage.values):
        return False
    trains = plasticity.pulses(ds)
    if len(trains) < 2:
        return False
    V = ds.voltage.values
    tops = np.array([V[pulse][np.argmax(np.abs(V[pulse]))] for pulse in trains])
    return bool(np.ptp(tops) < 1e-3 * np.abs(tops).max())


@panel(
    "train", "time", "voltage", "current", "conduction_current", when=shows_pulses,
    shows="peak current of each pulse, with PPF and PTP",
    needs='two equal pulses or more, recorded with record.every = "all"',
)  # fmt: skip
def draw_train(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the peak current of each pulse of a train, with paired-pulse facilitation and post-tetanic potentiation."""
    every = []
    for i, run in enumerate(runs):
        peaks = plasticity.read_peaks(run.ds)
        every.append(peaks)
        grown = plasticity.facilitation(peaks)
        text = f"PPF {100 * grown['ppf']:+.3g} %, PTP {100 * grown['ptp']:+.3g} %".replace("-", "\N{MINUS SIGN}")
        axes.plot(
            np.arange(1, len(peaks) + 1), peaks, marker="os^Dv"[i % 5], clip_on=False, label=legend_label(run, text),
            **stroke(i, 0, len(runs), 1),
        )  # fmt: skip
    quantity_axis(axes, "y", np.concatenate(every), "peak |current|", "A")
    axes.set(xlabel="pulse")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes)


def interval(ds: xr.Dataset) -> float:
    """Pause [s] between the first two pulses of a result, from the end of one to the start of the next."""
    first, second = plasticity.pulses(ds)[:2]
    t = ds.time.values
    return float(t[second.start - 1] - t[first.stop - 1])


@panel(
    "ppf", when=shows_pulses, together=lambda runs: len(runs) > 1 and len({interval(run.ds) for run in runs}) > 1,
    shows="PPF and PTP against the interval of the pulses, of several results",
    needs="several results of trains with different intervals, each as `draw_train` needs it",
)  # fmt: skip
def draw_ppf(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw PPF and PTP of trains against the interval of their pulses, with exponentials through four or more."""
    runs = sorted(runs, key=lambda run: interval(run.ds))
    x = np.array([interval(run.ds) for run in runs])
    of_runs = [plasticity.facilitation(plasticity.read_peaks(run.ds)) for run in runs]
    for name, colour, marker in (("ppf", BLUE, "o"), ("ptp", ORANGE, "s")):
        y = 100 * np.array([of_run[name] for of_run in of_runs])
        tau = fitted_curve(axes, fits.exponential, x, y, colour)
        label = name.upper() + (f", τ = {tau}" if tau else "")
        axes.plot(x, y, marker, color=colour, label=label, clip_on=False)
    axes.set(ylabel="index (%)")
    quantity_axis(axes, "x", x, "interval of the pulses", "s")
    legend(axes)


def fitted_curve(
    axes: Axes,
    fit: Callable[[np.ndarray, np.ndarray], fits.Curve],
    x: np.ndarray,
    y: np.ndarray,
    colour: str,
    mirror: float = 1.0,
) -> str:
    """Fit an exponential or Gaussian to y over x (n,), and draw it. Returns its scale as text with its unit.

    fit : `fits.exponential` or `fits.gaussian`   mirror : -1 draws it at negative x
    Draws nothing and returns "" for fewer than four points and for a bad fit.
    """
    try:
        if len(x) < 4:
            return ""
        fitted = fit(x, y)
    except ValueError:
        return ""
    fine = np.linspace(x.min(), x.max(), 201)
    line = fitted.amplitude * np.exp(-((fine / fitted.scale) ** (1 if fit is fits.exponential else 2))) + fitted.offset
    if np.ptp(line) > 1.5 * np.ptp(y):  # a peak between two points, which no point supports
        return ""
    if fit is fits.gaussian and fitted.misfit > LOOSE:
        return ""
    axes.plot(mirror * fine, line, color=colour, linewidth=0.8)
    return three_digits(fitted.scale, "s")


class SpikePair(NamedTuple):
    """One result of two spikes: their delay [s] and the relative change of conductance."""

    delay: float
    change: float


def pair_of(ds: xr.Dataset) -> SpikePair | None:
    """Delay and change of a result with two spikes between its reads; None for other results."""
    drive = case_data(ds.attrs).get("drive", {})
    spikes = [part for part in [drive, *drive.get("parts", [])] if part.get("kind") == "spikes"]
    if len(spikes) != 1 or ds.sizes.get("read", 0) < 2:
        return None
    return SpikePair(parse(spikes[0]["delay"], "time"), synapse.lasting_change(ds))


@panel(
    "stdp", "read_time", "read_resistance", when=lambda ds: pair_of(ds), usual_from=2,
    shows="change of conductance against the delay of two spikes",
    needs="results of a drive with one part of the kind spikes between two reads",
)  # fmt: skip
def draw_stdp(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the change of conductance against the delay of the spikes, with an exponential on each side, or a Gaussian.

    Each side has an exponential if the two sides change the conductance in opposite directions: its time constant is τ₊
    for post after pre, τ₋ for pre after post. If one side changes little or was not measured, only the other side has an
    exponential. Otherwise a Gaussian about zero is fitted.
    """
    delay, change = np.array(sorted(pair for run in runs if (pair := pair_of(run.ds)) is not None)).T
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    axes.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    sides = [(delay > 0, 1.0, "τ₊"), (delay < 0, -1.0, "τ₋")]
    means = [change[side].mean() if side.any() else 0.0 for side, *_ in sides]
    largest, taus = max(np.abs(means)), []
    alone = min(np.abs(means)) < ONE_SIDED * largest
    if alone or means[0] * means[1] < 0:
        for (side, sign, name), mean in zip(sides, means, strict=True):
            if alone and abs(mean) < largest:
                continue
            tau = fitted_curve(axes, fits.exponential, np.abs(delay[side]), 100 * change[side], BLUE, sign)
            taus.append(("τ" if alone else name, tau))
    else:
        taus.append(("τ", fitted_curve(axes, fits.gaussian, delay, 100 * change, BLUE)))
    scales = "".join(f", {name} = {tau}" for name, tau in taus if tau)
    label = f"{len(delay)} delays{scales}" if len(delay) > 1 else f"{100 * change[0]:+.3g} %"
    axes.plot(delay, 100 * change, "o", color=BLUE, label=label.replace("-", "\N{MINUS SIGN}"), clip_on=False)
    quantity_axis(axes, "x", np.abs(delay), "post after pre by", "s", log=False)
    axes.set(ylabel="change of conductance (%)")
    legend(axes)
