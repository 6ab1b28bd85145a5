"""Linear response of a settled junction: its complex admittance, the ions standing still or answering.

The equations of a time step, with s_f for the change of S_f, d for that of D(L), v for that of V_j, all as exp(i w t):

    i w s_f = d J_f         flux of the ions through the inner faces, by the concentrations beside and the field at a face
    0       = d closure     elastance d - sum_f e z distance_f/eps_f s_f - v
    i       = d I + i w A d conduction current and charge of the electrode

Both electrodes block the ions, so D(0) changes as D(L) does, and the current is the same at either. The matrix is that of
`physics.rosenbrock` with i w in the place of 1/(gamma dt), its elements exact; it is solved for each frequency.
"""

from typing import NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE


class Column(NamedTuple):
    """One column, linear around its state; n inner faces."""

    area: float  # m2
    elastance: float  # V m2/C, d closure/dD(L)
    voltage: float  # V, V_j
    chord: float  # S, I/V_j
    conductance: float  # S, dI/dV_j at constant charges
    by_charge: float  # S m2/C, d chord/dD(L)
    by_ions: np.ndarray  # (n,) S m2, d chord/dS_f
    closure: np.ndarray  # (n,) V m2, d closure/dS_f
    drive: np.ndarray  # (n,) 1/(C s), dJ_f/dD(L)
    matrix: np.ndarray  # (3, n) 1/s, -dJ/dS by diagonals, as `scipy.linalg.solve_banded` takes them
    drift: np.ndarray  # (n,) 1/(m2 s), J_f, zero where the ions are at rest


def linearised(junction, state, area: float) -> list[Column] | None:
    """Columns of a settled junction whose electrode has an area [m2]; None where the current does not converge.

    The derivatives of the current are those of the computed integral at all its energies but those that carry less than
    1e-7 of it.
    """
    columns = [linearised_column(junction, state, k, area) for k in range(state.c.shape[0])]
    return None if None in columns else columns


def linearised_column(junction, state, k: int, area: float) -> Column | None:
    """Column k, as `linearised`."""
    from otjdd.physics import conduction
    from otjdd.physics import junction as equations

    V, N = float(state.V[0]), state.c.shape[1]
    spectrum, profile, _ = conduction.column_spectrum(junction, state, k, np.empty(0), False)
    if not conduction.converged(junction, spectrum):
        return None
    G, by_V, by_D, by_S = conduction.conductance(junction, k, spectrum), 0.0, 0.0, np.zeros(N + 1)
    if spectrum.chord > 0.0:
        by_V, by_D = conduction.log_conductance_slopes(junction, state, k, profile, spectrum, by_S)
    J, slopes = np.zeros(N + 1), equations.FluxSlopes(*np.zeros((3, N + 1)))
    equations.flux_slopes(junction, k, state.c[k], state.E[k], np.zeros((6, N + 1)), J, slopes)
    inner, charge = slice(1, N), junction.ions.z * ELEMENTARY_CHARGE
    per_eps, dilution = 1.0 / state.eps[k, inner], junction.columns.dilution[k]
    before, behind = slopes.by_left[inner] * dilution[:-1], slopes.by_right[inner] * dilution[1:]
    drive = slopes.by_field[inner] * per_eps
    diagonals = np.roll(behind, 1), before - behind + charge * drive, np.roll(-before, -1)
    return Column(
        area=area * junction.columns.weight[k],
        elastance=equations.closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k]),
        voltage=V,
        chord=G,
        conductance=G * (1.0 + V * by_V),
        by_charge=G * by_D,
        by_ions=G * by_S[inner],
        closure=-charge * junction.columns.distance[k, inner] * per_eps,
        drive=drive,
        matrix=np.array(diagonals),
        drift=J[inner],
    )


def admittance(columns: list[Column], frequency: np.ndarray, moving: bool) -> np.ndarray:
    """Admittance (F,) [S] of the junction at frequencies (F,) [Hz]; moving : the ions answer."""
    omega = 2.0 * np.pi * np.asarray(frequency)
    return sum(column_admittance(column, omega, moving) for column in columns)


def column_admittance(column: Column, omega: np.ndarray, moving: bool) -> np.ndarray:
    """Admittance (F,) [S] of a column at angular frequencies (F,) [1/s]."""
    from scipy.linalg import solve_banded

    by_ions, elastance = np.zeros(omega.size, complex), np.full(omega.size, column.elastance, complex)
    for i, w in enumerate(omega if moving else ()):
        matrix = column.matrix.astype(complex)
        matrix[1] += 1j * w
        answer = solve_banded((1, 1), matrix, column.drive)  # ds/dD(L)
        by_ions[i] = column.by_ions @ answer
        elastance[i] += column.closure @ answer
    charging = column.voltage * (column.by_charge + by_ions) + 1j * omega * column.area
    return column.conductance + charging / elastance


def drift(columns: list[Column], time: float) -> float:
    """Relative change of the conductance I/V_j by ions that are not at rest, after a time [s] at constant V_j.

    One implicit step of the linear system: what comes to rest sooner counts with where it comes to rest.
    """
    from scipy.linalg import solve_banded

    change, conductance = 0.0, 0.0
    for column in columns:
        matrix = column.matrix.copy()
        matrix[1] += 1.0 / time
        moved, answer = solve_banded((1, 1), matrix, np.column_stack((column.drift, column.drive))).T
        charge = -(column.closure @ moved) / (column.elastance + column.closure @ answer)
        change += column.by_charge * charge + column.by_ions @ (moved + answer * charge)
        conductance += column.chord
    return change / conductance if conductance else 0.0
