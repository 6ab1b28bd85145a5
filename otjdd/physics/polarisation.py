"""Polarisation of the films of a junction: one number P a column, uniform through its film.

    D = P + eps0 [eps_r E + ...]        in the film; P > 0 points to the right electrode

So the film carries sheets of charge -P at its left and +P at its right end, which the electrodes screen as they can: what
they leave is the depolarising field. In the kernels D at a face is that of the dielectric, without P; D_left and D_right
are the charges of the electrodes, with it.

A law moves one number q of each column by the mean field E of its film, less an offset E_off:

    two-level   q = P        dP/dt = k+ (P_s - P) - k- (P_s + P)        k+- = (kT/h) exp{-[w_b -+ (E - E_off) d_e]/kT}
    merz-kai    q reduced time      dq/dt = exp[-(E_a/|E - E_off|)^alpha]/tau0      P = T - (T - P_0) exp(-q^n)

Rates of two levels saturate at kT/h where the field has removed the barrier, with k+/k- as above: they keep detailed
balance. In the second law T = +-P_s is where the field points, and P_0 was P when the field turned last; there q = 0.
Sources: Merz, J. Appl. Phys. 27, 938 (1956); Ishibashi & Takagi, J. Phys. Soc. Jpn. 31, 506 (1971); for two levels
the model card Heracles, IEEE Trans. Electron Devices 72, 6009 (2025).
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE, PLANCK

TWO_LEVEL, MERZ_KAI = 0, 1
FARTHEST = 700.0  # largest exponent that is evaluated


@by_pointer
class Progress(NamedTuple):
    """Where the law of the polarisation of each column stands, (K,); arrays of size 0 where no film is polarised."""

    advance: np.ndarray  # q of the law
    begun: np.ndarray  # C/m2, P when the field turned last
    towards: np.ndarray  # sign of the field since


@by_pointer
class Polarisation(NamedTuple):
    """How the films of K columns are polarised; the arrays are of size 0 where none is."""

    law: int  # TWO_LEVEL or MERZ_KAI
    saturation: np.ndarray  # (K,) P_s, C/m2
    thickness: np.ndarray  # (K,) m, of the films
    offset: np.ndarray  # (K,) E_off, V/m
    barrier: np.ndarray  # (K,) w_b, eV
    dipole: np.ndarray  # (K,) d_e, m
    time: np.ndarray  # (K,) tau0, s
    activation: np.ndarray  # (K,) E_a, V/m
    power: np.ndarray  # (K,) alpha
    dimension: np.ndarray  # (K,) n


class Rate(NamedTuple):
    """dq/dt of a column, and its derivatives by q and by the mean field."""

    value: float
    by_q: float
    by_field: float
    against: float  # the rate at which q would begin anew in a field that points against the direction so far [1/s]


@bare
def two_level_rates(x: float, barrier: float, kT: float):
    """k+ and k- [1/s] at a gain x = (E - E_off) d_e [eV], and their derivatives by x."""
    size, sign = abs(x), math.copysign(1.0, x)
    share = 1.0 / (1.0 + math.exp(min((barrier - size) / kT, FARTHEST)))
    forward = kT * ELEMENTARY_CHARGE / PLANCK * share
    backward = forward * math.exp(max(-2.0 * size / kT, -FARTHEST))
    grows, falls = sign * forward * (1.0 - share) / kT, -sign * backward * (1.0 + share) / kT
    if x >= 0.0:
        return forward, backward, grows, falls
    return backward, forward, falls, grows


@bare
def merz_rate(E: float, time: float, activation: float, power: float):
    """1/tau [1/s] in a field of the strength E [V/m], and its derivative by E."""
    r = math.exp(min(power * math.log(activation / E), FARTHEST)) if E > 0.0 else math.inf
    if r >= FARTHEST:
        return 0.0, 0.0
    rate = math.exp(-r) / time
    return rate, rate * r * power / E


@bare
def rate_of(polar: Polarisation, k: int, kT: float, q: float, towards: float, E: float) -> Rate:
    """Rate of q of column k in a mean field E [V/m].

    towards : sign of the field in which q began, 0 where there was none
    """
    E -= polar.offset[k]
    if polar.law == TWO_LEVEL:
        P_s, d = polar.saturation[k], polar.dipole[k]
        up, down, up_slope, down_slope = two_level_rates(E * d, polar.barrier[k], kT)
        by_field = d * (up_slope * (P_s - q) - down_slope * (P_s + q))
        return Rate(up * (P_s - q) - down * (P_s + q), -(up + down), by_field, 0.0)
    rate, slope = merz_rate(abs(E), polar.time[k], polar.activation[k], polar.power[k])
    return Rate(rate, 0.0, slope * towards, 0.0) if E * towards > 0.0 else Rate(0.0, 0.0, 0.0, rate)


@bare
def polarisation_at(polar: Polarisation, k: int, q: float, begun: float, towards: float):
    """P [C/m2] of column k at q, and dP/dq."""
    if polar.law == TWO_LEVEL:
        return q, 1.0
    q, n = max(q, 0.0), polar.dimension[k]
    end = towards * polar.saturation[k]
    left = (end - begun) * math.exp(-(q**n))
    return end - left, left * n * q ** (n - 1.0)


@inlined
def mean_field(distance: np.ndarray, E: np.ndarray, thickness: float) -> float:
    """Mean of the field [V/m] over a film, from distances (N+1,) [m] between centres and fields (N+1,) at the faces."""
    voltage = 0.0
    for f in range(E.size):
        voltage += distance[f] * E[f]
    return voltage / thickness


@detached
def put_polarisation(polar: Polarisation, P: np.ndarray, progress: Progress):
    """Start the laws of all columns afresh at polarisations P (K,) [C/m2]."""
    for k in range(polar.saturation.size):
        progress.advance[k] = P[k] if polar.law == TWO_LEVEL else 0.0
        progress.begun[k], progress.towards[k] = P[k], 0.0
