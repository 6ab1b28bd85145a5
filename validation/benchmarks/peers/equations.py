"""The discrete equations of otjdd for general integrators. The unknowns are concentration and potential of every cell:

    dc_i/dt = (J_i - J_i+1)/h_i            D_i+1 - D_i = e z c_i h_i + fixed charge,    D = D(E),  E = -dphi/dx

They are interleaved, y = (c_0/c_mean, phi_0, c_1/c_mean, phi_1, ...), so the Jacobian has two bands below and three above
its diagonal. Flux and D(E) are kernels of otjdd: all codes solve the same equations on the same cells. The functions are
closures over the numbers of a problem, because numba calls these at the lowest cost.
"""

import numpy as np
from numba import njit

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.columns import close_all
from otjdd.physics.electrostatics import Permittivity, displacement
from otjdd.physics.ions import Hopping, Ions, flux, new_factors
from otjdd.physics.junction import CLOSURE_TOLERANCE, fluxes, new_state

LOWER, UPPER = 2, 3


def kernels(problem):
    """rates(y, V, r) and bands(y, V, B) of a problem.

    rates fills r (2N,) with dc/dt/c_mean [1/s] and the charge that Poisson's equation misses, e z c h - (D_i+1 - D_i)
    [C/m2];  bands fills B (LOWER + UPPER + 1, 2N), B[row - column + UPPER, column], with its derivatives.
    """
    field_at = field_between(problem)
    return rates_of(problem, field_at), bands_of(problem, field_at)


def field_between(problem):
    """field_at(y, V, f): field at face f [V/m] by the potentials of y beside it, at a voltage V of the left electrode."""
    junction, N = problem.junction, problem.c.size
    distance, built_in = junction.columns.distance[0], junction.right[0].edge - junction.left[0].edge

    @njit
    def field_at(y, V, f):
        before = y[2 * f - 1] if f > 0 else V + built_in
        after = y[2 * f + 1] if f < N else 0.0
        return (before - after) / distance[f]

    return field_at


def rates_of(problem, field_at):
    """rates(y, V, r), see `kernels`."""
    junction, c_mean = problem.junction, problem.c.mean()
    columns, (eps_r, b, sqrt_a) = junction.columns, junction.film[0]
    law, z, hop, attempt, c_max = junction.ions[0]
    width, distance, site, fixed = columns.width[0], columns.distance[0], columns.site[0], columns.fixed[0]
    hopping = Hopping(columns.diffusivity[0, 0], columns.barrier[0, 0], junction.kT[0])  # the same at all faces
    N, charge = width.size, z * ELEMENTARY_CHARGE

    @njit
    def rates(y, V, r):
        film, ions = Permittivity(eps_r, b, sqrt_a), Ions(law, z, hop, attempt, c_max)
        J, D = 0.0, displacement(field_at(y, V, 0), film)[0]
        for i in range(N):
            E = field_at(y, V, i + 1)
            J_next, D_next = 0.0, displacement(E, film)[0]
            if i + 1 < N:
                c_l, c_r = c_mean * y[2 * i], c_mean * y[2 * i + 2]
                J_next = flux(ions, hopping, c_l, c_r, E, distance[i + 1], site[i + 1])[0]
            r[2 * i] = (J - J_next) / (width[i] * c_mean)
            r[2 * i + 1] = charge * c_mean * y[2 * i] * width[i] + fixed[i] - fixed[i + 1] - (D_next - D)
            J, D = J_next, D_next

    return rates


def bands_of(problem, field_at):
    """bands(y, V, B), see `kernels`."""
    junction, c_mean = problem.junction, problem.c.mean()
    columns, (eps_r, b, sqrt_a) = junction.columns, junction.film[0]
    law, z, hop, attempt, c_max = junction.ions[0]
    width, distance, site = columns.width[0], columns.distance[0], columns.site[0]
    hopping = Hopping(columns.diffusivity[0, 0], columns.barrier[0, 0], junction.kT[0])  # the same at all faces
    N, charge = width.size, z * ELEMENTARY_CHARGE

    @njit
    def bands(y, V, B):
        film, ions = Permittivity(eps_r, b, sqrt_a), Ions(law, z, hop, attempt, c_max)
        B[:] = 0.0
        for i in range(N):
            B[1 + UPPER, 2 * i] = charge * c_mean * width[i]
        for f in range(N + 1):
            E = field_at(y, V, f)
            by_phi = displacement(E, film)[1] / distance[f]
            before, behind = 2 * f - 2, 2 * f  # columns of c before and behind the face; the potential follows each
            if f > 0:
                B[UPPER, before + 1] -= by_phi
            if f < N:
                B[UPPER, behind + 1] -= by_phi
            if not 0 < f < N:
                continue
            B[UPPER - 2, behind + 1] += by_phi
            B[UPPER + 2, before + 1] += by_phi
            slopes = flux(ions, hopping, c_mean * y[before], c_mean * y[behind], E, distance[f], site[f])
            by_E = slopes[3] / (distance[f] * c_mean)
            B[UPPER, before] -= slopes[1] / width[f - 1]
            B[UPPER - 2, behind] -= slopes[2] / width[f - 1]
            B[UPPER - 1, before + 1] -= by_E / width[f - 1]
            B[UPPER - 3, behind + 1] += by_E / width[f - 1]
            B[UPPER + 2, before] += slopes[1] / width[f]
            B[UPPER, behind] += slopes[2] / width[f]
            B[UPPER + 1, before + 1] += by_E / width[f]
            B[UPPER - 1, behind + 1] -= by_E / width[f]

    return bands


def left_charge(problem, y, voltage) -> float:
    """Charge of the left electrode [C/m2] in the state y."""
    junction = problem.junction
    E = (voltage + junction.right[0].edge - junction.left[0].edge - y[1]) / junction.columns.distance[0, 0]
    return displacement(E, junction.film[0])[0]


def consistent(problem, c, voltage):
    """y and dy/dt (2N,) right after a jump to a voltage, with unchanged ions c (N,) [1/m3].

    Integrators of differential-algebraic equations need both. dphi/dt follows from Poisson's equation a short time later.
    """
    junction, mean, N = problem.junction, problem.c.mean(), c.size
    settled, J = new_state(junction), np.empty(N + 1)
    y, rate = np.empty(2 * N), np.empty(2 * N)

    def potential(c):
        settled.c[0] = c
        close_all(junction, settled, voltage, CLOSURE_TOLERANCE)
        return np.cumsum((junction.columns.distance[0] * settled.E[0])[:0:-1])[::-1]

    y[::2], y[1::2] = c / mean, potential(c)
    settled.c[0] = c
    fluxes(junction, settled, 0, new_factors(N), J)
    dc = -np.diff(J) / junction.columns.width[0]
    moment = 1e-6 * mean / max(np.abs(dc).max(), 1e-300)
    rate[::2], rate[1::2] = dc / mean, (potential(c + moment * dc) - y[1::2]) / moment
    return y, rate
