"""Diffusion of the state from one-way fluxes: lone crossings, reads, and the solver's own random hops."""

from dataclasses import replace

import numpy as np
import pytest

from otjdd.case.case import load_case
from otjdd.compact_models import bench as on_bench
from otjdd.compact_models import build, hop_diffusion, noise_error
from otjdd.compact_models.branches import Ends, state_of
from otjdd.compact_models.ends import extremes
from otjdd.compact_models.limits import Range
from otjdd.solver import model
from otjdd.system.pool import one_by_one

LIMITS, SETTLING = Range(-4.3, 3.0), 1e-5


def small():
    """230 ions in one column of 20 cells."""
    return load_case("variability", {"device.radius": "1 um"}).without_study()


@pytest.fixture(scope="module")
def column():
    """A column on its bench, its ends and states."""
    case = small().without_noise()
    bench = on_bench.bench(case, model.members(case)[0])
    ends = Ends(*extremes(bench, LIMITS), SETTLING)
    low, high = (state_of(bench, c, SETTLING) for c in (ends.low, ends.high))
    return bench, ends, np.linspace(low, high, 49)


@pytest.mark.parametrize(("voltage", "start"), [(-1.0, -1), (0.0, 0), (0.0, -1), (1.0, 1)])
def test_ions_that_leave_a_full_well_cross_one_by_one(column, voltage, start):
    """phi is 1 where few of many ions cross a high barrier: their number is that of Poisson."""
    phi = 10.0 ** hop_diffusion.row_at(*column, voltage)
    assert phi[start] == pytest.approx(1.0, abs=0.06)


def test_ions_that_repel_each_other_rest_with_less_scatter(column):
    phi = 10.0 ** hop_diffusion.row_at(*column, 0.0)
    assert phi[np.abs(column[2] - 0.42).argmin()] < 0.2


@pytest.mark.campaign
def test_the_model_scatters_as_the_solver_does(extracted_small):
    ds = noise_error.with_scatter(extracted_small, small().without_noise(), one_by_one).measured
    off = np.abs(ds.sigma_model / ds.sigma_solver - 1.0)
    assert (off < 0.2 + 2.0 * ds.sigma_solver_error / ds.sigma_solver).all()


@pytest.fixture
def extracted_small():
    """The noisy model of the same case."""
    case = small().without_noise()
    made = build.compact(case, voltage=LIMITS[:2], measure=False)
    return replace(made, noise=build.noise_of(made, case, one_by_one))
