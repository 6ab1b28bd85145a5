"""Where a compact model holds, and what of a waveform it does not hold for."""

from typing import NamedTuple

import numpy as np

from otjdd.errors import NotAsExpected

EDGE = 1e-9  # relative: what leaves the range by so little does not


class Range(NamedTuple):
    """Where a model is to hold."""

    low: float = -4.5  # V
    high: float = 4.5
    shortest: float = 20e-9  # s
    longest: float = 1e4


def check_voltages(limits: Range, voltage: np.ndarray) -> None:
    """Raise NotAsExpected for source voltages [V] that a model was not extracted for."""
    low, high = np.min(voltage, initial=0.0), np.max(voltage, initial=0.0)
    if not (limits.low * (1.0 + EDGE) <= low and high <= limits.high * (1.0 + EDGE)):
        raise NotAsExpected(
            f"voltages from {limits.low:g} V to {limits.high:g} V, for which the model was extracted",
            f"{low:.4g} V to {high:.4g} V",
        )


def shortest_pulse(pieces: np.ndarray) -> float:
    """Shortest time [s] for which the voltage keeps a sign along pieces (P, 4): times and voltages at both ends."""
    sign = np.sign(pieces[:, 2] + pieces[:, 3])
    first = np.flatnonzero(np.diff(sign, prepend=np.nan) != 0.0)
    lasts = np.add.reduceat(pieces[:, 1] - pieces[:, 0], first)
    return float(lasts[sign[first] != 0.0].min(initial=np.inf))


def times_outside(limits: Range, pieces: np.ndarray) -> str:
    """Times of a waveform that a model was not extracted for, in words; empty where there are none."""
    short, long, found = shortest_pulse(pieces), float(np.max(pieces[:, 1] - pieces[:, 0])), []
    if short < limits.shortest * (1.0 - 1e-6):
        found.append(f"a pulse of {short:.3g} s, shorter than {limits.shortest:g} s")
    if long > limits.longest * (1.0 + 1e-6):
        found.append(f"a voltage held for {long:.3g} s, longer than {limits.longest:g} s")
    return " and ".join(found)
