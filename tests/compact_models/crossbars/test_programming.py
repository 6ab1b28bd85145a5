"""Write-verify of the cells of a crossbar, as a user types it, and what makes it fast against the whole network."""

import os
from pathlib import Path

import made_model
import numpy as np
import pytest
from commands import typed
from PIL import Image

from otjdd.compact_models.crossbars import pulses, simulate
from otjdd.results import store

PARTS = """\
parts = [
  { kind = "program", targets = TARGETS, tolerance = 0.05, set_pulse = SET, reset_pulse = RESET },
  { kind = "read" },
]
"""
CASE = made_model.CROSSBAR + PARTS
SET = '{ voltage = "1.5 V", width = "1 us", voltage_step = "50 mV", highest = "2.9 V" }'
RESET = SET.replace('"1.5', '"-1.5').replace('"2.9 V', '"-2.9 V')
PULSES = {"SET": SET, "RESET": RESET}
TABLE = '[["1 uS", "2 uS", "5 uS", "1 uS"], ["2 uS", "3 uS", "4 uS", "5 uS"], ["1 uS", "0.5 uS", "5 uS", "2 uS"]]'


def written(targets: str, **replaced: str) -> None:
    """Write the case with these targets. replaced : by their names in CASE, or as old and new text"""
    text = CASE.replace("TARGETS", targets)
    for old, new in (PULSES | replaced).items():
        text = text.replace(f"= {old}" if old in PULSES else old, f"= {new}" if old in PULSES else new)
    Path("bar.toml").write_text(text)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the case and a model that says to be of its junction."""
    monkeypatch.chdir(tmp_path)
    written('"2 uS"')
    made_model.beside(Path("bar.toml").read_text())
    return tmp_path


def test_cells_are_programmed_to_a_table_and_drawn_and_a_netlist_is_made():
    written(TABLE)
    assert "1 time of programming" in typed("check", "bar.toml")
    assert "no cell missed its target" in typed("run", "bar.toml", "--plot", "bar.png")
    assert Path("bar.png").stat().st_size > 10_000
    ds = store.read("bar.nc").isel(step=1)
    assert ds.program_target.values[2, 1] == pytest.approx(0.5e-6)
    assert np.abs(ds.program_error.values).max() <= 0.05
    assert ds.program_conductance.values == pytest.approx(ds.cell_conductance.values, rel=1e-3)
    assert (ds.program_pulses.values > 1.0).all()
    assert (ds.program_energy.values > 0.0).all()
    assert ds.program_energy.values.sum() <= float(ds.step_energy) * (1.0 + 1e-6)
    assert (ds.program_time.values.sum(axis=0) < float(ds.step_time)).all()
    assert ds.attrs["program_missed"] == "step 1: none"
    assert np.isnan(store.read("bar.nc").program_pulses.values[[0, 2]]).all()
    typed("export", "bar.nc", "--netlist")
    text = Path("bar-netlist/array.cir").read_text()
    assert "programming pulses are as in `otjdd run` without noise" in text
    assert text.count("meas tran r_") > 4 * 3 * 4  # each word line is read after its pulses, and all are at last


def test_cells_that_miss_their_targets_are_named():
    written(TABLE, SET=SET.replace('"2.9 V"', '"1.6 V"'), **{"tolerance =": "most_pulses = 4, tolerance ="})
    said = typed("run", "bar.toml")
    assert "12 of 12 cells missed their targets" in said
    assert "(0, 0), (0, 1)" in said
    ds = store.read("bar.nc").isel(step=1)
    assert (ds.program_missed.values == 1.0).all()
    assert (ds.program_pulses.values == 4.0).all()
    assert "(2, 3)" in ds.attrs["program_missed"]


def test_a_text_file_and_a_picture_are_targets_and_widths_may_grow():
    Path("targets.csv").write_text("# uS\n1, 2, 5, 1\n2, 3, 4, 5\n1, 0.5, 5, 2\n")
    grow = SET.replace('voltage_step = "50 mV", highest = "2.9 V"', 'width_factor = 1.4, longest = "1 ms"')
    written('{ file = "targets.csv", unit = "uS" }', SET=grow, RESET=grow.replace('"1.5', '"-1.5'))
    assert "no cell missed its target" in typed("run", "bar.toml")
    Image.fromarray(np.linspace(0, 255, 12).reshape(3, 4).astype(np.uint8)).save("grey.png")
    written('{ picture = "grey.png", black = "0.1 uS", white = "10 uS", scale = "logarithmic" }')
    assert "no cell missed its target" in typed("run", "bar.toml")
    target = store.read("bar.nc").program_target.values[1]
    assert target.ravel()[[0, -1]] == pytest.approx([0.1e-6, 10e-6])
    assert target[1, 0] == pytest.approx(1e-7 * 100.0 ** (92 / 255))


FAULTS = [
    ('"9 S"', "bar.toml:18:23 drive.parts[0].targets: expected conductances from 1.01e-08 S to"),
    (
        '{ picture = "words.csv", black = "1 uS", white = "2 uS" }',
        "got a file that cannot be read as one (of another format)",
    ),
    ('{ picture = "big.png", black = "1 uS", white = "2 uS" }', "expected a picture of 4 x 3 pixels"),
]


@pytest.mark.parametrize(("targets", "said"), FAULTS)
def test_targets_that_are_none_are_refused_in_words(targets, said):
    Path("words.csv").write_text("no, numbers\n")
    Image.new("L", (5, 3)).save("big.png")
    written(targets)
    assert said in typed("check", "bar.toml", code=3)


def test_pulses_of_a_line_are_those_of_the_whole_network():
    """Voltages of their own on the bit lines; cells of other lines that move once a pulse."""
    model = made_model.made_model()
    bar, R, C = made_model.bar(model, 5, 6, 200.0), 5, 6
    states = model.states(R * C, np.random.default_rng(3).uniform(0.2, 0.5, (R * C, 1)))
    voltages = np.array([2.5, np.nan, 2.2, 2.3, np.nan, 2.6])
    drivers = pulses.programming_drivers(voltages, R, 2, "half")
    whole, line = states.copy(), states.copy()
    held = pulses.hold_drivers(bar, whole, drivers, 1e-6)
    fast = simulate.hold_line(bar, line, drivers, (1e-6, 0.0, True), None, np.zeros(R * C))
    assert np.abs(whole - states).max() > 0.02
    assert line == pytest.approx(whole, abs=2e-3)
    assert fast.energy == pytest.approx(held.energy, rel=0.02)
    assert fast.heat[2] == pytest.approx(held.heat[2], rel=0.03)
    ideal = pulses.hold_drivers(bar._replace(line_resistance=1e-3), states.copy(), drivers, 1e-9).voltage
    assert ideal[2] == pytest.approx(np.where(np.isnan(voltages), 1.3, voltages), abs=1e-4)
    assert np.abs(np.delete(ideal, 2, axis=0)).max() < 1.31


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a named pipe")
def test_what_is_no_file_of_the_case_is_not_read(tmp_path):
    secret = tmp_path.parent / f"{tmp_path.name}-secret.csv"
    secret.write_text("secret\n")
    os.mkfifo("pipe")
    for targets in f'{{ file = "{secret}", unit = "uS" }}', '{ picture = "pipe", black = "1 uS", white = "2 uS" }':
        written(targets)
        said = typed("check", "bar.toml", code=3)
        assert "expected a file" in said
        assert 'got "secret"' not in said
