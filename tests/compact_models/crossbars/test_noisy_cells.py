"""Crossbars of noisy models: seeds, devices drawn from the model, and what is refused."""

import made_model
import numpy as np
import pytest

import otjdd
from otjdd.case.case import CaseError
from otjdd.compact_models.crossbars import pulses, simulate
from otjdd.compact_models.crossbars.network import Crossbar, cells_of_devices

CASE = (
    made_model.CROSSBAR
    + """\
parts = [
  { kind = "write", pattern = ["#..#", "....", ".#.#"], voltage = "1.2 V", width = "1 ms", count = 1, period = "2 ms" },
  { kind = "rest", duration = "1 ms" },
]
"""
)
SHOT = {"ions.noise": "shot"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder in which a test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def states(**changes):
    """Positions of the cells at the end."""
    return otjdd.run("bar.toml", changes).cell_rest_position.values[-1]


def test_cells_scatter_by_their_seed():
    made_model.beside(CASE, made_model.noisy_model, SHOT)
    one, again, other, mean = (
        states(**SHOT | {"ions.seed": 1}), states(**SHOT | {"ions.seed": 1}), states(**SHOT | {"ions.seed": 2}), states(),
    )  # fmt: skip
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    written = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1]], bool)
    assert np.unique(one[written]).size == 4  # each cell has its own numbers
    assert one == pytest.approx(mean, abs=6.0 * 2.8e-9 * 0.5 * 0.8 / np.sqrt(400.0))


PROGRAM = """
[[drive.parts]]
kind = "program"
targets = "2 uS"
tolerance = 0.08
set_pulse = { voltage = "1.5 V", width = "1 us", voltage_step = "50 mV", highest = "2.9 V" }
reset_pulse = { voltage = "-1.5 V", width = "1 us", voltage_step = "50 mV", highest = "-2.9 V" }
"""
PROGRAMMED = "program_pulses", "program_energy", "program_time", "program_error", "program_missed"


def test_noisy_cells_of_their_own_are_programmed_and_a_seed_gives_the_same_bits():
    programmed = CASE[: CASE.index("parts")] + PROGRAM
    made_model.beside(programmed, made_model.noisy_model, SHOT, spread=True, read=0.02)
    changes = SHOT | {"crossbar.cells.devices": 3}
    one, again, other = (otjdd.run("bar.toml", changes | {"ions.seed": seed}) for seed in (1, 1, 2))
    for name in (*PROGRAMMED, "cell_conductance"):
        assert np.array_equal(one[name].values, again[name].values, equal_nan=True)
        assert np.isfinite(one[name].values[1]).all()
    assert not np.array_equal(one.program_error.values[1], other.program_error.values[1])
    assert (one.program_pulses.values[1] > 0.0).all()
    assert (one.program_energy.values[1] > 0.0).all()
    missed = np.abs(one.program_error.values[1]) > 0.08
    assert np.array_equal(one.program_missed.values[1] == 1.0, missed)
    assert one.attrs["program_missed"].count("(") == missed.sum()


def test_cells_aside_scatter_without_being_followed_in_time(monkeypatch):
    """Their noise is no reason to follow them: only how far their mean moves is."""
    model, count = made_model.noisy_model(ions=20.0), []
    cells = cells_of_devices((model,), np.zeros(12, np.int64), seed=3)
    bar, states = Crossbar(cells, 3, 4, 2.0, 0.0), model.states(12, 0.5)
    held = pulses.hold_drivers
    monkeypatch.setattr(pulses, "hold_drivers", lambda *words: count.append(words) or held(*words))
    drivers = pulses.programming_drivers(np.full(4, 2.97), 3, 1, "third")
    before = states.copy()
    simulate.hold_line(bar, states, drivers, (5e-4, 0.0, True), None, np.zeros(12))
    assert len(count) == 1
    moved = np.abs(states - before)[:, 0].reshape(3, 4)
    assert (moved > 0.0).all()
    assert moved[[0, 2]].max() > pulses.ERROR


def test_reads_scatter_by_ions_within_the_wells():
    model = made_model.noisy_model(read=0.05)
    cells = cells_of_devices((model,), np.zeros(400, np.int64), seed=5)
    bar, states = Crossbar(cells, 1, 400, 1e-3, 0.0), model.states(400, 0.5)
    held = pulses.hold_drivers(bar, states, pulses.reading_drivers(bar, 0.1, 0), 1e-9)
    off = np.log(pulses.sensed_currents(bar, states, held, 0) / held.end.bit_current)
    assert off.std() == pytest.approx(0.05, rel=0.1)
    assert off.mean() == pytest.approx(0.0, abs=0.01)
    calm = bar._replace(cells=cells_of_devices((model,), np.zeros(400, np.int64)))
    assert np.array_equal(pulses.sensed_currents(calm, states, held, 0), held.end.bit_current)


def test_devices_of_the_cells_come_from_the_model():
    made_model.beside(CASE, made_model.noisy_model, SHOT, spread=True)
    ds = otjdd.run("bar.toml", {"crossbar.cells.devices": 12})
    assert np.unique(np.round(np.log(ds.cell_conductance.values[0]), 9)).size == 12
    assert np.log(ds.cell_conductance.values[0]).std() == pytest.approx(0.3, rel=0.6)


@pytest.mark.parametrize(
    ("changes", "said"), [(SHOT, "crossbar.model of the mean"), ({"crossbar.cells.devices": 3}, "how devices differ")]
)
def test_a_model_of_the_mean_is_no_model_of_noise(changes, said):
    made_model.beside(CASE, changes=SHOT)
    with pytest.raises(CaseError, match=said):
        otjdd.run("bar.toml", changes)
