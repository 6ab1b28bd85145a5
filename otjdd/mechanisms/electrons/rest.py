"""Rest of the ions at a constant voltage in a film that holds electrons; at 0 V it is equilibrium.

No flux passes a face where c/(c_max - c) = K exp[(z U - W)/kT], U being the band E_C. So the vacancies depend on the
band as the electrons do, and their slope is added to the diagonal of the static Newton iteration of `search`. One row
and one column more, for the number of vacancies and ln K, border its matrix; where an electrode exchanges vacancies, its
reservoir at its initial filling gives ln K. Vacancies that hold electrons have the site
energy of `ion_fluxes` beside W, so they follow the band with their mean charge z - f.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.density import BARE, HELD_LEFT, HELD_RIGHT
from otjdd.mechanisms.electrons.search import farther, rows_of_stack, solve_stack, static_rows
from otjdd.mechanisms.electrons.stack import column, fill_bands
from otjdd.mechanisms.exchange import exchanges, passes
from otjdd.physics.ion_fluxes import binds
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import factor_tridiagonal, solve_tridiagonal
from otjdd.physics.state import State

MOST_STEPS = 1000
DONE = 1e-11  # last step of z U/kT and ln K: the error is its square
LONGEST = 3.0  # longest step in these: beyond it the linear model of the exponentials fails


@inlined
def charge_of(junction: Junction, state: State, k: int, i: int) -> float:
    """Mean charge of the vacancies of a cell, in elementary charges."""
    return junction.ions[k].z - (state.electrons[k, HELD_RIGHT, i] + state.electrons[k, HELD_LEFT, i])


@bare
def follow_band(junction: Junction, state: State, k: int, log_K: float, response: np.ndarray):
    """Set c from the band, and response (N,) to d(z c)/dU [1/(m3 eV)]; return the vacancies per area [1/m2].

    Shares that hold electrons are those at the last call of `fill_bands`.
    """
    ions, sites, c, W, amount = junction.ions[k], junction.columns.sites[k], state.c[k], 0.0, 0.0
    offset = 0.0  # of the band, over the potential that drives vacancies
    for i in range(c.size):
        W += junction.columns.site[k, i]
        offset += junction.columns.rise[k, i]
        odds = log_K + (ions.z * (state.band[k, i + 1] - offset) - W) / state.kT[k]
        if binds(junction):
            odds -= math.log(state.electrons[k, BARE, i])
        e, z = math.exp(-abs(odds)), charge_of(junction, state, k, i)
        c[i] = sites[i] * (1.0 if odds > 0.0 else e) / (1.0 + e)
        response[i] = z * z / state.kT[k] * sites[i] * e / (1.0 + e) ** 2
        amount += junction.columns.width[k, i] * c[i]
    return amount


@bare
def first_log(junction: Junction, state: State, k: int, total: float, response: np.ndarray):
    """Estimate of ln K, by bisection, at which the present band holds `total` vacancies [1/m2]."""
    low, high = -1.0, 1.0
    while follow_band(junction, state, k, low, response) > total:
        low *= 2.0
    while follow_band(junction, state, k, high, response) < total:
        high *= 2.0
    while high - low > 0.1:
        middle = 0.5 * (low + high)
        if follow_band(junction, state, k, middle, response) > total:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@bare
def log_of_reservoir(junction: Junction, state: State, k: int, V: float) -> float:
    """ln K at V [V] where an electrode exchanges vacancies, with site energies counted as in `follow_band`.

    At rest ln[c/(c_max - c)] = -[formation + W - W_wall - z (U - E_F)]/kT, and what oxygen adds.
    """
    kT, N = state.kT[k], junction.columns.width.shape[1]
    if passes(junction.left_wall[k]):  # its Fermi level is at -V
        wall = junction.left_wall[k]
        return -(wall.formation - junction.ions[k].z * V) / kT - 0.5 * wall.log_oxygen
    wall, rise = junction.right_wall[k], 0.0
    for f in range(N + 1):
        rise += junction.columns.site[k, f]
    return -(wall.formation - rise) / kT - 0.5 * wall.log_oxygen


@bare
def equilibrium_step(
    junction: Junction, state: State, k: int, missing: float, response: np.ndarray, by_log_K: np.ndarray
):
    """One step of Newton's iteration for D, U and ln K; moves the state. Returns the step of ln K, and the largest one.

    missing : vacancies [1/m2] that c lacks; nan where ln K is given
    by_log_K : (2N+1,) work space, the answer of the stack to ln K
    """
    lower, diagonal, upper, x = rows_of_stack(state)
    kT, n = state.kT[k], x.size
    if not factor_tridiagonal(lower, diagonal, upper, n):
        return math.inf, math.inf
    for j in range(n):
        by_log_K[j] = 0.0
    for i in range(state.c.shape[1]):
        per_z = kT / charge_of(junction, state, k, i)
        by_log_K[2 * i + 1] = ELEMENTARY_CHARGE * junction.columns.width[k, i] * response[i] * per_z
    solve_tridiagonal(lower, diagonal, upper, x, n)
    solve_tridiagonal(lower, diagonal, upper, by_log_K, n)
    slope = 0.0
    for i in range(state.c.shape[1]):
        z = charge_of(junction, state, k, i)
        by_U = junction.columns.width[k, i] * response[i] / z
        missing -= by_U * x[2 * i + 1]
        slope += by_U * (kT / z + by_log_K[2 * i + 1])
    by_log = 0.0 if math.isnan(missing) else missing / slope
    largest = abs(by_log)
    for j in range(n):
        x[j] += by_log * by_log_K[j]
        if j % 2 == 1:
            largest = farther(largest, x[j] / (kT / charge_of(junction, state, k, j // 2)))
    share = min(1.0, LONGEST / largest) if largest > 0.0 else 1.0
    for j in range(n):
        if j % 2 == 0:
            state.D[k, j // 2] += share * x[j]
        else:
            state.band[k, j // 2 + 1] += share * x[j]
    return share * by_log, largest


@detached
def equilibrate(junction: Junction, state: State, k: int, V: float, room: np.ndarray):
    """Rest of column k at V [V]; its concentrations and stack are filled.

    Between blocking electrodes it has as many vacancies as the state holds there.
    room : (2, 2N+1) work space. Returns the number of iterations, or 0 when no rest was found.
    """
    c, response, by_log_K, total = state.c[k], room[0], room[1], 0.0
    for i in range(c.size):
        total += junction.columns.width[k, i] * c[i]
    if solve_stack(junction, state, k, V) == 0:
        return 0
    given = exchanges(junction)
    log_K = log_of_reservoir(junction, state, k, V) if given else first_log(junction, state, k, total, response)
    for step in range(MOST_STEPS):
        fill_bands(junction, k, V, column(state, k), True)
        amount = follow_band(junction, state, k, log_K, response)
        if binds(junction):  # once more: the vacancies have changed, and with them the electrons that they hold
            fill_bands(junction, k, V, column(state, k), True)
        static_rows(junction, state, k, response, rows_of_stack(state))
        missing = math.nan if given else total - amount
        move, largest = equilibrium_step(junction, state, k, missing, response, by_log_K)
        if not largest < math.inf:
            return 0
        log_K += move
        if largest <= DONE:
            follow_band(junction, state, k, log_K, response)
            fill_bands(junction, k, V, column(state, k), True)
            return step + 1
    return 0
