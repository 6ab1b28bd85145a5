"""Declarations of [study]: ranges and draws; others are refused in words."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from otjdd.case.study_axes import Distribution, EvenlySpaced, Sample, Study, axes, coordinate, latin_hypercube


def values(distribution: dict, count=4096) -> np.ndarray:
    """Draws in SI."""
    sample = Sample(method="latin-hypercube", count=count, seed=3, over={"ions.density": distribution})
    return coordinate([row[0] for row in sample.rows()])[0]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"start": "2 nm", "stop": "3 nm", "step": "0.2 nm"}, ["2 nm", "2.2 nm", "2.4 nm", "2.6 nm", "2.8 nm", "3 nm"]),
        ({"start": "900 ps", "stop": "1 ns", "count": 3}, ["900 ps", "950 ps", "1 ns"]),
        ({"start": "1 ns", "stop": "1 us", "count": 4, "spacing": "log"}, ["1 ns", "10 ns", "100 ns", "1 us"]),
        ({"start": "-1 V", "stop": "1 V", "step": "0.8 V"}, ["-1 V", "-0.2 V", "0.6 V"]),
        ({"start": 10, "stop": 30, "step": 10}, [10, 20, 30]),
        ({"start": 0.1, "stop": 0.3, "count": 3}, [0.1, 0.2, 0.3]),
    ],
)
def test_ranges_have_the_values_a_person_would_write(given, found):
    made = EvenlySpaced(**given)
    assert made.values() == found
    assert [type(v) for v in made.values()] == [type(v) for v in found]
    assert made.size == len(found)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"start": "2 nm", "stop": "3 ns", "count": 3}, 'same kind of quantity as "2 nm", got "3 ns"'),
        ({"start": "2 nm", "stop": "1 nm", "count": 3}, "stop above the start"),
        ({"start": "2 nm", "stop": "3 nm"}, "either count or step"),
        ({"start": "2 nm", "stop": "3 nm", "step": "0 nm"}, "step above zero"),
        ({"start": "0 nm", "stop": "3 nm", "count": 3, "spacing": "log"}, "above zero"),
        ({"start": "2 furlongs", "stop": "3 nm", "count": 3}, "a number with a unit"),
    ],
)
def test_a_range_that_is_none_is_refused_in_words(given, told):
    with pytest.raises(ValidationError, match=told):
        EvenlySpaced(**given)


def test_draws_follow_their_distribution():
    x = values({"mean": "3e26 1/m^3", "deviation": "3e25 1/m^3"})
    assert x.mean() == pytest.approx(3e26, rel=1e-3)
    assert x.std() == pytest.approx(3e25, rel=1e-2)
    x = np.log(values({"median": "3e26 1/m^3", "factor": 1.5}) / 3e26) / np.log(1.5)
    assert (x.mean(), x.std()) == (pytest.approx(0, abs=1e-2), pytest.approx(1, rel=1e-2))
    x = values({"low": "1e26 1/m^3", "high": "1e28 1/m^3", "spacing": "log"})
    assert np.median(x) == pytest.approx(1e27, rel=1e-2)
    x = values({"low": "1e26 1/m^3", "high": "3e26 1/m^3"})
    assert x.std() == pytest.approx(2e26 / 12**0.5, rel=1e-2)


def test_draws_stay_between_their_ends_choices_are_equally_likely_and_saltelli_exchanges_columns():
    x = values({"mean": "3e26 1/m^3", "deviation": "3e26 1/m^3", "low": "1e26 1/m^3", "high": "4e26 1/m^3"})
    assert 1e26 <= x.min() < 1.01e26 < 3.99e26 < x.max() <= 4e26
    sample = Sample(method="latin-hypercube", count=300, over={"ions.law": {"values": ["linear", "mott-gurney"]}})
    assert sorted(row[0] for row in sample.rows()) == ["linear"] * 150 + ["mott-gurney"] * 150
    over = {"temperature": {"low": "280 K", "high": "320 K"}, "numerics.rtol": {"low": 1e-4, "high": 1e-3}}
    A, B, first, second = np.array(Sample(method="saltelli", count=8, over=over).rows(), dtype=object).reshape(4, 8, 2)
    assert (first == np.column_stack((B[:, 0], A[:, 1]))).all()
    assert (second == np.column_stack((A[:, 0], B[:, 1]))).all()


@pytest.mark.parametrize(("count", "dimensions"), [(1, 1), (7, 2), (1000, 5)])
def test_a_latin_hypercube_is_that_of_scipy_and_has_a_point_in_each_slice(count, dimensions):
    from scipy.stats import qmc

    cube = latin_hypercube(np.random.default_rng(3), count, dimensions)
    assert np.array_equal(cube, qmc.LatinHypercube(dimensions, rng=np.random.default_rng(3)).random(count))
    assert np.array_equal(np.sort(np.floor(cube * count), axis=0), np.tile(np.arange(count), (dimensions, 1)).T)


@pytest.mark.parametrize("method", ["sobol", "latin-hypercube", "random", "saltelli"])
def test_a_seed_decides_the_draws(method):
    def drawn(seed):
        over = {
            "temperature": {"low": "280 K", "high": "320 K"},
            "ions.density": {"median": "3e26 1/m^3", "factor": 2.0},
        }
        return Sample(method=method, count=16, seed=seed, over=over).rows()

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(set(drawn(1))) == len(drawn(1))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mean": "3 eV", "deviation": "1 nm"}, "same kind"),
        ({"mean": "25 degC", "deviation": "10 degC"}, "a difference of temperatures"),
        ({"mean": "3 eV", "deviation": "0 eV"}, "deviation above zero"),
        ({"mean": "3 eV", "deviation": "1 eV", "low": "4 eV"}, "either side"),
        ({"median": "3 eV", "factor": 1.0}, "greater than 1"),
        ({"low": "3 eV", "high": "2 eV"}, "above the low one"),
        ({"low": "0 eV", "high": "2 eV", "spacing": "log"}, "above zero"),
    ],
)
def test_a_distribution_that_is_none_is_refused_in_words(given, told):
    with pytest.raises(ValidationError, match=told):
        TypeAdapter(Distribution).validate_python(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "nothing is varied"),
        ({"grid": {"temperature": ["1 K"]}, "zip": {"temperature": ["2 K"]}}, "temperature twice"),
        ({"zip": {"temperature": ["1 K"], "ions.density": ["1e26 1/m^3", "2e26 1/m^3"]}}, "lists of the same length"),
        ({"points": [{"temperature": "1 K"}, {"ions.density": "1e26 1/m^3"}]}, "same keys in every point"),
        (
            {"sample": {"count": 100, "over": {"temperature": {"low": "1 K", "high": "2 K"}}}},
            "power of 2, such as 64 or 128",
        ),
    ],
)
def test_a_study_that_contradicts_itself_is_refused_in_words(given, told):
    with pytest.raises(ValidationError, match=told):
        Study(**given)


def test_values_that_change_together_are_one_axis_and_points_another():
    study = Study(
        grid={"temperature": {"start": "290 K", "stop": "310 K", "step": "10 K"}},
        zip={"ions.density": ["1e26 1/m^3", "2e26 1/m^3"], "device.film.cells": {"start": 10, "stop": 20, "step": 10}},
        points=[{"ions.charge": 1, "ions.law": "linear"}, {"ions.law": "mott-gurney", "ions.charge": 2}],
    )
    assert study.sizes == {"temperature": 3, "row": 2, "point": 2}
    found = {axis.name: (axis.keys, axis.rows) for axis in axes(study)}
    assert found["row"] == (("ions.density", "device.film.cells"), [("1e26 1/m^3", 10), ("2e26 1/m^3", 20)])
    assert found["point"] == (("ions.charge", "ions.law"), [(1, "linear"), (2, "mott-gurney")])
