"""Narrow levels of the wells of a profile: where they lie and how wide they are, found by counting before integrating.

A level turns the phase of the wave by pi within its width. The phase is counted without gaps: a wave that goes out at
the right end has psi = M11 + i v M12, and its flux keeps psi from zero, so arg psi falls from step to step towards the
left. It passes a multiple of pi where M12 = 0: at each node of the real solution that vanishes at the right end (Sturm).
Within a step of length q in phase there are as many such passages as S = sinh(q)/q has zeros, or one more, as the signs of
M12 tell. So the phase of the discrete chain is known to the last half wave, at any energy alone, and its difference
between two energies counts all levels between them, however narrow, however close to each other.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, kernel
from otjdd.laws import K0, Profile
from otjdd.physics.fermi_dirac import supply
from otjdd.physics.numerics import ascending, copy
from otjdd.physics.tunnelling import (
    BOUND,
    LANES,
    SCALED_EVERY,
    padded,
    refine,
    scale_down,
    step_back,
    step_numbers,
    unit_matrix_at,
    velocities,
)

HALF_WAVE = math.pi**2  # -q^2 of a step from which on S has zeros
TURN = 1.0  # rad: between two energies whose phases differ by less, no level is narrower than they are apart
STATES = 1024  # gaps, and levels, at most of a search
LEAST = 4e-12  # of an energy, or 1 eV if that is more: the search ends at this distance of two energies
GROWTH = 8.0  # of the distances of the edges of panels from a level: T falls off as the square of the distance
SEEN = 0.5  # rad: a gap in which the wave turns by so much, and more than in its neighbours, holds a level
PAIR = 4.7  # rad, by which two levels turn it
OPEN, LEVELS = 0, 1  # numbers in GapsAndLevels.used
# rows of the table of a search
ROWS = 4
ENERGY, ANGLE, REAL, IMAGINARY = range(ROWS)  # eV; phase [rad]; z over the root of 4 v v', so that T = 1/|z|^2


class Search(NamedTuple):
    """The integral whose levels are looked for, and the smallest that counts."""

    profile: Profile
    V: float  # V
    kT: float  # eV
    low: float  # eV, ends of the integral, for which the steps through the profile are chosen
    high: float
    negligible: float  # part of the integral below which a level is left out


class GapsAndLevels(NamedTuple):
    """Gaps and levels of a search so far."""

    low: np.ndarray  # (STATES, ROWS) ends of gaps that are open
    high: np.ndarray
    level: np.ndarray  # (STATES, 2) eV, energy and half width of each level
    used: np.ndarray  # (2,) OPEN gaps and LEVELS
    unseen: np.ndarray  # (1,) bound of what unresolved pairs of levels carry


@kernel
def count_nodes(step: np.ndarray, E: np.ndarray, M: np.ndarray, N: np.ndarray, count: np.ndarray):
    """Add the nodes of M12 within a step, M at its right and N at its left end, to count (n,)."""
    for i in range(E.size):
        turned = (M[1, i] < 0.0) != (N[1, i] < 0.0)
        count[i] += 1.0 if turned else 0.0
    if step[BOUND] > HALF_WAVE:
        hm, hk, _, _, U = step_numbers(step)
        for i in range(E.size):
            halves = math.floor(math.sqrt(max(hm * hk * (E[i] - U), 0.0)) / math.pi)
            odd = halves % 2.0 == 1.0
            turned = (M[1, i] < 0.0) != (N[1, i] < 0.0)
            count[i] += halves + ((1.0 if turned != odd else 0.0) - (1.0 if turned else 0.0))


@apart
def waves(profile: Profile, steps: np.ndarray, energies: np.ndarray, high: float) -> np.ndarray:
    """Table (ROWS, n) of a search at energies (n,) [eV], where both leads have waves."""
    E = padded(energies, high)
    M, count, scale = unit_matrix_at(steps.shape[0] % 2, 2, 4, E.size), np.full(E.size, -1.0), np.zeros(E.size)
    for j in range(steps.shape[0] - 1, -1, -1):
        b = M[j % 2]
        step_back(steps[j], E, M[(j + 1) % 2], b)
        count_nodes(steps[j], E, M[(j + 1) % 2], b, count)
        if j % SCALED_EVERY == 0:
            scale_down(b, scale)
    left, right = velocities(profile, E)
    out = np.empty((ROWS, energies.size))
    for i in range(energies.size):
        l, r = left[i], right[i]
        sign = 1.0 - 2.0 * (count[i] % 2.0)
        phase = math.pi * count[i] + math.atan2(-sign * r * M[0, 1, i], sign * M[0, 0, i])
        a, b2 = l * M[0, 0, i] + r * M[0, 3, i], l * r * M[0, 1, i] - M[0, 2, i]
        angle = -math.atan2(b2, a)
        angle += 2.0 * math.pi * math.floor((phase - angle) / (2.0 * math.pi) + 0.5)
        norm = math.exp(min(scale[i], 300.0)) / math.sqrt(4.0 * l * r) if l * r > 0.0 else math.inf
        out[ENERGY, i], out[ANGLE, i], out[REAL, i], out[IMAGINARY, i] = E[i], angle, a * norm, b2 * norm
    return out


@bare
def phase_to(profile: Profile, s: int, low: float, high: float) -> float:
    """Difference of the phase [rad] of the WKB wave across segment s between two energies, both above its band."""
    U0, U1 = profile.left[s], profile.right[s]
    change = 0.0
    for E, sign in ((low, -1.0), (high, 1.0)):
        a, b = math.sqrt(E - U0), math.sqrt(E - U1)
        change += sign * (2.0 / 3.0) * (a * a + a * b + b * b) / (a + b) if a + b > 0.0 else 0.0
    return change * profile.length[s] * math.sqrt(profile.mass[s] * K0)


@bare
def open_turn(profile: Profile, low: float, high: float) -> float:
    """Change of the phase [rad] between two energies from each lead to the first band above low."""
    S, turn, first = profile.length.size, 0.0, 0
    while first < S and max(profile.left[first], profile.right[first]) < low:
        turn += phase_to(profile, first, low, high)
        first += 1
    s = S - 1
    while s > first and max(profile.left[s], profile.right[s]) < low:
        turn += phase_to(profile, s, low, high)
        s -= 1
    return turn


@bare
def turn_between(profile: Profile, a: np.ndarray, b: np.ndarray) -> float:
    """Phase [rad] by which levels turn the wave between two energies, columns of a table of a search."""
    turn = b[ANGLE] - a[ANGLE]
    return turn - open_turn(profile, a[ENERGY], b[ENERGY]) if turn > SEEN else turn


@bare
def largest_share(search: Search, a: np.ndarray, b: np.ndarray, turn: float) -> float:
    """Bound of the part of the integral that levels between two energies carry.

    Far from a level T = A/(E - E0)^2, and its area is below pi A^(1/2): T beside a level bounds what it carries.
    """
    near = min(math.hypot(a[REAL], a[IMAGINARY]), math.hypot(b[REAL], b[IMAGINARY]))
    area = math.pi * (b[ENERGY] - a[ENERGY]) / near * (1.0 + turn / math.pi)
    return area * supply(a[ENERGY], search.V, search.kT)


@kernel
def sort_gaps(search: Search, part: np.ndarray, gaps: GapsAndLevels):
    """Look through neighbouring energies of a table (ROWS, n): what lies between them is empty, a level, or open.

    A gap in which the wave turns by more than TURN is open, and is looked into again, until it is narrower than LEAST. The
    others hold a level where they turn the wave more than their neighbours do, its half width the inverse of the speed.
    """
    n, at, best = part.shape[1] - 1, gaps.used, 0
    turns = np.empty(n)
    for i in range(n):
        turns[i] = turn_between(search.profile, part[:, i], part[:, i + 1])
        best = i if turns[i] > turns[best] else best
    for i in range(n):
        a, b, turn = part[:, i], part[:, i + 1], turns[i]
        if not largest_share(search, a, b, turn) > search.negligible:
            continue
        width, least = b[ENERGY] - a[ENERGY], LEAST * max(1.0, abs(a[ENERGY]))
        if turn > TURN and width > least and at[OPEN] < STATES:
            copy(a, gaps.low[at[OPEN]])
            copy(b, gaps.high[at[OPEN]])
            at[OPEN] += 1
            continue
        peak = turn > SEEN and turn > turns[max(i - 1, 0)] and turn >= turns[min(i + 1, n - 1)]
        if (i == best or peak or turn > TURN) and at[LEVELS] < STATES:
            gaps.level[at[LEVELS], 0] = 0.5 * (a[ENERGY] + b[ENERGY])
            gaps.level[at[LEVELS], 1] = max(width / max(turn, SEEN / LANES), 0.5 * least)
            at[LEVELS] += 1
        if turn > PAIR and width <= least:
            gaps.unseen[0] += largest_share(search, a, b, turn)


@apart
def narrow_levels(search: Search, bottom: float, brim: float):
    """Narrow levels (n, 2) [eV] between two energies: energy and half width of each, in the order of energies.

    Returns them, and the bound of what pairs of levels carry that lie closer to each other than LEAST.
    """
    steps = refine(search.profile, search.low, search.high)[0]
    low, high, level = np.empty((STATES, ROWS)), np.empty((STATES, ROWS)), np.empty((STATES, 2))
    gaps, inside = GapsAndLevels(low, high, level, np.zeros(2, np.int64), np.zeros(1)), LANES - 1
    table = waves(search.profile, steps, np.linspace(bottom, brim, LANES), search.high)
    sort_gaps(search, table, gaps)
    gaps.used[LEVELS] = 0  # the first gaps are wide: T shows levels in them that do not leave them open
    while gaps.used[OPEN] > 0:
        count = gaps.used[OPEN]
        low, high, energies = gaps.low[:count].copy(), gaps.high[:count].copy(), np.empty(count * inside)
        for g in range(count):
            for i in range(inside):
                share = (i + 1.0) / LANES
                energies[g * inside + i] = low[g, ENERGY] + share * (high[g, ENERGY] - low[g, ENERGY])
        table = waves(search.profile, steps, energies, search.high)
        gaps.used[OPEN] = 0
        part = np.empty((ROWS, LANES + 1))
        for g in range(count):
            for row in range(ROWS):
                part[row, 0], part[row, LANES] = low[g, row], high[g, row]
                copy(table[row, g * inside : (g + 1) * inside], part[row, 1:LANES])
            sort_gaps(search, part, gaps)
    return levels_in_order(gaps.level[: gaps.used[LEVELS]]), gaps.unseen[0]


@kernel
def levels_in_order(unsorted: np.ndarray) -> np.ndarray:
    """Levels in the order of their energies; of those closer to each other than their widths the narrower."""
    separate, n = np.empty((unsorted.shape[0], 2)), 0
    for i in ascending(unsorted[:, 0]):
        if n > 0 and unsorted[i, 0] - separate[n - 1, 0] < max(separate[n - 1, 1], unsorted[i, 1]):
            if unsorted[i, 1] < separate[n - 1, 1]:
                separate[n - 1, 0], separate[n - 1, 1] = unsorted[i, 0], unsorted[i, 1]
            continue
        separate[n, 0], separate[n, 1] = unsorted[i, 0], unsorted[i, 1]
        n += 1
    return separate[:n]


@apart
def edges_at_levels(edges: np.ndarray, narrow: np.ndarray) -> np.ndarray:
    """Edges of panels [eV] with those at `narrow_levels` (n, 2): at their widths, then GROWTH times as far each."""
    low, high, n = edges[0], edges[-1], edges.size
    marks = np.empty(n + narrow.shape[0] * 80)
    copy(edges, marks)
    for k in range(narrow.shape[0]):
        E, width = narrow[k, 0], narrow[k, 1]
        below = low if k == 0 else 0.5 * (narrow[k - 1, 0] + E)
        above = high if k == narrow.shape[0] - 1 else 0.5 * (E + narrow[k + 1, 0])
        for side, end in ((-1.0, below), (1.0, above)):
            far = width
            while far < side * (end - E) and n < marks.size:
                marks[n] = E + side * far
                far *= GROWTH
                n += 1
    distinct, m = np.empty(n), 0
    for i in ascending(marks[:n]):
        if m == 0 or marks[i] > distinct[m - 1]:
            distinct[m] = marks[i]
            m += 1
    return distinct[:m]
