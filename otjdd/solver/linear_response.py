"""Linear response of a settled junction: its complex admittance, with the ions frozen or moving.

The equations of a time step, with s_f for the change of S_f, d for that of D(L), v for that of V_j, all as exp(i w t):

    i w s_f = d J_f         flux of the ions through the inner faces, by the concentrations beside and the field at a face
    0       = d closure     elastance d - sum_f e z distance_f/eps_f s_f - v
    i       = d I + i w A d conduction current and charge of the electrode

Both electrodes block the ions, so D(0) changes as D(L) does, and the current is the same at either. The matrix is that of
`stepping.rosenbrock` with i w in the place of 1/(gamma dt), its elements exact. It is solved for each frequency. A film
that holds electrons has more unknowns, see `electron_response`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics import bound_electrons, conduction
from otjdd.physics import junction as equations
from otjdd.physics.closing import hold_electrons
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import closure_slope
from otjdd.solver.electron_response import ElectronColumn, electron_column

if TYPE_CHECKING:
    from otjdd.physics.junction import FluxSlopes, Junction
    from otjdd.physics.state import State


class IonColumn(NamedTuple):
    """Charges of one column without electrons, linear around its state; n inner faces."""

    elastance: float  # V m2/C, d closure/dD(L)
    by_charge: float  # m2/C, d ln G/dD(L)
    by_ions: np.ndarray  # (n,) m2, d ln G/dS_f
    closure: np.ndarray  # (n,) V m2, d closure/dS_f
    drive: np.ndarray  # (n,) 1/(C s), dJ_f/dD(L)
    matrix: np.ndarray  # (3, n) 1/s, -dJ/dS by diagonals, as `scipy.linalg.solve_banded` takes them
    flux: np.ndarray  # (n,) 1/(m2 s), J_f, zero where the ions are at rest

    def answer(self, omega: np.ndarray, moving: bool) -> tuple[np.ndarray, np.ndarray]:
        """Changes of ln G and of the charge of the left terminal [C/m2] by V_j, (F,) each, at omega (F,) [1/s]."""
        by_ions, elastance = np.zeros(omega.size, complex), np.full(omega.size, self.elastance, complex)
        for i, w in enumerate(omega if moving else ()):
            s = self.solved(1j * w, self.drive)
            by_ions[i], elastance[i] = self.by_ions @ s, self.elastance + self.closure @ s
        return (self.by_charge + by_ions) / elastance, 1.0 / elastance

    def drift(self, time: float) -> float:
        """Change of ln G in a time [s] at constant V_j: one implicit step."""
        moved, driven = self.solved(1.0 / time, np.column_stack((self.flux, self.drive))).T
        charge = -(self.closure @ moved) / (self.elastance + self.closure @ driven)
        change: float = self.by_charge * charge + self.by_ions @ (moved + driven * charge)
        return change

    def solved(self, rate: complex, right: np.ndarray) -> np.ndarray:
        """Solution of (rate - dJ/dS) s = right."""
        from scipy.linalg import solve_banded

        matrix = self.matrix.astype(np.result_type(rate, 1.0))
        matrix[1] += rate
        solution: np.ndarray = solve_banded((1, 1), matrix, right)
        return solution


class Column(NamedTuple):
    """One column, linear around its state."""

    area: float  # m2
    voltage: float  # V, V_j
    chord: float  # S, G = I/V_j
    conductance: float  # S, dI/dV_j at constant charges
    charges: IonColumn | ElectronColumn


def linearised(junction: Junction, state: State, area: float) -> list[Column] | None:
    """Columns of a settled junction whose electrode has an area [m2]; None where the current does not converge.

    The derivatives of the current are those of the computed integral, without energies that carry less than 1e-7 of it.
    """
    columns = [linearised_column(junction, state, k, area) for k in range(state.c.shape[0])]
    return None if None in columns else columns  # type: ignore[return-value]  # mypy does not see that none is None


def linearised_column(junction: Junction, state: State, k: int, area: float) -> Column | None:
    """Column k, as `linearised`."""
    V, N = float(state.V[0]), state.c.shape[1]
    spectrum, profile, edges = conduction.column_spectrum(junction, state, k, np.empty(0), False)
    edges = edges if edges.size > conduction.MOST_KEPT else np.empty(0)
    if not conduction.converged(junction, spectrum):
        return None
    by_V, by_D, by_S = 0.0, 0.0, np.zeros(N + 1)
    if spectrum.chord > 0.0:
        by_V, by_D, _ = conduction.log_conductance_slopes(junction, state, k, profile, spectrum, edges, by_S)
    J, slopes = np.zeros(N + 1), equations.FluxSlopes(*np.zeros((3, N + 1)))
    factors, pull = new_factors(N), np.zeros(N + 1)
    bound_electrons.flux_slopes_of(junction, state, k, factors, J, slopes)
    if bound_electrons.binds(junction):
        bound_electrons.fill_pull(junction, k, factors, J, slopes, pull)
    linear = electron_column if hold_electrons(junction) else ion_column
    G = conduction.conductance(junction, k, spectrum)
    charges = linear(junction, state, k, (J, slopes, pull), (by_D, by_S))
    return Column(area * junction.columns.weight[k], V, G, G * (1.0 + V * by_V), charges)


def ion_column(
    junction: Junction,
    state: State,
    k: int,
    fluxes: tuple[np.ndarray, FluxSlopes, np.ndarray],
    log_slopes: tuple[float, np.ndarray],
) -> IonColumn:
    """Charges of column k. fluxes : J, its slopes, `pull`   log_slopes : of ln G by D(L) and by S_f"""
    (J, slopes, _), (by_D, by_S), inner = fluxes, log_slopes, slice(1, state.c.shape[1])
    charge, per_eps, dilution = (
        junction.ions[k].z * ELEMENTARY_CHARGE, 1.0 / state.eps[k, inner], junction.columns.dilution[k],
    )  # fmt: skip
    before, behind = slopes.by_left[inner] * dilution[:-1], slopes.by_right[inner] * dilution[1:]
    drive = slopes.by_field[inner] * per_eps
    return IonColumn(
        elastance=closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k]),
        by_charge=by_D,
        by_ions=by_S[inner],
        closure=-charge * junction.columns.distance[k, inner] * per_eps,
        drive=drive,
        matrix=np.array((np.roll(behind, 1), before - behind + charge * drive, np.roll(-before, -1))),
        flux=J[inner],
    )


def admittances(columns: list[Column], frequency: np.ndarray, moving: bool) -> np.ndarray:
    """Admittances (K, F) [S] of the columns of the junction at frequencies (F,) [Hz]; moving : the ions respond."""
    omega = 2.0 * np.pi * np.asarray(frequency)
    found = np.empty((len(columns), len(omega)), complex)
    for k, column in enumerate(columns):
        log_chord, charge = column.charges.answer(omega, moving)
        found[k] = column.conductance + column.voltage * column.chord * log_chord + 1j * omega * column.area * charge
    return found


def admittance(columns: list[Column], frequency: np.ndarray, moving: bool) -> np.ndarray:
    """Admittance (F,) [S] of the junction at frequencies (F,) [Hz]; moving : the ions respond."""
    total: np.ndarray = admittances(columns, frequency, moving).sum(axis=0)
    return total


def drift(columns: list[Column], time: float) -> float:
    """Relative change of the conductance I/V_j by ions that are not at rest, after a time [s] at constant V_j.

    One implicit step of the linear system. Modes that relax sooner count with their final value.
    """
    conductance = sum(column.chord for column in columns)
    change = sum(column.chord * column.charges.drift(time) for column in columns)
    return change / conductance if conductance else 0.0
