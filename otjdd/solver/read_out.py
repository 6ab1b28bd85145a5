"""The read-out: from the currents of the junction to the current that the instrument shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from otjdd.case.circuit import Circuit


def read_out(times: ArrayLike, conduction: ArrayLike, displacement: ArrayLike, circuit: Circuit) -> np.ndarray:
    """Current that the instrument shows, A.

    times: (n,) s, non-decreasing
    conduction: (n,) A at `times`, linear in between
    displacement: (n,) A, entry k the mean over the interval that *ends* at times[k], so that its integral is exactly
        the change of charge; entry 0 has no interval and is left out
    The sum goes through one pole, tau dy/dt = x - y from y = conduction[0], solved exactly for such an input, whatever
    the steps; then it is clipped to +-range. Raises ValueError on arrays that do not fit or are not finite.
    """
    times, conduction, displacement = (np.asarray(a, dtype=float) for a in (times, conduction, displacement))
    if not (times.ndim == 1 and times.size and times.shape == conduction.shape == displacement.shape):
        raise ValueError(
            f"times, conduction, displacement differ in length: {times.size, conduction.size, displacement.size}"
        )
    if not all(np.isfinite(a).all() for a in (times, conduction, displacement)) or (np.diff(times) < 0).any():
        raise ValueError("a read-out needs finite currents at times in order")
    charging = np.append(0.0, displacement[1:])
    current = _one_pole(np.diff(times), conduction, charging, circuit.tau) if circuit.tau else conduction + charging
    return current if circuit.range is None else np.clip(current, -circuit.range, circuit.range)


def _one_pole(steps: np.ndarray, linear: np.ndarray, mean: np.ndarray, tau: float) -> np.ndarray:
    """y' = (x - y)/tau over intervals `steps` (n-1,), x = linear between samples + mean[1:] constant in each."""
    z = steps / tau
    fresh = -np.expm1(-z)  # weight of the input as a whole; the rest is memory
    end = _end_weight(z)
    gains = (fresh - end) * linear[:-1] + end * linear[1:] + fresh * mean[1:]
    y = [float(linear[0])]
    for keep, gain in zip(np.exp(-z).tolist(), gains.tolist(), strict=True):
        y.append(keep * y[-1] + gain)
    return np.array(y)


def _end_weight(z: np.ndarray) -> np.ndarray:
    """1 - (1 - exp(-z))/z: how much of a linear input is weighed by its value at the end of the interval."""
    # The plain form loses all digits in steps much shorter than tau, of which there are many: a series instead.
    small = z < 0.1
    series = z / 2 * (1 - z / 3 * (1 - z / 4 * (1 - z / 5 * (1 - z / 6 * (1 - z / 7 * (1 - z / 8))))))
    return np.where(small, series, 1 + np.expm1(-z) / np.where(small, 1.0, z))
