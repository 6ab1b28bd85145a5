"""Fermi-Dirac statistics: its integrals, for densities in a band, and the supply of electrons to a current.

The normalised integrals have order -1/2, 1/2 and 3/2; that of order 1/2 has an inverse.

    F_j(eta) = 1/Gamma(j+1) int_0^inf t^j / (1 + exp(t - eta)) dt,    F_j -> exp(eta) for eta -> -inf,    F_j' = F_{j-1}

All three orders share one evaluation, in three ranges that join without a visible seam:

    eta < -2     sum_n (-1)^(n-1) exp(n eta) / n^(j+1), twenty terms (exp(-40) is below rounding)
    -2 .. 40     a polynomial on each interval of width 2: F_j is analytic but for eta = +-i pi (and odd multiples), so
                 Chebyshev coefficients fall at least as 6.4^-k, and twenty of them reach rounding
    eta >= 40    Sommerfeld's expansion; for half-odd j it has no exponentially small remainder, and its smallest term
                 is about exp(-40)

The coefficients of the polynomials are not typed in: they are computed at import, in about a millisecond, from the
definition. With t = s^2 it is an integral of s^(2j+1) / (1 + exp(s^2 - eta)) over the whole line, where the trapezoidal
rule with step h errs by exp(-2 pi d / h), d = Im sqrt(eta + i pi) >= 0.248 being the distance of the nearest pole.

Relative error below 1e-14 for eta in [-700, 1e8]; below -745 the result underflows to zero.
Sources: Blakemore, Solid-State Electron. 25, 1067 (1982) for the definitions and the series; Sommerfeld, Z. Phys. 47,
1 (1928); Trefethen & Weideman, SIAM Rev. 56, 385 (2014) for the trapezoidal rule.

The supply of the Tsu-Esaki integral is

    supply = [ln(1 + e^{-E/kT}) - ln(1 + e^{(-V - E)/kT})]/V

Energies count from the Fermi level of the right electrode, that of the left one is at -V. Over V the difference of the two
logarithms is positive and smooth through V = 0.
"""

import math

import numpy as np

from otjdd.compiler.decorators import kernel
from otjdd.physics.numerics import OVERFLOW

# j of the rows of the coefficient tables.
ORDERS = (-0.5, 0.5, 1.5)
_TERMS = 20
_LOWEST = -2.0
_HIGHEST = 40.0


def _series_coefficients():
    """(order, n) coefficients of exp(n eta), n = 1 .. 20."""
    n = np.arange(1, _TERMS + 1)
    return np.array([(-1.0) ** (n - 1) / n ** (j + 1) for j in ORDERS])


def _integrals(eta):
    """(order, eta) F_j by the trapezoidal rule on the whole line; good to rounding for eta <= 40."""
    step = 0.04
    s = step * np.arange(1, int(math.sqrt(_HIGHEST + 40.0) / step))
    occupation = 1.0 / (1.0 + np.outer(np.exp(-eta), np.exp(s * s)))
    at_zero = 1.0 / (1.0 + np.exp(-eta))
    sums = (2 * occupation.sum(axis=1) + at_zero, 2 * occupation @ s**2, 2 * occupation @ s**4)
    return np.array([step / math.gamma(j + 1) * total for j, total in zip(ORDERS, sums, strict=True)])


def _interval_coefficients():
    """(order, interval, k) coefficients of x^k, x in [-1, 1], through the Chebyshev nodes of intervals two wide."""
    nodes = np.cos(np.pi * (np.arange(_TERMS) + 0.5) / _TERMS)
    centres = np.arange(_LOWEST + 1.0, _HIGHEST, 2.0)
    values = _integrals((centres[:, None] + nodes).ravel()).reshape(-1, _TERMS)
    coefficients = np.linalg.solve(np.vander(nodes, increasing=True), values.T)
    return np.ascontiguousarray(coefficients.T).reshape(len(ORDERS), centres.size, _TERMS)


def _sommerfeld_coefficients():
    """(order, n) coefficients of eta^(j+1-2n): 2 eta_D(2n) / Gamma(j+2-2n), eta_D = Dirichlet's eta function."""
    k = np.arange(1, 1000)
    dirichlet = [0.5, math.pi**2 / 12, 7 * math.pi**4 / 720]  # slow sums, known exactly; the others end by themselves
    dirichlet += [float(np.sum((-1.0) ** (k - 1) / k ** (2.0 * n))) for n in range(3, 12)]
    return np.array([[2 * d / math.gamma(j + 2 - 2 * n) for n, d in enumerate(dirichlet)] for j in ORDERS])


_SERIES = _series_coefficients()
_INTERVALS = _interval_coefficients()
_SOMMERFELD = _sommerfeld_coefficients()


@kernel
def _polynomial(coefficients: np.ndarray, x: float):
    """Polynomial of coefficients in ascending powers of x."""
    result = 0.0
    for k in range(coefficients.size - 1, -1, -1):
        result = result * x + coefficients[k]
    return result


@kernel
def _fermi_dirac(order: int, eta: float):
    """F_j(eta), j = ORDERS[order]; the last branch also takes nan and inf."""
    if eta < _LOWEST:
        z = math.exp(eta)
        return z * _polynomial(_SERIES[order], z)
    if eta < _HIGHEST:
        interval = int(0.5 * (eta - _LOWEST))
        return _polynomial(_INTERVALS[order, interval], eta - _LOWEST - 1.0 - 2.0 * interval)
    return math.sqrt(eta) * eta**order * _polynomial(_SOMMERFELD[order], 1.0 / (eta * eta))


@kernel
def fermi_dirac_minus_half(eta: float):
    """F_{-1/2}(eta) [1], the derivative of `fermi_dirac_half`. eta : scalar [1]."""
    return _fermi_dirac(0, eta)


@kernel
def fermi_dirac_half(eta: float):
    """F_{1/2}(eta) [1]: electrons in a parabolic band are N_c F_{1/2}((E_F - E_C)/kT). eta : scalar [1]."""
    return _fermi_dirac(1, eta)


@kernel
def fermi_dirac_three_half(eta: float):
    """F_{3/2}(eta) [1], the integral of `fermi_dirac_half` from -inf. eta : scalar [1]."""
    return _fermi_dirac(2, eta)


@kernel
def inverse_fermi_dirac_half(value: float):
    """The eta [1] with F_{1/2}(eta) = value; value : scalar [1], positive and finite, else ValueError.

    Newton on ln F, which is concave and hence approached from one side; the start is Joyce & Dixon's first term
    (Appl. Phys. Lett. 31, 354 (1977)) or two terms of Sommerfeld, and four steps reach rounding.
    """
    if not 0.0 < value < math.inf:
        raise ValueError("only a positive, finite number is a Fermi-Dirac integral of order 1/2")
    if value < 3.0:
        eta = math.log(value) + value / math.sqrt(8.0)
    else:
        eta = math.sqrt((0.75 * math.sqrt(math.pi) * value) ** (4.0 / 3.0) - math.pi**2 / 6.0)
    for _ in range(4):
        integral = fermi_dirac_half(eta)
        eta -= math.log(integral / value) * integral / fermi_dirac_minus_half(eta)
    return eta


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
