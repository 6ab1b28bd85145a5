"""The compact model: against the solver, in arrays, in files, and outside of its range."""

import time

import compact_device
import numpy as np
import pytest

from otjdd.compact_models.error import largest_rms
from otjdd.errors import NotAsExpected
from otjdd.runs.run import simulate
from otjdd.waveform import shapes
from otjdd.waveform.waveform import Waveform


@pytest.fixture(scope="module")
def model(compact_model):
    return compact_model


def test_error_against_the_solver_is_measured_and_small(model):
    assert set(model.error) >= {"pulses of 20 ns", "pulses of 100 ms", "loop", "retention"}
    assert {"pulses of 1 ns", "sweeps at 1 V/us", "sweeps at 1 V/s", "first sweeps at 1 V/us"} <= set(model.error)
    rms, _ = largest_rms(model)
    assert rms == max(each for each, _ in model.error.values()) < 0.15
    assert model.error["pulses of 50 ns"][0] < 0.08
    assert model.about["solver_runs"] <= 200


def test_measured_error_is_the_error_of_a_run(model):
    case = compact_device.written_case()
    points = [[0, 0], [0, -3.1], [2e-6, -3.1], [2e-6, 0.1], [1e-3, 0.1]]
    case = case.replace("drive", {"kind": "table", "points": points, "reads_at": [1e-3]})
    solved, told = simulate(case), model.run(case.drive)
    assert told.read_current.values == pytest.approx(solved.read_current.values, rel=0.05)
    assert told.read_resistance.values[0] == pytest.approx(0.1 / told.read_current.values[0])
    assert told.junction_voltage.values[-1] == pytest.approx(solved.junction_voltage.values[-1], rel=1e-4)
    assert told.conduction_current.values[-1] == pytest.approx(solved.conduction_current.values[-1], rel=0.05)
    assert told.rest_position.attrs["units"] == "m"


def test_a_read_at_the_start_has_the_first_voltage(model):
    told = model.run(Waveform([0.0, 1e-6], [0.1, 1.0], [(0.0, np.nan), (1e-6, np.nan)]))
    assert told.read_voltage.values.tolist() == [0.1, 1.0]
    assert told.read_current.values == pytest.approx(told.conduction_current.values)


def test_outside_of_its_range_a_model_says_so(model):
    with pytest.raises(NotAsExpected, match=r"from -4\.3 V to 3 V.*3\.5 V"):
        model.run(compact_device.pulses(3.5))
    with pytest.raises(NotAsExpected, match="positions from"):
        model.run(compact_device.pulses(1.0), states=[1.5, 0.5, 0.0, 0.0])
    with pytest.raises(NotAsExpected, match="4 states a junction"):
        model.hold(np.zeros((3, 3)), 1.0, 1e-6)


@pytest.mark.parametrize(
    ("drive", "said"),
    [
        (shapes.pulse(2.0, 1e-8), "a pulse of 1e-08 s, shorter than 2e-08 s"),
        (shapes.pulse(2.0, 1e-9).then(shapes.read(0.1, 1e-6)), "a pulse of 1e-09 s, shorter than 2e-08 s"),
        (shapes.read(0.1, 1e-6).then(shapes.pulse(-2.0, 1e-9)), "a pulse of 1e-09 s, shorter than 2e-08 s"),
        (shapes.pulse(1.0, 1e-9).then(shapes.pulse(-2.0, 1e-6)), "a pulse of 1e-09 s, shorter than 2e-08 s"),
        (shapes.triangle([0.0, 2.0, 0.0, -2.0, 0.0], 1e6), ""),
        (shapes.hold(0.0, 1e5), "a voltage held for 1e+05 s, longer than 10000 s"),
        (shapes.pulse(2.0, 1e-7, rise=1e-9, fall=1e-9).then(shapes.hold(0.0, 1e4)), ""),
        (
            shapes.pulse(2.0, 2e-8),
            "a pulse of 2e-08 s, in which the series resistance delays the voltage by about 2.9e-09 s",
        ),
    ],
)
def test_times_outside_of_its_range_are_told_in_a_line_and_in_the_result(model, caplog, drive, said):
    assert model.run(drive).attrs.get("outside_range", "") == said
    assert [record.getMessage() for record in caplog.records] == (
        [f"the compact model does not hold for {said}"] * bool(said)
    )


def test_array_is_not_held_for_longer_than_its_range(model):
    with pytest.raises(NotAsExpected, match=r"duration from 0 s to 10000 s.*20000 s"):
        model.hold(model.states(1), 0.1, 2e4)


@pytest.mark.campaign
def test_model_is_far_faster_than_the_solver(model):
    heights, many = [*[2.2] * 20, *[-2.5] * 20], 500
    drive = compact_device.pulses(*heights, width=5e-8)
    points = np.column_stack((drive.times, drive.voltages)).tolist()
    slow = compact_device.written_case().replace(
        "drive", {"kind": "table", "points": points, "reads_at": drive.read_times.tolist()}
    )
    slow = slow.replace("record.every", "none")

    def array():
        states = model.states(many)
        for height in heights:
            for voltage, duration in ((height, 5e-8), (0.1, 1e-6), (0.0, 1e-5)):
                model.hold(states, voltage, duration)

    solver, run, junctions = (seconds(each) for each in (lambda: simulate(slow), lambda: model.run(drive), array))
    assert solver > 30.0 * run  # 59 on a busy machine: most of it makes the Dataset
    assert solver > 300.0 * junctions / many  # 900 here, 1200 with the five columns of the shipped device


def seconds(job) -> float:
    """Processor time [s] of a job, the least of three after one that loads the kernels."""
    job()
    spent = []
    for _ in range(3):
        began = time.process_time()
        job()
        spent.append(time.process_time() - began)
    return min(spent)


def test_a_million_junctions_are_one_call(model):
    states = model.states(1_000_000)
    current = model.hold(states, 0.5, 2e-8)
    assert current.shape == (1_000_000,)
    one = model.states(1)
    assert (states != one).any()  # changed in place, in several columns
    assert (current == model.hold(one, 0.5, 2e-8)).all()
    assert (states == one).all()
