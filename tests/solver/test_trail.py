"""Runs that take the time steps of another run."""

import numpy as np
import pytest
from fitted_devices import small

from otjdd.errors import SolverError
from otjdd.fitting.parameters import parameters
from otjdd.solver.simulate import simulate_junction
from otjdd.solver.trail import Trail

KEYS = ("ions.activation_energy", "device.film.thickness")  # of the ions, and of the grid
MORE_KEYS = ("device.left.barrier", "ions.density", "temperature")
STRICT = {"numerics.rtol": 1e-5, "numerics.current_tolerance": 1e-8}


def reads(case, given=None):
    """Logarithms of the currents of the reads of a case, and its trail."""
    trail = Trail([], given)
    return np.log(np.abs(simulate_junction(case, trail=trail).read_current.values)), trail.trials


def central(case, parameter, h, given=None):
    """Central difference of the logarithms by the coordinate of a parameter."""
    above, below = (reads(case.replace({parameter.key: parameter.value(x)}), given)[0] for x in (h, -h))
    return (above - below) / (2 * h)


def test_a_run_along_its_own_trail_is_the_same_bit_for_bit():
    numbers, trail = reads(small())
    assert (trail < 0).any()  # rejected steps are among them
    again, same = reads(small(), trail)
    assert np.array_equal(again, numbers)
    assert np.array_equal(same, trail)


@pytest.mark.parametrize("key", [*KEYS, *(pytest.param(key, marks=pytest.mark.campaign) for key in MORE_KEYS)])
def test_a_small_difference_along_a_trail_is_the_derivative_of_independent_runs(key):
    """Beside Richardson's extrapolation of wide differences of strict runs, which share no step with it."""
    (parameter,) = parameters(small(), [key])
    numbers, trail = reads(small())
    h = 3e-5
    beside, _ = reads(small().replace({key: parameter.value(h)}), trail)
    strict = small().replace(STRICT)
    wide, half = (central(strict, parameter, H) for H in (4e-3, 2e-3))
    exact = (4 * half - wide) / 3
    error = (beside - numbers) / h - exact
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.sqrt(np.mean(exact**2))


def test_a_run_too_far_from_the_one_whose_steps_it_takes_fails_instead_of_erring():
    _, trail = reads(small())
    with pytest.raises(SolverError):
        reads(small().replace({"ions.activation_energy": "0.3 eV"}), trail)
    with pytest.raises(SolverError):  # of a shorter run
        reads(small(), trail[:-5])
