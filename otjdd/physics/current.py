"""Current through a band profile: the Tsu-Esaki integral, tunnelling and thermionic emission in one.

    J = (A* T^2/kT) int T(E) [ln(1 + e^{-E/kT}) - ln(1 + e^{(-V - E)/kT})] dE

(Tsu & Esaki, Appl. Phys. Lett. 22, 562 (1973), with the supply mass written as the Richardson constant A*). Energies
count from the Fermi level of the right electrode, that of the left one is at -V; J > 0 from left to right for V > 0.
Over a barrier with T = 1 this is A* T^2 exp(-Phi/kT) (1 - exp(-V/kT)). The integral is carried as the chord conductance
J/V: it is positive and smooth through V = 0, where the difference of the two logarithms is not.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, kernel, spliced
from otjdd.physics.fermi_dirac import supply
from otjdd.physics.levels import LEAST, Search, edges_at_levels, narrow_levels
from otjdd.physics.numerics import add_up, ascending, before, copy
from otjdd.physics.tunnelling import TRANSFER_MATRIX, Profile, transmission, well

# Gauss-Kronrod pair G7-K15 on [-1, 1] (Piessens et al., QUADPACK, 1983); tests check both rules on polynomials.
HALF = np.array(
    [
        0.207784955007898467600689403773245,
        0.405845151377397166906606412076961,
        0.586087235467691130294144691693013,
        0.741531185599394439863864773280788,
        0.864864423359769072789712788640926,
        0.949107912342758524526189684047851,
        0.991455371120812639206854697526329,
    ]
)
KRONROD_HALF = np.array(
    [
        0.204432940075298892414161999234649,
        0.190350578064785409913256402421014,
        0.169004726639267902826583426598550,
        0.140653259715525918745189590510238,
        0.104790010322250183839876322541518,
        0.063092092629978553290700663189204,
        0.022935322010529224963732008058970,
    ]
)
GAUSS_HALF = np.array([0.0, 0.381830050505118944950369775488975, 0.0, 0.279705391489276667901467771423780, 0.0])
GAUSS_HALF = np.append(GAUSS_HALF, [0.129484966168869693270611432679082, 0.0])
NODES = np.concatenate((-HALF[::-1], [0.0], HALF))
KRONROD = np.concatenate((KRONROD_HALF[::-1], [0.209482141084727828012999174891714], KRONROD_HALF))
GAUSS = np.concatenate((GAUSS_HALF[::-1], [0.417959183673469387755102040816327], GAUSS_HALF))
POINTS = NODES.size
# Null rules: sums that are 0 for polynomials of a degree below 14, and 13. The first sees the even part of an integrand,
# the second the odd one, so that both are not small by the same chance (Berntsen & Espelid, ACM Trans. Math. Softw. 17, 233
# (1991)). With the first alone 10 of 2000 currents of the R-V loop were wrong by more than a tolerance of 1e-4, by up to
# 2.3e-4, and 3 by more than one of 1e-3, by up to 1.7e-2.
EVEN = KRONROD - GAUSS
ODD = NODES * EVEN * math.sqrt(np.sum(EVEN**2) / np.sum((NODES * EVEN) ** 2))

# The integral ends where the supply has fallen to e^-LEFT_OUT of the tolerance, counted from the higher of the emitter's
# Fermi level and the top of the barrier. Panels of an earlier state are used again as long as the supply at
# their end has fallen to e^-LEAST_LEFT_OUT.
LEFT_OUT, LEAST_LEFT_OUT = 12.0, 6.0
NEAR_TOP = 0.125  # of kT, width of what T may do at the top of the barrier
CAUTION = 15.0  # factor of the error of a panel, see `panel_error`
ROUGH = 3.0  # the same where T is not smooth
SLOW = 0.12
MAX_PANELS = 1024
LEAST_SHARE = 0.01  # of the tolerance: least current of a level at which panels are split
ROUND_OFF = 1e-15  # of energies [eV]
TURNED = 1e-8  # error of the direction of z, whose steps have determinants of 1 to some 1e-10
HIDDEN = 1e-7  # least |z| over its change across a panel that is not lost in this error


class Spectrum(NamedTuple):
    """The Tsu-Esaki integral on its quadrature nodes."""

    chord: float  # int T supply/V dE [1]
    error: float  # estimated error of chord
    unseen: float  # bound of what levels narrower than can be resolved add to it, and to chord
    energy: np.ndarray  # (n,) eV
    weight: np.ndarray  # (n,) quadrature weight times T times supply/V: sums to chord
    low: float  # eV, ends of the integral, for which the steps through the profile were chosen
    high: float


class Integral(NamedTuple):
    """The integral over energy of one profile."""

    model: int  # code of tunnelling.TRANSMISSIONS
    profile: Profile
    V: float  # V
    kT: float  # eV
    low: float  # eV, its ends, for which the steps through the profile are chosen
    high: float


class Panels(NamedTuple):
    """Panels of the quadrature in order of their creation, with room for MAX_PANELS."""

    left: np.ndarray  # (P,) eV
    right: np.ndarray  # (P,) eV
    energy: np.ndarray  # (P, POINTS) eV, nodes
    weight: np.ndarray  # (P, POINTS) as in Spectrum
    value: np.ndarray  # (P,) by K15
    difference: np.ndarray  # (P,) by both null rules
    unseen: np.ndarray  # (P,) error of what is integrated along a straight line


@kernel
def barrier_top(profile: Profile) -> float:
    """Highest band [eV] of a profile, its leads included."""
    top = max(profile.bottom_left, profile.bottom_right)
    for s in range(profile.length.size):
        top = max(top, profile.left[s], profile.right[s])
    return top


@kernel
def upper_end(profile: Profile, V: float, kT: float, tolerance: float, left_out: float) -> float:
    """Energy [eV] above which the current is some e^-left_out of the tolerance: T is near 1 above the barrier."""
    return max(barrier_top(profile), 0.0, -V) + (left_out - math.log(tolerance)) * kT


@apart
def energy_panels(profile: Profile, V: float, kT: float, tolerance: float, at_top: bool) -> np.ndarray:
    """First panels of the integral (edges,) [eV], split at the emitter's Fermi level.

    tolerance : relative, of the current   at_top : split at the top of the barrier as well, and at NEAR_TOP below it.
    T of the WKB approximation has a kink at the top and rises steeply to it: without the second edge the current of a film
    of 46 nm is wrong by 5e-4 at a tolerance of 3e-5.
    """
    low, top = max(profile.bottom_left, profile.bottom_right), barrier_top(profile)
    emitter, high = max(0.0, -V), upper_end(profile, V, kT, tolerance, LEFT_OUT)
    edges = np.empty(6)
    edges[0] = low
    n = 1
    for mark in (emitter, emitter + 10.0 * kT, high):
        if mark > edges[n - 1] + 2.0 * kT:
            edges[n] = mark
            n += 1
    for below in range(2 if at_top else 0):
        mark = top - below * NEAR_TOP * kT
        place = before(edges[:n], mark)
        if 0 < place < n and edges[place] > mark:
            for i in range(n, place, -1):
                edges[i] = edges[i - 1]
            edges[place] = mark
            n += 1
    return edges[:n].copy()


@apart
def graded_to_top(profile: Profile, kT: float, edges: np.ndarray) -> np.ndarray:
    """Panels with these edges [eV], cut the finer the closer they are to the top of the barrier.

    T can have a maximum of some 0.1 meV there, between the barrier and a ripple of the band, from which a current of
    thermionic emission comes and which no node of a wide panel meets: that of one film of 1000 is wrong by 4e-2 without.
    """
    top = barrier_top(profile)
    return edges_at_levels(edges, np.array([[top, NEAR_TOP * kT]])) if top > edges[0] else edges


@kernel
def along_line(z: np.ndarray, T: np.ndarray, width: float, E: float):
    """Integral of T = 1/|z|^2 [eV] over a panel with nodes (POINTS,), on which z goes along a straight line; its error.
    Also the energy of the level and its half width [eV], infinite where there is none.

    Across a level too narrow for its nodes z does so: T is a Lorentzian, whatever its width. |z| >= 1, because T <= 1,
    bounds the integral by pi over the speed of z; where round-off hides the width, this is the error.
    width : [eV] of the panel, around the energy E
    """
    last = T.size - 1
    if not T[0] * T[last] > 0.0:
        return 0.0, 0.0, E, math.inf
    f0, f1 = (
        1.0 / (math.hypot(z[0, 0], z[1, 0]) * math.sqrt(T[0])),
        1.0 / (math.hypot(z[0, last], z[1, last]) * math.sqrt(T[last])),
    )
    middle = 0.5 * (f0 * z[0, 0] + f1 * z[0, last]), 0.5 * (f0 * z[1, 0] + f1 * z[1, last])
    half = 0.5 * (f1 * z[0, last] - f0 * z[0, 0]) / NODES[-1], 0.5 * (f1 * z[1, last] - f0 * z[1, 0]) / NODES[-1]
    across, length = abs(middle[0] * half[1] - middle[1] * half[0]), math.hypot(half[0], half[1])
    at = middle[0] * half[0] + middle[1] * half[1]
    if not length > 1e-9 * math.hypot(middle[0], middle[1]):
        return width / (middle[0] ** 2 + middle[1] ** 2), 0.0, E, math.inf
    bound = 0.5 * math.pi * width / length
    near = across / length  # least |z|, on the line that goes on beyond the panel
    level, half_width = E - 0.5 * width * at / (length * length), 0.5 * width * near / length
    if not near > HIDDEN * length:
        return bound, bound, level, half_width
    angle = math.atan((length + at / length) / near) + math.atan((length - at / length) / near)
    value = min(0.5 * width / across * angle, bound)
    error = (TURNED * length / near + ROUND_OFF * max(1.0, abs(E)) / width) * value
    return value, error, level, half_width


@apart
def fill_panels(integral: Integral, panels: Panels, pending: np.ndarray):
    """Evaluate the pending panels (indices): value and difference of each, energies and weights of their nodes.

    In the lowest panel the variable of integration is the square root of the energy above the bottom of the lead, because T
    rises with this root there. With the energy itself, currents between degenerate leads were wrong by up to 3e-3 at a
    tolerance of 1e-4. A panel around a level too narrow for its nodes is integrated `along_line`.
    """
    V, kT, count = integral.V, integral.kT, pending.size
    E = np.empty(count * POINTS)
    for n, p in enumerate(pending):
        half, middle = 0.5 * (panels.right[p] - panels.left[p]), 0.5 * (panels.right[p] + panels.left[p])
        lowest = panels.left[p] == integral.low
        for i in range(POINTS):
            root = 0.5 + 0.5 * NODES[i]
            E[n * POINTS + i] = panels.left[p] + 2.0 * half * root * root if lowest else middle + half * NODES[i]
    T, z = transmission(integral.model, integral.profile, E, integral.low, integral.high)
    for n, p in enumerate(pending):
        half = 0.5 * (panels.right[p] - panels.left[p])
        value, even, odd = 0.0, 0.0, 0.0
        for i in range(POINTS):
            e = E[n * POINTS + i]
            stretch = 1.0 + NODES[i] if panels.left[p] == integral.low else 1.0
            current = half * stretch * T[n * POINTS + i] * supply(e, V, kT)
            panels.energy[p, i], panels.weight[p, i] = e, KRONROD[i] * current
            value += panels.weight[p, i]
            even += EVEN[i] * current
            odd += ODD[i] * current
        panels.value[p], panels.difference[p], panels.unseen[p] = value, math.hypot(even, odd), 0.0
        if too_narrow(integral, panels, p):
            put_line(integral, panels, p, z, T, E, n * POINTS)


@kernel
def too_narrow(integral: Integral, panels: Panels, p: int) -> bool:
    """True where a panel is as narrow as the search for levels goes."""
    width = LEAST * max(1.0, abs(panels.left[p]))
    return integral.model == TRANSFER_MATRIX and panels.right[p] - panels.left[p] < 1.01 * width


@kernel
def put_line(integral: Integral, panels: Panels, p: int, z: np.ndarray, T: np.ndarray, E: np.ndarray, first: int):
    """Integrate panel p, whose nodes begin at `first` of z, T and E, along a straight line of z.

    Its nodes move to where the level is, evenly over the angle atan((E - level)/half width): slopes need them there.
    """
    nodes, middle, width = slice(first, first + POINTS), E[first + POINTS // 2], panels.right[p] - panels.left[p]
    area, error, level, half_width = along_line(z[:, nodes], T[nodes], width, middle)
    s = supply(middle, integral.V, integral.kT)
    for i in range(POINTS):
        panels.weight[p, i] = 0.5 * KRONROD[i] * area * s
        if 0.0 < half_width < width:
            low = math.atan((panels.left[p] - level) / half_width)
            high = math.atan((panels.right[p] - level) / half_width)
            angle = 0.5 * (low + high) + 0.5 * (high - low) * NODES[i]
            panels.energy[p, i] = level + half_width * math.tan(angle)
    panels.value[p], panels.difference[p], panels.unseen[p] = area * s, 0.0, error * s


@kernel
def panel_error(difference: float, chord: float, rough: bool) -> float:
    """Error of a panel from r, its difference over the total. K15 errs far less: (CAUTION r)^1.5 of the total bounds it.

    The form is that of QUADPACK, whose factor is 200 where the even null rule stands alone. With 15 and both rules no
    current of 2000 states of the R-V loop was wrong by more than its tolerance (1e-4 or 1e-3), with 10 one was, by 1.3e-4.
    rough : T is not smooth on the panel; K15 is then hardly better than its difference, and the error is ROUGH times that
    """
    if not chord > 0.0:
        return 0.0
    if rough:
        return ROUGH * difference
    return difference * min(1.0, CAUTION * math.sqrt(CAUTION * difference / chord))


@kernel
def is_rough(integral: Integral, panels: Panels, p: int) -> bool:
    """True for panels of an approximate T, with kinks where turning points pass a piece, and for some lowest panels.

    Slow waves at the bottom of a lead are reflected by the ends of the pieces of its bent region. They count where SLOW of
    the current of the panel is in its lowest quarter.
    """
    if integral.model != TRANSFER_MATRIX:
        return True
    return panels.left[p] == integral.low and add_up(panels.weight[p, : POINTS // 2]) > SLOW * panels.value[p]


@kernel
def empty_panels(edges: np.ndarray) -> Panels:
    """Room for MAX_PANELS panels, the first of them between the edges."""
    n = edges.size - 1
    left, right = np.empty(MAX_PANELS), np.empty(MAX_PANELS)
    copy(edges[:n], left)
    copy(edges[1:], right)
    energy, weight = np.empty((MAX_PANELS, POINTS)), np.empty((MAX_PANELS, POINTS))
    return Panels(left, right, energy, weight, np.empty(MAX_PANELS), np.empty(MAX_PANELS), np.empty(MAX_PANELS))


@kernel
def least_chord(panels: Panels, n: int) -> float:
    """A low estimate of the integral from n panels: the smaller of two neighbouring nodes counts: it misses levels."""
    total = 0.0
    for p in range(n):
        for i in range(POINTS - 1):
            a, b = panels.weight[p, i] / KRONROD[i], panels.weight[p, i + 1] / KRONROD[i + 1]
            total += 0.5 * (KRONROD[i] + KRONROD[i + 1]) * min(a, b)
    return total


@apart
def split_at_levels(integral: Integral, panels: Panels, n: int, tolerance: float):
    """The first n panels split at the narrow levels of wells, with their number, and the bound of what is left out.

    Levels that carry less than LEAST_SHARE of the tolerance are not looked for.
    """
    profile = integral.profile
    bottom, brim = well(profile)
    bottom, brim = max(bottom, integral.low), min(brim, integral.high)
    if not bottom < brim:
        return panels, n, 0.0
    negligible = LEAST_SHARE * tolerance * least_chord(panels, n)
    search = Search(profile, integral.V, integral.kT, integral.low, integral.high, negligible)
    narrow, unseen = narrow_levels(search, bottom, brim)
    if narrow.shape[0] == 0:
        return panels, n, unseen
    edges = np.empty(n + 1)
    edges[n] = integral.high
    for i, p in enumerate(ascending(panels.left[:n])):
        edges[i] = panels.left[p]
    edges = edges_at_levels(edges, narrow)
    if edges.size > MAX_PANELS:
        return panels, n, math.inf
    panels, n = empty_panels(edges), edges.size - 1
    fill_panels(integral, panels, np.arange(n))
    return panels, n, unseen


@apart
def converged_spectrum(model: int, profile: Profile, V: float, kT: float, edges: np.ndarray, tolerance: float):
    """Spectrum with a relative error below tolerance: panels are halved until it is. Returns (spectrum, edges).

    model : code of TRANSMISSIONS   edges : (panels + 1,) eV, of the first panels
    The error of the result is above tolerance only when MAX_PANELS were not enough: the caller must check.
    """
    n, panels = edges.size - 1, empty_panels(edges)
    integral = Integral(model, profile, V, kT, edges[0], edges[-1])
    pending, count, unseen = np.empty(MAX_PANELS, np.int64), n, 0.0
    fill_panels(integral, panels, np.arange(n))
    if model == TRANSFER_MATRIX and tolerance < math.inf:
        panels, n, unseen = split_at_levels(integral, panels, n, tolerance)
    while True:
        chord, error = add_up(panels.value[:n]), 0.0
        for p in range(n):
            error += panel_error(panels.difference[p], chord, is_rough(integral, panels, p))
        if not error > tolerance * chord or n >= MAX_PANELS:
            break
        limit, count_before = 0.3 * tolerance * chord / n, n
        count = 0
        for p in range(count_before):
            rough = is_rough(integral, panels, p)
            if panel_error(panels.difference[p], chord, rough) > limit and n < MAX_PANELS:
                middle = 0.5 * (panels.left[p] + panels.right[p])
                panels.left[n], panels.right[n], panels.right[p] = middle, panels.right[p], middle
                pending[count], pending[count + 1] = p, n
                count, n = count + 2, n + 1
        fill_panels(integral, panels, pending[:count])
    return in_order(panels, n, chord, error, unseen + add_up(panels.unseen[:n]), edges)


@spliced
def in_order(panels: Panels, n: int, chord: float, error: float, unseen: float, ends: np.ndarray):
    """Spectrum of the first n panels with its energies in ascending order, and the edges of the panels (n + 1,)."""
    edges, energies, weights = np.empty(n + 1), np.empty(n * POINTS), np.empty(n * POINTS)
    low, high = ends[0], ends[-1]
    for p in range(n):
        place = 0
        for q in range(n):
            place += panels.left[q] < panels.left[p]
        edges[place] = panels.left[p]
        for i in range(POINTS):
            energies[place * POINTS + i], weights[place * POINTS + i] = panels.energy[p, i], panels.weight[p, i]
    edges[n] = high
    return Spectrum(chord, error, unseen, energies, weights, low, high), edges


@kernel
def thinned(spectrum: Spectrum) -> Spectrum:
    """The same integral by the Gauss nodes alone: half of the energies, relative error up to error^(2/3)/200."""
    n = spectrum.energy.size // POINTS * (POINTS // 2)
    energy, weight, chord = np.empty(n), np.empty(n), 0.0
    for j in range(n):
        p, i = j // (POINTS // 2), 2 * (j % (POINTS // 2)) + 1
        energy[j] = spectrum.energy[p * POINTS + i]
        weight[j] = spectrum.weight[p * POINTS + i] * (GAUSS[i] / KRONROD[i])
        chord += weight[j]
    return Spectrum(chord, spectrum.error, spectrum.unseen, energy, weight, spectrum.low, spectrum.high)


@kernel
def spectrum(model: int, profile: Profile, V: float, kT: float, edges: np.ndarray) -> Spectrum:
    """The integral on given panels as they are."""
    return converged_spectrum(model, profile, V, kT, edges, math.inf)[0]
