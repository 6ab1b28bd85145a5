"""Panels of small signals: Nyquist and Bode plots, capacitance against voltage, and the Mott-Schottky line through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, MultipleLocator

from otjdd.analysis import small_signal
from otjdd.plot.axes import SUPERSCRIPT, legend, quantity_axis, small_print, three_digits, volts
from otjdd.plot.runs import NamedResult, gathered, legend_label, panel, stroke
from otjdd.plot.style import GREY
from otjdd.system.late import scipy

MOST = 12  # most curves of a panel; more cannot be told apart
OTHER_SIZE = 8.0  # ratio of the sizes of two arcs, beyond which the smaller is drawn in inset axes
INSET = 0.6, 0.34  # width and height of the inset axes, of the size of the largest arc
ABOVE = 0.72  # room above the largest arc for the inset axes, their ticks and labels, over its size
FINE = 400  # points of the line through a spectrum
SHARE = 0.15  # of the largest imaginary part: dots of a Nyquist plot below it have no label
SIGNALS = "state", "temperature", "bias", "frequency", "impedance_real", "impedance_imag", "capacitance"
SPECTRUM = "a drive of kind impedance with five frequencies or more"


class SignalCurve(NamedTuple):
    """A small-signal curve over one coordinate, its name, and its number in its result."""

    data: xr.Dataset  # along `frequency` or `bias`
    name: str
    number: int


def signal_curves(ds: xr.Dataset, along: str) -> list[SignalCurve]:
    """Curves of a result along "frequency" or "bias": one for each set of the others, at most MOST, spread evenly."""
    others = [dim for dim in ("state", "temperature", "bias", "frequency") if dim != along]
    stacked = ds.stack(curve=others).transpose("curve", ...)
    drawn, count = [], stacked.sizes["curve"]
    for number, i in enumerate(np.linspace(0, count - 1, min(count, MOST)).round().astype(int)):
        line = stacked.isel(curve=i)
        words = {
            "state": str(line.state.item()), "temperature": f"{float(line.temperature):g} K",
            "bias": (volts(float(line.bias)) if line.bias else "0 V") if along != "bias" else "",
            "frequency": three_digits(float(line.frequency), "Hz") if along != "frequency" else "",
        }  # fmt: skip
        name = ", ".join(words[dim] for dim in others if ds.sizes[dim] > 1)
        looped = small_signal.goes_back(line[along].values)
        drawn.append(SignalCurve(line if looped else line.sortby(along), name, number))
    return drawn


def draw_curves(axes: Axes, runs: Sequence[NamedResult], along: str) -> Iterator[tuple[SignalCurve, dict[str, Any]]]:
    """Yield the curves of all results with the options to draw them. A note below the panel says how many are left out."""
    parts = max(len(signal_curves(run.ds, along)) for run in runs)
    for i, run in enumerate(runs):
        for curve in signal_curves(run.ds, along):
            label = legend_label(run, curve.name) if curve.name or len(runs) > 1 else None
            yield curve, stroke(i, curve.number, len(runs), parts) | {"label": label}
    most = max(run.ds.capacitance.size // run.ds.sizes[along] for run in runs)
    if most > MOST:
        small_print(axes, f"drawn: {MOST} of {most} curves")


def enough_frequencies(ds: xr.Dataset) -> bool:
    """True if a result has enough frequencies for a spectrum."""
    return ds.sizes["frequency"] > 4


def has_curve(ds: xr.Dataset) -> bool:
    """True if a result has enough voltages for a curve."""
    return ds.sizes["bias"] > 2


def depleted(ds: xr.Dataset) -> bool:
    """True if a Mott-Schottky line can be fitted to each state of a result."""
    try:
        return has_curve(ds) and all(small_signal.depletion_line(ds, state) for state in ds.state.values)
    except ValueError:
        return False


def impedance(curve: SignalCurve) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (F,) [Hz] and complex impedance (F,) [ohm] of a curve."""
    ds = curve.data
    return ds.frequency.values, ds.impedance_real.values + 1j * ds.impedance_imag.values


@panel(
    "nyquist", *SIGNALS, when=enough_frequencies, shows="imaginary against real part of the impedance", needs=SPECTRUM
)
def draw_nyquist(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the imaginary against the real part of the impedance, with a dot at each decade of the frequency.

    Arcs that are much smaller than the largest are drawn in inset axes.
    """
    every = list(draw_curves(axes, runs, "frequency"))
    sizes = [float(np.ptp(impedance(curve)[1].real)) for curve, _ in every]
    large = [k for k, size in enumerate(sizes) if OTHER_SIZE * size >= max(sizes)]
    small = [k for k in range(len(sizes)) if k not in large]
    arcs(axes, [every[k] for k in large])
    if not small:
        legend(axes)
        return
    Z = np.concatenate([impedance(every[k][0])[1] for k in large])
    left, bottom, top = Z.real.min(), min(0.0, (-Z.imag).min()), (-Z.imag).max()
    size = max(np.ptp(Z.real), 0.5 * (top - bottom))
    axes.set(xlim=(left - 0.14 * size, left + 1.26 * size), ylim=(bottom - 0.06 * size, top + ABOVE * size))
    axes.set_aspect("equal", adjustable="box")
    inset = axes.inset_axes(
        (left + 0.5 * size, top + (ABOVE - 0.04 - INSET[1]) * size, INSET[0] * size, INSET[1] * size),
        transform=axes.transData,
    )
    arcs(inset, [every[k] for k in small], 3)
    inset.tick_params(labelsize=6)
    inset.xaxis.label.set_fontsize(6)
    inset.yaxis.label.set_fontsize(6)
    for k in small:  # so that the legend names these curves too
        axes.plot([], [], linewidth=1.0, **every[k][1])
    legend(axes)


def arcs(axes: Axes, curves: Sequence[tuple[SignalCurve, dict[str, Any]]], ticks: int | None = None) -> None:
    """Draw impedances as arcs, with a dot at each decade of the frequency, which the largest arc has written next to it.

    ticks : most ticks of each of the narrow axes
    """
    largest = None
    for curve, line in curves:
        f, Z = impedance(curve)
        smooth = smoothed(f, Z)
        axes.plot(smooth.real, -smooth.imag, linewidth=1.0, **line)
        decades = 10.0 ** np.arange(np.ceil(np.log10(f[0]) - 1e-9), np.floor(np.log10(f[-1]) + 1e-9) + 1)
        dots = smoothed(f, Z, decades)
        axes.plot(dots.real, -dots.imag, "o", markersize=2.5, color=line["color"])
        if largest is None or np.ptp(Z.real) > np.ptp(largest[1].real):
            largest = decades, Z, dots
    assert largest is not None  # there is a curve
    decades, Z, dots = largest
    middle = 0.5 * (Z.real.min() + Z.real.max())
    for decade, dot in zip(decades, dots, strict=True):
        if abs(dot.imag) > SHARE * np.abs(Z.imag).max():  # clear of the real axis
            inward = np.conj(middle - dot) / abs(dot - middle)  # inside the arc, off the axes and their labels
            axes.annotate(
                three_digits(decade, "Hz"), (dot.real, -dot.imag), (5 * inward.real, 5 * inward.imag),
                textcoords="offset points", fontsize=6, color=GREY, ha="left" if inward.real > 0 else "right", va="center",
            )  # fmt: skip
    both = np.concatenate(
        [part for curve, _ in curves for part in (impedance(curve)[1].real, impedance(curve)[1].imag)]
    )
    for side, name in (("x", "Re Z"), ("y", "\N{MINUS SIGN}Im Z")):
        quantity_axis(axes, side, both, name, "ohm", log=False)
        if ticks:
            getattr(axes, f"{side}axis").set_major_locator(MaxNLocator(ticks))
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.15)


def smoothed(f: np.ndarray, Z: np.ndarray, at: np.ndarray | None = None) -> np.ndarray:
    """Impedances of a spectrum (n,) at frequencies `at`, or at FINE frequencies: cubic in the logarithm of the frequency.

    A straight line between five points a decade would make polygons of arcs.
    """
    u = np.log(f)
    if len(u) < 4 or not (np.diff(u) > 0).all():
        return Z if at is None else np.interp(np.log(at), u, Z.real) + 1j * np.interp(np.log(at), u, Z.imag)
    v = np.union1d(np.linspace(u[0], u[-1], FINE), u) if at is None else np.clip(np.log(at), u[0], u[-1])
    return np.asarray(scipy.interpolate.CubicSpline(u, Z)(v))


@panel(
    "bode",
    *SIGNALS,
    when=enough_frequencies,
    shows="magnitude and phase of the impedance against frequency",
    needs=SPECTRUM,
)
def draw_bode(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the magnitude of the impedance (solid) and its phase (dotted) against the frequency."""
    other = axes.twinx()
    for curve, line in draw_curves(axes, runs, "frequency"):
        f, Z = impedance(curve)
        axes.plot(f, np.abs(Z), linewidth=1.0, **line)
        other.plot(f, np.degrees(np.angle(Z)), linewidth=1.0, linestyle=":", color=line["color"])
    magnitude = np.hypot(gathered(runs, "impedance_real"), gathered(runs, "impedance_imag"))
    quantity_axis(axes, "x", gathered(runs, "frequency"), "frequency", "Hz", log=True)
    quantity_axis(axes, "y", magnitude, "|Z|", "ohm", log=True)
    other.set_ylabel("phase (°), dotted")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    low, high = other.get_ylim()
    other.set_ylim(min(low, -95), max(high, 5))
    other.yaxis.set_major_locator(MultipleLocator(30))
    legend(axes)


@panel(
    "cv", *SIGNALS, when=has_curve, usual=lambda ds: has_curve(ds) and not enough_frequencies(ds),
    shows="capacitance against voltage", needs="a drive of kind cv with three voltages or more",
)  # fmt: skip
def draw_capacitance(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the capacitance against voltage, a curve for each state and frequency."""
    for curve, line in draw_curves(axes, runs, "bias"):
        axes.plot(curve.data.bias.values, curve.data.capacitance.values, linewidth=1.0, **line)
    quantity_axis(axes, "y", gathered(runs, "capacitance"), "capacitance", "F")
    axes.set(xlabel="voltage (V)")
    legend(axes)


@panel(
    "mott-schottky", *SIGNALS, when=depleted,
    shows="1 / C² against voltage, with the doping and built-in voltage of a straight line",
    needs="a drive of kind cv with three voltages or more at which a doped oxide is depleted",
)  # fmt: skip
def draw_mott_schottky(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw 1/C² at the highest frequency against voltage, and the line of the apparent doping and built-in voltage."""
    states, drawn_of = max(run.ds.sizes["state"] for run in runs), []
    for i, run in enumerate(runs):
        for j, state in enumerate(run.ds.state.values):
            name = ", ".join(filter(None, (run.label, str(state) if states > 1 else "")))
            drawn_of.append((run, state, name, stroke(i, j, len(runs), states)))
    largest = max(float((1 / run.ds.capacitance**2).max()) for run in runs)
    power = 3 * int(np.floor(np.log10(largest) / 3 + 1e-9))
    for run, state, name, line in drawn_of:
        curve, fit = small_signal.depletion_line(run.ds, state)
        text = f"{three_digits(fit.doping)} m⁻³, {three_digits(fit.built_in_voltage, 'V')}"
        y, colour = 10.0**-power / curve.capacitance**2, line["color"]
        axes.plot(curve.bias, y, "o", markersize=2.5, color=colour, label=f"{name}: {text}" if name else text)
        slope = (fit.line[1] - fit.line[0]) / (fit.voltages[1] - fit.voltages[0])
        deep = int(np.argmax(fit.line))
        ends = fit.voltages[deep], fit.voltages[deep] - fit.line[deep] / slope
        axes.plot(ends, (10.0**-power * fit.line[deep], 0.0), linewidth=0.8, **line)
    unit = f"10{str(power).translate(SUPERSCRIPT)} F⁻²"
    axes.set(xlabel="voltage (V)", ylabel=f"1 / C² ({unit})", ylim=(0.0, None))
    legend(axes, "apparent doping, built-in voltage")
    if note := "; ".join(dict.fromkeys(filter(None, (truth(run.ds, state, name) for run, state, name, _ in drawn_of)))):
        small_print(axes, note)


def truth(ds: xr.Dataset, state: str, name: str) -> str:
    """Doping and flat-band voltage in the case of a result, as text; "" if the case has none."""
    numbers = small_signal.mott_schottky(ds, state)
    if not np.isfinite(numbers["doping_ratio"]):
        return ""
    flat = numbers["flat_band_voltage"]
    ending = f", bands flat at {volts(flat)}" if np.isfinite(flat) else ""
    return (
        f"{name}: "[: 99 * bool(name)]
        + f"the case: {three_digits(numbers['doping'] / numbers['doping_ratio'])} m⁻³{ending}"
    )
