"""The junction as a picture and as a film; a curve beside the one before it and measured points."""

import re
import subprocess

import numpy as np
import pytest
from made_results import WRITES, case_attrs, profiles, reads, series
from PIL import Image

from otjdd.measurements.read import read_data
from otjdd.plot import junction as movie
from otjdd.plot.figure import BEFORE, comparison, measured_points
from otjdd.plot.junction import junction
from otjdd.plot.over_x import voltage_at
from otjdd.plot.style import encoded

R = np.array([1e8, 1e5, 1e5, 1e6, 1e8, 1e8])


def test_the_junction_has_bands_fermi_levels_current_and_vacancies_on_one_axis_of_energy():
    ds = profiles([0.0, 1.0], case_attrs('{ kind = "hold", voltage = "0.5 V", duration = "1 s" }'))
    ds = ds.merge(series([0.0, 1.0], [0.5, 0.5], [1e-6, 1e-6])).assign(junction_voltage=("time", [0.4, 0.3]))
    bands, spectrum, vacancies = junction(ds).axes
    assert bands.get_ylim() == spectrum.get_ylim()
    levels = [line.get_ydata()[0] for line in bands.lines if np.ptp(line.get_ydata()) == 0]
    assert sorted(levels) == [-0.4, -0.3, 0.0, 0.0]
    top = max(line.get_xdata().max() for line in spectrum.lines)
    assert top == 1.0
    np.testing.assert_array_equal(vacancies.lines[0].get_ydata(), ds.vacancy_concentration.values[0])
    assert voltage_at(ds, 0) == 0.4
    assert encoded(junction(ds), "svg").startswith(b"<?xml")


def test_the_junction_of_a_film_of_layers_has_their_interfaces_and_names():
    ds = profiles([0.0, 1.0], case_attrs('{ kind = "hold", voltage = "0.5 V", duration = "1 s" }'))
    ds = ds.merge(series([0.0, 1.0], [0.5, 0.5], [1e-6, 1e-6])).assign(junction_voltage=("time", [0.4, 0.3]))
    layers = ds.assign_coords(layer=["AlOx", "NbOx"]).assign(layer_end=("layer", [1e-9, 2.8e-9]))
    bands, _, vacancies = junction(layers).axes
    for axes in (bands, vacancies):
        assert [line.get_xdata()[0] for line in axes.lines if np.ptp(line.get_xdata()) == 0] == [pytest.approx(1.0)]
    assert [text.get_text() for text in bands.texts] == ["$E_F$", "AlOx", "NbOx"]


def test_the_curve_before_is_grey_and_says_nothing():
    (axes,) = comparison([reads(WRITES, R)], "loop", [reads(WRITES, 2 * R)]).axes
    before, now = axes.lines
    assert (before.get_color(), before.get_zorder() < now.get_zorder()) == (BEFORE, True)
    np.testing.assert_array_equal(before.get_ydata(), 2 * now.get_ydata())
    (alone,) = comparison([reads(WRITES, R)], "loop").axes
    assert len(axes.texts) == len(alone.texts)
    assert axes.get_title(loc="left") == alone.get_title(loc="left")


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
        movie.encoded(result().isel(snapshot=slice(4)), ".gif")


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
