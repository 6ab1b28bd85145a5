"""Answer of the charges of a column to small signals: one linear system, for films with and without electrons.

The unknowns are local ones of cells and faces, each coupled to its neighbours, and shared ones that all cells feel:

    | rows      to_shared |  | local  |
    | to_local  shared    |  | shared | = by_V v        with the rate i w added on the diagonal of what moves

Local unknowns are, among others, the charges e z S_f of the vacancies that passed a face; a polarisation is a shared one.
Both move at a rate, all other unknowns follow at once. `linear_response` and `electron_response` fill the system.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Response(NamedTuple):
    """Charges of one column, linear around its state: n local unknowns, m shared ones, F faces that vacancies pass."""

    rows: np.ndarray  # (n, 2 b + 1) equations of the local unknowns by these, by diagonals about the middle one
    to_shared: np.ndarray  # (n, m) the same by the shared unknowns
    to_local: np.ndarray  # (m, n) equations of the shared unknowns by the local ones
    shared: np.ndarray  # (m, m)
    moves: np.ndarray  # (n + m,) 1 for unknowns with a rate, else 0
    by_V: np.ndarray  # (n + m,) minus the derivative of the equations by V_j
    flux: np.ndarray  # (n + m,) rates of what moves, zero at rest
    ions: np.ndarray  # (F,) places of the vacancies among the unknowns
    polarisation: np.ndarray  # (0 or 1,) place of the polarisation among the unknowns
    log_chord: np.ndarray  # (n + m,) d ln G by the unknowns
    log_chord_by_V: float  # 1/V, d ln G/dV_j by the charge that V_j sets at once
    charge: np.ndarray  # (n + m,) d charge of the left terminal by the unknowns
    charge_by_V: float  # F/m2
    charge_of_ions: float  # C, e z
    saturation: float  # C/m2, P_s; 1 without a polarisation

    def answer(self, omega: np.ndarray, moving: bool, following: bool) -> tuple[np.ndarray, np.ndarray]:
        """Changes of ln G and of the charge of the left terminal [C/m2] by V_j, (F,) each, at omega (F,) [1/s].

        moving : the ions respond   following : the polarisation does
        """
        system = self.frozen(moving, following)
        alike = omega if system.moves.any() else omega[:1] * 0.0
        x = np.broadcast_to([system.solved(1j * w, system.by_V) for w in alike], (omega.size, self.by_V.size))
        return self.log_chord_by_V + x @ self.log_chord, self.charge_by_V + x @ self.charge

    def drift(self, time: float, moving: bool, following: bool) -> tuple[float, float]:
        """Changes of ln G and of P over P_s in a time [s] at constant V_j: one implicit step."""
        system = self.frozen(moving, following)
        x = system.solved(1.0 / time, system.flux)
        return float(self.log_chord @ x), float(x[self.polarisation].sum() / self.saturation)

    def propagator(self, time: float) -> np.ndarray:
        """(1 - time dJ/dS)^-1 at constant V_j, (F, F): what an implicit step of a time [s] leaves of S."""
        x = self.frozen(True, False).solved(1.0 / time, self.of_ions(1.0 / time))
        left: np.ndarray = x[self.ions]
        return left

    def log_chord_by_ions(self) -> np.ndarray:
        """Change of ln G by S at constant V_j, (F,) [m2]."""
        change: np.ndarray = self.log_chord @ self.frozen(False, False).solved(0.0, self.of_ions(self.charge_of_ions))
        return change

    def log_chord_by_hops(self, rate: complex) -> np.ndarray:
        """Change of ln G by ions that pass each face as exp(rate t), at constant V_j, (F,) [m2 s]."""
        change: np.ndarray = self.frozen(True, False).transposed().solved(rate, self.log_chord)[self.ions]
        return change * self.charge_of_ions

    def of_ions(self, value: float) -> np.ndarray:
        """Right-hand sides (n + m, F), each with a value in the equation of one face."""
        right = np.zeros((self.by_V.size, self.ions.size))
        right[self.ions, np.arange(self.ions.size)] = value
        return right

    def frozen(self, moving: bool, following: bool) -> Response:
        """The system in which ions that do not move, and a polarisation that does not follow, keep their values."""
        still = np.concatenate((self.ions[: 0 if moving else None], self.polarisation[: 0 if following else None]))
        n, width = self.rows.shape
        local, shared = still[still < n], still[still >= n] - n
        changed = {name: getattr(self, name).copy() for name in ("rows", "to_shared", "to_local", "shared")}
        changed["rows"][local], changed["to_shared"][local] = np.arange(width) == width // 2, 0.0
        changed["to_local"][shared], changed["shared"][shared] = 0.0, np.eye(self.shared.shape[0])[shared]
        for name in ("moves", "by_V", "flux"):
            changed[name] = getattr(self, name).copy()
            changed[name][still] = 0.0
        return self._replace(**changed)

    def transposed(self) -> Response:
        """The system with the transposed matrix."""
        return self._replace(
            rows=transposed(self.rows), to_shared=self.to_local.T, to_local=self.to_shared.T, shared=self.shared.T
        )

    def solved(self, rate: complex, right: np.ndarray) -> np.ndarray:
        """Unknowns (n + m, ...) for right-hand sides (n + m, ...), what moves changing at a rate [1/s]."""
        n, width = self.rows.shape
        rows, shared = self.rows.astype(np.result_type(rate, 1.0)), self.shared + rate * np.diag(self.moves[n:])
        rows[:, width // 2] += rate * self.moves[:n]
        columns = right.reshape(right.shape[0], -1)
        both = solve_banded_rows(rows, np.column_stack((columns[:n], self.to_shared)))
        alone, driven = both[:, : columns.shape[1]], both[:, columns.shape[1] :]
        border = np.linalg.solve(shared - self.to_local @ driven, columns[n:] - self.to_local @ alone)
        solution: np.ndarray = np.concatenate((alone - driven @ border, border)).reshape(right.shape)
        return solution


def transposed(rows: np.ndarray) -> np.ndarray:
    """Rows (n, 2 b + 1) of the transposed of a matrix of rows about its diagonal."""
    turned, (n, width) = np.zeros_like(rows), rows.shape
    for band in range(width):
        offset = band - width // 2
        i = slice(max(0, -offset), min(n, n - offset))
        turned[i.start + offset : i.stop + offset, width // 2 - offset] = rows[i, band]
    return turned


def solve_banded_rows(rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution of a matrix of rows (n, 2 b + 1) about its diagonal, each scaled to its largest element.

    Unscaled, the pivots are chosen by the units of the rows: at 1 THz the loss by the ions then has no digit left.
    """
    from scipy.linalg import solve_banded

    (n, width), middle = rows.shape, rows.shape[1] // 2
    scale = 1.0 / np.abs(rows).max(axis=1)
    matrix = np.zeros((width, n), rows.dtype)
    for band in range(width):
        offset = band - middle
        i = slice(max(0, -offset), min(n, n - offset))
        matrix[middle - offset, i.start + offset : i.stop + offset] = rows[i, band] * scale[i]
    solution: np.ndarray = solve_banded((middle, middle), matrix, (right.T * scale).T)
    return solution
