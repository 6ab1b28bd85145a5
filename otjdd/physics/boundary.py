"""Fluxes of vacancies at both ends of a column, faces 0 and N: none where the electrode blocks, else those of `exchange`.

What has passed the end faces is a part of the state. S_0 is what it was at first and what passed, and

    Q = D_f + e z (vacancies that passed face f)        the same at every face

is the charge that came from the left terminal and went to the right one: a time step has Q in the place of D(L), which is
the same where the right electrode blocks. Fields, currents and the closure follow from Q and what passed each face.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined
from otjdd.laws.exchange import Contact, Wall, Ways
from otjdd.laws.hopping import Hopping, Ions
from otjdd.physics.electrostatics import METAL, Electrode, edge
from otjdd.physics.exchange import (
    HalfCell,
    Inflow,
    WallHops,
    inflow,
    is_run_out,
    passes,
    slowed,
    slowed_inflow,
    through_of,
    wall_hops,
    ways_of,
)
from otjdd.physics.ions import acceleration, bernoulli_pair
from otjdd.physics.junction import FluxSlopes, Junction
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State


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


@bare
def contact_of(wall: Wall, electrode: Electrode, shift: float, charge: float, into: float, kT: float) -> Contact:
    """State of a wall.

    shift : of the edge of the band of the first layer there [eV]   charge : of the electrode [C/m2]
    into : vacancies that came in [1/m2]
    """
    band, _, step = edge(electrode, charge)
    metal = electrode.kind == METAL
    return Contact(band + shift, step if metal else 0.0, 1.0 if metal else 0.0, filling_of(wall, into), kT)


@bare
def ways_in_field(
    junction: Junction, k: int, wall: Wall, contact: Contact, E: float, sites: float
) -> tuple[Ways, float]:
    """Gain and loss of a wall of column k in a field E [V/m], and d ln/dE of their acceleration [m/V].

    sites : per volume of the cell beside it [1/m3]
    """
    ions, kT = junction.ions[k], contact.kT
    rate, log_slope = wall.rate * math.exp(-wall.activation / kT), 0.0
    if wall.hop > 0.0:
        hopping = Hopping(0.5 * rate * wall.hop, wall.activation, kT)  # of the drift velocity k z E a/kT in weak field
        g, dg = acceleration(Ions(ions.law, ions.z, wall.hop, ions.attempt, sites), hopping, E)
        rate, log_slope = rate * g, dg / g
    return ways_of(wall, contact, ions.z, sites, rate), log_slope


@bare
def inflow_at(junction: Junction, k: int, wall: Wall, contact: Contact, E: float, cell: HalfCell) -> Inflow:
    """Flux into column k at a wall, in a field E at the wall [V/m]."""
    ways, log_slope = ways_in_field(junction, k, wall, contact, E, cell.sites)
    if is_run_out(contact.filling, wall.unseen) and cell.rate * through_of(cell) > 0.0:
        return slowed_inflow(ways, log_slope, cell, contact.filling, wall.unseen)
    return inflow(ways, log_slope, cell)


@inlined
def sites_at(junction: Junction, k: int, f: int) -> float:
    """Sites per volume [1/m3] of the cell of column k beside an end face."""
    return junction.columns.sites[k, min(f, junction.columns.sites.shape[1] - 1)]


@bare
def half_cell(junction: Junction, state: State, k: int, f: int, c: float, E: float, leftwards: bool) -> HalfCell:
    """Hops between the wall at end face f of column k and the centre of the cell beside it, of a concentration c [1/m3].

    leftwards : from the wall into the film, as at the right electrode
    """
    columns, ions, kT = junction.columns, junction.ions[k], state.kT[k]
    D0, h, reach = state.diffusivity[k, f], columns.distance[k, f], columns.reach[k, f]
    sites = sites_at(junction, k, f)
    B, B_back, dB = bernoulli_pair((columns.site[k, f] - ions.z * E * h) / kT)
    g, dg = acceleration(ions, Hopping(D0 / (reach * reach), columns.barrier[k, f], kT), E * reach)
    by_B, by_B_back, rate = -ions.z * h / kT * dB, -ions.z * h / kT * (dB + 1.0), D0 * g / h
    if leftwards:
        return HalfCell(c, sites, rate, B_back, B, by_B_back, by_B, dg * reach / g)
    return HalfCell(c, sites, rate, B, B_back, by_B, by_B_back, dg * reach / g)


@deferred_detached
def left_inflow(junction: Junction, state: State, k: int) -> Inflow:
    """Flux into column k of a state with its fields from the left electrode."""
    wall, shift, E = junction.left_wall[k], junction.columns.left_edge[k], state.E[k, 0]
    charge, into = state.D[k, 0] + state.P[k], state.passed[k, AT_LEFT]
    contact = contact_of(wall, junction.left[k], shift, charge, into, state.kT[k])
    return inflow_at(junction, k, wall, contact, E, half_cell(junction, state, k, 0, state.c[k, 0], E, False))


@deferred_detached
def right_inflow(junction: Junction, state: State, k: int) -> Inflow:
    """As `left_inflow`, from the right electrode; the derivative by the field is that by the field along x."""
    wall, N = junction.right_wall[k], state.c.shape[1]
    E, charge, into = state.E[k, N], -(state.D[k, N] + state.P[k]), -state.passed[k, AT_RIGHT]
    contact = contact_of(wall, junction.right[k], -junction.columns.offset[k], charge, into, state.kT[k])
    return inflow_at(junction, k, wall, contact, E, half_cell(junction, state, k, N, state.c[k, N - 1], E, True))


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
    z, kT, f = junction.ions[k].z, state.kT[k], state.c.shape[1] if at_right else 0
    wall, electrode = (
        (junction.right_wall[k], junction.right[k]) if at_right else (junction.left_wall[k], junction.left[k])
    )
    sign, passed = (-1.0, -state.passed[k, AT_RIGHT]) if at_right else (1.0, state.passed[k, AT_LEFT])
    edge_shift = -junction.columns.offset[k] if at_right else junction.columns.left_edge[k]
    E, charge = state.E[k, f] + field, sign * (state.D[k, f] + state.P[k] + state.eps[k, f] * field)
    contact = contact_of(wall, electrode, edge_shift, charge, passed + into, kT)
    ways = ways_in_field(junction, k, wall, contact, E, sites_at(junction, k, f))[0]
    cell = half_cell(junction, state, k, f, c, E, at_right)
    if is_run_out(contact.filling, wall.unseen) and cell.rate * through_of(cell) > 0.0:
        ways = slowed(ways, contact.filling, wall.unseen, cell).ways
    hops: WallHops = wall_hops(ways, cell)
    yields = (ways.gain_by_edge - ways.loss_by_edge) * edge(electrode, charge)[1] * state.eps[k, f]
    by_filling = ways.gain_by_filling / ways.gain if ways.gain > 0.0 else 0.0
    by_filling -= ways.loss_by_filling / ways.loss if ways.loss > 0.0 else 0.0
    by_field = sign * (z * junction.columns.distance[k, f] / kT + yields)
    return EndHops(hops.into, hops.out, by_field, by_filling / wall.capacity)


@detached
def fill_end_fluxes(junction: Junction, state: State, k: int, J: np.ndarray):
    """Fill the fluxes J (N+1,) of column k at the end faces that vacancies pass, after those within the film."""
    if passes(junction.left_wall[k]):
        J[0] = left_inflow(junction, state, k).J
    if passes(junction.right_wall[k]):
        J[J.size - 1] = -right_inflow(junction, state, k).J


@detached
def fill_end_slopes(junction: Junction, state: State, k: int, J: np.ndarray, slopes: FluxSlopes):
    """As `fill_end_fluxes`, with the derivatives, those by the field with the edge of the band that follows it.

    Beyond an end there is a reservoir in the place of a cell: by_left of face 0, and by_right of face N, are minus and plus
    the derivative by what passed the face [1/s].
    """
    N = J.size - 1
    if passes(junction.left_wall[k]):
        at = left_inflow(junction, state, k)
        by_charge = at.by_edge * edge(junction.left[k], state.D[k, 0] + state.P[k])[1]
        J[0], slopes.by_right[0] = at.J, at.by_c
        slopes.by_left[0] = -at.by_filling / junction.left_wall[k].capacity
        slopes.by_field[0] = at.by_field + by_charge * state.eps[k, 0]
    if passes(junction.right_wall[k]):
        at = right_inflow(junction, state, k)
        by_charge = -at.by_edge * edge(junction.right[k], -(state.D[k, N] + state.P[k]))[1]
        J[N], slopes.by_left[N] = -at.J, -at.by_c
        slopes.by_right[N] = at.by_filling / junction.right_wall[k].capacity
        slopes.by_field[N] = -(at.by_field + by_charge * state.eps[k, N])
