"""Shot noise of the hops: what single ions add at random to a time step of their mean density.

A step takes a smooth density as without noise. To the ions S_f that passed the faces come random ones x:

    dx = J' x dt + dB        <dB_f^2> = (forward + backward hops per area) dt / area of the column

J' is the Jacobian of the fluxes, fields and electrons following, V_j and the acceleration of hops held: a film far from
rest could run away by the latter, at rest it has no part. Where ions come to rest within a step, the hops
of the step are far more than the ions: their sum would be no measure of what is left at its end. So x is taken through
parts of the step, each half of the one before, down to the fastest cell, by implicit Euler steps, which make no ripple
where ions are swept along. At rest such a sequence keeps 1/LATER of the variance of a mode, whatever its rate: the hops of
all parts but the first are more by LATER, those of the first fewer. The variance at rest is then that of lattice exclusion
and of the electrostatics, since forward and backward hops are in detailed balance, to 2 % for one mode and any step.

Hops are those of the smooth density at the end of the step. What the mean moved beyond them is in the first part. Hops
from where single ions were would scatter a film that is swept along too much, ten times in its high state.

After the step the slow part of x, (1 - LINGERS step J')^-1 x, goes over to the smooth density: from there on it acts on
fields and rates as every density does. What is left is rough and dies within the next steps. Without this division steps
would be as short as the fastest cell relaxes: a density that is rough after each step has to be followed into rest.
"""

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.physics.blocks import factor_threes, solve_threes
from otjdd.physics.bound_electrons import binds, fill_pull, flux_slopes_of
from otjdd.physics.closing import hold_electrons
from otjdd.physics.heat import fill_power, heated
from otjdd.physics.ions import DOWNHILL, G_SLOPE, UPHILL, G
from otjdd.physics.junction import FluxSlopes, Junction, closure_slope
from otjdd.physics.numerics import add_scaled, copy, dot, factor_tridiagonal, solve_tridiagonal
from otjdd.physics.quasistatic import Accuracy, ensure_current, settle
from otjdd.physics.state import State, Tangent
from otjdd.stepping.drawn_hops import (
    BACK,
    BEYOND,
    BY_FIELD,
    BY_LEFT,
    BY_RIGHT,
    FORTH,
    MIDDLE,
    Noise,
    beyond,
    draw_hops,
    fill_rough,
    keep_within,
)
from otjdd.stepping.electron_jacobian import PASSED, PULL, lay_column, linear_of
from otjdd.stepping.rosenbrock import Trial, Work, displaced

LATER = 1.19  # factor on the hops of all parts of a step but the first, which has the fewer
SHORTEST = 0.25  # last part of a step, times the rate of the fastest cell
MOST_PARTS = 100
LINGERS = 10.0  # steps: what relaxes within them is left to the rough part


@bare
def slopes_of(noise: Noise) -> FluxSlopes:
    """The slopes of the fluxes of the present column."""
    return FluxSlopes(noise.lines[BY_LEFT], noise.lines[BY_RIGHT], noise.lines[BY_FIELD])


@bare
def one_way(factors: np.ndarray, rate: float, f: int, c: np.ndarray, most: float):
    """Hops over face f forth and back [1/(m2 s)] of concentrations (N,), at a rate of the face without field [m/s]."""
    forth = rate * factors[UPHILL, f] * c[f - 1] * (1.0 - c[f] / most)
    back = rate * factors[DOWNHILL, f] * c[f] * (1.0 - c[f - 1] / most)
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
def lay_hop_noise(junction: Junction, old: State, trial: Trial, k: int, step: float) -> float:
    """Fill the work space of column k with the slopes of its fluxes, the equations of its stack and the hops of a step [s].

    Returns the fastest rate at which a cell comes to rest [1/s].
    """
    new, work, noise, slopes = trial.state, trial.work, trial.noise, slopes_of(trial.noise)
    flux_slopes_of(junction, new, k, work.factors, work.J[k], slopes)
    if binds(junction):
        fill_pull(junction, k, work.factors, work.J[k], slopes, trial.film.lines[PULL, k])
    columns, c_max, c = junction.columns, junction.ions[k].c_max, new.c[k]
    charge, passed, fastest = junction.ions[k].z * ELEMENTARY_CHARGE, 0.0, 0.0
    for f in range(c.size - 1, 0, -1):
        passed += (c[f] - old.c[k, f]) * columns.width[k, f]
        slopes.by_field[f] -= work.factors[G_SLOPE, f] / work.factors[G, f] * work.J[k, f]
        rate = columns.diffusivity[k, f] / columns.distance[k, f] * work.factors[G, f]
        forth, back = one_way(work.factors, rate, f, c, c_max)
        noise.lines[FORTH, f], noise.lines[BACK, f] = step * forth, step * back
        noise.lines[BEYOND, f] = passed - step * (forth - back)
        spread = columns.dilution[k, f - 1] * slopes.by_left[f] - columns.dilution[k, f] * slopes.by_right[f]
        fastest = max(fastest, 2.0 * spread + slopes.by_field[f] / new.eps[k, f] * charge)
    if hold_electrons(junction):
        lay_column(junction, new, trial.film, k, slopes, 0.0)
        copy_blocks(trial.film.matrix, k, noise.stack, 0)
    return fastest


@detached
def factor_bare(junction: Junction, state: State, work: Work, noise: Noise, k: int, per_dt: float) -> bool:
    """Factor the equations of column k without electrons in the film, as `ion_step.factor_ions`. Returns success."""
    columns, charge, slopes = junction.columns, junction.ions[k].z * ELEMENTARY_CHARGE, slopes_of(noise)
    lower, diagonal, upper, response = work.lower[k], work.inverse[k], work.upper[k], work.response[k]
    N = state.c.shape[1]
    for f in range(1, N):
        per_eps = 1.0 / state.eps[k, f]
        before, behind = columns.dilution[k, f - 1] * slopes.by_left[f], columns.dilution[k, f] * slopes.by_right[f]
        response[f] = slopes.by_field[f] * per_eps
        work.closure[k, f] = -charge * columns.distance[k, f] * per_eps
        lower[f], upper[f], diagonal[f] = -before, behind, per_dt + before - behind + response[f] * charge
    if not factor_tridiagonal(lower[1:N], diagonal[1:N], upper[1:N], N - 1):
        return False
    solve_tridiagonal(lower[1:N], diagonal[1:N], upper[1:N], response[1:N], N - 1)
    slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
    work.bordered[k] = slope + dot(work.closure[k, 1:N], response[1:N])
    return True


@detached
def answer(junction: Junction, trial: Trial, k: int, per_dt: float) -> bool:
    """Solve (per_dt - J') x = line MIDDLE of the noise for column k, in place. Returns success."""
    state, work, film, x = trial.state, trial.work, trial.film, trial.noise.lines[MIDDLE]
    N = state.c.shape[1]
    if hold_electrons(junction):
        linear = linear_of(film, k)
        copy_blocks(trial.noise.stack, 0, film.matrix, k)
        for f in range(N):
            linear.diagonal[f, PASSED, PASSED] += per_dt
        if not factor_threes(linear.lower, linear.diagonal, linear.upper):
            return False
        for f in range(N):
            for row in range(PASSED):
                linear.x[f, row] = 0.0
            linear.x[f, PASSED] = x[f] if f > 0 else 0.0
        solve_threes(linear.lower, linear.diagonal, linear.upper, linear.x)
        for f in range(1, N):
            x[f] = linear.x[f, PASSED]
        return True
    if not factor_bare(junction, state, work, trial.noise, k, per_dt):
        return False
    inner = x[1:N]
    solve_tridiagonal(work.lower[k, 1:N], work.inverse[k, 1:N], work.upper[k, 1:N], inner, N - 1)
    add_scaled(-dot(work.closure[k, 1:N], inner) / work.bordered[k], work.response[k, 1:N], inner)
    return True


@detached
def hop_at_random(junction: Junction, old: State, trial: Trial, k: int, step: float) -> bool:
    """Add the random hops of a step [s] from an old state to column k of trial.state. Returns success."""
    noise, c, columns = trial.noise, trial.state.c[k], junction.columns
    fastest = lay_hop_noise(junction, old, trial, k, step)
    hops, middle, real = noise.after[k], noise.lines[MIDDLE], noise.smooth[k]
    copy(noise.rough[k], hops)
    left, part = 1.0, 0
    while left > 0.0:
        last = fastest * step * left < SHORTEST or part == MOST_PARTS
        share = left if last else 0.5 * left
        weight = LATER if part > 0 else 1.0 if last else 2.0 - LATER
        draw_hops(noise, k, part, weight * share, 1.0 if part == 0 else 0.0, hops)
        per_dt = 1.0 / (share * step)
        for f in range(hops.size):
            middle[f] = hops[f] * per_dt
        if not answer(junction, trial, k, per_dt):
            return False
        for f in range(1, hops.size - 1):
            hops[f] = middle[f]
        left, part = 0.0 if last else left - share, part + 1
    displaced(columns, k, c, hops, real)
    noise.given[k] += noise.area[k] * beyond(real, columns.width[k], junction.ions[k].c_max)
    if not keep_within(noise, k, real, columns.width[k], junction.ions[k].c_max):
        return False
    fill_rough(c, real, columns.width[k], hops)
    per_dt = 1.0 / (LINGERS * step)
    for f in range(hops.size):
        middle[f] = hops[f] * per_dt
    if not answer(junction, trial, k, per_dt):
        return False
    displaced(columns, k, c, middle, c)
    if not keep_within(noise, k, c, columns.width[k], junction.ions[k].c_max):
        return False
    fill_rough(c, real, columns.width[k], hops)
    return True


@detached
def add_hop_noise(
    junction: Junction, old: State, tangent: Tangent, trial: Trial, voltage: float, step: float, accuracy: Accuracy
):
    """Add the random hops of a step [s] from an old state to trial.state, settled anew at a source voltage [V].

    Returns a status. After a failure the next try draws other numbers.
    """
    new = trial.state
    trial.noise.steps[0] += 1
    for k in range(new.c.shape[0]):
        if not hop_at_random(junction, old, trial, k, step):
            return Status.CELL_EMPTIED
    status = settle(junction, new, tangent, voltage, new.V[0], accuracy)
    if status == Status.DONE and heated(junction):
        status = ensure_current(junction, new, tangent)
        fill_power(junction, new, new.heat.power)
    if status == Status.DONE:
        for k in range(new.c.shape[0]):
            copy(trial.noise.after[k], trial.noise.rough[k])
    return status


@detached
def show_ions(junction: Junction, state: State, noise: Noise):
    """Let a state hold its ions as they are instead of the smooth density, to be settled."""
    for k in range(noise.area.size):
        copy(state.c[k], noise.smooth[k])
        displaced(junction.columns, k, noise.smooth[k], noise.rough[k], state.c[k])


@detached
def hide_ions(state: State, noise: Noise):
    """Let a state hold its smooth density again."""
    for k in range(noise.area.size):
        copy(noise.smooth[k], state.c[k])
