"""Panels over position and energy at the snapshots of a result: vacancies, bands, traps, electrons, current by energy."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.plot.axes import LETTER, ROOM, legend, magnitude, quantity_axis, small_print, unit_symbol, volts
from otjdd.plot.over_time import NAMED_PARTS, TIMES, clock_of, instant, name_places, over_time
from otjdd.plot.runs import NamedResult, PanelKind, case_data, gathered, legend_label, panel, parts_of_array, stroke
from otjdd.plot.style import CYCLE, GREY, ORANGE, SKY
from otjdd.results.outputs import OUTPUTS
from otjdd.studies.dataset import worth_logarithms

SIDES = "right", "left"  # electrodes, in the order in which electrons pass them at a positive voltage
TRAP_STYLES = {"": "-", "right": "--", "left": ":"}  # of a current through the band, and between traps and an electrode
CURVES = 6  # most snapshots that are drawn as profiles; more are drawn as a map
DECADES = 8.0  # below the largest concentration: smaller ones are not drawn
TRAP_DECADES = 6.0  # the same of currents of traps
BAR = (1.03, 0.0, 0.04, 1.0)  # place of a colour bar next to its axes, in parts of the axes
AROUND = 1.2  # nm, least drawn width of an electrode
FLAT = 3e-3  # eV: a band edge within this of its end value counts as flat
SAME_VOLTAGE = 1e-3  # V, within which voltages count as equal
SAME = 1.1  # ratio of resistances that count as one state
FAR = 100.0  # nm by which flat leads are extended, beyond the limits of the axes
LEAD = 3  # points of a flat lead in a line of `band_line`
BENT = 0.01  # eV: a smaller step before a lead comes from the end of the stored bending, not from the band
UNEVEN = 20.0  # longest over shortest interval, from which snapshots count as unevenly spread
LONGEST_NAME = 24  # letters of the name of a layer in a panel, or of a line of the name of an output
PART_DASHES = "-", "--", ":", "-."  # of kinds of traps or the like
MOST_BIASES = 6  # most biases for which the charge of traps is drawn
FEWEST = 1e-9  # of the largest vacancy concentration: lower electron concentrations are not drawn
BESIDE = 0.25  # space above the band edge, as a fraction of its range
AT_VOLTAGE = "at the voltage of the source, +0.1 V where that is off"


class Shot(NamedTuple):
    """Number of a snapshot in its result, and its name for the legend."""

    number: int
    name: str


def every(ds: xr.Dataset) -> list[Shot]:
    """All snapshots of a result, named by their times; the first also by the initial state of the case."""
    initial = case_data(ds.attrs).get("ions", {}).get("initial", "")
    if isinstance(initial, dict):
        start = ", prepared" if "history" in initial else ", as given"
    else:
        start = {"uniform": ", not written", "equilibrium": ", at rest"}.get(initial, "")
    return [Shot(i, instant(t) + (start if t == 0 else "")) for i, t in enumerate(ds.snapshot_time.values)]


def extreme_snapshots(ds: xr.Dataset) -> list[Shot]:
    """Snapshots of lowest and highest resistance if they were taken with reads, else the first and the last snapshot.

    Of several snapshots whose resistances agree within a factor SAME, the first in time counts.
    """
    t, shot, read = ds.snapshot_time.values, np.array([], dtype=int), np.array([], dtype=int)
    if ds.sizes.get("read") and {"read_time", "read_resistance"} <= set(ds.variables):
        times = ds.read_time.values
        nearest = np.clip(np.searchsorted(times * (1 + 1e-9), t), 0, len(times) - 1)
        shot = np.flatnonzero(np.isclose(times[nearest], t, rtol=1e-9, atol=0))  # snapshots at the time of a read
        read = nearest[shot]
    R = ds.read_resistance.values[read] if len(read) > 1 else np.array([])
    if not len(R) or not np.isfinite(R).all() or R.max() <= SAME * R.min():
        return [every(ds)[i] for i in sorted({0, len(t) - 1})]
    shots = []
    for name, i in (("LRS", int(np.argmax(R < SAME * R.min()))), ("HRS", int(np.argmax(R > R.max() / SAME)))):
        V = float(ds.write_voltage[read[i]]) if "write_voltage" in ds else np.nan
        when = f"after {volts(V)}" if np.isfinite(V) and V else f"at {instant(t[shot[i]])}"
        shots.append(Shot(int(shot[i]), f"{name}, {when}"))
    return shots


def few(ds: xr.Dataset) -> list[Shot]:
    """All snapshots of a result with few of them, else `extremes`."""
    return every(ds) if ds.sizes["snapshot"] <= CURVES else extreme_snapshots(ds)


def biased_snapshots(ds: xr.Dataset) -> list[Shot]:
    """The snapshots of the band diagram: `extreme_snapshots`, named by the junction voltage too if it differs between them.

    This voltage bends the bands.
    """
    shots = extreme_snapshots(ds)
    V = [voltage_at(ds, shot.number) for shot in shots]
    if not np.isfinite(V).all() or np.ptp(V) < SAME_VOLTAGE:
        return shots
    texts = [volts(round(v, 3)) if abs(v) >= SAME_VOLTAGE else "0 V" for v in V]
    return [Shot(shot.number, f"{shot.name}, at {text}") for shot, text in zip(shots, texts, strict=True)]


def voltage_at(ds: xr.Dataset, number: int) -> float:
    """Junction voltage [V] of a snapshot; in older files from the time series at or before it; nan without both."""
    if "snapshot_junction_voltage" in ds:
        return float(ds.snapshot_junction_voltage.values[number])
    if not ds.sizes.get("time") or "junction_voltage" not in ds:
        return float("nan")
    t = ds.snapshot_time.values[number]
    i = int(np.searchsorted(ds.time.values, t * (1 + 1e-12), side="right")) - 1
    return float(ds.junction_voltage.values[max(i, 0)])


class FilmCurve(NamedTuple):
    """A curve over the film: its name, its values (x,), its number among `total` of its result, and options of its line."""

    name: str
    values: np.ndarray
    number: int
    total: int
    options: Mapping[str, Any] = {}


def over_x(
    axes: Axes, runs: Sequence[NamedResult], profiles: Callable[[xr.Dataset], Iterator[FilmCurve]], label: str,
    decades: float | None = None,
) -> None:  # fmt: skip
    """Draw the profiles of all results against position, with the layers of the film.

    label : of the y axis   decades : shown below the largest value, on a logarithmic axis; None for a linear axis
    """
    least, most = np.inf, 0.0
    for i, run in enumerate(runs):
        for name, values, number, total, options in profiles(run.ds):
            y = magnitude(values) if decades else values
            line = stroke(i, number, len(runs), total) | dict(options)
            axes.plot(run.ds.x.values * 1e9, y, label=legend_label(run, name), **line)
            positive = y[y > 0.0]
            least, most = min(least, np.min(positive, initial=np.inf)), max(most, np.max(positive, initial=0.0))
    axes.set(xlabel="position (nm)", ylabel=label)
    if decades:
        axes.set(yscale="log")
        if most > 0.0:
            axes.set_ylim(max(least, most * 10.0**-decades) / 2, most * 3)
    draw_layers(axes, runs)
    legend(axes)


def profiles_of(
    name: str, shots_of: Callable[[xr.Dataset], list[Shot]] = biased_snapshots
) -> Callable[[xr.Dataset], Iterator[FilmCurve]]:
    """Profiles of an output at some snapshots, of each kind of traps or the like."""

    def profiles(ds: xr.Dataset) -> Iterator[FilmCurve]:
        shots, parts = shots_of(ds), parts_of_array(ds[name], "snapshot", "x")
        for number, (part, values) in enumerate(parts):
            dashes: dict[str, Any] = {"linestyle": PART_DASHES[number % len(PART_DASHES)]} if part else {}
            for j, shot in enumerate(shots):
                words = ", ".join(filter(None, (part, shot.name)))
                if len(parts) > NAMED_PARTS:
                    words, dashes = "" if number else shot.name, {"linestyle": "-", "linewidth": 0.5}
                yield FilmCurve(words, values[shot.number], j, len(shots), dashes)

    return profiles


@panel(
    "vacancies", "x", "snapshot_time", "vacancy_concentration",
    shows="vacancy concentration against position, a map when there are many snapshots", needs="snapshots",
)  # fmt: skip
def draw_vacancies(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the vacancy concentration against position: profiles of a few snapshots, a map over time of many."""
    if len(runs) == 1 and runs[0].ds.sizes["snapshot"] > CURVES:
        vacancy_map(axes, runs[0].ds)
        draw_layers(axes, runs, "white")
        axes.set(xlabel="position (nm)")
    else:
        vacancies_at = profiles_of("vacancy_concentration", few)
        over_x(axes, runs, vacancies_at, "vacancies (m⁻³)", DECADES)
    if hidden := [text for run in runs if (text := unseen(run.ds))]:
        small_print(axes, hidden[0])


def vacancy_map(axes: Axes, ds: xr.Dataset) -> None:
    """Draw a map of the concentration. Rows stand at the times if these are even, else on a clock or equally high."""
    x, t, c = ds.x.values * 1e9, ds.snapshot_time.values, ds.vacancy_concentration.values
    levels = np.log10(np.maximum(c, c.max() * 1e-6))
    gaps = np.diff(t)
    even = gaps.min() > 0 and gaps.max() < UNEVEN * gaps.min()
    clock = None if even else clock_of(ds, t)
    rows = t if even else clock(t) if clock else np.arange(len(t), dtype=float)
    image = axes.pcolormesh(edges_of(x), edges_of(rows), levels, shading="flat", rasterized=True)
    # The bar stands in the margin of the axes: axes outside of the margin would make all panels of a column narrower.
    bar = axes.inset_axes(BAR) if axes.figure.get_layout_engine() else None
    axes.figure.colorbar(image, bar, axes, label="log₁₀ vacancies (m⁻³)")
    # set ticks and label of the time axis of a map
    if even:
        quantity_axis(axes, "y", t, "time", "s", log=False)
    elif clock:
        axes.set_ylabel(name_places(clock, axes.yaxis))
        for edge in range(1, len(clock.first)):
            axes.axhline(edge, color="white", linewidth=0.6)
    else:
        ticks = np.unique(np.linspace(0, len(t) - 1, 7).round().astype(int))
        axes.set_yticks(ticks, [instant(t[i]) for i in ticks])
        axes.set_ylabel("time of the snapshot (equal row heights)")


def edges_of(centres: np.ndarray) -> np.ndarray:
    """Edges (n + 1,) of cells around centres (n,), n > 1."""
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate(([2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]))


def unseen(ds: xr.Dataset) -> str:
    """Note on the interval of two snapshots with half of the change of the profile or more; "" if there is none."""
    t, c = ds.snapshot_time.values, ds.vacancy_concentration.values
    change = np.abs(np.diff(c, axis=0)).sum(axis=1)
    if len(t) <= CURVES or not change.any() or change.max() < 0.5 * change.sum():
        return ""
    i = int(np.argmax(change))
    share = f"{100 * change[i] / change.sum():.0f} %"
    if t[i + 1] - t[i] < 1e-3 * t[-1]:
        return ""
    return f"{share} of the change lies between {instant(t[i])} and {instant(t[i + 1])}: record.profiles_at can show it"


def draw_layers(axes: Axes, runs: Sequence[NamedResult], colour: str = GREY) -> None:
    """Draw the interfaces of the first result with several layers, and write the names of the layers at the bottom.

    A name that is wider than its layer is written upwards, and shortened beyond LONGEST_NAME letters.
    """
    ends = draw_interfaces(axes, runs, colour)
    names = next((run.ds.layer.values for run in runs if "layer_end" in run.ds), ())
    for name, start, end in zip(names, ends, ends[1:], strict=False):
        low, high = axes.get_xlim()
        upwards = len(str(name)) * LETTER > ROOM * (end - start) / max(high - low, ends[-1])
        text = str(name) if len(str(name)) <= LONGEST_NAME else f"{str(name)[: LONGEST_NAME - 1]}…"
        axes.annotate(
            text, ((start + end) / 2, 0.015), xycoords=("data", "axes fraction"), ha="center", va="bottom",
            color=colour, fontsize="small", rotation=90 if upwards else 0,
        )  # fmt: skip


def draw_interfaces(axes: Axes, runs: Sequence[NamedResult], colour: str = GREY) -> np.ndarray:
    """Draw the interfaces of the first result with several layers. Returns 0 and the right ends of its layers [nm].

    The array is empty if no result has layers.
    """
    ds = next((run.ds for run in runs if "layer_end" in run.ds), None)
    ends = np.concatenate(([0.0], ds.layer_end.values * 1e9)) if ds is not None else np.empty(0)
    for end in ends[1:-1]:
        axes.axvline(end, color=colour, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1.5)
    return ends


@panel(
    "bands", "x", "cell_width", "snapshot_time", "band_position", "band_edge",
    shows="conduction band edge through the whole stack", needs="snapshots",
)  # fmt: skip
def draw_bands(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the conduction band edge through electrodes and film. The Fermi level of the right electrode is 0 eV.

    The snapshots are the ones of lowest and highest resistance if they were taken with reads, else the first and the last.
    """
    drawn = []
    for i, run in enumerate(runs):
        shots = biased_snapshots(run.ds)
        for j, shot in enumerate(shots):
            line = band_line(run.ds, shot.number)
            axes.plot(*line, label=legend_label(run, shot.name), **stroke(i, j, len(runs), len(shots)))
            drawn.append((run.ds, line))
    for film in {round(thickness(run.ds), 6) for run in runs}:
        axes.axvspan(0, film, color=SKY, alpha=0.12, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    axes.annotate("$E_F$", (1.01, 0), xycoords=("axes fraction", "data"), ha="left", va="center", color=GREY)
    xlim, ylim = band_limits(*zip(*drawn, strict=True))
    axes.set(xlim=xlim, ylim=ylim, xlabel="position (nm)", ylabel="conduction band edge (eV)")
    draw_layers(axes, runs)
    legend(axes)


def band_limits(
    results: Sequence[xr.Dataset], lines: Sequence[tuple[np.ndarray, np.ndarray]]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of x [nm] and of energy [eV] for band diagrams, from the film and the bent regions next to it.

    The band bottom of a metal does not count. A semiconductor is drawn up to where its band is FLAT.
    """
    lowest, highest, left, right = 0.0, 0.0, 0.0, 0.0
    for ds, (x, edge) in zip(results, lines, strict=True):
        film = thickness(ds)
        bottom = edge[LEAD:-LEAD].min() - 5 * BENT if len(edge) > 2 * LEAD else -np.inf
        metal = [
            bool(end < min(bottom, -0.2)) for end in (edge[0], edge[-1])
        ]  # its band bottom lies far below the film's
        bent = [0.0 if metal[0] else bent_depth(-x[::-1], edge[::-1]), 0.0 if metal[1] else bent_depth(x - film, edge)]
        left = min(left, -max(bent[0], AROUND))
        right = max(right, film + max(bent[1], AROUND))
        inside = (x >= -bent[0] - 1e-9) & (x <= film + bent[1] + 1e-9)
        inside[: LEAD * metal[0]] = inside[len(x) - LEAD * metal[1] :] = False
        lowest, highest = min(lowest, edge[inside].min()), max(highest, edge[inside].max())
    margin = 0.1 * max(highest - lowest, 0.2)
    return (left, right), (lowest - margin, highest + margin)


def bent_depth(x: np.ndarray, edge: np.ndarray) -> float:
    """Distance [nm] from the film (x = 0) at which a band edge is within FLAT of its end value, plus 5 %."""
    bent = np.flatnonzero((np.abs(edge - edge[-1]) > FLAT) & (x > 0))
    return 1.05 * float(x[min(bent[-1] + 1, len(x) - 1)]) if bent.size else 0.0


def band_line(ds: xr.Dataset, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Position [nm] and band edge [eV] of a snapshot.

    A result stores the bending of a semiconductor up to some 10 nm, where the bending is still a few meV. The band has
    no step between this point and the flat lead, so a straight line joins the two.
    """
    x, edge = ds.band_position.values[number] * 1e9, ds.band_edge.values[number]
    good = np.isfinite(x) & np.isfinite(edge)
    x, edge = x[good], edge[good]
    keep = np.ones(len(x), dtype=bool)
    if len(x) > 4:
        keep[-2] = not 0 < abs(edge[-3] - edge[-2]) < BENT
        keep[1] = not 0 < abs(edge[2] - edge[1]) < BENT
    x, edge = x[keep], edge[keep]
    ends = x[0] - FAR, x[-1] + FAR
    return np.concatenate(([ends[0]], x, [ends[1]])), np.concatenate((edge[:1], edge, edge[-1:]))


def thickness(ds: xr.Dataset) -> float:
    """Thickness of the film [nm]."""
    return float((ds.x + ds.cell_width / 2).max()) * 1e9


def output_panel(name: str) -> PanelKind | None:
    """The panel of any output: against its times, or at snapshots against position; None for one without times."""
    dims, unit, long_name = OUTPUTS[name]
    title = re.split("[,;]", long_name)[0]
    if not dims or dims[0] not in TIMES or {"band", "energy"} & set(dims):
        return None
    words, variables = textwrap.fill(name.replace("_", " "), LONGEST_NAME), (TIMES[dims[0]], name)

    def draw(axes: Axes, runs: Sequence[NamedResult]) -> None:
        if "x" in dims:
            decades = DECADES if worth_logarithms(gathered(runs, name)) else None
            over_x(axes, runs, profiles_of(name), words + (f" ({unit_symbol(unit)})" if unit != "1" else ""), decades)
        else:
            over_time(axes, runs, name, words)
        legend(axes, title)

    def fits(runs: Sequence[NamedResult]) -> bool:
        return all(key in run.ds and run.ds[key].size for run in runs for key in variables)

    return PanelKind(draw, title, f"the output {name}", fits, lambda runs: False)


@panel(
    "traps", "trap_filling", shows="occupancy of traps against position",
    needs="snapshots of a case with [[device.traps]]",
)  # fmt: skip
def draw_trap_fillings(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the occupancy of each kind of traps against position, at the snapshots of the band diagram."""
    over_x(axes, runs, profiles_of("trap_filling"), "occupancy of traps")
    axes.set(ylim=(-0.03, 1.03))


def currents_of_traps(ds: xr.Dataset) -> Iterator[FilmCurve]:
    """Current per volume [A m-2 nm-1] between each kind of traps and each electrode, at the two extreme snapshots."""
    shots, kinds = extreme_snapshots(ds), ds.trap.values
    parts = [(shot, number) for shot in shots for number in range(len(kinds))]
    for j, (shot, number) in enumerate(parts):
        for side in SIDES:
            words = f"{side} electrode" if len(kinds) == 1 else f"{kinds[number]}, {side} electrode"
            name = ", ".join(filter(None, (shot.name, words)))
            current = ds[f"trap_current_{side}"].values[shot.number, number] * 1e-9
            yield FilmCurve(name, current, j, len(parts), {"linestyle": TRAP_STYLES[side]})


@panel(
    "trap-currents", "trap_current_right",
    shows="where traps take electrons from one electrode and give them to the other, against position",
    needs="snapshots of a case with [[device.traps]]",
)  # fmt: skip
def draw_trap_currents(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |current| per volume between traps and each electrode against position, at the two extreme snapshots."""
    over_x(axes, runs, currents_of_traps, "trap current (A m⁻² nm⁻¹)", TRAP_DECADES)
    small_print(axes, AT_VOLTAGE)


def trap_charges(ds: xr.Dataset) -> Iterator[FilmCurve]:
    """Charges of traps [e/nm3] at the snapshots of the band diagram, or at MOST_BIASES biases at most."""
    if "trap_charge" in ds:
        rows = [(shot.name, ds.trap_charge.values[shot.number]) for shot in biased_snapshots(ds)]
    else:
        charge, bias = ds.bias_trap_charge.values[0, 0], ds.bias.values
        places = np.unique(np.linspace(0, len(bias) - 1, MOST_BIASES).round().astype(int))
        rows = [(volts(bias[place]), charge[place]) for place in places[np.argsort(bias[places])]]
    for j, (name, charge) in enumerate(rows):
        yield FilmCurve(name, charge * 1e-27 / ELEMENTARY_CHARGE, j, len(rows))


@panel(
    "trap-charge", "trap_charge", instead=("bias_trap_charge",),
    shows="charge of traps against position, at snapshots or at some biases",
    needs="snapshots or curves at frozen ions of a case whose [[device.traps]] carry charge",
)  # fmt: skip
def draw_trap_charges(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the charge of traps against position, in elementary charges per nm3."""
    over_x(axes, runs, trap_charges, "charge of traps (e/nm³)")


@panel(
    "electrons", "film_electrons", "vacancy_concentration", "conduction_band", "snapshot_junction_voltage",
    shows="electrons and vacancies of the film, and the band between both Fermi levels",
    needs='snapshots of a film that holds electrons (device.film.electrons = "balance")',
)  # fmt: skip
def draw_electrons(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw electrons (solid) and vacancies (dashed) against position, and the band edge (grey) on an axis of energy.

    The snapshot of each result is the one in which the film holds most electrons. Dotted lines are the Fermi levels of
    the two contacts.
    """
    energy, most, least = axes.twinx(), 0.0, np.inf
    for i, run in enumerate(runs):
        ds, colour = run.ds, CYCLE[i % len(CYCLE)]
        k = int((ds.film_electrons * ds.cell_width).sum("x").argmax("snapshot"))
        x, n, c = ds.x.values * 1e9, ds.film_electrons.values[k], ds.vacancy_concentration.values[k]
        when = instant(float(ds.snapshot_time[k]))
        axes.plot(x, n, color=colour, label=legend_label(run, f"electrons at {when}"))
        axes.plot(x, c, color=colour, linestyle=(0, (5, 2)), label=legend_label(run, "vacancies"))
        energy.plot(x, ds.conduction_band.values[k], color=GREY, linewidth=0.8)
        level = -float(ds.snapshot_junction_voltage[k])
        dotted: dict[str, Any] = {"color": ORANGE, "linewidth": 0.8, "linestyle": (0, (1, 1.5)), "zorder": 0}
        over_curves: dict[str, Any] = {
            "color": ORANGE,
            "va": "bottom",
            "path_effects": [withStroke(linewidth=2.0, foreground="white")],
        }
        energy.axhline(level, xmax=0.5, **dotted)
        energy.annotate("$E_F$ left", (0.02, level), xycoords=("axes fraction", "data"), **over_curves)
        if i == 0:
            energy.axhline(0.0, xmin=0.5, **dotted)
            energy.annotate("$E_F$ right", (0.52, 0.0), xycoords=("axes fraction", "data"), **over_curves)
        most, least = max(most, c.max(), n.max()), min(least, max(n.min(), FEWEST * c.max()))
    axes.set(yscale="log", xlabel="position (nm)", ylabel="concentration (m⁻³)", ylim=(least / 2, most * 30))
    energy.set_ylabel("band edge, Fermi levels (eV)", color=GREY)
    energy.tick_params(axis="y", colors=GREY)
    energy.spines["right"].set_visible(True)
    low, high = energy.get_ylim()
    energy.set_ylim(low, high + BESIDE * (high - low))
    legend(axes)


@panel(
    "spectrum", "snapshot_time", "spectrum_energy", "spectrum_density", needs="snapshots",
    shows="current density by the energy of the electrons, through the band and to and from traps",
)  # fmt: skip
def draw_energy_spectrum(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw the current density per energy, in the snapshots of the bands: through the band, and to and from traps."""
    top, spectra = 0.0, []
    for i, run in enumerate(runs):
        shots = extreme_snapshots(run.ds)
        for j, shot in enumerate(shots):
            line = stroke(i, j, len(runs), len(shots))
            parts = [("", run.ds.spectrum_energy, run.ds.spectrum_density)]
            if "spectrum_trap_energy" in run.ds:
                parts += [(side, run.ds.spectrum_trap_energy, run.ds[f"spectrum_traps_{side}"]) for side in SIDES]
            for side, energies, densities in parts:  # "": through the band
                E, density = energies.values[shot.number], np.abs(densities.values[shot.number])
                style = {"linestyle": TRAP_STYLES[side]} if "trap" in run.ds.dims else {}
                label = legend_label(run, ", ".join(filter(None, (shot.name, f"traps, {side}" if side else ""))))
                axes.plot(E, np.where(density > 0, density, np.nan), label=label, **line | style)
                top = max(top, np.nanmax(density, initial=0.0))
                spectra.append((E, density))
    drawn = np.concatenate([E[density > top * 1e-12] for E, density in spectra]) if top else np.array([])
    if drawn.size:
        axes.set(ylim=(top * 1e-12, top * 5), xlim=(drawn.min(), drawn.max()))
    axes.set(yscale="log", xlabel="electron energy (eV)", ylabel="current density (A m⁻² eV⁻¹)")
    legend(axes)
    small_print(axes, AT_VOLTAGE)
