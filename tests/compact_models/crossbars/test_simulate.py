"""Cases with a crossbar: outputs, faults with their lines, models that fit and do not fit, runs that end early."""

import contextlib
import logging

import made_model
import numpy as np
import pytest
import xarray as xr
from commands import typed

import otjdd
from otjdd.case.case import CaseError, load_case
from otjdd.compact_models.crossbars import models, network, simulate
from otjdd.errors import ResultError, SolverError
from otjdd.results import outputs, store, summary

PARTS = """\
parts = [
  { kind = "read" },
  { kind = "write", pattern = ["#..#", "....", ".#.#"], voltage = "2.2 V", width = "10 us", count = 2, period = "15 us" },
  { kind = "rest", duration = "1 ms" },
  { kind = "read", voltage = "0.2 V", duration = "2 us" },
  { kind = "read", unselected = "floating" },
]
"""
CASE = made_model.CROSSBAR + PARTS
CHOSEN = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1]], bool)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the case and a model that says to be of its junction."""
    monkeypatch.chdir(tmp_path)
    made_model.beside(CASE)
    return tmp_path


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    """The result of that case, once for all tests that read its numbers."""
    with contextlib.chdir(tmp_path_factory.mktemp("bar")):
        made_model.beside(CASE)
        return otjdd.run("bar.toml")


def test_outputs_tell_what_each_step_did(ds):
    assert ds.sizes == {"step": 6, "word_line": 3, "bit_line": 4}
    assert ds.step_time.values == pytest.approx([0.0, 3e-6, 63e-6, 1.063e-3, 1.069e-3, 1.081e-3])
    assert ds.step_voltage.values == pytest.approx([np.nan, 0.1, 2.2, np.nan, 0.2, 0.1], nan_ok=True)
    assert (ds.cell_chosen.values[2] == CHOSEN).all()
    assert ds.cell_chosen.values.sum() == CHOSEN.sum()
    G = ds.cell_conductance.values
    assert G[2][CHOSEN].min() > 500.0 * G[2][~CHOSEN].max()
    assert (ds.cell_rest_position.values[2][CHOSEN] > 2.0 * ds.cell_rest_position.values[0][CHOSEN]).all()
    assert ds.cell_voltage.values[2][CHOSEN] == pytest.approx(2.2, abs=0.05)
    assert ds.cell_voltage.values[2, 1, [0, 1, 3]] == pytest.approx(1.1, abs=0.05)
    assert (ds.step_energy.values[[1, 2, 4, 5]] > 0.0).all()
    assert (ds.step_energy.values[[0, 3]] == 0.0).all()
    for variable in ds.variables.values():
        assert {"units", "long_name"} <= set(variable.attrs)


def test_numbers_of_disturb_and_sneak_paths_are_those_of_the_maps(ds):
    G, others = ds.cell_conductance.values, ~CHOSEN
    assert ds.write_disturb.values[2] == pytest.approx(np.abs(np.log10(G[2] / G[1]))[others].max())
    assert np.isnan(ds.write_disturb.values[[0, 1, 3, 4, 5]]).all()
    read = np.isfinite(ds.sensed_current.values).all(axis=(1, 2))
    assert list(read) == [False, True, False, False, True, True]
    assert np.abs(ds.sneak_share.values[4]).max() < 1e-3
    assert ds.sneak_share.values[5, 0, 1] > 0.9  # a high cell among low ones, all other lines floating
    # the cells alone: their conductance is 4 % higher at 0.2 V than at 0.1 V
    assert ds.sensed_current.values[4][others] == pytest.approx(0.2 * G[4][others], rel=0.05)


def test_energies_of_a_step_are_those_of_its_cells_and_lines(ds):
    cells, drivers = ds.cell_energy.values.sum(axis=(1, 2)), ds.step_energy.values
    assert ds.selected_energy.values + ds.half_selected_energy.values == pytest.approx(cells)
    assert cells + ds.line_energy.values == pytest.approx(drivers)
    assert (ds.line_energy.values[[1, 2, 4, 5]] > 0.0).all()
    assert ds.step_operations.values.tolist() == [0, 12, 8, 0, 12, 12]  # a write is two pulses on four cells
    assert ds.selected_energy.values[2] > 40.0 * ds.half_selected_energy.values[2] > 0.0
    G = ds.cell_conductance.values[1]
    alone = 0.1**2 * 1e-6 * G  # of each cell while its word line is read at 0.1 V for 1 us
    assert ds.cell_energy.values[1] == pytest.approx(alone, rel=0.01)


def test_cells_that_move_at_rest_are_not_disturbed(folder):
    part = '{ kind = "write", pattern = ["#...", "....", "...."], voltage = "1 mV", width = "500 s" }'
    (folder / "bar.toml").write_text(made_model.CROSSBAR + f"parts = [{part}]\n")
    ds = otjdd.run("bar.toml")
    moved = np.abs(np.diff(np.log10(ds.cell_conductance.values), axis=0))[0]
    assert moved.min() > 1e-4
    assert ds.write_disturb.values[1] < 0.01 * moved.min()


def test_a_share_of_all_is_a_hundred_percent():
    share = np.full((2, 1, 1), 1.0)
    ds = xr.Dataset({"sneak_share": (("step", "word_line", "bit_line"), share), "step_energy": ("step", [0.0, 1e-12])})
    words = summary.of_crossbar(ds.assign(write_disturb=("step", [np.nan, np.nan])))
    assert "sneak paths carry up to 100 % of a read current" in words


def test_a_result_is_stored_read_and_told(folder):
    said = typed("run", "bar.toml")
    for words in ("bar.nc: 3 x 4 cells, 5 steps", "selected cells J", "sneak paths carry up to"):
        assert words in said
    ds = store.read(folder / "bar.nc")
    assert ds.attrs["solver_status"] == "done"
    assert ds.attrs["compact_model_error"] == "error not measured"
    assert "ok, 1 write and 3 reads of a crossbar" in typed("check", "bar.toml")
    assert set(ds.variables) <= set(outputs.OUTPUTS)
    assert typed("rerun", "bar.nc") == "bar.nc: the same numbers, bit for bit"
    made_model.made_model(about={"case_resolved": ds.attrs["case_resolved"]}, bend=0.9).save("model.nc")
    assert "compact model model.nc, which is not there, or is another now" in typed("rerun", "bar.nc", code=5)


def test_limits_of_the_model_are_watched(folder, caplog):
    with caplog.at_level(logging.WARNING):
        ds = otjdd.run("bar.toml", {"device.radius": "10 um"})
    assert ds.attrs["model_limits"] == ""
    running = simulate.begun_crossbar(made_model.bar(made_model.made_model(), 1, 1, 1.0), load_case("bar.toml").drive)
    running.largest["current_density"][1] = 1e11
    assert simulate.largest_by_step(running, 1e-5)["current_density"].value == pytest.approx(1e11)


def test_electrons_that_the_model_leaves_out_are_watched(folder, caplog):
    """As many as the compact model has at most at the largest voltage of any cell, its film without electrons."""
    (folder / "bar.toml").write_text(CASE.replace('"2.2 V"', '"2.8 V"'))
    bare = load_case("bar.toml").replace(**{"device.film.electrons": "none"})
    made_model.made_model(about={"case_resolved": bare.resolved()}).save("model.nc")
    with caplog.at_level(logging.WARNING):
        ds = otjdd.run(bare, {"device.radius": "10 um"})
    most = made_model.made_model().electron_ratio(float(ds.cell_voltage.max()))
    assert most == pytest.approx(np.exp(4.0 * (float(ds.cell_voltage.max()) - 2.6)), rel=0.05)
    name = "electrons left out of the film over those that bend its band by kT"
    told = f"film_electron_ratio: {name} is {most:.3g} at the step to t = 6.3e-05 s"
    assert ds.attrs["model_limits"].startswith(told)
    assert told in caplog.text
    held = bare.replace(**{"device.film.electrons": "balance"})
    made_model.made_model(about={"case_resolved": held.resolved()}).save("model.nc")
    assert "film_electron_ratio" not in otjdd.run(held).attrs["model_limits"]  # electrons are part of the model


def test_a_model_of_something_else_is_refused(folder):
    for key, value, said in (
        ("device.film.thickness", "3.2 nm", 'device.film.thickness is "2.8 nm" there, "3.2 nm" here'),
        ("circuit.series_resistance", "5 ohm", "circuit.series_resistance is"),
        ("ions.initial", "equilibrium", "ions.initial is"),
    ):
        with pytest.raises(CaseError, match=r"crossbar.model: expected a model of the junction of this case") as caught:
            otjdd.run("bar.toml", {key: value})
        assert said in str(caught.value)
    high = CASE.replace('"2.2 V"', '"3.5 V"')
    (folder / "bar.toml").write_text(high)
    said = "bar.toml:12:1 crossbar.model: expected a model from -3.5 V to 3.5 V, which the cells may see"
    assert said in typed("check", "bar.toml", code=3)


def test_a_model_of_another_version_is_refused_by_its_name(folder):
    model = store.read(folder / "model.nc").assign_attrs(model_version=0)
    store.write(model, folder / "model.nc")
    with pytest.raises(ResultError, match=r"version 0.*crossbar.model.*extract one by"):
        otjdd.run("bar.toml")
    typed("run", "bar.toml", code=5)
    (folder / "model.nc").write_text("no model")
    assert "bar.toml:12" in typed("check", "bar.toml", code=5)


def test_an_extraction_reaches_what_the_drive_and_the_start_ask_for(folder):
    case = load_case("bar.toml", {"ions.initial": {"history": [{"voltage": "-4 V", "duration": "0.1 s"}]}})
    case = case.model_copy(update={"crossbar": case.crossbar.model_copy(update={"model": None})})
    assert models.needed_range(case) == ((-4.0, 2.2), (1e-6, pytest.approx(0.1)))
    still = case.replace({"ions.activation_energy": "4 eV", "device.film.cells": 12, "device.transmission": "wkb"})
    with pytest.raises(
        CaseError, match=r"ions: expected ions that .*, to extract a compact model, got none that moves within"
    ):
        otjdd.run(still)


def test_what_was_computed_before_a_failure_is_kept(folder, monkeypatch):
    solve, calls = network.solve, []

    def failing(crossbar, driven, *more):
        calls.append(driven)
        if np.nanmax(driven.words) > 2.0:
            raise network.NetworkError("LINES_NOT_SOLVED", 0.0, 2.2, 0.0, 0.5, 0.0)
        return solve(crossbar, driven, *more)

    monkeypatch.setattr("otjdd.compact_models.crossbars.pulses.solve", failing)
    with pytest.raises(SolverError, match=r"at t = 3e-06 s, drivers at 2.2 V") as caught:
        otjdd.run("bar.toml")
    ds = caught.value.partial
    assert np.isfinite(ds.sensed_current.values[1]).all()
    assert np.isnan(ds.step_time.values[2:]).all()
    typed("run", "bar.toml", code=4)
    assert "not found" in store.read(folder / "bar.nc").attrs["solver_status"]


def test_progress_goes_from_none_to_all(folder):
    seen = []
    otjdd.run("bar.toml", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)
    assert len(seen) > 10


def test_a_study_goes_over_the_resistance_of_the_lines(folder):
    (folder / "bar.toml").write_text(
        CASE
        + '[study]\nkeep = ["write_disturb[2]", "sneak_share[5,0,1]"]\n'
        + '[study.grid]\n"crossbar.line_resistance" = ["1 ohm", "1 kohm"]\n'
    )
    ds = otjdd.study("bar.toml", folder / "out")
    disturb = ds["write_disturb[2]"].values
    assert np.isfinite(disturb).all()
    assert disturb[1] < disturb[0]  # the half of the voltage is less behind a line that takes some
