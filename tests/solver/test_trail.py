"""Runs that take the time steps of another run."""

import numpy as np
import pytest
from fitted_devices import small

from otjdd.errors import SolverError
from otjdd.fitting.parameters import parameters
from otjdd.solver.simulate import simulate_junction
from otjdd.solver.trail import Trail

KEYS = ("ions.activation_energy", "device.film.thickness")  # of the ions, and of the grid
MORE_KEYS = (
    "device.left.barrier", "ions.density", "temperature",
    "device.right.doping", "device.film.tunnelling_mass", "device.right.band_offset",
)  # fmt: skip
KINDS = [{"name": "thin", "share": 0.7}, {"name": "high", "share": 0.3, "set": {"device.left.barrier": "0.7 eV"}}]
TRAPS = {"name": "defects", "kind": "none", "density": "3e25 1/m^3", "depth": "0.5 eV", "relaxation_energy": "0.2 eV"}
SHORT = {"device.film.cells": 16, "drive.path": ["0 V", "2 V", "-2 V"], "drive.step": "1 V"}
HEAT = {"resistance": "1e3 K/W", "time_constant": "100 ms"}
OTHERS = [  # changes of the short loop; keys, and errors that were measured, rounded up
    ({"circuit.series_resistance": "10 kohm"}, {"circuit.series_resistance": 2e-4}),
    ({"columns.count": 2}, {'columns.spread."ions.activation_energy"': 1e-3}),
    ({"columns.kinds": KINDS}, {'columns.kinds[1].set."device.left.barrier"': 2e-3}),
    ({"columns.kinds": [KINDS[0] | {"share": 0.6}, KINDS[1]]}, {"columns.kinds[1].share": 0.1}),
    ({"device.heat": HEAT}, {"device.heat.resistance": 1e-3, "device.heat.time_constant": 2e-3}),
    ({"device.traps": [TRAPS]}, {"device.traps[0].density": 1e-4, "device.traps[0].depth": 1e-4}),
    ({"device.traps": [TRAPS]}, {"device.traps[0].relaxation_energy": 3e-4}),
]
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
    assert error_of_derivative(small(), key) < 1e-3


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("changes", "key", "limit"), [(changes, key, limit) for changes, keys in OTHERS for key, limit in keys.items()]
)
def test_differences_along_a_trail_are_the_derivatives_of_other_devices(changes, key, limit):
    assert error_of_derivative(small().replace(SHORT | changes), key) < limit


def error_of_derivative(case, key):
    """Error of a difference along the trail of a case, as a share of the derivative, both root mean squares.

    The derivative is Richardson's extrapolation of wide differences of strict runs, which share no step with the trail.
    """
    (parameter,) = parameters(case, [key])
    numbers, trail = reads(case)
    h = 3e-5
    beside, _ = reads(case.replace({key: parameter.value(h)}), trail)
    strict = case.replace(STRICT)
    wide, half = (central(strict, parameter, H) for H in (4e-3, 2e-3))
    exact = (4 * half - wide) / 3
    error = (beside - numbers) / h - exact
    return np.sqrt(np.mean(error**2)) / np.sqrt(np.mean(exact**2))


def test_a_run_too_far_from_the_one_whose_steps_it_takes_fails_instead_of_erring():
    _, trail = reads(small())
    with pytest.raises(SolverError):
        reads(small().replace({"ions.activation_energy": "0.3 eV"}), trail)
    with pytest.raises(SolverError):  # of a shorter run
        reads(small(), trail[:-5])
