"""Measured points find their reads, instants and bias voltages, or are refused with their line."""

import numpy as np
import pytest
from fitted_devices import CURVES, small

from otjdd.errors import DataError
from otjdd.fitting.matching import match, quantity_in, times_of, whole_waveform
from otjdd.fitting.task import Data, task
from otjdd.measurements.datasets import applied_rows
from otjdd.measurements.read import read_data

CASE = small()
V = CASE.drive.waveform().write_voltages
TRIANGLE = {"kind": "triangle", "path": ["0 V", "1 V", "-1 V", "0 V"], "rate": "1 V/s"}


def matched(case, state="", **arrays):
    ds = read_data(arrays)
    return match(ds, applied_rows(ds), quantity_in(ds), case, state)


def test_a_loop_is_matched_in_order_also_with_gaps():
    found = matched(CASE, write_voltage=V, R=np.ones(len(V)))
    np.testing.assert_array_equal(found.take, np.arange(len(V)))
    kept = np.delete(np.arange(len(V)), [0, 7, 12, 13, 14, 25])
    found = matched(CASE, write_voltage=V[kept] + 0.02, G=np.ones(len(kept)))
    np.testing.assert_array_equal(found.take, kept)
    assert (found.source, found.axis) == ("reads", "write_voltage")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"write_voltage": [0.4, 0.8, 3.0]}, "data:3:1: expected a voltage that the drive applies, got 3 V"),
        ({"write_voltage": [-4.0, 2.0, 0.4]}, "after the one before"),
        ({"n": [1, 2, 500]}, "a number up to 30"),
    ],
)
def test_points_that_the_drive_never_comes_to(arrays, said):
    with pytest.raises(DataError) as caught:
        matched(CASE, R=np.ones(3), **{name: np.array(values) for name, values in arrays.items()})
    assert said in " ".join(str(caught.value).split())


def test_a_loop_that_begins_at_0_V_has_no_current_there_and_has_later():
    swept = np.array([0.0, 0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0, -0.5, 0.0])
    data = Data({"V": swept, "I": 1e-9 * np.ones(10), "sigma_I": 1e-11 * np.ones(10)})
    made = task(CASE.replace({"drive": TRIANGLE}), [data], ["device.left.barrier"])
    np.testing.assert_array_equal(made.curves[0].x, swept[2:])
    assert "2 points at 0 V left out" in made.notes[1]
    reads = Data({"V": V, "R": 1e5 * np.ones(len(V))})
    assert len(task(CASE, [reads], ["device.left.barrier"]).aims) == len(V)


@pytest.mark.parametrize(("count", "stated"), [(80, False), (801, True)])
def test_what_many_points_cost_is_stated_before_a_run(count, stated):
    swept = whole_waveform(CASE.replace({"drive": TRIANGLE}).drive.waveform())(np.linspace(0.01, 3.99, count))
    data = Data({"V": swept, "I": 1e-9 * np.ones(count)})
    notes = task(CASE.replace({"drive": TRIANGLE}), [data], ["device.left.barrier"]).notes
    assert any("each run reads 1602 times" in note for note in notes) == stated


def test_a_sweep_without_times_follows_the_waveform():
    case = CASE.replace({"drive": TRIANGLE})
    waveform = whole_waveform(case.drive.waveform())
    t = np.linspace(0.05, 3.95, 79)
    ds = read_data({"V": waveform(t), "I": np.ones(79)})
    np.testing.assert_allclose(times_of(ds, "voltage", waveform), t, atol=0.06)
    found = match(ds, applied_rows(ds), "current", case)
    assert found.source == "live"
    np.testing.assert_allclose(np.array(found.changes["drive"]["reads_at"])[found.take], t, atol=0.06)
    with pytest.raises(DataError, match="a voltage that the drive applies"):
        matched(case, V=2 * waveform(t), I=np.ones(79))


def test_a_row_without_a_number_is_part_of_the_waveform_and_of_the_order():
    t, volts = np.arange(6.0), np.array([0.0, 0.5, 2.0, 0.5, -0.5, 0.0])
    current = np.array([0.0, 1.0, np.nan, 1.0, 1.0, 1.0])
    found = matched(CASE, t=t, V=volts, I=current)
    np.testing.assert_allclose(np.array(found.changes["drive"]["points"])[:, 1], volts)
    np.testing.assert_allclose(np.array(found.changes["drive"]["reads_at"])[found.take], t[[0, 1, 3, 4, 5]])
    kept = match(*chosen_rows(t, volts), "current", CASE)
    np.testing.assert_allclose(np.array(kept.changes["drive"]["points"])[:, 1], volts)
    same = CASE.replace({"drive.path": ["0 V", "1 V", "1.2 V", "0 V"], "drive.step": "0.05 V"})
    applied = same.drive.waveform().write_voltages
    R = np.where(np.arange(len(applied)) == 4, np.nan, 1.0)
    found = matched(same, write_voltage=applied + 0.02, R=R)
    np.testing.assert_array_equal(found.take, np.delete(np.arange(len(applied)), 4))


def chosen_rows(t, volts):
    ds = read_data({"t": t, "V": volts, "I": np.array([0, 1, 9, 1, 1, 1.0])}, keep={"current": (0.5, 2)})
    assert ds.sizes["point"] == 4
    return ds, applied_rows(ds)


def test_a_read_is_the_nearest_and_not_the_first_within_reach():
    steps = {"kind": "steps", "voltages": [0.1, 0.11, 0.12, 0.13, 0.3, 0.5, 0.7, 0.9], "width": 1e-3, "read_each": True}
    found = matched(CASE.replace({"drive": steps}), V=np.array([0.12, 0.13, 0.5, 0.9]), R=np.ones(4))
    np.testing.assert_array_equal(found.take, [2, 3, 5, 7])


def test_a_voltage_that_differs_at_one_time_is_told_with_its_line():
    with pytest.raises(DataError, match=r"data:3:1: expected a time after the one before"):
        matched(CASE, t=np.array([0, 1, 1, 2.0]), V=np.array([0, 1, 2, 1.0]), I=np.ones(4))


def test_each_record_of_another_waveform_is_a_run_of_its_own():
    t, V = np.tile(np.arange(5.0), 2), np.array([0, 1, 2, 1, 0.5, 0, 2, 4, 2, 1])
    made = task(CASE, [Data({"t": t, "V": V, "I": np.arange(1.0, 11)})], ["ions.density"])
    assert [curve.label for curve in made.curves] == ["data 1 record 1", "data 1 record 2"]
    assert [len(curve.y) for curve in made.curves] == [4, 4]  # none at 0 s and 0 V
    assert [run.case.drive.points[2][1] for run in made.runs] == [2.0, 4.0]


def test_retention_is_read_at_the_measured_times():
    case = CASE.replace({"drive": {"kind": "hold", "voltage": "0 V", "duration": "100 s"}})
    found = matched(case, t=np.array([1.0, 10.0, 90.0]), R=np.ones(3))
    assert found.changes["drive.reads_at"] == [1.0, 10.0, 90.0]
    with pytest.raises(DataError, match="within the hold of 100 s"):
        matched(case, t=np.array([1.0, 200.0]), R=np.ones(2))


def test_curves_at_frozen_ions_take_the_measured_voltages():
    case = CASE.replace({"drive": CURVES})
    found = matched(case, V=np.array([0.5, -0.5, 0.1]), I=np.ones(3))
    assert found.changes["drive"]["voltages"] == [-0.5, 0.1, 0.5]
    np.testing.assert_array_equal(found.take, [2, 0, 1])
    states = {"A": [], "B": [{"voltage": "2 V", "duration": "1 ms"}]}
    two = case.replace({"drive.states": states})
    assert matched(two, "B", V=np.array([0.5, 0.1]), I=np.ones(2)).state == "B"
    with pytest.raises(DataError, match="one of A, B"):
        matched(two, V=np.array([0.5, 0.1]), I=np.ones(2))


def test_each_temperature_is_a_run_and_says_so():
    data = {"V": np.tile([0.1, 0.2, 0.3], 2), "I": np.ones(6), "temperature": np.repeat([280.0, 320.0], 3)}
    made = task(CASE, [Data(data, {"drive": CURVES})], ["device.left.barrier"])
    assert [run.case.temperature for run in made.runs] == [280.0, 320.0]
    assert [curve.label for curve in made.curves] == ["data 1 280 K", "data 1 320 K"]
    assert made.curves[0].uncertainty == "estimated"


@pytest.mark.parametrize(("asked", "taken"), [(1e-2, 1e-3), (1e-5, 1e-5)])
def test_runs_of_a_fit_are_smooth_functions_of_its_parameters(asked, taken):
    loop = [Data({"write_voltage": V, "R": np.ones(len(V)), "sigma_R": np.ones(len(V))})]
    made = task(CASE.replace("numerics.rtol", asked), loop, ["device.left.barrier"])
    assert [run.case.numerics.rtol for run in made.runs] == [taken]
