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

AIMS = """
case = "small.toml"
[[parameter]]
key = "device.left.barrier"
low = "0.5 eV"
high = "0.7 eV"
dimension = "energy"
source = "made up"
[[run]]
name = "one"
set = {}
[[run.target]]
name = "high"
read = 0
value = 1e8
within = 1.2
"""
FIT = ["fit", "loop.csv", "fitted.toml", "--vary", "ions.density"]
CALIBRATE = ["calibrate", "aims.toml", "--evaluations", "0", "--rounds", "0", "--no-sensitivity"]
LOOP = """
base = "rv-loop.toml"
columns = { count = 1, spread = {} }
device.film.cells = 12
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "small.toml").write_text(ONE_READ)
    (tmp_path / "study.toml").write_text(POINT + "[study.grid]\n\"drive.width\" = ['20 ns', '40 ns']\n")
    (tmp_path / "base.toml").write_text(LOOP)
    (tmp_path / "fitted.toml").write_text('base = "base.toml"\n')
    (tmp_path / "aims.toml").write_text(AIMS)
    (tmp_path / "loop.csv").write_text("V_write (V),R (ohm)\n0.5,1e8\n1.0,2e8\n1.5,3e8\n")
    store.write(made_results.reads([1.0, -1.0], [1e8, 1e5]), tmp_path / "r.nc")
    (tmp_path / "link.nc").symlink_to("r.nc")
    os.link(tmp_path / "loop.csv", tmp_path / "hard.csv")
    (tmp_path / "found.nc").write_text("my notes")
    (tmp_path / "notes.toml").write_text("# my notes")
    (tmp_path / "drawn.png").write_bytes(b"my picture")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*FIT, "-o", "loop.csv"], "loop.csv is an input"),
        ([*FIT, "-o", "hard.csv"], "hard.csv is an input"),
        ([*FIT, "-o", "new.png"], "new.png would be written twice"),
        ([*FIT, "-o", "base.nc"], "base.toml is an input"),
        ([*FIT, "-o", "notes.nc"], "notes.toml: was not written with notes.nc, or was edited"),
        ([*FIT, "-o", "drawn.nc"], "drawn.png: was not written with drawn.nc, or was edited"),
        ([*CALIBRATE, "-o", "small.toml"], "small.toml is an input"),
        ([*CALIBRATE, "-o", "aims.toml"], "aims.toml is an input"),
        ([*CALIBRATE, "-o", "y.nc"], "y.nc would be written twice"),
        ([*CALIBRATE, "-o", "found.toml"], "found.nc: is something else, and would be replaced"),
        (["export", "r.nc", "-o", "r.nc"], "r.nc is an input"),
        (["export", "r.nc", "-o", "link.nc"], "link.nc is an input"),
        (["plot", "r.nc", "loop.csv", "-o", "loop.png", "-o", "loop.csv"], "figures are written as .png"),
        (["predict", "r.nc", "rv-loop", "-o", "r.nc"], "r.nc is an input"),
        (["rerun", "r.nc", "-o", "link.nc"], "link.nc is an input"),
        (["run", "small.toml", "-o", "z.png", "--plot", "z.png"], "z.png would be written twice"),
        (["study", "study.toml", "-o", "."], "study.toml: is not of a study in this folder"),
        (["compact", "small.toml", "-o", "."], "otj.va: was not written with model.nc"),
    ],
)
def test_files_that_are_read_or_foreign_are_not_replaced(folder, words, said):
    if words[0] == "compact":
        (folder / "otj.va").write_text("// my own module")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = otjdd(folder, *words)
    assert done.returncode in (2, 5), done.stderr
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


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
    write, ds = store.write, store.read(folder / "r.nc")

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
    (folder / "home").mkdir()
    (folder / "planted").symlink_to("home")
    os.lchown(folder / "planted", 65534, 65534)
    done = otjdd(folder, "study", "study.toml", "-o", "planted")
    assert done.returncode == 5
    assert "planted: is a link of another user" in done.stderr
    assert not any((folder / "home").iterdir())
