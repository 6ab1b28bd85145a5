"""Crossbars of compact models against the solver, and their cost.

letters: every cell of a crossbar on ideal lines is compared with a run of the solver under the voltages of that cell, and
so are the separate pixels of the claim array-letters. The difference has to be below the measured error of the compact
model. Without electrons in the film of li2019 that error is 0.037 decades for pulses of 50 ns, and the largest difference
is 0.033 decades (C 0.003, H 0.029, N 0.033). So a letter has the brightness of the solver to 8 %, and the compact model
cannot tell H from N, which differ by 1.4 %.
"""

import time
from collections.abc import Iterator

import numpy as np

import otjdd
from otjdd.case.case import load_case
from otjdd.claims.papers import load_claim, planned
from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.network import Crossbar, cells_of_devices
from otjdd.system import pool
from validation.benchmarks import programming
from validation.benchmarks.benchmark import Asked, Benchmark

READ, LATER = {"voltage": 0.1, "duration": 1e-6}, 25e-6  # V, s; s after the last pulse
IDEAL = 1e-3  # ohm, of the lines
SIZE, SEED = 64, 1


def letters(asked: Asked) -> Iterator[tuple[str]]:
    """How far cells and pixels are from the solver; it fails where that exceeds the error of the model."""
    workers = asked.workers
    claim = load_claim("array-letters")
    cases = {trial.name: trial.case for trial in planned(claim)}
    model = otjdd.compact(cases["h"], voltage=(-4.3, 2.2), time=(50e-9, 500.0), workers=workers)
    stated, worst = model.error["pulses of 50 ns"]
    print(f"stated error of the model for pulses of 50 ns: rms {stated:.3f}, worst {worst:.3f} decades")
    with pool.team(workers) as spread:
        for name, case in cases.items():
            cells = crossbar_reads(model, case, claim.settings[name])
            parts = {voltages: None for voltages in cells}
            jobs = [(case, history(case, voltages)) for voltages in parts]
            for (_, solved), voltages in zip(sorted(spread(last_read, jobs)), parts, strict=True):
                parts[voltages] = np.log10(np.array(cells[voltages]) / solved)
            off = np.concatenate([np.atleast_1d(each) for each in parts.values()])
            solved, told = otjdd.run(case).read_current.values, model.run(case.drive).read_current.values
            pixel = np.log10(told / solved)
            asked.failed |= max(np.abs(off).max(), np.abs(pixel).max()) > worst
            yield (
                f"{name.upper()}: 25 cells, {len(parts)} histories, off by {np.abs(off).max():.4f} decades at most; "
                f"pixels that do not touch, off by {np.abs(pixel).max():.4f}; current over that at rest, 25 us after: "
                f"{told[2] / told[0]:.3f} by the model, {solved[2] / solved[0]:.3f} by the solver",
            )


def train(case):
    """The pulses that write a letter."""
    return case.drive.parts[1]


def bar_of(model, word_lines: int, bit_lines: int, resistance: float) -> Crossbar:
    """A crossbar whose cells all are one device. resistance : [ohm] of its lines from cell to cell"""
    return Crossbar(
        cells_of_devices((model,), np.zeros(word_lines * bit_lines, int)), word_lines, bit_lines, resistance
    )


def crossbar_reads(model, case, pattern) -> dict[tuple, list[float]]:
    """Currents [A] of cells, read LATER: shares of the write voltage across a cell, for each word line -> such cells."""
    marked, of = np.array([[cell == "#" for cell in row] for row in pattern]), train(case)
    bar, states = bar_of(model, *marked.shape, IDEAL), model.states(marked.size)
    for word in np.flatnonzero(marked.any(axis=1)):
        chosen = np.zeros_like(marked)
        chosen[word] = marked[word]
        for _ in range(of.count):
            pulses.hold_drivers(bar, states, pulses.writing_drivers(chosen, of.voltage), of.width)
            model.hold(states, 0.0, of.period - of.width)
    model.hold(states, 0.0, LATER - READ["duration"])
    current = model.hold(states, READ["voltage"], READ["duration"]).reshape(marked.shape)
    found: dict = {}
    for i, j in np.ndindex(marked.shape):
        voltages = tuple(on_cell(marked, word, i, j) for word in np.flatnonzero(marked.any(axis=1)))
        found.setdefault(voltages, []).append(float(current[i, j]))
    return found


def on_cell(marked, word: int, i: int, j: int) -> float:
    """Share of the write voltage across cell i, j while a word line is written by half select."""
    return (1.0 if word == i else 0.5) - (0.0 if marked[word, j] else 0.5)


def history(case, shares: tuple) -> dict:
    """Drive of one junction: a train of pulses at each of these shares of the write voltage, and a read LATER."""
    of = train(case)
    parts = [
        {"kind": "train", "voltage": share * of.voltage, "width": of.width, "count": of.count, "period": of.period}
        for share in shares
    ]
    rest = {"kind": "hold", "voltage": 0.0, "duration": LATER, "reads_at": [LATER], "read": READ}
    return {"kind": "sequence", "parts": [*parts, rest]}


def last_read(case, drive: dict) -> float:
    """Current [A] of the last read of a run of the solver."""
    return float(otjdd.run(case, {"drive": drive, "record.every": "none"}).read_current.values[-1])


def cost(asked: Asked) -> Iterator[tuple[str]]:
    """Processor time to write a random pattern of half of all cells into 64 x 64 cells, and to scan them."""
    case = load_case("crossbar", {"ions.initial": {"history": [{"voltage": "-4.3 V", "duration": "100 ms"}]}})
    began = time.process_time()
    model = otjdd.compact(case, voltage=(-4.3, 2.2), time=(1e-6, 10.0), measure=False)
    print(f"extraction: {time.process_time() - began:.1f} s")
    marked = np.random.default_rng(SEED).random((SIZE, SIZE)) < 0.5
    small = np.eye(1, 4, dtype=bool).reshape(2, 2)
    pulses.hold_drivers(
        bar_of(model, 2, 2, 1.0), model.states(4), pulses.writing_drivers(small, 2.2), 1e-6
    )  # loads the kernels
    for line in (0.1, 2.0):
        for width in (1e-6, 1e-4):
            bar, states, first = bar_of(model, SIZE, SIZE, line), model.states(SIZE * SIZE), 0.0
            began = time.process_time()
            for word in range(SIZE):
                chosen = np.zeros_like(marked)
                chosen[word] = marked[word]
                first = pulses.hold_drivers(bar, states, pulses.writing_drivers(chosen, 2.2), width, first=first).step
            took, began = time.process_time() - began, time.process_time()
            for word in range(SIZE):
                pulses.hold_drivers(bar, states, pulses.reading_drivers(bar, 0.1, word), 1e-6)
            yield (
                f"{SIZE} x {SIZE} cells, lines of {line:g} ohm, {width:g} s at 2.2 V: written in {took:.1f} s, "
                f"scanned in {time.process_time() - began:.1f} s",
            )


BENCHMARKS = {
    "letters": Benchmark("does each cell of a crossbar follow the solver?", letters),
    "time": Benchmark("how long does a write into 64 x 64 cells take?", cost),
    "programmed": Benchmark("what does write-verify cost?", programming.cost, programming.COST),
    "followed": Benchmark("does the solver agree with programmed cells?", programming.error, programming.ERROR),
}
