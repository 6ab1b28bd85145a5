"""Vacancy flux between two lattice-gas cells: one formula, and the laws of field acceleration of `laws`.

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

Layers and their interfaces, in the second half. The displacement D is continuous at an interface, the field E and the band
are not. A face at an interface has half a cell
of each layer beside it. Its field is the mean over both, and its permittivity belongs to that mean,

    E_f = (h- E- + h+ E+)/(h- + h+)        (h- + h+)/eps_f = h-/eps- + h+/eps+        E-+ = E(D_f; layer)

so that closure, band and Jacobian treat all faces alike. Hops and the band for tunnelling need both sides, and take them
from `State.sides`. The flux in shares of sites theta = c/n passes both halves, and a barrier of the interface, in series:

    J_f = [theta_l (1 - theta_r) - theta_r (1 - theta_l) e^(d- + w + d+)]/(R- + R_i + R+)
    R- = h-/(n_l D_l g(E-) B(d-))    R+ = h+ e^(d- + w)/(n_r D_r g(E+) B(d+))    R_i = a e^(d- + w/2)/(sqrt(n_l n_r) D_i)
    d-+ = -z E-+ h-+/kT              w = (W_r - W_l)/kT

For two layers of one material R- + R+ = h/(n D B), as inside a layer. A film of one material is the case of one layer.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, chosen, detached, fused, inlined
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.laws import HOPPING_LAWS, Hopping, Ions, Wall
from otjdd.physics.electrostatics import Permittivity, field, slope_at
from otjdd.physics.numerics import bernoulli_given, exponential

by_pointer(Ions)


by_pointer(Wall)


HOP_CODES = {name: code for code, name in enumerate(HOPPING_LAWS)}  # name in a case -> Ions.law
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


def law_at_faces(code: int, formula):
    """Kernel as `laws_at_faces` of one law, from its formula at one field."""

    def at_faces(ions, hops, E, g, dg, with_slopes):
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

    at_faces.__qualname__ = f"law_{code}_at_faces"  # in the cache of kernels
    return inlined(at_faces)


FORMULAS = {HOP_CODES[name]: bare(law.formula) for name, law in HOPPING_LAWS.items() if law.formula is not None}


@chosen(FORMULAS, "ions.law", bare)
def laws_at(ions: Ions, hopping: Hopping, E: float, w: float, slope: float):
    """g and dg/dE at one field; of a law without a formula 1 and 0."""
    return 1.0, 0.0


@chosen({code: law_at_faces(code, formula) for code, formula in FORMULAS.items()}, "ions.law", inlined)
def laws_at_faces(ions: Ions, hops: Hops, E: np.ndarray, g: np.ndarray, dg: np.ndarray, with_slopes: bool):
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


@inlined
def hops_both_ways(c: tuple, crowding: tuple):
    """c_l (1 - c_r/n) and c_r (1 - c_l/n) of two cells [1/m3]: what may hop to the right and to the left."""
    free_l, free_r = 1.0 - c[0] * crowding[0], 1.0 - c[1] * crowding[1]
    return sign_of_way(c[0], free_r) * (c[0] * free_r), sign_of_way(c[1], free_l) * (c[1] * free_l)


@bare
def flux_between_cells(c: tuple, crowding: tuple, rate: float, bernoulli: tuple, tilt: float, g: float, dg: float):
    """Flux J between two cells and its derivatives by c_l, c_r and E.

    c, crowding : concentration [1/m3] and volume of a site [m3] of both cells   rate : D0/h [m/s]
    bernoulli : B(d), B(-d), dB/dd   tilt : dd/dE [m/V]   dg : dg/dE [m/V]
    """
    (c_l, c_r), (crowd_l, crowd_r), (B, B_back, dB) = c, crowding, bernoulli
    free_l, free_r = 1.0 - c_l * crowd_l, 1.0 - c_r * crowd_r
    right, left = sign_of_way(c_l, free_r), sign_of_way(c_r, free_l)
    forth, back = hops_both_ways(c, crowding)
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
    return flux_between_cells((c_l, c_r), crowding, hopping.diffusivity / h, bernoulli, -ions.z * h / kT, g, dg)


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
    scaled, reach = Hops(work[DIFFUSIVITY], work[BARRIER], hops.reach, hops.kT), hops.reach
    B, B_back, g, dB, dg = work[UPHILL], work[DOWNHILL], work[G], work[UPHILL_SLOPE], work[G_SLOPE]
    for f in range(E.size):
        d[f] = (site[f] - ions.z * E[f] * distance[f]) * per_kT
        field[f] = E[f] * reach[f]
        scaled.diffusivity[f], scaled.barrier[f] = hops.diffusivity[f] / (reach[f] * reach[f]), hops.barrier[f]
    if with_slopes:
        for f in range(d.size):
            B[f], B_back[f], dB[f] = bernoulli_pair(d[f])
        laws_at_faces(ions, scaled, field, g, dg, True)
        for f in range(E.size):
            dg[f] *= reach[f]
    else:
        for f in range(d.size):
            pair = bernoulli_pair(d[f])
            B[f], B_back[f] = pair[0], pair[1]
        laws_at_faces(ions, scaled, field, g, dg, False)


SIDES = 4  # rows of State.sides: E- and E+ [V/m], and dD/dE on both sides [F/m]
FIELD_LEFT, FIELD_RIGHT, EPS_LEFT, EPS_RIGHT = range(SIDES)


@by_pointer
class Layers(NamedTuple):
    """M layers of K columns from left to right; interface j is the first face of layer j + 1."""

    first: np.ndarray  # (M+1,) number of the first face of each layer, and of the face behind the last one
    pieces: np.ndarray  # (M+1,) number of the first piece of the band in each layer, and of that behind the last one
    half_left: np.ndarray  # (K, M-1) m, half a cell to the left of each interface
    half_right: np.ndarray  # (K, M-1) m, half a cell to its right
    hop: np.ndarray  # (K, M-1) m, distance of the hop over a barrier of the interface; 0 without a barrier


class Half(NamedTuple):
    """Half a cell beside an interface as a resistance r exp(max(d, 0)) of the hops through it, with d of its field."""

    d: float  # rise of the energy of an ion across it, over kT
    d_slope: float  # dd/dE [m/V]
    r: float  # m2 s
    log_r_slope: float  # d ln r/dE [m/V]


@inlined
def layer_count(layers: Layers) -> int:
    """Number of layers."""
    return layers.first.size - 1


@bare
def blend_sides(
    layers: Layers,
    k: int,
    j: int,
    D: float,
    laws: tuple[Permittivity, Permittivity],
    right_side: tuple,
    sides: np.ndarray,
) -> tuple[float, float]:
    """Field [V/m] and dD/dE [F/m] of the face at interface j of column k; fill column j of its sides (SIDES, M-1).

    D : at the face [C/m2]   laws : permittivities to the left and to the right
    right_side : field to the right, and cosh(y) of it by `electrostatics.fields`
    """
    left, right = layers.half_left[k, j], layers.half_right[k, j]
    E_left, eps_left = field(D, laws[0])
    E_right, eps_right = right_side[0], slope_at(right_side[1], laws[1])
    sides[FIELD_LEFT, j], sides[FIELD_RIGHT, j] = E_left, E_right
    sides[EPS_LEFT, j], sides[EPS_RIGHT, j] = eps_left, eps_right
    whole = left + right
    return (left * E_left + right * E_right) / whole, whole / (left / eps_left + right / eps_right)


@bare
def half_of_interface(ions: Ions, hops: Hops, f: int, sites: float, E: float, h: float) -> Half:
    """Half a cell of length h [m] at a field E [V/m], with the hops of face f.

    sites : crowding 1/n [m3] of the cell
    """
    d_slope, reach = -ions.z * h / hops.kT, hops.reach[f]
    d = d_slope * E
    hopping = Hopping(hops.diffusivity[f] / (reach * reach), hops.barrier[f], hops.kT)
    g, dg = acceleration(ions, hopping, E * reach)
    B, B_back, dB = bernoulli_pair(d)
    large, by_size = max(B, B_back), (dB + 1.0 if d >= 0.0 else dB)  # B(-|d|), and its slope by d
    r = h * sites / (hops.diffusivity[f] * g * large)
    return Half(d, d_slope, r, -dg * reach / g - by_size / large * d_slope)


@bare
def fill_interface_hops(
    ions: Ions, hops: Hops, lengths: tuple, crowding: tuple, w: float, sides: tuple, f: int, work: np.ndarray
):  # fmt: skip
    """Fill column f of work, see `field_factors`, so that `flux_between_cells` gives the flux through an interface.

    lengths : half a cell on both sides and the hop over a barrier of the interface [m]   crowding : 1/n [m3] on both sides
    w : (W_r - W_l)/kT   sides : the four numbers of State.sides
    Row G is 1. Rows UPHILL_SLOPE and G_SLOPE hold the derivatives [m/V] of UPHILL and DOWNHILL by the field of the face,
    row TILT that of ln UPHILL by -w.
    """
    h_left, h_right, hop = lengths
    work[G, f] = 1.0
    for row in (UPHILL, DOWNHILL, UPHILL_SLOPE, G_SLOPE, TILT):
        work[row, f] = 0.0
    if hops.diffusivity[f] == 0.0:  # no sites on one side
        return
    a = half_of_interface(ions, hops, f - 1, crowding[0], sides[FIELD_LEFT], h_left)
    b = half_of_interface(ions, hops, f + 1, crowding[1], sides[FIELD_RIGHT], h_right)
    whole, over = a.d + w + b.d, a.d + 0.5 * w
    through_left, through_right = max(a.d, 0.0), a.d + w + max(b.d, 0.0)
    top = max(through_left, through_right, over)  # of the exponents; what is in front of them is neither huge nor tiny
    p_left, p_right, p_over = a.r * exponential(through_left - top), b.r * exponential(through_right - top), 0.0
    if hop > 0.0:
        p_over = hop * math.sqrt(crowding[0] * crowding[1]) / hops.diffusivity[f] * exponential(over - top)
    total = p_left + p_right + p_over
    by_left = (p_left * (a.log_r_slope + (a.d_slope if a.d >= 0.0 else 0.0)) + (p_right + p_over) * a.d_slope) / total
    by_right = p_right * (b.log_r_slope + (b.d_slope if b.d >= 0.0 else 0.0)) / total
    per_rate = (h_left + h_right) / (hops.diffusivity[f] * total)
    forth, back = math.exp(-top) * crowding[0] * per_rate, math.exp(whole - top) * crowding[1] * per_rate
    work[UPHILL, f], work[DOWNHILL, f], work[TILT, f] = forth, back, (p_right + 0.5 * p_over) / total
    share_left, share_right = 1.0 / sides[EPS_LEFT], 1.0 / sides[EPS_RIGHT]
    eps = (h_left + h_right) / (h_left * share_left + h_right * share_right)
    share_left, share_right = share_left * eps, share_right * eps  # dE-/dE_f and dE+/dE_f
    work[UPHILL_SLOPE, f] = -forth * (by_left * share_left + by_right * share_right)
    work[G_SLOPE, f] = back * ((a.d_slope - by_left) * share_left + (b.d_slope - by_right) * share_right)
