"""A stack of one's own, from the base that is made for it to what `otjdd check` tells of it, a run and its picture."""

import pytest
from typer.testing import CliRunner

import otjdd
from otjdd.cli import app

STACK = """
base = "{base}"
title = "Au | 3 nm BaTiO3 | TiN"

[device.film]
permittivity = {{ law = "linear", eps_r = 60 }}
cells = 12

[ions]
density = "1e20 cm-3"

[drive]
kind = "pulse"
voltage = "1 V"
width = "1 us"
read = {{ voltage = "0.2 V" }}
"""


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """A function that types `otjdd WORDS` in an empty folder and returns what it says."""
    monkeypatch.chdir(tmp_path)

    def type_(*words, code=0):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == code, done.output
        assert "unexpected" not in done.output
        return " ".join(done.output.split())

    return type_


def test_a_stack_on_the_device_of_the_paper_lists_what_it_takes_over(typed, tmp_path):
    (tmp_path / "on-li2019.toml").write_text(STACK.format(base="li2019.toml"))
    said = typed("check", "on-li2019.toml")
    assert "calibrated for Pt | SrTiO3 | Nb:SrTiO3 in li2019.toml" in said
    for taken in ("device.conducting_fraction = 6.027e-05", 'ions.well_right = "1.214 eV"', "device.film.fixed_charge"):
        assert taken in said
    assert "BaTiO3 is ferroelectric, and this film is not polarised" in said

    (tmp_path / "own.toml").write_text(STACK.format(base="junction.toml"))
    said = typed("check", "own.toml")
    assert "calibrated" not in said
    assert "BaTiO3 is ferroelectric" in said
    device = otjdd.load_case("own.toml")
    assert device.ions.density == 1e26
    assert (device.ions.well_left, device.ions.well_right, device.device.film.fixed_charge) == (0.0, 0.0, 0.0)
    assert device.device.conducting_fraction == 1.0
    typed("run", "own.toml", "-o", "own.nc", "--plot", "own.png")
    assert float(otjdd.read("own.nc").read_resistance[-1]) > 0.0
    assert (tmp_path / "own.png").stat().st_size > 10_000


def test_a_run_goes_on_from_another_on_another_grid_with_its_ions(typed, tmp_path):
    (tmp_path / "own.toml").write_text(STACK.format(base="junction.toml"))
    typed("run", "own.toml", "-o", "own.nc", "--set", "ions.density=5e19 1/cm3")
    go_on = 'ions.initial={ result = "own.nc" }'
    typed(
        "run",
        "own.toml",
        "-o",
        "on.nc",
        "--set",
        go_on,
        "--set",
        "device.film.cells=17",
        "--set",
        "device.film.grading=4",
    )
    before, after = (
        float((ds.vacancy_concentration_columns[-1, 0] * ds.cell_width).sum())
        for ds in map(otjdd.read, ("own.nc", "on.nc"))
    )
    assert after == pytest.approx(before, rel=1e-9)
    assert "site density" in typed(
        "check", "own.toml", "--set", go_on, "--set", "ions.site_density=9e25 1/m^3", "--set", "ions.density=1e25 1/m^3",
        "--set", "device.film.thickness=1 nm", code=3,
    )  # fmt: skip


def test_a_bare_last_word_of_a_key_is_told_where_it_stands(typed):
    said = typed("run", "rv-loop", "--set", "thickness=3 nm", code=3)
    assert 'did you mean "device.film.thickness"?' in said
