"""The bent region of a doped semiconductor, as pieces that an electron wave sees.

For any surface bending u_s the band follows one universal curve up to |u_s|: dx = du/|E(u)|. A piece keeps the mean, the
tilt and the curve of the band (`bands`). What is left of the band in a piece of length h makes an error of a current

    m k0 |u''| h^4 (s^2 + K^2/40) h^2/(A + 4 (k h)^3)        k0 = 2 m0 e/hbar^2,  s = |d ln u''/dx|

k is the wave number of an electron at kT above the bottom of the lead or above its Fermi level, there, and 0 where the
band lies higher; K is the same with |u| added to its energy. Pieces that are short beside a wave err as the sixth power of
their length, by phase; longer ones reflect the wave at their ends. The form is an estimate, with constants fitted to
currents of random devices; `python -m validation.reliability currents` counts the currents that are off by more than their
tolerance. The region ends where the band is bent by a tenth of tolerance kT.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, kernel
from otjdd.laws.transmission import K0
from otjdd.physics.electrostatics import (
    Permittivity,
    displacement,
    field_of_bending,
    space_charge,
)
from otjdd.physics.numerics import hermite

KNOTS = 1001  # of the curve, evenly in ln |u|; two steps of Simpson's rule lie between them
FEWEST = 8  # pieces
REST = 0.1  # of tolerance kT, the bending at which the region ends
PHASE, REFLECTED, BEYOND = 14.0, 4.0, 40.0  # constants of the error, in order: A, 4 and 40
BARRIER = 300.0  # A in a barrier 4 kT high, where no wave is slow
HALVINGS = 40


@kernel
def longest(bent: float, far: float, k: float, K: float, s: float, tolerance: float) -> float:
    """Length [m] of a piece whose error is the tolerance, at most 1/s.

    bent : m k0 |u''| [1/m4]   far : A   k, K [1/m], s [1/m] : as above
    """
    low, high = -30.0, 0.0  # of ln h
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        h = math.exp(middle)
        smooth = min(1.0, h * h * (s * s + K * K / BEYOND))
        if bent * h**4 * smooth <= tolerance * (far + REFLECTED * (k * h) ** 3) and h * s <= 1.0:
            low = middle
        else:
            high = middle
    return math.exp(low)


@apart
def ends_of_pieces(
    largest: float, tolerance: float, mass: float, xi: float, kT: float, doping: float, density_of_states: float,
    eps: Permittivity,
):  # fmt: skip
    """Ends (3, P) of the pieces of a bent band, up to u = largest [eV], whose sign is that of the region.

    Rows: |u| [eV], depth [m] counted from the bulk, |E| [V/m]. tolerance : relative error of a current   mass : m0
    """
    sign, end = math.copysign(1.0, largest), REST * tolerance * kT
    start = math.log(end)
    step = (math.log(abs(largest)) - start) / (KNOTS - 1)
    depth, rate, pieces = np.zeros(KNOTS), np.empty(KNOTS), np.zeros(KNOTS)  # rate = dx/d ln u
    level, curvature = kT + max(xi, 0.0), 0.0
    for i in range(KNOTS):
        u = math.exp(start + i * step)
        E = field_of_bending(sign * u, xi, kT, doping, density_of_states, eps)
        rate[i] = u / E
        last, curvature = (
            curvature,
            abs(space_charge(sign * u, xi, kT, doping, density_of_states)) / displacement(E, eps)[1],
        )
        if i > 0:
            middle = math.exp(start + (i - 0.5) * step)
            halfway = middle / field_of_bending(sign * middle, xi, kT, doping, density_of_states, eps)
            depth[i] = depth[i - 1] + step / 6.0 * (rate[i - 1] + 4.0 * halfway + rate[i])
            h = longest(
                mass * K0 * curvature,
                PHASE * (BARRIER / PHASE) ** min(max((u - max(xi, 0.0)) / (4.0 * kT), 0.0), 1.0)
                if sign > 0.0
                else PHASE,
                math.sqrt(mass * K0 * max(level - sign * u, 0.0)),
                math.sqrt(mass * K0 * (level + u)),
                abs(math.log(curvature / last)) / (depth[i] - depth[i - 1]),
                tolerance,
            )
            pieces[i] = pieces[i - 1] + (depth[i] - depth[i - 1]) / h
    count = max(FEWEST, int(math.ceil(pieces[-1])))
    ends = np.empty((3, count + 1))
    ends[0, 0], ends[1, 0], ends[0, count], ends[1, count] = end, 0.0, abs(largest), depth[-1]
    i = 0
    for n in range(1, count):
        share = pieces[-1] * n / count
        while pieces[i + 1] < share:
            i += 1
        x = step * (i + (share - pieces[i]) / (pieces[i + 1] - pieces[i]))
        ends[0, n], ends[1, n] = math.exp(start + x), hermite(depth, rate, 0.0, step, x)[0]
    for n in range(count + 1):
        ends[2, n] = field_of_bending(sign * ends[0, n], xi, kT, doping, density_of_states, eps)
    return ends
