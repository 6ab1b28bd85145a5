"""Whole ions that electrodes give and take: at rest, in the course of an uptake, and counted to round-off."""

import math

import numpy as np
import pytest
from devices import needs_speed
from exact_exchange import Uptake, exact_uptake
from test_hop_noise import FILM, begun

import otjdd
from otjdd.case.case import parse_case
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms import exchange
from otjdd.mechanisms.single_ions.step import take_oxygen
from otjdd.mechanisms.single_ions.walk import AFTER, new_noise
from otjdd.solver import integrate, model

RUNS = 1000  # exact ones


def begun_uptake(film, seed):
    """A run of a film, in as many columns as it has."""
    case = parse_case(film.text())
    junction = model.junction(case, parts=model.members(case))
    ions = np.full((film.columns, film.cells), float(film.start))
    noise = new_noise(np.full(film.columns, film.area), seed, film.cells)
    run = integrate.begin(junction, ions / (junction.columns.width * film.area), rtol=7e-3, atol=1e-2, noise=noise)
    integrate.jump(run, 0.0)
    return run


@needs_speed
@pytest.mark.parametrize("pause", [1.0, pytest.param(0.1, marks=pytest.mark.campaign)], ids=["in one step", "in many"])
def test_at_rest_each_site_of_a_film_holds_an_ion_by_itself(pause):
    """By detailed balance the number is binomial: its mean within 0.5 %, its variance within 8 %, and that of cells 6 %."""
    film = Uptake(start=12, columns=64)
    run, cells = begun_uptake(film, seed=1), []
    for _ in range(500):
        run.step = pause * film.time
        integrate.follow_piece(run, pause * film.time, 0.0, 0.0)
        cells.append(run.trial.noise.ions.copy())
    cells = np.array(cells[int(3.0 / pause) :])
    numbers, sites = cells.sum(axis=2), film.sites * film.cells
    print(numbers.mean(), numbers.var() / (sites * 0.21), cells.var() / (film.sites * 0.21))
    assert np.array_equal(cells, np.rint(cells))
    assert cells.min() >= 0.0
    assert cells.max() <= film.sites
    assert numbers.mean() == pytest.approx(sites * 0.3, rel=5e-3)
    assert numbers.var() == pytest.approx(sites * 0.3 * 0.7, rel=0.08)
    assert cells.var() == pytest.approx(film.sites * 0.3 * 0.7, rel=0.06)


@needs_speed
@pytest.mark.parametrize(
    "film",
    [
        Uptake(),
        pytest.param(Uptake(ratio=10.0), marks=pytest.mark.campaign),
        pytest.param(Uptake(start=30), marks=pytest.mark.campaign),
        pytest.param(Uptake(reservoir=400.0), marks=pytest.mark.campaign),
        Uptake(10.0, start=30, share=1e-3, reservoir=242.0),
        pytest.param(Uptake(10.0, start=2, share=0.95, reservoir=80.0), marks=pytest.mark.campaign),
    ],
    ids=["uptake", "fast wall", "loss", "finite reservoir", "reservoir that empties", "reservoir that fills"],
)
def test_an_uptake_is_that_of_an_exact_monte_carlo(film):
    """Number of ions at three times: its mean within 1 % beyond three errors, its variance within three errors."""
    times = np.array([0.1, 0.3, 1.0]) * film.time
    exact = exact_uptake(film, times, RUNS, seed=3).sum(axis=2)
    run, numbers = begun_uptake(film._replace(columns=256), seed=2), []
    for pause in np.diff(times, prepend=0.0):
        for _ in range(8):
            integrate.follow_piece(run, pause / 8, 0.0, 0.0)
        numbers.append(run.trial.noise.ions.sum(axis=1))
    sampled = np.array(numbers).T
    error = 3.0 * np.hypot(sampled.std(axis=0) / math.sqrt(len(sampled)), exact.std(axis=0) / math.sqrt(RUNS))
    print(film, sampled.mean(axis=0), exact.mean(axis=0), error, sampled.var(axis=0) / exact.var(axis=0))
    assert (np.abs(sampled.mean(axis=0) - exact.mean(axis=0)) < error + 0.01 * exact.mean(axis=0)).all()
    assert sampled.var(axis=0) / exact.var(axis=0) == pytest.approx(1.0, abs=3.0 * math.sqrt(2 / 256))


@pytest.mark.parametrize(("at_right", "sign"), [(False, 1.0), (True, -1.0)])
def test_ions_beyond_the_free_sites_of_a_reservoir_come_back_from_the_other_electrode(at_right, sign):
    """Of 100 sites 20 are free, and 40 ions came: three are in the film, the others went through it."""
    noise, wall = new_noise(np.ones(1), 1, 4), exchange.NO_WALL._replace(capacity=100.0, filling=0.8)
    noise.after[0, 1 if at_right else 2] = 3.0
    noise.passed[AFTER, 0] = (-37.0, -40.0) if at_right else (40.0, 37.0)
    take_oxygen(wall, noise, 0, at_right)
    assert noise.after.sum() == 0.0
    assert noise.passed[AFTER, 0].tolist() == [20.0 * sign, 20.0 * sign]


def charged(left, right, rate="1e-7 m/s"):
    """The text of a film whose ions bend its band, with electrodes of a rate on either side."""
    text = FILM
    for side, is_open in (("left", left), ("right", right)):
        given = f'exchange = {{ rate = "{rate}", formation_energy = "0.82 eV" }}\n' if is_open else ""
        head = f'[device.{side}]\nkind = "metal"\nbarrier = "0.8 eV"\n'
        assert head in text
        text = text.replace(head, head + given)
    return text


def beside_electrons(text):
    """The text of a film that holds electrons."""
    return text.replace("tunnelling_mass", 'electrons = "balance"\ndensity_of_states = "1e26 1/m^3"\ntunnelling_mass')


def covariance_of_open_film(run, c, area):
    """As `test_hop_noise.covariance`, of a film whose number of ions is free."""
    width, distance = run.junction.columns.width[0], run.junction.columns.distance[0]
    n, sites = c[0] * width * area, 1e27 * width * area
    x, thickness, eps = np.cumsum(distance)[:-1], distance.sum(), run.state.eps[0, 0]
    near, far = np.minimum.outer(x, x), np.maximum.outer(x, x)
    potential = ELEMENTARY_CHARGE * near * (thickness - far) / (eps * thickness * area)
    return np.linalg.inv(np.diag(1 / n + 1 / (sites - n)) + potential / run.junction.kT[0])


def test_the_way_between_two_states_beside_electrons_has_room_for_single_ions():
    run, _, _ = begun(1200, seed=7, text=beside_electrons(charged(True, False, "1e-6 m/s")))
    assert {room.values.size for room in (run.state, *run.trial.between)} == {run.state.values.size}
    assert run.trial.between.old is not run.trial.between.end


def covariance_beside_electrons(run, c, area):
    """As `covariance_of_open_film`, of a film whose electrons answer: from bands with a thousandth more in a cell."""
    n, sites = (c * run.junction.columns.width)[0] * area, 1e27 * run.junction.columns.width[0] * area
    inverse, state = np.diag(1 / n + 1 / (sites - n)), run.state
    for j in range(len(n)):
        for sign in (1.0, -1.0):
            state.c[:] = c
            state.c[0, j] *= 1.0 + sign * 1e-3
            integrate.jump(run, 0.0)
            inverse[:, j] -= sign * state.band[0, 1:-1] / (2e-3 * n[j] * run.junction.kT[0])
    state.c[:] = c
    integrate.jump(run, 0.0)
    assert np.abs(inverse - inverse.T).max() < 1e-9 * inverse.max()
    return np.linalg.inv(0.5 * (inverse + inverse.T))


@needs_speed
@pytest.mark.parametrize("electrons", [False, True])
@pytest.mark.parametrize(
    ("left", "right"),
    [*(pytest.param(*it, marks=pytest.mark.campaign) for it in ((True, False), (False, True))), (True, True)],
)
def test_ions_that_feel_each_other_have_their_number_at_rest(left, right, electrons):
    """1200 ions, whose field holds their number, and electrons that screen them: it scatters by a sixth more."""
    text, pause, pauses = charged(left, right, "1e-6 m/s"), 0.1, 2500
    if electrons:
        pause, pauses = 3e-3, 1000
        text = beside_electrons(text).replace('"0.8 eV"', '"0.05 eV"').replace("0.82 eV", "0.05 eV")
    run, c, area = begun(1200, seed=7 if electrons else 4, text=text)
    expected, cells = covariance_of_open_film(run, c, area), []
    if electrons:
        bare, expected = expected, covariance_beside_electrons(run, c, area)
        assert expected.sum() > 1.15 * bare.sum()
    for _ in range(pauses):
        run.step = pause
        integrate.follow_piece(run, pause, 0.0, 0.0)
        cells.append(run.trial.noise.ions[0].copy())
    cells = np.array(cells[pauses // 20 :])
    numbers = cells.sum(axis=1)
    print(numbers.mean() / 1200, numbers.var() / expected.sum(), (cells.var(axis=0) / np.diag(expected)).mean())
    assert numbers.mean() == pytest.approx(1200.0, rel=5e-3)
    assert numbers.var() == pytest.approx(expected.sum(), rel=0.2 if electrons else 0.12)
    assert (cells.var(axis=0) / np.diag(expected)).mean() == pytest.approx(1.0, abs=0.05)


def test_the_ions_of_a_film_are_those_at_first_and_those_that_passed():
    run, _, area = begun(300, seed=5, text=charged(True, True))
    first = run.trial.noise.ions.sum()
    for voltage in (0.3, -0.2):
        integrate.jump(run, voltage)
        integrate.follow_piece(run, 0.05, voltage, voltage)
        passed = run.trial.noise.passed[0, 0]
        assert passed.all()
        assert np.array_equal(passed, np.rint(passed))
        assert run.trial.noise.ions.sum() == first + passed[0] - passed[1]
        smooth = run.state.passed.copy()
        with integrate.with_all_ions(run, voltage):
            np.testing.assert_allclose(run.state.passed[0] * area, passed, rtol=1e-14)
        np.testing.assert_array_equal(run.state.passed, smooth)


@needs_speed
def test_a_film_that_loses_its_last_ion_runs_to_its_end_and_is_drawn():
    """Whole ions in every record, what passed is what is gone, and words about the empty film."""
    film = Uptake(ratio=10.0, share=1e-7)
    text = film.text().replace('prefactor = "1e-7 m^2/s"', 'prefactor = "1e-7 m^2/s"\nnoise = "shot"\nseed = 3')
    text = text.replace("eps_r = 1e6", "eps_r = 100").replace('"10 nm"', f'"{1e9 * math.sqrt(film.area / math.pi)} nm"')
    text = text.replace('duration = "1 s"', f'duration = "{10 * film.time} s"')
    ds = otjdd.run(parse_case(text))
    assert otjdd.figure(ds, "exchange").axes
    assert "the film has emptied into its electrodes" in ds.attrs["model_limits"]
    ions = ds.vacancies.values * film.area
    np.testing.assert_allclose(ions, np.rint(ions), atol=1e-9)
    assert ions[0] > 20
    assert ions[-1] == 0.0
    assert np.isnan(ds.vacancy_mean_position.values[-1])
    np.testing.assert_allclose(ds.vacancy_balance.values, 0.0, atol=1e-12)
