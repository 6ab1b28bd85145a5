"""Linear response of a settled junction: its complex admittance, with ions and polarisation frozen or following.

The equations of a time step, with s_f for the ions that pass face f, d for the change of the charge of the terminals, p
for that of P, u for that of the voltage across the film, v for that of V_j, all as exp(i w t):

    i w s_f = d J_f         flux of the ions through the faces that they may pass, by the cells beside and the field there
    i w p   = d(dP/dt)      pull u - relaxation p
    0       = d closure     elastance d - film p - sum_f e z distance_f/eps_f s_f - v
    i       = d I + i w A d conduction current and charge of the electrode

d is the charge of `mechanisms.exchange`, which changes alike at both terminals: D(L) where the right electrode blocks ions.
The matrix is that of `physics.ion_fluxes` with i w in the place of 1/(gamma dt), its elements exact: one linear system, for
films with and without electrons, solved for each frequency. The unknowns are local ones of cells and faces, each coupled
to its neighbours, and shared ones that all cells feel:

    | rows      to_shared |  | local  |
    | to_local  shared    |  | shared | = by_V v        with the rate i w added on the diagonal of what moves

Local unknowns are, among others, the charges e z S_f of the vacancies that passed a face; a polarisation is a shared one.
Both move at a rate, all other unknowns follow at once.

The current and the charge of the terminals are numbers of the border, as in a time step (`physics.state.Border`), each by
the unknowns, by V_j and by P. The mechanisms join in turn, by their function `answer`. Where the film holds electrons, the
local unknowns are those of `mechanisms.electrons.rows`. The electrons follow at every frequency, and each comes from a
terminal by the weight of its contact where it appears.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from otjdd import mechanisms
from otjdd.compiler.decorators import parts_of
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import LimitError
from otjdd.mechanisms.exchange import open_faces
from otjdd.physics.channels import conductance_of_column
from otjdd.physics.ion_fluxes import IonRows, fill_ion_rows, linear_fluxes
from otjdd.physics.junction import Junction, closure_slope
from otjdd.physics.state import ALL_ENERGIES, CHARGE, LOG_G, NUMBERS, State
from otjdd.system.late import scipy

PARTS = parts_of(mechanisms)
MECHANISMS = [part for part in PARTS if hasattr(part, "answer")]  # with unknowns of their own


class LinearColumn(NamedTuple):
    """One column, linear around its state."""

    area: float  # m2
    voltage: float  # V, V_j
    chord: float  # S, G = I/V_j
    conductance: float  # S, dI/dV_j at constant charges
    charges: Response


def linearised(junction: Junction, state: State, area: float) -> list[LinearColumn] | None:
    """Columns of a settled junction whose electrode has an area [m2]; None where the current does not converge.

    The derivatives of the current are those of the computed integral, without energies that carry less than 1e-7 of it.
    Raises LimitError for a mechanism that would stand still in a small signal.
    """
    if silent := [part.__name__ for part in PARTS if not (hasattr(part, "answer") or hasattr(part, "ANSWERED_BY"))]:
        raise LimitError(
            f"a small signal of a junction with {', '.join(silent)}, which has no `answer` to it and would stand still: "
            "add one, or say in ANSWERED_BY what answers instead"
        )
    columns = [linearised_column(junction, state, k, area) for k in range(state.c.shape[0])]
    return None if None in columns else columns  # type: ignore[return-value]  # mypy does not see that none is None


def linearised_column(junction: Junction, state: State, k: int, area: float) -> LinearColumn | None:
    """Column k, as `linearised`."""
    V = float(state.V[0])
    current = conductance_of_column(junction, state, k, np.full(1, np.nan), np.zeros(1), ALL_ENERGIES)
    if not current.converged:
        return None
    log_slopes = current.by_D, current.by_P, current.by_S
    charges = ion_response(junction, state, k, log_slopes)
    for mechanism in MECHANISMS:
        charges = mechanism.answer(junction, state, k, charges, log_slopes)
    return LinearColumn(
        area * junction.columns.weight[k], V, current.chord, current.chord * (1.0 + V * current.by_V), charges
    )


def ion_response(
    junction: Junction, state: State, k: int, log_slopes: tuple[float, float, np.ndarray]
) -> Response:  # fmt: skip
    """Charges of column k, whose film holds no electrons: e z S_f, and as a shared unknown d.

    log_slopes : of ln G by D(L), by P and by S_f
    P takes its part of D in the film; the voltage across the film is V_j less what d drops in the electrodes.
    """
    (J, slopes, _), (by_D, by_P, by_S) = linear_fluxes(junction, state, k), log_slopes
    passable, of_faces = slice(*open_faces(junction, state.c.shape[1])), IonRows(*np.zeros((5, J.size)))
    fill_ion_rows(junction, state, k, slopes, 0.0, of_faces)
    lower, diagonal, upper, drive, closure = (row[passable] for row in of_faces)
    n, elastance = lower.size, closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
    film, charge = float((junction.columns.distance[k] / state.eps[k]).sum()), junction.ions[k].z * ELEMENTARY_CHARGE
    numbers = np.zeros((NUMBERS, n + 1))
    numbers[LOG_G, :n], numbers[:, n] = by_S[passable] / charge, (film - elastance, by_D, 1.0)
    return Response(
        rows=np.column_stack((lower, diagonal, upper)),
        to_shared=-charge * drive[:, None],
        to_local=closure[None] / charge,
        shared=np.array([[elastance]]),
        moves=np.append(np.ones(n), 0.0),
        by_V=np.append(np.zeros(n), 1.0),
        by_P=np.append(-charge * drive, film),
        flux=np.append(charge * J[passable], 0.0),
        ions=np.arange(n),
        polarisation=np.zeros(0, int),
        numbers=numbers,
        numbers_by_V=np.array([1.0, 0.0, 0.0]),
        numbers_by_P=np.array([0.0, by_P, 0.0]),
        charge_of_ions=charge,
        saturation=1.0,
    )


def admittances(
    columns: list[LinearColumn], frequency: np.ndarray, moving: bool, following: bool = False
) -> np.ndarray:
    """Admittances (K, F) [S] of the columns of the junction at frequencies (F,) [Hz].

    moving : the ions respond   following : the polarisation does
    """
    omega = 2.0 * np.pi * np.asarray(frequency)
    of_columns = np.empty((len(columns), len(omega)), complex)
    for k, column in enumerate(columns):
        log_chord, charge = column.charges.answer(omega, moving, following)
        of_columns[k] = (
            column.conductance + column.voltage * column.chord * log_chord + 1j * omega * column.area * charge
        )
    return of_columns


def admittance(columns: list[LinearColumn], frequency: np.ndarray, moving: bool, following: bool = False) -> np.ndarray:
    """Admittance (F,) [S] of the junction at frequencies (F,) [Hz], as `admittances`."""
    total: np.ndarray = admittances(columns, frequency, moving, following).sum(axis=0)
    return total


def drift_ratio(columns: list[LinearColumn], time: float, moving: bool = True, following: bool = False) -> float:
    """Drift of what follows a signal and is not at rest, after a time [s] at constant V_j: one implicit step.

    The relative change of the conductance I/V_j, or the change of the polarisation over P_s: the larger one. Modes that
    relax sooner count with their final value.
    """
    conductance, area = sum(column.chord for column in columns), sum(column.area for column in columns)
    drifts = [(column, column.charges.drift(time, moving, following)) for column in columns]
    change = sum(column.chord * by_chord for column, (by_chord, _) in drifts)
    turned = sum(column.area * abs(P) for column, (_, P) in drifts) / area
    return max(abs(change / conductance) if conductance else 0.0, turned)


class Response(NamedTuple):
    """Charges of one column, linear around its state: n local unknowns, m shared ones, F faces that vacancies pass."""

    rows: np.ndarray  # (n, 2 b + 1) equations of the local unknowns by these, by diagonals about the middle one
    to_shared: np.ndarray  # (n, m) the same by the shared unknowns
    to_local: np.ndarray  # (m, n) equations of the shared unknowns by the local ones
    shared: np.ndarray  # (m, m)
    moves: np.ndarray  # (n + m,) 1 for unknowns with a rate, else 0
    by_V: np.ndarray  # (n + m,) minus the derivative of the equations by V_j
    by_P: np.ndarray  # (n + m,) the same by P
    flux: np.ndarray  # (n + m,) rates of what moves, zero at rest
    ions: np.ndarray  # (F,) places of the vacancies among the unknowns
    polarisation: np.ndarray  # (0 or 1,) place of the polarisation among the unknowns
    numbers: np.ndarray  # (NUMBERS, n + m) those of `physics.state.Border` by the unknowns
    numbers_by_V: np.ndarray  # (NUMBERS,) the same at constant unknowns, ln G by the charge that V_j sets at once
    numbers_by_P: np.ndarray  # (NUMBERS,)
    charge_of_ions: float  # C, e z
    saturation: float  # C/m2, P_s; 1 without a polarisation

    def with_unknown(
        self, *, relaxation: float, by_V: float, flux: float, onto_others: Any = 0.0, by_others: Any = 0.0,
        numbers: Any = 0.0, moves: bool = True,
    ) -> Response:  # fmt: skip
        """The response with one more shared unknown. moves : it has a rate, else it follows at once

        relaxation : 1/s, minus the rate by the unknown itself   by_V, flux, numbers (NUMBERS,) : its items of these
        onto_others, by_others : (n + m,) equations of the other unknowns by it, and its own by these
        """
        n, m = self.to_shared.shape
        onto, by = (np.broadcast_to(values, n + m) for values in (onto_others, by_others))
        shared = np.full((m + 1, m + 1), relaxation)
        shared[:m, :m], shared[:m, m], shared[m, :m] = self.shared, onto[n:], by[n:]
        return self._replace(
            to_shared=np.column_stack((self.to_shared, onto[:n])),
            to_local=np.vstack((self.to_local, by[:n])),
            shared=shared,
            moves=np.append(self.moves, float(moves)),
            by_V=np.append(self.by_V, by_V),
            by_P=np.append(self.by_P, 0.0),
            flux=np.append(self.flux, flux),
            numbers=np.column_stack((self.numbers, np.broadcast_to(numbers, NUMBERS))),
        )

    def answer(self, omega: np.ndarray, moving: bool, following: bool) -> tuple[np.ndarray, np.ndarray]:
        """Changes of ln G and of the charge of the left terminal [C/m2] by V_j, (F,) each, at omega (F,) [1/s].

        moving : the ions respond   following : the polarisation does
        """
        system = self.frozen(moving, following)
        alike = omega if system.moves.any() else omega[:1] * 0.0
        x = np.broadcast_to([system.solved(1j * w, system.by_V) for w in alike], (omega.size, self.by_V.size))
        log_chord, charge = (self.numbers_by_V[of] + x @ self.numbers[of] for of in (LOG_G, CHARGE))
        return log_chord, charge

    def moved(self, omega: np.ndarray, moving: bool, following: bool) -> tuple[np.ndarray, np.ndarray]:
        """Ions (Fq, F) [1/(m2 V)] that pass the open faces, and P (Fq,) [C/(m2 V)], by V_j, at omega (Fq,) [1/s]."""
        system = self.frozen(moving, following)
        x = np.array([system.solved(1j * w, system.by_V) for w in omega])
        return x[:, self.ions] / self.charge_of_ions, x[:, self.polarisation].sum(axis=1)

    def drift(self, time: float, moving: bool, following: bool) -> tuple[float, float]:
        """Changes of ln G and of P over P_s in a time [s] at constant V_j: one implicit step."""
        system = self.frozen(moving, following)
        x = system.solved(1.0 / time, system.flux)
        return float(self.numbers[LOG_G] @ x), float(x[self.polarisation].sum() / self.saturation)

    def propagator(self, time: float) -> np.ndarray:
        """(1 - time dJ/dS)^-1 at constant V_j, (F, F): what an implicit step of a time [s] leaves of S."""
        x = self.frozen(True, False).solved(1.0 / time, self.of_ions(1.0 / time))
        left: np.ndarray = x[self.ions]
        return left

    def log_chord_by_ions(self) -> np.ndarray:
        """Change of ln G by S at constant V_j, (F,) [m2]."""
        change: np.ndarray = self.numbers[LOG_G] @ self.frozen(False, False).solved(
            0.0, self.of_ions(self.charge_of_ions)
        )
        return change

    def log_chord_by_hops(self, rate: complex) -> np.ndarray:
        """Change of ln G by ions that pass each face as exp(rate t), at constant V_j, (F,) [m2 s]."""
        change: np.ndarray = self.frozen(True, False).transposed().solved(rate, self.numbers[LOG_G])[self.ions]
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
    (n, width), middle = rows.shape, rows.shape[1] // 2
    scale = 1.0 / np.abs(rows).max(axis=1)
    matrix = np.zeros((width, n), rows.dtype)
    for band in range(width):
        offset = band - middle
        i = slice(max(0, -offset), min(n, n - offset))
        matrix[middle - offset, i.start + offset : i.stop + offset] = rows[i, band] * scale[i]
    solution: np.ndarray = scipy.linalg.solve_banded((middle, middle), matrix, (right.T * scale).T)
    return solution
