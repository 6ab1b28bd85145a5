"""Permittivity of SrTiO3 against field and temperature, as plain formulas: eps = eps_inf + b / sqrt(a + E^2).

Source: Suzuki, Yamamoto, Suzuki, Nakagawa, Hayashi & Yoshizaki, J. Appl. Phys. 81, 6830 (1997), for Nb:SrTiO3.
"""

import math

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
