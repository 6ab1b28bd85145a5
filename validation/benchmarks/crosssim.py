"""Products of CrossSim's core with the exported device, against the currents of the solver.

The solver takes a junction through pulses and reads it after each at several voltages. A product is the sum of its currents
in the states of a row of the matrix, less those in the lowest state: a weight is the difference of two junctions.
"""

import runpy
from pathlib import Path
from typing import NamedTuple

import numpy as np

import otjdd
from otjdd.case.case import Case, parse_case
from otjdd.compact_models import error
from otjdd.compact_models.exports.pulses import default_train, pulse_cycle
from otjdd.compact_models.model import CompactModel

VOLTAGES = np.array(
    [0.1, 0.07, 0.03, -0.03, -0.07, -0.1]
)  # of inputs; the table of the device has no node at 0.07 and 0.03
READ = 1e-6  # s
PULSES = 20  # up, down and up again
OUTPUTS, INPUTS, SEED = 8, 32, 1


class States(NamedTuple):
    """States of a junction."""

    conductance: np.ndarray  # (3 PULSES,) S at 0.1 V, ascending
    current: np.ndarray  # (3 PULSES, V) A at VOLTAGES

    def currents(self, conductance: np.ndarray, at: int) -> np.ndarray:
        """Currents [A] of states of these conductances at a voltage, by its index."""
        ln_current = np.log(np.abs(self.current[:, at]))
        return np.sign(VOLTAGES[at]) * np.exp(np.interp(np.log(conductance), np.log(self.conductance), ln_current))


def pulsed(model: CompactModel, folder: Path) -> Case:
    """The case of a compact model under its pulses, read after each at VOLTAGES."""
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
    return error.with_drive(case, drive)


def states_of(reads: np.ndarray) -> States:
    """States in which these currents (3 PULSES V,) [A] were read."""
    by_state = reads.reshape(-1, VOLTAGES.size)
    by_state = by_state[np.argsort(by_state[:, 0])]
    return States(by_state[:, 0] / VOLTAGES[0], by_state)


def solved_states(folder: Path) -> States:
    """The states of the junction of a compact model after each of its pulses, in the solver."""
    return states_of(otjdd.run(pulsed(CompactModel.load(folder / "model.nc"), folder)).read_current.values)


def model_states(folder: Path) -> States:
    """The same in the compact model, which begins in the closed cycle of pulses that the exported device stands for."""
    model = CompactModel.load(folder / "model.nc")
    down, _ = np.split(pulse_cycle(model).states, 2)
    return states_of(model.predicted(pulsed(model, folder).drive, down[-1]).read_current.values)


def rows(folder: Path, states: States) -> list[tuple[str, ...]]:
    """For each input voltage the deviation of products (rms, over their rms): CrossSim's, and conductance times voltage.

    states : whose currents make the products to compare with
    Raises ImportError without CrossSim.
    """
    from simulator import AnalogCore

    exported = runpy.run_path(str(folder / "crosssim_device.py"))
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
        exact = (on * through).sum(axis=1) / ((high - low) * device.Vread)
        ohmic = weights @ (on * voltage / device.Vread)
        scale = np.sqrt((exact**2).mean())
        off, bare = (float(np.sqrt(((products - exact) ** 2).mean()) / scale) for products in (product, ohmic))
        table.append((f"{voltage:g} V", f"{off:.2g}", f"{bare:.2g}"))
    return table
