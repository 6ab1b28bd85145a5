"""Textbook currents and capacitances of a thin barrier, for fits and for tests; the solver does not use them.

One convention throughout: V is on the metal, the substrate is grounded, and J > 0 for V > 0. Barriers are in eV:
`barrier_substrate` (phi1 of the literature) stands at x = L, `barrier_metal` (phi2) at x = 0. With V > 0 electrons
leave the substrate; the corners of the barrier are phi1 + eV/2 and phi2 - eV/2 above the mean of the Fermi levels.

Every function takes floats or arrays, and broadcasts. Where a formula does not hold (a corner below the mean Fermi level)
the result is nan.

Abbreviation: K = 4 d sqrt(2m) / (3 hbar) [eV^-1/2], so that (3/2) K sqrt(phi) = 2 kappa d is the WKB exponent.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from otjdd.constants import BOLTZMANN, BOLTZMANN_EV, ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR, PLANCK, VACUUM_PERMITTIVITY

Floats = float | NDArray[np.float64]

# Supply constants, per free electron mass.
_TRAPEZOID = 4 * ELECTRON_MASS * ELEMENTARY_CHARGE**3 / (9 * math.pi**2 * HBAR**3)  # A m^-2 eV^-2
_RICHARDSON = 4 * math.pi * ELEMENTARY_CHARGE * ELECTRON_MASS * BOLTZMANN**2 / PLANCK**3  # A m^-2 K^-2
_WAVE_NUMBER = math.sqrt(2 * ELECTRON_MASS * ELEMENTARY_CHARGE) / HBAR  # m^-1 eV^-1/2, sqrt(2 m0 e) / hbar


def richardson_constant(mass: Floats = 1.0) -> Floats:
    """Richardson constant A* = 4 pi e m k^2 / h^3 [A/m2/K2]; mass : [m0]. The free electron has 1.2017e6."""
    return _RICHARDSON * mass


def richardson_mass(richardson: Floats) -> Floats:
    """Mass [m0] with the Richardson constant `richardson` [A/m2/K2]: 156 A/cm2/K2 is 1.3 m0."""
    return richardson / _RICHARDSON


def log_gruverman(
    voltage: ArrayLike, barrier_substrate: Floats, barrier_metal: Floats, thickness: Floats, mass: Floats = 1.0
) -> NDArray[np.float64]:
    """ln |J| of `gruverman`, J in A/m2, for fits and for currents below the smallest float; -inf at V = 0."""
    voltage = np.asarray(voltage, dtype=float)
    K = _exponent(thickness, mass)
    p = _positive(barrier_metal - voltage / 2)
    q = _positive(barrier_substrate + voltage / 2)
    s = np.sqrt(p) + np.sqrt(q)
    u = 0.75 * K * np.abs(voltage) / s
    with np.errstate(divide="ignore"):
        bias = np.log(-np.expm1(-2 * u))
    return np.log(_TRAPEZOID * mass * s * s / (2 * K * K)) - K * (p + q + np.sqrt(p * q)) / s + u + bias


def gruverman(
    voltage: ArrayLike, barrier_substrate: Floats, barrier_metal: Floats, thickness: Floats, mass: Floats = 1.0
) -> NDArray[np.float64]:
    """Direct tunnelling through a trapezoid, WKB at zero temperature [A/m2].

        J = (4 e m / 9 pi^2 hbar^3) exp{a [p^3/2 - q^3/2]} / {a [p^1/2 - q^1/2]}^2 sinh{(3/4) a [q^1/2 - p^1/2] eV}
        p = phi2 - eV/2,   q = phi1 + eV/2,   a = K/(q - p)

    written with (q^3/2 - p^3/2)/(q - p) = (p + q + sqrt(pq))/(sqrt p + sqrt q), and likewise for the roots: the 0/0 at
    phi1 + eV = phi2 is then gone, exactly and without a series.

    voltage : [V]   barriers : [eV]   thickness : [m]   mass : [m0], in the barrier and of the supply
    Valid for |eV|/2 below both barriers (nan beyond) and 2 kappa d >> 1.
    Source: Gruverman et al., Nano Lett. 9, 3539 (2009), after Brinkman, Dynes & Rowell.
    """
    log = log_gruverman(voltage, barrier_substrate, barrier_metal, thickness, mass)
    return np.sign(voltage) * np.exp(log)


def simmons(voltage: ArrayLike, barrier: Floats, thickness: Floats, mass: Floats = 1.0) -> NDArray[np.float64]:
    """Tunnelling through a rectangular barrier, mean-barrier approximation at zero temperature [A/m2].

        J = (e / 2 pi h d^2) {p exp(-A sqrt p) - q exp(-A sqrt q)},   p = phi - eV/2,   q = phi + eV/2,   A = 3K/2

    for 0 <= V < phi ("low" and "intermediate" voltages), odd in V, nan beyond.
    voltage : [V]   barrier : [eV]   thickness : [m]   mass : [m0]
    At V -> 0 it is lower than Gruverman and Brinkman by 1 - 2 / (A sqrt phi), a term they drop.
    Source: Simmons, J. Appl. Phys. 34, 1793 (1963), without image force.
    """
    V = np.abs(voltage)
    A = 1.5 * _exponent(thickness, mass)
    p, q = np.where(V < barrier, barrier - V / 2, np.nan), barrier + V / 2
    # The difference as q (1 - exp(..)) - eV: no cancellation at small V.
    difference = -q * np.expm1(-A * V / (np.sqrt(p) + np.sqrt(q))) - V
    prefactor = ELEMENTARY_CHARGE**2 / (2 * math.pi * PLANCK * np.square(thickness))
    return np.sign(voltage) * prefactor * np.exp(-A * np.sqrt(p)) * difference


def simmons_thermal_factor(
    voltage: ArrayLike, barrier: Floats, thickness: Floats, temperature: Floats, mass: Floats = 1.0
) -> NDArray[np.float64]:
    """J(T)/J(0) [1] of a rectangular barrier, = pi B kT / sin(pi B kT) with B = A / (2 sqrt(phi - e|V|/2)).

    It is the exact thermal average of a transmission growing as exp(B E); at B kT >= 1 emission over the top takes over
    and the result is nan. temperature : [K], others as in `simmons`. Source: Simmons, J. Appl. Phys. 35, 2655 (1964).
    """
    mean = _positive(barrier - np.abs(voltage) / 2)
    x = 0.75 * _exponent(thickness, mass) / np.sqrt(mean) * BOLTZMANN_EV * temperature
    return 1 / np.sinc(np.where(x < 1, x, np.nan))


def brinkman_conductance(barrier: Floats, thickness: Floats, mass: Floats = 1.0) -> Floats:
    """Zero-bias conductance G(0) = (e^2/h^2) (sqrt(2 m phi)/d) exp(-2 kappa d) [S/m2] at the mean barrier [eV]."""
    root = np.sqrt(barrier)
    prefactor = ELEMENTARY_CHARGE**2 / PLANCK**2 * HBAR * _WAVE_NUMBER
    return prefactor * np.sqrt(mass) * root / thickness * np.exp(-1.5 * _exponent(thickness, mass) * root)


def brinkman(
    voltage: ArrayLike, barrier_substrate: Floats, barrier_metal: Floats, thickness: Floats, mass: Floats = 1.0
) -> NDArray[np.float64]:
    """Expansion of the trapezoid's current to the third power of V [A/m2].

        J = G(0) {V - K dphi V^2 / (32 phi^3/2) + 3 K^2 V^3 / (128 phi)},   phi = (phi1 + phi2)/2,   dphi = phi2 - phi1

    voltage : [V]   barriers : [eV]   thickness : [m]   mass : [m0]
    Valid to some 10 % for |eV| below 2/K sqrt(phi) and dphi < phi.
    Source: Brinkman, Dynes & Rowell, J. Appl. Phys. 41, 1915 (1970), their conductance integrated.
    """
    V, K = np.asarray(voltage, dtype=float), _exponent(thickness, mass)
    mean = (barrier_substrate + barrier_metal) / 2
    skew = K * (barrier_metal - barrier_substrate) / (32 * mean**1.5)
    cubic = 3 * K * K / (128 * mean)
    return brinkman_conductance(mean, thickness, mass) * V * (1 - skew * V + cubic * V * V)


def fowler_nordheim_slope(barrier: Floats, thickness: Floats, mass: Floats = 1.0) -> Floats:
    """d ln(J/V^2) / d(1/V) [V] of `fowler_nordheim`: -K phi^3/2, negative."""
    return -_exponent(thickness, mass) * barrier**1.5


def fowler_nordheim_barrier(slope: Floats, thickness: Floats, mass: Floats = 1.0) -> Floats:
    """Barrier [eV] of a Fowler-Nordheim slope [V], nan if the slope is not negative."""
    return _positive(-slope / _exponent(thickness, mass)) ** (2 / 3)


def fowler_nordheim(voltage: ArrayLike, barrier: Floats, thickness: Floats, mass: Floats = 1.0) -> NDArray[np.float64]:
    """Field emission through a triangle [A/m2], odd in V.

        J = e^3 m0 / (8 pi h m phi) E^2 exp{-8 pi sqrt(2m) phi^3/2 / (3 h e E)},   E = V/d

    voltage : [V]   barrier : [eV]   thickness : [m]   mass : [m0], in the barrier
    Valid for |eV| > phi; evaluated at every V, since its plot ln(J/V^2) over 1/V is also used below.
    Source: Fowler & Nordheim, Proc. R. Soc. A 119, 173 (1928); Lenzlinger & Snow, J. Appl. Phys. 40, 278 (1969) for m.
    """
    V = np.abs(np.asarray(voltage, dtype=float))
    slope = fowler_nordheim_slope(barrier, thickness, mass)
    with np.errstate(divide="ignore"):
        exponent = slope / V
    prefactor = ELEMENTARY_CHARGE**2 / (8 * math.pi * PLANCK * mass * barrier)
    return np.sign(voltage) * prefactor * (V / thickness) ** 2 * np.exp(exponent)


def thermionic(
    voltage: ArrayLike, barrier: Floats, temperature: Floats, richardson: Floats, ideality: Floats = 1.0
) -> NDArray[np.float64]:
    """Thermionic emission over a Schottky barrier [A/m2].

        J = A* T^2 exp(-phi/kT) exp(eV/nkT) [1 - exp(-eV/kT)]

    which for n > 1 differs from A* T^2 exp(-phi/kT) [exp(eV/nkT) - 1]: here the two flows balance in detail, and
    ln{J / [1 - exp(-eV/kT)]} is a straight line through V = 0.
    voltage : [V]   barrier : [eV]   temperature : [K]   richardson : [A/m2/K2]   ideality : [1]
    Source: Rhoderick & Williams, Metal-Semiconductor Contacts, 2nd ed. (1988).
    """
    kT = BOLTZMANN_EV * temperature
    x = np.asarray(voltage, dtype=float) / kT
    # The larger of the two flows goes into one exponential, so that neither can overflow alone.
    larger = np.exp(x / ideality + np.maximum(-x, 0) - barrier / kT)
    return -np.sign(x) * richardson * temperature**2 * larger * np.expm1(-np.abs(x))


def image_lowering(field: ArrayLike, relative_permittivity: Floats) -> NDArray[np.float64]:
    """Lowering of a barrier by the image force, sqrt(e E / 4 pi eps0 eps_i) [eV]; field [V/m], eps_i optical [1]."""
    return np.sqrt(ELEMENTARY_CHARGE * np.abs(field) / (4 * math.pi * VACUUM_PERMITTIVITY * relative_permittivity))


def schottky_emission(
    field: ArrayLike, barrier: Floats, relative_permittivity: Floats, temperature: Floats, richardson: Floats
) -> NDArray[np.float64]:
    """Saturated thermionic emission over a barrier lowered by the image force, A* T^2 exp(-(phi - lowering)/kT) [A/m2].

    field : [V/m], pulling electrons away from the emitter   barrier : [eV]   relative_permittivity : optical [1]
    temperature : [K]   richardson : [A/m2/K2].   Source: Schottky, Z. Phys. 15, 872 (1923).
    """
    lowered = barrier - image_lowering(field, relative_permittivity)
    return richardson * temperature**2 * np.exp(-lowered / (BOLTZMANN_EV * temperature))


def plate_capacitance(relative_permittivity: Floats, thickness: Floats) -> Floats:
    """Capacitance of a dielectric between plates, eps0 eps_r/d [F/m2]. thickness : [m]"""
    return VACUUM_PERMITTIVITY * relative_permittivity / thickness


def depletion_capacitance(
    bending: ArrayLike, doping: Floats, relative_permittivity: Floats, tail: Floats = 0.0
) -> NDArray[np.float64]:
    """Capacitance of a depletion layer with a linear permittivity, sqrt(e eps0 eps_r N/2 (u - tail)) [F/m2].

    bending : u [eV], positive in depletion; nan where it is not above the tail   doping : N [1/m3]
    tail : [eV] of the electrons at the edge of the layer: 0 in the depletion approximation; exactly kT for Boltzmann
    electrons and kT F_3/2(xi/kT)/F_1/2(xi/kT) for all, but for terms of exp(-u/kT).
    Source: Sze & Ng, Physics of Semiconductor Devices, 3rd ed. (2007), section 3.2.
    """
    u = _positive(np.asarray(bending, dtype=float) - tail)
    return np.sqrt(ELEMENTARY_CHARGE * VACUUM_PERMITTIVITY * relative_permittivity * doping / (2 * u))


def nonlinear_depletion_capacitance(
    bending: ArrayLike, doping: Floats, b: Floats, a: Floats, tail: Floats = 0.0
) -> NDArray[np.float64]:
    """As `depletion_capacitance`, with the permittivity b/sqrt(a + E^2) of SrTiO3 [F/m2]:

        1/C^2 = (u/eps0 b)^2 + 2 sqrt(a) u/(eps0 b e N),   u = bending - tail

    The field E at the interface does the work eps0 b [sqrt(a + E^2) - sqrt(a)] = e N u, and C = dQ/du = e N/E. Without
    the first term it is `depletion_capacitance` at the permittivity of zero field, b/sqrt(a).
    b : [V/m]   a : [V2/m2], others as there
    Source: Suzuki, Yamamoto et al., J. Appl. Phys. 81, 6830 (1997).
    """
    u = _positive(np.asarray(bending, dtype=float) - tail) / (VACUUM_PERMITTIVITY * b)
    return 1 / np.sqrt(u * u + 2 * np.sqrt(a) * u / (ELEMENTARY_CHARGE * doping))


def in_series(*capacitances: ArrayLike) -> NDArray[np.float64]:
    """Capacitance of layers in series, 1/sum(1/C)."""
    elastance: NDArray[np.float64] = sum((1 / np.asarray(C, dtype=float) for C in capacitances), np.zeros(()))
    return 1 / elastance


def _exponent(thickness: Floats, mass: Floats) -> Floats:
    """K = 4 d sqrt(2m) / (3 hbar) [eV^-1/2]."""
    return 4 / 3 * _WAVE_NUMBER * thickness * np.sqrt(mass)


def _positive(x: ArrayLike) -> NDArray[np.float64]:
    return np.where(np.asarray(x) > 0, x, np.nan)
