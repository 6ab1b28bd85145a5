"""The range of voltages and times that a compact model holds for, and the times of a waveform outside of this range."""

from typing import NamedTuple

import numpy as np

from otjdd.errors import NotAsExpected

EDGE = 1e-9  # relative distance by which a value may exceed the range
NEIGHBOURS = 201  # breakpoints around the top of a pulse within which its flanks are searched


class Range(NamedTuple):
    """The range that a model holds for."""

    low: float = -4.5  # V at the junction
    high: float = 4.5  # V
    shortest: float = 20e-9  # s
    longest: float = 1e4  # s


class SelfHeating(NamedTuple):
    """A thermal node, which only circuits contain: C dT/dt = I V_j - (T - T0)/R."""

    resistance: float  # K/W, R: the rise over the electric power I V_j
    time_constant: float  # s, R C


def check_voltages(limits: Range, voltage: np.ndarray) -> None:
    """Raise NotAsExpected for source voltages [V] outside of the range."""
    low, high = np.min(voltage, initial=0.0), np.max(voltage, initial=0.0)
    if not (limits.low * (1.0 + EDGE) <= low and high <= limits.high * (1.0 + EDGE)):
        raise NotAsExpected(
            f"voltages from {limits.low:g} V to {limits.high:g} V, for which the model was extracted",
            f"{low:.4g} V to {high:.4g} V",
        )


def shortest_pulse(pieces: np.ndarray) -> float:
    """Shortest full width at half maximum [s] of the pulses of either sign along pieces (P, 4).

    pieces : times [s] and voltages [V] at both ends
    A pulse is a rise and a fall of the voltage. A read behind the fall does not lengthen the pulse.
    """
    from scipy.signal import find_peaks, peak_widths

    time, voltage = pieces[:, :2].ravel(), pieces[:, 2:].ravel()
    shortest = np.inf
    for sign in (1.0, -1.0):
        V = np.maximum(sign * voltage, 0.0)
        bends = np.ones(V.size, bool)
        bends[1:-1] = (V[1:-1] != V[:-2]) | (V[1:-1] != V[2:])
        t, V = np.pad(time[bends], 1, mode="edge"), np.pad(V[bends], 1)
        peaks, _ = find_peaks(V)
        _, _, left, right = peak_widths(V, peaks, rel_height=0.5, wlen=NEIGHBOURS)
        at = np.arange(V.size)
        shortest = min(shortest, float((np.interp(right, at, t) - np.interp(left, at, t)).min(initial=np.inf)))
    return shortest


def times_outside(limits: Range, pieces: np.ndarray) -> str:
    """Times of a waveform outside of the range, in words; "" if there are none. pieces : (P, 4) as in `shortest_pulse`"""
    short, long, texts = shortest_pulse(pieces), float(np.max(pieces[:, 1] - pieces[:, 0])), []
    if short < limits.shortest * (1.0 - 1e-6):
        texts.append(f"a pulse of {short:.3g} s, shorter than {limits.shortest:g} s")
    if long > limits.longest * (1.0 + 1e-6):
        texts.append(f"a voltage held for {long:.3g} s, longer than {limits.longest:g} s")
    return " and ".join(texts)
