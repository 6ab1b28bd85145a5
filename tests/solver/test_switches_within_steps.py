"""Switches that a step could leap over: a waveform in one piece a branch, and in many, leads to the same ions and currents.

A step never passes the end of a piece. So pieces show what only the ends of a step see: a compliance that is reached and
left, stacks of electrons that leap, the image force, heat, fields of a film that turn.
"""

from itertools import pairwise

import numpy as np
import pytest
from devices import case, needs_speed

import otjdd
from otjdd.case import toml_text
from otjdd.case.case import parse_case

PIECES = 30  # of a branch
CASES = [
    ("junction", {}, [0, 2, -2, 0], 1e3),
    ("junction", {"ions.activation_energy": "0.5 eV"}, [0, 2, 0, -2, 0], 1e-3),
    ("junction", {"circuit.compliance": "1e-6 A"}, [0, 2, -2, 0], 1e6),
    ("junction", {"device.film.image_permittivity": 4.0}, [0, 2, -2, 0], 1e3),
    ("li2019", {}, [0, 3, 0, -3, 0], 1e-2),
    ("li2019", {"circuit.compliance": "1e-5 A"}, [0, 3, -3, 0], 1e4),
    ("vcm-cell", {}, [0, 2, -2, 0], 1e1),
    ("vcm-cell", {}, [0, 1, 0, -1, 0], 1e-1),
    ("ftj-ions", {}, [0, 2, 0, -2, 0], 1.0),
    ("ftj-bto", {}, [0, 2, -6, 0], 1e2),
    ("vcm-heat", {}, [0, 1, -1, 0], 1e6),
    ("vcm-heat", {}, [0, 1.2, 0, -1.2, 0], 1.0),
]

CONDUCTING = """
title = "a polarised film of which some mV draw the compliance"
temperature = "250 K"
device.radius = "1.79662 um"
drive = { kind = "hold", voltage = "0 V", duration = "1 us" }
[device.left]
kind = "semiconductor"
band_offset = "0.427684 eV"
doping = "1.10034e26 1/m^3"
permittivity = { law = "linear", eps_r = 20 }
density_of_states = "6.11648e26 1/m^3"
[device.right]
kind = "semiconductor"
band_offset = "0.425708 eV"
doping = "1.01931e26 1/m^3"
permittivity = { law = "linear", eps_r = 20 }
[device.film]
thickness = "3.46437 nm"
cells = 16
permittivity = { law = "linear", eps_r = 20 }
tunnelling_mass = 0.192
[device.film.polarisation]
law = "nls"
saturation = "1.58113 uC/cm^2"
time = "5.57607e-8 s"
activation_field = "9.76268 MV/cm"
dimension = 2.72
[columns.spread."device.film.polarisation.time"]
law = "log-normal"
factor = 5.0
[ions]
density = "4.21106e24 1/m^3"
site_density = "5.45206e28 1/m^3"
law = "linear"
activation_energy = "0.495494 eV"
prefactor = "4.59875e-8 m^2/s"
"""


def driven(name, changes, times, voltages):
    """A run of a shipped case along a table of times [s] and voltages [V]."""
    points = [[float(t), float(V)] for t, V in zip(times, voltages, strict=True)]
    return otjdd.run(otjdd.load_case(name).without_study().replace(
        {"drive": {"kind": "table", "points": points}, "record.every": "all", **changes}))  # fmt: skip


@needs_speed
@pytest.mark.campaign
@pytest.mark.parametrize(("name", "changes", "path", "rate"), CASES)
def test_a_branch_in_one_piece_is_the_branch_in_many(name, changes, path, rate):
    corners = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(path))) / rate))
    cut = np.unique(np.concatenate([np.linspace(start, end, PIECES + 1) for start, end in pairwise(corners)]))
    whole, parts = (driven(name, changes, times, np.interp(times, corners, path)) for times in (corners, cut))
    positions = [np.interp(corners, ds.time.values, ds.vacancy_mean_position.values) for ds in (whole, parts)]
    assert np.abs(positions[0] - positions[1]).max() < 2e-3 * max(np.ptp(parts.vacancy_mean_position.values), 1e-10)
    largest = [float(np.abs(ds.conduction_current).max()) for ds in (whole, parts)]
    assert largest[0] == pytest.approx(largest[1], rel=1e-3)
    if "polarisation" in whole:
        film = [np.interp(corners, ds.time.values, ds.polarisation.values) for ds in (whole, parts)]
        np.testing.assert_allclose(film[0], film[1], atol=1e-3 * np.abs(film[1]).max())


@needs_speed
@pytest.mark.parametrize(
    ("until", "V", "rtol"),
    [(4.47482e-6, 0.1, 7e-3), (6e-6, 0.15, 7e-3), (4e-6, 0.178165, 7e-3), (6e-6, 0.178165, 3e-3)],
)
def test_a_source_comes_to_its_compliance_where_the_drop_at_its_resistance_is_followed(until, V, rtol):
    """From -1.1 V, through 0 V, to where some mV draw the compliance: a corner of the law of the source."""
    R, most, points = 88.3494, 4.61728e-7, [[0.0, 0.0], [3.09179e-6, -1.10203], [until, V]]
    changes = {"drive": {"kind": "table", "points": points}, "record.every": "all", "numerics.rtol": rtol}
    ds = otjdd.run(case(CONDUCTING, circuit={"series_resistance": R, "compliance": most}), **changes)
    assert ds.attrs["solver_status"] == "done"
    assert int(ds.attrs["solver_rejected"]) < 30  # 57 and more if stages pass the corner
    current, lost = ds.current.values, (ds.voltage - ds.junction_voltage).values  # charging included
    below = np.abs(current) < most
    np.testing.assert_allclose(lost[below], R * current[below], atol=1e-8)
    assert np.abs(current).max() < most * (1 + 2e-5)  # the source gives way by 1e-5 of its compliance a volt
    assert current[-1] >= most


@needs_speed
def test_v_j_is_solved_where_the_source_leaves_its_compliance():
    """Below the compliance a loose stack is enough for V_j, beyond it only a tight one: V_j was sought between the two."""
    metal = {"kind": "metal", "barrier": "0.87145 eV", "mass": 1.079, "band_depth": "5.2317 eV"}
    doped = {
        "kind": "semiconductor", "band_offset": "0.54865 eV", "doping": "1.931e25 1/m^3", "mass": 0.92723,
        "permittivity": {"law": "linear", "eps_r": 273.89}, "density_of_states": "1.1309e26 1/m^3",
    }  # fmt: skip
    film = {
        "thickness": "2.8332 nm", "cells": 15, "grading": 3.5565, "permittivity": {"law": "linear", "eps_r": 17.697},
        "fixed_charge": "2.7392e24 1/m^3", "tunnelling_mass": 0.69229,
        "polarisation": {
            "law": "two-level", "saturation": "0.0063359 C/m^2", "initial": 0.26736, "barrier": "0.399936 eV",
            "dipole_length": "0.31553 nm",
        },
    }  # fmt: skip
    device = {"radius": "1053.8 nm", "richardson": "32.203 A/cm^2/K^2", "left": metal, "film": film, "right": doped}
    ions = {
        "charge": 2, "density": "1.372e26 1/m^3", "site_density": "2.00504e27 1/m^3", "law": "genreith-schriever",
        "hop_distance": "0.45868 nm", "activation_energy": "0.359485 eV", "prefactor": "2.7513e-7 m^2/s",
    }  # fmt: skip
    path = {"kind": "triangle", "path": ["0 V", "-0.75423 V", "0.75423 V", "0 V"], "rate": "29301.9 V/s"}
    circuit = {"series_resistance": "54760 ohm", "compliance": "20.2 nA"}
    data = {"title": "leaves", "temperature": "239.09 K", "device": device, "ions": ions, "drive": path}
    ds = otjdd.run(parse_case(toml_text.write(data | {"circuit": circuit})))
    assert ds.attrs["solver_status"] == "done"
    current, lost = ds.current.values, (ds.voltage - ds.junction_voltage).values  # charging included
    below = np.abs(current) < 20.2e-9
    np.testing.assert_allclose(lost[below], 54760 * current[below], atol=3e-6)
