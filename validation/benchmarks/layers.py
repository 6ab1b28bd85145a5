"""python -m validation.layers.cost: what layers cost, in processor seconds: films of equal cells with and without, in turn.

One film of 100 equal cells beside two and four layers of the same material with as many equal cells in all, and two unlike
layers. The film is that of `rv-loop` without electrons, which moves vacancies and evaluates currents.
"""

import argparse
from time import process_time

import numpy as np

from otjdd.case.case import load_case
from otjdd.runs.run import simulate

CELLS, THICKNESS = 100, 2.8e-9
KEYS = ("permittivity", "fixed_charge", "tunnelling_mass")


def films(drive: str) -> dict:
    """Name -> case of each film, under the drive of a shipped case."""
    one = load_case(drive).replace({
        "device.film.electrons": "none", "device.film.cells": CELLS, "device.film.grading": 1.0,
        "device.film.thickness": THICKNESS, "columns.count": 1, "columns.spread": {},
    })  # fmt: skip
    film = one.plain()["device"]["film"]
    own = {key: film[key] for key in KEYS} | {"grading": 1.0}

    def layered(*changes):
        size = {"cells": CELLS // len(changes), "thickness": THICKNESS / len(changes)}
        return one.replace(
            {"device.film": {"layers": [own | size | change for change in changes], "electrons": "none"}}
        )

    unlike = {"band_offset": 0.1, "activation_energy": 0.5, "site_energy": -0.02, "tunnelling_mass": 0.6}
    return {
        "one film": one,
        "two alike": layered({}, {}),
        "four alike": layered({}, {}, {}, {}),
        "two unlike": layered({}, unlike),
    }


def seconds(cases: dict, rounds: int) -> dict:
    """Name -> processor seconds (rounds,) of runs in turn, after one that compiles and fills the caches."""
    spent = {name: [] for name in cases}
    for case in cases.values():
        simulate(case)
    for _ in range(rounds):
        for name, case in cases.items():
            start = process_time()
            simulate(case)
            spent[name].append(process_time() - start)
    return {name: np.array(times) for name, times in spent.items()}


def main() -> None:
    """Print the cost of each film over that of one material: least, and median of the rounds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--drive", default="rv-loop")
    given = options.parse_args()
    cases = films(given.drive)
    spent, steps = seconds(cases, given.rounds), {name: simulate(case).attrs for name, case in cases.items()}
    for name, times in spent.items():
        ratio, done = times / spent["one film"], steps[name]
        counts = f"{done['solver_accepted'] + done['solver_rejected']} steps, {done['solver_currents']} currents"
        least = times.min() / spent["one film"].min()
        print(f"{name:12} {times.min():.3f} s least, {least:.3f} and {np.median(ratio):.3f} of one film; {counts}")


if __name__ == "__main__":
    main()
