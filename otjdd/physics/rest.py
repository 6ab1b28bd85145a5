"""Rest of the vacancies at a constant voltage, without integration in time; at 0 V it is equilibrium.

Between blocking electrodes a given number of vacancies can rest at any voltage. Where an electrode exchanges them its
reservoir, at its initial filling, gives the level in the place of the number. Two such electrodes are at rest at 0 V alone,
where their levels agree.

No flux passes a face where c/(c_max - c) = K exp[(z U - W)/kT], U being the band E_C. So the vacancies depend on the
band as electrons in the film do, and their slope is added to the diagonal of the static Newton iteration of
`electrons.search`. Neither the law of motion nor the depth of the wells nor a relaxation time matters.

Layers without sites part a column. Each part keeps its number of vacancies, and has an ln K of its own: one row and one
column more for each border the matrix. Vacancies that hold electrons have the site energy of `ion_fluxes` beside W, so they
follow the band with their mean charge z - f.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.mechanisms.electrons.density import BARE, HELD_LEFT, HELD_RIGHT
from otjdd.mechanisms.electrons.search import Rows, farther, rows_of_stack, static_rows, straight_band
from otjdd.mechanisms.electrons.stack import column, fill_bands
from otjdd.mechanisms.exchange import passes
from otjdd.physics.columns import close_all
from otjdd.physics.ion_fluxes import binds
from otjdd.physics.junction import CLOSURE_TOLERANCE, Junction, band_of_fields, new_state
from otjdd.physics.numerics import copy, factor_dense, factor_tridiagonal, solve_dense, solve_tridiagonal
from otjdd.physics.state import COSH, State

MOST_STEPS = 1000
DONE = 1e-11  # last step of z U/kT and ln K: the error is its square, or a part of it where vacancies hold electrons
KEPT = 1e-13  # of the vacancies of a part, most that are lacking then
LONGEST = 3.0  # longest step in these: beyond it the linear model of the exponentials fails
TURNS = 1000  # of ions and charged traps
TURNED = 1e-9  # eV, of the band in the last turn of ions and traps


class RestParts(NamedTuple):
    """The P parts of a column of N cells, and work space of their rest."""

    first: np.ndarray  # (P+1,) first cell of each, and N; cells without sites belong to the part before
    total: np.ndarray  # (P,) 1/m2, vacancies; nan where a reservoir gives ln K
    log_K: np.ndarray  # (P,)
    lacking: np.ndarray  # (P,) 1/m2, of the vacancies
    border: np.ndarray  # (P, P)
    response: np.ndarray  # (N,) 1/(m3 eV), d(z c)/dU
    answer: np.ndarray  # (P, 2N+1) of the stack to each ln K


def rest_parts(junction: Junction, k: int, c: np.ndarray) -> RestParts:
    """The parts of column k with vacancies c (N,) [1/m3]."""
    sites, width, N = junction.columns.sites[k], junction.columns.width[k], c.size
    cells = np.flatnonzero(sites)
    first = np.concatenate(([0], cells[1:][np.diff(cells) > 1], [N]))
    total, P = np.add.reduceat(c * width, first[:-1]), first.size - 1
    if passes(junction.left_wall[k]) and sites[0] > 0.0:
        total[0] = np.nan
    if passes(junction.right_wall[k]) and sites[-1] > 0.0:
        total[-1] = np.nan
    return RestParts(first, total, *np.zeros((2, P)), np.zeros((P, P)), np.zeros(N), np.zeros((P, 2 * N + 1)))


@inlined
def charge_of(junction: Junction, state: State, k: int, i: int) -> float:
    """Mean charge of the vacancies of a cell, in elementary charges."""
    return junction.ions[k].z - (state.electrons[k, HELD_RIGHT, i] + state.electrons[k, HELD_LEFT, i])


@detached
def follow_band(junction: Junction, state: State, k: int, parts: RestParts):
    """Set c from the band, and what is lacking and the response of the parts.

    Shares that hold electrons are those at the last call of `fill_bands`.
    """
    ions, columns, sites, c, W, p = junction.ions[k], junction.columns, junction.columns.sites[k], state.c[k], 0.0, 0
    offset = 0.0  # of the band, over the potential that drives vacancies
    copy(parts.total, parts.lacking)
    for i in range(c.size):
        p += i == parts.first[p + 1]
        W += columns.site[k, i]
        offset += columns.rise[k, i]
        odds = parts.log_K[p] + (ions.z * (state.band[k, i + 1] - offset) - W) / state.kT[k]
        if binds(junction):
            odds -= math.log(state.electrons[k, BARE, i])
        e, z = math.exp(-abs(odds)), charge_of(junction, state, k, i)
        c[i] = sites[i] * (1.0 if odds > 0.0 else e) / (1.0 + e)
        parts.response[i] = z * z / state.kT[k] * sites[i] * e / (1.0 + e) ** 2
        parts.lacking[p] -= columns.width[k, i] * c[i]


@bare
def lacking_at(junction: Junction, state: State, k: int, parts: RestParts, p: int, log_K: float) -> float:
    """Vacancies [1/m2] that part p lacks at an ln K in the present band."""
    parts.log_K[p] = log_K
    follow_band(junction, state, k, parts)
    return parts.lacking[p]


@bare
def first_log(junction: Junction, state: State, k: int, parts: RestParts, p: int):
    """Set an estimate of ln K, by bisection, at which part p has its vacancies in the present band."""
    low, high = -1.0, 1.0
    while lacking_at(junction, state, k, parts, p, low) < 0.0:
        low *= 2.0
    while lacking_at(junction, state, k, parts, p, high) > 0.0:
        high *= 2.0
    while high - low > 0.1:
        middle = 0.5 * (low + high)
        if lacking_at(junction, state, k, parts, p, middle) < 0.0:
            high = middle
        else:
            low = middle
    parts.log_K[p] = 0.5 * (low + high)


@bare
def log_of_reservoir(junction: Junction, state: State, k: int, V: float, at_left: bool) -> float:
    """ln K at V [V] beside an electrode that exchanges vacancies, with site energies counted as in `follow_band`.

    At rest ln[c/(c_max - c)] = -[formation + W - W_wall - z (U - E_F)]/kT, and what oxygen adds.
    """
    kT = state.kT[k]
    if at_left:  # its Fermi level is at -V
        wall = junction.left_wall[k]
        return -(wall.formation - junction.ions[k].z * V) / kT - 0.5 * wall.log_oxygen
    wall, rise = junction.right_wall[k], 0.0
    for f in range(junction.columns.site.shape[1]):
        rise += junction.columns.site[k, f]
    return -(wall.formation - rise) / kT - 0.5 * wall.log_oxygen


@bare
def fill_answers(junction: Junction, state: State, k: int, rows: Rows, parts: RestParts):
    """Fill the answers of the stack, whose rows are factored, to ln K of each part."""
    parts.answer[:] = 0.0
    for p in range(parts.total.size):
        answer = parts.answer[p]
        for i in range(parts.first[p], parts.first[p + 1]):
            per_z = state.kT[k] / charge_of(junction, state, k, i)
            answer[2 * i + 1] = ELEMENTARY_CHARGE * junction.columns.width[k, i] * parts.response[i] * per_z
        solve_tridiagonal(rows.lower, rows.diagonal, rows.upper, answer, answer.size)


@bare
def steps_of_logs(junction: Junction, state: State, k: int, x: np.ndarray, parts: RestParts):
    """Turn what is lacking into the steps of ln K, x being the step of the stack at constant ones."""
    P = parts.total.size
    for p in range(P):
        given, row = math.isnan(parts.total[p]), parts.border[p]
        row[:], row[p] = 0.0, 1.0 if given else 0.0
        parts.lacking[p] = 0.0 if given else parts.lacking[p]
        for i in range(parts.first[p], parts.first[p + 1]):
            if given:
                continue
            z = charge_of(junction, state, k, i)
            by_U = junction.columns.width[k, i] * parts.response[i] / z
            parts.lacking[p] -= by_U * x[2 * i + 1]
            row[p] += by_U * state.kT[k] / z
            for q in range(P):
                row[q] += by_U * parts.answer[q, 2 * i + 1]
        if row[p] == 0.0:  # empty or full, to the last digit
            row[p], parts.lacking[p] = 1.0, 0.0
    if not factor_dense(parts.border):
        return False
    solve_dense(parts.border, parts.lacking)
    return True


@detached
def rest_step(junction: Junction, state: State, k: int, parts: RestParts):
    """One step of Newton's iteration for D, U and ln K; moves the state. Returns the largest step in kT; inf: it fails."""
    rows, kT = rows_of_stack(state), state.kT[k]
    static_rows(junction, state, k, parts.response, rows)
    x, largest = rows.rest, 0.0
    if not factor_tridiagonal(rows.lower, rows.diagonal, rows.upper, x.size):
        return math.inf
    solve_tridiagonal(rows.lower, rows.diagonal, rows.upper, x, x.size)
    fill_answers(junction, state, k, rows, parts)
    if not steps_of_logs(junction, state, k, x, parts):
        return math.inf
    for p in range(parts.total.size):
        largest = farther(largest, parts.lacking[p])
        for j in range(x.size):
            x[j] += parts.lacking[p] * parts.answer[p, j]
    for i in range(state.c.shape[1]):
        largest = farther(largest, x[2 * i + 1] / (kT / charge_of(junction, state, k, i)))
    share = min(1.0, LONGEST / largest) if largest > 0.0 else 1.0
    for j in range(x.size):
        if j % 2 == 0:
            state.D[k, j // 2] += share * x[j]
        else:
            state.band[k, j // 2 + 1] += share * x[j]
    for p in range(parts.total.size):
        parts.log_K[p] += share * parts.lacking[p]
    return largest


@bare
def all_kept(parts: RestParts) -> bool:
    """True where no part lacks vacancies but for round-off."""
    for p in range(parts.total.size):
        if abs(parts.lacking[p]) > KEPT * parts.total[p]:
            return False
    return True


@detached
def rest_column(junction: Junction, state: State, k: int, V: float, parts: RestParts):
    """Rest of column k at V [V]; its concentrations, D and band are filled. Returns iterations, 0 when none was found.

    The state is one of `resting_state`, with a band also where the film holds no electrons.
    """
    straight_band(junction, state, k, V)
    fill_bands(junction, k, V, column(state, k), True)
    for p in range(parts.total.size):
        if math.isnan(parts.total[p]):
            at_left = p == 0 and passes(junction.left_wall[k])
            parts.log_K[p] = log_of_reservoir(junction, state, k, V, at_left)
        else:
            first_log(junction, state, k, parts, p)
    for step in range(MOST_STEPS):
        fill_bands(junction, k, V, column(state, k), True)
        follow_band(junction, state, k, parts)
        if binds(junction):  # once more: the vacancies have changed, and with them the electrons that they hold
            fill_bands(junction, k, V, column(state, k), True)
        largest = rest_step(junction, state, k, parts)
        if not largest < math.inf:
            return 0
        if largest <= DONE:
            fill_bands(junction, k, V, column(state, k), True)
            follow_band(junction, state, k, parts)
            if all_kept(parts):
                fill_bands(junction, k, V, column(state, k), True)
                return step + 1
    return 0


def relaxed(
    junction: Junction, c: np.ndarray, V: float = 0.0, P: np.ndarray | None = None, trapped: np.ndarray | None = None
) -> np.ndarray | None:
    """Concentrations (K, N) [1/m3] at rest at junction voltage V [V].

    c : (K, N) whose number of ions stays between blocking electrodes, in each part of a column that layers without sites
        part
    P : (K,) [C/m2] polarisation, and trapped : (K, N) [C/m2] charge of traps, which stay; None for none
    None when not found.
    """
    if trapped is not None:
        behind = np.cumsum(trapped[:, ::-1], axis=1)[:, ::-1]
        fixed = junction.columns.fixed + np.pad(behind, ((0, 0), (0, 1)))
        junction = junction._replace(columns=junction.columns._replace(fixed=fixed))
    state = resting_state(junction)
    if P is not None:
        state.P[:] = P
    for k in range(len(c)):
        if not rest_column(junction, state, k, V, rest_parts(junction, k, c[k])):
            return None
    return state.c.copy()


def resting_state(junction: Junction) -> State:
    """A state of a junction in which films have a band also where they hold no electrons; traps carry no charge."""
    K, N = junction.columns.width.shape
    return new_state(
        junction, group=0, charged_cell=0, electronic=K, film_node=N + 2, film_cell=N, film_line=2 * N + 1
    )  # fmt: skip


def relaxed_with_traps(junction: Junction, c: np.ndarray) -> np.ndarray | None:
    """As `relaxed` at 0 V, the charged traps being at rest too; None when not found.

    Ions and filling come to rest by turns: both lower one free energy, which is convex.
    """
    bands = np.full((c.shape[0], c.shape[1] + 2), np.inf)
    state = new_state(junction, group=0)
    for _ in range(TURNS):
        rest = relaxed(junction, c, trapped=state.trapped)
        if rest is None:
            return None
        state.c[:], before = rest, bands
        state.guess[:], state.guess[:, COSH] = 0.0, 1.0
        if close_all(junction, state, 0.0, CLOSURE_TOLERANCE) != Status.DONE:
            return None
        c, bands = rest, np.array([band(junction, state, k) for k in range(len(c))])
        if np.abs(bands - before).max() <= TURNED:
            return c
    return None


def band(junction: Junction, state: State, k: int) -> np.ndarray:
    """Band (N+2,) [eV] of column k at both ends and the centres of its cells."""
    U = np.empty(state.c.shape[1] + 2)
    band_of_fields(junction, state, k, U)
    return U
