"""The electrostatics of all columns at frozen ions and a junction voltage, with and without electrons in the film.

Without electrons D(L) is the one unknown of a column (`junction.close`). With them D and band are those of its stack
(`electron_stack`), found from where they are: Newton's iteration, with the derivative of the weights where it counts.
"""

import math

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.banded import factor_banded, solve_banded
from otjdd.physics.electron_stack import (
    LOWER,
    ON_LEFT,
    UPPER,
    column,
    exact_matrix,
    exact_step,
    lay_bands,
    solve_stack,
    static_rows,
    static_step,
    straight_band,
    weights_count,
)
from otjdd.physics.film_electrons import BY_VOLTAGE
from otjdd.physics.jit import bare, detached
from otjdd.physics.junction import Junction, close
from otjdd.physics.numerics import factor_tridiagonal, solve_tridiagonal
from otjdd.physics.state import State, Tangent

NEAR = 12  # iterations from a near guess before the search begins anew
EXACT, FROZEN = 1e-4, 5e-2  # of a step, what it is off by for a table of F, and for weights that are held


@bare
def hold_electrons(junction: Junction) -> bool:
    """True where the film of a junction holds electrons."""
    return junction.electrons.density_of_states > 0.0


@bare
def close_near(junction, k, c, V, stack, tolerance):
    """Newton's iteration for a stack from near its solution, to a tolerance [eV] of the band. Returns success."""
    lay_bands(junction, k, V, stack)
    for _ in range(NEAR):
        if weights_count(junction, k, c, stack):
            longest, share = exact_step(junction, k, c, stack), EXACT
        else:
            static_rows(junction, k, c, stack.still, stack)
            longest, share = static_step(junction, stack), FROZEN
        if not longest < math.inf:
            return False
        lay_bands(junction, k, V, stack)
        if longest * max(share, longest / junction.kT) <= tolerance:
            return True
    return False


@detached
def close_with_electrons(junction: Junction, state: State, k: int, V: float, tolerance: float) -> bool:
    """As `junction.close`, for a film that holds electrons; starts from D and band of the state."""
    stack, c = column(state, k), state.c[k]
    found = stack.eps[0] > 0.0 and close_near(junction, k, c, V, stack, tolerance)
    if not found:
        straight_band(junction, k, V, stack)
        stack.guess[0, :], stack.guess[1, :] = 0.0, 1.0
        found = solve_stack(junction, k, c, V, stack) > 0
    if found:
        state.D_left[k], state.D_right[k] = stack.D[0], stack.D[c.size]
    return found


@detached
def close_all(junction: Junction, state: State, V: float, tolerance: float) -> bool:
    """Solve the electrostatics of every column at junction voltage V [V], to a tolerance [eV]. Returns success."""
    state.V[0] = V
    for k in range(state.c.shape[0]):
        if hold_electrons(junction):
            if not close_with_electrons(junction, state, k, V, tolerance):
                return False
        elif not close(junction, state, k, V, tolerance):
            return False
    return True


@bare
def log_change(junction: Junction, tangent: Tangent, k: int, dD: np.ndarray, stride: int) -> float:
    """Change of ln G of column k along its tangent with the displacements dD at its faces, every stride-th of an array."""
    N = tangent.c.shape[1]
    per_charge, along = 1.0 / (junction.ions.z * ELEMENTARY_CHARGE), 0.0
    for f in range(N):
        along += tangent.by_S[k, f] * (dD[stride * N] - dD[stride * f])
    return tangent.by_D[k] * dD[stride * N] + per_charge * along


@detached
def voltage_response(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """d ln(G)/dV [1/V] of column k at frozen ions, the electrons of its film following; nan where the stack is singular."""
    stack, c = column(state, k), state.c[k]
    if weights_count(junction, k, c, stack):
        exact_matrix(junction, k, stack)
        x, stride = stack.solution, 3
    else:
        static_rows(junction, k, c, stack.still, stack)
        x, stride = stack.rest, 2
    x[:] = 0.0
    x[0] = -1.0
    for i in range(c.size):
        x[stride * i + 1] = -ELEMENTARY_CHARGE * junction.columns.width[k, i] * stack.electrons[BY_VOLTAGE, i]
    if stride == 3:
        x[2] = -stack.slopes[ON_LEFT, 0]
        good = factor_banded(stack.matrix, LOWER, UPPER)
        solve_banded(stack.matrix, LOWER, UPPER, x)
    else:
        good = factor_tridiagonal(stack.lower, stack.diagonal, stack.upper, x.size)
        solve_tridiagonal(stack.lower, stack.diagonal, stack.upper, x, x.size)
    return tangent.by_V[k] + log_change(junction, tangent, k, x, stride) if good else math.nan
