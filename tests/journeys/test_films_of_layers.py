"""A layer as a user varies it: a study of its thickness and its picture, a fit that gives it back, and what is refused."""

import csv

import pytest
from typer.testing import CliRunner

import otjdd
from otjdd.cli import app

FILES = {
    "two.toml": """base = "bilayer-polarity.toml"
title = "Two oxides, few writes"
[drive]
path = ["0 V", "2.5 V", "-2.5 V", "0 V"]
step = "1.25 V"
""",
    "sweep.toml": """base = "two.toml"
[study]
keep = ["read_resistance[7]", "loop.polarity"]
[study.grid]
"device.film.layers[0].thickness" = ["1.5 nm", "2 nm"]
""",
    "absent.toml": """base = "two.toml"
[study.grid]
"device.film.layers[2].thickness" = ["1.5 nm", "2 nm"]
""",
}
KEY = "device.film.layers[0].thickness"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the cases."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def command(*words, code=0):
    """What `otjdd WORDS` prints."""
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, done.output
    assert "unexpected" not in done.output
    return done.output


def test_a_study_of_the_thickness_of_a_layer_is_run_drawn_and_exported(folder):
    assert "2 of 2 points" in command("study", "sweep.toml", "-o", "sweep", "--workers", "1")
    command("plot", "sweep")
    assert (folder / "sweep.png").stat().st_size > 10_000
    command("export", "sweep/study.nc", "-o", "sweep.csv")
    with (folder / "sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    thin, thick = (float(row["read_resistance[7] (ohm)"]) for row in rows)
    assert thick > 3.0 * thin > 0.0
    assert {float(row["loop.polarity (1)"]) for row in rows} == {-1.0}


def test_a_fit_gives_the_thickness_of_a_layer_back(folder):
    hidden = otjdd.run("two.toml", {KEY: "1.6 nm"})
    rows = zip(hidden.write_voltage.values, hidden.read_resistance.values, strict=True)
    lines = "".join(f"{volts:g},{ohms:.12g}\n" for volts, ohms in rows)
    (folder / "data.csv").write_text("V_write (V),R (ohm)\n" + lines, encoding="utf-8")
    command("fit", "data.csv", "two.toml", "--vary", f"{KEY}=1nm:3nm", "-o", "fitted.nc")
    first, second = otjdd.load_case("fitted.toml").device.film.layers
    assert first.thickness == pytest.approx(1.6e-9, rel=1e-5)
    assert second.thickness == 2e-9
    assert (folder / "fitted.png").stat().st_size > 10_000


def test_a_layer_that_is_not_there_is_refused_before_anything_runs(folder):
    printed = command("study", "absent.toml", "-o", "absent", "--workers", "1", code=3)
    assert "device.film.layers[2]: expected an index from 0 to 1, got 2" in printed
    (folder / "data.csv").write_text("V_write (V),R (ohm)\n1.25,1e8\n", encoding="utf-8")
    printed = command("fit", "data.csv", "two.toml", "--vary", "device.film.layers[2].thickness=1nm:3nm", code=3)
    assert f'did you mean "{KEY}"' in printed
    assert not [*folder.glob("*.nc"), *folder.glob("absent/*")]
