"""Equilibrium that is found directly is the one that time would lead to."""

import numpy as np
import pytest
from devices import case, lumpy

from otjdd.errors import SolverError
from otjdd.solver import equilibrium, initial, model

DEEP = {"ions__well_left": 1.2, "ions__well_right": 1.0, "temperature": 150.0, "device__film__cells": 40}


def found(film, c=None):
    junction, parts = model.junction(film), model.members(film)
    c = model.uniform(film, parts) if c is None else c
    return junction, c, equilibrium.relaxed(junction, c)


def test_equilibrium_does_not_depend_on_where_the_ions_were():
    film = case(**DEEP)
    junction, c, there = found(film)
    other = lumpy(junction, np.random.default_rng(1))
    other *= (c * junction.columns.width).sum() / (other * junction.columns.width).sum()
    np.testing.assert_allclose(found(film, other)[2], there, rtol=1e-9)


def test_a_stack_without_equilibrium_is_told(monkeypatch):
    film = case(device__film__cells=8)
    monkeypatch.setattr(equilibrium, "STEPS", 1)
    with pytest.raises(SolverError, match=r"equilibrium .*Try: .*, or "):
        initial.relax(model.junction(film), model.uniform(film, model.members(film)))


@pytest.mark.parametrize("cells", [slice(0, 3), slice(-2, None)])
def test_rest_is_reached_from_cells_whose_sites_are_all_taken_or_all_free(cells):
    film = case(temperature="150 K", ions__well_left="0.5 eV", ions__density="3e27 1/m^3", device__film__cells=16)
    junction, parts = model.junction(film), model.members(film)
    even = model.uniform(film, parts)
    for filled in (True, False):
        c = even.copy()
        c[0, cells] = junction.columns.sites[0, cells] if filled else 0.0
        rest = equilibrium.relaxed(junction, c)
        assert rest is not None
        number = (c * junction.columns.width).sum() / (even * junction.columns.width).sum()
        same = equilibrium.relaxed(junction, even * number)
        np.testing.assert_allclose(rest, same, rtol=1e-6)
