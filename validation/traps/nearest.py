"""python -m validation.traps.nearest [--sets N]: a second search, for traps near memory with the measured current.

The sets of `interface` are drawn at random. Here a set follows from those before it, by differential evolution: the
difference of two good sets is added to a third one. The first sets, STARTS, were chosen with results in view: traps without
charge, of which a run takes 0.1 s, were searched for a filling that resets change, at a share of the area of at most 1.
data/interface-nearest.csv has all runs.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from validation.traps import interface
from validation.traps.interface import BOUNDS, WINDOW, Set

BOUNDS_HERE = BOUNDS | {
    "thickness (nm)": (4.0, 10.0),
    "gap (nm)": (0.0, 9.0),
    "log10 fixed charge (1/m3)": (25.0, 27.0),
}
FIRST, SECOND = (0.467, 0.0149, 0.475, 1.10, 5.44), (0.459, 0.0175, 0.495, 1.14, 5.22)  # depth to thickness of two sets
STARTS = tuple(
    Set("acceptor", (depth, density, relaxation, mass, barrier, thickness, thickness - extent, extent, fixed))
    for (depth, relaxation, mass, barrier, thickness), density, extent, fixed in (
        (FIRST, 26.3, 1.0, 26.5), (FIRST, 26.3, 1.0, 26.55), (SECOND, 26.3, 1.0, 26.6),
        (FIRST, 26.3, 2.0, 26.5), (FIRST, 26.3, 2.0, 26.55), (SECOND, 26.3, 2.0, 26.6),
        (FIRST, 26.5, 2.0, 26.5), (FIRST, 26.5, 2.0, 26.55), (FIRST, 26.6, 2.0, 26.6), (FIRST, 26.7, 2.0, 26.65),
    )
)  # fmt: skip
ASKED = 180.0  # window of two resets that was measured
SHARE = 1e-6, 1.0  # of the area: a spot 13 nm wide, and all of it
PARENTS = 8  # best sets, from which new ones come


def distance(row: dict[str, str]) -> float:
    """How far a row is from memory with the measured current; inf where the run failed or the change has another sign."""
    if not row["share"] or float(row[WINDOW]) <= 1.0:
        return np.inf
    share = np.log10(float(row["share"]))
    outside = max(0.0, share - np.log10(SHARE[1]), np.log10(SHARE[0]) - share)
    return float(np.log(np.log(ASKED) / np.log(float(row[WINDOW]))) + 2.0 * outside)


def next_set(rows: Sequence[dict[str, str]]) -> Set:
    """The set after those of a table, the same for the same rows: one of STARTS, then a child of the PARENTS nearest."""
    if len(rows) < len(STARTS):
        return STARTS[len(rows)]
    low, high = np.array(list(BOUNDS_HERE.values())).T
    random = np.random.default_rng([59, len(rows)])
    nearest = sorted(rows, key=distance)[:PARENTS]
    points = (np.array([interface.set_of(row).values for row in nearest]) - low) / (high - low)
    first, second, third = random.choice(PARENTS, 3, replace=False)
    moved = random.random(len(low)) < 0.6
    child = points[first] + moved * (random.uniform(0.2, 1.2) * (points[second] - points[third]))
    child += random.normal(0.0, random.choice([0.005, 0.03]), len(low)) * (random.random(len(low)) < 0.5)
    child = np.clip(1.0 - np.abs(1.0 - np.abs(child)), 0.0, 1.0)
    values = dict(zip(BOUNDS, low + (high - low) * child, strict=True))
    values["gap (nm)"] = min(values["gap (nm)"], values["thickness (nm)"] - 0.5)
    values["extent (nm)"] = min(values["extent (nm)"], values["thickness (nm)"] - values["gap (nm)"])
    return Set("acceptor", tuple(map(float, values.values())))


def main() -> None:
    """Search until so many sets are on file, and print the nearest."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", type=int, default=0, help="search until so many are on file")
    given = asked.parse_args()
    interface.search(interface.NEAREST, given.sets, next_set)
    for row in sorted(interface.rows_of(interface.NEAREST), key=distance)[:PARENTS]:
        print(f"{distance(row):.3f}", *row.values())


if __name__ == "__main__":
    main()
