"""The current through a straight band: the cells of a film without charge must not matter, to the tolerance of the case."""

import math
from functools import cache

import numpy as np
import pytest
from devices import needs_speed
from test_tunnelling import chain, exact_linear

import otjdd
from otjdd.case.case import parse_case
from otjdd.constants import BOLTZMANN_EV

BARRIER, MASS, RICHARDSON, DEPTH, RADIUS, TEMPERATURE = 0.8, 1.0, 1.2e6, 5.0, 1e-6, 300.0
STRAIGHT = f"""
title = "a film without charge between two ideal metals"
temperature = "{TEMPERATURE} K"
[device]
radius = "{RADIUS * 1e6} um"
richardson = "{RICHARDSON / 1e4} A/cm^2/K^2"
[device.left]
kind = "metal"
barrier = "{BARRIER} eV"
mass = 1.0
band_depth = "{DEPTH} eV"
[device.film]
thickness = "5 nm"
permittivity = {{ law = "linear", eps_r = 20 }}
tunnelling_mass = {MASS}
[device.right]
kind = "metal"
barrier = "{BARRIER} eV"
mass = 1.0
band_depth = "{DEPTH} eV"
[ions]
charge = 1
site_density = "1e27 1/m^3"
density = "1e12 1/m^3"
law = "linear"
activation_energy = "0.9 eV"
prefactor = "1e-7 m^2/s"
[drive]
kind = "iv"
start = "1 V"
stop = "2 V"
step = "1 V"
"""


def log_supply(E):
    """ln(1 + exp(-E/kT)) of an electrode whose Fermi level is at 0."""
    return np.logaddexp(0.0, -E / (BOLTZMANN_EV * TEMPERATURE))


@cache
def exact_current(thickness, V):
    """Current [A] through the band from BARRIER - V to BARRIER: Airy functions, and Gauss's rule on panels of one kT."""
    kT = BOLTZMANN_EV * TEMPERATURE
    band = chain([BARRIER - V, BARRIER], thickness, MASS, (-DEPTH - V, -DEPTH), (1.0, 1.0))
    edges = np.arange(-0.8, BARRIER + 14.0 * kT, kT)
    nodes, weights = np.polynomial.legendre.leggauss(5)
    E = (0.5 * (edges[1:] + edges[:-1]) + 0.5 * kT * nodes[:, None]).ravel()
    T = np.array([float(exact_linear(band, energy)) for energy in E])
    integral = (0.5 * kT * np.repeat(weights, edges.size - 1)) @ (T * (log_supply(E) - log_supply(E + V)))
    return RICHARDSON * TEMPERATURE**2 / kT * integral * math.pi * RADIUS**2


@pytest.mark.campaign
@needs_speed
@pytest.mark.parametrize(
    ("thickness", "cells"),
    [(5.0, 8), (5.0, 120), (4.0, 12)],
)
def test_the_cells_of_a_film_without_charge_do_not_matter(thickness, cells):
    """To the default tolerance of 1e-4 and to 3e-6; with steps of |k| up to 0.1 they did by 1.1e-3, 1.6e-4 and 7.5e-4."""
    case = parse_case(STRAIGHT).replace({"device.film.thickness": f"{thickness} nm", "device.film.cells": cells})
    exact = np.array([exact_current(thickness * 1e-9, V) for V in (1.0, 2.0)])
    for tolerance in (1e-4, 3e-6):
        ds = otjdd.run(case.replace({"numerics.current_tolerance": tolerance}))
        current = ds.bias_current.values.ravel()
        print(cells, tolerance, current / exact - 1)
        assert np.abs(current / exact - 1.0).max() < tolerance
