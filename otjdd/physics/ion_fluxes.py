"""Fluxes of the vacancies of a column, with the electrons that they hold, and their linear equations.

Vacancies may hold electrons, V_O+ beside V_O2+, by a level near the conduction band. A vacancy of charge z holds one
more electron, in equilibrium with the contact on its side of the top of the band as the electrons of the film are
(`electrons.density`), with the share

    f = w f1(0) + (1 - w) f1(-V)        f1(E_F) = 1/{1 + exp[(E_C - E_2 - E_F)/kT]/2}

E_2 is the depth of the level below E_C, 2 the number of spins; c f is added to n. Vacancies with and without an
electron hop alike, each driven by its own charge. This is an additional site energy kT ln(1 - f), whose slope at
constant E_F is f dE_C/dx. With it the vacancies rest where the free energy has its minimum, for any f.

The linear equations have one row for each face that vacancies may pass, and the row of the closure. The unknowns are
the vacancies dS_f that pass face f, and the charge dQ of `exchange`, for which D(L) stands where the right electrode
blocks. Then dD_f = dQ - e z dS_f, and

    per_dt dS_f - [before_f (dS_f-1 - dS_f) + behind_f (dS_f - dS_f+1) + response_f (dQ - e z dS_f)] = right-hand side
    elastance dQ + sum_f closure_f dS_f                                                            = right-hand side

with before and behind the derivatives of J_f by the numbers in the cells beside it. They serve time steps, random hops
and small signals alike, with 1/(gamma dt) or i w for per_dt. Where the film holds electrons (`electrons.rows`), the
band is an unknown of its own, and a `FluxRow` is the part of the row that stays.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.density import (
    BARE,
    BY_BAND,
    BY_VOLTAGE,
    BY_WEIGHT,
    HELD_BY_BAND,
    HELD_BY_VOLTAGE,
    HELD_BY_WEIGHT,
    HELD_LEFT,
    HELD_RIGHT,
    LEFT,
    OF_LEFT,
    OF_RIGHT,
    RIGHT,
    FilmElectrons,
)
from otjdd.mechanisms.exchange import end_of, exchanges, fill_end_fluxes, fill_end_slopes, open_faces, passes
from otjdd.physics.electrostatics import edge
from otjdd.physics.ions import DOWNHILL, G_SLOPE, TILT, G, hops_both_ways, layer_count, new_factors
from otjdd.physics.junction import (
    FluxSlopes,
    Junction,
    closure_slope,
    exchange_all,
    exchange_slopes,
    fill_hops,
    flux_slopes,
    fluxes,
)
from otjdd.physics.numerics import OVERFLOW, dot, factor_tridiagonal, solve_tridiagonal
from otjdd.physics.state import SITE, State


@inlined
def binds(junction: Junction) -> bool:
    """True where vacancies may hold electrons."""
    return not math.isnan(junction.electrons[0].level)


@bare
def held_share(depth: float):
    """Shares of the vacancies with and without an electron, from the depth of the level below E_F over kT."""
    e = 0.5 * math.exp(-min(max(depth, -OVERFLOW), OVERFLOW))
    return 1.0 / (1.0 + e), e / (1.0 + e)


@deferred_detached
def bind(electrons: FilmElectrons, kT: float, V: float, U: np.ndarray, c: np.ndarray, n: np.ndarray):
    """Fill the rows n of shares of vacancies with electrons, and add the electrons of vacancies c (N,) to other rows."""
    for i in range(c.size):
        w, other, level = n[OF_RIGHT, i], n[OF_LEFT, i], U[i + 1] - electrons.level
        right, without_right = held_share(-level / kT)
        left, without_left = held_share((-V - level) / kT)
        n[HELD_RIGHT, i], n[HELD_LEFT, i] = w * right, other * left
        n[BARE, i] = w * without_right + other * without_left
        n[HELD_BY_VOLTAGE, i] = -other * left * without_left / kT
        n[HELD_BY_BAND, i] = -w * right * without_right / kT + n[HELD_BY_VOLTAGE, i]
        n[HELD_BY_WEIGHT, i] = right - left
        n[RIGHT, i] += c[i] * n[HELD_RIGHT, i]
        n[LEFT, i] += c[i] * n[HELD_LEFT, i]
        n[BY_BAND, i] += c[i] * n[HELD_BY_BAND, i]
        n[BY_WEIGHT, i] += c[i] * n[HELD_BY_WEIGHT, i]
        n[BY_VOLTAGE, i] += c[i] * n[HELD_BY_VOLTAGE, i]


@detached
def fill_own_hops(junction: Junction, state: State, k: int, work: np.ndarray):
    """As `junction.fill_hops` at a state whose vacancies hold electrons, with the additional site energy."""
    N, kT = state.c.shape[1], state.kT[k]
    site, n = state.lines[SITE, : N + 1], state.electrons[k]
    before = math.log(n[BARE, 0])
    site[0], site[N] = 0.0, 0.0
    for f in range(1, N):
        behind = math.log(n[BARE, f])
        site[f] = junction.columns.site[k, f] + kT * (behind - before)
        before = behind
    fill_hops(junction, state, k, site, work, True)


@bare
def fluxes_of(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray):
    """Vacancy flux J (N+1,) of column k of a settled state, as `junction.fluxes`."""
    if binds(junction):
        fill_own_hops(junction, state, k, work)
        exchange_all(junction, state, k, work, J)
    else:
        fluxes(junction, state, k, work, J)
        fill_end_fluxes(junction, state, k, J)


@bare
def flux_slopes_of(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray, slopes: FluxSlopes):
    """As `fluxes_of`, with the derivatives of J at constant shares."""
    if binds(junction):
        fill_own_hops(junction, state, k, work)
        exchange_slopes(junction, state, k, work, J, slopes)
    else:
        flux_slopes(junction, state, k, work, J, slopes)
        fill_end_slopes(junction, state, k, J, slopes)


@detached
def fill_pull(
    junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray, slopes: FluxSlopes, pull: np.ndarray
):  # fmt: skip
    """Fill pull (N+1,) with the derivatives of J at inner faces by ln(1 - f) in the cell behind the face.

    work : factors of the flux J = g(E) (...). The bracket depends on the sum of the steps of potential and site energy
    alone, so its derivative by the site energy follows from that by E, `slopes.by_field` less the part of g. At an
    interface UPHILL falls with the site energy by TILT, and DOWNHILL rises by 1 - TILT.
    """
    per_kT = -junction.ions[k].z / state.kT[k]
    for f in range(1, J.size - 1):
        accelerated = work[G_SLOPE, f] / work[G, f] * J[f]
        pull[f] = (slopes.by_field[f] - accelerated) / (per_kT * junction.columns.distance[k, f])
    if layer_count(junction.layers) > 1:
        fill_pull_at_interfaces(junction, state, k, work, J, pull)


@deferred_detached
def fill_pull_at_interfaces(
    junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray, pull: np.ndarray
):  # fmt: skip
    """As `fill_pull` at the interfaces between layers alone."""
    columns, c = junction.columns, state.c[k]
    for j in range(1, layer_count(junction.layers)):
        f = junction.layers.first[j]
        back = hops_both_ways((c[f - 1], c[f]), (columns.crowding[k, f - 1], columns.crowding[k, f]))[1]
        per_c = state.diffusivity[k, f] / columns.distance[k, f] * work[DOWNHILL, f]
        pull[f] = -work[TILT, f] * J[f] - per_c * back


def linear_fluxes(junction: Junction, state: State, k: int) -> tuple[np.ndarray, FluxSlopes, np.ndarray]:
    """Fluxes J (N+1,) of column k of a settled state, their slopes and `pull`, each in arrays of its own."""
    N = state.c.shape[1]
    J, slopes, factors, pull = np.zeros(N + 1), FluxSlopes(*np.zeros((3, N + 1))), new_factors(N), np.zeros(N + 1)
    flux_slopes_of(junction, state, k, factors, J, slopes)
    if binds(junction):
        fill_pull(junction, state, k, factors, J, slopes, pull)
    return J, slopes, pull


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
def end_row(dilution: np.ndarray, slopes: FluxSlopes, per_dt: float, f: int) -> FluxRow:
    """Row of an end face, which vacancies pass. Beyond it is a reservoir in the place of a cell."""
    if f == 0:
        before, behind = slopes.by_left[0], dilution[0] * slopes.by_right[0]
        return FluxRow(0.0, per_dt + before - behind, behind)
    before, behind = dilution[f - 1] * slopes.by_left[f], slopes.by_right[f]
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
    charge, eps = junction.ions[k].z * ELEMENTARY_CHARGE, state.eps[k]
    dilution, distance = junction.columns.dilution[k], junction.columns.distance[k]
    for at_right in (False, True):
        end = end_of(junction, k, at_right)
        if passes(end.wall):
            f, D = end.face, state.D_right[k] if at_right else state.D_left[k]
            row = end_row(dilution, slopes, per_dt, f)
            rows.response[f] = slopes.by_field[f] / eps[f]
            rows.closure[f] = -charge * (distance[f] / eps[f] + edge(end.electrode, end.sign * D)[1])
            rows.lower[f], rows.upper[f], rows.diagonal[f] = (
                row.lower,
                row.upper,
                row.diagonal + rows.response[f] * charge,
            )


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
