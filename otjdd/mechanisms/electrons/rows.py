"""Equations of a step or a small signal with electrons in the film: those of a stack, the vacancies as third unknown.

    dS_f/(gamma dt) - dJ_f(c, E_f)                                  = flux, and stages before        faces
    dD_i+1 - dD_i + e z (dS_i+1 - dS_i) + e h_i dn_i(U, w, V)       = -r                             cells

Block i holds U_i, w_i, and S_i of the face to the left of cell i, a blank for i = 0 where the electrode blocks. S_N, where
vacancies pass the right electrode, is eliminated first: it meets the last block alone. Elimination needs no pivots between
blocks: D rises with U and falls with the charge behind it, the flux takes charge away.
"""

from typing import Any, NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined, spliced
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.density import (
    BARE,
    BY_VOLTAGE,
    BY_WEIGHT,
    HELD_BY_BAND,
    HELD_BY_VOLTAGE,
    HELD_BY_WEIGHT,
    HELD_LEFT,
    HELD_RIGHT,
    OF_LEFT,
)
from otjdd.mechanisms.electrons.density import BY_BAND as N_BY_BAND
from otjdd.mechanisms.electrons.stack import (
    BAND,
    TOTAL,
    WEIGHT,
    Linear,
    Stack,
    column,
    column_of,
    electrode_elastances,
    factor_moving,
    fill_answer_to_polarisation,
    fill_answer_to_voltage,
    fill_onto_total,
    fill_residuals,
    linearise,
    solve_moving,
)
from otjdd.mechanisms.exchange import exchanges, open_faces, passes
from otjdd.physics.ion_fluxes import FluxRow, binds, end_row, flux_row, linear_fluxes
from otjdd.physics.junction import FluxSlopes, Junction, hold_electrons
from otjdd.physics.state import CHARGE, LOG_G, NUMBERS, VOLTAGE, State

PASSED = 2  # unknown of a block, after BAND and WEIGHT
PER_BLOCK = 3
DIAGONAL, BANDS = 5, 11  # of a matrix about its diagonal, of three blocks of three in a row
# rows of ElectronWork.lines
STIFFNESS, MISSING, ENDS, OF_TOTAL, TILT, PULL, LINES = range(7)
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
    lines: np.ndarray  # (LINES, K, N+1) of `stack.Linear`; TILT: flux by the step of the band [1/(m2 s eV)]
    # PULL: of `ion_fluxes.fill_pull`
    total: np.ndarray  # (K, TOTAL) of `stack.Linear`
    by_total: np.ndarray  # (K, N, 3)
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
        np.zeros((LINES, K, faces)), np.zeros((K, TOTAL)), np.zeros((K, cells, PER_BLOCK)), np.zeros((K, LAST)),
        np.zeros((stages, K, cells)), np.zeros((stages, K, faces)),
    )  # fmt: skip


@inlined
def linear_of(film: ElectronWork, k: int) -> Linear:
    """The equations of column k."""
    return Linear(
        film.matrix[0, k], film.matrix[1, k], film.matrix[2, k], film.x[k],
        film.lines[STIFFNESS, k], film.lines[MISSING, k], film.lines[ENDS, k],
        film.lines[OF_TOTAL, k, : film.x.shape[1]], film.total[k], film.by_total[k],
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


@detached
def fill_rows(junction: Junction, state: State, film: ElectronWork, k: int, slopes: FluxSlopes, per_dt: float):
    """Fill the equations of column k at a settled state, but for the last face, and minus their derivatives by V_j.

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
    if binds(junction):
        add_bound(junction, k, stack, film.lines[PULL, k], linear, response)


@spliced
def fill_column(junction: Junction, state: State, film: ElectronWork, k: int, slopes: FluxSlopes, per_dt: float):
    """As `fill_rows`, the last face eliminated where vacancies pass it."""
    fill_rows(junction, state, film, k, slopes, per_dt)
    if passes(junction.right_wall[k]):
        eliminate_last(junction, k, slopes, film.lines[TILT, k], per_dt, linear_of(film, k), film.last[k])


@spliced
def factor_column(
    junction: Junction, state: State, film: ElectronWork, k: int, slopes: FluxSlopes, per_dt: float
) -> bool:
    """Factor the equations of column k at a settled state, and its answer to V_j. Returns success. As `fill_column`."""
    linear, response = linear_of(film, k), film.response[k]
    fill_column(junction, state, film, k, slopes, per_dt)
    good = factor_moving(linear)
    solve_moving(linear, response)
    return good


@detached
def answer_to_polarisation(junction: Junction, state: State, film: ElectronWork, k: int):
    """Fill the answer of column k to its polarisation, after `factor_column`."""
    linear, by_P = linear_of(film, k), film.by_P[k]
    fill_answer_to_polarisation(junction, k, column(state, k), linear, by_P)
    for f in range(by_P.shape[0]):
        by_P[f, PASSED] = 0.0
    solve_moving(linear, by_P)


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
    solve_moving(linear, linear.x)


@detached
def fill_charge_slopes(junction: Junction, state: State, k: int, out: np.ndarray):
    """Fill the derivatives (N, 3) of what comes to column k from the left [C/m2] by its unknowns, D(0) left out.

    Electrons come by the share 1 - w, and vacancies bring those that they hold, see `electrons.step`.
    """
    n, before, share = state.electrons[k], 0.0, 1.0
    for i in range(out.shape[0]):
        of_left = -ELEMENTARY_CHARGE * n[OF_LEFT, i]
        per_n = of_left * junction.columns.width[k, i]
        out[i, BAND], out[i, WEIGHT] = per_n * n[N_BY_BAND, i], per_n * n[BY_WEIGHT, i]
        out[i, PASSED] = 0.0
        if binds(junction):
            held = n[HELD_LEFT, i] + n[HELD_RIGHT, i]
            mean = 0.5 * (share + n[OF_LEFT, i]) if i > 0 else 1.0
            out[i, PASSED] = -ELEMENTARY_CHARGE * mean * (held - before)
            before, share = held, n[OF_LEFT, i]
    if passes(junction.left_wall[k]):
        out[0, PASSED] += junction.ions[k].z * ELEMENTARY_CHARGE


@bare
def charge_by_voltage(junction: Junction, state: State, k: int) -> float:
    """Derivative of what comes to column k from the left by V_j at constant unknowns [F/m2], D(0) left out."""
    total, n = 0.0, state.electrons[k]
    for i in range(n.shape[1]):
        total -= ELEMENTARY_CHARGE * n[OF_LEFT, i] * n[BY_VOLTAGE, i] * junction.columns.width[k, i]
    return total


@detached
def fill_signal(junction: Junction, state: State, film: ElectronWork, k: int, slopes: FluxSlopes):
    """As `fill_rows` at no rate, with those by dT, minus those by P, and those of the charge of the left terminal."""
    fill_rows(junction, state, film, k, slopes, 0.0)
    fill_onto_total(linear_of(film, k))
    fill_answer_to_polarisation(junction, k, column(state, k), linear_of(film, k), film.by_P[k])
    fill_charge_slopes(junction, state, k, film.charge[k])


def answer(
    junction: Junction, state: State, k: int, response: Any, log_slopes: tuple[float, float, np.ndarray]
) -> Any:  # fmt: skip
    """The linear response of column k to a small signal, its unknowns those of the blocks here.

    response : `solver.linear_response.Response` without electrons   log_slopes : of ln G by D(L), by P and by S_f
    The vacancies count as e z S_f. Shared unknowns are what passes the right electrode, and the total of the weights.
    """
    if not hold_electrons(junction):
        return response
    (J, slopes, pull), (K, N), charge = linear_fluxes(junction, state, k), state.c.shape, response.charge_of_ions
    film, (first, end) = new_electron_work(0, K, N, True, True), open_faces(junction, N)
    film.lines[PULL, k] = pull
    fill_signal(junction, state, film, k, slopes)
    (lower, diagonal, upper), by_V, tilt = film.matrix[:, k], film.response[k], film.lines[TILT, k]
    if first:  # there is no face
        diagonal[0, PASSED, PASSED] = 1.0
    rows, ions = diagonals(lower, diagonal, upper), np.arange(3 * first + 2, 3 * N, 3)
    rows[ions] *= charge
    by_V[first:, PASSED] *= charge
    for band in range(BANDS):  # from vacancies to their charge
        beside = ions - band + DIAGONAL
        rows[beside[(beside >= 0) & (beside < 3 * N)], band] /= charge
    film.charge[k, :, PASSED] /= charge
    of_faces, moves = np.zeros((NUMBERS, N + 1)), np.zeros(3 * N)  # the numbers by D at the faces
    per_charge = log_slopes[2][:-1] / charge
    of_faces[VOLTAGE], of_faces[CHARGE, 0] = junction.columns.distance[k] / state.eps[k], 1.0
    of_faces[LOG_G] = np.append(-per_charge, log_slopes[0] + per_charge.sum())  # e z S_f = D(L) - D_f and what stays
    by_step = of_faces * film.lines[STIFFNESS, k]
    at_ends = -by_step[:, [0, N]] @ electrode_elastances(junction, k, column_of(state, k))
    numbers = np.zeros((NUMBERS, N, PER_BLOCK))
    numbers[CHARGE] = film.charge[k]
    numbers[:, :, BAND] += by_step[:, :-1] - by_step[:, 1:]
    moves[ions] = 1.0
    joined = response._replace(
        rows=rows, to_shared=np.zeros((3 * N, 0)), to_local=np.zeros((0, 3 * N)), shared=np.zeros((0, 0)), moves=moves,
        by_V=by_V.ravel(), by_P=film.by_P[k].ravel(), flux=np.zeros(3 * N), ions=ions,
        numbers=numbers.reshape(NUMBERS, 3 * N),
        numbers_by_V=by_step[:, 0] + np.array([0.0, 0.0, charge_by_voltage(junction, state, k)]),
        numbers_by_P=at_ends + np.array([0.0, log_slopes[0] + log_slopes[1], 1.0]),
    )  # fmt: skip
    joined.flux[ions] = charge * J[first:N]
    onto, by_others, (split, *by_band, _) = film.by_total[k].ravel(), np.zeros((N, PER_BLOCK)), film.total[k]
    onto[ions] *= charge
    both = [int(split) - 1, int(split)]
    by_others[both, WEIGHT], by_others[both, BAND] = (-1.0, 1.0), np.negative(by_band)
    joined = joined.with_unknown(
        relaxation=1.0, by_V=0.0, flux=0.0, onto_others=onto, by_others=by_others.ravel(), moves=False,
        numbers=np.array([0.0, 0.0, film.charge[k, :, WEIGHT] @ film.lines[OF_TOTAL, k, :N]]),
    )  # fmt: skip
    if end == N:
        return joined
    dilution, (onto, by_others) = junction.columns.dilution[k], np.zeros((2, 3 * N + 1))
    row = end_row(dilution, slopes, 0.0, N)
    onto[3 * N - 3], onto[3 * N - 1] = 1.0, flux_row(dilution, slopes, 0.0, N - 1).upper
    by_others[3 * N - 3], by_others[3 * N - 1] = charge * tilt[N], row.lower
    joined = joined.with_unknown(
        relaxation=row.diagonal, by_V=0.0, flux=charge * J[N], onto_others=onto, by_others=by_others
    )
    return joined._replace(ions=np.append(ions, 3 * N + 1))


def diagonals(lower: np.ndarray, diagonal: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Rows (3N, BANDS) about the diagonal of a block tridiagonal matrix, its blocks (N, 3, 3)."""
    N = diagonal.shape[0]
    lower[0], upper[-1] = 0.0, 0.0
    rows = np.zeros((N, 3, BANDS))
    for block, blocks in enumerate((lower, diagonal, upper)):
        for row in range(3):
            first = DIAGONAL + 3 * (block - 1) - row
            rows[:, row, first : first + 3] = blocks[:, row]
    return rows.reshape(3 * N, BANDS)
