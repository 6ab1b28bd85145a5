"""Case files of films of several layers: what they say, and each thing that they must not say."""

import re

import pytest

from otjdd.case.case import load_case, parse_case
from otjdd.case.film import LayeredFilm
from otjdd.compact_models.axes import axes_of
from otjdd.errors import CaseError
from otjdd.fitting.parameters import parameters

BASE = """base = "junction.toml"
title = "Pt | Al2O3 | HfO2 | TiN"

[[device.film.layers]]
material = "Al2O3"
thickness = "1 nm"
cells = 20
permittivity = { law = "linear", eps_r = 9 }
tunnelling_mass = 0.3
ions = "none"

[[device.film.layers]]
material = "HfO2"
thickness = "3 nm"
cells = 40
permittivity = { law = "linear", eps_r = 22 }
band_offset = "-1.2 eV"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(BASE, encoding="utf-8")
    return path


def test_layers_on_top_of_a_film_of_one_material_take_its_place(file):
    film = load_case(file).device.film
    assert isinstance(film, LayeredFilm)
    assert (film.thickness, film.cells, film.material) == (pytest.approx(4e-9), 60, "Al2O3 | HfO2")
    assert [sheet.mobile for sheet in film.stack] == [False, True]
    assert film.stack[1].band_offset == -1.2


def test_a_key_of_one_layer_is_set_by_its_index(file):
    case = load_case(file, {"device.film.layers[1].thickness": "2 nm"})
    assert [layer.thickness for layer in case.device.film.layers] == [1e-9, 2e-9]
    again = case.replace("device.film.layers[0].thickness", 0.5e-9)
    assert [layer.thickness for layer in again.device.film.layers] == [0.5e-9, 2e-9]
    with pytest.raises(CaseError, match="no sites of ions"):  # at the first layer
        load_case(file, {'columns.spread."ions.well_left"': "60 meV", "columns.count": 3})
    load_case(file, {'columns.spread."ions.well_right"': "60 meV", "columns.count": 3})
    text = re.sub(r"(?m)^hop_distance = .*\n", "", case.replace("ions.law", "linear").resolved())
    barrier = {"device.film.layers[0].ions": "mobile", "device.film.layers[0].interface_barrier": "0.6 eV"}
    with pytest.raises(CaseError, match=r"layers\[0\].interface_barrier: expected ions.hop_distance, such as"):
        parse_case(text).replace(barrier)


def test_a_coarser_grid_is_coarser_in_each_layer(file):
    assert [layer.cells for layer in load_case(file).device.film.with_cells(30).layers] == [10, 20]


OWN_BARRIERS = {"device.film.layers[0].ions": "mobile"} | {
    f"device.film.layers[{i}].activation_energy": "0.7 eV" for i in (0, 1)
}


def test_a_spread_of_a_layers_key_is_refused_with_what_can_be_done(file):
    key = "device.film.layers[1].activation_energy"
    with pytest.raises(
        CaseError, match=r"without its own follows a spread of ions.activation_energy.*kinds\]\] may set it"
    ):
        load_case(file, {f'columns.spread."{key}"': "60 meV"})
    kinds = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "set": {key: "0.8 eV"}}]
    load_case(file, {"columns.kinds": kinds})


@pytest.mark.parametrize("key", ["ions.activation_energy", "ions.seed"])
def test_an_axis_that_nothing_follows_is_named(file, key):
    values = [1, 2] if key == "ions.seed" else ["0.6 eV", "0.7 eV"]
    for study in ({"grid": {key: values}}, {"points": [{key: value} for value in values]}):
        with pytest.raises(CaseError, match=f"{key}.*an axis with an effect"):
            load_case(file, OWN_BARRIERS | {"study": study})
    both = {key: values, "device.left.barrier": ["1 eV", "1.1 eV"]}
    load_case(file, OWN_BARRIERS | {"study": {"zip": both}})  # a key of the device may let another be followed


def test_a_number_of_a_layer_to_vary_is_named_where_it_is_inherited_or_overridden(file):
    case = load_case(file)
    with pytest.raises(CaseError, match=r"the layer takes ions.activation_energy: vary that") as error:
        parameters(case, ["device.film.layers[1].activation_energy"])
    assert '--set device.film.layers[1].activation_energy="' in str(error.value)
    assert "None" not in str(error.value)
    for vary in (parameters, lambda case, keys: axes_of(case, {keys[0]: ("0.5 eV", "1.2 eV")})):
        with pytest.raises(CaseError, match="states its own activation_energy"):
            vary(case.replace(OWN_BARRIERS), ["ions.activation_energy"])
        assert vary(case, ["ions.activation_energy"])


def test_cells_that_do_not_part_into_coarser_grids_come_with_a_number_that_does(file):
    with pytest.raises(CaseError) as error:
        load_case(file, {"numerics.error": "estimate"})
    cells = dict(re.findall(r"--set (device\S+)=(\d+)", str(error.value)))
    assert len(cells) == 2
    load_case(file, {"numerics.error": "estimate"} | {key: int(value) for key, value in cells.items()})
