"""Laws of the field acceleration of an ion hop, as plain formulas. A new law is added here alone.

A case names a law in `ions.law`. Its formula is the factor g(E) by which a field E speeds up the hops across a barrier, in
both directions together; it multiplies the flux of `physics.ions`. g(0) = 1, so the diffusivity in weak field is that of
the case.

To add a law, write its formula, and add a row to LAWS. Formulas use `math` and their arguments only: `physics` compiles
them, and `case` uses the names of LAWS without compiling anything. `tests/physics/test_ions.py` tests every law; add the
law as published, in extended precision, there.
"""

import math
from collections.abc import Callable
from typing import NamedTuple


class Ions(NamedTuple):
    """The mobile ions as numbers."""

    law: int  # index in LAWS
    z: int  # charge number
    hop: float  # effective hop distance a [m]
    attempt: float  # attempt frequency nu0 [Hz]
    c_max: float  # site density [1/m3]


class Hopping(NamedTuple):
    """The numbers of a hop that depend on the column."""

    diffusivity: float  # D0 [m2/s], in weak field
    barrier: float  # migration barrier E_a [eV]
    kT: float  # eV


Formula = Callable[[Ions, Hopping, float, float, float], tuple[float, float]]  # -> (g, dg/dE [m/V])


class HoppingLaw(NamedTuple):
    """A law: its formula, and its source."""

    formula: Formula | None  # None for g = 1
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


LAWS = {
    "linear": HoppingLaw(None),
    "mott-gurney": HoppingLaw(
        mott_gurney, "Mott & Gurney, Electronic Processes in Ionic Crystals (1940): field-assisted hops"
    ),
    "genreith-schriever": HoppingLaw(
        genreith_schriever, "Genreith-Schriever & De Souza, Phys. Rev. B 94, 224304 (2016): field-assisted hops"
    ),
}
