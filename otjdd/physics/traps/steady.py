"""Steady filling of traps, and the current through them: single traps between the electrodes, and chains of hops.

One step: each trap takes from one electrode and gives to the other,

    J = e sum N (e_L c_R - c_L e_R)/(c_L + c_R + e_L + e_R)

With e_i = c_i exp[(E_t - mu_i)/kT]/g the difference is c_L c_R exp[(E_t + V/2)/kT] 2 sinh(V/2kT)/g, without cancellation.

Where electrons hop between traps, in the mean field:

    df/dt = sum_i [c_i (1 - f) - e_i f] + (1 - f) sum k(x' -> x) f' - f sum k(x -> x') (1 - f')
    k(x -> x') = nu_h N' G(|x - x'|) M(E' - E)        M(d) = exp[-(2 r + d)^2/(8 r kT)], or min(1, e^(-d/kT)) at r = 0
    G(d) = pi/(2 kappa^2) (1 + 2 kappa d) e^(-2 kappa d), kappa = sqrt(m k0 depth): hops to a plane of traps

The unknown is the Fermi level of each group, eta kT, counted from that of the right electrode. All rates keep detailed
balance, so each flow is a product with 1 - e^(difference of eta): small voltages lose no digits. The current is that at
the right electrode, where eta is small and exact; at the left one, in whose balance near traps are, the difference of
two large numbers may be all round-off. The matrix of Newton's method has one sign off its diagonal, and columns that add
up to the flow to the electrodes, so it needs no pivots. A step is that of f, cut where it would take f or 1 - f below a
tenth of it.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.laws.transmission import K0
from otjdd.physics.channels.leaks import log_sinh_ratio
from otjdd.physics.fermi_dirac import fermi
from otjdd.physics.numerics import add_scaled
from otjdd.physics.traps.capture import LEFT, NOTHING, RIGHT, Capture
from otjdd.physics.traps.sites import DEGENERACY, DEPTH, HOPS, RELAXATION, Sites

MOST_STEPS = 200
BALANCED = 1e-9  # relative difference of the currents at both electrodes at the end
CLOSE = 1e-7  # of V/kT or 1: last change of ln odds, which is squared in the next step
ROUND_OFF = 1e-14  # of V/kT and of the exchange with the left electrode, that its net flow may lose
SMALLEST = 1e-6  # of kT: the chord at smaller voltages is that at this one
LOWEST = 0.1  # to which part of itself a step may take a filling or its rest


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
    top = max(a, b)
    return top + math.log1p(math.exp(-abs(a - b)))


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
    top = NOTHING
    for j in range(n):
        c, e = log_of_sum(taken[LEFT, j], taken[RIGHT, j]), log_of_sum(emitted[LEFT, j], emitted[RIGHT, j])
        log_odds[j] = c - e
        parts[j] = NOTHING
        if amount[j] > 0.0:
            through = taken[LEFT, j] + taken[RIGHT, j] + (capture.level[j] + 0.5 * V) / kT - math.log(g)
            parts[j] = math.log(amount[j]) + through - log_of_sum(c, e)
        top = max(top, parts[j])
    if top < 0.5 * NOTHING:
        return without_current(log_odds, True)
    total = 0.0
    for j in range(n):
        parts[j] = math.exp(parts[j] - top)
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
    log_chord = math.log(ELEMENTARY_CHARGE / kT) + ratio + top + math.log(total)
    return Steady(True, log_chord, log_odds, by_rate, by_level, parts, by_V + ratio_slope / kT)


@apart
def hop_rates(numbers: np.ndarray, sites: Sites, mass: np.ndarray, level: np.ndarray, amount: np.ndarray, kT: float):
    """Hops (n, n) [1/(m2 s)] from a full group j to an empty group k, per area, and d ln of them by E_k - E_j [1/eV].

    mass : (S,) m0, of the pieces of the band
    """
    n, r = level.size, numbers[RELAXATION]
    rate, slope = np.zeros((n, n)), np.zeros((n, n))
    for j in range(n):
        kappa_j = math.sqrt(mass[sites.piece[j]] * K0 * numbers[DEPTH])
        for k in range(n):
            if k == j:
                continue
            kappa = 0.5 * (kappa_j + math.sqrt(mass[sites.piece[k]] * K0 * numbers[DEPTH]))
            far, d = 2.0 * kappa * abs(sites.x[j] - sites.x[k]), level[k] - level[j]
            if r > 0.0:
                exponent, slope[j, k] = -((2.0 * r + d) ** 2) / (8.0 * r * kT), -(2.0 * r + d) / (4.0 * r * kT)
            else:
                exponent, slope[j, k] = -max(d, 0.0) / kT, (-1.0 / kT if d > 0.0 else 0.0)
            across = 0.5 * math.pi / (kappa * kappa) * (1.0 + far)
            rate[j, k] = numbers[HOPS] * amount[j] * amount[k] * across * math.exp(exponent - far)
    return rate, slope


@bare
def flow(forth: float, back: float, difference: float):
    """Net flow of two opposite ones whose ratio is e^difference, without cancellation, from the larger of both."""
    return forth * -math.expm1(-difference) if difference >= 0.0 else back * math.expm1(difference)


@apart
def chain_balance(
    taken: np.ndarray, emitted: np.ndarray, hops: np.ndarray, eta: np.ndarray, levels: np.ndarray, mu: np.ndarray,
    matrix: np.ndarray, balance: np.ndarray,
):  # fmt: skip
    """Fill what flows into each group (n,) [1/(m2 s)] and its derivative by eta (n, n), the sign turned; returns what comes
    from the left and from the right electrode, and what the left one exchanges.

    taken, emitted : (2, n) [1/(m2 s)] of empty and of full groups   hops : of `hop_rates`   levels : ln of odds less eta
    mu : (2,) Fermi levels of the electrodes over kT
    """
    n, net, exchanged = eta.size, np.zeros(2), 0.0
    full, free = np.empty(n), np.empty(n)
    for j in range(n):
        full[j], free[j] = fermi(-eta[j] - levels[j]), fermi(eta[j] + levels[j])
    matrix[:] = 0.0
    for j in range(n):
        into = 0.0
        for side in range(2):
            forth, back = taken[side, j] * free[j], emitted[side, j] * full[j]
            moved = flow(forth, back, mu[side] - eta[j])
            net[side] += moved
            into += moved
            matrix[j, j] += forth * full[j] + back * free[j]
            exchanged += forth + back if side == LEFT else 0.0
        balance[j] = into
    for j in range(n):
        for k in range(j):
            forth, back = hops[j, k] * full[j] * free[k], hops[k, j] * full[k] * free[j]
            moved = flow(forth, back, eta[j] - eta[k])
            balance[j] -= moved
            balance[k] += moved
            by_j, by_k = forth * free[j] + back * full[j], -forth * full[k] - back * free[k]
            matrix[j, j] += by_j
            matrix[k, k] -= by_k
            matrix[j, k] += by_k
            matrix[k, j] -= by_j
    return net[LEFT], net[RIGHT], exchanged


@apart
def factor(matrix: np.ndarray):
    """LU factors of a matrix of `chain_balance`, in place, without pivots."""
    n = matrix.shape[0]
    for p in range(n):
        for i in range(p + 1, n):
            if matrix[i, p] != 0.0:
                matrix[i, p] /= matrix[p, p]
                add_scaled(-matrix[i, p], matrix[p, p + 1 :], matrix[i, p + 1 :])


@apart
def solve(factors: np.ndarray, x: np.ndarray):
    """Solve in place with the factors of `factor`."""
    n = x.size
    for i in range(n):
        for j in range(i):
            x[i] -= factors[i, j] * x[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= factors[i, j] * x[j]
        x[i] /= factors[i, i]


@apart
def solve_transposed(factors: np.ndarray, x: np.ndarray):
    """Solve with the transposed matrix in place."""
    n = x.size
    for i in range(n):
        for j in range(i):
            x[i] -= factors[j, i] * x[j]
        x[i] /= factors[i, i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= factors[j, i] * x[j]


@bare
def limited(step: float, y: float) -> float:
    """Change of ln odds y by Newton's change `step` of it, as a change of f: f and 1 - f keep LOWEST of themselves."""
    full, free = fermi(-y), fermi(y)
    return math.log1p(max(free * step, LOWEST - 1.0)) - math.log1p(max(-full * step, LOWEST - 1.0))


@apart
def chain(
    numbers: np.ndarray, sites: Sites, mass: np.ndarray, capture: Capture, amount: np.ndarray, V: float, kT: float
) -> Steady:
    """Steady state of traps (n,) between which electrons hop.

    numbers : of the traps   mass : (S,) m0, of the pieces of the band   amount : (n,) traps per area, above 0 [1/m2]
    """
    n, g = amount.size, numbers[DEGENERACY]
    V = math.copysign(max(abs(V), SMALLEST * kT), V)
    log_emitted, taken, emitted = log_emissions(capture, g, V, kT), np.empty((2, n)), np.empty((2, n))
    levels, eta, mu = math.log(g) - capture.level / kT, np.empty(n), np.array([-V / kT, 0.0])
    for j in range(n):
        for side in range(2):
            taken[side, j] = amount[j] * math.exp(capture.log_rate[side, j])
            emitted[side, j] = amount[j] * math.exp(log_emitted[side, j])
    eta[:] = one_step(capture, amount, g, V, kT).log_odds - levels
    if taken[LEFT].sum() == 0.0 or taken[RIGHT].sum() == 0.0:
        return without_current(eta + levels, True)
    hops, slope = hop_rates(numbers, sites, mass, capture.level, amount, kT)
    matrix, step = np.empty((n, n)), np.empty(n)
    for _ in range(MOST_STEPS):
        from_left, from_right, exchanged = chain_balance(taken, emitted, hops, eta, levels, mu, matrix, step)
        factor(matrix)
        solve(matrix, step)
        moved = 0.0
        for j in range(n):
            change = limited(step[j], eta[j] + levels[j])
            eta[j] += change
            moved = max(moved, abs(change))
        if not math.isfinite(moved):
            return without_current(eta + levels, False)
        lost = BALANCED * abs(from_right) + ROUND_OFF * max(abs(V) / kT, 1.0) * exchanged
        if moved < CLOSE * max(abs(V) / kT, 1.0) and abs(from_left + from_right) <= lost:
            return chain_slopes(taken, emitted, hops, slope, eta, levels, V, kT)
    return without_current(eta + levels, False)


@apart
def chain_slopes(
    taken: np.ndarray, emitted: np.ndarray, hops: np.ndarray, slope: np.ndarray, eta: np.ndarray, levels: np.ndarray,
    V: float, kT: float,
) -> Steady:  # fmt: skip
    """ln(J/V) of a chain at rest and its slopes, by one linear system with the transposed matrix."""
    n, mu = eta.size, np.array([-V / kT, 0.0])
    matrix, adjoint = np.empty((n, n)), np.empty(n)
    _, from_right, _ = chain_balance(taken, emitted, hops, eta, levels, mu, matrix, adjoint)
    full, free = np.empty(n), np.empty(n)
    for j in range(n):
        full[j], free[j] = fermi(-eta[j] - levels[j]), fermi(eta[j] + levels[j])
        adjoint[j] = -(taken[RIGHT, j] + emitted[RIGHT, j]) * full[j] * free[j] / from_right
    factor(matrix)
    solve_transposed(matrix, adjoint)
    by_rate, by_level, by_amount, by_V = np.empty((2, n)), np.zeros(n), np.zeros(n), -1.0 / V
    for j in range(n):
        for side in range(2):
            forth, back = taken[side, j] * free[j], emitted[side, j] * full[j]
            weight = adjoint[j] + (1.0 / from_right if side == RIGHT else 0.0)
            part = weight * flow(forth, back, mu[side] - eta[j])
            by_rate[side, j] = part
            by_level[j] += part * full[j] / kT
            by_amount[j] += part
            if side == LEFT:
                by_V -= weight * back / kT
        for k in range(j):
            forth, back = hops[j, k] * full[j] * free[k], hops[k, j] * full[k] * free[j]
            part = (adjoint[k] - adjoint[j]) * flow(forth, back, eta[j] - eta[k])
            by_level[j] -= part * (free[j] / kT + slope[j, k])
            by_level[k] += part * (full[k] / kT + slope[j, k])
            by_amount[j] += part
            by_amount[k] += part
    log_chord = math.log(ELEMENTARY_CHARGE * from_right / V)
    return Steady(True, log_chord, eta + levels, by_rate, by_level, by_amount, by_V)
