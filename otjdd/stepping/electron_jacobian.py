"""Jacobian of a time step with electrons in the film: the linear equations of a stack, with the vacancies as third unknown.

    dS_f/(gamma dt) - dJ_f(c, E_f)                                  = flux, and stages before        faces
    dD_i+1 - dD_i + e z (dS_i+1 - dS_i) + e h_i dn_i(U, w, V)       = -r                             cells

Block i holds U_i, w_i, and S_i of the face to the left of cell i, a blank for i = 0 where the electrode blocks. S_N, where
vacancies pass the right electrode, is eliminated first: it meets the last block alone. Elimination needs no pivots between
blocks: D rises with U and falls with the charge behind it, the flux takes charge away.
"""

from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import detached, inlined, spliced
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.exchange import exchanges, passes
from otjdd.physics.electron_stack import (
    BAND,
    WEIGHT,
    Linear,
    Stack,
    column,
    fill_answer_to_polarisation,
    fill_answer_to_voltage,
    fill_residuals,
    linearise,
)
from otjdd.physics.film_electrons import (
    BARE,
    HELD_BY_BAND,
    HELD_BY_VOLTAGE,
    HELD_BY_WEIGHT,
    HELD_LEFT,
    HELD_RIGHT,
)
from otjdd.physics.ion_fluxes import FluxRow, binds, end_row, flux_row
from otjdd.physics.junction import FluxSlopes, Junction
from otjdd.physics.numerics import factor_threes, solve_threes
from otjdd.physics.state import State

PASSED = 2  # unknown of a block, after BAND and WEIGHT
PER_BLOCK = 3
# rows of ElectronWork.lines
STIFFNESS, MISSING, ENDS, TILT, PULL, LINES = range(6)
# numbers of ElectronWork.last: dS_N by dS_N-1 and by -dU_N-1, by its right-hand side, and the flux before it by -dS_N
BY_PASSED, BY_BAND, BY_FLUX, BACK, LAST = range(5)


@by_pointer
class ElectronWork(NamedTuple):
    """Work space of a step with electrons; all of size 0 without."""

    matrix: np.ndarray  # (3, K, N, 3, 3) factors
    response: np.ndarray  # (K, N, 3) answer of the unknowns to V_j
    by_P: np.ndarray  # (K, N, 3) answer of the unknowns to the polarisation; of size 0 where no film is polarised
    x: np.ndarray  # (K, N, 3) right-hand sides, then answers
    charge: np.ndarray  # (K, N, 3) derivatives of the charge of the left terminal by the unknowns, D(0) left out
    lines: np.ndarray  # (LINES, K, N+1) of `electron_stack.Linear`; TILT: flux by the step of the band [1/(m2 s eV)]
    # PULL: of `ion_fluxes.fill_pull`
    last: np.ndarray  # (K, LAST) of the last face, where vacancies pass it
    U: np.ndarray  # (s, K, N) stages of the band, and of D
    D: np.ndarray  # (s, K, N+1)


def new_electron_work(stages: int, K: int, N: int, electrons: bool, polarised: bool = False) -> ElectronWork:
    """Work space for K columns of N cells, their film with or without electrons, polarised or not."""
    faces, cells = int(electrons) * (N + 1), int(electrons) * N
    return ElectronWork(
        np.zeros((3, K, cells, PER_BLOCK, PER_BLOCK)), np.zeros((K, cells, PER_BLOCK)),
        np.zeros((K, int(polarised) * cells, PER_BLOCK)), np.zeros((K, cells, PER_BLOCK)),
        np.zeros((K, cells, PER_BLOCK)),
        np.zeros((LINES, K, faces)), np.zeros((K, LAST)), np.zeros((stages, K, cells)), np.zeros((stages, K, faces)),
    )  # fmt: skip


@inlined
def linear_of(film: ElectronWork, k: int) -> Linear:
    """The equations of column k."""
    return Linear(
        film.matrix[0, k], film.matrix[1, k], film.matrix[2, k], film.x[k],
        film.lines[STIFFNESS, k], film.lines[MISSING, k], film.lines[ENDS, k],
    )  # fmt: skip


@detached
def fill_vacancies(junction: Junction, k: int, slopes: FluxSlopes, tilt: np.ndarray, per_dt: float, linear: Linear):
    """Fill the rows of the fluxes, and the vacancies in those of the cells."""
    lower, diagonal, upper = linear.lower, linear.diagonal, linear.upper
    dilution, N, charge = junction.columns.dilution[k], linear.x.shape[0], junction.ions[k].z * ELEMENTARY_CHARGE
    open_left = passes(junction.left_wall[k])
    for f in range(N):
        row, by_band = FluxRow(0.0, per_dt, 0.0), 0.0
        if f > 0:
            row, by_band = flux_row(dilution, slopes, per_dt, f), tilt[f]
        elif open_left:
            row, by_band = end_row(dilution, slopes, per_dt, 0), tilt[0]
        diagonal[f, PASSED, PASSED] = row.diagonal
        diagonal[f, PASSED, BAND], diagonal[f, PASSED, WEIGHT] = -by_band, 0.0
        lower[f, PASSED, PASSED], lower[f, PASSED, BAND], lower[f, PASSED, WEIGHT] = row.lower, by_band, 0.0
        upper[f, PASSED, PASSED], upper[f, PASSED, BAND], upper[f, PASSED, WEIGHT] = row.upper, 0.0, 0.0
        diagonal[f, BAND, PASSED], upper[f, BAND, PASSED] = -charge, charge
        lower[f, BAND, PASSED], lower[f, WEIGHT, PASSED] = 0.0, 0.0
        diagonal[f, WEIGHT, PASSED], upper[f, WEIGHT, PASSED] = 0.0, 0.0
    upper[N - 1, PASSED, PASSED] = 0.0
    if not open_left:
        diagonal[0, BAND, PASSED], lower[1, PASSED, PASSED] = 0.0, 0.0


@detached
def eliminate_last(
    junction: Junction, k: int, slopes: FluxSlopes, tilt: np.ndarray, per_dt: float, linear: Linear, last: np.ndarray
):
    """Fill the numbers `last` of face N, which vacancies pass, and eliminate it from the last block.

    dS_N = BY_PASSED dS_N-1 - BY_BAND dU_N-1 + BY_FLUX right-hand side
    """
    dilution, diagonal, N = junction.columns.dilution[k], linear.diagonal, linear.x.shape[0]
    charge = junction.ions[k].z * ELEMENTARY_CHARGE
    row = end_row(dilution, slopes, per_dt, N)
    pivot = row.diagonal
    last[BY_PASSED], last[BY_BAND], last[BY_FLUX] = -row.lower / pivot, tilt[N] / pivot, 1.0 / pivot
    last[BACK] = flux_row(dilution, slopes, per_dt, N - 1).upper
    diagonal[N - 1, BAND, PASSED] += charge * last[BY_PASSED]
    diagonal[N - 1, BAND, BAND] -= charge * last[BY_BAND]
    diagonal[N - 1, PASSED, PASSED] += last[BACK] * last[BY_PASSED]
    diagonal[N - 1, PASSED, BAND] -= last[BACK] * last[BY_BAND]


@detached
def put_last(junction: Junction, k: int, flux: float, last: np.ndarray, linear: Linear):
    """Put the right-hand side of face N [1/(m2 s)], which vacancies pass, into those of the last block."""
    N = linear.x.shape[0]
    linear.x[N - 1, BAND] -= junction.ions[k].z * ELEMENTARY_CHARGE * last[BY_FLUX] * flux
    linear.x[N - 1, PASSED] -= last[BACK] * last[BY_FLUX] * flux


@detached
def add_bound(junction: Junction, k: int, stack: Stack, pull: np.ndarray, linear: Linear, response: np.ndarray):
    """Add what the electrons that vacancies hold change: charge of a vacancy in its cell, site energies in the fluxes.

    pull : (N+1,) of `fill_pull`   response : (N, 3) minus the derivatives by V_j
    """
    n, lower, diagonal, upper = stack.electrons, linear.lower, linear.diagonal, linear.upper
    before = 0.0
    for i in range(n.shape[1]):
        charge = ELEMENTARY_CHARGE * (n[HELD_RIGHT, i] + n[HELD_LEFT, i])
        diagonal[i, BAND, PASSED] += charge if i > 0 else 0.0
        upper[i, BAND, PASSED] -= charge
        behind = -pull[i] / n[BARE, i]  # of the flux through the face to the left, by f of this cell
        if i > 0:
            lower[i, PASSED, BAND] += before * n[HELD_BY_BAND, i - 1]
            lower[i, PASSED, WEIGHT] += before * n[HELD_BY_WEIGHT, i - 1]
            diagonal[i, PASSED, BAND] -= behind * n[HELD_BY_BAND, i]
            diagonal[i, PASSED, WEIGHT] -= behind * n[HELD_BY_WEIGHT, i]
            response[i, PASSED] += behind * n[HELD_BY_VOLTAGE, i] - before * n[HELD_BY_VOLTAGE, i - 1]
        before = -pull[i + 1] / n[BARE, i]


@spliced
def fill_column(junction: Junction, state: State, film: ElectronWork, k: int, slopes: FluxSlopes, per_dt: float):
    """Fill the equations of column k at a settled state, and minus their derivatives by V_j.

    slopes : of the fluxes   per_dt : 1/(gamma dt) [1/s]
    """
    stack, linear, tilt, response = column(state, k), linear_of(film, k), film.lines[TILT, k], film.response[k]
    for f in range(tilt.size):
        tilt[f] = slopes.by_field[f] / junction.columns.distance[k, f]
    linearise(junction, k, stack, linear)
    if exchanges(junction):  # the electrodes yield to the charge at the ends
        for f in (0, tilt.size - 1):
            tilt[f] = slopes.by_field[f] * linear.stiffness[f] / state.eps[k, f]
    fill_vacancies(junction, k, slopes, tilt, per_dt, linear)
    fill_answer_to_voltage(junction, k, stack, linear, response)
    for f in range(response.shape[0]):
        response[f, PASSED] = 0.0
    if passes(junction.left_wall[k]):
        response[0, PASSED] = tilt[0]
    if passes(junction.right_wall[k]):
        eliminate_last(junction, k, slopes, tilt, per_dt, linear, film.last[k])
    if binds(junction):
        add_bound(junction, k, stack, film.lines[PULL, k], linear, response)


@spliced
def factor_column(
    junction: Junction, state: State, film: ElectronWork, k: int, slopes: FluxSlopes, per_dt: float
) -> bool:
    """Factor the equations of column k at a settled state, and its answer to V_j. Returns success. As `fill_column`."""
    linear, response = linear_of(film, k), film.response[k]
    fill_column(junction, state, film, k, slopes, per_dt)
    good = factor_threes(linear.lower, linear.diagonal, linear.upper)
    solve_threes(linear.lower, linear.diagonal, linear.upper, response)
    return good


@detached
def answer_to_polarisation(junction: Junction, state: State, film: ElectronWork, k: int):
    """Fill the answer of column k to its polarisation, after `factor_column`."""
    linear, by_P = linear_of(film, k), film.by_P[k]
    fill_answer_to_polarisation(junction, k, column(state, k), linear, by_P)
    for f in range(by_P.shape[0]):
        by_P[f, PASSED] = 0.0
    solve_threes(linear.lower, linear.diagonal, linear.upper, by_P)


@spliced
def solve_column(junction: Junction, k: int, at: State, film: ElectronWork, flux: np.ndarray):
    """Solve for x of column k, the residuals being those of the stage that `at` holds.

    flux : (N+1,) right-hand sides of the fluxes [1/(m2 s)]
    """
    linear, tilt = linear_of(film, k), film.lines[TILT, k]
    fill_residuals(junction, k, at.c[k], column(at, k), linear)
    linear.x[0, PASSED] = 0.0
    for f in range(0 if passes(junction.left_wall[k]) else 1, linear.x.shape[0]):
        linear.x[f, PASSED] = flux[f] + tilt[f] * linear.missing[f]
    if passes(junction.right_wall[k]):
        N = linear.x.shape[0]
        put_last(junction, k, flux[N] + tilt[N] * linear.missing[N], film.last[k], linear)
    solve_threes(linear.lower, linear.diagonal, linear.upper, linear.x)
