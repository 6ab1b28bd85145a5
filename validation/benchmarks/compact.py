"""Compact models against the solver: of ten junctions under random pulses with ramps, and of one between nodes of two keys.

Each junction of junctions.toml, or of those whose names begin with the words of the command, is extracted at 300 K and at
350 K, for 20 ns to 1e4 s. Trains of 20 pulses of random height, sign, width, rise, fall and rest begin with a set and a
reset; a read at 0.1 V follows each pulse. Their seed is not that of the error that a model states. A junction is met where
log10 of predicted over solved current is 0.1 at most (root mean square).

Two keys: one column of li2019 on 48 cells, at three values of the thickness and three of a barrier. In each of the four
middles run the drives under which every model states its error there.
"""

import time
import tomllib
from collections.abc import Iterator
from typing import Any

import numpy as np

import otjdd
from otjdd.case.case import Case, load_case
from otjdd.compact_models import build, error
from otjdd.compact_models.axes import middles_of_nodes
from otjdd.compact_models.model import CompactModel
from otjdd.errors import OtjddError
from validation.benchmarks.benchmark import HERE, Asked, Benchmark

TEMPERATURES = 300.0, 350.0  # K
TRAINS, SEED = 4, 71
MET = 0.1  # decades, rms
CHANGES = {"columns.count": 1, "device.film.cells": 48}
VARY = {"device.film.thickness": ("2.6 nm", "3.0 nm"), "device.left.barrier": ("0.5743 eV", "0.6743 eV")}
BETWEEN = ["between the nodes", "flat pulses, rms:", "pulses with ramps, rms:", "worst:", "reads:"]
COLUMNS = ["junction", "K", "rms:", "95 % within:", "worst:", "processor s:", "met"]


def rows(asked: Asked) -> Iterator[list]:
    """A row for each junction and temperature; it fails where more than 2 of 10 junctions are missed."""
    missed = set()
    for junction in tomllib.loads((HERE / "junctions.toml").read_text())["junction"]:
        if not asked.words or junction["name"].startswith(tuple(asked.words)):
            for kelvin in TEMPERATURES[: 1 if asked.quick else None]:
                yield (cells := row(junction, kelvin))
                missed |= {cells[0]} if cells[-1] != "yes" else set()
    asked.failed = len(missed) > 2


def row(junction: dict[str, Any], kelvin: float) -> list:
    """Cells of a junction at a temperature [K]; the reason where it has no model."""
    case = load_case(junction["case"], junction["changes"]).replace(temperature=kelvin)
    began = time.process_time()
    try:
        model = otjdd.compact(case, voltage=tuple(junction["voltage"]), measure=False)
    except OtjddError as failure:
        return [junction["name"], f"{kelvin:g}", "", "", "", "", f"no model: {failure}"]
    lasted = time.process_time() - began
    off = np.abs(deviations(model, case))
    rms = float(np.sqrt((off**2).mean()))
    return [
        junction["name"], f"{kelvin:g}", rms, float(np.quantile(off, 0.95)), float(off.max()), lasted,
        "yes" if rms <= MET else "no",
    ]  # fmt: skip


def deviations(model: CompactModel, case: Case) -> np.ndarray:
    """log10 of predicted over solved currents of all reads of the trains."""
    rng, off = np.random.default_rng(SEED), []
    for _ in range(TRAINS):
        drive = error.ramped_train(rng, model.limits)
        solved, _ = error.solved_reads(case, drive)
        off.append(np.log10(model.predicted(error.with_drive(case, drive).drive).read_current.values / solved))
    return np.concatenate(off)


def varied(asked: Asked) -> Iterator[list]:
    """A row for each of the four middles; it fails where one is off by more than MET."""
    case, began = load_case("li2019", CHANGES), time.process_time()
    model = build.compact(case, vary=VARY, measure=False)
    print(f"{len(model.nodes)} extractions: {time.process_time() - began:.0f} s of a processor", flush=True)
    for point in middles_of_nodes(model.axes):
        yield (cells := between(model, case, point))
        asked.failed |= max(cells[1:3]) > MET


def between(model: CompactModel, case: Case, point: tuple[float, ...]) -> list:
    """Cells of a middle: deviations [decades] of the reads after flat pulses and after pulses with ramps."""
    keys = [axis.key for axis in model.axes]
    there, at_point = case.replace(dict(zip(keys, point, strict=True))), model.at_point(point)
    off: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for name, (place, drives) in error.drives_at(model.limits, model.axes).items():
        for drive in drives if place == point else ():
            solved, _ = error.solved_reads(there, drive)
            predicted = at_point.predicted(error.with_drive(there, drive).drive).read_current.values
            off[name.startswith(error.RAMPED)].append(np.log10(predicted / solved))
    flat, ramped = (np.concatenate(off[with_ramps]) for with_ramps in (False, True))
    every = np.concatenate((flat, ramped))
    rms = [float(np.sqrt((part**2).mean())) for part in (flat, ramped)]
    name = ", ".join(map(error.place_of_axis, model.axes, point))
    return [name, *rms, float(np.abs(every).max()), every.size]


BENCHMARKS = {
    "compact": Benchmark(
        "do compact models of ten junctions follow the solver?", rows, COLUMNS, 2, words="[JUNCTION ...]"
    ),
    "vary": Benchmark("and one between the nodes of two varied keys?", varied, BETWEEN),
}
