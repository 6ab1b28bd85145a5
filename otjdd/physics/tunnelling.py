"""Transmission of electrons through a band profile: the transfer matrix, and the other models of `laws`.

A profile is a chain of segments on which the band edge U is a parabola, between two leads with flat bands. With
p = psi'/m the Schroedinger equation of BenDaniel & Duke, Phys. Rev. 152, 683 (1966), is

    d/dx (psi, p) = A (psi, p),   A = [[0, m], [k0 (U - E), 0]],   k0 = 2 m0 e/hbar^2.

Over a segment of length h, with the entire functions C = cosh(q), S = sinh(q)/q of x = q^2 = h m r, one step is

    sqrt(1 + D^2 - x g^2) (C I + S [[0, h m], [r, 0]]) + D [[1, 0], [0, -1]] + g [[0, -h m], [r, 0]],
    D = -(k/2) dS/dx,   g = 2 h^2 m k0 c d2S/dx2,

with k = h^2 m k0 (U_1 - U_0), r = h k0 (U_mid - E) - k^2/(120 h m) and the curve c of the band. The step is exact for a
flat segment, and to first order in k and c for a segment of any length. Its second-order terms are chosen so that it
agrees with the sixth-order Magnus step (Blanes et al., Phys. Rep. 470, 151 (2009)) to h^6. Its determinant is 1, so the
flux is conserved. The Magnus step itself is not used: its series has a pole at q = i pi, which is a segment half a
wavelength long. Errors of such segments added up, and the current of a tilted film jumped by 4 % where the number of
steps changed with the voltage.
One formula serves energies below and above the band edge, so the compiler vectorises the loop over energies.

The matrix is carried from the transmitted side towards the source. In a barrier the decaying wave grows in this
direction, all terms of a sum have one sign, and T keeps its relative accuracy down to the smallest doubles.

Derivatives by the band profile are sums over energies of d ln T, for all models. That of the transfer matrix is taken
backwards: one pass carries d ln T/dM through the chain of steps, at the cost of about one more pass, whatever the number
of segments.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, bare, chosen, kernel, loose, loose_inlined, spliced
from otjdd.laws import K0, TRANSMISSION_MODELS, Profile
from otjdd.physics.numerics import copy

TRANSMISSIONS = {name: code for code, name in enumerate(TRANSMISSION_MODELS)}  # name in a case -> code
TRANSFER_MATRIX = TRANSMISSIONS["transfer-matrix"]

PHASE = 256.0  # largest -q^2 of one step where the electron is a wave; the functions of a step are exact to 2e-10
DECAY = 16.0  # largest q^2 of one step in a barrier: its error, of second order in k, grows as e^q
# largest |k| of one step, 0.31 of the length over which the wave turns on the slope, for T to 1e-4: of straight bands of 4
# and 5 nm T then errs by 5e-5 at most, and as the square of |k|; and the largest |k| for any tolerance
STEEP, STEEPEST = 0.03, 0.1
# dS/dx of S = sinh(q)/q by powers of x = q^2, and its next two derivatives
FIRST = tuple((k + 1.0) / math.factorial(2 * k + 3) for k in range(9))
SECOND = tuple((k + 1.0) * (k + 2.0) / math.factorial(2 * k + 5) for k in range(9))
THIRD = tuple((k + 1.0) * (k + 2.0) * (k + 3.0) / math.factorial(2 * k + 7) for k in range(9))
LANES = 16  # energies that a vectorised loop takes at once; the remainder loop is slow: 15 energies take as long as 28
CURVED = 0.3  # largest |h^2 m k0 c| of one step: the next order in c is then below 1e-4 of an entry
# columns of the table of steps of `refine`
STEP = 6
LENGTH, LEFT, RIGHT, MASS, BOUND, CURVE = range(STEP)  # m, eV, eV, m0, bound of |q^2|, eV
HELD = 0.5 * math.pi  # least phase across a well that counts: half of that of the lowest level between hard walls
LARGE = 1e100  # entries beyond this are scaled down, so that the squares stay finite
# Steps after which they are looked at: at most e^8 per step and 1e10 from psi to p leave room to the largest double.
SCALED_EVERY = 32
AT_ONCE = 512  # energies of one pass, whose matrices are all kept: 10 MB and not 100 in half a micrometre


@loose_inlined
def cosh_sinh(x: float, halvings: int, terms: int):
    """C = cosh(q), S = sinh(q)/q and its first three derivatives by x = q^2, either sign.

    Taylor series at y = x/4^halvings, then the formulas of the double argument. Until the end c is cosh(2^level sqrt(y)), s
    is sinh(2^level sqrt(y))/sqrt(y), and its derivatives are by y.
    """
    scale = 1.0 / (1 << halvings)
    y, d1, d2, d3 = scale * scale * x, 0.0, 0.0, 0.0
    for k in range(terms - 1, -1, -1):
        d1 = FIRST[k] + y * d1
        d2 = SECOND[k] + y * d2
        d3 = THIRD[k] + y * d3
    s = 6.0 * d1 + 4.0 * y * d2  # C = S + 2 x dS/dx, dC/dx = S/2
    c = s + 2.0 * y * d1
    for level in range(halvings):
        twice, by_y = 2.0 * c, float(1 << level) * s  # dc/dy = by_y/2
        d3 = twice * d3 + by_y * (4.0 * d2) + float(3 << level) * d1 * d1
        d2, d1 = twice * d2 + 3.0 * by_y * d1, twice * d1 + by_y * s
        c, s = twice * c - 1.0, twice * s
    return c, scale * s, scale**3 * d1, scale**5 * d2, scale**7 * d3


def by_length(function):
    """Kernel of (step, E, M, N) from a `function` of these and of the halvings and terms of `cosh_sinh`.

    Both are chosen by the length of the step, so that the next terms of the series are below 3e-11 of S. Each choice is a
    loop over energies of its own, in which both are constants: with a choice within, the loop takes up to twice as long.
    """
    across = loose_inlined(function)

    def chosen(step, E, M, N):
        if step[BOUND] <= 0.35:
            return across(step, E, M, N, 0, 5)
        if step[BOUND] <= 0.9:
            return across(step, E, M, N, 0, 6)
        if step[BOUND] <= 2.4:
            return across(step, E, M, N, 1, 6)
        if step[BOUND] <= 9.6:
            return across(step, E, M, N, 2, 6)
        if step[BOUND] <= 64.0:
            return across(step, E, M, N, 2, 8)
        return across(step, E, M, N, 3, 9)

    chosen.__module__, chosen.__name__, chosen.__doc__ = function.__module__, function.__name__, function.__doc__
    chosen.__qualname__ = f"{function.__qualname__}_by_length"  # its name in the cache of kernels
    return loose(chosen)


@kernel
def phases(profile: Profile, s: int, low: float, high: float):
    """Bounds of q^2 and of -q^2 of one step over segment s, for all energies between low and high [eV]."""
    left, right, by_energy = profile.left[s], profile.right[s], profile.length[s] ** 2 * profile.mass[s] * K0
    U, tilt = 0.5 * (left + right), abs(right - left)
    spread = by_energy * (0.5 * tilt + abs(profile.curve[s])) + (by_energy * tilt) ** 2 / 120.0
    return by_energy * max(U - low, 0.0) + spread, by_energy * max(high - U, 0.0) + spread


@bare
def steepest(tolerance: float) -> float:
    """Largest |k| of one step for a relative error of T."""
    return min(STEEP * math.sqrt(tolerance / 1e-4), STEEPEST)


@kernel
def pieces(profile: Profile, s: int, decay: float, phase: float) -> int:
    """Number of steps on segment s with these bounds of q^2 and -q^2: each has at most DECAY, PHASE, steep and CURVED.

    |k| is the length of a step in units of that over which the wave turns on the slope, cubed.
    """
    by_energy, length2 = profile.length[s] ** 2 * profile.mass[s] * K0, max(decay / DECAY, phase / PHASE)
    k, curved = by_energy * abs(profile.right[s] - profile.left[s]), by_energy * abs(profile.curve[s])
    n = int(math.ceil(math.sqrt(length2))) if length2 > 1.0 else 1
    n = max(n, int(math.ceil((k / profile.steep) ** (1.0 / 3.0)))) if k > profile.steep else n
    return max(n, int(math.ceil((curved / CURVED) ** 0.25))) if curved > CURVED else n


@bare
def part_of_curve(start: float, end: float):
    """Legendre polynomial P2 of a segment on a part of it: linear part at both ends of the part, and factor of its curve.

    start, end : of the part, as fractions of the segment
    """
    width, centre = end - start, start + end - 1.0
    mean, tilt = 1.5 * centre * centre - 0.5 + 0.5 * width * width, 3.0 * centre * width
    return mean - tilt, mean + tilt, width * width


@apart
def refine(profile: Profile, low: float, high: float):
    """Segments as the list of steps (length, left, right, mass, bound of |q^2|, curve) and the segment each belongs to."""
    S, count = profile.length.size, 0
    q2, number = np.empty(S), np.empty(S, np.int64)
    for s in range(S):
        decay, phase = phases(profile, s, low, high)
        q2[s] = max(decay, phase)
        number[s] = pieces(profile, s, decay, phase)
        count += number[s]
    steps = np.empty((count, STEP))
    owner = np.empty(count, np.int64)
    j = 0
    for s in range(S):
        n = number[s]
        slope = (profile.right[s] - profile.left[s]) / n
        for i in range(n):
            steps[j, LENGTH] = profile.length[s] / n
            at_left, at_right, own = part_of_curve(i / n, (i + 1) / n)
            steps[j, LEFT] = profile.left[s] + slope * i + profile.curve[s] * at_left
            steps[j, RIGHT] = profile.left[s] + slope * (i + 1) + profile.curve[s] * at_right
            steps[j, CURVE] = profile.curve[s] * own
            steps[j, MASS] = profile.mass[s]
            steps[j, BOUND] = q2[s] / (n * n)
            owner[j] = s
            j += 1
    return steps, owner


@kernel
def padded(values: np.ndarray, fill: float) -> np.ndarray:
    """values (n,) with `fill` behind them up to a multiple of LANES."""
    out = np.full(-(-values.size // LANES) * LANES, fill)
    copy(values, out)
    return out


@spliced
def step_numbers(step: np.ndarray):
    """h m, h k0, k and g/(d2S/dx2) of a step, and the band U [eV] from which its r counts, r = h k0 (U - E)."""
    h, U0, U1 = step[LENGTH], step[LEFT], step[RIGHT]
    hm, hk = h * step[MASS], h * K0
    k = hm * hk * (U1 - U0)
    return hm, hk, k, 2.0 * hm * hk * step[CURVE], 0.5 * (U0 + U1) - k * k / (120.0 * hm * hk)


@spliced
def step_matrix(hm: float, hk: float, k: float, curve: float, r: float, halvings: int, terms: int):
    """Matrix of one step of `refine` from right to left, the inverse of that to the right, and its derivative by E.

    hm, hk, k, curve : of `step_numbers`   r : hk (U - E)   halvings, terms : of `cosh_sinh`. Entries row by row.
    """
    C, S, dS, ddS, dddS = cosh_sinh(hm * r, halvings, terms)
    D, g, by_E = -0.5 * k * dS, curve * ddS, -hm * hk
    dD, dg = -0.5 * k * ddS * by_E, curve * dddS * by_E
    u = 0.5 * (D * D - hm * r * g * g)  # below 5e-4, see STEEPEST and CURVED: the root to 7e-11
    root, droot = 1.0 + u - 0.5 * u * u, (1.0 - u) * (D * dD - 0.5 * by_E * g * g - hm * r * g * dg)
    rise = droot * C + root * 0.5 * S * by_E
    turn = droot * S + root * dS * by_E
    slopes = rise - dD, -(turn - dg) * hm, -(turn + dg) * r + (root * S + g) * hk, rise + dD
    return (root * C - D, -(root * S - g) * hm, -(root * S + g) * r, root * C + D), slopes


@by_length
def step_back(step: np.ndarray, E: np.ndarray, M: np.ndarray, N: np.ndarray, halvings: int, terms: int):
    """N = A M for all energies, (4, n) each, A the matrix of a step."""
    hm, hk, k, curve, U = step_numbers(step)
    for j in range(E.size):
        a11, a12, a21, a22 = step_matrix(hm, hk, k, curve, hk * (U - E[j]), halvings, terms)[0]
        m11, m12, m21, m22 = M[0, j], M[1, j], M[2, j], M[3, j]
        N[0, j], N[1, j] = a11 * m11 + a12 * m21, a11 * m12 + a12 * m22
        N[2, j], N[3, j] = a21 * m11 + a22 * m21, a21 * m12 + a22 * m22


@kernel
def velocities(profile: Profile, E: np.ndarray):
    """psi'/(i m psi) of the plane waves in the leads [1/m], zero below their band bottoms."""
    left, right = np.empty(E.size), np.empty(E.size)
    for i in range(E.size):
        left[i] = math.sqrt(K0 * max(E[i] - profile.bottom_left, 0.0) / profile.mass_left)
        right[i] = math.sqrt(K0 * max(E[i] - profile.bottom_right, 0.0) / profile.mass_right)
    return left, right


@bare
def scale_down(M: np.ndarray, scale: np.ndarray):
    """Divide the matrices M (rows, n) whose first entry is beyond LARGE by it, and add ln of that to scale (n,)."""
    for i in range(scale.size):
        if abs(M[0, i]) > LARGE:
            f = 1.0 / abs(M[0, i])
            scale[i] -= math.log(f)
            for row in range(M.shape[0]):
                M[row, i] *= f


@kernel
def unit_matrix_at(last: int, count: int, rows: int, n: int) -> np.ndarray:
    """Matrices of a chain (count, rows, n): the unit matrix, in rows 0 to 3, at the last one, where it begins; else 0."""
    M = np.zeros((count, rows, n))
    M[last, 0, :] = 1.0
    M[last, 3, :] = 1.0
    return M


@bare
def carry_back(steps: np.ndarray, E: np.ndarray, M: np.ndarray, scale: np.ndarray, keep: bool):
    """Fill M of `transfer_matrices` from its last matrix on, and scale (n,) without keep."""
    for j in range(steps.shape[0] - 1, -1, -1):
        b = M[j if keep else j % 2]
        step_back(steps[j], E, M[j + 1 if keep else (j + 1) % 2], b)
        if not keep and j % SCALED_EVERY == 0:
            scale_down(b, scale)


@apart
def transfer_matrices(steps: np.ndarray, E: np.ndarray, keep: bool):
    """Matrices M from the right end to the left end of the chain, and ln of the factor taken out of each.

    steps : (J, STEP)   E : (n,) eV. With keep, M is (J + 1, 4, n), M[j] holding the product of steps j..J-1; without, two
    buffers take turns (old and new apart, or the loop over energies cannot be vectorised) and M is (2, 4, n), M[0] final.
    """
    J = steps.shape[0]
    M = unit_matrix_at(J if keep else J % 2, J + 1 if keep else 2, 4, E.size)
    scale = np.zeros(E.size)
    carry_back(steps, E, M, scale, keep)
    return M, scale


@kernel
def transfer_matrix_transmission(profile: Profile, E: np.ndarray) -> np.ndarray:
    """Transmission T(E) [1] through the profile, for energies E (n,) [eV]; exact for flat segments.

    T = 4 v_l v_r / [(v_l M11 + v_r M22)^2 + (v_l v_r M12 - M21)^2], zero where a lead has no wave.
    """
    return transfer_matrix_transmission_within(profile, E, E[0], E[-1])[0]


@apart
def transfer_matrix_transmission_within(profile: Profile, E: np.ndarray, low: float, high: float):
    """As `transfer_matrix_transmission`, with steps that serve all energies from low to high [eV], and the wave z (2, n).

    z is (v_l M11 + v_r M22) + i (v_l v_r M12 - M21), the incoming wave of one that goes out, to a factor: T ~ 1/|z|^2.
    """
    steps, _ = refine(profile, low, high)
    M, scale = transfer_matrices(steps, padded(E, high), False)
    left, right = velocities(profile, E)
    T, z = np.empty(E.size), np.empty((2, E.size))
    for i in range(E.size):
        a = left[i] * M[0, 0, i] + right[i] * M[0, 3, i]
        b = left[i] * right[i] * M[0, 1, i] - M[0, 2, i]
        T[i] = 4.0 * left[i] * right[i] / (a * a + b * b) * math.exp(-2.0 * scale[i])
        z[0, i], z[1, i] = a, b
    return T, z


def transmission_of_model(model: str, formula):
    """Kernel as `transmission` of a model with a formula of its own."""
    compiled = apart(formula)

    def own(profile, E, low, high):
        return compiled(profile, E), np.zeros((2, E.size))

    own.__qualname__ = f"transmission_{model}"  # in the cache of kernels
    return apart(own)


FORMULAS = {
    TRANSMISSIONS[name]: transmission_of_model(name, model.transmission)
    for name, model in TRANSMISSION_MODELS.items()
    if model.transmission is not None
}


@chosen(FORMULAS, "model", apart)
def transmission(model: int, profile: Profile, E: np.ndarray, low: float, high: float):
    """T(E) by a model, and the wave z (2, n) of the transfer matrix, 0 in other models.

    model : code of TRANSMISSIONS   E : (n,) [eV] between low and high, for which the steps are chosen
    """
    return transfer_matrix_transmission_within(profile, E, low, high)


@kernel
def well(profile: Profile):
    """Range of energies [eV] at which a well between two barriers can hold a resonance: (lowest bottom, highest brim).

    The brim is the lower of the two barriers. A well counts if the phase across it at its brim is HELD or more. The bottom
    is above the brim where there is no well.
    """
    S = profile.length.size
    before = np.empty(S)  # highest band to the left of a segment
    highest = -math.inf
    for s in range(S):
        before[s] = highest
        highest = max(highest, profile.left[s], profile.right[s])
    bottom, brim, highest = math.inf, -math.inf, -math.inf
    deepest, top, turn = math.inf, -math.inf, 0.0  # of the well that is being crossed
    for s in range(S - 1, -1, -1):
        lowest, rim = min(profile.left[s], profile.right[s]), min(before[s], highest)
        highest = max(highest, profile.left[s], profile.right[s])
        if lowest >= rim:
            deepest, top, turn = math.inf, -math.inf, 0.0
            continue
        turn += profile.length[s] * math.sqrt(profile.mass[s] * K0 * (rim - lowest))
        deepest, top = min(deepest, lowest), max(top, rim)
        if turn > HELD:
            bottom, brim = min(bottom, deepest), max(brim, top)
    return bottom, brim


@by_length
def adjoint_step(step: np.ndarray, E: np.ndarray, N: np.ndarray, L: np.ndarray, halvings: int, terms: int):
    """Derivatives of sum_E weight ln T by U0, U1, h and curve of one step; carry the adjoint L across it.

    N : (4, n) matrix to the right of the step   L : (4, n) weight d ln T/dM of the matrix that includes the step, in place
    """
    h, U0, U1, m = step[LENGTH], step[LEFT], step[RIGHT], step[MASS]
    hm, hk = h * m, h * K0
    k = hm * hk * (U1 - U0)
    shift = k * k / (120.0 * hm)
    U, curve = 0.5 * (U0 + U1) - shift / hk, 2.0 * hm * hk * step[CURVE]
    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
    for j in range(E.size):
        r = hk * (U - E[j])
        C, S, dS, ddS, dddS = cosh_sinh(hm * r, halvings, terms)
        D, g = -0.5 * k * dS, curve * ddS
        u = 0.5 * (D * D - hm * r * g * g)
        root = 1.0 + u - 0.5 * u * u
        l11, l12, l21, l22 = L[0, j], L[1, j], L[2, j], L[3, j]
        n11, n12, n21, n22 = N[0, j], N[1, j], N[2, j], N[3, j]
        g11, g12 = l11 * n11 + l12 * n12, l11 * n21 + l12 * n22
        g21, g22 = l21 * n11 + l22 * n12, l21 * n21 + l22 * n22
        side = hm * g12 + r * g21
        by_u = (1.0 - u) * (C * (g11 + g22) - S * side)
        by_D = D * by_u - (g11 - g22)
        by_g = hm * g12 - r * g21 - hm * r * g * by_u
        by_x = root * (0.5 * S * (g11 + g22) - dS * side) - 0.5 * k * ddS * by_D - 0.5 * g * g * by_u
        by_x += curve * dddS * by_g
        by_r = -(root * S + g) * g21 + hm * by_x
        by_hm = -(root * S - g) * g12 + r * by_x
        by_k = -0.5 * dS * by_D - k / (60.0 * hm) * by_r
        s0 += by_k
        s1 += by_r
        s2 += 2.0 * k * by_k + (r + 2.0 * shift) * by_r + hm * by_hm + 2.0 * g * by_g
        s3 += ddS * by_g
        a11, a12, a21, a22 = root * C - D, -(root * S - g) * hm, -(root * S + g) * r, root * C + D
        L[0, j], L[1, j] = a11 * l11 + a21 * l21, a11 * l12 + a21 * l22
        L[2, j], L[3, j] = a12 * l11 + a22 * l21, a12 * l12 + a22 * l22
    return 0.5 * hk * s1 - hm * hk * s0, 0.5 * hk * s1 + hm * hk * s0, s2 / h, 2.0 * hm * hk * s3


@apart
def transfer_matrix_sensitivity(profile: Profile, E: np.ndarray, weight: np.ndarray, low: float, high: float):
    """sum_E weight d ln T/d(left, right, length, curve) of each segment (4, S), and by the bottoms of the leads (2,)."""
    steps, owner = refine(profile, low, high)
    total, leads = np.zeros((4, profile.length.size)), np.zeros(2)
    for i in range(0, E.size, AT_ONCE):
        some = slice(i, min(i + AT_ONCE, E.size))
        add_sensitivity(profile, steps, owner, padded(E[some], high), padded(weight[some], 0.0), total, leads)
    return total, leads


@apart
def add_sensitivity(
    profile: Profile,
    steps: np.ndarray,
    owner: np.ndarray,
    E: np.ndarray,
    weight: np.ndarray,
    total: np.ndarray,
    leads: np.ndarray,
):
    """Add the part of some energies E (n,) to total (4, S) and leads (2,).

    steps, owner : of `refine`
    """
    M, _ = transfer_matrices(steps, E, True)
    left, right = velocities(profile, E)
    L = np.empty((4, E.size))
    for i in range(E.size):
        m11, m12, m21, m22 = M[0, 0, i], M[0, 1, i], M[0, 2, i], M[0, 3, i]
        l, r = left[i], right[i]
        a, b = l * m11 + r * m22, l * r * m12 - m21
        f = -2.0 * weight[i] / (a * a + b * b)
        L[0, i], L[1, i], L[2, i], L[3, i] = f * a * l, f * b * l * r, -f * b, f * a * r
        # v = sqrt(k0 (E - U)/m): dv/dU = -k0/(2 m v)
        by_left = weight[i] / l + f * (a * m11 + b * r * m12)
        by_right = weight[i] / r + f * (a * m22 + b * l * m12)
        leads[0] -= by_left * K0 / (2.0 * profile.mass_left * l)
        leads[1] -= by_right * K0 / (2.0 * profile.mass_right * r)
    segment, first = -1, 0
    for j in range(steps.shape[0]):
        by_U0, by_U1, by_h, by_curve = adjoint_step(steps[j], E, M[j + 1], L)
        s = owner[j]
        if s != segment:
            segment, first = s, j
        n = int(round(profile.length[s] / steps[j, LENGTH]))
        f0, f1 = (j - first) / n, (j - first + 1) / n
        total[0, s] += by_U0 * (1.0 - f0) + by_U1 * (1.0 - f1)
        total[1, s] += by_U0 * f0 + by_U1 * f1
        total[2, s] += by_h / n
        at_left, at_right, own = part_of_curve(f0, f1)
        total[3, s] += by_U0 * at_left + by_U1 * at_right + by_curve * own


def sensitivity_of_model(model: str, formula):
    """Kernel as `sensitivity` of a model with a formula of its own."""
    compiled = apart(formula)

    def own(profile, E, weight, low, high):
        return compiled(profile, E, weight), np.zeros(2)

    own.__qualname__ = f"sensitivity_{model}"  # in the cache of kernels
    return apart(own)


SLOPE_FORMULAS = {
    TRANSMISSIONS[name]: sensitivity_of_model(name, model.sensitivity)
    for name, model in TRANSMISSION_MODELS.items()
    if model.sensitivity is not None
}


@chosen(SLOPE_FORMULAS, "model", apart)
def sensitivity(model: int, profile: Profile, E: np.ndarray, weight: np.ndarray, low: float, high: float):
    """sum_E weight d ln T/d(left, right, length, curve) per segment (4, S), and by the band bottoms of the leads (2,).

    model : code of TRANSMISSIONS   E, weight : (n,), E in eV
    low, high : [eV] the range for which T was computed; it sets the steps, and E may be part of it
    """
    return transfer_matrix_sensitivity(profile, E, weight, low, high)
