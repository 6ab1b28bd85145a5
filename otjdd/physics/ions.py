"""Vacancy flux between two lattice-gas cells: one formula, and the laws of field acceleration of `laws.hopping`.

    J = (D0 g/h) [ B(d) c_l (1 - c_r/c_max) - B(-d) c_r (1 - c_l/c_max) ]     d = (-z E h + W_r - W_l)/kT

J > 0 towards larger x. B is the Bernoulli function (Scharfetter & Gummel 1969, doi:10.1109/T-ED.1969.16566). The flux
vanishes exactly when c/(c_max - c) = const exp(-(z phi + W)/kT) in both cells, whatever g: equilibrium does not know
the law of motion. g(E) = 1 in weak field for all laws, so D0 is the diffusivity:

    linear               g = 1
    mott-gurney          g = sinh(u)/u, u = z a E/2kT, capped where no barrier is left: |v| < a nu0
    genreith-schriever   barriers of a tilted sinusoidal potential (Genreith-Schriever & De Souza, Phys. Rev. B 94,
                         224304 (2016)): g = exp(-E_a (s - 1)/kT) sinh(u)/u, s = sqrt(1 - G^2) + G asin(G),
                         G = z a |E|/(pi E_a); no barrier forward for G >= 1

The macroscopic field drives the hop: a Lorentz field does not (Meuffels & Schroeder, Appl. Phys. A 105, 65 (2011)).
The slope of the site energy W acts through d only.
"""

import math

import numpy as np

from otjdd.laws import hopping
from otjdd.laws.hopping import Hopping, Ions
from otjdd.physics.jit import bare, detached, inlined
from otjdd.physics.numerics import OVERFLOW, bernoulli_given, exponentials

LAWS = {name: code for code, name in enumerate(hopping.LAWS)}  # name in a case -> Ions.law
LINEAR = LAWS["linear"]


@bare
def inverse_sinh_ratio(u: float, e: float):
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
def none_at(ions: Ions, hopping: Hopping, E: float, e: float, w: float, slope: float):
    """g and dg/dE of a law without acceleration, at one field."""
    return 1.0, 0.0


@inlined
def none_along(ions: Ions, hopping: Hopping, E: np.ndarray, e: np.ndarray, g: np.ndarray, dg: np.ndarray, slopes: bool):
    """g of a law without acceleration along a film and, with slopes, dg/dE."""
    g[:] = 1.0
    if slopes:
        dg[:] = 0.0


def with_law(code: int, law, others):
    """Kernels as `none_at` and `none_along` that know one law more than `others`: a branch for its code."""
    formula, (others_at, others_along) = bare(law), others

    def at(ions, hopping, E, e, w, slope):
        if ions.law == code:
            return formula(ions, hopping, E, e, w, slope)
        return others_at(ions, hopping, E, e, w, slope)

    def along(ions, hopping, E, e, g, dg, slopes):
        if ions.law == code:
            du = ions.z * ions.hop / (2.0 * hopping.kT)
            for f in range(E.size):
                w, slope = inverse_sinh_ratio(du * E[f], e[f])
                g[f], by_E = formula(ions, hopping, E[f], e[f], w, slope)
                if slopes:
                    dg[f] = by_E
        else:
            others_along(ions, hopping, E, e, g, dg, slopes)

    at.__qualname__, along.__qualname__ = f"law_{code}_at", f"law_{code}_along"  # names in the cache of kernels
    return bare(at), inlined(along)


laws_at, laws_along = none_at, none_along
for name, code in reversed(LAWS.items()):
    if hopping.LAWS[name].formula is not None:
        laws_at, laws_along = with_law(code, hopping.LAWS[name].formula, (laws_at, laws_along))


@bare
def acceleration(ions: Ions, hopping: Hopping, E: float):
    """Field acceleration g [1] of the hopping rate and dg/dE [m/V] at a field E [V/m]."""
    u = ions.z * ions.hop * E / (2.0 * hopping.kT)
    e = math.exp(min(max(u, -OVERFLOW), OVERFLOW))
    w, slope = inverse_sinh_ratio(u, e)
    return laws_at(ions, hopping, E, e, w, slope)


@bare
def bernoulli_pair(d: float, e: float):
    """B(d), B(-d) and dB/dd from d and e = e^|d|; each exact to round-off, B(-d) = B(d) + d only where it adds up."""
    size = abs(d)
    small, slope = bernoulli_given(size, e)
    large = small + size
    uphill = d >= 0.0
    return (small if uphill else large), (large if uphill else small), (slope if uphill else -1.0 - slope)


@bare
def exchange(c_l: float, c_r: float, c_max: float, rate: float, bernoulli: tuple, tilt: float, g: float, dg: float):
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


@detached
def field_factors(
    ions: Ions, hopping: Hopping, E: np.ndarray, distance: np.ndarray, site: np.ndarray, work: np.ndarray, slopes: bool
):
    """Fill rows 0..2 of work (6, N+1) with d, e^|d| and g at all faces: the part of the flux that the field sets.

    slopes : fill row 3 with dg/dE as well
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
    laws_along(ions, hopping, E, eu, g, dg, slopes)
