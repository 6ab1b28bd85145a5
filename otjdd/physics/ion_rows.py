"""The linear equations of the vacancies of a column: one row for each face that they may pass, and the row of the closure.

The unknowns are the vacancies dS_f that pass face f, and the charge dQ of `boundary`, for which D(L) stands where the right
electrode blocks. Then dD_f = dQ - e z dS_f, and

    per_dt dS_f - [before_f (dS_f-1 - dS_f) + behind_f (dS_f - dS_f+1) + response_f (dQ - e z dS_f)] = right-hand side
    elastance dQ + sum_f closure_f dS_f                                                            = right-hand side

with before and behind the derivatives of J_f by the numbers in the cells beside it. They serve time steps, random hops and
small signals alike, with 1/(gamma dt) or i w for per_dt. Where the film holds electrons (`electron_jacobian`), the band is
an unknown of its own, and a `FluxRow` is the part of the row that stays.
"""

from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.boundary import exchanges, open_faces
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import FluxSlopes, Junction, closure_slope
from otjdd.physics.numerics import dot, factor_tridiagonal, solve_tridiagonal
from otjdd.physics.state import State


class IonRows(NamedTuple):
    """Rows of the faces of a column, each (N+1,); those that no vacancy passes are not used."""

    lower: np.ndarray  # 1/s
    diagonal: np.ndarray
    upper: np.ndarray
    response: np.ndarray  # 1/(C s), dJ_f/dQ
    closure: np.ndarray  # V m2, d closure/dS_f


class FluxRow(NamedTuple):
    """Derivatives of per_dt dS_f - dJ_f at constant fields by the vacancies that pass three faces [1/s]."""

    lower: float  # by dS_f-1
    diagonal: float
    upper: float  # by dS_f+1


@inlined
def flux_row(dilution: np.ndarray, slopes: FluxSlopes, per_dt: float, f: int) -> FluxRow:
    """Row of a face within the film. dilution : (N,) of the cells [1/m]"""
    before, behind = dilution[f - 1] * slopes.by_left[f], dilution[f] * slopes.by_right[f]
    return FluxRow(-before, per_dt + before - behind, behind)


@inlined
def left_row(dilution: np.ndarray, slopes: FluxSlopes, per_dt: float) -> FluxRow:
    """Row of the left end, which vacancies pass. Beyond it is a reservoir in the place of a cell."""
    before, behind = slopes.by_left[0], dilution[0] * slopes.by_right[0]
    return FluxRow(0.0, per_dt + before - behind, behind)


@inlined
def right_row(dilution: np.ndarray, slopes: FluxSlopes, per_dt: float) -> FluxRow:
    """Row of the right end, as `left_row`."""
    N = dilution.size
    before, behind = dilution[N - 1] * slopes.by_left[N], slopes.by_right[N]
    return FluxRow(-before, per_dt + before - behind, 0.0)


@inlined
def fill_ion_rows(junction: Junction, state: State, k: int, slopes: FluxSlopes, per_dt: float, rows: IonRows):
    """Fill the rows of column k from the slopes of its fluxes. The arrays of these may be lower, upper and response."""
    charge, eps, N = junction.ions[k].z * ELEMENTARY_CHARGE, state.eps[k], state.c.shape[1]
    dilution, distance = junction.columns.dilution[k], junction.columns.distance[k]
    lower, diagonal, upper, response, closure = rows
    for f in range(1, N):
        per_eps = 1.0 / eps[f]
        response[f] = slopes.by_field[f] * per_eps
        closure[f] = -charge * distance[f] * per_eps
    for f in range(1, N):
        row = flux_row(dilution, slopes, per_dt, f)
        lower[f], upper[f], diagonal[f] = row.lower, row.upper, row.diagonal + response[f] * charge
    if exchanges(junction):
        fill_end_rows(junction, state, k, slopes, per_dt, rows)


@inlined
def fill_end_rows(junction: Junction, state: State, k: int, slopes: FluxSlopes, per_dt: float, rows: IonRows):
    """Fill the rows of the end faces. Beyond them is an electrode with a charge."""
    charge, eps, N = junction.ions[k].z * ELEMENTARY_CHARGE, state.eps[k], state.c.shape[1]
    dilution, distance = junction.columns.dilution[k], junction.columns.distance[k]
    faces = open_faces(junction, N)
    if faces.first == 0:
        row = left_row(dilution, slopes, per_dt)
        rows.response[0] = slopes.by_field[0] / eps[0]
        rows.closure[0] = -charge * (distance[0] / eps[0] + edge(junction.left[k], state.D_left[k])[1])
        rows.lower[0], rows.upper[0], rows.diagonal[0] = row.lower, row.upper, row.diagonal + rows.response[0] * charge
    if faces.end == N + 1:
        row = right_row(dilution, slopes, per_dt)
        rows.response[N] = slopes.by_field[N] / eps[N]
        rows.closure[N] = -charge * (distance[N] / eps[N] + edge(junction.right[k], -state.D_right[k])[1])
        rows.lower[N], rows.upper[N], rows.diagonal[N] = row.lower, row.upper, row.diagonal + rows.response[N] * charge


@inlined
def factor_ion_rows(
    junction: Junction, state: State, k: int, slopes: FluxSlopes, per_dt: float, rows: IonRows
) -> tuple[bool, float]:
    """Fill the rows of column k and factor them; `response` becomes that of dS_f to dQ. Returns success, and d closure/dQ.

    The slope of the closure is that with the response of the ions. Arguments as of `fill_ion_rows`.
    """
    a, b = open_faces(junction, state.c.shape[1])
    fill_ion_rows(junction, state, k, slopes, per_dt, rows)
    lower, diagonal, upper, response = rows.lower[a:b], rows.diagonal[a:b], rows.upper[a:b], rows.response[a:b]
    if not factor_tridiagonal(lower, diagonal, upper, b - a):
        return False, 0.0
    solve_tridiagonal(lower, diagonal, upper, response, b - a)
    slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
    return True, slope + dot(rows.closure[a:b], response)
