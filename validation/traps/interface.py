"""python -m validation.traps.interface [--sets N]: do kinetic traps remember as metal | Nb:SrTiO3 does?

Sets of traps, barrier, mass and thickness are drawn from a Sobol sequence within bounds. Each runs 120 s of +1 V and two
resets of -4 V in the reduced device of interface.toml; data/interface.csv has the window of each. `nearest` goes on from
there. Of each search the set that changes the current most, of those whose current the contact carries, runs the trains
of `nb-sto-trains` beside those of vacancies.
"""

import argparse
import contextlib
import csv
import multiprocessing
import resource
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import qmc

from otjdd.analysis.power_laws import Trains, slope, trains_of
from otjdd.case.case import load_case
from otjdd.errors import CaseError, SolverError
from otjdd.plot.axes import legend
from otjdd.plot.style import BLUE, GREEN, GREY, ORANGE, panels, save, style
from otjdd.solver.simulate import simulate_junction
from validation import measured

HERE = Path(__file__).parent
DATA = HERE / "data"
SETS, NEAREST, VACANCIES = (DATA / f"{name}.csv" for name in ("interface", "interface-nearest", "interface-vacancies"))
TRAINS = HERE.parent / "nb-sto-interface" / "data" / "trains.csv"
RESETS = -4.0, -2.0  # V
BACKGROUND = 1.0e-9  # A at -1 V, of the part that does not switch: ../nb-sto-interface/README.md
START = 7.15e-7  # A at -1 V after 120 s of +1 V, before resets of -4 V: it fixes the share of the area that switches
AREA = np.pi * 7.3e-6**2  # m2, of the contact
COARSE, FINE = 0.1, 0.01  # numerics.rtol of the search, and of the picture
CHANGED = 0.02  # change of the current by resets from which a set runs again, finely: COARSE may be wrong by factors
MOST_SECONDS = 8, 60  # of a processor, for a set: coarsely, and finely
BOUNDS = {  # of the sets; lengths in nm
    "depth (eV)": (0.3, 1.5), "log10 density (1/m3)": (24.0, 27.0), "relaxation energy (eV)": (0.01, 1.0),
    "mass": (0.3, 1.5), "barrier (eV)": (0.7, 1.3), "thickness (nm)": (4.0, 8.0), "gap (nm)": (0.0, 3.0),
    "extent (nm)": (0.5, 4.0), "log10 fixed charge (1/m3)": (25.0, 27.0),
}  # fmt: skip
MEASURED = {  # figure -> measured number, half width of the claim's tolerance: absolute, or a factor
    "reset slope, -4 V": (-0.26, 0.08), "reset slope, -2 V": (-0.51, 0.08), "set slope after -4 V": (0.954, 0.08),
    "set slope after -2 V": (0.338, 0.08), "growth after -4 V": (60.0, "x1.6"), "growth after -2 V": (7.7, "x1.6"),
    "memory": (7.4, "x1.6"),
}  # fmt: skip


PULSES = 1, 2, 5, 10, 25  # whose currents stand in the tables
WINDOW = "window of two resets"


class Set(NamedTuple):
    """Kind of the traps, and the values of BOUNDS."""

    kind: str
    values: tuple[float, ...]


def changes(traps: Set, reset: float) -> dict[str, object]:
    """Keys of interface.toml for a set, and for a voltage [V] of the resets."""
    depth, density, relaxation, mass, barrier, thickness, gap, extent, fixed = traps.values
    sheet = "device.traps[0]"
    return {
        f"{sheet}.kind": traps.kind, f"{sheet}.depth": depth, f"{sheet}.density": 10.0**density,
        f"{sheet}.relaxation_energy": relaxation, f"{sheet}.position": (gap + 0.5 * extent) * 1e-9,
        f"{sheet}.width": extent * 1e-9, "device.film.tunnelling_mass": mass, "device.left.barrier": barrier,
        "device.film.thickness": thickness * 1e-9, "device.film.fixed_charge": 10.0**fixed, "drive.parts[1].voltage": reset,
    }  # fmt: skip


def trains(traps: Set, reset: float, pulses: int = 25, rtol: float = COARSE) -> Trains:
    """Currents of a run [A], of the whole area. Raises SolverError."""
    by_key = changes(traps, reset) | {f"drive.parts[{part}].count": pulses for part in (1, 2)}
    by_key["numerics.rtol"] = rtol
    return trains_of(simulate_junction(load_case(HERE / "interface.toml").replace(by_key)))


def with_background(run: Trains, share: float) -> Trains:
    """Currents [A] of a share of the area beside the background."""
    return Trains(*(np.multiply(share, current) + BACKGROUND for current in run))


def share_of(run: Trains) -> float:
    """Share of the area with which the first read is START."""
    return (START - BACKGROUND) / run.start


def figures(deep: Trains, shallow: Trains) -> tuple[float, ...]:
    """Numbers of MEASURED, of the trains with resets of -4 and of -2 V."""
    slopes = [slope(run.reset) for run in (deep, shallow)] + [slope(run.set) for run in (deep, shallow)]
    growth = [float(run.set[-1] / run.reset[-1]) for run in (deep, shallow)]
    return (*slopes, *growth, float(shallow.set[-1] / deep.set[-1]))


COLUMNS = ("kind", *BOUNDS, "share", WINDOW, "rtol")


def row_of(traps: Set, rtol: float = COARSE) -> dict[str, str]:
    """A row of SETS, with the window of two resets of -4 V, of a set as its row has it. Raises SolverError."""
    values = values_of(traps)
    run = trains(set_of(values), RESETS[0], pulses=2, rtol=rtol)
    window = run.start / run.reset[-1]
    return values | {"share": f"{share_of(run):.3g}", WINDOW: f"{window:.4g}", "rtol": f"{rtol:g}"}


def drawn(number: int, seed: int = 59) -> list[Set]:
    """Sets of a Sobol sequence over BOUNDS and both kinds."""
    points = qmc.Sobol(len(BOUNDS) + 1, seed=seed).random(number)
    low, high = np.array(list(BOUNDS.values())).T
    return [
        Set("donor" if point[0] < 0.5 else "acceptor", tuple(map(float, low + (high - low) * point[1:])))
        for point in points
    ]


def set_of(row: dict[str, str]) -> Set:
    """The set of a row."""
    return Set(row["kind"], tuple(float(row[name]) for name in BOUNDS))


def strongest(rows: Sequence[dict[str, str]]) -> dict[str, str]:
    """Of the sets whose current a share of the area carries, the one whose resets change the current most."""
    possible = (row for row in rows if row["share"] and float(row["share"]) <= 1.0)
    return max(possible, key=lambda row: abs(np.log(float(row[WINDOW]))))


def rows_of(file: Path) -> list[dict[str, str]]:
    """Rows of a table below its comments; [] without the file."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def onset(before: float, first: float, last: float, number: int, width: float) -> float:
    """Time [s] after which a front of traps begins to move, if it is to change ln I as a train of pulses did.

    before, first, last : currents before the train, after its first pulse and after all of them
    number, width [s] : of the pulses. The front moves by ln(t / onset) / (2 kappa), and ln I with it, so
    ln(last / first) / ln(first / before) = ln(number) / ln(width / onset).
    """
    return float(width * np.exp(-np.log(number) * np.log(first / before) / np.log(last / first)))


def values_of(traps: Set) -> dict[str, str]:
    """The columns of a row that need no run."""
    return {"kind": traps.kind} | dict(zip(BOUNDS, (f"{value:.4g}" for value in traps.values), strict=True))


def write_row(traps: Set, file: Path) -> None:
    """Add the row of a set to a table, if its run ends within MOST_SECONDS of a processor."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    began = int(spent.ru_utime + spent.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (began + MOST_SECONDS[0], began + sum(MOST_SECONDS)))
    with contextlib.suppress(CaseError, SolverError):
        row = row_of(traps)
        if abs(np.log(float(row[WINDOW]))) > np.log1p(CHANGED):
            resource.setrlimit(resource.RLIMIT_CPU, (began + sum(MOST_SECONDS),) * 2)
            row = row_of(traps, FINE)
        write(row, file)


def write(row: Mapping[str, str], file: Path, columns: Sequence[str] = COLUMNS) -> None:
    """Add a row to a table."""
    with file.open("a", encoding="utf-8") as lines:
        table = csv.DictWriter(lines, columns, lineterminator="\n")
        if not lines.tell():
            table.writeheader()
        table.writerow(row)


def search(file: Path, most: int, next_set: Callable[[Sequence[dict[str, str]]], Set]) -> None:
    """Add rows to a table up to a number of them. A set whose run fails has its values alone.

    next_set : of the rows before it
    """
    trains(Set("donor", (0.9, 26.0, 0.3, 1.3, 0.99, 6.0, 0.3, 2.0, 25.2)), RESETS[0], pulses=2)  # loads the kernels
    while len(rows := rows_of(file)) < most:
        traps = next_set(rows)
        process = multiprocessing.get_context("fork").Process(target=write_row, args=(traps, file))
        process.start()
        process.join()
        if len(rows_of(file)) == len(rows):
            write(values_of(traps), file)


def train_of(row: dict[str, str], name: str) -> np.ndarray:
    """Currents (PULSES,) [A] of a train of a table: "reset" or "set"."""
    return np.array([float(row[f"{name} {number}"]) for number in PULSES])


def measured_trains() -> dict[float, dict[str, str]]:
    """Voltage of the resets [V] -> row of the measured trains, with sets of +1 V."""
    return {float(row["V_reset (V)"]): row for row in rows_of(TRAINS) if float(row["V_set (V)"]) == 1.0}


def of_vacancies(reset: float) -> Trains:
    """Currents [A] of `nb-sto-trains` with resets of a voltage [V]."""
    current = np.array([float(row[f"{reset:g} V"]) for row in rows_of(VACANCIES)])
    return Trains(float(current[0]), *np.split(current[1:], 2))


def trains_of_row(row: dict[str, str]) -> tuple[Trains, Trains]:
    """Currents [A] of the trains with each of RESETS, of a set on file with its share and the background."""
    deep, shallow = (with_background(trains(set_of(row), reset, rtol=FINE), float(row["share"])) for reset in RESETS)
    return deep, shallow


def picture(drawn_sets: Sequence[dict[str, str]], learnt: Sequence[dict[str, str]], traps: Sequence[Trains]) -> Figure:
    """Trains of resets and of sets, measured, by vacancies and by the nearest traps; and all sets of both searches.

    traps : of the resets of RESETS
    """
    measured_rows = measured_trains()
    with style():
        fig, axes = panels(3)
        for reset, colour, run in zip(RESETS, (BLUE, ORANGE), traps, strict=True):
            for panel, name in zip(axes, ("reset", "set"), strict=False):
                panel.plot(
                    PULSES, train_of(measured_rows[reset], name), "o", color=colour, label=f"{reset:g} V, measured"
                )
                for words, dashes, currents in (("vacancies", "-", of_vacancies(reset)), ("traps", "--", run)):
                    train = getattr(currents, name)
                    panel.plot(np.arange(1, len(train) + 1), train, dashes, color=colour, label=words)
                panel.set(xscale="log", yscale="log", xlabel=f"{name} pulses", ylabel="|current| at -1 V (A)")
        draw_sets(axes[2], drawn_sets, learnt)
        for panel in axes:
            legend(panel)
    return fig


def draw_sets(panel: Axes, drawn_sets: Sequence[dict[str, str]], learnt: Sequence[dict[str, str]]) -> None:
    """Share of the area that each set needs, against its window."""
    kinds = (("acceptor", "o", GREEN), ("donor", "s", GREY))
    groups = [([row for row in drawn_sets if row["kind"] == kind], f"{kind}s", *looks) for kind, *looks in kinds]
    for rows, words, marker, colour in (*groups, (learnt, "acceptors, second search", "^", ORANGE)):
        points = [(float(row[WINDOW]), float(row["share"])) for row in rows if row["share"]]
        panel.plot(*np.array(points).T, marker, color=colour, markersize=3, label=words)
    deep = measured_trains()[RESETS[0]]
    panel.axvline(float(deep["start"]) / float(deep["reset 2"]), color=BLUE, label="measured")
    panel.axhline(1.0, color=GREY, linestyle=":", label="the whole area")
    panel.set(xscale="log", yscale="log", xlabel="window of two resets of -4 V", ylabel="share of the area needed")


def main() -> None:
    """Search, keep the best, and draw."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", type=int, default=0, help="search until so many are on file")
    given = asked.parse_args()
    if given.sets:
        sets = drawn(given.sets)
        search(SETS, given.sets, lambda rows: sets[len(rows)])
    searches = rows_of(SETS), rows_of(NEAREST)
    runs = [trains_of_row(strongest(rows)) for rows in searches]
    columns = ("number", "measured:", "vacancies:", "traps, drawn:", "traps, second search:")
    vacancies = of_vacancies(RESETS[0]), of_vacancies(RESETS[1])
    values = ((value for value, _ in MEASURED.values()), *(figures(*run) for run in (vacancies, *runs)))
    table = [(name, *(f"{value:.3g}" for value in row)) for name, *row in zip(MEASURED, *values, strict=True)]
    measured.keep(HERE, "traps-interface", columns, table, command="python -m validation.traps.interface")
    save(picture(*searches, runs[1]), HERE / "interface.png")


if __name__ == "__main__":
    main()
