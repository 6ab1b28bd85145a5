"""Transmission against closed forms in extended precision: rectangular and linear barriers, WKB, sensitivities."""

import mpmath
import numpy as np
import pytest
from devices import COMPILED

from otjdd.physics.channels import transmission_with_slope
from otjdd.physics.tunnelling import (
    DECAY,
    K0,
    PHASE,
    STEEPEST,
    TRANSMISSIONS,
    Profile,
    refine,
    sensitivity,
    steepest,
    transfer_matrix_transmission,
    well,
)
from otjdd.physics.tunnelling import (
    transmission as by_model,
)

models = pytest.mark.parametrize("model", TRANSMISSIONS.values(), ids=list(TRANSMISSIONS))


def chain(ends, length, mass=1.0, leads=(-5.0, -0.1), lead_masses=(1.0, 1.3)):
    """Profile of equal segments through the band edges `ends` [eV] (S + 1,)."""
    ends = np.asarray(ends, dtype=float)
    S = ends.size - 1
    masses = np.full(S, float(mass))
    return Profile(np.full(S, length / S), ends[:-1].copy(), ends[1:].copy(), masses, np.zeros(S), *leads, *lead_masses)


def exact_rectangular(profile, E):
    """T through one flat segment between two leads, any masses."""
    with mpmath.workdps(60):
        E, U, m = mpmath.mpf(E), mpmath.mpf(profile.left[0]), mpmath.mpf(profile.mass[0])
        vl = mpmath.sqrt(K0 * (E - profile.bottom_left) / profile.mass_left)
        vr = mpmath.sqrt(K0 * (E - profile.bottom_right) / profile.mass_right)
        kappa = mpmath.sqrt(m * K0 * (U - E))  # imaginary above the barrier
        q = kappa * mpmath.fsum(profile.length)
        c, s = mpmath.cosh(q), mpmath.sinh(q)
        # (psi, psi'/m) across the segment backwards: [[c, -m s/kappa], [-kappa s/m, c]]
        a, b = (vl + vr) * c, vl * vr * -m * s / kappa + kappa * s / m
        return 4 * vl * vr / mpmath.re(a * a + b * b)


def exact_transmission(layers, leads, E):
    """T at an energy [eV] through layers of a straight band, by Airy functions and flux-conserving matching.

    layers : length [m], band at both ends [eV], mass [m0]   leads : band bottom [eV] and mass of the left and the right one
    """
    M = mpmath.eye(2)
    for length, U0, U1, m in layers:
        F = (mpmath.mpf(U1) - U0) / length
        scale, columns = mpmath.sign(F) * mpmath.cbrt(m * K0 * abs(F)), []
        for U in (U0, U1):
            x = scale * (U - mpmath.mpf(E)) / F
            rows = [[kind(x) for kind in (mpmath.airyai, mpmath.airybi)]]
            rows.append([kind(x, derivative=1) * scale / m for kind in (mpmath.airyai, mpmath.airybi)])
            columns.append(mpmath.matrix(rows))
        (a, b), (c, d) = columns[1].tolist()
        M = M * columns[0] * mpmath.matrix([[d, -b], [-c, a]]) * mpmath.pi * m / scale  # over the Wronskian
    vl, vr = (mpmath.sqrt(K0 * (E - bottom) / mass) for bottom, mass in leads)
    a, b = vl * M[0, 0] + vr * M[1, 1], vl * vr * M[0, 1] - M[1, 0]
    return 4 * vl * vr / (a * a + b * b)


def exact_linear(profile, E):
    """T through one straight band."""
    leads = (profile.bottom_left, profile.mass_left), (profile.bottom_right, profile.mass_right)
    with mpmath.workdps(60):
        return exact_transmission(
            [(profile.length.sum(), profile.left[0], profile.right[-1], profile.mass[0])], leads, E
        )


def transmission(profile, *energies):
    return transfer_matrix_transmission(profile, np.array(energies, dtype=float))


@pytest.mark.parametrize(("length", "decades"), [(6e-9, 15), (1.3e-8, 30), (6e-8, 150), (1.1e-7, 290)])
def test_transmission_stays_accurate_however_small_it_is(length, decades):
    profile = chain([0.9, 0.9], length, 0.5)
    for E in (0.0, 0.1):
        exact = float(exact_rectangular(profile, E))
        assert exact < 10.0**-decades
        assert transmission(profile, E)[0] == pytest.approx(exact, rel=1e-10 * length / 1e-9)


@pytest.mark.parametrize("ends", [(0.9, 0.4), (0.3, 1.1), (0.6, -0.05)])
def test_linear_barrier_agrees_with_airy_functions_and_to_the_sixth_order(ends):
    E, errors = 0.1, []
    for segments in (16, 32, 64):
        profile = chain(np.linspace(*ends, segments + 1), 2.5e-9)
        assert refine(profile, E, E)[0].shape[0] == segments
        errors.append(abs(transmission(profile, E)[0] / float(exact_linear(profile, E)) - 1))
    assert errors[1] < 1e-6
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx([6.0, 6.0], abs=0.35)


@pytest.mark.parametrize(("length", "drop"), [(4e-9, 1.0), (5e-9, 2.0)])
def test_a_straight_band_of_one_segment_transmits_to_the_tolerance_of_its_steps(length, drop):
    profile, E = chain([0.8 - drop, 0.8], length, 1.0, (-5.0 - drop, -5.0), (1.0, 1.0)), np.linspace(-0.5, 0.7, 9)
    exact = np.array([float(exact_linear(profile, energy)) for energy in E])
    for tolerance in (1e-4, 3e-6):
        off = transmission(profile._replace(steep=steepest(tolerance)), *E) / exact - 1.0
        assert np.abs(off).max() < tolerance


def random_profile(rng, S=12):
    ends = rng.uniform(0.2, 1.0) + 0.2 * np.cumsum(rng.standard_normal(S + 1)) * S**-0.5
    masses = rng.uniform(0.3, 2.0, S)
    lengths = rng.uniform(0.05e-9, 0.25e-9, S)
    jump = 0.1 * rng.standard_normal(S)
    leads, curve = (rng.uniform(-5, -0.2), rng.uniform(-0.3, -0.02)), 0.05 * rng.standard_normal(S)
    return Profile(lengths, ends[:-1] + jump, ends[1:] + jump, masses, curve, *leads, *rng.uniform(0.5, 2.0, 2))


def test_steps_are_short_enough_for_their_series_at_every_energy():
    rng, largest = np.random.default_rng(3), np.zeros(2)
    for _ in range(50):
        ends = rng.uniform(-3.0, 3.0) + 10.0 ** rng.uniform(-4.0, 0.0) * rng.uniform(-3.0, 3.0, 2)
        profile = chain(ends, 10.0 ** rng.uniform(-10, -8), rng.uniform(0.2, 2.0))
        low, high = np.sort(rng.uniform(-1.0, 2.0, 2))
        steps, owner = refine(profile, low, high)
        assert steps[:, 0].sum() == pytest.approx(profile.length[0], rel=1e-12)
        assert (owner == 0).all()
        h, U0, U1, m, bound, _ = steps.T
        k = h * h * m * K0 * (U1 - U0)
        q2 = np.array([h * h * m * K0 * (0.5 * (U0 + U1) - E) - k * k / 120 for E in (low, high)])
        assert (np.abs(q2).max(axis=0) <= bound * (1 + 1e-12)).all()
        assert np.abs(k).max() <= STEEPEST * (1 + 1e-12)
        largest = np.maximum(largest, [q2.max() / DECAY, -q2.min() / PHASE])
    assert 0.7 < largest.min()
    assert largest.max() <= 1.0 + 1e-12


@pytest.mark.parametrize("backwards", [False, True])
def test_a_well_is_where_a_wave_can_be_caught_between_two_barriers(backwards):
    def caught(*edges, length=8e-9):
        edges = np.array(edges[::-1] if backwards else edges)
        S = edges.size
        return well(
            Profile(np.full(S, length / S), edges.copy(), edges.copy(), np.ones(S), np.zeros(S), -5.0, -0.1, 1.0, 1.0)
        )

    assert caught(0.9, 0.2, 0.1, 0.6) == (0.1, 0.6)
    assert caught(0.9, 0.2, 0.7, 0.1, 0.6) == (0.1, 0.7)
    for none in ((0.1, 0.5, 0.9), (0.9, 0.4, 0.4), (0.3, 0.9, 0.5, 0.2), (0.9, 0.899, 0.9)):
        bottom, brim = caught(*none)
        assert bottom > brim
    bottom, brim = caught(0.9, 0.2, 0.1, 0.6, length=6e-10)  # no room for half a wave
    assert bottom > brim


@models
@pytest.mark.parametrize("E", [0.1, 0.45, 1.0])
def test_few_parabolas_transmit_as_many_straight_lines_through_their_band(model, E):
    """Straight lines with the mean of the band are no match, though WKB makes two of each parabola."""

    def band(S, curved):
        """S pieces of a cosine: mean, tilt and curve are its Legendre moments."""
        nodes, weights = np.polynomial.legendre.leggauss(12)
        x = (np.arange(S)[:, None] + 0.5 + 0.5 * nodes) / S
        U = 0.5 + 0.3 * np.cos(4.0 * x)
        mean, tilt, curve = (U @ (w * weights / 2) for w in (1.0, 3.0 * nodes, 5.0 * (1.5 * nodes**2 - 0.5)))
        one = np.ones(S)
        return Profile(3e-9 * one / S, mean - tilt, mean + tilt, one, curve * curved, -0.3, -0.2, 1.0, 1.0)

    def T(S, curved=1.0):
        return by_model(model, band(S, curved), np.array([E]), E, E)[0][0]

    curved, straight = (abs(T(8, one) / T(400) - 1.0) for one in (1.0, 0.0))
    assert curved < 6e-4
    assert curved <= 0.65 * straight


@models
def test_sensitivity_is_the_derivative_of_the_weighted_logarithm_of_transmission(model):
    rng, function = np.random.default_rng(model), lambda profile, E: by_model(model, profile, E, E[0], E[-1])[0]
    for _ in range(200 if COMPILED else 4):
        profile = random_profile(rng, 4)
        E, weight = np.sort(rng.uniform(0.0, 1.2, 5)), rng.uniform(0.0, 1.0, 5)
        by_segment, by_lead = sensitivity(model, profile, E, weight, E[0], E[-1])

        def value(E=E, weight=weight, **changes):
            return weight @ np.log(function(changes["profile"], E))

        size = np.abs(by_segment[:2]).max()
        s = rng.integers(4)
        for row, name, unit in ((0, "left", 1.0), (1, "right", 1.0), (2, "length", 1e-9), (3, "curve", 1.0)):
            low, high = getattr(profile, name).copy(), getattr(profile, name).copy()
            h = 1e-5 * unit
            low[s] -= h
            high[s] += h
            slope = value(profile=profile._replace(**{name: high})) - value(profile=profile._replace(**{name: low}))
            assert by_segment[row, s] * unit == pytest.approx(slope / 2e-5, rel=2e-4, abs=2e-4 * size)
        for i, name in enumerate(("bottom_left", "bottom_right")):
            around = [value(profile=profile._replace(**{name: getattr(profile, name) + h})) for h in (1e-6, -1e-6)]
            assert by_lead[i] == pytest.approx((around[0] - around[1]) / 2e-6, rel=1e-4, abs=1e-6 * size)


def test_the_slope_of_the_transmission_is_its_difference_and_none_where_a_lead_has_no_wave():
    rng = np.random.default_rng(5)
    for _ in range(10):
        profile, E, h = random_profile(rng), rng.uniform(0.0, 1.2, 6), 1e-6
        low, high = float(E.min()) - 0.01, float(E.max()) + 0.01
        T, slope = transmission_with_slope(profile, E, low, high)
        assert T == pytest.approx(by_model(TRANSMISSIONS["transfer-matrix"], profile, E, low, high)[0], rel=1e-9)
        above, below = (transmission_with_slope(profile, E + d, low, high)[0] for d in (h, -h))
        assert slope == pytest.approx((np.log(above) - np.log(below)) / (2.0 * h), rel=1e-5, abs=1e-5)
    T, slope = transmission_with_slope(profile, np.array([-6.0]), -6.1, 0.0)
    assert T[0] == slope[0] == 0.0


def test_sensitivity_to_many_energies_is_the_sum_of_those_to_some():
    rng = np.random.default_rng(4)
    profile, E, weight = random_profile(rng, 4), np.linspace(0.1, 1.2, 1201), rng.uniform(0.0, 1.0, 1201)
    low, high, model = E[0], E[-1], TRANSMISSIONS["transfer-matrix"]
    whole = sensitivity(model, profile, E, weight, low, high)
    parts = [sensitivity(model, profile, E[i : i + 100], weight[i : i + 100], low, high) for i in range(0, 1201, 100)]
    for of_all, of_some in zip(whole, zip(*parts, strict=True), strict=True):
        assert of_all == pytest.approx(sum(of_some), rel=1e-10, abs=1e-12 * np.abs(of_all).max())
