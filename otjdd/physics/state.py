"""The state of a junction for the kernels, the conductance of a column, and the tangent of the current.

State and tangent are arrays that the kernels change in place.
"""

import math
from typing import Annotated, NamedTuple

import numpy as np

from otjdd.compiler.decorators import detached, kernel
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.physics.numerics import copy
from otjdd.variables import Array, HeatState, Progress, State, TrapState, derived, new, work

NO_SLOPES, FEW_ENERGIES, ALL_ENERGIES = range(3)  # slopes that are asked for: none, those for a tangent, exact ones


class Conductance(NamedTuple):
    """Chord conductance of a column by one channel or by all, and its logarithmic slopes, 0 where not asked for."""

    converged: bool
    chord: float  # S, G = I/V_j
    by_V: float  # 1/V, d ln G/dV_j
    by_D: float  # m2/C, d ln G/dD(L), all D_f moving alike
    by_P: float  # m2/C, d ln G/dP
    by_S: np.ndarray  # (N+1,) m2, d ln G/dS_f


@kernel
def sum_of(a: Conductance, b: Conductance) -> Conductance:
    """Conductance of two channels in parallel: the slopes of ln G are means by the shares in it."""
    chord = a.chord + b.chord
    share = b.chord / chord if chord > 0.0 else 0.0
    rest = 1.0 - share
    return Conductance(
        a.converged and b.converged,
        chord,
        rest * a.by_V + share * b.by_V,
        rest * a.by_D + share * b.by_D,
        rest * a.by_P + share * b.by_P,
        rest * a.by_S + share * b.by_S,
    )


for record in (HeatState, Progress, TrapState, State):
    by_pointer(record)

SITE, LINES = 18, 19  # of work space of a stack with electrons, see `electrons.stack`; SITE of `ion_fluxes`
GUESS, COSH = 3, 2  # number of rows of a guess of D(E), y, sinh(y), cosh(y); and place of the last, 1 without a field
VOLTAGES = 8  # source voltages of which a junction remembers the tangent: those of a train of pulses and its reads
AT_SOURCE, LOST = range(2)  # columns of Memory.losses
AT_LEFT, AT_RIGHT = range(2)  # ends of the film: columns of State.passed, and rows of a log
VOLTAGE, LOG_G, CHARGE, NUMBERS = range(4)  # of Border
PANELS = 64  # most edges of energy panels that a column remembers; with more it starts from fresh panels


@by_pointer
class LogSlopes(NamedTuple):
    """Derivatives of ln G of the channels of all columns."""

    by_V: Annotated[Array, derived("row", "1/V", "d ln G/dV_j")]
    by_D: Annotated[Array, derived("row", "m2/C", "d ln G/dD(L)")]
    by_P: Annotated[Array, derived("row", "m2/C", "d ln G/dP")]
    by_S: Annotated[Array, derived("row face", "m2", "d ln G/dS_f")]


@by_pointer
class Tangent(NamedTuple):
    """ln G of every channel of every column, linear around the state at which it was evaluated last.

    Channel i of C in column k is row k C + i of R rows. Channels are in parallel: where one of them is small it may be the
    steepest, and the logarithm of their sum is far from linear.
    """

    values: Array  # all that is derived
    flat: Array  # all
    V: Annotated[Array, derived("row", "V", "V_j there; nan before the first evaluation", fill=math.nan)]
    D: Annotated[Array, derived("row", "C/m2", "D(L) there")]
    c: Annotated[Array, derived("row cell", "1/m3", "concentrations there")]
    P: Annotated[Array, derived("row", "C/m2", "polarisation there")]
    kT: Annotated[Array, derived("row", "eV", "kT there")]
    G: Annotated[Array, derived("row", "S", "I/V_j there")]
    own: LogSlopes  # of each channel
    stale: Annotated[
        Array,
        derived("row", "1", "change of ln G from the slopes to the evaluation; inf without slopes", fill=math.inf),
    ]
    change: Annotated[
        Array, work("row", "1", "change of ln G to the last `follow_tangent`, inf if out of reach", fill=math.inf)
    ]
    present: Annotated[Array, work("row", "S", "I/V_j at that last state")]
    by_V: Annotated[Array, derived("column", "1/V", "mean of the channels of a column by their present conductances")]
    by_D: Annotated[Array, derived("column", "m2/C", "the same")]
    by_P: Annotated[Array, derived("column", "m2/C", "the same")]
    by_S: Annotated[Array, derived("column face", "m2", "the same")]
    panels: Annotated[
        Array, derived("column panel", "eV", "edges of energy panels, nan behind the last", fill=math.nan)
    ]
    needed: Annotated[Array, derived("column", "1", "number of edges when fresh panels were made last")]
    curvature: Annotated[
        Array, derived("one", "1", "error of ln I along the tangent over half the square of its change", fill=1.0)
    ]
    evaluated: Annotated[Array, work("one", "1", "currents of channels of columns that were evaluated so far")]


@by_pointer
class Border(NamedTuple):
    """What all columns of a step share, V_j, and P of each column: three numbers of a column, linear in its unknowns.

    VOLTAGE [V] across the film moves P. LOG_G, ln of the conductance along the tangent, and CHARGE [C/m2], which comes from
    the left terminal, move V_j. Each is own + by_V dV_j + by_P dP.
    """

    asked: np.ndarray  # (NUMBERS,) 1 for those that act in this step; others are not filled
    own: np.ndarray  # (K, NUMBERS) in a stage at constant V_j and P
    by_V: np.ndarray  # (K, NUMBERS) per V
    by_P: np.ndarray  # (K, NUMBERS) per C/m2


def new_border(K: int) -> Border:
    """The border of K columns."""
    return Border(np.zeros(NUMBERS), *np.zeros((3, K, NUMBERS)))


@by_pointer
class WayBetween(NamedTuple):
    """Room for the way from one state to another, see `electrons.step`."""

    old: State  # where a jump of the voltage began
    start: State  # of a part of the way
    middle: State
    end: State


@by_pointer
class Memory(NamedTuple):
    """Source voltages at which the junction was settled: the loss in the circuit there, and the tangent of the current."""

    losses: np.ndarray  # (M, 2) AT_SOURCE, LOST [V]; inf and 0 where unused
    tangents: np.ndarray  # (M, n) their values
    place: np.ndarray  # (1,) row of the voltage at which the junction is settled


def new_tangent(K: int, N: int, channels: int) -> Tangent:
    """A tangent before the first evaluation of the current, of columns of N cells."""
    sizes = {"row": K * channels, "column": K, "cell": N, "face": N + 1, "panel": PANELS, "one": 1}
    return new(Tangent, sizes)


def new_memory(tangent: Tangent) -> Memory:
    """A memory of no voltage, for a tangent before its first evaluation."""
    losses = np.zeros((VOLTAGES, 2))
    losses[:, AT_SOURCE] = np.inf
    return Memory(losses, np.tile(tangent.values, (VOLTAGES, 1)), np.zeros(1, np.int64))


@detached
def copy_state(source: State, target: State):
    """Copy the variables of a state to one of the same kind."""
    copy(source.values, target.values)
