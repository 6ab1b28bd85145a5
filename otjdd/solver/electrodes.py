"""Electrodes and dielectrics of a case as numbers of the kernels: bands, and tables of a bent semiconductor.

A kind of electrode is a record of `case.electrodes`. The kernels know two forms; each record is converted to one of them.
"""

import math
from functools import lru_cache

import numpy as np

from otjdd.case.electrodes import Bent, Straight
from otjdd.constants import BOLTZMANN_EV

LARGEST_BENDING = 1000.0  # eV of either sign, where the tables of an electrode end: ten times the highest voltage
TABLE = 8192  # intervals of bending; cubic interpolation is then exact to 1e-9 of the bending, whatever the doping
PROFILE = 2001  # points of the bent region, evenly in ln u, from which depth and density of its straight pieces follow
FINEST = 1e-8  # least relative error of a current that the pieces are chosen for: some 300 pieces


def permittivity(record, temperature: float):
    """`electrostatics.Permittivity` of a record of a case at a temperature [K]."""
    from otjdd.physics.electrostatics import Permittivity

    return Permittivity(*map(float, record.terms(temperature)))


def fermi_level(semiconductor: Bent, temperature: float) -> float:
    """xi = E_F - E_C [eV] of the unbent semiconductor at a temperature [K], donors ionised."""
    from otjdd.physics.fermi_dirac import inverse_fermi_dirac_half

    kT = BOLTZMANN_EV * temperature
    return kT * inverse_fermi_dirac_half(semiconductor.doping / semiconductor.density_of_states)


@lru_cache(maxsize=64)
def bent_tables(form: Bent, temperature: float, tolerance: float):
    """xi, and the tables of an Electrode: charge scale, start, step, bending, slope, depletion, accumulation.

    tolerance : relative error that the straight pieces of the bent region may make in a current
    """
    from otjdd.physics import electrostatics as es

    kT, density_of_states = BOLTZMANN_EV * temperature, float(form.density_of_states)
    xi, eps = fermi_level(form, temperature), permittivity(form.permittivity, temperature)
    bulk = (xi, kT, float(form.doping), density_of_states, eps)
    scale = kT * math.sqrt(es.displacement(0.0, eps)[1] * es.doping_stiffness(xi, kT, density_of_states))
    ends = [es.displacement(E, eps)[0] for E in es.bent_fields(np.array([-LARGEST_BENDING, LARGEST_BENDING]), *bulk)]
    accumulated, depleted = (math.asinh(min(Q, es.MOST_CHARGE) / scale) for Q in ends)
    step = (accumulated + depleted) / TABLE
    x = step * np.arange(-math.floor(accumulated / step), math.floor(depleted / step) + 1)
    charges = scale * np.sinh(x)
    bending, slope = es.bending_table(charges, scale, step, *bulk)
    profiles = [bent_profile(sign, abs(bending[end]), bulk, tolerance) for sign, end in ((1, -1), (-1, 0))]
    return xi, scale, x[0], step, bending, slope, *profiles


def bent_profile(sign: int, largest: float, bulk, tolerance: float) -> np.ndarray:
    """Universal profile of a bent region (3, P): |u| [eV], depth [m] counted from the bulk, |E| [V/m].

    For any surface bending u_s the band follows this one curve up to |u_s|: dx = du/|E(u)|. Between its points the electron
    wave sees straight pieces that keep the mean of the band. They are exact to the fourth order in their length, so there
    are tolerance^(-1/4) of them, and where a band u falls off as exp(-x/l) their length grows as exp(x/4l):

        pieces per length = (|u''| l^2/(tolerance 1 eV))^(1/4)/l        l the screening length of the bulk

    On 291 profiles of the reference device the largest error of a current is then the tolerance, from 1e-3 to 1e-5. The
    bent region ends at tolerance kT: cut off at 0.1 kT it makes currents at |u_s| near kT wrong by up to 7 %.
    """
    from otjdd.physics.electrostatics import bent_fields, displacement, doping_stiffness

    xi, kT, _, density_of_states, eps = bulk
    log_u = np.linspace(math.log(tolerance * kT), math.log(largest), PROFILE)
    u = np.exp(log_u)
    E = bent_fields(sign * u, *bulk)
    rate = u / E  # dx/d ln u, integrated with Simpson's rule over pairs
    pairs = (log_u[1] - log_u[0]) / 3 * (rate[:-2:2] + 4 * rate[1:-1:2] + rate[2::2])
    depth = np.concatenate(([0.0], np.cumsum(pairs)))
    log_u, u, E, rate = log_u[::2], u[::2], E[::2], rate[::2]
    screening = math.sqrt(displacement(0.0, eps)[1] / doping_stiffness(xi, kT, density_of_states))
    curvature = np.abs(np.gradient(E * E, u)) / 2  # u'' = d(E^2)/du/2
    density = (curvature * screening**2 / tolerance) ** 0.25 / screening
    pieces = np.concatenate(([0.0], np.cumsum(np.diff(depth) * density[1:])))
    ends = np.interp(np.linspace(0.0, pieces[-1], max(8, math.ceil(pieces[-1])) + 1), pieces, log_u)
    bent = np.exp(ends)
    return np.stack((bent, hermite(ends, log_u, depth, rate), bent_fields(sign * bent, *bulk)))


def hermite(x: np.ndarray, at: np.ndarray, value: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Cubic interpolation at x of values and slopes at evenly spaced places.

    As `numerics.hermite`, for arrays in Python; the import of `scipy.interpolate` would take 0.3 s of every start.
    """
    step = at[1] - at[0]
    i = np.clip(((x - at[0]) / step).astype(int), 0, at.size - 2)
    s, rise = (x - at[i]) / step, value[i + 1] - value[i]
    a, b = step * (slope[i] + slope[i + 1]) - 2.0 * rise, 3.0 * rise - step * (2.0 * slope[i] + slope[i + 1])
    return value[i] + s * (step * slope[i] + s * (b + s * a))


def electrode(record, temperature: float, current_tolerance: float):
    """`electrostatics.Electrode` of a record of a case at a temperature [K], for currents of a relative tolerance."""
    form = record.form(temperature)
    return straight(form) if isinstance(form, Straight) else bent(form, temperature, max(current_tolerance, FINEST))


def straight(form: Straight):
    """An electrode whose band stays flat."""
    from otjdd.physics import electrostatics as es

    bands = float(form.barrier), float(form.bottom), float(form.mass)
    empty = np.zeros(0), np.zeros(0), np.zeros((3, 0)), np.zeros((3, 0))
    return es.Electrode(es.METAL, *bands, form.drop, 1.0, 0.0, 1.0, *empty)


def bent(form: Bent, temperature: float, tolerance: float):
    """An electrode with tables of its bending by charge and of its bent region."""
    from otjdd.physics import electrostatics as es

    xi, *tables = bent_tables(form, temperature, tolerance)
    bands = form.band_offset - xi, -xi, float(form.mass)
    return es.Electrode(es.SEMICONDUCTOR, *bands, 0.0, *tables)
