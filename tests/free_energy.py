"""The free energy of the junction must not rise while its voltage is constant.

Per area, with the vacancies c_i in cells of width h_i, the fields E_f at the faces, and the electrode charges Q:

    F = sum_i h_i {kT [c ln(c/c_max) + (c_max - c) ln(1 - c/c_max)] + W_i c_i} + sum_f d_f int_0^E_f E dD
        + int_0^Q_left (edge_left + u) dQ - V_j Q_left + int_0^Q_right (edge_right + u) dQ

Both edges are those of the band of the first layer, continued through the film: so is the formation energy of a vacancy.
F is stationary in D(L) where the closure holds. If a vacancy passes face f, F changes by kT times
ln[(odds behind B(-d))/(odds before B(d))], in the notation of `otjdd.physics.ions`. The flux there has the opposite sign.
So F falls along the discrete equations, with any law of motion and on any grid. This holds for a constant V_j, so without
series resistance and compliance.

N vacancies that an electrode gave take N (formation - z V_j) more at the left one, and N formation at the right one, with
what its oxygen and the filling y of its reservoir add, kT capacity [y ln y + (1 - y) ln(1 - y) - y ln(y0) + y ln(1 - y0)].

A polarisation adds L E_off P, and of two levels L (P_s kT/d_e) [p ln p + (1 - p) ln(1 - p)], p = (1 + P/P_s)/2. Its rate
has the sign that lowers F, as k+/k- is the exponential of the force on P. P beyond P_s counts as out of bounds, too.

Errors of the integrator may raise F, in particular if a step leaves concentrations outside of their bounds. There F is not
defined. It is computed with the concentrations clipped to the bounds, and such steps are counted separately.

Electrons in the film add sum_i h_i [n kT eta - N_c kT F_3/2(eta)] with eta = -E_C/kT. Then F falls at V_j = 0 only, where
the electrons are in equilibrium with both contacts.

The states after each accepted step and the bending u(Q) of the electrodes come from otjdd; F is computed here.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from otjdd.solver import integrate
from otjdd.solver.collect import bounded

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
E_CHARGE, EPS0 = 1.602176634e-19, 8.8541878128e-12
ROUND_OFF = 1e-13  # of the sum of the absolute values of all terms


class Fall(NamedTuple):
    """One hold: the fall of F, its largest rise in a step, the largest rise by round-off [J/m2], and the number of steps.

    overshoot : largest rise in a step from or to concentrations outside of their bounds, which do not count in `rise`
    """

    fall: float
    rise: float
    overshoot: float
    round_off: float
    steps: int


def energy_of_field(E, film):
    """int_0^E E dD [J/m3]."""
    work = 0.5 * film.eps_r * E * E
    if film.b:
        work = work + film.b * E * E / (np.sqrt(film.sqrt_a**2 + E * E) + film.sqrt_a)
    return EPS0 * work


def charging(electrode, before: float, after: float) -> float:
    """int (edge + u) dQ [J/m2] from one charge of an electrode to another."""
    from otjdd.physics.electrostatics import edge

    half, middle = 0.5 * (after - before), 0.5 * (after + before)
    return half * sum(w * edge(electrode, middle + half * x)[0] for x, w in zip(NODES, WEIGHTS, strict=True))


def of_vacancies(junction, c, k: int) -> np.ndarray:
    """Terms of the vacancies c (N,) of column k [J/m2], in cells with sites."""
    columns = junction.columns
    there = columns.sites[k] > 0.0
    c, c_max = c[there], columns.sites[k][there]
    W = np.append(0.0, np.cumsum(columns.site[k, 1:-1]))[there]
    share = np.maximum(c / c_max, np.finfo(float).tiny)  # underflows at a concentration of 1e-296
    mixing = junction.kT[k] * (xlogy(c, share) + xlogy(c_max - c, 1.0 - c / c_max))
    return E_CHARGE * columns.width[k][there] * (mixing + W * c)


def of_field(junction, state, k: int) -> np.ndarray:
    """Terms of the field of column k [J/m2]: of the half cells on both sides of each face, by the law of their layer."""
    first, width = junction.layers.first, junction.columns.width[k]
    halves = np.stack((np.append(0.0, 0.5 * width), np.append(0.5 * width, 0.0)))
    E, inner = np.stack((state.E[k], state.E[k])), first[1:-1]
    E[:, inner] = state.sides[k, :2]
    of_cell = np.searchsorted(inner, np.arange(width.size), side="right")
    beside = np.stack((np.append(0, of_cell), np.append(of_cell, first.size - 2)))
    found = np.zeros_like(E)
    for m in range(first.size - 1):
        law, here = junction.film[k * (first.size - 1) + m], beside == m
        found[here] = halves[here] * energy_of_field(E[here], law)
    return found.ravel()


def of_electrons(junction, state, k: int) -> np.ndarray:
    """Terms of the electrons in the film of column k [J/m2] at V_j = 0; empty without electrons."""
    from otjdd.mechanisms.electrons.density import LEFT, RIGHT
    from otjdd.physics.fermi_dirac import fermi_dirac_three_half

    eta = -state.band[k, 1:-1] / junction.kT[k]
    n = state.electrons[k, RIGHT] + state.electrons[k, LEFT]
    pressure = junction.electrons[k].density_of_states * np.array([fermi_dirac_three_half(float(x)) for x in eta])
    return E_CHARGE * junction.kT[k] * junction.columns.width[k, : n.size] * (n * eta - pressure)


def of_polarisation(junction, state, k: int) -> np.ndarray:
    """Terms of the polarisation of column k [J/m2]; empty without one."""
    from otjdd.mechanisms.polarisation import TWO_LEVEL

    polar = junction.polarisation
    if not polar.saturation.size:
        return np.zeros(0)
    P, L = state.P[k], polar.thickness[k]
    found = [L * polar.offset[k] * P]
    if polar.law == TWO_LEVEL:
        up = np.clip(0.5 * (1.0 + P / polar.saturation[k]), 0.0, 1.0)
        levels = polar.saturation[k] * junction.kT[k] / polar.dipole[k]
        found += [L * levels * xlogy(up, up), L * levels * xlogy(1.0 - up, 1.0 - up)]
    return np.array(found)


def of_reservoirs(junction, state, k: int, V: float) -> np.ndarray:
    """Terms of what the electrodes of column k gave [J/m2]; empty where both block."""
    kT, z, site, found = junction.kT[k], junction.ions[k].z, junction.columns.site[k], []
    for wall, given, rise in (
        (junction.left_wall[k], state.passed[k, 0], site[0] - z * V),
        (junction.right_wall[k], -state.passed[k, 1], -site[1:].sum()),
    ):
        if wall.law:
            found.append(given * (wall.formation + rise + 0.5 * kT * wall.log_oxygen))
        if wall.law and wall.capacity < math.inf:
            y, y0 = wall.filling + given / wall.capacity, wall.filling
            mixing = xlogy(y, y) + xlogy(1 - y, 1 - y) + y * (math.log1p(-y0) - math.log(y0))
            found.append(wall.capacity * kT * mixing)
    return E_CHARGE * np.array(found)


def shown(junction, state) -> np.ndarray:
    """Concentrations (K, N) [1/m3] clipped to their bounds, as in the profiles of a result."""
    return bounded(state.c, junction.columns.width, junction.columns.sites)


def change(junction, before, after, V: float) -> tuple[float, float]:
    """F after minus F before [J/m2], mean over the columns, and the sum of the absolute values of its terms."""
    total, size = 0.0, 0.0
    for k, weight in enumerate(junction.columns.weight):
        old, new = (
            np.concatenate(
                (
                    of_vacancies(junction, shown(junction, state)[k], k),
                    of_field(junction, state, k),
                    of_electrons(junction, state, k),
                    of_polarisation(junction, state, k),
                    of_reservoirs(junction, state, k, V),
                )
            )
            for state in (before, after)
        )
        left = charging(junction.left[k], before.D_left[k], after.D_left[k]) - V * (after.D_left[k] - before.D_left[k])
        left += junction.columns.left_edge[k] * (after.D_left[k] - before.D_left[k])
        right = charging(junction.right[k], -before.D_right[k], -after.D_right[k])
        right += junction.columns.offset[k] * (after.D_right[k] - before.D_right[k])
        total += weight * (math.fsum([*new, *-old]) + left + right)
        size += weight * (np.abs(old).sum() + np.abs(new).sum())
    return total, size


def hold(run, V: float, duration: float) -> Fall:
    """Integrate a run through a hold, and look at F after each step."""
    from otjdd.physics.junction import new_state
    from otjdd.physics.state import copy_state
    from otjdd.stepping.step_control import outside

    integrate.jump(run, V)
    run.control = run.control._replace(max_steps=1)
    before = new_state(run.junction)
    copy_state(run.state, before)
    fall, rise, overshoot, round_off, steps = 0.0, 0.0, 0.0, 0.0, 0

    def look(fraction):
        nonlocal fall, rise, overshoot, round_off, steps
        if np.array_equal(run.state.c, before.c) and np.array_equal(run.state.P, before.P):
            return
        by, size = change(run.junction, before, run.state, V)
        fall, round_off, steps = fall - by, max(round_off, ROUND_OFF * size), steps + 1
        saturation = run.junction.polarisation.saturation
        if any(
            outside(run.junction, run.control, s) or (np.abs(s.P[: saturation.size]) >= saturation).any()
            for s in (before, run.state)
        ):
            overshoot = max(overshoot, by)
        else:
            rise = max(rise, by)
        copy_state(run.state, before)

    piece = np.array([[run.time, run.time + duration, V, V]])
    integrate.follow_pieces(run, piece, np.zeros(1, np.int64), integrate.place_at_start(0.0, V), False, look)
    return Fall(fall, rise, overshoot, round_off, steps)
