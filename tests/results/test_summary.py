"""A result in words and as a table of text."""

import csv

import made_results
import numpy as np
import pytest

from otjdd.case.case import load_case
from otjdd.results import outputs, summary
from otjdd.results.store import ENGINE
from otjdd.runs.run import run

CASES = {
    "curves": ({"bias_current": [[[1e-6, -3e-5]]]}, {"state": ["HRS"], "temperature": [300.0], "bias": [0.1, -0.2]},
               "1 state, 1 temperature, 2 voltages, at most 3e-05 A"),
    "small signals": ({"bias_current": [[[1e-6]]], "capacitance": [[[[2e-11, 3e-11]]]]},
                      {"state": ["HRS"], "temperature": [300.0], "bias": [0.1], "frequency": [1.0, 1e6]},
                      "1 state, 1 temperature, 1 voltage, 2 frequencies, 2e-11 to 3e-11 F"),
    "one read": ({"read_resistance": [2e4], "read_time": [1.0]}, {}, "1 read, 2e+04 ohm"),
    "a read at 0 V": ({"read_resistance": [float("nan")], "read_current": [2e-12], "read_time": [1.0]}, {},
                      "1 read at 0 V, 2e-12 A"),
    "one of them at 0 V": ({"read_resistance": [float("nan"), 2e4], "read_time": [1.0, 2.0]}, {},
                           "2 reads, 1 at 0 V, 2e+04 ohm"),
    "reads": ({"read_resistance": [2e4, 1e8], "read_time": [1.0, 2.0]}, {}, "2 reads, 2e+04 to 1e+08 ohm"),
    "narrow levels in reads": ({"read_resistance": [2e4, 1e8], "read_current_error": [0.0, 0.02], "read_time": [1.0, 2.0]},
              {},
              "2 reads, 2e+04 to 1e+08 ohm, levels too narrow to resolve leave up to 2 % of a current open"),
    "narrow levels in curves": ({"bias_current": [[[1e-6, 2e-6]]], "bias_current_level_error": [[[3e-3, 0.0]]]},
              {"state": ["HRS"], "temperature": [300.0], "bias": [0.1, -0.2]},
              "1 state, 1 temperature, 2 voltages, at most 2e-06 A, levels too narrow to resolve leave up to 0.3 % of "
              "a current open"),
    "no read": ({"current": [5.0, 2e-6], "conduction_current": [-1e-6, 2e-6], "read_time": []}, {"time": [0.0, 1.0]},
                "2 instants, conduction -1e-06 to 2e-06 A"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_result_is_told_by_what_it_holds(name):
    arrays, coords, said = CASES[name]
    assert summary.of_result(outputs.dataset(arrays, coords, {})) == said


def test_reads_beyond_any_instrument_say_how_seldom_an_electron_passes():
    """1e20 ohm at 0.167 V: 1.602e-19 C * 1e20 ohm / 0.167 V = 95.9 s."""
    resistance = np.array([1e6, 1e20])
    ds = made_results.reads([1.0, 2.0], resistance, read_current=0.167 / resistance)
    assert summary.of_result(ds).endswith(
        "; 1 read beyond 1e+15 ohm, which no instrument measures: an electron in 95.9 s"
    )
    ds = made_results.reads([1.0, 2.0], resistance / 1e6, read_current=0.167e6 / resistance)
    assert "instrument" not in summary.of_result(ds)


def test_walls_where_vacancies_crowd_are_named_with_the_band_beside_them():
    c = np.full((2, 1, 5), 1e26)
    c[1, 0, -2:] = 2e25, 6e27  # 12 % of 5e28 1/m^3, in the last cell of the second snapshot
    arrays = {
        "vacancy_concentration_columns": c,
        "conduction_band": [[0.7, 0.6, 0.5, 0.4, 0.3], [0.7, 0.6, 0.5, 0.1, 0.45]],
        "snapshot_time": [0.0, 2.0],
    }
    ds = outputs.dataset(arrays, {"x": np.array([0.1, 0.3, 0.6, 0.9, 1.3]) * 1e-9}, {})
    case = load_case("junction", {"ions.site_density": "5e28 1/m^3"})
    assert summary.crowded_walls(ds, case).startswith(
        "vacancies hold 12 % of the sites at the right interface at t = 2 s"
        ", where the band falls by 0.35 eV within 0.4 nm of it"
    )
    assert summary.crowded_walls(ds, load_case("junction", {"ions.site_density": "1e29 1/m^3"})) == ""


def test_a_result_names_its_crowded_walls():
    pulse = {"kind": "pulse", "voltage": "1 V", "width": "1 us", "read": {}}
    few = {"device.film.electrons": "none", "device.film.cells": 12, "columns.count": 1, "columns.spread": {}}
    ds = run("rv-loop", {**few, "drive": pulse, "ions.site_density": "1e27 1/m^3"})
    assert "of the sites" in ds.attrs["crowded_walls"]


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
    for over, first in (("time", "time (s)"), ("snapshot", "snapshot_time (s)")):
        summary.to_csv(series(), tmp_path / "b.csv", over)
        assert rows(tmp_path / "b.csv")[0][0] == first
    with pytest.raises(ValueError, match="'bias'; it has read, time, snapshot"):
        summary.to_csv(series(), tmp_path / "c.csv", "bias")
    assert not (tmp_path / "c.csv").exists()


def test_curves_have_a_row_for_each_state_temperature_and_bias(tmp_path):
    current = np.arange(12.0).reshape(2, 3, 2)
    ds = outputs.dataset(
        {"bias_current": current}, {"state": ["HRS", "LRS"], "temperature": [250.0, 300.0, 350.0], "bias": [0.1, 0.2]}
    )
    summary.to_csv(ds, tmp_path / "a.csv")
    head, *body = rows(tmp_path / "a.csv")
    assert head == ["state (1)", "temperature (K)", "bias (V)", "bias_current (A)"]
    assert body[7] == ["LRS", "250.0", "0.2", "7.0"]


def test_a_study_has_a_row_for_each_point(tmp_path):
    import xarray as xr

    ds = xr.Dataset({"status": ("w", [0, 1]), "R": ("w", [1.0, 2.0])}, {"w": ("w", [1e-9, 2e-9], {"units": "s"})})
    summary.to_csv(ds.assign_attrs({ENGINE: "0"}), tmp_path / "a.csv")
    assert rows(tmp_path / "a.csv") == [["w (s)", "status (1)", "R (1)"], ["1e-09", "0", "1.0"], ["2e-09", "1", "2.0"]]
