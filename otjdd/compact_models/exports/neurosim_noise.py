"""The noise of NeuroSim: its law of a pulse with random numbers, and the sigmaCtoC of the measured scatter.

x = x(G) of the law, G -> G(x +- 1) + sigmaCtoC y, kept within the range

y is a normal number (RealDevice::Write in Cell.cpp of MLP+NeuroSim 3.0). sigmaCtoC is in S in Cell.cpp, and a share of the
conductance range as `--c2cVari` of DNN+NeuroSim, which adds it once for an update, whatever its number of pulses. Each
device has labels NL + sigmaDtoD y, and ends of its range.

What a pulse adds stays, so one number cannot give the scatter of steps and that of what pulses leave. It is chosen between.
"""

import math

import numpy as np

from otjdd.compact_models.exports.neurosim import STEEPEST, Variation, width_of
from otjdd.compact_models.scatter.numbers import Cycles, Sigmas, sigmas

DEVICES, CYCLES = 200, 6  # drawn
TRIES = 12
FLAT = 1e-6  # label of a straight line


class Way:
    """The law of pulses of one sign on devices, between their smallest and largest conductances (D,) [S].

    label : (D,) labels of nonlinearity   count : pulses from end to end
    """

    def __init__(self, label: np.ndarray, low: np.ndarray, high: np.ndarray, count: int):
        width = np.array([width_of(max(abs(each), FLAT)) for each in np.clip(label, -STEEPEST, STEEPEST)])
        self.A = np.where(label < 0.0, -1.0, 1.0) * width * count
        self.B = (high - low) / -np.expm1(-count / self.A)
        self.low = low

    def after(self, G: np.ndarray, pulses: int) -> np.ndarray:
        """Conductances (D,) [S] after pulses, whose sign is that of their effect."""
        inside = np.maximum(1.0 - (G - self.low) / self.B, 1e-12)
        found: np.ndarray = self.B * (1.0 - inside * np.exp(-pulses / self.A)) + self.low
        return found


def drawn(
    labels: tuple[float, float], ends: tuple[float, float], count: int, c2c: float, differ: Variation, seed: int
) -> Cycles:
    """Conductances [S] of DEVICES under CYCLES of pulses, `count` down and `count` up, by the law of NeuroSim.

    labels : NL_LTP, NL_LTD   ends : smallest and largest conductance [S]   c2c : sigmaCtoC [S]
    """
    rng = np.random.default_rng(seed)
    up, down, lowest, highest = rng.standard_normal((4, DEVICES))
    low = np.maximum(ends[0] + differ.lowest * lowest, 1e-3 * ends[0])
    high = np.maximum(ends[1] + differ.highest * highest, 1.001 * low)
    raising = Way(labels[0] + differ.label * up, low, high, count)
    lowering = Way(labels[1] + differ.label * down, low, high, count)
    G, seen = high.copy(), []
    for way, sign in ([(lowering, -1)] * count + [(raising, 1)] * count) * (1 + CYCLES):
        G = np.clip(way.after(G, sign) + c2c * rng.standard_normal(DEVICES), low, high)
        seen.append(G)
    n, found = 2 * count, np.array(seen).T
    return Cycles(found[:, n - 1], found[:, n:].reshape(DEVICES, CYCLES, n))


def spread(
    labels: tuple[float, float], ends: tuple[float, float], count: int, device: float, differ: Variation
) -> Variation:
    """The numbers of `differ` times one factor, so that draws have the scatter `device` [S] between devices.

    NeuroSim draws them independently, which they are not.
    """
    if not (device > 0.0 and any(differ)):
        return Variation(0.0, 0.0, 0.0)
    factor = 1.0
    for _ in range(TRIES):
        scaled = Variation(*(factor * each for each in differ))
        factor *= device / sigmas(drawn(labels, ends, count, 0.0, scaled, 0)).device
    return Variation(*(float(factor * each) for each in differ))


def fitted(
    labels: tuple[float, float], ends: tuple[float, float], count: int, wanted: Sigmas, differ: Variation
) -> float:
    """sigmaCtoC [S] between those of the steps and of what pulses leave: draws miss both of `wanted` [S] by one factor."""
    if not (wanted.step > 0.0 and wanted.written > 0.0):
        return 0.0
    found = wanted.step
    for _ in range(TRIES):
        got = sigmas(drawn(labels, ends, count, found, differ, 0))
        found = min(found * math.sqrt(wanted.step / got.step * wanted.written / got.written), ends[1] - ends[0])
    return found
