"""Random hops: variance at rest, sites, seeds, the bound on leaps. Set times are those of `test_set_times`."""

import math

import numpy as np
import pytest
from devices import needs_speed

from otjdd import variables
from otjdd.case.case import parse_case
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.single_ions.walk import new_noise, take_sites, whole_ions
from otjdd.physics import rest
from otjdd.solver import integrate, model

FILM = """
title = "a film between two metals whose field does not change with their charge"
temperature = "300 K"

[device]
radius = "10 nm"

[device.left]
kind = "metal"
barrier = "0.8 eV"

[device.film]
thickness = "4 nm"
cells = 20
grading = 3
permittivity = { law = "linear", eps_r = 100 }
tunnelling_mass = 0.5

[device.right]
kind = "metal"
barrier = "0.8 eV"

[ions]
charge = 1
site_density = "1e27 1/m^3"
density = "3e26 1/m^3"
law = "linear"
activation_energy = "0.5 eV"
prefactor = "1e-7 m^2/s"
well_left = "0.03 eV"

[drive]
kind = "hold"
voltage = "0 V"
duration = "1 s"
"""


def begun(ions, seed, relaxed=True, text=FILM, stream=0, largest=math.inf):
    """A run of that film with a number of ions, their mean profile, and the area of the film [m2]."""
    case = parse_case(text)
    parts = model.members(case)
    junction = model.junction(case, parts=parts)
    c = model.uniform(case, parts)
    c = rest.relaxed(junction, c) if relaxed else c
    area = ions / (c[0] @ junction.columns.width[0])
    noise = new_noise(np.array([area]), seed, c.shape[1], stream, largest)
    run = integrate.begin(junction, c, rtol=7e-3, atol=1e-2, noise=noise)
    integrate.jump(run, 0.0)
    return run, c, area


def counts(run, voltage=0.0):
    """Ions in the cells (N,) of a run of one column."""
    with integrate.with_all_ions(run, voltage):
        return run.state.c[0] * run.junction.columns.width[0] * run.trial.noise.area[0]


def covariance(run, c, area):
    """That of the counts of cells at rest (N, N): lattice exclusion, and the electrostatics between two metals."""
    width, distance = run.junction.columns.width[0], run.junction.columns.distance[0]
    n, sites = c[0] * width * area, 1e27 * width * area
    x, thickness, eps = np.cumsum(distance)[:-1], distance.sum(), run.state.eps[0, 0]
    near, far = np.minimum.outer(x, x), np.maximum.outer(x, x)
    potential = ELEMENTARY_CHARGE * near * (thickness - far) / (eps * thickness * area)  # V at x by one ion at x'
    inverse = np.linalg.inv(np.diag(1 / n + 1 / (sites - n)) + potential / run.junction.kT[0])
    of_all = inverse.sum(axis=1)
    return inverse - np.outer(of_all, of_all) / of_all.sum()


@needs_speed
@pytest.mark.parametrize("pause", [0.1, 1e-4], ids=["at rest in one step", "within a mean free time"])
def test_the_counts_of_cells_at_rest_have_the_variance_of_lattice_exclusion(pause):
    """To 3 %, in single steps far longer than the ions take to come to rest, and in steps in which only some cells do."""
    run, c, area = begun(1200, seed=1)
    found = []
    for _ in range(2500):
        run.step = pause
        integrate.follow_piece(run, pause, 0.0, 0.0)
        found.append(counts(run))
    assert run.counts.accepted < 1.2 * len(found)
    found, expected = np.array(found[50:]), covariance(run, c, area)
    assert found.min() >= -1e-9
    assert np.ptp(found.sum(axis=1)) < 1e-9
    assert (found.var(axis=0) / np.diag(expected)).mean() == pytest.approx(1.0, abs=0.03)
    sums = np.tril(np.ones_like(expected))[:-1]
    assert ((found @ sums.T).var(axis=0) / np.diag(sums @ expected @ sums.T)).mean() == pytest.approx(1.0, abs=0.1)


@needs_speed
@pytest.mark.parametrize("pause", [pytest.param(0.1, marks=pytest.mark.campaign), 1e-4])
def test_whole_ions_at_rest_block_sites(pause):
    """A film with 0.9 ions to a site, whose field no ion changes: of 3 sites a cell, the numbers of lattice exclusion."""
    text = (
        FILM.replace('density = "3e26', 'density = "9e26').replace("cells = 20\ngrading = 3", "cells = 20\ngrading = 1")
        .replace("eps_r = 100", "eps_r = 1e5").replace('well_left = "0.03 eV"', 'well_left = "0 eV"')
    )  # fmt: skip
    run, *_ = begun(540, seed=2, text=text)
    seen = []
    for _ in range(2000):
        run.step = pause
        integrate.follow_piece(run, pause, 0.0, 0.0)
        seen.append(run.trial.noise.ions[0].copy())
    seen = np.array(seen[50:])
    assert seen.sum(axis=1) == pytest.approx(540.0, abs=1e-12)
    assert np.array_equal(seen, np.rint(seen))
    assert seen.max() <= 30.0  # sites of a cell
    assert seen.mean() == pytest.approx(27.0)
    assert seen.var(axis=0).mean() == pytest.approx(27.0 * 0.1 * (1 - 1 / 20), rel=0.15)


def test_what_is_more_than_the_sites_of_a_cell_goes_to_the_nearest():
    ions, width = np.array([2.0, 9.0, 4.0, 0.0]), np.ones(4)
    assert take_sites(ions, np.full(4, 4.0), width, 1.0)
    assert ions.tolist() == [4.0, 4.0, 4.0, 3.0]
    assert not take_sites(np.array([9.0, 9.0, 9.0, 9.0]), np.full(4, 6.0), width, 1.0)


def test_concentrations_in_whole_ions_have_as_many_beside_each_face():
    c, width, area = np.array([[0.4, 0.4, 0.4, 1.8]]), np.ones((1, 4)), np.ones(1)
    assert whole_ions(c, width, area).tolist() == [[0.0, 1.0, 0.0, 2.0]]
    assert whole_ions(np.array([[3.0, 0.0, 2.0, 1.0]]), width, area).tolist() == [[3.0, 0.0, 2.0, 1.0]]


# between the same metals, its ions few and driven across
DRIVEN = FILM.replace("cells = 20\ngrading = 3", "cells = 20\ngrading = 1").replace(
    'density = "3e26', 'density = "1e26'
)


@needs_speed
@pytest.mark.parametrize("largest", [0.003, 0.03, 1.0])
def test_in_a_leap_no_more_than_its_share_of_the_ions_passes_a_face(largest):
    """Of so many that they hardly scatter: their mean position then moves by less than that share of the film."""
    run, *_ = begun(1e12, seed=1, relaxed=False, text=DRIVEN, largest=largest)
    integrate.jump(run, 0.3)
    integrate.follow_piece(run, 1e-2, 0.3, 0.3, record=True)
    moved = np.abs(np.diff(np.concatenate(run.rows)[:, variables.POSITION])).max() / 4e-9
    assert moved < largest
    assert (moved > 0.03) == (run.trial.noise.limited[0] == 0) == (largest == 1.0)
