"""One time step of the ions: a Rosenbrock method on the differential-algebraic system of all columns.

    dS_f/dt = J_f(c, E)                      one row per face of a column that vacancies may pass: `ion_rows`
    dq/dt   = F(q, S, Q, V_j)                one per column whose film is polarised: `polarisation_step`
    0       = closure(S, q, Q, V_j)          one per column
    0       = V(t) - V_j - R_s I(S, q, Q, V_j)      one for the junction

The methods are those of `rosenbrock_methods`. S_f counts the vacancies that passed face f, and Q is the charge of the
terminals, D(L) where the right electrode blocks (`boundary`). Every stage is one tridiagonal solve per column with a border
of one row for Q. The borders of all columns meet in one scalar, V_j. Within a step ln I is linear in the state, along the
tangent of `conduction`.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import detached, fused, inlined, spliced
from otjdd.compiler.held_tuples import held
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.bound_electrons import flux_slopes_of, fluxes_of
from otjdd.physics.boundary import open_faces
from otjdd.physics.circuit import drop
from otjdd.physics.ion_rows import IonRows, fill_ion_rows
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import (
    Columns,
    FluxSlopes,
    Junction,
    closure,
    closure_slope,
    move_fields,
    polarised,
)
from otjdd.physics.numerics import add_scaled, add_up, copy, dot, factor_tridiagonal, solve_tridiagonal
from otjdd.physics.polarisation import ADVANCE, TOWARDS
from otjdd.physics.state import AT_LEFT, AT_RIGHT, GUESS, State, Tangent, new_state
from otjdd.stepping.drawn_hops import Noise, no_noise
from otjdd.stepping.electron_jacobian import ElectronWork, new_electron_work
from otjdd.stepping.polarisation_step import (
    PolarisationWork,
    answer_of_polarisation,
    end_polarisation,
    fill_polarisation_work,
    fill_rate,
    fill_right_hand_side,
    move_polarisation,
    new_polarisation_work,
    polarisation_after,
)
from otjdd.stepping.rosenbrock_methods import RODAS, Method


@held
class Work(NamedTuple):
    """Work space of a step: Jacobian, stages, and arrays of one stage."""

    lower: np.ndarray  # (K, N+1) faces; those that vacancies may pass are used, here and below
    inverse: np.ndarray
    upper: np.ndarray
    response: np.ndarray  # (K, N+1) T^-1 dJ/dQ
    closure: np.ndarray  # (K, N+1) d closure/dS
    bordered: np.ndarray  # (K,) d closure/dQ, the response of S included
    J: np.ndarray  # (K, N+1) fluxes 1/(m2 s)
    US: np.ndarray  # (s, K, N+1) stages of S, Q and V_j
    UD: np.ndarray  # (s, K)
    UV: np.ndarray  # (s,)
    dS: np.ndarray  # (K, N+1) change of S and Q since the start of the step
    dD: np.ndarray  # (K,)
    mismatch: np.ndarray  # (K,) of the closure
    factors: np.ndarray  # of `ions.field_factors`
    error: np.ndarray  # (K, N) error estimate of c [1/m3]
    polar: PolarisationWork


@held
class Trial(NamedTuple):
    """A step on trial: its method, its work space, the state that it leads to, and the noise that it adds."""

    method: Method
    work: Work
    state: State
    film: ElectronWork
    noise: Noise


class Ramp(NamedTuple):
    """Source voltage during a step, a straight line in time."""

    voltage: float  # V, at the start
    slope: float  # V/s


def new_trial(
    K: int, N: int, electrons: bool = False, method: Method = RODAS, heat: bool = False, polarised: bool = False,
    noise: Noise | None = None, interfaces: int = 0,
) -> Trial:  # fmt: skip
    """Room for a step of a method for K columns of N cells, with or without electrons, heat, polarisation and noise.

    interfaces : number of those between layers
    """
    stages = method.alpha.size
    work, film = new_work(stages, K, N, polarised), new_electron_work(stages, K, N, electrons, polarised)
    noise = no_noise() if noise is None else noise
    return Trial(method, work, new_state(K, N, electrons, heat, polarised, interfaces), film, noise)


def new_work(stages: int, K: int, N: int, polarised: bool = False) -> Work:
    """Work space of a method for K columns of N cells, polarised or not."""
    face = (K, N + 1)
    return Work(
        np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(K),
        np.zeros(face), np.zeros((stages, K, N + 1)), np.zeros((stages, K)), np.zeros(stages),
        np.zeros(face), np.zeros(K), np.zeros(K), new_factors(N),
        np.zeros((K, N)), new_polarisation_work(stages, K, polarised),
    )  # fmt: skip


@spliced
def factor(junction: Junction, state: State, work: Work, gamma_dt: float) -> bool:
    """Fill work with the Jacobian at the state, factored for gamma times the step [s], fluxes and closure.

    Returns success.
    """
    K, N = state.c.shape
    (a, b), per_dt = open_faces(junction, N), 1.0 / gamma_dt
    for k in range(K):
        rows = IonRows(work.lower[k], work.inverse[k], work.upper[k], work.response[k], work.closure[k])
        slopes = FluxSlopes(rows.lower, rows.upper, rows.response)
        flux_slopes_of(junction, state, k, work.factors, work.J[k], slopes)
        fill_ion_rows(junction, state, k, slopes, per_dt, rows)
        lower, diagonal, upper, response = rows.lower[a:b], rows.diagonal[a:b], rows.upper[a:b], rows.response[a:b]
        if not factor_tridiagonal(lower, diagonal, upper, b - a):
            return False
        solve_tridiagonal(lower, diagonal, upper, response, b - a)
        slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
        work.bordered[k] = slope + dot(rows.closure[a:b], response)
        work.mismatch[k] = closure(junction, k, state.D_left[k], state.D_right[k], state.V[0], state.E[k])
        if polarised(junction):
            fill_polarisation_work(junction, state, k, work.polar, per_dt, work.bordered[k])
    return True


@spliced
def solve_borders(
    junction: Junction, state: State, work: Work, tangent: Tangent, with_current: bool, x: np.ndarray, y: np.ndarray,
    r_circuit: float,
):  # fmt: skip
    """Solve the bordered system: x (K, N+1) holds right-hand sides, then dS; y (K,) dQ. Returns dV_j.

    With p = T^-1 r and z = T^-1 dJ/dQ: x = p + z y,  y = (v - mismatch - closure_S . p)/bordered, and the circuit row
    V - V_j - drop(sum V_j G) gives v. With a polarisation, whose right-hand sides work.polar.answer holds: as there.
    """
    K, N = state.c.shape
    (a, b), polar, drop_slope = open_faces(junction, N), work.polar, 0.0
    if with_current:
        drop_slope = drop(junction, state.V[0] * add_up(state.G))[1]
    by_V, rest = 1.0, r_circuit
    for k in range(K):
        inner = x[k, a:b]
        solve_tridiagonal(work.lower[k, a:b], work.inverse[k, a:b], work.upper[k, a:b], inner, b - a)
        passed = dot(work.closure[k, a:b], inner)
        y[k] = -(work.mismatch[k] + passed) / work.bordered[k]
        if polarised(junction):
            answer = answer_of_polarisation(polar, k, work.mismatch[k], passed)
            polar.answer[k], polar.per_V[k] = answer.at_V, answer.per_V
            y[k] += polar.share[k] * polar.slope[k] * answer.at_V
        if with_current:
            by_ions = dot(tangent.by_S[k, a:b], work.response[k, a:b])
            along = tangent.by_D[k] + by_ions
            direct = dot(tangent.by_S[k, a:b], inner)
            current = drop_slope * state.V[0] * state.G[k]
            by_V += drop_slope * state.G[k] + current * (tangent.by_V[k] + along / work.bordered[k])
            rest -= current * (direct + along * y[k])
            if polarised(junction):
                own = (tangent.by_P[k] - by_ions) * polar.slope[k]
                by_V += current * (along * polar.share[k] * polar.slope[k] + own) * polar.per_V[k]
                rest -= current * own * polar.answer[k]
    v = rest / by_V
    for k in range(K):
        y[k] += v / work.bordered[k]
        push = y[k]
        if polarised(junction):
            polar.answer[k] += polar.per_V[k] * v
            y[k] += polar.share[k] * polar.slope[k] * polar.per_V[k] * v
            push = y[k] - polar.slope[k] * polar.answer[k]
        add_scaled(push, work.response[k, a:b], x[k, a:b])
    return v


@spliced
def modelled_drop(
    junction: Junction, state: State, tangent: Tangent, with_current: bool, dS: np.ndarray, dD: np.ndarray, dV: float,
    P: np.ndarray,
) -> float:  # fmt: skip
    """Voltage lost in the circuit [V] at dS, dD, dV from the start of the step and at P, ln G along its tangent."""
    if not with_current:
        return drop(junction, state.V[0] * add_up(state.G))[0]
    total = 0.0
    for k in range(state.c.shape[0]):
        change = tangent.by_V[k] * dV + tangent.by_D[k] * dD[k]
        change += dot(tangent.by_S[k], dS[k]) + tangent.by_P[k] * (P[k] - state.P[k])
        total += state.G[k] * math.exp(max(-50.0, min(50.0, change)))
    return drop(junction, (state.V[0] + dV) * total)[0]


@inlined
def count_passed(junction: Junction, state: State, k: int, dS: np.ndarray, new: State) -> float:
    """Count in a new state what passed the ends of column k since a state; return its charge at the right end [C/m2]."""
    last = dS.size - 1
    new.passed[k, AT_LEFT], new.passed[k, AT_RIGHT] = (
        state.passed[k, AT_LEFT] + dS[0],
        state.passed[k, AT_RIGHT] + dS[last],
    )
    return junction.ions[k].z * ELEMENTARY_CHARGE * dS[last]


@fused
def displaced(columns: Columns, k: int, c: np.ndarray, dS: np.ndarray, out: np.ndarray):
    """Concentrations out (N,) after the vacancies dS (N+1,) [1/m2] have passed the faces of column k."""
    dilution = columns.dilution[k]
    for i in range(c.size):
        out[i] = c[i] + (dS[i] - dS[i + 1]) * dilution[i]


@spliced
def evaluate_stage(junction: Junction, state: State, trial: Trial, dV: float):
    """Fluxes and mismatch of the closure at the stage that work.dS, work.dD and dV lead to; the trial holds its fields."""
    work, new = trial.work, trial.state
    for k in range(state.c.shape[0]):
        displaced(junction.columns, k, state.c[k], work.dS[k], new.c[k])
        D_right = state.D_right[k] + work.dD[k] - count_passed(junction, state, k, work.dS[k], new)
        if polarised(junction):
            new.P[k] = polarisation_after(junction, state, k, work.polar.advance[k])
        D_left = move_fields(junction, state, new, k, work.dS[k], work.dD[k])
        fluxes_of(junction, new, k, work.factors, work.J[k])
        work.mismatch[k] = closure(junction, k, D_left, D_right, state.V[0] + dV, new.E[k])
        if polarised(junction):
            q = state.progress[ADVANCE, k] + work.polar.advance[k]
            fill_rate(junction, new, k, q, work.polar)


@fused
def add_stages(factors: np.ndarray, scale: float, stages: np.ndarray, k: int, count: int, out: np.ndarray):
    """out (N+1,) += scale * sum of factors[j] times the first stages j < count (s, K, N+1) of column k, two at a time."""
    for j in range(0, count - 1, 2):
        a, b, x, y = scale * factors[j], scale * factors[j + 1], stages[j, k], stages[j + 1, k]
        for f in range(out.size):
            out[f] += a * x[f] + b * y[f]
    if count % 2 == 1:
        add_scaled(scale * factors[count - 1], stages[count - 1, k], out)


@detached
def move_to_stage(method: Method, work: Work, i: int, dV: float) -> float:
    """Move work.dS and work.dD from the stage before to stage i, and return its dV from that dV."""
    if i >= method.A.shape[0]:
        for k in range(work.dD.size):
            add_scaled(1.0, work.US[i - 1, k], work.dS[k])
            work.dD[k] += work.UD[i - 1, k]
        return dV + work.UV[i - 1]
    dV = 0.0
    for k in range(work.dD.size):
        work.dS[k, :] = 0.0
        work.dD[k] = 0.0
        add_stages(method.A[i], 1.0, work.US, k, i, work.dS[k])
        for j in range(i):
            work.dD[k] += method.A[i, j] * work.UD[j, k]
    for j in range(i):
        dV += method.A[i, j] * work.UV[j]
    return dV


@detached
def rosenbrock_step(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, source: Ramp, dt: float, with_current: bool
) -> bool:
    """One step of dt [s] from a state to trial.state (c, D(L), V_j); trial.work.error is its error estimate of c.

    with_current : the current acts on V_j, along its tangent; else the voltage lost stays that of the start.
    Returns success.
    """
    method, work, new = trial.method, trial.work, trial.state
    if not factor(junction, state, work, dt * method.gamma):
        return False
    polar = work.polar
    dS, dD, dV, stages = work.dS, work.dD, 0.0, method.alpha.size
    K, n1 = dS.shape
    for k in range(K):
        for row in range(GUESS):
            copy(state.guess[k, row], new.guess[k, row])
        new.P[k] = state.P[k]
    if polarised(junction):
        copy(state.progress[TOWARDS], new.progress[TOWARDS])
    for i in range(stages):
        x, dV = work.US[i], move_to_stage(method, work, i, dV)
        if i > 0:
            move_polarisation(polar, method.A, i)
            evaluate_stage(junction, state, trial, dV)
        fill_right_hand_side(polar, method.C[i], 1.0 / dt, i)
        for k in range(K):
            copy(work.J[k], x[k])
            add_stages(method.C[i], 1.0 / dt, work.US, k, i, x[k])
        r_circuit = source.voltage + source.slope * method.alpha[i] * dt - state.V[0] - dV
        r_circuit += method.gamma_sum[i] * dt * source.slope - modelled_drop(
            junction, state, tangent, with_current, dS, dD, dV, new.P
        )
        if not abs(r_circuit) < math.inf:
            return False
        work.UV[i] = solve_borders(junction, state, work, tangent, with_current, x, work.UD[i], r_circuit)
        copy(polar.answer, polar.stages[i])
    last = work.US[stages - 1]
    for k in range(K):
        add_scaled(1.0, last[k], dS[k])
        right = count_passed(junction, state, k, dS[k], new)
        new.D_right[k] = state.D_right[k] + dD[k] + work.UD[stages - 1, k] - right
        displaced(junction.columns, k, state.c[k], dS[k], new.c[k])
        for i in range(n1 - 1):
            work.error[k, i] = (last[k, i] - last[k, i + 1]) * junction.columns.dilution[k, i]
    new.V[0] = state.V[0] + dV + work.UV[stages - 1]
    if polarised(junction):
        end_polarisation(junction, state, new, polar)
    return True
