"""The device as modules of Python for network simulators: a preset of IBM's aihwkit, and a device of CrossSim 3.

The preset is a PiecewiseStepDevice, whose steps depend on the weight:

w -> w + dw_min (1 + min(up_down, 0)) up(w)      weight -1 is the smallest conductance, 1 the largest
w -> w - dw_min (1 - max(up_down, 0)) down(w)    the asymmetry up_down reduces the step of one direction

With noise, and with normal numbers x (src/rpucuda/rpu_pulsed_device.cpp and rpu_piecewisestep_device.cpp of aihwkit 1.1):

scale = dw_min [1 + dw_min_dtod x_1 +- up_down_dtod x_2 + ...]      of each device, for steps up and down
bounds = w_max (1 + w_max_dtod x_3), w_min (1 + w_min_dtod x_4)
w -> w +- scale piecewise(w) (1 + dw_min_std x)                    within the bounds
w + write_noise_std dw_min x                                       is the weight of a read

Scatter by dw_min_std accumulates from pulse to pulse, scatter by the write noise ends at the next pulse. Both numbers are
fitted to the measured scatter of steps and of conductances after pulses.

The device of CrossSim is a table of its current over conductance and voltage.
"""

from typing import Any, NamedTuple

import numpy as np

from otjdd.compact_models.exports.functions import export_header, filled_template, number, number_texts
from otjdd.compact_models.exports.pulses import (
    Devices,
    Pulsed,
    by_conductance,
    level_tables,
    pulse_sentences,
    read_sigma,
)
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.scatter_of_pulses import Cycles, Sigmas, sigmas
from otjdd.system.late import scipy, xr

NODES = 15  # weights at which the step is tabulated
DEVICES, CYCLES, TRIES = 400, 6, 6  # drawn devices and cycles; rounds of scaling the spread between devices
LARGEST = 30.0  # upper limit of either number of `PulseNoise`
TRIED = {"1.1": "2.10", "1.2": "2.15"}  # aihwkit -> the torch beside which its layers learn; beside others they stop


class PresetNoise(NamedTuple):
    """The parts of a preset that noise adds."""

    dw_min_std: float
    write_noise_std: float
    differ: dict[str, float]  # of `preset_spreads`
    about: list[str]  # lines of its header
    inference: dict[str, Any]  # of `inference`


class WeightSteps(NamedTuple):
    """Steps of the weight as aihwkit stores them."""

    dw_min: float
    up_down: float
    up: np.ndarray  # (NODES,) factors of the up step at weights evenly from -1 to 1
    down: np.ndarray
    error: float  # rms deviation of a step from the pulses, as a share of the range


def weights(curve: np.ndarray, low: float, high: float) -> np.ndarray:
    """Weights of conductances [S]."""
    return 2.0 * (curve - low) / (high - low) - 1.0


def steps(pulses: Pulsed) -> WeightSteps:
    """Steps at evenly spaced weights, interpolated between the pulses and constant beyond them."""
    low, high = pulses.ends
    nodes = np.linspace(-1.0, 1.0, NODES)
    of_directions, off = [], []
    for curve, sign in ((pulses.up, 1.0), (pulses.down, -1.0)):
        w = weights(curve, low, high)
        order = np.argsort(w[:-1])
        at, step = w[:-1][order], np.maximum(sign * np.diff(w), 0.0)[order]
        of_directions.append(np.interp(nodes, at, step))
        off.append(np.interp(at, nodes, of_directions[-1]) - step)
    mean = [max(of_direction.mean(), 1e-12) for of_direction in of_directions]
    dw_min, up_down = max(mean), (mean[0] - mean[1]) / max(mean)
    error = float(np.sqrt((np.concatenate(off) ** 2).mean()) / 2.0)
    return WeightSteps(dw_min, up_down, of_directions[0] / mean[0], of_directions[1] / mean[1], error)


def after_one_pulse(steps: WeightSteps, w: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Weights (n,) after one pulse each, up where `up` (n,) is true, else down: the rule of aihwkit without noise."""
    nodes = np.linspace(-1.0, 1.0, len(steps.up))
    rise = steps.dw_min * (1.0 + min(steps.up_down, 0.0)) * np.interp(w, nodes, steps.up)
    fall = steps.dw_min * (1.0 - max(steps.up_down, 0.0)) * np.interp(w, nodes, steps.down)
    return np.asarray(np.clip(np.where(up, w + rise, w - fall), -1.0, 1.0))


def preset_spreads(pulses: Pulsed, devices: Devices | None) -> dict[str, float]:
    """Standard deviations between devices, by the names of aihwkit: of the step (relative), of both ends of the range, and
    of the asymmetry; 0 without devices. Weights are those of the device of `pulses`.
    """
    if devices is None:
        return dict.fromkeys(("dw_min_dtod", "w_min_dtod", "w_max_dtod", "up_down_dtod"), 0.0)
    low, high = pulses.ends
    w_min, w_max = (weights(ends, low, high) for ends in devices.ends)
    of_devices = [steps(pulses._replace(up=up, down=down)) for up, down in zip(devices.up, devices.down, strict=True)]
    step, up_down = np.transpose([(of_device.dw_min, of_device.up_down) for of_device in of_devices])
    step = step * 0.5 * (w_max - w_min)
    values = step.std(ddof=1) / step.mean(), w_min.std(ddof=1), w_max.std(ddof=1), up_down.std(ddof=1)
    return dict(zip(preset_spreads(pulses, None), map(float, values), strict=True))


def preset(
    model: CompactModel, pulses: Pulsed, devices: Devices | None = None, noise: PresetNoise | None = None
) -> str:
    """Text of a module with the function `otj_device()`, and with noise also `otj_noise_model()` for inference."""
    of_device, differ = steps(pulses), noise.differ if noise else preset_spreads(pulses, devices)
    low, high = pulses.ends
    about = [
        *export_header(model),
        *pulse_sentences(pulses, devices, noise.about if noise else ()),
        f"weight -1 is {low:.4g} S, weight 1 is {high:.4g} S, read at {pulses.read_voltage:g} V",
        f"a step differs from the compact model's by {of_device.error:.2g} of the range, rms; it depends on the weight "
        "alone, not on the pulses before",
        "tried with " + ", ".join(f"aihwkit {aihwkit} with torch {torch}" for aihwkit, torch in TRIED.items()),
    ]
    c2c = (number(noise.dw_min_std), number(noise.write_noise_std)) if noise else ("0.0", "0.0")
    values = {
        "w_min": "-1.0", "w_max": "1.0", "dw_min": number(of_device.dw_min), "dw_min_std": c2c[0],
        "up_down": number(of_device.up_down), **{name: number(value) for name, value in differ.items()},
        "piecewise_up": f"[{number_texts(of_device.up)}]", "piecewise_down": f"[{number_texts(of_device.down)}]",
        "write_noise_std": c2c[1],
    }  # fmt: skip
    own = noise.inference if noise else {"levels": None}
    return filled_template("aihwkit_preset.py", about=about, tried=TRIED, values=values, **own)


class PulseNoise(NamedTuple):
    """Noise of a pulse, by the names of aihwkit."""

    dw_min_std: float  # of the step at its weight
    write_noise_std: float  # in dw_min


def drawn_weights(steps: WeightSteps, count: int, noise: PulseNoise, differ: dict[str, float], seed: int) -> Cycles:
    """Weights of DEVICES under CYCLES of pulses, `count` down and `count` up, by the rule of aihwkit.

    differ : numbers of `preset_spreads`
    """
    rng = np.random.default_rng(seed)
    first, second, third, fourth = rng.standard_normal((4, DEVICES))
    gain, skew = 1.0 + differ["dw_min_dtod"] * first, differ["up_down_dtod"] * second
    rise = np.abs(gain + min(steps.up_down, 0.0) + skew) * steps.dw_min
    fall = np.abs(gain - max(steps.up_down, 0.0) - skew) * steps.dw_min
    high, low = np.abs(1.0 + differ["w_max_dtod"] * third), -np.abs(1.0 + differ["w_min_dtod"] * fourth)
    nodes, w, after_pulses = np.linspace(0.0, 1.0, len(steps.up)), high.copy(), []
    way = [(-fall, steps.down)] * count + [(rise, steps.up)] * count
    for scale, table in way * (1 + CYCLES):
        step = scale * np.interp((w - low) / (high - low), nodes, table)
        w = np.clip(w + step * (1.0 + noise.dw_min_std * rng.standard_normal(DEVICES)), low, high)
        after_pulses.append(w + noise.write_noise_std * steps.dw_min * rng.standard_normal(DEVICES))
    return Cycles.drawn(after_pulses, count)


def fitted_pulse_noise(steps: WeightSteps, count: int, solver: Sigmas, differ: dict[str, float]) -> PulseNoise:
    """Noise whose draws come nearest to the scatter of steps and of weights after pulses.

    solver : of weights   differ : as of `drawn_weights`
    """
    if not (solver.step > 0.0 and solver.written > 0.0):
        return PulseNoise(0.0, 0.0)

    def off(x: np.ndarray) -> np.ndarray:
        drawn_sigmas = sigmas(drawn_weights(steps, count, PulseNoise(*x), differ, 0))
        got, aim = np.array([drawn_sigmas.step, drawn_sigmas.written]), np.array([solver.step, solver.written])
        return np.log(np.maximum(got, 1e-12) / aim)

    begin = np.clip(np.array([0.3, 0.5 * solver.written / steps.dw_min]), 1e-4, LARGEST / 2.0)
    optimum = scipy.optimize.least_squares(off, begin, bounds=(0.0, LARGEST), x_scale=begin, diff_step=0.02)
    return PulseNoise(*map(float, optimum.x))


def inference(noise: "xr.Dataset") -> dict[str, Any]:
    """Values of the noise model of inference and of its configuration, conductances in uS."""
    ordered = by_conductance(noise)
    G = ordered.level_mean.values
    of_level = read_sigma(ordered) * G
    # a weight is two conductances over their range, one at the lowest level, the other at any level: root mean square
    w_noise = float(np.sqrt((of_level**2).mean() + of_level[0] ** 2) / (G[-1] - G[0]))
    return {"levels": level_tables(noise), "ends": 1e6 * G[[0, -1]], "w_noise": w_noise}


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
    levels: dict[str, np.ndarray]  # of `level_tables`


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
    low, errors = float(np.exp(nodes[0])), ["programming_error", "drift_error", "read_noise"]  # that the class has
    deviations: np.ndarray | None = None
    if devices is not None:  # standard deviation of ln G between devices after equal pulses, at the nodes of the mean
        curves = np.log(np.concatenate((devices.up, devices.down), axis=1))
        mean, deviation = curves.mean(axis=0), curves.std(axis=0, ddof=1)
        order = np.argsort(mean)
        deviations = np.interp(nodes, mean[order], deviation[order])
    return filled_template(
        "crosssim_device.py", about=about, read_voltage=pulses.read_voltage, ln_G=nodes - nodes[-1], volts=VOLTAGES,
        ratios=values, low=low, high=high, levels=noise.levels if noise else None, deviations=deviations,
        errors=errors if noise else errors[: 0 if devices is None else 1],
    )  # fmt: skip
