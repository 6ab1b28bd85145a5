"""The filling of traps in a time step: its start, its error, and the length of recorded steps, which resolve it.

The filling at the end of a step follows from the rates there and at its start (`mechanisms.traps.kinetic`), so it is
found with the fields when these are settled.
"""

import math
from typing import Any

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.mechanisms.traps.kinetic import (
    LEAST_SHARE,
    error_of_filling,
    fill_traps,
    have_memory,
    trap_current,
    trap_current_of_column,
)
from otjdd.mechanisms.traps.sites import RATES
from otjdd.physics.columns import ensure_current
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import add_up, copy, dot
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State, Tangent, TrapState
from otjdd.variables import TAKEN_LEFT, TAKEN_RIGHT, TERMINAL_LEFT, TERMINAL_RIGHT, TRAPPED

ANSWERED_BY = "`solver.at_rest`, for all traps at once"  # to a small signal
RECORDED_CHANGE = 0.02  # of the filling of a group, in a recorded step
RECORDED_GROWTH = 2.0  # of recorded steps in which traps are filled or emptied
SAFETY = 0.9  # of the growth that the error allows
STILL = 1e-9  # change of the filling of a group that is none


def begin_run(junction: Junction, state: State, start: dict[str, np.ndarray]) -> None:
    """Traps begin without rates, which are then those of the fields that are settled next."""
    forget_rates(state.traps)


def forget_rates(traps: TrapState) -> None:
    """Let the filling stay until the fields are settled, with rates that are not known yet."""
    traps.rates[:], traps.old_rates[:], traps.step[:] = np.nan, np.nan, 0.0


@bare
def start_traps(state: State, new: State, step: float):
    """Let the traps of a new state start a step [s] as those of a settled state are, with its charge."""
    old, traps = state.traps, new.traps
    traps.step[0] = step
    for k in range(state.trapped.shape[0]):  # the search for the end starts there, whatever was tried before
        copy(state.trapped[k], new.trapped[k])
    copy(old.to_left, traps.old_to_left)
    copy(old.bias, traps.old_bias)
    for k in range(old.filling.shape[0]):
        copy(old.away[k], traps.old_away[k])
        copy(old.taken[k], traps.old_taken[k])
        copy(old.current[k], traps.current[k])
        for j in range(old.filling.shape[1]):
            copy(old.rates[k, j], traps.old_rates[k, j])
            copy(old.slope[k, j], traps.slope[k, j])


@bare
def stop_traps(state: State):
    """Let the filling of the end of a step stay whatever the voltage becomes, until the next step."""
    traps = state.traps
    for k in range(traps.filling.shape[0]):
        for j in range(traps.filling.shape[1]):
            for row in range(RATES):
                traps.slope[k, j, row] = (traps.rates[k, j, row] - traps.old_rates[k, j, row]) / traps.step[0]
    start_traps(state, state, 0.0)


@inlined
def relaxes(state: State) -> bool:
    """Traps whose filling takes time relax."""
    return have_memory(state)


@detached
def fill(junction: Junction, state: State):
    """Fill traps whose filling takes time, at the fields of a settled state. Returns a status."""
    if have_memory(state):
        fill_traps(junction, state)
        if not math.isfinite(trap_current(state)):
            return Status.SPECTRUM_NOT_CONVERGED
    return Status.DONE


@bare
def own_current(state: State, k: int) -> float:
    """Current [A] by which traps of column k relax."""
    return trap_current_of_column(state, k)


@inlined
def left_charge(junction: Junction, k: int, old: State, new: State) -> float:
    """Change of the charge that electrons on traps of column k mirror on its left terminal [C/m2]."""
    return -ELEMENTARY_CHARGE * (new.traps.to_left[k] - old.traps.to_left[k])


@inlined
def use_mean(junction: Junction, state: State, new: State):
    """Let the electrons on traps stay in the stages of a step."""
    copy(state.traps.to_left, new.traps.to_left)


@inlined
def start_end(state: State, new: State, step: float):
    """As `start_traps` where the filling takes time."""
    if have_memory(state):
        start_traps(state, new, step)


@inlined
def accepted(junction: Junction, state: State, trial: Any):
    """As `stop_traps` at the end of a step where the filling takes time."""
    if have_memory(trial.state):
        stop_traps(trial.state)


@bare
def begin_piece(junction: Junction, state: State, tangent: Tangent):
    """Forget how rates changed in the step before: the voltage goes on in another way."""
    for k in range(state.traps.filling.shape[0]):
        for j in range(state.traps.filling.shape[1]):
            for row in range(RATES):
                state.traps.slope[k, j, row] = 0.0
    return Status.DONE


@bare
def largest_change_of_filling(old: TrapState, new: TrapState) -> float:
    """Largest change of the filling of a group."""
    largest = 0.0
    for k in range(old.filling.shape[0]):
        for j in range(old.filling.shape[1]):
            largest = max(largest, abs(new.filling[k, j] - old.filling[k, j]))
    return largest


@bare
def count_error(traps: TrapState) -> float:
    """Error of the electrons taken from an electrode in a step, over those taken so far and LEAST_SHARE of the traps."""
    worst = 0.0
    for k in range(traps.count_error.size):
        size = LEAST_SHARE * add_up(traps.amount[k]) + abs(traps.taken[k, AT_LEFT]) + abs(traps.taken[k, AT_RIGHT])
        if size > 0.0:
            worst = max(worst, traps.count_error[k] / size)
    return worst


@detached
def current_error(junction: Junction, new: State, tangent: Tangent, rtol: float) -> float:
    """Error of the current by which traps relax at the end of a step, over all current and one electron in the step.

    What conducts is evaluated only where an error over rtol depends on it.
    """
    off, size = new.traps.current_error[0], abs(trap_current(new)) + ELEMENTARY_CHARGE / new.traps.step[0]
    if off > rtol * size and ensure_current(junction, new, tangent) == Status.DONE:
        size += abs(new.V[0] * add_up(new.G))
    return off / size


@bare
def settled_limit(
    junction: Junction, state: State, new: State, tangent: Tangent, charge: float, control: Any, observed: bool,
    recorded: bool,
):  # fmt: skip
    """True where the traps let a step pass, and the growth of the next one.

    charge : norm of the error by their charge   observed : a current is recorded, now or at the end of the piece
    recorded : curves are drawn through the ends of the steps
    """
    limit, rtol = control.most, control.rtol
    error, growth = max(charge, max(new.traps.error[0], count_error(new.traps)) / rtol), math.inf
    if observed and error <= limit and new.traps.current_error[0] > 0.0:
        error = max(error, current_error(junction, new, tangent, rtol) / rtol)
    change = largest_change_of_filling(state.traps, new.traps) if recorded else 0.0
    if change > STILL:
        growth = RECORDED_GROWTH * min(1.0, RECORDED_CHANGE / change)
    if error > 0.0:
        growth = min(growth, SAFETY * error**-0.5)
    return error <= limit, growth


@bare
def speed(junction: Junction, state: State, rtol: float, recorded: bool) -> float:
    """Norm of what traps change in a second, as if it were an error; 0 unless curves are drawn through the steps."""
    traps, worst = state.traps, 0.0
    if not recorded:
        return 0.0
    for k in range(traps.filling.shape[0]):
        for j in range(traps.filling.shape[1]):
            if traps.amount[k, j] > 0.0 and traps.away[k, j] != 0.0:
                whole = 0.0
                for row in range(RATES):
                    whole += math.exp(traps.rates[k, j, row])
                worst = max(worst, whole * error_of_filling(traps.away[k, j], traps.filling[k, j]))
    return worst / rtol


@detached
def fill_row(junction: Junction, state: State, row: np.ndarray):
    """Add the electrons on traps whose filling takes time, those taken from both electrodes so far, and charges to a row.

    An electron on charged traps belongs to each terminal by the share of its charge there: on its way it counts as current
    (`mechanisms.traps.kinetic`).
    """
    for k in range(state.c.shape[0]):
        weight = junction.columns.weight[k]
        mirrored = weight * ELEMENTARY_CHARGE * state.traps.to_left[k]
        row[TERMINAL_LEFT] -= mirrored
        row[TERMINAL_RIGHT] += mirrored + weight * add_up(state.trapped[k])
    for k in range(state.traps.filling.shape[0]):
        weight = junction.columns.weight[k]
        row[TRAPPED] += weight * dot(state.traps.amount[k], state.traps.filling[k])
        row[TAKEN_LEFT] += weight * state.traps.taken[k, AT_LEFT]
        row[TAKEN_RIGHT] += weight * state.traps.taken[k, AT_RIGHT]
