"""Fields, current and circuit of a junction at frozen ions: what has to hold at every accepted time.

    0 = closure(c, D(L), V_j)          one per column
    0 = V - V_j - drop(I(c, D(L), V_j))   one for the junction

The logarithm of the current is linear in the state along its tangent at the state where it was evaluated last, so it is
evaluated anew only where ln I has changed much, and not at all while nothing moves.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.physics.current import thinned
from otjdd.physics.jit import apart, bare, detached, inlined, spliced
from otjdd.physics.junction import (
    CLOSURE_TOLERANCE,
    close,
    closure_slope,
    column_spectrum,
    conductance,
    log_conductance_slopes,
)
from otjdd.physics.numerics import add_up, copy

# Numbers of otjdd.errors.Status, which has their words and what to try.
DONE, PAUSED, STEP_TOO_SMALL, NOT_CLOSED, CIRCUIT_NOT_SOLVED, SPECTRUM_NOT_CONVERGED, NOT_FINITE = range(7)

VOLTAGE_TOLERANCE = 1e-9  # V, of the circuit equation at recorded times
VOLTAGE_FLOOR = 1e-12  # V, of V_j itself: where the current is a steep function of it, its round-off
TRUST = 0.01  # largest change of ln I along its tangent where it is wanted: it is then off by half the square, 5e-5
FARTHEST = 0.5  # the same where only V_j is wanted, however small the voltage drop
FLAT = 0.01  # slope of the residual by V_j; below it the current falls with the voltage as fast as the circuit allows
MOST_TURNS = 3  # currents outside of their bracket before it is closed by them alone


class State(NamedTuple):
    """State of all columns, arrays changed in place; only c is memory, the rest follows from it and the voltage."""

    c: np.ndarray  # (K, N) 1/m3
    D_right: np.ndarray  # (K,) C/m2
    D_left: np.ndarray  # (K,)
    D: np.ndarray  # (K, N+1) C/m2
    E: np.ndarray  # (K, N+1) V/m
    eps: np.ndarray  # (K, N+1) F/m
    guess: np.ndarray  # (K, 2, N+1) of `electrostatics.fields`
    G: np.ndarray  # (K,) chord conductance I/V_j of each column [S]
    V: np.ndarray  # (1,) junction voltage V_j


class Tangent(NamedTuple):
    """ln of the chord conductance of every column, linear around the state at which it was evaluated last."""

    V: np.ndarray  # (1,) junction voltage there; nan: nothing evaluated yet
    D: np.ndarray  # (K,) D(L) there
    c: np.ndarray  # (K, N) concentrations there
    G: np.ndarray  # (K,) I/V [S] there
    by_V: np.ndarray  # (K,) d ln G/dV
    by_D: np.ndarray  # (K,) d ln G/dD(L)
    by_S: np.ndarray  # (K, N+1) d ln G/dS


@apart
def new_state(K, N):
    """An empty state of K columns with N cells."""
    faces, guess = (K, N + 1), np.zeros((K, 2, N + 1))
    guess[:, 1] = 1.0
    return State(
        np.zeros((K, N)), np.zeros(K), np.zeros(K), np.zeros(faces), np.zeros(faces), np.zeros(faces), guess,
        np.zeros(K), np.zeros(1),
    )  # fmt: skip


@apart
def new_tangent(K, N):
    """A tangent that knows nothing yet."""
    return Tangent(
        np.full(1, np.nan), np.zeros(K), np.zeros((K, N)), np.zeros(K), np.zeros(K), np.zeros(K), np.zeros((K, N + 1))
    )


@bare
def copy_state(source, target):
    """Copy all arrays of a state."""
    target.V[0] = source.V[0]
    copy(source.D_right, target.D_right)
    copy(source.D_left, target.D_left)
    copy(source.G, target.G)
    for k in range(source.c.shape[0]):
        copy(source.c[k], target.c[k])
        copy(source.D[k], target.D[k])
        copy(source.E[k], target.E[k])
        copy(source.eps[k], target.eps[k])
        copy(source.guess[k, 0], target.guess[k, 0])
        copy(source.guess[k, 1], target.guess[k, 1])


@inlined
def drop(junction, current):
    """Voltage lost between source and junction at a current [A], and its derivative [ohm].

    Beyond the compliance the source gives way with 1000 times the resistance that 1 V at the limit would mean.
    """
    R = junction.resistance
    if abs(current) <= junction.compliance:
        return R * current, R
    stiff = 1e3 / junction.compliance
    return R * current + math.copysign(stiff * (abs(current) - junction.compliance), current), R + stiff


@inlined
def coupled(junction):
    """Does the current act back on the junction voltage?"""
    return junction.resistance > 0.0 or junction.compliance < math.inf


@detached
def close_all(junction, state, V, tolerance):
    """Solve the closure of every column at junction voltage V, to a tolerance [eV]. Returns success."""
    state.V[0] = V
    for k in range(state.c.shape[0]):
        D = close(
            junction, k, state.c[k], state.D_right[k], V, tolerance,
            state.D[k], state.E[k], state.eps[k], state.guess[k],
        )  # fmt: skip
        if math.isnan(D):
            return False
        state.D_right[k], state.D_left[k] = D, state.D[k, 0]
    return True


@apart
def conduct(junction, state, panels, tangent, lay):
    """Chord conductance of every column at the present fields; with lay, the tangent is laid here.

    panels : (K, P) energy panels of the last call, padded with nan; updated. Returns convergence.
    """
    V = state.V[0]
    for k in range(state.c.shape[0]):
        n = 0
        while n < panels.shape[1] and not math.isnan(panels[k, n]):
            n += 1
        D_left, D_right, E = state.D_left[k], state.D_right[k], state.E[k]
        result, profile, used = column_spectrum(junction, k, D_left, D_right, V, E, panels[k, :n])
        if not result.error <= junction.energy_tolerance * result.chord and result.chord != 0.0:
            return False
        n = used.size if used.size <= panels.shape[1] else 0
        for p in range(panels.shape[1]):
            panels[k, p] = used[p] if p < n else math.nan
        state.G[k] = conductance(junction, k, result)
        if lay:
            tangent.by_V[k], tangent.by_D[k] = 0.0, 0.0
            tangent.by_S[k, :] = 0.0
            if result.chord > 0.0:
                few = thinned(result)
                tangent.by_V[k], tangent.by_D[k] = log_conductance_slopes(
                    junction, k, profile, few, D_left, D_right, V, E, state.eps[k], tangent.by_S[k]
                )
            copy(state.c[k], tangent.c[k])
    if lay:
        tangent.V[0] = V
        copy(state.D_right, tangent.D)
        copy(state.G, tangent.G)
    return True


@bare
def along_tangent(junction, state, tangent):
    """Set the conductances of a state from the tangent. Returns the largest |change of ln G| that this takes.

    What V, D(L) and the ions change is added without sign: where they cancel, their curvatures need not.
    """
    largest = 0.0
    for k in range(state.c.shape[0]):
        by_V, by_D = tangent.by_V[k] * (state.V[0] - tangent.V[0]), tangent.by_D[k] * (state.D_right[k] - tangent.D[k])
        S, by_S = 0.0, 0.0
        for f in range(state.c.shape[1] - 1, 0, -1):
            S += (state.c[k, f] - tangent.c[k, f]) * junction.columns.width[k, f]
            by_S += tangent.by_S[k, f] * S
        change = abs(by_V) + abs(by_D) + abs(by_S)
        if not change < 50.0:
            return math.inf
        state.G[k] = tangent.G[k] * math.exp(by_V + by_D + by_S)
        largest = max(largest, change)
    return largest


@bare
def conductance_slope(junction, state, tangent):
    """d ln(G)/dV [1/V] of the junction at constant charges c, D(L) following the closure."""
    total, change = 0.0, 0.0
    for k in range(state.c.shape[0]):
        slope = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
        total += state.G[k]
        change += state.G[k] * (tangent.by_V[k] + tangent.by_D[k] / slope)
    return change / total if total > 0.0 else 0.0


@bare
def blur(junction, state, tangent):
    """What the error that the current is allowed makes V_j uncertain by [V]."""
    current = state.V[0] * add_up(state.G)
    stiffness = drop(junction, current)[1]
    slope = 1.0 + stiffness * (add_up(state.G) + current * conductance_slope(junction, state, tangent))
    return junction.energy_tolerance * stiffness * abs(current) / max(slope, 1.0)


@bare
def current_of(junction, lost):
    """The current [A] that loses a voltage [V], both positive: the inverse of `drop`; 0 when none does."""
    R = junction.resistance
    if lost <= R * junction.compliance:
        return lost / R
    stiff = 1e3 / junction.compliance
    return (lost + stiff * junction.compliance) / (R + stiff)


@bare
def correction(junction, V, V_source, current, residual, log_slope):
    """How far V_j is above the solution [V], by its residual [V] and the slope d ln(I/V)/dV [1/V].

    Newton's step. Far up an exponential it creeps by kT, and below the limit of the source, where nothing is lost yet, it
    shoots over: there the current that the circuit would lose the rest of the voltage at is found along I ~ V^p.
    """
    lost, stiffness = drop(junction, current)
    power = 1.0 + V * log_slope
    slope = 1.0 + stiffness * current / V * power
    newton = residual / slope if slope > FLAT else residual
    wanted = current_of(junction, max(abs(V_source - V), 0.1 * abs(V_source)))
    if power <= 0.0 or current == 0.0:
        return newton
    leap = -V * math.expm1(-math.log(abs(current) / wanted) / power)
    short = residual * V < 0.0 and abs(leap) < abs(newton)
    return leap if short or abs(lost) > abs(V_source) else newton


@spliced
def at_voltage(junction, state, V, panels, tangent, tolerance, allowed, trust, held):
    """Close the stack at V_j and set the conductances: along the tangent where it may be trusted or is held, else anew.

    Returns a status, and whether a tangent was laid.
    """
    if not close_all(junction, state, V, tolerance):
        return NOT_CLOSED, False
    change = along_tangent(junction, state, tangent)
    if held:
        return DONE if change <= trust else CIRCUIT_NOT_SOLVED, False
    if change <= trust:
        lost = abs(drop(junction, V * add_up(state.G))[0])
        if 0.5 * change * change * lost <= allowed or change <= junction.energy_tolerance:
            return DONE, False
    return DONE if conduct(junction, state, panels, tangent, True) else SPECTRUM_NOT_CONVERGED, True


@spliced
def search(junction, state, V_source, guess, panels, tangent, allowed, trust, slack):
    """Solve closure and circuit from a guess of V_j, the equations to a slack [V]. Returns a status.

    Newton in V_j with the slope of the logarithm of the current, inside a bracket. The current is evaluated anew where
    ln I has changed by more than trust along its tangent, or where the curvature, change^2/2 of the voltage lost, may put
    V_j off by more than allowed [V] and ln I by more than its own error. The equations hold along a tangent: where the
    quadrature of the current jumps by its error, one solution lies on either side or on none, so a tangent has a bracket
    of its own near where it was laid, and where the bracket of evaluated currents has closed around a jump, its tangent
    is held.
    """
    tolerance = max(CLOSURE_TOLERANCE, slack)
    first, last = min(0.0, V_source), max(0.0, V_source)
    V = guess if first < guess < last else V_source
    low, high, bottom, top = first, last, first, last  # by the present tangent; by currents as evaluated
    before, turns, held = math.inf, 0, False
    for attempt in range(100):
        status, fresh = at_voltage(junction, state, V, panels, tangent, tolerance, allowed, trust, held)
        if status != DONE:
            return status
        current = V * add_up(state.G)
        residual = V + drop(junction, current)[0] - V_source
        log_slope = conductance_slope(junction, state, tangent)
        rate = abs(log_slope) + 1.0 / abs(V)
        steep = 1.0 + abs(drop(junction, current)[1] * current) * rate
        if abs(residual) <= max(VOLTAGE_TOLERANCE, slack, VOLTAGE_FLOOR * steep):
            return DONE
        tolerance = max(CLOSURE_TOLERANCE, slack / steep)
        up = residual < 0.0
        if fresh:
            turns += not bottom <= V <= top  # a jump of the quadrature, or a current that falls with the voltage
            low, high = first, last
        if fresh or bottom < V < top:
            bottom, top = (V, top if top > V else last) if up else (bottom if bottom < V else first, V)
        low, high = (V, high) if up else (low, V)
        move, here = correction(junction, V, V_source, current, residual, log_slope), V
        if not held and (top - bottom) * rate <= junction.energy_tolerance:
            held, move = True, math.copysign(min(abs(move), 0.5 * trust / rate), move)
            low, high = (V, last) if up else (first, V)
        V -= move
        slow = False
        if attempt % 4 == 3 and not held:  # leaps and steps can take turns without end
            slow, before = abs(residual) > 0.1 * before, abs(residual)
        near = abs(move) * rate <= trust and turns <= MOST_TURNS
        left, right = (low, high) if held or near else (bottom, top)
        if slow or V in (0.0, here) or not left <= V <= right:  # at 0 V no current tells the way
            V = 0.5 * (left + right) if left < right else 0.5 * (bottom + top)
    return CIRCUIT_NOT_SOLVED


@detached
def settle(junction, state, V_source, guess, panels, tangent, allowed, trust):
    """Solve closure and circuit at frozen ions; the state then holds fields, D, V_j and G. Returns a status.

    allowed : of V_j [V], trust : in the tangent, see `search`. The equations hold to round-off for TRUST, to a hundredth
    of allowed for FARTHEST. Where the current waves with the voltage and the source gives way within a thousandth of its
    limit, far tangents can lead around in circles: then once more, along near ones, none of them from before.
    """
    slack = 0.0 if trust <= TRUST else 0.01 * allowed
    if not coupled(junction) or V_source == 0.0:
        return DONE if close_all(junction, state, V_source, max(CLOSURE_TOLERANCE, slack)) else NOT_CLOSED
    status = CIRCUIT_NOT_SOLVED
    for again in range(2):
        near = TRUST if again else trust
        status = search(junction, state, V_source, guess, panels, tangent, allowed, near, slack)
        if status != CIRCUIT_NOT_SOLVED:
            break
        tangent.V[0] = math.nan
    return status


@spliced
def ensure_current(junction, state, panels, tangent):
    """Evaluate the chord conductance where the steps did not need it. Returns a status."""
    if coupled(junction) and state.V[0] != 0.0:
        return DONE
    if state.V[0] == 0.0:
        for k in range(state.G.size):
            state.G[k] = 0.0
        return DONE
    return DONE if conduct(junction, state, panels, tangent, False) else SPECTRUM_NOT_CONVERGED
