"""Fields, current and circuit of a junction at frozen ions, its charge at rest. `charging` has the circuit in time.

    0 = closure(c, D(L), V_j)             one per column
    0 = V - V_j - drop(I(c, D(L), V_j))   one for the junction

ln I is linear along the tangent at the state where the current was evaluated last (`columns`). The current is
evaluated anew only where ln I has changed much along it, and not at all while nothing moves.

The current of the circuit in series is that of the source: what the junction conducts, and what charges it.

The first functions are hooks: what mechanisms add to a settled state, whether a step has led to it or not. What fills with
its fields, the current beside its conductances, its charge (`mechanisms`, `stepping.hooks`).
"""

import math
from typing import NamedTuple

from otjdd import mechanisms
from otjdd.compiler.decorators import ALL, ANY, STATUS, SUM, bare, deferred, detached, hook, inlined, parts_of, spliced
from otjdd.errors import Status
from otjdd.mechanisms.traps.charge import close_with_traps
from otjdd.physics.columns import close_all, conduct_anew, follow_tangent, log_change, tangent_error, voltage_response
from otjdd.physics.junction import (
    CLOSURE_TOLERANCE,
    Junction,
    close,
    closure_slope,
    coupled,
    hold_electrons,
    hold_traps,
)
from otjdd.physics.numerics import OVERFLOW, add_up, copy
from otjdd.physics.state import AT_SOURCE, LOST, Memory, State, Tangent, WayBetween, copy_state

PARTS = parts_of(mechanisms)


@hook(PARTS, ANY, inlined)
def relaxes(state: State) -> bool:
    """True where something follows the fields in a time of its own, with a current of its own: see `fill`."""
    return False


@hook(PARTS, STATUS, bare)
def fill(junction: Junction, state: State):
    """Fill what follows from the fields of a settled state. Returns a status."""
    return Status.DONE


@hook(PARTS, SUM, bare)
def own_current(state: State, k: int) -> float:
    """Current [A] of column k, through the terminals, beside that of its conductances."""
    return 0.0


@bare
def relaxation(state: State) -> float:
    """Current [A] of a settled state beside that of its conductances, which flows at 0 V too."""
    total = 0.0
    for k in range(state.G.size):
        total += own_current(state, k)
    return total


@hook(PARTS, SUM, bare)
def left_charge(junction: Junction, k: int, old: State, new: State) -> float:
    """Change of the charge of the left terminal of column k [C/m2], beyond that of D(0), between two near states."""
    return 0.0


@hook(PARTS, ALL, bare)
def count_charge(junction: Junction, old: State, new: State, between: WayBetween):
    """Count in a settled state the charge that depends on the way to it from another one; between : room for the way"""


VOLTAGE_STEP = 1e-3  # V, of the difference quotient in `response_of_traps`


@deferred
def response_of_traps(junction: Junction, state: State, tangent: Tangent, k: int) -> float:
    """d ln(G)/dV [1/V] of column k at frozen ions, the charge of its traps following, as a difference over VOLTAGE_STEP.

    nan where the stack at V_j + VOLTAGE_STEP does not close. The state is left as it was, to round-off, but
    for what fills with its fields.
    """
    V, D, trapped, D_right = state.V[0], state.D[k].copy(), state.trapped[k].copy(), state.D_right[k]
    state.V[0] = V + VOLTAGE_STEP
    closed = close_with_traps(junction, state, k, V + VOLTAGE_STEP, CLOSURE_TOLERANCE) == Status.DONE
    dD = (state.D[k] - D) / VOLTAGE_STEP
    state.V[0], state.D_right[k], state.trapped[k] = V, D_right, trapped
    closed = close(junction, state, k, V, CLOSURE_TOLERANCE) and closed
    return tangent.by_V[k] + log_change(junction, tangent, k, dD) if closed else math.nan


@detached
def conductance_slope(junction: Junction, state: State, tangent: Tangent) -> float:
    """d ln(G)/dV [1/V] of the junction at frozen ions, D following the closure."""
    total, change = 0.0, 0.0
    for k in range(state.c.shape[0]):
        total += state.G[k]
        if hold_traps(state):
            change += state.G[k] * response_of_traps(junction, state, tangent, k)
        elif hold_electrons(junction):
            change += state.G[k] * voltage_response(junction, state, tangent, k)
        else:
            slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
            change += state.G[k] * (tangent.by_V[k] + tangent.by_D[k] / slope)
    if hold_traps(state):
        fill(junction, state)  # as it was, to round-off
    return change / total if total > 0.0 else 0.0


GIVING_WAY = 1e5  # resistance of the source beyond its compliance, in units of 1 V over the compliance
LEAST_DROP = 1e-6  # V, lost at the compliance at least: a source turns from a voltage into a current within it


@inlined
def stiffness(junction: Junction) -> float:
    """Resistance [ohm] with which the source gives way beyond its compliance; 0 without one."""
    return GIVING_WAY / junction.compliance


@inlined
def resistance(junction: Junction) -> float:
    """Resistance [ohm] in series below the compliance."""
    return max(junction.resistance, LEAST_DROP / junction.compliance)


@inlined
def drop(junction: Junction, current: float):
    """Voltage lost between source and junction at a current [A], and its derivative [ohm]."""
    R = resistance(junction)
    if abs(current) <= junction.compliance:
        return R * current, R
    stiff = stiffness(junction)
    return R * current + math.copysign(stiff * (abs(current) - junction.compliance), current), R + stiff


@bare
def current_of(junction: Junction, lost: float) -> float:
    """Current [A] that loses a voltage [V], both positive: the inverse of `drop`."""
    R = resistance(junction)
    if lost <= R * junction.compliance:
        return lost / R
    stiff = stiffness(junction)
    return (lost + stiff * junction.compliance) / (R + stiff)


@bare
def source_current(junction: Junction, lost: float) -> float:
    """Current [A] of the source, of either sign, that loses a voltage [V]."""
    return math.copysign(current_of(junction, abs(lost)), lost)


@inlined
def at_compliance(junction: Junction, current: float) -> bool:
    """True where the source limits its current [A]."""
    return abs(current) > junction.compliance


VOLTAGE_TOLERANCE = 1e-9  # V, of the circuit equation at recorded times
VOLTAGE_FLOOR = 1e-12  # V, round-off of V_j; it limits the residual where the current is a steep function of V_j
RECORDED_CHANGE = (
    0.01  # largest change of ln I along its tangent where I is recorded: an error of half the square, 5e-5
)
UNRECORDED_CHANGE = 0.5  # the same where only V_j counts, however small the voltage drop
LEAST_CURVATURE = 0.05  # of the measured error of a tangent: an error can cancel by chance
CURVATURE_AGAIN = (
    2.0,
    0.5,
)  # a new curvature is the measured one times the first, and at least the old one times the second
MEASURABLE = 0.01, 1.0  # changes of ln I after which the error of a tangent is measured
LEFT_OUT = 0.5  # share of the allowed error that channels may make which are not evaluated anew when others are
SLOPES_KEPT = 0.2  # largest change of ln I over which a new evaluation of I keeps the slopes of an earlier one
UNRECORDED = 0.01  # residual allowed where no current is recorded, as a share of the allowed error of V_j
FLAT = 0.01  # slope of the residual by V_j; below it the current falls with the voltage as fast as the circuit allows
MOST_TURNS = 3  # evaluations outside the bracket before falling back to bisection
MOST_ATTEMPTS = 100  # currents of one search


class Accuracy(NamedTuple):
    """Accuracy asked of a settled state."""

    allowed: float  # V, error of V_j that may come from following a tangent of the current
    recorded: bool  # True when the current at this state is recorded, and has to be right itself


class Limits(NamedTuple):
    """An Accuracy as `search` uses it."""

    allowed: float  # V, as above
    farthest: float  # largest change of ln I along its tangent
    slack: float  # V, residual of closure and circuit that counts as solved, where it is above round-off
    impedance: float  # ohm, by which an error of the current moves V_j; inf: as the current loses voltage


class Bracket(NamedTuple):
    """Voltages between which the solution lies."""

    low: float
    high: float


@detached
def blur(junction: Junction, state: State, tangent: Tangent, negligible: float) -> float:
    """Uncertainty of V_j [V] caused by the tolerance of the current; its upper bound where that is negligible [V]."""
    current = state.V[0] * add_up(state.G)
    resistance = drop(junction, current + state.charging[0])[1]
    most = junction.energy_tolerance * resistance * abs(current)
    if most <= negligible:
        return most
    slope = 1.0 + resistance * (add_up(state.G) + current * conductance_slope(junction, state, tangent))
    return most / max(slope, 1.0)


@detached
def correction(junction: Junction, V: float, V_source: float, current: float, residual: float, log_slope: float):
    """Distance of V_j above the solution [V], from its residual [V] and the slope d ln(I/V)/dV [1/V].

    Newton's step, with two exceptions. High on an exponential it is only about kT long. Below the limit of the source,
    where the circuit has no drop yet, it overshoots. In both cases the step follows I ~ V^p instead, to the current at
    which the drop of the circuit is the rest of the voltage.
    """
    lost, resistance = drop(junction, current)
    power = 1.0 + V * log_slope
    slope = 1.0 + resistance * current / V * power
    newton = residual / slope if slope > FLAT else residual
    target = current_of(junction, max(abs(V_source - V), 0.1 * abs(V_source)))
    if power <= 0.0 or current == 0.0:
        return newton
    leap = -V * math.expm1(min(-math.log(abs(current) / target) / power, OVERFLOW))
    short = residual * V < 0.0 and abs(leap) < abs(newton)
    return leap if short or abs(lost) > abs(V_source) else newton


@spliced
def at_voltage(
    junction: Junction, state: State, tangent: Tangent, V: float, tolerance: float, limits: Limits, last_tangent: bool
):
    """Close the stack at V_j and set the conductances: along the tangent where that is near enough, else anew.

    last_tangent : the tangent is followed to the end of the search
    Returns a status, and whether the current was evaluated anew.
    """
    closed = close_all(junction, state, V, tolerance)
    if closed != Status.DONE:
        return closed, False
    change = follow_tangent(junction, state, tangent)
    off, near = tangent_error(state, tangent), limits.farthest == RECORDED_CHANGE
    predicted, lost = add_up(state.G), abs(drop(junction, V * add_up(state.G))[0])
    most = 0.5 * limits.farthest * limits.farthest
    near_enough = off <= most
    if last_tangent:  # changes by V_j and D cancel: across a jump of the quadrature only what is left of them counts
        near_enough = near_enough or abs(math.log(predicted / add_up(tangent.G))) <= limits.farthest
        return Status.DONE if near_enough else Status.CIRCUIT_NOT_SOLVED, False
    if limits.impedance < math.inf:
        lost = abs(V * predicted) * limits.impedance
    drop_in_error = lost if near else tangent.curvature[0] * lost
    if near_enough and (off * drop_in_error <= limits.allowed or change <= junction.energy_tolerance):
        return Status.DONE, False
    negligible = LEFT_OUT * min(most, limits.allowed / drop_in_error if drop_in_error > 0.0 else math.inf)
    if not conduct_anew(junction, state, tangent, negligible, -1.0 if near else SLOPES_KEPT):
        return Status.SPECTRUM_NOT_CONVERGED, True
    if predicted > 0.0 and MEASURABLE[0] < change < MEASURABLE[1]:
        curvature = abs(math.log(add_up(state.G) / predicted)) / off
        tangent.curvature[0] = min(
            max(CURVATURE_AGAIN[0] * curvature, CURVATURE_AGAIN[1] * tangent.curvature[0], LEAST_CURVATURE), 1.0
        )
    return Status.DONE, True


@bare
def cut(bracket: Bracket, V: float, up: bool) -> Bracket:
    """The part of a bracket above V (up) or below it."""
    return Bracket(V, bracket.high) if up else Bracket(bracket.low, V)


@bare
def cut_anew(bracket: Bracket, whole: Bracket, V: float, up: bool) -> Bracket:
    """As `cut`, but an end on the wrong side of V goes back to that of the whole."""
    if up:
        return Bracket(V, bracket.high if bracket.high > V else whole.high)
    return Bracket(bracket.low if bracket.low < V else whole.low, V)


@spliced
def search(junction: Junction, state: State, tangent: Tangent, V_source: float, guess: float, limits: Limits):
    """Solve closure and circuit from a guess of V_j, the equations to limits.slack. Returns a status.

    Newton in V_j with the slope of ln I, in one of two brackets. The quadrature makes the current jump by its error from
    one evaluation to the next. A tangent therefore has a bracket of its own: the solution along it may lie on the other
    side of such a jump, or not exist.

        current at V_j                bracket of the tangent           bracket of evaluated currents
        evaluated anew                the whole, cut at V_j            cut at V_j; a V_j outside opens the far end
        along the tangent, inside     cut at V_j                       cut at V_j
        along the tangent, outside    cut at V_j                       unchanged

    A short step (limits.farthest) stays in the bracket of the tangent, a longer one in the other. When the evaluated
    currents enclose a jump, the search follows the last tangent to its end, and the bracket of the tangent opens once more.
    When that bracket closes, the error of V_j is the tolerance of the stack.
    """
    whole = Bracket(min(0.0, V_source), max(0.0, V_source))
    along, evaluated = whole, whole
    V = guess if whole.low < guess < whole.high else V_source
    tolerance = max(CLOSURE_TOLERANCE, limits.slack)
    residual_before, turns, last_tangent = math.inf, 0, False
    for attempt in range(MOST_ATTEMPTS):
        status, fresh = at_voltage(junction, state, tangent, V, tolerance, limits, last_tangent)
        if status != Status.DONE:
            return status
        current = V * add_up(state.G)
        residual = V + drop(junction, current)[0] - V_source
        if abs(residual) <= max(VOLTAGE_TOLERANCE, limits.slack):
            return Status.DONE
        log_slope = conductance_slope(junction, state, tangent)
        rate = abs(log_slope) + 1.0 / abs(V)  # of ln I
        steep = 1.0 + abs(drop(junction, current)[1] * current) * rate
        if abs(residual) <= VOLTAGE_FLOOR * steep:
            return Status.DONE
        tolerance = min(tolerance, max(CLOSURE_TOLERANCE, limits.slack / steep))  # also beside a corner of the drop
        up = residual < 0.0
        if fresh:
            turns += not evaluated.low <= V <= evaluated.high  # a jump, or a current that falls with the voltage
            along = whole
        if fresh or evaluated.low < V < evaluated.high:
            evaluated = cut_anew(evaluated, whole, V, up)
        along = cut(along, V, up)
        move, V_before = correction(junction, V, V_source, current, residual, log_slope), V
        if not last_tangent and (evaluated.high - evaluated.low) * rate <= junction.energy_tolerance:
            last_tangent, move = True, math.copysign(min(abs(move), 0.5 * limits.farthest / rate), move)
            along = cut(whole, V, up)
        V -= move
        slow = False
        if attempt % 4 == 3 and not last_tangent:  # the two kinds of steps can alternate for ever
            slow, residual_before = abs(residual) > 0.1 * residual_before, abs(residual)
        near = abs(move) * rate <= limits.farthest and turns <= MOST_TURNS
        bounds = along if last_tangent or near else evaluated
        if slow or V in (0.0, V_before) or not bounds.low <= V <= bounds.high:  # at 0 V there is no slope of ln I
            bounds = bounds if bounds.low < bounds.high else evaluated
            V = 0.5 * (bounds.low + bounds.high)
        if last_tangent and V == V_before:  # what is left is round-off of a stack
            return Status.DONE if abs(residual) <= VOLTAGE_TOLERANCE * steep else Status.CIRCUIT_NOT_SOLVED
    return Status.CIRCUIT_NOT_SOLVED


@detached
def settle_fields(
    junction: Junction, state: State, tangent: Tangent, V_source: float, guess: float, accuracy: Accuracy
):  # fmt: skip
    """As `settle`, but for the filling of traps that takes time.

    The equations hold to round-off where the current is recorded, else to UNRECORDED of the allowed error of V_j. Tangents
    followed far can cycle, where the current oscillates with the voltage and the source limits it sharply. The search is
    then repeated with tangents followed to RECORDED_CHANGE only, from a fresh one.
    """
    allowed = accuracy.allowed
    farthest, slack = (RECORDED_CHANGE, 0.0) if accuracy.recorded else (UNRECORDED_CHANGE, UNRECORDED * allowed)
    if not coupled(junction) or V_source == 0.0:
        return close_all(junction, state, V_source, max(CLOSURE_TOLERANCE, slack))
    status = Status.CIRCUIT_NOT_SOLVED
    for again in range(2):
        limits = Limits(allowed, RECORDED_CHANGE if again else farthest, slack, math.inf)
        status = search(junction, state, tangent, V_source, guess, limits)
        if status != Status.CIRCUIT_NOT_SOLVED:
            break
        tangent.V[:] = math.nan
    return status


@detached
def settle(junction: Junction, state: State, tangent: Tangent, V_source: float, guess: float, accuracy: Accuracy):
    """Solve closure and circuit at frozen ions; the state then holds fields, D, V_j, G and the filling of its traps.

    Nothing charges the junction any more. Returns a status.
    """
    state.charging[0] = 0.0
    status = settle_fields(junction, state, tangent, V_source, guess, accuracy)
    return fill(junction, state) if status == Status.DONE else status


@bare
def idle(V: float, V_source: float, accuracy: Accuracy) -> bool:
    """True where V_j [V] is nothing beside its allowed error whatever current passes, as at 0 V while ions relax."""
    return not accuracy.recorded and max(abs(V), abs(V_source)) <= UNRECORDED * accuracy.allowed


@detached
def stay(junction: Junction, state: State, tangent: Tangent, accuracy: Accuracy):
    """Settle a state at its own V_j, with its current where there is one. Returns a status."""
    farthest = RECORDED_CHANGE if accuracy.recorded else UNRECORDED_CHANGE
    slack = 0.0 if accuracy.recorded else UNRECORDED * accuracy.allowed
    limits, tolerance = Limits(accuracy.allowed, farthest, slack, math.inf), max(CLOSURE_TOLERANCE, slack)
    V = state.V[0]
    if V == 0.0 or idle(V, V, accuracy):
        status = close_all(junction, state, V, tolerance)
    else:
        status = at_voltage(junction, state, tangent, V, tolerance, limits, False)[0]
    return fill(junction, state) if status == Status.DONE else status


@detached
def start_way(junction: Junction, state: State, between: WayBetween) -> bool:
    """Let a settled state be the start of a way to another one. Returns whether its film electrons take charge on it."""
    counted = hold_electrons(junction) and state.eps[0, 0] > 0.0
    if counted:
        copy_state(state, between.old)
    return counted


@bare
def end_way(junction: Junction, state: State, between: WayBetween, counted: bool, status: Status):
    """Count the charge that film electrons took on the way to a state, settled with a status. Returns that status."""
    if counted and status == Status.DONE:
        count_charge(junction, between.old, state, between)
    return status


@detached
def settle_along(
    junction: Junction, state: State, tangent: Tangent, between: WayBetween, V_source: float, guess: float,
    accuracy: Accuracy,
):  # fmt: skip
    """As `settle`, for a state that is settled elsewhere; see `end_way`."""
    counted = start_way(junction, state, between)
    return end_way(junction, state, between, counted, settle(junction, state, tangent, V_source, guess, accuracy))


@detached
def resettle(
    junction: Junction, state: State, tangent: Tangent, between: WayBetween, V_source: float, accuracy: Accuracy
):  # fmt: skip
    """Settle a state whose ions, or whose tangent, are others: at its V_j, or at the source where nothing is in series.

    See `end_way`. Returns a status.
    """
    if not coupled(junction):
        return settle_along(junction, state, tangent, between, V_source, state.V[0], accuracy)
    counted = start_way(junction, state, between)
    return end_way(junction, state, between, counted, stay(junction, state, tangent, accuracy))


@detached
def jump_to(
    junction: Junction, state: State, tangent: Tangent, memory: Memory, between: WayBetween, V_source: float,
    accuracy: Accuracy,
):  # fmt: skip
    """Settle at a source voltage, the ions where they are. Returns a status.

    The search starts from the loss and along the tangent at the nearest of the voltages in the memory, which is updated:
    a pulse finds the tangent of the pulse before, a read that of the read before.
    """
    losses, place = memory.losses, memory.place
    nearest = 0
    for i in range(losses.shape[0]):
        if abs(losses[i, AT_SOURCE] - V_source) < abs(losses[nearest, AT_SOURCE] - V_source):
            nearest = i
    if losses[place[0], AT_SOURCE] != V_source:
        copy(tangent.values, memory.tangents[place[0]])
        if nearest != place[0]:
            copy(memory.tangents[nearest], tangent.values)
    guess = V_source - losses[nearest, LOST]
    status = settle_along(junction, state, tangent, between, V_source, guess, accuracy)
    place[0] = nearest
    if losses[nearest, AT_SOURCE] != V_source:
        for i in range(losses.shape[0] - 1, -1, -1):
            if losses[i, AT_SOURCE] == math.inf:
                place[0] = i
    losses[place[0], AT_SOURCE], losses[place[0], LOST] = V_source, V_source - state.V[0]
    return status
