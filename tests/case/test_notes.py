"""What `otjdd check` says of a valid case: values of another material, keys without an effect."""

import pytest
from devices import BARE, case

import otjdd
from otjdd.case.case import load_case, parse_case
from otjdd.case.notes import ferroelectric_note, instrument_notes, unfollowed_notes
from otjdd.case.notes import inherited_values as notes
from otjdd.errors import CaseError
from otjdd.solver.initial import depolarised_note, disagreement

OTHER = {
    "a name": '[device.film]\nmaterial = "Al2O3"\n',
    "a permittivity": 'device.film.permittivity = { law = "linear", eps_r = 9 }\n',
    "a title": 'title = "Pt | 3 nm Al2O3 | Nb:SrTiO3"\n',
    "an electrode": 'device.right = { kind = "metal", barrier = "1 eV" }\ndevice.film.density_of_states = "1e26 1/m^3"\n',
}


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_another_material_is_told_what_it_takes_over(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text('base = "li2019.toml"\nions.well_left = "0 eV"\n' + text)
    load_case(path)
    told = notes(path, {})
    assert "but these values were calibrated for Pt | SrTiO3 | Nb:SrTiO3 in li2019.toml" in told[0]
    assert '  ions.well_right = "1.214 eV"' in told
    assert not any("ions.well_left" in line for line in told)
    assert not any("ions.well_right" in line for line in notes(path, {"ions.well_right": "0 eV"}))


def test_the_same_materials_are_told_nothing(tmp_path):
    assert notes("rv-loop", {"device.film.thickness": "3.2 nm", "device.left.barrier": "0.6 eV"}) == []
    path = tmp_path / "own.toml"
    path.write_text('base = "rv-loop.toml"\ntitle = "my SrTiO3"\ndevice.film.material = "SrTiO3"\n')
    assert notes(path, {}) == []


@pytest.mark.parametrize("value", ["1", '["device.film"]', '["device.film.thickness"]', "[1]"])
def test_a_list_of_calibrated_values_names_keys_of_its_file(tmp_path, value):
    path = tmp_path / "own.toml"
    path.write_text(f'calibrated = {value}\nbase = "li2019.toml"\n')
    with pytest.raises(CaseError, match=r"own\.toml:1:1.*calibrated"):
        load_case(path)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Au | BaTiO3 | Nb:SrTiO3", "BaTiO3"), ("TiN | 10 nm HZO | TiN", "(Hf,Zr)O2"), ("Hf0.5Zr0.5O2 film", "(Hf,Zr)O2"),
        ("SrRuO3 | Pb(Zr0.2Ti0.8)O3", "Pb(Zr,Ti)O3"), ("a BFO film", "BiFeO3"),
        ("TiN | HfO2 | TiN", ""), ("ZrO2", ""), ("Pt | SrTiO3 | Nb:SrTiO3", ""), ("Pd-BTOX", ""),
    ],
)  # fmt: skip
def test_a_ferroelectric_is_known_by_its_name(title, said):
    case = parse_case(load_case("li2019").resolved()).replace("title", title)
    assert ferroelectric_note(case).partition(" is ferroelectric")[0] == said


def test_layers_of_other_materials_are_told_the_ion_values_that_they_take_over(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        'base = "junction.toml"\n[[device.film.layers]]\nmaterial = "HfO2"\nthickness = "1 nm"\n'
        'permittivity = { law = "linear", eps_r = 22 }\n[[device.film.layers]]\nmaterial = "TiO2"\nthickness = "2 nm"\n'
        'permittivity = { law = "linear", eps_r = 60 }\nactivation_energy = "0.6 eV"\n'
        '[[device.film.layers]]\nmaterial = "Al2O3"\nions = "none"\nthickness = "1 nm"\n'
        'permittivity = { law = "linear", eps_r = 9 }\n'
    )
    (told,) = (line for line in notes(path, {}) if "ion values" in line)
    assert told.startswith("device.film.layers[1] is of TiO2, with ion values of HfO2 from junction.toml: site_density")
    assert "activation_energy" not in told


def test_the_film_of_a_base_beside_other_electrodes_is_named(tmp_path):
    path = tmp_path / "own.toml"
    electrodes = 'base = "junction.toml"\n[device.left]\nmaterial = "Au"\nbarrier = "2.5 eV"\n'
    path.write_text(electrodes)
    (line,) = (line for line in notes(path, {}) if "film" in line)
    assert line.startswith("device.left of Au stands with the film of junction.toml, 3 nm of HfO2: state device.film")
    path.write_text(electrodes + '[device.film]\nmaterial = "HfO2"\n')
    assert not any("with the film" in line for line in notes(path, {}))
    path.write_text('base = "junction.toml"\ndevice.film.thickness = "4 nm"\n')
    assert notes(path, {}) == []


CURVE = 'drive = { kind = "iv", voltages = ["0.3 V", "1 V"] }\n'
READ = 'drive = { kind = "pulse", voltage = "1 V", width = "1 us", read = {} }\n'
HOLD = 'drive = { kind = "hold", voltage = "1 V", duration = "1 us" }\n'


@pytest.mark.parametrize(
    ("drive", "circuit", "words"),
    [
        (CURVE, {"range": 1e-12, "bandwidth": 1.0}, "circuit.range, circuit.bandwidth act on"),
        (READ, {"range": 1e-12}, "reads describe the junction alone"),
        (READ, {"time_constant": 1e-6}, None),
        (HOLD, {"range": 1e-12, "bandwidth": 1.0}, None),
        (CURVE, {"series_resistance": 50.0}, None),
    ],
)
def test_keys_of_the_instrument_that_do_nothing_are_noted(drive, circuit, words):
    lines = instrument_notes(case(drive + BARE, **{f"circuit__{key}": value for key, value in circuit.items()}))
    assert len(lines) == (words is not None)
    assert all(words in line for line in lines)


def test_keys_of_ions_that_nothing_follows_are_noted():
    linear = {"ions.law": "linear", "ions.hop_distance": "0.3 nm"}
    assert "ions.hop_distance has no effect: ions.law is" in "".join(unfollowed_notes(load_case("junction", linear)))
    assert unfollowed_notes(load_case("junction", linear | {"ions.law": "mott-gurney"})) == []
    layers = load_case("junction").plain()["device"]["film"]
    own = {key: layers[key] for key in ("permittivity", "fixed_charge", "tunnelling_mass", "thickness", "cells")}
    own |= {"activation_energy": "0.5 eV"}
    both = load_case("junction", {"device.film": {"layers": [own, own], "electrons": "none"}})
    assert [line.split(" has")[0] for line in unfollowed_notes(both)] == ["ions.activation_energy"]
    deep = own | {"site_energy": "-0.1 eV"}
    alike, unlike = ({"device.film": {"layers": [deep, other], "electrons": "none"}} for other in (deep, own))
    of_layers = [f"device.film.layers[{i}].site_energy" for i in range(2)]
    assert [line.split(" has")[0] for line in unfollowed_notes(load_case("junction", alike))][1:] == of_layers
    assert unfollowed_notes(load_case("junction", unlike)) == unfollowed_notes(both)
    by_density, by_energy = ({"rate": "1e-9 m/s", key: value} for key, value in (
        ("equilibrium_density", "1e26 1/m^3"), ("formation_energy", "4 eV"),
    ))  # fmt: skip
    beside = load_case("junction", alike | {"device.right.exchange": by_density})  # a density takes its energy along
    assert unfollowed_notes(beside) == unfollowed_notes(load_case("junction", alike))
    assert unfollowed_notes(load_case("junction", alike | {"device.right.exchange": by_energy})) == unfollowed_notes(
        both
    )


def test_two_levels_of_oxygen_that_disagree_are_named():
    level, other = (
        {"rate": "1e-9 m/s"} | own for own in ({"equilibrium_density": "1e26 1/m^3"}, {"formation_energy": "4 eV"})
    )
    note = disagreement(load_case("junction", {"device.left.exchange": level, "device.right.exchange": level}))
    assert "6.263 eV at the left electrode" in note  # 2 x 3.05 eV + kT ln 549
    assert "from the right to the left electrode" in note
    assert disagreement(load_case("junction", {"device.left.exchange": other, "device.right.exchange": other})) == ""


def test_a_film_that_its_electrodes_do_not_keep_is_named_with_both_fields():
    assert depolarised_note(load_case("ftj-hzo")) == ""
    leaking = {f"device.{side}.screening_length": "0.1 nm" for side in ("left", "right")}
    note = depolarised_note(load_case("ftj-hzo", leaking))
    assert "the electrodes leave a depolarising field of 1.81 MV/cm at P_s and 0 V" in note
    assert "0.599 MV/cm reverses the film within the 0.002 s of the drive" in note


def test_the_field_of_a_film_on_a_semiconductor_is_that_which_a_run_begins_with():
    rest = {"drive": {"kind": "hold", "voltage": "0 V", "duration": "1 ms"}}
    film = load_case("ftj-bto", rest)
    assert "of 4.71 MV/cm at P_s and 0 V with P towards the right electrode" in depolarised_note(film)
    start = {
        "device.film.polarisation.initial": 1,
        "device.film.cells": 16,
        "record.every": "all",
        "drive.duration": "1 ns",
    }
    assert otjdd.run(film.without_study(), start).film_field.values[0] == pytest.approx(-4.713e8, rel=1e-4)
    assert depolarised_note(film.replace("device.film.polarisation.saturation", "0.05 C/m^2")) == ""
