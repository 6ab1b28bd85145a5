"""Crossbars of noisy models: seeds, devices drawn from the model, and what is refused."""

import made_model
import numpy as np
import pytest

import otjdd
from otjdd.case.case import CaseError, load_case

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


def put(folder, monkeypatch, model, changes=SHOT):
    """Put a model beside the case, said to be one of its junction."""
    monkeypatch.chdir(folder)
    (folder / "model.nc").touch()
    (folder / "bar.toml").write_text(CASE)
    model(about={"case_resolved": load_case("bar.toml", changes).resolved()}).save("model.nc")


def states(**changes):
    """Positions of the cells at the end."""
    return otjdd.run("bar.toml", changes).cell_rest_position.values[-1]


def test_cells_scatter_by_their_seed(tmp_path, monkeypatch):
    put(tmp_path, monkeypatch, made_model.noisy_model)
    one, again, other, mean = (
        states(**SHOT | {"ions.seed": 1}), states(**SHOT | {"ions.seed": 1}), states(**SHOT | {"ions.seed": 2}), states(),
    )  # fmt: skip
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    written = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1]], bool)
    assert np.unique(one[written]).size == 4  # each cell has its own numbers
    assert one == pytest.approx(mean, abs=6.0 * 2.8e-9 * 0.5 * 0.8 / np.sqrt(400.0))


def test_devices_of_the_cells_come_from_the_model(tmp_path, monkeypatch):
    put(tmp_path, monkeypatch, lambda about: made_model.noisy_model(about=about, spread=True))
    ds = otjdd.run("bar.toml", {"crossbar.cells.devices": 12})
    assert np.unique(np.round(np.log(ds.cell_conductance.values[0]), 9)).size == 12
    assert np.log(ds.cell_conductance.values[0]).std() == pytest.approx(0.3, rel=0.6)


@pytest.mark.parametrize(
    ("changes", "said"), [(SHOT, "crossbar.model of the mean"), ({"crossbar.cells.devices": 3}, "how devices differ")]
)
def test_a_model_of_the_mean_is_no_model_of_noise(tmp_path, monkeypatch, changes, said):
    put(tmp_path, monkeypatch, made_model.made_model)
    with pytest.raises(CaseError, match=said):
        otjdd.run("bar.toml", changes)
