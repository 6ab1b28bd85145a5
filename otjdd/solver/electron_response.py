"""Linear response of a column whose film holds electrons: the matrix of its time step, i w in the place of 1/(gamma dt).

Unknowns are the band and the weight of the contacts in each cell and the vacancies behind the face to its left, in the
order of `stepping.electron_jacobian`. The electrons follow at every frequency, and each belongs to the terminal with which
it is in equilibrium: the charge of a terminal is that of its electrode and of its electrons.
"""

from __future__ import annotations

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics import electron_stack as stacks
from otjdd.physics import film_electrons as rows
from otjdd.physics.bound_electrons import binds
from otjdd.physics.boundary import open_faces
from otjdd.physics.junction import FluxSlopes, Junction
from otjdd.physics.state import State
from otjdd.solver.response import Response
from otjdd.stepping import electron_jacobian as jacobian

DIAGONAL, BANDS = 5, 11  # of a matrix about its diagonal, of three blocks of three in a row


def electron_response(
    junction: Junction,
    state: State,
    k: int,
    fluxes: tuple[np.ndarray, FluxSlopes, np.ndarray],
    log_slopes: tuple[float, float, np.ndarray],
) -> Response:
    """Charges of column k: band, weight and e z S_f of each cell, and as a shared unknown what passes the right electrode.

    fluxes : J, its slopes, `pull` of `bound_electrons`   log_slopes : of ln G by D(L), by P, which there is none, by S_f
    """
    (J, slopes, pull), N, stack = fluxes, state.c.shape[1], stacks.column_of(state, k)
    response = np.zeros((N, jacobian.PER_BLOCK))
    lower, diagonal, upper = np.zeros((3, N, 3, 3))
    linear = stacks.Linear(lower, diagonal, upper, response, np.zeros(N + 1), np.zeros(N + 1), np.zeros(2))
    stacks.linearise(junction, k, stack, linear)
    tilt = slopes.by_field / junction.columns.distance[k]
    tilt[[0, N]] = (slopes.by_field * linear.stiffness / state.eps[k])[[0, N]]
    jacobian.fill_vacancies(junction, k, slopes, tilt, 0.0, linear)
    stacks.fill_answer_to_voltage(junction, k, stack, linear, response)
    if binds(junction):
        jacobian.add_bound(junction, k, stack, pull, linear, response)
    (first, end), charge = open_faces(junction, N), junction.ions[k].z * ELEMENTARY_CHARGE
    if first:  # there is no face
        linear.diagonal[0, jacobian.PASSED, jacobian.PASSED] = 1.0
    else:
        response[0, jacobian.PASSED] = tilt[0]
    rows, ions = rows_of(linear.lower, linear.diagonal, linear.upper), np.arange(3 * first + 2, 3 * N, 3)
    rows[ions] *= charge
    response[first:, jacobian.PASSED] *= charge
    for band in range(BANDS):  # from vacancies to their charge
        beside = ions - band + DIAGONAL
        rows[beside[(beside >= 0) & (beside < 3 * N)], band] /= charge
    by_U, by_V = displacements(linear.stiffness)
    log_chord, log_chord_by_V = along_charges(junction, k, (log_slopes[0], log_slopes[2]), by_U, by_V)
    terminal, terminal_by_V = terminal_charge(junction, state, k, by_U[0], by_V[0])
    terminal[2] += 1 - first
    moves, flux = np.zeros((2, 3 * N))
    moves[ions], flux[ions] = 1.0, charge * J[first:N]
    blocked = Response(
        rows=rows,
        to_shared=np.zeros((3 * N, 0)),
        to_local=np.zeros((0, 3 * N)),
        shared=np.zeros((0, 0)),
        moves=moves,
        by_V=response.ravel(),
        flux=flux,
        ions=ions,
        polarisation=np.zeros(0, int),
        log_chord=log_chord,
        log_chord_by_V=log_chord_by_V,
        charge=terminal,
        charge_by_V=terminal_by_V,
        charge_of_ions=charge,
        saturation=1.0,
    )
    return blocked if end == N else with_right_electrode(junction, k, blocked, (J, slopes), float(tilt[N]))


def with_right_electrode(
    junction: Junction, k: int, response: Response, fluxes: tuple[np.ndarray, FluxSlopes], tilt: float
) -> Response:
    """The response with what passes the right electrode of column k. tilt : its flux by the step of the band"""
    (J, slopes), N, charge = fluxes, response.rows.shape[0] // 3, junction.ions[k].z * ELEMENTARY_CHARGE
    dilution, to_shared, to_local = junction.columns.dilution[k, N - 1], np.zeros((3 * N, 1)), np.zeros((1, 3 * N))
    to_shared[3 * N - 3], to_shared[3 * N - 1] = 1.0, dilution * slopes.by_right[N - 1]
    to_local[0, 3 * N - 3], to_local[0, 3 * N - 1] = charge * tilt, -dilution * slopes.by_left[N]
    return response._replace(
        to_shared=to_shared,
        to_local=to_local,
        shared=np.array([[dilution * slopes.by_left[N] - slopes.by_right[N]]]),
        moves=np.append(response.moves, 1.0),
        by_V=np.append(response.by_V, 0.0),
        flux=np.append(response.flux, charge * J[N]),
        ions=np.append(response.ions, 3 * N),
        log_chord=np.append(response.log_chord, 0.0),
        charge=np.append(response.charge, 0.0),
    )


def rows_of(lower: np.ndarray, diagonal: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Rows (3N, BANDS) about the diagonal of a block tridiagonal matrix, its blocks (N, 3, 3)."""
    N = diagonal.shape[0]
    lower[0], upper[-1] = 0.0, 0.0
    rows = np.zeros((N, 3, BANDS))
    for block, blocks in enumerate((lower, diagonal, upper)):
        for row in range(3):
            first = DIAGONAL + 3 * (block - 1) - row
            rows[:, row, first : first + 3] = blocks[:, row]
    return rows.reshape(3 * N, BANDS)


def displacements(stiffness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Changes of D at the faces by the band in the cells (N+1, N) and by V_j (N+1,): dU = -dV left of the film."""
    N = stiffness.size - 1
    by_U = np.diag(stiffness)[:, :N] - np.diag(stiffness[1:], -1)[:, :N]
    return by_U, np.concatenate((stiffness[:1], np.zeros(N)))


def along_charges(
    junction: Junction, k: int, log_slopes: tuple[float, np.ndarray], by_U: np.ndarray, by_V: np.ndarray
) -> tuple[np.ndarray, float]:
    """d ln G by the unknowns (3N,), and by the charge that V_j sets at once, from its slopes by D(L) and by S_f."""
    by_D, by_S = log_slopes
    per_charge, N = by_S[:-1] / (junction.ions[k].z * ELEMENTARY_CHARGE), by_U.shape[1]
    by_face = np.concatenate((-per_charge, [by_D + per_charge.sum()]))  # S_f = [D(L) - D_f]/(e z) and what stays
    log_chord = np.zeros(3 * N)
    log_chord[::3] = by_face @ by_U
    return log_chord, float(by_face @ by_V)


def terminal_charge(
    junction: Junction, state: State, k: int, by_U: np.ndarray, by_V: float
) -> tuple[np.ndarray, float]:
    """Change of the charge of the left terminal by the unknowns (3N,) and by V_j, from that of its electrode."""
    electrons, N, per_n = state.electrons[k], by_U.size, ELEMENTARY_CHARGE * junction.columns.width[k]
    of_left, of_right = electrons[rows.OF_LEFT], electrons[rows.OF_RIGHT]
    full = np.where(  # density if all of a cell belonged to the left contact, without division by a small weight
        of_left > 0.5,
        electrons[rows.LEFT] / np.maximum(of_left, 0.5),
        electrons[rows.RIGHT] / np.maximum(of_right, 0.5) - electrons[rows.BY_WEIGHT],
    )
    charge = np.zeros(3 * N)
    charge[::3] = by_U - per_n * electrons[rows.BY_VOLTAGE]
    charge[1::3] = per_n * full  # their weight is 1 - w
    charge[5::3] = (
        -np.diff(electrons[rows.HELD_LEFT]) / junction.ions[k].z
    )  # the vacancies take the electrons that they hold along
    return charge, by_V - float(per_n @ electrons[rows.BY_VOLTAGE])
