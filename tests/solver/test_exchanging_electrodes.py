"""Electrodes that give and take vacancies: counted to round-off, exact limits, and an integrator of its own beside."""

import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, COLUMNS, begin, case, hold, lumpy
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.solver import model

METALS = {"device__film__cells": 12, "device__film__grading": 4.0, "ions__law": "mott-gurney"}


def metals(**changes):
    """A film between metals whose layers screen within 0.05 nm, in two columns."""
    of_sides = {f"device__{side}__screening_length": "0.05 nm" for side in ("left", "right")}
    return case(BETWEEN_METALS, **(METALS | of_sides | COLUMNS | changes))


def number(run):
    """Vacancies of each column [1/m2]."""
    return (run.state.c * run.junction.columns.width).sum(axis=1)


def reference(run, t, V):
    """Concentrations (N,) and what passed, by the equations of the guide: own fields and fluxes, an integrator of scipy."""
    junction, columns, k = run.junction, run.junction.columns, 1
    width, distance, site, fixed = columns.width[k], columns.distance[k], columns.site[k], columns.fixed[k]
    ions, eps = junction.ions[k], VACUUM_PERMITTIVITY * junction.film[k].eps_r
    N, z, n, kT = width.size, ions.z, ions.c_max, junction.kT[k]
    left, right, g = junction.left[k], junction.right[k], columns.diffusivity[k]
    walls = junction.left_wall[k], junction.right_wall[k]

    def accelerated(E, D0, hop):
        u = z * hop * E / (2 * kT)
        return np.sinh(u) / u / np.sqrt(1 + (2 * D0 / (hop**2 * ions.attempt) * np.sinh(u)) ** 2)

    def into(wall, edge, step, E, filling, c, rise, D0, h):
        """Flux into the film from a wall with a field E away from it."""
        y0 = wall.filling
        odds = math.exp(-(wall.formation - z * (edge - step)) / kT - 0.5 * wall.log_oxygen)
        c_eq, rate = n * odds / (1 + odds), wall.rate * math.exp(-wall.activation / kT)
        if wall.hop:
            rate *= accelerated(E, 0.5 * rate * wall.hop, wall.hop)
        gain = rate * c_eq * math.exp(wall.transfer * z * step / kT) * (1 - filling) / (1 - y0)
        loss = rate * (1 - c_eq / n) * math.exp((wall.transfer - 1) * z * step / kT) * filling / y0
        d = (rise - z * E * h) / kT
        B, per = d / math.expm1(d), D0 / h * accelerated(E, D0, ions.hop)
        hop = [per * (B * (1 - c / n) + (B + d) * c / n), per * (B + d) * c]  # J = hop[0] c_s - hop[1]
        c_s = (gain + hop[1]) / (hop[0] + gain / n + loss)
        return hop[0] * c_s - hop[1]

    def rate(t, y):
        c, passed = y[:N] * n, y[N:] * n
        S = np.concatenate((np.cumsum((c * width)[::-1])[::-1], [0.0]))

        def gap(D_right):
            D = D_right - z * ELEMENTARY_CHARGE * S - fixed
            steps = left.edge + columns.left_edge[k] + left.screening * D[0] - V - right.edge + right.screening * D[-1]
            return steps + (distance * D / eps).sum()

        D = brentq(gap, -50, 50, xtol=1e-16, rtol=1e-15) - z * ELEMENTARY_CHARGE * S - fixed
        E = D / eps
        inner = (site - z * E * distance)[1:-1] / kT
        B = inner / np.expm1(inner)
        J = np.zeros(N + 1)
        J[1:-1] = g[1:-1] / distance[1:-1] * accelerated(E[1:-1], g[1:-1], ions.hop)
        J[1:-1] *= B * c[:-1] * (1 - c[1:] / n) - (B + inner) * c[1:] * (1 - c[:-1] / n)
        y_left, y_right = (
            wall.filling + x / wall.capacity for wall, x in zip(walls, (passed[0], -passed[1]), strict=True)
        )
        step = left.screening * D[0], -right.screening * D[-1]
        edge = left.edge + columns.left_edge[k] + step[0], right.edge + step[1]
        if walls[0].law:
            J[0] = into(walls[0], edge[0], step[0], E[0], y_left, c[0], site[0], g[0], distance[0])
        if walls[1].law:
            J[-1] = -into(walls[1], edge[1], step[1], -E[-1], y_right, c[-1], -site[-1], g[-1], distance[-1])
        return np.concatenate(((J[:-1] - J[1:]) / width, J[[0, -1]])) / n

    start = np.concatenate((run.state.c[k], run.state.passed[k])) / n
    scale = np.concatenate((np.full(N, 2e26), np.full(2, 2e26 * width.sum()))) / n
    found = solve_ivp(rate, (0.0, t), start, "LSODA", rtol=1e-9, atol=1e-10 * scale)
    return found.y[:N, -1] * n, found.y[N:, -1] * n


@pytest.mark.parametrize("seed", range(3))
def test_random_electrodes_agree_with_an_integrator_of_its_own(seed):
    rng = np.random.default_rng(seed)
    exchange = {
        f"device__{side}__exchange": {
            "rate": f"{10.0 ** rng.uniform(-11, -8)} m/s", "activation_energy": f"{rng.uniform(0, 0.1)} eV",
            "formation_energy": f"{rng.uniform(1.2, 1.7)} eV", "transfer_coefficient": float(rng.uniform(0, 1)),
            "hop_distance": f"{rng.uniform(0.1, 0.4)} nm", "capacity": f"{rng.uniform(1.5, 6)}e18 1/m^2",
            "initial_filling": float(rng.uniform(0.2, 0.8)), "oxygen_pressure": f"{10.0 ** rng.uniform(3, 6)} Pa",
        }
        for side in (("left",), ("right",), ("left", "right"))[seed]
    }  # fmt: skip
    wells = {"ions__well_left": "0.1 eV", "ions__well_right": "0.05 eV", "ions__hop_distance": "0.4 nm"}
    film = metals(**exchange, **wells, numerics__rtol=1e-6, numerics__atol=1e-6, device__film__cells=8)
    run = begin(film, lumpy(model.junction(film), rng, 0.3), voltage=0.25)
    c, passed = reference(run, 0.5, 0.25)
    hold(run, 0.25, 0.5)
    assert np.abs(passed).max() > 1e-3 * number(run)[1]
    np.testing.assert_allclose(run.state.passed[1], passed, atol=3e-6 * number(run)[1])
    np.testing.assert_allclose(run.state.c[1], c, rtol=3e-5)
