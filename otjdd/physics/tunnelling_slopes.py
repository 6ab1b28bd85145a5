"""Derivatives of the transmission by the band profile, for all models: sums over energies of d ln T.

The derivative of the transfer matrix is taken backwards: one pass carries d ln T/dM through the chain of steps, at the
cost of about one more pass, whatever the number of segments.
"""

import numpy as np

from otjdd.compiler.decorators import apart
from otjdd.laws.transmission import MODELS
from otjdd.physics.tunnelling import (
    CURVE,
    K0,
    LEFT,
    LENGTH,
    MASS,
    RIGHT,
    TRANSMISSIONS,
    Profile,
    by_length,
    cosh_sinh,
    padded,
    part_of_curve,
    refine,
    transfer_matrices,
    velocities,
)

AT_ONCE = 512  # energies of one pass, whose matrices are all kept: 10 MB and not 100 in half a micrometre


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


@apart
def by_transfer_matrix(model: int, profile: Profile, E: np.ndarray, weight: np.ndarray, low: float, high: float):
    """As `sensitivity`, by the transfer matrix, whatever the model."""
    return transfer_matrix_sensitivity(profile, E, weight, low, high)


def with_model(code: int, formula, others):
    """Kernel as `sensitivity` that knows one model more than `others`: a branch for its code."""
    compiled = apart(formula)

    def knowing(model, profile, E, weight, low, high):
        if model == code:
            return compiled(profile, E, weight), np.zeros(2)
        return others(model, profile, E, weight, low, high)

    knowing.__qualname__ = f"sensitivity_{code}"  # its name in the cache of kernels
    return apart(knowing)


models = by_transfer_matrix
for name, code in TRANSMISSIONS.items():
    if MODELS[name].sensitivity is not None:
        models = with_model(code, MODELS[name].sensitivity, models)


@apart
def sensitivity(model: int, profile: Profile, E: np.ndarray, weight: np.ndarray, low: float, high: float):
    """sum_E weight d ln T/d(left, right, length, curve) per segment (4, S), and by the band bottoms of the leads (2,).

    model : code of TRANSMISSIONS   E, weight : (n,), E in eV
    low, high : [eV] the range for which T was computed; it sets the steps, and E may be part of it
    """
    return models(model, profile, E, weight, low, high)
