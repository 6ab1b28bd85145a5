"""Whole ions in films of two layers against an exact Monte Carlo of the equations in the guide, which uses no kernel.

An ion hops over the face between two cells through half of each in series: with the shares of sites theta = c/n,

    forth = (1 - theta_r)/(R n_l h_l)     back = (1 - theta_l) e^(d- + w + d+)/(R n_r h_r)     R = R- + R_i + R+

Layers are linear dielectrics between metals, and hops have no acceleration.
"""

import itertools
import math

import numba
import numpy as np
import pytest
from devices import needs_speed
from exact_hops import hop

from otjdd.case.case import Numerics, parse_case
from otjdd.mechanisms.single_ions.walk import new_noise
from otjdd.solver import integrate, model
from otjdd.stepping.course import KEEP

CHARGE, VACUUM, BOLTZMANN, T = 1.602176634e-19, 8.8541878128e-12, 8.617333262e-5, 300.0
PREFACTOR, SITES, OFFSET = 1e-6, (1e28, 4e27), -0.2  # m2/s; 1/m3 of both layers; eV of the second
LENGTH, CELLS, EPS = (1.2e-9, 1.8e-9), (4, 5), (20.0, 40.0)
BARRIER, ENERGY = (0.5, 0.46), (0.0, -0.06)  # eV, of the hops and of the sites of both layers
INTERFACE = 0.52  # eV, barrier of the hop between the layers
HOP = 0.3e-9
TEXT = f"""
title = "two layers"
temperature = "300 K"
[device]
radius = "10 nm"
left = {{ kind = "metal", barrier = "0.8 eV" }}
right = {{ kind = "metal", barrier = "{0.8 + OFFSET} eV" }}
[ions]
charge = 1
site_density = "1e28 1/m^3"
density = "1e26 1/m^3"
law = "linear"
hop_distance = "{HOP} m"
activation_energy = "0.5 eV"
prefactor = "{PREFACTOR} m^2/s"
[drive]
kind = "hold"
voltage = "0 V"
duration = "1 s"
"""


def film():
    """The case of the two layers."""
    sheets = [
        {
            "thickness": LENGTH[m], "cells": CELLS[m], "grading": 1.0, "permittivity": {"law": "linear", "eps_r": EPS[m]},
            "site_density": SITES[m], "activation_energy": BARRIER[m], "site_energy": ENERGY[m],
            "band_offset": m * OFFSET, "tunnelling_mass": 0.5,
        }
        for m in range(2)
    ]  # fmt: skip
    sheets[0]["interface_barrier"] = INTERFACE
    some = 'layers = [{ thickness = "1 nm", permittivity = { law = "linear", eps_r = 5 } }]'
    return parse_case(f"{TEXT}[device.film]\n{some}").replace({"device.film": {"layers": sheets}})


@numba.njit
def half(h, sites, D0, d):
    """h (e^d - 1)/(d n D0)."""
    return h * (1.0 + 0.5 * d if abs(d) < 1e-8 else math.expm1(d) / d) / (sites * D0)


@numba.njit
def follow(h, eps, sites, D0, W, barred, kT, V, area, n, times, counts, rng):
    """Fill counts (T, N) with the ions in the cells at times (T,) [s], from n (N,). Arrays are by cell."""
    N, t, row = n.size, 0.0, 0
    rates = np.zeros((2, N))
    while row < times.size:
        # Gauss from the right, closed by the voltage between metals: sum of half cells times D/eps = V
        behind, moment, length = 0.0, 0.0, 0.0
        for i in range(N - 1, -1, -1):
            moment += 0.5 * h[i] / eps[i] * behind
            behind += CHARGE * n[i] / area
            moment += 0.5 * h[i] / eps[i] * behind
            length += h[i] / eps[i]
        D, behind, total = (V + moment) / length, 0.0, 0.0
        for f in range(N - 1, 0, -1):
            behind += CHARGE * n[f] / area
            left, right = -(D - behind) / eps[f - 1] * 0.5 * h[f - 1] / kT, -(D - behind) / eps[f] * 0.5 * h[f] / kT
            w = (W[f] - W[f - 1]) / kT
            R = half(0.5 * h[f - 1], sites[f - 1], D0[f - 1], left)
            R += half(0.5 * h[f], sites[f], D0[f], right) * math.exp(left + w)
            if sites[f] != sites[f - 1]:
                R += HOP / (math.sqrt(sites[f] * sites[f - 1]) * barred) * math.exp(left + 0.5 * w)
            free_left = max(1.0 - n[f - 1] / (sites[f - 1] * h[f - 1] * area), 0.0)
            free_right = max(1.0 - n[f] / (sites[f] * h[f] * area), 0.0)
            rates[0, f] = n[f - 1] * free_right / (R * sites[f - 1] * h[f - 1])
            rates[1, f] = n[f] * free_left * math.exp(left + w + right) / (R * sites[f] * h[f])
            total += rates[0, f] + rates[1, f]
        t -= math.log(1.0 - rng.random()) / total
        while row < times.size and times[row] < t:
            counts[row] = n
            row += 1
        chosen = rng.random() * total
        hop(n, rates, chosen)


def exact_counts(start, V, times, area, seed):
    """Ions (T, N) in the cells at times (T,) [s] at a voltage [V], from start (N,) on."""
    kT, of_cell, counts = BOLTZMANN * T, np.repeat([0, 1], CELLS), np.zeros((times.size, start.size))
    h = (np.array(LENGTH) / CELLS)[of_cell]
    D0 = (PREFACTOR * np.exp(-np.array(BARRIER) / kT))[of_cell]
    eps, sites, W = (np.array(values)[of_cell] for values in (VACUUM * np.array(EPS), SITES, ENERGY))
    barred, rng = PREFACTOR * math.exp(-INTERFACE / kT), np.random.default_rng(seed)
    follow(h, eps, sites, D0, W, barred, kT, V, area, start.astype(float), times, counts, rng)
    return counts


def hopping_counts(start, V, times, area, seed):
    """The same as otjdd lets them hop."""
    case = film()
    junction = model.junction(case, parts=model.members(case))
    to_ions = junction.columns.width * area
    noise = new_noise(np.array([area]), seed, start.size, largest=Numerics().largest_leap)
    run = integrate.begin(junction, start / to_ions, rtol=7e-3, atol=1e-2, noise=noise)
    integrate.jump(run, V)
    pieces = np.array([(since, until, V, V) for since, until in itertools.pairwise(np.concatenate(([0.0], times)))])
    integrate.follow_pieces(run, pieces, np.full(len(pieces), KEEP), integrate.place_at_start(0.0, V), False)
    return np.array([state.c[0] * to_ions[0] for state in run.kept_states])


def both(ions, V, times, runs):
    """Ions in the second layer (runs, T) by otjdd and exactly, from the first cell on."""
    start, area = ions * np.eye(sum(CELLS))[0], ions / (1e26 * sum(LENGTH))
    ways = hopping_counts, exact_counts
    return [
        np.array([way(start, V, times, area, seed)[:, CELLS[0] :].sum(axis=1) for seed in range(runs)]) for way in ways
    ]


@needs_speed
@pytest.mark.parametrize("V", [0.1, pytest.param(-0.05, marks=pytest.mark.campaign)])
@pytest.mark.parametrize(("ions", "runs"), [(30, 120), pytest.param(100, 1000, marks=pytest.mark.campaign)])
def test_ions_cross_an_interface_as_in_an_exact_monte_carlo(ions, runs, V):
    """Means of the ions in the second layer within 2 % of all ions and three errors, their scatter within three errors."""
    times = np.array([1e-4, 3e-4, 1e-3, 3e-3, 1e-2])
    hopping, exact = both(ions, V, times, runs)
    error = np.hypot(hopping.std(axis=0), exact.std(axis=0)) / math.sqrt(runs)
    print(hopping.mean(axis=0), exact.mean(axis=0), error, hopping.std(axis=0), exact.std(axis=0))
    assert 0.1 * ions < exact.mean(axis=0)[-1] < 0.99 * ions
    assert (np.abs(hopping.mean(axis=0) - exact.mean(axis=0)) < 0.02 * ions + 3.0 * error).all()
    scatter = np.log(hopping.std(axis=0)[1:] / exact.std(axis=0)[1:])
    assert (np.abs(scatter) < 3.5 / math.sqrt(runs)).all()
