"""The flux at a wall against its two halves, solved together in extended precision, and against thermodynamics."""

import math

import mpmath as mp
import numpy as np
import pytest
from devices import COMPILED

from otjdd.constants import BOLTZMANN_EV
from otjdd.laws import Contact, Wall
from otjdd.mechanisms.exchange import NO_WALL, WALL_CODES, HalfCell, inflow, rates_of

KT = 350 * BOLTZMANN_EV
SITES = 3e28
HURRIED = 0.7  # d ln rate/dE of the hops in the half cell, E in units of kT/h
STATES = 200 if COMPILED else 60


def random_wall(rng, rate=None, **changes) -> Wall:
    values = {
        "law": WALL_CODES["butler-volmer"], "activation": 0.3,
        "rate": 10.0 ** rng.uniform(-12, 3) if rate is None else rate,
        "formation": rng.uniform(0.0, 3.0), "log_oxygen": rng.uniform(-60.0, 2.0), "transfer": rng.uniform(0, 1),
        "hop": 0.0, "capacity": 1e19, "filling": rng.uniform(0.05, 0.95),
    }  # fmt: skip
    return Wall(**(values | changes))


def random_contact(rng, follow=None) -> Contact:
    follow = float(rng.integers(0, 2)) if follow is None else follow
    step = follow * rng.uniform(-0.3, 0.3)
    return Contact(rng.uniform(0.0, 1.5) + step, step, follow, rng.uniform(0.01, 0.99), KT)


def exact_flux(wall, contact, z, k, c, rate, d):
    """Flux and wall concentration: the reaction of the guide and Scharfetter and Gummel's half cell as two equations."""
    n, kT = mp.mpf(SITES), mp.mpf(contact.kT)
    barrier, step, y = mp.mpf(contact.edge) - mp.mpf(contact.step), mp.mpf(contact.step), mp.mpf(contact.filling)
    odds = mp.exp(-(wall.formation - z * barrier) / kT) * mp.exp(mp.mpf(wall.log_oxygen)) ** mp.mpf("-0.5")
    c_eq, u, a = n * odds / (1 + odds), -step / kT, mp.mpf(wall.transfer)
    gain = k * c_eq * mp.exp(-a * z * u) * (1 - y) / (1 - mp.mpf(wall.filling))
    loss = k * (1 - c_eq / n) * mp.exp((1 - a) * z * u) * y / wall.filling
    B = d / mp.expm1(d)
    # gain (1 - c_s/n) - loss c_s = J = rate [B c_s (1 - c/n) - (B + d) c (1 - c_s/n)]
    forth, back = rate * B * (1 - c / n), rate * (B + d)
    c_s = (gain + back * c) / (forth + back * c / n + gain / n + loss)
    return gain * (1 - c_s / n) - loss * c_s, c_s


def flux(wall, contact, z, k, c, rate, d):
    """The same by the kernels, with derivatives."""
    B, slope = d / math.expm1(d), (math.expm1(d) - d * math.exp(d)) / math.expm1(d) ** 2
    # d = -z E h/kT of a field E in units of kT/h
    cell = HalfCell(c, SITES, rate, B, B + d, -z * slope, -z * (slope + 1.0), HURRIED)
    return inflow(rates_of(wall, contact, z, SITES, k), 0.0, cell)


def test_the_flux_is_that_of_reaction_and_half_cell_together():
    rng = np.random.default_rng(1)
    with mp.workdps(60):
        for _ in range(STATES):
            wall, contact = random_wall(rng), random_contact(rng)
            z, k, rate, d = (
                int(rng.integers(1, 3)),
                10.0 ** rng.uniform(-12, 3),
                10.0 ** rng.uniform(-9, 0),
                rng.normal(0, 3),
            )
            c = SITES * 10.0 ** rng.uniform(-12, -0.01)
            J, c_s = exact_flux(wall, contact, z, k, mp.mpf(c), rate, mp.mpf(d))
            at = flux(wall, contact, z, k, c, rate, d)
            one_way = min(k, rate * (1 + abs(d))) * max(c, c_s)
            assert at.J == pytest.approx(float(J), rel=1e-11, abs=1e-14 * float(one_way))
            assert at.wall == pytest.approx(float(c_s), rel=1e-11)
    assert flux(wall, contact, 2, 0.0, 2e26, 1e-5, 1e-9).J == flux(NO_WALL, contact, 2, 1e30, 2e26, 1e-5, 1e-9).J == 0.0


def test_slopes_are_derivatives_of_the_flux():
    rng = np.random.default_rng(2)
    with mp.workdps(60):
        for _ in range(STATES):
            wall, contact = random_wall(rng), random_contact(rng)
            z, k, rate, d = 2, 10.0 ** rng.uniform(-9, 0), 10.0 ** rng.uniform(-9, 0), rng.normal(0, 3)
            c = SITES * 10.0 ** rng.uniform(-9, -0.01)

            def moved(
                c=c, by_edge=0, filling=contact.filling, E=0, z=z, k=k, rate=rate, d=d, wall=wall, contact=contact
            ):
                """The flux with one thing moved; the step follows the edge of a metal, and E is in units of kT/h."""
                edge, step = contact.edge + by_edge, contact.step + contact.follow * by_edge
                hurried = rate * mp.exp(HURRIED * E)
                return exact_flux(wall, Contact(edge, step, contact.follow, filling, KT), z, k, c, hurried, d - z * E)[
                    0
                ]

            at, scale = flux(wall, contact, z, k, c, rate, d), abs(float(moved())) + min(k, rate) * c
            assert at.by_c == pytest.approx(float(mp.diff(lambda x: moved(c=x), mp.mpf(c))), rel=1e-9)
            by_edge, by_filling = (
                float(mp.diff(lambda x: moved(by_edge=x), 0)), float(mp.diff(lambda x: moved(filling=x), contact.filling)),
            )  # fmt: skip
            assert at.by_edge == pytest.approx(by_edge, rel=1e-9, abs=1e-12 * scale / KT)
            assert at.by_filling == pytest.approx(by_filling, rel=1e-9, abs=1e-12 * scale)
            by_field = float(mp.diff(lambda x: moved(E=x), 0))
            assert at.by_field == pytest.approx(by_field, rel=1e-9, abs=1e-12 * scale)


def test_a_field_that_speeds_up_both_ways_leaves_the_balance():
    rng = np.random.default_rng(3)
    wall, contact = random_wall(rng), random_contact(rng)
    cell, k, h = HalfCell(1e26, SITES, 1e-5, 1.1, 0.9, 0.0, 0.0, 0.0), 1e-4, 1e-6
    slopes = [inflow(rates_of(wall, contact, 2, SITES, rate), 0.7, cell) for rate in (k, k * math.exp(0.7 * h))]
    assert slopes[0].by_field == pytest.approx((slopes[1].J - slopes[0].J) / h, rel=1e-5)


def test_beyond_empty_and_beyond_full_the_flux_leads_back():
    """With a fast wall its denominator would be below zero there."""
    rng = np.random.default_rng(8)
    for _ in range(STATES):
        wall, contact = random_wall(rng, rate=10.0 ** rng.uniform(-3, 3), formation=2.4), random_contact(rng)
        cell = SITES * rng.uniform(0.01, 0.9), 10.0 ** rng.uniform(-12, -4), rng.normal(0.0, 4.0)
        k = wall.rate * math.exp(-wall.activation / KT)
        empty, full = (flux(wall, contact._replace(filling=y), 2, k, *cell).J for y in (-1e-3, 1.001))
        assert empty >= flux(wall, contact._replace(filling=0.0), 2, k, *cell).J >= 0.0
        assert full <= flux(wall, contact._replace(filling=1.0), 2, k, *cell).J <= 0.0
