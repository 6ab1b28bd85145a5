"""The state of a junction at one instant: each of its variables is declared once, here.

A declaration says what a variable is to a run, its shape in sizes, its unit and its meaning. From that follows everything
that is done with all variables alike: arrays (`new`), copies, kept states, checkpoints, what a run goes on from, and the
outputs of results that hold it. All arrays of a state are parts of one, so that each of these is one operation.

    memory     what a run goes on from: all else follows from it
    derived    what follows, kept beside it, and copied with it
    work       of no meaning between two calls of the kernels
"""

from __future__ import annotations

import math
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

import numpy as np

ROLES = MEMORY, DERIVED, WORK = "memory", "derived", "work"
WHOLE = {MEMORY: 1, "values": 2, "flat": 3}  # fields that hold all variables of the first roles, in turn
# size of an array -> dimension of an output; those of a feature are 0 where a junction has none: loops do nothing there
DIMENSIONS = {
    "column": "column", "warm": "column", "polar": "column", "noisy": "column", "electronic": "column", "cell": "x",
    "end": "end", "draw": "draw", "group": "trap_group", "one": "junction",
}  # fmt: skip
Array = np.ndarray
Tuples = TypeVar("Tuples", bound=tuple[Any, ...])


class Variable(NamedTuple):
    """A variable of the state: its role, the sizes of its array, its unit and its meaning."""

    role: str
    shape: str  # names of sizes, see `physics.junction.sizes_of`
    unit: str
    long_name: str
    fill: float = 0.0  # before the state is solved
    output: str = ""  # of a result that holds it, with a snapshot as the first dimension; "" for state_NAME


def memory(shape: str, unit: str, long_name: str, *, fill: float = 0.0, output: str = "") -> Variable:
    """A variable that a run goes on from."""
    return Variable(MEMORY, shape, unit, long_name, fill, output)


def derived(shape: str, unit: str, long_name: str, *, fill: float = 0.0) -> Variable:
    """A variable that follows from the memory."""
    return Variable(DERIVED, shape, unit, long_name, fill)


def work(shape: str, unit: str, long_name: str, *, fill: float = 0.0) -> Variable:
    """A variable of no meaning between two calls."""
    return Variable(WORK, shape, unit, long_name, fill)


class HeatState(NamedTuple):
    """Temperature of each column that the current warms."""

    temperature: Annotated[
        Array, memory("warm", "K", "temperature of each column at the profiles", output="snapshot_temperature")
    ]
    power: Annotated[Array, derived("warm", "W", "power")]
    slope: Annotated[Array, derived("warm", "W/s", "of the power on average since the step before")]
    mean: Annotated[Array, derived("warm", "K", "mean temperature of a step")]
    last: Annotated[Array, derived("warm", "K", "temperature at the end of a step that was tried last")]
    off: Annotated[Array, derived("warm", "K", "its distance from what it leads to")]


class Progress(NamedTuple):
    """Where the law of the polarisation of each column stands, see `mechanisms.polarisation`."""

    advance: Annotated[
        Array, memory("polar", "1", "progress of the polarisation law: reduced time, or P of two levels")
    ]
    begun: Annotated[Array, memory("polar", "C m^-2", "polarisation of each column when its field last changed sign")]
    towards: Annotated[Array, memory("polar", "1", "sign of the field of each column since then")]


class TrapState(NamedTuple):
    """Filling of the groups of traps whose filling takes time; a group is a point of the film with a depth (`traps.sites`).

    The state of a step holds what its start was, so that the filling follows from the rates at its end, whatever these are:
    see `mechanisms.traps.kinetic`.
    """

    filling: Annotated[
        Array,
        memory(
            "column group", "1", "occupancy of each group of kinetic traps", fill=math.nan,
            output="trap_filling_groups",
        ),
    ]  # nan before the first rates, which are then those of rest  # fmt: skip
    rates: Annotated[Array, derived("column group rate", "1", "ln of 1/s at the present fields", fill=math.nan)]
    away: Annotated[Array, derived("column group", "1", "filling less that of rest at these rates")]
    old_rates: Annotated[Array, derived("column group rate", "1", "rates at the start of the step", fill=math.nan)]
    old_away: Annotated[Array, derived("column group", "1", "away at the start of the step")]
    slope: Annotated[
        Array, derived("column group rate", "1/s", "of the rates in the step before, 0 at the start of a piece")
    ]
    follows: Annotated[
        Array, derived("column group", "1", "part of the filling that is that of rest at the present fields")
    ]
    step: Annotated[Array, derived("one", "s", "that ends in the state; 0: the filling stays, inf: traps are at rest")]
    error: Annotated[Array, derived("one", "1", "of the fillings by this step, see `kinetic.error_of_filling`")]
    count_error: Annotated[Array, derived("column", "1/m2", "of electrons taken from an electrode in this step")]
    current_error: Annotated[Array, derived("one", "A", "of the current at its end by which traps relax")]
    bias: Annotated[Array, derived("column", "1", "V_j/kT of these rates")]
    old_bias: Annotated[Array, derived("column", "1", "V_j/kT at the start of the step")]
    amount: Annotated[Array, derived("column group", "1/m2", "traps per area")]
    current: Annotated[Array, derived("column relaxing", "A", "at the terminals, by which traps of each channel relax")]
    taken: Annotated[Array, derived("column end", "1/m2", "electrons taken from both electrodes so far")]
    old_taken: Annotated[Array, derived("column end", "1/m2", "the same at the start of the step")]
    to_left: Annotated[
        Array, derived("column", "1/m2", "electrons on charged traps, each by the share of its charge in D(0), so far")
    ]
    old_to_left: Annotated[Array, derived("column", "1/m2", "the same at the start of the step")]


class State(NamedTuple):
    """State of K columns with N cells. Arrays of what a junction does not have are of size 0."""

    memory: Array  # (M,) all of it in turn; the arrays of these variables are parts of it
    values: Array  # (M + ...,) that, and all that is derived
    flat: Array  # all of a state

    c: Annotated[
        Array,
        memory("column cell", "m^-3", "vacancy concentration of each column", output="vacancy_concentration_columns"),
    ]
    D_right: Annotated[Array, derived("column", "C/m2", "D(L)")]
    D_left: Annotated[Array, derived("column", "C/m2", "D(0)")]
    D: Annotated[Array, derived("column face", "C/m2", "of the dielectric: without the polarisation")]
    E: Annotated[Array, derived("column face", "V/m", "field")]
    eps: Annotated[Array, derived("column face", "F/m", "dD/dE")]
    guess: Annotated[Array, derived("column guess face", "1", "where the next inversion of D(E) starts: y, sinh, cosh")]
    G: Annotated[Array, derived("column", "S", "chord conductance I/V_j of each column")]
    V: Annotated[
        Array,
        memory(
            "one", "V", "junction voltage V_j; without a circuit that of the source", output="state_junction_voltage"
        ),
    ]
    charging: Annotated[Array, memory("one", "A", "current of the source beyond what the junction conducts")]
    lasted: Annotated[Array, memory("one", "s", "time since the source jumped")]
    kT: Annotated[Array, derived("column", "eV", "at the temperature of each column, or of the step that begins")]
    diffusivity: Annotated[Array, derived("column face", "m2/s", "of hops across a face, at that temperature")]
    supply: Annotated[Array, derived("column", "A/V", "per unit chord integral, at that temperature")]
    heat: HeatState
    P: Annotated[
        Array,
        memory("column", "C m^-2", "polarisation of each column at the profiles", output="snapshot_polarisation"),
    ]
    progress: Progress
    passed: Annotated[
        Array, memory("column end", "m^-2", "vacancies that passed the ends of each column, to the right, so far")
    ]
    smooth: Annotated[
        Array, memory("noisy cell", "m^-3", "smooth concentration of each column, around which single ions hop")
    ]
    smooth_passed: Annotated[
        Array, memory("noisy end", "m^-2", "the part of it in what passed the ends of each column")
    ]
    draws: Annotated[Array, memory("draw", "1", "steps whose hops were drawn so far")]
    traps: TrapState
    surplus: Annotated[
        Array,
        memory(
            "electronic", "m^-2",
            "electrons that came from the left electrode beyond those of the film in balance with it",
        ),
    ]  # fmt: skip
    band: Annotated[Array, derived("column film_node", "eV", "E_C at the left end, the centres and the right end")]
    electrons: Annotated[Array, derived("column contact film_cell", "1/m3", "of the film, rows of `electrons.density`")]
    lines: Annotated[Array, work("line film_line", "", "of a stack with electrons, see `electrons.stack`")]
    matrix: Annotated[Array, work("three film_cell two two", "", "of a stack with electrons")]
    answer: Annotated[Array, work("film_cell two", "", "of a stack with electrons")]
    by_total: Annotated[Array, work("film_cell two", "", "of a stack with electrons")]
    sides: Annotated[Array, derived("column side interface", "V/m", "fields beside the interfaces, rows of `ions`")]
    trapped: Annotated[Array, derived("column charged_cell", "C/m2", "charge of the traps in each cell")]


@cache
def hints_of(cls: type[tuple[Any, ...]], with_variables: bool = False) -> dict[str, Any]:
    """Types of the fields of a class of named tuples, by name; with_variables : what is declared beside them too."""
    return get_type_hints(cls, include_extras=with_variables)


@cache
def variables_of(cls: type[tuple[Any, ...]], before: str = "") -> dict[str, Variable]:
    """The variables of a class of named tuples and of those within it, by path; before : that of the class."""
    table: dict[str, Variable] = {}
    for name, hint in hints_of(cls, True).items():
        if hasattr(hint, "__metadata__"):
            table[before + name] = hint.__metadata__[0]
        elif hasattr(hint, "_fields"):
            table |= variables_of(hint, f"{before}{name}.")
    return table


class Layout(NamedTuple):
    """Where the variables of a class are in its one array."""

    start: Array  # that array, filled
    parts: tuple[tuple[str, int, int, tuple[int, ...]], ...]  # path, first and last number, shape
    wholes: tuple[tuple[str, int], ...]  # name of a field that holds all variables of some roles, and how many numbers


@cache
def layout_of(cls: type[tuple[Any, ...]], sizes: tuple[tuple[str, int], ...]) -> Layout:
    """Layout of a class of named tuples. sizes : of the shapes, with their names"""
    table, size = variables_of(cls), dict(sizes)
    shapes = {path: tuple(size[name] for name in of.shape.split()) for path, of in table.items()}
    ordered = sorted(table, key=lambda path: ROLES.index(table[path].role))
    ends = np.cumsum([0, *(math.prod(shapes[path]) for path in ordered)]).tolist()
    start = np.repeat([table[path].fill for path in ordered], np.diff(ends))
    parts = [(path, ends[i], ends[i + 1], shapes[path]) for i, path in enumerate(ordered)]
    counts = [sum(table[path].role in ROLES[:roles] for path in ordered) for roles in WHOLE.values()]
    return Layout(start, tuple(parts), tuple(zip(WHOLE, (ends[count] for count in counts), strict=True)))


def new(cls: type[Tuples], sizes: dict[str, int]) -> Tuples:
    """A tuple of the class whose variables are parts of one array. sizes : of the shapes, by name"""
    layout = layout_of(cls, tuple(sizes.items()))
    flat = layout.start.copy()
    parts: dict[str, Any] = {path: flat[first:last].reshape(shape) for path, first, last, shape in layout.parts}
    parts |= {name: flat[:count] if count < flat.size else flat for name, count in layout.wholes}
    return filled(cls, parts)


def filled(cls: type[Tuples], parts: dict[str, Any], before: str = "") -> Tuples:
    """A tuple of the class, with arrays by path. before : that of the class"""
    hints = hints_of(cls)
    fields = (
        filled(hints[name], parts, f"{before}{name}.") if hasattr(hints[name], "_fields") else parts[before + name]
        for name in hints
    )
    return cls(*fields)


# Numbers of a row of the time series. Where a run records columns of the junction by themselves, their currents [A] and the
# mean positions of their vacancies [m] follow; rows end with the temperatures [K] of a junction that warms.
RECORD = 26
TIME, SOURCE, JUNCTION, BENDING, CHARGE_LEFT, CHARGE_RIGHT, POSITION, CURRENT, BALANCE, RISE = range(10)
TERMINAL_LEFT, TERMINAL_RIGHT, SHEET, POLARISATION, FIELD, COUNT = range(10, 16)
FLUX_LEFT, FLUX_RIGHT, WALL_LEFT, WALL_RIGHT, FILLING_LEFT, FILLING_RIGHT = range(16, 22)
TRAPPED, TAKEN_LEFT, TAKEN_RIGHT, CHARGING = range(22, RECORD)

PATHS = {path: of for path, of in variables_of(State).items() if of.role == MEMORY}
REMEMBERED = {path.split(".")[-1]: of for path, of in PATHS.items()}  # by name
PARTS = {path.split(".")[-1]: attrgetter(path) for path in PATHS}  # name -> the array of a state
OF_CIRCUIT = ("V", "charging", "lasted")  # memory of a junction with something in series alone
OUTPUT = {name: of.output or f"state_{name}" for name, of in REMEMBERED.items()}  # variable -> output that holds it


def memory_of(state: State, copied: Array | None = None) -> dict[str, Array]:
    """The memory of a state by name, its arrays not copied. copied : a copy (M,) of it that is parted instead"""
    parts, at = {name: part(state) for name, part in PARTS.items()}, 0
    if copied is not None:
        for name, array in parts.items():
            parts[name] = copied[at : at + array.size].reshape(array.shape)
            at += array.size
    return parts


def rows_of_outputs() -> dict[str, tuple[str, str, str]]:
    """Outputs that hold the memory of snapshots: name -> dimensions, unit, long name."""
    return {
        OUTPUT[name]: (" ".join(["snapshot", *(DIMENSIONS[s] for s in of.shape.split())]), of.unit, of.long_name)
        for name, of in REMEMBERED.items()
    }
