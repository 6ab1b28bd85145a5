"""Measured points find their reads, instants and bias voltages, or are refused with their line."""

import numpy as np
import pytest
from fitted_devices import CURVES, small

from otjdd.errors import DataError
from otjdd.fitting.matching import match, quantity_in, times_of, whole
from otjdd.fitting.task import Data, task
from otjdd.measurements.read import read_data

CASE = small()
V = CASE.drive.waveform().write_voltages
TRIANGLE = {"kind": "triangle", "path": ["0 V", "1 V", "-1 V", "0 V"], "rate": "1 V/s"}


def matched(case, state="", **arrays):
    ds = read_data(arrays)
    return match(ds, quantity_in(ds), case, state)


def test_a_loop_is_matched_in_order_also_with_gaps():
    found = matched(CASE, write_voltage=V, R=np.ones(len(V)))
    np.testing.assert_array_equal(found.take, np.arange(len(V)))
    kept = np.delete(np.arange(len(V)), [0, 7, 12, 13, 14, 25])
    found = matched(CASE, write_voltage=V[kept] + 0.02, G=np.ones(len(kept)))
    np.testing.assert_array_equal(found.take, kept)
    assert (found.source, found.axis) == ("reads", "write_voltage")


def test_reads_are_matched_by_number():
    found = matched(CASE, n=np.array([1, 2, 5, 9]), R=np.ones(4))
    np.testing.assert_array_equal(found.take, [0, 1, 4, 8])


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


def test_a_sweep_without_times_follows_the_waveform():
    case = CASE.replace({"drive": TRIANGLE})
    waveform = whole(case.drive.waveform())
    t = np.linspace(0.05, 3.95, 79)
    ds = read_data({"V": waveform(t), "I": np.ones(79)})
    np.testing.assert_allclose(times_of(ds, "voltage", waveform), t, atol=0.06)
    found = match(ds, "current", case)
    assert found.source == "live"
    np.testing.assert_allclose(np.array(found.changes["drive"]["reads_at"])[found.take], t, atol=0.06)
    with pytest.raises(DataError, match="a voltage that the drive applies"):
        match(read_data({"V": 2 * waveform(t), "I": np.ones(79)}), "current", case)


def test_the_measured_waveform_drives_the_run():
    t = np.linspace(5.0, 6.0, 11)
    found = matched(CASE, t=t, V=np.sin(t), I=np.ones(11))
    drive = found.changes["drive"]
    assert drive["kind"] == "table"
    np.testing.assert_allclose(np.array(drive["points"])[:, 0], t - 5.0)
    np.testing.assert_allclose(np.array(drive["points"])[:, 1], np.sin(t))


def test_retention_is_read_at_the_measured_times():
    case = CASE.replace({"drive": {"kind": "hold", "voltage": "0 V", "duration": "100 s"}})
    found = matched(case, t=np.array([1.0, 10.0, 90.0]), R=np.ones(3))
    assert found.changes["drive.reads_at"] == [1.0, 10.0, 90.0]
    with pytest.raises(DataError, match="within the hold of 100 s"):
        matched(case, t=np.array([1.0, 200.0]), R=np.ones(2))


def test_curves_at_frozen_ions_take_the_measured_voltages():
    case = CASE.replace({"drive": CURVES})
    found = matched(case, V=np.array([0.5, -0.5, 0.1]), I=np.ones(3))
    assert found.changes["drive.voltages"] == [-0.5, 0.1, 0.5]
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
