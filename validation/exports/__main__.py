"""Run the exports of a compact model in the programs for which they are written.

python -m validation.exports aihwkit DIR     the preset in a real tile of aihwkit, against the update rule of the tests
python -m validation.exports scatter DIR     its scatter in a real tile, and that of CrossSim's device, against the solver
python -m validation.exports crosssim DIR    products of CrossSim's core, against sums of currents of the solver
python -m validation.exports neurosim DIR CHECKOUT    the example of a checkout of MLP+NeuroSim, with the exported cell

DIR is the output folder of `otjdd compact CASE -o DIR`, for `scatter` with `--noise`. The last two keep what they find in
measured.json and on the page of networks. aihwkit 1.1 needs torch 2.10,
aihwkit 1.2 torch 2.15: pip install --only-binary=:all: aihwkit==1.1.0 torch==2.10.0 torchvision==0.25.0. CrossSim and
NeuroSim are in no package registry: of CrossSim,
a checkout on PYTHONPATH (github.com/sandialabs/cross-sim) is tried; the tests execute the text of their exports.
"""

import runpy
import sys
from pathlib import Path

import numpy as np

from otjdd.compact_models.exports import aihwkit
from otjdd.compact_models.exports.pulses import pulse_cycle
from otjdd.compact_models.model import CompactModel
from validation import measured
from validation.exports import crosssim, neurosim, noise

HERE, PAGE = Path(__file__).parent, "../../cases/networks.md"
STARTS, PULSES = 9, 20  # initial weights between -0.8 and 0.8; pulses of either sign
WORST = 1e-5  # largest error of a weight: round-off of single precision over 40 pulses


def main(arguments: list[str]) -> int:
    """Exit code of a command line."""
    count = {"aihwkit": 2, "scatter": 2, "crosssim": 2, "neurosim": 3}
    if not arguments or len(arguments) != count.get(arguments[0]):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[1])
    if arguments[0] == "scatter":
        return scatter(folder)
    if arguments[0] == "neurosim":
        return trained(folder, Path(arguments[2]))
    try:
        if arguments[0] == "crosssim":
            return products(folder)
        weights = tile(folder)
    except ImportError as error:
        print(f"{arguments[0]} is not installed here ({error})", file=sys.stderr)
        return 1
    worst = float(np.abs(weights - rule(folder)).max())
    print(f"{2 * PULSES} pulses on {STARTS} weights: a real tile and the update rule are {worst:.2g} apart at most")
    return 0 if worst < WORST else 8


def scatter(folder: Path) -> int:
    """Exit code of the scatter of what is installed here: 1 for neither."""
    rows = []
    for program, rows_of in (("aihwkit", noise.tile_rows), ("CrossSim", noise.crosssim_rows)):
        try:
            rows += rows_of(folder)
        except ImportError as error:
            print(f"{program} is not installed here ({error})", file=sys.stderr)
    return noise.report(rows) if rows else 1


def products(folder: Path) -> int:
    """Exit code of products of CrossSim's core, which are kept. Raises ImportError."""
    rows = crosssim.rows(folder, crosssim.solved_states(folder))
    print(*("  ".join(row) for row in rows), sep="\n")
    columns = "input", "CrossSim:", "conductance times voltage:"
    measured.keep(HERE, "crosssim", columns, rows, command="python -m validation.exports crosssim DIR", readme=PAGE)
    return 0


def trained(folder: Path, checkout: Path) -> int:
    """Exit code of the example of NeuroSim with its own cell, ideal ones, and the exported one; rows are kept."""
    block = (folder / "neurosim/cell.txt").read_text()
    for name, device, numbers in (
        ("the exported cell", "RealDevice", block), ("ideal, with its range and levels", "IdealDevice", block),
        ("the cell of the example", "RealDevice", ""), ("the ideal cell of the example", "IdealDevice", ""),
    ):  # fmt: skip
        row = name, *neurosim.outcome(checkout, device, numbers).row
        print("  ".join(row), flush=True)
        command = "python -m validation.exports neurosim DIR CHECKOUT"
        measured.keep(HERE, "neurosim", neurosim.COLUMNS, [row], command=command, readme=PAGE)
    return 0


def starts() -> np.ndarray:
    """Initial weights (STARTS,)."""
    return np.linspace(-0.8, 0.8, STARTS)


def rule(folder: Path) -> np.ndarray:
    """Weights (2 PULSES, STARTS) after each pulse, by the update rule."""
    steps, w, found = aihwkit.steps(pulse_cycle(CompactModel.load(folder / "model.nc"))), starts(), []
    for up in [True] * PULSES + [False] * PULSES:
        w = aihwkit.updated(steps, w, up)
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
