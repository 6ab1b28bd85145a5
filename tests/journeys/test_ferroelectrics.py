"""Polarised films through the command line: what refuses them, what they are told, and small signals at a frozen P."""

import numpy as np
import pytest
from walk import drawn, otjdd

import otjdd as package
from otjdd.constants import VACUUM_PERMITTIVITY

FROZEN = """base = "ftj-hzo.toml"
title = "curves of a film whose polarisation is frozen"
[device.film]
cells = 16
[drive]
kind = "KIND"
VOLTAGES = ["-0.2 V", "0 V", "0.2 V"]
MORE
[record]
every = "none"
"""
FREQUENCIES = 'frequencies = ["1 MHz"]'
CROSSBAR = """base = "crossbar.toml"
[device.film.polarisation]
law = "two-level"
saturation = "0.1 C/m^2"
barrier = "1 eV"
dipole_length = "1 nm"
"""


def test_what_holds_no_polarisation_refuses_it_with_its_line(folder):
    (folder / "array.toml").write_text(CROSSBAR, encoding="utf-8")
    assert "none with a compact model" in otjdd("compact ftj-hzo -o model", code=3)
    assert not (folder / "model").exists()
    said = otjdd("check array.toml", code=3)
    assert "array.toml:2" in said
    assert 'none with a drive of kind "patterns"' in said
    electrons = "--set device.film.electrons=balance --set device.film.density_of_states='1e26 1/m^3'"
    assert '"frozen" with device.film.electrons = "balance"' in otjdd(f"check ftj-cv {electrons}", code=3)
    assert '"frozen" for a film without [device.film.polarisation]' in otjdd(
        "check cv --set drive.polarisation=following", code=3
    )


@pytest.mark.parametrize("kind", ["iv", "cv", "impedance"])
def test_small_signals_are_those_of_the_dielectric_beside_a_frozen_polarisation(folder, kind):
    text = FROZEN.replace("KIND", kind).replace("VOLTAGES", "bias" if kind == "impedance" else "voltages")
    text = text.replace("MORE", FREQUENCIES * (kind != "iv"))
    (folder / "frozen.toml").write_text(text, encoding="utf-8")
    otjdd("run frozen.toml -o frozen.nc")
    ds = package.read("frozen.nc")
    if kind == "iv":  # metals that screen all of P leave the currents of both directions alike
        current = ds.bias_current.values.ravel()
        assert current[2] > 0.0
        assert np.isclose(current[0], -current[2], rtol=1e-5)
        return
    device = package.load_case("frozen.toml").device
    plates = VACUUM_PERMITTIVITY * 70 * device.junction_area / device.film.thickness
    assert ds.capacitance.values.ravel() == pytest.approx(plates, rel=1e-6)


def test_the_ratio_of_two_states_is_drawn_against_the_voltage_at_which_they_are_read(folder):
    states = (
        'states = { up = [{ voltage = "3 V", duration = "1 ms" }], down = [{ voltage = "-3 V", duration = "1 ms" }] }'
    )
    text = FROZEN.replace("KIND", "iv").replace("VOLTAGES", "voltages").replace("MORE", states)
    (folder / "states.toml").write_text(text, encoding="utf-8")
    otjdd("run states.toml -o states.nc")
    otjdd("plot states.nc --kind ter -o ter.png")
    assert drawn("ter.png")
    assert np.isfinite(package.read("states.nc").bias_current.values).all()


def test_a_film_that_its_electrodes_do_not_keep_is_told(folder):
    assert "depolarising" not in otjdd("check ftj-hzo")
    leaking = "--set device.left.screening_length='0.1 nm' --set device.right.screening_length='0.1 nm'"
    said = otjdd(f"check ftj-hzo {leaking}")
    assert "device.film.polarisation: the electrodes leave a depolarising field of 1.81 MV/cm at P_s and 0 V" in said
    assert "0.599 MV/cm reverses the film within the 0.002 s of the drive" in said
    rest = '--set device.film.cells=16 --set \'drive={kind="hold", voltage="0 V", duration="2 ms"}\''
    otjdd(f"run ftj-hzo {leaking} {rest} -o rest.nc")
    ds = package.read("rest.nc")
    assert ds.film_field.values[0] == pytest.approx(1.81e8, rel=3e-3)
    assert abs(ds.polarisation.values[-1]) < 0.5 * abs(ds.polarisation.values[0])


def test_a_film_on_a_semiconductor_is_told_which_direction_its_depletion_does_not_keep(folder):
    """The estimate is the field that a run begins with, within 4 %."""
    rest = '--set device.film.cells=16 --set \'drive={kind="hold", voltage="0 V", duration="1 ms"}\''
    said = otjdd(f"check ftj-bto {rest}")
    assert "of 4.75 MV/cm at P_s and 0 V with P towards the right electrode" in said
    otjdd(f"run ftj-bto {rest} --set device.film.polarisation.initial=1 --set 'record.every=\"all\"' -o right.nc")
    assert package.read("right.nc").film_field.values[0] == pytest.approx(-4.75e8, rel=0.04)
    assert "depolarising" not in otjdd(
        f"check ftj-bto {rest} --set 'device.film.polarisation.saturation=\"0.05 C/m^2\"'"
    )


def test_a_saturation_that_follows_the_temperature_excludes_heat(folder):
    warm = '--set \'device.heat={resistance="1e5 K/W", time_constant="1 ns"}\''
    assert "valid" not in otjdd(f"check ftj-hzo {warm}")
    said = otjdd(f"check ftj-hzo {warm} --set 'device.film.polarisation.curie_temperature=\"720 K\"'", code=3)
    assert "polarisation.curie_temperature: expected none with device.heat" in said
