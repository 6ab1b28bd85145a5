"""Linear response of a settled junction: its complex admittance, with ions and polarisation frozen or following.

The equations of a time step, with s_f for the change of S_f, d for that of D(L), p for that of P, u for that of the voltage
across the film, v for that of V_j, all as exp(i w t):

    i w s_f = d J_f         flux of the ions through the inner faces, by the concentrations beside and the field at a face
    i w p   = d(dP/dt)      pull u - relaxation p
    0       = d closure     elastance d - film p - sum_f e z distance_f/eps_f s_f - v
    i       = d I + i w A d conduction current and charge of the electrode

Both electrodes block the ions, so D(0) changes as D(L) does, and the current is the same at either. The matrix is that of
`stepping.rosenbrock` with i w in the place of 1/(gamma dt), its elements exact. It is solved for each frequency. A film
that holds electrons has more unknowns, see `electron_response`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics import bound_electrons
from otjdd.physics import junction as equations
from otjdd.physics.channels.conductance import ALL_ENERGIES
from otjdd.physics.channels.table import conductance_of_column
from otjdd.physics.closing import hold_electrons
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import closure_slope, polarised
from otjdd.physics.polarisation import ADVANCE, BEGUN, TOWARDS, polarisation_at
from otjdd.solver.electron_response import ElectronColumn, electron_column
from otjdd.stepping.polarisation_step import rate_at

if TYPE_CHECKING:
    from otjdd.physics.junction import FluxSlopes, Junction
    from otjdd.physics.state import State


class PolarFilm(NamedTuple):
    """The polarisation of a column, linear around its state; all 0 in a film that has none."""

    film: float = 0.0  # V m2/C, elastance of the film
    log_slope: float = 0.0  # m2/C, d ln G/dP
    saturation: float = 0.0  # C/m2, P_s
    rate: float = 0.0  # C/(m2 s), dP/dt
    relaxation: float = 0.0  # 1/s, -d(dP/dt)/dP
    pull: float = 0.0  # C/(m2 s V), d(dP/dt) by the voltage across the film


class IonColumn(NamedTuple):
    """Charges of one column without electrons, linear around its state; n inner faces."""

    elastance: float  # V m2/C, d closure/dD(L)
    by_charge: float  # m2/C, d ln G/dD(L)
    by_ions: np.ndarray  # (n,) m2, d ln G/dS_f
    closure: np.ndarray  # (n,) V m2, d closure/dS_f
    drive: np.ndarray  # (n,) 1/(C s), dJ_f/dD(L)
    matrix: np.ndarray  # (3, n) 1/s, -dJ/dS by diagonals, as `scipy.linalg.solve_banded` takes them
    flux: np.ndarray  # (n,) 1/(m2 s), J_f, zero where the ions are at rest
    polar: PolarFilm

    def answer(self, omega: np.ndarray, moving: bool, following: bool) -> tuple[np.ndarray, np.ndarray]:
        """Changes of ln G and of the charge of the left terminal [C/m2] by V_j, (F,) each, at omega (F,) [1/s]."""
        polar, rate = self.polar, 1j * omega
        by_ions, closure = np.zeros((2, omega.size), complex)
        for i in range(omega.size if moving else 0):
            s = self.solved(rate[i], self.drive)
            by_ions[i], closure[i] = self.by_ions @ s, self.closure @ s
        chi = polar.pull / (rate + polar.relaxation) if following else np.zeros(omega.size)
        outside, gain = self.elastance - polar.film, (polar.film + closure) * chi
        elastance = (self.elastance + closure + gain * outside) / (1.0 + gain)
        P = chi * (1.0 - outside / elastance)
        return (self.by_charge + by_ions) / elastance + (polar.log_slope - by_ions) * P, 1.0 / elastance

    def drift(self, time: float, moving: bool, following: bool) -> tuple[float, float]:
        """Changes of ln G and of P over P_s in a time [s] at constant V_j: one implicit step."""
        polar, rate = self.polar, 1.0 / time
        moved, driven = np.zeros((2, self.flux.size))
        if moving:
            moved, driven = self.solved(rate, np.column_stack((self.flux, self.drive))).T
        alone, chi = (x / (rate + polar.relaxation) if following else 0.0 for x in (polar.rate, polar.pull))
        outside, film = self.elastance - polar.film, polar.film + self.closure @ driven
        charge = (film * alone - self.closure @ moved) / (self.elastance + self.closure @ driven + film * chi * outside)
        P = alone - chi * outside * charge
        change = self.by_charge * charge + polar.log_slope * P + self.by_ions @ (moved + driven * (charge - P))
        return float(change), float(P / polar.saturation) if following else 0.0

    def propagator(self, time: float) -> np.ndarray:
        """(1 - time dJ/dS)^-1 at constant V_j, (n, n): what an implicit step of a time [s] leaves of S."""
        answers = self.solved(1.0 / time, np.column_stack((np.eye(self.flux.size) / time, self.drive)))
        moved, driven = answers[:, :-1], answers[:, -1]
        charge = -(self.closure @ moved) / (self.elastance + self.closure @ driven)
        return moved + np.outer(driven, charge)

    def log_chord_by_ions(self) -> np.ndarray:
        """Change of ln G by S at constant V_j, (n,) [m2]."""
        return self.by_ions - self.by_charge / self.elastance * self.closure

    def log_chord_by_hops(self, rate: complex) -> np.ndarray:
        """Change of ln G by ions that pass each face as exp(rate t), at constant V_j, (n,) [m2 s]."""
        turned = self._replace(matrix=transposed(self.matrix))
        g, closing = turned.solved(rate, np.column_stack((self.log_chord_by_ions(), self.closure))).T
        share = (g @ self.drive) / (self.elastance + closing @ self.drive)
        found: np.ndarray = g - share * closing
        return found

    def solved(self, rate: complex, right: np.ndarray) -> np.ndarray:
        """Solution of (rate - dJ/dS) s = right."""
        from scipy.linalg import solve_banded

        matrix = self.matrix.astype(np.result_type(rate, 1.0))
        matrix[1] += rate
        solution: np.ndarray = solve_banded((1, 1), matrix, right)
        return solution


def transposed(matrix: np.ndarray) -> np.ndarray:
    """The transposed of a matrix (3, n) by diagonals."""
    return np.array((np.roll(matrix[2], 1), matrix[1], np.roll(matrix[0], -1)))


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
    current = conductance_of_column(junction, state, k, np.full(1, np.nan), np.zeros(1), ALL_ENERGIES)
    if not current.converged:
        return None
    J, slopes = np.zeros(N + 1), equations.FluxSlopes(*np.zeros((3, N + 1)))
    factors, pull = new_factors(N), np.zeros(N + 1)
    bound_electrons.flux_slopes_of(junction, state, k, factors, J, slopes)
    if bound_electrons.binds(junction):
        bound_electrons.fill_pull(junction, k, factors, J, slopes, pull)
    linear = electron_column if hold_electrons(junction) else ion_column
    charges = linear(junction, state, k, (J, slopes, pull), (current.by_D, current.by_P, current.by_S))
    return Column(
        area * junction.columns.weight[k], V, current.chord, current.chord * (1.0 + V * current.by_V), charges
    )


def ion_column(
    junction: Junction,
    state: State,
    k: int,
    fluxes: tuple[np.ndarray, FluxSlopes, np.ndarray],
    log_slopes: tuple[float, float, np.ndarray],
) -> IonColumn:
    """Charges of column k. fluxes : J, its slopes, `pull`   log_slopes : of ln G by D(L), by P and by S_f"""
    (J, slopes, _), (by_D, by_P, by_S), inner = fluxes, log_slopes, slice(1, state.c.shape[1])
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
        polar=polar_film(junction, state, k, by_P) if polarised(junction) else PolarFilm(),
    )


def polar_film(junction: Junction, state: State, k: int, by_P: float) -> PolarFilm:
    """Polarisation of column k, whose field it follows. by_P : d ln G/dP [m2/C]"""
    polar, progress = junction.polarisation, state.progress[:, k]
    rate = rate_at(junction, state, k, progress[ADVANCE])
    _, slope = polarisation_at(polar, k, progress[ADVANCE], progress[BEGUN], progress[TOWARDS])
    return PolarFilm(
        film=float((junction.columns.distance[k] / state.eps[k]).sum()),
        log_slope=by_P,
        saturation=float(polar.saturation[k]),
        rate=slope * rate.value,
        relaxation=-rate.by_q,
        pull=slope * rate.by_field / polar.thickness[k],
    )


def admittances(columns: list[Column], frequency: np.ndarray, moving: bool, following: bool = False) -> np.ndarray:
    """Admittances (K, F) [S] of the columns of the junction at frequencies (F,) [Hz].

    moving : the ions respond   following : the polarisation does
    """
    omega = 2.0 * np.pi * np.asarray(frequency)
    found = np.empty((len(columns), len(omega)), complex)
    for k, column in enumerate(columns):
        log_chord, charge = column.charges.answer(omega, moving, following)
        found[k] = column.conductance + column.voltage * column.chord * log_chord + 1j * omega * column.area * charge
    return found


def admittance(columns: list[Column], frequency: np.ndarray, moving: bool, following: bool = False) -> np.ndarray:
    """Admittance (F,) [S] of the junction at frequencies (F,) [Hz], as `admittances`."""
    total: np.ndarray = admittances(columns, frequency, moving, following).sum(axis=0)
    return total


def drift(columns: list[Column], time: float, moving: bool = True, following: bool = False) -> float:
    """Drift of what follows a signal and is not at rest, after a time [s] at constant V_j: one implicit step.

    The relative change of the conductance I/V_j, or the change of the polarisation over P_s: the larger one. Modes that
    relax sooner count with their final value.
    """
    conductance, area = sum(column.chord for column in columns), sum(column.area for column in columns)
    drifts = [(column, column.charges.drift(time, moving, following)) for column in columns]
    change = sum(column.chord * by_chord for column, (by_chord, _) in drifts)
    turned = sum(column.area * abs(P) for column, (_, P) in drifts) / area
    return max(abs(change / conductance) if conductance else 0.0, turned)
