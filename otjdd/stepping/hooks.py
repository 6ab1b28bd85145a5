"""Hooks: what the mechanisms add to a time step, in the order of a step. The stepper knows no more of them.

    polarisation    changes with the ions within a step, by their Jacobian (`rosenbrock`)
    traps           filled with the fields at the end of a step, by the rates there and at its start
    heat            the temperature follows the power at the end of a step, which follows it; corrected until both agree
    electrons       in balance with their contact at any time; where they change sides, the stack leaps
    single ions     hop at random around the smooth end of a step, which is settled with them

A hook is a kernel that calls the functions of its name in all mechanisms that have one.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from otjdd.compiler.decorators import ALL, ANY, LIMIT, STATUS, WORST, bare, detached, hook, inlined
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.errors import Status
from otjdd.mechanisms.heat import AGREED
from otjdd.physics.columns import ensure_current
from otjdd.physics.junction import Junction
from otjdd.physics.quasistatic import PARTS, count_charge
from otjdd.physics.state import State, Tangent, copy_state
from otjdd.stepping.rosenbrock import Trial


@by_pointer
class Control(NamedTuple):
    """Error control of the time steps, see `step_control.norm_of`."""

    rtol: float
    atol: float  # 1/m3
    max_steps: int  # of one call
    outside: float  # share of the ions that concentrations beyond their bounds may stand for
    most: float = 1.0  # error norm up to which a step is accepted


def plain(function: Any) -> Any:
    """Decorator of hooks that are called between runs and are no kernels."""
    return function


@hook(PARTS, ALL, plain)
def begin_run(junction: Junction, state: State, start: dict[str, np.ndarray]) -> None:
    """Set what follows, where a run begins, from the memory that `start` puts into a state, by name."""


@hook(PARTS, ALL, plain)
def at_temperature(before: Junction, after: Junction, memory: dict[str, np.ndarray]) -> None:
    """Turn the memory of a state, by name, into that of its junction at another temperature, the ions where they are."""


@hook(PARTS, STATUS, detached)
def begin_piece(junction: Junction, state: State, tangent: Tangent):
    """Prepare a settled state for a piece of the waveform. Returns a status."""
    return Status.DONE


@hook(PARTS, ALL, bare)
def begin_step(junction: Junction, state: State):
    """Prepare a settled state for a step."""


@hook(PARTS, WORST, bare)
def speed(junction: Junction, state: State, rtol: float, recorded: bool) -> float:
    """Norm of what changes in a second by itself, see `step_control.norm_of`. recorded : curves are drawn through steps"""
    return 0.0


@hook(PARTS, ALL, bare)
def predict(junction: Junction, state: State, new: State, step: float):
    """Predict into a new state what follows from the end of a step [s]."""


@hook(PARTS, ALL, bare)
def use_mean(junction: Junction, state: State, new: State):
    """Let both states of a step be as it is on average, for its stages."""


@hook(PARTS, ALL, bare)
def use_end(junction: Junction, state: State, new: State):
    """Let both states of a step be as it is at its end."""


@hook(PARTS, WORST, bare)
def step_error(junction: Junction, state: State, trial: Trial, rtol: float) -> float:
    """Norm of the error of a step before its end is settled; 1 is the limit."""
    return 0.0


@hook(PARTS, LIMIT, bare)
def step_limit(junction: Junction, state: State, trial: Trial, step: float, rtol: float, recorded: bool):
    """True where a step [s] may pass, and the growth that is allowed, 1 and less after a step too long.

    recorded : curves are drawn through the ends of the steps
    """
    return True, math.inf


@hook(PARTS, ALL, bare)
def start_end(state: State, new: State, step: float):
    """Prepare a new state, which a step [s] leads to from a settled one, for being settled itself."""


@hook(PARTS, LIMIT, bare)
def settled_limit(
    junction: Junction, state: State, new: State, tangent: Tangent, charge: float, control: Control, observed: bool,
    recorded: bool,
):  # fmt: skip
    """As `step_limit`, by what was settled at the end of a step.

    charge : norm of the error by the charge of traps   observed : a current is recorded, now or at the end of the piece
    """
    return True, math.inf


@hook(PARTS, ANY, inlined)
def is_random(trial: Trial) -> bool:
    """True where something moves at random after what a step moves smoothly, see the next hooks."""
    return False


@hook(PARTS, LIMIT, bare)
def random_limit(junction: Junction, state: State, trial: Trial, growth: float):
    """As `step_limit`, by what a smooth step changes where something is random. growth : of the step otherwise"""
    return True, math.inf


@hook(PARTS, STATUS, bare)
def move_at_random(junction: Junction, state: State, trial: Trial, step: float):
    """Move in trial.state what moves at random in a step [s], and let it be settled anew. Returns a status."""
    return Status.DONE


@hook(PARTS, STATUS, bare)
def settled_anew(junction: Junction, new: State, tangent: Tangent):
    """Set what a new state has of its fields and its current, which are others than at the end of the smooth step."""
    return Status.DONE


@hook(PARTS, ALL, bare)
def show_random(junction: Junction, state: State, trial: Trial):
    """Let a state hold what is random as it is, to be settled and recorded."""


@hook(PARTS, ALL, bare)
def hide_random(junction: Junction, state: State, trial: Trial):
    """Let a state hold what is smooth again, to be settled."""


@hook(PARTS, ALL, bare)
def accepted(junction: Junction, state: State, trial: Trial):
    """Let trial.state, to which a step leads from a state, be the start of the next one."""


@bare
def accept(junction: Junction, trial: Trial, state: State):
    """Copy the end of a step to a state, the start of the next one."""
    accepted(junction, state, trial)
    count_charge(junction, state, trial.state, trial.between)
    copy_state(trial.state, state)


@hook(PARTS, ANY, inlined)
def follow_end(junction: Junction) -> bool:
    """True where a variable follows from the end of a step and acts on it: `predict`, then `correct` until both agree."""
    return False


@hook(PARTS, WORST, bare)
def correct(junction: Junction, state: State, new: State, step: float) -> float:
    """Correct the predictions of a new state that was settled with them. Returns how far they were off.

    Relative; inf where no step of this length [s] has an end. AGREED counts as none.
    """
    return 0.0


@detached
def correct_all(junction: Junction, state: State, new: State, tangent: Tangent, step: float):
    """As `correct`, with the current of the new state. Returns a status as well."""
    status = ensure_current(junction, new, tangent)
    if status != Status.DONE:
        return status, math.inf
    return status, correct(junction, state, new, step)


@hook(PARTS, WORST, bare)
def uncertain(junction: Junction, new: State) -> float:
    """Relative distance between predictions and the end that the tolerance of the current may leave."""
    return 0.0


@bare
def agree(junction: Junction, new: State, off: float) -> bool:
    """True where predictions were off by no more than what the tolerance of the current may leave."""
    return off <= max(AGREED, uncertain(junction, new))


@hook(PARTS, ALL, bare)
def end_step(junction: Junction, state: State, new: State):
    """Set a new state, whose predictions agree with its end, to what follows from the end."""


@hook(PARTS, WORST, bare)
def end_error(junction: Junction, state: State, new: State, step: float, motion: float, rtol: float) -> float:
    """Norm of the error of a step [s] by its predictions. motion : norm of what the ions have moved"""
    return 0.0


@hook(PARTS, ANY, inlined)
def may_leap(junction: Junction) -> bool:
    """True where the stack may leap from one solution to another."""
    return False


@hook(PARTS, STATUS, detached)
def after_leap(junction: Junction, state: State, new: State, tangent: Tangent, step: float):
    """Set a new state to what follows from a leap of a step [s], settled as before it. Returns a status."""
    return Status.DONE


@hook(PARTS, ALL, bare)
def fill_row(junction: Junction, state: State, row: np.ndarray):
    """Add what mechanisms have of a settled state to a row of the time series, which holds the charge of the electrodes."""


@hook(PARTS, STATUS, bare)
def bounds(state: State):
    """A status: DONE, or the failure where a variable of a state leaves its bounds."""
    return Status.DONE
