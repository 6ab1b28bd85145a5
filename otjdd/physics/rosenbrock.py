"""One time step of the ions: Rosenbrock method RODAS on the differential-algebraic system of all columns.

    dS_f/dt = J_f(c, E)                      one row per inner face of a column
    0       = closure(S, D(L), V_j)          one per column
    0       = V(t) - V_j - R_s I(S, D(L), V_j)   one for the junction

RODAS (Hairer & Wanner, Solving Ordinary Differential Equations II, 2nd ed., section VI.4) is of order 4 with an embedded
order 3, L-stable, stiffly accurate, and made for such systems of index 1. Every stage is one tridiagonal solve per column
with a border of one row for D(L). The borders of all columns meet in one scalar, V_j. Within a step ln I is linear in the
state, along the tangent of `conduction`.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.circuit import drop
from otjdd.physics.electron_jacobian import ElectronWork, new_electron_work
from otjdd.physics.jit import detached, fused, spliced
from otjdd.physics.jit_held import held
from otjdd.physics.junction import (
    Columns,
    FluxSlopes,
    Junction,
    closure,
    closure_slope,
    flux_slopes,
    fluxes,
    move_fields,
)
from otjdd.physics.numerics import add_scaled, add_up, copy, dot, factor_tridiagonal, solve_tridiagonal
from otjdd.physics.state import State, Tangent, new_state

# RODAS, in the transformed variables of Hairer & Wanner (IV.7.25)
GAMMA = 0.25
ALPHA = np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0])
GAMMA_SUM = np.array([0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0])
A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [1.544, 0.0, 0.0, 0.0, 0.0],
        [0.9466785280815826, 0.2557011698983284, 0.0, 0.0, 0.0],
        [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0],
    ]
)
C = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [-5.6688, 0.0, 0.0, 0.0, 0.0],
        [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
        [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0.0],
        [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
    ]
)
STAGES = 6


@held
class Work(NamedTuple):
    """Work space of a step: Jacobian, stages, and arrays of one stage."""

    lower: np.ndarray  # (K, N+1) faces; 1..N-1 used, here and below
    inverse: np.ndarray
    upper: np.ndarray
    response: np.ndarray  # (K, N+1) T^-1 dJ/dD(L)
    closure: np.ndarray  # (K, N+1) d closure/dS
    bordered: np.ndarray  # (K,) d closure/dD(L), the response of S included
    J: np.ndarray  # (K, N+1) fluxes 1/(m2 s)
    US: np.ndarray  # (STAGES, K, N+1) stages of S, D(L) and V_j
    UD: np.ndarray  # (STAGES, K)
    UV: np.ndarray  # (STAGES,)
    dS: np.ndarray  # (K, N+1) change of S, D(L) since the start of the step
    dD: np.ndarray  # (K,)
    mismatch: np.ndarray  # (K,) of the closure
    factors: np.ndarray  # (6, N+1) of `ions.field_factors`
    error: np.ndarray  # (K, N) error estimate of c [1/m3]


@held
class Trial(NamedTuple):
    """A step on trial: its work space, and the state that it leads to."""

    work: Work
    state: State
    film: ElectronWork


class Ramp(NamedTuple):
    """Source voltage during a step, a straight line in time."""

    voltage: float  # V, at the start
    slope: float  # V/s


def new_trial(K: int, N: int, electrons: bool = False) -> Trial:
    """Room for a step of K columns of N cells, their film with or without electrons."""
    return Trial(new_work(K, N), new_state(K, N, electrons), new_electron_work(STAGES, K, N, electrons))


def new_work(K: int, N: int) -> Work:
    """Work space for K columns of N cells."""
    face = (K, N + 1)
    return Work(
        np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(K),
        np.zeros(face), np.zeros((STAGES, K, N + 1)), np.zeros((STAGES, K)), np.zeros(STAGES),
        np.zeros(face), np.zeros(K), np.zeros(K), np.zeros((6, N + 1)),
        np.zeros((K, N)),
    )  # fmt: skip


@spliced
def factor(junction: Junction, state: State, work: Work, dt: float) -> bool:
    """Fill work with the Jacobian at the state, factored for the step dt [s], fluxes and closure. Returns success."""
    columns = junction.columns
    charge = junction.ions.z * ELEMENTARY_CHARGE
    K, N = state.c.shape
    n, per_dt = N - 1, 1.0 / (dt * GAMMA)
    for k in range(K):
        E, eps = state.E[k], state.eps[k]
        lower, diagonal, upper, response = work.lower[k], work.inverse[k], work.upper[k], work.response[k]
        slopes = FluxSlopes(lower, upper, response)
        flux_slopes(junction, k, state.c[k], E, work.factors, work.J[k], slopes)
        dilution, distance, by_S = columns.dilution[k], columns.distance[k], work.closure[k]
        for f in range(1, N):
            per_eps = 1.0 / eps[f]
            response[f] *= per_eps
            by_S[f] = -charge * distance[f] * per_eps
        for f in range(1, N):
            before, behind = dilution[f - 1] * lower[f], dilution[f] * upper[f]
            lower[f], upper[f] = -before, behind
            diagonal[f] = per_dt + before - behind + response[f] * charge
        if not factor_tridiagonal(lower[1:N], diagonal[1:N], upper[1:N], n):
            return False
        solve_tridiagonal(lower[1:N], diagonal[1:N], upper[1:N], response[1:N], n)
        slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], eps)
        work.bordered[k] = slope + dot(by_S[1:N], response[1:N])
        work.mismatch[k] = closure(junction, k, state.D_left[k], state.D_right[k], state.V[0], E)
    return True


@spliced
def solve_borders(
    junction: Junction, state: State, work: Work, tangent: Tangent, with_current: bool, x: np.ndarray, y: np.ndarray,
    r_circuit: float,
):  # fmt: skip
    """Solve the bordered system: x (K, N+1) holds right-hand sides, then dS; y (K,) dD(L). Returns dV_j.

    With p = T^-1 r and z = T^-1 dJ/dD: x = p + z y,  y = (v - mismatch - closure_S . p)/bordered, and the circuit row
    V - V_j - drop(sum V_j G) gives v.
    """
    K, N = state.c.shape
    drop_slope = 0.0
    if with_current:
        drop_slope = drop(junction, state.V[0] * add_up(state.G))[1]
    by_V, rest = 1.0, r_circuit
    for k in range(K):
        inner = x[k, 1:N]
        solve_tridiagonal(work.lower[k, 1:N], work.inverse[k, 1:N], work.upper[k, 1:N], inner, N - 1)
        y[k] = -(work.mismatch[k] + dot(work.closure[k, 1:N], inner)) / work.bordered[k]
        if with_current:
            along = tangent.by_D[k] + dot(tangent.by_S[k, 1:N], work.response[k, 1:N])
            direct = dot(tangent.by_S[k, 1:N], inner)
            current = drop_slope * state.V[0] * state.G[k]
            by_V += drop_slope * state.G[k] + current * (tangent.by_V[k] + along / work.bordered[k])
            rest -= current * (direct + along * y[k])
    v = rest / by_V
    for k in range(K):
        y[k] += v / work.bordered[k]
        add_scaled(y[k], work.response[k, 1:N], x[k, 1:N])
    return v


@spliced
def modelled_drop(
    junction: Junction, state: State, tangent: Tangent, with_current: bool, dS: np.ndarray, dD: np.ndarray, dV: float
) -> float:
    """Voltage lost in the circuit [V] at dS, dD and dV from the start of the step, ln G along its tangent."""
    if not with_current:
        return drop(junction, state.V[0] * add_up(state.G))[0]
    total = 0.0
    for k in range(state.c.shape[0]):
        change = tangent.by_V[k] * dV + tangent.by_D[k] * dD[k]
        change += dot(tangent.by_S[k], dS[k])
        total += state.G[k] * math.exp(max(-50.0, min(50.0, change)))
    return drop(junction, (state.V[0] + dV) * total)[0]


@fused
def displaced(columns: Columns, k: int, c: np.ndarray, dS: np.ndarray, out: np.ndarray):
    """Concentrations out (N,) after the vacancies dS (N+1,) [1/m2] have passed the faces of column k."""
    dilution = columns.dilution[k]
    for i in range(c.size):
        out[i] = c[i] + (dS[i] - dS[i + 1]) * dilution[i]


@spliced
def evaluate(junction: Junction, state: State, trial: Trial, dV: float):
    """Fluxes and mismatch of the closure at the stage that work.dS, work.dD and dV lead to; the trial holds its fields."""
    work, new = trial.work, trial.state
    for k in range(state.c.shape[0]):
        displaced(junction.columns, k, state.c[k], work.dS[k], new.c[k])
        D_right = state.D_right[k] + work.dD[k]
        D_left = move_fields(junction, state, new, k, work.dS[k], work.dD[k])
        fluxes(junction, k, new.c[k], new.E[k], work.factors, work.J[k])
        work.mismatch[k] = closure(junction, k, D_left, D_right, state.V[0] + dV, new.E[k])


@detached
def rosenbrock_step(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, source: Ramp, dt: float, with_current: bool
) -> bool:
    """One RODAS step of dt [s] from a state to trial.state (c, D(L), V_j); trial.work.error is its error estimate of c.

    with_current : the current acts on V_j, along its tangent; else the voltage lost stays that of the start.
    Returns success.
    """
    work, new = trial.work, trial.state
    if not factor(junction, state, work, dt):
        return False
    dS, dD, dV = work.dS, work.dD, 0.0
    K, n1 = dS.shape
    for k in range(K):
        copy(state.guess[k, 0], new.guess[k, 0])
        copy(state.guess[k, 1], new.guess[k, 1])
    for i in range(STAGES):
        x = work.US[i]
        dS[:] = 0.0
        dD[:] = 0.0
        dV = 0.0
        for j in range(i):
            for k in range(K):
                add_scaled(A[i, j], work.US[j, k], dS[k])
                dD[k] += A[i, j] * work.UD[j, k]
            dV += A[i, j] * work.UV[j]
        if i > 0:
            evaluate(junction, state, trial, dV)
        for k in range(K):
            copy(work.J[k], x[k])
            for j in range(i):
                add_scaled(C[i, j] / dt, work.US[j, k], x[k])
        r_circuit = source.voltage + source.slope * ALPHA[i] * dt - state.V[0] - dV
        r_circuit += GAMMA_SUM[i] * dt * source.slope - modelled_drop(
            junction, state, tangent, with_current, dS, dD, dV
        )
        if not abs(r_circuit) < math.inf:
            return False
        work.UV[i] = solve_borders(junction, state, work, tangent, with_current, x, work.UD[i], r_circuit)
    last = work.US[STAGES - 1]
    for k in range(K):
        add_scaled(1.0, last[k], dS[k])
        new.D_right[k] = state.D_right[k] + dD[k] + work.UD[STAGES - 1, k]
        displaced(junction.columns, k, state.c[k], dS[k], new.c[k])
        for i in range(n1 - 1):
            work.error[k, i] = (last[k, i] - last[k, i + 1]) * junction.columns.dilution[k, i]
    new.V[0] = state.V[0] + dV + work.UV[STAGES - 1]
    return True
