"""A fit of a table that otjdd wrote itself, by a command and in Python."""

from pathlib import Path

import pytest
from walk import otjdd

import otjdd as package

HIDDEN = 0.645  # eV
TRUTH = f'--set device.left.barrier="{HIDDEN} eV"'
VARY = "--vary device.left.barrier=0.55eV:0.75eV"
DEVICE = """
base = "li2019.toml"
title = "A small device"
columns = { count = 1, spread = {} }
device.film.cells = 12
numerics.rtol = 1e-3
record.every = "all"
"""
LOOP = 'drive = { kind = "write-read-loop", path = ["0 V", "2 V", "-4 V", "0 V"], step = "1 V", width = "10 ms" }\n'


def test_an_exported_table_is_data_and_python_fits_it_as_the_command_does():
    Path("device.toml").write_text(DEVICE + LOOP, encoding="utf-8")
    otjdd(f"run device.toml -o hidden.nc -q {TRUTH}")
    otjdd("export hidden.nc")
    otjdd(f"fit hidden.csv device.toml {VARY} -o found.nc --json")
    ds = package.fit("hidden.csv", "device.toml", {"device.left.barrier": (0.55, 0.75)})
    assert float(ds.value[0]) == pytest.approx(HIDDEN, abs=1e-3)
    assert float(ds.value[0]) == float(package.read("found.nc").value[0])
