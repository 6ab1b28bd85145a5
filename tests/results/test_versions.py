"""Files of otjdd 0.1.0: results are read, drawn and continued from; points and checkpoints are refused in words.

data/otjdd-0.1.0.tar.gz holds what 0.1.0 wrote: a result (an R-V loop of 12 cells), a study of two points, a checkpoint of a
run that was killed, and the cases of the latter two. They stand on cases/li2019.toml.
"""

import shutil
import tarfile
import tomllib
from pathlib import Path

import numpy as np
import pytest
from commands import typed

import otjdd
from otjdd.case.case import load_case, parse_case, shipped_cases
from otjdd.errors import ExitCode, ResultError
from otjdd.solver import checkpoint
from otjdd.studies import points
from otjdd.studies.study import study

ROOT = Path(__file__).parents[2]


@pytest.fixture
def old(tmp_path, monkeypatch):
    """Folder with the files of 0.1.0, which is the working directory."""
    with tarfile.open(Path(__file__).parent / "data" / "otjdd-0.1.0.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    shutil.copy(shipped_cases() / "li2019.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_result_is_read_and_its_case_is_one_still(old):
    ds = otjdd.read("result.nc")
    assert ds.attrs["otjdd_version"] == "0.1.0"
    assert ds.read_resistance.values[1] == pytest.approx(5.32e4, rel=1e-3)
    assert parse_case(ds.attrs["case_resolved"]).device.film.thickness == 2.8e-9


def test_a_run_starts_from_the_last_state_of_a_result(old):
    ds = otjdd.read("result.nc")
    text = 'base = "li2019.toml"\ntitle = "next"\ncolumns.count = 1\ndevice.film.cells = 12\n'
    text += 'ions.initial = { result = "result.nc" }\ndrive = { kind = "hold", voltage = "0 V", duration = "1 ns" }\n'
    Path("next.toml").write_text(text)
    went_on = otjdd.run("next.toml")
    first, last = went_on.vacancy_concentration_columns[0], ds.vacancy_concentration_columns[-1]
    np.testing.assert_array_equal(first.values, last.values)


def test_a_checkpoint_is_refused_with_advice(old):
    case = load_case("checkpoint-case.toml")
    with pytest.raises(ResultError, match="is no checkpoint of otjdd; start again, without --resume"):
        checkpoint.read(Path("checkpoint"), checkpoint.belonging(case))
    Path(".long.nc.checkpoint").write_bytes(Path("checkpoint").read_bytes())
    typed("run", "checkpoint-case.toml", "-o", "long.nc", "--resume", code=ExitCode.FILE)
    assert not Path("long.nc").exists()


def test_points_are_computed_again_and_that_is_said(old):
    before = {file.name: points.unpack(file, file.read_bytes()).status for file in Path("study/points").iterdir()}
    assert set(before.values()) == {"stale"}
    said = "2 computed by another version of otjdd: --resume computes them again"
    assert typed("study", "--status", "study") == said
    said = []
    ds = study("study-case.toml", "study", resume=True, announce=said.append)
    assert (
        said[0]
        == "study: the points there were computed by another version of otjdd; they are not used, but computed again"
    )
    assert said[1] == "2 points, 2 to compute"
    assert (ds.status == 0).all()
    assert ds["read_resistance[-1]"].notnull().all()
    again = []
    study("study-case.toml", "study", resume=True, announce=again.append)
    assert again == ["2 points, 0 to compute"]


def test_the_version_stands_in_the_changelog_and_in_the_citation():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"version {version} (" in (ROOT / "README.md").read_text()
    assert f"\n## {version}\n" in (ROOT / "otjdd" / "CHANGELOG.md").read_text()
