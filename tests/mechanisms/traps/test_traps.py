"""Rates, filling and current of traps against integrals and rate equations written anew, and their exact limits."""

import math
from itertools import product

import numpy as np
import pytest
from devices import COMPILED
from scipy.integrate import solve_ivp
from scipy.special import erfc

from otjdd.case.traps import Trap
from otjdd.constants import BOLTZMANN_EV, ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR, VACUUM_PERMITTIVITY
from otjdd.laws import Profile
from otjdd.mechanisms.traps import sites as places
from otjdd.mechanisms.traps.capture import NOTHING, add_capture_slopes, captures
from otjdd.mechanisms.traps.sites import DENSITY, HOPS, NUMBERS, RELAXATION, add_to_band, groups_of_traps
from otjdd.mechanisms.traps.steady import chain, one_step
from otjdd.solver.model import kernel_row

KT = 300.0 * BOLTZMANN_EV
KAPPA = math.sqrt(2.0 * ELECTRON_MASS * ELEMENTARY_CHARGE) / HBAR  # 1/(m eV^1/2) at the mass of an electron
THICKNESS, MASS, BOTTOM, DEPTH, ATTEMPTS = 3e-9, 0.3, -4.0, 0.6, 1e13
LEFT_BARRIER, RIGHT_BARRIER = 0.9, 0.5
PIECES = 40 if COMPILED else 10


def traps(**keys) -> np.ndarray:
    """Numbers of traps as a case states them, SI and eV."""
    table = {"name": "traps", "kind": "none", "density": 1e25, "depth": DEPTH, "attempt_frequency": ATTEMPTS}
    return kernel_row(Trap(**table | keys))


def film(V: float, pieces: int = PIECES, curve: float = 0.0) -> Profile:
    """A film in a uniform field between metals at V; with a curve, of pieces that are no straight lines."""
    x = THICKNESS * np.linspace(0.0, 1.0, pieces + 1)
    U = LEFT_BARRIER - V + (RIGHT_BARRIER - LEFT_BARRIER + V) * x / THICKNESS
    bowed = np.full(pieces, curve)
    mass = np.full(pieces, MASS)
    return Profile(np.diff(x), U[:-1].copy(), U[1:].copy(), mass, bowed, BOTTOM - V, BOTTOM, 1.0, 1.0, 0.1)


def placed(numbers, band, points=2, levels=1):
    """Sites and lines of traps on all pieces of a band."""
    levels = 19 if numbers[places.SPREAD] > 0.0 and levels == 1 else levels
    counts = np.full(band.length.size, points)
    return groups_of_traps(numbers, levels, counts, band, (0, 0, band.length.size))


def at_rest(numbers, band, V, kT=KT):
    """Sites, lines, capture and steady state of a film."""
    sites, lines = placed(numbers, band)
    capture, amount = captures(numbers, sites, lines, band, V, kT), sites.length * numbers[DENSITY]
    if numbers[HOPS] > 0.0:
        return sites, lines, capture, chain(numbers, sites, band.mass, capture, amount, V, kT)
    return sites, lines, capture, one_step(capture, amount, numbers[places.DEGENERACY], V, kT)


def straight_action(x0, x1, E, V):
    """int kappa dx between two places in the uniform field, in closed form."""
    slope = (RIGHT_BARRIER - LEFT_BARRIER + V) / THICKNESS
    ends = [np.maximum(LEFT_BARRIER - V + slope * x - E, 0.0) for x in (x0, x1)]
    return KAPPA * math.sqrt(MASS) * 2.0 / 3.0 * np.abs(ends[1] ** 1.5 - ends[0] ** 1.5) / abs(slope)


def captured(x, V, relaxation, kT=KT):
    """c_L, c_R and E_t at places x (n,), the integral over energy by a fine sum."""
    level = LEFT_BARRIER - V + (RIGHT_BARRIER - LEFT_BARRIER + V) * x / THICKNESS - DEPTH
    rates = []
    for mu, start in ((-V, 0.0), (0.0, THICKNESS)):
        if relaxation == 0.0:
            f = 0.5 * erfc(0.0) / (0.5 * (1.0 + np.exp((level - mu) / kT)))
            rates.append(ATTEMPTS * 0.5 * f * np.exp(-2.0 * straight_action(start, x, level, V)) * 2.0)
            continue
        E = np.arange(BOTTOM - 3.0, 5.0, 0.05 * kT)[:, None]
        f = 1.0 / (1.0 + np.exp(np.clip((E - mu) / kT, -600.0, 600.0)))
        line = np.exp(-((relaxation + level - E) ** 2) / (4.0 * relaxation * kT))
        line /= math.sqrt(4.0 * math.pi * relaxation * kT)
        P = np.where(mu + BOTTOM < E, np.exp(-2.0 * straight_action(start, x, E, V)), 0.0)
        rates.append(ATTEMPTS * (f * line * P).sum(axis=0) * 0.05 * kT)
    return *rates, level


def gauss(pieces: int):
    """Points and lengths of Gauss's rule with two points on each of equal pieces of the film."""
    x, w = np.polynomial.legendre.leggauss(2)
    h = THICKNESS / pieces
    return (h * (np.arange(pieces)[:, None] + 0.5 + 0.5 * x)).ravel(), np.tile(0.5 * h * w, pieces)


BOTTOMS = [(-4.0, -0.02), (-0.3, -4.0), (-0.31, -0.3), (-0.25, 0.1), (0.1, 0.1)]


@pytest.mark.parametrize(("relaxation", "bottoms"), [*product((0.02, 0.6), BOTTOMS), (0.6, (0.9, 0.8))])
def test_no_electron_comes_from_below_the_bottom_of_a_lead(bottoms, relaxation):
    """Semiconductors at one side or both, whose bottoms cut the integrand near its largest value, or all of its bulk."""
    V = 0.3
    band = film(V)._replace(bottom_left=bottoms[0], bottom_right=bottoms[1])
    sites, _, capture, _ = at_rest(traps(relaxation_energy=relaxation), band, V)
    step = 0.002 * min(KT, math.sqrt(2.0 * relaxation * KT))
    for side, (mu, start) in enumerate(((-V, 0.0), (0.0, THICKNESS))):
        E = bottoms[side] + step * (np.arange(int(2.5 / step)) + 0.5)[:, None]
        E = E if bottoms[side] > -1.0 else E + 2.5  # of a metal: none of its own bottom
        f = 1.0 / (1.0 + np.exp(np.clip((E - mu) / KT, -600.0, 600.0)))
        line = np.exp(-((relaxation + capture.level - E) ** 2) / (4.0 * relaxation * KT))
        P = np.exp(-2.0 * straight_action(start, sites.x, E, V))
        rate = ATTEMPTS * (f * line * P).sum(axis=0) * step / math.sqrt(4.0 * math.pi * relaxation * KT)
        large = rate > rate.max() * 1e-9
        assert large.sum() > 3
        assert capture.log_rate[side][large] == pytest.approx(np.log(rate[large]), abs=2e-3)


@pytest.mark.parametrize("T", [200.0, 300.0, 400.0])
@pytest.mark.parametrize("thickness", [3e-9, 7e-9, 14e-9] if COMPILED else [7e-9])
def test_electrons_reach_traps_over_a_thick_film_whose_barrier_is_almost_flat(thickness, T):
    """There the transmission rises from nothing to 1 within far less than kT, by a closed form summed in fine steps."""
    kT, relaxation, V = T * BOLTZMANN_EV, 0.6, 0.02
    for rise in np.linspace(0.013, 0.1, 8):
        barrier, pieces = 0.5 + rise, 8
        U = barrier - rise * np.linspace(0.0, 1.0, pieces + 1)
        plain = film(V, pieces)
        band = plain._replace(length=np.full(pieces, thickness / pieces), left=U[:-1].copy(), right=U[1:].copy())
        sites, lines = placed(traps(relaxation_energy=relaxation), band)
        capture = captures(traps(relaxation_energy=relaxation), sites, lines, band, V, kT)
        E = np.arange(-1.0, 3.0, 0.001 * kT)
        for (side, mu, end), j in product(((0, -V, barrier), (1, 0.0, 0.5)), range(0, sites.x.size, 5)):
            at = barrier - rise * sites.x[j] / thickness
            lead, trap = np.maximum(end - E, 0.0), np.maximum(at - E, 0.0)
            action = KAPPA * math.sqrt(MASS) * 2.0 / 3.0 * np.abs(lead**1.5 - trap**1.5) * thickness / rise
            line = np.exp(-((relaxation + capture.level[j] - E) ** 2) / (4.0 * relaxation * kT) - 2.0 * action)
            rate = ATTEMPTS * (line / (1.0 + np.exp((E - mu) / kT))).sum() * 0.001 * kT
            rate /= math.sqrt(4.0 * math.pi * relaxation * kT)
            assert capture.log_rate[side, j] == pytest.approx(math.log(rate), abs=1e-2)


@pytest.mark.parametrize("relaxation", [0.0, 0.4])
@pytest.mark.parametrize("V", [-0.8, 0.5])
def test_a_chain_rests_where_its_rate_equations_end(V, relaxation):
    """An ODE of the filling from half full, over more than the longest time of the rates, at other places' own sums."""
    pieces, density, g = 8, 4e26, 1.5
    numbers = traps(density=density, relaxation_energy=relaxation, hop_frequency=3e13, degeneracy=g)
    _sites, _, _capture, steady = at_rest(numbers, film(V, pieces), V)
    x, w = gauss(pieces)
    left, right, level = captured(x, V, relaxation)
    back_left, back_right = left * np.exp((level + V) / KT) / g, right * np.exp(level / KT) / g
    kappa, d = KAPPA * math.sqrt(MASS * DEPTH), level[None, :] - level[:, None]
    far = np.abs(x[None, :] - x[:, None])
    thermal = (
        np.exp(-((2 * relaxation + d) ** 2) / (8 * relaxation * KT)) if relaxation else np.minimum(1, np.exp(-d / KT))
    )
    k = (
        3e13
        * density
        * w[None, :]
        * np.pi
        / (2 * kappa**2)
        * (1 + 2 * kappa * far)
        * np.exp(-2 * kappa * far)
        * thermal
    )
    np.fill_diagonal(k, 0.0)

    def rate(_, f):
        return (
            left * (1 - f)
            + right * (1 - f)
            - (back_left + back_right) * f
            + (1 - f) * (w * f @ k) / w
            - f * (k @ (1 - f))
        )

    slowest = (left + right + back_left + back_right).min()
    end = solve_ivp(rate, (0.0, 60.0 / slowest), np.full(x.size, 0.5), method="BDF", rtol=1e-9, atol=1e-13)
    f = end.y[:, -1]
    assert steady.converged
    assert 1.0 / (1.0 + np.exp(-steady.log_odds)) == pytest.approx(f, abs=1e-5)
    J_left = ELEMENTARY_CHARGE * density * w @ (back_left * f - left * (1 - f))
    J_right = -ELEMENTARY_CHARGE * density * w @ (back_right * f - right * (1 - f))
    assert J_left == pytest.approx(J_right, rel=1e-4)
    assert steady.log_chord == pytest.approx(math.log(J_left / V), abs=5e-4)


KINDS = {
    "elastic": {}, "relaxing": {"relaxation_energy": 0.5}, "spread": {"depth_spread": 0.08, "relaxation_energy": 0.2},
    "hopping": {"relaxation_energy": 0.5, "hop_frequency": 1e13}, "thermal": {"frenkel_permittivity": 5.0},
    "all": {"relaxation_energy": 0.5, "hop_frequency": 1e13, "frenkel_permittivity": 5.0, "degeneracy": 2.0},
}  # fmt: skip


@pytest.mark.parametrize("keys", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("V", [0.0, 0.3, -1.0])
def test_slopes_are_differences(keys, V):
    """A slope at 0 V is one between chords of V far above the smallest one that a chain resolves."""
    numbers, band = traps(**keys), film(V, 10, curve=0.013)
    band.left[:] += 0.02 * np.sin(np.arange(10.0))  # no two ends of the band are equal, where the highest one is a kink
    band.right[:] += 0.02 * np.cos(np.arange(10.0))
    sites, lines, capture, steady = at_rest(numbers, band, V)
    by_piece, by_lead = np.zeros((4, 10)), np.zeros(2)
    elastic = numbers[RELAXATION] == 0.0
    by_V = add_capture_slopes(sites, lines, band, elastic, capture, steady.by_rate, by_piece, by_lead) + steady.by_V
    add_to_band(sites, steady.by_level, by_piece)
    for row, values in ((0, band.left), (1, band.right), (3, band.curve)):
        for s in (0, 4, 9):
            before, ends = values[s], []
            for moved in (1e-5, -1e-5):
                values[s] = before + moved
                ends.append(at_rest(numbers, band, V)[3].log_chord)
            values[s] = before
            size = np.abs(by_piece[:2]).max()
            assert by_piece[row, s] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-4 * size)
    ends = [at_rest(numbers, band, V + moved)[3].log_chord for moved in (1e-4, -1e-4)]
    assert by_V == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=1e-3 * abs(by_V) + 1e-2)


@pytest.mark.skipif(not COMPILED, reason="takes minutes where kernels are interpreted")
@pytest.mark.parametrize("seed", range(6))
def test_random_chains_in_thick_films_come_to_rest(seed):
    """Where traps are in balance with one electrode to the last digit, its net current is round-off."""
    rng = np.random.default_rng(seed)
    left, right, V = rng.uniform(0.6, 3.0), rng.uniform(0.6, 3.0), rng.uniform(-3.0, 3.0)
    x = 13e-9 * np.linspace(0.0, 1.0, 45)
    U = left - V + (right - left + V) * x / x[-1]
    mass, flat = np.full(44, rng.uniform(0.1, 0.8)), np.zeros(44)
    band = Profile(np.diff(x), U[:-1].copy(), U[1:].copy(), mass, flat, -5.0 - V, -5.0, 1.0, 1.0, 0.1)
    for _ in range(10):
        keys = {"depth": rng.uniform(0.4, 2.2), "relaxation_energy": rng.uniform(0.2, 1.5), "hop_frequency": 1e13}
        numbers = traps(density=10.0 ** rng.uniform(24, 27), **keys)
        assert at_rest(numbers, band, V, rng.uniform(250.0, 420.0) * BOLTZMANN_EV)[3].converged


def test_the_thermal_path_is_the_poole_frenkel_law():
    """Deep traps in a strong field, of electrons so heavy that none tunnels: ln e rises as b sqrt(E)/kT."""
    numbers = traps(frenkel_permittivity=4.0, depth=1.5, attempt_frequency=1e12)
    V, width = 2.0, THICKNESS
    sites, _, capture, _ = at_rest(numbers, film(V)._replace(mass=np.full(PIECES, 90.0)), V)
    E = (RIGHT_BARRIER - LEFT_BARRIER + V) / width
    b = math.sqrt(ELEMENTARY_CHARGE / (math.pi * VACUUM_PERMITTIVITY * 4.0))
    j = sites.x.size // 2
    emitted = capture.log_rate[0, j] + (capture.level[j] + V) / KT  # to the left, down the band
    assert emitted == pytest.approx(math.log(1e12) - (1.5 - b * math.sqrt(E)) / KT, abs=0.02)


def test_a_level_below_the_band_of_the_lead_has_no_elastic_path():
    band = film(0.4)._replace(bottom_right=0.2)
    _, _, capture, steady = at_rest(traps(), band, 0.4)
    low = capture.level < 0.2
    assert low.any()
    assert (capture.log_rate[1, low] == NOTHING).all()
    assert (steady.by_amount[low] == 0.0).all()


def test_places_are_those_of_the_case():
    band = film(0.3)
    sheet, _ = placed(traps(position=1e-9, width=0.4e-9), band)
    assert sheet.length.sum() == pytest.approx(0.4e-9, rel=1e-12)
    assert sheet.x.min() > 0.8e-9
    assert sheet.x.max() < 1.2e-9
    whole, lines = placed(traps(depth_spread=0.1), band)
    assert whole.length.sum() == pytest.approx(THICKNESS, rel=1e-12)
    assert lines.piece.size == 3 * PIECES
    assert whole.length @ whole.depth / THICKNESS == pytest.approx(DEPTH, rel=1e-12)
    assert math.sqrt(whole.length @ (whole.depth - DEPTH) ** 2 / THICKNESS) == pytest.approx(0.1, rel=1e-3)
    assert len(traps()) == NUMBERS
