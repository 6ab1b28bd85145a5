"""Layers that the page adds and takes away: the tables that result, and messages that it refuses."""

import pytest

import otjdd
from otjdd.explore import layers
from otjdd.explore.session import Opened, Session
from otjdd.explore.sliders import slider_values, sliders_of
from otjdd.explore.workers import Workers

BILAYER = otjdd.load_case("bilayer-polarity")
PLAIN = otjdd.load_case("rv-loop").replace({"device.film.electrons": "none", "columns.count": 1, "columns.spread": {}})


def session(case=BILAYER, name="bilayer-polarity") -> Session:
    return Session(Opened(case, name), Workers())


def test_an_added_layer_has_the_published_numbers_of_its_material_and_the_rest_of_its_neighbour():
    tables = layers.changed_layers(PLAIN, layers.Change(1, "Al2O3"))
    first, new = tables
    assert (first["material"], new["material"]) == ("SrTiO3", "Al2O3")
    assert new["permittivity"] == {"law": "linear", "eps_r": 9.0}
    assert new["band_offset"] == "2.83 eV"  # affinities of 4.08 and 1.25 eV
    assert new["tunnelling_mass"] == first["tunnelling_mass"]
    film = PLAIN.replace({layers.KEY: tables}).device.film
    assert [sheet.thickness for sheet in film.layers] == [2.8e-9, 1e-9]


def test_offsets_count_from_the_layer_that_is_first_after_a_change():
    tables = layers.changed_layers(
        PLAIN.replace({layers.KEY: layers.changed_layers(PLAIN, layers.Change(0, "HfO2"))}), layers.Change(0, "")
    )
    assert [(table["material"], table["band_offset"]) for table in tables] == [("SrTiO3", "0 eV")]
    with pytest.raises(ValueError, match="one layer at least"):
        layers.changed_layers(PLAIN.replace({layers.KEY: tables}), layers.Change(0, ""))
    with pytest.raises(ValueError, match="2 layers"):
        layers.changed_layers(BILAYER, layers.Change(2, ""))


@pytest.mark.parametrize(
    "data", [{}, {"place": -1, "material": ""}, {"place": 0, "material": "gold"}, {"place": True, "material": ""}, []]
)
def test_messages_that_the_page_would_not_send_are_refused(data):
    with pytest.raises(ValueError, match="expected a layer"):
        layers.change_of(data)


def test_a_tab_has_sliders_of_its_layers_and_names_them_in_its_command():
    tab = session()
    before = tab.start()["layers"]
    message = tab.change_layers(layers.Change(1, "Al2O3"), {"layer-0-thickness": 1.7})
    assert message["layers"] == [before[0], "Al2O3", before[1]]
    names = {row["name"]: row for row in message["sliders"]}
    assert names["layer-0-thickness"]["value"] == 1.7
    assert "Robertson" in names["layer-1-offset"]["source"]
    changes = tab.since_opened(
        {"device.film.layers[1].thickness": "0.8 nm"},
        tab.opened.case.replace("device.film.layers[1].thickness", "0.8 nm"),
    )
    same = BILAYER.replace(changes).device.film
    assert [sheet.thickness for sheet in same.layers] == pytest.approx(
        [1.7e-9, 0.8e-9, BILAYER.device.film.layers[1].thickness]
    )
    assert tab.change_layers(layers.Change(7, ""), {})["problem"] == "the film has 3 layers"
    assert session(PLAIN, "small").start()["layers"] == ["SrTiO3"]  # another tab has its own film


def test_a_layer_beside_electrons_on_a_metal_has_the_states_of_its_neighbour_and_the_metal_a_slider():
    """Without states of its own such a layer is refused, and nothing could be added to the film."""
    electrons = {"device.film.electrons": "balance", "device.film.density_of_states": "1e26 1/m^3"}
    case = otjdd.load_case("junction").replace(electrons)
    added = case.replace(layers.changes_with_layers({}, case, layers.Change(1, "Al2O3")))
    assert [layer.density_of_states for layer in added.device.film.layers] == [1e26, 1e26]
    values = slider_values(added, sliders_of(added))
    assert values["barrier_right"] == 1.9
    assert "barrier_right" not in slider_values(PLAIN, sliders_of(PLAIN))
