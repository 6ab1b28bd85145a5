"""How single ions feel each other: the linear response near rest, by which they relax towards a smooth density.

Ions act on each other by their field and by the sites that they take. Implicit Euler steps of the linear response of ions
near rest predict how the deviation of the ions from the smooth density relaxes; its fields and its sites enter the rates.
Ions that walk at frozen rates scatter as if they did not act on each other. So the walk is taken in parts of the step, each
half as long as the part before, down to the time of the fastest cell whose ions act on each other by more than 1/FEEL.
Ions that do not act on each other come to equilibrium in a part of any length. For the others LATER, ONCE and TWICE are
fitted: the variance of a mode at rest is then right to 5 %, for any strength of the response, any rate and any length of
the steps. With the field from the end of a part alone (y of `foresee_deviation`) the variance is up to twice too large,
because hops of a part relax in the next parts only.
"""

from typing import Any

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.rows import BY_BAND, BY_FLUX, BY_PASSED, PASSED, PULL, fill_column, linear_of, put_last
from otjdd.mechanisms.electrons.stack import BAND, factor_moving, solve_moving
from otjdd.mechanisms.exchange import end_hops, exchanges, open_faces, passes
from otjdd.mechanisms.single_ions.walk import (
    BESIDE,
    BY_FIELD,
    BY_LEFT,
    BY_RIGHT,
    DEVIATION,
    FIELD,
    RELAXING,
    RELAXING_FIELD,
    Noise,
    fill_beyond,
)
from otjdd.physics.electrostatics import edge
from otjdd.physics.ion_fluxes import IonRows, binds, factor_ion_rows, fluxes_of
from otjdd.physics.ions import DOWNHILL, UPHILL, G
from otjdd.physics.junction import FluxSlopes, Junction, closure_slope
from otjdd.physics.numerics import add_scaled, add_up, dot, solve_tridiagonal
from otjdd.physics.state import State

ONCE, TWICE = 0.5, 1.585  # see `foresee_deviation`
FEEL = 30.0  # rate of hops from a cell over that of the response of its ions, above which they do not act on each other
EMPTY = 1e-9  # concentration of a cell, over the mean, below which it counts as that in the linear response


@bare
def taken(c: float, sites: float) -> float:
    """Share of the sites of a cell [1/m3] that ions take; 1 without sites."""
    return c / sites if sites > 0.0 else 1.0


@bare
def mobile(c: float, sites: float, least: float) -> float:
    """Concentration of a cell by its change with the chemical potential over kT, at least some [1/m3]."""
    return max(c * (1.0 - taken(c, sites)), least)


@bare
def one_way(factors: np.ndarray, rate: float, f: int, c: np.ndarray, sites: np.ndarray):
    """Hops over face f forth and back [1/(m2 s)] of concentrations (N,), at a rate of the face without field [m/s]."""
    forth = rate * factors[UPHILL, f] * c[f - 1] * (1.0 - taken(c[f], sites[f]))
    back = rate * factors[DOWNHILL, f] * c[f] * (1.0 - taken(c[f - 1], sites[f - 1]))
    return max(forth, 0.0), max(back, 0.0)


@bare
def copy_blocks(equations: np.ndarray, k: int, out: np.ndarray, to: int):
    """Copy the equations of column k to those of a column of `out`, each (3, K, N, 3, 3)."""
    for side in range(3):
        for i in range(out.shape[2]):
            for row in range(3):
                for unknown in range(3):
                    out[side, to, i, row, unknown] = equations[side, k, i, row, unknown]


@detached
def fill_end_response(junction: Junction, trial: Any, k: int, least: float) -> float:
    """As `fill_response`, at the ends that vacancies pass. least : see `mobile`"""
    new, lines, columns, N = trial.state, trial.noise.lines, junction.columns, trial.state.c.shape[1]
    charge, fastest = junction.ions[k].z * ELEMENTARY_CHARGE, 0.0
    for at_right in (False, True):
        f, i = (N, N - 1) if at_right else (0, 0)
        if not passes(junction.right_wall[k] if at_right else junction.left_wall[k]):
            continue
        c, sites = new.c[k, i], columns.sites[k, i]
        hops = end_hops(junction, new, k, at_right, 0.0, 0.0, c)
        both = 0.5 * (hops.into + max(hops.out * c, 0.0))
        own, of_reservoir = both / mobile(c, sites, least), -both * hops.by_into
        if at_right:
            lines[BY_LEFT, f], lines[BY_RIGHT, f], lines[BY_FIELD, f] = own, -of_reservoir, -both * hops.by_field
        else:
            lines[BY_LEFT, f], lines[BY_RIGHT, f], lines[BY_FIELD, f] = of_reservoir, -own, both * hops.by_field
        own *= columns.dilution[k, i]
        felt = lines[BY_FIELD, f] / new.eps[k, f] * charge + own * c / sites + of_reservoir
        fastest = max(fastest, min(2.0 * own + felt, FEEL * felt))
    return fastest


@detached
def fill_response(junction: Junction, trial: Any, k: int, with_electrons: bool) -> float:
    """Fill the work space of column k with the linear response of its ions near rest, and its fluxes.

    Returns the fastest rate at which ions that feel each other come to rest [1/s].
    """
    new, work, lines, columns = trial.state, trial.work, trial.noise.lines, junction.columns
    fluxes_of(junction, new, k, work.factors, work.J[k])
    c, sites, charge = new.c[k], columns.sites[k], junction.ions[k].z * ELEMENTARY_CHARGE
    least, fastest = EMPTY * add_up(c) / c.size, 0.0
    for f in range(1, c.size):
        rate = trial.state.diffusivity[k, f] / columns.distance[k, f] * work.factors[G, f]
        forth, back = one_way(work.factors, rate, f, c, sites)
        both = 0.5 * (forth + back)
        lines[BY_LEFT, f], lines[BY_RIGHT, f] = (
            both / mobile(c[f - 1], sites[f - 1], least),
            -both / mobile(c[f], sites[f], least),
        )
        lines[BY_FIELD, f] = both * junction.ions[k].z * columns.distance[k, f] / trial.state.kT[k]
        own = columns.dilution[k, f - 1] * lines[BY_LEFT, f] - columns.dilution[k, f] * lines[BY_RIGHT, f]
        crowded = max(own * c[f - 1] * columns.crowding[k, f - 1], own * c[f] * columns.crowding[k, f])
        felt = lines[BY_FIELD, f] / new.eps[k, f] * charge + crowded
        fastest = max(fastest, min(2.0 * own + felt, FEEL * felt))
        if binds(junction):
            trial.film.lines[PULL, k, f] = -both
    if exchanges(junction):
        fastest = max(fastest, fill_end_response(junction, trial, k, least))
    if with_electrons:
        slopes = FluxSlopes(lines[BY_LEFT], lines[BY_RIGHT], lines[BY_FIELD])
        fill_column(junction, new, trial.film, k, slopes, 0.0)
        copy_blocks(trial.film.matrix, k, trial.noise.stack, 0)
    return fastest


@detached
def fill_elastances(junction: Junction, state: State, noise: Noise, k: int):
    """Fill line BESIDE of the noise for column k: displacement at the right electrode over the charge in a cell [1]."""
    distance, eps, beside = junction.columns.distance[k], state.eps[k], edge(junction.left[k], state.D_left[k])[1]
    slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], eps)
    for i in range(state.c.shape[1]):
        beside += distance[i] / eps[i]
        noise.lines[BESIDE, i] = beside / slope


@detached
def factor_response(junction: Junction, trial: Any, k: int, per_dt: float, with_electrons: bool) -> bool:
    """Factor the equations of an implicit Euler step [1/s] of the response of `fill_response`. Returns success."""
    if not with_electrons:
        work, lines = trial.work, trial.noise.lines
        rows = IonRows(work.lower[k], work.inverse[k], work.upper[k], work.response[k], work.closure[k])
        slopes = FluxSlopes(lines[BY_LEFT], lines[BY_RIGHT], lines[BY_FIELD])
        good, work.bordered[k] = factor_ion_rows(junction, trial.state, k, slopes, per_dt, rows)
        return good
    linear = linear_of(trial.film, k)
    if exchanges(junction):  # the last face, which is eliminated, has the length of the step in its row
        slopes = FluxSlopes(trial.noise.lines[BY_LEFT], trial.noise.lines[BY_RIGHT], trial.noise.lines[BY_FIELD])
        fill_column(junction, trial.state, trial.film, k, slopes, per_dt)
        return factor_moving(linear)
    copy_blocks(trial.noise.stack, 0, trial.film.matrix, k)
    for f in range(linear.x.shape[0]):
        linear.diagonal[f, PASSED, PASSED] += per_dt
    return factor_moving(linear)


@detached
def relax_with_electrons(junction: Junction, trial: Any, k: int):
    """As `relax_deviation`, from its right-hand sides in RELAXING on, with electrons in the film."""
    lines, eps, linear, last = trial.noise.lines, trial.state.eps[k], linear_of(trial.film, k), trial.film.last[k]
    x, field, N = lines[RELAXING], lines[RELAXING_FIELD], trial.state.c.shape[1]
    a, b = open_faces(junction, N)
    for f in range(N):
        for row in range(PASSED):
            linear.x[f, row] = 0.0
        linear.x[f, PASSED] = x[f] if f >= a else 0.0
    if b == N + 1:
        put_last(junction, k, x[N], last, linear)
    solve_moving(linear, linear.x)
    for f in range(a, N):
        x[f] = linear.x[f, PASSED]
    for f in range(1, N):
        field[f] = (linear.x[f, BAND] - linear.x[f - 1, BAND]) / junction.columns.distance[k, f]
    if a == 0:
        field[0] = linear.stiffness[0] / eps[0] * linear.x[0, BAND]
    if b == N + 1:
        x[N] = last[BY_PASSED] * x[N - 1] - last[BY_BAND] * linear.x[N - 1, BAND] + last[BY_FLUX] * x[N]
        field[N] = -linear.stiffness[N] / eps[N] * linear.x[N - 1, BAND]


@detached
def relax_deviation(junction: Junction, trial: Any, k: int, per_dt: float, with_electrons: bool):
    """Let ions RELAXING of the noise [1/m2], beyond the smooth ones behind the faces of column k, take the factored step.

    In place; line RELAXING_FIELD becomes what they change of the field.
    """
    state, work, lines = trial.state, trial.work, trial.noise.lines
    N, x, field = state.c.shape[1], lines[RELAXING], lines[RELAXING_FIELD]
    charge, (a, b) = junction.ions[k].z * ELEMENTARY_CHARGE, open_faces(junction, N)
    for f in range(a, b):
        x[f] *= per_dt
    if with_electrons:
        relax_with_electrons(junction, trial, k)
        return
    solve_tridiagonal(work.lower[k, a:b], work.inverse[k, a:b], work.upper[k, a:b], x[a:b], b - a)
    dD = -dot(work.closure[k, a:b], x[a:b]) / work.bordered[k]
    add_scaled(dD, work.response[k, a:b], x[a:b])
    for f in range(a, b):
        field[f] = (dD - charge * x[f]) / state.eps[k, f]


@detached
def foresee_deviation(junction: Junction, trial: Any, k: int, duration: float, with_electrons: bool):
    """Fill lines DEVIATION and FIELD of the noise with the deviation of the ions of column k in a part of a step.

    Returns success. A deviation x that relaxes at a rate acts as x y [1 + ONCE (1 - y) + TWICE y (1 - y)] in the part,
    with y = 1/(1 + rate duration).
    """
    noise, lines, per_dt = trial.noise, trial.noise.lines, 1.0 / duration
    if not factor_response(junction, trial, k, per_dt, with_electrons):
        return False
    faces = open_faces(junction, trial.state.c.shape[1])
    fill_beyond(noise, k, trial.state, junction.columns.width[k], faces, lines[RELAXING])
    for f in range(lines.shape[1]):
        lines[DEVIATION, f], lines[FIELD, f] = 0.0, 0.0
    for weight in (1.0 + ONCE, TWICE - ONCE, -TWICE):
        relax_deviation(junction, trial, k, per_dt, with_electrons)
        add_scaled(weight, lines[RELAXING], lines[DEVIATION])
        add_scaled(weight, lines[RELAXING_FIELD], lines[FIELD])
    return True
