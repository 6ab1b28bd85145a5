"""Equal pulses on a compact model: what the models of network simulators are made of, and what to say of it."""

from typing import NamedTuple

import numpy as np

from otjdd.compact_models.error import writes
from otjdd.compact_models.model import CompactModel

PULSES, ROUNDS, WIDTH, READ = 20, 5, 50e-9, 0.1  # of either sign, rounds, s, V


class Pulsed(NamedTuple):
    """A cycle of equal pulses of both signs: the last of some rounds, when rounds repeat themselves."""

    up: np.ndarray  # (n + 1,) S, from before the first pulse on
    down: np.ndarray  # (n + 1,) S
    set_voltage: float
    reset_voltage: float
    width: float  # s
    read_voltage: float

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest conductance [S]."""
        return min(self.up.min(), self.down.min()), max(self.up.max(), self.down.max())


class Devices(NamedTuple):
    """The same cycle of pulses on N devices that differ, and where their differences come from, in words."""

    up: np.ndarray  # (N, n + 1) S
    down: np.ndarray  # (N, n + 1) S
    source: str

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest conductance (N,) [S] of each."""
        both = np.concatenate((self.up, self.down), axis=1)
        return both.min(axis=1), both.max(axis=1)


def pulsed_devices(models: list[CompactModel], source: str) -> Devices:
    """Cycles of pulses of several devices."""
    found = [pulsed(model) for model in models]
    return Devices(np.array([each.up for each in found]), np.array([each.down for each in found]), source)


def pulsed(model: CompactModel, count: int = PULSES, start=None) -> Pulsed:
    """Conductances [S] of a junction under `count` pulses of either sign, in the last of some rounds.

    Pulses follow each other without a pause; reads are of copies and leave no trace.
    """
    limits = model.limits
    width, (up, _, down) = max(WIDTH, limits.shortest), writes(limits)
    q = model.states(1, start)
    for _ in range(ROUNDS):
        model.hold(q, up, width)
        found = []
        for height in (down, up):
            curve = [model.hold(q.copy(), READ, 1e-6)[0] / READ]
            for _ in range(count):
                model.hold(q, height, width)
                curve.append(model.hold(q.copy(), READ, 1e-6)[0] / READ)
            found.append(np.array(curve))
    return Pulsed(found[1], found[0], up, down, width, READ)


def sentences(pulses: Pulsed, devices: Devices | None = None) -> list[str]:
    """Lines of every export for networks: pulses that it holds for, what it leaves out, and its spread."""
    count, spread = len(pulses.up) - 1, "0, this is one device; `otjdd compact --devices N` draws more"
    if devices is not None:
        spread = f"of {len(devices.up)} devices, {devices.source}; correlations between its numbers are left out"
    return [
        f"holds for pulses of {pulses.set_voltage:g} V (up) and {pulses.reset_voltage:g} V (down) at the source, "
        f"{pulses.width:g} s each, without pauses, and reads at {pulses.read_voltage:g} V: another voltage, width or pause "
        "needs another export",
        f"taken from {count} pulses up and {count} down, the last of {ROUNDS} such rounds",
        "left out: noise from cycle to cycle and of reads (0: not modelled), relaxation between pulses and at rest",
        f"spread from device to device: {spread}",
    ]
