"""Exchange of vacancies with the electrodes: fluxes at both ends of a column, faces 0 and N, by a law of `laws`.

An electrode that blocks has no flux. Through any other it is that between the electrode and the centre of the cell beside:

    half a cell    J = r [B(d) c_s (1 - c/n) - B(-d) c (1 - c_s/n)]        d = (-z E h + W - W_s)/kT over half a cell h
    wall           J = gain (1 - c_s/n) - loss c_s                         J > 0 into the film

Both are linear in the concentration c_s at the wall, so that c_s is eliminated:

    J = r [gain B(d) (1 - c/n) - loss B(-d) c]/(r [B(d) (1 - c/n) + B(-d) c/n] + gain/n + loss)

Nothing is subtracted where the flux vanishes, and no limit is lost: a fast wall is at its reservoir, a slow one passes its
gain and its loss alone.

Time steps leave a reservoir a little emptier than empty or fuller than full, and cells likewise, whose gain, loss and
shares of sites are then below zero. They count as zero in the denominator, which stays above zero, and as they are in what
is above it: so the flux leads back.

What has passed the end faces is a part of the state. S_0 is what it was at first and what passed, and

    Q = D_f + e z (vacancies that passed face f)        the same at every face

is the charge that came from the left terminal and went to the right one: a time step has Q in the place of D(L), which is
the same where the right electrode blocks. Fields, currents and the closure follow from Q and what passed each face.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, chosen, deferred_detached, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.laws import EXCHANGE_LAWS, Contact, Hopping, Ions, Wall, WallRates
from otjdd.physics.electrostatics import METAL, Electrode, edge
from otjdd.physics.ions import acceleration, bernoulli_pair
from otjdd.physics.junction import FluxSlopes, Junction, end_charge
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State
from otjdd.variables import FILLING_LEFT, FLUX_LEFT, TERMINAL_LEFT, TERMINAL_RIGHT, WALL_LEFT

ANSWERED_BY = "the equations of the ions, whose fluxes at the ends these are"  # to a small signal
WALL_CODES = {name: code for code, name in enumerate(EXCHANGE_LAWS)}  # name in a case -> Wall.law
BLOCKING = WALL_CODES["blocking"]
NO_WALL = Wall(BLOCKING, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, math.inf, 0.5)


class HalfCell(NamedTuple):
    """Hops between a wall and the centre of the cell beside it, at the field E at the wall."""

    c: float  # 1/m3, of the cell
    sites: float  # 1/m3
    rate: float  # D0 g/h [m/s]
    into: float  # B of a hop from the wall to the cell
    out: float  # B of one back
    into_by_field: float  # m/V
    out_by_field: float
    log_rate_by_field: float  # m/V, d ln rate/dE


class WallHops(NamedTuple):
    """Hops over a wall one way and the other, the wall itself left out."""

    into: float  # 1/(m2 s), into the cell beside it
    out: float  # m/s, out of that cell per concentration


class Inflow(NamedTuple):
    """Flux into a film and its derivatives."""

    J: float  # 1/(m2 s)
    by_c: float  # m/s, by the concentration of the cell
    by_field: float  # 1/(V m s), by the field at the wall, the edge of the band held
    by_edge: float  # 1/(eV m2 s)
    by_filling: float  # 1/(m2 s)
    wall: float  # 1/m3, concentration at the wall


FORMULAS = {WALL_CODES[name]: bare(law.formula) for name, law in EXCHANGE_LAWS.items() if law.formula is not None}


@chosen(FORMULAS, "wall.law", bare)
def rates_of(wall: Wall, contact: Contact, z: int, sites: float, rate: float):
    """Gain and loss of a wall; none where no vacancy passes it."""
    return WallRates(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@inlined
def passes(wall: Wall) -> bool:
    """True where vacancies pass a wall."""
    return wall.law != BLOCKING


@bare
def wall_hops(rates: WallRates, cell: HalfCell) -> WallHops:
    """Gain and loss of a wall through half a cell: `inflow` is into - out c. None is below zero."""
    free, taken = 1.0 - cell.c / cell.sites, cell.c / cell.sites
    through = cell.into * max(free, 0.0) + cell.out * max(taken, 0.0)
    below = cell.rate * through + max(rates.gain, 0.0) / cell.sites + max(rates.loss, 0.0)
    per = cell.rate / below if below > 0.0 else 0.0
    return WallHops(max(per * rates.gain * cell.into * free, 0.0), max(per * rates.loss * cell.out, 0.0))


@bare
def inflow(rates: WallRates, log_gain_by_field: float, cell: HalfCell) -> Inflow:
    """Flux between a wall and a cell. log_gain_by_field : d ln k/dE of gain and loss [m/V]"""
    per_site, rate = 1.0 / cell.sites, cell.rate
    free, taken = 1.0 - cell.c * per_site, cell.c * per_site
    has_gain, has_loss = 1.0 if rates.gain > 0.0 else 0.0, 1.0 if rates.loss > 0.0 else 0.0
    has_free, has_taken = 1.0 if free > 0.0 else 0.0, 1.0 if taken > 0.0 else 0.0
    through = cell.into * has_free * free + cell.out * has_taken * taken
    above = rate * (rates.gain * cell.into * free - rates.loss * cell.out * cell.c)
    below = rate * through + has_gain * rates.gain * per_site + has_loss * rates.loss
    per = 1.0 / below if below > 0.0 else 0.0  # a wall that no hop reaches
    J = above * per
    by_gain = per * (rate * cell.into * free - J * has_gain * per_site)
    by_loss = -per * (rate * cell.out * cell.c + J * has_loss)
    by_into = per * rate * free * (rates.gain - J * has_free)
    by_out = -per * rate * cell.c * (rates.loss + J * has_taken * per_site)
    by_rate = per * (rates.gain * cell.into * free - rates.loss * cell.out * cell.c)
    by_rate -= per * J * through
    crowding = cell.out * has_taken - cell.into * has_free
    by_c = -per * rate * (rates.gain * cell.into * per_site + rates.loss * cell.out + J * crowding * per_site)
    by_field = by_into * cell.into_by_field + by_out * cell.out_by_field + by_rate * rate * cell.log_rate_by_field
    by_field += (by_gain * rates.gain + by_loss * rates.loss) * log_gain_by_field
    by_edge = by_gain * rates.gain * rates.gain_by_edge + by_loss * rates.loss * rates.loss_by_edge
    by_filling = by_gain * rates.gain_by_filling + by_loss * rates.loss_by_filling
    wall = (rates.gain + rate * cell.out * cell.c) * per
    return Inflow(J, by_c, by_field, by_edge, by_filling, wall)


class EndFaces(NamedTuple):
    """The faces of a column that vacancies may pass: from `first` to the one before `end`."""

    first: int
    end: int


@inlined
def open_faces(junction: Junction, N: int) -> EndFaces:
    """Faces of a column of N cells that vacancies may pass, the same of all columns."""
    return EndFaces(0 if passes(junction.left_wall[0]) else 1, N + 1 if passes(junction.right_wall[0]) else N)


@inlined
def exchanges(junction: Junction) -> bool:
    """True where vacancies pass an electrode."""
    return passes(junction.left_wall[0]) or passes(junction.right_wall[0])


@bare
def filling_of(wall: Wall, into: float) -> float:
    """Share of the oxygen sites of a reservoir that is filled after vacancies went into the film [1/m2]."""
    return wall.filling + into / wall.capacity


class End(NamedTuple):
    """An end of a column: its face, and the cell and the electrode beside it."""

    face: int
    cell: int
    row: int  # of State.passed
    sign: float  # of a flux along x into the film
    wall: Wall
    electrode: Electrode
    shift: float  # eV, of the edge of the band of the first layer there


@inlined
def end_of(junction: Junction, k: int, at_right: bool) -> End:
    """The left or the right end of column k."""
    N = junction.columns.width.shape[1]
    return End(
        N if at_right else 0,
        N - 1 if at_right else 0,
        AT_RIGHT if at_right else AT_LEFT,
        -1.0 if at_right else 1.0,
        junction.right_wall[k] if at_right else junction.left_wall[k],
        junction.right[k] if at_right else junction.left[k],
        -junction.columns.offset[k] if at_right else junction.columns.left_edge[k],
    )


@bare
def filling_at(end: End, state: State, k: int) -> float:
    """Share of the oxygen sites of the reservoir at an end of column k that is filled."""
    return filling_of(end.wall, end.sign * state.passed[k, end.row])


@bare
def contact_of(end: End, charge: float, into: float, kT: float) -> Contact:
    """State of a wall. charge : of the electrode [C/m2]   into : vacancies that came in [1/m2]"""
    band, _, step = edge(end.electrode, charge)
    metal = end.electrode.kind == METAL
    follow = 1.0 if metal else 0.0
    return Contact(band + end.shift, step if metal else 0.0, follow, filling_of(end.wall, into), kT)


@bare
def rates_in_field(
    junction: Junction, k: int, wall: Wall, contact: Contact, E: float, sites: float
) -> tuple[WallRates, float]:
    """Gain and loss of a wall of column k in a field E [V/m], and d ln/dE of their acceleration [m/V].

    sites : per volume of the cell beside it [1/m3]
    """
    ions, kT = junction.ions[k], contact.kT
    rate, log_slope = wall.rate * math.exp(-wall.activation / kT), 0.0
    if wall.hop > 0.0:
        hopping = Hopping(0.5 * rate * wall.hop, wall.activation, kT)  # of the drift velocity k z E a/kT in weak field
        g, dg = acceleration(Ions(ions.law, ions.z, wall.hop, ions.attempt, sites), hopping, E)
        rate, log_slope = rate * g, dg / g
    return rates_of(wall, contact, ions.z, sites, rate), log_slope


@bare
def inflow_at(junction: Junction, k: int, wall: Wall, contact: Contact, E: float, cell: HalfCell) -> Inflow:
    """Flux into column k at a wall, in a field E at the wall [V/m]."""
    rates, log_slope = rates_in_field(junction, k, wall, contact, E, cell.sites)
    return inflow(rates, log_slope, cell)


@bare
def half_cell(junction: Junction, state: State, k: int, end: End, c: float, E: float) -> HalfCell:
    """Hops between the wall at an end of column k and the centre of the cell beside it, of a concentration c [1/m3]."""
    columns, ions, kT, f = junction.columns, junction.ions[k], state.kT[k], end.face
    D0, h, reach, sites = (
        state.diffusivity[k, f],
        columns.distance[k, f],
        columns.reach[k, f],
        columns.sites[k, end.cell],
    )
    B, B_back, dB = bernoulli_pair((columns.site[k, f] - ions.z * E * h) / kT)
    g, dg = acceleration(ions, Hopping(D0 / (reach * reach), columns.barrier[k, f], kT), E * reach)
    by_B, by_B_back, rate = -ions.z * h / kT * dB, -ions.z * h / kT * (dB + 1.0), D0 * g / h
    if end.sign < 0.0:
        return HalfCell(c, sites, rate, B_back, B, by_B_back, by_B, dg * reach / g)
    return HalfCell(c, sites, rate, B, B_back, by_B, by_B_back, dg * reach / g)


@deferred_detached
def end_inflow(junction: Junction, state: State, k: int, at_right: bool) -> Inflow:
    """Flux into column k of a state with its fields at an end; its derivative by the field is that by the field along x."""
    end = end_of(junction, k, at_right)
    E, charge = state.E[k, end.face], end.sign * end_charge(state, k, end.face)
    contact = contact_of(end, charge, end.sign * state.passed[k, end.row], state.kT[k])
    return inflow_at(junction, k, end.wall, contact, E, half_cell(junction, state, k, end, state.c[k, end.cell], E))


class EndHops(NamedTuple):
    """Hops over the wall at an end of a column, and how their balance ln(into/out c) answers."""

    into: float  # 1/(m2 s)
    out: float  # m/s
    by_field: float  # m/V, by the field at the wall, the edge of the band with it
    by_into: float  # m2, by the vacancies that came in


@bare
def end_hops(junction: Junction, state: State, k: int, at_right: bool, field: float, into: float, c: float) -> EndHops:
    """Hops over the left or the right wall of column k, beside deviations from the state.

    field : [V/m]   into : vacancies that came in [1/m2]   c : 1/m3, concentration of the cell, itself
    """
    end, z, kT = end_of(junction, k, at_right), junction.ions[k].z, state.kT[k]
    f, wall = end.face, end.wall
    E, charge = state.E[k, f] + field, end.sign * (end_charge(state, k, f) + state.eps[k, f] * field)
    contact = contact_of(end, charge, end.sign * state.passed[k, end.row] + into, kT)
    cell = half_cell(junction, state, k, end, c, E)
    rates = rates_in_field(junction, k, wall, contact, E, cell.sites)[0]
    hops: WallHops = wall_hops(rates, cell)
    yields = (rates.gain_by_edge - rates.loss_by_edge) * edge(end.electrode, charge)[1] * state.eps[k, f]
    by_filling = rates.gain_by_filling / rates.gain if rates.gain > 0.0 else 0.0
    by_filling -= rates.loss_by_filling / rates.loss if rates.loss > 0.0 else 0.0
    by_field = end.sign * (z * junction.columns.distance[k, f] / kT + yields)
    return EndHops(hops.into, hops.out, by_field, by_filling / wall.capacity)


@detached
def fill_end_fluxes(junction: Junction, state: State, k: int, J: np.ndarray):
    """Fill the fluxes J (N+1,) of column k at the end faces that vacancies pass, after those within the film."""
    for at_right in (False, True):
        end = end_of(junction, k, at_right)
        if passes(end.wall):
            J[end.face] = end.sign * end_inflow(junction, state, k, at_right).J


@detached
def fill_end_slopes(junction: Junction, state: State, k: int, J: np.ndarray, slopes: FluxSlopes):
    """As `fill_end_fluxes`, with the derivatives, those by the field with the edge of the band that follows it.

    Beyond an end there is a reservoir in the place of a cell: by_left of face 0, and by_right of face N, are minus and plus
    the derivative by what passed the face [1/s].
    """
    for at_right in (False, True):
        end = end_of(junction, k, at_right)
        if passes(end.wall):
            f, sign, at = end.face, end.sign, end_inflow(junction, state, k, at_right)
            by_cell = slopes.by_left if at_right else slopes.by_right
            by_reservoir = slopes.by_right if at_right else slopes.by_left
            by_charge = sign * at.by_edge * edge(end.electrode, sign * end_charge(state, k, f))[1]
            J[f], by_cell[f] = sign * at.J, sign * at.by_c
            by_reservoir[f] = -sign * at.by_filling / end.wall.capacity
            slopes.by_field[f] = sign * (at.by_field + by_charge * state.eps[k, f])


@bare
def ionic_current(junction: Junction, state: State, k: int) -> float:
    """Current [A] of the vacancies that pass the ends of column k: the mean of both, on which the field works."""
    J = 0.0
    for at_right in (False, True):
        end = end_of(junction, k, at_right)
        J += end.sign * end_inflow(junction, state, k, at_right).J if passes(end.wall) else 0.0
    return 0.5 * junction.ions[k].z * ELEMENTARY_CHARGE * J * junction.channels.area[k]


@bare
def left_charge(junction: Junction, k: int, old: State, new: State) -> float:
    """Change of the charge of the electrons that vacancies of column k left on the left electrode [C/m2]."""
    return junction.ions[k].z * ELEMENTARY_CHARGE * (new.passed[k, AT_LEFT] - old.passed[k, AT_LEFT])


@detached
def fill_row(junction: Junction, state: State, row: np.ndarray):
    """Add what the electrodes give to the film, concentrations at the walls and fillings of the reservoirs to a row.

    Vacancies that passed an electrode left electrons there, whose charge came from the terminal.
    """
    for k in range(state.c.shape[0]):
        weight = junction.columns.weight[k]
        charge = weight * junction.ions[k].z * ELEMENTARY_CHARGE
        row[TERMINAL_LEFT] += charge * state.passed[k, AT_LEFT]
        row[TERMINAL_RIGHT] -= charge * state.passed[k, AT_RIGHT]
        for at_right in (False, True):
            end = end_of(junction, k, at_right)
            if passes(end.wall):
                at = end_inflow(junction, state, k, at_right)
                row[FLUX_LEFT + end.row] += weight * at.J
                row[WALL_LEFT + end.row] += weight * at.wall
                row[FILLING_LEFT + end.row] += weight * filling_at(end, state, k)
