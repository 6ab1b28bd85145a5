"""The polarisation in a time step: one more unknown q of each column, in the border beside D(L), and its error.

    dq/dt = F(q, E)        E the mean field of the film, by which q and D(L) pull at each other: the depolarising field

In a stage x = dS, y = dD(L), w = dq and v = dV_j. With p and z as in `rosenbrock.solve_borders`, and P' = dP/dq,

    x = p + z (y - P' w)
    y = (v - mismatch - closure_S . p)/bordered + share P' w            share = 1 - electrodes/bordered
    w = [r + pull (share (v - mismatch) + (1 - share) closure_S . p)]/pivot

`electrodes` is the elastance of the two electrodes, pull = F_E/L, pivot = 1/(gamma dt) - F_q + pull electrodes share P'.
With electrons in the film the answer of their stack to P and V_j takes the place of these (`electron_step`).
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, spliced
from otjdd.compiler.held_tuples import held
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction, closure_slope
from otjdd.physics.polarisation import (
    ADVANCE,
    BEGUN,
    PROGRESS,
    TOWARDS,
    TWO_LEVEL,
    Rate,
    mean_field,
    polarisation_at,
    rate_of,
)
from otjdd.physics.state import State

MOST_RECORDED = 0.1  # of P_s: change in a step that is recorded, as curves are drawn through these


@held
class PolarisationWork(NamedTuple):
    """Work space for the polarisation in a step; arrays of size 0 where no film is polarised."""

    pivot: np.ndarray  # (K,) 1/s
    pull: np.ndarray  # (K,) F_E/L
    share: np.ndarray  # (K,) 1
    slope: np.ndarray  # (K,) dP/dq at the start of the step
    stages: np.ndarray  # (s, K) stages of q
    moved: np.ndarray  # (K,) change of q since the start of the step
    rate: np.ndarray  # (K,) dq/dt at a stage
    answer: np.ndarray  # (K,) right-hand side of a stage, then w
    per_V: np.ndarray  # (K,) w per v
    error: np.ndarray  # (K,) C/m2, error estimate of P


class Pushed(NamedTuple):
    """A stage w of q: its part without v, and that per v."""

    still: float
    per_V: float


def new_polarisation_work(stages: int, K: int, polarised: bool) -> PolarisationWork:
    """Work space of a method for K columns, polarised or not."""
    n = K if polarised else 0
    rows = [np.zeros(n) for _ in range(9)]
    return PolarisationWork(*rows[:4], np.zeros((stages, n)), *rows[4:])


@bare
def electrode_elastance(junction: Junction, state: State, k: int) -> float:
    """Elastance of the two electrodes of column k [V m2/C]."""
    return edge(junction.left[k], state.D_left[k])[1] + edge(junction.right[k], -state.D_right[k])[1]


@bare
def rate_at(junction: Junction, state: State, k: int, q: float):
    """`rate_of` column k in the fields of a state, at q."""
    polar = junction.polarisation
    E = mean_field(junction.columns.distance[k], state.E[k], polar.thickness[k])
    return rate_of(polar, k, junction.kT[k], q, state.progress[TOWARDS, k], E)


@detached
def aim(junction: Junction, state: State):
    """Turn the laws of a settled state to where its fields point: a law that knows a time starts afresh there."""
    polar = junction.polarisation
    if polar.law == TWO_LEVEL:
        return
    for k in range(state.P.size):
        E = mean_field(junction.columns.distance[k], state.E[k], polar.thickness[k]) - polar.offset[k]
        if E * state.progress[TOWARDS, k] <= 0.0 and E != 0.0:
            state.progress[ADVANCE, k], state.progress[BEGUN, k] = 0.0, state.P[k]
            state.progress[TOWARDS, k] = math.copysign(1.0, E)


@detached
def start_polarisation(junction: Junction, state: State, k: int, work: PolarisationWork) -> Rate:
    """Fill slope and pull of column k at the start of a step, with nothing moved. Returns the rate of q."""
    polar, q = junction.polarisation, state.progress[ADVANCE, k]
    rate = rate_at(junction, state, k, q)
    work.slope[k] = polarisation_at(polar, k, q, state.progress[BEGUN, k], state.progress[TOWARDS, k])[1]
    work.pull[k], work.rate[k], work.moved[k] = rate.by_field / polar.thickness[k], rate.value, 0.0
    return rate


@detached
def lay_polarisation(junction: Junction, state: State, k: int, work: PolarisationWork, per_dt: float, bordered: float):
    """Fill the work of column k at the start of a step. per_dt : 1/(gamma dt) [1/s]   bordered : of the ions"""
    rate, electrodes = start_polarisation(junction, state, k, work), electrode_elastance(junction, state, k)
    work.share[k] = 1.0 - electrodes / bordered
    work.pivot[k] = per_dt - rate.by_q + work.pull[k] * electrodes * work.share[k] * work.slope[k]


@bare
def answer_of_polarisation(work: PolarisationWork, k: int, mismatch: float, passed: float) -> Pushed:
    """w of column k from its right-hand side in `answer`, without dV_j and per dV_j. passed : closure_S . p"""
    share, pull = work.share[k], work.pull[k]
    right = work.answer[k] - pull * (share * mismatch - (1.0 - share) * passed)
    return Pushed(right / work.pivot[k], pull * share / work.pivot[k])


@spliced
def fill_right_hand_side(work: PolarisationWork, factors: np.ndarray, scale: float, count: int):
    """Fill `answer` with the rate at a stage and scale times the sum of factors[j] times the stages j < count."""
    for k in range(work.rate.size):
        total = 0.0
        for j in range(count):
            total += factors[j] * work.stages[j, k]
        work.answer[k] = work.rate[k] + scale * total


@spliced
def move_polarisation(work: PolarisationWork, A: np.ndarray, i: int):
    """Move `moved` from the stage before to stage i, as `rosenbrock.move_to_stage`. A : (stages, stages) of the method"""
    for k in range(work.moved.size):
        if i >= A.shape[0]:
            work.moved[k] += work.stages[i - 1, k]
        else:
            work.moved[k] = 0.0
            for j in range(i):
                work.moved[k] += A[i, j] * work.stages[j, k]


@bare
def moved_polarisation(junction: Junction, state: State, k: int, moved: float) -> float:
    """P [C/m2] of column k where q has moved since a state."""
    q, begun, towards = state.progress[ADVANCE, k], state.progress[BEGUN, k], state.progress[TOWARDS, k]
    return polarisation_at(junction.polarisation, k, q + moved, begun, towards)[0]


@detached
def end_polarisation(junction: Junction, state: State, new: State, work: PolarisationWork):
    """Put P and q after the last stage into a new state, and the error of P into the work."""
    last = work.stages.shape[0] - 1
    for k in range(work.moved.size):
        moved, error = work.moved[k] + work.stages[last, k], work.stages[last, k]
        for row in range(PROGRESS):
            new.progress[row, k] = state.progress[row, k]
        new.progress[ADVANCE, k] += moved
        new.P[k] = moved_polarisation(junction, state, k, moved)
        work.error[k] = new.P[k] - moved_polarisation(junction, state, k, moved - error)


@bare
def seen_polarisation(junction: Junction, state: State, k: int, dP: float) -> float:
    """A change dP [C/m2] of column k over P_s, or by the rise of the band edge at an electrode over kT: the larger."""
    left = edge(junction.left[k], state.D_left[k])[1]
    right = edge(junction.right[k], -state.D_right[k])[1]
    whole = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
    dD = (1.0 - (left + right) / whole) * dP
    return max(abs(dP) / junction.polarisation.saturation[k], max(left, right) * abs(dD) / junction.kT[k])


@detached
def polarisation_error(junction: Junction, state: State, work: PolarisationWork, rtol: float) -> float:
    """Norm of the errors of P of a step; 1 is the limit."""
    worst = 0.0
    for k in range(work.error.size):
        worst = max(worst, seen_polarisation(junction, state, k, work.error[k]) / rtol)
    return worst


@detached
def polarisation_speed(junction: Junction, state: State, rtol: float) -> float:
    """Norm of what the polarisations of a state change in a second, or could: a reduced time has no speed at its start."""
    worst = 0.0
    for k in range(state.progress.shape[1]):
        rate = rate_at(junction, state, k, state.progress[ADVANCE, k]).value
        if junction.polarisation.law != TWO_LEVEL:
            rate *= junction.polarisation.saturation[k] * state.progress[TOWARDS, k] - state.P[k]
        worst = max(worst, seen_polarisation(junction, state, k, rate) / rtol)
    return worst


@bare
def largest_change(junction: Junction, state: State, new: State) -> float:
    """Largest |change of P| over P_s in a step."""
    most = 0.0
    for k in range(state.progress.shape[1]):
        most = max(most, abs(new.P[k] - state.P[k]) / junction.polarisation.saturation[k])
    return most


@bare
def beyond_saturation(junction: Junction, state: State) -> float:
    """Largest share of P_s by which a polarisation is beyond it."""
    most = 0.0
    for k in range(state.progress.shape[1]):
        most = max(most, abs(state.P[k]) / junction.polarisation.saturation[k] - 1.0)
    return most
