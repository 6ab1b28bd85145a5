"""One time step of the ions with electrons in the film: as in `rosenbrock`, with more algebraic unknowns.

    dS_f/dt = J_f(c, E)                                     one row per face of a column that vacancies may pass
    0       = U_f - U_f-1 - d_f E(D_f)                      one per face
    0       = D_i+1 - D_i - e h_i (z c_i + f - n_i)         one per cell
    0       = V(t) - V_j - R_s I                            one for the junction
    dq/dt   = F(q, E)                                       one per column whose film is polarised: `polarisation_step`

n_i depends on the band U_i and, through the weights of the contacts, on the band everywhere. The weights are computed from
the band at every stage; their derivative is in the Jacobian (`electron_jacobian`). q moves the band at both ends by the
charge of the electrodes, and the answer of the stack to it pulls at q by the field.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.physics.bound_electrons import binds, fill_pull, flux_slopes_of, fluxes_of
from otjdd.physics.circuit import drop
from otjdd.physics.closing import bending, log_change
from otjdd.physics.electron_stack import (
    BAND,
    column,
    displacement_changes,
    electrode_elastances,
    lay_bands,
    lay_electrons,
)
from otjdd.physics.exchange import passes
from otjdd.physics.junction import FluxSlopes, Junction, band_of_fields, faces, polarised
from otjdd.physics.numerics import add_scaled, add_up, copy
from otjdd.physics.polarisation import ADVANCE, TOWARDS
from otjdd.physics.state import GUESS, State, Tangent
from otjdd.stepping.electron_jacobian import (
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
    factor_column,
    linear_of,
    solve_column,
)
from otjdd.stepping.polarisation_step import (
    end_polarisation,
    fill_pivot,
    fill_rate,
    fill_right_hand_side,
    move_polarisation,
    polarisation_after,
    start_polarisation,
)
from otjdd.stepping.rosenbrock import (
    Ramp,
    Trial,
    Work,
    add_stages,
    count_passed,
    displaced,
    move_to_stage,
    rosenbrock_step,
)


@detached
def factor_all(junction: Junction, state: State, trial: Trial, dt: float) -> bool:
    """Fill the trial with the factored Jacobian of every column at the state for a step dt [s], and fluxes."""
    work, good = trial.work, True
    for k in range(state.c.shape[0]):
        slopes = FluxSlopes(work.lower[k], work.upper[k], work.response[k])
        flux_slopes_of(junction, state, k, work.factors, work.J[k], slopes)
        if binds(junction):
            fill_pull(junction, k, work.factors, work.J[k], slopes, trial.film.lines[PULL, k])
        good = good and factor_column(junction, state, trial.film, k, slopes, 1.0 / (dt * trial.method.gamma))
        if polarised(junction):
            lay_polarised_stack(junction, state, trial, k, 1.0 / (dt * trial.method.gamma))
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
def lay_polarised_stack(junction: Junction, state: State, trial: Trial, k: int, per_dt: float):
    """Fill the work of the polarisation of column k at the start of a step, after `factor_column`."""
    film, polar, dD = trial.film, trial.work.polar, trial.film.D[0, k]
    film.lines[MISSING, k, :] = 0.0  # of the step before, not a number where that failed: its share of 0 would be none
    rate = start_polarisation(junction, state, k, polar)
    answer_to_polarisation(junction, state, film, k)
    displacement_changes(linear_of(film, k), film.by_P[k], 0.0, 0.0, dD)
    add_ends(junction, state, film, k, 1.0, dD)
    fill_pivot(polar, k, per_dt, rate.by_q, -polar.slope[k] * across(junction, state, k, dD))
    displacement_changes(linear_of(film, k), film.response[k], 1.0, 0.0, dD)
    polar.per_V[k] = polar.pull[k] * across(junction, state, k, dD) / polar.pivot[k]


@detached
def lay_stage(state: State, trial: Trial, stage: int, dV: float) -> float:
    """Put a stage into the trial: work.dS, D and band of its state. Returns dV, from that of the stage before."""
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
    return move_to_stage(method, trial.work, stage, dV)


@detached
def evaluate_electron_stage(junction: Junction, state: State, trial: Trial, dV: float):
    """Concentrations, bands, electrons and fluxes of every column at the stage that the trial was put to."""
    work, new = trial.work, trial.state
    for k in range(state.c.shape[0]):
        displaced(junction.columns, k, state.c[k], work.dS[k], new.c[k])
        count_passed(junction, state, k, work.dS[k], new)
        if polarised(junction):
            new.P[k] = polarisation_after(junction, state, k, work.polar.advance[k])
        lay_bands(junction, k, state.V[0] + dV, column(new, k))
        fluxes_of(junction, new, k, work.factors, work.J[k])
        if polarised(junction):
            fill_rate(junction, new, k, state.progress[ADVANCE, k] + work.polar.advance[k], work.polar)


@detached
def solve_stage(junction: Junction, state: State, trial: Trial, stage: int, dt: float):
    """Unknowns x of every column that answer the residuals at a stage, V_j and q held; then w of q, V_j held."""
    work, film, polar = trial.work, trial.film, trial.work.polar
    fill_right_hand_side(polar, trial.method.C[stage], 1.0 / dt, stage)
    for k in range(trial.state.c.shape[0]):
        flux = work.J[k]
        add_stages(trial.method.C[stage], 1.0 / dt, work.US, k, stage, flux)
        solve_column(junction, k, trial.state, film, flux)
        if polarised(junction):
            dD = film.D[stage, k]
            displacement_changes(linear_of(film, k), film.x[k], 0.0, 1.0, dD)
            polar.answer[k] = (polar.answer[k] + polar.pull[k] * across(junction, state, k, dD)) / polar.pivot[k]


@detached
def lost_along(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, with_current: bool, dV: float
) -> float:
    """Voltage lost in the circuit [V] at the stage that the trial was put to, ln G along its tangent."""
    total, dD = 0.0, trial.film.lines[MISSING]
    if not with_current:
        return drop(junction, state.V[0] * add_up(state.G))[0]
    for k in range(state.c.shape[0]):
        for f in range(dD.shape[1]):
            dD[k, f] = trial.state.D[k, f] - state.D[k, f]
        change = tangent.by_V[k] * dV + log_change(junction, tangent, k, dD[k])
        change += (tangent.by_D[k] + tangent.by_P[k]) * (trial.state.P[k] - state.P[k])
        total += state.G[k] * math.exp(max(-50.0, min(50.0, change)))
    return drop(junction, (state.V[0] + dV) * total)[0]


@detached
def voltage_of_stage(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, with_current: bool, stage: int, r_circuit: float
) -> float:  # fmt: skip
    """dV_j of a stage. With x = p + z dV the circuit row V - V_j - drop(sum V_j G) gives it.

    With a polarisation w = answer + per_V dV of q adds its share to both.
    """
    film, polar, by_V, rest = trial.film, trial.work.polar, 1.0, r_circuit
    if with_current:
        slope = drop(junction, state.V[0] * add_up(state.G))[1]
        for k in range(state.c.shape[0]):
            linear, dD, current = linear_of(film, k), film.D[stage, k], slope * state.V[0] * state.G[k]
            displacement_changes(linear, film.response[k], 1.0, 0.0, dD)
            by_V += slope * state.G[k] + current * (tangent.by_V[k] + log_change(junction, tangent, k, dD))
            displacement_changes(linear, film.x[k], 0.0, 1.0, dD)
            rest -= current * log_change(junction, tangent, k, dD)
            if polarised(junction):
                displacement_changes(linear, film.by_P[k], 0.0, 0.0, dD)
                add_ends(junction, state, film, k, 1.0, dD)
                along = tangent.by_D[k] + tangent.by_P[k] + log_change(junction, tangent, k, dD)
                by_V += current * along * polar.slope[k] * polar.per_V[k]
                rest -= current * along * polar.slope[k] * polar.answer[k]
    return rest / by_V


@detached
def keep_stage(junction: Junction, state: State, trial: Trial, stage: int, dV: float):
    """Put the unknowns of a stage, V_j and q with them, into work.US, film.U, film.D, work.UV and polar.stages."""
    work, film, polar = trial.work, trial.film, trial.work.polar
    work.UV[stage] = dV
    for k in range(trial.state.c.shape[0]):
        x, response, S, U = film.x[k], film.response[k], work.US[stage, k], film.U[stage, k]
        dP = 0.0
        if polarised(junction):
            polar.stages[stage, k] = polar.answer[k] + polar.per_V[k] * dV
            dP = polar.slope[k] * polar.stages[stage, k]
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
            S[N] = last[BY_PASSED] * S[N - 1] - last[BY_BAND] * U[N - 1] + last[BY_FLUX] * (work.J[k, N] + missing)
        displacement_changes(linear_of(film, k), x, dV, 1.0, film.D[stage, k])
        if polarised(junction):
            add_ends(junction, state, film, k, dP, film.D[stage, k])


@detached
def end_step(junction: Junction, state: State, work: Work, film: ElectronWork, new: State):
    """Put the end of the step into the new state, from the last stage, and its error estimate into work.error."""
    last = work.UV.size - 1
    for k in range(state.c.shape[0]):
        add_scaled(1.0, work.US[last, k], work.dS[k])
        add_scaled(1.0, film.D[last, k], new.D[k])
        add_scaled(1.0, film.U[last, k], new.band[k, 1:-1])
        displaced(junction.columns, k, state.c[k], work.dS[k], new.c[k])
        count_passed(junction, state, k, work.dS[k], new)
        for i in range(state.c.shape[1]):
            moved = work.US[last, k, i] - work.US[last, k, i + 1]
            work.error[k, i] = moved * junction.columns.dilution[k, i]


@detached
def electron_step(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, source: Ramp, dt: float, with_current: bool
) -> bool:
    """As `rosenbrock.rosenbrock_step`, for a film that holds electrons; D and band of the new state are predictions."""
    method, work, new, dV = trial.method, trial.work, trial.state, 0.0
    if not factor_all(junction, state, trial, dt):
        return False
    for k in range(state.c.shape[0]):
        for row in range(GUESS):
            copy(state.guess[k, row], new.guess[k, row])
    if polarised(junction):
        copy(state.progress[TOWARDS], new.progress[TOWARDS])
    for i in range(method.alpha.size):
        dV = lay_stage(state, trial, i, dV)
        if i > 0:
            move_polarisation(work.polar, method.A, i)
        evaluate_electron_stage(junction, state, trial, dV)
        r_circuit = source.voltage + source.slope * (method.alpha[i] + method.gamma_sum[i]) * dt - state.V[0] - dV
        r_circuit -= lost_along(junction, state, tangent, trial, with_current, dV)
        if not abs(r_circuit) < math.inf:
            return False
        solve_stage(junction, state, trial, i, dt)
        keep_stage(
            junction, state, trial, i, voltage_of_stage(junction, state, tangent, trial, with_current, i, r_circuit)
        )
    end_step(junction, state, work, trial.film, new)
    if polarised(junction):
        end_polarisation(junction, state, new, work.polar)
    new.V[0] = state.V[0] + dV + work.UV[method.alpha.size - 1]
    return True


@detached
def bend_less(junction: Junction, state: State, negligible: float) -> bool:
    """True where the electrons of every column bend its band by less than a negligible energy [eV]."""
    most = 0.0
    for k in range(state.c.shape[0]):
        most = max(most, bending(junction, state, k))
    return most < negligible


@detached
def lay_after(junction: Junction, new: State):
    """Lay the stack of every column that a step without electrons ends with, its fields from the vacancies alone."""
    for k in range(new.c.shape[0]):
        faces(junction, new, k, new.D_right[k])
        band_of_fields(junction, new, k, new.band[k])
        lay_electrons(junction, k, new.V[0], column(new, k))


@detached
def film_step(
    junction: Junction, state: State, tangent: Tangent, trial: Trial, source: Ramp, dt: float, with_current: bool,
    negligible: float,
) -> bool:  # fmt: skip
    """As `electron_step`, or a step of `rosenbrock` where electrons bend the band by less than a negligible energy [eV].

    They must do so at both ends of the step, else it is taken again with `electron_step`. Only the motion leaves electrons
    out: the stack at its end has their charge in any case. The flux of vacancies that hold electrons needs them.
    """
    if not binds(junction) and bend_less(junction, state, negligible):
        if rosenbrock_step(junction, state, tangent, trial, source, dt, with_current):
            lay_after(junction, trial.state)
            if bend_less(junction, trial.state, negligible):
                return True
    return electron_step(junction, state, tangent, trial, source, dt, with_current)
