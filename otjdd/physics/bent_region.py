"""The bent region of a doped semiconductor, as straight pieces that an electron wave sees.

For any surface bending u_s the band follows one universal curve up to |u_s|: dx = du/|E(u)|. Straight pieces that keep the
mean of the band are exact to the fourth order in their length, so tolerance^(-1/4) of them are needed, and where a band u
falls off as exp(-x/l) their length grows as exp(x/4l):

    pieces per length = (|u''| l^2/(tolerance 1 eV))^(1/4)/l        l the screening length of the bulk

On 291 profiles of the reference device the largest error of a current is then the tolerance, from 1e-3 to 1e-5. The region
ends at tolerance kT: cut off at 0.1 kT it makes currents at |u_s| near kT wrong by up to 7 %.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart
from otjdd.physics.electrostatics import (
    Permittivity,
    displacement,
    doping_stiffness,
    field_of_bending,
    space_charge,
)
from otjdd.physics.numerics import hermite

KNOTS = 1001  # of the curve, evenly in ln |u|; two steps of Simpson's rule lie between them
FEWEST = 8  # pieces


@apart
def straight_pieces(
    sign: int, largest: float, tolerance: float, xi: float, kT: float, doping: float, density_of_states: float,
    eps: Permittivity,
):  # fmt: skip
    """Ends (3, P) of the straight pieces of a band bent by sign |u|, up to |u| = largest [eV].

    Rows: |u| [eV], depth [m] counted from the bulk, |E| [V/m]. tolerance : relative error of a current
    """
    start = math.log(tolerance * kT)
    step = (math.log(largest) - start) / (KNOTS - 1)
    screening = math.sqrt(displacement(0.0, eps)[1] / doping_stiffness(xi, kT, density_of_states))
    depth, rate, pieces = np.zeros(KNOTS), np.empty(KNOTS), np.zeros(KNOTS)  # rate = dx/d ln u
    for i in range(KNOTS):
        u = math.exp(start + i * step)
        E = field_of_bending(sign * u, xi, kT, doping, density_of_states, eps)
        rate[i] = u / E
        if i > 0:
            middle = math.exp(start + (i - 0.5) * step)
            halfway = middle / field_of_bending(sign * middle, xi, kT, doping, density_of_states, eps)
            depth[i] = depth[i - 1] + step / 6.0 * (rate[i - 1] + 4.0 * halfway + rate[i])
            curvature = abs(space_charge(sign * u, xi, kT, doping, density_of_states)) / displacement(E, eps)[1]
            density = (curvature * screening * screening / tolerance) ** 0.25 / screening
            pieces[i] = pieces[i - 1] + (depth[i] - depth[i - 1]) * density
    count = max(FEWEST, int(math.ceil(pieces[-1])))
    ends = np.empty((3, count + 1))
    ends[0, 0], ends[1, 0], ends[0, count], ends[1, count] = tolerance * kT, 0.0, largest, depth[-1]
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
