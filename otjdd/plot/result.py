"""Figures: a Dataset in, axes out. One function a panel; `figure` puts together those that fit a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure as Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from otjdd.constants import BOLTZMANN_EV
from otjdd.plot.style import BLUE, CYCLE, GREY, HEIGHT, ORANGE, SKY, WIDTH, style

if TYPE_CHECKING:
    import xarray as xr

ARROW = "-|>,head_width=0.25,head_length=0.5"


def figure(ds: xr.Dataset, kinds: Sequence[str] = ()) -> Figure:
    """Figure with the panels named in `kinds`, or with those that fit the Dataset.

    Raises ValueError when a panel that was asked for has nothing to draw, or no panel has.
    """
    chosen = list(kinds) or [kind for kind, (_, fits) in PANELS.items() if fits(ds)]
    if not chosen:
        raise ValueError("there is nothing to draw in this result")
    for kind in chosen:
        if not PANELS[kind][1](ds):
            raise ValueError(f"this result has nothing to draw for {kind!r}")
    columns = min(len(chosen), 2 if len(chosen) in (2, 4) else 3)
    rows = -(-len(chosen) // columns)
    with style():
        fig = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
        for i, kind in enumerate(chosen):
            axes = fig.add_subplot(rows, columns, i + 1)
            PANELS[kind][0](ds, axes)
            if len(chosen) > 1:
                axes.set_title(chr(ord("a") + i), fontweight="bold")
    return fig


def loop(ds, axes):
    """Resistance read after each write against the voltage of the write; arrows show the direction."""
    V, R = ds.write_voltage.values, ds.read_resistance.values
    axes.plot(V, R, "o-", color=BLUE, markersize=2.2, linewidth=0.8)
    steps = np.abs(np.diff(np.log10(R)))
    span = max(np.ptp(np.log10(R)), 1e-9)
    for lot in np.array_split(np.arange(len(V) - 1), min(6, len(V) - 1)):
        # Where the curve is steep or in the middle of each stretch, whichever says more.
        i = lot[np.argmax(steps[lot])] if steps[lot].max() > 0.02 * span else lot[len(lot) // 2]
        axes.annotate(
            "", (V[i + 1], R[i + 1]), (V[i], R[i]),
            arrowprops={"arrowstyle": ARROW, "color": ORANGE, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
    axes.set(yscale="log", xlabel="write voltage (V)", ylabel="resistance (Ω)")


def conductance(ds, axes):
    """Conductance against the number of the read; blue after positive writes, orange after negative."""
    G, V = 1e6 / ds.read_resistance.values, ds.write_voltage.values
    number = np.arange(1, len(G) + 1)
    axes.plot(number, G, color=GREY, linewidth=0.5, zorder=1)
    for marks, colour, label in ((V > 0, BLUE, "after V > 0"), (V < 0, ORANGE, "after V < 0")):
        if marks.any():
            axes.plot(number[marks], G[marks], "o", color=colour, label=label)
    axes.set(xlabel="read", ylabel="conductance (µS)")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if np.isfinite(V).any():
        axes.legend()


def retention(ds, axes):
    """Resistance against the time since the last write, one curve for each write."""
    for (start, label, group), colour in zip(holds(ds), CYCLE * 20, strict=False):
        since = ds.read_time.values[group] - start
        axes.plot(since, ds.read_resistance.values[group], "o-", color=colour, label=label)
    axes.set(xscale="log", yscale="log", xlabel="time after the write (s)", ylabel="resistance (Ω)")
    axes.legend()


def holds(ds) -> list[tuple[float, str, np.ndarray]]:
    """(end of the write [s], label, numbers of the reads) of every write that is followed by three reads or more."""
    if "write_end" not in ds:  # a result of 0.1.0
        return []
    ends, voltages = ds.write_end.values, ds.write_end_voltage.values
    groups = [np.flatnonzero(ends == end) for end in np.unique(ends[np.isfinite(ends)])]
    return [(ends[g[0]], f"after {voltages[g[0]]:+.3g} V", g) for g in groups if len(g) > 2]


def current(ds, axes):
    """Absolute current against time, with the voltage of the source below it."""
    t, carried = ds.time.values, size(ds.conduction_current.values)
    axes.axis("off")
    above = axes.inset_axes([0, 0.38, 1, 0.62])
    below = axes.inset_axes([0, 0, 1, 0.3], sharex=above)
    above.plot(t, size(ds.current.values), color=GREY, linewidth=0.5, label="with displacement, as read")
    above.plot(t, carried, color=BLUE, linewidth=0.9, label="conduction")
    if np.isfinite(carried).any():
        # A jump of the voltage charges the junction in no time: a spike as high as steps are short.
        above.set_ylim(np.nanmin(carried) / 5, np.nanmax(carried) * 20)
    above.set(yscale="log", ylabel="|current| (A)")
    above.legend()
    above.tick_params(labelbottom=False)
    below.plot(t, ds.voltage.values, color=ORANGE, linewidth=0.9)
    below.set(xlabel="time (s)", ylabel="voltage (V)")
    below.xaxis.set_major_formatter(EngFormatter(sep="\N{THIN SPACE}"))


def vacancies(ds, axes):
    """Vacancy concentration against position: profiles of a few snapshots, a map of position and time of many."""
    x, t, c = ds.x.values * 1e9, ds.snapshot_time.values, ds.vacancy_concentration.values
    if len(t) > 6:
        levels = np.log10(np.maximum(c, c.max() * 1e-6))
        image = axes.pcolormesh(x, t, levels, shading="nearest", rasterized=True)
        axes.figure.colorbar(image, ax=axes, label="log₁₀ vacancies (m⁻³)")
        axes.set(ylabel="time (s)")
    else:
        for i, time in enumerate(t):
            axes.plot(x, c[i], color=CYCLE[i], label=seconds(time))
        axes.set(yscale="log", ylabel="vacancies (m⁻³)")
        axes.set_ylim(bottom=max(c.min(), c.max() * 1e-8) / 2)
        axes.legend(title="time")
    axes.set(xlabel="position (nm)")


def bands(ds, axes):
    """Conduction band edge through electrodes and film at the first and the last snapshot; Fermi level at 0 eV."""
    for i, line in ends(ds):
        axes.plot(ds.band_position.values[i] * 1e9, ds.band_edge.values[i], **line)
    film = float((ds.x + ds.cell_width / 2).max()) * 1e9
    axes.axvspan(0, film, color=SKY, alpha=0.12, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.annotate("$E_F$", (0.01, 0), xycoords=("axes fraction", "data"), va="bottom", color=GREY)
    inside = ds.band_edge.values[np.isfinite(ds.band_edge.values) & (ds.band_position.values > 0)]
    margin = 0.12 * max(np.ptp(inside), 0.2)
    axes.set(
        xlim=(-1.2, min(np.nanmax(ds.band_position.values) * 1e9, film + 12)),
        ylim=(min(inside.min(), -0.1) - margin, inside.max() + margin),
        xlabel="position (nm)",
        ylabel="conduction band edge (eV)",
    )
    axes.legend(title="time")


def spectrum(ds, axes):
    """Share of the current per energy at the first and the last snapshot."""
    for i, line in ends(ds):
        axes.plot(ds.spectrum_energy.values[i], size(ds.spectrum_density.values[i]), **line)
    top = np.nanmax(np.abs(ds.spectrum_density.values))
    axes.set(
        yscale="log", ylim=(top * 1e-12, top * 5), xlabel="electron energy (eV)", ylabel="current density (A m⁻² eV⁻¹)"
    )
    axes.legend(title="time")


def iv(ds, axes):
    """Absolute current against voltage, a colour for each state, darker the warmer."""
    T = ds.temperature.values
    for state, colour in zip(ds.state.values, CYCLE * 6, strict=False):
        curves = ds.bias_current.sel(state=state).values
        for j in range(len(T)):
            shade = 0.35 + 0.65 * (j + 1) / len(T)
            label = f"{state}" if j == len(T) - 1 else None
            axes.plot(ds.bias.values, size(curves[j]), color=colour, alpha=shade, label=label)
    warm = f"{T.min():g} K (pale) to {T.max():g} K" if len(T) > 1 else f"{T[0]:g} K"
    axes.set(yscale="log", xlabel="voltage (V)", ylabel="|current| (A)")
    axes.legend(title=warm)


def arrhenius(ds, axes):
    """Absolute current at the voltage nearest to 0.1 V against inverse temperature, and its activation energy."""
    T, bias = ds.temperature.values, ds.bias.values
    V = float(bias[np.argmin(np.where(bias == 0, np.inf, np.abs(bias - 0.1)))])
    inverse = 1 / (BOLTZMANN_EV * T)
    for state, colour in zip(ds.state.values, CYCLE * 6, strict=False):
        carried = size(ds.bias_current.sel(state=state, bias=V).values)
        slope = np.polyfit(inverse, np.log(carried), 1)[0]
        axes.plot(1000 / T, carried, "o-", color=colour, label=f"{state}, {-slope:.2f} eV")
    axes.set(yscale="log", xlabel="1000 / temperature (1/K)", ylabel=f"|current| at {V:g} V (A)")
    axes.legend()


def ends(ds) -> list[tuple[int, dict]]:
    """Numbers of the first and the last snapshot, and how their lines are drawn."""
    colours = {0: BLUE, ds.sizes["snapshot"] - 1: ORANGE}
    return [(i, {"color": c, "label": seconds(ds.snapshot_time.values[i])}) for i, c in colours.items()]


def size(values) -> np.ndarray:
    """Absolute values for a logarithmic axis: nan where there is nothing to draw."""
    positive = np.abs(values)
    return np.where(positive > 0, positive, np.nan)


def seconds(t: float) -> str:
    """A time with its prefix, to three digits."""
    return EngFormatter("s")(float(f"{t:.3g}"))


def writes(ds) -> np.ndarray:
    """Voltages other than 0 V that were written before reads."""
    V = ds.write_voltage.values if "write_voltage" in ds else np.array([])
    return V[np.isfinite(V) & (V != 0)]


def swept(ds) -> bool:
    """Whether the voltage of the writes is stepped."""
    return len(np.unique(writes(ds))) > 4


def repeated(ds) -> bool:
    """Whether equal writes are repeated, with a read after each."""
    return len(writes(ds)) > 2 and not swept(ds)


def held(ds) -> bool:
    """Whether reads follow each other without a write between them."""
    return ds.sizes.get("read", 0) > 2 and len(writes(ds)) <= 2 and bool(holds(ds))


def timed(ds) -> bool:
    """Whether the current in time is what the run was for."""
    return ds.sizes.get("time", 0) > 2 and not ds.sizes.get("read", 0) > 2


def has(*names):
    """Whether a Dataset has all of these, and something in them."""
    return lambda ds: all(name in ds and ds[name].size for name in names)


def drawn_from(*names, when=lambda ds: True):
    """When a panel fits: a Dataset has these variables, with something in them, and `when` is true of it."""
    return lambda ds: has(*names)(ds) and when(ds)


PANELS = {  # name -> (how to draw it, when it fits)
    "loop": (loop, drawn_from("write_voltage", "read_resistance", when=swept)),
    "conductance": (conductance, drawn_from("write_voltage", "read_resistance", when=repeated)),
    "retention": (retention, drawn_from("read_time", "read_resistance", when=held)),
    "current": (current, drawn_from("voltage", "current", "conduction_current", when=timed)),
    "vacancies": (vacancies, drawn_from("x", "snapshot_time", "vacancy_concentration")),
    "bands": (bands, drawn_from("x", "cell_width", "snapshot_time", "band_position", "band_edge")),
    "spectrum": (spectrum, drawn_from("snapshot_time", "spectrum_energy", "spectrum_density")),
    "iv": (iv, drawn_from("state", "temperature", "bias", "bias_current")),
    "arrhenius": (
        arrhenius,
        drawn_from("state", "temperature", "bias", "bias_current", when=lambda ds: ds.sizes["temperature"] > 2),
    ),
}
