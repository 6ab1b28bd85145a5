"""Films: frames of given instants, and files."""

import re
import subprocess

import numpy as np
import pytest
from made_results import case_attrs, profiles, series
from PIL import Image

from otjdd.plot import junction as movie

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


def test_a_frame_has_vacancies_bands_current_and_voltage():
    fig = movie.frame(result(), 1e-3)
    names = {axes.get_ylabel() for axes in fig.get_axes()}
    assert names == {"vacancies (m⁻³)", "band edge (eV)", "|conduction current| (A)", "voltage (V)"}


def test_the_mark_stands_on_the_curve():
    scene = movie.Scene(result())
    scene.show(T[4])
    top = next(axes for axes in scene.fig.get_axes() if "current" in axes.get_ylabel())
    course, dot = top.lines[0], top.lines[-1]
    np.testing.assert_allclose(dot.get_xydata()[0], course.get_xydata()[4])


def test_a_film_has_a_frame_for_each_snapshot(tmp_path):
    movie.write_movie(result(), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == len(T)


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


def test_films_that_cannot_be_made_are_refused_in_words(tmp_path):
    with pytest.raises(ValueError, match=r'5 snapshots or more, this result has 2: set record.profiles_at = \["10 ns"'):
        movie.write_movie(profiles([0.0, 1.0]), tmp_path / "a.gif")
    with pytest.raises(ValueError, match=r"\.gif or \.mp4"):
        movie.write_movie(result(), tmp_path / "a.avi")
    with pytest.raises(ValueError, match="needs snapshots"):
        movie.frame(series([0.0, 1.0], [0.0, 0.0], [1.0, 1.0]), 0.0)
    assert list(tmp_path.iterdir()) == []


def test_many_snapshots_are_thinned_in_logarithmic_time():
    t = np.concatenate([[0.0], np.geomspace(1e-9, 0.1, 500)])
    kept = movie.instants(profiles(t, case_attrs(PULSE)))
    assert len(kept) <= movie.MOST
    assert (kept < 1e-5).sum() > len(kept) / 3
