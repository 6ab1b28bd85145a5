"""Vacancy flux between two lattice-gas cells: one formula, three laws of field acceleration.

    J = (D0 g/h) [ B(d) c_l (1 - c_r/c_max) - B(-d) c_r (1 - c_l/c_max) ]     d = (-z E h + W_r - W_l)/kT

J > 0 towards larger x. B is the Bernoulli function (Scharfetter & Gummel 1969, doi:10.1109/T-ED.1969.16566). The flux
vanishes exactly when c/(c_max - c) = const exp(-(z phi + W)/kT) in both cells, whatever g: equilibrium does not know
the law of motion. g(E) = 1 in weak field for all laws, so D0 is the diffusivity:

    linear               g = 1
    mott-gurney          g = sinh(u)/u, u = z a E/2kT, until no barrier is left: the velocity never exceeds a nu0
    genreith-schriever   barriers of a tilted sinusoidal potential (Genreith-Schriever & De Souza, Phys. Rev. B 94,
                         224304 (2016)): g = exp(-E_a (s - 1)/kT) sinh(u)/u, s = sqrt(1 - G^2) + G asin(G),
                         G = z a |E|/(pi E_a); no barrier forward for G >= 1

The macroscopic field drives the hop: a Lorentz field does not (Meuffels & Schroeder, Appl. Phys. A 105, 65 (2011)).
The slope of the site energy W acts through d only.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.physics.jit import bare, inlined
from otjdd.physics.numerics import OVERFLOW, bernoulli_given, exponentials

LAWS = {"linear": 0, "mott-gurney": 1, "genreith-schriever": 2}
LINEAR, MOTT_GURNEY, GENREITH_SCHRIEVER = LAWS.values()


class Ions(NamedTuple):
    """The mobile species as numbers."""

    law: int
    z: int  # charge number
    hop: float  # effective hop distance a [m]
    attempt: float  # attempt frequency nu0 [Hz]
    c_max: float  # site density [1/m3]


class Hopping(NamedTuple):
    """Numbers of the hop in one column."""

    diffusivity: float  # D0 [m2/s], in weak field
    barrier: float  # migration barrier E_a [eV]
    kT: float  # eV


@bare
def inverse_sinh_ratio(u, e):
    """w = u/sinh(u) and dw/du, from u and e = e^u; finite for all u."""
    q = u * u
    near = 1.0 - q / 6.0 * (1.0 - q * (7.0 / 60.0) * (1.0 - q * (31.0 / 294.0) * (1.0 - q * (381.0 / 3720.0))))
    near_slope = -u / 3.0 * (1.0 - q * (7.0 / 30.0) * (1.0 - q * (31.0 / 196.0) * (1.0 - q * (381.0 / 2790.0))))
    back = 1.0 / e
    sinh = 0.5 * (e - back) if e != 1.0 else 1.0
    far = u / sinh
    far_slope = (1.0 - far * 0.5 * (e + back)) / sinh
    small = abs(u) < 0.1
    return (near if small else far), (near_slope if small else far_slope)


@bare
def mott_gurney(ions: Ions, hopping: Hopping, E: float, e: float):
    """g and dg/dE of the sinh law, from e = e^u: v = v0 sinh(u)/sqrt(1 + (k sinh u)^2), v0 = 2 D0/a, |v| < v0/k = a nu0.

    With w = u/sinh(u) this is g = 1/sqrt(w^2 + (k u)^2), which never overflows.
    """
    du = ions.z * ions.hop / (2.0 * hopping.kT)
    u = du * E
    k = 2.0 * hopping.diffusivity / (ions.hop * ions.hop * ions.attempt)
    w, slope = inverse_sinh_ratio(u, e)
    square = w * w + k * k * u * u
    g = 1.0 / math.sqrt(square)
    # in the cold g is 1e113 and g/square no double any more: w g and k g u are below one
    return g, -du * g * (w * g * (slope * g) + k * g * (k * g) * u)


@bare
def genreith_schriever(ions: Ions, hopping: Hopping, E: float, e: float):
    """g and dg/dE of the tilted sinusoidal potential, from e = e^u."""
    E_a, kT = hopping.barrier, hopping.kT
    du = ions.z * ions.hop / (2.0 * kT)
    u = du * E
    gamma = ions.z * ions.hop * abs(E) / (math.pi * E_a)
    if gamma < 1.0:
        w, slope = inverse_sinh_ratio(u, e)
        angle = math.asin(gamma)
        s = math.sqrt(1.0 - gamma * gamma) + gamma * angle
        g = math.exp(-E_a * (s - 1.0) / kT) / w
        # E_a ds/dE / kT = 2 du asin(G)/pi sign(E)
        return g, -g * (du * slope / w + math.copysign(2.0 * du * angle / math.pi, E))
    free = 2.0 * abs(u)
    g = math.exp(E_a / kT) * -math.expm1(-free) / free
    return g, math.copysign(2.0 * du, E) * (math.exp(E_a / kT - free) - g) / free


@inlined
def accelerations(ions: Ions, hopping: Hopping, E: np.ndarray, e: np.ndarray, g: np.ndarray, dg: np.ndarray):
    """Fill the field acceleration g [1] of the hopping rate and dg/dE [m/V] from e = e^u, u = z a E/2kT; all (n,)."""
    if ions.law == LINEAR:
        g[:] = 1.0
        dg[:] = 0.0
    elif ions.law == MOTT_GURNEY:
        for f in range(E.size):
            g[f], dg[f] = mott_gurney(ions, hopping, E[f], e[f])
    else:
        for f in range(E.size):
            g[f], dg[f] = genreith_schriever(ions, hopping, E[f], e[f])


@bare
def acceleration(ions: Ions, hopping: Hopping, E: float):
    """Field acceleration g [1] of the hopping rate and dg/dE [m/V] at a field E [V/m]."""
    if ions.law == LINEAR:
        return 1.0, 0.0
    u = ions.z * ions.hop * E / (2.0 * hopping.kT)
    e = math.exp(min(max(u, -OVERFLOW), OVERFLOW))
    if ions.law == MOTT_GURNEY:
        return mott_gurney(ions, hopping, E, e)
    return genreith_schriever(ions, hopping, E, e)


@bare
def bernoulli_pair(d: float, e: float):
    """B(d), B(-d) and dB/dd from d and e = e^|d|; each exact to round-off, B(-d) = B(d) + d only where it adds up."""
    size = abs(d)
    small, slope = bernoulli_given(size, e)
    large = small + size
    uphill = d >= 0.0
    return (small if uphill else large), (large if uphill else small), (slope if uphill else -1.0 - slope)


@bare
def exchange(c_l: float, c_r: float, c_max: float, rate: float, bernoulli, tilt: float, g: float, dg: float):
    """Flux J between two cells and its derivatives by c_l, c_r and E.

    rate : D0/h [m/s]   bernoulli : B(d), B(-d), dB/dd of `bernoulli_pair`   tilt : dd/dE [m/V]   dg : dg/dE [m/V]
    """
    B, B_back, dB = bernoulli
    crowd = 1.0 / c_max
    free_l, free_r = 1.0 - c_l * crowd, 1.0 - c_r * crowd
    forth, back = c_l * free_r, c_r * free_l
    balance = B * forth - B_back * back
    by_left = rate * g * (B * free_r + B_back * c_r * crowd)
    by_right = -rate * g * (B * c_l * crowd + B_back * free_l)
    by_field = rate * (dg * balance + g * tilt * (dB * forth - (dB + 1.0) * back))
    return rate * g * balance, by_left, by_right, by_field


@bare
def flux(ions: Ions, hopping: Hopping, c_l: float, c_r: float, E: float, h: float, site: float):
    """Vacancy flux J [1/(m2 s)] through a face and its derivatives by c_l, c_r [m/s] and E [1/(V m s)].

    c_l, c_r : concentrations of the cells [1/m3]   E : field at the face [V/m]   h : distance of the centres [m]
    site : W_r - W_l [eV]
    """
    kT = hopping.kT
    d = (site - ions.z * E * h) / kT
    bernoulli = bernoulli_pair(d, math.exp(min(abs(d), OVERFLOW)))
    g, dg = acceleration(ions, hopping, E)
    return exchange(c_l, c_r, ions.c_max, hopping.diffusivity / h, bernoulli, -ions.z * h / kT, g, dg)


@inlined
def field_factors(
    ions: Ions, hopping: Hopping, E: np.ndarray, distance: np.ndarray, site: np.ndarray, work: np.ndarray
):
    """Fill rows 0..3 of work (6, N+1) with d, e^|d|, g and dg/dE at all faces: the part of the flux that the field sets.

    The exponentials are taken for whole arrays, which is most of the speed of a time step.
    """
    d, ed, g, dg, u, eu = work[0], work[1], work[2], work[3], work[4], work[5]
    per_kT, du = 1.0 / hopping.kT, ions.z * ions.hop / (2.0 * hopping.kT)
    for f in range(E.size):
        d[f] = (site[f] - ions.z * E[f] * distance[f]) * per_kT
        u[f] = abs(d[f])
    exponentials(u, ed)
    if ions.law != LINEAR:
        for f in range(E.size):
            u[f] = du * E[f]
        exponentials(u, eu)
    accelerations(ions, hopping, E, eu, g, dg)
