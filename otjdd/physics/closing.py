"""The electrostatics of all columns at frozen ions and a junction voltage, with and without electrons in the film.

Without electrons D(L) is the one unknown of a column (`junction.close`). With them D and band are those of its stack
(`electron_stack`): Newton's iteration from the present ones, with the derivative of the weights where it matters. Charged
traps are filled as the fields ask for, which follow from their charge (`trapped_charge`).
"""

import math

import numpy as np

from otjdd.compiler.decorators import deferred, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.physics.channels.kinetic_traps import fill_traps, have_memory
from otjdd.physics.electron_stack import (
    MOVES,
    column,
    displacement_changes,
    fill_answer_to_voltage,
    linearise,
    own_linear,
)
from otjdd.physics.film_electrons import LEFT, RIGHT
from otjdd.physics.junction import CLOSURE_TOLERANCE, Junction, close, closure_slope
from otjdd.physics.numerics import factor_twos, solve_twos
from otjdd.physics.stack_newton import close_near, solve_stack
from otjdd.physics.state import State, Tangent
from otjdd.physics.trapped_charge import close_with_traps

STEP = 1e-3  # V, of the difference quotient in `response_of_traps`


@inlined
def hold_electrons(junction: Junction) -> bool:
    """True where the film of a junction holds electrons: that of all columns, or of none."""
    return junction.electrons[0].density_of_states > 0.0


@inlined
def hold_traps(state: State) -> bool:
    """True where traps of a junction carry charge."""
    return state.trapped.shape[1] > 0


@detached
def bending(junction: Junction, state: State, k: int) -> float:
    """Upper bound of the bending of the band of column k by its electrons [eV].

    With the closure, a charge in the film changes D by at most itself at any place, and so the band by at most the charge
    times the elastance of the whole stack.
    """
    sheet, n = 0.0, state.electrons[k]
    for i in range(state.c.shape[1]):
        sheet += (n[RIGHT, i] + n[LEFT, i]) * junction.columns.width[k, i]
    P, last = state.P[k], state.c.shape[1]
    slope = closure_slope(junction, k, state.D[k, 0] + P, state.D[k, last] + P, state.eps[k])
    return ELEMENTARY_CHARGE * sheet * slope


@detached
def close_with_electrons(junction: Junction, state: State, k: int, V: float, tolerance: float) -> bool:
    """As `junction.close`, for a film that holds electrons; starts from D and band of the state."""
    has_stack = state.eps[k, 0] > 0.0
    closed = has_stack and close_near(junction, state, k, V, tolerance)
    if not closed:
        closed = solve_stack(junction, state, k, V) > 0
    if closed:
        P = state.P[k]
        state.D_left[k], state.D_right[k] = state.D[k, 0] + P, state.D[k, state.c.shape[1]] + P
    return closed


@detached
def close_all(junction: Junction, state: State, V: float, tolerance: float):
    """Solve the electrostatics of every column at junction voltage V [V], to a tolerance [eV]. Returns a status."""
    state.V[0] = V
    for k in range(state.c.shape[0]):
        if hold_traps(state):
            status = close_with_traps(junction, state, k, V, tolerance)
            if status != Status.DONE:
                return status
        elif hold_electrons(junction):
            if not close_with_electrons(junction, state, k, V, tolerance):
                return Status.NOT_CLOSED
        elif not close(junction, state, k, V, tolerance):
            return Status.NOT_CLOSED
    return Status.DONE


@inlined
def log_change(junction: Junction, tangent: Tangent, k: int, dD: np.ndarray) -> float:
    """Change of ln G of column k along its tangent with the displacements dD (N+1,) at its faces."""
    N = tangent.c.shape[1]
    along = 0.0
    for f in range(N):
        along += tangent.by_S[k, f] * (dD[N] - dD[f])
    return tangent.by_D[k] * dD[N] + along / (junction.ions[k].z * ELEMENTARY_CHARGE)


@detached
def voltage_response(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """d ln(G)/dV [1/V] of column k at frozen ions, the electrons of its film following; nan where the stack is singular."""
    stack, linear, dD = column(state, k), own_linear(state), state.lines[MOVES]
    linear.missing[:] = 0.0  # may be nan behind a stack that did not close, and a share of 0 of nan is nan
    linearise(junction, k, stack, linear)
    fill_answer_to_voltage(junction, k, stack, linear, linear.x)
    if not factor_twos(linear.lower, linear.diagonal, linear.upper):
        return math.nan
    solve_twos(linear.lower, linear.diagonal, linear.upper, linear.x)
    displacement_changes(linear, linear.x, 1.0, 0.0, dD)
    return tangent.by_V[k] + log_change(junction, tangent, k, dD[: state.c.shape[1] + 1])


@deferred
def response_of_traps(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """d ln(G)/dV [1/V] of column k at frozen ions, the charge of its traps following, as a difference over STEP.

    nan where the stack at V_j + STEP does not close. The state is left as it was, to round-off, filling included.
    """
    V, D, trapped, D_right = state.V[0], state.D[k].copy(), state.trapped[k].copy(), state.D_right[k]
    state.V[0] = V + STEP
    closed = close_with_traps(junction, state, k, V + STEP, CLOSURE_TOLERANCE) == Status.DONE
    dD = (state.D[k] - D) / STEP
    state.V[0], state.D_right[k], state.trapped[k] = V, D_right, trapped
    closed = close(junction, state, k, V, CLOSURE_TOLERANCE) and closed
    if have_memory(state):
        fill_traps(junction, state)
    return tangent.by_V[k] + log_change(junction, tangent, k, dD) if closed else math.nan
