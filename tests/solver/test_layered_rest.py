"""Order of the grid where a layer is nonlinear: films of two layers at rest against the differential equations themselves.

The reference is scipy's collocation of the continuous problem on meshes of its own. It takes the case's numbers alone:

    dU/dx = E(D)    dD/dx = e (z c + fixed)    dS/dx = c    c = n/[1 + exp(-mu - (z U - W)/kT)]
"""

import math

import numpy as np
import pytest
from devices import begin, needs_speed
from layered import LINEAR, SUZUKI, between_metals, layer
from scipy.integrate import solve_bvp
from scipy.optimize import brentq

from otjdd.solver import equilibrium, model

E_CHARGE, EPS0, K_EV = 1.602176634e-19, 8.8541878128e-12, 1.380649e-23 / 1.602176634e-19
SHEET = 1e18  # 1/m2, scale of charges and ions


def field(law, D):
    """E(D) [V/m] of a table of a permittivity: bisection of its formula, in asinh(E/sqrt(a))."""
    if law["law"] == "linear":
        return D / (EPS0 * law["eps_r"])
    root = math.sqrt(law["a"])

    def excess(y, d):
        return law["eps_inf"] * root * math.sinh(y) + law["b"] * y - d

    return np.array([root * math.sinh(brentq(excess, -30.0, 30.0, args=(d,), xtol=1e-14)) for d in D / EPS0])


def continuous_charge(case, V):
    """Charge of the left electrode [C/m2], with the ions at rest at V [V]."""
    layers, ions, metal = case.device.film.layers, case.ions, case.device.left
    kT, z = K_EV * case.temperature, ions.charge
    elastance = metal.screening_length / (EPS0 * metal.relative_permittivity)
    laws = [sheet.permittivity.model_dump() for sheet in layers]
    sites = [ions.site_density if sheet.site_density is None else sheet.site_density for sheet in layers]
    total = ions.density * sum(sheet.thickness for sheet in layers)

    def slopes(x, y, level):
        rows = []
        for i, sheet in enumerate(layers):
            U, D = y[3 * i], y[3 * i + 1] * E_CHARGE * SHEET
            c = sites[i] / (1.0 + np.exp(-level[0] - (z * U - sheet.site_energy) / kT))
            per_sheet = sheet.thickness / SHEET
            rows += [sheet.thickness * field(laws[i], D), per_sheet * (z * c + sheet.fixed_charge), per_sheet * c]
        return np.array(rows)

    def ends(a, b, level):
        left = a[0] - (metal.barrier - V + elastance * a[1] * E_CHARGE * SHEET)
        edge = case.device.right.barrier - layers[1].band_offset
        right = b[3] - (edge - elastance * b[4] * E_CHARGE * SHEET)
        return np.array([left, a[2], *(b[:3] - a[3:]), right, b[5] - total / SHEET])

    x = np.linspace(0.0, 1.0, 41)
    start = np.zeros((6, x.size))
    start[[0, 3]] = metal.barrier
    start[2], start[5] = x * total / SHEET / 2.0, (1.0 + x) * total / SHEET / 2.0
    level = math.log(ions.density / ions.site_density) - z * metal.barrier / kT
    solved = solve_bvp(slopes, ends, x, start, p=[level], tol=1e-9, max_nodes=20_000)
    assert solved.status == 0, solved.message
    return solved.y[1, 0] * E_CHARGE * SHEET


@needs_speed
@pytest.mark.parametrize("nonlinear_first", [True, False])
def test_a_nonlinear_layer_beside_a_linear_one_keeps_the_order_of_the_grid(nonlinear_first):
    nonlinear = {"permittivity": SUZUKI, "site_energy": -0.05}
    linear = {"permittivity": LINEAR, "fixed_charge": -4e25}
    first, second = (nonlinear, linear) if nonlinear_first else (linear, nonlinear)
    charge, errors, V = None, [], 0.3
    for p in (2, 4, 8):
        film = between_metals(
            layer(1.0, 10 * p, **first), layer(1.4, 14 * p, band_offset=-0.1, **second), ions__density=4e25
        )
        charge = continuous_charge(film, V) if charge is None else charge
        c = equilibrium.relaxed(model.junction(film), model.uniform(film, model.members(film)), V)
        errors.append(begin(film, c, voltage=V).state.D_left[0] / charge - 1.0)
    assert 3.5 < errors[0] / errors[1] < errors[1] / errors[2] < 4.2
    assert abs(4.0 * errors[2] - errors[1]) / 3.0 < 0.1 * abs(errors[2])
