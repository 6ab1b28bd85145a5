"""Cells that are drawn from a study or a table: which devices they are, and what is refused, with its place."""

from pathlib import Path

import made_model
import numpy as np
import pytest
from commands import otjdd

from otjdd.case.case import CaseError, load_case
from otjdd.case.study_axes import Sample
from otjdd.compact_models.crossbars import models
from otjdd.results import store
from otjdd.studies.points import plan

CASE = """\
base = "device-spread.toml"
title = "Cells that differ"

[crossbar]
word_lines = 2
bit_lines = 3
cells = { devices = "study" }

[drive]
kind = "patterns"
parts = [{ kind = "read" }]

[study.sample]
count = 5
"""
SPEEDS = '{ count = 4, over = { "ions.activation_energy" = { mean = "0.46 eV", deviation = "5 meV" } } }'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the case."""
    monkeypatch.chdir(tmp_path)
    Path("bar.toml").write_text(CASE)
    return tmp_path


@pytest.fixture
def extracted(monkeypatch):
    """Cases that models would be extracted of, (as one, noisy) with them. Models are made, each with its thickness."""
    found = []

    def one_by_one(cases, order, noise=False):
        found.append((False, noise, cases))
        for case in cases:
            yield made_model.made_model(bend=0.2 * case.device.film.thickness / 1e-9)

    def together(cases, base, *rest):
        return [each for _ in found.append((True, rest[-1], cases)) or [0] for each in made(cases)]

    def made(cases):
        return [made_model.made_model(decades=3.0 + 0.1 * n) for n, _ in enumerate(cases)]

    monkeypatch.setattr(models.build, "extracted_one_by_one", one_by_one)
    monkeypatch.setattr(models.build, "extracted_together", together)
    return found


def test_cells_are_the_draws_of_the_study(extracted, folder):
    assert otjdd(folder, "check", "bar.toml").stdout == "bar.toml: ok, 0 writes and 1 read of a crossbar\n"
    assert otjdd(folder, "run", "bar.toml").returncode == 0
    (as_one, noise, cases), *_ = extracted
    assert (as_one, noise) == (False, False)
    thickness = [each.device.film.thickness for each in cases]
    case = load_case("bar.toml")
    wanted = [row[list(case.study.sample.over).index("device.film.thickness")] for row in case.study.sample.rows()]
    assert [f"{1e9 * each:.12g} nm" for each in thickness] == wanted
    assert np.unique(np.round(np.log(store.read("bar.nc").cell_conductance.values[0]), 9)).size == 5


def test_draws_of_the_activation_energy_share_an_extraction_and_cells_have_their_own_seeds(extracted):
    over = SPEEDS.replace("over = {", 'over = { "ions.seed" = { values = [1, 2] },')
    models.crossbar_of(load_case("bar.toml", {"crossbar.cells.devices": over}))
    ((as_one, _, cases),) = extracted
    assert as_one
    assert len({each.ions.activation_energy for each in cases}) == 4
    assert {each.ions.seed for each in cases} == {0}


def test_a_study_of_arrays_keeps_the_draws_of_the_cells():
    case = load_case("bar.toml", {"study.grid": {"crossbar.line_resistance": ["1 ohm", "9 ohm"]}, "study.keep": []})
    found = plan(case)
    assert found.shape == (2,)
    point = found.point(1)
    assert point.crossbar.line_resistance == 9.0
    assert isinstance(point.crossbar.cells.devices, Sample)
    assert point.crossbar.cells.devices == case.study.sample
    with pytest.raises(CaseError, match="whose sample is the devices of its cells"):
        plan(load_case("bar.toml"))
