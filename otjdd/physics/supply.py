"""Supply of electrons to the Tsu-Esaki integral, and its slopes.

    supply = [ln(1 + e^{-E/kT}) - ln(1 + e^{(-V - E)/kT})]/V

Energies count from the Fermi level of the right electrode, that of the left one is at -V. Over V the difference of the two
logarithms is positive and smooth through V = 0.
"""

import math

import numpy as np

from otjdd.compiler.decorators import kernel
from otjdd.physics.numerics import OVERFLOW


@kernel
def softplus(x: float) -> float:
    """ln(1 + e^x) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@kernel
def fermi(x: float) -> float:
    """1/(1 + e^x) without overflow."""
    return 1.0 / (1.0 + math.exp(x)) if x < 700.0 else 0.0


@kernel
def supply(E: float, V: float, kT: float) -> float:
    """[ln(1 + e^{-E/kT}) - ln(1 + e^{(-V - E)/kT})]/V [1/eV]; at V = 0 its limit, the Fermi function over kT.

    Exchanging the electrodes gives supply(E, V) = supply(E + V, -V), so V > 0 is enough. With f = 1/(1 + e^{(E + V)/kT})
    the difference is ln(1 + f expm1(V/kT)): no cancellation at small V.
    """
    if V < 0.0:
        E, V = E + V, -V
    v, x = V / kT, E / kT
    if v < 1e-8:
        return fermi(x) / kT
    if x + v > 30.0:  # the second logarithm is its argument
        return softplus(-x) / V - math.exp(-x - v) / V if x < 30.0 else math.exp(-x) * -math.expm1(-v) / V
    if v < 30.0:
        return math.log1p(fermi(x + v) * math.expm1(v)) / V
    return (softplus(-x) - softplus(-x - v)) / V


@kernel
def supplies(E: np.ndarray, V: float, kT: float) -> np.ndarray:
    """`supply` at energies E (n,)."""
    values = np.empty(E.size)
    for i in range(E.size):
        values[i] = supply(E[i], V, kT)
    return values


@kernel
def log_supply_slope(E: float, V: float, kT: float) -> float:
    """d ln(supply)/dV [1/V]: only the occupation of the left electrode moves with V, its Fermi level being at -V."""
    occupation = fermi((E + V) / kT)
    if abs(V) < 1e-4 * kT:  # supply is the mean of the Fermi function between E and E + V
        return -0.5 * (1.0 - occupation) / kT
    if min(E, E + V) > 30.0 * kT:  # both occupations are exponentials; their ratio does not underflow
        return 1.0 / (kT * math.expm1(min(V / kT, OVERFLOW))) - 1.0 / V
    return (occupation / (kT * supply(E, V, kT)) - 1.0) / V


@kernel
def log_supply_slope_by_energy(E: float, V: float, kT: float) -> float:
    """d ln(supply)/dE [1/eV]: of a difference of two occupations, f(x) - f(y) = f(x) [1 - f(y)] [1 - e^{x - y}]."""
    if V < 0.0:
        E, V = E + V, -V
    x, v = E / kT, V / kT
    if x > 30.0:
        return -1.0 / kT
    if v < 1e-8:
        return -(1.0 - fermi(x)) / kT
    return fermi(x) * fermi(-x - v) * math.expm1(-v) / (kT * V * supply(E, V, kT))
