"""The device as a module for CrossSim 3, with a table of its current over conductance and voltage."""

from typing import NamedTuple

import numpy as np

from otjdd.compact_models.exports.functions import export_header, filled_template
from otjdd.compact_models.exports.pulses import Devices, Pulsed, pulse_sentences
from otjdd.compact_models.model import CompactModel

STATES = 12  # rows of the table, evenly spaced in the logarithm of the conductance
VOLTAGES = np.array([-0.3, -0.2, -0.15, -0.1, -0.05, -0.02, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3])  # V


def conductance_table(model: CompactModel, pulses: Pulsed) -> tuple[np.ndarray, np.ndarray, float]:
    """ln G (STATES,), ln [G(V)/G] (STATES, V), and the relative rms error of the currents of the visited states."""
    current = model.hold(pulses.states.copy(), pulses.read_voltage, 0.0)
    ascending = np.argsort(current)
    states, G = pulses.states[ascending], current[ascending] / pulses.read_voltage
    lnG, ratio = np.log(G), np.log(np.array([model.hold(states.copy(), V, 0.0) / V for V in VOLTAGES]) / G).T
    nodes = np.linspace(lnG[0], lnG[-1], STATES)
    values = np.array([np.interp(nodes, lnG, column) for column in ratio.T]).T
    back = np.array([np.interp(lnG, nodes, column) for column in values.T]).T
    return nodes, values, float(np.sqrt((np.expm1(back - ratio) ** 2).mean()))


class DeviceNoise(NamedTuple):
    """The parts of a device that noise adds."""

    about: list[str]  # lines of its header
    tables: list[str]  # lines


def device(
    model: CompactModel, pulses: Pulsed, devices: Devices | None = None, noise: DeviceNoise | None = None
) -> str:
    """Text of a module with the class `OTJ`. It must be imported before CrossSim chooses its device by that name."""
    nodes, values, off = conductance_table(model, pulses)
    high = float(np.exp(nodes[-1]))
    about = [
        *export_header(model),
        f"Rmin = {1.0 / high:.5g} ohm, Rmax = {1.0 / np.exp(nodes[0]):.5g} ohm, Vread = {pulses.read_voltage:g} V",
        *pulse_sentences(pulses, devices, noise.about if noise else ()),
        f"current of the states that these pulses visit, at inputs from {VOLTAGES[0]:g} V to {VOLTAGES[-1]:g} V; "
        "beyond, the conductance is constant",
        f"currents differ from the compact model's in these states by {off:.2g}, rms, relative; there are no steps: "
        "CrossSim programs conductances at once",
        "tried with CrossSim 3.2",
    ]
    low = float(np.exp(nodes[0]))
    deviations: np.ndarray | None = None
    if devices is not None:  # standard deviation of ln G between devices after equal pulses, at the nodes of the mean
        curves = np.log(np.concatenate((devices.up, devices.down), axis=1))
        mean, deviation = curves.mean(axis=0), curves.std(axis=0, ddof=1)
        order = np.argsort(mean)
        deviations = np.interp(nodes, mean[order], deviation[order])
    return filled_template(
        "crosssim_device.py", about=about, read_voltage=pulses.read_voltage, ln_G=nodes - nodes[-1], volts=VOLTAGES,
        ratios=values, low=low, high=high, tables=noise.tables if noise else [], deviations=deviations,
        errors=errors(devices, noise),
    )  # fmt: skip


def errors(devices: Devices | None, noise: DeviceNoise | None) -> list[str]:
    """Errors of CrossSim that the class has."""
    if noise:
        return ["programming_error", "drift_error", "read_noise"]
    return [] if devices is None else ["programming_error"]
