"""One time step of ions alone, on the differential-algebraic system of all columns.

    dS_f/dt = J_f(c, E)                      one row per face of a column that vacancies may pass: `ion_fluxes`
    dq/dt   = F(q, S, Q, V_j)                one per column whose film is polarised: see `mechanisms`
    0       = closure(S, q, Q, V_j)          one per column
    dQ_s/dt = (V(t) - V_j)/R_s - I(S, q, Q, V_j)    one for the junction, Q_s of all columns; V(t) = V_j without R_s

S_f counts the vacancies that passed face f, and Q is the charge of the terminals, D(L) where the right electrode blocks
(`exchange`). Every stage is one tridiagonal solve per column. Within a step ln I is linear in the state, along the tangent
of `columns`. With p = T^-1 r and z = T^-1 dJ/dQ, a stage is x = dS, y = dQ, at a change v of V_j and P' w of P

    x = p + z (y - P' w)        y = (v - mismatch - closure_S . p)/bordered + share P' w

with share = 1 - electrodes/bordered, by the elastance of the two electrodes. The border asks for the voltage across the
film, which is that of V_j but for what the electrodes take, for ln G along x and y, and for the charge y.
"""

import math

from otjdd.compiler.decorators import spliced
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.exchange import open_faces
from otjdd.mechanisms.polarisation import (
    electrode_elastance,
    fill_rates,
    put_polarisations,
)
from otjdd.physics.ion_fluxes import IonRows, factor_ion_rows, flux_slopes_of, fluxes_of
from otjdd.physics.junction import FluxSlopes, Junction, closure, move_fields
from otjdd.physics.numerics import add_scaled, add_up, dot, solve_tridiagonal
from otjdd.physics.state import CHARGE, LOG_G, VOLTAGE, State, Tangent
from otjdd.stepping.rosenbrock import System, Trial, count_passed, displaced, step_of


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
    return True


@spliced
def fill_answers_of_ions(junction: Junction, state: State, tangent: Tangent, trial: Trial):
    """Fill what the border of all columns answers to V_j and to P."""
    work, border, (a, b) = trial.work, trial.work.border, open_faces(junction, state.c.shape[1])
    for k in range(state.c.shape[0]):
        border.by_V[k, CHARGE], by_ions = 1.0 / work.bordered[k], 0.0
        if border.asked[LOG_G]:
            by_ions = dot(tangent.by_S[k, a:b], work.response[k, a:b])
            work.along[k] = tangent.by_D[k] + by_ions
            border.by_V[k, LOG_G] = tangent.by_V[k] + work.along[k] / work.bordered[k]
        if border.asked[VOLTAGE]:
            electrodes = electrode_elastance(junction, state, k)
            share = 1.0 - electrodes / work.bordered[k]
            border.by_V[k, VOLTAGE], border.by_P[k, VOLTAGE] = share, -electrodes * share
            border.by_P[k, LOG_G] = work.along[k] * share + tangent.by_P[k] - by_ions
            border.by_P[k, CHARGE] = share


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
def solve_ions(junction: Junction, state: State, tangent: Tangent, trial: Trial, stage: int):
    """Solve a stage at constant V_j and P: work.US of it holds right-hand sides, then p; work.UD y, as the border does."""
    work, border, (a, b) = trial.work, trial.work.border, open_faces(junction, state.c.shape[1])
    for k in range(state.c.shape[0]):
        inner = work.US[stage, k, a:b]
        solve_tridiagonal(work.lower[k, a:b], work.inverse[k, a:b], work.upper[k, a:b], inner, b - a)
        passed = dot(work.closure[k, a:b], inner)
        y = -(work.mismatch[k] + passed) / work.bordered[k]
        work.UD[stage, k], border.own[k, CHARGE] = y, y
        if border.asked[LOG_G]:
            border.own[k, LOG_G] = dot(tangent.by_S[k, a:b], inner) + work.along[k] * y
        if border.asked[VOLTAGE]:
            share = border.by_P[k, CHARGE]
            border.own[k, VOLTAGE] = (1.0 - share) * passed - share * work.mismatch[k]


@spliced
def fill_ions(junction: Junction, state: State, trial: Trial, stage: int, dV: float):
    """Turn p of a stage into dS, and work.UD into its dQ."""
    work, y, (a, b) = trial.work, trial.work.UD[stage], open_faces(junction, state.c.shape[1])
    for k in range(state.c.shape[0]):
        y[k] += dV / work.bordered[k]
        push = y[k]
        if work.border.asked[VOLTAGE]:
            dP = work.polar.slope[k] * work.polar.answer[k]
            y[k] += work.border.by_P[k, CHARGE] * dP
            push = y[k] - dP
        add_scaled(push, work.response[k, a:b], work.US[stage, k, a:b])


@spliced
def finish_ions(junction: Junction, state: State, trial: Trial):
    """D(L) at the end of the step, a prediction."""
    work, last, end = trial.work, trial.work.UV.size - 1, state.c.shape[1]
    for k in range(state.c.shape[0]):
        passed = junction.ions[k].z * ELEMENTARY_CHARGE * work.dS[k, end]
        trial.state.D_right[k] = state.D_right[k] + work.dD[k] + work.UD[last, k] - passed


ion_step = step_of(
    System(
        factor_ions, fill_answers_of_ions, evaluate_ions, conducted_along_ions, solve_ions, fill_ions, finish_ions
    ), "ion_step",
)  # fmt: skip
