"""The junction as a picture and as a film; a curve beside the one before it and measured points."""

import re
import subprocess

import numpy as np
import pytest
from made_results import case_attrs, profiles, series
from PIL import Image

from otjdd.measurements.read import read_data
from otjdd.plot import junction as movie
from otjdd.plot.figure import measured_points


@pytest.mark.parametrize(
    ("kind", "text", "x", "y"),
    [
        ("loop", "V_write (V),R (kohm)\n1,2\n2,3\n", [1, 2], [2e3, 3e3]),
        ("iv", "V (V),I (nA)\n-1,-2\n2,3\n", [-1, 2], [2e-9, 3e-9]),
        ("conductance", "n,G (uS)\n1,2\n2,4\n", [1, 2], [2e-6, 4e-6]),
        ("retention", "t (s),R (ohm)\n1,5\n2,6\n", [1, 2], [5, 6]),
        ("retention", "V (V),I (nA)\n-1,-2\n2,3\n", None, None),
        ("stdp", "t (s),R (ohm)\n1,5\n2,6\n", None, None),
    ],
)
def test_measured_points_are_those_of_the_panel(tmp_path, kind, text, x, y):
    (tmp_path / "a.csv").write_text(text)
    found = measured_points(kind, read_data(tmp_path / "a.csv"))
    if x is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, [x, y], rtol=1e-12)


T = np.concatenate([[0.0], np.geomspace(1e-9, 0.1, 8)])
PULSE = '{ kind = "pulse", voltage = "2 V", width = "100 ms" }'


def result():
    ds = profiles(T, case_attrs(PULSE))
    return ds.merge(series(T, np.full(9, 2.0), np.geomspace(1e-3, 1e-6, 9)))


def test_a_frame_is_the_last_snapshot_at_or_before_an_instant():
    scene, ds = movie.Scene(result()), result()
    assert scene.show(5e-4) == T[T <= 5e-4][-1]
    drawn = scene._vacancies.get_ydata()
    np.testing.assert_array_equal(drawn, ds.vacancy_concentration.values[np.flatnonzero(T <= 5e-4)[-1]])
    assert scene.show(-1.0) == 0.0
    assert scene.show(1.0) == T[-1]
    assert scene.fig.get_suptitle() == "t = 100 ms"


def test_a_film_has_a_frame_for_each_snapshot(tmp_path):
    movie.write_movie(result(), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == len(T)
    frames = movie.instants(profiles(np.linspace(0.0, 1.0, 300)))
    assert len(frames) == movie.MOST
    assert (frames[0], frames[-1]) == (0.0, 1.0)
    with pytest.raises(
        ValueError, match=r"a movie needs 5 snapshots or more, this result has 4: set record\.profiles_at"
    ):
        movie.encoded_film(result().isel(snapshot=slice(4)), ".gif")


@pytest.mark.parametrize("own", [True, pytest.param(False, marks=pytest.mark.campaign)])
def test_an_mp4_is_a_film_that_players_show(tmp_path, monkeypatch, own):
    """Of the ffmpeg of the system, or of that of the package imageio-ffmpeg."""
    if own:
        monkeypatch.setattr(movie.shutil, "which", lambda name: None)
    movie.write_movie(result(), tmp_path / "a.mp4")
    command = [movie.ffmpeg(), "-i", tmp_path / "a.mp4", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    played = subprocess.run(command, capture_output=True, check=True)
    width, height = map(int, re.search(rb"h264.*yuv420p.* (\d+)x(\d+)", played.stderr).groups())
    assert (width % 2, height % 2) == (0, 0)
    images = np.frombuffer(played.stdout, np.uint8).reshape(len(T), height, width, 3).astype(int)
    assert np.abs(images[0] - images[-1]).max() > 100


def test_without_ffmpeg_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(movie, "ffmpeg", lambda: None)
    with pytest.raises(ValueError, match=r"pip install 'otjdd\[movie\]'; a GIF does not"):
        movie.write_movie(result(), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []
