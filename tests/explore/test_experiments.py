"""Sliders and experiments: data that give cases, and commands that give the same cases."""

import shlex
from pathlib import Path

import pytest

import otjdd
from otjdd.case.case import parse_case
from otjdd.cli.arguments import load
from otjdd.explore import sliders
from otjdd.explore.experiments import OWN, case_of, command, experiments, preview, runs_of
from otjdd.plot.kinds import KINDS

BASE = otjdd.load_case("li2019")
THICK = {"device.film.thickness": "3 nm"}


def test_every_slider_moves_a_key_of_the_reference_within_its_ends_and_says_where_its_range_is_from():
    for slider in sliders.sliders():
        for value in (slider.low, slider.high, *slider.literature):
            assert slider.low <= value <= slider.high
            BASE.replace(slider.key, slider.text(value))
        assert len(slider.source) > 20
    assert [row["name"] for row in sliders.described(BASE)] == [slider.name for slider in sliders.sliders()]


def test_values_of_a_case_are_in_the_units_of_the_sliders():
    found = sliders.values_of(BASE.replace("ions.density", "3e26 1/m^3"))
    assert (found["thickness"], found["density"], found["series_resistance"]) == (2.8, 3e26, 55.0)


def test_what_was_not_moved_is_no_change():
    assert sliders.moved(BASE, sliders.values_of(BASE) | {"thickness": 3.0}) == THICK
    with pytest.raises(ValueError, match="no slider 'gate'"):
        sliders.moved(BASE, {"gate": 1.0})


def test_a_case_without_a_key_has_no_slider_for_it_and_a_value_beyond_the_ends_moves_them():
    film = {"device.film.thickness": "9 nm", "device.film.electrons": "none"}
    metal = BASE.replace({"device.right": {"kind": "metal", "barrier": "1 eV"}} | film)
    rows = {row["name"]: row for row in sliders.described(metal)}
    assert "band_offset" not in rows
    assert rows["thickness"]["high"] == 9.0


@pytest.mark.parametrize("name", experiments())
def test_an_experiment_is_a_case_that_loads_and_its_command_says_the_same(name):
    case, experiment = case_of(name, BASE, THICK), experiments()[name]
    assert experiment.kind in {"", *KINDS}
    assert parse_case(case.resolved()) == case
    assert len(runs_of(name, case)) == max(1, len(experiment.values))
    assert runs_of(name, preview(case))[0].columns.count == 1
    words = shlex.split(command(name, "li2019", THICK))
    assert words[:2] == ["otjdd", "study" if experiment.vary else "run"]
    said = load(Path(words[2]), words[4:-2:2], False)
    assert said.replace("title", "x") == case.replace("title", "x")


def test_the_command_of_another_case_names_it_and_sets_the_drive():
    words = command("retention", "mine.toml", {})
    assert words.startswith("otjdd run mine.toml --set 'drive={ kind")
    assert command(OWN, "mine.toml", THICK) == "otjdd run mine.toml --set 'device.film.thickness=3 nm' -o own.nc"
    assert command("loop", "", THICK) == "otjdd run explored.toml"
