"""Run the exports of a compact model in the programs for which they are written.

Words of the command: the output folder of `otjdd compact CASE -o DIR`, for `scatter` with `--noise`. aihwkit 1.1 needs
torch 2.10, aihwkit 1.2 torch 2.15: pip install --only-binary=:all: aihwkit==1.1.0 torch==2.10.0 torchvision==0.25.0.
CrossSim and NeuroSim are in no package registry: of CrossSim, a checkout on PYTHONPATH (github.com/sandialabs/cross-sim) is
tried, of NeuroSim the command names one; the tests execute the text of their exports.
"""

import runpy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from otjdd.compact_models.exports import python_devices
from otjdd.compact_models.exports.pulses import pulse_cycle
from otjdd.compact_models.model import CompactModel
from validation.benchmarks import crosssim, neurosim, noise
from validation.benchmarks.benchmark import NETWORKS, Asked, Benchmark

STARTS, PULSES = 9, 20  # initial weights between -0.8 and 0.8; pulses of either sign
WORST = 1e-5  # largest error of a weight: round-off of single precision over 40 pulses


def updates(asked: Asked) -> Iterator[tuple[str]]:
    """The preset in a real tile of aihwkit against the update rule of the tests."""
    folder = Path(asked.words[0])
    worst = float(np.abs(tile(folder) - rule(folder)).max())
    asked.failed = worst >= WORST
    yield (f"{2 * PULSES} pulses on {STARTS} weights: a real tile and the update rule are {worst:.2g} apart at most",)


def scatter(asked: Asked) -> Sequence:
    """Scatter of what is installed here against the solver; fails where one is more than a fifth away, or for neither."""
    rows = []
    for program, rows_of in (("aihwkit", noise.tile_rows), ("CrossSim", noise.crosssim_rows)):
        try:
            rows += rows_of(Path(asked.words[0]))
        except ImportError as error:
            print(f"{program} is not installed here ({error})", file=sys.stderr)
    asked.failed = not rows or noise.report(rows) > 0
    return ()


def products(asked: Asked) -> list[tuple[str, ...]]:
    """Products of CrossSim's core against sums of currents of the solver. Raises ImportError."""
    folder = Path(asked.words[0])
    return crosssim.rows(folder, crosssim.solved_states(folder))


def trained(asked: Asked) -> Iterator[tuple[str, ...]]:
    """The example of NeuroSim with its own cell, ideal ones, and the exported one."""
    folder, checkout = map(Path, asked.words)
    block = (folder / "neurosim/cell.txt").read_text()
    for name, device, numbers in (
        ("the exported cell", "RealDevice", block), ("ideal, with its range and levels", "IdealDevice", block),
        ("the cell of the example", "RealDevice", ""), ("the ideal cell of the example", "IdealDevice", ""),
    ):  # fmt: skip
        yield name, *neurosim.outcome(checkout, device, numbers).row


def starts() -> np.ndarray:
    """Initial weights (STARTS,)."""
    return np.linspace(-0.8, 0.8, STARTS)


def rule(folder: Path) -> np.ndarray:
    """Weights (2 PULSES, STARTS) after each pulse, by the update rule."""
    steps, w, found = python_devices.steps(pulse_cycle(CompactModel.load(folder / "model.nc"))), starts(), []
    for up in [True] * PULSES + [False] * PULSES:
        w = python_devices.after_one_pulse(steps, w, up)
        found.append(w)
    return np.array(found)


def tile(folder: Path) -> np.ndarray:
    """The same in a real tile with one output and STARTS inputs; each update gives each input one pulse."""
    import torch
    from aihwkit.simulator.configs import SingleRPUConfig, UpdateParameters
    from aihwkit.simulator.tiles import AnalogTile

    device = runpy.run_path(str(folder / "aihwkit_preset.py"))["otj_device"]()
    once = UpdateParameters(desired_bl=1, fixed_bl=True, update_management=False, update_bl_management=False)
    rpu = AnalogTile(1, STARTS, SingleRPUConfig(device=device, update=once))
    rpu.tile.set_weights(torch.tensor(starts()[None, :], dtype=torch.float32))
    rpu.set_learning_rate(4.0 * device.dw_min)  # a pulse has the probability lr/dw_min: above 1 none is left out
    found = []
    for up in [True] * PULSES + [False] * PULSES:
        rpu.update(torch.ones(1, STARTS), torch.full((1, 1), -1.0 if up else 1.0))
        found.append(rpu.tile.get_weights()[0].numpy())
    return np.array(found)


PRODUCTS = "input", "CrossSim:", "conductance times voltage:"
BENCHMARKS = {
    "aihwkit": Benchmark("does a tile of aihwkit follow the update rule?", updates, words="DIR"),
    "scatter": Benchmark("do aihwkit and CrossSim have the scatter of the solver?", scatter, words="DIR"),
    "crosssim": Benchmark(
        "are products of CrossSim those of the solver?", products, PRODUCTS, page=NETWORKS, words="DIR"
    ),
    "neurosim": Benchmark(
        "what does NeuroSim say of the exported cell?", trained, neurosim.COLUMNS, page=NETWORKS, words="DIR CHECKOUT"
    ),
}
