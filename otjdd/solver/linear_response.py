"""Linear response of a settled junction: its complex admittance, with ions and polarisation frozen or following.

The equations of a time step, with s_f for the ions that pass face f, d for the change of the charge of the terminals, p for
that of P, u for that of the voltage across the film, v for that of V_j, all as exp(i w t):

    i w s_f = d J_f         flux of the ions through the faces that they may pass, by the cells beside and the field there
    i w p   = d(dP/dt)      pull u - relaxation p
    0       = d closure     elastance d - film p - sum_f e z distance_f/eps_f s_f - v
    i       = d I + i w A d conduction current and charge of the electrode

d is the charge of `physics.boundary`, which changes alike at both terminals: D(L) where the right electrode blocks ions.
The matrix is that of `physics.ion_rows` with i w in the place of 1/(gamma dt), its elements exact; `response` solves it for
each frequency. A film that holds electrons has more unknowns, see `electron_response`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics import bound_electrons
from otjdd.physics import junction as equations
from otjdd.physics.boundary import open_faces
from otjdd.physics.channels.conductance import ALL_ENERGIES
from otjdd.physics.channels.table import conductance_of_column
from otjdd.physics.closing import hold_electrons
from otjdd.physics.ion_rows import IonRows, fill_ion_rows
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import FluxSlopes, Junction, closure_slope, polarised
from otjdd.physics.polarisation import polarisation_at
from otjdd.physics.state import State
from otjdd.solver.electron_response import electron_response
from otjdd.solver.response import Response
from otjdd.stepping.polarisation_step import rate_at


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
    """
    columns = [linearised_column(junction, state, k, area) for k in range(state.c.shape[0])]
    return None if None in columns else columns  # type: ignore[return-value]  # mypy does not see that none is None


def linearised_column(junction: Junction, state: State, k: int, area: float) -> LinearColumn | None:
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
    response_of = electron_response if hold_electrons(junction) else ion_response
    charges = response_of(junction, state, k, (J, slopes, pull), (current.by_D, current.by_P, current.by_S))
    return LinearColumn(
        area * junction.columns.weight[k], V, current.chord, current.chord * (1.0 + V * current.by_V), charges
    )


def ion_response(
    junction: Junction,
    state: State,
    k: int,
    fluxes: tuple[np.ndarray, FluxSlopes, np.ndarray],
    log_slopes: tuple[float, float, np.ndarray],
) -> Response:
    """Charges of column k, whose film holds no electrons: e z S_f, and as shared unknowns d and a polarisation.

    fluxes : J, its slopes, `pull`   log_slopes : of ln G by D(L), by P and by S_f
    """
    (J, slopes, _), (by_D, by_P, by_S), charge = fluxes, log_slopes, junction.ions[k].z * ELEMENTARY_CHARGE
    passable, of_faces = slice(*open_faces(junction, state.c.shape[1])), IonRows(*np.zeros((5, J.size)))
    fill_ion_rows(junction, state, k, slopes, 0.0, of_faces)
    lower, diagonal, upper, drive, closure = (row[passable] for row in of_faces)
    n, elastance = lower.size, closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
    at_ions = np.zeros(n)
    response = Response(
        rows=np.column_stack((lower, diagonal, upper)),
        to_shared=-charge * drive[:, None],
        to_local=closure[None] / charge,
        shared=np.array([[elastance]]),
        moves=np.append(np.ones(n), 0.0),
        by_V=np.append(at_ions, 1.0),
        flux=np.append(charge * J[passable], 0.0),
        ions=np.arange(n),
        polarisation=np.zeros(0, int),
        log_chord=np.append(by_S[passable] / charge, by_D),
        log_chord_by_V=0.0,
        charge=np.append(at_ions, 1.0),
        charge_by_V=0.0,
        charge_of_ions=charge,
        saturation=1.0,
    )
    return with_polarisation(junction, state, k, response, by_P) if polarised(junction) else response


def with_polarisation(junction: Junction, state: State, k: int, response: Response, by_P: float) -> Response:
    """The response of `ion_response` with the polarisation of column k, which its field drives. by_P : d ln G/dP [m2/C]

    P takes its part of D in the film. Its rate is pull u - relaxation P, with u the voltage across the film: V_j less what
    D(L) drops in the electrodes.
    """
    polar, n = junction.polarisation, response.ions.size
    advance, begun, towards = (float(array[k]) for array in state.progress)
    rate = rate_at(junction, state, k, advance)
    _, slope = polarisation_at(polar, k, advance, begun, towards)
    pull, relaxation = slope * rate.by_field / polar.thickness[k], -rate.by_q
    (elastance,), film = response.shared[0], float((junction.columns.distance[k] / state.eps[k]).sum())
    return response._replace(
        to_shared=np.column_stack((response.to_shared, -response.to_shared)),
        to_local=np.vstack((response.to_local, np.zeros(n))),
        shared=np.array([[elastance, -film], [pull * (elastance - film), relaxation]]),
        moves=np.append(response.moves, 1.0),
        by_V=np.append(response.by_V, pull),
        flux=np.append(response.flux, slope * rate.value),
        polarisation=np.array([n + 1]),
        log_chord=np.append(response.log_chord, by_P),
        charge=np.append(response.charge, 0.0),
        saturation=float(polar.saturation[k]),
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


def drift(columns: list[LinearColumn], time: float, moving: bool = True, following: bool = False) -> float:
    """Drift of what follows a signal and is not at rest, after a time [s] at constant V_j: one implicit step.

    The relative change of the conductance I/V_j, or the change of the polarisation over P_s: the larger one. Modes that
    relax sooner count with their final value.
    """
    conductance, area = sum(column.chord for column in columns), sum(column.area for column in columns)
    drifts = [(column, column.charges.drift(time, moving, following)) for column in columns]
    change = sum(column.chord * by_chord for column, (by_chord, _) in drifts)
    turned = sum(column.area * abs(P) for column, (_, P) in drifts) / area
    return max(abs(change / conductance) if conductance else 0.0, turned)
