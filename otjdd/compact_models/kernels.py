"""Kernels of a compact model: tables of conductance and relaxation rate instead of profiles.

    I     = V_j sum_k w_k G(V_j, q_k)                     V_j + R I + U(I) = V
    dq/dt = F [f + 1 - f_e]                               F = r [q_rest(V_j) - q]
    1/r^2 = 1/(s_k h(V_j, q))^2 + 1/l(V_j, q)^2
    df/dt = (f_e - f)(|F|/a + s_k/b)                      f_e = |F|/a / (|F|/a + s_k/b)
    dw/dt = -s_k l_w(V_j, w) w                            ln G + w e(V_j, w),  dq/dt - m(V_j, w) dw/dt

q_k is the state of column k, w_k its share of the area, s_k its speed, h the rate of its hops, and l the limit of the rate
by the attempt frequency. r > 0, so every q moves towards q_rest and stays in its range. f is the filling of the way, the
film between the two wells: the first vacancies that leave a well, a share a of all, have to fill it before as many arrive
as leave. At rest it empties in the time b. A flow slower than that is not delayed, nor is one in a direction with a = 0.
w is the share of a film that was never written which has not settled, see `extraction`; junctions at rest have none.
Tables hold ln G, ln h, ln l and those of w on even grids, and are linear between the nodes.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compact_models.tables import TURN, WORDS, checked_seed
from otjdd.compiler.decorators import bare, kernel
from otjdd.mechanisms.single_ions.walk import normal, threefry

ERROR = 1e-3  # of a state, by one time step: the difference of midpoint and Euler step, an upper limit
FILLING = 0.02  # weight of the filling in that error
BEND = 1.0  # of ln of a rate between start, middle and end of a step along a ramp, where the rate can move a state
SETTLED = 1e-4  # smallest share w that counts
VOLTAGE_ERROR = 1e-4  # V, last Newton step of V_j
BENT_ERROR = 1e-9, 1e-6  # V and relative, last Newton step of V_j with a selector, which may take most of the voltage
OHMIC, THRESHOLD, EXPONENTIAL = 0, 1, 2  # law U(I) of the selector in series, OHMIC for none
MOST_STEPS = 100_000  # time steps of one piece
NO_SCATTER, NO_IONS = np.zeros((0, 0, 0)), np.zeros(0)


class Lookup(NamedTuple):
    """Dense tables of a compact model: T kinds of column, F voltages, S states; K columns."""

    low: float  # V, first voltage
    per_volt: float  # 1/V, intervals per volt
    first: np.ndarray  # (T,) first state
    per_state: np.ndarray  # (T,) intervals per unit of the state
    rest: np.ndarray  # (T, F) state at which the rate vanishes
    ln_rate: np.ndarray  # (T, F, S) of h in 1/s
    ln_limit: np.ndarray  # (T, F, S) of l in 1/s
    ln_conductance: np.ndarray  # (T, F, S) of G in S, of a column that is the whole area
    ln_settling: np.ndarray  # (T, F, W) of l_w in 1/s, over shares from 0 to 1
    move: np.ndarray  # (T, F, W) of the state, by a share that settles
    excess: np.ndarray  # (T, F, W) of ln G, by a share of 1
    kind: np.ndarray  # (K,) index of the tables of a column
    speed: np.ndarray  # (K,) factor of its rate
    way: np.ndarray  # (T, 2) share of the vacancies that fills the way, for states that rise and that fall
    emptying: np.ndarray  # (T,) s, in which the way empties
    weight: np.ndarray  # (K,) share of the area
    resistance: float  # ohm, in series
    law: int = OHMIC  # of a selector in series
    bend_voltage: float = 1.0  # V, of its law
    bend_current: float = 1.0  # A
    ln_scatter: np.ndarray = NO_SCATTER  # (T, F, S) of phi, see `noise`; (0, 0, 0) without noise
    state_span: np.ndarray = NO_IONS  # (T,) b - a, range of the state
    ions: np.ndarray = NO_IONS  # (K,) number of ions of a column
    gain_low: float = 0.0  # added to ln G at the lower end of the state, by which devices differ
    gain_high: float = 0.0  # at the upper end, a line in between
    faster_above: float = 0.0  # added to ln of the rates at V_j > 0, by which devices differ
    faster_below: float = 0.0  # at V_j < 0


@bare
def node(position: float, count: int):
    """Lower node, and share of the upper one, at a position in units of intervals, which is limited to the ends."""
    position = min(max(position, 0.0), count - 1.0)
    i = min(int(position), count - 2)
    return i, position - i


@bare
def both_rows(table: np.ndarray, i: int, j: int, b: float):
    """Values on the rows i and i + 1 of a table (F, S), between its columns j and j + 1. b : share of the upper column"""
    lower = table[i, j] + b * (table[i, j + 1] - table[i, j])
    return lower, table[i + 1, j] + b * (table[i + 1, j + 1] - table[i + 1, j])


@bare
def bilinear(table: np.ndarray, i: int, a: float, j: int, b: float):
    """Bilinear interpolation in the cell i, j of a table (F, S). a, b : shares of the upper nodes"""
    lower, upper = both_rows(table, i, j, b)
    return lower + a * (upper - lower)


@bare
def unsettled(lookup: Lookup, q: np.ndarray, k: int):
    """Share w of column k that has not settled, from states (2 K,) or (3 K,)."""
    K = lookup.kind.size
    return q[2 * K + k] if q.size > 2 * K else 0.0


@bare
def conductance_of_columns(lookup: Lookup, V: float, q: np.ndarray):
    """Chord conductance I/V_j [S] of all columns at V_j, and its derivative [S/V]."""
    i, a = node((V - lookup.low) * lookup.per_volt, lookup.rest.shape[1])
    total, slope = 0.0, 0.0
    for k in range(lookup.kind.size):
        t = lookup.kind[k]
        table = lookup.ln_conductance[t]
        j, b = node((q[k] - lookup.first[t]) * lookup.per_state[t], table.shape[1])
        lower, upper = both_rows(table, i, j, b)
        gain = lookup.gain_low + (lookup.gain_high - lookup.gain_low) * (j + b) / (table.shape[1] - 1)
        w = unsettled(lookup, q, k)
        if w > SETTLED:
            j, b = node(w * (lookup.excess.shape[2] - 1.0), lookup.excess.shape[2])
            of_lower, of_upper = both_rows(lookup.excess[t], i, j, b)
            lower += w * of_lower
            upper += w * of_upper
        G = lookup.weight[k] * math.exp(lower + a * (upper - lower) + gain)
        total += G
        slope += G * (upper - lower) * lookup.per_volt
    return total, slope


@bare
def series_voltage(lookup: Lookup, I: float):
    """Voltage [V] across series resistance and selector at a current [A], and its derivative [ohm]."""
    U, slope = lookup.resistance * I, lookup.resistance
    if lookup.law != OHMIC:
        x = I / lookup.bend_current
        root = math.sqrt(1.0 + x * x)
        if lookup.law == THRESHOLD:
            U += lookup.bend_voltage * x / root
            slope += lookup.bend_voltage / (lookup.bend_current * root * root * root)
        else:
            U += lookup.bend_voltage * math.asinh(x)
            slope += lookup.bend_voltage / (lookup.bend_current * root)
    return U, slope


@bare
def junction_voltage(lookup: Lookup, V_source: float, q: np.ndarray, guess: float):
    """V_j [V] and the current [A] at a source voltage: Newton's method from a guess, inside a bracket.

    The current has the sign of V_j, so the solution lies between 0 and the source voltage. The last step takes the current
    on its tangent, with a relative error of 2e-6 at most.
    """
    if V_source == 0.0:
        return 0.0, 0.0
    if lookup.resistance == 0.0 and lookup.law == OHMIC:
        return V_source, V_source * conductance_of_columns(lookup, V_source, q)[0]
    low, high = min(0.0, V_source), max(0.0, V_source)
    V = guess if low < guess < high else V_source
    for _ in range(200):
        G, slope = conductance_of_columns(lookup, V, q)
        U, R = series_voltage(lookup, V * G)
        residual = V + U - V_source
        if residual > 0.0:
            high = V
        else:
            low = V
        tangent = G + V * slope
        steep = 1.0 + R * tangent
        move = residual / steep if steep > 0.0 else math.inf
        if abs(move) <= (VOLTAGE_ERROR if lookup.law == OHMIC else BENT_ERROR[0] + BENT_ERROR[1] * abs(V)):
            return V - move, V * G - move * tangent
        V -= move
        if not low <= V <= high:
            V = 0.5 * (low + high)
    return V, V * conductance_of_columns(lookup, V, q)[0]


@bare
def own_rate(lookup: Lookup, V: float):
    """Factor of the rates of a device at V_j, by which it differs."""
    above, below = lookup.faster_above, lookup.faster_below
    return math.exp(0.5 * (above + below) + 0.5 * (above - below) * math.tanh(V / TURN))


@bare
def rates_at(lookup: Lookup, V: float, q: np.ndarray, rates: np.ndarray):
    """Fill rates (5, K) of all columns at V_j and states q: r [1/s], q_rest, |F|/a [1/s], the rate of filling, and of the
    unsettled share the rate [1/s] and the move.
    """
    i, a = node((V - lookup.low) * lookup.per_volt, lookup.rest.shape[1])
    own = own_rate(lookup, V)
    for k in range(lookup.kind.size):
        t = lookup.kind[k]
        j, b = node((q[k] - lookup.first[t]) * lookup.per_state[t], lookup.ln_rate.shape[2])
        hops = own * lookup.speed[k] * math.exp(bilinear(lookup.ln_rate[t], i, a, j, b))
        share = hops * math.exp(-bilinear(lookup.ln_limit[t], i, a, j, b))
        rates[0, k] = hops / math.sqrt(1.0 + share * share)
        rates[1, k] = lookup.rest[t, i] + a * (lookup.rest[t, i + 1] - lookup.rest[t, i])
        flow = rates[0, k] * (rates[1, k] - q[k])
        way = lookup.way[t, 0] if flow > 0.0 else lookup.way[t, 1]
        rates[2, k] = abs(flow) / way if way > 0.0 else 0.0
        w = unsettled(lookup, q, k)
        rates[3, k] = 0.0
        if w > SETTLED:
            j, b = node(w * (lookup.move.shape[2] - 1.0), lookup.move.shape[2])
            rates[3, k] = own * lookup.speed[k] * math.exp(bilinear(lookup.ln_settling[t], i, a, j, b))
            rates[4, k] = bilinear(lookup.move[t], i, a, j, b)


@bare
def decayed(x: float):
    """1 - exp(-x) for x >= 0."""
    if x < 1e-9:
        return x
    return -math.expm1(-x) if x < 40.0 else 1.0


@bare
def relax_states(lookup: Lookup, rates: np.ndarray, start: np.ndarray, duration: float, out: np.ndarray):
    """Fill out (2 K,) or (3 K,) with the states after a duration [s] > 0 from `start`, at constant rates (5, K)."""
    K = lookup.kind.size
    for k in range(K):
        filling = rates[2, k]
        speed = filling + lookup.speed[k] / lookup.emptying[lookup.kind[k]]
        settled = filling / speed
        away = (start[K + k] - settled) * decayed(speed * duration)
        out[K + k] = start[K + k] - away
        share = 1.0 + away / (speed * duration)  # f + 1 - f_e, mean over the step
        out[k] = start[k] + (rates[1, k] - start[k]) * decayed(rates[0, k] * duration * share)
        if start.size > 2 * K:
            lost = start[2 * K + k] * decayed(rates[3, k] * duration)
            out[2 * K + k] = start[2 * K + k] - lost
            if lost > 0.0:
                t = lookup.kind[k]
                last = lookup.first[t] + (lookup.ln_rate.shape[2] - 1.0) / lookup.per_state[t]
                out[k] = min(max(out[k] + rates[4, k] * lost, lookup.first[t]), last)


@bare
def scatter_states(
    lookup: Lookup, V: float, rates: np.ndarray, middle: np.ndarray, step: float, stream: np.ndarray, q: np.ndarray
):
    """Add random numbers to the states q after a step [s] at V_j, from the rates (5, K) and states in its middle.

    Both flows of ions are lines in the state, so their variance at the end of the step is exact for constant rates.
    stream : (3,) key and number of the step, which is updated. A state beyond an end of its range is reflected there.
    """
    K = lookup.kind.size
    i, a = node((V - lookup.low) * lookup.per_volt, lookup.rest.shape[1])
    for k in range(K):
        t = lookup.kind[k]
        low, span = lookup.first[t], lookup.state_span[t]
        if span > 0.0:
            j, b = node((middle[k] - low) * lookup.per_state[t], lookup.ln_scatter.shape[2])
            rest, away = rates[1, k] - low, middle[k] - rates[1, k]
            filling = rates[2, k]
            settled = filling / (filling + lookup.speed[k] / lookup.emptying[t])
            x = rates[0, k] * step * (middle[K + k] + 1.0 - settled)
            flows = 2.0 * rest * (span - rest) * decayed(2.0 * x)
            flows += (span - 2.0 * rest) * away * 2.0 * math.exp(-0.5 * x) * decayed(x)
            phi = math.exp(bilinear(lookup.ln_scatter[t], i, a, j, b))
            word, other = threefry(stream[0], stream[1], k, stream[2])
            place = q[k] - low + math.sqrt(0.5 * phi * max(flows, 0.0) / lookup.ions[k]) * normal(word, other)
            place = abs(place)
            q[k] = low + min(max(place if place <= span else 2.0 * span - place, 0.0), span)
    stream[2] += 1


@bare
def distance_of_states(lookup: Lookup, first: np.ndarray, second: np.ndarray):
    """Largest difference of two states (2 K,) or (3 K,) of a junction; FILLING is the weight of the fillings."""
    largest = 0.0
    for k in range(first.size):
        off = abs(first[k] - second[k])
        largest = max(largest, FILLING * off if lookup.kind.size <= k < 2 * lookup.kind.size else off)
    return largest


@bare
def error_on_ramp(lookup: Lookup, q: np.ndarray, step: float, work: tuple, V_source: float, guess: float):
    """Error of a step [s] along a ramp that the rates at its start do not tell: those at its end differ, or bend between.

    q : states at the start   V_source : at the end [V]   guess : of V_j there
    work : of `move_over_piece`, with the states at the end and the rates at start and middle
    """
    trial, euler = work[0][0], work[0][1]
    V, _ = junction_voltage(lookup, V_source, trial, guess)
    rates_at(lookup, V, trial, work[1][2])
    relax_states(lookup, work[1][2], q, step, euler)
    rates, largest = work[1], 0.0  # change of ln of a rate, of those that move a state by ERROR within the step
    for k in range(lookup.kind.size):
        for row in (0, 3):
            start, middle, end = rates[0, row, k], rates[1, row, k], rates[2, row, k]
            if max(start, middle, end) * step > ERROR and min(start, middle, end) > 0.0:
                largest = max(largest, abs(math.log(middle / start)), abs(math.log(end / middle)))
    bent = largest / BEND
    return max(distance_of_states(lookup, trial, euler), ERROR * bent * bent)


@bare
def move_over_piece(
    lookup: Lookup, q: np.ndarray, ramp: tuple, duration: float, V: float, work: tuple, stream: np.ndarray
):
    """Move the states q along a piece of the source voltage, in place. Returns V_j and the current at its end.

    ramp : source voltage at its start [V] and slope [V/s]   V : V_j at its start
    work : memory for states (2, ...) and rates (3, 5, K)   stream : of `noise.streams`, (0,) for none
    The steps are exponential midpoint steps. Their error is taken from steps at the rates of their start, and along a ramp
    also of their end, and so overestimated.
    """
    trial, euler = work[0][0], work[0][1]
    rates, middle_rates = work[1][0], work[1][1]
    V_start, slope = ramp
    t, step = 0.0, duration
    rates_at(lookup, V, q, rates)
    I = 0.0
    for _ in range(MOST_STEPS):
        step = min(step, duration - t)
        relax_states(lookup, rates, q, 0.5 * step, trial)
        middle, _ = junction_voltage(lookup, V_start + slope * (t + 0.5 * step), trial, V)
        rates_at(lookup, middle, trial, middle_rates)
        relax_states(lookup, middle_rates, q, step, trial)
        relax_states(lookup, rates, q, step, euler)
        error = distance_of_states(lookup, trial, euler)
        if slope != 0.0 and error <= ERROR:
            error = max(error, error_on_ramp(lookup, q, step, work, V_start + slope * (t + step), middle))
        if error <= ERROR or step < 1e-18:
            if stream.size:
                relax_states(lookup, rates, q, 0.5 * step, euler)
            for k in range(q.size):
                q[k] = trial[k]
            if stream.size:
                scatter_states(lookup, middle, middle_rates, euler, step, stream, q)
            t = duration if step >= duration - t else t + step
            V, I = junction_voltage(lookup, V_start + slope * t, q, middle)
            if t < duration:
                rates_at(lookup, V, q, rates)
        if t >= duration:
            break
        step *= min(10.0, max(0.1, 0.9 * math.sqrt(ERROR / error))) if error > 0.0 else 10.0
    return V, I


@kernel
def move_over_pieces(lookup: Lookup, q: np.ndarray, pieces: np.ndarray, out: np.ndarray, stream: np.ndarray):
    """Move one junction along pieces (P, 4): start [s], end [s], voltage at the start and at the end [V].

    q : (2 K,) states and fillings, or (3 K,) with unsettled shares, changed in place
    stream : (3,) of `noise.streams`, changed in place; (0,) for none
    out : (P, 2, 2 + 2 K) or (P, 2, 2 + 3 K), filled with V_j, I and states at both ends of every piece
    """
    work = np.empty((2, q.size)), np.empty((3, 5, lookup.kind.size))
    V, V_before = 0.0, math.nan
    for p in range(pieces.shape[0]):
        start, end, V_start, V_end = pieces[p]
        if V_start != V_before:
            V, out[p, 0, 1] = junction_voltage(lookup, V_start, q, V_start)
        else:
            out[p, 0, 1] = out[p - 1, 1, 1]
        out[p, 0, 0] = V
        out[p, 0, 2:] = q
        V, I = move_over_piece(lookup, q, (V_start, (V_end - V_start) / (end - start)), end - start, V, work, stream)
        out[p, 1, 0], out[p, 1, 1] = V, I
        out[p, 1, 2:] = q
        V_before = V_end


@kernel
def hold_junctions(
    lookup: Lookup, q: np.ndarray, voltage: np.ndarray, duration: float, current: np.ndarray, streams: np.ndarray
):
    """Hold M junctions for a duration [s], each at its own source voltage, and take their currents at the end.

    q : (M, 2 K) or (M, 3 K) states, changed in place   voltage : (M,) [V]   current : (M,) [A], filled
    streams : (M, 3) of `noise.streams`, changed in place; (0, 3) for none
    """
    none = streams.ravel()[:0]
    work = np.empty((2, q.shape[1])), np.empty((3, 5, lookup.kind.size))
    for m in range(q.shape[0]):
        V, current[m] = junction_voltage(lookup, voltage[m], q[m], voltage[m])
        if duration > 0.0:
            stream = streams[m] if streams.shape[0] else none
            current[m] = move_over_piece(lookup, q[m], (voltage[m], 0.0), duration, V, work, stream)[1]


@kernel
def linearise_junctions(lookup: Lookup, q: np.ndarray, voltage: np.ndarray, current: np.ndarray, slope: np.ndarray):
    """Fill current (M,) [A] and slope dI/dV (M,) [S] of M junctions at source voltages (M,), with fixed states."""
    for m in range(q.shape[0]):
        V, current[m] = junction_voltage(lookup, voltage[m], q[m], voltage[m])
        G, by_V = conductance_of_columns(lookup, V, q[m])
        bare_slope = G + V * by_V
        slope[m] = bare_slope / (1.0 + series_voltage(lookup, current[m])[1] * bare_slope)


def streams(count: int, seed: int) -> np.ndarray:
    """Streams (count, WORDS) of random numbers of a seed, one for each junction. Raises NotAsExpected."""
    whole = checked_seed(seed)
    low, high = whole & 0xFFFFFFFF, whole >> 32
    keys = [(*threefry(low, high, number, 0), 0) for number in range(count)]
    return np.array(keys, np.int64).reshape(count, WORDS)
