"""Time steps of the ions along a waveform: error control, the course of voltages, and what is recorded on the way.

After each step D(L) and V_j are solved anew (`settle`), with a fresh tangent of the current when ln I has changed much; how
far V_j was off is part of the error control. So the equations hold at every recorded time to round-off, at others to
`slack`, and the current is evaluated at most once or twice a step, not six times, and not at all while nothing moves.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.physics.electrostatics import edge
from otjdd.physics.jit import bare, detached, spliced, summed
from otjdd.physics.junction import fluxes
from otjdd.physics.numerics import add_up, copy
from otjdd.physics.probe import transport
from otjdd.physics.quasistatic import (
    DONE,
    FARTHEST,
    NOT_FINITE,
    PAUSED,
    SPECTRUM_NOT_CONVERGED,
    STEP_TOO_SMALL,
    TRUST,
    VOLTAGE_TOLERANCE,
    blur,
    copy_state,
    coupled,
    drop,
    ensure_current,
    settle,
)
from otjdd.physics.rosenbrock import rosenbrock_step

GROWTH, SHRINK, SAFETY = 30.0, 0.2, 0.9
FIRST_CHANGE = 3e-3  # relative change of the concentrations, in the norm of the error control, by the first step
SUDDEN = 1e-6  # error norm of a step in which nothing but V_j can have moved
NEGATIVE = 1e-12  # of the mean concentration: round-off of the sums; below it a step is rejected
OUTSIDE = 1.001  # of what was below it already
VOLTAGE_ERROR = 3.0  # V per unit rtol: the drift velocity changes by some 7/V, half of it within a step
ALLOWED = 0.3  # V per unit rtol: what equations may be off between two steps whose current is not recorded
NEGLIGIBLE_DROP = 0.01  # V per unit rtol: a voltage drop too small to be followed within a step
READ_ERROR = 1e-5  # of the read voltage: what V_j may be off for a read, whose current is evaluated itself

# what is done at a piece of the waveform: bits of its task
EDGE, OBSERVE, READ, KEEP = 1, 2, 4, 8
# columns of a recorded row, and of a read
RECORD = 9
TIME, SOURCE, JUNCTION, BENDING, CHARGE, CHARGE_RIGHT, POSITION, CURRENT, BALANCE = range(RECORD)
READING = 5
READ_TIME, READ_SOURCE, READ_CURRENT, READ_SHARE, READ_ENERGY = range(READING)


class Control(NamedTuple):
    """Error control of the time steps."""

    rtol: float
    atol: float  # 1/m3
    max_steps: int  # of one call


class Course(NamedTuple):
    """Straight pieces of the source voltage, and how far the ions are along them."""

    pieces: np.ndarray  # (P, 4) start [s], end [s], voltage at the start [V], at the end [V]
    tasks: np.ndarray  # (P,) bits: EDGE at the start; OBSERVE, READ, KEEP at the end
    at: np.ndarray  # (4,) piece, time in it [s], next step [s] or 0, source voltage that the state is settled at or nan


class Log(NamedTuple):
    """What is recorded: filled from the top, emptied by the caller between calls."""

    used: np.ndarray  # (3,) rows of rows, reads, kept
    rows: np.ndarray  # (R, RECORD)
    reads: np.ndarray  # (M, READING)
    kept: np.ndarray  # (S, 3) time [s], source and junction voltage [V]
    kept_c: np.ndarray  # (S, K, N) 1/m3
    kept_D: np.ndarray  # (S, 2, K) C/m2, at the left and the right end


@summed
def weighted_square(control, old, new, error):
    """Sum of the squares of error/(atol + rtol |c|) over the cells of a column."""
    total = 0.0
    for i in range(old.size):
        total += (error[i] / (control.atol + control.rtol * max(abs(old[i]), abs(new[i])))) ** 2
    return total


@bare
def error_norm(control, old, new, error):
    """Largest over the columns of the root mean square of error/(atol + rtol |c|)."""
    worst = 0.0
    for k in range(old.shape[0]):
        worst = max(worst, math.sqrt(weighted_square(control, old[k], new[k], error[k]) / old.shape[1]))
    return worst


@bare
def worst_cell(control, old, new, error):
    """Where |error|/(atol + rtol |c|) is largest: column times cells plus cell."""
    worst, place = 0.0, 0
    for k in range(old.shape[0]):
        for i in range(old.shape[1]):
            size = abs(error[k, i]) / (control.atol + control.rtol * max(abs(old[k, i]), abs(new[k, i])))
            if not size <= worst:
                worst, place = size, k * old.shape[1] + i
    return place


@bare
def physical(junction, c, before):
    """Is every concentration (K, N) between zero and the site density, to round-off?

    before : (K, N) at the start of the step. What was outside by round-off then may be so still, by a thousandth more: no
    step is so small that it leads a cell back in which the neighbours hold there.
    """
    outside, c_max = 0, junction.ions.c_max
    for k in range(c.shape[0]):
        low, high = -NEGATIVE * add_up(c[k]) / c.shape[1], c_max * (1.0 + NEGATIVE)
        for i in range(c.shape[1]):
            least, most = min(low, OUTSIDE * before[k, i]), max(high, c_max + OUTSIDE * (before[k, i] - c_max))
            outside += not least <= c[k, i] <= most
    return outside == 0


@bare
def first_step(junction, state, control, work, horizon):
    """Step after an edge: in the norm of the error control the concentrations change by FIRST_CHANGE, relatively.

    The error estimate is blind to a boundary layer that a first step crosses whole (1e-3 at the end cells of a linear
    film when the step was chosen by the vacancies that pass a face), and the step grows by GROWTH where it may.
    """
    rate = work.error
    for k in range(rate.shape[0]):
        J = work.J[k]
        fluxes(junction, k, state.c[k], state.E[k], work.factors, J)
        for i in range(rate.shape[1]):
            rate[k, i] = (J[i] - J[i + 1]) * junction.columns.dilution[k, i]
    speed = error_norm(control, state.c, state.c, rate) * control.rtol
    return horizon if speed * horizon <= FIRST_CHANGE else FIRST_CHANGE / speed


@bare
def slack(control):
    """What V_j may be off [V] between two steps."""
    return max(ALLOWED * control.rtol, VOLTAGE_TOLERANCE)


@detached
def jump(junction, state, V_source, panels, tangent, losses, allowed, trust):
    """Settle at a source voltage, the ions where they are; losses (M, 2) remembers the voltage lost in the circuit.

    The guess is what was lost at the nearest voltage known. Returns a status.
    """
    nearest = 0
    for i in range(losses.shape[0]):
        if abs(losses[i, 0] - V_source) < abs(losses[nearest, 0] - V_source):
            nearest = i
    status = settle(junction, state, V_source, V_source - losses[nearest, 1], panels, tangent, allowed, trust)
    place = nearest
    if losses[nearest, 0] != V_source:
        for i in range(losses.shape[0] - 1, -1, -1):
            if losses[i, 0] == math.inf:
                place = i
    losses[place, 0], losses[place, 1] = V_source, V_source - state.V[0]
    return status


@spliced
def attempt(junction, control, state, work, new, V_start, ramp, step, panels, tangent, record):
    """One trial step from `state` to `new` at source voltage V_start + ramp t.

    Returns a status (DONE: accepted; PAUSED: rejected by the error control), the error norm, the growth of the next step,
    and whether a concentration was outside its bounds.
    """
    lost = drop(junction, state.V[0] * add_up(state.G))[0]
    with_current = coupled(junction) and state.V[0] != 0.0 and abs(lost) > NEGLIGIBLE_DROP * control.rtol
    copy(state.G, new.G)
    if not rosenbrock_step(junction, state, work, tangent, with_current, V_start, ramp, step, new):
        return PAUSED, math.inf, SHRINK, False
    norm = error_norm(control, state.c, new.c, work.error)
    if not norm < math.inf:
        return NOT_FINITE, norm, SHRINK, False
    growth = min(GROWTH, max(SHRINK, SAFETY * norm**-0.25)) if norm > 0.0 else GROWTH
    if norm > 1.0:
        return PAUSED, norm, min(growth, 0.9), False
    if not physical(junction, new.c, state.c):
        return PAUSED, norm, 0.5, True
    predicted = new.V[0]
    status = settle(
        junction, new, V_start + ramp * step, predicted, panels, tangent, slack(control), TRUST if record else FARTHEST
    )
    if status != DONE:
        return status, norm, SHRINK, False
    if coupled(junction):
        uncertain = 10.0 * VOLTAGE_TOLERANCE + 3.0 * blur(junction, new, tangent)
        off = abs(new.V[0] - predicted) / max(VOLTAGE_ERROR * control.rtol, uncertain)
        # then V_j can only have jumped to another solution
        sudden = norm <= SUDDEN and abs(ramp) * step <= slack(control)
        if off > 0.0 and not sudden:
            growth = min(growth, max(SHRINK, SAFETY * off**-0.5))
        if off > 1.0 and not sudden:
            return PAUSED, norm, min(growth, 0.9), False
    return DONE, norm, growth, False


@spliced
def advance(
    junction, control, state, total, t0, duration, V_start, ramp, at, work, new, panels, tangent, log, record, counts
):
    """Integrate the ions over one straight piece of the source voltage, V_start + ramp t, on from where `at` stands.

    state : settled; changed in place   total : (K,) vacancies per area [1/m2]   log.rows are filled when record is set
    counts : (accepted, rejected, of these outside the bounds, attempts), counted on; then the cell with the largest error
    in the last rejected step. Returns status, last error norm.
    PAUSED: the rows are full or max_steps attempts are made; call again.
    """
    after_rejection, failure, norm = False, STEP_TOO_SMALL, 0.0
    tau, dt = at[1], at[2]
    if dt <= 0.0:
        dt = first_step(junction, state, control, work, duration - tau)
    while tau < duration:
        at[1], at[2] = tau, dt
        if counts[3] >= control.max_steps or (record and log.used[0] == log.rows.shape[0]):
            return PAUSED, norm
        counts[3] += 1
        remaining = duration - tau
        last = dt >= 0.99 * remaining
        step = remaining if last else min(dt, 0.5 * remaining)
        if step < 1e-22 or tau + step == tau:
            return failure, norm
        status, norm, growth, outside = attempt(
            junction, control, state, work, new, V_start + ramp * tau, ramp, step, panels, tangent, record
        )
        counts[2] += outside
        if status != DONE:
            counts[1] += 1
            counts[4] = worst_cell(control, state.c, new.c, work.error)
            failure = STEP_TOO_SMALL if status == PAUSED else status
            dt, after_rejection = step * growth, True
            # the tangent may be a new one: V_j of the old is not that of the new, however small the step
            status = settle(
                junction, state, V_start + ramp * tau, state.V[0], panels, tangent, slack(control), FARTHEST
            )
            if status != DONE:
                return status, norm
            continue
        counts[0] += 1
        tau = duration if last else tau + step
        copy_state(new, state)
        dt = step * (min(growth, 1.0) if after_rejection else growth)
        after_rejection, failure = False, STEP_TOO_SMALL
        if record:
            status = observe(junction, state, t0 + tau, V_start + ramp * tau, total, panels, tangent, log)
            if status != DONE:
                at[1], at[2] = tau, dt
                return status, norm
    at[1], at[2] = tau, dt
    return DONE, norm


@detached
def observe(junction, state, time, V_source, total, panels, tangent, log):
    """Write a row of a settled state to the log, its current evaluated where the steps did not need it. Returns a status.

    Columns are averaged by their weight. total : (K,) vacancies per area at the start [1/m2]
    """
    status = ensure_current(junction, state, panels, tangent)
    row = log.rows[log.used[0]]
    row[TIME], row[SOURCE], row[JUNCTION] = time, V_source, state.V[0]
    row[BENDING], row[CHARGE], row[CHARGE_RIGHT], row[POSITION], row[BALANCE] = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(state.c.shape[0]):
        weight = junction.columns.weight[k]
        row[BENDING] += weight * edge(junction.right, -state.D_right[k])[2]
        row[CHARGE] += weight * state.D_left[k]
        row[CHARGE_RIGHT] -= weight * state.D_right[k]
        count, moment, x = 0.0, 0.0, 0.0
        for i in range(state.c.shape[1]):
            h = junction.columns.width[k, i]
            count += state.c[k, i] * h
            moment += state.c[k, i] * h * (x + 0.5 * h)
            x += h
        row[POSITION] += weight * moment / count
        change = count / total[k] - 1.0
        if abs(change) > abs(row[BALANCE]):
            row[BALANCE] = change
    row[CURRENT] = state.V[0] * add_up(state.G)
    if abs(row[CURRENT]) > junction.compliance:  # the source has given way
        row[SOURCE] = state.V[0] + junction.resistance * row[CURRENT]
    log.used[0] += status == DONE
    return status


@spliced
def read(junction, state, time, V_source, log):
    """Write how the current of the settled junction is carried to the log. Returns a status."""
    conductance, share, energy, good = transport(junction, state)
    if not good:
        return SPECTRUM_NOT_CONVERGED
    row = log.reads[log.used[1]]
    row[READ_TIME], row[READ_SOURCE], row[READ_CURRENT] = time, V_source, conductance * state.V[0]
    row[READ_SHARE], row[READ_ENERGY] = share, energy
    log.used[1] += 1
    return DONE


@spliced
def keep(state, time, V_source, log):
    """Write the state itself to the log."""
    i = log.used[2]
    log.kept[i, 0], log.kept[i, 1], log.kept[i, 2] = time, V_source, state.V[0]
    for k in range(state.c.shape[0]):
        copy(state.c[k], log.kept_c[i, k])
    copy(state.D_left, log.kept_D[i, 0])
    copy(state.D_right, log.kept_D[i, 1])
    log.used[2] += 1


@spliced
def perform(junction, state, time, V_source, total, task, panels, tangent, losses, log):
    """Record what a task asks for at the end of a piece. Returns a status."""
    status = DONE
    if task & (OBSERVE | READ | KEEP):
        trust = TRUST if task & (OBSERVE | KEEP) else FARTHEST
        status = jump(junction, state, V_source, panels, tangent, losses, READ_ERROR * abs(V_source), trust)
    if status == DONE and task & READ:
        status = read(junction, state, time, V_source, log)
    if status == DONE and task & OBSERVE:
        status = observe(junction, state, time, V_source, total, panels, tangent, log)
    if status == DONE and task & KEEP:
        keep(state, time, V_source, log)
    return status


@spliced
def full(task, log):
    """Is there no room for what a task records?"""
    return (
        (task & OBSERVE and log.used[0] == log.rows.shape[0])
        or (task & READ and log.used[1] == log.reads.shape[0])
        or (task & KEEP and log.used[2] == log.kept.shape[0])
    )


@detached
def travel(junction, control, state, total, course, work, new, panels, tangent, losses, log, record, counts):
    """Take the ions along a course, on from where it stands; the state is settled in the end.

    work, new : of a step   panels : (K, P) energy panels, tangent : of the current, losses : (M, 2) of `jump`; kept between
    calls   counts : (5,) accepted, rejected, of these outside the bounds, attempts, counted on; cell of the largest
    error in the last rejected step
    Returns a status and the last error norm. PAUSED: the log is full or max_steps attempts are made; empty the log and
    call again with fresh counts.
    """
    at, norm = course.at, 0.0
    while at[0] < course.pieces.shape[0]:
        i = int(at[0])
        task = course.tasks[i]
        start, end, V_start, V_end = (
            course.pieces[i, 0],
            course.pieces[i, 1],
            course.pieces[i, 2],
            course.pieces[i, 3],
        )
        if full(task, log):
            return PAUSED, norm
        if at[1] == 0.0 and at[3] != V_start:
            status = jump(junction, state, V_start, panels, tangent, losses, slack(control), TRUST)
            if status != DONE:
                return status, norm
            at[3] = V_start
        if at[1] == 0.0 and task & EDGE:
            at[2] = 0.0
        ramp = (V_end - V_start) / (end - start)
        status, norm = advance(
            junction, control, state, total, start, end - start, V_start, ramp, at, work, new, panels, tangent, log,
            record, counts,
        )  # fmt: skip
        if status == DONE:
            at[3] = V_end
            status = perform(junction, state, end, V_end, total, task, panels, tangent, losses, log)
        if status != DONE:
            return status, norm
        at[0], at[1] = i + 1, 0.0
    return jump(junction, state, at[3], panels, tangent, losses, slack(control), TRUST), norm
