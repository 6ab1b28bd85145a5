"""Linear response of a column whose film holds electrons: the matrix of its time step, i w in the place of 1/(gamma dt).

Unknowns are the band and the weight of the contacts in each cell and the vacancies behind the face to its left, in the
order of `stepping.electron_jacobian`. The electrons follow at every frequency, and each belongs to the terminal with which
it is in equilibrium: the charge of a terminal is that of its electrode and of its electrons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics import electron_stack as stacks
from otjdd.physics import film_electrons as rows
from otjdd.physics.bound_electrons import binds
from otjdd.stepping import electron_jacobian as jacobian

if TYPE_CHECKING:
    from otjdd.physics.junction import FluxSlopes, Junction
    from otjdd.physics.state import State

DIAGONAL, BANDS = 5, 11  # of a matrix about its diagonal, of three blocks of three in a row


class ElectronColumn(NamedTuple):
    """Charges of one column with electrons, linear around its state; n = 3N unknowns."""

    rows: np.ndarray  # (n, BANDS) matrix about its diagonal
    response: np.ndarray  # (n,) minus the derivative of the equations by V_j
    ions: np.ndarray  # (N-1,) places of the vacancies among the unknowns, of the charge e z S_f
    log_chord: np.ndarray  # (n,) d ln G by the unknowns
    log_chord_by_V: float  # 1/V, d ln G/dV_j by the charge that V_j sets at once
    charge: np.ndarray  # (n,) d charge of the left terminal by the unknowns
    charge_by_V: float  # F/m2
    flux: np.ndarray  # (N-1,) C/(m2 s), zero where the ions are at rest
    charge_of_ions: float  # C, e z

    def answer(self, omega: np.ndarray, moving: bool, following: bool) -> tuple[np.ndarray, np.ndarray]:
        """Changes of ln G and of the charge of the left terminal [C/m2] by V_j, (F,) each, at omega (F,) [1/s]."""
        if moving:
            x = np.array([self.solved(1j * w, self.response) for w in omega])
        else:
            x = np.repeat(self.held()[None], omega.size, axis=0)
        return self.log_chord_by_V + x @ self.log_chord, self.charge_by_V + x @ self.charge

    def drift(self, time: float, moving: bool, following: bool) -> tuple[float, float]:
        """Change of ln G in a time [s] at constant V_j: one implicit step; there is no polarisation."""
        if not moving:
            return 0.0, 0.0
        right = np.zeros(self.response.size)
        right[self.ions] = self.flux
        return float(self.log_chord @ self.solved(1.0 / time, right)), 0.0

    def propagator(self, time: float) -> np.ndarray:
        """(1 - time dJ/dS)^-1 at constant V_j, (N-1, N-1): what an implicit step of a time [s] leaves of S."""
        right = np.zeros((self.response.size, self.ions.size))
        right[self.ions, np.arange(self.ions.size)] = 1.0 / time
        left: np.ndarray = self.solved(1.0 / time, right)[self.ions]
        return left

    def log_chord_by_ions(self) -> np.ndarray:
        """Change of ln G by S at constant V_j, (N-1,) [m2]."""
        rows, right = self.rows.copy(), np.zeros((self.response.size, self.ions.size))
        rows[self.ions] = np.arange(BANDS) == DIAGONAL
        right[self.ions, np.arange(self.ions.size)] = self.charge_of_ions
        found: np.ndarray = self.log_chord @ solve(rows, right)
        return found

    def log_chord_by_hops(self, rate: complex) -> np.ndarray:
        """Change of ln G by ions that pass each face as exp(rate t), at constant V_j, (N-1,) [m2 s]."""
        turned = self._replace(rows=transposed(self.rows))
        found: np.ndarray = turned.solved(rate, self.log_chord)[self.ions] * self.charge_of_ions
        return found

    def solved(self, rate: complex, right: np.ndarray) -> np.ndarray:
        """Answer of the unknowns where the vacancies change at a rate [1/s]."""
        rows = self.rows.astype(np.result_type(rate, 1.0))
        rows[self.ions, DIAGONAL] += rate
        return solve(rows, right)

    def held(self) -> np.ndarray:
        """Answer to V_j of the unknowns where the vacancies stand still."""
        rows = self.rows.copy()
        rows[self.ions] = np.arange(BANDS) == DIAGONAL
        return solve(rows, self.response)


def transposed(rows: np.ndarray) -> np.ndarray:
    """Rows (n, BANDS) of the transposed of a matrix of rows about its diagonal."""
    turned = np.zeros_like(rows)
    for band in range(BANDS):
        offset, n = band - DIAGONAL, rows.shape[0]
        i = slice(max(0, -offset), min(n, n - offset))
        turned[i.start + offset : i.stop + offset, DIAGONAL - offset] = rows[i, band]
    return turned


def solve(rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution of a matrix of rows (n, BANDS) about its diagonal, each scaled to its largest element.

    Unscaled, the pivots are chosen by the units of the rows: at 1 THz the loss by the ions then has no digit left.
    """
    from scipy.linalg import solve_banded

    n, above = rows.shape[0], BANDS - 1 - DIAGONAL
    scale = 1.0 / np.abs(rows).max(axis=1)
    matrix = np.zeros((BANDS, n), rows.dtype)
    for band in range(BANDS):
        offset = band - DIAGONAL
        i = slice(max(0, -offset), min(n, n - offset))
        matrix[above - offset, i.start + offset : i.stop + offset] = rows[i, band] * scale[i]
    solution: np.ndarray = solve_banded((DIAGONAL, above), matrix, (right.T * scale).T)
    return solution


def electron_column(
    junction: Junction,
    state: State,
    k: int,
    fluxes: tuple[np.ndarray, FluxSlopes, np.ndarray],
    log_slopes: tuple[float, float, np.ndarray],
) -> ElectronColumn:
    """Charges of column k.

    fluxes : J, its slopes, `pull` of `bound_electrons`   log_slopes : of ln G by D(L), by P, which there is none, by S_f
    """
    (J, slopes, pull), N, stack = fluxes, state.c.shape[1], stacks.column_of(state, k)
    response = np.zeros((N, jacobian.PER_BLOCK))
    lower, diagonal, upper = np.zeros((3, N, 3, 3))
    linear = stacks.Linear(lower, diagonal, upper, response, np.zeros(N + 1), np.zeros(N + 1), np.zeros(2))
    stacks.linearise(junction, k, stack, linear)
    tilt = slopes.by_field / junction.columns.distance[k]
    jacobian.fill_vacancies(junction, k, slopes, tilt, 0.0, linear)
    stacks.fill_answer_to_voltage(junction, k, stack, linear, response)
    if binds(junction):
        jacobian.add_bound(junction, k, stack, pull, linear, response)
    linear.diagonal[0, jacobian.PASSED, jacobian.PASSED] = 1.0  # there is no face
    rows, ions = rows_of(linear.lower, linear.diagonal, linear.upper), np.arange(5, 3 * N, 3)
    charge = junction.ions[k].z * ELEMENTARY_CHARGE
    rows[ions] *= charge
    response[1:, jacobian.PASSED] *= charge
    for band in range(BANDS):  # from vacancies to their charge
        beside = ions - band + DIAGONAL
        rows[beside[(beside >= 0) & (beside < 3 * N)], band] /= charge
    by_U, by_V = displacements(linear.stiffness)
    log_chord, log_chord_by_V = along_charges(junction, k, (log_slopes[0], log_slopes[2]), by_U, by_V)
    terminal, terminal_by_V = terminal_charge(junction, state, k, by_U[0], by_V[0])
    flux = charge * J[1:N]
    return ElectronColumn(
        rows, response.ravel(), ions, log_chord, log_chord_by_V, terminal, terminal_by_V, flux, charge
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
    found = np.zeros(3 * N)
    found[::3] = by_face @ by_U
    return found, float(by_face @ by_V)


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
    found = np.zeros(3 * N)
    found[::3] = by_U - per_n * electrons[rows.BY_VOLTAGE]
    found[1::3] = per_n * full  # their weight is 1 - w
    found[5::3] = (
        -np.diff(electrons[rows.HELD_LEFT]) / junction.ions[k].z
    )  # the vacancies take the electrons that they hold along
    return found, by_V - float(per_n @ electrons[rows.BY_VOLTAGE])
