"""Compact models of films of several layers begin from vacancies in the layers that have sites."""

import numpy as np
import pytest
from layered import between_metals, layer

from otjdd.compact_models import build
from otjdd.compact_models.bench import bench
from otjdd.compact_models.ends import is_uniform, uniform
from otjdd.solver import model


def test_a_uniform_film_has_no_vacancies_where_there_are_no_sites():
    film = between_metals(layer(1.0, 10, ions="none"), layer(2.0, 10), ions__density=1e26)
    column = bench(film, model.members(film)[0])
    c = uniform(column)
    assert np.array_equal(c[0], np.repeat([0.0, 1e26], 10))
    assert is_uniform(column, c)
    assert not is_uniform(column, c * np.linspace(0.5, 1.5, 20))


@pytest.mark.campaign
def test_two_oxides_whose_wells_hold_the_vacancies_have_a_model_of_measured_error():
    wells = {"ions.well_left": "0.6 eV", "ions.well_right": "0.6 eV"}
    model_of_two = build.compact("bilayer-polarity", wells, voltage=(-3.0, 3.0), time=(1e-6, 1e2))
    assert len(model_of_two.error) > 10
    assert max(rms for rms, _ in model_of_two.error.values()) < 0.25
