"""Field of a polarised film at 0 V between its electrodes, estimated from a case alone: what `otjdd check` needs to know.

    edge_left(D + P) + E L = edge_right(-D - P)        D(E) of the dielectric

Left out: vacancies and fixed charge; in a semiconductor that is depleted its electrons, in one that is filled its bending,
which makes the field too small there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from otjdd.case.device import Device
from otjdd.case.electrodes import Bent, Straight
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY

STRONGEST = 1e12  # V/m, ends of the search
HALVINGS = 200
DEGENERATE = 8.0  # electrons over N_c, beyond which those of zero temperature are taken
JOYCE_DIXON = 1.0 / math.sqrt(8.0), -4.95009e-3, 1.48386e-4, -4.42563e-6  # Appl. Phys. Lett. 31, 354 (1977)
Terms = tuple[float, float, float]  # of a permittivity


def field_at_rest(device: Device, temperature: float, P: float) -> float:
    """Field [V/m] of the film at 0 V and a polarisation P [C/m2], positive towards the right electrode."""
    (sheet,) = device.film.stack  # no film of several layers is polarised
    terms, thickness = sheet.permittivity.terms(temperature), sheet.thickness
    left, right = device.left.form(temperature), device.right.form(temperature)

    def mismatch(E: float) -> float:
        charge = displacement(E, terms) + P
        across = float(thickness) * E
        return edge_of(left, charge, temperature) + across - edge_of(right, -charge, temperature)

    return root(mismatch)


def displacement(E: float, terms: Terms) -> float:
    """D [C/m2] of a dielectric in a field E [V/m]."""
    eps_inf, b, root_a = terms
    return VACUUM_PERMITTIVITY * (eps_inf * E + b * math.asinh(E / root_a))


def edge_of(form: Straight | Bent, charge: float, temperature: float) -> float:
    """Band edge of the film above the Fermi level [eV] at an electrode with a charge [C/m2]."""
    if isinstance(form, Straight):
        return form.barrier + form.drop * charge
    return form.band_offset - fermi_level(form, temperature) + bending(form, charge, temperature)


def fermi_level(form: Bent, temperature: float) -> float:
    """E_F - E_C [eV] of an electrode whose donors are ionised."""
    filled, kT = form.doping / form.density_of_states, BOLTZMANN_EV * temperature
    if filled > DEGENERATE:
        return float(kT * (0.75 * math.sqrt(math.pi) * filled) ** (2.0 / 3.0))
    series = sum(factor * filled**n for n, factor in enumerate(JOYCE_DIXON, 1))
    return float(kT * (math.log(filled) + series))


def bending(form: Bent, charge: float, temperature: float) -> float:
    """Band bending [eV] of a depletion layer with a charge [C/m2]: the integral of E dD over e N_D; 0 without one."""
    if charge <= 0.0:
        return 0.0
    eps_inf, b, root_a = terms = form.permittivity.terms(temperature)
    E = root(lambda field: displacement(field, terms) - charge)
    stored = eps_inf * E * E / 2.0 + b * (math.hypot(root_a, E) - root_a)
    return VACUUM_PERMITTIVITY * stored / (ELEMENTARY_CHARGE * form.doping)


def root(rising: Callable[[float], float], end: float = STRONGEST) -> float:
    """Zero [V/m] of a function that rises with the field, by halving between -end and end."""
    low, high = -end, end
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if rising(middle) > 0.0 else (middle, high)
    return 0.5 * (low + high)
