"""Runs that take the time steps of another run."""

import numpy as np
import pytest
from fitted_devices import CURVES, small

from otjdd.errors import SolverError
from otjdd.fitting.least_squares import change_along
from otjdd.fitting.parameters import parameters
from otjdd.fitting.search import noise_along
from otjdd.solver.simulate import simulate_junction
from otjdd.solver.start import Trail

KEYS = (
    "device.film.thickness", "ions.activation_energy", "device.left.barrier", "ions.density", "temperature",
    "device.right.doping", "device.film.tunnelling_mass", "device.right.band_offset",
)  # fmt: skip
KINDS = [{"name": "thin", "share": 0.7}, {"name": "high", "share": 0.3, "set": {"device.left.barrier": "0.7 eV"}}]
TRAPS = {"name": "defects", "kind": "none", "density": "3e25 1/m^3", "depth": "0.5 eV", "relaxation_energy": "0.2 eV"}
SHORT = {"device.film.cells": 16, "drive.path": ["0 V", "2 V", "-2 V"], "drive.step": "1 V"}
HEAT = {"resistance": "1e3 K/W", "time_constant": "100 ms"}
SHARED = {"columns.kinds": [KINDS[0] | {"share": 0.6}, KINDS[1]]}
OTHERS = [  # changes of the short loop; keys, and errors that were measured, rounded up
    ({"circuit.series_resistance": "10 kohm"}, {"circuit.series_resistance": 2e-4}),
    ({"columns.count": 2}, {'columns.spread."ions.activation_energy"': 1e-3}),
    ({"columns.kinds": KINDS}, {'columns.kinds[1].set."device.left.barrier"': 2e-3}),
    (SHARED, {"columns.kinds[1].share": 0.1}),  # by the first read, of a film that was not written: see below
    ({"device.heat": HEAT}, {"device.heat.resistance": 1e-3, "device.heat.time_constant": 2e-3}),
    ({"device.traps": [TRAPS]}, {"device.traps[0].density": 1e-4, "device.traps[0].depth": 1e-4}),
    ({"device.traps": [TRAPS]}, {"device.traps[0].relaxation_energy": 3e-4}),
]
STRICT = {"numerics.rtol": 1e-5, "numerics.current_tolerance": 1e-8}


def reads(case, given=None):
    """Logarithms of the currents of the reads of a case, or of its curves at frozen ions, and its steps."""
    trail = Trail(given)
    ds = simulate_junction(case, trail=trail)
    currents = ds["bias_current" if "bias_current" in ds else "read_current"].values
    return np.log(np.abs(currents)).ravel(), trail.steps


def central(case, parameter, h, given=None):
    """Central difference of the logarithms by the coordinate of a parameter."""
    above, below = (reads(case.replace({parameter.key: parameter.value(x)}), given)[0] for x in (h, -h))
    return (above - below) / (2 * h)


def test_a_run_along_its_own_trail_is_the_same_bit_for_bit():
    numbers, steps = reads(small())
    assert (steps.trials < 0).any()  # rejected steps are among them
    again, same = reads(small(), steps)
    assert np.array_equal(again, numbers)
    assert np.array_equal(same.trials, steps.trials)
    assert same.alike(steps)


@pytest.mark.campaign
@pytest.mark.parametrize("key", KEYS)
def test_a_small_difference_along_a_trail_is_the_derivative_of_independent_runs(key):
    assert error_of_derivative(small(), key) < 1e-3


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("changes", "key", "limit"), [(changes, key, limit) for changes, keys in OTHERS for key, limit in keys.items()]
)
def test_differences_along_a_trail_are_the_derivatives_of_other_devices(changes, key, limit):
    assert error_of_derivative(small().replace(SHORT | changes), key) < limit


@pytest.mark.campaign
def test_the_derivative_by_the_share_of_a_kind_errs_in_the_first_read_alone():
    error, exact = derivatives(small().replace(SHORT | SHARED), "columns.kinds[1].share")
    assert np.sqrt(np.mean(error[1:] ** 2) / np.mean(exact[1:] ** 2)) < 2e-4


def error_of_derivative(case, key):
    """Error of a difference along the steps of a case, as a share of the derivative, both root mean squares."""
    error, exact = derivatives(case, key)
    return np.sqrt(np.mean(error**2)) / np.sqrt(np.mean(exact**2))


def derivatives(case, key, h=3e-5):
    """Errors (R,) of a difference along the steps of a case, and the derivatives (R,).

    The derivative is Richardson's extrapolation of wide differences of strict runs, which share no step with the trail.
    """
    (parameter,) = parameters(case, [key])
    numbers, steps = reads(case)
    beside, _ = reads(case.replace({key: parameter.value(h)}), steps)
    strict = case.replace(STRICT)
    wide, half = (central(strict, parameter, H) for H in (4e-3, 2e-3))
    exact = (4 * half - wide) / 3
    return (beside - numbers) / h - exact, exact


def test_a_run_too_far_from_the_one_whose_steps_it_takes_fails_instead_of_erring():
    _, steps = reads(small())
    with pytest.raises(SolverError):
        reads(small().replace({"ions.activation_energy": "0.3 eV"}), steps)
    with pytest.raises(SolverError):  # of a shorter run
        reads(small(), steps._replace(trials=steps.trials[:-5]))


WRITES = {"reset": [{"voltage": "-2 V", "duration": "10 ms"}], "set": [{"voltage": "2 V", "duration": "10 ms"}]}


def test_curves_at_frozen_ions_take_the_steps_that_prepared_the_states_of_another_run():
    case = small().replace({"drive": CURVES | {"states": WRITES}})
    numbers, steps = reads(case)
    again, same = reads(case, steps)
    assert np.array_equal(again, numbers)
    assert same.alike(steps)
    error, exact = derivatives(case, "device.film.thickness", change_along(noise_along(case)))
    assert np.sqrt(np.mean(error**2) / np.mean(exact**2)) < 3e-3


RESOLVED = {"device.film.cells": 16, "numerics.current_tolerance": 1e-6, "drive.path": ["0 V", "2 V", "-2 V"],
            "drive.step": "1 V"}  # fmt: skip


@pytest.mark.parametrize("key", ["device.film.tunnelling_mass", "ions.density", "device.left.barrier"])
def test_runs_that_evaluate_the_same_currents_part_without_a_jump(key):
    case = small().replace(RESOLVED)
    (parameter,) = parameters(case, [key])
    numbers, steps = reads(case)
    (far, of_far), (half, of_half) = (reads(case.replace({key: parameter.value(h)}), steps) for h in (3e-5, 1.5e-5))
    apart = np.abs((half - numbers) - (far - numbers) / 2).max() / np.abs(far - numbers).max()
    assert steps.alike(of_far)
    assert steps.alike(of_half)
    assert apart < 1e-3
