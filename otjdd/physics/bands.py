"""Band profile of a column from lead to lead, in pieces that an electron wave sees, and how they move with the state.

    left lead | bent region of the electrode | film: one piece for several cells | bent region | right lead

Each piece, in an electrode or in the film, is a parabola that keeps the mean of the band over it, its tilt and its
curve: the first three Legendre polynomials. As many straight pieces reflect slow waves at their kinks: currents through
lightly doped electrodes were wrong by up to 90 %. Pieces end at the interfaces between layers, where the band steps.
Energies [eV] count from the Fermi level of the right electrode.

The bent region of a doped semiconductor. For any surface bending u_s the band follows one universal curve up to |u_s|:
dx = du/|E(u)|. What is left of the band in a piece of length h makes an error of a current

    m k0 |u''| h^4 (s^2 + K^2/40) h^2/(A + 4 (k h)^3)        k0 = 2 m0 e/hbar^2,  s = |d ln u''/dx|

k is the wave number of an electron at kT above the bottom of the lead or above its Fermi level, there, and 0 where the
band lies higher; K is the same with |u| added to its energy. Pieces that are short beside a wave err as the sixth power
of their length, by phase; longer ones reflect the wave at their ends. The form is an estimate, with constants fitted to
currents of random devices; `python -m validation.reliability currents` counts the currents that are off by more than
their tolerance. The region ends where the band is bent by a tenth of tolerance kT.

The image force lowers the band that a tunnelling electron sees between a metal and the film. An electron at a distance
x from a metal is drawn to it by its image, with the potential energy -e/(16 pi eps0 eps_i x) [eV] (Sze & Ng, Physics of
Semiconductor Devices, section 3.2.4). It depends on the place alone, so its part in each piece of the film is known
beforehand (`solver.electrodes`) and only added here. Fields, ions and electrons of the film are without it: the image
is that of the one electron that passes.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, inlined, kernel
from otjdd.laws import K0
from otjdd.physics.electrostatics import (
    METAL,
    Electrode,
    Permittivity,
    displacement,
    edge,
    field_of_bending,
    space_charge,
)
from otjdd.physics.ions import EPS_LEFT, EPS_RIGHT, FIELD_LEFT, FIELD_RIGHT, layer_count
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import before, copy, hermite
from otjdd.physics.state import State
from otjdd.physics.tunnelling import Profile, part_of_curve, steepest

KNOTS = 1001  # of the curve, evenly in ln |u|; two steps of Simpson's rule lie between them
FEWEST = 8  # pieces
REST = 0.1  # of tolerance kT, the bending at which the region ends
PHASE, REFLECTED, BEYOND = 14.0, 4.0, 40.0  # constants of the error, in order: A, 4 and 40
BARRIER = 300.0  # A in a barrier 4 kT high, where no wave is slow
HALVINGS = 40
LEAD_DRAWN = 2e-9  # m, of a lead in a band diagram


@kernel
def longest(bent: float, far: float, k: float, K: float, s: float, tolerance: float) -> float:
    """Length [m] of a piece whose error is the tolerance, at most 1/s.

    bent : m k0 |u''| [1/m4]   far : A   k, K [1/m], s [1/m] : as above
    """
    low, high = -30.0, 0.0  # of ln h
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        h = math.exp(middle)
        smooth = min(1.0, h * h * (s * s + K * K / BEYOND))
        if bent * h**4 * smooth <= tolerance * (far + REFLECTED * (k * h) ** 3) and h * s <= 1.0:
            low = middle
        else:
            high = middle
    return math.exp(low)


@apart
def ends_of_pieces(
    largest: float, tolerance: float, mass: float, xi: float, kT: float, doping: float, density_of_states: float,
    eps: Permittivity,
):  # fmt: skip
    """Ends (3, P) of the pieces of a bent band, up to u = largest [eV], whose sign is that of the region.

    Rows: |u| [eV], depth [m] counted from the bulk, |E| [V/m]. tolerance : relative error of a current   mass : m0
    """
    sign, end = math.copysign(1.0, largest), REST * tolerance * kT
    start = math.log(end)
    step = (math.log(abs(largest)) - start) / (KNOTS - 1)
    depth, rate, pieces = np.zeros(KNOTS), np.empty(KNOTS), np.zeros(KNOTS)  # rate = dx/d ln u
    level, curvature = kT + max(xi, 0.0), 0.0
    for i in range(KNOTS):
        u = math.exp(start + i * step)
        E = field_of_bending(sign * u, xi, kT, doping, density_of_states, eps)
        rate[i] = u / E
        last, curvature = (
            curvature,
            abs(space_charge(sign * u, xi, kT, doping, density_of_states)) / displacement(E, eps)[1],
        )
        if i > 0:
            middle = math.exp(start + (i - 0.5) * step)
            halfway = middle / field_of_bending(sign * middle, xi, kT, doping, density_of_states, eps)
            depth[i] = depth[i - 1] + step / 6.0 * (rate[i - 1] + 4.0 * halfway + rate[i])
            h = longest(
                mass * K0 * curvature,
                PHASE * (BARRIER / PHASE) ** min(max((u - max(xi, 0.0)) / (4.0 * kT), 0.0), 1.0)
                if sign > 0.0
                else PHASE,
                math.sqrt(mass * K0 * max(level - sign * u, 0.0)),
                math.sqrt(mass * K0 * (level + u)),
                abs(math.log(curvature / last)) / (depth[i] - depth[i - 1]),
                tolerance,
            )
            pieces[i] = pieces[i - 1] + (depth[i] - depth[i - 1]) / h
    n_pieces = max(FEWEST, int(math.ceil(pieces[-1])))
    ends = np.empty((3, n_pieces + 1))
    ends[0, 0], ends[1, 0], ends[0, n_pieces], ends[1, n_pieces] = end, 0.0, abs(largest), depth[-1]
    i = 0
    for n in range(1, n_pieces):
        share = pieces[-1] * n / n_pieces
        while pieces[i + 1] < share:
            i += 1
        x = step * (i + (share - pieces[i]) / (pieces[i + 1] - pieces[i]))
        ends[0, n], ends[1, n] = math.exp(start + x), hermite(depth, rate, 0.0, step, x)[0]
    for n in range(n_pieces + 1):
        ends[2, n] = field_of_bending(sign * ends[0, n], xi, kT, doping, density_of_states, eps)
    return ends


@kernel
def bent_part(electrode: Electrode, u: float):
    """The region of an electrode bent by u [eV]: number of table nodes in it, their table, depth [m] of the interface,
    and d depth/du, d2 depth/du2 there. No nodes for a metal."""
    table = electrode.depletion if u > 0.0 else electrode.accumulation
    if electrode.kind == METAL:
        return 0, table, 0.0, 1.0, 0.0
    size = abs(u)
    n = before(table[0], size)
    if n == 0 or n == table.shape[1]:
        return 0, table, 0.0, 1.0, 0.0  # unbent, or beyond the table, where the closure is nan already
    # Depth between two nodes: a cubic in ln u with the exact slopes u/|E|, because depth is linear in ln u where the band
    # falls off exponentially. A cubic in u made currents at 150 K wrong by 5 tolerances.
    h = math.log(table[0, n] / table[0, n - 1])
    s = math.log(size / table[0, n - 1]) / h
    rise = table[1, n] - table[1, n - 1]
    g0, g1 = h * table[0, n - 1] / table[2, n - 1], h * table[0, n] / table[2, n]
    a, b = g0 + g1 - 2.0 * rise, 3.0 * rise - 2.0 * g0 - g1
    depth = table[1, n - 1] + s * (g0 + s * (b + s * a))
    slope = (g0 + s * (2.0 * b + 3.0 * s * a)) / (h * size)
    return n, table, depth, slope, ((2.0 * b + 6.0 * s * a) / (h * h * size) - slope) / size


@bare
def cubic_moments(h: float, rise: float, E0: float, E1: float):
    """Curve [eV] of a band over a length h with slopes E0 and E1 at its ends, and its tilt less half its rise [eV].

    The band is the cubic through both ends with these slopes; its mean is (u0 + u1)/2 - curve.
    """
    return h * (E1 - E0) / 12.0, (0.5 * h * (E0 + E1) - rise) / 10.0


@kernel
def bent_segments(
    electrode: Electrode,
    u: float,
    length: np.ndarray,
    bulk_end: np.ndarray,
    film_end: np.ndarray,
    curve: np.ndarray,
):
    """Fill the pieces of a bent region, from the bulk (piece 0) to the interface: length [m], U - bottom and curve [eV].

    bulk_end, film_end : of the straight part. Exact to the sixth order in the length of a piece.
    """
    n, table, depth, slope, _ = bent_part(electrode, u)
    sign = math.copysign(1.0, u)
    for i in range(n):
        last = i == n - 1
        u0, u1 = table[0, i], abs(u) if last else table[0, i + 1]
        E0, E1 = table[2, i], 1.0 / slope if last else table[2, i + 1]
        length[i] = (depth if last else table[1, i + 1]) - table[1, i]
        bow, lack = cubic_moments(length[i], u1 - u0, E0, E1)
        bulk_end[i], film_end[i], curve[i] = sign * (u0 - bow + lack), sign * (u1 - bow - lack), sign * bow


@kernel
def interface_slope(
    electrode: Electrode, u: float, by_bulk_end: float, by_film_end: float, by_length: float, by_curve: float
) -> float:
    """Derivative by u of a quantity, from its derivatives by the piece at the interface: straight part, length, curve."""
    n, table, depth, slope, curvature = bent_part(electrode, u)
    if n == 0:
        return 0.0
    sign = math.copysign(1.0, u)
    h, E0, E1, change = depth - table[1, n - 1], table[2, n - 1], 1.0 / slope, -curvature / (slope * slope)
    bow = (slope * (E1 - E0) + h * change) / 12.0  # d curve/d|u|
    lack = (0.5 * slope * (E0 + E1) + 0.5 * h * change - 1.0) / 10.0
    ends = by_film_end - bow * (by_bulk_end + by_film_end) + lack * (by_bulk_end - by_film_end)
    return ends + bow * by_curve + sign * slope * by_length


@inlined
def tilt_to(s: float) -> float:
    """Tilt of the band of a film piece by a field from its left end, -1, to s, up to 1; in 3/8 of length times field."""
    return s - s * s * s / 3.0


@inlined
def curve_to(s: float) -> float:
    """As `tilt_to` for the curve of the band, in 5/8 of length times field."""
    return 0.5 * s * s - 0.25 * s * s * s * s


@bare
def put_on_lead(start: np.ndarray, end: np.ndarray, mass: np.ndarray, bottom: float, lead_mass: float):
    """Count the pieces of a bent region from the bottom of its lead [eV], and give them its mass [m0]."""
    for i in range(start.size):
        start[i] += bottom
        end[i] += bottom
        mass[i] = lead_mass


@kernel
def straight_parts(junction: Junction, state: State, k: int):
    """Lengths [m], fields [V/m] and dD/dE [F/m] of the straight parts of the band of column k: those between its points.

    A face between two cells of a layer is one of them, an interface two.
    """
    distance, E, eps, layers = junction.columns.distance[k], state.E[k], state.eps[k], junction.layers
    interfaces, sides = layer_count(layers) - 1, state.sides[k]
    if interfaces == 0:
        return distance, E, eps
    n = E.size + interfaces
    length, field, slope = np.empty(n), np.empty(n), np.empty(n)
    j = 0
    for f in range(E.size):
        p = f + j
        length[p], field[p], slope[p] = distance[f], E[f], eps[f]
        if j < interfaces and f == layers.first[j + 1]:
            length[p], field[p], slope[p] = layers.half_left[k, j], sides[FIELD_LEFT, j], sides[EPS_LEFT, j]
            length[p + 1], field[p + 1], slope[p + 1] = (
                layers.half_right[k, j],
                sides[FIELD_RIGHT, j],
                sides[EPS_RIGHT, j],
            )
            j += 1
    return length, field, slope


@kernel
def film_edges_at_right(junction: Junction, state: State) -> np.ndarray:
    """Conduction band (K,) [eV] of the film at the right electrode of all columns."""
    U = np.empty(state.D_right.size)
    for k in range(U.size):
        U[k] = edge(junction.right[k], -state.D_right[k])[0]
    return U


@apart
def band_profile(junction: Junction, state: State, k: int) -> Profile:
    """Band profile of column k through bent electrode regions and film, from the left to the right lead.

    The band of the film is summed from the right electrode, whose Fermi level is the zero of energy.
    """
    left, right, columns = junction.left[k], junction.right[k], junction.columns
    V, D_left, D_right = state.V[0], state.D_left[k], state.D_right[k]
    u_left, u_right = edge(left, D_left)[2], edge(right, -D_right)[2]
    n_left, n_right = bent_part(left, u_left)[0], bent_part(right, u_right)[0]
    film = junction.nodes.size - 1
    S = n_left + film + n_right
    length, start, end, mass, curve = np.empty(S), np.empty(S), np.empty(S), np.empty(S), np.empty(S)
    bulk, layer, (part, E, _) = S - n_right, layer_count(junction.layers) - 1, straight_parts(junction, state, k)
    bent_segments(left, u_left, length[:n_left], start[:n_left], end[:n_left], curve[:n_left])
    put_on_lead(start[:n_left], end[:n_left], mass[:n_left], left.bottom - V, left.mass)
    U = edge(right, -D_right)[0]
    for i in range(film - 1, -1, -1):
        s, first, behind = n_left + i, junction.nodes[i], junction.nodes[i + 1]
        if i < junction.layers.pieces[layer]:
            U -= columns.rise[k, junction.layers.first[layer]]
            layer -= 1
        length[s], mass[s] = 0.0, columns.film_mass[k, layer]
        for f in range(first, behind):
            length[s] += part[f]
        area, tilt, bow, at = 0.0, 0.0, 0.0, 1.0
        for f in range(behind - 1, first - 1, -1):
            w = part[f]
            before_it = at - 2.0 * w / length[s]
            area += w * (U - 0.5 * w * E[f])
            tilt += E[f] * (tilt_to(at) - tilt_to(before_it))
            bow += E[f] * (curve_to(at) - curve_to(before_it))
            U -= w * E[f]
            at = before_it
        tilt *= 0.375 * length[s]
        start[s], end[s] = area / length[s] - tilt, area / length[s] + tilt
        curve[s] = 0.625 * length[s] * bow
    bent_segments(right, u_right, length[bulk:][::-1], end[bulk:][::-1], start[bulk:][::-1], curve[bulk:][::-1])
    put_on_lead(start[bulk:], end[bulk:], mass[bulk:], right.bottom, right.mass)
    steep = steepest(junction.energy_tolerance)
    return Profile(length, start, end, mass, curve, left.bottom - V, right.bottom, left.mass, right.mass, steep)


@apart
def film_slopes(junction: Junction, state: State, k: int, first: int, by_segment: np.ndarray, by_D: np.ndarray):
    """Fill by_D (N+1,) with the derivatives of a quantity by D_f at the faces of column k, D(L) and all other D constant.

    by_segment : (4, S) derivatives by left end, right end, length and curve of the segments, `first` that of the film
    Returns the derivative by the band edge at the right interface. The band at a point of the film depends on the fields
    at all faces to its right.
    """
    part, _, eps = straight_parts(junction, state, k)
    behind, p, j, layers = 0.0, 0, 0, junction.layers
    for f in range(by_D.size):
        by_D[f] = 0.0
    for i in range(junction.nodes.size - 1):
        s = first + i
        both, length = by_segment[0, s] + by_segment[1, s], 0.0
        for g in range(junction.nodes[i], junction.nodes[i + 1]):
            length += part[g]
        by_tilt, by_bow = 0.375 * length * (by_segment[1, s] - by_segment[0, s]), 0.625 * length * by_segment[3, s]
        before, at = 0.0, -1.0
        while p < junction.nodes[i + 1]:
            w = part[p]
            behind_it = at + 2.0 * w / length
            by_E = by_tilt * (tilt_to(behind_it) - tilt_to(at)) + by_bow * (curve_to(behind_it) - curve_to(at))
            by_D[p - j] += (by_E - w * (behind + both * (before + 0.5 * w) / length)) / eps[p]
            before, at = before + w, behind_it
            p += 1
        behind += both
        if (
            j + 1 < layer_count(layers) and i + 1 == layers.pieces[j + 1]
        ):  # both halves of an interface belong to its face
            j += 1
    return behind


@apart
def profile_slopes(
    junction: Junction,
    state: State,
    k: int,
    profile: Profile,
    by_segment: np.ndarray,
    by_lead: np.ndarray,
    by_D: np.ndarray,
):
    """Derivatives of a quantity by V_j, D(L), all D_f moving alike, and P; those by D_f at each face into by_D (N+1,).

    by_segment (4, S), by_lead (2,) : derivatives by the segments and the bottoms of the leads, of `sensitivity`. Energies
    move with the lead that bounds them below. The bent region of the left electrode follows D(0).
    """
    left, right = junction.left[k], junction.right[k]
    _, slope_left, u_left = edge(left, state.D_left[k])
    _, slope_right, u_right = edge(right, -state.D_right[k])
    n_left = bent_part(left, u_left)[0]
    # With the left lead above the right one, energies move with it, and V shifts all that is to its right.
    if profile.bottom_left > profile.bottom_right:
        V_slope = by_lead[1] + np.sum(by_segment[:2, n_left:])
    else:
        V_slope = -by_lead[0] - np.sum(by_segment[:2, :n_left])
    at_left = 0.0
    if n_left > 0:
        i = n_left - 1
        at_left = slope_left * interface_slope(
            left, u_left, by_segment[0, i], by_segment[1, i], by_segment[2, i], by_segment[3, i]
        )
    D_slope, film = at_left, 0.0
    behind = film_slopes(junction, state, k, n_left, by_segment, by_D)
    for f in range(by_D.size):
        D_slope += by_D[f]
        film += by_D[f]
    by_D[0] += at_left
    D_slope -= slope_right * behind
    s = n_left + junction.nodes.size - 1
    if s < by_segment.shape[1]:
        toward_bulk, toward_film = by_segment[1, s], by_segment[0, s]
        D_slope -= slope_right * interface_slope(
            right, u_right, toward_bulk, toward_film, by_segment[2, s], by_segment[3, s]
        )
    return V_slope, D_slope, -film


# columns of the table of pieces of a column: piece of the film's band that a piece is a part of, its ends as fractions of
# that, and the image potential [eV] at its ends, straight in between with the mean of the true one
PIECES = 5
OWNER, START, END, LOW, HIGH = range(PIECES)


@bare
def bent_pieces(electrode: Electrode, D: float):
    """Number of pieces of the band of an electrode at a displacement D [C/m2] out of it."""
    return bent_part(electrode, edge(electrode, D)[2])[0]


@bare
def film_pieces(junction: Junction, state: State, k: int):
    """Numbers of the first piece of the film in the band profile of column k, and of the first piece behind the film."""
    first = bent_pieces(junction.left[k], state.D_left[k])
    return first, first + junction.nodes.size - 1


@apart
def band_diagram(junction: Junction, state: State, k: int):
    """Positions (n,) [m], 0 at the left end of the film, and band edge (n,) [eV] of electrodes and film of column k."""
    profile, first, far = band_profile(junction, state, k), bent_pieces(junction.left[k], state.D_left[k]), LEAD_DRAWN
    S, start, x = profile.length.size, 0.0, 0.0
    position, band = np.empty(2 * S + 4), np.empty(2 * S + 4)
    for s in range(first):
        start += profile.length[s]
    for s in range(S):
        position[2 * s + 2], band[2 * s + 2] = x - start, profile.left[s] + profile.curve[s]
        x += profile.length[s]
        position[2 * s + 3], band[2 * s + 3] = x - start, profile.right[s] + profile.curve[s]
    position[0], position[1], band[:2] = -start - far, -start, profile.bottom_left
    position[-2], position[-1], band[-2:] = x - start, x - start + far, profile.bottom_right
    return position, band


@apart
def tunnelling_profile(junction: Junction, state: State, k: int) -> Profile:
    """Band profile of column k that an electron tunnels through: `band_profile`, with the image force if there is one."""
    band, M = band_profile(junction, state, k), junction.image.shape[1]
    if M == 0:
        return band
    first, behind = film_pieces(junction, state, k)
    S, added = band.length.size + M - (behind - first), M - (behind - first)
    length, left, right, mass, curve = np.empty(S), np.empty(S), np.empty(S), np.empty(S), np.empty(S)
    for s in range(band.length.size):
        if s < first or s >= behind:
            t = s if s < first else s + added
            length[t], left[t], right[t] = band.length[s], band.left[s], band.right[s]
            mass[t], curve[t] = band.mass[s], band.curve[s]
    for m in range(M):
        piece = junction.image[k, m]
        s, t = first + int(piece[OWNER]), first + m
        rise, (at_left, at_right, own) = band.right[s] - band.left[s], part_of_curve(piece[START], piece[END])
        length[t], mass[t] = band.length[s] * (piece[END] - piece[START]), band.mass[s]
        left[t] = band.left[s] + rise * piece[START] + band.curve[s] * at_left + piece[LOW]
        right[t] = band.left[s] + rise * piece[END] + band.curve[s] * at_right + piece[HIGH]
        curve[t] = band.curve[s] * own
    return Profile(
        length,
        left,
        right,
        mass,
        curve,
        band.bottom_left,
        band.bottom_right,
        band.mass_left,
        band.mass_right,
        band.steep,
    )


@apart
def slopes_of_bands(junction: Junction, state: State, k: int, by_piece: np.ndarray) -> np.ndarray:
    """Derivatives (4, S) by left end, right end, length and curve of the pieces of `band_profile`, from those by the
    pieces of `tunnelling_profile`."""
    M = junction.image.shape[1]
    if M == 0:
        return by_piece
    first, behind = film_pieces(junction, state, k)
    S = by_piece.shape[1] - M + behind - first
    by_band = np.zeros((4, S))
    for kind in range(4):
        copy(by_piece[kind, :first], by_band[kind])
        copy(by_piece[kind, first + M :], by_band[kind, behind:])
    for m in range(M):
        piece = junction.image[k, m]
        s, t = first + int(piece[OWNER]), first + m
        by_band[0, s] += by_piece[0, t] * (1.0 - piece[START]) + by_piece[1, t] * (1.0 - piece[END])
        by_band[1, s] += by_piece[0, t] * piece[START] + by_piece[1, t] * piece[END]
        by_band[2, s] += by_piece[2, t] * (piece[END] - piece[START])
        at_left, at_right, own = part_of_curve(piece[START], piece[END])
        by_band[3, s] += by_piece[0, t] * at_left + by_piece[1, t] * at_right + by_piece[3, t] * own
    return by_band
