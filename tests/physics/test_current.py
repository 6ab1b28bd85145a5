"""The Tsu-Esaki integral: supply in extended precision, thermionic limit, convergence of energies and segments."""

import math

import mpmath
import numpy as np
import pytest
from devices import begin, case, lumpy, needs_speed

from otjdd.constants import BOLTZMANN_EV
from otjdd.physics.channels import column_spectrum
from otjdd.physics.current import (
    EVEN,
    GAUSS,
    KRONROD,
    LEAST_LEFT_OUT,
    LEFT_OUT,
    NODES,
    ODD,
    POINTS,
    along_line,
    converged_spectrum,
    energy_panels,
    panel_error,
    upper_end,
)
from otjdd.physics.fermi_dirac import log_supply_slope, supply
from otjdd.physics.tunnelling import K0, TRANSFER_MATRIX, TRANSMISSIONS, Profile
from otjdd.solver import model

KT = 300 * BOLTZMANN_EV
models = pytest.mark.parametrize("transmission", TRANSMISSIONS.values(), ids=list(TRANSMISSIONS))


def exact_supply(E, V, kT):
    E, V, kT = (mpmath.mpf(x) for x in (E, V, kT))
    if V == 0:
        return 1 / (1 + mpmath.exp(E / kT)) / kT
    return (mpmath.log1p(mpmath.exp(-E / kT)) - mpmath.log1p(mpmath.exp((-V - E) / kT))) / V


VOLTAGES = [0.0, 1e-18, 1e-12, 3e-10, 1e-7, 1e-3, 0.1, 0.9, 2.2, 10.0]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("V", VOLTAGES)
def test_supply_agrees_with_extended_precision_through_zero_and_to_ten_volts(V, sign):
    V = sign * V
    with mpmath.workdps(50):
        for E in np.concatenate((np.linspace(-1.0, 1.0, 21), [-V, -V + 0.01, -V + 0.9, 3.0, 10.5])):
            expected = float(exact_supply(E, V, KT))
            assert supply(E, V, KT) == pytest.approx(expected, rel=1e-8 if abs(V) < 1e-8 * KT else 1e-11, abs=1e-300)


@pytest.mark.parametrize("V", [1e-9, 1e-4, 0.1, 2.2, -1e-4, -0.1, -4.3])
def test_slope_of_the_supply_agrees_with_extended_precision(V):
    with mpmath.workdps(50):
        for E in (-0.4, -0.01, 0.0, 0.02, 0.3, 0.8, -V, -V + 0.1):
            exact = float(mpmath.diff(lambda v, E=E: mpmath.log(exact_supply(E, v, KT)), V))
            assert log_supply_slope(E, V, KT) == pytest.approx(exact, rel=1e-4, abs=1e-4 / KT)


@pytest.mark.parametrize("V", [1e-5, 0.01, 0.1, 2.2, -0.01, -0.1, -4.3])
def test_slope_of_the_supply_is_there_where_the_supply_itself_is_below_every_double(V):
    kT = 4.0 * BOLTZMANN_EV
    with mpmath.workdps(50):
        for E in np.array([29.9, 30.1, 100.0, 690.0, 720.0, 800.0, 4000.0]) * kT + max(0.0, -V):
            exact = float(mpmath.diff(lambda v, E=E: mpmath.log(exact_supply(E, v, kT)), V))
            assert log_supply_slope(E, V, kT) == pytest.approx(exact, rel=1e-9)


def test_quadrature_rules_are_exact_for_the_polynomials_they_are_made_for():
    for power in range(24):
        exact = 2 / (power + 1) if power % 2 == 0 else 0.0
        assert KRONROD @ NODES**power == pytest.approx(exact, abs=1e-14)
        if power < 14:
            assert GAUSS @ NODES**power == pytest.approx(exact, abs=1e-14)


def test_a_small_current_is_as_accurate_as_a_large_one():
    """Error of a panel relative to the current: (15 r)^1.5 of the difference, at most that itself."""
    for scale in (1e-30, 1.0, 1e30):
        assert panel_error(1e-8 * scale, scale, False) == pytest.approx(1.5e-7**1.5 * scale, rel=1e-12)
        assert panel_error(0.1 * scale, scale, False) == pytest.approx(0.1 * scale, rel=1e-12)
        assert panel_error(1e-8 * scale, scale, True) == pytest.approx(3e-8 * scale, rel=1e-12)
    assert panel_error(0.0, 0.0, False) == 0.0


def test_null_rules_see_no_polynomial_of_a_low_degree_and_even_and_odd_parts_alone():
    for rule, degree in ((EVEN, 14), (ODD, 13)):
        assert np.abs([rule @ NODES**power for power in range(degree)]).max() < 1e-15
        assert abs(rule @ NODES**degree) > 1e-6
    assert np.array_equal(EVEN, EVEN[::-1])
    assert np.array_equal(ODD, -ODD[::-1])
    assert EVEN @ EVEN == pytest.approx(ODD @ ODD, rel=1e-14)


@pytest.mark.parametrize("width", [1e-3, 1e-6, 1e-14])
def test_a_level_narrower_than_its_panel_is_integrated_along_the_straight_line_of_the_wave(width):
    """z = (E - E0 + i width) factor: the integral of 1/|z|^2 is that of a Lorentzian, the error that of round-off."""
    E = 0.2 + 0.5 * NODES  # from -0.3 to 0.7
    exact = (math.atan(0.7 / width) + math.atan(0.3 / width)) / width
    for factor in (1.0, 3.0 - 2.0j):  # the wave is known to a factor, T in full
        z, T = (E + 1j * width) * factor, width**2 / (E**2 + width**2)
        value, error, level, half_width = along_line(np.array([z.real, z.imag]), T, 1.0, 0.2)
        assert (level, half_width) == pytest.approx((0.0, width), rel=1e-3, abs=1e-15)
        assert value == pytest.approx(exact * width**2, rel=1e-6) or width < 1e-10
        assert abs(value - exact * width**2) <= error <= value
    assert along_line(np.array([z.real, z.imag]), np.zeros(POINTS), 1.0, 0.2) == (0.0, 0.0, 0.2, math.inf)


def flat(edge, length=2e-9):
    """A band without any step at `edge` [eV]: nothing is reflected."""
    return Profile(
        np.array([length]), np.array([edge]), np.array([edge]), np.ones(1), np.zeros(1), edge, edge, 1.0, 1.0
    )


def chord(profile, V, transmission=TRANSFER_MATRIX, tolerance=1e-9):
    panels = energy_panels(profile, V, KT, tolerance, False)
    result, _ = converged_spectrum(transmission, profile, V, KT, panels, tolerance)
    assert result.error <= tolerance * result.chord
    assert (result.low, result.high) == (panels[0], panels[-1])
    return result.chord


@models
@pytest.mark.parametrize("tolerance", [1e-1, 1e-3])
@pytest.mark.parametrize(("edge", "V"), [(0.2, 0.1), (0.9, 0.1), (0.9, -2.0)])
def test_what_the_integral_leaves_out_is_far_below_its_tolerance(transmission, tolerance, edge, V):
    lead = -1.0 + max(0.0, -V)
    profile = Profile(
        np.array([6e-9]), np.array([edge]), np.array([edge]), np.ones(1), np.zeros(1), lead, -1.0, 1.0, 1.0
    )
    panels = energy_panels(profile, V, KT, tolerance, True)
    there = upper_end(profile, V, KT, tolerance, LEFT_OUT)
    assert panels[-1] == there == pytest.approx(max(edge, 0.0, -V) + (12.0 - math.log(tolerance)) * KT)
    whole = np.append(panels, panels[-1] + 40.0 * KT)
    found, longer = (converged_spectrum(transmission, profile, V, KT, edges, 1e-11)[0] for edges in (panels, whole))
    assert 0.0 < longer.chord - found.chord < 1e-4 * tolerance * longer.chord


@needs_speed
def test_panels_of_a_state_before_that_end_too_low_are_made_anew():
    run = begin(case(), voltage=0.3)
    junction, state = run.junction, run.state
    fresh, profile, panels = column_spectrum(junction, state, 0, np.empty(0), False)
    needed = upper_end(profile, state.V[0], junction.kT[0], junction.energy_tolerance, LEAST_LEFT_OUT)
    kept = column_spectrum(junction, state, 0, np.array([panels[0], 0.1, needed]), False)
    assert kept[2][-1] == needed
    anew = column_spectrum(junction, state, 0, np.array([panels[0], 0.1, needed - 1e-6]), False)
    assert np.array_equal(anew[2], panels)
    assert anew[0].chord == fresh.chord != kept[0].chord


@models
@pytest.mark.parametrize("V", [1e-6, 0.01, 0.1, 0.3])
def test_a_band_that_reflects_nothing_carries_the_thermionic_current(transmission, V):
    barrier = 1.2
    expected = math.exp(-barrier / KT) * -math.expm1(-V / KT)  # in units of A* T^2
    assert chord(flat(barrier), V, transmission) * V / KT == pytest.approx(expected, rel=1e-8)
    expected = math.exp(-barrier / KT) * math.expm1(V / KT)
    assert chord(flat(barrier), -V, transmission) * V / KT == pytest.approx(expected, rel=1e-8)


def barrier(height=0.8):
    """A barrier of some nanometres with a slope, between a metal and a shallow band."""
    ends = np.linspace(height, height - 0.2, 9)
    return Profile(
        np.full(8, 2.5e-10), ends[:-1].copy(), ends[1:].copy(), np.ones(8), np.zeros(8), -5.0, -0.1, 1.0, 1.3
    )


def double_barrier(width, well=6e-9, height=0.6):
    """Two flat barriers, a well between, two equal leads: the narrower its levels the wider the barriers [m]."""
    length = np.array([width, well, width])
    band = np.array([height, 0.0, height])
    return Profile(length, band, band.copy(), np.array([0.3, 0.4, 0.3]), np.zeros(3), -0.05, -0.05, 1.0, 1.3)


def exact_double_barrier(profile, V):
    """int T supply/V dE by plane waves in every layer, on 4000 panels, and on panels graded towards each level between.

    The incoming wave turns by pi across a level.
    """

    def wave(E):
        psi, p = np.ones_like(E) + 0j, 1j * np.sqrt(K0 * (E - profile.bottom_right) / profile.mass_right)
        for h, U, m in zip(profile.length[::-1], profile.left[::-1], profile.mass[::-1], strict=True):
            k = np.sqrt(m * K0 * (E - U) + 0j)
            psi, p = np.cos(k * h) * psi - m / k * np.sin(k * h) * p, k / m * np.sin(k * h) * psi + np.cos(k * h) * p
        vl = np.sqrt(K0 * (E - profile.bottom_left) / profile.mass_left)
        return 0.5 * (psi + p / (1j * vl))

    def density(E):
        vl, vr = (
            np.sqrt(K0 * (E - b) / m)
            for b, m in ((profile.bottom_left, profile.mass_left), (profile.bottom_right, profile.mass_right))
        )
        return vr / vl / np.abs(wave(E)) ** 2 * np.array([supply(e, V, KT) for e in E])

    low, high = max(profile.bottom_left, profile.bottom_right), 0.6 + 25 * KT
    E = np.linspace(low, high, 4002)[1:-1]
    z = wave(E)
    edges = [E, [low, high]]
    for j in np.flatnonzero((z[1:] * z[:-1].conj()).real < 0.0):
        a, b = E[j], E[j + 1]
        for _ in range(60):  # bisect on the turn by pi
            middle = 0.5 * (a + b)
            za, zm = wave(np.array([a, middle]))
            a, b = (a, middle) if (za * zm.conj()).real < 0.0 else (middle, b)
        edges += [a + sign * np.geomspace(1e-13, 1e-2, 200) for sign in (-1, 1)]
    edges = np.unique(np.clip(np.concatenate(edges), low, high))
    half, middle = 0.5 * np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    nodes, weights = np.polynomial.legendre.leggauss(8)
    values = density((middle[:, None] + half[:, None] * nodes).ravel()).reshape(-1, 8)
    return float((half[:, None] * weights * values).sum())


@needs_speed
@pytest.mark.parametrize("V", [0.02, -0.1])
@pytest.mark.parametrize("width", [0.5e-9, 2e-9, 5e-9])
def test_a_resonance_however_narrow_carries_its_share_of_the_current(width, V):
    """At 5 nm the levels are seen by the turn of the phase alone: without it the current was a fifth of this."""
    profile = double_barrier(width)
    assert chord(profile, V, tolerance=1e-4) == pytest.approx(exact_double_barrier(profile, V), rel=1e-4)


def current(film, c, V, tolerance):
    run = begin(film, c, voltage=V)
    junction, state = run.junction._replace(energy_tolerance=tolerance), run.state
    result, _, _ = column_spectrum(junction, state, 0, np.empty(0), False)
    return result.chord


@needs_speed
@pytest.mark.parametrize("V", [0.1, 0.6, -0.5, -2.0])
def test_finer_energies_change_the_current_by_less_than_they_promise(V):
    film = case(device__film__cells=24)
    for seed in range(5):
        c = lumpy(model.junction(film), np.random.default_rng(seed), 0.3)
        assert current(film, c, V, 1e-4) == pytest.approx(current(film, c, V, 1e-10), rel=1e-4)


@needs_speed
@pytest.mark.parametrize("V", [0.1, 0.6, -0.5, -2.0])
def test_finer_segments_change_the_current_by_less_than_a_ten_thousandth(V, monkeypatch):
    film = case(device__film__cells=400, device__film__grading=1.0)
    x = (np.arange(400) + 0.5) / 400
    c = 2e26 * (1 + 0.8 * np.cos(math.pi * x))
    coarse = current(film, c, V, 1e-8)
    monkeypatch.setattr(model, "FILM_SEGMENTS", 128)
    fine = current(film.replace("numerics.current_tolerance", 1e-6), c, V, 1e-8)
    assert coarse != fine
    assert coarse == pytest.approx(fine, rel=1e-4)
