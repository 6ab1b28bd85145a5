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

from otjdd.physics.jit import apart, kernel, loose, spliced
from otjdd.physics.numerics import OVERFLOW, add_up
from otjdd.physics.tunnelling import (
    K0,
    SHORT,
    WKB,
    cosh_sinh,
    padded,
    refine,
    short_cosh_sinh,
    transfer_matrices,
    transmission,
    velocities,
    well,
)

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

TAIL = 40.0  # kT above the higher of Fermi level and barrier top: exp(-40) = 4e-18 of the current is left out
MAX_PANELS = 1024
AT_ONCE = 512  # energies of a sensitivity, whose matrices are all kept: 10 MB and not 100 in half a micrometre


class Spectrum(NamedTuple):
    """The Tsu-Esaki integral on its quadrature nodes."""

    chord: float  # int T supply/V dE [1]
    error: float  # estimated error of chord
    energy: np.ndarray  # (n,) eV
    weight: np.ndarray  # (n,) quadrature weight times T times supply/V: sums to chord
    low: float  # eV, ends of the integral, for which the steps through the profile were chosen
    high: float


@kernel
def softplus(x):
    """ln(1 + e^x) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@kernel
def fermi(x):
    """1/(1 + e^x) without overflow."""
    return 1.0 / (1.0 + math.exp(x)) if x < 700.0 else 0.0


@kernel
def supply(E, V, kT):
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
def log_supply_slope(E, V, kT):
    """d ln(supply)/dV [1/V]: only the occupation of the left electrode moves with V, its Fermi level being at -V."""
    occupation = fermi((E + V) / kT)
    if abs(V) < 1e-4 * kT:  # supply is the mean of the Fermi function between E and E + V
        return -0.5 * (1.0 - occupation) / kT
    if min(E, E + V) > 30.0 * kT:  # both occupations are exponentials, whose ratio is there where they underflow
        return 1.0 / (kT * math.expm1(min(V / kT, OVERFLOW))) - 1.0 / V
    return (occupation / (kT * supply(E, V, kT)) - 1.0) / V


@apart
def energy_panels(profile, V, kT):
    """First panels of the integral (panels + 1,) [eV]: split at the emitter's Fermi level."""
    low = max(profile.bottom_left, profile.bottom_right)
    top = low
    for s in range(profile.length.size):
        top = max(top, profile.left[s], profile.right[s])
    emitter = max(0.0, -V)
    high = max(max(top, emitter), low) + TAIL * kT
    edges = np.empty(4)
    edges[0] = low
    n = 1
    for mark in (emitter, emitter + 10.0 * kT, high):
        if mark > edges[n - 1] + 2.0 * kT:
            edges[n] = mark
            n += 1
    return edges[:n].copy()


@kernel
def hidden(z, T, E, j):
    """Area under T [eV] of a resonance that may hide between the nodes j and j + 1: 0 where z turns by less than pi/2.

    T = 1/|z|^2, and across a resonance z(E) goes past 0 along a straight line, which makes a Lorentzian of area
    pi (E1 - E0)/(|z1 - z0| |z|_min). |z| >= 1, as T <= 1.
    """
    along = z[0, j] * z[0, j + 1] + z[1, j] * z[1, j + 1]
    if not along < 0.0 or not T[j] * T[j + 1] > 0.0:
        return 0.0
    turn = along / math.sqrt((z[0, j] ** 2 + z[1, j] ** 2) * (z[0, j + 1] ** 2 + z[1, j + 1] ** 2))
    size = 1.0 / T[j] + 1.0 / T[j + 1] - 2.0 * turn / math.sqrt(T[j] * T[j + 1])
    return math.pi * (E[j + 1] - E[j]) / math.sqrt(size)


@apart
def fill_panels(model, profile, V, kT, span, caught, left, right, pending, energy, weight, value, difference):
    """Evaluate the pending panels: K15 value and |K15 - G7| of each, energies and weights of their nodes.

    A resonance of a well that the nodes may have stepped over counts as a difference.
    span : (low, high) of all panels   caught : the same of `well`   left, right, value, difference : (P,)
    pending : indices   energy, weight : (P, 15)
    """
    E = np.empty(pending.size * POINTS)
    for n, p in enumerate(pending):
        half, middle = 0.5 * (right[p] - left[p]), 0.5 * (right[p] + left[p])
        for i in range(POINTS):
            E[n * POINTS + i] = middle + half * NODES[i]
    T, z = transmission(model, profile, E, span[0], span[1])
    for n, p in enumerate(pending):
        half = 0.5 * (right[p] - left[p])
        value[p], difference[p] = 0.0, 0.0
        for i in range(POINTS):
            e = E[n * POINTS + i]
            current = half * T[n * POINTS + i] * supply(e, V, kT)
            energy[p, i], weight[p, i] = e, KRONROD[i] * current
            value[p] += weight[p, i]
            difference[p] += (KRONROD[i] - GAUSS[i]) * current
        difference[p] = abs(difference[p])
        for j in range(n * POINTS, n * POINTS + POINTS - 1):
            if E[j] < caught[1] and E[j + 1] > caught[0]:
                difference[p] += hidden(z, T, E, j) * supply(E[j], V, kT)


@kernel
def panel_error(difference, chord):
    """Error of a panel from |K15 - G7|: K15 is far better than that, (200 r)^1.5 of the total bounds it (QUADPACK).

    Smaller factors let twice the tolerance pass on profiles with resonances.
    """
    if not chord > 0.0:
        return 0.0
    return difference * min(1.0, 200.0 * math.sqrt(200.0 * difference / chord))


@apart
def converged_spectrum(model, profile, V, kT, edges, tolerance):
    """Spectrum with relative error below tolerance: panels are halved until it is. Returns (spectrum, edges).

    The error of the result is above tolerance only when MAX_PANELS were not enough: the caller must look.
    """
    n = edges.size - 1
    left, right = np.empty(MAX_PANELS), np.empty(MAX_PANELS)
    left[:n], right[:n] = edges[:-1], edges[1:]
    energy, weight = np.empty((MAX_PANELS, POINTS)), np.empty((MAX_PANELS, POINTS))
    value, difference = np.empty(MAX_PANELS), np.empty(MAX_PANELS)
    pending, count, span = np.empty(MAX_PANELS, np.int64), n, (edges[0], edges[-1])
    caught = well(profile)
    for p in range(n):
        pending[p] = p
    while True:
        fill_panels(
            model, profile, V, kT, span, caught, left, right, pending[:count], energy, weight, value, difference
        )
        chord, error = add_up(value[:n]), 0.0
        for p in range(n):
            error += panel_error(difference[p], chord)
        if not error > tolerance * chord or n >= MAX_PANELS:
            break
        limit, known = 0.3 * tolerance * chord / n, n
        count = 0
        for p in range(known):
            if panel_error(difference[p], chord) > limit and n < MAX_PANELS:
                middle = 0.5 * (left[p] + right[p])
                left[n], right[n], right[p] = middle, right[p], middle
                pending[count], pending[count + 1] = p, n
                count, n = count + 2, n + 1
    return in_order(chord, error, left[:n], energy, weight, edges[0], edges[-1])


@spliced
def in_order(chord, error, left, energy, weight, low, high):
    """Spectrum with its energies in ascending order from panels in any, and the edges of the panels.

    left : (P,) lower ends of the panels; energy, weight : (P, 15) and more
    """
    n = left.size
    edges, energies, weights = np.empty(n + 1), np.empty(n * POINTS), np.empty(n * POINTS)
    for p in range(n):
        place = 0
        for q in range(n):
            place += left[q] < left[p]
        edges[place] = left[p]
        for i in range(POINTS):
            energies[place * POINTS + i], weights[place * POINTS + i] = energy[p, i], weight[p, i]
    edges[n] = high
    return Spectrum(chord, error, energies, weights, low, high), edges


@kernel
def thinned(spectrum):
    """The same integral by the Gauss nodes alone: good to its error^(2/3)/200, at half the energies."""
    n = spectrum.energy.size // POINTS * (POINTS // 2)
    energy, weight, chord = np.empty(n), np.empty(n), 0.0
    for j in range(n):
        p, i = j // (POINTS // 2), 2 * (j % (POINTS // 2)) + 1
        energy[j] = spectrum.energy[p * POINTS + i]
        weight[j] = spectrum.weight[p * POINTS + i] * (GAUSS[i] / KRONROD[i])
        chord += weight[j]
    return Spectrum(chord, spectrum.error, energy, weight, spectrum.low, spectrum.high)


@kernel
def spectrum(model, profile, V, kT, edges):
    """The integral on given panels as they are."""
    return converged_spectrum(model, profile, V, kT, edges, math.inf)[0]


@loose
def adjoint_step(step, E, weight, N, L, out):
    """Put sum_E weight d ln T/d(U0, U1, h) of one step into out (3,), and carry the adjoint L across it.

    N : (4, n) matrix to the right of the step   L : (4, n) d ln T/dM of the matrix that includes the step, in place
    """
    h, U0, U1, m = step[0], step[1], step[2], step[3]
    hm, hk, short = h * m, h * K0, step[4] <= SHORT
    k = hm * hk * (U1 - U0)
    shift = k * k / (120.0 * hm)
    U = 0.5 * (U0 + U1) - shift / hk
    s0, s1, s2 = 0.0, 0.0, 0.0
    for j in range(E.size):
        r = hk * (U - E[j])
        C, S, dS, ddS = short_cosh_sinh(hm * r) if short else cosh_sinh(hm * r)
        D = -0.5 * k * dS
        u = 0.5 * D * D
        root = 1.0 + u - 0.5 * u * u
        l11, l12, l21, l22 = L[0, j], L[1, j], L[2, j], L[3, j]
        n11, n12, n21, n22 = N[0, j], N[1, j], N[2, j], N[3, j]
        g11, g12 = l11 * n11 + l12 * n12, l11 * n21 + l12 * n22
        g21, g22 = l21 * n11 + l22 * n12, l21 * n21 + l22 * n22
        side = hm * g12 + r * g21
        by_D = D * (1.0 - u) * (C * (g11 + g22) - S * side) - (g11 - g22)
        by_x = root * (0.5 * S * (g11 + g22) - dS * side) - 0.5 * k * ddS * by_D
        by_r = -root * S * g21 + hm * by_x
        by_hm = -root * S * g12 + r * by_x
        by_k = -0.5 * dS * by_D - k / (60.0 * hm) * by_r
        w = weight[j]
        s0 += w * by_k
        s1 += w * by_r
        s2 += w * (2.0 * k * by_k + (r + 2.0 * shift) * by_r + hm * by_hm)
        a11, a12, a21, a22 = root * C - D, -root * S * hm, -root * S * r, root * C + D
        L[0, j], L[1, j] = a11 * l11 + a21 * l21, a11 * l12 + a21 * l22
        L[2, j], L[3, j] = a12 * l11 + a22 * l21, a12 * l12 + a22 * l22
    out[0] = 0.5 * hk * s1 - hm * hk * s0
    out[1] = 0.5 * hk * s1 + hm * hk * s0
    out[2] = s2 / h


@apart
def transfer_matrix_sensitivity(profile, E, weight, low, high):
    """sum_E weight d ln T/d(left, right, length) of each segment (3, S), and by the band bottoms of the leads (2,)."""
    steps, owner = refine(profile, low, high)
    total, leads = np.zeros((3, profile.length.size)), np.zeros(2)
    for i in range(0, E.size, AT_ONCE):
        some = slice(i, min(i + AT_ONCE, E.size))
        add_sensitivity(profile, steps, owner, padded(E[some], high), padded(weight[some], 0.0), total, leads)
    return total, leads


@apart
def add_sensitivity(profile, steps, owner, E, weight, total, leads):
    """Add what some of the energies make of the sensitivity, given the steps through the profile."""
    M, _ = transfer_matrices(steps, E, True)
    left, right = velocities(profile, E)
    L = np.empty((4, E.size))
    for i in range(E.size):
        m11, m12, m21, m22 = M[0, 0, i], M[0, 1, i], M[0, 2, i], M[0, 3, i]
        l, r = left[i], right[i]
        a, b = l * m11 + r * m22, l * r * m12 - m21
        f = -2.0 / (a * a + b * b)
        L[0, i], L[1, i], L[2, i], L[3, i] = f * a * l, f * b * l * r, -f * b, f * a * r
        # v = sqrt(k0 (E - U)/m): dv/dU = -k0/(2 m v)
        by_left = 1.0 / l + f * (a * m11 + b * r * m12)
        by_right = 1.0 / r + f * (a * m22 + b * l * m12)
        leads[0] -= weight[i] * by_left * K0 / (2.0 * profile.mass_left * l)
        leads[1] -= weight[i] * by_right * K0 / (2.0 * profile.mass_right * r)
    out = np.empty(3)
    segment, first = -1, 0
    for j in range(steps.shape[0]):
        adjoint_step(steps[j], E, weight, M[j + 1], L, out)
        s = owner[j]
        if s != segment:
            segment, first = s, j
        n = int(round(profile.length[s] / steps[j, 0]))
        f0, f1 = (j - first) / n, (j - first + 1) / n
        total[0, s] += out[0] * (1.0 - f0) + out[1] * (1.0 - f1)
        total[1, s] += out[0] * f0 + out[1] * f1
        total[2, s] += out[2] / n


@apart
def wkb_sensitivity(profile, E, weight):
    """As `transfer_matrix_sensitivity`, for T = exp(-2 int kappa dx); the leads do not enter."""
    total = np.zeros((3, profile.length.size))
    for s in range(profile.length.size):
        h, U0, U1 = profile.length[s], profile.left[s], profile.right[s]
        root = math.sqrt(profile.mass[s] * K0)
        for j in range(E.size):
            a, b = max(U0 - E[j], 0.0), max(U1 - E[j], 0.0)
            if a + b == 0.0:
                continue
            ra, rb = math.sqrt(a), math.sqrt(b)
            mean = 2.0 / 3.0 * (a + ra * rb + b) / (ra + rb)  # of sqrt(U - E) over the covered part
            covered = abs(a - b) / abs(U0 - U1) if a * b == 0.0 else 1.0
            w = -2.0 * weight[j] * root
            total[2, s] += w * covered * mean
            if a * b == 0.0:  # theta = (2/3) a^{3/2}/|U0 - U1|: the covered part grows with a
                tilt = abs(U0 - U1)
                by_in, by_out = (ra + rb) / tilt - mean * covered / tilt, mean * covered / tilt
                total[0, s] += w * h * (by_in if a > 0.0 else by_out)
                total[1, s] += w * h * (by_in if b > 0.0 else by_out)
            else:
                total[0, s] += w * h * (ra + 2.0 * rb) / (3.0 * (ra + rb) ** 2)
                total[1, s] += w * h * (rb + 2.0 * ra) / (3.0 * (ra + rb) ** 2)
    return total, np.zeros(2)


@apart
def sensitivity(model, profile, E, weight, low, high):
    """sum_E weight d ln T/d(left, right, length) per segment (3, S) and by the lead bottoms (2,), by the model's T.

    low, high : range of the energies at which T was found [eV], E may be fewer: the steps must be the same
    """
    if model == WKB:
        return wkb_sensitivity(profile, E, weight)
    return transfer_matrix_sensitivity(profile, E, weight, low, high)
