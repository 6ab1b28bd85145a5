"""Equilibrium that is found directly is the one that time would lead to."""

import numpy as np
import pytest
from devices import case, lumpy

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import SolverError
from otjdd.mechanisms.electrons.density import LEFT, RIGHT
from otjdd.physics import rest
from otjdd.physics.rest import relaxed, resting_state
from otjdd.solver import initial, model

DEEP = {"ions__well_left": 1.2, "ions__well_right": 1.0, "temperature": 150.0, "device__film__cells": 40}


def found(film, c=None):
    junction, parts = model.junction(film), model.members(film)
    c = model.uniform(film, parts) if c is None else c
    return junction, c, relaxed(junction, c)


def test_equilibrium_does_not_depend_on_where_the_ions_were():
    film = case(**DEEP)
    junction, c, there = found(film)
    other = lumpy(junction, np.random.default_rng(1))
    other *= (c * junction.columns.width).sum() / (other * junction.columns.width).sum()
    np.testing.assert_allclose(found(film, other)[2], there, rtol=1e-9)


def test_a_stack_without_equilibrium_is_told(monkeypatch):
    film = case(device__film__cells=8)
    monkeypatch.setattr(rest, "rest_column", lambda *_: 0)
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
        rest = relaxed(junction, c)
        assert rest is not None
        number = (c * junction.columns.width).sum() / (even * junction.columns.width).sum()
        same = relaxed(junction, even * number)
        np.testing.assert_allclose(rest, same, rtol=1e-6)


@pytest.mark.parametrize("V", [0.0, 0.5])
def test_each_part_of_a_film_with_electrons_keeps_its_ions(V):
    """By the definition of rest: z U - kT ln[c/(c_max - c)] is one number in each part, and Gauss's law holds there."""
    mobile = {"permittivity": {"law": "linear", "eps_r": 60.0}, "cells": 8, "density_of_states": "1e27 1/m^3"}
    layers = [
        mobile | {"thickness": "2 nm"},
        mobile | {"thickness": "1 nm", "cells": 5, "ions": "none", "band_offset": "0.4 eV"},
        mobile | {"thickness": "1.5 nm", "band_offset": "0.1 eV"},
    ]
    film = case(device__film={"layers": layers, "electrons": "balance"}, ions__density="2e26 1/m^3")
    junction, parts = model.junction(film), model.members(film)
    columns, c = junction.columns, model.uniform(film, parts) * np.where(np.arange(21) < 8, 1.3, 0.6)
    state = resting_state(junction)
    assert rest.rest_column(junction, state, 0, V, rest.rest_parts(junction, 0, c[0])) > 0
    band, W = state.band[0, 1:-1] - np.cumsum(columns.rise[0, :-1]), np.cumsum(columns.site[0, :-1])
    level = junction.ions[0].z * band - W
    for part in (slice(0, 8), slice(13, 21)):
        number = (columns.width * state.c)[0, part].sum()
        assert number == pytest.approx((columns.width * c)[0, part].sum(), rel=1e-12)
        x = np.log(state.c[0, part] / (columns.sites[0, part] - state.c[0, part]))
        assert np.ptp(x - level[part] / junction.kT[0]) < 1e-9
    n = state.electrons[0, RIGHT] + state.electrons[0, LEFT]
    charge = ELEMENTARY_CHARGE * columns.width[0] * (junction.ions[0].z * state.c[0] - n) - np.diff(columns.fixed[0])
    np.testing.assert_allclose(np.diff(state.D[0]), charge, atol=1e-12)
    assert n.max() > 1e24
    assert not state.c[0, 8:13].any()
