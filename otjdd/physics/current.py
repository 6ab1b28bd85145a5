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
from otjdd.physics.numerics import OVERFLOW, add_up, before, copy
from otjdd.physics.tunnelling import Profile, transmission, well

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
# Fermi level and the top of the barrier. Panels of a state before serve while it has fallen to e^-LEAST_LEFT_OUT.
LEFT_OUT, LEAST_LEFT_OUT = 12.0, 6.0
CAUTION = 15.0  # factor of the error of a panel, see `panel_error`
MAX_PANELS = 1024


class Spectrum(NamedTuple):
    """The Tsu-Esaki integral on its quadrature nodes."""

    chord: float  # int T supply/V dE [1]
    error: float  # estimated error of chord
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
    bottom: float  # eV, between bottom and brim a well of the profile can hold resonances, see `well`
    brim: float


class Panels(NamedTuple):
    """Panels of the quadrature in order of their creation, with room for MAX_PANELS."""

    left: np.ndarray  # (P,) eV
    right: np.ndarray  # (P,) eV
    energy: np.ndarray  # (P, POINTS) eV, nodes
    weight: np.ndarray  # (P, POINTS) as in Spectrum
    value: np.ndarray  # (P,) by K15
    difference: np.ndarray  # (P,) by both null rules, and the area of resonances between nodes


@kernel
def softplus(x: float) -> float:
    """ln(1 + e^x) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@kernel
def fermi(x: float) -> float:
    """1/(1 + e^x) without overflow."""
    return 1.0 / (1.0 + math.exp(x)) if x < 700.0 else 0.0


@kernel
def supply(E: float, V: float, kT: float) -> float:
    """[ln(1 + e^{-E/kT}) - ln(1 + e^{(-V - E)/kT})]/V [1/eV]; at V = 0 its limit, the Fermi function over kT.

    Exchanging the electrodes gives supply(E, V) = supply(E + V, -V), so V > 0 is enough. With f = 1/(1 + e^{(E + V)/kT})
    the difference is ln(1 + f expm1(V/kT)): no cancellation at small V.
    """
    if V < 0.0:
        E, V = E + V, -V
    v, x = V / kT, E / kT
    if v < 1e-8:
        return fermi(x) / kT
    if x + v > 30.0:  # the second logarithm is its argument
        return softplus(-x) / V - math.exp(-x - v) / V if x < 30.0 else math.exp(-x) * -math.expm1(-v) / V
    if v < 30.0:
        return math.log1p(fermi(x + v) * math.expm1(v)) / V
    return (softplus(-x) - softplus(-x - v)) / V


@kernel
def supplies(E: np.ndarray, V: float, kT: float) -> np.ndarray:
    """`supply` at energies E (n,)."""
    found = np.empty(E.size)
    for i in range(E.size):
        found[i] = supply(E[i], V, kT)
    return found


@kernel
def log_supply_slope(E: float, V: float, kT: float) -> float:
    """d ln(supply)/dV [1/V]: only the occupation of the left electrode moves with V, its Fermi level being at -V."""
    occupation = fermi((E + V) / kT)
    if abs(V) < 1e-4 * kT:  # supply is the mean of the Fermi function between E and E + V
        return -0.5 * (1.0 - occupation) / kT
    if min(E, E + V) > 30.0 * kT:  # both occupations are exponentials; their ratio does not underflow
        return 1.0 / (kT * math.expm1(min(V / kT, OVERFLOW))) - 1.0 / V
    return (occupation / (kT * supply(E, V, kT)) - 1.0) / V


@kernel
def log_supply_slope_by_energy(E: float, V: float, kT: float) -> float:
    """d ln(supply)/dE [1/eV]: of a difference of two occupations, f(x) - f(y) = f(x) [1 - f(y)] [1 - e^{x - y}]."""
    if V < 0.0:
        E, V = E + V, -V
    x, v = E / kT, V / kT
    if x > 30.0:
        return -1.0 / kT
    if v < 1e-8:
        return -(1.0 - fermi(x)) / kT
    return fermi(x) * fermi(-x - v) * math.expm1(-v) / (kT * V * supply(E, V, kT))


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

    tolerance : relative, of the current   at_top : split at the top of the barrier as well, where T of the WKB
    approximation has a kink
    """
    low, top = max(profile.bottom_left, profile.bottom_right), barrier_top(profile)
    emitter, high = max(0.0, -V), upper_end(profile, V, kT, tolerance, LEFT_OUT)
    edges = np.empty(5)
    edges[0] = low
    n = 1
    for mark in (emitter, emitter + 10.0 * kT, high):
        if mark > edges[n - 1] + 2.0 * kT:
            edges[n] = mark
            n += 1
    place = before(edges[:n], top)
    if at_top and 0 < place < n and edges[place] > top:
        for i in range(n, place, -1):
            edges[i] = edges[i - 1]
        edges[place] = top
        n += 1
    return edges[:n].copy()


@kernel
def hidden(z: np.ndarray, T: np.ndarray, E: np.ndarray, j: int) -> float:
    """Bound of the area under T [eV] of a resonance between the nodes j and j + 1; 0 where z turns by less than pi/2.

    T = 1/|z|^2. Near a resonance z(E) passes 0 along a straight line, so T is a Lorentzian of the area
    pi (E1 - E0)/(|z1 - z0| |z|_min). |z| >= 1, because T <= 1.
    """
    along = z[0, j] * z[0, j + 1] + z[1, j] * z[1, j + 1]
    if not along < 0.0 or not T[j] * T[j + 1] > 0.0:
        return 0.0
    turn = along / math.sqrt((z[0, j] ** 2 + z[1, j] ** 2) * (z[0, j + 1] ** 2 + z[1, j + 1] ** 2))
    size = 1.0 / T[j] + 1.0 / T[j + 1] - 2.0 * turn / math.sqrt(T[j] * T[j + 1])
    return math.pi * (E[j + 1] - E[j]) / math.sqrt(size)


@apart
def fill_panels(integral: Integral, panels: Panels, pending: np.ndarray):
    """Evaluate the pending panels (indices): value and difference of each, energies and weights of their nodes.

    A resonance of a well that lies between two nodes adds its area to the difference. In the lowest panel the variable of
    integration is the square root of the energy above the bottom of the lead, because T rises with this root there. With
    the energy itself, currents between degenerate leads were wrong by up to 3e-3 at a tolerance of 1e-4.
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
        difference = math.hypot(even, odd)
        for j in range(n * POINTS, n * POINTS + POINTS - 1):
            if E[j] < integral.brim and E[j + 1] > integral.bottom:
                difference += hidden(z, T, E, j) * supply(E[j], V, kT)
        panels.value[p], panels.difference[p] = value, difference


@kernel
def panel_error(difference: float, chord: float) -> float:
    """Error of a panel from its difference: K15 is far better than that, (CAUTION r)^1.5 of the total bounds it.

    The form is that of QUADPACK, whose factor is 200 where the even null rule stands alone. With 15 and both rules no
    current of 2000 states of the R-V loop was wrong by more than its tolerance (1e-4 or 1e-3), with 10 one was, by 1.3e-4.
    Of 6144 currents of random devices 53 were (129 with the one rule and 200), the worst of them through narrow levels.
    """
    if not chord > 0.0:
        return 0.0
    return difference * min(1.0, CAUTION * math.sqrt(CAUTION * difference / chord))


@kernel
def empty_panels(edges: np.ndarray) -> Panels:
    """Room for MAX_PANELS panels, the first of them between the edges."""
    n = edges.size - 1
    left, right = np.empty(MAX_PANELS), np.empty(MAX_PANELS)
    copy(edges[:n], left)
    copy(edges[1:], right)
    energy, weight = np.empty((MAX_PANELS, POINTS)), np.empty((MAX_PANELS, POINTS))
    return Panels(left, right, energy, weight, np.empty(MAX_PANELS), np.empty(MAX_PANELS))


@apart
def converged_spectrum(model: int, profile: Profile, V: float, kT: float, edges: np.ndarray, tolerance: float):
    """Spectrum with a relative error below tolerance: panels are halved until it is. Returns (spectrum, edges).

    model : code of TRANSMISSIONS   edges : (panels + 1,) eV, of the first panels
    The error of the result is above tolerance only when MAX_PANELS were not enough: the caller must check.
    """
    n, panels = edges.size - 1, empty_panels(edges)
    bottom, brim = well(profile)
    integral = Integral(model, profile, V, kT, edges[0], edges[-1], bottom, brim)
    pending, count = np.empty(MAX_PANELS, np.int64), n
    for p in range(n):
        pending[p] = p
    while True:
        fill_panels(integral, panels, pending[:count])
        chord, error = add_up(panels.value[:n]), 0.0
        for p in range(n):
            error += panel_error(panels.difference[p], chord)
        if not error > tolerance * chord or n >= MAX_PANELS:
            break
        limit, known = 0.3 * tolerance * chord / n, n
        count = 0
        for p in range(known):
            if panel_error(panels.difference[p], chord) > limit and n < MAX_PANELS:
                middle = 0.5 * (panels.left[p] + panels.right[p])
                panels.left[n], panels.right[n], panels.right[p] = middle, panels.right[p], middle
                pending[count], pending[count + 1] = p, n
                count, n = count + 2, n + 1
    return in_order(panels, n, chord, error, edges[0], edges[-1])


@spliced
def in_order(panels: Panels, n: int, chord: float, error: float, low: float, high: float):
    """Spectrum of the first n panels with its energies in ascending order, and the edges of the panels (n + 1,)."""
    edges, energies, weights = np.empty(n + 1), np.empty(n * POINTS), np.empty(n * POINTS)
    for p in range(n):
        place = 0
        for q in range(n):
            place += panels.left[q] < panels.left[p]
        edges[place] = panels.left[p]
        for i in range(POINTS):
            energies[place * POINTS + i], weights[place * POINTS + i] = panels.energy[p, i], panels.weight[p, i]
    edges[n] = high
    return Spectrum(chord, error, energies, weights, low, high), edges


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
    return Spectrum(chord, spectrum.error, energy, weight, spectrum.low, spectrum.high)


@kernel
def spectrum(model: int, profile: Profile, V: float, kT: float, edges: np.ndarray) -> Spectrum:
    """The integral on given panels as they are."""
    return converged_spectrum(model, profile, V, kT, edges, math.inf)[0]
