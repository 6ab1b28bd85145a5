"""Few ions between two wells against an exact Monte Carlo that shares nothing with the kernels: set times, cells."""

import itertools

import numpy as np
import pytest
from devices import needs_speed
from exact_hops import Film, exact_counts, set_times

from otjdd.case.case import Numerics, parse_case
from otjdd.mechanisms.single_ions.walk import new_noise
from otjdd.solver import integrate, model
from otjdd.stepping.course import KEEP

FILM, VOLTAGE = Film(prefactor=1e-6), 0.1
LAST = {10: 0.6, 30: 0.4, 100: 0.3, 300: 0.25}  # s, by which the ions of that number have set


def hopping_counts(film, start, times, seed):
    """Ions (T, N) in the cells of a film at times (T,) [s], as otjdd lets them hop from start (N,) on."""
    case = parse_case(film.text())
    junction = model.junction(case, parts=model.members(case))
    to_ions = junction.columns.width * film.area(start.sum())
    noise = new_noise(np.array([film.area(start.sum())]), seed, film.cells, largest=Numerics().largest_leap)
    run = integrate.begin(junction, start / to_ions, rtol=7e-3, atol=1e-2, noise=noise)
    integrate.jump(run, VOLTAGE)
    pieces = np.array([(since, until, VOLTAGE, VOLTAGE) for since, until in itertools.pairwise(times)])
    integrate.follow_pieces(run, pieces, np.full(len(pieces), KEEP), integrate.place_at_start(0.0, VOLTAGE), False)
    return np.concatenate([start[None], [kept.c[0] * to_ions[0] for kept in run.kept_states]])


def both_set_times(ions, profiles, runs):
    """Times (runs,) [s] at which ions that begin in the first cell set: those of otjdd, and the exact ones."""
    start, times = ions * np.eye(FILM.cells)[0], np.linspace(0.0, LAST[ions], 61)
    many = np.linspace(0.0, LAST[ions], profiles + 1)
    hopping = np.array([hopping_counts(FILM, start, many, seed)[:: profiles // 60] for seed in range(runs)])
    exact = np.array([exact_counts(FILM, start, VOLTAGE, times, seed) for seed in range(runs)])
    return set_times(hopping, times), set_times(exact, times)


EARLY = {10: 0.03, 30: 0.03, 100: 0.02, 300: 0.02}  # of the exact time: known, and said in `solver.model_limits`


@needs_speed
@pytest.mark.campaign
@pytest.mark.parametrize(("ions", "profiles", "runs"), [
    (10, 60, 600), (10, 6000, 100), (30, 60, 400), (30, 6000, 100), (100, 60, 200), (100, 6000, 60), (300, 60, 100),
    (300, 6000, 40),
])  # fmt: skip
def test_set_times_are_those_of_an_exact_monte_carlo_whatever_is_recorded(ions, profiles, runs):
    """Mean and scatter within three standard errors beyond the known ones."""
    hopping, exact = both_set_times(ions, profiles, runs)
    error = np.hypot(hopping.std(), exact.std()) / np.sqrt(runs)
    print(ions, profiles, hopping.mean() / exact.mean(), error / exact.mean(), hopping.std() / exact.std())
    assert hopping.mean() == pytest.approx(exact.mean(), abs=EARLY[ions] * exact.mean() + 3.0 * error)
    assert np.log(hopping.std() / exact.std()) == pytest.approx(0.0, abs=EARLY[ions] + 3.0 / np.sqrt(runs))


@needs_speed
@pytest.mark.campaign
def test_cells_of_few_ions_have_the_means_and_variances_of_an_exact_monte_carlo():
    """Of 0.02 to 5 ions at rest, within 10 %, in cells that ions feel each other in."""
    film = FILM._replace(well=0.12)
    start = np.full(film.cells, 1.0) + 4.0 * np.eye(film.cells)[0]
    times = np.arange(40_001) * 1e-4
    exact = exact_counts(film, start, VOLTAGE, times, 1)[400:]
    hopping = hopping_counts(film, start, times, 1)[400:]
    print(exact.mean(axis=0), hopping.mean(axis=0) / exact.mean(axis=0), hopping.var(axis=0) / exact.var(axis=0))
    few = exact.mean(axis=0) < 5.0
    assert exact.mean(axis=0).min() < 0.1
    assert hopping.mean(axis=0)[few] == pytest.approx(exact.mean(axis=0)[few], rel=0.1)
    assert hopping.var(axis=0)[few] == pytest.approx(exact.var(axis=0)[few], rel=0.1)
