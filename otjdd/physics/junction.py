"""The junction as numbers: columns of film between two electrodes, the closure of Poisson, the band profile, the current.

State of a column: concentrations c (N,), and D(L). At face f, with S_f = int_{x_f}^L c dx the vacancies to its right,

    D_f = D(L) - e z S_f - e int_{x_f}^L n_fixed dx          (Gauss; explicit and exactly conservative)

Columns stand in parallel: they share the junction voltage and add their currents.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.current import converged_spectrum, energy_panels, log_supply_slope, sensitivity
from otjdd.physics.electrostatics import METAL, MOST_CHARGE, Electrode, Permittivity, edge, fields
from otjdd.physics.ions import Ions, bernoulli_pair, exchange, field_factors
from otjdd.physics.jit import apart, bare, detached, inlined, kernel, summed
from otjdd.physics.numerics import before, dot
from otjdd.physics.tunnelling import Profile

NEGLIGIBLE = 1e-7  # share of the current of one energy that its derivatives may leave out
CLOSURE_TOLERANCE = 1e-13  # eV; sums of some hundred terms of order 1 eV carry a few 1e-15
CLOSURE_ROUND_OFF = 1e-10  # eV, the most that is left of them where terms are of order 1 keV


class Columns(NamedTuple):
    """K columns of N cells; faces are numbered 0 (left electrode) to N (right electrode)."""

    width: np.ndarray  # (K, N) m
    dilution: np.ndarray  # (K, N) 1/m, inverse of the width
    distance: np.ndarray  # (K, N+1) m, between the centres beside a face; half a cell at the electrodes
    site: np.ndarray  # (K, N+1) eV, W_r - W_l across a face
    fixed: np.ndarray  # (K, N+1) C/m2, fixed charge to the right of a face
    diffusivity: np.ndarray  # (K,) m2/s
    barrier: np.ndarray  # (K,) eV, migration barrier
    left_edge: np.ndarray  # (K,) eV, added to the band edge at the left electrode
    weight: np.ndarray  # (K,) share of the area


class Junction(NamedTuple):
    """All that a kernel needs to know of a device and its circuit."""

    columns: Columns
    film: Permittivity
    film_mass: float  # m0, tunnelling mass
    nodes: (
        np.ndarray
    )  # (P,) points 0..N+1 (left end, N centres, right end) between which tunnelling sees straight lines
    left: Electrode
    right: Electrode
    ions: Ions
    kT: float  # eV
    transmission: int  # code of tunnelling.TRANSMISSIONS
    supply: float  # A/V per unit chord integral: area * kappa * A* T^2/kT
    energy_tolerance: float
    resistance: float  # ohm, in series
    compliance: float  # A, of the source; inf without


@inlined
def faces(junction, k, c, D_right, D, E, eps, guess):
    """Fill D [C/m2], field E [V/m] and dD/dE [F/m] at all faces of column k; return D at the left electrode.

    c : (N,) 1/m3   D_right : D(L) [C/m2]   D, E, eps : (N+1,), filled   guess : (2, N+1) of `electrostatics.fields`
    """
    columns, charge = junction.columns, junction.ions.z * ELEMENTARY_CHARGE
    right = 0.0  # e z S
    D[c.size] = D_right - columns.fixed[k, c.size]
    for f in range(c.size - 1, -1, -1):
        right += charge * c[f] * columns.width[k, f]
        D[f] = D_right - right - columns.fixed[k, f]
    fields(D, junction.film, E, eps, guess)
    return D[0]


@inlined
def closure(junction, k, D_left, D_right, V, E):
    """Mismatch [eV] of the band edges around the stack: zero where D(L) is right, and growing with it."""
    from_left, from_right = edge(junction.left, D_left)[0], edge(junction.right, -D_right)[0]
    return from_left + junction.columns.left_edge[k] - V - from_right + dot(junction.columns.distance[k], E)


@summed
def closure_slope(junction, k, D_left, D_right, eps):
    """Derivative of `closure` by D(L) [V m2/C], always positive: elastance of film and electrodes."""
    slope = edge(junction.left, D_left)[1] + edge(junction.right, -D_right)[1]
    distance = junction.columns.distance[k]
    for f in range(eps.size):
        slope += distance[f] / eps[f]
    return slope


@bare
def charge_range(electrode):
    """Charges [C/m2] between which the electrode's band edge is known."""
    if electrode.kind == METAL:
        return -MOST_CHARGE, MOST_CHARGE
    end = electrode.grid_start + electrode.grid_step * (electrode.bending.size - 1)
    return electrode.charge_scale * math.sinh(electrode.grid_start), electrode.charge_scale * math.sinh(end)


@bare
def film_charge(junction, k, c):
    """Areal charge of the film of column k [C/m2]."""
    ions = 0.0
    for i in range(c.size):
        ions += c[i] * junction.columns.width[k, i]
    return junction.ions.z * ELEMENTARY_CHARGE * ions + junction.columns.fixed[k, 0]


@detached
def close(junction, k, c, D_right, V, tolerance, D, E, eps, guess):
    """Solve the closure of column k for D(L) at junction voltage V, to a tolerance [eV]: Newton, kept in a bracket.

    c : (N,)   D_right : guess   D, E, eps, guess : filled at the solution, as by `faces`. Returns D(L), or nan when no D(L)
    within the electrodes' tables closes the stack.
    """
    total = -film_charge(junction, k, c)  # D_left = D_right + total
    low_left, high_left = charge_range(junction.left)
    low_right, high_right = charge_range(junction.right)
    low, high = max(-high_right, low_left - total), min(-low_right, high_left - total)
    y = D_right if low < D_right < high else 0.5 * (low + high)
    here, mismatch = y, math.inf
    for _ in range(200):
        here = y
        D_left = faces(junction, k, c, y, D, E, eps, guess)
        mismatch = closure(junction, k, D_left, y, V, E)
        if abs(mismatch) <= tolerance:
            return y
        if mismatch > 0.0:
            high = y
        else:
            low = y
        move = mismatch / closure_slope(junction, k, D_left, y, eps)
        if abs(move) <= 4e-16 * (abs(y) + abs(total)):
            return y
        y -= move
        if not (low < y < high):
            y = 0.5 * (low + high)
            if high - low <= 1e-15 * (abs(low) + abs(high)):
                break
    return here if abs(mismatch) <= CLOSURE_ROUND_OFF else math.nan  # else it is the edge of a table


@inlined
def fluxes(junction, k, c, E, work, J):
    """Vacancy flux J (N+1,) [1/(m2 s)] at the faces of column k; zero at the blocking electrodes. work : (6, N+1)"""
    columns, ions = junction.columns, junction.ions
    D0, c_max, h = columns.diffusivity[k], ions.c_max, columns.distance[k, 1:-1]
    field_factors(ions, E, columns.distance[k], columns.site[k], D0, columns.barrier[k], junction.kT, work)
    left, right, inner, d, ed, g = c[:-1], c[1:], J[1:-1], work[0, 1:-1], work[1, 1:-1], work[2, 1:-1]
    J[0] = 0.0
    J[c.size] = 0.0
    for i in range(inner.size):
        B, B_back, _ = bernoulli_pair(d[i], ed[i])
        inner[i] = exchange(left[i], right[i], c_max, 0.0, h[i], D0, B, B_back, 0.0, g[i], 0.0)[0]


@inlined
def flux_slopes(junction, k, c, E, work, J, by_left, by_right, by_field):
    """As `fluxes`, with the derivatives of J_f by the cells beside it [m/s] and by E [1/(V m s)] at faces 1..N-1."""
    columns, ions = junction.columns, junction.ions
    D0, c_max, h = columns.diffusivity[k], ions.c_max, columns.distance[k, 1:-1]
    field_factors(ions, E, columns.distance[k], columns.site[k], D0, columns.barrier[k], junction.kT, work)
    left, right, inner, d, ed = c[:-1], c[1:], J[1:-1], work[0, 1:-1], work[1, 1:-1]
    g, dg = work[2, 1:-1], work[3, 1:-1]
    by_left, by_right, by_field = by_left[1:-1], by_right[1:-1], by_field[1:-1]
    per_kT = -ions.z / junction.kT
    for i in range(inner.size):
        B, B_back, dB = bernoulli_pair(d[i], ed[i])
        inner[i], by_left[i], by_right[i], by_field[i] = exchange(
            left[i], right[i], c_max, per_kT * h[i], h[i], D0, B, B_back, dB, g[i], dg[i]
        )


@kernel
def bent_part(electrode, u):
    """The region bent by u [eV]: number of table nodes in it, their table, depth [m] of the interface, and d depth/du,
    d2 depth/du2 there. No nodes for a metal."""
    table = electrode.depletion if u > 0.0 else electrode.accumulation
    if electrode.kind == METAL:
        return 0, table, 0.0, 1.0, 0.0
    size = abs(u)
    n = before(table[0], size)
    if n == 0 or n == table.shape[1]:
        return 0, table, 0.0, 1.0, 0.0  # unbent, or beyond the table, where the closure is nan already
    # depth(u) between two nodes: cubic with the exact slopes 1/|E|
    h = table[0, n] - table[0, n - 1]
    s = (size - table[0, n - 1]) / h
    rise, g0, g1 = table[1, n] - table[1, n - 1], h / table[2, n - 1], h / table[2, n]
    a, b = g0 + g1 - 2.0 * rise, 3.0 * rise - 2.0 * g0 - g1
    depth = table[1, n - 1] + s * (g0 + s * (b + s * a))
    return n, table, depth, (g0 + s * (2.0 * b + 3.0 * s * a)) / h, (2.0 * b + 6.0 * s * a) / (h * h)


@kernel
def bent_segments(electrode, u, length, bulk_end, film_end):
    """Straight pieces of a bent region, from the bulk (piece 0) to the interface: lengths [m] and U - bottom [eV].

    A piece keeps the mean of the band between its nodes, mean - (u0 + u1)/2 = -h (E1 - E0)/12, so it is exact to the
    fourth order in its length; a chord would overrate every barrier.
    """
    n, table, depth, slope, _ = bent_part(electrode, u)
    sign = math.copysign(1.0, u)
    for i in range(n):
        last = i == n - 1
        u0, u1 = table[0, i], abs(u) if last else table[0, i + 1]
        E0, E1 = table[2, i], 1.0 / slope if last else table[2, i + 1]
        length[i] = (depth if last else table[1, i + 1]) - table[1, i]
        shift = -length[i] * (E1 - E0) / 12.0
        bulk_end[i], film_end[i] = sign * (u0 + shift), sign * (u1 + shift)


@kernel
def interface_slope(electrode, u, by_bulk_end, by_film_end, by_length):
    """Derivative by u of a quantity that depends on the piece next to the interface as the three arguments say."""
    n, table, depth, slope, curvature = bent_part(electrode, u)
    if n == 0:
        return 0.0
    sign = math.copysign(1.0, u)
    h, rise = depth - table[1, n - 1], 1.0 / slope - table[2, n - 1]
    shift = -(slope * rise - h * curvature / (slope * slope)) / 12.0  # d shift/d|u|
    return by_film_end + shift * (by_bulk_end + by_film_end) + sign * slope * by_length


@bare
def shift(start, end, mass, first, last, bottom, lead_mass):
    """Put the pieces of a bent region on the bottom of its lead [eV], with its mass [m0]."""
    for i in range(first, last):
        start[i] += bottom
        end[i] += bottom
        mass[i] = lead_mass


@apart
def band_profile(junction, k, D_left, D_right, V, E):
    """Band profile of column k through bent electrode regions and film, from the left to the right lead.

    E : (N+1,) fields [V/m]. Bands are summed from the right electrode, whose Fermi level is the zero of energy. A piece
    of the film spans several cells and keeps the mean of the band over them.
    """
    left, right, columns = junction.left, junction.right, junction.columns
    u_left, u_right = edge(left, D_left)[2], edge(right, -D_right)[2]
    n_left, n_right = bent_part(left, u_left)[0], bent_part(right, u_right)[0]
    film = junction.nodes.size - 1
    S = n_left + film + n_right
    length, start, end, mass = np.empty(S), np.empty(S), np.empty(S), np.full(S, junction.film_mass)
    bent_segments(left, u_left, length[:n_left], start[:n_left], end[:n_left])
    shift(start, end, mass, 0, n_left, left.bottom - V, left.mass)
    U = edge(right, -D_right)[0]
    f = E.size - 1
    for i in range(film - 1, -1, -1):
        s = n_left + i
        U_right, area = U, 0.0
        length[s] = 0.0
        while f >= junction.nodes[i]:
            w = columns.distance[k, f]
            area += w * (U - 0.5 * w * E[f])
            U -= w * E[f]
            length[s] += w
            f -= 1
        start[s] = area / length[s] - 0.5 * (U_right - U)
        end[s] = area / length[s] + 0.5 * (U_right - U)
    bent_segments(right, u_right, length[S - n_right :][::-1], end[S - n_right :][::-1], start[S - n_right :][::-1])
    shift(start, end, mass, S - n_right, S, right.bottom, right.mass)
    return Profile(length, start, end, mass, left.bottom - V, right.bottom, left.mass, right.mass)


@apart
def column_spectrum(junction, k, D_left, D_right, V, E, panels):
    """Tsu-Esaki spectrum of column k on the given energy panels, halved where needed; the profile and the panels used.

    panels of size 0 asks for fresh ones.
    """
    profile = band_profile(junction, k, D_left, D_right, V, E)
    low = max(profile.bottom_left, profile.bottom_right)
    fresh = panels.size == 0 or panels[0] != low or panels[-1] < max(0.0, -V) + 30.0 * junction.kT
    if fresh or panels.size > 16:
        panels = energy_panels(profile, V, junction.kT)
    result, panels = converged_spectrum(
        junction.transmission, profile, V, junction.kT, panels, junction.energy_tolerance
    )
    return result, profile, panels


@bare
def conductance(junction, k, spectrum):
    """Chord conductance I/V [S] that column k adds to the junction."""
    return junction.columns.weight[k] * junction.supply * spectrum.chord


@apart
def log_conductance_slopes(junction, k, profile, spectrum, D_left, D_right, V, E, eps, by_S):
    """Derivatives of ln(I/V) of column k: by V [1/V] and D(L) [m2/C]; by S_f [m2] into by_S (N+1,).

    Energies of the quadrature stay where they are above the lead that ends them below, whose band they may not leave: so
    this is the exact derivative of what `spectrum` computes.
    """
    left, right, columns = junction.left, junction.right, junction.columns
    n, energy, weight = 0, np.empty(spectrum.energy.size), np.empty(spectrum.energy.size)
    for i in range(energy.size):
        if spectrum.weight[i] > NEGLIGIBLE * spectrum.chord:
            energy[n], weight[n] = spectrum.energy[i], spectrum.weight[i]
            n += 1
    by_segment, by_lead = sensitivity(
        junction.transmission, profile, energy[:n], weight[:n], spectrum.low, spectrum.high
    )
    _, slope_left, u_left = edge(left, D_left)
    _, slope_right, u_right = edge(right, -D_right)
    film, N = junction.nodes.size - 1, E.size - 1
    n_left = bent_part(left, u_left)[0]
    D_slope, with_left = 0.0, profile.bottom_left > profile.bottom_right
    if with_left:  # energies go with the left lead: V moves all that is to its right
        V_slope = by_lead[1] + np.sum(by_segment[:2, n_left:])
    else:
        V_slope = -by_lead[0] - np.sum(by_segment[:2, :n_left])
    if n_left > 0:
        i = n_left - 1
        D_slope += slope_left * interface_slope(left, u_left, by_segment[0, i], by_segment[1, i], by_segment[2, i])
    # the film: the band at a point hangs on the right interface by all fields between
    behind, f = 0.0, 0
    for i in range(film):
        s = n_left + i
        both, tilt = by_segment[0, s] + by_segment[1, s], 0.5 * (by_segment[1, s] - by_segment[0, s])
        length = 0.0
        for g in range(junction.nodes[i], junction.nodes[i + 1]):
            length += columns.distance[k, g]
        passed = 0.0
        while f < junction.nodes[i + 1]:
            w = columns.distance[k, f]
            by_S[f] = -w * (behind + both * (passed + 0.5 * w) / length - tilt) / eps[f]
            passed += w
            D_slope += by_S[f]
            f += 1
        behind += both
    D_slope -= slope_right * behind
    for f in range(N + 1):
        by_S[f] *= -junction.ions.z * ELEMENTARY_CHARGE / spectrum.chord
    s = n_left + film
    if s < profile.length.size:
        toward_bulk, toward_film = by_segment[1, s], by_segment[0, s]
        D_slope -= slope_right * interface_slope(right, u_right, toward_bulk, toward_film, by_segment[2, s])
    chord_by_V = 0.0
    for i in range(spectrum.energy.size):
        E_i, V_i, sign = (spectrum.energy[i] + V, -V, -1.0) if with_left else (spectrum.energy[i], V, 1.0)
        chord_by_V += sign * spectrum.weight[i] * log_supply_slope(E_i, V_i, junction.kT)
    return (V_slope + chord_by_V) / spectrum.chord, D_slope / spectrum.chord
