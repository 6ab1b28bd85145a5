"""State of rest of the ions at a constant voltage, by Newton's method without integration in time.

At rest no flux passes an inner face. Then the step of x = ln[c/(c_max - c)] across a face fixes the field there,
so x gives both c and the field. Gauss's law relates the two:

    E_f = [kT (x_f - x_f-1) + W_f - W_f-1]/(z d_f) = E(D_f)        D_f = D(L) - e z S_f - fixed_f

with D(L) from the closure at these c. Newton's iteration for x does not depend on the law of motion, the depth of the wells
or the relaxation time. Between blocking electrodes a given number of ions can rest at any voltage; at 0 V the rest is
equilibrium. Where an electrode exchanges ions its reservoir, at its initial filling, gives the level in the place of the
number. Two such electrodes are at rest at 0 V alone, where their levels agree.
"""

from __future__ import annotations

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.mechanisms.electrons.rest import equilibrate
from otjdd.mechanisms.exchange import exchanges, passes
from otjdd.physics import electrostatics
from otjdd.physics.columns import close_all
from otjdd.physics.junction import (
    CLOSURE_TOLERANCE,
    Junction,
    band_of_fields,
    close,
    closure_slope,
    hold_electrons,
    new_state,
)
from otjdd.physics.state import COSH, State

LONGEST = 3.0  # largest step in x: beyond it the linear model of the exponentials fails
STEPS = 1000
TURNED = 1e-9  # eV, of the band in the last turn of ions and traps
EMPTIEST, FULLEST = 700.0, 36.0  # of x where a search starts: cells beyond are empty, or full, to the last digit
DONE = 1e-9  # last step in x: the error is its square


def relaxed(
    junction: Junction, c: np.ndarray, V: float = 0.0, P: np.ndarray | None = None, trapped: np.ndarray | None = None
) -> np.ndarray | None:
    """Concentrations (K, N) [1/m3] at rest at junction voltage V [V].

    c : (K, N) that the search starts from; between blocking electrodes the number of ions in each column stays
    P : (K,) [C/m2] polarisation, and trapped : (K, N) [C/m2] charge of traps, which stay; None for none
    None when not found. Layers without sites part a column, and each part keeps its ions.
    """
    out = np.empty_like(c)
    state = new_state(junction, group=0, charged_cell=0 if trapped is None else c.shape[1])
    if trapped is not None:
        state.trapped[:] = trapped
    if P is not None:
        state.P[:] = P
    rest_of = relaxed_with_electrons if hold_electrons(junction) else relaxed_column
    for k in range(len(c)):
        rest = rest_of(junction, state, k, c[k], V)
        if rest is None:
            return None
        out[k] = rest
    return out


def relaxed_with_traps(junction: Junction, c: np.ndarray) -> np.ndarray | None:
    """As `relaxed` at 0 V, the charged traps being at rest too; None when not found.

    Ions and filling come to rest by turns: both lower one free energy, which is convex.
    """
    bands = np.full((c.shape[0], c.shape[1] + 2), np.inf)
    state = new_state(junction, group=0)
    for _ in range(STEPS):
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


def relaxed_column(junction: Junction, state: State, k: int, c: np.ndarray, V: float) -> np.ndarray | None:
    """Concentrations (N,) of column k at rest at V [V], from c with as many ions; None when not found. state : scratch"""
    sites, width = junction.columns.sites[k], junction.columns.width[k]
    cells = np.flatnonzero(sites)
    bounds = [0, *(np.flatnonzero(np.diff(cells) > 1) + 1), cells.size]
    totals = np.add.reduceat((c * width)[cells], bounds[:-1])
    x = np.clip(log_odds(c[cells], sites[cells]), -EMPTIEST, FULLEST)
    for _ in range(STEPS):
        if cells.size == c.size:
            step = newton_step(junction, state, k, x, totals[0], V)
        else:
            step = newton_step_of_parts(junction, state, k, x, (cells, bounds, totals), V)
        longest = np.abs(step).max()
        if not longest < np.inf:
            return None
        x = x + step * min(1.0, LONGEST / longest) if longest > 0.0 else x
        if longest < DONE:
            rest = np.zeros(c.size)
            rest[cells] = sites[cells] / (1.0 + np.exp(-x))
            return rest
    return None


def log_odds(c: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """ln[c/(sites - c)], infinite where all sites are taken, or none."""
    with np.errstate(divide="ignore"):
        x: np.ndarray = np.log(np.maximum(c, 0.0)) - np.log(np.maximum(sites - c, 0.0))
    return x


def relaxed_with_electrons(junction: Junction, state: State, k: int, c: np.ndarray, V: float) -> np.ndarray | None:
    """As `relaxed_column` where the film holds electrons; None also for a column that layers without sites part."""
    cells = np.flatnonzero(junction.columns.sites[k])
    if cells[-1] - cells[0] >= cells.size:
        return None
    state.c[k] = c
    converged = equilibrate(junction, state, k, V, np.zeros((2, 2 * c.size + 1)))
    return state.c[k].copy() if converged else None


def closed_at(junction: Junction, state: State, k: int, c: np.ndarray, V: float) -> bool:
    """Put column k of the state at concentrations (N,) and V [V], and solve its stack. Returns success."""
    state.c[k] = c
    state.guess[k], state.guess[k, COSH] = 0.0, 1.0
    return bool(close(junction, state, k, V, CLOSURE_TOLERANCE))


def newton_step(junction: Junction, state: State, k: int, x: np.ndarray, total: float, V: float) -> np.ndarray:
    """Newton's step in x (N,) for column k at V [V], nan where the stack does not close; the state then holds D(L) at x.

    Rows: D(L) against the value that follows from the last cell; Gauss's law in cells 1..N-2; the number of ions, or the
    level of the reservoir.
    """
    columns, z, N = junction.columns, junction.ions[k].z, x.size
    width, distance = columns.width[k], columns.distance[k]
    share = 1.0 / (1.0 + np.exp(-x))
    c = columns.sites[k] * share
    if not closed_at(junction, state, k, c, V):
        return np.full(N, np.nan)
    E, eps, D_left, D_right = state.E[k], state.eps[k], state.D_left[k], state.D_right[k]
    inner = (junction.kT[k] * np.diff(x) + columns.site[k, 1:-1]) / (z * distance[1:-1])
    # Newton's iteration for D(E), which saturates, oscillates; for E(D) it does not. The residual is eps [E_f - E(D_f)].
    missing = eps[1:-1] * (inner - E[1:-1])
    by_x = eps[1:-1] * junction.kT[k] / (z * distance[1:-1])  # d missing/dx_f = -d missing/dx_f-1
    ions = width * c * (1.0 - share)  # d(c h)/dx
    charge = z * ELEMENTARY_CHARGE * ions
    slope = closure_slope(junction, k, D_left, D_right, eps)
    ends = np.zeros((2, N))
    elastance = electrostatics.edge(junction.left[k], D_left)[1] + np.cumsum((distance / eps)[:-1])  # left of a cell
    ends[0] = -charge * elastance / slope
    ends[0, -1] += charge[-1] + by_x[-1]
    ends[0, -2] -= by_x[-1]
    if exchanges(junction):
        at_left = passes(junction.left_wall[k])
        beyond, by_D = level_beyond(junction, state, k, x, at_left)
        ends[1] = by_D * charge * (at_left - elastance / slope)  # D(0) is D(L) less the charge of the film
        ends[1, 0 if at_left else -1] += 1.0
    else:
        ends[1], beyond = ions / total, (c * width).sum() / total - 1.0
    bands = np.array([by_x[1:], -(by_x[1:] + by_x[:-1] + charge[1:-1]), by_x[:-1]])
    rest = np.array([missing[-1], beyond])
    return -bordered(bands, ends, np.diff(missing), rest)


def newton_step_of_parts(
    junction: Junction, state: State, k: int, x: np.ndarray, parts: tuple[np.ndarray, list[int], np.ndarray], V: float
) -> np.ndarray:
    """As `newton_step` for a column that layers without sites part: x of the cells with sites.

    parts : numbers of these cells, the places in that list where a part begins and the end, ions of each part [1/m2]
    Rows of a part: the field of each face within it, and its number of ions, or the level of the reservoir beside it.
    """
    (cells, bounds, totals), columns, z = parts, junction.columns, junction.ions[k].z
    width, distance, share = columns.width[k][cells], columns.distance[k], 1.0 / (1.0 + np.exp(-x))
    c = np.zeros(columns.sites.shape[1])
    c[cells] = columns.sites[k][cells] * share
    if not closed_at(junction, state, k, c, V):
        return np.full(x.size, np.nan)
    eps = state.eps[k]
    ions = width * c[cells] * (1.0 - share)
    charge, slope = z * ELEMENTARY_CHARGE * ions, closure_slope(junction, k, state.D_left[k], state.D_right[k], eps)
    elastance = electrostatics.edge(junction.left[k], state.D_left[k])[1] + np.cumsum(distance / eps)[cells]
    matrix, missing = np.zeros((x.size, x.size)), np.zeros(x.size)
    for first, end, total in zip(bounds, bounds[1:], totals, strict=False):
        for i in range(first + 1, end):
            f = cells[i]
            by_x = eps[f] * junction.kT[k] / (z * distance[f])
            missing[i] = by_x * (x[i] - x[i - 1] + columns.site[k, f] / junction.kT[k]) - eps[f] * state.E[k, f]
            matrix[i] = charge * (cells >= f) - charge * elastance / slope
            matrix[i, i] += by_x
            matrix[i, i - 1] -= by_x
        at_left = first == 0 and passes(junction.left_wall[k])
        if at_left or (end == x.size and passes(junction.right_wall[k])):
            missing[first], by_D = level_beyond(junction, state, k, x, at_left)
            matrix[first] = by_D * charge * (at_left - elastance / slope)  # as in `newton_step`
            matrix[first, 0 if at_left else -1] += 1.0
        else:
            matrix[first, first:end] = ions[first:end] / total
            missing[first] = (width * c[cells])[first:end].sum() / total - 1.0
    return -np.linalg.solve(matrix, missing)


def level_beyond(junction: Junction, state: State, k: int, x: np.ndarray, at_left: bool) -> tuple[float, float]:
    """x of the cell beside an electrode that exchanges ions, the left or the right one, less its value in balance with it.

    And the derivative of that value by D at this electrode [m2/C]: at rest ln[c/(c_max - c)] at the wall is
    -[formation - z edge]/kT, and over half a cell it changes with the field and the site energy.
    """
    columns, z, kT = junction.columns, junction.ions[k].z, junction.kT[k]
    if at_left:
        wall, i, f, sign, shift = junction.left_wall[k], 0, 0, 1.0, columns.left_edge[k]
        edge, slope, _ = electrostatics.edge(junction.left[k], state.D_left[k])
    else:
        wall, i, f, sign, shift = junction.right_wall[k], -1, -1, -1.0, -columns.offset[k]
        edge, slope, _ = electrostatics.edge(junction.right[k], -state.D_right[k])
    h, at_wall = columns.distance[k, f], -(wall.formation - z * (edge + shift)) / kT - 0.5 * wall.log_oxygen
    beside = at_wall + sign * (z * state.E[k, f] * h - columns.site[k, f]) / kT
    return float(x[i] - beside), float(sign * z / kT * (slope + h / state.eps[k, f]))


def bordered(bands: np.ndarray, ends: np.ndarray, inside: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Solve for x (N,): rows 1..N-2 of a tridiagonal matrix, and two full rows.

    bands : (3, N-2) factors of x_i+1, x_i and x_i-1   ends : (2, N)   inside : (N-2,), rest : (2,) right-hand sides
    """
    from scipy.linalg import solve_banded

    n = inside.size
    columns = np.zeros((n, 3))
    columns[:, 0], columns[0, 1], columns[-1, 2] = inside, bands[2, 0], bands[0, -1]
    shifted = np.array([np.roll(bands[0], 1), bands[1], np.roll(bands[2], -1)])
    solved = solve_banded((1, 1), shifted, columns)
    small = ends[:, [0, -1]] - ends[:, 1:-1] @ solved[:, 1:]
    left, right = np.linalg.solve(small, rest - ends[:, 1:-1] @ solved[:, 0])
    return np.concatenate(([left], solved[:, 0] - left * solved[:, 1] - right * solved[:, 2], [right]))
