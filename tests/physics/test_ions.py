"""The hopping flux against its formula in extended precision, and against what thermodynamics asks of it."""

import math

import mpmath
import numpy as np
import pytest
from devices import COMPILED

from otjdd.constants import BOLTZMANN_EV
from otjdd.physics.ions import HOP_CODES, Hopping, Ions, acceleration, flux

KT = 300 * BOLTZMANN_EV
STATES = 200 if COMPILED else 60

laws = pytest.mark.parametrize("law", HOP_CODES.values(), ids=list(HOP_CODES))


def exact_acceleration(ions, E, D0, E_a, kT):
    """g of the three laws as published, in the precision at hand."""
    E, D0, E_a, kT = (mpmath.mpf(x) for x in (E, D0, E_a, kT))
    a = mpmath.mpf(ions.hop)
    u = ions.z * a * E / (2 * kT)
    if ions.law == HOP_CODES["linear"]:
        return mpmath.mpf(1)
    if ions.law == HOP_CODES["mott-gurney"]:
        k = 2 * D0 / (a * a * ions.attempt)
        return mpmath.sinh(u) / u / mpmath.sqrt(1 + (k * mpmath.sinh(u)) ** 2)
    G = ions.z * a * abs(E) / (mpmath.pi * E_a)
    forward, reverse = mpmath.mpf(0), ions.z * a * abs(E)
    if G < 1:
        even = mpmath.sqrt(1 - G * G) + G * mpmath.asin(G)
        forward, reverse = E_a * (even - G * mpmath.pi / 2), E_a * (even + G * mpmath.pi / 2)
    return mpmath.exp(E_a / kT) * (mpmath.exp(-forward / kT) - mpmath.exp(-reverse / kT)) / (2 * abs(u))


def exact_flux(ions, c_l, c_r, E, h, site, D0, E_a, kT):
    c_l, c_r, E, h, site = (mpmath.mpf(x) for x in (c_l, c_r, E, h, site))
    d = (site - ions.z * E * h) / mpmath.mpf(kT)
    back = d / mpmath.expm1(d)
    forth = back + d
    free_l, free_r = 1 - c_l / ions.c_max, 1 - c_r / ions.c_max
    return D0 * exact_acceleration(ions, E, D0, E_a, kT) / h * (back * c_l * free_r - forth * c_r * free_l)


def random_state(rng, law):
    """A species and one face between two cells, from flat to far beyond break-down."""
    ions = Ions(law, int(rng.integers(1, 4)), rng.uniform(1e-10, 6e-10), 1e13, 10.0 ** rng.uniform(27, 29))
    c_l, c_r = ions.c_max * 10.0 ** rng.uniform(-8, -0.01, 2)
    E = rng.choice([-1, 1]) * 10.0 ** rng.uniform(5, 9.7)
    E_a = rng.uniform(0.2, 1.2)
    return ions, c_l, c_r, E, 10.0 ** rng.uniform(-12, -9.5), rng.normal(0, 0.1), 5e-7 * math.exp(-E_a / KT), E_a


@laws
def test_flux_and_its_slopes_agree_with_the_published_law(law):
    rng = np.random.default_rng(law)
    with mpmath.workdps(40):
        for _ in range(STATES):
            ions, c_l, c_r, E, h, site, D0, E_a = random_state(rng, law)
            J, by_left, by_right, by_field = flux(ions, Hopping(D0, E_a, KT), c_l, c_r, E, h, site)

            def exact(c_l, c_r, E, ions=ions, rest=(h, site, D0, E_a)):
                return exact_flux(ions, c_l, c_r, E, *rest, KT)

            # one way of the flux, the larger one: a sum of both ways is exact to round-off of that
            rate = D0 * acceleration(ions, Hopping(D0, E_a, KT), E)[0] / h
            rate *= 1 + abs(site - ions.z * E * h) / KT
            forth = rate * max(c_l, c_r)
            assert pytest.approx(float(exact(c_l, c_r, E)), rel=1e-12, abs=1e-14 * forth) == J
            # J is linear in either concentration
            slope = (exact(2 * c_l, c_r, E) - exact(0, c_r, E)) / (2 * c_l)
            assert by_left == pytest.approx(float(slope), rel=1e-12, abs=1e-14 * rate)
            slope = (exact(c_l, 2 * c_r, E) - exact(c_l, 0, E)) / (2 * c_r)
            assert by_right == pytest.approx(float(slope), rel=1e-12, abs=1e-14 * rate)
            step = mpmath.mpf(10) ** -12 * abs(E)
            slope = (exact(c_l, c_r, E + step) - exact(c_l, c_r, E - step)) / (2 * step)
            pull = abs(ions.z * E) * (h + ions.hop) / KT  # d ln J/d ln E, at most
            assert by_field == pytest.approx(float(slope), rel=1e-10, abs=1e-13 * (1 + pull) * forth / abs(E))


@laws
@pytest.mark.parametrize("E", [1e6, -3e8, 8e8, -1.5e9])
def test_acceleration_and_its_slope_agree_with_the_published_law_in_the_cold(law, E):
    """At 20 K a hop of half an electronvolt is 1e-113, and its cube is no double any more."""
    kT, E_a, ions = 20.0 * BOLTZMANN_EV, 0.45, Ions(law, 2, 0.7e-9, 1e13, 2e28)
    D0 = 5e-7 * math.exp(-E_a / kT)
    with mpmath.workdps(60):
        g, dg = acceleration(ions, Hopping(D0, E_a, kT), E)
        assert g == pytest.approx(float(exact_acceleration(ions, E, D0, E_a, kT)), rel=1e-11)
        step = mpmath.mpf(10) ** -20 * abs(E)
        up, down = (exact_acceleration(ions, E + s, D0, E_a, kT) for s in (step, -step))
        assert dg == pytest.approx(float((up - down) / (2 * step)), rel=1e-9, abs=1e-11 * g / abs(E))


def flux_against(d, c=1e26, h=1e-10, D0=1e-18):
    """Flux out of one filled cell up the slope d into an empty one, and what it should be."""
    ions = Ions(HOP_CODES["linear"], 2, 4e-10, 1e13, 1e40)
    pair = (c, 0.0) if d > 0 else (0.0, c)
    J = flux(ions, Hopping(D0, 0.5, KT), *pair, -d * KT / (ions.z * h), h, 0.0)[0]
    return J, math.copysign(D0 * c / h * abs(d) / math.expm1(abs(d)), d)


@pytest.mark.parametrize("d", [12.0, 20.0, 35.0, -12.0, -20.0, -35.0])
def test_flux_up_a_steep_slope_keeps_its_digits(d):
    J, expected = flux_against(d)
    assert pytest.approx(expected, rel=1e-13) == J


@laws
def test_a_cell_beyond_empty_and_one_beyond_full_come_back(law):
    """The product of both errors would move ions from the first to the second, the faster, the larger both are."""
    ions = Ions(law, 2, 4e-10, 1e13, 1e28)
    barrier, c_l, c_r, h = Hopping(1e-14, 0.5, KT), -0.3e28, 1.6e28, 1e-10
    for E in (3e8, -3e8):
        J, by_left, by_right, by_field = flux(ions, barrier, c_l, c_r, E, h, 0.0)
        assert J < 0.0  # from the full one to the empty one
        mirrored = flux(ions, barrier, c_r, c_l, -E, h, 0.0)
        assert mirrored[0] == pytest.approx(-J, rel=1e-12)
        for slope, change in (
            (by_left, (1e22, 0.0, 0.0)), (by_right, (0.0, 1e22, 0.0)), (by_field, (0.0, 0.0, 1e2)),
        ):  # fmt: skip
            a, b = (
                flux(ions, barrier, c_l + s * change[0], c_r + s * change[1], E + s * change[2], h, 0.0)[0]
                for s in (1, -1)
            )
            assert slope == pytest.approx((a - b) / (2.0 * sum(change)), rel=1e-5)
