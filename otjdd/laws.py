"""Published laws as plain formulas by name: hops of ions, exchange at electrodes, transmission of electrons, permittivity.

A case names a law; `case` uses the names, and `physics` and `mechanisms` compile the formulas, which use `math`, `numpy`,
K0 and their arguments only. A new law is a formula and a row of the table of its section, and nothing else.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from otjdd.constants import ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR

# ---- Hops of ions --------------------------------------------------------------------------------------------------
# Field acceleration of an ion hop, by the law of `ions.law`: the factor g(E) by which a field E speeds up the hops across
# a barrier, in both directions together. It multiplies the flux of `physics.ions`. g(0) = 1, so the diffusivity in weak
# field is that of the case. `tests/physics/test_ions.py` tests every law: add the law as published, in extended
# precision, there.


class Ions(NamedTuple):
    """The mobile ions as numbers."""

    law: int  # index in HOPPING_LAWS
    z: int  # charge number
    hop: float  # effective hop distance a [m]
    attempt: float  # attempt frequency nu0 [Hz]
    c_max: float  # site density [1/m3]


class Hopping(NamedTuple):
    """The numbers of a hop that depend on the column."""

    diffusivity: float  # D0 [m2/s], in weak field
    barrier: float  # migration barrier E_a [eV]
    kT: float  # eV


HoppingFormula = Callable[[Ions, Hopping, float, float, float], tuple[float, float]]  # -> (g, dg/dE [m/V])


class HoppingLaw(NamedTuple):
    """A law: its formula, and its source."""

    formula: HoppingFormula | None  # None for g = 1
    source: str = ""


# Arguments of a formula besides ions and hopping: E [V/m], and of u = z a E/2kT the numbers w = u/sinh(u) and
# slope = dw/du, which are finite for every u.


def mott_gurney(ions: Ions, hopping: Hopping, E: float, w: float, slope: float) -> tuple[float, float]:
    """g and dg/dE of the sinh law: v = v0 sinh(u)/sqrt(1 + (k sinh u)^2), v0 = 2 D0/a, |v| < v0/k = a nu0.

    With w = u/sinh(u) this is g = 1/sqrt(w^2 + (k u)^2), which never overflows.
    """
    du = ions.z * ions.hop / (2.0 * hopping.kT)
    u = du * E
    k = 2.0 * hopping.diffusivity / (ions.hop * ions.hop * ions.attempt)
    square = w * w + k * k * u * u
    g = 1.0 / math.sqrt(square)
    # at low temperature g reaches 1e113, and g/square overflows; w g and k g u stay below 1
    return g, -du * g * (w * g * (slope * g) + k * g * (k * g) * u)


def genreith_schriever(ions: Ions, hopping: Hopping, E: float, w: float, slope: float) -> tuple[float, float]:
    """g and dg/dE of the tilted sinusoidal potential; no barrier is left forward for G = z a |E|/(pi E_a) >= 1."""
    E_a, kT = hopping.barrier, hopping.kT
    du = ions.z * ions.hop / (2.0 * kT)
    u = du * E
    gamma = ions.z * ions.hop * abs(E) / (math.pi * E_a)
    if gamma < 1.0:
        angle = math.asin(gamma)
        s = math.sqrt(1.0 - gamma * gamma) + gamma * angle
        g = math.exp(-E_a * (s - 1.0) / kT) / w
        # E_a ds/dE / kT = 2 du asin(G)/pi sign(E)
        return g, -g * (du * slope / w + math.copysign(2.0 * du * angle / math.pi, E))
    free = 2.0 * abs(u)
    g = math.exp(E_a / kT) * -math.expm1(-free) / free
    return g, math.copysign(2.0 * du, E) * (math.exp(E_a / kT - free) - g) / free


HOPPING_LAWS = {
    "linear": HoppingLaw(None),
    "mott-gurney": HoppingLaw(
        mott_gurney, "Mott & Gurney, Electronic Processes in Ionic Crystals (1940): field-assisted hops"
    ),
    "genreith-schriever": HoppingLaw(
        genreith_schriever, "Genreith-Schriever & De Souza, Phys. Rev. B 94, 224304 (2016): field-assisted hops"
    ),
}


# ---- Exchange at electrodes ----------------------------------------------------------------------------------------
# Vacancies pass the wall between an electrode and the film one way and the other: with the concentration c_s of the film at
# the wall and n sites,
#
#     J = gain (1 - c_s/n) - loss c_s        gain in 1/(m2 s), loss in m/s
#
# A formula gives gain and loss at the state of the wall, and their logarithmic slopes. `mechanisms.exchange` finds c_s by
# the half cell between the wall and the first centre, and takes the flux from there.


class Wall(NamedTuple):
    """An electrode at the wall of a film, as numbers."""

    law: int  # index in EXCHANGE_LAWS
    rate: float  # k0 [m/s], k = k0 exp(-activation/kT)
    activation: float  # eV
    formation: (
        float  # eV, of a vacancy at the wall with its electrons at the edge of the conduction band, in weak field
    )
    log_oxygen: float  # ln(p/p0) of the oxygen that the electrode is in equilibrium with
    transfer: float  # share a of the step of the screening layer that helps vacancies in
    hop: float  # m, by which a field speeds up the exchange
    capacity: float  # 1/m2, oxygen sites of the reservoir; inf for one without end
    filling: float  # share of these that is filled at first


class Contact(NamedTuple):
    """State of a wall."""

    edge: float  # eV, conduction band of the film at the wall over the Fermi level of the electrode
    step: float  # eV, the part of it that a screening layer of the electrode makes
    follow: float  # d step/d edge: 1 of a metal, 0 of a semiconductor
    filling: float  # share of the oxygen sites of the reservoir that is filled
    kT: float  # eV


class WallRates(NamedTuple):
    """Gain and loss of a wall and their derivatives: relative by the edge, absolute by the filling."""

    gain: float  # 1/(m2 s)
    loss: float  # m/s
    gain_by_edge: float  # 1/eV, d ln gain
    loss_by_edge: float
    gain_by_filling: float  # 1/(m2 s)
    loss_by_filling: float  # m/s


ExchangeFormula = Callable[
    [Wall, Contact, int, float, float], WallRates
]  # of a wall, its state, z, n [1/m3], and k g [m/s]


class ExchangeLaw(NamedTuple):
    """A law: its formula, and its source."""

    formula: ExchangeFormula | None  # None for an electrode that blocks vacancies
    source: str = ""


def butler_volmer(wall: Wall, contact: Contact, z: int, sites: float, rate: float) -> WallRates:
    """Exchange in balance with a reservoir of oxygen, its barrier tilted by the step of the screening layer.

        gain = k g c_eq exp(a z step/kT) (1 - y)/(1 - y0)        loss = k g (1 - c_eq/n) exp(-(1 - a) z step/kT) y/y0
        c_eq/(n - c_eq) = exp[-(formation - z (edge - step))/kT] (p/p0)^(-1/2)

    Vacancies enter for oxygen that takes an empty site of the reservoir, and leave for oxygen that comes from a filled one.
    At rest ln[c/(n - c)] = -[formation - z edge]/kT and what oxygen and filling add, at any charge of the electrode.
    """
    kT = contact.kT
    odds = (wall.formation - z * (contact.edge - contact.step)) / kT + 0.5 * wall.log_oxygen
    small = math.exp(-abs(odds))
    occupied, vacant = (small, 1.0) if odds > 0.0 else (1.0, small)
    share, rest = occupied / (1.0 + small), vacant / (1.0 + small)
    into, out = math.exp(wall.transfer * z * contact.step / kT), math.exp((wall.transfer - 1.0) * z * contact.step / kT)
    gain, loss = rate * sites * share * into / (1.0 - wall.filling), rate * rest * out / wall.filling
    by_step, by_odds = z * contact.follow / kT, z * (1.0 - contact.follow) / kT
    return WallRates(
        gain * (1.0 - contact.filling), loss * contact.filling, wall.transfer * by_step + rest * by_odds,
        (wall.transfer - 1.0) * by_step - share * by_odds, -gain, loss,
    )  # fmt: skip


EXCHANGE_LAWS = {
    "blocking": ExchangeLaw(None),
    "butler-volmer": ExchangeLaw(
        butler_volmer, "Bard & Faulkner, Electrochemical Methods (2001), section 3.3: transfer of charge"
    ),
}
# ---- Transmission of electrons -------------------------------------------------------------------------------------
# "transfer-matrix" of `device.transmission` is exact, and has its own kernels in `physics.tunnelling` and its slopes. Any
# other model is a pair of formulas:
#
#     transmission(profile, E) -> T              (n,) at energies E (n,) [eV]
#     sensitivity(profile, E, weight) -> slopes  (4, S) sum over E of weight d ln T/d(left, right, length, curve)
#
# The sensitivity must be the exact derivative, on which the time steps rely. A test of all models compares it with finite
# differences.
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


class TransmissionModel(NamedTuple):
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


TRANSMISSION_MODELS = {
    "transfer-matrix": TransmissionModel(),
    "wkb": TransmissionModel(wkb_transmission, wkb_sensitivity),
}
# ---- Permittivity --------------------------------------------------------------------------------------------------
# Permittivity of SrTiO3 against field and temperature: eps = eps_inf + b / sqrt(a + E^2), by Suzuki, Yamamoto, Suzuki,
# Nakagawa, Hayashi & Yoshizaki, J. Appl. Phys. 81, 6830 (1997), for Nb:SrTiO3.
ROOM = 300.0  # K, temperature of the b and a of a case


def without_field(temperature: float) -> float:
    """Relative permittivity without field at a temperature [K]: 341, 276, 232 at 250, 300, 350 K."""
    return 1635.0 / (1.0 / math.tanh(44.1 / temperature) - 0.937)


def saturation(temperature: float) -> float:
    """b [V/m] at a temperature [K]: the permittivity in a strong field is b/E."""
    return 1.37e9 + 4.29e7 * temperature


def suzuki(b: float, a: float, temperature: float) -> tuple[float, float]:
    """b [V/m] and a [V^2/m^2] at a temperature [K], scaled from those at 300 K by the law, a = [b/eps(0)]^2."""
    larger = saturation(temperature) / saturation(ROOM)
    return b * larger, a * (larger * without_field(ROOM) / without_field(temperature)) ** 2
