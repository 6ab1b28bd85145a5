"""otjdd plot: results and studies into files, and what it says of what it cannot draw."""

import numpy as np
import pytest
from commands import otjdd
from made_results import WRITES, curves, profiles, reads
from PIL import Image

from otjdd.results import store


@pytest.fixture
def folder(tmp_path):
    store.write(reads(WRITES, np.arange(1.0, 7.0) * 1e6), tmp_path / "thin.nc")
    store.write(reads(WRITES, np.arange(2.0, 8.0) * 1e6), tmp_path / "thick.nc")
    store.write(curves(), tmp_path / "iv.nc")
    store.write(profiles(np.arange(6.0)), tmp_path / "shots.nc")
    return tmp_path


def plot(folder, *words):
    return otjdd(folder, "plot", *words)


def test_the_kinds_are_listed_and_no_file_is_needed_for_it(folder):
    done = plot(folder, "--kind", "help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()][:3] == ["loop", "columns", "channels"]


def test_several_results_become_one_picture(folder):
    done = plot(
        folder, "thin.nc", "thick.nc", "--kind", "loop", "--label", "2.8 nm", "--label", "3.2 nm", "-o", "a.svg"
    )
    assert (done.returncode, done.stdout) == (0, "a.svg\n"), done.stderr
    assert plot(folder, "thin.nc", "thick.nc").stdout == "thin.png\n"
    done = plot(folder, "thin.nc", "thick.nc", "--label", "one")
    assert done.returncode == 2
    assert "2 files take as many labels" in done.stderr


def test_a_study_is_drawn_from_within_its_folder(folder):
    import xarray as xr

    from otjdd.studies.dataset import ENGINE

    study = folder / "thickness.1"
    study.mkdir()
    places = {"d": ("d", [1e-9, 2e-9], {"units": "m"})}
    arrays = {
        "R": ("d", [1.0, 2.0], {"units": "ohm"}),
        "status": ("d", np.zeros(2, dtype="i1")),
        "reason": ("d", ["", ""]),
        "model_limits": ("d", ["", "current_density: 2 times"]),
    }
    store.write(xr.Dataset(arrays, places, {ENGINE: "x"}), study / "study.nc")
    done = plot(study, ".")
    assert (done.returncode, done.stdout) == (0, "thickness.1.png\n"), done.stderr
    assert (study / "thickness.1.png").is_file()
    assert plot(folder, "thickness.1").stdout == "thickness.1.png\n"


def test_a_folder_without_a_study_is_refused_with_what_to_do(folder):
    done = plot(folder, ".")
    assert done.returncode == 5
    assert "is a folder without study.nc" in done.stderr


def test_a_movie_is_a_film(folder):
    done = plot(folder, "shots.nc", "--kind", "movie")
    assert (done.returncode, done.stdout) == (0, "shots.gif\n"), done.stderr
    with Image.open(folder / "shots.gif") as film:
        assert film.n_frames == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["thin.nc", "--kind", "lop"], "did you mean 'loop'?"),
        (["iv.nc", "--kind", "loop"], "it needs reads after writes"),
        (["thin.nc", "--kind", "movie"], "a movie needs snapshots"),
        (["shots.nc", "--kind", "movie", "-o", "a.png"], ".gif or .mp4"),
        (["thin.nc", "thick.nc", "--kind", "movie"], "of one result"),
        ([], "name a result"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(folder, words, said):
    done = plot(folder, *words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
