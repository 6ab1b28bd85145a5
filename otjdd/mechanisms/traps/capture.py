"""Rates of capture from both electrodes into traps, and their slopes.

A trap of energy E_t = E_C - depth takes an electron from electrode i, whose Fermi level is mu_i, at the rate

    c_i = nu int P_i(E) f_i(E) L(E_t - E) dE      L(d) = exp[-(r + d)^2/(4 r kT)]/sqrt(4 pi r kT)
    P_i = exp(-2 int kappa dx)

with the relaxation energy r; without relaxation L is a delta function, and only electrons of energy E_t pass. The rate
of emission follows from f and L at every energy, e_i = c_i exp[(E_t - mu_i)/kT]/g. So at 0 V the filling is the Fermi
function, whatever the path and the quadrature. The integral is a sum over steps of at most kT and sqrt(2 r kT), which
converges exponentially where P is smooth: the next term is e^(-2 pi^2/0.9). In a weak field P falls to nothing within
kT/a^2 below the highest band. Here a is the action of a film, all of which is kT above an electron. Where a is above 1,
the steps are shorter by the factor a. Energies below the bottom of a lead do not exist in it. Where the integrand is cut
there, the steps shrink towards the bottom b: E = b + h ln(1 + e^u) at whole numbers u.

The thermal path, over the highest band B on the way, lowered by b sqrt|E| (Frenkel, Phys. Rev. 54, 647 (1938)):

    c_i = nu/[e^((B - mu_i)/kT) + e^((E_t - mu_i)/kT) + 1]

where B is far above E_t and mu_i, nu e^(-(B - mu_i)/kT); elsewhere neither c nor e exceeds nu.

An integrand is a Gaussian about E_t + r below the Fermi level and one about E_t - r above it, of a standard deviation of
sqrt(2 r kT) both, times P, which rises to 1 at the highest band. The sum ends where all of this is e^-DROP of its largest
value.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, loose
from otjdd.laws import Profile
from otjdd.mechanisms.traps.sites import (
    ATTEMPTS,
    FRENKEL,
    RELAXATION,
    Lines,
    Path,
    Sites,
    actions,
    add_line_slopes,
    add_path_slopes,
    add_to_band,
    band_at_sites,
    path_of,
)
from otjdd.physics.fermi_dirac import fermi, softplus
from otjdd.physics.leaks import frenkel_factor, lowering_by_size
from otjdd.physics.numerics import copy, exponential

LEFT, RIGHT = range(2)
STEP = 0.9  # of kT and of sqrt(2 r kT): rates err by 1e-2 at most, over a barrier that is almost flat, and most by 1e-4
NEAREST = -6.0  # u of the energy closest to a bottom: what is closer counts at the bottom itself
DROP = 20.0  # energies are left out where the integrand is e^-DROP of its largest value
NOTHING = -1e6  # ln of a rate that is zero


class Capture(NamedTuple):
    """Rates of capture of n groups of traps from the left and the right electrode, and what their slopes need."""

    level: np.ndarray  # (n,) eV, E_t
    log_rate: np.ndarray  # (2, n) ln c_i, of 1/s
    by_level: np.ndarray  # (2, n) 1/eV, d ln c_i/dE_t, the band between trap and electrode held
    by_fermi: np.ndarray  # (2, n) 1/eV, d ln c_i/dmu_i
    energy: np.ndarray  # (m,) eV
    first: np.ndarray  # (n,) number of the first energy of a group
    share: np.ndarray  # (2, n, w) share of its energies in c_i
    by_bottom: np.ndarray  # (2, n) 1/eV, d ln c_i/d bottom of lead i
    by_summit: np.ndarray  # (2, n) 1/eV, d ln c_i/d B_i of the thermal path
    summit: np.ndarray  # (2, n) end of a line where the band is highest: twice the line, and 1 at its right end
    by_field: np.ndarray  # (2, n) m/V, d ln c_i/dE of the thermal path


class Energies(NamedTuple):
    """m energies of electrons from low to high, at which the integrals of all traps are sums."""

    E: np.ndarray  # (m,) eV
    weight: (
        np.ndarray
    )  # (2, m) eV, part of each in the integral over the left and the right lead; 1 for elastic electrons
    first: np.ndarray  # (n,) number of the first and the last energy of each trap
    last: np.ndarray  # (n,)


@apart
def energies_of(
    level: np.ndarray, r: float, kT: float, V: float, path: Path, band: Profile, steepness: float
) -> Energies:
    """Energies at which electrons of both leads may be taken by traps of levels (n,) [eV].

    r : relaxation energy   steepness : action of a barrier kT above an electron, along all of the film
    """
    n, bottoms = level.size, (band.bottom_left, band.bottom_right)
    first, last, weight = np.empty(n, np.int64), np.empty(n, np.int64), np.zeros((2, n))
    if r == 0.0:
        for j in range(n):
            first[j] = last[j] = j
            for side in range(2):
                weight[side, j] = 1.0 if level[j] >= bottoms[side] else 0.0
        return Energies(level.copy(), weight, first, last)
    mu, highest = min(-V, 0.0), max(*bottoms, -V, 0.0, path.left.max(), path.right.max())
    h, low, high = STEP * min(kT, math.sqrt(2.0 * r * kT)) / max(steepness, 1.0), np.empty(n), np.empty(n)
    for j in range(n):
        low[j] = lower_end(level[j], r, kT, mu)
        turn = max(highest - level[j] + r, 0.0)
        high[j] = level[j] - r + math.sqrt(turn * turn + 4.0 * r * kT * DROP)
    E, weight = cut_energies(low.min(), high.max(), h, bottoms[LEFT], bottoms[RIGHT])
    for j in range(n):
        first[j] = max(np.searchsorted(E, low[j]) - 1, 0)
        last[j] = max(min(np.searchsorted(E, high[j]), E.size - 1), first[j])
    return Energies(E, weight, first, last)


@bare
def lower_end(level: float, r: float, kT: float, mu: float) -> float:
    """Energy [eV] below which electrons of a lead of Fermi level mu are left out, without regard to the barrier.

    They count as a Gaussian about level + r below mu, and as one about level - r above it. The largest value is at
    level + r where mu is above that, at level - r where mu is below that, and at mu in between.
    """
    upper, lower, width = level + r, level - r, math.sqrt(4.0 * r * kT * DROP)
    if mu >= lower:
        turn = max(upper - mu, 0.0)
        return upper - math.sqrt(turn * turn + width * width)
    return max(lower - width, upper - math.sqrt(4.0 * r * (level - mu) + width * width))


@apart
def cut_energies(low: float, high: float, h: float, left: float, right: float):
    """Energies (m,) [eV] from low to high, and their weights (2, m) [eV] in integrals over the states of both leads.

    high : above both bottoms   h : largest step   left, right : bottoms of the leads
    """
    lower, upper = min(left, right), max(left, right)
    room = int((high - low) / h) + 2 * int(2.0 - 2.0 * NEAREST) + 12
    E, weight, n = np.zeros(room), np.zeros((2, room)), 0
    start, end = max(lower, h * math.floor(low / h - 2.0)), h * math.ceil(high / h + 2.0)
    if start < upper:
        n = fill_energies(start, upper, h, start == lower, True, E, weight[0], 0)
        for i in range(n):
            weight[1, i] = weight[0, i] if right < upper else 0.0
            weight[0, i] = weight[0, i] if left < upper else 0.0
    begin = max(start, upper)
    behind = fill_energies(begin, end, h, begin == upper, False, E, weight[0], n)
    copy(weight[0, n:behind], weight[1, n:behind])
    return E[: max(behind, 1)], weight[:, : max(behind, 1)].copy()


@apart
def fill_energies(
    start: float, end: float, h: float, cut_start: bool, cut_end: bool, E: np.ndarray, weight: np.ndarray, n: int
) -> int:
    """Fill energies from `start` to `end` [eV] and their weights, from number n; returns the number behind them.

    cut_start, cut_end : an integrand is cut there, so that the steps shrink; elsewhere it has become small
    """
    length, first = (end - start) / h, n
    if length <= 0.0:
        return n
    # energies far from bottoms are multiples of h
    u = math.ceil(start / h + (NEAREST if cut_start else 1.0)) - start / h
    if cut_start:
        E[n], weight[n] = start, h * (softplus(u - 0.5) - softplus(u - 0.5 - length))
        n += 1
    while u <= (length - NEAREST if cut_end else length - 1.0) or n == first:
        E[n] = start + h * (softplus(u) - softplus(u - length))
        weight[n] = h * (fermi(-u) - fermi(length - u))
        n, u = n + 1, u + 1.0
    if cut_end:
        E[n], weight[n] = end, max(h * (length - softplus(u - 0.5) + softplus(u - 0.5 - length)), 0.0)
        n += 1
    return n


class Supply(NamedTuple):
    """Electrons of both leads at m energies."""

    log_occupied: np.ndarray  # (2, m) ln f
    empty: np.ndarray  # (2, m) 1/eV, (1 - f)/kT


@apart
def supply_of_leads(E: np.ndarray, V: float, kT: float) -> Supply:
    """Electrons of both leads at energies E (m,) [eV]."""
    supply = Supply(np.empty((2, E.size)), np.empty((2, E.size)))
    for side in range(2):
        mu = -V if side == LEFT else 0.0
        for i in range(E.size):
            x = (E[i] - mu) / kT
            supply.log_occupied[side, i], supply.empty[side, i] = -softplus(x), fermi(-x) / kT
    return supply


@loose
def fill_log_parts(
    log_supply: np.ndarray, theta: np.ndarray, at_lead: np.ndarray, middle: float, per_square: float, E: np.ndarray,
    out: np.ndarray,
) -> float:  # fmt: skip
    """Fill ln of the parts of a capture rate at energies E (n,), of `log_supplies`; returns the largest.

    theta, at_lead : (n,) actions to the trap and to the lead   middle, per_square : the lattice lets pass
    exp[-per_square (middle - E)^2]
    """
    top = 10.0 * NOTHING
    for i in range(E.size):
        away = middle - E[i]
        out[i] = log_supply[i] - 2.0 * abs(theta[i] - at_lead[i]) - per_square * away * away
        top = max(top, out[i])
    return top


@loose
def fill_shares(parts: np.ndarray, top: float, E: np.ndarray, empty: np.ndarray):
    """Fill shares (n,) from their logarithms, of which `top` is the largest; returns ln of their sum, and two means.

    The means are those of `empty` (n,) and E (n,) over the shares, which are 0 at both ends below e^-DROP of the largest.
    """
    first, behind = 0, parts.size
    while parts[first] < top - DROP:
        parts[first] = 0.0
        first += 1
    while parts[behind - 1] < top - DROP:
        behind -= 1
        parts[behind] = 0.0
    total, mean_empty, mean_energy = 0.0, 0.0, 0.0
    for i in range(first, behind):
        part = exponential(parts[i] - top)
        parts[i] = part
        total, mean_empty, mean_energy = total + part, mean_empty + part * empty[i], mean_energy + part * E[i]
    per_total = 1.0 / total
    for i in range(first, behind):
        parts[i] *= per_total
    return top + math.log(total), mean_empty * per_total, mean_energy * per_total


@apart
def log_supplies(supply: Supply, weight: np.ndarray) -> np.ndarray:
    """ln of the electrons of both leads times the weights (2, m) of their energies, NOTHING below a lead."""
    out = np.empty(weight.shape)
    for side in range(2):
        for i in range(weight.shape[1]):
            log_weight = math.log(weight[side, i]) if weight[side, i] > 0.0 else NOTHING
            out[side, i] = supply.log_occupied[side, i] + log_weight
    return out


@apart
def tunnelling_capture(
    sites: Sites, level: np.ndarray, path: Path, band: Profile, nu: float, r: float, V: float, kT: float
) -> Capture:
    """Capture by tunnelling. nu : attempts [Hz]   r : relaxation energy [eV]"""
    n, F = level.size, path.length.size
    steepness = math.sqrt(kT) * path.root.max() * sites.thickness
    E, weight, first, last = energies_of(level, r, kT, V, path, band, steepness)
    width = int((last - first).max()) + 1 if n > 0 else 1
    theta, supply = actions(path, E), supply_of_leads(E, V, kT)
    log_supply = log_supplies(supply, weight)
    log_rate, by_level, by_fermi = np.empty((2, n)), np.zeros((2, n)), np.zeros((2, n))
    share, by_bottom = np.zeros((2, n, width)), np.zeros((2, n))
    log_scale = math.log(nu) - (0.5 * math.log(4.0 * math.pi * r * kT) if r > 0.0 else 0.0)
    per_square = 1.0 / (4.0 * r * kT) if r > 0.0 else 0.0
    for side in range(2):
        lead, bottom = (0, band.bottom_left) if side == LEFT else (F, band.bottom_right)
        lowest = np.searchsorted(E, bottom) if r > 0.0 else E.size  # the energy that may be at the bottom
        for j in range(n):
            own, parts = slice(first[j], last[j] + 1), share[side, j, : last[j] + 1 - first[j]]
            top = fill_log_parts(
                log_supply[side, own], theta[sites.line[j], own], theta[lead, own], r + level[j], per_square, E[own],
                parts,
            )  # fmt: skip
            if top < 0.5 * NOTHING:
                parts[:] = 0.0
                log_rate[side, j] = NOTHING
                continue
            log_sum, empty, energy = fill_shares(parts, top, E[own], supply.empty[side, own])
            log_rate[side, j], by_fermi[side, j] = log_scale + log_sum, empty
            by_level[side, j] = -2.0 * per_square * (r + level[j] - energy) if r > 0.0 else -empty
            if first[j] <= lowest <= last[j] and E[lowest] == bottom and weight[side, lowest] > 0.0:
                by_bottom[side, j] = -parts[lowest - first[j]] / weight[side, lowest]
    none, nowhere = np.zeros((2, n)), np.zeros((2, n), np.int64)
    return Capture(level, log_rate, by_level, by_fermi, E, first, share, by_bottom, none, nowhere, np.zeros((2, n)))


@apart
def summits(path: Path) -> np.ndarray:
    """Ends of lines where the band is highest to the left and to the right of the beginning of each line (2, F+1).

    An end is twice its line, and 1 more at the right end.
    """
    F, highest = path.length.size, -math.inf
    at = np.zeros((2, F + 1), np.int64)
    for end in range(2 * F):
        U = path.left[end // 2] if end % 2 == 0 else path.right[end // 2]
        if U > highest:
            highest, at[LEFT, F] = U, end
        at[LEFT, end // 2 + 1] = at[LEFT, F]
    highest = -math.inf
    for end in range(2 * F - 1, -1, -1):
        U = path.left[end // 2] if end % 2 == 0 else path.right[end // 2]
        if U > highest:
            highest, at[RIGHT, F] = U, end
        at[RIGHT, end // 2] = at[RIGHT, F]
    return at


@apart
def add_thermal_path(
    numbers: np.ndarray, sites: Sites, path: Path, band: Profile, V: float, kT: float, capture: Capture
):
    """Add the thermal path of all traps to their capture by tunnelling, in place."""
    n, b, log_nu, highest = (
        sites.line.size,
        frenkel_factor(numbers[FRENKEL]),
        math.log(numbers[ATTEMPTS]),
        summits(path),
    )
    for j in range(n):
        s = sites.piece[j]
        lowering, slope = lowering_by_size((band.right[s] - band.left[s]) / band.length[s], b, kT)
        for side in range(2):
            at, mu = highest[side, sites.line[j]], -V if side == LEFT else 0.0
            B = (path.left[at // 2] if at % 2 == 0 else path.right[at // 2]) - lowering
            barrier, level = (B - mu) / kT, (capture.level[j] - mu) / kT
            log_rate, by_B, by_t = thermal_capture(barrier, level)
            log_rate += log_nu
            rest = fermi(log_rate - capture.log_rate[side, j])  # share of tunnelling
            share = 1.0 - rest
            top = max(log_rate, capture.log_rate[side, j])
            both = top + math.log(math.exp(log_rate - top) + math.exp(capture.log_rate[side, j] - top))
            capture.log_rate[side, j] = both
            capture.by_level[side, j] = rest * capture.by_level[side, j] + share * by_t / kT
            capture.by_fermi[side, j] = rest * capture.by_fermi[side, j] - share * (by_B + by_t) / kT
            capture.by_bottom[side, j] *= rest
            for i in range(capture.share.shape[2]):
                capture.share[side, j, i] *= rest
            capture.by_summit[side, j], capture.summit[side, j] = share * by_B / kT, at
            capture.by_field[side, j] = -share * by_B / kT * slope


@bare
def thermal_capture(barrier: float, level: float):
    """-ln(e^barrier + e^level + 1) and its slopes by barrier and level."""
    top = max(barrier, level, 0.0)
    a, b, rest = math.exp(barrier - top), math.exp(level - top), math.exp(-top)
    total = a + b + rest
    return -(top + math.log(total)), -a / total, -b / total


@apart
def captures(numbers: np.ndarray, sites: Sites, lines: Lines, band: Profile, V: float, kT: float) -> Capture:
    """Capture of all traps of a column from both electrodes. numbers : of the traps"""
    path, level = path_of(lines, band), band_at_sites(sites, band) - sites.depth
    capture = tunnelling_capture(sites, level, path, band, numbers[ATTEMPTS], numbers[RELAXATION], V, kT)
    if numbers[FRENKEL] > 0.0:
        add_thermal_path(numbers, sites, path, band, V, kT, capture)
    return capture


@apart
def add_capture_slopes(
    sites: Sites, lines: Lines, band: Profile, elastic: bool, capture: Capture, by_rate: np.ndarray,
    by_piece: np.ndarray, by_lead: np.ndarray,
):  # fmt: skip
    """Add slopes by ln c_i (2, n) to those by the pieces (4, S) and the leads (2,) of the band; returns that by V."""
    path, n = path_of(lines, band), sites.line.size
    F, m, width = path.length.size, capture.energy.size, capture.share.shape[2]
    to_left, to_right = np.zeros((F + 1, m)), np.zeros((F + 1, m))  # of the traps behind each number of lines
    by_level, by_V = np.zeros(n), 0.0
    for j in range(n):
        line, first = sites.line[j], capture.first[j]
        for i in range(min(width, m - first)):
            to_left[line, first + i] += by_rate[LEFT, j] * capture.share[LEFT, j, i]
            to_right[line, first + i] += by_rate[RIGHT, j] * capture.share[RIGHT, j, i]
        by_V -= by_rate[LEFT, j] * capture.by_fermi[LEFT, j]
        for side in range(2):
            g = by_rate[side, j]
            by_lead[side] += g * capture.by_bottom[side, j]
            by_level[j] += g * capture.by_level[side, j]
            if capture.by_summit[side, j] != 0.0:
                at, s = capture.summit[side, j], sites.piece[j]
                up = g * capture.by_summit[side, j]
                add_line_slopes(lines, at // 2, up * (1 - at % 2), up * (at % 2), by_piece)
                of_field = g * capture.by_field[side, j] / band.length[s]
                by_piece[0, s] -= of_field
                by_piece[1, s] += of_field
                by_piece[2, s] -= of_field * (band.right[s] - band.left[s]) / band.length[s]
    by_energy = add_path_slopes(lines, path, capture.energy, slopes_by_action(to_left, to_right), by_piece)
    if elastic:  # energies move with their traps
        for j in range(n):
            by_level[j] -= by_energy[j]
    add_to_band(sites, by_level, by_piece)
    return by_V


@apart
def slopes_by_action(to_left: np.ndarray, to_right: np.ndarray) -> np.ndarray:
    """Slopes (F, m) by the actions of single lines, from those by the rates of the traps behind each number of lines.

    to_left, to_right : (F+1, m) by the rates of exchange with the left and the right electrode
    """
    F, m = to_left.shape[0] - 1, to_left.shape[1]
    out, sums = np.zeros((F, m)), np.zeros(m)
    for f in range(F - 1, -1, -1):
        for i in range(m):
            sums[i] += to_left[f + 1, i]
            out[f, i] = -2.0 * sums[i]
    sums[:] = 0.0
    for f in range(F):
        for i in range(m):
            sums[i] += to_right[f, i]
            out[f, i] -= 2.0 * sums[i]
    return out
