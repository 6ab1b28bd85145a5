"""Weights of the contacts in a film of several layers: densities of states by layer, and the band at interfaces.

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

from otjdd.compiler.decorators import bare, deferred_detached, inlined
from otjdd.physics.film_electrons import mean_exponential
from otjdd.physics.junction import Junction
from otjdd.physics.layers import EPS_LEFT, EPS_RIGHT, FIELD_LEFT, FIELD_RIGHT, count
from otjdd.physics.numerics import bernoulli_given

STEEPEST = 700.0  # kT, of a rise and below the top of a piece, from where exponentials would underflow


class InterfacePiece(NamedTuple):
    """The integral of exp[(E_C - top)/kT]/N_c over the piece of an interface, N_c over that of the first layer."""

    top: float  # eV, of the band in it
    integral: float  # m
    log_slope: float  # 1/eV, of ln of the integral of exp(E_C/kT)/N_c by Delta, the band at the centre on its left held


@inlined
def relative_states(junction: Junction, k: int, m: int) -> float:
    """N_c of the first layer of column k over that of layer m."""
    first = k * count(junction.layers)
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
    """Turn pieces (N+1,) of `film_electrons.fill_pieces` of column k, whose band U has a top, into those of layers."""
    layers, last = junction.layers, pieces.size
    for m in range(1, count(layers)):
        states = relative_states(junction, k, m)
        for f in range(layers.first[m] + 1, min(layers.first[m + 1], last)):
            pieces[f] *= states
    for j in range(count(layers) - 1):
        piece = interface_piece(junction, k, j, kT, U, sides)
        pieces[layers.first[j + 1]] = piece.integral * math.exp((piece.top - top) / kT)


@deferred_detached
def fill_slopes_beside(
    junction: Junction, k: int, kT: float, U: np.ndarray, sides: np.ndarray, pieces: np.ndarray, slopes: tuple
):  # fmt: skip
    """Fill the slopes of the weights in both cells beside each interface of column k, from shares `pieces` (N+1,).

    slopes : rows TO_RIGHT, ON_RIGHT and ON_LEFT of `electron_stack.weight_slopes`
    """
    to_right, on_right, on_left = slopes
    distance, layers = junction.columns.distance[k], junction.layers
    for j in range(count(layers) - 1):
        f = layers.first[j + 1]
        piece = interface_piece(junction, k, j, kT, U, sides)
        for i in (f - 1, f):
            other = i if i < f else i + 1  # the face on the other side of the cell
            behind = (U[other] if i < f else U[other + 1]) - U[i + 1]
            x = min(max(behind / kT, -STEEPEST), STEEPEST)
            B, slope = bernoulli_given(x, math.exp(x))
            far = 1.0 / (distance[other] * relative_states(junction, k, j if i < f else j + 1))
            near = math.exp(max((U[i + 1] - piece.top) / kT, -STEEPEST)) / piece.integral
            both = B * far + near
            far_slope = pieces[other] * slope * far / (kT * both)
            if i < f:
                to_right[i], on_left[i] = near / both, far_slope
                on_right[i] = -pieces[f] * near * piece.log_slope / both
            else:
                to_right[i], on_right[i] = B * far / both, far_slope
                on_left[i] = -pieces[f] * near * (1.0 / kT - piece.log_slope) / both
