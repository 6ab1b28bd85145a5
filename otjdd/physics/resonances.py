"""Spectrum for the slopes of a current through narrow levels.

T(E) rises and falls within the width of a level. Its slopes by the band are as large as one over that width and have both
signs, and their sum is far smaller than the error of a rule that is good enough for the current. In a film of 46 nm the
slope of ln G by V came out between -1000 and 800/V in place of -30/V. A level moves as a whole, dT/d(anything) = -v dT/dE,
so a rule that is exact for dT/dE is good for all of them. With s the supply, its integral over a panel is known:

    int T' s dE = [T s] - int T s' dE

The least change of the weights w_i of a panel that makes its rule give this is, with e_i = d ln T/dE,

    w_i -> w_i (1 - e_i Q/R)        Q = sum w_i (e_i + s'_i/s_i) - [T s]        R = sum w_i e_i^2
"""

import math

import numpy as np

from otjdd.compiler.decorators import apart, deferred, kernel
from otjdd.physics.current import POINTS, Spectrum
from otjdd.physics.supply import log_supply_slope_by_energy, supply
from otjdd.physics.tunnelling import (
    K0,
    LOOKS,
    Profile,
    by_length,
    padded,
    refine,
    scale_down,
    step_matrix,
    step_numbers,
    unit_matrix_at,
    velocities,
)


@by_length
def step_back_with_slope(step: np.ndarray, E: np.ndarray, M: np.ndarray, N: np.ndarray, halvings: int, terms: int):
    """As `tunnelling.step_back`, with derivatives by E: M and N are (8, n), the matrix and its derivative."""
    hm, hk, k, curve, U = step_numbers(step)
    for j in range(E.size):
        (a11, a12, a21, a22), (b11, b12, b21, b22) = step_matrix(hm, hk, k, curve, hk * (U - E[j]), halvings, terms)
        m11, m12, m21, m22 = M[0, j], M[1, j], M[2, j], M[3, j]
        N[0, j], N[1, j] = a11 * m11 + a12 * m21, a11 * m12 + a12 * m22
        N[2, j], N[3, j] = a21 * m11 + a22 * m21, a21 * m12 + a22 * m22
        N[4, j] = a11 * M[4, j] + a12 * M[6, j] + b11 * m11 + b12 * m21
        N[5, j] = a11 * M[5, j] + a12 * M[7, j] + b11 * m12 + b12 * m22
        N[6, j] = a21 * M[4, j] + a22 * M[6, j] + b21 * m11 + b22 * m21
        N[7, j] = a21 * M[5, j] + a22 * M[7, j] + b21 * m12 + b22 * m22


@apart
def matrices_with_slopes(steps: np.ndarray, E: np.ndarray):
    """Matrix of the chain and its derivative by E (8, n), and ln of the factor taken out of both, at energies E (n,)."""
    M, scale = unit_matrix_at(steps.shape[0] % 2, 2, 8, E.size), np.zeros(E.size)
    for j in range(steps.shape[0] - 1, -1, -1):
        b = M[j % 2]
        step_back_with_slope(steps[j], E, M[(j + 1) % 2], b)
        if j % LOOKS == 0:
            scale_down(b, scale)
    return M[0], scale


@apart
def transmission_with_slope(profile: Profile, E: np.ndarray, low: float, high: float):
    """T(E) and d ln T/dE [1/eV] by the transfer matrix at energies E (n,) between low and high [eV].

    T is 0, and its slope is given as 0, where a lead has no wave.
    """
    M, scale = matrices_with_slopes(refine(profile, low, high)[0], padded(E, high))
    left, right = velocities(profile, E)
    T, slope = np.zeros(E.size), np.zeros(E.size)
    for i in range(E.size):
        l, r = left[i], right[i]
        if not l * r > 0.0:
            continue
        dl, dr = K0 / (2.0 * profile.mass_left * l), K0 / (2.0 * profile.mass_right * r)
        a, b = l * M[0, i] + r * M[3, i], l * r * M[1, i] - M[2, i]
        da = dl * M[0, i] + l * M[4, i] + dr * M[3, i] + r * M[7, i]
        db = (dl * r + l * dr) * M[1, i] + l * r * M[5, i] - M[6, i]
        T[i] = 4.0 * l * r / (a * a + b * b) * math.exp(-2.0 * scale[i])
        slope[i] = dl / l + dr / r - 2.0 * (a * da + b * db) / (a * a + b * b)
    return T, slope


@kernel
def balance(weight: np.ndarray, slope: np.ndarray, by_supply: np.ndarray, gain: float):
    """Change weights w (n,) of a panel as little as makes sum w (d ln T/dE + d ln s/dE) the gain of T s across it."""
    missed, size = -gain, 0.0
    for i in range(weight.size):
        missed += weight[i] * (slope[i] + by_supply[i])
        size += weight[i] * slope[i] * slope[i]
    for i in range(weight.size):
        weight[i] *= 1.0 - (slope[i] * missed / size if size > 0.0 else 0.0)


@deferred
def balanced(
    profile: Profile, spectrum: Spectrum, edges: np.ndarray, V: float, kT: float, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Energies and weights of a spectrum by the transfer matrix, on panels with these edges [eV], good for its slopes.

    least : weight, below which an energy is left out
    """
    chosen, count = np.empty(spectrum.energy.size, np.int64), 0
    for i in range(spectrum.energy.size):
        chosen[count] = i
        count += spectrum.weight[i] > least
    energy, weight = spectrum.energy[chosen[:count]], spectrum.weight[chosen[:count]]
    both = np.concatenate((energy, edges))
    T, slope = transmission_with_slope(profile, both, spectrum.low, spectrum.high)
    by_supply = np.empty(count)
    for i in range(count):
        by_supply[i] = log_supply_slope_by_energy(energy[i], V, kT)
    start = 0
    for p in range(edges.size - 1):
        end = start
        while end < count and chosen[end] < (p + 1) * POINTS:
            end += 1
        gain = T[count + p + 1] * supply(edges[p + 1], V, kT) - T[count + p] * supply(edges[p], V, kT)
        balance(weight[start:end], slope[start:end], by_supply[start:end], gain)
        start = end
    return energy, weight
