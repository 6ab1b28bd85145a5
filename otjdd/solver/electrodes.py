"""Electrodes and dielectrics of a case as numbers of the kernels: bands, and tables of a bent semiconductor.

A kind of electrode is a record of `case.electrodes`. The kernels know two forms; each record is converted to one of them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from otjdd.case.device import Device
from otjdd.case.electrodes import Bent, LinearPermittivity, Metal, NonlinearPermittivity, Semiconductor, Straight
from otjdd.constants import BOLTZMANN_EV
from otjdd.physics import electrostatics as es
from otjdd.physics.bent_region import ends_of_pieces
from otjdd.physics.electrostatics import Electrode, Permittivity
from otjdd.physics.fermi_dirac import inverse_fermi_dirac_half

LARGEST_BENDING = 1000.0  # eV of either sign, where the tables of an electrode end: ten times the highest voltage
TABLE = 8192  # intervals of bending; cubic interpolation is then exact to 1e-9 of the bending, whatever the doping
FINEST = 1e-8  # least relative error of a current that the pieces are chosen for: some 200 pieces


def permittivity(record: LinearPermittivity | NonlinearPermittivity, temperature: float) -> Permittivity:
    """`electrostatics.Permittivity` of a record of a case at a temperature [K]."""
    return Permittivity(*map(float, record.terms(temperature)))


def fermi_level(semiconductor: Bent, temperature: float) -> float:
    """xi = E_F - E_C [eV] of the unbent semiconductor at a temperature [K], donors ionised."""
    kT = BOLTZMANN_EV * temperature
    xi: float = kT * inverse_fermi_dirac_half(semiconductor.doping / semiconductor.density_of_states)
    return xi


@lru_cache(maxsize=64)
def bent_tables(form: Bent, temperature: float, tolerance: float) -> tuple[Any, ...]:
    """xi, and the tables of an Electrode: charge scale, start, step, bending, slope, depletion, accumulation.

    tolerance : relative error that the pieces of the bent region may make in a current
    """
    kT, density_of_states = BOLTZMANN_EV * temperature, float(form.density_of_states)
    xi, eps = fermi_level(form, temperature), permittivity(form.permittivity, temperature)
    bulk = (xi, kT, float(form.doping), density_of_states, eps)
    scale = kT * math.sqrt(es.displacement(0.0, eps)[1] * es.doping_stiffness(xi, kT, density_of_states))
    ends = [es.displacement(E, eps)[0] for E in es.bent_fields(np.array([-LARGEST_BENDING, LARGEST_BENDING]), *bulk)]
    accumulated, depleted = (math.asinh(min(Q, es.MOST_CHARGE) / scale) for Q in ends)
    step = (accumulated + depleted) / TABLE
    below, above = math.floor(accumulated / step), math.floor(depleted / step)
    bending, slope = es.bending_table((below, above), scale, step, *bulk)
    depletion, accumulation = (ends_of_pieces(bending[end], tolerance, float(form.mass), *bulk) for end in (-1, 0))
    return xi, scale, -below * step, step, bending, slope, depletion, accumulation


def electrode(record: Metal | Semiconductor, temperature: float, current_tolerance: float) -> Electrode:
    """`electrostatics.Electrode` of a record of a case at a temperature [K], for currents of a relative tolerance."""
    form = record.form(temperature)
    return straight(form) if isinstance(form, Straight) else bent(form, temperature, max(current_tolerance, FINEST))


def uncharged_edge(record: Metal | Semiconductor, temperature: float) -> float:
    """Band edge of the film [eV] above the Fermi level of an electrode that carries no charge, at a temperature [K]."""
    form = record.form(temperature)
    return form.barrier if isinstance(form, Straight) else form.band_offset - fermi_level(form, temperature)


def edge_beside(device: Device, side: str, temperature: float) -> float:
    """`uncharged_edge` at the "left" or "right" electrode, of the band that the first layer would have there."""
    offset = device.film.stack[-1].band_offset if side == "right" else 0.0
    return uncharged_edge(getattr(device, side), temperature) - offset


def straight(form: Straight) -> Electrode:
    """An electrode whose band stays flat."""
    bands = float(form.barrier), float(form.bottom), float(form.mass)
    empty = np.zeros(0), np.zeros(0), np.zeros((3, 0)), np.zeros((3, 0))
    return es.Electrode(es.METAL, *bands, form.drop, 1.0, 0.0, 1.0, *empty)


def bent(form: Bent, temperature: float, tolerance: float) -> Electrode:
    """An electrode with tables of its bending by charge and of its bent region."""
    xi, *tables = bent_tables(form, temperature, tolerance)
    bands = form.band_offset - xi, -xi, float(form.mass)
    return es.Electrode(es.SEMICONDUCTOR, *bands, 0.0, *tables)
