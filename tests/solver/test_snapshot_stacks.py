"""A snapshot shows the stack that the run was in, where electrons can be in balance in two ways."""

import pytest
from devices import needs_speed

from otjdd.case.case import parse_case
from otjdd.solver.simulate import simulate_junction

TWO_STACKS = """
title = "two oxides between semiconductors, of which a ramp takes one stack of electrons along"
temperature = "196 K"
[device]
radius = "2.8 um"
left = { kind = "semiconductor", band_offset = "0.0209143 eV", doping = "7.51421e25 1/m^3", permittivity = { law = "linear", eps_r = 20 } }
right = { kind = "semiconductor", band_offset = "0.422568 eV", doping = "4.52814e24 1/m^3", permittivity = { law = "linear", eps_r = 20 } }
[device.film]
electrons = "balance"
[[device.film.layers]]
thickness = "2.06972 nm"
permittivity = { law = "linear", eps_r = 20 }
[[device.film.layers]]
thickness = "1.91109 nm"
cells = 12
permittivity = { law = "linear", eps_r = 60.331 }
fixed_charge = "-9.02015e24 1/m^3"
band_offset = "0.393334 eV"
density_of_states = "4.02148e25 1/m^3"
[ions]
density = "1.67942e26 1/m^3"
site_density = "3.39992e28 1/m^3"
law = "mott-gurney"
activation_energy = "0.428527 eV"
prefactor = "3.75342e-7 m^2/s"
hop_distance = "0.442881 nm"
[drive]
kind = "table"
points = [["0 s", "0 V"], ["6.27952 ms", "-1.56913 V"]]
"""  # noqa: E501


@needs_speed
def test_a_snapshot_has_the_electrons_and_the_voltage_of_its_instant():
    ds = simulate_junction(parse_case(TWO_STACKS))
    last = ds.isel(snapshot=-1)
    electrons = float((last.film_electrons * ds.cell_width).sum())
    assert float(last.snapshot_time) == float(ds.time[-1])
    assert electrons == pytest.approx(float(ds.film_electron_sheet[-1]), rel=1e-6)
    assert float(last.snapshot_junction_voltage) == pytest.approx(float(ds.junction_voltage[-1]), abs=1e-9)
