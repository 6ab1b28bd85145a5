"""The filling of traps in a time step: its start, its error, and the length of recorded steps, which resolve it.

The filling at the end of a step follows from the rates there and at its start (`physics.channels.kinetic_traps`), so it is
found with the fields when these are settled.
"""

import math

from otjdd.compiler.decorators import bare
from otjdd.physics.numerics import copy
from otjdd.physics.state import State, TrapState
from otjdd.physics.traps.kinetic import RATES, error_of_filling

RECORDED_CHANGE = 0.02  # of the filling of a group, in a recorded step
RECORDED_GROWTH = 2.0  # of recorded steps in which traps are filled or emptied
SAFETY = 0.9  # of the growth that the error allows
STILL = 1e-9  # change of the filling of a group that is none


@bare
def start_traps(state: State, new: State, step: float):
    """Let the traps of a new state start a step [s] as those of a settled state are."""
    old, traps = state.traps, new.traps
    traps.step[0] = step
    copy(old.to_left, traps.old_to_left)
    for k in range(old.filling.shape[0]):
        copy(old.away[k], traps.old_away[k])
        copy(old.taken[k], traps.old_taken[k])
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


@bare
def turn_traps(state: State):
    """Forget how rates changed in the step before: the voltage goes on in another way."""
    for k in range(state.traps.filling.shape[0]):
        for j in range(state.traps.filling.shape[1]):
            for row in range(RATES):
                state.traps.slope[k, j, row] = 0.0


@bare
def largest_change(old: TrapState, new: TrapState) -> float:
    """Largest change of the filling of a group."""
    most = 0.0
    for k in range(old.filling.shape[0]):
        for j in range(old.filling.shape[1]):
            most = max(most, abs(new.filling[k, j] - old.filling[k, j]))
    return most


@bare
def limit_of_traps(state: State, new: State, charge: float, most: float, rtol: float, recorded: bool):
    """True where the traps let a step pass, with an error norm of `most`, and the growth of the next one.

    charge : norm of the error by their charge   recorded : curves are drawn through the ends of the steps
    """
    error, growth = max(charge, new.traps.error[0] / rtol), math.inf
    change = largest_change(state.traps, new.traps) if recorded else 0.0
    if change > STILL:
        growth = RECORDED_GROWTH * min(1.0, RECORDED_CHANGE / change)
    if error > 0.0:
        growth = min(growth, SAFETY * error**-0.5)
    return error <= most, growth


@bare
def trap_speed(state: State, rtol: float) -> float:
    """Norm of what traps change in a second, as if it were an error."""
    traps, worst = state.traps, 0.0
    for k in range(traps.filling.shape[0]):
        for j in range(traps.filling.shape[1]):
            if traps.amount[k, j] > 0.0 and traps.away[k, j] != 0.0:
                whole = 0.0
                for row in range(RATES):
                    whole += math.exp(traps.rates[k, j, row])
                worst = max(worst, whole * error_of_filling(traps.away[k, j], traps.filling[k, j]))
    return worst / rtol
