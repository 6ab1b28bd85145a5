"""Transmission of electrons through a band profile: the transfer matrix, and the other models of `laws.transmission`.

A profile is a chain of segments on which the band edge U is linear, between two leads with flat bands. With
p = psi'/m the Schroedinger equation of BenDaniel & Duke, Phys. Rev. 152, 683 (1966), is

    d/dx (psi, p) = A (psi, p),   A = [[0, m], [k0 (U - E), 0]],   k0 = 2 m0 e/hbar^2.

Over a segment of length h, with the entire functions C = cosh(q), S = sinh(q)/q of x = q^2 = h m r, one step is

    sqrt(1 + D^2) (C I + S [[0, h m], [r, 0]]) + D [[1, 0], [0, -1]],   D = -(k/2) dS/dx,

with k = h^2 m k0 (U_1 - U_0) and r = h k0 (U_mid - E) - k^2/(120 h m). The step is exact for a flat segment, and to first
order in the slope k for a segment of any length. Its second-order terms are chosen so that it agrees with the sixth-order
Magnus step (Blanes et al., Phys. Rep. 470, 151 (2009)) to h^6. Its determinant is 1, so the flux is conserved. The Magnus
step itself is not used: its series has a pole at q = i pi, which is a segment half a wavelength long. Errors of such
segments added up, and the current of a tilted film jumped by 4 % where the number of steps changed with the voltage.
One formula serves energies below and above the band edge, so the compiler vectorises the loop over energies.

The matrix is carried from the transmitted side towards the source. In a barrier the decaying wave grows in this direction,
all terms of a sum have one sign, and T keeps its relative accuracy down to the smallest doubles.
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, kernel, loose, spliced
from otjdd.laws.transmission import K0, MODELS, Profile
from otjdd.physics.numerics import copy

TRANSMISSIONS = {name: code for code, name in enumerate(MODELS)}  # name in a case -> code
TRANSFER_MATRIX = TRANSMISSIONS["transfer-matrix"]

PHASE = 64.0  # largest -q^2 of one step where the electron is a wave; the functions of a step are exact to 2e-10
DECAY = 16.0  # largest q^2 of one step in a barrier: its error, of second order in k, grows as e^q
SHORT = 0.9  # the same for fewer terms; most steps through an oxide are shorter still
STEEP = 0.1  # largest |k| of one step: 0.46 of the length over which the wave turns on the slope; the current is then
# within 1e-4 of that of far shorter steps in films of 15 to 56 nm at 15 V
SLOPE = tuple((k + 1.0) / math.factorial(2 * k + 3) for k in range(8))  # d/dx of S = sinh(q)/q, by powers of x = q^2
CURVE = tuple((k + 1.0) * (k + 2.0) / math.factorial(2 * k + 5) for k in range(8))  # and d2S/dx2
LANES = 16  # energies that a vectorised loop takes at once; the remainder loop is slow: 15 energies take as long as 28
# columns of the table of steps of `refine`
STEP = 5
LENGTH, LEFT, RIGHT, MASS, BOUND = range(STEP)  # m, eV, eV, m0, bound of |q^2|
HELD = 0.5 * math.pi  # least phase across a well that counts: half of that of the lowest level between hard walls
LARGE = 1e100  # entries beyond this are scaled down, so that the squares stay finite


@loose
def doubled(c: float, s: float, ds: float, dds: float):
    """C, S, dS/dx and d2S/dx2 of 4 x, the double of q, from those of x."""
    return 2.0 * c * c - 1.0, s * c, 0.25 * (ds * c + 0.5 * s * s), 0.0625 * (dds * c + 1.5 * s * ds)


@loose
def cosh_sinh(x: float):
    """C = cosh(q), S = sinh(q)/q, dS/dx and d2S/dx2 of x = q^2, for |x| <= PHASE, either sign.

    Taylor series at y = x/16 (to y^7; the next terms are below 3e-11), then twice the formulas of the double argument.
    """
    y, ds, dds = 0.0625 * x, 0.0, 0.0
    for k in range(7, -1, -1):
        ds = SLOPE[k] + y * ds
        dds = CURVE[k] + y * dds
    s = 6.0 * ds + 4.0 * y * dds  # C = S + 2 x dS, C' = S/2
    c, s, ds, dds = doubled(s + 2.0 * y * ds, s, ds, dds)
    return doubled(c, s, ds, dds)


@loose
def short_cosh_sinh(x: float):
    """As `cosh_sinh`, for |x| <= SHORT: the series itself, whose next terms are below 2e-11."""
    ds, dds = 0.0, 0.0
    for k in range(5, -1, -1):
        ds = SLOPE[k] + x * ds
        dds = CURVE[k] + x * dds
    s = 6.0 * ds + 4.0 * x * dds
    return s + 2.0 * x * ds, s, ds, dds


@kernel
def phases(length: float, left: float, right: float, mass: float, low: float, high: float):
    """Bounds of q^2 and of -q^2 of one step over a segment, for all energies between low and high [eV]."""
    U, tilt, by_energy = 0.5 * (left + right), abs(right - left), length * length * mass * K0
    spread = 0.5 * by_energy * tilt + steepness(length, left, right, mass) ** 2 / 120.0
    return by_energy * max(U - low, 0.0) + spread, by_energy * max(high - U, 0.0) + spread


@kernel
def steepness(length: float, left: float, right: float, mass: float) -> float:
    """|k| of one step over a segment: its length in units of that over which the wave turns on the slope, cubed."""
    return length * length * mass * K0 * abs(right - left)


@kernel
def pieces(decay: float, phase: float, k: float) -> int:
    """Number of steps on a segment with these bounds of q^2, -q^2 and |k|: each has at most DECAY, PHASE and STEEP."""
    length2 = max(decay / DECAY, phase / PHASE)
    n = int(math.ceil(math.sqrt(length2))) if length2 > 1.0 else 1
    return max(n, int(math.ceil((k / STEEP) ** (1.0 / 3.0)))) if k > STEEP else n


@apart
def refine(profile: Profile, low: float, high: float):
    """Segments as the list of steps (length, left, right, mass, bound of |q^2|) and the segment each belongs to."""
    S, count = profile.length.size, 0
    q2, number = np.empty(S), np.empty(S, np.int64)
    for s in range(S):
        h, U0, U1, m = profile.length[s], profile.left[s], profile.right[s], profile.mass[s]
        decay, phase = phases(h, U0, U1, m, low, high)
        q2[s] = max(decay, phase)
        number[s] = pieces(decay, phase, steepness(h, U0, U1, m))
        count += number[s]
    steps = np.empty((count, STEP))
    owner = np.empty(count, np.int64)
    j = 0
    for s in range(S):
        n = number[s]
        slope = (profile.right[s] - profile.left[s]) / n
        for i in range(n):
            steps[j, LENGTH] = profile.length[s] / n
            steps[j, LEFT] = profile.left[s] + slope * i
            steps[j, RIGHT] = profile.left[s] + slope * (i + 1)
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
    """h m, h k0 and k of a step, and the band U [eV] from which its r counts, r = h k0 (U - E)."""
    h, U0, U1 = step[LENGTH], step[LEFT], step[RIGHT]
    hm, hk = h * step[MASS], h * K0
    k = hm * hk * (U1 - U0)
    return hm, hk, k, 0.5 * (U0 + U1) - k * k / (120.0 * hm * hk)


@spliced
def step_matrix(hm: float, hk: float, k: float, r: float, short: bool):
    """Matrix of one step of `refine` from right to left, the inverse of that to the right, and its derivative by E.

    hm, hk, k : of `step_numbers`   r : hk (U - E)   short : |hm r| is below SHORT. Entries row by row.
    """
    C, S, dS, ddS = short_cosh_sinh(hm * r) if short else cosh_sinh(hm * r)
    D, by_E = -0.5 * k * dS, -hm * hk
    u, dD = 0.5 * D * D, -0.5 * k * ddS * by_E  # u is below 5e-4, see STEEP: the root of 1 + D^2 to 7e-11
    root, droot = 1.0 + u - 0.5 * u * u, (1.0 - u) * D * dD
    rise = droot * C + root * 0.5 * S * by_E
    turn = droot * S + root * dS * by_E
    slopes = rise - dD, -turn * hm, -turn * r + root * S * hk, rise + dD
    return (root * C - D, -root * S * hm, -root * S * r, root * C + D), slopes


@loose
def step_back(step: np.ndarray, E: np.ndarray, M: np.ndarray, N: np.ndarray):
    """N = A M for all energies, (4, n) each, A the matrix of a step."""
    (hm, hk, k, U), short = step_numbers(step), step[BOUND] <= SHORT
    for j in range(E.size):
        a11, a12, a21, a22 = step_matrix(hm, hk, k, hk * (U - E[j]), short)[0]
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


@apart
def transfer_matrices(steps: np.ndarray, E: np.ndarray, keep: bool):
    """Matrices M from the right end to the left end of the chain, and ln of the factor taken out of each.

    steps : (J, STEP)   E : (n,) eV. With keep, M is (J + 1, 4, n), M[j] holding the product of steps j..J-1; without, two
    buffers take turns (old and new apart, or the loop over energies cannot be vectorised) and M is (2, 4, n), M[0] final.
    """
    J = steps.shape[0]
    M = np.zeros((J + 1 if keep else 2, 4, E.size))
    last = J if keep else J % 2
    M[last, 0, :] = 1.0
    M[last, 3, :] = 1.0
    scale = np.zeros(E.size)
    for j in range(J - 1, -1, -1):
        b = M[j if keep else j % 2]
        step_back(steps[j], E, M[j + 1 if keep else (j + 1) % 2], b)
        # at most e^8 per step and 1e10 from psi to p: looking every 32 steps leaves room to the largest double
        if not keep and j % 32 == 0:
            for i in range(E.size):
                if abs(b[0, i]) > LARGE:
                    f = 1.0 / abs(b[0, i])
                    scale[i] -= math.log(f)
                    b[0, i] *= f
                    b[1, i] *= f
                    b[2, i] *= f
                    b[3, i] *= f
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


@apart
def transfer_matrix(model: int, profile: Profile, E: np.ndarray, low: float, high: float):
    """T(E) and the wave z by the transfer matrix, whatever the model."""
    return transfer_matrix_transmission_within(profile, E, low, high)


def with_model(code: int, formula, others):
    """Kernel as `transmission` that knows one model more than `others`: a branch for its code."""
    compiled = apart(formula)

    def knowing(model, profile, E, low, high):
        if model == code:
            return compiled(profile, E), np.zeros((2, E.size))
        return others(model, profile, E, low, high)

    knowing.__qualname__ = f"transmission_{code}"  # its name in the cache of kernels
    return apart(knowing)


models = transfer_matrix
for name, code in TRANSMISSIONS.items():
    if MODELS[name].transmission is not None:
        models = with_model(code, MODELS[name].transmission, models)


@apart
def transmission(model: int, profile: Profile, E: np.ndarray, low: float, high: float):
    """T(E) by a model, and the wave z (2, n) of the transfer matrix, 0 in other models.

    model : code of TRANSMISSIONS   E : (n,) [eV] between low and high, for which the steps are chosen
    """
    return models(model, profile, E, low, high)


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
