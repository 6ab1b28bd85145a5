"""Models of the transmission of electrons through a band profile, by name. A new model is added here alone.

A case names a model in `device.transmission`. "transfer-matrix" is exact, and has its own kernels in `physics.tunnelling`
and its slopes. Any other model is a pair of formulas here, and a row of MODELS:

    transmission(profile, E) -> T              (n,) at energies E (n,) [eV]
    sensitivity(profile, E, weight) -> slopes  (4, S) sum over E of weight d ln T/d(left, right, length, curve) of a segment

Formulas use `math`, `numpy`, K0 and their arguments only: `physics` compiles them, and `case` uses the names without
compiling anything. The sensitivity must be the exact derivative, on which the time steps rely. A test of all models
compares it with finite differences.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from otjdd.constants import ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR

K0 = 2.0 * ELECTRON_MASS * ELEMENTARY_CHARGE / HBAR**2  # 1/(eV m2)


class Profile(NamedTuple):
    """Segments from left to right and the two leads; energies in eV, masses in m0.

    The band on a segment is the straight line from left to right plus curve P2(s), with s from -1 to 1 along it and
    P2 = (3 s^2 - 1)/2.
    """

    length: np.ndarray  # (S,) m
    left: np.ndarray  # (S,) straight part of U at the left end of each segment
    right: np.ndarray  # (S,) straight part of U at the right end
    mass: np.ndarray  # (S,)
    curve: np.ndarray  # (S,) height of both ends of the band above its straight part, which has its mean
    bottom_left: float  # U in the left lead
    bottom_right: float
    mass_left: float
    mass_right: float
    steep: float = 0.1  # largest |k| of one step of the transfer matrix through it, see `physics.tunnelling`


class Model(NamedTuple):
    """A transmission model. Both formulas are None for the transfer matrix."""

    transmission: Callable[[Profile, np.ndarray], np.ndarray] | None = None
    sensitivity: Callable[[Profile, np.ndarray, np.ndarray], np.ndarray] | None = None


def wkb_transmission(profile: Profile, E: np.ndarray) -> np.ndarray:
    """T(E) = exp(-2 int kappa dx) (n,) over the whole forbidden path, kappa = sqrt(m k0 (U - E)); 1 above the top.

    The parabola on a segment is replaced by two straight lines with the mean and the slope of its halves.
    """
    theta = np.zeros(E.size)
    for s in range(profile.length.size):
        left, right, bow = profile.left[s], profile.right[s], 0.75 * profile.curve[s]
        scale, middle = math.sqrt(profile.mass[s] * K0), 0.5 * (left + right) - bow
        for U0, U1 in ((left + bow, middle), (middle, right + bow)):
            for i in range(E.size):
                a, b = max(U0 - E[i], 0.0), max(U1 - E[i], 0.0)
                if a + b == 0.0:
                    continue
                root_a, root_b = math.sqrt(a), math.sqrt(b)
                covered = 0.5 * profile.length[s]
                if a * b == 0.0:  # the band crosses E within the line
                    covered *= abs(a - b) / abs(U0 - U1)
                theta[i] += 2.0 / 3.0 * covered * scale * (a + root_a * root_b + b) / (root_a + root_b)
    for i in range(E.size):
        theta[i] = math.exp(-2.0 * theta[i])
    return theta


def wkb_sensitivity(profile: Profile, E: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """sum_E weight d ln T/d(left, right, length, curve) (4, S) of each segment, for `wkb_transmission`."""
    total = np.zeros((4, profile.length.size))
    for s in range(profile.length.size):
        h, left, right, bow = 0.5 * profile.length[s], profile.left[s], profile.right[s], 0.75 * profile.curve[s]
        root, middle = math.sqrt(profile.mass[s] * K0), 0.5 * (left + right) - bow
        for half, (U0, U1) in enumerate(((left + bow, middle), (middle, right + bow))):
            by_0, by_1 = 0.0, 0.0
            for j in range(E.size):
                a, b = max(U0 - E[j], 0.0), max(U1 - E[j], 0.0)
                if a + b == 0.0:
                    continue
                ra, rb = math.sqrt(a), math.sqrt(b)
                mean = 2.0 / 3.0 * (a + ra * rb + b) / (ra + rb)  # of sqrt(U - E) over the covered part
                covered = abs(a - b) / abs(U0 - U1) if a * b == 0.0 else 1.0
                w = -2.0 * weight[j] * root
                total[2, s] += 0.5 * w * covered * mean
                if a * b == 0.0:  # theta = (2/3) a^{3/2}/|U0 - U1|: the covered part grows with a
                    tilt = abs(U0 - U1)
                    by_in, by_out = (ra + rb) / tilt - mean * covered / tilt, mean * covered / tilt
                    by_0 += w * h * (by_in if a > 0.0 else by_out)
                    by_1 += w * h * (by_in if b > 0.0 else by_out)
                else:
                    by_0 += w * h * (ra + 2.0 * rb) / (3.0 * (ra + rb) ** 2)
                    by_1 += w * h * (rb + 2.0 * ra) / (3.0 * (ra + rb) ** 2)
            outer, inner = (by_0, by_1) if half == 0 else (by_1, by_0)
            total[0, s] += 0.5 * inner + (outer if half == 0 else 0.0)
            total[1, s] += 0.5 * inner + (outer if half == 1 else 0.0)
            total[3, s] += 0.75 * (outer - inner)
    return total


MODELS = {
    "transfer-matrix": Model(),
    "wkb": Model(wkb_transmission, wkb_sensitivity),
}
