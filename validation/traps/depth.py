"""python -m validation.traps.depth [--kind KIND] [DEPTH]...: what 13 nm HfO2 tell of the depth of their traps.

At each depth [eV] both barriers, mass, density and relaxation energy of the traps are fitted to the twelve currents, as
`otjdd fit validation/traps/fit.toml` fits them with the depth: from three starts, and from the sets of measured.json of
this depth and of its neighbours. The best set stays there, and all are drawn: depth.png. With --free the depth is fitted as
well, from the set of each of these depths.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from otjdd.case.case import load_case
from otjdd.errors import SolverError
from otjdd.fitting.fit import fit
from otjdd.fitting.task import vary_of
from otjdd.plot.axes import legend
from otjdd.plot.style import BLUE, GREEN, GREY, ORANGE, panels, save, style
from otjdd.runs.run import simulate
from validation import measured

HERE = Path(__file__).parent
CASE = load_case(HERE / "fit.toml")
DEPTH = "device.traps[0].depth"
KEYS = (
    "device.left.barrier", "device.right.barrier", "device.film.tunnelling_mass", "device.traps[0].density",
    "device.traps[0].relaxation_energy",
)  # fmt: skip
DEPTHS = 0.6, 0.7, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4
NEAR = 0.25  # eV, between neighbours
CELLS = 40  # of films with charged traps, whose runs are long
LOWEST = 0.55  # eV, of a barrier at a start
STARTS = {  # kind -> barriers less the depth [eV], mass, density [1/m3], relaxation energy [eV]
    "none": ((-0.35, 0.33, 0.3, 3e25, 0.7), (0.1, 0.35, 0.5, 1.5e25, 0.7), (-0.3, 0.36, 0.2, 2e25, 0.9)),
    "donor": ((-0.035, 1.051, 0.245, 8.5e25, 0.923),),
    "acceptor": ((-1.82, 0.085, 0.154, 1.06e26, 0.93),),
}
PARTS = {"none": "traps-depth", "donor": "traps-depth-donors", "acceptor": "traps-depth-acceptors"}
FREE = "traps-free"
LINES = "-", "--", ":"
NAMES = {"none": "without charge", "donor": "donors (dashed)", "acceptor": "acceptors (dotted)"}
COLUMNS = (
    "depth (eV):", "rms of ln J:", "left barrier (eV):", "right barrier (eV):", "mass:", "density (1/m³):",
    "relaxation energy (eV):", "through the band at 3 V:",
)  # fmt: skip


class Set(NamedTuple):
    """A fitted set: depth [eV], rms of ln J, values of KEYS [SI], largest share of the current through the band."""

    depth: float
    rms: float
    values: tuple[float, ...]
    coherent: float


def sets_on_file(kind: str) -> list[Set]:
    """Sets of traps of a kind in measured.json, from the shallowest."""
    rows = [row["cells"] for row in measured.read(HERE).get(PARTS[kind], {"rows": []})["rows"]]
    numbers = [[float(cell) for cell in row] for row in rows]
    return sorted(Set(row[0], row[1], tuple(row[2:-1]), row[-1]) for row in numbers)


def starts(kind: str, depth: float) -> list[tuple[float, ...]]:
    """Values of KEYS (n of them) to start from at a depth."""
    absolute = [(max(depth + a, LOWEST), max(depth + b, LOWEST), *rest) for a, b, *rest in STARTS[kind]]
    near = [other for other in sets_on_file(kind) if abs(other.depth - depth) < NEAR]
    moved = [[max(value + depth - other.depth, LOWEST) for value in other.values[:2]] for other in near]
    return absolute + [(*barriers, *other.values[2:]) for barriers, other in zip(moved, near, strict=True)]


def fitted(kind: str, depth: float, start: tuple[float, ...], free: bool = False) -> Set:
    """The set that a search ends with, of a depth, or from a depth where it is free. Raises SolverError."""
    vary = {key: ends for key, ends in vary_of(CASE).items() if free or key != DEPTH}
    changes = {DEPTH: depth, "device.traps[0].kind": kind} | ({"device.film.cells": CELLS} if kind != "none" else {})
    ds = fit(None, CASE, vary, changes=changes, start=dict(zip(KEYS, start, strict=True)))
    by_key = changes | dict(zip(map(str, ds.parameter.values), map(float, ds.value.values), strict=True))
    share = simulate(CASE.replace(by_key)).bias_channel_share.sel(channel="coherent")
    rms = float(np.sqrt(np.mean(np.log(ds.fitted.values / ds.measured.values) ** 2)))
    return Set(by_key[DEPTH], rms, tuple(by_key[key] for key in KEYS), float(share.max()))


def cells_of(row: Set) -> tuple[str, ...]:
    """Cells of a set, see COLUMNS."""
    return (f"{row.depth:.4g}", f"{row.rms:.4f}", *(f"{value:.4g}" for value in row.values), f"{row.coherent:.1e}")


def best(kind: str, depth: float) -> Set:
    """The set of a depth with the smallest misfit over all starts; each is printed."""
    sets = []
    for start in starts(kind, depth):
        try:
            sets.append(fitted(kind, depth, start))
            print(f"{depth:.2f} eV: {sets[-1].rms:.4f} from {', '.join(f'{value:.3g}' for value in start)}", flush=True)
        except SolverError as error:
            print(f"{depth:.2f} eV: no result from {start}: {error}", flush=True)
    return min(sets, key=lambda fitted_set: fitted_set.rms)


def picture(sets: dict[str, list[Set]]) -> Figure:
    """Misfit, energies, and traps against the depth that is held. sets : of each kind, from the shallowest"""
    with style():
        fig, axes = panels(3)
        for kind, dashes in zip(STARTS, LINES, strict=True):
            if sets[kind]:
                draw(axes, kind, dashes, sets[kind])
        axes[0].axhline(0.25, color=GREY, linestyle=":", linewidth=0.8)
        axes[0].annotate("limit of the claim", (0.99, 0.25), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                         color=GREY, fontsize="small")  # fmt: skip
        axes[0].set(ylabel="rms of ln J, five values fitted", ylim=(0, 0.3))
        axes[1].set(ylabel="energy (eV)")
        axes[2].set(yscale="log")
        for panel in axes:
            panel.set(xlabel="depth of the traps, held (eV)")
            legend(panel)
    return fig


def draw(axes: list[Axes], kind: str, dashes: str, sets: list[Set]) -> None:
    """Draw the sets of one kind of traps into the three panels."""
    depth, (left, right, mass, density, relaxation) = (
        np.array([row.depth for row in sets]), np.array([row.values for row in sets]).T,
    )  # fmt: skip
    words = NAMES[kind]
    axes[0].plot(depth, [row.rms for row in sets], marker="o", linestyle=dashes, color=BLUE, label=words)
    for panel, values, name, marker, colour in (
        (axes[1], left - depth, "left barrier less the depth", "o", BLUE),
        (axes[1], right - depth, "right barrier less the depth", "s", ORANGE),
        (axes[1], relaxation, "relaxation energy", "^", GREEN),
        (axes[2], density / 1e25, "density (10²⁵ m⁻³)", "o", BLUE),
        (axes[2], mass, "tunnelling mass (m₀)", "s", ORANGE),
    ):
        label = name if kind == "none" else None
        panel.plot(depth, values, marker=marker, linestyle=dashes, color=colour, label=label)


def main() -> None:
    """Fit at depths, keep the sets that are better than those of measured.json, and draw all."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("depths", nargs="*", type=float, default=DEPTHS)
    asked.add_argument("--kind", choices=STARTS, default="none")
    asked.add_argument("--free", action="store_true", help="fit the depth as well, from the sets of measured.json")
    asked.add_argument("--draw", action="store_true", help="draw the sets of measured.json only")
    given = asked.parse_args()
    kind, command = given.kind, "python -m validation.traps.depth"
    command += f" --kind {kind}" if kind != "none" else ""
    for depth in () if given.draw else given.depths:
        old = [row for row in sets_on_file(kind) if row.depth == depth]
        if given.free:
            cells = [(f"{row.depth:g}", *cells_of(fitted(kind, row.depth, row.values, True))) for row in old]
            measured.keep(HERE, FREE, ("from (eV):", *COLUMNS), cells, command=f"{command} --free")
        elif (new := best(kind, depth)).rms < min((row.rms for row in old), default=np.inf):
            measured.keep(HERE, PARTS[kind], COLUMNS, [cells_of(new)], command=command)
    save(picture({kind: sets_on_file(kind) for kind in STARTS}), HERE / "depth.png")


if __name__ == "__main__":
    main()
