"""Rates and currents of traps against integrals by quadrature of scipy over places, energies and depths, from 77 K on.

The film is a uniform field between metals: its action is in closed form, and nothing of the kernels is in the references.
"""

import math

import numpy as np
import pytest
from devices import COMPILED, case, needs_speed
from scipy.integrate import simpson

from otjdd.case.traps import Trap
from otjdd.constants import BOLTZMANN_EV, ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR
from otjdd.laws.transmission import Profile
from otjdd.physics.channels.kinetic_traps import fill_trap_rates
from otjdd.physics.traps.capture import captures
from otjdd.physics.traps.kinetic import moment_of_rates
from otjdd.physics.traps.sites import DENSITY, groups_of_traps
from otjdd.physics.traps.steady import log_emissions, one_step
from otjdd.runs.run import run
from otjdd.solver.model import kernel_row
from otjdd.solver.trap_groups import level_count, point_counts

KAPPA = math.sqrt(2.0 * ELECTRON_MASS * ELEMENTARY_CHARGE) / HBAR  # 1/(m eV^1/2) at the mass of an electron
ATTEMPTS, BOTTOM = 1e13, -5.0


class Film:
    """A film of a thickness [m], barriers [eV] and a mass between metals at V."""

    def __init__(self, thickness: float, barriers: tuple[float, float], mass: float, V: float, T: float) -> None:
        self.L, self.mass, self.V, self.kT = thickness, mass, V, T * BOLTZMANN_EV
        self.start, self.end = barriers[0] - V, barriers[1]

    def band(self, x: float) -> float:
        return self.start + (self.end - self.start) * x / self.L

    def profile(self, pieces: int) -> Profile:
        U = np.array([self.band(x) for x in np.linspace(0.0, self.L, pieces + 1)])
        length, mass = np.full(pieces, self.L / pieces), np.full(pieces, self.mass)
        bottoms = BOTTOM - self.V, BOTTOM
        return Profile(length, U[:-1].copy(), U[1:].copy(), mass, np.zeros(pieces), *bottoms, 1.0, 1.0, 0.1)

    def action(self, a: float, b: float, E: np.ndarray) -> np.ndarray:
        """int kappa dx between two places at energies E."""
        ends = [np.maximum(self.band(x) - E, 0.0) ** 1.5 for x in (a, b)]
        return np.abs(KAPPA * math.sqrt(self.mass) / 1.5 * (ends[1] - ends[0]) * self.L / (self.end - self.start))

    def log_capture(self, side: int, x: float, depth: float, relaxation: float) -> float:
        """ln c_i of a trap at x, by Simpson's rule over all energies that count."""
        lead, mu, level = (0.0, -self.V, self.band(x) - depth) if side == 0 else (self.L, 0.0, self.band(x) - depth)

        def log_part(E: np.ndarray) -> np.ndarray:
            out = -np.logaddexp(0.0, (E - mu) / self.kT) - 2.0 * self.action(lead, x, E)
            return out if relaxation == 0.0 else out - (relaxation + level - E) ** 2 / (4.0 * relaxation * self.kT)

        if relaxation == 0.0:
            return math.log(ATTEMPTS) + float(log_part(np.array(level)))
        E = np.linspace(level - relaxation - 3.0, level + relaxation + 3.0, 1201)
        values = log_part(E)
        inside = np.flatnonzero(values > values.max() - 40.0)
        E = np.linspace(E[inside[0]] - 0.01, E[inside[-1]] + 0.01, 4001)
        most = log_part(E).max()
        total = simpson(np.exp(log_part(E) - most), x=E)
        return math.log(ATTEMPTS) + most + math.log(total) - 0.5 * math.log(4.0 * math.pi * relaxation * self.kT)

    def rate_of_passing(self, x: float, depth: float, relaxation: float) -> float:
        """Electrons [1/s] that one trap takes from the right electrode and gives to the left one."""
        c = [math.exp(self.log_capture(side, x, depth, relaxation)) for side in (0, 1)]
        level = self.band(x) - depth
        e = [c[0] * math.exp((level + self.V) / self.kT), c[1] * math.exp(level / self.kT)]
        return (e[0] * c[1] - c[0] * e[1]) / (sum(c) + sum(e))


def traps(**keys) -> Trap:
    return Trap(**{"name": "traps", "kind": "none", "density": 1e25, "attempt_frequency": ATTEMPTS} | keys)


def steady(film: Film, trap: Trap, pieces: int):
    """Sites, capture and steady state of traps with the groups of a case."""
    band, numbers = film.profile(pieces), kernel_row(trap)
    points = point_counts(trap, band.length, band.mass, film.kT, 1e-4)
    sites, lines = groups_of_traps(
        numbers, level_count(trap.depth_spread, film.kT), points, band, (0, 0, band.length.size)
    )
    capture = captures(numbers, sites, lines, band, film.V, film.kT)
    return sites, capture, one_step(capture, sites.length * numbers[DENSITY], 1.0, film.V, film.kT)


THIN, THICK = (3e-9, (3.0, 1.9), 0.2), (14e-9, (1.3, 0.8), 0.35)
BELOW = [  # film, depth, relaxation, V, T
    (THIN, 0.5, 1.19, 0.0, 77.0), (THIN, 0.5, 1.19, 0.0, 300.0), (THIN, 0.9, 0.4, -0.8, 77.0),
    (THIN, 0.9, 0.05, 1.7, 77.0), (THIN, 2.4, 0.7, 0.4, 150.0), (THICK, 0.3, 0.9, 0.2, 77.0),
    (THICK, 0.6, 0.25, -1.5, 400.0), (THICK, 1.5, 1.0, 0.6, 77.0),
]  # fmt: skip


@pytest.mark.parametrize(("film", "depth", "relaxation", "V", "T"), BELOW if COMPILED else BELOW[:1])
def test_capture_is_the_integral_over_all_energies(film, depth, relaxation, V, T):
    """Also where both Fermi levels are far below what the lattice lets pass, and the integrand is a Gaussian there."""
    film = Film(*film, V, T)
    sites, capture, _ = steady(film, traps(depth=depth, relaxation_energy=relaxation), 32)
    for j in range(0, sites.x.size, sites.x.size // 5):
        for side in (0, 1):
            exact = film.log_capture(side, sites.x[j], depth, relaxation)
            if exact > -200.0:
                assert capture.log_rate[side, j] == pytest.approx(exact, abs=1e-3)


SPREADS = [  # film, depth, spread, relaxation, V, T
    (((3e-9, (1.8, 1.5), 0.2)), 1.3, 0.22, 0.0, 0.03, 250.0), (((3e-9, (1.8, 1.5), 0.2)), 1.3, 0.1, 0.0, -0.3, 77.0),
    (((4e-9, (1.1, 1.6), 0.3)), 1.0, 0.2, 0.3, 0.05, 150.0), (((4e-9, (1.9, 1.6), 0.3)), 0.9, 0.15, 0.5, -0.4, 300.0),
]  # fmt: skip


@pytest.mark.parametrize(("film", "depth", "spread", "relaxation", "V", "T"), SPREADS if COMPILED else SPREADS[:1])
def test_the_current_of_a_spread_is_the_integral_over_depths(film, depth, spread, relaxation, V, T):
    """Of a sheet so thin that it has one place; shallow and deep ends of the spread carry most of it by turns."""
    film = Film(*film, V, T)
    x = 0.45 * film.L
    sheet = traps(depth=depth, depth_spread=spread, relaxation_energy=relaxation, position=x, width=1e-11)
    _, _, steady_state = steady(film, sheet, 33)

    def part(z: float) -> float:
        return math.exp(-0.5 * z * z) * film.rate_of_passing(x, depth + spread * z, relaxation)

    z = np.linspace(-4.5, 4.5, 2 * math.ceil(4.5 * spread / (0.2 * film.kT)) + 1)
    mean = simpson([part(at) for at in z], x=z) / simpson(np.exp(-0.5 * z * z), x=z)
    exact = ELEMENTARY_CHARGE * 1e25 * 1e-11 * mean / V
    assert steady_state.log_chord == pytest.approx(math.log(exact), abs=2e-3)


THICK_FILMS = [
    (0.0, 300.0, 0.5, 32),
    (0.0, 77.0, 0.2, 50),
    (0.3, 300.0, 0.5, 50),
    (0.3, 77.0, 0.2, 32),
    (0.3, 400.0, -1.7, 45),
]


@pytest.mark.parametrize(("relaxation", "T", "V", "pieces"), THICK_FILMS if COMPILED else THICK_FILMS[:1])
def test_the_current_of_a_thick_film_is_the_integral_over_places(relaxation, T, V, pieces):
    """15 nm, of which traps in some 0.3 nm carry most of the current."""
    film = Film(15e-9, (2.5, 1.0), 0.3, V, T)
    _, _, steady_state = steady(film, traps(depth=1.2, relaxation_energy=relaxation), pieces)

    def rates(x: np.ndarray) -> np.ndarray:
        return np.array([film.rate_of_passing(at, 1.2, relaxation) for at in x])

    x = np.linspace(0.0, film.L, 151)
    low, high = x[np.abs(rates(x)) > 1e-9 * np.abs(rates(x)).max()][[0, -1]]
    x = np.linspace(max(low - 1e-10, 0.0), min(high + 1e-10, film.L), 401 if relaxation else 2001)
    J = ELEMENTARY_CHARGE * 1e25 * simpson(rates(x), x=x)
    assert steady_state.log_chord == pytest.approx(math.log(J / V), abs=4e-4)


def test_more_cells_are_no_other_current():
    """The groups follow the pieces: a coarse film has more points on each."""
    trap = traps(depth=1.2, relaxation_energy=0.3)
    film = Film(15e-9, (2.5, 1.0), 0.3, 0.5, 300.0)
    few, many = (steady(film, trap, pieces)[2].log_chord for pieces in (24, 60))
    assert few == pytest.approx(many, abs=5e-4)


def test_a_trap_that_no_electron_reaches_tends_to_the_fermi_function():
    """Below the bottoms of both leads: all rates are zero, and their ratio is that of detailed balance."""
    film = Film(3e-9, (1.0, 1.4), 0.3, 0.0, 300.0)
    band = film.profile(8)._replace(bottom_left=0.2, bottom_right=0.3)
    numbers = kernel_row(traps(depth=1.25))
    sites, lines = groups_of_traps(numbers, 1, np.full(8, 2), band, (0, 0, 8))
    capture = captures(numbers, sites, lines, band, 0.0, film.kT)
    log_rate, rate = np.vstack((capture.log_rate, log_emissions(capture, 1.0, 0.0, film.kT))).T, np.empty((16, 4))
    fill_trap_rates(np.ascontiguousarray(log_rate), rate)
    filled = [moment_of_rates(row, 0.0).filled for row in rate]
    assert (capture.level < 0.2).all()
    assert rate.max() < 1e-250
    assert filled == pytest.approx(1.0 / (1.0 + np.exp(capture.level / film.kT)), rel=1e-9)


@needs_speed
def test_kinetic_traps_below_both_bands_are_as_full_as_steady_ones():
    ends = {"kind": "metal", "barrier": 1.6, "band_depth": 0.4}
    drive = {"kind": "hold", "voltage": "0 V", "duration": "1 s"}
    sheet = {"name": "t", "kind": "none", "density": 1e24, "depth": 2.2, "position": 1.4e-9, "width": 0.6e-9}
    fillings = []
    for more in ({}, {"occupation": "kinetic"}):
        film = case(device__left=ends, device__right=ends, device__traps=[sheet | more], drive=drive)
        fillings.append(run(film).trap_filling.values[-1, 0])
    np.testing.assert_allclose(fillings[1], fillings[0], atol=1e-9)
    assert np.nanmin(fillings[0]) > 0.99
