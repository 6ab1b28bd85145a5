"""Tables of a result: even times, and comma-separated text that reads back to the same numbers."""

import csv

import numpy as np
import pytest

from otjdd.results import outputs, summary
from otjdd.results.provenance import ENGINE

T = np.array([0.0, 1.0, 1.5, 4.0])


def series():
    return outputs.dataset(
        {
            "voltage": [0.0, 1.0, 1.0, 3.0],
            "displacement_current": [0.0, 2.0, 4.0, -1.0],
            "read_time": [1.0, 4.0],
            "read_resistance": [2e4, 1 / 3],
            "write_voltage": [np.nan, 2.2],
            "snapshot_time": [0.0],
            "film_electron_ratio": [0.1],
        },
        {"time": T},
        {"title": "a"},
    )


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_reads_are_the_rows_by_default_and_numbers_read_back_bit_for_bit(tmp_path):
    summary.to_csv(series(), tmp_path / "a.csv")
    head, *body = rows(tmp_path / "a.csv")
    assert head == ["read_time (s)", "write_voltage (V)", "read_resistance (ohm)"]
    assert [float(row[2]) for row in body] == [2e4, 1 / 3]
    assert body[0][1] == ""  # nan


@pytest.mark.parametrize(("over", "head"), [("time", "time (s)"), ("snapshot", "snapshot_time (s)")])
def test_other_rows_are_asked_for(tmp_path, over, head):
    summary.to_csv(series(), tmp_path / "a.csv", over)
    assert rows(tmp_path / "a.csv")[0][0] == head


def test_curves_have_a_row_for_each_state_temperature_and_bias(tmp_path):
    current = np.arange(12.0).reshape(2, 3, 2)
    ds = outputs.dataset(
        {"bias_current": current}, {"state": ["HRS", "LRS"], "temperature": [250.0, 300.0, 350.0], "bias": [0.1, 0.2]}
    )
    summary.to_csv(ds, tmp_path / "a.csv")
    head, *body = rows(tmp_path / "a.csv")
    assert head == ["state (1)", "temperature (K)", "bias (V)", "bias_current (A)"]
    assert body[7] == ["LRS", "250.0", "0.2", "7.0"]


def test_a_crossbar_has_a_row_for_each_cell_of_each_step(tmp_path):
    current = np.arange(12.0).reshape(2, 3, 2)
    ds = outputs.dataset({"step_time": [0.0, 1.0], "sensed_current": current, "step_voltage": [0.1, 0.2]}, {})
    summary.to_csv(ds, tmp_path / "a.csv")
    head, *body = rows(tmp_path / "a.csv")
    assert head == ["step (1)", "word_line (1)", "bit_line (1)", "step_time (s)", "sensed_current (A)"]
    assert body[9] == ["1", "1", "1", "1.0", "9.0"]
    summary.to_csv(ds, tmp_path / "a.csv", "step")
    assert rows(tmp_path / "a.csv")[0] == ["step_time (s)", "step_voltage (V)"]


def test_a_study_has_a_row_for_each_point(tmp_path):
    import xarray as xr

    ds = xr.Dataset({"status": ("w", [0, 1]), "R": ("w", [1.0, 2.0])}, {"w": ("w", [1e-9, 2e-9], {"units": "s"})})
    summary.to_csv(ds.assign_attrs({ENGINE: "0"}), tmp_path / "a.csv")
    assert rows(tmp_path / "a.csv") == [["w (s)", "status (1)", "R (1)"], ["1e-09", "0", "1.0"], ["2e-09", "1", "2.0"]]


def test_rows_that_are_not_there_are_named(tmp_path):
    with pytest.raises(ValueError, match="'bias'; it has read, time, snapshot"):
        summary.to_csv(series(), tmp_path / "a.csv", "bias")
    assert not (tmp_path / "a.csv").exists()
