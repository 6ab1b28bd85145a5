"""Errors of a compact model of two varied keys in the middles between its nodes, against the solver.

python -m validation.compact.vary [--update]

One column of li2019 on 48 cells, at three values of the thickness and three of a barrier. In each of the four middles run
the drives under which every model states its error there: three trains of flat pulses and one of pulses with ramps.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from otjdd.case.case import Case, load_case
from otjdd.compact_models import build, error
from otjdd.compact_models.axes import middles
from otjdd.compact_models.model import CompactModel
from validation import measured

HERE = Path(__file__).parent
CHANGES = {"columns.count": 1, "device.film.cells": 48}
VARY = {"device.film.thickness": ("2.6 nm", "3.0 nm"), "device.left.barrier": ("0.5743 eV", "0.6743 eV")}
COLUMNS = ["between the nodes", "flat pulses, rms:", "pulses with ramps, rms:", "worst:", "reads:"]
MET = 0.1  # decades, rms


def main() -> int:
    """Exit code of the command line: 8 where a middle is off by more than MET."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="keep the numbers in measured.json and measured.md")
    update = parser.parse_args().update
    case, began = load_case("li2019", CHANGES), time.process_time()
    model = build.compact(case, vary=VARY, measure=False)
    print(f"{len(model.nodes)} extractions: {time.process_time() - began:.0f} s of a processor", flush=True)
    rows = [row(model, case, point) for point in middles(model.axes)]
    print(*(" | ".join(map(measured.cell, cells)) for cells in rows), sep="\n")
    if update:
        measured.keep(
            HERE, "vary", COLUMNS, rows, command="python -m validation.compact.vary --update", readme=measured.ONE_PAGE,
        )  # fmt: skip
    return 8 if max(max(flat, ramped) for _, flat, ramped, *_ in rows) > MET else 0


def row(model: CompactModel, case: Case, point: tuple[float, ...]) -> list:
    """Cells of a middle: deviations [decades] of the reads after flat pulses and after pulses with ramps."""
    keys = [axis.key for axis in model.axes]
    there, between = case.replace(dict(zip(keys, point, strict=True))), model.at_point(point)
    off: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for name, (place, drives) in error.drives_at(model.limits, model.axes).items():
        for drive in drives if place == point else ():
            solved, _ = error.solved_reads(there, drive)
            predicted = between.predicted(error.with_drive(there, drive).drive).read_current.values
            off[name.startswith(error.RAMPED)].append(np.log10(predicted / solved))
    flat, ramped = (np.concatenate(off[with_ramps]) for with_ramps in (False, True))
    every = np.concatenate((flat, ramped))
    rms = [float(np.sqrt((part**2).mean())) for part in (flat, ramped)]
    name = ", ".join(map(error.place, model.axes, point))
    return [name, *rms, float(np.abs(every).max()), every.size]


if __name__ == "__main__":
    raise SystemExit(main())
