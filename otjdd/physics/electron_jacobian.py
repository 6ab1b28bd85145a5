"""Jacobian of a time step with electrons in the film: one banded matrix per column, and the way of its answers.

Rows of a column, linear around a state (S_f vacancies to the right of face f, r what each algebraic equation misses):

    dS_f/(gamma dt) - dJ_f(c, E_f)                                  = flux and stages before          faces 1..N-1
    dD_i+1 - dD_i + e z (dS_i+1 - dS_i) + e h_i dn_i(U, w, V)       = -r of the cell                  cells
    dw_i - w beside it and U, see `electron_stack.weight_slopes`    = 0                               cells, EXACT only

    dD_f = stiffness_f (dU_f - dU_f-1 + r_f)    solved for at once, dU = -dV left of face 0 and 0 right of face N

In the order U_0, (w_0,) S_1, U_1, ... the matrix has two bands on either side, or four below and three above with the
weights. Elimination needs no pivots: D rises with U and falls with the charge behind it, the flux takes charge away.
"""

from typing import NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.banded import factor_banded, solve_banded
from otjdd.physics.electron_stack import (
    LOWER,
    ON_LEFT,
    ON_RIGHT,
    TO_RIGHT,
    UPPER,
    Stack,
    column,
    elastance,
    missing_charge,
    missing_step,
    weight_slopes,
    weights_count,
)
from otjdd.physics.electrostatics import edge
from otjdd.physics.film_electrons import BY_BAND, BY_VOLTAGE, BY_WEIGHT
from otjdd.physics.jit import apart, bare
from otjdd.physics.junction import FluxSlopes, Junction
from otjdd.physics.state import BAND, State

EXACT, FROZEN = 3, 2  # unknowns per cell: with the weights, or without


class ElectronWork(NamedTuple):
    """Work space of a step with electrons; all of size 0 without."""

    matrix: np.ndarray  # (K, 3N-1, BAND) factors
    response: np.ndarray  # (K, 3N-1) answer of the unknowns to V_j
    x: np.ndarray  # (K, 3N-1) right-hand sides, then answers
    per_cell: np.ndarray  # (K,) EXACT or FROZEN
    stiffness: np.ndarray  # (K, N+1) dD_f by the step of the band over the face [C/(m2 eV)]
    tilt: np.ndarray  # (K, N+1) flux by the step of the band [1/(m2 s eV)]
    missing: np.ndarray  # (K, N+1) eV, of the equations of the faces at a stage
    ends: np.ndarray  # (K, 2) 1/eV, weights at both ends by what the equations of the faces there miss
    U: np.ndarray  # (STAGES, K, N) stages of the band, and of D
    D: np.ndarray  # (STAGES, K, N+1)


@apart
def new_electron_work(stages: int, K: int, N: int, electrons: bool) -> ElectronWork:
    """Work space for K columns of N cells, their film with or without electrons."""
    held = int(electrons)
    rows, faces, cells = held * (3 * N - 1), held * (N + 1), held * N
    return ElectronWork(
        np.zeros((K, rows, BAND)), np.zeros((K, rows)), np.zeros((K, rows)), np.zeros(K, np.int64),
        np.zeros((K, faces)), np.zeros((K, faces)), np.zeros((K, faces)), np.zeros((K, 2)),
        np.zeros((stages, K, cells)), np.zeros((stages, K, faces)),
    )  # fmt: skip


@bare
def fill_cells(junction: Junction, k: int, stack: Stack, stiffness, A, m: int, low: int):
    """Fill the rows of Gauss's law; m unknowns per cell, the diagonal of A at low."""
    N, charge = stack.D.size - 1, junction.ions.z * ELEMENTARY_CHARGE
    for i in range(N):
        p, per_n = m * i, ELEMENTARY_CHARGE * junction.columns.width[k, i]
        A[p, low] = per_n * stack.electrons[BY_BAND, i] - stiffness[i] - stiffness[i + 1]
        if i > 0:
            A[p, low - m], A[p, low - 1] = stiffness[i], -charge
        if i < N - 1:
            A[p, low + m], A[p, low + m - 1] = stiffness[i + 1], charge
        if m == EXACT:
            A[p, low + 1] = per_n * stack.electrons[BY_WEIGHT, i]


@bare
def fill_faces(junction: Junction, k: int, slopes: FluxSlopes, tilt, per_dt: float, A, m: int, low: int):
    """Fill the rows of the fluxes."""
    dilution, N = junction.columns.dilution[k], tilt.size - 1
    for f in range(1, N):
        p = m * f - 1
        before, behind = dilution[f - 1] * slopes.by_left[f], dilution[f] * slopes.by_right[f]
        A[p, low] = per_dt + before - behind
        A[p, low - m + 1], A[p, low + 1] = tilt[f], -tilt[f]
        if f > 1:
            A[p, low - m] = -before
        if f < N - 1:
            A[p, low + m] = behind


@bare
def fill_weights(stack: Stack, follow_left: float, follow_right: float, A, low: int):
    """Fill the rows of the weights; follow : how far the band at the ends of the film follows that of the cell there."""
    N, slopes = stack.D.size - 1, stack.slopes
    for i in range(N):
        p, share, right, left = 3 * i + 1, slopes[TO_RIGHT, i], slopes[ON_RIGHT, i], slopes[ON_LEFT, i]
        A[p, low], A[p, low - 1] = 1.0, right - left
        if i > 0:
            A[p, low - 3], A[p, low - 4] = share - 1.0, left
        else:
            A[p, low - 1] += left * follow_left
        if i < N - 1:
            A[p, low + 3], A[p, low + 2] = -share, -right
        else:
            A[p, low - 1] -= right * follow_right


@bare
def fill_response(junction: Junction, k: int, stack: Stack, stiffness, follow_left: float, x, m: int):
    """Fill minus the derivatives of the rows of column k by V_j."""
    x[:] = 0.0
    for i in range(stack.D.size - 1):
        x[m * i] = -ELEMENTARY_CHARGE * junction.columns.width[k, i] * stack.electrons[BY_VOLTAGE, i]
    x[0] += stiffness[0]
    if m == EXACT:
        x[1] = stack.slopes[ON_LEFT, 0] * (1.0 - follow_left)


@bare
def follow_ends(junction: Junction, stack: Stack, stiffness):
    """Share of the move of the band in its first and last cell that the band at the electrode follows."""
    N = stack.D.size - 1
    left = edge(junction.left, stack.D[0])[1] * stiffness[0]
    return left, edge(junction.right, -stack.D[N])[1] * stiffness[N]


@bare
def factor_column(
    junction: Junction, state: State, film: ElectronWork, k: int, slopes: FluxSlopes, per_dt: float
) -> bool:
    """Factor the matrix of column k at a settled state, and its answer to V_j. Returns success.

    slopes : of the fluxes   per_dt : 1/(gamma dt) [1/s]
    """
    stack, A, x, stiffness, tilt = column(state, k), film.matrix[k], film.response[k], film.stiffness[k], film.tilt[k]
    m = EXACT if weights_count(junction, k, state.c[k], stack) else FROZEN
    low = LOWER if m == EXACT else m
    N = stack.D.size - 1
    rows = m * N - 1
    film.per_cell[k] = m
    for f in range(N + 1):
        stiffness[f] = 1.0 / elastance(junction, k, stack, f)
        tilt[f] = slopes.by_field[f] / junction.columns.distance[k, f]
    A[:] = 0.0
    follow_left, follow_right = follow_ends(junction, stack, stiffness)
    fill_cells(junction, k, stack, stiffness, A, m, low)
    fill_faces(junction, k, slopes, tilt, per_dt, A, m, low)
    if m == EXACT:
        weight_slopes(junction.columns.distance[k], junction.kT, stack)
        fill_weights(stack, follow_left, follow_right, A, low)
        film.ends[k, 0] = -stack.slopes[ON_LEFT, 0] * follow_left
        film.ends[k, 1] = -stack.slopes[ON_RIGHT, N - 1] * follow_right
    fill_response(junction, k, stack, stiffness, follow_left, x, m)
    return factored(A[:rows], x[:rows], m)


@bare
def factored(A, x, m: int) -> bool:
    """Factor a matrix with m unknowns per cell, and solve for x."""
    good = factor_banded(A, LOWER, UPPER) if m == EXACT else factor_banded(A, FROZEN, FROZEN)
    answer(A, x, m)
    return good


@bare
def answer(A, x, m: int):
    """Solve in place with factors of `factored`."""
    if m == EXACT:
        solve_banded(A, LOWER, UPPER, x)
    else:
        solve_banded(A, FROZEN, FROZEN, x)


@bare
def fill_right_hand(junction: Junction, k: int, c, stack: Stack, film: ElectronWork, flux):
    """Fill x of column k from the residuals at a stage with concentrations c (N,).

    flux : (N+1,) right-hand sides of the fluxes [1/(m2 s)]   stack : of the stage
    """
    N, m, x, missing, stiffness = c.size, film.per_cell[k], film.x[k], film.missing[k], film.stiffness[k]
    for f in range(N + 1):
        missing[f] = missing_step(junction, k, stack, f)
    for i in range(N):
        x[m * i] = (
            stiffness[i] * missing[i] - stiffness[i + 1] * missing[i + 1] - missing_charge(junction, k, c, stack, i)
        )
    for f in range(1, N):
        x[m * f - 1] = flux[f] + film.tilt[k, f] * missing[f]
    if m == EXACT:
        for i in range(N):
            x[m * i + 1] = 0.0
        x[1] += film.ends[k, 0] * missing[0]
        x[m * N - 2] += film.ends[k, 1] * missing[N]


@bare
def displacement_changes(k: int, film: ElectronWork, x, dV: float, share: float, out):
    """Changes of D (N+1,) that belong to unknowns x and dV, with `share` of what the equations of the faces miss."""
    m, N, stiffness, missing = film.per_cell[k], out.size - 1, film.stiffness[k], film.missing[k]
    before = -dV
    for f in range(N + 1):
        here = x[m * f] if f < N else 0.0
        out[f] = stiffness[f] * (here - before + share * missing[f])
        before = here
