"""The stack of a film that holds electrons: bands and charges of one column, and its equations, linear around a stack.

    dD/dx = e (z c - n + f)      dE_C/dx = E(D)      n(E_C, w, V) of `density`

               face 0      cell 0      face 1      cell 1    ...    cell N-1     face N
    unknown     D_0       U_0, w_0      D_1       U_1, w_1         U_N-1, w_N-1    D_N
    equation    face: U_f - U_f-1 = d_f E(D_f)      cell: D_i+1 - D_i = e h_i (z c_i + f - n_i)

U is E_C at the centres of the cells; at both ends the charges of the electrodes set it: D_0 + P and -(D_N + P), with the
polarisation P of the film, which D at the faces is without. At an interface between layers its rise comes to the step of
U, and E is the mean of both sides (`physics.ions`). With r the residual of an equation,
the linear equations of the faces give dD, and those of the cells remain:

    dD_f = stiffness_f (dU_f - dU_f-1 + r_f)        dU = -dV left of face 0, 0 right of face N
    dD_i+1 - dD_i + e h_i dn_i(dU, dw, dV) = -r

w is a ratio of integrals of exp(U/kT) over the pieces of the band between two centres. With dp_f the change of piece f and
dT that of all, over the whole, and the cells in two by a `split` near the top of the band,

    da_i = da_i-1 + dp_i      dw_i = da_i - w_i dT           left of the split
    da_i = da_i+1 - dp_i+1    dw_i = da_i + (1 - w_i) dT     right of it         dT = da_left - da_right + dp_split

Nothing cancels in these sums. (The current of w is the same on both sides of a cell, which gives dw_i by dw_i-1 and dw_i+1
alone; but in a well of the band 36 kT deep no digit of dw is left that way.) The unknowns dU_i, da_i are the first two of a
block: the time step has a third (`rows`). dT is a border of the blocks; a solution has dw_i in the place of da_i.

In a film of several layers the weights of the contacts follow from the densities of states of these:

    w(x) = int_0^x exp(E_C/kT)/N_c dx' / int_0^L exp(E_C/kT)/N_c dx'

The piece of an interface is half a cell of each layer. From the centre on its left the band rises by a to the interface,
steps by `rise` and rises by b to the centre on its right. The step Delta of the band between the centres gives their sum,
a + b = Delta - rise. At a solution of the equation of the face a and b are h E(D) of their sides. Beside a solution the
residual of this equation is divided between a and b as a change of D would divide it. So w depends on the band at the
centres alone, as in one material.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.density import (
    BY_BAND,
    BY_VOLTAGE,
    BY_WEIGHT,
    LEFT,
    OF_LEFT,
    OF_RIGHT,
    RIGHT,
    cumulate,
    densities,
    fill_pieces,
    mean_exponential,
)
from otjdd.physics.electrostatics import edge
from otjdd.physics.ion_fluxes import bind, binds
from otjdd.physics.ions import EPS_LEFT, EPS_RIGHT, FIELD_LEFT, FIELD_RIGHT, layer_count
from otjdd.physics.junction import Fields, Junction, fill_fields, hold_electrons
from otjdd.physics.numerics import (
    bernoulli_given,
    factor_threes,
    factor_twos,
    named,
    solve_threes,
    solve_twos,
)
from otjdd.physics.state import State

STEEPEST = 700.0  # kT, of a rise, from where exponentials would underflow


class InterfacePiece(NamedTuple):
    """The integral of exp[(E_C - top)/kT]/N_c over the piece of an interface, N_c over that of the first layer."""

    top: float  # eV, of the band in it
    integral: float  # m
    log_slope: float  # 1/eV, of ln of the integral of exp(E_C/kT)/N_c by Delta, the band at the centre on its left held


@inlined
def relative_states(junction: Junction, k: int, m: int) -> float:
    """N_c of the first layer of column k over that of layer m."""
    first = k * layer_count(junction.layers)
    return junction.electrons[first].density_of_states / junction.electrons[first + m].density_of_states


@bare
def half_integral(length: float, rise: float):
    """Integral of exp(-t) from the higher end of half a cell [m], the band over kT rising by `rise`; and -B'/B there."""
    size = min(abs(rise), STEEPEST)
    x = math.copysign(size, rise)
    B, slope = bernoulli_given(x, math.exp(x))
    return length * mean_exponential(size, math.exp(-size)), -slope / B


@bare
def interface_piece(junction: Junction, k: int, j: int, kT: float, U: np.ndarray, sides: np.ndarray) -> InterfacePiece:
    """The piece at interface j of column k, in a band U (N+2,) [eV] and fields on both sides (SIDES, M-1)."""
    layers, columns, f = junction.layers, junction.columns, junction.layers.first[j + 1]
    h_left, h_right, eps_left, eps_right = (
        layers.half_left[k, j], layers.half_right[k, j], sides[EPS_LEFT, j], sides[EPS_RIGHT, j],
    )  # fmt: skip
    both = h_left / eps_left + h_right / eps_right
    share_left, share_right = h_left / (eps_left * both), h_right / (eps_right * both)
    a, b = h_left * sides[FIELD_LEFT, j], h_right * sides[FIELD_RIGHT, j]
    missing = U[f + 1] - U[f] - columns.rise[k, f] - (a + b)
    a, b = a + share_left * missing, b + share_right * missing
    left, left_slope = half_integral(h_left, a / kT)
    right, right_slope = half_integral(h_right, -b / kT)
    top_left, top_right = max(U[f], U[f] + a), max(U[f + 1], U[f + 1] - b)
    top = max(top_left, top_right)
    left *= math.exp((top_left - top) / kT) * relative_states(junction, k, j)
    right *= math.exp((top_right - top) / kT) * relative_states(junction, k, j + 1)
    whole = left + right
    slope = left / whole * left_slope * share_left + right / whole * (1.0 - right_slope * share_right)
    return InterfacePiece(top, whole, slope / kT)


@deferred_detached
def put_layers_into_pieces(
    junction: Junction, k: int, kT: float, U: np.ndarray, sides: np.ndarray, top: float, pieces: np.ndarray
):  # fmt: skip
    """Turn pieces (N+1,) of `density.fill_pieces` of column k, whose band U has a top, into those of layers."""
    layers, last = junction.layers, pieces.size
    for m in range(1, layer_count(layers)):
        states = relative_states(junction, k, m)
        for f in range(layers.first[m] + 1, min(layers.first[m + 1], last)):
            pieces[f] *= states
    for j in range(layer_count(layers) - 1):
        piece = interface_piece(junction, k, j, kT, U, sides)
        pieces[layers.first[j + 1]] = piece.integral * math.exp((piece.top - top) / kT)


FIRST_D = 1e-4  # C/m2, of the first guess
BAND, WEIGHT = range(2)  # unknowns of a block
BEHIND, AHEAD = range(2)  # rows of Stack.slopes
SPLIT, BY_BEHIND, BY_AHEAD, PER_TOTAL, TOTAL = range(5)  # numbers of Linear.total
# rows of State.lines
PIECES, ROOM, SLOPES, STIFFNESS, MISSING, ENDS, OF_TOTAL, TOTALS, MOVES = 0, 1, 3, 5, 6, 7, 8, 9, 10
LOWER, DIAGONAL, UPPER, REST, STILL, BEFORE = 11, 12, 13, 14, 15, 16


class Stack(NamedTuple):
    """Bands and charges of one column with electrons, and work space; arrays changed in place."""

    c: np.ndarray  # (N,) 1/m3, vacancies
    kT: np.ndarray  # (1,) eV
    P: np.ndarray  # (1,) C/m2, polarisation
    D: np.ndarray  # (N+1,) C/m2
    E: np.ndarray  # (N+1,) V/m
    eps: np.ndarray  # (N+1,) dD/dE, F/m
    guess: np.ndarray  # (GUESS, N+1) of `electrostatics.fields`
    U: np.ndarray  # (N+2,) E_C at the left end, the N centres and the right end, eV
    # density of electrons in equilibrium with the RIGHT and with the LEFT contact [1/m3]; their sum differentiated BY_BAND
    # [1/(m3 eV)] and BY_VOLTAGE [1/(m3 V)] at constant w, and BY_WEIGHT [1/m3]; w and 1 - w
    electrons: np.ndarray  # (ELECTRONS, N)
    weight: np.ndarray  # (2, N) the last two of these
    pieces: np.ndarray  # (N+1,) share of every piece of the band in w
    room: np.ndarray  # (2, 2N+1)
    slopes: np.ndarray  # (2, 2N+1), N+1 used: of the pieces, see `piece_slopes`
    sides: np.ndarray  # (SIDES, M-1) fields on both sides of the interfaces, rows of `ions`


class Linear(NamedTuple):
    """The equations of a column, linear around a stack: block tridiagonal, with B unknowns in a block."""

    lower: np.ndarray  # (N, B, B)
    diagonal: np.ndarray  # (N, B, B)
    upper: np.ndarray  # (N, B, B)
    x: np.ndarray  # (N, B) right-hand side, then the solution
    stiffness: np.ndarray  # (N+1,) dD_f by the step of the band over the face [C/(m2 eV)]
    missing: np.ndarray  # (N+1,) eV, residuals of the faces
    ends: np.ndarray  # (2,) 1/eV, derivatives of the first and the last weight by the residuals of the end faces
    of_total: np.ndarray  # (N,) dw_i by dT at constant da_i
    total: (
        np.ndarray
    )  # (TOTAL,) first cell right of the split; dT by U behind and ahead of that [1/eV], by itself alone
    by_total: np.ndarray  # (N, B) minus the unknowns by dT


def column_of(state: State, k: int) -> Stack:
    """Column k of a state as a stack, views of its arrays; the work space is that of all columns."""
    N, lines = state.c.shape[1], state.lines
    return Stack(
        state.c[k], state.kT[k : k + 1], state.P[k : k + 1], state.D[k], state.E[k], state.eps[k], state.guess[k],
        state.band[k], state.electrons[k], state.electrons[k, OF_RIGHT : OF_LEFT + 1], lines[PIECES, : N + 1],
        lines[ROOM : ROOM + 2], lines[SLOPES : SLOPES + 2], state.sides[k],
    )  # fmt: skip


column = inlined(column_of)  # within kernels; the views that it returned to Python would not hold their arrays


@inlined
def own_linear(state: State) -> Linear:
    """Work space of a state for the linear equations of a stack whose vacancies stand still."""
    faces, matrix, lines = state.c.shape[1] + 1, state.matrix, state.lines
    return Linear(
        matrix[0], matrix[1], matrix[2], state.answer,
        lines[STIFFNESS, :faces], lines[MISSING, :faces], lines[ENDS, :2],
        lines[OF_TOTAL, : faces - 1], lines[TOTALS, :TOTAL], state.by_total,
    )  # fmt: skip


@inlined
def electrode_charge(stack: Stack, f: int) -> float:
    """D(0) or D(L) [C/m2], by the number of the end face: displacement of the dielectric and polarisation."""
    return stack.D[f] + stack.P[0]


@inlined
def fill_ends(junction: Junction, k: int, V: float, stack: Stack):
    """Set the band at both ends from the charges of the electrodes."""
    stack.U[0] = edge(junction.left[k], electrode_charge(stack, 0))[0] + junction.columns.left_edge[k] - V
    stack.U[stack.U.size - 1] = edge(junction.right[k], -electrode_charge(stack, stack.D.size - 1))[0]


@detached
def fill_bands(junction: Junction, k: int, V: float, stack: Stack, with_slopes: bool):
    """Set fields, ends of the band, weights and electrons of a stack from its D, its U at the centres and V.

    with_slopes : also the derivatives of the electrons, which a stage of a step does not need
    """
    fill_ends(junction, k, V, stack)
    fill_fields(junction, k, Fields(stack.D, stack.E, stack.eps, stack.guess, stack.sides), False)
    if hold_electrons(junction):
        fill_electrons(junction, k, V, stack, with_slopes)


@detached
def fill_contact_weights(junction: Junction, k: int, stack: Stack):
    """Set the weights of a stack from its band, and the pieces of that."""
    U, pieces = stack.U, stack.pieces
    top = fill_pieces(junction.columns.distance[k], stack.kT[0], U, pieces, stack.room[0])
    if layer_count(junction.layers) > 1:
        put_layers_into_pieces(junction, k, stack.kT[0], U, stack.sides, top, pieces)
    cumulate(pieces, stack.weight)


@detached
def fill_electrons(junction: Junction, k: int, V: float, stack: Stack, with_slopes: bool):
    """Set weights and electrons of a stack from its band and V."""
    fill_contact_weights(junction, k, stack)
    first, M, N = junction.layers.first, layer_count(junction.layers), stack.D.size - 1
    for m in range(M):
        cells = first[m], min(first[m + 1], N)
        electrons = junction.electrons[k * M + m]
        densities(electrons, stack.kT[0], V, stack.U, stack.electrons, cells, with_slopes or binds(junction))
    if binds(junction):
        bind(junction.electrons[k * M], stack.kT[0], V, stack.U, stack.c, stack.electrons)


@inlined
def missing_step(junction: Junction, k: int, stack: Stack, f: int):
    """Residual at face f: step of the band minus d E(D), at an interface less its rise [eV]."""
    columns = junction.columns
    return stack.U[f + 1] - stack.U[f] - columns.distance[k, f] * stack.E[f] - columns.rise[k, f]


@inlined
def missing_charge(junction: Junction, k: int, c: np.ndarray, stack: Stack, i: int):
    """Residual of cell i: rise of D minus the charge in the cell [C/m2]."""
    columns, h = junction.columns, junction.columns.width[k, i]
    n = stack.electrons[RIGHT, i] + stack.electrons[LEFT, i]
    fixed = columns.fixed[k, i] - columns.fixed[k, i + 1]
    return stack.D[i + 1] - stack.D[i] - ELEMENTARY_CHARGE * h * (junction.ions[k].z * c[i] - n) - fixed


@bare
def elastance(junction: Junction, k: int, stack: Stack, f: int):
    """Derivative by D of the step of the band over face f [V m2/C], at the ends with that of the electrode."""
    N = stack.D.size - 1
    slope = junction.columns.distance[k, f] / stack.eps[f]
    if f == 0:
        slope += edge(junction.left[k], electrode_charge(stack, 0))[1]
    if f == N:
        slope += edge(junction.right[k], -electrode_charge(stack, N))[1]
    return slope


@detached
def piece_slopes(junction: Junction, k: int, stack: Stack):
    """Fill the slopes of a stack: change of each piece over the whole by the band BEHIND it and AHEAD of it [1/eV].

    A piece whose band rises by d kT is h exp(U_behind/kT)/B(d), with the Bernoulli function B. The pieces are computed
    again: those in the stack may belong to another column.
    """
    kT, U, pieces, slopes, first = stack.kT[0], stack.U, stack.pieces, stack.slopes, junction.layers.first
    fill_contact_weights(junction, k, stack)
    for f in range(pieces.size):
        rise = min(max((U[f + 1] - U[f]) / kT, -STEEPEST), STEEPEST)
        B, slope = bernoulli_given(rise, math.exp(rise))
        slopes[AHEAD, f] = -slope / B * pieces[f] / kT
    for j in range(layer_count(junction.layers) - 1):
        f = first[j + 1]
        slopes[AHEAD, f] = interface_piece(junction, k, j, kT, U, stack.sides).log_slope * pieces[f]
    for f in range(pieces.size):
        slopes[BEHIND, f] = pieces[f] / kT - slopes[AHEAD, f]


@bare
def electrode_elastances(junction: Junction, k: int, stack: Stack):
    """Elastances of the left and the right electrode [V m2/C]."""
    N = stack.D.size - 1
    left = edge(junction.left[k], electrode_charge(stack, 0))[1]
    return left, edge(junction.right[k], -electrode_charge(stack, N))[1]


@bare
def follow_ends(junction: Junction, k: int, stack: Stack, stiffness: np.ndarray):
    """Derivatives of the band at the left and right electrode by the band in the first and the last cell."""
    left, right = electrode_elastances(junction, k, stack)
    return left * stiffness[0], right * stiffness[stack.D.size - 1]


@bare
def fill_cells(junction: Junction, k: int, stack: Stack, linear: Linear):
    """Fill the rows of Gauss's law: block tridiagonal in the band, on the diagonal in the weights."""
    lower, diagonal, upper, stiffness = linear.lower, linear.diagonal, linear.upper, linear.stiffness
    N = stack.D.size - 1
    for i in range(N):
        per_n = ELEMENTARY_CHARGE * junction.columns.width[k, i]
        diagonal[i, BAND, BAND] = per_n * stack.electrons[BY_BAND, i] - stiffness[i] - stiffness[i + 1]
        diagonal[i, BAND, WEIGHT] = per_n * stack.electrons[BY_WEIGHT, i]
        lower[i, BAND, BAND], upper[i, BAND, BAND] = stiffness[i], stiffness[i + 1]
        lower[i, BAND, WEIGHT], upper[i, BAND, WEIGHT] = 0.0, 0.0


@bare
def fill_weights(junction: Junction, k: int, stack: Stack, linear: Linear):
    """Fill the rows of the weights, their derivatives by the residuals of the end faces, and what dT depends on."""
    lower, diagonal, upper, slopes, N = linear.lower, linear.diagonal, linear.upper, stack.slopes, stack.D.size - 1
    split = 1
    while split < N - 1 and stack.weight[0, split] < stack.weight[1, split]:
        split += 1
    for i in range(N):
        diagonal[i, WEIGHT, WEIGHT] = 1.0
        if i < split:
            linear.of_total[i], diagonal[i, WEIGHT, BAND] = -stack.weight[0, i], -slopes[AHEAD, i]
            lower[i, WEIGHT, BAND], lower[i, WEIGHT, WEIGHT] = -slopes[BEHIND, i], -1.0
            upper[i, WEIGHT, BAND], upper[i, WEIGHT, WEIGHT] = 0.0, 0.0
        else:
            linear.of_total[i], diagonal[i, WEIGHT, BAND] = stack.weight[1, i], slopes[BEHIND, i + 1]
            lower[i, WEIGHT, BAND], lower[i, WEIGHT, WEIGHT] = 0.0, 0.0
            upper[i, WEIGHT, BAND], upper[i, WEIGHT, WEIGHT] = slopes[AHEAD, i + 1], -1.0
    follow_left, follow_right = follow_ends(junction, k, stack, linear.stiffness)
    linear.ends[0], linear.ends[1] = slopes[BEHIND, 0] * follow_left, slopes[AHEAD, N] * follow_right
    diagonal[0, WEIGHT, BAND] -= linear.ends[0]
    diagonal[N - 1, WEIGHT, BAND] += linear.ends[1]
    linear.total[SPLIT] = split
    linear.total[BY_BEHIND], linear.total[BY_AHEAD] = slopes[BEHIND, split], slopes[AHEAD, split]


@bare
def fill_onto_total(linear: Linear):
    """Fill the derivatives of the equations by dT, from the matrix, as what `by_total` begins with."""
    lower, diagonal, of_total, by_total = linear.lower, linear.diagonal, linear.of_total, linear.by_total
    for i in range(by_total.shape[0]):
        by_total[i, BAND], by_total[i, WEIGHT] = diagonal[i, BAND, WEIGHT] * of_total[i], 0.0
        for row in range(WEIGHT + 1, by_total.shape[1]):  # vacancies feel the cells on both sides of a face
            by_total[i, row] = diagonal[i, row, WEIGHT] * of_total[i]
            if i > 0:
                by_total[i, row] += lower[i, row, WEIGHT] * of_total[i - 1]


@bare
def total_of(linear: Linear, x: np.ndarray) -> float:
    """dT by the unknowns x (N, B)."""
    right = int(linear.total[SPLIT])
    left = right - 1
    by_band = linear.total[BY_BEHIND] * x[left, BAND] + linear.total[BY_AHEAD] * x[right, BAND]
    return x[left, WEIGHT] - x[right, WEIGHT] + by_band


def with_total(B: int, factor_blocks, solve_blocks):
    """Kernels `factor` and `solve` of linear equations in blocks of B x B with the border dT, from those of the blocks."""

    def factor(linear):
        """Factor in place. Returns False where the equations are singular."""
        fill_onto_total(linear)
        good = factor_blocks(linear.lower, linear.diagonal, linear.upper)
        solve_blocks(linear.lower, linear.diagonal, linear.upper, linear.by_total)
        linear.total[PER_TOTAL] = 1.0 / (1.0 + total_of(linear, linear.by_total))
        for i in range(linear.of_total.size):
            linear.by_total[i, WEIGHT] -= linear.of_total[i]
        return good and abs(linear.total[PER_TOTAL]) < math.inf

    def solve(linear, x):
        """Solve in place with the factors of `factor`; x (N, B) holds the right-hand side, then dU, dw and what follows."""
        solve_blocks(linear.lower, linear.diagonal, linear.upper, x)
        total = linear.total[PER_TOTAL] * total_of(linear, x)
        for i in range(x.shape[0]):
            for unknown in range(B):
                x[i, unknown] -= linear.by_total[i, unknown] * total

    return named(factor, B), named(solve, B)


factor_still, solve_still = with_total(2, factor_twos, solve_twos)  # of a stack whose vacancies stand still
factor_moving, solve_moving = with_total(3, factor_threes, solve_threes)  # of one whose vacancies move


@detached
def linearise(junction: Junction, k: int, stack: Stack, linear: Linear):
    """Fill the equations of cells and weights around a stack whose bands and electrons are set."""
    for f in range(stack.D.size):
        linear.stiffness[f] = 1.0 / elastance(junction, k, stack, f)
    piece_slopes(junction, k, stack)
    fill_cells(junction, k, stack, linear)
    fill_weights(junction, k, stack, linear)


@detached
def fill_residuals(junction: Junction, k: int, c: np.ndarray, stack: Stack, linear: Linear):
    """Fill the right-hand sides of cells and weights from the residuals of a stack with vacancies c (N,)."""
    N, x, missing, stiffness = c.size, linear.x, linear.missing, linear.stiffness
    for f in range(N + 1):
        missing[f] = missing_step(junction, k, stack, f)
    for i in range(N):
        beside = stiffness[i] * missing[i] - stiffness[i + 1] * missing[i + 1]
        x[i, BAND], x[i, WEIGHT] = beside - missing_charge(junction, k, c, stack, i), 0.0
    x[0, WEIGHT] += linear.ends[0] * missing[0]
    x[N - 1, WEIGHT] += linear.ends[1] * missing[N]


@bare
def fill_answer_to_voltage(junction: Junction, k: int, stack: Stack, linear: Linear, x: np.ndarray):
    """Fill x with minus the derivatives by V_j of the equations of cells and weights, of the stack linearised last."""
    for i in range(x.shape[0]):
        x[i, BAND] = -ELEMENTARY_CHARGE * junction.columns.width[k, i] * stack.electrons[BY_VOLTAGE, i]
        x[i, WEIGHT] = 0.0
    x[0, BAND] += linear.stiffness[0]
    x[0, WEIGHT] = linear.ends[0] - stack.slopes[BEHIND, 0]


@bare
def fill_answer_to_polarisation(junction: Junction, k: int, stack: Stack, linear: Linear, x: np.ndarray):
    """Fill x with minus the derivatives by P of the equations of cells and weights, of the stack linearised last.

    P moves the band at both ends by the elastances of the electrodes, which are missing at the end faces then.
    """
    N, (left, right) = x.shape[0], electrode_elastances(junction, k, stack)
    for i in range(N):
        x[i, BAND], x[i, WEIGHT] = 0.0, 0.0
    x[0, BAND] -= linear.stiffness[0] * left
    x[N - 1, BAND] += linear.stiffness[N] * right
    x[0, WEIGHT] -= (linear.ends[0] - stack.slopes[BEHIND, 0]) * left
    x[N - 1, WEIGHT] -= (linear.ends[1] - stack.slopes[AHEAD, N]) * right


@bare
def displacement_changes(linear: Linear, x: np.ndarray, dV: float, share: float, out: np.ndarray):
    """Changes of D (N+1,) by the unknowns x and dV, and by a share of the residuals of the faces."""
    N, stiffness, missing = x.shape[0], linear.stiffness, linear.missing
    out[0] = stiffness[0] * (x[0, BAND] + dV + share * missing[0])
    for f in range(1, N):
        out[f] = stiffness[f] * (x[f, BAND] - x[f - 1, BAND] + share * missing[f])
    out[N] = stiffness[N] * (share * missing[N] - x[N - 1, BAND])
