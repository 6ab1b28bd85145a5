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

The channel of traps, in the second half, is this current in a column at the present fields. Traps whose filling takes time
conduct as steady ones do; what else they exchange while they are away from rest is in `kinetic`.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.laws import K0, Profile
from otjdd.mechanisms.traps.capture import LEFT, NOTHING, RIGHT, Capture, add_capture_slopes, captures
from otjdd.mechanisms.traps.sites import (
    DEGENERACY,
    DENSITY,
    DEPTH,
    HOPS,
    LAYER,
    PER_ION,
    RELAXATION,
    Lines,
    Sites,
    add_to_band,
    groups_of_traps,
    shares_in_cells,
)
from otjdd.physics.bands import band_profile, film_pieces, profile_slopes
from otjdd.physics.fermi_dirac import fermi
from otjdd.physics.junction import Junction
from otjdd.physics.leaks import log_sinh_ratio
from otjdd.physics.numerics import factor_dense, solve_dense, solve_dense_transposed
from otjdd.physics.state import NO_SLOPES, Conductance, State

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


@bare
def limited_step(step: float, y: float) -> float:
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
        factor_dense(matrix)
        solve_dense(matrix, step)
        moved = 0.0
        for j in range(n):
            change = limited_step(step[j], eta[j] + levels[j])
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
    factor_dense(matrix)
    solve_dense_transposed(matrix, adjoint)
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


class PlacedTraps(NamedTuple):
    """Traps of a column on its band."""

    sites: Sites
    lines: Lines
    band: Profile
    amount: np.ndarray  # (n,) 1/m2, traps per area


class FilledTraps(NamedTuple):
    """Traps of a column at rest."""

    sites: Sites
    lines: Lines
    band: Profile
    capture: Capture
    steady: Steady
    amount: np.ndarray  # (n,) 1/m2


@apart
def placed_traps(junction: Junction, state: State, k: int, channel: int) -> PlacedTraps:
    """Traps of column k on its present band. channel : their place in the list of the junction"""
    band = band_profile(junction, state, k)
    channels, (film, behind) = junction.channels, film_pieces(junction, state, k)
    numbers, first = channels.numbers[channel], film
    if numbers[LAYER] >= 0.0:
        layer = int(numbers[LAYER])
        first, behind = film + junction.layers.pieces[layer], film + junction.layers.pieces[layer + 1]
    levels, points = channels.levels[channel], channels.points[channel]
    sites, lines = groups_of_traps(numbers, levels, points, band, (film, first, behind))
    amount = sites.length * max(numbers[DENSITY], 0.0)
    if numbers[PER_ION] > 0.0:
        share = shares_in_cells(sites, junction.columns.width[k])
        for j in range(amount.size):
            for i in range(share.shape[1]):
                amount[j] += sites.length[j] * share[j, i] * numbers[PER_ION] * max(state.c[k, i], 0.0)
    return PlacedTraps(sites, lines, band, amount)


@apart
def filled_traps(junction: Junction, state: State, k: int, channel: int) -> FilledTraps:
    """Traps of column k at rest at the present fields. channel : their place in the list of the junction"""
    V, kT, numbers = state.V[0], state.kT[k], junction.channels.numbers[channel]
    sites, lines, band, amount = placed_traps(junction, state, k, channel)
    some = amount > 0.0
    if numbers[HOPS] > 0.0 and np.any(some):  # else each group is without traps, and without current
        sites, amount = occupied(sites, some), amount[some]
    capture = captures(numbers, sites, lines, band, V, kT)
    if amount.size == 0:
        steady = without_current(np.zeros(0), True)
    elif numbers[HOPS] > 0.0:
        steady = chain(numbers, sites, band.mass, capture, amount, V, kT)
    else:
        steady = one_step(capture, amount, numbers[DEGENERACY], V, kT)
    return FilledTraps(sites, lines, band, capture, steady, amount)


@apart
def occupied(sites: Sites, some: np.ndarray) -> Sites:
    """Those sites that are true in `some` (n,)."""
    return Sites(
        sites.piece[some], sites.place[some], sites.line[some], sites.x[some], sites.start[some], sites.end[some],
        sites.length[some], sites.depth[some], sites.thickness,
    )  # fmt: skip


@apart
def add_slopes_by_ions(
    junction: Junction, state: State, k: int, per_ion: float, traps: FilledTraps, by_S: np.ndarray
) -> None:
    """Add to the slopes by_S (N+1,) of ln G of column k those by the amounts of its traps, which vacancies carry."""
    width = junction.columns.width[k]
    share = shares_in_cells(traps.sites, width)
    for j in range(traps.amount.size):
        if traps.amount[j] > 0.0:
            by_ion = traps.steady.by_amount[j] * per_ion * traps.sites.length[j] / traps.amount[j]
            for i in range(width.size):
                if state.c[k, i] > 0.0:
                    by_c = by_ion * share[j, i] / width[i]
                    by_S[i] += by_c
                    by_S[i + 1] -= by_c


@apart
def trap_conductance(junction: Junction, state: State, k: int, channel: int, slopes: int) -> Conductance:
    """Chord conductance of column k by one kind of its traps. channel : its place in the list of the junction"""
    by_V, by_D, by_P, by_S = 0.0, 0.0, 0.0, np.zeros(state.c.shape[1] + 1)
    traps = filled_traps(junction, state, k, channel)
    steady, numbers = traps.steady, junction.channels.numbers[channel]
    if steady.log_chord < 0.5 * NOTHING:
        return Conductance(steady.converged, 0.0, by_V, by_D, by_P, by_S)
    chord = junction.channels.area[k] * math.exp(steady.log_chord)
    if slopes != NO_SLOPES and steady.converged:
        by_piece, by_lead = np.zeros((4, traps.band.length.size)), np.zeros(2)
        by_V = steady.by_V + add_capture_slopes(
            traps.sites, traps.lines, traps.band, numbers[RELAXATION] == 0.0, traps.capture, steady.by_rate,
            by_piece, by_lead,
        )  # fmt: skip
        add_to_band(traps.sites, steady.by_level, by_piece)
        bent = film_pieces(junction, state, k)[0]
        by_V -= by_lead[0] + np.sum(by_piece[:2, :bent])  # the left lead and its bent region move with V
        _, by_D, by_P = profile_slopes(junction, state, k, traps.band, by_piece, by_lead, by_S)
        for f in range(by_S.size):
            by_S[f] *= -junction.ions[k].z * ELEMENTARY_CHARGE
        if numbers[PER_ION] > 0.0:
            add_slopes_by_ions(junction, state, k, numbers[PER_ION], traps, by_S)
    return Conductance(steady.converged, chord, by_V, by_D, by_P, by_S)
