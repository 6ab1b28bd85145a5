"""One time step of the ions of a film without electrons or with them: a differential-algebraic system of all columns.

Of ions alone, by `ion_step`:

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

With electrons in the film, by `electron_step`, with more algebraic unknowns:

    dS_f/dt = J_f(c, E)                                     one row per face of a column that vacancies may pass
    0       = U_f - U_f-1 - d_f E(D_f)                      one per face
    0       = D_i+1 - D_i - e h_i (z c_i + f - n_i)         one per cell
    dQ/dt   = (V(t) - V_j)/R_s - I                          one for the junction; V(t) = V_j without R_s
    dq/dt   = F(q, E)                                       one per column whose film is polarised: see `mechanisms`

n_i depends on the band U_i and, through the weights of the contacts, on the band everywhere. The weights are computed from
the band at every stage; their derivative is in the Jacobian (`electrons.rows`). q moves the band at both ends by the
charge of the electrodes. What the border asks for follows from the changes of D at the faces, see `fill_numbers`.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, detached, spliced
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.rows import (
    BY_BAND,
    BY_FLUX,
    BY_PASSED,
    MISSING,
    PASSED,
    PULL,
    STIFFNESS,
    TILT,
    ElectronWork,
    answer_to_polarisation,
    charge_by_voltage,
    factor_column,
    fill_charge_slopes,
    linear_of,
    solve_column,
)
from otjdd.mechanisms.electrons.stack import (
    BAND,
    WEIGHT,
    column,
    displacement_changes,
    electrode_elastances,
    fill_bands,
    fill_electrons,
)
from otjdd.mechanisms.exchange import open_faces, passes
from otjdd.mechanisms.polarisation import (
    electrode_elastance,
    fill_rates,
    put_polarisations,
)
from otjdd.physics.charging import charge_between
from otjdd.physics.columns import bend_less, log_change
from otjdd.physics.ion_fluxes import IonRows, binds, factor_ion_rows, fill_pull, flux_slopes_of, fluxes_of
from otjdd.physics.junction import (
    FluxSlopes,
    Junction,
    band_of_fields,
    closure,
    coupled,
    displaced,
    faces,
    hold_electrons,
    move_fields,
)
from otjdd.physics.numerics import add_scaled, add_up, copy, dot, solve_tridiagonal
from otjdd.physics.state import CHARGE, LOG_G, VOLTAGE, State, Tangent
from otjdd.stepping.rosenbrock import (
    CAME,
    MORE,
    Ramp,
    System,
    Trial,
    add_stages,
    count_passed,
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
        change = dot(work.closure[k, a:b], inner)
        y = -(work.mismatch[k] + change) / work.bordered[k]
        work.UD[stage, k], border.own[k, CHARGE] = y, y
        if border.asked[LOG_G]:
            border.own[k, LOG_G] = dot(tangent.by_S[k, a:b], inner) + work.along[k] * y
        if border.asked[VOLTAGE]:
            share = border.by_P[k, CHARGE]
            border.own[k, VOLTAGE] = (1.0 - share) * change - share * work.mismatch[k]


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
        ions = junction.ions[k].z * ELEMENTARY_CHARGE * work.dS[k, end]
        trial.state.D_right[k] = state.D_right[k] + work.dD[k] + work.UD[last, k] - ions


ion_step = step_of(
    System(
        factor_ions, fill_answers_of_ions, evaluate_ions, conducted_along_ions, solve_ions, fill_ions, finish_ions
    ), "ion_step",
)  # fmt: skip


@detached
def factor_stacks(junction: Junction, state: State, trial: Trial, per_dt: float) -> bool:
    """Fill the trial with the factored Jacobian of every column at the state for per_dt [1/s], and fluxes."""
    work, good = trial.work, True
    for k in range(state.c.shape[0]):
        slopes = FluxSlopes(work.lower[k], work.upper[k], work.response[k])
        flux_slopes_of(junction, state, k, work.factors, work.J[k], slopes)
        if binds(junction):
            fill_pull(junction, state, k, work.factors, work.J[k], slopes, trial.film.lines[PULL, k])
        good = good and factor_column(junction, state, trial.film, k, slopes, per_dt)
    return good


@detached
def add_ends(junction: Junction, state: State, film: ElectronWork, k: int, dP: float, dD: np.ndarray):
    """Add to changes dD (N+1,) of D, by the unknowns, those at the end faces by a change dP [C/m2] alone."""
    (left, right), N = electrode_elastances(junction, k, column(state, k)), dD.size - 1
    dD[0] -= film.lines[STIFFNESS, k, 0] * left * dP
    dD[N] -= film.lines[STIFFNESS, k, N] * right * dP


@bare
def across(junction: Junction, state: State, k: int, dD: np.ndarray) -> float:
    """Change of the voltage across the film [V] by changes dD (N+1,) of D at the faces."""
    total = 0.0
    for f in range(dD.size):
        total += junction.columns.distance[k, f] / state.eps[k, f] * dD[f]
    return total


@detached
def move_stacks(state: State, trial: Trial, stage: int):
    """Move D and band of trial.state from the stage before to a stage."""
    method, film, new = trial.method, trial.film, trial.state
    for k in range(state.c.shape[0]):
        D, band = new.D[k], new.band[k, 1:-1]
        if stage >= method.A.shape[0]:
            add_scaled(1.0, film.D[stage - 1, k], D)
            add_scaled(1.0, film.U[stage - 1, k], band)
        else:
            copy(state.D[k], D)
            copy(state.band[k], new.band[k])
            add_stages(method.A[stage], 1.0, film.D, k, stage, D)
            add_stages(method.A[stage], 1.0, film.U, k, stage, band)


@detached
def evaluate_stacks(junction: Junction, state: State, trial: Trial, stage: int, dV: float):
    """Concentrations, bands, electrons and fluxes of every column at a stage that work.dS and dV lead to."""
    work, new = trial.work, trial.state
    move_stacks(state, trial, stage)
    put_polarisations(junction, state, new, work.polar)
    for k in range(state.c.shape[0]):
        displaced(junction.columns, k, state.c[k], work.dS[k], new.c[k])
        count_passed(junction, state, k, work.dS[k], new)
        fill_bands(junction, k, state.V[0] + dV, column(new, k), False)
        fluxes_of(junction, new, k, work.factors, work.J[k])
    if coupled(junction):
        work.source[MORE] = more_charge(junction, state, trial, dV)
    fill_rates(junction, state, new, work.polar)


@detached
def conducted_along(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, with_current: bool, dV: float
) -> float:
    """Current [A] at the stage that the trial was put to, ln G along its tangent."""
    total, dD = 0.0, trial.film.lines[MISSING]
    if not with_current:
        return state.V[0] * add_up(state.G)
    for k in range(state.c.shape[0]):
        for f in range(dD.shape[1]):
            dD[k, f] = trial.state.D[k, f] - state.D[k, f]
        change = tangent.by_V[k] * dV + log_change(junction, tangent, k, dD[k])
        change += (tangent.by_D[k] + tangent.by_P[k]) * (trial.state.P[k] - state.P[k])
        total += state.G[k] * math.exp(max(-50.0, min(50.0, change)))
    return (state.V[0] + dV) * total


@detached
def more_charge(junction: Junction, state: State, trial: Trial, dV: float) -> float:
    """Charge [C] that came from the source to the stage that the trial was put to, beyond what its stages add up to."""
    new = trial.state
    new.V[0] = state.V[0] + dV
    for k in range(state.c.shape[0]):
        new.D_left[k] = state.D_left[k] + (new.D[k, 0] + new.P[k] - state.D[k, 0] - state.P[k])
    return charge_between(junction, state, new) - trial.work.source[CAME]


@bare
def charge_change(slopes: np.ndarray, x: np.ndarray) -> float:
    """Change of a charge by the unknowns x (N, 3)."""
    total = 0.0
    for i in range(x.shape[0]):
        total += slopes[i, BAND] * x[i, BAND] + slopes[i, WEIGHT] * x[i, WEIGHT] + slopes[i, PASSED] * x[i, PASSED]
    return total


@detached
def fill_numbers(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, k: int, x: np.ndarray, dD: np.ndarray,
    numbers: np.ndarray,
):  # fmt: skip
    """Fill numbers (NUMBERS,) of the border of column k from changes x (N, 3) of its unknowns, and dD (N+1,) by these."""
    asked = trial.work.border.asked
    numbers[VOLTAGE] = across(junction, state, k, dD) if asked[VOLTAGE] else 0.0
    numbers[LOG_G] = log_change(junction, tangent, k, dD) if asked[LOG_G] else 0.0
    numbers[CHARGE] = dD[0] + charge_change(trial.film.charge[k], x) if asked[CHARGE] else 0.0


@detached
def fill_answers_of_stacks(junction: Junction, state: State, tangent: Tangent, trial: Trial):
    """Fill what the border of all columns answers to V_j and to P."""
    film, border = trial.film, trial.work.border
    for k in range(state.c.shape[0]):
        linear, dD = linear_of(film, k), film.D[0, k]
        film.lines[MISSING, k, :] = 0.0  # may be nan after a step that failed, and a share of 0 of nan is nan
        if border.asked[CHARGE]:
            fill_charge_slopes(junction, state, k, film.charge[k])
        displacement_changes(linear, film.response[k], 1.0, 0.0, dD)
        fill_numbers(junction, state, tangent, trial, k, film.response[k], dD, border.by_V[k])
        border.by_V[k, LOG_G] += tangent.by_V[k]
        border.by_V[k, CHARGE] += charge_by_voltage(junction, state, k)
        if border.asked[VOLTAGE]:
            answer_to_polarisation(junction, state, film, k)
            displacement_changes(linear, film.by_P[k], 0.0, 0.0, dD)
            add_ends(junction, state, film, k, 1.0, dD)
            fill_numbers(junction, state, tangent, trial, k, film.by_P[k], dD, border.by_P[k])
            border.by_P[k, LOG_G] += tangent.by_D[k] + tangent.by_P[k]
            border.by_P[k, CHARGE] += 1.0


@detached
def fill_stage(junction: Junction, state: State, trial: Trial, stage: int, dV: float):
    """Fill work.US, film.U and film.D of a stage with its unknowns, V_j and P among them."""
    work, film, polar = trial.work, trial.film, trial.work.polar
    for k in range(trial.state.c.shape[0]):
        x, response, S, U = film.x[k], film.response[k], work.US[stage, k], film.U[stage, k]
        dP, right_flux = 0.0, S[U.size]
        if work.border.asked[VOLTAGE]:
            dP = polar.slope[k] * polar.answer[k]
            for i in range(U.size):
                x[i, BAND] += dP * film.by_P[k, i, BAND]
                x[i, PASSED] += dP * film.by_P[k, i, PASSED]
        for i in range(U.size):
            x[i, BAND] += dV * response[i, BAND]
            U[i], S[i] = x[i, BAND], x[i, PASSED] + dV * response[i, PASSED]
        if not passes(junction.left_wall[k]):
            S[0] = 0.0
        S[U.size] = 0.0
        if passes(junction.right_wall[k]):
            last, N = film.last[k], U.size
            missing = film.lines[TILT, k, N] * film.lines[MISSING, k, N]
            S[N] = last[BY_PASSED] * S[N - 1] - last[BY_BAND] * U[N - 1] + last[BY_FLUX] * (right_flux + missing)
        displacement_changes(linear_of(film, k), x, dV, 1.0, film.D[stage, k])
        if work.border.asked[VOLTAGE]:
            add_ends(junction, state, film, k, dP, film.D[stage, k])


@detached
def solve_stacks(junction: Junction, state: State, tangent: Tangent, trial: Trial, stage: int):
    """Solve a stage, whose right-hand sides work.US holds, at constant V_j and P, and fill the border's own of it."""
    film, border = trial.film, trial.work.border
    for k in range(trial.state.c.shape[0]):
        solve_column(junction, k, trial.state, film, trial.work.US[stage, k])
        if add_up(border.asked) > 0.0:
            displacement_changes(linear_of(film, k), film.x[k], 0.0, 1.0, film.D[stage, k])
            fill_numbers(junction, state, tangent, trial, k, film.x[k], film.D[stage, k], border.own[k])


@detached
def finish_stacks(junction: Junction, state: State, trial: Trial):
    """D and band at the end of the step, predictions."""
    film, new = trial.film, trial.state
    last = trial.work.UV.size - 1
    for k in range(state.c.shape[0]):
        add_scaled(1.0, film.D[last, k], new.D[k])
        add_scaled(1.0, film.U[last, k], new.band[k, 1:-1])


electron_step = step_of(
    System(
        factor_stacks, fill_answers_of_stacks, evaluate_stacks, conducted_along, solve_stacks, fill_stage, finish_stacks
    ), "electron_step",
)  # fmt: skip


@detached
def fill_stacks(junction: Junction, new: State):
    """Fill the stack of every column that a step without electrons ends with, its fields from the vacancies alone."""
    for k in range(new.c.shape[0]):
        faces(junction, new, k, new.D_right[k])
        band_of_fields(junction, new, k, new.band[k])
        fill_electrons(junction, k, new.V[0], column(new, k), True)


@detached
def film_step(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, source: Ramp, dt: float, with_current: bool,
    negligible: float,
) -> bool:  # fmt: skip
    """As `electron_step`, or an `ion_step` where electrons bend the band by less than a negligible energy [eV].

    They must do so at both ends of the step, else it is taken again with `electron_step`. Only the motion leaves electrons
    out: the stack at its end has their charge in any case. The flux of vacancies that hold electrons needs them.
    """
    if not hold_electrons(junction):
        return ion_step(junction, state, tangent, trial, source, dt, with_current)
    if not binds(junction) and bend_less(junction, state, negligible):
        if ion_step(junction, state, tangent, trial, source, dt, with_current):
            fill_stacks(junction, trial.state)
            if bend_less(junction, trial.state, negligible):
                return True
    return electron_step(junction, state, tangent, trial, source, dt, with_current)
