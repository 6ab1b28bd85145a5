"""The device as a preset of IBM's aihwkit: a PiecewiseStepDevice, whose steps depend on the weight.

w -> w + dw_min (1 + min(up_down, 0)) up(w)      weight -1 is the smallest conductance, 1 the largest
w -> w - dw_min (1 - max(up_down, 0)) down(w)    the asymmetry up_down reduces the step of one direction
"""

from typing import NamedTuple

import numpy as np

from otjdd.compact_models.exports.functions import header, number
from otjdd.compact_models.exports.pulses import Devices, Pulsed, sentences
from otjdd.compact_models.model import CompactModel

NODES = 15  # weights at which the step is tabulated


class PresetNoise(NamedTuple):
    """What a preset with noise has beside one without."""

    dw_min_std: float
    write_noise_std: float
    differ: dict[str, float]  # of `between_devices`
    about: list[str]  # lines of its header
    imports: list[str]  # lines
    model: list[str]  # lines of its model of inference


class Steps(NamedTuple):
    """Steps of the weight as aihwkit stores them."""

    dw_min: float
    up_down: float
    up: np.ndarray  # (NODES,) factors of the up step at weights evenly from -1 to 1
    down: np.ndarray
    error: float  # rms deviation of a step from the pulses, as a share of the range


def weights(curve: np.ndarray, low: float, high: float) -> np.ndarray:
    """Weights of conductances [S]."""
    return 2.0 * (curve - low) / (high - low) - 1.0


def steps(pulses: Pulsed) -> Steps:
    """Steps at evenly spaced weights, interpolated between the pulses and constant beyond them."""
    low, high = pulses.ends
    nodes = np.linspace(-1.0, 1.0, NODES)
    found, off = [], []
    for curve, sign in ((pulses.up, 1.0), (pulses.down, -1.0)):
        w = weights(curve, low, high)
        order = np.argsort(w[:-1])
        at, step = w[:-1][order], np.maximum(sign * np.diff(w), 0.0)[order]
        found.append(np.interp(nodes, at, step))
        off.append(np.interp(at, nodes, found[-1]) - step)
    mean = [max(each.mean(), 1e-12) for each in found]
    dw_min, up_down = max(mean), (mean[0] - mean[1]) / max(mean)
    error = float(np.sqrt((np.concatenate(off) ** 2).mean()) / 2.0)
    return Steps(dw_min, up_down, found[0] / mean[0], found[1] / mean[1], error)


def updated(steps: Steps, w: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Weights (n,) after one pulse each, up where `up` (n,) is true, else down: the rule of aihwkit without noise."""
    nodes = np.linspace(-1.0, 1.0, len(steps.up))
    rise = steps.dw_min * (1.0 + min(steps.up_down, 0.0)) * np.interp(w, nodes, steps.up)
    fall = steps.dw_min * (1.0 - max(steps.up_down, 0.0)) * np.interp(w, nodes, steps.down)
    return np.asarray(np.clip(np.where(up, w + rise, w - fall), -1.0, 1.0))


def between_devices(pulses: Pulsed, devices: Devices | None) -> dict[str, float]:
    """Standard deviations between devices, by the names of aihwkit: of the step (relative), of both ends of the range, and
    of the asymmetry; 0 without devices. Weights are those of the device of `pulses`.
    """
    if devices is None:
        return dict.fromkeys(("dw_min_dtod", "w_min_dtod", "w_max_dtod", "up_down_dtod"), 0.0)
    low, high = pulses.ends
    w_min, w_max = (weights(each, low, high) for each in devices.ends)
    found = [steps(pulses._replace(up=up, down=down)) for up, down in zip(devices.up, devices.down, strict=True)]
    step, up_down = np.transpose([(each.dw_min, each.up_down) for each in found])
    step = step * 0.5 * (w_max - w_min)
    values = step.std(ddof=1) / step.mean(), w_min.std(ddof=1), w_max.std(ddof=1), up_down.std(ddof=1)
    return dict(zip(between_devices(pulses, None), map(float, values), strict=True))


def preset(
    model: CompactModel, pulses: Pulsed, devices: Devices | None = None, noise: PresetNoise | None = None
) -> str:
    """Text of a module with the function `otj_device()`, and with noise also `otj_noise_model()` for inference."""
    found, differ = steps(pulses), noise.differ if noise else between_devices(pulses, devices)
    low, high = pulses.ends
    about = [
        *header(model),
        *sentences(pulses, devices, noise.about if noise else ()),
        f"weight -1 is {low:.4g} S, weight 1 is {high:.4g} S, read at {pulses.read_voltage:g} V",
        f"a step is off by {found.error:.2g} of the range, rms, from that of the compact model; it depends on the weight "
        "alone, not on the pulses before",
        "tried with aihwkit 1.1 and torch 2.10",
    ]
    c2c = (number(noise.dw_min_std), number(noise.write_noise_std)) if noise else ("0.0", "0.0")
    lists = {name: ", ".join(number(value) for value in getattr(found, name)) for name in ("up", "down")}
    lines = [f"# {line}" for line in about]
    lines += [
        "",
        *(noise.imports if noise else ()),
        "from aihwkit.simulator.configs.devices import PiecewiseStepDevice",
        "",
        "",
    ]
    lines += ["def otj_device(**changes):", '    """Device of an oxide tunnel junction under equal pulses."""']
    lines += ["    values = dict("]
    lines += [f"        {name}={value}," for name, value in {
        "w_min": "-1.0", "w_max": "1.0", "dw_min": number(found.dw_min), "dw_min_std": c2c[0],
        "up_down": number(found.up_down), **{name: number(value) for name, value in differ.items()},
        "piecewise_up": f"[{lists['up']}]", "piecewise_down": f"[{lists['down']}]", "write_noise_std": c2c[1],
    }.items()]  # fmt: skip
    lines += ["    )", "    return PiecewiseStepDevice(**(values | changes))", ""]
    return "\n".join([*lines, *(noise.model if noise else ())])
