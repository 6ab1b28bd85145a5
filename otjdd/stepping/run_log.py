"""The record of a run: its largest values, and the log of rows of the time series, reads and kept states.

Values that have a limit are noted after every accepted step, whatever is recorded: electrons in the film, current, rise of
the temperature, leaps of the stack. It costs some 1 us a step with five columns of 100 cells: electrons are looked for only
where the lowest place of the conduction band would allow more than ever before. In a film without electrons they are those
that the contacts would put there along its band.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, spliced, summed
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.mechanisms.electrons.density import LEFT, RIGHT, contact_weights
from otjdd.mechanisms.heat import heated, hottest
from otjdd.physics.channels import transport
from otjdd.physics.charging import conduction
from otjdd.physics.columns import add_channels, ensure_current, follow_tangent, put_tangent
from otjdd.physics.electrostatics import edge
from otjdd.physics.fermi_dirac import fermi_dirac_half
from otjdd.physics.junction import Junction, band_of_fields, coupled, hold_electrons
from otjdd.physics.numerics import copy
from otjdd.physics.quasistatic import own_current, relaxation, resistance
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State, Tangent
from otjdd.stepping.hooks import fill_row
from otjdd.variables import (
    BALANCE,
    BENDING,
    CHARGE_LEFT,
    CHARGE_RIGHT,
    CHARGING,
    COUNT,
    CURRENT,
    JUNCTION,
    POSITION,
    RECORD,
    RISE,
    SOURCE,
    TERMINAL_LEFT,
    TERMINAL_RIGHT,
    TIME,
)

# rows of the largest values and their columns
EXTREMES = 4
ELECTRONS, AMPERES, KELVIN, LEAPS = range(EXTREMES)
VALUE, WHEN = range(2)
ROOM = 6  # lines of work space: a band, its pieces, two weights, two more
# rows of the thermal response
RATE, WEIGHT, WARMTH = range(3)


@by_pointer
class Watch(NamedTuple):
    """Quantities that are watched, and their largest values so far."""

    density_of_states: float  # of the film [1/m3]
    heat: np.ndarray  # (3, P) exponentials of the thermal response: RATE [1/s], WEIGHT [K/W] and WARMTH [W]; updated
    largest: np.ndarray  # (EXTREMES, 2) VALUE and WHEN [s]: ratio, A, K, see `note_largest`, leaps; updated
    room: np.ndarray  # (ROOM, N+2) work space


def new_watch(density_of_states: float, heat: np.ndarray, cells: int) -> Watch:
    """A watch over a film of cells with a density of states [1/m3]. heat : (3, P) as of Watch, from here on its own"""
    return Watch(float(density_of_states), heat.copy(), np.zeros((EXTREMES, 2)), np.zeros((ROOM, cells + 2)))


def no_watch() -> Watch:
    """A watch that records nothing."""
    return Watch(0.0, np.zeros((3, 0)), np.zeros((EXTREMES, 2)), np.zeros((ROOM, 0)))


@bare
def lowest_band(junction: Junction, state: State, k: int) -> float:
    """Lowest conduction band [eV] at the cell centres of column k, above the Fermi level of the right electrode."""
    band = edge(junction.right[k], -state.D_right[k])[0]
    lowest, last = math.inf, state.c.shape[1]
    for f in range(last, 0, -1):
        band -= junction.columns.distance[k, f] * state.E[k, f] + junction.columns.rise[k, f]
        lowest = min(lowest, band)
    return lowest


@detached
def would_be_electrons(junction: Junction, state: State, k: int, watch: Watch, most: float) -> float:
    """Largest density [1/m3] of the electrons that the contacts would put into column k, if above `most`, else that.

    Each contact fills the band on its side of the top, with the weights of `electrons.density`.
    """
    distance, U, weight = junction.columns.distance[k], watch.room[0], watch.room[2:4]
    N, V, kT, N_c = state.c.shape[1], state.V[0], state.kT[k], watch.density_of_states
    band_of_fields(junction, state, k, U)
    contact_weights(distance, kT, U, watch.room[1], weight, watch.room[4])
    lowest = U[1]
    for i in range(1, N):
        lowest = min(lowest, U[i + 1])
    right, left = fermi_dirac_half(-lowest / kT), fermi_dirac_half((-V - lowest) / kT)
    for i in range(N):
        if N_c * (weight[0, i] * right + weight[1, i] * left) > most:
            n = weight[0, i] * fermi_dirac_half(-U[i + 1] / kT)
            most = max(most, N_c * (n + weight[1, i] * fermi_dirac_half((-V - U[i + 1]) / kT)))
    return most


@summed
def bending_density(junction: Junction, state: State, k: int) -> float:
    """Density [1/m3] of electrons which, all over the film of column k, bend its band by kT between fixed ends.

    In a film of one permittivity 8 eps kT/(e L^2).
    """
    thickness, elastance = 0.0, 0.0
    for i in range(state.c.shape[1]):
        thickness += junction.columns.width[k, i]
    for f in range(state.c.shape[1] + 1):
        elastance += junction.columns.distance[k, f] / state.eps[k, f]
    return 8.0 * state.kT[k] / (ELEMENTARY_CHARGE * thickness * elastance)


@detached
def film_electron_ratio(junction: Junction, state: State, k: int, watch: Watch, most: float) -> float:
    """Largest density of electrons in column k over `bending_density`, if above `most`, else that."""
    enough = bending_density(junction, state, k)
    if hold_electrons(junction):
        for i in range(state.c.shape[1]):
            most = max(most, (state.electrons[k, RIGHT, i] + state.electrons[k, LEFT, i]) / enough)
        return most
    highest = max(0.0, -state.V[0]) - lowest_band(junction, state, k)
    if not watch.density_of_states * fermi_dirac_half(highest / state.kT[k]) > most * enough:
        return most
    return would_be_electrons(junction, state, k, watch, most * enough) / enough


@detached
def ratio_of_columns(junction: Junction, state: State, watch: Watch) -> float:
    """Largest `film_electron_ratio` of all columns at a settled state."""
    most = 0.0
    for k in range(state.c.shape[0]):
        most = film_electron_ratio(junction, state, k, watch, most)
    return most


@bare
def note(watch: Watch, which: int, value: float, time: float) -> None:
    """Keep a value and its time [s] if it is the largest so far."""
    if value > watch.largest[which, VALUE]:
        watch.largest[which, VALUE], watch.largest[which, WHEN] = value, time


@bare
def temperature_rise(watch: Watch) -> float:
    """Estimated rise of the temperature of the junction [K] above its surroundings."""
    rise = 0.0
    for p in range(watch.heat.shape[1]):
        rise += watch.heat[WEIGHT, p] * watch.heat[WARMTH, p]
    return rise


@detached
def note_largest(
    junction: Junction, state: State, watch: Watch, time: float, step: float, current_is_new: bool
) -> None:
    """Note the largest values at a settled state, at a time [s] and the end of a step [s].

    KELVIN is the estimated rise of the temperature; in a junction that its current warms, the highest temperature itself.
    current_is_new : the current of the state was just evaluated. Without a circuit that depends on it nobody follows the
        current from step to step; then it is not looked at, and the rise of the temperature is nan from there on.
    """
    if watch.density_of_states > 0.0:
        for k in range(state.c.shape[0]):
            most = watch.largest[ELECTRONS, VALUE]
            note(watch, ELECTRONS, film_electron_ratio(junction, state, k, watch, most), time)
    evaluated = current_is_new or coupled(junction)
    current = conduction(state) if evaluated else math.nan
    power = current * state.V[0]
    for p in range(watch.heat.shape[1]):
        decay = math.exp(-watch.heat[RATE, p] * step)
        watch.heat[WARMTH, p] = watch.heat[WARMTH, p] * decay + power * (1.0 - decay)
    note(watch, AMPERES, abs(current), time)
    note(watch, KELVIN, hottest(state) if heated(junction) else temperature_rise(watch), time)


# columns of a read, and of a kept instant
READING = 6
READ_TIME, READ_SOURCE, READ_CURRENT, READ_SHARE, READ_ENERGY, READ_UNSEEN = range(READING)
KEPT = 3
KEPT_TIME, KEPT_SOURCE, KEPT_JUNCTION = range(KEPT)
# Behind these a read has the conductance of each channel [S], and the current [A] of columns recorded by themselves.
ROWS, READS, STATES = range(3)  # lengths of the log in use


@by_pointer
class Log(NamedTuple):
    """Record of a run: filled from the top by the kernels, emptied by the caller between calls."""

    every_step: bool  # True: a row of each step; False: where a task asks for one
    total: np.ndarray  # (K,) vacancies per area before any passed an electrode [1/m2], for the balance
    used: np.ndarray  # (3,) ROWS, READS, STATES filled
    rows: np.ndarray  # (R, RECORD), or (R, RECORD + 2 K) where columns are told apart; K more for their temperatures
    reads: np.ndarray  # (M, READING + C), or (M, READING + C + K)
    kept_instants: np.ndarray  # (S, KEPT)
    kept_D: np.ndarray  # (S, 2, K) C/m2, AT_LEFT and AT_RIGHT
    kept_memory: np.ndarray  # (S, M) that of the state
    kept_stack: np.ndarray  # (S, K, W) fields, band and charges of the stack that was solved, see `write_stack`
    watch: Watch  # the largest values, whatever else is recorded


@bare
def full_of_rows(log: Log) -> bool:
    """True when there is no room for another row."""
    return log.used[ROWS] == log.rows.shape[0]


@detached
def write_row(
    junction: Junction, state: State, tangent: Tangent, time: float, step: float, V_source: float, log: Log
):  # fmt: skip
    """Write a row of a settled state to the log, its current evaluated where the steps did not need it. Returns a status.

    Columns are averaged by their weight. step : [s] that ends here and was not looked at yet, 0 for none
    """
    status = ensure_current(junction, state, tangent)
    whole = log.rows[log.used[ROWS]]
    row = whole[: whole.size - state.heat.temperature.size]
    whole[:] = 0.0
    row[TIME], row[SOURCE], row[JUNCTION] = time, V_source, state.V[0]
    for k in range(state.c.shape[0]):
        weight = junction.columns.weight[k]
        row[BENDING] += weight * edge(junction.right[k], -state.D_right[k])[2]
        row[CHARGE_LEFT] += weight * state.D_left[k]
        row[CHARGE_RIGHT] -= weight * state.D_right[k]
        count, moment, x = 0.0, 0.0, 0.0
        for i in range(state.c.shape[1]):
            h = junction.columns.width[k, i]
            count += state.c[k, i] * h
            moment += state.c[k, i] * h * (x + 0.5 * h)
            x += h
        mean_position = moment / count if count > 0.0 else math.nan  # an electrode may take the last ion of a film
        row[POSITION] += weight * mean_position
        row[COUNT] += weight * count
        if row.size > RECORD:
            row[RECORD + state.G.size + k] = mean_position
        counted = log.total[k] + (state.passed[k, AT_LEFT] - state.passed[k, AT_RIGHT])
        size = max(counted if count > 0.0 else state.passed[k, AT_LEFT], log.total[k])
        change = (count - counted) / size if size != 0.0 else 0.0  # nothing was there, and nothing came
        if abs(change) > abs(row[BALANCE]):
            row[BALANCE] = change
    row[TERMINAL_LEFT], row[TERMINAL_RIGHT] = row[CHARGE_LEFT], row[CHARGE_RIGHT]
    fill_row(junction, state, whole)
    row[CURRENT] = conduction(state)
    if row.size > RECORD:
        for k in range(state.G.size):
            row[RECORD + k] = state.V[0] * state.G[k] + own_current(state, k)
    row[CHARGING] = state.charging[0]
    if junction.compliance < math.inf and abs(V_source - state.V[0]) > resistance(junction) * junction.compliance:
        row[SOURCE] = state.V[0] + junction.resistance * (row[CURRENT] + row[CHARGING])  # the source has given way
    note_largest(junction, state, log.watch, time, step, True)
    row[RISE] = temperature_rise(log.watch)
    log.used[ROWS] += status == Status.DONE
    return status


@spliced
def write_read(junction: Junction, state: State, tangent: Tangent, time: float, V_source: float, log: Log):
    """Write the current of the settled junction and its transport to the log. Returns a status.

    The current is evaluated here, and the tangent goes on from it.
    """
    follow_tangent(junction, state, tangent)
    tangent.evaluated[0] += tangent.G.size
    row, first = log.reads[log.used[READS]], READING + junction.channels.code.size
    conductance, unseen, share, energy, good = transport(junction, state, tangent.present, row[READING:first])
    if not good:
        return Status.SPECTRUM_NOT_CONVERGED
    for r in range(tangent.G.size):
        put_tangent(junction, state, tangent, r, tangent.stale[r] + tangent.change[r])
    for k in range(state.c.shape[0]):
        add_channels(junction, state, tangent, k)
    row[READ_TIME], row[READ_SOURCE], row[READ_CURRENT] = time, V_source, conductance * state.V[0]
    if state.V[0] == 0.0:
        row[READ_CURRENT] = relaxation(state)
    row[READ_SHARE], row[READ_ENERGY], row[READ_UNSEEN] = share, energy, unseen
    if row.size > first:
        for k in range(state.G.size):
            row[first + k] = state.V[0] * state.G[k] + own_current(state, k)
    log.used[READS] += 1
    return Status.DONE


@bare
def append(x: np.ndarray, row: np.ndarray, at: int) -> int:
    """Copy a vector to a row from place `at` on. Returns the place behind it."""
    for i in range(x.size):
        row[at + i] = x[i]
    return at + x.size


@detached
def write_stack(state: State, k: int, row: np.ndarray):
    """Write fields, band and charges of column k to a row, one vector behind the other (`integrate.stack_arrays`)."""
    at = append(state.D[k], row, 0)
    at = append(state.E[k], row, at)
    at = append(state.eps[k], row, at)
    at = append(state.band[k], row, at)
    for line in range(state.electrons.shape[1]):
        at = append(state.electrons[k, line], row, at)
    for line in range(state.sides.shape[1]):
        at = append(state.sides[k, line], row, at)
    append(state.trapped[k], row, at)


@spliced
def write_state(state: State, time: float, V_source: float, log: Log):
    """Write the state itself to the log."""
    i = log.used[STATES]
    log.kept_instants[i, KEPT_TIME], log.kept_instants[i, KEPT_SOURCE], log.kept_instants[i, KEPT_JUNCTION] = (
        time,
        V_source,
        state.V[0],
    )
    copy(state.D_left, log.kept_D[i, AT_LEFT])
    copy(state.D_right, log.kept_D[i, AT_RIGHT])
    copy(state.memory, log.kept_memory[i])
    for k in range(state.c.shape[0]):
        write_stack(state, k, log.kept_stack[i, k])
    log.used[STATES] += 1
