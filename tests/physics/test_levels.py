"""Levels of wells: the phase counts them exactly, bisection finds them, and each carries its area, however narrow."""

import mpmath
import numpy as np
import pytest
from devices import needs_speed

from otjdd.constants import BOLTZMANN_EV
from otjdd.physics.current import converged_spectrum
from otjdd.physics.fermi_dirac import supply
from otjdd.physics.levels import ANGLE, LEAST, Search, narrow_levels, waves
from otjdd.physics.tunnelling import K0, TRANSFER_MATRIX, Profile, refine

pytestmark = needs_speed
KT = 300 * BOLTZMANN_EV


def profile(length, band, lead=-0.05):
    """Flat pieces [m], [eV] between two metals."""
    length, band = np.array(length), np.array(band)
    return Profile(length, band, band.copy(), np.full(length.size, 0.4), np.zeros(length.size), lead, lead, 1.0, 1.3)


def double_barrier(width, right=None, height=0.6):
    return profile([width, 6e-9, right or width], [height, 0.0, height])


def found_in(one, low=1e-6, high=0.599):
    found, unseen = narrow_levels(Search(one, 0.1, KT, -0.05, 1.5, 0.0), low, high)
    assert unseen == 0.0
    return found


def wave(one, E):
    """Incoming wave of one that goes out, by plane waves with 60 digits; E may be complex."""
    root = mpmath.sqrt
    psi, p = mpmath.mpc(1), 1j * root(K0 * (E - one.bottom_right) / one.mass_right)
    for h, U, m in zip(one.length[::-1], one.left[::-1], one.mass[::-1], strict=True):
        h, U, m = mpmath.mpf(h), mpmath.mpf(U), mpmath.mpf(m)
        k = root(m * K0 * (E - U) + mpmath.mpc(0))
        c, s = mpmath.cos(k * h), mpmath.sin(k * h)
        psi, p = c * psi - m / k * s * p, k / m * s * psi + c * p
    return (psi + p / (1j * root(K0 * (E - one.bottom_left) / one.mass_left))) / 2


def level(one, near, half):
    """Energy, width and peak of the level near an energy that is known to a half width, from its pole."""
    with mpmath.workdps(60):
        before, pole = mpmath.mpc(near, -half), mpmath.mpc(near, -0.5 * half)
        for _ in range(60):  # secants
            a, b = wave(one, before), wave(one, pole)
            if a == b:
                break
            before, pole = pole, pole - b * (pole - before) / (b - a)
        v = [mpmath.sqrt(K0 * (pole.real - b) / m) for b, m in ((one.bottom_left, 1.0), (one.bottom_right, 1.3))]
        return float(pole.real), float(-2 * pole.imag), float(v[1] / v[0] / abs(wave(one, pole.real)) ** 2)


def test_the_counted_phase_is_that_of_a_walk_in_small_steps():
    """Also where one step is longer than a wave: 6 nm at 1.5 eV are four half waves."""
    for one in (double_barrier(0.5e-9), profile([1e-9, 9e-9, 0.7e-9, 4e-9, 1e-9], [0.5, 0.1, 0.6, -0.3, 0.4])):
        E = np.linspace(-0.049, 1.5, 8001)
        table = waves(one, refine(one, -0.05, 1.5)[0], E, 1.5)
        walked = np.unwrap(np.arctan2(-table[3], table[2]))
        assert table[ANGLE] - table[ANGLE, 0] == pytest.approx(walked - walked[0], abs=1e-9)
        assert (np.diff(table[ANGLE]) > -1e-3).all()


@pytest.mark.parametrize("width", [1e-9, 3e-9, 5e-9, 12e-9])
def test_every_level_is_found_at_its_place(width):
    """A well of 6 nm and 0.6 eV holds five; the searches for poles from their places lead to these places."""
    found = found_in(double_barrier(width))
    assert len(found) == 5
    for E, half in found:
        place, gamma, _ = level(double_barrier(width), E, half)
        assert abs(E - place) < half
        assert half >= max(0.25 * gamma, 0.5 * LEAST)


def test_a_pair_of_levels_closer_than_any_panel_is_found():
    pair = profile([2e-9, 4e-9, 3.5e-9, 4e-9, 2e-9], [0.6, 0.0, 0.6, 0.0, 0.6])
    found = found_in(pair)
    assert len(found) % 2 == 0
    places = [level(pair, *one)[0] for one in found[:2]]
    assert places == pytest.approx(found[:2, 0], abs=found[:2, 1].max())
    assert 1e-7 < places[1] - places[0] < 1e-4


@pytest.mark.parametrize(("left", "right"), [(2e-9, 2e-9), (5e-9, 4e-9), (8e-9, 6e-9), (9e-9, 9e-9)])
def test_a_level_carries_its_area_however_narrow(left, right):
    """Widths of 1e-4 to 1e-16 eV, also mirrored; one of 4e-22 eV is lost in round-off, and said to be."""
    one = double_barrier(left, right)
    place, gamma, peak = level(one, *found_in(one)[0])
    turned = one._replace(length=one.length[::-1].copy(), mass_left=one.mass_right, mass_right=one.mass_left)
    ends = np.array([place - 0.03, place + 0.03])
    for each in (one, turned):
        result, _ = converged_spectrum(TRANSFER_MATRIX, each, 0.1, KT, ends, 1e-4)
        exact = np.pi / 2 * gamma * peak * supply(place, 0.1, KT)
        assert abs(result.chord - exact) <= max((0.05 if gamma > 1e-5 else 2e-3) * exact, result.unseen)
        assert result.unseen <= 1e-2 * exact or gamma < 1e-18
