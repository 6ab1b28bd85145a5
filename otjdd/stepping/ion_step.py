"""One time step of ions alone, on the differential-algebraic system of all columns.

    dS_f/dt = J_f(c, E)                      one row per face of a column that vacancies may pass: `ion_fluxes`
    dq/dt   = F(q, S, Q, V_j)                one per column whose film is polarised: see `mechanisms`
    0       = closure(S, q, Q, V_j)          one per column
    dQ_s/dt = (V(t) - V_j)/R_s - I(S, q, Q, V_j)    one for the junction, Q_s of all columns; V(t) = V_j without R_s

S_f counts the vacancies that passed face f, and Q is the charge of the terminals, D(L) where the right electrode blocks
(`exchange`). Every stage is one tridiagonal solve per column with a border of one row for Q. The borders of all columns
meet in one scalar, V_j. Within a step ln I is linear in the state, along the tangent of `columns`.
"""

import math

from otjdd.compiler.decorators import spliced
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.exchange import open_faces
from otjdd.mechanisms.polarisation import (
    answer_of_polarisation,
    fill_polarisation_work,
    fill_rates,
    put_polarisations,
)
from otjdd.physics.ion_fluxes import IonRows, factor_ion_rows, flux_slopes_of, fluxes_of
from otjdd.physics.junction import FluxSlopes, Junction, closure, move_fields, polarised
from otjdd.physics.numerics import add_scaled, add_up, dot, solve_tridiagonal
from otjdd.physics.quasistatic import coupled
from otjdd.physics.state import State, Tangent
from otjdd.stepping.rosenbrock import (
    CAPACITANCE,
    IN_SERIES,
    PER_CHARGE,
    System,
    Trial,
    count_passed,
    displaced,
    step_of,
)


@spliced
def factor_ions(junction: Junction, state: State, trial: Trial, per_dt: float) -> bool:
    """Fill the work with the Jacobian at the state, factored for per_dt [1/s], fluxes and closure. Returns success."""
    work = trial.work
    for k in range(state.c.shape[0]):
        rows = IonRows(work.lower[k], work.inverse[k], work.upper[k], work.response[k], work.closure[k])
        slopes = FluxSlopes(rows.lower, rows.upper, rows.response)
        flux_slopes_of(junction, state, k, work.factors, work.J[k], slopes)
        good, work.bordered[k] = factor_ion_rows(junction, state, k, slopes, per_dt, rows)
        if not good:
            return False
        work.mismatch[k] = closure(junction, k, state.D_left[k], state.D_right[k], state.V[0], state.E[k])
    fill_polarisation_work(junction, state, work.polar, per_dt, work.bordered)
    return True


@spliced
def evaluate_ions(junction: Junction, state: State, trial: Trial, stage: int, dV: float):
    """Fluxes and mismatch of the closure at the stage that work.dS, work.dD and dV lead to; the trial holds its fields.

    Those of the first stage are known from `factor_ions`.
    """
    if stage == 0:
        return
    work, new = trial.work, trial.state
    put_polarisations(junction, state, new, work.polar)
    for k in range(state.c.shape[0]):
        displaced(junction.columns, k, state.c[k], work.dS[k], new.c[k])
        D_right = state.D_right[k] + work.dD[k] - count_passed(junction, state, k, work.dS[k], new)
        D_left = move_fields(junction, state, new, k, work.dS[k], work.dD[k])
        fluxes_of(junction, new, k, work.factors, work.J[k])
        work.mismatch[k] = closure(junction, k, D_left, D_right, state.V[0] + dV, new.E[k])
    fill_rates(junction, state, new, work.polar)


@spliced
def conducted_along_ions(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, with_current: bool, dV: float
):
    """Current [A] at the stage that the trial was put to, ln G along its tangent."""
    if not with_current:
        return state.V[0] * add_up(state.G)
    total, (dS, dD, P) = 0.0, (trial.work.dS, trial.work.dD, trial.state.P)
    for k in range(state.c.shape[0]):
        change = tangent.by_V[k] * dV + tangent.by_D[k] * dD[k]
        change += dot(tangent.by_S[k], dS[k]) + tangent.by_P[k] * (P[k] - state.P[k])
        total += state.G[k] * math.exp(max(-50.0, min(50.0, change)))
    return (state.V[0] + dV) * total


@spliced
def solve_borders(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, with_current: bool, stage: int, rest: float
) -> float:
    """Solve the bordered system: work.US of the stage holds right-hand sides, then dS; work.UD its dQ. Returns dV_j.

    With p = T^-1 r and z = T^-1 dJ/dQ: x = p + z y,  y = (v - mismatch - closure_S . p)/bordered, and the circuit row
    V - V_j - drop(sum V_j G + dQ_s/dt) gives v. With a polarisation, whose right-hand sides work.polar.answer holds: as
    there.
    """
    work, (K, N) = trial.work, state.c.shape
    x, y = work.US[stage], work.UD[stage]
    (a, b), polar, drop_slope = open_faces(junction, N), work.polar, work.source[IN_SERIES]
    charging = coupled(junction)
    charge_by_V, came = junction.capacitance, 0.0
    by_V = 1.0
    for k in range(K):
        inner = x[k, a:b]
        solve_tridiagonal(work.lower[k, a:b], work.inverse[k, a:b], work.upper[k, a:b], inner, b - a)
        passed = dot(work.closure[k, a:b], inner)
        y[k] = -(work.mismatch[k] + passed) / work.bordered[k]
        if polarised(junction):
            answer = answer_of_polarisation(polar, k, work.mismatch[k], passed)
            polar.answer[k], polar.per_V[k] = answer.at_V, answer.per_V
            y[k] += polar.share[k] * polar.slope[k] * answer.at_V
        if charging:
            area = junction.area * junction.columns.weight[k]
            came += area * y[k]
            charge_by_V += area / work.bordered[k]
            if polarised(junction):
                charge_by_V += area * polar.share[k] * polar.slope[k] * polar.per_V[k]
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
    if charging:
        by_V += work.source[PER_CHARGE] * charge_by_V
        rest -= work.source[PER_CHARGE] * came
        work.source[CAPACITANCE] = charge_by_V
    v = rest / by_V
    work.UQ[stage] = came + charge_by_V * v
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
def finish_ions(junction: Junction, state: State, trial: Trial):
    """D(L) at the end of the step, a prediction."""
    work, last, end = trial.work, trial.work.UV.size - 1, state.c.shape[1]
    for k in range(state.c.shape[0]):
        passed = junction.ions[k].z * ELEMENTARY_CHARGE * work.dS[k, end]
        trial.state.D_right[k] = state.D_right[k] + work.dD[k] + work.UD[last, k] - passed


ion_step = step_of(System(factor_ions, evaluate_ions, conducted_along_ions, solve_borders, finish_ions), "ion_step")
