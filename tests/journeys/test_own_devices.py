"""A device of one's own from an empty file or a base, a run that goes on from it, and a waveform from a text file."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from walk import drawn, otjdd

import otjdd as package

STACK = """
title = "W | 4 nm TiO2 | Nb:SrTiO3"
temperature = "300 K"
[device]
radius = "100 nm"
[device.left]
kind = "metal"
barrier = "0.7 eV"
[device.film]
thickness = "4 nm"
cells = 16
permittivity = { law = "linear", eps_r = 40 }
fixed_charge = "CHARGE"
[device.right]
kind = "semiconductor"
band_offset = "0 eV"
doping = "1e26 1/m^3"
permittivity = { law = "linear", eps_r = 300 }
[ions]
density = "1e26 1/m^3"
site_density = "5e28 1/m^3"
law = "mott-gurney"
hop_distance = "0.3 nm"
activation_energy = "0.6 eV"
prefactor = "1e-7 m^2/s"
well_left = "WELL"
[drive]
kind = "write-read-loop"
path = ["0 V", "1.5 V", "-1.5 V", "0 V"]
step = "0.5 V"
width = "10 ms"
"""
PULSES = "t (us),V (mV)\n0,0\n1,2000\n2,2000\n3,0\n10,0\n11,-2000\n12,-2000\n13,0\n20,0\n"
DRIVEN = """
base = "li2019.toml"
title = "Pulses of a file"
columns = { count = 1, spread = {} }
device.film.cells = 12
circuit = { series_resistance = "1 kohm", compliance = "COMPLIANCE" }
[drive]
kind = "sequence"
parts = [
  { kind = "pulse", voltage = "2 V", width = "5 ps", rise = "1 ps", fall = "1 ps", read = { duration = "1 ns" } },
  { kind = "table", file = "pulses.csv", reads_at = ["1.5 us", "11.5 us"] },
  { kind = "hold", voltage = "0 V", duration = "2e4 s", reads_at = ["3600 s"] },
]
"""


def test_a_stack_of_ones_own_and_what_charge_and_wells_do_to_it():
    loops = []
    for charge, well in (("0 1/m^3", "0 eV"), ("-1.5e26 1/m^3", "0 eV"), ("0 1/m^3", "0.4 eV")):
        text = STACK.replace("CHARGE", charge).replace("WELL", well)
        Path("stack.toml").write_text(text, encoding="utf-8")
        otjdd("check stack.toml")
        otjdd("run stack.toml")
        otjdd("export stack.nc")
        loops.append(pd.read_csv("stack.csv")["read_resistance (ohm)"].to_numpy())
    otjdd("plot stack.nc")
    assert drawn("stack.png")
    plain, charged, bound = loops
    assert np.median(charged) > 2 * np.median(plain)  # negative charge raises the barrier
    assert np.abs(np.log(bound / plain)).max() > 0.05


def test_a_run_goes_on_from_another_on_another_grid_with_its_ions():
    Path("own.toml").write_text('base = "junction.toml"\n[device.film]\nmaterial = "HfO2"\ncells = 12\n')
    otjdd('run own.toml -o own.nc --set "ions.density=5e19 1/cm3" --set ions.initial=uniform')
    go_on = "--set 'ions.initial={ result = \"own.nc\" }'"
    otjdd(f"run own.toml -o on.nc {go_on} --set device.film.cells=17 --set device.film.grading=4")
    before, after = (
        float((ds.vacancy_concentration_columns[-1, 0] * ds.cell_width).sum())
        for ds in map(package.read, ("own.nc", "on.nc"))
    )
    assert after == pytest.approx(before, rel=1e-9)
    small = '--set "ions.site_density=9e25 1/m^3" --set "ions.density=1e25 1/m^3" --set "device.film.thickness=1 nm"'
    assert "site density" in otjdd(f"check own.toml {go_on} {small}", code=3)


@pytest.mark.parametrize("name", [pytest.param("tin-hfo2-tin", marks=pytest.mark.campaign), "au-bto-nbsto"])
def test_the_stacks_of_the_tutorials(name, folder):
    shutil.copytree(package.shipped_cases() / "tutorials", "tutorials")
    otjdd(f"check tutorials/{name}.toml")
    otjdd(f"run tutorials/{name}.toml -p {name}.png --set device.film.cells=16 --set drive.step='1 V'")
    assert drawn(f"{name}.png")


@pytest.mark.parametrize("compliance", [pytest.param("1 A", marks=pytest.mark.campaign), "10 uA"])
def test_a_waveform_of_a_file_from_picoseconds_to_hours_with_resistance_and_compliance(compliance):
    Path("pulses.csv").write_text(PULSES, encoding="utf-8")
    Path("driven.toml").write_text(DRIVEN.replace("COMPLIANCE", compliance), encoding="utf-8")
    assert "2e+04 s" in otjdd("check driven.toml").replace("20000 s", "2e+04 s")
    otjdd("run driven.toml --plot driven.png")
    assert drawn("driven.png")
    otjdd("export driven.nc --over time")
    ds = package.read("driven.nc")
    table = pd.read_csv("driven.csv")
    highest = 2.0 if compliance == "1 A" else 0.5  # what a source gives that is limited
    assert highest / 2 < table["voltage (V)"].max() < 1.001 * highest
    current = ds.read_current.values
    assert len(current) == 4
    limit = float(compliance.split()[0]) * (1e-6 if "uA" in compliance else 1.0)
    assert np.abs(current).max() <= limit * 1.0001
    assert compliance == "1 A" or np.abs(current).max() == pytest.approx(limit, rel=1e-4)
