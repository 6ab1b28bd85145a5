"""Rates of capture from both electrodes into traps, and their slopes.

A trap of energy E_t = E_C - depth takes an electron from electrode i, whose Fermi level is mu_i, at the rate

    c_i = nu int P_i(E) f_i(E) L(E_t - E) dE      L(d) = exp[-(r + d)^2/(4 r kT)]/sqrt(4 pi r kT)
    P_i = exp(-2 int kappa dx)

with the relaxation energy r; without relaxation L is a delta function, and only electrons of energy E_t pass. The rate
of emission follows from f and L at every energy, e_i = c_i exp[(E_t - mu_i)/kT]/g. So at 0 V the filling is the Fermi
function, whatever the path and the quadrature. The integral is a sum over equal steps of at most kT and sqrt(2 r kT), which
converges exponentially: the next term is e^(-2 pi^2). Energies below the bottom of the lead do not exist in it.

The thermal path, over the highest band B on the way, lowered by b sqrt|E| (Frenkel, Phys. Rev. 54, 647 (1938)):

    c_i = nu/[e^((B - mu_i)/kT) + e^((E_t - mu_i)/kT) + 1]

where B is far above E_t and mu_i, nu e^(-(B - mu_i)/kT); elsewhere neither c nor e exceeds nu.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare
from otjdd.laws.transmission import Profile
from otjdd.physics.channels.leaks import frenkel_factor, lowering_by_size
from otjdd.physics.numerics import add_up, exponential
from otjdd.physics.supply import fermi, softplus
from otjdd.physics.traps.paths import Path, action_slopes, actions, add_line_slopes, add_path_slopes, path_of
from otjdd.physics.traps.sites import ATTEMPTS, FRENKEL, RELAXATION, Lines, Sites, add_to_band, band_at_sites

LEFT, RIGHT = range(2)
STEP = 1.0  # of kT and of sqrt(2 r kT), by which energies are apart
DROP = 22.0  # energies are left out where the integrand is e^-DROP of its largest value
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


@apart
def windows(level: np.ndarray, r: float, kT: float, mu: np.ndarray, top: float):
    """Energies (m,) [eV] at which electrons may be taken, and the numbers of the first and the last one of each trap (n,).

    r : relaxation energy   mu : Fermi levels   top : highest band
    """
    n = level.size
    first, last = np.empty(n, np.int64), np.empty(n, np.int64)
    if r == 0.0:
        for j in range(n):
            first[j] = last[j] = j
        return level.copy(), first, last
    h, low, high = STEP * min(kT, math.sqrt(2.0 * r * kT)), np.empty(n), np.empty(n)
    drop, lowest, highest = 4.0 * r * kT * DROP, min(mu[0], mu[1]), max(mu[0], mu[1])
    for j in range(n):
        upper, lower = level[j] + r, level[j] - r
        turn = upper - min(max(lowest, lower), upper)
        low[j] = upper - math.sqrt(turn * turn + drop)
        turn = max(max(top, highest) - lower, 0.0)
        high[j] = lower + math.sqrt(turn * turn + drop)
    start = h * math.floor(low.min() / h)
    m = int((high.max() - start) / h) + 2
    E = np.empty(m)
    for i in range(m):
        E[i] = start + h * i
    for j in range(n):
        first[j], last[j] = int((low[j] - start) / h), int((high[j] - start) / h) + 1
    return E, first, last


class Supply(NamedTuple):
    """Electrons of both leads at m energies."""

    log_occupied: np.ndarray  # (2, m) ln f
    empty: np.ndarray  # (2, m) 1/eV, (1 - f)/kT
    inside: np.ndarray  # (2, m) part of a step over energy that is above the bottom of the lead


@apart
def supply_of_leads(E: np.ndarray, h: float, band: Profile, V: float, kT: float) -> Supply:
    """Electrons of both leads at energies E (m,), apart by h [eV], 0 where they are single ones."""
    supply = Supply(np.empty((2, E.size)), np.empty((2, E.size)), np.ones((2, E.size)))
    for side in range(2):
        mu, bottom = (-V, band.bottom_left) if side == LEFT else (0.0, band.bottom_right)
        for i in range(E.size):
            x = (E[i] - mu) / kT
            supply.log_occupied[side, i], supply.empty[side, i] = -softplus(x), fermi(-x) / kT
            if h > 0.0:
                supply.inside[side, i] = min(max((E[i] - bottom) / h + 0.5, 0.0), 1.0)
            elif E[i] < bottom:
                supply.inside[side, i] = 0.0
    return supply


@bare
def fill_log_parts(
    log_supply: np.ndarray, inside: np.ndarray, theta: np.ndarray, level: float, r: float, kT: float,
    E: np.ndarray, out: np.ndarray,
):  # fmt: skip
    """Fill ln of the integrand of a capture rate at energies E (m,), NOTHING below the lead; returns its largest value.

    theta : actions of the path   level : E_t   r : relaxation energy
    """
    most = NOTHING
    for i in range(E.size):
        out[i] = NOTHING
        if inside[i] > 0.0:
            out[i] = log_supply[i] - 2.0 * theta[i] + (math.log(inside[i]) if inside[i] < 1.0 else 0.0)
            if r > 0.0:
                away = r + level - E[i]
                out[i] -= away * away / (4.0 * r * kT)
        most = max(most, out[i])
    return most


@apart
def tunnelling_capture(
    sites: Sites, level: np.ndarray, path: Path, band: Profile, nu: float, r: float, V: float, kT: float
) -> Capture:
    """Capture by tunnelling. nu : attempts [Hz]   r : relaxation energy [eV]"""
    n, F = level.size, path.length.size
    E, first, last = windows(level, r, kT, np.array([-V, 0.0]), max(path.left.max(), path.right.max()))
    h, width = E[1] - E[0] if r > 0.0 else 0.0, int((last - first).max()) + 1 if n > 0 else 1
    theta, supply = actions(path, E), supply_of_leads(E, h, band, V, kT)
    log_rate, by_level, by_fermi = np.empty((2, n)), np.zeros((2, n)), np.zeros((2, n))
    share, by_bottom = np.zeros((2, n, width)), np.zeros((2, n))
    log_scale = math.log(nu) + (math.log(h) - 0.5 * math.log(4.0 * math.pi * r * kT) if r > 0.0 else 0.0)
    for side in range(2):
        lead = 0 if side == LEFT else F
        for j in range(n):
            own, parts = slice(first[j], last[j] + 1), share[side, j, : last[j] + 1 - first[j]]
            inside, empty, energy = supply.inside[side, own], supply.empty[side, own], E[own]
            most = fill_log_parts(
                supply.log_occupied[side, own], inside, np.abs(theta[sites.line[j], own] - theta[lead, own]),
                level[j], r, kT, energy, parts,
            )  # fmt: skip
            if most == NOTHING:
                parts[:] = 0.0
                log_rate[side, j] = NOTHING
                continue
            for i in range(parts.size):
                parts[i] = exponential(parts[i] - most)
            total = add_up(parts)
            log_rate[side, j] = log_scale + most + math.log(total)
            for i in range(parts.size):
                parts[i] /= total
                by_fermi[side, j] += parts[i] * empty[i]
                by_level[side, j] -= parts[i] * ((r + level[j] - energy[i]) / (2.0 * r * kT) if r > 0.0 else empty[i])
                if 0.0 < inside[i] < 1.0:
                    by_bottom[side, j] -= parts[i] / (h * inside[i])
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
            over, level = (B - mu) / kT, (capture.level[j] - mu) / kT
            log_rate, by_B, by_t = thermal_capture(over, level)
            log_rate += log_nu
            rest = fermi(log_rate - capture.log_rate[side, j])  # share of tunnelling
            share = 1.0 - rest
            most = max(log_rate, capture.log_rate[side, j])
            both = most + math.log(math.exp(log_rate - most) + math.exp(capture.log_rate[side, j] - most))
            capture.log_rate[side, j] = both
            capture.by_level[side, j] = rest * capture.by_level[side, j] + share * by_t / kT
            capture.by_fermi[side, j] = rest * capture.by_fermi[side, j] - share * (by_B + by_t) / kT
            capture.by_bottom[side, j] *= rest
            for i in range(capture.share.shape[2]):
                capture.share[side, j, i] *= rest
            capture.by_summit[side, j], capture.summit[side, j] = share * by_B / kT, at
            capture.by_field[side, j] = -share * by_B / kT * slope


@bare
def thermal_capture(over: float, level: float):
    """-ln(e^over + e^level + 1) and its slopes by over and level."""
    most = max(over, level, 0.0)
    a, b, rest = math.exp(over - most), math.exp(level - most), math.exp(-most)
    total = a + b + rest
    return -(most + math.log(total)), -a / total, -b / total


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
    by_action = np.empty((F, m))
    for i in range(m):
        behind = 0.0
        for f in range(F - 1, -1, -1):
            behind += to_left[f + 1, i]
            by_action[f, i] = -2.0 * behind
        before = 0.0
        for f in range(F):
            before += to_right[f, i]
            by_action[f, i] -= 2.0 * before
    add_path_slopes(lines, path, capture.energy, by_action, band, by_piece)
    if elastic:
        add_energy_slopes(path, capture.energy, by_action, by_level)
    add_to_band(sites, by_level, by_piece)
    return by_V


@apart
def add_energy_slopes(path: Path, E: np.ndarray, by_action: np.ndarray, by_level: np.ndarray):
    """Add the slopes by the energies E (n,) of elastic electrons, which move with their traps, to by_level (n,)."""
    for f in range(path.length.size):
        for j in range(E.size):
            if by_action[f, j] != 0.0:
                of_0, of_1, _ = action_slopes(path.length[f], path.root[f], path.left[f], path.right[f], E[j])
                by_level[j] -= by_action[f, j] * (of_0 + of_1)
