"""Layers of the film and the interfaces between them: the field on both sides, and the hops of ions across.

The displacement D is continuous at an interface, the field E and the band are not. A face at an interface has half a cell
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

from otjdd.compiler.decorators import bare, inlined
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.laws.hopping import Hopping, Ions
from otjdd.physics.electrostatics import Permittivity, field, slope_at
from otjdd.physics.ions import DOWNHILL, G_SLOPE, UPHILL, UPHILL_SLOPE, G, Hops, acceleration, bernoulli_pair
from otjdd.physics.numerics import exponential

SIDES = 4  # rows of State.sides: E- and E+ [V/m], and dD/dE on both sides [F/m]
FIELD_LEFT, FIELD_RIGHT, EPS_LEFT, EPS_RIGHT = range(SIDES)


@by_pointer
class Layers(NamedTuple):
    """M layers of K columns from left to right; interface j is the first face of layer j + 1."""

    first: np.ndarray  # (M+1,) number of the first face of each layer, and of the face behind the last one
    pieces: (
        np.ndarray
    )  # (M+1,) number of the first piece of the band in each layer, and of the piece behind the last one
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
def count(layers: Layers) -> int:
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
    """Fill column f of work, see `ions.field_factors`, so that `ions.exchange` gives the flux through an interface.

    lengths : half a cell on both sides and the hop over a barrier of the interface [m]   crowding : 1/n [m3] on both sides
    w : (W_r - W_l)/kT   sides : the four numbers of State.sides
    Row G is 1. Rows UPHILL_SLOPE and G_SLOPE hold the derivatives [m/V] of UPHILL and DOWNHILL by the field of the face.
    """
    h_left, h_right, hop = lengths
    work[G, f] = 1.0
    for row in (UPHILL, DOWNHILL, UPHILL_SLOPE, G_SLOPE):
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
    work[UPHILL, f], work[DOWNHILL, f] = forth, back
    share_left, share_right = 1.0 / sides[EPS_LEFT], 1.0 / sides[EPS_RIGHT]
    eps = (h_left + h_right) / (h_left * share_left + h_right * share_right)
    share_left, share_right = share_left * eps, share_right * eps  # dE-/dE_f and dE+/dE_f
    work[UPHILL_SLOPE, f] = -forth * (by_left * share_left + by_right * share_right)
    work[G_SLOPE, f] = back * ((a.d_slope - by_left) * share_left + (b.d_slope - by_right) * share_right)
