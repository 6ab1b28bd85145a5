"""The noise of aihwkit's PiecewiseStepDevice: its rule with random numbers, and the two numbers of the measured scatter.

scale = dw_min [1 + dw_min_dtod x_1 +- up_down_dtod x_2 + ...]      of each device, for steps up and down
bounds = w_max (1 + w_max_dtod x_3), w_min (1 + w_min_dtod x_4)
w -> w +- scale piecewise(w) (1 + dw_min_std x)                    kept within the bounds
seen is w + write_noise_std dw_min x

x are normal numbers (src/rpucuda/rpu_pulsed_device.cpp and rpu_piecewisestep_device.cpp of aihwkit 1.1). What dw_min_std
adds stays, what the write noise adds is forgotten at the next pulse: both give a scatter of steps and of what is written.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.compact_models.exports.aihwkit import Steps
from otjdd.compact_models.exports.functions import number
from otjdd.compact_models.exports.levels import ascending, read_sigma, tables
from otjdd.compact_models.scatter.numbers import Cycles, Sigmas, sigmas

if TYPE_CHECKING:
    import xarray as xr

DEVICES, CYCLES, TRIES = 400, 6, 6  # drawn; of the spread between devices
LARGEST = 30.0  # of either number


class PulseNoise(NamedTuple):
    """Noise of a pulse, by the names of aihwkit."""

    dw_min_std: float  # of the step at its weight
    write_noise_std: float  # in dw_min


def drawn(steps: Steps, count: int, noise: PulseNoise, differ: dict[str, float], seed: int) -> Cycles:
    """Weights of DEVICES under CYCLES of pulses, `count` down and `count` up, by the rule of aihwkit.

    differ : numbers of `aihwkit.between_devices`
    """
    rng = np.random.default_rng(seed)
    first, second, third, fourth = rng.standard_normal((4, DEVICES))
    gain, skew = 1.0 + differ["dw_min_dtod"] * first, differ["up_down_dtod"] * second
    rise = np.abs(gain + min(steps.up_down, 0.0) + skew) * steps.dw_min
    fall = np.abs(gain - max(steps.up_down, 0.0) - skew) * steps.dw_min
    high, low = np.abs(1.0 + differ["w_max_dtod"] * third), -np.abs(1.0 + differ["w_min_dtod"] * fourth)
    nodes, w, seen = np.linspace(0.0, 1.0, len(steps.up)), high.copy(), []
    way = [(-fall, steps.down)] * count + [(rise, steps.up)] * count
    for scale, table in way * (1 + CYCLES):
        step = scale * np.interp((w - low) / (high - low), nodes, table)
        w = np.clip(w + step * (1.0 + noise.dw_min_std * rng.standard_normal(DEVICES)), low, high)
        seen.append(w + noise.write_noise_std * steps.dw_min * rng.standard_normal(DEVICES))
    n, weights = 2 * count, np.array(seen).T
    return Cycles(weights[:, n - 1], weights[:, n:].reshape(DEVICES, CYCLES, n))


def spread(steps: Steps, count: int, differ: dict[str, float], device: float) -> dict[str, float]:
    """The numbers of `differ` times one factor, so that draws have the scatter `device` (of weights) between devices.

    aihwkit draws them independently, which they are not: a device with a larger range also makes larger steps.
    """
    if not device > 0.0:
        return dict.fromkeys(differ, 0.0)
    factor, quiet = 1.0, PulseNoise(0.0, 0.0)
    for _ in range(TRIES):
        scaled = {name: factor * value for name, value in differ.items()}
        factor *= device / sigmas(drawn(steps, count, quiet, scaled, 0)).device
    return {name: float(factor * value) for name, value in differ.items()}


def fitted(steps: Steps, count: int, wanted: Sigmas, differ: dict[str, float]) -> PulseNoise:
    """Noise whose draws have the scatter of steps and of what is written, as near as they come.

    wanted : of weights   differ : as of `drawn`
    """
    from scipy.optimize import least_squares

    if not (wanted.step > 0.0 and wanted.written > 0.0):
        return PulseNoise(0.0, 0.0)

    def off(x: np.ndarray) -> np.ndarray:
        found = sigmas(drawn(steps, count, PulseNoise(*x), differ, 0))
        got, aim = np.array([found.step, found.written]), np.array([wanted.step, wanted.written])
        apart: np.ndarray = np.log(np.maximum(got, 1e-12) / aim)
        return apart

    begin = np.clip(np.array([0.3, 0.5 * wanted.written / steps.dw_min]), 1e-4, LARGEST / 2.0)
    found = least_squares(off, begin, bounds=(0.0, LARGEST), x_scale=begin, diff_step=0.02)
    return PulseNoise(*map(float, found.x))


IMPORTS = [
    "import numpy as np",
    "import torch",
    "from aihwkit.inference.converter.conductance import SinglePairConductanceConverter",
    "from aihwkit.inference.noise.base import BaseNoiseModel",
    "from aihwkit.simulator.configs import InferenceRPUConfig",
    "from aihwkit.simulator.parameters.enums import WeightNoiseType",
]


def inference(noise: "xr.Dataset") -> list[str]:
    """Lines of the noise model of inference and of its configuration, conductances in uS."""
    ordered = ascending(noise)
    ends = [number(1e6 * float(each)) for each in ordered.level_mean.values[[0, -1]]]
    return [
        *["", *tables(noise), "", ""],
        "class OTJNoiseModel(BaseNoiseModel):",
        '    """Levels that equal pulses have written: how they drift and scatter by t_inference [s]."""',
        "",
        "    def __init__(self, verified=False):",
        '        """verified : levels are written and verified, and scatter by what comes after alone."""',
        f"        super().__init__(SinglePairConductanceConverter(g_max={ends[1]}, g_min={ends[0]}))",
        "        self.verified = verified",
        "",
        "    def at(self, table, g, time):",
        "        by_level = [np.interp(np.log(max(time, TIMES[0])), np.log(TIMES), row) for row in table]",
        "        ln_g = np.log(np.maximum(g.detach().cpu().numpy() * 1e-6, 1e-300))",
        "        return torch.as_tensor(np.interp(ln_g, np.log(LEVELS), by_level), dtype=g.dtype, device=g.device)",
        "",
        "    def scattered(self, g, time):",
        "        sigma = self.at(SIGMA_VERIFIED if self.verified else SIGMA, g, time)",
        "        return g * torch.exp(self.at(SHIFT, g, time) + sigma * torch.randn_like(g))",
        "",
        "    def apply_programming_noise_to_conductance(self, g_target):",
        "        return self.scattered(g_target, TIMES[0])",
        "",
        "    def generate_drift_coefficients(self, g_target):",
        "        return g_target  # as ReRamWan2022NoiseModel: both scatter around what is wanted",
        "",
        "    def apply_drift_noise_to_conductance(self, g_prog, drift_noise_param, t_inference):",
        "        return self.scattered(drift_noise_param, t_inference)",
        "",
        "",
        "def otj_inference(verified=False):",
        '    """Configuration of inference with this noise model and the noise of reads of 1 us."""',
        "    config = InferenceRPUConfig(noise_model=OTJNoiseModel(verified))",
        f"    config.forward.w_noise = {number(weight_noise(ordered))}",
        "    config.forward.w_noise_type = WeightNoiseType.ADDITIVE_CONSTANT",
        "    return config",
        "",
    ]


def weight_noise(noise: "xr.Dataset") -> float:
    """Standard deviation of a weight by a read, of two conductances over their range; that of levels as a root mean square.

    noise : its levels ascending
    """
    G = noise.level_mean.values
    each = read_sigma(noise) * G
    return float(np.sqrt((each**2).mean() + each[0] ** 2) / (G[-1] - G[0]))
