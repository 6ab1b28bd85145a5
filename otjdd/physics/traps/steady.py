"""Steady filling of traps, and the current through them: single traps between the electrodes, and chains of hops.

One step: each trap takes from one electrode and gives to the other,

    J = e sum N (e_L c_R - c_L e_R)/(c_L + c_R + e_L + e_R)

With e_i = c_i exp[(E_t - mu_i)/kT]/g the difference is c_L c_R exp[(E_t + V/2)/kT] 2 sinh(V/2kT)/g, without cancellation.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.channels.leaks import log_sinh_ratio
from otjdd.physics.traps.capture import LEFT, NOTHING, RIGHT, Capture


class Steady(NamedTuple):
    """Filling and current of n groups of traps at rest, and the slopes of ln(J/V)."""

    converged: bool
    log_chord: float  # of S/m2; NOTHING without current
    log_odds: np.ndarray  # (n,) ln of filled over empty
    by_rate: np.ndarray  # (2, n) by ln c_i
    by_level: np.ndarray  # (n,) 1/eV, by E_t, the rates held
    by_amount: np.ndarray  # (n,) by ln N
    by_V: float  # 1/V, the rates held


@apart
def without_current(log_odds: np.ndarray, converged: bool) -> Steady:
    """A state of traps (n,) that no current passes, or whose filling did not converge."""
    n = log_odds.size
    return Steady(converged, NOTHING, log_odds, np.zeros((2, n)), np.zeros(n), np.zeros(n), 0.0)


@bare
def log_of_sum(a: float, b: float) -> float:
    """ln(e^a + e^b)."""
    most = max(a, b)
    return most + math.log1p(math.exp(-abs(a - b)))


@apart
def log_emissions(capture: Capture, g: float, V: float, kT: float) -> np.ndarray:
    """ln of the rates of emission (2, n) to the left and to the right electrode. g : degeneracy"""
    n = capture.level.size
    out = np.empty((2, n))
    for j in range(n):
        out[LEFT, j] = capture.log_rate[LEFT, j] + (capture.level[j] + V) / kT - math.log(g)
        out[RIGHT, j] = capture.log_rate[RIGHT, j] + capture.level[j] / kT - math.log(g)
    return out


@apart
def one_step(capture: Capture, amount: np.ndarray, g: float, V: float, kT: float) -> Steady:
    """Steady state without hops between traps. amount : (n,) traps per area [1/m2]   g : degeneracy"""
    n = capture.level.size
    emitted, taken, log_odds = log_emissions(capture, g, V, kT), capture.log_rate, np.empty(n)
    parts, by_rate, by_level, by_V = np.empty(n), np.zeros((2, n)), np.zeros(n), 0.0
    most = NOTHING
    for j in range(n):
        c, e = log_of_sum(taken[LEFT, j], taken[RIGHT, j]), log_of_sum(emitted[LEFT, j], emitted[RIGHT, j])
        log_odds[j] = c - e
        parts[j] = NOTHING
        if amount[j] > 0.0:
            through = taken[LEFT, j] + taken[RIGHT, j] + (capture.level[j] + 0.5 * V) / kT - math.log(g)
            parts[j] = math.log(amount[j]) + through - log_of_sum(c, e)
        most = max(most, parts[j])
    if most < 0.5 * NOTHING:
        return without_current(log_odds, True)
    total = 0.0
    for j in range(n):
        parts[j] = math.exp(parts[j] - most)
        total += parts[j]
    ratio, ratio_slope = log_sinh_ratio(V / kT)
    for j in range(n):
        parts[j] /= total
        c, e = log_of_sum(taken[LEFT, j], taken[RIGHT, j]), log_of_sum(emitted[LEFT, j], emitted[RIGHT, j])
        whole = log_of_sum(c, e)
        for side in range(2):
            by_rate[side, j] = parts[j] * (1.0 - math.exp(taken[side, j] - whole) - math.exp(emitted[side, j] - whole))
        by_level[j] = parts[j] * (1.0 - math.exp(e - whole)) / kT
        by_V += parts[j] * (0.5 - math.exp(emitted[LEFT, j] - whole)) / kT
    log_chord = math.log(ELEMENTARY_CHARGE / kT) + ratio + most + math.log(total)
    return Steady(True, log_chord, log_odds, by_rate, by_level, parts, by_V + ratio_slope / kT)
