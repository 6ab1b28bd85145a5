"""Vacancy flux between two lattice-gas cells: one formula, and the laws of field acceleration of `laws.hopping`.

    J = (D0 g/h) [ B(d) c_l (1 - c_r/n) - B(-d) c_r (1 - c_l/n) ]     d = (-z E h + W_r - W_l)/kT     n sites per volume

J > 0 towards larger x. B is the Bernoulli function (Scharfetter & Gummel 1969, doi:10.1109/T-ED.1969.16566). The flux
vanishes exactly when c/(n - c) = const exp(-(z phi + W)/kT) in both cells, whatever g: equilibrium does not know
the law of motion. g(E) = 1 in weak field for all laws, so D0 is the diffusivity:

    linear               g = 1
    mott-gurney          g = sinh(u)/u, u = z a E/2kT, capped where no barrier is left: |v| < a nu0
    genreith-schriever   barriers of a tilted sinusoidal potential (Genreith-Schriever & De Souza, Phys. Rev. B 94,
                         224304 (2016)): g = exp(-E_a (s - 1)/kT) sinh(u)/u, s = sqrt(1 - G^2) + G asin(G),
                         G = z a |E|/(pi E_a); no barrier forward for G >= 1

The macroscopic field drives the hop: a Lorentz field does not (Meuffels & Schroeder, Appl. Phys. A 105, 65 (2011)).
The slope of the site energy W acts through d only. A law is a number without a unit, so the hop distance a enters it as
a E and as D0/a^2: where a differs along a film, these two are scaled.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, chosen, detached, fused, inlined
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.laws import hopping
from otjdd.laws.exchange import Wall
from otjdd.laws.hopping import Hopping, Ions
from otjdd.physics.numerics import bernoulli_given, exponential

by_pointer(Ions)
by_pointer(Wall)
LAWS = {name: code for code, name in enumerate(hopping.LAWS)}  # name in a case -> Ions.law
# rows of `field_factors`: B(d), B(-d), g, with slopes dB/dd and dg/dE [m/V], and the arguments d, E [V/m], D0 [m2/s] and
# E_a [eV] of these
FACTORS = 9
UPHILL, DOWNHILL, G, UPHILL_SLOPE, G_SLOPE, TILT, FIELD, DIFFUSIVITY, BARRIER = range(FACTORS)
LANES = 8  # doubles that a vectorised loop takes at once; it takes those that are left over one by one


class Hops(NamedTuple):
    """The numbers of `Hopping` along a film, those of the barriers at its faces."""

    diffusivity: np.ndarray  # (N+1,) D0 [m2/s], in weak field
    barrier: np.ndarray  # (N+1,) migration barrier E_a [eV]
    reach: np.ndarray  # (N+1,) hop distance over that of `Ions`
    kT: float  # eV


@fused
def inverse_sinh_ratio(u: float):
    """w = u/sinh(u) and dw/du; finite for all u."""
    p = u * u
    near = 1.0 - p * (1.0 / 6.0) * (1.0 - p * (7.0 / 60.0) * (1.0 - p * (31.0 / 294.0) * (1.0 - p * (381.0 / 3720.0))))
    near_slope = 1.0 - p * (7.0 / 30.0) * (1.0 - p * (31.0 / 196.0) * (1.0 - p * (381.0 / 2790.0)))
    size = abs(u)
    q = exponential(-size)
    per = 1.0 / (1.0 - q * q) if q != 1.0 else 0.0
    inverse, coth = 2.0 * q * per, (1.0 + q * q) * per  # of sinh |u|
    far = size * inverse
    far_slope = -math.copysign(far * coth - inverse, u)
    small = size < 0.1
    return (near if small else far), (-u * (1.0 / 3.0) * near_slope if small else far_slope)


def law_along(code: int, formula):
    """Kernel as `laws_along` of one law, from its formula at one field."""

    def along(ions, hops, E, g, dg, with_slopes):
        du = ions.z * ions.hop / (2.0 * hops.kT)
        if with_slopes:
            for f in range(E.size):
                w, slope = inverse_sinh_ratio(du * E[f])
                hopping = Hopping(hops.diffusivity[f], hops.barrier[f], hops.kT)
                g[f], dg[f] = formula(ions, hopping, E[f], w, slope)
        else:
            for f in range(E.size):
                w, slope = inverse_sinh_ratio(du * E[f])
                hopping = Hopping(hops.diffusivity[f], hops.barrier[f], hops.kT)
                g[f] = formula(ions, hopping, E[f], w, slope)[0]

    along.__qualname__ = f"law_{code}_along"  # in the cache of kernels
    return inlined(along)


FORMULAS = {LAWS[name]: bare(law.formula) for name, law in hopping.LAWS.items() if law.formula is not None}


@chosen(FORMULAS, "ions.law", bare)
def laws_at(ions: Ions, hopping: Hopping, E: float, w: float, slope: float):
    """g and dg/dE at one field; of a law without a formula 1 and 0."""
    return 1.0, 0.0


@chosen({code: law_along(code, formula) for code, formula in FORMULAS.items()}, "ions.law", inlined)
def laws_along(ions: Ions, hops: Hops, E: np.ndarray, g: np.ndarray, dg: np.ndarray, with_slopes: bool):
    """g along a film and, with slopes, dg/dE."""
    g[:] = 1.0
    if with_slopes:
        dg[:] = 0.0


@bare
def acceleration(ions: Ions, hopping: Hopping, E: float):
    """Field acceleration g [1] of the hopping rate and dg/dE [m/V] at a field E [V/m]."""
    w, slope = inverse_sinh_ratio(ions.z * ions.hop * E / (2.0 * hopping.kT))
    return laws_at(ions, hopping, E, w, slope)


@fused
def bernoulli_pair(d: float):
    """B(d), B(-d) and dB/dd; each exact to round-off, B(-d) = B(d) + d only where it adds up."""
    size = abs(d)
    small, slope = bernoulli_given(size, exponential(size))
    large = small + size
    uphill = d >= 0.0
    return (small if uphill else large), (large if uphill else small), (slope if uphill else -1.0 - slope)


@inlined
def sign_of_way(c: float, free: float) -> float:
    """Sign of the hops from a cell with ions c to one with a share free of sites: -1 where both are below zero, else 1.

    A time step may leave a cell emptier than empty beside one fuller than full. The product of both errors would move ions
    from the first to the second, the faster, the larger both are. With this sign it leads back.
    """
    return -1.0 if c < 0.0 and free < 0.0 else 1.0


@bare
def exchange(c: tuple, crowding: tuple, rate: float, bernoulli: tuple, tilt: float, g: float, dg: float):
    """Flux J between two cells and its derivatives by c_l, c_r and E.

    c, crowding : concentration [1/m3] and volume of a site [m3] of both cells   rate : D0/h [m/s]
    bernoulli : B(d), B(-d), dB/dd   tilt : dd/dE [m/V]   dg : dg/dE [m/V]
    """
    (c_l, c_r), (crowd_l, crowd_r), (B, B_back, dB) = c, crowding, bernoulli
    free_l, free_r = 1.0 - c_l * crowd_l, 1.0 - c_r * crowd_r
    right, left = sign_of_way(c_l, free_r), sign_of_way(c_r, free_l)
    forth, back = right * (c_l * free_r), left * (c_r * free_l)
    balance = B * forth - B_back * back
    by_left = rate * g * (B * (right * free_r) + B_back * (left * c_r) * crowd_l)
    by_right = -rate * g * (B * (right * c_l) * crowd_r + B_back * (left * free_l))
    by_field = rate * (dg * balance + g * tilt * (dB * forth - (dB + 1.0) * back))
    return rate * g * balance, by_left, by_right, by_field


@bare
def flux(ions: Ions, hopping: Hopping, c_l: float, c_r: float, E: float, h: float, site: float):
    """Vacancy flux J [1/(m2 s)] through a face and its derivatives by c_l, c_r [m/s] and E [1/(V m s)].

    c_l, c_r : concentrations of the cells [1/m3]   E : field at the face [V/m]   h : distance of the centres [m]
    site : W_r - W_l [eV]
    """
    kT = hopping.kT
    bernoulli = bernoulli_pair((site - ions.z * E * h) / kT)
    g, dg = acceleration(ions, hopping, E)
    crowding = 1.0 / ions.c_max, 1.0 / ions.c_max
    return exchange((c_l, c_r), crowding, hopping.diffusivity / h, bernoulli, -ions.z * h / kT, g, dg)


def new_factors(N: int) -> np.ndarray:
    """Room for `field_factors` (FACTORS, N+1 or more) of a column of N cells: whole vectors.

    Beyond the last face all is zero, but barriers, which laws divide by.
    """
    work = np.zeros((FACTORS, -(-(N + 1) // LANES) * LANES))
    work[BARRIER] = 1.0
    return work


@detached
def field_factors(
    ions: Ions, hops: Hops, E: np.ndarray, distance: np.ndarray, site: np.ndarray, work: np.ndarray, with_slopes: bool
):
    """Fill rows UPHILL, DOWNHILL and G of work at all faces: the part of the flux that the field sets.

    work : of `new_factors`   with_slopes : fill rows UPHILL_SLOPE and G_SLOPE as well
    Exponentials are most of the cost of a time step: the loops with them are vectorised, over whole vectors.
    """
    d, field, per_kT = work[TILT], work[FIELD], 1.0 / hops.kT
    along, reach = Hops(work[DIFFUSIVITY], work[BARRIER], hops.reach, hops.kT), hops.reach
    B, B_back, g, dB, dg = work[UPHILL], work[DOWNHILL], work[G], work[UPHILL_SLOPE], work[G_SLOPE]
    for f in range(E.size):
        d[f] = (site[f] - ions.z * E[f] * distance[f]) * per_kT
        field[f] = E[f] * reach[f]
        along.diffusivity[f], along.barrier[f] = hops.diffusivity[f] / (reach[f] * reach[f]), hops.barrier[f]
    if with_slopes:
        for f in range(d.size):
            B[f], B_back[f], dB[f] = bernoulli_pair(d[f])
        laws_along(ions, along, field, g, dg, True)
        for f in range(E.size):
            dg[f] *= reach[f]
    else:
        for f in range(d.size):
            pair = bernoulli_pair(d[f])
            B[f], B_back[f] = pair[0], pair[1]
        laws_along(ions, along, field, g, dg, False)
