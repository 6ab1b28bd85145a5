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

from numba import njit

from otjdd.physics.numerics import bernoulli

LAWS = {"linear": 0, "mott-gurney": 1, "genreith-schriever": 2}
LINEAR, MOTT_GURNEY, GENREITH_SCHRIEVER = LAWS.values()


class Ions(NamedTuple):
    """The mobile species as numbers."""

    law: int
    z: int  # charge number
    hop: float  # effective hop distance a [m]
    attempt: float  # attempt frequency nu0 [Hz]
    c_max: float  # site density [1/m3]


@njit(cache=True)
def sinh_ratio(u):
    """sinh(u)/u and its derivative, for |u| < 700."""
    if abs(u) < 0.1:
        q = u * u
        value = 1.0 + q / 6.0 * (1.0 + q / 20.0 * (1.0 + q / 42.0 * (1.0 + q / 72.0)))
        return value, u / 3.0 * (1.0 + q / 10.0 * (1.0 + q / 28.0 * (1.0 + q / 54.0)))
    e = math.exp(u)
    ratio = 0.5 * (e - 1.0 / e) / u
    return ratio, (0.5 * (e + 1.0 / e) - ratio) / u


@njit(cache=True)
def acceleration(ions, E, D0, E_a, kT):
    """Field acceleration g [1] of the hopping rate and dg/dE [m/V].

    E : field [V/m]   D0 : diffusivity [m2/s]   E_a : migration barrier [eV]   kT : [eV]
    """
    if ions.law == LINEAR:
        return 1.0, 0.0
    du = ions.z * ions.hop / (2.0 * kT)
    u = du * E
    if ions.law == MOTT_GURNEY:
        # drift velocity v = v0 sinh(u)/sqrt(1 + (k sinh u)^2), v0 = 2 D0/a, so that |v| -> v0/k = a nu0
        k = 2.0 * D0 / (ions.hop * ions.hop * ions.attempt)
        if abs(u) > 200.0:  # k sinh(u) squared nears overflow; the barrier is long gone
            k_sinh = k * math.exp(min(abs(u), 700.0)) / 2.0
            if k_sinh > 1e8:
                return 1.0 / (k * abs(u)), -du / (k * u * abs(u))
        ratio, slope = sinh_ratio(u)
        k_sinh = k * ratio * u
        cap = 1.0 / math.sqrt(1.0 + k_sinh * k_sinh)
        d_sinh = ratio + u * slope
        return ratio * cap, du * cap * (slope - ratio * cap * cap * k_sinh * k * d_sinh)
    gamma = ions.z * ions.hop * abs(E) / (math.pi * E_a)
    if gamma < 1.0:
        ratio, slope = sinh_ratio(u)
        angle = math.asin(gamma)
        s = math.sqrt(1.0 - gamma * gamma) + gamma * angle
        barrier = math.exp(-E_a * (s - 1.0) / kT)
        # E_a ds/dE / kT = z a asin(G)/(pi kT) sign(E)
        return barrier * ratio, barrier * (slope * du - ratio * math.copysign(2.0 * du * angle / math.pi, E))
    w = 2.0 * abs(u)
    g = math.exp(E_a / kT) * -math.expm1(-w) / w
    return g, math.copysign(2.0 * du, E) * (math.exp(E_a / kT - w) - g) / w


@njit(cache=True)
def flux(ions, c_l, c_r, E, h, site, D0, E_a, kT):
    """Vacancy flux J [1/(m2 s)] through a face and its derivatives by c_l, c_r [m/s] and E [1/(V m s)].

    c_l, c_r : concentrations of the cells [1/m3]   E : field at the face [V/m]   h : distance of the centres [m]
    site : W_r - W_l [eV]   D0 : diffusivity [m2/s]   E_a : migration barrier [eV]   kT : [eV]
    """
    d = (site - ions.z * E * h) / kT
    B, dB = bernoulli(d)
    B_back, dB_back = B + d, dB + 1.0
    g, dg = acceleration(ions, E, D0, E_a, kT)
    rate = D0 * g / h
    free_l, free_r = 1.0 - c_l / ions.c_max, 1.0 - c_r / ions.c_max
    balance = B * c_l * free_r - B_back * c_r * free_l
    by_left = rate * (B * free_r + B_back * c_r / ions.c_max)
    by_right = -rate * (B * c_l / ions.c_max + B_back * free_l)
    tilt = -ions.z * h / kT
    by_field = D0 / h * (dg * balance + g * tilt * (dB * c_l * free_r - dB_back * c_r * free_l))
    return rate * balance, by_left, by_right, by_field
