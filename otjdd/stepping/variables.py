"""The variables of the state beside concentrations and fields: what each adds to a time step. The stepper knows only these.

    polarisation    `polarisation_step`: changes with the ions within a step, by their Jacobian
    traps           `trap_step`: filled with the fields at the end of a step, by the rates there and at its start
    temperature     `heat_step`: follows the power at the end of a step, which follows it; corrected until both agree
    electrons       `electron_step`: in balance with their contact at any time; where they change sides, the stack leaps

To add one: its arrays in `physics.state.State`, what it adds to a step in a module beside this one, and a line in each of
the functions below in which it has a part. They stand in the order of a step. Arrays of a variable that a junction does not
have are of size 0, so that loops over them do nothing.
"""

import math

from otjdd.compiler.decorators import bare, detached, inlined
from otjdd.errors import Status
from otjdd.physics.channels.kinetic_traps import have_memory
from otjdd.physics.closing import hold_electrons
from otjdd.physics.heat import heated, hottest, warm
from otjdd.physics.junction import Junction
from otjdd.physics.quasistatic import ensure_current
from otjdd.physics.state import State, Tangent, copy_state
from otjdd.stepping.control import Control
from otjdd.stepping.heat_step import (
    AGREED,
    begin_heat,
    correct_heat,
    end_heat,
    heat_after_leap,
    heat_error,
    predict_heat,
    uncertain_heat,
)
from otjdd.stepping.polarisation_step import aim, limit_of_polarisation, polarisation_error, polarisation_speed
from otjdd.stepping.rosenbrock import Trial
from otjdd.stepping.trap_step import limit_of_traps, start_traps, stop_traps, trap_speed, turn_traps

HOTTEST = 3000.0  # K, where a run ends


@detached
def begin_piece(junction: Junction, state: State, tangent: Tangent):
    """Prepare a settled state for a piece of the waveform. Returns a status."""
    if have_memory(state):
        turn_traps(state)
    return begin_heat(junction, state, tangent) if heated(junction) else Status.DONE


@bare
def begin_step(junction: Junction, state: State):
    """Prepare a settled state for a step."""
    aim(junction, state)


@bare
def speed(junction: Junction, state: State, rtol: float, recorded: bool) -> float:
    """Norm of what changes in a second by itself, see `error_norm.norm_of`. recorded : curves are drawn through steps"""
    own = polarisation_speed(junction, state, rtol)
    return max(own, trap_speed(state, rtol)) if recorded else own


@bare
def predict(junction: Junction, state: State, new: State, step: float):
    """Predict into a new state what follows from the end of a step [s]."""
    predict_heat(junction, state, new, step)


@bare
def use_mean(junction: Junction, new: State):
    """Let the junction be as it is on average within the step that leads to a new state."""
    warm(junction, new.heat.mean)


@bare
def use_end(junction: Junction, state: State):
    """Let the junction be as it is at a state."""
    warm(junction, state.heat.temperature)


@bare
def step_error(junction: Junction, state: State, trial: Trial, rtol: float) -> float:
    """Norm of the error of a step before its end is settled; 1 is the limit."""
    return polarisation_error(junction, state, trial.work.polar, rtol)


@bare
def step_limit(junction: Junction, state: State, trial: Trial, step: float, rtol: float, recorded: bool):
    """True where a step [s] may pass, and the growth that is allowed, 1 and less after a step too long.

    recorded : curves are drawn through the ends of the steps
    """
    polar = trial.work.polar
    return limit_of_polarisation(junction, state, trial.state, polar, step, rtol, recorded)


@bare
def start_end(state: State, new: State, step: float):
    """Prepare a new state, which a step [s] leads to from a settled one, for being settled itself."""
    if have_memory(state):
        start_traps(state, new, step)


@bare
def settled_limit(
    junction: Junction, state: State, new: State, tangent: Tangent, charge: float, control: Control, observed: bool,
    recorded: bool,
):  # fmt: skip
    """As `step_limit`, by what was settled at the end of a step.

    charge : norm of the error by the charge of traps   observed : a current is recorded, now or at the end of the piece
    """
    return limit_of_traps(junction, state, new, tangent, charge, control, observed, recorded)


@bare
def accept(new: State, state: State):
    """Copy the end of a step to a state, the start of the next one."""
    copy_state(new, state)
    if have_memory(state):
        stop_traps(state)


@inlined
def follow_end(junction: Junction) -> bool:
    """True where a variable follows from the end of a step and acts on it: `predict`, then `correct` until both agree."""
    return heated(junction)


@detached
def correct(junction: Junction, state: State, new: State, tangent: Tangent, step: float):
    """Correct the predictions of a new state that was settled with them. Returns a status, and how far they were off.

    Relative; inf where no step of this length [s] has an end. AGREED counts as none.
    """
    status = ensure_current(junction, new, tangent)
    if status != Status.DONE:
        return status, math.inf
    return status, correct_heat(junction, state, new, step)


@bare
def agree(junction: Junction, new: State, off: float) -> bool:
    """True where predictions were off by no more than what the tolerance of the current may leave."""
    return off <= max(AGREED, uncertain_heat(junction, new))


@bare
def end_step(junction: Junction, new: State):
    """Set a new state, whose predictions agree with its end, and the junction to what follows from the end."""
    end_heat(junction, new)


@bare
def end_error(junction: Junction, state: State, new: State, step: float, motion: float, rtol: float) -> float:
    """Norm of the error of a step [s] by its predictions. motion : norm of what the ions have moved"""
    return heat_error(junction, state, new, step, motion, rtol)


@inlined
def may_leap(junction: Junction) -> bool:
    """True where the stack may leap from one solution to another."""
    return hold_electrons(junction)


@detached
def after_leap(junction: Junction, state: State, new: State, tangent: Tangent, step: float):
    """Set a new state to what follows from a leap of a step [s], settled as before it. Returns a status."""
    return heat_after_leap(junction, state, new, tangent, step) if heated(junction) else Status.DONE


@bare
def bounds(state: State):
    """A status: DONE, or the failure where a variable of a state leaves its bounds."""
    return Status.TOO_HOT if hottest(state) > HOTTEST else Status.DONE
