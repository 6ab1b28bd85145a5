"""A column on a bench: stations of one run, a failure that yields those before it, and runs that share their arrays."""

import numpy as np
import pytest

from otjdd.case.case import load_case
from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.ends import uniform
from otjdd.errors import SolverError
from otjdd.solver import model

TIMES = np.geomspace(1e-9, 1e2, 23)  # s


@pytest.fixture(scope="module")
def column():
    case = load_case("li2019", {"columns.count": 1, "columns.spread": {}, "device.film.cells": 16})
    return on_bench.bench(case, model.members(case)[0])


def test_stations_of_one_run_are_the_ends_of_runs_of_their_own(column):
    film = uniform(column)
    places = [on_bench.position(column, c) for c in on_bench.stations(column, film, 1.2, TIMES)]
    assert len(places) == TIMES.size
    for i in (0, 9, 15, 22):
        alone = on_bench.position(column, on_bench.concentrations_after(column, film, 1.2, float(TIMES[i])))
        assert places[i] == pytest.approx(alone, abs=1e-3)
    assert places[-1] - places[0] > 0.2


def test_a_run_that_fails_yields_its_stations_until_then(column):
    short, reached = column._replace(max_steps=25), []

    def follow():
        for c in on_bench.stations(short, uniform(column), 1.2, TIMES):
            reached.append(on_bench.position(column, c))

    with pytest.raises(SolverError, match="steps"):
        follow()
    assert 0 < len(reached) < TIMES.size
    whole = [on_bench.position(column, c) for c in on_bench.stations(column, uniform(column), 1.2, TIMES)]
    assert reached == pytest.approx(whole[: len(reached)], abs=1e-9)


def test_runs_that_share_their_arrays_end_and_read_as_runs_of_their_own(column):
    profiles = np.concatenate([*on_bench.stations(column, uniform(column), 1.2, TIMES[::6])])[
        ::-1
    ]  # not in their order
    alone = np.concatenate([on_bench.concentrations_after(column, c[None], 0.0, 1e-6) for c in profiles])
    assert np.array_equal(on_bench.profiles_after(column, profiles, 0.0, 1e-6), alone)
    read, own = on_bench.readings(column, profiles, 0.1), [on_bench.readings(column, c[None], 0.1) for c in profiles]
    assert read.conductance.tolist() == [float(reading.conductance[0]) for reading in own]
    assert read.charge.tolist() == [float(reading.charge[0]) for reading in own]
    assert read.conductance[0] > 2.0 * read.conductance[-1]


def test_steps_of_runs_that_share_their_arrays_are_counted_apart(column):
    profiles = np.repeat(uniform(column), 5, axis=0)
    whole = on_bench.profiles_after(column, profiles, 1.2, 1e-3)
    (run,) = on_bench.runs_from(column, profiles[:1])
    on_bench.hold(run, 1.2, [1e-3])
    few = column._replace(max_steps=run.counts.accepted + run.counts.rejected)
    assert np.array_equal(on_bench.profiles_after(few, profiles, 1.2, 1e-3), whole)
