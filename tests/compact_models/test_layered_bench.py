"""Compact models of films of several layers begin from vacancies in the layers that have sites."""

import numpy as np
from layered import between_metals, layer

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
