"""Bands from derivatives, on outputs whose answers are known, in place of the solver."""

import numpy as np
import pytest
import xarray as xr
from fitted_devices import small

from otjdd.fitting.least_squares import change_along
from otjdd.fitting.parameters import parameters
from otjdd.fitting.prediction import (
    CHECKED,
    Outputs,
    along_slopes,
    derivatives,
    draws_to_check,
    near_enough,
    outputs_of_runs,
)
from otjdd.runs.run import simulate
from otjdd.solver.start import Trail
from otjdd.system.pool import one_by_one

X = np.linspace(0.0, 1.0, 7)
STEP = change_along(2e-9)
RNG = np.random.default_rng(4)
MOVES = 0.1 * RNG.standard_normal((50, 2))


def outputs(x, bend=0.0):
    """A run: resistances by a power of the first parameter, and a charge of either sign by the second one."""
    R = 1e5 * np.exp(x[0] * (1.0 + X) + bend * x[0] ** 2)
    variables = {
        "read_resistance": ("read", R, {"units": "ohm"}),
        "charge": ("read", X - 0.5 + x[1] * X, {"units": "C"}),
    }
    return xr.Dataset(variables)


def rows_of(bend=0.0):
    best, near = outputs(np.zeros(2), bend), [outputs(STEP * row, bend) for row in np.eye(2)]
    slopes = {name: np.stack([(ds[name] - best[name]) / STEP for ds in near], -1) for name in best}
    return along_slopes(best, slopes, MOVES)


def test_draws_along_derivatives_are_exact_where_logarithms_or_numbers_are_linear():
    for name, values in rows_of().items():
        np.testing.assert_allclose(values, [outputs(x)[name].values for x in MOVES], rtol=2e-5, atol=1e-9)


def are_near(change=lambda ds: None, bend=0.0):
    """Whether the rows of `outputs` are near enough to runs that a function changes."""
    checked = draws_to_check(np.abs(MOVES), rows_of())
    runs = [outputs(MOVES[number], bend) for number in checked]
    for ds in runs:
        change(ds)
    return near_enough(outputs(np.zeros(2), bend), rows_of(bend), checked, runs, (2.5, 97.5), 1e-4)


def shifted(name, at, share=0.0, by=0.0):
    """Function that moves a number of a run, by a share of the width of its band or by a difference."""
    values = np.log(rows_of()[name][:, at]) if name == "read_resistance" else rows_of()[name][:, at]
    move = by + share * np.ptp(np.percentile(values, (2.5, 97.5)))

    def change(ds):
        ds[name][at] = ds[name][at] * np.exp(move) if name == "read_resistance" else ds[name][at] + move

    return change


@pytest.mark.parametrize(
    ("options", "enough"),
    [
        ({}, True),
        ({"bend": 0.1}, True),
        ({"bend": 5.0}, False),
        ({"change": shifted("read_resistance", -1, 0.05)}, True),
        ({"change": shifted("read_resistance", -1, 0.15)}, False),
        ({"change": shifted("charge", -1, 0.05)}, True),
        ({"change": shifted("charge", -1, 0.15)}, False),
        ({"change": shifted("charge", 3, by=np.nan)}, False),
        (
            {"change": shifted("charge", 0, by=0.25e-4)},
            True,
        ),  # no parameter changes it: half the scatter of the largest
    ],
)
def test_draws_that_are_simulated_show_whether_derivatives_are_enough(options, enough):
    assert are_near(**options) == enough


def test_a_draw_that_fails_is_not_near():
    checked = draws_to_check(np.abs(MOVES), rows_of())
    runs = [*(outputs(MOVES[number]) for number in checked[:-1]), None]
    assert not near_enough(outputs(np.zeros(2)), rows_of(), checked, runs, (2.5, 97.5), 1e-4)


def test_a_quantity_of_one_sign_is_drawn_along_its_logarithm():
    best = xr.Dataset({"temperature_rise": ("read", np.array([0.0, 2.0]), {"units": "K"})})
    rows = along_slopes(best, {"temperature_rise": np.array([[1.0], [4.0]])}, np.array([[-1.0]]))
    np.testing.assert_allclose(rows["temperature_rise"], [[-1.0, 2.0 * np.exp(-2.0)]])


def test_a_time_series_of_several_columns_is_put_on_the_times_of_the_best_run():
    def run(times):
        t = np.array(times)
        return xr.Dataset(
            {"kind_current": (("time", "kind"), np.column_stack((1.0 + t, 2.0 * t)), {"units": "V"})}, {"time": t}
        )

    values = outputs_of_runs(run([0.0, 1.0, 2.0]), [run([0.0, 2.0]), run([0.0, 0.5, 1.5, 2.0])])["kind_current"]
    np.testing.assert_allclose(values, [[[1.0, 0.0], [2.0, 2.0], [3.0, 4.0]]] * 2)


SMALL_LOOP = {"device.film.cells": 16, "numerics.current_tolerance": 1e-6, "drive.path": ["0 V", "2 V", "-2 V"],
              "drive.step": "1 V"}  # fmt: skip


@pytest.mark.parametrize("key", ["device.film.tunnelling_mass", "device.left.barrier"])
def test_derivatives_of_reads_are_differences_along_the_steps_of_the_best(key):
    case, trail = small().replace(SMALL_LOOP), Trail()
    task, x = Outputs(case=case, parameters=parameters(case, [key])), np.zeros(1)
    best = simulate(case, trail=trail)
    slopes = derivatives(task, x, best, trail.steps, one_by_one)
    far = simulate(case.replace(task.values(x + STEP)), trail=Trail(trail.steps))
    change = (far.read_resistance - best.read_resistance).values / STEP
    np.testing.assert_allclose(slopes["read_resistance"][:, 0], change, rtol=1e-6, atol=1e-9 * np.abs(change).max())


def test_the_farthest_draws_are_simulated_those_at_the_ends_of_outputs_and_the_first():
    distance, currents = np.zeros((20, 2)), np.ones((20, 3))
    distance[7, 1], distance[13, 0], distance[2, 1] = 3.0, 2.0, np.nan
    currents[4], currents[11, 1], currents[9, 2] = 0.5, 3.0, 2.0
    currents[9, 0] = 1.5
    chosen = draws_to_check(distance, {"current": currents, "voltage": np.ones((20, 2))})
    assert chosen == [7, 13, 4, 9, 0, 1]
    assert len(chosen) == CHECKED
