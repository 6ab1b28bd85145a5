"""Products of CrossSim's core with the exported device, against the currents of the solver.

The solver takes a junction through pulses and reads it after each at several voltages. A product is the sum of its currents
in the states of a row of the matrix, less those in the lowest state: a weight is the difference of two junctions.
"""

import runpy
from pathlib import Path
from typing import NamedTuple

import numpy as np

import otjdd
from otjdd.case.case import parse_case
from otjdd.compact_models.exports.pulses import default_train
from otjdd.compact_models.model import CompactModel

VOLTAGES = np.array(
    [0.1, 0.07, 0.03, -0.03, -0.07, -0.1]
)  # of inputs; the table of the device has no node at 0.07 and 0.03
READ = 1e-6  # s
PULSES = 20  # up, down and up again
OUTPUTS, INPUTS, SEED = 8, 32, 1


class States(NamedTuple):
    """States of a junction in the solver."""

    conductance: np.ndarray  # (3 PULSES,) S at 0.1 V, ascending
    current: np.ndarray  # (3 PULSES, V) A at VOLTAGES

    def currents(self, conductance: np.ndarray, at: int) -> np.ndarray:
        """Currents [A] of states of these conductances at a voltage, by its index."""
        ln_current = np.log(np.abs(self.current[:, at]))
        return np.sign(VOLTAGES[at]) * np.exp(np.interp(np.log(conductance), np.log(self.conductance), ln_current))


def solved_states(folder: Path) -> States:
    """The states of the junction of a compact model after each of its pulses."""
    model = CompactModel.load(folder / "model.nc")
    train = default_train(model.limits)
    steps = [pulse for pulse in (train.up, train.down, train.up) for _ in range(PULSES)]
    now, points, reads = 0.0, [[0.0, 0.0]], []
    for voltage, width in steps:
        for level, lasting in ((voltage, width), *((V, READ) for V in VOLTAGES)):
            points += [[now, float(level)], [now + lasting, float(level)]]
            now += lasting
            reads.append(now)
    drive = {"kind": "table", "points": points, "reads_at": [t for n, t in enumerate(reads) if n % (1 + VOLTAGES.size)]}
    case = parse_case(str(model.about["case_resolved"]), folder, file="model.nc", allow_outside=True)
    solved = otjdd.run(case, {"drive": drive, "record.every": "none"}).read_current.values.reshape(-1, VOLTAGES.size)
    solved = solved[np.argsort(solved[:, 0])]
    return States(solved[:, 0] / VOLTAGES[0], solved)


def rows(folder: Path) -> list[tuple[str, ...]]:
    """For each input voltage the deviation of products (rms, of their rms): of CrossSim, and of conductance times voltage.

    Raises ImportError without CrossSim.
    """
    from simulator import AnalogCore

    states, exported = solved_states(folder), runpy.run_path(str(folder / "crosssim_device.py"))
    device = exported["otj_parameters"]().xbar.device
    low, high = 1.0 / device.Rmax, 1.0 / device.Rmin
    inside = np.clip(states.conductance, low, high)
    rng, table = np.random.default_rng(SEED), []
    chosen = rng.choice(inside, (OUTPUTS, INPUTS))
    weights = rng.choice([-1.0, 1.0], (OUTPUTS, INPUTS)) * (chosen - low) / (high - low)
    core = AnalogCore(weights, params=exported["otj_parameters"]())
    for at, voltage in enumerate(VOLTAGES):
        on = (rng.random(INPUTS) < 0.5).astype(float)
        product = core @ (on * voltage / device.Vread)
        through = np.sign(weights) * (states.currents(chosen, at) - states.currents(np.full_like(chosen, low), at))
        solver = (on * through).sum(axis=1) / ((high - low) * device.Vread)
        ohmic = weights @ (on * voltage / device.Vread)
        scale = np.sqrt((solver**2).mean())
        off, bare = (float(np.sqrt(((each - solver) ** 2).mean()) / scale) for each in (product, ohmic))
        table.append((f"{voltage:g} V", f"{off:.2g}", f"{bare:.2g}"))
    return table
