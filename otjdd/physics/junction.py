"""The junction as numbers: columns of film between two electrodes, the closure of Poisson, the band profile, the current.

State of a column: concentrations c (N,), and D(L). At face f, with S_f = int_{x_f}^L c dx the vacancies to its right,

    D_f = D(L) - e z S_f - e int_{x_f}^L n_fixed dx          (Gauss; explicit and exactly conservative)

Columns stand in parallel: they share the junction voltage and add their currents.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiled import njit
from otjdd.physics.current import converged_spectrum, energy_panels, log_supply_slope, sensitivity
from otjdd.physics.electrostatics import METAL, Electrode, Permittivity, edge, fields
from otjdd.physics.ions import Ions, exchange, field_factors
from otjdd.physics.tunnelling import Profile
from otjdd.units import ELEMENTARY_CHARGE

NEGLIGIBLE = 1e-7  # share of the current of one energy that its derivatives may leave out
CLOSURE_TOLERANCE = 1e-13  # eV; sums of some hundred terms of order 1 eV carry a few 1e-15


class Columns(NamedTuple):
    """K columns of N cells; faces are numbered 0 (left electrode) to N (right electrode)."""

    width: np.ndarray  # (K, N) m
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


@njit(cache=True, error_model="numpy")
def faces(junction, k, c, D_right, E, eps):
    """Fill field E [V/m] and dD/dE [F/m] at all faces of column k; return D at the left electrode [C/m2].

    c : (N,) 1/m3   D_right : D(L) [C/m2]   E, eps : (N+1,), filled
    """
    columns, charge = junction.columns, junction.ions.z * ELEMENTARY_CHARGE
    D = np.empty(c.size + 1)
    right = 0.0  # e z S
    D[c.size] = D_right - columns.fixed[k, c.size]
    for f in range(c.size - 1, -1, -1):
        right += charge * c[f] * columns.width[k, f]
        D[f] = D_right - right - columns.fixed[k, f]
    fields(D, junction.film, E, eps)
    return D[0]


@njit(cache=True, error_model="numpy")
def closure(junction, k, D_left, D_right, V, E, eps):
    """Mismatch [eV] of the band edges around the stack, and its derivative by D(L) [V m2/C] (always positive)."""
    from_left, slope_left, _ = edge(junction.left, D_left)
    from_right, slope_right, _ = edge(junction.right, -D_right)
    mismatch = from_left + junction.columns.left_edge[k] - V - from_right
    slope = slope_left + slope_right
    for f in range(E.size):
        mismatch += junction.columns.distance[k, f] * E[f]
        slope += junction.columns.distance[k, f] / eps[f]
    return mismatch, slope


@njit(cache=True, error_model="numpy")
def charge_range(electrode):
    """Charges [C/m2] between which the electrode's band edge is known."""
    if electrode.kind == METAL:
        return -100.0, 100.0
    return electrode.charge_start, electrode.charge_start + electrode.charge_step * (electrode.bending.size - 1)


@njit(cache=True, error_model="numpy")
def film_charge(junction, k, c):
    """Areal charge of the film of column k [C/m2]."""
    ions = 0.0
    for i in range(c.size):
        ions += c[i] * junction.columns.width[k, i]
    return junction.ions.z * ELEMENTARY_CHARGE * ions + junction.columns.fixed[k, 0]


@njit(cache=True, error_model="numpy")
def close(junction, k, c, D_right, V, E, eps):
    """Solve the closure of column k for D(L) at junction voltage V: Newton, kept in a bracket.

    c : (N,)   D_right : guess   E, eps : (N+1,), filled at the solution. Returns D(L), or nan when no D(L) within the
    electrodes' tables closes the stack.
    """
    total = -film_charge(junction, k, c)  # D_left = D_right + total
    low_left, high_left = charge_range(junction.left)
    low_right, high_right = charge_range(junction.right)
    low, high = max(-high_right, low_left - total), min(-low_right, high_left - total)
    y = D_right if low < D_right < high else 0.5 * (low + high)
    for _ in range(200):
        D_left = faces(junction, k, c, y, E, eps)
        mismatch, slope = closure(junction, k, D_left, y, V, E, eps)
        if abs(mismatch) <= CLOSURE_TOLERANCE:
            return y
        if mismatch > 0.0:
            high = y
        else:
            low = y
        move = mismatch / slope
        if abs(move) <= 4e-16 * (abs(y) + abs(total)):
            return y
        y -= move
        if not (low < y < high):
            y = 0.5 * (low + high)
            if high - low <= 1e-15 * (abs(low) + abs(high)):
                return math.nan  # the edge of a table, not a root
    return math.nan


@njit(cache=True, error_model="numpy")
def fluxes(junction, k, c, E, J):
    """Vacancy flux J (N+1,) [1/(m2 s)] at the faces of column k; zero at the blocking electrodes."""
    columns = junction.columns
    D0, c_max = columns.diffusivity[k], junction.ions.c_max
    distance, site = columns.distance[k], columns.site[k]
    work = np.empty((5, E.size))
    B, B_back, dB, g, dg = work[0], work[1], work[2], work[3], work[4]
    field_factors(junction.ions, E, distance, site, D0, columns.barrier[k], junction.kT, B, B_back, dB, g, dg)
    J[0] = 0.0
    J[c.size] = 0.0
    left, right, inner = c[:-1], c[1:], J[1:-1]
    h, B, B_back, g = distance[1:-1], B[1:-1], B_back[1:-1], g[1:-1]
    for i in range(inner.size):
        inner[i] = exchange(left[i], right[i], c_max, 0.0, h[i], D0, B[i], B_back[i], 0.0, g[i], 0.0)[0]


@njit(cache=True, error_model="numpy")
def bent_part(electrode, u):
    """The region bent by u [eV]: number of table nodes in it, their table, depth [m] of the interface, and d depth/du,
    d2 depth/du2 there. No nodes for a metal."""
    table = electrode.depletion if u > 0.0 else electrode.accumulation
    if electrode.kind == METAL:
        return 0, table, 0.0, 1.0, 0.0
    size = abs(u)
    n = np.searchsorted(table[0], size)
    if n == 0 or n == table.shape[1]:
        return 0, table, 0.0, 1.0, 0.0  # unbent, or beyond the table, where the closure is nan already
    # depth(u) between two nodes: cubic with the exact slopes 1/|E|
    h = table[0, n] - table[0, n - 1]
    s = (size - table[0, n - 1]) / h
    rise, g0, g1 = table[1, n] - table[1, n - 1], h / table[2, n - 1], h / table[2, n]
    a, b = g0 + g1 - 2.0 * rise, 3.0 * rise - 2.0 * g0 - g1
    depth = table[1, n - 1] + s * (g0 + s * (b + s * a))
    return n, table, depth, (g0 + s * (2.0 * b + 3.0 * s * a)) / h, (2.0 * b + 6.0 * s * a) / (h * h)


@njit(cache=True, error_model="numpy")
def bent_segments(electrode, u, length, bulk_end, film_end):
    """Straight pieces of a bent region, from the bulk (piece 0) to the interface: lengths [m] and U - bottom [eV].

    A piece keeps the mean of the band between its nodes, mean - (u0 + u1)/2 = -h (E1 - E0)/12, so it is exact to the
    fourth order in its length like the Magnus step that crosses it; a chord would overrate every barrier.
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


@njit(cache=True, error_model="numpy")
def interface_slope(electrode, u, by_bulk_end, by_film_end, by_length):
    """Derivative by u of a quantity that depends on the piece next to the interface as the three arguments say."""
    n, table, depth, slope, curvature = bent_part(electrode, u)
    if n == 0:
        return 0.0
    sign = math.copysign(1.0, u)
    h, rise = depth - table[1, n - 1], 1.0 / slope - table[2, n - 1]
    shift = -(slope * rise - h * curvature / (slope * slope)) / 12.0  # d shift/d|u|
    return by_film_end + shift * (by_bulk_end + by_film_end) + sign * slope * by_length


@njit(cache=True, error_model="numpy")
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
    start[:n_left] += left.bottom - V
    end[:n_left] += left.bottom - V
    mass[:n_left] = left.mass
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
    start[S - n_right :] += right.bottom
    end[S - n_right :] += right.bottom
    mass[S - n_right :] = right.mass
    return Profile(length, start, end, mass, left.bottom - V, right.bottom, left.mass, right.mass)


@njit(cache=True, error_model="numpy")
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


@njit(cache=True, error_model="numpy")
def conductance(junction, k, spectrum):
    """Chord conductance I/V [S] that column k adds to the junction."""
    return junction.columns.weight[k] * junction.supply * spectrum.chord


@njit(cache=True, error_model="numpy")
def log_conductance_slopes(junction, k, profile, spectrum, D_left, D_right, V, E, eps, by_S):
    """Derivatives of ln(I/V) of column k: by V [1/V] and D(L) [m2/C]; by S_f [m2] into by_S (N+1,).

    Energies of the quadrature stay where they are, so this is the exact derivative of what `spectrum` computes.
    """
    left, right, columns = junction.left, junction.right, junction.columns
    counts = spectrum.weight > NEGLIGIBLE * spectrum.chord
    by_segment, by_lead = sensitivity(
        junction.transmission, profile, spectrum.energy[counts], spectrum.weight[counts], spectrum.low, spectrum.high
    )
    _, slope_left, u_left = edge(left, D_left)
    _, slope_right, u_right = edge(right, -D_right)
    film, N = junction.nodes.size - 1, E.size - 1
    n_left = bent_part(left, u_left)[0]
    V_slope, D_slope = -by_lead[0], 0.0
    for i in range(n_left):
        V_slope -= by_segment[0, i] + by_segment[1, i]
    if n_left > 0:
        i = n_left - 1
        D_slope += slope_left * interface_slope(left, u_left, by_segment[0, i], by_segment[1, i], by_segment[2, i])
    # the film: the band at a point hangs on the right interface by all fields between
    before, f = 0.0, 0
    for i in range(film):
        s = n_left + i
        both, tilt = by_segment[0, s] + by_segment[1, s], 0.5 * (by_segment[1, s] - by_segment[0, s])
        length = 0.0
        for g in range(junction.nodes[i], junction.nodes[i + 1]):
            length += columns.distance[k, g]
        passed = 0.0
        while f < junction.nodes[i + 1]:
            w = columns.distance[k, f]
            by_S[f] = -w * (before + both * (passed + 0.5 * w) / length - tilt) / eps[f]
            passed += w
            D_slope += by_S[f]
            f += 1
        before += both
    D_slope -= slope_right * before
    for f in range(N + 1):
        by_S[f] *= -junction.ions.z * ELEMENTARY_CHARGE / spectrum.chord
    s = n_left + film
    if s < profile.length.size:
        toward_bulk, toward_film = by_segment[1, s], by_segment[0, s]
        D_slope -= slope_right * interface_slope(right, u_right, toward_bulk, toward_film, by_segment[2, s])
    chord_by_V = 0.0
    for i in range(spectrum.energy.size):
        chord_by_V += spectrum.weight[i] * log_supply_slope(spectrum.energy[i], V, junction.kT)
    return (V_slope + chord_by_V) / spectrum.chord, D_slope / spectrum.chord
