"""Pictures as a user asks for them: results, studies and measured points, from files to what is drawn or said."""

import numpy as np
import pytest
from made_results import WRITES, case_attrs, reads
from typer.testing import CliRunner

import otjdd
from otjdd.cli import app
from otjdd.results import store


def plot(*words, code=0):
    """What `otjdd plot WORDS` says."""
    done = CliRunner().invoke(app, ["plot", *map(str, words)])
    assert done.exit_code == code, done.output
    assert "unexpected" not in done.output
    return " ".join(done.output.replace("│", " ").split())


@pytest.fixture
def loop(tmp_path):
    """A result with a loop, and a file of measured points of one."""
    R = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 9.0]) * 1e6
    store.write(reads(WRITES, R, attrs=case_attrs()), tmp_path / "model.nc")
    rows = "\n".join(f"{V},{1.2 * r}" for V, r in zip(WRITES, R, strict=True))
    (tmp_path / "data.csv").write_text(f"V_write (V),R (ohm)\n{rows}\n")
    return tmp_path


def test_a_result_and_measured_points_are_one_picture(loop):
    picture = loop / "both.png"
    assert plot(loop / "model.nc", loop / "data.csv", "-o", picture) == str(picture)
    assert picture.stat().st_size > 10_000
    model, data = otjdd.read(loop / "model.nc"), otjdd.read_data(loop / "data.csv")
    axes = otjdd.figure([model, data], label=["model", "data"]).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["model", "data"]
    np.testing.assert_allclose(axes.lines[-1].get_ydata(), 1.2 * axes.lines[0].get_ydata())
    plot(loop / "data.csv", "--kind", "loop", "-o", picture)


def test_measured_points_that_no_picture_of_a_result_shows_are_told(loop):
    (loop / "kept.csv").write_text("t (s),R (ohm)\n1,1e6\n10,2e6\n100,3e6\n1000,4e6\n")
    assert "kept holds time, resistance" in plot(loop / "model.nc", loop / "kept.csv", "-o", loop / "a.png", code=2)
    plot(loop / "kept.csv", "--kind", "retention", "-o", loop / "kept.png")
    assert "it needs results of a drive" in plot(loop / "kept.csv", "--kind", "stdp", "-o", loop / "a.png", code=2)


def test_a_wrong_quantity_of_a_column_is_told(loop):
    done = CliRunner().invoke(app, ["check", str(loop / "data.csv"), "--column", "resistence=R (ohm)"])
    assert done.exit_code == 2
    assert "did you mean 'resistance'" in " ".join(done.output.replace("│", " ").split())
