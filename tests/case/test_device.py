"""Device records: bounds, what follows from them, and the published values."""

import math

import pytest
from pydantic import ValidationError

from otjdd.case.case import load_case, parse_case
from otjdd.case.columns import Columns
from otjdd.case.device import (
    Device,
    History,
    Ions,
    material,
    materials,
)
from otjdd.case.electrodes import NonlinearPermittivity, Semiconductor

LINEAR = {"law": "linear", "eps_r": 30.0}
METAL = {"kind": "metal", "barrier": "0.7 eV"}
SEMICONDUCTOR = {"kind": "semiconductor", "band_offset": "0.1 eV", "doping": "2.3e26 1/m^3", "permittivity": LINEAR}
FILM = {"thickness": "2.8 nm", "permittivity": LINEAR}
DEVICE = {"radius": "10 um", "left": METAL, "film": FILM, "right": SEMICONDUCTOR}
IONS = {
    "density": "3e26 1/m^3",
    "site_density": "1e28 1/m^3",
    "law": "mott-gurney",
    "hop_distance": "0.39 nm",
    "activation_energy": "0.45 eV",
    "prefactor": "5e-7 m^2/s",
}


def test_a_device_holds_si_with_energies_in_ev():
    device = Device(**DEVICE)
    assert device.film.thickness == 2.8e-9
    assert device.left.barrier == 0.7
    assert device.right.doping == 2.3e26
    assert device.junction_area == pytest.approx(math.pi * 1e-10, rel=1e-15)


def test_richardson_constant_of_156_is_a_mass_of_1_3():
    assert Device(**DEVICE).supply_mass == pytest.approx(1.298, abs=1e-3)
    free = Device(**DEVICE, richardson="120.173 A/cm^2/K^2")
    assert free.supply_mass == pytest.approx(1, rel=1e-5)


def test_density_of_states_comes_from_the_mass_unless_given():
    assert Semiconductor(**SEMICONDUCTOR).states(300) == pytest.approx(3.72e25, rel=1e-3)
    assert Semiconductor(**SEMICONDUCTOR).states(600) == pytest.approx(2**1.5 * 3.72e25, rel=1e-3)
    assert Semiconductor(**SEMICONDUCTOR, density_of_states="1e26 1/m^3").states(600) == 1e26


def test_nonlinear_permittivity_without_field_is_the_published_276():
    law = NonlinearPermittivity(
        law="nonlinear", b=material("nb-sto-permittivity-b").value, a=material("nb-sto-permittivity-a").value
    )
    assert law.at_zero_field == pytest.approx(276, rel=5e-3)


def test_only_laws_of_a_field_need_the_distance_of_a_hop():
    without = {name: value for name, value in IONS.items() if name != "hop_distance"}
    assert Ions(**without | {"law": "linear"}).hop_distance is None
    for law in ("mott-gurney", "genreith-schriever"):
        with pytest.raises(ValidationError, match="hop_distance"):
            Ions(**without | {"law": law})


def test_initial_states_have_five_forms():
    assert Ions(**IONS).initial == "uniform"
    assert Ions(**IONS, initial="equilibrium").initial == "equilibrium"
    history = Ions(**IONS, initial={"history": [{"voltage": "-4.3 V", "duration": "100 ms"}]}).initial
    assert isinstance(history, History)
    assert history.history[0].duration == 0.1
    assert Ions(**IONS, initial={"result": "hrs.nc"}).initial.result == "hrs.nc"
    without = {name: value for name, value in IONS.items() if name != "density"}
    assert Ions(**without, initial={"profile": "lrs.csv"}).initial.profile == "lrs.csv"


def test_records_go_out_as_text_and_come_back_equal():
    for record in (Device(**DEVICE), Ions(**IONS), Columns(spread={"ions.density": "1e25 1/m^3"})):
        assert type(record).model_validate(record.model_dump(mode="json"), context={"strict_units": True}) == record


@pytest.mark.parametrize("name", materials())
def test_every_published_value_has_a_source(name):
    value = material(name)
    assert math.isfinite(value.value)
    assert len(value.source) > 10
    assert value.what


def test_published_values_agree_with_each_other():
    lattice = material("sto-lattice-constant").value
    assert material("sto-oxygen-hop").value == pytest.approx(lattice / math.sqrt(2), rel=2e-3)
    assert material("sto-oxygen-sites").value == pytest.approx(3 / lattice**3, rel=2e-3)
    device = Device(**DEVICE, richardson=material("nb-sto-richardson").value)
    assert device.supply_mass == pytest.approx(material("nb-sto-mass").value, rel=2e-3)


def test_an_unknown_material_value_is_told_the_known_ones():
    with pytest.raises(KeyError, match="sto-lattice-constant"):
        material("sto-lattice")


def test_an_electrode_of_any_shape_is_stated_by_its_area():
    """A square of 5 um: its area is that of a disc of 5 um / sqrt(pi)."""
    square = parse_case(load_case("li2019").resolved()).replace({"device.area": "25 um^2"})
    assert square.device.radius is None
    assert square.device.junction_area == pytest.approx(25e-12, rel=1e-15)
    assert square.device.disc_radius == pytest.approx(5e-6 / math.sqrt(math.pi), rel=1e-15)
    assert parse_case(square.resolved()) == square
    assert square.replace({"device.radius": "1 um"}).device.area is None
