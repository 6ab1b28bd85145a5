"""Write-verify of crossbars: what it costs, and what the solver says of cells that the compact model has programmed.

Cost: all cells of a large array. Error: a word line of a few cells on ideal lines is programmed without noise. The solver
then follows each cell under the voltages that it saw, pulse by pulse, and the last reads are compared.
"""

import time
from collections.abc import Iterator

import numpy as np

import otjdd
from otjdd.case.case import load_case
from otjdd.case.crossbar import targets_of
from otjdd.compact_models.crossbars import models, simulate
from otjdd.system import pool
from validation.benchmarks.benchmark import HERE, Asked

CASE = HERE / "program.toml"
LOWEST, HIGHEST = 10.0, 100.0  # nS, of the targets
FEW = 6  # cells of the word line that the solver follows
IDEAL = "1 mohm"  # of its lines
VARIANTS = {  # row -> changes of the case
    "cells alike, without noise": {},
    "cells alike, single ions": {"ions.noise": "shot"},
}
COST = (
    "64 x 64 cells", "pulses a cell, median (most):", "cells missed:", "median error:", "energy of the pulses:",
    "time of the array:", "processor time:",
)  # fmt: skip
ERROR = "target", "pulses:", "model over target:", "solver over target:", "solver over model, decades:"


def cost(asked: Asked) -> Iterator[tuple[str, ...]]:
    """Program all cells of the case in each variant: rows of what it took."""
    for name, changes in VARIANTS.items():
        case = load_case(CASE, changes | {"drive.parts[0].targets": ramp(64, 64)})
        began = time.process_time()
        at = otjdd.run(case).isel(step=1)
        took = time.process_time() - began
        pulses, error = at.program_pulses.values, np.abs(at.program_error.values)
        yield (
            name, f"{np.median(pulses):g} ({pulses.max():g})", f"{int(at.program_missed.values.sum())} of {pulses.size}",
            f"{100.0 * np.median(error):.2g} %", f"{at.program_energy.values.sum() / 1e-6:.3g} uJ",
            f"{float(at.step_time) / 1e-3:.3g} ms", f"{took:.0f} s",
        )  # fmt: skip


def error(asked: Asked) -> Iterator[tuple[str, ...]]:
    """Program a word line of a few cells and let the solver follow each: rows of both reads."""
    few = {"crossbar.word_lines": 1, "crossbar.bit_lines": FEW, "crossbar.line_resistance": IDEAL}
    case = load_case(CASE, few | {"drive.parts[0].targets": ramp(1, FEW)})
    running = simulate.begun_crossbar(models.crossbar_of(case), case.drive)
    part = case.drive.parts[0]
    targets = targets_of(part.targets, running.crossbar.shape)
    programming = simulate.Programming(running.crossbar, running.scheme, running.states, part, targets)
    steps = [(held.voltage[0].copy(), lasted) for held, lasted in programming.run()]
    jobs = [(case, [(float(V[i]), lasted) for V, lasted in steps]) for i in range(FEW)]
    with pool.team(asked.workers) as spread:
        solved = dict(spread(last_conductance, jobs))
    for i, target in enumerate(programming.target[0]):
        model, solver = programming.conductance[0, i] / target, solved[i] / target
        yield (
            f"{target / 1e-9:.3g} nS", f"{programming.pulses[0, i]:g}", f"{model:.3f}", f"{solver:.3f}",
            f"{np.log10(solver / model):+.3f}",
        )  # fmt: skip


def ramp(words: int, bits: int) -> list[list[str]]:
    """Targets of an array, even in their logarithms from LOWEST to HIGHEST along both lines together."""
    place = np.add.outer(np.arange(words), np.arange(bits)) / (words + bits - 2)
    return [[f"{LOWEST * (HIGHEST / LOWEST) ** share:.6g} nS" for share in row] for row in place]


def last_conductance(case, steps: list[tuple[float, float]]) -> float:
    """Conductance [S] at the end of the last of these steps (voltage [V], duration [s]), by a run of the solver."""
    times = np.concatenate(([0.0], np.cumsum([lasted for _, lasted in steps]))).tolist()
    points = [[time, V] for n, (V, _) in enumerate(steps) for time in times[n : n + 2]]
    drive = {"kind": "table", "points": points, "reads_at": [times[-1]]}
    alone = case.model_copy(update={"crossbar": None}).replace({
        "drive": drive, "record.every": "none", "device.radius": case.crossbar.cells.radius,
    })  # fmt: skip
    return 1.0 / float(otjdd.run(alone).read_resistance.values[-1])
