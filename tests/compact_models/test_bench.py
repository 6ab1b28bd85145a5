"""A column on a bench: stations of one run, failures, runs that share their arrays, and films of layers."""

import numpy as np
import pytest
from layered import between_metals, layer

from otjdd.case.case import load_case
from otjdd.compact_models import build
from otjdd.compact_models.bench import (
    COARSE,
    FINE,
    READY,
    Ends,
    bench_of,
    branches_at,
    concentrations_after,
    extreme_profiles,
    hold_run,
    is_uniform,
    log_rates,
    moving,
    position,
    readings_of_profiles,
    run_from,
    stations,
    uniform_film,
)
from otjdd.compact_models.tables import Range
from otjdd.errors import SolverError
from otjdd.solver import model

TIMES = np.geomspace(1e-9, 1e2, 23)  # s


def profiles_after(column, profiles, voltage, duration):
    return np.concatenate([concentrations_after(column, c[None], voltage, duration) for c in profiles])


@pytest.fixture(scope="module")
def column():
    case = load_case("li2019", {"columns.count": 1, "columns.spread": {}, "device.film.cells": 16})
    return bench_of(case, model.members(case)[0])


def test_stations_of_one_run_are_the_ends_of_runs_of_their_own(column):
    film = uniform_film(column)
    places = [position(column, c) for c in stations(column, film, 1.2, TIMES)]
    assert len(places) == TIMES.size
    for i in (0, 9, 15, 22):
        alone = position(column, concentrations_after(column, film, 1.2, float(TIMES[i])))
        assert places[i] == pytest.approx(alone, abs=1e-3)
    assert places[-1] - places[0] > 0.2


def test_a_run_that_fails_yields_its_stations_until_then(column):
    short, reached = column._replace(max_steps=25), []

    def follow():
        for c in stations(short, uniform_film(column), 1.2, TIMES):
            reached.append(position(column, c))

    with pytest.raises(SolverError, match="steps"):
        follow()
    assert 0 < len(reached) < TIMES.size
    whole = [position(column, c) for c in stations(column, uniform_film(column), 1.2, TIMES)]
    assert reached == pytest.approx(whole[: len(reached)], abs=1e-9)


def test_runs_that_share_their_arrays_end_and_read_as_runs_of_their_own(column):
    profiles = np.concatenate([*stations(column, uniform_film(column), 1.2, TIMES[::6])])[::-1]  # not in their order
    alone = [run_from(column, c[None]) for c in profiles]
    for run in alone:
        hold_run(run, 0.0, [1e-6])
    assert np.array_equal(profiles_after(column, profiles, 0.0, 1e-6), [run.kept_states[0].c[0] for run in alone])
    read, own = readings_of_profiles(column, profiles, 0.1), []
    for c in profiles:
        READY.clear()
        own.append(readings_of_profiles(column, c[None], 0.1))
    assert read.conductance.tolist() == [float(reading.conductance[0]) for reading in own]
    assert read.charge.tolist() == [float(reading.charge[0]) for reading in own]
    assert read.conductance[0] > 2.0 * read.conductance[-1]


def test_steps_of_runs_that_share_their_arrays_are_counted_apart(column):
    profiles = np.repeat(uniform_film(column), 5, axis=0)
    whole = profiles_after(column, profiles, 1.2, 1e-3)
    run = run_from(column, profiles[:1])
    hold_run(run, 1.2, [1e-3])
    few = column._replace(max_steps=run.counts.accepted + run.counts.rejected)
    assert np.array_equal(profiles_after(few, profiles, 1.2, 1e-3), whole)


@pytest.mark.parametrize("voltage", [-1.0, 1.2])
def test_tables_need_half_of_the_samples_of_a_run(column, voltage):
    ends = Ends(*extreme_profiles(column, Range(-4.3, 3.0)), 1e-5)
    (fine, *_), (coarse, *_) = (branches_at(column, ends, voltage, spacing) for spacing in (FINE, COARSE))
    assert moving(coarse).size < coarse.time.size < 0.7 * fine.time.size
    states = np.linspace(0.1, 0.9, 33)
    rates = [log_rates([branch], states, 9.0) for branch in (fine, coarse)]
    assert np.abs(np.subtract(*rates)).max() < 0.06  # decades, as `extraction.RATE_TOLERANCE`


def test_a_uniform_film_has_no_vacancies_where_there_are_no_sites():
    film = between_metals(layer(1.0, 10, ions="none"), layer(2.0, 10), ions__density=1e26)
    column = bench_of(film, model.members(film)[0])
    c = uniform_film(column)
    assert np.array_equal(c[0], np.repeat([0.0, 1e26], 10))
    assert is_uniform(column, c)
    assert not is_uniform(column, c * np.linspace(0.5, 1.5, 20))


@pytest.mark.campaign
def test_two_oxides_whose_wells_hold_the_vacancies_have_a_model_of_measured_error():
    wells = {"ions.well_left": "0.6 eV", "ions.well_right": "0.6 eV"}
    model_of_two = build.compact("bilayer-polarity", wells, voltage=(-3.0, 3.0), time=(1e-6, 1e2))
    assert len(model_of_two.error) > 10
    assert max(rms for rms, _ in model_of_two.error.values()) < 0.25
