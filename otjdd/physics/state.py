"""State of a junction at one instant, and the tangent of its current: arrays that the kernels change in place."""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.physics.film_electrons import ELECTRONS
from otjdd.physics.layers import SIDES
from otjdd.physics.numerics import copy
from otjdd.physics.polarisation import Progress
from otjdd.physics.traps.kinetic import RATES

SITE, LINES = 17, 18  # of work space of a stack with electrons, see `electron_stack`; SITE of `bound_electrons`
GUESS, COSH = 3, 2  # number of rows of a guess of D(E), y, sinh(y), cosh(y); and place of the last, 1 without a field
VOLTAGES = 8  # source voltages of which a junction remembers the tangent: those of a train of pulses and its reads
AT_SOURCE, LOST = range(2)  # columns of Memory.losses
AT_LEFT, AT_RIGHT = range(2)  # ends of the film: columns of State.passed, and rows of a log
# The memory of a state; all else follows from it and V. Shapes, in sizes: K columns, N cells, 2 ends of the film, T groups
# of traps whose filling takes time. H, P and R are K where the current warms the junction, where films are polarised and
# where ions hop at random, F is 1 there; elsewhere they are 0.
MEMORY = {
    "c": "KN", "passed": "K2", "polarisation": "K", "temperature": "H", "advance": "P", "begun": "P", "towards": "P",
    "filling": "KT", "smooth": "RN", "smooth_passed": "R2", "draws": "F",
}  # fmt: skip
PANELS = 64  # most edges of energy panels that a column remembers; with more it starts from fresh panels


@by_pointer
class HeatState(NamedTuple):
    """Temperature of each column (K,); arrays of size 0 where the current does not warm the junction."""

    temperature: np.ndarray  # K
    power: np.ndarray  # W
    slope: np.ndarray  # W/s, of the power on average since the step before
    mean: np.ndarray  # K, mean temperature of a step
    last: np.ndarray  # K, temperature at the end of a step that was tried last
    off: np.ndarray  # K, its distance from what it leads to


@by_pointer
class TrapState(NamedTuple):
    """Filling of the T groups of traps whose filling takes time; arrays of size 0 where a junction has none.

    A group is a point of the film with a depth, see `traps.sites`. The state of a step holds what its start was, so that
    the filling follows from the rates at its end, whatever these are: see `channels.kinetic_traps`.
    """

    filling: np.ndarray  # (K, T) share that is filled; nan before the first rates, which are then those of rest
    rates: (
        np.ndarray
    )  # (K, T, RATES) ln of 1/s, columns of `traps.kinetic`, at the present fields; nan before the first
    away: np.ndarray  # (K, T) filling less that of rest at these rates
    old_rates: np.ndarray  # (K, T, RATES) at the start of the step
    old_away: np.ndarray  # (K, T)
    slope: np.ndarray  # (K, T, RATES) 1/s, of the rates on average in the step before, 0 at the start of a piece
    follows: np.ndarray  # (K, T) part of the filling that is that of rest at the present fields
    step: np.ndarray  # (1,) s, of which the state is the end; 0: the filling stays, inf: traps are at rest
    error: np.ndarray  # (1,) of the fillings by this step, see `kinetic.error_of_filling`
    count_error: np.ndarray  # (K,) 1/m2, of the electrons taken from an electrode in this step
    current_error: np.ndarray  # (1,) A, of the current at its end by which traps relax
    bias: np.ndarray  # (K,) V_j/kT of these rates
    old_bias: np.ndarray  # (K,) at the start of the step
    amount: np.ndarray  # (K, T) 1/m2, traps per area
    current: np.ndarray  # (K, C) A, at the terminals of a column, by which traps of each channel relax
    taken: np.ndarray  # (K, 2) 1/m2, electrons taken from the left and the right electrode so far
    old_taken: np.ndarray  # (K, 2) at the start of the step
    to_left: (
        np.ndarray
    )  # (K,) 1/m2, electrons on charged traps so far, each by the share of its charge that D(0) mirrors
    old_to_left: np.ndarray  # (K,)


@by_pointer
class State(NamedTuple):
    """State of K columns with N cells: its memory, by MEMORY, and what follows from it and from V.

    Arrays of electrons, of the work space beside them, and of what a junction does not have are of size 0.
    """

    memory: np.ndarray  # (M,) all of MEMORY in turn; the arrays of these names are parts of it

    c: np.ndarray  # (K, N) 1/m3, concentrations
    D_right: np.ndarray  # (K,) C/m2, D(L)
    D_left: np.ndarray  # (K,) C/m2, D(0)
    D: np.ndarray  # (K, N+1) C/m2, of the dielectric: without the polarisation
    E: np.ndarray  # (K, N+1) V/m
    eps: np.ndarray  # (K, N+1) F/m, dD/dE
    guess: np.ndarray  # (K, GUESS, N+1) where the next inversion of D(E) starts, see `electrostatics.fields`
    G: np.ndarray  # (K,) S, chord conductance I/V_j of each column
    V: np.ndarray  # (1,) V, junction voltage V_j
    heat: HeatState
    P: np.ndarray  # (K,) C/m2, polarisation; 0 in a film that has none
    progress: Progress  # of the law of P
    passed: np.ndarray  # (K, 2) 1/m2, vacancies that passed the left and the right end of the film, to the right
    smooth: np.ndarray  # (K, N) 1/m3, the smooth density while c is that of single ions
    smooth_passed: np.ndarray  # (K, 2) 1/m2, its part of what passed, meanwhile
    draws: np.ndarray  # (1,) steps whose hops were drawn until then
    traps: TrapState
    band: np.ndarray  # (K, N+2) eV, E_C at the left end, the N centres and the right end
    electrons: np.ndarray  # (K, ELECTRONS, N) of the film, rows of `film_electrons`
    lines: np.ndarray  # (LINES, 2N+1) work space, and here below
    matrix: np.ndarray  # (3, N, 2, 2)
    answer: np.ndarray  # (N, 2)
    sides: np.ndarray  # (K, SIDES, M-1) fields on both sides of the interfaces between M layers, rows of `layers`
    trapped: np.ndarray  # (K, N) C/m2, charge of the traps in each cell; (K, 0) where no traps are charged


@by_pointer
class LogSlopes(NamedTuple):
    """Derivatives of ln G of several conductances, rows of these arrays."""

    by_V: np.ndarray  # (...,) d ln G/dV_j
    by_D: np.ndarray  # (...,) d ln G/dD(L)
    by_P: np.ndarray  # (...,) d ln G/dP
    by_S: np.ndarray  # (..., N+1) d ln G/dS_f


@by_pointer
class Tangent(NamedTuple):
    """ln G of every channel of every column, linear around the state at which it was evaluated last.

    Channel i of C in column k is row k C + i of R rows. Channels are in parallel: where one of them is small it may be the
    steepest, and the logarithm of their sum is far from linear.
    """

    V: np.ndarray  # (R,) V_j there; nan before the first evaluation
    D: np.ndarray  # (R,) D(L) there
    c: np.ndarray  # (R, N) concentrations there
    P: np.ndarray  # (R,) polarisation there
    kT: np.ndarray  # (R,) eV there
    G: np.ndarray  # (R,) S, I/V_j there
    own: LogSlopes  # (R,) of each channel
    stale: np.ndarray  # (R,) change of ln G from the state of the slopes to that of its evaluation; inf without slopes
    change: np.ndarray  # (R,) change of ln G from there to the last state of `along_tangent`, inf if out of reach
    present: np.ndarray  # (R,) S, I/V_j at that last state
    by_V: np.ndarray  # (K,) slopes of each column: means of those of its channels by their present conductances
    by_D: np.ndarray  # (K,)
    by_P: np.ndarray  # (K,)
    by_S: np.ndarray  # (K, N+1)
    panels: np.ndarray  # (K, PANELS) edges of the energy panels of the last evaluation [eV], nan behind the last
    needed: np.ndarray  # (K,) number of these edges when fresh panels were made last
    bend: np.ndarray  # (1,) error of ln I along the tangent over half the square of its change, as measured last
    evaluated: np.ndarray  # (1,) currents of channels of columns that were evaluated so far


@by_pointer
class Memory(NamedTuple):
    """Source voltages at which the junction was settled: the loss in the circuit there, and the tangent of the current."""

    losses: np.ndarray  # (M, 2) AT_SOURCE, LOST [V]; inf and 0 where unused
    tangents: Tangent  # arrays with M as their first dimension
    place: np.ndarray  # (1,) row of the voltage at which the junction is settled


def new_state(
    K: int, N: int, electrons: bool = False, heat: bool = False, polarised: bool = False, interfaces: int = 0,
    charged: bool = False, traps: tuple[int, int] = (0, 0), *, noisy: bool = False,
) -> State:  # fmt: skip
    """An empty state of K columns with N cells, the film with or without electrons, warmed or polarised or not.

    interfaces : number of those between layers   charged : its traps carry charge
    traps : channels and groups of traps whose filling takes time   noisy : single ions hop at random
    """
    faces, guess, filled = (K, N + 1), np.zeros((K, GUESS, N + 1)), int(electrons)
    shapes = memory_shapes(K, N, heat, polarised, traps[1], noisy)
    memory = np.zeros(sum(map(math.prod, shapes.values())))
    of = memory_parts(memory, shapes)
    of["filling"][:] = np.nan  # not known before the first rates
    warmed = HeatState(of["temperature"], *(np.zeros(int(heat) * K) for _ in HeatState._fields[1:]))
    guess[:, COSH] = 1.0
    return State(
        memory, of["c"], np.zeros(K), np.zeros(K), np.zeros(faces), np.zeros(faces), np.zeros(faces), guess,
        np.zeros(K), np.zeros(1), warmed,
        of["polarisation"], Progress(of["advance"], of["begun"], of["towards"]), of["passed"], of["smooth"],
        of["smooth_passed"], of["draws"], new_trap_state(K, *traps, of["filling"]),
        np.zeros((K, filled * (N + 2))), np.zeros((K, ELECTRONS, filled * N)),
        np.zeros((LINES, filled * (2 * N + 1))), np.zeros((3, filled * N, 2, 2)), np.zeros((filled * N, 2)),
        np.zeros((K, SIDES, interfaces)), np.zeros((K, int(charged) * N)),
    )  # fmt: skip


def memory_shapes(
    K: int, N: int, heat: bool, polarised: bool, groups: int, noisy: bool
) -> dict[str, tuple[int, ...]]:  # fmt: skip
    """Shape of each array of MEMORY. Arguments as of `new_state`. groups : of traps whose filling takes time"""
    sizes = {"K": K, "N": N, "2": 2, "T": groups, "H": K * heat, "P": K * polarised, "R": K * noisy, "F": int(noisy)}
    return {name: tuple(sizes[letter] for letter in letters) for name, letters in MEMORY.items()}


def memory_parts(memory: np.ndarray, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The parts of the memory (M,) of a state by name, not copied."""
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    parts = np.split(memory, ends[:-1])
    return {name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}


def new_trap_state(K: int, channels: int, groups: int, filling: np.ndarray) -> TrapState:
    """Traps whose rates are not known yet, with an array of their filling (K, T)."""
    of_groups, of_rates = (K, groups), (K, groups, RATES)
    return TrapState(
        filling, np.full(of_rates, np.nan), np.zeros(of_groups), np.full(of_rates, np.nan),
        np.zeros(of_groups), np.zeros(of_rates), np.zeros(of_groups), np.zeros(1), np.zeros(1), np.zeros(K), np.zeros(1),
        np.zeros(K), np.zeros(K), np.zeros(of_groups),
        np.zeros((K, channels)), np.zeros((K, 2)), np.zeros((K, 2)), np.zeros(K), np.zeros(K),
    )  # fmt: skip


def new_tangent(K: int, N: int, channels: int, before: tuple[int, ...] = ()) -> Tangent:
    """A tangent before the first evaluation of the current. before : dimensions of its arrays before their own"""

    def filled(value: float, *shape: int) -> np.ndarray:
        return np.full((*before, *shape), value)

    def flat(rows: int) -> LogSlopes:
        return LogSlopes(filled(0.0, rows), filled(0.0, rows), filled(0.0, rows), filled(0.0, rows, N + 1))

    R = K * channels
    return Tangent(
        filled(np.nan, R), filled(0.0, R), filled(0.0, R, N), filled(0.0, R), filled(0.0, R), filled(0.0, R), flat(R),
        filled(np.inf, R), filled(np.inf, R), filled(0.0, R), *flat(K),
        filled(np.nan, K, PANELS), filled(0.0, K), filled(1.0, 1), np.zeros((*before, 1), np.int64),
    )  # fmt: skip


def new_memory(K: int, N: int, channels: int) -> Memory:
    """A memory of no voltage."""
    losses = np.zeros((VOLTAGES, 2))
    losses[:, AT_SOURCE] = np.inf
    return Memory(losses, new_tangent(K, N, channels, (VOLTAGES,)), np.zeros(1, np.int64))


@bare
def carry_vector(x: np.ndarray, row: np.ndarray, back: bool):
    """Copy a vector to a row, or back."""
    if back:
        copy(row, x)
    else:
        copy(x, row)


@detached
def carry(tangent: Tangent, tangents: Tangent, m: int, back: bool):
    """Copy a tangent to row m of many, or back. The caller follows it from there: `change` and `present` are not copied."""
    own, owns = tangent.own, tangents.own
    carry_vector(tangent.V, tangents.V[m], back)
    carry_vector(tangent.D, tangents.D[m], back)
    carry_vector(tangent.P, tangents.P[m], back)
    carry_vector(tangent.kT, tangents.kT[m], back)
    carry_vector(tangent.G, tangents.G[m], back)
    carry_vector(tangent.stale, tangents.stale[m], back)
    carry_vector(own.by_V, owns.by_V[m], back)
    carry_vector(own.by_D, owns.by_D[m], back)
    carry_vector(own.by_P, owns.by_P[m], back)
    carry_vector(tangent.by_V, tangents.by_V[m], back)
    carry_vector(tangent.by_D, tangents.by_D[m], back)
    carry_vector(tangent.by_P, tangents.by_P[m], back)
    carry_vector(tangent.needed, tangents.needed[m], back)
    carry_vector(tangent.bend, tangents.bend[m], back)
    for r in range(tangent.c.shape[0]):
        carry_vector(tangent.c[r], tangents.c[m, r], back)
        carry_vector(own.by_S[r], owns.by_S[m, r], back)
    for k in range(tangent.by_S.shape[0]):
        carry_vector(tangent.by_S[k], tangents.by_S[m, k], back)
        carry_vector(tangent.panels[k], tangents.panels[m, k], back)


@bare
def copy_heat(source: HeatState, target: HeatState):
    """Copy the arrays beside the temperature."""
    copy(source.power, target.power)
    copy(source.slope, target.slope)
    copy(source.mean, target.mean)
    copy(source.last, target.last)
    copy(source.off, target.off)


@bare
def copy_traps(source: TrapState, target: TrapState):
    """Copy the arrays beside the filling of traps whose filling takes time, where there are some."""
    if source.filling.shape[1] == 0:
        return
    target.step[0], target.error[0] = source.step[0], source.error[0]
    target.current_error[0] = source.current_error[0]
    copy(source.count_error, target.count_error)
    copy(source.bias, target.bias)
    copy(source.old_bias, target.old_bias)
    copy(source.to_left, target.to_left)
    copy(source.old_to_left, target.old_to_left)
    for k in range(source.filling.shape[0]):
        copy(source.away[k], target.away[k])
        copy(source.old_away[k], target.old_away[k])
        copy(source.amount[k], target.amount[k])
        copy(source.follows[k], target.follows[k])
        copy(source.current[k], target.current[k])
        copy(source.taken[k], target.taken[k])
        copy(source.old_taken[k], target.old_taken[k])
        for j in range(source.filling.shape[1]):
            copy(source.rates[k, j], target.rates[k, j])
            copy(source.old_rates[k, j], target.old_rates[k, j])
            copy(source.slope[k, j], target.slope[k, j])


@detached
def copy_state(source: State, target: State):
    """Copy all arrays of a state to one of the same kind."""
    copy(source.memory, target.memory)
    target.V[0] = source.V[0]
    copy(source.D_right, target.D_right)
    copy(source.D_left, target.D_left)
    copy(source.G, target.G)
    copy_heat(source.heat, target.heat)
    copy_traps(source.traps, target.traps)
    for k in range(source.c.shape[0]):
        copy(source.D[k], target.D[k])
        copy(source.E[k], target.E[k])
        copy(source.eps[k], target.eps[k])
        for row in range(GUESS):
            copy(source.guess[k, row], target.guess[k, row])
        copy(source.band[k], target.band[k])
        for row in range(source.electrons.shape[1]):
            copy(source.electrons[k, row], target.electrons[k, row])
        for row in range(SIDES):
            copy(source.sides[k, row], target.sides[k, row])
        copy(source.trapped[k], target.trapped[k])
