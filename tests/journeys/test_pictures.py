"""Pictures as a user asks for them: results, studies and measured points, from files to what is drawn or said."""

import numpy as np
import pytest
from commands import typed
from made_results import WRITES, case_attrs, reads

import otjdd
from otjdd.results import store


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
    assert typed("plot", loop / "model.nc", loop / "data.csv", "-o", picture) == str(picture)
    assert picture.stat().st_size > 10_000
    model, data = otjdd.read(loop / "model.nc"), otjdd.read_data(loop / "data.csv")
    axes = otjdd.figure([model, data], label=["model", "data"]).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["model", "data"]
    np.testing.assert_allclose(axes.lines[-1].get_ydata(), 1.2 * axes.lines[0].get_ydata())
    typed("plot", loop / "data.csv", "--kind", "loop", "-o", picture)


def test_measured_points_are_a_picture_of_their_own(loop):
    (loop / "kept.csv").write_text("t (s),R (ohm)\n1,1e6\n10,2e6\n100,3e6\n1000,4e6\n")
    typed("plot", loop / "kept.csv", "--kind", "retention", "-o", loop / "kept.png")


def test_a_picture_has_the_size_the_letters_and_the_limits_that_are_asked_for(loop):
    from PIL import Image

    picture = loop / "a.png"
    size = ("--width", "85 mm", "--dpi", 300, "--font", 7)
    typed("plot", loop / "model.nc", "-o", picture, *size, "--ylim", "1 kohm:1 Gohm")
    with Image.open(picture) as image:
        assert image.size[0] == pytest.approx(85 / 25.4 * 300, abs=1)
    typed("plot", loop / "model.nc", "-o", loop / "a.svg", "--xlim=-1 V:2 V")


def test_an_iv_loop_is_a_staircase_read_at_the_programmed_voltages_drawn_and_exported(loop):
    """`triangle` with a step, by Python and by the picture that the command draws of it."""
    drive = {"kind": "triangle", "path": ["0 V", "0.4 V", "0 V"], "step": "0.1 V", "delay": "1 us"}
    case = otjdd.load_case("li2019").replace(
        {"drive": drive, "device.film.cells": 12, "columns.count": 1, "circuit": {}}
    )
    ds = otjdd.run(case)
    np.testing.assert_allclose(ds.read_voltage, [0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1, 0.0], atol=1e-12)
    store.write(ds, loop / "iv.nc")
    typed("plot", loop / "iv.nc", "--kind", "iv", "-o", loop / "iv.png")
    even = otjdd.resample(ds, "0.5 us")
    assert np.isfinite(even.conduction_current_error).all()
    otjdd.to_csv(ds, loop / "iv.csv", over="read")
    assert "read_voltage (V)" in (loop / "iv.csv").read_text().splitlines()[0]
