"""The circuit in time: the source charges the junction through what is in series with it.

    V - V_j = drop(I + dQ/dt)

Q is the charge that came from the source: that of the left terminal of all columns, and of the capacitance beside them. V_j
is a variable of the state. In a step of time the equation has dQ/dt from the stages of the step (`stepping.rosenbrock`). At
its end it is solved once more with the current of the state that it leads to (`settle_charging`): what Q differs by from
that of the stages passes in the time of the step. A step far longer than the charging leads to Q itself in that way.
"""

import math
from typing import NamedTuple

from otjdd.compiler.decorators import bare, detached
from otjdd.errors import Status
from otjdd.physics.columns import close_all
from otjdd.physics.junction import CLOSURE_TOLERANCE, Junction, closure_slope, hold_traps
from otjdd.physics.numerics import add_up
from otjdd.physics.quasistatic import (
    FLAT,
    RECORDED_CHANGE,
    UNRECORDED,
    UNRECORDED_CHANGE,
    VOLTAGE_FLOOR,
    VOLTAGE_TOLERANCE,
    Accuracy,
    Limits,
    at_voltage,
    conductance_slope,
    drop,
    fill,
    idle,
    left_charge,
    relaxation,
    relaxes,
    source_current,
)
from otjdd.physics.state import State, Tangent

MOST_ATTEMPTS = 30  # junction voltages of one search
MOST_TURNS = 10  # searches until the current of traps that relax fits the voltage to which it leads
SAME_VOLTAGE = 1e-9  # V, between which charges do not tell a capacitance


class Charging(NamedTuple):
    """What charges the junction at the end of a step: current + (charge that came in the step - charge) per_time."""

    current: float  # A
    charge: float  # C
    per_time: float  # 1/s
    capacitance: float  # F, dQ/dV_j about


@detached
def charge_between(junction: Junction, old: State, new: State) -> float:
    """Charge [C] that came from the source between two near states, the second one settled or a stage of a step."""
    total = junction.capacitance * (new.V[0] - old.V[0])
    for k in range(old.c.shape[0]):
        charge = new.D_left[k] - old.D_left[k] + left_charge(junction, k, old, new)
        total += junction.area * junction.columns.weight[k] * charge
    return total


@detached
def capacitance(junction: Junction, state: State) -> float:
    """dQ/dV_j [F] of a settled state at frozen ions, the electrons of its film left out."""
    total = junction.capacitance
    for k in range(state.c.shape[0]):
        slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
        total += junction.area * junction.columns.weight[k] / slope
    return total


@bare
def conduction(state: State) -> float:
    """Current [A] of a settled state that does not charge it."""
    return state.V[0] * add_up(state.G) + relaxation(state)


@detached
def search_charging(
    junction: Junction, old: State, state: State, tangent: Tangent, V_source: float, guess: float, charging: Charging,
    accuracy: Accuracy,
):  # fmt: skip
    """Solve closure and circuit for V_j near a guess, the traps that relax as they are. old : before the step

    Returns a status, and dV_j/dI [ohm]. Newton's method within a bracket. Where the current falls with the voltage so
    steeply that the junction does not come to rest in the time of the step there is no solution near the guess.
    """
    farthest = RECORDED_CHANGE if accuracy.recorded else UNRECORDED_CHANGE
    slack, C = 0.0 if accuracy.recorded else UNRECORDED * accuracy.allowed, charging.capacitance
    V, low, high, V_before, Q_before, traps = guess, -math.inf, math.inf, math.nan, 0.0, relaxation(state)
    r = drop(junction, source_current(junction, V_source - V))[1]
    slope = 1.0 + r * (add_up(state.G) + C * charging.per_time)
    steep = slope
    for _ in range(MOST_ATTEMPTS):
        most = (abs(V_source) + abs(V)) / max(abs(V) * add_up(state.G), 1e-300)
        limits = Limits(accuracy.allowed, farthest, slack, min(r / (1.0 + r * C * charging.per_time), most))
        tolerance = max(CLOSURE_TOLERANCE, slack / steep)
        if idle(V, V_source, accuracy):
            status = close_all(junction, state, V, tolerance)
        else:
            status = at_voltage(junction, state, tangent, V, tolerance, limits, False)[0]
        if status != Status.DONE:
            return status, 0.0
        if relaxes(state) and hold_traps(state):  # the electrons on them came with this closure
            status = fill(junction, state)
            if status != Status.DONE:
                return status, 0.0
        Q, G = charge_between(junction, old, state), add_up(state.G)
        if abs(V - V_before) > SAME_VOLTAGE and (Q - Q_before) * (V - V_before) > 0.0:
            C = (Q - Q_before) / (V - V_before)
        rest = charging.current + (Q - charging.charge) * charging.per_time
        lost, r = drop(junction, V * G + traps + rest)
        residual, by_V = V + lost - V_source, conductance_slope(junction, state, tangent)
        slope = 1.0 + r * (G + V * G * by_V + C * charging.per_time)
        steep = 1.0 + r * (G + abs(V * G * by_V) + C * charging.per_time)
        if abs(residual) <= max(VOLTAGE_TOLERANCE, slack * slope) or abs(residual) <= VOLTAGE_FLOOR * steep:
            state.charging[0] = rest
            return Status.DONE, r / max(slope, 1.0)
        if slope <= FLAT:
            return Status.CIRCUIT_NOT_SOLVED, 0.0
        if residual < 0.0:
            low, high = V, high if high > V else math.inf
        else:
            low, high = low if low < V else -math.inf, V
        V_before, Q_before = V, Q
        V -= residual / slope
        if not low < V < high:
            V = 0.5 * (low + high)
        if not abs(V) < math.inf or V == V_before:
            return Status.CIRCUIT_NOT_SOLVED, 0.0
    return Status.CIRCUIT_NOT_SOLVED, 0.0


@detached
def settle_charging(
    junction: Junction, old: State, state: State, tangent: Tangent, V_source: float, guess: float, charging: Charging,
    accuracy: Accuracy,
):  # fmt: skip
    """Solve closure and circuit at the end of a step; the state then holds fields, V_j, G, charging and filling of traps.

    old : before the step   guess : [V] of V_j, near the solution   Returns a status.
    """
    V = guess
    for _ in range(MOST_TURNS):
        before = relaxation(state)
        status, by_current = search_charging(junction, old, state, tangent, V_source, V, charging, accuracy)
        if status != Status.DONE or not relaxes(state):
            return status
        charge = charge_between(junction, old, state)
        status = fill(junction, state)
        if status != Status.DONE:
            return status
        came = (charge_between(junction, old, state) - charge) * charging.per_time
        off, V = (abs(relaxation(state) - before) + abs(came)) * by_current, state.V[0]
        if not off < math.inf:
            return Status.SPECTRUM_NOT_CONVERGED
        if off <= max(VOLTAGE_TOLERANCE, UNRECORDED * accuracy.allowed * (not accuracy.recorded)):
            return Status.DONE
    return Status.CIRCUIT_NOT_SOLVED
