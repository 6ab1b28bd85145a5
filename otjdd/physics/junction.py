"""A junction as numbers: its grid of columns, cells and faces, Gauss's law, the closure, and the fluxes of the ions.

One column of N cells between the two electrodes; x and face numbers grow to the right, and so do positive J, D and E:

         left electrode                      film                       right electrode, grounded
                       |   cell 0  |  cell 1  |   ...   |   cell N-1   |
         charge D(0)   |     c0    |    c1    |         |     cN-1     |   charge -D(L)
        Fermi level    |     .     |    .     |         |      .       |   Fermi level
          at -V_j      |           |          |         |              |   at 0
              face     0           1          2        N-1             N
              x        0                                               L

    in cell i    c[i] concentration, width[i], dilution[i] = 1/width[i], sites[i] per volume
    at face f    D[f], E[f], eps[f] = dD/dE, flux J[f] (at 0 and N that of `mechanisms.exchange`),
                 S[f] vacancies to its right, fixed[f] fixed charge to its right,
                 site[f] and rise[f] rise of site energy and band across it,
                 distance[f] between the centres beside it, half a cell at 0 and N
    of a column  D_left = D[0], D_right = D[N] = D(L), the one electrostatic unknown
    shared       V_j, the junction voltage; K columns stand in parallel and add their currents, each by its weight

Gauss's law makes D at every face an explicit sum, and the scheme exactly conservative:

    D_f = D(L) - e z S_f - e int_{x_f}^L n_fixed dx          S_f = int_{x_f}^L c dx

Charged traps add to the fixed charge: see `traps.charge`. A film with a polarisation P has D_f - P in the place of D_f:
see `polarisation`. At a face between two layers E[f] and eps[f] belong to the mean field across it: see `ions`.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, fused, inlined, summed
from otjdd.compiler.pointer_tuples import Row, by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.laws import Ions, Wall
from otjdd.mechanisms.electrons.density import ELECTRONS, FilmElectrons
from otjdd.mechanisms.traps.sites import CHARGE, RATES
from otjdd.physics.electrostatics import METAL, MOST_CHARGE, Electrode, Permittivity, edge, fields
from otjdd.physics.ions import (
    DOWNHILL,
    G_SLOPE,
    SIDES,
    UPHILL,
    UPHILL_SLOPE,
    G,
    Hops,
    Layers,
    blend_sides,
    field_factors,
    fill_interface_hops,
    flux_between_cells,
    layer_count,
    sign_of_way,
)
from otjdd.physics.numerics import add_up, dot
from otjdd.physics.state import COSH, GUESS, LINES, State
from otjdd.variables import new

CLOSURE_TOLERANCE = 1e-13  # eV; sums of some hundred terms of order 1 eV carry a few 1e-15
CLOSURE_ROUND_OFF = 1e-10  # eV, largest residual by round-off, where terms are of order 1 keV


@by_pointer
class Columns(NamedTuple):
    """K columns of N cells; faces are numbered 0 (left electrode) to N (right electrode)."""

    width: np.ndarray  # (K, N) m
    dilution: np.ndarray  # (K, N) 1/m, inverse of the width
    sites: np.ndarray  # (K, N) 1/m3, sites of ions per volume; 0 in a layer without
    crowding: np.ndarray  # (K, N) m3, inverse of that; 0 where there are none
    distance: np.ndarray  # (K, N+1) m, between the centres beside a face; half a cell at the electrodes
    site: np.ndarray  # (K, N+1) eV, W_r - W_l across a face; at an end that vacancies pass over the half cell
    rise: np.ndarray  # (K, N+1) eV, rise of the band at an interface between layers; 0 at all other faces
    fixed: np.ndarray  # (K, N+1) C/m2, fixed charge to the right of a face
    diffusivity: np.ndarray  # (K, N+1) m2/s, of hops across a face
    barrier: np.ndarray  # (K, N+1) eV, migration barrier of these
    reach: np.ndarray  # (K, N+1) hop distance over that of `Ions`
    left_edge: np.ndarray  # (K,) eV, added to the band edge at the left electrode
    offset: np.ndarray  # (K,) eV, rise of the band at all interfaces together
    weight: np.ndarray  # (K,) share of the area of all columns, of sum 1
    film_mass: np.ndarray  # (K, M) m0, tunnelling mass in each layer
    supply: np.ndarray  # (K,) A/V per unit chord integral, of a column that fills the area: area * kappa * A* T^2/kT


@by_pointer
class Heat(NamedTuple):
    """How the current warms a junction, see `heat`; the arrays are of size 0 where it does not."""

    resistance: np.ndarray  # (K,) K/W, thermal, of each column; of the junction where the temperature is shared
    time_constant: float  # s
    surroundings: float  # K, their temperature T0
    shared: bool  # all columns have one temperature


@by_pointer
class Polarisation(NamedTuple):
    """How the films of K columns are polarised; the arrays are of size 0 where none is."""

    law: int  # of `mechanisms.polarisation`
    saturation: np.ndarray  # (K,) P_s, C/m2
    thickness: np.ndarray  # (K,) m, of the films
    offset: np.ndarray  # (K,) E_off, V/m
    barrier: np.ndarray  # (K,) w_b, eV
    dipole: np.ndarray  # (K,) d_e, m
    time: np.ndarray  # (K,) tau0, s
    activation: np.ndarray  # (K,) E_a, V/m
    power: np.ndarray  # (K,) alpha
    dimension: np.ndarray  # (K,) n


@by_pointer
class Channels(NamedTuple):
    """Channels of the current through the columns, in order, see `channels`; the first is the coherent one."""

    code: np.ndarray  # (C,) of `channels.CODES`
    numbers: np.ndarray  # (C, M) numbers of each, SI and eV, zeros behind the last
    area: np.ndarray  # (K,) m2, of each column
    first: (
        np.ndarray
    )  # (C+1,) number of the first group of each in `TrapState`; none of a channel whose next has the same
    levels: np.ndarray  # (C,) depths that stand for a spread of those of traps
    points: np.ndarray  # (C, P) points that stand for the traps on each piece of the film's band


@by_pointer
class Junction(NamedTuple):
    """A device and its circuit as the kernels see them; each Row has an item for every column, `film` and `electrons` for
    every layer.

    kT, diffusivity and supply are those at the temperature of the surroundings; a state has its own.
    """

    columns: Columns
    film: Row[Permittivity]  # layer m of M layers in column k is item k M + m
    layers: Layers
    nodes: (
        np.ndarray
    )  # (P,) points (left end, N centres with the interfaces between, right end) that bound pieces of the band
    left: Row[Electrode]
    right: Row[Electrode]
    ions: Row[Ions]
    kT: np.ndarray  # (K,) eV
    transmission: int  # code of tunnelling.TRANSMISSIONS
    energy_tolerance: float  # relative, of the current integral
    resistance: float  # ohm, in series
    compliance: float  # A, of the source; inf without
    area: float  # m2, of all columns, whose charge passes the circuit
    capacitance: float  # F, across the junction
    electrons: Row[FilmElectrons]  # in the films of all columns or of none, item k M + m as of `film`
    image: np.ndarray  # (K, M, 5) pieces of the film lowered by the image force, see `bands`; M = 0 without it
    heat: Heat
    polarisation: Polarisation
    channels: Channels
    left_wall: Row[Wall]  # where vacancies pass the left electrode, or do not: in all columns alike
    right_wall: Row[Wall]


@inlined
def coupled(junction: Junction) -> bool:
    """True when the current acts back on the junction voltage."""
    return junction.resistance > 0.0 or junction.compliance < math.inf


@inlined
def polarised(junction: Junction) -> bool:
    """True where the films of a junction are polarised."""
    return junction.polarisation.saturation.size > 0


@inlined
def hold_electrons(junction: Junction) -> bool:
    """True where the film of a junction holds electrons: that of all columns, or of none."""
    return junction.electrons[0].density_of_states > 0.0


@inlined
def hold_traps(state: State) -> bool:
    """True where traps of a junction carry charge."""
    return state.trapped.shape[1] > 0


def sizes_of(junction: Junction, noisy: bool = False) -> dict[str, int]:
    """Sizes of the variables of a state of a junction by name, see `otjdd.variables`. noisy : single ions hop at random"""
    (K, N), channels = junction.columns.width.shape, len(junction.channels.code)
    groups, charged = int(junction.channels.first[-1]), junction.channels.numbers[1:, CHARGE : CHARGE + 1].any()
    filled = int(junction.electrons[0].density_of_states > 0.0)  # as in `hold_electrons`
    return {
        "one": 1, "two": 2, "three": 3, "end": 2, "column": K, "cell": N, "face": N + 1, "guess": GUESS,
        "warm": junction.heat.resistance.size, "polar": junction.polarisation.saturation.size,
        "noisy": K * noisy, "draw": int(noisy), "group": groups, "rate": RATES, "relaxing": channels if groups else 0,
        "charged_cell": N if charged else 0, "electronic": filled * K, "film_node": filled * (N + 2),
        "film_cell": filled * N, "film_line": filled * (2 * N + 1), "line": LINES, "contact": ELECTRONS, "side": SIDES,
        "interface": junction.layers.half_left.shape[1],
    }  # fmt: skip


def new_state(junction: Junction, noisy: bool = False, **sizes: int) -> State:
    """A state of a junction at the temperature of its surroundings, without ions and before it is solved.

    noisy : single ions hop at random   sizes : other ones than those of the junction, such as group=0
    """
    state = new(State, sizes_of(junction, noisy) | sizes)
    state.guess[:, COSH] = 1.0
    state.heat.temperature[:] = junction.heat.surroundings
    state.kT[:], state.supply[:] = junction.kT, junction.columns.supply
    state.diffusivity[:] = junction.columns.diffusivity
    return state


class FluxSlopes(NamedTuple):
    """Derivatives of the flux J_f at the faces of a column, each (N+1,); `exchange` fills those at the ends."""

    by_left: np.ndarray  # m/s, by the concentration of the cell to the left
    by_right: np.ndarray  # m/s, by that of the cell to the right
    by_field: np.ndarray  # 1/(V m s), by E_f


class Fields(NamedTuple):
    """Displacement of a column, and what `fill_fields` fills from it."""

    D: np.ndarray  # (N+1,) C/m2
    E: np.ndarray  # (N+1,) V/m
    eps: np.ndarray  # (N+1,) F/m
    guess: np.ndarray  # (GUESS, N+1)
    sides: np.ndarray  # (SIDES, M-1) of `ions`


@inlined
def fields_of(state: State, k: int) -> Fields:
    """Those of column k of a state."""
    return Fields(state.D[k], state.E[k], state.eps[k], state.guess[k], state.sides[k])


@inlined
def fill_fields(junction: Junction, k: int, column: Fields, in_stage: bool):
    """Fill E and guess of column k from its D, and the fields on both sides of its interfaces.

    in_stage : of a stage of a step, see `electrostatics.fields`; otherwise eps is filled as well
    """
    layers, D, E, eps = junction.layers, column.D, column.E, column.eps
    M = layer_count(layers)
    for m in range(M):
        part = layers.first[m], layers.first[m + 1]
        fields(D, junction.film[k * M + m], E, eps, column.guess, part, in_stage)
    for j in range(M - 1):
        f, laws = layers.first[j + 1], (junction.film[k * M + j], junction.film[k * M + j + 1])
        right_side = E[f], column.guess[COSH, f]  # of the part of the right layer, which begins with this face
        E[f], eps[f] = blend_sides(layers, k, j, D[f], laws, right_side, column.sides)


@fused
def displaced(columns: Columns, k: int, c: np.ndarray, dS: np.ndarray, out: np.ndarray):
    """Concentrations out (N,) after the vacancies dS (N+1,) [1/m2] have passed the faces of column k."""
    dilution = columns.dilution[k]
    for i in range(c.size):
        out[i] = c[i] + (dS[i] - dS[i + 1]) * dilution[i]


@inlined
def end_charge(state: State, k: int, f: int) -> float:
    """D(0) or D(L) of column k [C/m2], by the number of the end face: displacement of the dielectric and polarisation."""
    return state.D[k, f] + state.P[k]


@detached
def faces(junction: Junction, state: State, k: int, D_right: float) -> float:
    """Fill D, E, eps and guess of column k from its concentrations and D(L) [C/m2]; return D at the left electrode."""
    columns, charge = junction.columns, junction.ions[k].z * ELEMENTARY_CHARGE
    c, D = state.c[k], state.D[k]
    right, inside = 0.0, D_right - state.P[k]  # e z S, and the displacement of the dielectric at the right end
    D[c.size] = inside - columns.fixed[k, c.size]
    for f in range(c.size - 1, -1, -1):
        right += charge * c[f] * columns.width[k, f]
        D[f] = inside - right - columns.fixed[k, f]
    behind, trapped = 0.0, state.trapped[k]
    for f in range(trapped.size - 1, -1, -1):
        behind += trapped[f]
        D[f] -= behind
    fill_fields(junction, k, fields_of(state, k), False)
    return D[0] + state.P[k]


@inlined
def move_fields(junction: Junction, state: State, new: State, k: int, dS: np.ndarray, dD: float) -> float:
    """Fill D, E and guess of column k of a new state, whose polarisation is there; return its D at the left.

    dS : (N+1,) 1/m2, vacancies that passed the faces since the state   dD : C/m2, change of D(L)
    """
    charge = junction.ions[k].z * ELEMENTARY_CHARGE
    before, D, push = state.D[k], new.D[k], dD - (new.P[k] - state.P[k])
    for f in range(D.size):
        D[f] = before[f] + (push - charge * dS[f])
    fill_fields(junction, k, fields_of(new, k), True)
    return D[0] + new.P[k]


@detached
def band_of_fields(junction: Junction, state: State, k: int, U: np.ndarray):
    """Fill the band U (N+2,) [eV] at both ends and the centres from the fields of column k and its right electrode."""
    distance, rise, E, N = junction.columns.distance[k], junction.columns.rise[k], state.E[k], state.c.shape[1]
    U[N + 1] = edge(junction.right[k], -state.D_right[k])[0]
    for f in range(N, -1, -1):
        U[f] = U[f + 1] - distance[f] * E[f] - rise[f]


@inlined
def closure(junction: Junction, k: int, D_left: float, D_right: float, V: float, E: np.ndarray) -> float:
    """Mismatch [eV] of the band edges around the stack: zero where D(L) is right, and growing with D(L)."""
    from_left, from_right = edge(junction.left[k], D_left)[0], edge(junction.right[k], -D_right)[0]
    shift = junction.columns.left_edge[k] + junction.columns.offset[k]
    return from_left + shift - V - from_right + dot(junction.columns.distance[k], E)


@summed
def closure_slope(junction: Junction, k: int, D_left: float, D_right: float, eps: np.ndarray) -> float:
    """Derivative of `closure` by D(L) [V m2/C], always positive: the elastance of film and electrodes."""
    slope = edge(junction.left[k], D_left)[1] + edge(junction.right[k], -D_right)[1]
    distance = junction.columns.distance[k]
    for f in range(eps.size):
        slope += distance[f] / eps[f]
    return slope


@bare
def charge_range(electrode: Electrode):
    """Lowest and highest charge [C/m2] at which the band edge of an electrode is known."""
    if electrode.kind == METAL:
        return -MOST_CHARGE, MOST_CHARGE
    end = electrode.grid_start + electrode.grid_step * (electrode.bending.size - 1)
    return electrode.charge_scale * math.sinh(electrode.grid_start), electrode.charge_scale * math.sinh(end)


@bare
def film_charge(junction: Junction, k: int, c: np.ndarray) -> float:
    """Areal charge of the film of column k [C/m2]."""
    ions = 0.0
    for i in range(c.size):
        ions += c[i] * junction.columns.width[k, i]
    return junction.ions[k].z * ELEMENTARY_CHARGE * ions + junction.columns.fixed[k, 0]


@detached
def close(junction: Junction, state: State, k: int, V: float, tolerance: float) -> bool:
    """Solve the closure of column k for D(L) at junction voltage V [V], to a tolerance [eV].

    Newton's iteration from state.D_right[k], inside a bracket. Fills D, E, eps, guess, D_left and D_right of the column.
    Returns False, and leaves D_left and D_right, when no D(L) within the tables of the electrodes closes the stack.
    """
    total = -film_charge(junction, k, state.c[k]) - add_up(state.trapped[k])  # D_left = D_right + total
    low_left, high_left = charge_range(junction.left[k])
    low_right, high_right = charge_range(junction.right[k])
    low, high = max(-high_right, low_left - total), min(-low_right, high_left - total)
    D_right = state.D_right[k]
    y = D_right if low < D_right < high else 0.5 * (low + high)
    tried, mismatch, closed = y, math.inf, False
    for _ in range(200):
        tried = y
        D_left = faces(junction, state, k, y)
        mismatch = closure(junction, k, D_left, y, V, state.E[k])
        closed = abs(mismatch) <= tolerance
        if closed:
            break
        if mismatch > 0.0:
            high = y
        else:
            low = y
        move = mismatch / closure_slope(junction, k, D_left, y, state.eps[k])
        closed = abs(move) <= 4e-16 * (abs(y) + abs(total))
        if closed:
            break
        y -= move
        if not (low < y < high):
            y = 0.5 * (low + high)
            if high - low <= 1e-15 * (abs(low) + abs(high)):
                break
    if closed or abs(mismatch) <= CLOSURE_ROUND_OFF:  # with a larger mismatch the solution is beyond a table
        state.D_right[k], state.D_left[k] = tried, end_charge(state, k, 0)
        return True
    return False


@inlined
def fluxes(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray):
    """Vacancy flux J (N+1,) [1/(m2 s)] at the faces within the film of a column; zero at its ends, see `exchange`.

    work : of `ions.new_factors`, filled by `field_factors`
    """
    fill_hops(junction, state, k, junction.columns.site[k], work, False)
    exchange_all(junction, state, k, work, J)


@inlined
def fill_hops(junction: Junction, state: State, k: int, site: np.ndarray, work: np.ndarray, with_slopes: bool):
    """Fill the factors of the flux of column k from its fields and the rise of the site energy across each face (N+1,).

    with_slopes : dg/dE as well, see `field_factors`
    """
    columns = junction.columns
    hops = Hops(state.diffusivity[k], columns.barrier[k], columns.reach[k], state.kT[k])
    field_factors(junction.ions[k], hops, state.E[k], columns.distance[k], site, work, with_slopes)
    if layer_count(junction.layers) > 1:
        fill_hops_of_interfaces(junction, state, k, site, work)


@deferred_detached
def fill_hops_of_interfaces(junction: Junction, state: State, k: int, site: np.ndarray, work: np.ndarray):
    """As `fill_hops` at the interfaces between layers alone."""
    columns, layers, sides = junction.columns, junction.layers, state.sides[k]
    hops = Hops(state.diffusivity[k], columns.barrier[k], columns.reach[k], state.kT[k])
    for j in range(layer_count(layers) - 1):
        f = layers.first[j + 1]
        lengths = layers.half_left[k, j], layers.half_right[k, j], layers.hop[k, j]
        crowding = columns.crowding[k, f - 1], columns.crowding[k, f]
        both = sides[0, j], sides[1, j], sides[2, j], sides[3, j]
        fill_interface_hops(junction.ions[k], hops, lengths, crowding, site[f] / state.kT[k], both, f, work)


@detached
def exchange_all(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray):
    """As `fluxes`, from the factors in work."""
    c, D0, h = state.c[k], state.diffusivity[k, 1:-1], junction.columns.distance[k, 1:-1]
    left, right, inner = c[:-1], c[1:], J[1:-1]
    crowd_left, crowd_right = junction.columns.crowding[k, :-1], junction.columns.crowding[k, 1:]
    B, B_back, g = work[UPHILL, 1:], work[DOWNHILL, 1:], work[G, 1:]
    J[0] = 0.0
    J[c.size] = 0.0
    for i in range(inner.size):
        cells, crowding = (left[i], right[i]), (crowd_left[i], crowd_right[i])
        inner[i] = flux_between_cells(cells, crowding, D0[i] / h[i], (B[i], B_back[i], 0.0), 0.0, g[i], 0.0)[0]


@detached
def flux_slopes(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray, slopes: FluxSlopes):
    """As `fluxes`, with the derivatives of J at faces 1..N-1."""
    fill_hops(junction, state, k, junction.columns.site[k], work, True)
    exchange_slopes(junction, state, k, work, J, slopes)


@detached
def exchange_slopes(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray, slopes: FluxSlopes):
    """As `flux_slopes`, from the factors in work."""
    c, D0, h = state.c[k], state.diffusivity[k, 1:-1], junction.columns.distance[k, 1:-1]
    left, right, inner = c[:-1], c[1:], J[1:-1]
    crowd_left, crowd_right = junction.columns.crowding[k, :-1], junction.columns.crowding[k, 1:]
    B, B_back, dB = work[UPHILL, 1:], work[DOWNHILL, 1:], work[UPHILL_SLOPE, 1:]
    g, dg = work[G, 1:], work[G_SLOPE, 1:]
    by_left, by_right, by_field = slopes.by_left[1:-1], slopes.by_right[1:-1], slopes.by_field[1:-1]
    per_kT = -junction.ions[k].z / state.kT[k]
    for i in range(inner.size):
        cells, crowding = (left[i], right[i]), (crowd_left[i], crowd_right[i])
        inner[i], by_left[i], by_right[i], by_field[i] = flux_between_cells(
            cells, crowding, D0[i] / h[i], (B[i], B_back[i], dB[i]), per_kT * h[i], g[i], dg[i]
        )
    for j in range(
        layer_count(junction.layers) - 1
    ):  # rows of both slopes are there by the field: `fill_interface_hops`
        i = junction.layers.first[j + 1] - 1
        free_left, free_right = 1.0 - left[i] * crowd_left[i], 1.0 - right[i] * crowd_right[i]
        forth = sign_of_way(left[i], free_right) * (left[i] * free_right)
        back = sign_of_way(right[i], free_left) * (right[i] * free_left)
        by_field[i] = D0[i] / h[i] * (dB[i] * forth - dg[i] * back)
