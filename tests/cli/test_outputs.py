"""What a command writes is never what it reads, is written once, and replaces nothing that otjdd did not make."""

import os
import subprocess
import sys

import made_results
import numpy as np
import pytest
from commands import otjdd
from devices import needs_speed
from small_studies import ONE_READ, POINT

from otjdd.errors import ResultError
from otjdd.results import store


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "small.toml").write_text(ONE_READ)
    return tmp_path


def test_files_of_an_earlier_result_are_replaced_or_removed_and_edited_ones_are_left(tmp_path):
    ds, result, case, picture = (
        made_results.reads([1.0], [1e8]),
        *(tmp_path / f"a.{end}" for end in ("nc", "toml", "png")),
    )
    store.write_with(ds, result, {case: b"first", picture: b"picture"})
    store.write_with(ds, result, {case: b"second"})
    assert (case.read_bytes(), picture.exists()) == (b"second", False)
    case.write_bytes(b"edited")
    with pytest.raises(ResultError, match="or was edited"):
        store.write_with(ds, result, {case: b"third"})
    store.write_with(ds, result, {})
    assert case.read_bytes() == b"edited"


@pytest.mark.parametrize("name", ["b.toml", "c.toml"])
def test_of_files_that_belong_together_none_is_changed_where_one_cannot_be_written(tmp_path, name):
    ds, result = made_results.reads([1.0], [1e8]), tmp_path / "a.nc"
    store.write_with(ds, result, {tmp_path / "a.toml": b"first"})
    before = result.read_bytes()
    (tmp_path / name).mkdir()
    with pytest.raises(ResultError):
        store.write_with(ds, result, {tmp_path / other: b"second" for other in ("a.toml", "b.toml", "c.toml")})
    assert result.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.nc", "a.toml", name])


VANISHING = """
import shutil, sys
from otjdd.results import store
from otjdd.solver import collect
readings = collect.readings

def remove(*arguments):
    shutil.rmtree("out")
    return readings(*arguments)

import otjdd.solver.simulate as simulate
simulate.readings = remove
from otjdd.__main__ import main
main()
"""


@needs_speed
def test_a_result_whose_folder_vanishes_during_the_run_is_kept_elsewhere(folder):
    (folder / "out").mkdir()
    (folder / "tmp").mkdir()
    command = [sys.executable, "-c", VANISHING, "run", "small.toml", "-o", "out/y.nc"]
    environment = os.environ | {"TMPDIR": str(folder / "tmp")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 5
    assert "out/y.nc: cannot be written" in done.stderr
    (rescued,) = (folder / "tmp").glob("otjdd-*/y.nc")
    assert f"the result is kept in {rescued}" in done.stderr
    assert np.isfinite(store.read(rescued).read_resistance).all()


def test_a_result_is_kept_elsewhere_under_a_short_name_and_leaves_no_empty_folders(folder, monkeypatch):
    places = [folder / "full", folder / "home"]
    for place in places:
        place.mkdir()
    monkeypatch.setattr(store.tempfile, "gettempdir", lambda: str(places[0]))
    monkeypatch.setenv("HOME", str(places[1]))
    write, ds = store.write, made_results.reads([1.0], [1e8])

    def refusing(ds, path):
        if path.is_relative_to(places[0]) or len(path.name) > 20:
            raise ResultError(path, "cannot be written")
        write(ds, path)

    monkeypatch.setattr(store, "write", refusing)
    rescued = store.saved_elsewhere(ds, "long" * 20 + ".nc")
    assert (rescued.name, rescued.parent.parent) == ("result.nc", places[1])
    assert not any(places[0].iterdir())
    store.read(rescued)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root makes links of other users")
def test_a_link_of_another_user_is_not_followed_to_the_folder_of_a_study(folder):
    (folder / "study.toml").write_text(POINT + "[study.grid]\n\"drive.width\" = ['20 ns', '40 ns']\n")
    (folder / "home").mkdir()
    (folder / "planted").symlink_to("home")
    os.lchown(folder / "planted", 65534, 65534)
    done = otjdd(folder, "study", "study.toml", "-o", "planted")
    assert done.returncode == 5
    assert "planted: is a link of another user" in done.stderr
    assert not any((folder / "home").iterdir())
